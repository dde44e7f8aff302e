/* A kept file begins with three lines: its form, the SHA-256 of all that follows, the version. */
#include "isocost/sdk/kept.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "isocost/base/sha256.h"

#define FORM "isocost kept file 1\n"
#define HEX_BYTES ((size_t)2 * ISO_SHA256_BYTES)
#define BODY_AT ((long)(sizeof(FORM) - 1 + HEX_BYTES + 1)) /* of the version, then the contents */
#define PIECE_BYTES 65536

struct iso_kept {
    FILE *file;
    struct iso_sha256 sha;
    bool failed;
    char path[PATH_MAX], beside[PATH_MAX];
};

static bool make_path(const struct iso_host *host, const char *name, const char *ending,
                      char path[PATH_MAX])
{
    int n = snprintf(path, PATH_MAX, "%s/%s%s", host->cache_directory, name, ending);

    return host->cache_directory[0] && n > 0 && n < PATH_MAX;
}

static void write_hex(struct iso_sha256 *sha, char hex[HEX_BYTES + 1])
{
    unsigned char digest[ISO_SHA256_BYTES];

    iso_sha256_final(sha, digest);
    for (size_t i = 0; i < ISO_SHA256_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

/* ---- Reading ---- */

/* Whether the file is whole; it is read to its end. */
static bool is_whole(FILE *file, unsigned char *piece)
{
    char form[sizeof(FORM)], told[HEX_BYTES + 2], found[HEX_BYTES + 1];
    struct iso_sha256 sha;
    size_t n;

    if (!fgets(form, sizeof(form), file) || strcmp(form, FORM) != 0 ||
        !fgets(told, sizeof(told), file) || told[HEX_BYTES] != '\n')
        return false;
    iso_sha256_init(&sha);
    while ((n = fread(piece, 1, PIECE_BYTES, file)) > 0)
        iso_sha256_update(&sha, piece, n);
    write_hex(&sha, found);
    return !ferror(file) && memcmp(told, found, HEX_BYTES) == 0;
}

/* Whether the version that the file says is the one that is asked for; the contents are next. */
static bool is_of(FILE *file, const char *version)
{
    int c = 0;

    if (fseek(file, BODY_AT, SEEK_SET) != 0)
        return false;
    for (; *version; version++)
        if ((c = fgetc(file)) != (unsigned char)*version)
            return false;
    return fgetc(file) == '\n';
}

static enum iso_status hand_out(const struct iso_host *host, FILE *file, unsigned char *piece,
                                iso_receive receive, void *receive_context,
                                struct iso_error *reterr)
{
    size_t n;

    while ((n = fread(piece, 1, PIECE_BYTES, file)) > 0) {
        if (host->cancelled(host))
            return iso_fail(reterr, ISO_E_CANCELLED, "", "the caller gave up");
        ISO_TRY(receive(receive_context, piece, n, reterr));
    }
    return ferror(file) ? iso_fail(reterr, ISO_E_IO, "", "a kept file could not be read to its end")
                        : ISO_OK;
}

enum iso_status iso_kept_read(const struct iso_host *host, const char *name, const char *version,
                              iso_receive receive, void *receive_context, bool *ret_found,
                              struct iso_error *reterr)
{
    ISO_AUTO_MEM unsigned char *piece = iso_calloc(PIECE_BYTES, 1);
    enum iso_status status = ISO_OK;
    char path[PATH_MAX];
    FILE *file;

    *ret_found = false;
    if (!piece)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to read a kept file");
    if (!make_path(host, name, "", path) || !(file = fopen(path, "rb")))
        return ISO_OK;
    *ret_found = is_whole(file, piece) && is_of(file, version);
    if (*ret_found)
        status = hand_out(host, file, piece, receive, receive_context, reterr);
    fclose(file);
    return status;
}

/* ---- Writing ---- */

struct iso_kept *iso_kept_begin(const struct iso_host *host, const char *name, const char *version)
{
    struct iso_kept *kept = iso_calloc(1, sizeof(*kept));

    if (!kept)
        return NULL;
    if (!make_path(host, name, "", kept->path) || !make_path(host, name, ".new", kept->beside) ||
        !(kept->file = fopen(kept->beside, "wb"))) {
        if (host->cache_directory[0])
            host->log(host, ISO_LOG_WARNING, "the cache folder cannot be written to");
        free(kept);
        return NULL;
    }
    iso_sha256_init(&kept->sha);
    kept->failed = fprintf(kept->file, FORM "%*s\n", (int)HEX_BYTES, "") != (int)BODY_AT;
    iso_kept_add(kept, version, strlen(version));
    iso_kept_add(kept, "\n", 1);
    return kept;
}

void iso_kept_add(struct iso_kept *kept, const void *bytes, size_t n_bytes)
{
    if (!kept || kept->failed)
        return;
    iso_sha256_update(&kept->sha, bytes, n_bytes);
    kept->failed = fwrite(bytes, 1, n_bytes, kept->file) != n_bytes;
}

bool iso_kept_end(struct iso_kept *kept)
{
    char hex[HEX_BYTES + 1];

    if (!kept)
        return false;
    write_hex(&kept->sha, hex);
    kept->failed |= fseek(kept->file, (long)strlen(FORM), SEEK_SET) != 0 ||
                    fwrite(hex, 1, HEX_BYTES, kept->file) != HEX_BYTES;
    kept->failed |= fclose(ISO_STEAL(kept->file)) != 0;
    kept->failed |= !kept->failed && rename(kept->beside, kept->path) != 0;
    return !kept->failed;
}

void iso_kept_free(struct iso_kept *kept)
{
    if (!kept)
        return;
    if (kept->file)
        fclose(kept->file);
    if (kept->file || kept->failed)
        unlink(kept->beside);
    free(kept);
}

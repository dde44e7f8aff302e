/* Files of snapshots between machines that share a PostgreSQL store.
 *
 * The file is in the database in chunks, under the digest of its bytes; `snapshots/` of the store's
 * folder is a cache of such files, filled when one is asked for. (The digest of a snapshot leaves
 * out when its rows were observed, so one snapshot may have several files; the newest row's
 * counts.) On SQLite the folder itself holds the files, named by the snapshot's digest. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_internal.h"

#define CHUNK_BYTES ((size_t)1 << 20)
#define CACHE_BYTES ((int64_t)4 << 30)

struct chunk_call {
    const char *file;
    int64_t number, n_chunks;
    struct iso_bytes bytes;
    struct iso_arena *arena;
    bool found;
};

static enum iso_status count_chunks(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct chunk_call *call = context;

    return ISO_SCALAR(sql, "SELECT count(*) FROM snapshot_chunk WHERE file = $1", 0,
                      &call->n_chunks, reterr, ISO_TEXT(call->file));
}

/* In a transaction in turn: retention, which comes in turn too, may have taken chunks that nobody
 * named yet. */
enum iso_status iso_store_insert_file(struct iso_sql *sql, const char *digest, const char *file,
                                      int64_t n_chunks, struct iso_error *reterr)
{
    struct chunk_call call = {.file = file};

    ISO_TRY(count_chunks(sql, &call, reterr));
    if (call.n_chunks != n_chunks)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                        "the file of the snapshot was removed while it was stored; try again");
    return ISO_RUN(sql,
                   "INSERT INTO snapshot_file (digest, file, n_chunks, create_ns)"
                   " VALUES ($1, $2, $3, $4) ON CONFLICT (digest) DO UPDATE"
                   " SET file = excluded.file, n_chunks = excluded.n_chunks,"
                   " create_ns = excluded.create_ns",
                   reterr, ISO_TEXT(digest), ISO_TEXT(file), ISO_INT(n_chunks),
                   ISO_INT(iso_store_now_ns()));
}

static enum iso_status put_chunk(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    const struct chunk_call *call = context;

    return ISO_RUN(sql,
                   "INSERT INTO snapshot_chunk (file, number, create_ns, bytes)"
                   " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                   reterr, ISO_TEXT(call->file), ISO_INT(call->number), ISO_INT(iso_store_now_ns()),
                   ISO_BLOB(call->bytes));
}

static enum iso_status read_file(const char *path, struct iso_arena *arena,
                                 struct iso_bytes *ret_bytes, struct iso_error *reterr)
{
    struct stat found;
    unsigned char *bytes = NULL;
    size_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &found) != 0) {
        iso_fail(reterr, ISO_E_IO, "", "the file %s cannot be read: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return ISO_E_IO;
    }
    bytes = iso_arena_calloc(arena, (size_t)found.st_size + 1, 1);
    while (bytes && n < (size_t)found.st_size) {
        ssize_t got = read(fd, bytes + n, (size_t)found.st_size - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    close(fd);
    if (!bytes)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the file %s", path);
    if (n != (size_t)found.st_size)
        return iso_fail(reterr, ISO_E_IO, "", "the file %s cannot be read to its end", path);
    *ret_bytes = (struct iso_bytes){bytes, n};
    return ISO_OK;
}

static void digest_of(struct iso_bytes bytes, char text[ISO_DIGEST_TEXT_SIZE])
{
    unsigned char digest[ISO_SHA256_BYTES];
    struct iso_sha256 sha;

    iso_sha256_init(&sha);
    iso_sha256_update(&sha, bytes.bytes, bytes.n_bytes);
    iso_sha256_final(&sha, digest);
    iso_digest_text(digest, text);
}

enum iso_status iso_store_share_file(struct iso_store *store, const char *path,
                                     char ret_file[ISO_DIGEST_TEXT_SIZE], int64_t *ret_n_chunks,
                                     struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(SIZE_MAX / 2);
    struct chunk_call call = {.file = ret_file};
    struct iso_bytes bytes = {0};
    int64_t n_chunks;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a snapshot");
    ISO_TRY(read_file(path, arena, &bytes, reterr));
    digest_of(bytes, ret_file);
    n_chunks = (int64_t)((bytes.n_bytes + CHUNK_BYTES - 1) / CHUNK_BYTES);
    ISO_TRY(iso_store_read(store, count_chunks, &call, reterr));
    for (int64_t i = call.n_chunks == n_chunks ? n_chunks : 0; i < n_chunks; i++) {
        size_t begin = (size_t)i * CHUNK_BYTES, rest = bytes.n_bytes - begin;

        call.number = i;
        call.bytes =
            (struct iso_bytes){bytes.bytes + begin, rest < CHUNK_BYTES ? rest : CHUNK_BYTES};
        ISO_TRY(iso_store_write_beside(store, put_chunk, &call, reterr));
    }
    *ret_n_chunks = n_chunks;
    return ISO_OK;
}

/* --- out of the database --- */

static enum iso_status get_chunk(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct chunk_call *call = context;
    struct iso_statement *statement = NULL;

    ISO_TRY(ISO_START(sql, "SELECT bytes FROM snapshot_chunk WHERE file = $1 AND number = $2",
                      &statement, reterr, ISO_TEXT(call->file), ISO_INT(call->number)));
    ISO_TRY(iso_sql_step(statement, &call->found, reterr));
    if (call->found)
        call->bytes = iso_sql_blob(statement, 0, call->arena);
    return iso_store_check_arena(call->arena, reterr);
}

static enum iso_status write_chunks(struct iso_store *store, const char *file, int fd,
                                    struct iso_error *reterr)
{
    unsigned char digest[ISO_SHA256_BYTES];
    char found[ISO_DIGEST_TEXT_SIZE];
    struct chunk_call call = {.file = file, .found = true};
    struct iso_sha256 sha;

    iso_sha256_init(&sha);
    for (; call.found; call.number++) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(2 * CHUNK_BYTES);

        call.arena = arena;
        if (!arena)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a snapshot");
        ISO_TRY(iso_store_read(store, get_chunk, &call, reterr));
        if (!call.found)
            break;
        iso_sha256_update(&sha, call.bytes.bytes, call.bytes.n_bytes);
        if (write(fd, call.bytes.bytes, call.bytes.n_bytes) != (ssize_t)call.bytes.n_bytes)
            return iso_fail(reterr, ISO_E_IO, "", "a snapshot cannot be written: %s",
                            strerror(errno));
    }
    iso_sha256_final(&sha, digest);
    iso_digest_text(digest, found);
    if (strcmp(found, file) != 0)
        return iso_fail(reterr, ISO_E_IO, "", "the file %.80s of a snapshot is damaged or gone",
                        file);
    return ISO_OK;
}

struct cached {
    char name[NAME_MAX + 1];
    int64_t n_bytes, used_s;
};

/* The file used longest ago; what the folder holds in *ret_bytes. */
static struct cached find_oldest(const char *folder, int64_t *ret_bytes)
{
    struct cached oldest = {.used_s = INT64_MAX};
    DIR *entries = opendir(folder);
    const struct dirent *entry;

    *ret_bytes = 0;
    while (entries && (entry = readdir(entries))) {
        struct stat found;

        if (fstatat(dirfd(entries), entry->d_name, &found, 0) != 0 || !S_ISREG(found.st_mode))
            continue;
        *ret_bytes += found.st_size;
        if (found.st_mtime < oldest.used_s) {
            oldest.used_s = found.st_mtime;
            snprintf(oldest.name, sizeof(oldest.name), "%s", entry->d_name);
        }
    }
    if (entries)
        closedir(entries);
    return oldest;
}

/* Whoever has such a file open or mapped keeps it. */
static void evict(const char *folder)
{
    char path[PATH_MAX];
    int64_t n_bytes;

    for (;;) {
        struct cached oldest = find_oldest(folder, &n_bytes);
        if (n_bytes <= CACHE_BYTES || !oldest.name[0])
            return;
        snprintf(path, sizeof(path), "%.3000s/%s", folder, oldest.name);
        if (unlink(path) != 0)
            return;
    }
}

/* Fills the cache with a file; others that do so at the same time do no harm. */
static enum iso_status fetch(struct iso_store *store, const char *file, const char *path,
                             struct iso_error *reterr)
{
    char temporary[PATH_MAX], folder[PATH_MAX];
    enum iso_status status;
    int fd;

    snprintf(folder, sizeof(folder), "%.3000s/snapshots", store->folder);
    evict(folder);
    snprintf(temporary, sizeof(temporary), "%.3000s/fetch-XXXXXX", folder);
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return iso_fail(reterr, ISO_E_IO, "", "cannot write to %s: %s", folder, strerror(errno));
    status = write_chunks(store, file, fd, reterr);
    close(fd);
    if (status == ISO_OK && rename(temporary, path) != 0)
        status = iso_fail(reterr, ISO_E_IO, "", "cannot write %s: %s", path, strerror(errno));
    if (status != ISO_OK)
        unlink(temporary);
    return status;
}

enum iso_status iso_store_open_snapshot(struct iso_store *store,
                                        const struct iso_snapshot_record *record, int *ret_fd,
                                        struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(PATH_MAX);
    const char *path;
    int fd;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a snapshot");
    path = iso_store_snapshot_path(store, store->address ? record->file : record->digest, arena);
    if (!path)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "snapshot %.80s has no file", record->digest);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && store->address) {
        ISO_TRY(fetch(store, record->file, path, reterr));
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0)
        return iso_fail(reterr, errno == ENOENT ? ISO_E_NOT_FOUND : ISO_E_IO, "",
                        "the file of snapshot %.80s cannot be opened: %s", record->digest,
                        strerror(errno));
    if (store->address)
        futimens(fd, NULL); /* used now; should that fail, it is evicted sooner */
    *ret_fd = fd;
    return ISO_OK;
}

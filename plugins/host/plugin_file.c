#include "plugin_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "isocost/base/sha256.h"

#define MAX_PLUGIN_BYTES ((off_t)256 << 20)

static enum iso_status check_owner(const char *path, const struct stat *about,
                                   struct iso_error *reterr)
{
    bool sticky_folder = S_ISDIR(about->st_mode) && (about->st_mode & S_ISVTX);

    if (about->st_uid != 0 && about->st_uid != geteuid())
        return iso_fail(reterr, ISO_E_DENIED, "path",
                        "%.200s is owned by user %u; root or user %u must own it", path,
                        about->st_uid, geteuid());
    if ((about->st_mode & (S_IWGRP | S_IWOTH)) && !sticky_folder)
        return iso_fail(reterr, ISO_E_DENIED, "path",
                        "%.200s has mode %04o; neither group nor others may write it", path,
                        (unsigned)(about->st_mode & 07777));
    return ISO_OK;
}

/* Whether this program lies under the folder too: who can write there can replace the program, so
 * there is nothing to win by replacing a plugin. */
static bool holds_this_program(const char *folder)
{
    char program[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
    size_t length = strlen(folder);

    program[n > 0 ? n : 0] = '\0';
    return strncmp(program, folder, length) == 0 && (program[length] == '/' || length == 1);
}

/* Every folder above `path`, from its own up to the root. */
static enum iso_status check_folders(const char *path, struct iso_error *reterr)
{
    char folder[PATH_MAX];
    struct stat about;

    snprintf(folder, sizeof(folder), "%s", path);
    for (;;) {
        char *slash = strrchr(folder, '/');
        slash[slash == folder] = '\0';
        if (holds_this_program(folder))
            return ISO_OK; /* and so do all above it */
        if (lstat(folder, &about) != 0)
            return iso_fail(reterr, ISO_E_IO, "path", "%.200s: %s", folder, strerror(errno));
        ISO_TRY(check_owner(folder, &about, reterr));
        if (folder[1] == '\0')
            return ISO_OK;
    }
}

static enum iso_status check_digest(int fd, const char *digest, struct iso_error *reterr)
{
    unsigned char sum[ISO_SHA256_BYTES], buffer[16384];
    char text[ISO_DIGEST_TEXT_SIZE];
    struct iso_sha256 sha;
    off_t at = 0;
    ssize_t n;

    iso_sha256_init(&sha);
    while ((n = pread(fd, buffer, sizeof(buffer), at)) > 0) {
        iso_sha256_update(&sha, buffer, (size_t)n);
        at += n;
    }
    if (n < 0)
        return iso_fail(reterr, ISO_E_IO, "path", "reading the plugin: %s", strerror(errno));
    iso_sha256_final(&sha, sum);
    if (strcmp(iso_digest_text(sum, text), digest) != 0)
        return iso_fail(reterr, ISO_E_DENIED, "digest", "the plugin is %s; %.80s is pinned", text,
                        digest);
    return ISO_OK;
}

static enum iso_status check_open_file(int fd, const char *path, const char *digest,
                                       struct iso_error *reterr)
{
    struct stat about;

    if (fstat(fd, &about) != 0)
        return iso_fail(reterr, ISO_E_IO, "path", "%.200s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode) || about.st_size > MAX_PLUGIN_BYTES)
        return iso_fail(reterr, ISO_E_INVALID, "path",
                        "%.200s is not a regular file of at most %lld bytes", path,
                        (long long)MAX_PLUGIN_BYTES);
    ISO_TRY(check_owner(path, &about, reterr));
    return digest[0] ? check_digest(fd, digest, reterr) : check_folders(path, reterr);
}

enum iso_status iso_plugin_file_open(const char *path, const char *digest, int *ret_fd,
                                     struct iso_error *reterr)
{
    char real[PATH_MAX];

    if (path[0] != '/')
        return iso_fail(reterr, ISO_E_INVALID, "path",
                        "\"%.200s\" is not an absolute path; plugins are not searched for", path);
    if (digest[0] &&
        (strncmp(digest, "sha256:", 7) != 0 || strlen(digest) != ISO_DIGEST_TEXT_SIZE - 1))
        return iso_fail(reterr, ISO_E_INVALID, "digest",
                        "\"%.80s\" is not a digest; sha256: and 64 hex digits are", digest);
    if (!realpath(path, real)) /* the folders of what is opened are the ones to check */
        return iso_fail(reterr, errno == ENOENT ? ISO_E_NOT_FOUND : ISO_E_IO, "path", "%.200s: %s",
                        path, strerror(errno));

    int fd = open(real, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return iso_fail(reterr, errno == EACCES ? ISO_E_DENIED : ISO_E_IO, "path", "%.200s: %s",
                        path, strerror(errno));
    enum iso_status status = check_open_file(fd, real, digest, reterr);
    if (status != ISO_OK) {
        close(fd);
        return status;
    }
    *ret_fd = fd;
    return ISO_OK;
}

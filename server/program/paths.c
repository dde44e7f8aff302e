#include "paths.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "isocost/base/memory.h"

enum iso_status iso_path_join(char out[PATH_MAX], const char *folder, const char *name,
                              struct iso_error *reterr)
{
    int n = snprintf(out, PATH_MAX, "%s/%s", folder, name);

    if (n < 0 || n >= PATH_MAX)
        return iso_fail(reterr, ISO_E_INVALID, "", "a path is longer than %d bytes", PATH_MAX - 1);
    return ISO_OK;
}

enum iso_status iso_folder_make(const char *path, struct iso_error *reterr)
{
    char part[PATH_MAX];
    struct stat found;

    for (size_t n = 1; n <= strlen(path); n++) {
        if (path[n] != '/' && path[n] != '\0')
            continue;
        snprintf(part, sizeof(part), "%.*s", (int)n, path);
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return iso_fail(reterr, ISO_E_IO, "", "cannot make folder %.300s: %s", part,
                            strerror(errno));
    }
    if (stat(path, &found) != 0 || !S_ISDIR(found.st_mode))
        return iso_fail(reterr, ISO_E_IO, "", "%.300s is not a folder", path);
    return ISO_OK;
}

enum iso_status iso_folder_own(char out[PATH_MAX], struct iso_error *reterr)
{
    ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);

    if (n <= 0)
        return iso_fail(reterr, ISO_E_IO, "", "the path of this program is not known: %s",
                        strerror(errno));
    out[n] = '\0';
    *strrchr(out, '/') = '\0';
    return ISO_OK;
}

enum iso_status iso_program_find(const char *given, const char *folder, const char *name,
                                 const char *flag, char out[PATH_MAX], struct iso_error *reterr)
{
    char path[PATH_MAX];

    ISO_TRY(iso_path_join(path, folder, name, reterr));
    if (!realpath(given ? given : path, out) || access(out, X_OK) != 0)
        return iso_fail(reterr, ISO_E_IO, flag, "--%s: %.300s cannot be run: %s", flag,
                        given ? given : path, strerror(errno));
    return ISO_OK;
}

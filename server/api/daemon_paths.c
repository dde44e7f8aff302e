#include "daemon_paths.h"

#include <errno.h>
#include <sys/un.h>
#include <unistd.h>

#include "paths.h"

static enum iso_status find_plugins(const char *given, const char *folder, char out[PATH_MAX],
                                    struct iso_error *reterr)
{
    static const char *const places[] = {"../plugins", "../lib/isocost/plugins"};
    char path[PATH_MAX];

    if (given) {
        if (!realpath(given, out))
            return iso_fail(reterr, ISO_E_IO, "plugin-dir", "--plugin-dir: %.300s: %s", given,
                            strerror(errno));
        return ISO_OK;
    }
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(places); i++) {
        ISO_TRY(iso_path_join(path, folder, places[i], reterr));
        if (realpath(path, out))
            return ISO_OK;
    }
    return iso_path_join(out, folder, places[0], reterr);
}

static enum iso_status find_data(const char *given, char out[PATH_MAX], struct iso_error *reterr)
{
    const char *home = getenv("HOME"), *state = getenv("STATE_DIRECTORY");
    char path[PATH_MAX];

    if (given)
        snprintf(path, sizeof(path), "%s", given);
    else if (state && state[0] == '/')
        snprintf(path, sizeof(path), "%s", state);
    else if (home && home[0] == '/')
        ISO_TRY(iso_path_join(path, home, ".isocost/data", reterr));
    else
        return iso_fail(reterr, ISO_E_INVALID, "data-dir", "give --data-dir: HOME is not set");
    ISO_TRY(iso_folder_make(path, reterr));
    if (!realpath(path, out))
        return iso_fail(reterr, ISO_E_IO, "data-dir", "%.300s: %s", path, strerror(errno));
    return ISO_OK;
}

/* The socket where clients look first; its folder is made for this user alone. */
static enum iso_status find_socket(char out[PATH_MAX], struct iso_error *reterr)
{
    const char *run = getenv("XDG_RUNTIME_DIR"), *home = getenv("HOME");
    char folder[PATH_MAX];

    out[0] = '\0';
    if (run && run[0] == '/')
        ISO_TRY(iso_path_join(folder, run, "isocost", reterr));
    else if (home && home[0] == '/')
        ISO_TRY(iso_path_join(folder, home, ".isocost", reterr));
    else
        return ISO_OK;
    if (strlen(folder) + sizeof("/isocost.sock") > sizeof(((struct sockaddr_un *)0)->sun_path))
        return ISO_OK;
    ISO_TRY(iso_folder_make(folder, reterr));
    snprintf(out, PATH_MAX, "unix:%.200s/isocost.sock", folder);
    return ISO_OK;
}

enum iso_status iso_daemon_paths_find(const struct iso_daemon_parameters *parameters,
                                      struct iso_daemon_paths *ret_paths, struct iso_error *reterr)
{
    static struct iso_daemon_paths paths; /* too large for the stack */
    char folder[PATH_MAX];

    paths = (struct iso_daemon_paths){0};
    ISO_TRY(iso_folder_own(folder, reterr));
    ISO_TRY(iso_program_find(parameters->solver, folder, "isocost-solver", "solver", paths.solver,
                             reterr));
    ISO_TRY(iso_program_find(parameters->plugin_host, folder, "isocost-plugin-host", "plugin-host",
                             paths.plugin_host, reterr));
    ISO_TRY(find_plugins(parameters->plugin_dir, folder, paths.plugins, reterr));
    if (parameters->config && !realpath(parameters->config, paths.config))
        return iso_fail(reterr, ISO_E_IO, "config", "--config: %.300s: %s", parameters->config,
                        strerror(errno));
    ISO_TRY(find_data(parameters->data_dir, paths.data, reterr));
    ISO_TRY(iso_path_join(paths.cache, paths.data, "cache", reterr));
    ISO_TRY(iso_folder_make(paths.cache, reterr));
    ISO_TRY(iso_path_join(paths.temporary, paths.data, "tmp", reterr));
    ISO_TRY(iso_folder_make(paths.temporary, reterr));
    if (parameters->listen.n == 0)
        ISO_TRY(find_socket(paths.socket, reterr));
    *ret_paths = paths;
    return ISO_OK;
}

/* Where isocostd finds its programs and keeps its data. All paths are absolute. */
#ifndef ISOCOST_SERVER_DAEMON_PATHS_H
#define ISOCOST_SERVER_DAEMON_PATHS_H

#include <limits.h>

#include "daemon_parameters.h"

struct iso_daemon_paths {
    char data[PATH_MAX], cache[PATH_MAX], temporary[PATH_MAX];
    char solver[PATH_MAX], plugin_host[PATH_MAX], plugins[PATH_MAX];
    char config[PATH_MAX]; /* "" = none */
    char socket[PATH_MAX]; /* "unix:..." of the default socket, "" = none is possible */
};

/* Finds everything and makes the folders of the data with mode 0700. Errors: ISO_E_IO,
 * ISO_E_INVALID. */
enum iso_status iso_daemon_paths_find(const struct iso_daemon_parameters *parameters,
                                      struct iso_daemon_paths *ret_paths, struct iso_error *reterr);

#endif

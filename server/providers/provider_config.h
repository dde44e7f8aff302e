/* The provider instances that an operator configured, checked. */
#ifndef ISOCOST_SERVER_PROVIDER_CONFIG_H
#define ISOCOST_SERVER_PROVIDER_CONFIG_H

#include "isocost/base/status.h"
#include "isocost/internal/v1/config.pb-c.h"
#include "isocost/proto/arena.h"

/* Reads providers.yaml (or JSON), checks every field, and fills in defaults. The result lives in
 * the arena. Errors: ISO_E_IO, ISO_E_INVALID (all wrong fields are counted, the first is named). */
enum iso_status iso_provider_config_read(const char *path, struct iso_arena *arena,
                                         Isocost__Internal__V1__ProvidersConfig **ret_config,
                                         struct iso_error *reterr);

/* `<plugin folder>/<plugin>.so` in the arena; NULL when the arena is full. */
char *iso_plugin_path(const char *plugin_folder, const char *plugin, struct iso_arena *arena);

/* Checks that only root and the service's user could have written the plugin: the file, its folder
 * and the folders above it are owned by one of them and are not writable for the group or others (a
 * folder above may be, if it is sticky). The plugin host checks again what it opens. Errors:
 * ISO_E_NOT_FOUND, ISO_E_DENIED with the owner or mode that was found. */
enum iso_status iso_plugin_check_access(const char *plugin_path, struct iso_error *reterr);

/* Reads a secret: the file must be the service user's (or root's) and closed to all others. The
 * text without its final line break is in the arena. Errors: ISO_E_IO, ISO_E_DENIED, ISO_E_LIMIT.
 */
enum iso_status iso_secret_read(const char *path, struct iso_arena *arena, char **ret_secret,
                                struct iso_error *reterr);

#endif

/* From configuration text to a plugin's config struct, by its parameter table. */
#ifndef ISOCOST_PLUGIN_HOST_CONFIG_H
#define ISOCOST_PLUGIN_HOST_CONFIG_H

#include "isocost/plugin.h"
#include "isocost/proto/arena.h"
#include "isocost/v1/catalog_service.pb-c.h"

struct iso_config_value {
    const char *name, *value;
};

/* Makes the config struct: defaults first, then `values`. The texts are copied; the caller keeps
 * *ret_config as long as the plugin lives. Errors: ISO_E_INVALID with the parameter as field: a
 * value that breaks its rule, an unknown name (with the nearest known one), one given twice, one
 * that must be given and is not, or a table that breaks the ABI's rules. */
enum iso_status iso_config_make(const struct iso_plugin *plugin,
                                const struct iso_config_value *values, size_t n_values,
                                void **ret_config, struct iso_error *reterr);

/* The parameter table as messages in the arena. Errors: ISO_E_INVALID (it breaks the ABI's rules),
 * ISO_E_NOMEM. */
enum iso_status iso_config_describe(const struct iso_plugin *plugin, struct iso_arena *arena,
                                    Isocost__V1__PluginParameter ***ret_parameters,
                                    size_t *ret_n_parameters, struct iso_error *reterr);

#endif

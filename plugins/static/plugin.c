/* static: a catalog from files, in CSV or JSON. See docs/reference/catalog-files.md.
 *
 * Rows are sent as they are read. A row that cannot be read is reported with its file and line and
 * stands in nobody's way; a file that cannot be read fails the whole fetch, because half a catalog
 * would look like one in which the other half is no longer sold. */
#include "files.h"

#define SCRATCH_BYTES ((size_t)8 << 20)

static const struct iso_param params[] = {
    {ISO_PARAM_TEXT, "path", NULL, 1, 4096, "", NULL, "File or folder of the catalog, absolute.",
     offsetof(struct iso_static_config, path)},
    {ISO_PARAM_TEXT, "kinds", "", 0, 65536, "", NULL,
     "What files hold whose names do not tell, as name=kind;name=kind.",
     offsetof(struct iso_static_config, kinds)},
    {ISO_PARAM_TEXT, "provider", "", 0, 64, "", NULL, "Provider of rows that do not name one.",
     offsetof(struct iso_static_config, provider)},
    {ISO_PARAM_TEXT, "currency", "", 0, 3, "", NULL, "Currency of prices that do not name one.",
     offsetof(struct iso_static_config, currency)},
    {ISO_PARAM_INT, "max_file_mib", "1024", 1, 65536, "MiB", NULL, "Most MiB of one file.",
     offsetof(struct iso_static_config, max_file_mib)},
    {.type = ISO_PARAM_END},
};

struct instance {
    const struct iso_static_config *config;
    const struct iso_host *host;
};

static enum iso_status static_create(const void *config, const struct iso_host *host,
                                     void **ret_instance, struct iso_error *reterr)
{
    const struct iso_static_config *checked = config;

    if (checked->path[0] != '/')
        return iso_fail(reterr, ISO_E_INVALID, "path", "\"%.200s\" is not an absolute path",
                        checked->path);
    ISO_TRY(iso_kinds_check(checked->kinds, reterr));
    struct instance *instance = iso_calloc(1, sizeof(*instance));
    if (!instance)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an instance");
    instance->config = checked;
    instance->host = host;
    *ret_instance = instance;
    return ISO_OK;
}

static void static_destroy(void *instance)
{
    free(instance);
}

static enum iso_status static_fetch(void *state, const struct iso_fetch *what,
                                    struct iso_sink *sink, struct iso_failure *retfailure,
                                    struct iso_error *reterr)
{
    const struct instance *instance = state;
    ISO_AUTO(iso_scratch) scratch = iso_scratch_new(SCRATCH_BYTES);

    (void)retfailure; /* the status says it all */
    if (!scratch)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for rows");
    struct iso_static_reader reader = {
        .config = instance->config,
        .host = instance->host,
        .what = what,
        .sink = sink,
        .scratch = scratch,
    };
    return iso_files_read(&reader, reterr);
}

const struct iso_plugin iso_plugin_v1 = {
    ISO_PLUGIN_HEAD,
    .caps = ISO_CAP_CATALOG | ISO_CAP_PRICE | ISO_CAP_CAPACITY | ISO_CAP_QUOTA,
    .name = "static",
    .version = ISO_VERSION,
    .summary = "Reads a catalog from CSV and JSON files.",
    .params = params,
    .config_size = sizeof(struct iso_static_config),
    .create = static_create,
    .destroy = static_destroy,
    .fetch = static_fetch,
};

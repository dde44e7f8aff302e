/* focus: what was used and what it cost, from bills in files. FOCUS 1.0 to 1.2, the Cost and Usage
 * Reports of AWS, and the cost exports of Azure; CSV, packed with gzip or not.
 *
 * Rows are sent as they are read, so memory is that of one row. A row that cannot be read is
 * reported with its file and line; a file that cannot be read fails the whole fetch, because half a
 * bill would look like a month in which half was spent. */
#include "reader.h"
#include "spans.h"

#define SCRATCH_BYTES ((size_t)4 << 20)

static const struct iso_param params[] = {
    {ISO_PARAM_TEXT, "path", NULL, 1, 4096, "", NULL, "File or folder of the bill, absolute.",
     offsetof(struct iso_focus_config, path)},
    {ISO_PARAM_TEXT, "provider", "", 0, 64, "", NULL, "Provider of rows that do not name one.",
     offsetof(struct iso_focus_config, provider)},
    {ISO_PARAM_TEXT, "currency", "", 0, 3, "", NULL, "Currency of rows that do not name one.",
     offsetof(struct iso_focus_config, currency)},
    {ISO_PARAM_TEXT, "azure_costs", "by-name", 1, 16, "", "by-name|actual|amortized",
     "What the costs of Azure's own exports are; by-name: amortized if the file's name says so.",
     offsetof(struct iso_focus_config, azure_costs)},
    {ISO_PARAM_INT, "max_file_mib", "4096", 1, 65536, "MiB", NULL,
     "Most MiB of one file, unpacked.", offsetof(struct iso_focus_config, max_file_mib)},
    {.type = ISO_PARAM_END},
};

struct instance {
    const struct iso_focus_config *config;
    const struct iso_host *host;
};

static enum iso_status focus_create(const void *config, const struct iso_host *host,
                                    void **ret_instance, struct iso_error *reterr)
{
    const struct iso_focus_config *checked = config;

    if (checked->path[0] != '/')
        return iso_fail(reterr, ISO_E_INVALID, "path", "\"%.200s\" is not an absolute path",
                        checked->path);
    struct instance *instance = iso_calloc(1, sizeof(*instance));
    if (!instance)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an instance");
    instance->config = checked;
    instance->host = host;
    *ret_instance = instance;
    return ISO_OK;
}

static void focus_destroy(void *instance)
{
    free(instance);
}

static enum iso_status focus_fetch(void *state, const struct iso_fetch *what, struct iso_sink *sink,
                                   struct iso_failure *retfailure, struct iso_error *reterr)
{
    const struct instance *instance = state;

    (void)retfailure; /* the status says it all */
    if (!(what->want & (ISO_WANT_USAGE | ISO_WANT_COSTS)))
        return ISO_OK;
    ISO_AUTO(iso_scratch) scratch = iso_scratch_new(SCRATCH_BYTES);
    if (!scratch)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for rows");
    ISO_AUTO(iso_bill_spans) spans = NULL;
    ISO_TRY(iso_bill_spans_load(instance->host, instance->config->path, &spans, reterr));
    struct iso_focus_reader reader = {
        .config = instance->config,
        .host = instance->host,
        .what = what,
        .sink = sink,
        .scratch = scratch,
        .spans = spans,
    };
    ISO_TRY(iso_bills_read(&reader, reterr));
    return iso_bill_spans_end(spans, sink, reterr);
}

const struct iso_plugin iso_plugin_v1 = {
    ISO_PLUGIN_HEAD,
    .caps = ISO_CAP_USAGE | ISO_CAP_COST,
    .name = "focus",
    .version = ISO_VERSION,
    .summary = "Reads bills in FOCUS format, of AWS and of Azure, from CSV files.",
    .params = params,
    .config_size = sizeof(struct iso_focus_config),
    .create = focus_create,
    .destroy = focus_destroy,
    .fetch = focus_fetch,
};

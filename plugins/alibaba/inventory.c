/* Instances that exist, with their state and tags. */
#include "alibaba.h"
#include "isocost/sdk/report.h"

struct inventory_call {
    const struct iso_alibaba_fetch *fetch;
    const char *region;
};

static enum iso_status read_tags(const struct iso_alibaba_fetch *fetch, const struct iso_json *list,
                                 struct iso_plugin_running *row, struct iso_error *reterr)
{
    size_t n = iso_json_length(list);
    struct iso_plugin_label *tags = iso_scratch_calloc(fetch->row, n, sizeof(*tags));

    if (!tags)
        return iso_alibaba_full(reterr);
    for (size_t i = 0; i < n; i++) {
        tags[i].key = iso_json_text_at(iso_json_item(list, i), "TagKey");
        tags[i].value = iso_json_text_at(iso_json_item(list, i), "TagValue");
    }
    row->tags = tags;
    row->n_tags = n;
    return ISO_OK;
}

static enum iso_status send(const struct inventory_call *call, const struct iso_json *item,
                            struct iso_error *reterr)
{
    const struct iso_alibaba_fetch *fetch = call->fetch;
    const char *id = iso_json_text_at(item, "InstanceId");
    const char *strategy = iso_json_text_at(item, "SpotStrategy");
    bool spot = strategy[0] && strcmp(strategy, "NoSpot") != 0;
    struct iso_error error = {0};
    struct iso_plugin_running row = {
        .provider = "alibaba",
        .resource = id,
        .type = iso_json_text_at(item, "InstanceType"),
        .region = call->region,
        .zone = iso_json_text_at(item, "ZoneId"),
        .os = strcmp(iso_json_text_at(item, "OSType"), "windows") == 0 ? "windows" : "linux",
        .state = iso_json_text_at(item, "Status"),
        .purchase = spot ? ISO_PLUGIN_PURCHASE_SPOT : ISO_PLUGIN_PURCHASE_ON_DEMAND,
    };

    iso_scratch_reset(fetch->row);
    if (!id[0] || !row.type[0])
        return iso_report(fetch->sink, "invalid_value", /* quarantined= */ true, call->region,
                          "an instance without an id or a type", reterr);
    if (iso_alibaba_time(iso_json_text_at(item, "CreationTime"), &row.started_ns, &error) != ISO_OK)
        ISO_TRY(iso_report(fetch->sink, "invalid_value", /* quarantined= */ false, id,
                           "CreationTime: %s", reterr, error.text));
    ISO_TRY(read_tags(fetch, iso_json_at(item, "Tags.Tag"), &row, reterr));
    return iso_put_running(fetch->sink, &row, 1, reterr);
}

static enum iso_status on_instances(void *context, const struct iso_json *answer,
                                    struct iso_error *reterr)
{
    const struct iso_json *list = iso_json_at(answer, "Instances.Instance");

    for (size_t i = 0; i < iso_json_length(list); i++)
        ISO_TRY(send(context, iso_json_item(list, i), reterr));
    return ISO_OK;
}

enum iso_status iso_alibaba_send_inventory(const struct iso_alibaba_fetch *fetch,
                                           const char *region, struct iso_error *reterr)
{
    struct inventory_call call = {fetch, region};

    return iso_alibaba_ask_ecs(fetch, region, "DescribeInstances", "&MaxResults=100", on_instances,
                               &call, reterr);
}

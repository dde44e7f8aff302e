/* Instances of the project: what exists in the configured regions. */
#include <stdio.h>

#include "gcp.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"

struct instances_call {
    const struct iso_gcp_fetch *fetch;
    struct iso_dictionary *instances;
};

static enum iso_status read_labels(const struct iso_gcp_fetch *fetch, const struct iso_json *labels,
                                   struct iso_gcp_instance *instance, struct iso_error *reterr)
{
    size_t n = 0;

    for (void *label = iso_json_first(labels); label; label = iso_json_next(labels, label))
        n++;
    struct iso_plugin_label *list = iso_scratch_calloc(fetch->kept, n + 1, sizeof(*list));
    if (!list)
        return iso_gcp_full(reterr);
    instance->labels = list;
    for (void *label = iso_json_first(labels); label; label = iso_json_next(labels, label)) {
        const char *value = iso_json_scalar(iso_json_value(label), fetch->row);
        struct iso_plugin_label *next = &list[instance->n_labels++];
        next->key = iso_gcp_keep(fetch, iso_json_name(label));
        next->value = iso_gcp_keep(fetch, value ? value : "");
        if (!next->key || !next->value)
            return iso_gcp_full(reterr);
    }
    return ISO_OK;
}

/* The system is only known by the licenses of the boot disk. */
static const char *system_of(const struct iso_gcp_fetch *fetch, const struct iso_json *item)
{
    const struct iso_json *disks = iso_json_at(item, "disks");

    for (size_t d = 0; d < iso_json_length(disks); d++) {
        const struct iso_json *licenses = iso_json_at(iso_json_item(disks, d), "licenses");
        for (size_t i = 0; i < iso_json_length(licenses); i++) {
            const char *url = iso_json_scalar(iso_json_item(licenses, i), fetch->row);
            if (url && strstr(url, "/projects/windows-cloud/"))
                return "windows";
        }
    }
    return "linux";
}

static bool is_spot(const struct iso_gcp_fetch *fetch, const struct iso_json *item)
{
    const char *old = iso_json_scalar(iso_json_at(item, "scheduling.preemptible"), fetch->row);

    return strcmp(iso_json_text_at(item, "scheduling.provisioningModel"), "SPOT") == 0 ||
           (old && strcmp(old, "true") == 0);
}

static enum iso_status read_instance(const struct instances_call *call, const char *region,
                                     const char *zone, const struct iso_json *item,
                                     struct iso_error *reterr)
{
    const struct iso_gcp_fetch *fetch = call->fetch;
    const char *id = iso_json_scalar(iso_json_at(item, "id"), fetch->row);
    const char *type = iso_gcp_last_name(iso_json_text_at(item, "machineType"));
    struct iso_error error = {0};

    if (!id || !type[0])
        return iso_report(fetch->sink, "invalid_value", /* quarantined= */ true, zone,
                          "an instance without id or machineType: \"%.64s\"", reterr,
                          iso_json_text_at(item, "name"));
    struct iso_gcp_instance *instance = iso_dictionary_add(call->instances, id);
    if (!instance)
        return iso_gcp_full(reterr);
    *instance = (struct iso_gcp_instance){
        .type = iso_gcp_keep(fetch, type),
        .region = region,
        .zone = iso_gcp_keep(fetch, zone),
        .state = iso_gcp_keep(fetch, iso_json_text_at(item, "status")),
        .os = system_of(fetch, item),
        .spot = is_spot(fetch, item),
    };
    if (!instance->type || !instance->zone || !instance->state)
        return iso_gcp_full(reterr);
    if (iso_time_read(iso_json_text_at(item, "creationTimestamp"), &instance->started_ns, &error) !=
        ISO_OK)
        ISO_TRY(iso_report(fetch->sink, "invalid_value", /* quarantined= */ false, id,
                           "creationTimestamp: %s", reterr, error.text));
    return read_labels(fetch, iso_json_at(item, "labels"), instance, reterr);
}

static enum iso_status on_instances(void *context, const struct iso_json *answer,
                                    struct iso_error *reterr)
{
    const struct instances_call *call = context;
    const struct iso_json *zones = iso_json_at(answer, "items");

    for (void *zone = iso_json_first(zones); zone; zone = iso_json_next(zones, zone)) {
        const char *name = iso_gcp_last_name(iso_json_name(zone));
        const char *region = iso_gcp_region_of_zone(call->fetch->gcp, name);
        const struct iso_json *list = iso_json_at(iso_json_value(zone), "instances");
        for (size_t i = 0; region && i < iso_json_length(list); i++) {
            iso_scratch_reset(call->fetch->row);
            ISO_TRY(read_instance(call, region, name, iso_json_item(list, i), reterr));
        }
    }
    return ISO_OK;
}

enum iso_status iso_gcp_fetch_instances(const struct iso_gcp_fetch *fetch,
                                        struct iso_dictionary *instances, struct iso_error *reterr)
{
    struct instances_call call = {fetch, instances};

    return iso_gcp_ask_compute(fetch, "/aggregated/instances?maxResults=500", on_instances, &call,
                               reterr);
}

enum iso_status iso_gcp_send_inventory(const struct iso_gcp_fetch *fetch,
                                       const struct iso_dictionary *instances,
                                       struct iso_error *reterr)
{
    for (size_t i = 0; i < iso_dictionary_count(instances); i++) {
        const struct iso_gcp_instance *instance = iso_dictionary_record(instances, i);
        const struct iso_plugin_running row = {
            .provider = "gcp",
            .resource = iso_dictionary_key(instances, i),
            .type = instance->type,
            .account = fetch->gcp->config->project,
            .region = instance->region,
            .zone = instance->zone,
            .os = instance->os,
            .state = instance->state,
            .purchase = instance->spot ? ISO_PLUGIN_PURCHASE_SPOT : ISO_PLUGIN_PURCHASE_ON_DEMAND,
            .started_ns = instance->started_ns,
            .tags = instance->labels,
            .n_tags = instance->n_labels,
        };
        ISO_TRY(iso_put_running(fetch->sink, &row, 1, reterr));
    }
    return ISO_OK;
}

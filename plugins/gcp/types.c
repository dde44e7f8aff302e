/* Types of machines: those of the configured regions, from the list of all zones. */
#include <stdio.h>

#include "gcp.h"
#include "isocost/sdk/report.h"

/* Keeps the reading of sums in 64 bits: no machine is near. */
#define MAX_VCPUS 100000
#define MAX_MEMORY_MIB ((int64_t)1 << 31)

static void read_gpus(const struct iso_gcp_fetch *fetch, const struct iso_json *item,
                      struct iso_gcp_type *type)
{
    const struct iso_json *list = iso_json_at(item, "accelerators");
    const struct iso_json *first = iso_json_item(list, 0);

    type->gpu = iso_gcp_keep(fetch, iso_json_text_at(first, "guestAcceleratorType"));
    type->n_gpus = iso_gcp_integer(fetch, iso_json_at(first, "guestAcceleratorCount"), 0);
    type->has_other_parts =
        iso_json_length(list) > 1 ||
        iso_gcp_integer(fetch, iso_json_at(item, "bundledLocalSsds.partitionCount"), 0) > 0;
}

static enum iso_status read_type(const struct iso_gcp_fetch *fetch, const char *region,
                                 const char *zone, const struct iso_json *item,
                                 struct iso_error *reterr)
{
    const char *name = iso_json_text_at(item, "name");
    int64_t vcpus = iso_gcp_integer(fetch, iso_json_at(item, "guestCpus"), 0);
    int64_t mib = iso_gcp_integer(fetch, iso_json_at(item, "memoryMb"), 0);
    char key[ISO_GCP_KEY_BYTES];

    snprintf(key, sizeof(key), "%.48s/%.128s", zone, name);
    if (!name[0] || vcpus < 1 || vcpus > MAX_VCPUS || mib < 1 || mib > MAX_MEMORY_MIB)
        return iso_report(fetch->sink, "invalid_value", /* quarantined= */ true, key,
                          "a type without name, guestCpus or memoryMb", reterr);
    struct iso_gcp_type *type = iso_dictionary_add(fetch->types, key);
    if (!type)
        return iso_gcp_full(reterr);
    *type = (struct iso_gcp_type){
        .name = iso_gcp_keep(fetch, name),
        .region = region,
        .zone = iso_gcp_keep(fetch, zone),
        .family = iso_gcp_family(name, fetch->kept),
        .arch = strcmp(iso_json_text_at(item, "architecture"), "ARM64") == 0 ? "arm64" : "x86_64",
        .vcpus = vcpus,
        .memory_mib = mib,
        .cores_percent = iso_gcp_cores_percent(name, vcpus),
        .deprecated = iso_json_text_at(item, "deprecated.state")[0] != '\0',
        .shared = iso_gcp_cores_percent(name, vcpus) != 100 * vcpus,
    };
    read_gpus(fetch, item, type);
    return type->name && type->zone && type->family && type->gpu ? ISO_OK : iso_gcp_full(reterr);
}

/* A zone that has none is there with a warning in the place of its list. */
static enum iso_status on_types(void *context, const struct iso_json *answer,
                                struct iso_error *reterr)
{
    const struct iso_gcp_fetch *fetch = context;
    const struct iso_json *zones = iso_json_at(answer, "items");

    for (void *zone = iso_json_first(zones); zone; zone = iso_json_next(zones, zone)) {
        const char *name = iso_gcp_last_name(iso_json_name(zone));
        const char *region = iso_gcp_region_of_zone(fetch->gcp, name);
        const struct iso_json *list = iso_json_at(iso_json_value(zone), "machineTypes");
        for (size_t i = 0; region && i < iso_json_length(list); i++) {
            iso_scratch_reset(fetch->row);
            ISO_TRY(read_type(fetch, region, name, iso_json_item(list, i), reterr));
        }
    }
    return ISO_OK;
}

enum iso_status iso_gcp_fetch_types(const struct iso_gcp_fetch *fetch, struct iso_error *reterr)
{
    struct iso_gcp_fetch own = *fetch;

    return iso_gcp_ask_compute(fetch, "/aggregated/machineTypes?maxResults=500", on_types, &own,
                               reterr);
}

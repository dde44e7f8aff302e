/* Sizes of machines in a region, what of them the subscription may use, and its zones. */
#include <stdio.h>

#include "azure.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"

#define MIB_PER_GIB (1024 * ISO_DECIMAL_ONE)

struct types_call {
    const struct iso_azure_fetch *fetch;
    struct iso_azure_region *region; /* NULL while zones are read */
};

/* ---- Zones: numbers are the subscription's, physical zones are the same for all ---- */

static enum iso_status on_locations(void *context, const struct iso_json *answer,
                                    struct iso_error *reterr)
{
    const struct iso_azure_fetch *fetch = ((const struct types_call *)context)->fetch;
    const struct iso_json *locations = iso_json_at(answer, "value");
    char key[ISO_AZURE_PLACE_BYTES];

    for (size_t i = 0; i < iso_json_length(locations); i++) {
        const struct iso_json *location = iso_json_item(locations, i);
        const char *name = iso_azure_known_region(fetch->azure, iso_json_text_at(location, "name"));
        const struct iso_json *zones = iso_json_at(location, "availabilityZoneMappings");
        for (size_t z = 0; name && z < iso_json_length(zones); z++) {
            const struct iso_json *zone = iso_json_item(zones, z);
            snprintf(key, sizeof(key), "%s/%s", name, iso_json_text_at(zone, "logicalZone"));
            const char **id = iso_dictionary_add(fetch->zone_ids, key);
            if (!id || !(*id = iso_azure_keep(fetch, iso_json_text_at(zone, "physicalZone"))))
                return iso_azure_full(reterr);
        }
    }
    return ISO_OK;
}

enum iso_status iso_azure_fetch_zones(const struct iso_azure_fetch *fetch, struct iso_error *reterr)
{
    struct types_call call = {fetch, NULL};

    return iso_azure_list(fetch, "/locations?api-version=2022-12-01", on_locations, &call, reterr);
}

/* ---- Sizes ---- */

/* The value of a capability; all of them are text. "": it is not told. */
static const char *capability(const struct iso_json *sku, const char *name)
{
    const struct iso_json *list = iso_json_at(sku, "capabilities");

    for (size_t i = 0; i < iso_json_length(list); i++)
        if (strcmp(iso_json_text_at(iso_json_item(list, i), "name"), name) == 0)
            return iso_json_text_at(iso_json_item(list, i), "value");
    return "";
}

static struct iso_amount amount_of(const struct iso_json *sku, const char *name)
{
    struct iso_amount amount = {0};

    if (iso_number_read_rounded(capability(sku, name), &amount, NULL) != ISO_NUMBER_READ)
        return (struct iso_amount){0};
    return amount;
}

static void read_resources(const struct iso_json *sku, struct iso_azure_type *type)
{
    struct iso_amount *resources = type->resources;
    struct iso_amount usable = amount_of(sku, "vCPUsAvailable"); /* of a constrained size */
    struct iso_amount disk = amount_of(sku, "MaxResourceVolumeMB");

    resources[ISO_PLUGIN_RESOURCE_VCPU] = usable.present ? usable : amount_of(sku, "vCPUs");
    resources[ISO_PLUGIN_RESOURCE_MEMORY_GIB] = amount_of(sku, "MemoryGB"); /* GiB, by its use */
    resources[ISO_PLUGIN_RESOURCE_GPU] = amount_of(sku, "GPUs");
    resources[ISO_PLUGIN_RESOURCE_IOPS] = amount_of(sku, "UncachedDiskIOPS");
    disk.present = disk.present &&
                   iso_decimal_divide(disk.value, MIB_PER_GIB, ISO_ROUND_HALF_EVEN, &disk.value);
    resources[ISO_PLUGIN_RESOURCE_LOCAL_DISK_GIB] = disk;
}

static bool has_text(const struct iso_json *list, const char *text, struct iso_scratch *scratch)
{
    for (size_t i = 0; i < iso_json_length(list); i++) {
        const char *item = iso_json_scalar(iso_json_item(list, i), scratch);
        if (item && iso_name_equal(item, text))
            return true;
    }
    return false;
}

/* Whether the subscription may not use the size: in a zone, or anywhere (`zone` NULL). */
static bool is_restricted(const struct iso_azure_fetch *fetch, const struct iso_json *sku,
                          const char *zone)
{
    const struct iso_json *list = iso_json_at(sku, "restrictions");

    for (size_t i = 0; i < iso_json_length(list); i++) {
        const struct iso_json *restriction = iso_json_item(list, i);
        const char *kind = iso_json_text_at(restriction, "type");
        if (zone ? strcmp(kind, "Zone") == 0 &&
                       has_text(iso_json_at(restriction, "restrictionInfo.zones"), zone, fetch->row)
                 : strcmp(kind, "Location") == 0)
            return true;
    }
    return false;
}

/* Zones of the region that have the size: of its locationInfo, the element of this region. */
static enum iso_status read_zones(const struct types_call *call, const struct iso_json *sku,
                                  struct iso_azure_type *type, struct iso_error *reterr)
{
    const struct iso_json *places = iso_json_at(sku, "locationInfo");

    for (size_t i = 0; i < iso_json_length(places); i++) {
        const struct iso_json *place = iso_json_item(places, i);
        const struct iso_json *zones = iso_json_at(place, "zones");
        if (!iso_name_equal(iso_json_text_at(place, "location"), call->region->name))
            continue;
        for (size_t z = 0; z < iso_json_length(zones) && type->n_zones < ISO_AZURE_MAX_ZONES; z++) {
            const char *number = iso_json_scalar(iso_json_item(zones, z), call->fetch->row);
            number = iso_azure_keep(call->fetch, number ? number : "");
            if (!number)
                return iso_azure_full(reterr);
            type->zones[type->n_zones].number = number;
            type->zones[type->n_zones++].restricted = is_restricted(call->fetch, sku, number);
        }
    }
    return ISO_OK;
}

static enum iso_status read_type(const struct types_call *call, const struct iso_json *sku,
                                 struct iso_error *reterr)
{
    const char *name = iso_json_text_at(sku, "name");
    const char *lower = iso_azure_row_lower(call->fetch, name);
    struct iso_azure_type *type = lower ? iso_dictionary_add(call->region->types, lower) : NULL;

    if (!type)
        return iso_azure_full(reterr);
    *type = (struct iso_azure_type){
        .name = iso_azure_keep(call->fetch, name),
        .family = iso_azure_keep_lower(call->fetch, iso_json_text_at(sku, "family")),
        .arch =
            iso_name_equal(capability(sku, "CpuArchitectureType"), "Arm64") ? "arm64" : "x86_64",
        .restricted = is_restricted(call->fetch, sku, NULL),
        .spot = iso_name_equal(capability(sku, "LowPriorityCapable"), "True"),
    };
    if (!type->name || !type->family)
        return iso_azure_full(reterr);
    read_resources(sku, type);
    return read_zones(call, sku, type, reterr);
}

static enum iso_status on_skus(void *context, const struct iso_json *answer,
                               struct iso_error *reterr)
{
    const struct types_call *call = context;
    const struct iso_json *list = iso_json_at(answer, "value");

    for (size_t i = 0; i < iso_json_length(list); i++) {
        const struct iso_json *sku = iso_json_item(list, i);
        iso_scratch_reset(call->fetch->row);
        if (!iso_name_equal(iso_json_text_at(sku, "resourceType"), "virtualMachines"))
            continue; /* disks, hosts and availability sets come in the same list */
        if (iso_json_text_at(sku, "name")[0])
            ISO_TRY(read_type(call, sku, reterr));
        else
            ISO_TRY(iso_report(call->fetch->sink, "missing_type", /* quarantined= */ true,
                               call->region->name, "a size of machine without a name", reterr));
    }
    return ISO_OK;
}

enum iso_status iso_azure_fetch_types(const struct iso_azure_fetch *fetch,
                                      struct iso_azure_region *region, struct iso_error *reterr)
{
    struct types_call call = {fetch, region};
    char path[256];

    snprintf(path, sizeof(path),
             "/providers/Microsoft.Compute/skus?api-version=2021-07-01"
             "&$filter=location%%20eq%%20%%27%s%%27",
             region->name);
    return iso_azure_list(fetch, path, on_skus, &call, reterr);
}

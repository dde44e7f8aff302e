/* Types of instances, and the zones of a region that have them. */
#include <ctype.h>
#include <stdio.h>

#include "alibaba.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"

/* InstanceBandwidthTx in kbit/s: 1536000 is 1.5 Gbit/s. */
#define KBIT_PER_GBIT (1024000 * ISO_DECIMAL_ONE)

struct types_call {
    const struct iso_alibaba_fetch *fetch;
    struct iso_alibaba_region *region;
    bool spot; /* the zones under way are those of spot instances */
};

/* ---- Accelerators ---- */

/* vgn and sgn families give a part of a GPU and count it as one. */
static bool is_shared_gpu(const char *family)
{
    return strncmp(family, "ecs.vgn", 7) == 0 || strncmp(family, "ecs.sgn", 7) == 0;
}

/* The share that a specification ends in: "NVIDIA A10*1/6" and "NVIDIA T4/4"; absent: none. */
static struct iso_amount share_of(const char *spec)
{
    struct iso_amount share = {0};
    const char *slash = strrchr(spec, '/');
    char *end;
    long parts = slash ? strtol(slash + 1, &end, 10) : 0;

    if (parts >= 1 && parts <= 1024 && *end == '\0')
        share = (struct iso_amount){
            true, (iso_decimal)iso_wide_divide(ISO_DECIMAL_ONE, parts, ISO_ROUND_HALF_EVEN)};
    return share;
}

static enum iso_status read_gpu(const struct types_call *call, const struct iso_json *item,
                                const char *name, struct iso_alibaba_type *type,
                                struct iso_error *reterr)
{
    const struct iso_alibaba_fetch *fetch = call->fetch;
    const char *spec = iso_json_text_at(item, "GPUSpec");
    struct iso_amount count = iso_alibaba_amount(fetch, item, "GPUAmount");
    struct iso_amount memory = iso_alibaba_amount(fetch, item, "GPUMemorySize");

    type->resources[ISO_PLUGIN_RESOURCE_GPU] = count;
    type->gpu_model = iso_alibaba_keep(fetch, spec);
    if (!type->gpu_model)
        return iso_alibaba_full(reterr);
    if (!is_shared_gpu(type->family)) {
        type->resources[ISO_PLUGIN_RESOURCE_GPU_MEMORY_GIB] = iso_amount_multiply(count, memory);
        return ISO_OK;
    }
    type->resources[ISO_PLUGIN_RESOURCE_GPU] = share_of(spec);
    return type->resources[ISO_PLUGIN_RESOURCE_GPU].present
               ? ISO_OK
               : iso_report(fetch->sink, "unknown_gpu_share", /* quarantined= */ false, name,
                            "a part of a GPU, and GPUSpec \"%.60s\" does not say which", reterr,
                            spec);
}

/* ---- Types ---- */

static const char *arch_of(const char *said)
{
    if (iso_name_equal(said, "ARM"))
        return "arm64";
    return iso_name_equal(said, "X86") ? "x86_64" : "other";
}

static enum iso_status read_type(const struct types_call *call, const struct iso_json *item,
                                 struct iso_error *reterr)
{
    const struct iso_alibaba_fetch *fetch = call->fetch;
    const char *name = iso_json_text_at(item, "InstanceTypeId");
    const char *arch = iso_json_text_at(item, "CpuArchitecture");
    struct iso_alibaba_type *type = iso_dictionary_add(call->region->types, name);

    if (!type)
        return iso_alibaba_full(reterr);
    type->known = true;
    type->arch = arch[0] ? arch_of(arch) : NULL;
    type->family = iso_alibaba_keep(fetch, iso_json_text_at(item, "InstanceTypeFamily"));
    if (!type->family)
        return iso_alibaba_full(reterr);
    type->resources[ISO_PLUGIN_RESOURCE_VCPU] = iso_alibaba_amount(fetch, item, "CpuCoreCount");
    type->resources[ISO_PLUGIN_RESOURCE_MEMORY_GIB] = iso_alibaba_amount(fetch, item, "MemorySize");
    type->resources[ISO_PLUGIN_RESOURCE_NETWORK_GBPS] =
        iso_amount_divide(iso_alibaba_amount(fetch, item, "InstanceBandwidthTx"), KBIT_PER_GBIT);
    type->resources[ISO_PLUGIN_RESOURCE_LOCAL_DISK_GIB] =
        iso_amount_multiply(iso_alibaba_amount(fetch, item, "LocalStorageCapacity"),
                            iso_alibaba_amount(fetch, item, "LocalStorageAmount"));
    return read_gpu(call, item, name, type, reterr);
}

static enum iso_status on_types(void *context, const struct iso_json *answer,
                                struct iso_error *reterr)
{
    const struct types_call *call = context;
    const struct iso_json *list = iso_json_at(answer, "InstanceTypes.InstanceType");

    for (size_t i = 0; i < iso_json_length(list); i++) {
        const struct iso_json *item = iso_json_item(list, i);
        const char *name = iso_json_text_at(item, "InstanceTypeId");
        if (!name[0])
            ISO_TRY(iso_report(call->fetch->sink, "missing_type", /* quarantined= */ true,
                               call->region->name, "a type of instance without a name", reterr));
        else if (iso_alibaba_is_wanted(call->fetch->alibaba, name))
            ISO_TRY(read_type(call, item, reterr));
    }
    return ISO_OK;
}

enum iso_status iso_alibaba_fetch_types(const struct iso_alibaba_fetch *fetch,
                                        struct iso_alibaba_region *region, struct iso_error *reterr)
{
    struct types_call call = {.fetch = fetch, .region = region};

    return iso_alibaba_ask_ecs(fetch, region->name, "DescribeInstanceTypes", "&MaxResults=100",
                               on_types, &call, reterr);
}

/* ---- Zones: the status of a type in a zone is the inner one, not the zone's ---- */

static int32_t status_of(const struct iso_json *resource)
{
    const char *category = iso_json_text_at(resource, "StatusCategory");
    const char *status = iso_json_text_at(resource, "Status");

    if (strcmp(category, "WithoutStock") == 0 || strcmp(category, "ClosedWithoutStock") == 0 ||
        strcmp(status, "SoldOut") == 0)
        return ISO_PLUGIN_STATUS_SOLD_OUT;
    return strcmp(status, "Available") == 0 ? ISO_PLUGIN_STATUS_AVAILABLE
                                            : ISO_PLUGIN_STATUS_UNKNOWN;
}

static enum iso_status read_resource(const struct types_call *call, const char *zone_id,
                                     const struct iso_json *resource, struct iso_error *reterr)
{
    const char *name = iso_json_text_at(resource, "Value");
    struct iso_alibaba_zone *zone = NULL;

    if (!iso_alibaba_is_wanted(call->fetch->alibaba, name))
        return ISO_OK;
    struct iso_alibaba_type *type = iso_dictionary_add(call->region->types, name);
    if (!type)
        return iso_alibaba_full(reterr);
    for (size_t z = 0; z < type->n_zones && !zone; z++)
        if (strcmp(type->zones[z].id, zone_id) == 0)
            zone = &type->zones[z];
    if (!zone && type->n_zones == ISO_ALIBABA_MAX_ZONES)
        return iso_fail(reterr, ISO_E_LIMIT, "", "%.80s is in more than %d zones", name,
                        ISO_ALIBABA_MAX_ZONES);
    if (!zone) {
        zone = &type->zones[type->n_zones++];
        zone->id = zone_id;
    }
    *(call->spot ? &zone->spot : &zone->on_demand) = status_of(resource);
    if (!call->spot)
        zone->stock = iso_alibaba_keep(call->fetch, iso_json_text_at(resource, "StatusCategory"));
    return call->spot || zone->stock ? ISO_OK : iso_alibaba_full(reterr);
}

/* A zone may have no resources at all. */
static enum iso_status read_zone(const struct types_call *call, const struct iso_json *zone,
                                 struct iso_error *reterr)
{
    const char *id = iso_alibaba_keep(call->fetch, iso_json_text_at(zone, "ZoneId"));
    const struct iso_json *kinds = iso_json_at(zone, "AvailableResources.AvailableResource");

    if (!id)
        return iso_alibaba_full(reterr);
    for (size_t k = 0; k < iso_json_length(kinds); k++) {
        const struct iso_json *kind = iso_json_item(kinds, k);
        const struct iso_json *list = iso_json_at(kind, "SupportedResources.SupportedResource");
        if (strcmp(iso_json_text_at(kind, "Type"), "InstanceType") != 0)
            continue; /* disks come in answers of the same shape */
        for (size_t i = 0; i < iso_json_length(list); i++)
            ISO_TRY(read_resource(call, id, iso_json_item(list, i), reterr));
    }
    return ISO_OK;
}

static enum iso_status on_zones(void *context, const struct iso_json *answer,
                                struct iso_error *reterr)
{
    const struct iso_json *zones = iso_json_at(answer, "AvailableZones.AvailableZone");

    for (size_t z = 0; z < iso_json_length(zones); z++)
        ISO_TRY(read_zone(context, iso_json_item(zones, z), reterr));
    return ISO_OK;
}

enum iso_status iso_alibaba_fetch_zones(const struct iso_alibaba_fetch *fetch,
                                        struct iso_alibaba_region *region, struct iso_error *reterr)
{
    struct types_call call = {.fetch = fetch, .region = region};

    ISO_TRY(iso_alibaba_ask_ecs(fetch, region->name, "DescribeAvailableResource",
                                "&DestinationResource=InstanceType&InstanceChargeType=PostPaid",
                                on_zones, &call, reterr));
    if (!fetch->alibaba->config->spot)
        return ISO_OK;
    call.spot = true;
    return iso_alibaba_ask_ecs(fetch, region->name, "DescribeAvailableResource",
                               "&DestinationResource=InstanceType&InstanceChargeType=PostPaid"
                               "&SpotStrategy=SpotAsPriceGo",
                               on_zones, &call, reterr);
}

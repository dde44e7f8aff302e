#include "offering_message.h"

#include "isocost/proto/money.h"
#include "isocost/proto/timestamp.h"

static Isocost__V1__Resources *resources_of(const struct iso_snapshot_offering *row,
                                            struct iso_arena *arena)
{
    Isocost__V1__Resources *r = iso_arena_calloc(arena, 1, sizeof(*r));

    if (!r)
        return NULL;
    isocost__v1__resources__init(r);
#define SET(field, CASE, resource)                                  \
    if (row->capacity[resource] != ISO_UNKNOWN) {                   \
        r->opt_##field##_case = ISOCOST__V1__RESOURCES__OPT_##CASE; \
        r->field = iso_decimal_to_double(row->capacity[resource]);  \
    }
    SET(vcpu, VCPU_VCPU, ISO_RESOURCE_VCPU)
    SET(memory_gib, MEMORY_GIB_MEMORY_GIB, ISO_RESOURCE_MEMORY_GIB)
    SET(gpu, GPU_GPU, ISO_RESOURCE_GPU)
    SET(gpu_memory_gib, GPU_MEMORY_GIB_GPU_MEMORY_GIB, ISO_RESOURCE_GPU_MEMORY_GIB)
    SET(local_disk_gib, LOCAL_DISK_GIB_LOCAL_DISK_GIB, ISO_RESOURCE_LOCAL_DISK_GIB)
    SET(disk_gib, DISK_GIB_DISK_GIB, ISO_RESOURCE_DISK_GIB)
    SET(network_gbps, NETWORK_GBPS_NETWORK_GBPS, ISO_RESOURCE_NETWORK_GBPS)
    SET(iops, IOPS_IOPS, ISO_RESOURCE_IOPS)
#undef SET
    r->gpu_model = (char *)row->gpu_model;
    return r;
}

/* "key=value\n" lines to entries. */
static bool add_labels(Isocost__V1__Offering *offering, const char *labels, struct iso_arena *arena)
{
    char *text = iso_arena_strdup(arena, labels);
    size_t n = 0;

    for (const char *p = labels; *p; p++)
        n += *p == '\n';
    offering->labels = iso_arena_calloc(arena, n, sizeof(*offering->labels));
    if (!text || !offering->labels)
        return false;
    while (*text) {
        Isocost__V1__Offering__LabelsEntry *entry = iso_arena_calloc(arena, 1, sizeof(*entry));
        char *value = strchr(text, '='), *end = strchr(text, '\n');
        if (!entry || !value || !end || value > end)
            return false;
        isocost__v1__offering__labels_entry__init(entry);
        *value++ = '\0';
        *end = '\0';
        entry->key = text;
        entry->value = value;
        offering->labels[offering->n_labels++] = entry;
        text = end + 1;
    }
    return true;
}

Isocost__V1__Offering *iso_offering_message(const struct iso_snapshot_offering *row,
                                            struct iso_arena *arena)
{
    Isocost__V1__Offering *offering = iso_arena_calloc(arena, 1, sizeof(*offering));

    if (!offering)
        return NULL;
    isocost__v1__offering__init(offering);
    offering->provider = (char *)row->provider;
    offering->region = (char *)row->region;
    offering->zone = (char *)row->zone;
    offering->type = (char *)row->type;
    offering->os = (char *)row->os;
    offering->purchase = (Isocost__V1__Purchase)row->purchase;
    offering->native_id = (char *)row->native_id;
    offering->kind = (Isocost__V1__OfferingKind)row->kind;
    offering->family = (char *)row->family;
    offering->arch = (char *)row->arch;
    offering->tenancy = (char *)row->tenancy;
    offering->resources = resources_of(row, arena);
    offering->opt_lot_case = ISOCOST__V1__OFFERING__OPT_LOT_LOT;
    offering->lot = iso_decimal_to_double(row->lot);
    offering->price_unit = (Isocost__V1__PriceUnit)row->price_unit;
    offering->price = iso_money_from_decimal(row->price, row->currency, arena);
    offering->status = (Isocost__V1__OfferingStatus)row->status;
    offering->opt_availability_case = ISOCOST__V1__OFFERING__OPT_AVAILABILITY_AVAILABILITY;
    offering->availability = iso_decimal_to_double(row->availability);
    offering->source = (char *)row->source;
    if (row->carbon != ISO_UNKNOWN) {
        offering->opt_carbon_case = ISOCOST__V1__OFFERING__OPT_CARBON_CARBON_KG_PER_HOUR;
        offering->carbon_kg_per_hour = iso_decimal_to_double(row->carbon);
    }
    offering->observed_at = iso_timestamp(row->observed_ns, arena);
    if (!offering->resources || !offering->price || !add_labels(offering, row->labels, arena))
        return NULL;
    return iso_arena_full(arena) ? NULL : offering;
}

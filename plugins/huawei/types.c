/* Types of instances ("flavors") of a region. */
#include <stdio.h>

#include "huawei.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/pager.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"

#define PAGE_TYPES 1000 /* the service's default and what it is asked for */
#define MIB_PER_GIB (1024 * ISO_DECIMAL_ONE)
#define MBIT_PER_GBIT (1000 * ISO_DECIMAL_ONE)

struct types_call {
    const struct iso_huawei_fetch *fetch;
    struct iso_huawei_region *region;
};

/* Only types of Kunpeng say what they are. */
static const char *arch_of(const struct iso_json *specs)
{
    static const char kunpeng[] = "kunpeng";
    const char *said = iso_json_text_at(specs, "ecs:instance_architecture");
    const char *category = iso_json_text_at(specs, "ecs:performancetype");

    if (iso_name_equal(said, "arm64") || strncmp(category, kunpeng, strlen(kunpeng)) == 0)
        return "arm64";
    return !said[0] || strncmp(said, "x86", 3) == 0 ? "x86_64" : "other";
}

/* "hdd:4:1675:True": four disks of 1675 GiB. */
static struct iso_amount local_disk_of(const struct iso_json *specs)
{
    int count, gib;

    if (sscanf(iso_json_text_at(specs, "quota:local_disk"), "%*[^:]:%4d:%7d", &count, &gib) != 2 ||
        count < 1 || gib < 1)
        return (struct iso_amount){0};
    return (struct iso_amount){true, (int64_t)count * gib * ISO_DECIMAL_ONE};
}

static void read_resources(const struct types_call *call, const struct iso_json *item,
                           const struct iso_json *specs, struct iso_huawei_type *type)
{
    struct iso_scratch *row = call->fetch->row;
    struct iso_amount disk = iso_json_amount_at(item, "disk", row);

    type->resources[ISO_PLUGIN_RESOURCE_VCPU] = iso_json_amount_at(item, "vcpus", row);
    type->resources[ISO_PLUGIN_RESOURCE_MEMORY_GIB] =
        iso_amount_divide(iso_json_amount_at(item, "ram", row), MIB_PER_GIB);
    type->resources[ISO_PLUGIN_RESOURCE_NETWORK_GBPS] =
        iso_amount_divide(iso_json_amount_at(specs, "quota:max_rate", row), MBIT_PER_GBIT);
    type->resources[ISO_PLUGIN_RESOURCE_LOCAL_DISK_GIB] = local_disk_of(specs);
    if (disk.value > 0) /* 0: the type asks for no size */
        type->resources[ISO_PLUGIN_RESOURCE_DISK_GIB] = disk;
}

static enum iso_status read_type(const struct types_call *call, const struct iso_json *item,
                                 const char *name, struct iso_error *reterr)
{
    const struct iso_huawei_fetch *fetch = call->fetch;
    const struct iso_json *specs = iso_json_at(item, "os_extra_specs");
    const char *charge = iso_json_text_at(specs, "cond:operation:charge");
    struct iso_huawei_type *type = iso_dictionary_add(call->region->types, name);

    if (!type)
        return iso_huawei_full(reterr);
    type->family = iso_scratch_text(fetch->kept, name, strcspn(name, "."));
    if (!type->family)
        return iso_huawei_full(reterr);
    type->arch = arch_of(specs);
    type->on_demand = !charge[0] || strstr(charge, "demand");
    type->subscribed = !charge[0] || strstr(charge, "period");
    read_resources(call, item, specs, type);
    ISO_TRY(iso_huawei_read_accelerators(fetch, name, specs, type, reterr));
    return iso_huawei_read_states(fetch, call->region, name, specs, type, reterr);
}

static enum iso_status read_page(const struct types_call *call, const struct iso_json *list,
                                 struct iso_error *reterr)
{
    for (size_t i = 0; i < iso_json_length(list); i++) {
        const struct iso_json *item = iso_json_item(list, i);
        const char *name = iso_json_text_at(item, "id");
        iso_scratch_reset(call->fetch->row);
        if (!name[0])
            ISO_TRY(iso_report(call->fetch->sink, "missing_type", /* quarantined= */ true,
                               call->fetch->place->region, "a type of instance without an id",
                               reterr));
        else if (iso_begins_with_any(name, call->fetch->huawei->config->types))
            ISO_TRY(read_type(call, item, name, reterr));
    }
    return ISO_OK;
}

/* A page goes on behind the last id of the one before it. A full page has a next one, be it empty;
 * a host that does not know pages gives all at once. */
static enum iso_status ask_page(void *context, const char *marker, struct iso_text *next,
                                struct iso_error *reterr)
{
    const struct types_call *call = context;
    const struct iso_json *list;
    ISO_AUTO_JSON *answer = NULL;
    ISO_AUTO_TEXT path = {0};

    iso_text_add(&path, "/v1/%s/cloudservers/flavors?limit=%d", call->fetch->place->project,
                 PAGE_TYPES);
    if (marker[0]) {
        iso_text_add(&path, "&marker=");
        iso_text_add_url(&path, marker);
    }
    ISO_TRY(iso_text_check(&path, reterr));
    const struct iso_huawei_call ask = {.service = "ecs", .path = path.bytes};
    ISO_TRY(iso_huawei_ask(call->fetch, &ask, &answer, NULL, reterr));
    ISO_TRY(iso_huawei_list(answer, "flavors", &list, reterr));
    ISO_TRY(read_page(call, list, reterr));
    return iso_json_length(list) == PAGE_TYPES ? iso_huawei_add_last_id(list, next, reterr)
                                               : ISO_OK;
}

enum iso_status iso_huawei_fetch_types(const struct iso_huawei_fetch *fetch,
                                       struct iso_huawei_region *region, struct iso_error *reterr)
{
    struct types_call call = {fetch, region};

    return iso_pager_run(fetch->host, ask_page, &call, reterr);
}

/* Quotas of the project in a region: cores, memory in MiB and instances, on demand and of spot. */
#include <stdio.h>

#include "huawei.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/report.h"

#define MIB_PER_GIB (1024 * ISO_DECIMAL_ONE)

static const struct {
    const char *limit, *used, *purchase;
    int32_t resource;
    iso_decimal unit; /* of the service in one of ours */
} limits[] = {
    {"maxTotalCores", "totalCoresUsed", "on-demand", ISO_PLUGIN_RESOURCE_VCPU, ISO_DECIMAL_ONE},
    {"maxTotalRAMSize", "totalRAMUsed", "on-demand", ISO_PLUGIN_RESOURCE_MEMORY_GIB, MIB_PER_GIB},
    {"maxTotalInstances", "totalInstancesUsed", "on-demand", ISO_PLUGIN_RESOURCE_UNSPECIFIED,
     ISO_DECIMAL_ONE},
    {"maxTotalSpotCores", "totalSpotCoresUsed", "spot", ISO_PLUGIN_RESOURCE_VCPU, ISO_DECIMAL_ONE},
    {"maxTotalSpotRAMSize", "totalSpotRAMUsed", "spot", ISO_PLUGIN_RESOURCE_MEMORY_GIB,
     MIB_PER_GIB},
    {"maxTotalSpotInstances", "totalSpotInstancesUsed", "spot", ISO_PLUGIN_RESOURCE_UNSPECIFIED,
     ISO_DECIMAL_ONE},
};

/* -1 is no limit. */
static enum iso_status send_limit(const struct iso_huawei_fetch *fetch,
                                  const struct iso_json *absolute, size_t i,
                                  struct iso_error *reterr)
{
    const struct iso_plugin_condition conditions[] = {
        {ISO_PLUGIN_FIELD_PROVIDER, NULL, "huawei"},
        {ISO_PLUGIN_FIELD_PURCHASE, NULL, limits[i].purchase},
    };
    const struct iso_plugin_term term = {conditions, ISO_ARRAY_LENGTH(conditions)};
    struct iso_amount limit = iso_json_amount_at(absolute, limits[i].limit, fetch->row);
    struct iso_amount used = iso_json_amount_at(absolute, limits[i].used, fetch->row);
    bool told = limit.present, unlimited = told && limit.value == -ISO_DECIMAL_ONE;

    limit.present = told && limit.value >= 0;
    const struct iso_plugin_quota row = {
        .provider = "huawei",
        .region = fetch->place->region,
        .code = limits[i].limit,
        .scope = {.include = &term, .n_include = 1},
        .resource = limits[i].resource,
        .limit = iso_amount_divide(limit, limits[i].unit),
        .used = iso_amount_divide(used, limits[i].unit),
        .unlimited = unlimited,
        .observed_ns = fetch->now_ns,
    };

    if (!told && !iso_json_at(absolute, limits[i].limit))
        return ISO_OK; /* regions without spot say nothing of it */
    if (!limit.present && !unlimited)
        return iso_report(fetch->sink, "invalid_value", /* quarantined= */ true,
                          fetch->place->region, "%s is neither a number nor -1 for no limit",
                          reterr, limits[i].limit);
    return iso_put_quotas(fetch->sink, &row, 1, reterr);
}

enum iso_status iso_huawei_send_quotas(const struct iso_huawei_fetch *fetch,
                                       struct iso_error *reterr)
{
    ISO_AUTO_JSON *answer = NULL;
    char path[128];

    snprintf(path, sizeof(path), "/v1/%s/cloudservers/limits", fetch->place->project);
    const struct iso_huawei_call call = {.service = "ecs", .path = path};
    ISO_TRY(iso_huawei_ask(fetch, &call, &answer, NULL, reterr));
    const struct iso_json *absolute = iso_json_at(answer, "absolute");
    if (iso_json_kind(absolute) != ISO_JSON_OBJECT)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the answer has no object \"absolute\"");
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(limits); i++) {
        iso_scratch_reset(fetch->row);
        ISO_TRY(send_limit(fetch, absolute, i, reterr));
    }
    return ISO_OK;
}

/* Quotas: vCPUs of the account in a region (ECS), and what Quota Center caps by type and zone. */
#include <stdio.h>

#include "alibaba.h"

struct quotas_call {
    const struct iso_alibaba_fetch *fetch;
    const char *region;
    struct iso_amount values[4]; /* of the attributes below */
};

static const char *const attributes[] = {
    "max-postpaid-instance-vcpu-count",
    "used-postpaid-instance-vcpu-count",
    "max-spot-instance-vcpu-count",
    "used-spot-instance-vcpu-count",
};

static enum iso_status on_attributes(void *context, const struct iso_json *answer,
                                     struct iso_error *reterr)
{
    struct quotas_call *call = context;
    const struct iso_json *items =
        iso_json_at(answer, "AccountAttributeItems.AccountAttributeItem");
    (void)reterr;

    for (size_t i = 0; i < iso_json_length(items); i++) {
        const struct iso_json *item = iso_json_item(items, i);
        const struct iso_json *values = iso_json_at(item, "AttributeValues.ValueItem");
        for (size_t a = 0; a < ISO_ARRAY_LENGTH(attributes); a++)
            if (strcmp(iso_json_text_at(item, "AttributeName"), attributes[a]) == 0)
                call->values[a] =
                    iso_alibaba_amount(call->fetch, iso_json_item(values, 0), "Value");
    }
    return ISO_OK;
}

static enum iso_status send_vcpus(const struct quotas_call *call, const char *purchase,
                                  const char *code, struct iso_amount limit, struct iso_amount used,
                                  struct iso_error *reterr)
{
    const struct iso_plugin_condition conditions[] = {
        {ISO_PLUGIN_FIELD_PROVIDER, NULL, "alibaba"},
        {ISO_PLUGIN_FIELD_PURCHASE, NULL, purchase},
    };
    const struct iso_plugin_term term = {conditions, ISO_ARRAY_LENGTH(conditions)};
    const struct iso_plugin_quota row = {
        .provider = "alibaba",
        .region = call->region,
        .code = code,
        .scope = {.include = &term, .n_include = 1},
        .resource = ISO_PLUGIN_RESOURCE_VCPU,
        .limit = limit,
        .used = used,
        .observed_ns = call->fetch->now_ns,
    };

    return iso_put_quotas(call->fetch->sink, &row, 1, reterr);
}

/* ---- Quota Center: a quota of a type, e.g. "ecs.g5.2xlarge", in a zone ---- */

static enum iso_status send_quota(const struct quotas_call *call, const struct iso_json *quota,
                                  struct iso_error *reterr)
{
    const char *type = iso_json_text_at(quota, "QuotaActionCode");
    const char *region = iso_json_text_at(quota, "Dimensions.regionId");
    const char *zone = iso_json_text_at(quota, "Dimensions.zoneId");
    const char *charge = iso_json_text_at(quota, "Dimensions.chargeType");
    bool spot = strncmp(charge, "Spot", 4) == 0;
    struct iso_plugin_condition conditions[4] = {
        {ISO_PLUGIN_FIELD_PROVIDER, NULL, "alibaba"},
        {ISO_PLUGIN_FIELD_TYPE, NULL, type},
        {ISO_PLUGIN_FIELD_PURCHASE, NULL, spot ? "spot" : "on-demand"},
        {ISO_PLUGIN_FIELD_ZONE, NULL, zone},
    };
    const struct iso_plugin_term term = {conditions, zone[0] ? 4 : 3};

    /* Names such as "q_security-groups" are no types; prepaid instances are bought otherwise. */
    if (strncmp(type, "ecs.", 4) != 0 || strcmp(charge, "PrePaid") == 0 ||
        (region[0] && strcmp(region, call->region) != 0) ||
        !iso_alibaba_is_wanted(call->fetch->alibaba, type))
        return ISO_OK;
    iso_scratch_reset(call->fetch->row);
    const struct iso_plugin_quota row = {
        .provider = "alibaba",
        .region = call->region,
        .code = type,
        .scope = {.include = &term, .n_include = 1},
        .resource = strstr(iso_json_text_at(quota, "QuotaUnit"), "CPU")
                        ? ISO_PLUGIN_RESOURCE_VCPU
                        : ISO_PLUGIN_RESOURCE_UNSPECIFIED,
        .limit = iso_alibaba_amount(call->fetch, quota, "TotalQuota"),
        .used = iso_alibaba_amount(call->fetch, quota, "TotalUsage"),
        .observed_ns = call->fetch->now_ns,
    };
    return iso_put_quotas(call->fetch->sink, &row, 1, reterr);
}

static enum iso_status on_quotas(void *context, const struct iso_json *answer,
                                 struct iso_error *reterr)
{
    const struct iso_json *list = iso_json_at(answer, "Quotas");

    for (size_t i = 0; i < iso_json_length(list); i++)
        ISO_TRY(send_quota(context, iso_json_item(list, i), reterr));
    return ISO_OK;
}

enum iso_status iso_alibaba_send_quotas(const struct iso_alibaba_fetch *fetch, const char *region,
                                        struct iso_error *reterr)
{
    struct quotas_call context = {.fetch = fetch, .region = region};
    const struct iso_amount *values = context.values;
    ISO_AUTO_TEXT names = {0}, parameters = {0};

    for (size_t a = 0; a < ISO_ARRAY_LENGTH(attributes); a++)
        iso_text_add(&names, "&AttributeName.%zu=%s", a + 1, attributes[a]);
    iso_text_add(&parameters,
                 "&ProductCode=ecs-spec&MaxResults=100&Dimensions.1.Key=regionId"
                 "&Dimensions.1.Value=%s",
                 region);
    ISO_TRY(iso_text_check(&names, reterr));
    ISO_TRY(iso_text_check(&parameters, reterr));
    ISO_TRY(iso_alibaba_ask_ecs(fetch, region, "DescribeAccountAttributes", names.bytes,
                                on_attributes, &context, reterr));
    if (values[0].present)
        ISO_TRY(send_vcpus(&context, "on-demand", attributes[0], values[0], values[1], reterr));
    if (values[2].present)
        ISO_TRY(send_vcpus(&context, "spot", attributes[2], values[2], values[3], reterr));
    const struct iso_alibaba_call call = {
        .service = "quotas",
        .host = "quotas",
        .version = "2020-05-10",
        .action = "ListProductQuotas",
        .parameters = parameters.bytes,
        .cursor = "NextToken",
        .next = "NextToken",
    };
    return iso_alibaba_ask(fetch, &call, on_quotas, &context, reterr);
}

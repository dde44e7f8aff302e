/* Quotas of compute in a region: usages of Microsoft.Compute. A machine counts against the vCPUs of
 * its family and against those of the region, a spot machine against one number of its own. */
#include <stdio.h>

#include "azure.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/words.h"

struct quotas_call {
    const struct iso_azure_fetch *fetch;
    const char *region;
};

/* What a quota counts: vCPUs or machines, of which purchase (NULL: any), of one family or not. */
struct subject {
    int32_t resource;
    const char *purchase;
    bool family;
};

/* False: it caps what no offering is, disks or availability sets. */
static bool subject_of(const char *name, struct subject *ret_subject)
{
    static const struct {
        const char *name;
        struct subject subject;
    } totals[] = {
        {"cores", {ISO_PLUGIN_RESOURCE_VCPU, "on-demand", false}},
        {"lowPriorityCores", {ISO_PLUGIN_RESOURCE_VCPU, "spot", false}},
        {"virtualMachines", {ISO_PLUGIN_RESOURCE_UNSPECIFIED, NULL, false}},
    };
    static const char end[] = "family";
    size_t n = strlen(name), n_end = strlen(end);

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(totals); i++)
        if (iso_name_equal(name, totals[i].name)) {
            *ret_subject = totals[i].subject;
            return true;
        }
    *ret_subject = (struct subject){ISO_PLUGIN_RESOURCE_VCPU, "on-demand", true};
    return n > n_end && iso_name_equal(name + n - n_end, end);
}

static enum iso_status send(const struct quotas_call *call, const struct iso_json *usage,
                            struct iso_error *reterr)
{
    const char *name = iso_json_text_at(usage, "name.value");
    struct subject subject;
    struct iso_plugin_condition conditions[3] = {{ISO_PLUGIN_FIELD_PROVIDER, NULL, "azure"}};
    struct iso_plugin_term term = {conditions, 1};
    struct iso_amount limit = {0}, used = {0};

    if (!subject_of(name, &subject))
        return ISO_OK;
    const char *family = iso_azure_keep_lower(call->fetch, name);
    if (!family)
        return iso_azure_full(reterr);
    if (subject.purchase)
        conditions[term.n_conditions++] =
            (struct iso_plugin_condition){ISO_PLUGIN_FIELD_PURCHASE, NULL, subject.purchase};
    if (subject.family)
        conditions[term.n_conditions++] =
            (struct iso_plugin_condition){ISO_PLUGIN_FIELD_FAMILY, NULL, family};
    iso_scratch_reset(call->fetch->row);
    iso_number_read(iso_json_scalar(iso_json_at(usage, "limit"), call->fetch->row), &limit, NULL);
    iso_number_read(iso_json_scalar(iso_json_at(usage, "currentValue"), call->fetch->row), &used,
                    NULL);
    bool unlimited = limit.present && limit.value < 0;
    limit.present = limit.present && !unlimited;
    const struct iso_plugin_quota row = {
        .provider = "azure",
        .region = call->region,
        .code = name,
        .scope = {.include = &term, .n_include = 1},
        .resource = subject.resource,
        .limit = limit,
        .used = used,
        .unlimited = unlimited,
        .observed_ns = call->fetch->now_ns,
    };
    return iso_put_quotas(call->fetch->sink, &row, 1, reterr);
}

static enum iso_status on_usages(void *context, const struct iso_json *answer,
                                 struct iso_error *reterr)
{
    const struct iso_json *list = iso_json_at(answer, "value");

    for (size_t i = 0; i < iso_json_length(list); i++)
        ISO_TRY(send(context, iso_json_item(list, i), reterr));
    return ISO_OK;
}

enum iso_status iso_azure_send_quotas(const struct iso_azure_fetch *fetch, const char *region,
                                      struct iso_error *reterr)
{
    struct quotas_call call = {fetch, region};
    char path[160];

    snprintf(path, sizeof(path),
             "/providers/Microsoft.Compute/locations/%s/usages?api-version=2024-07-01", region);
    return iso_azure_list(fetch, path, on_usages, &call, reterr);
}

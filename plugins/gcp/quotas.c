/* Quotas of a region, and of the project over all regions.
 *
 * A family that has a metric of its own (N2_CPUS) counts there and not in CPUS. Spot machines count
 * in PREEMPTIBLE_CPUS once the project was given some, and like all others before that. */
#include <stdio.h>

#include "gcp.h"

#define MAX_FAMILIES 40
#define MAX_CONDITIONS 3

struct quotas_call {
    const struct iso_gcp_fetch *fetch;
    const char *region; /* NULL: all together */
};

static const struct {
    const char *metric, *types; /* the types that have such a GPU */
} gpus[] = {
    {"NVIDIA_A100_GPUS", "a2-highgpu*"},
    {"NVIDIA_A100_GPUS", "a2-megagpu*"},
    {"NVIDIA_A100_80GB_GPUS", "a2-ultragpu*"},
    {"NVIDIA_L4_GPUS", "g2-*"},
};

/* The family of a metric such as N2D_CPUS in lower case, four characters at most; false: it is of
 * none, as PREEMPTIBLE_CPUS. */
static bool family_of(const char *metric, char ret_family[16])
{
    static const char end[] = "_CPUS";
    size_t n = strlen(metric), n_end = strlen(end);

    if (n <= n_end || n - n_end > 4 || strcmp(metric + n - n_end, end) != 0)
        return false;
    for (size_t i = 0; i < n - n_end; i++)
        ret_family[i] =
            (char)(metric[i] >= 'A' && metric[i] <= 'Z' ? metric[i] - 'A' + 'a' : metric[i]);
    ret_family[n - n_end] = '\0';
    return true;
}

struct answer {
    const struct iso_json *quotas;
    bool spot_apart; /* the project has a quota of its own for spot */
};

static enum iso_status put(const struct quotas_call *call, const struct iso_json *quota,
                           int32_t resource, const struct iso_plugin_selector *scope,
                           struct iso_error *reterr)
{
    const struct iso_plugin_quota row = {
        .provider = "gcp",
        .region = call->region,
        .code = iso_json_text_at(quota, "metric"),
        .scope = *scope,
        .resource = resource,
        .limit = iso_json_amount_at(quota, "limit", call->fetch->row),
        .used = iso_json_amount_at(quota, "usage", call->fetch->row),
        .observed_ns = call->fetch->now_ns,
    };
    return iso_put_quotas(call->fetch->sink, &row, 1, reterr);
}

/* CPUS: all families but those with a metric in the same answer. */
static enum iso_status put_cpus(const struct quotas_call *call, const struct answer *answer,
                                const struct iso_json *quota, struct iso_error *reterr)
{
    const struct iso_plugin_condition conditions[] = {
        {ISO_PLUGIN_FIELD_PROVIDER, NULL, "gcp"},
        {ISO_PLUGIN_FIELD_PURCHASE, NULL, "on-demand"},
    };
    const struct iso_plugin_term all = {conditions, answer->spot_apart ? 2 : 1};
    struct iso_plugin_condition families[MAX_FAMILIES];
    struct iso_plugin_term terms[MAX_FAMILIES];
    char names[MAX_FAMILIES][16];
    size_t n = 0;

    for (size_t i = 0; i < iso_json_length(answer->quotas) && n < MAX_FAMILIES; i++) {
        const char *metric = iso_json_text_at(iso_json_item(answer->quotas, i), "metric");
        if (!family_of(metric, names[n]))
            continue;
        families[n] = (struct iso_plugin_condition){ISO_PLUGIN_FIELD_FAMILY, NULL, names[n]};
        terms[n] = (struct iso_plugin_term){&families[n], 1};
        n++;
    }
    const struct iso_plugin_selector scope = {&all, 1, terms, n};
    return put(call, quota, ISO_PLUGIN_RESOURCE_VCPU, &scope, reterr);
}

static enum iso_status put_one(const struct quotas_call *call, const struct iso_json *quota,
                               int32_t resource, const char *purchase,
                               const struct iso_plugin_condition *also, struct iso_error *reterr)
{
    struct iso_plugin_condition conditions[MAX_CONDITIONS] = {
        {ISO_PLUGIN_FIELD_PROVIDER, NULL, "gcp"}};
    struct iso_plugin_term term = {conditions, 1};
    const struct iso_plugin_selector scope = {.include = &term, .n_include = 1};

    if (purchase)
        conditions[term.n_conditions++] =
            (struct iso_plugin_condition){ISO_PLUGIN_FIELD_PURCHASE, NULL, purchase};
    if (also)
        conditions[term.n_conditions++] = *also;
    return put(call, quota, resource, &scope, reterr);
}

/* GPUs of a metric; the types of one metric are alternatives of one condition. */
static enum iso_status put_gpus(const struct quotas_call *call, const struct iso_json *quota,
                                const char *metric, const char *purchase, struct iso_error *reterr)
{
    struct iso_plugin_condition conditions[2 + ISO_ARRAY_LENGTH(gpus)] = {
        {ISO_PLUGIN_FIELD_PROVIDER, NULL, "gcp"}};
    struct iso_plugin_term term = {conditions, 1};
    const struct iso_plugin_selector scope = {.include = &term, .n_include = 1};
    bool known = false;

    if (purchase)
        conditions[term.n_conditions++] =
            (struct iso_plugin_condition){ISO_PLUGIN_FIELD_PURCHASE, NULL, purchase};
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(gpus); i++)
        if (strcmp(metric, gpus[i].metric) == 0) {
            conditions[term.n_conditions++] =
                (struct iso_plugin_condition){ISO_PLUGIN_FIELD_TYPE, NULL, gpus[i].types};
            known = true;
        }
    return known ? put(call, quota, ISO_PLUGIN_RESOURCE_GPU, &scope, reterr) : ISO_OK;
}

/* What caps no offering, disks or addresses, is left out. */
static enum iso_status send(const struct quotas_call *call, const struct answer *answer,
                            const struct iso_json *quota, struct iso_error *reterr)
{
    static const char spot[] = "PREEMPTIBLE_";
    const char *metric = iso_json_text_at(quota, "metric");
    const char *regular = answer->spot_apart ? "on-demand" : NULL;
    char family[16];

    iso_scratch_reset(call->fetch->row);
    if (strcmp(metric, "CPUS") == 0)
        return put_cpus(call, answer, quota, reterr);
    if (strcmp(metric, "INSTANCES") == 0)
        return put_one(call, quota, ISO_PLUGIN_RESOURCE_UNSPECIFIED, NULL, NULL, reterr);
    if (strcmp(metric, "PREEMPTIBLE_CPUS") == 0)
        return answer->spot_apart
                   ? put_one(call, quota, ISO_PLUGIN_RESOURCE_VCPU, "spot", NULL, reterr)
                   : ISO_OK;
    if (family_of(metric, family)) {
        const struct iso_plugin_condition one = {ISO_PLUGIN_FIELD_FAMILY, NULL, family};
        return put_one(call, quota, ISO_PLUGIN_RESOURCE_VCPU, regular, &one, reterr);
    }
    if (strncmp(metric, spot, strlen(spot)) == 0)
        return put_gpus(call, quota, metric + strlen(spot), "spot", reterr);
    return put_gpus(call, quota, metric, "on-demand", reterr);
}

static enum iso_status on_region(void *context, const struct iso_json *page,
                                 struct iso_error *reterr)
{
    const struct quotas_call *call = context;
    struct answer answer = {.quotas = iso_json_at(page, "quotas")};

    for (size_t i = 0; i < iso_json_length(answer.quotas); i++) {
        const struct iso_json *quota = iso_json_item(answer.quotas, i);
        iso_scratch_reset(call->fetch->row);
        if (strcmp(iso_json_text_at(quota, "metric"), "PREEMPTIBLE_CPUS") == 0)
            answer.spot_apart = iso_json_amount_at(quota, "limit", call->fetch->row).value > 0;
    }
    for (size_t i = 0; i < iso_json_length(answer.quotas); i++)
        ISO_TRY(send(call, &answer, iso_json_item(answer.quotas, i), reterr));
    return ISO_OK;
}

enum iso_status iso_gcp_send_quotas(const struct iso_gcp_fetch *fetch, const char *region,
                                    struct iso_error *reterr)
{
    struct quotas_call call = {fetch, region};
    char path[96];

    snprintf(path, sizeof(path), "/regions/%s?fields=quotas", region);
    return iso_gcp_ask_compute(fetch, path, on_region, &call, reterr);
}

/* The project's metrics of machines; the others are of networks and images. */
static enum iso_status on_project(void *context, const struct iso_json *page,
                                  struct iso_error *reterr)
{
    const struct quotas_call *call = context;
    const struct iso_json *quotas = iso_json_at(page, "quotas");

    for (size_t i = 0; i < iso_json_length(quotas); i++) {
        const struct iso_json *quota = iso_json_item(quotas, i);
        const char *metric = iso_json_text_at(quota, "metric");
        iso_scratch_reset(call->fetch->row);
        if (strcmp(metric, "CPUS_ALL_REGIONS") == 0)
            ISO_TRY(put_one(call, quota, ISO_PLUGIN_RESOURCE_VCPU, NULL, NULL, reterr));
        if (strcmp(metric, "GPUS_ALL_REGIONS") == 0)
            ISO_TRY(put_one(call, quota, ISO_PLUGIN_RESOURCE_GPU, NULL, NULL, reterr));
    }
    return ISO_OK;
}

enum iso_status iso_gcp_send_project_quotas(const struct iso_gcp_fetch *fetch,
                                            struct iso_error *reterr)
{
    struct quotas_call call = {.fetch = fetch};

    return iso_gcp_ask_compute(fetch, "?fields=quotas", on_project, &call, reterr);
}

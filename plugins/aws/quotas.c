/* Service quotas of EC2 that cap what may run. Those of today count vCPUs by class of families, for
 * on-demand and spot apart; accounts of old have some that count instances of one type. */
#include <ctype.h>
#include <stdio.h>

#include "aws.h"
#include "isocost/sdk/number.h"

#define MAX_METRICS 500 /* of one call; the use of further quotas stays unknown */
#define MAX_CONDITIONS 32
#define USAGE_WINDOW_S 3600 /* in which the last point of a quota's use is looked for */
#define USAGE_PERIOD_S 300

/* Families whose names begin like a standard one and are not of that class. */
static const char *const not_standard[] = {"inf*", "trn*", "dl*", "hpc*", "mac*"};

/* Classes whose families are not named as the class is. */
static const struct {
    const char *class_name, *first, *second;
} odd_classes[] = {
    {"G and VT", "g*", "vt*"},
    {"High Memory", "u-*", "u7*"},
};

/* Its key is its code. */
struct quota {
    const char *name;
    struct iso_amount limit, used;
};

struct quotas_call {
    const struct iso_aws_fetch *fetch;
    const char *region;
    struct iso_dictionary *quotas;
    size_t n_metrics;
    struct iso_text metrics; /* queries of their use, in JSON */
};

/* The part of a quota's name that says what it counts: "Standard (A, C, D)" of "Running On-Demand
 * Standard (A, C, D) instances". False: the quota caps something else. */
static bool subject_of(const char *name, char ret_subject[64], bool *ret_spot)
{
    static const struct {
        const char *before, *after;
        bool spot;
    } forms[] = {
        {"Running On-Demand ", " instances", false},
        {"All ", " Spot Instance Requests", true},
    };

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(forms); i++) {
        size_t n_before = strlen(forms[i].before), n_after = strlen(forms[i].after);
        size_t n = strlen(name);
        if (n <= n_before + n_after || n - n_before - n_after >= 64 ||
            strncmp(name, forms[i].before, n_before) != 0 ||
            strcmp(name + n - n_after, forms[i].after) != 0)
            continue;
        snprintf(ret_subject, 64, "%.*s", (int)(n - n_before - n_after), name + n_before);
        *ret_spot = forms[i].spot;
        return true;
    }
    return false;
}

/* The use of a quota, as CloudWatch knows it: what Service Quotas names as its metric. */
static void add_metric(struct quotas_call *call, size_t quota, const struct iso_json *metric)
{
    const struct iso_json *dimensions = iso_json_at(metric, "MetricDimensions");
    const char *statistic = iso_json_text_at(metric, "MetricStatisticRecommendation");
    bool first = true;

    if (!iso_json_text_at(metric, "MetricName")[0] || call->n_metrics == MAX_METRICS)
        return;
    call->n_metrics++;
    iso_text_add(&call->metrics, "%s{\"Id\":\"q%zu\",\"MetricStat\":{\"Metric\":{\"Namespace\":",
                 call->metrics.n_bytes > 0 ? "," : "", quota);
    iso_text_add_json(&call->metrics, iso_json_text_at(metric, "MetricNamespace"));
    iso_text_add(&call->metrics, ",\"MetricName\":");
    iso_text_add_json(&call->metrics, iso_json_text_at(metric, "MetricName"));
    iso_text_add(&call->metrics, ",\"Dimensions\":[");
    for (void *d = iso_json_first(dimensions); d; d = iso_json_next(dimensions, d)) {
        iso_text_add(&call->metrics, "%s{\"Name\":", first ? "" : ",");
        iso_text_add_json(&call->metrics, iso_json_name(d));
        iso_text_add(&call->metrics, ",\"Value\":");
        iso_text_add_json(&call->metrics, iso_json_text_at(dimensions, iso_json_name(d)));
        iso_text_add(&call->metrics, "}");
        first = false;
    }
    iso_text_add(&call->metrics, "]},\"Period\":%d,\"Stat\":", USAGE_PERIOD_S);
    iso_text_add_json(&call->metrics, statistic[0] ? statistic : "Maximum");
    iso_text_add(&call->metrics, "}}");
}

static enum iso_status on_quotas(void *context, const struct iso_json *answer,
                                 struct iso_error *reterr)
{
    struct quotas_call *call = context;
    const struct iso_json *list = iso_json_at(answer, "Quotas");
    char subject[64];
    bool spot;

    for (size_t i = 0; i < iso_json_length(list); i++) {
        const struct iso_json *item = iso_json_item(list, i);
        const char *name = iso_json_text_at(item, "QuotaName");
        size_t n = iso_dictionary_count(call->quotas);
        if (!subject_of(name, subject, &spot))
            continue;
        struct quota *quota = iso_dictionary_add(call->quotas, iso_json_text_at(item, "QuotaCode"));
        if (!quota || !(quota->name = iso_aws_keep(call->fetch, name)))
            return iso_aws_full(reterr);
        iso_scratch_reset(call->fetch->row);
        iso_number_read(iso_json_scalar(iso_json_at(item, "Value"), call->fetch->row),
                        &quota->limit, NULL);
        if (iso_dictionary_count(call->quotas) > n)
            add_metric(call, n, iso_json_at(item, "UsageMetric"));
    }
    return ISO_OK;
}

static enum iso_status on_use(void *context, const struct iso_json *answer,
                              struct iso_error *reterr)
{
    struct quotas_call *call = context;
    const struct iso_json *results = iso_json_at(answer, "MetricDataResults");

    (void)reterr;
    for (size_t i = 0; i < iso_json_length(results); i++) {
        const struct iso_json *result = iso_json_item(results, i);
        const char *id = iso_json_text_at(result, "Id");
        size_t q = strtoul(id[0] ? id + 1 : id, NULL, 10);
        const struct iso_json *newest = iso_json_item(iso_json_at(result, "Values"), 0);
        if (!newest || q >= iso_dictionary_count(call->quotas))
            continue;
        struct quota *quota = iso_dictionary_record(call->quotas, q);
        iso_scratch_reset(call->fetch->row);
        if (!quota->used.present) /* a later page would bring older points */
            iso_number_read_rounded(iso_json_scalar(newest, call->fetch->row), &quota->used, NULL);
    }
    return ISO_OK;
}

static enum iso_status ask_use(struct quotas_call *call, struct iso_error *reterr)
{
    int64_t now_s = call->fetch->now_ns / 1000000000;
    ISO_AUTO_TEXT body = {0};

    ISO_TRY(iso_text_check(&call->metrics, reterr));
    if (call->metrics.n_bytes == 0)
        return ISO_OK;
    iso_text_add(&body,
                 "{\"StartTime\":%lld,\"EndTime\":%lld,\"ScanBy\":\"TimestampDescending\","
                 "\"MetricDataQueries\":[%s]",
                 (long long)(now_s - USAGE_WINDOW_S), (long long)now_s, call->metrics.bytes);
    ISO_TRY(iso_text_check(&body, reterr));
    return iso_aws_ask_json(call->fetch, &iso_aws_monitoring, call->region, "GetMetricData",
                            body.bytes, on_use, call, reterr);
}

/* The families of a class: those that begin as it is named, in lower case. */
static size_t families_of(const struct iso_aws_fetch *fetch, const char *subject,
                          const char *ret_families[MAX_CONDITIONS])
{
    const char *letters = strchr(subject, '(');
    char family[64];
    size_t n = 0;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(odd_classes); i++)
        if (strcmp(subject, odd_classes[i].class_name) == 0) {
            ret_families[0] = odd_classes[i].first;
            ret_families[1] = odd_classes[i].second;
            return 2;
        }
    for (; letters && *letters && n < MAX_CONDITIONS; letters++)
        if (isalpha((unsigned char)*letters)) {
            snprintf(family, sizeof(family), "%c*", tolower((unsigned char)*letters));
            ret_families[n++] = iso_aws_keep(fetch, family);
        }
    if (n > 0)
        return n;
    snprintf(family, sizeof(family), "%.60s*", subject);
    for (char *c = family; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    ret_families[0] = iso_aws_keep(fetch, family);
    return 1;
}

static enum iso_status send(const struct quotas_call *call, const char *code,
                            const struct quota *quota, struct iso_error *reterr)
{
    struct iso_plugin_condition conditions[MAX_CONDITIONS + 2], odd[ISO_ARRAY_LENGTH(not_standard)];
    const char *families[MAX_CONDITIONS];
    struct iso_plugin_term included = {conditions, 0}, excluded = {odd, 0};
    char subject[64];
    bool spot, standard, one_type;

    subject_of(quota->name, subject, &spot);
    standard = strncmp(subject, "Standard", strlen("Standard")) == 0;
    one_type = strchr(subject, '.') != NULL;
    size_t n = one_type ? 0 : families_of(call->fetch, subject, families), c = 0;
    conditions[c++] = (struct iso_plugin_condition){ISO_PLUGIN_FIELD_PROVIDER, NULL, "aws"};
    conditions[c++] =
        (struct iso_plugin_condition){ISO_PLUGIN_FIELD_PURCHASE, NULL, spot ? "spot" : "on-demand"};
    for (size_t i = 0; i < n && c < ISO_ARRAY_LENGTH(conditions); i++)
        conditions[c++] = (struct iso_plugin_condition){ISO_PLUGIN_FIELD_FAMILY, NULL, families[i]};
    if (one_type)
        conditions[c++] = (struct iso_plugin_condition){ISO_PLUGIN_FIELD_TYPE, NULL, subject};
    included.n_conditions = c;
    for (; standard && excluded.n_conditions < ISO_ARRAY_LENGTH(odd); excluded.n_conditions++)
        odd[excluded.n_conditions] = (struct iso_plugin_condition){
            ISO_PLUGIN_FIELD_FAMILY, NULL, not_standard[excluded.n_conditions]};
    const struct iso_plugin_quota row = {
        .provider = "aws",
        .region = call->region,
        .code = code,
        .scope = {.include = &included,
                  .n_include = 1,
                  .exclude = &excluded,
                  .n_exclude = standard ? 1 : 0},
        .resource = one_type ? ISO_PLUGIN_RESOURCE_UNSPECIFIED : ISO_PLUGIN_RESOURCE_VCPU,
        .limit = quota->limit,
        .used = quota->used,
        .observed_ns = call->fetch->now_ns,
    };
    return iso_put_quotas(call->fetch->sink, &row, 1, reterr);
}

enum iso_status iso_aws_send_quotas(const struct iso_aws_fetch *fetch, const char *region,
                                    struct iso_error *reterr)
{
    ISO_AUTO(iso_dictionary) quotas = iso_dictionary_new(sizeof(struct quota));
    struct quotas_call call = {.fetch = fetch, .region = region, .quotas = quotas};

    if (!quotas)
        return iso_aws_full(reterr);
    enum iso_status status =
        iso_aws_ask_json(fetch, &iso_aws_quotas, region, "ListServiceQuotas",
                         "{\"ServiceCode\":\"ec2\",\"MaxResults\":100", on_quotas, &call, reterr);
    if (status == ISO_OK)
        status = ask_use(&call, reterr);
    for (size_t i = 0; status == ISO_OK && i < iso_dictionary_count(quotas); i++)
        status =
            send(&call, iso_dictionary_key(quotas, i), iso_dictionary_record(quotas, i), reterr);
    iso_text_fini(&call.metrics);
    return status;
}

/* How busy instances were: CloudWatch GetMetricData, for those that DescribeInstances names. What
 * an instance does with its memory is unknown to CloudWatch unless an agent runs on it. */
#include <math.h>
#include <stdio.h>

#include "aws.h"
#include "isocost/sdk/report.h"

#define NS_PER_S INT64_C(1000000000)
#define MAX_QUERIES 500 /* of one call */

/* What is asked of each instance. */
static const struct {
    const char *metric, *statistic; /* CloudWatch's */
    const char *name;               /* ours */
    int32_t our_statistic;
    double scale;
} asked[] = {
    {"CPUUtilization", "Average", "cpu_ratio", ISO_PLUGIN_STATISTIC_AVERAGE, 0.01},
    {"CPUUtilization", "Maximum", "cpu_ratio", ISO_PLUGIN_STATISTIC_MAXIMUM, 0.01},
};
#define N_ASKED ISO_ARRAY_LENGTH(asked)

struct instance {
    const char *account, *type; /* key: the id */
};

struct usage_call {
    const struct iso_aws_fetch *fetch;
    const char *region;
    struct iso_dictionary *instances;
    size_t first; /* instance of the batch under way */
};

static enum iso_status on_instances(void *context, const struct iso_xml_element *root,
                                    struct iso_error *reterr)
{
    struct usage_call *call = context;
    const struct iso_xml_element *reservation = iso_xml_at(root, "reservationSet.item");

    for (; reservation; reservation = iso_xml_next(reservation)) {
        const char *account = iso_xml_text_at(reservation, "ownerId");
        const struct iso_xml_element *item = iso_xml_at(reservation, "instancesSet.item");
        for (; item; item = iso_xml_next(item)) {
            struct instance *instance =
                iso_dictionary_add(call->instances, iso_xml_text_at(item, "instanceId"));
            if (!instance)
                return iso_aws_full(reterr);
            instance->account = iso_aws_keep(call->fetch, account);
            instance->type = iso_aws_keep(call->fetch, iso_xml_text_at(item, "instanceType"));
            if (!instance->account || !instance->type)
                return iso_aws_full(reterr);
        }
    }
    return ISO_OK;
}

/* Sends one point if it lies in what was asked for. */
static enum iso_status send_point(const struct usage_call *call, size_t instance, size_t a,
                                  const struct iso_json *timestamp, const struct iso_json *value,
                                  struct iso_error *reterr)
{
    const struct instance *told = iso_dictionary_record(call->instances, instance);
    const struct iso_fetch *what = call->fetch->what;
    iso_scratch_reset(call->fetch->row);
    const char *at = iso_json_scalar(timestamp, call->fetch->row);
    const char *number = iso_json_scalar(value, call->fetch->row);
    double at_s = at ? strtod(at, NULL) : NAN, measured = number ? strtod(number, NULL) : NAN;
    const char *id = iso_dictionary_key(call->instances, instance);

    if (!isfinite(measured) || !(at_s >= 0 && at_s < 9e9))
        return iso_report(call->fetch->sink, "invalid_value", /* quarantined= */ true, id,
                          "a point of %s without time or value", reterr, asked[a].metric);
    const struct iso_plugin_usage row = {
        .provider = "aws",
        .resource = id,
        .metric = asked[a].name,
        .account = told->account,
        .region = call->region,
        .type = told->type,
        .statistic = asked[a].our_statistic,
        .start_ns = (int64_t)at_s * NS_PER_S,
        .length_ns = call->fetch->aws->config->usage_period_seconds * NS_PER_S,
        .value = measured * asked[a].scale,
    };
    if (row.start_ns < what->from_ns || row.start_ns >= what->to_ns)
        return ISO_OK;
    return iso_put_usage(call->fetch->sink, &row, 1, reterr);
}

/* A result's id is "m", the instance's index in the batch, "_" and the index of what was asked. */
static enum iso_status on_points(void *context, const struct iso_json *answer,
                                 struct iso_error *reterr)
{
    const struct usage_call *call = context;
    const struct iso_json *results = iso_json_at(answer, "MetricDataResults");

    for (size_t i = 0; i < iso_json_length(results); i++) {
        const struct iso_json *result = iso_json_item(results, i);
        const struct iso_json *times = iso_json_at(result, "Timestamps");
        const struct iso_json *values = iso_json_at(result, "Values");
        const char *id = iso_json_text_at(result, "Id");
        size_t instance = 0, a = 0;
        if (sscanf(id, "m%zu_%zu", &instance, &a) != 2 || a >= N_ASKED ||
            call->first + instance >= iso_dictionary_count(call->instances) ||
            iso_json_length(times) != iso_json_length(values))
            return iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                            "CloudWatch answered with a series \"%.32s\" that does not fit", id);
        for (size_t p = 0; p < iso_json_length(values); p++)
            ISO_TRY(send_point(call, call->first + instance, a, iso_json_item(times, p),
                               iso_json_item(values, p), reterr));
    }
    return ISO_OK;
}

static enum iso_status ask_batch(struct usage_call *call, size_t n, struct iso_error *reterr)
{
    const struct iso_fetch *what = call->fetch->what;
    ISO_AUTO_TEXT body = {0};

    iso_text_add(&body, "{\"StartTime\":%lld,\"EndTime\":%lld,\"MetricDataQueries\":[",
                 (long long)(what->from_ns / NS_PER_S),
                 (long long)((what->to_ns + NS_PER_S - 1) / NS_PER_S));
    for (size_t i = 0; i < n; i++)
        for (size_t a = 0; a < N_ASKED; a++) {
            iso_text_add(&body,
                         "%s{\"Id\":\"m%zu_%zu\",\"MetricStat\":{\"Metric\":{\"Namespace\":"
                         "\"AWS/EC2\",\"MetricName\":\"%s\",\"Dimensions\":[{\"Name\":"
                         "\"InstanceId\",\"Value\":",
                         i + a > 0 ? "," : "", i, a, asked[a].metric);
            iso_text_add_json(&body, iso_dictionary_key(call->instances, call->first + i));
            iso_text_add(&body, "}]},\"Period\":%lld,\"Stat\":\"%s\"}}",
                         (long long)call->fetch->aws->config->usage_period_seconds,
                         asked[a].statistic);
        }
    iso_text_add(&body, "]");
    ISO_TRY(iso_text_check(&body, reterr));
    return iso_aws_ask_json(call->fetch, &iso_aws_monitoring, call->region, "GetMetricData",
                            body.bytes, on_points, call, reterr);
}

enum iso_status iso_aws_send_usage(const struct iso_aws_fetch *fetch, const char *region,
                                   struct iso_error *reterr)
{
    ISO_AUTO(iso_dictionary) instances = iso_dictionary_new(sizeof(struct instance));
    struct usage_call call = {.fetch = fetch, .region = region, .instances = instances};

    if (!instances)
        return iso_aws_full(reterr);
    ISO_TRY(iso_aws_ask_ec2(fetch, region, "DescribeInstances", "&MaxResults=1000", on_instances,
                            &call, reterr));
    for (; call.first < iso_dictionary_count(instances); call.first += MAX_QUERIES / N_ASKED) {
        size_t left = iso_dictionary_count(instances) - call.first;
        ISO_TRY(
            ask_batch(&call, left < MAX_QUERIES / N_ASKED ? left : MAX_QUERIES / N_ASKED, reterr));
    }
    return ISO_OK;
}

/* Usage: CPU of all instances of a region, from Cloud Monitor. Its points come as a text that is a
 * document of JSON in itself. */
#include <math.h>
#include <stdio.h>

#include "alibaba.h"
#include "isocost/sdk/report.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define MAX_MS (INT64_MAX / NS_PER_MS)

struct usage_call {
    const struct iso_alibaba_fetch *fetch;
    const char *region;
};

static const struct {
    const char *name;
    int32_t statistic;
} statistics[] = {
    {"Average", ISO_PLUGIN_STATISTIC_AVERAGE},
    {"Maximum", ISO_PLUGIN_STATISTIC_MAXIMUM},
};

static enum iso_status send_point(const struct usage_call *call, const struct iso_json *point,
                                  size_t s, int64_t start_ns, struct iso_error *reterr)
{
    const struct iso_alibaba_fetch *fetch = call->fetch;
    const char *id = iso_json_text_at(point, "instanceId");
    const char *text = iso_json_scalar(iso_json_at(point, statistics[s].name), fetch->row);
    double percent = text ? strtod(text, NULL) : NAN;
    const struct iso_plugin_usage row = {
        .provider = "alibaba",
        .resource = id,
        .metric = "cpu_ratio",
        .account = iso_json_text_at(point, "userId"),
        .region = call->region,
        .statistic = statistics[s].statistic,
        .start_ns = start_ns,
        .length_ns = fetch->alibaba->config->usage_period_seconds * NS_PER_S,
        .value = percent / 100,
    };

    if (!text)
        return ISO_OK; /* nothing was measured, which is not 0 */
    if (!isfinite(percent))
        return iso_report(fetch->sink, "invalid_value", /* quarantined= */ true, id,
                          "a point of CPUUtilization is %.40s", reterr, text);
    return iso_put_usage(fetch->sink, &row, 1, reterr);
}

static enum iso_status take_point(const struct usage_call *call, const struct iso_json *point,
                                  struct iso_error *reterr)
{
    const struct iso_fetch *what = call->fetch->what;

    iso_scratch_reset(call->fetch->row);
    const char *text = iso_json_scalar(iso_json_at(point, "timestamp"), call->fetch->row);
    int64_t ms = text ? strtoll(text, NULL, 10) : 0;
    if (ms <= 0 || ms > MAX_MS || !iso_json_text_at(point, "instanceId")[0])
        return iso_report(call->fetch->sink, "invalid_value", /* quarantined= */ true, call->region,
                          "a point of CPUUtilization without time or instance", reterr);
    if (ms * NS_PER_MS < what->from_ns || ms * NS_PER_MS >= what->to_ns)
        return ISO_OK;
    for (size_t s = 0; s < ISO_ARRAY_LENGTH(statistics); s++)
        ISO_TRY(send_point(call, point, s, ms * NS_PER_MS, reterr));
    return ISO_OK;
}

static enum iso_status on_metrics(void *context, const struct iso_json *answer,
                                  struct iso_error *reterr)
{
    const char *text = iso_json_text_at(answer, "Datapoints");
    ISO_AUTO_JSON *points = NULL;
    struct iso_error error = {0};

    if (!text[0])
        return ISO_OK;
    enum iso_status status = iso_json_document_read(text, strlen(text), &points, &error);
    if (status == ISO_E_INVALID)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "Datapoints is no JSON: %s", error.text);
    for (size_t i = 0; status == ISO_OK && i < iso_json_length(points); i++)
        ISO_TRY(take_point(context, iso_json_item(points, i), reterr));
    return status == ISO_OK ? ISO_OK : iso_fail(reterr, status, "", "%s", error.text);
}

enum iso_status iso_alibaba_send_usage(const struct iso_alibaba_fetch *fetch, const char *region,
                                       struct iso_error *reterr)
{
    struct usage_call context = {fetch, region};
    ISO_AUTO_TEXT parameters = {0};

    iso_text_add(&parameters,
                 "&Namespace=acs_ecs_dashboard&MetricName=CPUUtilization&Period=%lld&Length=1000"
                 "&StartTime=%lld&EndTime=%lld",
                 (long long)fetch->alibaba->config->usage_period_seconds,
                 (long long)(fetch->what->from_ns / NS_PER_MS),
                 (long long)(fetch->what->to_ns / NS_PER_MS));
    ISO_TRY(iso_text_check(&parameters, reterr));
    const struct iso_alibaba_call call = {
        .service = "metrics",
        .host = "metrics",
        .version = "2019-01-01",
        .action = "DescribeMetricList",
        .region = region,
        .parameters = parameters.bytes,
        .cursor = "NextToken",
        .next = "NextToken",
    };
    return iso_alibaba_ask(fetch, &call, on_metrics, &context, reterr);
}

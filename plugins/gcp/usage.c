/* How busy the CPUs of instances were: one list of Cloud Monitoring for all of them.
 *
 * A point of an aligned series stands at the end of its span, and the newest comes first. */
#include <math.h>
#include <stdio.h>

#include "gcp.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"

#define NS_PER_S INT64_C(1000000000)

struct usage_call {
    const struct iso_gcp_fetch *fetch;
    const struct iso_dictionary *instances;
    int32_t statistic;
};

static enum iso_status send_point(const struct usage_call *call, const struct iso_json *point,
                                  struct iso_plugin_usage *row, struct iso_error *reterr)
{
    const struct iso_gcp_fetch *fetch = call->fetch;
    const struct iso_json *value = iso_json_at(point, "value.doubleValue");
    struct iso_error error = {0};
    int64_t end_ns;

    if (!value)
        value = iso_json_at(point, "value.int64Value"); /* a text */
    const char *text = iso_json_scalar(value, fetch->row);
    if (iso_time_read(iso_json_text_at(point, "interval.endTime"), &end_ns, &error) != ISO_OK ||
        !text)
        return iso_report(fetch->sink, "invalid_value", /* quarantined= */ true, row->resource,
                          "a point without time or value", reterr);
    row->value = strtod(text, NULL);
    row->start_ns = end_ns - row->length_ns;
    if (!isfinite(row->value))
        return iso_report(fetch->sink, "invalid_value", /* quarantined= */ true, row->resource,
                          "a point is %.40s", reterr, text);
    if (row->start_ns < fetch->what->from_ns || row->start_ns >= fetch->what->to_ns)
        return ISO_OK;
    return iso_put_usage(fetch->sink, row, 1, reterr);
}

static enum iso_status send_series(const struct usage_call *call, const struct iso_json *series,
                                   struct iso_error *reterr)
{
    const struct iso_gcp_fetch *fetch = call->fetch;
    const char *zone = iso_json_text_at(series, "resource.labels.zone");
    const char *id = iso_json_text_at(series, "resource.labels.instance_id");
    const char *region = iso_gcp_region_of_zone(fetch->gcp, zone);
    const struct iso_json *points = iso_json_at(series, "points");

    if (!region)
        return ISO_OK;
    if (!id[0])
        id = iso_json_text_at(series, "metric.labels.instance_name");
    if (!id[0])
        return iso_report(fetch->sink, "invalid_value", /* quarantined= */ true, zone,
                          "a series of no instance", reterr);
    const struct iso_gcp_instance *instance = iso_dictionary_find(call->instances, id);
    struct iso_plugin_usage row = {
        .provider = "gcp",
        .resource = id,
        .metric = "cpu_ratio",
        .account = fetch->gcp->config->project,
        .region = region,
        .type = instance ? instance->type : NULL,
        .statistic = call->statistic,
        .length_ns = fetch->gcp->config->usage_seconds * NS_PER_S,
    };
    for (size_t i = iso_json_length(points); i > 0; i--) {
        iso_scratch_reset(fetch->row);
        ISO_TRY(send_point(call, iso_json_item(points, i - 1), &row, reterr));
    }
    return ISO_OK;
}

/* An answer without a series has no list of them. */
static enum iso_status on_series(void *context, const struct iso_json *answer,
                                 struct iso_error *reterr)
{
    const struct iso_json *list = iso_json_at(answer, "timeSeries");

    for (size_t i = 0; i < iso_json_length(list); i++)
        ISO_TRY(send_series(context, iso_json_item(list, i), reterr));
    return ISO_OK;
}

static enum iso_status ask(const struct usage_call *usage, const char *aligner,
                           struct iso_error *reterr)
{
    const struct iso_gcp_fetch *fetch = usage->fetch;
    char from[ISO_TIME_TEXT_SIZE], to[ISO_TIME_TEXT_SIZE];
    struct usage_call own = *usage;
    ISO_AUTO_TEXT url = {0};

    iso_text_add(&url, "https://monitoring.googleapis.com/v3/projects/%s/timeSeries?filter=",
                 fetch->gcp->config->project);
    iso_text_add_url(&url, "metric.type=\"compute.googleapis.com/instance/cpu/utilization\"");
    iso_text_add(&url,
                 "&interval.startTime=%s&interval.endTime=%s&aggregation.alignmentPeriod=%llds"
                 "&aggregation.perSeriesAligner=%s&pageSize=10000",
                 iso_time_write(fetch->what->from_ns, from), iso_time_write(fetch->what->to_ns, to),
                 (long long)fetch->gcp->config->usage_seconds, aligner);
    ISO_TRY(iso_text_check(&url, reterr));
    const struct iso_gcp_call call = {
        .service = "monitoring",
        .url = url.bytes,
        .scope = "https://www.googleapis.com/auth/monitoring.read",
    };
    return iso_gcp_ask(fetch, &call, on_series, &own, reterr);
}

enum iso_status iso_gcp_send_usage(const struct iso_gcp_fetch *fetch,
                                   const struct iso_dictionary *instances, struct iso_error *reterr)
{
    struct usage_call call = {fetch, instances, ISO_PLUGIN_STATISTIC_AVERAGE};

    ISO_TRY(ask(&call, "ALIGN_MEAN", reterr));
    call.statistic = ISO_PLUGIN_STATISTIC_MAXIMUM;
    return ask(&call, "ALIGN_MAX", reterr);
}

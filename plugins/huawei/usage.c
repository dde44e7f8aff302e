/* Usage: CPU of the servers of a project, from Cloud Eye.
 *
 * A call gives at most 3000 points: metrics * (to - from) / period. Beyond that Cloud Eye moves
 * `from` without a word, so servers and time are asked for in pieces that never go beyond it. It
 * also rounds `from` down to a period: what lies before the piece is left out. */
#include <math.h>
#include <stdio.h>

#include "huawei.h"
#include "isocost/sdk/report.h"

#define MAX_POINTS 3000
#define MAX_METRICS 500
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define MAX_MS (INT64_MAX / NS_PER_MS)

struct server {
    const char *type; /* key: the id */
};

struct usage_call {
    const struct iso_huawei_fetch *fetch;
    struct iso_dictionary *servers;
    int64_t period_ms;
    size_t s;               /* statistic under way */
    int64_t from_ms, to_ms; /* piece of time under way */
};

/* Cloud Eye's filter is also the name of the value. */
static const struct {
    const char *filter;
    int32_t statistic;
} statistics[] = {
    {"average", ISO_PLUGIN_STATISTIC_AVERAGE},
    {"max", ISO_PLUGIN_STATISTIC_MAXIMUM},
};

static enum iso_status on_server(void *context, const struct iso_json *item,
                                 struct iso_error *reterr)
{
    const struct usage_call *call = context;
    const char *id = iso_json_text_at(item, "id");

    if (!id[0])
        return ISO_OK; /* the inventory tells it */
    struct server *server = iso_dictionary_add(call->servers, id);
    if (server)
        server->type = iso_huawei_keep(call->fetch, iso_json_text_at(item, "flavor.id"));
    return server && server->type ? ISO_OK : iso_huawei_full(reterr);
}

/* ---- An answer ---- */

static enum iso_status take_point(const struct usage_call *call, const char *id,
                                  const struct server *server, const struct iso_json *point,
                                  struct iso_error *reterr)
{
    const struct iso_huawei_fetch *fetch = call->fetch;
    const char *filter = statistics[call->s].filter;

    iso_scratch_reset(fetch->row);
    const char *time = iso_json_scalar(iso_json_at(point, "timestamp"), fetch->row);
    const char *text = iso_json_scalar(iso_json_at(point, filter), fetch->row);
    int64_t ms = time ? strtoll(time, NULL, 10) : 0;
    double percent = text ? strtod(text, NULL) : NAN;
    if (ms <= 0 || ms > MAX_MS || (text && !isfinite(percent)))
        return iso_report(fetch->sink, "invalid_value", /* quarantined= */ true, id,
                          "a point of cpu_util without a time, or with a value that is none",
                          reterr);
    if (!text || ms < call->from_ms || ms >= call->to_ms)
        return ISO_OK; /* nothing was measured, which is not 0, or it was not asked for */
    const struct iso_plugin_usage row = {
        .provider = "huawei",
        .resource = id,
        .metric = "cpu_ratio",
        .account = fetch->huawei->config->domain_id,
        .region = fetch->place->region,
        .type = server->type,
        .statistic = statistics[call->s].statistic,
        .start_ns = ms * NS_PER_MS,
        .length_ns = call->period_ms * NS_PER_MS,
        .value = percent / 100,
    };
    return iso_put_usage(fetch->sink, &row, 1, reterr);
}

static const char *server_of(const struct iso_json *metric)
{
    const struct iso_json *dimensions = iso_json_at(metric, "dimensions");

    for (size_t i = 0; i < iso_json_length(dimensions); i++) {
        const struct iso_json *dimension = iso_json_item(dimensions, i);
        if (strcmp(iso_json_text_at(dimension, "name"), "instance_id") == 0)
            return iso_json_text_at(dimension, "value");
    }
    return "";
}

static enum iso_status take_metric(const struct usage_call *call, const struct iso_json *metric,
                                   struct iso_error *reterr)
{
    const char *id = server_of(metric), *unit = iso_json_text_at(metric, "unit");
    const struct server *server = iso_dictionary_find(call->servers, id);
    const struct iso_json *points = iso_json_at(metric, "datapoints");

    if (!server)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                        "Cloud Eye answered with a server \"%.64s\" that was not asked for", id);
    if (unit[0] && strcmp(unit, "%") != 0 && iso_json_length(points) > 0)
        return iso_report(call->fetch->sink, "unknown_unit", /* quarantined= */ true, id,
                          "cpu_util is in \"%.20s\", not in %%", reterr, unit);
    for (size_t i = 0; i < iso_json_length(points); i++)
        ISO_TRY(take_point(call, id, server, iso_json_item(points, i), reterr));
    return ISO_OK;
}

/* ---- Calls ---- */

static enum iso_status ask(const struct usage_call *call, size_t first, size_t n,
                           struct iso_error *reterr)
{
    const struct iso_huawei_fetch *fetch = call->fetch;
    long long period_s = call->period_ms / 1000;
    const struct iso_json *list;
    ISO_AUTO_JSON *answer = NULL;
    ISO_AUTO_TEXT body = {0};
    char path[128];

    if (fetch->host->cancelled(fetch->host))
        return iso_fail(reterr, ISO_E_CANCELLED, "", "the fetch was cancelled");
    /* A period of 1 is what Cloud Eye calls its own samples, one a minute. */
    iso_text_add(&body, "{\"from\":%lld,\"to\":%lld,\"period\":\"%lld\",\"filter\":\"%s\",",
                 (long long)call->from_ms, (long long)call->to_ms, period_s == 60 ? 1 : period_s,
                 statistics[call->s].filter);
    iso_text_add(&body, "\"metrics\":[");
    for (size_t i = 0; i < n; i++) {
        iso_text_add(&body,
                     "%s{\"namespace\":\"SYS.ECS\",\"metric_name\":\"cpu_util\",\"dimensions\":"
                     "[{\"name\":\"instance_id\",\"value\":",
                     i > 0 ? "," : "");
        iso_text_add_json(&body, iso_dictionary_key(call->servers, first + i));
        iso_text_add(&body, "}]}");
    }
    iso_text_add(&body, "]}");
    ISO_TRY(iso_text_check(&body, reterr));
    snprintf(path, sizeof(path), "/V1.0/%s/batch-query-metric-data", fetch->place->project);
    const struct iso_huawei_call ask = {"ces", path, body.bytes};
    ISO_TRY(iso_huawei_ask(fetch, &ask, &answer, NULL, reterr));
    ISO_TRY(iso_huawei_list(answer, "metrics", &list, reterr));
    for (size_t i = 0; i < iso_json_length(list); i++)
        ISO_TRY(take_metric(call, iso_json_item(list, i), reterr));
    return ISO_OK;
}

/* All servers in the piece of time under way. */
static enum iso_status ask_piece(struct usage_call *call, struct iso_error *reterr)
{
    int64_t n_points = (call->to_ms - call->from_ms + call->period_ms - 1) / call->period_ms;
    size_t most = (size_t)(MAX_POINTS / n_points), n_servers = iso_dictionary_count(call->servers);

    most = most < MAX_METRICS ? most : MAX_METRICS;
    for (size_t first = 0; first < n_servers; first += most) {
        size_t n = n_servers - first < most ? n_servers - first : most;
        for (call->s = 0; call->s < ISO_ARRAY_LENGTH(statistics); call->s++)
            ISO_TRY(ask(call, first, n, reterr));
    }
    return ISO_OK;
}

enum iso_status iso_huawei_send_usage(const struct iso_huawei_fetch *fetch,
                                      struct iso_error *reterr)
{
    ISO_AUTO(iso_dictionary) servers = iso_dictionary_new(sizeof(struct server));
    struct usage_call call = {.fetch = fetch,
                              .servers = servers,
                              .period_ms = 1000 * iso_huawei_usage_period_s(fetch->huawei)};
    int64_t from_ms = (fetch->what->from_ns + NS_PER_MS - 1) / NS_PER_MS;
    int64_t to_ms = (fetch->what->to_ns + NS_PER_MS - 1) / NS_PER_MS;

    if (!servers)
        return iso_huawei_full(reterr);
    ISO_TRY(iso_huawei_each_server(fetch, on_server, &call, reterr));
    for (; from_ms < to_ms; from_ms += MAX_POINTS * call.period_ms) {
        int64_t end_ms = from_ms + MAX_POINTS * call.period_ms;
        call.from_ms = from_ms;
        call.to_ms = end_ms < to_ms ? end_ms : to_ms;
        ISO_TRY(ask_piece(&call, reterr));
    }
    return ISO_OK;
}

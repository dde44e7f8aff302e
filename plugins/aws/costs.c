/* What was charged: Cost Explorer GetCostAndUsage, by day, service and type of record.
 *
 * Every page costs USD 0.01, so nothing is asked unless the operator allowed it, and answers are
 * kept in the cache folder: a fetch of the same days within `cost_cache_hours` asks nothing. */
#include <stdio.h>

#include "aws.h"
#include "isocost/sdk/ask.h"
#include "isocost/sdk/kept.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_DAY (86400 * NS_PER_S)
#define NS_PER_HOUR (3600 * NS_PER_S)

/* Record types of Cost Explorer; any other is usage. */
static const struct {
    const char *name;
    int32_t category, pricing;
} record_types[] = {
    {"Tax", ISO_PLUGIN_COST_CATEGORY_TAX, 0},
    {"Credit", ISO_PLUGIN_COST_CATEGORY_CREDIT, 0},
    {"Refund", ISO_PLUGIN_COST_CATEGORY_ADJUSTMENT, 0},
    {"Enterprise Discount Program Discount", ISO_PLUGIN_COST_CATEGORY_ADJUSTMENT, 0},
    {"Solution Provider Program Discount", ISO_PLUGIN_COST_CATEGORY_ADJUSTMENT, 0},
    {"Bundled Discount", ISO_PLUGIN_COST_CATEGORY_ADJUSTMENT, 0},
    {"Savings Plan Negation", ISO_PLUGIN_COST_CATEGORY_ADJUSTMENT, 0},
    {"Savings Plan Upfront Fee", ISO_PLUGIN_COST_CATEGORY_PURCHASE,
     ISO_PLUGIN_COST_PRICING_COMMITTED},
    {"Savings Plan Recurring Fee", ISO_PLUGIN_COST_CATEGORY_PURCHASE,
     ISO_PLUGIN_COST_PRICING_COMMITTED},
    {"Upfront reservation fee", ISO_PLUGIN_COST_CATEGORY_PURCHASE,
     ISO_PLUGIN_COST_PRICING_COMMITTED},
    {"Recurring reservation fee", ISO_PLUGIN_COST_CATEGORY_PURCHASE,
     ISO_PLUGIN_COST_PRICING_COMMITTED},
    {"Savings Plan Covered Usage", ISO_PLUGIN_COST_CATEGORY_USAGE,
     ISO_PLUGIN_COST_PRICING_COMMITTED},
    {"Reservation applied usage", ISO_PLUGIN_COST_CATEGORY_USAGE,
     ISO_PLUGIN_COST_PRICING_COMMITTED},
};

struct costs_call {
    const struct iso_aws_fetch *fetch;
    struct iso_text *kept; /* the cache file that grows, its last bracket missing */
    size_t n_pages;
};

static struct iso_amount metric_of(const struct iso_json *group, const char *path)
{
    struct iso_amount amount = {0};

    if (iso_number_read_rounded(iso_json_text_at(group, path), &amount, NULL) != ISO_NUMBER_READ)
        return (struct iso_amount){0};
    return amount;
}

static enum iso_status send_group(const struct costs_call *call, const struct iso_json *group,
                                  int64_t start_ns, struct iso_error *reterr)
{
    const struct iso_json *keys = iso_json_at(group, "Keys");
    const struct iso_fetch *what = call->fetch->what;

    if (start_ns < what->from_ns || start_ns >= what->to_ns)
        return ISO_OK;
    iso_scratch_reset(call->fetch->row);
    const char *service = iso_json_scalar(iso_json_item(keys, 0), call->fetch->row);
    const char *record = iso_json_scalar(iso_json_item(keys, 1), call->fetch->row);
    struct iso_plugin_cost row = {
        .provider = "aws",
        .service = service,
        .place = record,
        .category = ISO_PLUGIN_COST_CATEGORY_USAGE,
        .pricing = ISO_PLUGIN_COST_PRICING_STANDARD,
        .start_ns = start_ns,
        .end_ns = start_ns + NS_PER_DAY,
        .billed = metric_of(group, "Metrics.UnblendedCost.Amount"),
        .effective = metric_of(group, "Metrics.AmortizedCost.Amount"),
        .currency = iso_json_text_at(group, "Metrics.UnblendedCost.Unit"),
        .quantity = metric_of(group, "Metrics.UsageQuantity.Amount"),
    };
    for (size_t i = 0; record && i < ISO_ARRAY_LENGTH(record_types); i++)
        if (iso_name_equal(record, record_types[i].name)) {
            row.category = record_types[i].category;
            row.pricing = record_types[i].pricing;
        }
    if (!service || !record || !row.billed.present)
        return iso_report(call->fetch->sink, "invalid_value", /* quarantined= */ true,
                          service ? service : "Cost Explorer",
                          "a group without service, type of record or cost", reterr);
    return iso_put_costs(call->fetch->sink, &row, 1, reterr);
}

static enum iso_status read_answer(const struct costs_call *call, const struct iso_json *answer,
                                   struct iso_error *reterr)
{
    const struct iso_json *days = iso_json_at(answer, "ResultsByTime");
    char start[32];
    int64_t start_ns;

    for (size_t d = 0; d < iso_json_length(days); d++) {
        const struct iso_json *day = iso_json_item(days, d);
        const struct iso_json *groups = iso_json_at(day, "Groups");
        snprintf(start, sizeof(start), "%.10sT00:00:00Z",
                 iso_json_text_at(day, "TimePeriod.Start"));
        if (iso_time_read(start, &start_ns, NULL) != ISO_OK)
            return iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                            "Cost Explorer answered with a day \"%.10s\"", start);
        for (size_t g = 0; g < iso_json_length(groups); g++)
            ISO_TRY(send_group(call, iso_json_item(groups, g), start_ns, reterr));
    }
    return ISO_OK;
}

/* ---- The cache: {"fetched_ns": "...", "answers": [...]}, one file for each length of a span: a
 * schedule asks for other days each day, and files of days gone by would stay for ever ---- */

#define KEPT_FORM "1" /* of the answers in a kept file */

/* The days that are asked for, and what is kept of them. */
struct span {
    char from[ISO_TIME_TEXT_SIZE], to[ISO_TIME_TEXT_SIZE]; /* `to` is excluded */
    char name[ISO_AWS_PLACE_BYTES], version[ISO_AWS_PLACE_BYTES];
};

static struct span span_of(const struct iso_aws_fetch *fetch)
{
    int64_t end_ns = fetch->what->to_ns + NS_PER_DAY - 1;
    struct span span;

    iso_time_write(fetch->what->from_ns, span.from);
    iso_time_write(end_ns, span.to);
    snprintf(span.name, sizeof(span.name), "costs-%lld-days.json",
             (long long)(end_ns / NS_PER_DAY - fetch->what->from_ns / NS_PER_DAY));
    snprintf(span.version, sizeof(span.version), KEPT_FORM " %.10s %.10s", span.from, span.to);
    return span;
}

/* Sends what the cache has of these days, if it is young enough. A cache that cannot be read is
 * none. */
static enum iso_status send_cached(const struct iso_aws_fetch *fetch, const struct span *span,
                                   bool *ret_sent, struct iso_error *reterr)
{
    const struct costs_call call = {.fetch = fetch};
    int64_t oldest_ns = fetch->now_ns - fetch->aws->config->cost_cache_hours * NS_PER_HOUR;
    struct iso_answer bytes = {0};
    ISO_AUTO_JSON *cache = NULL;
    bool found;

    *ret_sent = false;
    enum iso_status status = iso_kept_read(fetch->host, span->name, span->version,
                                           iso_answer_receive, &bytes, &found, reterr);
    if (status == ISO_OK && found)
        iso_json_document_read(bytes.bytes, bytes.n_bytes, &cache, NULL);
    iso_answer_fini(&bytes);
    if (status != ISO_OK || !cache)
        return status;
    int64_t fetched_ns = strtoll(iso_json_text_at(cache, "fetched_ns"), NULL, 10);
    const struct iso_json *answers = iso_json_at(cache, "answers");
    if (fetched_ns <= oldest_ns || fetched_ns > fetch->now_ns)
        return ISO_OK;
    for (size_t i = 0; i < iso_json_length(answers); i++)
        ISO_TRY(read_answer(&call, iso_json_item(answers, i), reterr));
    *ret_sent = true;
    return ISO_OK;
}

static enum iso_status write_cache(const struct iso_aws_fetch *fetch, const struct span *span,
                                   const struct iso_text *text, struct iso_error *reterr)
{
    ISO_AUTO(iso_kept) kept = iso_kept_begin(fetch->host, span->name, span->version);

    iso_kept_add(kept, text->bytes, text->n_bytes);
    if (!iso_kept_end(kept))
        return iso_fail(reterr, ISO_E_IO, "",
                        "the cache folder cannot be written to, and Cost Explorer is not asked "
                        "without one");
    return ISO_OK;
}

static enum iso_status on_page(void *context, const struct iso_json *answer,
                               struct iso_error *reterr)
{
    struct costs_call *call = context;

    iso_text_add(call->kept, "%s", call->n_pages++ > 0 ? "," : "");
    iso_json_print(answer, call->kept);
    return read_answer(call, answer, reterr);
}

static enum iso_status ask(const struct iso_aws_fetch *fetch, const struct span *span,
                           struct iso_error *reterr)
{
    ISO_AUTO_TEXT body = {0}, kept = {0};
    struct costs_call call = {.fetch = fetch, .kept = &kept};

    iso_text_add(&kept, "{\"fetched_ns\":\"%lld\",\"answers\":[", (long long)fetch->now_ns);
    iso_text_add(&body,
                 "{\"TimePeriod\":{\"Start\":\"%.10s\",\"End\":\"%.10s\"},"
                 "\"Granularity\":\"DAILY\","
                 "\"Metrics\":[\"UnblendedCost\",\"AmortizedCost\",\"UsageQuantity\"],"
                 "\"GroupBy\":[{\"Type\":\"DIMENSION\",\"Key\":\"SERVICE\"},"
                 "{\"Type\":\"DIMENSION\",\"Key\":\"RECORD_TYPE\"}]",
                 span->from, span->to);
    ISO_TRY(iso_text_check(&body, reterr));
    ISO_TRY(iso_aws_ask_json(fetch, &iso_aws_cost_explorer, fetch->aws->regions[0],
                             "GetCostAndUsage", body.bytes, on_page, &call, reterr));
    iso_text_add(&kept, "]}");
    ISO_TRY(iso_text_check(&kept, reterr));
    return write_cache(fetch, span, &kept, reterr);
}

enum iso_status iso_aws_send_costs(const struct iso_aws_fetch *fetch, struct iso_error *reterr)
{
    struct span span = span_of(fetch);
    bool sent;

    if (!fetch->aws->config->cost_explorer)
        return iso_report(
            fetch->sink, "costs_not_allowed", /* quarantined= */ false, "Cost Explorer",
            "each page costs USD 0.01; set cost_explorer to true to allow it", reterr);
    if (!fetch->host->cache_directory[0])
        return iso_fail(reterr, ISO_E_INVALID, "cost_explorer",
                        "Cost Explorer is not asked without a cache folder: each page costs "
                        "USD 0.01");
    ISO_TRY(send_cached(fetch, &span, &sent, reterr));
    return sent ? ISO_OK : ask(fetch, &span, reterr);
}

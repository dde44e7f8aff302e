/* What was charged: Cost Explorer GetCostAndUsage, by day, service and type of record.
 *
 * Every page costs USD 0.01, so nothing is asked unless the operator allowed it, and answers are
 * kept in the cache folder: a fetch of the same days within `cost_cache_hours` asks nothing. */
#include <errno.h>
#include <stdio.h>

#include "aws.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_DAY (86400 * NS_PER_S)
#define MAX_CACHE_BYTES ((size_t)64 << 20)
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

/* ---- The cache: {"fetched_ns": "...", "answers": [...]}, one file for each span of days ---- */

static void cache_path(const struct iso_aws_fetch *fetch, const char *from, const char *to,
                       struct iso_text *path)
{
    iso_text_add(path, "%s/costs-%.10s-%.10s.json", fetch->host->cache_directory, from, to);
}

/* Reads a whole file. *ret_n is 0 when there is none, or it is too large. */
static enum iso_status read_file(const char *path, char **ret_bytes, size_t *ret_n,
                                 struct iso_error *reterr)
{
    FILE *file = fopen(path, "rb");
    long n = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : 0;

    *ret_n = 0;
    *ret_bytes = NULL;
    if (n > 0 && (size_t)n <= MAX_CACHE_BYTES) {
        *ret_bytes = iso_calloc((size_t)n + 1, 1);
        rewind(file);
        if (*ret_bytes)
            *ret_n = fread(*ret_bytes, 1, (size_t)n, file);
    }
    if (file)
        fclose(file);
    return n > 0 && (size_t)n <= MAX_CACHE_BYTES && !*ret_bytes ? iso_aws_full(reterr) : ISO_OK;
}

/* Sends what the cache has of these days, if it is young enough. A cache that cannot be read is
 * none. */
static enum iso_status send_cached(const struct iso_aws_fetch *fetch, const char *path,
                                   bool *ret_sent, struct iso_error *reterr)
{
    const struct costs_call call = {.fetch = fetch};
    int64_t oldest_ns = fetch->now_ns - fetch->aws->config->cost_cache_hours * NS_PER_HOUR;
    ISO_AUTO_MEM char *bytes = NULL;
    ISO_AUTO_JSON *cache = NULL;
    size_t n_bytes;

    *ret_sent = false;
    ISO_TRY(read_file(path, &bytes, &n_bytes, reterr));
    if (n_bytes == 0 || iso_json_document_read(bytes, n_bytes, &cache, NULL) != ISO_OK)
        return ISO_OK;
    int64_t fetched_ns = strtoll(iso_json_text_at(cache, "fetched_ns"), NULL, 10);
    const struct iso_json *answers = iso_json_at(cache, "answers");
    if (fetched_ns <= oldest_ns || fetched_ns > fetch->now_ns)
        return ISO_OK;
    for (size_t i = 0; i < iso_json_length(answers); i++)
        ISO_TRY(read_answer(&call, iso_json_item(answers, i), reterr));
    *ret_sent = true;
    return ISO_OK;
}

/* Writes beside the file and renames, so that a file is whole or not there. */
static enum iso_status write_cache(const char *path, const struct iso_text *text,
                                   struct iso_error *reterr)
{
    ISO_AUTO_TEXT beside = {0};

    iso_text_add(&beside, "%s.new", path);
    ISO_TRY(iso_text_check(&beside, reterr));
    FILE *file = fopen(beside.bytes, "wb");
    bool written = file && fwrite(text->bytes, 1, text->n_bytes, file) == text->n_bytes;
    written &= file && fclose(file) == 0;
    if (!written || rename(beside.bytes, path) != 0)
        return iso_fail(reterr, ISO_E_IO, "", "the cache folder cannot be written to: %s",
                        strerror(errno));
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

static enum iso_status ask(const struct iso_aws_fetch *fetch, const char *from, const char *to,
                           const char *path, struct iso_error *reterr)
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
                 from, to);
    ISO_TRY(iso_text_check(&body, reterr));
    ISO_TRY(iso_aws_ask_json(fetch, &iso_aws_cost_explorer, fetch->aws->regions[0],
                             "GetCostAndUsage", body.bytes, on_page, &call, reterr));
    iso_text_add(&kept, "]}");
    ISO_TRY(iso_text_check(&kept, reterr));
    return write_cache(path, &kept, reterr);
}

enum iso_status iso_aws_send_costs(const struct iso_aws_fetch *fetch, struct iso_error *reterr)
{
    char from[ISO_TIME_TEXT_SIZE], to[ISO_TIME_TEXT_SIZE];
    ISO_AUTO_TEXT path = {0};
    bool sent;

    if (!fetch->aws->config->cost_explorer)
        return iso_report(
            fetch->sink, "costs_not_allowed", /* quarantined= */ false, "Cost Explorer",
            "each page costs USD 0.01; set cost_explorer to true to allow it", reterr);
    if (!fetch->host->cache_directory[0])
        return iso_fail(reterr, ISO_E_INVALID, "cost_explorer",
                        "Cost Explorer is not asked without a cache folder: each page costs "
                        "USD 0.01");
    iso_time_write(fetch->what->from_ns, from);
    iso_time_write(fetch->what->to_ns + NS_PER_DAY - 1, to); /* the end is excluded */
    cache_path(fetch, from, to, &path);
    ISO_TRY(iso_text_check(&path, reterr));
    ISO_TRY(send_cached(fetch, path.bytes, &sent, reterr));
    return sent ? ISO_OK : ask(fetch, from, to, path.bytes, reterr);
}

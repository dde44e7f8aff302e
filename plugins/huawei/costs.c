/* What was charged, by day, service and region (cost-analysed-bills).
 *
 * The service answers either with what was billed (ORIGINAL_COST: a subscription is charged when it
 * is bought) or with what time cost (AMORTIZED_COST: spread over its term), so both are asked and
 * joined. What only one of them knows is 0 in the other; a day that is not yet amortized at all,
 * which takes one or two days, has what was billed in its place. Days are those of UTC+8. */
#include <stdio.h>

#include "huawei.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/pager.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"

#define PAGE_COSTS 1000
#define NS_PER_DAY (INT64_C(86400) * 1000000000)
#define BILL_ZONE_NS (8 * INT64_C(3600) * 1000000000) /* east of UTC */

enum kind { ORIGINAL, AMORTIZED, N_KINDS };
static const char *const kinds[N_KINDS] = {"ORIGINAL_COST", "AMORTIZED_COST"};

/* A charge of both answers; key "day|service|region". */
struct charge {
    const char *service, *region;
    char currency[4];
    int64_t day; /* since 1970, of UTC+8 */
    bool told[N_KINDS];
    iso_decimal amounts[N_KINDS];
    struct iso_amount list;
};

struct costs_call {
    const struct iso_huawei_fetch *fetch;
    struct iso_dictionary *charges;
    struct iso_dictionary *amortized_days; /* by day: nothing */
    enum kind kind;                        /* of the answer under way */
    int64_t first_day, end_day;            /* half-open */
    int64_t offset;                        /* of the page under way */
};

static const char *dimension_of(const struct iso_json *data, const char *key)
{
    const struct iso_json *dimensions = iso_json_at(data, "dimensions");

    for (size_t i = 0; i < iso_json_length(dimensions); i++) {
        const struct iso_json *dimension = iso_json_item(dimensions, i);
        if (strcmp(iso_json_text_at(dimension, "key"), key) == 0)
            return iso_json_text_at(dimension, "value");
    }
    return "";
}

static bool read_day(const char *text, int64_t *ret_day)
{
    char time[ISO_TIME_TEXT_SIZE];
    int64_t ns;

    if (strlen(text) != strlen("2026-03-01"))
        return false;
    snprintf(time, sizeof(time), "%.10sT00:00:00Z", text);
    if (iso_time_read(time, &ns, NULL) != ISO_OK)
        return false;
    *ret_day = ns / NS_PER_DAY;
    return true;
}

/* Adds a cost to the charge that it belongs to. */
static enum iso_status add(const struct costs_call *call, const char *service, const char *region,
                           const char *currency, int64_t day, const struct iso_json *cost,
                           struct iso_amount amount, struct iso_error *reterr)
{
    ISO_AUTO_TEXT key = {0};

    iso_text_add(&key, "%lld|%s|%s", (long long)day, service, region);
    ISO_TRY(iso_text_check(&key, reterr));
    struct charge *charge = iso_dictionary_add(call->charges, key.bytes);
    if (!charge)
        return iso_huawei_full(reterr);
    if (charge->told[call->kind])
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the cost of \"%.100s\" came twice",
                        key.bytes);
    if (!charge->service) {
        charge->service = iso_huawei_keep(call->fetch, service);
        charge->region = iso_huawei_keep(call->fetch, region);
        charge->day = day;
        memcpy(charge->currency, currency, sizeof(charge->currency));
    }
    charge->told[call->kind] = true;
    charge->amounts[call->kind] = amount.value;
    if (call->kind == ORIGINAL)
        charge->list = iso_json_amount_at(cost, "official_amount", call->fetch->row);
    return charge->service && charge->region ? ISO_OK : iso_huawei_full(reterr);
}

static enum iso_status take_cost(const struct costs_call *call, const struct iso_json *data,
                                 const struct iso_json *cost, const char *currency,
                                 struct iso_error *reterr)
{
    const char *service = dimension_of(data, "CLOUD_SERVICE_TYPE");
    const char *day_text = iso_json_text_at(cost, "time_dimension_value");
    int64_t day;

    iso_scratch_reset(call->fetch->row);
    struct iso_amount amount = iso_json_amount_at(cost, "amount", call->fetch->row);
    if (!amount.present || !service[0] || !read_day(day_text, &day))
        return iso_report(call->fetch->sink, "invalid_value", /* quarantined= */ true,
                          service[0] ? service : "costs",
                          "a cost without a service, a day or an amount", reterr);
    if (day < call->first_day || day >= call->end_day)
        return ISO_OK;
    if (call->kind == AMORTIZED && !iso_dictionary_add(call->amortized_days, day_text))
        return iso_huawei_full(reterr);
    return add(call, service, dimension_of(data, "REGION_CODE"), currency, day, cost, amount,
               reterr);
}

static enum iso_status take_page(const struct costs_call *call, const struct iso_json *answer,
                                 const struct iso_json *list, struct iso_error *reterr)
{
    char currency[4];

    if (!iso_huawei_currency(call->fetch->huawei, iso_json_text_at(answer, "currency"), currency))
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                        "the currency of the costs is no code of three letters");
    for (size_t i = 0; i < iso_json_length(list); i++) {
        const struct iso_json *data = iso_json_item(list, i), *costs;
        ISO_TRY(iso_huawei_list(data, "costs", &costs, reterr));
        for (size_t c = 0; c < iso_json_length(costs); c++)
            ISO_TRY(take_cost(call, data, iso_json_item(costs, c), currency, reterr));
    }
    return ISO_OK;
}

/* Whether the last day that is asked for is given is not documented: one more is asked for, which
 * take_cost() leaves out, unless it has not begun. */
static enum iso_status make_body(const struct costs_call *call, struct iso_text *body,
                                 struct iso_error *reterr)
{
    char first[ISO_TIME_TEXT_SIZE], last[ISO_TIME_TEXT_SIZE];
    int64_t today = (call->fetch->now_ns + BILL_ZONE_NS) / NS_PER_DAY;
    int64_t begun = today > call->first_day ? today : call->first_day;
    int64_t last_day = call->end_day < begun ? call->end_day : begun;

    iso_time_write(call->first_day * NS_PER_DAY, first);
    iso_time_write(last_day * NS_PER_DAY, last);
    iso_text_add(body,
                 "{\"time_condition\":{\"time_measure_id\":1,\"begin_time\":\"%.10s\","
                 "\"end_time\":\"%.10s\"},\"groupby\":["
                 "{\"type\":\"dimension\",\"key\":\"CLOUD_SERVICE_TYPE\"},"
                 "{\"type\":\"dimension\",\"key\":\"REGION_CODE\"}],"
                 "\"cost_type\":\"%s\",\"amount_type\":\"PAYMENT_AMOUNT\","
                 "\"offset\":%lld,\"limit\":%d}",
                 first, last, kinds[call->kind], (long long)call->offset, PAGE_COSTS);
    return iso_text_check(body, reterr);
}

static enum iso_status ask_page(void *context, const char *cursor, struct iso_text *next,
                                struct iso_error *reterr)
{
    struct costs_call *call = context;
    const struct iso_json *list;
    ISO_AUTO_JSON *answer = NULL;
    ISO_AUTO_TEXT body = {0};

    call->offset = cursor[0] ? strtoll(cursor, NULL, 10) : 0;
    ISO_TRY(make_body(call, &body, reterr));
    const struct iso_huawei_call ask = {"bss", "/v4/costs/cost-analysed-bills/query", body.bytes};
    ISO_TRY(iso_huawei_ask(call->fetch, &ask, &answer, NULL, reterr));
    ISO_TRY(iso_huawei_list(answer, "cost_data", &list, reterr));
    ISO_TRY(take_page(call, answer, list, reterr));
    iso_scratch_reset(call->fetch->row);
    struct iso_amount total = iso_json_amount_at(answer, "total_count", call->fetch->row);
    int64_t end = call->offset + (int64_t)iso_json_length(list);
    bool more = total.value > end * ISO_DECIMAL_ONE;
    if (!total.present || (more && end == call->offset))
        return iso_fail(
            reterr, ISO_E_UNAVAILABLE, "", "the page of costs at %lld %s", (long long)call->offset,
            total.present ? "is empty, and there are more of them" : "does not count them");
    if (more)
        iso_text_add(next, "%lld", (long long)end);
    return ISO_OK;
}

static enum iso_status send(const struct costs_call *call, const struct charge *charge,
                            struct iso_error *reterr)
{
    char day_text[ISO_TIME_TEXT_SIZE];
    struct iso_plugin_cost row = {
        .provider = "huawei",
        .account = call->fetch->huawei->config->domain_id,
        .region = charge->region,
        .service = charge->service,
        .category = ISO_PLUGIN_COST_CATEGORY_USAGE,
        .pricing = ISO_PLUGIN_COST_PRICING_STANDARD,
        .start_ns = charge->day * NS_PER_DAY - BILL_ZONE_NS,
        .end_ns = (charge->day + 1) * NS_PER_DAY - BILL_ZONE_NS,
        .billed = {true, charge->amounts[ORIGINAL]},
        .effective = {true, charge->amounts[AMORTIZED]},
        .list = charge->list,
        .currency = charge->currency,
    };

    iso_time_write(charge->day * NS_PER_DAY, day_text);
    day_text[strlen("2026-03-01")] = '\0';
    if (!iso_dictionary_find(call->amortized_days, day_text)) {
        row.effective = row.billed;
        row.effective_from_billed = true;
    }
    return iso_put_costs(call->fetch->sink, &row, 1, reterr);
}

enum iso_status iso_huawei_send_costs(const struct iso_huawei_fetch *fetch,
                                      struct iso_error *reterr)
{
    ISO_AUTO(iso_dictionary) charges = iso_dictionary_new(sizeof(struct charge));
    ISO_AUTO(iso_dictionary) days = iso_dictionary_new(0);
    int64_t from_ns = fetch->what->from_ns + BILL_ZONE_NS,
            to_ns = fetch->what->to_ns + BILL_ZONE_NS;
    struct costs_call call = {
        .fetch = fetch,
        .charges = charges,
        .amortized_days = days,
        .first_day = (from_ns + NS_PER_DAY - 1) / NS_PER_DAY, /* that begins in the span */
        .end_day = (to_ns + NS_PER_DAY - 1) / NS_PER_DAY,
    };

    if (!charges || !days)
        return iso_huawei_full(reterr);
    if (call.first_day >= call.end_day)
        return ISO_OK;
    for (call.kind = ORIGINAL; call.kind < N_KINDS; call.kind++)
        ISO_TRY(iso_pager_run(fetch->host, ask_page, &call, reterr));
    for (size_t i = 0; i < iso_dictionary_count(charges); i++)
        ISO_TRY(send(&call, iso_dictionary_record(charges, i), reterr));
    return ISO_OK;
}

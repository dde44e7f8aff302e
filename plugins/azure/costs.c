/* What was charged: the Cost Management query API, by day, resource and type of charge.
 *
 * It answers either with what was billed (ActualCost: a reservation is charged when it is bought)
 * or with what time cost (AmortizedCost: spread over what used it), so both are asked and joined.
 * What only one of them knows is 0 in the other. */
#include <stdio.h>

#include "azure.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_DAY (86400 * NS_PER_S)
#define MAX_COLUMNS 32

/* Columns by name: their order is the service's. The first name of a column is today's. */
enum column { COST, DATE, RESOURCE, CHARGE, CURRENCY, N_COLUMNS };
static const char *const names[N_COLUMNS][2] = {
    [COST] = {"Cost", "PreTaxCost"},
    [DATE] = {"UsageDate", "UsageDate"},
    [RESOURCE] = {"ResourceId", "ResourceId"},
    [CHARGE] = {"ChargeType", "ChargeType"},
    [CURRENCY] = {"Currency", "BillingCurrency"},
};

static const struct {
    const char *name;
    int32_t category, pricing, use;
    bool correction;
} charge_types[] = {
    {.name = "Usage", .category = ISO_PLUGIN_COST_CATEGORY_USAGE},
    {.name = "Purchase", .category = ISO_PLUGIN_COST_CATEGORY_PURCHASE},
    {.name = "Tax", .category = ISO_PLUGIN_COST_CATEGORY_TAX},
    {.name = "Refund", .category = ISO_PLUGIN_COST_CATEGORY_ADJUSTMENT, .correction = true},
    {.name = "RoundingAdjustment", .category = ISO_PLUGIN_COST_CATEGORY_ADJUSTMENT},
    {.name = "UnusedReservation",
     .category = ISO_PLUGIN_COST_CATEGORY_USAGE,
     .pricing = ISO_PLUGIN_COST_PRICING_COMMITTED,
     .use = ISO_PLUGIN_COMMITMENT_USE_UNUSED},
    {.name = "UnusedSavingsPlan",
     .category = ISO_PLUGIN_COST_CATEGORY_USAGE,
     .pricing = ISO_PLUGIN_COST_PRICING_COMMITTED,
     .use = ISO_PLUGIN_COMMITMENT_USE_UNUSED},
};

/* A charge of both answers; key "day|charge|currency|resource". */
struct charge {
    const char *resource, *kind;
    char currency[4];
    int64_t start_ns;
    iso_decimal billed, effective;
};

struct costs_call {
    const struct iso_azure_fetch *fetch;
    struct iso_dictionary *charges;
    bool amortized; /* the answer under way */
};

/* Finds the columns of an answer. */
static enum iso_status bind(const struct iso_json *columns, int32_t ret_places[N_COLUMNS],
                            struct iso_error *reterr)
{
    for (int c = 0; c < N_COLUMNS; c++) {
        ret_places[c] = -1;
        for (size_t i = 0; i < iso_json_length(columns) && i < MAX_COLUMNS; i++) {
            const char *name = iso_json_text_at(iso_json_item(columns, i), "name");
            if (iso_name_equal(name, names[c][0]) || iso_name_equal(name, names[c][1]))
                ret_places[c] = (int32_t)i;
        }
        if (ret_places[c] < 0)
            return iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                            "the Cost Management answer has no column %s", names[c][0]);
    }
    return ISO_OK;
}

/* 20240131, a number, is a day. */
static bool read_day(const char *text, int64_t *ret_ns)
{
    char day[32];

    if (!text || strlen(text) != strlen("20240131"))
        return false;
    snprintf(day, sizeof(day), "%.4s-%.2s-%.2sT00:00:00Z", text, text + 4, text + 6);
    return iso_time_read(day, ret_ns, NULL) == ISO_OK;
}

static enum iso_status take_row(const struct costs_call *call, const char *const text[N_COLUMNS],
                                struct iso_error *reterr)
{
    const struct iso_fetch *what = call->fetch->what;
    struct iso_amount amount = {0};
    int64_t start_ns;
    ISO_AUTO_TEXT key = {0};

    if (!read_day(text[DATE], &start_ns) ||
        iso_number_read_rounded(text[COST], &amount, NULL) != ISO_NUMBER_READ || !text[CHARGE] ||
        !text[CURRENCY] || strlen(text[CURRENCY]) != 3)
        return iso_report(call->fetch->sink, "invalid_value", /* quarantined= */ true,
                          text[RESOURCE] ? text[RESOURCE] : "Cost Management",
                          "a row without day, cost, type of charge or currency", reterr);
    if (start_ns < what->from_ns || start_ns >= what->to_ns)
        return ISO_OK;
    iso_text_add(&key, "%s|%s|%s|", text[DATE], text[CHARGE], text[CURRENCY]);
    size_t n_head = key.n_bytes;
    iso_text_add(&key, "%s", text[RESOURCE] ? text[RESOURCE] : "");
    ISO_TRY(iso_text_check(&key, reterr));
    const char *resource = iso_azure_keep_lower(call->fetch, key.bytes + n_head);
    if (!resource)
        return iso_azure_full(reterr);
    memcpy(key.bytes + n_head, resource, strlen(resource)); /* ids come in several cases */
    struct charge *charge = iso_dictionary_add(call->charges, key.bytes);
    if (!charge)
        return iso_azure_full(reterr);
    if (!charge->kind) {
        charge->resource = resource;
        charge->kind = iso_azure_keep(call->fetch, text[CHARGE]);
        charge->start_ns = start_ns;
        memcpy(charge->currency, text[CURRENCY], sizeof(charge->currency));
    }
    *(call->amortized ? &charge->effective : &charge->billed) += amount.value;
    return charge->kind ? ISO_OK : iso_azure_full(reterr);
}

static enum iso_status on_page(void *context, const struct iso_json *answer,
                               struct iso_error *reterr)
{
    const struct costs_call *call = context;
    const struct iso_json *rows = iso_json_at(answer, "properties.rows");
    int32_t places[N_COLUMNS];
    const char *text[N_COLUMNS];

    ISO_TRY(bind(iso_json_at(answer, "properties.columns"), places, reterr));
    for (size_t i = 0; i < iso_json_length(rows); i++) {
        const struct iso_json *row = iso_json_item(rows, i);
        iso_scratch_reset(call->fetch->row);
        for (int c = 0; c < N_COLUMNS; c++)
            text[c] = iso_json_scalar(iso_json_item(row, (size_t)places[c]), call->fetch->row);
        ISO_TRY(take_row(call, text, reterr));
    }
    return ISO_OK;
}

static enum iso_status ask(struct costs_call *costs, struct iso_error *reterr)
{
    const struct iso_azure_fetch *fetch = costs->fetch;
    char from[ISO_TIME_TEXT_SIZE], to[ISO_TIME_TEXT_SIZE];
    ISO_AUTO_TEXT url = {0}, body = {0};

    iso_text_add(&url,
                 "https://management.azure.com/subscriptions/%s/providers/"
                 "Microsoft.CostManagement/query?api-version=2023-11-01",
                 fetch->azure->config->subscription);
    iso_text_add(&body,
                 "{\"type\":\"%s\",\"timeframe\":\"Custom\","
                 "\"timePeriod\":{\"from\":\"%s\",\"to\":\"%s\"},"
                 "\"dataset\":{\"granularity\":\"Daily\","
                 "\"aggregation\":{\"totalCost\":{\"name\":\"Cost\",\"function\":\"Sum\"}},"
                 "\"grouping\":[{\"type\":\"Dimension\",\"name\":\"ResourceId\"},"
                 "{\"type\":\"Dimension\",\"name\":\"ChargeType\"}]}}",
                 costs->amortized ? "AmortizedCost" : "ActualCost",
                 iso_time_write(fetch->what->from_ns, from),
                 iso_time_write(fetch->what->to_ns - NS_PER_S, to)); /* the end is included */
    ISO_TRY(iso_text_check(&url, reterr));
    ISO_TRY(iso_text_check(&body, reterr));
    const struct iso_azure_call call = {
        .service = "management",
        .url = url.bytes,
        .method = "POST",
        .body = body.bytes,
        .link = "properties.nextLink",
    };
    return iso_azure_ask(fetch, &call, on_page, costs, reterr);
}

/* The service of a resource is in its id: .../providers/microsoft.compute/virtualmachines/... */
static const char *service_of(const struct iso_azure_fetch *fetch, const char *resource)
{
    static const char before[] = "/providers/";
    const char *at = strstr(resource, before);

    at = at ? at + strlen(before) : "";
    return iso_scratch_text(fetch->row, at, strcspn(at, "/"));
}

static enum iso_status send(const struct iso_azure_fetch *fetch, const struct charge *charge,
                            struct iso_error *reterr)
{
    struct iso_plugin_cost row = {
        .provider = "azure",
        .account = fetch->azure->config->subscription,
        .resource = charge->resource,
        .place = charge->kind,
        .start_ns = charge->start_ns,
        .end_ns = charge->start_ns + NS_PER_DAY,
        .billed = {true, charge->billed},
        .effective = {true, charge->effective},
        .currency = charge->currency,
    };

    iso_scratch_reset(fetch->row);
    row.service = service_of(fetch, charge->resource);
    if (!row.service)
        return iso_azure_full(reterr);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(charge_types); i++)
        if (iso_name_equal(charge->kind, charge_types[i].name)) {
            row.category = charge_types[i].category;
            row.pricing = charge_types[i].pricing;
            row.commitment_use = charge_types[i].use;
            row.correction = charge_types[i].correction;
        }
    if (row.category == ISO_PLUGIN_COST_CATEGORY_UNSPECIFIED) {
        row.category = ISO_PLUGIN_COST_CATEGORY_ADJUSTMENT;
        ISO_TRY(iso_report(fetch->sink, "unknown_charge_type", /* quarantined= */ false,
                           charge->resource, "the type of charge \"%.64s\" is read as adjustment",
                           reterr, charge->kind));
    }
    return iso_put_costs(fetch->sink, &row, 1, reterr);
}

enum iso_status iso_azure_send_costs(const struct iso_azure_fetch *fetch, struct iso_error *reterr)
{
    ISO_AUTO(iso_dictionary) charges = iso_dictionary_new(sizeof(struct charge));
    struct costs_call call = {.fetch = fetch, .charges = charges};

    if (!charges)
        return iso_azure_full(reterr);
    ISO_TRY(ask(&call, reterr));
    call.amortized = true;
    ISO_TRY(ask(&call, reterr));
    for (size_t i = 0; i < iso_dictionary_count(charges); i++)
        ISO_TRY(send(fetch, iso_dictionary_record(charges, i), reterr));
    return ISO_OK;
}

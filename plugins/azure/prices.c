/* Prices of a region: the Retail Prices API, which is public.
 *
 * One size of machine has a row for each way to use its meter: other systems, tests, old services,
 * spot, low priority, reservations. With the rules below one row of each kind is left; where two
 * are, something tells them apart that these rules do not know, and none of them is taken. */
#include <stdio.h>

#include "azure.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"

#define API_VERSION "2023-01-01-preview" /* the only one that has savings plans */
#define HOURS_PER_YEAR 8760

struct prices_call {
    const struct iso_azure_fetch *fetch;
    struct iso_azure_region *region;
};

static bool has(const struct iso_json *item, const char *name, const char *part)
{
    return strstr(iso_json_text_at(item, name), part) != NULL;
}

/* Rows that are not of a Linux machine of one's own. */
static bool is_left_out(const struct iso_json *item)
{
    const char *product = iso_json_text_at(item, "productName");
    size_t n = strlen(product);

    return strcmp(iso_json_text_at(item, "type"), "DevTestConsumption") == 0 ||
           strstr(product, "Windows") || strstr(product, " Win ") ||
           (n >= 4 && strcmp(product + n - 4, " Win") == 0) || strstr(product, "Cloud Services") ||
           strstr(product, "CloudServices") || strstr(product, "Dedicated Host") ||
           has(item, "skuName", "Low Priority") || has(item, "meterName", "Low Priority") ||
           !iso_json_text_at(item, "armSkuName")[0];
}

static enum iso_status refuse(const struct prices_call *call, const struct iso_json *item,
                              const char *code, const char *why, struct iso_error *reterr)
{
    char place[ISO_AZURE_PLACE_BYTES];

    snprintf(place, sizeof(place), "%s/%s", call->region->name,
             iso_json_text_at(item, "armSkuName"));
    return iso_report(call->fetch->sink, code, /* quarantined= */ true, place,
                      "%s (meter %.40s): %s", reterr, iso_json_text_at(item, "productName"),
                      iso_json_text_at(item, "meterId"), why);
}

/* "3 Years" and "1 Year"; 0 is no term. */
static int64_t years_of(const char *term)
{
    char *end;
    long years = strtol(term, &end, 10);

    return end > term && strncmp(end, " Year", 5) == 0 && years >= 1 && years <= ISO_AZURE_MAX_TERMS
               ? years
               : 0;
}

/* Keeps a price, unless one of another meter is kept already that differs from it. A price of 0
 * stands for "not sold so" in this API and gives way to any other. */
static enum iso_status keep(const struct prices_call *call, const struct iso_json *item,
                            struct iso_azure_price *price, struct iso_amount hourly,
                            int64_t effective_ns, struct iso_error *reterr)
{
    const char *meter = iso_json_text_at(item, "meterId");
    bool kept = price->meter[0], same = kept && strcmp(price->meter, meter) == 0;

    if (kept && !same && hourly.value == 0)
        return ISO_OK;
    if (kept && !same && price->hourly.value != 0 && price->hourly.value != hourly.value) {
        price->ambiguous = true;
        return refuse(call, item, "ambiguous_price",
                      "a second price of the same kind, and nothing to choose by", reterr);
    }
    if (same && price->effective_ns > effective_ns)
        return ISO_OK;
    snprintf(price->meter, sizeof(price->meter), "%s", meter[0] ? meter : "(no meter)");
    price->hourly = hourly;
    price->effective_ns = effective_ns;
    return ISO_OK;
}

/* Reads a price; false: it was told of instead. */
static bool read_price(const struct prices_call *call, const struct iso_json *item,
                       const struct iso_json *value, struct iso_amount *ret_price,
                       enum iso_status *ret_status, struct iso_error *reterr)
{
    struct iso_error error = {0};
    enum iso_number how =
        iso_number_read_rounded(iso_json_scalar(value, call->fetch->row), ret_price, &error);

    if (how == ISO_NUMBER_READ)
        return true;
    struct iso_price_fault fault = iso_price_fault_of(how, &error);
    *ret_status = refuse(call, item, fault.code, fault.text, reterr);
    return false;
}

/* Rates of savings plans beside an on-demand price; truly of an hour, unlike reservations. */
static enum iso_status read_savings(const struct prices_call *call, const struct iso_json *item,
                                    struct iso_azure_prices *prices, struct iso_error *reterr)
{
    const struct iso_json *plans = iso_json_at(item, "savingsPlan");
    enum iso_status status = ISO_OK;

    for (size_t i = 0; i < iso_json_length(plans); i++) {
        const struct iso_json *plan = iso_json_item(plans, i);
        int64_t years = years_of(iso_json_text_at(plan, "term"));
        struct iso_amount rate;
        if (years == 0)
            status = refuse(call, item, "invalid_value", "a savings plan of no known term", reterr);
        else if (read_price(call, item, iso_json_at(plan, "retailPrice"), &rate, &status, reterr))
            prices->savings[years] = rate;
        if (status != ISO_OK)
            return status;
    }
    return ISO_OK;
}

/* A reservation's price is that of its whole term, whatever its unit says. */
static enum iso_status take_reservation(const struct prices_call *call, const struct iso_json *item,
                                        struct iso_azure_prices *prices, struct iso_amount total,
                                        int64_t effective_ns, struct iso_error *reterr)
{
    int64_t years = years_of(iso_json_text_at(item, "reservationTerm"));

    if (years == 0)
        return refuse(call, item, "invalid_value", "a reservation of no known term", reterr);
    total.value =
        (iso_decimal)iso_wide_divide(total.value, years * HOURS_PER_YEAR, ISO_ROUND_HALF_EVEN);
    return keep(call, item, &prices->reserved[years], total, effective_ns, reterr);
}

static enum iso_status take_consumption(const struct prices_call *call, const struct iso_json *item,
                                        struct iso_azure_prices *prices, struct iso_amount price,
                                        int64_t effective_ns, struct iso_error *reterr)
{
    const char *unit = iso_json_text_at(item, "unitOfMeasure");
    char *end;
    long hours = strtol(unit, &end, 10);

    if (hours < 1 || strncmp(end, " Hour", 5) != 0)
        return refuse(call, item, "unknown_unit", "the unit is no number of hours", reterr);
    price.value = (iso_decimal)iso_wide_divide(price.value, hours, ISO_ROUND_HALF_EVEN);
    if (has(item, "skuName", "Spot") || has(item, "meterName", "Spot"))
        return keep(call, item, &prices->spot, price, effective_ns, reterr);
    ISO_TRY(keep(call, item, &prices->on_demand, price, effective_ns, reterr));
    return read_savings(call, item, prices, reterr);
}

static enum iso_status take_item(const struct prices_call *call, const struct iso_json *item,
                                 struct iso_error *reterr)
{
    const char *type = iso_json_text_at(item, "type");
    const char *currency = iso_json_text_at(item, "currencyCode");
    const char *tier = iso_json_scalar(iso_json_at(item, "tierMinimumUnits"), call->fetch->row);
    bool reservation = strcmp(type, "Reservation") == 0;
    enum iso_status status = ISO_OK;
    struct iso_error error = {0};
    struct iso_amount price;
    int64_t effective_ns;

    if (is_left_out(item) || (!reservation && strcmp(type, "Consumption") != 0) ||
        (tier && strtod(tier, NULL) > 0)) /* a price of many hours of one meter */
        return ISO_OK;
    if (iso_time_read(iso_json_text_at(item, "effectiveStartDate"), &effective_ns, &error) !=
        ISO_OK)
        return refuse(call, item, "invalid_value", error.text, reterr);
    if (effective_ns > call->fetch->now_ns)
        return ISO_OK;
    if (strlen(currency) != 3)
        return refuse(call, item, "unknown_currency", "no currency", reterr);
    if (!read_price(call, item, iso_json_at(item, "retailPrice"), &price, &status, reterr))
        return status;
    const char *key = iso_azure_row_lower(call->fetch, iso_json_text_at(item, "armSkuName"));
    struct iso_azure_prices *prices = key ? iso_dictionary_add(call->region->prices, key) : NULL;
    if (!prices)
        return iso_azure_full(reterr);
    snprintf(prices->currency, sizeof(prices->currency), "%s", currency);
    return reservation ? take_reservation(call, item, prices, price, effective_ns, reterr)
                       : take_consumption(call, item, prices, price, effective_ns, reterr);
}

static enum iso_status on_page(void *context, const struct iso_json *answer,
                               struct iso_error *reterr)
{
    const struct prices_call *call = context;
    const struct iso_json *items = iso_json_at(answer, "Items");

    if (iso_json_kind(items) != ISO_JSON_ARRAY)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the Retail Prices API gave no Items");
    for (size_t i = 0; i < iso_json_length(items); i++) {
        iso_scratch_reset(call->fetch->row);
        ISO_TRY(take_item(call, iso_json_item(items, i), reterr));
    }
    return ISO_OK;
}

enum iso_status iso_azure_fetch_prices(const struct iso_azure_fetch *fetch,
                                       struct iso_azure_region *region, struct iso_error *reterr)
{
    struct prices_call prices_call = {fetch, region};
    ISO_AUTO_TEXT url = {0};

    iso_text_add(&url,
                 "https://prices.azure.com/api/retail/prices?api-version=" API_VERSION
                 "&currencyCode=%%27%s%%27&$filter=serviceName%%20eq%%20%%27Virtual%%20Machines%%27"
                 "%%20and%%20armRegionName%%20eq%%20%%27%s%%27",
                 fetch->azure->config->currency, region->name);
    ISO_TRY(iso_text_check(&url, reterr));
    const struct iso_azure_call call = {
        .service = "retail", .url = url.bytes, .link = "NextPageLink", .is_public = true};
    return iso_azure_ask(fetch, &call, on_page, &prices_call, reterr);
}

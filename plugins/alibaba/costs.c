/* Costs: the bill by instance and day (DescribeInstanceBill). Days are those of UTC+8, by which
 * Alibaba Cloud bills on both sites; rows of the month under way change later. */
#include <ctype.h>
#include <stdio.h>

#include "alibaba.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"

#define NS_PER_HOUR (INT64_C(3600) * 1000000000)
#define NS_PER_DAY (24 * NS_PER_HOUR)
#define BILL_ZONE_NS (8 * NS_PER_HOUR) /* east of UTC */

struct costs_call {
    const struct iso_alibaba_fetch *fetch;
    int64_t start_ns; /* of the day under way */
};

static const struct {
    const char *item;
    int32_t category;
    bool correction, is_spread; /* over the term, which the bill does not tell */
} items[] = {
    {"PayAsYouGoBill", ISO_PLUGIN_COST_CATEGORY_USAGE, false, false},
    {"SubscriptionOrder", ISO_PLUGIN_COST_CATEGORY_PURCHASE, false, true},
    {"Refund", ISO_PLUGIN_COST_CATEGORY_ADJUSTMENT, true, false},
    {"Adjustment", ISO_PLUGIN_COST_CATEGORY_ADJUSTMENT, true, false},
};

/* Regions come as ids or as names in the language of the site; only ids are passed on. */
static const char *id_or_nothing(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '-')
            return "";
    return text;
}

static enum iso_status take_item(const struct costs_call *call, const struct iso_json *item,
                                 const char *account, struct iso_error *reterr)
{
    const struct iso_alibaba_fetch *fetch = call->fetch;
    const char *kind = iso_json_text_at(item, "Item"), *id = iso_json_text_at(item, "InstanceID");
    const char *owner = iso_json_text_at(item, "OwnerID");
    char currency[4];
    struct iso_plugin_cost row = {
        .provider = "alibaba",
        .account = owner[0] ? owner : account,
        .resource = id,
        .region = id_or_nothing(iso_json_text_at(item, "Region")),
        .zone = id_or_nothing(iso_json_text_at(item, "Zone")),
        .service = iso_json_text_at(item, "ProductCode"),
        .sku = iso_json_text_at(item, "InstanceSpec"),
        .place = kind,
        .pricing = ISO_PLUGIN_COST_PRICING_STANDARD,
        .start_ns = call->start_ns,
        .end_ns = call->start_ns + NS_PER_DAY,
        .currency = currency,
    };
    size_t i = 0;

    iso_scratch_reset(fetch->row);
    row.billed = row.effective = iso_alibaba_amount(fetch, item, "PretaxAmount");
    row.list = iso_alibaba_amount(fetch, item, "PretaxGrossAmount");
    if (!row.billed.present ||
        !iso_alibaba_currency(fetch->alibaba, iso_json_text_at(item, "Currency"), currency))
        return iso_report(fetch->sink, "invalid_value", /* quarantined= */ true, id,
                          "a row of the bill without an amount or a currency", reterr);
    while (i < ISO_ARRAY_LENGTH(items) && strcmp(kind, items[i].item) != 0)
        i++;
    if (i == ISO_ARRAY_LENGTH(items)) {
        row.category = ISO_PLUGIN_COST_CATEGORY_ADJUSTMENT;
        ISO_TRY(iso_report(fetch->sink, "unknown_charge_type", /* quarantined= */ false, id,
                           "the item \"%.64s\" is read as adjustment", reterr, kind));
    } else {
        row.category = items[i].category;
        row.correction = items[i].correction;
        row.effective_from_billed = items[i].is_spread;
    }
    return iso_put_costs(fetch->sink, &row, 1, reterr);
}

static enum iso_status on_bill(void *context, const struct iso_json *answer,
                               struct iso_error *reterr)
{
    const struct iso_json *list = iso_json_at(answer, "Data.Items");

    for (size_t i = 0; i < iso_json_length(list); i++)
        ISO_TRY(take_item(context, iso_json_item(list, i),
                          iso_json_text_at(answer, "Data.AccountID"), reterr));
    return ISO_OK;
}

static enum iso_status ask_day(const struct iso_alibaba_fetch *fetch, int64_t start_ns,
                               struct iso_error *reterr)
{
    struct costs_call context = {fetch, start_ns};
    char date[ISO_TIME_TEXT_SIZE];
    ISO_AUTO_TEXT parameters = {0};

    iso_time_write(start_ns + BILL_ZONE_NS, date);
    iso_text_add(&parameters,
                 "&BillingCycle=%.7s&BillingDate=%.10s&Granularity=DAILY&MaxResults=300", date,
                 date);
    ISO_TRY(iso_text_check(&parameters, reterr));
    const struct iso_alibaba_call call = {
        .service = "business",
        .host =
            iso_alibaba_is_international(fetch->alibaba) ? "business.ap-southeast-1" : "business",
        .version = "2017-12-14",
        .action = "DescribeInstanceBill",
        .parameters = parameters.bytes,
        .cursor = "NextToken",
        .next = "Data.NextToken",
    };
    return iso_alibaba_ask(fetch, &call, on_bill, &context, reterr);
}

enum iso_status iso_alibaba_send_costs(const struct iso_alibaba_fetch *fetch,
                                       struct iso_error *reterr)
{
    int64_t from_ns = fetch->what->from_ns + BILL_ZONE_NS;
    int64_t day = from_ns / NS_PER_DAY + (from_ns % NS_PER_DAY != 0); /* that begins in the span */

    for (; day * NS_PER_DAY - BILL_ZONE_NS < fetch->what->to_ns; day++)
        ISO_TRY(ask_day(fetch, day * NS_PER_DAY - BILL_ZONE_NS, reterr));
    return ISO_OK;
}

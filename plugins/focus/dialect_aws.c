/* AWS Cost and Usage Reports, with the names of the legacy report and of CUR 2.0.
 *
 * What is invoiced is the sum of UnblendedCost. What time costs follows from the kind of line, as
 * AWS computes amortized costs (Cost and Usage Report guide, "Amortized reservation data" and
 * "Understanding savings plans"):
 *
 *     DiscountedUsage            reservation/EffectiveCost
 *     RIFee                      unused part of the upfront fee + unused recurring fee
 *     SavingsPlanCoveredUsage    savingsPlan/SavingsPlanEffectiveCost
 *     SavingsPlanRecurringFee    commitment to date - what was used of it
 *     SavingsPlanUpfrontFee, SavingsPlanNegation, Fee of a reservation    0
 *     any other                  UnblendedCost */
#include "row.h"

static const struct iso_bill_column columns[] = {
    {ISO_BILL_ACCOUNT, "lineitemusageaccountid"},
    {ISO_BILL_PAYER, "billpayeraccountid"},
    {ISO_BILL_RESOURCE, "lineitemresourceid"},
    {ISO_BILL_REGION, "productregioncode"},
    {ISO_BILL_REGION_NAME, "productregion"},
    {ISO_BILL_ZONE, "lineitemavailabilityzone"},
    {ISO_BILL_SERVICE, "productproductname"},
    {ISO_BILL_SERVICE_CODE, "lineitemproductcode"},
    {ISO_BILL_SKU, "productsku"},
    {ISO_BILL_QUANTITY, "lineitemusageamount"},
    {ISO_BILL_UNIT, "pricingunit"},
    {ISO_BILL_COMMITMENT, "reservationreservationarn"},
    {ISO_BILL_SECOND_COMMITMENT, "savingsplansavingsplanarn"},
    {ISO_BILL_CATEGORY, "lineitemlineitemtype"},
    {ISO_BILL_PRICING, "pricingterm"},
    {ISO_BILL_USAGE_TYPE, "lineitemusagetype"},
    {ISO_BILL_START, "lineitemusagestartdate"},
    {ISO_BILL_END, "lineitemusageenddate"},
    {ISO_BILL_BILLED, "lineitemunblendedcost"},
    {ISO_BILL_LIST, "pricingpublicondemandcost"},
    {ISO_BILL_CURRENCY, "lineitemcurrencycode"},
    {ISO_BILL_TAGS, "resourcetags"},
    {ISO_BILL_RESERVATION_EFFECTIVE, "reservationeffectivecost"},
    {ISO_BILL_PLAN_EFFECTIVE, "savingsplansavingsplaneffectivecost"},
    {ISO_BILL_UNUSED_UPFRONT, "reservationunusedamortizedupfrontfeeforbillingperiod"},
    {ISO_BILL_UNUSED_RECURRING, "reservationunusedrecurringfee"},
    {ISO_BILL_PLAN_COMMITTED, "savingsplantotalcommitmenttodate"},
    {ISO_BILL_PLAN_USED, "savingsplanusedcommitment"},
    {0, NULL},
};

static const char other[] =
    "|identity*|bill*|lineitem*|product*|pricing*|reservation*|savingsplan*|discount*"
    "|costcategory*|splitlineitem*|";

/* How the effective cost of a line comes about. */
enum effective { AS_BILLED, NOTHING, OF_RESERVATION, OF_PLAN, UNUSED_RESERVATION, UNUSED_PLAN };

static const struct line_type {
    const char *name;
    int32_t category, pricing;
    enum effective effective;
    bool correction;
} line_types[] = {
    {"Usage", ISO_PLUGIN_COST_CATEGORY_USAGE, ISO_PLUGIN_COST_PRICING_STANDARD, AS_BILLED, false},
    {"DiscountedUsage", ISO_PLUGIN_COST_CATEGORY_USAGE, ISO_PLUGIN_COST_PRICING_COMMITTED,
     OF_RESERVATION, false},
    {"SavingsPlanCoveredUsage", ISO_PLUGIN_COST_CATEGORY_USAGE, ISO_PLUGIN_COST_PRICING_COMMITTED,
     OF_PLAN, false},
    {"SavingsPlanNegation", ISO_PLUGIN_COST_CATEGORY_ADJUSTMENT, ISO_PLUGIN_COST_PRICING_COMMITTED,
     NOTHING, false},
    {"RIFee", ISO_PLUGIN_COST_CATEGORY_PURCHASE, ISO_PLUGIN_COST_PRICING_STANDARD,
     UNUSED_RESERVATION, false},
    {"SavingsPlanRecurringFee", ISO_PLUGIN_COST_CATEGORY_PURCHASE, ISO_PLUGIN_COST_PRICING_STANDARD,
     UNUSED_PLAN, false},
    {"SavingsPlanUpfrontFee", ISO_PLUGIN_COST_CATEGORY_PURCHASE, ISO_PLUGIN_COST_PRICING_STANDARD,
     NOTHING, false},
    {"Fee", ISO_PLUGIN_COST_CATEGORY_PURCHASE, ISO_PLUGIN_COST_PRICING_STANDARD, AS_BILLED, false},
    {"Tax", ISO_PLUGIN_COST_CATEGORY_TAX, ISO_PLUGIN_COST_PRICING_UNSPECIFIED, AS_BILLED, false},
    {"Credit", ISO_PLUGIN_COST_CATEGORY_CREDIT, ISO_PLUGIN_COST_PRICING_UNSPECIFIED, AS_BILLED,
     false},
    {"Refund", ISO_PLUGIN_COST_CATEGORY_CREDIT, ISO_PLUGIN_COST_PRICING_UNSPECIFIED, AS_BILLED,
     true},
};

/* The type of a line; other ones, such as the discounts of a contract, are adjustments. */
static const struct line_type *type_of(struct iso_bill_row *row)
{
    static const struct line_type otherwise = {"", ISO_PLUGIN_COST_CATEGORY_ADJUSTMENT,
                                               ISO_PLUGIN_COST_PRICING_UNSPECIFIED, AS_BILLED,
                                               false};
    const char *name = iso_bill_text(row, ISO_BILL_CATEGORY);

    if (!name) {
        iso_bill_refuse(row, "missing_category", "the row has no LineItemType");
        return &otherwise;
    }
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(line_types); i++)
        if (strcmp(name, line_types[i].name) == 0)
            return &line_types[i];
    if (!strstr(name, "Discount"))
        iso_bill_note(row, "unknown_line_type", "LineItemType %.64s is read as an adjustment",
                      name);
    return &otherwise;
}

/* a + sign * b; absent when a is, and a alone when b is. */
static struct iso_amount sum(struct iso_bill_row *row, struct iso_amount a, int sign,
                             struct iso_amount b)
{
    if (a.present && b.present &&
        !iso_wide_to_decimal((iso_wide)a.value + sign * (iso_wide)b.value, &a.value))
        iso_bill_refuse(row, "invalid_value", "the effective cost is out of range");
    return a;
}

/* Adds what a fee paid for and nobody used: it is waste. */
static void set_unused(struct iso_bill_row *row, struct iso_amount unused)
{
    row->cost.effective = unused;
    if (unused.present && unused.value > 0)
        row->cost.commitment_use = ISO_PLUGIN_COMMITMENT_USE_UNUSED;
}

static void set_effective(struct iso_bill_row *row, enum effective how)
{
    static const struct iso_amount zero = {.present = true};
    struct iso_plugin_cost *cost = &row->cost;

    switch (how) {
    case OF_RESERVATION:
        cost->effective = iso_bill_amount(row, ISO_BILL_RESERVATION_EFFECTIVE);
        cost->commitment_use = ISO_PLUGIN_COMMITMENT_USE_USED;
        break;
    case OF_PLAN:
        cost->effective = iso_bill_amount(row, ISO_BILL_PLAN_EFFECTIVE);
        cost->commitment_use = ISO_PLUGIN_COMMITMENT_USE_USED;
        break;
    case UNUSED_RESERVATION:
        set_unused(row, sum(row, iso_bill_amount(row, ISO_BILL_UNUSED_RECURRING), 1,
                            iso_bill_amount(row, ISO_BILL_UNUSED_UPFRONT)));
        break;
    case UNUSED_PLAN:
        set_unused(row, sum(row, iso_bill_amount(row, ISO_BILL_PLAN_COMMITTED), -1,
                            iso_bill_amount(row, ISO_BILL_PLAN_USED)));
        break;
    case NOTHING:
        cost->effective = zero;
        break;
    default:
        cost->effective = cost->category == ISO_PLUGIN_COST_CATEGORY_PURCHASE && cost->commitment
                              ? zero
                              : cost->billed;
        break;
    }
}

static void read_names(struct iso_bill_row *row)
{
    struct iso_plugin_cost *cost = &row->cost;

    cost->provider = "aws";
    cost->account = iso_bill_text(row, ISO_BILL_ACCOUNT);
    if (!cost->account)
        cost->account = iso_bill_text(row, ISO_BILL_PAYER);
    cost->resource = iso_bill_text(row, ISO_BILL_RESOURCE);
    cost->region = iso_bill_text(row, ISO_BILL_REGION);
    if (!cost->region)
        cost->region = iso_bill_text(row, ISO_BILL_REGION_NAME); /* an id in this report */
    cost->zone = iso_bill_text(row, ISO_BILL_ZONE);
    cost->service = iso_bill_text(row, ISO_BILL_SERVICE);
    if (!cost->service)
        cost->service = iso_bill_text(row, ISO_BILL_SERVICE_CODE);
    cost->sku = iso_bill_text(row, ISO_BILL_SKU);
    cost->commitment = iso_bill_text(row, ISO_BILL_COMMITMENT);
    if (!cost->commitment)
        cost->commitment = iso_bill_text(row, ISO_BILL_SECOND_COMMITMENT);
    cost->currency = iso_bill_text(row, ISO_BILL_CURRENCY);
}

static void read(struct iso_bill_row *row)
{
    struct iso_plugin_cost *cost = &row->cost;
    const char *usage_type = iso_bill_text(row, ISO_BILL_USAGE_TYPE);

    iso_bill_period(row);
    if (row->refused || row->outside)
        return;
    read_names(row);
    cost->quantity = iso_bill_amount(row, ISO_BILL_QUANTITY);
    cost->unit = iso_bill_text(row, ISO_BILL_UNIT);
    row->rounded = false; /* quantities are not money */
    cost->billed = iso_bill_amount(row, ISO_BILL_BILLED);
    cost->list = iso_bill_amount(row, ISO_BILL_LIST);
    const struct line_type *type = type_of(row);
    cost->category = type->category;
    cost->pricing = usage_type && strstr(usage_type, "SpotUsage") ? ISO_PLUGIN_COST_PRICING_DYNAMIC
                                                                  : type->pricing;
    cost->correction = type->correction;
    set_effective(row, type->effective);
}

const struct iso_bill_dialect iso_dialect_aws = {
    .name = "the Cost and Usage Report",
    .signature = "lineitemlineitemtype,lineitemusagestartdate,lineitemunblendedcost",
    .columns = columns,
    .other = other,
    .tag_prefix = "resourceTags/",
    .read = read,
};

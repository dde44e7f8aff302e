/* Azure's own cost exports: enterprise and customer agreements, pay-as-you-go, in the spellings
 * that they have had.
 *
 * The file does not say what its costs are. Actual costs are what is invoiced: a reservation is one
 * purchase, and what runs under it costs 0. Amortized costs are what time costs: there is no
 * purchase, and what was not used of a commitment has rows of its own. So one gives `billed`, the
 * other `effective`, and both where no commitment is. */
#include <strings.h>

#include "row.h"

static const struct iso_bill_column columns[] = {
    {ISO_BILL_ACCOUNT, "subscriptionid"},
    {ISO_BILL_ACCOUNT, "subscriptionguid"},
    {ISO_BILL_PAYER, "billingaccountid"},
    {ISO_BILL_RESOURCE, "resourceid"},
    {ISO_BILL_RESOURCE, "instanceid"},
    {ISO_BILL_RESOURCE_NAME, "instancename"},
    {ISO_BILL_RESOURCE_NAME, "resourcename"},
    {ISO_BILL_REGION, "resourcelocation"},
    {ISO_BILL_REGION, "location"},
    {ISO_BILL_ZONE, "availabilityzone"},
    {ISO_BILL_SERVICE, "metercategory"},
    {ISO_BILL_SERVICE_CODE, "servicename"},
    {ISO_BILL_SERVICE_CODE, "consumedservice"},
    {ISO_BILL_SKU, "meterid"},
    {ISO_BILL_QUANTITY, "quantity"},
    {ISO_BILL_QUANTITY, "usagequantity"},
    {ISO_BILL_UNIT, "unitofmeasure"},
    {ISO_BILL_COMMITMENT, "benefitid"},
    {ISO_BILL_SECOND_COMMITMENT, "reservationid"},
    {ISO_BILL_CATEGORY, "chargetype"},
    {ISO_BILL_PRICING, "pricingmodel"},
    {ISO_BILL_START, "date"},
    {ISO_BILL_START, "usagedatetime"},
    {ISO_BILL_START, "usagedate"},
    {ISO_BILL_BILLED, "costinbillingcurrency"},
    {ISO_BILL_BILLED, "pretaxcost"},
    {ISO_BILL_BILLED, "cost"},
    {ISO_BILL_LIST, "paygcostinbillingcurrency"},
    {ISO_BILL_CURRENCY, "billingcurrencycode"},
    {ISO_BILL_CURRENCY, "billingcurrency"},
    {ISO_BILL_CURRENCY, "currency"},
    {ISO_BILL_TAGS, "tags"},
    {0, NULL},
};

static const char other[] =
    "|accountid|accountname|accountownerid|additionalinfo|benefitname|billingaccountname"
    "|billingperiodenddate|billingperiodstartdate|billingprofileid|billingprofilename"
    "|chargedescription|costallocationrulename|costcenter|costinpricingcurrency|costinusd"
    "|customername|customertenantid|effectiveprice|exchangerate|exchangeratedate"
    "|exchangeratepricingtobilling|frequency|invoiceid|invoicesectionid|invoicesectionname"
    "|isazurecrediteligible|location|meterid|metername|meterregion|metersubcategory|offerid"
    "|offername|partnername|partnumber|paygcostinusd|paygprice|planname|previousinvoiceid"
    "|pricingcurrency|pricingcurrencycode|product|productid|productname|productorderid"
    "|productordername|providerid|publisherid|publishername|publishertype|resellermpnid"
    "|resellername|reservationname|resourcegroup|resourcegroupname|resourcelocationnormalized"
    "|resourcerate|resourcetype|servicefamily|serviceinfo1|serviceinfo2|serviceperiodenddate"
    "|serviceperiodstartdate|servicetier|subscriptionname|term|unitprice|";

static const struct charge_type {
    const char *name;
    int32_t category, use;
    bool correction;
} charge_types[] = {
    {"Usage", ISO_PLUGIN_COST_CATEGORY_USAGE, 0, false},
    {"Purchase", ISO_PLUGIN_COST_CATEGORY_PURCHASE, 0, false},
    {"UnusedReservation", ISO_PLUGIN_COST_CATEGORY_USAGE, ISO_PLUGIN_COMMITMENT_USE_UNUSED, false},
    {"UnusedSavingsPlan", ISO_PLUGIN_COST_CATEGORY_USAGE, ISO_PLUGIN_COMMITMENT_USE_UNUSED, false},
    {"Refund", ISO_PLUGIN_COST_CATEGORY_CREDIT, 0, true},
    {"Credit", ISO_PLUGIN_COST_CATEGORY_CREDIT, 0, false},
    {"Adjustment", ISO_PLUGIN_COST_CATEGORY_ADJUSTMENT, 0, false},
    {"RoundingAdjustment", ISO_PLUGIN_COST_CATEGORY_ADJUSTMENT, 0, false},
    {"Tax", ISO_PLUGIN_COST_CATEGORY_TAX, 0, false},
};

/* Exports without the column are of a time when all of it was usage. */
static void read_category(struct iso_bill_row *row)
{
    const char *name = iso_bill_text(row, ISO_BILL_CATEGORY);

    row->cost.category = ISO_PLUGIN_COST_CATEGORY_USAGE;
    if (!name)
        return;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(charge_types); i++)
        if (strcasecmp(name, charge_types[i].name) == 0) {
            row->cost.category = charge_types[i].category;
            row->cost.commitment_use = charge_types[i].use;
            row->cost.correction = charge_types[i].correction;
            return;
        }
    iso_bill_refuse(row, "invalid_value", "ChargeType %.64s is not known", name);
}

static void read_pricing(struct iso_bill_row *row)
{
    const char *model = iso_bill_text(row, ISO_BILL_PRICING);
    struct iso_plugin_cost *cost = &row->cost;

    cost->commitment = iso_bill_text(row, ISO_BILL_COMMITMENT);
    if (!cost->commitment)
        cost->commitment = iso_bill_text(row, ISO_BILL_SECOND_COMMITMENT);
    cost->pricing = ISO_PLUGIN_COST_PRICING_STANDARD;
    if (model && strcasecmp(model, "Spot") == 0)
        cost->pricing = ISO_PLUGIN_COST_PRICING_DYNAMIC;
    if (cost->commitment && cost->category == ISO_PLUGIN_COST_CATEGORY_USAGE) {
        cost->pricing = ISO_PLUGIN_COST_PRICING_COMMITTED;
        if (!cost->commitment_use)
            cost->commitment_use = ISO_PLUGIN_COMMITMENT_USE_USED;
    }
}

static bool is_amortized(const struct iso_focus_reader *reader)
{
    const char *said = reader->config->azure_costs;

    if (strcmp(said, "by-name") != 0)
        return strcmp(said, "amortized") == 0;
    for (const char *name = reader->file; *name; name++)
        if (strncasecmp(name, "amorti", strlen("amorti")) == 0)
            return true;
    return false;
}

static void read_costs(struct iso_bill_row *row)
{
    static const struct iso_amount zero = {.present = true};
    struct iso_plugin_cost *cost = &row->cost;
    struct iso_amount amount = iso_bill_amount(row, ISO_BILL_BILLED);
    bool committed = cost->pricing == ISO_PLUGIN_COST_PRICING_COMMITTED;

    if (!amount.present)
        return;
    if (is_amortized(row->reader)) {
        cost->effective = amount;
        cost->billed = committed ? zero : amount;
    } else {
        cost->billed = amount;
        cost->effective =
            cost->commitment && cost->category == ISO_PLUGIN_COST_CATEGORY_PURCHASE ? zero : amount;
        cost->effective.present = !committed; /* the amortized export has it */
    }
}

static void read(struct iso_bill_row *row)
{
    struct iso_plugin_cost *cost = &row->cost;

    iso_bill_period(row);
    if (row->refused || row->outside)
        return;
    cost->provider = "azure";
    cost->account = iso_bill_text(row, ISO_BILL_ACCOUNT);
    if (!cost->account)
        cost->account = iso_bill_text(row, ISO_BILL_PAYER);
    cost->resource = iso_bill_text(row, ISO_BILL_RESOURCE);
    if (!cost->resource)
        cost->resource = iso_bill_text(row, ISO_BILL_RESOURCE_NAME);
    cost->region = iso_bill_text(row, ISO_BILL_REGION);
    cost->zone = iso_bill_text(row, ISO_BILL_ZONE);
    cost->service = iso_bill_text(row, ISO_BILL_SERVICE);
    if (!cost->service)
        cost->service = iso_bill_text(row, ISO_BILL_SERVICE_CODE);
    cost->sku = iso_bill_text(row, ISO_BILL_SKU);
    cost->currency = iso_bill_text(row, ISO_BILL_CURRENCY);
    cost->quantity = iso_bill_amount(row, ISO_BILL_QUANTITY);
    cost->unit = iso_bill_text(row, ISO_BILL_UNIT);
    row->rounded = false; /* quantities are not money */
    read_category(row);
    read_pricing(row);
    cost->list = iso_bill_amount(row, ISO_BILL_LIST);
    read_costs(row);
}

static const int always[] = {ISO_BILL_START, ISO_BILL_BILLED, ISO_BILL_CURRENCY, ISO_BILL_RESOURCE,
                             -1};

const struct iso_bill_dialect iso_dialect_azure = {
    .name = "Azure's export",
    .signature = "costinbillingcurrency|pretaxcost|cost,date|usagedatetime|usagedate,"
                 "subscriptionid|subscriptionguid|billingaccountid",
    .columns = columns,
    .other = other,
    .always = always,
    .read = read,
};

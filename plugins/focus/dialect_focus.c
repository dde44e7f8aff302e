/* FOCUS 1.0, 1.1 and 1.2 (focus.finops.org). */
#include "row.h"

static const struct iso_bill_column columns[] = {
    {ISO_BILL_PROVIDER, "providername"},
    {ISO_BILL_PROVIDER, "serviceprovidername"},
    {ISO_BILL_ACCOUNT, "subaccountid"},
    {ISO_BILL_PAYER, "billingaccountid"},
    {ISO_BILL_RESOURCE, "resourceid"},
    {ISO_BILL_REGION, "regionid"},
    {ISO_BILL_REGION_NAME, "regionname"},
    {ISO_BILL_ZONE, "availabilityzone"},
    {ISO_BILL_SERVICE, "servicename"},
    {ISO_BILL_SKU, "skuid"},
    {ISO_BILL_QUANTITY, "consumedquantity"},
    {ISO_BILL_UNIT, "consumedunit"},
    {ISO_BILL_PRICING_QUANTITY, "pricingquantity"},
    {ISO_BILL_PRICING_UNIT, "pricingunit"},
    {ISO_BILL_COMMITMENT, "commitmentdiscountid"},
    {ISO_BILL_COMMITMENT_STATUS, "commitmentdiscountstatus"},
    {ISO_BILL_CATEGORY, "chargecategory"},
    {ISO_BILL_CLASS, "chargeclass"},
    {ISO_BILL_FREQUENCY, "chargefrequency"},
    {ISO_BILL_PRICING, "pricingcategory"},
    {ISO_BILL_START, "chargeperiodstart"},
    {ISO_BILL_END, "chargeperiodend"},
    {ISO_BILL_BILLED, "billedcost"},
    {ISO_BILL_EFFECTIVE, "effectivecost"},
    {ISO_BILL_LIST, "listcost"},
    {ISO_BILL_LIST_UNIT_PRICE, "listunitprice"},
    {ISO_BILL_CURRENCY, "billingcurrency"},
    {ISO_BILL_TAGS, "tags"},
    {0, NULL},
};

/* The rest of the columns of 1.0, 1.1 and 1.2. */
static const char other[] =
    "|billingaccountname|billingperiodend|billingperiodstart|chargedescription"
    "|commitmentdiscountcategory|commitmentdiscountname|commitmentdiscounttype|contractedcost"
    "|contractedunitprice|invoiceissuername|publishername|resourcename|resourcetype"
    "|servicecategory|skupriceid|subaccountname"
    "|capacityreservationid|capacityreservationstatus|commitmentdiscountquantity"
    "|commitmentdiscountunit|servicesubcategory|skumeter|skupricedetails"
    "|invoiceid|billingaccounttype|subaccounttype|pricingcurrency"
    "|pricingcurrencycontractedunitprice|pricingcurrencyeffectivecost"
    "|pricingcurrencylistunitprice|";

static const struct iso_words categories = {"", "usage|purchase|tax|credit|adjustment"};
static const struct iso_words pricings = {"", "standard|dynamic|committed|other"};
static const struct iso_words uses = {"", "used|unused"};
static const struct iso_words classes = {"", "correction"};
static const struct iso_words frequencies = {"", "one-time|recurring|usage-based"};

/* A word that is not written as the specification writes it. */
static void note_spelling(struct iso_bill_row *row)
{
    static const char *const spelled[] = {"One-Time", "Recurring", "Usage-Based"};
    const char *text = iso_bill_text(row, ISO_BILL_FREQUENCY);
    int32_t frequency = iso_bill_word(row, ISO_BILL_FREQUENCY, &frequencies);

    if (frequency > 0 && strcmp(text, spelled[frequency - 1]) != 0)
        iso_bill_note(row, "spelled_otherwise", "ChargeFrequency is \"%.40s\", not \"%s\"", text,
                      spelled[frequency - 1]);
}

static void read_region(struct iso_bill_row *row)
{
    const char *name = iso_bill_text(row, ISO_BILL_REGION_NAME);

    row->cost.region = iso_bill_text(row, ISO_BILL_REGION);
    if (row->cost.region && name && strcmp(name, "External") == 0)
        iso_bill_note(row, "external_region", "RegionName is External and RegionId is %.64s",
                      row->cost.region);
    if (!row->cost.region && name) {
        row->cost.region = name;
        iso_bill_note(row, "region_from_name", "there is no RegionId; RegionName %.64s is taken",
                      name);
    }
}

static void read_quantities(struct iso_bill_row *row)
{
    row->pricing_quantity = iso_bill_amount(row, ISO_BILL_PRICING_QUANTITY);
    row->list_unit_price = iso_bill_amount(row, ISO_BILL_LIST_UNIT_PRICE);
    row->cost.quantity = iso_bill_amount(row, ISO_BILL_QUANTITY);
    row->cost.unit = iso_bill_text(row, ISO_BILL_UNIT);
    if (!row->cost.quantity.present) {
        row->cost.quantity = row->pricing_quantity;
        row->cost.unit = iso_bill_text(row, ISO_BILL_PRICING_UNIT);
    }
    row->rounded = false; /* quantities are not money */
}

static void read(struct iso_bill_row *row)
{
    struct iso_plugin_cost *cost = &row->cost;

    iso_bill_period(row);
    if (row->refused || row->outside)
        return;
    cost->provider = iso_bill_text(row, ISO_BILL_PROVIDER);
    cost->account = iso_bill_text(row, ISO_BILL_ACCOUNT);
    if (!cost->account)
        cost->account = iso_bill_text(row, ISO_BILL_PAYER);
    cost->resource = iso_bill_text(row, ISO_BILL_RESOURCE);
    cost->zone = iso_bill_text(row, ISO_BILL_ZONE);
    cost->service = iso_bill_text(row, ISO_BILL_SERVICE);
    cost->sku = iso_bill_text(row, ISO_BILL_SKU);
    cost->commitment = iso_bill_text(row, ISO_BILL_COMMITMENT);
    cost->currency = iso_bill_text(row, ISO_BILL_CURRENCY);
    cost->category = iso_bill_word(row, ISO_BILL_CATEGORY, &categories);
    cost->pricing = iso_bill_word(row, ISO_BILL_PRICING, &pricings);
    cost->commitment_use = iso_bill_word(row, ISO_BILL_COMMITMENT_STATUS, &uses);
    cost->correction = iso_bill_word(row, ISO_BILL_CLASS, &classes) == 1;
    read_region(row);
    read_quantities(row);
    cost->billed = iso_bill_amount(row, ISO_BILL_BILLED);
    row->billed_is_tiny = row->rounded && cost->billed.value == 0;
    cost->effective = iso_bill_amount(row, ISO_BILL_EFFECTIVE);
    cost->list = iso_bill_amount(row, ISO_BILL_LIST);
    note_spelling(row);
}

const struct iso_bill_dialect iso_dialect_focus = {
    .name = "FOCUS",
    .signature = "chargeperiodstart,billedcost,chargecategory",
    .columns = columns,
    .other = other,
    .read = read,
};

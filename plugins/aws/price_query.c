/* Prices from the query API of the price list: GetProducts answers with texts that hold JSON. */
#include <stdio.h>

#include "isocost/sdk/report.h"
#include "prices.h"

static const char *const attributes[] = {
#define X(constant, column, attribute, is_required) attribute,
    ISO_AWS_PRICE_FIELDS(X)
#undef X
};

struct query {
    const struct iso_aws_fetch *fetch;
    struct iso_aws_region *region;
};

/* The one currency of a price: {"USD": "0.0960000000"}. */
static void read_price(const struct iso_json *per_unit, struct iso_aws_price_row *row)
{
    void *member = iso_json_first(per_unit);

    row->text[ISO_AWS_PRICE_CURRENCY] = member ? iso_json_name(member) : "";
    row->text[ISO_AWS_PRICE_PRICE] =
        member ? iso_json_text_at(per_unit, iso_json_name(member)) : "";
}

/* terms.OnDemand and terms.Reserved: {"SKU.TERM": {"priceDimensions": {"SKU.TERM.RATE": ...}}}. */
static enum iso_status take_terms(const struct query *query, const struct iso_json *terms,
                                  const char *term_type, struct iso_aws_price_row *row,
                                  struct iso_error *reterr)
{
    row->text[ISO_AWS_PRICE_TERM_TYPE] = term_type;
    for (void *t = iso_json_first(terms); t; t = iso_json_next(terms, t)) {
        const struct iso_json *term = iso_json_value(t);
        const struct iso_json *dimensions = iso_json_at(term, "priceDimensions");
        row->text[ISO_AWS_PRICE_EFFECTIVE] = iso_json_text_at(term, "effectiveDate");
        row->text[ISO_AWS_PRICE_LEASE] =
            iso_json_text_at(term, "termAttributes.LeaseContractLength");
        row->text[ISO_AWS_PRICE_PAYMENT] = iso_json_text_at(term, "termAttributes.PurchaseOption");
        row->text[ISO_AWS_PRICE_CLASS] = iso_json_text_at(term, "termAttributes.OfferingClass");
        for (void *d = iso_json_first(dimensions); d; d = iso_json_next(dimensions, d)) {
            const struct iso_json *dimension = iso_json_value(d);
            row->text[ISO_AWS_PRICE_UNIT] = iso_json_text_at(dimension, "unit");
            row->text[ISO_AWS_PRICE_TIER_FROM] = iso_json_text_at(dimension, "beginRange");
            read_price(iso_json_at(dimension, "pricePerUnit"), row);
            ISO_TRY(iso_aws_take_price(query->fetch, query->region, row, reterr));
        }
    }
    return ISO_OK;
}

static enum iso_status take_product(const struct query *query, const struct iso_json *item,
                                    struct iso_error *reterr)
{
    const char *text = iso_json_scalar(item, query->fetch->row);
    struct iso_aws_price_row row;
    struct iso_error error = {0};
    ISO_AUTO_JSON *product = NULL;
    char place[ISO_AWS_PLACE_BYTES];

    snprintf(place, sizeof(place), "GetProducts of %s", query->region->name);
    if (!text || iso_json_document_read(text, strlen(text), &product, &error) != ISO_OK)
        return iso_report(query->fetch->sink, "invalid_value", /* quarantined= */ true, place,
                          "an element of PriceList is no JSON: %.150s", reterr, error.text);
    for (size_t i = 0; i < ISO_AWS_PRICE_N_FIELDS; i++)
        row.text[i] = "";
    const struct iso_json *told = iso_json_at(product, "product.attributes");
    for (size_t i = 0; i < ISO_AWS_PRICE_N_FIELDS; i++)
        if (attributes[i])
            row.text[i] = iso_json_text_at(told, attributes[i]);
    row.text[ISO_AWS_PRICE_SKU] = iso_json_text_at(product, "product.sku");
    row.text[ISO_AWS_PRICE_PRODUCT_FAMILY] = iso_json_text_at(product, "product.productFamily");
    row.place = place;
    ISO_TRY(take_terms(query, iso_json_at(product, "terms.OnDemand"), "OnDemand", &row, reterr));
    return take_terms(query, iso_json_at(product, "terms.Reserved"), "Reserved", &row, reterr);
}

static enum iso_status on_page(void *context, const struct iso_json *answer,
                               struct iso_error *reterr)
{
    const struct query *query = context;
    const struct iso_json *list = iso_json_at(answer, "PriceList");

    for (size_t i = 0; i < iso_json_length(list); i++) {
        iso_scratch_reset(query->fetch->row);
        ISO_TRY(take_product(query, iso_json_item(list, i), reterr));
    }
    return ISO_OK;
}

enum iso_status iso_aws_query_prices(const struct iso_aws_fetch *fetch,
                                     struct iso_aws_region *region, struct iso_error *reterr)
{
    static const char *const filters[][2] = {
        {"operatingSystem", "Linux"},  {"tenancy", "Shared"},
        {"preInstalledSw", "NA"},      {"capacitystatus", "Used"},
        {"operation", "RunInstances"}, {"licenseModel", "No License required"},
    };
    struct query query = {fetch, region};
    ISO_AUTO_TEXT body = {0};

    iso_text_add(&body, "{\"ServiceCode\":\"AmazonEC2\",\"FormatVersion\":\"aws_v1\","
                        "\"MaxResults\":100,\"Filters\":["
                        "{\"Type\":\"TERM_MATCH\",\"Field\":\"regionCode\",\"Value\":");
    iso_text_add_json(&body, region->name);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(filters); i++)
        iso_text_add(&body, "},{\"Type\":\"TERM_MATCH\",\"Field\":\"%s\",\"Value\":\"%s\"",
                     filters[i][0], filters[i][1]);
    iso_text_add(&body, "}]");
    ISO_TRY(iso_text_check(&body, reterr));
    return iso_aws_ask_json(fetch, &iso_aws_pricing, region->name, "GetProducts", body.bytes,
                            on_page, &query, reterr);
}

/* Spot offerings of a region: DescribeSpotPriceHistory from now on, which answers with the price
 * that holds in each zone. */
#include <stdio.h>

#include "aws.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"

struct quote {
    const char *type, *zone_name;
    struct iso_amount price;
    int64_t at_ns;
};

struct spot_call {
    const struct iso_aws_fetch *fetch;
    const struct iso_aws_region *region;
    struct iso_dictionary *quotes; /* the newest, by "type/zone name" */
};

static enum iso_status refuse(const struct spot_call *call, const char *code,
                              const struct iso_xml_element *item, const char *why,
                              struct iso_error *reterr)
{
    char place[ISO_AWS_PLACE_BYTES];

    snprintf(place, sizeof(place), "%s/%s/spot", iso_xml_text_at(item, "availabilityZone"),
             iso_xml_text_at(item, "instanceType"));
    return iso_report(call->fetch->sink, code, /* quarantined= */ true, place, "%s", reterr, why);
}

static enum iso_status read_quote(const struct spot_call *call, const struct iso_xml_element *item,
                                  struct iso_error *reterr)
{
    const char *type = iso_xml_text_at(item, "instanceType");
    const char *zone = iso_xml_text_at(item, "availabilityZone");
    char key[ISO_AWS_PLACE_BYTES];
    struct iso_amount price;
    struct iso_error error = {0};
    int64_t at_ns;

    if (strncmp(iso_xml_text_at(item, "productDescription"), "Linux/UNIX", 10) != 0)
        return ISO_OK; /* asked for Linux only; an answer for other systems is no fault */
    if (iso_time_read(iso_xml_text_at(item, "timestamp"), &at_ns, &error) != ISO_OK)
        return refuse(call, "invalid_value", item, error.text, reterr);
    if (iso_number_read(iso_xml_text_at(item, "spotPrice"), &price, &error) != ISO_NUMBER_READ)
        return refuse(call, error.text[0] ? "invalid_price" : "missing_price", item,
                      error.text[0] ? error.text : "the quote has no price", reterr);
    snprintf(key, sizeof(key), "%s/%s", type, zone);
    struct quote *quote = iso_dictionary_add(call->quotes, key);
    if (!quote)
        return iso_aws_full(reterr);
    if (quote->type && quote->at_ns >= at_ns)
        return ISO_OK;
    if (!quote->type) {
        quote->type = iso_aws_keep(call->fetch, type);
        quote->zone_name = iso_aws_keep(call->fetch, zone);
    }
    quote->price = price;
    quote->at_ns = at_ns;
    return quote->type && quote->zone_name ? ISO_OK : iso_aws_full(reterr);
}

static enum iso_status on_quotes(void *context, const struct iso_xml_element *root,
                                 struct iso_error *reterr)
{
    const struct iso_xml_element *item = iso_xml_at(root, "spotPriceHistorySet.item");

    for (; item; item = iso_xml_next(item))
        ISO_TRY(read_quote(context, item, reterr));
    return ISO_OK;
}

static enum iso_status send_quote(const struct spot_call *call, const struct quote *quote,
                                  struct iso_error *reterr)
{
    const struct iso_aws_region *region = call->region;
    const struct iso_aws_type *type = iso_dictionary_find(region->types, quote->type);
    const struct iso_aws_zone *zone = iso_dictionary_find(region->zones, quote->zone_name);
    const struct iso_plugin_label label = {"zone_name", quote->zone_name};
    char place[ISO_AWS_PLACE_BYTES];

    snprintf(place, sizeof(place), "%s/%s/spot", quote->zone_name, quote->type);
    if (!type)
        return iso_report(call->fetch->sink, "priced_unknown", /* quarantined= */ true, place,
                          "there is a spot price of it, EC2 does not know it here", reterr);
    if (!zone)
        return iso_report(call->fetch->sink, "unknown_zone", /* quarantined= */ true, place,
                          "there is a spot price in a zone that EC2 does not name", reterr);
    struct iso_plugin_offering row = iso_aws_offering(call->fetch, region->name, quote->type, type);
    row.zone = zone->id;
    row.purchase = ISO_PLUGIN_PURCHASE_SPOT;
    row.source = "AWS spot price history";
    row.price = quote->price;
    row.currency = iso_aws_is_china(region->name) ? "CNY" : "USD"; /* the answer names none */
    row.labels = &label;
    row.n_labels = 1;
    return iso_put_offerings(call->fetch->sink, &row, 1, reterr);
}

enum iso_status iso_aws_send_spot(const struct iso_aws_fetch *fetch,
                                  const struct iso_aws_region *region, struct iso_error *reterr)
{
    ISO_AUTO(iso_dictionary) quotes = iso_dictionary_new(sizeof(struct quote));
    struct spot_call call = {fetch, region, quotes};
    char parameters[160], now[ISO_TIME_TEXT_SIZE];

    if (!quotes)
        return iso_aws_full(reterr);
    snprintf(parameters, sizeof(parameters),
             "&StartTime=%.13s%%3A%.2s%%3A%.3s&ProductDescription.1=Linux%%2FUNIX&MaxResults=1000",
             iso_time_write(fetch->now_ns, now), now + 14, now + 17);
    ISO_TRY(iso_aws_ask_ec2(fetch, region->name, "DescribeSpotPriceHistory", parameters, on_quotes,
                            &call, reterr));
    for (size_t i = 0; i < iso_dictionary_count(quotes); i++)
        ISO_TRY(send_quote(&call, iso_dictionary_record(quotes, i), reterr));
    return ISO_OK;
}

/* Offerings and subscriptions of a region: types, zones and prices put together. */
#include <stdio.h>

#include "alibaba.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/subscription.h"

static struct iso_plugin_offering offering_of(const struct iso_alibaba_fetch *fetch,
                                              const struct iso_alibaba_region *region,
                                              const char *name, const struct iso_alibaba_type *type)
{
    struct iso_plugin_offering row = {
        .provider = "alibaba",
        .region = region->name,
        .type = name,
        .os = "linux",
        .native_id = name,
        .family = type->family,
        .arch = type->arch,
        .gpu_model = type->gpu_model,
        .tenancy = "shared",
        .kind = ISO_PLUGIN_KIND_VM,
        .observed_ns = fetch->now_ns,
    };

    memcpy(row.resources, type->resources, sizeof(row.resources));
    return row;
}

static void set_price(struct iso_plugin_offering *row, const struct iso_alibaba_price *price)
{
    row->price = price->amount;
    row->currency = price->amount.present ? price->currency : NULL;
}

static enum iso_status send_zone(const struct iso_alibaba_fetch *fetch,
                                 const struct iso_alibaba_type *type,
                                 const struct iso_alibaba_zone *zone,
                                 struct iso_plugin_offering *row, struct iso_error *reterr)
{
    const struct iso_plugin_label stock = {"stock", zone->stock};

    row->zone = zone->id;
    if (zone->on_demand) {
        row->purchase = ISO_PLUGIN_PURCHASE_ON_DEMAND;
        row->status = zone->on_demand;
        row->source = "Alibaba Cloud DescribePrice";
        row->labels = &stock;
        row->n_labels = zone->stock && zone->stock[0];
        set_price(row, &type->hour);
        ISO_TRY(iso_put_offerings(fetch->sink, row, 1, reterr));
    }
    if (!zone->spot_price.amount.present)
        return ISO_OK;
    row->purchase = ISO_PLUGIN_PURCHASE_SPOT;
    row->status = zone->spot ? zone->spot : ISO_PLUGIN_STATUS_UNKNOWN;
    row->source = "Alibaba Cloud DescribeSpotPriceHistory";
    row->labels = NULL;
    row->n_labels = 0;
    set_price(row, &zone->spot_price);
    return iso_put_offerings(fetch->sink, row, 1, reterr);
}

enum iso_status iso_alibaba_send_offerings(const struct iso_alibaba_fetch *fetch,
                                           const struct iso_alibaba_region *region,
                                           struct iso_error *reterr)
{
    char place[ISO_ALIBABA_PLACE_BYTES];

    for (size_t i = 0; i < iso_dictionary_count(region->types); i++) {
        const char *name = iso_dictionary_key(region->types, i);
        const struct iso_alibaba_type *type = iso_dictionary_record(region->types, i);
        struct iso_plugin_offering row = offering_of(fetch, region, name, type);
        snprintf(place, sizeof(place), "%s/%.100s", region->name, name);
        if (!type->known)
            ISO_TRY(iso_report(fetch->sink, "unknown_type", /* quarantined= */ true, place,
                               "zones offer it, and DescribeInstanceTypes does not know it",
                               reterr));
        for (size_t z = 0; type->known && z < type->n_zones; z++)
            ISO_TRY(send_zone(fetch, type, &type->zones[z], &row, reterr));
    }
    return ISO_OK;
}

enum iso_status iso_alibaba_send_products(const struct iso_alibaba_fetch *fetch,
                                          const struct iso_alibaba_region *region,
                                          struct iso_error *reterr)
{
    for (size_t i = 0; i < iso_dictionary_count(region->types); i++) {
        const struct iso_alibaba_type *type = iso_dictionary_record(region->types, i);
        struct iso_subscription row = {
            .provider = "alibaba",
            .region = region->name,
            .type = iso_dictionary_key(region->types, i),
            .source = "Alibaba Cloud DescribePrice",
            .currency = type->month.currency,
            .price = type->month.amount,
        };
        ISO_TRY(iso_subscription_put(&row, fetch->sink, reterr));
        row.year = true;
        row.currency = type->year.currency;
        row.price = type->year.amount;
        ISO_TRY(iso_subscription_put(&row, fetch->sink, reterr));
    }
    return ISO_OK;
}

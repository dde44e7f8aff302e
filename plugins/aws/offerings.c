/* Offerings of a region: types, zones and prices put together. */
#include <stdio.h>

#include "aws.h"
#include "isocost/sdk/report.h"

struct iso_plugin_offering iso_aws_offering(const struct iso_aws_fetch *fetch, const char *region,
                                            const char *name, const struct iso_aws_type *type)
{
    struct iso_plugin_offering row = {
        .provider = "aws",
        .region = region,
        .type = name,
        .os = type->mac ? "macos" : "linux",
        .native_id = name,
        .family = type->family,
        .arch = type->arch,
        .tenancy = type->mac ? "host" : "shared",
        .gpu_model = type->gpu_model,
        .kind = type->mac ? ISO_PLUGIN_KIND_HOST : ISO_PLUGIN_KIND_VM,
        .status = type->deprecated ? ISO_PLUGIN_STATUS_DEPRECATED : ISO_PLUGIN_STATUS_AVAILABLE,
        .observed_ns = fetch->now_ns,
    };

    memcpy(row.resources, type->resources, sizeof(row.resources));
    return row;
}

/* Sends a type's row once for each zone that offers it at the region's price, with the zone's id;
 * the account's name of it is a label. */
static enum iso_status send_by_zone(const struct iso_aws_fetch *fetch,
                                    const struct iso_aws_region *region,
                                    struct iso_plugin_offering *row, struct iso_error *reterr)
{
    char key[ISO_AWS_PLACE_BYTES];

    for (size_t z = 0; z < iso_dictionary_count(region->zones); z++) {
        const char *name = iso_dictionary_key(region->zones, z);
        const struct iso_aws_zone *zone = iso_dictionary_record(region->zones, z);
        const struct iso_plugin_label label = {"zone_name", name};

        snprintf(key, sizeof(key), "%s/%s", row->type, name);
        if (zone->apart || !iso_dictionary_find(region->offered, key))
            continue;
        row->zone = zone->id;
        row->labels = &label;
        row->n_labels = 1;
        ISO_TRY(iso_put_offerings(fetch->sink, row, 1, reterr));
    }
    return ISO_OK;
}

static enum iso_status send_type(const struct iso_aws_fetch *fetch,
                                 const struct iso_aws_region *region, const char *name,
                                 const struct iso_aws_type *type, struct iso_error *reterr)
{
    const struct iso_aws_price *price = iso_dictionary_find(region->prices, name);
    struct iso_plugin_offering row = iso_aws_offering(fetch, region->name, name, type);

    row.purchase = ISO_PLUGIN_PURCHASE_ON_DEMAND;
    row.source = "AWS price list";
    if (price && price->ambiguous)
        return ISO_OK; /* prices.c told it */
    if (price) {
        row.price = price->price;
        row.currency = price->currency;
    }
    return fetch->aws->config->zones && iso_dictionary_count(region->zones) > 0
               ? send_by_zone(fetch, region, &row, reterr)
               : iso_put_offerings(fetch->sink, &row, 1, reterr);
}

enum iso_status iso_aws_send_offerings(const struct iso_aws_fetch *fetch,
                                       const struct iso_aws_region *region,
                                       struct iso_error *reterr)
{
    char place[ISO_AWS_PLACE_BYTES];

    for (size_t i = 0; i < iso_dictionary_count(region->types); i++) {
        const struct iso_aws_type *type = iso_dictionary_record(region->types, i);
        if (type->on_demand)
            ISO_TRY(send_type(fetch, region, iso_dictionary_key(region->types, i), type, reterr));
    }
    for (size_t i = 0; i < iso_dictionary_count(region->prices); i++) {
        const char *name = iso_dictionary_key(region->prices, i);
        if (iso_dictionary_find(region->types, name))
            continue;
        snprintf(place, sizeof(place), "%s/%s", region->name, name);
        ISO_TRY(iso_report(fetch->sink, "priced_unknown", /* quarantined= */ true, place,
                           "the price list has a price of it, EC2 does not know it here", reterr));
    }
    return ISO_OK;
}

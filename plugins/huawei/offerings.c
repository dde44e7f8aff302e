/* Offerings and subscriptions of a region: types, zones and prices put together. */
#include <stdio.h>

#include "huawei.h"
#include "isocost/sdk/findings.h"
#include "isocost/sdk/subscription.h"

static struct iso_plugin_offering offering_of(const struct iso_huawei_fetch *fetch,
                                              const char *name, const struct iso_huawei_type *type)
{
    const struct iso_huawei_price *price = &type->prices[ISO_HUAWEI_HOUR];
    struct iso_plugin_offering row = {
        .provider = "huawei",
        .region = fetch->place->region,
        .type = name,
        .os = "linux",
        .native_id = name,
        .family = type->family,
        .arch = type->arch,
        .gpu_model = type->gpu_model,
        .tenancy = "shared",
        .source = "Huawei Cloud on-demand-resources",
        .purchase = ISO_PLUGIN_PURCHASE_ON_DEMAND,
        .kind = ISO_PLUGIN_KIND_VM,
        .price = price->amount,
        .currency = price->amount.present ? price->currency : NULL,
        .observed_ns = fetch->now_ns,
    };

    memcpy(row.resources, type->resources, sizeof(row.resources));
    return row;
}

static enum iso_status send_type(const struct iso_huawei_fetch *fetch,
                                 const struct iso_huawei_region *region, const char *name,
                                 const struct iso_huawei_type *type, struct iso_error *reterr)
{
    struct iso_plugin_offering row = offering_of(fetch, name, type);

    for (size_t z = 0; z < region->n_zones; z++) {
        const struct iso_huawei_state *state = type->states[z];
        const struct iso_plugin_label label = {"state", state ? state->word : NULL};
        if (!state)
            continue;
        row.zone = region->zones[z].name;
        row.status = state->status;
        row.labels = &label;
        row.n_labels = state->word != NULL;
        ISO_TRY(iso_put_offerings(fetch->sink, &row, 1, reterr));
    }
    return ISO_OK;
}

enum iso_status iso_huawei_send_offerings(const struct iso_huawei_fetch *fetch,
                                          const struct iso_huawei_region *region,
                                          struct iso_error *reterr)
{
    struct iso_findings findings = {0};
    char place[ISO_HUAWEI_PLACE_BYTES];

    for (size_t i = 0; i < iso_dictionary_count(region->types); i++) {
        const char *name = iso_dictionary_key(region->types, i);
        const struct iso_huawei_type *type = iso_dictionary_record(region->types, i);
        if (type->on_demand)
            ISO_TRY(send_type(fetch, region, name, type, reterr));
        else
            ISO_TRY(iso_findings_add(&findings, fetch->sink, "not_on_demand",
                                     /* quarantined= */ true,
                                     iso_huawei_place_of(fetch, name, place),
                                     "the type is not sold on demand", reterr));
    }
    return iso_findings_end(&findings, fetch->sink, fetch->place->region, reterr);
}

enum iso_status iso_huawei_send_products(const struct iso_huawei_fetch *fetch,
                                         const struct iso_huawei_region *region,
                                         struct iso_error *reterr)
{
    static const enum iso_huawei_term terms[] = {ISO_HUAWEI_MONTH, ISO_HUAWEI_YEAR};

    for (size_t i = 0; i < iso_dictionary_count(region->types); i++) {
        const struct iso_huawei_type *type = iso_dictionary_record(region->types, i);
        for (size_t t = 0; t < ISO_ARRAY_LENGTH(terms); t++) {
            const struct iso_subscription row = {
                .provider = "huawei",
                .region = fetch->place->region,
                .type = iso_dictionary_key(region->types, i),
                .source = "Huawei Cloud subscribe-rate",
                .currency = type->prices[terms[t]].currency,
                .year = terms[t] == ISO_HUAWEI_YEAR,
                .price = type->prices[terms[t]].amount,
            };
            ISO_TRY(iso_subscription_put(&row, fetch->sink, reterr));
        }
    }
    return ISO_OK;
}

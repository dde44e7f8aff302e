/* Offerings and commitment products of a region: sizes, zones and prices put together. */
#include <stdio.h>

#include "azure.h"
#include "isocost/sdk/report.h"

#define HOURS_PER_YEAR 8760
#define LOT (ISO_DECIMAL_ONE / 10) /* money an hour in one lot of a savings plan */

static struct iso_plugin_offering offering_of(const struct iso_azure_fetch *fetch,
                                              const struct iso_azure_region *region,
                                              const char *key, const struct iso_azure_type *type)
{
    struct iso_plugin_offering row = {
        .provider = "azure",
        .region = region->name,
        .type = key,
        .os = "linux",
        .native_id = type->name,
        .family = type->family,
        .arch = type->arch,
        .tenancy = "shared",
        .source = "Azure retail prices",
        .kind = ISO_PLUGIN_KIND_VM,
        .status = type->restricted ? ISO_PLUGIN_STATUS_RESTRICTED : ISO_PLUGIN_STATUS_AVAILABLE,
        .observed_ns = fetch->now_ns,
    };

    memcpy(row.resources, type->resources, sizeof(row.resources));
    return row;
}

/* Sends a row once for each zone that has the size, or for the region if none has it by name. */
static enum iso_status send_row(const struct iso_azure_fetch *fetch,
                                const struct iso_azure_region *region,
                                const struct iso_azure_type *type, struct iso_plugin_offering *row,
                                struct iso_error *reterr)
{
    int32_t everywhere = row->status;

    if (!fetch->azure->config->zones || type->n_zones == 0)
        return iso_put_offerings(fetch->sink, row, 1, reterr);
    for (size_t z = 0; z < type->n_zones; z++) {
        const struct iso_plugin_label label = {"zone_number", type->zones[z].number};

        row->zone = iso_azure_zone_id(fetch, region->name, type->zones[z].number);
        row->status = type->zones[z].restricted ? ISO_PLUGIN_STATUS_RESTRICTED : everywhere;
        row->labels = &label;
        row->n_labels = 1;
        ISO_TRY(iso_put_offerings(fetch->sink, row, 1, reterr));
    }
    return ISO_OK;
}

static void set_price(struct iso_plugin_offering *row, const struct iso_azure_prices *prices,
                      const struct iso_azure_price *price)
{
    row->price = price->hourly;
    row->currency = prices->currency;
}

static enum iso_status send_type(const struct iso_azure_fetch *fetch,
                                 const struct iso_azure_region *region, size_t i,
                                 struct iso_error *reterr)
{
    const char *key = iso_dictionary_key(region->types, i);
    const struct iso_azure_type *type = iso_dictionary_record(region->types, i);
    const struct iso_azure_prices *prices = iso_dictionary_find(region->prices, key);
    struct iso_plugin_offering row = offering_of(fetch, region, key, type);

    row.purchase = ISO_PLUGIN_PURCHASE_ON_DEMAND;
    if (prices && prices->on_demand.meter[0])
        set_price(&row, prices, &prices->on_demand);
    if (!prices || !prices->on_demand.ambiguous) /* prices.c told it */
        ISO_TRY(send_row(fetch, region, type, &row, reterr));
    if (!fetch->azure->config->spot || !prices || !prices->spot.meter[0] || prices->spot.ambiguous)
        return ISO_OK;
    row = offering_of(fetch, region, key, type);
    row.purchase = ISO_PLUGIN_PURCHASE_SPOT;
    if (!type->spot)
        row.status = ISO_PLUGIN_STATUS_RESTRICTED; /* priced, but the size has no spot */
    set_price(&row, prices, &prices->spot);
    return send_row(fetch, region, type, &row, reterr);
}

enum iso_status iso_azure_send_offerings(const struct iso_azure_fetch *fetch,
                                         const struct iso_azure_region *region,
                                         struct iso_error *reterr)
{
    char place[ISO_AZURE_PLACE_BYTES];

    for (size_t i = 0; i < iso_dictionary_count(region->types); i++)
        ISO_TRY(send_type(fetch, region, i, reterr));
    for (size_t i = 0; i < iso_dictionary_count(region->prices); i++) {
        const char *key = iso_dictionary_key(region->prices, i);
        if (iso_dictionary_find(region->types, key))
            continue;
        snprintf(place, sizeof(place), "%s/%s", region->name, key);
        ISO_TRY(iso_report(fetch->sink, "priced_unknown", /* quarantined= */ true, place,
                           "there is a price of it, and no such size in the region", reterr));
    }
    return ISO_OK;
}

/* ---- Products ---- */

static enum iso_status send_reservation(const struct iso_azure_fetch *fetch,
                                        const struct iso_azure_region *region, const char *type,
                                        const struct iso_azure_prices *prices, int64_t years,
                                        struct iso_error *reterr)
{
    const struct iso_plugin_condition conditions[] = {
        {ISO_PLUGIN_FIELD_PROVIDER, NULL, "azure"},
        {ISO_PLUGIN_FIELD_REGION, NULL, region->name},
        {ISO_PLUGIN_FIELD_TYPE, NULL, type},
        {ISO_PLUGIN_FIELD_OS, NULL, "linux"},
        {ISO_PLUGIN_FIELD_PURCHASE, NULL, "on-demand"},
    };
    const struct iso_plugin_term term = {conditions, ISO_ARRAY_LENGTH(conditions)};
    char id[ISO_AZURE_NAME_BYTES], name[2 * ISO_AZURE_NAME_BYTES];

    snprintf(id, sizeof(id), "azure-ri/%.40s/%.60s/%lldy", region->name, type, (long long)years);
    snprintf(name, sizeof(name), "%s in %s reserved for %lld years", type, region->name,
             (long long)years);
    const struct iso_plugin_product row = {
        .id = id,
        .provider = "azure",
        .display_name = name,
        .source = "Azure retail prices, term total divided by its hours",
        .kind = ISO_PLUGIN_COMMITMENT_UNIT,
        .eligible = {.include = &term, .n_include = 1},
        .rate_bytes = sizeof(struct iso_plugin_rate),
        .term_hours = {true, years * HOURS_PER_YEAR * ISO_DECIMAL_ONE},
        .hourly_fee = prices->reserved[years].hourly,
        .currency = prices->currency,
    };
    return iso_put_products(fetch->sink, &row, 1, reterr);
}

static enum iso_status add_savings(const struct iso_azure_fetch *fetch,
                                   const struct iso_azure_region *region, const char *type,
                                   const struct iso_azure_prices *prices, int64_t years,
                                   struct iso_error *reterr)
{
    char id[ISO_AZURE_NAME_BYTES], name[ISO_AZURE_NAME_BYTES], place[ISO_AZURE_PLACE_BYTES];
    struct iso_error error = {0};
    const struct iso_spend_plan plan = {
        .id = id,
        .provider = "azure",
        .display_name = name,
        .source = "Azure retail prices",
        .currency = prices->currency,
        .term_hours = years * HOURS_PER_YEAR,
        .lot = LOT,
    };

    snprintf(id, sizeof(id), "azure-compute-sp/%lldy", (long long)years);
    snprintf(name, sizeof(name), "Savings plan for compute, %lld years", (long long)years);
    enum iso_status status =
        iso_spend_add(fetch->savings, &plan, region->name, type, prices->on_demand.hourly.value,
                      prices->savings[years].value, &error);
    if (status != ISO_E_INVALID)
        return status == ISO_OK ? ISO_OK : iso_fail(reterr, status, "", "%s", error.text);
    snprintf(place, sizeof(place), "%s/%s", region->name, type);
    return iso_report(fetch->sink, "rate_above_price", /* quarantined= */ true, place, "%s", reterr,
                      error.text);
}

enum iso_status iso_azure_send_products(const struct iso_azure_fetch *fetch,
                                        const struct iso_azure_region *region,
                                        struct iso_error *reterr)
{
    const struct iso_azure_config *config = fetch->azure->config;

    for (size_t i = 0; i < iso_dictionary_count(region->prices); i++) {
        const char *type = iso_dictionary_key(region->prices, i);
        const struct iso_azure_prices *prices = iso_dictionary_record(region->prices, i);
        for (int64_t years = 1; years <= ISO_AZURE_MAX_TERMS; years++) {
            const struct iso_azure_price *reserved = &prices->reserved[years];
            if (config->reservations && reserved->meter[0] && !reserved->ambiguous)
                ISO_TRY(send_reservation(fetch, region, type, prices, years, reterr));
            if (config->savings_plans && prices->savings[years].present &&
                !prices->on_demand.ambiguous)
                ISO_TRY(add_savings(fetch, region, type, prices, years, reterr));
        }
    }
    return ISO_OK;
}

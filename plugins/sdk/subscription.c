#include "isocost/sdk/subscription.h"

#include <stdio.h>

#define HOURS_PER_MONTH 730
#define HOURS_PER_YEAR 8760
#define ID_BYTES 224

enum iso_status iso_subscription_put(const struct iso_subscription *subscription,
                                     struct iso_sink *sink, struct iso_error *reterr)
{
    const struct iso_subscription *s = subscription;
    const struct iso_plugin_condition conditions[] = {
        {ISO_PLUGIN_FIELD_PROVIDER, NULL, s->provider}, {ISO_PLUGIN_FIELD_REGION, NULL, s->region},
        {ISO_PLUGIN_FIELD_TYPE, NULL, s->type},         {ISO_PLUGIN_FIELD_OS, NULL, "linux"},
        {ISO_PLUGIN_FIELD_PURCHASE, NULL, "on-demand"},
    };
    const struct iso_plugin_term term = {conditions, ISO_ARRAY_LENGTH(conditions)};
    char id[ID_BYTES], name[ID_BYTES];

    if (!s->price.present)
        return ISO_OK;
    snprintf(id, sizeof(id), "%.32s-subscription/%.48s/%.80s/%s", s->provider, s->region, s->type,
             s->year ? "1y" : "1m");
    snprintf(name, sizeof(name), "%.80s in %.48s, subscribed for a %s", s->type, s->region,
             s->year ? "year" : "month");
    const struct iso_plugin_product row = {
        .id = id,
        .provider = s->provider,
        .display_name = name,
        .source = s->source,
        .kind = ISO_PLUGIN_COMMITMENT_UNIT,
        .eligible = {.include = &term, .n_include = 1},
        .rate_bytes = sizeof(struct iso_plugin_rate),
        .term_hours = {true, (s->year ? HOURS_PER_YEAR : HOURS_PER_MONTH) * ISO_DECIMAL_ONE},
        .hourly_fee = {true, 0},
        .upfront = s->price,
        .currency = s->currency,
    };
    return iso_put_products(sink, &row, 1, reterr);
}

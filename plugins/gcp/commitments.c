/* Committed use by resource, as products.
 *
 * Google sells hours of cores and of GiB apart; both together cover a machine. A product covers
 * whole instances, so one product is a vCPU with the memory that goes with it in one shape of a
 * family, for example 4 GiB in n2-standard, and an instance uses as many units as it has vCPUs:
 *
 *     fee of a unit = core + memory * MiB of the type / (1024 * vCPUs of the type)  */
#include <stdio.h>

#include "gcp.h"

#define MIB_PER_GIB 1024
#define HOURS_PER_YEAR 8760
#define MAX_RATES 64

/* Types of a region, family and memory of a vCPU; key: all of them. */
struct shape {
    const struct iso_gcp_type *first;
    size_t n_types;
    const struct iso_gcp_type *types[MAX_RATES];
};

/* What a commitment of cores and memory covers: no GPUs, local disks and shared cores. */
static bool may_be_covered(const struct iso_gcp_type *type)
{
    return type->n_gpus == 0 && !type->has_other_parts && !type->shared && !type->deprecated;
}

/* Types of several zones are one of the region. */
static enum iso_status group(const struct iso_gcp_fetch *fetch, struct iso_dictionary *shapes,
                             struct iso_error *reterr)
{
    char key[ISO_GCP_KEY_BYTES];

    for (size_t i = 0; i < iso_dictionary_count(fetch->types); i++) {
        const struct iso_gcp_type *type = iso_dictionary_record(fetch->types, i);
        if (!may_be_covered(type) || type->memory_mib % type->vcpus != 0)
            continue;
        snprintf(key, sizeof(key), "%s/%.64s/%lld", type->region, type->family,
                 (long long)(type->memory_mib / type->vcpus));
        struct shape *shape = iso_dictionary_add(shapes, key);
        if (!shape)
            return iso_gcp_full(reterr);
        bool known = false;
        for (size_t t = 0; t < shape->n_types && !known; t++)
            known = strcmp(shape->types[t]->name, type->name) == 0;
        if (!known && shape->n_types == MAX_RATES)
            return iso_fail(reterr, ISO_E_LIMIT, "", "more than %d types in %s", MAX_RATES, key);
        if (!known)
            shape->types[shape->n_types++] = type;
        shape->first = shape->types[0];
    }
    return ISO_OK;
}

/* False: a part has no price for the term. */
static bool fee_of(const struct iso_gcp_fetch *fetch, const struct iso_gcp_type *type,
                   enum iso_gcp_usage usage, struct iso_amount *ret_fee, const char **ret_currency)
{
    const struct iso_gcp_price *core, *memory;

    core = iso_gcp_find_price(fetch, type->region, type->family, ISO_GCP_CORE, usage);
    memory = iso_gcp_find_price(fetch, type->region, type->family, ISO_GCP_MEMORY, usage);
    if (!core || !memory || strcmp(core->currency, memory->currency) != 0)
        return false;
    iso_wide unit = (iso_wide)MIB_PER_GIB * type->vcpus;
    iso_wide sum = (iso_wide)core->hourly * unit + (iso_wide)memory->hourly * type->memory_mib;
    *ret_currency = core->currency;
    ret_fee->present =
        iso_wide_to_decimal(iso_wide_divide(sum, unit, ISO_ROUND_HALF_EVEN), &ret_fee->value);
    return ret_fee->present;
}

static enum iso_status send(const struct iso_gcp_fetch *fetch, const struct shape *shape,
                            int64_t years, struct iso_error *reterr)
{
    enum iso_gcp_usage usage = years == 1 ? ISO_GCP_ONE_YEAR : ISO_GCP_THREE_YEARS;
    const struct iso_gcp_type *first = shape->first;
    int64_t mib = first->memory_mib / first->vcpus;
    struct iso_plugin_condition conditions[MAX_RATES][5];
    struct iso_plugin_term terms[MAX_RATES];
    struct iso_plugin_rate rates[MAX_RATES];
    char id[ISO_GCP_KEY_BYTES], name[ISO_GCP_KEY_BYTES];
    struct iso_amount fee = {0};
    const char *currency;

    if (!fee_of(fetch, first, usage, &fee, &currency))
        return ISO_OK;
    for (size_t i = 0; i < shape->n_types; i++) {
        const struct iso_plugin_condition all[] = {
            {ISO_PLUGIN_FIELD_PROVIDER, NULL, "gcp"},
            {ISO_PLUGIN_FIELD_REGION, NULL, first->region},
            {ISO_PLUGIN_FIELD_TYPE, NULL, shape->types[i]->name},
            {ISO_PLUGIN_FIELD_OS, NULL, "linux"},
            {ISO_PLUGIN_FIELD_PURCHASE, NULL, "on-demand"},
        };
        memcpy(conditions[i], all, sizeof(all));
        terms[i] = (struct iso_plugin_term){conditions[i], ISO_ARRAY_LENGTH(all)};
        rates[i] = (struct iso_plugin_rate){
            .offerings = {.include = &terms[i], .n_include = 1},
            .units = {true, shape->types[i]->vcpus * ISO_DECIMAL_ONE},
        };
    }
    snprintf(id, sizeof(id), "gcp-cud/%s/%s/%lldmib/%lldy", first->region, first->family,
             (long long)mib, (long long)years);
    snprintf(name, sizeof(name), "%s vCPU with %lld MiB in %s committed for %lld years",
             first->family, (long long)mib, first->region, (long long)years);
    const struct iso_plugin_product row = {
        .id = id,
        .provider = "gcp",
        .display_name = name,
        .source = "Cloud Billing price list, a core and its memory",
        .kind = ISO_PLUGIN_COMMITMENT_UNIT,
        .eligible = {.include = terms, .n_include = shape->n_types},
        .rates = rates,
        .n_rates = shape->n_types,
        .rate_bytes = sizeof(struct iso_plugin_rate),
        .term_hours = {true, years * HOURS_PER_YEAR * ISO_DECIMAL_ONE},
        .hourly_fee = fee,
        .currency = currency,
    };
    return iso_put_products(fetch->sink, &row, 1, reterr);
}

enum iso_status iso_gcp_send_products(const struct iso_gcp_fetch *fetch, struct iso_error *reterr)
{
    ISO_AUTO(iso_dictionary) shapes = iso_dictionary_new(sizeof(struct shape));

    if (!shapes)
        return iso_gcp_full(reterr);
    ISO_TRY(group(fetch, shapes, reterr));
    for (size_t i = 0; i < iso_dictionary_count(shapes); i++) {
        ISO_TRY(send(fetch, iso_dictionary_record(shapes, i), 1, reterr));
        ISO_TRY(send(fetch, iso_dictionary_record(shapes, i), 3, reterr));
    }
    return ISO_OK;
}

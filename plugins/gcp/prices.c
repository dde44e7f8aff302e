/* Prices of parts: the SKUs of Compute Engine, and what a type costs that is made of them. */
#include <stdio.h>

#include "gcp.h"
#include "isocost/sdk/report.h"

#define SKUS "https://cloudbilling.googleapis.com/v1/services/6F81-5844-456A/skus"
#define MIB_PER_GIB 1024
#define PERCENT 100

struct prices_call {
    const struct iso_gcp_fetch *fetch;
    size_t n_skus;
    size_t n_unknown;
    char unknown[96]; /* the description of the first SKU of no known family */
};

static void write_key(char key[ISO_GCP_KEY_BYTES], const char *region, const char *family,
                      enum iso_gcp_part part, enum iso_gcp_usage usage)
{
    snprintf(key, ISO_GCP_KEY_BYTES, "%.48s/%.64s/%d/%d", region, family, (int)part, (int)usage);
}

static bool read_usage(const char *text, enum iso_gcp_usage *ret_usage)
{
    static const char *const names[ISO_GCP_N_USAGES] = {
        [ISO_GCP_ON_DEMAND] = "OnDemand",
        [ISO_GCP_SPOT] = "Preemptible",
        [ISO_GCP_ONE_YEAR] = "Commit1Yr",
        [ISO_GCP_THREE_YEARS] = "Commit3Yr",
    };

    for (int i = 0; i < ISO_GCP_N_USAGES; i++)
        if (strcmp(text, names[i]) == 0) {
            *ret_usage = (enum iso_gcp_usage)i;
            return true;
        }
    return false;
}

/* Whether a SKU may be a part of a machine; disks, networks and licenses are in the same list. */
static bool is_part(const struct iso_json *sku, bool *ret_gpu)
{
    static const char *const groups[] = {"CPU", "RAM", "GPU", "N1Standard", "F1Micro", "G1Small"};
    const char *group = iso_json_text_at(sku, "category.resourceGroup");

    *ret_gpu = strcmp(group, "GPU") == 0;
    if (strcmp(iso_json_text_at(sku, "category.resourceFamily"), "Compute") != 0)
        return false;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(groups); i++)
        if (strcmp(group, groups[i]) == 0)
            return true;
    return false;
}

/* units, a text, and nanos, a number; either is left out when it is 0. */
static bool read_money(const struct iso_gcp_fetch *fetch, const struct iso_json *money,
                       iso_decimal *ret_value)
{
    int64_t units = iso_gcp_integer(fetch, iso_json_at(money, "units"),
                                    iso_json_at(money, "units") ? INT64_MIN : 0);
    int64_t nanos = iso_gcp_integer(fetch, iso_json_at(money, "nanos"),
                                    iso_json_at(money, "nanos") ? INT64_MIN : 0);

    if (units == INT64_MIN || nanos == INT64_MIN)
        return false;
    return iso_wide_to_decimal((iso_wide)units * ISO_DECIMAL_ONE + nanos, ret_value);
}

/* The price of the first tier that costs anything: what a free tier gives is gone after the first
 * machine, and the tiers behind are of more than one machine uses. */
static bool read_rate(const struct iso_gcp_fetch *fetch, const struct iso_json *rates,
                      struct iso_gcp_price *price)
{
    for (size_t i = 0; i < iso_json_length(rates); i++) {
        const struct iso_json *money = iso_json_at(iso_json_item(rates, i), "unitPrice");
        const char *currency = iso_json_text_at(money, "currencyCode");
        if (strlen(currency) != 3 || !read_money(fetch, money, &price->hourly))
            return false;
        memcpy(price->currency, currency, sizeof(price->currency));
        if (price->hourly != 0)
            return true;
    }
    return iso_json_length(rates) > 0;
}

static enum iso_status note(const struct iso_gcp_fetch *fetch, const char *key,
                            const struct iso_gcp_price *price, struct iso_error *reterr)
{
    struct iso_gcp_price *known = iso_dictionary_add(fetch->parts, key);

    if (!known)
        return iso_gcp_full(reterr);
    if (!known->sku) {
        *known = *price;
        known->sku = iso_gcp_keep(fetch, price->sku);
        return known->sku ? ISO_OK : iso_gcp_full(reterr);
    }
    if (known->ambiguous ||
        (known->hourly == price->hourly && strcmp(known->currency, price->currency) == 0))
        return ISO_OK;
    known->ambiguous = true;
    return iso_report(fetch->sink, "ambiguous_price", /* quarantined= */ true, key,
                      "the SKUs %.32s and %.32s differ, and nothing tells which holds", reterr,
                      known->sku, price->sku);
}

static enum iso_status read_sku(struct prices_call *call, const struct iso_json *sku,
                                struct iso_error *reterr)
{
    const struct iso_gcp_fetch *fetch = call->fetch;
    const char *description = iso_json_text_at(sku, "description"), *family = "";
    const struct iso_json *info = iso_json_item(iso_json_at(sku, "pricingInfo"), 0);
    const char *unit = iso_json_text_at(info, "pricingExpression.usageUnit");
    const struct iso_json *regions = iso_json_at(sku, "serviceRegions");
    struct iso_gcp_price price = {.sku = iso_json_text_at(sku, "skuId")};
    enum iso_gcp_usage usage;
    enum iso_gcp_part part;
    char key[ISO_GCP_KEY_BYTES];
    bool gpu;

    if (!is_part(sku, &gpu) || !read_usage(iso_json_text_at(sku, "category.usageType"), &usage))
        return ISO_OK;
    enum iso_gcp_reading reading = iso_gcp_read_description(description, gpu, &family, &part);
    if (reading == ISO_GCP_UNKNOWN && call->n_unknown++ == 0)
        snprintf(call->unknown, sizeof(call->unknown), "%.90s", description);
    if (reading != ISO_GCP_NAMED)
        return ISO_OK;
    if (strcmp(unit, part == ISO_GCP_MEMORY ? "GiBy.h" : "h") != 0)
        return iso_report(fetch->sink, "unknown_unit", /* quarantined= */ true, price.sku,
                          "\"%.64s\" is priced by \"%.16s\"", reterr, description, unit);
    if (!read_rate(fetch, iso_json_at(info, "pricingExpression.tieredRates"), &price))
        return iso_report(fetch->sink, "missing_price", /* quarantined= */ true, price.sku,
                          "\"%.64s\" has no price that can be read", reterr, description);
    for (size_t i = 0; i < iso_json_length(regions); i++) {
        const char *name = iso_json_scalar(iso_json_item(regions, i), fetch->row);
        const char *region = name ? iso_gcp_known_region(fetch->gcp, name) : NULL;
        if (!region)
            continue;
        write_key(key, region, family, part, usage);
        ISO_TRY(note(fetch, key, &price, reterr));
    }
    return ISO_OK;
}

static enum iso_status on_skus(void *context, const struct iso_json *answer,
                               struct iso_error *reterr)
{
    struct prices_call *call = context;
    const struct iso_json *list = iso_json_at(answer, "skus");

    for (size_t i = 0; i < iso_json_length(list); i++) {
        iso_scratch_reset(call->fetch->row);
        ISO_TRY(read_sku(call, iso_json_item(list, i), reterr));
        call->n_skus++;
    }
    return ISO_OK;
}

enum iso_status iso_gcp_fetch_prices(const struct iso_gcp_fetch *fetch, struct iso_error *reterr)
{
    const struct iso_gcp_config *config = fetch->gcp->config;
    struct prices_call prices = {.fetch = fetch};
    char url[256];

    snprintf(url, sizeof(url), SKUS "?currencyCode=%s&pageSize=1000", config->currency);
    const struct iso_gcp_call call = {
        .service = "billing",
        .url = url,
        .scope = strcmp(config->price_auth, "api-key") == 0
                     ? NULL
                     : "https://www.googleapis.com/auth/cloud-billing.readonly",
    };
    ISO_TRY(iso_gcp_ask(fetch, &call, on_skus, &prices, reterr));
    if (prices.n_skus == 0)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the price list has no SKU");
    if (prices.n_unknown == 0)
        return ISO_OK;
    return iso_report(fetch->sink, "unknown_family", /* quarantined= */ false, "price list",
                      "%zu SKUs are of no family that is known, e.g. \"%s\"", reterr,
                      prices.n_unknown, prices.unknown);
}

struct iso_gcp_price *iso_gcp_find_price(const struct iso_gcp_fetch *fetch, const char *region,
                                         const char *family, enum iso_gcp_part part,
                                         enum iso_gcp_usage usage)
{
    char key[ISO_GCP_KEY_BYTES];

    write_key(key, region, family, part, usage);
    struct iso_gcp_price *price = iso_dictionary_find(fetch->parts, key);
    if (price)
        price->used = true;
    return price && !price->ambiguous ? price : NULL;
}

/* The price of a type, in units of 1e-9, is a sum of products that is rounded once:
 *
 *     core * percent / 100 + memory * MiB / 1024 + gpu * n
 *
 * f1-micro and g1-small are one part each, and their memory costs nothing more. */
bool iso_gcp_compose(const struct iso_gcp_fetch *fetch, const struct iso_gcp_type *type,
                     enum iso_gcp_usage usage, iso_decimal *ret_hourly, const char **ret_currency)
{
    bool whole = strcmp(type->family, "f1") == 0 || strcmp(type->family, "g1") == 0;
    const struct iso_gcp_price *core, *memory = NULL, *gpu = NULL;

    core = iso_gcp_find_price(fetch, type->region, type->family, ISO_GCP_CORE, usage);
    if (!whole)
        memory = iso_gcp_find_price(fetch, type->region, type->family, ISO_GCP_MEMORY, usage);
    if (type->n_gpus > 0)
        gpu = iso_gcp_find_price(fetch, type->region, type->gpu, ISO_GCP_GPU, usage);
    if (!core || (!whole && !memory) || (type->n_gpus > 0 && !gpu) || type->has_other_parts ||
        (memory && strcmp(core->currency, memory->currency) != 0) ||
        (gpu && strcmp(core->currency, gpu->currency) != 0))
        return false;
    iso_wide sum = (iso_wide)core->hourly * type->cores_percent * MIB_PER_GIB;
    sum += memory ? (iso_wide)memory->hourly * type->memory_mib * PERCENT : 0;
    sum += gpu ? (iso_wide)gpu->hourly * type->n_gpus * PERCENT * MIB_PER_GIB : 0;
    *ret_currency = core->currency;
    return iso_wide_to_decimal(
        iso_wide_divide(sum, (iso_wide)PERCENT * MIB_PER_GIB, ISO_ROUND_HALF_EVEN), ret_hourly);
}

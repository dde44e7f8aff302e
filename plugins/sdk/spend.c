#include "isocost/sdk/spend.h"

#include <stdio.h>

#include "isocost/sdk/dictionary.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/scratch.h"

#define MEMORY_BYTES ((size_t)256 << 20)
#define MAX_PRODUCT_BYTES ((size_t)900000) /* of a row, which may have 1 MiB */
#define CONDITION_BYTES 2                  /* of a row for each text, beside the text */
#define COPIES 2                           /* a type stands in its rate and in what is eligible */
#define SHARE_BYTES 64                     /* of a row for each share, beside its types */
#define N_FIXED 4                          /* conditions of a share beside its types */

/* Types of one region with the same share; key "region/share". */
struct share {
    const char *region;
    iso_decimal ratio;
    const char **types; /* owned */
    size_t n_types, capacity;
};

/* Key: the id. */
struct plan {
    struct iso_spend_plan told; /* its texts are kept */
    struct iso_dictionary *shares;
    size_t n_bytes; /* of its row, about */
};

struct iso_spend {
    struct iso_scratch *kept;
    struct iso_dictionary *plans;
};

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for commitments");
}

void iso_spend_free(struct iso_spend *spend)
{
    if (!spend)
        return;
    for (size_t p = 0; spend->plans && p < iso_dictionary_count(spend->plans); p++) {
        struct plan *plan = iso_dictionary_record(spend->plans, p);
        for (size_t s = 0; plan->shares && s < iso_dictionary_count(plan->shares); s++)
            free(((struct share *)iso_dictionary_record(plan->shares, s))->types);
        iso_dictionary_free(plan->shares);
    }
    iso_dictionary_free(spend->plans);
    iso_scratch_free(spend->kept);
    free(spend);
}

struct iso_spend *iso_spend_new(void)
{
    ISO_AUTO(iso_spend) spend = iso_calloc(1, sizeof(*spend));

    if (!spend)
        return NULL;
    spend->kept = iso_scratch_new(MEMORY_BYTES);
    spend->plans = iso_dictionary_new(sizeof(struct plan));
    return spend->kept && spend->plans ? ISO_STEAL(spend) : NULL;
}

/* Copies a text of a plan; false when memory is short. */
static bool keep(struct iso_spend *spend, const char **text)
{
    *text = iso_scratch_text(spend->kept, *text, strlen(*text));
    return *text != NULL;
}

static struct plan *plan_of(struct iso_spend *spend, const struct iso_spend_plan *told)
{
    struct plan *plan = iso_dictionary_add(spend->plans, told->id);

    if (!plan || plan->shares)
        return plan;
    plan->told = *told;
    if (!keep(spend, &plan->told.id) || !keep(spend, &plan->told.provider) ||
        !keep(spend, &plan->told.display_name) || !keep(spend, &plan->told.source) ||
        !keep(spend, &plan->told.currency))
        return NULL;
    plan->shares = iso_dictionary_new(sizeof(struct share));
    return plan->shares ? plan : NULL;
}

static bool add_type(struct iso_spend *spend, struct plan *plan, const char *region,
                     const char *type, iso_decimal ratio)
{
    char key[160];

    snprintf(key, sizeof(key), "%.100s/%lld", region, (long long)ratio);
    struct share *share = iso_dictionary_add(plan->shares, key);
    if (!share)
        return false;
    if (!share->region) {
        share->region = region;
        share->ratio = ratio;
        plan->n_bytes += COPIES * (SHARE_BYTES + strlen(region));
        if (!keep(spend, &share->region))
            return false;
    }
    if (share->n_types == share->capacity) {
        size_t capacity = 2 * share->capacity + 8;
        const char **types = iso_realloc(share->types, capacity, sizeof(*types));
        if (!types)
            return false;
        share->types = types;
        share->capacity = capacity;
    }
    plan->n_bytes += COPIES * (strlen(type) + CONDITION_BYTES);
    share->types[share->n_types] = type;
    return keep(spend, &share->types[share->n_types++]);
}

enum iso_status iso_spend_add(struct iso_spend *spend, const struct iso_spend_plan *plan,
                              const char *region, const char *type, iso_decimal price,
                              iso_decimal rate, struct iso_error *reterr)
{
    iso_decimal ratio;

    if (price <= 0 || !iso_decimal_divide(rate, price, ISO_ROUND_HALF_EVEN, &ratio) || ratio <= 0 ||
        ratio > ISO_DECIMAL_ONE)
        return iso_fail(reterr, ISO_E_INVALID, "",
                        "the rate of %.64s is not above 0 and at most its price", type);
    struct plan *made = plan_of(spend, plan);
    return made && made->shares && add_type(spend, made, region, type, ratio) ? ISO_OK
                                                                              : no_memory(reterr);
}

/* The conditions of a share's offerings. */
static bool term_of(const struct plan *plan, const struct share *share, struct iso_scratch *row,
                    struct iso_plugin_term *ret_term)
{
    size_t n = N_FIXED + share->n_types;
    struct iso_plugin_condition *conditions = iso_scratch_calloc(row, n, sizeof(*conditions));

    if (!conditions)
        return false;
    conditions[0] =
        (struct iso_plugin_condition){ISO_PLUGIN_FIELD_PROVIDER, NULL, plan->told.provider};
    conditions[1] = (struct iso_plugin_condition){ISO_PLUGIN_FIELD_REGION, NULL, share->region};
    conditions[2] = (struct iso_plugin_condition){ISO_PLUGIN_FIELD_OS, NULL, "linux"};
    conditions[3] = (struct iso_plugin_condition){ISO_PLUGIN_FIELD_PURCHASE, NULL, "on-demand"};
    for (size_t i = 0; i < share->n_types; i++)
        conditions[N_FIXED + i] =
            (struct iso_plugin_condition){ISO_PLUGIN_FIELD_TYPE, NULL, share->types[i]};
    *ret_term = (struct iso_plugin_term){conditions, n};
    return true;
}

static enum iso_status send(const struct plan *plan, struct iso_scratch *row, struct iso_sink *sink,
                            struct iso_error *reterr)
{
    const struct iso_spend_plan *told = &plan->told;
    size_t n = iso_dictionary_count(plan->shares);
    struct iso_plugin_term *terms = iso_scratch_calloc(row, n, sizeof(*terms));
    struct iso_plugin_rate *rates = iso_scratch_calloc(row, n, sizeof(*rates));
    iso_decimal paid_once, upfront;

    if (!terms || !rates)
        return no_memory(reterr);
    for (size_t i = 0; i < n; i++) {
        const struct share *share = iso_dictionary_record(plan->shares, i);
        if (!term_of(plan, share, row, &terms[i]))
            return no_memory(reterr);
        rates[i] = (struct iso_plugin_rate){.offerings = {.include = &terms[i], .n_include = 1},
                                            .price_ratio = {true, share->ratio}};
    }
    if (!iso_decimal_multiply(told->lot, told->upfront_share, ISO_ROUND_HALF_EVEN, &paid_once) ||
        !iso_wide_to_decimal((iso_wide)paid_once * told->term_hours, &upfront))
        return iso_fail(reterr, ISO_E_INVALID, "", "the plan %.100s is out of range", told->id);
    const struct iso_plugin_product product = {
        .id = told->id,
        .provider = told->provider,
        .display_name = told->display_name,
        .source = told->source,
        .kind = ISO_PLUGIN_COMMITMENT_SPEND,
        .eligible = {.include = terms, .n_include = n},
        .rates = rates,
        .n_rates = n,
        .rate_bytes = sizeof(*rates),
        .term_hours = {true, told->term_hours * ISO_DECIMAL_ONE},
        .hourly_fee = {true, told->lot - paid_once},
        .upfront = {true, upfront},
        .currency = told->currency,
        .lot = {true, told->lot},
    };
    return iso_put_products(sink, &product, 1, reterr);
}

enum iso_status iso_spend_send(const struct iso_spend *spend, struct iso_sink *sink,
                               struct iso_error *reterr)
{
    ISO_AUTO(iso_scratch) row = iso_scratch_new(MEMORY_BYTES);

    if (!row)
        return no_memory(reterr);
    for (size_t p = 0; p < iso_dictionary_count(spend->plans); p++) {
        const struct plan *plan = iso_dictionary_record(spend->plans, p);
        iso_scratch_reset(row);
        if (plan->n_bytes > MAX_PRODUCT_BYTES)
            ISO_TRY(iso_report(sink, "product_too_large", /* quarantined= */ true, plan->told.id,
                               "the plan covers more types and regions than one row can hold; "
                               "configure fewer regions in one instance",
                               reterr));
        else
            ISO_TRY(send(plan, row, sink, reterr));
    }
    return ISO_OK;
}

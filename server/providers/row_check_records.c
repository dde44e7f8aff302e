/* Judging products, quotas, overlays and rates of egress. */
#include "isocost/proto/day.h"
#include "row_check_parts.h"

static void fold_selector(Isocost__V1__Selector *selector, struct iso_arena *arena)
{
    struct iso_row_fault ignored;

    for (size_t t = 0; selector && t < selector->n_include + selector->n_exclude; t++) {
        Isocost__V1__SelectorTerm *term = t < selector->n_include
                                              ? selector->include[t]
                                              : selector->exclude[t - selector->n_include];
        for (size_t i = 0; i < term->n_provider; i++) {
            const char *word = NULL;
            if (iso_row_fold_provider(term->provider[i], arena, &word, &ignored) && word)
                term->provider[i] = (char *)word;
        }
    }
}

static bool check_product_id(const char *id, struct iso_row_fault *ret_fault)
{
    size_t n = strlen(id);

    if (n >= 1 && n <= 128 && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789") >= 1 &&
        strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_.:/-") == n)
        return true;
    return iso_row_refuse(ret_fault, "invalid_product",
                          "id \"%.64s\" is not of the form [a-z0-9][a-z0-9_.:/-]{0,127}", id);
}

/* A fee: absent or >= 0 in a known currency. */
static bool check_fee(const Google__Type__Money *money, const char *field,
                      struct iso_row_fault *ret_fault)
{
    iso_decimal amount;

    if (!money)
        return true;
    if (!iso_row_read_money(money, field, "invalid_price", &amount, ret_fault))
        return false;
    if (amount < 0)
        return iso_row_refuse(ret_fault, "negative_price", "%s is below 0; it must be 0 or more",
                              field);
    return true;
}

static bool check_rates(const Isocost__V1__CommitmentProduct *row, struct iso_arena *arena,
                        struct iso_row_fault *ret_fault)
{
    iso_decimal value;

    for (size_t i = 0; i < row->n_rates; i++) {
        const Isocost__V1__CommitmentRate *rate = row->rates[i];
        fold_selector(rate->offerings, arena);
        if (rate->rate_case == ISOCOST__V1__COMMITMENT_RATE__RATE_UNITS &&
            !iso_row_check_number(rate->units, 0, false, ISO_ROW_MAX_AMOUNT, "invalid_product",
                                  "rates.units", &value, ret_fault))
            return false;
        if (rate->rate_case == ISOCOST__V1__COMMITMENT_RATE__RATE_PRICE_RATIO &&
            !iso_row_check_number(rate->price_ratio, 0, false, 1, "invalid_product",
                                  "rates.price_ratio", &value, ret_fault))
            return false;
    }
    return true;
}

bool iso_row_check_product(Isocost__V1__CommitmentProduct *row, struct iso_arena *arena,
                           struct iso_row_fault *ret_fault)
{
    const char *provider = NULL;
    iso_decimal value;

    if (!iso_row_fold_provider(row->provider, arena, &provider, ret_fault) ||
        !check_product_id(row->id, ret_fault))
        return false;
    if (!provider)
        return true; /* the arena is full */
    row->provider = (char *)provider;
    if (row->kind == ISOCOST__V1__COMMITMENT_KIND__COMMITMENT_KIND_UNSPECIFIED)
        return iso_row_refuse(ret_fault, "invalid_product",
                              "kind is not said; unit and spend are allowed");
    if (!row->eligible)
        return iso_row_refuse(ret_fault, "invalid_product", "eligible is not said");
    if (!row->hourly_fee && !row->upfront)
        return iso_row_refuse(ret_fault, "missing_price",
                              "the product has neither an hourly fee nor upfront");
    fold_selector(row->eligible, arena);
    return iso_row_check_number(row->term_hours, 0, false, ISO_ROW_MAX_AMOUNT, "invalid_product",
                                "term_hours", &value, ret_fault) &&
           check_fee(row->hourly_fee, "hourly_fee", ret_fault) &&
           check_fee(row->upfront, "upfront", ret_fault) &&
           (!row->opt_lot_case ||
            iso_row_check_number(row->lot, 0, false, ISO_ROW_MAX_AMOUNT, "invalid_product", "lot",
                                 &value, ret_fault)) &&
           (!row->opt_purchasable_maximum_case ||
            iso_row_check_number(row->purchasable_maximum, 0, true, ISO_ROW_MAX_AMOUNT,
                                 "invalid_product", "purchasable_maximum", &value, ret_fault)) &&
           check_rates(row, arena, ret_fault);
}

bool iso_row_check_quota(Isocost__V1__Quota *row, struct iso_arena *arena,
                         struct iso_row_fault *ret_fault)
{
    const char *provider = NULL;
    iso_decimal value;

    if (!iso_row_fold_provider(row->provider, arena, &provider, ret_fault))
        return false;
    if (!provider)
        return true; /* the arena is full */
    row->provider = (char *)provider;
    row->region = (char *)iso_row_fold_region(provider, row->region, arena);
    fold_selector(row->scope, arena);
    return (!row->opt_limit_case ||
            iso_row_check_number(row->limit, 0, true, ISO_ROW_MAX_AMOUNT, "invalid_quota", "limit",
                                 &value, ret_fault)) &&
           iso_row_check_number(row->used, 0, true, ISO_ROW_MAX_AMOUNT, "invalid_quota", "used",
                                &value, ret_fault);
}

/* Days of validity: each empty or a day, and not the last before the first. */
static bool check_validity(const char *from, const char *until, struct iso_row_fault *ret_fault)
{
    int32_t first = ISO_DAY_FIRST, last = ISO_DAY_LAST;

    if (from[0] && !iso_day_read(from, &first))
        return iso_row_refuse(ret_fault, "invalid_date",
                              "valid_from \"%.32s\" is no day like 2026-01-31", from);
    if (until[0] && !iso_day_read(until, &last))
        return iso_row_refuse(ret_fault, "invalid_date",
                              "valid_until \"%.32s\" is no day like 2026-01-31", until);
    return first <= last ||
           iso_row_refuse(ret_fault, "invalid_date",
                          "valid_until %s is before valid_from %s; it is the last day", until,
                          from);
}

static bool check_term_of_overlay(const Isocost__V1__Overlay *row, struct iso_row_fault *ret_fault)
{
    bool dated = row->valid_from[0] || row->valid_until[0];

    if (strlen(row->note) > ISO_ROW_MAX_NOTE_BYTES)
        return iso_row_refuse(ret_fault, "invalid_overlay",
                              "note has %zu bytes; at most %d are allowed", strlen(row->note),
                              ISO_ROW_MAX_NOTE_BYTES);
    if (dated && (row->status || row->opt_availability_case || row->carbon_case))
        return iso_row_refuse(ret_fault, "invalid_overlay",
                              "an overlay with dates changes the price only; status, availability "
                              "and carbon have no dates");
    return check_validity(row->valid_from, row->valid_until, ret_fault);
}

bool iso_row_check_overlay(Isocost__V1__Overlay *row, struct iso_arena *arena,
                           struct iso_row_fault *ret_fault)
{
    iso_decimal value;
    char currency[4];

    fold_selector(row->offerings, arena);
    if (!check_term_of_overlay(row, ret_fault))
        return false;
    if (row->change_case == ISOCOST__V1__OVERLAY__CHANGE_PRICE &&
        !iso_row_check_price(row->price, &value, currency, ret_fault))
        return false;
    if (row->change_case == ISOCOST__V1__OVERLAY__CHANGE_PRICE_FACTOR &&
        !iso_row_check_number(row->price_factor, 0, false, ISO_ROW_MAX_AMOUNT, "invalid_overlay",
                              "price_factor", &value, ret_fault))
        return false;
    if (row->carbon_case == ISOCOST__V1__OVERLAY__CARBON_CARBON_KG_PER_HOUR &&
        !iso_row_check_number(row->carbon_kg_per_hour, 0, true, ISO_ROW_MAX_AMOUNT,
                              "invalid_overlay", "carbon_kg_per_hour", &value, ret_fault))
        return false;
    if (row->carbon_case == ISOCOST__V1__OVERLAY__CARBON_CARBON_KG_PER_VCPU_HOUR &&
        !iso_row_check_number(row->carbon_kg_per_vcpu_hour, 0, true, ISO_ROW_MAX_AMOUNT,
                              "invalid_overlay", "carbon_kg_per_vcpu_hour", &value, ret_fault))
        return false;
    return !row->opt_availability_case ||
           iso_row_check_number(row->availability, 0, false, 1, "invalid_overlay", "availability",
                                &value, ret_fault);
}

/* A word, or `provider/region`; either may end in `*`. */
static bool fold_destination(Isocost__V1__EgressRate *row, struct iso_arena *arena,
                             struct iso_row_fault *ret_fault)
{
    const char *slash = strchr(row->to, '/'), *star = strchr(row->to, '*');
    const char *provider = NULL;

    if (strcmp(row->to, "*") == 0 || strcmp(row->to, "internet") == 0)
        return true;
    if (!row->to[0] || (star && (star[1] != '\0' || !slash)) ||
        (slash && (slash == row->to || !slash[1])))
        return iso_row_refuse(ret_fault, "invalid_place",
                              "to \"%.64s\" is none of: internet, a provider, provider/region, "
                              "which may end in *, and *",
                              row->to);
    char *word = iso_arena_strdup(arena, row->to);
    if (!word)
        return true; /* the arena is full */
    if (slash)
        word[slash - row->to] = '\0';
    if (!iso_row_fold_provider(word, arena, &provider, ret_fault) ||
        (slash && !iso_row_check_name(slash + 1, "to", ret_fault)))
        return false;
    row->to = slash && provider ? iso_arena_printf(arena, "%s/%s", provider,
                                                   iso_row_fold_region(provider, slash + 1, arena))
                                : (char *)provider;
    return true;
}

bool iso_row_check_egress_rate(Isocost__V1__EgressRate *row, struct iso_arena *arena,
                               struct iso_row_fault *ret_fault)
{
    const char *provider = NULL, *star = strchr(row->region, '*');
    iso_decimal value;

    if (!iso_row_fold_provider(row->provider, arena, &provider, ret_fault) ||
        !fold_destination(row, arena, ret_fault))
        return false;
    if (!provider || !row->to)
        return true; /* the arena is full */
    row->provider = (char *)provider;
    row->region = (char *)iso_row_fold_region(provider, row->region, arena);
    if (!iso_row_check_name(row->region, "region", ret_fault))
        return false;
    if (star && star[1] != '\0')
        return iso_row_refuse(ret_fault, "invalid_place",
                              "region \"%.64s\" is none; a region of the provider is, which may "
                              "end in *, or nothing for all",
                              row->region);
    if (!row->price_per_gb)
        return iso_row_refuse(ret_fault, "missing_price",
                              "the row has no price; that is not a price of 0");
    return iso_row_check_number(row->from_gb, 0, true, ISO_ROW_MAX_AMOUNT, "invalid_egress_rate",
                                "from_gb", &value, ret_fault) &&
           check_fee(row->price_per_gb, "price_per_gb", ret_fault) &&
           check_validity(row->valid_from, row->valid_until, ret_fault);
}

/* Currencies: every one that is used needs a rate to the base currency in every period. */
#include <stdio.h>
#include <string.h>

#include "isocost/proto/money.h"
#include "number.h"
#include "resolve_internal.h"

static void use(struct iso_resolve *r, const Google__Type__Money *money)
{
    if (money)
        iso_resolve_currency(r, money->currency_code);
}

static void use_policy(struct iso_resolve *r, const Isocost__V1__Policy *policy)
{
    if (!policy)
        return;
    use(r, policy->price);
    for (size_t i = 0; i < policy->n_steps; i++)
        use(r, policy->steps[i]->price);
}

static bool is_about(const Isocost__V1__ExchangeRate *entry, const char *code, const char *base)
{
    return (strncmp(entry->pair, code, 3) == 0 && strcmp(entry->pair + 4, base) == 0) ||
           (strncmp(entry->pair, base, 3) == 0 && strcmp(entry->pair + 4, code) == 0);
}

/* The snapshot's prices of egress, of which the model may need none: one without a rate is missed
 * when it is used. */
static void use_tariffs(struct iso_resolve *r, const char *base)
{
    const Isocost__V1__Currency *currency = r->model->currency;

    for (int32_t i = 0; i < r->n_tariffs; i++)
        for (size_t k = 0; currency && k < currency->n_rates; k++)
            if (strlen(currency->rates[k]->pair) == 7 && currency->rates[k]->n_periods == 0 &&
                is_about(currency->rates[k], r->tariffs[i].currency, base)) {
                iso_resolve_currency(r, r->tariffs[i].currency);
                break;
            }
}

/* Offerings are in already. */
static void collect(struct iso_resolve *r)
{
    const Isocost__V1__Model *model = r->model;

    for (size_t i = 0; i < model->n_workloads; i++)
        if (model->workloads[i]->service_case == ISOCOST__V1__WORKLOAD__SERVICE_PENALTY)
            use(r, model->workloads[i]->penalty);
    for (int32_t i = 0; i < r->n_products; i++) {
        use(r, r->products[i]->hourly_fee);
        use(r, r->products[i]->upfront);
    }
    for (int32_t i = 0; i < r->n_limit_rules; i++)
        use_policy(r, r->limit_rules[i].message->policy);
    for (size_t i = 0; i < model->n_budgets; i++) {
        const Isocost__V1__Budget *budget = model->budgets[i];
        if (budget->disabled)
            continue;
        use_policy(r, budget->policy);
        for (size_t w = 0; w < budget->n_windows; w++)
            use(r, budget->windows[w]->amount);
    }
    for (size_t i = 0; i < model->n_volume_prices; i++)
        for (size_t k = 0; k < model->volume_prices[i]->n_steps; k++)
            if (!model->volume_prices[i]->disabled)
                use(r, model->volume_prices[i]->steps[k]->from);
    for (size_t i = 0; i < model->n_egress_prices; i++)
        use(r, model->egress_prices[i]->price_per_gb);
    if (model->current) {
        use(r, model->current->start_cost);
        use(r, model->current->stop_cost);
        use(r, model->current->move_cost);
    }
}

/* The rate that an entry gives to the base currency; 0 when it leaves the range. */
static iso_decimal rate_to_base(const Isocost__V1__ExchangeRate *entry, const char *code)
{
    iso_decimal rate = iso_number(entry->rate);

    if (strncmp(entry->pair, code, 3) == 0)
        return rate;
    if (rate <= 0 || !iso_decimal_divide(ISO_DECIMAL_ONE, rate, ISO_ROUND_HALF_EVEN, &rate))
        return 0;
    return rate;
}

static void fill_rates(struct iso_resolve *r, const char *code, const char *base,
                       iso_decimal *rates)
{
    const Isocost__V1__Currency *currency = r->model->currency;
    int32_t n_periods = r->problem->n_periods;

    for (int pass = 0; pass < 2; pass++) /* rates for all periods first, then for some */
        for (size_t i = 0; currency && i < currency->n_rates; i++) {
            const Isocost__V1__ExchangeRate *entry = currency->rates[i];
            if (strlen(entry->pair) != 7 || !is_about(entry, code, base) ||
                (entry->n_periods == 0) != (pass == 0))
                continue;
            for (int32_t t = 0; pass == 0 && t < n_periods; t++)
                rates[t] = rate_to_base(entry, code);
            for (size_t j = 0; j < entry->n_periods; j++) {
                int32_t t = iso_names_find(&r->periods, entry->periods[j]);
                if (t >= 0)
                    rates[t] = rate_to_base(entry, code);
            }
        }
    for (int32_t t = 0; t < n_periods; t++)
        if (rates[t] <= 0) {
            iso_violations_add(r->violations, "model.currency.rates",
                               "there is no usable rate %s/%s for period %s; %s is used in the "
                               "model or its offerings",
                               code, base, r->problem->periods[t].id, code);
            break;
        }
}

enum iso_status iso_resolve_currencies(struct iso_resolve *r, struct iso_error *reterr)
{
    const Isocost__V1__Currency *message = r->model->currency;
    const char *base = message && message->base_currency[0] ? message->base_currency : "USD";
    size_t n_periods = (size_t)r->problem->n_periods;

    r->problem->base_currency = iso_resolve_currency(r, base);
    collect(r);
    use_tariffs(r, base);
    if (iso_arena_full(r->arena))
        return iso_resolve_full(reterr);
    struct iso_currency *currencies =
        iso_arena_calloc(r->arena, (size_t)r->currencies.n, sizeof(*currencies));
    if (!currencies)
        return iso_resolve_full(reterr);
    for (int32_t i = 0; i < r->currencies.n; i++) {
        iso_decimal *rates = iso_arena_calloc(r->arena, n_periods, sizeof(*rates));
        if (!rates)
            return iso_resolve_full(reterr);
        currencies[i] = (struct iso_currency){r->currencies.texts[i], rates};
        if (i == r->problem->base_currency)
            for (size_t t = 0; t < n_periods; t++)
                rates[t] = ISO_DECIMAL_ONE;
        else
            fill_rates(r, r->currencies.texts[i], base, rates);
    }
    r->problem->currencies = currencies;
    r->problem->n_currencies = r->currencies.n;
    r->problem->n_providers = r->providers.n;
    r->problem->provider_names = r->providers.texts;
    r->problem->n_regions = r->regions.n;
    r->problem->region_names = r->regions.texts;
    r->problem->n_zones = r->zones.n;
    r->problem->zone_names = r->zones.texts;
    /* What follows divides by rates. */
    return iso_violations_status(r->violations, reterr);
}

bool iso_resolve_to_base(struct iso_resolve *r, const Google__Type__Money *money, bool above_zero,
                         const char *path, iso_decimal *ret_amount)
{
    iso_decimal amount = 0;

    if (!money)
        return false;
    int32_t currency = iso_names_find(&r->currencies, money->currency_code);
    if (currency < 0 || iso_money_to_decimal(money, &amount, NULL) != ISO_OK ||
        !iso_decimal_multiply(amount, r->problem->currencies[currency].rate_to_base[0],
                              ISO_ROUND_HALF_EVEN, &amount) ||
        (above_zero && amount <= 0)) {
        iso_violations_add(r->violations, path,
                           "in the base currency it must be %s and at most 9223372036",
                           above_zero ? "at least 0.000000001" : "at least 0");
        return false;
    }
    *ret_amount = amount;
    return true;
}

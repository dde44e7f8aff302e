/* A pool of sets of multipliers, of which each period takes the one that proves most.
 *
 * With a price lambda_k on caps and psi_k on units of commitments a set k proves of period t, when
 * y is bought, that it costs at least  A_tk - psi_k S_t(y)  with  A_tk = sum_a G_ak(d_at) -
 * lambda_k L  and S_t(y) the units held. So all periods together cost at least
 *
 *   F(y) = fees y + sum_t max_k (A_tk - psi_k S_t(y)),
 *
 * a convex function, and its least value is a bound on the whole. There the choices k(t) of the
 * periods make sum_t psi_k(t) equal to what a unit costs, up to the few periods that two sets suit
 * equally (subgradients of F); scaling the prices of each product removes that rest, and leaves
 * multipliers of the periods that prove the bound without y. */
#include "horizon_pool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HAIR 1e-10      /* relative; well above the rounding of sums in double */
#define TABLE_HAIR 1e-9 /* the same for sums over tables */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the multipliers of a long horizon");
}

bool iso_multipliers_init(struct iso_multipliers *prices, const struct iso_horizon_case *h,
                          int32_t season)
{
    prices->season = season;
    prices->unit = iso_calloc((size_t)h->problem->n_products, sizeof(*prices->unit));
    prices->cap = iso_calloc((size_t)h->problem->n_limits, sizeof(*prices->cap));
    return prices->unit && prices->cap;
}

void iso_multipliers_fini(struct iso_multipliers *prices)
{
    free(prices->unit);
    free(prices->cap);
    *prices = (struct iso_multipliers){0};
}

enum iso_status iso_pool_init(struct iso_pool *pool, const struct iso_horizon_case *h,
                              struct iso_error *reterr)
{
    size_t n_products = (size_t)h->problem->n_products;

    *pool = (struct iso_pool){.h = h};
    pool->set_of = iso_calloc((size_t)h->problem->n_periods, sizeof(*pool->set_of));
    pool->bought = iso_calloc((size_t)h->first_start[n_products], sizeof(*pool->bought));
    pool->active = iso_calloc(n_products, 1);
    if (!pool->set_of || !pool->bought || !pool->active)
        return no_memory(reterr);
    return iso_whole_init(&pool->whole, h, reterr);
}

static void set_fini(struct iso_pool_set *set)
{
    iso_multipliers_fini(&set->prices);
    free(set->value);
}

void iso_pool_fini(struct iso_pool *pool)
{
    for (int32_t k = 0; k < pool->n_sets; k++)
        set_fini(&pool->sets[k]);
    free(pool->sets);
    free(pool->set_of);
    free(pool->bought);
    free(pool->active);
    iso_whole_fini(&pool->whole);
}

double iso_pool_supply(const struct iso_pool *pool, int32_t product, int32_t season)
{
    const struct iso_horizon_case *h = pool->h;
    const struct iso_product *c = &h->problem->products[product];
    int32_t t = h->seasons[season].first_period;
    double held = iso_value(c->existing[t]);

    for (int32_t s = 0; s < c->n_starts; s++)
        if (c->starts[s].window[t])
            held += pool->bought[h->first_start[product] + s];
    return iso_value(c->lot) * held;
}

/* lambda L of a period of the season. */
static double caps_of(const struct iso_horizon_case *h, const struct iso_multipliers *prices)
{
    int32_t t = h->seasons[prices->season].first_period;
    double sum = 0;

    for (int32_t l = 0; l < h->problem->n_limits; l++)
        if (prices->cap[l] > 0)
            sum += prices->cap[l] * iso_slice_right(h, h->problem->n_workloads + l, t);
    return sum;
}

enum iso_status iso_pool_add(struct iso_pool *pool, struct iso_multipliers prices,
                             struct iso_error *reterr)
{
    const struct iso_horizon_case *h = pool->h;
    int32_t n_periods = h->problem->n_periods;
    struct iso_pool_set set = {.prices = prices};
    double caps = caps_of(h, &prices);

    set.value = iso_calloc((size_t)n_periods, sizeof(*set.value));
    if (!set.value || !iso_append(&pool->sets, &pool->n_sets, sizeof(set), &set)) {
        set_fini(&set);
        return no_memory(reterr);
    }
    for (int32_t t = 0; t < n_periods; t++)
        set.value[t] = (float)-caps;
    for (int32_t a = 0; a < h->problem->n_workloads; a++) {
        const int32_t *steps = &pool->whole.steps[(size_t)a * (size_t)n_periods];
        iso_whole_fill(&pool->whole, a, &prices, pool->whole.workloads[a].most_steps);
        for (int32_t t = 0; t < n_periods; t++)
            if (h->season_of[t] == prices.season)
                set.value[t] += (float)pool->whole.least[steps[t]];
    }
    return ISO_OK;
}

/* psi_k S(y). */
static double units_of(const struct iso_pool *pool, const struct iso_multipliers *prices)
{
    double sum = 0;

    for (int32_t c = 0; c < pool->h->problem->n_products; c++) {
        double supply = iso_pool_supply(pool, c, prices->season);
        if (supply > 0)
            sum += prices->unit[c] * supply;
    }
    return sum;
}

/* Chooses for all periods; gives sum_t max_k. */
static double choose(struct iso_pool *pool, double *units)
{
    const struct iso_horizon_case *h = pool->h;
    double sum = 0;

    for (int32_t k = 0; k < pool->n_sets; k++) {
        units[k] = units_of(pool, &pool->sets[k].prices);
        pool->sets[k].n_periods = 0;
    }
    for (int32_t t = 0; t < h->problem->n_periods; t++) {
        double most = -INFINITY;
        for (int32_t k = 0; k < pool->n_sets; k++) {
            double value = pool->sets[k].value[t] - units[k];
            if (value > most && pool->sets[k].prices.season == h->season_of[t]) {
                most = value;
                pool->set_of[t] = k;
            }
        }
        pool->sets[pool->set_of[t]].n_periods++;
        sum += most;
    }
    return sum;
}

/* --- the least of F --- */

double iso_pool_gain(const struct iso_pool *pool, int32_t c, int32_t s)
{
    const struct iso_horizon_case *h = pool->h;
    const struct iso_product *product = &h->problem->products[c];
    double gain = 0;

    for (int32_t k = 0; k < pool->n_sets; k++) {
        const struct iso_multipliers *prices = &pool->sets[k].prices;
        if (product->starts[s].window[h->seasons[prices->season].first_period])
            gain += pool->sets[k].n_periods * prices->unit[c];
    }
    return gain * iso_value(product->lot);
}

double iso_pool_value(struct iso_pool *pool, double *ret_slope)
{
    const struct iso_horizon_case *h = pool->h;
    ISO_AUTO_MEM double *units = iso_calloc((size_t)pool->n_sets, sizeof(*units));
    double value = units ? choose(pool, units) : NAN;
    int32_t n = 0;

    for (int32_t c = 0; c < h->problem->n_products; c++)
        for (int32_t s = 0; s < h->problem->products[c].n_starts && pool->active[c]; s++) {
            double cost = iso_start_cost(h, c, s);
            value += cost * pool->bought[h->first_start[c] + s];
            ret_slope[n++] = cost - iso_pool_gain(pool, c, s);
        }
    return value;
}

/* --- the bound --- */

/* The least factor by which prices of a product may grow before a unit pays for itself; 1 where
 * that may be, and says less. */
static double factor_of(const struct iso_pool *pool, int32_t c)
{
    const struct iso_product *product = &pool->h->problem->products[c];
    double factor = INFINITY;

    for (int32_t s = 0; s < product->n_starts && product->most != 0; s++) {
        double gain = iso_pool_gain(pool, c, s);
        if (gain > 0)
            factor = fmin(factor, iso_start_cost(pool->h, c, s) * (1 - HAIR) / gain);
    }
    return isfinite(factor) && (product->most < 0 || factor > 1) ? factor : 1;
}

/* Scales the prices of units. False when one that may be held has no price anywhere: the verifier
 * would take it for reserved. */
static bool scale(struct iso_pool *pool)
{
    const struct iso_horizon_case *h = pool->h;

    for (int32_t c = 0; c < h->problem->n_products; c++) {
        double factor = factor_of(pool, c);
        bool priced = false, held = false;
        for (int32_t k = 0; k < pool->n_sets; k++) {
            double *unit = &pool->sets[k].prices.unit[c];
            if (pool->sets[k].n_periods == 0 || isinf(*unit))
                continue;
            *unit *= factor;
            held = true;
            priced |= *unit > 0;
        }
        if (held && !priced)
            return false;
    }
    return true;
}

/* Purchases as large as they may be keep what they are worth above their cost. */
static double capped_purchases(const struct iso_pool *pool)
{
    const struct iso_problem *problem = pool->h->problem;
    double sum = 0;

    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t s = 0; s < problem->products[c].n_starts && problem->products[c].most > 0; s++)
            sum += fmin(0, iso_start_cost(pool->h, c, s) - iso_pool_gain(pool, c, s)) *
                   (double)problem->products[c].most;
    return sum;
}

/* What units held already would be worth in a period of a set. */
static double existing_of(const struct iso_pool *pool, const struct iso_multipliers *prices)
{
    const struct iso_problem *problem = pool->h->problem;
    int32_t t = pool->h->seasons[prices->season].first_period;
    double sum = 0;

    for (int32_t c = 0; c < problem->n_products; c++)
        if (problem->products[c].existing[t] > 0)
            sum += prices->unit[c] * iso_value(problem->products[c].lot) *
                   iso_value(problem->products[c].existing[t]);
    return sum;
}

double iso_pool_prove(struct iso_pool *pool)
{
    const struct iso_horizon_case *h = pool->h;
    int32_t n_periods = h->problem->n_periods;
    long double covers = 0, taken = 0;

    if (!scale(pool))
        return -INFINITY;
    for (int32_t k = 0; k < pool->n_sets; k++) {
        const struct iso_multipliers *prices = &pool->sets[k].prices;
        if (pool->sets[k].n_periods == 0)
            continue;
        taken += (caps_of(h, prices) + existing_of(pool, prices)) * pool->sets[k].n_periods;
        for (int32_t a = 0; a < h->problem->n_workloads; a++) {
            const int32_t *steps = &pool->whole.steps[(size_t)a * (size_t)n_periods];
            iso_whole_fill(&pool->whole, a, prices, pool->whole.workloads[a].most_steps);
            for (int32_t t = 0; t < n_periods; t++)
                covers += pool->set_of[t] == k ? pool->whole.least[steps[t]] : 0;
        }
    }
    return (double)(covers * (1 - TABLE_HAIR) - taken) + capped_purchases(pool) +
           iso_existing_fees(h->problem);
}

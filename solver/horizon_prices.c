/* A bound by each period's own multipliers.
 *
 * With what is bought fixed at y, the program of period t has multipliers lambda_t of its caps and
 * psi_ct of its commitments. If psi_ct, scaled to add up to what buying costs, is the price of a
 * unit of c in t, then the periods fall apart, and with lambda_t
 *
 *   mu_at = min over columns j of (price_j + lambda w_j) / served_j   and, covered by c,
 *                                 (psi_ct use_cj + lambda w_j) / served_j
 *
 * is the best that a workload with nothing but its demand can take; others keep their multipliers,
 * scaled until every column prices out. At the best y the sums of psi need no scaling (they are a
 * subgradient of the cost in y), so little is lost near it, and nothing by averaging demands, which
 * is what the clusters lose.
 *
 * Products that are not held: psi_ct is what prices out their columns at mu. Where that adds up to
 * more than the product costs, it is scaled down too, and mu is found again; mu only falls, so
 * nothing else gets worse. */
#include "horizon_prices.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HAIR 1e-10 /* relative; well above the rounding of sums in double */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the multipliers of a long horizon");
}

static bool is_held(const struct iso_horizon_case *h, int32_t c)
{
    for (int32_t s = 0; s < h->n_seasons; s++)
        if (iso_slice_supply(h, c, h->seasons[s].first_period) > 0)
            return true;
    return false;
}

enum iso_status iso_prices_init(struct iso_prices *prices, const struct iso_horizon_case *h,
                                struct iso_error *reterr)
{
    size_t n_products = (size_t)h->problem->n_products, n_periods = (size_t)h->problem->n_periods;
    int32_t n_held = 0;

    *prices = (struct iso_prices){.h = h};
    prices->held = iso_calloc(n_products, sizeof(*prices->held));
    prices->factor = iso_calloc(n_products, sizeof(*prices->factor));
    prices->need = iso_calloc(n_products, sizeof(*prices->need));
    prices->gain = iso_calloc((size_t)h->first_start[n_products], sizeof(*prices->gain));
    prices->duals = iso_calloc(n_periods * (size_t)h->slice.n_rows, sizeof(*prices->duals));
    prices->noted = iso_calloc(n_periods, 1);
    prices->wanted = iso_calloc(n_products, sizeof(*prices->wanted));
    if (!prices->noted || !prices->wanted || !prices->held || !prices->factor || !prices->need ||
        !prices->gain || !prices->duals)
        return no_memory(reterr);
    for (int32_t c = 0; c < h->problem->n_products; c++) {
        prices->held[c] = is_held(h, c) ? n_held++ : -1;
        prices->factor[c] = 1;
    }
    prices->psi = iso_calloc((size_t)n_held * n_periods, sizeof(*prices->psi));
    prices->wish = iso_calloc((size_t)n_held * n_periods, sizeof(*prices->wish));
    return prices->psi && prices->wish ? ISO_OK : no_memory(reterr);
}

void iso_prices_fini(struct iso_prices *prices)
{
    void *const arrays[] = {prices->held,   prices->duals, prices->psi,
                            prices->factor, prices->need,  prices->gain,
                            prices->wish,   prices->noted, prices->wanted};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
}

/* What a period is priced by. */
struct period {
    int32_t t;
    double hours;
    const double *price; /* [slice column] */
    const double *duals; /* [slice row] */
    double *own;         /* [slice row]: duals that price out */
};

/* Price of a unit of a product that is held, or that the clusters' sums were too much for. */
static double commitment_price(const struct iso_prices *prices, const struct period *period,
                               int32_t c)
{
    int32_t place = prices->held[c];

    return place < 0 ? INFINITY
                     : prices->factor[c] *
                           prices->psi[(size_t)place * (size_t)prices->h->problem->n_periods +
                                       (size_t)period->t];
}

/* What the caps add to the cost of an instance, and what the workload's own rows give for it. */
static double caps_on(const struct iso_prices *prices, const struct period *period, int32_t j,
                      double *ret_worth)
{
    const struct iso_slice *slice = &prices->h->slice;
    const struct iso_slice_column *column = &slice->columns[j];
    double caps = 0;

    *ret_worth = 0;
    for (int32_t e = column->first_entry; e < column->first_entry + column->n_entries; e++) {
        int32_t row = slice->entries[e].row;
        double part = period->own[row] * slice->entries[e].coefficient;
        if (slice->rows[row].kind == ISO_ROW_LIMIT)
            caps -= part;
        else
            *ret_worth += part;
    }
    return caps;
}

/* Scales the own rows of a workload until all its columns price out; a workload with its demand
 * alone takes the best multiplier there is. `capped`: products that are not held have prices too.
 */
static void fit_workload(const struct iso_prices *prices, const struct period *period, int32_t a,
                         bool capped)
{
    const struct iso_horizon_case *h = prices->h;
    const struct iso_workload *workload = &h->problem->workloads[a];
    bool alone = workload->n_shares == 0 && workload->n_survive == 0;
    double factor = alone ? INFINITY : 1;

    if (alone)
        period->own[a] = 1;
    for (int32_t j = h->slice.first_column[a]; j < h->slice.first_column[a + 1]; j++) {
        const struct iso_slice_column *column = &h->slice.columns[j];
        double worth, caps = caps_on(prices, period, j, &worth), cost = period->price[j];
        for (int32_t i = column->first_cover; i < column->first_cover + column->n_covers; i++) {
            const struct iso_slice_cover *cover = &h->slice.covers[i];
            int32_t c = cover->product;
            if (prices->held[c] >= 0)
                cost = fmin(cost, commitment_price(prices, period, c) * cover->use);
            else if (capped && prices->factor[c] < 1)
                cost = fmin(cost, prices->factor[c] * prices->need[c] * cover->use);
        }
        if (worth > 0)
            factor = fmin(factor, fmax(0, cost + caps) / worth);
    }
    if (alone && workload->service == ISO_SERVICE_PENALTY)
        factor = fmin(factor, iso_value(workload->penalty));
    factor = isfinite(factor) ? factor * (1 - HAIR) : 0;
    for (int32_t r = 0; r < h->slice.n_rows; r++)
        if (h->slice.rows[r].kind != ISO_ROW_LIMIT && h->slice.rows[r].a == a)
            period->own[r] *= factor;
}

/* Signs, what violations cost, and floors: a minimum would take from what demands are worth. */
static void take_caps(const struct iso_prices *prices, const struct period *period)
{
    const struct iso_horizon_case *h = prices->h;

    for (int32_t r = 0; r < h->slice.n_rows; r++) {
        const struct iso_slice_row *row = &h->slice.rows[r];
        double dual = row->asks ? fmax(0, period->duals[r]) : fmin(0, period->duals[r]);
        if (row->kind == ISO_ROW_LIMIT) {
            const struct iso_limit *limit = &h->problem->limits[row->a];
            if (!limit->periods[period->t] || row->asks)
                dual = 0;
            if (limit->policy == ISO_POLICY_SOFT)
                dual = fmax(dual, -iso_value(limit->price) * (1 - HAIR));
        }
        period->own[r] = dual;
    }
}

static void find_needs(struct iso_prices *prices, const struct period *period)
{
    const struct iso_slice *slice = &prices->h->slice;

    memset(prices->need, 0, (size_t)prices->h->problem->n_products * sizeof(*prices->need));
    for (int32_t j = 0; j < slice->n_columns; j++) {
        const struct iso_slice_column *column = &slice->columns[j];
        double worth, caps = caps_on(prices, period, j, &worth);
        for (int32_t i = column->first_cover;
             i < column->first_cover + column->n_covers && worth > caps; i++) {
            const struct iso_slice_cover *cover = &slice->covers[i];
            prices->need[cover->product] =
                fmax(prices->need[cover->product], (worth - caps) / cover->use);
        }
    }
}

static void begin_period(const struct iso_prices *prices, struct period *period, int32_t t)
{
    const struct iso_horizon_case *h = prices->h;
    const struct iso_season *season = &h->seasons[h->season_of[t]];

    period->t = t;
    period->hours = season->hours;
    period->price = season->price;
    period->duals = &prices->duals[(size_t)t * (size_t)h->slice.n_rows];
    take_caps(prices, period);
}

static void open_period(struct iso_prices *prices, struct period *period, int32_t t)
{
    begin_period(prices, period, t);
    for (int32_t a = 0; a < prices->h->problem->n_workloads; a++)
        fit_workload(prices, period, a, false);
    find_needs(prices, period);
}

/* Periods that each one noted stands for. */
static double stands_for(const struct iso_prices *prices)
{
    return (double)prices->h->problem->n_periods / (double)prices->n_noted;
}

static void add_gains(struct iso_prices *prices, const struct period *period)
{
    const struct iso_problem *problem = prices->h->problem;

    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t s = 0; s < problem->products[c].n_starts && prices->need[c] > 0; s++)
            if (problem->products[c].starts[s].window[period->t])
                prices->gain[prices->h->first_start[c] + s] += stands_for(prices) *
                                                               iso_value(problem->products[c].lot) *
                                                               prices->need[c] * period->hours;
}

/* factor_c: what buying costs over what a unit is worth, the least over the starts; purchases that
 * are as large as they may be keep what they are worth above their cost. */
static void set_factors(struct iso_prices *prices, bool held)
{
    const struct iso_horizon_case *h = prices->h;

    for (int32_t c = 0; c < h->problem->n_products; c++) {
        const struct iso_product *product = &h->problem->products[c];
        double factor = INFINITY;
        if ((prices->held[c] >= 0) != held)
            continue;
        for (int32_t s = 0; s < product->n_starts && product->most != 0; s++) {
            double gain = prices->gain[h->first_start[c] + s];
            bool full = h->bought[h->first_start[c] + s] == product->most;
            double ratio = gain > 0 ? iso_start_cost(h, c, s) / gain * (1 - HAIR) : INFINITY;
            factor = fmin(factor, full ? fmax(1, ratio) : ratio);
        }
        if (held)
            prices->factor[c] = isfinite(factor) ? factor : 1;
        else
            prices->factor[c] = fmin(1, factor);
    }
}

/* Worth of a unit of each held product over the terms, at the periods' own multipliers. */
static void sum_held(struct iso_prices *prices)
{
    const struct iso_horizon_case *h = prices->h;
    struct period period = {0};

    memset(prices->gain, 0, (size_t)h->first_start[h->problem->n_products] * sizeof(*prices->gain));
    for (int32_t t = 0; t < h->problem->n_periods; t++) {
        if (!prices->noted[t])
            continue;
        period.t = t;
        period.hours = h->seasons[h->season_of[t]].hours;
        for (int32_t c = 0; c < h->problem->n_products; c++)
            prices->need[c] = prices->held[c] < 0 ? 0 : commitment_price(prices, &period, c);
        add_gains(prices, &period);
    }
}

/* --- who pays for a unit --- */

struct turn {
    double wish;
    int32_t period;
};

static int by_wish(const void *left, const void *right)
{
    const struct turn *a = left, *b = right;

    if (a->wish != b->wish)
        return a->wish > b->wish ? -1 : 1;
    return (a->period > b->period) - (a->period < b->period);
}

/* Gives the periods that leave some of a commitment unused the psi at which paying for instances
 * would be as cheap: what they would pay if they needed a unit more. */
static void raise_unused(struct iso_prices *prices, struct period *period)
{
    const struct iso_slice *slice = &prices->h->slice;
    size_t n_periods = (size_t)prices->h->problem->n_periods;

    for (int32_t a = 0; a < prices->h->problem->n_workloads; a++) {
        double unit = INFINITY, worth;
        for (int32_t j = slice->first_column[a]; j < slice->first_column[a + 1]; j++)
            unit = fmin(unit, (period->price[j] + caps_on(prices, period, j, &worth)) /
                                  slice->columns[j].served);
        for (int32_t j = slice->first_column[a]; j < slice->first_column[a + 1]; j++) {
            const struct iso_slice_column *column = &slice->columns[j];
            double most = unit * column->served - caps_on(prices, period, j, &worth);
            for (int32_t i = 0; i < column->n_covers; i++) {
                const struct iso_slice_cover *cover = &slice->covers[column->first_cover + i];
                int32_t place = prices->held[cover->product];
                if (place < 0)
                    continue;
                size_t at = (size_t)place * n_periods + (size_t)period->t;
                if (prices->wish[at] < 0)
                    prices->psi[at] = fmax(prices->psi[at], most / cover->use);
            }
        }
    }
}

/* The periods that would like most of a unit pay for it, until what it costs is paid: as much as is
 * lost for the others is what they would have paid for less than a unit. *ret_wish: that of the
 * last one that pays; -INFINITY when all together do not pay it. */
static bool share_out(struct iso_prices *prices, int32_t c, double *ret_wish)
{
    const struct iso_horizon_case *h = prices->h;
    const struct iso_product *product = &h->problem->products[c];
    size_t first = (size_t)prices->held[c] * (size_t)h->problem->n_periods;
    ISO_AUTO_MEM struct turn *turns = iso_calloc((size_t)prices->n_noted, sizeof(*turns));
    double left = iso_start_cost(h, c, 0) * (1 - HAIR);
    int32_t n = 0;

    *ret_wish = -INFINITY;
    if (!turns)
        return false;
    for (int32_t t = 0; t < h->problem->n_periods; t++)
        if (prices->noted[t])
            turns[n++] = (struct turn){prices->wish[first + (size_t)t], t};
    qsort(turns, (size_t)n, sizeof(*turns), by_wish);
    for (int32_t i = 0; i < n; i++) {
        int32_t t = turns[i].period;
        double *psi = &prices->psi[first + (size_t)t];
        double weight =
            stands_for(prices) * iso_value(product->lot) * h->seasons[h->season_of[t]].hours;
        if (!product->starts[0].window[t])
            continue;
        bool pays = *psi * weight < left;
        if (!pays && left > 0)
            *ret_wish = turns[i].wish;
        *psi = pays ? *psi : left / weight;
        left = pays ? left - *psi * weight : 0;
    }
    return true;
}

/* Products with one start and no cap: what they cost can be shared out. */
static bool may_share(const struct iso_prices *prices, int32_t c)
{
    const struct iso_product *product = &prices->h->problem->products[c];

    return prices->held[c] >= 0 && product->n_starts == 1 && product->most < 0;
}

static void raise_all(struct iso_prices *prices, double *own)
{
    struct period period = {.own = own};

    for (int32_t t = 0; t < prices->h->problem->n_periods; t++)
        if (prices->noted[t]) {
            begin_period(prices, &period, t);
            raise_unused(prices, &period);
        }
}

/* --- the bound --- */

static double value_of(const struct iso_prices *prices, const struct period *period)
{
    const struct iso_horizon_case *h = prices->h;
    const struct iso_problem *problem = h->problem;
    double sum = 0;

    for (int32_t r = 0; r < h->slice.n_rows; r++)
        if (period->own[r] != 0)
            sum += period->own[r] * iso_slice_right(h, r, period->t);
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        double reduced = iso_value(problem->workloads[a].penalty);
        if (problem->workloads[a].service == ISO_SERVICE_MUST)
            continue;
        for (int32_t e = h->slice.first_relief[a]; e < h->slice.first_relief[a + 1]; e++)
            reduced -= period->own[h->slice.relief[e].row] * h->slice.relief[e].coefficient;
        sum += fmin(0, reduced) * iso_value(problem->workloads[a].required[period->t]);
    }
    for (int32_t c = 0; c < problem->n_products; c++)
        if (problem->products[c].existing[period->t] > 0)
            sum -= prices->need[c] * iso_value(problem->products[c].lot) *
                   iso_value(problem->products[c].existing[period->t]);
    return sum * period->hours;
}

static double capped_purchases(const struct iso_prices *prices)
{
    const struct iso_problem *problem = prices->h->problem;
    double sum = 0;

    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t s = 0; s < problem->products[c].n_starts; s++)
            if (problem->products[c].most > 0)
                sum += fmin(0, iso_start_cost(prices->h, c, s) -
                                   prices->gain[prices->h->first_start[c] + s]) *
                       (double)problem->products[c].most;
    return sum;
}

static bool emit_period(const struct iso_prices *prices, const struct period *period,
                        struct iso_plan *plan)
{
    const struct iso_horizon_case *h = prices->h;
    bool ok = true;

    for (int32_t r = 0; r < h->slice.n_rows && ok; r++) {
        const struct iso_slice_row *row = &h->slice.rows[r];
        bool global = row->kind == ISO_ROW_DEMAND || row->kind == ISO_ROW_LIMIT;
        struct iso_dual dual = {row->kind,
                                row->a,
                                global ? period->t : row->b,
                                global ? -1 : period->t,
                                row->d,
                                period->own[r] * period->hours};
        if (dual.value == 0 ||
            (row->kind == ISO_ROW_SURVIVE && h->problem->workloads[row->a].demand[period->t] == 0))
            continue;
        ok = iso_append(&plan->duals, &plan->n_duals, sizeof(dual), &dual);
    }
    return ok;
}

/* Goes over all periods with the factors as they are; with `plan`, its multipliers are these. */
static bool go_over(struct iso_prices *prices, double *own, struct iso_plan *plan,
                    double *ret_bound)
{
    const struct iso_horizon_case *h = prices->h;
    struct period period = {.own = own};
    long double sum = iso_existing_fees(h->problem);

    memset(prices->gain, 0, (size_t)h->first_start[h->problem->n_products] * sizeof(*prices->gain));
    for (int32_t t = 0; t < h->problem->n_periods; t++) {
        if (!prices->noted[t])
            continue;
        open_period(prices, &period, t);
        for (int32_t a = 0; a < h->problem->n_workloads; a++)
            fit_workload(prices, &period, a, true);
        find_needs(prices, &period);
        add_gains(prices, &period);
        sum += stands_for(prices) * value_of(prices, &period);
        if (plan && !emit_period(prices, &period, plan))
            return false;
    }
    *ret_bound = (double)(sum + capped_purchases(prices));
    return true;
}

enum iso_status iso_prices_weigh(struct iso_prices *prices, double *ret_bound,
                                 struct iso_error *reterr)
{
    const struct iso_horizon_case *h = prices->h;
    ISO_AUTO_MEM double *own = iso_calloc((size_t)h->slice.n_rows, sizeof(*own));

    if (!own)
        return no_memory(reterr);
    raise_all(prices, own);
    for (int32_t c = 0; c < h->problem->n_products; c++)
        if (may_share(prices, c) && !share_out(prices, c, &prices->wanted[c]))
            return no_memory(reterr);
    sum_held(prices);
    set_factors(prices, true);
    go_over(prices, own, NULL, ret_bound);
    set_factors(prices, false);
    go_over(prices, own, NULL, ret_bound);
    return ISO_OK;
}

bool iso_prices_move(const struct iso_prices *prices, struct iso_horizon_case *h, double largest)
{
    bool changed = false;

    for (int32_t c = 0; c < h->problem->n_products; c++) {
        int64_t *bought = &h->bought[h->first_start[c]];
        if (!may_share(prices, c) || *bought == 0)
            continue;
        double step = fmax(1, (double)*bought * largest), wish = prices->wanted[c];
        if (isinf(wish)) /* all together do not pay it */
            wish = -step / 2;
        int64_t change = llround(fmax(-step, fmin(step, wish)));
        changed |= change != 0;
        *bought += change;
    }
    return changed;
}

enum iso_status iso_prices_prove(struct iso_prices *prices, struct iso_tier *tier,
                                 struct iso_error *reterr)
{
    const struct iso_horizon_case *h = prices->h;
    struct iso_plan *plan = h->search.plan;
    ISO_AUTO_MEM double *own = iso_calloc((size_t)h->slice.n_rows, sizeof(*own));
    double bound;

    if (!own)
        return no_memory(reterr);
    if (prices->n_noted < h->problem->n_periods)
        return ISO_OK; /* stopped in between */
    ISO_TRY(iso_prices_weigh(prices, &bound, reterr));
    if (bound <= tier->checked_bound)
        return ISO_OK;
    plan->n_duals = tier->first_dual;
    plan->n_value_functions = 0;
    tier->proof = ISO_PROOF_DUAL;
    if (!go_over(prices, own, plan, &bound))
        return no_memory(reterr);
    tier->n_duals = plan->n_duals - tier->first_dual;
    tier->checked_bound = bound;
    for (int32_t t = 0; t < plan->n_leads; t++)
        plan->leads[t].period = t;
    return ISO_OK;
}

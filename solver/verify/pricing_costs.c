/* What one instance of a cell c, offering o, in period t costs under the multipliers. With w(...) =
 * weight of money in the objective and in the budgets that count the thing:
 *
 *   cost_cot  = h_t price_ot w(c, o) - kappa_cot + sum over caps |lambda_l| weight_lo - m_co [t =
 * 0] floor_ot  = sum over minima lambda_l weight_lo kappa     = max(0, max over products that may
 * cover it: h_t price_ot w(c, o, product)
 *                      - use * |lambda_COMMIT|)          the best multiplier of  sum_c v <= x
 *               (computed as what is left of the first term, so that nothing cancels)
 *   start     cost + m >= 0;  stop: cost - m + lambda_MOVES >= 0: m is cut to this range. A MOVE
 * row without a multiplier and with nothing running today gets the best: m = -cost of a start.
 *
 * Repair: where m alone makes cost_cot negative, m falls by as much; L falls by that times what
 * runs today. */
#include "pricing.h"

/* Of an offering: what caps, and what minima of limits give for one instance. */
struct iso_limit_sums {
    struct iso_bounded cap, floor;
    bool summed;
    int32_t period; /* for which they were summed */
};

/* A window of a budget that has a multiplier and the period at hand. */
struct iso_window_rate {
    const struct iso_budget *budget;
    struct iso_bounded *rates; /* by currency: -lambda * rate(currency -> window) */
};

enum iso_status iso_costs_init(struct iso_costs *costs, struct iso_pricing *p)
{
    const struct iso_problem *problem = p->v->problem;
    size_t n_currencies = (size_t)problem->n_currencies;
    size_t n_offerings = (size_t)problem->n_offerings;
    size_t n_windows = (size_t)p->v->first_window[problem->n_budgets];

    *costs = (struct iso_costs){.p = p};
    costs->rates = iso_calloc(n_currencies, sizeof(*costs->rates));
    costs->window_rates = iso_calloc(n_windows * n_currencies, sizeof(*costs->window_rates));
    costs->windows = iso_calloc(n_windows, sizeof(*costs->windows));
    costs->limits = iso_calloc(n_offerings, sizeof(*costs->limits));
    if (!costs->rates || !costs->window_rates || !costs->windows || !costs->limits)
        return iso_fail(p->v->reterr, ISO_E_NOMEM, "", "no memory to check a bound");
    return ISO_OK;
}

void iso_costs_fini(struct iso_costs *costs)
{
    free(costs->rates);
    free(costs->window_rates);
    free(costs->windows);
    free(costs->limits);
}

/* The sums of an offering over the limits that count it, in the open period. */
static const struct iso_limit_sums *limits_of(const struct iso_costs *costs, int32_t offering)
{
    const struct iso_verifier *v = costs->p->v;
    struct iso_limit_sums *sums = &costs->limits[offering];

    if (sums->summed && sums->period == costs->period)
        return sums;
    *sums = (struct iso_limit_sums){.summed = true, .period = costs->period};
    for (int32_t i = v->first_limit[offering]; i < v->first_limit[offering + 1]; i++) {
        int32_t l = v->limits[i].index;
        double lambda = costs->p->limit[iso_verify_at(v, l, costs->period)];
        struct iso_bounded *sum = v->problem->limits[l].minimum ? &sums->floor : &sums->cap;
        if (lambda != 0)
            *sum = iso_bounded_add(
                *sum, iso_bounded_scale(v->limits[i].weight, iso_bounded_exact(fabs(lambda))));
    }
    return sums;
}

static void open_limits(struct iso_costs *costs)
{
    const struct iso_problem *problem = costs->p->v->problem;

    costs->has_limits = false;
    for (int32_t l = 0; l < problem->n_limits; l++)
        costs->has_limits |= costs->p->limit[iso_verify_at(costs->p->v, l, costs->period)] != 0;
}

void iso_costs_open(struct iso_costs *costs, int32_t period)
{
    struct iso_pricing *p = costs->p;
    const struct iso_problem *problem = p->v->problem;

    costs->period = period;
    costs->hours = iso_bounded_decimal(problem->periods[period].hours);
    costs->n_windows = 0;
    for (int32_t k = 0; k < problem->n_currencies; k++)
        costs->rates[k] =
            iso_bounded_scale(iso_problem_rate(problem, k, problem->base_currency, period),
                              iso_bounded_exact(p->money));
    for (int32_t b = 0; b < problem->n_budgets; b++)
        for (int32_t w = 0; w < problem->budgets[b].n_windows; w++) {
            const struct iso_window *window = &problem->budgets[b].windows[w];
            int32_t place = p->v->first_window[b] + w;
            struct iso_bounded *rates = &costs->window_rates[place * problem->n_currencies];
            if (p->budget[place] == 0 || !window->periods[period])
                continue;
            for (int32_t k = 0; k < problem->n_currencies; k++)
                rates[k] = iso_bounded_scale(iso_problem_rate(problem, k, window->currency, period),
                                             iso_bounded_exact(-p->budget[place]));
            costs->windows[costs->n_windows++] =
                (struct iso_window_rate){&problem->budgets[b], rates};
        }
    open_limits(costs);
}

/* Weight of one unit of money spent on an instance: in the objective and in the windows that count
 * it. With a product: what is left when it covers the instance, in windows by list or without it.
 */
static struct iso_bounded instance_weight(const struct iso_costs *costs, int32_t cell,
                                          int32_t offering, int32_t product)
{
    int32_t currency = costs->p->v->problem->offerings[offering].currency;
    struct iso_bounded weight = {0, 0};

    if (product < 0) {
        const struct iso_volume *volume =
            iso_problem_volume(costs->p->v->problem, offering, costs->period);
        weight = costs->rates[currency];
        if (volume) /* whatever the volume, an instance costs so much at least */
            weight = iso_bounded_scale(iso_volume_least_factor(volume), weight);
    }
    for (int32_t w = 0; w < costs->n_windows; w++) {
        const struct iso_budget *budget = costs->windows[w].budget;
        bool counts = budget->offerings[offering] && budget->cells[cell];
        if (counts &&
            (product < 0 || budget->basis == ISO_BASIS_LIST || !budget->products[product]))
            weight = iso_bounded_add(weight, costs->windows[w].rates[currency]);
    }
    return weight;
}

static struct iso_bounded lower_of(struct iso_bounded a, struct iso_bounded b)
{
    return iso_bounded_low(a) <= iso_bounded_low(b) ? a : b;
}

/* What one instance costs, paid or covered by one of n products, whichever is less: h price w -
 * kappa. */
static struct iso_bounded paid_or_covered(const struct iso_costs *costs, int32_t cell,
                                          int32_t offering, const struct iso_verify_link *products,
                                          int32_t n)
{
    const struct iso_verifier *v = costs->p->v;
    struct iso_bounded hourly =
        iso_bounded_scale(iso_problem_price(v->problem, offering, costs->period), costs->hours);
    struct iso_bounded least =
        iso_bounded_multiply(hourly, instance_weight(costs, cell, offering, -1));

    for (int32_t i = 0; i < n; i++) {
        int32_t c = products[i].index;
        if (v->problem->offerings[offering].spot || !v->problem->products[c].cells[cell] ||
            !costs->p->supply[iso_verify_at(v, c, costs->period)])
            continue;
        struct iso_bounded covered = iso_bounded_add(
            iso_bounded_multiply(hourly, instance_weight(costs, cell, offering, c)),
            iso_bounded_scale(products[i].weight,
                              iso_bounded_exact(-iso_pricing_commit(costs->p, c, costs->period))));
        least = lower_of(least, covered);
    }
    return least;
}

struct iso_bounded iso_costs_covered(const struct iso_costs *costs, int32_t cell, int32_t offering,
                                     int32_t product)
{
    const struct iso_problem *problem = costs->p->v->problem;
    struct iso_bounded hourly =
        iso_bounded_scale(iso_problem_price(problem, offering, costs->period), costs->hours);
    struct iso_bounded cost =
        iso_bounded_multiply(hourly, instance_weight(costs, cell, offering, product));

    return costs->has_limits ? iso_bounded_add(cost, limits_of(costs, offering)->cap) : cost;
}

/* m of a (cell, offering), cut to the range that prices start and stop out. */
static struct iso_bounded move_multiplier(const struct iso_pricing *p, int32_t cell,
                                          int32_t offering, bool runs)
{
    struct iso_row_range rows = iso_pricing_rows(p, ISO_ROW_MOVE, cell, offering, -1);
    double least = -iso_pricing_at_most(p->start_cost);
    double most = iso_pricing_at_most(iso_bounded_add(p->stop_cost, iso_bounded_exact(p->moves)));

    if (rows.n == 0)
        return iso_bounded_exact(runs ? 0 : least);
    double m = fmax(rows.rows[0].value, least);
    return iso_bounded_exact(runs ? fmin(m, most) : m);
}

struct iso_bounded iso_costs_of_option(const struct iso_costs *costs, int32_t workload,
                                       int32_t option)
{
    const struct iso_verifier *v = costs->p->v;
    int32_t k = v->first_option[workload] + option;
    int32_t offering = v->problem->workloads[workload].options[option].offering;
    struct iso_bounded cost =
        paid_or_covered(costs, workload, offering, &v->reach[v->first_reach[k]],
                        v->first_reach[k + 1] - v->first_reach[k]);

    return costs->has_limits ? iso_bounded_add(cost, limits_of(costs, offering)->cap) : cost;
}

struct iso_bounded iso_costs_of(struct iso_costs *costs, int32_t cell, int32_t offering)
{
    const struct iso_problem *problem = costs->p->v->problem;
    int32_t n;
    const struct iso_verify_link *products = iso_verify_reach(costs->p->v, cell, offering, &n);
    struct iso_bounded cost = paid_or_covered(costs, cell, offering, products, n);

    costs->p->v->verdict.columns_priced++;
    if (costs->has_limits)
        cost = iso_bounded_add(cost, limits_of(costs, offering)->cap);
    if (costs->p->kinds[ISO_ROW_RAMP].n > 0)
        cost =
            iso_bounded_subtract(cost, iso_pricing_ramp(costs->p, cell, offering, costs->period));
    if (!problem->moves.present || costs->period != 0)
        return cost;
    const struct iso_current *current = iso_problem_find_current(problem, cell, offering);
    int64_t today = current ? current->count : 0;
    struct iso_bounded less =
        iso_bounded_subtract(cost, move_multiplier(costs->p, cell, offering, today > 0));
    if (iso_bounded_low(less) >= 0)
        return less;
    /* `cost` is >= 0, so m is above 0 and may fall this far. */
    struct iso_bounded fall = {iso_bounded_low(less), 0}, count = {(long double)today, 0};
    iso_pricing_add(costs->p, iso_bounded_multiply(fall, count));
    return (struct iso_bounded){0, 0};
}

struct iso_bounded iso_costs_floor(const struct iso_costs *costs, int32_t offering)
{
    return costs->has_limits ? limits_of(costs, offering)->floor : (struct iso_bounded){0, 0};
}

void iso_costs_add_placement(struct iso_pricing *p)
{
    const struct iso_moves *moves = &p->v->problem->moves;

    for (int32_t i = 0; i < moves->n_current && moves->present; i++) {
        const struct iso_current *current = &moves->current[i];
        struct iso_bounded count = {(long double)current->count, 0};
        iso_pricing_add(
            p, iso_bounded_multiply(count, move_multiplier(p, current->cell, current->offering,
                                                           current->count > 0)));
        p->v->verdict.columns_priced++;
    }
}

/* Columns of instances. With c = cell, o = offering, t = period, w(...) = weight in the objective
 * and in the budgets that count the thing:
 *
 *   eff_cot = h_t price_ot w(cell, o) - sum_l lambda_l weight_lo - kappa_cot - m_co [t = 0]
 *   kappa   = max(0, max over products that may cover it: h_t price_ot w(cell, o, product)
 *                    - use * |lambda_COMMIT|)            the best multiplier of  sum_c v <= x
 *             (computed as what is left of the first term, so that nothing cancels)
 *   x       rc = eff - served_o * worth_o(workload)
 *   g       rc = eff - max over contents n of sum_w n_w * max(0, worth_o(w))
 *   start   cost + m >= 0;  stop: cost - m + lambda_MOVES >= 0 (m is cut to this range; a MOVE row
 *           without a multiplier and with nothing running today gets the best: m = -cost of a
 * start)
 *
 * Repair, where rc < 0. For one cell and period, let all multipliers of the rows that count what is
 * served there shrink by the factor 1 - s, s = max -rc / (served * worth), or / (value of the
 * content) in a pool: then all its columns price out, if eff >= 0. L falls by at most s times
 *
 *   sum_w lambda_DEMAND required + D (sum minimum lambda_SHARE_MIN + sum theta lambda_SURVIVE
 *         + sum eps lambda_SPREAD)
 *
 * (right sides, and what domains b_d lose; u only gains). Or, where limits cap every such column, L
 * falls by sum -rc_o * cap_o; the smaller fall is taken. */
#include "pricing.h"

#define UP                                                                                \
    (1 + 8 * LDBL_EPSILON) /* covers the rounding of a few operations on positive numbers \
                            */

/* A window of a budget that has a multiplier and the period at hand. */
struct window_rate {
    const struct iso_budget *budget;
    struct iso_bounded *rates; /* by currency: -lambda * rate(currency -> window) */
};

struct instances {
    struct iso_pricing *p;
    int32_t period;
    struct iso_bounded hours;
    struct iso_bounded *rates; /* by currency: money * rate(currency -> base) */
    struct iso_bounded *window_rates;
    struct window_rate *windows;
    int32_t n_windows;
    struct iso_bounded *limit_cost; /* by offering; only with limits that have multipliers */
    bool has_limits;
    struct iso_worth *units; /* by workload */
    struct pool *pools;
};

/* The replica workloads of a team and the offerings that any of them may use. */
struct pool {
    int32_t n_workloads, n_offerings;
    int32_t *workloads, *offerings;
    int32_t *options; /* [offering place * n_workloads + workload place] or -1 */
    long double *worth;
    int32_t *order;
};

/* How far a bound must fall so that a set of columns prices out. */
struct fall {
    long double shrink;  /* s: largest -rc / what the column serves is worth */
    long double by_caps; /* sum -rc * cap; INFINITY without a cap */
    bool any;
};

static void open_period(struct instances *in, int32_t t)
{
    struct iso_pricing *p = in->p;
    const struct iso_problem *problem = p->v->problem;

    in->period = t;
    in->hours = iso_bounded_decimal(problem->periods[t].hours);
    in->n_windows = 0;
    in->has_limits = false;
    for (int32_t k = 0; k < problem->n_currencies; k++)
        in->rates[k] = iso_bounded_scale(iso_problem_rate(problem, k, problem->base_currency, t),
                                         iso_bounded_exact(p->money));
    for (int32_t b = 0; b < problem->n_budgets; b++)
        for (int32_t w = 0; w < problem->budgets[b].n_windows; w++) {
            const struct iso_window *window = &problem->budgets[b].windows[w];
            int32_t place = p->v->first_window[b] + w;
            struct iso_bounded *rates = &in->window_rates[place * problem->n_currencies];
            if (p->budget[place] == 0 || !window->periods[t])
                continue;
            for (int32_t k = 0; k < problem->n_currencies; k++)
                rates[k] = iso_bounded_scale(iso_problem_rate(problem, k, window->currency, t),
                                             iso_bounded_exact(-p->budget[place]));
            in->windows[in->n_windows++] = (struct window_rate){&problem->budgets[b], rates};
        }
    for (int32_t l = 0; l < problem->n_limits; l++)
        in->has_limits = in->has_limits || p->limit[iso_verify_at(p->v, l, t)] != 0;
    if (!in->has_limits)
        return;
    memset(in->limit_cost, 0, (size_t)problem->n_offerings * sizeof(*in->limit_cost));
    for (int32_t l = 0; l < problem->n_limits; l++) {
        struct iso_bounded cost = iso_bounded_exact(-p->limit[iso_verify_at(p->v, l, t)]);
        for (int32_t i = 0; i < problem->limits[l].n_terms && cost.value != 0; i++) {
            const struct iso_limit_term *term = &problem->limits[l].terms[i];
            in->limit_cost[term->offering] = iso_bounded_add(in->limit_cost[term->offering],
                                                             iso_bounded_scale(term->weight, cost));
        }
    }
}

/* Weight of one unit of money spent on an instance: in the objective and in the windows that count
 * it. With a product: what is left when it covers the instance, in windows by list or without it.
 */
static struct iso_bounded instance_weight(const struct instances *in, int32_t cell,
                                          int32_t offering, int32_t product)
{
    int32_t currency = in->p->v->problem->offerings[offering].currency;
    struct iso_bounded weight = {0, 0};

    if (product < 0)
        weight = in->rates[currency];
    for (int32_t w = 0; w < in->n_windows; w++) {
        const struct iso_budget *budget = in->windows[w].budget;
        bool counts = budget->offerings[offering] && budget->cells[cell];
        if (counts &&
            (product < 0 || budget->basis == ISO_BASIS_LIST || !budget->products[product]))
            weight = iso_bounded_add(weight, in->windows[w].rates[currency]);
    }
    return weight;
}

static struct iso_bounded lower_of(struct iso_bounded a, struct iso_bounded b)
{
    return iso_bounded_low(a) <= iso_bounded_low(b) ? a : b;
}

/* What one instance costs, paid or covered, whichever is less: h price w - kappa. */
static struct iso_bounded paid_or_covered(const struct instances *in, int32_t cell,
                                          int32_t offering)
{
    const struct iso_verifier *v = in->p->v;
    struct iso_bounded hourly =
        iso_bounded_scale(iso_problem_price(v->problem, offering, in->period), in->hours);
    struct iso_bounded least =
        iso_bounded_multiply(hourly, instance_weight(in, cell, offering, -1));

    for (int32_t i = v->first_product[offering]; i < v->first_product[offering + 1]; i++) {
        int32_t c = v->products[i].index;
        size_t at = iso_verify_at(v, c, in->period);
        if (v->problem->offerings[offering].spot || !v->problem->products[c].cells[cell] ||
            !in->p->supply[at])
            continue;
        struct iso_bounded covered = iso_bounded_add(
            iso_bounded_multiply(hourly, instance_weight(in, cell, offering, c)),
            iso_bounded_scale(v->products[i].weight, iso_bounded_exact(-in->p->commit[at])));
        least = lower_of(least, covered);
    }
    return least;
}

/* m of a (cell, offering), cut to the range that prices start and stop out. */
static struct iso_bounded move_multiplier(const struct iso_pricing *p, int32_t cell,
                                          int32_t offering, bool runs_today)
{
    struct iso_row_range rows = iso_pricing_rows(p, ISO_ROW_MOVE, cell, offering, -1);
    double least = -iso_pricing_at_most(p->start_cost);
    double most = iso_pricing_at_most(iso_bounded_add(p->stop_cost, iso_bounded_exact(p->moves)));

    if (rows.n == 0)
        return iso_bounded_exact(runs_today ? 0 : least);
    double m = fmax(rows.rows[0].value, least);
    return iso_bounded_exact(runs_today ? fmin(m, most) : m);
}

static bool runs_today(const struct iso_problem *problem, int32_t cell, int32_t offering)
{
    int32_t low = 0, high = problem->moves.n_current;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        const struct iso_current *current = &problem->moves.current[middle];
        if (current->cell < cell || (current->cell == cell && current->offering < offering))
            low = middle + 1;
        else
            high = middle;
    }
    return low < problem->moves.n_current && problem->moves.current[low].cell == cell &&
           problem->moves.current[low].offering == offering &&
           problem->moves.current[low].count > 0;
}

/* eff_cot. */
static struct iso_bounded instance_cost(const struct instances *in, int32_t cell, int32_t offering)
{
    const struct iso_problem *problem = in->p->v->problem;
    struct iso_bounded cost = paid_or_covered(in, cell, offering);

    in->p->v->verdict.columns_priced++;
    if (in->has_limits)
        cost = iso_bounded_add(cost, in->limit_cost[offering]);
    if (problem->moves.present && in->period == 0)
        cost = iso_bounded_subtract(
            cost, move_multiplier(in->p, cell, offering, runs_today(problem, cell, offering)));
    return cost;
}

/* Most instances of an offering that the limits of the period allow; INFINITY without one. */
static long double cap_of(const struct instances *in, int32_t offering)
{
    const struct iso_verifier *v = in->p->v;
    long double cap = INFINITY;

    for (int32_t i = v->first_limit[offering]; i < v->first_limit[offering + 1]; i++) {
        const struct iso_limit *limit = &v->problem->limits[v->limits[i].index];
        iso_wide most = limit->bound;
        if (limit->minimum || !limit->periods[in->period] ||
            (limit->policy != ISO_POLICY_HARD && limit->policy != ISO_POLICY_DEFAULT))
            continue;
        if (limit->policy == ISO_POLICY_DEFAULT)
            most += limit->today;
        cap = fminl(cap, (long double)(most / v->limits[i].weight));
    }
    return cap;
}

/* A column with rc = cost - worth < 0. */
static void fall_by(struct fall *fall, const struct instances *in, int32_t offering,
                    long double cost, long double worth)
{
    long double missing = worth - cost;

    fall->any = true;
    fall->shrink = fmaxl(fall->shrink, worth > 0 ? missing / worth * UP : INFINITY);
    if (fall->by_caps < INFINITY)
        fall->by_caps = (fall->by_caps + missing * cap_of(in, offering)) * UP;
}

/* By how much L falls when the multipliers of a workload and period vanish. */
static long double service_value(const struct instances *in, int32_t a)
{
    const struct iso_pricing *p = in->p;
    const struct iso_workload *workload = &p->v->problem->workloads[a];
    int32_t t = in->period;
    long double demand = (long double)workload->demand[t] / 1e18L, sum;

    sum = p->demand[iso_verify_at(p->v, a, t)] * ((long double)workload->required[t] / 1e9L);
    for (int32_t i = 0; i < workload->n_shares; i++)
        sum += p->share_min[iso_verify_at(p->v, p->first_share[a] + i, t)] * demand *
               (long double)workload->shares[i].minimum;
    for (int32_t i = 0; i < workload->n_survive; i++) {
        struct iso_row_range rows = iso_pricing_rows(p, ISO_ROW_SURVIVE, a, i, t);
        for (int32_t k = 0; k < rows.n; k++)
            sum += rows.rows[k].value * demand * (long double)workload->survive[i].share;
    }
    for (int32_t i = 0; i < workload->n_spread; i++) {
        struct iso_row_range rows = iso_pricing_rows(p, ISO_ROW_SPREAD, a, i, t);
        for (int32_t k = 0; k < rows.n; k++)
            sum += rows.rows[k].value * demand * (long double)workload->spread[i].minimum_share;
    }
    return sum * (1 + 1e-12L); /* the sums of well below 1e6 positive terms */
}

/* Takes the smaller of two falls off the bound, or gives the bound up. */
static void settle(struct iso_pricing *p, const struct fall *fall, long double service)
{
    long double by_service = fall->shrink <= 1 ? fall->shrink * service * UP : INFINITY;
    long double least = fminl(by_service, fall->by_caps);

    if (!fall->any)
        return;
    if (!(least < INFINITY))
        p->nothing = true;
    else
        iso_pricing_add(p, (struct iso_bounded){-least, 0});
}

static void price_workload(struct instances *in, int32_t a)
{
    const struct iso_workload *workload = &in->p->v->problem->workloads[a];
    struct fall fall = {0, 0, false};

    iso_worth_open(&in->units[a], in->period);
    for (int32_t i = 0; i < workload->n_options; i++) {
        const struct iso_option *option = &workload->options[i];
        struct iso_bounded worth =
            iso_bounded_scale(option->served, iso_worth_of(&in->units[a], i));
        struct iso_bounded cost = instance_cost(in, a, option->offering);
        if (iso_bounded_low(cost) < iso_bounded_high(worth))
            fall_by(&fall, in, option->offering, iso_bounded_low(cost), iso_bounded_high(worth));
    }
    if (fall.any)
        settle(in->p, &fall, service_value(in, a));
}

static void price_pool(struct instances *in, int32_t team)
{
    const struct iso_problem *problem = in->p->v->problem;
    struct pool *pool = &in->pools[team];
    struct fall fall = {0, 0, false};
    int32_t n = pool->n_workloads;
    long double service = 0;

    for (int32_t i = 0; i < n; i++)
        iso_worth_open(&in->units[pool->workloads[i]], in->period);
    for (int32_t place = 0; place < pool->n_offerings; place++) {
        int32_t offering = pool->offerings[place];
        long double cost =
            iso_bounded_low(instance_cost(in, problem->n_workloads + team, offering));
        for (int32_t i = 0; i < n; i++) {
            int32_t option = pool->options[place * n + i];
            struct iso_bounded worth = {0, 0};
            if (option >= 0)
                worth = iso_worth_of(&in->units[pool->workloads[i]], option);
            pool->worth[i] = fmaxl(0, iso_bounded_high(worth));
        }
        long double best = iso_verify_best_content(problem, team, offering, pool->workloads, n,
                                                   pool->worth, pool->order, cost);
        if (best > cost)
            fall_by(&fall, in, offering, cost, best);
    }
    for (int32_t i = 0; i < n && fall.any; i++)
        service += service_value(in, pool->workloads[i]);
    settle(in->p, &fall, service * UP);
}

static enum iso_status no_memory(const struct instances *in)
{
    return iso_fail(in->p->v->reterr, ISO_E_NOMEM, "", "no memory to check a bound");
}

static enum iso_status init_pool(struct instances *in, int32_t team)
{
    const struct iso_problem *problem = in->p->v->problem;
    struct pool *pool = &in->pools[team];
    size_t n_workloads = (size_t)problem->n_workloads;

    pool->workloads = iso_calloc(n_workloads, sizeof(*pool->workloads));
    pool->order = iso_calloc(n_workloads, sizeof(*pool->order));
    pool->worth = iso_calloc(n_workloads, sizeof(*pool->worth));
    ISO_AUTO_MEM uint8_t *used = iso_calloc((size_t)problem->n_offerings, 1);
    if (!pool->workloads || !pool->order || !pool->worth || !used)
        return no_memory(in);
    for (int32_t w = 0; w < problem->n_workloads; w++)
        if (problem->workloads[w].replicas && problem->workloads[w].team == team)
            pool->workloads[pool->n_workloads++] = w;
    for (int32_t i = 0; i < pool->n_workloads; i++) {
        const struct iso_workload *workload = &problem->workloads[pool->workloads[i]];
        for (int32_t k = 0; k < workload->n_options; k++) {
            pool->n_offerings += !used[workload->options[k].offering];
            used[workload->options[k].offering] = 1;
        }
    }
    pool->offerings = iso_calloc((size_t)pool->n_offerings, sizeof(*pool->offerings));
    pool->options =
        iso_calloc((size_t)pool->n_offerings * (size_t)pool->n_workloads, sizeof(*pool->options));
    if (!pool->offerings || !pool->options)
        return no_memory(in);
    for (int32_t o = 0, place = 0; o < problem->n_offerings; o++) {
        if (!used[o])
            continue;
        pool->offerings[place] = o;
        for (int32_t i = 0; i < pool->n_workloads; i++)
            pool->options[place * pool->n_workloads + i] =
                iso_workload_find_option(&problem->workloads[pool->workloads[i]], o);
        place++;
    }
    return ISO_OK;
}

static void fini_pool(struct pool *pool)
{
    free(pool->workloads);
    free(pool->offerings);
    free(pool->options);
    free(pool->worth);
    free(pool->order);
}

static enum iso_status init_instances(struct instances *in)
{
    const struct iso_problem *problem = in->p->v->problem;
    size_t n_currencies = (size_t)problem->n_currencies;
    size_t n_windows = (size_t)in->p->v->first_window[problem->n_budgets];

    in->rates = iso_calloc(n_currencies, sizeof(*in->rates));
    in->window_rates = iso_calloc(n_windows * n_currencies, sizeof(*in->window_rates));
    in->windows = iso_calloc(n_windows, sizeof(*in->windows));
    in->limit_cost = iso_calloc((size_t)problem->n_offerings, sizeof(*in->limit_cost));
    in->units = iso_calloc((size_t)problem->n_workloads, sizeof(*in->units));
    in->pools = iso_calloc((size_t)problem->n_teams, sizeof(*in->pools));
    if (!in->rates || !in->window_rates || !in->windows || !in->limit_cost || !in->units ||
        !in->pools)
        return no_memory(in);
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        ISO_TRY(iso_worth_init(&in->units[a], in->p, a));
        ISO_TRY(iso_worth_price_domains(&in->units[a]));
    }
    for (int32_t g = 0; g < problem->n_teams; g++)
        ISO_TRY(init_pool(in, g));
    return ISO_OK;
}

static void fini_instances(struct instances *in)
{
    const struct iso_problem *problem = in->p->v->problem;

    for (int32_t a = 0; a < problem->n_workloads && in->units; a++)
        iso_worth_fini(&in->units[a]);
    for (int32_t g = 0; g < problem->n_teams && in->pools; g++)
        fini_pool(&in->pools[g]);
    void *const arrays[] = {in->rates,      in->window_rates, in->windows,
                            in->limit_cost, in->units,        in->pools};
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
}

/* Right sides of the MOVE rows: what runs today, whether or not it may run again. */
static void add_placement(struct iso_pricing *p)
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

static enum iso_status price_all(struct instances *in)
{
    const struct iso_problem *problem = in->p->v->problem;

    ISO_TRY(init_instances(in));
    add_placement(in->p);
    for (int32_t t = 0; t < problem->n_periods; t++) {
        open_period(in, t);
        for (int32_t a = 0; a < problem->n_workloads; a++)
            if (!problem->workloads[a].replicas)
                price_workload(in, a);
        for (int32_t g = 0; g < problem->n_teams; g++)
            if (in->pools[g].n_workloads > 0)
                price_pool(in, g);
    }
    return ISO_OK;
}

enum iso_status iso_pricing_instances(struct iso_pricing *p)
{
    struct instances in = {.p = p};
    enum iso_status status = price_all(&in);

    fini_instances(&in);
    return status;
}

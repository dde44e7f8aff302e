/* Columns of instances, priced.
 *
 *   x  rc = cost - floor - served_o * worth_o(workload)
 *   g  rc = cost - floor - max over contents n of sum_w n_w * max(0, worth_o(w))
 *
 * with cost and floor of pricing_costs.c and worth of worth.c.
 *
 * Repair, where rc < 0. Of what a column serves, let G be what >= rows give (demand, share minima,
 * survive, spread, arrival), and C what caps on shares give or take and presence in a domain takes.
 * For one cell and period, shrink the multipliers of the >= rows by (1 - a)(1 - b) and those of the
 * caps by 1 - b:
 *
 *   rc = cost' - (1 - b)((1 - a) G + C)        cost' = cost - floor
 *
 * With cost' >= 0 for all its columns, each with rc >= 0 stays so (G >= 0: the bracket only falls
 * with a; and with b it shrinks, or is below 0 and does no harm). A column with rc < 0 gets there
 * by b >= s, s = (G + C - cost') / (G + C), or by a >= s (G + C) / G. The smaller one is taken. For
 * a content, worth at most (1 - s) of before is enough: b >= s, or a >= s max(0, worth_w) / G_w for
 * each w in it. L falls by at most a + b (or all) of
 *
 *   sum over the cell's workloads of lambda_DEMAND required
 *     + D (sum minimum lambda_SHARE_MIN + sum theta lambda_SURVIVE + sum eps lambda_SPREAD
 *          + sum share lambda_FLOW)
 *
 * (right sides, and what domains b_d lose; unserved demand, violations and flows only gain). Where
 * cost' is not >= 0, the same is done for all cells of the period and the minima of limits at once,
 * with cost for cost', floor in G, and sum over minima of lambda_l bound_l in the fall. Or, where
 * limits cap every such column, L falls by sum -rc_o * cap_o. The smaller fall is taken. */
#include "pricing.h"

#define UP (1 + 8 * LDBL_EPSILON) /* covers a few roundings of positive numbers */

/* What it takes until a set of columns prices out. */
struct repair {
    bool any;            /* there are columns with rc < 0 */
    bool possible;       /* cost (or cost') >= 0 for all columns: a and b do */
    long double a, b;    /* in [0, 1] */
    long double by_caps; /* sum -rc * cap; INFINITY without a cap */
};

static const struct repair nothing_to_repair = {.possible = true};

struct columns {
    struct iso_pricing *p;
    int32_t period;
    struct iso_costs costs;
    struct iso_worth *units; /* by workload */
    struct pool *pools;      /* by team */
    struct repair cell, all; /* of the cell at hand, of the period */
};

/* The replica workloads of a team and the offerings that any of them may use. */
struct pool {
    int32_t n_workloads, n_offerings;
    int32_t *workloads, *offerings;
    int32_t *options; /* [offering place * n_workloads + workload place] or -1 */
    long double *worth;
    int32_t *order;
    int32_t n_close; /* offerings that only a search of contents can price out, in this period */
    int32_t *close;  /* their places in `offerings` */
    int32_t *close_offerings;
    struct iso_bounded *cost;
    struct iso_content_grid *grid; /* of the last worths; NULL = none */
    bool too_large;                /* for a table */
};

#define SEARCHED 4 /* pools of fewer workloads are searched without a table */

/* Most instances of an offering that the limits of the period allow; INFINITY without one. */
static long double cap_of(const struct columns *columns, int32_t offering)
{
    const struct iso_verifier *v = columns->p->v;
    long double cap = INFINITY;

    for (int32_t i = v->first_limit[offering]; i < v->first_limit[offering + 1]; i++) {
        const struct iso_limit *limit = &v->problem->limits[v->limits[i].index];
        iso_wide most = limit->bound;
        if (limit->minimum || !limit->periods[columns->period] ||
            (limit->policy != ISO_POLICY_HARD && limit->policy != ISO_POLICY_DEFAULT))
            continue;
        if (limit->policy == ISO_POLICY_DEFAULT)
            most += limit->today;
        cap = fminl(cap, (long double)(most / v->limits[i].weight));
    }
    return cap;
}

/* A column with cost and gain (both without or with its floor); `ratio` = gain / G, or the like. */
static void add_column(struct repair *repair, long double cost, long double gain, long double ratio,
                       long double cap)
{
    long double share = gain > 0 ? fminl((gain - cost) / gain * UP, 1) : 1;

    if (cost < 0)
        repair->possible = false;
    if (gain <= cost)
        return;
    repair->any = true;
    if (share * ratio * UP < share)
        repair->a = fmaxl(repair->a, share * ratio * UP);
    else
        repair->b = fmaxl(repair->b, share);
    if (repair->by_caps < INFINITY)
        repair->by_caps = (repair->by_caps + (gain - cost) * cap) * UP;
}

/* Notes a column whose service is worth `service`, of which >= rows give service / ratio. */
static void add_both(struct columns *columns, int32_t offering, long double cost,
                     long double service, long double ratio)
{
    long double floor = iso_bounded_high(iso_costs_floor(&columns->costs, offering));
    bool below = service > cost - floor;
    long double cap = below ? cap_of(columns, offering) : 0;

    add_column(&columns->cell, floor > 0 ? cost - floor * UP : cost, service, ratio, cap);
    add_column(&columns->all, cost, floor > 0 ? (service + floor) * UP : service,
               floor > 0 ? fmaxl(ratio, 1) : ratio, cap);
}

static void price_workload(struct columns *columns, int32_t a)
{
    const struct iso_workload *workload = &columns->p->v->problem->workloads[a];
    const struct iso_worth *unit = &columns->units[a];

    iso_worth_open(&columns->units[a], columns->period);
    for (int32_t i = 0; i < workload->n_options; i++) {
        const struct iso_option *option = &workload->options[i];
        long double cost = iso_bounded_low(iso_costs_of(&columns->costs, a, option->offering));
        long double floor = iso_bounded_high(iso_costs_floor(&columns->costs, option->offering));
        long double service =
            iso_bounded_high(iso_bounded_scale(option->served, iso_worth_of(unit, i)));
        if (floor * UP <= cost && service + floor * UP <= cost)
            continue;
        long double gains =
            iso_bounded_low(iso_bounded_scale(option->served, iso_worth_of_gains(unit, i)));
        add_both(columns, option->offering, cost, service,
                 gains > 0 ? service / gains * UP : INFINITY);
    }
}

/* max over w of what it is worth / what >= rows give for it. */
static long double content_ratio(const struct columns *columns, const struct pool *pool,
                                 int32_t place)
{
    long double ratio = 0;

    for (int32_t i = 0; i < pool->n_workloads; i++) {
        if (pool->worth[i] <= 0)
            continue;
        long double gains = iso_bounded_low(iso_worth_of_gains(
            &columns->units[pool->workloads[i]], pool->options[place * pool->n_workloads + i]));
        ratio = fmaxl(ratio, gains > 0 ? pool->worth[i] / gains * UP : INFINITY);
    }
    return ratio;
}

/* What the best content of an instance is worth, as far as it is above `floor`. Offerings of one
 * place come one after the other and mostly give the same worths, so one table serves many. */
static long double best_content(const struct columns *columns, struct pool *pool, int32_t team,
                                int32_t offering, long double floor)
{
    const struct iso_problem *problem = columns->p->v->problem;
    int32_t n = pool->n_workloads;

    if (n >= SEARCHED && !pool->too_large &&
        !(pool->grid && iso_content_grid_is_for(pool->grid, pool->worth))) {
        iso_content_grid_free(pool->grid);
        pool->grid = iso_content_grid_new(problem, team, pool->workloads, n, pool->worth,
                                          pool->close_offerings, pool->n_close);
        pool->too_large = !pool->grid;
    }
    return pool->grid ? iso_content_grid_best(pool->grid, offering, floor)
                      : iso_verify_best_content(problem, team, offering, pool->workloads, n,
                                                pool->worth, pool->order, floor);
}

/* Sets what a copy of each workload is worth on an offering. */
static void find_worths(const struct columns *columns, struct pool *pool, int32_t place)
{
    for (int32_t i = 0; i < pool->n_workloads; i++) {
        int32_t option = pool->options[place * pool->n_workloads + i];
        struct iso_bounded worth = {0, 0};
        if (option >= 0)
            worth = iso_worth_of(&columns->units[pool->workloads[i]], option);
        pool->worth[i] = fmaxl(0, iso_bounded_high(worth));
    }
}

/* What a content may be worth before it matters: cost - floor. */
static long double bar(const struct columns *columns, int32_t offering, struct iso_bounded cost)
{
    return iso_bounded_low(cost) / UP -
           iso_bounded_high(iso_costs_floor(&columns->costs, offering)) * UP;
}

/* Finds the offerings whose best content has to be searched: on catalogs of all sizes nearly all
 * are too dear for any content, and their sizes would only make tables larger. */
static void find_close(struct columns *columns, struct pool *pool, int32_t team)
{
    const struct iso_problem *problem = columns->p->v->problem;

    pool->n_close = 0;
    pool->too_large = false;
    iso_content_grid_free(pool->grid);
    pool->grid = NULL;
    for (int32_t place = 0; place < pool->n_offerings; place++) {
        int32_t offering = pool->offerings[place];
        pool->cost[place] = iso_costs_of(&columns->costs, problem->n_workloads + team, offering);
        long double least = bar(columns, offering, pool->cost[place]);
        find_worths(columns, pool, place);
        if (least > 0 && iso_verify_content_density(problem, team, offering, pool->workloads,
                                                    pool->n_workloads, pool->worth) <= least)
            continue;
        pool->close_offerings[pool->n_close] = offering;
        pool->close[pool->n_close++] = place;
    }
}

static void price_pool(struct columns *columns, int32_t team)
{
    struct pool *pool = &columns->pools[team];

    for (int32_t i = 0; i < pool->n_workloads; i++)
        iso_worth_open(&columns->units[pool->workloads[i]], columns->period);
    find_close(columns, pool, team);
    for (int32_t at = 0; at < pool->n_close; at++) {
        int32_t place = pool->close[at], offering = pool->offerings[place];
        long double cost = iso_bounded_low(pool->cost[place]);
        long double floor = iso_bounded_high(iso_costs_floor(&columns->costs, offering));
        find_worths(columns, pool, place);
        long double content =
            best_content(columns, pool, team, offering, bar(columns, offering, pool->cost[place]));
        if (cost < 0 || content + floor * UP > cost)
            add_both(columns, offering, cost, content, content_ratio(columns, pool, place));
    }
}

/* The right side of a row that asks for a share of the demand. */
static long double rule_side(const struct iso_workload *workload, iso_decimal share, int32_t t)
{
    if (iso_pricing_counts_whole(workload))
        return (long double)iso_pricing_whole(share, workload->demand[t]) / 1e9L;
    return (long double)workload->demand[t] / 1e18L * (long double)share;
}

/* By how much L falls at most when the multipliers of a workload in the period vanish. */
static long double service_value(const struct columns *columns, int32_t a)
{
    const struct iso_pricing *p = columns->p;
    const struct iso_workload *workload = &p->v->problem->workloads[a];
    int32_t t = columns->period;
    long double demand = (long double)workload->demand[t] / 1e18L, sum;

    sum =
        p->demand[iso_verify_at(p->v, a, t)] * ((long double)iso_pricing_asked(p->v, a, t) / 1e9L);
    for (int32_t i = 0; i < workload->n_shares; i++)
        sum += p->share_min[iso_verify_at(p->v, p->first_share[a] + i, t)] *
               rule_side(workload, workload->shares[i].minimum, t);
    for (int32_t i = 0; i < workload->n_survive; i++) {
        struct iso_row_range rows = iso_leads_rows(p, ISO_ROW_SURVIVE, a, i, t);
        for (int32_t k = 0; k < rows.n; k++)
            sum += rows.rows[k].value * rule_side(workload, workload->survive[i].share, t);
    }
    for (int32_t i = 0; i < workload->n_spread; i++) {
        struct iso_row_range rows = iso_leads_rows(p, ISO_ROW_SPREAD, a, i, t);
        for (int32_t k = 0; k < rows.n; k++)
            sum += rows.rows[k].value * demand * (long double)workload->spread[i].minimum_share;
    }
    return sum + iso_pricing_flow_value(p, a, t);
}

/* The same for a pool. */
static long double pool_value(const struct columns *columns, const struct pool *pool)
{
    long double sum = 0;

    for (int32_t i = 0; i < pool->n_workloads; i++)
        sum += service_value(columns, pool->workloads[i]);
    return sum;
}

/* The same for the whole period and its minima of limits. */
static long double period_value(const struct columns *columns)
{
    const struct iso_pricing *p = columns->p;
    const struct iso_problem *problem = p->v->problem;
    long double sum = 0;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        sum += service_value(columns, a);
    for (int32_t l = 0; l < problem->n_limits; l++)
        if (problem->limits[l].minimum)
            sum += p->limit[iso_verify_at(p->v, l, columns->period)] *
                   ((long double)problem->limits[l].bound / 1e9L);
    return sum;
}

/* Takes the smaller fall off the bound; false when there is none. `value` is a sum of far fewer
 * than 1e6 terms >= 0. */
static bool settle(const struct columns *columns, const struct repair *repair, long double value)
{
    long double least = repair->by_caps;

    if (repair->possible)
        least = fminl(least, fminl(repair->a + repair->b, 1) * value * (1 + 1e-12L));
    if (!(least < INFINITY))
        return false;
    iso_pricing_add(columns->p, (struct iso_bounded){-least, 0});
    return true;
}

/* Ends a cell: repairs it by itself, or leaves it to the period. `before` is the period's repair
 * without the cell. */
static void settle_cell(struct columns *columns, const struct repair *before, long double value)
{
    if (!columns->cell.any || settle(columns, &columns->cell, value)) {
        bool possible = columns->all.possible;
        columns->all = *before;
        columns->all.possible = possible;
    }
    columns->cell = nothing_to_repair;
}

static void price_period(struct columns *columns, int32_t period)
{
    const struct iso_problem *problem = columns->p->v->problem;

    columns->period = period;
    columns->cell = columns->all = nothing_to_repair;
    iso_costs_open(&columns->costs, period);
    iso_implied_open(columns->p, &columns->costs, columns->units, period);
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        struct repair before = columns->all;
        if (problem->workloads[a].replicas || columns->p->tabled[a])
            continue;
        price_workload(columns, a);
        settle_cell(columns, &before, columns->cell.any ? service_value(columns, a) : 0);
    }
    for (int32_t g = 0; g < problem->n_teams; g++) {
        struct repair before = columns->all;
        if (columns->pools[g].n_workloads == 0)
            continue;
        price_pool(columns, g);
        settle_cell(columns, &before,
                    columns->cell.any ? pool_value(columns, &columns->pools[g]) : 0);
    }
    if (columns->all.any && !settle(columns, &columns->all, period_value(columns)))
        columns->p->nothing = true;
}

static enum iso_status no_memory(const struct columns *columns)
{
    return iso_fail(columns->p->v->reterr, ISO_E_NOMEM, "", "no memory to check a bound");
}

/* What offerings are sorted by: their place, and a digest of the workloads that may use them. */
struct places {
    const struct iso_problem *problem;
    uint64_t *users; /* [offering] */
};

static int by_place(const void *left, const void *right, void *context)
{
    const struct places *places = context;
    int32_t i = *(const int32_t *)left, j = *(const int32_t *)right;
    const struct iso_offering *a = &places->problem->offerings[i],
                              *b = &places->problem->offerings[j];

    if (a->region != b->region)
        return a->region < b->region ? -1 : 1;
    if (a->zone != b->zone)
        return a->zone < b->zone ? -1 : 1;
    if (a->spot != b->spot)
        return a->spot ? 1 : -1;
    if (places->users[i] != places->users[j])
        return places->users[i] < places->users[j] ? -1 : 1;
    return (i > j) - (i < j);
}

static enum iso_status init_pool(struct columns *columns, int32_t team)
{
    const struct iso_problem *problem = columns->p->v->problem;
    struct pool *pool = &columns->pools[team];
    size_t n_workloads = (size_t)problem->n_workloads;

    pool->workloads = iso_calloc(n_workloads, sizeof(*pool->workloads));
    pool->order = iso_calloc(n_workloads, sizeof(*pool->order));
    pool->worth = iso_calloc(n_workloads, sizeof(*pool->worth));
    ISO_AUTO_MEM uint8_t *used = iso_calloc((size_t)problem->n_offerings, 1);
    ISO_AUTO_MEM uint64_t *users = iso_calloc((size_t)problem->n_offerings, sizeof(*users));
    if (!pool->workloads || !pool->order || !pool->worth || !used || !users)
        return no_memory(columns);
    for (int32_t w = 0; w < problem->n_workloads; w++)
        if (problem->workloads[w].replicas && problem->workloads[w].team == team)
            pool->workloads[pool->n_workloads++] = w;
    for (int32_t i = 0; i < pool->n_workloads; i++) {
        const struct iso_workload *workload = &problem->workloads[pool->workloads[i]];
        for (int32_t k = 0; k < workload->n_options; k++) {
            int32_t offering = workload->options[k].offering;
            pool->n_offerings += !used[offering];
            used[offering] = 1;
            users[offering] = (users[offering] ^ (uint64_t)(i + 1)) * 0x100000001b3u;
        }
    }
    pool->offerings = iso_calloc((size_t)pool->n_offerings, sizeof(*pool->offerings));
    pool->options =
        iso_calloc((size_t)pool->n_offerings * (size_t)pool->n_workloads, sizeof(*pool->options));
    pool->close = iso_calloc((size_t)pool->n_offerings, sizeof(*pool->close));
    pool->close_offerings = iso_calloc((size_t)pool->n_offerings, sizeof(*pool->close_offerings));
    pool->cost = iso_calloc((size_t)pool->n_offerings, sizeof(*pool->cost));
    if (!pool->offerings || !pool->options || !pool->close || !pool->close_offerings || !pool->cost)
        return no_memory(columns);
    for (int32_t o = 0, place = 0; o < problem->n_offerings; o++)
        if (used[o])
            pool->offerings[place++] = o;
    qsort_r(pool->offerings, (size_t)pool->n_offerings, sizeof(*pool->offerings), by_place,
            &(struct places){problem, users});
    for (int32_t place = 0; place < pool->n_offerings; place++)
        for (int32_t i = 0; i < pool->n_workloads; i++)
            pool->options[place * pool->n_workloads + i] = iso_workload_find_option(
                &problem->workloads[pool->workloads[i]], pool->offerings[place]);
    return ISO_OK;
}

static void fini_pool(struct pool *pool)
{
    free(pool->workloads);
    free(pool->offerings);
    free(pool->options);
    free(pool->worth);
    free(pool->order);
    free(pool->close);
    free(pool->close_offerings);
    free(pool->cost);
    iso_content_grid_free(pool->grid);
}

/* Prices every period; one whose numbers are those of its lead, when nothing had to be repaired
 * there, needs no second look: the same sums come out. */
static enum iso_status price_periods(struct columns *columns)
{
    struct iso_pricing *p = columns->p;
    int32_t n_periods = p->v->problem->n_periods;
    ISO_AUTO_MEM int64_t *priced = iso_calloc((size_t)n_periods, sizeof(*priced));
    int64_t *columns_priced = &p->v->verdict.columns_priced;

    if (!priced)
        return no_memory(columns);
    for (int pass = 0; pass < 2; pass++) /* leads first; 0: not priced, or something repaired */
        for (int32_t t = 0; t < n_periods; t++) {
            int32_t lead = p->v->plan->n_leads ? p->v->plan->leads[t].period : t;
            int64_t before = *columns_priced;
            long double sum = p->sum.value;
            if ((pass == 0) != (lead == t))
                continue;
            if (lead != t && priced[lead] > 0 && iso_leads_alike(p, t)) {
                *columns_priced += priced[lead];
                iso_implied_repeat(p, lead, t);
                continue;
            }
            price_period(columns, t);
            if (sum == p->sum.value && !p->nothing)
                priced[t] = *columns_priced - before;
        }
    iso_implied_settle(p);
    return ISO_OK;
}

static enum iso_status price_all(struct columns *columns)
{
    const struct iso_problem *problem = columns->p->v->problem;

    ISO_TRY(iso_costs_init(&columns->costs, columns->p));
    columns->units = iso_calloc((size_t)problem->n_workloads, sizeof(*columns->units));
    columns->pools = iso_calloc((size_t)problem->n_teams, sizeof(*columns->pools));
    if (!columns->units || !columns->pools)
        return no_memory(columns);
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        ISO_TRY(iso_worth_init(&columns->units[a], columns->p, a));
        iso_worth_price_domains(&columns->units[a]);
    }
    for (int32_t g = 0; g < problem->n_teams; g++)
        ISO_TRY(init_pool(columns, g));
    ISO_TRY(iso_pricing_presence(columns->p));
    iso_pricing_ramps(columns->p);
    iso_costs_add_placement(columns->p);
    return price_periods(columns);
}

enum iso_status iso_pricing_instances(struct iso_pricing *p)
{
    const struct iso_problem *problem = p->v->problem;
    struct columns columns = {.p = p};
    enum iso_status status = price_all(&columns);

    for (int32_t a = 0; a < problem->n_workloads && columns.units; a++)
        iso_worth_fini(&columns.units[a]);
    for (int32_t g = 0; g < problem->n_teams && columns.pools; g++)
        fini_pool(&columns.pools[g]);
    iso_costs_fini(&columns.costs);
    free(columns.units);
    free(columns.pools);
    return status;
}

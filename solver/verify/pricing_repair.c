/* What is done where columns of instances do not price out.
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
#include "pricing_columns.h"

static const struct iso_repair nothing_to_repair = {.possible = true};

/* Most instances of an offering that the limits of the period allow; INFINITY without one. */
static long double cap_of(const struct iso_columns *columns, int32_t offering)
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
static void add_column(struct iso_repair *repair, long double cost, long double gain,
                       long double ratio, long double cap)
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

void iso_repair_note(struct iso_columns *columns, int32_t offering, long double cost,
                     long double service, long double ratio)
{
    long double floor = iso_bounded_high(iso_costs_floor(&columns->costs, offering));
    bool below = service > cost - floor;
    long double cap = below ? cap_of(columns, offering) : 0;

    add_column(&columns->cell, floor > 0 ? cost - floor * UP : cost, service, ratio, cap);
    add_column(&columns->all, cost, floor > 0 ? (service + floor) * UP : service,
               floor > 0 ? fmaxl(ratio, 1) : ratio, cap);
}

/* The right side of a row that asks for a share of the demand. */
static long double rule_side(const struct iso_workload *workload, iso_decimal share, int32_t t)
{
    if (iso_pricing_counts_whole(workload))
        return (long double)iso_pricing_whole(share, workload->demand[t]) / 1e9L;
    return (long double)workload->demand[t] / 1e18L * (long double)share;
}

/* By how much L falls at most when the multipliers of a workload in the period vanish. */
static long double service_value(const struct iso_columns *columns, int32_t a)
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

/* The same for the whole period and its minima of limits. */
static long double period_value(const struct iso_columns *columns)
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
static bool settle(const struct iso_columns *columns, const struct iso_repair *repair,
                   long double value)
{
    long double least = repair->by_caps;

    if (repair->possible)
        least = fminl(least, fminl(repair->a + repair->b, 1) * value * (1 + 1e-12L));
    if (!(least < INFINITY))
        return false;
    iso_pricing_add(columns->p, (struct iso_bounded){-least, 0});
    return true;
}

void iso_repair_begin(struct iso_columns *columns)
{
    columns->cell = columns->all = nothing_to_repair;
}

void iso_repair_end_cell(struct iso_columns *columns, const struct iso_repair *before,
                         const int32_t *workloads, int32_t n)
{
    long double value = 0;

    for (int32_t i = 0; i < n && columns->cell.any; i++)
        value += service_value(columns, workloads[i]);
    if (!columns->cell.any || settle(columns, &columns->cell, value)) {
        bool possible = columns->all.possible;
        columns->all = *before;
        columns->all.possible = possible;
    }
    columns->cell = nothing_to_repair;
}

void iso_repair_end_period(struct iso_columns *columns)
{
    if (columns->all.any && !settle(columns, &columns->all, period_value(columns)))
        columns->p->nothing = true;
}

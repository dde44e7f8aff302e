/* Traffic and dependencies: rows and columns of what goes where. With fl_kr what goes along the
 * route from source k to region r, for the traffic m of workload a in period t:
 *
 *   FLOW(a,m,t,k)      sum_r fl_kr + share_k u_at >= share_k D_at
 *   ARRIVAL(a,m,t,r)   sum_{in r} s_at - sum_k fl_kr >= 0
 *
 * and for a dependency of workload i on workload j, whose sources are the regions of i:
 *
 *   JOIN(i,m,t)        sum_kr fl_kr + u_it + D_it / D_jt u_jt >= D_it
 *   LEAVE(i,m,t,k)     sum_{in k} s_it - sum_r fl_kr >= 0
 *   ENTER(i,m,t,r)     D_it / D_jt sum_{in r} s_jt - sum_k fl_kr >= 0
 *
 * Shares of demand are rounded as they are in a plan, so where all is served the flows of a point
 * are those of its plan. Otherwise a plan may be short of these rows; a proof takes the sides that
 * iso_flow_row_side() gives. Routes beyond the latency cap have no column. A flow above share_k D
 * helps nobody, so that is its upper bound.
 */
#include <math.h>
#include <string.h>

#include "formulation.h"

static int32_t n_regions_of(const struct iso_traffic *traffic)
{
    return traffic->n_sources > 0 ? traffic->n_routes / traffic->n_sources : 0;
}

/* Rows of a period: JOIN, then one a source, then one a region. */
static int32_t n_rows_of(const struct iso_traffic *traffic)
{
    return (traffic->other >= 0) + traffic->n_sources + n_regions_of(traffic);
}

/* First row of traffic m in a period. */
static int32_t first_row(const struct iso_formulation *f, int32_t a, int32_t m, int32_t t)
{
    const struct iso_workload *workload = &f->problem->workloads[a];
    int32_t row = f->traffic_row[a];

    for (int32_t i = 0; i < m; i++)
        row += n_rows_of(&workload->traffic[i]) * f->problem->n_periods;
    return row + n_rows_of(&workload->traffic[m]) * t;
}

static int32_t source_row(const struct iso_formulation *f, int32_t a, int32_t m, int32_t t,
                          int32_t source)
{
    return first_row(f, a, m, t) + (f->problem->workloads[a].traffic[m].other >= 0) + source;
}

/* `place`: of the region among those of the routes. */
static int32_t region_row(const struct iso_formulation *f, int32_t a, int32_t m, int32_t t,
                          int32_t place)
{
    return source_row(f, a, m, t, f->problem->workloads[a].traffic[m].n_sources) + place;
}

static bool add(struct iso_formulation *f, int kind, int32_t a, int32_t m, int32_t t, int32_t d,
                double lower)
{
    return iso_mip_add_row(&f->mip, &(struct iso_mip_row){kind, a, m, t, d, lower, INFINITY}) >= 0;
}

static bool add_rows(struct iso_formulation *f, int32_t a, int32_t m, int32_t t)
{
    const struct iso_traffic *traffic = &f->problem->workloads[a].traffic[m];
    iso_decimal demand = iso_traffic_demand(f->problem, a, traffic, t);
    bool own = traffic->other < 0, ok = true;

    if (!own)
        ok &= add(f, ISO_ROW_JOIN, a, m, t, -1, iso_value(demand));
    for (int32_t k = 0; k < traffic->n_sources; k++)
        ok &= add(f, own ? ISO_ROW_FLOW : ISO_ROW_LEAVE, a, m, t, k,
                  own ? iso_value(iso_traffic_part(traffic, k, demand)) : 0);
    for (int32_t r = 0; r < n_regions_of(traffic); r++)
        ok &= add(f, own ? ISO_ROW_ARRIVAL : ISO_ROW_ENTER, a, m, t, traffic->routes[r].region, 0);
    return ok;
}

bool iso_formulation_traffic_rows(struct iso_formulation *f)
{
    const struct iso_problem *problem = f->problem;
    bool ok = true;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        f->traffic_row[a] = f->mip.n_rows;
        for (int32_t m = 0; m < problem->workloads[a].n_traffic; m++) {
            f->has_dependencies |= problem->workloads[a].traffic[m].other >= 0;
            for (int32_t t = 0; t < problem->n_periods; t++)
                ok &= add_rows(f, a, m, t);
        }
    }
    return ok;
}

double iso_flow_row_side(const struct iso_problem *problem, const struct iso_mip_row *row)
{
    const struct iso_workload *workload = &problem->workloads[row->a];
    const struct iso_traffic *traffic = &workload->traffic[row->b];
    iso_decimal demand = workload->demand[row->c];

    return row->kind == ISO_ROW_FLOW
               ? iso_value(traffic->sources[row->d].share) * iso_value(demand) - 1e-9
               : -iso_value(iso_traffic_slack(traffic, demand));
}

/* D_it / D_jt, or 0 where nothing moves. */
static double ratio_of(const struct iso_problem *problem, int32_t a,
                       const struct iso_traffic *traffic, int32_t t)
{
    iso_decimal demand = iso_traffic_demand(problem, a, traffic, t);

    return demand > 0 ? iso_value(demand) / iso_value(problem->workloads[traffic->other].demand[t])
                      : 0;
}

/* Adds to the ENTER (or, `unserved`, the JOIN) rows of dependencies on workload a. */
static bool add_as_other(struct iso_formulation *f, int32_t a, int32_t region, int32_t t,
                         double amount, bool unserved)
{
    const struct iso_problem *problem = f->problem;
    bool ok = true;

    for (int32_t i = 0; i < problem->n_workloads && f->has_dependencies; i++)
        for (int32_t m = 0; m < problem->workloads[i].n_traffic; m++) {
            const struct iso_traffic *traffic = &problem->workloads[i].traffic[m];
            double ratio = traffic->other == a ? ratio_of(problem, i, traffic, t) : 0;
            if (unserved)
                ok &=
                    ratio == 0 || iso_mip_add_entry(&f->mip, first_row(f, i, m, t), ratio * amount);
            for (int32_t r = 0; r < n_regions_of(traffic) && !unserved && ratio > 0; r++)
                if (traffic->routes[r].region == region)
                    ok &= iso_mip_add_entry(&f->mip, region_row(f, i, m, t, r), ratio * amount);
        }
    return ok;
}

bool iso_formulation_traffic_entries(struct iso_formulation *f, int32_t a, int32_t offering,
                                     int32_t period, double amount)
{
    const struct iso_workload *workload = &f->problem->workloads[a];
    int32_t region = f->problem->offerings[offering].region;
    bool ok = true;

    for (int32_t m = 0; m < workload->n_traffic; m++) {
        const struct iso_traffic *traffic = &workload->traffic[m];
        for (int32_t k = 0; k < traffic->n_sources && traffic->other >= 0; k++)
            if (traffic->sources[k].place == region)
                ok &= iso_mip_add_entry(&f->mip, source_row(f, a, m, period, k), amount);
        for (int32_t r = 0; r < n_regions_of(traffic) && traffic->other < 0; r++)
            if (traffic->routes[r].region == region)
                ok &= iso_mip_add_entry(&f->mip, region_row(f, a, m, period, r), amount);
    }
    return ok && add_as_other(f, a, region, period, amount, false);
}

bool iso_formulation_traffic_unserved(struct iso_formulation *f, int32_t a, int32_t period)
{
    const struct iso_workload *workload = &f->problem->workloads[a];
    bool ok = true;

    for (int32_t m = 0; m < workload->n_traffic; m++) {
        const struct iso_traffic *traffic = &workload->traffic[m];
        if (traffic->other >= 0)
            ok &= iso_mip_add_entry(&f->mip, first_row(f, a, m, period), 1);
        for (int32_t k = 0; k < traffic->n_sources && traffic->other < 0; k++)
            ok &= iso_mip_add_entry(&f->mip, source_row(f, a, m, period, k),
                                    iso_value(traffic->sources[k].share));
    }
    return ok && add_as_other(f, a, -1, period, 1, true);
}

double iso_flow_money(const struct iso_problem *problem, const struct iso_budget *budget,
                      int32_t currency, int32_t workload, int32_t m, int32_t route, int32_t period)
{
    const struct iso_traffic *traffic = &problem->workloads[workload].traffic[m];
    const struct iso_route *along = &traffic->routes[route];
    double sum = 0;

    for (int d = 0; d < ISO_N_DIRECTIONS; d++) {
        if (traffic->gb[d] == 0 || along->price[d] == 0 ||
            (budget && !iso_budget_counts_flow(problem, budget, workload, traffic, along,
                                               (enum iso_direction)d)))
            continue;
        sum += iso_value(problem->periods[period].hours) * iso_value(traffic->gb[d]) *
               iso_value(along->price[d]) *
               iso_value(iso_problem_rate(problem, along->currency[d], currency, period));
    }
    return sum;
}

static bool add_spend(struct iso_formulation *f, const struct iso_mip_column *flow)
{
    const struct iso_problem *problem = f->problem;
    bool ok = true;

    for (int32_t b = 0; b < problem->n_budgets; b++)
        for (int32_t w = 0; w < problem->budgets[b].n_windows; w++) {
            const struct iso_budget *budget = &problem->budgets[b];
            if (budget->windows[w].periods[flow->c])
                ok &= iso_mip_add_entry(&f->mip, f->budget_row[b] + w,
                                        iso_flow_money(problem, budget, budget->windows[w].currency,
                                                       flow->a, flow->b, flow->d, flow->c));
        }
    return ok;
}

static bool add_flow(struct iso_formulation *f, int32_t a, int32_t m, int32_t t, int32_t route)
{
    const struct iso_traffic *traffic = &f->problem->workloads[a].traffic[m];
    int32_t source = traffic->routes[route].source, n = n_regions_of(traffic);
    double demand = iso_value(iso_traffic_demand(f->problem, a, traffic, t));
    double share = traffic->other < 0 ? iso_value(traffic->sources[source].share) : 1;
    struct iso_mip_column column = {.kind = ISO_COLUMN_FLOW,
                                    .a = a,
                                    .b = m,
                                    .c = t,
                                    .d = route,
                                    .upper = share * demand + 2e-9};
    struct iso_mip *mip = &f->mip;

    if (demand <= 0 || !iso_route_is_open(traffic, &traffic->routes[route]))
        return true;
    return iso_mip_add_column(mip, &column) >= 0 &&
           (traffic->other < 0 || iso_mip_add_entry(mip, first_row(f, a, m, t), 1)) &&
           iso_mip_add_entry(mip, source_row(f, a, m, t, source), traffic->other < 0 ? 1 : -1) &&
           iso_mip_add_entry(mip, region_row(f, a, m, t, route % n), -1) && add_spend(f, &column);
}

bool iso_formulation_traffic_columns(struct iso_formulation *f)
{
    const struct iso_problem *problem = f->problem;
    bool ok = true;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t m = 0; m < problem->workloads[a].n_traffic; m++)
            for (int32_t t = 0; t < problem->n_periods; t++)
                for (int32_t i = 0; i < problem->workloads[a].traffic[m].n_routes; i++)
                    ok &= add_flow(f, a, m, t, i);
    return ok;
}

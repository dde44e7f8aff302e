/* Columns of flows, and the right sides of FLOW and ARRIVAL rows:
 *
 *   fl_kr   rc = h_t sum over directions GB price w(sender) - lambda_FLOW(k) + lambda_ARRIVAL(r)
 *
 * with w(sender) the weight of money in the objective and in the budgets that count what that place
 * sends; at most share_k D + 1e-9. Only a source with a multiplier can make rc negative. Rows of
 * dependencies have no multipliers: without them a plan costs no more.
 *
 * FLOW has the side share_k D - 1e-9: parts are rounded down, one after the other; ARRIVAL what a
 * region may take more than it serves, see traffic.c. */
#include "pricing.h"

/* The weight of one GB that goes along a route in a direction, times its price. */
static struct iso_bounded price_of(const struct iso_pricing *p, int32_t a,
                                   const struct iso_traffic *traffic, const struct iso_route *route,
                                   int direction, int32_t t)
{
    const struct iso_problem *problem = p->v->problem;
    int32_t sender = direction == 0 ? traffic->sources[route->source].place : route->region;
    int32_t currency = route->currency[direction];
    struct iso_bounded sum =
        iso_bounded_scale(iso_problem_rate(problem, currency, problem->base_currency, t),
                          iso_bounded_exact(p->money));

    for (int32_t b = 0; b < problem->n_budgets; b++) {
        const struct iso_budget *budget = &problem->budgets[b];
        if (!budget->places || !budget->places[sender] ||
            !budget->cells[iso_problem_cell(problem, a)])
            continue;
        for (int32_t w = 0; w < budget->n_windows; w++) {
            double lambda = p->budget[p->v->first_window[b] + w];
            if (lambda == 0 || !budget->windows[w].periods[t])
                continue;
            iso_decimal rate = iso_problem_rate(problem, currency, budget->windows[w].currency, t);
            sum = iso_bounded_add(sum, iso_bounded_scale(rate, iso_bounded_exact(-lambda)));
        }
    }
    return iso_bounded_scale(route->price[direction], sum);
}

static struct iso_bounded cost_of(const struct iso_pricing *p, int32_t a,
                                  const struct iso_traffic *traffic, const struct iso_route *route,
                                  int32_t t)
{
    struct iso_bounded sum = {0, 0};

    for (int direction = 0; direction < 2; direction++)
        if (traffic->gb[direction] > 0 && route->price[direction] > 0)
            sum = iso_bounded_add(sum,
                                  iso_bounded_scale(traffic->gb[direction],
                                                    price_of(p, a, traffic, route, direction, t)));
    return iso_bounded_scale(p->v->problem->periods[t].hours, sum);
}

static double arrival_of(struct iso_row_range rows, int32_t region)
{
    for (int32_t i = 0; i < rows.n; i++)
        if (rows.rows[i].d == region)
            return rows.rows[i].value;
    return 0;
}

/* What a source sends at most: a decimal. */
static iso_decimal most_of(const struct iso_pricing *p, const struct iso_dual *flow)
{
    const struct iso_workload *workload = &p->v->problem->workloads[flow->a];
    iso_wide part = (iso_wide)workload->demand[flow->c] *
                    workload->traffic[flow->b].sources[flow->d].share / ISO_DECIMAL_ONE;

    return (iso_decimal)part + 1;
}

static void price_source(struct iso_pricing *p, const struct iso_dual *flow)
{
    const struct iso_traffic *traffic = &p->v->problem->workloads[flow->a].traffic[flow->b];
    struct iso_row_range arrivals = iso_pricing_rows(p, ISO_ROW_ARRIVAL, flow->a, flow->b, flow->c);

    for (int32_t i = 0; i < traffic->n_routes; i++) {
        const struct iso_route *route = &traffic->routes[i];
        if (route->source != flow->d ||
            (traffic->maximum_latency != ISO_UNKNOWN && route->latency > traffic->maximum_latency))
            continue;
        struct iso_bounded rc = iso_bounded_subtract(cost_of(p, flow->a, traffic, route, flow->c),
                                                     iso_bounded_exact(flow->value));
        rc = iso_bounded_add(rc, iso_bounded_exact(arrival_of(arrivals, route->region)));
        iso_pricing_add_column(p, rc, most_of(p, flow));
    }
}

void iso_pricing_flows(struct iso_pricing *p)
{
    for (int32_t i = 0; i < p->kinds[ISO_ROW_FLOW].n; i++)
        price_source(p, &p->kinds[ISO_ROW_FLOW].rows[i]);
}

struct iso_bounded iso_pricing_flow_rows(struct iso_pricing *p, int32_t a, int32_t t)
{
    const struct iso_workload *workload = &p->v->problem->workloads[a];
    struct iso_bounded worth = {0, 0};

    for (int32_t m = 0; m < workload->n_traffic; m++) {
        struct iso_row_range rows = iso_pricing_rows(p, ISO_ROW_FLOW, a, m, t);
        struct iso_row_range arrivals = iso_pricing_rows(p, ISO_ROW_ARRIVAL, a, m, t);
        iso_decimal slack =
            (workload->demand[t] / ISO_DECIMAL_ONE + 2) * workload->traffic[m].n_sources;
        for (int32_t i = 0; i < arrivals.n; i++)
            iso_pricing_add(p,
                            iso_bounded_scale(-slack, iso_bounded_exact(arrivals.rows[i].value)));
        for (int32_t i = 0; i < rows.n; i++) {
            struct iso_bounded lambda = iso_bounded_exact(rows.rows[i].value);
            struct iso_bounded part =
                iso_bounded_scale(workload->traffic[m].sources[rows.rows[i].d].share, lambda);
            iso_pricing_add(p, iso_bounded_scale(workload->demand[t], part));
            iso_pricing_add(p, iso_bounded_scale(-1, lambda));
            worth = iso_bounded_add(worth, part);
        }
    }
    return worth;
}

long double iso_pricing_flow_value(const struct iso_pricing *p, int32_t a, int32_t t)
{
    const struct iso_workload *workload = &p->v->problem->workloads[a];
    long double sum = 0;

    for (int32_t m = 0; m < workload->n_traffic; m++) {
        struct iso_row_range rows = iso_pricing_rows(p, ISO_ROW_FLOW, a, m, t);
        for (int32_t i = 0; i < rows.n; i++)
            sum += rows.rows[i].value * ((long double)workload->demand[t] / 1e18L) *
                   (long double)workload->traffic[m].sources[rows.rows[i].d].share;
    }
    return sum;
}

/* Places, routes and what moves along them; see struct iso_traffic. */
#include "isocost/plan.h"
#include "isocost/problem.h"

int32_t iso_problem_n_places(const struct iso_problem *problem)
{
    return problem->n_regions + problem->n_sites;
}

const char *iso_problem_place_name(const struct iso_problem *problem, int32_t place)
{
    return place < problem->n_regions ? problem->region_names[place]
                                      : problem->site_names[place - problem->n_regions];
}

bool iso_route_is_open(const struct iso_traffic *traffic, const struct iso_route *route)
{
    return traffic->maximum_latency == ISO_UNKNOWN || route->latency <= traffic->maximum_latency;
}

int32_t iso_route_sender(const struct iso_traffic *traffic, const struct iso_route *route,
                         enum iso_direction direction)
{
    return direction == ISO_FORTH ? traffic->sources[route->source].place : route->region;
}

bool iso_budget_counts_flow(const struct iso_problem *problem, const struct iso_budget *budget,
                            int32_t workload, const struct iso_traffic *traffic,
                            const struct iso_route *route, enum iso_direction direction)
{
    return budget->places && budget->cells[iso_problem_cell(problem, workload)] &&
           budget->places[iso_route_sender(traffic, route, direction)];
}

static iso_decimal share_of(iso_decimal amount, iso_wide share)
{
    return (iso_decimal)(amount * share / ISO_DECIMAL_ONE);
}

iso_decimal iso_traffic_part(const struct iso_traffic *traffic, int32_t source, iso_decimal amount)
{
    iso_wide before = 0;

    for (int32_t k = 0; k < source; k++)
        before += traffic->sources[k].share;
    return share_of(amount, before + traffic->sources[source].share) - share_of(amount, before);
}

iso_decimal iso_traffic_slack(const struct iso_traffic *traffic, iso_decimal demand)
{
    return traffic->n_sources * (demand / ISO_DECIMAL_ONE + 2);
}

iso_decimal iso_traffic_demand(const struct iso_problem *problem, int32_t workload,
                               const struct iso_traffic *traffic, int32_t period)
{
    if (traffic->other == workload ||
        (traffic->other >= 0 && problem->workloads[traffic->other].demand[period] == 0))
        return 0;
    return problem->workloads[workload].demand[period];
}

bool iso_traffic_gb(const struct iso_problem *problem, const struct iso_traffic *traffic,
                    enum iso_direction direction, int32_t period, iso_decimal amount,
                    iso_decimal *ret_gb)
{
    return iso_decimal_product(
        (const iso_decimal[]){traffic->gb[direction], amount, problem->periods[period].hours}, 3,
        ret_gb);
}

/* The flow of an EGRESS line, and the direction of its data. */
static const struct iso_flow *flow_of(const struct iso_plan *plan, const struct iso_line *line,
                                      enum iso_direction *ret_direction)
{
    *ret_direction = (enum iso_direction)(line->start % ISO_N_DIRECTIONS);
    return &plan->flows[line->start / ISO_N_DIRECTIONS];
}

bool iso_plan_budget_counts_line(const struct iso_problem *problem, const struct iso_plan *plan,
                                 const struct iso_budget *budget, const struct iso_line *line)
{
    enum iso_direction direction;
    const struct iso_flow *flow = flow_of(plan, line, &direction);
    const struct iso_traffic *traffic = &problem->workloads[flow->workload].traffic[flow->traffic];

    return iso_budget_counts_flow(problem, budget, flow->workload, traffic,
                                  &traffic->routes[flow->route], direction);
}

void iso_plan_egress_places(const struct iso_problem *problem, const struct iso_plan *plan,
                            const struct iso_line *line, int32_t *ret_from, int32_t *ret_to)
{
    enum iso_direction direction;
    const struct iso_flow *flow = flow_of(plan, line, &direction);
    const struct iso_traffic *traffic = &problem->workloads[flow->workload].traffic[flow->traffic];
    const struct iso_route *route = &traffic->routes[flow->route];
    int32_t source = traffic->sources[route->source].place;

    *ret_from = direction == ISO_FORTH ? source : route->region;
    *ret_to = direction == ISO_FORTH ? route->region : source;
}

/* Lines and spend of data that moves; see ledger.c. */
#include "ledger_sums.h"

bool iso_ledger_egress(const struct iso_problem *problem, const struct iso_flow *flow,
                       enum iso_direction direction, struct iso_line *ret_line)
{
    const struct iso_traffic *traffic = &problem->workloads[flow->workload].traffic[flow->traffic];
    const struct iso_route *route = &traffic->routes[flow->route];
    int32_t currency = route->currency[direction];

    *ret_line = (struct iso_line){
        .kind = ISO_LINE_EGRESS,
        .period = flow->period,
        .cell = iso_problem_cell(problem, flow->workload),
        .offering = -1,
        .product = -1,
        .start = -1,
        .n_periods = 1,
        .unit_price = route->price[direction],
        .currency = currency,
        .rate = iso_problem_rate(problem, currency, problem->base_currency, flow->period)};
    return iso_traffic_gb(problem, traffic, direction, flow->period, flow->amount,
                          &ret_line->quantity) &&
           iso_decimal_product(
               (const iso_decimal[]){ret_line->quantity, ret_line->unit_price, ret_line->rate}, 3,
               &ret_line->cost);
}

bool iso_ledger_egress_spend(const struct iso_ledger *ledger, const struct iso_budget *budget,
                             const struct iso_window *window, iso_wide *io_spend)
{
    const struct iso_problem *problem = ledger->problem;

    for (int32_t i = 0; i < ledger->plan->n_flows * ISO_N_DIRECTIONS; i++) {
        const struct iso_flow *flow = &ledger->plan->flows[i / ISO_N_DIRECTIONS];
        enum iso_direction direction = (enum iso_direction)(i % ISO_N_DIRECTIONS);
        const struct iso_traffic *traffic =
            &problem->workloads[flow->workload].traffic[flow->traffic];
        struct iso_line line;
        iso_decimal term;
        if (!window->periods[flow->period] ||
            !iso_budget_counts_flow(problem, budget, flow->workload, traffic,
                                    &traffic->routes[flow->route], direction))
            continue;
        if (!iso_ledger_egress(problem, flow, direction, &line) ||
            !iso_decimal_product(
                (const iso_decimal[]){
                    line.quantity, line.unit_price,
                    iso_problem_rate(problem, line.currency, window->currency, flow->period)},
                3, &term))
            return false;
        *io_spend += term;
    }
    return true;
}

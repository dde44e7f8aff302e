/* What a plan costs in each scenario, and the charge for its tail. */
#include "ledger_sums.h"

/* Of the worst 1 - beta of the probability, the costs: scenarios from the dearest on, the last of
 * them in part. Costs are already times their probabilities. False when out of range. */
static bool tail_cost(const struct iso_problem *problem, const struct iso_bill *bills,
                      iso_wide *ret_cost)
{
    iso_decimal left = ISO_DECIMAL_ONE - problem->tail_level;
    iso_wide last_cost = 0, cost = 0;
    int32_t last = -1;

    while (left > 0) {
        int32_t dearest = -1;
        iso_wide most = 0;
        for (int32_t s = 0; s < problem->n_scenarios; s++) {
            iso_wide its = (iso_wide)bills[s].cost + bills[s].penalties;
            iso_decimal p = problem->scenarios[s].probability;
            iso_wide by_last = last < 0 ? 0 : its * problem->scenarios[last].probability;
            bool counted =
                last >= 0 && (by_last > last_cost * p || (by_last == last_cost * p && s <= last));
            if (counted ||
                (dearest >= 0 && its * problem->scenarios[dearest].probability <= most * p))
                continue;
            dearest = s;
            most = its;
        }
        iso_decimal p = problem->scenarios[dearest].probability;
        if (p > left)
            most = iso_wide_divide(most * left, p, ISO_ROUND_HALF_EVEN);
        cost += most;
        last_cost = (iso_wide)bills[dearest].cost + bills[dearest].penalties;
        last = dearest;
        left = p > left ? 0 : left - p;
    }
    *ret_cost = cost;
    return cost <= ISO_DECIMAL_MAX;
}

bool iso_ledger_risk(const struct iso_problem *problem, const struct iso_bill *bills,
                     iso_decimal *ret_risk)
{
    iso_decimal beyond = ISO_DECIMAL_ONE - problem->tail_level;
    iso_wide mean = 0, tail;

    *ret_risk = 0;
    if (!iso_tail_counts(problem))
        return true;
    for (int32_t s = 0; s < problem->n_scenarios; s++)
        mean += (iso_wide)bills[s].cost + bills[s].penalties;
    if (mean > ISO_DECIMAL_MAX || !tail_cost(problem, bills, &tail))
        return false;
    iso_wide excess = tail * ISO_DECIMAL_ONE - mean * beyond;
    if (excess <= 0)
        return true;
    return iso_wide_to_decimal(iso_wide_divide(excess * problem->tail_weight,
                                               (iso_wide)beyond * ISO_DECIMAL_ONE,
                                               ISO_ROUND_HALF_EVEN),
                               ret_risk);
}

bool iso_ledger_scenarios(const struct iso_ledger *ledger, const iso_wide *penalties,
                          struct iso_bill *ret_bills)
{
    const struct iso_problem *problem = ledger->problem;
    iso_wide upfront = 0, all = 0, sum = 0;

    for (int32_t i = 0; i < ledger->n_lines; i++) {
        const struct iso_line *line = &ledger->lines[i];
        all += line->cost;
        if (line->kind == ISO_LINE_UPFRONT)
            upfront += line->cost;
    }
    for (int32_t s = 0; s < problem->n_scenarios; s++) {
        iso_wide cost = iso_wide_divide(upfront * problem->scenarios[s].probability,
                                        ISO_DECIMAL_ONE, ISO_ROUND_HALF_EVEN);
        for (int32_t i = 0; i < ledger->n_lines; i++)
            if (ledger->lines[i].kind != ISO_LINE_UPFRONT &&
                iso_problem_scenario(problem, ledger->lines[i].period) == s)
                cost += ledger->lines[i].cost;
        if (s == problem->n_scenarios - 1) /* rounding adds nothing to the sum */
            cost = all - sum;
        sum += cost;
        if (!iso_wide_to_decimal(cost, &ret_bills[s].cost) ||
            !iso_wide_to_decimal(penalties[s], &ret_bills[s].penalties))
            return false;
    }
    return true;
}

/* What each scenario costs and the charge for the tail.
 *
 * bills[s].cost      = lines in the periods of s + probability_s * all UPFRONT lines, rounded once;
 *                      the last scenario has what the others leave of the plan's cost
 * bills[s].penalties = penalties in the periods of s; of a budget, in windows of s
 * risk               = tail_weight * (tail / (1 - tail_level) - sum of all), rounded once, at least
 * 0
 *
 * where tail is what the dearest scenarios cost whose probabilities add up to 1 - tail_level, the
 * last of them in part, which is rounded once. */
#include "verifier.h"

static enum iso_status check_bills(const struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;
    iso_wide upfront = 0, rest = v->plan->cost;

    if (v->plan->n_bills != problem->n_scenarios)
        return iso_verify_fail(v, "bills", -1, "", "has %d elements; there are %d scenarios",
                               v->plan->n_bills, problem->n_scenarios);
    for (int32_t i = 0; i < v->plan->n_lines; i++)
        upfront += v->plan->lines[i].kind == ISO_LINE_UPFRONT ? v->plan->lines[i].cost : 0;
    for (int32_t s = 0; s < problem->n_scenarios; s++) {
        const struct iso_bill *bill = &v->plan->bills[s];
        iso_wide cost = iso_wide_divide(upfront * problem->scenarios[s].probability,
                                        ISO_DECIMAL_ONE, ISO_ROUND_HALF_EVEN);
        for (int32_t i = 0; i < v->plan->n_lines; i++) {
            const struct iso_line *line = &v->plan->lines[i];
            if (line->kind != ISO_LINE_UPFRONT && iso_problem_scenario(problem, line->period) == s)
                cost += line->cost;
        }
        if (s == problem->n_scenarios - 1)
            cost = rest;
        rest -= cost;
        if (bill->cost != cost)
            return iso_verify_fail(v, "bills", s, "cost", "is %.9f; its lines make it %.9f",
                                   (double)bill->cost / 1e9, (double)cost / 1e9);
        if (bill->penalties != v->penalties[s])
            return iso_verify_fail(v, "bills", s, "penalties", "is %.9f; the plan makes it %.9f",
                                   (double)bill->penalties / 1e9, (double)v->penalties[s] / 1e9);
    }
    return ISO_OK;
}

static iso_wide cost_of(const struct iso_verifier *v, int32_t s)
{
    return (iso_wide)v->plan->bills[s].cost + v->plan->bills[s].penalties;
}

/* Whether scenario s costs more than another, or as much and comes before it. */
static bool is_dearer(const struct iso_verifier *v, int32_t s, int32_t other)
{
    iso_wide left = cost_of(v, s) * v->problem->scenarios[other].probability;
    iso_wide right = cost_of(v, other) * v->problem->scenarios[s].probability;

    return left > right || (left == right && s < other);
}

/* The part of a scenario's probability that is in the tail: what dearer ones leave of it. */
static iso_decimal in_tail(const struct iso_verifier *v, int32_t s)
{
    iso_decimal left = ISO_DECIMAL_ONE - v->problem->tail_level;

    for (int32_t other = 0; other < v->problem->n_scenarios; other++)
        if (other != s && is_dearer(v, other, s))
            left -= v->problem->scenarios[other].probability;
    if (left > v->problem->scenarios[s].probability)
        return v->problem->scenarios[s].probability;
    return left > 0 ? left : 0;
}

enum iso_status iso_verify_scenarios(const struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;
    iso_wide beyond = ISO_DECIMAL_ONE - problem->tail_level, tail = 0, mean = 0, risk = 0;

    ISO_TRY(check_bills(v));
    for (int32_t s = 0; s < problem->n_scenarios; s++) {
        mean += cost_of(v, s);
        tail += iso_wide_divide(cost_of(v, s) * in_tail(v, s), problem->scenarios[s].probability,
                                ISO_ROUND_HALF_EVEN);
    }
    if (tail > ISO_DECIMAL_MAX || mean > ISO_DECIMAL_MAX)
        return iso_verify_fail(v, "bills", -1, "", "leave the range of a decimal");
    if (problem->tail_weight > 0 && problem->n_scenarios > 1 &&
        tail * ISO_DECIMAL_ONE > mean * beyond)
        risk = iso_wide_divide((tail * ISO_DECIMAL_ONE - mean * beyond) * problem->tail_weight,
                               beyond * ISO_DECIMAL_ONE, ISO_ROUND_HALF_EVEN);
    if (v->plan->risk != risk)
        return iso_verify_fail(v, "risk", -1, "", "is %.9f; the scenarios make it %.9f",
                               (double)v->plan->risk / 1e9, (double)risk / 1e9);
    return ISO_OK;
}

/* What is paid beside the bill for rules that are broken:
 *
 *   penalties = sum price * violation * h_t (SOFT limits) + sum price * violation (SOFT budgets)
 *             + sum penalty * h_t * u, as far as it counts (workloads with a penalty)
 *
 * each term rounded once. */
#include "verifier.h"

static bool add_penalty(iso_wide *sum, iso_wide amount, iso_decimal price, iso_decimal hours)
{
    iso_decimal narrow, term;

    if (!iso_wide_to_decimal(amount, &narrow) ||
        !iso_decimal_product((iso_decimal[]){narrow, price, hours}, 3, &term))
        return false;
    *sum += term;
    return true;
}

enum iso_status iso_verify_penalties(struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;
    iso_wide sum = 0;
    bool in_range = true;

    for (int32_t t = 0; t < problem->n_periods; t++) {
        iso_decimal hours = problem->periods[t].hours;
        iso_wide *own = &v->penalties[iso_problem_scenario(problem, t)];
        for (int32_t l = 0; l < problem->n_limits; l++)
            if (problem->limits[l].policy == ISO_POLICY_SOFT)
                in_range &= add_penalty(own, v->limit_violations[iso_verify_at(v, l, t)],
                                        problem->limits[l].price, hours);
        for (int32_t a = 0; a < problem->n_workloads; a++)
            if (problem->workloads[a].service == ISO_SERVICE_PENALTY)
                in_range &= add_penalty(own, v->counted[iso_verify_at(v, a, t)],
                                        problem->workloads[a].penalty, hours);
    }
    for (int32_t b = 0; b < problem->n_budgets; b++)
        for (int32_t w = v->first_window[b]; w < v->first_window[b + 1]; w++)
            if (problem->budgets[b].policy == ISO_POLICY_SOFT)
                in_range &= add_penalty(
                    &v->penalties[iso_window_scenario(
                        problem, &problem->budgets[b].windows[w - v->first_window[b]])],
                    v->budget_violations[w], problem->budgets[b].price, ISO_DECIMAL_ONE);
    for (int32_t s = 0; s <= problem->n_scenarios; s++)
        sum += v->penalties[s];
    if (!in_range || sum != v->plan->penalties)
        return iso_verify_fail(v, "penalties", -1, "", "is %.9f; the plan makes it %.9f",
                               (double)v->plan->penalties / 1e9, (double)sum / 1e9);
    return ISO_OK;
}

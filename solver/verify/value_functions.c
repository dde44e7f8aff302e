/* Value functions: for a throughput workload with options (price p_o in base currency, served s_o),
 * a step d and values G(0) = 0 <= G(1) <= ..., suppose for every option o and every q
 *
 *     G(q) <= p_o + G(max(0, q - ceil(s_o / d))).
 *
 * Then x instances that serve at least R cost at least G(ceil(R / d)) an hour: take the instances
 * away one by one; each lowers the demand that is left by s_o, so its number of steps, rounded up,
 * by at most ceil(s_o / d), and G by at most p_o; and at the end nothing is left. Rules only forbid
 * plans, so the bound holds with any rules; it needs a workload that must be served (or whose tier
 * is frozen at nothing unserved) and that no product covers. */
#include "verifier.h"

#include <math.h>

/* Cheapest option of each number of steps, in units of 1e-18 of base currency; 0 = none. */
static void cheapest_by_steps(const struct iso_problem *problem,
                              const struct iso_value_function *function, iso_wide *cheapest)
{
    const struct iso_workload *workload = &problem->workloads[function->workload];

    for (int32_t i = 0; i < workload->n_options; i++) {
        const struct iso_option *option = &workload->options[i];
        int32_t o = option->offering, t = function->period;
        iso_wide steps = iso_wide_divide(option->served, function->step, ISO_ROUND_UP);
        iso_wide price =
            (iso_wide)iso_problem_price(problem, o, t) *
            iso_problem_rate(problem, problem->offerings[o].currency, problem->base_currency, t);
        int32_t most = function->n_values - 1;
        iso_wide *slot = &cheapest[steps < most ? (int32_t)steps : most];
        if (*slot == 0 || price < *slot)
            *slot = price;
    }
}

/* Each value is the least that the options allow, rounded down to 1e-9: lower ones would prove a
 * bound as well, but are not the cheapest cover that they claim to be. */
static enum iso_status check_values(struct iso_verifier *v, int32_t i, const iso_wide *cheapest)
{
    const struct iso_value_function *function = &v->plan->value_functions[i];
    int32_t n_used = 0;
    ISO_AUTO_MEM int32_t *used = iso_calloc((size_t)function->n_values, sizeof(*used));

    if (!used)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory for a value function");
    for (int32_t k = 1; k < function->n_values; k++)
        if (cheapest[k] > 0)
            used[n_used++] = k;
    for (int32_t q = 0; q < function->n_values; q++) {
        iso_wide least = 0;
        for (int32_t k = 0; k < n_used; k++) {
            int32_t rest = q > used[k] ? q - used[k] : 0;
            iso_wide sum = cheapest[used[k]] + (iso_wide)function->values[rest] * ISO_DECIMAL_ONE;
            if (k == 0 || sum < least)
                least = sum;
        }
        iso_wide value = (iso_wide)function->values[q] * ISO_DECIMAL_ONE;
        v->verdict.columns_priced += n_used;
        if (q == 0 ? value != 0
                   : value > least || value + ISO_DECIMAL_ONE <= least ||
                         function->values[q] < function->values[q - 1])
            return iso_verify_fail(
                v, "value_functions", i, "values", "value %d is %.9f; the options make it %.9f", q,
                iso_decimal_to_double(function->values[q]), (double)least / 1e18);
    }
    return ISO_OK;
}

/* Whether nothing but price times instances decides what the workload costs. */
static bool holds_for(const struct iso_verifier *v, int32_t a)
{
    const struct iso_problem *problem = v->problem;
    const struct iso_workload *workload = &problem->workloads[a];
    bool served = workload->service == ISO_SERVICE_MUST;

    for (int32_t c = 0; c < problem->n_products; c++)
        if (problem->products[c].cells[a] && problem->products[c].n_eligible > 0)
            return false;
    for (int32_t i = 0; i < v->plan->n_tiers; i++)
        if (workload->service == ISO_SERVICE_PRIORITY &&
            v->plan->tiers[i].kind == ISO_TIER_UNSERVED &&
            v->plan->tiers[i].priority == workload->priority)
            served = v->plan->tiers[i].frozen == 0;
    return served && !workload->replicas;
}

static enum iso_status check_function(struct iso_verifier *v, int32_t i, uint8_t *seen,
                                      long double *sum)
{
    const struct iso_problem *problem = v->problem;
    const struct iso_value_function *function = &v->plan->value_functions[i];

    if (function->workload < 0 || function->workload >= problem->n_workloads ||
        function->period < 0 || function->period >= problem->n_periods)
        return iso_verify_fail(v, "value_functions", i, "",
                               "is of a workload or period out of range");
    if (seen[iso_verify_at(v, function->workload, function->period)]++)
        return iso_verify_fail(v, "value_functions", i, "", "is there twice");
    const struct iso_workload *workload = &problem->workloads[function->workload];
    if (!holds_for(v, function->workload))
        return iso_verify_fail(v, "value_functions", i, "workload",
                               "%s is covered by products, or need not be served", workload->id);
    if (function->step <= 0 || function->n_values < 1 || !function->values)
        return iso_verify_fail(v, "value_functions", i, "step", "must be above 0, with values");
    iso_wide steps =
        iso_wide_divide(workload->required[function->period], function->step, ISO_ROUND_UP);
    if (steps > function->n_values - 1)
        return iso_verify_fail(v, "value_functions", i, "n_values",
                               "is %d; the %lld steps of the demand need one more",
                               function->n_values, (long long)steps);
    ISO_AUTO_MEM iso_wide *cheapest = iso_calloc((size_t)function->n_values, sizeof(*cheapest));
    if (!cheapest)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory for a value function");
    cheapest_by_steps(problem, function, cheapest);
    ISO_TRY(check_values(v, i, cheapest));
    *sum += (long double)problem->periods[function->period].hours / 1e9L *
            (long double)function->values[steps] / 1e9L;
    return ISO_OK;
}

enum iso_status iso_verify_value_functions(struct iso_verifier *v, double *ret_bound)
{
    size_t n = (size_t)v->problem->n_workloads * (size_t)v->problem->n_periods;
    ISO_AUTO_MEM uint8_t *seen = iso_calloc(n, 1);
    long double sum = 0;

    if (!seen)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory for value functions");
    for (int32_t i = 0; i < v->plan->n_value_functions; i++)
        ISO_TRY(check_function(v, i, seen, &sum));
    *ret_bound = (double)sum;
    return ISO_OK;
}

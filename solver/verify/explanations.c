/* Explanations are estimates and other solves' results; the verifier checks that what they name
 * exists, so that a reader of the plan cannot be led out of an array. */
#include "verifier.h"

static bool below(int32_t index, int32_t n)
{
    return index >= 0 && index < n;
}

static bool rule_exists(const struct iso_problem *problem, const struct iso_rule *rule)
{
    bool of_workload = below(rule->a, problem->n_workloads);

    switch (rule->kind) {
    case ISO_RULE_DEMAND:
        return of_workload && rule->b >= -1 && rule->b < problem->n_periods;
    case ISO_RULE_ALLOWED:
        return of_workload;
    case ISO_RULE_LIMIT:
        return below(rule->a, problem->n_limits);
    case ISO_RULE_BUDGET:
        return below(rule->a, problem->n_budgets);
    case ISO_RULE_SHARE:
        return of_workload && below(rule->b, problem->workloads[rule->a].n_shares);
    case ISO_RULE_SURVIVE:
        return of_workload && below(rule->b, problem->workloads[rule->a].n_survive);
    case ISO_RULE_SPREAD:
        return of_workload && below(rule->b, problem->workloads[rule->a].n_spread);
    case ISO_RULE_AFFINITY:
        return of_workload && below(rule->b, problem->workloads[rule->a].n_affinities);
    case ISO_RULE_RAMP:
        return of_workload && problem->workloads[rule->a].ramp;
    case ISO_RULE_LATENCY:
        return of_workload && below(rule->b, problem->workloads[rule->a].n_traffic);
    case ISO_RULE_BOX:
        return of_workload && problem->workloads[rule->a].box;
    case ISO_RULE_MOVES:
        return problem->moves.present;
    }
    return false;
}

static enum iso_status check_rule(const struct iso_verifier *v, const char *array, int32_t i,
                                  const struct iso_rule *rule)
{
    if (rule_exists(v->problem, rule))
        return ISO_OK;
    return iso_verify_fail(v, array, i, "rule", "%d (%d, %d) does not exist", (int)rule->kind,
                           rule->a, rule->b);
}

static enum iso_status check_components(const struct iso_verifier *v)
{
    ISO_AUTO_MEM uint8_t *seen = iso_calloc((size_t)v->problem->n_workloads, 1);

    if (!seen)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory to verify a plan");
    for (int32_t i = 0; i < v->plan->n_components; i++) {
        const struct iso_component *component = &v->plan->components[i];
        for (int32_t k = 0; k < component->n_workloads; k++) {
            int32_t a = component->workloads[k];
            if (!below(a, v->problem->n_workloads) || seen[a]++)
                return iso_verify_fail(v, "components", i, "workloads",
                                       "%d is out of range or in two components", a);
        }
        if ((int)component->proof < ISO_PROOF_NONE || (int)component->proof > ISO_PROOF_COUNTING)
            return iso_verify_fail(v, "components", i, "proof", "is %d", (int)component->proof);
    }
    return ISO_OK;
}

static enum iso_status check_runner_up(const struct iso_verifier *v, int32_t i)
{
    const struct iso_problem *problem = v->problem;
    const struct iso_runner_up *row = &v->plan->runners_up[i];

    if (!below(row->cell, iso_problem_n_cells(problem)) ||
        !below(row->workload, problem->n_workloads) || !below(row->period, problem->n_periods) ||
        !below(row->chosen, problem->n_offerings) || !below(row->offering, problem->n_offerings))
        return iso_verify_fail(v, "runners_up", i, "", "has an index that is out of range");
    return row->blocked ? check_rule(v, "runners_up", i, &row->blocker) : ISO_OK;
}

enum iso_status iso_verify_explanations(const struct iso_verifier *v)
{
    const struct iso_plan *plan = v->plan;

    ISO_TRY(check_components(v));
    for (int32_t i = 0; i < plan->n_bindings; i++)
        ISO_TRY(check_rule(v, "bindings", i, &plan->bindings[i].rule));
    for (int32_t i = 0; i < plan->n_runners_up; i++)
        ISO_TRY(check_runner_up(v, i));
    for (int32_t i = 0; i < plan->n_baselines; i++)
        if (plan->baselines[i].kind == ISO_BASELINE_PROVIDER &&
            !below(plan->baselines[i].provider, v->problem->n_providers))
            return iso_verify_fail(v, "baselines", i, "provider", "is out of range");
    for (int32_t i = 0; i < plan->n_conflicts; i++)
        for (int32_t k = 0; k < plan->conflicts[i].n_rules; k++)
            ISO_TRY(check_rule(v, "conflicts", i, &plan->conflicts[i].rules[k]));
    for (int32_t i = 0; i < plan->n_relaxations; i++) {
        ISO_TRY(check_rule(v, "relaxations", i, &plan->relaxations[i].change.rule));
        for (int32_t k = 0; k < plan->relaxations[i].n_more; k++)
            ISO_TRY(check_rule(v, "relaxations", i, &plan->relaxations[i].more[k].rule));
    }
    return ISO_OK;
}

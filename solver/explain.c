/* What holds a plan back, and what came second. Numbers are estimates from the relaxation of the
 * money stage: lambda_r is what one unit of rule r is worth at the margin. */
#include "explain.h"

#include <math.h>
#include <stdlib.h>

#define MOST_RUNNERS_UP 200
#define MOST_BINDINGS 500

static const struct iso_tier *money_tier(const struct iso_plan *plan)
{
    for (int32_t k = 0; k < plan->n_tiers; k++)
        if (plan->tiers[k].kind == ISO_TIER_MONEY)
            return &plan->tiers[k];
    return NULL;
}

static double share_of(const struct iso_search *search, const struct iso_dual *dual,
                       double *ret_served)
{
    const struct iso_workload *workload = &search->problem->workloads[dual->a];
    const struct iso_plan *plan = search->plan;
    double all = 0, inside = 0;

    for (int32_t i = 0; i < plan->n_uses; i++) {
        if (plan->uses[i].workload != dual->a || plan->uses[i].period != dual->c)
            continue;
        int32_t option = iso_workload_find_option(workload, plan->uses[i].offering);
        double served = (double)plan->uses[i].count * iso_value(workload->options[option].served);
        all += served;
        inside += workload->shares[dual->b].member[option] ? served : 0;
    }
    *ret_served = all;
    return all > 0 ? inside / all : 0;
}

/* A multiplier as a binding rule; false for rows that are no rule of their own. */
static bool binding_of(const struct iso_search *search, const struct iso_dual *dual,
                       struct iso_binding *ret_binding)
{
    const struct iso_problem *problem = search->problem;
    double served;

    *ret_binding = (struct iso_binding){.period = -1, .worth = fabs(dual->value)};
    switch (dual->kind) {
    case ISO_ROW_LIMIT:
        ret_binding->rule = (struct iso_rule){ISO_RULE_LIMIT, dual->a, -1};
        ret_binding->period = dual->b;
        ret_binding->limit = iso_value(problem->limits[dual->a].bound);
        ret_binding->value = iso_limit_level(search->plan, &problem->limits[dual->a], dual->b);
        return true;
    case ISO_ROW_BUDGET:
        ret_binding->rule = (struct iso_rule){ISO_RULE_BUDGET, dual->a, -1};
        ret_binding->period = dual->b;
        ret_binding->limit = iso_value(problem->budgets[dual->a].windows[dual->b].amount);
        ret_binding->value = iso_budget_spend(problem, search->plan, dual->a, dual->b);
        return true;
    case ISO_ROW_SHARE_MAX:
    case ISO_ROW_SHARE_MIN: {
        const struct iso_share *share = &problem->workloads[dual->a].shares[dual->b];
        if (problem->workloads[dual->a].replicas)
            return false;
        ret_binding->rule = (struct iso_rule){ISO_RULE_SHARE, dual->a, dual->b};
        ret_binding->period = dual->c;
        ret_binding->limit =
            iso_value(dual->kind == ISO_ROW_SHARE_MAX ? share->maximum : share->minimum);
        ret_binding->value = share_of(search, dual, &served);
        ret_binding->worth *= served;
        return true;
    }
    default:
        return false;
    }
}

static enum iso_status find_bindings(struct iso_search *search, const struct iso_tier *tier,
                                     struct iso_error *reterr)
{
    struct iso_plan *plan = search->plan;

    for (int32_t i = 0; i < tier->n_duals && plan->n_bindings < MOST_BINDINGS; i++) {
        struct iso_binding binding;
        if (!binding_of(search, &plan->duals[tier->first_dual + i], &binding))
            continue;
        if (!iso_append(&plan->bindings, &plan->n_bindings, sizeof(binding), &binding))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the binding rules");
    }
    return ISO_OK;
}

/* --- runners-up --- */

/* List price and rule surcharges of one instance for one hour, over what it serves. */
struct unit_cost {
    double list, priced;
    int32_t dearest_limit; /* the limit that adds most, or -1 */
};

/* lambda of (limit, period) and of (budget, window) from the proof of the money stage. */
static double dual_of(const struct iso_plan *plan, const struct iso_tier *tier,
                      enum iso_row_kind kind, int32_t a, int32_t b)
{
    for (int32_t i = 0; i < tier->n_duals; i++) {
        const struct iso_dual *dual = &plan->duals[tier->first_dual + i];
        if (dual->kind == kind && dual->a == a && dual->b == b)
            return dual->value;
    }
    return 0;
}

/* Multipliers of limits and budgets in one period, looked up once. */
struct surcharges {
    double *limits;  /* n_limits; <= 0 for caps */
    double *budgets; /* n_budgets: sum over windows that hold the period, per base money */
};

static void load_surcharges(const struct iso_search *search, const struct iso_tier *tier, int32_t t,
                            struct surcharges *surcharges)
{
    const struct iso_problem *problem = search->problem;

    for (int32_t l = 0; l < problem->n_limits; l++)
        surcharges->limits[l] = dual_of(search->plan, tier, ISO_ROW_LIMIT, l, t);
    for (int32_t b = 0; b < problem->n_budgets; b++) {
        surcharges->budgets[b] = 0;
        for (int32_t w = 0; w < problem->budgets[b].n_windows; w++)
            if (problem->budgets[b].windows[w].periods[t])
                surcharges->budgets[b] +=
                    dual_of(search->plan, tier, ISO_ROW_BUDGET, b, w) *
                    iso_value(iso_problem_rate(problem, problem->base_currency,
                                               problem->budgets[b].windows[w].currency, t));
    }
}

static struct unit_cost cost_of(const struct iso_search *search,
                                const struct surcharges *surcharges, int32_t cell, int32_t offering,
                                int32_t t, double served)
{
    const struct iso_formulation *f = search->formulation;
    const struct iso_problem *problem = search->problem;
    double hours = iso_value(problem->periods[t].hours), dearest = 0;
    double money = iso_instance_money(problem, offering, t);
    struct unit_cost cost = {money / hours / served, 0, -1};
    double priced = money;

    for (int32_t at = f->first_limit[offering]; at < f->first_limit[offering + 1]; at++) {
        int32_t limit = f->limit_pairs[2 * at];
        double part = -surcharges->limits[limit] *
                      iso_value(problem->limits[limit].terms[f->limit_pairs[2 * at + 1]].weight);
        priced += part;
        if (part > dearest) {
            dearest = part;
            cost.dearest_limit = limit;
        }
    }
    for (int32_t b = 0; b < problem->n_budgets; b++)
        if (problem->budgets[b].offerings[offering] && problem->budgets[b].cells[cell])
            priced -= surcharges->budgets[b] * money;
    cost.priced = priced / hours / served;
    return cost;
}

static double served_by(const struct iso_workload *workload, int32_t option)
{
    return workload->replicas ? workload->options[option].most
                              : iso_value(workload->options[option].served);
}

static bool chosen_in(const struct iso_plan *plan, int32_t cell, int32_t offering, int32_t t)
{
    for (int32_t i = 0; i < plan->n_lines; i++)
        if (plan->lines[i].kind == ISO_LINE_INSTANCE && plan->lines[i].cell == cell &&
            plan->lines[i].offering == offering && plan->lines[i].period == t)
            return true;
    return false;
}

/* The option with the least priced unit cost that the line's workload does not use. */
static bool best_alternative(const struct iso_search *search, const struct surcharges *surcharges,
                             int32_t cell, int32_t a, int32_t t, int32_t chosen,
                             struct iso_runner_up *ret_runner_up)
{
    const struct iso_workload *workload = &search->problem->workloads[a];
    int32_t option = iso_workload_find_option(workload, chosen), best = -1;
    struct unit_cost mine, best_cost = {INFINITY, INFINITY, -1};

    if (option < 0)
        return false;
    mine = cost_of(search, surcharges, cell, chosen, t, served_by(workload, option));
    for (int32_t i = 0; i < workload->n_options; i++) {
        int32_t offering = workload->options[i].offering;
        if (offering == chosen)
            continue;
        struct unit_cost cost =
            cost_of(search, surcharges, cell, offering, t, served_by(workload, i));
        if (cost.priced >= best_cost.priced || chosen_in(search->plan, cell, offering, t))
            continue;
        best = offering;
        best_cost = cost;
    }
    if (best < 0)
        return false;
    *ret_runner_up = (struct iso_runner_up){
        .cell = cell,
        .workload = a,
        .period = t,
        .chosen = chosen,
        .offering = best,
        .chosen_unit_cost = mine.priced,
        .unit_cost = best_cost.priced,
        .blocked = best_cost.list < mine.list && best_cost.dearest_limit >= 0,
        .blocker = {ISO_RULE_LIMIT, best_cost.dearest_limit, -1}};
    return true;
}

static enum iso_status find_runners_up(struct iso_search *search, const struct iso_tier *tier,
                                       struct iso_error *reterr)
{
    const struct iso_problem *problem = search->problem;
    struct iso_plan *plan = search->plan;
    ISO_AUTO_MEM double *limits = iso_calloc((size_t)problem->n_limits, sizeof(*limits));
    ISO_AUTO_MEM double *budgets = iso_calloc((size_t)problem->n_budgets, sizeof(*budgets));
    struct surcharges surcharges = {limits, budgets};
    int32_t loaded = -1;

    if (!limits || !budgets)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the runners-up");
    for (int32_t i = 0; i < plan->n_lines && plan->n_runners_up < MOST_RUNNERS_UP; i++) {
        const struct iso_line *line = &plan->lines[i];
        struct iso_runner_up runner_up;
        if (line->kind != ISO_LINE_INSTANCE || iso_search_stops(search))
            continue;
        if (loaded != line->period)
            load_surcharges(search, tier, line->period, &surcharges);
        loaded = line->period;
        int32_t a = line->cell;
        for (int32_t w = 0; line->cell >= problem->n_workloads && w < problem->n_workloads; w++)
            if (problem->workloads[w].replicas &&
                problem->workloads[w].team == line->cell - problem->n_workloads)
                a = w; /* a pool is compared by the last of its workloads alone */
        if (a < problem->n_workloads &&
            best_alternative(search, &surcharges, line->cell, a, line->period, line->offering,
                             &runner_up) &&
            !iso_append(&plan->runners_up, &plan->n_runners_up, sizeof(runner_up), &runner_up))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the runners-up");
    }
    return ISO_OK;
}

enum iso_status iso_explain(struct iso_search *search, struct iso_error *reterr)
{
    struct iso_plan *plan = search->plan;
    const struct iso_tier *tier = money_tier(plan);
    unsigned want = search->problem->options.want;

    if (plan->reason == ISO_REASON_INFEASIBLE) {
        ISO_TRY(iso_find_conflicts(search, reterr));
        return iso_find_relaxations(search, reterr);
    }
    if (!plan->has_solution || !tier)
        return ISO_OK;
    if (want & (ISO_WANT_DUALS | ISO_WANT_RUNNERS_UP | ISO_WANT_BASELINES))
        ISO_TRY(find_bindings(search, tier, reterr));
    if (want & ISO_WANT_RUNNERS_UP)
        ISO_TRY(find_runners_up(search, tier, reterr));
    if (want & ISO_WANT_BASELINES)
        ISO_TRY(iso_find_baselines(search, reterr));
    return ISO_OK;
}

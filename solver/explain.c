/* What holds a plan back, and what came second. Numbers are estimates from the relaxation of the
 * money stage: lambda_r is what one unit of rule r is worth at the margin. With a tail of scenarios
 * that is what the tail counts in; what came second is compared in money of its own scenario. */
#include "explain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "priced.h"

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

/* What the objective gains by a unit of a row. A proof has prices of the average. */
static double worth_of(const struct iso_search *search, const struct iso_dual *dual)
{
    const struct iso_mip_row row = {dual->kind, dual->a, dual->b, dual->c, dual->d, 0, 0};
    double weight = iso_tail_counts(search->problem)
                        ? iso_formulation_weight(search->formulation, search->money_duals, &row)
                        : 1;

    return weight * fabs(dual->value);
}

/* A multiplier as a binding rule; false for rows that are no rule of their own. */
static bool binding_of(const struct iso_search *search, const struct iso_dual *dual,
                       struct iso_binding *ret_binding)
{
    const struct iso_problem *problem = search->problem;
    double served;

    *ret_binding = (struct iso_binding){.period = -1, .worth = worth_of(search, dual)};
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

enum iso_status iso_find_bindings(struct iso_search *search, const struct iso_tier *tier,
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

/* Cost of serving one unit for one hour: by list price, and with every rule priced in. And what an
 * instance costs more than the demand that it serves is worth. */
struct unit_cost {
    double list, priced, reduced;
};

/* What a unit that arrives where it is worth most is worth there. */
static double best_arrival(struct iso_priced *priced, int32_t a, int32_t t)
{
    const struct iso_workload *workload = &priced->f->problem->workloads[a];
    double best = 0;

    for (int32_t i = 0; i < workload->n_options && workload->n_traffic > 0; i++)
        best = fmax(best, iso_priced_arrival(priced, a, i, t));
    return best;
}

/* Under the multipliers of the money stage: what the instance costs, less what rules other than
 * demand give for what it serves; where data moves, with what it costs more to move than to the
 * best region. At the margin the chosen ones cost what demand is worth. */
static struct unit_cost cost_of(struct iso_priced *priced, int32_t cell, int32_t a, int32_t option,
                                int32_t t)
{
    const struct iso_problem *problem = priced->f->problem;
    const struct iso_workload *workload = &problem->workloads[a];
    int32_t offering = workload->options[option].offering;
    double hours = iso_value(problem->periods[t].hours), floor_gain;
    double served = workload->replicas ? workload->options[option].most
                                       : iso_value(workload->options[option].served);
    double demand = priced->dual[priced->f->demand_row[a * problem->n_periods + t]] * served;
    double cost = iso_priced_instance(priced, cell, offering, t, &floor_gain) - floor_gain -
                  (iso_priced_service(priced, a, option, t, served) - demand) +
                  best_arrival(priced, a, t) * served;

    if (fabs(cost) < 1e-12 * iso_instance_money(problem, offering, t))
        cost = 0; /* fully covered: what is left is rounding */
    return (struct unit_cost){iso_instance_money(problem, offering, t) / hours / served,
                              cost / hours / served, fmax(0, cost - demand)};
}

void iso_mark_running(const struct iso_problem *problem, const struct iso_plan *plan, int32_t cell,
                      int32_t period, uint8_t *ret_runs)
{
    memset(ret_runs, 0, (size_t)problem->n_offerings);
    for (int32_t i = 0; i < plan->n_lines; i++)
        if (plan->lines[i].kind == ISO_LINE_INSTANCE && plan->lines[i].cell == cell &&
            iso_line_pays_for(&plan->lines[i], period))
            ret_runs[plan->lines[i].offering] = 1;
}

/* The option with the least priced unit cost that the line's workload does not use. */
static bool best_alternative(struct iso_priced *priced, int32_t cell, int32_t a, int32_t t,
                             int32_t chosen, const uint8_t *runs,
                             struct iso_runner_up *ret_runner_up)
{
    const struct iso_workload *workload = &priced->f->problem->workloads[a];
    int32_t option = iso_workload_find_option(workload, chosen), best = -1;
    struct unit_cost mine, best_cost = {INFINITY, INFINITY, INFINITY};

    if (option < 0)
        return false;
    mine = cost_of(priced, cell, a, option, t);
    for (int32_t i = 0; i < workload->n_options; i++) {
        if (runs[workload->options[i].offering])
            continue;
        struct unit_cost cost = cost_of(priced, cell, a, i, t);
        if (cost.priced >= best_cost.priced)
            continue;
        best = i;
        best_cost = cost;
    }
    if (best < 0)
        return false;
    *ret_runner_up = (struct iso_runner_up){.cell = cell,
                                            .workload = a,
                                            .period = t,
                                            .chosen = chosen,
                                            .offering = workload->options[best].offering,
                                            .chosen_unit_cost = mine.priced,
                                            .unit_cost = best_cost.priced,
                                            .reduced_cost = best_cost.reduced};
    ret_runner_up->blocked = best_cost.list < mine.list &&
                             iso_priced_dearest(priced, cell, a, best, t, &ret_runner_up->blocker);
    return true;
}

/* The workload by which a line is compared: its own, or the last of its pool. */
static int32_t workload_of(const struct iso_problem *problem, int32_t cell)
{
    int32_t a = cell;

    for (int32_t w = 0; cell >= problem->n_workloads && w < problem->n_workloads; w++)
        if (problem->workloads[w].replicas &&
            problem->workloads[w].team == cell - problem->n_workloads)
            a = w;
    return a;
}

/* Whether costs of a period count: of a scenario outside the tail they may not, and then nothing is
 * known of its prices. */
static bool has_prices(const struct iso_search *search, int32_t a, int32_t t)
{
    const struct iso_formulation *f = search->formulation;
    int32_t row = f->demand_row[a * search->problem->n_periods + t];

    return iso_formulation_weight(f, search->money_duals, &f->mip.rows[row]) >= ISO_LEAST_WEIGHT;
}

/* Of each period of a line: multipliers may differ where the line does not. */
static enum iso_status compare_line(struct iso_search *search, struct iso_priced *priced,
                                    const struct iso_line *line, uint8_t *runs,
                                    struct iso_error *reterr)
{
    struct iso_plan *plan = search->plan;
    int32_t a = workload_of(search->problem, line->cell), end = line->period + line->n_periods;

    for (int32_t t = line->period; t < end && plan->n_runners_up < ISO_MOST_RUNNERS_UP; t++) {
        struct iso_runner_up runner_up;
        if (a >= search->problem->n_workloads || iso_search_stops(search))
            return ISO_OK;
        if (!has_prices(search, a, t))
            continue;
        iso_mark_running(search->problem, plan, line->cell, t, runs);
        if (best_alternative(priced, line->cell, a, t, line->offering, runs, &runner_up) &&
            !iso_append(&plan->runners_up, &plan->n_runners_up, sizeof(runner_up), &runner_up))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the runners-up");
    }
    return ISO_OK;
}

static enum iso_status find_runners_up(struct iso_search *search, struct iso_error *reterr)
{
    struct iso_plan *plan = search->plan;
    size_t n_rows = (size_t)search->formulation->mip.n_rows;
    ISO_AUTO_MEM double *dual = iso_calloc(n_rows, sizeof(*dual));
    ISO_AUTO_MEM uint8_t *runs = iso_calloc((size_t)search->problem->n_offerings, 1);
    struct iso_priced priced = {.search = search,
                                .f = search->formulation,
                                .mip = &search->formulation->mip,
                                .dual = dual,
                                .objective = true};

    if (!dual || !runs)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the runners-up");
    memcpy(dual, search->money_duals, (size_t)search->n_money_duals * sizeof(*dual));
    iso_formulation_average_prices(priced.f, dual);
    for (int32_t s = 0; s < search->problem->n_scenarios && priced.f->tail_row >= 0; s++)
        dual[priced.f->tail_row + s] = 0;
    search->tier = search->stage.kind = ISO_TIER_MONEY;
    priced.money = iso_priced_money(&priced);
    for (int32_t i = 0; i < plan->n_lines; i++)
        if (plan->lines[i].kind == ISO_LINE_INSTANCE)
            ISO_TRY(compare_line(search, &priced, &plan->lines[i], runs, reterr));
    return ISO_OK;
}

enum iso_status iso_explain(struct iso_search *search, struct iso_error *reterr)
{
    struct iso_plan *plan = search->plan;
    const struct iso_tier *tier = money_tier(plan);
    unsigned want = search->problem->options.want;

    if (!plan->has_solution || !tier)
        return ISO_OK;
    if (want & (ISO_WANT_DUALS | ISO_WANT_RUNNERS_UP | ISO_WANT_BASELINES))
        ISO_TRY(iso_find_bindings(search, tier, reterr));
    if (want & ISO_WANT_RUNNERS_UP)
        ISO_TRY(find_runners_up(search, reterr));
    return ISO_OK;
}

enum iso_status iso_explain_whole(struct iso_search *search, struct iso_error *reterr)
{
    struct iso_plan *plan = search->plan;
    unsigned want = search->problem->options.want;
    int32_t n_apart;

    if (plan->reason == ISO_REASON_INFEASIBLE) {
        ISO_TRY(iso_find_conflicts(search, &n_apart, reterr));
        return iso_find_relaxations(search, n_apart, reterr);
    }
    if (!plan->has_solution)
        return ISO_OK;
    if (want & ISO_WANT_BASELINES)
        ISO_TRY(iso_find_baselines(search, reterr));
    if (want & ISO_WANT_ALTERNATIVES)
        ISO_TRY(
            iso_find_alternatives(search->problem, search->control, search->end_s, plan, reterr));
    return ISO_OK;
}

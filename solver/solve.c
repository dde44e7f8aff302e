/* The solver's entry: reduce, formulate, optimise tier by tier, prove, extract, explain. */
#include "isocost/solve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "presolve.h"
#include "search.h"
#include "split.h"
#include "strategy.h"
#include "unlisted.h"

#define PATTERN_ROOM 4000 /* patterns of a team that are listed; beyond, they are priced */

#define FROZEN_SLACK 5e-10 /* relative and absolute */

static void search_fini(struct iso_search *search)
{
    free(search->best);
    free(search->money);
    free(search->money_duals);
    iso_unlisted_free(search->unlisted);
    iso_simplex_basis_fini(&search->basis);
}

static enum iso_status search_init(struct iso_search *search, const struct iso_problem *problem,
                                   const struct iso_control *control,
                                   struct iso_formulation *formulation, struct iso_plan *plan,
                                   struct iso_error *reterr)
{
    const struct iso_tier money = {.kind = ISO_TIER_MONEY};
    size_t n_columns = (size_t)formulation->mip.n_columns;

    *search = (struct iso_search){.problem = problem,
                                  .control = control,
                                  .formulation = formulation,
                                  .begin_s = control->now(control->context),
                                  .plan = plan};
    search->end_s = search->begin_s + problem->options.time_limit_s;
    search->past = problem->options.deterministic ? NULL : control->past;
    search->best = iso_calloc(n_columns, sizeof(double));
    search->money = iso_calloc(n_columns, sizeof(double));
    if (!search->best || !search->money)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a search");
    for (size_t j = 0; j < n_columns; j++)
        search->money[j] =
            iso_formulation_average(formulation, &formulation->mip.columns[j], &money);
    return ISO_OK;
}

/* Opens a tier: sets the objective and values the best plan of the tiers before by it. */
static void open_tier(struct iso_search *search, const struct iso_tier *tier)
{
    search->tier = tier->kind;
    search->stage = *tier;
    search->tier_bound = -INFINITY;
    search->proved = search->built = false;
    iso_formulation_objective(search->formulation, tier);
    if (search->has_best)
        search->best_value = iso_mip_value(&search->formulation->mip, search->best) +
                             iso_formulation_constant(search->formulation, tier->kind);
}

/* Holds a tier that is done: later tiers may not be worse than its frozen value. */
static enum iso_status freeze(struct iso_search *search, struct iso_tier *tier, int32_t index,
                              struct iso_error *reterr)
{
    struct iso_mip_row row = {.kind = ISO_ROW_FREEZE, .a = index, .b = -1, .c = -1, .d = -1};

    tier->frozen = search->best_value + fabs(search->best_value) * tier->tolerance;
    if (search->best_value != 0) /* an equal value may come out of another sum */
        tier->frozen += FROZEN_SLACK * (1 + fabs(search->best_value));
    row.lower = -INFINITY;
    row.upper = tier->frozen - iso_formulation_constant(search->formulation, tier->kind);
    search->freeze_row[index] =
        iso_mip_add_dense_row(&search->formulation->mip, &row, search->formulation->mip.objective);
    if (search->freeze_row[index] < 0)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to hold a tier");
    return ISO_OK;
}

static enum iso_proof proof_of(const struct iso_tier *tier)
{
    if (isinf(tier->bound))
        return ISO_PROOF_NONE;
    return tier->bound > tier->checked_bound ? ISO_PROOF_SEARCH : ISO_PROOF_DUAL;
}

/* Whether the relaxation or the tree reaches the best plan, but the repaired multipliers fall short
 * of it by a digit too many (prices that differ by orders of magnitude take some). */
static bool closes_the_rest(const struct iso_search *search, double checked)
{
    double slack = 1e-8 * (1 + fabs(search->best_value));

    return search->has_best && search->best_value - search->tier_bound <= slack &&
           search->best_value - checked > slack;
}

/* Optimises one tier and appends it to the plan. */
static enum iso_status solve_tier(struct iso_search *search, struct iso_tier tier,
                                  bool *ret_infeasible, struct iso_error *reterr)
{
    struct iso_plan *plan = search->plan;
    bool by_relaxation, stopped = iso_search_stops(search);

    open_tier(search, &tier);
    ISO_AUTO_MEM double *duals =
        iso_calloc((size_t)search->formulation->mip.n_rows, sizeof(*duals));
    if (!duals)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a tier");
    *ret_infeasible = false;
    if (!stopped || !search->has_best)
        ISO_TRY(iso_optimise_tier(search, &duals, ret_infeasible, &by_relaxation, reterr));
    tier.tolerance = search->problem->options.tier_tolerance;
    if (*ret_infeasible) {
        tier.bound = INFINITY;
        if (search->proved) /* what the relaxation proved is of no use to a tree without a plan */
            plan->n_duals = search->proven.first_dual;
        if (by_relaxation)
            ISO_TRY(iso_prove_infeasible(search, &tier, reterr));
        else
            tier.proof = ISO_PROOF_SEARCH;
    } else {
        if (!search->proved) {
            search->proven = tier;
            ISO_TRY(iso_prove(search, duals, true, &search->proven, reterr));
        }
        tier.checked_bound = search->proven.checked_bound;
        tier.first_dual = search->proven.first_dual;
        tier.n_duals = search->proven.n_duals;
        tier.bound = fmax(search->tier_bound, tier.checked_bound);
        if (search->tier_bound <= tier.checked_bound + 1e-7 * (1 + fabs(tier.checked_bound)) &&
            !closes_the_rest(search, tier.checked_bound))
            tier.bound = tier.checked_bound; /* the tree added nothing */
        tier.proof = proof_of(&tier);
    }
    if (!iso_append(&plan->tiers, &plan->n_tiers, sizeof(tier), &tier))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a tier");
    if (tier.kind == ISO_TIER_MONEY) {
        search->money_duals = ISO_STEAL(duals);
        search->n_money_duals = search->formulation->mip.n_rows;
    }
    return ISO_OK;
}

/* The proof of the tier at hand, when there is one yet. */
static void take_proof(const struct iso_search *search, struct iso_tier *tier)
{
    if (isinf(search->proven.checked_bound))
        return;
    tier->bound = tier->checked_bound = search->proven.checked_bound;
    tier->first_dual = search->proven.first_dual;
    tier->n_duals = search->proven.n_duals;
    tier->proof = ISO_PROOF_DUAL;
}

enum iso_status iso_incumbent_tiers(struct iso_search *search, struct iso_plan *plan,
                                    struct iso_error *reterr)
{
    struct iso_tier tiers[ISO_MAX_TIERS];
    int32_t n = iso_tiers_of(search->problem, tiers);

    for (int32_t i = 0; i < search->plan->n_duals; i++)
        if (!iso_append(&plan->duals, &plan->n_duals, sizeof(*plan->duals),
                        &search->plan->duals[i]))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    for (int32_t t = 0; t < search->plan->n_leads; t++)
        if (!iso_append(&plan->leads, &plan->n_leads, sizeof(*plan->leads),
                        &search->plan->leads[t]))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    for (int32_t k = 0; k < n; k++) {
        struct iso_tier tier = tiers[k];
        if (k < search->plan->n_tiers) {
            tier = search->plan->tiers[k];
        } else {
            tier.bound = tier.checked_bound = -INFINITY;
            tier.tolerance = search->problem->options.tier_tolerance;
            if (k == search->plan->n_tiers && search->proved)
                take_proof(search, &tier);
            tier.frozen = -INFINITY; /* settled below */
        }
        if (!iso_append(&plan->tiers, &plan->n_tiers, sizeof(tier), &tier))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    }
    iso_settle_tiers(search->problem, plan);
    plan->reason = ISO_REASON_FEASIBLE;
    plan->stop = search->stopped ? search->stopped : ISO_STOP_NONE;
    return ISO_OK;
}

enum iso_status iso_add_component(const struct iso_problem *problem, struct iso_choice choice,
                                  struct iso_plan *plan, struct iso_error *reterr)
{
    struct iso_component component = {.strategy = iso_strategy_name(choice.strategy),
                                      .why = choice.why,
                                      .n_workloads = problem->n_workloads};

    for (int32_t k = 0; k < plan->n_tiers; k++)
        if (plan->tiers[k].kind == ISO_TIER_MONEY || plan->reason == ISO_REASON_INFEASIBLE)
            component.proof = plan->tiers[k].proof;
    component.workloads = iso_calloc((size_t)problem->n_workloads, sizeof(int32_t));
    if (!component.workloads)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    for (int32_t a = 0; a < problem->n_workloads; a++)
        component.workloads[a] = a;
    if (iso_append(&plan->components, &plan->n_components, sizeof(component), &component))
        return ISO_OK;
    free(component.workloads);
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
}

static void fill_stats(const struct iso_search *search, struct iso_plan *plan)
{
    const struct iso_problem *problem = search->problem;
    const struct iso_mip *mip = &search->formulation->mip;
    struct iso_plan_stats *stats = &plan->stats;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        stats->columns += (int64_t)problem->workloads[a].n_options * problem->n_periods;
    stats->columns_solved = mip->n_columns;
    stats->rows_solved = mip->n_rows;
    for (int32_t j = 0; j < mip->n_columns; j++)
        stats->integer_columns += mip->columns[j].integer;
    stats->dominated = search->formulation->reduction->n_dominated;
    stats->iterations = search->iterations;
    stats->nodes = search->nodes;
    stats->seconds = search->control->now(search->control->context) - search->begin_s;
    plan->reproducible = problem->options.deterministic;
}

/* All tiers in order; stops at the first that has no point. */
static enum iso_status solve_tiers(struct iso_search *search, struct iso_error *reterr)
{
    struct iso_tier tiers[ISO_MAX_TIERS];
    struct iso_plan *plan = search->plan;
    int32_t n_tiers = iso_tiers_of(search->problem, tiers);

    for (int32_t k = 0; k < n_tiers; k++) {
        bool infeasible;
        ISO_TRY(solve_tier(search, tiers[k], &infeasible, reterr));
        if (infeasible) {
            plan->reason = ISO_REASON_INFEASIBLE;
            return ISO_OK;
        }
        if (!search->has_best) {
            plan->reason = ISO_REASON_NO_PLAN_FOUND;
            return ISO_OK;
        }
        ISO_TRY(freeze(search, &plan->tiers[k], k, reterr));
    }
    plan->reason = ISO_REASON_FEASIBLE;
    return ISO_OK;
}

static enum iso_status finish(struct iso_search *search, struct iso_error *reterr)
{
    struct iso_plan *plan = search->plan;

    if (search->has_best && plan->reason == ISO_REASON_FEASIBLE) {
        ISO_TRY(iso_extract(search->formulation, search->best, plan, reterr));
        iso_settle_tiers(search->problem, plan);
        if (iso_proved_optimal(search->problem, plan))
            plan->reason = ISO_REASON_OPTIMAL;
    }
    if (search->stopped)
        plan->stop = search->stopped;
    else
        plan->stop = search->problem->options.gap > 0 && plan->reason == ISO_REASON_OPTIMAL
                         ? ISO_STOP_GAP
                         : ISO_STOP_NONE;
    ISO_TRY(iso_add_component(search->problem, search->choice, plan, reterr));
    fill_stats(search, plan);
    return ISO_OK;
}

static bool has_dominance(const struct iso_problem *problem)
{
    return !problem->cost_factors && !(problem->options.without & ISO_REDUCE_DOMINANCE);
}

enum iso_status iso_optimise_component(const struct iso_problem *problem,
                                       const struct iso_control *control, bool explain,
                                       struct iso_plan **ret_plan, struct iso_error *reterr)
{
    struct iso_reduction reduction __attribute__((cleanup(iso_reduction_fini))) = {0};
    struct iso_formulation formulation __attribute__((cleanup(iso_formulation_fini))) = {0};
    struct iso_search search __attribute__((cleanup(search_fini))) = {0};
    struct iso_choice choice = iso_choose_strategy(problem);
    struct iso_problem rest = *problem;

    *ret_plan = NULL;
    if (choice.strategy == ISO_STRATEGY_SEPARABLE || choice.strategy == ISO_STRATEGY_LATTICE) {
        double begin_s = control->now(control->context);
        ISO_TRY(choice.strategy == ISO_STRATEGY_LATTICE
                    ? iso_lattice(problem, control, explain, ret_plan, reterr)
                    : iso_separable(problem, control, explain, ret_plan, reterr));
        if (*ret_plan)
            return ISO_OK;
        rest.options.time_limit_s =
            fmax(1e-3, rest.options.time_limit_s - (control->now(control->context) - begin_s));
        problem = &rest;
        choice = (struct iso_choice){ISO_STRATEGY_COLUMNS, "a limit is in the way of the tables"};
        if (iso_horizon_applies(problem))
            rest.options.strategy = choice.strategy = ISO_STRATEGY_HORIZON;
    }
    if (choice.strategy == ISO_STRATEGY_HORIZON) {
        ISO_TRY(iso_horizon(problem, control, explain, ret_plan, reterr));
        if (*ret_plan)
            return ISO_OK;
        choice = (struct iso_choice){ISO_STRATEGY_COLUMNS, "some period has no plan by itself"};
    }
    ISO_AUTO(iso_plan) plan = iso_plan_new();
    if (!plan)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    ISO_TRY(iso_reduction_init(&reduction, problem, has_dominance(problem), reterr));
    ISO_TRY(iso_formulation_init(&formulation, problem, &reduction,
                                 !iso_formulation_may_leave_out(problem, &reduction), PATTERN_ROOM,
                                 reterr));
    ISO_TRY(search_init(&search, problem, control, &formulation, plan, reterr));
    if (!formulation.complete)
        ISO_TRY(iso_unlisted_new(&formulation, &search.unlisted, reterr));
    search.choice = choice;
    ISO_TRY(solve_tiers(&search, reterr));
    ISO_TRY(finish(&search, reterr));
    if (explain)
        ISO_TRY(iso_explain(&search, reterr));
    *ret_plan = ISO_STEAL(plan);
    return ISO_OK;
}

/* As tables, or component by component, or as one. */
static enum iso_status optimise_parts(const struct iso_problem *problem,
                                      const struct iso_control *control, bool explain,
                                      struct iso_plan **ret_plan, struct iso_error *reterr)
{
    struct iso_split split __attribute__((cleanup(iso_split_fini))) = {0};

    *ret_plan = NULL;
    if (iso_choose_strategy(problem).strategy == ISO_STRATEGY_SEPARABLE) {
        ISO_TRY(iso_separable(problem, control, explain, ret_plan, reterr));
        if (*ret_plan)
            return ISO_OK;
    }
    ISO_TRY(iso_split_init(&split, problem, reterr));
    if (split.n_components > 1)
        ISO_TRY(iso_solve_components(problem, &split, control, explain, ret_plan, reterr));
    return *ret_plan ? ISO_OK : iso_optimise_component(problem, control, explain, ret_plan, reterr);
}

/* A better plan of the smaller problem is told as one of the original. */
struct listener {
    const struct iso_presolve *presolve;
    const struct iso_control *control;
};

static double on_now(void *context)
{
    const struct listener *listener = context;
    return listener->control->now(listener->control->context);
}

static enum iso_stop on_stop(void *context)
{
    const struct listener *listener = context;
    return listener->control->stop ? listener->control->stop(listener->control->context) : 0;
}

static void on_incumbent(void *context, const struct iso_plan *plan)
{
    const struct listener *listener = context;
    struct iso_error error = {0};
    ISO_AUTO(iso_plan) expanded = NULL;

    if (iso_presolve_expand(listener->presolve, plan, &expanded, &error) == ISO_OK)
        listener->control->incumbent(listener->control->context, expanded);
}

static void on_progress(void *context, const struct iso_progress *progress)
{
    const struct listener *listener = context;
    listener->control->progress(listener->control->context, progress);
}

static enum iso_status on_parts(void *context, const struct iso_problem *const *parts, int32_t n,
                                bool explain, struct iso_plan **ret_plans, struct iso_error *reterr)
{
    const struct listener *listener = context;
    return listener->control->solve_parts(listener->control->context, parts, n, explain, ret_plans,
                                          reterr);
}

/* Solves the smaller problem; *ret_plan stays NULL when it has no plan: then the original is asked,
 * whose conflicts name all its rules. */
static enum iso_status optimise_smaller(const struct iso_presolve *presolve,
                                        const struct iso_control *control, bool explain,
                                        struct iso_plan **ret_plan, struct iso_error *reterr)
{
    struct listener listener = {presolve, control};
    const struct iso_control inner = {.context = &listener,
                                      .past = control->past,
                                      .now = on_now,
                                      .stop = on_stop,
                                      .incumbent = control->incumbent ? on_incumbent : NULL,
                                      .progress = control->progress ? on_progress : NULL,
                                      .solve_parts = control->solve_parts ? on_parts : NULL};
    ISO_AUTO(iso_plan) plan = NULL;

    ISO_TRY(optimise_parts(&presolve->part.problem, &inner, explain, &plan, reterr));
    if (plan->reason == ISO_REASON_INFEASIBLE)
        return ISO_OK;
    return iso_presolve_expand(presolve, plan, ret_plan, reterr);
}

enum iso_status iso_optimise(const struct iso_problem *problem, const struct iso_control *control,
                             bool explain, struct iso_plan **ret_plan, struct iso_error *reterr)
{
    struct iso_presolve presolve __attribute__((cleanup(iso_presolve_fini))) = {0};
    double end_s = control->now(control->context) + problem->options.time_limit_s;
    struct iso_problem whole = *problem;

    *ret_plan = NULL;
    ISO_TRY(iso_presolve(&presolve, problem, reterr));
    if (presolve.renames)
        ISO_TRY(optimise_smaller(&presolve, control, explain, ret_plan, reterr));
    else if (presolve.changed)
        ISO_TRY(optimise_parts(&presolve.work, control, explain, ret_plan, reterr));
    if (*ret_plan && (presolve.renames || (*ret_plan)->reason != ISO_REASON_INFEASIBLE))
        return ISO_OK;
    iso_plan_free(ISO_STEAL(*ret_plan));
    whole.options.time_limit_s = fmax(1e-3, end_s - control->now(control->context));
    return optimise_parts(&whole, control, explain, ret_plan, reterr);
}

enum iso_status iso_find_plan(const struct iso_problem *problem, const struct iso_control *control,
                              bool explain, struct iso_plan **ret_plan, struct iso_error *reterr)
{
    if (iso_has_branches(problem))
        return iso_solve_branches(problem, control, ret_plan, reterr);
    return iso_optimise(problem, control, explain, ret_plan, reterr);
}

enum iso_status iso_solve(const struct iso_problem *problem, const struct iso_control *control,
                          struct iso_plan **ret_plan, struct iso_error *reterr)
{
    struct iso_search search = {
        .problem = problem, .control = control, .begin_s = control->now(control->context)};

    search.end_s = search.begin_s + problem->options.time_limit_s;
    ISO_TRY(iso_find_plan(problem, control, true, ret_plan, reterr));
    search.plan = *ret_plan;
    enum iso_status status = iso_explain_whole(&search, reterr);
    if (status != ISO_OK) {
        iso_plan_free(*ret_plan);
        *ret_plan = NULL;
    }
    return status;
}

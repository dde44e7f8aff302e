/* Components solved one after the other, smallest first, and their plans put together.
 *
 * Costs, bounds and multipliers add up: no row and no column is in two components, so the union of
 * their proofs is a proof of the whole. */
#include <math.h>
#include <stdlib.h>

#include "explain.h"
#include "isocost/ledger.h"
#include "split.h"
#include "twin.h"

struct run {
    const struct iso_problem *problem;
    const struct iso_control *control;
    const struct iso_split *split;
    double begin_s, end_s;
    struct iso_part whole;       /* every index stays */
    const struct iso_part *part; /* at hand */
    int32_t component;           /* at hand */
    struct iso_plan **latest;    /* of each component, in the whole's indices; NULL = none yet */
    int32_t *order;
    double *size; /* of each component: instance columns */
    enum iso_stop stop;
    struct iso_part solved; /* the last component that was solved, and its plan */
    struct iso_plan *solved_plan;
    struct iso_plan **ahead; /* of each component: solved side by side with others, or NULL */
};

static void run_fini(struct run *run)
{
    for (int32_t k = 0; k < run->split->n_components; k++) {
        if (run->latest)
            iso_plan_free(run->latest[k]);
        if (run->ahead)
            iso_plan_free(run->ahead[k]);
    }
    free(run->latest);
    free(run->ahead);
    free(run->order);
    free(run->size);
    iso_part_fini(&run->whole);
    iso_part_fini(&run->solved);
    iso_plan_free(run->solved_plan);
}

/* The money stage of the whole: sums over the components. */
static struct iso_tier sum_of_tiers(const struct run *run, bool bounds)
{
    struct iso_tier sum = {.kind = ISO_TIER_MONEY,
                           .tolerance = run->problem->options.tier_tolerance,
                           .proof = bounds ? ISO_PROOF_DUAL : ISO_PROOF_NONE};

    sum.bound = sum.checked_bound = bounds ? 0 : -INFINITY;
    for (int32_t k = 0; k < run->split->n_components && bounds; k++) {
        const struct iso_tier *tier = &run->latest[k]->tiers[0];
        sum.bound += tier->bound;
        sum.checked_bound += tier->checked_bound;
        if (tier->proof == ISO_PROOF_NONE || sum.proof == ISO_PROOF_NONE)
            sum.proof = ISO_PROOF_NONE;
        else if (tier->proof != ISO_PROOF_DUAL && sum.proof != ISO_PROOF_SEARCH)
            sum.proof = tier->proof;
    }
    sum.frozen = -INFINITY; /* settled by the value */
    return sum;
}

/* One plan of the latest ones of all components. */
static enum iso_status put_together(const struct run *run, bool bounds, struct iso_plan **ret_plan,
                                    struct iso_error *reterr)
{
    ISO_AUTO(iso_plan) plan = iso_plan_new();
    struct iso_tier tier = sum_of_tiers(run, bounds);

    if (!plan)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    for (int32_t k = 0; k < run->split->n_components; k++)
        ISO_TRY(iso_part_merge(&run->whole, run->latest[k], plan, reterr));
    iso_plan_sort(plan);
    if (!iso_plan_pack_entries(plan))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    tier.n_duals = plan->n_duals;
    if (!iso_append(&plan->tiers, &plan->n_tiers, sizeof(tier), &tier))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    plan->has_solution = true;
    ISO_TRY(iso_plan_account(run->problem, plan, reterr));
    iso_settle_tiers(run->problem, plan);
    plan->reason =
        bounds && iso_proved_optimal(run->problem, plan) ? ISO_REASON_OPTIMAL : ISO_REASON_FEASIBLE;
    plan->stop = run->stop ? run->stop : ISO_STOP_NONE;
    *ret_plan = ISO_STEAL(plan);
    return ISO_OK;
}

/* Takes the plan of the component at hand. */
static enum iso_status take(struct run *run, const struct iso_plan *from, struct iso_error *reterr)
{
    ISO_AUTO(iso_plan) plan = iso_plan_new();

    if (!plan)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    ISO_TRY(iso_part_merge(run->part, from, plan, reterr));
    for (int32_t k = 0; k < from->n_tiers; k++)
        if (!iso_append(&plan->tiers, &plan->n_tiers, sizeof(*plan->tiers), &from->tiers[k]))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    iso_plan_free(run->latest[run->component]);
    run->latest[run->component] = ISO_STEAL(plan);
    return ISO_OK;
}

/* A better plan of one component is a better plan of all, once each has one. */
static void on_incumbent(void *context, const struct iso_plan *plan)
{
    struct run *run = context;
    struct iso_error error = {0};
    ISO_AUTO(iso_plan) whole = NULL;

    if (!run->control->incumbent || take(run, plan, &error) != ISO_OK)
        return;
    for (int32_t k = 0; k < run->split->n_components; k++)
        if (!run->latest[k])
            return;
    if (put_together(run, false, &whole, &error) == ISO_OK)
        run->control->incumbent(run->control->context, whole);
}

static double on_now(void *context)
{
    struct run *run = context;
    return run->control->now(run->control->context);
}

static enum iso_stop on_stop(void *context)
{
    struct run *run = context;

    if (!run->stop && run->control->stop)
        run->stop = run->control->stop(run->control->context);
    return run->stop;
}

static int smallest_first(const void *left, const void *right, void *context)
{
    const double *size = context;
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;

    if (size[a] != size[b])
        return size[a] < size[b] ? -1 : 1;
    return (a > b) - (a < b);
}

static enum iso_status run_init(struct run *run, struct iso_error *reterr)
{
    const struct iso_problem *problem = run->problem;
    size_t n = (size_t)run->split->n_components;

    run->latest = iso_calloc(n, sizeof(struct iso_plan *));
    run->ahead = iso_calloc(n, sizeof(struct iso_plan *));
    run->order = iso_calloc(n, sizeof(*run->order));
    run->size = iso_calloc(n, sizeof(*run->size));
    if (!run->latest || !run->ahead || !run->order || !run->size)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for components");
    ISO_TRY(iso_part_whole(&run->whole, problem, reterr));
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        int32_t cell = iso_problem_cell(problem, a);
        run->size[run->split->cell[cell]] += (double)workload->n_options * problem->n_periods;
    }
    for (int32_t k = 0; k < run->split->n_components; k++)
        run->order[k] = k;
    qsort_r(run->order, n, sizeof(*run->order), smallest_first, run->size);
    run->begin_s = run->control->now(run->control->context);
    run->end_s = run->begin_s + problem->options.time_limit_s;
    return ISO_OK;
}

static void add_stats(struct iso_plan_stats *stats, const struct iso_plan_stats *more)
{
    stats->columns += more->columns;
    stats->columns_solved += more->columns_solved;
    stats->rows_solved += more->rows_solved;
    stats->integer_columns += more->integer_columns;
    stats->dominated += more->dominated;
    stats->iterations += more->iterations;
    stats->nodes += more->nodes;
}

/* Solves one component with its share of the time; one without options has nothing to search, but
 * must not be told that its time is over. The part and its plan are kept for its twins. */
static enum iso_status solve_one(struct run *run, int32_t component, double left_size, bool explain,
                                 struct iso_part *part, struct iso_error *reterr)
{
    struct iso_control control = {.context = run,
                                  .past = run->control->past,
                                  .now = on_now,
                                  .stop = on_stop,
                                  .incumbent = on_incumbent};
    double left = fmax(1e-3, run->end_s - run->control->now(run->control->context));

    part->problem.options.time_limit_s =
        run->size[component] > 0 ? left * run->size[component] / left_size : left;
    run->part = part;
    run->component = component;
    iso_plan_free(ISO_STEAL(run->solved_plan));
    run->solved_plan = ISO_STEAL(run->ahead[component]);
    if (!run->solved_plan)
        ISO_TRY(
            iso_optimise_component(&part->problem, &control, explain, &run->solved_plan, reterr));
    if (run->solved_plan->stop == ISO_STOP_TIME && !run->stop &&
        run->control->now(run->control->context) >= run->end_s)
        run->stop = ISO_STOP_TIME;
    iso_part_fini(&run->solved);
    run->solved = *part;
    *part = (struct iso_part){0};
    return ISO_OK;
}

/* The plan of a component: that of the one before where they are equal. *ret_plan is the run's. */
static enum iso_status plan_of(struct run *run, int32_t component, double left_size, bool explain,
                               const struct iso_plan **ret_plan, struct iso_error *reterr)
{
    struct iso_part part __attribute__((cleanup(iso_part_fini))) = {0};
    bool twins = !(run->problem->options.without & ISO_REDUCE_TWINS);

    ISO_TRY(iso_part_init(&part, run->problem, run->split, component, reterr));
    if (!twins || !run->solved_plan || !iso_parts_are_equal(&run->solved, &part))
        ISO_TRY(solve_one(run, component, left_size, explain, &part, reterr));
    run->part = part.workload ? &part : &run->solved;
    run->component = component;
    *ret_plan = run->solved_plan;
    return run->solved_plan->has_solution ? take(run, run->solved_plan, reterr) : ISO_OK;
}

enum iso_status iso_solve_part(const struct iso_problem *part, const struct iso_control *control,
                               bool explain, struct iso_plan **ret_plan, struct iso_error *reterr)
{
    return iso_optimise_component(part, control, explain, ret_plan, reterr);
}

enum iso_status iso_solve_components(const struct iso_problem *problem,
                                     const struct iso_split *split,
                                     const struct iso_control *control, bool explain,
                                     struct iso_plan **ret_plan, struct iso_error *reterr)
{
    struct run run __attribute__((cleanup(run_fini))) = {
        .problem = problem, .control = control, .split = split};
    struct iso_plan_stats stats = {0};
    ISO_AUTO(iso_plan) plan = NULL;
    double left_size = 0;
    bool out_of_time = false;

    *ret_plan = NULL;
    ISO_TRY(run_init(&run, reterr));
    for (int32_t k = 0; k < split->n_components; k++)
        left_size += run.size[k];
    ISO_TRY(iso_solve_side_by_side(problem, split, run.order, control, explain, run.ahead, reterr));
    for (int32_t i = 0; i < split->n_components; i++) {
        const struct iso_plan *one;
        ISO_TRY(plan_of(&run, run.order[i], left_size, explain, &one, reterr));
        left_size -= run.size[run.order[i]];
        if (!one->has_solution)
            return ISO_OK;
        out_of_time |= one->stop == ISO_STOP_TIME;
        add_stats(&stats, &one->stats);
    }
    if (!run.stop && out_of_time)
        run.stop = ISO_STOP_TIME;
    ISO_TRY(put_together(&run, true, &plan, reterr));
    if (!run.stop && plan->reason == ISO_REASON_OPTIMAL && problem->options.gap > 0)
        plan->stop = ISO_STOP_GAP;
    plan->stats = stats;
    plan->stats.seconds = control->now(control->context) - run.begin_s;
    plan->reproducible = problem->options.deterministic;
    *ret_plan = ISO_STEAL(plan);
    return ISO_OK;
}

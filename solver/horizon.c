/* Long horizons: clusters of periods for the bound and the purchases, then each period by itself.
 *
 *   1. Periods that are equal in everything but demand make a season; within it, periods of similar
 *      demand make a cluster, which stands for them by its hours and its mean demand.
 *   2. The relaxation over the clusters (horizon_master.c) is a bound on the whole, and its
 *      multipliers, shared out over the periods, prove it (horizon_lift.c).
 *   3. A dive makes what is bought whole; then it is moved by what the periods themselves would pay
 *      (horizon_purchases.c), and their own multipliers prove more than the clusters' where demands
 *      differ within clusters.
 *   4. With that fixed, nothing joins the periods any more: each is a small problem
 *      (horizon_hours.c).
 * Where caps do not bind and each product is for one workload, the second time each workload does
 * 1 to 3 by itself (horizon_apart.c).
 *
 * All of it is done twice: with few clusters, so that a plan and a bound are soon there, and with
 * as many as the master can bear; once where covering tables prove the bound of a long horizon
 * (horizon_tabled.c), which they do as well from few. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "horizon_apart.h"
#include "horizon_prices.h"
#include "isocost/ledger.h"
#include "strategy.h"

#define MANY_PERIODS 400
#define MANY_COLUMNS 200000 /* whole columns of the plain model */
#define WIDE_PERIOD 50000   /* columns; a few such periods are planned sooner all together */
#define FIRST_CLUSTERS 24   /* for the first plan */
#define PERIODS_A_CLUSTER 4 /* at least, for the first plan */
#define MOST_CLUSTERS 168   /* at most, seasons aside */
#define MOST_ROWS 20000     /* of the master, commitments aside */

static bool has_other_rules(const struct iso_problem *problem)
{
    if (problem->moves.present || problem->n_budgets > 0 || problem->n_volumes > 0 ||
        problem->cost_factors)
        return true;
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        if (workload->replicas || workload->n_spread > 0 || workload->n_affinities > 0 ||
            workload->ramp || workload->n_traffic > 0 || workload->service == ISO_SERVICE_PRIORITY)
            return true;
    }
    for (int32_t l = 0; l < problem->n_limits; l++)
        if (problem->limits[l].or_nothing || problem->limits[l].policy == ISO_POLICY_PREFER ||
            problem->limits[l].policy == ISO_POLICY_DEFAULT)
            return true;
    return false;
}

bool iso_horizon_applies(const struct iso_problem *problem)
{
    int64_t n_columns = 0;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        n_columns += (int64_t)problem->workloads[a].n_options * problem->n_periods;
    bool wide = n_columns / problem->n_periods > WIDE_PERIOD;
    bool large = problem->n_periods > MANY_PERIODS || (n_columns > MANY_COLUMNS && !wide);
    return (large || problem->options.strategy == ISO_STRATEGY_HORIZON) &&
           !has_other_rules(problem);
}

static void case_fini(struct iso_horizon_case *h)
{
    iso_clusters_fini(h);
    iso_slice_fini(h);
}

static enum iso_status add_purchases(struct iso_horizon_case *h, struct iso_error *reterr)
{
    struct iso_plan *plan = h->search.plan;

    for (int32_t c = 0; c < h->problem->n_products; c++)
        for (int32_t s = 0; s < h->problem->products[c].n_starts; s++) {
            struct iso_purchase made = {c, s, h->bought[h->first_start[c] + s]};
            if (made.quantity > 0 &&
                !iso_append(&plan->purchases, &plan->n_purchases, sizeof(made), &made))
                return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
        }
    return ISO_OK;
}

static void fill_stats(const struct iso_horizon_case *h, const struct iso_master *master)
{
    const struct iso_problem *problem = h->problem;
    struct iso_plan_stats *stats = &h->search.plan->stats;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        stats->columns += (int64_t)problem->workloads[a].n_options * problem->n_periods;
    stats->columns_solved = master->mip.n_columns;
    stats->rows_solved = master->mip.n_rows;
    for (int32_t j = 0; j < master->mip.n_columns; j++)
        stats->integer_columns += master->mip.columns[j].integer;
    stats->dominated = h->reduction.n_dominated;
    stats->iterations = h->search.iterations;
    stats->nodes = h->search.nodes;
    stats->seconds = h->search.control->now(h->search.control->context) - h->search.begin_s;
    h->search.plan->reproducible = problem->options.deterministic;
}

/* One time through the stages, with about `n_clusters` clusters; `thorough` as in
 * iso_hours_solve(). What it proves is in `tier` and
 * h->search.plan; *ret_outcome is that of the master, and the plan has a solution when every period
 * has one. */
static enum iso_status attempt(struct iso_horizon_case *h, int32_t n_clusters, bool thorough,
                               struct iso_tier *tier, enum iso_lp_outcome *ret_outcome,
                               struct iso_error *reterr)
{
    struct iso_master master __attribute__((cleanup(iso_master_fini))) = {0};
    struct iso_plan *plan = h->search.plan;
    int32_t missed;

    iso_clusters_fini(h);
    ISO_TRY(iso_clusters_init(h, n_clusters, reterr));
    ISO_TRY(iso_master_init(&master, h, reterr));
    ISO_TRY(iso_master_solve(&master, ret_outcome, reterr));
    if (*ret_outcome != ISO_LP_OPTIMAL)
        return ISO_OK;
    ISO_TRY(iso_lift(&master, tier, reterr));
    if (thorough && iso_apart_applies(&master, tier)) {
        ISO_TRY(iso_apart_solve(&master, tier, reterr));
    } else {
        ISO_TRY(iso_master_dive(&master, reterr));
        ISO_TRY(iso_purchases_settle(&master, tier, reterr));
    }
    ISO_TRY(add_purchases(h, reterr));
    ISO_TRY(iso_hours_solve(&master, thorough, &missed, reterr));
    fill_stats(h, &master);
    if (missed >= 0)
        return ISO_OK;
    iso_plan_sort(plan);
    plan->has_solution = true;
    return iso_plan_account(h->problem, plan, reterr);
}

/* Gives a plan the proof of another one. */
static void take_proof(struct iso_plan *plan, struct iso_plan *from)
{
    struct iso_plan other = *from;

    from->duals = plan->duals;
    from->leads = plan->leads;
    from->value_functions = plan->value_functions;
    plan->duals = other.duals;
    plan->leads = other.leads;
    plan->value_functions = other.value_functions;
    plan->n_duals = other.n_duals;
    plan->n_leads = other.n_leads;
    plan->n_value_functions = other.n_value_functions;
}

/* The plan's money stage, and how it ended. */
static enum iso_status finish(const struct iso_horizon_case *h, struct iso_plan *plan,
                              struct iso_tier tier, struct iso_error *reterr)
{
    tier.tolerance = h->problem->options.tier_tolerance;
    tier.bound = tier.checked_bound;
    tier.value = tier.frozen = iso_decimal_to_double(plan->cost + plan->penalties);
    tier.frozen += fabs(tier.frozen) * tier.tolerance;
    plan->n_tiers = 0;
    if (!iso_append(&plan->tiers, &plan->n_tiers, sizeof(tier), &tier))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    iso_settle_tiers(h->problem, plan);
    plan->reason = iso_proved_optimal(h->problem, plan) ? ISO_REASON_OPTIMAL : ISO_REASON_FEASIBLE;
    plan->stop = h->search.stopped ? h->search.stopped : ISO_STOP_NONE;
    if (!h->search.stopped && h->problem->options.gap > 0 && plan->reason == ISO_REASON_OPTIMAL)
        plan->stop = ISO_STOP_GAP;
    if (plan->n_components == 0)
        return iso_add_component(h->problem, h->search.choice, plan, reterr);
    plan->components[0].proof = plan->tiers[0].proof;
    return ISO_OK;
}

/* Clusters of an attempt: few for the first plan, then as many as the master can bear. */
static int32_t n_clusters_of(const struct iso_horizon_case *h, int number)
{
    int32_t most = MOST_ROWS / h->slice.n_rows;

    most = most < MOST_CLUSTERS ? most : MOST_CLUSTERS;
    most = most < h->problem->n_periods ? most : h->problem->n_periods;
    if (number == 0) {
        int32_t first = (h->problem->n_periods + PERIODS_A_CLUSTER - 1) / PERIODS_A_CLUSTER;
        first = first < FIRST_CLUSTERS ? first : FIRST_CLUSTERS;
        most = most < first ? most : first;
    }
    return most > 1 ? most : 1;
}

static void tell(const struct iso_horizon_case *h, const struct iso_plan *plan)
{
    if (h->search.control->incumbent)
        h->search.control->incumbent(h->search.control->context, plan);
}

/* Whether another attempt may find more: where tables prove a bound over many periods, neither do
 * more clusters raise it, nor are their purchases better. */
static bool try_again(const struct iso_horizon_case *h, const struct iso_plan *plan,
                      const struct iso_tier *proved)
{
    bool tabled = proved->proof == ISO_PROOF_VALUE_FUNCTION;

    return plan->reason != ISO_REASON_OPTIMAL && !h->search.stopped &&
           n_clusters_of(h, 1) != n_clusters_of(h, 0) &&
           !(tabled && h->problem->n_periods > MANY_PERIODS);
}

/* The cheaper plan of two attempts, with the better proof of the two. *ret_plan is NULL when some
 * period has no plan. */
static enum iso_status solve_case(struct iso_horizon_case *h, struct iso_plan **ret_plan,
                                  struct iso_error *reterr)
{
    ISO_AUTO(iso_plan) best = NULL;
    struct iso_tier proved = {.checked_bound = -INFINITY};

    ISO_TRY(iso_slice_init(h, true, reterr));
    ISO_TRY(iso_seasons_init(h, reterr));
    for (int number = 0; number < 2; number++) {
        ISO_AUTO(iso_plan) plan = iso_plan_new();
        struct iso_tier tier = {
            .kind = ISO_TIER_MONEY, .proof = ISO_PROOF_DUAL, .checked_bound = -INFINITY};
        enum iso_lp_outcome outcome;
        if (!plan)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
        h->search.plan = plan;
        ISO_TRY(attempt(h, n_clusters_of(h, number), number > 0, &tier, &outcome, reterr));
        if (number == 0 && !plan->has_solution)
            return ISO_OK;
        if (!best) {
            best = ISO_STEAL(plan);
            proved = tier;
        } else if (tier.checked_bound > proved.checked_bound) {
            take_proof(best, plan);
            proved = tier;
        }
        if (plan && plan->has_solution &&
            plan->cost + plan->penalties < best->cost + best->penalties) {
            take_proof(plan, best);
            iso_plan_free(best);
            best = ISO_STEAL(plan);
        }
        h->search.plan = best;
        ISO_TRY(finish(h, best, proved, reterr));
        if (!try_again(h, best, &proved))
            break;
        tell(h, best); /* not the last, which is the answer: a year's plan is large to send */
    }
    *ret_plan = ISO_STEAL(best);
    return ISO_OK;
}

/* Stopped before every period had its part. */
static enum iso_status give_up(const struct iso_horizon_case *h, struct iso_plan **ret_plan,
                               struct iso_error *reterr)
{
    ISO_AUTO(iso_plan) plan = iso_plan_new();

    if (!plan)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    plan->reason = ISO_REASON_NO_PLAN_FOUND;
    plan->stop = h->search.stopped;
    plan->stats.columns = iso_problem_n_columns(h->problem);
    plan->stats.iterations = h->search.iterations;
    plan->stats.nodes = h->search.nodes;
    plan->stats.seconds = h->search.control->now(h->search.control->context) - h->search.begin_s;
    ISO_TRY(iso_add_component(h->problem, h->search.choice, plan, reterr));
    *ret_plan = ISO_STEAL(plan);
    return ISO_OK;
}

enum iso_status iso_horizon(const struct iso_problem *problem, const struct iso_control *control,
                            bool explain, struct iso_plan **ret_plan, struct iso_error *reterr)
{
    struct iso_horizon_case h __attribute__((cleanup(case_fini))) = {.problem = problem};
    ISO_AUTO(iso_plan) plan = NULL;

    h.search = (struct iso_search){.problem = problem,
                                   .control = control,
                                   .choice = iso_choose_strategy(problem),
                                   .begin_s = control->now(control->context)};
    h.search.end_s = h.search.begin_s + problem->options.time_limit_s;
    ISO_TRY(solve_case(&h, &plan, reterr));
    if (!plan)
        return h.search.stopped ? give_up(&h, ret_plan, reterr) : ISO_OK;
    h.search.plan = plan;
    if (explain && problem->options.want != 0)
        ISO_TRY(iso_find_bindings(&h.search, &plan->tiers[0], reterr));
    if (explain)
        ISO_TRY(iso_explain_horizon(&h.search, reterr));
    *ret_plan = ISO_STEAL(plan);
    return ISO_OK;
}

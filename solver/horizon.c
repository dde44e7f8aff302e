/* Long horizons: clusters of periods for the bound and the purchases, then each period by itself.
 *
 *   1. Periods that are equal in everything but demand make a season; within it, periods of similar
 *      demand make a cluster, which stands for them by its hours and its mean demand.
 *   2. The relaxation over the clusters (horizon_master.c) is a bound on the whole, and its
 *      multipliers, shared out over the periods, prove it (horizon_lift.c).
 *   3. A dive makes what is bought whole; then it is moved by what the periods themselves would pay
 *      (horizon_prices.c), and their own multipliers prove more than the clusters' where demands
 *      differ within clusters.
 *   4. With that fixed, nothing joins the periods any more: each is a small problem
 *      (horizon_hours.c). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "horizon_prices.h"
#include "isocost/ledger.h"
#include "strategy.h"

#define MANY_PERIODS 400
#define MANY_COLUMNS 200000 /* whole columns of the plain model */
#define WIDE_PERIOD 50000   /* columns; a few such periods are planned sooner all together */
#define CLUSTERS 64         /* at most, seasons aside */
#define PERIODS_ASKED 2200  /* what is bought is moved by about this many periods */
#define MOVES 8
#define LARGEST_MOVE 0.25   /* part of a purchase, first */
#define PERIODS_A_CLUSTER 4 /* at least */

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

/* What is bought costs, and the periods asked would cost with it, as all of them. */
static double estimate(const struct iso_prices *prices)
{
    const struct iso_horizon_case *h = prices->h;
    double cost = prices->relaxed * h->problem->n_periods / fmax(1, prices->n_noted);

    for (int32_t c = 0; c < h->problem->n_products; c++)
        for (int32_t s = 0; s < h->problem->products[c].n_starts; s++)
            cost += iso_start_cost(h->problem, c, s) * (double)h->bought[h->first_start[c] + s];
    return cost;
}

/* Moves what is bought by what the periods themselves would pay, with smaller and smaller steps:
 * the clusters know only means. Leaves the cheapest in h->bought, and in `weighed` the purchases
 * whose periods prove most. */
static enum iso_status settle_purchases(struct iso_master *master, int64_t *weighed,
                                        struct iso_error *reterr)
{
    struct iso_horizon_case *h = master->h;
    int32_t stride = h->problem->n_periods / PERIODS_ASKED + 1;
    size_t n_starts = (size_t)h->first_start[h->problem->n_products];
    ISO_AUTO_MEM int64_t *cheapest = iso_calloc(n_starts, sizeof(*cheapest));
    double least = INFINITY, most = -INFINITY, bound;
    bool changed = true;

    if (!cheapest)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    memcpy(weighed, h->bought, n_starts * sizeof(*weighed));
    for (int round = 0; round < MOVES && changed && !iso_search_stops(&h->search); round++) {
        struct iso_prices prices __attribute__((cleanup(iso_prices_fini))) = {0};
        ISO_TRY(iso_prices_init(&prices, h, reterr));
        ISO_TRY(iso_hours_price(master, &prices, stride, reterr));
        if (prices.n_noted == 0)
            break;
        if (estimate(&prices) < least) {
            least = estimate(&prices);
            memcpy(cheapest, h->bought, n_starts * sizeof(*cheapest));
        }
        ISO_TRY(iso_prices_weigh(&prices, &bound, reterr));
        if (bound > most) {
            most = bound;
            memcpy(weighed, h->bought, n_starts * sizeof(*weighed));
        }
        changed = iso_prices_move(&prices, h, LARGEST_MOVE / (1 + round));
    }
    if (isfinite(least))
        memcpy(h->bought, cheapest, n_starts * sizeof(*cheapest));
    return ISO_OK;
}

/* Proves by the periods' own multipliers at the purchases `weighed`. */
static enum iso_status prove_by_periods(struct iso_master *master, const int64_t *weighed,
                                        struct iso_tier *tier, struct iso_error *reterr)
{
    struct iso_prices prices __attribute__((cleanup(iso_prices_fini))) = {0};
    struct iso_horizon_case *h = master->h;
    size_t n_starts = (size_t)h->first_start[h->problem->n_products];
    ISO_AUTO_MEM int64_t *bought = iso_calloc(n_starts, sizeof(*bought));

    if (!bought)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    memcpy(bought, h->bought, n_starts * sizeof(*bought));
    memcpy(h->bought, weighed, n_starts * sizeof(*bought));
    ISO_TRY(iso_prices_init(&prices, h, reterr));
    ISO_TRY(iso_hours_price(master, &prices, 1, reterr));
    ISO_TRY(iso_prices_prove(&prices, tier, reterr));
    memcpy(h->bought, bought, n_starts * sizeof(*bought));
    return ISO_OK;
}

/* Stages 3 and 4, and the bill. */
static enum iso_status make_plan(struct iso_master *master, struct iso_tier *tier,
                                 int32_t *ret_missed, struct iso_error *reterr)
{
    struct iso_horizon_case *h = master->h;
    struct iso_plan *plan = h->search.plan;
    size_t n_starts = (size_t)h->first_start[h->problem->n_products];
    ISO_AUTO_MEM int64_t *weighed = iso_calloc(n_starts, sizeof(*weighed));

    if (!weighed)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    ISO_TRY(iso_master_dive(master, reterr));
    ISO_TRY(settle_purchases(master, weighed, reterr));
    if (!iso_search_stops(&h->search))
        ISO_TRY(prove_by_periods(master, weighed, tier, reterr));
    ISO_TRY(add_purchases(h, reterr));
    ISO_TRY(iso_hours_solve(master, ret_missed, reterr));
    if (*ret_missed >= 0)
        return ISO_OK;
    iso_plan_sort(plan);
    plan->has_solution = true;
    return iso_plan_account(h->problem, plan, reterr);
}

/* Proves, dives and plans; *ret_whole: the plan is complete. */
static enum iso_status solve_case(struct iso_horizon_case *h, bool *ret_whole,
                                  struct iso_error *reterr)
{
    struct iso_master master __attribute__((cleanup(iso_master_fini))) = {0};
    struct iso_plan *plan = h->search.plan;
    struct iso_tier tier = {.kind = ISO_TIER_MONEY, .proof = ISO_PROOF_DUAL};
    enum iso_lp_outcome outcome;
    int32_t missed;

    *ret_whole = false;
    ISO_TRY(iso_slice_init(h, reterr));
    ISO_TRY(iso_seasons_init(h, reterr));
    int32_t n_clusters = (h->problem->n_periods + PERIODS_A_CLUSTER - 1) / PERIODS_A_CLUSTER;
    ISO_TRY(iso_clusters_init(h, n_clusters < CLUSTERS ? n_clusters : CLUSTERS, reterr));
    ISO_TRY(iso_master_init(&master, h, reterr));
    ISO_TRY(iso_master_solve(&master, &outcome, reterr));
    if (outcome != ISO_LP_OPTIMAL)
        return ISO_OK;
    ISO_TRY(iso_lift(&master, &tier, reterr));
    ISO_TRY(make_plan(&master, &tier, &missed, reterr));
    if (missed >= 0)
        return ISO_OK;
    tier.tolerance = h->problem->options.tier_tolerance;
    tier.bound = tier.checked_bound;
    tier.value = tier.frozen = iso_decimal_to_double(plan->cost + plan->penalties);
    tier.frozen += fabs(tier.frozen) * tier.tolerance;
    if (!iso_append(&plan->tiers, &plan->n_tiers, sizeof(tier), &tier))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    iso_settle_tiers(h->problem, plan);
    plan->reason = iso_proved_optimal(h->problem, plan) ? ISO_REASON_OPTIMAL : ISO_REASON_FEASIBLE;
    fill_stats(h, &master);
    *ret_whole = true;
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
    ISO_AUTO(iso_plan) plan = iso_plan_new();
    bool whole;

    if (!plan)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    h.search = (struct iso_search){.problem = problem,
                                   .control = control,
                                   .choice = iso_choose_strategy(problem),
                                   .begin_s = control->now(control->context),
                                   .plan = plan};
    h.search.end_s = h.search.begin_s + problem->options.time_limit_s;
    ISO_TRY(solve_case(&h, &whole, reterr));
    if (!whole)
        return h.search.stopped ? give_up(&h, ret_plan, reterr) : ISO_OK;
    plan->stop = ISO_STOP_NONE;
    if (h.search.stopped)
        plan->stop = h.search.stopped;
    else if (problem->options.gap > 0 && plan->reason == ISO_REASON_OPTIMAL)
        plan->stop = ISO_STOP_GAP;
    ISO_TRY(iso_add_component(problem, h.search.choice, plan, reterr));
    if (explain && problem->options.want != 0)
        ISO_TRY(iso_find_bindings(&h.search, &plan->tiers[0], reterr));
    if (control->incumbent)
        control->incumbent(control->context, plan);
    *ret_plan = ISO_STEAL(plan);
    return ISO_OK;
}

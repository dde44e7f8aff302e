/* The lattice strategy, stage by stage.
 *
 *   1. Levels of similar cost make cells, and their best multipliers make a bound and purchases
 *      that are nearly best (lattice_master.c).
 *   2. At those purchases each level goes to the multipliers that are best for it, and each group
 * of levels gets multipliers of its own, a few times over. The groups are better cells: what is
 *      proved with them is the part of the bound that the verifier tabulates itself.
 *   3. Branch and bound over what is bought (lattice_tree.c), with all multipliers that were found
 *      (lattice_prices.c), and with every period solved exactly where it matters
 *      (lattice_hours.c). */
#include "lattice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "horizon.h"
#include "isocost/ledger.h"
#include "strategy.h"

#define FEW_COLUMNS 150 /* where the tree of the plain model answers as fast */
#define FIRST_CELLS 32  /* at least one a season */
#define REGROUPINGS 3
#define GROUP_LEVELS 8 /* at least, for multipliers of its own */
#define MOST_PRICES 160
#define MASTER_CLOSE 1e-4 /* relative */
#define MASTER_ROUNDS 60
#define GROUP_ROUNDS 15
#define SEARCH_PART 0.92 /* of the time limit; the rest is for the plan */

bool iso_lattice_applies(const struct iso_problem *problem)
{
    bool forced = problem->options.strategy == ISO_STRATEGY_LATTICE;

    return (iso_problem_n_columns(problem) > FEW_COLUMNS || forced) &&
           iso_lattice_has_structure(problem);
}

/* Cells as one list of levels. */
struct cells {
    int32_t n;
    struct iso_lattice_cell *cells;
    int32_t *levels;
    double *mu;
};

static void cells_fini(struct cells *cells)
{
    free(cells->cells);
    free(cells->levels);
    free(cells->mu);
}

static enum iso_status cells_init(const struct iso_lattice *lattice, struct cells *cells,
                                  int32_t most, struct iso_error *reterr)
{
    cells->cells = iso_calloc((size_t)most, sizeof(*cells->cells));
    cells->levels = iso_calloc((size_t)lattice->n_levels, sizeof(*cells->levels));
    cells->mu = iso_calloc((size_t)(most * lattice->n_products), sizeof(*cells->mu));
    if (!cells->cells || !cells->levels || !cells->mu)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for cells");
    return ISO_OK;
}

static void add_cell(const struct iso_lattice *lattice, struct cells *cells, int32_t season,
                     const int32_t *levels, int32_t n_levels)
{
    cells->cells[cells->n] = (struct iso_lattice_cell){season, n_levels, levels,
                                                       &cells->mu[cells->n * lattice->n_products]};
    cells->n++;
}

static int by_cost(const void *left, const void *right, void *context)
{
    const double *cost = context;
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;

    if (cost[a] != cost[b])
        return cost[a] < cost[b] ? -1 : 1;
    return (a > b) - (a < b);
}

/* Cells of levels that cost about the same when all is paid. */
static enum iso_status first_cells(const struct iso_lattice *lattice, struct cells *cells,
                                   struct iso_error *reterr)
{
    int32_t a_season = FIRST_CELLS / lattice->n_seasons;
    ISO_AUTO_MEM double *cost = iso_calloc((size_t)lattice->n_levels, sizeof(*cost));

    a_season = a_season > 0 ? a_season : 1;
    ISO_TRY(cells_init(lattice, cells, a_season * lattice->n_seasons, reterr));
    if (!cost)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for cells");
    for (int32_t i = 0; i < lattice->n_levels; i++) {
        cells->levels[i] = i;
        for (int32_t a = 0; a < lattice->n_workloads; a++) {
            int32_t demand = lattice->level_demand[i * lattice->n_workloads + a];
            cost[i] +=
                lattice->seasons[lattice->levels[i].season].least[a][lattice->demand[demand]];
        }
    }
    for (int32_t k = 0; k < lattice->n_seasons; k++) {
        const struct iso_lattice_season *season = &lattice->seasons[k];
        int32_t *levels = &cells->levels[season->first_level];
        int32_t n = season->n_levels, parts = n < a_season ? n : a_season;
        qsort_r(levels, (size_t)n, sizeof(*levels), by_cost, cost);
        for (int32_t i = 0; i < parts; i++) {
            int32_t begin = (int32_t)((int64_t)n * i / parts);
            int32_t end = (int32_t)((int64_t)n * (i + 1) / parts);
            add_cell(lattice, cells, k, &levels[begin], end - begin);
        }
    }
    return ISO_OK;
}

static int by_taken(const void *left, const void *right, void *context)
{
    const int32_t *taken = context;
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;

    if (taken[a] != taken[b])
        return taken[a] < taken[b] ? -1 : 1;
    return (a > b) - (a < b);
}

/* Cells of levels that the same multipliers are best for at y. */
static enum iso_status regroup(struct iso_lattice *lattice, const double *y, struct cells *cells,
                               struct iso_error *reterr)
{
    size_t n_levels = (size_t)lattice->n_levels;
    ISO_AUTO_MEM int32_t *taken = iso_calloc(n_levels, sizeof(*taken));
    ISO_AUTO_MEM double *level = iso_calloc(n_levels, sizeof(*level));
    double gradient[ISO_LATTICE_MOST_STARTS];
    struct iso_lattice_cut cut = {.gradient = gradient};

    if (!taken || !level)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for cells");
    ISO_TRY(cells_init(lattice, cells, lattice->n_prices, reterr));
    iso_lattice_bound(lattice, y, false, taken, level, &cut);
    for (int32_t i = 0; i < lattice->n_levels; i++)
        cells->levels[i] = i;
    qsort_r(cells->levels, n_levels, sizeof(*cells->levels), by_taken, taken);
    for (int32_t begin = 0, end; begin < lattice->n_levels; begin = end) {
        int32_t place = taken[cells->levels[begin]];
        for (end = begin; end < lattice->n_levels && taken[cells->levels[end]] == place;)
            end++;
        add_cell(lattice, cells, lattice->prices[place].season, &cells->levels[begin], end - begin);
    }
    return ISO_OK;
}

static enum iso_status add_all_prices(struct iso_lattice *lattice, const struct cells *cells,
                                      struct iso_error *reterr)
{
    for (int32_t c = 0; c < cells->n; c++)
        ISO_TRY(
            iso_lattice_add_prices(lattice, cells->cells[c].season, cells->cells[c].mu, reterr));
    return ISO_OK;
}

/* Groups get multipliers of their own at y; `cells` are the last groups. */
static enum iso_status refine(struct iso_lattice *lattice, const double *y, struct cells *cells,
                              struct iso_error *reterr)
{
    double unused[ISO_LATTICE_MOST_STARTS], bound;

    for (int round = 0; round < REGROUPINGS; round++) {
        struct cells groups __attribute__((cleanup(cells_fini))) = {0};
        ISO_TRY(regroup(lattice, y, &groups, reterr));
        for (int32_t c = 0; c < groups.n && lattice->n_prices < MOST_PRICES; c++) {
            struct iso_lattice_cell *cell = &groups.cells[c];
            if (cell->n_levels < GROUP_LEVELS || iso_search_stops(&lattice->search))
                continue;
            ISO_TRY(iso_lattice_optimise(lattice, cell, 1, y, y, MASTER_CLOSE, GROUP_ROUNDS, unused,
                                         &bound, reterr));
            ISO_TRY(iso_lattice_add_prices(lattice, cell->season, cell->mu, reterr));
        }
    }
    return regroup(lattice, y, cells, reterr);
}

/* Stages 1 and 2: multipliers, a proof, and purchases to begin with. */
static enum iso_status find_prices(struct iso_lattice *lattice, double *ret_y,
                                   struct iso_tier *tier, struct iso_error *reterr)
{
    struct cells cells __attribute__((cleanup(cells_fini))) = {0};
    struct cells groups __attribute__((cleanup(cells_fini))) = {0};
    double lower[ISO_LATTICE_MOST_STARTS], upper[ISO_LATTICE_MOST_STARTS], bound;

    for (int32_t s = 0; s < lattice->n_starts; s++) {
        lower[s] = 0;
        upper[s] = (double)lattice->starts[s].most;
    }
    ISO_TRY(first_cells(lattice, &cells, reterr));
    ISO_TRY(iso_lattice_optimise(lattice, cells.cells, cells.n, lower, upper, MASTER_CLOSE,
                                 MASTER_ROUNDS, ret_y, &bound, reterr));
    ISO_TRY(add_all_prices(lattice, &cells, reterr));
    ISO_TRY(refine(lattice, ret_y, &groups, reterr));
    ISO_TRY(iso_lattice_optimise(lattice, groups.cells, groups.n, lower, upper, MASTER_CLOSE,
                                 MASTER_ROUNDS, ret_y, &bound, reterr));
    ISO_TRY(add_all_prices(lattice, &groups, reterr));
    return iso_lattice_prove(lattice, groups.cells, groups.n, tier, reterr);
}

static void fill_stats(struct iso_lattice *lattice)
{
    const struct iso_search *search = &lattice->search;
    struct iso_plan_stats *stats = &search->plan->stats;

    stats->columns = iso_problem_n_columns(lattice->problem);
    stats->columns_solved = lattice->n_levels * lattice->n_options;
    stats->rows_solved = lattice->n_levels;
    stats->iterations = search->iterations;
    stats->nodes = search->nodes;
    stats->seconds = search->control->now(search->control->context) - search->begin_s;
    search->plan->reproducible = lattice->problem->options.deterministic;
}

/* The money stage, the component and how it ended. */
static enum iso_status finish(struct iso_lattice *lattice, struct iso_tier tier, double bound,
                              struct iso_error *reterr)
{
    struct iso_plan *plan = lattice->search.plan;
    const struct iso_options *options = &lattice->problem->options;

    tier.kind = ISO_TIER_MONEY;
    tier.tolerance = options->tier_tolerance;
    tier.bound = fmax(tier.checked_bound, bound);
    tier.proof = tier.bound > tier.checked_bound ? ISO_PROOF_SEARCH : ISO_PROOF_VALUE_FUNCTION;
    tier.value = iso_decimal_to_double(plan->cost);
    tier.frozen = tier.value * (1 + tier.tolerance);
    if (!iso_append(&plan->tiers, &plan->n_tiers, sizeof(tier), &tier))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    iso_settle_tiers(lattice->problem, plan);
    plan->reason =
        iso_proved_optimal(lattice->problem, plan) ? ISO_REASON_OPTIMAL : ISO_REASON_FEASIBLE;
    plan->stop = ISO_STOP_NONE;
    if (lattice->search.stopped)
        plan->stop = lattice->search.stopped;
    else if (options->gap > 0 && plan->reason == ISO_REASON_OPTIMAL)
        plan->stop = ISO_STOP_GAP;
    fill_stats(lattice);
    return iso_add_component(lattice->problem, lattice->search.choice, plan, reterr);
}

/* Searches and makes the plan; *ret_whole: there is one. */
static enum iso_status solve_lattice(struct iso_lattice *lattice, bool *ret_whole,
                                     struct iso_error *reterr)
{
    struct iso_plan *plan = lattice->search.plan;
    struct iso_tier tier = {0};
    double first_y[ISO_LATTICE_MOST_STARTS];
    int64_t y[ISO_LATTICE_MOST_STARTS];
    struct iso_lattice_answer answer = {.y = y, .cost = INFINITY};

    memset(first_y, 0, sizeof(first_y));
    ISO_TRY(find_prices(lattice, first_y, &tier, reterr));
    for (int32_t s = 0; s < lattice->n_starts; s++)
        y[s] = (int64_t)round(first_y[s]);
    ISO_TRY(iso_lattice_allows(lattice, y, ret_whole, reterr));
    if (!*ret_whole)
        return ISO_OK; /* soon, so that others have the time */
    ISO_TRY(iso_lattice_search(lattice, first_y, &answer, reterr));
    *ret_whole = isfinite(answer.cost);
    if (!*ret_whole)
        return ISO_OK;
    ISO_TRY(iso_lattice_plan(lattice, y, ret_whole, reterr));
    if (!*ret_whole)
        return ISO_OK;
    plan->has_solution = true;
    ISO_TRY(iso_plan_account(lattice->problem, plan, reterr));
    return finish(lattice, tier, answer.bound + iso_existing_fees(lattice->problem), reterr);
}

enum iso_status iso_lattice(const struct iso_problem *problem, const struct iso_control *control,
                            bool explain, struct iso_plan **ret_plan, struct iso_error *reterr)
{
    struct iso_lattice lattice __attribute__((cleanup(iso_lattice_fini))) = {0};
    ISO_AUTO(iso_plan) plan = iso_plan_new();
    bool fits, whole;

    if (!plan)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    ISO_TRY(iso_lattice_init(&lattice, problem, &fits, reterr));
    if (!fits)
        return ISO_OK;
    lattice.search = (struct iso_search){.problem = problem,
                                         .control = control,
                                         .choice = iso_choose_strategy(problem),
                                         .begin_s = control->now(control->context),
                                         .plan = plan};
    lattice.search.end_s = lattice.search.begin_s + SEARCH_PART * problem->options.time_limit_s;
    ISO_TRY(solve_lattice(&lattice, &whole, reterr));
    if (!whole)
        return ISO_OK;
    if (explain && problem->options.want != 0)
        ISO_TRY(iso_find_bindings(&lattice.search, &plan->tiers[0], reterr));
    lattice.search.end_s = lattice.search.begin_s + problem->options.time_limit_s;
    if (explain)
        ISO_TRY(iso_explain_tables(&lattice.search, reterr));
    if (control->incumbent)
        control->incumbent(control->context, plan);
    *ret_plan = ISO_STEAL(plan);
    return ISO_OK;
}

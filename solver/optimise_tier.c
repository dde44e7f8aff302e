/* One tier on a formulation: relaxation, first plans, and what the strategy adds. */
#include <math.h>
#include <string.h>

#include "cell_trees.h"
#include "counts.h"
#include "improve.h"
#include "packing.h"
#include "unlisted.h"
#include "warm_start.h"

bool iso_search_gap_reached(const struct iso_search *search)
{
    double gap = search->tier == ISO_TIER_MONEY ? search->problem->options.gap : 0;

    return search->has_best &&
           search->best_value - search->tier_bound <= gap * fabs(search->best_value) + 1e-9;
}

static bool goes_on(struct iso_search *search)
{
    return !iso_search_gap_reached(search) && !iso_search_stops(search);
}

/* Gives the point places for columns that came in, none of which it uses. */
static enum iso_status grow_point(double **io_x, int32_t before, int32_t n,
                                  struct iso_error *reterr)
{
    double *x = iso_realloc(*io_x, (size_t)n, sizeof(*x));

    if (!x)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a tier");
    *io_x = x;
    for (int32_t j = before; j < n; j++)
        x[j] = 0;
    return ISO_OK;
}

static enum iso_status pack(struct iso_search *search, struct iso_lp *lp, double **io_x,
                            const double *duals, bool again, struct iso_error *reterr)
{
    int32_t before = search->formulation->mip.n_columns;

    ISO_TRY(iso_pack(search, lp, *io_x, duals, again, reterr));
    return grow_point(io_x, before, search->formulation->mip.n_columns, reterr);
}

/* Commitments whole first, then everything else around what the relaxation says then. Pools beside
 * throughput workloads are packed only here, once single cells are good: before, what is bought was
 * not decided, and copies were packed into instances that nothing covers in the end. */
static enum iso_status dive_and_improve(struct iso_search *search, struct iso_lp *lp, double **io_x,
                                        const double *duals, bool packs, struct iso_error *reterr)
{
    ISO_AUTO_MEM double *whole_duals =
        iso_calloc((size_t)search->formulation->mip.n_rows, sizeof(*whole_duals));
    bool whole;

    if (!whole_duals)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a tier");
    memcpy(whole_duals, duals, (size_t)search->formulation->mip.n_rows * sizeof(*whole_duals));
    ISO_TRY(iso_dive(search, lp, *io_x, whole_duals, &whole, reterr));
    if (whole)
        ISO_TRY(iso_first_plans(search, *io_x, whole_duals, INT32_MAX, reterr));
    if (packs && goes_on(search)) {
        ISO_TRY(iso_improve(search, *io_x, whole_duals, 1, reterr));
        ISO_TRY(pack(search, lp, io_x, whole_duals, search->has_best, reterr));
    }
    if (goes_on(search))
        ISO_TRY(iso_improve(search, *io_x, whole_duals, ISO_LARGEST_GROUP, reterr));
    if (packs && goes_on(search))
        ISO_TRY(pack(search, lp, io_x, whole_duals, true, reterr));
    return ISO_OK;
}

/* Trees of single cells, after which the columns may have grown. */
static enum iso_status try_cell_trees(struct iso_search *search, struct iso_lp *lp, double **io_x,
                                      double **io_duals, bool warm, struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    int32_t n_columns = mip->n_columns, n_rows = mip->n_rows;

    if (!search->has_best)
        return ISO_OK;
    ISO_TRY(
        iso_try_cell_trees(search, *io_duals, warm ? *io_x : NULL, search->past && !warm, reterr));
    if (mip->n_columns == n_columns)
        return ISO_OK;
    ISO_TRY(iso_search_grow_duals(search, n_rows, io_duals, reterr));
    ISO_TRY(iso_lp_grow(lp, reterr));
    return grow_point(io_x, n_columns, mip->n_columns, reterr);
}

static enum iso_status try_period_trees(struct iso_search *search, struct iso_lp *lp, double **io_x,
                                        double **io_duals, struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    int32_t n_columns = mip->n_columns, n_rows = mip->n_rows;

    ISO_TRY(iso_try_period_trees(search, *io_duals, reterr));
    if (mip->n_columns == n_columns)
        return ISO_OK;
    ISO_TRY(iso_search_grow_duals(search, n_rows, io_duals, reterr));
    ISO_TRY(iso_lp_grow(lp, reterr));
    return grow_point(io_x, n_columns, mip->n_columns, reterr);
}

/* Proves the relaxation's bound before plans are looked for: so each plan on the way has a bound,
 * and whoever is stopped late has it behind him. */
static enum iso_status prove_early(struct iso_search *search, const double *duals,
                                   struct iso_error *reterr)
{
    struct iso_tier proven = search->stage;

    ISO_TRY(iso_prove(search, duals, true, &proven, reterr));
    search->proven = proven;
    search->proved = true;
    if (search->proven.checked_bound > search->tier_bound)
        search->tier_bound = search->proven.checked_bound;
    if (search->has_best)
        return iso_search_report(search, reterr);
    iso_search_tell(search);
    return ISO_OK;
}

/* Where the tier begins: with what the past knows of problems like this one, or with what is listed
 * first and the periods one by one. */
static enum iso_status begin(struct iso_search *search, const struct iso_warm_start *start,
                             struct iso_error *reterr)
{
    if (search->unlisted && !start->known)
        ISO_TRY(iso_list_candidates(search, reterr));
    if (!search->has_best)
        ISO_TRY(iso_start_plans(search, reterr));
    if (start->known)
        return iso_warm_start_begin(search, start, reterr);
    return iso_period_start_applies(search) ? iso_start_periods(search, &search->basis, reterr)
                                            : ISO_OK;
}

/* One step after the other, with a look at the gap between them: hence long. */
static enum iso_status optimise(struct iso_search *search, struct iso_warm_start *start,
                                double **io_duals, bool *ret_infeasible, bool *ret_by_relaxation,
                                struct iso_error *reterr)
{
    struct iso_mip *mip = &search->formulation->mip;
    ISO_AUTO(iso_lp) lp = NULL;
    enum iso_lp_outcome outcome;
    bool counts;

    *ret_infeasible = *ret_by_relaxation = false;
    int32_t n_rows = mip->n_rows;
    ISO_TRY(begin(search, start, reterr));
    ISO_TRY(iso_search_grow_duals(search, n_rows, io_duals, reterr));
    memset(*io_duals, 0, (size_t)mip->n_rows * sizeof(**io_duals));
    ISO_TRY(iso_relax(search, io_duals, &lp, &outcome, reterr));
    if (outcome == ISO_LP_INFEASIBLE) {
        *ret_infeasible = *ret_by_relaxation = true;
        return ISO_OK;
    }
    ISO_AUTO_MEM double *x = iso_calloc((size_t)mip->n_columns, sizeof(*x));
    if (!x)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a tier");
    iso_lp_values(lp, x);
    bool warm = start->known;
    if (outcome == ISO_LP_OPTIMAL && search->tier == ISO_TIER_MONEY) {
        if (warm)
            ISO_TRY(iso_warm_start_snap(search, start, *io_duals, reterr));
        ISO_TRY(iso_warm_start_note(search, lp, *io_duals, start, reterr));
    }
    if (outcome == ISO_LP_OPTIMAL && search->priced_out &&
        !search->unlisted) /* otherwise only the proof knows a bound */
        search->tier_bound =
            iso_lp_objective(lp) + iso_formulation_constant(search->formulation, search->tier);
    if (outcome == ISO_LP_OPTIMAL || outcome == ISO_LP_STOPPED)
        ISO_TRY(prove_early(search, *io_duals, reterr));
    if (iso_search_gap_reached(search))
        return ISO_OK;
    bool dives = search->choice.strategy == ISO_STRATEGY_COLUMNS; /* which rounds better */
    bool by_cells = dives && iso_period_trees_apply(search);
    if (!warm || !by_cells) /* trees of cells make them when they are needed */
        ISO_TRY(iso_first_plans(search, x, *io_duals, dives ? 1 : INT32_MAX, reterr));
    if (dives && !search->has_best)
        ISO_TRY(iso_first_plans(search, x, *io_duals, INT32_MAX, reterr));
    if (iso_search_gap_reached(search) || iso_search_stops(search) || outcome != ISO_LP_OPTIMAL)
        return ISO_OK;
    if (by_cells) {
        ISO_TRY(try_cell_trees(search, lp, &x, io_duals, warm, reterr));
        if (!goes_on(search))
            return ISO_OK;
        ISO_TRY(try_period_trees(search, lp, &x, io_duals, reterr));
        if (!goes_on(search))
            return ISO_OK;
    }
    bool packs =
        search->choice.strategy == ISO_STRATEGY_PATTERNS || !iso_all_patterns_listed(search);
    if (packs && !iso_has_throughput(search->problem))
        ISO_TRY(pack(search, lp, &x, *io_duals, false, reterr));
    if (iso_search_gap_reached(search) || iso_search_stops(search))
        return ISO_OK;
    if (search->choice.strategy != ISO_STRATEGY_PLAIN_MIP)
        ISO_TRY(dive_and_improve(search, lp, &x, *io_duals, packs, reterr));
    if (iso_search_gap_reached(search) || iso_search_stops(search))
        return ISO_OK;
    if (search->priced_out && !search->unlisted)
        ISO_TRY(iso_count_instances(search, *io_duals, ISO_COUNT_EVERYTHING, &counts, reterr));
    if (iso_search_gap_reached(search) || iso_search_stops(search))
        return ISO_OK;
    search->listed = iso_all_patterns_listed(search) && !search->unlisted;
    for (int looks = 0; looks < 2; looks++) { /* a better plan leaves fewer patterns to list */
        double before = search->best_value;
        if (!search->listed && search->has_best && search->priced_out && !search->unlisted)
            ISO_TRY(iso_list_patterns(search, *io_duals, reterr));
        ISO_TRY(iso_branch(search, *io_duals, ret_infeasible, reterr));
        if (search->listed || !search->has_best || search->best_value == before ||
            iso_search_gap_reached(search) || iso_search_stops(search))
            break;
    }
    return ISO_OK;
}

enum iso_status iso_optimise_tier(struct iso_search *search, double **io_duals,
                                  bool *ret_infeasible, bool *ret_by_relaxation,
                                  struct iso_error *reterr)
{
    struct iso_warm_start start __attribute__((cleanup(iso_warm_start_fini))) = {0};

    if (search->tier == ISO_TIER_MONEY)
        ISO_TRY(iso_warm_start_recall(search->past, search->problem, &start, reterr));
    ISO_TRY(optimise(search, &start, io_duals, ret_infeasible, ret_by_relaxation, reterr));
    if (search->tier == ISO_TIER_MONEY && !*ret_infeasible)
        ISO_TRY(iso_warm_start_end(search, &start, reterr));
    return ISO_OK;
}

/* One tier on a formulation: relaxation, first plans, and what the strategy adds. */
#include <math.h>
#include <string.h>

#include "search.h"

bool iso_search_gap_reached(const struct iso_search *search)
{
    double gap = search->tier == ISO_TIER_MONEY ? search->problem->options.gap : 0;

    return search->has_best &&
           search->best_value - search->tier_bound <= gap * fabs(search->best_value) + 1e-9;
}

enum iso_status iso_optimise_tier(struct iso_search *search, double *ret_duals,
                                  bool *ret_infeasible, bool *ret_by_relaxation,
                                  struct iso_error *reterr)
{
    struct iso_mip *mip = &search->formulation->mip;
    ISO_AUTO(iso_lp) lp = NULL;
    enum iso_lp_outcome outcome;

    *ret_infeasible = *ret_by_relaxation = false;
    memset(ret_duals, 0, (size_t)mip->n_rows * sizeof(*ret_duals));
    ISO_TRY(iso_relax(search, ret_duals, &lp, &outcome, reterr));
    if (outcome == ISO_LP_INFEASIBLE) {
        *ret_infeasible = *ret_by_relaxation = true;
        return ISO_OK;
    }
    ISO_AUTO_MEM double *x = iso_calloc((size_t)mip->n_columns, sizeof(*x));
    if (!x)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a tier");
    iso_lp_values(lp, x);
    if (outcome != ISO_LP_OPTIMAL)
        memset(ret_duals, 0, (size_t)mip->n_rows * sizeof(*ret_duals));
    else if (iso_all_patterns_listed(search)) /* otherwise only the proof knows a bound */
        search->tier_bound =
            iso_lp_objective(lp) + iso_formulation_constant(search->formulation, search->tier);
    if (iso_search_gap_reached(search))
        return ISO_OK;
    ISO_TRY(iso_first_plans(search, lp, x, INT32_MAX, reterr));
    if (iso_search_gap_reached(search) || iso_search_stops(search) || outcome != ISO_LP_OPTIMAL)
        return ISO_OK;
    return iso_branch(search, lp, ret_duals, ret_infeasible, reterr);
}

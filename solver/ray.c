/* Proof that no plan exists: the relaxation with slack in every rule.
 *
 *     minimise  sum_r slack_r   with every rule row relaxed by its slack
 *
 * Its optimum is above 0 exactly when the relaxation is infeasible, and its multipliers then are a
 * ray: with no costs they prove a bound above 0. */
#include <math.h>
#include <string.h>

#include "explain.h"

/* Adds a slack column of cost 1 to each rule row of a copy of the MIP without costs. Rows are
 * scaled by their side, so that money and replicas weigh alike. */
static bool add_slacks(struct iso_mip *mip)
{
    int32_t n_rows = mip->n_rows;

    for (int32_t j = 0; j < mip->n_columns; j++)
        mip->objective[j] = 0;
    for (int32_t i = 0; i < n_rows; i++) {
        const struct iso_mip_row *row = &mip->rows[i];
        double side = isinf(row->lower) ? row->upper : row->lower;
        if (row->kind >= ISO_N_ROW_KINDS || row->kind == ISO_ROW_COMMIT ||
            row->kind == ISO_ROW_MOVE || row->kind == ISO_ROW_RAMP ||
            (isinf(row->lower) && isinf(row->upper)))
            continue;
        int32_t at = iso_mip_add_column(mip, &(struct iso_mip_column){.upper = INFINITY});
        if (at < 0 || !iso_mip_add_entry(mip, i, isinf(row->upper) ? 1 : -1))
            return false;
        mip->objective[at] = 1 / fmax(1, fabs(side));
    }
    return true;
}

enum iso_status iso_prove_infeasible(struct iso_search *search, struct iso_tier *tier,
                                     struct iso_error *reterr)
{
    struct iso_mip elastic __attribute__((cleanup(iso_mip_fini))) = {0};
    ISO_AUTO(iso_lp) lp = NULL;
    struct iso_control control = iso_search_control(search);
    enum iso_lp_outcome outcome;

    if (!iso_mip_copy(&elastic, &search->formulation->mip) || !add_slacks(&elastic))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a proof");
    ISO_AUTO_MEM double *duals = iso_calloc((size_t)elastic.n_rows, sizeof(*duals));
    if (!duals)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a proof");
    control.stop = NULL;
    ISO_TRY(iso_lp_new(&elastic, NULL, &lp, reterr));
    ISO_TRY(iso_lp_solve(lp, &control, &search->iterations, &outcome, reterr));
    tier->proof = ISO_PROOF_SEARCH;
    if (outcome != ISO_LP_OPTIMAL)
        return ISO_OK;
    iso_lp_duals(lp, duals);
    int32_t before = search->plan->n_duals;
    ISO_TRY(iso_prove(search, duals, false, tier, reterr));
    if (tier->checked_bound > 0) {
        tier->proof = ISO_PROOF_RAY;
    } else {
        search->plan->n_duals = before;
        tier->n_duals = 0;
        tier->checked_bound = -INFINITY;
    }
    return ISO_OK;
}

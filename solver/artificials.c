/* Artificial columns: they let a program that has too few columns have a point, so that there are
 * multipliers to price more columns by. */
#include <math.h>
#include <stdlib.h>

#include "search.h"

#define DEARER 30.0 /* what artificial columns cost more when they stay */
#define DEAREST 1e6 /* beyond that the columns at hand are taken for too few */
#define NOTHING 1e-9

void iso_artificials_fini(struct iso_artificials *artificials)
{
    free(artificials->costs);
    artificials->costs = NULL;
}

/* What flags and the like fill of a row is asked of other rows: a place where enough must run asks
 * for as much to run there. So a unit of the row may cost as much as what it asks for. */
static void pass_on(const struct iso_mip *mip, const struct iso_mip_column *column, double *costs,
                    int32_t n_costs)
{
    const struct iso_mip_entry *entries = &mip->entries[column->first_entry];
    double asked = 0;

    for (int32_t k = 0; k < column->n_entries; k++)
        if (entries[k].coefficient < 0 && entries[k].row < n_costs)
            asked -= entries[k].coefficient * costs[entries[k].row];
    for (int32_t k = 0; k < column->n_entries && asked > 0; k++)
        if (entries[k].coefficient > 0 && entries[k].row < n_costs)
            costs[entries[k].row] = fmax(costs[entries[k].row], asked / entries[k].coefficient);
}

/* More than any instance asks for a unit of the row. */
static void find_costs(const struct iso_mip *mip, int32_t period, double *costs, int32_t n_costs)
{
    for (int32_t i = 0; i < n_costs; i++)
        costs[i] = 1e-3;
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        if (!iso_column_runs(column) || (period >= 0 && column->c != period))
            continue;
        for (int32_t k = 0; k < column->n_entries; k++) {
            const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
            double unit = 2 * mip->objective[j] / fabs(entry->coefficient);
            if (entry->row < n_costs && unit > costs[entry->row])
                costs[entry->row] = unit;
        }
    }
    for (int32_t j = 0; j < mip->n_columns && period < 0; j++)
        if (mip->columns[j].kind == ISO_COLUMN_DOMAIN)
            pass_on(mip, &mip->columns[j], costs, n_costs);
}

enum iso_status iso_artificials_open(struct iso_artificials *artificials,
                                     const struct iso_search *search, struct iso_lp *lp,
                                     int32_t period, struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;

    artificials->n_costs = mip->n_rows; /* rows that come later need no artificial columns */
    artificials->costs = iso_calloc((size_t)mip->n_rows, sizeof(*artificials->costs));
    if (!artificials->costs)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for artificial columns");
    artificials->factor = 1;
    find_costs(mip, period, artificials->costs, artificials->n_costs);
    return iso_lp_price_artificials(lp, artificials->costs, reterr);
}

enum iso_status iso_artificials_raise(struct iso_artificials *artificials,
                                      const struct iso_search *search, struct iso_lp *lp,
                                      int32_t *ret_n_new, struct iso_error *reterr)
{
    bool needed = iso_lp_artificial_sum(lp) > NOTHING;

    if (needed && artificials->factor < DEAREST) {
        artificials->factor *= DEARER;
        /* only those that stand for something: beside the dearest, GLPK takes what others cost for
         * nothing */
        for (int32_t i = 0; i < artificials->n_costs; i++)
            if (iso_lp_artificial(lp, i) > NOTHING)
                artificials->costs[i] *= DEARER;
        *ret_n_new = 1;
        return iso_lp_price_artificials(lp, artificials->costs, reterr);
    }
    artificials->factor = 0;
    ISO_TRY(iso_lp_price_artificials(lp, NULL, reterr));
    iso_artificials_fini(artificials);
    *ret_n_new = needed && search->unlisted ? 0 : 1;
    return needed && !search->unlisted ? iso_lp_add_all(lp, ret_n_new, reterr) : ISO_OK;
}

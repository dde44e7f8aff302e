/* Rows that wait until a point breaks them.
 *
 * Most caps and most rules of survival are slack at the optimum, and simplex pays for every row it
 * carries. Such rows are left out at first; when the point of a solve breaks some, these are loaded
 * and the dual simplex goes on. The multiplier of a row that was never needed is 0, so what is
 * proved is the same (row generation; the "lazy constraints" of branch-and-cut codes). */
#include <math.h>
#include <stdlib.h>

#include "glpk_lp_state.h"

#define BROKEN 1e-7 /* relative; what simplex itself allows */

bool iso_lp_row_waits(const struct iso_lp *lp, int32_t i)
{
    enum iso_row_kind kind = lp->mip->rows[i].kind;

    return lp->patient && (kind == ISO_ROW_SURVIVE || kind == ISO_ROW_SHARE_MAX ||
                           kind == ISO_ROW_SHARE_MIN || kind == ISO_ROW_LIMIT);
}

bool iso_lp_row_counts(const struct iso_lp *lp, int32_t i)
{
    return lp->period < 0 || iso_mip_row_period(&lp->mip->rows[i]) == lp->period;
}

static bool breaks(const struct iso_mip_row *row, double activity)
{
    return activity < row->lower - BROKEN * (1 + fabs(row->lower)) ||
           activity > row->upper + BROKEN * (1 + fabs(row->upper));
}

int32_t iso_lp_load_broken(struct iso_lp *lp, bool all)
{
    ISO_AUTO_MEM double *x = iso_calloc((size_t)lp->mip->n_columns, sizeof(*x));
    ISO_AUTO_MEM double *activity = iso_calloc((size_t)lp->mip->n_rows, sizeof(*activity));
    int32_t n = 0;

    if (!x || !activity)
        return -1;
    iso_lp_values(lp, x);
    iso_mip_activity(lp->mip, x, activity);
    for (int32_t i = 0; i < lp->mip->n_rows; i++) {
        if (lp->row_place[i] != 0 || lp->dissolved[i] || !iso_lp_row_waits(lp, i) ||
            !iso_lp_row_counts(lp, i) || !(all || breaks(&lp->mip->rows[i], activity[i])))
            continue;
        iso_lp_load_row(lp, i);
        lp->young[i] = 1;
        lp->any_young = true;
        if (lp->artificial_costs && !iso_lp_add_artificial(lp, i))
            return -1;
        n++;
    }
    return n;
}

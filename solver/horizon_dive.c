/* The dive: purchases are made whole one after the other, the one farthest from whole first, and
 * the master is solved again after each. Fixing a purchase never leaves the master without a point:
 * instances can always be paid. */
#include <math.h>

#include "horizon.h"

#define WHOLE 1e-6  /* from here on a purchase counts as whole */
#define UP_FROM 0.4 /* fractions of purchases from here on are rounded up */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the purchases of a long horizon");
}

/* The purchase that is farthest from whole, or -1. */
static int32_t most_fractional(const struct iso_master *master, const double *x, double *ret_value)
{
    int32_t n_starts = master->h->first_start[master->h->problem->n_products], best = -1;
    double farthest = WHOLE;

    for (int32_t i = 0; i < n_starts; i++) {
        int32_t j = master->buy_column[i];
        if (j < 0)
            continue;
        double from = fabs(x[j] - round(x[j]));
        if (from > farthest) {
            farthest = from;
            best = j;
            *ret_value = x[j];
        }
    }
    return best;
}

enum iso_status iso_master_dive(struct iso_master *master, struct iso_error *reterr)
{
    struct iso_horizon_case *h = master->h;
    ISO_AUTO_MEM double *x = iso_calloc((size_t)master->mip.n_columns, sizeof(*x));
    enum iso_lp_outcome outcome = ISO_LP_OPTIMAL;
    double value = 0;

    if (!x)
        return no_memory(reterr);
    for (;;) {
        iso_program_values(master->lp, x);
        int32_t j = most_fractional(master, x, &value);
        if (j < 0 || outcome != ISO_LP_OPTIMAL)
            break;
        double down = floor(value);
        double fixed = value - down >= UP_FROM ? down + 1 : down;
        ISO_TRY(iso_program_bound_column(master->lp, j, fixed, fixed, reterr));
        ISO_TRY(iso_master_solve_once(master, &outcome, reterr));
    }
    for (int32_t i = 0; i < h->first_start[h->problem->n_products]; i++)
        if (master->buy_column[i] >= 0)
            h->bought[i] = llround(fmax(0, x[master->buy_column[i]]));
    return ISO_OK;
}

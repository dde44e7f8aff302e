/* The dive: commitments are made whole in the relaxation, so that the levels fall apart.
 *
 * Each step takes the whole columns of no level (purchases, domain flags) whose fractions are
 * farthest from one half, an eighth of all that are fractional, fixes each up when its fraction is
 * at least 0.5 and down otherwise, and repairs the relaxation by dual simplex. When that has no
 * point the step is taken back, and only its first column is fixed; when that has none either, to
 * the other side. Flags of presence come before: their fractions say little, as any number of
 * instances may hide behind a small one. Columns are priced again at the end, as prices have moved
 * by then. */
#include <math.h>
#include <stdlib.h>

#include "search.h"

#define FRACTION 1e-6 /* nearer to whole is whole */
#define UP_FROM 0.5
#define MAXIMUM_STEPS 400
#define BATCH 8 /* one column in so many that are fractional is fixed in a step */

static bool spans_levels(const struct iso_mip_column *column)
{
    return column->integer &&
           (column->kind == ISO_COLUMN_BUY || column->kind == ISO_COLUMN_DOMAIN ||
            column->kind == ISO_COLUMN_PRESENCE);
}

struct fractional {
    int32_t column;
    double value, distance; /* of the fraction from one half */
};

static int farthest_first(const void *left, const void *right)
{
    const struct fractional *a = left, *b = right;

    if (a->distance != b->distance)
        return a->distance > b->distance ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

static int32_t find_fractional(const struct iso_mip *mip, const double *x,
                               struct fractional *ret_list)
{
    int32_t n = 0;

    for (int32_t j = 0; j < mip->n_columns; j++) {
        double fraction = x[j] - floor(x[j]);
        if (spans_levels(&mip->columns[j]) && fraction >= FRACTION && fraction <= 1 - FRACTION)
            ret_list[n++] = (struct fractional){j, x[j], fabs(fraction - 0.5)};
    }
    qsort(ret_list, (size_t)n, sizeof(*ret_list), farthest_first);
    return n;
}

/* Fixes n columns, the first to the other side when `other`, and repairs the relaxation. */
static enum iso_status fix(struct iso_search *search, struct iso_lp *lp,
                           const struct fractional *list, int32_t n, bool other,
                           enum iso_lp_outcome *ret_outcome, struct iso_error *reterr)
{
    struct iso_control control = iso_search_control(search);

    for (int32_t i = 0; i < n; i++) {
        const struct iso_mip_column *c = &search->formulation->mip.columns[list[i].column];
        bool up = list[i].value - floor(list[i].value) >= UP_FROM;
        double value = up != other ? ceil(list[i].value) : floor(list[i].value);
        value = fmin(fmax(value, c->lower), c->upper);
        ISO_TRY(iso_lp_set_bounds(lp, list[i].column, value, value, reterr));
    }
    return iso_lp_solve(lp, &control, &search->iterations, ret_outcome, reterr);
}

static enum iso_status take_back(struct iso_search *search, struct iso_lp *lp,
                                 const struct fractional *list, int32_t n, struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;

    for (int32_t i = 0; i < n; i++)
        ISO_TRY(iso_lp_set_bounds(lp, list[i].column, mip->columns[list[i].column].lower,
                                  mip->columns[list[i].column].upper, reterr));
    return ISO_OK;
}

/* One step; *ret_alive: the relaxation still has a point, which is in x. */
static enum iso_status step(struct iso_search *search, struct iso_lp *lp,
                            const struct fractional *list, int32_t n, double *x, bool *ret_alive,
                            struct iso_error *reterr)
{
    enum iso_lp_outcome outcome;
    int32_t n_fixed = n / BATCH > 1 ? n / BATCH : 1;

    ISO_TRY(fix(search, lp, list, n_fixed, false, &outcome, reterr));
    if (outcome == ISO_LP_INFEASIBLE && n_fixed > 1) {
        ISO_TRY(take_back(search, lp, list, n_fixed, reterr));
        ISO_TRY(fix(search, lp, list, 1, false, &outcome, reterr));
    }
    if (outcome == ISO_LP_INFEASIBLE)
        ISO_TRY(fix(search, lp, list, 1, true, &outcome, reterr));
    *ret_alive = outcome == ISO_LP_OPTIMAL;
    if (*ret_alive)
        iso_lp_values(lp, x);
    return ISO_OK;
}

/* Sets flags of presence; as the relaxation has them where that leaves no point. */
static enum iso_status fix_presence(struct iso_search *search, struct iso_lp *lp, double *x,
                                    struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    struct iso_control control = iso_search_control(search);
    ISO_AUTO_MEM uint8_t *set = iso_calloc((size_t)mip->n_columns, 1);
    enum iso_lp_outcome outcome = ISO_LP_INFEASIBLE;

    if (!set)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a dive");
    if (!iso_mip_has(mip, ISO_COLUMN_PRESENCE))
        return ISO_OK;
    for (int generous = 0; generous < 2 && outcome == ISO_LP_INFEASIBLE; generous++) {
        ISO_TRY(iso_first_presence(search, x, generous, set, reterr));
        for (int32_t j = 0; j < mip->n_columns; j++)
            if (mip->columns[j].kind == ISO_COLUMN_PRESENCE)
                ISO_TRY(iso_lp_set_bounds(lp, j, set[j], set[j], reterr));
        ISO_TRY(iso_lp_solve(lp, &control, &search->iterations, &outcome, reterr));
    }
    if (outcome == ISO_LP_OPTIMAL)
        iso_lp_values(lp, x);
    for (int32_t j = 0; j < mip->n_columns && outcome != ISO_LP_OPTIMAL; j++)
        if (mip->columns[j].kind == ISO_COLUMN_PRESENCE)
            ISO_TRY(iso_lp_set_bounds(lp, j, mip->columns[j].lower, mip->columns[j].upper, reterr));
    return ISO_OK;
}

/* Fixes what is whole now, so that pricing cannot undo it, and prices once more. */
static enum iso_status settle(struct iso_search *search, struct iso_lp *lp, double *x,
                              double *duals, struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    enum iso_lp_outcome outcome;

    for (int32_t j = 0; j < mip->n_columns; j++)
        if (spans_levels(&mip->columns[j]))
            ISO_TRY(iso_lp_set_bounds(lp, j, round(x[j]), round(x[j]), reterr));
    search->purchases_fixed = true;
    enum iso_status status = iso_relax_listed(search, lp, duals, &outcome, reterr);
    search->purchases_fixed = false;
    ISO_TRY(status);
    if (outcome != ISO_LP_OPTIMAL)
        return ISO_OK;
    iso_lp_values(lp, x);
    iso_lp_duals(lp, duals);
    return iso_price_fixed_purchases(search, x, duals, reterr);
}

enum iso_status iso_dive(struct iso_search *search, struct iso_lp *lp, double *x, double *duals,
                         bool *ret_whole, struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    ISO_AUTO_MEM struct fractional *list = iso_calloc((size_t)mip->n_columns, sizeof(*list));
    enum iso_status status = ISO_OK;
    bool alive = true;
    int32_t n;

    if (!list)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a dive");
    ISO_TRY(fix_presence(search, lp, x, reterr));
    n = find_fractional(mip, x, list);
    for (int32_t steps = 0; status == ISO_OK && alive && n > 0; steps++) {
        if (steps == MAXIMUM_STEPS || iso_search_stops(search))
            alive = false;
        else
            status = step(search, lp, list, n, x, &alive, reterr);
        n = find_fractional(mip, x, list);
    }
    if (status == ISO_OK && alive)
        status = settle(search, lp, x, duals, reterr);
    *ret_whole = alive;
    for (int32_t j = 0; j < mip->n_columns && status == ISO_OK; j++)
        if (spans_levels(&mip->columns[j]))
            status = iso_lp_set_bounds(lp, j, mip->columns[j].lower, mip->columns[j].upper, reterr);
    return status;
}

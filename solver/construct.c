/* A plan from the relaxation, where rounding finds none that is near it.
 *
 * Level by level, the levels to come at their relaxation; where the tree of a level finds no point,
 * cell by cell, the cells to come at a relaxation of their own. Levels hang together through
 * budgets, and whole instances cost more than the relaxation says: while a plan is built a budget
 * may be overspent at a price. Then cell by cell is optimised again under that price, which rises
 * until all budgets hold. Each cell has its own instances to start from, so that there is always a
 * point; whole levels found none in two trees of three. */
#include <math.h>

#include "improve.h"

#define LEVEL_COLUMNS 160 /* instance columns of a whole level */
#define LEVEL_NODES 300
#define LEVEL_GAP 0.002  /* of what a level costs */
#define KEPT_BELOW 2.0   /* the tree of a level decides little more than fractions */
#define LARGEST_LEVEL 20 /* cells of a level that one tree may bear */
#define CELL_COLUMNS 30
#define CELL_NODES 600
#define CELL_GAP 0.002
#define WIDEST 64 /* times the columns and nodes of a level that has no point otherwise */
#define PRICE_ROUNDS 12
#define FIRST_PRICE 0.5 /* of a unit that a budget is overspent by */
#define DEARER 2.0
#define PATIENCE 0.5 /* of the time that is left, when there is a plan to go on from otherwise */

/* Whether building takes too long; a search that must be repeatable goes on by counts alone. */
static bool is_late(const struct iso_search *search, double left_s)
{
    return search->has_best && !search->problem->options.deterministic &&
           iso_search_left(search) < (1 - PATIENCE) * left_s;
}

/* One level whole, the others as they are: near the relaxation, or `wide` times as many columns. */
static enum iso_status try_level(struct iso_improver *improver, int32_t t, int32_t n, int32_t wide,
                                 bool *ret_found, struct iso_error *reterr)
{
    struct iso_mip_limits limits =
        iso_improver_limits(improver, LEVEL_GAP, n, (int64_t)wide * LEVEL_NODES);
    bool solved;

    limits.no_cuts = wide > 1;
    iso_neighbourhood_clear(&improver->n);
    for (int32_t i = 0; i < n; i++)
        iso_improver_free_block(improver, improver->cells[i] * improver->blocks.n_periods + t,
                                wide * LEVEL_COLUMNS / n, wide > 1 ? INFINITY : KEPT_BELOW);
    iso_followers_free(&improver->followers, &improver->n);
    return iso_neighbourhood_solve(&improver->n, INFINITY, &limits, ret_found, &solved, reterr);
}

/* Cell by cell, those to come at a relaxation that makes room for the one at hand (relax and fix).
 */
static enum iso_status relax_and_fix(struct iso_improver *improver, int32_t t, int32_t n,
                                     double left_s, bool *ret_found, struct iso_error *reterr)
{
    bool solved;

    *ret_found = true;
    for (int32_t k = 0; k < n && *ret_found; k++) {
        struct iso_mip_limits limits = iso_improver_limits(improver, CELL_GAP, 1, CELL_NODES);
        iso_neighbourhood_clear(&improver->n);
        for (int32_t i = k; i < n; i++) {
            iso_improver_free_block(improver, improver->cells[i] * improver->blocks.n_periods + t,
                                    i == k ? CELL_COLUMNS : LEVEL_COLUMNS / n, INFINITY);
            iso_followers_free(&improver->followers, &improver->n);
            if (i == k)
                iso_neighbourhood_relax(&improver->n);
        }
        ISO_TRY(
            iso_neighbourhood_solve(&improver->n, INFINITY, &limits, ret_found, &solved, reterr));
        *ret_found &= !is_late(improver->search, left_s);
    }
    return ISO_OK;
}

/* One level: by a tree over all of it, from cell to cell, and by wider trees as long as there is no
 * point. */
static enum iso_status construct_level(struct iso_improver *improver, int32_t t, double left_s,
                                       bool *ret_found, struct iso_error *reterr)
{
    int32_t n = iso_improver_cells(improver, t, improver->cells);

    *ret_found = n == 0;
    if (n > 0 && n <= LARGEST_LEVEL)
        ISO_TRY(try_level(improver, t, n, 1, ret_found, reterr));
    if (!*ret_found && !is_late(improver->search, left_s))
        ISO_TRY(relax_and_fix(improver, t, n, left_s, ret_found, reterr));
    for (int wide = 4; wide <= WIDEST && !*ret_found && !is_late(improver->search, left_s);
         wide *= 4)
        ISO_TRY(try_level(improver, t, n, wide, ret_found, reterr));
    return ISO_OK;
}

/* The budgets, at first at what the relaxation pays for a unit or a fraction of it. */
static void price_budgets(const struct iso_improver *improver, struct iso_priced_row *prices,
                          int32_t *ret_n)
{
    const struct iso_mip *mip = &improver->search->formulation->mip;

    *ret_n = 0;
    for (int32_t i = 0; i < mip->n_rows; i++)
        if (mip->rows[i].kind == ISO_ROW_BUDGET && !isinf(mip->rows[i].upper))
            prices[(*ret_n)++] = (struct iso_priced_row){i, fmax(FIRST_PRICE, -improver->duals[i])};
}

/* Raises the prices of budgets that are overspent; false when none is. */
static bool raise_prices(const struct iso_improver *improver, struct iso_priced_row *prices,
                         int32_t n)
{
    const struct iso_mip *mip = &improver->search->formulation->mip;
    bool over = false;

    for (int32_t i = 0; i < n; i++) {
        double upper = mip->rows[prices[i].row].upper;
        if (improver->n.activity[prices[i].row] - upper <= 1e-9 * (1 + fabs(upper)))
            continue;
        prices[i].price *= DEARER;
        over = true;
    }
    return over;
}

enum iso_status iso_construct(struct iso_improver *improver, struct iso_error *reterr)
{
    struct iso_search *search = improver->search;
    ISO_AUTO_MEM struct iso_priced_row *prices =
        iso_calloc((size_t)search->formulation->mip.n_rows, sizeof(*prices));
    double left_s = iso_search_left(search);
    int32_t n_prices;
    bool found = true, taken;

    if (!prices)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to build a plan");
    iso_followers_look(&improver->followers, &improver->n);
    price_budgets(improver, prices, &n_prices);
    improver->n.priced = prices;
    improver->n.n_priced = n_prices;
    for (int32_t t = 0; t < improver->blocks.n_periods && found && !iso_search_stops(search); t++)
        ISO_TRY(construct_level(improver, t, left_s, &found, reterr));
    for (int round = 0; round < PRICE_ROUNDS && found && !iso_search_stops(search); round++) {
        if (!raise_prices(improver, prices, n_prices))
            break;
        improver->since[1] = 0;
        ISO_TRY(iso_improve_groups(improver, 1, reterr));
    }
    improver->gain = 0;
    improver->n.n_priced = 0;
    if (!found)
        return ISO_OK;
    ISO_TRY(iso_search_offer(search, improver->n.x, &taken, reterr));
    if (taken)
        iso_neighbourhood_move(&improver->n, search->best);
    return ISO_OK;
}

/* Column generation on the relaxation of the tier at hand.
 *
 * Columns come in as they price out, so large problems load few of them. Fill patterns that are not
 * listed are priced too: the pattern with the largest value under the multipliers, for each
 * offering and period. Its value is a bound on every plan. */
#include <math.h>
#include <string.h>

#include "block.h"
#include "cheapest.h"
#include "product_pricing.h"
#include "search.h"
#include "unlisted.h"

#define START_COLUMNS 4000 /* formulations up to this size are loaded whole */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for column generation");
}

/* Products that come in bundles do so from the start. */
static void leave_bundles(const struct iso_search *search, uint8_t *active)
{
    const struct iso_mip *mip = &search->formulation->mip;

    for (int32_t j = 0; j < mip->n_columns && search->unlisted; j++)
        if ((mip->columns[j].kind == ISO_COLUMN_COVER || mip->columns[j].kind == ISO_COLUMN_BUY) &&
            search->unlisted->bundled[mip->columns[j].a])
            active[j] = 0;
}

/* Columns of instances and of commitments start inactive, except those of the best plan so far;
 * what a plan `from_nothing` buys is no more than a guess and waits to be priced like the rest. */
static enum iso_status choose_start(const struct iso_search *search, bool from_nothing,
                                    uint8_t *active, struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    struct iso_product_pricing pricing __attribute__((cleanup(iso_product_pricing_fini))) = {0};
    bool all = mip->n_columns <= START_COLUMNS;

    for (int32_t j = 0; j < mip->n_columns; j++)
        active[j] =
            all || (search->has_best && search->best[j] != 0) || !iso_column_runs(&mip->columns[j]);
    if (all) {
        leave_bundles(search, active);
        return ISO_OK;
    }
    ISO_TRY(iso_product_pricing_init(&pricing, search->formulation, reterr));
    iso_products_asleep(&pricing, search->formulation,
                        search->has_best && !from_nothing ? search->best : NULL, active);
    leave_bundles(search, active);
    return ISO_OK;
}

/* Brings in the inactive columns of each block with the most negative reduced costs. */
static enum iso_status price_columns(struct iso_search *search, struct iso_lp *lp,
                                     const double *duals, int32_t *io_n_new,
                                     struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    size_t n_blocks =
        (size_t)iso_problem_n_cells(search->problem) * (size_t)search->problem->n_periods;
    ISO_AUTO_MEM struct iso_cheapest *choices = iso_calloc(n_blocks, sizeof(*choices));

    if (!choices)
        return no_memory(reterr);
    for (int32_t j = 0; j < mip->n_columns; j++) {
        if (iso_lp_has_column(lp, j) || !iso_column_runs(&mip->columns[j]))
            continue;
        double reduced_cost = iso_reduced_cost(mip, duals, j);
        if (reduced_cost < -1e-9 * (1 + fabs(mip->objective[j])))
            iso_cheapest_show(&choices[iso_block_of(search->formulation, &mip->columns[j])], j,
                              reduced_cost);
    }
    for (size_t b = 0; b < n_blocks; b++)
        for (int32_t i = 0; i < choices[b].n; i++) {
            ISO_TRY(iso_lp_add_column(lp, choices[b].column[i], reterr));
            ++*io_n_new;
        }
    return ISO_OK;
}

/* A plan from nothing, so that there is one at once and the first relaxation has a point. */
static enum iso_status plan_from_nothing(struct iso_search *search, struct iso_error *reterr)
{
    ISO_AUTO_MEM double *x = iso_calloc((size_t)search->formulation->mip.n_columns, sizeof(*x));

    if (!x)
        return no_memory(reterr);
    ISO_TRY(iso_first_domains(search, x, reterr));
    return iso_first_plans(search, x, NULL, 1, reterr);
}

/* Prices what is listed, then what is not; `grow`: the latter may be listed. */
static enum iso_status price(struct iso_search *search, struct iso_product_pricing *pricing,
                             struct iso_lp *lp, double **io_duals, bool grow, int32_t *io_n_new,
                             struct iso_error *reterr)
{
    struct iso_formulation *f = search->formulation;
    int32_t before = f->mip.n_columns;

    ISO_TRY(price_columns(search, lp, *io_duals, io_n_new, reterr));
    ISO_TRY(iso_price_products(pricing, search, lp, *io_duals, io_n_new, reterr));
    if (!search->unlisted)
        return ISO_OK;
    ISO_TRY(iso_price_unlisted(search, lp, io_duals, grow, io_n_new, reterr));
    if (f->mip.n_columns == before)
        return ISO_OK;
    iso_product_pricing_fini(pricing);
    return iso_product_pricing_init(pricing, f, reterr);
}

/* The loop of column generation. */
static enum iso_status relax(struct iso_search *search, struct iso_lp *lp, double **io_duals,
                             bool grow, enum iso_lp_outcome *ret_outcome, struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    struct iso_control control = iso_search_control(search);
    struct iso_product_pricing pricing __attribute__((cleanup(iso_product_pricing_fini))) = {0};
    struct iso_artificials artificials __attribute__((cleanup(iso_artificials_fini))) = {0};

    ISO_TRY(iso_product_pricing_init(&pricing, search->formulation, reterr));
    for (;;) {
        int32_t n_new = 0;
        ISO_TRY(iso_lp_solve(lp, &control, &search->iterations, ret_outcome, reterr));
        if (*ret_outcome == ISO_LP_INFEASIBLE && artificials.factor == 0 && !iso_lp_is_whole(lp)) {
            ISO_TRY(iso_artificials_open(&artificials, search, lp, -1, reterr));
            continue;
        }
        if (*ret_outcome == ISO_LP_INFEASIBLE && search->unlisted)
            return ISO_OK; /* for now; whatever is not listed is tried then */
        if (*ret_outcome == ISO_LP_INFEASIBLE) {
            ISO_TRY(iso_lp_add_all(lp, &n_new, reterr));
            if (n_new == 0)
                return ISO_OK;
            continue;
        }
        if (*ret_outcome != ISO_LP_OPTIMAL)
            return ISO_OK;
        iso_lp_duals(lp, *io_duals);
        ISO_TRY(price(search, &pricing, lp, io_duals, grow, &n_new, reterr));
        if (n_new == 0 && artificials.factor > 0) {
            ISO_TRY(iso_artificials_raise(&artificials, search, lp, &n_new, reterr));
            if (n_new == 0)
                *ret_outcome = ISO_LP_INFEASIBLE;
        }
        if (n_new == 0) {
            iso_price_links(mip, *io_duals);
            return ISO_OK;
        }
        if (iso_search_stops(search)) {
            *ret_outcome = ISO_LP_STOPPED;
            return ISO_OK;
        }
    }
}

enum iso_status iso_relax_listed(struct iso_search *search, struct iso_lp *lp, double *duals,
                                 enum iso_lp_outcome *ret_outcome, struct iso_error *reterr)
{
    return relax(search, lp, &duals, false, ret_outcome, reterr);
}

enum iso_status iso_relax_further(struct iso_search *search, struct iso_lp *lp, double **io_duals,
                                  enum iso_lp_outcome *ret_outcome, struct iso_error *reterr)
{
    return relax(search, lp, io_duals, true, ret_outcome, reterr);
}

bool iso_all_patterns_listed(const struct iso_search *search)
{
    const struct iso_formulation *f = search->formulation;

    for (int32_t g = 0; g < search->problem->n_teams; g++)
        for (int32_t l = 0; l < f->pools[g].n_lists; l++)
            if (!f->pools[g].lists[l].complete)
                return false;
    return true;
}

/* Without a point of what prices brought in: everything is listed, and a program made anew. */
static enum iso_status relax_whole(struct iso_search *search, struct iso_lp **io_lp,
                                   double **io_duals, enum iso_lp_outcome *ret_outcome,
                                   struct iso_error *reterr)
{
    struct iso_formulation *f = search->formulation;
    int32_t before = f->mip.n_columns, n_rows = f->mip.n_rows;

    iso_lp_free(*io_lp);
    *io_lp = NULL;
    iso_unlisted_free(search->unlisted);
    search->unlisted = NULL;
    ISO_TRY(iso_formulation_list_all(f, reterr));
    ISO_TRY(iso_search_grow(search, before, reterr));
    ISO_TRY(iso_search_grow_duals(search, n_rows, io_duals, reterr));
    ISO_TRY(iso_lp_new(&f->mip, NULL, io_lp, reterr));
    return iso_relax_further(search, *io_lp, io_duals, ret_outcome, reterr);
}

enum iso_status iso_relax(struct iso_search *search, double **io_duals, struct iso_lp **ret_lp,
                          enum iso_lp_outcome *ret_outcome, struct iso_error *reterr)
{
    struct iso_mip *mip = &search->formulation->mip;
    ISO_AUTO(iso_lp) lp = NULL;

    ISO_AUTO_MEM uint8_t *active = iso_calloc((size_t)mip->n_columns, 1);
    if (!active)
        return no_memory(reterr);
    search->priced_out = iso_all_patterns_listed(search);
    bool takes_long = mip->n_columns > START_COLUMNS || search->unlisted || !search->priced_out;
    bool from_nothing = takes_long && !search->has_best;
    if (from_nothing)
        ISO_TRY(plan_from_nothing(search, reterr));
    ISO_TRY(choose_start(search, from_nothing, active, reterr));
    ISO_TRY(iso_lp_new(mip, active, &lp, reterr));
    if (search->basis.n_columns > 0)
        ISO_TRY(iso_lp_start_from(lp, &search->basis, reterr));
    for (;;) {
        ISO_TRY(iso_relax_further(search, lp, io_duals, ret_outcome, reterr));
        if (*ret_outcome == ISO_LP_INFEASIBLE && search->unlisted)
            ISO_TRY(relax_whole(search, &lp, io_duals, ret_outcome, reterr));
        int32_t before = mip->n_columns;
        if (search->priced_out || *ret_outcome != ISO_LP_OPTIMAL || iso_search_stops(search))
            break;
        ISO_TRY(iso_price_patterns(search, *io_duals, &search->priced_out, reterr));
        if (mip->n_columns == before)
            break;
        ISO_TRY(iso_search_grow(search, before, reterr));
        ISO_TRY(iso_lp_grow(lp, reterr));
        for (int32_t j = before; j < mip->n_columns; j++)
            ISO_TRY(iso_lp_add_column(lp, j, reterr));
        search->priced_out = false;
    }
    *ret_lp = ISO_STEAL(lp);
    return ISO_OK;
}

#include "product_pricing.h"

#include <math.h>
#include <stdlib.h>

#include "block.h"
#include "unlisted.h"

#define WOKEN_A_ROUND 8
#define NEGATIVE 1e-9 /* relative to the price */

enum iso_status iso_product_pricing_init(struct iso_product_pricing *pricing,
                                         const struct iso_formulation *formulation,
                                         struct iso_error *reterr)
{
    const struct iso_mip *mip = &formulation->mip;
    int32_t n_products = formulation->problem->n_products, n = 0;
    size_t n_blocks =
        (size_t)iso_problem_n_cells(formulation->problem) * (size_t)formulation->problem->n_periods;

    for (int32_t j = 0; j < mip->n_columns; j++)
        n += mip->columns[j].kind == ISO_COLUMN_COVER || mip->columns[j].kind == ISO_COLUMN_BUY;
    pricing->first = iso_calloc((size_t)n_products + 2, sizeof(*pricing->first));
    pricing->columns = iso_calloc((size_t)n, sizeof(*pricing->columns));
    pricing->instance = iso_calloc((size_t)mip->n_rows, sizeof(*pricing->instance));
    pricing->partner = iso_calloc((size_t)mip->n_rows, sizeof(*pricing->partner));
    pricing->choices = iso_calloc(n_blocks, sizeof(*pricing->choices));
    pricing->chosen = iso_calloc(n_blocks, sizeof(*pricing->chosen));
    if (!pricing->first || !pricing->columns || !pricing->instance || !pricing->partner ||
        !pricing->choices || !pricing->chosen)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to price commitments");
    for (int pass = 0; pass < 2; pass++) {
        for (int32_t j = 0; j < mip->n_columns; j++) {
            int kind = mip->columns[j].kind;
            if (kind != ISO_COLUMN_COVER && kind != ISO_COLUMN_BUY)
                continue;
            if (pass == 0)
                pricing->first[mip->columns[j].a + 2]++;
            else
                pricing->columns[pricing->first[mip->columns[j].a + 1]++] = j;
        }
        for (int32_t c = 0; c < n_products && pass == 0; c++)
            pricing->first[c + 2] += pricing->first[c + 1];
    }
    return ISO_OK;
}

void iso_product_pricing_fini(struct iso_product_pricing *pricing)
{
    free(pricing->first);
    free(pricing->columns);
    free(pricing->instance);
    free(pricing->partner);
    free(pricing->choices);
    free(pricing->chosen);
    *pricing = (struct iso_product_pricing){0};
}

static bool held(const struct iso_problem *problem, int32_t c)
{
    for (int32_t t = 0; t < problem->n_periods; t++)
        if (problem->products[c].existing[t] > 0)
            return true;
    return false;
}

void iso_products_asleep(const struct iso_product_pricing *pricing,
                         const struct iso_formulation *formulation, const double *best,
                         uint8_t *active)
{
    const struct iso_mip *mip = &formulation->mip;

    for (int32_t c = 0; c < formulation->problem->n_products; c++) {
        bool awake = held(formulation->problem, c);
        for (int32_t at = pricing->first[c]; at < pricing->first[c + 1] && best; at++)
            awake |= mip->columns[pricing->columns[at]].kind == ISO_COLUMN_BUY &&
                     best[pricing->columns[at]] != 0;
        for (int32_t at = pricing->first[c]; at < pricing->first[c + 1]; at++)
            active[pricing->columns[at]] = awake;
    }
}

/* The link row of a coverage column: its first entry, as iso_formulation_cover() makes it. */
static int32_t link_of(const struct iso_mip *mip, int32_t column)
{
    return mip->entries[mip->columns[column].first_entry].row;
}

static void price_instances(struct iso_product_pricing *pricing, const struct iso_mip *mip,
                            const double *duals)
{
    for (int32_t i = 0; i < mip->n_rows; i++) {
        pricing->instance[i] = INFINITY;
        pricing->partner[i] = -1;
    }
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        double reduced_cost = NAN;
        for (int32_t k = 0; k < column->n_entries && iso_column_runs(column); k++) {
            int32_t row = mip->entries[column->first_entry + k].row;
            if (mip->rows[row].kind != ISO_ROW_LINK_COVER)
                continue;
            if (isnan(reduced_cost))
                reduced_cost = iso_reduced_cost(mip, duals, j);
            if (column->kind == ISO_COLUMN_PATTERN) /* it comes by itself when it is below 0 */
                reduced_cost = fmax(0, reduced_cost);
            if (reduced_cost < pricing->instance[row]) {
                pricing->instance[row] = reduced_cost;
                pricing->partner[row] = j;
            }
        }
    }
}

static enum iso_status bring(struct iso_lp *lp, int32_t column, int32_t *io_n_new,
                             struct iso_error *reterr)
{
    if (column < 0 || iso_lp_has_column(lp, column))
        return ISO_OK;
    ++*io_n_new;
    return iso_lp_add_column(lp, column, reterr);
}

/* Coverage of a product that is awake: in each block the few pairs of an instance and its coverage
 * that save most. A spend plan covers whatever a provider has: all of it at once would swamp the
 * linear program. */
static enum iso_status price_coverage(const struct iso_product_pricing *pricing,
                                      const struct iso_formulation *f, struct iso_lp *lp,
                                      const double *duals, int32_t c, int32_t *io_n_new,
                                      struct iso_error *reterr)
{
    const struct iso_mip *mip = &f->mip;
    int32_t n_chosen = 0;

    for (int32_t at = pricing->first[c]; at < pricing->first[c + 1]; at++) {
        int32_t j = pricing->columns[at];
        if (mip->columns[j].kind != ISO_COLUMN_COVER || iso_lp_has_column(lp, j))
            continue;
        int32_t link = link_of(mip, j);
        if (pricing->partner[link] < 0)
            continue;
        double pair = pricing->instance[link] + iso_reduced_cost(mip, duals, j);
        if (pair >= -NEGATIVE * (1 + fabs(mip->objective[j])))
            continue;
        int64_t block = iso_block_of(f, &mip->columns[pricing->partner[link]]);
        if (pricing->choices[block].n == 0)
            pricing->chosen[n_chosen++] = block;
        iso_cheapest_show(&pricing->choices[block], j, pair);
    }
    for (int32_t at = 0; at < n_chosen; at++) {
        struct iso_cheapest *choice = &pricing->choices[pricing->chosen[at]];
        for (int32_t i = 0; i < choice->n; i++) {
            int32_t partner = pricing->partner[link_of(mip, choice->column[i])];
            ISO_TRY(bring(lp, choice->column[i], io_n_new, reterr));
            if (mip->columns[partner].kind == ISO_COLUMN_PATTERN)
                ISO_TRY(bring(lp, partner, io_n_new, reterr));
        }
        choice->n = 0;
    }
    return ISO_OK;
}

/* Sets -need_ct as multipliers of a sleeping product and gives the reduced cost of its cheapest
 * purchase. */
static double price_sleeping(const struct iso_product_pricing *pricing, const struct iso_mip *mip,
                             double *duals, int32_t c)
{
    double least = INFINITY;

    for (int32_t at = pricing->first[c]; at < pricing->first[c + 1]; at++) {
        int32_t j = pricing->columns[at];
        if (mip->columns[j].kind == ISO_COLUMN_COVER)
            duals[mip->entries[mip->columns[j].first_entry + 1].row] = 0;
    }
    for (int32_t at = pricing->first[c]; at < pricing->first[c + 1]; at++) {
        int32_t j = pricing->columns[at];
        if (mip->columns[j].kind != ISO_COLUMN_COVER)
            continue;
        const struct iso_mip_entry *commit = &mip->entries[mip->columns[j].first_entry + 1];
        if (pricing->partner[link_of(mip, j)] < 0)
            continue;
        double alone = iso_reduced_cost(mip, duals, j) + duals[commit->row] * commit->coefficient;
        double pair = pricing->instance[link_of(mip, j)] + alone;
        if (pair < 0 && pair / commit->coefficient < duals[commit->row])
            duals[commit->row] = pair / commit->coefficient;
    }
    for (int32_t at = pricing->first[c]; at < pricing->first[c + 1]; at++)
        if (mip->columns[pricing->columns[at]].kind == ISO_COLUMN_BUY)
            least = fmin(least, iso_reduced_cost(mip, duals, pricing->columns[at]));
    return least;
}

/* Wakes a product: its purchases, and coverage that its multipliers were made of. */
static enum iso_status wake(const struct iso_product_pricing *pricing,
                            const struct iso_formulation *f, struct iso_lp *lp, double *duals,
                            int32_t c, int32_t *io_n_new, struct iso_error *reterr)
{
    const struct iso_mip *mip = &f->mip;

    for (int32_t at = pricing->first[c]; at < pricing->first[c + 1]; at++) {
        int32_t j = pricing->columns[at];
        if (mip->columns[j].kind == ISO_COLUMN_COVER) /* as if it were free */
            duals[mip->entries[mip->columns[j].first_entry + 1].row] = 0;
        else
            ISO_TRY(bring(lp, j, io_n_new, reterr));
    }
    return price_coverage(pricing, f, lp, duals, c, io_n_new, reterr);
}

struct offer {
    int32_t product;
    double reduced_cost;
};

static int cheapest_first(const void *left, const void *right)
{
    const struct offer *a = left, *b = right;

    if (a->reduced_cost != b->reduced_cost)
        return a->reduced_cost < b->reduced_cost ? -1 : 1;
    return (a->product > b->product) - (a->product < b->product);
}

static bool asleep(const struct iso_product_pricing *pricing, const struct iso_mip *mip,
                   const struct iso_lp *lp, int32_t c)
{
    for (int32_t at = pricing->first[c]; at < pricing->first[c + 1]; at++)
        if (iso_lp_has_column(lp, pricing->columns[at]))
            return false;
    return pricing->first[c] < pricing->first[c + 1] &&
           mip->columns[pricing->columns[pricing->first[c]]].a == c;
}

enum iso_status iso_price_products(struct iso_product_pricing *pricing, struct iso_search *search,
                                   struct iso_lp *lp, double *duals, int32_t *io_n_new,
                                   struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    int32_t n_products = search->problem->n_products, n_offers = 0;
    ISO_AUTO_MEM struct offer *offers = iso_calloc((size_t)n_products, sizeof(*offers));

    if (!offers)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to price commitments");
    price_instances(pricing, mip, duals);
    for (int32_t c = 0; c < n_products; c++) {
        if (search->unlisted && search->unlisted->bundled[c])
            continue;
        if (!asleep(pricing, mip, lp, c)) {
            ISO_TRY(price_coverage(pricing, search->formulation, lp, duals, c, io_n_new, reterr));
            continue;
        }
        if (search->purchases_fixed)
            continue;
        double reduced_cost = price_sleeping(pricing, mip, duals, c);
        if (reduced_cost < 0 && !isinf(reduced_cost))
            offers[n_offers++] = (struct offer){c, reduced_cost};
    }
    qsort(offers, (size_t)n_offers, sizeof(*offers), cheapest_first);
    for (int32_t i = 0; i < n_offers; i++) {
        double price = 1e-9 * (1 + fabs(search->tier_bound > -1e300 ? search->tier_bound : 0));
        if (i < WOKEN_A_ROUND && offers[i].reduced_cost < -price)
            ISO_TRY(
                wake(pricing, search->formulation, lp, duals, offers[i].product, io_n_new, reterr));
    }
    return ISO_OK;
}

void iso_price_links(const struct iso_mip *mip, double *duals)
{
    for (int32_t j = 0; j < mip->n_columns; j++) {
        if (mip->columns[j].kind != ISO_COLUMN_COVER)
            continue;
        int32_t link = link_of(mip, j);
        double saved = duals[link] - iso_reduced_cost(mip, duals, j);
        duals[link] = fmax(duals[link], saved);
    }
}

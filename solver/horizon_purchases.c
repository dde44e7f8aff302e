/* What is bought, moved by what the periods themselves would pay with smaller and smaller steps:
 * the clusters know only means. The periods' own multipliers may prove more, too. */
#include <math.h>
#include <string.h>

#include "horizon_prices.h"

#define ROWS_ASKED 70000  /* rows of the periods that are asked, about, */
#define COLUMNS_ASKED 5e6 /* and columns, */
#define LEAST_ASKED 200   /* but at least so many periods */
#define MOVES 8
#define IDLE_MOVES 2      /* in a row, after which moving ends */
#define LARGEST_MOVE 0.25 /* part of a purchase, first */
#define PROMISING 0.999   /* part of the bound that a sample of the periods must prove */

/* What is bought costs, and the periods asked would cost with it, as all of them. */
static double estimate(const struct iso_prices *prices)
{
    const struct iso_horizon_case *h = prices->h;
    double cost = prices->relaxed * h->problem->n_periods / fmax(1, prices->n_noted);

    for (int32_t c = 0; c < h->problem->n_products; c++)
        for (int32_t s = 0; s < h->problem->products[c].n_starts; s++)
            cost += iso_start_cost(h, c, s) * (double)h->bought[h->first_start[c] + s];
    return cost;
}

/* Every so many periods one is asked: what that takes grows with the rows of its program and with
 * the columns that its prices are weighed against. */
static int32_t stride_of(const struct iso_horizon_case *h)
{
    double n = fmin((double)ROWS_ASKED / h->slice.n_rows, COLUMNS_ASKED / h->slice.n_columns);

    return h->problem->n_periods / (int32_t)fmax(n, LEAST_ASKED) + 1;
}

/* Leaves the cheapest purchases in h->bought, and in `weighed` those whose periods prove most:
 * about *ret_most. */
static enum iso_status move_purchases(struct iso_master *master, int64_t *weighed, double *ret_most,
                                      struct iso_error *reterr)
{
    struct iso_horizon_case *h = master->h;
    int32_t stride = stride_of(h);
    size_t n_starts = (size_t)h->first_start[h->problem->n_products];
    ISO_AUTO_MEM int64_t *cheapest = iso_calloc(n_starts, sizeof(*cheapest));
    double least = INFINITY, bound;
    bool changed = true;
    int idle = 0;

    if (!cheapest)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    memcpy(weighed, h->bought, n_starts * sizeof(*weighed));
    for (int round = 0; round < MOVES && idle < IDLE_MOVES && changed; round++) {
        if (iso_search_stops(&h->search))
            break;
        struct iso_prices prices __attribute__((cleanup(iso_prices_fini))) = {0};
        ISO_TRY(iso_prices_init(&prices, h, reterr));
        ISO_TRY(iso_hours_price(master, &prices, stride, reterr));
        if (prices.n_noted == 0)
            break;
        idle++;
        if (estimate(&prices) < least) {
            idle = 0;
            least = estimate(&prices);
            memcpy(cheapest, h->bought, n_starts * sizeof(*cheapest));
        }
        ISO_TRY(iso_prices_weigh(&prices, &bound, reterr));
        if (bound > *ret_most) {
            *ret_most = bound;
            memcpy(weighed, h->bought, n_starts * sizeof(*weighed));
        }
        changed = iso_prices_move(&prices, h, LARGEST_MOVE / (1 + round));
    }
    if (isfinite(least))
        memcpy(h->bought, cheapest, n_starts * sizeof(*cheapest));
    return ISO_OK;
}

/* Proves by the periods' own multipliers at the purchases `weighed`. */
static enum iso_status prove_by_periods(struct iso_master *master, const int64_t *weighed,
                                        struct iso_tier *tier, struct iso_error *reterr)
{
    struct iso_prices prices __attribute__((cleanup(iso_prices_fini))) = {0};
    struct iso_horizon_case *h = master->h;
    size_t n_starts = (size_t)h->first_start[h->problem->n_products];
    ISO_AUTO_MEM int64_t *bought = iso_calloc(n_starts, sizeof(*bought));

    if (!bought)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    memcpy(bought, h->bought, n_starts * sizeof(*bought));
    memcpy(h->bought, weighed, n_starts * sizeof(*bought));
    ISO_TRY(iso_prices_init(&prices, h, reterr));
    ISO_TRY(iso_hours_price(master, &prices, 1, reterr));
    ISO_TRY(iso_prices_prove(&prices, tier, reterr));
    memcpy(h->bought, bought, n_starts * sizeof(*bought));
    return ISO_OK;
}

enum iso_status iso_purchases_settle(struct iso_master *master, struct iso_tier *tier,
                                     struct iso_error *reterr)
{
    struct iso_horizon_case *h = master->h;
    size_t n_starts = (size_t)h->first_start[h->problem->n_products];
    ISO_AUTO_MEM int64_t *weighed = iso_calloc(n_starts, sizeof(*weighed));
    double most = -INFINITY;

    if (!weighed)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    ISO_TRY(move_purchases(master, weighed, &most, reterr));
    if (most < tier->checked_bound * PROMISING || iso_search_stops(&h->search))
        return ISO_OK;
    return prove_by_periods(master, weighed, tier, reterr);
}

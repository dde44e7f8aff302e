/* Pricing of commitments: coverage and purchases that a relaxation does not have yet.
 *
 * A product that may be bought brings a row (COMMIT) for each period and columns for whatever it
 * can cover, so most products sleep until one unit is worth its price. At multipliers without the
 * product, one more unit of it in period t saves at best
 *     need_ct = max over eligible (cell, o) of -(rc_x + rc_v) / use,  at least 0,
 * with rc_x the reduced cost of an instance and rc_v that of its coverage alone. The
 * multiplier -need_ct of row (c, t) is the smallest that prices every coverage out, so the product
 * is worth its price only when  lot * sum_t need_ct  is more than what a unit costs. */
#ifndef ISOCOST_PRODUCT_PRICING_H
#define ISOCOST_PRODUCT_PRICING_H

#include "cheapest.h"
#include "search.h"

struct iso_product_pricing {
    int32_t *first;               /* n_products + 1: columns of product c, */
    int32_t *columns;             /* coverage and purchases */
    double *instance;             /* n_rows: of cover links, least reduced cost of an instance */
    int32_t *partner;             /* n_rows: of cover links, the column with it */
    struct iso_cheapest *choices; /* [block]: coverage that may come in */
    int64_t *chosen;              /* blocks with any */
};

/* Errors: ISO_E_NOMEM. To be freed by iso_product_pricing_fini() also then. */
enum iso_status iso_product_pricing_init(struct iso_product_pricing *pricing,
                                         const struct iso_formulation *formulation,
                                         struct iso_error *reterr);
void iso_product_pricing_fini(struct iso_product_pricing *pricing);

/* Flags the columns of products that may sleep at the start: nothing is held of them and `best`
 * (may be NULL) buys none. */
void iso_products_asleep(const struct iso_product_pricing *pricing,
                         const struct iso_formulation *formulation, const double *best,
                         uint8_t *active);

/* Brings in coverage that pays with its instances, and the products that are worth their price.
 * Sets the multipliers of the products that go on sleeping. Adds to *io_n_new. */
enum iso_status iso_price_products(struct iso_product_pricing *pricing, struct iso_search *search,
                                   struct iso_lp *lp, double *duals, int32_t *io_n_new,
                                   struct iso_error *reterr);

/* Sets the multipliers of cover links that the linear program did without: what the best coverage
 * of an instance saves. */
void iso_price_links(const struct iso_mip *mip, double *duals);

#endif

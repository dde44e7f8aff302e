/* What multipliers make of a pool: the worth of its copies and the price of its instances. */
#ifndef ISOCOST_POOL_PRICES_H
#define ISOCOST_POOL_PRICES_H

#include "search.h"

/* For one pool and period: ret_values[list * n_workloads + place] is what the rows give for one
 * copy on an instance of a list's offering (0 where it may not run), ret_prices[list] what an empty
 * instance costs. A pattern has reduced cost  price - sum_j value_j n_j.  Errors: ISO_E_NOMEM. */
enum iso_status iso_price_pool(struct iso_search *search, const double *duals, int32_t team,
                               int32_t period, double *ret_values, double *ret_prices,
                               struct iso_error *reterr);

/* The most copies of each place that one instance of a list's offering can need: so many meet every
 * row they count in, and no more may. `ret_most` has n_workloads places.
 * Errors: ISO_E_NOMEM. */
enum iso_status iso_pool_most(struct iso_search *search, int32_t team, int32_t list, int32_t period,
                              int32_t *ret_most, struct iso_error *reterr);

#endif

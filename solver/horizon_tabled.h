/* The bound of a long horizon by covering tables, from the multipliers of the clusters. */
#ifndef ISOCOST_HORIZON_TABLED_H
#define ISOCOST_HORIZON_TABLED_H

#include "horizon_pool.h"

struct iso_tabled {
    struct iso_horizon_case *h;
    const struct iso_master *master;
    const double *psi; /* [product * n_clusters + cluster] <= 0 */
    struct iso_pool pool;
};

/* `psi` are prices of units that price out what they cover, as sums over the periods of each
 * cluster; borrowed. Errors: ISO_E_NOMEM. To be freed also on failure. */
enum iso_status iso_tabled_init(struct iso_tabled *tabled, const struct iso_master *master,
                                const double *psi, struct iso_error *reterr);
void iso_tabled_fini(struct iso_tabled *tabled);

/* *ret_bound: what the tables prove; -INFINITY when nothing. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_tabled_prove(struct iso_tabled *tabled, double *ret_bound,
                                 struct iso_error *reterr);

/* Appends that proof to the plan, for `tier`. Errors: ISO_E_NOMEM. */
enum iso_status iso_tabled_emit(const struct iso_tabled *tabled, struct iso_tier *tier,
                                struct iso_error *reterr);

#endif

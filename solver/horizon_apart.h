/* Long horizons in which nothing but caps that do not bind joins the workloads: each by itself. */
#ifndef ISOCOST_HORIZON_APART_H
#define ISOCOST_HORIZON_APART_H

#include "horizon.h"

/* Whether each product covers one workload and the caps add next to nothing to the master's
 * bound. */
bool iso_apart_applies(const struct iso_master *master, const struct iso_tier *tier);

/* Proves a bound and buys for each workload by itself: h->bought, and the proof of `tier` when it
 * is better. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_apart_solve(struct iso_master *master, struct iso_tier *tier,
                                struct iso_error *reterr);

#endif

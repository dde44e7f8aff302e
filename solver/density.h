/* What a filling of an instance may be worth, without looking for one.
 *
 * A copy of workload w takes the share s_wk = need_wk / room_k of resource k, and the shares of a
 * filling add up to 1 at most for each k. So sum_w n_w v_w <= max_w v_w / s_wk for each k that all
 * copies of worth need; and as the sums over two resources add up to 2, also
 * sum_w n_w v_w <= 2 max_w v_w / (s_wk + s_wl). These are the bounds of surrogate constraints (F.
 * Glover, Operations Research 16, 1968) with weights on one resource, or on two alike. */
#ifndef ISOCOST_DENSITY_H
#define ISOCOST_DENSITY_H

#include "pattern.h"

/* The least of these bounds, `values` of a copy of each workload of the set; room is what the
 * team's overhead leaves. INFINITY when there is none; 0 when nothing of worth fits. */
double iso_density_bound(const struct iso_problem *problem, const struct iso_pattern_set *set,
                         int32_t team, const double *values, int32_t offering);

#endif

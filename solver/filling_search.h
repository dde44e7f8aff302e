/* The most valuable filling of one instance by branch and bound.
 *
 * A copy of workload w is worth v_w and needs need_wk of resource k. For multipliers u >= 0 with
 * sum_k u_k need_wk >= v_w for all w, whatever is filled into a room r is worth at most
 * sum_k u_k r_k: the dual of the linear relaxation of the knapsack. The multipliers are those that
 * bound the empty instance best among all with at most two resources: vertices of the dual where
 * kinds are few, and equal shares of two rooms. The search takes as many copies as fit of one kind
 * after the other, and leaves a branch when what it is worth and that bound of what is left are no
 * more than the best. With multipliers from the relaxation only fillings that lose little by them
 * are looked at. */
#ifndef ISOCOST_FILLING_SEARCH_H
#define ISOCOST_FILLING_SEARCH_H

#include "pattern.h"

/* Kinds of copies in a pool up to which this is sooner done than a table for all offerings. */
#define ISO_FEW_KINDS 6

/* The most valuable filling; `values` (worth <= 0: not taken), `most` (0: may not use the offering)
 * and `ret_counts` have set->n_workloads places. Gives its value, 0 when nothing is worth more than
 * `worth`. *ret_bound: no filling is worth more than that; the larger of value and `worth` when the
 * search was complete. */
double iso_filling_best(const struct iso_problem *problem, const struct iso_pattern_set *set,
                        int32_t team, int32_t offering, const double *values, const int32_t *most,
                        double worth, int32_t *ret_counts, double *ret_bound);

#endif

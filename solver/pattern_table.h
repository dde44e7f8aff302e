/* The most valuable filling of an instance, for all offerings at once.
 *
 * Up to two resources are the grid of a table  F(c, m) = max sum_j v_j n_j  over whole n with
 * sum_j need_j <= (c, m): an unbounded knapsack in two dimensions, computed once for one vector of
 * values. Copies that need other resources, or that may not fill an instance alone
 * (maximum_per_instance), are special: they are enumerated by branch and bound, and the table fills
 * what they leave. The bound of a branch prices the other resources by multipliers u >= 0 (chosen
 * to make the bounds of all offerings small): for any u
 *     value <= F'_s(room) + sum_k u_k room_k,   F'_s with values v_j - sum_k u_k need_jk
 * over the copies still open. Grids too fine are coarsened outward: needs down, room up, so that
 * bounds stay bounds; patterns are cut to what fits. */
#ifndef ISOCOST_PATTERN_TABLE_H
#define ISOCOST_PATTERN_TABLE_H

#include "pattern.h"

struct iso_pattern_table;

/* For the copies of a team's pool with values[i] > 0 (set->n_workloads values); offerings are those
 * in `offerings`. `prices`: multipliers u of ISO_N_RESOURCES resources, of a table for values that
 * were a little different; NULL: they are looked for. Errors: ISO_E_NOMEM. */
enum iso_status iso_pattern_table_new(const struct iso_problem *problem,
                                      const struct iso_pattern_set *set, int32_t team,
                                      const double *values, const int32_t *offerings,
                                      int32_t n_offerings, const double *prices,
                                      struct iso_pattern_table **ret_table,
                                      struct iso_error *reterr);
void iso_pattern_table_free(struct iso_pattern_table *table);
ISO_DEFINE_FREEP(iso_pattern_table)

/* The multipliers, ISO_N_RESOURCES of them. */
const double *iso_pattern_table_prices(const struct iso_pattern_table *table);

/* Upper bound on the value of a filling; cheap. */
double iso_pattern_table_bound(const struct iso_pattern_table *table, int32_t offering);

/* The most valuable filling; `ret_counts` has set->n_workloads places. *ret_bound is an upper
 * bound, equal to the value when the search was complete; branches that cannot be worth more than
 * `worth` are not looked at. `most[i]`: 0 for copies that may not use the offering, otherwise their
 * cap. `thorough`: a search that ends too early is done again with a table for the offering alone.
 */
double iso_pattern_table_best(struct iso_pattern_table *table, int32_t offering,
                              const int32_t *most, double worth, bool thorough, int32_t *ret_counts,
                              double *ret_bound);

#endif

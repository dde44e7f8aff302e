/* Uses and covers on their way: what stays the same from one period to the next is said once. */
#ifndef ISOCOST_SERVER_ANSWER_RUNS_H
#define ISOCOST_SERVER_ANSWER_RUNS_H

#include "isocost/plan.h"
#include "isocost/proto/arena.h"

/* The same amount in each of `n_periods` periods from `period` on. */
struct iso_run {
    int32_t period, n_periods;
    int32_t keys[3]; /* use: workload, offering, 0; cover: cell, offering, product */
    int64_t amount;
};

/* The uses or covers of a plan in runs sorted by (period, keys), in the arena. False when it is
 * full. */
bool iso_runs_of_uses(const struct iso_plan *plan, struct iso_arena *arena,
                      struct iso_run **ret_runs, size_t *ret_n);
bool iso_runs_of_covers(const struct iso_plan *plan, struct iso_arena *arena,
                        struct iso_run **ret_runs, size_t *ret_n);

/* Makes the rows of a plan, sorted by (period, keys); the plan owns them. Errors: ISO_E_INVALID for
 * runs out of order or beyond the problem's `n_periods`, ISO_E_NOMEM. */
enum iso_status iso_runs_to_uses(const struct iso_run *runs, size_t n, int32_t n_periods,
                                 struct iso_plan *plan, struct iso_error *reterr);
enum iso_status iso_runs_to_covers(const struct iso_run *runs, size_t n, int32_t n_periods,
                                   struct iso_plan *plan, struct iso_error *reterr);

#endif

/* The bills of two plans side by side: what there is more or less of, and what that costs. */
#ifndef ISOCOST_SERVER_LINE_CHANGES_H
#define ISOCOST_SERVER_LINE_CHANGES_H

#include "isocost/base/decimal.h"
#include "isocost/proto/arena.h"
#include "isocost/v1/explanation.pb-c.h"
#include "names.h"
#include "store.h"

/* Lines of one kind, for one thing and one user. */
struct iso_line_sum {
    Isocost__V1__LineKind kind;
    const char *item, *user;
    iso_wide amount[2]; /* quantity times hours, or quantity, in 1e-18 */
    iso_wide cost[2];   /* in 1e-9 */
};

/* Zero-initialise, then set `arena`. */
struct iso_line_sums {
    struct iso_arena *arena;
    struct iso_names keys;
    struct iso_line_sum *sums; /* keys.n */
    int32_t room;
};

/* Adds lines to side 0 or 1. Errors: ISO_E_LIMIT. */
enum iso_status iso_line_sums_add(struct iso_line_sums *sums, Isocost__V1__PlanLine *const *lines,
                                  size_t n, int side, struct iso_error *reterr);
/* The same for lines as the store has them. */
enum iso_status iso_line_sums_add_packed(struct iso_line_sums *sums, struct iso_bytes lines,
                                         const char *plan_id, int side, struct iso_error *reterr);

/* Whether both sides have as much of everything. */
bool iso_line_sums_same_amounts(const struct iso_line_sums *sums);

/* Those that differ: the largest difference of cost first, equal ones by kind, item and user. The
 * first `most` of *ret_n are given, in the arena. NULL when it is full. */
Isocost__V1__LineChange **iso_line_sums_changes(struct iso_line_sums *sums, const char *currency,
                                                size_t most, size_t *ret_n);

#endif

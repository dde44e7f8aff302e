/* The pricing of columns of instances: what its parts share.
 *
 *   pricing_instances.c  columns of throughput workloads, period by period
 *   pricing_pools.c      columns of pools
 *   pricing_repair.c     what is done where columns do not price out */
#ifndef ISOCOST_VERIFY_PRICING_COLUMNS_H
#define ISOCOST_VERIFY_PRICING_COLUMNS_H

#include "column_classes.h"
#include "precedents.h"

#define UP (1 + 8 * LDBL_EPSILON) /* covers a few roundings of positive numbers */

/* What it takes until a set of columns prices out. */
struct iso_repair {
    bool any;            /* there are columns with rc < 0 */
    bool possible;       /* cost (or cost') >= 0 for all columns: a and b do */
    long double a, b;    /* in [0, 1] */
    long double by_caps; /* sum -rc * cap; INFINITY without a cap */
};

struct iso_pool;

struct iso_columns {
    struct iso_pricing *p;
    int32_t period;
    bool *open; /* by class: its columns are priced one by one in this period */
    struct iso_costs costs;
    struct iso_worth *units;           /* by workload */
    struct iso_precedents *precedents; /* by workload */
    struct iso_pool *pools;            /* by team */
    struct iso_repair cell, all;       /* of the cell at hand, of the period */
};

/* Notes a column whose service is worth `service`, of which >= rows give service / ratio. */
void iso_repair_note(struct iso_columns *columns, int32_t offering, long double cost,
                     long double service, long double ratio);

/* Begins a period: nothing has to be repaired yet. */
void iso_repair_begin(struct iso_columns *columns);

/* Ends a cell: repairs it by itself, or leaves it to the period. `before` is the period's repair
 * without the cell; `workloads` are the n whose columns it has. */
void iso_repair_end_cell(struct iso_columns *columns, const struct iso_repair *before,
                         const int32_t *workloads, int32_t n);

/* Ends the period; where nothing repairs what is left, the multipliers prove nothing. */
void iso_repair_end_period(struct iso_columns *columns);

/* Fills the pools of all teams. Errors: ISO_E_NOMEM. */
enum iso_status iso_pools_init(struct iso_columns *columns);
void iso_pools_fini(struct iso_columns *columns);

/* Prices the columns of all pools in the period. */
void iso_pools_price(struct iso_columns *columns);

#endif

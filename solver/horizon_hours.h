/* One period with what is bought fixed: an item is a column of the slice, paid or covered. */
#ifndef ISOCOST_HORIZON_HOURS_H
#define ISOCOST_HORIZON_HOURS_H

#include "glpk_mip.h"
#include "horizon_prices.h"

struct iso_item {
    int32_t workload, column;
    double price, served;           /* price: 0 when covered */
    int32_t first_entry, n_entries; /* in iso_hours.mip.entries */
};

/* What one unit of a product that is held saves when it covers instances of a column. */
struct iso_saving {
    int32_t cover, column; /* of the slice */
    double value;
};

#define CLOSE_TO_NOTHING 1e-9 /* relative slack of caps and demands; decimals decide later */

/* Cheapest covers by what is missing, in steps; see horizon_table.c. */
struct iso_table {
    iso_decimal step;
    int32_t n_steps;
    double *least;   /* [0 .. n_steps]: base currency for one hour; INFINITY: none */
    int32_t *choice; /* column of the slice to begin with */
};

/* The periods of one season share this. Rows: those of the slice, then one COMMIT row for each
 * product that is held; columns: the items, then unserved demand and violations. */
struct iso_hours {
    struct iso_master *master;
    const struct iso_horizon_case *h;
    int32_t season, n_items;
    struct iso_item *items;
    int32_t *first_item; /* n_workloads + 1 */
    struct iso_mip mip;
    struct iso_program *lp;
    struct iso_table *tables; /* by workload */
    int32_t *item_of;         /* [slice column]: its paid item, or -1 */
    int32_t *covered; /* [product * n_workloads + workload]: a column that it covers, or -1 */
    bool apart;       /* no product covers two workloads */
    bool plain;       /* nothing but must-serve demands, hard caps and commitments */
    int32_t n_savings;
    struct iso_saving *savings; /* largest first */
    uint8_t *held;              /* [product] */

    /* the period at hand */
    int32_t period;
    double *x, *duals; /* of its linear program */
    double *slack;     /* [row]: what caps have left; demand: what is missing when above 0 */
    int64_t *count;    /* [item] */
};

/* Covers what the program's whole part leaves, workload by workload. False when a cap is in the
 * way. Sets count and slack; plain seasons only. */
bool iso_hours_cover(struct iso_hours *hours);

/* Fills the table of a workload and flags the columns that it uses. False when memory is short. */
bool iso_table_init(struct iso_table *table, const struct iso_horizon_case *h, int32_t season,
                    int32_t workload, uint8_t *used);
void iso_table_fini(struct iso_table *table);

/* Covers what a workload misses by its table, whatever caps say; false when it cannot. */
bool iso_table_cover(struct iso_hours *hours, int32_t workload);

/* No counts: every cap and demand has all its right side left. */
void iso_hours_reset(struct iso_hours *hours);

/* Takes `n` instances of an item in (or out). */
void iso_hours_take(struct iso_hours *hours, int32_t item, int64_t n);

/* Builds the program of a season; `all`: with every column of the slice, not only those near the
 * master's point. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_hours_init(struct iso_hours *hours, struct iso_master *master, int32_t season,
                               bool all, struct iso_error *reterr);
void iso_hours_fini(struct iso_hours *hours);

/* Checks the counts of the period at hand in decimals and, when they hold, appends uses, unserved
 * demand and covers to the plan. False when memory is short. */
bool iso_hours_settle(const struct iso_hours *hours, struct iso_plan *plan, bool *ret_holds);

#endif

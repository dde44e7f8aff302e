/* One period with what is bought fixed: an item is a column of the slice, paid or covered. */
#ifndef ISOCOST_HORIZON_HOURS_H
#define ISOCOST_HORIZON_HOURS_H

#include "glpk_mip.h"
#include "horizon_prices.h"

struct iso_item {
    int32_t workload, column;
    int32_t size;                   /* steps that it serves, rounded down; see iso_table */
    double price, served;           /* price: 0 when covered */
    int32_t first_entry, n_entries; /* in iso_hours.mip.entries */
};

/* What one unit of a product that is held saves when it covers instances of a column. */
struct iso_saving {
    int32_t cover, column; /* of the slice */
    double value;
};

#define CLOSE_TO_NOTHING 1e-9 /* relative slack of caps and demands; decimals decide later */

/* Cheapest covers of a workload by what is missing, in steps; see horizon_table.c. */
struct iso_table {
    iso_decimal step;
    int32_t n_steps;
    double *least;   /* [0 .. n_steps]: base currency for one hour; INFINITY: none */
    int32_t *choice; /* column of the slice to begin with */
};

/* What is scarce when some caps are; see horizon_stock.c. */
struct iso_stock {
    uint64_t barred;          /* bit l: limit l; those beyond 64 cannot be */
    struct iso_table *tables; /* [workload]: without columns that take from barred limits */
    uint8_t *scarce;          /* [item]: on a row of a commitment or a barred limit */
    int32_t *place;           /* [row of the mip]: among the scarce ones, or -1 */
    int32_t *first, *items;   /* items by [place * n_workloads + workload] */
};

#define ISO_N_STOCKS 24

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
    struct iso_stock stocks[ISO_N_STOCKS];
    int32_t next_stock; /* that is made anew */
    int32_t *covered;   /* [product * n_workloads + workload]: a column that it covers, or -1 */
    bool plain;         /* nothing but must-serve demands, hard caps and commitments */
    struct iso_frontier *frontiers; /* [workload], NULL: not for these periods */
    bool quick;                     /* trees are for periods that nothing else makes whole */
    int32_t n_savings;
    struct iso_saving *savings; /* largest first */
    uint8_t *held;              /* [product] */

    /* the period at hand */
    int32_t period;
    double *x, *duals; /* of its linear program */
    double *slack;     /* [row]: what caps have left; demand: what is missing when above 0 */
    int64_t *count;    /* [item] */
    int64_t *paid;     /* [slice column]: beyond the items */
};

/* Makes the point of the period's program whole. False when it cannot. Sets count, paid and slack;
 * plain seasons only. */
bool iso_hours_deal(struct iso_hours *hours);

struct iso_frontier;

/* The same where other rows join what a workload runs: sets count. What it finds on the way is
 * offered to the workloads' frontiers, unless these are NULL. */
bool iso_hours_fill(struct iso_hours *hours, struct iso_frontier *frontiers);

/* Opens a period: its right sides. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_hours_open(struct iso_hours *hours, int32_t t, struct iso_error *reterr);

/* Solves the linear program of the open period: its point and multipliers. Errors: as above. */
enum iso_status iso_hours_relax(struct iso_hours *hours, enum iso_lp_outcome *ret_outcome,
                                struct iso_error *reterr);

/* A period in the order in which they are solved. */
struct iso_turn {
    int32_t season, cluster, period;
    double total; /* of the demands */
};

/* Whether what serves one demand serves every smaller one, in many periods. */
bool iso_lineups_apply(const struct iso_hours *hours);

/* Serves the season's periods where the cheapest lineups fit together, and leaves the other turns
 * in front: *n_turns. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_lineups_serve(struct iso_hours *hours, struct iso_turn *turns, int32_t *n_turns,
                                  struct iso_error *reterr);

/* Whether all demand must be served within all limits: otherwise what is left out is weighed. */
bool iso_hours_must_fill(const struct iso_hours *hours);

/* What is scarce with the caps that are barred, NULL when memory is short; valid until the next
 * call. */
const struct iso_stock *iso_stock_of(struct iso_hours *hours, uint64_t barred);
void iso_stocks_fini(struct iso_hours *hours);

#define ISO_MOST_STEPS 16384 /* of a table */

/* Unit in which a workload's demand is counted. */
iso_decimal iso_table_step(const struct iso_horizon_case *h, int32_t season, int32_t workload);

/* Fills the table of a workload. False when memory is short. */
bool iso_table_init(struct iso_table *table, const struct iso_horizon_case *h, int32_t season,
                    int32_t workload, uint64_t barred);
void iso_table_fini(struct iso_table *table);

/* Steps of a rate, rounded up, at most those of the table. */
int32_t iso_table_steps(const struct iso_table *table, double rate);

/* Covers the steps that are missing by paid instances, whatever caps say; false when it cannot. */
bool iso_table_cover(struct iso_hours *hours, const struct iso_table *table, int32_t missing);

/* No counts: every cap and demand has all its right side left. */
void iso_hours_reset(struct iso_hours *hours);

/* Takes `n` instances of an item in (or out). */
void iso_hours_take(struct iso_hours *hours, int32_t item, int64_t n);

/* The same for paid instances of a column of the slice. */
void iso_hours_take_column(struct iso_hours *hours, int32_t column, int64_t n);

/* Builds the program of a season; `all`: with every column of the slice, not only those near the
 * master's point. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_hours_init(struct iso_hours *hours, struct iso_master *master, int32_t season,
                               bool all, struct iso_error *reterr);
void iso_hours_fini(struct iso_hours *hours);

/* Checks the counts of the period at hand in decimals and, when they hold, appends uses, unserved
 * demand and covers to the plan. False when memory is short. */
bool iso_hours_settle(const struct iso_hours *hours, struct iso_plan *plan, bool *ret_holds);

/* Unit in which the tables of a bound count the demand of a workload; see horizon_whole.h. */
iso_decimal iso_whole_step(const struct iso_horizon_case *h, int32_t workload);

/* When the search of a period ends. */
struct iso_effort {
    double seconds; /* > 0 */
    double gap;     /* relative, >= 0 */
};

/* Plans a period by the search on a formulation and appends uses, covers and unserved to the plan.
 * *ret_found: there is one. Errors: those of iso_solve(). */
enum iso_status iso_single_solve(struct iso_horizon_case *h, int32_t period,
                                 struct iso_effort effort, bool *ret_found,
                                 struct iso_error *reterr);

/* Whether there is nothing but must-serve demands, hard caps and commitments. */
bool iso_slice_is_plain(const struct iso_horizon_case *h);

#endif

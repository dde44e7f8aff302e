/* Long horizons: many periods that only commitments join.
 *
 * A *slice* is one period seen as rows and columns; only right sides and prices differ from period
 * to period. A *season* is a set of periods that are equal in everything but demand. A *cluster* is
 * a set of periods of one season with similar demands; it stands for them by its hours and its
 * mean demand. */
#ifndef ISOCOST_HORIZON_H
#define ISOCOST_HORIZON_H

#include "glpk_program.h"
#include "search.h"

struct iso_slice_row {
    enum iso_row_kind kind; /* DEMAND, LIMIT, SHARE_MAX, SHARE_MIN or SURVIVE */
    int32_t a, b, d;        /* as in struct iso_dual; without the period */
    bool asks;              /* >= row; otherwise <= */
};

struct iso_slice_cover {
    int32_t product;
    double use; /* nu */
    iso_decimal exact_use;
};

/* Instances of one offering for one workload. */
struct iso_slice_column {
    int32_t workload, option, offering;
    double served;
    int32_t first_entry, n_entries; /* row = place in the slice's rows */
    int32_t first_cover, n_covers;  /* products that may cover it */
};

struct iso_slice {
    int32_t n_rows, n_columns, n_entries, n_covers;
    struct iso_slice_row *rows;       /* DEMAND of workload a is row a */
    struct iso_slice_column *columns; /* by workload */
    int32_t *first_column;            /* n_workloads + 1 */
    struct iso_mip_entry *entries;
    struct iso_slice_cover *covers;
    int32_t *first_relief;        /* n_workloads + 1 */
    struct iso_mip_entry *relief; /* what one unit unserved gives: entries in >= rows */
    int32_t n_relief;
};

struct iso_season {
    int32_t first_period; /* of the season; prices and memberships are read there */
    int32_t n_periods;
    double hours;  /* of one of its periods */
    double *price; /* [slice column]: of one instance for one hour, base currency */
};

struct iso_cluster {
    int32_t season, n_periods;
    double hours;  /* sum */
    double *right; /* [slice row]: mean right side, weighted by hours */
};

struct iso_horizon_case {
    const struct iso_problem *problem;
    struct iso_reduction reduction;
    struct iso_slice slice;
    int32_t n_seasons, n_clusters;
    struct iso_season *seasons;
    struct iso_cluster *clusters;
    int32_t *season_of, *cluster_of; /* n_periods */
    int32_t *first_start;            /* n_products + 1: places in a list of all starts */
    int64_t *bought;                 /* one a start */
    double *start_cost;              /* likewise: of one unit, base currency */
    struct iso_search search;        /* clock, counters and the plan */
};

/* Fills reduction, slice and seasons; without `dominance` the slice has a column for every option.
 * Errors: ISO_E_NOMEM. */
enum iso_status iso_slice_init(struct iso_horizon_case *h, bool dominance,
                               struct iso_error *reterr);
void iso_slice_fini(struct iso_horizon_case *h);
enum iso_status iso_seasons_init(struct iso_horizon_case *h, struct iso_error *reterr);

/* Right side of a row of the slice in a period. */
double iso_slice_right(const struct iso_horizon_case *h, int32_t row, int32_t period);

/* lot * what is held of a product in a period with the commitments bought. */
double iso_slice_supply(const struct iso_horizon_case *h, int32_t product, int32_t period);

/* Groups the periods into about `n_wanted` clusters, at least one a season. Errors: ISO_E_NOMEM. */
enum iso_status iso_clusters_init(struct iso_horizon_case *h, int32_t n_wanted,
                                  struct iso_error *reterr);
void iso_clusters_fini(struct iso_horizon_case *h);

/* --- the master: the linear program over the clusters --- */

struct iso_master {
    struct iso_horizon_case *h;
    struct iso_mip mip; /* row k * slice.n_rows + r, then COMMIT rows as products come in */
    struct iso_program *lp;
    int32_t *commit_row;  /* [product * n_clusters + cluster] or -1 */
    int32_t *buy_column;  /* one a start, or -1 */
    uint8_t *priced_in;   /* products whose rows are loaded */
    uint8_t *has_paid;    /* [cluster * slice.n_columns + column] */
    uint8_t *has_covered; /* [cluster * slice.n_covers + cover] */
    double *duals;        /* mip.n_rows values */
    int32_t duals_room;
    double dear; /* price of a unit that is missed where demand must be served */
    double value;
};

/* Solves the relaxation over all columns of the slice. *ret_outcome: OPTIMAL, INFEASIBLE (demand
 * is missed at any price) or STOPPED. */
enum iso_status iso_master_init(struct iso_master *master, struct iso_horizon_case *h,
                                struct iso_error *reterr);
void iso_master_fini(struct iso_master *master);
enum iso_status iso_master_solve(struct iso_master *master, enum iso_lp_outcome *ret_outcome,
                                 struct iso_error *reterr);

/* --- shared by the parts of the master --- */

/* A column and what it is chosen by. */
struct iso_offer {
    int32_t column, cover;
    double reduced_cost;
};

/* Keeps the best `most` by reduced cost, rising. */
void iso_offer_keep(struct iso_offer *offers, int32_t *n, int32_t most, struct iso_offer offer);

/* Adds an instance to the mip: paid (cover -1), or covered by the product of a place in
 * slice.covers; the rows and purchases of a product; false when memory is short. */
bool iso_master_add_instance(struct iso_master *master, int32_t cluster, int32_t column,
                             int32_t cover);
bool iso_master_bring_in(struct iso_master *master, int32_t product);

/* Whether a start's term covers the periods of a cluster. */
bool iso_master_in_term(const struct iso_horizon_case *h, int32_t product, int32_t start,
                        int32_t cluster);

/* Whether there may be units of a product in the periods of a cluster, held already or bought. */
bool iso_master_may_hold(const struct iso_horizon_case *h, int32_t product, int32_t cluster);

/* Adds what prices in at the multipliers at hand: instances; products. */
bool iso_master_price_instances(struct iso_master *master, int32_t *ret_n_new);
bool iso_master_price_products(struct iso_master *master, int32_t *ret_n_new);

/* Solves with the columns that are there. */
enum iso_status iso_master_solve_once(struct iso_master *master, enum iso_lp_outcome *ret_outcome,
                                      struct iso_error *reterr);

/* Makes what is bought whole, one commitment after the other, and writes it to h->bought. */
enum iso_status iso_master_dive(struct iso_master *master, struct iso_error *reterr);

/* What the rows other than COMMIT leave of one instance's value in a cluster: sum of multiplier *
 * entry. */
double iso_master_worth(const struct iso_master *master, int32_t cluster, int32_t column);

/* What one unit bought at a start costs over the horizon; adds its term up each time. */
double iso_unit_cost(const struct iso_problem *problem, int32_t product, int32_t start);

/* What buying one unit of a start costs, base currency. */
double iso_start_cost(const struct iso_horizon_case *h, int32_t product, int32_t start);

/* Works that out for all starts. False when memory is short. */
bool iso_start_costs_init(struct iso_horizon_case *h);

/* Fees of commitments that are held already. */
double iso_existing_fees(const struct iso_problem *problem);

/* Lifts the master's multipliers to all periods: appends them to the plan for `tier` and sets its
 * checked_bound. To be called before the dive. */
enum iso_status iso_lift(struct iso_master *master, struct iso_tier *tier,
                         struct iso_error *reterr);

/* --- the periods, one by one, with what is bought fixed --- */

struct iso_prices;

/* Solves the linear program of every `stride`-th period for its multipliers alone.
 * Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_hours_price(struct iso_master *master, struct iso_prices *prices,
                                int32_t stride, struct iso_error *reterr);

/* Appends uses, covers and unserved of every period to the plan; `thorough`: where only trees make
 * periods whole, all the time that is left is spent on searching each period by itself.
 * *ret_missed: a period whose demand could not be met, or -1. */
enum iso_status iso_hours_solve(struct iso_master *master, bool thorough, int32_t *ret_missed,
                                struct iso_error *reterr);

#endif

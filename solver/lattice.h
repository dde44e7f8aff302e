/* Lattice: throughput workloads that share commitments of whole instances. What is bought is a
 * point y of a small lattice, and with y fixed every period is by itself.
 *
 * Notation: a workload, o option of a workload, k product, s start of a product, t period. Money is
 * in the base currency; prices of instances are for a whole period. Demand and sizes are counted in
 * steps of the common divisor of what the options of a workload serve, as in cover_table.c. */
#ifndef ISOCOST_LATTICE_H
#define ISOCOST_LATTICE_H

#include "search.h"

#define ISO_LATTICE_MOST_WORKLOADS 8
#define ISO_LATTICE_MOST_PRODUCTS 64
#define ISO_LATTICE_MOST_STARTS 64
#define ISO_LATTICE_NEAR 24

/* Periods that are equal in everything but demand. */
struct iso_lattice_season {
    int32_t period; /* the first of them */
    int32_t first_level, n_levels;
    double *price;     /* [option] of all workloads, one after the other */
    double *worth;     /* [product]: the most that one covered instance saves */
    double *held;      /* [product]: instances that existing units cover */
    uint8_t *supplied; /* [product]: some instance may be covered */
    uint8_t *open;     /* [start]: the term covers the periods */
    int32_t n_sums;
    double *sums;   /* what paid instances can cost together, rising from 0, the least of them */
    double **least; /* [workload][steps]: G, the least cost of covering by paid instances */
};

/* Periods of a season that need equal steps. */
struct iso_lattice_level {
    int32_t season, period, n_periods;
};

struct iso_lattice_start {
    int32_t product, start;
    double cost;  /* of one unit over the horizon */
    int64_t most; /* more units are of no use, or may not be bought */
};

/* Multipliers mu_k in [0, worth_k] of one season, and what they make covering cost. */
struct iso_lattice_prices {
    int32_t season;
    double *mu;    /* [product] */
    double *least; /* [demand]: G^mu */
};

/* The multipliers that a level took last, wherever all were offered to it. */
struct iso_lattice_near {
    int32_t n, oldest;
    int32_t place[ISO_LATTICE_NEAR];
    double worth[ISO_LATTICE_NEAR]; /* sum of G^mu over the workloads */
};

struct iso_lattice {
    const struct iso_problem *problem;
    struct iso_search search; /* clock, counters and the plan */
    int32_t n_workloads, n_products, n_options, n_starts, n_seasons, n_levels, n_demands;
    int32_t *first_option; /* n_workloads + 1 */
    int32_t *size;         /* [option]: steps, at most n_steps of the workload */
    int32_t *n_steps;      /* [workload]: most that a period needs */
    iso_decimal *step;     /* [workload] */
    int32_t *first_demand; /* n_workloads + 1 */
    int32_t *demand;       /* steps, distinct and rising for each workload */
    int32_t *covers;       /* [product * n_workloads + workload]: place of an option, or -1 */
    int64_t *instances;    /* [product]: that one unit covers */
    struct iso_lattice_start *starts;
    struct iso_lattice_season *seasons;
    struct iso_lattice_level *levels; /* by season */
    int32_t *level_demand;            /* [level * n_workloads + workload]: place of a demand */
    int32_t *level_of;                /* n_periods */
    int32_t *options;                 /* of iso_lattice_cover() */
    double *table;                    /* of iso_lattice_cover() */
    int32_t n_prices;
    struct iso_lattice_prices *prices;
    struct iso_lattice_near *near; /* [level] */
};

/* Whether the problem has the structure; a pure function. The tables may still be too large. */
bool iso_lattice_has_structure(const struct iso_problem *problem);

/* Fills all but the prices. *ret_small is false where tables would be too large; then nothing else
 * is of use. To be freed by iso_lattice_fini() also on errors. Errors: ISO_E_NOMEM. */
enum iso_status iso_lattice_init(struct iso_lattice *lattice, const struct iso_problem *problem,
                                 bool *ret_small, struct iso_error *reterr);
void iso_lattice_fini(struct iso_lattice *lattice);

/* Fills in the sums, from the prices. False when memory is short. */
bool iso_lattice_find_sums(struct iso_lattice_season *season, int32_t n_options);

/* The largest sum of prices of a season that is surely below `cost`, or just below it where the
 * list ends; the least that is not below `bound`, or `bound` itself. */
double iso_lattice_sum_below(const struct iso_lattice_season *season, double cost);
double iso_lattice_sum_from(const struct iso_lattice_season *season, double bound);

/* --- covering under multipliers: lattice_prices.c --- */

/* What one instance of each option costs in a season under the multipliers: paid, or covered by the
 * product ret_by[option] (-1: paid), whichever is less. `mu` NULL: paid. */
void iso_lattice_option_costs(const struct iso_lattice *lattice, int32_t season, const double *mu,
                              double *ret_cost, int32_t *ret_by);

/* G: the least cost of covering each number of steps of a workload, up to n_steps, by options of
 * `cost` ([option] of all workloads). Read at -n_steps too: nothing is left to cover. Good until
 * the next call. */
const double *iso_lattice_cover(const struct iso_lattice *lattice, int32_t workload,
                                const double *cost, int32_t n_steps);

/* The option of the last instance in the cover of q > 0 steps that `least` came from. */
int32_t iso_lattice_last(const struct iso_lattice *lattice, int32_t workload, const double *cost,
                         const double *least, int32_t q);

/* Adds multipliers to those that bound the levels of a season. Errors: ISO_E_NOMEM. */
enum iso_status iso_lattice_add_prices(struct iso_lattice *lattice, int32_t season,
                                       const double *mu, struct iso_error *reterr);

/* Instances that each product covers in a season when y units of each start are bought. */
void iso_lattice_capacity(const struct iso_lattice *lattice, int32_t season, const double *y,
                          double *ret_capacity);

/* A lower bound on the cost of any purchases y, in [start]: constant + sum gradient_s y_s. */
struct iso_lattice_cut {
    double constant, *gradient;
};

/* The best bound at y that the prices give: each level takes those that are best for it, of all or
 * of those near it.
 * ret_taken[level]: which; ret_level[level]: what they prove of one period at y.
 * cut->gradient is the caller's, n_starts values. Gives the bound at y. */
double iso_lattice_bound(struct iso_lattice *lattice, const double *y, bool near,
                         int32_t *ret_taken, double *ret_level, struct iso_lattice_cut *cut);

/* --- multipliers for cells of levels: lattice_master.c --- */

/* Levels of one season that share multipliers. */
struct iso_lattice_cell {
    int32_t season, n_levels;
    const int32_t *levels;
    double *mu; /* [product] */
};

/* Finds multipliers mu of the cells that are best together for purchases in [lower, upper], up to
 * `close` of their bound, in at most `most_rounds`. ret_y: the purchases where the relaxation is
 * least; *ret_bound: what the multipliers prove (all fees of purchases in, of holdings out).
 * Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_lattice_optimise(struct iso_lattice *lattice, struct iso_lattice_cell *cells,
                                     int32_t n_cells, const double *lower, const double *upper,
                                     double close, int most_rounds, double *ret_y,
                                     double *ret_bound, struct iso_error *reterr);

/* --- many cuts: lattice_cuts.c --- */

struct iso_lattice_cuts;

/* Errors of all: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_lattice_cuts_new(struct iso_lattice *lattice,
                                     struct iso_lattice_cuts **ret_cuts, struct iso_error *reterr);
void iso_lattice_cuts_free(struct iso_lattice_cuts *cuts);
ISO_DEFINE_FREEP(iso_lattice_cuts)

/* Adds a copy. */
enum iso_status iso_lattice_cuts_add(struct iso_lattice_cuts *cuts,
                                     const struct iso_lattice_cut *cut, struct iso_error *reterr);

/* The least point of the cuts (one at least) in a box, and its value; -INFINITY when the search
 * stops. */
enum iso_status iso_lattice_cuts_least(struct iso_lattice_cuts *cuts, const int32_t *lower,
                                       const int32_t *upper, double *ret_y, double *ret_value,
                                       struct iso_error *reterr);

/* --- exact periods: lattice_hours.c --- */

struct iso_lattice_point; /* purchases whose periods are looked at */

/* *ret_point stays NULL where the ways to split what is held are too many.
 * Errors: ISO_E_NOMEM. */
enum iso_status iso_lattice_point_new(const struct iso_lattice *lattice, const int64_t *y,
                                      struct iso_lattice_point **ret_point,
                                      struct iso_error *reterr);
void iso_lattice_point_free(struct iso_lattice_point *point);
ISO_DEFINE_FREEP(iso_lattice_point)

/* One period of a level: the cheapest split found, and what no split is below (the same, unless
 * there were too many). `prices`: place of multipliers of its season, which guide the search.
 * `ret_covered`, when not NULL: instances covered, [workload * n_products + product], products that
 * cover the same options counted with the first of them that holds any. False when memory is
 * short. */
bool iso_lattice_point_solve(struct iso_lattice_point *point, int32_t level, int32_t prices,
                             double *ret_cost, double *ret_bound, int64_t *ret_covered);

/* --- purchases: lattice_tree.c --- */

struct iso_lattice_answer {
    int64_t *y;   /* [start] */
    double cost;  /* of y and its periods; INFINITY: none was found */
    double bound; /* no purchases cost less */
};

/* Branch and bound over y. answer->y is the caller's. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_lattice_search(struct iso_lattice *lattice, const double *first_y,
                                   struct iso_lattice_answer *answer, struct iso_error *reterr);

/* --- the way out --- */

/* Whether two products cover the same options. */
bool iso_lattice_same_covers(const struct iso_lattice *lattice, int32_t product, int32_t other);

/* Adds uses, covers and purchases of y to the plan; *ret_allowed is false where the periods were
 * too much or a limit is in the way. Errors: ISO_E_NOMEM. */
enum iso_status iso_lattice_plan(struct iso_lattice *lattice, const int64_t *y, bool *ret_allowed,
                                 struct iso_error *reterr);

/* Whether the periods of y can be solved and the limits hold in them. Errors: ISO_E_NOMEM. */
enum iso_status iso_lattice_allows(struct iso_lattice *lattice, const int64_t *y, bool *ret_allowed,
                                   struct iso_error *reterr);

/* Adds the multipliers of the cells and the value functions to the plan, and sets the tier's
 * checked bound. Lowers multipliers that make purchases worth more than they cost. Every level is
 * in one cell. Errors: ISO_E_NOMEM. */
enum iso_status iso_lattice_prove(struct iso_lattice *lattice, struct iso_lattice_cell *cells,
                                  int32_t n_cells, struct iso_tier *tier, struct iso_error *reterr);

#endif

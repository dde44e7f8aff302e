/* Small packings exactly: how many instances of each offering first, then what is in them. See
 * counts.c for the method. */
#ifndef ISOCOST_COUNTS_H
#define ISOCOST_COUNTS_H

#include "search.h"

/* Patterns of one pool in one period that must cover whole demands, and no other rule. Classes are
 * the workloads that ask for copies, kinds the offerings. */
struct iso_counts {
    struct iso_search *search;
    int32_t team, n, n_kinds;
    int32_t *demand, *place; /* [class] copies; place in the set of patterns */
    int32_t *list;           /* [kind] of patterns; by price, rising */
    double *price;           /* [kind] */

    /* Cuts: with multipliers v >= 0 and F_k the most that a filling of kind k is worth, any packing
     * into x_k instances has  sum_k F_k x_k >= v d. The first is that of the relaxation. */
    int32_t n_cuts;
    double *multipliers; /* [cut * n + class] */
    double *worth;       /* [cut * n_kinds + kind]: F */

    struct iso_counts_table *table;
    struct iso_mip mip; /* is there a fractional packing of D into X? see counts_check.c */
    struct iso_lp *lp;

    /* What a packing into the x at hand may use, by kind. */
    int32_t n_numbers, *fillings; /* [filling * n + class] */
    int32_t *first;               /* [n_kinds + 1] fillings */
    struct iso_failed *failed;    /* states without a packing */
    int64_t work;                 /* that is left, in solves of the linear program */
};

/* For a pure packing with a plan, and the multipliers of its relaxation: raises tier_bound, offers
 * a better plan, and leaves both equal when `work` suffices, about so many milliseconds. The
 * formulation may grow. *ret_counts: false, and nothing was done, for other formulations and
 * packings that are too large. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_count_instances(struct iso_search *search, const double *duals, int64_t work,
                                    bool *ret_counts, struct iso_error *reterr);

#define ISO_COUNT_EVERYTHING 1000000 /* work that only the time limit ends */

/* --- counts.c --- */

#define ISO_CUT_SLACK 1e-9 /* relative: what breaks a cut by less is not forbidden */

int32_t iso_counts_n_cuts(const struct iso_counts *counts);

/* Prices multipliers: fills the table, and the place of the next cut. Gives F. */
const double *iso_counts_price(struct iso_counts *counts, const double *multipliers);

/* Keeps what was priced last as a cut. */
void iso_counts_keep(struct iso_counts *counts);

/* Whether a cut, or what was priced last, says that `left` cannot be packed into x. */
bool iso_counts_is_cut(const struct iso_counts *counts, const int32_t *left, const int32_t *x);
bool iso_counts_next_cuts(const struct iso_counts *counts, const int32_t *left, const int32_t *x);

/* Whether a filling loses more than a cut leaves to lose in a packing of the demand into x. */
bool iso_counts_loses_too_much(const struct iso_counts *counts, int32_t kind,
                               const int32_t *content, const int32_t *x);

/* What fillings may lose by the first cut. */
double iso_counts_slack(const struct iso_counts *counts, int32_t cut, const int32_t *x);

/* Whether the work is done or the search must end. */
bool iso_counts_stops(const struct iso_counts *counts);

/* --- counts_cheapest.c --- */

/* The cheapest x, less than the best plan, that is within none of failed[n_failed * n_kinds]; one
 * at `enough` or less is taken at once. *ret_cost: infinite when there is none. */
enum iso_status iso_counts_cheapest(struct iso_counts *counts, const int32_t *failed,
                                    int32_t n_failed, double enough, int32_t *ret_x,
                                    double *ret_cost, struct iso_error *reterr);

/* --- counts_check.c --- */

enum iso_check { ISO_CHECK_PACKS, ISO_CHECK_FAILS, ISO_CHECK_STOPPED };

enum iso_status iso_counts_open(struct iso_counts *counts, struct iso_error *reterr);
void iso_counts_close(struct iso_counts *counts);

/* Looks for a packing into x[kind] instances; `ret_used` are the fillings, one an instance, -1 at
 * the end. Adds cuts that x or what is left of it breaks. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_counts_check(struct iso_counts *counts, const int32_t *x, int32_t *ret_used,
                                 enum iso_check *ret_check, struct iso_error *reterr);

/* --- counts_table.c --- */

/* NULL when kinds differ in more than their room in two resources, when the table would be too
 * large, or when memory is short. */
struct iso_counts_table *iso_counts_table_new(const struct iso_counts *counts);
void iso_counts_table_free(struct iso_counts_table *table);

/* Fills the table for multipliers >= 0; ret_worth[kind] is F. */
void iso_counts_table_fill(struct iso_counts_table *table, const double *multipliers,
                           double *ret_worth);

/* A filling of a kind that is worth F, to which nothing can be added. */
void iso_counts_table_best(const struct iso_counts_table *table, int32_t kind,
                           int32_t *ret_content);

/* Appends the fillings of a kind that are worth `asked` at least and to which nothing can be added;
 * false when they are too many, the work ends or memory is short. */
bool iso_counts_table_list(const struct iso_counts_table *table, int32_t kind, double asked,
                           int32_t **io_list, int32_t *io_n, int64_t *io_work);

#endif

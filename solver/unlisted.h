/* Columns that a formulation does not list, priced straight from the problem.
 *
 * Under multipliers lambda an instance of option o of workload a costs in period t
 *
 *     paid_aot = w price_ot + caps_ot + sum_b spend_bot        b: budgets that count o and a
 *     rc_aot   = paid_aot - floors_ot - served_ao worth_kt     k: the class of (a, o)
 *
 * with w the weight of money, caps and floors what limits add and minima give, and worth what the
 * rules of the workload give for a unit served. Options of a workload that all its rules treat
 * alike are one class. When product c covers it, what it is paid falls away:
 *
 *     covered_aotc = caps_ot + sum_b spend_bot                 b: those that do not forgive it
 *     need_ct      = max over (a, o) that c may cover of
 *                    (floors_ot + served_ao worth_kt - covered_aotc) / use_co,  at least 0
 *
 * -need_ct is the least multiplier of COMMIT(c,t) that prices all coverage out; a unit of c is
 * worth lot sum_t need_ct over its term.
 *
 * Products that few options may use come into the linear program in bundles (glpk_lp.h): a unit,
 * with the best coverage in each period. That is the decomposition of G. B. Dantzig and P. Wolfe
 * (Operations Research 8, 1960) over the rows of commitments, which then need not be loaded. */
#ifndef ISOCOST_UNLISTED_H
#define ISOCOST_UNLISTED_H

#include "priced.h"

/* An option that a product may cover. */
struct iso_pair {
    int32_t workload, option;
    double use;
};

struct iso_unlisted {
    struct iso_formulation *f;
    int32_t **class_of;      /* [workload][option]; -1: dropped by the reduction */
    int32_t *first_class;    /* n_workloads + 1 */
    int32_t *representative; /* [class]: an option of it */
    int32_t *first_pair;     /* n_products + 1 */
    struct iso_pair *pairs;  /* by product */
    uint8_t *bundled;        /* [product] */
    int32_t **cover_column;  /* [product][pair of it * n_periods + period] of bundled ones: -1: not
                              * listed; NULL: none is */
    int32_t n_seen;          /* columns of the formulation that are in these maps */
    int32_t *buy_column;     /* [product]: the first of its purchases, -1: not listed */
    int32_t *first_start;    /* n_products + 1 */
    double *purchase;        /* [start]: money that one unit costs */
    double *price;           /* [offering * n_periods + period]: of one instance */
    double *served;          /* of each option, in the order of the reduction's reach */

    /* Under the multipliers at hand. */
    double money;
    const double *duals;
    double *caps, *floors;      /* like price; floors NULL where no minimum has a multiplier */
    double **spend;             /* [budget], like price; NULL without a multiplier */
    double *worth;              /* [class * n_periods + period] */
    double *row, *other, *need; /* n_periods: scratch */
};

/* Errors: ISO_E_NOMEM. */
enum iso_status iso_unlisted_new(struct iso_formulation *formulation,
                                 struct iso_unlisted **ret_unlisted, struct iso_error *reterr);
void iso_unlisted_free(struct iso_unlisted *unlisted);

/* Takes multipliers (n_rows, borrowed until the next time) and the weight of money. */
enum iso_status iso_unlisted_open(struct iso_unlisted *unlisted, const double *duals, double money,
                                  struct iso_error *reterr);

/* [class]: what a unit served is worth in one period under multipliers of its rows. False when
 * memory is short. */
bool iso_unlisted_worth(struct iso_unlisted *unlisted, const double *duals, int32_t period,
                        double *ret_worth);

/* n_periods values: what an instance is paid; what it costs covered by a product, before that
 * product's multiplier; what it serves and minima are worth. */
void iso_unlisted_paid(const struct iso_unlisted *unlisted, int32_t workload, int32_t option,
                       double *ret_paid);
void iso_unlisted_covered(const struct iso_unlisted *unlisted, int32_t workload, int32_t option,
                          int32_t product, double *ret_covered);
void iso_unlisted_gain(const struct iso_unlisted *unlisted, int32_t workload, int32_t option,
                       double *ret_gain);

/* need_ct over the pairs of a product, listed ones alone when `listed`; `ret_pair` (may be NULL):
 * the pair that needs most in each period, -1 where nothing does. */
void iso_unlisted_need(const struct iso_unlisted *unlisted, int32_t product, bool listed,
                       double *ret_need, int32_t *ret_pair);

/* What a unit of a start costs, budgets included. */
double iso_unlisted_purchase(const struct iso_unlisted *unlisted, int32_t product, int32_t start);

/* Takes notice of columns that were listed. Errors: ISO_E_NOMEM. */
enum iso_status iso_unlisted_see(struct iso_unlisted *unlisted, struct iso_error *reterr);

/* Before anything is known: lists for each cell and period the options with the best price for
 * what they serve, of each class and each set of limits, and what the plan to start from uses and
 * buys. Errors: ISO_E_NOMEM. */
enum iso_status iso_list_candidates(struct iso_search *search, struct iso_error *reterr);

/* Prices what the linear program does not have; `grow`: what is not listed may be. Brings in the
 * few best of each cell and period, and bundles; sets the multipliers of commitments that have no
 * rows in the program. Listing may add rows: the multipliers are moved and have room for them. Adds
 * to *io_n_new. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_price_unlisted(struct iso_search *search, struct iso_lp *lp, double **io_duals,
                                   bool grow, int32_t *io_n_new, struct iso_error *reterr);

/* Prices one period for a program of its own, commitments and budgets aside: lists and switches on
 * the few best options of each workload. As iso_price_unlisted() otherwise. */
enum iso_status iso_price_period(struct iso_search *search, struct iso_lp *lp, int32_t period,
                                 double **io_duals, int32_t *io_n_new, struct iso_error *reterr);

#endif

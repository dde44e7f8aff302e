/* Small packings exactly: how many instances of each offering first, then what is in them. See
 * counts.c for the method. */
#ifndef ISOCOST_COUNTS_H
#define ISOCOST_COUNTS_H

#include "search.h"

/* A pure packing: patterns of one pool in one period that must cover whole demands, and no other
 * rule. `demand`, `counts` and multipliers are by class, a row of DEMAND. */
struct iso_counts {
    struct iso_search *search;
    int32_t n, n_kinds, n_patterns; /* classes; offerings with a pattern; patterns */
    int32_t *demand;
    double *price;   /* [kind], rising */
    int32_t *first;  /* [n_kinds + 1] patterns of a kind */
    int32_t *counts; /* [pattern * n + class], at most the demand */
    int32_t *column; /* [pattern] in the formulation */

    /* Cuts: with multipliers v >= 0 and F_k = max over patterns of kind k of v n, any packing into
     * x_k instances has  sum_k F_k x_k >= v d. */
    int32_t n_cuts, room_cuts;
    double *multipliers; /* [cut * n + class] */
    double *worth;       /* [cut * n_kinds + kind]: F */

    struct iso_mip mip; /* is there a fractional packing of D into X? see counts_check.c */
    struct iso_lp *lp;
    struct iso_failed *failed; /* states without a packing */
    int64_t nodes;             /* that are left */
};

/* Whether the formulation has nothing but patterns of one pool in one period, in rows of demand. */
bool iso_is_pure_packing(const struct iso_search *search);

/* For a pure packing with a plan, all of whose useful patterns are listed, and the multipliers
 * whose bound is tier_bound: raises tier_bound, offers a better plan, and leaves them equal when
 * the work suffices. Nothing for other formulations. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_count_instances(struct iso_search *search, const double *duals,
                                    struct iso_error *reterr);

enum iso_check { ISO_CHECK_PACKS, ISO_CHECK_FAILS, ISO_CHECK_STOPPED };

/* Looks for a packing into x[kind] instances; `ret_used` are the patterns, one an instance. Adds
 * cuts that x or what is left of it breaks. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_counts_check(struct iso_counts *counts, const int32_t *x, int32_t *ret_used,
                                 enum iso_check *ret_check, struct iso_error *reterr);
enum iso_status iso_counts_open(struct iso_counts *counts, struct iso_error *reterr);
void iso_counts_close(struct iso_counts *counts);

/* Adds the cut of multipliers. */
enum iso_status iso_counts_cut(struct iso_counts *counts, const double *multipliers,
                               struct iso_error *reterr);

/* Whether a cut says that `left` cannot be packed into x. */
bool iso_counts_is_cut(const struct iso_counts *counts, const int32_t *left, const int32_t *x);

#endif

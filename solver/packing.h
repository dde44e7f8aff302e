/* Packing of replica workloads: see packing.c. */
#ifndef ISOCOST_PACKING_H
#define ISOCOST_PACKING_H

#include "purses.h"
#include "sites.h"

/* Instances with their content that no listed pattern need stand for yet. */
struct iso_bin {
    int32_t team, list, period;
    double count;
    int32_t first;  /* its counts, in iso_bins.counts */
    int32_t column; /* pattern in its list, once it is listed */
};

/* The finisher: fills instances one kind after the other, each time the offering and content with
 * the least price for what they are worth under multipliers, until all copies are placed. */
struct iso_bins {
    int32_t n_teams, n_periods, n_bins, n_counts;
    struct iso_bin *bins;
    int32_t *counts;
    double cost;     /* of all bins, by the objective at hand */
    bool complete;   /* every copy found a place */
    int32_t **proxy; /* [team][list * n_periods + period]: some column of the list, -1 = none */
    struct iso_sites *sites; /* [team * n_periods + period] */
    double *activity;        /* n_rows */
    int64_t *left;           /* [site * n + place] copies to place */
    double *held, *relaxed;  /* [site * n + place] copies in the patterns, and in the relaxation */
    size_t left_room;
    int32_t *order;           /* scratch of a pool: [(list * ORDERS + by) * n + place] */
    struct iso_purses purses; /* what is committed and left */
    int32_t *content, *best_content;
};

enum iso_status iso_bins_init(struct iso_bins *bins, struct iso_search *search,
                              struct iso_error *reterr);
void iso_bins_fini(struct iso_bins *bins);

/* Places what `patterns` (n_columns whole counts, those of throughput workloads and purchases too)
 * leave over in every pool: how many copies each
 * site gets is rounded from the relaxation's point `x`, then each site is filled by the worth of
 * copies under `duals`. Caps of limits and budgets on instances hold. */
enum iso_status iso_bins_fill(struct iso_bins *bins, const struct iso_search *search,
                              const double *duals, const double *x, const double *patterns,
                              struct iso_error *reterr);

/* Makes a listed pattern of each bin; the formulation may grow. */
enum iso_status iso_bins_list(struct iso_bins *bins, struct iso_search *search,
                              struct iso_error *reterr);

/* Adds the bins to a point, once they are listed. */
void iso_bins_add(const struct iso_bins *bins, const struct iso_search *search, double *point);

struct iso_packing {
    struct iso_search *search;
    struct iso_lp *lp;
    struct iso_bins bins;
    size_t room;                /* columns that the arrays have room for */
    double *x, *lower, *floors; /* by column */
    double *duals, *root_duals; /* by row */
    bool only_patterns;         /* the formulation has no other columns */
    uint64_t random;
};

/* Finds plans for a problem with pools from the relaxation's point and multipliers. Beside
 * throughput workloads, whose instances stay those of the best plan, it ends with a first packing;
 * `again` goes on from the best plan. */
enum iso_status iso_pack(struct iso_search *search, struct iso_lp *lp, const double *x,
                         const double *duals, bool again, struct iso_error *reterr);

#endif

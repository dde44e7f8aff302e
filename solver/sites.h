/* Sites of a pool: offerings whose copies count in the same rows, the offerings of a zone say. */
#ifndef ISOCOST_SITES_H
#define ISOCOST_SITES_H

#include "search.h"

/* Of one pool in one period. A *copy* is one more replica of a workload of the pool on an instance
 * of a site; what it counts in depends on nothing else. */
struct iso_sites {
    int32_t n, n_sites;            /* workloads of the pool */
    int32_t *site;                 /* [list] */
    int32_t *first, *count;        /* [site * n + place]: its entries; none where it may not run */
    struct iso_mip_entry *entries; /* of one copy */
    int32_t n_entries;
    bool has_placed; /* some copies have columns of their own; of those only the demand is told */
};

/* Errors: ISO_E_NOMEM. */
enum iso_status iso_sites_init(struct iso_sites *sites, struct iso_search *search, int32_t team,
                               int32_t period, struct iso_error *reterr);
void iso_sites_fini(struct iso_sites *sites);

/* What multipliers give for one copy. */
double iso_sites_worth(const struct iso_sites *sites, const double *duals, int32_t site,
                       int32_t place);

/* Adds `times` copies to the activity of the rows. */
void iso_sites_add(const struct iso_sites *sites, int32_t site, int32_t place, double times,
                   double *activity);

/* By how much the rows in which a copy counts are broken, added up, with `times` copies more. */
double iso_sites_broken(const struct iso_sites *sites, const struct iso_mip *mip, int32_t site,
                        int32_t place, double times, const double *activity);

/* Whole copies by site, so that every row that asks for copies has enough: the floors of `relaxed`,
 * at least `held`, then one copy after the other to where it mends most, and among those to where
 * the relaxation has most left. All arrays are [site * n + place]; `activity` counts `held` and
 * then all copies; ret_more are those beyond `held`. False when a row cannot be met. */
bool iso_sites_round(const struct iso_sites *sites, const struct iso_mip *mip, const double *held,
                     const double *relaxed, double *activity, int64_t *ret_more);

#endif

/* A pool of sets of multipliers, of which each period takes the one that proves most. */
#ifndef ISOCOST_HORIZON_POOL_H
#define ISOCOST_HORIZON_POOL_H

#include "horizon_whole.h"

struct iso_pool_set {
    struct iso_multipliers prices;
    float *value; /* [period] of its season: what the tables prove, less the caps at their prices */
    int32_t n_periods; /* that take it */
};

struct iso_pool {
    const struct iso_horizon_case *h;
    struct iso_whole whole;
    int32_t n_sets;
    struct iso_pool_set *sets;
    int32_t *set_of; /* [period] */
    double *bought;  /* [start], fractional: what the periods choose their sets at */
    uint8_t *active; /* [product]: its purchases may change */
};

/* No sets, nothing bought. Errors: ISO_E_NOMEM. To be freed also on failure. */
enum iso_status iso_pool_init(struct iso_pool *pool, const struct iso_horizon_case *h,
                              struct iso_error *reterr);
void iso_pool_fini(struct iso_pool *pool);

/* Room for the multipliers of a season. False when memory is short. */
bool iso_multipliers_init(struct iso_multipliers *prices, const struct iso_horizon_case *h,
                          int32_t season);
void iso_multipliers_fini(struct iso_multipliers *prices);

/* Adds a set, whose multipliers it takes over also on failure, and works out its values.
 * Errors: ISO_E_NOMEM. */
enum iso_status iso_pool_add(struct iso_pool *pool, struct iso_multipliers prices,
                             struct iso_error *reterr);

/* Units of a product in the periods of a season with what is bought. */
double iso_pool_supply(const struct iso_pool *pool, int32_t product, int32_t season);

/* What the sets prove together when that is bought, as each period chooses, and the slope of that
 * in each start of an active product. NAN when memory is short. */
double iso_pool_value(struct iso_pool *pool, double *ret_slope);

/* What the periods in the term of a start pay for a unit at the sets that they take. */
double iso_pool_gain(const struct iso_pool *pool, int32_t product, int32_t start);

/* Moves what is bought to where the sets together prove least, and lets the periods take sets such
 * that what they pay for units adds up to about what these cost. Errors: ISO_E_NOMEM,
 * ISO_E_BACKEND. */
enum iso_status iso_pool_settle(struct iso_pool *pool, struct iso_error *reterr);

/* Adds the best multipliers that some periods of one season can share with what is bought,
 * beginning with those of a set. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_pool_improve(struct iso_pool *pool, int32_t set, const int32_t *periods,
                                 int32_t n_periods, struct iso_error *reterr);

/* Scales the prices of units so that they add up to what these cost, and what is proved then;
 * -INFINITY when some product has no price anywhere. */
double iso_pool_prove(struct iso_pool *pool);

#endif

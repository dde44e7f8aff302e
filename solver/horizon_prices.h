/* Multipliers of each period's own program, gathered while the periods are solved, and what they
 * prove together. */
#ifndef ISOCOST_HORIZON_PRICES_H
#define ISOCOST_HORIZON_PRICES_H

#include "horizon.h"

struct iso_prices {
    const struct iso_horizon_case *h;
    int32_t *held;  /* [product]: place in psi, or -1 */
    double *duals;  /* [period * slice.n_rows + row]: for one hour */
    double *psi;    /* [place * n_periods + period] >= 0: of COMMIT, for one hour */
    double *wish;   /* likewise: units that the period would like beyond those held; < 0: unused */
    double *factor; /* [product]: psi times this adds up to no more than buying costs */

    double
        *wanted; /* [product]: units more that would just be paid; -INFINITY: not even those held */
    uint8_t *noted; /* [period]: its multipliers are here */
    int32_t n_noted;
    double relaxed; /* sum of their programs' values times hours */

    double *need; /* [product]: scratch, least psi of the period at hand */
    double *gain; /* [start]: sum of lot need hours over the term */
};

/* Room for the products that are held after the dive. Errors: ISO_E_NOMEM. */
enum iso_status iso_prices_init(struct iso_prices *prices, const struct iso_horizon_case *h,
                                struct iso_error *reterr);
void iso_prices_fini(struct iso_prices *prices);

/* Shares out what buying costs over the periods noted and weighs what they then prove, as if they
 * were all. Errors: ISO_E_NOMEM. */
enum iso_status iso_prices_weigh(struct iso_prices *prices, double *ret_bound,
                                 struct iso_error *reterr);

/* After it: changes what is bought so that the periods that pay for a unit just pay what it costs;
 * each purchase by at most its `largest` part, or 1. False when nothing changes. */
bool iso_prices_move(const struct iso_prices *prices, struct iso_horizon_case *h, double largest);

/* When they prove more than `tier`'s multipliers do, puts them in their place: each period then
 * leads itself. Errors: ISO_E_NOMEM. */
enum iso_status iso_prices_prove(struct iso_prices *prices, struct iso_tier *tier,
                                 struct iso_error *reterr);

/* Moves what is bought after the dive and raises what `tier` proves, where the periods themselves
 * say more than the clusters. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_purchases_settle(struct iso_master *master, struct iso_tier *tier,
                                     struct iso_error *reterr);

#endif

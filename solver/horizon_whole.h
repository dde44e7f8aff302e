/* What whole instances cost at least, with a price on what joins workloads and periods. */
#ifndef ISOCOST_HORIZON_WHOLE_H
#define ISOCOST_HORIZON_WHOLE_H

#include "horizon.h"

/* Prices for one period of a season: with them each workload of each period is alone. */
struct iso_multipliers {
    int32_t season;
    double *unit; /* [product]: of one unit held, >= 0; INFINITY: none can be held */
    double *cap;  /* [limit]: of one unit of weight, >= 0 */
};

struct iso_whole_choice {
    int32_t column, size; /* of the slice; steps that one instance serves, rounded up */
};

struct iso_whole_workload {
    iso_decimal step;
    int32_t n_choices, most_steps;
    struct iso_whole_choice *choices; /* largest first */
};

/* A column that no other one makes needless, at the prices of the table at hand. */
struct iso_whole_kept {
    double price;
    int32_t size, column, cover; /* cover: place in slice.covers, or -1 when it is paid */
    int64_t count;               /* instances counted by iso_whole_count() */
};

struct iso_whole {
    const struct iso_horizon_case *h;
    struct iso_whole_workload *workloads;
    int32_t *steps; /* [workload * n_periods + period]: of the demand, rounded up */

    /* the table at hand */
    int32_t n_kept;
    struct iso_whole_kept *kept; /* largest first */
    double *room, *least;        /* least[q]: of q steps; 0 below 0 */
};

/* Whether the strategy's model is one for these tables, and they are few and small enough. */
bool iso_whole_applies(const struct iso_horizon_case *h);

/* Errors: ISO_E_NOMEM. To be freed also on failure. */
enum iso_status iso_whole_init(struct iso_whole *whole, const struct iso_horizon_case *h,
                               struct iso_error *reterr);
void iso_whole_fini(struct iso_whole *whole);

/* Fills the table of a workload for demands up to `most` steps. */
void iso_whole_fill(struct iso_whole *whole, int32_t workload, const struct iso_multipliers *prices,
                    int32_t most);

/* The least that a step of a workload's demand costs. */
double iso_whole_unit(const struct iso_whole *whole, int32_t workload,
                      const struct iso_multipliers *prices);

/* Counts the instances of a cheapest cover of q steps, 0 <= q <= most. */
void iso_whole_count(struct iso_whole *whole, int32_t q);

#endif

/* The state of repacking; see repack.c. */
#ifndef ISOCOST_REPACK_STATE_H
#define ISOCOST_REPACK_STATE_H

#include "repack.h"
#include "sites.h"

enum { ISO_REPACK_ORDERS = 3, ISO_REPACK_EMPTIED = 14 };

/* What one instance takes of a row that caps it. */
struct iso_toll {
    int32_t row;
    double coefficient;
};

struct iso_repack {
    struct iso_search *search;
    const struct iso_pattern_set *set;
    int32_t team, period, n, n_lists;
    int32_t n_resources, resources[ISO_N_RESOURCES]; /* that some copy needs */
    iso_decimal *need;                               /* [place * n_resources + k] */
    iso_decimal *room;                               /* [list * n_resources + k] */
    double *price;                                   /* [list] */
    struct iso_sites sites;
    double *worth;  /* [site * n + place] */
    int32_t *most;  /* [list * n + place] */
    int32_t *order; /* [(list * ISO_REPACK_ORDERS + by) * n] places, densest first */
    struct iso_toll *tolls;
    int32_t *first_toll; /* [n_lists + 1] */
    int32_t n_tolls;
    double *activity; /* n_rows; of the plan, emptied copies included while a round lasts */

    int32_t n_instances, room_instances;
    int32_t *list;                 /* [instance] */
    int32_t *content;              /* [instance * n + place] */
    double *waste;                 /* [instance] price less worth */
    int32_t *wasteful, n_wasteful; /* instances that wasted anything a burst ago */
    double *kept;                  /* [column] instances that stay as they are */
    double cost, mean_price;       /* of the instances */

    int32_t best_n; /* the cheapest set of instances so far */
    int32_t *best_list, *best_content;
    double *best_activity, best_cost;

    int32_t n_emptied, emptied[ISO_REPACK_EMPTIED];
    int32_t n_filled, filled_list[2 * ISO_REPACK_EMPTIED];
    int32_t *filled;                  /* contents */
    int32_t *removed, *wanted, *left; /* [site * n + place] copies of the emptied instances */
    int32_t *left_at;                 /* [site] copies that are left, and together */
    int32_t n_left;
    int32_t *trial, *best; /* contents */
    uint64_t random;
};

/* Price of an instance at hand less the worth of its content. */
double iso_repack_waste(const struct iso_repack *repack, int32_t instance);

/* Makes the instances at hand the best ones. */
void iso_repack_remember(struct iso_repack *repack);

#endif

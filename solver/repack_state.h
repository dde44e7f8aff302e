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

/* What is committed, as far as the pool's instances draw on it. With its multiplier psi, an
 * instance that uses nu of a unit that saves rho costs psi nu in place of rho nu, and what the
 * instances at hand really cost is that sum and, up to a constant,
 *
 *     loss(S) = (rho - psi) max(0, S - room) + psi max(0, room - S),    S = sum of nu :
 *
 * what is beyond the room is paid in full, and what it still holds is paid already. The loss is
 * >= 0, and 0 where the relaxation mostly is, so bounds by prices stay bounds. Where a product
 * saves more on some offerings than on others, rho is the least of them. */
struct iso_purse {
    int32_t row;                      /* COMMIT */
    double room, spent, price, worth; /* price = psi, worth = rho */
};

/* What is left to place at a site, together. */
struct iso_rest {
    int32_t n;
    double worth;
    iso_decimal need[ISO_N_RESOURCES]; /* [k], as in iso_repack.need */
};

/* A list with what rounds ask of it all the time. */
struct iso_tried {
    int32_t list;
    double price, full; /* of an instance; what it is worth when it is filled up */
};

struct iso_repack {
    struct iso_search *search;
    const struct iso_pattern_set *set;
    int32_t team, period, n, n_lists;
    int32_t n_resources, resources[ISO_N_RESOURCES]; /* that some copy needs */
    iso_decimal *need;                               /* [place * n_resources + k] */
    iso_decimal *room;                               /* [list * n_resources + k] */
    double *price;                                   /* [list], with coverage at its multiplier */
    struct iso_sites sites;
    double *worth;           /* [site * n + place] */
    int32_t *most;           /* [list * n + place] */
    struct iso_tried *tried; /* lists that instances are filled from, by site, best value first */
    int32_t *first_tried;    /* [n_sites + 1] */
    int32_t *order;          /* [(list * ISO_REPACK_ORDERS + by) * n] places, densest first */
    struct iso_toll *tolls;
    int32_t *first_toll; /* [n_lists + 1] */
    int32_t n_tolls;
    struct iso_purse *purses;
    int32_t n_purses;
    int32_t *purse;   /* [list] that covers it; -1 = none */
    double *use;      /* [list] units of it that an instance uses */
    double *activity; /* n_rows; of the plan, emptied copies included while a round lasts */

    int32_t n_instances, room_instances;
    int32_t *list;                 /* [instance] */
    int32_t *content;              /* [instance * n + place] */
    double *waste;                 /* [instance] price less worth */
    int32_t *wasteful, n_wasteful; /* instances that wasted anything a burst ago */
    int32_t n_kept;                /* columns there were */
    double *kept;                  /* [column] instances that stay as they are */
    double cost, mean_price;       /* of the instances; the cost with what purses lose */

    int32_t best_n; /* the cheapest set of instances so far */
    int32_t *best_list, *best_content;
    double *best_activity, best_cost;

    int32_t n_emptied, emptied[ISO_REPACK_EMPTIED];
    int32_t n_filled, filled_list[2 * ISO_REPACK_EMPTIED];
    int32_t *filled;                  /* contents */
    int32_t *removed, *wanted, *left; /* [site * n + place] copies of the emptied instances */
    struct iso_rest *rest;            /* [site] of `left` */
    int32_t n_left;                   /* at all sites */
    int32_t *trial, *filling;         /* contents */
    uint64_t random;
};

/* Price of an instance at hand less the worth of its content. */
double iso_repack_waste(const struct iso_repack *repack, int32_t instance);

/* What is taken off the price of an instance for what it wastes; >= 0. Copies that change places at
 * equal cost waste as much as before, but what is wasted in one instance can be done without: it
 * becomes a smaller one, or none. So rounds go by  price - waste^2 / price , from the price of a
 * full instance down to nothing for an empty one, which can be left out. */
double iso_repack_discount(double price, double waste);

/* The same for all instances that were filled. */
double iso_repack_filled_discount(const struct iso_repack *repack);

/* What instances may cost to hold what is worth `worth` when they may cost `most` less the
 * discount: as if all that they waste were in one of mean price, but at most four fifths of it. */
double iso_repack_most_cost(const struct iso_repack *repack, double most, double worth);

/* Sorts the copies for each list by what they are worth for what they take. Errors: ISO_E_NOMEM. */
enum iso_status iso_repack_rank(struct iso_repack *repack, struct iso_error *reterr);

/* Chooses the lists to try, once copies are ranked and the plan is read. Errors: ISO_E_NOMEM. */
enum iso_status iso_repack_choose_lists(struct iso_repack *repack, struct iso_error *reterr);

/* In [0, 1). */
static inline double iso_repack_random(struct iso_repack *repack)
{
    repack->random ^= repack->random << 13;
    repack->random ^= repack->random >> 7;
    repack->random ^= repack->random << 17;
    return (double)(repack->random >> 11) * 0x1p-53;
}

/* How instances are chosen and filled. */
struct iso_filling_choice {
    double shake;     /* scores count up to so much more, at random */
    double pass_over; /* the chance that a copy is passed over */
    double most;      /* what an instance may cost */
    double slack;     /* what it may waste */
    double score;     /* of the best one, its price for its worth; INFINITY = none yet */
};

/* The next instance for what is left: its list, with its content in repack->filling; -1 for none.
 * One that leaves nothing is taken at once. */
int32_t iso_repack_choose_filling(struct iso_repack *repack, struct iso_filling_choice *choice);

/* Makes the instances at hand the best ones. */
void iso_repack_remember(struct iso_repack *repack);

/* Adds up anew what the instances at hand use. */
void iso_repack_count_purses(struct iso_repack *repack);

/* What is lost in purses, in units of the objective; >= 0. */
double iso_repack_purse_loss(const struct iso_repack *repack);

#endif

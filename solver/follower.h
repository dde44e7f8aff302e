/* Followers: columns that must be able to move when instances do - copies placed, coverage,
 * unserved demand, violations, starts and stops, flows. They are found through the rows that link
 * them. */
#ifndef ISOCOST_FOLLOWER_H
#define ISOCOST_FOLLOWER_H

#include "neighbourhood.h"

/* Followers of row i are columns[first[i]] to columns[first[i + 1] - 1]. */
struct iso_followers {
    int32_t *first;
    int32_t *columns;
    int32_t n_purchases;
    int32_t *purchases; /* columns */
    uint8_t *standing;  /* n_products flags: something is held from the start */
    uint8_t *held;      /* likewise: held or bought in the point at hand */
};

/* Errors: ISO_E_NOMEM. To be freed by iso_followers_fini() also then. */
enum iso_status iso_followers_init(struct iso_followers *followers,
                                   const struct iso_formulation *formulation,
                                   struct iso_error *reterr);
void iso_followers_fini(struct iso_followers *followers);

/* Looks at what the point at hand holds and buys; coverage by nothing does not follow. */
void iso_followers_look(struct iso_followers *followers, const struct iso_neighbourhood *n);

/* Frees every follower of the free columns, and theirs in turn. */
void iso_followers_free(const struct iso_followers *followers, struct iso_neighbourhood *n);

#endif

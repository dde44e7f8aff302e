/* Things in the order of a number; equal ones by their place, so that the order is always the same.
 */
#ifndef ISOCOST_RANKED_H
#define ISOCOST_RANKED_H

#include <stddef.h>
#include <stdint.h>

struct iso_ranked {
    double value; /* not NaN */
    int32_t place;
};

/* Least value first, or largest first. */
void iso_rank_rising(struct iso_ranked *items, size_t n);
void iso_rank_falling(struct iso_ranked *items, size_t n);

#endif

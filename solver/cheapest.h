/* The few columns with the least cost of those that were shown. */
#ifndef ISOCOST_CHEAPEST_H
#define ISOCOST_CHEAPEST_H

#include <stdint.h>

#define ISO_CHEAPEST 3

struct iso_cheapest {
    int32_t n;
    int32_t column[ISO_CHEAPEST]; /* cheapest first */
    double cost[ISO_CHEAPEST];
};

/* Shows a column; of equal ones the first stays. */
static inline void iso_cheapest_show(struct iso_cheapest *cheapest, int32_t column, double cost)
{
    int32_t at = cheapest->n;

    if (cheapest->n < ISO_CHEAPEST)
        cheapest->n++;
    else if (cheapest->cost[--at] <= cost)
        return;
    for (; at > 0 && cheapest->cost[at - 1] > cost; at--) {
        cheapest->column[at] = cheapest->column[at - 1];
        cheapest->cost[at] = cheapest->cost[at - 1];
    }
    cheapest->column[at] = column;
    cheapest->cost[at] = cost;
}

#endif

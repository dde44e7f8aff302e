#include <stdlib.h>

#include "search.h"

static int by_use(const void *left, const void *right)
{
    const struct iso_use *a = left, *b = right;

    if (a->period != b->period)
        return a->period < b->period ? -1 : 1;
    if (a->workload != b->workload)
        return a->workload < b->workload ? -1 : 1;
    return (a->offering > b->offering) - (a->offering < b->offering);
}

static int by_fill(const void *left, const void *right)
{
    const struct iso_fill *a = left, *b = right;

    if (a->period != b->period)
        return a->period < b->period ? -1 : 1;
    if (a->team != b->team)
        return a->team < b->team ? -1 : 1;
    if (a->offering != b->offering)
        return a->offering < b->offering ? -1 : 1;
    return (a->first_entry > b->first_entry) - (a->first_entry < b->first_entry);
}

void iso_plan_sort(struct iso_plan *plan)
{
    if (plan->n_uses > 0)
        qsort(plan->uses, (size_t)plan->n_uses, sizeof(*plan->uses), by_use);
    if (plan->n_fills > 0)
        qsort(plan->fills, (size_t)plan->n_fills, sizeof(*plan->fills), by_fill);
    iso_sort_flows(plan);
}

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

bool iso_plan_pack_entries(struct iso_plan *plan)
{
    ISO_AUTO_MEM struct iso_fill_entry *before = plan->entries;

    plan->entries = NULL;
    plan->n_entries = 0;
    for (int32_t i = 0; i < plan->n_fills; i++) {
        struct iso_fill *fill = &plan->fills[i];
        int32_t first = plan->n_entries;
        for (int32_t e = 0; e < fill->n_entries; e++)
            if (!iso_append(&plan->entries, &plan->n_entries, sizeof(*before),
                            &before[fill->first_entry + e]))
                return false;
        fill->first_entry = first;
    }
    return true;
}

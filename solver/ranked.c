#include "ranked.h"

#include <stdlib.h>

static int rising(const void *left, const void *right)
{
    const struct iso_ranked *a = left, *b = right;

    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

static int falling(const void *left, const void *right)
{
    const struct iso_ranked *a = left, *b = right;

    if (a->value != b->value)
        return a->value > b->value ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

void iso_rank_rising(struct iso_ranked *items, size_t n)
{
    qsort(items, n, sizeof(*items), rising);
}

void iso_rank_falling(struct iso_ranked *items, size_t n)
{
    qsort(items, n, sizeof(*items), falling);
}

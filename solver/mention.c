#include "mention.h"

#include <stdlib.h>
#include <string.h>

static int32_t size_of(const struct iso_problem *problem, bool products, int32_t set)
{
    return products ? problem->products[set].n_eligible : problem->limits[set].n_terms;
}

static int32_t offering_of(const struct iso_problem *problem, bool products, int32_t set,
                           int32_t place)
{
    return products ? problem->products[set].eligible[place].offering
                    : problem->limits[set].terms[place].offering;
}

/* Counting sort. While items are placed, first[o + 1] is where the next mention of o goes; in the
 * end that is where those of o + 1 begin. */
static bool turn_around(struct iso_mentions *mentions, const struct iso_problem *problem,
                        bool products)
{
    int32_t n_sets = products ? problem->n_products : problem->n_limits;
    int32_t *first = iso_calloc((size_t)problem->n_offerings + 2, sizeof(*first));

    mentions->first = first;
    mentions->items = NULL;
    if (!first)
        return false;
    for (int32_t s = 0; s < n_sets; s++)
        for (int32_t i = 0; i < size_of(problem, products, s); i++)
            first[offering_of(problem, products, s, i) + 2]++;
    for (int32_t o = 0; o < problem->n_offerings; o++)
        first[o + 2] += first[o + 1];
    mentions->items = iso_calloc((size_t)first[problem->n_offerings + 1], sizeof(*mentions->items));
    if (!mentions->items)
        return false;
    for (int32_t s = 0; s < n_sets; s++)
        for (int32_t i = 0; i < size_of(problem, products, s); i++)
            mentions->items[first[offering_of(problem, products, s, i) + 1]++] =
                (struct iso_mention){s, i};
    return true;
}

bool iso_mentions_of_limits(struct iso_mentions *mentions, const struct iso_problem *problem)
{
    return turn_around(mentions, problem, false);
}

bool iso_mentions_of_products(struct iso_mentions *mentions, const struct iso_problem *problem)
{
    return turn_around(mentions, problem, true);
}

void iso_mentions_fini(struct iso_mentions *mentions)
{
    free(mentions->first);
    free(mentions->items);
    memset(mentions, 0, sizeof(*mentions));
}

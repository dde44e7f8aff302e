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

/* Counts, or places, what each product reaches. Products have few cells and offerings, and options
 * are many, so products come first. */
static void reach_all(struct iso_reach *reach, const struct iso_problem *problem, bool count)
{
    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t a = 0; a < problem->n_workloads; a++) {
            const struct iso_product *product = &problem->products[c];
            if (!product->cells[a] || problem->workloads[a].replicas)
                continue;
            for (int32_t i = 0; i < product->n_eligible; i++) {
                int32_t option =
                    iso_workload_find_option(&problem->workloads[a], product->eligible[i].offering);
                if (option < 0)
                    continue;
                int32_t *first = &reach->first[reach->first_option[a] + option];
                if (count)
                    first[2]++;
                else
                    reach->items[first[1]++] = (struct iso_mention){c, i};
            }
        }
}

bool iso_reach_init(struct iso_reach *reach, const struct iso_problem *problem)
{
    reach->first_option =
        iso_calloc((size_t)problem->n_workloads + 1, sizeof(*reach->first_option));
    if (!reach->first_option)
        return false;
    for (int32_t a = 0; a < problem->n_workloads; a++)
        reach->first_option[a + 1] = reach->first_option[a] + problem->workloads[a].n_options;
    int32_t n = reach->first_option[problem->n_workloads];
    reach->first = iso_calloc((size_t)n + 2, sizeof(*reach->first));
    if (!reach->first)
        return false;
    reach_all(reach, problem, true);
    for (int32_t k = 0; k < n; k++)
        reach->first[k + 2] += reach->first[k + 1];
    reach->items = iso_calloc((size_t)reach->first[n + 1], sizeof(*reach->items));
    if (!reach->items)
        return false;
    reach_all(reach, problem, false);
    return true;
}

void iso_reach_fini(struct iso_reach *reach)
{
    free(reach->first_option);
    free(reach->first);
    free(reach->items);
    memset(reach, 0, sizeof(*reach));
}

/* Which limits, or which products, name each offering: the problem's lists, turned around once. */
#ifndef ISOCOST_MENTION_H
#define ISOCOST_MENTION_H

#include "isocost/problem.h"

struct iso_mention {
    int32_t set;   /* limit or product */
    int32_t place; /* in its terms or eligible offerings */
};

/* Mentions of offering o are items[first[o]] to items[first[o + 1] - 1], by set. */
struct iso_mentions {
    int32_t *first;
    struct iso_mention *items;
};

/* Products that may cover option i of throughput workload a: items[first[k]] to
 * items[first[k + 1] - 1] with k = first_option[a] + i, by product. */
struct iso_reach {
    int32_t *first_option; /* n_workloads + 1 */
    int32_t *first;
    struct iso_mention *items;
};

/* False when memory is short; to be freed by iso_reach_fini() also then. */
bool iso_reach_init(struct iso_reach *reach, const struct iso_problem *problem);
void iso_reach_fini(struct iso_reach *reach);

/* False when memory is short; to be freed by iso_mentions_fini() also then. */
bool iso_mentions_of_limits(struct iso_mentions *mentions, const struct iso_problem *problem);
bool iso_mentions_of_products(struct iso_mentions *mentions, const struct iso_problem *problem);
void iso_mentions_fini(struct iso_mentions *mentions);

#endif

/* Periods in which a throughput workload was priced before at the same numbers.
 *
 * Where each period has multipliers of its own, those of one workload are still few: what its
 * columns cost and are worth in period t is, to the last bit, what they were in period s when
 *
 *   the worth of every option is summed up from the same numbers (worth.c),
 *   prices, rates and hours are the same, and no limit or window of a budget has a multiplier,
 *   the same of its products may be held, and none of them covers another workload, so that their
 *   implied multipliers (implied.c) come from its options alone.
 *
 * Then its products' multipliers are those of s, and where all its columns priced out in s they do
 * in t. Nothing is taken over from periods in which anything was repaired. */
#ifndef ISOCOST_VERIFY_PRECEDENTS_H
#define ISOCOST_VERIFY_PRECEDENTS_H

#include "pricing.h"

struct iso_precedent {
    int32_t period;
    bool priced; /* all columns priced out there, which counted so many */
    int64_t columns_priced;
    long double *numbers; /* of the workload's worth there, owned */
    double *psi;          /* [product of the workload], in the same block */
};

struct iso_precedents {
    bool applies; /* the rules of the problem allow any */
    size_t n_numbers;
    int32_t n_products;
    int32_t *products;    /* that may cover the workload */
    long double *numbers; /* of the open period */
    int32_t n_precedents;
    struct iso_precedent *precedents;
    int32_t at; /* the one that stands for the open period, or that this becomes; -1: none */
    bool found; /* `at` was there before */
};

/* For the workload of `unit`. Errors: ISO_E_NOMEM. To be freed also on failure. */
enum iso_status iso_precedents_init(struct iso_precedents *precedents,
                                    const struct iso_worth *unit);
void iso_precedents_fini(struct iso_precedents *precedents);

/* Looks for a precedent of the period that worth and costs are open for: sets `at` and `found`.
 * Without one the period becomes one itself, while there is room and memory. */
void iso_precedents_open(struct iso_precedents *precedents, const struct iso_worth *unit,
                         const struct iso_costs *costs);

/* Whether all columns of the workload price out in the open period since they did before. */
static inline bool iso_precedents_settle(const struct iso_precedents *precedents)
{
    return precedents->found && precedents->precedents[precedents->at].priced;
}

/* Notes that all columns of the open period priced out, and how many these were. */
void iso_precedents_note(struct iso_precedents *precedents, int64_t columns_priced);

#endif

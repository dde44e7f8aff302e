/* Prices of SOFT rules that rise with the violation v. With prices p_k from from_k on, from_0 = 0,
 * and p_-1 = 0, the penalty is
 *
 *     sum_k (p_k - p_k-1) * max(0, v - from_k)
 *
 * and max(0, v - from_k) is by how much a rule is broken whose bound lies from_k beyond the bound
 * of the rule itself. So each step becomes a SOFT rule of its own, at the price that it adds.
 * Prices do not fall, so none is negative and the sum is convex. */
#include <stdio.h>

#include "model_check.h"
#include "number.h"
#include "resolve_internal.h"

enum iso_status iso_resolve_penalty(struct iso_resolve *r, const Isocost__V1__Policy *policy,
                                    const char *path, struct iso_penalty_step **ret_steps,
                                    int32_t *ret_n, struct iso_error *reterr)
{
    struct iso_penalty_step *steps =
        iso_arena_calloc(r->arena, policy->n_steps + 1, sizeof(*steps));
    iso_decimal before = 0, price;
    char place[ISO_PATH_SIZE + 64];
    int32_t n = 0;

    *ret_n = 0;
    if (!steps)
        return iso_resolve_full(reterr);
    if (policy->price) {
        snprintf(place, sizeof(place), "%.160s.price", path);
        if (!iso_resolve_to_base(r, policy->price, true, place, &before))
            return ISO_OK;
        steps[n++].adds = before;
    }
    for (size_t i = 0; i < policy->n_steps; i++) {
        snprintf(place, sizeof(place), "%.160s.steps[%zu].price", path, i);
        if (!iso_resolve_to_base(r, policy->steps[i]->price, true, place, &price))
            return ISO_OK;
        if (price > before) /* a step of the same price is none */
            steps[n++] =
                (struct iso_penalty_step){iso_number(policy->steps[i]->from), price - before};
        before = price;
    }
    *ret_steps = steps;
    *ret_n = n;
    return ISO_OK;
}

/* Effects: a plan before a change and the answer of a solve after it.
 *
 * Of the money stage, plan and bound are P and B before, P' and B' after; the best values V and V'
 * lie between. So V' - V >= B' - P and V' - V <= P' - B, as long as the stages before money have
 * the same values: otherwise the money of the two is for different service. */
#include <math.h>

#include "explain.h"
#include "isocost/proto/money.h"
#include "message_new.h"

#define TOLERANCE 1e-6 /* of values of stages, which solvers work out in doubles */

double iso_explain_tolerance(double value)
{
    return TOLERANCE * (1 + fabs(value));
}

static const Isocost__V1__Tier *find_tier(const Isocost__V1__Plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->n_tiers; i++)
        if (strcmp(plan->tiers[i]->name, name) == 0)
            return plan->tiers[i];
    return NULL;
}

static bool is_before_money(const Isocost__V1__Tier *tier)
{
    return strcmp(tier->name, "money") != 0 && strcmp(tier->name, "moves") != 0;
}

static bool differs(const Isocost__V1__Tier *tier, const Isocost__V1__Plan *other,
                    double *ret_value)
{
    const Isocost__V1__Tier *same = find_tier(other, tier->name);

    *ret_value = same ? same->value : 0;
    return fabs(tier->value - *ret_value) > iso_explain_tolerance(tier->value);
}

bool iso_explain_same_service(const Isocost__V1__Plan *a, const Isocost__V1__Plan *b)
{
    double value;

    for (size_t i = 0; i < a->n_tiers; i++)
        if (is_before_money(a->tiers[i]) && differs(a->tiers[i], b, &value))
            return false;
    for (size_t i = 0; i < b->n_tiers; i++)
        if (is_before_money(b->tiers[i]) && differs(b->tiers[i], a, &value))
            return false;
    return true;
}

static bool add_tier(Isocost__V1__Effect *effect, char *name, double before, double after,
                     struct iso_arena *arena)
{
    Isocost__V1__TierEffect *tier = iso_message_new(arena, &isocost__v1__tier_effect__descriptor);

    if (!tier)
        return false;
    tier->name = name;
    tier->before = before;
    tier->after = after;
    effect->tiers[effect->n_tiers++] = tier;
    return true;
}

static bool add_tiers(Isocost__V1__Effect *effect, const Isocost__V1__Plan *before,
                      const Isocost__V1__Plan *after, struct iso_arena *arena)
{
    double other;

    effect->tiers =
        iso_arena_calloc(arena, before->n_tiers + after->n_tiers + 1, sizeof(*effect->tiers));
    if (!effect->tiers)
        return false;
    for (size_t i = 0; i < before->n_tiers; i++) {
        const Isocost__V1__Tier *tier = before->tiers[i];
        if (is_before_money(tier) && differs(tier, after, &other) &&
            !add_tier(effect, tier->name, tier->value, other, arena))
            return false;
    }
    for (size_t i = 0; i < after->n_tiers; i++) {
        const Isocost__V1__Tier *tier = after->tiers[i];
        if (is_before_money(tier) && !find_tier(before, tier->name) &&
            differs(tier, before, &other) && !add_tier(effect, tier->name, 0, tier->value, arena))
            return false;
    }
    return true;
}

/* after - before; NULL when a side is missing or the arena is full. */
static Google__Type__Money *difference(const Google__Type__Money *before,
                                       const Google__Type__Money *after, struct iso_arena *arena)
{
    iso_decimal left = 0, right = 0, amount = 0;

    if (!before || !after || iso_money_to_decimal(before, &left, NULL) != ISO_OK ||
        iso_money_to_decimal(after, &right, NULL) != ISO_OK ||
        !iso_wide_to_decimal((iso_wide)right - left, &amount))
        return NULL;
    return iso_money_from_decimal(amount, after->currency_code, arena);
}

static bool fill(Isocost__V1__Effect *effect, const Isocost__V1__Plan *before,
                 const Isocost__V1__Plan *after, struct iso_arena *arena)
{
    const Isocost__V1__Tier *left = iso_study_money(before), *right = iso_study_money(after);

    effect->cost = after->cost;
    effect->gap_after = right->gap;
    if (!iso_study_has_cost(before))
        return true;
    effect->cost_difference = difference(before->cost, after->cost, arena);
    effect->objective_difference = difference(before->objective, after->objective, arena);
    effect->gap_before = left->gap;
    if (!add_tiers(effect, before, after, arena))
        return false;
    if (effect->n_tiers > 0)
        return true;
    effect->range = iso_message_new(arena, &isocost__v1__effect_range__descriptor);
    if (!effect->range)
        return false;
    effect->range->lowest = right->bound - left->value;
    effect->range->highest = right->value - left->bound;
    return true;
}

Isocost__V1__Effect *iso_explain_effect(const Isocost__V1__Plan *before,
                                        const struct iso_study_case *solved,
                                        struct iso_arena *arena)
{
    Isocost__V1__Effect *effect = iso_message_new(arena, &isocost__v1__effect__descriptor);
    const Isocost__V1__Plan *after = solved->plan;

    if (!effect)
        return NULL;
    effect->reason = ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_NO_PLAN_FOUND;
    if (!after)
        return effect;
    if (after->termination)
        effect->reason = after->termination->reason;
    effect->conflicts = after->conflicts;
    effect->n_conflicts = after->n_conflicts;
    if (iso_study_has_cost(after) && !fill(effect, before, after, arena))
        return NULL;
    return effect;
}

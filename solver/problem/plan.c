#include "isocost/plan.h"

struct iso_plan *iso_plan_new(void)
{
    return iso_calloc(1, sizeof(struct iso_plan));
}

void iso_plan_free(struct iso_plan *plan)
{
    if (!plan)
        return;
    for (int32_t i = 0; i < plan->n_components; i++)
        free(plan->components[i].workloads);
    for (int32_t i = 0; i < plan->n_conflicts; i++)
        free(plan->conflicts[i].rules);
    for (int32_t i = 0; i < plan->n_relaxations; i++)
        free(plan->relaxations[i].more);
    for (int32_t i = 0; i < plan->n_alternatives; i++)
        iso_plan_free(plan->alternatives[i]);
    free(plan->alternatives);
    void *const arrays[] = {
        plan->uses,      plan->fills,      plan->entries,     plan->covers,
        plan->purchases, plan->unserved,   plan->lines,       plan->tiers,
        plan->duals,     plan->components, plan->bindings,    plan->runners_up,
        plan->baselines, plan->conflicts,  plan->relaxations, plan->value_functions,
        plan->leads,     plan->flows,      plan->bills};
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
    free(plan);
}

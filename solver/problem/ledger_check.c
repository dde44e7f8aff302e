/* The indices of a plan that is to be billed: it may come from a process that went wrong. */
#include "ledger_sums.h"

/* As a decimal it must stay in range. */
#define MOST_COUNT (ISO_DECIMAL_MAX / ISO_DECIMAL_ONE)

static bool below(int32_t index, int32_t n)
{
    return index >= 0 && index < n;
}

static bool counts(int64_t count)
{
    return count >= 0 && count <= MOST_COUNT;
}

static enum iso_status wrong(const char *array, int32_t i, struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_INVALID, array, "%d has a number that is out of range", i);
}

static bool flow_is_there(const struct iso_problem *problem, const struct iso_flow *flow)
{
    return below(flow->workload, problem->n_workloads) &&
           below(flow->traffic, problem->workloads[flow->workload].n_traffic) &&
           below(flow->route, problem->workloads[flow->workload].traffic[flow->traffic].n_routes) &&
           below(flow->period, problem->n_periods) && flow->amount >= 0;
}

static enum iso_status check_fills(const struct iso_problem *problem, const struct iso_plan *plan,
                                   struct iso_error *reterr)
{
    for (int32_t i = 0; i < plan->n_fills; i++) {
        const struct iso_fill *fill = &plan->fills[i];
        if (!below(fill->team, problem->n_teams) || !below(fill->offering, problem->n_offerings) ||
            !below(fill->period, problem->n_periods) || !counts(fill->instances) ||
            fill->first_entry < 0 || fill->n_entries < 0 ||
            fill->n_entries > plan->n_entries - fill->first_entry)
            return wrong("fills", i, reterr);
    }
    for (int32_t i = 0; i < plan->n_entries; i++)
        if (!below(plan->entries[i].workload, problem->n_workloads) || plan->entries[i].count < 0)
            return wrong("entries", i, reterr);
    return ISO_OK;
}

static enum iso_status check_commitments(const struct iso_problem *problem,
                                         const struct iso_plan *plan, struct iso_error *reterr)
{
    for (int32_t i = 0; i < plan->n_covers; i++) {
        const struct iso_cover *cover = &plan->covers[i];
        if (!below(cover->product, problem->n_products) ||
            !below(cover->cell, iso_problem_n_cells(problem)) ||
            !below(cover->offering, problem->n_offerings) ||
            !below(cover->period, problem->n_periods) || cover->instances < 0)
            return wrong("covers", i, reterr);
    }
    for (int32_t i = 0; i < plan->n_purchases; i++) {
        const struct iso_purchase *purchase = &plan->purchases[i];
        if (!below(purchase->product, problem->n_products) ||
            !below(purchase->start, problem->products[purchase->product].n_starts) ||
            !counts(purchase->quantity))
            return wrong("purchases", i, reterr);
    }
    return ISO_OK;
}

enum iso_status iso_ledger_check(const struct iso_problem *problem, const struct iso_plan *plan,
                                 struct iso_error *reterr)
{
    for (int32_t i = 0; i < plan->n_uses; i++) {
        const struct iso_use *use = &plan->uses[i];
        if (!below(use->workload, problem->n_workloads) ||
            !below(use->offering, problem->n_offerings) ||
            !below(use->period, problem->n_periods) || !counts(use->count))
            return wrong("uses", i, reterr);
    }
    for (int32_t i = 0; i < plan->n_unserved; i++) {
        const struct iso_unserved *unserved = &plan->unserved[i];
        if (!below(unserved->workload, problem->n_workloads) ||
            !below(unserved->period, problem->n_periods) || unserved->amount < 0)
            return wrong("unserved", i, reterr);
    }
    for (int32_t i = 0; i < plan->n_flows; i++)
        if (!flow_is_there(problem, &plan->flows[i]))
            return wrong("flows", i, reterr);
    ISO_TRY(check_fills(problem, plan, reterr));
    return check_commitments(problem, plan, reterr);
}

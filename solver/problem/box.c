/* Demand that may rise in a few periods at once. */
#include "isocost/ledger.h"

int32_t iso_box_n_rising(const struct iso_problem *problem, const struct iso_workload *workload)
{
    int32_t n = 0;

    for (int32_t t = 0; t < problem->n_periods; t++)
        n += workload->required[t] > workload->box->required[t];
    return n;
}

bool iso_box_counts(const struct iso_problem *problem, const struct iso_workload *workload)
{
    return workload->box && workload->service != ISO_SERVICE_MUST &&
           workload->box->periods < iso_box_n_rising(problem, workload);
}

/* What is unserved only where demand rises. */
static iso_decimal risen_part(const struct iso_problem *problem, const struct iso_unserved *u)
{
    const struct iso_workload *workload = &problem->workloads[u->workload];
    iso_decimal rise = workload->required[u->period] - workload->box->required[u->period];

    return u->amount < rise ? u->amount : rise;
}

/* Whether the rise of one period counts more than that of another of the same workload. */
static bool counts_before(const struct iso_problem *problem, const struct iso_unserved *u,
                          const struct iso_unserved *other)
{
    const struct iso_workload *workload = &problem->workloads[u->workload];
    iso_wide left = (iso_wide)problem->periods[u->period].hours * risen_part(problem, u);
    iso_wide right = (iso_wide)problem->periods[other->period].hours * risen_part(problem, other);

    if (workload->service == ISO_SERVICE_PENALTY)
        return left > right || (left == right && u->period < other->period);
    long double share = (long double)left / (long double)workload->demand[u->period];
    long double its = (long double)right / (long double)workload->demand[other->period];
    return share > its || (share == its && u->period < other->period);
}

iso_decimal iso_plan_counted_unserved(const struct iso_problem *problem,
                                      const struct iso_plan *plan, int32_t i)
{
    const struct iso_unserved *u = &plan->unserved[i];
    const struct iso_box *box = problem->workloads[u->workload].box;
    int32_t before = 0;

    for (int32_t k = 0; k < plan->n_unserved && box; k++)
        before += plan->unserved[k].workload == u->workload &&
                  counts_before(problem, &plan->unserved[k], u);
    return !box || before < box->periods ? u->amount : u->amount - risen_part(problem, u);
}

/* Strategy 1, separable cover. */
#include "strategy.h"

bool iso_separable_applies(const struct iso_problem *problem)
{
    return problem->n_workloads < 0;
}

enum iso_status iso_separable(const struct iso_problem *problem, const struct iso_control *control,
                              bool explain, struct iso_plan **ret_plan, struct iso_error *reterr)
{
    (void)problem;
    (void)control;
    (void)explain;
    (void)ret_plan;
    return iso_fail(reterr, ISO_E_LIMIT, "", "the strategy does not apply");
}

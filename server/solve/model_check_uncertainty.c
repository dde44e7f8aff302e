/* Scenarios, and the rules that are not served together with them. */
#include <stdio.h>
#include <string.h>

#include "isocost/problem.h"
#include "model_check.h"
#include "number.h"

#define MOST_SCENARIOS 100
#define TOGETHER "is not served together with uncertainty"

static void check_scenarios(struct iso_model_check *check, const char *path,
                            const Isocost__V1__Uncertainty *uncertainty)
{
    struct iso_names ids = {.arena = check->violations->arena};
    char place[ISO_PATH_SIZE];
    iso_wide sum = 0;
    bool known = true;

    for (size_t s = 0; s < uncertainty->n_scenarios; s++) {
        const Isocost__V1__UncertainScenario *scenario = uncertainty->scenarios[s];
        iso_check_path(place, path, "scenarios", s);
        iso_check_new_id(check, place, scenario->id, &ids);
        iso_check_number(check, place, "demand_factor", scenario->demand_factor, ISO_ABOVE_ZERO);
        if (iso_check_number(check, place, "probability", scenario->probability,
                             ISO_POSITIVE_SHARE))
            sum += iso_number(scenario->probability);
        else
            known = false;
    }
    if (uncertainty->n_scenarios == 0 || uncertainty->n_scenarios > MOST_SCENARIOS)
        iso_check_fail(check, path, "scenarios", "%zu; 1 to %d are required",
                       uncertainty->n_scenarios, MOST_SCENARIOS);
    else if (known && sum != ISO_DECIMAL_ONE)
        iso_check_fail(check, path, "scenarios",
                       "their probabilities add up to %.9f; they must add up to 1",
                       (double)sum / (double)ISO_DECIMAL_ONE);
}

static void check_tail(struct iso_model_check *check, const char *path,
                       const Isocost__V1__Uncertainty *uncertainty)
{
    bool weighed =
        iso_check_number(check, path, "tail_weight", uncertainty->tail_weight, ISO_SHARE) &&
        uncertainty->tail_weight > 0;

    if (!weighed && uncertainty->tail_level == 0)
        return;
    if (iso_check_number(check, path, "tail_level", uncertainty->tail_level, ISO_POSITIVE_SHARE) &&
        uncertainty->tail_level >= 1)
        iso_check_fail(check, path, "tail_level", "%.9g; it must be below 1",
                       uncertainty->tail_level);
}

/* Rules of the order of periods, and those that add up what scenarios keep apart. */
static void check_company(struct iso_model_check *check, const char *path)
{
    const Isocost__V1__Model *model = check->model;
    char place[ISO_PATH_SIZE];

    if (model->current)
        iso_check_fail(check, path, "current", TOGETHER);
    for (size_t a = 0; a < model->n_workloads; a++) {
        const Isocost__V1__Workload *workload = model->workloads[a];
        iso_check_path(place, path, "workloads", a);
        if (workload->ramp)
            iso_check_fail(check, place, "ramp", TOGETHER);
        if (workload->demand_case == ISOCOST__V1__WORKLOAD__DEMAND_THROUGHPUT &&
            workload->throughput->box &&
            workload->service_case != ISOCOST__V1__WORKLOAD__SERVICE_MUST_SERVE)
            iso_check_fail(check, place, "throughput.box", TOGETHER ", except for must_serve");
    }
    for (size_t i = 0; i < model->n_volume_prices; i++) {
        iso_check_path(place, path, "volume_prices", i);
        if (!model->volume_prices[i]->disabled)
            iso_check_fail(check, place, "", TOGETHER);
    }
    for (size_t b = 0; b < model->n_budgets; b++) {
        iso_check_path(place, path, "budgets", b);
        if (!model->budgets[b]->disabled &&
            model->budgets[b]->basis == ISOCOST__V1__BUDGET_BASIS__BUDGET_BASIS_CASH)
            iso_check_fail(check, place, "basis", "CASH " TOGETHER);
    }
}

void iso_check_uncertainty(struct iso_model_check *check, const char *path)
{
    const Isocost__V1__Uncertainty *uncertainty = check->model->uncertainty;
    char place[ISO_PATH_SIZE];

    if (!uncertainty)
        return;
    snprintf(place, sizeof(place), "%.128s.uncertainty", path);
    check_scenarios(check, place, uncertainty);
    check_tail(check, place, uncertainty);
    check_company(check, path);
}

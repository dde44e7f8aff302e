#include "scenarios.h"

int32_t iso_window_scenario(const struct iso_problem *problem, const struct iso_window *window)
{
    for (int32_t t = 0; t < problem->n_periods && problem->n_scenarios > 1; t++)
        if (window->periods[t])
            return iso_problem_scenario(problem, t);
    return 0;
}

static bool is_in_one(const struct iso_problem *problem, const struct iso_window *window)
{
    int32_t scenario = iso_window_scenario(problem, window);

    for (int32_t t = 0; t < problem->n_periods; t++)
        if (window->periods[t] && iso_problem_scenario(problem, t) != scenario)
            return false;
    return true;
}

static enum iso_status check_rules(const struct iso_problem *problem, struct iso_error *reterr)
{
    if (problem->moves.present)
        return iso_fail(reterr, ISO_E_INVALID, "moves", "is not for scenarios");
    if (problem->n_volumes > 0)
        return iso_fail(reterr, ISO_E_INVALID, "n_volumes", "is not for scenarios");
    for (int32_t a = 0; a < problem->n_workloads; a++)
        if (problem->workloads[a].ramp || iso_box_counts(problem, &problem->workloads[a]))
            return iso_fail(reterr, ISO_E_INVALID, "workloads",
                            "%d has a ramp or a box that counts, which are not for scenarios", a);
    for (int32_t b = 0; b < problem->n_budgets; b++)
        for (int32_t w = 0; w < problem->budgets[b].n_windows; w++)
            if (!is_in_one(problem, &problem->budgets[b].windows[w]))
                return iso_fail(reterr, ISO_E_INVALID, "budgets",
                                "window %d of %d is in several scenarios", w, b);
    return ISO_OK;
}

enum iso_status iso_scenarios_check(const struct iso_problem *problem, struct iso_error *reterr)
{
    iso_wide sum = 0;

    if (problem->tail_weight < 0 || problem->tail_weight > ISO_DECIMAL_ONE)
        return iso_fail(reterr, ISO_E_INVALID, "tail_weight", "must be in [0, 1]");
    if (problem->tail_level < 0 || problem->tail_level >= ISO_DECIMAL_ONE)
        return iso_fail(reterr, ISO_E_INVALID, "tail_level", "must be in [0, 1)");
    if (problem->n_scenarios == 0)
        return ISO_OK;
    if (problem->n_scenarios < 0 || problem->n_periods % problem->n_scenarios != 0)
        return iso_fail(reterr, ISO_E_INVALID, "n_scenarios", "must divide n_periods");
    for (int32_t s = 0; s < problem->n_scenarios; s++) {
        if (problem->scenarios[s].probability <= 0)
            return iso_fail(reterr, ISO_E_INVALID, "scenarios",
                            "%d must have a probability above 0", s);
        sum += problem->scenarios[s].probability;
    }
    if (sum != ISO_DECIMAL_ONE)
        return iso_fail(reterr, ISO_E_INVALID, "scenarios",
                        "must have probabilities that add up "
                        "to 1");
    return check_rules(problem, reterr);
}

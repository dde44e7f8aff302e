#include "strategy.h"

const char *iso_strategy_name(enum iso_strategy strategy)
{
    static const char *const names[ISO_N_STRATEGIES] = {
        "auto", "separable", "lattice", "horizon", "columns", "patterns", "plain-mip"};

    return names[strategy];
}

static bool packs(const struct iso_problem *problem)
{
    for (int32_t a = 0; a < problem->n_workloads; a++)
        if (problem->workloads[a].replicas)
            return true;
    return false;
}

/* Whether some stage counts the worst of several things, which only a tree over all rows settles.
 */
static bool counts_the_worst(const struct iso_problem *problem)
{
    if (iso_tail_counts(problem))
        return true;
    for (int32_t a = 0; a < problem->n_workloads; a++)
        if (problem->workloads[a].fair || iso_box_counts(problem, &problem->workloads[a]))
            return true;
    return false;
}

struct iso_choice iso_choose_strategy(const struct iso_problem *problem)
{
    enum iso_strategy wish = problem->options.strategy;

    if (counts_the_worst(problem))
        return (struct iso_choice){ISO_STRATEGY_PLAIN_MIP,
                                   "the worst of several things counts: one tree"};

    if ((wish == ISO_STRATEGY_AUTO || wish == ISO_STRATEGY_SEPARABLE) &&
        iso_separable_applies(problem))
        return (struct iso_choice){ISO_STRATEGY_SEPARABLE,
                                   "throughput that nothing couples: covering tables are exact"};
    if ((wish == ISO_STRATEGY_AUTO || wish == ISO_STRATEGY_LATTICE) && iso_lattice_applies(problem))
        return (struct iso_choice){
            ISO_STRATEGY_LATTICE,
            "commitments of few workloads: with what is bought fixed, tables solve each period"};
    if ((wish == ISO_STRATEGY_AUTO || wish == ISO_STRATEGY_HORIZON) && iso_horizon_applies(problem))
        return (struct iso_choice){ISO_STRATEGY_HORIZON,
                                   "many periods that only commitments and budgets join"};
    if (wish > ISO_STRATEGY_HORIZON && wish != ISO_STRATEGY_AUTO)
        return (struct iso_choice){wish, "asked for"};
    if (iso_problem_n_columns(problem) <= ISO_PLAIN_MIP_COLUMNS)
        return (struct iso_choice){ISO_STRATEGY_PLAIN_MIP, "small enough for one tree"};
    if (packs(problem))
        return (struct iso_choice){ISO_STRATEGY_PATTERNS, "replicas share instances"};
    return (struct iso_choice){ISO_STRATEGY_COLUMNS, "many columns that rules couple"};
}

/* Problems solved by one strategy and verified, for tests that compare strategies. To be included
 * after cmocka.h. */
#ifndef ISOCOST_TESTS_FORCED_SOLVE_H
#define ISOCOST_TESTS_FORCED_SOLVE_H

#include <string.h>

#include "isocost/solve.h"
#include "isocost/verify.h"
#include "steady_clock.h"

/* The verified plan, with the strategy tried first; the caller owns it. `seed` names the problem in
 * failures. */
static inline struct iso_plan *forced_plan(const struct iso_problem *problem,
                                           enum iso_strategy strategy, uint64_t seed)
{
    static const struct iso_control control = {.now = steady_seconds};
    struct iso_problem copy = *problem;
    struct iso_plan *plan = NULL;
    struct iso_verdict verdict;
    struct iso_error error = {0};

    copy.options.strategy = strategy;
    if (iso_problem_check(&copy, &error) != ISO_OK ||
        iso_solve(&copy, &control, &plan, &error) != ISO_OK ||
        iso_verify(&copy, plan, &verdict, &error) != ISO_OK)
        fail_msg("seed %llu, strategy %d: %s: %s", (unsigned long long)seed, (int)strategy,
                 error.field, error.text);
    return plan;
}

/* The same without any slack that the problem allows, and without explanations. It ends by proof;
 * the time is for machines that are busy. */
static inline struct iso_plan *forced_exact_plan(const struct iso_problem *problem,
                                                 enum iso_strategy strategy, uint64_t seed)
{
    struct iso_problem copy = *problem;

    copy.options.want = 0;
    copy.options.gap = 0;
    copy.options.work_limit = 0;
    copy.options.tier_tolerance = 0;
    copy.options.time_limit_s = 60;
    return forced_plan(&copy, strategy, seed);
}

/* Whether some component was solved by the strategy. */
static inline bool strategy_was_used(const struct iso_plan *plan, const char *strategy)
{
    for (int32_t i = 0; i < plan->n_components; i++)
        if (strcmp(plan->components[i].strategy, strategy) == 0)
            return true;
    return false;
}

#endif

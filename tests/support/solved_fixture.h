/* Models as YAML, resolved, solved and verified, for tests of rules with answers derived by hand.
 */
#ifndef ISOCOST_TESTS_SOLVED_FIXTURE_H
#define ISOCOST_TESTS_SOLVED_FIXTURE_H

#include "resolve_fixture.h"
#include "steady_clock.h"

#include <math.h>

#include "isocost/solve.h"
#include "isocost/verify.h"

/* The verified plan of f's problem; the caller owns it. */
static inline struct iso_plan *solved_problem(struct fixture *f)
{
    static const struct iso_control control = {.now = steady_seconds};
    struct iso_plan *plan = NULL;
    struct iso_verdict verdict;

    if (iso_solve(f->problem, &control, &plan, &f->error) != ISO_OK)
        fail_msg("%s: %s", f->error.field, f->error.text);
    if (iso_verify(f->problem, plan, &verdict, &f->error) != ISO_OK)
        fail_msg("%s: %s", f->error.field, f->error.text);
    return plan;
}

/* The verified plan of a model that must be right; the caller owns it. */
static inline struct iso_plan *solved_plan(struct fixture *f, const char *yaml)
{
    fixture_good(f, yaml, NULL);
    return solved_problem(f);
}

/* The same with a strategy to be tried first. */
static inline struct iso_plan *solved_plan_by(struct fixture *f, const char *yaml,
                                              enum iso_strategy strategy)
{
    fixture_good(f, yaml, NULL);
    ((struct iso_problem *)f->problem)->options.strategy = strategy;
    return solved_problem(f);
}

/* Solves, and expects the optimum to cost `cost` in the base currency. */
static inline void solved_costs(const char *yaml, double cost)
{
    struct fixture f;
    ISO_AUTO(iso_plan) plan = solved_plan(&f, yaml);

    assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
    if (fabs(iso_decimal_to_double(plan->cost) - cost) > 1e-9)
        fail_msg("costs %.9g, not %.9g", iso_decimal_to_double(plan->cost), cost);
    fixture_fini(&f);
}

#endif

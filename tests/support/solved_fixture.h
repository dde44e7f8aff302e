/* Models as YAML, resolved, solved and verified, for tests of rules with answers derived by hand.
 */
#ifndef ISOCOST_TESTS_SOLVED_FIXTURE_H
#define ISOCOST_TESTS_SOLVED_FIXTURE_H

#include "resolve_fixture.h"

#include <math.h>
#include <time.h>

#include "isocost/solve.h"
#include "isocost/verify.h"

static inline double solved_now(void *context)
{
    struct timespec time;
    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* The verified plan of a model that must be right; the caller owns it. */
static inline struct iso_plan *solved_plan(struct fixture *f, const char *yaml)
{
    static const struct iso_control control = {.now = solved_now};
    struct iso_plan *plan = NULL;
    struct iso_verdict verdict;

    fixture_good(f, yaml, NULL);
    if (iso_solve(f->problem, &control, &plan, &f->error) != ISO_OK)
        fail_msg("%s: %s", f->error.field, f->error.text);
    if (iso_verify(f->problem, plan, &verdict, &f->error) != ISO_OK)
        fail_msg("%s: %s", f->error.field, f->error.text);
    return plan;
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

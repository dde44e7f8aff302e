/* The solver and the verifier on random problems: two readings of the same rules.
 *
 * Every plan, every better plan on the way and every proof of infeasibility must be accepted. And
 * whatever the multipliers, the verifier may not compute a bound above the value of a plan that it
 * accepted: weak duality, tried with thousands of wrong multipliers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "isocost/solve.h"
#include "isocost/verify.h"

#include "../../solver/verify/verifier.h"
#include "../support/random_problem.h"
#include "../support/steady_clock.h"

#define N_PROBLEMS 150

struct run {
    const struct iso_problem *problem;
    uint64_t seed;
    int n_plans;
};

static void must_accept(const struct run *run, const struct iso_plan *plan)
{
    struct iso_verdict verdict;
    struct iso_error error = {0};

    if (iso_verify(run->problem, plan, &verdict, &error) != ISO_OK)
        fail_msg("seed %llu: %s: %s", (unsigned long long)run->seed, error.field, error.text);
}

static void on_better_plan(void *context, const struct iso_plan *plan)
{
    struct run *run = context;

    run->n_plans++;
    must_accept(run, plan);
}

static struct iso_plan *solve(struct run *run)
{
    struct iso_control control = {
        .context = run, .now = steady_seconds, .incumbent = on_better_plan};
    struct iso_plan *plan = NULL;
    struct iso_error error = {0};

    if (iso_problem_check(run->problem, &error) != ISO_OK ||
        iso_solve(run->problem, &control, &plan, &error) != ISO_OK)
        fail_msg("seed %llu: %s: %s", (unsigned long long)run->seed, error.field, error.text);
    must_accept(run, plan);
    return plan;
}

static void solved_problems_are_accepted(void **state)
{
    int n_reasons[ISO_REASON_UNBOUNDED + 1] = {0}, n_plans = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= N_PROBLEMS; seed++) {
        struct random_problem *random = random_problem_new(seed);
        struct run run = {&random->problem, seed, 0};
        struct iso_plan *plan = solve(&run);
        n_reasons[plan->reason]++;
        n_plans += run.n_plans;
        iso_plan_free(plan);
        random_problem_free(random);
    }
    print_message(
        "%d optimal, %d feasible, %d infeasible, %d without a plan; %d plans on the way\n",
        n_reasons[ISO_REASON_OPTIMAL], n_reasons[ISO_REASON_FEASIBLE],
        n_reasons[ISO_REASON_INFEASIBLE], n_reasons[ISO_REASON_NO_PLAN_FOUND], n_plans);
    assert_true(n_reasons[ISO_REASON_OPTIMAL] > N_PROBLEMS / 4);
}

/* A wrong multiplier of the right sign. */
static double spoilt(struct random_problem *random, double value)
{
    static const double factors[] = {0, 0.5, 0.9, 1 - 1e-9, 1 + 1e-9, 1.1, 2, 10};

    return value * factors[random_below(random, ISO_ARRAY_LENGTH(factors))];
}

/* Spoils the multipliers of a plan and holds the bounds against the plan's values. */
static int64_t spoil(const struct run *run, struct random_problem *random, struct iso_plan *plan)
{
    double *saved = calloc((size_t)plan->n_duals + 1, sizeof(*saved));
    int64_t n_bounds = 0;

    assert_non_null(saved);
    for (int32_t i = 0; i < plan->n_duals; i++)
        saved[i] = plan->duals[i].value;
    for (int round = 0; round < 20; round++) {
        struct iso_error error = {0};
        struct iso_verifier v = {.problem = run->problem, .plan = plan, .reterr = &error};
        for (int32_t i = 0; i < plan->n_duals; i++)
            plan->duals[i].value =
                random_below(random, 3) == 0 ? spoilt(random, saved[i]) : saved[i];
        assert_int_equal(iso_verify_read(&v), ISO_OK);
        assert_int_equal(iso_verify_tabulate(&v), ISO_OK);
        for (int32_t k = 0; k < plan->n_tiers; k++) {
            const struct iso_tier *tier = &plan->tiers[k];
            double bound;
            assert_int_equal(iso_verify_dual_bound(&v, k, false, &bound), ISO_OK);
            n_bounds += bound > -INFINITY;
            if (bound > tier->value + 1e-7 * (1 + fabs(tier->value)))
                fail_msg("seed %llu, round %d: bound %.17g of tier %d is above its value %.17g",
                         (unsigned long long)run->seed, round, bound, k, tier->value);
        }
        iso_verify_fini(&v);
    }
    for (int32_t i = 0; i < plan->n_duals; i++)
        plan->duals[i].value = saved[i];
    free(saved);
    return n_bounds;
}

static void no_multipliers_prove_more_than_a_plan_costs(void **state)
{
    int64_t n_bounds = 0;

    (void)state;
    for (uint64_t seed = 1000; seed < 1000 + N_PROBLEMS; seed++) {
        struct random_problem *random = random_problem_new(seed);
        struct run run = {&random->problem, seed, 0};
        struct iso_plan *plan = solve(&run);
        if (plan->has_solution)
            n_bounds += spoil(&run, random, plan);
        iso_plan_free(plan);
        random_problem_free(random);
    }
    print_message("%lld finite bounds\n", (long long)n_bounds);
    assert_true(n_bounds > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solved_problems_are_accepted),
        cmocka_unit_test(no_multipliers_prove_more_than_a_plan_costs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

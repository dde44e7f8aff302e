/* Reductions change nothing but the work: for random problems, the ending and every value are those
 * of the problem as it is, whichever of them are made, and every plan is one of the original. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "isocost/solve.h"
#include "isocost/verify.h"

#include "../../solver/presolve.h"
#include "../../solver/twin.h"
#include "../support/random_repeats.h"
#include "../support/steady_clock.h"

#define N_PROBLEMS 100

static const struct {
    const char *name;
    unsigned without;
} ways[] = {
    {"none", ISO_REDUCE_ALL},
    {"dominance", ISO_REDUCE_ALL & ~ISO_REDUCE_DOMINANCE},
    {"rounding", ISO_REDUCE_ALL & ~ISO_REDUCE_ROUNDING},
    {"redundant", ISO_REDUCE_ALL & ~ISO_REDUCE_REDUNDANT},
    {"identical", ISO_REDUCE_ALL & ~ISO_REDUCE_IDENTICAL},
    {"orbits", ISO_REDUCE_ALL & ~ISO_REDUCE_ORBITS},
    {"twins", ISO_REDUCE_ALL & ~ISO_REDUCE_TWINS},
    {"tightening", ISO_REDUCE_ALL & ~ISO_REDUCE_TIGHTENING},
    {"all", 0},
};

struct run {
    const struct iso_problem *problem;
    uint64_t seed;
    const char *way;
};

static void must_accept(void *context, const struct iso_plan *plan)
{
    const struct run *run = context;
    struct iso_verdict verdict;
    struct iso_error error = {0};

    if (iso_verify(run->problem, plan, &verdict, &error) != ISO_OK)
        fail_msg("seed %llu with %s: %s: %s", (unsigned long long)run->seed, run->way, error.field,
                 error.text);
}

static struct iso_plan *solve(struct random_problem *random, uint64_t seed, size_t way)
{
    struct run run = {&random->problem, seed, ways[way].name};
    const struct iso_control control = {
        .context = &run, .now = steady_seconds, .incumbent = must_accept};
    struct iso_plan *plan = NULL;
    struct iso_error error = {0};

    random->problem.options.without = ways[way].without;
    if (iso_problem_check(&random->problem, &error) != ISO_OK ||
        iso_solve(&random->problem, &control, &plan, &error) != ISO_OK)
        fail_msg("seed %llu with %s: %s: %s", (unsigned long long)seed, run.way, error.field,
                 error.text);
    must_accept(&run, plan);
    return plan;
}

/* Two answers to one question; what is not optimal is only bracketed. */
static void must_agree(const struct iso_plan *plan, const struct iso_plan *expected, uint64_t seed,
                       const char *way)
{
    if (plan->reason == ISO_REASON_NO_PLAN_FOUND || expected->reason == ISO_REASON_NO_PLAN_FOUND)
        return; /* out of time */
    if (plan->has_solution != expected->has_solution)
        fail_msg("seed %llu with %s: reason %d, not %d", (unsigned long long)seed, way,
                 plan->reason, expected->reason);
    for (int32_t k = 0; k < plan->n_tiers && plan->has_solution; k++) {
        const struct iso_tier *tier = &plan->tiers[k], *other = &expected->tiers[k];
        double slack = 1e-6 * (1 + fabs(other->value));
        bool closed = tier->bound >= tier->value - slack && other->bound >= other->value - slack;
        if (tier->bound > other->value + slack || other->bound > tier->value + slack ||
            (closed && fabs(tier->value - other->value) > slack))
            fail_msg("seed %llu with %s: value %.9g above %.9g, not %.9g above %.9g",
                     (unsigned long long)seed, way, tier->value, tier->bound, other->value,
                     other->bound);
    }
}

static void each_reduction_alone_and_all_together_keep_ending_and_cost(void **state)
{
    int n_feasible = 0, n_open = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= N_PROBLEMS; seed++) {
        struct random_problem *random = random_repeats_new(seed);
        struct iso_plan *expected = solve(random, seed, 0);
        n_feasible += expected->has_solution;
        n_open += expected->reason == ISO_REASON_FEASIBLE;
        for (size_t way = 1; way < ISO_ARRAY_LENGTH(ways); way++) {
            struct iso_plan *plan = solve(random, seed, way);
            must_agree(plan, expected, seed, ways[way].name);
            iso_plan_free(plan);
        }
        iso_plan_free(expected);
        random_problem_free(random);
    }
    print_message("%d with a plan, %d of them open without reductions\n", n_feasible, n_open);
    assert_true(n_feasible > N_PROBLEMS / 2);
    assert_true(n_open < N_PROBLEMS / 10);
}

/* Components that are equal to the one before. */
static int count_twins(const struct iso_problem *problem)
{
    struct iso_split split __attribute__((cleanup(iso_split_fini))) = {0};
    int n_twins = 0;

    assert_int_equal(iso_split_init(&split, problem, NULL), ISO_OK);
    for (int32_t k = 1; k < split.n_components; k++) {
        struct iso_part one __attribute__((cleanup(iso_part_fini))) = {0};
        struct iso_part other __attribute__((cleanup(iso_part_fini))) = {0};
        assert_int_equal(iso_part_init(&one, problem, &split, k - 1, NULL), ISO_OK);
        assert_int_equal(iso_part_init(&other, problem, &split, k, NULL), ISO_OK);
        n_twins += iso_parts_are_equal(&one, &other);
    }
    return n_twins;
}

/* Otherwise the test above would show nothing. */
static void the_random_problems_have_something_to_reduce(void **state)
{
    int n_identical = 0, n_orbits = 0, n_limits = 0, n_rules = 0, n_rounded = 0, n_twins = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= N_PROBLEMS; seed++) {
        struct random_problem *random = random_repeats_new(seed);
        struct iso_presolve presolve __attribute__((cleanup(iso_presolve_fini))) = {0};
        assert_int_equal(iso_presolve(&presolve, &random->problem, NULL), ISO_OK);
        n_identical += presolve.n_identical;
        n_orbits += presolve.n_orbits;
        for (int32_t l = 0; l < random->problem.n_limits; l++)
            n_limits += !presolve.selection.limit[l];
        for (int32_t a = 0; a < random->problem.n_workloads; a++) {
            n_rules += presolve.places[a].share != NULL;
            n_rounded += presolve.workloads[a].required != random->problem.workloads[a].required;
        }
        n_twins += count_twins(&random->problem);
        random_problem_free(random);
    }
    print_message("%d merged workloads, %d orbits, %d caps gone, rules gone in %d workloads, "
                  "requirements changed in %d, %d twins\n",
                  n_identical, n_orbits, n_limits, n_rules, n_rounded, n_twins);
    assert_true(n_twins > 0);
    assert_true(n_identical > N_PROBLEMS / 6);
    assert_true(n_orbits > N_PROBLEMS / 6);
    assert_true(n_limits > 2 * n_orbits); /* an orbit of three takes two with it */
    assert_true(n_rules > N_PROBLEMS / 6);
    assert_true(n_rounded > N_PROBLEMS / 6);
}

/* One instance serves 4 and costs 1 an hour; 5 are required for one hour. The relaxation buys 5 / 4
 * of an instance. Two instances serve 8, which is the least that whole ones can, and 8 / 4 = 2. */
static void a_requirement_rounded_up_proves_the_optimum_without_a_search(void **state)
{
    struct random_problem *random = random_repeats_new(1);
    struct iso_problem *problem = &random->problem;
    iso_decimal demand[] = {5 * ISO_DECIMAL_ONE};
    const struct iso_option option = {0, 4 * ISO_DECIMAL_ONE, 0};
    const struct iso_workload workload = {.id = "w",
                                          .service = ISO_SERVICE_MUST,
                                          .demand = demand,
                                          .required = demand,
                                          .n_options = 1,
                                          .options = &option};
    struct iso_offering offering = {.id = "o", .price = ISO_DECIMAL_ONE};
    const struct iso_period period = {.id = "t", .hours = ISO_DECIMAL_ONE};

    (void)state;
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        offering.capacity[k] = ISO_UNKNOWN;
    problem->n_workloads = problem->n_offerings = problem->n_periods = 1;
    problem->n_limits = problem->n_products = 0;
    problem->workloads = &workload;
    problem->offerings = &offering;
    problem->periods = &period;
    problem->options.strategy = ISO_STRATEGY_COLUMNS;
    for (size_t way = 0; way < ISO_ARRAY_LENGTH(ways); way++) {
        bool rounds = !(ways[way].without & ISO_REDUCE_ROUNDING);
        struct iso_plan *plan = solve(random, 1, way);
        assert_true(fabs(plan->tiers[0].value - 2) < 1e-9);
        assert_true(fabs(plan->tiers[0].checked_bound - (rounds ? 2 : 1.25)) < 1e-6);
        iso_plan_free(plan);
    }
    random_problem_free(random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_random_problems_have_something_to_reduce),
        cmocka_unit_test(a_requirement_rounded_up_proves_the_optimum_without_a_search),
        cmocka_unit_test(each_reduction_alone_and_all_together_keep_ending_and_cost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

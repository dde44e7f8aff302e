/* The solver on problems built by hand. Expected numbers are derived above each test. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "isocost/solve.h"
#include "isocost/verify.h"

#define UNIT(x) ((iso_decimal)((x)*1e9 + 0.5))
#define UNKNOWN_CAPACITY                                                                           \
    {                                                                                              \
        ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, \
            ISO_UNKNOWN                                                                            \
    }

static double now(void *context)
{
    struct timespec time;
    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static const struct iso_control control = {.now = now};
static const iso_decimal one_rate[] = {UNIT(1)};
static const uint8_t yes[] = {1, 1, 1, 1};

static struct iso_plan *solve(const struct iso_problem *problem)
{
    struct iso_plan *plan = NULL;
    struct iso_verdict verdict;
    struct iso_error error = {0};

    if (iso_problem_check(problem, &error) != ISO_OK)
        fail_msg("%s: %s", error.field, error.text);
    if (iso_solve(problem, &control, &plan, &error) != ISO_OK)
        fail_msg("%s", error.text);
    if (iso_verify(problem, plan, &verdict, &error) != ISO_OK)
        fail_msg("%s: %s", error.field, error.text);
    return plan;
}

/* Two clouds: AWS 1000 instances at 0.5, Alibaba 1500 at 0.4, demand 2000 of 1 each. The cheaper
 * one runs full: 1500 * 0.4 + 500 * 0.5 = 850. */
static void the_seed_case_costs_850(void **state)
{
    static const char *const providers[] = {"aws", "alibaba"};
    static const char *const regions[] = {"aws/us", "alibaba/cn"};
    static const struct iso_offering offerings[] = {
        {"alibaba/cn/*/b/linux/on-demand", 1, 1, ISO_ANY_ZONE, 0, false, UNIT(0.4),
         UNKNOWN_CAPACITY},
        {"aws/us/*/a/linux/on-demand", 0, 0, ISO_ANY_ZONE, 0, false, UNIT(0.5), UNKNOWN_CAPACITY}};
    static const struct iso_period periods[] = {{"hour", UNIT(1), false, 0}};
    static const struct iso_currency currencies[] = {{"USD", one_rate}};
    static const struct iso_team teams[] = {{"default", {0}}};
    static const iso_decimal demand[] = {UNIT(2000)};
    static const struct iso_option options[] = {{0, UNIT(1), 0}, {1, UNIT(1), 0}};
    static const struct iso_workload workloads[] = {{.id = "all",
                                                     .service = ISO_SERVICE_MUST,
                                                     .demand = demand,
                                                     .required = demand,
                                                     .n_options = 2,
                                                     .options = options}};
    static const struct iso_limit_term ali[] = {{0, UNIT(1)}}, aws[] = {{1, UNIT(1)}};
    static const struct iso_limit limits[] = {
        {.id = "n-ali", .bound = UNIT(1500), .periods = yes, .n_terms = 1, .terms = ali},
        {.id = "n-aws", .bound = UNIT(1000), .periods = yes, .n_terms = 1, .terms = aws}};
    static const struct iso_problem problem = {.n_providers = 2,
                                               .provider_names = providers,
                                               .n_regions = 2,
                                               .region_names = regions,
                                               .n_currencies = 1,
                                               .currencies = currencies,
                                               .n_offerings = 2,
                                               .offerings = offerings,
                                               .n_periods = 1,
                                               .periods = periods,
                                               .n_teams = 1,
                                               .teams = teams,
                                               .n_workloads = 1,
                                               .workloads = workloads,
                                               .n_limits = 2,
                                               .limits = limits,
                                               .options = {.time_limit_s = 10}};
    ISO_AUTO(iso_plan) plan = solve(&problem);

    (void)state;
    assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
    assert_int_equal(plan->cost, UNIT(850));
    assert_true(fabs(plan->tiers[0].bound - 850) < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_seed_case_costs_850)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

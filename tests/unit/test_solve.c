/* The solver on problems built by hand. Expected numbers are derived above each test. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "isocost/solve.h"
#include "isocost/verify.h"

#include "../support/steady_clock.h"

#define UNIT(x) ((iso_decimal)((x)*1e9 + 0.5))
#define UNKNOWN_CAPACITY                                                                           \
    {                                                                                              \
        ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, \
            ISO_UNKNOWN                                                                            \
    }

static const struct iso_control control = {.now = steady_seconds};
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

/* One period of one hour, one must-serve workload, prices in USD. */
struct small {
    struct iso_offering offerings[3];
    struct iso_option options[3];
    struct iso_limit limits[2];
    struct iso_limit_term terms[2];
    struct iso_share share;
    struct iso_workload workload;
    iso_decimal demand;
    struct iso_problem problem;
};

static void build(struct small *small, int32_t n, const iso_decimal *prices,
                  const iso_decimal *served, const int32_t *providers, iso_decimal demand)
{
    static const char *const provider_names[] = {"alibaba", "aws"};
    static const char *const region_names[] = {"alibaba/cn", "aws/us"};
    static const char *const ids[] = {"first", "second", "third"};
    static const struct iso_period period = {"hour", UNIT(1), false, 0};
    static const struct iso_currency currency = {"USD", one_rate};
    static const struct iso_team team = {"default", {0}};

    memset(small, 0, sizeof(*small));
    small->demand = demand;
    for (int32_t o = 0; o < n; o++) {
        small->offerings[o] =
            (struct iso_offering){ids[o], providers[o], providers[o], ISO_ANY_ZONE,
                                  0,      false,        prices[o],    UNKNOWN_CAPACITY};
        small->options[o] = (struct iso_option){o, served[o], 0};
    }
    small->workload = (struct iso_workload){.id = "all",
                                            .service = ISO_SERVICE_MUST,
                                            .demand = &small->demand,
                                            .required = &small->demand,
                                            .n_options = n,
                                            .options = small->options};
    small->problem = (struct iso_problem){.n_providers = 2,
                                          .provider_names = provider_names,
                                          .n_regions = 2,
                                          .region_names = region_names,
                                          .n_currencies = 1,
                                          .currencies = &currency,
                                          .n_offerings = n,
                                          .offerings = small->offerings,
                                          .n_periods = 1,
                                          .periods = &period,
                                          .n_teams = 1,
                                          .teams = &team,
                                          .n_workloads = 1,
                                          .workloads = &small->workload,
                                          .options = {.time_limit_s = 10}};
}

/* Two clouds: Alibaba at most 1500 instances at 0.4, AWS at most 1000 at 0.5, each serves 1. */
static void build_two_clouds(struct small *small, iso_decimal demand)
{
    static const iso_decimal prices[] = {UNIT(0.4), UNIT(0.5)}, served[] = {UNIT(1), UNIT(1)};
    static const int32_t providers[] = {0, 1};

    build(small, 2, prices, served, providers, demand);
    for (int32_t l = 0; l < 2; l++) {
        small->terms[l] = (struct iso_limit_term){l, UNIT(1)};
        small->limits[l] = (struct iso_limit){.id = l == 0 ? "n-ali" : "n-aws",
                                              .bound = l == 0 ? UNIT(1500) : UNIT(1000),
                                              .periods = yes,
                                              .n_terms = 1,
                                              .terms = &small->terms[l]};
    }
    small->problem.n_limits = 2;
    small->problem.limits = small->limits;
}

/* The cheaper cloud runs full: 1500 * 0.4 + 500 * 0.5 = 850. */
static void the_seed_case_costs_850(void **state)
{
    struct small small;
    (void)state;
    build_two_clouds(&small, UNIT(2000));
    ISO_AUTO(iso_plan) plan = solve(&small.problem);

    assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
    assert_int_equal(plan->cost, UNIT(850));
    assert_true(fabs(plan->tiers[0].bound - 850) < 1e-6);
}

/* 3000 units do not fit 1500 + 1000 instances: the demand and both limits conflict, and without any
 * one of them the rest fits. Ways out: 2000 of Alibaba, 2000 * 0.4 + 1000 * 0.5 = 1300; 1500 of
 * AWS, 1500 * 0.4 + 1500 * 0.5 = 1350; a demand of 2500, 1500 * 0.4 + 1000 * 0.5 = 1100. */
static void too_much_demand_names_three_rules_and_prices_three_ways_out(void **state)
{
    static const struct {
        enum iso_rule_kind kind;
        int32_t index;
        double needed, cost;
    } ways[] = {{ISO_RULE_LIMIT, 0, 2000, 1300},
                {ISO_RULE_LIMIT, 1, 1500, 1350},
                {ISO_RULE_DEMAND, 0, 2500, 1100}};
    struct small small;
    (void)state;
    build_two_clouds(&small, UNIT(3000));
    ISO_AUTO(iso_plan) plan = solve(&small.problem);

    assert_int_equal(plan->reason, ISO_REASON_INFEASIBLE);
    assert_int_equal(plan->tiers[0].proof, ISO_PROOF_RAY);
    assert_int_equal(plan->n_conflicts, 1);
    assert_int_equal(plan->conflicts[0].n_rules, 3);
    assert_true(plan->conflicts[0].minimal);
    assert_int_equal(plan->n_relaxations, 3);
    for (int32_t i = 0; i < 3; i++) {
        const struct iso_relaxation *relaxation = &plan->relaxations[i];
        assert_int_equal(relaxation->change.rule.kind, ways[i].kind);
        assert_int_equal(relaxation->change.rule.a, ways[i].index);
        assert_true(fabs(relaxation->change.needed - ways[i].needed) < 1e-6);
        assert_true(fabs(relaxation->cost - ways[i].cost) < ways[i].cost * 0.01);
        assert_true(relaxation->verified);
    }
}

/* A provider with 10 units for 5 and 11 units for 5, another with 40 units for 30, demand 100, the
 * first serves at most 60 %. Six of the first kind serve 60, and one of the other cloud 40: 30 + 30
 * =
 * 60. The 11-unit offering looks better and is not: 60 of 100 is exactly what the share allows, and
 * no number of elevens gives it. Dropping the 10-unit offering would give 70. */
static void a_share_keeps_the_offering_that_looks_dominated(void **state)
{
    static const iso_decimal prices[] = {UNIT(5), UNIT(5), UNIT(30)};
    static const iso_decimal served[] = {UNIT(10), UNIT(11), UNIT(40)};
    static const int32_t providers[] = {0, 0, 1};
    static const uint8_t member[] = {1, 1, 0};
    struct small small;
    (void)state;
    build(&small, 3, prices, served, providers, UNIT(100));
    small.share = (struct iso_share){
        .id = "first-at-most-60", .member = member, .has_maximum = true, .maximum = UNIT(0.6)};
    small.workload.n_shares = 1;
    small.workload.shares = &small.share;
    ISO_AUTO(iso_plan) plan = solve(&small.problem);

    assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
    assert_int_equal(plan->cost, UNIT(60));
}

/* Without the share the 10-unit offering is dominated: ten elevens serve 110 for 50, nine only 99.
 */
static void without_the_share_it_is_dominated(void **state)
{
    static const iso_decimal prices[] = {UNIT(5), UNIT(5), UNIT(30)};
    static const iso_decimal served[] = {UNIT(10), UNIT(11), UNIT(40)};
    static const int32_t providers[] = {0, 0, 1};
    struct small small;
    (void)state;
    build(&small, 3, prices, served, providers, UNIT(100));
    ISO_AUTO(iso_plan) plan = solve(&small.problem);

    assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
    assert_int_equal(plan->cost, UNIT(50));
    assert_true(plan->stats.dominated >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seed_case_costs_850),
        cmocka_unit_test(too_much_demand_names_three_rules_and_prices_three_ways_out),
        cmocka_unit_test(a_share_keeps_the_offering_that_looks_dominated),
        cmocka_unit_test(without_the_share_it_is_dominated)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

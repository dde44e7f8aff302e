/* Demand that may rise in a few periods. Expected values are derived above each test; one instance
 * serves 1 and costs 1 an hour, periods are hours. */
#include "../support/solved_fixture.h"

#define CATALOG \
    "catalog: {offerings: [{provider: aws, type: m, purchase: on-demand, price: 1 USD}]}\n"
#define HOURS "periods: [{id: a, hours: 1}, {id: b, hours: 1}]\n"
#define EXACT "options: {gap: 0}\n"
#define WEB(service, rate, box)                                       \
    "workloads:\n  - {id: web, " service ", throughput: {rate: " rate \
    ", performance: [{per_instance: 1}], box: " box "}}\n"

static void is_close(double value, double expected, double slack)
{
    if (fabs(value - expected) > slack)
        fail_msg("%.12g, not %.12g", value, expected);
}

static double objective_of(const struct iso_plan *plan)
{
    return iso_decimal_to_double(plan->cost + plan->penalties);
}

/* 10 may rise to 12 in either hour, and what runs is the same whichever rises: 12 + 12, however few
 * rise at once. */
static void what_must_be_served_is_served_where_it_has_risen(void **state)
{
    (void)state;
    solved_costs(CATALOG HOURS EXACT WEB("must_serve: true", "10", "{rise: 0.2, periods: 1}"), 24);
    solved_costs(CATALOG HOURS EXACT WEB("must_serve: true", "10", "{rise: 0.2, periods: 2}"), 24);
    solved_costs(CATALOG HOURS EXACT WEB("must_serve: true", "[10, 5]", "{rise: 0, periods: 2}"),
                 15);
}

/* 10 may rise to 15. To serve k more in each hour costs 2 k and saves the penalty of k in the worst
 * hour, as one rises at once: 20 + 2 k + p (5 - k), k <= 5. With p = 1.5 k = 0: 20 + 7.5; with p =
 * 3 k = 5: 30. When both rise at once it saves the penalty twice: 2 k - 2 * 1.5 k falls, so 30. */
static void a_penalty_counts_the_worst_periods_that_rise(void **state)
{
    static const struct {
        const char *service, *box;
        double cost, objective;
    } cases[] = {{"penalty: 1.5 USD", "{rise: 0.5, periods: 1}", 20, 27.5},
                 {"penalty: 3 USD", "{rise: 0.5, periods: 1}", 30, 30},
                 {"penalty: 1.5 USD", "{rise: 0.5, periods: 2}", 30, 30},
                 {"penalty: 1.5 USD", "{rise: 0.5, periods: 9}", 30, 30}};
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct fixture f;
        char yaml[1024];
        snprintf(yaml, sizeof(yaml), CATALOG HOURS EXACT WEB("%s", "10", "%s"), cases[i].service,
                 cases[i].box);
        ISO_AUTO(iso_plan) plan = solved_plan(&f, yaml);
        assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
        is_close(iso_decimal_to_double(plan->cost), cases[i].cost, 1e-9);
        is_close(objective_of(plan), cases[i].objective, 1e-9);
        fixture_fini(&f);
    }
}

/* At most 8 run, at a penalty of 2: each of the 8 costs 1 and saves 2 in its own hour, since 10 are
 * asked whether or not demand rises. 2 are short in each hour, and 5 more in the worst: 16
 * instances
 * + 2 * (2 + 2 + 5) = 34. */
static void what_is_short_without_a_rise_counts_in_every_period(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(&f, CATALOG HOURS EXACT "limits: [{id: few, maximum: 8}]\n" WEB(
                               "penalty: 2 USD", "10", "{rise: 0.5, periods: 1}"));
    (void)state;

    assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
    is_close(iso_decimal_to_double(plan->cost), 16, 1e-9);
    is_close(objective_of(plan), 34, 1e-9);
    fixture_fini(&f);
}

/* 10 and 20 may rise to 15 and 30; 8 and 20 run at most. Short by 7 and 10, of which 5 and 10 only
 * where it rises: 2/15 always, and 5/15 or 10/30, which are equal, in the worst hour: 7/15. When
 * both rise at once 7/15 + 10/30 = 12/15. To leave it at that all 28 must run. */
static void a_priority_counts_the_worst_periods_that_rise(void **state)
{
    static const double unserved[] = {7. / 15, 12. / 15};
    (void)state;

    for (int n = 1; n <= 2; n++) {
        struct fixture f;
        char yaml[1024];
        snprintf(yaml, sizeof(yaml),
                 CATALOG HOURS EXACT "limits:\n  - {id: few, maximum: 8, periods: [a]}\n"
                                     "  - {id: more, maximum: 20, periods: [b]}\n" WEB(
                                         "priority: 1", "[10, 20]", "{rise: 0.5, periods: %d}"),
                 n);
        ISO_AUTO(iso_plan) plan = solved_plan(&f, yaml);
        assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
        is_close(plan->tiers[0].value, unserved[n - 1], 1e-9);
        is_close(iso_decimal_to_double(plan->cost), 28, 1e-9);
        fixture_fini(&f);
    }
}

/* The first penalty model: the worst of two hours loses half of both at least, so a unit short
 * costs 0.75, less than the instance that would serve it. 30 units at 0.75 are 22.5: that is what
 * multipliers prove of 27.5, the rest is the tree's. */
static void multipliers_prove_what_the_average_makes_it(void **state)
{
    struct fixture f;
    struct iso_verdict verdict;
    ISO_AUTO(iso_plan)
    plan = solved_plan(
        &f, CATALOG HOURS EXACT WEB("penalty: 1.5 USD", "10", "{rise: 0.5, periods: 1}"));
    (void)state;

    assert_int_equal(plan->tiers[0].proof, ISO_PROOF_SEARCH);
    assert_true(plan->tiers[0].checked_bound <= 22.5 + 1e-9);
    assert_true(plan->tiers[0].bound > 27.5 - 1e-6);

    plan->tiers[0].checked_bound = plan->tiers[0].bound = 27.5; /* more than they prove */
    assert_int_not_equal(iso_verify(f.problem, plan, &verdict, NULL), ISO_OK);
    fixture_fini(&f);
}

/* Penalties of another choice of hours, and unserved demand that is not the plan's, are refused. */
static void the_verifier_counts_the_worst_periods_itself(void **state)
{
    struct fixture f;
    struct iso_verdict verdict;
    ISO_AUTO(iso_plan)
    plan = solved_plan(&f, CATALOG HOURS EXACT "limits: [{id: few, maximum: 8}]\n" WEB(
                               "penalty: 2 USD", "[10, 11]", "{rise: 0.5, periods: 1}"));
    (void)state;

    /* 8 of 15 and of 16.5: 2 and 3 always, and the larger of 5 and 5.5: 2 * 10.5. */
    assert_int_equal(plan->penalties, 21 * ISO_DECIMAL_ONE);
    plan->penalties = 20 * ISO_DECIMAL_ONE; /* the smaller */
    assert_int_not_equal(iso_verify(f.problem, plan, &verdict, NULL), ISO_OK);
    plan->penalties = 31 * ISO_DECIMAL_ONE; /* both */
    assert_int_not_equal(iso_verify(f.problem, plan, &verdict, NULL), ISO_OK);
    plan->penalties = 21 * ISO_DECIMAL_ONE;
    plan->unserved[0].amount -= ISO_DECIMAL_ONE;
    assert_int_not_equal(iso_verify(f.problem, plan, &verdict, NULL), ISO_OK);
    plan->unserved[0].amount += ISO_DECIMAL_ONE;
    assert_int_equal(iso_verify(f.problem, plan, &verdict, NULL), ISO_OK);
    fixture_fini(&f);
}

/* 11 of the 12 that 10 may rise to: the limit, the demand and its rise cannot hold together.
 * Without the box 10 + 10 run. */
static void a_box_that_leaves_no_plan_is_named_and_priced(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(&f, CATALOG HOURS EXACT "limits: [{id: few, maximum: 11}]\n" WEB(
                               "must_serve: true", "10", "{rise: 0.2, periods: 1}"));
    bool named = false, priced = false;
    (void)state;

    assert_int_equal(plan->reason, ISO_REASON_INFEASIBLE);
    assert_int_equal(plan->n_conflicts, 1);
    assert_int_equal(plan->conflicts[0].n_rules, 3);
    for (int32_t i = 0; i < 3; i++)
        named |= plan->conflicts[0].rules[i].kind == ISO_RULE_BOX;
    assert_true(named);
    for (int32_t i = 0; i < plan->n_relaxations; i++)
        if (plan->relaxations[i].change.rule.kind == ISO_RULE_BOX)
            priced = plan->relaxations[i].verified && fabs(plan->relaxations[i].cost - 20) < 1e-6;
    assert_true(priced);
    fixture_fini(&f);
}

/* Three equal hours are one level, unless it matters how many of them rise. */
static void hours_do_not_merge_where_a_box_counts_them(void **state)
{
    static const struct {
        const char *service;
        int32_t n_periods;
    } cases[] = {{"must_serve: true", 1}, {"penalty: 1.5 USD", 3}, {"priority: 1", 3}};
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct fixture f;
        char yaml[1024];
        snprintf(yaml, sizeof(yaml),
                 CATALOG "load_levels: {hours: 3}\n" EXACT WEB("%s", "[10, 10, 10]",
                                                               "{rise: 0.5, periods: 1}"),
                 cases[i].service);
        fixture_good(&f, yaml, NULL);
        assert_int_equal(f.problem->n_periods, cases[i].n_periods);
        fixture_fini(&f);
    }
}

static void a_wrong_box_is_told_with_its_fields(void **state)
{
    static const struct {
        const char *box, *path, *part;
    } wrong[] = {
        {"{rise: -0.1, periods: 1}", "model.workloads[0].throughput.box.rise",
         "must be at least 0"},
        {"{rise: -0.1, periods: 1.5}", "model.workloads[0].throughput.box.periods", "whole"},
        {"{rise: 0.1}", "model.workloads[0].throughput.box.periods",
         "0; it must be in [1, 2147483647]"},
    };
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(wrong); i++) {
        struct fixture f;
        char yaml[1024];
        snprintf(yaml, sizeof(yaml), CATALOG HOURS WEB("must_serve: true", "1", "%s"),
                 wrong[i].box);
        fixture_resolve(&f, yaml, NULL);
        fixture_expect(&f, wrong[i].path, wrong[i].part);
        fixture_fini(&f);
    }
}

/* 151 hours of one offering are 151 columns: too many where the hours that rise are counted, not
 * where the workload must be served. */
static void a_box_is_refused_where_a_tree_is_too_small(void **state)
{
    struct fixture f;
    (void)state;

    fixture_resolve(&f,
                    CATALOG "load_levels: {hours: 151}\n" WEB("penalty: 1 USD", "10",
                                                              "{rise: 0.5, periods: 1}"),
                    NULL);
    fixture_expect(&f, "model.workloads[0].throughput.box",
                   "is served up to 150 columns (offerings that a workload may use, times "
                   "periods); this model has 151");
    fixture_fini(&f);
    fixture_good(&f,
                 CATALOG "load_levels: {hours: 151}\n" WEB("must_serve: true", "10",
                                                           "{rise: 0.5, periods: 1}"),
                 NULL);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_must_be_served_is_served_where_it_has_risen),
        cmocka_unit_test(a_penalty_counts_the_worst_periods_that_rise),
        cmocka_unit_test(what_is_short_without_a_rise_counts_in_every_period),
        cmocka_unit_test(a_priority_counts_the_worst_periods_that_rise),
        cmocka_unit_test(multipliers_prove_what_the_average_makes_it),
        cmocka_unit_test(the_verifier_counts_the_worst_periods_itself),
        cmocka_unit_test(a_box_that_leaves_no_plan_is_named_and_priced),
        cmocka_unit_test(hours_do_not_merge_where_a_box_counts_them),
        cmocka_unit_test(a_wrong_box_is_told_with_its_fields),
        cmocka_unit_test(a_box_is_refused_where_a_tree_is_too_small)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Caps on starts and stops from one period to the next. Expected costs are derived above each test;
 * periods are hours, one instance serves 1 and costs 1 an hour unless said otherwise. */
#include "../support/solved_fixture.h"

#define ONE_OFFERING                                                                     \
    "catalog: {offerings: [{provider: aws, type: m, purchase: on-demand, price: 1 USD, " \
    "resources: {vcpu: 1}}]}\n"
#define HOURS                                                          \
    "periods:\n  - {id: a, hours: 1, start: '2026-01-01T00:00:00Z'}\n" \
    "  - {id: b, hours: 1, start: '2026-01-01T01:00:00Z'}\n"
#define THIRD "  - {id: c, hours: 1, start: '2026-01-01T02:00:00Z'}\n"
#define EXACT "options: {gap: 0}\n"
#define WEB(rate, more)                                                    \
    "workloads:\n  - {id: web, must_serve: true, throughput: {rate: " rate \
    ", performance: [{per_instance: 1}]}" more "}\n"

/* Demand 1, 5, 1 costs 7. With at most 2 starts 3 must run before the peak: 3 + 5 + 1 = 9. */
static void what_may_not_start_at_once_starts_before(void **state)
{
    (void)state;
    solved_costs(ONE_OFFERING HOURS THIRD EXACT WEB("[1, 5, 1]", ""), 7);
    solved_costs(
        ONE_OFFERING HOURS THIRD EXACT WEB("[1, 5, 1]", ", ramp: {id: r, maximum_starts: 2}"), 9);
}

/* With at most 2 stops 3 must run after the peak: 1 + 5 + 3 = 9; with both caps 3 + 5 + 3 = 11. */
static void what_may_not_stop_at_once_stays_after(void **state)
{
    (void)state;
    solved_costs(
        ONE_OFFERING HOURS THIRD EXACT WEB("[1, 5, 1]", ", ramp: {id: r, maximum_stops: 2}"), 9);
    solved_costs(ONE_OFFERING HOURS THIRD EXACT WEB(
                     "[1, 5, 1]", ", ramp: {id: r, maximum_starts: 2, maximum_stops: 2}"),
                 11);
}

/* The relaxation of the first test is whole, so its multipliers prove the 9 that it costs: demand
 * of the peak is worth 2 (an instance in b and one in a that it needs), of c 1; the cap takes 1 for
 * each of its 2 starts: 5 * 2 + 1 - 2 * 1 = 9. */
static void multipliers_prove_what_a_ramp_costs(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(
        &f, ONE_OFFERING HOURS THIRD EXACT WEB("[1, 5, 1]", ", ramp: {id: r, maximum_starts: 2}"));
    (void)state;

    assert_int_equal(plan->tiers[0].proof, ISO_PROOF_DUAL);
    assert_true(plan->tiers[0].checked_bound > 9 - 1e-6);
    fixture_fini(&f);
}

/* m costs 1, then 4; d always 2. Two are needed. Free: 2 m, then 2 d: 2 + 4 = 6. No starts: d from
 * the beginning, 4 + 4 = 8 (m all along is 2 + 8, one of each 3 + 6). One start: one of each, then
 * one m stops and one d starts: 3 + 4 = 7. */
static void a_change_of_offering_is_a_start_and_a_stop(void **state)
{
    static const struct {
        const char *ramp;
        double cost;
    } cases[] = {{"", 6},
                 {", ramp: {id: r, maximum_starts: 0}", 8},
                 {", ramp: {id: r, maximum_starts: 1}", 7},
                 {", ramp: {id: r, maximum_stops: 0}", 8}};
    (void)state;

    /* No stops: what runs first runs on. 2 d: 8; 2 m: 2 + 8 = 10; both kinds only cost more. */
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        char yaml[2048];
        snprintf(yaml, sizeof(yaml),
                 "catalog:\n  offerings:\n"
                 "    - {provider: aws, type: m, purchase: on-demand, price: 1 USD, period_prices: "
                 "[{periods: [b], price: 4 USD}]}\n"
                 "    - {provider: aws, type: d, purchase: on-demand, price: 2 USD}\n" HOURS EXACT
                     WEB("2", "%s"),
                 cases[i].ramp);
        solved_costs(yaml, cases[i].cost);
    }
}

/* One copy fills an instance. web grows from 1 copy to 3, db stays at 1: 2 + 4 = 6. The ramp of web
 * counts all instances of the pool: at most one starts, so 3 run in the first hour: 3 + 4 = 7. */
static void the_ramp_of_replicas_counts_their_pool(void **state)
{
    (void)state;
    solved_costs(
        ONE_OFFERING HOURS EXACT
        "workloads:\n"
        "  - {id: web, must_serve: true, replicas: {count: [1, 3], resources: {vcpu: 1}}, "
        "ramp: {id: r, maximum_starts: 1}}\n"
        "  - {id: db, must_serve: true, replicas: {count: [1, 1], resources: {vcpu: 1}}}\n",
        7);
}

/* At most 2 run in the first hour and 2 more may start: 4 of 5. The limit, the ramp and the demand
 * cannot hold together; without the ramp 1 + 5 = 6. */
static void a_ramp_that_leaves_no_plan_is_named_and_priced(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(&f, ONE_OFFERING HOURS EXACT
                       "limits: [{id: few, maximum: 2, periods: [a]}]\n" WEB(
                           "[1, 5]", ", ramp: {id: r, maximum_starts: 2}"));
    bool named = false, priced = false;
    (void)state;

    assert_int_equal(plan->reason, ISO_REASON_INFEASIBLE);
    assert_int_equal(plan->tiers[0].proof, ISO_PROOF_RAY);
    assert_int_equal(plan->n_conflicts, 1);
    assert_int_equal(plan->conflicts[0].n_rules, 3);
    for (int32_t i = 0; i < 3; i++)
        named |= plan->conflicts[0].rules[i].kind == ISO_RULE_RAMP;
    assert_true(named);
    for (int32_t i = 0; i < plan->n_relaxations; i++)
        if (plan->relaxations[i].change.rule.kind == ISO_RULE_RAMP)
            priced = plan->relaxations[i].verified && fabs(plan->relaxations[i].cost - 6) < 1e-6;
    assert_true(priced);
    fixture_fini(&f);
}

/* Hours 0 and 2 ask the same and would be one level; a ramp keeps them apart, in their order. */
static void hours_do_not_merge_under_a_ramp(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(&f, ONE_OFFERING "load_levels: {hours: 3}\n" EXACT WEB("[1, 5, 1]", ""), NULL);
    assert_int_equal(f.problem->n_periods, 2);
    fixture_fini(&f);
    fixture_good(&f,
                 ONE_OFFERING "load_levels: {hours: 3}\n" EXACT WEB(
                     "[1, 5, 1]", ", ramp: {id: r, maximum_starts: 2}"),
                 NULL);
    assert_int_equal(f.problem->n_periods, 3);
    fixture_fini(&f);
    solved_costs(ONE_OFFERING "load_levels: {hours: 3}\n" EXACT WEB(
                     "[1, 5, 1]", ", ramp: {id: r, maximum_starts: 2}"),
                 9);
}

static const struct {
    const char *periods, *ramp, *path, *part;
} wrong[] = {
    {"periods: [{id: a, hours: 1}, {id: b, hours: 1}]\n", "{id: r, maximum_starts: 1}",
     "model.workloads[0].ramp", "periods without a start have no order"},
    {HOURS, "{id: r}", "model.workloads[0].ramp.maximum_starts", "at least one of"},
    {HOURS, "{id: r, maximum_starts: -1}", "model.workloads[0].ramp.maximum_starts",
     "-1; it must be at least 0"},
    {HOURS, "{id: r, maximum_stops: -2}", "model.workloads[0].ramp.maximum_stops",
     "-2; it must be at least 0"},
    {HOURS, "{maximum_stops: 2}", "model.workloads[0].ramp.id", "is empty"},
};

static void a_wrong_ramp_is_told_with_its_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(wrong); i++) {
        struct fixture f;
        char yaml[2048];
        snprintf(yaml, sizeof(yaml), ONE_OFFERING "%s" WEB("[1, 2]", ", ramp: %s"),
                 wrong[i].periods, wrong[i].ramp);
        fixture_resolve(&f, yaml, NULL);
        fixture_expect(&f, wrong[i].path, wrong[i].part);
        fixture_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_not_start_at_once_starts_before),
        cmocka_unit_test(what_may_not_stop_at_once_stays_after),
        cmocka_unit_test(multipliers_prove_what_a_ramp_costs),
        cmocka_unit_test(a_change_of_offering_is_a_start_and_a_stop),
        cmocka_unit_test(the_ramp_of_replicas_counts_their_pool),
        cmocka_unit_test(a_ramp_that_leaves_no_plan_is_named_and_priced),
        cmocka_unit_test(hours_do_not_merge_under_a_ramp),
        cmocka_unit_test(a_wrong_ramp_is_told_with_its_field)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Runners-up, binding rules and baselines of each strategy. Expected numbers are derived above each
 * test; one period of one hour unless said otherwise. */
#include "../support/solved_fixture.h"

#define OFFER(provider, type, price) \
    "    - {provider: " provider ", type: " type ", purchase: on-demand, price: " price " USD}\n"
#define SERVES(type, units) "{offerings: {include: [{type: " type "}]}, per_instance: " units "}"
#define HOUR "periods: [{id: hour, hours: 1}]\n"
#define WANT "options: {gap: 0, want: [baselines, runners-up, duals]}\n"

static const struct iso_runner_up *runner_up_of(const struct fixture *f,
                                                const struct iso_plan *plan, const char *chosen)
{
    for (int32_t i = 0; i < plan->n_runners_up; i++)
        if (strstr(f->problem->offerings[plan->runners_up[i].chosen].id, chosen))
            return &plan->runners_up[i];
    fail_msg("no runner-up of %s", chosen);
    return NULL;
}

static void expect_runner_up(const struct fixture *f, const struct iso_plan *plan,
                             const char *chosen, const char *other, double chosen_unit_cost,
                             double unit_cost, double reduced_cost)
{
    const struct iso_runner_up *row = runner_up_of(f, plan, chosen);

    if (!strstr(f->problem->offerings[row->offering].id, other))
        fail_msg("%s, not %s", f->problem->offerings[row->offering].id, other);
    if (fabs(row->chosen_unit_cost - chosen_unit_cost) > 1e-9 ||
        fabs(row->unit_cost - unit_cost) > 1e-9 || fabs(row->reduced_cost - reduced_cost) > 1e-9)
        fail_msg("%.9g, %.9g, %.9g", row->chosen_unit_cost, row->unit_cost, row->reduced_cost);
}

static void expect_strategy(const struct iso_plan *plan, const char *strategy)
{
    assert_int_equal(plan->n_components, 1);
    assert_string_equal(plan->components[0].strategy, strategy);
}

static void expect_baseline(const struct iso_plan *plan, enum iso_baseline_kind kind,
                            int32_t provider, double cost)
{
    for (int32_t i = 0; i < plan->n_baselines; i++)
        if (plan->baselines[i].kind == kind && plan->baselines[i].provider == provider) {
            assert_true(plan->baselines[i].known && plan->baselines[i].feasible);
            if (fabs(plan->baselines[i].cost - cost) > 1e-6)
                fail_msg("costs %.9g, not %.9g", plan->baselines[i].cost, cost);
            return;
        }
    fail_msg("no such baseline");
}

/* 23 units; a serves 10 for 5, b 4 for 2.4, c 10 for 5.5: steps of 2, 12 of them asked for. Two a
 * and one b cover just that, for 12.4 (three a: 15; one a and four b: 14.6). With a c, the other 7
 * steps take an a and a b, 5.5 + 7.4 = 12.9: reduced cost 0.5, for 10 units. So a unit costs 0.5 by
 * a, 0.6 by b, and 0.05 more by c. */
#define THREE_SIZES                                                            \
    "catalog:\n  offerings:\n" OFFER("aws", "a", "5") OFFER("aws", "b", "2.4") \
        OFFER("aws", "c", "5.5") HOUR WANT                                     \
        "workloads:\n  - {id: web, must_serve: true, "                         \
        "throughput: {rate: 23, performance: [" SERVES("a", "10") ", " SERVES( \
            "b", "4") ", " SERVES("c", "10") "]}}\n"

static void tables_tell_what_an_alternative_would_cost_exactly(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan) plan = solved_plan_by(&f, THREE_SIZES, ISO_STRATEGY_SEPARABLE);
    (void)state;

    expect_strategy(plan, "separable");
    assert_int_equal(plan->cost, D(12.4));
    assert_int_equal(plan->n_runners_up, 2);
    expect_runner_up(&f, plan, "/a", "/c", 0.5, 0.55, 0.5);
    expect_runner_up(&f, plan, "/b", "/c", 0.6, 0.65, 0.5);
    assert_true(plan->runners_up[0].resolved && plan->runners_up[1].resolved);
    fixture_fini(&f);
}

/* By multipliers a unit is worth 0.5, what it costs by a: c costs 0.55, and 5.5 - 5 = 0.5 more than
 * what it serves is worth. */
static void a_relaxation_estimates_the_same(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan) plan = solved_plan_by(&f, THREE_SIZES, ISO_STRATEGY_PLAIN_MIP);
    (void)state;

    expect_strategy(plan, "plain-mip");
    expect_runner_up(&f, plan, "/a", "/c", 0.5, 0.55, 0.5);
    assert_false(plan->runners_up[0].resolved);
    fixture_fini(&f);
}

/* 3 units, all there are; big serves 1000 for 30. By the unit it is cheapest of all, but nobody
 * asks for the other 997: 30 - 3 = 27 more, for 3 units. d at 1.5 costs 0.5 more, for one. */
static void a_large_instance_does_not_look_cheap(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan_by(
        &f,
        "catalog:\n  offerings:\n" OFFER("aws", "a", "1") OFFER("aws", "big", "30")
            OFFER("aws", "d", "1.5") HOUR WANT
        "workloads:\n  - {id: web, must_serve: true, throughput: {rate: 3, performance: [" SERVES(
            "a", "1") ", " SERVES("big", "1000") ", " SERVES("d", "1") "]}}\n",
        ISO_STRATEGY_SEPARABLE);
    (void)state;

    assert_int_equal(plan->cost, D(3));
    expect_runner_up(&f, plan, "/a", "/d", 1, 1.5, 0.5);
    fixture_fini(&f);
}

/* A year of 2 units by day and 1 by night, 4380 hours each; a at 1, b at 1.1. A commitment of a
 * costs 0.6 an hour and 5256 in all; it saves 8760 when used always, 4380 when by day only. So one
 * is bought, which covers the nights: there, an instance of b would cost all of its 1.1 * 4380 =
 * 4818. By day a unit is paid, b costs 0.1 * 4380 = 438 more. */
#define DAY_AND_NIGHT(workloads)                                                               \
    "catalog:\n  offerings:\n" OFFER("aws", "a", "1") OFFER(                                   \
        "aws", "b",                                                                            \
        "1.1") "  products: [{id: ri, provider: aws, kind: unit, eligible: {include: [{type: " \
               "a}]}, "                                                                        \
               "term_hours: 8760, hourly_fee: 0.6 USD}]\n"                                     \
               "periods: [{id: day, hours: 4380}, {id: night, hours: 4380}]\n" WANT workloads

static void what_commitments_cover_stays_covered(void **state)
{
    static const enum iso_strategy strategies[] = {ISO_STRATEGY_SEPARABLE, ISO_STRATEGY_LATTICE};
    static const char *const names[] = {"separable", "lattice"};
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(strategies); i++) {
        struct fixture f;
        ISO_AUTO(iso_plan)
        plan = solved_plan_by(&f,
                              DAY_AND_NIGHT("workloads:\n  - {id: web, must_serve: true, "
                                            "throughput: {rate: [2, 1], performance: "
                                            "[{per_instance: 1}]}}\n"),
                              strategies[i]);
        expect_strategy(plan, names[i]);
        assert_int_equal(plan->cost, D(4380 + 5256));
        assert_int_equal(plan->n_runners_up, 2);
        for (int32_t k = 0; k < 2; k++) {
            bool day = plan->runners_up[k].period == 0;
            assert_true(fabs(plan->runners_up[k].reduced_cost - (day ? 438 : 4818)) < 1e-6);
            assert_true(fabs(plan->runners_up[k].unit_cost - 1.1) < 1e-9);
            assert_true(fabs(plan->runners_up[k].chosen_unit_cost - day) < 1e-9);
            assert_true(plan->runners_up[k].resolved);
        }
        /* without buying: 2 * 4380 + 4380 */
        expect_baseline(plan, ISO_BASELINE_ON_DEMAND, -1, 13140);
        fixture_fini(&f);
    }
}

/* Four hours of 4 units; a at 1 of which at most 2 run, b at 1.2, c at 1.5. Two a and two b an
 * hour: 17.6. A unit is worth 1.2 and the cap 0.2; c costs 0.3 more. */
static void multipliers_of_a_long_horizon_price_every_option(void **state)
{
    static const enum iso_strategy strategies[] = {ISO_STRATEGY_HORIZON, ISO_STRATEGY_COLUMNS,
                                                   ISO_STRATEGY_PLAIN_MIP};
    static const char *const names[] = {"horizon", "columns", "plain-mip"};
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(strategies); i++) {
        struct fixture f;
        ISO_AUTO(iso_plan)
        plan = solved_plan_by(
            &f,
            "catalog:\n  offerings:\n" OFFER("aws", "a", "1") OFFER("aws", "b", "1.2")
                OFFER("aws", "c", "1.5") WANT
            "periods: [{id: p0, hours: 1}, {id: p1, hours: 1}, {id: p2, hours: 1}, "
            "{id: p3, hours: 1}]\n"
            "limits: [{id: few-a, maximum: 2, scope: {include: [{type: a}]}}]\n"
            "workloads:\n  - {id: web, must_serve: true, throughput: {rate: 4, performance: "
            "[{per_instance: 1}]}}\n",
            strategies[i]);
        expect_strategy(plan, names[i]);
        assert_int_equal(plan->cost, D(17.6));
        expect_runner_up(&f, plan, "/a", "/c", 1.2, 1.5, 0.3);
        expect_runner_up(&f, plan, "/b", "/c", 1.2, 1.5, 0.3);
        assert_true(plan->n_bindings > 0);
        assert_int_equal(plan->bindings[0].rule.kind, ISO_RULE_LIMIT);
        assert_true(fabs(plan->bindings[0].worth - 0.2) < 1e-9);
        fixture_fini(&f);
    }
}

/* 10 units. Of a, at 1, none or at least 20 run: 20 for 20. 10 b at 1.02 are 10.2; by c of the
 * other provider 13. With nothing of a allowed b is what a unit is worth, and the gate takes from a
 * what it is cheaper by: it would do as well, but for the rule. Without one of them: by a alone 20.
 */
static void a_tree_of_problems_explains_the_gates_as_its_plan_has_them(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(
        &f, "catalog:\n  offerings:\n" OFFER("aws", "a", "1") OFFER("aws", "b", "1.02")
                OFFER("gcp", "c", "1.3") HOUR WANT
        "limits: [{id: many-a, minimum: 20, or_nothing: true, scope: {include: [{type: a}]}}]\n"
        "workloads:\n  - {id: web, must_serve: true, throughput: {rate: 10, performance: "
        "[{per_instance: 1}]}}\n");
    (void)state;

    assert_int_equal(plan->cost, D(10.2));
    expect_runner_up(&f, plan, "/b", "/a", 1.02, 1.02, 0);
    assert_true(plan->runners_up[0].blocked);
    assert_int_equal(plan->runners_up[0].blocker.kind, ISO_RULE_LIMIT);
    assert_int_equal(plan->runners_up[0].blocker.a, 0);
    assert_int_equal(plan->n_bindings, 0);
    /* without the tree "only aws" would be 10 a, for 10 */
    expect_baseline(plan, ISO_BASELINE_PROVIDER, 0, 10.2);
    expect_baseline(plan, ISO_BASELINE_PROVIDER, 1, 13);
    fixture_fini(&f);
}

/* At least 20 of a when any, and they must be: at least 5 of a run. 20 a cost 20 and one more would
 * cost 1 (units are for nothing then): the minimum is worth what a costs. */
static void an_open_gate_that_binds_has_a_worth(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(
        &f, "catalog:\n  offerings:\n" OFFER("aws", "a", "1") OFFER("aws", "b", "1.02") HOUR WANT
        "limits:\n  - {id: many-a, minimum: 20, or_nothing: true, scope: {include: [{type: "
        "a}]}}\n  - {id: some-a, minimum: 5, scope: {include: [{type: a}]}}\n"
        "workloads:\n  - {id: web, must_serve: true, throughput: {rate: 10, performance: "
        "[{per_instance: 1}]}}\n");
    (void)state;

    assert_int_equal(plan->cost, D(20));
    assert_int_equal(plan->n_bindings, 1);
    assert_int_equal(plan->bindings[0].rule.a, 0);
    assert_true(fabs(plan->bindings[0].value - 20) < 1e-9);
    assert_true(fabs(plan->bindings[0].worth - 1) < 1e-9);
    fixture_fini(&f);
}

/* 10 units by a at 1 and by c of another provider at 1.1; what a costs in all above 6 goes down to
 * half. 10 a: 6 + 4 / 2 = 8; 10 c: 11. The eleventh unit costs 0.5 by a and 1.1 by c. */
static void a_price_that_falls_explains_at_the_margin(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(
        &f, "catalog:\n  offerings:\n" OFFER("aws", "a", "1") OFFER("gcp", "c", "1.1") HOUR WANT
        "volume_prices: [{id: much, offerings: {include: [{type: a}]}, steps: [{from: 6 USD, "
        "factor: 0.5}]}]\n"
        "workloads:\n  - {id: web, must_serve: true, throughput: {rate: 10, performance: "
        "[{per_instance: 1}]}}\n");
    (void)state;

    assert_int_equal(plan->cost, D(8));
    expect_runner_up(&f, plan, "/a", "/c", 0.5, 1.1, 0.6);
    expect_baseline(plan, ISO_BASELINE_PROVIDER, 0, 8);
    expect_baseline(plan, ISO_BASELINE_PROVIDER, 1, 11);
    fixture_fini(&f);
}

/* 10 units, or 20 at even odds, by at most 15 a at 1; b at 1.1, c at 1.2. So 10 a, or 15 a and 5 b.
 * With l = 0.5 and the tail the high scenario, its money counts 0.5 + 1 times and that of the low
 * one 0.5 times. One more a in place of a b saves 0.1 there: 0.05 on average, so the objective
 * falls by 1.5 * 0.05. With the limit priced in an a costs what a b does. One c in place of what
 * runs costs 0.1 more in half of all cases; in the low scenario, so does a b. */
static void a_tail_counts_in_what_rules_are_worth(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(
        &f, "catalog:\n  offerings:\n" OFFER("aws", "a", "1") OFFER("aws", "b", "1.1")
                OFFER("gcp", "c", "1.2") HOUR WANT
        "limits: [{id: few-a, maximum: 15, scope: {include: [{type: a}]}}]\n"
        "uncertainty: {tail_weight: 0.5, tail_level: 0.5, scenarios: [{id: low, probability: 0.5, "
        "demand_factor: 1}, {id: high, probability: 0.5, demand_factor: 2}]}\n"
        "workloads:\n  - {id: web, must_serve: true, throughput: {rate: 10, performance: "
        "[{per_instance: 1}]}}\n");
    (void)state;

    assert_int_equal(plan->cost, D(15.25));
    assert_int_equal(plan->n_bindings, 1);
    assert_int_equal(plan->bindings[0].period, 1);
    assert_true(fabs(plan->bindings[0].worth - 0.075) < 1e-9);
    assert_int_equal(plan->n_runners_up, 3); /* of a in both, of b in the high scenario */
    for (int32_t i = 0; i < plan->n_runners_up; i++) {
        const struct iso_runner_up *row = &plan->runners_up[i];
        const char *other = f.problem->offerings[row->offering].id;
        assert_non_null(strstr(other, row->period == 0 ? "/b" : "/c"));
        assert_true(fabs(row->chosen_unit_cost - (row->period == 0 ? 1 : 1.1)) < 1e-9);
        assert_true(fabs(row->unit_cost - (row->period == 0 ? 1.1 : 1.2)) < 1e-9);
        assert_true(fabs(row->reduced_cost - 0.05) < 1e-9);
    }
    fixture_fini(&f);
}

/* Nothing is found out that was not asked for. */
static void nothing_is_explained_unasked(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(
        &f, "catalog:\n  offerings:\n" OFFER("aws", "a", "1") OFFER("gcp", "b", "2") HOUR
        "workloads:\n  - {id: web, must_serve: true, throughput: {rate: 10, performance: "
        "[{per_instance: 1}]}}\n");
    (void)state;

    assert_int_equal(plan->n_runners_up + plan->n_bindings + plan->n_baselines, 0);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_tell_what_an_alternative_would_cost_exactly),
        cmocka_unit_test(a_relaxation_estimates_the_same),
        cmocka_unit_test(a_large_instance_does_not_look_cheap),
        cmocka_unit_test(what_commitments_cover_stays_covered),
        cmocka_unit_test(multipliers_of_a_long_horizon_price_every_option),
        cmocka_unit_test(a_tree_of_problems_explains_the_gates_as_its_plan_has_them),
        cmocka_unit_test(an_open_gate_that_binds_has_a_worth),
        cmocka_unit_test(a_price_that_falls_explains_at_the_margin),
        cmocka_unit_test(a_tail_counts_in_what_rules_are_worth),
        cmocka_unit_test(nothing_is_explained_unasked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Prices of broken rules that rise in steps, carbon, and budgets that reach past the horizon.
 * Expected costs are derived above each test; every option of web serves 1. */
#include "../support/solved_fixture.h"

#define OFFER(place, price, more)                                                        \
    "    - {" place ", type: m, purchase: on-demand, price: " price " USD, resources: {" \
    "vcpu: 4}" more "}\n"
#define CHEAP_AND_DEAR                                                                  \
    "catalog:\n  offerings:\n" OFFER("provider: aws", "1", ", carbon_kg_per_hour: 0.5") \
        OFFER("provider: azure", "2", ", carbon_kg_per_hour: 0.1")
#define HOUR "periods: [{id: hour, hours: 1}]\noptions: {gap: 0}\n"
#define WEB                                                                         \
    "workloads: [{id: web, must_serve: true, throughput: {rate: 10, performance: [" \
    "{per_instance: 1}]}}]\n"
#define AWS "scope: {include: [{provider: aws}]}"

static void expect_money(const struct iso_plan *plan, double cost, double penalties)
{
    assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
    if (fabs(iso_decimal_to_double(plan->cost) - cost) > 1e-9 ||
        fabs(iso_decimal_to_double(plan->penalties) - penalties) > 1e-9)
        fail_msg("costs %.9g and %.9g of penalties", iso_decimal_to_double(plan->cost),
                 iso_decimal_to_double(plan->penalties));
}

static void solve_expecting(const char *yaml, double cost, double penalties)
{
    struct fixture f;
    ISO_AUTO(iso_plan) plan = solved_plan(&f, yaml);

    expect_money(plan, cost, penalties);
    fixture_fini(&f);
}

/* One unit in aws instead of azure saves 1. The cap is 4; breaking it costs 0.25 a unit at first,
 * 0.75 beyond 2 and 1.5 beyond 5. So 4 + 5 = 9 run in aws: 9 + 2 = 11, and 2 * 0.25 + 3 * 0.75 =
 * 2.75. The tenth would cost 1.5 to save 1. */
static void a_cap_is_broken_up_to_the_step_that_costs_more_than_it_saves(void **state)
{
    (void)state;
    solve_expecting(CHEAP_AND_DEAR HOUR WEB
                    "limits: [{id: cap, maximum: 4, " AWS ", policy: {kind: soft, price: 0.25 USD, "
                    "steps: [{from: 2, price: 0.75 USD}, {from: 5, price: 1.5 USD}]}}]\n",
                    11, 2.75);
}

/* At least 4 in azure, where a unit costs 1 more. Missing it costs 0.5 a unit, beyond 3 missing 2.
 * So 3 are missing: one runs in azure, 9 + 2 = 11, and 3 * 0.5 = 1.5. The step at 4, which is the
 * whole floor, is never reached. */
static void a_floor_is_missed_up_to_the_step_that_costs_more_than_it_saves(void **state)
{
    (void)state;
    solve_expecting(CHEAP_AND_DEAR HOUR WEB
                    "limits: [{id: floor, minimum: 4, scope: {include: [{provider: azure}]}, "
                    "policy: {kind: soft, steps: [{from: 0, price: 0.5 USD}, {from: 3, price: 2 "
                    "USD}, {from: 4, price: 9 USD}]}}]\n",
                    11, 1.5);
}

/* Web may be left unserved at 3 a unit and a unit costs 1 in aws. The budget is 80 CNY = 10 USD for
 * 20 units. A unit beyond it is 8 CNY: at 0.2 USD for each CNY 1.6 USD, so 2.6 with the price,
 * below 3; beyond 40 CNY more at 0.3 it is 2.4, so 3.4 with the price, above 3. So 10 + 5 are
 * served: cost 15, penalties 40 * 0.2 + 5 * 3 = 23. */
static void a_budget_is_broken_up_to_the_step_that_costs_more_than_it_saves(void **state)
{
    (void)state;
    solve_expecting(
        "catalog:\n  offerings:\n" OFFER("provider: aws", "1", "") HOUR
        "currency: {rates: [{pair: CNY/USD, rate: 0.125}]}\n"
        "workloads: [{id: web, penalty: 3 USD, throughput: {rate: 20, performance: ["
        "{per_instance: 1}]}}]\n"
        "budgets: [{id: money, windows: [{amount: 80 CNY}], policy: {kind: soft, steps: ["
        "{from: 0, price: 0.2 USD}, {from: 40, price: 0.3 USD}]}}]\n",
        15, 23);
}

static void steps_of_one_price_are_one_step(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(&f,
                 CHEAP_AND_DEAR HOUR WEB
                 "limits: [{id: cap, maximum: 4, policy: {kind: soft, price: 2 USD, steps: ["
                 "{from: 1, price: 2 USD}, {from: 2, price: 5 USD}]}}, {id: next, maximum: 7}]\n",
                 NULL);
    assert_int_equal(f.problem->n_limits, 3);
    assert_int_equal(f.problem->limits[1].bound, D(6));
    assert_int_equal(f.problem->limits[1].price, D(3));
    assert_true(f.problem->limits[1].later_step);
    assert_false(f.problem->limits[0].later_step);
    assert_string_equal(f.problem->limits[2].id, "next");
    fixture_fini(&f);
}

/* 10 in aws are 5 kg an hour. n of them and 10 - n in azure are 0.5 n + 0.1 (10 - n) <= 3, so n <=
 * 5: 5 + 10 = 15. */
static void a_cap_on_carbon_moves_work_to_the_cleaner_place(void **state)
{
    (void)state;
    solve_expecting(
        CHEAP_AND_DEAR HOUR WEB "limits: [{id: climate, metric: carbon-kg, maximum: 3}]\n", 15, 0);
}

/* A unit in azure costs 1 more and saves 0.4 kg. At 2 USD a kg that is 0.8, and aws stays: 10, and
 * 5 kg * 2 = 10. At 3 USD it is 1.2: 20, and 1 kg * 3 = 3. */
static void a_price_of_carbon_is_a_soft_cap_of_zero(void **state)
{
    (void)state;
    solve_expecting(CHEAP_AND_DEAR HOUR WEB
                    "limits: [{id: climate, metric: carbon-kg, maximum: 0, policy: {kind: soft, "
                    "price: 2 USD}}]\n",
                    10, 10);
    solve_expecting(CHEAP_AND_DEAR HOUR WEB
                    "limits: [{id: climate, metric: carbon-kg, maximum: 0, policy: {kind: soft, "
                    "price: 3 USD}}]\n",
                    20, 3);
}

/* Overlays give what offerings do not say: 4 vCPU at 0.05 are 0.2 kg in aws; gcp stays unknown and
 * may not run under a hard cap. 2 kg an hour are 10 in aws. */
static void carbon_that_is_not_known_bars_an_offering_under_a_hard_cap(void **state)
{
    static const char yaml[] = "catalog:\n  offerings:\n" OFFER("provider: aws", "1", "")
        OFFER("provider: gcp", "0.5",
              "") "  overlays: [{offerings: {include: [{provider: aws}]}, carbon_kg_per_vcpu_hour: "
                  "0.05}]\n" HOUR WEB "limits: [{id: climate, metric: carbon-kg, maximum: 2}]\n";
    struct fixture f;
    (void)state;

    solve_expecting(yaml, 10, 0);
    fixture_good(&f, yaml, NULL);
    assert_int_equal(f.problem->limits[0].terms[0].weight, D(0.2));
    assert_int_equal(fixture_filtered(&f, "web", "resources unknown"), 1);
    fixture_fini(&f);
}

/* A month's 730 less 30 spent, for 700 hours, of which the horizon has 7: 7 may be spent. A unit
 * costs 1 an hour, so one of ten is served: 7, and 9 * 7 * 2 = 126 are lost. */
static void a_budget_for_longer_than_the_horizon_is_cut_in_proportion(void **state)
{
    (void)state;
    solve_expecting(
        "catalog:\n  offerings:\n" OFFER(
            "provider: aws", "1",
            "") "periods: [{id: now, hours: 7}]\noptions: {gap: 0}\n"
                "workloads: [{id: web, penalty: 2 USD, throughput: {rate: 10, performance: ["
                "{per_instance: 1}]}}]\n"
                "budgets: [{id: month, prorate: true, spent_already: 30 USD, windows: ["
                "{amount: 730 USD, hours: 700}]}]\n",
        7, 126);
}

static void a_window_of_load_levels_is_cut_at_the_horizon(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(
        &f,
        CHEAP_AND_DEAR
        "load_levels: {hours: 10}\n" WEB
        "budgets: [{id: b, prorate: true, windows: [{amount: 1 USD, from_hour: 4, to_hour: "
        "22}, {amount: 5 USD, to_hour: 10}]}]\n",
        NULL);
    /* 6 of 18 hours, rounded down; the other ends with the horizon. */
    assert_int_equal(f.problem->budgets[0].windows[0].amount, 333333333);
    assert_int_equal(f.problem->budgets[0].windows[1].amount, D(5));
    fixture_fini(&f);
}

static const struct fixture_refusal refused[] = {
    {"limits: [{id: l, maximum: 1, policy: {kind: soft, steps: [{from: 1, price: 1 USD}]}}]\n",
     "model.limits[0].policy.steps[0].from", "without a price"},
    {"limits: [{id: l, maximum: 1, policy: {kind: soft, price: 1 USD, steps: [{price: 2 USD}]}}]\n",
     "model.limits[0].policy.steps[0].from", "holds there already"},
    {"limits: [{id: l, maximum: 1, policy: {kind: soft, price: 1 USD, steps: [{from: 2, price: 2 "
     "USD}, {from: 2, price: 3 USD}]}}]\n",
     "model.limits[0].policy.steps[1].from", "above 2"},
    {"limits: [{id: l, maximum: 1, policy: {kind: soft, price: 3 USD, steps: [{from: 2, price: 2 "
     "USD}]}}]\n",
     "model.limits[0].policy.steps[0].price", "must not fall"},
    {"limits: [{id: l, maximum: 1, policy: {kind: soft, price: 3 USD, steps: [{from: 2, price: 4 "
     "EUR}]}}]\n",
     "model.limits[0].policy.steps[0].price.currency_code", "must be USD"},
    {"limits: [{id: l, maximum: 1, policy: {kind: soft, price: 3 USD, steps: [{from: 2}]}}]\n",
     "model.limits[0].policy.steps[0].price", "required"},
    {"limits: [{id: l, maximum: 1, policy: {kind: prefer, steps: [{price: 4 USD}]}}]\n",
     "model.limits[0].policy.steps", "SOFT only"},
    {"budgets: [{id: b, windows: [{amount: 1 USD, hours: 2}]}]\n",
     "model.budgets[0].windows[0].hours", "set prorate"},
    {"budgets: [{id: b, prorate: true, windows: [{amount: 1 USD, hours: 0.5}]}]\n",
     "model.budgets[0].windows[0].hours", "have 1 already"},
};

static void what_makes_no_sense_is_refused_by_its_path(void **state)
{
    (void)state;
    fixture_refuses(CHEAP_AND_DEAR HOUR WEB, refused, ISO_ARRAY_LENGTH(refused));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cap_is_broken_up_to_the_step_that_costs_more_than_it_saves),
        cmocka_unit_test(a_floor_is_missed_up_to_the_step_that_costs_more_than_it_saves),
        cmocka_unit_test(a_budget_is_broken_up_to_the_step_that_costs_more_than_it_saves),
        cmocka_unit_test(steps_of_one_price_are_one_step),
        cmocka_unit_test(a_cap_on_carbon_moves_work_to_the_cleaner_place),
        cmocka_unit_test(a_price_of_carbon_is_a_soft_cap_of_zero),
        cmocka_unit_test(carbon_that_is_not_known_bars_an_offering_under_a_hard_cap),
        cmocka_unit_test(a_budget_for_longer_than_the_horizon_is_cut_in_proportion),
        cmocka_unit_test(a_window_of_load_levels_is_cut_at_the_horizon),
        cmocka_unit_test(what_makes_no_sense_is_refused_by_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Scenarios. Expected values are derived above each test. An instance serves 1 and costs 1 an hour;
 * `saver` covers the price of one for 0.6 an hour. The day is one period, the same for all. */
#include "../support/solved_fixture.h"

#define OFFERING                                                                                 \
    "offerings: [{provider: aws, type: m, purchase: on-demand, price: 1 USD, resources: {vcpu: " \
    "1}}]"
#define CATALOG "catalog: {" OFFERING "}\n"
#define SAVER                                                                                  \
    "catalog:\n  " OFFERING "\n  products: [{id: saver, provider: aws, kind: unit, eligible: " \
    "{}, term_hours: 24, hourly_fee: 0.6 USD}]\n"
#define DAY "periods: [{id: day, hours: 24}]\n"
#define EXACT "options: {gap: 0}\n"
#define WEB(service, rate)                                            \
    "workloads:\n  - {id: web, " service ", throughput: {rate: " rate \
    ", performance: [{per_instance: 1}]}}\n"
#define MUST WEB("must_serve: true", "10")
#define SCENARIOS(low, high, tail)                                                               \
    "uncertainty: {" tail "scenarios: [{id: low, probability: " low ", demand_factor: 1}, {id: " \
    "high, probability: " high ", demand_factor: 2}]}\n"
#define TAIL(weight, level) "tail_weight: " weight ", tail_level: " level ", "

static void is_close(double value, double expected)
{
    if (fabs(value - expected) > 1e-9 * (1 + fabs(expected)))
        fail_msg("%.12g, not %.12g", value, expected);
}

struct expected {
    const char *yaml;
    double cost, risk, low, high; /* low, high: when the scenario comes */
};

static void costs(const struct expected *expected, double low_probability)
{
    struct fixture f;
    ISO_AUTO(iso_plan) plan = solved_plan(&f, expected->yaml);

    assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
    is_close(iso_decimal_to_double(plan->cost), expected->cost);
    is_close(iso_decimal_to_double(plan->risk), expected->risk);
    assert_int_equal(plan->n_bills, 2);
    is_close(iso_decimal_to_double(plan->bills[0].cost) / low_probability, expected->low);
    is_close(iso_decimal_to_double(plan->bills[1].cost) / (1 - low_probability), expected->high);
    is_close(plan->tiers[0].value,
             expected->cost + expected->risk + iso_decimal_to_double(plan->penalties));
    fixture_fini(&f);
}

/* 10 or 20 are asked. The first 10 savers are used in both scenarios and save 0.4 each; the next 10
 * only in the high one. At even odds they would save 1/2 - 0.6 < 0: 10 are bought, low costs 6 an
 * hour and high 16, on average 11. At odds of 1 to 3 they save 3/4 - 0.6 > 0: 20 are bought, which
 * cost 12 in both. Without the saver it is 10 and 20, on average 15. */
static void commitments_are_bought_for_all_scenarios_at_once(void **state)
{
    static const struct expected even = {SAVER DAY EXACT MUST SCENARIOS("0.5", "0.5", ""), 24 * 11,
                                         0, 24 * 6, 24 * 16},
                                 likely = {SAVER DAY EXACT MUST SCENARIOS("0.25", "0.75", ""),
                                           24 * 12, 0, 24 * 12, 24 * 12},
                                 none = {CATALOG DAY EXACT MUST SCENARIOS("0.5", "0.5", ""),
                                         24 * 15, 0, 24 * 10, 24 * 20};
    (void)state;

    costs(&even, 0.5);
    costs(&likely, 0.25);
    costs(&none, 0.5);
}

/* At even odds and level 0.5 the tail is the high scenario: an hour of it weighs 1/2 (1 - l) + l.
 * The savers 11 to 20 save that less 0.6. With l = 0.1 that is 0.55 - 0.6 < 0: as without a tail,
 * and the charge is 0.1 (16 - 11) an hour. With l = 0.5 it is 0.75 - 0.6 > 0: 12 in both, no
 * charge. With level 0.25 and l = 0.1 the tail is all of high and half of low, (0.5 * 16 + 0.25 *
 * 6) / 0.75 = 38/3; high weighs 0.45 + 0.1 * 2/3 < 0.6, so 10 are bought and the charge is 0.1
 * (38/3 - 11). */
static void the_tail_buys_more(void **state)
{
    static const struct expected light = {SAVER DAY EXACT MUST SCENARIOS("0.5", "0.5",
                                                                         TAIL("0.1", "0.5")),
                                          24 * 11, 24 * 0.5, 24 * 6, 24 * 16},
                                 heavy = {SAVER DAY EXACT MUST SCENARIOS("0.5", "0.5",
                                                                         TAIL("0.5", "0.5")),
                                          24 * 12, 0, 24 * 12, 24 * 12},
                                 partial = {SAVER DAY EXACT MUST SCENARIOS("0.5", "0.5",
                                                                           TAIL("0.1", "0.25")),
                                            24 * 11, 24 * 0.1 * 5 / 3, 24 * 6, 24 * 16};
    (void)state;

    costs(&light, 0.5);
    costs(&heavy, 0.5);
    costs(&partial, 0.5);
}

/* Half a dollar for a unit not served is less than an instance: nothing runs. 120 and 240 a day, on
 * average 180; with l = 0.5 and the tail the high scenario the charge is 0.5 (240 - 180). */
static void penalties_are_part_of_the_tail(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(&f, CATALOG DAY EXACT WEB("penalty: 0.5 USD", "10")
                               SCENARIOS("0.5", "0.5", TAIL("0.5", "0.5")));
    (void)state;

    assert_int_equal(plan->cost, 0);
    is_close(iso_decimal_to_double(plan->penalties), 180);
    is_close(iso_decimal_to_double(plan->bills[0].penalties), 60); /* half of 120 */
    is_close(iso_decimal_to_double(plan->bills[1].penalties), 120);
    is_close(iso_decimal_to_double(plan->risk), 30);
    is_close(plan->tiers[0].value, 210);
    assert_int_equal(plan->tiers[0].proof, ISO_PROOF_SEARCH);
    assert_true(fabs(plan->tiers[0].checked_bound - 180) < 1e-6); /* of the average */
    assert_true(plan->tiers[0].bound > 210 - 1e-4);
    fixture_fini(&f);
}

/* In the high scenario y savers of 20 leave 24 (20 - 0.4 y), which 380 allow from y = 10.4 on: 11,
 * at 24 * 15.6. In the low one 24 (6.6) are paid for them. The mean of 158.4 and 374.4 is 266.4. */
static void a_budget_holds_in_every_scenario(void **state)
{
    static const struct expected tight = {
        SAVER DAY EXACT
        "budgets: [{id: total, windows: [{amount: 380 USD}]}]\n" MUST SCENARIOS("0.5", "0.5", ""),
        266.4, 0, 158.4, 374.4};
    (void)state;

    costs(&tight, 0.5);
}

/* 3 copies times 1.5 are 5, which need 5 instances. */
static void copies_are_whole_in_every_scenario(void **state)
{
    (void)state;
    solved_costs(
        CATALOG DAY EXACT
        "workloads: [{id: web, must_serve: true, replicas: {count: 3, resources: {vcpu: 1}}}]\n"
        "uncertainty: {scenarios: [{id: one, probability: 1, demand_factor: 1.5}]}\n",
        24 * 5);
}

/* 15 run at most, 20 are asked in the high scenario: the limit and the demand. */
static void a_scenario_without_a_plan_leaves_none(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(&f, CATALOG DAY EXACT "limits: [{id: few, maximum: 15}]\n" MUST SCENARIOS(
                               "0.9", "0.1", TAIL("0.5", "0.5")));
    (void)state;

    assert_int_equal(plan->reason, ISO_REASON_INFEASIBLE);
    assert_int_equal(plan->n_conflicts, 1);
    assert_int_equal(plan->conflicts[0].n_rules, 2);
    fixture_fini(&f);
}

/* 6 and 2 are asked, or 12 and 4, and 4 run in each. On average 9 and 3 are asked and 4 of the 12
 * served, so 2/3 of one at least is left; 3 and 1 in both scenarios leave 2/3 of each. */
static void evenness_is_over_the_scenarios(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(&f, CATALOG
                       "periods: [{id: h, hours: 1}]\n" EXACT
                       "limits: [{id: few, maximum: 4}]\nworkloads:\n"
                       "  - {id: a, priority: 1, fair: true, throughput: {rate: 6, performance: "
                       "[{per_instance: 1}]}}\n"
                       "  - {id: b, priority: 1, fair: true, throughput: {rate: 2, performance: "
                       "[{per_instance: 1}]}}\n" SCENARIOS("0.5", "0.5", ""));
    (void)state;

    assert_int_equal(plan->tiers[0].kind, ISO_TIER_FAIR);
    is_close(plan->tiers[0].value, 2. / 3);
    is_close(plan->tiers[1].value, 4. / 3);
    fixture_fini(&f);
}

/* One scenario is one future: the plan is that of the model with its demand. */
static void one_scenario_is_the_model(void **state)
{
    (void)state;
    solved_costs(SAVER DAY EXACT MUST, 24 * 6);
    solved_costs(SAVER DAY EXACT MUST
                 "uncertainty: {scenarios: [{id: one, probability: 1, demand_factor: 1}]}\n",
                 24 * 6);
}

/* Equal hours merge in each scenario. */
static void levels_are_those_of_the_model(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(&f,
                 CATALOG "load_levels: {hours: 24}\n" EXACT WEB("must_serve: true", "10")
                     SCENARIOS("0.5", "0.5", ""),
                 NULL);
    assert_int_equal(f.problem->n_periods, 2);
    assert_int_equal(f.problem->periods[1].hours, 12 * ISO_DECIMAL_ONE);
    assert_string_equal(f.problem->periods[1].id, "high/level-1");
    fixture_fini(&f);
}

static void the_verifier_adds_up_the_scenarios_itself(void **state)
{
    struct fixture f;
    struct iso_verdict verdict;
    ISO_AUTO(iso_plan)
    plan = solved_plan(&f, SAVER DAY EXACT MUST SCENARIOS("0.5", "0.5", TAIL("0.1", "0.5")));
    iso_decimal *const numbers[] = {&plan->risk, &plan->bills[0].cost, &plan->bills[1].cost,
                                    &plan->bills[0].penalties, &plan->bills[1].penalties};
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(numbers); i++)
        for (int by = -1; by <= 1; by += 2) {
            *numbers[i] += by;
            assert_int_not_equal(iso_verify(f.problem, plan, &verdict, NULL), ISO_OK);
            *numbers[i] -= by;
        }
    plan->n_bills = 1;
    assert_int_not_equal(iso_verify(f.problem, plan, &verdict, NULL), ISO_OK);
    plan->n_bills = 2;
    assert_int_equal(iso_verify(f.problem, plan, &verdict, NULL), ISO_OK);
    fixture_fini(&f);
}

static void wrong_scenarios_are_told_with_their_fields(void **state)
{
    static const struct {
        const char *uncertainty, *path, *part;
    } wrong[] = {
        {"{}", "model.uncertainty.scenarios", "0; 1 to 100 are required"},
        {"{scenarios: [{id: a, probability: 0.5, demand_factor: 1}]}",
         "model.uncertainty.scenarios", "add up to 0.500000000; they must add up to 1"},
        {"{scenarios: [{id: a, probability: 0, demand_factor: 1}]}",
         "model.uncertainty.scenarios[0].probability", "(0, 1]"},
        {"{scenarios: [{id: a, probability: 0.5, demand_factor: 1}, {id: a, probability: 0.5}]}",
         "model.uncertainty.scenarios[1].id", "twice"},
        {"{scenarios: [{id: a, probability: 1}]}", "model.uncertainty.scenarios[0].demand_factor",
         "above 0"},
        {"{tail_weight: 2, scenarios: [{id: a, probability: 1, demand_factor: 1}]}",
         "model.uncertainty.tail_weight", "[0, 1]"},
        {"{tail_weight: 0.5, scenarios: [{id: a, probability: 1, demand_factor: 1}]}",
         "model.uncertainty.tail_level", "(0, 1]"},
        {"{tail_level: 1, scenarios: [{id: a, probability: 1, demand_factor: 1}]}",
         "model.uncertainty.tail_level", "it must be below 1"},
    };
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(wrong); i++) {
        struct fixture f;
        char yaml[2048];
        snprintf(yaml, sizeof(yaml), CATALOG DAY MUST "uncertainty: %s\n", wrong[i].uncertainty);
        fixture_resolve(&f, yaml, NULL);
        fixture_expect(&f, wrong[i].path, wrong[i].part);
        fixture_fini(&f);
    }
}

static void rules_that_are_not_served_together_are_named(void **state)
{
    struct fixture f;
    (void)state;

    fixture_resolve(
        &f,
        CATALOG "periods:\n  - {id: a, hours: 24, start: '2026-01-01T00:00:00Z'}\n"
                "budgets: [{id: cash, basis: CASH, windows: [{amount: 9 USD}]}]\n"
                "volume_prices: [{id: v, steps: [{from: 1 USD, factor: 0.9}]}]\n"
                "current: {instances: []}\n"
                "workloads:\n  - {id: web, penalty: 1 USD, ramp: {id: r, maximum_starts: 1}, "
                "throughput: {rate: 1, performance: [{per_instance: 1}], box: {rise: 1, periods: "
                "1}}}\n" SCENARIOS("0.5", "0.5", ""),
        NULL);
    fixture_expect(&f, "model.current", "not served together with uncertainty");
    fixture_expect(&f, "model.workloads[0].ramp", "not served together with uncertainty");
    fixture_expect(&f, "model.workloads[0].throughput.box", "except for must_serve");
    fixture_expect(&f, "model.volume_prices[0]", "not served together with uncertainty");
    fixture_expect(&f, "model.budgets[0].basis", "CASH is not served together with uncertainty");
    fixture_fini(&f);
}

/* 76 hours in two scenarios are 152 columns: too many for the tail, not for the average. */
static void a_tail_is_refused_where_a_tree_is_too_small(void **state)
{
    static const char *const tails[] = {"", TAIL("0.5", "0.5")};
    (void)state;

    for (int i = 0; i < 2; i++) {
        struct fixture f;
        char yaml[8192], rates[2048] = "[";
        for (int h = 0; h < 76; h++)
            snprintf(rates + strlen(rates), sizeof(rates) - strlen(rates), "%d, ", h + 1);
        strcat(rates, "]");
        snprintf(yaml, sizeof(yaml),
                 CATALOG "load_levels: {hours: 76}\n" WEB("must_serve: true", "%s")
                     SCENARIOS("0.5", "0.5", "%s"),
                 rates, tails[i]);
        if (i == 0) {
            fixture_good(&f, yaml, NULL);
        } else {
            fixture_resolve(&f, yaml, NULL);
            fixture_expect(&f, "model.uncertainty.tail_weight", "this model has 152");
        }
        fixture_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commitments_are_bought_for_all_scenarios_at_once),
        cmocka_unit_test(the_tail_buys_more),
        cmocka_unit_test(penalties_are_part_of_the_tail),
        cmocka_unit_test(a_budget_holds_in_every_scenario),
        cmocka_unit_test(copies_are_whole_in_every_scenario),
        cmocka_unit_test(a_scenario_without_a_plan_leaves_none),
        cmocka_unit_test(evenness_is_over_the_scenarios),
        cmocka_unit_test(one_scenario_is_the_model),
        cmocka_unit_test(levels_are_those_of_the_model),
        cmocka_unit_test(the_verifier_adds_up_the_scenarios_itself),
        cmocka_unit_test(wrong_scenarios_are_told_with_their_fields),
        cmocka_unit_test(rules_that_are_not_served_together_are_named),
        cmocka_unit_test(a_tail_is_refused_where_a_tree_is_too_small)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

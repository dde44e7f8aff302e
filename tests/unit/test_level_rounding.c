/* Load levels merged into at most as many as the model asks for. One instance of m serves 1 and
 * costs 1 an hour. */
#include "../support/solved_fixture.h"

#define ONE_OFFERING                                                                     \
    "catalog: {offerings: [{provider: aws, type: m, purchase: on-demand, price: 1 USD, " \
    "resources: {vcpu: 1}}]}\n"
#define EXACT "options: {gap: 0}\n"
#define WORK(id, rate)                                            \
    "  - {id: " id ", must_serve: true, throughput: {rate: " rate \
    ", performance: [{per_instance: 1}]}}\n"
#define FOUR_HOURS "workloads:\n" WORK("web", "[100, 10, 110, 20]")

/* In order of demand 10, 20, 100, 110. One level costs 4 * 110 = 440; cut after 10: 10 + 3 * 110 =
 * 340, after 20: 2 * 20 + 2 * 110 = 260, after 100: 3 * 100 + 110 = 410. So {10, 20} become 20 and
 * {100, 110} become 110: 10 + 10 is added, at most 10 in an hour, to 240. */
static void hours_are_grouped_where_least_is_added(void **state)
{
    static const int32_t level_of_hour[] = {0, 1, 0, 1};
    struct fixture f;
    (void)state;

    fixture_good(&f, ONE_OFFERING "load_levels: {hours: 4, levels: 2}\n" FOUR_HOURS, NULL);
    assert_int_equal(f.problem->n_periods, 2);
    assert_memory_equal(f.resolved->level_of_hour, level_of_hour, sizeof(level_of_hour));
    assert_int_equal(f.problem->periods[0].hours, 2 * ISO_DECIMAL_ONE);
    assert_int_equal(f.problem->periods[1].hours, 2 * ISO_DECIMAL_ONE);
    assert_int_equal(f.problem->workloads[0].demand[0], 110 * ISO_DECIMAL_ONE);
    assert_int_equal(f.problem->workloads[0].demand[1], 20 * ISO_DECIMAL_ONE);
    assert_int_equal(f.resolved->n_roundings, 1);
    assert_string_equal(f.resolved->roundings[0].workload, "web");
    assert_true(f.resolved->roundings[0].demand == 240);
    assert_true(f.resolved->roundings[0].added == 20);
    assert_true(f.resolved->roundings[0].largest == 10);
    assert_true(fixture_warned(&f, "4 hours became 2 levels"));
    assert_true(fixture_warned(&f, "workload web: 8.33 % more"));
    fixture_fini(&f);
}

/* 240 instance hours are enough when nothing is rounded, 260 with two levels, 440 with one. */
static void the_cost_is_that_of_the_rounded_demand(void **state)
{
    (void)state;
    solved_costs(ONE_OFFERING EXACT "load_levels: {hours: 4, levels: 4}\n" FOUR_HOURS, 240);
    solved_costs(ONE_OFFERING EXACT "load_levels: {hours: 4, levels: 2}\n" FOUR_HOURS, 260);
    solved_costs(ONE_OFFERING EXACT "load_levels: {hours: 4, levels: 1}\n" FOUR_HOURS, 440);
}

static void enough_levels_merge_as_without_loss(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(&f,
                 ONE_OFFERING "load_levels: {hours: 4, levels: 3}\n"
                              "workloads:\n" WORK("web", "[5, 3, 5, 3]"),
                 NULL);
    assert_int_equal(f.problem->n_periods, 2);
    assert_true(f.resolved->roundings[0].added == 0);
    assert_false(fixture_warned(&f, "rounding demand up"));
    fixture_fini(&f);
}

/* One level asks of each workload its own most: 2 of web and 4 of api, though no hour asks both. */
static void a_level_asks_the_most_of_each_workload(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(&f,
                 ONE_OFFERING "load_levels: {hours: 2, levels: 1}\n"
                              "workloads:\n" WORK("web", "[1, 2]") WORK("api", "[4, 3]"),
                 NULL);
    assert_int_equal(f.problem->n_periods, 1);
    assert_int_equal(f.problem->workloads[0].demand[0], 2 * ISO_DECIMAL_ONE);
    assert_int_equal(f.problem->workloads[1].demand[0], 4 * ISO_DECIMAL_ONE);
    assert_true(f.resolved->roundings[0].added == 1);
    assert_true(f.resolved->roundings[1].added == 1);
    fixture_fini(&f);
}

/* Hours 2 and 3 lie in the window, hours 0 and 1 do not: two levels at least. */
static void hours_in_different_windows_never_share_a_level(void **state)
{
    struct fixture f;
    (void)state;

    fixture_resolve(&f,
                    ONE_OFFERING "load_levels: {hours: 4, levels: 1}\n" FOUR_HOURS
                                 "budgets: [{id: b, windows: [{from_hour: 2, amount: 999 USD}]}]\n",
                    NULL);
    fixture_expect(&f, "model.load_levels.levels", "at least 2 are needed");
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hours_are_grouped_where_least_is_added),
        cmocka_unit_test(the_cost_is_that_of_the_rounded_demand),
        cmocka_unit_test(enough_levels_merge_as_without_loss),
        cmocka_unit_test(a_level_asks_the_most_of_each_workload),
        cmocka_unit_test(hours_in_different_windows_never_share_a_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

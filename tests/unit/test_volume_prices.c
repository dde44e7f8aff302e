/* Prices that depend on volume. Expected costs are derived above each test; every option of web
 * serves 1 and periods have one hour unless said otherwise. */
#include "../support/solved_fixture.h"

#define OFFER(provider, price)                                                   \
    "    - {provider: " provider ", type: m, purchase: on-demand, price: " price \
    " USD, resources: {vcpu: 4, memory_gib: 8}}\n"
#define CATALOG "catalog:\n  offerings:\n" OFFER("aws", "1") OFFER("azure", "0.9")
#define HOUR "periods: [{id: hour, hours: 1}]\noptions: {gap: 0}\n"
#define WEB(rate)                                                           \
    "workloads: [{id: web, must_serve: true, throughput: {rate: " rate ", " \
    "performance: [{per_instance: 1}]}}]\n"
#define AWS "offerings: {include: [{provider: aws}]}"

/* Azure costs 0.9 each. Aws costs 1 up to 4 and half of it beyond: n cost 4 + 0.5 (n - 4), which is
 * below 0.9 n from n = 5 on (4.5 and 4.5). 10: 4 + 3 = 7 against 9; a mixture of m in azure costs
 * 0.9 m + 4 + 0.5 (6 - m), more. 4: 3.6 in azure. */
static void a_falling_price_is_taken_where_the_volume_pays_for_it(void **state)
{
    static const char falling[] = "volume_prices: [{id: v, " AWS ", steps: [{from: 4 USD, factor: "
                                  "0.5}]}]\n";
    char yaml[4096];
    (void)state;

    snprintf(yaml, sizeof(yaml), CATALOG HOUR WEB("10") "%s", falling);
    solved_costs(yaml, 7);
    snprintf(yaml, sizeof(yaml), CATALOG HOUR WEB("4") "%s", falling);
    solved_costs(yaml, 3.6);
}

/* Azure 0.9, and above 4.5 twice as much: 5 in azure are 4.5, the sixth 1.8. Aws at 1 takes the
 * rest: 4.5 + 5 = 9.5. */
static void a_rising_price_is_left_where_another_is_lower(void **state)
{
    (void)state;
    solved_costs(CATALOG HOUR WEB("10") "volume_prices: [{id: v, offerings: {include: [{provider: "
                                        "azure}]}, steps: [{from: 4.5 USD, factor: 2}]}]\n",
                 9.5);
}

/* The volume of both hours counts together: 6 + 6 = 12 in aws cost 4 + 0.5 * 8 = 8, and 10.8 in
 * azure. One hour by itself, 4 + 1 = 5, beats 5.4 too, but together both have more at half price.
 */
static void periods_count_together(void **state)
{
    (void)state;
    solved_costs(CATALOG "periods: [{id: a, hours: 1}, {id: b, hours: 1}]\n"
                         "options: {gap: 0}\n" WEB("6") "volume_prices: [{id: v, " AWS
                                                        ", steps: [{from: 4 USD, factor: 0.5}]}]\n",
                 8);
}

/* Three steps: 10 in aws cost 2 + 2 * 0.8 + 4 * 0.5 + 2 * 0.1 = 5.8. The lines: 10, and off it
 * 2 * 0.2, 4 * 0.5 and 2 * 0.9. */
static void each_step_has_a_line_of_the_bill(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(
        &f, CATALOG HOUR WEB("10") "volume_prices: [{id: v, " AWS
                                   ", steps: [{from: 2 USD, factor: 0.8}, {from: 4 USD, factor: "
                                   "0.5}, {from: 8 USD, factor: 0.1}]}]\n");
    (void)state;

    assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
    assert_int_equal(plan->n_lines, 4);
    assert_int_equal(plan->cost, D(5.8));
    assert_int_equal(plan->lines[1].kind, ISO_LINE_VOLUME);
    assert_int_equal(plan->lines[1].cost, D(-0.4));
    assert_int_equal(plan->lines[2].cost, D(-2));
    assert_int_equal(plan->lines[2].quantity, D(4));
    assert_int_equal(plan->lines[3].cost, D(-1.8));
    fixture_fini(&f);
}

/* 4 reserved at 0.3 an hour leave 6 to pay: 1.2 + (4 + 0.5 * 2) = 6.2. One more would cost 0.3 and
 * save 0.5; all ten at 0.3 cost 3. At most 4 may be bought. */
static void what_a_commitment_covers_is_no_volume(void **state)
{
    (void)state;
    solved_costs(
        "catalog:\n  offerings:\n" OFFER(
            "aws",
            "1") "  products: [{id: r, provider: aws, kind: unit, eligible: {include: [{provider: "
                 "aws}]}, "
                 "term_hours: 8760, hourly_fee: 0.3 USD, purchasable_maximum: 4}]\n"
                 "periods: [{id: hour, hours: 1}]\noptions: {gap: 0, horizon_repeats: true}\n" WEB(
                     "10") "volume_prices: [{id: v, steps: [{from: 4 USD, factor: 0.5}]}]\n",
        6.2);
}

/* The budget of 9 sees 10 before the price by volume, so one unit goes to azure: 9 * 1 are 4 + 2.5
 * = 6.5, and 0.9. */
static void budgets_see_prices_before_it(void **state)
{
    (void)state;
    solved_costs(CATALOG HOUR WEB("10") "budgets: [{id: b, provider: aws, windows: [{amount: 9 "
                                        "USD}]}]\n"
                                        "volume_prices: [{id: v, " AWS
                                        ", steps: [{from: 4 USD, factor: 0.5}]}]\n",
                 7.4);
}

/* Stopped after the root, which knows the price by its least factor only: 0.5 * 10 is all that is
 * proved of a plan whose bill is still by the steps. */
static void a_solve_that_is_stopped_has_a_plan_at_its_true_price(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(&f, CATALOG "periods: [{id: hour, hours: 1}]\n"
                                   "options: {gap: 0, work_limit: 1}\n" WEB(
                                       "10") "volume_prices: "
                                             "[{id: v, " AWS
                                             ", steps: [{from: 4 USD, factor: 0.5}]}]\n");
    (void)state;

    assert_int_equal(plan->stop, ISO_STOP_WORK);
    assert_true(plan->has_solution);
    assert_true(plan->cost >= D(7));
    assert_true(plan->tiers[0].bound <= 7);
    fixture_fini(&f);
}

static void the_verifier_sees_a_wrong_step(void **state)
{
    struct fixture f;
    struct iso_verdict verdict;
    ISO_AUTO(iso_plan)
    plan = solved_plan(&f, CATALOG HOUR WEB("10") "volume_prices: [{id: v, " AWS
                                                  ", steps: [{from: 4 USD, factor: 0.5}]}]\n");
    (void)state;

    assert_int_equal(plan->n_lines, 2);
    plan->lines[1].quantity += 1;
    assert_int_not_equal(iso_verify(f.problem, plan, &verdict, &f.error), ISO_OK);
    plan->lines[1].quantity -= 1;
    plan->lines[1].start = 1;
    assert_int_not_equal(iso_verify(f.problem, plan, &verdict, &f.error), ISO_OK);
    plan->lines[1].start = 0;
    plan->n_lines = 1; /* without the discount the plan costs 10 */
    plan->cost = D(10);
    assert_int_not_equal(iso_verify(f.problem, plan, &verdict, &f.error), ISO_OK);
    fixture_fini(&f);
}

static const struct fixture_refusal refused[] = {
    {"volume_prices: [{id: v}]\n", "model.volume_prices[0].steps", "1 to 16"},
    {"volume_prices: [{id: v, steps: [{from: 1 USD, factor: 0.9}, {from: 2 USD, factor: 0.95}]}]\n",
     "model.volume_prices[0].steps[1].factor", "all rise or all fall"},
    {"current: {instances: []}\nvolume_prices: [{id: v, steps: [{from: 1 USD, factor: 0.9}]}]\n",
     "model.volume_prices[0]", "current placement"},
    {"volume_prices: [{id: v, steps: [{from: 1 USD, factor: 1}]}]\n",
     "model.volume_prices[0].steps[0].factor", "all rise or all fall"},
    {"volume_prices: [{id: v, steps: [{from: 2 USD, factor: 0.9}, {from: 2 USD, factor: 0.8}]}]\n",
     "model.volume_prices[0].steps[1].from", "above that of the step before"},
    {"volume_prices: [{id: v, steps: [{from: 2 USD, factor: 0.9}]}, {id: w, " AWS
     ", steps: [{from: 2 USD, factor: 0.9}]}]\n",
     "model.volume_prices[1].offerings", "counts in v already"},
};

static void what_makes_no_sense_is_refused_by_its_path(void **state)
{
    (void)state;
    fixture_refuses(CATALOG HOUR WEB("1"), refused, ISO_ARRAY_LENGTH(refused));
}

/* 2 offerings in 76 periods are 152 columns. */
static void a_model_that_is_too_large_is_refused_with_the_limit(void **state)
{
    char yaml[16384], *end = yaml;
    struct fixture f;
    (void)state;

    end += sprintf(end, CATALOG "periods: [");
    for (int t = 0; t < 76; t++)
        end += sprintf(end, "{id: p%d, hours: 1}, ", t);
    sprintf(end, "]\n" WEB("1") "volume_prices: [{id: v, steps: [{from: 2 USD, factor: 0.9}]}]\n");
    fixture_resolve(&f, yaml, NULL);
    assert_null(f.resolved);
    fixture_expect(&f, "model.volume_prices[0]", "up to 150 columns");
    fixture_fini(&f);
}

static void a_rising_price_is_not_served_where_a_commitment_can_cover(void **state)
{
    struct fixture f;
    (void)state;

    fixture_resolve(
        &f,
        "catalog:\n  offerings:\n" OFFER(
            "aws", "1") "  products: [{id: r, provider: aws, kind: unit, eligible: {include: "
                        "[{provider: aws}]}, "
                        "term_hours: 8760, hourly_fee: 0.3 USD}]\n" HOUR WEB(
                            "1") "volume_prices: [{id: v, steps: [{from: 4 USD, factor: 1.5}]}]\n",
        NULL);
    assert_null(f.resolved);
    fixture_expect(&f, "model.volume_prices[0].offerings", "rising factors are not served");
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_falling_price_is_taken_where_the_volume_pays_for_it),
        cmocka_unit_test(a_rising_price_is_left_where_another_is_lower),
        cmocka_unit_test(periods_count_together),
        cmocka_unit_test(each_step_has_a_line_of_the_bill),
        cmocka_unit_test(what_a_commitment_covers_is_no_volume),
        cmocka_unit_test(budgets_see_prices_before_it),
        cmocka_unit_test(a_solve_that_is_stopped_has_a_plan_at_its_true_price),
        cmocka_unit_test(the_verifier_sees_a_wrong_step),
        cmocka_unit_test(what_makes_no_sense_is_refused_by_its_path),
        cmocka_unit_test(a_model_that_is_too_large_is_refused_with_the_limit),
        cmocka_unit_test(a_rising_price_is_not_served_where_a_commitment_can_cover),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Plans of nearly the same cost that do without something. Expected costs are derived above each
 * test; one period of one hour and 10 units of demand unless said otherwise, one instance serves 1.
 */
#include "../support/solved_fixture.h"

#define OFFER(type, price) \
    "    - {provider: aws, type: " type ", purchase: on-demand, price: " price " USD}\n"
#define FOUR \
    "catalog:\n  offerings:\n" OFFER("a", "1") OFFER("b", "1.02") OFFER("c", "1.04") OFFER("d", "2")
#define WANT(more) "options: {gap: 0, want: [alternatives]" more "}\n"
#define HOUR "periods: [{id: hour, hours: 1}]\n"
#define WEB(service)                                                              \
    "workloads:\n  - {id: web, " service ", throughput: {rate: 10, performance: " \
    "[{per_instance: 1}]}}\n"
#define AT_MOST_6_A "limits: [{id: few-a, maximum: 6, scope: {include: [{type: a}]}}]\n"

static void expect(const char *yaml, double cost, const double *alternatives, int32_t n)
{
    struct fixture f;
    ISO_AUTO(iso_plan) plan = solved_plan(&f, yaml);

    assert_true(fabs(iso_decimal_to_double(plan->cost) - cost) < 1e-9);
    assert_int_equal(plan->n_alternatives, n);
    for (int32_t i = 0; i < n; i++)
        if (fabs(iso_decimal_to_double(plan->alternatives[i]->cost) - alternatives[i]) > 1e-9)
            fail_msg("alternative %d costs %.9g, not %.9g", i,
                     iso_decimal_to_double(plan->alternatives[i]->cost), alternatives[i]);
    fixture_fini(&f);
}

/* 10 a cost 10. Without a: 10 b, 10.2. Without a and b: 10 c, 10.4. Without those d: 20, above the
 * 10.5 that 5 % allow. */
static void each_alternative_does_without_what_those_before_use(void **state)
{
    (void)state;
    expect(FOUR HOUR WANT("") WEB("must_serve: true"), 10, (const double[]){10.2, 10.4}, 2);
}

/* 6 a and 4 b: 10.08. Without b, 6 a and 4 c: 10.16. Next must lack one of {a, b} and one of {a,
 * c}: 10 b, 10.2 (without b and c it takes d: 14). Next one of {a, b}, one of {a, c} and b: 10
 * c, 10.4. After that only d is left for what neither b nor c may do, so three of the five wanted
 * are all. */
static void the_cheapest_choice_of_what_to_leave_out_comes_first(void **state)
{
    (void)state;
    expect(FOUR HOUR AT_MOST_6_A WANT(", maximum_alternatives: 5") WEB("must_serve: true"), 10.08,
           (const double[]){10.16, 10.2, 10.4}, 3);
    expect(FOUR HOUR AT_MOST_6_A WANT(", maximum_alternatives: 1") WEB("must_serve: true"), 10.08,
           (const double[]){10.16}, 1);
    expect(FOUR HOUR AT_MOST_6_A WANT(", alternative_tolerance: 0.01") WEB("must_serve: true"),
           10.08, (const double[]){10.16}, 1);
}

/* A year of one instance at 1, or at 0.5 under a commitment: 4380. Without buying: 8760, twice as
 * much, which a tolerance of 1 allows. Without the offering there is no plan. */
static void a_purchase_is_something_to_do_without(void **state)
{
    (void)state;
    expect(
        "catalog:\n  offerings:\n" OFFER(
            "a",
            "1") "  products: [{id: ri, provider: aws, kind: unit, eligible: {}, term_hours: 8760, "
                 "hourly_fee: 0.5 USD}]\n"
                 "periods: [{id: year, hours: 8760}]\n" WANT(
                     ", alternative_tolerance: 1") "workloads: [{id: web, must_serve: true, "
                                                   "throughput: {rate: 1, performance: "
                                                   "[{per_instance: 1}]}}]\n",
        4380, (const double[]){8760}, 1);
}

/* At most 6 of a and 6 of b: 6 + 4.08 = 10.08. Leaving out either leaves 4 of a priority unserved,
 * so nothing is an alternative, however dear it may be. */
static void an_alternative_serves_as_much(void **state)
{
    (void)state;
    expect("catalog:\n  offerings:\n" OFFER("a", "1") OFFER("b", "1.02") HOUR
           "limits:\n  - {id: few-a, maximum: 6, scope: {include: [{type: a}]}}\n"
           "  - {id: few-b, maximum: 6, scope: {include: [{type: b}]}}\n" WANT(
               ", alternative_tolerance: 1") WEB("priority: 1"),
           10.08, NULL, 0);
}

static void expect_refused(const struct fixture *f, const struct iso_plan *plan, const char *field)
{
    struct iso_verdict verdict;
    struct iso_error error = {0};

    assert_int_equal(iso_verify(f->problem, plan, &verdict, &error), ISO_E_INVALID);
    assert_string_equal(error.field, field);
}

static void a_corrupted_alternative_is_refused(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan) plan = solved_plan(&f, FOUR HOUR WANT("") WEB("must_serve: true"));
    struct iso_problem *problem = (struct iso_problem *)f.problem;
    struct iso_plan *first = plan->alternatives[0];
    (void)state;

    first->cost++;
    expect_refused(&f, plan, "alternatives[0].cost");
    first->cost--;
    first->uses[0].count--;
    expect_refused(&f, plan, "alternatives[0].uses");
    first->uses[0].count++;
    problem->options.alternative_tolerance = 0.03; /* the second is 4 % dearer */
    expect_refused(&f, plan, "alternatives[1].tiers");
    problem->options.alternative_tolerance = 0.05;
    problem->options.maximum_alternatives = 1;
    expect_refused(&f, plan, "alternatives");
    problem->options.maximum_alternatives = 3;
    plan->alternatives[0] = plan->alternatives[1]; /* the same twice */
    expect_refused(&f, plan, "alternatives[1]");
    plan->alternatives[0] = first;
    fixture_fini(&f);
}

/* A model of so many offerings, at 1, 1.01, 1.02 and so on, and of hours that ask for 1, 2, 3 and
 * so on, so that none is like another. */
static const char *model_of_size(int n_offerings, int n_hours)
{
    static char yaml[65536];
    const size_t size = sizeof(yaml);
    int n = snprintf(yaml, size, "catalog:\n  offerings:\n");

    for (int o = 0; o < n_offerings; o++)
        n += snprintf(yaml + n, size - (size_t)n,
                      "    - {provider: aws, type: t%d, purchase: on-demand, price: 1.%02d USD}\n",
                      o, o);
    n += snprintf(yaml + n, size - (size_t)n,
                  WANT("") "load_levels: {hours: %d}\nworkloads: [{id: web, must_serve: true, "
                           "throughput: {performance: [{per_instance: 1}], rate: [",
                  n_hours);
    for (int h = 1; h <= n_hours; h++)
        n += snprintf(yaml + n, size - (size_t)n, "%d, ", h);
    snprintf(yaml + n - 2, size - (size_t)n + 2, "]}}]\n");
    return yaml;
}

/* 10 offerings and 200 hours are 2000 columns, the most there may be. The hours ask for 200 * 201 /
 * 2 = 20100 units: by t0 for 20100, and without it and what comes after it for 1, 2, 3 % more. */
static void models_of_the_largest_size_have_alternatives(void **state)
{
    (void)state;
    expect(model_of_size(10, 200), 20100, (const double[]){20301, 20502, 20703}, 3);
}

/* One offering and 2001 hours are 2001. */
static void models_that_are_too_large_are_refused_with_the_limit(void **state)
{
    struct fixture f;
    (void)state;

    fixture_resolve(&f, model_of_size(1, 2001), NULL);
    fixture_expect(&f, "model.options.want[0]", "at most 2000");
    fixture_expect(&f, "model.options.want[0]", "this model has 2001");
    fixture_fini(&f);
}

static void wrong_options_are_told_with_their_field(void **state)
{
    struct fixture f;
    (void)state;

    fixture_resolve(&f,
                    FOUR HOUR WANT(", maximum_alternatives: 6, alternative_tolerance: 1.5")
                        WEB("must_serve: true"),
                    NULL);
    fixture_expect(&f, "model.options.maximum_alternatives", "6; it must be in [0, 5]");
    fixture_expect(&f, "model.options.alternative_tolerance", "1.5; it must be in [0, 1]");
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_alternative_does_without_what_those_before_use),
        cmocka_unit_test(the_cheapest_choice_of_what_to_leave_out_comes_first),
        cmocka_unit_test(a_purchase_is_something_to_do_without),
        cmocka_unit_test(an_alternative_serves_as_much),
        cmocka_unit_test(a_corrupted_alternative_is_refused),
        cmocka_unit_test(models_of_the_largest_size_have_alternatives),
        cmocka_unit_test(models_that_are_too_large_are_refused_with_the_limit),
        cmocka_unit_test(wrong_options_are_told_with_their_field)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

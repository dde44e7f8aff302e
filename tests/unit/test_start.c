/* Plans to start from. The first plan that a search tells shows where it began. */
#include "../support/solved_fixture.h"

#include "isocost/plan.h"

/* a: 1 USD an hour, serves 1. b: 1.50 USD, serves 2. The cheapest 10 units are 5 b: 7.50. */
#define MODEL                                                                               \
    "catalog: {offerings: [{provider: aws, type: a, purchase: on-demand, price: 1 USD, "    \
    "resources: {vcpu: 1}}, {provider: aws, type: b, purchase: on-demand, price: 1.5 USD, " \
    "resources: {vcpu: 2}}]}\n"                                                             \
    "periods: [{id: p, hours: 1}]\noptions: {gap: 0}\n"                                     \
    "workloads:\n  - {id: web, must_serve: true, throughput: {rate: 10, performance: "      \
    "[{per_vcpu: 1}]}}\n"
#define A "aws/*/*/a/linux/on-demand"
#define B "aws/*/*/b/linux/on-demand"

struct told {
    bool any;
    double first; /* cost of the first plan */
};

static void note_first(void *context, const struct iso_plan *plan)
{
    struct told *told = context;

    if (!told->any)
        told->first = iso_decimal_to_double(plan->cost);
    told->any = true;
}

/* What the first and the last plan of a model cost, by the plain tree. */
static void begins_and_ends(const char *yaml, double first, double last)
{
    struct told told = {0};
    const struct iso_control control = {
        .context = &told, .now = steady_seconds, .incumbent = note_first};
    ISO_AUTO(iso_plan) plan = NULL;
    struct fixture f;

    fixture_good(&f, yaml, NULL);
    struct iso_problem problem = *f.problem;
    problem.options.strategy = ISO_STRATEGY_PLAIN_MIP;
    assert_int_equal(iso_solve(&problem, &control, &plan, &f.error), ISO_OK);
    assert_true(told.any);
    if (fabs(told.first - first) > 1e-9)
        fail_msg("begins with %.9g, not %.9g", told.first, first);
    assert_true(fabs(iso_decimal_to_double(plan->cost) - last) < 1e-9);
    fixture_fini(&f);
}

/* Ten a cost 10, eight a and one b 9.50. */
static void the_search_begins_with_the_plan_that_it_is_given(void **state)
{
    (void)state;
    begins_and_ends(MODEL "start: {instances: [{workload: web, offering: " A ", count: 10}]}\n", 10,
                    7.5);
    begins_and_ends(MODEL "start: {instances: [{workload: web, offering: " A
                          ", period: p, count: 8}, {workload: web, offering: " B
                          ", period: p, periods: 1, count: 1}]}\n",
                    9.5, 7.5);
}

/* Four a leave 6 units, for which three b are the cheapest: 4 + 4.50. Twelve a are two too many. */
static void what_is_missing_is_added_and_what_is_too_much_goes(void **state)
{
    (void)state;
    begins_and_ends(MODEL "start: {instances: [{workload: web, offering: " A ", count: 4}]}\n", 8.5,
                    7.5);
    begins_and_ends(MODEL "start: {instances: [{workload: web, offering: " A ", count: 12}]}\n", 10,
                    7.5);
}

/* Two a and five b serve 95, but 60 of it by aws, 63 %. A sixth b mends that: 60 of 102. It is the
 * best, too: with one a ten b are wanted, without a fourteen; with three a nine. */
#define SHARED                                                                                   \
    "catalog: {offerings: [{provider: aws, type: a, purchase: on-demand, price: 2 USD, "         \
    "resources: {vcpu: 30}}, {provider: gcp, type: b, purchase: on-demand, price: 1 USD, "       \
    "resources: {vcpu: 7}}]}\n"                                                                  \
    "periods: [{id: p, hours: 1}]\noptions: {gap: 0}\n"                                          \
    "workloads:\n  - {id: web, must_serve: true, throughput: {rate: 95, performance: "           \
    "[{per_vcpu: 1}]}, shares: [{id: half, maximum: 0.6, offerings: {include: [{provider: [aws]" \
    "}]}}]}\n"

static void where_one_provider_has_too_large_a_share_others_get_more(void **state)
{
    (void)state;
    begins_and_ends(SHARED "start: {instances: [{workload: web, offering: " A
                           ", count: 2}, {workload: web, offering: gcp/*/*/b/linux/on-demand, "
                           "count: 5}]}\n",
                    10, 10);
}

/* Ten a run today; to start or to stop costs nothing, so 5 b are the cheapest, but the search
 * begins with what is there. */
static void the_search_begins_with_what_runs_today(void **state)
{
    (void)state;
    begins_and_ends(MODEL "current: {instances: [{workload: web, offering: " A ", count: 10}]}\n",
                    10, 7.5);
}

static void what_the_model_does_not_have_is_left_out_with_a_warning(void **state)
{
    static const char *const starts[] = {
        "start: {instances: [{workload: gone, offering: " A ", count: 10}]}\n",
        "start: {instances: [{workload: web, offering: aws/*/*/gone/linux/on-demand, count: "
        "10}]}\n",
        "start: {instances: [{workload: web, offering: " A ", period: gone, count: 10}]}\n",
        "start: {purchases: [{product: gone, quantity: 1}]}\n",
    };
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(starts); i++) {
        struct fixture f;
        char yaml[2048];
        snprintf(yaml, sizeof(yaml), "%s%s", MODEL, starts[i]);
        fixture_good(&f, yaml, NULL);
        assert_int_equal(f.resolved->n_warnings, 1);
        assert_non_null(strstr(f.resolved->warnings[0], "start:"));
        fixture_fini(&f);
        solved_costs(yaml, 7.5);
    }
}

static void numbers_that_cannot_be_are_refused_by_path(void **state)
{
    static const struct {
        const char *start, *path, *text;
    } cases[] = {
        {"{instances: [{workload: web, offering: " A ", count: 1.5}]}",
         "model.start.instances[0].count", "whole"},
        {"{instances: [{workload: web, offering: " A ", count: -1}]}",
         "model.start.instances[0].count", ""},
        {"{instances: [{workload: web, offering: " A ", count: 2e9}]}",
         "model.start.instances[0].count", "at most 1e+09"},
        {"{instances: [{workload: web, offering: " A ", periods: -1, count: 1}]}",
         "model.start.instances[0].periods", "negative"},
        {"{instances: [{workload: web, offering: nonsense, count: 1}]}",
         "model.start.instances[0].offering", "not an id"},
        {"{purchases: [{product: c, quantity: 0.5}]}", "model.start.purchases[0].quantity",
         "whole"},
    };
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct fixture f;
        char yaml[2048];
        snprintf(yaml, sizeof(yaml), "%sstart: %s\n", MODEL, cases[i].start);
        fixture_resolve(&f, yaml, NULL);
        fixture_expect(&f, cases[i].path, cases[i].text);
        fixture_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_search_begins_with_the_plan_that_it_is_given),
        cmocka_unit_test(what_is_missing_is_added_and_what_is_too_much_goes),
        cmocka_unit_test(where_one_provider_has_too_large_a_share_others_get_more),
        cmocka_unit_test(the_search_begins_with_what_runs_today),
        cmocka_unit_test(what_the_model_does_not_have_is_left_out_with_a_warning),
        cmocka_unit_test(numbers_that_cannot_be_are_refused_by_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

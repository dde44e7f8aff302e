/* Which options of a workload are dropped because another does all that they do for no more. */
#include "../support/resolve_fixture.h"

#include "../../solver/reduction.h"

#define OFFER(type, price, vcpu)                                               \
    "    - {provider: aws, type: " type ", purchase: on-demand, price: " price \
    " USD, resources: {vcpu: " vcpu "}}\n"
#define WEB                                                                                  \
    "periods: [{id: hour, hours: 24}]\nworkloads: [{id: web, must_serve: true, throughput: " \
    "{rate: 10, performance: [{per_instance: 1}]}}]\n"
#define PRODUCT(kind, rates)                              \
    "  products: [{id: saver, provider: aws, kind: " kind \
    ", eligible: {}, term_hours: 24, rates: "             \
    "[" rates "], hourly_fee: 0.6 USD}]\n"
#define RATE(type, rate) "{offerings: {include: [{type: " type "}]}, " rate "}"
#define LIMIT(cap) \
    "limits: [{id: cores, metric: vcpu, " cap ": 100, scope: {include: [{provider: aws}]}}]\n"

static const struct {
    const char *what, *yaml;
    bool kept; /* the second option, which is dearer */
} cases[] = {
    {"what serves as much for more",
     "catalog:\n  offerings:\n" OFFER("a", "1", "4") OFFER("b", "2", "4") WEB, false},
    /* What covers b, at 1.2 an hour, covers a at 1. */
    {"what uses more of a commitment by money",
     "catalog:\n  offerings:\n" OFFER("a", "1", "4") OFFER("b", "1.2", "4")
         PRODUCT("spend", "{offerings: {}, price_ratio: 0.7}") WEB,
     false},
    /* Paid, a costs less; covered, b uses a third of what a does. */
    {"what uses less of a commitment by units",
     "catalog:\n  offerings:\n" OFFER("a", "1", "4") OFFER("b", "1.2", "4")
         PRODUCT("unit", RATE("a", "units: 3") ", " RATE("b", "units: 1")) WEB,
     true},
    {"what takes more of a cap",
     "catalog:\n  offerings:\n" OFFER("a", "1", "4") OFFER("b", "2", "8") LIMIT("maximum") WEB,
     false},
    {"what takes less of a cap",
     "catalog:\n  offerings:\n" OFFER("a", "1", "8") OFFER("b", "2", "4") LIMIT("maximum") WEB,
     true},
    {"what counts for more in a minimum",
     "catalog:\n  offerings:\n" OFFER("a", "1", "4") OFFER("b", "2", "8") LIMIT("minimum") WEB,
     true},
};

static void options_go_where_another_serves_for_no_more_of_anything(void **state)
{
    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct iso_reduction reduction;
        struct iso_error error = {0};
        struct fixture f;
        fixture_good(&f, cases[i].yaml, NULL);
        assert_int_equal(iso_reduction_init(&reduction, f.problem, true, &error), ISO_OK);
        if (reduction.options[0][0] != 1 || reduction.options[0][1] != cases[i].kept)
            fail_msg("%s: %s", cases[i].what, cases[i].kept ? "dropped" : "kept");
        assert_int_equal(reduction.n_dominated, !cases[i].kept);
        iso_reduction_fini(&reduction);
        fixture_fini(&f);
    }
}

static void everything_stays_when_nothing_is_to_be_dropped(void **state)
{
    struct iso_reduction reduction;
    struct iso_error error = {0};
    struct fixture f;

    (void)state;
    fixture_good(&f, cases[0].yaml, NULL);
    assert_int_equal(iso_reduction_init(&reduction, f.problem, false, &error), ISO_OK);
    assert_int_equal(reduction.options[0][1], 1);
    assert_int_equal(reduction.n_dominated, 0);
    iso_reduction_fini(&reduction);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_go_where_another_serves_for_no_more_of_anything),
        cmocka_unit_test(everything_stays_when_nothing_is_to_be_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

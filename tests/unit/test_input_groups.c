/* Groups of inputs: what belongs to which, mixing, flat catalogs, and hints for names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "input_groups.h"
#include "isocost/proto/json.h"
#include "isocost/proto/money.h"
#include "nearest.h"

#define RATES ISOCOST__V1__INPUT_GROUP__INPUT_GROUP_RATES
#define LIST_PRICES ISOCOST__V1__INPUT_GROUP__INPUT_GROUP_LIST_PRICES
#define CATALOG ISOCOST__V1__INPUT_GROUP__INPUT_GROUP_CATALOG
#define DEMAND ISOCOST__V1__INPUT_GROUP__INPUT_GROUP_DEMAND
#define COMMITMENTS ISOCOST__V1__INPUT_GROUP__INPUT_GROUP_COMMITMENTS
#define RULES ISOCOST__V1__INPUT_GROUP__INPUT_GROUP_RULES

#define OFFERING(type, price) \
    "{provider: aws, type: " type ", purchase: on-demand, price: " price " USD}"
#define BASE                                                                             \
    "{catalog: {offerings: [" OFFERING("a", "1") ", " OFFERING(                          \
        "b", "2") "]},"                                                                  \
                  " periods: [{id: p, hours: 1}], workloads: [{id: w, must_serve: true," \
                  " throughput: {rate: 1, performance: [{per_instance: 1}]}}],"          \
                  " limits: [{id: l, maximum: 5}]"

static const Isocost__V1__Model *read(const char *yaml, struct iso_arena *arena)
{
    struct iso_violations violations = {.arena = arena};
    struct iso_error error = {0};
    ProtobufCMessage *message = NULL;

    if (iso_yaml_read(&isocost__v1__model__descriptor, yaml, strlen(yaml), arena, &violations,
                      &message, &error) != ISO_OK)
        fail_msg("%s: %s", yaml, error.text);
    return (const Isocost__V1__Model *)message;
}

static struct iso_inputs inputs(const char *yaml, struct iso_arena *arena)
{
    struct iso_inputs made = {.model = read(yaml, arena)};
    struct iso_flat_catalog *catalog;

    assert_int_equal(iso_catalog_flatten(made.model, NULL, arena, &catalog, NULL), ISO_OK);
    made.catalog = catalog;
    return made;
}

static const struct {
    const char *after;
    int group; /* 0: nothing differs */
} cases[] = {
    {BASE "}", 0},
    {BASE ", display_name: x, labels: {a: b}, options: {gap: 0.5, seed: 7}}", 0},
    {BASE ", currency: {base_currency: USD}}", 0},
    {BASE ", currency: {rates: [{pair: CNY/USD, rate: 0.14}]}}", RATES},
    {BASE ", volume_prices: [{id: v, steps: [{from: 5 USD, factor: 0.5}]}]}", LIST_PRICES},
    {BASE ", teams: [{id: t, overhead: {vcpu: 1}}]}", DEMAND},
    {BASE ", uncertainty: {scenarios: [{id: s, probability: 1, demand_factor: 2}]}}", DEMAND},
    {BASE ", budgets: [{id: b, windows: [{amount: 1 USD}]}]}", RULES},
    {BASE ", options: {horizon_repeats: true}}", RULES},
    {BASE ", current: {maximum_moves: 1}}", RULES},
    {"{catalog: {offerings: [" OFFERING("a", "1") ", " OFFERING(
         "b", "3") "]},"
                   " periods: [{id: p, hours: 1}], workloads: [{id: w, must_serve: true,"
                   " throughput: {rate: 1, performance: [{per_instance: 1}]}}], limits: [{id: l, "
                   "maximum: 5}]}",
     LIST_PRICES},
    {"{catalog: {offerings: [" OFFERING(
         "a", "1") "]},"
                   " periods: [{id: p, hours: 1}], workloads: [{id: w, must_serve: true,"
                   " throughput: {rate: 1, performance: [{per_instance: 1}]}}], limits: [{id: l, "
                   "maximum: 5}]}",
     CATALOG},
    {"{catalog: {offerings: [" OFFERING("a", "1") ", " OFFERING(
         "b", "2") "],"
                   " products: [{id: c, provider: aws, kind: unit, term_hours: 1, eligible: {}}]},"
                   " periods: [{id: p, hours: 1}], workloads: [{id: w, must_serve: true,"
                   " throughput: {rate: 1, performance: [{per_instance: 1}]}}], limits: [{id: l, "
                   "maximum: 5}]}",
     COMMITMENTS},
    {"{catalog: {offerings: [" OFFERING("a", "1") ", " OFFERING(
         "b", "2") "],"
                   " quotas: [{provider: aws, code: q, limit: 1}]},"
                   " periods: [{id: p, hours: 1}], workloads: [{id: w, must_serve: true,"
                   " throughput: {rate: 1, performance: [{per_instance: 1}]}}], limits: [{id: l, "
                   "maximum: 5}]}",
     RULES},
    {"{catalog: {offerings: [" OFFERING("a", "1") ", " OFFERING(
         "b",
         "2") "]},"
              " periods: [{id: p, hours: 1}], workloads: [{id: w, must_serve: true, headroom: 0.5,"
              " throughput: {rate: 1, performance: [{per_instance: 1}]}}], limits: [{id: l, "
              "maximum: "
              "5}]}",
     DEMAND},
    {"{catalog: {offerings: [" OFFERING("a", "1") ", " OFFERING(
         "b",
         "2") "]},"
              " periods: [{id: p, hours: 1}], workloads: [{id: w, must_serve: true, allowed: {},"
              " throughput: {rate: 1, performance: [{per_instance: 1}]}}], limits: [{id: l, "
              "maximum: "
              "5}]}",
     RULES},
};

static void each_input_belongs_to_one_group(void **state)
{
    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(16 << 20);
        struct iso_inputs before = inputs(BASE "}", arena), after = inputs(cases[i].after, arena);
        struct iso_differences found[ISO_N_INPUT_GROUPS];

        assert_int_equal(iso_input_groups_compare(&before, &after, arena, found, NULL), ISO_OK);
        for (int group = ISO_FIRST_INPUT_GROUP; group <= ISO_LAST_INPUT_GROUP; group++)
            if ((found[group].n > 0) != (group == cases[i].group))
                fail_msg("case %zu, group %d: %d differences, e.g. %s", i, group, found[group].n,
                         found[group].n_texts ? found[group].texts[0] : "none");
    }
}

static iso_decimal price_of(const Isocost__V1__Model *model, size_t i)
{
    iso_decimal price = 0;

    assert_int_equal(iso_money_to_decimal(model->catalog->offerings[i]->price, &price, NULL),
                     ISO_OK);
    return price / ISO_DECIMAL_ONE;
}

/* The first sells a and b, the second b (dearer) and c; it asks for more and allows more. */
static void models_are_mixed_group_by_group(void **state)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(16 << 20);
    struct iso_inputs before = inputs(BASE "}", arena);
    struct iso_inputs after = inputs(
        "{catalog: {offerings: [" OFFERING("b", "3") ", " OFFERING(
            "c",
            "4") "]},"
                 " periods: [{id: p, hours: 1}], workloads: [{id: w, must_serve: true, headroom: 1,"
                 " forbidden: {}, throughput: {rate: 7, performance: [{per_instance: 1}]}}],"
                 " limits: [{id: l, maximum: 9}], options: {gap: 0.25}}",
        arena);
    Isocost__V1__Model *mixed;

    (void)state;
    mixed = iso_input_groups_mix(&before, &after, RATES, arena);
    assert_int_equal(price_of(mixed, 1), 2);
    assert_true(mixed->options->gap == 0.25); /* how to search is the second's from the start */
    mixed = iso_input_groups_mix(&before, &after, LIST_PRICES, arena);
    assert_int_equal(mixed->catalog->n_offerings, 2);
    assert_string_equal(mixed->catalog->offerings[0]->type, "a");
    assert_int_equal(price_of(mixed, 0), 1);
    assert_int_equal(price_of(mixed, 1), 3);
    mixed = iso_input_groups_mix(&before, &after, CATALOG, arena);
    assert_string_equal(mixed->catalog->offerings[1]->type, "c");
    assert_true(mixed->workloads[0]->throughput->rate[0] == 1);
    mixed = iso_input_groups_mix(&before, &after, COMMITMENTS, arena);
    assert_true(mixed->workloads[0]->throughput->rate[0] == 7);
    assert_true(mixed->workloads[0]->headroom == 1);
    assert_null(mixed->workloads[0]->forbidden);
    assert_true(mixed->limits[0]->maximum == 5);
    mixed = iso_input_groups_mix(&before, &after, RULES, arena);
    assert_non_null(mixed->workloads[0]->forbidden);
    assert_true(mixed->limits[0]->maximum == 9);
}

static void a_flat_catalog_has_its_overlays_applied(void **state)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(16 << 20);
    struct iso_inputs flat = inputs(
        "{catalog: {offerings: [{provider: AWS, type: B, purchase: on-demand, price: 2 USD,"
        " period_prices: [{periods: [p], price: 4 USD}]}, " OFFERING(
            "a", "1") "],"
                      " overlays: [{offerings: {include: [{type: b}]}, price_factor: 0.5},"
                      " {offerings: {include: [{type: a}]}, status: sold-out, availability: 0.9}]},"
                      " periods: [{id: p, hours: 1}]}",
        arena);
    const struct iso_flat_catalog *catalog = flat.catalog;

    (void)state;
    assert_int_equal(catalog->n, 2);
    assert_int_equal(iso_flat_catalog_find(catalog, "aws/*/*/a/linux/on-demand"), 0);
    assert_int_equal(iso_flat_catalog_find(catalog, "aws/*/*/b/linux/on-demand"), 1);
    assert_int_equal(iso_flat_catalog_find(catalog, "aws/*/*/c/linux/on-demand"), -1);
    assert_int_equal(catalog->catalog->n_overlays, 0);
    assert_int_equal(catalog->catalog->offerings[0]->status,
                     ISOCOST__V1__OFFERING_STATUS__OFFERING_STATUS_SOLD_OUT);
    assert_true(catalog->catalog->offerings[0]->availability == 0.9);
    assert_int_equal(catalog->catalog->offerings[1]->price->units, 1);
    assert_int_equal(catalog->catalog->offerings[1]->period_prices[0]->price->units, 2);
}

static void the_nearest_names_are_told(void **state)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 20);
    const char *const names[] = {"total", "gpu-eu", "gpu-us", "spend"};

    (void)state;
    assert_string_equal(iso_nearest_names("gpu-ue", names, 4, sizeof(names[0]), arena),
                        "; nearest are gpu-us, gpu-eu and spend");
    assert_string_equal(iso_nearest_names("x", names, 1, sizeof(names[0]), arena),
                        "; there is total");
    assert_string_equal(iso_nearest_names("x", names, 0, sizeof(names[0]), arena),
                        "; there are none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_input_belongs_to_one_group),
        cmocka_unit_test(models_are_mixed_group_by_group),
        cmocka_unit_test(a_flat_catalog_has_its_overlays_applied),
        cmocka_unit_test(the_nearest_names_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

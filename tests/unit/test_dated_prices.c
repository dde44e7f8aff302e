/* Negotiated prices of a snapshot, and the days on which they hold. One instance serves all that is
 * asked, so a plan costs hours times its price. */
#include "../support/snapshot_fixture.h"
#include "../support/solved_fixture.h"

#include "catalog_flat.h"
#include "isocost/proto/day.h"

static int32_t day(const char *text)
{
    int32_t number = -1;

    assert_true(iso_day_read(text, &number));
    return number;
}

/* An offering at 1 USD with overlays, each as YAML. */
static struct iso_snapshot *priced(const char *const *overlays, size_t n)
{
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();

    snapshot_add(builder, "aws", "east", "a", 1, D(1));
    for (size_t i = 0; i < n; i++)
        snapshot_add_overlay(builder, overlays[i]);
    return snapshot_finish(builder);
}

#define ALL "{include: [{provider: aws}]}"
#define WEB                                                                              \
    "workloads: [{id: web, must_serve: true, throughput: {rate: 10, performance: [{per_" \
    "instance: 10}]}}]\n"
#define HUNDRED "periods: [{id: now, hours: 100}]\n"

/* 18 % off from July 2026 to June 2027, both included: 82 of 100. */
static const char *const contract[] = {
    "{offerings: " ALL
    ", price_factor: 0.82, valid_from: 2026-07-01, valid_until: 2027-06-30, note: contract 4711}"};

/* What the optimum costs, solved and verified. */
static void costs_on(const char *yaml, const struct iso_snapshot *snapshot, int32_t today,
                     double cost)
{
    struct fixture f;

    fixture_resolve_on(&f, yaml, snapshot, today);
    if (!f.resolved)
        fail_msg("%s: %s", f.error.field, f.error.text);
    ISO_AUTO(iso_plan) plan = solved_problem(&f);
    if (fabs(iso_decimal_to_double(plan->cost) - cost) > 1e-9)
        fail_msg("%s costs %.9g, not %.9g", yaml, iso_decimal_to_double(plan->cost), cost);
    fixture_fini(&f);
}

static void a_price_holds_from_its_first_day_to_its_last(void **state)
{
    static const struct {
        const char *catalog, *periods; /* of the model */
        const char *today;
        double cost;
    } cases[] = {
        {"", HUNDRED, "2026-06-30", 100},
        {"", HUNDRED, "2026-07-01", 82},
        {"", HUNDRED, "2027-06-30", 82},
        {"", HUNDRED, "2027-07-01", 100},
        /* The model's day counts, whatever today is. */
        {", price_date: 2026-06-30", HUNDRED, "2026-12-31", 100},
        {", price_date: 2026-07-01", HUNDRED, "2026-01-01", 82},
        /* So do its times, in UTC: 23:59:59 is of the day before. */
        {"", "periods: [{id: p, hours: 100, start: '2026-07-01T00:00:00Z'}]\n", "2026-01-01", 82},
        {"", "periods: [{id: p, hours: 100, start: '2026-06-30T23:59:59Z'}]\n", "2026-12-31", 100},
        {"", "periods: [{id: p, hours: 100, start: '2026-07-01T01:00:00+02:00'}]\n", "2026-12-31",
         100},
        {", price_date: 2026-06-30",
         "periods: [{id: p, hours: 100, start: '2026-07-01T00:00:00Z'}]\n", "2026-12-31", 100},
        {"", "load_levels: {hours: 100}\n", "2026-07-01", 82},
        {"", "load_levels: {hours: 100, start: '2026-08-01T00:00:00Z'}\n", "2026-01-01", 82},
    };
    ISO_AUTO(iso_snapshot) snapshot = priced(contract, 1);
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        char yaml[1024];
        snprintf(yaml, sizeof(yaml), "catalog: {selectors: [{}]%s}\n%s" WEB, cases[i].catalog,
                 cases[i].periods);
        costs_on(yaml, snapshot, day(cases[i].today), cases[i].cost);
    }
}

/* Days of 24 hours around the first: 24 + 2 * 24 * 0.82 = 63.36. Hours from 22:00 on: two before
 * midnight and three behind it: 2 + 3 * 0.82 = 4.46, so they are two levels. */
static void periods_and_levels_have_the_prices_of_their_own_days(void **state)
{
    static const char days[] = "catalog: {selectors: [{}]}\nperiods:\n"
                               "  - {id: d30, hours: 24, start: '2026-06-30T00:00:00Z'}\n"
                               "  - {id: d1, hours: 24, start: '2026-07-01T00:00:00Z'}\n"
                               "  - {id: d2, hours: 24, start: '2026-07-02T00:00:00Z'}\n" WEB;
    static const char hours[] = "catalog: {selectors: [{}]}\nload_levels: {hours: 5, start: "
                                "'2026-06-30T22:00:00Z'}\n" WEB;
    ISO_AUTO(iso_snapshot) snapshot = priced(contract, 1);
    struct fixture f;
    (void)state;

    costs_on(days, snapshot, 0, 63.36);
    costs_on(hours, snapshot, 0, 4.46);
    fixture_good(&f, hours, snapshot);
    assert_int_equal(f.problem->n_periods, 2);
    assert_string_equal(f.resolved->price_date, ""); /* each has its own */
    fixture_fini(&f);
    fixture_good(&f, days, snapshot);
    assert_int_equal(f.resolved->n_spans, 2);
    assert_string_equal(f.resolved->price_notes[0], "");
    assert_string_equal(f.resolved->price_notes[1], "contract 4711");
    assert_int_equal(f.resolved->span_of_period[0], 0);
    assert_int_equal(f.resolved->span_of_period[2], 1);
    fixture_fini(&f);
}

/* A week from Monday, 29 June: the plan says that July begins inside of it. */
static void a_price_that_changes_inside_of_a_period_is_told(void **state)
{
    ISO_AUTO(iso_snapshot) snapshot = priced(contract, 1);
    struct fixture f;
    (void)state;

    fixture_good(&f,
                 "catalog: {selectors: [{}]}\nperiods:\n"
                 "  - {id: w1, hours: 168, start: '2026-06-29T00:00:00Z'}\n"
                 "  - {id: w2, hours: 168, start: '2026-07-06T00:00:00Z'}\n" WEB,
                 snapshot);
    assert_true(fixture_warned(&f, "prices change on 2026-07-01, inside of period w1"));
    assert_false(fixture_warned(&f, "period w2"));
    fixture_fini(&f);
}

/* In order: 1 * 0.9 = 0.9, then the price 0.5, then * 0.8 = 0.4; the model's halves it: 0.2. What
 * was before the price is no part of it, and says nothing; the one in the middle has ended. */
static void overlays_apply_in_order_and_the_models_come_last(void **state)
{
    static const char *const overlays[] = {
        "{offerings: " ALL ", price_factor: 0.9, note: first}",
        "{offerings: {include: [{type: a}]}, price: 0.5 USD, note: price of a}",
        "{offerings: " ALL ", price_factor: 0.1, valid_until: 2025-12-31, note: ended}",
        "{offerings: {include: [{region: east}]}, price_factor: 0.8}",
        "{offerings: {include: [{provider: gcp}]}, price_factor: 0.1, note: of others}",
    };
    static const char yaml[] =
        "catalog: {selectors: [{}], overlays: [{price_factor: 0.5, note: what if}]}\n" HUNDRED WEB;
    ISO_AUTO(iso_snapshot) snapshot = priced(overlays, ISO_ARRAY_LENGTH(overlays));
    struct fixture f;
    (void)state;

    costs_on(yaml, snapshot, day("2026-07-01"), 20);
    fixture_resolve_on(&f, yaml, snapshot, day("2026-07-01"));
    assert_string_equal(f.resolved->price_notes[0],
                        "price of a; overlay 4 of the snapshot; what if");
    fixture_fini(&f);
}

/* The price of period `d1` is replaced too, and only from the day on: 2 * 24 at 1, of which the own
 * one of d0 at 3; then 24 * 0.5. */
static void period_prices_of_the_models_own_offerings_follow_the_days(void **state)
{
    static const char yaml[] =
        "catalog:\n  offerings:\n    - {provider: aws, region: east, type: b, purchase: on-demand, "
        "price: 1 USD, resources: {vcpu: 4}, period_prices: [{periods: [d0, d2], price: 3 USD}]}\n"
        "  overlays: [{price_factor: 0.5, valid_from: 2026-07-01}]\n"
        "periods:\n"
        "  - {id: d29, hours: 1, start: '2026-06-29T00:00:00Z'}\n"
        "  - {id: d0, hours: 1, start: '2026-06-30T00:00:00Z'}\n"
        "  - {id: d1, hours: 1, start: '2026-07-01T00:00:00Z'}\n"
        "  - {id: d2, hours: 1, start: '2026-07-02T00:00:00Z'}\n" WEB;
    (void)state;

    costs_on(yaml, NULL, 0, 1 + 3 + 0.5 + 1.5);
}

static void a_model_without_times_depends_on_the_day_only_where_prices_have_dates(void **state)
{
    static const char yaml[] = "catalog: {selectors: [{}]}\n" HUNDRED WEB;
    static const char fixed[] = "catalog: {selectors: [{}], price_date: 2026-07-01}\n" HUNDRED WEB;
    ISO_AUTO(iso_snapshot) dated = priced(contract, 1);
    ISO_AUTO(iso_snapshot) plain = priced(NULL, 0);
    const struct {
        const char *yaml;
        const struct iso_snapshot *snapshot;
        const char *price_date; /* on 1 July 2026 */
        bool depends;
    } cases[] = {{yaml, dated, "2026-07-01", true},
                 {yaml, plain, "", false},
                 {fixed, dated, "2026-07-01", false}};
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct fixture f, later;
        fixture_resolve_on(&f, cases[i].yaml, cases[i].snapshot, day("2026-07-01"));
        fixture_resolve_on(&later, cases[i].yaml, cases[i].snapshot, day("2026-07-02"));
        assert_string_equal(f.resolved->price_date, cases[i].price_date);
        assert_int_equal(f.resolved->depends_on_today, cases[i].depends);
        bool differs = strcmp(f.resolved->problem_digest, later.resolved->problem_digest) != 0;
        assert_int_equal(differs, cases[i].depends);
        fixture_fini(&f);
        fixture_fini(&later);
    }
}

static void what_dates_may_not_be_is_refused_with_its_place(void **state)
{
    static const struct fixture_refusal refusals[] = {
        {"overlays: [{price_factor: 0.5, valid_from: 2026-02-29}]}\n" HUNDRED WEB,
         "model.catalog.overlays[0].valid_from", "\"2026-02-29\" is no day; YYYY-MM-DD"},
        {"overlays: [{price_factor: 0.5, valid_until: tomorrow}]}\n" HUNDRED WEB,
         "model.catalog.overlays[0].valid_until", "is no day"},
        {"overlays: [{price_factor: 0.5, valid_from: 2026-07-01, valid_until: "
         "2026-06-30}]}\n" HUNDRED WEB,
         "model.catalog.overlays[0].valid_until", "2026-06-30 is before valid_from 2026-07-01"},
        {"overlays: [{status: sold-out, valid_from: 2026-07-01}]}\n" HUNDRED WEB,
         "model.catalog.overlays[0].valid_from", "changes the price only"},
        {"price_date: '1969-12-31'}\n" HUNDRED WEB, "model.catalog.price_date", "is no day"},
    };
    (void)state;

    fixture_refuses("catalog: {offerings: [{provider: aws, type: a, purchase: on-demand, price: 1 "
                    "USD}], ",
                    refusals, ISO_ARRAY_LENGTH(refusals));
}

/* A model with its catalog written out is the same model: 24 + 24 * 0.82. */
static void a_flat_catalog_has_the_prices_of_every_day(void **state)
{
    static const char yaml[] = "catalog: {selectors: [{}]}\nperiods:\n"
                               "  - {id: d30, hours: 24, start: '2026-06-30T00:00:00Z'}\n"
                               "  - {id: d1, hours: 24, start: '2026-07-01T00:00:00Z'}\n" WEB;
    ISO_AUTO(iso_snapshot) snapshot = priced(contract, 1);
    struct iso_flat_catalog *flat = NULL;
    struct fixture f;
    (void)state;

    fixture_good(&f, yaml, snapshot);
    assert_int_equal(iso_catalog_flatten(f.model, snapshot, f.arena, &flat, NULL), ISO_OK);
    const Isocost__V1__Offering *offering = flat->catalog->offerings[0];
    assert_int_equal(offering->price->units, 1);
    assert_int_equal(offering->n_period_prices, 1);
    assert_string_equal(offering->period_prices[0]->periods[0], "d1");
    assert_int_equal(offering->period_prices[0]->price->nanos, 820000000);
    f.model->catalog = flat->catalog;
    iso_model_check(f.model, "model", &f.violations);
    assert_int_equal(f.violations.n, 0);
    assert_int_equal(iso_resolve(f.model, NULL, 0, NULL, f.arena, &f.violations, &f.resolved, NULL),
                     ISO_OK);
    f.problem = &f.resolved->problem;
    ISO_AUTO(iso_plan) plan = solved_problem(&f);
    assert_int_equal(plan->cost, D(43.68));
    fixture_fini(&f);
}

static void failed_allocations_are_reported(void **state)
{
    static const char yaml[] = "catalog: {selectors: [{}]}\nperiods:\n"
                               "  - {id: d30, hours: 24, start: '2026-06-30T00:00:00Z'}\n"
                               "  - {id: d1, hours: 24, start: '2026-07-01T00:00:00Z'}\n" WEB;
    ISO_AUTO(iso_snapshot) snapshot = priced(contract, 1);
    (void)state;

    fixture_survives_failed_allocations(yaml, snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_price_holds_from_its_first_day_to_its_last),
        cmocka_unit_test(periods_and_levels_have_the_prices_of_their_own_days),
        cmocka_unit_test(a_price_that_changes_inside_of_a_period_is_told),
        cmocka_unit_test(overlays_apply_in_order_and_the_models_come_last),
        cmocka_unit_test(period_prices_of_the_models_own_offerings_follow_the_days),
        cmocka_unit_test(a_model_without_times_depends_on_the_day_only_where_prices_have_dates),
        cmocka_unit_test(what_dates_may_not_be_is_refused_with_its_place),
        cmocka_unit_test(a_flat_catalog_has_the_prices_of_every_day),
        cmocka_unit_test(failed_allocations_are_reported),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

/* Prices that are well formed and look wrong. Expected findings are worked out in the comments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "hygiene.h"
#include "region_alias.h"

#define ON_DEMAND ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND
#define SPOT ISOCOST__V1__PURCHASE__PURCHASE_SPOT
#define DAY_NS (INT64_C(86400) * 1000000000)

/* Findings as "code:place" with ' ' between; '!' before those that are quarantined. */
struct told {
    char text[1024];
};

static enum iso_status tell(void *context, const char *code, bool quarantined, const char *place,
                            const char *text, struct iso_error *reterr)
{
    struct told *told = context;
    size_t used = strlen(told->text);

    (void)reterr;
    assert_true(text[0] != '\0');
    snprintf(told->text + used, sizeof(told->text) - used, "%s%s%s:%s", used ? " " : "",
             quarantined ? "!" : "", code, place);
    return ISO_OK;
}

static void add(struct iso_snapshot_builder *builder, const char *region, const char *zone,
                int32_t purchase, double price, int64_t observed_ns)
{
    static char ids[64][64];
    static int n_ids;
    char *id = ids[n_ids++ % 64];
    struct iso_snapshot_offering row = {
        .id = id,
        .provider = "aws",
        .region = region,
        .zone = zone,
        .type = "m",
        .os = "linux",
        .tenancy = "shared",
        .purchase = purchase,
        .kind = ISOCOST__V1__OFFERING_KIND__OFFERING_KIND_VM,
        .status = ISOCOST__V1__OFFERING_STATUS__OFFERING_STATUS_AVAILABLE,
        .price_unit = ISOCOST__V1__PRICE_UNIT__PRICE_UNIT_HOUR,
        .currency = "USD",
        .lot = ISO_DECIMAL_ONE,
        .availability = ISO_DECIMAL_ONE,
        .observed_ns = observed_ns,
    };

    snprintf(id, 64, "%s/%s/%s", region, zone, purchase == SPOT ? "spot" : "on-demand");
    assert_int_equal(iso_decimal_from_double(price, &row.price, NULL), ISO_OK);
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        row.capacity[k] = ISO_UNKNOWN;
    assert_int_equal(iso_snapshot_add_offering(builder, &row, NULL), ISO_OK);
}

static void run(struct iso_snapshot_builder *builder,
                const Isocost__Internal__V1__HygieneSettings *settings, const char *expected)
{
    struct told told = {""};

    assert_int_equal(iso_hygiene_run(settings, builder, tell, &told, NULL), ISO_OK);
    assert_string_equal(told.text, expected);
}

static void spot_is_compared_with_its_zone_or_else_its_region(void **state)
{
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();

    /* Region r costs 1 on demand, its zone b 3. Spot: a at 1.5 is above the region's 1, b at 2 is
     * below its own 3, c at 1 equals the region's. Region s has no on-demand price. */
    (void)state;
    add(builder, "r", "*", ON_DEMAND, 1, 0);
    add(builder, "r", "b", ON_DEMAND, 3, 0);
    add(builder, "r", "a", SPOT, 1.5, 0);
    add(builder, "r", "b", SPOT, 2, 0);
    add(builder, "r", "c", SPOT, 1, 0);
    add(builder, "s", "a", SPOT, 9, 0);
    run(builder, NULL, "spot_above_on_demand:r/a/spot spot_equals_on_demand:r/c/spot");
    assert_int_equal(iso_snapshot_n_added(builder), 6);
}

static void prices_far_from_those_of_other_regions_are_told_or_left_out(void **state)
{
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();

    /* Regions' prices 1, 1, 1.2, 5, 0.01: the median is 1. 5 is 5 times it (spread, from 4 on),
     * 0.01 a hundredth (outlier, from 20 on), 1.2 neither. */
    (void)state;
    add(builder, "a", "*", ON_DEMAND, 1, 0);
    add(builder, "b", "*", ON_DEMAND, 1, 0);
    add(builder, "c", "*", ON_DEMAND, 1.2, 0);
    add(builder, "d", "*", ON_DEMAND, 5, 0);
    add(builder, "e", "*", ON_DEMAND, 0.01, 0);
    run(builder, NULL, "price_spread:d/*/on-demand !price_outlier:e/*/on-demand");
    assert_int_equal(iso_snapshot_n_added(builder), 4);
}

static void two_regions_tell_nothing_of_each_other(void **state)
{
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();

    (void)state;
    add(builder, "a", "*", ON_DEMAND, 1, 0);
    add(builder, "b", "*", ON_DEMAND, 1000, 0);
    run(builder, NULL, "");
}

static void old_observations_are_told(void **state)
{
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();

    /* The newest is of day 100: day 69 is 31 days behind it, day 70 exactly 30, none is unknown. */
    (void)state;
    add(builder, "a", "*", ON_DEMAND, 1, 100 * DAY_NS);
    add(builder, "b", "*", ON_DEMAND, 1, 69 * DAY_NS);
    add(builder, "c", "*", ON_DEMAND, 1, 70 * DAY_NS);
    add(builder, "d", "*", ON_DEMAND, 1, 0);
    run(builder, NULL, "stale_price:b/*/on-demand");
}

static void an_operator_can_decide_otherwise(void **state)
{
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();
    Isocost__Internal__V1__HygieneSettings settings = ISOCOST__INTERNAL__V1__HYGIENE_SETTINGS__INIT;
    Isocost__Internal__V1__HygieneSettings__DecisionsEntry
        entries[] = {ISOCOST__INTERNAL__V1__HYGIENE_SETTINGS__DECISIONS_ENTRY__INIT,
                     ISOCOST__INTERNAL__V1__HYGIENE_SETTINGS__DECISIONS_ENTRY__INIT,
                     ISOCOST__INTERNAL__V1__HYGIENE_SETTINGS__DECISIONS_ENTRY__INIT},
        *list[] = {&entries[0], &entries[1], &entries[2]};
    struct iso_violations violations = {0};

    (void)state;
    entries[0].key = (char *)"price_outlier";
    entries[0].value = (char *)"keep";
    entries[1].key = (char *)"spot_above_on_demand";
    entries[1].value = (char *)"quarantine";
    entries[2].key = (char *)"price_spread";
    entries[2].value = (char *)"ignore";
    settings.decisions = list;
    settings.n_decisions = 3;
    iso_hygiene_check_settings(&settings, &violations);
    assert_int_equal(violations.n, 0);
    /* The median of 1, 1, 1, 5, 50 is 1. */
    add(builder, "a", "*", ON_DEMAND, 1, 0);
    add(builder, "b", "*", ON_DEMAND, 1, 0);
    add(builder, "c", "*", ON_DEMAND, 5, 0);
    add(builder, "d", "*", ON_DEMAND, 50, 0);
    add(builder, "e", "*", ON_DEMAND, 1, 0);
    add(builder, "a", "z", SPOT, 2, 0);
    run(builder, &settings, "!spot_above_on_demand:a/z/spot price_outlier:d/*/on-demand");
    assert_int_equal(iso_snapshot_n_added(builder), 5);
}

static void settings_that_mean_nothing_are_refused_by_name(void **state)
{
    static const struct {
        const char *code, *word;
        double factor;
        const char *field;
    } cases[] = {
        {"zero_price", "keep", 4, "hygiene.decisions.zero_price"},
        {"price_outlier", "repair", 4, "hygiene.decisions.price_outlier"},
        {"price_outlier", "drop", 4, "hygiene.decisions.price_outlier"},
        {"price_outlier", "keep", 0.5, "hygiene.spread_factor"},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 16);
        Isocost__Internal__V1__HygieneSettings settings =
            ISOCOST__INTERNAL__V1__HYGIENE_SETTINGS__INIT;
        Isocost__Internal__V1__HygieneSettings__DecisionsEntry
            entry = ISOCOST__INTERNAL__V1__HYGIENE_SETTINGS__DECISIONS_ENTRY__INIT,
            *list[] = {&entry};
        struct iso_violations violations = {.arena = arena};

        entry.key = (char *)cases[i].code;
        entry.value = (char *)cases[i].word;
        settings.decisions = list;
        settings.n_decisions = 1;
        settings.spread_factor = cases[i].factor;
        iso_hygiene_check_settings(&settings, &violations);
        assert_int_equal(violations.n, 1);
        assert_string_equal(violations.items[0].field, cases[i].field);
    }
}

static void prices_that_went_through_a_float32_are_known_and_mended(void **state)
{
    /* 0.1 in float32 is 0.100000001490116..., 0.3 is 0.300000011920929, 1.2 is 1.2000000476837158
     * (IEEE 754), each rounded to billionths. 0.5 and 0.125 are exact in float32; 0.096 is not what
     * its float32 gives; 0.123456789 is nobody's float32. */
    static const struct {
        iso_decimal price, meant; /* 0: left alone */
    } cases[] = {
        {100000001, 100000000}, {300000012, 300000000}, {1200000048, 1200000000}, {500000000, 0},
        {125000000, 0},         {96000000, 0},          {123456789, 0},           {0, 0},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        iso_decimal meant = 0;
        bool is_one = iso_hygiene_float32(cases[i].price, &meant);
        assert_int_equal(is_one, cases[i].meant != 0);
        if (is_one)
            assert_int_equal(meant, cases[i].meant);
    }
}

static void a_source_is_mended_when_most_of_its_prices_are_float32(void **state)
{
    ISO_AUTO(iso_snapshot_builder) floats = iso_snapshot_builder_new();
    ISO_AUTO(iso_snapshot_builder) mixed = iso_snapshot_builder_new();
    struct iso_snapshot_offering row;

    /* On demand two of three prices are 0.1 and 0.3 in float32; spot has one of two, by chance. */
    (void)state;
    add(floats, "a", "*", ON_DEMAND, 0.100000001, 0);
    add(floats, "b", "*", ON_DEMAND, 0.300000012, 0);
    add(floats, "c", "*", ON_DEMAND, 0.25, 0);
    run(floats, NULL, "float32_price:a/*/on-demand float32_price:b/*/on-demand");
    iso_snapshot_added(floats, 1, &row);
    assert_int_equal(row.price, 300000000);
    add(mixed, "a", "x", SPOT, 0.100000001, 0);
    add(mixed, "b", "x", SPOT, 0.25, 0);
    run(mixed, NULL, "");
}

static void fees_of_a_term_are_not_taken_for_fees_of_an_hour(void **state)
{
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();
    Isocost__V1__CommitmentProduct product = ISOCOST__V1__COMMITMENT_PRODUCT__INIT;
    Isocost__V1__Selector selector = ISOCOST__V1__SELECTOR__INIT;
    Isocost__V1__SelectorTerm term = ISOCOST__V1__SELECTOR_TERM__INIT, *terms[] = {&term};
    Google__Type__Money fee = GOOGLE__TYPE__MONEY__INIT;
    char *types[] = {(char *)"m"};

    /* Azure's 3478 "for 1 Hour" of what costs 0.65 an hour is 3478 / 8760 = 0.397 for a year. */
    (void)state;
    add(builder, "r", "*", ON_DEMAND, 0.65, 0);
    term.type = types;
    term.n_type = 1;
    selector.include = terms;
    selector.n_include = 1;
    fee.currency_code = (char *)"USD";
    fee.units = 3478;
    product.provider = (char *)"aws";
    product.kind = ISOCOST__V1__COMMITMENT_KIND__COMMITMENT_KIND_UNIT;
    product.eligible = &selector;
    product.hourly_fee = &fee;
    product.term_hours = 8760;
    product.id = (char *)"total";
    assert_int_equal(iso_snapshot_add_product(builder, &product, NULL), ISO_OK);
    fee.units = 0;
    fee.nanos = 397000000;
    product.id = (char *)"hourly";
    assert_int_equal(iso_snapshot_add_product(builder, &product, NULL), ISO_OK);
    run(builder, NULL, "!term_total_as_hourly:total");
    assert_int_equal(iso_snapshot_n_added_products(builder), 1);
}

static void regions_have_one_id_however_they_are_spelt(void **state)
{
    static const struct {
        const char *provider, *name, *region;
    } cases[] = {
        {"aws", "us-east-1", "us-east-1"},         {"aws", "US East (N. Virginia)", "us-east-1"},
        {"aws", "EU (Frankfurt)", "eu-central-1"}, {"azure", "West US 3", "westus3"},
        {"azure", "US West 3", "westus3"},         {"azure", "WestUS3", "westus3"},
        {"azure", "CentralUS", "centralus"},       {"alibaba", "华北2（北京）", "cn-beijing"},
        {"alibaba", "华北2(北京)", "cn-beijing"},  {"alibaba", "China (Hangzhou)", "cn-hangzhou"},
        {"huawei", "华北-北京四", "cn-north-4"},   {"huawei", "CN North-Beijing4", "cn-north-4"},
        {"gcp", "us-central1", "us-central1"},     {"static", "Somewhere Else", "somewhere else"},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        char buffer[ISO_REGION_BUFFER_SIZE];
        assert_string_equal(iso_region_fold(cases[i].provider, cases[i].name, buffer),
                            cases[i].region);
    }
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    for (long nth = 0; nth < 20; nth++) {
        ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();
        struct told told = {""};
        add(builder, "a", "*", ON_DEMAND, 1, 0);
        iso_alloc_fail_at(nth);
        enum iso_status status = iso_hygiene_run(NULL, builder, tell, &told, NULL);
        iso_alloc_fail_at(-1);
        assert_true(status == ISO_OK || status == ISO_E_NOMEM);
        assert_int_equal(iso_snapshot_n_added(builder), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spot_is_compared_with_its_zone_or_else_its_region),
        cmocka_unit_test(prices_far_from_those_of_other_regions_are_told_or_left_out),
        cmocka_unit_test(two_regions_tell_nothing_of_each_other),
        cmocka_unit_test(old_observations_are_told),
        cmocka_unit_test(an_operator_can_decide_otherwise),
        cmocka_unit_test(settings_that_mean_nothing_are_refused_by_name),
        cmocka_unit_test(prices_that_went_through_a_float32_are_known_and_mended),
        cmocka_unit_test(a_source_is_mended_when_most_of_its_prices_are_float32),
        cmocka_unit_test(fees_of_a_term_are_not_taken_for_fees_of_an_hour),
        cmocka_unit_test(regions_have_one_id_however_they_are_spelt),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

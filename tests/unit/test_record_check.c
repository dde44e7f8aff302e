/* Records of plugins, judged. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "record_check.h"

#define SECOND INT64_C(1000000000)
#define FROM (1000 * SECOND)
#define TO (2000 * SECOND)

static struct iso_arena *arena;

static int make_arena(void **state)
{
    (void)state;
    arena = iso_arena_new((size_t)1 << 20);
    return arena ? 0 : -1;
}

static int free_arena(void **state)
{
    (void)state;
    iso_arena_free(arena);
    return 0;
}

static Google__Protobuf__Timestamp start_time, end_time;
static Google__Type__Money billed, effective;

static Google__Type__Money money_of(const char *currency, int64_t units, int32_t nanos)
{
    Google__Type__Money money = GOOGLE__TYPE__MONEY__INIT;

    money.currency_code = (char *)currency;
    money.units = units;
    money.nanos = nanos;
    return money;
}

static Isocost__V1__CostRecord good_cost(void)
{
    Isocost__V1__CostRecord cost = ISOCOST__V1__COST_RECORD__INIT;

    google__protobuf__timestamp__init(&start_time);
    google__protobuf__timestamp__init(&end_time);
    start_time.seconds = 1000;
    end_time.seconds = 1001;
    billed = money_of("CNY", -1, -500000000);
    effective = money_of("CNY", 2, 0);
    cost.provider = (char *)"阿里云";
    cost.region = (char *)"CN-Hangzhou";
    cost.service = (char *)"ECS";
    cost.category = ISOCOST__V1__COST_CATEGORY__COST_CATEGORY_USAGE;
    cost.start = &start_time;
    cost.end = &end_time;
    cost.billed = &billed;
    cost.effective = &effective;
    return cost;
}

static void a_good_cost_becomes_a_row_with_names_folded(void **state)
{
    Isocost__V1__CostRecord cost = good_cost();
    struct iso_row_fault fault;
    struct iso_record_row row;

    (void)state;
    assert_true(iso_record_check_cost(&cost, FROM, TO, arena, &row, &fault));
    assert_string_equal(row.provider, "alibaba");
    assert_string_equal(row.region, "cn-hangzhou");
    assert_string_equal(row.currency, "CNY");
    assert_int_equal(row.billed.value, -1500000000);
    assert_int_equal(row.effective.value, 2000000000);
    assert_false(row.list.present);
    assert_int_equal(row.start_ns, FROM);
    Isocost__V1__CostRecord *packed =
        isocost__v1__cost_record__unpack(NULL, row.message.n_bytes, row.message.bytes);
    assert_non_null(packed);
    assert_string_equal(packed->provider, "alibaba"); /* what is kept has the one name too */
    isocost__v1__cost_record__free_unpacked(packed, NULL);
}

static void no_provider(Isocost__V1__CostRecord *cost)
{
    cost->provider = (char *)"";
}
static void strange_provider(Isocost__V1__CostRecord *cost)
{
    cost->provider = (char *)"a/b?";
}
static void no_category(Isocost__V1__CostRecord *cost)
{
    cost->category = ISOCOST__V1__COST_CATEGORY__COST_CATEGORY_UNSPECIFIED;
}
static void no_start(Isocost__V1__CostRecord *cost)
{
    cost->start = NULL;
}
static void too_early(Isocost__V1__CostRecord *cost)
{
    cost->start->seconds = 999;
}
static void too_late(Isocost__V1__CostRecord *cost)
{
    cost->start->seconds = 2000;
    cost->end->seconds = 2001;
}
static void no_end(Isocost__V1__CostRecord *cost)
{
    cost->end = NULL;
}
static void no_length(Isocost__V1__CostRecord *cost)
{
    cost->end->seconds = 1000;
}
static void no_cost(Isocost__V1__CostRecord *cost)
{
    cost->billed = cost->effective = NULL;
}
static void strange_currency(Isocost__V1__CostRecord *cost)
{
    cost->billed->currency_code = (char *)"CRD";
}
static void two_currencies(Isocost__V1__CostRecord *cost)
{
    cost->effective->currency_code = (char *)"USD";
}
static void signs_that_differ(Isocost__V1__CostRecord *cost)
{
    cost->billed->nanos = 5;
}
static void too_much(Isocost__V1__CostRecord *cost)
{
    cost->billed->units = -10000000000;
}
static void no_quantity(Isocost__V1__CostRecord *cost)
{
    cost->quantity = NAN;
}
static void long_text(Isocost__V1__CostRecord *cost)
{
    static char text[5000];

    memset(text, 'x', sizeof(text) - 1);
    cost->sku = text;
}

static void a_cost_that_cannot_be_is_left_out_with_its_reason(void **state)
{
    static const struct {
        void (*spoil)(Isocost__V1__CostRecord *cost);
        const char *code;
    } cases[] = {
        {no_provider, "missing_provider"},
        {strange_provider, "unknown_provider"},
        {no_category, "missing_category"},
        {no_start, "missing_time"},
        {too_early, "outside_range"},
        {too_late, "outside_range"},
        {no_end, "invalid_period"},
        {no_length, "invalid_period"},
        {no_cost, "missing_cost"},
        {strange_currency, "unknown_currency"},
        {two_currencies, "mixed_currencies"},
        {signs_that_differ, "invalid_cost"},
        {too_much, "invalid_cost"},
        {no_quantity, "non_finite_value"},
        {long_text, "too_long"},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        Isocost__V1__CostRecord cost = good_cost();
        struct iso_row_fault fault = {0};
        struct iso_record_row row;
        cases[i].spoil(&cost);
        assert_false(iso_record_check_cost(&cost, FROM, TO, arena, &row, &fault));
        assert_string_equal(fault.code, cases[i].code);
        assert_true(fault.text[0]);
    }
}

static void samples_are_of_known_metrics_in_their_range(void **state)
{
    static const struct {
        const char *metric, *resource;
        double seconds, value;
        const char *code; /* NULL: good */
    } cases[] = {
        {"cpu_ratio", "i-1", 300, 0.5, NULL},
        {"cpu_ratio", "i-1", 300, 1, NULL},
        {"gpu_ratio", "i-1", 300, 1.5, "ratio_out_of_range"},
        {"cpu_ratio", "i-1", 300, -0.1, "ratio_out_of_range"},
        {"memory_bytes", "i-1", 300, 8e9, NULL},
        {"requests_per_second", "lb", 60, 120, NULL},
        {"consumed:gb-month", "logs", 3600, 0.001, NULL},
        {"consumed:", "logs", 3600, 1, "unknown_metric"},
        {"cpu", "i-1", 300, 50, "unknown_metric"},
        {"", "i-1", 300, 50, "unknown_metric"},
        {"cpu_ratio", "", 300, 0.5, "missing_field"},
        {"cpu_ratio", "i-1", 0, 0.5, "invalid_period"},
        {"cpu_ratio", "i-1", NAN, 0.5, "invalid_period"},
        {"cpu_ratio", "i-1", 1e9, 0.5, "invalid_period"},
        {"memory_bytes", "i-1", 300, INFINITY, "non_finite_value"},
        {"memory_bytes", "i-1", 300, NAN, "non_finite_value"},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        Isocost__V1__UsageSample sample = ISOCOST__V1__USAGE_SAMPLE__INIT;
        struct iso_row_fault fault = {0};
        struct iso_record_row row;
        google__protobuf__timestamp__init(&start_time);
        start_time.seconds = 1500;
        sample.provider = (char *)"AWS";
        sample.resource = (char *)cases[i].resource;
        sample.metric = (char *)cases[i].metric;
        sample.start = &start_time;
        sample.duration_seconds = cases[i].seconds;
        sample.value = cases[i].value;
        bool good = iso_record_check_usage(&sample, FROM, TO, arena, &row, &fault);
        assert_int_equal(good, cases[i].code == NULL);
        if (!good)
            assert_string_equal(fault.code, cases[i].code);
        else
            assert_string_equal(row.metric, cases[i].metric);
    }
}

static void what_runs_has_a_type_and_is_one_by_default(void **state)
{
    Isocost__V1__RunningResource running = ISOCOST__V1__RUNNING_RESOURCE__INIT;
    struct iso_row_fault fault = {0};
    struct iso_record_row row;

    (void)state;
    running.provider = (char *)"HUAWEI CLOUD";
    running.resource = (char *)"ecs-1";
    assert_false(iso_record_check_running(&running, arena, &row, &fault));
    assert_string_equal(fault.code, "missing_field");
    running.type = (char *)"s6.large.2";
    assert_true(iso_record_check_running(&running, arena, &row, &fault));
    assert_string_equal(row.provider, "huawei");
    assert_true(running.count == 1);
    assert_string_equal(running.os, "linux");
    running.count = -1;
    assert_false(iso_record_check_running(&running, arena, &row, &fault));
    assert_string_equal(fault.code, "invalid_value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_cost_becomes_a_row_with_names_folded),
        cmocka_unit_test(a_cost_that_cannot_be_is_left_out_with_its_reason),
        cmocka_unit_test(samples_are_of_known_metrics_in_their_range),
        cmocka_unit_test(what_runs_has_a_type_and_is_one_by_default),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}

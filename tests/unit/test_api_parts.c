/* Parts of the API that need neither store nor network: ids, filters, line tables, cutting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "api_internal.h"
#include "line_reader.h"

static struct iso_arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = iso_arena_new((size_t)64 << 20);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    iso_arena_free(arena);
    return 0;
}

/* --- ids --- */

static void ids_are_ulids_that_sort_by_time(void **state)
{
    char first[ISO_ULID_SIZE], second[ISO_ULID_SIZE];
    struct iso_error error = {0};

    (void)state;
    iso_ulid_new(first);
    iso_ulid_new(second);
    assert_int_equal(strlen(first), 26);
    assert_int_equal(iso_ulid_check(first, "id", &error), ISO_OK);
    assert_string_not_equal(first, second);
    assert_true(strncmp(first, second, 10) <= 0); /* 10 digits of time */
    /* Example of the ULID specification: 01ARZ3NDEK are the digits of 1469922850259 ms, which is
     * 2016-07-30; anything made today is later. */
    assert_true(strncmp(first, "01ARZ3NDEK", 10) > 0);
}

static void other_texts_are_no_ids(void **state)
{
    static const char *const wrong[] = {"",
                                        "x",
                                        "01ARZ3NDEKTSV4RRFFQ69G5FA",
                                        "01ARZ3NDEKTSV4RRFFQ69G5FAVX",
                                        "01arz3ndektsv4rrffq69g5fav",
                                        "01ARZ3NDEKTSV4RRFFQ69G5FAI",
                                        "../../etc/passwd/././././."};

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(wrong); i++) {
        struct iso_error error = {0};

        assert_int_equal(iso_ulid_check(wrong[i], "id", &error), ISO_E_INVALID);
        assert_string_equal(error.field, "id");
    }
}

/* --- filters --- */

static enum iso_status parse(const char *text, struct iso_line_filter *filter)
{
    struct iso_error error = {0};
    enum iso_status status = iso_line_filter_parse(text, arena, filter, &error);

    if (status != ISO_OK)
        assert_string_equal(error.field, "filter");
    return status;
}

static void filter_terms_are_read(void **state)
{
    struct iso_line_filter filter;

    (void)state;
    assert_int_equal(parse("", &filter), ISO_OK);
    assert_null(filter.workload);
    assert_int_equal(parse("  workload=w1 AND team=t=x AND kind=MOVE ", &filter), ISO_OK);
    assert_string_equal(filter.workload, "w1");
    assert_string_equal(filter.team, "t=x");
    assert_int_equal(filter.kind, ISOCOST__V1__LINE_KIND__LINE_KIND_MOVE);
    assert_int_equal(parse("kind=LINE_KIND_EGRESS", &filter), ISO_OK);
    assert_int_equal(filter.kind, ISOCOST__V1__LINE_KIND__LINE_KIND_EGRESS);
}

static void wrong_filters_are_refused(void **state)
{
    static const char *const wrong[] = {"workload", "=x",           "workload=",
                                        "size=1",   "kind=",        "kind=BIG",
                                        "AND",      "team=a AND b", "kind=UNSPECIFIED"};
    struct iso_line_filter filter;

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(wrong); i++)
        assert_int_equal(parse(wrong[i], &filter), ISO_E_INVALID);
}

static Isocost__V1__PlanLine line(const char *workload, const char *offering, const char *product)
{
    Isocost__V1__PlanLine made = ISOCOST__V1__PLAN_LINE__INIT;

    made.kind = ISOCOST__V1__LINE_KIND__LINE_KIND_INSTANCE;
    made.period = (char *)(uintptr_t) "p";
    made.last_period = (char *)(uintptr_t) "q";
    made.place = 7;
    made.periods = 2;
    made.workload = (char *)(uintptr_t)workload;
    made.offering = (char *)(uintptr_t)offering;
    made.product = (char *)(uintptr_t)product;
    made.quantity = 2;
    return made;
}

static void provider_is_the_first_part_of_an_offering_or_product(void **state)
{
    Isocost__V1__PlanLine vm = line("w", "aws/eu/a/m6i/linux/on-demand", "");
    Isocost__V1__PlanLine fee = line("", "", "aws/savings-plan");
    Isocost__V1__PlanLine move = line("w", "", "");
    struct iso_line_filter filter;

    (void)state;
    assert_int_equal(parse("provider=aws", &filter), ISO_OK);
    assert_true(iso_line_filter_matches(&filter, &vm));
    assert_true(iso_line_filter_matches(&filter, &fee));
    assert_false(iso_line_filter_matches(&filter, &move));
    assert_int_equal(parse("provider=aw", &filter), ISO_OK);
    assert_false(iso_line_filter_matches(&filter, &vm));
    assert_int_equal(parse("workload=w AND period=p AND kind=INSTANCE", &filter), ISO_OK);
    assert_true(iso_line_filter_matches(&filter, &vm));
    assert_false(iso_line_filter_matches(&filter, &fee));
}

/* --- line tables --- */

static void table_holds_each_string_once_and_every_number(void **state)
{
    Isocost__V1__PlanLine lines[3] = {line("a", "x", ""), line("b", "x", ""), line("a", "y", "")};
    Isocost__V1__PlanLine *pointers[] = {&lines[0], &lines[1], &lines[2]};
    Google__Type__Money price = GOOGLE__TYPE__MONEY__INIT;
    Isocost__V1__Coverage coverage = ISOCOST__V1__COVERAGE__INIT,
                          *coverages[] = {&coverage, &coverage};
    char usd[] = "USD";
    Isocost__V1__LineTable *table;

    (void)state;
    price.currency_code = usd;
    price.units = 1;
    price.nanos = 250000000;
    coverage.instances = 0.5;
    lines[1].unit_price = lines[1].cost = &price;
    lines[1].coverage = coverages;
    lines[1].n_coverage = 2;
    table = iso_line_table(pointers, 3, arena);
    assert_non_null(table);
    assert_int_equal(table->n_strings, 8); /* p, q, a, "", x, b, USD, y */
    assert_string_equal(table->strings[table->last_period_index[0]], "q");
    assert_int_equal(table->place[1], 7);
    assert_int_equal(table->periods[1], 2);
    assert_int_equal(table->n_kind, 3);
    assert_int_equal(table->n_covered, 3);
    assert_string_equal(table->strings[table->workload_index[1]], "b");
    assert_int_equal(table->workload_index[0], table->workload_index[2]);
    assert_string_equal(table->strings[table->offering_index[2]], "y");
    assert_string_equal(table->strings[table->currency_index[1]], "USD");
    assert_string_equal(table->strings[table->currency_index[0]], "");
    assert_float_equal(table->unit_price[1], 1.25, 0);
    assert_float_equal(table->cost[1], 1.25, 0);
    assert_float_equal(table->covered[1], 1, 0);
    assert_float_equal(table->quantity[2], 2, 0);
    assert_non_null(iso_line_table(NULL, 0, arena));
}

/* Places 2 to 4: `c` is the last of them, `d` is after it. */
static void a_line_is_of_each_of_its_periods(void **state)
{
    static const struct {
        const char *period;
        int32_t place;
        bool matches;
    } rows[] = {{"a", 2, true},  {"b", 3, true},  {"c", 4, true},
                {"d", 5, false}, {"z", 1, false}, {"none", -1, false}};
    Isocost__V1__PlanLine run = line("w", "aws/x", "");

    (void)state;
    run.period = (char *)(uintptr_t) "a";
    run.place = 2;
    run.periods = 3;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(rows); i++) {
        struct iso_line_filter filter = {.period = rows[i].period, .place = rows[i].place};
        assert_int_equal(iso_line_filter_matches(&filter, &run), rows[i].matches);
    }
}

static void table_says_when_memory_is_short(void **state)
{
    Isocost__V1__PlanLine one = line("a", "x", ""), *pointer = &one;
    ISO_AUTO(iso_arena) tiny = iso_arena_new(64);

    (void)state;
    assert_null(iso_line_table(&pointer, 1, tiny));
}

/* --- cutting --- */

static void plan_keeps_at_most_1_mib_of_lines(void **state)
{
    enum { N_LINES = 40000 };
    Isocost__V1__PlanLine one = line("a-workload-with-a-name", "aws/eu/a/m6i/linux/on-demand", "");
    Isocost__V1__PlanLine **pointers = iso_arena_calloc(arena, N_LINES, sizeof(*pointers));
    Isocost__V1__Plan plan = ISOCOST__V1__PLAN__INIT;

    (void)state;
    for (int i = 0; i < N_LINES; i++)
        pointers[i] = &one;
    plan.lines = pointers;
    plan.n_lines = 10;
    iso_plan_cut(&plan);
    assert_int_equal(plan.n_lines, 10);
    plan.n_lines = N_LINES;
    plan.line_count = N_LINES;
    iso_plan_cut(&plan);
    assert_in_range(isocost__v1__plan__get_packed_size(&plan), 1000000, 1 << 20);
    assert_int_equal(plan.line_count, N_LINES);
}

/* --- packed lines --- */

static struct iso_bytes packed_lines(size_t n)
{
    Isocost__V1__Plan plan = ISOCOST__V1__PLAN__INIT;

    plan.n_lines = n;
    plan.lines = iso_arena_calloc(arena, n, sizeof(*plan.lines));
    for (size_t i = 0; i < n; i++) {
        plan.lines[i] = iso_arena_calloc(arena, 1, sizeof(*plan.lines[i]));
        isocost__v1__plan_line__init(plan.lines[i]);
        plan.lines[i]->offering = iso_arena_printf(arena, "%zu", i);
    }
    return iso_message_pack(&plan.base, arena);
}

static void lines_are_read_one_after_the_other(void **state)
{
    struct iso_line_reader reader = iso_line_reader(packed_lines(300));
    struct iso_bytes line;
    size_t n = 0;

    (void)state;
    for (; iso_line_reader_next(&reader, &line); n++)
        if (n % 100 == 7)
            assert_int_equal(atoi(iso_line_unpack(line, arena)->offering), (int)n);
    assert_int_equal(n, 300);
    assert_false(reader.damaged);
    struct iso_line_reader none = iso_line_reader(packed_lines(0));
    assert_false(iso_line_reader_next(&none, &line));
    assert_false(none.damaged);
}

static void lines_that_end_early_or_are_none_are_damaged(void **state)
{
    struct iso_bytes good = packed_lines(3), line;

    (void)state;
    for (size_t n_bytes = 1; n_bytes < good.n_bytes; n_bytes++) {
        struct iso_line_reader reader =
            iso_line_reader((struct iso_bytes){.bytes = good.bytes, .n_bytes = n_bytes});
        size_t n = 0;
        while (iso_line_reader_next(&reader, &line))
            n++;
        /* Lines of one length: cut between two of them, it is a shorter list. */
        assert_int_equal(reader.damaged, n_bytes % (good.n_bytes / 3) != 0);
        assert_int_equal(n, n_bytes / (good.n_bytes / 3));
    }
    unsigned char *wrong = iso_arena_calloc(arena, 1, good.n_bytes);
    memcpy(wrong, good.bytes, good.n_bytes);
    wrong[0] ^= 0x08; /* another field */
    struct iso_line_reader reader =
        iso_line_reader((struct iso_bytes){.bytes = wrong, .n_bytes = good.n_bytes});
    assert_false(iso_line_reader_next(&reader, &line));
    assert_true(reader.damaged);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(ids_are_ulids_that_sort_by_time),
        TEST(other_texts_are_no_ids),
        TEST(filter_terms_are_read),
        TEST(wrong_filters_are_refused),
        TEST(provider_is_the_first_part_of_an_offering_or_product),
        TEST(table_holds_each_string_once_and_every_number),
        TEST(a_line_is_of_each_of_its_periods),
        TEST(table_says_when_memory_is_short),
        TEST(plan_keeps_at_most_1_mib_of_lines),
        TEST(lines_are_read_one_after_the_other),
        TEST(lines_that_end_early_or_are_none_are_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

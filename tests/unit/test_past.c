/* What a process keeps of earlier solves: how much, whose, and that it is what was kept. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../solver/past_entries.h"
#include "../../solver/tree_once.h"
#include "../support/steady_clock.h"
#include "isocost/past.h"

/* --- entries --- */

static struct iso_past_key key_of(const struct iso_past *past, int number)
{
    struct iso_past_key key;
    struct iso_sha256 sha;

    iso_past_key_begin(past, "number", &sha);
    iso_sha256_update(&sha, &number, sizeof(number));
    iso_past_key_end(&sha, &key);
    return key;
}

/* Keeps `n` bytes that begin with the number. */
static void keep(struct iso_past *past, int number, size_t n)
{
    struct iso_past_key key = key_of(past, number);
    ISO_AUTO_MEM unsigned char *bytes = iso_calloc(n, 1);

    memcpy(bytes, &number, sizeof(number));
    iso_past_keep(past, &key, bytes, n);
}

static bool is_kept(struct iso_past *past, int number)
{
    struct iso_past_key key = key_of(past, number);
    size_t n_bytes;
    const void *bytes = iso_past_find(past, &key, &n_bytes);

    if (bytes)
        assert_memory_equal(bytes, &number, sizeof(number));
    return bytes;
}

static void an_entry_is_found_as_it_was_kept_last(void **state)
{
    ISO_AUTO(iso_past) past = iso_past_new(1 << 20);
    struct iso_past_key key = key_of(past, 1);
    size_t n_bytes;
    (void)state;

    assert_false(is_kept(past, 1));
    iso_past_keep(past, &key, "first", 6);
    iso_past_keep(past, &key, "second", 7);
    assert_string_equal(iso_past_find(past, &key, &n_bytes), "second");
    assert_int_equal(n_bytes, 7);
    assert_int_equal(iso_past_count(past).n_entries, 1);
}

static void what_was_not_asked_for_the_longest_goes_first(void **state)
{
    ISO_AUTO(iso_past) past = iso_past_new(4000); /* three of 1,000 bytes and their keys */
    (void)state;

    for (int number = 1; number <= 3; number++)
        keep(past, number, 1000);
    assert_true(is_kept(past, 1));
    keep(past, 4, 1000);
    assert_true(is_kept(past, 1));
    assert_false(is_kept(past, 2));
    assert_true(is_kept(past, 3));
    assert_true(is_kept(past, 4));
    assert_int_equal(iso_past_count(past).n_dropped, 1);
}

static void no_more_is_held_than_was_said(void **state)
{
    ISO_AUTO(iso_past) past = iso_past_new(50000);
    (void)state;

    for (int number = 0; number < 5000; number++) {
        keep(past, number, 8 + (size_t)(number * 37 % 900));
        assert_true(iso_past_count(past).n_bytes <= 50000);
        assert_true(is_kept(past, number));
    }
    assert_true(iso_past_count(past).n_bytes > 40000);
}

static void what_is_larger_than_everything_is_not_kept_and_drives_nothing_out(void **state)
{
    ISO_AUTO(iso_past) past = iso_past_new(2000);
    (void)state;

    keep(past, 1, 1000);
    keep(past, 2, 2000);
    assert_false(is_kept(past, 2));
    assert_true(is_kept(past, 1));
}

static void thousands_of_entries_are_found_each(void **state)
{
    ISO_AUTO(iso_past) past = iso_past_new(1 << 22);
    (void)state;

    for (int number = 0; number < 5000; number++)
        keep(past, number, 8);
    for (int number = 0; number < 5000; number++)
        assert_true(is_kept(past, number));
    assert_int_equal(iso_past_count(past).n_entries, 5000);
}

static void nothing_of_one_owner_is_found_for_another(void **state)
{
    ISO_AUTO(iso_past) past = iso_past_new(1 << 20);
    (void)state;

    iso_past_enter(past, "acme/web");
    keep(past, 1, 100);
    iso_past_enter(past, "acme/batch");
    assert_false(is_kept(past, 1));
    iso_past_enter(past, "acme/web");
    assert_true(is_kept(past, 1));
}

static void a_past_without_memory_keeps_nothing_more(void **state)
{
    ISO_AUTO(iso_past) past = iso_past_new(1 << 20);
    struct iso_past_key key = key_of(past, 1);
    (void)state;

    iso_alloc_fail_at(0);
    iso_past_keep(past, &key, "text", 5);
    iso_alloc_fail_at(-1);
    assert_int_equal(iso_past_count(past).n_entries, 0);
    iso_alloc_fail_at(0);
    assert_null(iso_past_new(100));
    iso_alloc_fail_at(1);
    assert_null(iso_past_new(100));
    iso_alloc_fail_at(-1);
}

/* --- trees --- */

/* minimise 3 x + cost y  subject to  2 x + 3 y >= demand, whole. */
static struct iso_mip cover(double cost, double demand)
{
    struct iso_mip mip = {0};
    const struct iso_mip_row row = {.kind = ISO_ROW_DEMAND, .lower = demand, .upper = INFINITY};
    const struct iso_mip_column column = {
        .kind = ISO_COLUMN_USE, .upper = INFINITY, .integer = true};

    assert_int_equal(iso_mip_add_row(&mip, &row), 0);
    assert_int_equal(iso_mip_add_column(&mip, &column), 0);
    assert_true(iso_mip_add_entry(&mip, 0, 2));
    assert_int_equal(iso_mip_add_column(&mip, &column), 1);
    assert_true(iso_mip_add_entry(&mip, 0, 3));
    mip.objective[0] = 3;
    mip.objective[1] = cost;
    return mip;
}

static const struct iso_mip_limits exact = {.seconds = 10, .nodes = 100};

/* Solves and frees the program; whether the past knew. */
static bool solve(struct iso_past *past, struct iso_mip mip, const struct iso_mip_limits *limits,
                  double value, double *ret_x)
{
    static const struct iso_control control = {.now = steady_seconds};
    struct iso_mip_result result;
    struct iso_error error = {0};
    bool known;

    assert_int_equal(
        iso_mip_solve_once(past, &mip, limits, &control, &result, ret_x, &known, &error), ISO_OK);
    assert_true(result.has_x);
    assert_float_equal(result.value, value, 1e-9);
    iso_mip_fini(&mip);
    return known;
}

static void a_tree_is_searched_once(void **state)
{
    ISO_AUTO(iso_past) past = iso_past_new(1 << 20);
    double x[2], again[2] = {-1, -1};
    (void)state;

    /* by hand: 2 x + 3 y >= 7: (2, 1) costs 10; (0, 3) and (4, 0) cost 12, (1, 2) costs 11 */
    assert_false(solve(past, cover(4, 7), &exact, 10, x));
    assert_true(solve(past, cover(4, 7), &exact, 10, again));
    assert_float_equal(again[0], 2, 1e-9);
    assert_float_equal(again[1], 1, 1e-9);
    assert_memory_equal(x, again, sizeof(x));
}

static void what_any_number_of_a_tree_changes_is_another_tree(void **state)
{
    ISO_AUTO(iso_past) past = iso_past_new(1 << 20);
    struct iso_mip_limits shorter = exact;
    struct iso_mip bounded = cover(4, 7), whole = cover(4, 7);
    double x[2];
    (void)state;

    shorter.nodes = 50;
    bounded.columns[0].upper = 1;     /* (1, 2) */
    whole.columns[0].integer = false; /* x = 2, y = 1 all the same */
    assert_false(solve(past, cover(4, 7), &exact, 10, x));
    assert_false(solve(past, cover(4, 6), &exact, 8, x));  /* (0, 2) */
    assert_false(solve(past, cover(5, 7), &exact, 11, x)); /* (2, 1) */
    assert_false(solve(past, cover(4, 7), &shorter, 10, x));
    assert_false(solve(past, bounded, &exact, 11, x));
    assert_false(solve(past, whole, &exact, 9.5, x)); /* y = 2, x = 1/2 */
    assert_true(solve(past, cover(4, 7), &exact, 10, x));
}

static enum iso_stop stop_at_once(void *context)
{
    (void)context;
    return ISO_STOP_CANCEL;
}

static void what_a_stop_cut_short_is_not_kept(void **state)
{
    static const struct iso_control control = {.now = steady_seconds, .stop = stop_at_once};
    ISO_AUTO(iso_past) past = iso_past_new(1 << 20);
    struct iso_mip mip = cover(4, 7);
    struct iso_mip_result result;
    struct iso_error error = {0};
    double x[2];
    bool known;
    (void)state;

    assert_int_equal(iso_mip_solve_once(past, &mip, &exact, &control, &result, x, &known, &error),
                     ISO_OK);
    assert_false(iso_mip_find_once(past, &mip, &exact, &result, x));
    iso_mip_fini(&mip);
}

static void without_a_past_every_tree_is_searched(void **state)
{
    double x[2];
    (void)state;

    assert_false(solve(NULL, cover(4, 7), &exact, 10, x));
    assert_false(solve(NULL, cover(4, 7), &exact, 10, x));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_found_as_it_was_kept_last),
        cmocka_unit_test(what_was_not_asked_for_the_longest_goes_first),
        cmocka_unit_test(no_more_is_held_than_was_said),
        cmocka_unit_test(what_is_larger_than_everything_is_not_kept_and_drives_nothing_out),
        cmocka_unit_test(thousands_of_entries_are_found_each),
        cmocka_unit_test(nothing_of_one_owner_is_found_for_another),
        cmocka_unit_test(a_past_without_memory_keeps_nothing_more),
        cmocka_unit_test(a_tree_is_searched_once),
        cmocka_unit_test(what_any_number_of_a_tree_changes_is_another_tree),
        cmocka_unit_test(what_a_stop_cut_short_is_not_kept),
        cmocka_unit_test(without_a_past_every_tree_is_searched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

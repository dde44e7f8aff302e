/* The arena, the list of violations, and money. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "isocost/proto/arena.h"
#include "isocost/proto/money.h"
#include "isocost/proto/violations.h"

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);

    for (size_t size = 1; size < 3000; size += 7) {
        unsigned char *bytes = iso_arena_calloc(arena, 1, size);
        assert_non_null(bytes);
        assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(bytes[i], 0);
        memset(bytes, 0xA5, size);
    }
}

static void the_ceiling_stops_for_good(void **state)
{
    (void)state;
    ISO_AUTO(iso_arena) arena = iso_arena_new(1000);

    assert_non_null(iso_arena_calloc(arena, 100, 5));
    assert_false(iso_arena_full(arena));
    assert_in_range(iso_arena_used(arena), 500, 520);
    assert_null(iso_arena_calloc(arena, 1, 600));
    assert_true(iso_arena_full(arena));
    assert_null(iso_arena_calloc(arena, 1, 1));
    assert_int_equal(iso_arena_left(arena), 0);
}

static void a_product_that_overflows_is_refused(void **state)
{
    (void)state;
    ISO_AUTO(iso_arena) arena = iso_arena_new(SIZE_MAX);

    assert_null(iso_arena_calloc(arena, SIZE_MAX / 2, 3));
    assert_true(iso_arena_full(arena));
}

static void an_allocation_larger_than_a_block_works(void **state)
{
    (void)state;
    ISO_AUTO(iso_arena) arena = iso_arena_new(64u << 20);
    char *large = iso_arena_calloc(arena, 1, 10u << 20);

    assert_non_null(large);
    memset(large, 1, 10u << 20);
    assert_string_equal(iso_arena_printf(arena, "%s-%d", "shop", 7), "shop-7");
    assert_string_equal(iso_arena_strdup(arena, "web"), "web");
    assert_null(iso_arena_strdup(arena, NULL));
    assert_false(iso_arena_full(arena));
}

static void a_large_arena_hands_out_zeroed_memory_up_to_its_ceiling(void **state)
{
    (void)state;
    ISO_AUTO(iso_arena) arena = iso_arena_new((size_t)48 << 20);
    size_t n = 0;

    for (unsigned char *bytes; (bytes = iso_arena_calloc(arena, 1, 4096)); n++) {
        assert_int_equal(bytes[0] | bytes[4095], 0);
        memset(bytes, 0xA5, 4096);
    }
    assert_int_equal(n, (48 << 20) / 4096);
}

static void what_is_held_stays_until_the_last_hold_ends(void **state)
{
    (void)state;
    struct iso_arena *arena = iso_arena_new(1u << 16);
    struct iso_arena *held = iso_arena_hold(arena);
    const char *text = iso_arena_strdup(arena, "web");

    assert_ptr_equal(held, arena);
    iso_arena_free(arena);
    assert_string_equal(text, "web");
    iso_arena_free(held); /* sanitizers would tell a leak */
}

static void a_failed_allocation_fills_the_arena(void **state)
{
    (void)state;
    iso_alloc_fail_at(0);
    assert_null(iso_arena_new(1000));

    ISO_AUTO(iso_arena) arena = iso_arena_new(1000);
    iso_alloc_fail_at(0);
    assert_null(iso_arena_calloc(arena, 1, 1));
    assert_true(iso_arena_full(arena));
    iso_alloc_fail_at(-1);
}

static void violations_are_kept_up_to_the_limit_and_counted_beyond(void **state)
{
    (void)state;
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
    struct iso_violations violations = {.arena = arena};
    struct iso_error error = {0};

    assert_int_equal(iso_violations_status(&violations, &error), ISO_OK);
    iso_violations_add(&violations, "a.b", "%d is wrong", 7);
    assert_int_equal(iso_violations_status(&violations, &error), ISO_E_INVALID);
    assert_string_equal(error.field, "a.b");
    assert_string_equal(error.text, "7 is wrong");

    for (int i = 0; i < ISO_VIOLATIONS_MAX + 4; i++)
        iso_violations_add(&violations, "c", "wrong");
    assert_int_equal(violations.n, ISO_VIOLATIONS_MAX);
    assert_int_equal(violations.n_dropped, 5);
    error = (struct iso_error){0};
    assert_int_equal(iso_violations_status(&violations, &error), ISO_E_INVALID);
    assert_string_equal(error.text, "7 is wrong, and 104 more");
}

static void a_violation_survives_a_full_arena(void **state)
{
    (void)state;
    ISO_AUTO(iso_arena) arena = iso_arena_new(0);
    struct iso_violations violations = {.arena = arena};
    struct iso_error error = {0};

    iso_violations_add(&violations, "a.b", "is wrong");
    assert_int_equal(violations.n, 1);
    assert_int_equal(iso_violations_status(&violations, &error), ISO_E_INVALID);
}

struct money_row {
    const char *code;
    int64_t units;
    int32_t nanos;
    iso_decimal amount; /* in 1e-9 */
    const char *wrong_field;
};

static void money_becomes_a_decimal_or_names_the_wrong_member(void **state)
{
    (void)state;
    static const struct money_row rows[] = {
        {"USD", 12, 500000000, 12500000000, NULL},
        {"CNY", -1, -1, -1000000001, NULL},
        {"EUR", 0, -999999999, -999999999, NULL},
        {"EUR", 9223372036, 854775807, INT64_MAX, NULL},
        {"EUR", 9223372036, 854775808, 0, "units"},
        {"EUR", INT64_MIN, 0, 0, "units"},
        {"USD", 1, -1, 0, "nanos"},
        {"USD", -1, 1, 0, "nanos"},
        {"USD", 0, 1000000000, 0, "nanos"},
        {"usd", 1, 0, 0, "currency_code"},
        {"US", 1, 0, 0, "currency_code"},
        {"USDT", 1, 0, 0, "currency_code"},
        {"", 0, 0, 0, "currency_code"},
    };

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(rows); i++) {
        const struct money_row *row = &rows[i];
        Google__Type__Money money = GOOGLE__TYPE__MONEY__INIT;
        char code[8];
        iso_decimal amount = -7;
        struct iso_error error = {0};

        strcpy(code, row->code);
        money.currency_code = code;
        money.units = row->units;
        money.nanos = row->nanos;
        enum iso_status status = iso_money_to_decimal(&money, &amount, &error);
        if (row->wrong_field) {
            assert_int_equal(status, ISO_E_INVALID);
            assert_string_equal(error.field, row->wrong_field);
            assert_int_equal(amount, -7);
        } else {
            assert_int_equal(status, ISO_OK);
            assert_true(amount == row->amount);
        }
    }
}

static void decimals_come_back_from_money(void **state)
{
    (void)state;
    static const iso_decimal amounts[] = {0,         1,         -1, 12500000000, -12500000000,
                                          INT64_MAX, -INT64_MAX};
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 16);

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(amounts); i++) {
        Google__Type__Money *money = iso_money_from_decimal(amounts[i], "USD", arena);
        iso_decimal back = 0;
        assert_int_equal(iso_money_to_decimal(money, &back, NULL), ISO_OK);
        assert_true(back == amounts[i]);
    }
    ISO_AUTO(iso_arena) none = iso_arena_new(0);
    assert_null(iso_money_from_decimal(1, "USD", none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(the_ceiling_stops_for_good),
        cmocka_unit_test(a_product_that_overflows_is_refused),
        cmocka_unit_test(an_allocation_larger_than_a_block_works),
        cmocka_unit_test(a_large_arena_hands_out_zeroed_memory_up_to_its_ceiling),
        cmocka_unit_test(what_is_held_stays_until_the_last_hold_ends),
        cmocka_unit_test(a_failed_allocation_fills_the_arena),
        cmocka_unit_test(violations_are_kept_up_to_the_limit_and_counted_beyond),
        cmocka_unit_test(a_violation_survives_a_full_arena),
        cmocka_unit_test(money_becomes_a_decimal_or_names_the_wrong_member),
        cmocka_unit_test(decimals_come_back_from_money),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

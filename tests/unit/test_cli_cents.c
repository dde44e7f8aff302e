#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>

#include "cents.h"

#define CENT ((iso_wide)10000000)

static void three_thirds_of_a_unit_add_up_to_the_unit(void **state)
{
    /* 0.333333333 + 0.333333333 + 0.333333334 = 1.00: the floors 33 + 33 + 33 leave one cent, and
     * the largest remainder is the last. */
    const iso_wide amounts[] = {333333333, 333333333, 333333334};
    int64_t cents[3];

    (void)state;
    assert_true(iso_cents_apportion(amounts, 3, cents));
    assert_int_equal(cents[0], 33);
    assert_int_equal(cents[1], 33);
    assert_int_equal(cents[2], 34);
}

static void equal_remainders_are_rounded_up_in_order(void **state)
{
    /* Four times half a cent is two cents. */
    const iso_wide amounts[] = {CENT / 2, CENT / 2, CENT / 2, CENT / 2};
    const int64_t expected[] = {1, 1, 0, 0};
    int64_t cents[4];

    (void)state;
    assert_true(iso_cents_apportion(amounts, 4, cents));
    assert_memory_equal(cents, expected, sizeof(expected));
}

static void credits_are_rounded_down_before_the_rest_is_shared(void **state)
{
    /* -0.005 and 0.015 add up to 0.01; floors -1 and 1 leave one cent; both remainders are half a
     * cent and the first gets it. */
    const iso_wide amounts[] = {-CENT / 2, 3 * CENT / 2};
    int64_t cents[2];

    (void)state;
    assert_true(iso_cents_apportion(amounts, 2, cents));
    assert_int_equal(cents[0], 0);
    assert_int_equal(cents[1], 1);
}

static void shown_cents_always_add_up_to_the_shown_total(void **state)
{
    iso_wide amounts[50];
    int64_t cents[50];
    uint32_t seed = 12345;

    (void)state;
    for (int round = 0; round < 200; round++) {
        iso_wide sum = 0;
        int64_t shown = 0;
        for (int i = 0; i < 50; i++) {
            seed = seed * 1664525u + 1013904223u;
            amounts[i] = (iso_wide)seed * 977;
            sum += amounts[i];
        }
        assert_true(iso_cents_apportion(amounts, 50, cents));
        for (int i = 0; i < 50; i++) {
            iso_wide error = amounts[i] - (iso_wide)cents[i] * CENT;
            assert_true(error > -CENT && error < CENT);
            shown += cents[i];
        }
        assert_int_equal(shown, iso_cents_round(sum));
    }
}

static void amounts_are_grouped_by_thousands(void **state)
{
    static const struct {
        int64_t cents;
        const char *text;
    } cases[] = {
        {0, "0.00"},
        {5, "0.05"},
        {85000, "850.00"},
        {123456, "1,234.56"},
        {-100, "-1.00"},
        {99999999, "999,999.99"},
        {-1, "-0.01"},
        {100000000, "1,000,000.00"},
        {INT64_MIN, "-92,233,720,368,547,758.08"},
    };
    char buffer[ISO_CENTS_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++)
        assert_string_equal(iso_cents_format(cases[i].cents, buffer), cases[i].text);
}

static void rounding_one_amount_is_half_to_even(void **state)
{
    (void)state;
    assert_int_equal(iso_cents_round(CENT / 2), 0);
    assert_int_equal(iso_cents_round(3 * CENT / 2), 2);
    assert_int_equal(iso_cents_round(-3 * CENT / 2), -2);
}

static void no_memory_is_told(void **state)
{
    int64_t cents[1];

    (void)state;
    iso_alloc_fail_at(0);
    assert_false(iso_cents_apportion((iso_wide[]){1}, 1, cents));
    iso_alloc_fail_at(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_thirds_of_a_unit_add_up_to_the_unit),
        cmocka_unit_test(equal_remainders_are_rounded_up_in_order),
        cmocka_unit_test(credits_are_rounded_down_before_the_rest_is_shared),
        cmocka_unit_test(shown_cents_always_add_up_to_the_shown_total),
        cmocka_unit_test(amounts_are_grouped_by_thousands),
        cmocka_unit_test(rounding_one_amount_is_half_to_even),
        cmocka_unit_test(no_memory_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

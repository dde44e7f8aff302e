/* Commitments of money: rates of types become shares of their price, equal shares one rate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "isocost/sdk/spend.h"

/* A sink that notes the last product and counts what came. */
struct noted {
    struct iso_sink sink; /* first: the sink is the note */
    int n_products, n_diagnostics;
    size_t n_rates, n_types;
    iso_decimal first_ratio, second_ratio, hourly_fee, upfront;
    char code[32];
};

static enum iso_status note(struct iso_sink *sink, int32_t kind, const void *rows, size_t n_rows,
                            size_t row_bytes, struct iso_error *reterr)
{
    struct noted *noted = (struct noted *)sink;
    const struct iso_plugin_product *product = rows;
    const struct iso_plugin_diagnostic *diagnostic = rows;

    (void)n_rows;
    (void)row_bytes;
    (void)reterr;
    if (kind == ISO_ROW_DIAGNOSTIC) {
        noted->n_diagnostics++;
        snprintf(noted->code, sizeof(noted->code), "%s", diagnostic->code);
        return ISO_OK;
    }
    assert_int_equal(kind, ISO_ROW_PRODUCT);
    noted->n_products++;
    noted->n_rates = product->n_rates;
    noted->n_types = product->rates[0].offerings.include[0].n_conditions - 4;
    noted->first_ratio = product->rates[0].price_ratio.value;
    noted->second_ratio = product->n_rates > 1 ? product->rates[1].price_ratio.value : 0;
    noted->hourly_fee = product->hourly_fee.value;
    noted->upfront = product->upfront.value;
    assert_int_equal(product->eligible.n_include, product->n_rates);
    return ISO_OK;
}

static const struct iso_spend_plan half_upfront = {
    .id = "plan",
    .provider = "cloud",
    .display_name = "A plan",
    .source = "test",
    .currency = "USD",
    .term_hours = 8760,
    .lot = ISO_DECIMAL_ONE / 10,
    .upfront_share = ISO_DECIMAL_ONE / 2,
};

static enum iso_status add(struct iso_spend *spend, const char *type, iso_decimal price,
                           iso_decimal rate, struct iso_error *reterr)
{
    return iso_spend_add(spend, &half_upfront, "here-1", type, price, rate, reterr);
}

/* 72/96 = 189/252 = 0.75; 48/96 = 0.5. Half of 0.1 an hour is 0.05, of 8760 hours 438. */
static void equal_shares_are_one_rate(void **state)
{
    struct noted noted = {.sink = {note}};
    ISO_AUTO(iso_spend) spend = iso_spend_new();

    (void)state;
    assert_int_equal(add(spend, "a", 96, 72, NULL), ISO_OK);
    assert_int_equal(add(spend, "b", 252, 189, NULL), ISO_OK);
    assert_int_equal(add(spend, "c", 96, 48, NULL), ISO_OK);
    assert_int_equal(iso_spend_send(spend, &noted.sink, NULL), ISO_OK);
    assert_int_equal(noted.n_products, 1);
    assert_int_equal(noted.n_rates, 2);
    assert_int_equal(noted.n_types, 2);
    assert_int_equal(noted.first_ratio, 750000000);
    assert_int_equal(noted.second_ratio, 500000000);
    assert_int_equal(noted.hourly_fee, 50000000);
    assert_int_equal(noted.upfront, 438 * ISO_DECIMAL_ONE);
}

static void a_share_is_above_nothing_and_at_most_the_price(void **state)
{
    static const iso_decimal wrong[][2] = {{96, 0}, {96, -1}, {96, 97}, {0, 1}, {INT64_MAX, 1}};
    struct noted noted = {.sink = {note}};
    ISO_AUTO(iso_spend) spend = iso_spend_new();

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(wrong); i++) {
        struct iso_error error = {0};
        assert_int_equal(add(spend, "a", wrong[i][0], wrong[i][1], &error), ISO_E_INVALID);
        assert_non_null(strstr(error.text, "the rate of a"));
    }
    assert_int_equal(add(spend, "a", 96, 96, NULL), ISO_OK);
    assert_int_equal(iso_spend_send(spend, &noted.sink, NULL), ISO_OK);
    assert_int_equal(noted.first_ratio, ISO_DECIMAL_ONE);
}

static void a_plan_that_no_row_can_hold_is_told(void **state)
{
    struct noted noted = {.sink = {note}};
    ISO_AUTO(iso_spend) spend = iso_spend_new();
    char type[64];

    (void)state;
    for (int i = 0; i < 20000; i++) {
        snprintf(type, sizeof(type), "a-type-with-a-long-name-%d", i);
        assert_int_equal(add(spend, type, 96, 48, NULL), ISO_OK);
    }
    assert_int_equal(iso_spend_send(spend, &noted.sink, NULL), ISO_OK);
    assert_int_equal(noted.n_products, 0);
    assert_int_equal(noted.n_diagnostics, 1);
    assert_string_equal(noted.code, "product_too_large");
}

static void memory_that_is_short_is_told(void **state)
{
    bool done = false;

    (void)state;
    for (long n = 0; !done; n++) {
        struct noted noted = {.sink = {note}};
        iso_alloc_fail_at(n);
        ISO_AUTO(iso_spend) spend = iso_spend_new();
        enum iso_status status = spend ? add(spend, "a", 96, 48, NULL) : ISO_E_NOMEM;
        if (status == ISO_OK)
            status = iso_spend_send(spend, &noted.sink, NULL);
        iso_alloc_fail_at(-1);
        assert_true(status == ISO_OK || status == ISO_E_NOMEM);
        done = status == ISO_OK;
        assert_true(!done || n > 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_shares_are_one_rate),
        cmocka_unit_test(a_share_is_above_nothing_and_at_most_the_price),
        cmocka_unit_test(a_plan_that_no_row_can_hold_is_told),
        cmocka_unit_test(memory_that_is_short_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

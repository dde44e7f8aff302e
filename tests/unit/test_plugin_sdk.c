/* The small parts of the plugin SDK: numbers, words, times, selectors, headers, pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "isocost/sdk/dictionary.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/pager.h"
#include "isocost/sdk/selector.h"
#include "isocost/sdk/table.h"
#include "isocost/sdk/text.h"
#include "isocost/sdk/words.h"

static void numbers_are_read_missing_not_finite_or_invalid(void **state)
{
    static const struct {
        const char *text;
        enum iso_number how;
        iso_decimal value;
    } cases[] = {
        {"0.096", ISO_NUMBER_READ, 96000000},
        {"-1", ISO_NUMBER_READ, -1000000000},
        {"0", ISO_NUMBER_READ, 0},
        {"0.0960000000", ISO_NUMBER_READ, 96000000},
        {"1E-9", ISO_NUMBER_READ, 1},
        {NULL, ISO_NUMBER_MISSING, 0},
        {"", ISO_NUMBER_MISSING, 0},
        {"null", ISO_NUMBER_MISSING, 0},
        {"N/A", ISO_NUMBER_MISSING, 0},
        {"-", ISO_NUMBER_MISSING, 0},
        {"NaN", ISO_NUMBER_NON_FINITE, 0},
        {"-inf", ISO_NUMBER_NON_FINITE, 0},
        {"Infinity", ISO_NUMBER_NON_FINITE, 0},
        {"1,5", ISO_NUMBER_INVALID, 0},
        {"$1", ISO_NUMBER_INVALID, 0},
        {"0x10", ISO_NUMBER_INVALID, 0},
        {"1e400", ISO_NUMBER_INVALID, 0},
        {"0.0000000001", ISO_NUMBER_INVALID, 0},
        {"1 2", ISO_NUMBER_INVALID, 0},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct iso_amount amount = {.present = true, .value = 7};
        struct iso_error error = {0};
        enum iso_number how = iso_number_read(cases[i].text, &amount, &error);
        assert_int_equal(how, cases[i].how);
        if (how == ISO_NUMBER_READ)
            assert_int_equal(amount.value, cases[i].value);
        if (how == ISO_NUMBER_READ || how == ISO_NUMBER_MISSING)
            assert_int_equal(amount.present, how == ISO_NUMBER_READ);
        else
            assert_int_equal(error.status, ISO_E_INVALID);
    }
}

static void words_are_known_in_short_and_long_form(void **state)
{
    static const struct {
        const struct iso_words *words;
        const char *text;
        int32_t value; /* -1: refused */
    } cases[] = {
        {&iso_words_purchase, "on-demand", ISO_PLUGIN_PURCHASE_ON_DEMAND},
        {&iso_words_purchase, "On Demand", ISO_PLUGIN_PURCHASE_ON_DEMAND},
        {&iso_words_purchase, "PURCHASE_ON_DEMAND", ISO_PLUGIN_PURCHASE_ON_DEMAND},
        {&iso_words_purchase, "SPOT", ISO_PLUGIN_PURCHASE_SPOT},
        {&iso_words_purchase, "", 0},
        {&iso_words_purchase, NULL, 0},
        {&iso_words_purchase, "reserved", -1},
        {&iso_words_purchase, "on", -1},
        {&iso_words_purchase, "PURCHASE_", -1},
        {&iso_words_kind, "other", ISO_PLUGIN_KIND_OTHER},
        {&iso_words_status, "sold_out", ISO_PLUGIN_STATUS_SOLD_OUT},
        {&iso_words_price_unit, "PRICE_UNIT_MONTH", ISO_PLUGIN_PRICE_UNIT_MONTH},
        {&iso_words_resource, "iops", ISO_PLUGIN_RESOURCE_IOPS},
        {&iso_words_resource, "RESOURCE_MEMORY_GIB", ISO_PLUGIN_RESOURCE_MEMORY_GIB},
        {&iso_words_commitment, "spend", ISO_PLUGIN_COMMITMENT_SPEND},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        int32_t value = -1;
        struct iso_error error = {0};
        iso_word_read(cases[i].words, cases[i].text, &value, &error);
        assert_int_equal(value, cases[i].value);
        assert_int_equal(error.status, value < 0 ? ISO_E_INVALID : ISO_OK);
    }
}

/* Seconds since 1970 from GNU date: date -u -d '2026-03-01T00:00:00Z' +%s, and so on. */
static void times_need_their_zone_and_must_exist(void **state)
{
    static const struct {
        const char *text;
        int64_t ns; /* -1: refused */
    } cases[] = {
        {"2026-03-01T00:00:00Z", INT64_C(1772323200000000000)},
        {"2026-03-01T01:00:00+01:00", INT64_C(1772323200000000000)},
        {"2026-02-28T19:30:00.25-04:30", INT64_C(1772323200250000000)},
        {"2024-02-29T12:00:00z", INT64_C(1709208000000000000)},
        {"1970-01-01 00:00:01Z", INT64_C(1000000000)},
        {"", 0},
        {NULL, 0},
        {"2024-09-18 23:00:00", -1},
        {"2023-02-29T12:00:00Z", -1},
        {"2026-13-01T00:00:00Z", -1},
        {"2026-03-01", -1},
        {"2026-03-01T24:00:00Z", -1},
        {"2026-03-01T00:00:00.Z", -1},
        {"2026-03-01T00:00:00Zx", -1},
        {"1969-12-31T00:00:00Z", -1},
        {"3000-01-01T00:00:00Z", -1},
        {"3/1/2026", -1},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        int64_t ns = -1;
        struct iso_error error = {0};
        iso_time_read(cases[i].text, &ns, &error);
        assert_int_equal(ns, cases[i].ns);
        assert_int_equal(error.status, ns < 0 ? ISO_E_INVALID : ISO_OK);
    }
}

/* Sequences from the tables of RFC 3629. */
static void text_is_utf8_or_not(void **state)
{
    static const struct {
        const char *text;
        bool is;
    } cases[] = {
        {"", true},
        {"plain", true},
        {"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true},
        {"\x80", false},
        {"\xc0\x80", false},
        {"\xc1\xbf", false},
        {"\xe0\x9f\xbf", false},
        {"\xed\xa0\x80", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\xe2\x82", false},
        {"a\xff", false},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++)
        assert_int_equal(iso_text_is_utf8(cases[i].text), cases[i].is);
}

/* A selector's terms as text: "field=value&field=value;...". */
static void show_terms(const struct iso_plugin_term *terms, size_t n, char text[1024])
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t t = 0; t < n; t++) {
        used += (size_t)sprintf(text + used, "%s", t ? ";" : "");
        for (size_t c = 0; c < terms[t].n_conditions; c++) {
            const struct iso_plugin_condition *condition = &terms[t].conditions[c];
            used += (size_t)sprintf(text + used, "%s%d%s%s=%s", c ? "&" : "", condition->field,
                                    condition->key ? "." : "", condition->key ? condition->key : "",
                                    condition->value);
        }
    }
}

/* Numbers of fields: 0 provider, 1 region, 3 family, 4 type, 7 offering, 8 purchase, 9 kind,
 * 10 label. */
static void selectors_are_read_from_text(void **state)
{
    static const struct {
        const char *text, *terms; /* NULL: refused */
    } cases[] = {
        {"family:m6i", "3=m6i"},
        {"family:m6i region:us-east-1", "3=m6i&1=us-east-1"},
        {"family:m6i|m5;  type:c7g.*  ", "3=m6i&3=m5;4=c7g.*"},
        {"aws/us-east-1/m6i.*", "0=aws&1=us-east-1&4=m6i.*"},
        {"*/*/m6i.large", "4=m6i.large"},
        {"aws/*/* purchase:on_demand kind:VM", "0=aws&8=on-demand&9=vm"},
        {"aws/us-east-1/*/m6i.large/linux/spot", "7=aws/us-east-1/*/m6i.large/linux/spot"},
        {"label.team:search label.env:prod", "10.team=search&10.env=prod"},
        {"label.path:a/b/c", "10.path=a/b/c"},
        {"*", ""},
        {"", ""},
        {"family:", NULL},
        {"families:m6i", NULL},
        {"m6i", NULL},
        {"aws/us-east-1", NULL},
        {"family:m6i;;type:x", NULL},
        {"family:m6i;", NULL},
        {"purchase:reserved", NULL},
        {"label.:x", NULL},
        {"//", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        ISO_AUTO(iso_scratch) scratch = iso_scratch_new(1 << 16);
        const struct iso_plugin_term *terms = NULL;
        struct iso_error error = {0};
        size_t n = 0;
        char text[1024];
        enum iso_status status = iso_terms_read(cases[i].text, scratch, &terms, &n, &error);
        if ((status == ISO_OK) != (cases[i].terms != NULL))
            fail_msg("\"%s\": %s", cases[i].text, error.text);
        if (status != ISO_OK)
            continue;
        show_terms(terms, n, text);
        assert_string_equal(text, cases[i].terms);
    }
}

static void rates_are_one_number_or_one_for_each_term(void **state)
{
    ISO_AUTO(iso_scratch) scratch = iso_scratch_new(1 << 16);
    const struct iso_plugin_rate *rates = NULL;
    size_t n = 0;

    (void)state;
    assert_int_equal(iso_rates_read("2.5", false, scratch, &rates, &n, NULL), ISO_OK);
    assert_int_equal(n, 1);
    assert_int_equal(rates[0].offerings.n_include, 0);
    assert_int_equal(rates[0].units.value, 2500000000);
    assert_false(rates[0].price_ratio.present);

    assert_int_equal(iso_rates_read("type:m6i.large=1; * = 0.72", true, scratch, &rates, &n, NULL),
                     ISO_OK);
    assert_int_equal(n, 2);
    assert_int_equal(rates[0].offerings.n_include, 1);
    assert_string_equal(rates[0].offerings.include[0].conditions[0].value, "m6i.large");
    assert_int_equal(rates[1].offerings.n_include, 0);
    assert_int_equal(rates[1].price_ratio.value, 720000000);

    assert_int_equal(iso_rates_read("type:x=", false, scratch, &rates, &n, NULL), ISO_E_INVALID);
    assert_int_equal(iso_rates_read("type:x=y", false, scratch, &rates, &n, NULL), ISO_E_INVALID);
    assert_int_equal(iso_rates_read("=1", false, scratch, &rates, &n, NULL), ISO_E_INVALID);
}

static void a_header_names_each_column_once_and_the_required_ones(void **state)
{
    static const struct iso_column columns[] = {{"type", true}, {"memory_gib", false}};
    const char *good[] = {"Memory GiB", "note", "TYPE", ""};
    const char *twice[] = {"type", "Type"};
    const char *lacking[] = {"memory_gib"};
    char unknown[ISO_TABLE_UNKNOWN_BYTES];
    struct iso_error error = {0};
    int32_t places[2];

    (void)state;
    assert_int_equal(iso_table_bind(columns, 2, good, 4, places, unknown, &error), ISO_OK);
    assert_int_equal(places[0], 2);
    assert_int_equal(places[1], 0);
    assert_string_equal(unknown, "note, (no name)");
    assert_int_equal(iso_table_bind(columns, 2, twice, 2, places, unknown, &error), ISO_E_INVALID);
    assert_string_equal(error.text, "columns 1 and 2 are both named \"Type\"");
    error = (struct iso_error){0};
    assert_int_equal(iso_table_bind(columns, 2, lacking, 1, places, unknown, &error),
                     ISO_E_INVALID);
    assert_string_equal(error.field, "header");
    assert_non_null(strstr(error.text, "no column \"type\""));
}

static void a_list_of_names_that_grows_too_long_is_cut(void **state)
{
    char names[ISO_TABLE_UNKNOWN_BYTES] = "";

    (void)state;
    for (int i = 0; i < 100; i++)
        iso_table_add_name(names, "twelve_bytes");
    assert_true(strlen(names) < sizeof(names));
    assert_string_equal(names + strlen(names) - 5, ", ...");
}

static void the_same_cursor_twice_stops_a_loop(void **state)
{
    struct iso_pager pager = {0};
    struct iso_error error = {0};
    char cursor[16];

    (void)state;
    for (int i = 0; i < ISO_PAGER_MAX_PAGES; i++) {
        snprintf(cursor, sizeof(cursor), "page-%d", i);
        assert_int_equal(iso_pager_next(&pager, cursor, &error), ISO_OK);
        if (i == 4711)
            assert_int_equal(iso_pager_next(&pager, "page-17", NULL), ISO_E_INVALID);
    }
    assert_int_equal(iso_pager_next(&pager, "one more", &error), ISO_E_LIMIT);
    iso_pager_fini(&pager);
}

static void scratch_memory_is_cleared_limited_and_taken_back(void **state)
{
    ISO_AUTO(iso_scratch) scratch = iso_scratch_new(100000);

    (void)state;
    for (int round = 0; round < 3; round++) {
        unsigned char *large = iso_scratch_calloc(scratch, 1, 50000);
        assert_non_null(large);
        assert_true(large[0] == 0 && large[49999] == 0);
        memset(large, 1, 50000);
        assert_non_null(iso_scratch_calloc(scratch, 10, 1000));
        assert_null(iso_scratch_calloc(scratch, 1, 50000));
        assert_null(iso_scratch_calloc(scratch, SIZE_MAX, 2));
        assert_string_equal(iso_scratch_text(scratch, "abc", 2), "ab");
        iso_scratch_reset(scratch);
    }
}

static void long_numbers_are_rounded_half_to_even(void **state)
{
    static const struct {
        const char *text;
        enum iso_number how;
        iso_decimal value;
    } cases[] = {
        {"0.096", ISO_NUMBER_READ, 96000000},
        {"5.2E-9", ISO_NUMBER_READ, 5},
        {"0.0000000005", ISO_NUMBER_READ, 0},
        {"0.0000000015", ISO_NUMBER_READ, 2},
        {"0.00000000150000000000000000000000001", ISO_NUMBER_READ, 2},
        {"-12.34567890149", ISO_NUMBER_READ, -12345678901},
        {"1E-40", ISO_NUMBER_READ, 0},
        {"1234567890.12345678949999999999", ISO_NUMBER_READ, 1234567890123456789},
        {"12345678901", ISO_NUMBER_INVALID, 0},
        {"1e500", ISO_NUMBER_INVALID, 0},
        {"", ISO_NUMBER_MISSING, 0},
        {"NaN", ISO_NUMBER_NON_FINITE, 0},
        {"1.2.3", ISO_NUMBER_INVALID, 0},
        {".", ISO_NUMBER_INVALID, 0},
        {"1e", ISO_NUMBER_INVALID, 0},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct iso_amount amount = {.present = true, .value = 7};
        struct iso_error error = {0};
        assert_int_equal(iso_number_read_rounded(cases[i].text, &amount, &error), cases[i].how);
        if (cases[i].how == ISO_NUMBER_READ)
            assert_int_equal(amount.value, cases[i].value);
        else if (cases[i].how != ISO_NUMBER_MISSING)
            assert_int_equal(error.status, ISO_E_INVALID);
    }
}

static void amounts_are_absent_when_an_operand_is(void **state)
{
    const struct iso_amount two = {true, 2 * ISO_DECIMAL_ONE}, none = {false, 7},
                            most = {true, INT64_MAX};

    (void)state;
    assert_int_equal(iso_amount_multiply(two, two).value, 4 * ISO_DECIMAL_ONE);
    assert_int_equal(iso_amount_divide(two, 8 * ISO_DECIMAL_ONE).value, ISO_DECIMAL_ONE / 4);
    assert_false(iso_amount_multiply(two, none).present);
    assert_false(iso_amount_multiply(two, most).present);
    assert_false(iso_amount_divide(none, ISO_DECIMAL_ONE).present);
}

static void currencies_are_three_letters_or_the_other_one(void **state)
{
    char code[4];

    (void)state;
    assert_true(iso_currency_read("cny", "USD", code));
    assert_string_equal(code, "CNY");
    assert_true(iso_currency_read("", "USD", code));
    assert_string_equal(code, "USD");
    assert_false(iso_currency_read("yuan", "USD", code));
    assert_false(iso_currency_read("C1Y", "USD", code));
}

static void beginnings_are_any_of_a_list(void **state)
{
    (void)state;
    assert_true(iso_begins_with_any("s6.large.2", ""));
    assert_true(iso_begins_with_any("s6.large.2", "c6., s6."));
    assert_false(iso_begins_with_any("s6.large.2", "c6.,s7."));
    assert_false(iso_begins_with_any("s6.large.2", ", "));
    assert_false(iso_begins_with_any("s6", "s6."));
}

static void times_are_written_as_they_are_read(void **state)
{
    char text[ISO_TIME_TEXT_SIZE];
    int64_t ns;

    (void)state;
    assert_string_equal(iso_time_write(0, text), "1970-01-01T00:00:00Z");
    assert_int_equal(iso_time_read("2024-02-29T23:59:59.5Z", &ns, NULL), ISO_OK);
    assert_string_equal(iso_time_write(ns, text), "2024-02-29T23:59:59Z");
}

static void records_are_found_by_their_key_and_stay_where_they_are(void **state)
{
    ISO_AUTO(iso_dictionary) dictionary = iso_dictionary_new(sizeof(int));
    int *first = iso_dictionary_add(dictionary, "key 0");
    char key[32];

    (void)state;
    assert_null(iso_dictionary_find(dictionary, "key 1"));
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "key %d", i);
        int *record = iso_dictionary_add(dictionary, key);
        assert_int_equal(*record, 0);
        *record = i;
    }
    assert_int_equal(iso_dictionary_count(dictionary), 1000);
    assert_ptr_equal(iso_dictionary_add(dictionary, "key 0"), first);
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "key %d", i);
        assert_int_equal(*(int *)iso_dictionary_find(dictionary, key), i);
        assert_string_equal(iso_dictionary_key(dictionary, (size_t)i), key);
        assert_int_equal(*(int *)iso_dictionary_record(dictionary, (size_t)i), i);
    }
    assert_null(iso_dictionary_find(dictionary, "key 1000"));
}

static void text_is_put_together_and_escaped(void **state)
{
    ISO_AUTO_TEXT text = {0};

    (void)state;
    assert_int_equal(iso_text_check(&text, NULL), ISO_OK);
    assert_string_equal(text.bytes, "");
    iso_text_add(&text, "%s=", "a");
    iso_text_add_url(&text, "b c/~*\xc3\xa9");
    assert_string_equal(text.bytes, "a=b%20c%2F~%2A%C3%A9");
    text.n_bytes = 0;
    iso_text_add_json(&text, "say \"\\\n\xc3\xa9\"");
    assert_string_equal(text.bytes, "\"say \\\"\\\\\\u000a\xc3\xa9\\\"\"");
    iso_alloc_fail_at(0);
    iso_text_add(&text, "%1000d", 1);
    iso_text_add(&text, "more");
    iso_alloc_fail_at(-1);
    assert_int_equal(iso_text_check(&text, NULL), ISO_E_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_missing_not_finite_or_invalid),
        cmocka_unit_test(words_are_known_in_short_and_long_form),
        cmocka_unit_test(times_need_their_zone_and_must_exist),
        cmocka_unit_test(text_is_utf8_or_not),
        cmocka_unit_test(selectors_are_read_from_text),
        cmocka_unit_test(rates_are_one_number_or_one_for_each_term),
        cmocka_unit_test(a_header_names_each_column_once_and_the_required_ones),
        cmocka_unit_test(a_list_of_names_that_grows_too_long_is_cut),
        cmocka_unit_test(the_same_cursor_twice_stops_a_loop),
        cmocka_unit_test(long_numbers_are_rounded_half_to_even),
        cmocka_unit_test(amounts_are_absent_when_an_operand_is),
        cmocka_unit_test(currencies_are_three_letters_or_the_other_one),
        cmocka_unit_test(beginnings_are_any_of_a_list),
        cmocka_unit_test(times_are_written_as_they_are_read),
        cmocka_unit_test(records_are_found_by_their_key_and_stay_where_they_are),
        cmocka_unit_test(text_is_put_together_and_escaped),
        cmocka_unit_test(scratch_memory_is_cleared_limited_and_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

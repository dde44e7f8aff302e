/* The CSV reader of the plugin SDK. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "isocost/sdk/csv.h"

/* Rows as one text: "line:field|field/line:field|field". */
struct log {
    char text[4096];
    size_t n_rows;
    size_t fail_at; /* row that fails; 0: none */
};

static enum iso_status log_row(void *context, int64_t line, const char *const *fields,
                               size_t n_fields, struct iso_error *reterr)
{
    struct log *log = context;
    size_t used = strlen(log->text);

    if (++log->n_rows == log->fail_at)
        return iso_fail(reterr, ISO_E_CANCELLED, "", "stopped");
    used += (size_t)snprintf(log->text + used, sizeof(log->text) - used, "%s%lld:", used ? "/" : "",
                             (long long)line);
    for (size_t i = 0; i < n_fields && used < sizeof(log->text); i++)
        used += (size_t)snprintf(log->text + used, sizeof(log->text) - used, "%s%s", i ? "|" : "",
                                 fields[i]);
    return ISO_OK;
}

/* Feeds `step` bytes at a time. */
static enum iso_status read_text(const char *text, size_t n_bytes, size_t step, struct log *log,
                                 struct iso_error *reterr)
{
    ISO_AUTO(iso_csv_reader) reader = iso_csv_reader_new(log_row, log);

    if (!reader)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory");
    for (size_t at = 0; at < n_bytes; at += step)
        ISO_TRY(iso_csv_feed(reader, (const unsigned char *)text + at,
                             at + step < n_bytes ? step : n_bytes - at, reterr));
    return iso_csv_finish(reader, reterr);
}

static void rows_are_cut_as_rfc_4180_says(void **state)
{
    static const struct {
        const char *text, *rows;
    } cases[] = {
        {"", ""},
        {"a,b\n1,2\n", "1:a|b/2:1|2"},
        {"a,b\n1,2", "1:a|b/2:1|2"},
        {"a,b\r\n1,2\r\n", "1:a|b/2:1|2"},
        {"\xef\xbb\xbf"
         "a,b\n1,2\n",
         "1:a|b/2:1|2"},
        {"\xef\xbb\xbf", ""},
        {"a\n", "1:a"},
        {"\n\n a , b \n\n\n1,2\n", "3:a|b/6:1|2"},
        {"\"a\",\"b,c\"\n", "1:a|b,c"},
        {"\"say \"\"hi\"\"\",x\n", "1:say \"hi\"|x"},
        {"\"two\nlines\",x\nnext,y\n", "1:two\nlines|x/3:next|y"},
        {"\"two\r\nlines\"\r\nnext\r\n", "1:two\r\nlines/3:next"},
        {"a,,c\n,,\n", "1:a||c/2:||"},
        {"\" kept \", dropped \n", "1: kept |dropped"},
        {"5\" disk,x\n", "1:5\" disk|x"},
        {"\"first\n\nthird\",1\nfourth,2\n", "1:first\n\nthird|1/4:fourth|2"},
        {"\xe9\x98\xbf\xe9\x87\x8c,1\n", "1:\xe9\x98\xbf\xe9\x87\x8c|1"},
    };
    static const size_t steps[] = {1, 2, 3, 5, 65536};

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++)
        for (size_t s = 0; s < ISO_ARRAY_LENGTH(steps); s++) {
            struct log log = {.n_rows = 0};
            struct iso_error error = {0};
            size_t n = strlen(cases[i].text);
            assert_int_equal(read_text(cases[i].text, n, steps[s], &log, &error), ISO_OK);
            assert_string_equal(log.text, cases[i].rows);
        }
}

static void a_file_that_is_no_csv_says_what_it_is(void **state)
{
    static const struct {
        const char *text;
        size_t n_bytes;
        const char *report;
    } cases[] = {
        {"a,b\n\"1,2\n3,4\n", 13, "line 2: a quote that is opened here is never closed"},
        {"\xff\xfe"
         "a\0",
         4, "line 1: the file is in UTF-16; save it as UTF-8"},
        {"\xfe\xff"
         "\0a",
         4, "line 1: the file is in UTF-16; save it as UTF-8"},
        {"a,b\n1,\0\n", 8, "line 2: a NUL byte; the file is not text"},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct log log = {.n_rows = 0};
        struct iso_error error = {0};
        assert_int_equal(read_text(cases[i].text, cases[i].n_bytes, 65536, &log, &error),
                         ISO_E_INVALID);
        assert_string_equal(error.text, cases[i].report);
    }
}

static void a_row_that_never_ends_is_refused_before_it_fills_the_memory(void **state)
{
    size_t n_bytes = 3 * ISO_CSV_ROW_BYTES;
    ISO_AUTO_MEM char *text = iso_calloc(n_bytes, 1);
    static const char *const starts[] = {"\"", "x"}; /* one field, and one after the other */

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(starts); i++) {
        struct log log = {.n_rows = 0};
        struct iso_error error = {0};
        for (size_t at = 0; at < n_bytes; at++)
            text[at] = i == 0 || at % 2 ? 'x' : ',';
        text[0] = starts[i][0];
        assert_int_equal(read_text(text, n_bytes, 65536, &log, &error), ISO_E_LIMIT);
        assert_non_null(strstr(error.text, "is a quote missing?"));
    }
}

static void an_error_of_the_receiver_ends_the_reading(void **state)
{
    struct log log = {.fail_at = 2};
    struct iso_error error = {0};

    (void)state;
    assert_int_equal(read_text("a\nb\nc\nd\n", 8, 65536, &log, &error), ISO_E_CANCELLED);
    assert_string_equal(error.text, "stopped");
    assert_string_equal(log.text, "1:a");
    assert_int_equal(log.n_rows, 2);
}

static void every_failed_allocation_is_reported(void **state)
{
    enum iso_status status = ISO_E_NOMEM;
    long nth;

    (void)state;
    for (nth = 0; status != ISO_OK && nth < 100; nth++) {
        struct log log = {.n_rows = 0};
        struct iso_error error = {0};
        iso_alloc_fail_at(nth);
        status = read_text("a,b\n1,\"2 and more\"\n", 19, 4, &log, &error);
        assert_int_equal(status, error.status);
        assert_true(status == ISO_OK || status == ISO_E_NOMEM);
    }
    iso_alloc_fail_at(-1);
    assert_true(status == ISO_OK && nth > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_cut_as_rfc_4180_says),
        cmocka_unit_test(a_file_that_is_no_csv_says_what_it_is),
        cmocka_unit_test(a_row_that_never_ends_is_refused_before_it_fills_the_memory),
        cmocka_unit_test(an_error_of_the_receiver_ends_the_reading),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

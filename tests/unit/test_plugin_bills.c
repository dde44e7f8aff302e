/* What the plugin SDK has for bills: packed files, dates, findings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "isocost/sdk/date.h"
#include "isocost/sdk/findings.h"
#include "isocost/sdk/gzip.h"

/* "isocost\n" as `printf 'isocost\n' | gzip -n` packs it. */
static const unsigned char packed[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,
                                       0xcb, 0x2c, 0xce, 0x4f, 0xce, 0x2f, 0x2e, 0xe1, 0x02, 0x00,
                                       0xed, 0x7a, 0x42, 0xce, 0x08, 0x00, 0x00, 0x00};

struct taken {
    char text[256];
    size_t n, fail_at;
};

static enum iso_status take(void *context, const unsigned char *bytes, size_t n_bytes,
                            struct iso_error *reterr)
{
    struct taken *taken = context;

    assert_true(taken->n + n_bytes < sizeof(taken->text));
    memcpy(taken->text + taken->n, bytes, n_bytes);
    taken->n += n_bytes;
    if (taken->fail_at && taken->n >= taken->fail_at)
        return iso_fail(reterr, ISO_E_CANCELLED, "", "stopped");
    return ISO_OK;
}

/* Feeds `step` bytes at a time, `times` over. */
static enum iso_status unpack(const unsigned char *bytes, size_t n_bytes, size_t step, int times,
                              int64_t max_bytes, struct taken *taken, struct iso_error *reterr)
{
    ISO_AUTO(iso_gunzip) gunzip = iso_gunzip_new(max_bytes, take, taken);

    if (!gunzip)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory");
    for (int time = 0; time < times; time++)
        for (size_t at = 0; at < n_bytes; at += step)
            ISO_TRY(iso_gunzip_feed(gunzip, bytes + at, n_bytes - at < step ? n_bytes - at : step,
                                    reterr));
    return iso_gunzip_finish(gunzip, reterr);
}

static void members_of_a_packed_file_come_out_whole_in_pieces_of_any_size(void **state)
{
    (void)state;
    for (size_t step = 1; step <= sizeof(packed); step++) {
        struct taken taken = {{0}, 0, 0};
        assert_int_equal(unpack(packed, sizeof(packed), step, 2, 100, &taken, NULL), ISO_OK);
        assert_string_equal(taken.text, "isocost\nisocost\n");
    }
}

static void a_packed_file_that_is_damaged_cut_or_too_large_is_refused(void **state)
{
    unsigned char damaged[sizeof(packed)];
    struct taken taken = {{0}, 0, 0};

    (void)state;
    memcpy(damaged, packed, sizeof(packed));
    damaged[20] ^= 1; /* of the checksum */
    assert_int_equal(unpack(damaged, sizeof(damaged), 28, 1, 100, &taken, NULL), ISO_E_INVALID);
    for (size_t n = 0; n < sizeof(packed); n++) {
        taken = (struct taken){{0}, 0, 0};
        assert_int_equal(unpack(packed, n, 5, 1, 100, &taken, NULL), ISO_E_INVALID);
    }
    taken = (struct taken){{0}, 0, 0};
    assert_int_equal(unpack(packed, sizeof(packed), 28, 1, 7, &taken, NULL), ISO_E_LIMIT);
    taken = (struct taken){{0}, 0, 1};
    assert_int_equal(unpack(packed, sizeof(packed), 28, 1, 100, &taken, NULL), ISO_E_CANCELLED);
    iso_alloc_fail_at(0);
    assert_int_equal(unpack(packed, sizeof(packed), 28, 1, 100, &taken, NULL), ISO_E_NOMEM);
    iso_alloc_fail_at(-1);
}

static void dates_are_read_in_the_forms_of_exporters(void **state)
{
    static const struct {
        const char *text;
        enum iso_date_form form; /* MISSING with seconds -1: refused */
        int64_t seconds;
    } cases[] = {
        {NULL, ISO_DATE_MISSING, 0},
        {"", ISO_DATE_MISSING, 0},
        {"1970-01-02", ISO_DATE_DAY, 86400},
        {"19700102", ISO_DATE_DAY, 86400},
        {"1970-01-02 00:00:01", ISO_DATE_UNZONED, 86401},
        {"1970-01-02T00:00:01.5", ISO_DATE_UNZONED, 86401},
        {"1970-01-02T00:00:01Z", ISO_DATE_ZONED, 86401},
        {"1970-01-02T01:00:01+01:00", ISO_DATE_ZONED, 86401},
        {"1970-01-01T23:00:01-01:00", ISO_DATE_ZONED, 86401},
        {"1/2/1970", ISO_DATE_MONTH_FIRST, 86400},
        {"01/02/1970", ISO_DATE_MONTH_FIRST, 86400},
        {"1/2/1970 03:04", ISO_DATE_MONTH_FIRST, 97440},
        {"13/1/1970", ISO_DATE_MISSING, -1},
        {"1/2/70", ISO_DATE_MISSING, -1},
        {"1/2/1970x", ISO_DATE_MISSING, -1},
        {"1/2/1970 3", ISO_DATE_MISSING, -1},
        {"-1/2/1970", ISO_DATE_MISSING, -1},
        {"1970-02-30", ISO_DATE_MISSING, -1},
        {"1970-1-2", ISO_DATE_MISSING, -1},
        {"25569", ISO_DATE_MISSING, -1},
        {"1970-01-02T00:00:01Z and a text that is far too long for a time, whoever wrote it down",
         ISO_DATE_MISSING, -1},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        enum iso_date_form form = ISO_DATE_MISSING;
        int64_t ns = -1;
        enum iso_status status = iso_date_read(cases[i].text, &ns, &form, NULL);
        assert_int_equal(status, cases[i].seconds < 0 ? ISO_E_INVALID : ISO_OK);
        assert_int_equal(form, cases[i].form);
        if (status == ISO_OK)
            assert_int_equal(ns / 1000000000, cases[i].seconds);
    }
}

struct counting_sink {
    struct iso_sink sink;
    int64_t n_rows, n_told;
};

static enum iso_status count_rows(struct iso_sink *sink, int32_t kind, const void *rows,
                                  size_t n_rows, size_t row_bytes, struct iso_error *reterr)
{
    struct counting_sink *counting = (struct counting_sink *)sink;
    const struct iso_plugin_diagnostic *row = rows;

    (void)reterr;
    assert_int_equal(kind, ISO_ROW_DIAGNOSTIC);
    assert_int_equal(row_bytes, sizeof(*row));
    counting->n_rows += (int64_t)n_rows;
    counting->n_told += row->count ? row->count : 1;
    return ISO_OK;
}

static void findings_of_a_million_rows_are_a_few_that_count_them(void **state)
{
    static const char *const codes[] = {"a", "b", "c"};
    struct counting_sink counting = {.sink = {.put = count_rows}};
    struct iso_findings findings = {0};

    (void)state;
    for (int i = 0; i < 1000000; i++)
        assert_int_equal(
            iso_findings_add(&findings, &counting.sink, codes[i % 2], i % 2, "f:1", "%d", NULL, i),
            ISO_OK);
    assert_int_equal(
        iso_findings_add(&findings, &counting.sink, codes[2], false, "f:1", "once", NULL), ISO_OK);
    assert_int_equal(iso_findings_end(&findings, &counting.sink, "f", NULL), ISO_OK);
    assert_int_equal(counting.n_told, 1000001);
    assert_int_equal(counting.n_rows, 2 * (ISO_FINDINGS_EXAMPLES + 1) + 1);
    assert_int_equal(findings.n_codes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_of_a_packed_file_come_out_whole_in_pieces_of_any_size),
        cmocka_unit_test(a_packed_file_that_is_damaged_cut_or_too_large_is_refused),
        cmocka_unit_test(dates_are_read_in_the_forms_of_exporters),
        cmocka_unit_test(findings_of_a_million_rows_are_a_few_that_count_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

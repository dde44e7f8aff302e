/* YAML: which scalar is what, lines of errors, what is refused, and the way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "codec.h"
#include "isocost/proto/digest.h"
#include "isocost/v1/model.pb-c.h"

#define MODEL &isocost__v1__model__descriptor

static void plain_scalars_are_resolved_and_quoted_ones_are_text(void **state)
{
    (void)state;
    struct codec_read read = {0};
    Isocost__V1__Model *model = codec_read(&read, iso_yaml_read, MODEL,
                                           "# a comment\n"
                                           "display_name: no\n"
                                           "labels: {a: \"1\", b: 'true', c: on, d: \"\"}\n"
                                           "teams: ~\n"
                                           "periods:\n"
                                           "- {id: \"12\", hours: +1.5e2}\n"
                                           "- id: |\n"
                                           "    x\n"
                                           "  hours: .5\n"
                                           "options:\n"
                                           "  deterministic: TRUE\n"
                                           "  want: [baselines, runners-up]\n"
                                           "  seed: 007\n");

    assert_non_null(model);
    assert_string_equal(model->display_name, "no");
    assert_int_equal(model->n_labels, 4);
    assert_string_equal(model->labels[2]->value, "on");
    assert_string_equal(model->periods[0]->id, "12");
    assert_true(model->periods[0]->hours == 150);
    assert_string_equal(model->periods[1]->id, "x\n");
    assert_true(model->periods[1]->hours == 0.5);
    assert_true(model->options->deterministic);
    assert_int_equal(model->options->want[1], ISOCOST__V1__WANT__WANT_RUNNERS_UP);
    assert_int_equal(model->options->seed, 7);
    codec_done(&read);
}

static void json_is_yaml(void **state)
{
    (void)state;
    struct codec_read read = {0};
    Isocost__V1__Model *model =
        codec_read(&read, iso_yaml_read, MODEL,
                   "{\"periods\": [{\"id\": \"p\", \"hours\": 1}],\n \"labels\": {}}");

    assert_non_null(model);
    assert_int_equal(model->n_periods, 1);
    codec_done(&read);
}

static void money_needs_no_quotes(void **state)
{
    (void)state;
    struct codec_read read = {0};
    Isocost__V1__CommitmentProduct *product =
        codec_read(&read, iso_yaml_read, &isocost__v1__commitment_product__descriptor,
                   "hourly_fee: 0 USD\nupfront: 12.5 USD\n");

    assert_non_null(product);
    assert_string_equal(product->hourly_fee->currency_code, "USD");
    assert_int_equal(product->upfront->units, 12);
    assert_int_equal(product->upfront->nanos, 500000000);
    codec_done(&read);
}

static void violations_tell_the_line(void **state)
{
    (void)state;
    struct codec_read read = {0};

    codec_read(&read, iso_yaml_read, MODEL,
               "periods:\n- id: a\n  hours: 5I2\n- id: b\n  hours: .inf\nperodes: 1\n");
    assert_int_equal(read.status, ISO_E_INVALID);
    assert_int_equal(read.violations.n, 3);
    assert_string_equal(read.violations.items[0].field, "periods[0].hours");
    assert_string_equal(read.violations.items[0].text, "line 3: \"5I2\" is not a number");
    assert_string_equal(read.violations.items[1].text, "line 5: .inf is not a finite number");
    assert_string_equal(read.violations.items[2].text,
                        "line 6: unknown field \"perodes\"; did you mean \"periods\"?");
    codec_done(&read);
}

struct bad_row {
    const char *yaml;
    const char *text; /* beginning of the error */
};

static const struct bad_row bad_rows[] = {
    {"a: &x 1\n", "line 1: anchors and tags"},
    {"a: 1\nb: *x\n", "line 2: aliases are not allowed"},
    {"a: !!str 1\n", "line 1: anchors and tags"},
    {"a: ! x\n", "line 1: anchors and tags"},
    {"a: &x [1]\n", "line 1: anchors and tags"},
    {"&x {a: 1}\n", "line 1: anchors and tags"},
    {"a: 1\n---\nb: 1\n", "line 2: there is more than one document"},
    {"", "line 1: the document is empty"},
    {"# nothing\n", "line 2: the document is empty"},
    {"labels:\n  a: x\n  b: y\n  a: z\n", "line 4: duplicate key \"a\", first on line 2"},
    {"? [a]\n: 1\n", "line 1: a key must be text"},
    {"\"a\\0b\": 1\n", "line 1: a key must be text"},
    {"a: [1\nb: 2\n", "line 2: "},
    {"a: b: c\n", "line 1: "},
    {"a: 1\n\tb: 2\n", "line 2: "},
    {"a: 1\nb: \xff\n", "line 2: invalid leading UTF-8 octet"},
    {"a: 1\nb: \x01\n", "line 2: control characters are not allowed"},
};

static void what_yaml_has_beyond_json_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(bad_rows); i++) {
        struct codec_read read = {0};

        codec_read(&read, iso_yaml_read, MODEL, bad_rows[i].yaml);
        if (read.status != ISO_E_INVALID ||
            strncmp(read.error.text, bad_rows[i].text, strlen(bad_rows[i].text)) != 0)
            fail_msg("%s gives %s: %s", bad_rows[i].yaml, iso_status_name(read.status),
                     read.error.text);
        codec_done(&read);
    }
}

static void a_nul_in_text_is_refused(void **state)
{
    (void)state;
    struct codec_read read = {0};

    codec_read(&read, iso_yaml_read, MODEL, "display_name: \"a\\0b\"\n");
    assert_int_equal(read.status, ISO_E_INVALID);
    assert_string_equal(read.error.field, "display_name");
    assert_string_equal(read.error.text, "line 1: has a NUL character at byte 1");
    codec_done(&read);
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    size_t n_bytes = 74000;
    ISO_AUTO_MEM char *text = iso_calloc(n_bytes + 1, 1);
    struct codec_read read = {0};

    memset(text, '[', n_bytes);
    codec_read(&read, iso_yaml_read, MODEL, text);
    assert_int_equal(read.status, ISO_E_INVALID);
    assert_string_equal(read.error.text, "line 1: lists and objects are nested deeper than 64");
    codec_done(&read);
}

static void a_large_document_is_a_limit(void **state)
{
    (void)state;
    size_t n_bytes = 1u << 20;
    ISO_AUTO_MEM char *text = iso_calloc(n_bytes + 1, 1);
    struct codec_read read = {0};

    for (size_t i = 0; i + 4 <= n_bytes; i += 4)
        memcpy(text + i, "- 1\n", 4);
    codec_read(&read, iso_yaml_read, MODEL, text);
    assert_int_equal(read.status, ISO_E_LIMIT);
    codec_done(&read);
}

/* Writes the YAML, reads it, and compares the digests. */
static void assert_comes_back(const char *yaml, unsigned flags)
{
    struct codec_read first = {0}, second = {0};
    ISO_AUTO_MEM char *text = NULL;
    char before[ISO_DIGEST_TEXT_SIZE], after[ISO_DIGEST_TEXT_SIZE];

    assert_non_null(codec_read(&first, iso_yaml_read, MODEL, yaml));
    assert_int_equal(iso_yaml_write(first.message, flags, &text, NULL), ISO_OK);
    if (!codec_read(&second, iso_yaml_read, MODEL, text))
        fail_msg("%s\nis not read: %s", text, second.error.text);
    assert_int_equal(iso_message_digest(first.message, NULL, before, NULL), ISO_OK);
    assert_int_equal(iso_message_digest(second.message, NULL, after, NULL), ISO_OK);
    assert_string_equal(before, after);
    codec_done(&first);
    codec_done(&second);
}

static void written_yaml_reads_back_equal(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "labels: {}\ncatalog: {}\nworkloads: [{}, {throughput: {}}]\n",
        "labels: {\"\": \"\", a: \"no\", b: \"1\", c: \"- x\", d: \"a: b # c\", e: "
        "\"\\u0085\\u2028\\ufeff\\n\", "
        "\"true\": ' x ', \"1.5\": \"~\", Null: \"=\", \"<<\": \"*a\"}\n",
        "periods: [{id: \"2025-01-01\", hours: 1e-9, start: 2025-01-31T12:00:00.123456789Z}]\n"
        "budgets: [{id: b, provider: aws, windows: [{periods: [p, q], amount: -0.5 EUR}]}]\n"
        "catalog: {selectors: [{include: [{purchase: spot, labels: {k: v}}], exclude: [{}]}]}\n"
        "options: {seed: -9223372036854775808, gap: 0, want: [duals]}\n",
    };

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(texts); i++) {
        assert_comes_back(texts[i], 0);
        assert_comes_back(texts[i], ISO_JSON_SNAKE_CASE);
    }
}

static void a_key_longer_than_yaml_allows_on_one_line_reads_back(void **state)
{
    (void)state;
    char yaml[2200];

    snprintf(yaml, sizeof(yaml), "labels:\n  ? %01999d\n  : x\n  b: \"\"\n", 7);
    assert_comes_back(yaml, 0);
}

static void yaml_is_written_in_block_style(void **state)
{
    (void)state;
    struct codec_read read = {0};
    ISO_AUTO_MEM char *text = NULL;

    assert_non_null(
        codec_read(&read, iso_yaml_read, MODEL,
                   "{periods: [{id: p, hours: 2}, {}], labels: {a: \"no\"}, options: {seed: 5, "
                   "want: duals}}"));
    assert_int_equal(iso_yaml_write(read.message, ISO_JSON_SNAKE_CASE, &text, NULL), ISO_OK);
    assert_string_equal(text, "periods:\n"
                              "  - id: p\n"
                              "    hours: 2\n"
                              "  - {}\n"
                              "options:\n"
                              "  seed: 5\n"
                              "  want:\n"
                              "    - WANT_DUALS\n"
                              "labels:\n"
                              "  a: \"no\"\n");
    codec_done(&read);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
        struct iso_violations violations = {.arena = arena};
        struct iso_error error = {0};
        ProtobufCMessage *message;
        static const char text[] = "labels: {a: x}\nperiods: [{id: p}]\n";

        iso_alloc_fail_at(n);
        enum iso_status status =
            iso_yaml_read(MODEL, text, sizeof(text) - 1, arena, &violations, &message, &error);
        iso_alloc_fail_at(-1);
        if (status == ISO_OK) {
            assert_in_range(n, 2, 20);
            break;
        }
        assert_true(status == ISO_E_NOMEM || status == ISO_E_LIMIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_scalars_are_resolved_and_quoted_ones_are_text),
        cmocka_unit_test(json_is_yaml),
        cmocka_unit_test(money_needs_no_quotes),
        cmocka_unit_test(violations_tell_the_line),
        cmocka_unit_test(what_yaml_has_beyond_json_is_refused),
        cmocka_unit_test(a_nul_in_text_is_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(a_large_document_is_a_limit),
        cmocka_unit_test(written_yaml_reads_back_equal),
        cmocka_unit_test(a_key_longer_than_yaml_allows_on_one_line_reads_back),
        cmocka_unit_test(yaml_is_written_in_block_style),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

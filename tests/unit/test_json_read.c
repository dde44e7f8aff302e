/* JSON to messages: what is accepted, and what is said about the rest. */
#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "codec.h"
#include "isocost/v1/model.pb-c.h"
#include "isocost/v1/offering.pb-c.h"
#include "isocost/v1/plan.pb-c.h"
#include "isocost/v1/plan_service.pb-c.h"

#define MODEL &isocost__v1__model__descriptor
#define OFFERING &isocost__v1__offering__descriptor

static void both_spellings_of_a_name_are_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"options\": {\"timeLimitSeconds\": 2.5}}",
        "{\"options\": {\"time_limit_seconds\": \"2.5\"}}",
    };

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(texts); i++) {
        struct codec_read read = {0};
        Isocost__V1__Model *model = codec_read(&read, iso_json_read, MODEL, texts[i]);
        assert_non_null(model);
        assert_true(model->options->time_limit_seconds == 2.5);
        codec_done(&read);
    }
}

static void integers_are_read_from_numbers_and_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seed;
    } rows[] = {
        {"0", 0},
        {"-7", -7},
        {"\"12\"", 12},
        {"1e3", 1000},
        {"4.0", 4},
        {"9223372036854775807", INT64_MAX},
        {"\"-9223372036854775808\"", INT64_MIN},
    };

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(rows); i++) {
        struct codec_read read = {0};
        char text[80];
        snprintf(text, sizeof(text), "{\"seed\": %s}", rows[i].text);
        Isocost__V1__Options *options =
            codec_read(&read, iso_json_read, &isocost__v1__options__descriptor, text);
        assert_non_null(options);
        assert_true(options->seed == rows[i].seed);
        codec_done(&read);
    }
}

static void enum_values_are_read_leniently(void **state)
{
    (void)state;
    static const char *const texts[] = {"\"PURCHASE_ON_DEMAND\"", "\"ON_DEMAND\"", "\"on-demand\"",
                                        "\"on_Demand\"", "1"};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(texts); i++) {
        struct codec_read read = {0};
        char text[80];
        snprintf(text, sizeof(text), "{\"purchase\": %s}", texts[i]);
        Isocost__V1__Offering *offering = codec_read(&read, iso_json_read, OFFERING, text);
        assert_non_null(offering);
        assert_int_equal(offering->purchase, ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND);
        codec_done(&read);
    }
}

static void money_is_read_as_text_and_as_object(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *code;
        int64_t units;
        int32_t nanos;
    } rows[] = {
        {"\"12.5 USD\"", "USD", 12, 500000000},
        {"\"-0.000000001 CNY\"", "CNY", 0, -1},
        {"\"0 USD\"", "USD", 0, 0},
        {"{\"currencyCode\": \"EUR\", \"units\": \"-3\", \"nanos\": -5}", "EUR", -3, -5},
        {"\"9223372036854775807 JPY\"", "JPY", INT64_MAX, 0},
    };

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(rows); i++) {
        struct codec_read read = {0};
        char text[120];
        snprintf(text, sizeof(text), "{\"price\": %s}", rows[i].text);
        Isocost__V1__Offering *offering = codec_read(&read, iso_json_read, OFFERING, text);
        assert_non_null(offering);
        assert_string_equal(offering->price->currency_code, rows[i].code);
        assert_true(offering->price->units == rows[i].units);
        assert_int_equal(offering->price->nanos, rows[i].nanos);
        codec_done(&read);
    }
}

/* Seconds since 1970 by `date -u -d TEXT +%s`. */
static void times_are_read_as_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
        int32_t nanos;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0, 0},
        {"2025-01-31T12:00:00.5Z", 1738324800, 500000000},
        {"2025-01-31T14:00:00+02:00", 1738324800, 0},
        {"2025-01-31T09:30:00.000000001-02:30", 1738324800, 1},
        {"2024-02-29T23:59:59Z", 1709251199, 0},
        {"0001-01-01T00:00:00Z", -62135596800, 0},
        {"9999-12-31T23:59:59.999999999Z", 253402300799, 999999999},
    };

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(rows); i++) {
        struct codec_read read = {0};
        char text[80];
        snprintf(text, sizeof(text), "{\"observedAt\": \"%s\"}", rows[i].text);
        Isocost__V1__Offering *offering = codec_read(&read, iso_json_read, OFFERING, text);
        assert_non_null(offering);
        assert_true(offering->observed_at->seconds == rows[i].seconds);
        assert_int_equal(offering->observed_at->nanos, rows[i].nanos);
        codec_done(&read);
    }
}

static void maps_lists_and_lone_scalars_are_read(void **state)
{
    (void)state;
    struct codec_read read = {0};
    Isocost__V1__Model *model = codec_read(
        &read, iso_json_read, MODEL,
        "{\"labels\": {\"a\": \"1\", \"b\": \"\"}, \"options\": {\"want\": \"duals\"},"
        " \"workloads\": [{\"throughput\": {\"rate\": 7}}, {\"replicas\": {\"count\": [1, 2]}}],"
        " \"teams\": null, \"catalog\": {\"snapshotProducts\": []}}");

    assert_non_null(model);
    assert_int_equal(model->n_labels, 2);
    assert_string_equal(model->labels[0]->key, "a");
    assert_string_equal(model->labels[0]->value, "1");
    assert_string_equal(model->labels[1]->value, "");
    assert_int_equal(model->options->n_want, 1);
    assert_int_equal(model->options->want[0], ISOCOST__V1__WANT__WANT_DUALS);
    assert_int_equal(model->workloads[0]->throughput->n_rate, 1);
    assert_int_equal(model->workloads[1]->replicas->n_count, 2);
    assert_int_equal(model->n_teams, 0);
    assert_int_equal(model->catalog->n_snapshot_products, 0);
    codec_done(&read);
}

static void zero_in_a_oneof_is_present(void **state)
{
    (void)state;
    struct codec_read read = {0};
    Isocost__V1__Workload *workload =
        codec_read(&read, iso_json_read, &isocost__v1__workload__descriptor,
                   "{\"mustServe\": false, \"weight\": 0, \"penalty\": null}");

    assert_non_null(workload);
    assert_int_equal(workload->service_case, ISOCOST__V1__WORKLOAD__SERVICE_MUST_SERVE);
    assert_int_equal(workload->opt_weight_case, ISOCOST__V1__WORKLOAD__OPT_WEIGHT_WEIGHT);
    codec_done(&read);
}

static void base64_is_read_in_both_alphabets(void **state)
{
    (void)state;
    static const char *const texts[] = {"+/8A", "-_8A", "+/8=", "+/8", "", "+w=="};
    static const size_t lengths[] = {3, 3, 2, 2, 0, 1};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(texts); i++) {
        struct codec_read read = {0};
        char text[80];
        snprintf(text, sizeof(text), "{\"chunk\": \"%s\"}", texts[i]);
        Isocost__V1__UploadModelRequest *request =
            codec_read(&read, iso_json_read, &isocost__v1__upload_model_request__descriptor, text);
        assert_non_null(request);
        assert_int_equal(request->chunk.len, lengths[i]);
        assert_true(memcmp(request->chunk.data, "\xfb\xff\x00", lengths[i]) == 0);
        codec_done(&read);
    }
}

struct bad_row {
    const ProtobufCMessageDescriptor *descriptor;
    const char *json;
    const char *field;
    const char *text; /* a part of it */
};

static const struct bad_row bad_rows[] = {
    {MODEL, "{\"perodes\": []}", "perodes", "unknown field \"perodes\"; did you mean \"periods\"?"},
    {MODEL, "{\"displayNam\": \"\"}", "displayNam", "did you mean \"display_name\"?"},
    {MODEL, "{\"periods\": [{}, {\"xyzzy\": 1}]}", "periods[1].xyzzy",
     "known are: id, hours, start"},
    {MODEL, "{\"workloads\": [{\"mustServe\": true, \"priority\": 1}]}", "workloads[0].priority",
     "only one of must_serve, priority, penalty may be given"},
    {MODEL, "{\"loadLevels\": {}, \"load_levels\": {}}", "load_levels", "given twice"},
    {MODEL, "{\"displayName\": 5}", "display_name", "5 is not text; put it in quotes: \"5\""},
    {MODEL, "{\"periods\": [{\"hours\": \"5I2\"}]}", "periods[0].hours", "\"5I2\" is not a number"},
    {MODEL, "{\"periods\": [{\"hours\": \"NaN\"}]}", "periods[0].hours", "\"NaN\" is not a number"},
    {MODEL, "{\"periods\": [{\"hours\": \"1e999\"}]}", "periods[0].hours", "not a finite number"},
    {MODEL, "{\"periods\": [{\"hours\": true}]}", "periods[0].hours", "true is not a number"},
    {MODEL, "{\"periods\": [{\"hours\": [1]}]}", "periods[0].hours", "a list is not allowed"},
    {MODEL, "{\"periods\": [{\"start\": 3}]}", "periods[0].start", "not a time like"},
    {MODEL, "{\"periods\": [{\"start\": \"2025-02-29T00:00:00Z\"}]}", "periods[0].start",
     "not a time like"},
    {MODEL, "{\"periods\": [{\"start\": \"2025-01-01T00:00:00\"}]}", "periods[0].start",
     "not a time like"},
    {MODEL, "{\"periods\": {\"id\": \"p\"}}", "periods", "an object is not a list"},
    {MODEL, "{\"periods\": [3]}", "periods[0]",
     "a number is not an object with the fields of Period"},
    {MODEL, "{\"options\": {\"seed\": 1.5}}", "options.seed", "1.5 is not a whole number"},
    {MODEL, "{\"options\": {\"seed\": \"9223372036854775808\"}}", "options.seed",
     "not a whole number in [-9223372036854775808, 9223372036854775807]"},
    {MODEL, "{\"options\": {\"maximumConflicts\": 2147483648}}", "options.maximum_conflicts",
     "not a whole number in [-2147483648, 2147483647]"},
    {MODEL, "{\"options\": {\"deterministic\": \"true\"}}", "options.deterministic",
     "\"true\" is not true or false"},
    {MODEL, "{\"options\": {\"want\": [\"dual\"]}}", "options.want[0]", "did you mean \"DUALS\"?"},
    {MODEL, "{\"options\": {\"want\": [99]}}", "options.want[0]", "\"99\" is not a value of Want"},
    {MODEL, "{\"options\": {\"want\": [{}]}}", "options.want[0]", "an object is not the name"},
    {MODEL, "{\"labels\": [1]}", "labels", "a list is not an object of keys and values"},
    {MODEL, "{\"labels\": {\"team.x\": 1}}", "labels[\"team.x\"]", "1 is not text"},
    {MODEL, "[]", "", "a list is not an object with the fields of Model"},
    {OFFERING, "{\"price\": 3}", "price", "3 has no currency: write \"3 USD\""},
    {OFFERING, "{\"price\": \"3 usd\"}", "price", "is not money like \"12.5 USD\""},
    {OFFERING, "{\"price\": \"0.0000000001 USD\"}", "price", "at most 9 places"},
    {OFFERING, "{\"price\": \"USD\"}", "price", "is not money"},
    {OFFERING, "{\"purchase\": \"sport\"}", "purchase",
     "\"sport\" is not a value of Purchase; did you mean \"SPOT\"? Known are: ON_DEMAND, SPOT"},
    {&isocost__v1__upload_model_request__descriptor, "{\"chunk\": \"a*b=\"}", "chunk",
     "not text in base64"},
    {&isocost__v1__plan__descriptor, "{\"error\": {\"details\": [{\"@type\": \"x\"}]}}",
     "error.details[0]", "google.protobuf.Any cannot be read"},
};

static void every_wrong_value_is_told_with_its_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(bad_rows); i++) {
        const struct bad_row *row = &bad_rows[i];
        struct codec_read read = {0};

        codec_read(&read, iso_json_read, row->descriptor, row->json);
        if (read.status != ISO_E_INVALID || read.violations.n != 1 ||
            strcmp(read.violations.items[0].field, row->field) != 0 ||
            !strstr(read.violations.items[0].text, row->text))
            fail_msg("%s gives %s %s: %s", row->json, iso_status_name(read.status),
                     read.error.field, read.error.text);
        codec_done(&read);
    }
}

static void wrong_syntax_is_told_with_its_line(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\n\"periods\": [,]}",
        "{\n\"labels\": {\"a\": \"1\", \"a\": \"2\"}}",
        "{\n\"displayName\": \"\xff\"}",
        "{\n\"displayName\": \"a\\u0000b\"}",
        "{\n\"options\": NaN}",
        "{}\n{}",
        "{\n",
        "\n",
    };

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(texts); i++) {
        struct codec_read read = {0};
        codec_read(&read, iso_json_read, MODEL, texts[i]);
        if (read.status != ISO_E_INVALID || strncmp(read.error.text, "line ", 5) != 0)
            fail_msg("%s gives %s: %s", texts[i], iso_status_name(read.status), read.error.text);
        codec_done(&read);
    }
}

static void all_problems_are_collected(void **state)
{
    (void)state;
    struct codec_read read = {0};

    codec_read(&read, iso_json_read, MODEL,
               "{\"a\": 1, \"periods\": [{\"hours\": \"x\"}, {\"hours\": \"y\"}], \"teams\": 3}");
    assert_int_equal(read.status, ISO_E_INVALID);
    assert_int_equal(read.violations.n, 4);
    assert_string_equal(read.violations.items[2].field, "periods[1].hours");
    assert_non_null(strstr(read.error.text, "and 3 more"));
    assert_null(read.message);
    codec_done(&read);
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    /* Below jansson's own limit of 2048, and above it. */
    static const size_t depths[] = {100, 74000};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(depths); i++) {
        ISO_AUTO_MEM char *text = iso_calloc(2 * depths[i] + 1, 1);
        ISO_AUTO(iso_arena) arena = iso_arena_new(256u << 20);
        struct iso_violations violations = {.arena = arena};
        struct iso_error error = {0};
        ProtobufCMessage *message;

        memset(text, '[', depths[i]);
        memset(text + depths[i], ']', depths[i]);
        assert_int_equal(
            iso_json_read(MODEL, text, 2 * depths[i], arena, &violations, &message, &error),
            ISO_E_INVALID);
        assert_true(strstr(error.text, "nested deeper than 64") ||
                    strstr(error.text, "maximum parsing depth"));
    }
}

static void a_document_that_does_not_fit_is_a_limit(void **state)
{
    (void)state;
    size_t n_bytes = 4u << 20;
    ISO_AUTO_MEM char *text = iso_calloc(n_bytes + 1, 1);
    struct codec_read read = {0};

    for (size_t i = 0; i + 3 <= n_bytes; i += 3)
        memcpy(text + i, "[],", 3);
    codec_read(&read, iso_json_read, MODEL, text);
    assert_int_equal(read.status, ISO_E_LIMIT);
    assert_non_null(strstr(read.error.text, "use UploadModel"));
    codec_done(&read);
}

static void a_full_arena_at_any_point_is_a_limit(void **state)
{
    (void)state;
    static const char text[] = "{\"labels\": {\"a\": \"1\"}, \"periods\": [{\"id\": \"p\"}],"
                               " \"catalog\": {\"offerings\": [{\"price\": \"1 USD\"}]}}";
    bool fitted = false;

    for (size_t ceiling = 0; ceiling < 16384; ceiling += 64) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(ceiling);
        struct iso_violations violations = {.arena = arena};
        struct iso_error error = {0};
        ProtobufCMessage *message;

        enum iso_status status =
            iso_json_read(MODEL, text, sizeof(text) - 1, arena, &violations, &message, &error);
        fitted = status == ISO_OK;
        assert_true(fitted || status == ISO_E_LIMIT);
    }
    assert_true(fitted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_spellings_of_a_name_are_read),
        cmocka_unit_test(integers_are_read_from_numbers_and_text),
        cmocka_unit_test(enum_values_are_read_leniently),
        cmocka_unit_test(money_is_read_as_text_and_as_object),
        cmocka_unit_test(times_are_read_as_text),
        cmocka_unit_test(maps_lists_and_lone_scalars_are_read),
        cmocka_unit_test(zero_in_a_oneof_is_present),
        cmocka_unit_test(base64_is_read_in_both_alphabets),
        cmocka_unit_test(every_wrong_value_is_told_with_its_path),
        cmocka_unit_test(wrong_syntax_is_told_with_its_line),
        cmocka_unit_test(all_problems_are_collected),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(a_document_that_does_not_fit_is_a_limit),
        cmocka_unit_test(a_full_arena_at_any_point_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

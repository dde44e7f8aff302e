/* Messages to JSON. */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "codec.h"
#include "google/protobuf/any.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "isocost/internal/v1/solver.pb-c.h"
#include "isocost/v1/model.pb-c.h"
#include "isocost/v1/offering.pb-c.h"
#include "isocost/v1/plan_service.pb-c.h"

static void assert_json(const ProtobufCMessage *message, unsigned flags, const char *expected)
{
    ISO_AUTO_MEM char *text = NULL;

    assert_int_equal(iso_json_write(message, flags, &text, NULL), ISO_OK);
    assert_string_equal(text, expected);
}

static void defaults_are_left_out_and_wide_integers_are_text(void **state)
{
    (void)state;
    Isocost__V1__Options options = ISOCOST__V1__OPTIONS__INIT;

    assert_json(&options.base, 0, "{}");
    assert_json(&options.base, ISO_JSON_INDENT, "{}");
    options.seed = INT64_MIN;
    options.maximum_conflicts = -3;
    options.deterministic = 1;
    options.unknown_quota = ISOCOST__V1__UNKNOWN_QUOTA__UNKNOWN_QUOTA_WARN;
    options.opt_gap_case = ISOCOST__V1__OPTIONS__OPT_GAP_GAP; /* 0, and present */
    assert_json(&options.base, 0,
                "{\"gap\":0,\"seed\":\"-9223372036854775808\",\"deterministic\":true,"
                "\"unknownQuota\":\"UNKNOWN_QUOTA_WARN\",\"maximumConflicts\":-3}");
    assert_json(&options.base, ISO_JSON_INDENT | ISO_JSON_SNAKE_CASE,
                "{\n  \"gap\": 0,\n  \"seed\": \"-9223372036854775808\",\n"
                "  \"deterministic\": true,\n  \"unknown_quota\": \"UNKNOWN_QUOTA_WARN\",\n"
                "  \"maximum_conflicts\": -3\n}");
}

static void an_unknown_enum_value_is_its_number(void **state)
{
    (void)state;
    Isocost__V1__Options options = ISOCOST__V1__OPTIONS__INIT;

    options.unknown_quota = (Isocost__V1__UnknownQuota)77;
    assert_json(&options.base, 0, "{\"unknownQuota\":77}");
}

/* The digits are those of Python's repr(). */
static void doubles_are_short_and_read_back_equal(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0.1, "0.1"},
        {100, "100"},
        {-12.5, "-12.5"},
        {1.0 / 3, "0.3333333333333333"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e-7, "0.0000001"},
        {1e-9, "1e-09"},
        {123456789012345680.0, "123456789012345680"},
        {1e18, "1e+18"},
        {1e300, "1e+300"},
        {1.5e300, "1.5e+300"},
        {5e-324, "5e-324"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {9223372036.854775, "9223372036.854774"},
    };
    Isocost__V1__Period period = ISOCOST__V1__PERIOD__INIT;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(rows); i++) {
        char expected[80];
        period.hours = rows[i].value;
        snprintf(expected, sizeof(expected), "{\"hours\":%s}", rows[i].text);
        assert_json(&period.base, 0, expected);
    }
    period.hours = -INFINITY;
    assert_json(&period.base, 0, "{\"hours\":\"-Infinity\"}");
}

static void every_exponent_reads_back_equal(void **state)
{
    (void)state;
    for (int exponent = -1074; exponent <= 1023; exponent++) {
        Isocost__V1__Period period = ISOCOST__V1__PERIOD__INIT;
        ISO_AUTO_MEM char *text = NULL;
        struct codec_read read = {0};

        period.hours = ldexp(exponent % 2 ? 1.0 : 1.7320508075688772, exponent);
        assert_int_equal(iso_json_write(&period.base, 0, &text, NULL), ISO_OK);
        Isocost__V1__Period *back =
            codec_read(&read, iso_json_read, &isocost__v1__period__descriptor, text);
        assert_non_null(back);
        assert_true(back->hours == period.hours);
        codec_done(&read);
    }
}

static void text_is_escaped(void **state)
{
    (void)state;
    Isocost__V1__Period period = ISOCOST__V1__PERIOD__INIT;
    char id[] = "q\" b\\ t\t n\n e\x1b del\x7f \xe6\x88\x90 nel\xc2\x85 ls\xe2\x80\xa8 bad\xff.";

    period.id = id;
    assert_json(&period.base, 0,
                "{\"id\":\"q\\\" b\\\\ t\\t n\\n e\\u001b del\\u007f \xe6\x88\x90 nel\\u0085 "
                "ls\\u2028 bad\xef\xbf\xbd.\"}");
}

static void maps_are_sorted_and_the_last_of_equal_keys_counts(void **state)
{
    (void)state;
    Isocost__V1__Model__LabelsEntry entries[4];
    Isocost__V1__Model__LabelsEntry *list[4];
    static char keys[][4] = {"b", "a", "b", "\xc3\xa4"}, values[][4] = {"1", "2", "3", "4"};
    Isocost__V1__Model model = ISOCOST__V1__MODEL__INIT;

    for (int i = 0; i < 4; i++) {
        isocost__v1__model__labels_entry__init(&entries[i]);
        entries[i].key = keys[i];
        entries[i].value = values[i];
        list[i] = &entries[i];
    }
    model.n_labels = 4;
    model.labels = list;
    assert_json(&model.base, 0, "{\"labels\":{\"a\":\"2\",\"b\":\"3\",\"\xc3\xa4\":\"4\"}}");
}

static void bytes_are_base64(void **state)
{
    (void)state;
    static const char *const texts[] = {"+/8A", "+/8=", "+w=="};
    unsigned char bytes[] = {0xfb, 0xff, 0x00};

    for (size_t i = 0; i < 3; i++) {
        Isocost__V1__UploadModelRequest request = ISOCOST__V1__UPLOAD_MODEL_REQUEST__INIT;
        char expected[40];
        request.chunk = (ProtobufCBinaryData){.data = bytes, .len = 3 - i};
        snprintf(expected, sizeof(expected), "{\"chunk\":\"%s\"}", texts[i]);
        assert_json(&request.base, 0, expected);
    }
}

static void times_have_0_3_6_or_9_places(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        int32_t nanos;
        const char *text;
    } rows[] = {
        {1738324800, 0, "\"2025-01-31T12:00:00Z\""},
        {1738324800, 500000000, "\"2025-01-31T12:00:00.500Z\""},
        {1738324800, 1000, "\"2025-01-31T12:00:00.000001Z\""},
        {-1, 999999999, "\"1969-12-31T23:59:59.999999999Z\""},
        {0, -1, "{\"nanos\":-1}"}, /* no time: shown as it is */
    };

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(rows); i++) {
        Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        time.seconds = rows[i].seconds;
        time.nanos = rows[i].nanos;
        assert_json(&time.base, 0, rows[i].text);
    }
    Google__Protobuf__Duration duration = GOOGLE__PROTOBUF__DURATION__INIT;
    duration.nanos = -500000000;
    assert_json(&duration.base, 0, "\"-0.500s\"");
}

static void details_of_an_error_are_shown_with_their_type(void **state)
{
    (void)state;
    char url[] = "type.googleapis.com/google.rpc.RetryInfo", other[] = "example.com/x.Y";
    unsigned char bytes[16];
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
    Google__Rpc__RetryInfo info = GOOGLE__RPC__RETRY_INFO__INIT;
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT, unknown = GOOGLE__PROTOBUF__ANY__INIT;
    Google__Protobuf__Any *details[] = {&any, &unknown};
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;

    delay.seconds = 3;
    info.retry_delay = &delay;
    any.type_url = url;
    any.value =
        (ProtobufCBinaryData){.data = bytes, .len = google__rpc__retry_info__pack(&info, bytes)};
    unknown.type_url = other;
    unknown.value = (ProtobufCBinaryData){.data = bytes, .len = 1};
    status.code = 8;
    status.n_details = 2;
    status.details = details;
    assert_json(&status.base, 0,
                "{\"code\":8,\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\","
                "\"retryDelay\":\"3s\"},{\"@type\":\"example.com/x.Y\",\"value\":\"Cg==\"}]}");
    bytes[1] = 100; /* now it is cut off */
    assert_json(&any.base, 0,
                "{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"value\":\"CmQIAw==\"}");
}

static void a_locale_with_commas_changes_nothing(void **state)
{
    (void)state;
    Isocost__V1__Period period = ISOCOST__V1__PERIOD__INIT;
    struct codec_read read = {0};

    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8"))
        skip();
    period.hours = 0.5;
    assert_json(&period.base, 0, "{\"hours\":0.5}");
    Isocost__V1__Period *back =
        codec_read(&read, iso_json_read, &isocost__v1__period__descriptor, "{\"hours\": \"0.25\"}");
    assert_true(back->hours == 0.25);
    codec_done(&read);
    setlocale(LC_ALL, "C");
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    Isocost__V1__Model__LabelsEntry entry = ISOCOST__V1__MODEL__LABELS_ENTRY__INIT;
    Isocost__V1__Model__LabelsEntry *entries[] = {&entry};
    Isocost__V1__Model model = ISOCOST__V1__MODEL__INIT;
    Isocost__V1__Period periods[20], *list[20];
    long n;

    for (int i = 0; i < 20; i++) {
        isocost__v1__period__init(&periods[i]);
        periods[i].hours = 1.0 / 3;
        list[i] = &periods[i];
    }
    model.n_labels = 1;
    model.labels = entries;
    model.n_periods = 20;
    model.periods = list;
    for (n = 0;; n++) {
        char *text = NULL;
        struct iso_error error = {0};

        iso_alloc_fail_at(n);
        enum iso_status status = iso_json_write(&model.base, ISO_JSON_INDENT, &text, &error);
        iso_alloc_fail_at(-1);
        free(text);
        if (status == ISO_OK)
            break;
        assert_int_equal(status, ISO_E_NOMEM);
        assert_null(text);
        assert_int_equal(error.status, ISO_E_NOMEM);
    }
    assert_in_range(n, 3, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_left_out_and_wide_integers_are_text),
        cmocka_unit_test(an_unknown_enum_value_is_its_number),
        cmocka_unit_test(doubles_are_short_and_read_back_equal),
        cmocka_unit_test(every_exponent_reads_back_equal),
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(maps_are_sorted_and_the_last_of_equal_keys_counts),
        cmocka_unit_test(bytes_are_base64),
        cmocka_unit_test(times_have_0_3_6_or_9_places),
        cmocka_unit_test(details_of_an_error_are_shown_with_their_type),
        cmocka_unit_test(a_locale_with_commas_changes_nothing),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The wire: limits, malformed bytes, and what a decoded message may hold. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "google/protobuf/descriptor.pb-c.h"
#include "isocost/internal/v1/solver.pb-c.h"
#include "isocost/proto/wire.h"
#include "isocost/v1/model.pb-c.h"
#include "isocost/v1/plan_service.pb-c.h"

static const struct iso_wire_limits standard = ISO_WIRE_LIMITS_DEFAULT;

/* Decodes and gives the status; the error is in *ret_error. */
static enum iso_status decode(const ProtobufCMessageDescriptor *descriptor, const void *bytes,
                              size_t n_bytes, struct iso_error *ret_error)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(16u << 20);
    struct iso_violations violations = {.arena = arena};
    ProtobufCMessage *message;

    *ret_error = (struct iso_error){0};
    return iso_wire_decode(descriptor, bytes, n_bytes, &standard, arena, &violations, &message,
                           ret_error);
}

struct bad_row {
    const char *what;
    const ProtobufCMessageDescriptor *descriptor;
    const char *bytes;
    size_t n_bytes;
    enum iso_status status;
    const char *field;
    const char *text; /* a part of it */
};

#define MODEL &isocost__v1__model__descriptor
#define ROW(what, descriptor, bytes, status, field, text)               \
    {                                                                   \
        what, descriptor, bytes, sizeof(bytes) - 1, status, field, text \
    }

/* Tags used: Model.display_name 1 (0A), catalog 2 (12), periods 3 (1A), workloads 6 (32); Period.id
 * 1 (0A), hours 2 (11); Workload.id 1 (0A), penalty 7 (3A), throughput 9 (4A); rate 1 (0A packed,
 * 09 one); Catalog.quotas 7 (3A); Quota.resource 5 (28). Byte = field number * 8 + wire type. */
static const struct bad_row bad_rows[] = {
    ROW("truncated tag", MODEL, "\x80", ISO_E_INVALID, "", "tag is truncated"),
    ROW("overlong tag", MODEL, "\x8a\x80\x80\x80\x80\x00", ISO_E_INVALID, "", "tag is truncated"),
    ROW("field 0", MODEL, "\x02\x00", ISO_E_INVALID, "", "0 is no field number"),
    ROW("field 2^29", MODEL, "\x80\x80\x80\x80\x10\x00", ISO_E_INVALID, "", "no field number"),
    ROW("group", MODEL, "\x0b\x0c", ISO_E_INVALID, "display_name", "groups"),
    ROW("unknown group", MODEL, "\xa3\x06\xa4\x06", ISO_E_INVALID, "", "groups"),
    ROW("wire type 7", MODEL, "\x0f", ISO_E_INVALID, "display_name", "truncated"),
    ROW("string past the end", MODEL, "\x0a\x05 abc", ISO_E_INVALID, "display_name", "truncated"),
    ROW("overlong length", MODEL, "\x0a\x80\x80\x80\x80\x80\x00", ISO_E_INVALID, "display_name",
        "truncated or too long"),
    ROW("length 2^35", MODEL, "\x0a\xff\xff\xff\xff\x7f", ISO_E_INVALID, "display_name",
        "truncated or too long"),
    ROW("second period is cut", MODEL, "\x1a\x00\x1a\x03\x11\x00\x00", ISO_E_INVALID,
        "periods[1].hours", "truncated"),
    ROW("number where text belongs", MODEL, "\x08\x01", ISO_E_INVALID, "display_name",
        "wire type 0; 2 is needed"),
    ROW("text where a number belongs", MODEL, "\x1a\x02\x12\x00", ISO_E_INVALID, "periods[0].hours",
        "wire type 2; 1 is needed"),
    ROW("packed doubles of 7 bytes", MODEL, "\x32\x0b\x4a\x09\x0a\x07 1234567", ISO_E_INVALID,
        "workloads[0].throughput.rate", "7 packed bytes are no multiple of 8"),
    ROW("NUL in text", MODEL,
        "\x0a\x03"
        "a\0b",
        ISO_E_INVALID, "display_name", "NUL character at byte 1"),
    ROW("catalog twice", MODEL, "\x12\x00\x12\x00", ISO_E_INVALID, "catalog", "occurs twice"),
    ROW("oneof message twice", MODEL, "\x32\x04\x3a\x00\x3a\x00", ISO_E_INVALID,
        "workloads[0].penalty", "occurs twice"),
    ROW("overlong varint", MODEL,
        "\x12\x0f\x3a\x0d\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", ISO_E_INVALID,
        "catalog.quotas[0].resource", "truncated or too long"),
    ROW("invalid UTF-8", MODEL,
        "\x0a\x03"
        "a\xc3(",
        ISO_E_INVALID, "display_name", "is not UTF-8: byte 1 is 0xc3"),
    ROW("surrogate", MODEL, "\x0a\x03\xed\xa0\x80", ISO_E_INVALID, "display_name", "not UTF-8"),
    ROW("NaN", MODEL, "\x1a\x09\x11\x00\x00\x00\x00\x00\x00\xf8\x7f", ISO_E_INVALID,
        "periods[0].hours", "NaN is not a finite number"),
    ROW("infinity", MODEL, "\x1a\x09\x11\x00\x00\x00\x00\x00\x00\xf0\x7f", ISO_E_INVALID,
        "periods[0].hours", "infinity"),
    ROW("unknown enum value", MODEL, "\x12\x04\x3a\x02\x28\x4d", ISO_E_INVALID,
        "catalog.quotas[0].resource", "77 is no value of Resource"),
};

static void every_bad_message_names_its_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(bad_rows); i++) {
        const struct bad_row *row = &bad_rows[i];
        struct iso_error error;

        enum iso_status status = decode(row->descriptor, row->bytes, row->n_bytes, &error);
        if (status != row->status || strcmp(error.field, row->field) != 0 ||
            !strstr(error.text, row->text))
            fail_msg("%s: %s %s: %s", row->what, iso_status_name(status), error.field, error.text);
    }
}

static void every_prefix_of_a_message_is_handled(void **state)
{
    (void)state;
    double rates[] = {1, 2.5, 4};
    Isocost__V1__ThroughputDemand throughput = ISOCOST__V1__THROUGHPUT_DEMAND__INIT;
    Isocost__V1__Workload workload = ISOCOST__V1__WORKLOAD__INIT, *workloads[] = {&workload};
    Isocost__V1__Model model = ISOCOST__V1__MODEL__INIT;
    unsigned char bytes[256];
    struct iso_error error;

    throughput.n_rate = 3;
    throughput.rate = rates;
    workload.demand_case = ISOCOST__V1__WORKLOAD__DEMAND_THROUGHPUT;
    workload.throughput = &throughput;
    model.n_workloads = 1;
    model.workloads = workloads;
    size_t n_bytes = isocost__v1__model__pack(&model, bytes);
    assert_int_equal(decode(MODEL, bytes, n_bytes, &error), ISO_OK);
    for (size_t n = 1; n < n_bytes; n++) {
        assert_int_equal(decode(MODEL, bytes, n, &error), ISO_E_INVALID);
        assert_non_null(strstr(error.text, "malformed"));
    }
}

/* DescriptorProto.nested_type (3) is the only recursion at hand: each level is a tag and a length.
 * 74 kB of it overflow the stack of protobuf-c's unpack. */
static void deep_nesting_is_refused_before_it_is_unpacked(void **state)
{
    (void)state;
    size_t n_bytes = 74000, at = n_bytes;
    ISO_AUTO_MEM unsigned char *bytes = iso_calloc(n_bytes, 1);
    struct iso_error error;

    while (at >= 4) {
        size_t length = n_bytes - at;
        unsigned char header[4] = {0x1a, (unsigned char)(length | 0x80),
                                   (unsigned char)(length >> 7 | 0x80),
                                   (unsigned char)(length >> 14)};
        at -= sizeof(header);
        memcpy(bytes + at, header, sizeof(header));
    }
    assert_int_equal(
        decode(&google__protobuf__descriptor_proto__descriptor, bytes + at, n_bytes - at, &error),
        ISO_E_LIMIT);
    assert_non_null(strstr(error.field, "nested_type[0].nested_type[0]"));
    assert_non_null(strstr(error.text, "nested deeper than 32"));
}

static void many_empty_messages_are_counted(void **state)
{
    (void)state;
    size_t n_bytes = 4u << 20;
    ISO_AUTO_MEM unsigned char *bytes = iso_calloc(n_bytes, 1);
    struct iso_error error;

    for (size_t i = 0; i < n_bytes; i += 2)
        bytes[i] = 0x32; /* workloads, empty */
    assert_int_equal(decode(MODEL, bytes, n_bytes, &error), ISO_E_LIMIT);
    assert_string_equal(error.field, "workloads[200000]");
    assert_non_null(strstr(error.text, "200000"));
    assert_non_null(strstr(error.text, "use UploadModel"));
}

static void other_amounts_are_limited_too(void **state)
{
    (void)state;
    static const struct {
        struct iso_wire_limits limits;
        const char *bytes;
        size_t n_bytes;
        const char *field, *text;
    } rows[] = {
        {{.max_bytes = 3, .max_depth = 9}, "\x0a\x02hi", 4, "", "4 bytes; at most 3 are allowed"},
        {{.max_bytes = 99, .max_depth = 9, .max_strings = 1, .max_string_bytes = 1},
         "\x0a\x02hi",
         4,
         "display_name",
         "has 2 bytes; at most 1 are allowed"},
        {{.max_bytes = 99, .max_depth = 9, .max_strings = 0, .max_string_bytes = 9},
         "\x0a\x02hi",
         4,
         "display_name",
         "more than 0 strings"},
        {{.max_bytes = 99, .max_depth = 9, .max_messages = 1},
         "\xa0\x06\x01\xa0\x06\x01",
         6,
         "",
         "more than 1 sub-messages and unknown fields"},
        {{.max_bytes = 99, .max_depth = 1, .max_messages = 9},
         "\x12\x00",
         2,
         "catalog",
         "nested deeper than 1"},
        /* options.want = [1, 2, 3], packed: options is 11 (5A), want is 7 (3A) */
        {{.max_bytes = 99, .max_depth = 9, .max_messages = 9, .max_elements = 2},
         "\x5a\x05\x3a\x03\x01\x02\x03",
         7,
         "options.want",
         "more than 2 elements"},
    };

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(rows); i++) {
        struct iso_error error = {0};
        assert_int_equal(iso_wire_scan(MODEL, (const unsigned char *)rows[i].bytes, rows[i].n_bytes,
                                       &rows[i].limits, &error),
                         ISO_E_LIMIT);
        assert_string_equal(error.field, rows[i].field);
        assert_non_null(strstr(error.text, rows[i].text));
    }
}

static void unknown_fields_and_both_forms_of_lists_are_accepted(void **state)
{
    (void)state;
    struct iso_error error;

    /* Field 100 as varint, 64-bit, bytes and 32-bit. */
    assert_int_equal(decode(MODEL, "\xa0\x06\x01", 3, &error), ISO_OK);
    assert_int_equal(decode(MODEL, "\xa1\x06 1234567", 10, &error), ISO_OK);
    assert_int_equal(decode(MODEL, "\xa2\x06\x02hi", 5, &error), ISO_OK);
    assert_int_equal(decode(MODEL, "\xa5\x06 123", 6, &error), ISO_OK);
    /* options.want packed and one by one. */
    assert_int_equal(decode(MODEL, "\x5a\x03\x3a\x01\x01", 5, &error), ISO_OK);
    assert_int_equal(decode(MODEL, "\x5a\x04\x38\x01\x38\x02", 6, &error), ISO_OK);
    assert_int_equal(decode(MODEL, "", 0, &error), ISO_OK);
}

static void all_wrong_fields_are_told_at_once(void **state)
{
    (void)state;
    /* Two periods, the first with a bad id, the second with infinite hours. */
    static const char bytes[] = "\x1a\x03\x0a\x01\xff\x1a\x09\x11\x00\x00\x00\x00\x00\x00\xf0\xff";
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 16);
    struct iso_violations violations = {.arena = arena};
    struct iso_error error = {0};
    ProtobufCMessage *message = NULL;

    assert_int_equal(iso_wire_decode(MODEL, (const unsigned char *)bytes, sizeof(bytes) - 1,
                                     &standard, arena, &violations, &message, &error),
                     ISO_E_INVALID);
    assert_null(message);
    assert_int_equal(violations.n, 2);
    assert_string_equal(violations.items[0].field, "periods[0].id");
    assert_string_equal(violations.items[1].field, "periods[1].hours");
    assert_non_null(strstr(error.text, "and 1 more"));
}

static void internal_messages_may_hold_infinities(void **state)
{
    (void)state;
    Isocost__Internal__V1__Progress progress = ISOCOST__INTERNAL__V1__PROGRESS__INIT;
    unsigned char bytes[32];
    struct iso_error error;

    progress.bound = -INFINITY;
    progress.value = NAN;
    size_t n_bytes = isocost__internal__v1__progress__pack(&progress, bytes);
    assert_int_equal(decode(&isocost__internal__v1__progress__descriptor, bytes, n_bytes, &error),
                     ISO_OK);
}

static void bytes_fields_may_hold_anything(void **state)
{
    (void)state;
    struct iso_error error;

    assert_int_equal(
        decode(&isocost__v1__upload_model_request__descriptor, "\x0a\x03\x00\xff\xc0", 5, &error),
        ISO_OK);
}

static void a_full_arena_is_a_limit_and_not_bad_bytes(void **state)
{
    (void)state;
    for (size_t ceiling = 0; ceiling < 400; ceiling += 16) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(ceiling);
        struct iso_violations violations = {.arena = arena};
        struct iso_error error = {0};
        ProtobufCMessage *message;

        enum iso_status status =
            iso_wire_decode(MODEL, (const unsigned char *)"\x0a\x02hi\x32\x03\x0a\x01w", 9,
                            &standard, arena, &violations, &message, &error);
        assert_int_equal(status, iso_arena_full(arena) ? ISO_E_LIMIT : ISO_OK);
    }
}

static void a_failed_allocation_is_a_limit_too(void **state)
{
    (void)state;
    for (long n = 0; n < 3; n++) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
        struct iso_violations violations = {.arena = arena};
        struct iso_error error = {0};
        ProtobufCMessage *message;

        iso_alloc_fail_at(n);
        enum iso_status status = iso_wire_decode(MODEL, (const unsigned char *)"\x0a\x02hi", 4,
                                                 &standard, arena, &violations, &message, &error);
        iso_alloc_fail_at(-1);
        assert_int_equal(status, n == 0 ? ISO_E_LIMIT : ISO_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bad_message_names_its_field),
        cmocka_unit_test(every_prefix_of_a_message_is_handled),
        cmocka_unit_test(deep_nesting_is_refused_before_it_is_unpacked),
        cmocka_unit_test(many_empty_messages_are_counted),
        cmocka_unit_test(other_amounts_are_limited_too),
        cmocka_unit_test(unknown_fields_and_both_forms_of_lists_are_accepted),
        cmocka_unit_test(all_wrong_fields_are_told_at_once),
        cmocka_unit_test(internal_messages_may_hold_infinities),
        cmocka_unit_test(bytes_fields_may_hold_anything),
        cmocka_unit_test(a_full_arena_is_a_limit_and_not_bad_bytes),
        cmocka_unit_test(a_failed_allocation_is_a_limit_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "isocost/proto/wire.h"

#include <math.h>
#include <stdbool.h>

#include "field_path.h"
#include "message_field.h"
#include "utf8.h"

/* Messages between our own processes use infinities and NaN on purpose. */
#define INTERNAL_PACKAGE "isocost.internal"

static void check_message(struct iso_violations *violations, const ProtobufCMessage *message,
                          const struct iso_field_path *path);

static void check_number(struct iso_violations *violations, double value,
                         const struct iso_field_path *path)
{
    char text[ISO_FIELD_PATH_SIZE];

    if (!isfinite(value))
        iso_violations_add(violations, iso_field_path_text(path, text), "%s is not a finite number",
                           isnan(value) ? "NaN" : "infinity");
}

static void check_string(struct iso_violations *violations, const char *value,
                         const struct iso_field_path *path)
{
    char text[ISO_FIELD_PATH_SIZE];
    size_t n_bytes = value ? strlen(value) : 0;
    size_t n_valid = n_bytes > 0 ? iso_utf8_valid_bytes(value, n_bytes) : 0;

    if (n_valid < n_bytes)
        iso_violations_add(violations, iso_field_path_text(path, text),
                           "is not UTF-8: byte %zu is 0x%02x", n_valid,
                           (unsigned)(unsigned char)value[n_valid]);
}

static void check_enum(struct iso_violations *violations, const ProtobufCEnumDescriptor *descriptor,
                       int value, const struct iso_field_path *path)
{
    char text[ISO_FIELD_PATH_SIZE];

    if (!protobuf_c_enum_descriptor_get_value(descriptor, value))
        iso_violations_add(violations, iso_field_path_text(path, text), "%d is no value of %s",
                           value, descriptor->short_name);
}

static void check_value(struct iso_violations *violations, const ProtobufCFieldDescriptor *field,
                        const void *value, bool must_be_finite, const struct iso_field_path *path)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_FLOAT:
        if (must_be_finite)
            check_number(violations, (double)*(const float *)value, path);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        if (must_be_finite)
            check_number(violations, *(const double *)value, path);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        check_enum(violations, field->descriptor, *(const int *)value, path);
        break;
    case PROTOBUF_C_TYPE_STRING:
        check_string(violations, *(char *const *)value, path);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        if (*(ProtobufCMessage *const *)value)
            check_message(violations, *(ProtobufCMessage *const *)value, path);
        break;
    default:
        break; /* every bit pattern is allowed */
    }
}

static bool needs_check(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_FLOAT || type == PROTOBUF_C_TYPE_DOUBLE ||
           type == PROTOBUF_C_TYPE_ENUM || type == PROTOBUF_C_TYPE_STRING ||
           type == PROTOBUF_C_TYPE_MESSAGE;
}

static void check_message(struct iso_violations *violations, const ProtobufCMessage *message,
                          const struct iso_field_path *path)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    bool must_be_finite =
        strncmp(descriptor->package_name, INTERNAL_PACKAGE, strlen(INTERNAL_PACKAGE)) != 0;

    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        struct iso_field_path here = {.parent = path, .name = field->name, .index = -1};

        if (!needs_check(field->type) || !iso_field_is_set(message, field))
            continue;
        if (!iso_field_is_repeated(field)) {
            check_value(violations, field, iso_field_member(message, field), must_be_finite, &here);
            continue;
        }
        for (size_t k = 0; k < iso_field_count(message, field); k++) {
            here.index = (long)k;
            check_value(violations, field, iso_field_element(message, field, k), must_be_finite,
                        &here);
        }
    }
}

void iso_message_check(const ProtobufCMessage *message, const char *path,
                       struct iso_violations *violations)
{
    struct iso_field_path top = {.name = path, .index = -1};

    check_message(violations, message, &top);
}

enum iso_status iso_wire_decode(const ProtobufCMessageDescriptor *descriptor,
                                const unsigned char *bytes, size_t n_bytes,
                                const struct iso_wire_limits *limits, struct iso_arena *arena,
                                struct iso_violations *violations, ProtobufCMessage **ret_message,
                                struct iso_error *reterr)
{
    ISO_TRY(iso_wire_scan(descriptor, bytes, n_bytes, limits, reterr));

    ProtobufCMessage *message =
        protobuf_c_message_unpack(descriptor, iso_arena_allocator(arena), n_bytes, bytes);
    if (!message && iso_arena_full(arena))
        return iso_fail(reterr, ISO_E_LIMIT, "",
                        "the message has %zu bytes and needs too much memory when decoded; use "
                        "UploadModel",
                        n_bytes);
    if (!message)
        return iso_fail(reterr, ISO_E_INVALID, "", "malformed: not a message of type %s",
                        descriptor->name);

    int n_before = violations->n + violations->n_dropped;
    iso_message_check(message, "", violations);
    if (violations->n + violations->n_dropped > n_before)
        ISO_TRY(iso_violations_status(violations, reterr));
    *ret_message = message;
    return ISO_OK;
}

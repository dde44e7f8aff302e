#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "double_text.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "google/type/money.pb-c.h"
#include "isocost/base/decimal.h"
#include "json_names.h"
#include "json_reader.h"
#include "json_text.h"

#define EXACT_INTEGER_MAX 9007199254740992.0 /* 2^53 */

void iso_json_report(struct iso_json_reader *reader, const struct iso_tree *node,
                     const struct iso_field_path *path, const char *format, ...)
{
    char field[ISO_FIELD_PATH_SIZE], text[384];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    iso_field_path_text(path, field);
    if (node->line > 0)
        iso_violations_add(reader->violations, field, "line %ld: %s", node->line, text);
    else
        iso_violations_add(reader->violations, field, "%s", text);
}

/* Reports a node of the wrong kind; scalars are shown. */
static bool wrong_kind(struct iso_json_reader *reader, const struct iso_tree *node,
                       const struct iso_field_path *path, const char *expected)
{
    if (node->kind == ISO_TREE_STRING)
        iso_json_report(reader, node, path, "\"%.*s\" is not %s", ISO_SHOWN_BYTES, node->text,
                        expected);
    else if (node->text && node->kind != ISO_TREE_NULL)
        iso_json_report(reader, node, path, "%.*s is not %s", ISO_SHOWN_BYTES, node->text,
                        expected);
    else
        iso_json_report(reader, node, path, "%s is not %s", iso_tree_kind_text(node->kind),
                        expected);
    return false;
}

static bool holds_number(const struct iso_tree *node)
{
    return (node->kind == ISO_TREE_NUMBER || node->kind == ISO_TREE_STRING) &&
           strlen(node->text) == node->n_bytes && iso_is_number(node->text);
}

/* A whole number in any spelling: "12", "+12", "1.2e1". False: it is none, or too long. */
static bool parse_integer(const char *text, iso_wide *ret_value)
{
    bool negative = *text == '-';
    const char *at = text + (*text == '-' || *text == '+');
    iso_wide value = 0;

    for (; *at >= '0' && *at <= '9'; at++) {
        value = 10 * value + (*at - '0');
        if (value > (iso_wide)UINT64_MAX)
            return false;
    }
    if (*at != '\0') {
        double number = iso_double_parse(text);
        if (number != trunc(number) || fabs(number) > EXACT_INTEGER_MAX)
            return false;
        *ret_value = (iso_wide)number;
        return true;
    }
    *ret_value = negative ? -value : value;
    return true;
}

static bool read_integer(struct iso_json_reader *reader, const struct iso_tree *node,
                         const struct iso_field_path *path, iso_wide minimum, iso_wide maximum,
                         iso_wide *ret_value)
{
    iso_wide value;

    if (!holds_number(node))
        return wrong_kind(reader, node, path, "a number");
    if (!parse_integer(node->text, &value) || value < minimum || value > maximum) {
        iso_json_report(reader, node, path, "%.*s is not a whole number in [%lld, %llu]",
                        ISO_SHOWN_BYTES, node->text, (long long)minimum,
                        (unsigned long long)maximum);
        return false;
    }
    *ret_value = value;
    return true;
}

static bool read_integer_32(struct iso_json_reader *reader, const struct iso_tree *node,
                            const struct iso_field_path *path, bool is_signed, void *into)
{
    iso_wide value = 0;

    if (!read_integer(reader, node, path, is_signed ? INT32_MIN : 0,
                      is_signed ? INT32_MAX : (iso_wide)UINT32_MAX, &value))
        return false;
    *(uint32_t *)into = (uint32_t)value;
    return true;
}

static bool read_integer_64(struct iso_json_reader *reader, const struct iso_tree *node,
                            const struct iso_field_path *path, bool is_signed, void *into)
{
    iso_wide value = 0;

    if (!read_integer(reader, node, path, is_signed ? INT64_MIN : 0,
                      is_signed ? INT64_MAX : (iso_wide)UINT64_MAX, &value))
        return false;
    *(uint64_t *)into = (uint64_t)value;
    return true;
}

static bool read_double(struct iso_json_reader *reader, const struct iso_tree *node,
                        const struct iso_field_path *path, double maximum, double *ret_value)
{
    if (node->kind == ISO_TREE_NUMBER && !iso_is_number(node->text))
        return wrong_kind(reader, node, path, "a finite number");
    if (!holds_number(node))
        return wrong_kind(reader, node, path, "a number");
    double value = iso_double_parse(node->text);
    if (fabs(value) > maximum)
        return wrong_kind(reader, node, path, "a finite number of this type");
    *ret_value = value;
    return true;
}

static bool read_enum(struct iso_json_reader *reader, const ProtobufCEnumDescriptor *descriptor,
                      const struct iso_tree *node, const struct iso_field_path *path, int *into)
{
    char hint[ISO_JSON_HINT_SIZE];
    iso_wide number;

    if (node->kind == ISO_TREE_STRING && iso_json_enum_value(descriptor, node->text, into))
        return true;
    if (node->kind == ISO_TREE_NUMBER && iso_is_number(node->text) &&
        parse_integer(node->text, &number) && number >= INT32_MIN && number <= INT32_MAX &&
        iso_json_enum_name(descriptor, (int)number)) {
        *into = (int)number;
        return true;
    }
    if (node->kind != ISO_TREE_STRING && node->kind != ISO_TREE_NUMBER)
        return wrong_kind(reader, node, path, "the name of a value");
    iso_json_report(reader, node, path, "\"%.*s\" is not a value of %s%s", ISO_SHOWN_BYTES,
                    node->text, descriptor->short_name,
                    iso_json_enum_hint(descriptor, node->text, hint));
    return false;
}

static bool read_text(struct iso_json_reader *reader, const struct iso_tree *node,
                      const struct iso_field_path *path, char **into)
{
    if (node->kind == ISO_TREE_NUMBER || node->kind == ISO_TREE_BOOL) {
        iso_json_report(reader, node, path, "%.*s is not text; put it in quotes: \"%.*s\"",
                        ISO_SHOWN_BYTES, node->text, ISO_SHOWN_BYTES, node->text);
        return false;
    }
    if (node->kind != ISO_TREE_STRING)
        return wrong_kind(reader, node, path, "text");
    if (strlen(node->text) != node->n_bytes) {
        iso_json_report(reader, node, path, "has a NUL character at byte %zu", strlen(node->text));
        return false;
    }
    *into = iso_arena_strdup(reader->arena, node->text);
    return *into != NULL;
}

static bool read_bytes(struct iso_json_reader *reader, const struct iso_tree *node,
                       const struct iso_field_path *path, ProtobufCBinaryData *into)
{
    size_t n_bytes;

    if (node->kind != ISO_TREE_STRING)
        return wrong_kind(reader, node, path, "text in base64");
    unsigned char *bytes = iso_base64_decode(node->text, node->n_bytes, reader->arena, &n_bytes);
    if (!bytes)
        return !iso_arena_full(reader->arena) && wrong_kind(reader, node, path, "text in base64");
    *into = (ProtobufCBinaryData){.data = bytes, .len = n_bytes};
    return true;
}

bool iso_json_read_scalar(struct iso_json_reader *reader, const ProtobufCFieldDescriptor *field,
                          const struct iso_tree *node, const struct iso_field_path *path,
                          void *into)
{
    double number;

    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return read_integer_32(reader, node, path, /* is_signed= */ true, into);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return read_integer_32(reader, node, path, /* is_signed= */ false, into);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return read_integer_64(reader, node, path, /* is_signed= */ true, into);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return read_integer_64(reader, node, path, /* is_signed= */ false, into);
    case PROTOBUF_C_TYPE_DOUBLE:
        return read_double(reader, node, path, DBL_MAX, into);
    case PROTOBUF_C_TYPE_FLOAT:
        if (!read_double(reader, node, path, (double)FLT_MAX, &number))
            return false;
        *(float *)into = (float)number;
        return true;
    case PROTOBUF_C_TYPE_BOOL:
        if (node->kind != ISO_TREE_BOOL)
            return wrong_kind(reader, node, path, "true or false");
        *(protobuf_c_boolean *)into = node->text[0] == 't';
        return true;
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(reader, field->descriptor, node, path, into);
    case PROTOBUF_C_TYPE_STRING:
        return read_text(reader, node, path, into);
    default:
        return read_bytes(reader, node, path, into);
    }
}

static bool read_money(struct iso_json_reader *reader, Google__Type__Money *money,
                       const struct iso_tree *node, const struct iso_field_path *path)
{
    char code[4];

    if (node->kind == ISO_TREE_NUMBER) {
        iso_json_report(reader, node, path, "%.*s has no currency: write \"%.*s USD\"",
                        ISO_SHOWN_BYTES, node->text, ISO_SHOWN_BYTES, node->text);
        return false;
    }
    if (node->kind != ISO_TREE_STRING || strlen(node->text) != node->n_bytes ||
        !iso_money_parse(node->text, &money->units, &money->nanos, code))
        return wrong_kind(reader, node, path,
                          "money like \"12.5 USD\" (at most 9 places, three letters A-Z)");
    money->currency_code = iso_arena_strdup(reader->arena, code);
    return money->currency_code != NULL;
}

bool iso_json_read_text_message(struct iso_json_reader *reader, ProtobufCMessage *message,
                                const struct iso_tree *node, const struct iso_field_path *path,
                                bool *ret_done)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    const char *text =
        node->kind == ISO_TREE_STRING && strlen(node->text) == node->n_bytes ? node->text : "";

    *ret_done = true;
    if (type == &google__protobuf__timestamp__descriptor) {
        Google__Protobuf__Timestamp *time = (Google__Protobuf__Timestamp *)(void *)message;
        return iso_timestamp_parse(text, &time->seconds, &time->nanos) ||
               wrong_kind(reader, node, path, "a time like \"2025-01-31T12:00:00Z\"");
    }
    if (type == &google__protobuf__duration__descriptor) {
        Google__Protobuf__Duration *duration = (Google__Protobuf__Duration *)(void *)message;
        return iso_duration_parse(text, &duration->seconds, &duration->nanos) ||
               wrong_kind(reader, node, path, "a duration like \"1.5s\"");
    }
    if (type == &google__type__money__descriptor && node->kind != ISO_TREE_OBJECT)
        return read_money(reader, (Google__Type__Money *)(void *)message, node, path);
    *ret_done = false;
    return true;
}

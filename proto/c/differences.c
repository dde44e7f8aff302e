#include "isocost/proto/differences.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "double_text.h"
#include "google/type/money.pb-c.h"
#include "isocost/proto/money.h"
#include "message_field.h"

#define PATH_SIZE 200
#define VALUE_SIZE 160

void iso_differences_say(struct iso_differences *differences, const char *format, ...)
{
    char text[PATH_SIZE + 2 * VALUE_SIZE + 16];
    va_list arguments;

    differences->n++;
    if (differences->n_texts == ISO_DIFFERENCES_SHOWN)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    char *copy = iso_arena_strdup(differences->arena, text);
    if (copy)
        differences->texts[differences->n_texts++] = copy;
}

static const char *join(char *path, const char *before, const char *name)
{
    snprintf(path, PATH_SIZE, "%s%s%s", before, before[0] ? "." : "", name);
    return path;
}

static void write_money(const Google__Type__Money *money, char *text)
{
    char number[ISO_DECIMAL_TEXT_SIZE];
    iso_decimal amount = 0;

    if (iso_money_to_decimal(money, &amount, NULL) == ISO_OK)
        snprintf(text, VALUE_SIZE, "%s %s", iso_decimal_format(amount, number),
                 money->currency_code);
    else
        snprintf(text, VALUE_SIZE, "%" PRId64 ".%09d %s", money->units, money->nanos,
                 money->currency_code);
}

static void write_enum(const ProtobufCEnumDescriptor *type, int value, char *text)
{
    const ProtobufCEnumValue *named = protobuf_c_enum_descriptor_get_value(type, value);

    snprintf(text, VALUE_SIZE, "%s", named ? named->name : "?");
}

/* A value as text; messages other than money have none. */
static bool write_value(const ProtobufCFieldDescriptor *field, const void *value, char *text)
{
    char number[ISO_DOUBLE_TEXT_SIZE];

    switch (field->type) {
    case PROTOBUF_C_TYPE_DOUBLE:
        snprintf(text, VALUE_SIZE, "%s", iso_double_text(*(const double *)value, number));
        return true;
    case PROTOBUF_C_TYPE_STRING: {
        const char *string = *(char *const *)value;
        snprintf(text, VALUE_SIZE, "\"%s\"", string ? string : "");
        return true;
    }
    case PROTOBUF_C_TYPE_BOOL:
        snprintf(text, VALUE_SIZE, "%s", *(const protobuf_c_boolean *)value ? "true" : "false");
        return true;
    case PROTOBUF_C_TYPE_ENUM:
        write_enum(field->descriptor, *(const int *)value, text);
        return true;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        snprintf(text, VALUE_SIZE, "%" PRId32, *(const int32_t *)value);
        return true;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        snprintf(text, VALUE_SIZE, "%" PRId64, *(const int64_t *)value);
        return true;
    case PROTOBUF_C_TYPE_MESSAGE:
        if (field->descriptor != &google__type__money__descriptor)
            return false;
        write_money(*(const Google__Type__Money *const *)value, text);
        return true;
    default:
        snprintf(text, VALUE_SIZE, "?");
        return true;
    }
}

static void compare_values(struct iso_differences *differences, const char *path,
                           const ProtobufCFieldDescriptor *field, const void *before,
                           const void *after)
{
    char left[VALUE_SIZE] = "none", right[VALUE_SIZE] = "none";

    if (before && !write_value(field, before, left)) {
        iso_differences_add(differences, path, *(const ProtobufCMessage *const *)before,
                            after ? *(const ProtobufCMessage *const *)after : NULL);
        return;
    }
    if (after && !write_value(field, after, right)) {
        iso_differences_add(differences, path, NULL, *(const ProtobufCMessage *const *)after);
        return;
    }
    if (strcmp(left, right) != 0)
        iso_differences_say(differences, "%s: %s, then %s", path, left, right);
}

/* --- lists --- */

/* What an element is known by: its id, its key in a map; NULL: its place. */
static const char *name_of(const ProtobufCFieldDescriptor *field, bool is_map, const void *element)
{
    const ProtobufCMessage *message;
    const ProtobufCFieldDescriptor *id;

    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return NULL;
    message = *(const ProtobufCMessage *const *)element;
    if (is_map)
        return iso_map_key(message);
    id = protobuf_c_message_descriptor_get_field_by_name(message->descriptor, "id");
    if (!id || id->type != PROTOBUF_C_TYPE_STRING)
        return NULL;
    return *(char *const *)iso_field_member(message, id);
}

static const void *find(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                        bool is_map, const char *name, size_t place)
{
    size_t n = message ? iso_field_count(message, field) : 0;

    if (!name)
        return place < n ? iso_field_element(message, field, place) : NULL;
    for (size_t k = 0; k < n; k++) {
        const void *element = iso_field_element(message, field, (place + k) % n);
        if (strcmp(name_of(field, is_map, element), name) == 0)
            return element;
    }
    return NULL;
}

static void compare_lists(struct iso_differences *differences, const char *path,
                          const ProtobufCFieldDescriptor *field, bool is_map,
                          const ProtobufCMessage *before, const ProtobufCMessage *after)
{
    size_t n_before = before ? iso_field_count(before, field) : 0;
    size_t n_after = after ? iso_field_count(after, field) : 0;
    char place[PATH_SIZE];

    for (size_t k = 0; k < n_before + n_after; k++) {
        bool first = k < n_before;
        size_t i = first ? k : k - n_before;
        const void *element = iso_field_element(first ? before : after, field, i);
        const char *name = name_of(field, is_map, element);
        const void *other = find(first ? after : before, field, is_map, name, i);

        if (!first && other)
            continue; /* was compared already */
        if (name)
            snprintf(place, sizeof(place), "%.120s[%.70s]", path, name);
        else
            snprintf(place, sizeof(place), "%.160s[%zu]", path, i);
        compare_values(differences, place, field, first ? element : NULL, first ? other : element);
    }
}

/* --- messages --- */

static void compare_field(struct iso_differences *differences, const char *path,
                          const ProtobufCFieldDescriptor *field, const ProtobufCMessage *before,
                          const ProtobufCMessage *after)
{
    bool has_before = iso_field_is_set(before, field), has_after = iso_field_is_set(after, field);

    if (!has_before && !has_after)
        return;
    if (iso_field_is_repeated(field))
        compare_lists(differences, path, field, iso_field_is_map(before->descriptor, field), before,
                      after);
    else
        compare_values(differences, path, field,
                       has_before ? iso_field_member(before, field) : NULL,
                       has_after ? iso_field_member(after, field) : NULL);
}

void iso_differences_add(struct iso_differences *differences, const char *path,
                         const ProtobufCMessage *before, const ProtobufCMessage *after)
{
    char member[PATH_SIZE];

    if (!before && !after)
        return;
    if (!before || !after) {
        iso_differences_say(differences, "%s %s", path, before ? "is gone" : "is new");
        return;
    }
    for (unsigned i = 0; i < before->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &before->descriptor->fields[i];
        compare_field(differences, join(member, path, field->name), field, before, after);
    }
}

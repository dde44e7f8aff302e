#include <math.h>
#include <stdio.h>
#include <string.h>

#include "double_text.h"
#include "emitter.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "isocost/proto/json.h"
#include "isocost/proto/wire.h"
#include "json_names.h"
#include "json_text.h"
#include "message_field.h"

#define ANY_ARENA_BYTES ((size_t)16 << 20)

struct writer {
    struct iso_emitter emitter;
    bool snake_case;
    struct iso_error *reterr;
};

static enum iso_status write_message(struct writer *writer, const ProtobufCMessage *message);

static void write_double(struct writer *writer, double value)
{
    char text[ISO_DOUBLE_TEXT_SIZE];

    iso_double_text(value, text);
    if (isfinite(value))
        iso_emit_bare(&writer->emitter, text);
    else
        iso_emit_text(&writer->emitter, text);
}

static enum iso_status write_bytes(struct writer *writer, const ProtobufCBinaryData *value)
{
    ISO_AUTO_MEM char *text = iso_calloc(value->len / 3 * 4 + 5, 1);

    if (!text)
        return iso_fail(writer->reterr, ISO_E_NOMEM, "", "no memory for %zu bytes as base64",
                        value->len);
    iso_base64_encode(value->data, value->len, text);
    iso_emit_text(&writer->emitter, text);
    return ISO_OK;
}

/* In JSON, 64-bit integers are text so that readers with doubles keep them; YAML has no need. */
static void write_wide(struct writer *writer, const char *text)
{
    if (writer->emitter.style == ISO_EMIT_YAML)
        iso_emit_bare(&writer->emitter, text);
    else
        iso_emit_text(&writer->emitter, text);
}

static enum iso_status write_value(struct writer *writer, const ProtobufCFieldDescriptor *field,
                                   const void *value)
{
    struct iso_emitter *emitter = &writer->emitter;
    const char *name;
    char text[32];

    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        snprintf(text, sizeof(text), "%d", *(const int32_t *)value);
        iso_emit_bare(emitter, text);
        return ISO_OK;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        snprintf(text, sizeof(text), "%u", *(const uint32_t *)value);
        iso_emit_bare(emitter, text);
        return ISO_OK;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        snprintf(text, sizeof(text), "%lld", (long long)*(const int64_t *)value);
        write_wide(writer, text);
        return ISO_OK;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        snprintf(text, sizeof(text), "%llu", (unsigned long long)*(const uint64_t *)value);
        write_wide(writer, text);
        return ISO_OK;
    case PROTOBUF_C_TYPE_FLOAT:
        write_double(writer, (double)*(const float *)value);
        return ISO_OK;
    case PROTOBUF_C_TYPE_DOUBLE:
        write_double(writer, *(const double *)value);
        return ISO_OK;
    case PROTOBUF_C_TYPE_BOOL:
        iso_emit_bare(emitter, *(const protobuf_c_boolean *)value ? "true" : "false");
        return ISO_OK;
    case PROTOBUF_C_TYPE_ENUM:
        name = iso_json_enum_name(field->descriptor, *(const int *)value);
        snprintf(text, sizeof(text), "%d", *(const int *)value);
        if (name)
            iso_emit_text(emitter, name);
        else
            iso_emit_bare(emitter, text);
        return ISO_OK;
    case PROTOBUF_C_TYPE_STRING:
        name = *(char *const *)value;
        iso_emit_text(emitter, name ? name : "");
        return ISO_OK;
    case PROTOBUF_C_TYPE_BYTES:
        return write_bytes(writer, value);
    default:
        return write_message(writer, *(ProtobufCMessage *const *)value);
    }
}

static enum iso_status write_map(struct writer *writer, const ProtobufCMessage *message,
                                 const ProtobufCFieldDescriptor *field)
{
    ISO_AUTO_MEM const ProtobufCMessage **entries = NULL;
    size_t n;

    ISO_TRY(iso_map_sort(message, field, &entries, &n, writer->reterr));
    iso_emit_open(&writer->emitter, /* is_list= */ false);
    for (size_t i = 0; i < n; i++) {
        const ProtobufCFieldDescriptor *value = &entries[i]->descriptor->fields[1];
        iso_emit_key(&writer->emitter, iso_map_key(entries[i]));
        ISO_TRY(write_value(writer, value, iso_field_member(entries[i], value)));
    }
    iso_emit_close(&writer->emitter);
    return ISO_OK;
}

static enum iso_status write_fields(struct writer *writer, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;

    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        char name[ISO_JSON_NAME_SIZE];

        if (!iso_field_is_set(message, field))
            continue;
        iso_emit_key(&writer->emitter,
                     writer->snake_case ? field->name : iso_json_name(field->name, name));
        if (iso_field_is_map(descriptor, field)) {
            ISO_TRY(write_map(writer, message, field));
        } else if (iso_field_is_repeated(field)) {
            iso_emit_open(&writer->emitter, /* is_list= */ true);
            for (size_t k = 0; k < iso_field_count(message, field); k++)
                ISO_TRY(write_value(writer, field, iso_field_element(message, field, k)));
            iso_emit_close(&writer->emitter);
        } else {
            ISO_TRY(write_value(writer, field, iso_field_member(message, field)));
        }
    }
    return ISO_OK;
}

/* The type of an Any whose fields can be shown; NULL: any other. */
static const ProtobufCMessageDescriptor *known_type(const char *type_url)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        &google__rpc__error_info__descriptor,    &google__rpc__retry_info__descriptor,
        &google__rpc__quota_failure__descriptor, &google__rpc__precondition_failure__descriptor,
        &google__rpc__bad_request__descriptor,
    };
    const char *slash = strrchr(type_url, '/');

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(types); i++)
        if (strcmp(slash ? slash + 1 : type_url, types[i]->name) == 0)
            return types[i];
    return NULL;
}

/* The message inside, in the arena; NULL when it is of another type or malformed. */
static ProtobufCMessage *unpack_any(const Google__Protobuf__Any *any, struct iso_arena *arena)
{
    static const struct iso_wire_limits limits = ISO_WIRE_LIMITS_DEFAULT;
    const ProtobufCMessageDescriptor *type = known_type(any->type_url);

    if (!type || iso_wire_scan(type, any->value.data, any->value.len, &limits, NULL) != ISO_OK)
        return NULL;
    return protobuf_c_message_unpack(type, iso_arena_allocator(arena), any->value.len,
                                     any->value.data);
}

static enum iso_status write_any(struct writer *writer, const Google__Protobuf__Any *any)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ANY_ARENA_BYTES);

    if (!arena)
        return iso_fail(writer->reterr, ISO_E_NOMEM, "", "no memory for the details of an error");
    const ProtobufCMessage *inner = unpack_any(any, arena);
    iso_emit_open(&writer->emitter, /* is_list= */ false);
    iso_emit_key(&writer->emitter, "@type");
    iso_emit_text(&writer->emitter, any->type_url);
    if (inner) {
        ISO_TRY(write_fields(writer, inner));
    } else {
        iso_emit_key(&writer->emitter, "value");
        ISO_TRY(write_bytes(writer, &any->value));
    }
    iso_emit_close(&writer->emitter);
    return ISO_OK;
}

static enum iso_status write_message(struct writer *writer, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    char text[ISO_TIME_TEXT_SIZE];
    bool is_text = false;

    if (type == &google__protobuf__any__descriptor)
        return write_any(writer, (const Google__Protobuf__Any *)(const void *)message);
    if (type == &google__protobuf__timestamp__descriptor) {
        const Google__Protobuf__Timestamp *time = (const void *)message;
        is_text = iso_timestamp_format(time->seconds, time->nanos, text);
    } else if (type == &google__protobuf__duration__descriptor) {
        const Google__Protobuf__Duration *duration = (const void *)message;
        is_text = iso_duration_format(duration->seconds, duration->nanos, text);
    }
    if (is_text) {
        iso_emit_text(&writer->emitter, text);
        return ISO_OK;
    }

    iso_emit_open(&writer->emitter, /* is_list= */ false);
    ISO_TRY(write_fields(writer, message));
    iso_emit_close(&writer->emitter);
    return ISO_OK;
}

static enum iso_status write_styled(const ProtobufCMessage *message, enum iso_emitter_style style,
                                    unsigned flags, char **ret_text, struct iso_error *reterr)
{
    struct writer writer = {
        .emitter = {.style = style},
        .snake_case = (flags & ISO_JSON_SNAKE_CASE) != 0,
        .reterr = reterr,
    };

    enum iso_status status = write_message(&writer, message);
    if (status == ISO_OK && writer.emitter.text.failed)
        status = iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the text of a message");
    if (status == ISO_OK && writer.emitter.too_deep)
        status = iso_fail(reterr, ISO_E_LIMIT, "", "the message is nested deeper than %d",
                          ISO_EMITTER_MAX_DEPTH);
    if (status != ISO_OK) {
        free(writer.emitter.text.bytes);
        return status;
    }
    *ret_text = writer.emitter.text.bytes;
    return ISO_OK;
}

enum iso_status iso_json_write(const ProtobufCMessage *message, unsigned flags, char **ret_text,
                               struct iso_error *reterr)
{
    return write_styled(message, flags & ISO_JSON_INDENT ? ISO_EMIT_INDENTED : ISO_EMIT_COMPACT,
                        flags, ret_text, reterr);
}

enum iso_status iso_yaml_write(const ProtobufCMessage *message, unsigned flags, char **ret_text,
                               struct iso_error *reterr)
{
    return write_styled(message, ISO_EMIT_YAML, flags, ret_text, reterr);
}

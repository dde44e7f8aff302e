#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "field_path.h"
#include "isocost/proto/wire.h"

#define TAG_MAX_BYTES 5
#define LENGTH_MAX_BYTES 5
#define VARINT_MAX_BYTES 10
#define FIELD_NUMBER_MAX ((1u << 29) - 1)
#define PATH_NODES 64
#define SEEN_BITS 256 /* fields of one message that are watched for double occurrence */

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_64BIT = 1,
    WIRE_LENGTH = 2,
    WIRE_32BIT = 5,
};

struct scan {
    const struct iso_wire_limits *limits;
    size_t n_messages, n_strings, n_elements;
    struct iso_error *reterr;
};

/* One message under way; the chain of them is the path of an error. */
struct level {
    const struct level *parent;
    const ProtobufCMessageDescriptor *descriptor;
    const unsigned char *start, *end;
    const unsigned char *field_start; /* tag of the field under way */
    const ProtobufCFieldDescriptor *field;
    int depth;
    uint32_t seen[SEEN_BITS / 32];
};

/* Reads a varint of at most max_bytes. NULL when it is truncated or too long. */
static const unsigned char *read_varint(const unsigned char *at, const unsigned char *end,
                                        int max_bytes, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (int i = 0; i < max_bytes && at < end; i++, at++) {
        value |= (uint64_t)(*at & 0x7F) << (7 * i);
        if (!(*at & 0x80)) {
            *ret_value = value;
            return at + 1;
        }
    }
    return NULL;
}

/* Steps over a field of which only the wire type matters; NULL when it does not fit. */
static const unsigned char *skip_value(const unsigned char *at, const unsigned char *end,
                                       unsigned wire_type)
{
    uint64_t value;

    switch (wire_type) {
    case WIRE_VARINT:
        return read_varint(at, end, VARINT_MAX_BYTES, &value);
    case WIRE_64BIT:
        return end - at >= 8 ? at + 8 : NULL;
    case WIRE_32BIT:
        return end - at >= 4 ? at + 4 : NULL;
    case WIRE_LENGTH:
        at = read_varint(at, end, LENGTH_MAX_BYTES, &value);
        return at && value <= (uint64_t)(end - at) ? at + value : NULL;
    default:
        return NULL;
    }
}

/* How often the field under way occurred before in its message: its index. Errors only. */
static long count_earlier(const struct level *level)
{
    const unsigned char *at = level->start;
    long n = 0;

    while (at && at < level->field_start) {
        uint64_t tag;
        at = read_varint(at, level->end, TAG_MAX_BYTES, &tag);
        if (!at)
            break;
        n += tag >> 3 == level->field->id;
        at = skip_value(at, level->end, tag & 7);
    }
    return n;
}

static unsigned wire_type_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return WIRE_32BIT;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return WIRE_64BIT;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_LENGTH;
    default:
        return WIRE_VARINT;
    }
}

/* Numbers in lists may be packed, so their places are not known. */
static bool has_index(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED && wire_type_of(field->type) == WIRE_LENGTH;
}

static char *path_text(const struct level *level, char buffer[ISO_FIELD_PATH_SIZE])
{
    struct iso_field_path nodes[PATH_NODES];
    int n = 0;

    for (; level && n < PATH_NODES; level = level->parent) {
        if (!level->field)
            continue;
        nodes[n] = (struct iso_field_path){
            .name = level->field->name,
            .index = has_index(level->field) ? count_earlier(level) : -1,
        };
        if (n > 0)
            nodes[n - 1].parent = &nodes[n];
        n++;
    }
    return iso_field_path_text(n > 0 ? nodes : NULL, buffer);
}

static __attribute__((format(printf, 4, 5))) enum iso_status
fail(struct scan *scan, const struct level *level, enum iso_status status, const char *format, ...)
{
    char path[ISO_FIELD_PATH_SIZE], text[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return iso_fail(scan->reterr, status, path_text(level, path), "%s", text);
}

static enum iso_status count_message(struct scan *scan, const struct level *level)
{
    if (++scan->n_messages > scan->limits->max_messages)
        return fail(scan, level, ISO_E_LIMIT,
                    "the request has more than %zu sub-messages and unknown fields; use "
                    "UploadModel",
                    scan->limits->max_messages);
    return ISO_OK;
}

static enum iso_status count_elements(struct scan *scan, const struct level *level, size_t n)
{
    scan->n_elements += n;
    if (scan->limits->max_elements > 0 && scan->n_elements > scan->limits->max_elements)
        return fail(scan, level, ISO_E_LIMIT,
                    "the request has more than %zu elements in lists; use UploadModel",
                    scan->limits->max_elements);
    return ISO_OK;
}

static enum iso_status count_string(struct scan *scan, const struct level *level,
                                    const unsigned char *bytes, size_t n_bytes)
{
    if (++scan->n_strings > scan->limits->max_strings)
        return fail(scan, level, ISO_E_LIMIT,
                    "the request has more than %zu strings; use UploadModel",
                    scan->limits->max_strings);
    if (level->field->type != PROTOBUF_C_TYPE_STRING)
        return ISO_OK;
    if (n_bytes > scan->limits->max_string_bytes)
        return fail(scan, level, ISO_E_LIMIT, "has %zu bytes; at most %zu are allowed", n_bytes,
                    scan->limits->max_string_bytes);
    const unsigned char *nul = n_bytes > 0 ? memchr(bytes, '\0', n_bytes) : NULL;
    if (nul)
        return fail(scan, level, ISO_E_INVALID, "has a NUL character at byte %zu",
                    (size_t)(nul - bytes));
    return ISO_OK;
}

static enum iso_status scan_packed(struct scan *scan, const struct level *level,
                                   const unsigned char *bytes, size_t n_bytes)
{
    unsigned element = wire_type_of(level->field->type);
    size_t n = 0;

    if (element != WIRE_VARINT) {
        size_t size = element == WIRE_64BIT ? 8 : 4;
        if (n_bytes % size != 0)
            return fail(scan, level, ISO_E_INVALID,
                        "malformed: %zu packed bytes are no multiple of %zu", n_bytes, size);
        return count_elements(scan, level, n_bytes / size);
    }
    for (const unsigned char *at = bytes, *end = bytes + n_bytes; at < end; n++) {
        uint64_t value;
        at = read_varint(at, end, VARINT_MAX_BYTES, &value);
        if (!at)
            return fail(scan, level, ISO_E_INVALID,
                        "malformed: a packed number is truncated or too long");
    }
    return count_elements(scan, level, n);
}

static enum iso_status scan_message(struct scan *scan, struct level *level);

static enum iso_status scan_child(struct scan *scan, struct level *level,
                                  const unsigned char *bytes, size_t n_bytes)
{
    const ProtobufCFieldDescriptor *field = level->field;
    size_t place = (size_t)(field - level->descriptor->fields);

    ISO_TRY(count_message(scan, level));
    if (level->depth >= scan->limits->max_depth)
        return fail(scan, level, ISO_E_LIMIT, "messages are nested deeper than %d",
                    scan->limits->max_depth);
    if (field->label != PROTOBUF_C_LABEL_REPEATED && place < SEEN_BITS) {
        uint32_t bit = 1u << (place % 32);
        /* Legal, but no encoder writes it, and protobuf-c cannot merge all of them. */
        if (level->seen[place / 32] & bit)
            return fail(scan, level, ISO_E_INVALID,
                        "malformed: occurs twice; a single message may be given once");
        level->seen[place / 32] |= bit;
    }

    struct level child = {
        .parent = level,
        .descriptor = field->descriptor,
        .start = bytes,
        .end = bytes + n_bytes,
        .depth = level->depth + 1,
    };
    return scan_message(scan, &child);
}

static enum iso_status scan_length_delimited(struct scan *scan, struct level *level,
                                             const unsigned char *bytes, size_t n_bytes)
{
    switch (level->field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return scan_child(scan, level, bytes, n_bytes);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
        return count_string(scan, level, bytes, n_bytes);
    default:
        return scan_packed(scan, level, bytes, n_bytes);
    }
}

/* Scans the value at `at` of the field under way; *ret_next is the byte after it. */
static enum iso_status scan_value(struct scan *scan, struct level *level, const unsigned char *at,
                                  unsigned wire_type, const unsigned char **ret_next)
{
    const ProtobufCFieldDescriptor *field = level->field;
    const unsigned char *next = skip_value(at, level->end, wire_type);

    if (!next)
        return fail(scan, level, ISO_E_INVALID, "malformed: the value is truncated or too long");
    *ret_next = next;
    if (!field)
        return count_message(scan, level);

    bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    unsigned expected = wire_type_of(field->type);
    if (wire_type != expected && !(repeated && wire_type == WIRE_LENGTH))
        return fail(scan, level, ISO_E_INVALID, "malformed: has wire type %u; %u is needed",
                    wire_type, expected);
    if (wire_type != WIRE_LENGTH)
        return repeated ? count_elements(scan, level, 1) : ISO_OK;

    uint64_t length = 0;
    at = read_varint(at, level->end, LENGTH_MAX_BYTES, &length);
    return scan_length_delimited(scan, level, at, (size_t)length);
}

static enum iso_status scan_message(struct scan *scan, struct level *level)
{
    const unsigned char *at = level->start;

    while (at < level->end) {
        uint64_t tag = 0;

        level->field = NULL;
        level->field_start = at;
        at = read_varint(at, level->end, TAG_MAX_BYTES, &tag);
        if (!at)
            return fail(scan, level, ISO_E_INVALID,
                        "malformed: a field's tag is truncated or too long");
        if (tag >> 3 == 0 || tag >> 3 > FIELD_NUMBER_MAX)
            return fail(scan, level, ISO_E_INVALID, "malformed: %llu is no field number",
                        (unsigned long long)(tag >> 3));
        level->field =
            protobuf_c_message_descriptor_get_field(level->descriptor, (unsigned)(tag >> 3));
        if ((tag & 7) == 3 || (tag & 7) == 4)
            return fail(scan, level, ISO_E_INVALID, "malformed: groups are not allowed");
        ISO_TRY(scan_value(scan, level, at, (unsigned)(tag & 7), &at));
    }
    return ISO_OK;
}

enum iso_status iso_wire_scan(const ProtobufCMessageDescriptor *descriptor,
                              const unsigned char *bytes, size_t n_bytes,
                              const struct iso_wire_limits *limits, struct iso_error *reterr)
{
    struct scan scan = {.limits = limits, .reterr = reterr};
    struct level top = {.descriptor = descriptor, .depth = 1};

    if (n_bytes > limits->max_bytes)
        return iso_fail(reterr, ISO_E_LIMIT, "",
                        "the message has %zu bytes; at most %zu are allowed; use UploadModel",
                        n_bytes, limits->max_bytes);
    if (n_bytes == 0)
        return ISO_OK;
    top.start = bytes;
    top.end = bytes + n_bytes;
    return scan_message(&scan, &top);
}

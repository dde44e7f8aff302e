#include "isocost/proto/digest.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "double_text.h"
#include "message_field.h"

/* The grammar is in docs/reference/digests.md; a change there needs a new version. */
#define VERSION "1"

#define HELD_BYTES 4096
#define NUMBERS 512 /* a power of two */

/* The text of a number that was there before: plans say the same numbers again and again. */
struct known_number {
    uint64_t bits;
    size_t length; /* 0: free */
    char text[ISO_DOUBLE_TEXT_SIZE];
};

struct digester {
    struct iso_sha256 sha;
    const char *const *omit;
    struct iso_error *reterr;
    size_t n_held;
    unsigned char held[HELD_BYTES]; /* canonical text that is not hashed yet */
    struct known_number numbers[NUMBERS];
};

static enum iso_status add_message(struct digester *digester, const ProtobufCMessage *message);

static void hash_held(struct digester *digester)
{
    iso_sha256_update(&digester->sha, digester->held, digester->n_held);
    digester->n_held = 0;
}

static void add(struct digester *digester, const void *bytes, size_t n_bytes)
{
    if (n_bytes > HELD_BYTES - digester->n_held) {
        hash_held(digester);
        if (n_bytes > HELD_BYTES) {
            iso_sha256_update(&digester->sha, bytes, n_bytes);
            return;
        }
    }
    if (n_bytes > 0)
        memcpy(digester->held + digester->n_held, bytes, n_bytes);
    digester->n_held += n_bytes;
}

static void add_mark(struct digester *digester, char mark)
{
    if (digester->n_held == HELD_BYTES)
        hash_held(digester);
    digester->held[digester->n_held++] = (unsigned char)mark;
}

static void add_unsigned(struct digester *digester, uint64_t value)
{
    char text[20]; /* 2^64 - 1 has 20 digits */
    size_t at = sizeof(text);

    do {
        text[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    add(digester, text + at, sizeof(text) - at);
}

static void add_integer(struct digester *digester, int64_t value)
{
    if (value < 0)
        add_mark(digester, '-');
    add_unsigned(digester, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static void add_double(struct digester *digester, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    struct known_number *known =
        &digester->numbers[bits * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (NUMBERS - 1)];
    if (known->length == 0 || known->bits != bits) {
        char text[ISO_DOUBLE_TEXT_SIZE];
        const char *canonical = iso_double_canonical(value, text);

        known->bits = bits;
        known->length = strlen(canonical);
        memcpy(known->text, canonical, known->length);
    }
    add(digester, known->text, known->length);
}

static void add_bytes(struct digester *digester, const void *bytes, size_t n_bytes)
{
    add_unsigned(digester, n_bytes);
    add_mark(digester, ':');
    add(digester, bytes, n_bytes);
}

static void add_text(struct digester *digester, const char *text)
{
    add_bytes(digester, text, text ? strlen(text) : 0);
}

static enum iso_status add_value(struct digester *digester, const ProtobufCFieldDescriptor *field,
                                 const void *value)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        add_integer(digester, *(const int32_t *)value);
        return ISO_OK;
    case PROTOBUF_C_TYPE_ENUM:
        add_integer(digester, *(const int *)value);
        return ISO_OK;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        add_unsigned(digester, *(const uint32_t *)value);
        return ISO_OK;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        add_integer(digester, *(const int64_t *)value);
        return ISO_OK;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        add_unsigned(digester, *(const uint64_t *)value);
        return ISO_OK;
    case PROTOBUF_C_TYPE_BOOL:
        add_mark(digester, *(const protobuf_c_boolean *)value ? '1' : '0');
        return ISO_OK;
    case PROTOBUF_C_TYPE_FLOAT:
        add_double(digester, (double)*(const float *)value);
        return ISO_OK;
    case PROTOBUF_C_TYPE_DOUBLE:
        add_double(digester, *(const double *)value);
        return ISO_OK;
    case PROTOBUF_C_TYPE_STRING:
        add_text(digester, *(char *const *)value);
        return ISO_OK;
    case PROTOBUF_C_TYPE_BYTES:
        add_bytes(digester, ((const ProtobufCBinaryData *)value)->data,
                  ((const ProtobufCBinaryData *)value)->len);
        return ISO_OK;
    default:
        return add_message(digester, *(ProtobufCMessage *const *)value);
    }
}

static enum iso_status add_map(struct digester *digester, const ProtobufCMessage *message,
                               const ProtobufCFieldDescriptor *field)
{
    ISO_AUTO_MEM const ProtobufCMessage **entries = NULL;
    size_t n;

    ISO_TRY(iso_map_sort(message, field, &entries, &n, digester->reterr));
    add_mark(digester, '<');
    for (size_t i = 0; i < n; i++) {
        const ProtobufCFieldDescriptor *value = &entries[i]->descriptor->fields[1];
        add_text(digester, iso_map_key(entries[i]));
        add_mark(digester, '=');
        ISO_TRY(add_value(digester, value, iso_field_member(entries[i], value)));
        add_mark(digester, ',');
    }
    add_mark(digester, '>');
    return ISO_OK;
}

static enum iso_status add_list(struct digester *digester, const ProtobufCMessage *message,
                                const ProtobufCFieldDescriptor *field)
{
    add_mark(digester, '[');
    for (size_t k = 0; k < iso_field_count(message, field); k++) {
        ISO_TRY(add_value(digester, field, iso_field_element(message, field, k)));
        add_mark(digester, ',');
    }
    add_mark(digester, ']');
    return ISO_OK;
}

static bool is_omitted(const struct digester *digester,
                       const ProtobufCMessageDescriptor *descriptor,
                       const ProtobufCFieldDescriptor *field)
{
    if (!digester->omit)
        return false;
    size_t length = strlen(descriptor->name);

    for (const char *const *name = digester->omit; *name; name++)
        if (strncmp(*name, descriptor->name, length) == 0 && (*name)[length] == '.' &&
            strcmp(*name + length + 1, field->name) == 0)
            return true;
    return false;
}

static enum iso_status add_message(struct digester *digester, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;

    add_mark(digester, '{');
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

        if (!iso_field_is_set(message, field) || is_omitted(digester, descriptor, field))
            continue;
        add_unsigned(digester, field->id);
        add_mark(digester, '=');
        if (iso_field_is_map(descriptor, field))
            ISO_TRY(add_map(digester, message, field));
        else if (iso_field_is_repeated(field))
            ISO_TRY(add_list(digester, message, field));
        else
            ISO_TRY(add_value(digester, field, iso_field_member(message, field)));
        add_mark(digester, ',');
    }
    add_mark(digester, '}');
    return ISO_OK;
}

enum iso_status iso_message_digest(const ProtobufCMessage *message, const char *const *omit,
                                   char text[ISO_DIGEST_TEXT_SIZE], struct iso_error *reterr)
{
    struct digester digester = {.omit = omit, .reterr = reterr};
    unsigned char digest[ISO_SHA256_BYTES];
    const char *type = message->descriptor->name;

    iso_sha256_init(&digester.sha);
    add(&digester, type, strlen(type));
    add(&digester, "\n" VERSION "\n", strlen("\n" VERSION "\n"));
    ISO_TRY(add_message(&digester, message));
    hash_held(&digester);
    iso_sha256_final(&digester.sha, digest);
    iso_digest_text(digest, text);
    return ISO_OK;
}

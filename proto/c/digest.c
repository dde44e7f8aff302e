#include "isocost/proto/digest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "double_text.h"
#include "message_field.h"

/* The grammar is in docs/reference/digests.md; a change there needs a new version. */
#define VERSION "1"

struct digester {
    struct iso_sha256 sha;
    const char *const *omit;
    struct iso_error *reterr;
};

static enum iso_status add_message(struct digester *digester, const ProtobufCMessage *message);

static __attribute__((format(printf, 2, 3))) void add(struct digester *digester, const char *format,
                                                      ...)
{
    char text[ISO_DOUBLE_TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    ISO_ASSERT(length >= 0 && (size_t)length < sizeof(text));
    iso_sha256_update(&digester->sha, text, (size_t)length);
}

static void add_bytes(struct digester *digester, const void *bytes, size_t n_bytes)
{
    add(digester, "%zu:", n_bytes);
    if (n_bytes > 0)
        iso_sha256_update(&digester->sha, bytes, n_bytes);
}

static void add_text(struct digester *digester, const char *text)
{
    add_bytes(digester, text, text ? strlen(text) : 0);
}

static enum iso_status add_value(struct digester *digester, const ProtobufCFieldDescriptor *field,
                                 const void *value)
{
    char text[ISO_DOUBLE_TEXT_SIZE];
    double number;

    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        add(digester, "%d", *(const int32_t *)value);
        return ISO_OK;
    case PROTOBUF_C_TYPE_ENUM:
        add(digester, "%d", *(const int *)value);
        return ISO_OK;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        add(digester, "%u", *(const uint32_t *)value);
        return ISO_OK;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        add(digester, "%lld", (long long)*(const int64_t *)value);
        return ISO_OK;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        add(digester, "%llu", (unsigned long long)*(const uint64_t *)value);
        return ISO_OK;
    case PROTOBUF_C_TYPE_BOOL:
        add(digester, *(const protobuf_c_boolean *)value ? "1" : "0");
        return ISO_OK;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        number = field->type == PROTOBUF_C_TYPE_FLOAT ? (double)*(const float *)value
                                                      : *(const double *)value;
        add(digester, "%s", iso_double_canonical(number, text));
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
    add(digester, "<");
    for (size_t i = 0; i < n; i++) {
        const ProtobufCFieldDescriptor *value = &entries[i]->descriptor->fields[1];
        add_text(digester, iso_map_key(entries[i]));
        add(digester, "=");
        ISO_TRY(add_value(digester, value, iso_field_member(entries[i], value)));
        add(digester, ",");
    }
    add(digester, ">");
    return ISO_OK;
}

static enum iso_status add_list(struct digester *digester, const ProtobufCMessage *message,
                                const ProtobufCFieldDescriptor *field)
{
    add(digester, "[");
    for (size_t k = 0; k < iso_field_count(message, field); k++) {
        ISO_TRY(add_value(digester, field, iso_field_element(message, field, k)));
        add(digester, ",");
    }
    add(digester, "]");
    return ISO_OK;
}

static bool is_omitted(const struct digester *digester,
                       const ProtobufCMessageDescriptor *descriptor,
                       const ProtobufCFieldDescriptor *field)
{
    size_t length = strlen(descriptor->name);

    for (const char *const *name = digester->omit; name && *name; name++)
        if (strncmp(*name, descriptor->name, length) == 0 && (*name)[length] == '.' &&
            strcmp(*name + length + 1, field->name) == 0)
            return true;
    return false;
}

static enum iso_status add_message(struct digester *digester, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;

    add(digester, "{");
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

        if (!iso_field_is_set(message, field) || is_omitted(digester, descriptor, field))
            continue;
        add(digester, "%u=", field->id);
        if (iso_field_is_map(descriptor, field))
            ISO_TRY(add_map(digester, message, field));
        else if (iso_field_is_repeated(field))
            ISO_TRY(add_list(digester, message, field));
        else
            ISO_TRY(add_value(digester, field, iso_field_member(message, field)));
        add(digester, ",");
    }
    add(digester, "}");
    return ISO_OK;
}

enum iso_status iso_message_digest(const ProtobufCMessage *message, const char *const *omit,
                                   char text[ISO_DIGEST_TEXT_SIZE], struct iso_error *reterr)
{
    struct digester digester = {.omit = omit, .reterr = reterr};
    unsigned char digest[ISO_SHA256_BYTES];
    const char *type = message->descriptor->name;

    iso_sha256_init(&digester.sha);
    iso_sha256_update(&digester.sha, type, strlen(type));
    add(&digester, "\n" VERSION "\n");
    ISO_TRY(add_message(&digester, message));
    iso_sha256_final(&digester.sha, digest);
    iso_digest_text(digest, text);
    return ISO_OK;
}

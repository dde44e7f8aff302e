#include "message_field.h"

#include <ctype.h>
#include <string.h>

#include "isocost/base/memory.h"

size_t iso_field_value_bytes(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
        return 4;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 8;
    }
}

const void *iso_field_element(const ProtobufCMessage *message,
                              const ProtobufCFieldDescriptor *field, size_t k)
{
    const char *elements = *(char *const *)iso_field_member(message, field);

    return elements + k * iso_field_value_bytes(field->type);
}

bool iso_field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const void *member = iso_field_member(message, field);

    if (iso_field_is_repeated(field))
        return iso_field_count(message, field) > 0;
    if (iso_field_in_oneof(field) && iso_field_oneof_case(message, field) != field->id)
        return false;

    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return *(ProtobufCMessage *const *)member != NULL;
    case PROTOBUF_C_TYPE_STRING:
        return *(char *const *)member &&
               (iso_field_in_oneof(field) || **(char *const *)member != '\0');
    default:
        break;
    }
    if (iso_field_in_oneof(field))
        return true;

    switch (field->type) {
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)member)->len > 0;
    case PROTOBUF_C_TYPE_DOUBLE:
        return *(const double *)member != 0.0;
    case PROTOBUF_C_TYPE_FLOAT:
        return *(const float *)member != 0.0f;
    case PROTOBUF_C_TYPE_BOOL:
        return *(const protobuf_c_boolean *)member != 0;
    default:
        return iso_field_value_bytes(field->type) == 4 ? *(const uint32_t *)member != 0
                                                       : *(const uint64_t *)member != 0;
    }
}

bool iso_field_is_map(const ProtobufCMessageDescriptor *owner,
                      const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    size_t owner_length = strlen(owner->name);

    if (field->label != PROTOBUF_C_LABEL_REPEATED || field->type != PROTOBUF_C_TYPE_MESSAGE ||
        entry->n_fields != 2 || entry->fields[0].type != PROTOBUF_C_TYPE_STRING ||
        strcmp(entry->fields[0].name, "key") != 0 || strcmp(entry->fields[1].name, "value") != 0)
        return false;

    /* protoc names the entry "Owner.FieldNameEntry". */
    const char *name = entry->name + owner_length;
    if (strncmp(entry->name, owner->name, owner_length) != 0 || *name++ != '.')
        return false;
    bool upper = true;
    for (const char *c = field->name; *c; c++) {
        if (*c == '_') {
            upper = true;
            continue;
        }
        if (*name++ != (char)(upper ? toupper((unsigned char)*c) : *c))
            return false;
        upper = false;
    }
    return strcmp(name, "Entry") == 0;
}

const char *iso_map_key(const ProtobufCMessage *entry)
{
    const char *key = *(char *const *)iso_field_member(entry, &entry->descriptor->fields[0]);

    return key ? key : "";
}

/* By key, then by place: the array holds addresses of the slots of the original list. */
static int compare_entries(const void *a, const void *b)
{
    ProtobufCMessage *const *slot_a = *(ProtobufCMessage *const *const *)a;
    ProtobufCMessage *const *slot_b = *(ProtobufCMessage *const *const *)b;
    int order = strcmp(iso_map_key(*slot_a), iso_map_key(*slot_b));

    return order != 0 ? order : (slot_a > slot_b) - (slot_a < slot_b);
}

enum iso_status iso_map_sort(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                             const ProtobufCMessage ***ret_entries, size_t *ret_n,
                             struct iso_error *reterr)
{
    size_t n = iso_field_count(message, field), n_kept = 0;
    ProtobufCMessage *const *list =
        *(ProtobufCMessage *const *const *)iso_field_member(message, field);
    ISO_AUTO_MEM ProtobufCMessage *const **slots = iso_calloc(n, sizeof(*slots));
    ISO_AUTO_MEM const ProtobufCMessage **entries = iso_calloc(n, sizeof(*entries));

    if (!slots || !entries)
        return iso_fail(reterr, ISO_E_NOMEM, field->name, "no memory for %zu map entries", n);
    for (size_t i = 0; i < n; i++)
        slots[i] = &list[i];
    qsort(slots, n, sizeof(*slots), compare_entries);
    for (size_t i = 0; i < n; i++) {
        if (i + 1 < n && strcmp(iso_map_key(*slots[i]), iso_map_key(*slots[i + 1])) == 0)
            continue;
        entries[n_kept++] = *slots[i];
    }
    *ret_entries = ISO_STEAL(entries);
    *ret_n = n_kept;
    return ISO_OK;
}

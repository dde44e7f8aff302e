/* Members of generated structs by descriptor: where the codec's knowledge of protobuf-c's memory
 * layout lives. */
#ifndef ISOCOST_PROTO_MESSAGE_FIELD_H
#define ISOCOST_PROTO_MESSAGE_FIELD_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isocost/base/status.h"

/* Bytes of one value of the type in a struct or array. */
size_t iso_field_value_bytes(ProtobufCType type);

static inline bool iso_field_is_repeated(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED;
}

static inline bool iso_field_in_oneof(const ProtobufCFieldDescriptor *field)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

static inline const void *iso_field_member(const ProtobufCMessage *message,
                                           const ProtobufCFieldDescriptor *field)
{
    return (const char *)message + field->offset;
}

/* Number of elements of a repeated field. */
static inline size_t iso_field_count(const ProtobufCMessage *message,
                                     const ProtobufCFieldDescriptor *field)
{
    return *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
}

/* Id of the member that is set in the oneof of `field`; 0: none. */
static inline uint32_t iso_field_oneof_case(const ProtobufCMessage *message,
                                            const ProtobufCFieldDescriptor *field)
{
    return *(const uint32_t *)(const void *)((const char *)message + field->quantifier_offset);
}

/* The k-th element of a repeated field. */
const void *iso_field_element(const ProtobufCMessage *message,
                              const ProtobufCFieldDescriptor *field, size_t k);

/* Whether the field is written: lists that are not empty, oneof members that are set, messages that
 * are there, and other values that are not zero or empty. */
bool iso_field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* Whether the field is a map with text keys. */
bool iso_field_is_map(const ProtobufCMessageDescriptor *owner,
                      const ProtobufCFieldDescriptor *field);

/* Text key of a map's entry; never NULL. */
const char *iso_map_key(const ProtobufCMessage *entry);

/* The entries sorted by key (bytes); of equal keys only the last. The caller frees *ret_entries.
 * Errors: ISO_E_NOMEM. */
enum iso_status iso_map_sort(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                             const ProtobufCMessage ***ret_entries, size_t *ret_n,
                             struct iso_error *reterr);

#endif

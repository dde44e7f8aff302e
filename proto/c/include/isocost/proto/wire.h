/* From bytes to a checked message. protobuf-c has no depth limit, no UTF-8 check and keeps unknown
 * enum values, so the wire is scanned before it is unpacked and the message is checked after. */
#ifndef ISOCOST_PROTO_WIRE_H
#define ISOCOST_PROTO_WIRE_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "isocost/proto/arena.h"
#include "isocost/proto/violations.h"

struct iso_wire_limits {
    size_t max_bytes;        /* of the whole message */
    size_t max_messages;     /* sub-messages and unknown fields, all together */
    size_t max_strings;      /* strings and bytes fields, all together */
    size_t max_string_bytes; /* of one string; bytes fields are bounded by max_bytes only */
    int max_depth;           /* of nested messages; the top has depth 1 */
    size_t max_elements;     /* numbers in lists, all together; 0: bounded by max_bytes only */
};

#define ISO_WIRE_LIMITS_MODEL                                                    \
    {                                                                            \
        .max_bytes = 16u << 20, .max_messages = 2000000, .max_strings = 4000000, \
        .max_string_bytes = 65536, .max_depth = 32, .max_elements = 8000000      \
    }
#define ISO_WIRE_LIMITS_DEFAULT                                               \
    {                                                                         \
        .max_bytes = 4u << 20, .max_messages = 200000, .max_strings = 400000, \
        .max_string_bytes = 65536, .max_depth = 32, .max_elements = 1000000   \
    }

/* Scans without allocating. Errors: ISO_E_INVALID (malformed; the field path as far as known),
 * ISO_E_LIMIT (a limit above; the text says which, what was found and, for size, `use
 * UploadModel`). */
ISO_EXPORT enum iso_status iso_wire_scan(const ProtobufCMessageDescriptor *descriptor,
                                         const unsigned char *bytes, size_t n_bytes,
                                         const struct iso_wire_limits *limits,
                                         struct iso_error *reterr);

/* Checks a decoded message: UTF-8, no NUL in strings, known enum values, finite doubles. Adds one
 * violation for each bad field. `path` is the prefix of the fields, "" at the top. */
ISO_EXPORT void iso_message_check(const ProtobufCMessage *message, const char *path,
                                  struct iso_violations *violations);

/* iso_wire_scan(), unpack into the arena, iso_message_check(). The message lives in the arena: do
 * not free it. Errors: as above, ISO_E_INVALID with all violations, ISO_E_LIMIT when the arena is
 * full. */
ISO_EXPORT enum iso_status
iso_wire_decode(const ProtobufCMessageDescriptor *descriptor, const unsigned char *bytes,
                size_t n_bytes, const struct iso_wire_limits *limits, struct iso_arena *arena,
                struct iso_violations *violations, ProtobufCMessage **ret_message,
                struct iso_error *reterr);

#endif

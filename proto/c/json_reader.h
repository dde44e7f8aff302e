/* State of one read, shared by the two files that turn a tree into a message. */
#ifndef ISOCOST_PROTO_JSON_READER_H
#define ISOCOST_PROTO_JSON_READER_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "field_path.h"
#include "isocost/proto/violations.h"
#include "tree.h"

#define ISO_SHOWN_BYTES 60 /* of a wrong value in a report */

struct iso_json_reader {
    struct iso_arena *arena;
    struct iso_violations *violations;
};

/* Adds a violation; the text begins with the node's line if that is known. */
__attribute__((format(printf, 4, 5))) void iso_json_report(struct iso_json_reader *reader,
                                                           const struct iso_tree *node,
                                                           const struct iso_field_path *path,
                                                           const char *format, ...);

/* Reads a value that is no message into its place. False: reported, or the arena is full. */
bool iso_json_read_scalar(struct iso_json_reader *reader, const ProtobufCFieldDescriptor *field,
                          const struct iso_tree *node, const struct iso_field_path *path,
                          void *into);

/* Reads a message that is text in JSON (Timestamp, Duration, Money as "12.5 USD"). *ret_done is
 * false when the message is an ordinary object. */
bool iso_json_read_text_message(struct iso_json_reader *reader, ProtobufCMessage *message,
                                const struct iso_tree *node, const struct iso_field_path *path,
                                bool *ret_done);

#endif

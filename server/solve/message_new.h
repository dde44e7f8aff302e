/* Messages made in an arena. */
#ifndef ISOCOST_SERVER_MESSAGE_NEW_H
#define ISOCOST_SERVER_MESSAGE_NEW_H

#include "isocost/proto/arena.h"

/* An empty message. NULL when the arena is full. */
void *iso_message_new(struct iso_arena *arena, const ProtobufCMessageDescriptor *descriptor);

/* n empty messages behind an array of pointers to them, as repeated fields want it. NULL when the
 * arena is full. The pointers may be cast to the type of the message. */
void **iso_messages_new(struct iso_arena *arena, size_t n,
                        const ProtobufCMessageDescriptor *descriptor);

#endif

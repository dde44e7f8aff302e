#include "message_new.h"

void *iso_message_new(struct iso_arena *arena, const ProtobufCMessageDescriptor *descriptor)
{
    void *message = iso_arena_calloc(arena, 1, descriptor->sizeof_message);
    if (message)
        protobuf_c_message_init(descriptor, message);
    return message;
}

void **iso_messages_new(struct iso_arena *arena, size_t n,
                        const ProtobufCMessageDescriptor *descriptor)
{
    void **messages = iso_arena_calloc(arena, n ? n : 1, sizeof(*messages));
    char *bodies = iso_arena_calloc(arena, n ? n : 1, descriptor->sizeof_message);
    if (!messages || !bodies)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        messages[i] = bodies + i * descriptor->sizeof_message;
        protobuf_c_message_init(descriptor, messages[i]);
    }
    return messages;
}

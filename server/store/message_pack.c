#include "store.h"

struct iso_bytes iso_message_pack(const ProtobufCMessage *message, struct iso_arena *arena)
{
    size_t n_bytes = protobuf_c_message_get_packed_size(message);
    unsigned char *bytes = iso_arena_calloc(arena, n_bytes + 1, 1);

    if (!bytes)
        return (struct iso_bytes){0};
    protobuf_c_message_pack(message, bytes);
    return (struct iso_bytes){.bytes = bytes, .n_bytes = n_bytes};
}

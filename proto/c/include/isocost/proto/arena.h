/* One arena per request: holds the decoded message, scratch and reply; freed in one step. */
#ifndef ISOCOST_PROTO_ARENA_H
#define ISOCOST_PROTO_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "isocost/base/memory.h"

struct iso_arena;

/* Makes an arena that hands out at most `ceiling_bytes` in all. NULL when memory is short. */
ISO_EXPORT struct iso_arena *iso_arena_new(size_t ceiling_bytes);

/* Makes what the arena has handed out stay until one more iso_arena_free(). From any thread, but
 * only one may allocate. Returns `arena`. */
ISO_EXPORT struct iso_arena *iso_arena_hold(struct iso_arena *arena);

/* Ends one hold, of which a new arena has one; the last frees everything handed out. Accepts NULL.
 */
ISO_EXPORT void iso_arena_free(struct iso_arena *arena);
ISO_DEFINE_FREEP(iso_arena)

/* n * size zeroed bytes, aligned for any type. NULL when the ceiling or memory is reached; the
 * arena is then full() for good. */
ISO_EXPORT void *iso_arena_calloc(struct iso_arena *arena, size_t n, size_t size);
ISO_EXPORT char *iso_arena_strdup(struct iso_arena *arena, const char *text);
ISO_EXPORT __attribute__((format(printf, 2, 3))) char *iso_arena_printf(struct iso_arena *arena,
                                                                        const char *format, ...);

/* Whether an allocation was refused: tells "no memory" from "bad bytes" after unpack. */
ISO_EXPORT bool iso_arena_full(const struct iso_arena *arena);

/* Bytes handed out. */
ISO_EXPORT size_t iso_arena_used(const struct iso_arena *arena);

/* Bytes that may still be handed out; 0 when full. */
ISO_EXPORT size_t iso_arena_left(const struct iso_arena *arena);

/* A copy of a message in the arena, by way of its wire form; NULL when the arena or memory is full.
 */
ISO_EXPORT void *iso_arena_copy(struct iso_arena *arena, const ProtobufCMessage *message);

/* The arena as protobuf-c's allocator; lives as long as the arena. */
ISO_EXPORT ProtobufCAllocator *iso_arena_allocator(struct iso_arena *arena);

#endif

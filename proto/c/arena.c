#include "isocost/proto/arena.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#define FIRST_BLOCK_BYTES ((size_t)4 << 10)
#define LARGEST_BLOCK_BYTES ((size_t)1 << 20)
/* What an arena takes beyond so much comes in blocks that isocostd maps one by one, and so goes
 * back to the system when it is freed; heaps would keep it, full of holes. */
#define LARGE_ARENA_BYTES ((size_t)32 << 20)
#define MAPPED_BLOCK_BYTES ((size_t)8 << 20)
#define ALIGNMENT _Alignof(max_align_t)

struct block {
    struct block *next;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct iso_arena {
    struct block *blocks; /* all of them, in no order */
    unsigned char *free_bytes;
    size_t n_free, next_block_bytes;
    size_t ceiling, used;
    atomic_int n_holds;
    bool full;
    ProtobufCAllocator allocator;
};

static void *allocate(void *arena, size_t size)
{
    return iso_arena_calloc(arena, 1, size);
}

static void release(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer; /* lives as long as the arena */
}

struct iso_arena *iso_arena_new(size_t ceiling_bytes)
{
    struct iso_arena *arena = iso_calloc(1, sizeof(*arena));

    if (!arena)
        return NULL;
    arena->ceiling = ceiling_bytes;
    atomic_init(&arena->n_holds, 1);
    arena->next_block_bytes = FIRST_BLOCK_BYTES;
    arena->allocator = (ProtobufCAllocator){
        .alloc = allocate,
        .free = release,
        .allocator_data = arena,
    };
    return arena;
}

struct iso_arena *iso_arena_hold(struct iso_arena *arena)
{
    atomic_fetch_add(&arena->n_holds, 1);
    return arena;
}

void iso_arena_free(struct iso_arena *arena)
{
    if (!arena || atomic_fetch_sub(&arena->n_holds, 1) > 1)
        return;
    for (struct block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

static unsigned char *add_block(struct iso_arena *arena, size_t n_bytes)
{
    struct block *block = iso_calloc(1, sizeof(*block) + n_bytes);

    if (!block)
        return NULL;
    block->next = arena->blocks;
    arena->blocks = block;
    return block->bytes;
}

/* `size` is a multiple of the alignment. */
static void *take(struct iso_arena *arena, size_t size)
{
    if (size > arena->n_free) {
        if (size > arena->next_block_bytes / 4)
            return add_block(arena, size);
        bool large = arena->used >= LARGE_ARENA_BYTES;
        size_t n_bytes = large ? MAPPED_BLOCK_BYTES : arena->next_block_bytes;
        unsigned char *bytes = add_block(arena, n_bytes);
        if (!bytes)
            return NULL;
        arena->free_bytes = bytes;
        arena->n_free = n_bytes;
        if (arena->next_block_bytes < LARGEST_BLOCK_BYTES)
            arena->next_block_bytes *= 2;
    }

    void *taken = arena->free_bytes;
    arena->free_bytes += size;
    arena->n_free -= size;
    return taken;
}

void *iso_arena_calloc(struct iso_arena *arena, size_t n, size_t size)
{
    size_t n_bytes;

    if (__builtin_mul_overflow(n, size, &n_bytes) || n_bytes > SIZE_MAX / 2) {
        arena->full = true;
        return NULL;
    }
    n_bytes = (n_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (n_bytes == 0)
        n_bytes = ALIGNMENT;

    void *taken =
        !arena->full && n_bytes <= arena->ceiling - arena->used ? take(arena, n_bytes) : NULL;
    if (!taken) {
        arena->full = true;
        return NULL;
    }
    arena->used += n_bytes;
    return taken;
}

char *iso_arena_strdup(struct iso_arena *arena, const char *text)
{
    if (!text)
        return NULL;
    size_t n_bytes = strlen(text) + 1;
    char *copy = iso_arena_calloc(arena, 1, n_bytes);
    return copy ? memcpy(copy, text, n_bytes) : NULL;
}

char *iso_arena_printf(struct iso_arena *arena, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        return NULL;

    char *text = iso_arena_calloc(arena, 1, (size_t)length + 1);
    if (!text)
        return NULL;
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

void *iso_arena_copy(struct iso_arena *arena, const ProtobufCMessage *message)
{
    size_t n_bytes = protobuf_c_message_get_packed_size(message);
    ISO_AUTO_MEM unsigned char *bytes = iso_calloc(n_bytes + 1, 1);

    if (!bytes)
        return NULL;
    protobuf_c_message_pack(message, bytes);
    return protobuf_c_message_unpack(message->descriptor, &arena->allocator, n_bytes, bytes);
}

bool iso_arena_full(const struct iso_arena *arena)
{
    return arena->full;
}

size_t iso_arena_used(const struct iso_arena *arena)
{
    return arena->used;
}

size_t iso_arena_left(const struct iso_arena *arena)
{
    return arena->full ? 0 : arena->ceiling - arena->used;
}

ProtobufCAllocator *iso_arena_allocator(struct iso_arena *arena)
{
    return &arena->allocator;
}

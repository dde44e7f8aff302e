#include "isocost/sdk/scratch.h"

#include <stdint.h>

#define BLOCK_BYTES ((size_t)16 << 10)
#define ALIGNMENT _Alignof(max_align_t)

struct block {
    struct block *next;
    size_t n_used, n_bytes;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct iso_scratch {
    struct block *blocks; /* the one in use first */
    size_t n_used, max_bytes;
};

struct iso_scratch *iso_scratch_new(size_t max_bytes)
{
    struct iso_scratch *scratch = iso_calloc(1, sizeof(*scratch));

    if (scratch)
        scratch->max_bytes = max_bytes;
    return scratch;
}

static void free_blocks(struct block *block)
{
    while (block) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

void iso_scratch_free(struct iso_scratch *scratch)
{
    if (!scratch)
        return;
    free_blocks(scratch->blocks);
    free(scratch);
}

void iso_scratch_reset(struct iso_scratch *scratch)
{
    scratch->n_used = 0;
    if (!scratch->blocks)
        return;
    free_blocks(ISO_STEAL(scratch->blocks->next));
    scratch->blocks->n_used = 0; /* kept for the next row */
}

void *iso_scratch_calloc(struct iso_scratch *scratch, size_t n, size_t size)
{
    size_t n_bytes;
    struct block *block = scratch->blocks;

    if (__builtin_mul_overflow(n, size, &n_bytes) || n_bytes > scratch->max_bytes - scratch->n_used)
        return NULL;
    n_bytes = (n_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!block || n_bytes > block->n_bytes - block->n_used) {
        size_t wanted = n_bytes > BLOCK_BYTES ? n_bytes : BLOCK_BYTES;
        block = iso_calloc(1, sizeof(*block) + wanted);
        if (!block)
            return NULL;
        block->n_bytes = wanted;
        block->next = scratch->blocks;
        scratch->blocks = block;
    }
    void *taken = block->bytes + block->n_used;
    block->n_used += n_bytes;
    scratch->n_used += n_bytes < scratch->max_bytes - scratch->n_used
                           ? n_bytes
                           : scratch->max_bytes - scratch->n_used;
    return memset(taken, 0, n_bytes);
}

char *iso_scratch_text(struct iso_scratch *scratch, const char *text, size_t n_bytes)
{
    char *copy = n_bytes < SIZE_MAX ? iso_scratch_calloc(scratch, n_bytes + 1, 1) : NULL;

    return copy ? memcpy(copy, text, n_bytes) : NULL;
}

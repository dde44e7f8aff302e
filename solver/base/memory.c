#include "isocost/base/memory.h"

#include <stdint.h>
#include <stdio.h>

static long allocations_until_failure = -1;

void iso_alloc_fail_at(long nth)
{
    allocations_until_failure = nth;
}

/* Counts down to the planned failure; there is none outside tests. */
static int fails_now(void)
{
    if (allocations_until_failure < 0)
        return 0;
    return allocations_until_failure-- == 0;
}

void *iso_calloc(size_t n, size_t size)
{
    if (fails_now())
        return NULL;
    return calloc(n ? n : 1, size ? size : 1);
}

void *iso_realloc(void *p, size_t n, size_t size)
{
    if (fails_now() || (size != 0 && n > SIZE_MAX / size))
        return NULL;
    return realloc(p, n * size != 0 ? n * size : 1);
}

char *iso_strdup(const char *text)
{
    if (!text)
        return NULL;
    size_t n_bytes = strlen(text) + 1;
    char *copy = iso_calloc(n_bytes, 1);
    return copy ? memcpy(copy, text, n_bytes) : NULL;
}

void iso_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "isocost: bug at %s:%d: %s\n", file, line, condition);
    abort();
}

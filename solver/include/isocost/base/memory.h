/* Ownership: the variable is the owner; each exit frees what it holds. */
#ifndef ISOCOST_BASE_MEMORY_H
#define ISOCOST_BASE_MEMORY_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define ISO_EXPORT __attribute__((visibility("default")))

/* ISO_AUTO(iso_plan) plan = NULL;  -- plan is freed when it leaves scope. */
#define ISO_AUTO(type) __attribute__((cleanup(type##_freep))) struct type *
#define ISO_DEFINE_FREEP(type)                       \
    static inline void type##_freep(struct type **p) \
    {                                                \
        type##_free(*p);                             \
        *p = NULL;                                   \
    }

/* ISO_AUTO_MEM double *v = iso_calloc(n, sizeof(*v));  -- the same for plain memory. */
#define ISO_AUTO_MEM __attribute__((cleanup(iso_mem_freep)))
static inline void iso_mem_freep(void *address_of_pointer)
{
    void *p;
    memcpy(&p, address_of_pointer, sizeof(p));
    free(p);
}

/* Yields the pointer and clears the variable: ownership moves to the receiver. */
#define ISO_STEAL(p)                 \
    __extension__({                  \
        __typeof__(p) stolen_ = (p); \
        (p) = NULL;                  \
        stolen_;                     \
    })

#define ISO_ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* Returns n * size zeroed bytes, or NULL when memory is short or the product overflows.
 * A zero product yields a valid pointer. The caller frees it with free(). */
ISO_EXPORT void *iso_calloc(size_t n, size_t size);

/* Changes the size of an array of n elements. On failure returns NULL and `p` is unchanged;
 * new bytes are not cleared. */
ISO_EXPORT void *iso_realloc(void *p, size_t n, size_t size);

/* Copies `text` (NULL gives NULL). The caller frees it with free(). */
ISO_EXPORT char *iso_strdup(const char *text);

/* Tests only: makes the n-th iso_ allocation from now (0 = the next) fail once; -1 = never. */
ISO_EXPORT void iso_alloc_fail_at(long nth);

/* A bug, never a user's mistake: prints the place and aborts, in every build. */
#define ISO_ASSERT(condition)                                  \
    do {                                                       \
        if (!(condition))                                      \
            iso_assert_failed(#condition, __FILE__, __LINE__); \
    } while (0)
ISO_EXPORT _Noreturn void iso_assert_failed(const char *condition, const char *file, int line);

#endif

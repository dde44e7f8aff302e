/* What resolving found out about a snapshot, kept for the next model over the same one: results as
 * plain bytes, each named by the digest of everything that it follows from. So nothing is ever out
 * of date, and whether a result was kept changes no answer.
 *
 * All calls are safe from any thread. */
#ifndef ISOCOST_SERVER_RESOLVE_CACHE_H
#define ISOCOST_SERVER_RESOLVE_CACHE_H

#include <stddef.h>

#include "isocost/base/sha256.h"

struct iso_resolve_cache;

/* Bytes that all of a process's snapshots may take together: the rows that a selector matches are
 * one bit each, 14 kB of a catalog of 113,000 offerings. */
#define ISO_RESOLVE_CACHE_BYTES ((size_t)32 << 20)

/* A result. Whoever holds it may read its bytes, which never change. */
struct iso_cached {
    const void *bytes; /* aligned for any type */
    size_t n_bytes;
};

/* Makes an empty cache. Results that nobody holds take at most `most_bytes`; those that were not
 * asked for the longest go first. NULL when memory is short. */
ISO_EXPORT struct iso_resolve_cache *iso_resolve_cache_new(size_t most_bytes);

/* Nothing of it may be held any more. Accepts NULL. */
ISO_EXPORT void iso_resolve_cache_free(struct iso_resolve_cache *cache);
ISO_DEFINE_FREEP(iso_resolve_cache)

/* The result of this digest, held until it is released; NULL when there is none. */
ISO_EXPORT const struct iso_cached *
iso_resolve_cache_find(struct iso_resolve_cache *cache,
                       const unsigned char digest[ISO_SHA256_BYTES]);

/* Takes over `bytes` (from iso_calloc(), also on failure) as the result of this digest, held until
 * it is released. Where another thread was faster the result is that one's, which is equal. NULL
 * when memory is short. */
ISO_EXPORT const struct iso_cached *
iso_resolve_cache_take(struct iso_resolve_cache *cache,
                       const unsigned char digest[ISO_SHA256_BYTES], void *bytes, size_t n_bytes);

/* Ends one hold. Accepts NULL. */
ISO_EXPORT void iso_resolve_cache_release(struct iso_resolve_cache *cache,
                                          const struct iso_cached *cached);

#endif

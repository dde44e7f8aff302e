#include "resolve_cache.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#define N_BUCKETS 1024

struct entry {
    struct iso_cached cached; /* first: a result is its entry */
    void *bytes;              /* the same, to be freed */
    unsigned char digest[ISO_SHA256_BYTES];
    int n_holders;
    struct entry *next_in_bucket;
    struct entry *newer, *older; /* by when they were asked for last */
};

struct iso_resolve_cache {
    pthread_mutex_t lock;
    size_t most_bytes, n_bytes; /* the second: of all entries, held or not */
    struct entry *newest, *oldest;
    struct entry *buckets[N_BUCKETS];
};

struct iso_resolve_cache *iso_resolve_cache_new(size_t most_bytes)
{
    struct iso_resolve_cache *cache = iso_calloc(1, sizeof(*cache));

    if (!cache)
        return NULL;
    cache->most_bytes = most_bytes;
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

static struct entry **bucket_of(struct iso_resolve_cache *cache, const unsigned char *digest)
{
    return &cache->buckets[(digest[0] | (size_t)digest[1] << 8) % N_BUCKETS];
}

static void unlink_from_list(struct iso_resolve_cache *cache, struct entry *entry)
{
    *(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void link_as_newest(struct iso_resolve_cache *cache, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(entry->older ? &entry->older->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

static void drop(struct iso_resolve_cache *cache, struct entry *entry)
{
    struct entry **at = bucket_of(cache, entry->digest);

    while (*at != entry)
        at = &(*at)->next_in_bucket;
    *at = entry->next_in_bucket;
    unlink_from_list(cache, entry);
    cache->n_bytes -= entry->cached.n_bytes;
    free(entry->bytes);
    free(entry);
}

/* Drops the oldest of those that nobody holds until what is there is not too much. */
static void shrink(struct iso_resolve_cache *cache)
{
    struct entry *entry = cache->oldest;

    while (entry && cache->n_bytes > cache->most_bytes) {
        struct entry *newer = entry->newer;
        if (entry->n_holders == 0)
            drop(cache, entry);
        entry = newer;
    }
}

void iso_resolve_cache_free(struct iso_resolve_cache *cache)
{
    if (!cache)
        return;
    while (cache->newest)
        drop(cache, cache->newest);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

/* With the lock held: the entry, once more held and now the newest; NULL when there is none. */
static struct entry *hold(struct iso_resolve_cache *cache, const unsigned char *digest)
{
    struct entry *entry = *bucket_of(cache, digest);

    while (entry && memcmp(entry->digest, digest, ISO_SHA256_BYTES) != 0)
        entry = entry->next_in_bucket;
    if (!entry)
        return NULL;
    entry->n_holders++;
    unlink_from_list(cache, entry);
    link_as_newest(cache, entry);
    return entry;
}

const struct iso_cached *iso_resolve_cache_find(struct iso_resolve_cache *cache,
                                                const unsigned char digest[ISO_SHA256_BYTES])
{
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = hold(cache, digest);
    pthread_mutex_unlock(&cache->lock);
    return entry ? &entry->cached : NULL;
}

const struct iso_cached *iso_resolve_cache_take(struct iso_resolve_cache *cache,
                                                const unsigned char digest[ISO_SHA256_BYTES],
                                                void *bytes, size_t n_bytes)
{
    struct entry *made = iso_calloc(1, sizeof(*made));

    if (!made) {
        free(bytes);
        return NULL;
    }
    made->cached = (struct iso_cached){bytes, n_bytes};
    made->bytes = bytes;
    made->n_holders = 1;
    memcpy(made->digest, digest, ISO_SHA256_BYTES);

    pthread_mutex_lock(&cache->lock);
    struct entry *entry = hold(cache, digest);
    if (!entry) {
        struct entry **bucket = bucket_of(cache, digest);
        entry = ISO_STEAL(made);
        entry->next_in_bucket = *bucket;
        *bucket = entry;
        link_as_newest(cache, entry);
        cache->n_bytes += n_bytes;
        shrink(cache);
    }
    pthread_mutex_unlock(&cache->lock);
    if (made) {
        free(bytes);
        free(made);
    }
    return &entry->cached;
}

void iso_resolve_cache_release(struct iso_resolve_cache *cache, const struct iso_cached *cached)
{
    struct entry *entry = (struct entry *)(uintptr_t)cached;

    if (!entry)
        return;
    pthread_mutex_lock(&cache->lock);
    entry->n_holders--;
    shrink(cache);
    pthread_mutex_unlock(&cache->lock);
}

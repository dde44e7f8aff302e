/* A hash table of entries, which are also in a list by when they were last asked for. */
#include "isocost/past.h"

#include "past_entries.h"

#define FIRST_SLOTS 1024 /* a power of two */

struct entry {
    struct entry *next;          /* in its slot */
    struct entry *newer, *older; /* by when they were asked for */
    struct iso_past_key key;
    size_t n_bytes;
    unsigned char bytes[];
};

struct iso_past {
    size_t most_bytes;
    unsigned char owner[ISO_SHA256_BYTES];
    struct entry **slots;
    size_t n_slots;
    struct entry *newest, *oldest;
    struct iso_past_counts counts;
};

/* What an entry takes, with its share of the slots. */
static size_t size_of(size_t n_bytes)
{
    return sizeof(struct entry) + n_bytes + 2 * sizeof(struct entry *);
}

/* Digests are spread evenly: their first bytes are as good a hash as any. */
static struct entry **slot_of(const struct iso_past *past, const struct iso_past_key *key)
{
    size_t hash;

    memcpy(&hash, key->bytes, sizeof(hash));
    return &past->slots[hash & (past->n_slots - 1)];
}

static struct entry **find(const struct iso_past *past, const struct iso_past_key *key)
{
    struct entry **at = slot_of(past, key);

    while (*at && memcmp((*at)->key.bytes, key->bytes, sizeof(key->bytes)) != 0)
        at = &(*at)->next;
    return at;
}

static void take_out(struct iso_past *past, struct entry *entry)
{
    *(entry->newer ? &entry->newer->older : &past->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &past->oldest) = entry->newer;
}

static void put_first(struct iso_past *past, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = past->newest;
    *(past->newest ? &past->newest->newer : &past->oldest) = entry;
    past->newest = entry;
}

static void drop(struct iso_past *past, struct entry **at)
{
    struct entry *entry = *at;

    *at = entry->next;
    take_out(past, entry);
    past->counts.n_bytes -= size_of(entry->n_bytes);
    past->counts.n_entries--;
    free(entry);
}

struct iso_past *iso_past_new(size_t most_bytes)
{
    ISO_AUTO(iso_past) past = iso_calloc(1, sizeof(*past));

    if (!past)
        return NULL;
    past->most_bytes = most_bytes;
    past->n_slots = FIRST_SLOTS;
    past->slots = iso_calloc(past->n_slots, sizeof(struct entry *));
    if (!past->slots)
        return NULL;
    iso_past_enter(past, "");
    return ISO_STEAL(past);
}

void iso_past_free(struct iso_past *past)
{
    if (!past)
        return;
    for (struct entry *entry = past->newest; entry;) {
        struct entry *older = entry->older;
        free(entry);
        entry = older;
    }
    free(past->slots);
    free(past);
}

void iso_past_enter(struct iso_past *past, const char *owner)
{
    struct iso_sha256 sha;

    iso_sha256_init(&sha);
    iso_sha256_update(&sha, owner, strlen(owner));
    iso_sha256_final(&sha, past->owner);
}

struct iso_past_counts iso_past_count(const struct iso_past *past)
{
    return past->counts;
}

void iso_past_key_begin(const struct iso_past *past, const char *kind, struct iso_sha256 *ret_sha)
{
    iso_sha256_init(ret_sha);
    iso_sha256_update(ret_sha, past->owner, sizeof(past->owner));
    iso_sha256_update(ret_sha, kind, strlen(kind) + 1);
}

void iso_past_key_end(struct iso_sha256 *sha, struct iso_past_key *ret_key)
{
    iso_sha256_final(sha, ret_key->bytes);
}

const void *iso_past_find(struct iso_past *past, const struct iso_past_key *key,
                          size_t *ret_n_bytes)
{
    struct entry *entry = *find(past, key);

    if (!entry) {
        past->counts.n_missed++;
        return NULL;
    }
    past->counts.n_found++;
    take_out(past, entry);
    put_first(past, entry);
    *ret_n_bytes = entry->n_bytes;
    return entry->bytes;
}

/* Twice as many slots; longer chains when there is no memory for them. */
static void grow(struct iso_past *past)
{
    struct entry **slots = iso_calloc(2 * past->n_slots, sizeof(struct entry *));

    if (!slots)
        return;
    free(past->slots);
    past->slots = slots;
    past->n_slots *= 2;
    for (struct entry *entry = past->newest; entry; entry = entry->older) {
        struct entry **slot = slot_of(past, &entry->key);
        entry->next = *slot;
        *slot = entry;
    }
}

void iso_past_keep(struct iso_past *past, const struct iso_past_key *key, const void *bytes,
                   size_t n_bytes)
{
    struct entry **at = find(past, key);
    size_t size = size_of(n_bytes);

    if (*at)
        drop(past, at);
    if (size < n_bytes || size > past->most_bytes)
        return;
    while (past->counts.n_bytes + size > past->most_bytes) {
        drop(past, find(past, &past->oldest->key));
        past->counts.n_dropped++;
    }
    struct entry *entry = iso_calloc(1, sizeof(*entry) + n_bytes);
    if (!entry)
        return;
    entry->key = *key;
    entry->n_bytes = n_bytes;
    memcpy(entry->bytes, bytes, n_bytes);
    if ((size_t)past->counts.n_entries >= past->n_slots)
        grow(past);
    struct entry **slot = slot_of(past, key);
    entry->next = *slot;
    *slot = entry;
    put_first(past, entry);
    past->counts.n_bytes += size;
    past->counts.n_entries++;
}

/* Entries of a past, for those who fill and ask it. */
#ifndef ISOCOST_PAST_ENTRIES_H
#define ISOCOST_PAST_ENTRIES_H

#include <stdbool.h>

#include "isocost/base/sha256.h"
#include "isocost/past.h"

/* What an entry was made from: a digest, the owner's name in it. */
struct iso_past_key {
    unsigned char bytes[ISO_SHA256_BYTES];
};

/* Begins the digest of a key; `kind` tells one kind of entry from the others. The caller adds what
 * the entry is made from and ends it with iso_past_key_end(). */
void iso_past_key_begin(const struct iso_past *past, const char *kind, struct iso_sha256 *ret_sha);
void iso_past_key_end(struct iso_sha256 *sha, struct iso_past_key *ret_key);

/* The bytes of an entry, valid until the next is kept; NULL when there is none. */
const void *iso_past_find(struct iso_past *past, const struct iso_past_key *key,
                          size_t *ret_n_bytes);

/* Keeps a copy in the place of what was there. Keeps nothing when there is no memory or no room. */
void iso_past_keep(struct iso_past *past, const struct iso_past_key *key, const void *bytes,
                   size_t n_bytes);

#endif

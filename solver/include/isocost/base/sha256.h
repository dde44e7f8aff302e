/* SHA-256 (FIPS 180-4): digests of models, snapshots, problems and plans. */
#ifndef ISOCOST_BASE_SHA256_H
#define ISOCOST_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include "isocost/base/memory.h"

#define ISO_SHA256_BYTES 32
#define ISO_DIGEST_TEXT_SIZE 72 /* "sha256:" + 64 hex digits + NUL */

struct iso_sha256 {
    uint32_t state[8];
    uint64_t n_bytes;
    unsigned char block[64];
};

/* The life of a digest: init, update any number of times, final once. */
ISO_EXPORT void iso_sha256_init(struct iso_sha256 *sha);
ISO_EXPORT void iso_sha256_update(struct iso_sha256 *sha, const void *bytes, size_t n_bytes);
ISO_EXPORT void iso_sha256_final(struct iso_sha256 *sha, unsigned char digest[ISO_SHA256_BYTES]);

/* Writes "sha256:<64 lower-case hex digits>" and returns `text`. */
ISO_EXPORT char *iso_digest_text(const unsigned char digest[ISO_SHA256_BYTES],
                                 char text[ISO_DIGEST_TEXT_SIZE]);

#endif

#include "isocost/base/sha256.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#endif

/* FIPS 180-4, section 4.2.2. */
static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate_right(uint32_t x, unsigned n)
{
    return (x >> n) | (x << (32 - n));
}

static void compress_plain(uint32_t state[8], const unsigned char block[64])
{
    uint32_t w[64], a[8];

    for (unsigned i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (unsigned i = 16; i < 64; i++) {
        uint32_t s0 = rotate_right(w[i - 15], 7) ^ rotate_right(w[i - 15], 18) ^ (w[i - 15] >> 3);
        uint32_t s1 = rotate_right(w[i - 2], 17) ^ rotate_right(w[i - 2], 19) ^ (w[i - 2] >> 10);
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    memcpy(a, state, sizeof(a));
    for (unsigned i = 0; i < 64; i++) {
        uint32_t s1 = rotate_right(a[4], 6) ^ rotate_right(a[4], 11) ^ rotate_right(a[4], 25);
        uint32_t choose = (a[4] & a[5]) ^ (~a[4] & a[6]);
        uint32_t t1 = a[7] + s1 + choose + round_constants[i] + w[i];
        uint32_t s0 = rotate_right(a[0], 2) ^ rotate_right(a[0], 13) ^ rotate_right(a[0], 22);
        uint32_t majority = (a[0] & a[1]) ^ (a[0] & a[2]) ^ (a[1] & a[2]);
        memmove(&a[1], &a[0], 7 * sizeof(a[0]));
        a[4] += t1;
        a[0] = t1 + s0 + majority;
    }
    for (unsigned i = 0; i < 8; i++)
        state[i] += a[i];
}

#ifdef __x86_64__

#define FOR_SHA __attribute__((target("sha,sse4.1")))

/* Four rounds with the words t..t+3 of the schedule in w[k]; when `extend`, w[k] then holds the
 * words t+16..t+19. State is kept as the instructions want it: ABEF and CDGH. */
static inline FOR_SHA __attribute__((always_inline)) void four_rounds(__m128i *abef, __m128i *cdgh,
                                                                      __m128i w[4], int k,
                                                                      const uint32_t *constants,
                                                                      bool extend)
{
    __m128i oldest = w[k], second = w[(k + 1) % 4], third = w[(k + 2) % 4], newest = w[(k + 3) % 4];
    __m128i sum = _mm_add_epi32(oldest, _mm_loadu_si128((const __m128i *)(const void *)constants));

    *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, sum);
    *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(sum, 0x0e));
    if (extend)
        w[k] = _mm_sha256msg2_epu32(
            _mm_add_epi32(_mm_sha256msg1_epu32(oldest, second), _mm_alignr_epi8(newest, third, 4)),
            newest);
}

/* The same with the processor's SHA instructions. */
static FOR_SHA void compress_x86(uint32_t state[8], const unsigned char *blocks, size_t n_blocks)
{
    const __m128i swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    __m128i *low = (__m128i *)(void *)state, *high = (__m128i *)(void *)(state + 4);
    __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(low), 0xb1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(high), 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);

    for (; n_blocks > 0; n_blocks--, blocks += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[4];

        for (int k = 0; k < 4; k++)
            w[k] = _mm_shuffle_epi8(
                _mm_loadu_si128((const __m128i *)(const void *)(blocks + 16 * k)), swap);
        for (int t = 0; t < 64; t += 16) {
            bool extend = t < 48;
            four_rounds(&abef, &cdgh, w, 0, round_constants + t, extend);
            four_rounds(&abef, &cdgh, w, 1, round_constants + t + 4, extend);
            four_rounds(&abef, &cdgh, w, 2, round_constants + t + 8, extend);
            four_rounds(&abef, &cdgh, w, 3, round_constants + t + 12, extend);
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128(low, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128(high, _mm_alignr_epi8(dchg, feba, 8));
}

/* Asked once a process: the question itself is slow on virtual machines. */
static bool has_sha_instructions(void)
{
    static atomic_int known; /* 0: not asked yet, 1: no, 2: yes */
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    unsigned a, b, c, d;

    if (answer == 0) {
        bool sse = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSSE3) && (c & bit_SSE4_1);
        bool sha = sse && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
        answer = sha ? 2 : 1;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer == 2;
}

#endif

static void compress(uint32_t state[8], const unsigned char *blocks, size_t n_blocks)
{
#ifdef __x86_64__
    if (has_sha_instructions()) {
        compress_x86(state, blocks, n_blocks);
        return;
    }
#endif
    for (; n_blocks > 0; n_blocks--, blocks += 64)
        compress_plain(state, blocks);
}

void iso_sha256_init(struct iso_sha256 *sha)
{
    static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(sha->state, initial, sizeof(initial));
    sha->n_bytes = 0;
}

void iso_sha256_update(struct iso_sha256 *sha, const void *bytes, size_t n_bytes)
{
    const unsigned char *next = bytes;
    size_t held = (size_t)(sha->n_bytes % 64);

    sha->n_bytes += n_bytes;
    if (held > 0) {
        size_t n = 64 - held < n_bytes ? 64 - held : n_bytes;
        memcpy(sha->block + held, next, n);
        if (held + n < 64)
            return;
        compress(sha->state, sha->block, 1);
        next += n;
        n_bytes -= n;
    }
    if (n_bytes >= 64)
        compress(sha->state, next, n_bytes / 64);
    if (n_bytes % 64 > 0)
        memcpy(sha->block, next + n_bytes / 64 * 64, n_bytes % 64);
}

void iso_sha256_final(struct iso_sha256 *sha, unsigned char digest[ISO_SHA256_BYTES])
{
    static const unsigned char padding[64] = {0x80};
    uint64_t n_bits = sha->n_bytes * 8;
    unsigned char length[8];

    for (unsigned i = 0; i < 8; i++)
        length[i] = (unsigned char)(n_bits >> (56 - 8 * i));
    iso_sha256_update(sha, padding, 1 + (119 - sha->n_bytes % 64) % 64);
    iso_sha256_update(sha, length, sizeof(length));
    for (unsigned i = 0; i < 32; i++)
        digest[i] = (unsigned char)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}

char *iso_digest_text(const unsigned char digest[ISO_SHA256_BYTES], char text[ISO_DIGEST_TEXT_SIZE])
{
    char *next = text + sprintf(text, "sha256:");
    for (unsigned i = 0; i < ISO_SHA256_BYTES; i++)
        next += sprintf(next, "%02x", digest[i]);
    return text;
}

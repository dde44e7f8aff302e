/* Digests, message authentication codes, signatures and their texts, on OpenSSL's EVP. */
#ifndef ISOCOST_PLUGIN_HOST_CRYPTO_H
#define ISOCOST_PLUGIN_HOST_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>

#include "isocost/base/status.h"

#define ISO_HMAC_MAX_BYTES 32 /* of SHA-256; SHA-1 gives 20 */
#define ISO_HEX_SHA256_SIZE 65

enum iso_hash { ISO_HASH_SHA1, ISO_HASH_SHA256 };

/* Writes the digest of `bytes` in lower-case hex, with its NUL. Errors: ISO_E_BACKEND. */
enum iso_status iso_sha256_hex(const void *bytes, size_t n_bytes, char ret_hex[ISO_HEX_SHA256_SIZE],
                               struct iso_error *reterr);

/* RFC 2104. `ret_mac` has room for ISO_HMAC_MAX_BYTES. Errors: ISO_E_BACKEND. */
enum iso_status iso_hmac(enum iso_hash hash, const void *key, size_t n_key_bytes, const void *bytes,
                         size_t n_bytes, unsigned char *ret_mac, size_t *ret_n_mac_bytes,
                         struct iso_error *reterr);

/* RFC 5869 with SHA-256, extract and expand, to 32 bytes. Errors: ISO_E_BACKEND. */
enum iso_status iso_hkdf_sha256(const char *key, const char *salt, const char *info,
                                unsigned char ret_key[32], struct iso_error *reterr);

/* RSASSA-PKCS1-v1_5 with SHA-256 over `text`; the key is PEM, PKCS #8 or PKCS #1, without a pass
 * phrase. The caller frees *ret_signature. Errors: ISO_E_INVALID (not such a key), ISO_E_BACKEND,
 * ISO_E_NOMEM. */
enum iso_status iso_rsa_sha256_sign(const char *key_pem, const char *text,
                                    unsigned char **ret_signature, size_t *ret_n_bytes,
                                    struct iso_error *reterr);

/* Lower-case hex with its NUL: 2 * n_bytes + 1 characters. */
void iso_hex(const unsigned char *bytes, size_t n_bytes, char *ret_text);

/* RFC 4648 section 4, or section 5 without padding if `for_url`. NULL: out of memory. The caller
 * frees it. */
char *iso_base64(const void *bytes, size_t n_bytes, bool for_url);

/* Fills `bytes` from the kernel's generator. Errors: ISO_E_IO. */
enum iso_status iso_random(unsigned char *bytes, size_t n_bytes, struct iso_error *reterr);

/* Clears memory that held a secret, whatever the optimiser thinks of it. */
void iso_wipe(void *bytes, size_t n_bytes);

/* Clears and frees a text; accepts NULL. */
void iso_wipe_free(char *text);
#define ISO_AUTO_SECRET __attribute__((cleanup(iso_secret_freep)))
static inline void iso_secret_freep(char **text)
{
    iso_wipe_free(*text);
}

#endif

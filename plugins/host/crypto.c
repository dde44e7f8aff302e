#include "crypto.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <sys/random.h>

static enum iso_status failed(const char *what, struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_BACKEND, "", "%s failed in the cryptographic library", what);
}

static const char *hash_name(enum iso_hash hash)
{
    return hash == ISO_HASH_SHA1 ? "SHA1" : "SHA256";
}

void iso_hex(const unsigned char *bytes, size_t n_bytes, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n_bytes; i++) {
        ret_text[2 * i] = digits[bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret_text[2 * n_bytes] = '\0';
}

enum iso_status iso_sha256_hex(const void *bytes, size_t n_bytes, char ret_hex[ISO_HEX_SHA256_SIZE],
                               struct iso_error *reterr)
{
    unsigned char digest[32];
    size_t n_digest = 0;

    if (!EVP_Q_digest(NULL, "SHA256", NULL, n_bytes ? bytes : "", n_bytes, digest, &n_digest))
        return failed("SHA-256", reterr);
    iso_hex(digest, n_digest, ret_hex);
    return ISO_OK;
}

enum iso_status iso_hmac(enum iso_hash hash, const void *key, size_t n_key_bytes, const void *bytes,
                         size_t n_bytes, unsigned char *ret_mac, size_t *ret_n_mac_bytes,
                         struct iso_error *reterr)
{
    if (!EVP_Q_mac(NULL, "HMAC", NULL, hash_name(hash), NULL, key, n_key_bytes, bytes, n_bytes,
                   ret_mac, ISO_HMAC_MAX_BYTES, ret_n_mac_bytes))
        return failed("HMAC", reterr);
    return ISO_OK;
}

enum iso_status iso_hkdf_sha256(const char *key, const char *salt, const char *info,
                                unsigned char ret_key[32], struct iso_error *reterr)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (char *)key, strlen(key)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (char *)salt, strlen(salt)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (char *)info, strlen(info)),
        OSSL_PARAM_construct_end(),
    };
    bool done = context && EVP_KDF_derive(context, ret_key, 32, params) == 1;

    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return done ? ISO_OK : failed("HKDF", reterr);
}

/* A key with a pass phrase is refused rather than asked for on a terminal. */
static int no_pass_phrase(char *buffer, int size, int writing, void *context)
{
    (void)buffer, (void)size, (void)writing, (void)context;
    return 0;
}

static EVP_PKEY *read_key(const char *key_pem)
{
    BIO *bio = BIO_new_mem_buf(key_pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL) : NULL;

    BIO_free(bio);
    if (key && EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

enum iso_status iso_rsa_sha256_sign(const char *key_pem, const char *text,
                                    unsigned char **ret_signature, size_t *ret_n_bytes,
                                    struct iso_error *reterr)
{
    EVP_PKEY *key = read_key(key_pem);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char *signature = NULL;
    enum iso_status status = ISO_OK;
    size_t n = 0;

    if (!key)
        status = iso_fail(reterr, ISO_E_INVALID, "private_key",
                          "not an RSA private key in PEM without a pass phrase");
    else if (!context || EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) != 1 ||
             EVP_DigestSign(context, NULL, &n, (const unsigned char *)text, strlen(text)) != 1)
        status = failed("RS256", reterr);
    else if (!(signature = iso_calloc(n, 1)))
        status = iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a signature");
    else if (EVP_DigestSign(context, signature, &n, (const unsigned char *)text, strlen(text)) != 1)
        status = failed("RS256", reterr);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    if (status != ISO_OK) {
        free(signature);
        return status;
    }
    *ret_signature = signature;
    *ret_n_bytes = n;
    return ISO_OK;
}

char *iso_base64(const void *bytes, size_t n_bytes, bool for_url)
{
    char *text = iso_calloc(4 * ((n_bytes + 2) / 3) + 1, 1);
    size_t n = 0;

    if (!text)
        return NULL;
    n = (size_t)EVP_EncodeBlock((unsigned char *)text, bytes, (int)n_bytes);
    if (!for_url)
        return text;
    for (size_t i = 0; i < n; i++)
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    text[strcspn(text, "=")] = '\0';
    return text;
}

enum iso_status iso_random(unsigned char *bytes, size_t n_bytes, struct iso_error *reterr)
{
    while (n_bytes > 0) {
        ssize_t n = getrandom(bytes, n_bytes, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return iso_fail(reterr, ISO_E_IO, "", "random bytes: %s", strerror(errno));
        bytes += n;
        n_bytes -= (size_t)n;
    }
    return ISO_OK;
}

void iso_wipe(void *bytes, size_t n_bytes)
{
    OPENSSL_cleanse(bytes, n_bytes);
}

void iso_wipe_free(char *text)
{
    if (text)
        iso_wipe(text, strlen(text));
    free(text);
}

#include <stdio.h>

#include "crypto.h"
#include "sign.h"
#include "sign_time.h"

#define PLAIN "SDK-HMAC-SHA256"
#define DERIVED "V11-HMAC-SHA256"
#define DATE_BYTES 8 /* of the basic time */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a signature");
}

static bool is_signed(const char *name)
{
    return !strchr(name, '_');
}

/* The canonical request; its path ends in '/', whatever is sent. */
static enum iso_status canonical_request(const struct iso_message *message, const char *lines,
                                         const char *names, char **ret_text,
                                         struct iso_error *reterr)
{
    ISO_AUTO_MEM char *query = iso_canonical_query(&message->query);
    size_t n_path = strlen(message->path);
    bool ends = n_path > 0 && message->path[n_path - 1] == '/';
    char hash[ISO_HEX_SHA256_SIZE];

    ISO_TRY(iso_sha256_hex(message->body, message->n_body_bytes, hash, reterr));
    if (!query)
        return no_memory(reterr);
    ISO_TRY(iso_text_make(ret_text, reterr, "%s\n%s%s\n%s\n%s\n%s\n%s", message->method,
                          message->path, ends ? "" : "/", query, lines, names, hash));
    return ISO_OK;
}

/* The signature of `text`; a derived key is the hex text of HKDF(secret, id, scope). */
static enum iso_status sign_text(const struct iso_access_key *key, const char *scope,
                                 const char *text, char ret_hex[ISO_HEX_SHA256_SIZE],
                                 struct iso_error *reterr)
{
    unsigned char mac[ISO_HMAC_MAX_BYTES];
    char derived[ISO_HEX_SHA256_SIZE] = "";
    const char *secret = key->secret;
    enum iso_status status = ISO_OK;
    size_t n_mac = 0;

    if (scope) {
        status = iso_hkdf_sha256(key->secret, key->id, scope, mac, reterr);
        iso_hex(mac, 32, derived);
        secret = derived;
    }
    if (status == ISO_OK)
        status = iso_hmac(ISO_HASH_SHA256, secret, strlen(secret), text, strlen(text), mac, &n_mac,
                          reterr);
    iso_hex(mac, n_mac, ret_hex);
    iso_wipe(derived, sizeof(derived));
    iso_wipe(mac, sizeof(mac));
    return status;
}

static enum iso_status add_authorization(const struct iso_access_key *key, const char *scope,
                                         const char *names, const char *hex,
                                         struct iso_message *message, struct iso_error *reterr)
{
    ISO_AUTO_MEM char *value = NULL;
    if (scope) {
        ISO_TRY(iso_text_make(&value, reterr,
                              DERIVED " Credential=%s/%s, SignedHeaders=%s, Signature=%s", key->id,
                              scope, names, hex));
    } else {
        ISO_TRY(iso_text_make(&value, reterr, PLAIN " Access=%s, SignedHeaders=%s, Signature=%s",
                              key->id, names, hex));
    }
    return iso_pairs_set(&message->headers, "Authorization", value, reterr);
}

enum iso_status iso_sign_huawei(const struct iso_access_key *key, const char *region,
                                const char *service, int64_t time_s, struct iso_message *message,
                                struct iso_error *reterr)
{
    struct iso_pairs *headers = &message->headers;
    char time[ISO_BASIC_TIME_SIZE], hash[ISO_HEX_SHA256_SIZE], hex[ISO_HEX_SHA256_SIZE];
    ISO_AUTO_MEM char *lines = NULL;
    ISO_AUTO_MEM char *names = NULL;
    ISO_AUTO_MEM char *request = NULL;
    ISO_AUTO_MEM char *scope = NULL;
    ISO_AUTO_MEM char *text = NULL;

    iso_basic_time(time_s, time);
    if (region && service)
        ISO_TRY(iso_text_make(&scope, reterr, "%.*s/%s/%s", DATE_BYTES, time, region, service));
    iso_pairs_remove(headers, "Authorization");
    ISO_TRY(iso_pairs_set(headers, "X-Sdk-Date", time, reterr));
    if (iso_key_has_token(key))
        ISO_TRY(iso_pairs_set(headers, "X-Security-Token", key->session_token, reterr));
    ISO_TRY(iso_canonical_headers(headers, is_signed, &lines, &names, reterr));
    ISO_TRY(canonical_request(message, lines, names, &request, reterr));
    ISO_TRY(iso_sha256_hex(request, strlen(request), hash, reterr));
    ISO_TRY(iso_text_make(&text, reterr, "%s\n%s\n%s%s%s", scope ? DERIVED : PLAIN, time,
                          scope ? scope : "", scope ? "\n" : "", hash));
    ISO_TRY(sign_text(key, scope, text, hex, reterr));
    return add_authorization(key, scope, names, hex, message, reterr);
}

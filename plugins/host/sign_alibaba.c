#include <stdio.h>
#include <strings.h>

#include "crypto.h"
#include "sign.h"
#include "sign_time.h"

#define ACS3 "ACS3-HMAC-SHA256"

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a signature");
}

/* ---- RPC style: the query, encoded twice, signed by HMAC-SHA1 with the secret and '&' ---- */

enum iso_status iso_alibaba_rpc_signature(const struct iso_access_key *key,
                                          const struct iso_message *message, char **ret_signature,
                                          struct iso_error *reterr)
{
    ISO_AUTO_MEM char *query = iso_canonical_query(&message->query);
    ISO_AUTO_MEM char *encoded = query ? iso_percent_encode(query, /* keep_slash= */ false) : NULL;
    ISO_AUTO_SECRET char *secret = NULL;
    ISO_AUTO_MEM char *text = NULL;
    unsigned char mac[ISO_HMAC_MAX_BYTES];
    size_t n_mac = 0;

    if (!encoded)
        return no_memory(reterr);
    ISO_TRY(iso_text_make(&text, reterr, "%s&%%2F&%s", message->method, encoded));
    ISO_TRY(iso_text_make(&secret, reterr, "%s&", key->secret));
    ISO_TRY(
        iso_hmac(ISO_HASH_SHA1, secret, strlen(secret), text, strlen(text), mac, &n_mac, reterr));
    *ret_signature = iso_base64(mac, n_mac, /* for_url= */ false);
    return *ret_signature ? ISO_OK : no_memory(reterr);
}

enum iso_status iso_sign_alibaba_rpc(const struct iso_access_key *key, int64_t time_s,
                                     const char *nonce, struct iso_message *message,
                                     struct iso_error *reterr)
{
    struct iso_pairs *query = &message->query;
    ISO_AUTO_MEM char *signature = NULL;
    char time[ISO_EXTENDED_TIME_SIZE];

    iso_extended_time(time_s, time);
    iso_pairs_remove(query, "Signature");
    ISO_TRY(iso_pairs_set(query, "AccessKeyId", key->id, reterr));
    ISO_TRY(iso_pairs_set(query, "SignatureMethod", "HMAC-SHA1", reterr));
    ISO_TRY(iso_pairs_set(query, "SignatureNonce", nonce, reterr));
    ISO_TRY(iso_pairs_set(query, "SignatureVersion", "1.0", reterr));
    ISO_TRY(iso_pairs_set(query, "Timestamp", time, reterr));
    if (iso_key_has_token(key))
        ISO_TRY(iso_pairs_set(query, "SecurityToken", key->session_token, reterr));
    ISO_TRY(iso_alibaba_rpc_signature(key, message, &signature, reterr));
    return iso_pairs_set(query, "Signature", signature, reterr);
}

/* ---- ACS3: a canonical request as AWS has it, signed with the secret itself ---- */

static bool acs3_signs(const char *name)
{
    return strcasecmp(name, "host") == 0 || strcasecmp(name, "content-type") == 0 ||
           strncasecmp(name, "x-acs-", 6) == 0;
}

static enum iso_status acs3_signature(const struct iso_access_key *key,
                                      const struct iso_message *message, const char *hash,
                                      const char *lines, const char *names,
                                      char ret_hex[ISO_HEX_SHA256_SIZE], struct iso_error *reterr)
{
    ISO_AUTO_MEM char *query = iso_canonical_query(&message->query);
    unsigned char mac[ISO_HMAC_MAX_BYTES];
    char text[sizeof(ACS3) + ISO_HEX_SHA256_SIZE];
    char request_hash[ISO_HEX_SHA256_SIZE];
    ISO_AUTO_MEM char *request = NULL;
    size_t n_mac = 0;

    if (!query)
        return no_memory(reterr);
    ISO_TRY(iso_text_make(&request, reterr, "%s\n%s\n%s\n%s\n%s\n%s", message->method,
                          message->path, query, lines, names, hash));
    ISO_TRY(iso_sha256_hex(request, strlen(request), request_hash, reterr));
    snprintf(text, sizeof(text), ACS3 "\n%s", request_hash);
    ISO_TRY(iso_hmac(ISO_HASH_SHA256, key->secret, strlen(key->secret), text, strlen(text), mac,
                     &n_mac, reterr));
    iso_hex(mac, n_mac, ret_hex);
    return ISO_OK;
}

enum iso_status iso_alibaba_acs3_authorize(const struct iso_access_key *key,
                                           const char *payload_hash, struct iso_message *message,
                                           struct iso_error *reterr)
{
    struct iso_pairs *headers = &message->headers;
    char hex[ISO_HEX_SHA256_SIZE];
    ISO_AUTO_MEM char *lines = NULL;
    ISO_AUTO_MEM char *names = NULL;
    ISO_AUTO_MEM char *value = NULL;

    ISO_TRY(iso_canonical_headers(headers, acs3_signs, &lines, &names, reterr));
    ISO_TRY(acs3_signature(key, message, payload_hash, lines, names, hex, reterr));
    ISO_TRY(iso_text_make(&value, reterr, ACS3 " Credential=%s,SignedHeaders=%s,Signature=%s",
                          key->id, names, hex));
    return iso_pairs_set(headers, "Authorization", value, reterr);
}

enum iso_status iso_sign_alibaba_acs3(const struct iso_access_key *key, int64_t time_s,
                                      const char *nonce, struct iso_message *message,
                                      struct iso_error *reterr)
{
    struct iso_pairs *headers = &message->headers;
    char hash[ISO_HEX_SHA256_SIZE], time[ISO_EXTENDED_TIME_SIZE];

    iso_extended_time(time_s, time);
    ISO_TRY(iso_sha256_hex(message->body, message->n_body_bytes, hash, reterr));
    ISO_TRY(iso_pairs_set(headers, "Host", message->host, reterr));
    ISO_TRY(iso_pairs_set(headers, "x-acs-content-sha256", hash, reterr));
    ISO_TRY(iso_pairs_set(headers, "x-acs-date", time, reterr));
    ISO_TRY(iso_pairs_set(headers, "x-acs-signature-nonce", nonce, reterr));
    if (iso_key_has_token(key))
        ISO_TRY(iso_pairs_set(headers, "x-acs-security-token", key->session_token, reterr));
    return iso_alibaba_acs3_authorize(key, hash, message, reterr);
}

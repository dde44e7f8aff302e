#include <stdio.h>

#include "crypto.h"
#include "sign.h"
#include "sign_time.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define DATE_BYTES 8 /* of the basic time */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a signature");
}

/* What both forms share: when, and for what the key is derived. */
struct stamp {
    char time[ISO_BASIC_TIME_SIZE];
    char scope[256]; /* date/region/service/aws4_request */
};

static enum iso_status make_stamp(const struct iso_aws_scope *scope, int64_t time_s,
                                  struct stamp *ret_stamp, struct iso_error *reterr)
{
    iso_basic_time(time_s, ret_stamp->time);
    int n = snprintf(ret_stamp->scope, sizeof(ret_stamp->scope), "%.*s/%s/%s/aws4_request",
                     DATE_BYTES, ret_stamp->time, scope->region, scope->service);
    if (n < 0 || (size_t)n >= sizeof(ret_stamp->scope))
        return iso_fail(reterr, ISO_E_INVALID, "auth", "region and service are too long");
    return ISO_OK;
}

static char *canonical_path(const struct iso_aws_scope *scope, const char *path)
{
    char *normal = scope->normal_path ? iso_normal_path(path) : iso_strdup(path);

    if (!normal || !scope->encode_path)
        return normal;
    char *encoded = iso_percent_encode(normal, /* keep_slash= */ true);
    free(normal);
    return encoded;
}

/* The canonical request, its signed headers' names in *ret_names. */
static enum iso_status canonical_request(const struct iso_aws_scope *scope,
                                         const struct iso_message *message, const char *lines,
                                         const char *names, char **ret_text,
                                         struct iso_error *reterr)
{
    ISO_AUTO_MEM char *path = canonical_path(scope, message->path);
    ISO_AUTO_MEM char *query = iso_canonical_query(&message->query);
    char hash[ISO_HEX_SHA256_SIZE];

    ISO_TRY(iso_sha256_hex(message->body, message->n_body_bytes, hash, reterr));
    if (!path || !query)
        return no_memory(reterr);
    ISO_TRY(iso_text_make(ret_text, reterr, "%s\n%s\n%s\n%s\n%s\n%s", message->method, path, query,
                          lines, names, hash));
    return ISO_OK;
}

/* HMAC of `text` with the key in `mac`, which it replaces. */
static enum iso_status chain(unsigned char mac[ISO_HMAC_MAX_BYTES], const char *text, size_t n,
                             struct iso_error *reterr)
{
    unsigned char next[ISO_HMAC_MAX_BYTES];
    size_t n_mac = 0;

    ISO_TRY(iso_hmac(ISO_HASH_SHA256, mac, ISO_HMAC_MAX_BYTES, text, n, next, &n_mac, reterr));
    memcpy(mac, next, sizeof(next));
    iso_wipe(next, sizeof(next));
    return ISO_OK;
}

/* The key for one date, region and service, then the signature of `text` with it. */
static enum iso_status sign_text(const struct iso_access_key *key,
                                 const struct iso_aws_scope *scope, const struct stamp *stamp,
                                 const char *text, char ret_hex[ISO_HEX_SHA256_SIZE],
                                 struct iso_error *reterr)
{
    unsigned char mac[ISO_HMAC_MAX_BYTES];
    ISO_AUTO_SECRET char *start = NULL;
    enum iso_status status;
    size_t n_mac = 0;

    ISO_TRY(iso_text_make(&start, reterr, "AWS4%s", key->secret));
    status = iso_hmac(ISO_HASH_SHA256, start, strlen(start), stamp->time, DATE_BYTES, mac, &n_mac,
                      reterr);
    const char *const parts[] = {scope->region, scope->service, "aws4_request", text};
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(parts) && status == ISO_OK; i++)
        status = chain(mac, parts[i], strlen(parts[i]), reterr);
    iso_hex(mac, sizeof(mac), ret_hex);
    iso_wipe(mac, sizeof(mac));
    return status;
}

static enum iso_status sign_message(const struct iso_access_key *key,
                                    const struct iso_aws_scope *scope, const struct stamp *stamp,
                                    const struct iso_message *message, const char *lines,
                                    const char *names, char ret_hex[ISO_HEX_SHA256_SIZE],
                                    struct iso_error *reterr)
{
    ISO_AUTO_MEM char *request = NULL;
    ISO_AUTO_MEM char *text = NULL;
    char hash[ISO_HEX_SHA256_SIZE];

    ISO_TRY(canonical_request(scope, message, lines, names, &request, reterr));
    ISO_TRY(iso_sha256_hex(request, strlen(request), hash, reterr));
    ISO_TRY(
        iso_text_make(&text, reterr, ALGORITHM "\n%s\n%s\n%s", stamp->time, stamp->scope, hash));
    return sign_text(key, scope, stamp, text, ret_hex, reterr);
}

static enum iso_status add_host(struct iso_message *message, struct iso_error *reterr)
{
    if (iso_pairs_get(&message->headers, "Host"))
        return ISO_OK;
    return iso_pairs_add(&message->headers, "Host", message->host, reterr);
}

enum iso_status iso_sign_aws(const struct iso_access_key *key, const struct iso_aws_scope *scope,
                             int64_t time_s, struct iso_message *message, struct iso_error *reterr)
{
    ISO_AUTO_MEM char *lines = NULL;
    ISO_AUTO_MEM char *names = NULL;
    ISO_AUTO_MEM char *value = NULL;
    struct iso_pairs *headers = &message->headers;
    char hex[ISO_HEX_SHA256_SIZE];
    struct stamp stamp;

    ISO_TRY(make_stamp(scope, time_s, &stamp, reterr));
    ISO_TRY(add_host(message, reterr));
    iso_pairs_remove(headers, "Authorization");
    ISO_TRY(iso_pairs_set(headers, "X-Amz-Date", stamp.time, reterr));
    if (iso_key_has_token(key))
        ISO_TRY(iso_pairs_set(headers, "X-Amz-Security-Token", key->session_token, reterr));
    if (scope->hash_header) {
        ISO_TRY(iso_sha256_hex(message->body, message->n_body_bytes, hex, reterr));
        ISO_TRY(iso_pairs_set(headers, "X-Amz-Content-Sha256", hex, reterr));
    }
    ISO_TRY(iso_canonical_headers(headers, /* is_signed= */ NULL, &lines, &names, reterr));
    ISO_TRY(sign_message(key, scope, &stamp, message, lines, names, hex, reterr));
    ISO_TRY(iso_text_make(&value, reterr,
                          ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s", key->id,
                          stamp.scope, names, hex));
    return iso_pairs_set(headers, "Authorization", value, reterr);
}

enum iso_status iso_sign_aws_query(const struct iso_access_key *key,
                                   const struct iso_aws_scope *scope, int64_t time_s,
                                   int64_t expires_s, struct iso_message *message,
                                   struct iso_error *reterr)
{
    struct iso_pairs *query = &message->query;
    ISO_AUTO_MEM char *lines = NULL;
    ISO_AUTO_MEM char *names = NULL;
    ISO_AUTO_MEM char *credential = NULL;
    char hex[ISO_HEX_SHA256_SIZE], expires[24];
    struct stamp stamp;

    ISO_TRY(make_stamp(scope, time_s, &stamp, reterr));
    ISO_TRY(add_host(message, reterr));
    ISO_TRY(
        iso_canonical_headers(&message->headers, /* is_signed= */ NULL, &lines, &names, reterr));
    ISO_TRY(iso_text_make(&credential, reterr, "%s/%s", key->id, stamp.scope));
    snprintf(expires, sizeof(expires), "%lld", (long long)expires_s);
    iso_pairs_remove(query, "X-Amz-Signature");
    ISO_TRY(iso_pairs_set(query, "X-Amz-Algorithm", ALGORITHM, reterr));
    ISO_TRY(iso_pairs_set(query, "X-Amz-Credential", credential, reterr));
    ISO_TRY(iso_pairs_set(query, "X-Amz-Date", stamp.time, reterr));
    ISO_TRY(iso_pairs_set(query, "X-Amz-Expires", expires, reterr));
    ISO_TRY(iso_pairs_set(query, "X-Amz-SignedHeaders", names, reterr));
    if (iso_key_has_token(key))
        ISO_TRY(iso_pairs_set(query, "X-Amz-Security-Token", key->session_token, reterr));
    ISO_TRY(sign_message(key, scope, &stamp, message, lines, names, hex, reterr));
    return iso_pairs_set(query, "X-Amz-Signature", hex, reterr);
}

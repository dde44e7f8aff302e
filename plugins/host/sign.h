/* Signatures of requests, one scheme a cloud. Each adds what the scheme wants to a message's
 * headers or query, in the place of what an earlier signature left there; the message must then be
 * sent as it is. Secrets are borrowed and never logged.
 *
 * The clock and the nonce come in, so that signatures can be checked against published ones. */
#ifndef ISOCOST_PLUGIN_HOST_SIGN_H
#define ISOCOST_PLUGIN_HOST_SIGN_H

#include <stdint.h>

#include "message.h"

/* A key of two parts, and the token of a temporary one ("" or NULL: none). */
struct iso_access_key {
    const char *id, *secret, *session_token;
};

static inline bool iso_key_has_token(const struct iso_access_key *key)
{
    return key->session_token && key->session_token[0];
}

/* AWS Signature Version 4 (AWS General Reference, "Signing AWS API requests"). */
struct iso_aws_scope {
    const char *region, *service;
    bool normal_path; /* false for S3 alone: its keys may hold any path */
    bool encode_path; /* false for S3 alone: its paths are encoded once */
    bool hash_header; /* adds X-Amz-Content-Sha256, as S3 wants it */
};

/* Adds X-Amz-Date, X-Amz-Security-Token if there is one, and Authorization. All headers of the
 * message are signed, Host among them, which is added if it is not there. Errors: ISO_E_BACKEND,
 * ISO_E_NOMEM. */
enum iso_status iso_sign_aws(const struct iso_access_key *key, const struct iso_aws_scope *scope,
                             int64_t time_s, struct iso_message *message, struct iso_error *reterr);

/* The form that travels in the query and holds for `expires_s` seconds. */
enum iso_status iso_sign_aws_query(const struct iso_access_key *key,
                                   const struct iso_aws_scope *scope, int64_t time_s,
                                   int64_t expires_s, struct iso_message *message,
                                   struct iso_error *reterr);

/* Alibaba Cloud's RPC style: adds AccessKeyId, SignatureMethod HMAC-SHA1, SignatureNonce,
 * SignatureVersion, Timestamp, SecurityToken if there is one, and Signature to the query. */
enum iso_status iso_sign_alibaba_rpc(const struct iso_access_key *key, int64_t time_s,
                                     const char *nonce, struct iso_message *message,
                                     struct iso_error *reterr);

/* Alibaba Cloud's ACS3-HMAC-SHA256: adds x-acs-date, x-acs-signature-nonce, x-acs-content-sha256,
 * x-acs-security-token if there is one, and Authorization; signs them, Host, Content-Type and
 * every other x-acs- header. */
enum iso_status iso_sign_alibaba_acs3(const struct iso_access_key *key, int64_t time_s,
                                      const char *nonce, struct iso_message *message,
                                      struct iso_error *reterr);

/* The last step of each scheme: signs a query or headers that are complete. The caller frees
 * *ret_signature; `payload_hash` is the SHA-256 of the body in hex. */
enum iso_status iso_alibaba_rpc_signature(const struct iso_access_key *key,
                                          const struct iso_message *message, char **ret_signature,
                                          struct iso_error *reterr);
enum iso_status iso_alibaba_acs3_authorize(const struct iso_access_key *key,
                                           const char *payload_hash, struct iso_message *message,
                                           struct iso_error *reterr);

/* Huawei Cloud's SDK-HMAC-SHA256: adds X-Sdk-Date, X-Security-Token if there is one, and
 * Authorization. With `region` and `service` (both or neither NULL) the key is derived for them:
 * V11-HMAC-SHA256. Headers with '_' are not signed. */
enum iso_status iso_sign_huawei(const struct iso_access_key *key, const char *region,
                                const char *service, int64_t time_s, struct iso_message *message,
                                struct iso_error *reterr);

/* A service account of Google Cloud. */
struct iso_gcp_account {
    const char *email, *key_id, *private_key_pem;
};

/* The assertion that is exchanged for a token (RFC 7523; RS256), good for an hour from `time_s` on.
 * `audience` is the URL of the exchange. The caller frees *ret_assertion. Errors: ISO_E_INVALID
 * (not a key), ISO_E_BACKEND, ISO_E_NOMEM. */
enum iso_status iso_sign_gcp_assertion(const struct iso_gcp_account *account, const char *scope,
                                       const char *audience, int64_t time_s, char **ret_assertion,
                                       struct iso_error *reterr);

#endif

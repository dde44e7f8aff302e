/* What the parts of the HTTP session share. */
#ifndef ISOCOST_PLUGIN_HOST_HTTP_INTERNAL_H
#define ISOCOST_PLUGIN_HOST_HTTP_INTERNAL_H

#include <curl/curl.h>

#include "http.h"

#define ISO_HTTP_ERROR_BYTES ((size_t)65536)
#define ISO_HTTP_DEFAULT_BYTES ((int64_t)64 << 20)
#define ISO_HTTP_TOKENS 8

/* A bearer token and the scheme and scope that it is for. */
struct iso_token {
    int32_t scheme;
    char *scope, *text; /* owned */
    int64_t expires_ns;
};

struct iso_http {
    struct iso_http_world world;
    CURL *curl;
    struct iso_token tokens[ISO_HTTP_TOKENS];
    size_t n_tokens;
    char *error_body; /* of the last request; owned, with its NUL */
};

/* ---- http_transfer.c: one attempt ---- */

/* How an attempt ended. Zero-initialise; free with iso_transfer_fini(). */
struct iso_transfer {
    struct iso_http *http;
    const struct iso_http_request *request;
    int32_t status;         /* 0: no answer */
    int64_t retry_after_ms; /* -1: not said */
    int64_t skew_s;         /* the service's clock less ours; 0: unknown */
    char *location, *content_type;
    char *body; /* what was kept: a good answer that does not stream, or the start of an error's */
    size_t n_body_bytes, n_body_room;
    int64_t n_bytes;         /* decoded, of the whole answer */
    bool handed_on;          /* the caller has had bytes of it */
    enum iso_status stopped; /* why it was ended here, with the report beside it */
    struct iso_error error;
    CURLcode code;
};

/* Sends the message and takes the answer. Never fails as such: the result is in the transfer. */
void iso_transfer_run(struct iso_transfer *transfer, const struct iso_message *message);
void iso_transfer_fini(struct iso_transfer *transfer);

/* HTML where data was expected: a page of a proxy or of a portal. */
bool iso_transfer_is_wrong_page(const struct iso_transfer *transfer);

/* ---- http_judge.c: what an attempt means ---- */

enum iso_verdict {
    ISO_VERDICT_GOOD,
    ISO_VERDICT_AGAIN,    /* another attempt may do */
    ISO_VERDICT_REDIRECT, /* `location` says where to */
    ISO_VERDICT_TOKEN,    /* the bearer token was refused */
    ISO_VERDICT_FAILED,
};

/* Judges an attempt; `status` and `text` are for when it was the last one. */
struct iso_judgement {
    enum iso_verdict verdict;
    enum iso_status status;
    char provider_code[64];
    char text[256];
};
void iso_http_judge(const struct iso_transfer *transfer, bool has_token,
                    struct iso_judgement *ret_judgement);

/* ---- http_auth.c: credentials ---- */

/* Adds what the request's scheme wants. Errors: ISO_E_NOT_FOUND (no such secret), those of the
 * signatures, and those of asking for a token. */
enum iso_status iso_http_authorize(struct iso_http *http, const struct iso_http_auth *auth,
                                   struct iso_message *message, struct iso_error *reterr);

/* Whether the scheme has tokens. */
bool iso_http_has_token(const struct iso_http_auth *auth);

/* Forgets the token of this scheme and scope. */
void iso_http_drop_token(struct iso_http *http, const struct iso_http_auth *auth);

/* Replaces every secret of the instance that stands in `text` by as many '*'. */
void iso_http_redact(const struct iso_http *http, char *text);

#endif

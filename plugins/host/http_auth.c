/* Credentials of requests: secrets of the instance, signatures, and tokens that are asked for and
 * kept until shortly before they end. */
#include <math.h>
#include <stdio.h>

#include "crypto.h"
#include "http_internal.h"
#include "isocost/sdk/ask.h"
#include "sign.h"

#define NS_PER_S INT64_C(1000000000)
#define TOKEN_MARGIN_S 60.0    /* a token is not used in the last seconds of its life ... */
#define TOKEN_MARGIN_SHARE 0.1 /* ... of which short ones have fewer */
#define TOKEN_BYTES ((int64_t)1 << 20)
#define NONCE_BYTES 16

static const char *secret_or_null(const struct iso_http *http, const char *name)
{
    for (size_t i = 0; i < http->world.load->n_secrets; i++)
        if (strcmp(http->world.load->secrets[i]->name, name) == 0)
            return http->world.load->secrets[i]->value;
    return NULL;
}

static enum iso_status find_secret(const struct iso_http *http, const char *name,
                                   const char **ret_value, struct iso_error *reterr)
{
    *ret_value = secret_or_null(http, name);
    if (!*ret_value || !(*ret_value)[0])
        return iso_fail(reterr, ISO_E_NOT_FOUND, "secret_files",
                        "no secret '%s' is configured for '%.64s', which needs it to sign requests",
                        name, http->world.load->instance);
    return ISO_OK;
}

static enum iso_status find_key(const struct iso_http *http, const char *id, const char *secret,
                                const char *token, struct iso_access_key *ret_key,
                                struct iso_error *reterr)
{
    ISO_TRY(find_secret(http, id, &ret_key->id, reterr));
    ISO_TRY(find_secret(http, secret, &ret_key->secret, reterr));
    ret_key->session_token = secret_or_null(http, token);
    return ISO_OK;
}

static int64_t now_s(const struct iso_http *http)
{
    return http->world.now_ns(http->world.context) / NS_PER_S;
}

/* ---- Tokens ---- */

bool iso_http_has_token(const struct iso_http_auth *auth)
{
    return auth->scheme == ISO_AUTH_AZURE || auth->scheme == ISO_AUTH_GCP;
}

static void token_fini(struct iso_token *token)
{
    free(token->scope);
    iso_wipe_free(token->text);
    *token = (struct iso_token){0};
}

static struct iso_token *find_token(struct iso_http *http, const struct iso_http_auth *auth)
{
    for (size_t i = 0; i < http->n_tokens; i++)
        if (http->tokens[i].scheme == auth->scheme &&
            strcmp(http->tokens[i].scope, auth->scope) == 0)
            return &http->tokens[i];
    return NULL;
}

void iso_http_drop_token(struct iso_http *http, const struct iso_http_auth *auth)
{
    struct iso_token *token = auth->scope ? find_token(http, auth) : NULL;

    if (!token)
        return;
    token_fini(token);
    *token = http->tokens[--http->n_tokens];
}

static enum iso_status keep_token(struct iso_http *http, const struct iso_http_auth *auth,
                                  const char *text, double lives_s, struct iso_error *reterr)
{
    double margin_s = fmin(TOKEN_MARGIN_S, TOKEN_MARGIN_SHARE * lives_s);
    struct iso_token *token;

    iso_http_drop_token(http, auth);
    if (http->n_tokens == ISO_HTTP_TOKENS) { /* the oldest goes */
        token_fini(&http->tokens[0]);
        memmove(http->tokens, http->tokens + 1, (ISO_HTTP_TOKENS - 1) * sizeof(*http->tokens));
        http->n_tokens--;
    }
    token = &http->tokens[http->n_tokens];
    *token = (struct iso_token){
        .scheme = auth->scheme,
        .scope = iso_strdup(auth->scope),
        .text = iso_strdup(text),
        .expires_ns = http->world.now_ns(http->world.context) +
                      (int64_t)((lives_s - margin_s) * (double)NS_PER_S),
    };
    if (!token->scope || !token->text) {
        token_fini(token);
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a token");
    }
    http->n_tokens++;
    return ISO_OK;
}

/* The answer of a token's endpoint: {"access_token": ..., "expires_in": seconds}. */
static enum iso_status read_token(struct iso_http *http, const struct iso_http_auth *auth,
                                  const void *bytes, size_t n_bytes, struct iso_error *reterr)
{
    ISO_AUTO(iso_scratch) scratch = iso_scratch_new(4096);
    ISO_AUTO_JSON *answer = NULL;

    if (!scratch)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a token");
    ISO_TRY(iso_json_document_read(bytes, n_bytes, &answer, reterr));
    const char *text = iso_json_text_at(answer, "access_token");
    const char *lives = iso_json_scalar(iso_json_at(answer, "expires_in"), scratch);
    double lives_s = lives ? strtod(lives, NULL) : 0;
    if (!text[0] || !(lives_s > 0 && lives_s <= 1e6))
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                        "the token endpoint's answer has no access_token or expires_in");
    return keep_token(http, auth, text, lives_s, reterr);
}

/* Posts a form to a token's endpoint and keeps what comes back. */
static enum iso_status ask_for_token(struct iso_http *http, const struct iso_http_auth *auth,
                                     const char *url, const struct iso_pairs *fields,
                                     struct iso_error *reterr)
{
    static const struct iso_http_header header = {"Content-Type",
                                                  "application/x-www-form-urlencoded"};
    ISO_AUTO_SECRET char *form = iso_form(fields);
    struct iso_http_response response = {0};
    struct iso_answer answer = {0};
    enum iso_status status;

    if (!form)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a token's request");
    struct iso_http_request request = {
        .request_bytes = sizeof(request),
        .method = "POST",
        .service = "token",
        .url = url,
        .headers = &header,
        .n_headers = 1,
        .body = form,
        .n_body_bytes = strlen(form),
        .accept = ISO_HTTP_JSON,
        .max_bytes = TOKEN_BYTES,
        .receive = iso_answer_receive,
        .receive_context = &answer,
    };
    status = iso_http_ask(http, &request, &response, reterr);
    if (status == ISO_E_INVALID) /* OAuth says 400 of wrong credentials */
        status = ISO_E_UNAUTHENTICATED;
    if (reterr && status != ISO_OK)
        reterr->status = status;
    if (status == ISO_OK)
        status = read_token(http, auth, answer.bytes, answer.n_bytes, reterr);
    if (answer.bytes)
        iso_wipe(answer.bytes, answer.n_bytes);
    iso_answer_fini(&answer);
    return status;
}

/* OAuth 2.0 client credentials (RFC 6749 section 4.4) at Microsoft's identity platform. */
static enum iso_status ask_azure(struct iso_http *http, const struct iso_http_auth *auth,
                                 struct iso_error *reterr)
{
    const char *tenant, *id, *secret;
    struct iso_pairs fields = {0};
    ISO_AUTO_MEM char *url = NULL;
    enum iso_status status;

    ISO_TRY(find_secret(http, "tenant_id", &tenant, reterr));
    ISO_TRY(find_secret(http, "client_id", &id, reterr));
    ISO_TRY(find_secret(http, "client_secret", &secret, reterr));
    ISO_AUTO_MEM char *encoded = iso_percent_encode(tenant, /* keep_slash= */ false);
    if (!encoded)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a token's request");
    ISO_TRY(iso_text_make(&url, reterr, "https://login.microsoftonline.com/%s/oauth2/v2.0/token",
                          encoded));
    status = iso_pairs_add(&fields, "grant_type", "client_credentials", reterr);
    if (status == ISO_OK)
        status = iso_pairs_add(&fields, "client_id", id, reterr);
    if (status == ISO_OK)
        status = iso_pairs_add(&fields, "client_secret", secret, reterr);
    if (status == ISO_OK)
        status = iso_pairs_add(&fields, "scope", auth->scope, reterr);
    if (status == ISO_OK)
        status = ask_for_token(http, auth, url, &fields, reterr);
    iso_pairs_fini(&fields);
    return status;
}

/* RFC 7523: an assertion signed with the account's key for a token. */
static enum iso_status ask_gcp(struct iso_http *http, const struct iso_http_auth *auth,
                               struct iso_error *reterr)
{
    static const char audience[] = "https://oauth2.googleapis.com/token";
    ISO_AUTO_SECRET char *assertion = NULL;
    struct iso_gcp_account account;
    struct iso_pairs fields = {0};
    ISO_AUTO_JSON *file = NULL;
    const char *text;

    ISO_TRY(find_secret(http, "service_account", &text, reterr));
    if (iso_json_document_read(text, strlen(text), &file, /* reterr= */ NULL) != ISO_OK)
        return iso_fail(reterr, ISO_E_INVALID, "secret_files.service_account",
                        "not the JSON file of a service account's key");
    account.email = iso_json_text_at(file, "client_email");
    account.key_id = iso_json_text_at(file, "private_key_id");
    account.private_key_pem = iso_json_text_at(file, "private_key");
    ISO_TRY(
        iso_sign_gcp_assertion(&account, auth->scope, audience, now_s(http), &assertion, reterr));
    enum iso_status status =
        iso_pairs_add(&fields, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", reterr);
    if (status == ISO_OK)
        status = iso_pairs_add(&fields, "assertion", assertion, reterr);
    if (status == ISO_OK)
        status = ask_for_token(http, auth, audience, &fields, reterr);
    iso_pairs_fini(&fields);
    return status;
}

static enum iso_status add_token(struct iso_http *http, const struct iso_http_auth *auth,
                                 struct iso_message *message, struct iso_error *reterr)
{
    ISO_AUTO_SECRET char *value = NULL;
    struct iso_token *token;

    if (!auth->scope || !auth->scope[0])
        return iso_fail(reterr, ISO_E_INVALID, "auth.scope", "a token needs a scope");
    token = find_token(http, auth);
    if (!token || token->expires_ns <= http->world.now_ns(http->world.context)) {
        ISO_TRY(auth->scheme == ISO_AUTH_AZURE ? ask_azure(http, auth, reterr)
                                               : ask_gcp(http, auth, reterr));
        token = find_token(http, auth);
    }
    ISO_TRY(iso_text_make(&value, reterr, "Bearer %s", token ? token->text : ""));
    return iso_pairs_set(&message->headers, "Authorization", value, reterr);
}

/* ---- Signatures ---- */

static enum iso_status sign_aws(struct iso_http *http, const struct iso_http_auth *auth,
                                struct iso_message *message, struct iso_error *reterr)
{
    bool is_s3 = auth->scheme == ISO_AUTH_AWS_S3;
    struct iso_aws_scope scope = {.region = auth->region,
                                  .service = auth->service,
                                  .normal_path = !is_s3,
                                  .encode_path = !is_s3,
                                  .hash_header = is_s3};
    struct iso_access_key key;

    if (!auth->region || !auth->service)
        return iso_fail(reterr, ISO_E_INVALID, "auth", "AWS needs a region and a service");
    ISO_TRY(find_key(http, "access_key_id", "secret_access_key", "session_token", &key, reterr));
    return iso_sign_aws(&key, &scope, now_s(http), message, reterr);
}

static enum iso_status sign_alibaba(struct iso_http *http, const struct iso_http_auth *auth,
                                    struct iso_message *message, struct iso_error *reterr)
{
    unsigned char bytes[NONCE_BYTES];
    char nonce[2 * NONCE_BYTES + 1];
    struct iso_access_key key;

    ISO_TRY(find_key(http, "access_key_id", "access_key_secret", "security_token", &key, reterr));
    ISO_TRY(iso_random(bytes, sizeof(bytes), reterr));
    iso_hex(bytes, sizeof(bytes), nonce);
    return auth->scheme == ISO_AUTH_ALIBABA_RPC
               ? iso_sign_alibaba_rpc(&key, now_s(http), nonce, message, reterr)
               : iso_sign_alibaba_acs3(&key, now_s(http), nonce, message, reterr);
}

static enum iso_status sign_huawei(struct iso_http *http, const struct iso_http_auth *auth,
                                   struct iso_message *message, struct iso_error *reterr)
{
    struct iso_access_key key;

    ISO_TRY(find_key(http, "access_key", "secret_key", "security_token", &key, reterr));
    ISO_TRY(iso_pairs_set(&message->headers, "Host", message->host, reterr));
    return iso_sign_huawei(&key, auth->region, auth->service, now_s(http), message, reterr);
}

static enum iso_status add_gcp_key(struct iso_http *http, struct iso_message *message,
                                   struct iso_error *reterr)
{
    const char *key;

    ISO_TRY(find_secret(http, "api_key", &key, reterr));
    return iso_pairs_set(&message->query, "key", key, reterr);
}

enum iso_status iso_http_authorize(struct iso_http *http, const struct iso_http_auth *auth,
                                   struct iso_message *message, struct iso_error *reterr)
{
    switch (auth->scheme) {
    case ISO_AUTH_NONE:
        return ISO_OK;
    case ISO_AUTH_AWS:
    case ISO_AUTH_AWS_S3:
        return sign_aws(http, auth, message, reterr);
    case ISO_AUTH_ALIBABA_RPC:
    case ISO_AUTH_ALIBABA_ACS3:
        return sign_alibaba(http, auth, message, reterr);
    case ISO_AUTH_HUAWEI:
        return sign_huawei(http, auth, message, reterr);
    case ISO_AUTH_AZURE:
    case ISO_AUTH_GCP:
        return add_token(http, auth, message, reterr);
    case ISO_AUTH_GCP_KEY:
        return add_gcp_key(http, message, reterr);
    default:
        return iso_fail(reterr, ISO_E_INVALID, "auth.scheme", "%d is not a scheme",
                        (int)auth->scheme);
    }
}

/* ---- What may be shown ---- */

#define SHORTEST_SECRET 6 /* shorter ones would make any text unreadable, and hide nothing */

static void hide(char *text, const char *secret)
{
    size_t n = strlen(secret);

    if (n < SHORTEST_SECRET)
        return;
    for (char *at = strstr(text, secret); at; at = strstr(at + n, secret))
        memset(at, '*', n);
}

void iso_http_redact(const struct iso_http *http, char *text)
{
    for (size_t i = 0; i < http->world.load->n_secrets; i++)
        hide(text, http->world.load->secrets[i]->value);
    for (size_t i = 0; i < http->n_tokens; i++)
        hide(text, http->tokens[i].text);
}

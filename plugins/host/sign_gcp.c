#include <ctype.h>
#include <stdio.h>

#include "crypto.h"
#include "sign.h"

#define GOOD_FOR_S 3600 /* the longest that Google takes */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an assertion");
}

/* The parts are written into JSON without escapes, so they may not need any. */
static enum iso_status check_plain(const char *what, const char *text, struct iso_error *reterr)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (!isprint(*c) || *c == '"' || *c == '\\')
            return iso_fail(reterr, ISO_E_INVALID, what,
                            "only printable ASCII without quotes and backslashes is allowed");
    return ISO_OK;
}

static enum iso_status signing_input(const struct iso_gcp_account *account, const char *scope,
                                     const char *audience, int64_t time_s, char **ret_text,
                                     struct iso_error *reterr)
{
    ISO_AUTO_MEM char *header = NULL;
    ISO_AUTO_MEM char *claims = NULL;

    ISO_TRY(iso_text_make(&header, reterr, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"%s\"}",
                          account->key_id));
    ISO_TRY(iso_text_make(
        &claims, reterr,
        "{\"iss\":\"%s\",\"scope\":\"%s\",\"aud\":\"%s\",\"iat\":%lld,\"exp\":%lld}",
        account->email, scope, audience, (long long)time_s, (long long)time_s + GOOD_FOR_S));
    ISO_AUTO_MEM char *first = iso_base64(header, strlen(header), /* for_url= */ true);
    ISO_AUTO_MEM char *second = iso_base64(claims, strlen(claims), /* for_url= */ true);
    if (!first || !second)
        return no_memory(reterr);
    ISO_TRY(iso_text_make(ret_text, reterr, "%s.%s", first, second));
    return ISO_OK;
}

enum iso_status iso_sign_gcp_assertion(const struct iso_gcp_account *account, const char *scope,
                                       const char *audience, int64_t time_s, char **ret_assertion,
                                       struct iso_error *reterr)
{
    ISO_AUTO_MEM unsigned char *signature = NULL;
    ISO_AUTO_MEM char *input = NULL;
    size_t n_bytes = 0;

    ISO_TRY(check_plain("client_email", account->email, reterr));
    ISO_TRY(check_plain("private_key_id", account->key_id, reterr));
    ISO_TRY(check_plain("scope", scope, reterr));
    ISO_TRY(check_plain("token_uri", audience, reterr));
    ISO_TRY(signing_input(account, scope, audience, time_s, &input, reterr));
    ISO_TRY(iso_rsa_sha256_sign(account->private_key_pem, input, &signature, &n_bytes, reterr));
    ISO_AUTO_MEM char *text = iso_base64(signature, n_bytes, /* for_url= */ true);
    if (!text)
        return no_memory(reterr);
    ISO_TRY(iso_text_make(ret_assertion, reterr, "%s.%s", input, text));
    return ISO_OK;
}

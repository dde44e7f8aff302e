/* Calls of Huawei Cloud: JSON over GET and POST, signed with SDK-HMAC-SHA256. */
#include <stdio.h>

#include "huawei.h"
#include "isocost/sdk/ask.h"
#include "isocost/sdk/words.h"

#define N_HEADERS 3

/* A gateway may say that it refused in an answer of status 200. */
static enum iso_status judge(const struct iso_huawei_fetch *fetch,
                             const struct iso_huawei_call *call, const struct iso_json *answer,
                             struct iso_error *reterr)
{
    const char *code = iso_json_text_at(answer, "error_code");
    enum iso_status status = ISO_E_INVALID;

    if (!code[0] || strcmp(code, "CBC.0000") == 0)
        return ISO_OK;
    snprintf(fetch->failure->provider_code, sizeof(fetch->failure->provider_code), "%.63s", code);
    fetch->failure->http_status = 200;
    fetch->failure->retry_after_ms = -1;
    if (iso_begins_with_any(code, "APIG.0308,ces.0429,CBC.0250")) {
        fetch->failure->failure_class = ISO_FAILURE_QUOTA;
        status = ISO_E_UNAVAILABLE;
    } else if (iso_begins_with_any(code, "APIGW.03,CBC.0151")) {
        status = ISO_E_UNAUTHENTICATED;
    } else if (iso_begins_with_any(code, "CBC.0999")) { /* "other errors" */
        status = ISO_E_UNAVAILABLE;
    }
    return iso_fail(reterr, status, "", "%.100s: error_code %.63s: %.200s", call->path, code,
                    iso_json_text_at(answer, "error_msg"));
}

/* The account's service takes the account's id and a language for its prose, the others take the
 * project. */
static size_t make_headers(const struct iso_huawei_fetch *fetch, const struct iso_huawei_call *call,
                           bool of_account, struct iso_http_header headers[N_HEADERS])
{
    const char *domain = fetch->huawei->config->domain_id;
    size_t n = 0;

    if (call->body)
        headers[n++] = (struct iso_http_header){"Content-Type", "application/json"};
    if (!of_account)
        headers[n++] = (struct iso_http_header){"X-Project-Id", fetch->place->project};
    if (of_account)
        headers[n++] = (struct iso_http_header){"X-Language", "en_US"};
    if (of_account && domain[0])
        headers[n++] = (struct iso_http_header){"X-Domain-Id", domain};
    return n;
}

enum iso_status iso_huawei_ask(const struct iso_huawei_fetch *fetch,
                               const struct iso_huawei_call *call, struct iso_json **ret_answer,
                               struct iso_json **ret_refusal, struct iso_error *reterr)
{
    bool of_account = strcmp(call->service, "bss") == 0;
    struct iso_http_header headers[N_HEADERS];
    ISO_AUTO_JSON *answer = NULL;
    ISO_AUTO_TEXT url = {0};

    if (of_account)
        iso_text_add(&url, "https://bss%s.myhuaweicloud.com",
                     iso_huawei_is_international(fetch->huawei) ? "-intl" : "");
    else
        iso_text_add(&url, "https://%s.%s.myhuaweicloud.com", call->service, fetch->place->region);
    iso_text_add(&url, "%s", call->path);
    ISO_TRY(iso_text_check(&url, reterr));
    const struct iso_http_request request = {
        .method = call->body ? "POST" : "GET",
        .service = call->service,
        .url = url.bytes,
        .headers = headers,
        .n_headers = make_headers(fetch, call, of_account, headers),
        .body = call->body,
        .n_body_bytes = call->body ? strlen(call->body) : 0,
        .auth = {.scheme = ISO_AUTH_HUAWEI},
        .accept = ISO_HTTP_JSON,
    };
    ISO_TRY(iso_ask_json_or_refusal(fetch->host, &request, &answer, ret_refusal, fetch->failure,
                                    reterr));
    enum iso_status status = judge(fetch, call, answer, reterr);
    if (status == ISO_OK)
        *ret_answer = ISO_STEAL(answer);
    else if (ret_refusal)
        *ret_refusal = ISO_STEAL(answer);
    return status;
}

enum iso_status iso_huawei_list(const struct iso_json *answer, const char *path,
                                const struct iso_json **ret_list, struct iso_error *reterr)
{
    *ret_list = iso_json_at(answer, path);
    if (iso_json_kind(*ret_list) == ISO_JSON_ARRAY)
        return ISO_OK;
    return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the answer has no list \"%s\"", path);
}

enum iso_status iso_huawei_add_last_id(const struct iso_json *list, struct iso_text *next,
                                       struct iso_error *reterr)
{
    size_t n = iso_json_length(list);
    const char *id = n > 0 ? iso_json_text_at(iso_json_item(list, n - 1), "id") : "";

    if (!id[0])
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                        "a page ends without an id, behind which the next one would begin");
    iso_text_add(next, "%s", id);
    return ISO_OK;
}

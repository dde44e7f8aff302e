/* Calls of Alibaba Cloud: an action in the query, and a cursor from page to page. */
#include <stdio.h>

#include "alibaba.h"
#include "isocost/sdk/ask.h"
#include "isocost/sdk/pager.h"

static bool begins_with(const char *text, const char *head)
{
    return strncmp(text, head, strlen(head)) == 0;
}

/* Some services say that they failed in an answer of status 200. */
static enum iso_status judge(const struct iso_alibaba_fetch *fetch,
                             const struct iso_alibaba_call *call, const struct iso_json *answer,
                             struct iso_error *reterr)
{
    const char *success = iso_json_scalar(iso_json_at(answer, "Success"), fetch->row);
    const char *code = iso_json_text_at(answer, "Code");
    enum iso_status status = ISO_E_INVALID;

    if (!success || strcmp(success, "false") != 0)
        return ISO_OK;
    snprintf(fetch->failure->provider_code, sizeof(fetch->failure->provider_code), "%.63s", code);
    fetch->failure->http_status = 200;
    fetch->failure->retry_after_ms = -1;
    if (begins_with(code, "Throttling")) {
        fetch->failure->failure_class = ISO_FAILURE_QUOTA;
        status = ISO_E_UNAVAILABLE;
    } else if (begins_with(code, "NotAuthorized") || begins_with(code, "Forbidden") ||
               begins_with(code, "NoPermission")) {
        status = ISO_E_UNAUTHENTICATED;
    } else if (begins_with(code, "InternalError") || begins_with(code, "ServiceUnavailable")) {
        status = ISO_E_UNAVAILABLE;
    }
    return iso_fail(reterr, status, "", "%s: Success is false, code %.63s: %.200s", call->action,
                    code, iso_json_text_at(answer, "Message"));
}

/* A call under way. */
struct paging {
    const struct iso_alibaba_fetch *fetch;
    const struct iso_alibaba_call *call;
    iso_alibaba_on_page on_page;
    void *context;
};

static enum iso_status make_url(const struct iso_alibaba_call *call, const char *cursor,
                                struct iso_text *url, struct iso_error *reterr)
{
    char host[2 * ISO_ALIBABA_REGION_BYTES];

    snprintf(host, sizeof(host), "%s.%s%s", call->host, call->region ? call->region : "",
             call->region ? ".aliyuncs.com" : "aliyuncs.com");
    iso_text_add(url, "https://%s/?Action=%s&Version=%s&Format=JSON", host, call->action,
                 call->version);
    if (call->region)
        iso_text_add(url, "&RegionId=%s", call->region);
    iso_text_add(url, "%s", call->parameters ? call->parameters : "");
    if (cursor[0]) {
        iso_text_add(url, "&%s=", call->cursor);
        iso_text_add_url(url, cursor);
    }
    return iso_text_check(url, reterr);
}

static enum iso_status ask_page(void *context, const char *cursor, struct iso_text *next,
                                struct iso_error *reterr)
{
    const struct paging *paging = context;
    const struct iso_alibaba_fetch *fetch = paging->fetch;
    const struct iso_alibaba_call *call = paging->call;
    ISO_AUTO_JSON *answer = NULL;
    ISO_AUTO_TEXT url = {0};

    iso_scratch_reset(fetch->row);
    ISO_TRY(make_url(call, cursor, &url, reterr));
    const struct iso_http_request request = {
        .method = "GET",
        .service = call->service,
        .url = url.bytes,
        .auth = {.scheme = ISO_AUTH_ALIBABA_RPC},
        .accept = ISO_HTTP_JSON,
    };
    ISO_TRY(iso_ask_json(fetch->host, &request, &answer, fetch->failure, reterr));
    ISO_TRY(judge(fetch, call, answer, reterr));
    ISO_TRY(paging->on_page(paging->context, answer, reterr));
    const char *told =
        call->cursor ? iso_json_scalar(iso_json_at(answer, call->next), fetch->row) : NULL;
    /* An offset of 0 is as good as none. */
    iso_text_add(next, "%s", told && strcmp(told, "0") != 0 ? told : "");
    return ISO_OK;
}

enum iso_status iso_alibaba_ask(const struct iso_alibaba_fetch *fetch,
                                const struct iso_alibaba_call *call, iso_alibaba_on_page on_page,
                                void *context, struct iso_error *reterr)
{
    struct paging paging = {fetch, call, on_page, context};

    return iso_pager_run(fetch->host, ask_page, &paging, reterr);
}

enum iso_status iso_alibaba_ask_ecs(const struct iso_alibaba_fetch *fetch, const char *region,
                                    const char *action, const char *parameters,
                                    iso_alibaba_on_page on_page, void *context,
                                    struct iso_error *reterr)
{
    const struct iso_alibaba_call call = {
        .service = "ecs",
        .host = "ecs",
        .version = ISO_ALIBABA_ECS_VERSION,
        .action = action,
        .region = region,
        .parameters = parameters,
        .cursor = "NextToken",
        .next = "NextToken",
    };

    return iso_alibaba_ask(fetch, &call, on_page, context, reterr);
}

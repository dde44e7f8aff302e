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

static enum iso_status ask_page(const struct iso_alibaba_fetch *fetch,
                                const struct iso_alibaba_call *call, const char *cursor,
                                struct iso_json **ret_answer, struct iso_error *reterr)
{
    char host[2 * ISO_ALIBABA_REGION_BYTES];
    ISO_AUTO_TEXT url = {0};

    snprintf(host, sizeof(host), "%s.%s%s", call->host, call->region ? call->region : "",
             call->region ? ".aliyuncs.com" : "aliyuncs.com");
    iso_text_add(&url, "https://%s/?Action=%s&Version=%s&Format=JSON", host, call->action,
                 call->version);
    if (call->region)
        iso_text_add(&url, "&RegionId=%s", call->region);
    iso_text_add(&url, "%s", call->parameters ? call->parameters : "");
    if (cursor) {
        iso_text_add(&url, "&%s=", call->cursor);
        iso_text_add_url(&url, cursor);
    }
    ISO_TRY(iso_text_check(&url, reterr));
    const struct iso_http_request request = {
        .method = "GET",
        .service = call->service,
        .url = url.bytes,
        .auth = {.scheme = ISO_AUTH_ALIBABA_RPC},
        .accept = ISO_HTTP_JSON,
    };

    ISO_TRY(iso_ask_json(fetch->host, &request, ret_answer, fetch->failure, reterr));
    return judge(fetch, call, *ret_answer, reterr);
}

/* The cursor of the next page; an offset of 0 is as good as none. */
static enum iso_status read_cursor(const struct iso_alibaba_fetch *fetch,
                                   const struct iso_alibaba_call *call,
                                   const struct iso_json *answer, struct iso_text *cursor,
                                   struct iso_error *reterr)
{
    const char *next =
        call->cursor ? iso_json_scalar(iso_json_at(answer, call->next), fetch->row) : NULL;

    cursor->n_bytes = 0;
    iso_text_add(cursor, "%s", next && strcmp(next, "0") != 0 ? next : "");
    return iso_text_check(cursor, reterr);
}

enum iso_status iso_alibaba_ask(const struct iso_alibaba_fetch *fetch,
                                const struct iso_alibaba_call *call, iso_alibaba_on_page on_page,
                                void *context, struct iso_error *reterr)
{
    ISO_AUTO_TEXT cursor = {0};
    struct iso_pager pager = {0};
    enum iso_status status = ISO_OK;

    do {
        ISO_AUTO_JSON *answer = NULL;
        iso_scratch_reset(fetch->row);
        if (fetch->host->cancelled(fetch->host))
            status = iso_fail(reterr, ISO_E_CANCELLED, "", "the fetch was cancelled");
        if (status == ISO_OK)
            status =
                ask_page(fetch, call, cursor.n_bytes > 0 ? cursor.bytes : NULL, &answer, reterr);
        if (status == ISO_OK)
            status = on_page(context, answer, reterr);
        if (status == ISO_OK)
            status = read_cursor(fetch, call, answer, &cursor, reterr);
        if (status == ISO_OK && cursor.n_bytes > 0)
            status = iso_pager_next(&pager, cursor.bytes, reterr);
    } while (status == ISO_OK && cursor.n_bytes > 0);
    iso_pager_fini(&pager);
    return status;
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

/* Calls of Azure: JSON over GET and POST, with links from page to page. */
#include <stdio.h>

#include "azure.h"
#include "isocost/sdk/ask.h"
#include "isocost/sdk/pager.h"

#define SCOPE "https://management.azure.com/.default"

/* A call under way. */
struct paging {
    const struct iso_azure_fetch *fetch;
    const struct iso_azure_call *call;
    iso_azure_on_page on_page;
    void *context;
};

static enum iso_status ask_page(void *context, const char *link, struct iso_text *next,
                                struct iso_error *reterr)
{
    static const struct iso_http_header json = {"Content-Type", "application/json"};
    const struct paging *paging = context;
    const struct iso_azure_fetch *fetch = paging->fetch;
    const struct iso_azure_call *call = paging->call;
    const struct iso_http_request request = {
        .method = call->method ? call->method : "GET",
        .service = call->service,
        .url = call->url,
        .link = link[0] ? link : NULL,
        .headers = &json,
        .n_headers = call->body ? 1 : 0,
        .body = call->body,
        .n_body_bytes = call->body ? strlen(call->body) : 0,
        .auth = {.scheme = call->is_public ? ISO_AUTH_NONE : ISO_AUTH_AZURE, .scope = SCOPE},
        .accept = ISO_HTTP_JSON,
    };
    ISO_AUTO_JSON *answer = NULL;

    ISO_TRY(iso_ask_json(fetch->host, &request, &answer, fetch->failure, reterr));
    ISO_TRY(paging->on_page(paging->context, answer, reterr));
    iso_text_add(next, "%s", call->link ? iso_json_text_at(answer, call->link) : "");
    return ISO_OK;
}

enum iso_status iso_azure_ask(const struct iso_azure_fetch *fetch,
                              const struct iso_azure_call *call, iso_azure_on_page on_page,
                              void *context, struct iso_error *reterr)
{
    struct paging paging = {fetch, call, on_page, context};

    return iso_pager_run(fetch->host, ask_page, &paging, reterr);
}

enum iso_status iso_azure_list(const struct iso_azure_fetch *fetch, const char *path,
                               iso_azure_on_page on_page, void *context, struct iso_error *reterr)
{
    ISO_AUTO_TEXT url = {0};

    iso_text_add(&url, "https://management.azure.com/subscriptions/%s%s",
                 fetch->azure->config->subscription, path);
    ISO_TRY(iso_text_check(&url, reterr));
    const struct iso_azure_call call = {
        .service = "management", .url = url.bytes, .link = "nextLink"};
    return iso_azure_ask(fetch, &call, on_page, context, reterr);
}

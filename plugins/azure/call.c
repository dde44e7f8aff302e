/* Calls of Azure: JSON over GET and POST, with links from page to page. */
#include <stdio.h>

#include "azure.h"
#include "isocost/sdk/ask.h"
#include "isocost/sdk/pager.h"

#define SCOPE "https://management.azure.com/.default"

static enum iso_status ask_page(const struct iso_azure_fetch *fetch,
                                const struct iso_azure_call *call, const char *link,
                                struct iso_json **ret_answer, struct iso_error *reterr)
{
    static const struct iso_http_header json = {"Content-Type", "application/json"};
    const struct iso_http_request request = {
        .method = call->method ? call->method : "GET",
        .service = call->service,
        .url = call->url,
        .link = link,
        .headers = &json,
        .n_headers = call->body ? 1 : 0,
        .body = call->body,
        .n_body_bytes = call->body ? strlen(call->body) : 0,
        .auth = {.scheme = call->is_public ? ISO_AUTH_NONE : ISO_AUTH_AZURE, .scope = SCOPE},
        .accept = ISO_HTTP_JSON,
    };

    return iso_ask_json(fetch->host, &request, ret_answer, fetch->failure, reterr);
}

enum iso_status iso_azure_ask(const struct iso_azure_fetch *fetch,
                              const struct iso_azure_call *call, iso_azure_on_page on_page,
                              void *context, struct iso_error *reterr)
{
    ISO_AUTO_TEXT link = {0};
    struct iso_pager pager = {0};
    enum iso_status status = ISO_OK;

    do {
        ISO_AUTO_JSON *answer = NULL;
        if (fetch->host->cancelled(fetch->host))
            status = iso_fail(reterr, ISO_E_CANCELLED, "", "the fetch was cancelled");
        if (status == ISO_OK)
            status = ask_page(fetch, call, link.n_bytes > 0 ? link.bytes : NULL, &answer, reterr);
        if (status == ISO_OK)
            status = on_page(context, answer, reterr);
        link.n_bytes = 0;
        iso_text_add(&link, "%s", call->link ? iso_json_text_at(answer, call->link) : "");
        if (status == ISO_OK)
            status = iso_text_check(&link, reterr);
        if (status == ISO_OK && link.n_bytes > 0)
            status = iso_pager_next(&pager, link.bytes, reterr);
    } while (status == ISO_OK && link.n_bytes > 0);
    iso_pager_fini(&pager);
    return status;
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

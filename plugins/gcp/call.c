/* Calls of Google Cloud: JSON over GET, with a token from page to page. */
#include "gcp.h"
#include "isocost/sdk/ask.h"
#include "isocost/sdk/pager.h"

/* A call under way. */
struct paging {
    const struct iso_gcp_fetch *fetch;
    const struct iso_gcp_call *call;
    iso_gcp_on_page on_page;
    void *context;
};

static enum iso_status ask_page(void *context, const char *token, struct iso_text *next,
                                struct iso_error *reterr)
{
    const struct paging *paging = context;
    const struct iso_gcp_fetch *fetch = paging->fetch;
    const struct iso_gcp_call *call = paging->call;
    ISO_AUTO_JSON *answer = NULL;
    ISO_AUTO_TEXT url = {0};

    iso_text_add(&url, "%s", call->url);
    if (token[0]) {
        iso_text_add(&url, "&pageToken=");
        iso_text_add_url(&url, token);
    }
    ISO_TRY(iso_text_check(&url, reterr));
    const struct iso_http_request request = {
        .method = "GET",
        .service = call->service,
        .url = url.bytes,
        .auth = {.scheme = call->scope ? ISO_AUTH_GCP : ISO_AUTH_GCP_KEY, .scope = call->scope},
        .accept = ISO_HTTP_JSON,
    };
    ISO_TRY(iso_ask_json(fetch->host, &request, &answer, fetch->failure, reterr));
    if (iso_json_kind(answer) != ISO_JSON_OBJECT)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the answer of %s is no object",
                        call->service);
    ISO_TRY(paging->on_page(paging->context, answer, reterr));
    iso_text_add(next, "%s", iso_json_text_at(answer, "nextPageToken"));
    return ISO_OK;
}

enum iso_status iso_gcp_ask(const struct iso_gcp_fetch *fetch, const struct iso_gcp_call *call,
                            iso_gcp_on_page on_page, void *context, struct iso_error *reterr)
{
    struct paging paging = {fetch, call, on_page, context};

    return iso_pager_run(fetch->host, ask_page, &paging, reterr);
}

enum iso_status iso_gcp_ask_compute(const struct iso_gcp_fetch *fetch, const char *path,
                                    iso_gcp_on_page on_page, void *context,
                                    struct iso_error *reterr)
{
    ISO_AUTO_TEXT url = {0};

    iso_text_add(&url, "https://compute.googleapis.com/compute/v1/projects/%s%s",
                 fetch->gcp->config->project, path);
    ISO_TRY(iso_text_check(&url, reterr));
    const struct iso_gcp_call call = {
        .service = "compute",
        .url = url.bytes,
        .scope = "https://www.googleapis.com/auth/compute.readonly",
    };
    return iso_gcp_ask(fetch, &call, on_page, context, reterr);
}

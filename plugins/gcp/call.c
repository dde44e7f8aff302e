/* Calls of Google Cloud: JSON over GET, with a token from page to page. */
#include "gcp.h"
#include "isocost/sdk/ask.h"
#include "isocost/sdk/pager.h"

static enum iso_status ask_page(const struct iso_gcp_fetch *fetch, const struct iso_gcp_call *call,
                                const char *token, struct iso_json **ret_answer,
                                struct iso_error *reterr)
{
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
    return iso_ask_json(fetch->host, &request, ret_answer, fetch->failure, reterr);
}

enum iso_status iso_gcp_ask(const struct iso_gcp_fetch *fetch, const struct iso_gcp_call *call,
                            iso_gcp_on_page on_page, void *context, struct iso_error *reterr)
{
    ISO_AUTO_TEXT token = {0};
    struct iso_pager pager = {0};
    enum iso_status status = ISO_OK;

    do {
        ISO_AUTO_JSON *answer = NULL;
        if (fetch->host->cancelled(fetch->host))
            status = iso_fail(reterr, ISO_E_CANCELLED, "", "the fetch was cancelled");
        if (status == ISO_OK)
            status = ask_page(fetch, call, token.n_bytes > 0 ? token.bytes : "", &answer, reterr);
        if (status == ISO_OK && iso_json_kind(answer) != ISO_JSON_OBJECT)
            status = iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the answer of %s is no object",
                              call->service);
        if (status == ISO_OK)
            status = on_page(context, answer, reterr);
        token.n_bytes = 0;
        iso_text_add(&token, "%s", iso_json_text_at(answer, "nextPageToken"));
        if (status == ISO_OK)
            status = iso_text_check(&token, reterr);
        if (status == ISO_OK && token.n_bytes > 0)
            status = iso_pager_next(&pager, token.bytes, reterr);
    } while (status == ISO_OK && token.n_bytes > 0);
    iso_pager_fini(&pager);
    return status;
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

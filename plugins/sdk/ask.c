#include "isocost/sdk/ask.h"

void iso_answer_fini(struct iso_answer *answer)
{
    free(answer->bytes);
    *answer = (struct iso_answer){0};
}

enum iso_status iso_answer_receive(void *context, const unsigned char *bytes, size_t n_bytes,
                                   struct iso_error *reterr)
{
    struct iso_answer *answer = context;
    char *longer = iso_realloc(answer->bytes, answer->n_bytes + n_bytes + 1, 1);

    if (!longer)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an answer");
    memcpy(longer + answer->n_bytes, bytes, n_bytes);
    answer->bytes = longer;
    answer->n_bytes += n_bytes;
    answer->bytes[answer->n_bytes] = '\0';
    return ISO_OK;
}

void iso_failure_set(struct iso_failure *failure, const struct iso_http_response *response)
{
    failure->http_status = response->status;
    failure->retry_after_ms = response->retry_after_ms;
    if (response->status == 429)
        failure->failure_class = ISO_FAILURE_QUOTA;
    memcpy(failure->provider_code, response->provider_code, sizeof(failure->provider_code));
}

/* Asks and gathers; the document of a refusal goes to *ret_refusal, if there is one. */
static enum iso_status gather(const struct iso_host *host, const struct iso_http_request *request,
                              struct iso_answer *ret_answer, struct iso_json **ret_refusal,
                              struct iso_failure *retfailure, struct iso_error *reterr)
{
    struct iso_http_response response = {0};
    struct iso_http_request own = *request;
    struct iso_answer answer = {0};

    own.request_bytes = sizeof(own);
    own.stream = false;
    own.receive = iso_answer_receive;
    own.receive_context = &answer;
    enum iso_status status = host->http(host, &own, &response, reterr);
    if (status != ISO_OK) {
        if (retfailure)
            iso_failure_set(retfailure, &response);
        if (ret_refusal && response.n_error_bytes > 0)
            iso_json_document_read(response.error_body, response.n_error_bytes, ret_refusal, NULL);
        iso_answer_fini(&answer);
        return status;
    }
    *ret_answer = answer;
    return ISO_OK;
}

enum iso_status iso_ask(const struct iso_host *host, const struct iso_http_request *request,
                        struct iso_answer *ret_answer, struct iso_failure *retfailure,
                        struct iso_error *reterr)
{
    return gather(host, request, ret_answer, NULL, retfailure, reterr);
}

/* A service that works sends what can be read. */
static enum iso_status unreadable(const struct iso_http_request *request, enum iso_status status,
                                  const struct iso_error *why, struct iso_error *reterr)
{
    if (status == ISO_E_INVALID)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the answer of %.100s is %.200s",
                        request->service ? request->service : request->url, why->text);
    return iso_fail(reterr, status, "", "%s", why->text);
}

enum iso_status iso_ask_json_or_refusal(const struct iso_host *host,
                                        const struct iso_http_request *request,
                                        struct iso_json **ret_document,
                                        struct iso_json **ret_refusal,
                                        struct iso_failure *retfailure, struct iso_error *reterr)
{
    struct iso_error error = {0};
    struct iso_answer answer = {0};

    ISO_TRY(gather(host, request, &answer, ret_refusal, retfailure, reterr));
    enum iso_status status = iso_json_document_read(answer.bytes ? answer.bytes : "",
                                                    answer.n_bytes, ret_document, &error);
    iso_answer_fini(&answer);
    return status == ISO_OK ? ISO_OK : unreadable(request, status, &error, reterr);
}

enum iso_status iso_ask_json(const struct iso_host *host, const struct iso_http_request *request,
                             struct iso_json **ret_document, struct iso_failure *retfailure,
                             struct iso_error *reterr)
{
    return iso_ask_json_or_refusal(host, request, ret_document, NULL, retfailure, reterr);
}

enum iso_status iso_ask_xml(const struct iso_host *host, const struct iso_http_request *request,
                            struct iso_xml **ret_document, struct iso_failure *retfailure,
                            struct iso_error *reterr)
{
    struct iso_error error = {0};
    struct iso_answer answer = {0};

    ISO_TRY(iso_ask(host, request, &answer, retfailure, reterr));
    enum iso_status status =
        iso_xml_read(answer.bytes ? answer.bytes : "", answer.n_bytes, ret_document, &error);
    iso_answer_fini(&answer);
    return status == ISO_OK ? ISO_OK : unreadable(request, status, &error, reterr);
}

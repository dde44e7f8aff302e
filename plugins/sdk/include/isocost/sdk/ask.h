/* Answers of a provider as documents: a request through the host, gathered and read. */
#ifndef ISOCOST_SDK_ASK_H
#define ISOCOST_SDK_ASK_H

#include "isocost/plugin.h"
#include "isocost/sdk/json_document.h"
#include "isocost/sdk/xml.h"

/* Bytes that a request brought. Zero-initialise; free with iso_answer_fini(). */
struct iso_answer {
    char *bytes; /* owned, with a NUL behind them; NULL when there are none */
    size_t n_bytes;
};
void iso_answer_fini(struct iso_answer *answer);

/* Takes bytes of an answer, with the answer as `context`; an iso_receive. Errors: ISO_E_NOMEM. */
enum iso_status iso_answer_receive(void *context, const unsigned char *bytes, size_t n_bytes,
                                   struct iso_error *reterr);

/* Asks and gathers; `request` needs no receive, request_bytes and stream. A failure is copied to
 * *retfailure as the provider said it. Errors: those of struct iso_host's http(). */
enum iso_status iso_ask(const struct iso_host *host, const struct iso_http_request *request,
                        struct iso_answer *ret_answer, struct iso_failure *retfailure,
                        struct iso_error *reterr);

/* The same, read as JSON; the caller frees *ret_document. More errors: ISO_E_UNAVAILABLE when the
 * answer is no JSON, which a service that works does not send. */
enum iso_status iso_ask_json(const struct iso_host *host, const struct iso_http_request *request,
                             struct iso_json **ret_document, struct iso_failure *retfailure,
                             struct iso_error *reterr);

/* The same for services that say in JSON why they refuse: *ret_refusal is that document when the
 * request fails with one, else it stays as it is. The caller frees it like the answer. */
enum iso_status iso_ask_json_or_refusal(const struct iso_host *host,
                                        const struct iso_http_request *request,
                                        struct iso_json **ret_document,
                                        struct iso_json **ret_refusal,
                                        struct iso_failure *retfailure, struct iso_error *reterr);

/* The same for XML; the caller frees *ret_document with iso_xml_free(). */
enum iso_status iso_ask_xml(const struct iso_host *host, const struct iso_http_request *request,
                            struct iso_xml **ret_document, struct iso_failure *retfailure,
                            struct iso_error *reterr);

/* What an answer says of its failure. */
void iso_failure_set(struct iso_failure *failure, const struct iso_http_response *response);

#endif

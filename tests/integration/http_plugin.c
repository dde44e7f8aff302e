/* A plugin that asks once, as its parameters say, and tells what came of it: a diagnostic "asked"
 * with status, attempts, bytes and a checksum of the answer. For tests of the host's HTTP. */
#include <stdio.h>
#include <zlib.h>

#include "isocost/plugin.h"

struct config {
    const char *method, *service, *url, *link, *body, *region, *signed_service, *scope;
    int64_t scheme, accept, max_bytes, times;
    bool stream;
};

#define TEXT(name, def)                                                                  \
    {                                                                                    \
        ISO_PARAM_TEXT, #name, def, 0, 4096, "", NULL, "As in struct iso_http_request.", \
            offsetof(struct config, name)                                                \
    }
#define NUMBER(name, def, most)                                                         \
    {                                                                                   \
        ISO_PARAM_INT, #name, def, 0, most, "", NULL, "As in struct iso_http_request.", \
            offsetof(struct config, name)                                               \
    }

static const struct iso_param params[] = {
    TEXT(method, "GET"),
    TEXT(service, ""),
    TEXT(url, NULL),
    TEXT(link, ""),
    TEXT(body, ""),
    TEXT(region, ""),
    TEXT(signed_service, ""),
    TEXT(scope, ""),
    NUMBER(scheme, "0", 100),
    NUMBER(accept, "1", 10),
    NUMBER(max_bytes, "0", 1e12),
    NUMBER(times, "1", 100),
    {ISO_PARAM_BOOL, "stream", "false", 0, 0, "", NULL, "As in struct iso_http_request.",
     offsetof(struct config, stream)},
    {.type = ISO_PARAM_END},
};

struct state {
    const struct config *config;
    const struct iso_host *host;
    int64_t n_bytes;
    uint32_t checksum;
};

static enum iso_status create(const void *config, const struct iso_host *host, void **ret_instance,
                              struct iso_error *reterr)
{
    struct state *state = iso_calloc(1, sizeof(*state));

    if (!state)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory");
    state->config = config;
    state->host = host;
    *ret_instance = state;
    return ISO_OK;
}

static enum iso_status receive(void *context, const unsigned char *bytes, size_t n_bytes,
                               struct iso_error *reterr)
{
    struct state *state = context;

    (void)reterr;
    state->n_bytes += (int64_t)n_bytes;
    state->checksum = (uint32_t)crc32(state->checksum, bytes, (unsigned)n_bytes);
    return ISO_OK;
}

static const char *or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static enum iso_status ask(struct state *state, struct iso_sink *sink,
                           struct iso_failure *retfailure, struct iso_error *reterr)
{
    static const struct iso_http_header header = {"Content-Type", "application/json"};
    const struct config *config = state->config;
    struct iso_http_request request = {
        .request_bytes = sizeof(request),
        .method = config->method,
        .service = or_null(config->service),
        .url = config->url,
        .link = or_null(config->link),
        .headers = &header,
        .n_headers = config->body[0] ? 1 : 0,
        .body = config->body,
        .n_body_bytes = strlen(config->body),
        .auth = {(int32_t)config->scheme, or_null(config->region), or_null(config->signed_service),
                 or_null(config->scope)},
        .accept = (int32_t)config->accept,
        .stream = config->stream,
        .max_bytes = config->max_bytes,
        .receive = receive,
        .receive_context = state,
    };
    struct iso_http_response response = {0};
    char text[160];

    state->n_bytes = 0;
    state->checksum = 0;
    enum iso_status status = state->host->http(state->host, &request, &response, reterr);
    if (status != ISO_OK) {
        retfailure->http_status = response.status;
        retfailure->retry_after_ms = response.retry_after_ms;
        memcpy(retfailure->provider_code, response.provider_code,
               sizeof(retfailure->provider_code));
        return status;
    }
    snprintf(text, sizeof(text), "status=%d attempts=%d bytes=%lld crc=%u", (int)response.status,
             (int)response.n_attempts, (long long)state->n_bytes, (unsigned)state->checksum);
    struct iso_plugin_diagnostic row = {.code = "asked", .place = config->url, .text = text};
    return iso_put_diagnostics(sink, &row, 1, reterr);
}

static enum iso_status fetch(void *instance, const struct iso_fetch *what, struct iso_sink *sink,
                             struct iso_failure *retfailure, struct iso_error *reterr)
{
    struct state *state = instance;

    (void)what;
    for (int64_t i = 0; i < state->config->times; i++)
        ISO_TRY(ask(state, sink, retfailure, reterr));
    return ISO_OK;
}

ISO_EXPORT const struct iso_plugin iso_plugin_v1 = {
    ISO_PLUGIN_HEAD,
    .caps = ISO_CAP_CATALOG,
    .name = "http",
    .version = "1",
    .summary = "Asks once.",
    .params = params,
    .config_size = sizeof(struct config),
    .create = create,
    .destroy = free,
    .fetch = fetch,
};

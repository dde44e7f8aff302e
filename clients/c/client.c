#include "isocost/client.h"

#include <ctype.h>
#include <grpc/grpc_security.h>
#if __has_include(<grpc/credentials.h>)
#include <grpc/credentials.h>
#endif
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

#include "exchange.h"
#include "grpc/health/v1/health.pb-c.h"

#define MAX_METADATA_BYTES (64 << 10)
#define MAX_MESSAGE_BYTES (64 << 20)
#define DEFAULT_TARGET "127.0.0.1:7443"

/* --- opening --- */

bool iso_client_default_socket(char *buffer, size_t n_bytes)
{
    const char *run = getenv("XDG_RUNTIME_DIR"), *home = getenv("HOME");
    size_t limit = sizeof(((struct sockaddr_un *)0)->sun_path);
    int n = -1;

    if (run && run[0] == '/')
        n = snprintf(buffer, n_bytes, "%s/isocost/isocost.sock", run);
    else if (home && home[0] == '/')
        n = snprintf(buffer, n_bytes, "%s/.isocost/isocost.sock", home);
    return n > 0 && (size_t)n < n_bytes && (size_t)n < limit;
}

static enum iso_status choose_target(const char *target, char *buffer, size_t n_bytes,
                                     struct iso_error *reterr)
{
    const char *named = target ? target : getenv("ISOCOST_SERVER");
    char socket_path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    int n;

    if (named && *named)
        n = snprintf(buffer, n_bytes, "%s", named);
    else if (iso_client_default_socket(socket_path, sizeof(socket_path)) &&
             access(socket_path, F_OK) == 0)
        n = snprintf(buffer, n_bytes, "unix:%s", socket_path);
    else
        n = snprintf(buffer, n_bytes, DEFAULT_TARGET);
    if (n < 0 || (size_t)n >= n_bytes)
        return iso_fail(reterr, ISO_E_INVALID, "server", "the address is longer than %zu bytes",
                        n_bytes - 1);
    if (strncmp(buffer, "unix:/", 6) != 0) {
        const char *colon = strrchr(buffer, ':');
        bool fits = colon && colon != buffer && colon[1] && strlen(colon + 1) <= 5 &&
                    !strstr(buffer, "://") && strncmp(buffer, "unix:", 5) != 0;

        for (const char *c = colon ? colon + 1 : ""; *c; c++)
            fits = fits && isdigit((unsigned char)*c);
        if (!fits)
            return iso_fail(reterr, ISO_E_INVALID, "server",
                            "\"%.100s\" is not unix:/path or host:port", buffer);
    }
    return ISO_OK;
}

enum iso_status iso_client_open(const char *target, struct iso_client **ret_client,
                                struct iso_error *reterr)
{
    grpc_arg arguments[] = {
        {.type = GRPC_ARG_INTEGER,
         .key = (char *)(uintptr_t)GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
         .value.integer = MAX_MESSAGE_BYTES},
        {.type = GRPC_ARG_INTEGER,
         .key = (char *)(uintptr_t)GRPC_ARG_MAX_METADATA_SIZE,
         .value.integer = MAX_METADATA_BYTES},
        {.type = GRPC_ARG_INTEGER,
         .key = (char *)(uintptr_t)GRPC_ARG_ENABLE_HTTP_PROXY,
         .value.integer = 0},
    };
    grpc_channel_args all = {.num_args = ISO_ARRAY_LENGTH(arguments), .args = arguments};
    struct iso_client *client = NULL;
    grpc_channel_credentials *credentials;
    char chosen[256];

    ISO_TRY(choose_target(target, chosen, sizeof(chosen), reterr));
    client = iso_calloc(1, sizeof(*client));
    if (!client)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a client");
    client->target = iso_strdup(chosen);
    if (!client->target) {
        free(client);
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a client");
    }
    setenv("GRPC_VERBOSITY", "NONE", /* overwrite= */ 0); /* this library does not print */
    grpc_init();
    credentials = grpc_insecure_credentials_create();
    client->channel = grpc_channel_create(chosen, credentials, &all);
    grpc_channel_credentials_release(credentials);
    *ret_client = client;
    return ISO_OK;
}

void iso_client_free(struct iso_client *client)
{
    if (!client)
        return;
    grpc_channel_destroy(client->channel);
    grpc_shutdown();
    free(client->target);
    free(client);
}

const char *iso_client_target(const struct iso_client *client)
{
    return client->target;
}

/* --- one request, one answer --- */

static enum iso_status unary(struct iso_client *client, const struct iso_client_method *method,
                             const struct iso_client_options *options, uint32_t flags,
                             const ProtobufCMessage *request, struct iso_arena *arena,
                             ProtobufCMessage **ret_response,
                             struct iso_client_failure *ret_failure, struct iso_error *reterr)
{
    struct iso_exchange exchange;
    grpc_byte_buffer *message;
    enum iso_status status = iso_exchange_begin(&exchange, client, method, options, reterr);
    bool started = false;

    if (status != ISO_OK) {
        iso_exchange_end(&exchange);
        return status;
    }
    message = iso_exchange_pack(request);
    {
        grpc_op ops[] = {iso_op_initial_out(&exchange, flags),
                         iso_op_send(message),
                         {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
                         iso_op_initial_in(&exchange),
                         iso_op_receive(&exchange),
                         iso_op_end(&exchange)};

        started = iso_exchange_start(&exchange, ops, ISO_ARRAY_LENGTH(ops), ISO_TAG_END);
    }
    grpc_byte_buffer_destroy(message);
    if (!started)
        return iso_exchange_refused(&exchange, reterr);
    iso_exchange_wait(&exchange, ISO_TAG_END);
    if (exchange.ending.code != GRPC_STATUS_OK) {
        status = iso_client_explain(client, &exchange.ending, arena, ret_failure, reterr);
    } else {
        status = iso_exchange_answer(&exchange, arena, ret_response, ret_failure, reterr);
    }
    iso_exchange_end(&exchange);
    return status;
}

enum iso_status iso_client_call(struct iso_client *client, const struct iso_client_method *method,
                                const struct iso_client_options *options,
                                const ProtobufCMessage *request, struct iso_arena *arena,
                                ProtobufCMessage **ret_response,
                                struct iso_client_failure *ret_failure, struct iso_error *reterr)
{
    return unary(client, method, options, 0, request, arena, ret_response, ret_failure, reterr);
}

enum iso_status iso_client_wait_ready(struct iso_client *client, double timeout_s,
                                      struct iso_error *reterr)
{
    const struct iso_client_method check = {
        .path = "/grpc.health.v1.Health/Check",
        .request = &grpc__health__v1__health_check_request__descriptor,
        .response = &grpc__health__v1__health_check_response__descriptor};
    struct iso_client_options options = {.timeout_s = timeout_s};
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 16);
    ProtobufCMessage *response = NULL;
    struct iso_error error = {0};

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to ask");
    if (unary(client, &check, &options, GRPC_INITIAL_METADATA_WAIT_FOR_READY, &request.base, arena,
              &response, NULL, &error) != ISO_OK)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "%s",
                        error.status == ISO_E_DEADLINE ? "isocostd does not answer" : error.text);
    return ISO_OK;
}

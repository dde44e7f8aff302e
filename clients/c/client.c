#include "isocost/client.h"

#include <ctype.h>
#include <grpc/grpc_security.h>
#if __has_include(<grpc/credentials.h>)
#include <grpc/credentials.h>
#endif
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

#include "client_internal.h"
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

/* --- one call --- */

struct exchange {
    const struct iso_client *client;
    const struct iso_client_method *method;
    struct iso_client_cancel *cancel;
    grpc_completion_queue *queue;
    grpc_call *core;
    grpc_metadata metadata[2];
    size_t n_metadata;
    struct iso_client_ending ending;
    grpc_byte_buffer *received;
};

static void *const tag_send = (void *)1, *const tag_receive = (void *)2, *const tag_end = (void *)3,
                   *const tag_initial = (void *)4;

static void add_metadata(struct exchange *exchange, const char *key, const char *value)
{
    if (!value)
        return;
    exchange->metadata[exchange->n_metadata++] = (grpc_metadata){
        .key = grpc_slice_from_static_string(key), .value = grpc_slice_from_copied_string(value)};
}

static enum iso_status begin(struct exchange *exchange, const struct iso_client *client,
                             const struct iso_client_method *method,
                             const struct iso_client_options *options, struct iso_error *reterr)
{
    static const struct iso_client_options none;
    gpr_timespec deadline = gpr_inf_future(GPR_CLOCK_REALTIME);
    grpc_slice path = grpc_slice_from_copied_string(method->path);

    options = options ? options : &none;
    *exchange = (struct exchange){.client = client, .method = method, .cancel = options->cancel};
    grpc_metadata_array_init(&exchange->ending.initial);
    grpc_metadata_array_init(&exchange->ending.trailing);
    exchange->ending.text = grpc_empty_slice();
    if (options->timeout_s > 0)
        deadline = gpr_time_add(
            gpr_now(GPR_CLOCK_REALTIME),
            gpr_time_from_millis((int64_t)(options->timeout_s * 1e3) + 1, GPR_TIMESPAN));
    add_metadata(exchange, "isocost-project", options->project);
    add_metadata(exchange, "x-request-id", options->request_id);
    exchange->queue = grpc_completion_queue_create_for_pluck(NULL);
    exchange->core = grpc_channel_create_call(client->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                              exchange->queue, path, NULL, deadline, NULL);
    grpc_slice_unref(path);
    if (!iso_client_cancel_add(options->cancel, exchange->core))
        return iso_fail(reterr, ISO_E_LIMIT, "", "too many calls share one cancel token");
    return ISO_OK;
}

static void end(struct exchange *exchange)
{
    iso_client_cancel_remove(exchange->cancel, exchange->core);
    grpc_call_unref(exchange->core);
    grpc_completion_queue_shutdown(exchange->queue);
    grpc_completion_queue_destroy(exchange->queue);
    for (size_t i = 0; i < exchange->n_metadata; i++)
        grpc_slice_unref(exchange->metadata[i].value);
    grpc_metadata_array_destroy(&exchange->ending.initial);
    grpc_metadata_array_destroy(&exchange->ending.trailing);
    grpc_slice_unref(exchange->ending.text);
    if (exchange->received)
        grpc_byte_buffer_destroy(exchange->received);
}

static bool wait_for(struct exchange *exchange, void *tag)
{
    return grpc_completion_queue_pluck(exchange->queue, tag, gpr_inf_future(GPR_CLOCK_REALTIME),
                                       NULL)
               .success != 0;
}

/* The batches here never have two of one kind in flight, so the core cannot refuse them but for
 * illegal metadata, which the server would refuse too. */
static bool start(struct exchange *exchange, const grpc_op *ops, size_t n_ops, void *tag)
{
    return grpc_call_start_batch(exchange->core, ops, n_ops, tag, NULL) == GRPC_CALL_OK;
}

static grpc_byte_buffer *pack(const ProtobufCMessage *message)
{
    grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));
    grpc_byte_buffer *buffer;

    protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
    buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return buffer;
}

/* Takes exchange->received. */
static ProtobufCMessage *unpack(struct exchange *exchange, struct iso_arena *arena)
{
    grpc_byte_buffer_reader reader;
    ProtobufCMessage *message = NULL;
    grpc_slice bytes;

    if (grpc_byte_buffer_reader_init(&reader, exchange->received)) {
        bytes = grpc_byte_buffer_reader_readall(&reader);
        message = protobuf_c_message_unpack(exchange->method->response, iso_arena_allocator(arena),
                                            GRPC_SLICE_LENGTH(bytes), GRPC_SLICE_START_PTR(bytes));
        grpc_slice_unref(bytes);
        grpc_byte_buffer_reader_destroy(&reader);
    }
    grpc_byte_buffer_destroy(exchange->received);
    exchange->received = NULL;
    return message;
}

static enum iso_status bad_answer(const struct exchange *exchange, struct iso_arena *arena,
                                  struct iso_client_failure *ret_failure, struct iso_error *reterr)
{
    enum iso_status status = iso_arena_full(arena) ? ISO_E_NOMEM : ISO_E_INTERNAL;

    iso_fail(reterr, status, "", "the answer of %s %s", exchange->method->path,
             status == ISO_E_NOMEM ? "does not fit in memory" : "cannot be read");
    if (ret_failure)
        *ret_failure = (struct iso_client_failure){.grpc_code = iso_status_grpc_code(status),
                                                   .status = status,
                                                   .message = "the answer cannot be read",
                                                   .reason = "",
                                                   .retry_after_s = -1,
                                                   .request_id = ""};
    return status;
}

static grpc_op op_end(struct exchange *exchange)
{
    grpc_op op = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};

    op.data.recv_status_on_client.status = &exchange->ending.code;
    op.data.recv_status_on_client.status_details = &exchange->ending.text;
    op.data.recv_status_on_client.trailing_metadata = &exchange->ending.trailing;
    return op;
}

static grpc_op op_receive(struct exchange *exchange)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};

    op.data.recv_message.recv_message = &exchange->received;
    return op;
}

static grpc_op op_send(grpc_byte_buffer *message)
{
    grpc_op op = {.op = GRPC_OP_SEND_MESSAGE};

    op.data.send_message.send_message = message;
    return op;
}

static grpc_op op_initial_out(struct exchange *exchange, uint32_t flags)
{
    grpc_op op = {.op = GRPC_OP_SEND_INITIAL_METADATA, .flags = flags};

    op.data.send_initial_metadata.count = exchange->n_metadata;
    op.data.send_initial_metadata.metadata = exchange->metadata;
    return op;
}

static grpc_op op_initial_in(struct exchange *exchange)
{
    grpc_op op = {.op = GRPC_OP_RECV_INITIAL_METADATA};

    op.data.recv_initial_metadata.recv_initial_metadata = &exchange->ending.initial;
    return op;
}

static enum iso_status refused_batch(struct exchange *exchange, struct iso_error *reterr)
{
    grpc_call_cancel(exchange->core, NULL);
    end(exchange);
    return iso_fail(reterr, ISO_E_INVALID, "",
                    "the project or request id has characters that cannot be sent");
}

static enum iso_status unary(struct iso_client *client, const struct iso_client_method *method,
                             const struct iso_client_options *options, uint32_t flags,
                             const ProtobufCMessage *request, struct iso_arena *arena,
                             ProtobufCMessage **ret_response,
                             struct iso_client_failure *ret_failure, struct iso_error *reterr)
{
    struct exchange exchange;
    grpc_byte_buffer *message;
    enum iso_status status = begin(&exchange, client, method, options, reterr);
    bool started = false;

    if (status != ISO_OK) {
        end(&exchange);
        return status;
    }
    message = pack(request);
    {
        grpc_op ops[] = {op_initial_out(&exchange, flags),
                         op_send(message),
                         {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
                         op_initial_in(&exchange),
                         op_receive(&exchange),
                         op_end(&exchange)};

        started = start(&exchange, ops, ISO_ARRAY_LENGTH(ops), tag_end);
    }
    grpc_byte_buffer_destroy(message);
    if (!started)
        return refused_batch(&exchange, reterr);
    wait_for(&exchange, tag_end);
    if (exchange.ending.code != GRPC_STATUS_OK) {
        status = iso_client_explain(client, &exchange.ending, arena, ret_failure, reterr);
    } else {
        ProtobufCMessage *response = exchange.received ? unpack(&exchange, arena) : NULL;

        if (response)
            *ret_response = response;
        else
            status = bad_answer(&exchange, arena, ret_failure, reterr);
    }
    end(&exchange);
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

/* --- streams --- */

/* Gives one message to the caller; false ends the stream with *ret_status. */
static bool hand_over(struct exchange *exchange,
                      bool (*on_message)(void *context, const ProtobufCMessage *message),
                      void *context, enum iso_status *ret_status,
                      struct iso_client_failure *ret_failure, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new((size_t)1 << 30);
    ProtobufCMessage *message = arena ? unpack(exchange, arena) : NULL;

    if (!message) {
        *ret_status = arena ? bad_answer(exchange, arena, ret_failure, reterr)
                            : iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an answer");
        return false;
    }
    return on_message(context, message);
}

enum iso_status
iso_client_stream(struct iso_client *client, const struct iso_client_method *method,
                  const struct iso_client_options *options, const ProtobufCMessage *request,
                  bool (*on_message)(void *context, const ProtobufCMessage *message), void *context,
                  struct iso_arena *arena, struct iso_client_failure *ret_failure,
                  struct iso_error *reterr)
{
    struct exchange exchange;
    grpc_byte_buffer *message;
    enum iso_status status = begin(&exchange, client, method, options, reterr);
    bool started = false, stopped = false;
    grpc_op ending, receive;

    if (status != ISO_OK) {
        end(&exchange);
        return status;
    }
    message = pack(request);
    {
        grpc_op ops[] = {op_initial_out(&exchange, 0),
                         op_send(message),
                         {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
                         op_initial_in(&exchange)};

        started = start(&exchange, ops, ISO_ARRAY_LENGTH(ops), tag_initial);
    }
    grpc_byte_buffer_destroy(message);
    if (!started)
        return refused_batch(&exchange, reterr);
    ending = op_end(&exchange);
    start(&exchange, &ending, 1, tag_end);
    for (;;) {
        receive = op_receive(&exchange);
        start(&exchange, &receive, 1, tag_receive);
        if (!wait_for(&exchange, tag_receive) || !exchange.received)
            break;
        if (!stopped && !hand_over(&exchange, on_message, context, &status, ret_failure, reterr)) {
            stopped = true;
            grpc_call_cancel(exchange.core, NULL);
        }
        if (exchange.received)
            grpc_byte_buffer_destroy(ISO_STEAL(exchange.received));
    }
    wait_for(&exchange, tag_initial);
    wait_for(&exchange, tag_end);
    if (!stopped && exchange.ending.code != GRPC_STATUS_OK)
        status = iso_client_explain(client, &exchange.ending, arena, ret_failure, reterr);
    end(&exchange);
    return status;
}

/* Sends what `next` gives; ISO_OK also when the server does not take more. */
static enum iso_status send_all(struct exchange *exchange,
                                const ProtobufCMessage *(*next)(void *context,
                                                                struct iso_error *reterr),
                                void *context, struct iso_error *reterr)
{
    grpc_op close = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
    struct iso_error error = {0};
    const ProtobufCMessage *request;

    while ((request = next(context, &error))) {
        grpc_byte_buffer *message = pack(request);
        grpc_op send = op_send(message);
        bool taken = start(exchange, &send, 1, tag_send) && wait_for(exchange, tag_send);

        grpc_byte_buffer_destroy(message);
        if (!taken)
            return ISO_OK;
    }
    if (error.status != ISO_OK)
        return iso_fail(reterr, error.status, error.field, "%s", error.text);
    if (start(exchange, &close, 1, tag_send))
        wait_for(exchange, tag_send);
    return ISO_OK;
}

enum iso_status
iso_client_upload(struct iso_client *client, const struct iso_client_method *method,
                  const struct iso_client_options *options,
                  const ProtobufCMessage *(*next)(void *context, struct iso_error *reterr),
                  void *context, struct iso_arena *arena, ProtobufCMessage **ret_response,
                  struct iso_client_failure *ret_failure, struct iso_error *reterr)
{
    struct exchange exchange;
    enum iso_status status = begin(&exchange, client, method, options, reterr);
    grpc_op out, in[3];

    if (status != ISO_OK) {
        end(&exchange);
        return status;
    }
    out = op_initial_out(&exchange, 0);
    if (!start(&exchange, &out, 1, tag_send))
        return refused_batch(&exchange, reterr);
    in[0] = op_initial_in(&exchange);
    in[1] = op_receive(&exchange);
    in[2] = op_end(&exchange);
    start(&exchange, in, ISO_ARRAY_LENGTH(in), tag_end);
    if (wait_for(&exchange, tag_send))
        status = send_all(&exchange, next, context, reterr);
    if (status != ISO_OK)
        grpc_call_cancel(exchange.core, NULL);
    wait_for(&exchange, tag_end);
    if (status == ISO_OK && exchange.ending.code != GRPC_STATUS_OK) {
        status = iso_client_explain(client, &exchange.ending, arena, ret_failure, reterr);
    } else if (status == ISO_OK) {
        ProtobufCMessage *response = exchange.received ? unpack(&exchange, arena) : NULL;

        if (response)
            *ret_response = response;
        else
            status = bad_answer(&exchange, arena, ret_failure, reterr);
    }
    end(&exchange);
    return status;
}

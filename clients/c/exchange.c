#include "exchange.h"

#include <grpc/byte_buffer_reader.h>
#include <grpc/support/time.h>

static void add_metadata(struct iso_exchange *exchange, const char *key, const char *value)
{
    if (!value)
        return;
    exchange->metadata[exchange->n_metadata++] = (grpc_metadata){
        .key = grpc_slice_from_static_string(key), .value = grpc_slice_from_copied_string(value)};
}

enum iso_status iso_exchange_begin(struct iso_exchange *exchange, const struct iso_client *client,
                                   const struct iso_client_method *method,
                                   const struct iso_client_options *options,
                                   struct iso_error *reterr)
{
    static const struct iso_client_options none;
    gpr_timespec deadline = gpr_inf_future(GPR_CLOCK_REALTIME);
    grpc_slice path = grpc_slice_from_copied_string(method->path);

    options = options ? options : &none;
    *exchange =
        (struct iso_exchange){.client = client, .method = method, .cancel = options->cancel};
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

void iso_exchange_end(struct iso_exchange *exchange)
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

bool iso_exchange_wait(struct iso_exchange *exchange, void *tag)
{
    return grpc_completion_queue_pluck(exchange->queue, tag, gpr_inf_future(GPR_CLOCK_REALTIME),
                                       NULL)
               .success != 0;
}

bool iso_exchange_start(struct iso_exchange *exchange, const grpc_op *ops, size_t n_ops, void *tag)
{
    return grpc_call_start_batch(exchange->core, ops, n_ops, tag, NULL) == GRPC_CALL_OK;
}

grpc_byte_buffer *iso_exchange_pack(const ProtobufCMessage *message)
{
    grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));
    grpc_byte_buffer *buffer;

    protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
    buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return buffer;
}

ProtobufCMessage *iso_exchange_unpack(struct iso_exchange *exchange, struct iso_arena *arena)
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

enum iso_status iso_exchange_bad_answer(const struct iso_exchange *exchange,
                                        struct iso_arena *arena,
                                        struct iso_client_failure *ret_failure,
                                        struct iso_error *reterr)
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

enum iso_status iso_exchange_answer(struct iso_exchange *exchange, struct iso_arena *arena,
                                    ProtobufCMessage **ret_response,
                                    struct iso_client_failure *ret_failure,
                                    struct iso_error *reterr)
{
    ProtobufCMessage *response = exchange->received ? iso_exchange_unpack(exchange, arena) : NULL;

    if (!response)
        return iso_exchange_bad_answer(exchange, arena, ret_failure, reterr);
    *ret_response = response;
    return ISO_OK;
}

grpc_op iso_op_end(struct iso_exchange *exchange)
{
    grpc_op op = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};

    op.data.recv_status_on_client.status = &exchange->ending.code;
    op.data.recv_status_on_client.status_details = &exchange->ending.text;
    op.data.recv_status_on_client.trailing_metadata = &exchange->ending.trailing;
    return op;
}

grpc_op iso_op_receive(struct iso_exchange *exchange)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};

    op.data.recv_message.recv_message = &exchange->received;
    return op;
}

grpc_op iso_op_send(grpc_byte_buffer *message)
{
    grpc_op op = {.op = GRPC_OP_SEND_MESSAGE};

    op.data.send_message.send_message = message;
    return op;
}

grpc_op iso_op_initial_out(struct iso_exchange *exchange, uint32_t flags)
{
    grpc_op op = {.op = GRPC_OP_SEND_INITIAL_METADATA, .flags = flags};

    op.data.send_initial_metadata.count = exchange->n_metadata;
    op.data.send_initial_metadata.metadata = exchange->metadata;
    return op;
}

grpc_op iso_op_initial_in(struct iso_exchange *exchange)
{
    grpc_op op = {.op = GRPC_OP_RECV_INITIAL_METADATA};

    op.data.recv_initial_metadata.recv_initial_metadata = &exchange->ending.initial;
    return op;
}

enum iso_status iso_exchange_refused(struct iso_exchange *exchange, struct iso_error *reterr)
{
    grpc_call_cancel(exchange->core, NULL);
    iso_exchange_end(exchange);
    return iso_fail(reterr, ISO_E_INVALID, "",
                    "the project or request id has characters that cannot be sent");
}

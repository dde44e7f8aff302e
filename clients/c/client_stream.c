/* Calls with many answers or many requests. */
#include "exchange.h"

/* Gives one message to the caller; false ends the stream with *ret_status. */
static bool hand_over(struct iso_exchange *exchange,
                      bool (*on_message)(void *context, const ProtobufCMessage *message),
                      void *context, enum iso_status *ret_status,
                      struct iso_client_failure *ret_failure, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new((size_t)1 << 30);
    ProtobufCMessage *message = arena ? iso_exchange_unpack(exchange, arena) : NULL;

    if (!message) {
        *ret_status = arena ? iso_exchange_bad_answer(exchange, arena, ret_failure, reterr)
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
    struct iso_exchange exchange;
    grpc_byte_buffer *message;
    enum iso_status status = iso_exchange_begin(&exchange, client, method, options, reterr);
    bool started = false, stopped = false;
    grpc_op ending, receive;

    if (status != ISO_OK) {
        iso_exchange_end(&exchange);
        return status;
    }
    message = iso_exchange_pack(request);
    {
        grpc_op ops[] = {iso_op_initial_out(&exchange, 0),
                         iso_op_send(message),
                         {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
                         iso_op_initial_in(&exchange)};

        started = iso_exchange_start(&exchange, ops, ISO_ARRAY_LENGTH(ops), ISO_TAG_INITIAL);
    }
    grpc_byte_buffer_destroy(message);
    if (!started)
        return iso_exchange_refused(&exchange, reterr);
    ending = iso_op_end(&exchange);
    iso_exchange_start(&exchange, &ending, 1, ISO_TAG_END);
    for (;;) {
        receive = iso_op_receive(&exchange);
        iso_exchange_start(&exchange, &receive, 1, ISO_TAG_RECEIVE);
        if (!iso_exchange_wait(&exchange, ISO_TAG_RECEIVE) || !exchange.received)
            break;
        if (!stopped && !hand_over(&exchange, on_message, context, &status, ret_failure, reterr)) {
            stopped = true;
            grpc_call_cancel(exchange.core, NULL);
        }
        if (exchange.received)
            grpc_byte_buffer_destroy(ISO_STEAL(exchange.received));
    }
    iso_exchange_wait(&exchange, ISO_TAG_INITIAL);
    iso_exchange_wait(&exchange, ISO_TAG_END);
    if (!stopped && exchange.ending.code != GRPC_STATUS_OK)
        status = iso_client_explain(client, &exchange.ending, arena, ret_failure, reterr);
    iso_exchange_end(&exchange);
    return status;
}

/* Sends what `next` gives; ISO_OK also when the server does not take more. */
static enum iso_status send_all(struct iso_exchange *exchange,
                                const ProtobufCMessage *(*next)(void *context,
                                                                struct iso_error *reterr),
                                void *context, struct iso_error *reterr)
{
    grpc_op close = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
    struct iso_error error = {0};
    const ProtobufCMessage *request;

    while ((request = next(context, &error))) {
        grpc_byte_buffer *message = iso_exchange_pack(request);
        grpc_op send = iso_op_send(message);
        bool taken = iso_exchange_start(exchange, &send, 1, ISO_TAG_SEND) &&
                     iso_exchange_wait(exchange, ISO_TAG_SEND);

        grpc_byte_buffer_destroy(message);
        if (!taken)
            return ISO_OK;
    }
    if (error.status != ISO_OK)
        return iso_fail(reterr, error.status, error.field, "%s", error.text);
    if (iso_exchange_start(exchange, &close, 1, ISO_TAG_SEND))
        iso_exchange_wait(exchange, ISO_TAG_SEND);
    return ISO_OK;
}

enum iso_status
iso_client_upload(struct iso_client *client, const struct iso_client_method *method,
                  const struct iso_client_options *options,
                  const ProtobufCMessage *(*next)(void *context, struct iso_error *reterr),
                  void *context, struct iso_arena *arena, ProtobufCMessage **ret_response,
                  struct iso_client_failure *ret_failure, struct iso_error *reterr)
{
    struct iso_exchange exchange;
    enum iso_status status = iso_exchange_begin(&exchange, client, method, options, reterr);
    grpc_op out, in[3];

    if (status != ISO_OK) {
        iso_exchange_end(&exchange);
        return status;
    }
    out = iso_op_initial_out(&exchange, 0);
    if (!iso_exchange_start(&exchange, &out, 1, ISO_TAG_SEND))
        return iso_exchange_refused(&exchange, reterr);
    in[0] = iso_op_initial_in(&exchange);
    in[1] = iso_op_receive(&exchange);
    in[2] = iso_op_end(&exchange);
    iso_exchange_start(&exchange, in, ISO_ARRAY_LENGTH(in), ISO_TAG_END);
    if (iso_exchange_wait(&exchange, ISO_TAG_SEND))
        status = send_all(&exchange, next, context, reterr);
    if (status != ISO_OK)
        grpc_call_cancel(exchange.core, NULL);
    iso_exchange_wait(&exchange, ISO_TAG_END);
    if (status == ISO_OK && exchange.ending.code != GRPC_STATUS_OK) {
        status = iso_client_explain(client, &exchange.ending, arena, ret_failure, reterr);
    } else if (status == ISO_OK) {
        status = iso_exchange_answer(&exchange, arena, ret_response, ret_failure, reterr);
    }
    iso_exchange_end(&exchange);
    return status;
}

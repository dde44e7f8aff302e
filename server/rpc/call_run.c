#include <grpc/byte_buffer_reader.h>

#include "server_internal.h"

/* Address space that one request may take when it is decoded, with scratch and answer. */
#define MODEL_ARENA_BYTES ((size_t)768 << 20)
#define SMALL_ARENA_BYTES ((size_t)128 << 20)

bool iso_call_schedule(struct iso_call *call, unsigned work, bool bounded)
{
    bool submit, taken = true;

    pthread_mutex_lock(&call->mutex);
    call->work |= work;
    submit = !call->work_taken;
    call->work_taken = true;
    pthread_mutex_unlock(&call->mutex);
    if (submit) {
        iso_call_ref(call);
        taken = iso_worker_pool_submit(call->server->workers, &call->task, bounded);
        if (!taken)
            iso_call_unref(call);
    }
    return taken;
}

static enum iso_status decode(struct iso_call *call, struct iso_error *reterr)
{
    static const struct iso_wire_limits small = ISO_WIRE_LIMITS_DEFAULT;
    const struct iso_rpc_method *method = call->method;
    const struct iso_wire_limits *limits = method->limits ? method->limits : &small;
    bool streamed = method->kind == ISO_RPC_CLIENT_STREAM || method->kind == ISO_RPC_BOTH_STREAM;
    struct iso_arena *arena = iso_call_arena(call);
    ProtobufCMessage *message = NULL;
    grpc_byte_buffer_reader reader;
    grpc_slice bytes;
    enum iso_status status;

    if (streamed) {
        iso_arena_free(call->message_arena);
        arena = call->message_arena = iso_arena_new(SMALL_ARENA_BYTES);
    }
    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the request");
    if (!grpc_byte_buffer_reader_init(&reader, call->payload))
        return iso_fail(reterr, ISO_E_INVALID, "", "the request cannot be decompressed");
    bytes = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    pthread_mutex_lock(&call->mutex);
    call->request_bytes += GRPC_SLICE_LENGTH(bytes);
    pthread_mutex_unlock(&call->mutex);
    status = iso_wire_decode(method->request, GRPC_SLICE_START_PTR(bytes), GRPC_SLICE_LENGTH(bytes),
                             limits, arena, iso_call_violations(call), &message, reterr);
    grpc_slice_unref(bytes);
    grpc_byte_buffer_destroy(call->payload);
    call->payload = NULL;
    call->request = message;
    return status;
}

struct iso_arena *iso_call_arena(struct iso_call *call)
{
    if (!call->arena)
        call->arena = iso_arena_new(call->method && call->method->limits &&
                                            call->method->limits->max_bytes > (4u << 20)
                                        ? MODEL_ARENA_BYTES
                                        : SMALL_ARENA_BYTES);
    return call->arena;
}

static enum iso_status handle(struct iso_call *call, struct iso_error *reterr)
{
    bool with_message =
        call->method->kind == ISO_RPC_UNARY || call->method->kind == ISO_RPC_SERVER_STREAM;

    call->request = NULL;
    if (call->payload)
        ISO_TRY(decode(call, reterr));
    else if (with_message)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "the call came without a request message");
    return call->method->handler(call, call->service, reterr);
}

/* A streamed request is read on only when its answers so far were taken. */
static void read_on(struct iso_call *call)
{
    bool idle;

    if (call->method->kind != ISO_RPC_CLIENT_STREAM && call->method->kind != ISO_RPC_BOTH_STREAM)
        return;
    pthread_mutex_lock(&call->mutex);
    idle = !call->write_in_flight && !call->first;
    pthread_mutex_unlock(&call->mutex);
    if (idle)
        iso_call_start_read(call);
}

void iso_call_run_task(struct iso_task *task)
{
    struct iso_call *call =
        (struct iso_call *)(void *)((char *)task - offsetof(struct iso_call, task));
    struct iso_error error = {0};
    enum iso_status status = ISO_OK;
    iso_call_step *step;
    unsigned work;
    bool again;

    pthread_mutex_lock(&call->mutex);
    work = call->work;
    call->work = 0;
    step = call->step;
    if (call->answered || atomic_load(&call->cancelled))
        work = 0;
    pthread_mutex_unlock(&call->mutex);

    if (work & ISO_CALL_HANDLE)
        status = handle(call, &error);
    else if ((work & ISO_CALL_STEP) && step)
        status = step(call, call->service, &error);
    if (status != ISO_OK) {
        if (error.status == ISO_OK)
            iso_fail(&error, status, "", "%s", iso_status_text(status));
        iso_call_fail(call, &error);
    }

    pthread_mutex_lock(&call->mutex);
    again = call->work != 0;
    call->work_taken = again;
    pthread_mutex_unlock(&call->mutex);
    if (again) {
        iso_worker_pool_submit(call->server->workers, task, /* bounded= */ false);
        return;
    }
    if ((work & ISO_CALL_HANDLE) && status == ISO_OK)
        read_on(call);
    iso_call_unref(call);
}

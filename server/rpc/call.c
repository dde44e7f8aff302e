
#include "server_internal.h"

void iso_call_keep(struct iso_call *call)
{
    atomic_fetch_add(&call->refs, 1);
}

static void call_free(struct iso_call *call)
{
    struct iso_rpc_server *server = call->server;

    if (call->destroy_data)
        call->destroy_data(call->data);
    iso_call_drop_messages(call);
    if (call->payload)
        grpc_byte_buffer_destroy(call->payload);
    grpc_metadata_array_destroy(&call->metadata);
    grpc_call_details_destroy(&call->details);
    grpc_slice_unref(call->status_text);
    grpc_slice_unref(call->status_details);
    if (call->core)
        grpc_call_unref(call->core);
    iso_arena_free(call->message_arena);
    iso_arena_free(call->arena);
    pthread_mutex_destroy(&call->hooks);
    pthread_mutex_destroy(&call->mutex);
    free(call);

    pthread_mutex_lock(&server->mutex);
    server->n_objects--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->mutex);
}

void iso_call_drop(struct iso_call *call)
{
    if (atomic_fetch_sub(&call->refs, 1) == 1)
        call_free(call);
}

void iso_call_cut(struct iso_call *call)
{
    grpc_call_cancel_with_status(call->core, GRPC_STATUS_INTERNAL, "the server lost the call",
                                 NULL);
}

/* Starts a batch that owns one reference; mutex held, except before the call is shared. */
static bool start_batch(struct iso_call *call, const grpc_op *ops, size_t n_ops,
                        struct iso_call_tag *tag)
{
    iso_call_keep(call);
    if (grpc_call_start_batch(call->core, ops, n_ops, iso_rpc_tag_give(&tag->tag), NULL) ==
        GRPC_CALL_OK)
        return true;
    iso_rpc_server_log(call->server, "error rpc the core refused a batch");
    iso_call_cut(call);
    atomic_fetch_sub(&call->refs, 1);
    return false;
}

static void on_read(struct iso_rpc_tag *tag, bool ok)
{
    struct iso_call *call = ((struct iso_call_tag *)tag)->call;
    bool whole = ok && !(!call->payload && grpc_call_failed_before_recv_message(call->core));

    pthread_mutex_lock(&call->mutex);
    call->reading = false;
    if (whole && !call->payload)
        call->half_closed = true;
    if (whole)
        call->work |= ISO_CALL_HANDLE; /* before anybody can start another read */
    pthread_mutex_unlock(&call->mutex);
    if (whole)
        iso_call_schedule(call, ISO_CALL_HANDLE, /* bounded= */ false);
    iso_call_drop(call);
}

void iso_call_start_read(struct iso_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};

    pthread_mutex_lock(&call->mutex);
    if (!call->answered && !call->half_closed && !call->reading && !call->work &&
        !call->work_taken && !atomic_load(&call->cancelled)) {
        if (call->payload) {
            grpc_byte_buffer_destroy(call->payload);
            call->payload = NULL;
        }
        op.data.recv_message.recv_message = &call->payload;
        call->reading = start_batch(call, &op, 1, &call->on_read);
    }
    pthread_mutex_unlock(&call->mutex);
}

void iso_call_pump(struct iso_call *call)
{
    struct iso_call_message *message = call->first;
    grpc_metadata id = {.key = grpc_slice_from_static_string("x-request-id"),
                        .value = grpc_empty_slice()};
    grpc_metadata details = {.key = grpc_slice_from_static_string("grpc-status-details-bin"),
                             .value = call->status_details};
    grpc_op ops[3] = {{0}};
    size_t n_ops = 0;

    if (call->write_in_flight || call->status_sent || atomic_load(&call->cancelled))
        return;
    if (message) {
        call->first = message->next;
        if (!call->first)
            call->last = NULL;
    } else {
        message = call->newest;
        call->newest = NULL;
    }
    if (!message && !call->answered)
        return;

    if (!call->initial_sent) {
        id.value = grpc_slice_from_copied_string(call->id);
        ops[n_ops].op = GRPC_OP_SEND_INITIAL_METADATA;
        ops[n_ops].data.send_initial_metadata.count = 1;
        ops[n_ops++].data.send_initial_metadata.metadata = &id;
        call->initial_sent = true;
    }
    if (message) {
        ops[n_ops].op = GRPC_OP_SEND_MESSAGE;
        ops[n_ops++].data.send_message.send_message = message->buffer;
        call->response_bytes += message->n_bytes;
        call->n_sent++;
    }
    if (call->answered && !call->first && !call->newest) {
        ops[n_ops].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
        ops[n_ops].data.send_status_from_server.status = (grpc_status_code)call->status_code;
        if (call->status_code != 0)
            ops[n_ops].data.send_status_from_server.status_details = &call->status_text;
        if (GRPC_SLICE_LENGTH(call->status_details) > 0) {
            ops[n_ops].data.send_status_from_server.trailing_metadata_count = 1;
            ops[n_ops].data.send_status_from_server.trailing_metadata = &details;
        }
        n_ops++;
        call->status_sent = true;
    }
    call->write_in_flight = start_batch(call, ops, n_ops, &call->on_written);
    grpc_slice_unref(id.value);
    if (message) {
        call->queued_bytes -= message->n_bytes;
        grpc_byte_buffer_destroy(message->buffer);
        free(message);
    }
}

static void on_written(struct iso_rpc_tag *tag, bool ok)
{
    struct iso_call *call = ((struct iso_call_tag *)tag)->call;
    bool step = false, read = false;

    pthread_mutex_lock(&call->mutex);
    call->write_in_flight = false;
    if (ok) {
        iso_call_pump(call);
        step = call->step && !call->write_in_flight && !call->answered;
        read = call->method && call->method->kind == ISO_RPC_BOTH_STREAM &&
               !call->write_in_flight && !call->answered && !call->work_taken;
    }
    if (read)
        iso_call_ref(call); /* nothing else may hold a call that waits for its caller */
    pthread_mutex_unlock(&call->mutex);
    if (step)
        iso_call_schedule(call, ISO_CALL_STEP, /* bounded= */ false);
    if (read) {
        iso_call_start_read(call);
        iso_call_unref(call);
    }
    iso_call_drop(call);
}

static void leave_live_list(struct iso_call *call)
{
    struct iso_rpc_server *server = call->server;

    pthread_mutex_lock(&server->mutex);
    if (call->live_previous)
        call->live_previous->live_next = call->live_next;
    else
        server->live = call->live_next;
    if (call->live_next)
        call->live_next->live_previous = call->live_previous;
    server->n_open--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->mutex);
}

static void on_close(struct iso_rpc_tag *tag, bool ok)
{
    struct iso_call *call = ((struct iso_call_tag *)tag)->call;
    bool unanswered;

    (void)ok; /* RECV_CLOSE cannot fail */
    pthread_mutex_lock(&call->mutex);
    unanswered = !call->answered;
    call->closed = true;
    if (call->core_cancelled) {
        atomic_store(&call->cancelled, true);
        iso_call_drop_messages(call);
    }
    pthread_mutex_unlock(&call->mutex);
    iso_call_close_timer(call);
    if (call->core_cancelled && unanswered)
        iso_call_run_cancel_hook(call);
    iso_call_log_end(call);
    leave_live_list(call);
    iso_call_drop(call);
}

/* Whether the drain began after the interceptors looked, and will not find the call. */
static bool enter_live_list(struct iso_call *call)
{
    struct iso_rpc_server *server = call->server;
    bool late;

    pthread_mutex_lock(&server->mutex);
    call->live_next = server->live;
    if (server->live)
        server->live->live_previous = call;
    server->live = call;
    server->n_open++;
    server->n_accepted++;
    late = server->draining && call->method && !(call->method->flags & ISO_RPC_WHILE_DRAIN);
    pthread_mutex_unlock(&server->mutex);
    return late;
}

/* After the interceptors: reads the first message or hands the one that came with the call over. */
static enum iso_status begin(struct iso_call *call, struct iso_error *reterr)
{
    const struct iso_rpc_method *method = call->method;

    iso_call_open_timer(call);
    /* A message that should have come with the call and did not: the read tells whether the caller
     * left or never sent one. */
    if (!call->payload) {
        iso_call_start_read(call);
        return ISO_OK;
    }
    if (method->flags & ISO_RPC_ON_POLLER) {
        call->work = ISO_CALL_HANDLE;
        call->work_taken = true;
        iso_call_ref(call);
        iso_call_run_task(&call->task);
        return ISO_OK;
    }
    if (iso_call_schedule(call, ISO_CALL_HANDLE, /* bounded= */ true))
        return ISO_OK;
    iso_call_set_retry_after(call, 1);
    iso_rpc_server_count_refused(call->server);
    return iso_fail(reterr, ISO_E_LIMIT, "", "%d calls wait already; try again in a second",
                    call->server->config.queue_bound);
}

static void on_new(struct iso_rpc_tag *tag, bool ok)
{
    struct iso_call *call = ((struct iso_call_tag *)tag)->call;
    struct iso_error error = {0};
    grpc_op close_op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
    enum iso_status status;
    bool watched;

    if (!ok) {
        iso_call_drop(call);
        return;
    }
    iso_call_arm(call->server, call->slot);
    call->start_ns = iso_monotonic_ns();
    iso_call_ref(call);
    iso_call_drop(call);
    /* Before anybody else sees the call, who reads what this writes: the close event may come on
     * another poller at once. */
    status = iso_call_intercept(call, &error);
    if (enter_live_list(call) && status == ISO_OK)
        status = iso_fail(&error, ISO_E_UNAVAILABLE, "", "the server is shutting down");
    close_op.data.recv_close_on_server.cancelled = &call->core_cancelled;
    pthread_mutex_lock(&call->mutex);
    call->opened = true;
    watched = start_batch(call, &close_op, 1, &call->on_close);
    call->answered = call->answered || !watched;
    pthread_mutex_unlock(&call->mutex);
    if (!watched)
        leave_live_list(call);
    else if (status == ISO_OK)
        status = begin(call, &error);
    if (status != ISO_OK)
        iso_call_fail(call, &error);
    iso_call_unref(call);
}

static void init_tags(struct iso_call *call)
{
    call->on_new = (struct iso_call_tag){.tag.run = on_new, .call = call};
    call->on_close = (struct iso_call_tag){.tag.run = on_close, .call = call};
    call->on_read = (struct iso_call_tag){.tag.run = on_read, .call = call};
    call->on_written = (struct iso_call_tag){.tag.run = on_written, .call = call};
}

void iso_call_arm(struct iso_rpc_server *server, int slot)
{
    struct iso_call *call = iso_calloc(1, sizeof(*call));
    grpc_call_error error;

    if (!call) {
        iso_rpc_server_log(server, "error rpc no memory to take another call");
        return;
    }
    atomic_init(&call->refs, 1);
    call->server = server;
    call->slot = slot;
    pthread_mutex_init(&call->mutex, NULL);
    pthread_mutex_init(&call->hooks, NULL);
    init_tags(call);
    call->task.run = iso_call_run_task;
    call->status_text = grpc_empty_slice();
    call->status_details = grpc_empty_slice();
    grpc_metadata_array_init(&call->metadata);
    grpc_call_details_init(&call->details);

    pthread_mutex_lock(&server->mutex);
    server->n_objects++;
    pthread_mutex_unlock(&server->mutex);
    if (slot < 0) {
        error = grpc_server_request_call(server->core, &call->core, &call->details, &call->metadata,
                                         server->queue, server->queue,
                                         iso_rpc_tag_give(&call->on_new.tag));
    } else {
        const struct iso_rpc_slot *row = &server->slots[slot];
        bool with_message =
            row->method->kind == ISO_RPC_UNARY || row->method->kind == ISO_RPC_SERVER_STREAM;

        call->method = row->method;
        call->service = row->service;
        error = grpc_server_request_registered_call(
            server->core, row->registered, &call->core, &call->core_deadline, &call->metadata,
            with_message ? &call->payload : NULL, server->queue, server->queue,
            iso_rpc_tag_give(&call->on_new.tag));
    }
    if (error != GRPC_CALL_OK) {
        iso_rpc_server_log(server, "error rpc the core refused to take another call");
        iso_call_drop(call);
    }
}

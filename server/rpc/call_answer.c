#include <math.h>
#include <stdio.h>

#include "server_internal.h"

#define MAX_QUEUED_BYTES ((size_t)64 << 20)

struct iso_call *iso_call_ref(struct iso_call *call)
{
    atomic_fetch_add(&call->holders, 1);
    iso_call_keep(call);
    return call;
}

/* Nobody is left who could answer: a bug of a handler, which the caller must not wait for. Whoever
 * takes the call from one of these states to another holds it, or leaves `work`, in between. */
static bool is_abandoned(struct iso_call *call)
{
    bool abandoned;

    pthread_mutex_lock(&call->mutex);
    abandoned = call->opened && !call->answered && !call->step && !call->reading &&
                !call->write_in_flight && !call->closed && !atomic_load(&call->cancelled) &&
                !call->work && !call->work_taken && atomic_load(&call->holders) == 0;
    pthread_mutex_unlock(&call->mutex);
    return abandoned;
}

void iso_call_unref(struct iso_call *call)
{
    if (!call)
        return;
    if (atomic_fetch_sub(&call->holders, 1) == 1 && is_abandoned(call)) {
        struct iso_error error = {0};

        iso_fail(&error, ISO_E_INTERNAL, "", "the server dropped the call without an answer");
        iso_call_fail(call, &error);
    }
    iso_call_drop(call);
}

const ProtobufCMessage *iso_call_request(const struct iso_call *call)
{
    return call->request;
}

const struct iso_principal *iso_call_principal(const struct iso_call *call)
{
    return &call->principal;
}

const char *iso_call_id(const struct iso_call *call)
{
    return call->id;
}

const char *iso_call_path(const struct iso_call *call)
{
    return call->path;
}

struct iso_violations *iso_call_violations(struct iso_call *call)
{
    call->violations.arena = iso_call_arena(call);
    return &call->violations;
}

double iso_call_remaining_s(const struct iso_call *call)
{
    if (call->deadline_ns == INT64_MAX)
        return INFINITY;
    return fmax(0, (double)(call->deadline_ns - iso_monotonic_ns()) * 1e-9);
}

double iso_call_elapsed_s(const struct iso_call *call)
{
    return (double)(iso_monotonic_ns() - call->start_ns) * 1e-9;
}

void iso_call_set_data(struct iso_call *call, void *data, void (*destroy)(void *data))
{
    ISO_ASSERT(!call->data);
    call->data = data;
    call->destroy_data = destroy;
}

void *iso_call_data(const struct iso_call *call)
{
    return call->data;
}

bool iso_call_cancelled(const struct iso_call *call)
{
    return atomic_load(&call->cancelled) || atomic_load(&call->expired);
}

void iso_call_on_cancel(struct iso_call *call,
                        void (*on_cancel)(struct iso_call *call, void *context), void *context)
{
    pthread_mutex_lock(&call->hooks);
    call->on_cancel = on_cancel;
    call->cancel_context = context;
    if (on_cancel && iso_call_cancelled(call) && !call->cancel_ran) {
        call->cancel_ran = true;
        on_cancel(call, context);
    }
    pthread_mutex_unlock(&call->hooks);
}

void iso_call_run_cancel_hook(struct iso_call *call)
{
    pthread_mutex_lock(&call->hooks);
    if (call->on_cancel && !call->cancel_ran) {
        call->cancel_ran = true;
        call->on_cancel(call, call->cancel_context);
    }
    pthread_mutex_unlock(&call->hooks);
}

static bool is_over(struct iso_call *call)
{
    bool over;

    pthread_mutex_lock(&call->mutex);
    over = call->answered || call->closed;
    pthread_mutex_unlock(&call->mutex);
    return over;
}

void iso_call_expire(struct iso_call *call, const struct iso_error *error)
{
    iso_call_fail(call, error);
    atomic_store(&call->expired, true);
    iso_call_run_cancel_hook(call);
}

static void run_deadline(struct iso_timer *timer)
{
    struct iso_call *call =
        (struct iso_call *)(void *)((char *)timer - offsetof(struct iso_call, deadline_timer));
    struct iso_error error = {0};

    if (!is_over(call)) {
        iso_fail(&error, ISO_E_DEADLINE, "", "there was no answer within %.3g seconds",
                 iso_call_elapsed_s(call));
        iso_call_expire(call, &error);
    }
    iso_call_drop(call);
}

/* The core enforces the caller's own deadline; this is for the method's default and cap. */
void iso_call_open_timer(struct iso_call *call)
{
    bool set;

    if (call->deadline_ns == INT64_MAX)
        return;
    iso_call_keep(call);
    call->deadline_timer.run = run_deadline;
    pthread_mutex_lock(&call->mutex);
    set = !call->closed &&
          iso_timer_set(call->server->timers, &call->deadline_timer, call->deadline_ns);
    pthread_mutex_unlock(&call->mutex);
    if (!set)
        iso_call_drop(call);
}

void iso_call_close_timer(struct iso_call *call)
{
    if (iso_timer_take_back(call->server->timers, &call->deadline_timer))
        iso_call_drop(call);
}

static void free_message(struct iso_call *call, struct iso_call_message *message)
{
    if (!message)
        return;
    call->queued_bytes -= message->n_bytes;
    grpc_byte_buffer_destroy(message->buffer);
    free(message);
}

void iso_call_drop_messages(struct iso_call *call)
{
    while (call->first) {
        struct iso_call_message *message = call->first;

        call->first = message->next;
        free_message(call, message);
    }
    call->last = NULL;
    free_message(call, ISO_STEAL(call->newest));
}

static void append(struct iso_call *call, struct iso_call_message *message)
{
    message->next = NULL;
    if (call->last)
        call->last->next = message;
    else
        call->first = message;
    call->last = message;
}

static struct iso_call_message *pack(const ProtobufCMessage *message)
{
    size_t n_bytes = protobuf_c_message_get_packed_size(message);
    struct iso_call_message *packed = iso_calloc(1, sizeof(*packed));
    grpc_slice slice;

    if (!packed)
        return NULL;
    slice = grpc_slice_malloc(n_bytes);
    protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
    packed->buffer = grpc_raw_byte_buffer_create(&slice, 1);
    packed->n_bytes = n_bytes;
    grpc_slice_unref(slice);
    return packed;
}

enum send_mode { SEND_ALWAYS, SEND_NEWEST, SEND_LAST };

static void send_message(struct iso_call *call, const ProtobufCMessage *message,
                         enum send_mode mode)
{
    struct iso_call_message *packed = pack(message);
    struct iso_error error = {0};

    if (!packed) {
        iso_fail(&error, ISO_E_NOMEM, "", "no memory for the answer");
    } else if (packed->n_bytes > ISO_RPC_MAX_RESPONSE_BYTES) {
        iso_fail(&error, ISO_E_LIMIT, "",
                 "the answer has %zu bytes; at most %zu are sent at once: ask for fewer with "
                 "page_size or a filter",
                 packed->n_bytes, ISO_RPC_MAX_RESPONSE_BYTES);
    } else {
        pthread_mutex_lock(&call->mutex);
        if (!call->answered && !atomic_load(&call->cancelled)) {
            call->queued_bytes += packed->n_bytes;
            if (mode == SEND_NEWEST) {
                free_message(call, call->newest);
                call->newest = ISO_STEAL(packed);
            } else {
                if (mode == SEND_LAST)
                    free_message(call, ISO_STEAL(call->newest));
                else if (call->newest)
                    append(call, ISO_STEAL(call->newest));
                append(call, ISO_STEAL(packed));
            }
            if (mode == SEND_LAST)
                call->answered = true;
            if (call->queued_bytes > MAX_QUEUED_BYTES) {
                iso_fail(&error, ISO_E_LIMIT, "", "the caller reads too slowly: %zu bytes wait",
                         call->queued_bytes);
                iso_call_drop_messages(call);
            } else {
                iso_call_pump(call);
            }
        }
        pthread_mutex_unlock(&call->mutex);
    }
    if (packed) {
        grpc_byte_buffer_destroy(packed->buffer);
        free(packed);
    }
    if (error.status != ISO_OK)
        iso_call_fail(call, &error);
}

void iso_call_reply(struct iso_call *call, const ProtobufCMessage *message)
{
    send_message(call, message, SEND_LAST);
}

void iso_call_send(struct iso_call *call, const ProtobufCMessage *message)
{
    send_message(call, message, SEND_ALWAYS);
}

void iso_call_send_newest(struct iso_call *call, const ProtobufCMessage *message)
{
    send_message(call, message, SEND_NEWEST);
}

void iso_call_finish(struct iso_call *call)
{
    pthread_mutex_lock(&call->mutex);
    if (!call->answered && !atomic_load(&call->cancelled)) {
        free_message(call, ISO_STEAL(call->newest));
        call->answered = true;
        iso_call_pump(call);
    }
    pthread_mutex_unlock(&call->mutex);
}

void iso_call_set_retry_after(struct iso_call *call, double seconds)
{
    pthread_mutex_lock(&call->mutex);
    call->retry_after_s = seconds;
    pthread_mutex_unlock(&call->mutex);
}

/* The message alone has to say which field is meant; many texts begin with or name it already. */
static void write_message(const struct iso_error *error, char *message, size_t n_bytes)
{
    char whole[sizeof(error->field) + sizeof(error->text) + 2];
    bool add_field = (error->status == ISO_E_INVALID || error->status == ISO_E_LIMIT) &&
                     error->field[0] && !strstr(error->text, error->field);

    snprintf(whole, sizeof(whole), "%s%s%s", add_field ? error->field : "", add_field ? ": " : "",
             error->text);
    iso_text_clean(message, n_bytes, whole);
}

void iso_call_fail(struct iso_call *call, const struct iso_error *error)
{
    char message[sizeof(error->field) + sizeof(error->text) + 2];
    double retry_after_s;

    write_message(error, message, sizeof(message));
    pthread_mutex_lock(&call->mutex);
    retry_after_s = call->retry_after_s;
    if (!call->answered && !atomic_load(&call->cancelled)) {
        if (retry_after_s <= 0 && error->status == ISO_E_UNAVAILABLE)
            retry_after_s = 1;
        free_message(call, ISO_STEAL(call->newest));
        call->answered = true;
        call->status = error->status;
        call->status_code = iso_status_grpc_code(error->status);
        call->status_text = grpc_slice_from_copied_string(message);
        call->status_details =
            iso_error_details(error, message, &call->violations, retry_after_s, call->id);
        iso_call_pump(call);
    }
    pthread_mutex_unlock(&call->mutex);
}

void iso_call_set_step(struct iso_call *call, iso_call_step *step)
{
    pthread_mutex_lock(&call->mutex);
    call->step = step;
    pthread_mutex_unlock(&call->mutex);
    iso_call_wake(call);
}

void iso_call_wake(struct iso_call *call)
{
    bool wanted;

    pthread_mutex_lock(&call->mutex);
    wanted = call->step && !call->answered && !call->closed;
    pthread_mutex_unlock(&call->mutex);
    if (wanted)
        iso_call_schedule(call, ISO_CALL_STEP, /* bounded= */ false);
}

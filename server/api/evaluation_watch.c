/* The events of stored evaluations: read from the store, after the resume token, whenever there may
 * be more. */
#include <stdio.h>

#include "evaluation_end.h"
#include "evaluation_internal.h"

#define EVENTS_AT_ONCE 64
#define PROGRESS_EVERY_NS INT64_C(900000000)

struct iso_evaluation_watch {
    struct iso_evaluation_watch *next; /* guarded by api->mutex */
    struct iso_api *api;
    struct iso_call *call; /* holds a reference */
    struct iso_principal principal;
    char id[ISO_ULID_SIZE];
    bool maker; /* when the call goes, the evaluation ends */
    const ProtobufCMessageDescriptor *response;
    int64_t after;       /* number of the last event sent */
    int64_t progress_ns; /* when progress was last sent */
    struct iso_task cancel_task;
};

/* Takes the watch of a call out of the list; NULL: it is not there any more. */
static struct iso_evaluation_watch *take(struct iso_api *api, const struct iso_call *call)
{
    struct iso_evaluation_watch *found = NULL;

    pthread_mutex_lock(&api->mutex);
    for (struct iso_evaluation_watch **at = &api->evaluation_watches; *at; at = &(*at)->next) {
        if ((*at)->call == call) {
            found = *at;
            *at = found->next;
            break;
        }
    }
    pthread_mutex_unlock(&api->mutex);
    return found;
}

static void leave(struct iso_api *api, struct iso_call *call)
{
    if (take(api, call))
        iso_call_unref(call);
}

static void cancel(struct iso_task *task)
{
    struct iso_evaluation_watch *watch =
        (struct iso_evaluation_watch *)(void *)((char *)task -
                                                offsetof(struct iso_evaluation_watch, cancel_task));
    struct iso_error error = {0};

    if (iso_stored_evaluation_cancel(watch->api->config.store, &watch->principal, watch->id,
                                     &error) != ISO_OK)
        iso_api_log(watch->api, 2, "evaluation %s goes on without its caller: %s", watch->id,
                    error.text);
    iso_call_unref(watch->call);
}

/* The watch stays until the call's last reference goes. */
static void on_cancel(struct iso_call *call, void *context)
{
    struct iso_api *api = context;
    struct iso_evaluation_watch *watch = take(api, call);

    if (!watch)
        return;
    if (watch->maker) {
        watch->cancel_task.run = cancel;
        iso_worker_pool_submit(api->tasks, &watch->cancel_task, /* bounded= */ false);
    } else {
        iso_call_unref(call);
    }
}

void iso_evaluations_changed(void *context, const struct iso_principal *principal, const char *id)
{
    struct iso_api *api = context;

    pthread_mutex_lock(&api->mutex);
    for (struct iso_evaluation_watch *w = api->evaluation_watches; w; w = w->next)
        if (!id || iso_same_plan(&w->principal, w->id, principal, id))
            iso_call_wake(w->call);
    pthread_mutex_unlock(&api->mutex);
}

/* The responses of all calls that send events have one field, the event. */
static void send(const struct iso_evaluation_watch *watch, Isocost__V1__EvaluationEvent *event,
                 bool newest)
{
    Isocost__V1__WatchEvaluationResponse response;

    protobuf_c_message_init(watch->response, &response);
    response.event = event;
    if (newest)
        iso_call_send_newest(watch->call, &response.base);
    else
        iso_call_send(watch->call, &response.base);
}

static enum iso_status send_stored(struct iso_evaluation_watch *watch,
                                   const struct iso_event_record *record, bool *ret_last,
                                   struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(16 * record->event.n_bytes + (1u << 20));
    Isocost__V1__EvaluationEvent *event =
        arena ? isocost__v1__evaluation_event__unpack(iso_arena_allocator(arena),
                                                      record->event.n_bytes, record->event.bytes)
              : NULL;

    if (!event)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for event %lld",
                        (long long)record->sequence);
    event->sequence = record->sequence;
    *ret_last = event->event_case == ISOCOST__V1__EVALUATION_EVENT__EVENT_ENDED;
    send(watch, event, /* newest= */ false);
    watch->after = record->sequence;
    return ISO_OK;
}

static void send_progress(struct iso_evaluation_watch *watch,
                          const struct iso_evaluation_record *record)
{
    Isocost__V1__EvaluationEvent event = ISOCOST__V1__EVALUATION_EVENT__INIT;
    Isocost__V1__EvaluationProgress progress;
    int64_t now_ns = iso_wall_ns();

    if (record->end_ns != 0 || now_ns - watch->progress_ns < PROGRESS_EVERY_NS)
        return;
    watch->progress_ns = now_ns;
    iso_stored_evaluation_progress(record, &progress);
    event.event_case = ISOCOST__V1__EVALUATION_EVENT__EVENT_PROGRESS;
    event.progress = &progress;
    send(watch, &event, /* newest= */ true);
}

/* Sends what is new; *ret_over: there will be nothing more. A store that is away for a while is
 * asked again at the next look. */
static enum iso_status tell(struct iso_evaluation_watch *watch, bool *ret_over,
                            struct iso_error *reterr)
{
    struct iso_store *store = watch->api->config.store;
    ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    struct iso_evaluation_record record;
    struct iso_event_record *events;
    struct iso_error error = {0};
    int n_events = 0;

    *ret_over = false;
    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for events");
    /* the record before its events: what ends in between is among the events */
    enum iso_status status =
        iso_store_get_evaluation(store, &watch->principal, watch->id, arena, &record, &error);
    if (status == ISO_OK)
        status =
            iso_store_list_evaluation_events(store, &watch->principal, watch->id, watch->after,
                                             EVENTS_AT_ONCE, arena, &events, &n_events, &error);
    if (status == ISO_E_UNAVAILABLE)
        return ISO_OK;
    if (status != ISO_OK)
        return iso_fail(reterr, status, error.field, "%s", error.text);
    for (int i = 0; i < n_events && !*ret_over; i++)
        ISO_TRY(send_stored(watch, &events[i], ret_over, reterr));
    if (n_events == 0 && record.end_ns != 0)
        *ret_over = true;
    if (!*ret_over)
        send_progress(watch, &record);
    return ISO_OK;
}

static enum iso_status step(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct iso_evaluation_watch *watch = iso_call_data(call);
    bool over;

    enum iso_status status = tell(watch, &over, reterr);
    if (status == ISO_OK && over)
        iso_call_finish(call);
    if (status != ISO_OK || over)
        leave(service, call);
    return status;
}

enum iso_status iso_evaluation_watch_stored(struct iso_api *api, struct iso_call *call,
                                            const char *id, int64_t after, bool maker,
                                            struct iso_error *reterr)
{
    struct iso_evaluation_watch *watch;
    struct iso_evaluation_record record;
    bool unused;

    ISO_TRY(iso_store_get_evaluation(api->config.store, iso_call_principal(call), id,
                                     iso_call_arena(call), &record, reterr));
    watch = iso_calloc(1, sizeof(*watch));
    if (!watch)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to watch");
    watch->api = api;
    watch->principal = *iso_call_principal(call);
    watch->maker = maker;
    watch->after = after;
    watch->progress_ns = iso_wall_ns();
    watch->response = iso_evaluation_response(call, &unused);
    snprintf(watch->id, sizeof(watch->id), "%s", id);
    iso_call_set_data(call, watch, free);
    watch->call = iso_call_ref(call);
    pthread_mutex_lock(&api->mutex);
    watch->next = api->evaluation_watches;
    api->evaluation_watches = watch;
    pthread_mutex_unlock(&api->mutex);
    iso_call_set_step(call, step);
    iso_call_on_cancel(call, on_cancel, api);
    return ISO_OK;
}

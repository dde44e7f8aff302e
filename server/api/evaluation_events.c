/* The events of an evaluation, and the callers that are sent them. */
#include <stdio.h>

#include "evaluation_internal.h"

#define EVENTS_AT_ONCE 64
#define PROGRESS_EVERY_NS 1000000000

/* --- events --- */

bool iso_evaluation_append(struct iso_evaluation *evaluation, Isocost__V1__EvaluationEvent *event)
{
    if (evaluation->n_events == evaluation->events_room) {
        size_t room = 2 * evaluation->events_room + 16;
        struct event *events = iso_realloc(evaluation->events, room, sizeof(*events));
        if (!events)
            return false;
        evaluation->events = events;
        evaluation->events_room = room;
    }
    event->sequence = (int64_t)evaluation->n_events + 1;
    struct event packed = {.n_bytes = isocost__v1__evaluation_event__get_packed_size(event)};
    packed.bytes = iso_calloc(packed.n_bytes + 1, 1);
    if (!packed.bytes)
        return false;
    isocost__v1__evaluation_event__pack(event, packed.bytes);
    evaluation->events[evaluation->n_events++] = packed;
    evaluation->n_event_bytes += packed.n_bytes;
    return true;
}

void iso_evaluation_progress(const struct iso_evaluation *evaluation,
                             Isocost__V1__EvaluationProgress *progress)
{
    isocost__v1__evaluation_progress__init(progress);
    progress->done = evaluation->n_done;
    progress->total = evaluation->n_scenarios;
    progress->same = evaluation->n_same;
    progress->running = evaluation->n_running;
    progress->seconds = (double)(iso_wall_ns() - evaluation->start_ns) * 1e-9;
}

bool iso_evaluation_is_over(const struct iso_evaluation *evaluation)
{
    return evaluation->n_done == evaluation->n_scenarios ||
           (evaluation->stopped && evaluation->n_busy_lanes == 0);
}

void iso_evaluation_wake(struct iso_evaluation *evaluation, bool progress)
{
    int64_t now_ns = iso_wall_ns();

    pthread_cond_broadcast(&evaluation->changed);
    if (progress && now_ns - evaluation->progress_ns < PROGRESS_EVERY_NS)
        return;
    if (progress)
        evaluation->progress_ns = now_ns;
    for (struct listener *listener = evaluation->listeners; listener; listener = listener->next) {
        listener->progress_due = listener->progress_due || progress;
        iso_call_wake(listener->call);
    }
}

void iso_evaluation_stop(struct iso_evaluation *evaluation)
{
    if (evaluation->stopped || evaluation->ended)
        return;
    evaluation->stopped = true;
    for (int i = 0; i < evaluation->n_lanes; i++)
        if (evaluation->lanes[i].job)
            iso_job_stop(evaluation->lanes[i].job, ISO_STOP_CANCEL);
}

/* --- listeners --- */

/* Takes the call out of the list; the call's reference is then given up. */
static void leave(struct iso_call *call, void *context)
{
    struct listener *listener = context;
    struct iso_evaluation *evaluation = listener->evaluation;
    bool found = false;

    pthread_mutex_lock(&evaluation->mutex);
    for (struct listener **at = &evaluation->listeners; *at; at = &(*at)->next) {
        if (*at == listener) {
            *at = listener->next;
            found = true;
            break;
        }
    }
    if (found && listener->maker)
        iso_evaluation_stop(evaluation);
    pthread_mutex_unlock(&evaluation->mutex);
    if (found)
        iso_call_unref(call);
}

static void free_listener(void *data)
{
    struct listener *listener = data;

    iso_evaluation_unref(listener->evaluation);
    free(listener);
}

/* The responses of all calls that send events have one field, the event. */
static void send_event(struct iso_call *call, const struct listener *listener,
                       Isocost__V1__EvaluationEvent *event, bool newest)
{
    Isocost__V1__WatchEvaluationResponse response;

    protobuf_c_message_init(listener->response, &response);
    response.event = event;
    if (newest)
        iso_call_send_newest(call, &response.base);
    else
        iso_call_send(call, &response.base);
}

static void send_progress(struct iso_call *call, const struct listener *listener,
                          Isocost__V1__EvaluationProgress *progress)
{
    Isocost__V1__EvaluationEvent event = ISOCOST__V1__EVALUATION_EVENT__INIT;

    event.event_case = ISOCOST__V1__EVALUATION_EVENT__EVENT_PROGRESS;
    event.progress = progress;
    send_event(call, listener, &event, /* newest= */ true);
}

/* Events stay where they are until the evaluation is freed, so they are read without the mutex. */
static int take_events(struct listener *listener, struct event events[EVENTS_AT_ONCE],
                       Isocost__V1__EvaluationProgress *ret_progress, bool *ret_progress_due,
                       bool *ret_last)
{
    struct iso_evaluation *evaluation = listener->evaluation;
    int n = 0;

    pthread_mutex_lock(&evaluation->mutex);
    while (n < EVENTS_AT_ONCE && (size_t)listener->sent < evaluation->n_events)
        events[n++] = evaluation->events[listener->sent++];
    *ret_progress_due = listener->progress_due && !evaluation->ended;
    listener->progress_due = false;
    if (*ret_progress_due)
        iso_evaluation_progress(evaluation, ret_progress);
    *ret_last = evaluation->ended && (size_t)listener->sent >= evaluation->n_events;
    pthread_mutex_unlock(&evaluation->mutex);
    return n;
}

static enum iso_status step(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct listener *listener = iso_call_data(call);
    struct event events[EVENTS_AT_ONCE];
    Isocost__V1__EvaluationProgress progress;
    bool progress_due, last;

    (void)service;
    int n = take_events(listener, events, &progress, &progress_due, &last);
    for (int i = 0; i < n; i++) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(16 * events[i].n_bytes + (1u << 20));
        Isocost__V1__EvaluationEvent *event =
            arena ? isocost__v1__evaluation_event__unpack(iso_arena_allocator(arena),
                                                          events[i].n_bytes, events[i].bytes)
                  : NULL;
        if (!event) {
            leave(call, listener);
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for events");
        }
        send_event(call, listener, event, /* newest= */ false);
    }
    if (progress_due)
        send_progress(call, listener, &progress);
    if (last) {
        iso_call_finish(call);
        leave(call, listener);
    }
    return ISO_OK;
}

/* The evaluation, with a reference; NULL when there is none of that id and project here. */
static struct iso_evaluation *find(struct iso_api *api, const struct iso_principal *principal,
                                   const char *id)
{
    struct iso_evaluation *found = NULL;

    pthread_mutex_lock(&api->mutex);
    for (struct iso_evaluation *e = api->evaluations; e && !found; e = e->next)
        if (strcmp(e->id, id) == 0 && strcmp(e->principal.tenant, principal->tenant) == 0 &&
            strcmp(e->principal.project, principal->project) == 0) {
            found = e;
            found->refs++;
        }
    pthread_mutex_unlock(&api->mutex);
    return found;
}

const ProtobufCMessageDescriptor *iso_evaluation_response(const struct iso_call *call,
                                                          bool *ret_maker)
{
    static const struct {
        const char *name;
        const ProtobufCMessageDescriptor *response;
    } rows[] = {{"/EvaluateScenarios", &isocost__v1__evaluate_scenarios_response__descriptor},
                {"/Sweep", &isocost__v1__sweep_response__descriptor},
                {"/Frontier", &isocost__v1__frontier_response__descriptor}};
    const char *name = strrchr(iso_call_path(call), '/');

    *ret_maker = true;
    for (size_t i = 0; name && i < ISO_ARRAY_LENGTH(rows); i++)
        if (strcmp(name, rows[i].name) == 0)
            return rows[i].response;
    *ret_maker = false;
    return &isocost__v1__watch_evaluation_response__descriptor;
}

enum iso_status iso_evaluation_watch(struct iso_api *api, struct iso_call *call, const char *id,
                                     int64_t after, struct iso_error *reterr)
{
    struct iso_evaluation *evaluation = find(api, iso_call_principal(call), id);
    struct listener *listener;

    if (!evaluation)
        return iso_evaluation_watch_stored(api, call, id, after, /* maker= */ false, reterr);
    listener = iso_calloc(1, sizeof(*listener));
    if (!listener) {
        iso_evaluation_unref(evaluation);
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to watch");
    }
    listener->evaluation = evaluation;
    listener->sent = after;
    listener->response = iso_evaluation_response(call, &listener->maker);
    iso_call_set_data(call, listener, free_listener);
    listener->call = iso_call_ref(call);
    pthread_mutex_lock(&evaluation->mutex);
    listener->next = evaluation->listeners;
    evaluation->listeners = listener;
    pthread_mutex_unlock(&evaluation->mutex);
    iso_call_set_step(call, step);
    iso_call_on_cancel(call, leave, listener);
    return ISO_OK;
}

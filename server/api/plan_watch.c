/* WatchPlan: events are read from the store, after the resume token, whenever there may be more. */
#include <stdio.h>

#include "api_internal.h"

#define EVENTS_AT_ONCE 16

struct iso_watch {
    struct iso_watch *next;
    struct iso_call *call; /* holds a reference */
    struct iso_principal principal;
    char plan_id[ISO_ULID_SIZE];
    int64_t after;
};

/* The call's reference on its watch: the watch is in the list as long as the call lives. */
static void leave(struct iso_call *call, void *context)
{
    struct iso_api *api = context;
    struct iso_watch *found = NULL;

    pthread_mutex_lock(&api->mutex);
    for (struct iso_watch **at = &api->watches; *at; at = &(*at)->next) {
        if ((*at)->call == call) {
            found = *at;
            *at = found->next;
            break;
        }
    }
    pthread_mutex_unlock(&api->mutex);
    if (found)
        iso_call_unref(call);
}

void iso_watch_wake(struct iso_api *api, const struct iso_principal *principal, const char *plan_id)
{
    pthread_mutex_lock(&api->mutex);
    for (struct iso_watch *watch = api->watches; watch; watch = watch->next)
        if (!plan_id || iso_same_plan(&watch->principal, watch->plan_id, principal, plan_id))
            iso_call_wake(watch->call);
    pthread_mutex_unlock(&api->mutex);
}

static void finish(struct iso_api *api, struct iso_call *call)
{
    iso_call_finish(call);
    leave(call, api);
}

/* Sends one event; *ret_last tells whether it is the last of its plan. */
static enum iso_status send_event(struct iso_api *api, struct iso_call *call,
                                  const struct iso_event_record *record, struct iso_arena *arena,
                                  bool *ret_last, struct iso_error *reterr)
{
    const struct iso_watch *watch = iso_call_data(call);
    Isocost__V1__WatchPlanResponse *event = isocost__v1__watch_plan_response__unpack(
        iso_arena_allocator(arena), record->event.n_bytes, record->event.bytes);

    if (!event)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "event %lld cannot be read",
                        (long long)record->sequence);
    event->sequence = record->sequence;
    *ret_last = event->event_case == ISOCOST__V1__WATCH_PLAN_RESPONSE__EVENT_ENDED;
    if (*ret_last) /* the record knows state, times and etag */
        ISO_TRY(iso_plan_load(api, &watch->principal, watch->plan_id, /* with_lines= */ false,
                              arena, &event->ended, reterr));
    iso_call_send(call, &event->base);
    return ISO_OK;
}

/* Ends the stream of a plan that had ended before the events were listed: none is left. */
static void end_quietly(struct iso_api *api, struct iso_call *call, Isocost__V1__Plan *plan)
{
    const struct iso_watch *watch = iso_call_data(call);
    Isocost__V1__WatchPlanResponse event = ISOCOST__V1__WATCH_PLAN_RESPONSE__INIT;

    if (watch->after == 0) { /* its events may be gone by now */
        event.event_case = ISOCOST__V1__WATCH_PLAN_RESPONSE__EVENT_ENDED;
        event.ended = plan;
        iso_call_send(call, &event.base);
    }
    finish(api, call);
}

static enum iso_status step(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct iso_api *api = service;
    struct iso_watch *watch = iso_call_data(call);
    ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    struct iso_event_record *events;
    Isocost__V1__Plan *plan;
    int n_events = 0;
    enum iso_status status;
    bool last = false;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for events");
    /* the plan is read before its events: what ends in between is among the events */
    status = iso_plan_load(api, &watch->principal, watch->plan_id, /* with_lines= */ false, arena,
                           &plan, reterr);
    if (status == ISO_OK)
        status =
            iso_store_list_events(api->config.store, &watch->principal, watch->plan_id,
                                  watch->after, EVENTS_AT_ONCE, arena, &events, &n_events, reterr);
    for (int i = 0; status == ISO_OK && i < n_events && !last; i++) {
        watch->after = events[i].sequence;
        status = send_event(api, call, &events[i], arena, &last, reterr);
    }
    if (status == ISO_OK && last)
        finish(api, call);
    if (status == ISO_OK && n_events == 0 &&
        plan->state >= ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE)
        end_quietly(api, call, plan);
    if (status != ISO_OK)
        leave(call, api);
    return status;
}

enum iso_status iso_watch_plan(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct iso_api *api = service;
    const Isocost__V1__WatchPlanRequest *request =
        (const Isocost__V1__WatchPlanRequest *)iso_call_request(call);
    struct iso_plan_record record;
    struct iso_watch *watch;

    ISO_TRY(iso_ulid_check(request->id, "id", reterr));
    if (request->after_sequence < 0)
        return iso_fail(reterr, ISO_E_INVALID, "after_sequence", "is %lld; it must not be below 0",
                        (long long)request->after_sequence);
    ISO_TRY(iso_store_get_plan(api->config.store, iso_call_principal(call), request->id,
                               /* with_lines= */ false, iso_call_arena(call), &record, reterr));
    watch = iso_calloc(1, sizeof(*watch));
    if (!watch)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to watch");
    watch->principal = *iso_call_principal(call);
    watch->after = request->after_sequence;
    snprintf(watch->plan_id, sizeof(watch->plan_id), "%s", request->id);
    iso_call_set_data(call, watch, free);
    watch->call = iso_call_ref(call);
    pthread_mutex_lock(&api->mutex);
    watch->next = api->watches;
    api->watches = watch;
    pthread_mutex_unlock(&api->mutex);
    iso_call_set_step(call, step);
    iso_call_on_cancel(call, leave, api);
    return ISO_OK;
}

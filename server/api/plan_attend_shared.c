/* Calls that wait for a plan which another process may run: what they are told comes from the
 * store. */
#include "plan_attend.h"

#define EVENTS_AT_ONCE 64

static bool has_ended(struct iso_api *api, const struct iso_principal *principal,
                      const char *plan_id)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    struct iso_plan_record record;

    return arena &&
           iso_store_get_plan(api->config.store, principal, plan_id, /* with_lines= */ false, arena,
                              &record, NULL) == ISO_OK &&
           record.state >= ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE;
}

/* The n-th plan that somebody waits for, of those asked about; false when there are not so many. */
static bool nth_attended(struct iso_api *api, int n, const struct iso_principal *principal,
                         const char *plan_id, struct iso_principal *ret_principal,
                         char ret_id[ISO_ULID_SIZE])
{
    bool found = false;

    pthread_mutex_lock(&api->mutex);
    for (struct iso_attendance *a = api->attendances; a && !found; a = a->next) {
        if (plan_id && !iso_same_plan(&a->principal, a->plan_id, principal, plan_id))
            continue;
        if (n-- > 0)
            continue;
        found = true;
        *ret_principal = a->principal;
        memcpy(ret_id, a->plan_id, ISO_ULID_SIZE);
    }
    pthread_mutex_unlock(&api->mutex);
    return found;
}

/* The next call that streams the plan; `after` is what it was told of last. The caller gives the
 * reference back. */
static struct iso_call *nth_stream(struct iso_api *api, int n,
                                   const struct iso_principal *principal, const char *plan_id,
                                   int64_t *ret_after)
{
    struct iso_call *call = NULL;

    pthread_mutex_lock(&api->mutex);
    for (struct iso_attendance *a = api->attendances; a && !call; a = a->next) {
        if (!a->stream || !iso_same_plan(&a->principal, a->plan_id, principal, plan_id) || n-- > 0)
            continue;
        call = iso_call_ref(a->call);
        *ret_after = a->after;
    }
    pthread_mutex_unlock(&api->mutex);
    return call;
}

/* Sends the newest progress among the events with the newest incumbent, and that the plan was
 * accepted, unless told before. */
static void tell(struct iso_api *api, struct iso_call *call, const struct iso_event_record *events,
                 int n_events, struct iso_arena *arena)
{
    Isocost__V1__SolvePlanStreamResponse message = ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__INIT;
    Isocost__V1__SolveAccepted accepted = ISOCOST__V1__SOLVE_ACCEPTED__INIT;
    Isocost__V1__SolveProgress *progress = NULL;
    Isocost__V1__Plan *incumbent = NULL;

    for (int i = 0; i < n_events; i++) {
        Isocost__V1__WatchPlanResponse *event = isocost__v1__watch_plan_response__unpack(
            iso_arena_allocator(arena), events[i].event.n_bytes, events[i].event.bytes);

        if (event && event->event_case == ISOCOST__V1__WATCH_PLAN_RESPONSE__EVENT_PROGRESS)
            progress = event->progress;
        if (progress && progress->incumbent)
            incumbent = progress->incumbent;
    }
    if (incumbent)
        iso_plan_cut(incumbent);
    pthread_mutex_lock(&api->mutex);
    for (struct iso_attendance *a = api->attendances; a; a = a->next) {
        if (a->call != call)
            continue;
        if (!a->accepted && a->creator) {
            message.event_case = ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__EVENT_ACCEPTED;
            message.accepted = &accepted;
            iso_call_send(call, &message.base);
        }
        a->accepted = true;
        a->after = events[n_events - 1].sequence;
        message.event_case = ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__EVENT_PROGRESS;
        message.progress = progress;
        if (progress)
            progress->incumbent = a->incumbents ? incumbent : NULL;
        if (progress)
            iso_call_send_newest(call, &message.base);
    }
    pthread_mutex_unlock(&api->mutex);
}

static void forward_progress(struct iso_api *api, const struct iso_principal *principal,
                             const char *plan_id)
{
    struct iso_call *call;
    int64_t after = 0;

    for (int n = 0; (call = nth_stream(api, n, principal, plan_id, &after)); n++) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
        struct iso_event_record *events;
        int n_events = 0;

        if (arena &&
            iso_store_list_events(api->config.store, principal, plan_id, after, EVENTS_AT_ONCE,
                                  arena, &events, &n_events, NULL) == ISO_OK &&
            n_events > 0)
            tell(api, call, events, n_events, arena);
        iso_call_unref(call);
    }
}

void iso_attendances_look(struct iso_api *api, const struct iso_principal *principal,
                          const char *plan_id)
{
    struct iso_principal whose;
    char id[ISO_ULID_SIZE];

    if (!api->config.shared)
        return; /* plans run here, and here it is told */
    for (int n = 0; nth_attended(api, n, principal, plan_id, &whose, id); n++) {
        if (has_ended(api, &whose, id))
            iso_attendances_end(api, &whose, id, NULL, NULL);
        else if (!iso_queue_runner_has(api->runner, &whose, id))
            forward_progress(api, &whose, id);
    }
}

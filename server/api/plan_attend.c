/* Calls that wait for a stored plan: SolvePlan and SolvePlanStream with `keep`. */
#include <math.h>
#include <stdio.h>

#include "plan_attend.h"

#define ATTENDED_PRIORITY 10 /* somebody waits */

bool iso_same_plan(const struct iso_principal *a, const char *a_id, const struct iso_principal *b,
                   const char *b_id)
{
    return strcmp(a_id, b_id) == 0 && strcmp(a->tenant, b->tenant) == 0 &&
           strcmp(a->project, b->project) == 0;
}

static void free_attendance(struct iso_attendance *attendance)
{
    iso_call_unref(attendance->call);
    free(attendance);
}

/* Takes the attendance of a call out of the list; NULL when it is not there any more. */
static struct iso_attendance *take(struct iso_api *api, const struct iso_call *call)
{
    struct iso_attendance *found = NULL;

    pthread_mutex_lock(&api->mutex);
    for (struct iso_attendance **at = &api->attendances; *at && !found; at = &(*at)->next) {
        if ((*at)->call == call) {
            found = *at;
            *at = found->next;
            break;
        }
    }
    pthread_mutex_unlock(&api->mutex);
    return found;
}

static void stop_plan(struct iso_task *task)
{
    struct iso_attendance *attendance =
        (struct iso_attendance *)(void *)((char *)task -
                                          offsetof(struct iso_attendance, stop_task));
    struct iso_error error = {0};

    /* A plan that ended meanwhile is as good as one that was stopped. */
    iso_queue_runner_cancel(attendance->api->runner, &attendance->principal, attendance->plan_id,
                            iso_call_id(attendance->call), &error);
    free_attendance(attendance);
}

static void on_cancel(struct iso_call *call, void *context)
{
    struct iso_api *api = context;
    struct iso_attendance *attendance = take(api, call);

    if (!attendance)
        return;
    if (attendance->creator) {
        attendance->stop_task.run = stop_plan;
        iso_worker_pool_submit(api->tasks, &attendance->stop_task, /* bounded= */ false);
    } else {
        free_attendance(attendance);
    }
}

static bool is_for(const struct iso_attendance *attendance, const struct iso_principal *principal,
                   const char *plan_id)
{
    return iso_same_plan(&attendance->principal, attendance->plan_id, principal, plan_id);
}

void iso_attendances_wishes(void *context, const struct iso_principal *principal,
                            const char *plan_id, bool *ret_attended, bool *ret_incumbents,
                            double *ret_deadline_s)
{
    struct iso_api *api = context;

    *ret_attended = *ret_incumbents = false;
    *ret_deadline_s = 0;
    pthread_mutex_lock(&api->mutex);
    for (struct iso_attendance *a = api->attendances; a; a = a->next) {
        double remaining_s = iso_call_remaining_s(a->call);

        if (!is_for(a, principal, plan_id))
            continue;
        *ret_attended = true;
        *ret_incumbents = *ret_incumbents || a->incumbents;
        if (a->creator && isfinite(remaining_s))
            *ret_deadline_s = fmax(remaining_s, 0.001);
    }
    pthread_mutex_unlock(&api->mutex);
}

void iso_attendances_accepted(void *context, const struct iso_principal *principal,
                              const char *plan_id, int queue_position)
{
    struct iso_api *api = context;
    Isocost__V1__SolvePlanStreamResponse event = ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__INIT;
    Isocost__V1__SolveAccepted accepted = ISOCOST__V1__SOLVE_ACCEPTED__INIT;

    accepted.queue_position = queue_position;
    event.event_case = ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__EVENT_ACCEPTED;
    event.accepted = &accepted;
    pthread_mutex_lock(&api->mutex);
    for (struct iso_attendance *a = api->attendances; a; a = a->next)
        if (a->stream && a->creator && !a->accepted && is_for(a, principal, plan_id)) {
            a->accepted = true;
            iso_call_send(a->call, &event.base);
        }
    pthread_mutex_unlock(&api->mutex);
}

void iso_attendances_progress(void *context, const struct iso_principal *principal,
                              const char *plan_id, const Isocost__V1__SolveProgress *progress)
{
    struct iso_api *api = context;
    Isocost__V1__SolvePlanStreamResponse event = ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__INIT;
    Isocost__V1__SolveProgress shown = *progress;
    Isocost__V1__Plan incumbent;

    if (progress->incumbent) {
        incumbent = *progress->incumbent;
        iso_plan_cut(&incumbent);
    }
    event.event_case = ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__EVENT_PROGRESS;
    event.progress = &shown;
    pthread_mutex_lock(&api->mutex);
    for (struct iso_attendance *a = api->attendances; a; a = a->next) {
        if (!a->stream || !is_for(a, principal, plan_id))
            continue;
        shown.incumbent = progress->incumbent && a->incumbents ? &incumbent : NULL;
        iso_call_send_newest(a->call, &event.base);
    }
    pthread_mutex_unlock(&api->mutex);
}

static void answer_plan(const struct iso_attendance *attendance, Isocost__V1__Plan *plan)
{
    if (attendance->stream) {
        Isocost__V1__SolvePlanStreamResponse event = ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__INIT;

        event.event_case = ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__EVENT_PLAN;
        event.plan = plan;
        iso_call_send(attendance->call, &event.base);
        iso_call_finish(attendance->call);
    } else {
        Isocost__V1__SolvePlanResponse response = ISOCOST__V1__SOLVE_PLAN_RESPONSE__INIT;

        response.plan = plan;
        iso_call_reply(attendance->call, &response.base);
    }
}

static enum iso_status status_of(const Google__Rpc__Status *error)
{
    for (int s = 1; s < ISO_STATUS_COUNT_; s++)
        if (iso_status_grpc_code((enum iso_status)s) == error->code)
            return (enum iso_status)s;
    return ISO_E_INTERNAL;
}

/* Answers one call with a plan that has ended. What it failed with, and the fields that were wrong,
 * are known (not NULL) where it ran. */
static void answer(struct iso_attendance *attendance, const struct iso_error *why_not,
                   const struct iso_violations *violations)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    struct iso_error error = {0};
    Isocost__V1__Plan *plan = NULL;

    if (!arena) {
        iso_fail(&error, ISO_E_NOMEM, "", "no memory for the plan");
    } else if (iso_plan_load(attendance->api, &attendance->principal, attendance->plan_id,
                             /* with_lines= */ true, arena, &plan, &error) == ISO_OK) {
        if (plan->state == ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE) {
            answer_plan(attendance, plan);
            return;
        }
        for (int i = 0; violations && i < violations->n; i++)
            iso_violations_add(iso_call_violations(attendance->call), violations->items[i].field,
                               "%s", violations->items[i].text);
        if (why_not && why_not->status != ISO_OK)
            error = *why_not;
        else if (plan->error)
            iso_fail(&error, status_of(plan->error), "", "%s", plan->error->message);
        else if (plan->state == ISOCOST__V1__PLAN_STATE__PLAN_STATE_CANCELLED)
            iso_fail(&error, ISO_E_CANCELLED, "", "plan %s was cancelled", attendance->plan_id);
        else
            iso_fail(&error, ISO_E_UNAVAILABLE, "",
                     "the server is shutting down; plan %s goes on after the next start",
                     attendance->plan_id);
    }
    iso_call_fail(attendance->call, &error);
}

void iso_attendances_end(void *context, const struct iso_principal *principal, const char *plan_id,
                         const struct iso_error *error, const struct iso_violations *violations)
{
    struct iso_api *api = context;

    for (;;) {
        struct iso_attendance *found = NULL;

        pthread_mutex_lock(&api->mutex);
        for (struct iso_attendance *a = api->attendances; a && !found; a = a->next)
            if (is_for(a, principal, plan_id))
                found = a;
        pthread_mutex_unlock(&api->mutex);
        found = found ? take(api, found->call) : NULL;
        if (!found)
            return;
        answer(found, error, violations);
        free_attendance(found);
    }
}

/* The plan was there before: answers at once if it has ended, otherwise when it does. */
static enum iso_status join(struct iso_api *api, struct iso_call *call,
                            struct iso_attendance *attendance, const char *id,
                            struct iso_error *reterr)
{
    struct iso_plan_record record;

    pthread_mutex_lock(&api->mutex);
    snprintf(attendance->plan_id, sizeof(attendance->plan_id), "%s", id);
    attendance->creator = false;
    pthread_mutex_unlock(&api->mutex);
    ISO_TRY(iso_store_get_plan(api->config.store, &attendance->principal, id,
                               /* with_lines= */ false, iso_call_arena(call), &record, reterr));
    if (record.state >= ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE && take(api, call)) {
        answer(attendance, NULL, NULL);
        free_attendance(attendance);
    }
    return ISO_OK;
}

enum iso_status iso_plan_attend(struct iso_api *api, struct iso_call *call,
                                const Isocost__V1__Model *model, const char *model_digest,
                                const char *request_id, bool stream, bool incumbents,
                                struct iso_error *reterr)
{
    struct iso_attendance *attendance = iso_calloc(1, sizeof(*attendance));
    struct iso_plan_record record;
    char id[ISO_ULID_SIZE];
    bool existing = false;
    enum iso_status status;

    if (!attendance)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to wait for a plan");
    *attendance = (struct iso_attendance){.api = api,
                                          .call = iso_call_ref(call),
                                          .principal = *iso_call_principal(call),
                                          .stream = stream,
                                          .incumbents = incumbents,
                                          .creator = true};
    iso_ulid_new(id);
    memcpy(attendance->plan_id, id, sizeof(id));
    pthread_mutex_lock(&api->mutex);
    attendance->next = api->attendances;
    api->attendances = attendance;
    pthread_mutex_unlock(&api->mutex);

    status = iso_plan_enqueue(api, call, model, model_digest, request_id, "", ATTENDED_PRIORITY,
                              incumbents, id, &existing, &record, reterr);
    if (status == ISO_OK && existing)
        status = join(api, call, attendance, record.id, reterr);
    if (status != ISO_OK) {
        if (take(api, call))
            free_attendance(attendance);
        return status;
    }
    iso_queue_runner_poke(api->runner);
    iso_call_on_cancel(call, on_cancel, api);
    return ISO_OK;
}

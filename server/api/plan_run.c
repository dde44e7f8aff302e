#include "plan_run.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "google/rpc/error_details.pb-c.h"
#include "message_new.h"

#define PROGRESS_EVERY_NS 1000000000
#define RETRY_S 0.2 /* until the supervisor's queue has room again */

bool iso_same_plan(const struct iso_principal *a, const char *a_id, const struct iso_principal *b,
                   const char *b_id)
{
    return strcmp(a_id, b_id) == 0 && strcmp(a->tenant, b->tenant) == 0 &&
           strcmp(a->project, b->project) == 0;
}

/* --- the end of a run --- */

static void unlink_run(struct iso_run *run)
{
    struct iso_api *api = run->api;

    pthread_mutex_lock(&api->mutex);
    for (struct iso_run **at = &api->runs; *at; at = &(*at)->next) {
        if (*at == run) {
            *at = run->next;
            break;
        }
    }
    pthread_mutex_unlock(&api->mutex);
}

static void free_run(struct iso_run *run)
{
    struct iso_api *api = run->api;

    iso_job_release(run->job);
    free(run->progress);
    iso_arena_free(run->arena);
    free(run);
    pthread_mutex_lock(&api->mutex);
    api->n_runs--;
    api->poked = true;
    pthread_cond_broadcast(&api->changed);
    pthread_mutex_unlock(&api->mutex);
}

static Google__Rpc__Status *error_message(struct iso_run *run)
{
    Google__Rpc__Status *status = iso_message_new(run->arena, &google__rpc__status__descriptor);

    if (status) {
        status->code = iso_status_grpc_code(run->error.status);
        status->message = run->violations.n > 0 ? iso_arena_printf(run->arena, "%s: %s",
                                                                   run->violations.items[0].field,
                                                                   run->violations.items[0].text)
                                                : iso_arena_strdup(run->arena, run->error.text);
    }
    return status && status->message ? status : NULL;
}

/* The plan of a run that failed: what was queued, with the reason. */
static void pack_failure(struct iso_run *run)
{
    Isocost__V1__Plan plan = ISOCOST__V1__PLAN__INIT;

    if (run->stored)
        plan = *run->stored;
    if (run->error.status != ISO_E_CANCELLED)
        plan.error = error_message(run);
    run->plan = iso_message_pack(&plan.base, run->arena);
}

static int end_state(const struct iso_run *run)
{
    if (run->error.status == ISO_OK)
        return ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE;
    return run->error.status == ISO_E_CANCELLED ? ISOCOST__V1__PLAN_STATE__PLAN_STATE_CANCELLED
                                                : ISOCOST__V1__PLAN_STATE__PLAN_STATE_FAILED;
}

static void end_run(struct iso_task *task)
{
    struct iso_run *run =
        (struct iso_run *)(void *)((char *)task - offsetof(struct iso_run, end_task));
    struct iso_api *api = run->api;
    struct iso_audit audit = {.action = "plan.end", .request_id = run->call_id};
    struct iso_error error = {0};
    bool held;

    pthread_mutex_lock(&api->mutex);
    held = api->held;
    pthread_mutex_unlock(&api->mutex);
    if (held && (run->cut_short || run->error.status == ISO_E_UNAVAILABLE ||
                 run->error.status == ISO_E_CANCELLED)) {
        iso_api_log(api, 1, "plan %s was cut short; the next start goes on with it", run->plan_id);
    } else {
        struct iso_plan_record record = {.id = run->plan_id,
                                         .end_ns = iso_wall_ns(),
                                         .request_id = "",
                                         .body_digest = "",
                                         .model_digest = "",
                                         .snapshot_digest =
                                             run->snapshot_digest ? run->snapshot_digest : "",
                                         .labels = ""};

        if (run->error.status != ISO_OK)
            pack_failure(run);
        record.state = end_state(run);
        record.plan = run->plan;
        record.lines = run->lines;
        if (iso_store_update_plan(api->config.store, &run->principal, &record, run->attempt, &audit,
                                  &error) != ISO_OK)
            iso_api_log(api, 3, "plan %s could not be stored: %s", run->plan_id, error.text);
    }
    unlink_run(run);
    iso_watch_wake(api, &run->principal, run->plan_id);
    iso_attendances_end(run);
    free_run(run);
}

static void end_part(struct iso_run *run)
{
    bool last;

    pthread_mutex_lock(&run->api->mutex);
    last = --run->n_parts == 0;
    pthread_mutex_unlock(&run->api->mutex);
    if (!last)
        return;
    run->end_task.run = end_run;
    iso_worker_pool_submit(run->api->tasks, &run->end_task, /* bounded= */ false);
}

/* --- the supervisor's callbacks --- */

static void on_accepted(void *context, int queue_position)
{
    iso_attendances_accepted(context, queue_position);
}

static void store_progress(struct iso_task *task)
{
    struct iso_run *run =
        (struct iso_run *)(void *)((char *)task - offsetof(struct iso_run, progress_task));
    struct iso_api *api = run->api;
    struct iso_bytes event;
    struct iso_error error = {0};
    int64_t sequence;

    pthread_mutex_lock(&api->mutex);
    event = (struct iso_bytes){.bytes = run->progress, .n_bytes = run->n_progress};
    run->progress = NULL;
    run->progress_queued = false;
    pthread_mutex_unlock(&api->mutex);
    if (iso_store_append_event(api->config.store, &run->principal, run->plan_id, event, &sequence,
                               &error) == ISO_OK)
        iso_watch_wake(api, &run->principal, run->plan_id);
    else
        iso_api_log(api, 2, "progress of plan %s was not stored: %s", run->plan_id, error.text);
    free((void *)(uintptr_t)event.bytes);
    end_part(run);
}

/* Events in the store are without incumbents and at most one a second. */
static void on_progress(void *context, const Isocost__V1__SolveProgress *progress)
{
    struct iso_run *run = context;
    Isocost__V1__WatchPlanResponse event = ISOCOST__V1__WATCH_PLAN_RESPONSE__INIT;
    Isocost__V1__SolveProgress shown = *progress;
    int64_t now_ns = iso_wall_ns();
    unsigned char *packed;
    size_t n_packed;
    bool queue;

    iso_attendances_progress(run, progress);
    shown.incumbent = NULL;
    event.event_case = ISOCOST__V1__WATCH_PLAN_RESPONSE__EVENT_PROGRESS;
    event.progress = &shown;
    n_packed = isocost__v1__watch_plan_response__get_packed_size(&event);
    packed = iso_calloc(n_packed + 1, 1);
    if (!packed)
        return;
    isocost__v1__watch_plan_response__pack(&event, packed);
    pthread_mutex_lock(&run->api->mutex);
    free(run->progress);
    run->progress = packed;
    run->n_progress = n_packed;
    queue = !run->progress_queued && now_ns >= run->progress_ns + PROGRESS_EVERY_NS;
    if (queue) {
        run->progress_queued = true;
        run->progress_ns = now_ns;
        run->n_parts++;
    }
    pthread_mutex_unlock(&run->api->mutex);
    if (queue) {
        run->progress_task.run = store_progress;
        iso_worker_pool_submit(run->api->tasks, &run->progress_task, /* bounded= */ false);
    }
}

static void take_plan(struct iso_run *run, const struct iso_job_result *result)
{
    const Isocost__V1__Plan *found = result->plan;
    Isocost__V1__Plan plan = *found;
    Isocost__V1__StoppedBy stopped_by =
        plan.termination ? plan.termination->stopped_by : ISOCOST__V1__STOPPED_BY__STOPPED_BY_NONE;

    run->cut_short = stopped_by == ISOCOST__V1__STOPPED_BY__STOPPED_BY_CANCEL ||
                     stopped_by == ISOCOST__V1__STOPPED_BY__STOPPED_BY_DEADLINE;
    if (run->stored) {
        plan.note = run->stored->note;
        plan.n_labels = run->stored->n_labels;
        plan.labels = run->stored->labels;
        plan.display_name = run->stored->display_name;
    }
    plan.n_lines = 0;
    plan.lines = NULL;
    run->plan = iso_message_pack(&plan.base, run->arena);
    run->lines.bytes = iso_arena_calloc(run->arena, result->n_line_bytes + 1, 1);
    run->lines.n_bytes = result->n_line_bytes;
    if (run->lines.bytes && result->n_line_bytes > 0)
        memcpy((unsigned char *)run->lines.bytes, result->lines, result->n_line_bytes);
    if (iso_arena_full(run->arena))
        iso_fail(&run->error, ISO_E_LIMIT, "", "no memory to keep the plan");
}

static void on_done(void *context, const struct iso_job_result *result)
{
    struct iso_run *run = context;

    if (result->status == ISO_OK && result->plan) {
        take_plan(run, result);
    } else {
        run->error = result->error;
        if (run->error.status == ISO_OK)
            iso_fail(&run->error, ISO_E_INTERNAL, "", "the solve ended without a plan");
        for (int i = 0; result->violations && i < result->violations->n; i++)
            iso_violations_add(&run->violations, result->violations->items[i].field, "%s",
                               result->violations->items[i].text);
    }
    end_part(run);
}

/* --- the dispatcher --- */

static enum iso_status submit(struct iso_run *run, struct iso_job_request *request,
                              struct iso_error *reterr)
{
    struct iso_api *api = run->api;

    for (;;) {
        struct iso_error error = {0};
        struct iso_job *job = NULL;
        enum iso_status status =
            iso_supervisor_submit(api->config.supervisor, request, &job, &error);
        bool stop;

        pthread_mutex_lock(&api->mutex);
        run->job = job;
        stop = run->cancelled;
        if (status == ISO_OK && stop)
            iso_job_stop(job, ISO_STOP_CANCEL);
        stop = stop || api->held;
        pthread_mutex_unlock(&api->mutex);
        if (status != ISO_E_LIMIT)
            return status == ISO_OK ? ISO_OK
                                    : iso_fail(reterr, status, error.field, "%s", error.text);
        if (stop)
            return iso_fail(reterr, ISO_E_CANCELLED, "", "stopped before a solver was free");
        nanosleep(&(struct timespec){.tv_nsec = (long)(RETRY_S * 1e9)}, NULL);
    }
}

static enum iso_status prepare(struct iso_run *run, const char *model_digest,
                               struct iso_job_request *request, struct iso_error *reterr)
{
    struct iso_api *api = run->api;
    const Isocost__V1__Model *model;
    struct iso_plan_record record;
    Isocost__V1__Plan *stored;
    bool attended;

    ISO_TRY(iso_store_get_plan(api->config.store, &run->principal, run->plan_id,
                               /* with_lines= */ false, run->arena, &record, reterr));
    ISO_TRY(iso_plan_from_record(&record, run->arena, &stored, reterr));
    run->stored = stored;
    ISO_TRY(iso_model_load(api, &run->principal, model_digest, &run->violations, &model, reterr));
    ISO_TRY(iso_snapshot_open(api, &run->principal, model, record.snapshot_digest, run->arena,
                              &request->snapshot_fd, &run->snapshot_digest, reterr));
    iso_attendances_wishes(run, &attended, &request->incumbents, &request->deadline_s);
    request->model = model;
    request->model_arena = run->arena;
    request->model_digest = model_digest;
    request->batch = !attended;
    return ISO_OK;
}

/* Tells watchers that the plan runs now. */
static void announce(struct iso_run *run)
{
    Isocost__V1__WatchPlanResponse event = ISOCOST__V1__WATCH_PLAN_RESPONSE__INIT;
    Isocost__V1__Plan *plan = NULL;
    struct iso_error error = {0};
    struct iso_bytes packed;
    int64_t sequence;

    if (iso_plan_load(run->api, &run->principal, run->plan_id, /* with_lines= */ false, run->arena,
                      &plan, &error) != ISO_OK)
        return;
    event.event_case = ISOCOST__V1__WATCH_PLAN_RESPONSE__EVENT_STATE_CHANGED;
    event.state_changed = plan;
    packed = iso_message_pack(&event.base, run->arena);
    if (packed.bytes && iso_store_append_event(run->api->config.store, &run->principal,
                                               run->plan_id, packed, &sequence, &error) == ISO_OK)
        iso_watch_wake(run->api, &run->principal, run->plan_id);
}

static void start_run(struct iso_run *run, const char *model_digest)
{
    struct iso_job_request request = {.mode = ISO_JOB_SOLVE,
                                      .snapshot_fd = -1,
                                      .all_lines = true,
                                      .context = run,
                                      .accepted = on_accepted,
                                      .progress = on_progress,
                                      .done = on_done};
    struct iso_error error = {0};

    announce(run);
    if (prepare(run, model_digest, &request, &error) != ISO_OK ||
        submit(run, &request, &error) != ISO_OK) {
        run->error = error;
        end_part(run);
    }
    if (request.snapshot_fd >= 0)
        close(request.snapshot_fd);
    end_part(run);
}

/* Makes a run of the next queued plan; false when none waits. */
static bool claim_next(struct iso_api *api)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    struct iso_run *run = iso_calloc(1, sizeof(*run));
    struct iso_error error = {0};
    struct iso_job_record job;
    const char *model_digest;
    bool found = false;

    pthread_mutex_lock(&api->claims);
    if (!arena || !run ||
        iso_store_claim_job(api->config.store, arena, &found, &job, &error) != ISO_OK)
        iso_api_log(api, 3, "no queued plan could be claimed: %s",
                    error.status == ISO_OK ? "out of memory" : error.text);
    if (!found) {
        pthread_mutex_unlock(&api->claims);
        free(run);
        return false;
    }
    run->api = api;
    run->principal = job.principal;
    run->attempt = job.attempt;
    model_digest = job.model_digest;
    snprintf(run->plan_id, sizeof(run->plan_id), "%s", job.plan_id);
    snprintf(run->call_id, sizeof(run->call_id), "attempt-%d", job.attempt);
    run->arena = ISO_STEAL(arena);
    run->violations.arena = run->arena;
    run->n_parts = 2;
    pthread_mutex_lock(&api->mutex);
    run->next = api->runs;
    api->runs = run;
    api->n_runs++;
    pthread_mutex_unlock(&api->mutex);
    pthread_mutex_unlock(&api->claims);
    start_run(run, model_digest);
    return true;
}

void *iso_api_dispatch(void *argument)
{
    struct iso_api *api = argument;

    pthread_mutex_lock(&api->mutex);
    while (!api->held) {
        if (!api->poked || api->n_runs >= api->config.n_plans) {
            pthread_cond_wait(&api->changed, &api->mutex);
            continue;
        }
        api->poked = false;
        pthread_mutex_unlock(&api->mutex);
        if (claim_next(api))
            iso_api_poke(api);
        pthread_mutex_lock(&api->mutex);
    }
    pthread_mutex_unlock(&api->mutex);
    return NULL;
}

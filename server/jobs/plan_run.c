/* One run: from the claim to what the supervisor says. */
#include "plan_run.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_EVERY_NS 1000000000
#define RETRY_S 0.2 /* until the supervisor's queue has room again */

static void end_part(struct iso_plan_run *run)
{
    bool last;

    pthread_mutex_lock(&run->runner->mutex);
    last = --run->n_parts == 0;
    pthread_mutex_unlock(&run->runner->mutex);
    if (!last)
        return;
    run->end_task.run = iso_plan_run_end;
    iso_worker_pool_submit(run->runner->tasks, &run->end_task, /* bounded= */ false);
}

/* --- the supervisor's callbacks --- */

static void on_accepted(void *context, int queue_position)
{
    struct iso_plan_run *run = context;
    const struct iso_plan_hooks *hooks = &run->runner->config.hooks;

    if (hooks->accepted)
        hooks->accepted(hooks->context, &run->record.principal, run->record.object_id,
                        queue_position);
}

/* Adds an event of this attempt; a plan that another process has meanwhile is left alone. */
static void add_event(struct iso_plan_run *run, struct iso_bytes event)
{
    struct iso_plan_runner *runner = run->runner;
    struct iso_error error = {0};
    int64_t sequence;

    if (iso_store_append_event(runner->config.store, &run->record.principal, run->record.object_id,
                               run->record.attempt, event, &sequence, &error) == ISO_OK)
        iso_plan_runner_changed(runner, &run->record.principal, run->record.object_id);
    else
        iso_plan_runner_log(runner, 2, "an event of plan %s was not stored: %s",
                            run->record.object_id, error.text);
}

static void store_progress(struct iso_task *task)
{
    struct iso_plan_run *run =
        (struct iso_plan_run *)(void *)((char *)task -
                                        offsetof(struct iso_plan_run, progress_task));
    struct iso_plan_runner *runner = run->runner;
    struct iso_bytes event;

    pthread_mutex_lock(&runner->mutex);
    event = (struct iso_bytes){.bytes = run->progress, .n_bytes = run->n_progress};
    run->progress = NULL;
    run->progress_queued = false;
    pthread_mutex_unlock(&runner->mutex);
    add_event(run, event);
    free((void *)(uintptr_t)event.bytes);
    end_part(run);
}

/* Events in the store are without incumbents and at most one a second. */
static void on_progress(void *context, const Isocost__V1__SolveProgress *progress)
{
    struct iso_plan_run *run = context;
    const struct iso_plan_hooks *hooks = &run->runner->config.hooks;
    Isocost__V1__WatchPlanResponse event = ISOCOST__V1__WATCH_PLAN_RESPONSE__INIT;
    Isocost__V1__SolveProgress shown = *progress;
    int64_t now_ns = iso_wall_ns();
    unsigned char *packed;
    size_t n_packed;
    bool queue;

    if (hooks->progress)
        hooks->progress(hooks->context, &run->record.principal, run->record.object_id, progress);
    shown.incumbent = NULL;
    event.event_case = ISOCOST__V1__WATCH_PLAN_RESPONSE__EVENT_PROGRESS;
    event.progress = &shown;
    n_packed = isocost__v1__watch_plan_response__get_packed_size(&event);
    packed = iso_calloc(n_packed + 1, 1);
    if (!packed)
        return;
    isocost__v1__watch_plan_response__pack(&event, packed);
    pthread_mutex_lock(&run->runner->mutex);
    free(run->progress);
    run->progress = packed;
    run->n_progress = n_packed;
    queue = !run->progress_queued && now_ns >= run->progress_ns + PROGRESS_EVERY_NS;
    if (queue) {
        run->progress_queued = true;
        run->progress_ns = now_ns;
        run->n_parts++;
    }
    pthread_mutex_unlock(&run->runner->mutex);
    if (queue) {
        run->progress_task.run = store_progress;
        iso_worker_pool_submit(run->runner->tasks, &run->progress_task, /* bounded= */ false);
    }
}

static void take_plan(struct iso_plan_run *run, const struct iso_job_result *result)
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
    struct iso_plan_run *run = context;

    if (result->status == ISO_OK && result->plan) {
        take_plan(run, result);
    } else {
        run->error = result->error;
        run->solver_died = result->solver_died;
        if (run->error.status == ISO_OK)
            iso_fail(&run->error, ISO_E_INTERNAL, "", "the solve ended without a plan");
        for (int i = 0; result->violations && i < result->violations->n; i++)
            iso_violations_add(&run->violations, result->violations->items[i].field, "%s",
                               result->violations->items[i].text);
    }
    end_part(run);
}

/* --- the dispatcher --- */

static enum iso_status submit(struct iso_plan_run *run, struct iso_job_request *request,
                              struct iso_error *reterr)
{
    struct iso_plan_runner *runner = run->runner;

    for (;;) {
        struct iso_error error = {0};
        struct iso_job *job = NULL;
        enum iso_status status =
            iso_supervisor_submit(runner->config.supervisor, request, &job, &error);
        bool stop;

        pthread_mutex_lock(&runner->mutex);
        run->job = job;
        stop = run->cancelled;
        if (status == ISO_OK && stop)
            iso_job_stop(job, ISO_STOP_CANCEL);
        stop = stop || runner->held;
        pthread_mutex_unlock(&runner->mutex);
        if (status != ISO_E_LIMIT)
            return status == ISO_OK ? ISO_OK
                                    : iso_fail(reterr, status, error.field, "%s", error.text);
        if (stop)
            return iso_fail(reterr, ISO_E_CANCELLED, "", "stopped before a solver was free");
        nanosleep(&(struct timespec){.tv_nsec = (long)(RETRY_S * 1e9)}, NULL);
    }
}

static enum iso_status prepare(struct iso_plan_run *run, struct iso_job_request *request,
                               struct iso_error *reterr)
{
    struct iso_store *store = run->runner->config.store;
    const struct iso_principal *principal = &run->record.principal;
    const struct iso_plan_hooks *hooks = &run->runner->config.hooks;
    const Isocost__V1__Model *model;
    struct iso_plan_record record;
    Isocost__V1__Plan *stored;
    bool attended = false;

    ISO_TRY(iso_store_get_plan(store, principal, run->record.object_id, /* with_lines= */ false,
                               run->arena, &record, reterr));
    ISO_TRY(iso_plan_from_record(&record, run->arena, &stored, reterr));
    run->stored = stored;
    if (run->record.attempt > ISO_JOB_MOST_ATTEMPTS)
        return iso_fail(reterr, ISO_E_INTERNAL, "",
                        "it was begun %d times and never came to an end; the processes that ran it "
                        "were killed or lost their leases",
                        ISO_JOB_MOST_ATTEMPTS);
    ISO_TRY(iso_model_load(store, principal, run->record.model_digest, &run->violations, &model,
                           reterr));
    ISO_TRY(iso_snapshot_open(store, principal, model, record.snapshot_digest, run->arena,
                              &request->snapshot_fd, &run->snapshot_digest, reterr));
    if (hooks->wishes)
        hooks->wishes(hooks->context, principal, run->record.object_id, &attended,
                      &request->incumbents, &request->deadline_s);
    request->model = model;
    request->model_arena = run->arena;
    request->model_digest = run->record.model_digest;
    request->batch = !attended;
    return ISO_OK;
}

/* Tells watchers that the plan runs now. */
static void announce(struct iso_plan_run *run)
{
    Isocost__V1__WatchPlanResponse event = ISOCOST__V1__WATCH_PLAN_RESPONSE__INIT;
    struct iso_plan_record record;
    Isocost__V1__Plan *plan = NULL;
    struct iso_bytes packed;

    if (iso_store_get_plan(run->runner->config.store, &run->record.principal, run->record.object_id,
                           /* with_lines= */ false, run->arena, &record, NULL) != ISO_OK ||
        iso_plan_from_record(&record, run->arena, &plan, NULL) != ISO_OK)
        return;
    event.event_case = ISOCOST__V1__WATCH_PLAN_RESPONSE__EVENT_STATE_CHANGED;
    event.state_changed = plan;
    packed = iso_message_pack(&event.base, run->arena);
    if (packed.bytes)
        add_event(run, packed);
}

static void start_run(struct iso_plan_run *run)
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
    if (prepare(run, &request, &error) != ISO_OK || submit(run, &request, &error) != ISO_OK) {
        run->error = error;
        end_part(run);
    }
    if (request.snapshot_fd >= 0)
        close(request.snapshot_fd);
    end_part(run);
}

void iso_plan_run_stop(struct iso_plan_run *run, bool lost)
{
    run->cancelled = true;
    run->lost = run->lost || lost;
    if (run->job)
        iso_job_stop(run->job, ISO_STOP_CANCEL);
}

bool iso_plan_run_claim(struct iso_plan_runner *runner)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    struct iso_plan_run *run = iso_calloc(1, sizeof(*run));
    struct iso_error error = {0};
    bool found = false;

    pthread_mutex_lock(&runner->claims);
    if (!arena || !run ||
        iso_store_claim_job(runner->config.store, arena, &found, &run->record, &error) != ISO_OK)
        iso_plan_runner_log(runner, 3, "no queued plan could be claimed: %s",
                            error.status == ISO_OK ? "out of memory" : error.text);
    if (!found) {
        pthread_mutex_unlock(&runner->claims);
        free(run);
        return false;
    }
    run->runner = runner;
    run->cancelled = run->record.cancelled;
    snprintf(run->call_id, sizeof(run->call_id), "attempt-%d", run->record.attempt);
    run->arena = ISO_STEAL(arena);
    run->violations.arena = run->arena;
    run->n_parts = 2;
    pthread_mutex_lock(&runner->mutex);
    run->next = runner->runs;
    runner->runs = run;
    runner->n_runs++;
    pthread_mutex_unlock(&runner->mutex);
    pthread_mutex_unlock(&runner->claims);
    start_run(run);
    return true;
}

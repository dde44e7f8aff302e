/* One run: from the claim to what the supervisor says. */
#include "plan_run.h"

#include <stdio.h>
#include <unistd.h>

#define PROGRESS_EVERY_NS 1000000000
#define INCUMBENT_MOST_BYTES ((size_t)2 << 20) /* of an event in the store */

/* --- the supervisor's callbacks --- */

static void on_accepted(void *context, int queue_position)
{
    struct iso_plan_run *run = context;
    const struct iso_queue_hooks *hooks = &run->base.runner->config.hooks;

    if (hooks->accepted)
        hooks->accepted(hooks->context, &run->base.record.principal, run->base.record.object_id,
                        queue_position);
}

/* Adds an event of this attempt; a plan that another process has meanwhile is left alone. */
static void add_event(struct iso_plan_run *run, struct iso_bytes event)
{
    struct iso_queue_runner *runner = run->base.runner;
    struct iso_error error = {0};
    int64_t sequence;

    if (iso_store_append_event(runner->config.store, &run->base.record.principal,
                               run->base.record.object_id, run->base.record.attempt, event,
                               &sequence, &error) == ISO_OK)
        iso_queue_runner_changed(runner, &run->base.record.principal, run->base.record.object_id);
    else
        iso_queue_runner_log(runner, 2, "an event of plan %s was not stored: %s",
                             run->base.record.object_id, error.text);
}

static void store_progress(struct iso_task *task)
{
    struct iso_plan_run *run =
        (struct iso_plan_run *)(void *)((char *)task -
                                        offsetof(struct iso_plan_run, progress_task));
    struct iso_queue_runner *runner = run->base.runner;
    struct iso_bytes event;

    pthread_mutex_lock(&runner->mutex);
    event = (struct iso_bytes){.bytes = run->progress, .n_bytes = run->n_progress};
    run->progress = NULL;
    run->progress_queued = false;
    pthread_mutex_unlock(&runner->mutex);
    add_event(run, event);
    free((void *)(uintptr_t)event.bytes);
    iso_run_end_part(&run->base);
}

/* Events in the store are at most one a second, and have incumbents when somebody waits for them at
 * another process. */
static void on_progress(void *context, const Isocost__V1__SolveProgress *progress)
{
    struct iso_plan_run *run = context;
    const struct iso_queue_hooks *hooks = &run->base.runner->config.hooks;
    Isocost__V1__WatchPlanResponse event = ISOCOST__V1__WATCH_PLAN_RESPONSE__INIT;
    Isocost__V1__SolveProgress shown = *progress;
    int64_t now_ns = iso_wall_ns();
    unsigned char *packed;
    size_t n_packed;
    bool queue;

    if (hooks->progress)
        hooks->progress(hooks->context, &run->base.record.principal, run->base.record.object_id,
                        progress);
    if (!run->keeps_incumbents)
        shown.incumbent = NULL;
    event.event_case = ISOCOST__V1__WATCH_PLAN_RESPONSE__EVENT_PROGRESS;
    event.progress = &shown;
    n_packed = isocost__v1__watch_plan_response__get_packed_size(&event);
    if (shown.incumbent && n_packed > INCUMBENT_MOST_BYTES) {
        shown.incumbent = NULL;
        n_packed = isocost__v1__watch_plan_response__get_packed_size(&event);
    }
    packed = iso_calloc(n_packed + 1, 1);
    if (!packed)
        return;
    isocost__v1__watch_plan_response__pack(&event, packed);
    pthread_mutex_lock(&run->base.runner->mutex);
    if (run->progress && run->progress_has_incumbent && !shown.incumbent) {
        free(packed); /* what waits for its turn says more */
    } else {
        free(run->progress);
        run->progress = packed;
        run->n_progress = n_packed;
        run->progress_has_incumbent = shown.incumbent != NULL;
    }
    queue = !run->progress_queued && now_ns >= run->progress_ns + PROGRESS_EVERY_NS;
    if (queue) {
        run->progress_queued = true;
        run->progress_ns = now_ns;
        run->base.n_parts++;
    }
    pthread_mutex_unlock(&run->base.runner->mutex);
    if (queue) {
        run->progress_task.run = store_progress;
        iso_worker_pool_submit(run->base.runner->tasks, &run->progress_task, /* bounded= */ false);
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
    run->plan = iso_message_pack(&plan.base, run->base.arena);
    run->lines.bytes = iso_arena_calloc(run->base.arena, result->n_line_bytes + 1, 1);
    run->lines.n_bytes = result->n_line_bytes;
    if (run->lines.bytes && result->n_line_bytes > 0)
        memcpy((unsigned char *)run->lines.bytes, result->lines, result->n_line_bytes);
    if (iso_arena_full(run->base.arena))
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
    iso_run_end_part(&run->base);
}

/* --- the dispatcher --- */

/* Reads what is stored of the plan, again while the store is away. Where claims still come through
 * and reads do not, each attempt would end here at once, and its twenty would be gone in
 * milliseconds: the plan would fail without ever having been begun. */
static enum iso_status read_stored(struct iso_plan_run *run, struct iso_plan_record *ret_record,
                                   struct iso_error *reterr)
{
    const struct iso_job_record *job = &run->base.record;
    Isocost__V1__Plan *stored;
    struct iso_error error;
    enum iso_status status;
    double waited_s = 0;

    do {
        error = (struct iso_error){0};
        status = iso_store_get_plan(run->base.runner->config.store, &job->principal, job->object_id,
                                    /* with_lines= */ false, run->base.arena, ret_record, &error);
    } while (iso_run_tries_again(&run->base, status, &waited_s));
    if (status != ISO_OK)
        return iso_fail(reterr, status, error.field, "%s", error.text);
    ISO_TRY(iso_plan_from_record(ret_record, run->base.arena, &stored, reterr));
    run->stored = stored;
    return ISO_OK;
}

static enum iso_status prepare(struct iso_plan_run *run, struct iso_job_request *request,
                               struct iso_error *reterr)
{
    struct iso_store *store = run->base.runner->config.store;
    const struct iso_principal *principal = &run->base.record.principal;
    const struct iso_queue_hooks *hooks = &run->base.runner->config.hooks;
    const Isocost__V1__Model *model;
    struct iso_plan_record record;
    bool attended = false;

    ISO_TRY(read_stored(run, &record, reterr));
    if (run->base.record.attempt > ISO_JOB_MOST_ATTEMPTS)
        return iso_fail(reterr, ISO_E_INTERNAL, "",
                        "it was begun %d times and never came to an end; the processes that ran it "
                        "were killed or lost their leases",
                        ISO_JOB_MOST_ATTEMPTS);
    ISO_TRY(iso_model_load(store, principal, run->base.record.model_digest, &run->violations,
                           &model, reterr));
    ISO_TRY(iso_snapshot_open(store, principal, model, record.snapshot_digest, run->base.arena,
                              &request->snapshot_fd, &run->snapshot_digest, reterr));
    if (hooks->wishes)
        hooks->wishes(hooks->context, principal, run->base.record.object_id, &attended,
                      &request->incumbents, &request->deadline_s);
    request->model = model;
    request->model_arena = run->base.arena;
    request->model_digest = run->base.record.model_digest;
    request->batch = !attended;
    run->keeps_incumbents = run->base.record.incumbents && !attended;
    request->incumbents = request->incumbents || run->keeps_incumbents;
    return ISO_OK;
}

/* Tells watchers that the plan runs now. */
static void announce(struct iso_plan_run *run)
{
    Isocost__V1__WatchPlanResponse event = ISOCOST__V1__WATCH_PLAN_RESPONSE__INIT;
    struct iso_plan_record record;
    Isocost__V1__Plan *plan = NULL;
    struct iso_bytes packed;

    if (iso_store_get_plan(run->base.runner->config.store, &run->base.record.principal,
                           run->base.record.object_id,
                           /* with_lines= */ false, run->base.arena, &record, NULL) != ISO_OK ||
        iso_plan_from_record(&record, run->base.arena, &plan, NULL) != ISO_OK)
        return;
    event.event_case = ISOCOST__V1__WATCH_PLAN_RESPONSE__EVENT_STATE_CHANGED;
    event.state_changed = plan;
    packed = iso_message_pack(&event.base, run->base.arena);
    if (packed.bytes)
        add_event(run, packed);
}

struct iso_run *iso_plan_run_new(void)
{
    struct iso_plan_run *run = iso_calloc(1, sizeof(*run));

    if (!run)
        return NULL;
    run->base.task.run = iso_plan_run_end;
    run->base.n_parts = 2;
    return &run->base;
}

void iso_plan_run_start(struct iso_run *base)
{
    struct iso_plan_run *run = (struct iso_plan_run *)base;
    struct iso_job_request request = {.mode = ISO_JOB_SOLVE,
                                      .snapshot_fd = -1,
                                      .all_lines = true,
                                      .owner = &base->record.principal,
                                      .context = run,
                                      .accepted = on_accepted,
                                      .progress = on_progress,
                                      .done = on_done};
    struct iso_error error = {0};

    snprintf(run->call_id, sizeof(run->call_id), "attempt-%d", run->base.record.attempt);
    run->violations.arena = run->base.arena;
    announce(run);
    if (prepare(run, &request, &error) != ISO_OK ||
        iso_run_submit(&run->base, &request, &error) != ISO_OK) {
        run->error = error;
        iso_run_end_part(&run->base);
    }
    if (request.snapshot_fd >= 0)
        close(request.snapshot_fd);
    iso_run_end_part(&run->base);
}

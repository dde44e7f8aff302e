/* One run of scenarios: from the claim through its solves to its end. */
#include "scenario_run.h"

#include <stdio.h>
#include <unistd.h>

#include "evaluation_end.h"
#include "failure.h"
#include "isocost/proto/digest.h"

#define SOLVES_OF_ONE 3 /* that a scenario has when solver processes die */
#define MODEL_BYTES ((size_t)1 << 30)

/* Does what needs the store, again while that is away. */
static enum iso_status try_until_done(struct iso_scenario_run *run,
                                      enum iso_status (*what)(struct iso_scenario_run *run,
                                                              struct iso_error *reterr),
                                      struct iso_error *reterr)
{
    struct iso_error error;
    enum iso_status status;
    double waited_s = 0;

    do {
        error = (struct iso_error){0};
        status = what(run, &error);
    } while (iso_run_tries_again(&run->base, status, &waited_s));
    return status == ISO_OK ? ISO_OK : iso_fail(reterr, status, error.field, "%s", error.text);
}

static bool is_of_the_store(enum iso_status status)
{
    return status == ISO_E_UNAVAILABLE || status == ISO_E_IO || status == ISO_E_NOMEM;
}

/* --- one scenario --- */

static void forget_scenario(struct iso_scenario_run *run)
{
    struct iso_queue_runner *runner = run->base.runner;

    pthread_mutex_lock(&runner->mutex);
    struct iso_job *job = ISO_STEAL(run->base.job);
    pthread_mutex_unlock(&runner->mutex);
    iso_job_release(job);
    free((void *)(uintptr_t)run->event.bytes);
    run->event = (struct iso_bytes){0};
    if (run->again)
        return;
    iso_arena_free(run->arena);
    run->arena = NULL;
    run->violations = (struct iso_violations){0};
    run->n_attempts = 0;
    run->cpu_us = 0;
}

static enum iso_status make_model(struct iso_scenario_run *run, struct iso_error *reterr)
{
    iso_arena_free(run->arena); /* of a try before */
    const Isocost__Internal__V1__ScenarioRun *work = run->work;
    const Isocost__Internal__V1__ScenarioTask *task = run->task;
    char path[64];

    run->digest[0] = '\0';
    run->arena = iso_arena_new(MODEL_BYTES);
    if (!run->arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the model of a scenario");
    run->violations = (struct iso_violations){.arena = run->arena};
    Isocost__V1__Change **all = iso_arena_calloc(
        run->arena, work->n_base_changes + task->n_changes + 1, sizeof(Isocost__V1__Change *));
    if (!all)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the model of a scenario");
    for (size_t i = 0; i < work->n_base_changes; i++)
        all[i] = work->base_changes[i];
    for (size_t i = 0; i < task->n_changes; i++)
        all[work->n_base_changes + i] = task->changes[i];
    snprintf(path, sizeof(path), "scenarios[%d].changes", task->place);
    const struct iso_changes changes = {.n = work->n_base_changes + task->n_changes,
                                        .items = all,
                                        .n_before = work->n_base_changes,
                                        .path = path};
    ISO_TRY(iso_stored_model_change(run->base.runner->config.store, &run->base.record.principal,
                                    run->model, work->snapshot_digest, &changes, &run->violations,
                                    &run->changed, reterr));
    return iso_message_digest(&run->changed->base, NULL, run->digest, reterr);
}

/* The answer is packed here, since the plan lives only until this returns. One that was cut short
 * is none: somebody goes on with it. */
static void on_done(void *context, const struct iso_job_result *result)
{
    struct iso_scenario_run *run = context;
    ISO_AUTO(iso_arena) arena = iso_arena_new((size_t)64 << 20);
    static const struct iso_violations none;
    const Isocost__V1__Plan *plan = result->status == ISO_OK ? result->plan : NULL;
    const Google__Rpc__Status *error = NULL;
    bool cut = plan ? plan->termination && plan->termination->stopped_by ==
                                               ISOCOST__V1__STOPPED_BY__STOPPED_BY_CANCEL
                    : result->status == ISO_E_CANCELLED;

    run->again = result->status == ISO_E_UNAVAILABLE && run->n_attempts < SOLVES_OF_ONE;
    if (!plan && arena)
        error = iso_failure_to_status(&result->error,
                                      result->violations ? result->violations : &none, arena);
    if (plan && plan->stats)
        run->cpu_us += (int64_t)(plan->stats->cpu_seconds * 1e6);
    if (!run->again && !cut)
        run->event = iso_scenario_event(run, plan, error);
    iso_run_end_part(&run->base);
}

/* A number that no other run has here, and that runs of one evaluation one after the other share.
 */
static uint64_t affinity_of(const struct iso_scenario_run *run)
{
    uint64_t hash = 14695981039346656037u;

    for (const char *c = run->base.record.object_id; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    return (hash << 16) + (uint64_t)run->base.slot;
}

static enum iso_status submit(struct iso_scenario_run *run, struct iso_error *reterr)
{
    struct iso_queue_runner *runner = run->base.runner;
    const struct iso_job_request request = {.mode = ISO_JOB_SOLVE,
                                            .model = run->changed,
                                            .model_arena = run->arena,
                                            .model_digest = run->digest,
                                            .snapshot_fd = run->snapshot_fd,
                                            .affinity = affinity_of(run),
                                            .owner = &run->base.record.principal,
                                            .context = run,
                                            .done = on_done};

    run->again = false;
    run->n_attempts++;
    pthread_mutex_lock(&runner->mutex);
    run->base.n_parts = 2;
    pthread_mutex_unlock(&runner->mutex);
    return iso_run_submit(&run->base, &request, reterr);
}

/* Answers what needs no solver; *ret_submitted: `done` goes on with the run. */
static enum iso_status solve(struct iso_scenario_run *run, bool *ret_submitted,
                             struct iso_error *reterr)
{
    struct iso_error error = {0};
    bool given = false;

    if (!run->again) {
        enum iso_status status = try_until_done(run, make_model, &error);
        if (is_of_the_store(status))
            return iso_fail(reterr, status, error.field, "%s", error.text);
        if (status != ISO_OK)
            return iso_scenario_give_error(run, &error, reterr);
        ISO_TRY(iso_scenario_give_same(run, &given, reterr));
    }
    if (given)
        return ISO_OK;
    if (submit(run, &error) == ISO_OK) {
        *ret_submitted = true;
        return ISO_OK;
    }
    if (!iso_run_goes_on(&run->base))
        return iso_fail(reterr, ISO_E_CANCELLED, "", "the run was stopped");
    return iso_scenario_give_error(run, &error, reterr);
}

/* The next without a result; false: there is none. */
static bool next_scenario(struct iso_scenario_run *run)
{
    const Isocost__Internal__V1__ScenarioRun *work = run->work;

    while (run->next < work->n_scenarios && run->answered[run->next])
        run->next++;
    if (run->next == work->n_scenarios)
        return false;
    run->task = work->scenarios[run->next];
    return true;
}

/* --- the end --- */

/* Nothing of the run can be solved: every scenario that is left says why. */
static enum iso_status give_up(struct iso_scenario_run *run, const struct iso_error *why,
                               struct iso_error *reterr)
{
    for (; next_scenario(run); run->answered[run->next] = true)
        ISO_TRY(iso_scenario_give_error(run, why, reterr));
    return ISO_OK;
}

static enum iso_status begin(struct iso_scenario_run *run, struct iso_error *reterr)
{
    struct iso_error why = {0};

    run->begun = true;
    ISO_TRY(try_until_done(run, iso_scenario_run_load, reterr));
    enum iso_status status = try_until_done(run, iso_scenario_run_prepare, &why);
    if (is_of_the_store(status))
        return iso_fail(reterr, status, why.field, "%s", why.text);
    return status == ISO_OK ? ISO_OK : give_up(run, &why, reterr);
}

/* All scenarios of the run have their results: ends the evaluation, if they were the last ones, and
 * then the job, so that whoever claims the job after a crash in between ends the evaluation. */
static enum iso_status settle(struct iso_scenario_run *run, struct iso_error *reterr)
{
    const struct iso_job_record *job = &run->base.record;
    struct iso_store *store = run->base.runner->config.store;
    enum iso_job_state state =
        job->attempt > ISO_JOB_MOST_ATTEMPTS ? ISO_JOB_STATE_DEAD : ISO_JOB_STATE_DONE;

    ISO_TRY(iso_stored_evaluation_end(store, &job->principal, job->object_id,
                                      (enum iso_curve_height)run->work->height, reterr));
    return iso_store_end_run(store, job, state, reterr);
}

/* What becomes of a run that ends before its last scenario, or whose end could not be written. */
static void leave(struct iso_scenario_run *run)
{
    const struct iso_job_record *job = &run->base.record;
    struct iso_queue_runner *runner = run->base.runner;

    pthread_mutex_lock(&runner->mutex);
    bool lost = run->base.lost, cancelled = run->base.cancelled, held = runner->held;
    pthread_mutex_unlock(&runner->mutex);
    if (run->error.status == ISO_E_CONFLICT || run->error.status == ISO_E_NOT_FOUND ||
        (cancelled && !lost)) {
        /* the evaluation has ended or is gone, or the job is another's and this does nothing */
        iso_store_end_run(runner->config.store, job, ISO_JOB_STATE_CANCELLED, NULL);
    } else if (lost) {
        iso_queue_runner_log(runner, 2, "run %lld of evaluation %s: the lease was lost",
                             (long long)job->part, job->object_id);
    } else if (run->error.status != ISO_OK) {
        iso_queue_runner_log(runner, 3, "run %lld of evaluation %s stopped: %s",
                             (long long)job->part, job->object_id, run->error.text);
    } else if (held) {
        iso_run_release(&run->base, "a run of evaluation");
    }
}

static void end_run(struct iso_scenario_run *run)
{
    run->again = false;
    forget_scenario(run);
    iso_run_unlink(&run->base);
    iso_arena_free(run->model_arena);
    if (run->snapshot_fd >= 0)
        close(run->snapshot_fd);
    iso_run_free(&run->base);
}

/* --- steps --- */

/* Gives the answer of the solve that is over, if there is one. */
static enum iso_status take_answer(struct iso_scenario_run *run, struct iso_error *reterr)
{
    enum iso_status status = ISO_OK;

    if (run->event.bytes)
        status = iso_scenario_give(run, reterr);
    if (run->event.bytes && status == ISO_OK)
        run->answered[run->next] = true;
    forget_scenario(run);
    return status;
}

/* Until the next solve or the end; *ret_submitted: a solve goes on with the run. */
static enum iso_status go_on(struct iso_scenario_run *run, bool *ret_submitted,
                             struct iso_error *reterr)
{
    *ret_submitted = false;
    if (!run->begun) {
        ISO_TRY(begin(run, reterr));
    } else {
        ISO_TRY(take_answer(run, reterr));
    }
    while (iso_run_goes_on(&run->base)) {
        if (!run->again && !next_scenario(run))
            return try_until_done(run, settle, reterr);
        ISO_TRY(solve(run, ret_submitted, reterr));
        if (*ret_submitted)
            return ISO_OK;
        run->answered[run->next] = true;
        forget_scenario(run);
    }
    return iso_fail(reterr, ISO_E_CANCELLED, "", "the run was stopped");
}

static void step(struct iso_task *task)
{
    struct iso_scenario_run *run =
        (struct iso_scenario_run *)(void *)((char *)task -
                                            offsetof(struct iso_scenario_run, base.task));
    bool submitted;

    enum iso_status status = go_on(run, &submitted, &run->error);
    if (submitted) {
        iso_run_end_part(&run->base);
        return;
    }
    if (status == ISO_E_CANCELLED)
        run->error = (struct iso_error){0};
    if (status != ISO_OK)
        leave(run);
    end_run(run);
}

struct iso_run *iso_scenario_run_new(void)
{
    struct iso_scenario_run *run = iso_calloc(1, sizeof(*run));

    if (!run)
        return NULL;
    run->base.task.run = step;
    run->base.n_parts = 1;
    run->snapshot_fd = -1;
    return &run->base;
}

void iso_scenario_run_start(struct iso_run *run)
{
    iso_run_end_part(run);
}

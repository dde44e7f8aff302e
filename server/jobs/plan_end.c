/* The end of a run: what becomes of the plan and its job. */
#include <time.h>

#include "message_new.h"
#include "plan_run.h"

static void unlink_run(struct iso_plan_run *run)
{
    struct iso_plan_runner *runner = run->runner;

    pthread_mutex_lock(&runner->mutex);
    for (struct iso_plan_run **at = &runner->runs; *at; at = &(*at)->next) {
        if (*at == run) {
            *at = run->next;
            break;
        }
    }
    pthread_mutex_unlock(&runner->mutex);
}

static void free_run(struct iso_plan_run *run)
{
    struct iso_plan_runner *runner = run->runner;

    iso_job_release(run->job);
    free(run->progress);
    iso_arena_free(run->arena);
    free(run);
    pthread_mutex_lock(&runner->mutex);
    runner->n_runs--;
    runner->poked = true;
    pthread_cond_broadcast(&runner->changed);
    pthread_mutex_unlock(&runner->mutex);
}

static Google__Rpc__Status *error_message(struct iso_plan_run *run)
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
static void pack_failure(struct iso_plan_run *run)
{
    Isocost__V1__Plan plan = ISOCOST__V1__PLAN__INIT;

    if (run->stored)
        plan = *run->stored;
    if (run->error.status != ISO_E_CANCELLED)
        plan.error = error_message(run);
    run->plan = iso_message_pack(&plan.base, run->arena);
}

static int end_state(const struct iso_plan_run *run)
{
    if (run->error.status == ISO_OK)
        return ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE;
    return run->error.status == ISO_E_CANCELLED ? ISOCOST__V1__PLAN_STATE__PLAN_STATE_CANCELLED
                                                : ISOCOST__V1__PLAN_STATE__PLAN_STATE_FAILED;
}

static bool may_pass(enum iso_status status)
{
    return status == ISO_E_UNAVAILABLE || status == ISO_E_IO;
}

/* Whether a write that failed is tried again: the lease is kept meanwhile, and a result costs more
 * than a wait. When the process stops, or the job is another's, somebody else will find it. */
static bool wait_to_try_again(struct iso_plan_run *run, double *waited_s)
{
    const double every_s = 0.25, most_s = 4 * run->runner->config.lease_s;
    bool lost, held;

    nanosleep(&(struct timespec){.tv_nsec = (long)(every_s * 1e9)}, NULL);
    *waited_s += every_s;
    pthread_mutex_lock(&run->runner->mutex);
    lost = run->lost;
    held = run->runner->held;
    pthread_mutex_unlock(&run->runner->mutex);
    return !lost && *waited_s < (held ? 5 : most_s);
}

/* Writes the end. A commit whose answer was lost may be tried twice: the second time the plan has
 * ended already, and that is as good. */
static void store_end(struct iso_plan_run *run, bool dead)
{
    struct iso_plan_runner *runner = run->runner;
    struct iso_audit audit = {.action = "plan.end", .request_id = run->call_id};
    struct iso_plan_record record = {.id = run->record.object_id,
                                     .end_ns = iso_wall_ns(),
                                     .request_id = "",
                                     .body_digest = "",
                                     .model_digest = "",
                                     .snapshot_digest =
                                         run->snapshot_digest ? run->snapshot_digest : "",
                                     .labels = "",
                                     .dead = dead};
    struct iso_error error;
    enum iso_status status;
    double waited_s = 0;

    if (run->error.status != ISO_OK)
        pack_failure(run);
    record.state = end_state(run);
    record.plan = run->plan;
    record.lines = run->lines;
    do {
        error = (struct iso_error){0};
        status = iso_store_update_plan(runner->config.store, &run->record.principal, &record,
                                       run->record.attempt, &audit, &error);
    } while (may_pass(status) && wait_to_try_again(run, &waited_s));
    if (status != ISO_OK && (status != ISO_E_CONFLICT || waited_s == 0))
        iso_plan_runner_log(runner, status == ISO_E_CONFLICT ? 1 : 3,
                            "plan %s could not be stored: %s", record.id, error.text);
}

/* The solver died: true when the plan goes on later, false when it ends with this. */
static bool try_later(struct iso_plan_run *run, bool *ret_dead)
{
    struct iso_plan_runner *runner = run->runner;
    struct iso_error error;
    enum iso_status status;
    double waited_s = 0;

    *ret_dead = false;
    do {
        error = (struct iso_error){0};
        status = iso_store_fail_attempt(runner->config.store, &run->record, run->solver_died,
                                        run->error.text, ret_dead, &error);
    } while (may_pass(status) && wait_to_try_again(run, &waited_s));
    if (status == ISO_OK && *ret_dead)
        return false;
    iso_plan_runner_log(runner, 2, "plan %s, attempt %d: %s%s%s", run->record.object_id,
                        run->record.attempt, run->error.text,
                        status == ISO_OK ? "" : "; it could not be queued again: ",
                        status == ISO_OK ? "" : error.text);
    return true;
}

static void release(struct iso_plan_run *run)
{
    struct iso_error error = {0};

    iso_plan_runner_log(run->runner, 1, "plan %s was cut short; whoever comes next goes on with it",
                        run->record.object_id);
    if (iso_store_release_job(run->runner->config.store, &run->record, &error) != ISO_OK)
        iso_plan_runner_log(run->runner, 2, "plan %s waits for the end of its lease: %s",
                            run->record.object_id, error.text);
}

/* What becomes of the plan; false when it goes on later, and those who wait for it still wait. */
static bool settle(struct iso_plan_run *run)
{
    bool held, lost, cancelled, dead = run->record.attempt > ISO_JOB_MOST_ATTEMPTS;

    pthread_mutex_lock(&run->runner->mutex);
    held = run->runner->held;
    lost = run->lost;
    cancelled = run->cancelled;
    pthread_mutex_unlock(&run->runner->mutex);
    if (lost) {
        iso_plan_runner_log(run->runner, 2, "plan %s, attempt %d: the lease was lost",
                            run->record.object_id, run->record.attempt);
        return false;
    }
    if (held && !cancelled &&
        (run->cut_short || run->error.status == ISO_E_UNAVAILABLE ||
         run->error.status == ISO_E_CANCELLED)) {
        release(run);
        return true;
    }
    if (run->error.status == ISO_E_UNAVAILABLE && !cancelled && try_later(run, &dead))
        return false;
    store_end(run, dead);
    return true;
}

void iso_plan_run_end(struct iso_task *task)
{
    struct iso_plan_run *run =
        (struct iso_plan_run *)(void *)((char *)task - offsetof(struct iso_plan_run, end_task));
    struct iso_plan_runner *runner = run->runner;
    const struct iso_plan_hooks *hooks = &runner->config.hooks;
    bool settled = settle(run);

    if (settled && hooks->ended)
        hooks->ended(hooks->context, &run->record.principal, run->record.object_id, &run->error,
                     &run->violations);
    unlink_run(run);
    iso_plan_runner_changed(runner, &run->record.principal, run->record.object_id);
    free_run(run);
}

/* The end of a run: what becomes of the plan and its job. */
#include "message_new.h"
#include "plan_run.h"

static Google__Rpc__Status *error_message(struct iso_plan_run *run)
{
    Google__Rpc__Status *status =
        iso_message_new(run->base.arena, &google__rpc__status__descriptor);

    if (status) {
        status->code = iso_status_grpc_code(run->error.status);
        status->message =
            run->violations.n > 0
                ? iso_arena_printf(run->base.arena, "%s: %s", run->violations.items[0].field,
                                   run->violations.items[0].text)
                : iso_arena_strdup(run->base.arena, run->error.text);
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
    run->plan = iso_message_pack(&plan.base, run->base.arena);
}

static int end_state(const struct iso_plan_run *run)
{
    if (run->error.status == ISO_OK)
        return ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE;
    return run->error.status == ISO_E_CANCELLED ? ISOCOST__V1__PLAN_STATE__PLAN_STATE_CANCELLED
                                                : ISOCOST__V1__PLAN_STATE__PLAN_STATE_FAILED;
}

/* Writes the end. A commit whose answer was lost may be tried twice: the second time the plan has
 * ended already, and that is as good. */
static void store_end(struct iso_plan_run *run, bool dead)
{
    struct iso_queue_runner *runner = run->base.runner;
    struct iso_audit audit = {.action = "plan.end", .request_id = run->call_id};
    struct iso_plan_record record = {.id = run->base.record.object_id,
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
        status = iso_store_update_plan(runner->config.store, &run->base.record.principal, &record,
                                       run->base.record.attempt, &audit, &error);
    } while (iso_run_tries_again(&run->base, status, &waited_s));
    if (status != ISO_OK && (status != ISO_E_CONFLICT || waited_s == 0))
        iso_queue_runner_log(runner, status == ISO_E_CONFLICT ? 1 : 3,
                             "plan %s could not be stored: %s", record.id, error.text);
}

/* The solver died: true when the plan goes on later, false when it ends with this. */
static bool try_later(struct iso_plan_run *run, bool *ret_dead)
{
    struct iso_queue_runner *runner = run->base.runner;
    struct iso_error error;
    enum iso_status status;
    double waited_s = 0;

    *ret_dead = false;
    do {
        error = (struct iso_error){0};
        status = iso_store_fail_attempt(runner->config.store, &run->base.record, run->solver_died,
                                        run->error.text, ret_dead, &error);
    } while (iso_run_tries_again(&run->base, status, &waited_s));
    if (status == ISO_OK && *ret_dead)
        return false;
    iso_queue_runner_log(runner, 2, "plan %s, attempt %d: %s%s%s", run->base.record.object_id,
                         run->base.record.attempt, run->error.text,
                         status == ISO_OK ? "" : "; it could not be queued again: ",
                         status == ISO_OK ? "" : error.text);
    return true;
}

/* What becomes of the plan; false when it goes on later, and those who wait for it still wait. */
static bool settle(struct iso_plan_run *run)
{
    bool held, lost, cancelled, dead = run->base.record.attempt > ISO_JOB_MOST_ATTEMPTS;

    pthread_mutex_lock(&run->base.runner->mutex);
    held = run->base.runner->held;
    lost = run->base.lost;
    cancelled = run->base.cancelled;
    pthread_mutex_unlock(&run->base.runner->mutex);
    if (lost) {
        iso_queue_runner_log(run->base.runner, 2, "plan %s, attempt %d: the lease was lost",
                             run->base.record.object_id, run->base.record.attempt);
        return false;
    }
    if (held && !cancelled &&
        (run->cut_short || run->error.status == ISO_E_UNAVAILABLE ||
         run->error.status == ISO_E_CANCELLED)) {
        iso_run_release(&run->base, "plan");
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
        (struct iso_plan_run *)(void *)((char *)task - offsetof(struct iso_plan_run, base.task));
    struct iso_queue_runner *runner = run->base.runner;
    const struct iso_queue_hooks *hooks = &runner->config.hooks;
    bool settled = settle(run);

    if (settled && hooks->ended)
        hooks->ended(hooks->context, &run->base.record.principal, run->base.record.object_id,
                     &run->error, &run->violations);
    iso_run_unlink(&run->base);
    iso_queue_runner_changed(runner, &run->base.record.principal, run->base.record.object_id);
    free(run->progress);
    iso_run_free(&run->base);
}

#include "queue_runner.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "parts.h"
#include "queue_run.h"

#define LOOK_EVERY_S 1.0  /* for queued jobs, should a hint be lost; and for evaluations */
#define LOOK_AT_ALL_S 5.0 /* likewise, for those who watch plans */
#define BEATS_A_LEASE 3.0 /* heartbeats during one lease */
#define BEAT_ARENA_BYTES ((size_t)16 << 20)
#define CANCEL_TRIES 4

void iso_queue_runner_log(struct iso_queue_runner *runner, int level, const char *format, ...)
{
    char text[512];
    va_list arguments;

    if (!runner->config.log)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    runner->config.log(level, text);
}

void iso_queue_runner_changed(struct iso_queue_runner *runner,
                              const struct iso_principal *principal, const char *plan_id)
{
    const struct iso_queue_hooks *hooks = &runner->config.hooks;

    if (hooks->changed)
        hooks->changed(hooks->context, principal, plan_id);
}

void iso_queue_runner_evaluated(struct iso_queue_runner *runner,
                                const struct iso_principal *principal, const char *evaluation_id)
{
    const struct iso_queue_hooks *hooks = &runner->config.hooks;

    if (hooks->evaluated)
        hooks->evaluated(hooks->context, principal, evaluation_id);
}

static bool is_run_of(const struct iso_run *run, const struct iso_principal *principal,
                      const char *object_id)
{
    return strcmp(run->record.object_id, object_id) == 0 &&
           strcmp(run->record.principal.tenant, principal->tenant) == 0 &&
           strcmp(run->record.principal.project, principal->project) == 0;
}

void iso_queue_runner_poke(struct iso_queue_runner *runner)
{
    pthread_mutex_lock(&runner->mutex);
    runner->poked = true;
    pthread_cond_broadcast(&runner->changed);
    pthread_mutex_unlock(&runner->mutex);
}

/* --- the dispatcher: claims jobs while there are fewer runs than may be --- */

static void *dispatch(void *argument)
{
    struct iso_queue_runner *runner = argument;

    pthread_mutex_lock(&runner->mutex);
    while (!runner->held) {
        if (!runner->poked || runner->n_runs >= runner->config.n_runs) {
            pthread_cond_wait(&runner->changed, &runner->mutex);
            continue;
        }
        runner->poked = false;
        pthread_mutex_unlock(&runner->mutex);
        if (iso_run_claim(runner))
            iso_queue_runner_poke(runner);
        pthread_mutex_lock(&runner->mutex);
    }
    pthread_mutex_unlock(&runner->mutex);
    return NULL;
}

/* --- the keeper: leases, and what other processes tell --- */

/* Stops the runs of a plan or evaluation that are here; false when there is none. */
static bool stop_runs(struct iso_queue_runner *runner, const struct iso_principal *principal,
                      const char *object_id)
{
    bool found = false;

    pthread_mutex_lock(&runner->mutex);
    for (struct iso_run *run = runner->runs; run; run = run->next) {
        if (is_run_of(run, principal, object_id)) {
            found = true;
            iso_run_stop(run, /* lost= */ false);
        }
    }
    pthread_mutex_unlock(&runner->mutex);
    return found;
}

bool iso_queue_runner_has(struct iso_queue_runner *runner, const struct iso_principal *principal,
                          const char *plan_id)
{
    bool found = false;

    pthread_mutex_lock(&runner->mutex);
    for (const struct iso_run *run = runner->runs; run && !found; run = run->next)
        found = is_run_of(run, principal, plan_id);
    pthread_mutex_unlock(&runner->mutex);
    return found;
}

static const struct iso_job_record *find_job(const struct iso_job_record *jobs, int n_jobs,
                                             const struct iso_run *run)
{
    for (int i = 0; i < n_jobs; i++)
        if (jobs[i].kind == run->record.kind && jobs[i].part == run->record.part &&
            jobs[i].attempt == run->record.attempt &&
            is_run_of(run, &jobs[i].principal, jobs[i].object_id))
            return &jobs[i];
    return NULL;
}

static bool runs_here(struct iso_queue_runner *runner, const struct iso_job_record *job)
{
    bool found = false;

    pthread_mutex_lock(&runner->mutex);
    for (const struct iso_run *run = runner->runs; run && !found; run = run->next)
        found = find_job(job, 1, run) != NULL;
    pthread_mutex_unlock(&runner->mutex);
    return found;
}

/* Runs whose lease is another's are stopped, and so are those that somebody cancelled; jobs whose
 * run could not write its end are given back. The claims' mutex is held. */
static void compare(struct iso_queue_runner *runner, const struct iso_job_record *jobs, int n_jobs)
{
    pthread_mutex_lock(&runner->mutex);
    for (struct iso_run *run = runner->runs; run; run = run->next) {
        const struct iso_job_record *job = find_job(jobs, n_jobs, run);
        if (!job || job->cancelled)
            iso_run_stop(run, /* lost= */ !job);
    }
    pthread_mutex_unlock(&runner->mutex);
    for (int i = 0; i < n_jobs; i++)
        if (!runs_here(runner, &jobs[i]))
            iso_store_release_job(runner->config.store, &jobs[i], NULL);
}

static void beat(struct iso_queue_runner *runner)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(BEAT_ARENA_BYTES);
    struct iso_job_record *jobs;
    struct iso_error error = {0};
    int n_jobs = 0;

    pthread_mutex_lock(&runner->claims);
    if (!arena)
        iso_queue_runner_log(runner, 3, "no memory to renew leases");
    else if (iso_store_heartbeat(runner->config.store, arena, &jobs, &n_jobs, &error) == ISO_OK)
        compare(runner, jobs, n_jobs);
    else
        iso_queue_runner_log(runner, 2, "leases were not renewed: %s", error.text);
    pthread_mutex_unlock(&runner->claims);
}

static void obey(struct iso_queue_runner *runner, const struct iso_hint *hint)
{
    if (strcmp(hint->kind, "job") == 0)
        iso_queue_runner_poke(runner);
    else if (strcmp(hint->kind, "cancel") == 0)
        stop_runs(runner, &hint->principal, hint->id);
    else if (strcmp(hint->kind, "plan") == 0 &&
             !iso_queue_runner_has(runner, &hint->principal,
                                   hint->id)) /* else it is told already */
        iso_queue_runner_changed(runner, &hint->principal, hint->id);
    else if (strcmp(hint->kind, "evaluation") == 0)
        iso_queue_runner_evaluated(runner, &hint->principal, hint->id);
}

static void *keep(void *argument)
{
    struct iso_queue_runner *runner = argument;
    double beat_every_s = runner->config.lease_s / BEATS_A_LEASE;
    double beaten_s = iso_supervisor_now(), looked_s = beaten_s, told_s = beaten_s;
    int wait_ms = (int)(1000 * fmin(LOOK_EVERY_S, beat_every_s));
    bool quit = false;

    while (!quit) {
        struct iso_hint hint;
        double now;

        if (iso_store_wait(runner->config.store, wait_ms, &hint))
            obey(runner, &hint);
        now = iso_supervisor_now();
        if (now >= beaten_s + beat_every_s) {
            beaten_s = now;
            beat(runner);
        }
        if (now >= told_s + LOOK_EVERY_S) {
            told_s = now;
            iso_queue_runner_poke(runner);
            iso_queue_runner_evaluated(runner, NULL, NULL);
        }
        if (now >= looked_s + LOOK_AT_ALL_S) {
            looked_s = now;
            iso_queue_runner_changed(runner, NULL, NULL);
        }
        pthread_mutex_lock(&runner->mutex);
        quit = runner->quit;
        pthread_mutex_unlock(&runner->mutex);
    }
    return NULL;
}

/* --- cancel --- */

/* Of a plan that does not run here. ISO_E_CONFLICT: it changed meanwhile. */
static enum iso_status cancel_elsewhere(struct iso_queue_runner *runner,
                                        const struct iso_principal *principal, const char *plan_id,
                                        const struct iso_audit *audit, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    const struct iso_job_record job = {
        .principal = *principal, .kind = ISO_JOB_KIND_PLAN, .object_id = plan_id};
    struct iso_plan_record record;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to stop a plan");
    ISO_TRY(iso_store_get_plan(runner->config.store, principal, plan_id, /* with_lines= */ false,
                               arena, &record, reterr));
    if (record.state >= ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE)
        return iso_fail(reterr, ISO_E_PRECONDITION, "id", "plan %.32s has ended already", plan_id);
    if (record.state == ISOCOST__V1__PLAN_STATE__PLAN_STATE_RUNNING)
        return iso_store_cancel_job(runner->config.store, &job, reterr);
    record.state = ISOCOST__V1__PLAN_STATE__PLAN_STATE_CANCELLED;
    record.end_ns = iso_wall_ns();
    return iso_store_update_plan(runner->config.store, principal, &record, /* attempt= */ -1, audit,
                                 reterr);
}

enum iso_status iso_queue_runner_cancel(struct iso_queue_runner *runner,
                                        const struct iso_principal *principal, const char *plan_id,
                                        const char *call_id, struct iso_error *reterr)
{
    const struct iso_audit audit = {.action = "plan.cancel", .request_id = call_id};
    struct iso_error error = {0};
    enum iso_status status = ISO_E_CONFLICT;

    for (int i = 0; i < CANCEL_TRIES && status == ISO_E_CONFLICT; i++) {
        error = (struct iso_error){0};
        pthread_mutex_lock(&runner->claims);
        status = stop_runs(runner, principal, plan_id)
                     ? ISO_OK
                     : cancel_elsewhere(runner, principal, plan_id, &audit, &error);
        pthread_mutex_unlock(&runner->claims);
    }
    return status == ISO_OK ? ISO_OK : iso_fail(reterr, status, error.field, "%s", error.text);
}

/* --- start and stop --- */

static enum iso_status start_threads(struct iso_queue_runner *runner, struct iso_error *reterr)
{
    int n_recovered = 0;

    ISO_TRY(iso_store_recover_jobs(runner->config.store, &n_recovered, reterr));
    if (n_recovered > 0)
        iso_queue_runner_log(runner, 1, "%d jobs that were cut short are queued again",
                             n_recovered);
    /* Each run may wait for the store at its end, and progress must still get through. */
    ISO_TRY(iso_worker_pool_new(runner->config.n_runs + 1, 1, &runner->tasks, reterr));
    if (pthread_create(&runner->keeper, NULL, keep, runner) != 0)
        return iso_fail(reterr, ISO_E_LIMIT, "", "the keeper thread could not be started");
    runner->keeping = true;
    if (pthread_create(&runner->dispatcher, NULL, dispatch, runner) != 0)
        return iso_fail(reterr, ISO_E_LIMIT, "", "the dispatcher thread could not be started");
    runner->dispatching = true;
    return ISO_OK;
}

enum iso_status iso_queue_runner_start(const struct iso_queue_runner_config *config,
                                       struct iso_queue_runner **ret_runner,
                                       struct iso_error *reterr)
{
    struct iso_queue_runner *runner = iso_calloc(1, sizeof(*runner));
    enum iso_status status;

    if (!runner)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to run what is queued");
    runner->config = *config;
    runner->poked = true;
    pthread_mutex_init(&runner->claims, NULL);
    pthread_mutex_init(&runner->mutex, NULL);
    pthread_cond_init(&runner->changed, NULL);
    status = start_threads(runner, reterr);
    if (status != ISO_OK)
        iso_queue_runner_stop(runner);
    else
        *ret_runner = runner;
    return status;
}

void iso_queue_runner_hold(struct iso_queue_runner *runner)
{
    pthread_mutex_lock(&runner->mutex);
    runner->held = true;
    pthread_cond_broadcast(&runner->changed);
    pthread_mutex_unlock(&runner->mutex);
    if (runner->dispatching)
        pthread_join(runner->dispatcher, NULL);
    runner->dispatching = false;
}

void iso_queue_runner_stop(struct iso_queue_runner *runner)
{
    if (!runner)
        return;
    iso_queue_runner_hold(runner);
    pthread_mutex_lock(&runner->mutex);
    while (runner->n_runs > 0)
        pthread_cond_wait(&runner->changed, &runner->mutex);
    runner->quit = true;
    pthread_mutex_unlock(&runner->mutex);
    iso_store_wake(runner->config.store);
    if (runner->keeping)
        pthread_join(runner->keeper, NULL);
    iso_worker_pool_free(runner->tasks);
    iso_arena_free(runner->base.arena);
    pthread_cond_destroy(&runner->changed);
    pthread_mutex_destroy(&runner->mutex);
    pthread_mutex_destroy(&runner->claims);
    free(runner);
}

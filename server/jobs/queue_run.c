/* What runs of every kind do: their claim, their way to the supervisor, and their end. */
#include "queue_run.h"

#include <time.h>

#define RETRY_S 0.2 /* until the supervisor's queue has room again */

void iso_run_end_part(struct iso_run *run)
{
    bool last;

    pthread_mutex_lock(&run->runner->mutex);
    last = --run->n_parts == 0;
    pthread_mutex_unlock(&run->runner->mutex);
    if (last)
        iso_worker_pool_submit(run->runner->tasks, &run->task, /* bounded= */ false);
}

void iso_run_stop(struct iso_run *run, bool lost)
{
    run->cancelled = true;
    run->lost = run->lost || lost;
    if (run->job)
        iso_job_stop(run->job, ISO_STOP_CANCEL);
}

bool iso_run_goes_on(struct iso_run *run)
{
    pthread_mutex_lock(&run->runner->mutex);
    bool goes_on = !run->cancelled && !run->runner->held;
    pthread_mutex_unlock(&run->runner->mutex);
    return goes_on;
}

enum iso_status iso_run_submit(struct iso_run *run, const struct iso_job_request *request,
                               struct iso_error *reterr)
{
    struct iso_queue_runner *runner = run->runner;

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

/* The lease is kept meanwhile, and a result costs more than a wait. When the process stops, or the
 * job is another's, somebody else will find it. */
bool iso_run_tries_again(struct iso_run *run, enum iso_status status, double *waited_s)
{
    const double every_s = 0.25, most_s = 4 * run->runner->config.lease_s;
    bool lost, held;

    if (status != ISO_E_UNAVAILABLE && status != ISO_E_IO)
        return false;
    nanosleep(&(struct timespec){.tv_nsec = (long)(every_s * 1e9)}, NULL);
    *waited_s += every_s;
    pthread_mutex_lock(&run->runner->mutex);
    lost = run->lost;
    held = run->runner->held;
    pthread_mutex_unlock(&run->runner->mutex);
    return !lost && *waited_s < (held ? 5 : most_s);
}

void iso_run_release(struct iso_run *run, const char *what)
{
    struct iso_error error = {0};

    iso_queue_runner_log(run->runner, 1, "%s %s was cut short; whoever comes next goes on with it",
                         what, run->record.object_id);
    if (iso_store_release_job(run->runner->config.store, &run->record, &error) != ISO_OK)
        iso_queue_runner_log(run->runner, 2, "%s %s waits for the end of its lease: %s", what,
                             run->record.object_id, error.text);
}

void iso_run_unlink(struct iso_run *run)
{
    struct iso_queue_runner *runner = run->runner;

    pthread_mutex_lock(&runner->mutex);
    for (struct iso_run **at = &runner->runs; *at; at = &(*at)->next) {
        if (*at == run) {
            *at = run->next;
            break;
        }
    }
    pthread_mutex_unlock(&runner->mutex);
}

void iso_run_free(struct iso_run *run)
{
    struct iso_queue_runner *runner = run->runner;

    iso_job_release(run->job);
    iso_arena_free(run->arena);
    free(run);
    pthread_mutex_lock(&runner->mutex);
    runner->n_runs--;
    runner->poked = true;
    pthread_cond_broadcast(&runner->changed);
    pthread_mutex_unlock(&runner->mutex);
}

/* --- claim --- */

static const struct kind {
    struct iso_run *(*make)(void);
    void (*start)(struct iso_run *run);
} kinds[] = {
    [ISO_JOB_KIND_PLAN] = {iso_plan_run_new, iso_plan_run_start},
    [ISO_JOB_KIND_RUN] = {iso_scenario_run_new, iso_scenario_run_start},
};

static int free_slot(const struct iso_queue_runner *runner)
{
    const struct iso_run *run;
    int slot = 0;

    do {
        slot++;
        for (run = runner->runs; run && run->slot != slot; run = run->next)
            continue;
    } while (run);
    return slot;
}

/* The claims' mutex is held. A job that was claimed and has no run is given back at the next
 * heartbeat. */
static struct iso_run *claim(struct iso_queue_runner *runner, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    struct iso_job_record record;
    bool found = false;

    if (!arena) {
        iso_fail(reterr, ISO_E_NOMEM, "", "out of memory");
        return NULL;
    }
    if (iso_store_claim_job(runner->config.store, arena, &found, &record, reterr) != ISO_OK ||
        !found)
        return NULL;
    bool known = record.kind >= ISO_JOB_KIND_PLAN && record.kind <= ISO_JOB_KIND_RUN;
    struct iso_run *run = known ? kinds[record.kind].make() : NULL;
    if (!run) {
        iso_fail(reterr, known ? ISO_E_NOMEM : ISO_E_INTERNAL, "", "%s",
                 known ? "out of memory" : "a job is of no kind that is known");
        return NULL;
    }
    run->runner = runner;
    run->record = record;
    run->cancelled = record.cancelled;
    run->arena = ISO_STEAL(arena);
    pthread_mutex_lock(&runner->mutex);
    run->slot = free_slot(runner);
    run->next = runner->runs;
    runner->runs = run;
    runner->n_runs++;
    pthread_mutex_unlock(&runner->mutex);
    return run;
}

bool iso_run_claim(struct iso_queue_runner *runner)
{
    struct iso_error error = {0};

    pthread_mutex_lock(&runner->claims);
    struct iso_run *run = claim(runner, &error);
    pthread_mutex_unlock(&runner->claims);
    if (error.status != ISO_OK)
        iso_queue_runner_log(runner, 3, "no queued job could be claimed: %s", error.text);
    if (run)
        kinds[run->record.kind].start(run);
    return run != NULL;
}

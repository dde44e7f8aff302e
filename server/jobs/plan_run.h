/* Stored plans on their way from QUEUED to their end.
 *
 *     (dispatcher claims) -> run -> supervisor -> done -> store task -> ended
 *
 * A run has parts that end on different threads: the dispatcher, which starts it, the supervisor's
 * `done`, and progress on its way to the store. The last one queues the store task, which writes
 * the end and frees the run. */
#ifndef ISOCOST_SERVER_PLAN_RUN_H
#define ISOCOST_SERVER_PLAN_RUN_H

#include <pthread.h>

#include "plan_runner.h"
#include "stored.h"
#include "worker.h"

struct iso_plan_run;

struct iso_plan_runner {
    struct iso_plan_runner_config config;
    struct iso_worker_pool *tasks; /* store work that callbacks must not wait for */
    pthread_t dispatcher, keeper;
    bool dispatching, keeping;

    pthread_mutex_t claims; /* held while a plan goes from QUEUED to a run; before `mutex` */
    pthread_mutex_t mutex;  /* guards what follows */
    pthread_cond_t changed;
    bool poked, held, quit;
    struct iso_plan_run *runs;
    int n_runs;
};

struct iso_plan_run {
    struct iso_plan_run *next;
    struct iso_plan_runner *runner;
    struct iso_job_record record;    /* strings are in the arena */
    char call_id[32];                /* for audit rows */
    struct iso_arena *arena;         /* model, violations, the end; one thread at a time */
    const Isocost__V1__Plan *stored; /* as it was queued: note, labels, name */
    struct iso_violations violations;
    const char *snapshot_digest;
    struct iso_job *job; /* guarded by runner->mutex, as are the next two */
    bool cancelled;      /* asked to stop, perhaps before the job was there */
    bool lost;           /* its lease ended: another process has it */

    int n_parts;            /* guarded by runner->mutex */
    struct iso_error error; /* of the end */
    struct iso_bytes plan, lines;
    bool cut_short;   /* the search was stopped from outside */
    bool solver_died; /* by itself, or at its memory limit */
    struct iso_task end_task;

    /* The newest progress that is not in the store yet; guarded by runner->mutex. */
    unsigned char *progress;
    size_t n_progress;
    bool progress_queued;
    int64_t progress_ns;
    struct iso_task progress_task;
};

/* plan_runner.c */
__attribute__((format(printf, 3, 4))) void iso_plan_runner_log(struct iso_plan_runner *runner,
                                                               int level, const char *format, ...);
void iso_plan_runner_changed(struct iso_plan_runner *runner, const struct iso_principal *principal,
                             const char *plan_id);

/* plan_run.c */

/* Makes a run of the next job; false when none waits. */
bool iso_plan_run_claim(struct iso_plan_runner *runner);
/* Asks the solver to stop; the runner's mutex is held. */
void iso_plan_run_stop(struct iso_plan_run *run, bool lost);

/* plan_end.c */

/* Writes the end of a run and frees it. */
void iso_plan_run_end(struct iso_task *task);

#endif

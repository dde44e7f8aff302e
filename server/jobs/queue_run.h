/* Jobs of the store's queue while this process has them.
 *
 *     (dispatcher claims) -> start -> ... supervisor ... -> end
 *
 * A run has parts that are over on different threads, such as its start and the supervisor's
 * `done`; the last one queues the run's next task. */
#ifndef ISOCOST_SERVER_QUEUE_RUN_H
#define ISOCOST_SERVER_QUEUE_RUN_H

#include <pthread.h>

#include "queue_runner.h"
#include "stored.h"
#include "worker.h"

/* The base model of the newest run of scenarios: the next run is mostly of the same evaluation. */
struct iso_kept_base {
    struct iso_arena *arena; /* holds the model; NULL: none */
    const Isocost__V1__Model *model;
    struct iso_principal principal; /* whose it is: tenant and project */
    char digest[ISO_DIGEST_TEXT_SIZE];
};

struct iso_queue_runner {
    struct iso_queue_runner_config config;
    struct iso_worker_pool *tasks; /* store work that callbacks must not wait for */
    pthread_t dispatcher, keeper;
    bool dispatching, keeping;

    pthread_mutex_t claims; /* held while a job goes from QUEUED to a run; before `mutex` */
    pthread_mutex_t mutex;  /* guards what follows */
    pthread_cond_t changed;
    bool poked, held, quit;
    struct iso_run *runs;
    int n_runs;
    struct iso_kept_base base;
};

/* What runs of every kind have; the first member of theirs. */
struct iso_run {
    struct iso_run *next; /* guarded by runner->mutex */
    struct iso_queue_runner *runner;
    int slot;                     /* unlike that of any other run at this time, from 1 */
    struct iso_job_record record; /* strings are in the arena */
    struct iso_arena *arena;      /* of the run; one thread at a time */
    struct iso_job *job;          /* guarded by runner->mutex, as are the next two */
    bool cancelled;               /* asked to stop, perhaps before the job was there */
    bool lost;                    /* its lease ended: another process has it */
    int n_parts;                  /* guarded by runner->mutex */
    struct iso_task task;         /* runs when the last part is over */
};

/* queue_runner.c */
__attribute__((format(printf, 3, 4))) void iso_queue_runner_log(struct iso_queue_runner *runner,
                                                                int level, const char *format, ...);
void iso_queue_runner_changed(struct iso_queue_runner *runner,
                              const struct iso_principal *principal, const char *plan_id);
void iso_queue_runner_evaluated(struct iso_queue_runner *runner,
                                const struct iso_principal *principal, const char *evaluation_id);

/* queue_run.c */

/* Makes a run of the next job; false when none waits. */
bool iso_run_claim(struct iso_queue_runner *runner);
/* A part is over; the last one queues the task, and the run may be gone when this returns. */
void iso_run_end_part(struct iso_run *run);
/* Asks the solver to stop; the runner's mutex is held. */
void iso_run_stop(struct iso_run *run, bool lost);
/* Gives a job to the supervisor, waiting while its queue is full. Errors: those of
 * iso_supervisor_submit(), ISO_E_CANCELLED. */
enum iso_status iso_run_submit(struct iso_run *run, const struct iso_job_request *request,
                               struct iso_error *reterr);
/* Whether a write that ended with `status` is tried again; waits a while first. `waited_s` is 0
 * before the first. */
bool iso_run_tries_again(struct iso_run *run, enum iso_status status, double *waited_s);
/* Whether the run goes on, under the mutex. */
bool iso_run_goes_on(struct iso_run *run);
/* Gives the job back to the queue, with nothing held against it. */
void iso_run_release(struct iso_run *run, const char *what);
/* Takes the run out of the list. */
void iso_run_unlink(struct iso_run *run);
/* Frees a run that was taken out of the list, with its arena. */
void iso_run_free(struct iso_run *run);

/* plan_run.c, scenario_run.c: an empty run of a kind, NULL when memory is short; and its start, on
 * the dispatcher's thread. */
struct iso_run *iso_plan_run_new(void);
void iso_plan_run_start(struct iso_run *run);
struct iso_run *iso_scenario_run_new(void);
void iso_scenario_run_start(struct iso_run *run);

#endif

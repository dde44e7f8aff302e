/* Runs what waits in the store's queue, plans and the scenarios of evaluations: claims jobs, keeps
 * the leases, has the supervisor solve them and writes what comes of them. isocostd has one,
 * isocost-worker has one; they share a store.
 *
 *     start -> (jobs are claimed) -> hold -> the supervisor is stopped -> stop */
#ifndef ISOCOST_SERVER_QUEUE_RUNNER_H
#define ISOCOST_SERVER_QUEUE_RUNNER_H

#include "isocost/v1/plan_service.pb-c.h"
#include "store.h"
#include "supervisor.h"

struct iso_queue_runner;

/* Who is told what happens to plans and evaluations. Each may be NULL; they come on threads of the
 * runner and the supervisor, must not block on either, and `principal` counts by tenant and
 * project. */
struct iso_queue_hooks {
    void *context;
    /* Before a plan is solved: whether somebody waits for it, wants its incumbents, and the seconds
     * until its creator stops waiting (0: never). */
    void (*wishes)(void *context, const struct iso_principal *principal, const char *plan_id,
                   bool *ret_attended, bool *ret_incumbents, double *ret_deadline_s);
    void (*accepted)(void *context, const struct iso_principal *principal, const char *plan_id,
                     int queue_position);
    void (*progress)(void *context, const struct iso_principal *principal, const char *plan_id,
                     const Isocost__V1__SolveProgress *progress);
    /* It has new events in the store, here or in another process. NULL, NULL: any plan may. */
    void (*changed)(void *context, const struct iso_principal *principal, const char *plan_id);
    /* It ended, or stays in the queue while this process stops. `error` is what it failed with, and
     * `violations` the fields that were wrong. */
    void (*ended)(void *context, const struct iso_principal *principal, const char *plan_id,
                  const struct iso_error *error, const struct iso_violations *violations);
    /* An evaluation has new events in the store, here or in another process. NULL, NULL: any may;
     * that comes at least once a second. */
    void (*evaluated)(void *context, const struct iso_principal *principal,
                      const char *evaluation_id);
};

struct iso_queue_runner_config {
    struct iso_store *store;           /* borrowed until stop */
    struct iso_supervisor *supervisor; /* likewise */
    int n_runs;                        /* jobs that run here at once; 0: others run them */
    double lease_s;                    /* as the store has it */
    struct iso_queue_hooks hooks;
    void (*log)(int level, const char *text); /* any thread; 0 debug .. 3 error; may be NULL */
};

/* Errors: ISO_E_NOMEM, ISO_E_LIMIT (no thread), those of the store. */
ISO_EXPORT enum iso_status iso_queue_runner_start(const struct iso_queue_runner_config *config,
                                                  struct iso_queue_runner **ret_runner,
                                                  struct iso_error *reterr);
/* Makes it look for queued jobs now. */
ISO_EXPORT void iso_queue_runner_poke(struct iso_queue_runner *runner);
/* Whether the plan runs here. */
ISO_EXPORT bool iso_queue_runner_has(struct iso_queue_runner *runner,
                                     const struct iso_principal *principal, const char *plan_id);
/* Stops a plan that waits or runs, here or elsewhere. Errors: ISO_E_NOT_FOUND, ISO_E_PRECONDITION
 * (it has ended). */
ISO_EXPORT enum iso_status iso_queue_runner_cancel(struct iso_queue_runner *runner,
                                                   const struct iso_principal *principal,
                                                   const char *plan_id, const char *call_id,
                                                   struct iso_error *reterr);
/* No further job is begun; those that run go on. */
ISO_EXPORT void iso_queue_runner_hold(struct iso_queue_runner *runner);
/* Ends all threads and frees. Call it when the supervisor was stopped: every run has ended then.
 * What was cut short is in the queue for whoever comes next. Accepts NULL. */
ISO_EXPORT void iso_queue_runner_stop(struct iso_queue_runner *runner);

#endif

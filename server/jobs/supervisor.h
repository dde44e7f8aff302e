/* The supervisor: spawns solver processes, gives them jobs, keeps the newest incumbent, verifies
 * every plan, answers in time and kills what does not obey.
 *
 * One loop thread owns all children; verification and plan building run on worker threads.
 * Callbacks of one job come one at a time, in order, `done` last and exactly once; they may come on
 * any of the supervisor's threads and must not block. */
#ifndef ISOCOST_SERVER_SUPERVISOR_H
#define ISOCOST_SERVER_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "isocost/base/status.h"
#include "isocost/plan.h"
#include "isocost/proto/arena.h"
#include "isocost/proto/violations.h"
#include "isocost/v1/model.pb-c.h"
#include "isocost/v1/plan.pb-c.h"
#include "isocost/v1/plan_service.pb-c.h"
#include "principal.h"

struct iso_supervisor;
struct iso_job;

struct iso_supervisor_config {
    const char *solver_path; /* absolute path of isocost-solver */
    int n_solvers;           /* processes that solve at the same time, >= 1 */
    bool batch_only;         /* batch jobs may have all of them */
    int n_processes;         /* of one solver, for parts of a solve; 0: 1 */
    int queue_bound;         /* jobs that may wait */
    int64_t memory_bytes;    /* address space of one solver */
    int64_t
        past_bytes; /* of it, at most so much for what earlier solves found; 0: nothing is kept */
    int recycle_after;                        /* solves */
    void (*log)(int level, const char *text); /* may be NULL */
};

enum iso_job_mode { ISO_JOB_SOLVE, ISO_JOB_VALIDATE, ISO_JOB_EXPORT_MPS, ISO_JOB_EXPORT_LP };

struct iso_job_result {
    enum iso_status status; /* ISO_OK: plan (SOLVE) or validation (VALIDATE) is set */
    struct iso_error error;
    bool solver_died; /* by itself or at its memory limit, and `error` says so: not killed by us */
    const struct iso_violations *violations; /* may be NULL; borrowed for the call */
    const Isocost__V1__Plan *plan; /* verified, about 1 MiB of lines; borrowed for the call */
    /* The lines of `plan` as they stand in a packed Plan, or NULL: they are not packed yet. */
    const unsigned char *shown_lines;
    size_t n_shown_bytes;
    /* If asked for: all lines, packed as a Plan with nothing else; borrowed for the call. */
    const unsigned char *lines;
    size_t n_line_bytes;
    const Isocost__V1__ValidateModelResponse *validation;
};

struct iso_job_request {
    enum iso_job_mode mode;
    const Isocost__V1__Model *model; /* passed iso_model_check() */
    struct iso_arena *model_arena;   /* has the model and is held by the job; NULL: it is copied */
    const char *model_digest;        /* NULL = not known; copied */
    int snapshot_fd;                 /* -1 = none; duplicated */
    double deadline_s;               /* seconds from now after which nobody listens; <= 0 = none */
    bool batch;                      /* batch lane even if the limit is short */
    bool incumbents;                 /* progress carries verified incumbents as plans */
    bool all_lines;                  /* the result has them, not only what a message holds */
    const char *tier;                /* EXPORT; "" = money */
    uint64_t affinity; /* jobs of one number go to the same solver if they can; 0 = none */
    const struct iso_principal
        *owner; /* whose solves may help each other; NULL = nobody's; copied */
    void *context;
    void (*accepted)(void *context, int queue_position);                         /* may be NULL */
    void (*progress)(void *context, const Isocost__V1__SolveProgress *progress); /* may be NULL */
    void (*export_chunk)(void *context, const unsigned char *bytes, size_t n_bytes);
    void (*done)(void *context, const struct iso_job_result *result);
};

ISO_EXPORT enum iso_status iso_supervisor_start(const struct iso_supervisor_config *config,
                                                struct iso_supervisor **ret_supervisor,
                                                struct iso_error *reterr);

/* Queues a job. The handle is valid until iso_job_release(), which may come before or after `done`.
 * Errors: ISO_E_LIMIT (queue full, or draining as ISO_E_UNAVAILABLE), ISO_E_NOMEM. */
ISO_EXPORT enum iso_status iso_supervisor_submit(struct iso_supervisor *supervisor,
                                                 const struct iso_job_request *request,
                                                 struct iso_job **ret_job,
                                                 struct iso_error *reterr);

/* Asks a job to stop; `done` follows within 100 ms with the newest verified incumbent, if any. */
ISO_EXPORT void iso_job_stop(struct iso_job *job, enum iso_stop why);
ISO_EXPORT void iso_job_release(struct iso_job *job); /* accepts NULL */

struct iso_supervisor_stats {
    int solvers_alive, solvers_busy, queue_depth;
    int64_t solves, kills, respawns, rejected_by_verifier;
};
ISO_EXPORT void iso_supervisor_stats(struct iso_supervisor *supervisor,
                                     struct iso_supervisor_stats *ret_stats);

/* Refuses new jobs, waits `grace_s` for running ones, stops the rest, reaps all children, joins all
 * threads, frees. */
ISO_EXPORT void iso_supervisor_stop(struct iso_supervisor *supervisor, double grace_s);

#endif

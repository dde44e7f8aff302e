/* Stored plans on their way from QUEUED to their end.
 *
 *     enqueue -> (dispatcher claims) -> run -> supervisor -> done -> store task -> ended
 *
 * A run has two parts that end on different threads: the dispatcher, which starts it, and the
 * supervisor's `done`. The last one queues the store task, which writes the end and frees the run.
 */
#ifndef ISOCOST_SERVER_PLAN_RUN_H
#define ISOCOST_SERVER_PLAN_RUN_H

#include "api_internal.h"

struct iso_run {
    struct iso_run *next;
    struct iso_api *api;
    struct iso_principal principal;
    char plan_id[ISO_ULID_SIZE];
    int attempt;
    char call_id[129];               /* for audit rows */
    struct iso_arena *arena;         /* model, violations, the end; one thread at a time */
    const Isocost__V1__Plan *stored; /* as it was queued: note, labels, name */
    struct iso_violations violations;
    const char *snapshot_digest;
    struct iso_job *job; /* guarded by api->mutex */
    bool cancelled;      /* asked to stop before the job was there */

    int n_parts;            /* guarded by api->mutex */
    struct iso_error error; /* of the end */
    struct iso_bytes plan, lines;
    bool cut_short; /* the search was stopped from outside */
    struct iso_task end_task;

    /* The newest progress that is not in the store yet; guarded by api->mutex. */
    unsigned char *progress;
    size_t n_progress;
    bool progress_queued;
    int64_t progress_ns;
    struct iso_task progress_task;
};

/* A call that waits for a stored plan. */
struct iso_attendance {
    struct iso_attendance *next;
    struct iso_api *api;
    struct iso_call *call; /* holds a reference */
    struct iso_principal principal;
    char plan_id[ISO_ULID_SIZE];
    bool stream, incumbents;
    bool creator; /* the plan is stopped when this caller goes */
    struct iso_task stop_task;
};

/* plan_attend.c */
void iso_attendances_progress(struct iso_run *run, const Isocost__V1__SolveProgress *progress);
void iso_attendances_accepted(struct iso_run *run, int queue_position);
/* Answers everybody who waits for the run's plan, from the store. */
void iso_attendances_end(struct iso_run *run);
/* What those who wait want; the deadline is that of the caller who made the plan, 0 = none. */
void iso_attendances_wishes(struct iso_run *run, bool *ret_attended, bool *ret_incumbents,
                            double *ret_deadline_s);
bool iso_same_plan(const struct iso_principal *a, const char *a_id, const struct iso_principal *b,
                   const char *b_id);

#endif

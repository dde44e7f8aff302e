/* A stored plan on its way from RUNNING to its end.
 *
 * Its parts: the start, the supervisor's `done`, and progress on its way to the store. The last one
 * queues the task that writes the end and frees the run. */
#ifndef ISOCOST_SERVER_PLAN_RUN_H
#define ISOCOST_SERVER_PLAN_RUN_H

#include "queue_run.h"

struct iso_plan_run {
    struct iso_run base;
    char call_id[32];                /* for audit rows */
    const Isocost__V1__Plan *stored; /* as it was queued: note, labels, name */
    struct iso_violations violations;
    const char *snapshot_digest;
    bool keeps_incumbents; /* for somebody who waits at another process */

    struct iso_error error; /* of the end */
    struct iso_bytes plan, lines;
    bool cut_short;   /* the search was stopped from outside */
    bool solver_died; /* by itself, or at its memory limit */

    /* The newest progress that is not in the store yet; guarded by runner->mutex. */
    unsigned char *progress;
    size_t n_progress;
    bool progress_has_incumbent;
    bool progress_queued;
    int64_t progress_ns;
    struct iso_task progress_task;
};

/* plan_end.c: writes the end of a run and frees it. */
void iso_plan_run_end(struct iso_task *task);

#endif

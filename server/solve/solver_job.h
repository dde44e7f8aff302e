/* One job in the solver process. */
#ifndef ISOCOST_SERVER_SOLVER_JOB_H
#define ISOCOST_SERVER_SOLVER_JOB_H

#include <sys/types.h>

#include "isocost/past.h"
#include "resolve_cache.h"
#include "snapshot_file.h"
#include "solver_connection.h"

/* What a process keeps from one job to the next. The snapshot of the last one stays mapped: a file
 * is known by its inode, which nobody else can get while it is mapped; snapshot files never change.
 */
struct iso_solver_kept {
    struct iso_snapshot *snapshot; /* NULL: none */
    dev_t device;
    ino_t inode;
    struct iso_resolve_cache *cache; /* what was found out about snapshots; NULL: nothing is kept */
    struct iso_past *past;           /* what solves have found; NULL: nothing is kept */
};

/* Resolves, checks and solves (or exports); sends events and, last, Done. Takes `snapshot_fd` (-1:
 * none). `received_s` is iso_solver_now() when the request came. */
void iso_solver_run_job(struct iso_solver_connection *connection, struct iso_solver_kept *kept,
                        const Isocost__Internal__V1__SolveRequest *request, int snapshot_fd,
                        double received_s, struct iso_arena *arena);

/* Seconds on a clock that never goes back. */
double iso_solver_now(void);

#endif

/* A few threads that run tasks from one queue. */
#ifndef ISOCOST_SERVER_WORKER_H
#define ISOCOST_SERVER_WORKER_H

#include <stdbool.h>

#include "isocost/base/status.h"

/* Embed it in what is to be done. It must stay until `run` is called. */
struct iso_task {
    struct iso_task *next;
    void (*run)(struct iso_task *task);
};

struct iso_worker_pool;

ISO_EXPORT enum iso_status iso_worker_pool_new(int n_threads, int queue_bound,
                                               struct iso_worker_pool **ret_pool,
                                               struct iso_error *reterr);
/* Runs what is queued, then joins. Accepts NULL. */
ISO_EXPORT void iso_worker_pool_free(struct iso_worker_pool *pool);
ISO_DEFINE_FREEP(iso_worker_pool)

/* Queues a task. `bounded`: returns false and leaves the task alone when as many tasks wait as the
 * bound allows. Tasks that go on with admitted work are not bounded. */
ISO_EXPORT bool iso_worker_pool_submit(struct iso_worker_pool *pool, struct iso_task *task,
                                       bool bounded);
/* Waits until nothing is queued and nothing runs. */
ISO_EXPORT void iso_worker_pool_wait_idle(struct iso_worker_pool *pool);
ISO_EXPORT int iso_worker_pool_depth(struct iso_worker_pool *pool);

#endif

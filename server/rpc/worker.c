#include "worker.h"

#include <pthread.h>

struct iso_worker_pool {
    pthread_mutex_t mutex;
    pthread_cond_t wake, idle;
    struct iso_task *first, *last;
    int n_queued, n_running, queue_bound;
    bool stop;
    int n_threads;
    pthread_t threads[];
};

static void *work(void *argument)
{
    struct iso_worker_pool *pool = argument;

    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        struct iso_task *task = pool->first;

        if (!task) {
            if (pool->stop)
                break;
            pthread_cond_wait(&pool->wake, &pool->mutex);
            continue;
        }
        pool->first = task->next;
        if (!pool->first)
            pool->last = NULL;
        pool->n_queued--;
        pool->n_running++;
        pthread_mutex_unlock(&pool->mutex);
        task->next = NULL;
        task->run(task);
        pthread_mutex_lock(&pool->mutex);
        pool->n_running--;
        if (pool->n_running == 0 && !pool->first)
            pthread_cond_broadcast(&pool->idle);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

enum iso_status iso_worker_pool_new(int n_threads, int queue_bound,
                                    struct iso_worker_pool **ret_pool, struct iso_error *reterr)
{
    ISO_AUTO(iso_worker_pool)
    pool = iso_calloc(1, sizeof(*pool) + (size_t)n_threads * sizeof(pool->threads[0]));

    if (!pool)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for %d workers", n_threads);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->idle, NULL);
    pool->queue_bound = queue_bound;
    while (pool->n_threads < n_threads) {
        if (pthread_create(&pool->threads[pool->n_threads], NULL, work, pool) != 0)
            return iso_fail(reterr, ISO_E_LIMIT, "workers",
                            "only %d of %d worker threads could be started", pool->n_threads,
                            n_threads);
        pool->n_threads++;
    }
    *ret_pool = ISO_STEAL(pool);
    return ISO_OK;
}

void iso_worker_pool_free(struct iso_worker_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->stop = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->n_threads; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->idle);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

bool iso_worker_pool_submit(struct iso_worker_pool *pool, struct iso_task *task, bool bounded)
{
    bool taken = false;

    pthread_mutex_lock(&pool->mutex);
    if (!bounded || pool->n_queued < pool->queue_bound) {
        task->next = NULL;
        if (pool->last)
            pool->last->next = task;
        else
            pool->first = task;
        pool->last = task;
        pool->n_queued++;
        taken = true;
        pthread_cond_signal(&pool->wake);
    }
    pthread_mutex_unlock(&pool->mutex);
    return taken;
}

void iso_worker_pool_wait_idle(struct iso_worker_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    while (pool->first || pool->n_running > 0)
        pthread_cond_wait(&pool->idle, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
}

int iso_worker_pool_depth(struct iso_worker_pool *pool)
{
    int depth;

    pthread_mutex_lock(&pool->mutex);
    depth = pool->n_queued;
    pthread_mutex_unlock(&pool->mutex);
    return depth;
}

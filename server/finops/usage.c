/* The life of the usage service: its thread and the refreshes that wait for it. */
#include "usage.h"

#include <signal.h>

#include "usage_internal.h"

enum { MAX_WAITING = 16 };
#define TASK_ARENA_BYTES ((size_t)1 << 16)

bool iso_usage_stopping(struct iso_usage *usage)
{
    bool stop;

    pthread_mutex_lock(&usage->mutex);
    stop = usage->stop;
    pthread_mutex_unlock(&usage->mutex);
    return stop;
}

static void free_node(struct iso_usage_node *node)
{
    iso_arena_free(node->arena);
    free(node);
}

static void finish_cancelled(struct iso_usage_node *node)
{
    struct iso_error error = {0};

    iso_fail(&error, ISO_E_UNAVAILABLE, "", "the server stops; try again");
    node->task.done(node->task.context, NULL, &error);
    free_node(node);
}

static void *thread_main(void *argument)
{
    struct iso_usage *usage = argument;

    pthread_mutex_lock(&usage->mutex);
    for (;;) {
        while (!usage->first && !usage->stop)
            pthread_cond_wait(&usage->work, &usage->mutex);
        struct iso_usage_node *node = usage->first;
        if (!node)
            break;
        usage->first = node->next;
        if (!usage->first)
            usage->last = &usage->first;
        usage->n_waiting--;
        bool stop = usage->stop;
        pthread_mutex_unlock(&usage->mutex);
        if (stop) {
            finish_cancelled(node);
        } else {
            iso_usage_run_task(usage, &node->task);
            free_node(node);
        }
        pthread_mutex_lock(&usage->mutex);
    }
    pthread_mutex_unlock(&usage->mutex);
    return NULL;
}

enum iso_status iso_usage_submit(struct iso_usage *usage, const struct iso_usage_task *task,
                                 struct iso_error *reterr)
{
    struct iso_usage_node *node = iso_calloc(1, sizeof(*node));
    enum iso_status status = ISO_OK;

    if (!node || !(node->arena = iso_arena_new(TASK_ARENA_BYTES))) {
        free(node);
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a refresh");
    }
    node->task = *task;
    node->task.request_id = iso_arena_strdup(node->arena, task->request_id);
    node->task.provider = iso_arena_strdup(node->arena, task->provider);
    if (iso_arena_full(node->arena)) {
        free_node(node);
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a refresh");
    }
    pthread_mutex_lock(&usage->mutex);
    if (usage->stop)
        status = iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the server stops; try again");
    else if (usage->n_waiting >= MAX_WAITING)
        status = iso_fail(reterr, ISO_E_LIMIT, "", "%d refreshes wait already; try again later",
                          MAX_WAITING);
    if (status == ISO_OK) {
        *usage->last = node;
        usage->last = &node->next;
        usage->n_waiting++;
        pthread_cond_signal(&usage->work);
    }
    pthread_mutex_unlock(&usage->mutex);
    if (status != ISO_OK)
        free_node(node);
    return status;
}

enum iso_status iso_usage_start(struct iso_store *store, struct iso_catalog *catalog,
                                void (*log)(int level, const char *text),
                                struct iso_usage **ret_usage, struct iso_error *reterr)
{
    struct iso_usage *usage = iso_calloc(1, sizeof(*usage));
    sigset_t all, before;

    if (!usage)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the usage service");
    usage->store = store;
    usage->catalog = catalog;
    usage->log = log;
    usage->last = &usage->first;
    pthread_mutex_init(&usage->mutex, NULL);
    pthread_cond_init(&usage->work, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&usage->thread, NULL, thread_main, usage);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    usage->thread_runs = code == 0;
    if (code != 0) {
        iso_usage_stop(usage);
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "cannot start the usage thread: %s",
                        strerror(code));
    }
    *ret_usage = usage;
    return ISO_OK;
}

void iso_usage_stop(struct iso_usage *usage)
{
    if (!usage)
        return;
    if (usage->thread_runs) {
        pthread_mutex_lock(&usage->mutex);
        usage->stop = true;
        pthread_cond_signal(&usage->work);
        pthread_mutex_unlock(&usage->mutex);
        pthread_join(usage->thread, NULL);
    }
    pthread_cond_destroy(&usage->work);
    pthread_mutex_destroy(&usage->mutex);
    free(usage);
}

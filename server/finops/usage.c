/* The life of the usage service: its thread and the refreshes that wait for it. */
#include "usage.h"

#include <math.h>
#include <signal.h>
#include <time.h>

#include "schedule.h"
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

/* Waits until somebody asks, the next refresh by itself is due, or the service stops. */
static void wait_for_work(struct iso_usage *usage)
{
    double due_s = iso_usage_schedules_due_s(usage->schedules);
    struct timespec at = {.tv_sec = (time_t)fmin(due_s, 1e15),
                          .tv_nsec = (long)(fmod(fmin(due_s, 1e15), 1) * 1e9)};

    if (isfinite(due_s))
        pthread_cond_timedwait(&usage->work, &usage->mutex, &at);
    else
        pthread_cond_wait(&usage->work, &usage->mutex);
}

/* What is asked for comes before what is due. */
static void *thread_main(void *argument)
{
    struct iso_usage *usage = argument;

    pthread_mutex_lock(&usage->mutex);
    for (;;) {
        struct iso_usage_node *node = usage->first;
        if (!node && usage->stop)
            break;
        if (!node && iso_usage_schedules_due_s(usage->schedules) <= iso_usage_now_s()) {
            pthread_mutex_unlock(&usage->mutex);
            iso_usage_schedules_run(usage->schedules);
            pthread_mutex_lock(&usage->mutex);
            continue;
        }
        if (!node) {
            wait_for_work(usage);
            continue;
        }
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

double iso_usage_now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
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
    pthread_condattr_t attributes;
    sigset_t all, before;

    if (!usage)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the usage service");
    usage->store = store;
    usage->catalog = catalog;
    usage->log = log;
    usage->last = &usage->first;
    pthread_mutex_init(&usage->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&usage->work, &attributes);
    pthread_condattr_destroy(&attributes);
    usage->schedules = iso_usage_schedules_new(usage);
    if (!usage->schedules) {
        iso_usage_stop(usage);
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the usage service");
    }
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
    iso_usage_schedules_free(usage->schedules);
    pthread_cond_destroy(&usage->work);
    pthread_mutex_destroy(&usage->mutex);
    free(usage);
}

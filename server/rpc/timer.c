#include "timer.h"

#include <pthread.h>
#include <time.h>

struct iso_timer_queue {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    pthread_t thread;
    bool started, stop;
    struct iso_timer **heap; /* earliest first */
    size_t n, capacity;
};

int64_t iso_monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void put(struct iso_timer_queue *queue, size_t at, struct iso_timer *timer)
{
    queue->heap[at] = timer;
    timer->place = at + 1;
}

static void sift_up(struct iso_timer_queue *queue, size_t at)
{
    struct iso_timer *timer = queue->heap[at];

    while (at > 0 && queue->heap[(at - 1) / 2]->due_ns > timer->due_ns) {
        put(queue, at, queue->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(queue, at, timer);
}

static void sift_down(struct iso_timer_queue *queue, size_t at)
{
    struct iso_timer *timer = queue->heap[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= queue->n)
            break;
        if (child + 1 < queue->n && queue->heap[child + 1]->due_ns < queue->heap[child]->due_ns)
            child++;
        if (queue->heap[child]->due_ns >= timer->due_ns)
            break;
        put(queue, at, queue->heap[child]);
        at = child;
    }
    put(queue, at, timer);
}

static void remove_at(struct iso_timer_queue *queue, size_t at)
{
    struct iso_timer *last = queue->heap[--queue->n];

    queue->heap[at]->place = 0;
    if (at == queue->n)
        return;
    put(queue, at, last);
    sift_up(queue, at);
    sift_down(queue, last->place - 1);
}

static void *run_timers(void *argument)
{
    struct iso_timer_queue *queue = argument;

    pthread_mutex_lock(&queue->mutex);
    while (!queue->stop) {
        struct iso_timer *first = queue->n ? queue->heap[0] : NULL;

        if (!first) {
            pthread_cond_wait(&queue->wake, &queue->mutex);
        } else if (first->due_ns > iso_monotonic_ns()) {
            struct timespec due = {.tv_sec = first->due_ns / 1000000000,
                                   .tv_nsec = first->due_ns % 1000000000};

            pthread_cond_timedwait(&queue->wake, &queue->mutex, &due);
        } else {
            remove_at(queue, 0);
            pthread_mutex_unlock(&queue->mutex);
            first->run(first);
            pthread_mutex_lock(&queue->mutex);
        }
    }
    pthread_mutex_unlock(&queue->mutex);
    return NULL;
}

enum iso_status iso_timer_queue_new(struct iso_timer_queue **ret_queue, struct iso_error *reterr)
{
    ISO_AUTO(iso_timer_queue) queue = iso_calloc(1, sizeof(*queue));
    pthread_condattr_t attributes;

    if (!queue)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the timers");
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&queue->thread, NULL, run_timers, queue) != 0)
        return iso_fail(reterr, ISO_E_LIMIT, "", "the timer thread could not be started");
    queue->started = true;
    *ret_queue = ISO_STEAL(queue);
    return ISO_OK;
}

void iso_timer_queue_free(struct iso_timer_queue *queue)
{
    if (!queue)
        return;
    if (queue->started) {
        pthread_mutex_lock(&queue->mutex);
        queue->stop = true;
        pthread_cond_signal(&queue->wake);
        pthread_mutex_unlock(&queue->mutex);
        pthread_join(queue->thread, NULL);
    }
    pthread_cond_destroy(&queue->wake);
    pthread_mutex_destroy(&queue->mutex);
    free(queue->heap);
    free(queue);
}

bool iso_timer_set(struct iso_timer_queue *queue, struct iso_timer *timer, int64_t due_ns)
{
    bool set = true;

    pthread_mutex_lock(&queue->mutex);
    if (queue->n == queue->capacity) {
        size_t capacity = queue->capacity ? 2 * queue->capacity : 64;
        struct iso_timer **heap = iso_realloc(queue->heap, capacity, sizeof(struct iso_timer *));

        set = heap != NULL;
        if (heap) {
            queue->heap = heap;
            queue->capacity = capacity;
        }
    }
    if (set) {
        timer->due_ns = due_ns;
        put(queue, queue->n++, timer);
        sift_up(queue, queue->n - 1);
        if (timer->place == 1)
            pthread_cond_signal(&queue->wake);
    }
    pthread_mutex_unlock(&queue->mutex);
    return set;
}

bool iso_timer_take_back(struct iso_timer_queue *queue, struct iso_timer *timer)
{
    bool taken;

    pthread_mutex_lock(&queue->mutex);
    taken = timer->place != 0;
    if (taken)
        remove_at(queue, timer->place - 1);
    pthread_mutex_unlock(&queue->mutex);
    return taken;
}

#include "daemon_retention.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "isocost/base/memory.h"
#include "log.h"

#define EVERY_S 3600

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    pthread_t thread;
    bool running, stop;
    struct iso_store *store;
    struct iso_retention retention;
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static void prune(void)
{
    struct iso_error error = {0};
    struct iso_pruned n = {0};
    char text[240];

    if (iso_store_prune(state.store, &state.retention, &n, &error) != ISO_OK) {
        snprintf(text, sizeof(text), "what is old was not removed: %.180s", error.text);
        iso_log_server(ISO_LOG_WARNING, text);
    } else if (n.events + n.plans + n.models + n.snapshots + n.records > 0) {
        snprintf(text, sizeof(text),
                 "removed what is old: %lld events, %lld plans, %lld models, %lld snapshots, %lld "
                 "records",
                 (long long)n.events, (long long)n.plans, (long long)n.models,
                 (long long)n.snapshots, (long long)n.records);
        iso_log_server(ISO_LOG_INFO, text);
    }
}

static void *run(void *argument)
{
    (void)argument;
    pthread_mutex_lock(&state.mutex);
    while (!state.stop) {
        struct timespec until;

        pthread_mutex_unlock(&state.mutex);
        prune();
        pthread_mutex_lock(&state.mutex);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += EVERY_S;
        while (!state.stop && pthread_cond_timedwait(&state.wake, &state.mutex, &until) == 0)
            continue;
    }
    pthread_mutex_unlock(&state.mutex);
    return NULL;
}

bool iso_retention_start(struct iso_store *store, const struct iso_retention *retention)
{
    state.store = store;
    state.retention = *retention;
    state.running = pthread_create(&state.thread, NULL, run, NULL) == 0;
    return state.running;
}

void iso_retention_stop(void)
{
    if (!state.running)
        return;
    pthread_mutex_lock(&state.mutex);
    state.stop = true;
    pthread_cond_signal(&state.wake);
    pthread_mutex_unlock(&state.mutex);
    pthread_join(state.thread, NULL);
    state.running = false;
}

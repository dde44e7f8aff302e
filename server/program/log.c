#include "log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "isocost/base/memory.h"

#define MAX_LINES 4096

struct line {
    struct line *next;
    char text[];
};

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    pthread_t thread;
    bool running, stop;
    enum iso_log_level least;
    struct line *first, *last;
    int n_lines;
    long n_dropped;
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static const char *const names[] = {"debug", "info", "warning", "error"};

static void write_all(const char *text)
{
    size_t n = strlen(text);

    while (n > 0) {
        ssize_t written = write(STDERR_FILENO, text, n);

        if (written <= 0)
            return; /* nobody listens */
        text += written;
        n -= (size_t)written;
    }
}

static void *write_lines(void *argument)
{
    (void)argument;
    pthread_mutex_lock(&state.mutex);
    for (;;) {
        struct line *line = state.first;
        long n_dropped = state.n_dropped;

        if (!line) {
            if (state.stop)
                break;
            pthread_cond_wait(&state.wake, &state.mutex);
            continue;
        }
        state.first = line->next;
        if (!state.first)
            state.last = NULL;
        state.n_lines--;
        state.n_dropped = 0;
        pthread_mutex_unlock(&state.mutex);
        if (n_dropped > 0) {
            char text[64];

            snprintf(text, sizeof(text), "warning log dropped=%ld\n", n_dropped);
            write_all(text);
        }
        write_all(line->text);
        free(line);
        pthread_mutex_lock(&state.mutex);
    }
    pthread_mutex_unlock(&state.mutex);
    return NULL;
}

bool iso_log_start(enum iso_log_level least)
{
    state.least = least;
    state.running = pthread_create(&state.thread, NULL, write_lines, NULL) == 0;
    return state.running;
}

void iso_log_stop(void)
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

static bool is_wanted(const char *line)
{
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(names); i++)
        if (strncmp(line, names[i], strlen(names[i])) == 0)
            return (enum iso_log_level)i >= state.least;
    return true;
}

void iso_log_line(void *context, const char *text)
{
    struct line *line;
    struct timespec now;
    struct tm utc;
    char when[40];
    size_t n;

    (void)context;
    if (!is_wanted(text))
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    n = strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(when + n, sizeof(when) - n, ".%03ldZ", now.tv_nsec / 1000000);
    n = strlen(text) + sizeof(when) + 8;
    line = iso_calloc(1, sizeof(*line) + n);
    if (!line)
        return;
    snprintf(line->text, n, "%s at=%s\n", text, when);
    pthread_mutex_lock(&state.mutex);
    if (state.n_lines < MAX_LINES) {
        if (state.last)
            state.last->next = line;
        else
            state.first = line;
        state.last = line;
        state.n_lines++;
        line = NULL;
        pthread_cond_signal(&state.wake);
    } else {
        state.n_dropped++;
    }
    pthread_mutex_unlock(&state.mutex);
    free(line);
}

static void log_part(const char *part, int level, const char *text)
{
    char line[640];

    level = level < 0 ? 0 : level > 3 ? 3 : level;
    snprintf(line, sizeof(line), "%s %s text=\"%s\"", names[level], part, text);
    for (char *c = line; *c; c++)
        if (*c == '\n')
            *c = ' ';
    iso_log_line(NULL, line);
}

void iso_log_supervisor(int level, const char *text)
{
    log_part("supervisor", level, text);
}

void iso_log_catalog(int level, const char *text)
{
    log_part("catalog", level, text);
}

void iso_log_api(int level, const char *text)
{
    log_part("api", level, text);
}

void iso_log_server(int level, const char *text)
{
    log_part("server", level, text);
}

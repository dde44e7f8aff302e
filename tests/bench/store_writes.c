/* store_writes FOLDER ADDRESS|- CLIENTS SECONDS: durable writes a second, several runs in turn of
 * group commit and of one commit a write. Prints a JSON object a run, and first the median
 * fdatasync. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "isocost/v1/plan.pb-c.h"
#include "store_internal.h"

enum { SYNCS = 101, MOST_CLIENTS = 256, RUNS = 5 };

struct run {
    struct iso_store *store;
    atomic_long n_writes;
    atomic_bool stop;
    atomic_int n_failed;
    int number;
};

struct client {
    struct run *run;
    int number;
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Median of fdatasync after 4 KiB were written at the end of a file. */
static double sync_seconds(const char *folder)
{
    static char block[4096];
    double seconds[SYNCS];
    char path[512];
    int fd;

    snprintf(path, sizeof(path), "%s/sync", folder);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    for (int i = 0; i < SYNCS; i++) {
        double begin = now_s();
        if (write(fd, block, sizeof(block)) != sizeof(block) || fdatasync(fd) != 0)
            abort();
        seconds[i] = now_s() - begin;
    }
    close(fd);
    unlink(path);
    qsort(seconds, SYNCS, sizeof(seconds[0]), compare);
    return seconds[SYNCS / 2];
}

/* A write as the API makes it: model, plan, job and audit row in one transaction. */
static void *work(void *argument)
{
    const struct client *client = argument;
    struct run *run = client->run;
    const struct iso_principal who = {"bench", "default", "client", ISO_ROLE_PLANNER};
    const struct iso_audit audit = {"plan.create", "bench"};

    for (long i = 0; !run->stop; i++) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 16);
        struct iso_plan_record stored,
            record = {.state = ISOCOST__V1__PLAN_STATE__PLAN_STATE_QUEUED,
                      .create_ns = 1,
                      .body_digest = "sha256:body",
                      .model_digest = "sha256:model"};
        bool existing;
        char id[48];

        snprintf(id, sizeof(id), "%d-%d-%ld", run->number, client->number, i);
        record.id = record.request_id = id;
        if (iso_store_create_plan(run->store, &who, &record, 0,
                                  (struct iso_bytes){(const unsigned char *)"model", 5}, &audit,
                                  arena, &existing, &stored, NULL) == ISO_OK)
            atomic_fetch_add(&run->n_writes, 1);
        else
            atomic_fetch_add(&run->n_failed, 1);
    }
    return NULL;
}

static void measure(struct iso_store *store, int number, int most_batched, int n_clients,
                    double seconds)
{
    struct run run = {.store = store, .number = number};
    struct client clients[MOST_CLIENTS];
    pthread_t threads[MOST_CLIENTS];
    double begin = now_s(), taken;

    iso_store_set_most_batched(store, most_batched);
    for (int i = 0; i < n_clients; i++) {
        clients[i] = (struct client){&run, i};
        pthread_create(&threads[i], NULL, work, &clients[i]);
    }
    nanosleep(&(struct timespec){.tv_sec = (long)seconds}, NULL);
    run.stop = true;
    for (int i = 0; i < n_clients; i++)
        pthread_join(threads[i], NULL);
    taken = now_s() - begin;
    printf("{\"commits\": \"%s\", \"clients\": %d, \"writes\": %ld, \"failed\": %d, "
           "\"seconds\": %.3f, \"writes_per_s\": %.1f}\n",
           most_batched ? "one a write" : "group", n_clients, (long)run.n_writes, (int)run.n_failed,
           taken, (double)run.n_writes / taken);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct iso_store *store = NULL;
    struct iso_error error = {0};

    if (argc != 5 || atoi(argv[3]) < 1 || atoi(argv[3]) > MOST_CLIENTS)
        return 2;
    if (iso_store_open(argv[1], strcmp(argv[2], "-") == 0 ? NULL : argv[2], &store, &error) !=
        ISO_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    for (int i = 0; i < 2 * RUNS; i++) {
        if (i % 2 == 0)
            printf("{\"fdatasync_ms\": %.3f}\n", 1e3 * sync_seconds(argv[1]));
        measure(store, i, i % 2, atoi(argv[3]), atof(argv[4]));
    }
    iso_store_close(store);
    return 0;
}

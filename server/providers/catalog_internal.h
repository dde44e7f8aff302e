/* What the files of the catalog share. */
#ifndef ISOCOST_SERVER_CATALOG_INTERNAL_H
#define ISOCOST_SERVER_CATALOG_INTERNAL_H

#include <pthread.h>

#include "catalog.h"
#include "instance.h"

struct catalog_task_node {
    struct iso_catalog_task task; /* its strings are in the arena */
    struct iso_arena *arena;
    struct catalog_task_node *next;
};

struct iso_catalog {
    struct iso_store *store;
    struct iso_arena *arena; /* configuration; read-only once started */
    const char *host_path, *plugin_folder, *cache_folder, *temporary_folder;
    void (*log)(int level, const char *text);

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t work;
    struct catalog_task_node *first, **last;
    int n_waiting;
    bool stop;
    size_t n_instances;
    struct iso_instance *instances;
    struct {
        const struct iso_snapshot *snapshot;
        int n_users;
    } maps[8];
    pthread_t thread;
    bool thread_runs;
};

__attribute__((format(printf, 3, 4))) void iso_catalog_log(struct iso_catalog *catalog, int level,
                                                           const char *format, ...);
double iso_catalog_now_s(void);   /* monotonic */
int64_t iso_catalog_now_ns(void); /* UTC */
bool iso_catalog_stopping(struct iso_catalog *catalog);

/* Does a task on the catalog's thread and calls its `done`. */
void iso_catalog_run_task(struct iso_catalog *catalog, const struct iso_catalog_task *task);

/* Loads an instance's plugin without fetching, to know its version and whether it may be loaded. */
void iso_catalog_probe(struct iso_catalog *catalog, struct iso_instance *instance);

#endif

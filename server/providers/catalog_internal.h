/* What the files of the catalog share. */
#ifndef ISOCOST_SERVER_CATALOG_INTERNAL_H
#define ISOCOST_SERVER_CATALOG_INTERNAL_H

#include <pthread.h>

#include "catalog.h"
#include "draft.h"
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
    const Isocost__Internal__V1__HygieneSettings *hygiene; /* NULL: the defaults */
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

/* The snapshots that the new one builds on. */
struct catalog_base {
    const struct iso_snapshot *all, *own; /* public; the principal's own. Either may be NULL */
    int64_t create_ns;                    /* above theirs */
    bool had_own;                         /* the principal's is another than the public one */
};
/* Maps them, unless the task replaces all; give both back with iso_catalog_unmap(), also after a
 * failure. */
enum iso_status iso_catalog_find_base(struct iso_catalog *catalog,
                                      const struct iso_catalog_task *task, struct iso_arena *arena,
                                      struct catalog_base *base, struct iso_error *reterr);

/* Memory that one publication may use. */
#define ISO_CATALOG_PUBLISH_BYTES ((size_t)128 << 20)

/* Writes the public snapshot, and the caller's own if it has overlays. A caller that has none any
 * more sees again what all see. */
enum iso_status iso_catalog_publish(struct iso_catalog *catalog,
                                    const struct iso_catalog_task *task, struct iso_draft *draft,
                                    const struct catalog_base *base, struct iso_arena *arena,
                                    Isocost__V1__Snapshot **ret_snapshot, struct iso_error *reterr);

/* New prices are for everybody, also for tenants whose own snapshot hides the public one. What goes
 * wrong with one of them is logged: it is not the caller's concern. */
void iso_catalog_publish_for_others(struct iso_catalog *catalog,
                                    const struct iso_catalog_task *task, struct iso_draft *draft,
                                    int64_t create_ns);

/* Loads an instance's plugin without fetching, to know its version and whether it may be loaded. */
void iso_catalog_probe(struct iso_catalog *catalog, struct iso_instance *instance);

#endif

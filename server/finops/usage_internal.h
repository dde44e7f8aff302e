/* What the files of the usage service share. */
#ifndef ISOCOST_SERVER_USAGE_INTERNAL_H
#define ISOCOST_SERVER_USAGE_INTERNAL_H

#include <pthread.h>

#include "usage.h"

/* A refresh. Copied by iso_usage_submit(). */
struct iso_usage_task {
    struct iso_principal principal;
    const char *request_id;             /* of the call, for the audit row */
    const char *provider;               /* name of the instance */
    bool kinds[ISO_RECORD_RUNNING + 1]; /* by enum iso_record_kind; none: all that it can */
    int64_t from_ns, to_ns;             /* both 0: not said, for what runs alone */
    /* On the service's thread. `done` comes once, with the refresh (borrowed) or an error. */
    void *context;
    bool (*cancelled)(void *context);
    void (*progress)(void *context, const Isocost__V1__UsageProgress *progress);
    void (*done)(void *context, const Isocost__V1__UsageRefresh *refresh,
                 const struct iso_error *error);
};

struct iso_usage_node {
    struct iso_usage_task task; /* its strings are in the arena */
    struct iso_arena *arena;
    struct iso_usage_node *next;
};

struct iso_usage {
    struct iso_store *store;
    struct iso_catalog *catalog;
    void (*log)(int level, const char *text);
    struct iso_usage_schedules *schedules; /* the service's thread alone has them */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t work;
    struct iso_usage_node *first, **last;
    int n_waiting;
    bool stop;
    pthread_t thread;
    bool thread_runs;
};

/* Errors: ISO_E_LIMIT (too many wait), ISO_E_UNAVAILABLE (stopping), ISO_E_NOMEM; then `done` does
 * not come. */
enum iso_status iso_usage_submit(struct iso_usage *usage, const struct iso_usage_task *task,
                                 struct iso_error *reterr);
bool iso_usage_stopping(struct iso_usage *usage);
double iso_usage_now_s(void); /* monotonic */

/* Does a refresh on the service's thread and calls its `done`. */
void iso_usage_run_task(struct iso_usage *usage, const struct iso_usage_task *task);

/* A time in nanoseconds since 1970 as a message, in the arena; NULL when that is full. */
Google__Protobuf__Timestamp *iso_usage_time(int64_t ns, struct iso_arena *arena);

/* The other way; `absent` for NULL. Errors: ISO_E_INVALID with the field. */
enum iso_status iso_usage_time_read(const Google__Protobuf__Timestamp *time, const char *field,
                                    int64_t absent, int64_t *ret_ns, struct iso_error *reterr);

iso_rpc_handler iso_usage_handle_refresh;
iso_rpc_handler iso_usage_handle_list_refreshes;
iso_rpc_handler iso_usage_handle_query_costs;
iso_rpc_handler iso_usage_handle_query_usage;
iso_rpc_handler iso_usage_handle_list_running;

#endif

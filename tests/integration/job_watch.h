/* What tests of the supervisor share: a model that fake_solver knows, and a watcher that notes what
 * a job's callbacks say. */
#ifndef ISOCOST_TESTS_JOB_WATCH_H
#define ISOCOST_TESTS_JOB_WATCH_H

#include <pthread.h>

#include "supervisor.h"

struct watch {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int n_accepted, queue_position, n_done, n_progress, n_incumbents, n_warnings, n_violations;
    bool order_broken; /* a callback before `accepted` or after `done` */
    double last_seconds, last_value, incumbent_cost;
    char last_tier[64];
    enum iso_status status;
    char text[400], field[128], file[256], detail[200], digest[80];
    int reason, stopped_by, n_lines;
    double cost, cpu_seconds, columns;
    struct iso_job *job;
    Isocost__V1__Plan *plan; /* a copy, when watch_keep_plans() asked for it */
};

/* One offering, one workload, one period; `part` is what the fake solver is to do. */
Isocost__V1__Model *watch_model(const char *part, double time_limit_s);

/* Reads a model, asserting that it can be read; it lives in the arena. */
Isocost__V1__Model *watch_read_model(const char *yaml, struct iso_arena *arena);
/* The same from a file below docs/examples. */
Isocost__V1__Model *watch_read_example(const char *name, struct iso_arena *arena);

/* Submits and asserts that it was taken. */
void watch_submit(struct iso_supervisor *supervisor, struct watch *watch,
                  const struct iso_job_request *request);
void watch_solve(struct iso_supervisor *supervisor, struct watch *watch, const char *part,
                 double time_limit_s);

/* Waits until `done` came and releases the job; gives up (and fails) after half a minute. */
void watch_wait(struct watch *watch);

/* The same of a job whose process may have been killed: whether it has a plan, which must cost
 * `cost`. */
bool watch_plan_or_kill(struct watch *watch, double cost);

/* Waits until so many progress messages, or incumbents, have come. */
void watch_wait_progress(struct watch *watch, int n_progress, int n_incumbents);

/* Copies of plans go to this arena from now on; NULL: no copies. One job at a time. */
void watch_keep_plans(struct iso_arena *arena);

double watch_now(void);
int watch_count_descriptors(void);
/* Our children that run (zombies: false) or that nobody reaped (zombies: true). */
int watch_children(bool zombies, int room, int *ret_pids);

#endif

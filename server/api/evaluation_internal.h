/* Parts of evaluations. One mutex an evaluation guards what a comment says; the supervisor's lock
 * may be taken under it, never the other way round. */
#ifndef ISOCOST_SERVER_EVALUATION_INTERNAL_H
#define ISOCOST_SERVER_EVALUATION_INTERNAL_H

#include "evaluation.h"
#include "scenario_result.h"

#define ISO_VALUES_MAX 2

/* One scenario. Constant after start but for what the mutex guards. */
struct scenario {
    const char *name;
    const Isocost__V1__Model *model; /* its own; NULL: that of the base with changes */
    size_t n_changes;                /* those of the base first */
    Isocost__V1__Change **changes;
    double values[ISO_VALUES_MAX];
    int n_values;
    const char *key; /* what it changes, without the numbers: for the order */
    double number;   /* the first number that it sets, or 0 */

    /* guarded by the mutex */
    char digest[ISO_DIGEST_TEXT_SIZE]; /* of its model; "": not known yet */
    int next_same;                     /* waits for the same answer; -1: the last */
    bool done;
    int64_t sequence; /* of its result */
    double height;    /* at its point of the curve; NAN: none */
};

/* Solves scenarios one after the other. */
struct lane {
    struct iso_evaluation *evaluation;
    struct iso_task task;
    uint64_t affinity; /* tells solvers which lane a job is of */
    int next, end;     /* places in the order that are still to do; guarded by the mutex */

    int place;             /* being solved */
    unsigned char *answer; /* packed ScenarioResult of it; NULL: none yet */
    size_t n_answer;
    struct iso_arena *arena; /* of its model; whoever has the lane */
    struct iso_violations violations;
    const Isocost__V1__Model *model;
    int n_attempts;
    bool again; /* the solver died: once more */

    struct iso_job *job; /* guarded by the mutex */
    int n_parts;         /* of the job, submit and done; guarded by the mutex */
};

/* A caller that is sent the events. */
struct listener {
    struct listener *next;
    struct iso_evaluation *evaluation; /* holds a reference */
    struct iso_call *call;             /* holds a reference while it is in the list */
    int64_t sent;                      /* number of the last event sent */
    bool maker;                        /* the evaluation ends when this caller goes */
    bool progress_due;                 /* guarded by the mutex */
    const ProtobufCMessageDescriptor *response;
};

struct event {
    unsigned char *bytes; /* packed isocost.v1.EvaluationEvent */
    size_t n_bytes;
};

struct iso_evaluation {
    struct iso_evaluation *next; /* guarded by api->mutex, as is `refs` */
    int refs;                    /* the list's, the maker's, lanes', listeners' */
    struct iso_api *api;
    struct iso_principal principal;
    char id[ISO_ULID_SIZE];
    int64_t start_ns;

    /* Constant after start. */
    struct iso_arena *arena;
    Isocost__V1__Model *model; /* the base without its changes */
    size_t n_base_changes;
    Isocost__V1__Change **base_changes;
    int snapshot_fd; /* -1: none */
    const char *snapshot_digest;
    struct scenario *scenarios;
    int n_scenarios, room;
    int *places;                  /* scenarios in the order in which they are solved */
    enum iso_curve_height height; /* of the points of a curve */
    bool whole;                   /* results have all of a plan */
    struct lane *lanes;
    int n_lanes;

    pthread_mutex_t mutex; /* guards from here on */
    pthread_cond_t changed;
    bool stopped;       /* asked to */
    bool ending, ended; /* the last event is on its way; it is there */
    int64_t end_ns;
    int n_done, n_same, n_running, n_busy_lanes;
    double cpu_seconds;
    int *slots; /* digest -> place + 1 of the first scenario that has it; 0: free */
    uint32_t n_slots;
    struct event *events; /* by sequence - 1 */
    size_t n_events, events_room, n_event_bytes;
    int64_t progress_ns; /* when listeners were last told */
    struct listener *listeners;
};

/* evaluation.c */
void iso_evaluation_ref(struct iso_evaluation *evaluation);
void iso_evaluation_unref(struct iso_evaluation *evaluation);
/* Makes the lanes, says that it is accepted, puts it into the list and lets it run. `call` NULL:
 * nobody asks now. */
enum iso_status iso_evaluation_set_off(struct iso_evaluation *evaluation, struct iso_call *call,
                                       struct iso_error *reterr);

/* evaluation_events.c */
/* Appends an event; the mutex is held. */
bool iso_evaluation_append(struct iso_evaluation *evaluation, Isocost__V1__EvaluationEvent *event);
/* The mutex is held in all that follow. */
void iso_evaluation_progress(const struct iso_evaluation *evaluation,
                             Isocost__V1__EvaluationProgress *progress);
void iso_evaluation_wake(struct iso_evaluation *evaluation, bool progress);
/* Lets lanes end as soon as they can. */
void iso_evaluation_stop(struct iso_evaluation *evaluation);
bool iso_evaluation_is_over(const struct iso_evaluation *evaluation);

/* evaluation_lane.c */
void iso_evaluation_sort(struct iso_evaluation *evaluation);
void iso_lane_start(struct lane *lane);

/* evaluation_result.c; without any mutex, on a worker thread */
/* Packs the answer to a scenario; one of plan and error. Any thread. NULL: no memory. */
unsigned char *iso_evaluation_pack(const struct iso_evaluation *evaluation,
                                   const Isocost__V1__Plan *plan, const Google__Rpc__Status *error,
                                   size_t *ret_n_bytes);
/* Gives a scenario its answer, and those that wait for the same. */
void iso_evaluation_answer(struct iso_evaluation *evaluation, int place,
                           const unsigned char *answer, size_t n_answer);
/* The answer that another scenario got. */
void iso_evaluation_answer_same(struct iso_evaluation *evaluation, int place, int first);
/* Says the end, once all is done or, after a stop, nothing runs any more. */
void iso_evaluation_end_if_done(struct iso_evaluation *evaluation);

/* evaluation_watch.c */

/* Sends the call the events of a stored evaluation after a number. `maker`: when the call goes, the
 * evaluation ends. Errors: ISO_E_NOT_FOUND. */
enum iso_status iso_evaluation_watch_stored(struct iso_api *api, struct iso_call *call,
                                            const char *id, int64_t after, bool maker,
                                            struct iso_error *reterr);
/* What a call that sends events answers with; *ret_maker: it began the evaluation. */
const ProtobufCMessageDescriptor *iso_evaluation_response(const struct iso_call *call,
                                                          bool *ret_maker);

#endif

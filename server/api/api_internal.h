/* Parts of the API. */
#ifndef ISOCOST_SERVER_API_INTERNAL_H
#define ISOCOST_SERVER_API_INTERNAL_H

#include <pthread.h>

#include "api.h"
#include "call.h"
#include "changes.h"
#include "isocost/v1/plan_service.pb-c.h"
#include "isocost/v1/server_service.pb-c.h"
#include "isocost/v1/session_service.pb-c.h"
#include "page_token.h"
#include "queue_runner.h"
#include "resolve.h"
#include "stored.h"
#include "worker.h"

#define ISO_ULID_SIZE 27
#define ISO_MAX_CHUNK_BYTES ((size_t)1 << 20)

struct iso_attendance;
struct iso_watch;
struct iso_evaluation_watch;
struct iso_evaluation;

struct iso_api {
    struct iso_api_config config;
    int64_t start_ns;                  /* UTC */
    struct iso_worker_pool *tasks;     /* store work that callbacks must not wait for */
    struct iso_worker_pool *scenarios; /* models of scenarios are made here */
    struct iso_worker_pool *studies;   /* comparisons and explanations wait here for their solves */
    struct iso_queue_runner *runner;

    pthread_mutex_t mutex; /* guards what follows */
    struct iso_attendance *attendances;
    struct iso_watch *watches;
    struct iso_evaluation_watch *evaluation_watches;
    struct iso_evaluation *evaluations; /* newest first */
    bool held;                          /* no further evaluation is begun */
};

__attribute__((format(printf, 3, 4))) void iso_api_log(struct iso_api *api, int level,
                                                       const char *format, ...);

/* Writes a new ULID and returns `text`. */
char *iso_ulid_new(char text[ISO_ULID_SIZE]);
/* Fails with `field` unless the text is one. */
enum iso_status iso_ulid_check(const char *text, const char *field, struct iso_error *reterr);
enum iso_status iso_request_id_check(const char *request_id, struct iso_error *reterr);
/* An etag given by a caller; "": 0. Errors: ISO_E_INVALID with field "etag". */
enum iso_status iso_etag_read(const char *text, int64_t *ret_etag, struct iso_error *reterr);

/* --- model_ref.c --- */

/* Finds the model that is meant, checks its shape, and gives it with its digest,
 * ISO_DIGEST_TEXT_SIZE bytes; NULL: not wanted. The violations' arena holds it. Errors:
 * ISO_E_INVALID, ISO_E_NOT_FOUND. */
enum iso_status iso_model_ref_get(struct iso_api *api, const struct iso_principal *principal,
                                  const Isocost__V1__ModelRef *ref,
                                  struct iso_violations *violations,
                                  const Isocost__V1__Model **ret_model, char *ret_digest,
                                  struct iso_error *reterr);
/* What a reference means before its changes are applied: a model that passed iso_model_check(), and
 * changes as messages, those of its session first. All in the violations' arena or borrowed. */
struct iso_model_base {
    const Isocost__V1__Model *model;
    size_t n_changes;
    Isocost__V1__Change **changes;
};
enum iso_status iso_model_ref_base(struct iso_api *api, const struct iso_principal *principal,
                                   const Isocost__V1__ModelRef *ref,
                                   struct iso_violations *violations,
                                   struct iso_model_base *ret_base, struct iso_error *reterr);
/* A list of both; NULL when the arena is full. */
Isocost__V1__Change **iso_changes_join(Isocost__V1__Change *const *first, size_t n_first,
                                       Isocost__V1__Change *const *second, size_t n_second,
                                       struct iso_arena *arena);
/* The model with changes, checked; the model itself when there are none. Violations as
 * iso_changes_apply() and iso_model_check(). */
enum iso_status iso_model_change(struct iso_api *api, const struct iso_principal *principal,
                                 const Isocost__V1__Model *model, const struct iso_changes *changes,
                                 struct iso_violations *violations,
                                 const Isocost__V1__Model **ret_model, struct iso_error *reterr);

/* --- session.c --- */

/* The first model of a session and its changes until a revision. The violations' arena holds them.
 */
enum iso_status iso_session_base(struct iso_api *api, const struct iso_principal *principal,
                                 const Isocost__V1__SessionRef *ref,
                                 struct iso_violations *violations, struct iso_model_base *ret_base,
                                 struct iso_error *reterr);

/* --- plan_record.c --- */

/* The lines of a record. */
enum iso_status iso_plan_lines_from_record(const struct iso_plan_record *record,
                                           struct iso_arena *arena, size_t *ret_n_lines,
                                           Isocost__V1__PlanLine ***ret_lines,
                                           struct iso_error *reterr);
/* A stored plan with at most 1 MiB of lines. */
enum iso_status iso_plan_load(struct iso_api *api, const struct iso_principal *principal,
                              const char *id, bool with_lines, struct iso_arena *arena,
                              Isocost__V1__Plan **ret_plan, struct iso_error *reterr);
/* Shortens long lists in place, the struct only: what is cut stays where it was. */
void iso_plan_cut(Isocost__V1__Plan *plan);
/* The same for a plan from the supervisor, whose lines are no more than that. */
void iso_plan_cut_lists(Isocost__V1__Plan *plan);
/* "key=value\n" lines, in the arena; NULL when it is full. */
char *iso_plan_labels(const Isocost__V1__Plan *plan, struct iso_arena *arena);

/* --- plan_queue.c --- */

/* Stores a plan in the queue, or finds the one that was asked for with the same request_id.
 * `incumbents`: somebody wants them, wherever it runs. */
enum iso_status iso_plan_enqueue(struct iso_api *api, struct iso_call *call,
                                 const Isocost__V1__Model *model, const char *model_digest,
                                 const char *request_id, const char *note, int priority,
                                 bool incumbents, const char *id, bool *ret_existing,
                                 struct iso_plan_record *ret_record, struct iso_error *reterr);
/* The same, and answers the call when the plan ends (plan_attend.c). */
enum iso_status iso_plan_attend(struct iso_api *api, struct iso_call *call,
                                const Isocost__V1__Model *model, const char *model_digest,
                                const char *request_id, bool stream, bool incumbents,
                                struct iso_error *reterr);
bool iso_same_plan(const struct iso_principal *a, const char *a_id, const struct iso_principal *b,
                   const char *b_id);

/* --- plan_attend.c; what the runner calls (struct iso_queue_hooks) --- */
void iso_attendances_wishes(void *api, const struct iso_principal *principal, const char *plan_id,
                            bool *ret_attended, bool *ret_incumbents, double *ret_deadline_s);
void iso_attendances_accepted(void *api, const struct iso_principal *principal, const char *plan_id,
                              int queue_position);
void iso_attendances_progress(void *api, const struct iso_principal *principal, const char *plan_id,
                              const Isocost__V1__SolveProgress *progress);
/* Answers everybody who waits for the plan, from the store. */
void iso_attendances_end(void *api, const struct iso_principal *principal, const char *plan_id,
                         const struct iso_error *error, const struct iso_violations *violations);
/* Answers those whose plan has ended in another process; NULL, NULL: of all plans. */
void iso_attendances_look(struct iso_api *api, const struct iso_principal *principal,
                          const char *plan_id);

/* --- plan_watch.c --- */

/* NULL, NULL: of all plans. */
void iso_watch_wake(struct iso_api *api, const struct iso_principal *principal,
                    const char *plan_id);

/* --- line_filter.c, plan_lines.c --- */
struct iso_line_filter {
    const char *workload, *team, *offering, *period, *provider; /* NULL = any */
    int32_t place; /* of `period` among the plan's; -1 = not known */
    int kind;      /* 0 = any */
};
enum iso_status iso_line_filter_parse(const char *text, struct iso_arena *arena,
                                      struct iso_line_filter *ret_filter, struct iso_error *reterr);
bool iso_line_filter_matches(const struct iso_line_filter *filter,
                             const Isocost__V1__PlanLine *line);
/* The lines as columns; NULL when the arena is full. */
Isocost__V1__LineTable *iso_line_table(Isocost__V1__PlanLine *const *lines, size_t n_lines,
                                       struct iso_arena *arena);

/* Takes the next `NAME=VALUE` of terms joined by ` AND `; false at the end. `*text` moves on. The
 * parts are in the arena. Errors through *reterr with field "filter". */
bool iso_filter_next(const char **text, struct iso_arena *arena, char **ret_name, char **ret_value,
                     struct iso_error *reterr);

/* The number of an enum's value by its name, with or without the prefix that all its values share;
 * 0 (never a value that a filter may ask for) when there is none. */
int iso_enum_by_name(const ProtobufCEnumDescriptor *descriptor, const char *prefix,
                     const char *name);

/* --- handlers --- */
iso_rpc_handler iso_solve_plan, iso_solve_plan_stream, iso_validate_model, iso_upload_model,
    iso_create_plan, iso_get_plan, iso_list_plans, iso_watch_plan, iso_cancel_plan, iso_delete_plan,
    iso_list_plan_lines, iso_stream_plan_lines, iso_export_plan, iso_compare_plans,
    iso_explain_plan, iso_create_session, iso_get_session, iso_list_sessions, iso_delete_session,
    iso_fork_session, iso_apply_changes, iso_evaluate_scenarios, iso_watch_evaluation, iso_sweep,
    iso_frontier;

#endif

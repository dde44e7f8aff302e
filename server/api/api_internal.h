/* Parts of the API. */
#ifndef ISOCOST_SERVER_API_INTERNAL_H
#define ISOCOST_SERVER_API_INTERNAL_H

#include <pthread.h>

#include "api.h"
#include "call.h"
#include "isocost/v1/plan_service.pb-c.h"
#include "isocost/v1/server_service.pb-c.h"
#include "page_token.h"
#include "resolve.h"
#include "worker.h"

#define ISO_ULID_SIZE 27
#define ISO_MAX_CHUNK_BYTES ((size_t)1 << 20)
#define ISO_MAX_UPLOAD_BYTES ((size_t)63 << 20) /* a solver's frame holds 64 MiB */
#define ISO_PLAN_ARENA_BYTES ((size_t)2 << 30)

struct iso_run;
struct iso_attendance;
struct iso_watch;

struct iso_api {
    struct iso_api_config config;
    int64_t start_ns;              /* UTC */
    struct iso_worker_pool *tasks; /* store work that callbacks must not wait for */
    pthread_t dispatcher;
    bool dispatching;

    pthread_mutex_t claims; /* held while a plan goes from QUEUED to a run; before `mutex` */
    pthread_mutex_t mutex;  /* guards what follows */
    pthread_cond_t changed;
    bool poked, held;
    struct iso_run *runs;
    int n_runs;
    struct iso_attendance *attendances;
    struct iso_watch *watches;
};

__attribute__((format(printf, 3, 4))) void iso_api_log(struct iso_api *api, int level,
                                                       const char *format, ...);
int64_t iso_wall_ns(void);
Google__Protobuf__Timestamp *iso_timestamp(int64_t ns, struct iso_arena *arena); /* 0: NULL */

/* Writes a new ULID and returns `text`. */
char *iso_ulid_new(char text[ISO_ULID_SIZE]);
/* Fails with `field` unless the text is one. */
enum iso_status iso_ulid_check(const char *text, const char *field, struct iso_error *reterr);

/* --- model_ref.c --- */

/* Finds the model that is meant, checks its shape, and gives it with its digest. The violations'
 * arena holds it. Errors: ISO_E_INVALID, ISO_E_NOT_FOUND. */
enum iso_status iso_model_ref_get(struct iso_api *api, const struct iso_principal *principal,
                                  const Isocost__V1__ModelRef *ref,
                                  struct iso_violations *violations,
                                  const Isocost__V1__Model **ret_model,
                                  char ret_digest[ISO_DIGEST_TEXT_SIZE], struct iso_error *reterr);
/* A stored model by its digest. */
enum iso_status iso_model_load(struct iso_api *api, const struct iso_principal *principal,
                               const char *digest, struct iso_violations *violations,
                               const Isocost__V1__Model **ret_model, struct iso_error *reterr);
struct iso_bytes iso_message_pack(const ProtobufCMessage *message, struct iso_arena *arena);

/* Opens the snapshot that a model needs: -1 when it needs none or there is none. The caller closes
 * it. `digest` "" = the one that the model names, or else the newest. */
enum iso_status iso_snapshot_open(struct iso_api *api, const struct iso_principal *principal,
                                  const Isocost__V1__Model *model, const char *digest,
                                  struct iso_arena *arena, int *ret_fd, const char **ret_digest,
                                  struct iso_error *reterr);

/* --- plan_record.c --- */

/* The plan of a record, without lines; what the store knows better replaces what the plan says. */
enum iso_status iso_plan_from_record(const struct iso_plan_record *record, struct iso_arena *arena,
                                     Isocost__V1__Plan **ret_plan, struct iso_error *reterr);
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

/* Stores a plan in the queue, or finds the one that was asked for with the same request_id. */
enum iso_status iso_plan_enqueue(struct iso_api *api, struct iso_call *call,
                                 const Isocost__V1__Model *model, const char *model_digest,
                                 const char *request_id, const char *note, const char *id,
                                 bool *ret_existing, struct iso_plan_record *ret_record,
                                 struct iso_error *reterr);
/* The same, and answers the call when the plan ends (plan_attend.c). */
enum iso_status iso_plan_attend(struct iso_api *api, struct iso_call *call,
                                const Isocost__V1__Model *model, const char *model_digest,
                                const char *request_id, bool stream, bool incumbents,
                                struct iso_error *reterr);
/* Stops a plan that runs or waits. Errors: ISO_E_NOT_FOUND, ISO_E_PRECONDITION (it has ended). */
enum iso_status iso_plan_stop(struct iso_api *api, const struct iso_principal *principal,
                              const char *id, const char *call_id, struct iso_error *reterr);
/* Makes the dispatcher look for queued plans. */
void iso_api_poke(struct iso_api *api);
void *iso_api_dispatch(void *argument);

/* --- plan_watch.c --- */
void iso_watch_wake(struct iso_api *api, const struct iso_principal *principal,
                    const char *plan_id);

/* --- plan_lines.c --- */
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
    iso_list_plan_lines, iso_stream_plan_lines, iso_export_plan;

#endif

/* The store: what survives a restart. Domain calls only; nobody outside server/store/ sees SQL.
 *
 * Two back-ends: SQLite (WAL, synchronous=FULL read back at open), for one process, and PostgreSQL,
 * for any number of them. On both: one writer thread with group commit, read connections apart. A
 * new kind of record is one migration in store_schema.c and one file store_KIND.c. Calls block the
 * caller (never call from a poller); a write returns after its commit is on disk. Every call is
 * safe from any thread. Strings in records returned by reads live in the arena given. */
#ifndef ISOCOST_SERVER_STORE_H
#define ISOCOST_SERVER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isocost/base/sha256.h"
#include "isocost/base/status.h"
#include "isocost/proto/arena.h"
#include "principal.h"

struct iso_store;

/* Opens or makes a store and runs migrations (checked by their checksums; refused on a newer
 * schema). `folder` is made when absent and has snapshots in `snapshots/`. `address` NULL: the
 * database is `isocost.db` in the folder; otherwise a postgres:// address, and the folder holds
 * nothing that cannot be fetched again. Errors: ISO_E_IO, ISO_E_UNAVAILABLE (no connection),
 * ISO_E_PRECONDITION (newer schema, in use by another isocostd, a server that does not do). */
ISO_EXPORT enum iso_status iso_store_open(const char *folder, const char *address,
                                          struct iso_store **ret_store, struct iso_error *reterr);
ISO_EXPORT void iso_store_close(struct iso_store *store); /* accepts NULL */

struct iso_bytes {
    const unsigned char *bytes;
    size_t n_bytes;
};

/* A message in its wire form, in the arena; without bytes when that is full. */
ISO_EXPORT struct iso_bytes iso_message_pack(const ProtobufCMessage *message,
                                             struct iso_arena *arena);

/* An audit entry; written in the same transaction as the change it is about. */
struct iso_audit {
    const char *action;     /* "plan.create", ... */
    const char *request_id; /* id of the call */
};

/* --- models: content-addressed packed isocost.v1.Model --- */
ISO_EXPORT enum iso_status iso_store_put_model(struct iso_store *store,
                                               const struct iso_principal *principal,
                                               const char *digest, struct iso_bytes model,
                                               const struct iso_audit *audit,
                                               struct iso_error *reterr);
/* Errors: ISO_E_NOT_FOUND. */
ISO_EXPORT enum iso_status iso_store_get_model(struct iso_store *store,
                                               const struct iso_principal *principal,
                                               const char *digest, struct iso_arena *arena,
                                               struct iso_bytes *ret_model,
                                               struct iso_error *reterr);

/* --- plans --- states are those of isocost.v1.PlanState */
struct iso_plan_record {
    const char *id; /* ULID */
    int state;
    int64_t create_ns, start_ns, end_ns; /* UTC; 0 = not yet */
    const char *request_id;              /* "" = none */
    const char *body_digest;             /* digest of the create request; for idempotency */
    const char *model_digest, *snapshot_digest;
    const char *labels;     /* "key=value\n" lines, for filters */
    int64_t etag;           /* rises with each change */
    struct iso_bytes plan;  /* packed isocost.v1.Plan without lines */
    struct iso_bytes lines; /* the API layer's encoding of all lines; may be empty */
    bool dead;              /* of a FAILED plan: its job was given up */
    bool incumbents;        /* of a new plan: as in struct iso_job_record */
};

/* Stores a new plan, its model and (when QUEUED) its job of `priority`, in one transaction. When
 * the principal's project has a plan with the same request_id: same body_digest gives the stored
 * record and *ret_existing = true; another gives ISO_E_EXISTS. A new plan's
 * *ret_record is `record`, strings and all. ISO_E_LIMIT: too many jobs wait. */
ISO_EXPORT enum iso_status
iso_store_create_plan(struct iso_store *store, const struct iso_principal *principal,
                      const struct iso_plan_record *record, int priority, struct iso_bytes model,
                      const struct iso_audit *audit, struct iso_arena *arena, bool *ret_existing,
                      struct iso_plan_record *ret_record, struct iso_error *reterr);

/* Replaces state, times, plan and lines of a plan whose attempt is `attempt` (fencing), in one
 * transaction with its job, one event and the audit row. attempt -1: whatever the attempt, if the
 * plan is QUEUED. Errors: ISO_E_NOT_FOUND, ISO_E_CONFLICT (another attempt, not QUEUED any more, or
 * the plan has ended). */
ISO_EXPORT enum iso_status iso_store_update_plan(struct iso_store *store,
                                                 const struct iso_principal *principal,
                                                 const struct iso_plan_record *record, int attempt,
                                                 const struct iso_audit *audit,
                                                 struct iso_error *reterr);
ISO_EXPORT enum iso_status iso_store_get_plan(struct iso_store *store,
                                              const struct iso_principal *principal, const char *id,
                                              bool with_lines, struct iso_arena *arena,
                                              struct iso_plan_record *ret_record,
                                              struct iso_error *reterr);

struct iso_plan_query {
    int state;         /* 0 = any */
    const char *label; /* "key=value", or NULL */
    bool oldest_first;
    int64_t after_create_ns; /* with after_id: continue after this plan; 0 = from the start */
    const char *after_id;
    int limit;
};
/* Records without lines, at most query->limit. */
ISO_EXPORT enum iso_status iso_store_list_plans(struct iso_store *store,
                                                const struct iso_principal *principal,
                                                const struct iso_plan_query *query,
                                                struct iso_arena *arena,
                                                struct iso_plan_record **ret_records,
                                                int *ret_n_records, struct iso_error *reterr);
/* etag 0 = any. Errors: ISO_E_NOT_FOUND, ISO_E_CONFLICT (etag), ISO_E_PRECONDITION (not ended). */
ISO_EXPORT enum iso_status iso_store_delete_plan(struct iso_store *store,
                                                 const struct iso_principal *principal,
                                                 const char *id, int64_t etag,
                                                 const struct iso_audit *audit,
                                                 struct iso_error *reterr);

/* --- jobs: what waits for a solver or is in the hands of one (store_job.c) --- */

/* A new kind is added at the end; its records are ended in store_KIND.c. */
enum iso_job_kind {
    ISO_JOB_KIND_PLAN = 1,
    ISO_JOB_KIND_RUN = 2, /* some scenarios of an evaluation */
};

/* Those that a plan has too are equal to isocost.v1.PlanState. */
enum iso_job_state {
    ISO_JOB_STATE_QUEUED = 1,
    ISO_JOB_STATE_RUNNING = 2,
    ISO_JOB_STATE_DONE = 3,
    ISO_JOB_STATE_FAILED = 4,
    ISO_JOB_STATE_CANCELLED = 5,
    ISO_JOB_STATE_DEAD = 6, /* given up: solvers die of it. Its plan is FAILED */
};

/* An attempt beyond this is not begun any more: something about the job ends whole processes. */
enum { ISO_JOB_MOST_ATTEMPTS = 20 };

struct iso_job_limits {
    int queued, queued_of_tenant; /* that may wait; 0: any number */
    int running_of_tenant;        /* at the same time, on all machines; 0: any number */
    double lease_s;               /* a job not heard of for so long is given to another process */
};
/* Call it before the store is used. Default: no limits, leases of 30 s. */
ISO_EXPORT void iso_store_set_job_limits(struct iso_store *store,
                                         const struct iso_job_limits *limits);

struct iso_job_record {
    struct iso_principal principal; /* who asked */
    enum iso_job_kind kind;
    const char *object_id;    /* of the plan or evaluation */
    int64_t part;             /* of the object, from 0 */
    int attempt, priority;    /* higher priorities come first */
    bool cancelled;           /* somebody asked to stop it */
    bool incumbents;          /* of a plan: its progress is kept with incumbents */
    const char *model_digest; /* of a plan */
};
/* Takes the job that is next: queued, or left by a process that was not heard of for the length of
 * a lease. It is RUNNING then, with the next attempt. *ret_found is false when there is none. */
ISO_EXPORT enum iso_status iso_store_claim_job(struct iso_store *store, struct iso_arena *arena,
                                               bool *ret_found, struct iso_job_record *ret_job,
                                               struct iso_error *reterr);
/* Renews the leases of all jobs that this process runs, and gives them. A job that is not among
 * them was lost to another process. */
ISO_EXPORT enum iso_status iso_store_heartbeat(struct iso_store *store, struct iso_arena *arena,
                                               struct iso_job_record **ret_jobs, int *ret_n_jobs,
                                               struct iso_error *reterr);
/* Back to the queue, with nothing held against it: this process stops. Does nothing when the job is
 * not this process's any more. */
ISO_EXPORT enum iso_status iso_store_release_job(struct iso_store *store,
                                                 const struct iso_job_record *job,
                                                 struct iso_error *reterr);
/* The attempt came to nothing. `died`: the solver died by itself or hit its memory limit; the third
 * such attempt, and the 20th attempt of any kind, is the last: then *ret_dead, the job is still
 * RUNNING, and the caller ends it. Otherwise it is back in the queue. Errors: ISO_E_CONFLICT
 * (another attempt). */
ISO_EXPORT enum iso_status iso_store_fail_attempt(struct iso_store *store,
                                                  const struct iso_job_record *job, bool died,
                                                  const char *error, bool *ret_dead,
                                                  struct iso_error *reterr);
/* Asks whoever runs the job to stop it. Errors: ISO_E_CONFLICT (nobody runs it). */
ISO_EXPORT enum iso_status iso_store_cancel_job(struct iso_store *store,
                                                const struct iso_job_record *job,
                                                struct iso_error *reterr);
/* At start, on SQLite: jobs left RUNNING by the process before go back to QUEUED; gives their
 * number. */
ISO_EXPORT enum iso_status iso_store_recover_jobs(struct iso_store *store, int *ret_n_jobs,
                                                  struct iso_error *reterr);
struct iso_job_counts {
    int64_t queued, running, dead;
    double oldest_s; /* since the oldest queued job was queued */
};
ISO_EXPORT enum iso_status iso_store_count_jobs(struct iso_store *store,
                                                struct iso_job_counts *ret_counts,
                                                struct iso_error *reterr);

/* --- hints: what other processes did (PostgreSQL); may be lost, and nobody relies on one --- */
struct iso_hint {
    char kind[16]; /* "job": queued; "cancel"; "plan", "evaluation": it has a new event */
    struct iso_principal principal; /* tenant and project */
    char id[64];                    /* of the job's object */
};
/* Waits for a hint; false when none came until the end of `timeout_ms` or iso_store_wake(). For one
 * thread. */
ISO_EXPORT bool iso_store_wait(struct iso_store *store, int timeout_ms, struct iso_hint *ret_hint);
ISO_EXPORT void iso_store_wake(struct iso_store *store);

/* --- events of plans, kept 24 h after the end; sequence rises from 1 for each plan --- */
struct iso_event_record {
    int64_t sequence;
    struct iso_bytes event; /* packed isocost.v1.WatchPlanResponse */
};
/* `attempt` of the job may add it; -1: any. Errors: ISO_E_NOT_FOUND, ISO_E_CONFLICT (another
 * attempt). */
ISO_EXPORT enum iso_status iso_store_append_event(struct iso_store *store,
                                                  const struct iso_principal *principal,
                                                  const char *plan_id, int attempt,
                                                  struct iso_bytes event, int64_t *ret_sequence,
                                                  struct iso_error *reterr);
ISO_EXPORT enum iso_status iso_store_list_events(struct iso_store *store,
                                                 const struct iso_principal *principal,
                                                 const char *plan_id, int64_t after_sequence,
                                                 int limit, struct iso_arena *arena,
                                                 struct iso_event_record **ret_events,
                                                 int *ret_n_events, struct iso_error *reterr);

/* --- sessions --- */
struct iso_session_record {
    const char *id;                             /* ULID */
    int64_t create_ns;                          /* UTC */
    int64_t etag;                               /* rises with each change, from 1 */
    const char *request_id;                     /* "" = none */
    const char *body_digest;                    /* digest of the create request; for idempotency */
    const char *model_digest, *snapshot_digest; /* that it began with, and needs */
    struct iso_bytes session; /* packed isocost.v1.Session; what is above replaces what it says */
};

/* Stores a new session. A request_id that was used: as for plans. */
ISO_EXPORT enum iso_status
iso_store_create_session(struct iso_store *store, const struct iso_principal *principal,
                         const struct iso_session_record *record, const struct iso_audit *audit,
                         struct iso_arena *arena, bool *ret_existing,
                         struct iso_session_record *ret_record, struct iso_error *reterr);
/* Errors: ISO_E_NOT_FOUND. */
ISO_EXPORT enum iso_status iso_store_get_session(struct iso_store *store,
                                                 const struct iso_principal *principal,
                                                 const char *id, struct iso_arena *arena,
                                                 struct iso_session_record *ret_record,
                                                 struct iso_error *reterr);
/* Replaces the content of a session whose etag is record->etag, which then is one higher. Errors:
 * ISO_E_NOT_FOUND, ISO_E_CONFLICT. */
ISO_EXPORT enum iso_status iso_store_update_session(struct iso_store *store,
                                                    const struct iso_principal *principal,
                                                    const struct iso_session_record *record,
                                                    const struct iso_audit *audit,
                                                    struct iso_error *reterr);
/* etag 0 = any. Errors: ISO_E_NOT_FOUND, ISO_E_CONFLICT. */
ISO_EXPORT enum iso_status iso_store_delete_session(struct iso_store *store,
                                                    const struct iso_principal *principal,
                                                    const char *id, int64_t etag,
                                                    const struct iso_audit *audit,
                                                    struct iso_error *reterr);
/* Newest first, at most `limit`, those before a session; before_create_ns 0 = from the newest. */
ISO_EXPORT enum iso_status iso_store_list_sessions(struct iso_store *store,
                                                   const struct iso_principal *principal,
                                                   int64_t before_create_ns, const char *before_id,
                                                   int limit, struct iso_arena *arena,
                                                   struct iso_session_record **ret_records,
                                                   int *ret_n_records, struct iso_error *reterr);

/* --- evaluations: scenarios in runs, which are jobs; kept for a day after their end --- */
struct iso_evaluation_record {
    const char *id;                             /* ULID */
    int64_t create_ns, end_ns;                  /* UTC; end 0 = not yet */
    const char *request_id;                     /* of a new one; "" = none */
    const char *body_digest;                    /* of its request; for idempotency */
    const char *model_digest, *snapshot_digest; /* of the base; the model is stored */
    int n_scenarios;
    int n_done, n_same;             /* results; of these, that are another scenario's */
    int64_t cpu_us;                 /* of solver processes, for all results */
    int n_running;                  /* runs in the hands of some process */
    struct iso_principal principal; /* who asked; of records that are read */
};
enum { ISO_EVALUATION_ID_SIZE = 65 };
/* Stores a new evaluation with its first event (`accepted`, sequence 1) and its runs, each with a
 * job of `priority`; run i is part i. A request_id that was used: as for plans; `ret_existing` is
 * the id of that evaluation, "" when this one is new. Errors: ISO_E_LIMIT: `most_open` evaluations
 * of the tenant have not ended. */
ISO_EXPORT enum iso_status
iso_store_create_evaluation(struct iso_store *store, const struct iso_principal *principal,
                            const struct iso_evaluation_record *record, struct iso_bytes accepted,
                            const struct iso_bytes *runs, int n_runs, int priority, int most_open,
                            const struct iso_audit *audit,
                            char ret_existing[ISO_EVALUATION_ID_SIZE], struct iso_error *reterr);
/* What a job of kind ISO_JOB_KIND_RUN is to do. Errors: ISO_E_NOT_FOUND. */
ISO_EXPORT enum iso_status iso_store_get_run(struct iso_store *store,
                                             const struct iso_job_record *job,
                                             struct iso_arena *arena, struct iso_bytes *ret_run,
                                             struct iso_error *reterr);
struct iso_scenario_answer {
    int64_t place;          /* of the scenario; a place has one result, whoever solves it */
    const char *digest;     /* of its model; "": another scenario has the same, or there is none */
    bool same;              /* it is another scenario's answer */
    int64_t cpu_us;         /* of solver processes, for this one */
    struct iso_bytes event; /* packed isocost.v1.EvaluationEvent; its sequence is the record's */
};
/* Adds the result of a scenario. Errors: ISO_E_EXISTS (the place has one), ISO_E_CONFLICT (the job
 * is not at this attempt any more, or the evaluation has ended). */
ISO_EXPORT enum iso_status iso_store_add_answer(struct iso_store *store,
                                                const struct iso_job_record *job,
                                                const struct iso_scenario_answer *answer,
                                                struct iso_error *reterr);
/* The answer of the scenario whose model has this digest: *ret_event without bytes when there is
 * none yet. */
ISO_EXPORT enum iso_status
iso_store_find_answer(struct iso_store *store, const struct iso_principal *principal,
                      const char *id, const char *digest, struct iso_arena *arena,
                      struct iso_bytes *ret_event, struct iso_error *reterr);
/* Places that have a result, in order. */
ISO_EXPORT enum iso_status iso_store_list_answered(struct iso_store *store,
                                                   const struct iso_principal *principal,
                                                   const char *id, struct iso_arena *arena,
                                                   int64_t **ret_places, int *ret_n_places,
                                                   struct iso_error *reterr);
/* Ends a job of kind ISO_JOB_KIND_RUN; does nothing when it is not at this attempt any more. */
ISO_EXPORT enum iso_status iso_store_end_run(struct iso_store *store,
                                             const struct iso_job_record *job,
                                             enum iso_job_state state, struct iso_error *reterr);
/* Adds the last event to an evaluation that has `n_done` results. Runs that wait are cancelled, and
 * those that are solved are asked to stop. Does nothing when the evaluation has ended. Errors:
 * ISO_E_CONFLICT (it has another number of results). */
ISO_EXPORT enum iso_status
iso_store_end_evaluation(struct iso_store *store, const struct iso_principal *principal,
                         const char *id, int n_done, struct iso_bytes event,
                         const struct iso_audit *audit, struct iso_error *reterr);
/* Errors: ISO_E_NOT_FOUND. */
ISO_EXPORT enum iso_status iso_store_get_evaluation(struct iso_store *store,
                                                    const struct iso_principal *principal,
                                                    const char *id, struct iso_arena *arena,
                                                    struct iso_evaluation_record *ret_record,
                                                    struct iso_error *reterr);
/* Sequences rise by 1 from 1, without gaps, in the order in which they can be seen. */
ISO_EXPORT enum iso_status
iso_store_list_evaluation_events(struct iso_store *store, const struct iso_principal *principal,
                                 const char *id, int64_t after_sequence, int limit,
                                 struct iso_arena *arena, struct iso_event_record **ret_events,
                                 int *ret_n_events, struct iso_error *reterr);

/* --- snapshots: the file is written first (snapshot_file.h), then this row makes it known --- */
struct iso_snapshot_record {
    const char *digest;
    int64_t create_ns;
    struct iso_bytes snapshot;    /* packed isocost.v1.Snapshot */
    struct iso_bytes diagnostics; /* packed isocost.v1.ListDiagnosticsResponse */
    const char *file; /* PostgreSQL: digest of the bytes of its file; filled in by the store */
};
/* Makes the snapshot the current one of the tenant (public snapshots: tenant "*"). A tenant with no
 * snapshot of its own, or whose newest one is public too, follows the public ones. */
ISO_EXPORT enum iso_status iso_store_put_snapshot(struct iso_store *store,
                                                  const struct iso_principal *principal,
                                                  const struct iso_snapshot_record *record,
                                                  const struct iso_audit *audit,
                                                  struct iso_error *reterr);
/* digest "" = the current one. Errors: ISO_E_NOT_FOUND. */
ISO_EXPORT enum iso_status iso_store_get_snapshot(struct iso_store *store,
                                                  const struct iso_principal *principal,
                                                  const char *digest, struct iso_arena *arena,
                                                  struct iso_snapshot_record *ret_record,
                                                  struct iso_error *reterr);
/* Newest first, each digest once, those of the tenant and public ones; without diagnostics.
 * before_create_ns 0 = from the newest. */
ISO_EXPORT enum iso_status iso_store_list_snapshots(struct iso_store *store,
                                                    const struct iso_principal *principal,
                                                    int64_t before_create_ns, int limit,
                                                    struct iso_arena *arena,
                                                    struct iso_snapshot_record **ret_records,
                                                    int *ret_n_records, struct iso_error *reterr);
/* Tenants, other than "*", that have had a snapshot of their own, in the arena. */
ISO_EXPORT enum iso_status iso_store_list_snapshot_tenants(struct iso_store *store,
                                                           struct iso_arena *arena,
                                                           const char ***ret_tenants,
                                                           int *ret_n_tenants,
                                                           struct iso_error *reterr);
/* Opens the file of a snapshot that was read from the store, fetching it from the database when
 * this machine does not have it. The caller closes it. Errors: ISO_E_NOT_FOUND, ISO_E_IO. */
ISO_EXPORT enum iso_status iso_store_open_snapshot(struct iso_store *store,
                                                   const struct iso_snapshot_record *record,
                                                   int *ret_fd, struct iso_error *reterr);
/* Absolute path of the folder of all snapshot files, in the arena. */
ISO_EXPORT const char *iso_store_snapshot_folder(const struct iso_store *store,
                                                 struct iso_arena *arena);
/* Absolute path at which a new snapshot's file is written before iso_store_put_snapshot() (whether
 * or not it exists), in the arena. NULL when `digest` is not `sha256:` and 64 lower-case hex
 * digits. */
ISO_EXPORT const char *iso_store_snapshot_path(const struct iso_store *store, const char *digest,
                                               struct iso_arena *arena);

/* --- looking after a store --- */

/* Whether other processes can use the store too: its name is a postgres:// address, not a folder.
 */
ISO_EXPORT bool iso_store_is_shared(const char *name);

/* What goes with time. Audit rows stay. */
struct iso_retention {
    double events_s;  /* events of a plan, after its end */
    double plans_s;   /* plans, after their end; 0: for ever */
    double unused_s;  /* models and snapshots that no plan needs, of this age; 0: for ever */
    double records_s; /* usage and costs that began so long ago; 0: for ever */
};
#define ISO_RETENTION_INIT                                                        \
    {                                                                             \
        .events_s = 86400, .plans_s = 0, .unused_s = 30 * 86400.0, .records_s = 0 \
    }
struct iso_pruned {
    int64_t events, plans, models, snapshots, files, chunks;
    int64_t records; /* of usage, costs and what ran; those that were replaced too */
};
/* Removes what is older, some hundred rows at a time, so that others can write in between. */
ISO_EXPORT enum iso_status iso_store_prune(struct iso_store *store,
                                           const struct iso_retention *retention,
                                           struct iso_pruned *ret_pruned, struct iso_error *reterr);

struct iso_copied {
    int64_t rows, files;
};
/* Copies the store `from` (a folder or an address), which may be in use, into the empty store `to`:
 * all of it or nothing, and read back. Errors: ISO_E_PRECONDITION (not empty; another schema),
 * ISO_E_IO, ISO_E_UNAVAILABLE. */
ISO_EXPORT enum iso_status iso_store_copy(const char *from, const char *to,
                                          struct iso_copied *ret_copied, struct iso_error *reterr);

struct iso_check {
    int n_problems;
    char first[128]; /* of the problems, in words */
    int64_t audit_rows, snapshots;
};
/* Looks whether pages, audit chain, plans, jobs and files of snapshots are whole. */
ISO_EXPORT enum iso_status iso_store_check(struct iso_store *store, struct iso_check *ret_check,
                                           struct iso_error *reterr);

#endif

/* What the files of the store share: transactions on the writer thread and on read connections. */
#ifndef ISOCOST_SERVER_STORE_INTERNAL_H
#define ISOCOST_SERVER_STORE_INTERNAL_H

#include <pthread.h>

#include "sql.h"

enum { ISO_STORE_READERS = 4 };

struct iso_write_request;

struct iso_store {
    char *folder;        /* absolute */
    int lock_fd;         /* of the folder; -1: PostgreSQL */
    int64_t incarnation; /* tells rows of this process from those of others */
    char *address;       /* of PostgreSQL; NULL: SQLite */
    char *target;        /* what connections are opened to */
    struct iso_job_limits limits;
    struct iso_sql *writer;   /* of the writer thread, once that runs */
    struct iso_sql *listener; /* of the thread that waits for hints; NULL: not yet */
    bool listening;
    int wake_fd;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t work, reader_free;
    struct iso_write_request *first, **last;
    bool stop, writer_runs;
    int n_waiting;    /* requests from `first` on */
    int most_batched; /* writes in one commit; 0: all that wait */
    struct iso_sql *readers[ISO_STORE_READERS];
    int n_readers; /* that nobody uses now */
    int n_opened;  /* of them and those in use; the next is opened when one is missed */
    pthread_t thread;
};

/* store_write.c, for store_open.c */
enum iso_status iso_store_start_writer(struct iso_store *store, struct iso_error *reterr);
void iso_store_stop_writer(struct iso_store *store);

/* What is done in one transaction. */
typedef enum iso_status iso_store_body(struct iso_sql *sql, void *context,
                                       struct iso_error *reterr);

/* Runs `body` on the writer thread, in a savepoint of the next commit, and returns when that commit
 * is on disk. Writes of all processes come one after the other: `body` may add audit rows and trust
 * what it counted. `body` may run twice (a commit that fails is taken apart), so it writes its
 * results to `context` afresh each time; the caller copies them out on ISO_OK only. */
enum iso_status iso_store_write(struct iso_store *store, iso_store_body *body, void *context,
                                struct iso_error *reterr);

/* The same beside writes of other processes (PostgreSQL): for what adds no audit row and stands
 * alone, such as claims and heartbeats. */
enum iso_status iso_store_write_beside(struct iso_store *store, iso_store_body *body, void *context,
                                       struct iso_error *reterr);

/* For measurements: at most `n` writes in one commit. */
void iso_store_set_most_batched(struct iso_store *store, int n);

/* Runs `body` on a read connection, on one state of the database. */
enum iso_status iso_store_read(struct iso_store *store, iso_store_body *body, void *context,
                               struct iso_error *reterr);

int64_t iso_store_now_ns(void); /* UTC */

/* Adds the audit row of a change to the chain; does nothing when `audit` is NULL. */
enum iso_status iso_store_audit(struct iso_sql *sql, const struct iso_principal *principal,
                                const struct iso_audit *audit, const char *object,
                                struct iso_error *reterr);

/* Tenant, project, subject, action, object and request id of a row, in this order. */
enum { ISO_AUDIT_FIELDS = 6 };
/* The hash of a row from that of the one before; `ret_hash` may be `previous`. */
void iso_store_audit_hash(const unsigned char previous[ISO_SHA256_BYTES],
                          const char *const fields[ISO_AUDIT_FIELDS], int64_t at_ns,
                          unsigned char ret_hash[ISO_SHA256_BYTES]);

/* Reads the rows (sequence, event) of a statement into `events`, which has room for them. */
enum iso_status iso_store_read_events(struct iso_statement *statement, struct iso_arena *arena,
                                      struct iso_event_record *events, int *ret_n_events,
                                      struct iso_error *reterr);

/* Adds a model unless it is there. */
enum iso_status iso_store_insert_model(struct iso_sql *sql, const struct iso_principal *principal,
                                       const char *digest, struct iso_bytes model,
                                       struct iso_error *reterr);

/* Adds the next event of a plan. */
enum iso_status iso_store_insert_event(struct iso_sql *sql, const struct iso_principal *principal,
                                       const char *plan_id, struct iso_bytes event,
                                       int64_t *ret_sequence, struct iso_error *reterr);
/* The sequence that iso_store_insert_event() would give. */
enum iso_status iso_store_next_event(struct iso_sql *sql, const struct iso_principal *principal,
                                     const char *plan_id, int64_t *ret_sequence,
                                     struct iso_error *reterr);
/* ISO_E_LIMIT when the arena refused an allocation. */
enum iso_status iso_store_check_arena(const struct iso_arena *arena, struct iso_error *reterr);

struct iso_migration {
    int version;                   /* 1, 2, ... without gaps */
    const char *tables;            /* for both, in SQLite's words */
    const char *sqlite, *postgres; /* what only one of them has; run after `tables` */
};
/* Brings the database to the newest of `migrations`, in one transaction; `backup_prefix` names the
 * copy that is made of an existing SQLite database first. Errors: ISO_E_PRECONDITION, ISO_E_IO. */
enum iso_status iso_store_migrate(struct iso_sql *sql, const struct iso_migration *migrations,
                                  int n_migrations, const char *backup_prefix,
                                  struct iso_error *reterr);

/* Fails unless the database has the newest schema. */
enum iso_status iso_store_check_version(struct iso_sql *sql, struct iso_error *reterr);

extern const struct iso_migration iso_store_migrations[];
extern const int iso_store_n_migrations;

/* --- jobs --- */

/* Adds a job to the queue, however deep it is; tells nobody. */
enum iso_status iso_store_queue_job(struct iso_sql *sql, const struct iso_job_record *job,
                                    struct iso_error *reterr);
/* Adds the job of a plan and tells others. In a transaction in turn: the depth of the queue is
 * counted. Errors: ISO_E_LIMIT. */
enum iso_status iso_store_insert_job(struct iso_store *store, struct iso_sql *sql,
                                     const struct iso_job_record *job, struct iso_error *reterr);
/* Finds a job and keeps others from changing it until the end of the transaction. */
enum iso_status iso_store_lock_job(struct iso_sql *sql, const struct iso_job_record *job,
                                   bool *ret_found, int *ret_state, int *ret_attempt,
                                   struct iso_error *reterr);
enum iso_status iso_store_end_job(struct iso_sql *sql, const struct iso_job_record *job,
                                  enum iso_job_state state, struct iso_error *reterr);

/* --- files of snapshots on PostgreSQL --- */

/* Puts a file in the database, in chunks, unless it is there; gives the digest of its bytes. */
enum iso_status iso_store_share_file(struct iso_store *store, const char *path,
                                     char ret_file[ISO_DIGEST_TEXT_SIZE], int64_t *ret_n_chunks,
                                     struct iso_error *reterr);
/* Names the file of a snapshot. Errors: ISO_E_UNAVAILABLE (it has not so many chunks). */
enum iso_status iso_store_insert_file(struct iso_sql *sql, const char *digest, const char *file,
                                      int64_t n_chunks, struct iso_error *reterr);
/* Every snapshot once, whosever it is; digest and file only. */
enum iso_status iso_store_list_all_snapshots(struct iso_store *store, struct iso_arena *arena,
                                             struct iso_snapshot_record **ret_records,
                                             int *ret_n_records, struct iso_error *reterr);

/* Tells other processes, once the transaction is committed, that an object changed. */
enum iso_status iso_store_tell(struct iso_sql *sql, const char *kind,
                               const struct iso_principal *principal, const char *id,
                               struct iso_error *reterr);

#endif

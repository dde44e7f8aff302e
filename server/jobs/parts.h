/* What the files of the supervisor share.
 *
 *   submit ─► incoming ─► lane ─► child ─► mail ─► worker: decode, verify ─► done
 *
 * One lock guards everything below except what a comment excepts. The loop thread owns sockets,
 * timers and the life of children. Workers do what takes long, without the lock: resolving,
 * verifying, writing plans. The mail of one job is handled by one worker at a time, in order; the
 * answer to a stop does not wait for it.
 *
 * Callbacks run under the job's `delivery` mutex and never under the lock, so they may call
 * submit, stop and release. Order of locking: delivery, then the lock. */
#ifndef ISOCOST_SERVER_JOBS_PARTS_H
#define ISOCOST_SERVER_JOBS_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "answer.h"
#include "isocost/proto/frame.h"
#include "supervisor.h"

#define INTERACTIVE_LIMIT_S 5.0   /* longer jobs go to the batch lane */
#define DEFAULT_TIME_LIMIT_S 60.0 /* as the contract says */
#define ANSWER_WITHIN_S 0.08      /* after a stop: of the 100 ms promised */
#define OVERRUN_S 0.5             /* that a child may take beyond its time limit */
#define OBEY_WITHIN_S 1.0         /* after a stop, or be killed */
#define HEARTBEAT_S 0.9           /* of the second promised */
#define PROGRESS_EVERY_S 0.1
#define INCUMBENT_EVERY_S 1.0
#define GROWTH_BYTES (256ll << 20) /* of a child's own memory before it is replaced */
#define MAIL_BYTES (64u << 20)     /* unread of one job before its child is not read any more */
#define AT_ONCE_S 1.0              /* a child that dies this young counts as a failed start */
#define FAILED_STARTS 5            /* in a row: jobs are refused rather than left waiting */
#define ARENA_BYTES ((size_t)2 << 30)
#define MOST_LINE_BYTES ((size_t)1 << 20) /* of the lines that a plan has with it */

/* Log levels of struct iso_supervisor_config. */
enum level { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARNING, LEVEL_ERROR };

/* A snapshot that several jobs read. */
struct shared_snapshot {
    struct iso_snapshot *snapshot;
    dev_t device;
    ino_t inode;
    int refs;
};

/* A plan that the verifier let through. Constant once it is a job's best. */
struct verified {
    int refs;
    struct iso_plan *plan;
    struct iso_verdict verdict;
    double cpu_seconds, peak_memory_mib;
};

/* A message that is written while its plan is verified. */
struct early {
    struct iso_job *job;
    const struct iso_plan *plan;
    enum iso_stop stop;
    bool begun;
    pthread_t thread;
    struct iso_arena *arena;
    Isocost__V1__Plan *message; /* in `arena`, not certified; NULL: none was written */
    unsigned char *lines;       /* its lines packed, in `arena`, or NULL */
    size_t n_line_bytes;
};

/* Something for a worker to read. */
enum mail_kind { MAIL_EVENT, MAIL_DEATH };
struct mail {
    TAILQ_ENTRY(mail) link;
    enum mail_kind kind;
    uint32_t event; /* MAIL_EVENT: oneof number of the SolverEvent in `bytes` */
    bool memory;    /* MAIL_DEATH: it seems to have hit its memory limit */
    bool by_itself; /* MAIL_DEATH: nobody here killed it */
    char cause[96]; /* MAIL_DEATH: "died (signal 9)" */
    size_t n_bytes;
    unsigned char bytes[];
};

enum job_state { JOB_INCOMING, JOB_QUEUED, JOB_RUNNING, JOB_ANSWERED };

#define ISO_AFFINITY_WAIT_S 0.05 /* that a job of a row waits for the process it comes back to */

struct child;

struct iso_job {
    struct iso_supervisor *supervisor; /* holds a reference */
    int refs;                          /* of the caller, the supervisor, a child, workers */
    /* Constant after submit. */
    enum iso_job_mode mode;
    char model_digest[ISO_DIGEST_TEXT_SIZE]; /* "": not known */
    bool batch, incumbents, all_lines;
    uint64_t affinity;
    char owner[2 * sizeof(((struct iso_principal *)NULL)->tenant)]; /* tenant/project; "": nobody */
    char *tier;
    void *context;
    void (*accepted)(void *context, int queue_position);
    void (*progress)(void *context, const Isocost__V1__SolveProgress *progress);
    void (*export_chunk)(void *context, const unsigned char *bytes, size_t n_bytes);
    void (*done)(void *context, const struct iso_job_result *result);
    struct iso_arena *model_arena; /* has `model`; may be shared with the caller */
    const Isocost__V1__Model *model;
    struct iso_arena *arena; /* of the one worker that resolves */
    int snapshot_fd;         /* -1: none */
    int32_t today;           /* of the submission, in days since 1970, UTC */
    dev_t snapshot_device;
    ino_t snapshot_inode;
    double submitted_s, deadline_s, limit_s; /* deadline_s: INFINITY: none */

    enum job_state state;
    TAILQ_ENTRY(iso_job) link;      /* in `jobs`, until answered */
    TAILQ_ENTRY(iso_job) lane_link; /* in `incoming` or a lane */
    struct child *child;            /* that works on it, or whose answer is being verified */

    double started_s, answer_at_s; /* RUNNING: the deadline's answer; INFINITY: none */
    enum iso_stop stop_asked;      /* by the caller or the deadline; 0: none */
    bool shutdown;                 /* asked because the supervisor stops */
    bool stop_sent;
    double answer_by_s; /* after stop_sent */
    bool answer_given;  /* its answer from the best so far was put in hand */

    /* Work for workers. */
    bool mail_listed, mail_running; /* in `mail_jobs`; in a worker's hands */
    bool answer_listed;             /* in `answer_jobs` */
    TAILQ_ENTRY(iso_job) mail_link, answer_link;
    TAILQ_HEAD(mail_list, mail) mail;
    size_t mail_bytes;

    /* Resolving: done by one worker, read by others after `resolve_ended`. */
    bool resolve_ended;
    enum iso_status resolve_status;
    struct iso_error resolve_error;
    struct iso_violations violations;
    struct iso_resolved *resolved; /* NULL: not yet, or failed */
    struct shared_snapshot *snapshot;

    struct verified *best; /* newest */
    int best_version, published_version;
    double published_s;

    bool has_progress, progress_changed;
    struct iso_job_progress {
        int32_t tier, priority, worst;
        bool has_value;
        double value, bound;
        int64_t iterations, nodes;
    } newest;
    double progress_s; /* when last told */

    pthread_mutex_t delivery; /* held during callbacks */
    bool done_delivered;      /* under `delivery` */

    int n_dropped; /* references that the loop gives up when it leaves the lock */
    TAILQ_ENTRY(iso_job) dropped_link;
};

TAILQ_HEAD(job_list, iso_job);

enum child_state {
    CHILD_NONE,
    CHILD_IDLE,
    CHILD_BUSY,
    CHILD_CHECKING, /* it said Done; its answer is being verified */
    CHILD_DYING,    /* killed or gone; to be reaped */
};

struct child {
    enum child_state state;
    pid_t pid;
    int pid_fd, fd;
    struct iso_frame_reader *reader;
    struct iso_frame_writer *writer;
    uint64_t request_id;
    struct iso_job *job; /* BUSY, CHECKING, DYING: until answered; holds a reference */
    bool batch;          /* BUSY: lane of its job */
    bool condemned;      /* kill it when it is not busy */
    bool checked;        /* CHECKING: its answer was read */
    bool asked_to_die;   /* by us, for `cause` */
    char cause[96];
    double spawned_s, used_s, kill_at_s; /* kill_at_s: INFINITY: never */
    int n_solved;
    int64_t first_own_bytes; /* own memory after the first job; 0: no job yet */
    dev_t snapshot_device;
    ino_t snapshot_inode;
    uint64_t affinity; /* of the job before; 0: none */
};

struct iso_supervisor {
    _Atomic int refs; /* the owner and every job */
    /* Constant after start. */
    char *solver_path;
    int n_busy_most, n_batch_most, n_children, n_workers, queue_bound, recycle_after;
    int n_processes;
    int64_t memory_bytes, past_bytes;
    void (*log)(int level, const char *text);
    int wake_fd;

    pthread_mutex_t lock;
    pthread_cond_t work;    /* for workers */
    pthread_cond_t changed; /* for start and stop: a job ended, or the loop began */
    pthread_t loop, *workers;
    bool loop_began;
    enum iso_status first_spawn;
    struct iso_error first_spawn_error;
    bool draining, stop_all, quit_loop, quit_workers;

    struct child *children;
    struct pollfd *poll_entries;              /* of the loop: 1 + 2 n_children */
    struct job_list jobs, incoming, lanes[2]; /* lanes: interactive, batch */
    struct job_list mail_jobs, answer_jobs, dropped;
    int n_jobs;    /* in `jobs` */
    int n_waiting; /* incoming and in lanes */
    int n_mail_workers;
    uint64_t last_request_id;
    struct shared_snapshot *kept_snapshot;
    struct iso_resolve_cache *resolve_cache; /* has a lock of its own */

    int n_failed_starts; /* in a row */
    double spawn_not_before_s;
    int64_t n_solves, n_kills, n_respawns, n_rejected;
};

/* supervisor.c */
double iso_supervisor_now(void); /* seconds, CLOCK_MONOTONIC */
void iso_supervisor_wake(struct iso_supervisor *supervisor);
__attribute__((format(printf, 3, 4))) void
iso_supervisor_log(struct iso_supervisor *supervisor, enum level level, const char *format, ...);
void iso_supervisor_unref(struct iso_supervisor *supervisor);

/* job.c; the lock is held unless said otherwise */
void iso_job_ref(struct iso_job *job);
void iso_job_unref_unlocked(struct iso_job *job); /* without the lock */
void iso_job_drop(struct iso_job *job); /* gives up a reference soon; for the loop thread */
void iso_job_post(struct iso_job *job, struct mail *mail); /* takes the mail */
void iso_job_list_mail(struct iso_job *job);
void iso_job_list_answer(struct iso_job *job);
struct mail *iso_mail_new(size_t n_bytes);
bool iso_job_has_ended(struct iso_job *job); /* without the lock */
/* Calls `done` unless it was; without the lock. */
void iso_job_deliver_done(struct iso_job *job, const struct iso_job_result *result);

/* work.c */
void *iso_worker_main(void *supervisor);

/* finish.c; on a worker, without the lock. Each ends the job unless it has ended. */
void iso_job_finish_stopped(struct iso_job *job); /* from the best, for job->stop_asked */
void iso_job_finish_dead(struct iso_job *job, const struct mail *death);
/* From the best with `why_not` as warning; or with `why_not` as error. */
void iso_job_finish_failed(struct iso_job *job, enum iso_stop stop, const struct iso_error *why_not,
                           const struct iso_violations *violations);
/* `early` may have the message already. */
void iso_job_finish_solved(struct iso_job *job, const struct verified *verified,
                           const struct early *early);
/* The public message of a plan with another end, not certified; NULL when memory is short. */
Isocost__V1__Plan *iso_job_write_plan(const struct iso_job *job, const struct iso_plan *plan,
                                      enum iso_reason reason, enum iso_stop stop,
                                      struct iso_arena *arena);
/* What stopped the search, as the caller is told. */
enum iso_stop iso_job_own_stop(struct iso_job *job, enum iso_stop childs);
void iso_job_finish_without_plan(struct iso_job *job, const Isocost__Internal__V1__Stats *stats);
/* Tells the best plan as progress, if it is new. */
void iso_job_publish(struct iso_job *job);
/* Value, bound and gap of a stage, where they are known. */
void iso_progress_numbers(Isocost__V1__SolveProgress *message, bool has_value, double value,
                          double bound);

/* early.c; on a worker. Begins when the plan (an argument that is a struct early) can be read. */
void iso_early_begin(void *early);
void iso_early_end(struct early *early);  /* waits; the message is there then, or never */
void iso_early_fini(struct early *early); /* waits, and frees the message */

/* child.c; on the loop thread, the lock held */
enum iso_status iso_child_spawn(struct iso_supervisor *supervisor, struct child *child,
                                struct iso_error *reterr);
void iso_child_kill(struct iso_supervisor *supervisor, struct child *child, const char *cause);
bool iso_child_reap(struct iso_supervisor *supervisor, struct child *child, bool wait);
/* Its process has ended: reads what it still said, and reaps it. */
void iso_child_gone(struct iso_supervisor *supervisor, struct child *child);
int64_t iso_child_own_bytes(const struct child *child); /* not shared with others */
void iso_supervisor_delay_spawn(struct iso_supervisor *supervisor);

/* dispatch.c; on the loop thread, the lock held */
void iso_dispatch(struct iso_supervisor *supervisor, double now);
void iso_child_read(struct iso_supervisor *supervisor, struct child *child);
void iso_child_flush(struct iso_supervisor *supervisor, struct child *child);
void iso_child_send_stop(struct iso_supervisor *supervisor, struct child *child,
                         enum iso_stop stop);
void iso_child_now_idle(struct iso_supervisor *supervisor, struct child *child);

/* loop.c */
void *iso_loop_main(void *supervisor);

#endif

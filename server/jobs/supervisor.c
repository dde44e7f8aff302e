#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "isocost/proto/arena.h"
#include "isocost/proto/day.h"
#include "parts.h"
#include "stored.h"

#define DEFAULT_MEMORY_BYTES (1ll << 30)
#define DEFAULT_RECYCLE_AFTER 500

double iso_supervisor_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void iso_supervisor_wake(struct iso_supervisor *supervisor)
{
    const uint64_t one = 1;
    ssize_t n;
    do
        n = write(supervisor->wake_fd, &one, sizeof(one));
    while (n < 0 && errno == EINTR);
}

void iso_supervisor_log(struct iso_supervisor *supervisor, enum level level, const char *format,
                        ...)
{
    char text[640];
    va_list arguments;

    if (!supervisor->log)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    supervisor->log((int)level, text);
}

void iso_supervisor_unref(struct iso_supervisor *supervisor)
{
    if (atomic_fetch_sub(&supervisor->refs, 1) > 1)
        return;
    if (supervisor->wake_fd >= 0)
        close(supervisor->wake_fd);
    if (supervisor->kept_snapshot) {
        iso_snapshot_free(supervisor->kept_snapshot->snapshot);
        free(supervisor->kept_snapshot);
    }
    iso_resolve_cache_free(supervisor->resolve_cache);
    pthread_cond_destroy(&supervisor->work);
    pthread_cond_destroy(&supervisor->changed);
    pthread_mutex_destroy(&supervisor->lock);
    free(supervisor->workers);
    free(supervisor->children);
    free(supervisor->poll_entries);
    free(supervisor->solver_path);
    free(supervisor);
}

static void init_locks(struct iso_supervisor *supervisor)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&supervisor->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&supervisor->work, &attributes);
    pthread_cond_init(&supervisor->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* Batch jobs leave one solver to the interactive ones, where there are any; with a single solver
 * that one is extra. One process more is always warm, so that a kill makes nobody wait for a start.
 */
static void size_pool(struct iso_supervisor *supervisor, int n_solvers, bool batch_only)
{
    supervisor->n_batch_most = batch_only || n_solvers == 1 ? n_solvers : n_solvers - 1;
    supervisor->n_busy_most = batch_only ? n_solvers : supervisor->n_batch_most + 1;
    supervisor->n_children = supervisor->n_busy_most + 1;
    supervisor->n_workers = supervisor->n_busy_most + 1;
}

static struct iso_supervisor *new_supervisor(const struct iso_supervisor_config *config)
{
    struct iso_supervisor *supervisor = iso_calloc(1, sizeof(*supervisor));
    if (!supervisor)
        return NULL;
    supervisor->refs = 1;
    init_locks(supervisor);
    size_pool(supervisor, config->n_solvers, config->batch_only);
    supervisor->queue_bound = config->queue_bound;
    supervisor->recycle_after =
        config->recycle_after > 0 ? config->recycle_after : DEFAULT_RECYCLE_AFTER;
    supervisor->n_processes = config->n_processes > 0 ? config->n_processes : 1;
    supervisor->past_bytes = config->past_bytes;
    supervisor->memory_bytes =
        config->memory_bytes > 0 ? config->memory_bytes : DEFAULT_MEMORY_BYTES;
    supervisor->log = config->log;
    struct job_list *const lists[] = {&supervisor->jobs,      &supervisor->incoming,
                                      &supervisor->lanes[0],  &supervisor->lanes[1],
                                      &supervisor->mail_jobs, &supervisor->answer_jobs,
                                      &supervisor->dropped};
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(lists); i++)
        TAILQ_INIT(lists[i]);
    size_t n = (size_t)supervisor->n_children;
    supervisor->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    supervisor->solver_path = iso_strdup(config->solver_path);
    supervisor->resolve_cache = iso_resolve_cache_new(ISO_RESOLVE_CACHE_BYTES);
    supervisor->children = iso_calloc(n, sizeof(*supervisor->children));
    supervisor->poll_entries = iso_calloc(1 + 2 * n, sizeof(*supervisor->poll_entries));
    supervisor->workers = iso_calloc((size_t)supervisor->n_workers, sizeof(*supervisor->workers));
    if (supervisor->wake_fd < 0 || !supervisor->solver_path || !supervisor->resolve_cache ||
        !supervisor->children || !supervisor->poll_entries || !supervisor->workers) {
        iso_supervisor_unref(supervisor);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        supervisor->children[i] = (struct child){.fd = -1, .pid_fd = -1, .kill_at_s = INFINITY};
    return supervisor;
}

/* Ends the threads that were started. No job is left. */
static void join_threads(struct iso_supervisor *supervisor, bool with_loop, int n_workers)
{
    pthread_mutex_lock(&supervisor->lock);
    supervisor->quit_loop = true;
    iso_supervisor_wake(supervisor);
    pthread_mutex_unlock(&supervisor->lock);
    if (with_loop)
        pthread_join(supervisor->loop, NULL);

    pthread_mutex_lock(&supervisor->lock);
    supervisor->quit_workers = true;
    pthread_cond_broadcast(&supervisor->work);
    pthread_mutex_unlock(&supervisor->lock);
    for (int i = 0; i < n_workers; i++)
        pthread_join(supervisor->workers[i], NULL);
}

static enum iso_status start_threads(struct iso_supervisor *supervisor, struct iso_error *reterr)
{
    int n_workers = 0;

    for (; n_workers < supervisor->n_workers; n_workers++)
        if (pthread_create(&supervisor->workers[n_workers], NULL, iso_worker_main, supervisor) != 0)
            break;
    if (n_workers < supervisor->n_workers ||
        pthread_create(&supervisor->loop, NULL, iso_loop_main, supervisor) != 0) {
        join_threads(supervisor, false, n_workers);
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "no thread for the supervisor");
    }
    /* The kernel ends a child when the thread that started it ends, so the loop starts them. */
    pthread_mutex_lock(&supervisor->lock);
    while (!supervisor->loop_began)
        pthread_cond_wait(&supervisor->changed, &supervisor->lock);
    enum iso_status status = supervisor->first_spawn;
    if (status != ISO_OK && reterr)
        *reterr = supervisor->first_spawn_error;
    pthread_mutex_unlock(&supervisor->lock);
    if (status != ISO_OK)
        join_threads(supervisor, true, n_workers);
    return status;
}

enum iso_status iso_supervisor_start(const struct iso_supervisor_config *config,
                                     struct iso_supervisor **ret_supervisor,
                                     struct iso_error *reterr)
{
    if (!config->solver_path || config->solver_path[0] != '/')
        return iso_fail(reterr, ISO_E_INVALID, "solver_path", "the path must be absolute");
    if (config->n_solvers < 1 || config->n_solvers > 1024)
        return iso_fail(reterr, ISO_E_INVALID, "n_solvers", "%d is not in [1, 1024]",
                        config->n_solvers);
    if (config->queue_bound < 0)
        return iso_fail(reterr, ISO_E_INVALID, "queue_bound", "%d is below 0", config->queue_bound);
    struct iso_supervisor *supervisor = new_supervisor(config);
    if (!supervisor)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a supervisor");
    enum iso_status status = start_threads(supervisor, reterr);
    if (status != ISO_OK) {
        iso_supervisor_unref(supervisor);
        return status;
    }
    *ret_supervisor = supervisor;
    return ISO_OK;
}

/* Copies the model by way of its wire form. */
static enum iso_status copy_model(struct iso_job *job, const Isocost__V1__Model *model,
                                  size_t n_bytes, struct iso_error *reterr)
{
    ISO_AUTO_MEM uint8_t *bytes = iso_calloc(n_bytes, 1);

    job->model_arena = iso_arena_new(ARENA_BYTES);
    if (bytes)
        isocost__v1__model__pack(model, bytes);
    if (bytes && job->model_arena)
        job->model =
            isocost__v1__model__unpack(iso_arena_allocator(job->model_arena), n_bytes, bytes);
    if (!job->model)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a model of %zu bytes", n_bytes);
    return ISO_OK;
}

/* Holds the model, or copies it. The frame that takes it to a solver has a limit. */
static enum iso_status take_model(struct iso_job *job, const struct iso_job_request *request,
                                  struct iso_error *reterr)
{
    const size_t most = ISO_FRAME_MAX_BYTES - (1u << 20);
    size_t n_bytes = isocost__v1__model__get_packed_size(request->model);
    if (n_bytes > most)
        return iso_fail(reterr, ISO_E_LIMIT, "model",
                        "the model takes %zu MiB; this server solves models of at most %zu MiB",
                        n_bytes >> 20, most >> 20);
    if (!request->model_arena)
        return copy_model(job, request->model, n_bytes, reterr);
    job->model_arena = iso_arena_hold(request->model_arena);
    job->model = request->model;
    return ISO_OK;
}

static double time_limit(const Isocost__V1__Model *model)
{
    return model->options && model->options->time_limit_seconds > 0
               ? model->options->time_limit_seconds
               : DEFAULT_TIME_LIMIT_S;
}

static enum iso_status fill_job(struct iso_job *job, const struct iso_job_request *request,
                                struct iso_error *reterr)
{
    struct stat file;

    job->mode = request->mode;
    job->incumbents = request->incumbents;
    job->all_lines = request->all_lines;
    job->affinity = request->affinity;
    if (request->owner)
        snprintf(job->owner, sizeof(job->owner), "%s/%s", request->owner->tenant,
                 request->owner->project);
    if (request->model_digest)
        snprintf(job->model_digest, sizeof(job->model_digest), "%s", request->model_digest);
    job->context = request->context;
    job->accepted = request->accepted;
    job->progress = request->progress;
    job->export_chunk = request->export_chunk;
    job->done = request->done;
    job->tier = iso_strdup(request->tier ? request->tier : "");
    job->arena = iso_arena_new(ARENA_BYTES);
    if (!job->tier || !job->arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a job");
    ISO_TRY(take_model(job, request, reterr));
    if (request->snapshot_fd >= 0) {
        job->snapshot_fd = fcntl(request->snapshot_fd, F_DUPFD_CLOEXEC, 0);
        if (job->snapshot_fd < 0 || fstat(job->snapshot_fd, &file) < 0)
            return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "no descriptor for the snapshot: %s",
                            strerrordesc_np(errno));
        job->snapshot_device = file.st_dev;
        job->snapshot_inode = file.st_ino;
    }
    job->limit_s = time_limit(job->model);
    job->batch = request->batch || job->limit_s > INTERACTIVE_LIMIT_S;
    job->submitted_s = job->progress_s = iso_supervisor_now();
    job->published_s = -INFINITY;
    job->deadline_s = request->deadline_s > 0 ? job->submitted_s + request->deadline_s : INFINITY;
    return ISO_OK;
}

static int count_free(const struct iso_supervisor *supervisor)
{
    int n_busy = 0;
    for (int i = 0; i < supervisor->n_children; i++)
        n_busy += supervisor->children[i].state == CHILD_BUSY;
    return supervisor->n_busy_most > n_busy ? supervisor->n_busy_most - n_busy : 0;
}

static enum iso_status enqueue(struct iso_supervisor *supervisor, struct iso_job *job,
                               struct iso_error *reterr)
{
    enum iso_status status = ISO_OK;

    pthread_mutex_lock(&supervisor->lock);
    if (supervisor->draining)
        status = iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the server is stopping; try again");
    else if (supervisor->n_waiting >= supervisor->queue_bound + count_free(supervisor))
        status = iso_fail(reterr, ISO_E_LIMIT, "",
                          "%d solves wait already, which is the most this server lets wait; try "
                          "again later",
                          supervisor->queue_bound);
    if (status == ISO_OK) {
        job->refs = 2; /* the caller's and that of `jobs` */
        supervisor->n_jobs++;
        supervisor->n_waiting++;
        TAILQ_INSERT_TAIL(&supervisor->jobs, job, link);
        TAILQ_INSERT_TAIL(&supervisor->incoming, job, lane_link);
        iso_supervisor_wake(supervisor);
    }
    pthread_mutex_unlock(&supervisor->lock);
    return status;
}

enum iso_status iso_supervisor_submit(struct iso_supervisor *supervisor,
                                      const struct iso_job_request *request,
                                      struct iso_job **ret_job, struct iso_error *reterr)
{
    struct iso_job *job = iso_calloc(1, sizeof(*job));
    if (!job)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a job");
    job->supervisor = supervisor;
    atomic_fetch_add(&supervisor->refs, 1);
    job->refs = 1;
    job->snapshot_fd = -1;
    job->today = iso_day_of_ns(iso_wall_ns());
    pthread_mutex_init(&job->delivery, NULL);
    TAILQ_INIT(&job->mail);
    enum iso_status status = fill_job(job, request, reterr);
    if (status == ISO_OK)
        status = enqueue(supervisor, job, reterr);
    if (status != ISO_OK) {
        iso_job_unref_unlocked(job);
        return status;
    }
    *ret_job = job;
    return ISO_OK;
}

void iso_supervisor_stats(struct iso_supervisor *supervisor, struct iso_supervisor_stats *ret_stats)
{
    struct iso_supervisor_stats stats = {0};

    pthread_mutex_lock(&supervisor->lock);
    for (int i = 0; i < supervisor->n_children; i++) {
        enum child_state state = supervisor->children[i].state;
        stats.solvers_alive += state != CHILD_NONE && state != CHILD_DYING;
        stats.solvers_busy += state == CHILD_BUSY;
    }
    stats.queue_depth = supervisor->n_waiting;
    stats.solves = supervisor->n_solves;
    stats.kills = supervisor->n_kills;
    stats.respawns = supervisor->n_respawns;
    stats.rejected_by_verifier = supervisor->n_rejected;
    pthread_mutex_unlock(&supervisor->lock);
    *ret_stats = stats;
}

void iso_supervisor_stop(struct iso_supervisor *supervisor, double grace_s)
{
    if (!supervisor)
        return;
    double until = iso_supervisor_now() + fmax(grace_s, 0);
    struct timespec at = {.tv_sec = (time_t)until, .tv_nsec = (long)((until - floor(until)) * 1e9)};

    pthread_mutex_lock(&supervisor->lock);
    supervisor->draining = true;
    while (!TAILQ_EMPTY(&supervisor->jobs) &&
           pthread_cond_timedwait(&supervisor->changed, &supervisor->lock, &at) == 0)
        ;
    supervisor->stop_all = true;
    iso_supervisor_wake(supervisor);
    while (!TAILQ_EMPTY(&supervisor->jobs))
        pthread_cond_wait(&supervisor->changed, &supervisor->lock);
    pthread_mutex_unlock(&supervisor->lock);
    join_threads(supervisor, true, supervisor->n_workers);
    iso_supervisor_unref(supervisor);
}

#include "solver_job.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "failure.h"
#include "isocost/solve.h"
#include "message_new.h"
#include "solver_parts.h"

#define INCUMBENT_EVERY_S 1.0
#define PROGRESS_EVERY_S 0.1
#define POLL_EVERY_S 0.005
#define EXPORT_CHUNK_BYTES (256u << 10)
#define FAILURE_BYTES (4u << 20) /* of the report of a failure with all its violations */

typedef Isocost__Internal__V1__Answer Answer;
typedef Isocost__Internal__V1__SolverEvent SolverEvent;

/* What the callbacks of one solve share. */
struct job {
    struct iso_solver_connection *connection;
    struct iso_past *past; /* may be NULL */
    size_t arena_ceiling;
    double polled_s, progress_s, incumbent_s; /* when last; -INFINITY: never */
    struct iso_arena *waiting_arena;          /* holds `waiting` */
    Answer *waiting;                          /* the newest incumbent, not sent yet; or NULL */
};

double iso_solver_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double job_now(void *context)
{
    (void)context;
    return iso_solver_now();
}

static void send_waiting(struct job *job, double now)
{
    SolverEvent event = ISOCOST__INTERNAL__V1__SOLVER_EVENT__INIT;

    if (!job->waiting)
        return;
    event.event_case = ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_INCUMBENT;
    event.incumbent = job->waiting;
    iso_solver_send(job->connection, &event, NULL);
    job->waiting = NULL;
    job->incumbent_s = now;
}

static enum iso_stop job_stop(void *context)
{
    struct job *job = context;
    double now = iso_solver_now();

    if (now - job->polled_s < POLL_EVERY_S)
        return job->connection->stop;
    job->polled_s = now;
    enum iso_stop stop = iso_solver_poll_stop(job->connection);
    if (stop || now - job->incumbent_s >= INCUMBENT_EVERY_S)
        send_waiting(job, now);
    return stop;
}

static void job_incumbent(void *context, const struct iso_plan *plan)
{
    struct job *job = context;
    double now = iso_solver_now();
    struct iso_arena *arena = iso_arena_new(job->arena_ceiling);

    if (!arena)
        return;
    Answer *answer = iso_answer_from_plan(plan, arena);
    if (!answer) {
        iso_arena_free(arena);
        return;
    }
    iso_arena_free(job->waiting_arena);
    job->waiting_arena = arena;
    job->waiting = answer;
    if (job->connection->stop || now - job->incumbent_s >= INCUMBENT_EVERY_S)
        send_waiting(job, now);
}

static void job_progress(void *context, const struct iso_progress *progress)
{
    struct job *job = context;
    double now = iso_solver_now();
    SolverEvent event = ISOCOST__INTERNAL__V1__SOLVER_EVENT__INIT;
    Isocost__Internal__V1__Progress message = ISOCOST__INTERNAL__V1__PROGRESS__INIT;

    if (now - job->progress_s < PROGRESS_EVERY_S)
        return;
    job->progress_s = now;
    message.tier = (int32_t)progress->tier;
    message.priority = progress->priority;
    message.worst = progress->worst;
    message.has_value = progress->has_value;
    message.value = progress->value;
    message.bound = progress->bound;
    message.iterations = progress->iterations;
    message.nodes = progress->nodes;
    event.event_case = ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_PROGRESS;
    event.progress = &message;
    iso_solver_send(job->connection, &event, NULL);
}

static enum iso_status job_parts(void *context, const struct iso_problem *const *parts, int32_t n,
                                 bool explain, struct iso_plan **ret_plans,
                                 struct iso_error *reterr)
{
    struct job *job = context;
    const struct iso_control control = {
        .context = job, .past = job->past, .now = job_now, .stop = job_stop};

    return iso_solver_solve_parts(&control, job->connection->n_processes, parts, n, explain,
                                  ret_plans, reterr);
}

/* Of this process and of those that solved parts. */
static double cpu_seconds(void)
{
    double seconds = 0;

    for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
        struct rusage usage;
        getrusage(who, &usage);
        seconds += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    }
    return seconds;
}

static void add_usage(Isocost__Internal__V1__Stats *stats, double cpu_before_s)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    stats->cpu_seconds = cpu_seconds() - cpu_before_s;
    stats->peak_memory_mib = (double)usage.ru_maxrss / 1024.0; /* ru_maxrss is in KiB */
}

/* Most address space that the process has had, in bytes; 0: not known. */
static unsigned long long peak_address_space(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    unsigned long long kib = 0;
    char line[128];

    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "VmPeak: %llu kB", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib << 10;
}

/* GLPK tells a failed allocation like any other failure. After one, the process came within an
 * eighth of its ceiling. */
static enum iso_status name_failure(enum iso_status status, struct iso_error *error)
{
    struct rlimit ceiling;

    if (status != ISO_E_BACKEND && status != ISO_E_NOMEM)
        return status;
    if (getrlimit(RLIMIT_AS, &ceiling) < 0 || ceiling.rlim_cur == RLIM_INFINITY ||
        peak_address_space() < ceiling.rlim_cur / 8 * 7)
        return status;
    *error = (struct iso_error){0};
    return iso_fail(error, ISO_E_NOMEM, "", "the solver reached its memory limit of %llu MiB",
                    (unsigned long long)ceiling.rlim_cur >> 20);
}

static enum iso_status solve(struct iso_solver_connection *connection, struct iso_past *past,
                             const struct iso_problem *problem, double cpu_before_s,
                             struct iso_arena *arena, Answer **ret_answer, struct iso_error *reterr)
{
    struct job job = {.connection = connection,
                      .past = past,
                      .arena_ceiling = connection->arena_ceiling,
                      .polled_s = -INFINITY,
                      .progress_s = -INFINITY,
                      .incumbent_s = -INFINITY};
    const struct iso_control control = {.context = &job,
                                        .past = past,
                                        .now = job_now,
                                        .stop = job_stop,
                                        .incumbent = job_incumbent,
                                        .progress = job_progress,
                                        .solve_parts =
                                            connection->n_processes > 1 ? job_parts : NULL};
    ISO_AUTO(iso_plan) plan = NULL;

    enum iso_status status = iso_solve(problem, &control, &plan, reterr);
    if (status != ISO_OK)
        send_waiting(&job, iso_solver_now());
    iso_arena_free(job.waiting_arena);
    ISO_TRY(status);

    Answer *answer = iso_answer_from_plan(plan, arena);
    if (!answer)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to send the plan");
    add_usage(answer->stats, cpu_before_s);
    *ret_answer = answer;
    return ISO_OK;
}

static enum iso_status send_file(struct iso_solver_connection *connection, int fd,
                                 struct iso_error *reterr)
{
    ISO_AUTO_MEM unsigned char *chunk = iso_calloc(EXPORT_CHUNK_BYTES, 1);
    if (!chunk)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a piece of the file");
    for (off_t at = 0;;) {
        SolverEvent event = ISOCOST__INTERNAL__V1__SOLVER_EVENT__INIT;
        ssize_t n = pread(fd, chunk, EXPORT_CHUNK_BYTES, at);
        if (n < 0)
            return iso_fail(reterr, ISO_E_IO, "", "the exported file cannot be read");
        if (n == 0)
            return ISO_OK;
        event.event_case = ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_EXPORT_CHUNK;
        event.export_chunk.data = chunk;
        event.export_chunk.len = (size_t)n;
        ISO_TRY(iso_solver_send(connection, &event, reterr));
        at += n;
    }
}

/* GLPK writes to paths only; a memory file has one. */
static enum iso_status export_model(struct iso_solver_connection *connection,
                                    const struct iso_problem *problem,
                                    const Isocost__Internal__V1__SolveRequest *request,
                                    struct iso_error *reterr)
{
    enum iso_mip_format format =
        request->mode == ISOCOST__INTERNAL__V1__SOLVE_MODE__SOLVE_MODE_EXPORT_LP ? ISO_MIP_LP
                                                                                 : ISO_MIP_MPS;
    struct iso_tier tier;
    char path[64];

    ISO_TRY(iso_tier_parse(request->tier, &tier, reterr));
    int fd = memfd_create("isocost-export", MFD_CLOEXEC);
    if (fd < 0)
        return iso_fail(reterr, ISO_E_IO, "", "no memory file for the export");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    enum iso_status status = iso_export_mip(problem, &tier, format, path, reterr);
    if (status == ISO_OK)
        status = send_file(connection, fd, reterr);
    close(fd);
    return status;
}

/* Maps the file unless it is the one of the last job. */
static enum iso_status keep_snapshot(struct iso_solver_kept *kept, int fd, struct iso_error *reterr)
{
    struct stat file;

    if (fstat(fd, &file) < 0)
        return iso_fail(reterr, ISO_E_IO, "", "the snapshot cannot be read");
    if (kept->snapshot && kept->device == file.st_dev && kept->inode == file.st_ino)
        return ISO_OK;
    iso_snapshot_free(ISO_STEAL(kept->snapshot));
    ISO_TRY(iso_snapshot_map(fd, &kept->snapshot, reterr));
    kept->device = file.st_dev;
    kept->inode = file.st_ino;
    return ISO_OK;
}

static enum iso_status run(struct iso_solver_connection *connection, struct iso_solver_kept *kept,
                           const Isocost__Internal__V1__SolveRequest *request, int snapshot_fd,
                           double received_s, struct iso_violations *violations,
                           Isocost__Internal__V1__Done *done, struct iso_error *reterr)
{
    struct iso_arena *arena = violations->arena;
    struct iso_resolved *resolved = NULL;
    double cpu_before_s = cpu_seconds();

    if (snapshot_fd >= 0)
        ISO_TRY(keep_snapshot(kept, snapshot_fd, reterr));
    ISO_TRY(iso_resolve(request->model, snapshot_fd >= 0 ? kept->snapshot : NULL, request->today,
                        kept->cache, arena, violations, &resolved, reterr));
    struct iso_problem *problem = &resolved->problem;

    switch ((int)request->mode) {
    case ISOCOST__INTERNAL__V1__SOLVE_MODE__SOLVE_MODE_SOLVE:
        if (request->time_limit_seconds > 0)
            problem->options.time_limit_s =
                fmax(request->time_limit_seconds - (iso_solver_now() - received_s), 0.001);
        if (kept->past)
            iso_past_enter(kept->past, request->owner);
        return solve(connection, kept->past, problem, cpu_before_s, arena, &done->answer, reterr);
    case ISOCOST__INTERNAL__V1__SOLVE_MODE__SOLVE_MODE_VALIDATE:
        done->stats = iso_message_new(arena, &isocost__internal__v1__stats__descriptor);
        if (!done->stats)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the answer");
        done->stats->columns = iso_problem_n_columns(problem);
        add_usage(done->stats, cpu_before_s);
        return ISO_OK;
    case ISOCOST__INTERNAL__V1__SOLVE_MODE__SOLVE_MODE_EXPORT_MPS:
    case ISOCOST__INTERNAL__V1__SOLVE_MODE__SOLVE_MODE_EXPORT_LP:
        return export_model(connection, problem, request, reterr);
    default:
        return iso_fail(reterr, ISO_E_UNSUPPORTED, "mode", "mode %d is not known",
                        (int)request->mode);
    }
}

/* The last event of a job. The failure may be that its arena is full, so the report of one has
 * memory of its own. */
static void send_done(struct iso_solver_connection *connection, Isocost__Internal__V1__Done *done,
                      const struct iso_error *error, const struct iso_violations *violations)
{
    SolverEvent event = ISOCOST__INTERNAL__V1__SOLVER_EVENT__INIT;
    ISO_AUTO(iso_arena) arena = iso_arena_new(FAILURE_BYTES);

    if (error->status != ISO_OK)
        done->error = arena ? iso_failure_to_status(error, violations, arena) : NULL;
    event.event_case = ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_DONE;
    event.done = done;
    if ((error->status != ISO_OK && !done->error) ||
        iso_solver_send(connection, &event, NULL) != ISO_OK)
        connection->lost = true;
}

void iso_solver_run_job(struct iso_solver_connection *connection, struct iso_solver_kept *kept,
                        const Isocost__Internal__V1__SolveRequest *request, int snapshot_fd,
                        double received_s, struct iso_arena *arena)
{
    Isocost__Internal__V1__Done done = ISOCOST__INTERNAL__V1__DONE__INIT;
    struct iso_violations violations = {.arena = arena};
    struct iso_error error = {0};

    enum iso_status status =
        run(connection, kept, request, snapshot_fd, received_s, &violations, &done, &error);
    if (snapshot_fd >= 0)
        close(snapshot_fd);
    status = name_failure(status, &error);
    size_t n_bytes = isocost__internal__v1__done__get_packed_size(&done);
    if (status == ISO_OK && n_bytes > ISO_FRAME_MAX_BYTES - FAILURE_BYTES) {
        status = iso_fail(&error, ISO_E_LIMIT, "",
                          "the plan takes %zu MiB; at most %u are allowed: merge hours with "
                          "load_levels.levels, or solve fewer workloads or hours at a time",
                          n_bytes >> 20, (ISO_FRAME_MAX_BYTES - FAILURE_BYTES) >> 20);
        done.answer = NULL;
    }
    /* A status without a report would go out as success. */
    if (status != ISO_OK && error.status == ISO_OK)
        iso_fail(&error, status, "", "%s", iso_status_text(status));
    send_done(connection, &done, &error, &violations);
}

/* Jobs to children, and what children send back. */
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "isocost/proto/arena.h"
#include "parts.h"

typedef Isocost__Internal__V1__SolverCommand SolverCommand;

static bool same_snapshot(const struct child *child, const struct iso_job *job)
{
    return job->snapshot_fd >= 0 && child->snapshot_inode == job->snapshot_inode &&
           child->snapshot_device == job->snapshot_device;
}

/* How well a child suits a job: the one that had the job before it in its row is the best, then one
 * that nobody else comes back to, then one that holds its snapshot. */
static int suitability(const struct child *child, const struct iso_job *job)
{
    if (job->affinity != 0 && child->affinity == job->affinity)
        return 4;
    return 2 * (child->affinity == 0) + same_snapshot(child, job);
}

/* Whether a job of a row waits for a child that has all but answered another: whoever got that
 * answer asks for more before the child is idle again. */
static bool waits_for(const struct child *child, const struct iso_job *job, double now)
{
    return child->state == CHILD_CHECKING && job->affinity != 0 &&
           now < job->submitted_s + ISO_AFFINITY_WAIT_S;
}

/* The most suitable idle child, among equals the one used last, so that the others stay spare.
 * NULL: none, or a better one will be idle at once. */
static struct child *pick_child(struct iso_supervisor *supervisor, const struct iso_job *job,
                                double now)
{
    struct child *best = NULL;
    for (int i = 0; i < supervisor->n_children; i++) {
        struct child *child = &supervisor->children[i];
        if ((child->state != CHILD_IDLE && !waits_for(child, job, now)) || child->condemned)
            continue;
        int more = best ? suitability(child, job) - suitability(best, job) : 1;
        if (more > 0 || (more == 0 && child->used_s > best->used_s))
            best = child;
    }
    return best && best->state == CHILD_IDLE ? best : NULL;
}

static enum iso_status send_command(struct child *child, const SolverCommand *command, int pass_fd)
{
    bool empty;
    ISO_TRY(iso_frame_write(child->writer, (uint32_t)command->command_case, child->request_id,
                            &command->base, pass_fd, NULL));
    return iso_frame_flush(child->writer, &empty, NULL);
}

void iso_child_flush(struct iso_supervisor *supervisor, struct child *child)
{
    bool empty;
    if (iso_frame_flush(child->writer, &empty, NULL) != ISO_OK)
        iso_child_kill(supervisor, child, NULL);
}

void iso_child_send_stop(struct iso_supervisor *supervisor, struct child *child, enum iso_stop stop)
{
    SolverCommand command = ISOCOST__INTERNAL__V1__SOLVER_COMMAND__INIT;
    Isocost__Internal__V1__StopRequest request = ISOCOST__INTERNAL__V1__STOP_REQUEST__INIT;

    request.stop = (int32_t)stop;
    command.command_case = ISOCOST__INTERNAL__V1__SOLVER_COMMAND__COMMAND_STOP;
    command.stop = &request;
    if (send_command(child, &command, -1) != ISO_OK)
        iso_child_kill(supervisor, child, NULL);
}

static enum iso_status send_job(struct child *child, struct iso_job *job, double limit_s)
{
    static const Isocost__Internal__V1__SolveMode modes[] = {
        [ISO_JOB_SOLVE] = ISOCOST__INTERNAL__V1__SOLVE_MODE__SOLVE_MODE_SOLVE,
        [ISO_JOB_VALIDATE] = ISOCOST__INTERNAL__V1__SOLVE_MODE__SOLVE_MODE_VALIDATE,
        [ISO_JOB_EXPORT_MPS] = ISOCOST__INTERNAL__V1__SOLVE_MODE__SOLVE_MODE_EXPORT_MPS,
        [ISO_JOB_EXPORT_LP] = ISOCOST__INTERNAL__V1__SOLVE_MODE__SOLVE_MODE_EXPORT_LP,
    };
    SolverCommand command = ISOCOST__INTERNAL__V1__SOLVER_COMMAND__INIT;
    Isocost__Internal__V1__SolveRequest request = ISOCOST__INTERNAL__V1__SOLVE_REQUEST__INIT;

    request.mode = modes[job->mode];
    request.model = (Isocost__V1__Model *)job->model; /* only packed */
    request.has_snapshot = job->snapshot_fd >= 0;
    request.time_limit_seconds = limit_s;
    request.tier = job->tier;
    request.owner = job->owner;
    request.today = job->today;
    command.command_case = ISOCOST__INTERNAL__V1__SOLVER_COMMAND__COMMAND_SOLVE;
    command.solve = &request;
    return send_command(child, &command, job->snapshot_fd);
}

/* The deadline's answer leaves min(200 ms, 20 % of what remains) for the way back. */
static double answer_time(const struct iso_job *job, double now)
{
    return isinf(job->deadline_s) ? INFINITY
                                  : job->deadline_s - fmin(0.2, 0.2 * (job->deadline_s - now));
}

/* The child had died unnoticed, so its job goes to the next. */
static void take_back(struct iso_supervisor *supervisor, struct child *child, struct iso_job *job)
{
    child->job = NULL;
    job->child = NULL;
    iso_job_drop(job);
    job->state = JOB_QUEUED;
    job->started_s = 0;
    TAILQ_INSERT_HEAD(&supervisor->lanes[job->batch], job, lane_link);
    supervisor->n_waiting++;
    iso_child_kill(supervisor, child, NULL);
}

static void start(struct iso_supervisor *supervisor, struct child *child, struct iso_job *job,
                  double now)
{
    TAILQ_REMOVE(&supervisor->lanes[job->batch], job, lane_link);
    supervisor->n_waiting--;
    job->state = JOB_RUNNING;
    job->started_s = now;
    job->answer_at_s = answer_time(job, now);
    job->child = child;
    iso_job_ref(job);
    child->job = job;
    child->state = CHILD_BUSY;
    child->batch = job->batch;
    child->request_id = ++supervisor->last_request_id;
    child->kill_at_s = INFINITY;
    child->snapshot_device = job->snapshot_device;
    child->snapshot_inode = job->snapshot_inode;
    child->affinity = job->affinity;
    enum iso_status status =
        send_job(child, job, fmax(fmin(job->limit_s, job->answer_at_s - now), 0.001));
    if (status == ISO_E_UNAVAILABLE) {
        take_back(supervisor, child, job);
        return;
    }
    if (status != ISO_OK)
        iso_child_kill(supervisor, child, "could not be given the model");
    iso_job_list_mail(job); /* so that a worker resolves it meanwhile */
}

void iso_dispatch(struct iso_supervisor *supervisor, double now)
{
    for (;;) {
        int n_busy = 0, n_batch = 0;
        for (int i = 0; i < supervisor->n_children; i++) {
            n_busy += supervisor->children[i].state == CHILD_BUSY;
            n_batch += supervisor->children[i].state == CHILD_BUSY && supervisor->children[i].batch;
        }
        struct iso_job *job = TAILQ_FIRST(&supervisor->lanes[0]);
        if (!job && n_batch < supervisor->n_batch_most)
            job = TAILQ_FIRST(&supervisor->lanes[1]);
        struct child *child =
            job && n_busy < supervisor->n_busy_most ? pick_child(supervisor, job, now) : NULL;
        if (!child)
            return;
        start(supervisor, child, job, now);
    }
}

void iso_child_now_idle(struct iso_supervisor *supervisor, struct child *child)
{
    struct iso_job *job = child->job;
    double now = iso_supervisor_now();

    child->job = NULL;
    child->state = CHILD_IDLE;
    child->checked = false;
    child->kill_at_s = INFINITY;
    child->used_s = now;
    child->n_solved++;
    supervisor->n_failed_starts = 0;
    if (job) {
        job->child = NULL;
        iso_job_drop(job);
    }
    supervisor->n_kills += child->condemned;
    int64_t own_bytes = iso_child_own_bytes(child);
    if (child->first_own_bytes == 0)
        child->first_own_bytes = own_bytes;
    if (child->condemned || child->n_solved >= supervisor->recycle_after ||
        own_bytes - child->first_own_bytes > GROWTH_BYTES)
        iso_child_kill(supervisor, child,
                       child->condemned ? "was replaced after an error" : "was replaced");
}

static bool read_progress(struct iso_job *job, const struct iso_frame *frame)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(4096);
    const Isocost__Internal__V1__SolverEvent *event =
        arena ? isocost__internal__v1__solver_event__unpack(iso_arena_allocator(arena),
                                                            frame->n_bytes, frame->payload)
              : NULL;
    if (!event || event->event_case != ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_PROGRESS ||
        event->progress->tier < ISO_TIER_UNSERVED || event->progress->tier > ISO_TIER_FAIR)
        return false;
    job->newest = (struct iso_job_progress){
        .tier = event->progress->tier,
        .priority = event->progress->priority,
        .worst = event->progress->worst,
        .has_value = event->progress->has_value && isfinite(event->progress->value),
        .value = event->progress->value,
        .bound = event->progress->bound,
        .iterations = event->progress->iterations,
        .nodes = event->progress->nodes,
    };
    job->has_progress = job->progress_changed = true;
    return true;
}

/* False: the child speaks nonsense. */
static bool take_frame(struct iso_supervisor *supervisor, struct child *child,
                       const struct iso_frame *frame)
{
    struct iso_job *job = child->job;
    bool done = frame->type == ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_DONE;

    if (child->state != CHILD_BUSY || frame->request_id != child->request_id ||
        frame->passed_fd >= 0)
        return false;
    if (frame->type == ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_PROGRESS)
        return read_progress(job, frame);
    if (!done && frame->type != ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_INCUMBENT &&
        frame->type != ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_EXPORT_CHUNK)
        return false;
    if (job->state == JOB_ANSWERED) {
        if (done)
            iso_child_now_idle(supervisor, child);
        return true;
    }
    struct mail *mail = iso_mail_new(frame->n_bytes);
    if (!mail)
        return false;
    mail->kind = MAIL_EVENT;
    mail->event = frame->type;
    if (frame->n_bytes > 0)
        memcpy(mail->bytes, frame->payload, frame->n_bytes);
    iso_job_post(job, mail);
    if (done)
        child->state = CHILD_CHECKING;
    return true;
}

void iso_child_read(struct iso_supervisor *supervisor, struct child *child)
{
    while (child->state != CHILD_DYING && child->state != CHILD_NONE) {
        struct iso_frame frame = {.passed_fd = -1};
        struct iso_error error = {0};
        bool ready = false;
        enum iso_status status = iso_frame_read(child->reader, &frame, &ready, &error);

        if (status == ISO_OK && !ready)
            return;
        if (status == ISO_OK && take_frame(supervisor, child, &frame))
            continue;
        if (frame.passed_fd >= 0)
            close(frame.passed_fd);
        bool gone = status == ISO_E_UNAVAILABLE || status == ISO_E_IO;
        if (!gone) {
            supervisor->n_kills++;
            iso_supervisor_log(supervisor, LEVEL_ERROR,
                               "solver %ld sent a frame that makes no sense: %s", (long)child->pid,
                               status == ISO_OK ? "out of place" : error.text);
        }
        iso_child_kill(supervisor, child, gone ? NULL : "was killed because it sent nonsense");
    }
}

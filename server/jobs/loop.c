/* The loop thread: timers, children, queue. */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "parts.h"

#define POLL_MOST_S 1.0

/* Calls that wait until the lock is free. */
struct told {
    struct iso_job *job;
    struct iso_job_progress newest;
    bool has_progress;
    double seconds;
};

/* New jobs are told their place before anything else happens to them. */
static void admit(struct iso_supervisor *supervisor)
{
    struct iso_job *job;

    while ((job = TAILQ_FIRST(&supervisor->incoming))) {
        int position = 0;
        TAILQ_REMOVE(&supervisor->incoming, job, lane_link);
        for (const struct iso_job *other = TAILQ_FIRST(&supervisor->lanes[job->batch]); other;
             other = TAILQ_NEXT(other, lane_link))
            position++;
        if (job->accepted) {
            iso_job_ref(job);
            pthread_mutex_unlock(&supervisor->lock);
            pthread_mutex_lock(&job->delivery);
            job->accepted(job->context, position);
            pthread_mutex_unlock(&job->delivery);
            pthread_mutex_lock(&supervisor->lock);
            iso_job_drop(job);
        }
        job->state = JOB_QUEUED;
        TAILQ_INSERT_TAIL(&supervisor->lanes[job->batch], job, lane_link);
    }
}

static void leave_lane(struct iso_supervisor *supervisor, struct iso_job *job, enum iso_stop stop)
{
    TAILQ_REMOVE(&supervisor->lanes[job->batch], job, lane_link);
    supervisor->n_waiting--;
    job->state = JOB_RUNNING; /* with no child: only its answer is missing */
    job->answer_at_s = INFINITY;
    job->stop_asked = stop;
    job->stop_sent = true;
    job->answer_by_s = 0;
    job->answer_given = true;
    iso_job_list_answer(job);
}

static void stop_running(struct iso_supervisor *supervisor, struct iso_job *job, enum iso_stop stop,
                         double answer_by_s, double kill_at_s)
{
    job->stop_asked = stop;
    job->stop_sent = true;
    job->answer_by_s = answer_by_s;
    if (job->child && job->child->state == CHILD_BUSY) {
        job->child->kill_at_s = kill_at_s;
        iso_child_send_stop(supervisor, job->child, stop);
    }
}

/* Whether the solver has answered in time and its plan is being verified: that takes what it takes,
 * short of a stop or the caller's deadline. */
static bool is_being_checked(const struct iso_job *job)
{
    return job->child && job->child->state == CHILD_CHECKING;
}

/* When the job is due next. */
static double job_timers(struct iso_supervisor *supervisor, struct iso_job *job, double now)
{
    bool dead_start = supervisor->n_failed_starts >= FAILED_STARTS;

    if (supervisor->stop_all && !job->stop_asked) {
        job->stop_asked = ISO_STOP_CANCEL;
        job->shutdown = true;
    }
    if (job->state == JOB_QUEUED) {
        double answer_at = job->deadline_s - fmin(0.2, 0.2 * (job->deadline_s - job->submitted_s));
        if (job->stop_asked)
            leave_lane(supervisor, job, job->stop_asked);
        else if (isfinite(job->deadline_s) && now >= answer_at)
            leave_lane(supervisor, job, ISO_STOP_DEADLINE);
        else if (dead_start)
            leave_lane(supervisor, job, ISO_STOP_NONE);
        if (job->affinity != 0 && now < job->submitted_s + ISO_AFFINITY_WAIT_S)
            return fmin(answer_at, job->submitted_s + ISO_AFFINITY_WAIT_S);
        return isfinite(job->deadline_s) ? answer_at : INFINITY;
    }
    if (job->state != JOB_RUNNING)
        return INFINITY;
    double limit_at = job->started_s + job->limit_s;
    if (!job->stop_sent) {
        if (job->stop_asked)
            stop_running(supervisor, job, job->stop_asked, now + ANSWER_WITHIN_S,
                         now + OBEY_WITHIN_S);
        else if (now >= job->answer_at_s)
            stop_running(supervisor, job, ISO_STOP_DEADLINE, now + ANSWER_WITHIN_S,
                         now + OBEY_WITHIN_S);
        else if (is_being_checked(job))
            return job->answer_at_s;
        else if (now >= limit_at + OVERRUN_S / 2)
            stop_running(supervisor, job, ISO_STOP_TIME, limit_at + OVERRUN_S,
                         limit_at + OVERRUN_S);
        else
            return fmin(job->answer_at_s, limit_at + OVERRUN_S / 2);
    }
    if (now < job->answer_by_s)
        return job->answer_by_s;
    if (is_being_checked(job) && job->stop_asked == ISO_STOP_TIME && now < job->answer_at_s)
        return job->answer_at_s;
    if (!job->answer_given) {
        job->answer_given = true;
        iso_job_list_answer(job);
    }
    return INFINITY;
}

/* Whether progress is to be told now; *ret_due is when it will be. */
static bool progress_due(const struct iso_job *job, double now, double *ret_due)
{
    if (!job->progress || job->state == JOB_ANSWERED || job->state == JOB_INCOMING) {
        *ret_due = INFINITY;
        return false;
    }
    *ret_due = job->progress_s + (job->progress_changed ? PROGRESS_EVERY_S : HEARTBEAT_S);
    return now >= *ret_due;
}

static void publish_due(struct iso_job *job, double now, double *due)
{
    if (!job->incumbents || job->best_version == job->published_version ||
        job->state != JOB_RUNNING)
        return;
    double at = job->published_s + INCUMBENT_EVERY_S;
    if (now >= at)
        iso_job_list_mail(job);
    else
        *due = fmin(*due, at);
}

/* Fills `told` (room for all jobs, or NULL) and returns when something is due next. */
static double run_timers(struct iso_supervisor *supervisor, double now, struct told *told,
                         int *ret_n_told)
{
    double due = now + POLL_MOST_S;

    *ret_n_told = 0;
    for (struct iso_job *job = TAILQ_FIRST(&supervisor->jobs); job; job = TAILQ_NEXT(job, link)) {
        double progress_at;
        due = fmin(due, job_timers(supervisor, job, now));
        publish_due(job, now, &due);
        if (progress_due(job, now, &progress_at) && told) {
            told[(*ret_n_told)++] = (struct told){.job = job,
                                                  .newest = job->newest,
                                                  .has_progress = job->has_progress,
                                                  .seconds = now - job->submitted_s};
            iso_job_ref(job);
            job->progress_changed = false;
            job->progress_s = now;
            progress_at = now + PROGRESS_EVERY_S;
        }
        due = fmin(due, progress_at);
    }
    for (int i = 0; i < supervisor->n_children; i++) {
        struct child *child = &supervisor->children[i];
        if (child->state == CHILD_BUSY && now >= child->kill_at_s) {
            supervisor->n_kills++;
            iso_child_kill(supervisor, child, "was killed because it did not stop");
        } else if (child->state == CHILD_CHECKING && child->checked) {
            iso_child_now_idle(supervisor, child);
        } else if (child->state == CHILD_IDLE && child->condemned) {
            iso_child_kill(supervisor, child, "was replaced after an error");
        } else if (child->state == CHILD_BUSY) {
            due = fmin(due, child->kill_at_s);
        }
    }
    return due;
}

static void tell(const struct told *told)
{
    struct iso_job *job = told->job;
    const struct iso_job_progress *newest = &told->newest;
    Isocost__V1__SolveProgress message = ISOCOST__V1__SOLVE_PROGRESS__INIT;
    char tier[ISO_TIER_NAME_SIZE] = "";

    message.seconds = told->seconds;
    if (told->has_progress)
        iso_tier_name(&(struct iso_tier){.kind = (enum iso_tier_kind)newest->tier,
                                         .priority = newest->priority,
                                         .worst = newest->worst},
                      tier);
    message.tier = tier;
    iso_progress_numbers(&message, newest->has_value, newest->value, newest->bound);
    message.iterations = newest->iterations;
    message.nodes = newest->nodes;
    pthread_mutex_lock(&job->delivery);
    if (!job->done_delivered)
        job->progress(job->context, &message);
    pthread_mutex_unlock(&job->delivery);
    iso_job_unref_unlocked(job);
}

/* Starts what is missing; returns when to try again. */
static double spawn_missing(struct iso_supervisor *supervisor, double now)
{
    if (supervisor->quit_loop)
        return INFINITY;
    for (int i = 0; i < supervisor->n_children; i++) {
        struct iso_error error = {0};
        if (supervisor->children[i].state != CHILD_NONE)
            continue;
        if (now < supervisor->spawn_not_before_s)
            return supervisor->spawn_not_before_s;
        enum iso_status status = iso_child_spawn(supervisor, &supervisor->children[i], &error);
        if (status == ISO_OK) {
            supervisor->n_respawns += supervisor->loop_began;
            continue;
        }
        iso_supervisor_log(supervisor, LEVEL_ERROR, "%s", error.text);
        iso_supervisor_delay_spawn(supervisor);
        if (!supervisor->loop_began) {
            supervisor->first_spawn = status;
            supervisor->first_spawn_error = error;
        }
        return supervisor->spawn_not_before_s;
    }
    return INFINITY;
}

static int list_descriptors(struct iso_supervisor *supervisor, struct pollfd *entries)
{
    entries[0] = (struct pollfd){.fd = supervisor->wake_fd, .events = POLLIN};
    for (int i = 0; i < supervisor->n_children; i++) {
        const struct child *child = &supervisor->children[i];
        bool readable = child->state != CHILD_NONE && child->state != CHILD_DYING &&
                        (!child->job || child->job->mail_bytes < MAIL_BYTES);
        bool pending = readable && iso_frame_pending(child->writer) > 0;
        entries[1 + 2 * i] = (struct pollfd){.fd = readable ? child->fd : -1,
                                             .events = (short)(POLLIN | (pending ? POLLOUT : 0))};
        entries[2 + 2 * i] = (struct pollfd){.fd = child->state != CHILD_NONE ? child->pid_fd : -1,
                                             .events = POLLIN};
    }
    return 1 + 2 * supervisor->n_children;
}

static void handle_descriptors(struct iso_supervisor *supervisor, const struct pollfd *entries)
{
    uint64_t ignored;

    if (entries[0].revents && read(supervisor->wake_fd, &ignored, sizeof(ignored)) < 0)
        ignored = 0;
    for (int i = 0; i < supervisor->n_children; i++) {
        struct child *child = &supervisor->children[i];
        if (entries[1 + 2 * i].revents & POLLOUT)
            iso_child_flush(supervisor, child);
        if (entries[1 + 2 * i].revents & (POLLIN | POLLHUP | POLLERR))
            iso_child_read(supervisor, child);
        if (entries[2 + 2 * i].revents)
            iso_child_gone(supervisor, child);
    }
}

/* Gives up references; leaves the lock for a moment. */
static void give_up_dropped(struct iso_supervisor *supervisor)
{
    struct iso_job *job;

    while ((job = TAILQ_FIRST(&supervisor->dropped))) {
        TAILQ_REMOVE(&supervisor->dropped, job, dropped_link);
        job->refs -= job->n_dropped - 1;
        job->n_dropped = 0;
        pthread_mutex_unlock(&supervisor->lock);
        iso_job_unref_unlocked(job);
        pthread_mutex_lock(&supervisor->lock);
    }
}

static void kill_all(struct iso_supervisor *supervisor)
{
    for (int i = 0; i < supervisor->n_children; i++) {
        struct child *child = &supervisor->children[i];
        if (child->state == CHILD_NONE)
            continue;
        iso_child_kill(supervisor, child, "was stopped");
        iso_child_reap(supervisor, child, true);
    }
}

static int wait_milliseconds(double due)
{
    double left = due - iso_supervisor_now();
    return left <= 0 ? 0 : (int)ceil(fmin(left, POLL_MOST_S) * 1000);
}

/* Without memory there is no place to note what to tell; children are served all the same. */
static void one_turn(struct iso_supervisor *supervisor, struct pollfd *entries)
{
    int n_told = 0;

    admit(supervisor);
    double now = iso_supervisor_now();
    ISO_AUTO_MEM struct told *told = iso_calloc((size_t)supervisor->n_jobs + 1, sizeof(*told));
    double due = run_timers(supervisor, now, told, &n_told);
    due = fmin(due, spawn_missing(supervisor, now));
    if (!supervisor->loop_began) {
        supervisor->loop_began = true;
        pthread_cond_broadcast(&supervisor->changed);
    }
    iso_dispatch(supervisor, now);
    give_up_dropped(supervisor);
    int n_entries = list_descriptors(supervisor, entries);
    pthread_mutex_unlock(&supervisor->lock);

    for (int i = 0; i < n_told; i++)
        tell(&told[i]);
    int n_ready = poll(entries, (nfds_t)n_entries, wait_milliseconds(due));

    pthread_mutex_lock(&supervisor->lock);
    if (n_ready > 0)
        handle_descriptors(supervisor, entries);
    give_up_dropped(supervisor);
}

void *iso_loop_main(void *argument)
{
    struct iso_supervisor *supervisor = argument;
    struct pollfd *entries = supervisor->poll_entries;

    pthread_mutex_lock(&supervisor->lock);
    while (!supervisor->quit_loop)
        one_turn(supervisor, entries);
    kill_all(supervisor);
    give_up_dropped(supervisor);
    pthread_mutex_unlock(&supervisor->lock);
    return NULL;
}

/* Workers: what takes long. */
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "failure.h"
#include "isocost/proto/arena.h"
#include "isocost/proto/wire.h"
#include "parts.h"

typedef Isocost__Internal__V1__Answer Answer;
typedef Isocost__Internal__V1__SolverEvent SolverEvent;

/* The shared map of a job's snapshot: the one kept from before, or a new one. */
static enum iso_status share_snapshot(struct iso_job *job, struct iso_error *reterr)
{
    struct iso_supervisor *supervisor = job->supervisor;
    struct shared_snapshot *unused = NULL;
    struct iso_snapshot *snapshot = NULL;

    pthread_mutex_lock(&supervisor->lock);
    struct shared_snapshot *kept = supervisor->kept_snapshot;
    if (kept && kept->device == job->snapshot_device && kept->inode == job->snapshot_inode) {
        kept->refs++;
        job->snapshot = kept;
    }
    pthread_mutex_unlock(&supervisor->lock);
    if (job->snapshot)
        return ISO_OK;

    struct shared_snapshot *shared = iso_calloc(1, sizeof(*shared));
    if (!shared)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a snapshot");
    enum iso_status status = iso_snapshot_map(job->snapshot_fd, &snapshot, reterr);
    if (status != ISO_OK) {
        free(shared);
        return status;
    }
    *shared = (struct shared_snapshot){.snapshot = snapshot,
                                       .device = job->snapshot_device,
                                       .inode = job->snapshot_inode,
                                       .refs = 2};
    pthread_mutex_lock(&supervisor->lock);
    job->snapshot = shared;
    if (supervisor->kept_snapshot && --supervisor->kept_snapshot->refs == 0)
        unused = supervisor->kept_snapshot;
    supervisor->kept_snapshot = shared;
    pthread_mutex_unlock(&supervisor->lock);
    if (unused) {
        iso_snapshot_free(unused->snapshot);
        free(unused);
    }
    return ISO_OK;
}

static enum iso_status resolve(struct iso_job *job, struct iso_resolved **ret_resolved,
                               struct iso_error *reterr)
{
    struct iso_resolved *resolved = NULL;

    if (job->snapshot_fd >= 0)
        ISO_TRY(share_snapshot(job, reterr));
    job->violations.arena = job->arena;
    ISO_TRY(iso_resolve(job->model, job->snapshot ? job->snapshot->snapshot : NULL, job->today,
                        job->supervisor->resolve_cache, job->arena, &job->violations, &resolved,
                        reterr));
    ISO_TRY(iso_resolve_digests(job->model, job->model_digest, resolved, reterr));
    *ret_resolved = resolved;
    return ISO_OK;
}

/* Done once a job, on the worker that has its mail. */
static void resolve_once(struct iso_job *job)
{
    struct iso_resolved *resolved = NULL;
    struct iso_error error = {0};

    enum iso_status status = resolve(job, &resolved, &error);
    pthread_mutex_lock(&job->supervisor->lock);
    job->resolve_ended = true;
    job->resolve_status = status;
    job->resolve_error = error;
    job->resolved = resolved;
    pthread_mutex_unlock(&job->supervisor->lock);
}

/* A solver is ours but may have gone wrong, so sizes are checked before anything is made. Numbers
 * may be infinite, so the check of decoded messages is not for them. */
static enum iso_status decode(const struct mail *mail, struct iso_arena *arena,
                              const SolverEvent **ret_event, struct iso_error *reterr)
{
    static const struct iso_wire_limits limits = {
        .max_bytes = ISO_FRAME_MAX_BYTES,
        .max_messages = 4000000,
        .max_strings = 8000000,
        .max_string_bytes = 65536,
        .max_depth = 16,
    };
    ISO_TRY(iso_wire_scan(&isocost__internal__v1__solver_event__descriptor, mail->bytes,
                          mail->n_bytes, &limits, reterr));
    const SolverEvent *event = isocost__internal__v1__solver_event__unpack(
        iso_arena_allocator(arena), mail->n_bytes, mail->bytes);
    if (!event || (uint32_t)event->event_case != mail->event)
        return iso_fail(reterr, iso_arena_full(arena) ? ISO_E_NOMEM : ISO_E_INVALID, "",
                        "the event is not the one that its frame says");
    *ret_event = event;
    return ISO_OK;
}

/* The answer as a plan that isocost::verify let through. With `early`, which is for the last plan
 * of a job, its message is written meanwhile. */
static enum iso_status verify(struct iso_job *job, const Answer *answer, struct early *early,
                              struct verified **ret_verified, struct iso_error *reterr)
{
    ISO_AUTO(iso_plan) plan = NULL;

    if (job->resolve_status != ISO_OK) {
        *reterr = job->resolve_error;
        return job->resolve_status;
    }
    ISO_TRY(iso_answer_to_plan(answer, &job->resolved->problem, &plan, reterr));
    if (!early) { /* a plan on the way claims nothing about how the search ends */
        plan->reason = ISO_REASON_FEASIBLE;
        plan->stop = ISO_STOP_NONE;
    }
    struct verified *verified = iso_calloc(1, sizeof(*verified));
    if (!verified)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    verified->refs = 1;
    if (early)
        early->plan = plan;
    enum iso_status status =
        iso_verify_telling(&job->resolved->problem, plan, early ? iso_early_begin : NULL, early,
                           &verified->verdict, reterr);
    if (early)
        iso_early_end(early);
    if (status != ISO_OK) {
        free(verified);
        return status;
    }
    verified->plan = ISO_STEAL(plan);
    if (answer->stats && isfinite(answer->stats->cpu_seconds) &&
        isfinite(answer->stats->peak_memory_mib)) {
        verified->cpu_seconds = answer->stats->cpu_seconds;
        verified->peak_memory_mib = answer->stats->peak_memory_mib;
    }
    *ret_verified = verified;
    return ISO_OK;
}

/* A plan that is wrong is a bug of ours: it is told to the operator, never to the caller. */
static void reject(struct iso_job *job, const struct iso_error *error)
{
    struct iso_supervisor *supervisor = job->supervisor;

    pthread_mutex_lock(&supervisor->lock);
    supervisor->n_rejected++;
    if (job->child) {
        job->child->condemned = true;
        iso_supervisor_wake(supervisor);
    }
    pthread_mutex_unlock(&supervisor->lock);
    iso_supervisor_log(supervisor, LEVEL_ERROR, "the verifier rejected a plan: %s: %s",
                       error->field, error->text);
}

static void read_incumbent(struct iso_job *job, const struct mail *mail)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    struct iso_supervisor *supervisor = job->supervisor;
    struct verified *verified = NULL;
    const SolverEvent *event = NULL;
    struct iso_error error = {0};

    enum iso_status status = arena ? decode(mail, arena, &event, &error) : ISO_E_NOMEM;
    if (status == ISO_OK)
        status = verify(job, event->incumbent, NULL, &verified, &error);
    if (status == ISO_E_INVALID && job->resolve_status == ISO_OK)
        reject(job, &error);
    if (status != ISO_OK)
        return;
    pthread_mutex_lock(&supervisor->lock);
    struct verified *old = job->best;
    if (verified->plan->has_solution) {
        job->best = ISO_STEAL(verified);
        job->best_version++;
    } else {
        old = verified;
    }
    bool unused = old && --old->refs == 0;
    pthread_mutex_unlock(&supervisor->lock);
    if (unused) {
        iso_plan_free(old->plan);
        free(old);
    }
}

/* Statuses that say something about the model, not about the process. */
static bool blames_model(enum iso_status status)
{
    return status == ISO_E_INVALID || status == ISO_E_UNSUPPORTED;
}

static void read_failure(struct iso_job *job, const Google__Rpc__Status *failure,
                         struct iso_arena *arena)
{
    struct iso_violations violations = {.arena = arena};
    struct iso_error error = {0};
    enum iso_status status = iso_failure_from_status(failure, &violations, &error);

    if (!blames_model(status)) {
        pthread_mutex_lock(&job->supervisor->lock);
        if (job->child)
            job->child->condemned = true;
        pthread_mutex_unlock(&job->supervisor->lock);
    }
    iso_job_finish_failed(job, status == ISO_E_NOMEM ? ISO_STOP_MEMORY : ISO_STOP_NONE, &error,
                          &violations);
}

/* `before` is the incumbent that came just before, or NULL: only of use when this fails. */
static void read_done(struct iso_job *job, const struct mail *mail, const struct mail *before)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    struct early early __attribute__((cleanup(iso_early_fini))) = {.job = job};
    const SolverEvent *event = NULL;
    struct verified *verified = NULL;
    struct iso_error error = {0};

    enum iso_status status = arena ? decode(mail, arena, &event, &error) : ISO_E_NOMEM;
    if (status == ISO_OK && event->done->error) {
        if (before)
            read_incumbent(job, before);
        read_failure(job, event->done->error, arena);
        return;
    }
    if (status == ISO_OK && job->mode != ISO_JOB_SOLVE) {
        iso_job_finish_without_plan(job, event->done->stats);
        return;
    }
    if (status == ISO_OK && !event->done->answer)
        status = iso_fail(&error, ISO_E_INVALID, "answer", "there is none");
    if (status == ISO_OK)
        status = verify(job, event->done->answer, &early, &verified, &error);
    if (status == ISO_OK) {
        iso_job_finish_solved(job, verified, &early);
        iso_plan_free(verified->plan);
        free(verified);
        return;
    }
    if (before)
        read_incumbent(job, before);
    if (job->resolve_status != ISO_OK) {
        iso_job_finish_failed(job, ISO_STOP_NONE, &job->resolve_error, &job->violations);
        return;
    }
    reject(job, &error);
    struct iso_error ours = {0};
    iso_fail(&ours, ISO_E_INTERNAL, "",
             "the solver's last plan did not pass the verifier; please "
             "report this with the model");
    iso_job_finish_failed(job, ISO_STOP_NONE, &ours, NULL);
}

/* The child may have the next job, or is killed if it was condemned. */
static void release_child(struct iso_job *job)
{
    struct iso_supervisor *supervisor = job->supervisor;

    pthread_mutex_lock(&supervisor->lock);
    if (job->child && job->child->job == job && job->child->state == CHILD_CHECKING) {
        job->child->checked = true;
        iso_supervisor_wake(supervisor);
    }
    pthread_mutex_unlock(&supervisor->lock);
}

static void read_chunk(struct iso_job *job, const struct mail *mail)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(mail->n_bytes + (1u << 20));
    const SolverEvent *event = NULL;

    if (!arena || decode(mail, arena, &event, NULL) != ISO_OK || !job->export_chunk)
        return;
    pthread_mutex_lock(&job->delivery);
    if (!job->done_delivered)
        job->export_chunk(job->context, event->export_chunk.data, event->export_chunk.len);
    pthread_mutex_unlock(&job->delivery);
}

static void read_mail(struct iso_job *job, struct mail *mail, struct mail *before)
{
    if (iso_job_has_ended(job)) {
        release_child(job);
        return;
    }
    if (mail->kind == MAIL_DEATH) {
        iso_job_finish_dead(job, mail);
        return;
    }
    switch ((int)mail->event) {
    case ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_INCUMBENT:
        read_incumbent(job, mail);
        break;
    case ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_EXPORT_CHUNK:
        read_chunk(job, mail);
        break;
    case ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_DONE:
        read_done(job, mail, before);
        release_child(job);
        break;
    }
}

static struct mail *pop_mail(struct iso_job *job)
{
    struct mail *mail = TAILQ_FIRST(&job->mail);
    if (mail) {
        TAILQ_REMOVE(&job->mail, mail, link);
        bool was_full = job->mail_bytes >= MAIL_BYTES;
        job->mail_bytes -= mail->n_bytes;
        if (was_full)
            iso_supervisor_wake(job->supervisor);
    }
    return mail;
}

static bool is_event(const struct mail *mail, int event)
{
    return mail && mail->kind == MAIL_EVENT && (int)mail->event == event;
}

/* Handles one piece of a job's mail; the lock is held before and after. */
static void work_on_mail(struct iso_supervisor *supervisor, struct iso_job *job)
{
    struct mail *before = NULL;

    bool resolves = !job->resolve_ended && job->state != JOB_ANSWERED;
    struct mail *mail = resolves ? NULL : pop_mail(job);
    if (is_event(mail, ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_INCUMBENT) &&
        is_event(TAILQ_FIRST(&job->mail), ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_DONE)) {
        before = mail;
        mail = pop_mail(job);
    }
    pthread_mutex_unlock(&supervisor->lock);

    if (resolves)
        resolve_once(job);
    else if (mail)
        read_mail(job, mail, before);
    iso_job_publish(job);
    free(mail);
    free(before);

    pthread_mutex_lock(&supervisor->lock);
    job->mail_running = false;
    if (!TAILQ_EMPTY(&job->mail))
        iso_job_list_mail(job);
}

void *iso_worker_main(void *argument)
{
    struct iso_supervisor *supervisor = argument;

    pthread_mutex_lock(&supervisor->lock);
    for (;;) {
        struct iso_job *job = TAILQ_FIRST(&supervisor->answer_jobs);
        if (job) {
            TAILQ_REMOVE(&supervisor->answer_jobs, job, answer_link);
            job->answer_listed = false;
            pthread_mutex_unlock(&supervisor->lock);
            iso_job_finish_stopped(job);
            iso_job_unref_unlocked(job);
            pthread_mutex_lock(&supervisor->lock);
            continue;
        }
        /* One worker is always left for answers. */
        job = TAILQ_FIRST(&supervisor->mail_jobs);
        if (job && supervisor->n_mail_workers < supervisor->n_workers - 1) {
            TAILQ_REMOVE(&supervisor->mail_jobs, job, mail_link);
            job->mail_listed = false;
            job->mail_running = true;
            supervisor->n_mail_workers++;
            work_on_mail(supervisor, job);
            supervisor->n_mail_workers--;
            pthread_cond_signal(&supervisor->work);
            pthread_mutex_unlock(&supervisor->lock);
            iso_job_unref_unlocked(job);
            pthread_mutex_lock(&supervisor->lock);
            continue;
        }
        if (supervisor->quit_workers)
            break;
        pthread_cond_wait(&supervisor->work, &supervisor->lock);
    }
    pthread_mutex_unlock(&supervisor->lock);
    return NULL;
}

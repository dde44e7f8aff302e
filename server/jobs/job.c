#include <math.h>
#include <string.h>
#include <unistd.h>

#include "isocost/proto/arena.h"
#include "parts.h"

void iso_job_ref(struct iso_job *job)
{
    job->refs++;
}

/* Nobody else holds the job. */
static void free_job(struct iso_job *job)
{
    struct iso_supervisor *supervisor = job->supervisor;
    struct mail *mail;

    while ((mail = TAILQ_FIRST(&job->mail))) {
        TAILQ_REMOVE(&job->mail, mail, link);
        free(mail);
    }
    if (job->snapshot_fd >= 0)
        close(job->snapshot_fd);
    iso_arena_free(job->arena);
    iso_arena_free(job->model_arena);
    pthread_mutex_destroy(&job->delivery);
    free(job->tier);
    free(job);
    iso_supervisor_unref(supervisor);
}

void iso_job_unref_unlocked(struct iso_job *job)
{
    struct iso_supervisor *supervisor = job->supervisor;
    struct shared_snapshot *unused = NULL;
    struct verified *best = NULL;

    pthread_mutex_lock(&supervisor->lock);
    bool last = --job->refs == 0;
    if (last) {
        best = ISO_STEAL(job->best);
        if (best && --best->refs > 0)
            best = NULL;
        if (job->snapshot && --job->snapshot->refs == 0)
            unused = job->snapshot;
    }
    pthread_mutex_unlock(&supervisor->lock);
    if (!last)
        return;
    if (best) {
        iso_plan_free(best->plan);
        free(best);
    }
    if (unused) {
        iso_snapshot_free(unused->snapshot);
        free(unused);
    }
    free_job(job);
}

void iso_job_drop(struct iso_job *job)
{
    if (job->n_dropped++ == 0)
        TAILQ_INSERT_TAIL(&job->supervisor->dropped, job, dropped_link);
}

void iso_job_release(struct iso_job *job)
{
    if (job)
        iso_job_unref_unlocked(job);
}

void iso_job_stop(struct iso_job *job, enum iso_stop why)
{
    struct iso_supervisor *supervisor = job->supervisor;

    pthread_mutex_lock(&supervisor->lock);
    if (!job->stop_asked)
        job->stop_asked = why;
    else if (job->stop_sent) /* by a timer, which gives it longer */
        job->answer_by_s = fmin(job->answer_by_s, iso_supervisor_now() + ANSWER_WITHIN_S);
    if (job->state != JOB_ANSWERED)
        iso_supervisor_wake(supervisor);
    pthread_mutex_unlock(&supervisor->lock);
}

struct mail *iso_mail_new(size_t n_bytes)
{
    struct mail *mail = iso_calloc(1, sizeof(*mail) + n_bytes);
    if (mail)
        mail->n_bytes = n_bytes;
    return mail;
}

void iso_job_list_mail(struct iso_job *job)
{
    if (job->mail_listed || job->mail_running)
        return;
    job->mail_listed = true;
    iso_job_ref(job);
    TAILQ_INSERT_TAIL(&job->supervisor->mail_jobs, job, mail_link);
    pthread_cond_signal(&job->supervisor->work);
}

void iso_job_list_answer(struct iso_job *job)
{
    if (job->answer_listed || job->state == JOB_ANSWERED)
        return;
    job->answer_listed = true;
    iso_job_ref(job);
    TAILQ_INSERT_TAIL(&job->supervisor->answer_jobs, job, answer_link);
    pthread_cond_signal(&job->supervisor->work);
}

static bool is_incumbent(const struct mail *mail)
{
    return mail->kind == MAIL_EVENT &&
           mail->event == ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_INCUMBENT;
}

void iso_job_post(struct iso_job *job, struct mail *mail)
{
    struct mail *old = TAILQ_LAST(&job->mail, mail_list);

    /* The newest incumbent wins. */
    if (old && is_incumbent(old) && is_incumbent(mail)) {
        TAILQ_REMOVE(&job->mail, old, link);
        job->mail_bytes -= old->n_bytes;
        free(old);
    }
    TAILQ_INSERT_TAIL(&job->mail, mail, link);
    job->mail_bytes += mail->n_bytes;
    iso_job_list_mail(job);
}

bool iso_job_has_ended(struct iso_job *job)
{
    pthread_mutex_lock(&job->supervisor->lock);
    bool ended = job->state == JOB_ANSWERED;
    pthread_mutex_unlock(&job->supervisor->lock);
    return ended;
}

void iso_job_deliver_done(struct iso_job *job, const struct iso_job_result *result)
{
    struct iso_supervisor *supervisor = job->supervisor;

    pthread_mutex_lock(&job->delivery);
    bool first = !job->done_delivered;
    if (first) {
        job->done_delivered = true;
        job->done(job->context, result);
    }
    pthread_mutex_unlock(&job->delivery);
    if (!first)
        return;

    pthread_mutex_lock(&supervisor->lock);
    job->state = JOB_ANSWERED;
    TAILQ_REMOVE(&supervisor->jobs, job, link);
    supervisor->n_jobs--;
    pthread_cond_broadcast(&supervisor->changed);
    iso_supervisor_wake(supervisor);
    pthread_mutex_unlock(&supervisor->lock);
    iso_job_unref_unlocked(job);
}

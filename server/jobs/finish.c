/* How a job ends: the result that its caller gets. */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "isocost/proto/arena.h"
#include "message_new.h"
#include "parts.h"

static int64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void deliver_error(struct iso_job *job, const struct iso_error *error,
                          const struct iso_violations *violations)
{
    iso_job_deliver_done(job, &(struct iso_job_result){.status = error->status,
                                                       .error = *error,
                                                       .violations = violations});
}

static void deliver_no_memory(struct iso_job *job)
{
    struct iso_error error = {0};
    iso_fail(&error, ISO_E_NOMEM, "", "no memory to write the plan");
    deliver_error(job, &error, NULL);
}

/* `verified` may be NULL: a plan without lines; `early` too. */
static void deliver_plan(struct iso_job *job, const Isocost__V1__Plan *plan,
                         const struct verified *verified, const struct early *early)
{
    struct iso_job_result result = {.status = ISO_OK,
                                    .plan = plan,
                                    .shown_lines = early ? early->lines : NULL,
                                    .n_shown_bytes = early ? early->n_line_bytes : 0};
    ISO_AUTO_MEM unsigned char *lines = NULL;
    struct iso_error error = {0};

    if (job->all_lines && verified &&
        iso_plan_pack_lines(job->resolved, verified->plan, &lines, &result.n_line_bytes, &error) !=
            ISO_OK) {
        deliver_error(job, &error, NULL);
        return;
    }
    result.lines = lines;
    pthread_mutex_lock(&job->supervisor->lock);
    job->supervisor->n_solves++;
    pthread_mutex_unlock(&job->supervisor->lock);
    iso_job_deliver_done(job, &result);
}

static bool add_warning(Isocost__V1__Plan *message, const char *text, struct iso_arena *arena)
{
    char **warnings = iso_arena_calloc(arena, message->n_warnings + 1, sizeof(*warnings));
    if (!warnings)
        return false;
    for (size_t i = 0; i < message->n_warnings; i++)
        warnings[i] = message->warnings[i];
    warnings[message->n_warnings] = iso_arena_strdup(arena, text);
    message->warnings = warnings;
    return warnings[message->n_warnings++] != NULL;
}

Isocost__V1__Plan *iso_job_write_plan(const struct iso_job *job, const struct iso_plan *plan,
                                      enum iso_reason reason, enum iso_stop stop,
                                      struct iso_arena *arena)
{
    struct iso_plan ended = *plan;

    ended.reason = reason;
    ended.stop = stop;
    return arena ? iso_plan_to_proto(job->resolved, job->model, &ended, NULL, wall_ns(),
                                     MOST_LINE_BYTES, arena)
                 : NULL;
}

/* What is known of a plan beside the plan itself. */
static void complete(Isocost__V1__Plan *message, const struct verified *verified)
{
    iso_plan_certify(message, &verified->verdict);
    message->stats->cpu_seconds = verified->cpu_seconds;
    message->stats->peak_memory_mib = verified->peak_memory_mib;
}

/* The public plan of what was verified, with another end. `warning` may be NULL. */
static Isocost__V1__Plan *write_plan(struct iso_job *job, const struct verified *verified,
                                     enum iso_reason reason, enum iso_stop stop,
                                     const char *warning, struct iso_arena *arena)
{
    Isocost__V1__Plan *message = iso_job_write_plan(job, verified->plan, reason, stop, arena);

    if (!message || (warning && !add_warning(message, warning, arena)))
        return NULL;
    complete(message, verified);
    return message;
}

/* The best plan so far with a reference of its own; NULL: none. */
static struct verified *take_best(struct iso_job *job)
{
    pthread_mutex_lock(&job->supervisor->lock);
    struct verified *best = job->best;
    if (best)
        best->refs++;
    pthread_mutex_unlock(&job->supervisor->lock);
    return best;
}

static void give_back(struct iso_job *job, struct verified *best)
{
    pthread_mutex_lock(&job->supervisor->lock);
    bool last = --best->refs == 0;
    pthread_mutex_unlock(&job->supervisor->lock);
    if (last) {
        iso_plan_free(best->plan);
        free(best);
    }
}

/* Ends the job with the best plan so far. False: there is none. */
static bool finish_with_best(struct iso_job *job, enum iso_stop stop, const char *warning)
{
    struct verified *best = take_best(job);
    if (!best)
        return false;
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    const Isocost__V1__Plan *message =
        write_plan(job, best, ISO_REASON_FEASIBLE, stop, warning, arena);
    if (message)
        deliver_plan(job, message, best, NULL);
    else
        deliver_no_memory(job);
    give_back(job, best);
    return true;
}

/* Nothing was found until the job was stopped. Digests are there when it was resolved in time. */
static void finish_without_plan_found(struct iso_job *job, enum iso_stop stop)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    struct iso_plan nothing = {.reason = ISO_REASON_NO_PLAN_FOUND, .stop = stop};
    const struct iso_verdict none = {0};
    Isocost__V1__Plan *message = NULL;

    pthread_mutex_lock(&job->supervisor->lock);
    const struct iso_resolved *resolved = job->resolved;
    pthread_mutex_unlock(&job->supervisor->lock);
    if (arena && resolved)
        message = iso_plan_to_proto(resolved, job->model, &nothing, &none, wall_ns(),
                                    MOST_LINE_BYTES, arena);
    else if (arena)
        message = iso_message_new(arena, &isocost__v1__plan__descriptor);
    if (message && !message->termination) {
        message->state = ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE;
        message->display_name = job->model->display_name;
        message->termination = iso_message_new(arena, &isocost__v1__termination__descriptor);
        if (message->termination) {
            message->termination->reason = (Isocost__V1__TerminationReason)nothing.reason;
            message->termination->stopped_by = (Isocost__V1__StoppedBy)stop;
        }
    }
    if (message && message->termination)
        deliver_plan(job, message, NULL, NULL);
    else
        deliver_no_memory(job);
}

void iso_job_finish_stopped(struct iso_job *job)
{
    struct iso_supervisor *supervisor = job->supervisor;
    struct iso_error error = {0};

    pthread_mutex_lock(&supervisor->lock);
    enum iso_stop stop = job->stop_asked;
    bool waited = job->started_s == 0, shutdown = job->shutdown;
    pthread_mutex_unlock(&supervisor->lock);
    if (iso_job_has_ended(job) || finish_with_best(job, stop, NULL))
        return;
    if (shutdown)
        iso_fail(&error, ISO_E_UNAVAILABLE, "", "the server is stopping; try again");
    else if (stop == ISO_STOP_NONE)
        iso_fail(&error, ISO_E_UNAVAILABLE, "",
                 "the solver processes end as soon as they start; see the server's log");
    else if (stop == ISO_STOP_CANCEL)
        iso_fail(&error, ISO_E_CANCELLED, "", "stopped before there was a plan");
    else if (waited)
        iso_fail(&error, ISO_E_DEADLINE, "", "the deadline passed before a solver was free");
    else if (job->mode != ISO_JOB_SOLVE)
        iso_fail(&error, ISO_E_DEADLINE, "", "there was not enough time");
    else {
        finish_without_plan_found(job, stop);
        return;
    }
    deliver_error(job, &error, NULL);
}

static void finish_failed(struct iso_job *job, enum iso_stop stop, const struct iso_error *why_not,
                          const struct iso_violations *violations, bool solver_died)
{
    char warning[sizeof(why_not->text) + 80];

    snprintf(warning, sizeof(warning), "this is the best plan verified until the end came: %s",
             why_not->text);
    if (iso_job_has_ended(job) || finish_with_best(job, stop, warning))
        return;
    iso_job_deliver_done(job, &(struct iso_job_result){.status = why_not->status,
                                                       .error = *why_not,
                                                       .solver_died = solver_died,
                                                       .violations = violations});
}

void iso_job_finish_dead(struct iso_job *job, const struct mail *death)
{
    struct iso_error error = {0};

    /* Killed because it did not stop in time: then the stop is what the caller is told. */
    pthread_mutex_lock(&job->supervisor->lock);
    bool stopped = job->stop_sent;
    pthread_mutex_unlock(&job->supervisor->lock);
    if (stopped) {
        iso_job_finish_stopped(job);
        return;
    }
    iso_fail(&error, ISO_E_UNAVAILABLE, "", "the solver process %s while it worked on this%s; %s",
             death->cause, death->memory ? ", near its memory limit" : "",
             death->memory ? "try a smaller model" : "try again");
    finish_failed(job, death->memory ? ISO_STOP_MEMORY : ISO_STOP_NONE, &error, NULL,
                  death->by_itself || death->memory);
}

void iso_job_finish_failed(struct iso_job *job, enum iso_stop stop, const struct iso_error *why_not,
                           const struct iso_violations *violations)
{
    finish_failed(job, stop, why_not, violations, /* solver_died= */ false);
}

/* The child is told a shorter limit when the deadline comes before the model's own. */
enum iso_stop iso_job_own_stop(struct iso_job *job, enum iso_stop childs)
{
    pthread_mutex_lock(&job->supervisor->lock);
    enum iso_stop stop = childs;
    if (job->stop_asked && childs != ISO_STOP_NONE && childs != ISO_STOP_GAP)
        stop = job->stop_asked;
    else if (childs == ISO_STOP_TIME && job->answer_at_s < job->started_s + job->limit_s)
        stop = ISO_STOP_DEADLINE;
    pthread_mutex_unlock(&job->supervisor->lock);
    return stop;
}

void iso_job_finish_solved(struct iso_job *job, const struct verified *verified,
                           const struct early *early)
{
    enum iso_stop stop = iso_job_own_stop(job, verified->plan->stop);

    if (iso_job_has_ended(job))
        return;
    if (early->message) {
        complete(early->message, verified);
        deliver_plan(job, early->message, verified, early);
        return;
    }
    if (verified->plan->reason == ISO_REASON_NO_PLAN_FOUND && stop == ISO_STOP_CANCEL) {
        iso_job_finish_stopped(job);
        return;
    }
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    const Isocost__V1__Plan *message =
        write_plan(job, verified, verified->plan->reason, stop, NULL, arena);
    if (message)
        deliver_plan(job, message, verified, NULL);
    else
        deliver_no_memory(job);
}

static Isocost__V1__ValidateModelResponse *
write_validation(const struct iso_job *job, const Isocost__Internal__V1__Stats *stats,
                 struct iso_arena *arena)
{
    const struct iso_resolved *resolved = job->resolved;
    Isocost__V1__ValidateModelResponse *message =
        iso_message_new(arena, &isocost__v1__validate_model_response__descriptor);
    if (!message)
        return NULL;
    message->digests = iso_plan_digests_new(resolved, arena);
    message->stats = iso_plan_stats_new(resolved, arena);
    if (message->stats && stats) {
        message->stats->columns = stats->columns;
        message->stats->cpu_seconds = stats->cpu_seconds;
        message->stats->peak_memory_mib = stats->peak_memory_mib;
    }
    message->warnings =
        iso_arena_calloc(arena, (size_t)resolved->n_warnings + 1, sizeof(*message->warnings));
    for (int32_t i = 0; message->warnings && i < resolved->n_warnings; i++)
        message->warnings[message->n_warnings++] = iso_arena_strdup(arena, resolved->warnings[i]);
    return iso_arena_full(arena) ? NULL : message;
}

void iso_job_finish_without_plan(struct iso_job *job, const Isocost__Internal__V1__Stats *stats)
{
    struct iso_job_result result = {.status = ISO_OK};

    if (job->mode != ISO_JOB_VALIDATE) {
        iso_job_deliver_done(job, &result);
        return;
    }
    if (job->resolve_status != ISO_OK) {
        deliver_error(job, &job->resolve_error, &job->violations);
        return;
    }
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    result.validation = arena ? write_validation(job, stats, arena) : NULL;
    if (result.validation)
        iso_job_deliver_done(job, &result);
    else
        deliver_no_memory(job);
}

void iso_progress_numbers(Isocost__V1__SolveProgress *message, bool has_value, double value,
                          double bound)
{
    bool has_bound = isfinite(bound);

    if (has_value) {
        message->opt_value_case = ISOCOST__V1__SOLVE_PROGRESS__OPT_VALUE_VALUE;
        message->value = value;
    }
    if (has_bound) {
        message->opt_bound_case = ISOCOST__V1__SOLVE_PROGRESS__OPT_BOUND_BOUND;
        message->bound = bound;
    }
    if (has_value && has_bound) {
        message->opt_gap_case = ISOCOST__V1__SOLVE_PROGRESS__OPT_GAP_GAP;
        message->gap = value > bound ? (value - bound) / fabs(value) : 0;
    }
}

void iso_job_publish(struct iso_job *job)
{
    struct iso_supervisor *supervisor = job->supervisor;
    Isocost__V1__SolveProgress message = ISOCOST__V1__SOLVE_PROGRESS__INIT;
    char tier[ISO_TIER_NAME_SIZE] = "";
    double now = iso_supervisor_now();

    pthread_mutex_lock(&supervisor->lock);
    bool due = job->incumbents && job->progress && job->state == JOB_RUNNING &&
               job->best_version != job->published_version &&
               now >= job->published_s + INCUMBENT_EVERY_S;
    if (due) {
        job->published_version = job->best_version;
        job->published_s = job->progress_s = now;
        message.iterations = job->newest.iterations;
        message.nodes = job->newest.nodes;
    }
    pthread_mutex_unlock(&supervisor->lock);
    struct verified *best = due ? take_best(job) : NULL;
    if (!best)
        return;

    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    const struct iso_plan *plan = best->plan;
    message.incumbent = write_plan(job, best, ISO_REASON_FEASIBLE, ISO_STOP_NONE, NULL, arena);
    message.tier = tier;
    message.seconds = now - job->submitted_s;
    if (plan->n_tiers > 0) {
        const struct iso_tier *last = &plan->tiers[plan->n_tiers - 1];
        iso_tier_name(last, tier);
        iso_progress_numbers(&message, isfinite(last->value), last->value, last->bound);
    }
    pthread_mutex_lock(&job->delivery);
    if (message.incumbent && !job->done_delivered)
        job->progress(job->context, &message);
    pthread_mutex_unlock(&job->delivery);
    give_back(job, best);
}

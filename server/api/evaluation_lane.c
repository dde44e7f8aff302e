/* Lanes: from a scenario to its model, to a job, to an answer, to the next scenario. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "evaluation_internal.h"
#include "failure.h"
#include "isocost/proto/digest.h"

#define ATTEMPTS 3        /* that a scenario has when solver processes die */
#define RETRY_NS 50000000 /* until the supervisor's queue has room again */
#define MODEL_BYTES ((size_t)1 << 30)

/* --- the order --- */

static int compare(const void *a, const void *b, void *context)
{
    const struct scenario *scenarios = context;
    int left = *(const int *)a, right = *(const int *)b;
    int order = strcmp(scenarios[left].key, scenarios[right].key);

    if (order != 0)
        return order;
    if (scenarios[left].number != scenarios[right].number)
        return scenarios[left].number < scenarios[right].number ? -1 : 1;
    return left - right;
}

void iso_evaluation_sort(struct iso_evaluation *evaluation)
{
    for (int i = 0; i < evaluation->n_scenarios; i++)
        evaluation->places[i] = i;
    qsort_r(evaluation->places, (size_t)evaluation->n_scenarios, sizeof(int), compare,
            evaluation->scenarios);
}

/* The next place of a lane; one that has none takes the later half of what the busiest still has.
 * -1: there is nothing left, or the evaluation was stopped. The mutex is held. */
static int take_place(struct lane *lane)
{
    struct iso_evaluation *evaluation = lane->evaluation;

    if (evaluation->stopped)
        return -1;
    if (lane->next == lane->end) {
        struct lane *busiest = lane;
        for (int i = 0; i < evaluation->n_lanes; i++) {
            struct lane *other = &evaluation->lanes[i];
            if (other->end - other->next > busiest->end - busiest->next)
                busiest = other;
        }
        if (busiest == lane)
            return -1;
        lane->end = busiest->end;
        busiest->end -= (busiest->end - busiest->next + 1) / 2;
        lane->next = busiest->end;
    }
    return evaluation->places[lane->next++];
}

/* The first scenario with the digest; *ret_slot is where it stands, or may stand. */
static int find_same(const struct iso_evaluation *evaluation, const char *digest,
                     uint32_t *ret_slot)
{
    uint32_t hash = 2166136261u, at;

    for (const char *c = digest; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    for (at = hash & (evaluation->n_slots - 1); evaluation->slots[at];
         at = (at + 1) & (evaluation->n_slots - 1))
        if (strcmp(evaluation->scenarios[evaluation->slots[at] - 1].digest, digest) == 0)
            break;
    *ret_slot = at;
    return evaluation->slots[at] - 1;
}

/* --- one scenario --- */

static enum iso_status make_model(struct lane *lane, struct iso_error *reterr)
{
    struct iso_evaluation *evaluation = lane->evaluation;
    struct scenario *scenario = &evaluation->scenarios[lane->place];
    char path[64];

    lane->arena = iso_arena_new(MODEL_BYTES);
    if (!lane->arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the model of a scenario");
    lane->violations = (struct iso_violations){.arena = lane->arena};
    if (scenario->model) {
        lane->model = scenario->model;
        return iso_message_digest(&lane->model->base, NULL, scenario->digest, reterr);
    }
    snprintf(path, sizeof(path), "scenarios[%d].changes", lane->place);
    const struct iso_changes changes = {.n = scenario->n_changes,
                                        .items = scenario->changes,
                                        .n_before = evaluation->n_base_changes,
                                        .path = path};
    ISO_TRY(iso_model_change(evaluation->api, &evaluation->principal, evaluation->model, &changes,
                             &lane->violations, &lane->model, reterr));
    return iso_message_digest(&lane->model->base, NULL, scenario->digest, reterr);
}

/* `violations` may be NULL. NULL when memory is short. */
static const Google__Rpc__Status *status_of(const struct iso_error *error,
                                            const struct iso_violations *violations,
                                            struct iso_arena *arena)
{
    static const struct iso_violations none;

    return arena ? iso_failure_to_status(error, violations ? violations : &none, arena) : NULL;
}

static void answer_error(struct lane *lane, const struct iso_error *error,
                         const struct iso_violations *violations)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new((size_t)4 << 20);
    const Google__Rpc__Status *status = status_of(error, violations, arena);
    size_t n_bytes = 0;
    ISO_AUTO_MEM unsigned char *answer =
        iso_evaluation_pack(lane->evaluation, NULL, status, &n_bytes);

    iso_evaluation_answer(lane->evaluation, lane->place, answer, n_bytes);
}

/* True: another scenario has the same model, so this one is answered now or with it. */
static bool is_same(struct lane *lane)
{
    struct iso_evaluation *evaluation = lane->evaluation;
    struct scenario *scenario = &evaluation->scenarios[lane->place];
    bool answered = false;
    uint32_t slot;

    pthread_mutex_lock(&evaluation->mutex);
    int first = find_same(evaluation, scenario->digest, &slot);
    if (first < 0) {
        evaluation->slots[slot] = lane->place + 1;
        evaluation->n_running++;
    } else if (evaluation->scenarios[first].done) {
        answered = true;
    } else {
        scenario->next_same = evaluation->scenarios[first].next_same;
        evaluation->scenarios[first].next_same = lane->place;
    }
    pthread_mutex_unlock(&evaluation->mutex);
    if (answered)
        iso_evaluation_answer_same(evaluation, lane->place, first);
    return first >= 0;
}

/* --- its job --- */

static void on_progress(void *context, const Isocost__V1__SolveProgress *progress)
{
    struct lane *lane = context;

    (void)progress;
    pthread_mutex_lock(&lane->evaluation->mutex);
    iso_evaluation_wake(lane->evaluation, /* progress= */ true);
    pthread_mutex_unlock(&lane->evaluation->mutex);
}

/* Both parts of a job are over: the lane goes on. The mutex is held. */
static void end_part(struct lane *lane)
{
    if (--lane->n_parts == 0)
        iso_worker_pool_submit(lane->evaluation->api->scenarios, &lane->task, /* bounded= */ false);
}

/* The answer is packed here, since the plan lives only until this returns. */
static void on_done(void *context, const struct iso_job_result *result)
{
    struct lane *lane = context;
    struct iso_evaluation *evaluation = lane->evaluation;
    ISO_AUTO(iso_arena) arena = iso_arena_new((size_t)64 << 20);
    bool has_plan = result->status == ISO_OK && result->plan;
    const Google__Rpc__Status *error =
        has_plan ? NULL : status_of(&result->error, result->violations, arena);

    lane->again = result->status == ISO_E_UNAVAILABLE && lane->n_attempts < ATTEMPTS;
    if (!lane->again)
        lane->answer =
            iso_evaluation_pack(evaluation, has_plan ? result->plan : NULL, error, &lane->n_answer);
    pthread_mutex_lock(&evaluation->mutex);
    evaluation->n_running--;
    if (has_plan && result->plan->stats)
        evaluation->cpu_seconds += result->plan->stats->cpu_seconds;
    end_part(lane);
    pthread_mutex_unlock(&evaluation->mutex);
}

static bool is_stopped(struct iso_evaluation *evaluation)
{
    pthread_mutex_lock(&evaluation->mutex);
    bool stopped = evaluation->stopped;
    pthread_mutex_unlock(&evaluation->mutex);
    return stopped;
}

/* Waits while the supervisor's queue is full. */
static enum iso_status submit(struct lane *lane, struct iso_error *reterr)
{
    struct iso_evaluation *evaluation = lane->evaluation;
    const struct iso_job_request request = {
        .mode = ISO_JOB_SOLVE,
        .model = lane->model,
        .model_digest = evaluation->scenarios[lane->place].digest,
        .snapshot_fd = evaluation->snapshot_fd,
        .affinity = lane->affinity,
        .owner = &evaluation->principal,
        .context = lane,
        .progress = on_progress,
        .done = on_done,
    };
    struct iso_job *job = NULL;
    enum iso_status status;

    lane->n_parts = 2;
    lane->n_attempts++;
    for (;;) {
        struct iso_error error = {0};
        status = iso_supervisor_submit(evaluation->api->config.supervisor, &request, &job, &error);
        if (status != ISO_E_LIMIT || is_stopped(evaluation)) {
            if (status != ISO_OK)
                return iso_fail(reterr, status, error.field, "%s", error.text);
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = RETRY_NS}, NULL);
    }
    pthread_mutex_lock(&evaluation->mutex);
    lane->job = job;
    if (evaluation->stopped)
        iso_job_stop(job, ISO_STOP_CANCEL);
    end_part(lane);
    pthread_mutex_unlock(&evaluation->mutex);
    return ISO_OK;
}

/* --- the lane --- */

/* Gives the answer of the job that has ended, if any; what a stop cut short is none. */
static void settle(struct lane *lane)
{
    ISO_AUTO_MEM unsigned char *answer = ISO_STEAL(lane->answer);

    if (answer && !is_stopped(lane->evaluation))
        iso_evaluation_answer(lane->evaluation, lane->place, answer, lane->n_answer);
}

static void release(struct lane *lane)
{
    pthread_mutex_lock(&lane->evaluation->mutex);
    struct iso_job *job = ISO_STEAL(lane->job);
    pthread_mutex_unlock(&lane->evaluation->mutex);
    iso_job_release(job);
    if (!lane->again) {
        iso_arena_free(lane->arena);
        lane->arena = NULL;
        lane->n_attempts = 0;
    }
}

static bool begin(struct lane *lane)
{
    struct iso_evaluation *evaluation = lane->evaluation;

    pthread_mutex_lock(&evaluation->mutex);
    if (lane->again && !evaluation->stopped)
        evaluation->n_running++;
    else
        lane->place = take_place(lane);
    if (lane->place < 0)
        evaluation->n_busy_lanes--;
    pthread_mutex_unlock(&evaluation->mutex);
    if (lane->place < 0)
        iso_evaluation_end_if_done(evaluation);
    return lane->place >= 0;
}

/* Does what needs no solver; true when a job was submitted, whose end goes on with the lane. */
static bool go_on(struct lane *lane)
{
    struct iso_error error = {0};

    if (!lane->again) {
        if (make_model(lane, &error) != ISO_OK) {
            answer_error(lane, &error, &lane->violations);
            return false;
        }
        if (is_same(lane))
            return false;
    }
    lane->again = false;
    if (submit(lane, &error) == ISO_OK)
        return true;
    pthread_mutex_lock(&lane->evaluation->mutex);
    lane->evaluation->n_running--;
    bool stopped = lane->evaluation->stopped;
    pthread_mutex_unlock(&lane->evaluation->mutex);
    if (!stopped)
        answer_error(lane, &error, NULL);
    return false;
}

static void run_lane(struct iso_task *task)
{
    struct lane *lane = (struct lane *)(void *)((char *)task - offsetof(struct lane, task));

    settle(lane);
    release(lane);
    while (begin(lane)) {
        if (go_on(lane))
            return;
        release(lane);
    }
    lane->again = false;
    release(lane);
    iso_evaluation_unref(lane->evaluation);
}

void iso_lane_start(struct lane *lane)
{
    lane->task.run = run_lane;
    iso_worker_pool_submit(lane->evaluation->api->scenarios, &lane->task, /* bounded= */ false);
}

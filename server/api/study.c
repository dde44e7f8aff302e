#include "study.h"

#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "evaluation.h"
#include "isocost/proto/money.h"
#include "message_new.h"

#define SECOND_NS INT64_C(1000000000)
#define DEFAULT_TIME_LIMIT_S 300
#define MOST_TIME_LIMIT_S 3600
#define MOST_SOLVES 2000
#define LOOK_NS (SECOND_NS / 10)  /* how often a waiting study looks whether it is still wanted */
#define TELL_NS (SECOND_NS / 2)   /* how often progress is sent */
#define RETRY_NS (SECOND_NS / 20) /* while too many evaluations run */

enum iso_status iso_study_new(struct iso_api *api, struct iso_call *call, double time_limit_s,
                              const ProtobufCMessageDescriptor *response,
                              struct iso_study **ret_study, struct iso_error *reterr)
{
    struct iso_study *study;
    double limit_s = time_limit_s == 0 ? DEFAULT_TIME_LIMIT_S : time_limit_s;
    double remaining_s = iso_call_remaining_s(call);

    if (!(limit_s > 0 && limit_s <= MOST_TIME_LIMIT_S))
        return iso_fail(reterr, ISO_E_INVALID, "time_limit_seconds",
                        "%g; it must be in (0, %d], or 0 for %d", time_limit_s, MOST_TIME_LIMIT_S,
                        DEFAULT_TIME_LIMIT_S);
    study = iso_calloc(1, sizeof(*study));
    if (!study)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a study");
    study->api = api;
    study->call = iso_call_ref(call);
    study->response = response;
    study->most_solves = MOST_SOLVES;
    study->doing = "";
    if (isfinite(remaining_s)) /* leaves a little to say what was found */
        limit_s = fmin(limit_s, remaining_s - fmin(1, 0.2 * remaining_s));
    study->end_ns = iso_wall_ns() + (int64_t)(limit_s * 1e9);
    study->arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    if (!study->arena) {
        iso_study_free(study);
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a study");
    }
    *ret_study = study;
    return ISO_OK;
}

void iso_study_free(struct iso_study *study)
{
    if (!study)
        return;
    for (size_t i = 0; i < study->n_plans; i++)
        iso_snapshot_free(study->plans[i].snapshot);
    iso_call_unref(study->call);
    iso_arena_free(study->arena);
    free(study);
}

/* --- plans --- */

static enum iso_status check_ended(const Isocost__V1__Plan *plan, const char *field,
                                   struct iso_error *reterr)
{
    switch (plan->state) {
    case ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE:
        return ISO_OK;
    case ISOCOST__V1__PLAN_STATE__PLAN_STATE_QUEUED:
    case ISOCOST__V1__PLAN_STATE__PLAN_STATE_RUNNING:
        return iso_fail(reterr, ISO_E_PRECONDITION, field,
                        "plan %s has not ended; WatchPlan tells when it has", plan->id);
    default:
        return iso_fail(reterr, ISO_E_PRECONDITION, field, "plan %s ended without an answer%s%s",
                        plan->id, plan->error ? ": " : "", plan->error ? plan->error->message : "");
    }
}

static enum iso_status map_snapshot(struct iso_study *study, struct iso_study_plan *loaded,
                                    const char *digest, const char *field, struct iso_error *reterr)
{
    struct iso_error error = {0};
    int fd;

    loaded->snapshot_digest = "";
    enum iso_status status =
        iso_snapshot_open(study->api->config.store, iso_call_principal(study->call), loaded->model,
                          digest, study->arena, &fd, &loaded->snapshot_digest, &error);
    if (status == ISO_E_NOT_FOUND)
        return iso_fail(
            reterr, ISO_E_PRECONDITION, field,
            "the prices of plan %s are not kept any more: its snapshot %.80s was pruned",
            loaded->plan->id, digest);
    if (status != ISO_OK)
        return iso_fail(reterr, status, error.field, "%s", error.text);
    if (fd < 0)
        return ISO_OK;
    status = iso_snapshot_map(fd, &loaded->snapshot, reterr);
    close(fd);
    return status;
}

/* The model with the snapshot that its plan was made from, whatever is newest now, and the day
 * whose prices it had. */
static enum iso_status pin_prices(struct iso_study *study, struct iso_study_plan *loaded,
                                  struct iso_error *reterr)
{
    Isocost__V1__Model *model = iso_arena_calloc(study->arena, 1, sizeof(*model));
    Isocost__V1__Catalog *catalog = iso_arena_calloc(study->arena, 1, sizeof(*catalog));

    if ((!loaded->snapshot_digest[0] && !loaded->plan->price_date[0]) || !loaded->model->catalog)
        return ISO_OK;
    if (!model || !catalog)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a study");
    *model = *loaded->model;
    *catalog = *loaded->model->catalog;
    if (loaded->snapshot_digest[0])
        catalog->snapshot_digest = (char *)loaded->snapshot_digest;
    if (loaded->plan->price_date[0])
        catalog->price_date = loaded->plan->price_date;
    model->catalog = catalog;
    loaded->model = model;
    return ISO_OK;
}

enum iso_status iso_study_load(struct iso_study *study, const char *id, const char *field,
                               struct iso_error *reterr)
{
    const struct iso_principal *principal = iso_call_principal(study->call);
    struct iso_study_plan *loaded = &study->plans[study->n_plans];
    struct iso_violations own = {.arena = study->arena};
    struct iso_plan_record record;
    Isocost__V1__Plan *plan;

    if (!id[0])
        return iso_fail(reterr, ISO_E_INVALID, field, "is missing; give the id of a plan");
    ISO_TRY(iso_ulid_check(id, field, reterr));
    ISO_TRY(iso_store_get_plan(study->api->config.store, principal, id, /* with_lines= */ true,
                               study->arena, &record, reterr));
    ISO_TRY(iso_plan_from_record(&record, study->arena, &plan, reterr));
    ISO_TRY(check_ended(plan, field, reterr));
    loaded->plan = plan;
    loaded->lines = record.lines;
    ISO_TRY(iso_model_load(study->api->config.store, principal, record.model_digest, &own,
                           &loaded->model, reterr));
    ISO_TRY(map_snapshot(study, loaded, record.snapshot_digest, field, reterr));
    ISO_TRY(pin_prices(study, loaded, reterr));
    study->n_plans++;
    return ISO_OK;
}

/* --- the thread --- */

static void run_study(struct iso_task *task)
{
    struct iso_study *study =
        (struct iso_study *)(void *)((char *)task - offsetof(struct iso_study, task));
    struct iso_error error = {0};

    if (study->run(study, &error) != ISO_OK)
        iso_call_fail(study->call, &error);
    else
        iso_call_finish(study->call);
    iso_study_free(study);
}

enum iso_status iso_study_start(struct iso_study *study, struct iso_error *reterr)
{
    study->task.run = run_study;
    if (iso_worker_pool_submit(study->api->studies, &study->task, /* bounded= */ true))
        return ISO_OK;
    iso_call_set_retry_after(study->call, 5);
    return iso_fail(reterr, ISO_E_LIMIT, "",
                    "%d comparisons and explanations run and %d wait; try again later",
                    ISO_STUDY_THREADS, ISO_STUDIES_WAITING);
}

bool iso_study_is_over(const struct iso_study *study)
{
    return iso_wall_ns() >= study->end_ns || study->n_solves >= study->most_solves ||
           iso_call_cancelled(study->call);
}

static void tell(struct iso_study *study, int n_now, int n_same_now)
{
    Isocost__V1__StudyProgress progress = ISOCOST__V1__STUDY_PROGRESS__INIT;
    int64_t now_ns = iso_wall_ns();
    Isocost__V1__ExplainPlanResponse response; /* all responses begin with the same fields */

    if (now_ns - study->told_ns < TELL_NS)
        return;
    study->told_ns = now_ns;
    progress.solves = study->n_solves + n_now - n_same_now;
    progress.same = study->n_same + n_same_now;
    progress.seconds = iso_call_elapsed_s(study->call);
    progress.doing = (char *)study->doing;
    protobuf_c_message_init(study->response, &response);
    response.event_case = ISOCOST__V1__EXPLAIN_PLAN_RESPONSE__EVENT_PROGRESS;
    response.progress = &progress;
    iso_call_send_newest(study->call, &response.base);
}

/* --- solving --- */

static enum iso_status make_evaluation(struct iso_study *study, const struct iso_study_case *cases,
                                       size_t n, enum iso_study_detail detail,
                                       struct iso_evaluation **ret_evaluation,
                                       struct iso_error *reterr)
{
    const struct iso_model_base base = {.model = cases[0].model};
    ISO_AUTO(iso_evaluation) evaluation = NULL;
    char name[32];

    ISO_TRY(iso_evaluation_new(study->api, iso_call_principal(study->call), &base, &evaluation,
                               reterr));
    ISO_TRY(iso_evaluation_reserve(evaluation, n, reterr));
    if (detail == ISO_STUDY_WHOLE)
        iso_evaluation_keep_whole(evaluation);
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "%zu", i);
        ISO_TRY(iso_evaluation_add_model(evaluation, name, cases[i].model, reterr));
    }
    ISO_TRY(iso_evaluation_begin(evaluation, reterr));
    *ret_evaluation = ISO_STEAL(evaluation);
    return ISO_OK;
}

/* Begins as soon as not too many evaluations run. */
static enum iso_status begin(struct iso_study *study, const struct iso_study_case *cases, size_t n,
                             enum iso_study_detail detail, struct iso_evaluation **ret_evaluation,
                             struct iso_error *reterr)
{
    for (;;) {
        struct iso_error error = {0};
        enum iso_status status = make_evaluation(study, cases, n, detail, ret_evaluation, &error);
        if (status == ISO_OK)
            return ISO_OK;
        if (status != ISO_E_LIMIT || iso_study_is_over(study))
            return iso_fail(reterr, status, error.field, "%s", error.text);
        nanosleep(&(struct timespec){.tv_nsec = RETRY_NS}, NULL);
    }
}

static void wait_for_end(struct iso_study *study, struct iso_evaluation *evaluation)
{
    bool cut_short = false;
    int n_done, n_same;

    while (!iso_evaluation_await(evaluation, iso_wall_ns() + LOOK_NS)) {
        if (!cut_short && (iso_call_cancelled(study->call) || iso_wall_ns() >= study->end_ns)) {
            iso_evaluation_cut_short(evaluation);
            cut_short = true;
        }
        iso_evaluation_count(evaluation, &n_done, &n_same);
        tell(study, n_done, n_same);
    }
}

/* Whether the caller or the server gives up, which ends the study. */
static enum iso_status check_wanted(struct iso_study *study, struct iso_error *reterr)
{
    pthread_mutex_lock(&study->api->mutex);
    bool held = study->api->held;
    pthread_mutex_unlock(&study->api->mutex);
    if (held)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the server is stopping; try again");
    if (iso_call_cancelled(study->call))
        return iso_fail(reterr, ISO_E_CANCELLED, "", "the caller has gone");
    return ISO_OK;
}

static void read_result(struct iso_evaluation *evaluation, size_t i, struct iso_study_case *solved,
                        struct iso_arena *arena)
{
    Isocost__V1__ScenarioResult *result = iso_evaluation_result(evaluation, (int)i, arena);

    if (!result)
        solved->why_not = "there was no time to solve it";
    else if (result->error)
        solved->why_not = result->error->message;
    else
        solved->plan = result->plan;
}

/* Lets no solve take longer than the study has. */
static bool fit_time(struct iso_study *study, struct iso_study_case *solved)
{
    double left_s = (double)(study->end_ns - iso_wall_ns()) * 1e-9;
    const Isocost__V1__Options *options = solved->model->options;
    double limit_s = options && options->time_limit_seconds > 0 ? options->time_limit_seconds : 60;
    Isocost__V1__Model *model;

    if (limit_s <= left_s)
        return true;
    model = iso_arena_calloc(study->arena, 1, sizeof(*model));
    if (!model)
        return false;
    *model = *solved->model;
    model->options = iso_message_new(study->arena, &isocost__v1__options__descriptor);
    if (!model->options)
        return false;
    if (options)
        *model->options = *options;
    model->options->time_limit_seconds = ceil(fmax(left_s, 0.001) * 1000) / 1000;
    solved->model = model;
    return true;
}

enum iso_status iso_study_solve(struct iso_study *study, struct iso_study_case *cases, size_t n,
                                enum iso_study_detail detail, struct iso_arena *arena,
                                struct iso_error *reterr)
{
    ISO_AUTO(iso_evaluation) evaluation = NULL;
    int n_done, n_same;

    for (size_t i = 0; i < n; i++) {
        cases[i].plan = NULL;
        cases[i].why_not = "there was no time to solve it";
        if (!fit_time(study, &cases[i]))
            return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a study");
    }
    ISO_TRY(check_wanted(study, reterr));
    if (n == 0 || iso_study_is_over(study))
        return ISO_OK;
    ISO_TRY(begin(study, cases, n, detail, &evaluation, reterr));
    wait_for_end(study, evaluation);
    iso_evaluation_count(evaluation, &n_done, &n_same);
    study->n_solves += n_done - n_same;
    study->n_same += n_same;
    for (size_t i = 0; i < n; i++)
        read_result(evaluation, i, &cases[i], arena);
    iso_evaluation_forget(evaluation);
    if (iso_arena_full(arena))
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for the answers of solves");
    return check_wanted(study, reterr);
}

/* --- what plans say --- */

const Isocost__V1__Tier *iso_study_money(const Isocost__V1__Plan *plan)
{
    for (size_t i = 0; i < plan->n_tiers; i++)
        if (strcmp(plan->tiers[i]->name, "money") == 0)
            return plan->tiers[i];
    return NULL;
}

bool iso_study_has_cost(const Isocost__V1__Plan *plan)
{
    if (!plan || !plan->termination || !plan->cost || !iso_study_money(plan))
        return false;
    switch (plan->termination->reason) {
    case ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_OPTIMAL:
    case ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_FEASIBLE:
        return true;
    default:
        return false;
    }
}

iso_decimal iso_study_cost(const Isocost__V1__Plan *plan)
{
    iso_decimal cost = 0;

    if (plan->cost)
        iso_money_to_decimal(plan->cost, &cost, NULL);
    return cost;
}

Isocost__V1__Model *iso_study_model(struct iso_study *study, const Isocost__V1__Model *model)
{
    Isocost__V1__Model *copy = iso_arena_calloc(study->arena, 1, sizeof(*copy));

    if (!copy)
        return NULL;
    *copy = *model;
    copy->start = NULL;
    copy->options = iso_message_new(study->arena, &isocost__v1__options__descriptor);
    if (!copy->options)
        return NULL;
    if (model->options)
        *copy->options = *model->options;
    copy->options->n_want = 0;
    return copy;
}

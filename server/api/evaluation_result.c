/* Answers of scenarios: plans without what grows with the model, and the knee of a curve. */
#include <math.h>

#include "evaluation_internal.h"
#include "isocost/proto/money.h"
#include "message_new.h"

#define WARNINGS_MAX 20
#define COMMITMENTS_MAX 200
#define VIOLATIONS_MAX 200

/* What is left of a plan: how it ended, what it costs by provider, team and region, what to buy. */
static void shorten(Isocost__V1__Plan *plan, Isocost__V1__PlanStats *stats,
                    Isocost__V1__Certificate *certificate)
{
    if (plan->stats) {
        *stats = *plan->stats;
        stats->n_filters = 0;
        stats->n_roundings = 0;
        plan->stats = stats;
    }
    if (plan->certificate) {
        *certificate = *plan->certificate;
        certificate->n_components = 0;
        plan->certificate = certificate;
    }
    plan->state = ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE;
    plan->n_lines = 0;
    plan->n_unserved = 0;
    plan->n_cost_by_period = 0;
    plan->n_binding_rules = 0;
    plan->n_runners_up = 0;
    plan->n_baselines = 0;
    plan->n_actions = 0;
    plan->n_quotas_relied_on = 0;
    plan->n_alternatives = 0;
    plan->n_labels = 0;
    plan->options = NULL;
    if (plan->n_warnings > WARNINGS_MAX)
        plan->n_warnings = WARNINGS_MAX;
    if (plan->n_commitments > COMMITMENTS_MAX)
        plan->n_commitments = COMMITMENTS_MAX;
    if (plan->n_violations > VIOLATIONS_MAX)
        plan->n_violations = VIOLATIONS_MAX;
}

/* Mean over the hours and the workloads that have a priority, by weight, of the share of the demand
 * that is served: 1 - (sum over stages of sum_a w_a sum_t h_t u_at / D_at) / (H sum_a w_a). */
static bool served_share(const struct iso_evaluation *evaluation, const Isocost__V1__Plan *plan,
                         double *ret_share)
{
    double weights = 0, unserved = 0;

    for (size_t i = 0; i < evaluation->model->n_workloads; i++) {
        const Isocost__V1__Workload *w = evaluation->model->workloads[i];
        if (w->service_case == ISOCOST__V1__WORKLOAD__SERVICE_PRIORITY)
            weights += w->opt_weight_case ? w->weight : 1;
    }
    for (size_t i = 0; i < plan->n_tiers; i++)
        if (strncmp(plan->tiers[i]->name, "unserved ", 9) == 0)
            unserved += plan->tiers[i]->value;
    if (plan->n_tiers == 0 || !(weights > 0) || !(plan->horizon_hours > 0))
        return false;
    *ret_share = fmin(1, fmax(0, 1 - unserved / (weights * plan->horizon_hours)));
    return true;
}

static double cost_of(const Isocost__V1__Plan *plan)
{
    iso_decimal cost = 0;

    if (!plan->cost || iso_money_to_decimal(plan->cost, &cost, NULL) != ISO_OK)
        return NAN;
    return iso_decimal_to_double(cost);
}

static bool found_plan(const Isocost__V1__Plan *plan)
{
    return plan && plan->termination &&
           (plan->termination->reason ==
                ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_OPTIMAL ||
            plan->termination->reason ==
                ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_FEASIBLE);
}

unsigned char *iso_evaluation_pack(const struct iso_evaluation *evaluation,
                                   const Isocost__V1__Plan *plan, const Google__Rpc__Status *error,
                                   size_t *ret_n_bytes)
{
    Isocost__V1__ScenarioResult result = ISOCOST__V1__SCENARIO_RESULT__INIT;
    Google__Rpc__Status failure = GOOGLE__RPC__STATUS__INIT;
    Isocost__V1__Certificate certificate;
    Isocost__V1__PlanStats stats;
    Isocost__V1__Plan shown;

    if (plan) {
        shown = *plan;
        shorten(&shown, &stats, &certificate);
        result.plan = &shown;
        if (evaluation->knee == ISO_KNEE_SERVED && found_plan(plan) &&
            served_share(evaluation, plan, &result.served_share))
            result.opt_served_share_case =
                ISOCOST__V1__SCENARIO_RESULT__OPT_SERVED_SHARE_SERVED_SHARE;
    } else {
        failure = error ? *error : failure;
        if (!error)
            failure.code = iso_status_grpc_code(ISO_E_NOMEM);
        result.error = &failure;
    }
    *ret_n_bytes = isocost__v1__scenario_result__get_packed_size(&result);
    unsigned char *bytes = iso_calloc(*ret_n_bytes + 1, 1);
    if (bytes)
        isocost__v1__scenario_result__pack(&result, bytes);
    return bytes;
}

void iso_evaluation_note(struct iso_evaluation *evaluation,
                         const Isocost__V1__ScenarioResult *result, int64_t sequence)
{
    struct scenario *scenario = &evaluation->scenarios[result->place];

    if (result->place < 0 || result->place >= evaluation->n_scenarios)
        return;
    scenario->done = true;
    scenario->sequence = sequence;
    evaluation->n_done++;
    evaluation->n_same += result->same_as[0] != '\0';
    if (evaluation->knee == ISO_KNEE_SERVED)
        scenario->height = result->opt_served_share_case ? result->served_share : NAN;
    else
        scenario->height = found_plan(result->plan) ? cost_of(result->plan) : NAN;
    scenario->has_height = isfinite(scenario->height);
}

static void give_up(struct iso_evaluation *evaluation, const char *why)
{
    iso_api_log(evaluation->api, 3, "evaluation %s is stopped: %s", evaluation->id, why);
    pthread_mutex_lock(&evaluation->mutex);
    iso_evaluation_stop(evaluation);
    pthread_mutex_unlock(&evaluation->mutex);
}

/* Adds an event, in the store first. */
static bool publish(struct iso_evaluation *evaluation, Isocost__V1__EvaluationEvent *event,
                    int64_t place, bool last)
{
    struct iso_error error = {0};
    bool kept;

    pthread_mutex_lock(&evaluation->order);
    kept = iso_evaluation_write(evaluation, event, place, last, &error) == ISO_OK;
    pthread_mutex_lock(&evaluation->mutex);
    if (kept && !iso_evaluation_append(evaluation, event)) {
        iso_fail(&error, ISO_E_NOMEM, "", "no memory for an event");
        kept = false;
    }
    if (kept && event->event_case == ISOCOST__V1__EVALUATION_EVENT__EVENT_RESULT)
        iso_evaluation_note(evaluation, event->result, event->sequence);
    pthread_mutex_unlock(&evaluation->mutex);
    pthread_mutex_unlock(&evaluation->order);
    if (!kept)
        give_up(evaluation, error.text);
    return kept;
}

/* Gives the result of a scenario, whatever it says. */
static bool put(struct iso_evaluation *evaluation, int place, Isocost__V1__ScenarioResult *result)
{
    struct scenario *scenario = &evaluation->scenarios[place];
    Isocost__V1__EvaluationEvent event = ISOCOST__V1__EVALUATION_EVENT__INIT;

    result->name = (char *)scenario->name;
    result->place = place;
    result->values = scenario->values;
    result->n_values = (size_t)scenario->n_values;
    event.event_case = ISOCOST__V1__EVALUATION_EVENT__EVENT_RESULT;
    event.result = result;
    if (!publish(evaluation, &event, place, /* last= */ false))
        return false;
    pthread_mutex_lock(&evaluation->mutex);
    iso_evaluation_wake(evaluation, /* progress= */ false);
    pthread_mutex_unlock(&evaluation->mutex);
    return true;
}

void iso_evaluation_answer_same(struct iso_evaluation *evaluation, int place, int first)
{
    pthread_mutex_lock(&evaluation->mutex);
    const struct scenario *solved = &evaluation->scenarios[first];
    const struct event stored = evaluation->events[solved->sequence - 1];
    pthread_mutex_unlock(&evaluation->mutex);
    ISO_AUTO(iso_arena) arena = iso_arena_new(16 * stored.n_bytes + (1u << 20));
    Isocost__V1__EvaluationEvent *event =
        arena ? isocost__v1__evaluation_event__unpack(iso_arena_allocator(arena), stored.n_bytes,
                                                      stored.bytes)
              : NULL;

    if (!event) {
        give_up(evaluation, "no memory for a result");
        return;
    }
    event->result->same_as = (char *)solved->name;
    put(evaluation, place, event->result);
}

/* The next that waits for the same answer as a scenario, taken off the list; -1: none. */
static int take_same(struct iso_evaluation *evaluation, int place)
{
    pthread_mutex_lock(&evaluation->mutex);
    int same = evaluation->scenarios[place].next_same;
    if (same >= 0)
        evaluation->scenarios[place].next_same = evaluation->scenarios[same].next_same;
    pthread_mutex_unlock(&evaluation->mutex);
    return same;
}

void iso_evaluation_answer(struct iso_evaluation *evaluation, int place,
                           const unsigned char *answer, size_t n_answer)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(16 * n_answer + (1u << 20));
    Isocost__V1__ScenarioResult *result =
        answer && arena
            ? isocost__v1__scenario_result__unpack(iso_arena_allocator(arena), n_answer, answer)
            : NULL;
    int same;

    if (!result) {
        give_up(evaluation, "no memory for a result");
        return;
    }
    if (!put(evaluation, place, result))
        return;
    while ((same = take_same(evaluation, place)) >= 0)
        iso_evaluation_answer_same(evaluation, same, place);
    iso_evaluation_end_if_done(evaluation);
}

void iso_evaluation_end_if_done(struct iso_evaluation *evaluation)
{
    Isocost__V1__EvaluationEvent event = ISOCOST__V1__EVALUATION_EVENT__INIT;
    Isocost__V1__EvaluationEnded ended = ISOCOST__V1__EVALUATION_ENDED__INIT;
    Isocost__V1__EvaluationProgress progress;

    pthread_mutex_lock(&evaluation->mutex);
    bool ends = !evaluation->ending && iso_evaluation_is_over(evaluation);
    bool done = evaluation->n_done == evaluation->n_scenarios;
    int knee = ends && done ? iso_evaluation_knee(evaluation) : -1;
    evaluation->ending = evaluation->ending || ends;
    iso_evaluation_progress(evaluation, &progress);
    ended.cpu_seconds = evaluation->cpu_seconds;
    pthread_mutex_unlock(&evaluation->mutex);
    if (!ends)
        return;
    ended.end = done ? ISOCOST__V1__EVALUATION_END__EVALUATION_END_DONE
                     : ISOCOST__V1__EVALUATION_END__EVALUATION_END_CANCELLED;
    ended.progress = &progress;
    if (knee >= 0) {
        ended.opt_knee_case = ISOCOST__V1__EVALUATION_ENDED__OPT_KNEE_KNEE;
        ended.knee = knee;
    }
    event.event_case = ISOCOST__V1__EVALUATION_EVENT__EVENT_ENDED;
    event.ended = &ended;
    publish(evaluation, &event, /* place= */ -2, /* last= */ true);
    pthread_mutex_lock(&evaluation->mutex);
    evaluation->ended = true;
    evaluation->end_ns = iso_wall_ns();
    iso_evaluation_wake(evaluation, /* progress= */ false);
    pthread_mutex_unlock(&evaluation->mutex);
}

/* The point farthest from the chord, in a box whose sides are both 1 long:
 * |dy x - dx y| for points (x, y) relative to the first one, dx = 1, dy = +-1. */
int iso_evaluation_knee(const struct iso_evaluation *evaluation)
{
    const struct scenario *s = evaluation->scenarios;
    int first = -1, last = -1, n = 0, knee = -1;
    double farthest = 1e-6;

    for (int i = 0; i < evaluation->n_scenarios; i++) {
        if (!s[i].has_height || s[i].n_values != 1)
            continue;
        first = first < 0 ? i : first;
        last = i;
        n++;
    }
    if (evaluation->knee == ISO_KNEE_NONE || n < 3)
        return -1;
    double width = s[last].values[0] - s[first].values[0],
           height = s[last].height - s[first].height;
    if (width == 0 || height == 0)
        return -1;
    for (int i = first + 1; i < last; i++) {
        if (!s[i].has_height)
            continue;
        double x = (s[i].values[0] - s[first].values[0]) / width;
        double y = (s[i].height - s[first].height) / height;
        if (fabs(y - x) > farthest) {
            farthest = fabs(y - x);
            knee = i;
        }
    }
    return knee;
}

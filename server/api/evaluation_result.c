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

static void measure(struct iso_evaluation *evaluation, struct scenario *scenario,
                    const Isocost__V1__Plan *plan, Isocost__V1__ScenarioResult *result)
{
    bool found =
        plan->termination &&
        (plan->termination->reason == ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_OPTIMAL ||
         plan->termination->reason == ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_FEASIBLE);
    double share;

    if (evaluation->knee == ISO_KNEE_SERVED && found && served_share(evaluation, plan, &share)) {
        result->opt_served_share_case = ISOCOST__V1__SCENARIO_RESULT__OPT_SERVED_SHARE_SERVED_SHARE;
        result->served_share = share;
        scenario->height = share;
        scenario->has_height = true;
    } else if (evaluation->knee == ISO_KNEE_COST && found) {
        scenario->height = cost_of(plan);
        scenario->has_height = isfinite(scenario->height);
    }
}

/* Appends the result of a scenario, whatever it says. */
static void put(struct iso_evaluation *evaluation, int place, Isocost__V1__ScenarioResult *result)
{
    struct scenario *scenario = &evaluation->scenarios[place];
    Isocost__V1__EvaluationEvent event = ISOCOST__V1__EVALUATION_EVENT__INIT;

    result->name = (char *)scenario->name;
    result->place = place;
    result->values = scenario->values;
    result->n_values = (size_t)scenario->n_values;
    event.event_case = ISOCOST__V1__EVALUATION_EVENT__EVENT_RESULT;
    event.result = result;
    if (!iso_evaluation_append(evaluation, &event)) {
        iso_api_log(evaluation->api, 3, "no memory for a result of evaluation %s", evaluation->id);
        iso_evaluation_stop(evaluation);
        return;
    }
    scenario->done = true;
    scenario->sequence = event.sequence;
    evaluation->n_done++;
}

void iso_evaluation_answer_same(struct iso_evaluation *evaluation, int place, int first,
                                struct iso_arena *arena)
{
    const struct scenario *solved = &evaluation->scenarios[first];
    const struct event *stored = &evaluation->events[solved->sequence - 1];
    Isocost__V1__EvaluationEvent *event =
        arena ? isocost__v1__evaluation_event__unpack(iso_arena_allocator(arena), stored->n_bytes,
                                                      stored->bytes)
              : NULL;

    if (!event) {
        iso_api_log(evaluation->api, 3, "no memory for a result of evaluation %s", evaluation->id);
        iso_evaluation_stop(evaluation);
        return;
    }
    event->result->same_as = (char *)solved->name;
    evaluation->scenarios[place].has_height = solved->has_height;
    evaluation->scenarios[place].height = solved->height;
    evaluation->n_same++;
    put(evaluation, place, event->result);
    iso_evaluation_end_if_done(evaluation);
    iso_evaluation_wake(evaluation, /* progress= */ false);
}

void iso_evaluation_answer(struct iso_evaluation *evaluation, int place,
                           const Isocost__V1__Plan *plan, const Google__Rpc__Status *error,
                           struct iso_arena *arena)
{
    struct scenario *scenario = &evaluation->scenarios[place];
    Isocost__V1__ScenarioResult result = ISOCOST__V1__SCENARIO_RESULT__INIT;
    Google__Rpc__Status failure = GOOGLE__RPC__STATUS__INIT;
    Isocost__V1__Certificate certificate;
    Isocost__V1__PlanStats stats;
    Isocost__V1__Plan shown;

    if (plan) {
        shown = *plan;
        shorten(&shown, &stats, &certificate);
        result.plan = &shown;
        measure(evaluation, scenario, plan, &result);
    } else {
        failure = error ? *error : failure;
        if (!error)
            failure.code = iso_status_grpc_code(ISO_E_NOMEM);
        result.error = &failure;
    }
    put(evaluation, place, &result);
    for (int next = scenario->next_same; next >= 0 && scenario->done;) {
        int same = next;
        next = evaluation->scenarios[same].next_same;
        iso_evaluation_answer_same(evaluation, same, place, arena);
    }
    iso_evaluation_end_if_done(evaluation);
    iso_evaluation_wake(evaluation, /* progress= */ false);
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

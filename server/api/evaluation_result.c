/* Answers of scenarios that are solved here. */
#include "evaluation_internal.h"

unsigned char *iso_evaluation_pack(const struct iso_evaluation *evaluation,
                                   const Isocost__V1__Plan *plan, const Google__Rpc__Status *error,
                                   size_t *ret_n_bytes)
{
    struct iso_scenario_result result;

    iso_scenario_result_init(&result, evaluation->height, evaluation->model, plan, error);
    if (plan && evaluation->whole) {
        result.plan = *plan;
        result.plan.state = ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE;
        iso_plan_cut_lists(&result.plan);
    }
    *ret_n_bytes = isocost__v1__scenario_result__get_packed_size(&result.message);
    unsigned char *bytes = iso_calloc(*ret_n_bytes + 1, 1);
    if (bytes)
        isocost__v1__scenario_result__pack(&result.message, bytes);
    return bytes;
}

/* What a result says of its scenario; the mutex is held. */
static void note(struct iso_evaluation *evaluation, const Isocost__V1__ScenarioResult *result,
                 int64_t sequence)
{
    struct scenario *scenario = &evaluation->scenarios[result->place];

    scenario->done = true;
    scenario->sequence = sequence;
    evaluation->n_done++;
    evaluation->n_same += result->same_as[0] != '\0';
    scenario->height = iso_curve_height_of(evaluation->height, result);
}

static void give_up(struct iso_evaluation *evaluation, const char *why)
{
    iso_api_log(evaluation->api, 3, "evaluation %s is stopped: %s", evaluation->id, why);
    pthread_mutex_lock(&evaluation->mutex);
    iso_evaluation_stop(evaluation);
    pthread_mutex_unlock(&evaluation->mutex);
}

/* Adds an event. */
static bool publish(struct iso_evaluation *evaluation, Isocost__V1__EvaluationEvent *event)
{
    pthread_mutex_lock(&evaluation->mutex);
    bool kept = iso_evaluation_append(evaluation, event);
    if (kept && event->event_case == ISOCOST__V1__EVALUATION_EVENT__EVENT_RESULT)
        note(evaluation, event->result, event->sequence);
    pthread_mutex_unlock(&evaluation->mutex);
    if (!kept)
        give_up(evaluation, "no memory for an event");
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
    if (!publish(evaluation, &event))
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

/* Place of the point at the knee; -1: there is none. The mutex is held. */
static int find_knee(const struct iso_evaluation *evaluation)
{
    int n = evaluation->n_scenarios;

    if (evaluation->height == ISO_CURVE_NONE)
        return -1;
    ISO_AUTO_MEM struct iso_curve_point *points = iso_calloc((size_t)n, sizeof(*points));
    for (int i = 0; points && i < n; i++) {
        const struct scenario *scenario = &evaluation->scenarios[i];
        points[i] = (struct iso_curve_point){.has_value = scenario->n_values == 1,
                                             .value = scenario->values[0],
                                             .height = scenario->height};
    }
    return points ? iso_curve_knee(points, n) : -1;
}

void iso_evaluation_end_if_done(struct iso_evaluation *evaluation)
{
    Isocost__V1__EvaluationEvent event = ISOCOST__V1__EVALUATION_EVENT__INIT;
    Isocost__V1__EvaluationEnded ended = ISOCOST__V1__EVALUATION_ENDED__INIT;
    Isocost__V1__EvaluationProgress progress;

    pthread_mutex_lock(&evaluation->mutex);
    bool ends = !evaluation->ending && iso_evaluation_is_over(evaluation);
    bool done = evaluation->n_done == evaluation->n_scenarios;
    int knee = ends && done ? find_knee(evaluation) : -1;
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
    publish(evaluation, &event);
    pthread_mutex_lock(&evaluation->mutex);
    evaluation->ended = true;
    evaluation->end_ns = iso_wall_ns();
    iso_evaluation_wake(evaluation, /* progress= */ false);
    pthread_mutex_unlock(&evaluation->mutex);
}

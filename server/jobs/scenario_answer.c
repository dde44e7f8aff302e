/* Answers of scenarios on their way into the store. */
#include <string.h>

#include "failure.h"
#include "scenario_run.h"

static struct iso_bytes pack(const struct iso_scenario_run *run,
                             Isocost__V1__ScenarioResult *result)
{
    Isocost__V1__EvaluationEvent event = ISOCOST__V1__EVALUATION_EVENT__INIT;

    result->name = run->task->name;
    result->place = run->task->place;
    result->n_values = run->task->n_values;
    result->values = run->task->values;
    event.event_case = ISOCOST__V1__EVALUATION_EVENT__EVENT_RESULT;
    event.result = result;
    size_t n_bytes = isocost__v1__evaluation_event__get_packed_size(&event);
    unsigned char *bytes = iso_calloc(n_bytes + 1, 1);
    if (!bytes)
        return (struct iso_bytes){0};
    isocost__v1__evaluation_event__pack(&event, bytes);
    return (struct iso_bytes){.bytes = bytes, .n_bytes = n_bytes};
}

struct iso_bytes iso_scenario_event(const struct iso_scenario_run *run,
                                    const Isocost__V1__Plan *plan, const Google__Rpc__Status *error)
{
    struct iso_scenario_result result;

    iso_scenario_result_init(&result, (enum iso_curve_height)run->work->height, run->model, plan,
                             error);
    return pack(run, &result.message);
}

/* A result that is there is as good: a commit whose answer was lost may be tried twice. */
static enum iso_status add(struct iso_scenario_run *run, const struct iso_scenario_answer *answer,
                           struct iso_error *reterr)
{
    struct iso_queue_runner *runner = run->base.runner;
    struct iso_error error;
    enum iso_status status;
    double waited_s = 0;

    if (!answer->event.bytes)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a result");
    do {
        error = (struct iso_error){0};
        status = iso_store_add_answer(runner->config.store, &run->base.record, answer, &error);
    } while (iso_run_tries_again(&run->base, status, &waited_s));
    if (status != ISO_OK && status != ISO_E_EXISTS)
        return iso_fail(reterr, status, error.field, "%s", error.text);
    iso_queue_runner_evaluated(runner, &run->base.record.principal, run->base.record.object_id);
    return ISO_OK;
}

enum iso_status iso_scenario_give(struct iso_scenario_run *run, struct iso_error *reterr)
{
    const struct iso_scenario_answer answer = {.place = run->task->place,
                                               .digest = run->digest,
                                               .cpu_us = run->cpu_us,
                                               .event = run->event};

    return add(run, &answer, reterr);
}

enum iso_status iso_scenario_give_error(struct iso_scenario_run *run, const struct iso_error *why,
                                        struct iso_error *reterr)
{
    static const struct iso_violations none;
    ISO_AUTO(iso_arena) arena = iso_arena_new((size_t)4 << 20);
    const struct iso_violations *violations = run->violations.arena ? &run->violations : &none;
    const Google__Rpc__Status *status =
        arena ? iso_failure_to_status(why, violations, arena) : NULL;
    struct iso_bytes event = iso_scenario_event(run, NULL, status);
    const struct iso_scenario_answer answer = {
        .place = run->task->place, .digest = "", .event = event};

    enum iso_status written = add(run, &answer, reterr);
    free((void *)(uintptr_t)event.bytes);
    return written;
}

enum iso_status iso_scenario_give_same(struct iso_scenario_run *run, bool *ret_given,
                                       struct iso_error *reterr)
{
    const struct iso_job_record *job = &run->base.record;
    ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    struct iso_bytes found = {0};
    struct iso_error error;
    enum iso_status status;
    double waited_s = 0;

    *ret_given = false;
    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a result");
    do {
        error = (struct iso_error){0};
        status = iso_store_find_answer(run->base.runner->config.store, &job->principal,
                                       job->object_id, run->digest, arena, &found, &error);
    } while (iso_run_tries_again(&run->base, status, &waited_s));
    if (status != ISO_OK)
        return iso_fail(reterr, status, error.field, "%s", error.text);
    if (!found.bytes)
        return ISO_OK;
    Isocost__V1__EvaluationEvent *event = isocost__v1__evaluation_event__unpack(
        iso_arena_allocator(arena), found.n_bytes, found.bytes);
    if (!event || event->event_case != ISOCOST__V1__EVALUATION_EVENT__EVENT_RESULT)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "a result of evaluation %.64s cannot be read",
                        job->object_id);
    event->result->same_as = event->result->name;
    struct iso_bytes packed = pack(run, event->result);
    const struct iso_scenario_answer answer = {
        .place = run->task->place, .digest = "", .same = true, .event = packed};
    status = add(run, &answer, reterr);
    free((void *)(uintptr_t)packed.bytes);
    *ret_given = status == ISO_OK;
    return status;
}

/* Evaluations that the server itself asks for: no caller is told their events. */
#include <time.h>

#include "evaluation_internal.h"

enum iso_status iso_evaluation_add_model(struct iso_evaluation *evaluation, const char *name,
                                         const Isocost__V1__Model *model, struct iso_error *reterr)
{
    struct scenario *scenario = &evaluation->scenarios[evaluation->n_scenarios];

    ISO_ASSERT(evaluation->n_scenarios < evaluation->room);
    scenario->name = iso_arena_strdup(evaluation->arena, name);
    if (!scenario->name)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for the scenarios");
    scenario->model = model;
    scenario->key = "";
    scenario->next_same = -1;
    evaluation->n_scenarios++;
    return ISO_OK;
}

void iso_evaluation_keep_whole(struct iso_evaluation *evaluation)
{
    evaluation->whole = true;
}

enum iso_status iso_evaluation_begin(struct iso_evaluation *evaluation, struct iso_error *reterr)
{
    return iso_evaluation_set_off(evaluation, /* call= */ NULL, reterr);
}

bool iso_evaluation_await(struct iso_evaluation *evaluation, int64_t until_ns)
{
    const struct timespec until = {.tv_sec = until_ns / 1000000000,
                                   .tv_nsec = until_ns % 1000000000};

    pthread_mutex_lock(&evaluation->mutex);
    while (!evaluation->ended &&
           pthread_cond_timedwait(&evaluation->changed, &evaluation->mutex, &until) == 0)
        ;
    bool ended = evaluation->ended;
    pthread_mutex_unlock(&evaluation->mutex);
    return ended;
}

void iso_evaluation_cut_short(struct iso_evaluation *evaluation)
{
    pthread_mutex_lock(&evaluation->mutex);
    iso_evaluation_stop(evaluation);
    pthread_mutex_unlock(&evaluation->mutex);
}

void iso_evaluation_count(struct iso_evaluation *evaluation, int *ret_done, int *ret_same)
{
    pthread_mutex_lock(&evaluation->mutex);
    *ret_done = evaluation->n_done;
    *ret_same = evaluation->n_same;
    pthread_mutex_unlock(&evaluation->mutex);
}

Isocost__V1__ScenarioResult *iso_evaluation_result(struct iso_evaluation *evaluation, int place,
                                                   struct iso_arena *arena)
{
    Isocost__V1__EvaluationEvent *event;
    struct event packed = {0};

    pthread_mutex_lock(&evaluation->mutex);
    const struct scenario *scenario = &evaluation->scenarios[place];
    if (scenario->done)
        packed = evaluation->events[scenario->sequence - 1];
    pthread_mutex_unlock(&evaluation->mutex);
    event = packed.bytes ? isocost__v1__evaluation_event__unpack(iso_arena_allocator(arena),
                                                                 packed.n_bytes, packed.bytes)
                         : NULL;
    return event && event->event_case == ISOCOST__V1__EVALUATION_EVENT__EVENT_RESULT ? event->result
                                                                                     : NULL;
}

void iso_evaluation_forget(struct iso_evaluation *evaluation)
{
    struct iso_api *api = evaluation->api;
    bool found = false;

    pthread_mutex_lock(&api->mutex);
    for (struct iso_evaluation **at = &api->evaluations; *at && !found; at = &(*at)->next)
        if (*at == evaluation) {
            *at = evaluation->next;
            found = true;
            break;
        }
    pthread_mutex_unlock(&api->mutex);
    if (found)
        iso_evaluation_unref(evaluation);
}

/* The life of an evaluation, until it is forgotten. */
#include "evaluation_internal.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "isocost/proto/change.h"
#include "message_new.h"

#define RUNNING_MAX 16                            /* evaluations that run at once */
#define KEPT_NS (INT64_C(24) * 3600 * 1000000000) /* after the end */
#define KEPT_BYTES ((size_t)512 << 20)            /* of events of evaluations that have ended */

void iso_evaluation_ref(struct iso_evaluation *evaluation)
{
    pthread_mutex_lock(&evaluation->api->mutex);
    evaluation->refs++;
    pthread_mutex_unlock(&evaluation->api->mutex);
}

void iso_evaluation_unref(struct iso_evaluation *evaluation)
{
    pthread_mutex_lock(&evaluation->api->mutex);
    bool last = --evaluation->refs == 0;
    pthread_mutex_unlock(&evaluation->api->mutex);
    if (!last)
        return;
    if (evaluation->snapshot_fd >= 0)
        close(evaluation->snapshot_fd);
    for (size_t i = 0; i < evaluation->n_events; i++)
        free(evaluation->events[i].bytes);
    free(evaluation->events);
    pthread_cond_destroy(&evaluation->changed);
    pthread_mutex_destroy(&evaluation->mutex);
    iso_arena_free(evaluation->arena);
    free(evaluation);
}

void iso_evaluation_free(struct iso_evaluation *evaluation)
{
    if (evaluation)
        iso_evaluation_unref(evaluation);
}

/* --- before it starts --- */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for the scenarios");
}

static Isocost__V1__Change **copy_changes(struct iso_arena *arena,
                                          Isocost__V1__Change *const *changes, size_t n)
{
    Isocost__V1__Change **copies = iso_arena_calloc(arena, n + 1, sizeof(*copies));

    for (size_t i = 0; copies && i < n; i++) {
        struct iso_bytes packed = iso_message_pack(&changes[i]->base, arena);
        copies[i] = packed.bytes ? isocost__v1__change__unpack(iso_arena_allocator(arena),
                                                               packed.n_bytes, packed.bytes)
                                 : NULL;
        if (!copies[i])
            return NULL;
    }
    return copies;
}

static enum iso_status fill(struct iso_evaluation *evaluation, const struct iso_model_base *base,
                            struct iso_error *reterr)
{
    struct iso_store *store = evaluation->api->config.store;
    struct iso_bytes packed;

    evaluation->arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    if (!evaluation->arena)
        return no_memory(reterr);
    packed = iso_message_pack(&base->model->base, evaluation->arena);
    evaluation->model = packed.bytes
                            ? isocost__v1__model__unpack(iso_arena_allocator(evaluation->arena),
                                                         packed.n_bytes, packed.bytes)
                            : NULL;
    evaluation->base_changes = copy_changes(evaluation->arena, base->changes, base->n_changes);
    evaluation->n_base_changes = base->n_changes;
    if (!evaluation->model || !evaluation->base_changes)
        return no_memory(reterr);
    if (evaluation->model->options)
        evaluation->model->options->n_want = 0;
    return iso_snapshot_open(store, &evaluation->principal, evaluation->model, "",
                             evaluation->arena, &evaluation->snapshot_fd,
                             &evaluation->snapshot_digest, reterr);
}

static struct iso_evaluation *alloc(struct iso_api *api, const struct iso_principal *principal)
{
    struct iso_evaluation *evaluation = iso_calloc(1, sizeof(*evaluation));

    if (!evaluation)
        return NULL;
    evaluation->api = api;
    evaluation->principal = *principal;
    evaluation->refs = 1;
    evaluation->snapshot_fd = -1;
    pthread_mutex_init(&evaluation->mutex, NULL);
    pthread_cond_init(&evaluation->changed, NULL);
    return evaluation;
}

enum iso_status iso_evaluation_new(struct iso_api *api, const struct iso_principal *principal,
                                   const struct iso_model_base *base,
                                   struct iso_evaluation **ret_evaluation, struct iso_error *reterr)
{
    struct iso_evaluation *evaluation = alloc(api, principal);

    if (!evaluation)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an evaluation");
    enum iso_status status = fill(evaluation, base, reterr);
    if (status != ISO_OK)
        iso_evaluation_unref(evaluation);
    else
        *ret_evaluation = evaluation;
    return status;
}

enum iso_status iso_evaluation_settle(struct iso_evaluation *evaluation,
                                      struct iso_violations *violations, struct iso_error *reterr)
{
    const struct iso_changes changes = {.n = evaluation->n_base_changes,
                                        .items = evaluation->base_changes,
                                        .path = "model.changes"};
    const Isocost__V1__Model *changed = NULL;

    ISO_TRY(iso_model_change(evaluation->api, &evaluation->principal, evaluation->model, &changes,
                             violations, &changed, reterr));
    struct iso_bytes packed = iso_message_pack(&changed->base, evaluation->arena);
    evaluation->model = packed.bytes
                            ? isocost__v1__model__unpack(iso_arena_allocator(evaluation->arena),
                                                         packed.n_bytes, packed.bytes)
                            : NULL;
    evaluation->n_base_changes = 0;
    return evaluation->model ? ISO_OK : no_memory(reterr);
}

struct iso_arena *iso_evaluation_arena(struct iso_evaluation *evaluation)
{
    return evaluation->arena;
}

Isocost__V1__Model *iso_evaluation_model(struct iso_evaluation *evaluation)
{
    return evaluation->model;
}

void iso_evaluation_set_height(struct iso_evaluation *evaluation, enum iso_curve_height height)
{
    evaluation->height = height;
}

enum iso_status iso_evaluation_reserve(struct iso_evaluation *evaluation, size_t n,
                                       struct iso_error *reterr)
{
    struct iso_arena *arena = evaluation->arena;

    if (n < 1 || n > ISO_SCENARIOS_MAX)
        return iso_fail(reterr, ISO_E_INVALID, "", "%zu scenarios; 1 to %d are allowed", n,
                        ISO_SCENARIOS_MAX);
    for (evaluation->n_slots = 16; evaluation->n_slots < 2 * n;)
        evaluation->n_slots *= 2;
    evaluation->scenarios = iso_arena_calloc(arena, n, sizeof(*evaluation->scenarios));
    evaluation->places = iso_arena_calloc(arena, n, sizeof(*evaluation->places));
    evaluation->slots = iso_arena_calloc(arena, evaluation->n_slots, sizeof(*evaluation->slots));
    evaluation->room = (int)n;
    return evaluation->slots ? ISO_OK : no_memory(reterr);
}

/* What the changes set, without the numbers, and the first number. */
static const char *sort_key(struct iso_evaluation *evaluation, Isocost__V1__Change *const *changes,
                            size_t n, double *ret_number)
{
    char *key = iso_arena_strdup(evaluation->arena, "");

    *ret_number = 0;
    for (size_t i = 0; key && i < n; i++) {
        const char *text = iso_change_write(changes[i], evaluation->arena);
        const char *equals = text ? strrchr(text, '=') : NULL;
        if (!equals)
            continue;
        if (i == 0)
            *ret_number = strtod(equals + 1 + strspn(equals + 1, " *"), NULL);
        key = iso_arena_printf(evaluation->arena, "%s%.*s\n", key, (int)(equals - text), text);
    }
    return key;
}

enum iso_status iso_evaluation_add(struct iso_evaluation *evaluation, const char *name,
                                   Isocost__V1__Change *const *changes, size_t n_changes,
                                   const double *values, int n_values, struct iso_error *reterr)
{
    struct scenario *scenario = &evaluation->scenarios[evaluation->n_scenarios];
    Isocost__V1__Change **own = copy_changes(evaluation->arena, changes, n_changes);

    ISO_ASSERT(evaluation->n_scenarios < evaluation->room && n_values <= ISO_VALUES_MAX);
    if (!own)
        return no_memory(reterr);
    scenario->name = iso_arena_strdup(evaluation->arena, name);
    scenario->changes = iso_changes_join(evaluation->base_changes, evaluation->n_base_changes, own,
                                         n_changes, evaluation->arena);
    scenario->n_changes = evaluation->n_base_changes + n_changes;
    scenario->key = sort_key(evaluation, own, n_changes, &scenario->number);
    scenario->next_same = -1;
    scenario->height = NAN;
    for (int i = 0; i < n_values; i++)
        scenario->values[i] = values[i];
    scenario->n_values = n_values;
    if (!scenario->name || !scenario->changes || !scenario->key)
        return no_memory(reterr);
    evaluation->n_scenarios++;
    return ISO_OK;
}

/* --- the list of all --- */

/* Takes those out of the list that are too old or too many; api->mutex is held. */
static struct iso_evaluation *forget_old(struct iso_api *api)
{
    struct iso_evaluation *forgotten = NULL, **link = &api->evaluations;
    int64_t now_ns = iso_wall_ns();
    size_t n_bytes = 0;

    while (*link) {
        struct iso_evaluation *evaluation = *link;
        pthread_mutex_lock(&evaluation->mutex);
        bool ended = evaluation->ended, old = evaluation->end_ns + KEPT_NS < now_ns;
        n_bytes += ended ? evaluation->n_event_bytes : 0;
        pthread_mutex_unlock(&evaluation->mutex);
        if (ended && (old || n_bytes > KEPT_BYTES)) {
            *link = evaluation->next;
            evaluation->next = forgotten;
            forgotten = evaluation;
        } else {
            link = &evaluation->next;
        }
    }
    return forgotten;
}

static void unref_all(struct iso_evaluation *evaluation)
{
    for (struct iso_evaluation *next; evaluation; evaluation = next) {
        next = evaluation->next;
        iso_evaluation_unref(evaluation);
    }
}

static int count_running(struct iso_api *api)
{
    int n = 0;

    for (struct iso_evaluation *e = api->evaluations; e; e = e->next) {
        pthread_mutex_lock(&e->mutex);
        n += !e->ended;
        pthread_mutex_unlock(&e->mutex);
    }
    return n;
}

/* Puts it into the list. */
static enum iso_status enlist(struct iso_evaluation *evaluation, struct iso_call *call,
                              struct iso_error *reterr)
{
    struct iso_api *api = evaluation->api;
    enum iso_status status = ISO_OK;

    pthread_mutex_lock(&api->mutex);
    struct iso_evaluation *forgotten = forget_old(api);
    if (api->held)
        status = iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the server is stopping; try again");
    else if (count_running(api) >= RUNNING_MAX)
        status = iso_fail(reterr, ISO_E_LIMIT, "",
                          "%d evaluations run already, the most that this server runs at once",
                          RUNNING_MAX);
    if (status == ISO_OK) {
        evaluation->refs++;
        evaluation->next = api->evaluations;
        api->evaluations = evaluation;
    }
    pthread_mutex_unlock(&api->mutex);
    unref_all(forgotten);
    if (status == ISO_E_LIMIT)
        iso_call_set_retry_after(call, 1);
    return status;
}

static enum iso_status make_lanes(struct iso_evaluation *evaluation, struct iso_error *reterr)
{
    static _Atomic uint64_t last_affinity;
    int n = evaluation->api->config.n_plans;

    if (n > evaluation->n_scenarios)
        n = evaluation->n_scenarios;
    evaluation->lanes = iso_arena_calloc(evaluation->arena, (size_t)n, sizeof(struct lane));
    if (!evaluation->lanes)
        return no_memory(reterr);
    for (int i = 0; i < n; i++) {
        struct lane *lane = &evaluation->lanes[i];
        lane->evaluation = evaluation;
        lane->affinity = ++last_affinity;
        lane->next = (int)((int64_t)evaluation->n_scenarios * i / n);
        lane->end = (int)((int64_t)evaluation->n_scenarios * (i + 1) / n);
    }
    evaluation->n_lanes = n;
    return ISO_OK;
}

/* The list's reference and the lanes. */
static void run(struct iso_evaluation *evaluation)
{
    for (int i = 0; i < evaluation->n_lanes; i++) {
        iso_evaluation_ref(evaluation);
        iso_lane_start(&evaluation->lanes[i]);
    }
}

enum iso_status iso_evaluation_set_off(struct iso_evaluation *evaluation, struct iso_call *call,
                                       struct iso_error *reterr)
{
    Isocost__V1__EvaluationEvent event = ISOCOST__V1__EVALUATION_EVENT__INIT;
    Isocost__V1__EvaluationAccepted accepted = ISOCOST__V1__EVALUATION_ACCEPTED__INIT;

    iso_ulid_new(evaluation->id);
    evaluation->start_ns = iso_wall_ns();
    iso_evaluation_sort(evaluation);
    ISO_TRY(make_lanes(evaluation, reterr));
    accepted.evaluation_id = evaluation->id;
    accepted.scenario_count = evaluation->n_scenarios;
    event.event_case = ISOCOST__V1__EVALUATION_EVENT__EVENT_ACCEPTED;
    event.accepted = &accepted;
    evaluation->n_busy_lanes = evaluation->n_lanes;
    if (!iso_evaluation_append(evaluation, &event))
        return no_memory(reterr);
    ISO_TRY(enlist(evaluation, call, reterr));
    run(evaluation);
    return ISO_OK;
}

enum iso_status iso_evaluation_start(struct iso_evaluation *evaluation, struct iso_call *call,
                                     struct iso_error *reterr)
{
    ISO_TRY(iso_evaluation_set_off(evaluation, call, reterr));
    enum iso_status status = iso_evaluation_watch(evaluation->api, call, evaluation->id, 0, reterr);
    if (status != ISO_OK) {
        pthread_mutex_lock(&evaluation->mutex);
        iso_evaluation_stop(evaluation);
        pthread_mutex_unlock(&evaluation->mutex);
        iso_evaluation_end_if_done(evaluation);
    }
    return status;
}

void iso_evaluations_hold(struct iso_api *api)
{
    pthread_mutex_lock(&api->mutex);
    api->held = true;
    for (struct iso_evaluation *e = api->evaluations; e; e = e->next) {
        pthread_mutex_lock(&e->mutex);
        iso_evaluation_stop(e);
        pthread_mutex_unlock(&e->mutex);
    }
    pthread_mutex_unlock(&api->mutex);
}

void iso_evaluations_free(struct iso_api *api)
{
    pthread_mutex_lock(&api->mutex);
    struct iso_evaluation *all = ISO_STEAL(api->evaluations);
    pthread_mutex_unlock(&api->mutex);
    unref_all(all);
}

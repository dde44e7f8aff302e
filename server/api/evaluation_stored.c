/* Evaluations that go on without their caller: what the store has of them, and how they are taken
 * up again by the next process, or by another one. */
#include <stdio.h>

#include "evaluation_internal.h"
#include "isocost/proto/digest.h"
#include "isocost/proto/wire.h"

#define RENEWALS_A_LEASE 4
#define EVENTS_AT_ONCE 500

/* The three kinds of requests, with their reference to the base and what makes their scenarios. */
static const struct kind {
    const ProtobufCMessageDescriptor *request;
    size_t model_offset;
    iso_evaluation_builder *build;
} kinds[] = {
    [ISO_EVALUATION_SCENARIOS] = {&isocost__v1__evaluate_scenarios_request__descriptor,
                                  offsetof(Isocost__V1__EvaluateScenariosRequest, model),
                                  iso_evaluation_build_scenarios},
    [ISO_EVALUATION_SWEEP] = {&isocost__v1__sweep_request__descriptor,
                              offsetof(Isocost__V1__SweepRequest, model),
                              iso_evaluation_build_sweep},
    [ISO_EVALUATION_FRONTIER] = {&isocost__v1__frontier_request__descriptor,
                                 offsetof(Isocost__V1__FrontierRequest, model),
                                 iso_evaluation_build_frontier},
};

static Isocost__V1__ModelRef **model_of(const struct kind *kind, ProtobufCMessage *request)
{
    return (Isocost__V1__ModelRef **)(void *)((char *)request + kind->model_offset);
}

/* --- into the store --- */

enum iso_status iso_evaluation_keep_base(struct iso_evaluation *evaluation,
                                         struct iso_error *reterr)
{
    evaluation->kept_changes = evaluation->base_changes;
    evaluation->n_kept_changes = evaluation->n_base_changes;
    evaluation->kept_model = iso_message_pack(&evaluation->model->base, evaluation->arena);
    if (!evaluation->kept_model.bytes)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for the model");
    return iso_message_digest(&evaluation->model->base, NULL, evaluation->kept_digest, reterr);
}

/* The request with the stored base in the place of the reference that was given. */
static enum iso_status pack_request(struct iso_evaluation *evaluation, const struct kind *kind,
                                    const ProtobufCMessage *request, struct iso_bytes *ret_packed,
                                    struct iso_error *reterr)
{
    Isocost__V1__ModelRef base = ISOCOST__V1__MODEL_REF__INIT;
    ProtobufCMessage *copy = iso_arena_calloc(evaluation->arena, 1, kind->request->sizeof_message);

    if (!copy)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for the request");
    memcpy(copy, request, kind->request->sizeof_message);
    base.ref_case = ISOCOST__V1__MODEL_REF__REF_MODEL_DIGEST;
    base.model_digest = evaluation->kept_digest;
    base.changes = evaluation->kept_changes;
    base.n_changes = evaluation->n_kept_changes;
    *model_of(kind, copy) = &base;
    *ret_packed = iso_message_pack(copy, evaluation->arena);
    return ret_packed->bytes ? ISO_OK
                             : iso_fail(reterr, ISO_E_LIMIT, "", "no memory for the request");
}

enum iso_status iso_evaluation_store(struct iso_evaluation *evaluation, struct iso_call *call,
                                     enum iso_evaluation_kind kind, const ProtobufCMessage *request,
                                     struct iso_error *reterr)
{
    struct iso_store *store = evaluation->api->config.store;
    struct iso_audit audit = {.action = "evaluation.create", .request_id = iso_call_id(call)};
    struct iso_evaluation_record record = {.kind = (int)kind, .create_ns = iso_wall_ns()};
    Isocost__V1__EvaluationEvent event = ISOCOST__V1__EVALUATION_EVENT__INIT;
    Isocost__V1__EvaluationAccepted accepted = ISOCOST__V1__EVALUATION_ACCEPTED__INIT;
    struct iso_evaluation_event first = {.sequence = 1, .place = -1};

    ISO_TRY(iso_store_put_model(store, &evaluation->principal, evaluation->kept_digest,
                                evaluation->kept_model, &audit, reterr));
    ISO_TRY(pack_request(evaluation, &kinds[kind], request, &record.request, reterr));
    iso_ulid_new(evaluation->id);
    record.id = evaluation->id;
    record.model_digest = evaluation->kept_digest;
    record.snapshot_digest = evaluation->snapshot_digest;
    accepted.evaluation_id = evaluation->id;
    accepted.scenario_count = evaluation->n_scenarios;
    event.sequence = 1;
    event.event_case = ISOCOST__V1__EVALUATION_EVENT__EVENT_ACCEPTED;
    event.accepted = &accepted;
    first.event = iso_message_pack(&event.base, evaluation->arena);
    if (!first.event.bytes)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for an event");
    evaluation->durable = true;
    return iso_store_create_evaluation(store, &evaluation->principal, &record, &first, &audit,
                                       reterr);
}

enum iso_status iso_evaluation_write(struct iso_evaluation *evaluation,
                                     Isocost__V1__EvaluationEvent *event, int64_t place, bool last,
                                     struct iso_error *reterr)
{
    struct iso_evaluation_event row = {.place = place, .last = last};

    if (!evaluation->durable)
        return ISO_OK;
    /* one that this process stops, others go on with */
    if (last && event->ended->end != ISOCOST__V1__EVALUATION_END__EVALUATION_END_DONE)
        return ISO_OK;
    pthread_mutex_lock(&evaluation->mutex);
    row.sequence = event->sequence = (int64_t)evaluation->n_events + 1;
    pthread_mutex_unlock(&evaluation->mutex);
    ISO_AUTO(iso_arena)
    arena = iso_arena_new(isocost__v1__evaluation_event__get_packed_size(event) + 4096);
    if (arena)
        row.event = iso_message_pack(&event->base, arena);
    if (!row.event.bytes)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an event");
    return iso_store_append_evaluation(evaluation->api->config.store, &evaluation->principal,
                                       evaluation->id, &row, reterr);
}

/* --- the lease --- */

static void renew(struct iso_task *task)
{
    struct iso_evaluation *evaluation =
        (struct iso_evaluation *)(void *)((char *)task -
                                          offsetof(struct iso_evaluation, renew_task));
    struct iso_error error = {0};

    if (iso_store_renew_evaluations(evaluation->api->config.store, &error) != ISO_OK)
        iso_api_log(evaluation->api, 2, "the lease of evaluation %s was not renewed: %s",
                    evaluation->id, error.text);
    pthread_mutex_lock(&evaluation->mutex);
    evaluation->renewing = false;
    pthread_mutex_unlock(&evaluation->mutex);
    iso_evaluation_unref(evaluation);
}

void iso_evaluation_renew(struct iso_evaluation *evaluation)
{
    int64_t every_ns = (int64_t)(evaluation->api->config.lease_s * 1e9) / RENEWALS_A_LEASE;
    int64_t now_ns = iso_wall_ns();

    if (!evaluation->durable || evaluation->renewing || evaluation->ended ||
        now_ns - evaluation->renew_ns < every_ns)
        return;
    evaluation->renew_ns = now_ns;
    evaluation->renewing = true;
    iso_evaluation_ref(evaluation);
    evaluation->renew_task.run = renew;
    iso_worker_pool_submit(evaluation->api->tasks, &evaluation->renew_task, /* bounded= */ false);
}

/* --- out of the store --- */

/* All events of a stored evaluation, read in parts. */
static enum iso_status load_events(struct iso_api *api, const struct iso_principal *principal,
                                   const char *id, struct iso_arena *arena,
                                   struct iso_event_record **ret_events, int *ret_n,
                                   struct iso_error *reterr)
{
    struct iso_event_record *all = NULL, *part;
    int n = 0, n_part;

    do {
        ISO_TRY(iso_store_list_evaluation_events(api->config.store, principal, id, n,
                                                 EVENTS_AT_ONCE, arena, &part, &n_part, reterr));
        struct iso_event_record *grown =
            iso_arena_calloc(arena, (size_t)(n + n_part) + 1, sizeof(*grown));
        if (!grown)
            return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for the events");
        if (n > 0)
            memcpy(grown, all, (size_t)n * sizeof(*grown));
        if (n_part > 0)
            memcpy(grown + n, part, (size_t)n_part * sizeof(*grown));
        all = grown;
        n += n_part;
    } while (n_part == EVENTS_AT_ONCE);
    *ret_events = all;
    *ret_n = n;
    return ISO_OK;
}

static enum iso_status build(struct iso_api *api, const struct iso_evaluation_record *record,
                             struct iso_arena *arena, struct iso_evaluation **ret_evaluation,
                             struct iso_error *reterr)
{
    struct iso_violations violations = {.arena = arena};
    struct iso_wire_limits limits = ISO_WIRE_LIMITS_MODEL;
    ISO_AUTO(iso_evaluation) evaluation = NULL;
    struct iso_model_base base;
    ProtobufCMessage *request;

    if (record->kind < ISO_EVALUATION_SCENARIOS || record->kind > ISO_EVALUATION_FRONTIER)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "evaluation %.32s is of no kind that is known",
                        record->id);
    const struct kind *kind = &kinds[record->kind];
    limits.max_bytes = ISO_MAX_UPLOAD_BYTES;
    ISO_TRY(iso_wire_decode(kind->request, record->request.bytes, record->request.n_bytes, &limits,
                            arena, &violations, &request, reterr));
    ISO_TRY(iso_model_ref_base(api, &record->principal, *model_of(kind, request), &violations,
                               &base, reterr));
    ISO_TRY(iso_evaluation_new(api, &record->principal, &base, record->snapshot_digest, &evaluation,
                               reterr));
    ISO_TRY(kind->build(evaluation, request, &violations, reterr));
    *ret_evaluation = ISO_STEAL(evaluation);
    return ISO_OK;
}

static enum iso_status resume(struct iso_api *api, const struct iso_evaluation_record *record,
                              struct iso_arena *arena, struct iso_error *reterr)
{
    ISO_AUTO(iso_evaluation) evaluation = NULL;
    struct iso_event_record *events;
    int n_events;

    ISO_TRY(build(api, record, arena, &evaluation, reterr));
    ISO_TRY(load_events(api, &record->principal, record->id, arena, &events, &n_events, reterr));
    return iso_evaluation_go_on(evaluation, record, events, n_events, reterr);
}

/* False: there is no further one. */
static bool resume_next(struct iso_api *api)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    struct iso_evaluation_record record;
    struct iso_error error = {0};
    bool found = false;

    if (!arena ||
        iso_store_claim_evaluation(api->config.store, arena, &found, &record, &error) != ISO_OK)
        iso_api_log(api, 3, "no evaluation could be taken over: %s",
                    arena ? error.text : "out of memory");
    if (!found)
        return false;
    if (resume(api, &record, arena, &error) == ISO_OK)
        iso_api_log(api, 1, "evaluation %s goes on", record.id);
    else
        iso_api_log(api, 3, "evaluation %s cannot go on: %s", record.id, error.text);
    return true;
}

void iso_evaluations_resume(struct iso_api *api)
{
    pthread_mutex_lock(&api->resuming);
    while (resume_next(api))
        ;
    pthread_mutex_unlock(&api->resuming);
}

enum iso_status iso_evaluation_load(struct iso_api *api, const struct iso_principal *principal,
                                    const char *id, struct iso_evaluation **ret_evaluation,
                                    struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    ISO_AUTO(iso_evaluation) evaluation = iso_evaluation_alloc(api, principal);
    struct iso_evaluation_record record;
    struct iso_event_record *events;
    int n_events;

    if (!arena || !evaluation)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an evaluation");
    ISO_TRY(iso_store_get_evaluation(api->config.store, principal, id, arena, &record, reterr));
    if (record.end_ns == 0) {
        iso_evaluations_resume(api);
        *ret_evaluation = NULL;
        return ISO_OK;
    }
    ISO_TRY(load_events(api, principal, id, arena, &events, &n_events, reterr));
    for (int i = 0; i < n_events; i++) {
        Isocost__V1__EvaluationEvent *event = isocost__v1__evaluation_event__unpack(
            iso_arena_allocator(arena), events[i].event.n_bytes, events[i].event.bytes);
        if (!event || !iso_evaluation_append(evaluation, event))
            return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for the events");
    }
    evaluation->durable = evaluation->ended = true;
    *ret_evaluation = ISO_STEAL(evaluation);
    return ISO_OK;
}

/* Evaluations in the store: their scenarios are jobs of the queue, in runs. Nobody has them but
 * whoever has a run; what callers are sent comes from the store. */
#include "evaluation_internal.h"
#include "isocost/internal/v1/evaluation.pb-c.h"
#include "isocost/proto/digest.h"

/* Of one evaluation: enough that solvers share it, few enough that most scenarios follow a
 * neighbour; and scenarios of a run, beyond which there are more runs. */
#define RUNS_WANTED 16
#define RUN_MOST 256
/* Scenarios of one that is not durable: those are soonest done without the store. */
#define SOLVED_HERE_MOST 16
#define OPEN_MOST 16 /* evaluations of a tenant */
#define RETRY_AFTER_S 5
#define ATTENDED_PRIORITY 10 /* somebody waits; as for plans */

bool iso_evaluation_is_shared(const struct iso_evaluation *evaluation, bool durable)
{
    const struct iso_api_config *config = &evaluation->api->config;

    return durable || config->n_plans == 0 ||
           (config->shared && evaluation->n_scenarios > SOLVED_HERE_MOST);
}

/* The run of scenarios from `first` on in the order in which they are solved, packed. */
static struct iso_bytes pack_run(struct iso_evaluation *evaluation, const char *model_digest,
                                 int first, int n)
{
    Isocost__Internal__V1__ScenarioRun run = ISOCOST__INTERNAL__V1__SCENARIO_RUN__INIT;
    struct iso_arena *arena = evaluation->arena;
    Isocost__Internal__V1__ScenarioTask **tasks =
                                            iso_arena_calloc(arena, (size_t)n, sizeof(*tasks)),
                                        *all = iso_arena_calloc(arena, (size_t)n, sizeof(*all));

    if (!tasks || !all)
        return (struct iso_bytes){0};
    run.model_digest = (char *)model_digest;
    run.snapshot_digest = (char *)evaluation->snapshot_digest;
    run.n_base_changes = evaluation->n_base_changes;
    run.base_changes = evaluation->base_changes;
    run.height = (Isocost__Internal__V1__CurveHeight)evaluation->height;
    run.n_scenarios = (size_t)n;
    run.scenarios = tasks;
    for (int i = 0; i < n; i++) {
        int place = evaluation->places[first + i];
        struct scenario *scenario = &evaluation->scenarios[place];

        tasks[i] = &all[i];
        isocost__internal__v1__scenario_task__init(&all[i]);
        all[i].place = place;
        all[i].name = (char *)scenario->name;
        all[i].n_values = (size_t)scenario->n_values;
        all[i].values = scenario->values;
        all[i].n_changes = scenario->n_changes - evaluation->n_base_changes;
        all[i].changes = scenario->changes + evaluation->n_base_changes;
    }
    return iso_message_pack(&run.base, arena);
}

/* Runs of equal length but for one: short enough that all solvers are busy until the end, and long
 * enough that most scenarios follow a neighbour on the same solver. */
static enum iso_status pack_runs(struct iso_evaluation *evaluation, const char *model_digest,
                                 struct iso_bytes **ret_runs, int *ret_n_runs,
                                 struct iso_error *reterr)
{
    int n = evaluation->n_scenarios, length = n / RUNS_WANTED, n_runs;
    struct iso_bytes *runs;

    if (length < 1)
        length = 1;
    if (length > RUN_MOST)
        length = RUN_MOST;
    n_runs = (n + length - 1) / length;
    runs = iso_arena_calloc(evaluation->arena, (size_t)n_runs, sizeof(*runs));
    if (!runs)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for the scenarios");
    for (int i = 0; i < n_runs; i++) {
        int first = (int)((int64_t)n * i / n_runs), end = (int)((int64_t)n * (i + 1) / n_runs);

        runs[i] = pack_run(evaluation, model_digest, first, end - first);
        if (!runs[i].bytes)
            return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for the scenarios");
    }
    *ret_runs = runs;
    *ret_n_runs = n_runs;
    return ISO_OK;
}

static struct iso_bytes pack_accepted(struct iso_evaluation *evaluation)
{
    Isocost__V1__EvaluationEvent event = ISOCOST__V1__EVALUATION_EVENT__INIT;
    Isocost__V1__EvaluationAccepted accepted = ISOCOST__V1__EVALUATION_ACCEPTED__INIT;

    accepted.evaluation_id = evaluation->id;
    accepted.scenario_count = evaluation->n_scenarios;
    event.sequence = 1;
    event.event_case = ISOCOST__V1__EVALUATION_EVENT__EVENT_ACCEPTED;
    event.accepted = &accepted;
    return iso_message_pack(&event.base, evaluation->arena);
}

/* Puts the base model, which the builder may have changed, and everything else in the store. */
static enum iso_status put(struct iso_evaluation *evaluation, struct iso_call *call, int priority,
                           const char *request_id, char ret_existing[ISO_EVALUATION_ID_SIZE],
                           struct iso_error *reterr)
{
    struct iso_store *store = evaluation->api->config.store;
    const struct iso_audit audit = {.action = "evaluation.create", .request_id = iso_call_id(call)};
    struct iso_evaluation_record record = {.id = evaluation->id,
                                           .create_ns = iso_wall_ns(),
                                           .snapshot_digest = evaluation->snapshot_digest,
                                           .n_scenarios = evaluation->n_scenarios};
    char digest[ISO_DIGEST_TEXT_SIZE], body[ISO_DIGEST_TEXT_SIZE];
    struct iso_bytes model = iso_message_pack(&evaluation->model->base, evaluation->arena);
    struct iso_bytes accepted = pack_accepted(evaluation), *runs = NULL;
    int n_runs = 0;

    if (!model.bytes || !accepted.bytes)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for the model");
    ISO_TRY(iso_message_digest(&evaluation->model->base, NULL, digest, reterr));
    ISO_TRY(pack_runs(evaluation, digest, &runs, &n_runs, reterr));
    ISO_TRY(iso_message_digest(iso_call_request(call), NULL, body, reterr));
    record.request_id = request_id;
    record.body_digest = body;
    record.model_digest = digest;
    ISO_TRY(iso_store_put_model(store, &evaluation->principal, digest, model, &audit, reterr));
    return iso_store_create_evaluation(store, &evaluation->principal, &record, accepted, runs,
                                       n_runs, priority, OPEN_MOST, &audit, ret_existing, reterr);
}

enum iso_status iso_evaluation_store(struct iso_evaluation *evaluation, struct iso_call *call,
                                     bool durable, const char *request_id, struct iso_error *reterr)
{
    struct iso_api *api = evaluation->api;
    char existing[ISO_EVALUATION_ID_SIZE];

    iso_ulid_new(evaluation->id);
    iso_evaluation_sort(evaluation);
    enum iso_status status =
        put(evaluation, call, durable ? 0 : ATTENDED_PRIORITY, request_id, existing, reterr);
    if (status == ISO_E_LIMIT)
        iso_call_set_retry_after(call, RETRY_AFTER_S);
    if (status != ISO_OK)
        return status;
    iso_queue_runner_poke(api->runner);
    return iso_evaluation_watch_stored(api, call, existing[0] ? existing : evaluation->id, 0,
                                       /* maker= */ !durable, reterr);
}

/* EvaluateScenarios, Sweep, Frontier and WatchEvaluation. */
#include <stdio.h>

#include "evaluation.h"
#include "names.h"

static enum iso_status check_names(const Isocost__V1__EvaluateScenariosRequest *request,
                                   struct iso_violations *violations, struct iso_error *reterr)
{
    struct iso_names names = {.arena = violations->arena};
    char field[64];

    if (request->n_scenarios < 1 || request->n_scenarios > ISO_SCENARIOS_MAX)
        return iso_fail(reterr, ISO_E_INVALID, "scenarios", "%zu scenarios; 1 to %d are allowed",
                        request->n_scenarios, ISO_SCENARIOS_MAX);
    for (size_t i = 0; i < request->n_scenarios; i++) {
        const char *name = request->scenarios[i]->name;
        size_t n = strlen(name);
        snprintf(field, sizeof(field), "scenarios[%zu].name", i);
        if (n < 1 || n > 128)
            iso_violations_add(violations, field, "has %zu bytes; 1 to 128 are allowed", n);
        else if (!iso_names_add_new(&names, name))
            iso_violations_add(violations, field, "\"%s\" is there twice; names must be unique",
                               name);
    }
    return iso_violations_status(violations, reterr);
}

enum iso_status iso_evaluation_build_scenarios(struct iso_evaluation *evaluation,
                                               const ProtobufCMessage *message,
                                               struct iso_violations *violations,
                                               struct iso_error *reterr)
{
    const Isocost__V1__EvaluateScenariosRequest *request =
        (const Isocost__V1__EvaluateScenariosRequest *)message;
    Isocost__V1__Change ***changes;
    struct iso_error error = {0};
    char path[64];

    ISO_TRY(check_names(request, violations, reterr));
    changes = iso_arena_calloc(violations->arena, request->n_scenarios, sizeof(*changes));
    if (!changes)
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for the scenarios");
    for (size_t i = 0; i < request->n_scenarios; i++) { /* all mistakes at once */
        snprintf(path, sizeof(path), "scenarios[%zu].changes", i);
        enum iso_status status =
            iso_changes_read(request->scenarios[i]->changes, request->scenarios[i]->n_changes, path,
                             violations, &changes[i], &error);
        if (status != ISO_OK && status != ISO_E_INVALID)
            return iso_fail(reterr, status, error.field, "%s", error.text);
    }
    ISO_TRY(iso_violations_status(violations, reterr));
    ISO_TRY(iso_evaluation_reserve(evaluation, request->n_scenarios, reterr));
    for (size_t i = 0; i < request->n_scenarios; i++)
        ISO_TRY(iso_evaluation_add(evaluation, request->scenarios[i]->name, changes[i],
                                   request->scenarios[i]->n_changes, NULL, 0, reterr));
    return ISO_OK;
}

/* Builds what the call asks and begins it. */
static enum iso_status evaluate(struct iso_api *api, struct iso_call *call,
                                iso_evaluation_builder *build, const Isocost__V1__ModelRef *model,
                                bool durable, const char *request_id, struct iso_error *reterr)
{
    struct iso_violations *violations = iso_call_violations(call);
    ISO_AUTO(iso_evaluation) evaluation = NULL;
    struct iso_model_base base;

    ISO_TRY(iso_request_id_check(request_id, reterr));
    if (request_id[0] && !durable)
        return iso_fail(reterr, ISO_E_INVALID, "request_id",
                        "is for durable evaluations; one that is not ends with its call");
    ISO_TRY(iso_model_ref_base(api, iso_call_principal(call), model, violations, &base, reterr));
    ISO_TRY(iso_evaluation_new(api, iso_call_principal(call), &base, &evaluation, reterr));
    ISO_TRY(build(evaluation, iso_call_request(call), violations, reterr));
    return iso_evaluation_is_shared(evaluation, durable)
               ? iso_evaluation_store(evaluation, call, durable, request_id, reterr)
               : iso_evaluation_start(evaluation, call, reterr);
}

enum iso_status iso_evaluate_scenarios(struct iso_call *call, void *service,
                                       struct iso_error *reterr)
{
    const Isocost__V1__EvaluateScenariosRequest *request =
        (const Isocost__V1__EvaluateScenariosRequest *)iso_call_request(call);

    return evaluate(service, call, iso_evaluation_build_scenarios, request->model, request->durable,
                    request->request_id, reterr);
}

enum iso_status iso_sweep(struct iso_call *call, void *service, struct iso_error *reterr)
{
    const Isocost__V1__SweepRequest *request =
        (const Isocost__V1__SweepRequest *)iso_call_request(call);

    return evaluate(service, call, iso_evaluation_build_sweep, request->model, request->durable,
                    request->request_id, reterr);
}

enum iso_status iso_frontier(struct iso_call *call, void *service, struct iso_error *reterr)
{
    const Isocost__V1__FrontierRequest *request =
        (const Isocost__V1__FrontierRequest *)iso_call_request(call);

    return evaluate(service, call, iso_evaluation_build_frontier, request->model, request->durable,
                    request->request_id, reterr);
}

enum iso_status iso_watch_evaluation(struct iso_call *call, void *service, struct iso_error *reterr)
{
    const Isocost__V1__WatchEvaluationRequest *request =
        (const Isocost__V1__WatchEvaluationRequest *)iso_call_request(call);

    ISO_TRY(iso_ulid_check(request->evaluation_id, "evaluation_id", reterr));
    if (request->after_sequence < 0)
        return iso_fail(reterr, ISO_E_INVALID, "after_sequence", "is %lld; it must not be below 0",
                        (long long)request->after_sequence);
    return iso_evaluation_watch(service, call, request->evaluation_id, request->after_sequence,
                                reterr);
}

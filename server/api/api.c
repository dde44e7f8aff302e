#include "api.h"

#include <stdarg.h>
#include <stdio.h>

#include "api_internal.h"
#include "evaluation.h"
#include "study.h"

#define STORE_TASK_THREADS 2
#define SCENARIO_THREADS 2

int iso_enum_by_name(const ProtobufCEnumDescriptor *descriptor, const char *prefix,
                     const char *name)
{
    char full[64];
    const ProtobufCEnumValue *value;

    snprintf(full, sizeof(full), "%s%.40s",
             strncmp(name, prefix, strlen(prefix)) == 0 ? "" : prefix, name);
    value = protobuf_c_enum_descriptor_get_value_by_name(descriptor, full);
    return value ? value->value : 0;
}

void iso_api_log(struct iso_api *api, int level, const char *format, ...)
{
    char text[512];
    va_list arguments;

    if (!api->config.log)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    api->config.log(level, text);
}

static void free_api(struct iso_api *api)
{
    iso_queue_runner_stop(api->runner);
    iso_worker_pool_free(api->studies); /* they wait for evaluations */
    iso_worker_pool_free(api->scenarios);
    iso_evaluations_free(api);
    iso_worker_pool_free(api->tasks);
    pthread_mutex_destroy(&api->mutex);
    free(api);
}

static void on_changed(void *context, const struct iso_principal *principal, const char *plan_id)
{
    struct iso_api *api = context;

    iso_watch_wake(api, principal, plan_id);
    iso_attendances_look(api, principal, plan_id);
}

static enum iso_status start_parts(struct iso_api *api, struct iso_error *reterr)
{
    const struct iso_queue_runner_config runner = {.store = api->config.store,
                                                   .supervisor = api->config.supervisor,
                                                   .n_runs = api->config.n_plans,
                                                   .lease_s = api->config.lease_s,
                                                   .hooks = {.context = api,
                                                             .wishes = iso_attendances_wishes,
                                                             .accepted = iso_attendances_accepted,
                                                             .progress = iso_attendances_progress,
                                                             .changed = on_changed,
                                                             .ended = iso_attendances_end,
                                                             .evaluated = iso_evaluations_changed},
                                                   .log = api->config.log};

    ISO_TRY(iso_worker_pool_new(STORE_TASK_THREADS, 1, &api->tasks, reterr));
    ISO_TRY(iso_worker_pool_new(SCENARIO_THREADS, 1, &api->scenarios, reterr));
    ISO_TRY(iso_worker_pool_new(ISO_STUDY_THREADS, ISO_STUDIES_WAITING, &api->studies, reterr));
    return iso_queue_runner_start(&runner, &api->runner, reterr);
}

enum iso_status iso_api_start(const struct iso_api_config *config, struct iso_api **ret_api,
                              struct iso_error *reterr)
{
    struct iso_api *api = iso_calloc(1, sizeof(*api));
    enum iso_status status;

    if (!api)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the API");
    api->config = *config;
    api->start_ns = iso_wall_ns();
    pthread_mutex_init(&api->mutex, NULL);
    status = start_parts(api, reterr);
    if (status != ISO_OK)
        free_api(api);
    else
        *ret_api = api;
    return status;
}

void iso_api_hold(struct iso_api *api)
{
    iso_evaluations_hold(api);
    iso_queue_runner_hold(api->runner);
}

void iso_api_stop(struct iso_api *api)
{
    if (api)
        free_api(api);
}

static const struct iso_wire_limits model_limits = ISO_WIRE_LIMITS_MODEL;

#define ROW(service, name, message, how, who, run)            \
    .path = "/isocost.v1." service "/" name, .kind = how,     \
    .request = &isocost__v1__##message##_request__descriptor, \
    .response = &isocost__v1__##message##_response__descriptor, .role = who, .handler = run
#define PLAN_ROW(name, message, how, who, run) ROW("PlanService", name, message, how, who, run)
#define SESSION_ROW(name, message, how, who, run) \
    ROW("SessionService", name, message, how, who, run)

#define SOLVE_S 900 /* longer solves are CreatePlan's */
#define ANSWER_S 60 /* reads and writes of the store */
#define UPLOAD_S 600
#define STUDY_S 3700 /* a little more than the longest time limit */
#define WATCH_S 86400

const struct iso_rpc_method iso_plan_methods[] = {
    {PLAN_ROW("SolvePlan", solve_plan, ISO_RPC_UNARY, ISO_ROLE_PLANNER, iso_solve_plan),
     .limits = &model_limits, .default_timeout_s = SOLVE_S, .max_timeout_s = SOLVE_S},
    {PLAN_ROW("SolvePlanStream", solve_plan_stream, ISO_RPC_SERVER_STREAM, ISO_ROLE_PLANNER,
              iso_solve_plan_stream),
     .limits = &model_limits, .default_timeout_s = SOLVE_S, .max_timeout_s = SOLVE_S},
    {PLAN_ROW("UploadModel", upload_model, ISO_RPC_CLIENT_STREAM, ISO_ROLE_PLANNER,
              iso_upload_model),
     .default_timeout_s = UPLOAD_S, .max_timeout_s = UPLOAD_S},
    {PLAN_ROW("ValidateModel", validate_model, ISO_RPC_UNARY, ISO_ROLE_VIEWER, iso_validate_model),
     .limits = &model_limits, .default_timeout_s = ANSWER_S, .max_timeout_s = SOLVE_S},
    {PLAN_ROW("CreatePlan", create_plan, ISO_RPC_UNARY, ISO_ROLE_PLANNER, iso_create_plan),
     .limits = &model_limits, .default_timeout_s = ANSWER_S},
    {PLAN_ROW("GetPlan", get_plan, ISO_RPC_UNARY, ISO_ROLE_VIEWER, iso_get_plan),
     .default_timeout_s = ANSWER_S},
    {PLAN_ROW("ListPlans", list_plans, ISO_RPC_UNARY, ISO_ROLE_VIEWER, iso_list_plans),
     .default_timeout_s = ANSWER_S},
    {PLAN_ROW("WatchPlan", watch_plan, ISO_RPC_SERVER_STREAM, ISO_ROLE_VIEWER, iso_watch_plan),
     .flags = ISO_RPC_END_ON_DRAIN, .default_timeout_s = WATCH_S},
    {PLAN_ROW("CancelPlan", cancel_plan, ISO_RPC_UNARY, ISO_ROLE_PLANNER, iso_cancel_plan),
     .default_timeout_s = ANSWER_S},
    {PLAN_ROW("DeletePlan", delete_plan, ISO_RPC_UNARY, ISO_ROLE_PLANNER, iso_delete_plan),
     .default_timeout_s = ANSWER_S},
    {PLAN_ROW("ListPlanLines", list_plan_lines, ISO_RPC_UNARY, ISO_ROLE_VIEWER,
              iso_list_plan_lines),
     .default_timeout_s = ANSWER_S},
    {PLAN_ROW("StreamPlanLines", stream_plan_lines, ISO_RPC_SERVER_STREAM, ISO_ROLE_VIEWER,
              iso_stream_plan_lines),
     .default_timeout_s = UPLOAD_S},
    {PLAN_ROW("ExportPlan", export_plan, ISO_RPC_SERVER_STREAM, ISO_ROLE_VIEWER, iso_export_plan),
     .limits = &model_limits, .default_timeout_s = UPLOAD_S, .max_timeout_s = SOLVE_S},
    {PLAN_ROW("ComparePlans", compare_plans, ISO_RPC_SERVER_STREAM, ISO_ROLE_PLANNER,
              iso_compare_plans),
     .default_timeout_s = STUDY_S, .max_timeout_s = STUDY_S},
    {PLAN_ROW("ExplainPlan", explain_plan, ISO_RPC_SERVER_STREAM, ISO_ROLE_PLANNER,
              iso_explain_plan),
     .default_timeout_s = STUDY_S, .max_timeout_s = STUDY_S},
    {.path = NULL},
};

const struct iso_rpc_method iso_session_methods[] = {
    {SESSION_ROW("CreateSession", create_session, ISO_RPC_UNARY, ISO_ROLE_PLANNER,
                 iso_create_session),
     .limits = &model_limits, .default_timeout_s = ANSWER_S},
    {SESSION_ROW("GetSession", get_session, ISO_RPC_UNARY, ISO_ROLE_VIEWER, iso_get_session),
     .default_timeout_s = ANSWER_S},
    {SESSION_ROW("ListSessions", list_sessions, ISO_RPC_UNARY, ISO_ROLE_VIEWER, iso_list_sessions),
     .default_timeout_s = ANSWER_S},
    {SESSION_ROW("DeleteSession", delete_session, ISO_RPC_UNARY, ISO_ROLE_PLANNER,
                 iso_delete_session),
     .default_timeout_s = ANSWER_S},
    {SESSION_ROW("ForkSession", fork_session, ISO_RPC_UNARY, ISO_ROLE_PLANNER, iso_fork_session),
     .default_timeout_s = ANSWER_S},
    {SESSION_ROW("ApplyChanges", apply_changes, ISO_RPC_UNARY, ISO_ROLE_PLANNER, iso_apply_changes),
     .limits = &model_limits, .default_timeout_s = ANSWER_S},
    {SESSION_ROW("EvaluateScenarios", evaluate_scenarios, ISO_RPC_SERVER_STREAM, ISO_ROLE_PLANNER,
                 iso_evaluate_scenarios),
     .flags = ISO_RPC_END_ON_DRAIN, .limits = &model_limits, .default_timeout_s = WATCH_S},
    {SESSION_ROW("WatchEvaluation", watch_evaluation, ISO_RPC_SERVER_STREAM, ISO_ROLE_VIEWER,
                 iso_watch_evaluation),
     .flags = ISO_RPC_END_ON_DRAIN, .default_timeout_s = WATCH_S},
    {SESSION_ROW("Sweep", sweep, ISO_RPC_SERVER_STREAM, ISO_ROLE_PLANNER, iso_sweep),
     .flags = ISO_RPC_END_ON_DRAIN, .limits = &model_limits, .default_timeout_s = WATCH_S},
    {SESSION_ROW("Frontier", frontier, ISO_RPC_SERVER_STREAM, ISO_ROLE_PLANNER, iso_frontier),
     .flags = ISO_RPC_END_ON_DRAIN, .limits = &model_limits, .default_timeout_s = WATCH_S},
    {.path = NULL},
};

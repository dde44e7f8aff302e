/* Solves that write nothing: the model goes to the supervisor, what comes back to the caller. */
#include <math.h>
#include <unistd.h>

#include "api_internal.h"

/* A job and the call that waits for it; lives as long as the call. */
struct solve {
    struct iso_call *call;
    struct iso_job *job;
    bool stream;
};

static void free_solve(void *data)
{
    struct solve *solve = data;

    iso_job_release(solve->job);
    free(solve);
}

static void on_cancel(struct iso_call *call, void *context)
{
    struct solve *solve = context;

    (void)call;
    iso_job_stop(solve->job, ISO_STOP_CANCEL);
}

static void on_accepted(void *context, int queue_position)
{
    struct solve *solve = context;
    Isocost__V1__SolvePlanStreamResponse event = ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__INIT;
    Isocost__V1__SolveAccepted accepted = ISOCOST__V1__SOLVE_ACCEPTED__INIT;

    accepted.queue_position = queue_position;
    event.event_case = ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__EVENT_ACCEPTED;
    event.accepted = &accepted;
    iso_call_send(solve->call, &event.base);
}

static void on_progress(void *context, const Isocost__V1__SolveProgress *progress)
{
    struct solve *solve = context;
    Isocost__V1__SolvePlanStreamResponse event = ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__INIT;
    Isocost__V1__SolveProgress shown = *progress;
    Isocost__V1__Plan incumbent;

    if (shown.incumbent) {
        incumbent = *shown.incumbent;
        iso_plan_cut_lists(&incumbent);
        shown.incumbent = &incumbent;
    }
    event.event_case = ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__EVENT_PROGRESS;
    event.progress = &shown;
    iso_call_send_newest(solve->call, &event.base);
}

static Google__Protobuf__Timestamp to_timestamp(int64_t ns)
{
    Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

    time.seconds = ns / 1000000000;
    time.nanos = (int32_t)(ns % 1000000000);
    return time;
}

/* Puts packed lines behind the other fields of a plan, where any reader of messages finds them.
 * `field` must live as long as the plan. */
static void use_packed_lines(Isocost__V1__Plan *plan, const struct iso_job_result *result,
                             ProtobufCMessageUnknownField *field)
{
    const ProtobufCFieldDescriptor *lines =
        protobuf_c_message_descriptor_get_field_by_name(plan->base.descriptor, "lines");
    size_t n_tag_bytes = 1;

    if (!result->shown_lines || result->n_shown_bytes == 0)
        return;
    while (result->shown_lines[n_tag_bytes - 1] & 0x80)
        n_tag_bytes++;
    *field = (ProtobufCMessageUnknownField){
        .tag = lines->id,
        .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
        .len = result->n_shown_bytes - n_tag_bytes, /* its tag is written apart */
        .data = (unsigned char *)result->shown_lines + n_tag_bytes};
    plan->n_lines = 0;
    plan->base.n_unknown_fields = 1;
    plan->base.unknown_fields = field;
}

static void answer_plan(struct solve *solve, const struct iso_job_result *result)
{
    Isocost__V1__Plan plan = *result->plan;
    ProtobufCMessageUnknownField packed_lines;
    int64_t now_ns = iso_wall_ns();
    Google__Protobuf__Timestamp end = to_timestamp(now_ns);
    Google__Protobuf__Timestamp create =
        to_timestamp(now_ns - (int64_t)(iso_call_elapsed_s(solve->call) * 1e9));

    plan.create_time = &create;
    plan.end_time = &end;
    plan.state = ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE;
    iso_plan_cut_lists(&plan);
    use_packed_lines(&plan, result, &packed_lines);
    if (solve->stream) {
        Isocost__V1__SolvePlanStreamResponse event = ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__INIT;

        event.event_case = ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__EVENT_PLAN;
        event.plan = &plan;
        iso_call_send(solve->call, &event.base);
        iso_call_finish(solve->call);
    } else {
        Isocost__V1__SolvePlanResponse response = ISOCOST__V1__SOLVE_PLAN_RESPONSE__INIT;

        response.plan = &plan;
        iso_call_reply(solve->call, &response.base);
    }
}

static void on_done(void *context, const struct iso_job_result *result)
{
    struct solve *solve = context;
    struct iso_violations *violations = iso_call_violations(solve->call);

    if (result->status == ISO_OK && result->plan) {
        answer_plan(solve, result);
    } else if (result->status == ISO_OK && result->validation) {
        iso_call_reply(solve->call, &result->validation->base);
    } else {
        for (int i = 0; result->violations && i < result->violations->n; i++)
            iso_violations_add(violations, result->violations->items[i].field, "%s",
                               result->violations->items[i].text);
        iso_call_fail(solve->call, &result->error);
    }
    iso_call_unref(solve->call);
}

static enum iso_status submit(struct iso_api *api, struct iso_call *call,
                              const Isocost__V1__Model *model, struct iso_job_request *request,
                              bool stream, struct iso_error *reterr)
{
    struct solve *solve = iso_calloc(1, sizeof(*solve));
    double remaining_s = iso_call_remaining_s(call);
    const char *snapshot_digest;
    enum iso_status status;

    if (!solve)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a solve");
    iso_call_set_data(call, solve, free_solve);
    ISO_TRY(iso_snapshot_open(api->config.store, iso_call_principal(call), model, "",
                              iso_call_arena(call), &request->snapshot_fd, &snapshot_digest,
                              reterr));
    solve->call = iso_call_ref(call);
    solve->stream = stream;
    request->model = model;
    request->model_arena = iso_call_arena(call);
    request->owner = iso_call_principal(call);
    request->deadline_s = isfinite(remaining_s) ? fmax(remaining_s, 0.001) : 0;
    request->context = solve;
    request->done = on_done;
    status = iso_supervisor_submit(api->config.supervisor, request, &solve->job, reterr);
    if (request->snapshot_fd >= 0)
        close(request->snapshot_fd);
    if (status != ISO_OK) {
        iso_call_unref(call);
        if (status == ISO_E_LIMIT)
            iso_call_set_retry_after(call, 1);
        return status;
    }
    iso_call_on_cancel(call, on_cancel, solve);
    return ISO_OK;
}

enum iso_status iso_solve_plan(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct iso_api *api = service;
    const Isocost__V1__SolvePlanRequest *request =
        (const Isocost__V1__SolvePlanRequest *)iso_call_request(call);
    char digest[ISO_DIGEST_TEXT_SIZE];
    struct iso_job_request job = {.mode = ISO_JOB_SOLVE};
    const Isocost__V1__Model *model;

    ISO_TRY(iso_model_ref_get(api, iso_call_principal(call), request->model,
                              iso_call_violations(call), &model, request->keep ? digest : NULL,
                              reterr)); /* otherwise it is found while the model is solved */
    if (request->keep)
        return iso_plan_attend(api, call, model, digest, request->request_id, /* stream= */ false,
                               /* incumbents= */ false, reterr);
    return submit(api, call, model, &job, /* stream= */ false, reterr);
}

enum iso_status iso_solve_plan_stream(struct iso_call *call, void *service,
                                      struct iso_error *reterr)
{
    struct iso_api *api = service;
    const Isocost__V1__SolvePlanStreamRequest *request =
        (const Isocost__V1__SolvePlanStreamRequest *)iso_call_request(call);
    char digest[ISO_DIGEST_TEXT_SIZE];
    struct iso_job_request job = {.mode = ISO_JOB_SOLVE,
                                  .incumbents = request->incumbents,
                                  .accepted = on_accepted,
                                  .progress = on_progress};
    const Isocost__V1__Model *model;

    ISO_TRY(iso_model_ref_get(api, iso_call_principal(call), request->model,
                              iso_call_violations(call), &model, request->keep ? digest : NULL,
                              reterr)); /* otherwise it is found while the model is solved */
    if (request->keep)
        return iso_plan_attend(api, call, model, digest, request->request_id, /* stream= */ true,
                               request->incumbents, reterr);
    return submit(api, call, model, &job, /* stream= */ true, reterr);
}

enum iso_status iso_validate_model(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct iso_api *api = service;
    const Isocost__V1__ValidateModelRequest *request =
        (const Isocost__V1__ValidateModelRequest *)iso_call_request(call);
    struct iso_job_request job = {.mode = ISO_JOB_VALIDATE};
    const Isocost__V1__Model *model;

    ISO_TRY(iso_model_ref_get(api, iso_call_principal(call), request->model,
                              iso_call_violations(call), &model, NULL, reterr));
    return submit(api, call, model, &job, /* stream= */ false, reterr);
}

/* The RPC server with a service made for the test, and the C client, over a unix socket. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "isocost/client.h"
#include "isocost/v1/plan_service.pb-c.h"
#include "server.h"

#define ARENA_BYTES ((size_t)64 << 20)
#define PATIENCE_S 20.0

/* --- the service: does as `request_id` says --- */

static struct {
    atomic_int n_cancelled, n_endless;
    atomic_bool release;
} seen;

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l}, NULL);
}

static void reply_name(struct iso_call *call, const char *name)
{
    Isocost__V1__SolvePlanResponse response = ISOCOST__V1__SOLVE_PLAN_RESPONSE__INIT;
    Isocost__V1__Plan plan = ISOCOST__V1__PLAN__INIT;

    plan.display_name = (char *)(uintptr_t)name;
    response.plan = &plan;
    iso_call_reply(call, &response.base);
}

static void on_cancel(struct iso_call *call, void *context)
{
    struct iso_error error = {0};

    (void)context;
    atomic_fetch_add(&seen.n_cancelled, 1);
    iso_fail(&error, ISO_E_CANCELLED, "", "nobody hears this");
    iso_call_fail(call, &error);
    iso_call_unref(call);
}

static void *answer_later(void *context)
{
    struct iso_call *call = context;

    pause_ms(50);
    reply_name(call, "late");
    reply_name(call, "too late"); /* the first answer wins */
    iso_call_unref(call);
    return NULL;
}

static enum iso_status solve(struct iso_call *call, void *service, struct iso_error *reterr)
{
    const Isocost__V1__SolvePlanRequest *request =
        (const Isocost__V1__SolvePlanRequest *)iso_call_request(call);
    const char *what = request->request_id;
    struct iso_arena *arena = iso_call_arena(call);

    assert_ptr_equal(service, &seen);
    if (strcmp(what, "who") == 0) {
        reply_name(call, iso_arena_printf(arena, "%s/%s %s %s", iso_call_principal(call)->tenant,
                                          iso_call_principal(call)->project,
                                          iso_call_principal(call)->subject, iso_call_id(call)));
    } else if (strcmp(what, "later") == 0) {
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, answer_later, iso_call_ref(call)), 0);
        pthread_detach(thread);
    } else if (strcmp(what, "wait") == 0) {
        iso_call_on_cancel(iso_call_ref(call), on_cancel, NULL);
    } else if (strcmp(what, "block") == 0) {
        while (!atomic_load(&seen.release))
            pause_ms(1);
        reply_name(call, "released");
    } else if (strcmp(what, "remaining") == 0) {
        reply_name(call, isinf(iso_call_remaining_s(call)) ? "none"
                         : iso_call_remaining_s(call) <= 5 ? "soon"
                                                           : "late");
    } else if (strcmp(what, "wrong") == 0) {
        iso_violations_add(iso_call_violations(call), "model.a", "is %d", 1);
        iso_violations_add(iso_call_violations(call), "model.b", "is \xff%s", "\xc3\xa9");
        return iso_violations_status(iso_call_violations(call), reterr);
    } else if (strcmp(what, "full") == 0) {
        iso_call_set_retry_after(call, 2.5);
        return iso_fail(reterr, ISO_E_LIMIT, "", "no room");
    } else if (strcmp(what, "large") == 0) {
        char *text = iso_arena_calloc(arena, (4 << 20) + 1, 1);

        memset(text, 'x', 4 << 20);
        reply_name(call, text);
    } else if (strcmp(what, "silent") == 0) {
        return ISO_E_BACKEND; /* fails without a word */
    }
    return ISO_OK; /* anything else: forgets the call */
}

static void send_number(struct iso_call *call, int64_t number, bool newest)
{
    Isocost__V1__SolvePlanStreamResponse event = ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__INIT;
    Isocost__V1__SolveProgress progress = ISOCOST__V1__SOLVE_PROGRESS__INIT;

    event.event_case = ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__EVENT_PROGRESS;
    event.progress = &progress;
    progress.nodes = number;
    if (newest)
        iso_call_send_newest(call, &event.base);
    else
        iso_call_send(call, &event.base);
}

#define N_STEPS 2000

static enum iso_status step(struct iso_call *call, void *service, struct iso_error *reterr)
{
    int *next = iso_call_data(call);

    (void)service;
    if (*next == N_STEPS / 2 && iso_call_principal(call)->project[0] == 'f')
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "half way");
    if (*next == N_STEPS)
        iso_call_finish(call);
    else
        send_number(call, (*next)++, /* newest= */ false);
    return ISO_OK;
}

static void forget_endless(struct iso_call *call, void *context)
{
    (void)context;
    atomic_fetch_sub(&seen.n_endless, 1);
    iso_call_unref(call);
}

static enum iso_status stream(struct iso_call *call, void *service, struct iso_error *reterr)
{
    const Isocost__V1__SolvePlanStreamRequest *request =
        (const Isocost__V1__SolvePlanStreamRequest *)iso_call_request(call);

    (void)service;
    if (strcmp(request->request_id, "steps") == 0) {
        iso_call_set_data(call, iso_calloc(1, sizeof(int)), free);
        iso_call_set_step(call, step);
    } else if (strcmp(request->request_id, "newest") == 0) {
        send_number(call, -1, /* newest= */ false);
        for (int i = 0; i < 5000; i++)
            send_number(call, i, /* newest= */ true);
        send_number(call, 5000, /* newest= */ false);
        iso_call_finish(call);
    } else if (strcmp(request->request_id, "endless") == 0) {
        send_number(call, 0, /* newest= */ false);
        atomic_fetch_add(&seen.n_endless, 1);
        iso_call_on_cancel(iso_call_ref(call), forget_endless, NULL);
    } else {
        send_number(call, 1, /* newest= */ false);
        return iso_fail(reterr, ISO_E_NOT_FOUND, "id", "after one");
    }
    return ISO_OK;
}

static enum iso_status upload(struct iso_call *call, void *service, struct iso_error *reterr)
{
    const Isocost__V1__UploadModelRequest *request =
        (const Isocost__V1__UploadModelRequest *)iso_call_request(call);
    Isocost__V1__UploadModelResponse response = ISOCOST__V1__UPLOAD_MODEL_RESPONSE__INIT;
    int64_t *size = iso_call_data(call);

    (void)service;
    if (!size) {
        size = iso_calloc(1, sizeof(*size));
        iso_call_set_data(call, size, free);
    }
    if (request) {
        *size += (int64_t)request->chunk.len;
        if (*size > 10000000)
            return iso_fail(reterr, ISO_E_LIMIT, "chunk", "more than 10000000 bytes");
        return ISO_OK;
    }
    response.size_bytes = *size;
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

static enum iso_status unused(struct iso_call *call, void *service, struct iso_error *reterr)
{
    (void)call;
    (void)service;
    return iso_fail(reterr, ISO_E_UNSUPPORTED, "", "not in this test");
}

#define ROW(name, message, how, run)                                                         \
    {                                                                                        \
        .path = "/isocost.v1.PlanService/" name, .kind = how,                                \
        .request = &isocost__v1__##message##_request__descriptor,                            \
        .response = &isocost__v1__##message##_response__descriptor, .role = ISO_ROLE_VIEWER, \
        .handler = run                                                                       \
    }

enum { SOLVE, STREAM, UPLOAD, N_ROWS = 15 };
static const struct iso_rpc_method rows[N_ROWS + 1] = {
    ROW("SolvePlan", solve_plan, ISO_RPC_UNARY, solve),
    ROW("SolvePlanStream", solve_plan_stream, ISO_RPC_SERVER_STREAM, stream),
    ROW("UploadModel", upload_model, ISO_RPC_CLIENT_STREAM, upload),
    ROW("ValidateModel", validate_model, ISO_RPC_UNARY, unused),
    ROW("CreatePlan", create_plan, ISO_RPC_UNARY, unused),
    ROW("GetPlan", get_plan, ISO_RPC_UNARY, unused),
    ROW("ListPlans", list_plans, ISO_RPC_UNARY, unused),
    ROW("WatchPlan", watch_plan, ISO_RPC_SERVER_STREAM, unused),
    ROW("CancelPlan", cancel_plan, ISO_RPC_UNARY, unused),
    ROW("DeletePlan", delete_plan, ISO_RPC_UNARY, unused),
    ROW("ListPlanLines", list_plan_lines, ISO_RPC_UNARY, unused),
    ROW("StreamPlanLines", stream_plan_lines, ISO_RPC_SERVER_STREAM, unused),
    ROW("ExportPlan", export_plan, ISO_RPC_SERVER_STREAM, unused),
    ROW("ComparePlans", compare_plans, ISO_RPC_SERVER_STREAM, unused),
    ROW("ExplainPlan", explain_plan, ISO_RPC_SERVER_STREAM, unused),
    {.path = NULL},
};

/* --- a server and a client for each test --- */

struct fixture {
    struct iso_rpc_method rows[N_ROWS + 1];
    struct iso_rpc_server *server;
    struct iso_client *client;
    struct iso_arena *arena;
    char folder[32], address[64];
    int n_workers, queue_bound;
};

static int start(struct fixture *f)
{
    const char *listen[] = {f->address};
    struct iso_rpc_config config = {.listen = listen,
                                    .n_listen = 1,
                                    .n_pollers = 2,
                                    .n_workers = f->n_workers,
                                    .queue_bound = f->queue_bound,
                                    .max_calls = 100};
    struct iso_error error = {0};

    if (iso_rpc_server_new(&config, &f->server, &error) != ISO_OK ||
        iso_rpc_server_add(f->server, f->rows, &seen, &error) != ISO_OK ||
        iso_rpc_server_start(f->server, &error) != ISO_OK ||
        iso_client_open(f->address, &f->client, &error) != ISO_OK ||
        iso_client_wait_ready(f->client, PATIENCE_S, &error) != ISO_OK) {
        print_error("%s\n", error.text);
        return -1;
    }
    return 0;
}

static int set_up(void **state)
{
    struct fixture *f = iso_calloc(1, sizeof(*f));

    memcpy(f->rows, rows, sizeof(rows));
    f->rows[STREAM].flags = ISO_RPC_END_ON_DRAIN;
    f->n_workers = 2;
    f->queue_bound = 16;
    snprintf(f->folder, sizeof(f->folder), "/tmp/isocost-rpc-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->address, sizeof(f->address), "unix:%s/s", f->folder);
    f->arena = iso_arena_new(ARENA_BYTES);
    atomic_store(&seen.n_cancelled, 0);
    atomic_store(&seen.release, false);
    *state = f;
    return 0;
}

static int set_up_started(void **state)
{
    set_up(state);
    return start(*state);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    atomic_store(&seen.release, true);
    iso_client_free(f->client);
    iso_rpc_server_free(f->server);
    iso_arena_free(f->arena);
    rmdir(f->folder);
    free(f);
    return 0;
}

static enum iso_status call_solve(struct fixture *f, const char *what,
                                  const struct iso_client_options *options, const char **ret_name,
                                  struct iso_client_failure *failure)
{
    Isocost__V1__SolvePlanRequest request = ISOCOST__V1__SOLVE_PLAN_REQUEST__INIT;
    struct iso_client_options usual = {.timeout_s = PATIENCE_S};
    struct iso_error error = {0};
    ProtobufCMessage *response = NULL;
    enum iso_status status;

    request.request_id = (char *)(uintptr_t)what;
    status = iso_client_call(f->client, &ISO_CLIENT_PLAN("SolvePlan", solve_plan),
                             options ? options : &usual, &request.base, f->arena, &response,
                             failure, &error);
    assert_int_equal(status, error.status);
    if (status == ISO_OK)
        *ret_name = ((Isocost__V1__SolvePlanResponse *)response)->plan->display_name;
    return status;
}

/* --- the table --- */

static void expect_refusal(struct fixture *f, const char *said)
{
    const char *listen[] = {f->address};
    struct iso_rpc_config config = {
        .listen = listen, .n_listen = 1, .n_pollers = 1, .n_workers = 1, .queue_bound = 1};
    struct iso_error error = {0};

    assert_int_equal(iso_rpc_server_new(&config, &f->server, &error), ISO_OK);
    assert_int_equal(iso_rpc_server_add(f->server, f->rows, NULL, &error), ISO_OK);
    assert_int_equal(iso_rpc_server_start(f->server, &error), ISO_E_INVALID);
    assert_non_null(strstr(error.text, said));
}

static void start_names_the_rpc_without_a_row(void **state)
{
    struct fixture *f = *state;

    f->rows[N_ROWS - 1].path = NULL;
    expect_refusal(f, "/isocost.v1.PlanService/ExplainPlan is in the contract and has no row");
}

static void start_names_the_row_without_an_rpc(void **state)
{
    struct fixture *f = *state;
    static const struct iso_rpc_method more[] = {ROW("Nothing", solve_plan, ISO_RPC_UNARY, unused),
                                                 {.path = NULL}};
    struct iso_rpc_config config = {.n_pollers = 1, .n_workers = 1, .queue_bound = 1};
    struct iso_error error = {0};

    assert_int_equal(iso_rpc_server_new(&config, &f->server, &error), ISO_OK);
    assert_int_equal(iso_rpc_server_add(f->server, f->rows, NULL, &error), ISO_OK);
    assert_int_equal(iso_rpc_server_add(f->server, more, NULL, &error), ISO_OK);
    assert_int_equal(iso_rpc_server_start(f->server, &error), ISO_E_INVALID);
    assert_non_null(strstr(error.text, "/isocost.v1.PlanService/Nothing has no rpc"));
}

static void start_names_the_row_that_streams_otherwise(void **state)
{
    struct fixture *f = *state;

    f->rows[STREAM].kind = ISO_RPC_UNARY;
    expect_refusal(f, "SolvePlanStream says unary; the contract says server stream");
}

static void start_names_the_row_with_other_messages(void **state)
{
    struct fixture *f = *state;

    f->rows[SOLVE].request = &isocost__v1__get_plan_request__descriptor;
    expect_refusal(f, "SolvePlan has messages isocost.v1.GetPlanRequest");
}

static void start_names_the_row_without_a_role(void **state)
{
    struct fixture *f = *state;

    f->rows[UPLOAD].role = 0;
    expect_refusal(f, "UploadModel names no role");
}

/* --- unary --- */

static void call_carries_project_and_request_id(void **state)
{
    struct iso_client_options options = {
        .timeout_s = PATIENCE_S, .project = "team-a", .request_id = "id.7"};
    const char *name;

    assert_int_equal(call_solve(*state, "who", &options, &name, NULL), ISO_OK);
    assert_string_equal(name, "default/team-a unix id.7");
}

static void answer_may_come_after_the_handler_and_the_first_wins(void **state)
{
    const char *name;

    assert_int_equal(call_solve(*state, "later", NULL, &name, NULL), ISO_OK);
    assert_string_equal(name, "late");
}

static void failure_tells_every_field_in_clean_text(void **state)
{
    struct iso_client_failure failure;
    const char *name;

    assert_int_equal(call_solve(*state, "wrong", NULL, &name, &failure), ISO_E_INVALID);
    assert_int_equal(failure.grpc_code, 3);
    assert_string_equal(failure.reason, "E_INVALID");
    assert_int_equal(failure.n_fields, 2);
    assert_string_equal(failure.fields[0].field, "model.a");
    assert_string_equal(failure.fields[1].text, "is ?\xc3\xa9");
    assert_true(failure.retry_after_s < 0);
    assert_int_equal(strlen(failure.request_id), 24);
}

static void refusal_says_when_to_try_again(void **state)
{
    struct iso_client_failure failure;
    const char *name;

    assert_int_equal(call_solve(*state, "full", NULL, &name, &failure), ISO_E_LIMIT);
    assert_float_equal(failure.retry_after_s, 2.5, 1e-9);
    assert_string_equal(failure.message, "no room");
}

static void status_without_words_gets_the_usual_ones(void **state)
{
    struct iso_client_failure failure;
    const char *name;

    assert_int_equal(call_solve(*state, "silent", NULL, &name, &failure), ISO_E_BACKEND);
    assert_string_equal(failure.message, "the numerical library failed");
}

static void forgotten_call_is_an_internal_error(void **state)
{
    struct iso_client_failure failure;
    const char *name;

    assert_int_equal(call_solve(*state, "forget", NULL, &name, &failure), ISO_E_INTERNAL);
    assert_non_null(strstr(failure.message, "without an answer"));
}

static void answer_that_is_too_large_is_refused(void **state)
{
    struct iso_client_failure failure;
    const char *name;

    assert_int_equal(call_solve(*state, "large", NULL, &name, &failure), ISO_E_LIMIT);
    assert_non_null(strstr(failure.message, "page_size"));
}

static void request_that_is_too_large_is_refused(void **state)
{
    struct fixture *f = *state;
    Isocost__V1__UploadModelRequest request = ISOCOST__V1__UPLOAD_MODEL_REQUEST__INIT;
    struct iso_client_failure failure;
    ProtobufCMessage *response;

    request.chunk.len = (4 << 20) + 1;
    request.chunk.data = iso_calloc(request.chunk.len, 1);
    assert_int_equal(iso_client_call(f->client, &ISO_CLIENT_PLAN("GetPlan", get_plan), NULL,
                                     &request.base, f->arena, &response, &failure, NULL),
                     ISO_E_LIMIT);
    assert_string_equal(failure.reason, "E_LIMIT");
    free(request.chunk.data);
}

static void malformed_request_is_refused(void **state)
{
    struct fixture *f = *state;
    Isocost__V1__SolvePlanRequest request = ISOCOST__V1__SOLVE_PLAN_REQUEST__INIT;
    struct iso_client_failure failure;
    ProtobufCMessage *response;
    char not_utf8[] = "\xff\xfe";

    request.request_id = not_utf8;
    assert_int_equal(iso_client_call(f->client, &ISO_CLIENT_PLAN("SolvePlan", solve_plan), NULL,
                                     &request.base, f->arena, &response, &failure, NULL),
                     ISO_E_INVALID);
    assert_int_equal(failure.n_fields, 1);
    assert_string_equal(failure.fields[0].field, "request_id");
}

static void unknown_method_is_unimplemented(void **state)
{
    struct fixture *f = *state;
    Isocost__V1__GetPlanRequest request = ISOCOST__V1__GET_PLAN_REQUEST__INIT;
    struct iso_client_method method = ISO_CLIENT_PLAN("Nothing", get_plan);
    struct iso_client_failure failure;
    ProtobufCMessage *response;

    assert_int_equal(iso_client_call(f->client, &method, NULL, &request.base, f->arena, &response,
                                     &failure, NULL),
                     ISO_E_UNSUPPORTED);
    assert_non_null(strstr(failure.message, "/isocost.v1.PlanService/Nothing"));
}

static void server_that_is_not_there_is_unavailable(void **state)
{
    struct fixture *f = *state;
    struct iso_client *client;
    Isocost__V1__GetPlanRequest request = ISOCOST__V1__GET_PLAN_REQUEST__INIT;
    struct iso_error error = {0};
    ProtobufCMessage *response;

    assert_int_equal(iso_client_open("unix:/nowhere/s.sock", &client, &error), ISO_OK);
    assert_int_equal(iso_client_call(client, &ISO_CLIENT_PLAN("GetPlan", get_plan), NULL,
                                     &request.base, f->arena, &response, NULL, &error),
                     ISO_E_UNAVAILABLE);
    assert_non_null(strstr(error.text, "unix:/nowhere/s.sock"));
    error = (struct iso_error){0};
    assert_int_equal(iso_client_wait_ready(client, 0.2, &error), ISO_E_UNAVAILABLE);
    iso_client_free(client);
}

static void addresses_are_checked_when_a_client_is_opened(void **state)
{
    static const char *const wrong[] = {"nonsense",  "http://x:1",    "host:",      ":80",
                                        "host:port", "unix:relative", "host:123456"};

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(wrong); i++) {
        struct iso_error error = {0};
        struct iso_client *client = NULL;

        assert_int_equal(iso_client_open(wrong[i], &client, &error), ISO_E_INVALID);
        assert_string_equal(error.field, "server");
        assert_null(client);
    }
}

/* --- deadlines and cancels --- */

static void wait_for_cancels(int n)
{
    for (int i = 0; i < (int)(PATIENCE_S * 1000) && atomic_load(&seen.n_cancelled) < n; i++)
        pause_ms(1);
    assert_int_equal(atomic_load(&seen.n_cancelled), n);
}

static void deadline_ends_the_call_on_both_sides(void **state)
{
    struct iso_client_options options = {.timeout_s = 0.2};
    const char *name;

    assert_int_equal(call_solve(*state, "wait", &options, &name, NULL), ISO_E_DEADLINE);
    wait_for_cancels(1);
}

static void method_s_own_timeout_ends_a_call_without_deadline(void **state)
{
    struct fixture *f = *state;
    struct iso_client_options options = {0};
    struct iso_client_failure failure;
    const char *name;

    f->rows[SOLVE].default_timeout_s = 0.2;
    assert_int_equal(start(f), 0);
    assert_int_equal(call_solve(f, "wait", &options, &name, &failure), ISO_E_DEADLINE);
    assert_string_equal(failure.reason, "E_DEADLINE");
    wait_for_cancels(1);
}

static void longer_deadlines_are_cut(void **state)
{
    struct fixture *f = *state;
    struct iso_client_options options = {.timeout_s = 1000};
    const char *name;

    f->rows[SOLVE].max_timeout_s = 5;
    assert_int_equal(start(f), 0);
    assert_int_equal(call_solve(f, "remaining", &options, &name, NULL), ISO_OK);
    assert_string_equal(name, "soon");
    options.timeout_s = 0;
    assert_int_equal(call_solve(f, "remaining", &options, &name, NULL), ISO_OK);
    assert_string_equal(name, "none");
}

static void *trigger_soon(void *context)
{
    pause_ms(100);
    iso_client_cancel_trigger(context);
    return NULL;
}

static void cancel_from_another_thread_reaches_the_handler(void **state)
{
    struct iso_client_options options = {.cancel = iso_client_cancel_new()};
    struct iso_client_failure failure;
    const char *name;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, trigger_soon, options.cancel), 0);
    assert_int_equal(call_solve(*state, "wait", &options, &name, &failure), ISO_E_CANCELLED);
    pthread_join(thread, NULL);
    wait_for_cancels(1);
    assert_int_equal(call_solve(*state, "who", &options, &name, &failure), ISO_E_CANCELLED);
    iso_client_cancel_free(options.cancel);
}

/* --- admission --- */

static void *block(void *context)
{
    struct fixture *f = context;
    Isocost__V1__SolvePlanRequest request = ISOCOST__V1__SOLVE_PLAN_REQUEST__INIT;
    struct iso_client_options options = {.timeout_s = PATIENCE_S};
    ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 20);
    ProtobufCMessage *response;
    char what[] = "block";
    intptr_t status;

    request.request_id = what;
    status = iso_client_call(f->client, &ISO_CLIENT_PLAN("SolvePlan", solve_plan), &options,
                             &request.base, arena, &response, NULL, NULL);
    return (void *)status;
}

static void calls_beyond_the_queue_are_refused(void **state)
{
    struct fixture *f = *state;
    struct iso_client_failure failure;
    struct iso_rpc_stats stats;
    pthread_t threads[3];
    const char *name;
    void *status;

    f->n_workers = 1;
    f->queue_bound = 2;
    assert_int_equal(start(f), 0);
    for (int i = 0; i < 3; i++) { /* one runs, two wait */
        assert_int_equal(pthread_create(&threads[i], NULL, block, f), 0);
        for (int k = 0; k < (int)(PATIENCE_S * 1000); k++) {
            iso_rpc_server_stats(f->server, &stats);
            if (stats.calls == i + 1 && stats.queue_depth == i)
                break;
            pause_ms(1);
        }
        assert_int_equal(stats.queue_depth, i);
    }
    assert_int_equal(call_solve(f, "who", NULL, &name, &failure), ISO_E_LIMIT);
    assert_float_equal(failure.retry_after_s, 1, 1e-9);
    iso_rpc_server_stats(f->server, &stats);
    assert_int_equal(stats.refused, 1);
    atomic_store(&seen.release, true);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], &status);
        assert_int_equal((intptr_t)status, ISO_OK);
    }
}

/* --- streams --- */

struct numbers {
    int64_t last;
    int n, stop_after;
    bool rising, slow;
};

static bool on_number(void *context, const ProtobufCMessage *message)
{
    struct numbers *numbers = context;
    int64_t number = ((const Isocost__V1__SolvePlanStreamResponse *)message)->progress->nodes;

    numbers->rising = numbers->rising && (numbers->n == 0 || number > numbers->last);
    numbers->last = number;
    numbers->n++;
    if (numbers->slow && numbers->n % 200 == 0)
        pause_ms(5);
    return numbers->n != numbers->stop_after;
}

static enum iso_status call_stream(struct fixture *f, const char *what, const char *project,
                                   struct numbers *numbers, struct iso_client_failure *failure)
{
    Isocost__V1__SolvePlanStreamRequest request = ISOCOST__V1__SOLVE_PLAN_STREAM_REQUEST__INIT;
    struct iso_client_options options = {.timeout_s = PATIENCE_S, .project = project};

    numbers->rising = true;
    request.request_id = (char *)(uintptr_t)what;
    return iso_client_stream(f->client, &ISO_CLIENT_PLAN("SolvePlanStream", solve_plan_stream),
                             &options, &request.base, on_number, numbers, f->arena, failure, NULL);
}

static void steps_send_everything_in_order(void **state)
{
    struct numbers numbers = {.slow = true};

    assert_int_equal(call_stream(*state, "steps", NULL, &numbers, NULL), ISO_OK);
    assert_int_equal(numbers.n, N_STEPS);
    assert_true(numbers.rising);
}

static void step_that_fails_ends_the_stream_after_what_was_sent(void **state)
{
    struct iso_client_failure failure;
    struct numbers numbers = {0};

    assert_int_equal(call_stream(*state, "steps", "fails", &numbers, &failure), ISO_E_UNAVAILABLE);
    assert_int_equal(numbers.n, N_STEPS / 2);
    assert_string_equal(failure.message, "half way");
    assert_float_equal(failure.retry_after_s, 1, 1e-9);
}

static void handler_that_fails_ends_the_stream_after_what_was_sent(void **state)
{
    struct iso_client_failure failure;
    struct numbers numbers = {0};

    assert_int_equal(call_stream(*state, "fail", NULL, &numbers, &failure), ISO_E_NOT_FOUND);
    assert_int_equal(numbers.n, 1);
}

static void newest_progress_wins_and_the_rest_arrives(void **state)
{
    struct numbers numbers = {0};

    assert_int_equal(call_stream(*state, "newest", NULL, &numbers, NULL), ISO_OK);
    assert_true(numbers.rising);
    assert_in_range(numbers.n, 2, 5002);
    assert_int_equal(numbers.last, 5000);
}

static void reader_may_stop_early(void **state)
{
    struct numbers numbers = {.stop_after = 10};

    assert_int_equal(call_stream(*state, "steps", NULL, &numbers, NULL), ISO_OK);
    assert_int_equal(numbers.n, 10);
}

/* --- uploads --- */

struct source {
    Isocost__V1__UploadModelRequest request;
    int n_left;
    bool fail;
};

static const ProtobufCMessage *next_piece(void *context, struct iso_error *reterr)
{
    struct source *source = context;

    if (source->n_left-- == 0) {
        if (source->fail)
            iso_fail(reterr, ISO_E_IO, "file", "cannot be read");
        return NULL;
    }
    return &source->request.base;
}

static enum iso_status upload_pieces(struct fixture *f, int n_pieces, size_t n_bytes, bool fail,
                                     int64_t *ret_size, struct iso_client_failure *failure)
{
    static uint8_t bytes[1000000];
    struct source source = {
        .request = ISOCOST__V1__UPLOAD_MODEL_REQUEST__INIT, .n_left = n_pieces, .fail = fail};
    struct iso_client_options options = {.timeout_s = PATIENCE_S};
    ProtobufCMessage *response = NULL;
    struct iso_error error = {0};
    enum iso_status status;

    source.request.chunk.data = bytes;
    source.request.chunk.len = n_bytes;
    status = iso_client_upload(f->client, &ISO_CLIENT_PLAN("UploadModel", upload_model), &options,
                               next_piece, &source, f->arena, &response, failure, &error);
    if (response)
        *ret_size = ((Isocost__V1__UploadModelResponse *)response)->size_bytes;
    return status;
}

static enum iso_status call_upload(struct fixture *f, int n_pieces, bool fail, int64_t *ret_size,
                                   struct iso_client_failure *failure)
{
    return upload_pieces(f, n_pieces, 1000000, fail, ret_size, failure);
}

static void upload_sends_all_pieces(void **state)
{
    int64_t size = -1;

    assert_int_equal(call_upload(*state, 10, false, &size, NULL), ISO_OK);
    assert_int_equal(size, 10000000);
    assert_int_equal(call_upload(*state, 0, false, &size, NULL), ISO_OK);
    assert_int_equal(size, 0);
}

static void upload_ends_when_the_server_refuses(void **state)
{
    struct iso_client_failure failure;
    int64_t size;

    assert_int_equal(call_upload(*state, 1000, false, &size, &failure), ISO_E_LIMIT);
    assert_string_equal(failure.message, "chunk: more than 10000000 bytes");
}

static void upload_ends_when_the_source_fails(void **state)
{
    int64_t size;

    assert_int_equal(call_upload(*state, 2, true, &size, NULL), ISO_E_IO);
}

/* Between two pieces nobody holds the call: it must not be taken for forgotten then. */
static void call_between_two_pieces_is_not_forgotten(void **state)
{
    int64_t size;

    for (int i = 0; i < 2000; i++) {
        size = -1;
        assert_int_equal(upload_pieces(*state, 20, 1, false, &size, NULL), ISO_OK);
        assert_int_equal(size, 20);
    }
}

/* --- stopping --- */

static void *watch_endless(void *context)
{
    struct fixture *f = context;
    Isocost__V1__SolvePlanStreamRequest request = ISOCOST__V1__SOLVE_PLAN_STREAM_REQUEST__INIT;
    struct iso_client_options options = {.timeout_s = PATIENCE_S};
    ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 20);
    struct numbers numbers = {.rising = true};
    char what[] = "endless";
    intptr_t status;

    request.request_id = what;
    status = iso_client_stream(f->client, &ISO_CLIENT_PLAN("SolvePlanStream", solve_plan_stream),
                               &options, &request.base, on_number, &numbers, arena, NULL, NULL);
    return (void *)status;
}

static void drain_ends_endless_streams_and_lets_calls_finish(void **state)
{
    struct fixture *f = *state;
    struct iso_rpc_stats stats = {0};
    pthread_t watcher, blocked;
    const char *name;
    void *status;

    assert_int_equal(pthread_create(&watcher, NULL, watch_endless, f), 0);
    assert_int_equal(pthread_create(&blocked, NULL, block, f), 0);
    for (int i = 0; i < (int)(PATIENCE_S * 1000) && stats.calls != 2; i++) {
        pause_ms(1);
        iso_rpc_server_stats(f->server, &stats);
    }
    while (atomic_load(&seen.n_endless) == 0)
        pause_ms(1);
    pause_ms(50);
    atomic_store(&seen.release, true);
    iso_rpc_server_drain(f->server, PATIENCE_S);
    pthread_join(watcher, &status);
    assert_int_equal((intptr_t)status, ISO_E_UNAVAILABLE);
    pthread_join(blocked, &status);
    assert_int_equal((intptr_t)status, ISO_OK);
    assert_int_equal(atomic_load(&seen.n_endless), 0);
    assert_int_equal(call_solve(f, "who", NULL, &name, NULL), ISO_E_UNAVAILABLE);
}

static void drain_cancels_what_outlives_the_grace(void **state)
{
    struct fixture *f = *state;
    struct iso_rpc_stats stats = {0};
    pthread_t endless;
    void *status;

    f->rows[STREAM].flags = 0;
    assert_int_equal(start(f), 0);
    assert_int_equal(pthread_create(&endless, NULL, watch_endless, f), 0);
    while (atomic_load(&seen.n_endless) == 0)
        pause_ms(1);
    iso_rpc_server_drain(f->server, 0.1);
    pthread_join(endless, &status);
    assert_int_equal((intptr_t)status, ISO_E_UNAVAILABLE);
    iso_rpc_server_stats(f->server, &stats);
    assert_int_equal(stats.calls, 0);
    assert_int_equal(atomic_load(&seen.n_endless), 0);
}

/* --- short of memory --- */

static void server_and_client_survive_failed_allocations(void **state)
{
    struct fixture *f = *state;
    struct iso_rpc_config config = {.n_pollers = 1, .n_workers = 1, .queue_bound = 1};

    for (long nth = 0;; nth++) {
        struct iso_error error = {0};
        enum iso_status status;

        iso_alloc_fail_at(nth);
        status = iso_rpc_server_new(&config, &f->server, &error);
        iso_alloc_fail_at(-1);
        if (status == ISO_OK)
            break;
        assert_int_equal(status, ISO_E_NOMEM);
    }
    for (long nth = 0;; nth++) {
        struct iso_error error = {0};
        enum iso_status status;

        iso_alloc_fail_at(nth);
        status = iso_client_open(f->address, &f->client, &error);
        iso_alloc_fail_at(-1);
        if (status == ISO_OK)
            break;
        assert_int_equal(status, ISO_E_NOMEM);
    }
}

int main(void)
{
#define STARTED(name) cmocka_unit_test_setup_teardown(name, set_up_started, tear_down)
#define BARE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        BARE(start_names_the_rpc_without_a_row),
        BARE(start_names_the_row_without_an_rpc),
        BARE(start_names_the_row_that_streams_otherwise),
        BARE(start_names_the_row_with_other_messages),
        BARE(start_names_the_row_without_a_role),
        STARTED(call_carries_project_and_request_id),
        STARTED(answer_may_come_after_the_handler_and_the_first_wins),
        STARTED(failure_tells_every_field_in_clean_text),
        STARTED(refusal_says_when_to_try_again),
        STARTED(status_without_words_gets_the_usual_ones),
        STARTED(forgotten_call_is_an_internal_error),
        STARTED(answer_that_is_too_large_is_refused),
        STARTED(request_that_is_too_large_is_refused),
        STARTED(malformed_request_is_refused),
        STARTED(unknown_method_is_unimplemented),
        BARE(server_that_is_not_there_is_unavailable),
        BARE(addresses_are_checked_when_a_client_is_opened),
        STARTED(deadline_ends_the_call_on_both_sides),
        BARE(method_s_own_timeout_ends_a_call_without_deadline),
        BARE(longer_deadlines_are_cut),
        STARTED(cancel_from_another_thread_reaches_the_handler),
        BARE(calls_beyond_the_queue_are_refused),
        STARTED(steps_send_everything_in_order),
        STARTED(step_that_fails_ends_the_stream_after_what_was_sent),
        STARTED(handler_that_fails_ends_the_stream_after_what_was_sent),
        STARTED(newest_progress_wins_and_the_rest_arrives),
        STARTED(reader_may_stop_early),
        STARTED(upload_sends_all_pieces),
        STARTED(upload_ends_when_the_server_refuses),
        STARTED(call_between_two_pieces_is_not_forgotten),
        STARTED(upload_ends_when_the_source_fails),
        STARTED(drain_ends_endless_streams_and_lets_calls_finish),
        BARE(drain_cancels_what_outlives_the_grace),
        BARE(server_and_client_survive_failed_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

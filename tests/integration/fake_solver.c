/* fake_solver FD PARENT_PID MEMORY_BYTES
 *
 * Speaks like isocost-solver and does as the model's display_name says. It knows one problem: one
 * offering at 1 USD an hour of which each serves 10, a demand of 100, one period of 720 hours. So
 * 10 instances for 10 * 1 * 720 = 7200 USD are best, and n >= 10 instances cost 720 n. */
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "google/rpc/error_details.pb-c.h"
#include "isocost/internal/v1/solver.pb-c.h"
#include "isocost/plan.h"
#include "isocost/proto/frame.h"

#define BEST 10
#define ONE ISO_DECIMAL_ONE

static int connection;
static struct iso_frame_reader *reader;
static struct iso_frame_writer *writer;
static uint64_t request_id;

static void send_event(const Isocost__Internal__V1__SolverEvent *event)
{
    bool empty;
    ISO_ASSERT(iso_frame_write(writer, (uint32_t)event->event_case, request_id, &event->base, -1,
                               NULL) == ISO_OK);
    if (iso_frame_flush(writer, &empty, NULL) != ISO_OK)
        _exit(0);
}

static void sleep_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l}, NULL);
}

/* A plan of `count` instances whose bill says `cost_of` instances; sent as incumbent or as the end.
 */
static void send_plan(int count, int cost_of, enum iso_reason reason, enum iso_stop stop, bool last)
{
    int32_t zero = 0, one = 1;
    int64_t instances = count;
    Isocost__Internal__V1__Answer answer = ISOCOST__INTERNAL__V1__ANSWER__INIT;
    Isocost__Internal__V1__Tier tier = ISOCOST__INTERNAL__V1__TIER__INIT, *tiers = &tier;
    Isocost__Internal__V1__Stats stats = ISOCOST__INTERNAL__V1__STATS__INIT;
    Isocost__Internal__V1__SolverEvent event = ISOCOST__INTERNAL__V1__SOLVER_EVENT__INIT;
    Isocost__Internal__V1__Done done = ISOCOST__INTERNAL__V1__DONE__INIT;

    answer.reason = (int32_t)reason;
    answer.stop = (int32_t)stop;
    if (reason == ISO_REASON_FEASIBLE) {
        answer.has_solution = true;
        answer.n_use_workload = answer.n_use_offering = answer.n_use_period = 1;
        answer.n_use_n_periods = answer.n_use_count = 1;
        answer.use_workload = answer.use_offering = answer.use_period = &zero;
        answer.use_n_periods = &one;
        answer.use_count = &instances;
        answer.cost = 720 * ONE * cost_of;
        tier.kind = ISO_TIER_MONEY;
        tier.value = tier.frozen = 720.0 * cost_of;
        tier.bound = tier.checked_bound = -INFINITY;
        answer.n_tiers = 1;
        answer.tiers = &tiers;
    }
    stats.cpu_seconds = 0.25;
    stats.peak_memory_mib = 12.5;
    answer.stats = &stats;
    done.answer = &answer;
    event.event_case = last ? ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_DONE
                            : ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_INCUMBENT;
    if (last)
        event.done = &done;
    else
        event.incumbent = &answer;
    send_event(&event);
}

static void send_incumbent(int count)
{
    send_plan(count, count, ISO_REASON_FEASIBLE, ISO_STOP_NONE, false);
}

static void finish(int count, enum iso_stop stop)
{
    send_plan(count, count, ISO_REASON_FEASIBLE, stop, true);
}

static void send_progress(double value)
{
    Isocost__Internal__V1__SolverEvent event = ISOCOST__INTERNAL__V1__SOLVER_EVENT__INIT;
    Isocost__Internal__V1__Progress progress = ISOCOST__INTERNAL__V1__PROGRESS__INIT;

    progress.tier = ISO_TIER_MONEY;
    progress.has_value = true;
    progress.value = value;
    progress.bound = -INFINITY;
    progress.iterations = 17;
    event.event_case = ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_PROGRESS;
    event.progress = &progress;
    send_event(&event);
}

/* Packs a detail of a failure; `bytes` has room for 256. */
static void pack_detail(Google__Protobuf__Any *any, const char *url,
                        const ProtobufCMessage *message, uint8_t *bytes)
{
    google__protobuf__any__init(any);
    any->type_url = (char *)url;
    any->value.data = bytes;
    any->value.len = protobuf_c_message_pack(message, bytes);
}

static void send_failure(enum iso_status status, const char *field, const char *text)
{
    Isocost__Internal__V1__SolverEvent event = ISOCOST__INTERNAL__V1__SOLVER_EVENT__INIT;
    Isocost__Internal__V1__Done done = ISOCOST__INTERNAL__V1__DONE__INIT;
    Google__Rpc__Status failure = GOOGLE__RPC__STATUS__INIT;
    Google__Protobuf__Any anys[2], *details[] = {&anys[0], &anys[1]};
    Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
    Google__Rpc__BadRequest request = GOOGLE__RPC__BAD_REQUEST__INIT;
    Google__Rpc__BadRequest__FieldViolation item = GOOGLE__RPC__BAD_REQUEST__FIELD_VIOLATION__INIT;
    Google__Rpc__BadRequest__FieldViolation *items = &item;
    uint8_t bytes[2][256];

    info.reason = (char *)iso_status_name(status);
    item.field = (char *)field;
    item.description = (char *)text;
    request.n_field_violations = field[0] != '\0';
    request.field_violations = &items;
    pack_detail(&anys[0], "type.googleapis.com/google.rpc.ErrorInfo", &info.base, bytes[0]);
    pack_detail(&anys[1], "type.googleapis.com/google.rpc.BadRequest", &request.base, bytes[1]);
    failure.code = iso_status_grpc_code(status);
    failure.message = (char *)text;
    failure.n_details = 2;
    failure.details = details;
    done.error = &failure;
    event.event_case = ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_DONE;
    event.done = &done;
    send_event(&event);
}

/* The reason of a StopRequest that comes within `ms`, or 0. */
static enum iso_stop wait_for_stop(int ms)
{
    struct pollfd entry = {.fd = connection, .events = POLLIN};
    struct iso_frame frame;
    bool ready;

    if (poll(&entry, 1, ms) <= 0)
        return 0;
    if (iso_frame_read(reader, &frame, &ready, NULL) != ISO_OK)
        _exit(0);
    Isocost__Internal__V1__SolverCommand *command =
        isocost__internal__v1__solver_command__unpack(NULL, frame.n_bytes, frame.payload);
    ISO_ASSERT(command &&
               command->command_case == ISOCOST__INTERNAL__V1__SOLVER_COMMAND__COMMAND_STOP);
    enum iso_stop stop = (enum iso_stop)command->stop->stop;
    isocost__internal__v1__solver_command__free_unpacked(command, NULL);
    return stop;
}

/* Better and better plans until it is stopped; says so when it is. */
static void improve_until_stopped(void)
{
    for (int count = 20;; count -= count > BEST) {
        send_progress(720.0 * count);
        send_incumbent(count);
        enum iso_stop stop = wait_for_stop(100);
        if (stop) {
            finish(count, stop);
            return;
        }
    }
}

static void send_bytes(const void *bytes, size_t n_bytes)
{
    if (send(connection, bytes, n_bytes, MSG_NOSIGNAL) < 0)
        _exit(0);
    sleep_ms(10000);
}

static void hang(void)
{
    for (;;)
        sleep_ms(1000);
}

static void export_file(void)
{
    static char pieces[2][8] = {"NAME ", "model\n"};
    for (int i = 0; i < 2; i++) {
        Isocost__Internal__V1__SolverEvent event = ISOCOST__INTERNAL__V1__SOLVER_EVENT__INIT;
        event.event_case = ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_EXPORT_CHUNK;
        event.export_chunk.data = (uint8_t *)pieces[i];
        event.export_chunk.len = strlen(pieces[i]);
        send_event(&event);
    }
}

static void act(const char *part)
{
    static const unsigned char huge[ISO_FRAME_HEADER_BYTES] = {'I',  'S',  'O',  '1',
                                                               0xff, 0xff, 0xff, 0x7f};
    if (strcmp(part, "good") == 0)
        finish(BEST, ISO_STOP_NONE);
    else if (strcmp(part, "improve") == 0)
        improve_until_stopped();
    else if (strcmp(part, "incumbent-then-hang") == 0)
        send_incumbent(12), sleep_ms(20), send_incumbent(11), hang();
    else if (strcmp(part, "incumbent-then-die") == 0)
        send_incumbent(11), raise(SIGKILL);
    else if (strcmp(part, "hang") == 0)
        hang();
    else if (strcmp(part, "wait") == 0)
        send_plan(0, 0, ISO_REASON_NO_PLAN_FOUND, wait_for_stop(60000), true);
    else if (strcmp(part, "abort") == 0)
        raise(SIGABRT);
    else if (strcmp(part, "exit") == 0)
        _exit(0);
    else if (strcmp(part, "wrong") == 0)
        send_plan(BEST, BEST - 1, ISO_REASON_FEASIBLE, ISO_STOP_NONE, true);
    else if (strcmp(part, "too-few") == 0)
        finish(BEST - 1, ISO_STOP_NONE);
    else if (strcmp(part, "incumbent-then-wrong") == 0)
        send_incumbent(11), send_plan(BEST, BEST - 1, ISO_REASON_FEASIBLE, ISO_STOP_NONE, true);
    else if (strcmp(part, "garbage") == 0)
        send_bytes("this is not a frame at all, but long enough to be one", 54);
    else if (strcmp(part, "huge") == 0)
        send_bytes(huge, sizeof(huge));
    else if (strcmp(part, "wrong-id") == 0)
        request_id++, finish(BEST, ISO_STOP_NONE), hang();
    else if (strcmp(part, "twice") == 0)
        finish(BEST, ISO_STOP_NONE), finish(BEST, ISO_STOP_NONE);
    else if (strcmp(part, "refuse") == 0)
        send_failure(ISO_E_INVALID, "model.workloads[0].allowed", "nothing is allowed");
    else if (strcmp(part, "no-memory") == 0)
        send_incumbent(11), send_failure(ISO_E_NOMEM, "", "out of memory");
    else
        send_failure(ISO_E_UNSUPPORTED, "", "the fake solver does not know this part");
}

static void run(const Isocost__Internal__V1__SolveRequest *request)
{
    Isocost__Internal__V1__SolverEvent event = ISOCOST__INTERNAL__V1__SOLVER_EVENT__INIT;
    Isocost__Internal__V1__Done done = ISOCOST__INTERNAL__V1__DONE__INIT;
    Isocost__Internal__V1__Stats stats = ISOCOST__INTERNAL__V1__STATS__INIT;

    if (request->mode == ISOCOST__INTERNAL__V1__SOLVE_MODE__SOLVE_MODE_SOLVE) {
        act(request->model->display_name);
        return;
    }
    if (request->mode != ISOCOST__INTERNAL__V1__SOLVE_MODE__SOLVE_MODE_VALIDATE)
        export_file();
    stats.columns = 1;
    done.stats = &stats;
    event.event_case = ISOCOST__INTERNAL__V1__SOLVER_EVENT__EVENT_DONE;
    event.done = &done;
    send_event(&event);
}

int main(int argc, char **argv)
{
    struct iso_frame frame;
    bool ready;

    if (argc != 6 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != atoi(argv[2]))
        return 2;
    connection = atoi(argv[1]);
    reader = iso_frame_reader_new(connection, ISO_FRAME_MAX_BYTES);
    writer = iso_frame_writer_new(connection);
    while (reader && writer && iso_frame_read(reader, &frame, &ready, NULL) == ISO_OK) {
        Isocost__Internal__V1__SolverCommand *command =
            isocost__internal__v1__solver_command__unpack(NULL, frame.n_bytes, frame.payload);
        ISO_ASSERT(command);
        request_id = frame.request_id;
        if (command->command_case == ISOCOST__INTERNAL__V1__SOLVER_COMMAND__COMMAND_SOLVE)
            run(command->solve);
        isocost__internal__v1__solver_command__free_unpacked(command, NULL);
    }
    iso_frame_reader_free(reader);
    iso_frame_writer_free(writer);
    return 0;
}

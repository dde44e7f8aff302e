#include "study_stream.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interrupt.h"
#include "remote.h"

/* Messages live only until the callback returns. */
static void *copy(struct iso_study_results *results, const ProtobufCMessage *message)
{
    void *made = iso_arena_copy(results->cli->arena, message);

    results->failed = results->failed || !made;
    return made;
}

static void add(struct iso_study_results *results, const Isocost__V1__Answer *answer)
{
    if (results->n == results->room) {
        size_t room = 2 * results->room + 16;
        Isocost__V1__Answer **answers =
            iso_arena_calloc(results->cli->arena, room, sizeof(*answers));
        if (!answers) {
            results->failed = true;
            return;
        }
        if (results->n > 0)
            memcpy(answers, results->answers, results->n * sizeof(*answers));
        results->answers = answers;
        results->room = room;
    }
    results->answers[results->n] = copy(results, &answer->base);
    results->n += results->answers[results->n] != NULL;
}

static void tell(const struct iso_study_results *results,
                 const Isocost__V1__StudyProgress *progress)
{
    if (results->on_terminal)
        fprintf(results->cli->err, "\r\033[K%d solves, %.0f s: %s", progress->solves,
                progress->seconds, progress->doing);
}

static bool on_event(void *context, const ProtobufCMessage *message)
{
    struct iso_study_results *results = context;

    if (message->descriptor == &isocost__v1__compare_plans_response__descriptor) {
        const Isocost__V1__ComparePlansResponse *event =
            (const Isocost__V1__ComparePlansResponse *)message;
        if (event->event_case == ISOCOST__V1__COMPARE_PLANS_RESPONSE__EVENT_PROGRESS)
            tell(results, event->progress);
        else if (event->event_case == ISOCOST__V1__COMPARE_PLANS_RESPONSE__EVENT_COMPARISON)
            results->comparison = copy(results, &event->comparison->base);
    } else {
        const Isocost__V1__ExplainPlanResponse *event =
            (const Isocost__V1__ExplainPlanResponse *)message;
        if (event->event_case == ISOCOST__V1__EXPLAIN_PLAN_RESPONSE__EVENT_PROGRESS)
            tell(results, event->progress);
        else if (event->event_case == ISOCOST__V1__EXPLAIN_PLAN_RESPONSE__EVENT_ANSWER)
            add(results, event->answer);
    }
    return !results->failed;
}

enum iso_exit_code iso_study_run(struct iso_cli *cli, const struct iso_client_method *method,
                                 const ProtobufCMessage *request,
                                 struct iso_study_results *ret_results)
{
    struct iso_study_results results = {.cli = cli, .on_terminal = isatty(fileno(cli->err))};
    struct iso_client_failure failure = {0};
    struct iso_error error = {0};
    enum iso_exit_code code = iso_remote_open(cli);

    *ret_results = results;
    if (code != ISO_EXIT_OK)
        return code;
    struct iso_client_options call = iso_remote_options(cli);
    call.cancel = iso_client_cancel_new();
    iso_interrupt_cancel(call.cancel);
    enum iso_status status = iso_client_stream(cli->client, method, &call, request, on_event,
                                               &results, cli->arena, &failure, &error);
    iso_interrupt_cancel(NULL);
    iso_client_cancel_free(call.cancel);
    if (results.on_terminal)
        fputs("\r\033[K", cli->err);
    *ret_results = results;
    if (results.failed) {
        fputs("isocost: out of memory\n", cli->err);
        return ISO_EXIT_OTHER;
    }
    return status == ISO_OK ? ISO_EXIT_OK : iso_remote_complain(cli, &failure, &error, NULL);
}

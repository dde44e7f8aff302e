#include "evaluation_stream.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interrupt.h"
#include "remote.h"

/* Messages live only until the callback returns. */
static void *copy(struct iso_evaluation_results *results, const ProtobufCMessage *message)
{
    void *made = iso_arena_copy(results->cli->arena, message);

    results->failed = results->failed || !made;
    return made;
}

static void add(struct iso_evaluation_results *results, const Isocost__V1__ScenarioResult *result)
{
    if (results->n == results->room) {
        size_t room = 2 * results->room + 64;
        Isocost__V1__ScenarioResult **items =
            iso_arena_calloc(results->cli->arena, room, sizeof(*items));
        if (!items) {
            results->failed = true;
            return;
        }
        if (results->n > 0)
            memcpy(items, results->items, results->n * sizeof(*items));
        results->items = items;
        results->room = room;
    }
    results->items[results->n] = copy(results, &result->base);
    results->n += results->items[results->n] != NULL;
}

/* All responses of evaluations have the same one field. */
static bool on_event(void *context, const ProtobufCMessage *message)
{
    const Isocost__V1__EvaluationEvent *event =
        ((const Isocost__V1__WatchEvaluationResponse *)message)->event;
    struct iso_evaluation_results *results = context;

    switch (event ? event->event_case : ISOCOST__V1__EVALUATION_EVENT__EVENT__NOT_SET) {
    case ISOCOST__V1__EVALUATION_EVENT__EVENT_ACCEPTED:
        results->evaluation_id =
            iso_arena_strdup(results->cli->arena, event->accepted->evaluation_id);
        break;
    case ISOCOST__V1__EVALUATION_EVENT__EVENT_RESULT:
        add(results, event->result);
        break;
    case ISOCOST__V1__EVALUATION_EVENT__EVENT_PROGRESS:
        if (results->on_terminal)
            fprintf(results->cli->err, "\r\033[K%d of %d scenarios, %.0f s", event->progress->done,
                    event->progress->total, event->progress->seconds);
        break;
    case ISOCOST__V1__EVALUATION_EVENT__EVENT_ENDED:
        results->ended = copy(results, &event->ended->base);
        break;
    default:
        break;
    }
    return !results->failed;
}

static int by_place(const void *a, const void *b)
{
    const Isocost__V1__ScenarioResult *left = *(Isocost__V1__ScenarioResult *const *)a;
    const Isocost__V1__ScenarioResult *right = *(Isocost__V1__ScenarioResult *const *)b;

    return left->place - right->place;
}

enum iso_status iso_evaluation_run(struct iso_cli *cli, const struct iso_client_method *method,
                                   const ProtobufCMessage *request,
                                   struct iso_evaluation_results *ret_results,
                                   struct iso_client_failure *ret_failure, struct iso_error *reterr)
{
    struct iso_evaluation_results results = {.cli = cli, .on_terminal = isatty(fileno(cli->err))};
    struct iso_client_options call = iso_remote_options(cli);

    call.cancel = iso_client_cancel_new();
    iso_interrupt_cancel(call.cancel);
    enum iso_status status = iso_client_stream(cli->client, method, &call, request, on_event,
                                               &results, cli->arena, ret_failure, reterr);
    iso_interrupt_cancel(NULL);
    iso_client_cancel_free(call.cancel);
    if (results.on_terminal)
        fputs("\r\033[K", cli->err);
    if (results.failed)
        status = iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the answers");
    if (results.n > 0)
        qsort(results.items, results.n, sizeof(results.items[0]), by_place);
    *ret_results = results;
    return status;
}

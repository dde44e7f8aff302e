/* Calls that evaluate many scenarios, and what comes of them. */
#ifndef ISOCOST_CLI_EVALUATION_STREAM_H
#define ISOCOST_CLI_EVALUATION_STREAM_H

#include "command.h"
#include "isocost/v1/session_service.pb-c.h"

/* What an evaluation gave; all in cli->arena. */
struct iso_evaluation_results {
    struct iso_cli *cli;
    size_t n, room;
    Isocost__V1__ScenarioResult **items; /* by place, when the call has ended */
    Isocost__V1__EvaluationEnded *ended; /* NULL: it was cut short */
    const char *evaluation_id;
    bool failed; /* memory was short */
    bool on_terminal;
};

/* Makes the call and waits for its end; progress goes to a terminal. Ctrl-C ends it, and what came
 * until then is there. On failure *ret_failure and *reterr tell. */
enum iso_status iso_evaluation_run(struct iso_cli *cli, const struct iso_client_method *method,
                                   const ProtobufCMessage *request,
                                   struct iso_evaluation_results *ret_results,
                                   struct iso_client_failure *ret_failure,
                                   struct iso_error *reterr);

#define ISO_CLIENT_SESSION(name, prefix) \
    ISO_CLIENT_METHOD("isocost.v1.SessionService", name, prefix)

#endif

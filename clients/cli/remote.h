/* Calls to the server, and what people are told when one fails. */
#ifndef ISOCOST_CLI_REMOTE_H
#define ISOCOST_CLI_REMOTE_H

#include "command.h"
#include "isocost/v1/plan_service.pb-c.h"
#include "model_file.h"

/* Opens cli->client unless it is open. On failure says so on cli->err. */
enum iso_exit_code iso_remote_open(struct iso_cli *cli);

/* Opens and calls; the answer lives in cli->arena. On failure everything known is on cli->err. */
enum iso_exit_code iso_remote_call(struct iso_cli *cli, const struct iso_client_method *method,
                                   const ProtobufCMessage *request,
                                   ProtobufCMessage **ret_response);

/* The same for a call whose answers come one by one. */
enum iso_exit_code iso_remote_stream(
    struct iso_cli *cli, const struct iso_client_method *method, const ProtobufCMessage *request,
    bool (*on_message)(void *context, const ProtobufCMessage *message), void *context);

/* Tells why a call failed and what to do next. `file` (may be NULL) is where the fields stand. */
enum iso_exit_code iso_remote_complain(struct iso_cli *cli,
                                       const struct iso_client_failure *failure,
                                       const struct iso_error *error,
                                       const struct iso_model_file *file);

/* What every call is made with. */
struct iso_client_options iso_remote_options(const struct iso_cli *cli);

/* Makes a reference to the model: itself when small, its digest after an upload when it is too
 * large for one message. */
enum iso_exit_code iso_remote_model(struct iso_cli *cli, Isocost__V1__Model *model,
                                    Isocost__V1__ModelRef *ret_reference);

#endif

/* Client library: calls an isocostd from C.
 *
 *     iso_client_open -> any number of calls, from any threads -> iso_client_free
 *
 * Calls block their thread. Requests are borrowed for the call; answers live in the arena that the
 * caller gives. Nothing here prints. */
#ifndef ISOCOST_CLIENT_H
#define ISOCOST_CLIENT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "isocost/base/status.h"
#include "isocost/proto/arena.h"

struct iso_client;

/* `target` is "unix:/path", "host:port" or NULL: the default, $ISOCOST_SERVER if set, else the
 * socket of iso_client_default_socket() if there is one, else 127.0.0.1:7443. Connects on first
 * use. Errors: ISO_E_INVALID (field "server"), ISO_E_NOMEM. */
ISO_EXPORT enum iso_status iso_client_open(const char *target, struct iso_client **ret_client,
                                           struct iso_error *reterr);
/* No call may be under way. Accepts NULL. */
ISO_EXPORT void iso_client_free(struct iso_client *client);
ISO_DEFINE_FREEP(iso_client)

/* What calls go to, for messages to people. */
ISO_EXPORT const char *iso_client_target(const struct iso_client *client);

/* Path of the socket on which an isocostd of this user listens by default: in $XDG_RUNTIME_DIR or
 * in ~/.isocost. False when neither is set or the path does not fit. */
ISO_EXPORT bool iso_client_default_socket(char *buffer, size_t n_bytes);

/* Waits until the server answers, at most `timeout_s`. Errors: ISO_E_UNAVAILABLE. */
ISO_EXPORT enum iso_status iso_client_wait_ready(struct iso_client *client, double timeout_s,
                                                 struct iso_error *reterr);

/* One RPC of the contract. */
struct iso_client_method {
    const char *path; /* "/isocost.v1.PlanService/SolvePlan" */
    const ProtobufCMessageDescriptor *request, *response;
};
#define ISO_CLIENT_METHOD(service, name, prefix)                                               \
    ((const struct iso_client_method){.path = "/" service "/" name,                            \
                                      .request = &isocost__v1__##prefix##_request__descriptor, \
                                      .response = &isocost__v1__##prefix##_response__descriptor})
/* ISO_CLIENT_PLAN("SolvePlan", solve_plan) */
#define ISO_CLIENT_PLAN(name, prefix) ISO_CLIENT_METHOD("isocost.v1.PlanService", name, prefix)
#define ISO_CLIENT_CATALOG(name, prefix) \
    ISO_CLIENT_METHOD("isocost.v1.CatalogService", name, prefix)
#define ISO_CLIENT_SERVER(name, prefix) ISO_CLIENT_METHOD("isocost.v1.ServerService", name, prefix)

/* Cancels calls from another thread. Make one with iso_client_cancel_new(); it may serve several
 * calls in turn, and once triggered it ends each of them at once. */
struct iso_client_cancel;
ISO_EXPORT struct iso_client_cancel *iso_client_cancel_new(void); /* NULL when memory is short */
ISO_EXPORT void iso_client_cancel_free(struct iso_client_cancel *cancel); /* accepts NULL */
/* From any thread, not from a signal handler. */
ISO_EXPORT void iso_client_cancel_trigger(struct iso_client_cancel *cancel);

struct iso_client_options {
    double timeout_s;                 /* <= 0: no deadline */
    const char *project;              /* NULL: the server's default */
    const char *request_id;           /* id of the call, NULL: the server makes one */
    struct iso_client_cancel *cancel; /* may be NULL */
};

/* Everything known about a failure. Strings live in the arena of the call. */
struct iso_client_field {
    const char *field, *text;
};
struct iso_client_failure {
    int grpc_code;          /* google.rpc.Code; 0 = the call went well */
    enum iso_status status; /* from the ErrorInfo's reason, else from the code */
    const char *message;    /* one sentence; never NULL after a failure */
    const char *reason;     /* of the ErrorInfo, e.g. "E_INVALID"; "" if none */
    int n_fields;           /* every wrong field */
    const struct iso_client_field *fields;
    double retry_after_s;   /* < 0: not said */
    const char *request_id; /* id of the call at the server; "" if it did not answer */
};

/* One request, one answer. On failure *ret_failure (may be NULL) tells all; *reterr the essence:
 * status, first field, message. ISO_E_UNAVAILABLE: not reachable or shutting down;
 * ISO_E_CANCELLED, ISO_E_DEADLINE: from this side or the other. */
ISO_EXPORT enum iso_status
iso_client_call(struct iso_client *client, const struct iso_client_method *method,
                const struct iso_client_options *options, const ProtobufCMessage *request,
                struct iso_arena *arena, ProtobufCMessage **ret_response,
                struct iso_client_failure *ret_failure, struct iso_error *reterr);

/* One request, many answers. `on_message` runs on the caller's thread for each; the message is
 * valid until it returns. When it returns false the call is cancelled and ISO_OK returned. */
ISO_EXPORT enum iso_status
iso_client_stream(struct iso_client *client, const struct iso_client_method *method,
                  const struct iso_client_options *options, const ProtobufCMessage *request,
                  bool (*on_message)(void *context, const ProtobufCMessage *message), void *context,
                  struct iso_arena *arena, struct iso_client_failure *ret_failure,
                  struct iso_error *reterr);

/* Many requests, one answer. `next` gives the next request (borrowed until it is called again) or
 * NULL at the end; it may end early by setting *reterr: then the call is cancelled and that error
 * returned. The next one is asked for when the server has taken the one before. */
ISO_EXPORT enum iso_status
iso_client_upload(struct iso_client *client, const struct iso_client_method *method,
                  const struct iso_client_options *options,
                  const ProtobufCMessage *(*next)(void *context, struct iso_error *reterr),
                  void *context, struct iso_arena *arena, ProtobufCMessage **ret_response,
                  struct iso_client_failure *ret_failure, struct iso_error *reterr);

#endif

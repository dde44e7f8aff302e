/* A call as handlers see it. Nothing of the RPC library shows through.
 *
 *     accepted -> handler runs on a worker -> replied, finished or failed (once) -> closed
 *
 * The handler may return before it has answered: then somebody holds a reference and answers later,
 * from any thread. The first answer wins, later ones are ignored, so racing answers are harmless;
 * answers after the caller has gone are dropped. Functions are safe from any thread unless they say
 * otherwise, and none of them blocks. */
#ifndef ISOCOST_SERVER_CALL_H
#define ISOCOST_SERVER_CALL_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "isocost/base/status.h"
#include "isocost/proto/arena.h"
#include "isocost/proto/violations.h"
#include "principal.h"

struct iso_call;

/* A handler has one reference while it runs; keep another for what happens after it has returned.
 * The call is freed with its last reference. unref accepts NULL. */
ISO_EXPORT struct iso_call *iso_call_ref(struct iso_call *call);
ISO_EXPORT void iso_call_unref(struct iso_call *call);

/* --- what was asked --- */

/* The decoded and checked request. Of a client stream: the message in hand, valid until the handler
 * returns; NULL when the caller has sent the last one. */
ISO_EXPORT const ProtobufCMessage *iso_call_request(const struct iso_call *call);

/* Who calls, with the project of this call. */
ISO_EXPORT const struct iso_principal *iso_call_principal(const struct iso_call *call);

/* Id of the call, from metadata `x-request-id` or made; for logs and audit rows. */
ISO_EXPORT const char *iso_call_id(const struct iso_call *call);

/* Full name, e.g. "/isocost.v1.PlanService/SolvePlan". */
ISO_EXPORT const char *iso_call_path(const struct iso_call *call);

/* Scratch that lives as long as the call. One thread at a time: the handler, then whoever answers.
 * A full arena is ISO_E_LIMIT. */
ISO_EXPORT struct iso_arena *iso_call_arena(struct iso_call *call);

/* Wrong fields found by the handler; sent with whatever failure the call ends in. Threads as for
 * the arena. */
ISO_EXPORT struct iso_violations *iso_call_violations(struct iso_call *call);

/* Seconds until the deadline (0 when it has passed); the method's default when the caller gave
 * none, INFINITY when the method has no default. */
ISO_EXPORT double iso_call_remaining_s(const struct iso_call *call);

/* Seconds since the call came in. */
ISO_EXPORT double iso_call_elapsed_s(const struct iso_call *call);

/* --- state that belongs to the call --- */

/* Keeps `data` with the call; `destroy` (may be NULL) runs when the call is freed. Once a call. */
ISO_EXPORT void iso_call_set_data(struct iso_call *call, void *data, void (*destroy)(void *data));
ISO_EXPORT void *iso_call_data(const struct iso_call *call);

/* --- giving up --- */

/* Whether the caller has gone, the deadline has passed or the server stops. */
ISO_EXPORT bool iso_call_cancelled(const struct iso_call *call);

/* Runs `on_cancel` once when the call is cancelled before it was answered; at once when it already
 * is. It runs on an I/O thread and must not block. A second registration replaces the first; NULL
 * removes it, and after that returns the old one does not run any more. */
ISO_EXPORT void iso_call_on_cancel(struct iso_call *call,
                                   void (*on_cancel)(struct iso_call *call, void *context),
                                   void *context);

/* --- answering --- */

/* Unary and client stream: ends the call with a message, packed before this returns. */
ISO_EXPORT void iso_call_reply(struct iso_call *call, const ProtobufCMessage *message);

/* Ends the call with an error: error->status, its text and field, and the call's violations. What
 * is queued goes first. */
ISO_EXPORT void iso_call_fail(struct iso_call *call, const struct iso_error *error);

/* Says with a later failure that the caller may try again after so many seconds, > 0. */
ISO_EXPORT void iso_call_set_retry_after(struct iso_call *call, double seconds);

/* Server stream: queues a message that must arrive; packed before this returns. What is queued and
 * not yet taken by the caller is bounded (64 MiB); beyond it the call fails with ISO_E_LIMIT. Use a
 * step (below) to send much without queueing it. */
ISO_EXPORT void iso_call_send(struct iso_call *call, const ProtobufCMessage *message);

/* Server stream: queues a message that may be replaced by the next one sent this way while the
 * caller is slow; for progress. */
ISO_EXPORT void iso_call_send_newest(struct iso_call *call, const ProtobufCMessage *message);

/* Server stream: ends the call well after all that is queued. */
ISO_EXPORT void iso_call_finish(struct iso_call *call);

/* Server stream: makes `step` run on a worker soon, and then again whenever all that was queued has
 * been taken by the caller and whenever iso_call_wake() is called; never twice at a time, not while
 * the handler runs, and not after the call was answered or cancelled. A step that returns other
 * than ISO_OK fails the call. Sends a lot with little memory and holds no thread while the caller
 * is slow. */
typedef enum iso_status iso_call_step(struct iso_call *call, void *service,
                                      struct iso_error *reterr);
ISO_EXPORT void iso_call_set_step(struct iso_call *call, iso_call_step *step);
ISO_EXPORT void iso_call_wake(struct iso_call *call);

#endif

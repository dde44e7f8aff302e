/* The call's state machine.
 *
 *     ARMED --new(ok=0)--> freed                        the server stops
 *     ARMED --new(ok=1)--> OPEN: a replacement is armed, RECV_CLOSE is started (always, once)
 *     OPEN  --message----> a worker decodes and runs the handler (or step)
 *     OPEN  --send-------> one batch with at most one message in flight; the next after it is taken
 *     OPEN  --answer-----> the last batch carries the status
 *     any   --close------> logged; if cancelled: hooks run, what is queued is dropped
 *
 * One reference for: being armed, each started batch, each queued task, each set timer, each holder
 * (handlers and whoever they told). Batches of one call are started under its mutex. */
#ifndef ISOCOST_SERVER_CALL_INTERNAL_H
#define ISOCOST_SERVER_CALL_INTERNAL_H

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "method.h"
#include "timer.h"
#include "worker.h"

#define ISO_CALL_ID_SIZE 129

/* What a completion queue hands back. What was written before the tag was given to the core is seen
 * by the poller that gets it back; the core sees to that itself, but where thread checkers cannot
 * see it, hence `given`. */
struct iso_rpc_tag {
    void (*run)(struct iso_rpc_tag *tag, bool ok);
    atomic_bool given;
};
static inline void *iso_rpc_tag_give(struct iso_rpc_tag *tag)
{
    atomic_store_explicit(&tag->given, true, memory_order_release);
    return tag;
}
static inline void iso_rpc_tag_take(struct iso_rpc_tag *tag)
{
    atomic_load_explicit(&tag->given, memory_order_acquire);
}

struct iso_call_tag {
    struct iso_rpc_tag tag; /* first: the tag is the pointer given to the core */
    struct iso_call *call;
};

struct iso_call_message {
    struct iso_call_message *next;
    grpc_byte_buffer *buffer;
    size_t n_bytes;
};

enum iso_call_work { ISO_CALL_HANDLE = 1u << 0, ISO_CALL_STEP = 1u << 1 };

struct iso_call {
    atomic_int refs, holders;
    struct iso_rpc_server *server;
    const struct iso_rpc_method *method; /* NULL: no such method */
    void *service;
    int slot; /* place in the server's table */
    struct iso_call *live_previous, *live_next;

    grpc_call *core;
    grpc_call_details details;
    gpr_timespec core_deadline;
    grpc_metadata_array metadata;
    grpc_byte_buffer *payload; /* the message in hand */
    int core_cancelled;
    struct iso_call_tag on_new, on_close, on_read, on_written;

    pthread_mutex_t mutex; /* guards from here to `hooks` */
    bool opened, reading, half_closed, answered, status_sent, write_in_flight, initial_sent, closed;
    struct iso_call_message *first, *last, *newest;
    size_t queued_bytes;
    unsigned work;   /* what is to be done: bits of enum iso_call_work */
    bool work_taken; /* the task is queued or runs */
    iso_call_step *step;
    grpc_slice status_text, status_details;
    enum iso_status status;
    int status_code;
    double retry_after_s;
    size_t request_bytes, response_bytes;
    int64_t n_sent;
    atomic_bool cancelled, expired; /* by the caller or the core; by this server */

    pthread_mutex_t hooks; /* guards what follows; held while the callback runs */
    void (*on_cancel)(struct iso_call *call, void *context);
    void *cancel_context;
    bool cancel_ran;

    struct iso_timer deadline_timer;
    struct iso_task task;
    int64_t start_ns, deadline_ns; /* CLOCK_MONOTONIC; INT64_MAX = none */
    struct iso_principal principal;
    char id[ISO_CALL_ID_SIZE], path[256], peer[64];
    struct iso_arena *arena, *message_arena;
    struct iso_violations violations;
    const ProtobufCMessage *request;
    void *data;
    void (*destroy_data)(void *data);
};

/* Makes a call and asks the core for the next one of that row; slot -1: of no known method. */
void iso_call_arm(struct iso_rpc_server *server, int slot);

/* --- call.c: batches --- */
void iso_call_keep(struct iso_call *call); /* reference that is not a holder's */
void iso_call_drop(struct iso_call *call);
void iso_call_start_read(struct iso_call *call);
void iso_call_pump(struct iso_call *call); /* mutex held */
void iso_call_cut(struct iso_call *call);  /* cancels at the core */

/* --- call_answer.c --- */
void iso_call_open_timer(struct iso_call *call);
void iso_call_close_timer(struct iso_call *call);
void iso_call_run_cancel_hook(struct iso_call *call);
/* Fails the call and tells its holders that nobody waits any more. */
void iso_call_expire(struct iso_call *call, const struct iso_error *error);
void iso_call_drop_messages(struct iso_call *call); /* mutex held */

/* --- call_run.c: what workers do --- */
void iso_call_run_task(struct iso_task *task);
bool iso_call_schedule(struct iso_call *call, unsigned work, bool bounded);

/* --- interceptor.c: what comes before the handler, on the poller --- */
enum iso_status iso_call_intercept(struct iso_call *call, struct iso_error *reterr);
void iso_call_log_end(struct iso_call *call);

/* --- error_details.c: the packed google.rpc.Status; empty when memory is short --- */
grpc_slice iso_error_details(const struct iso_error *error, const char *message,
                             const struct iso_violations *violations, double retry_after_s,
                             const char *call_id);
/* Copies text; bytes that are not UTF-8 or not printable become '?'. */
void iso_text_clean(char *to, size_t n_bytes, const char *text);

#endif

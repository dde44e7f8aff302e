/* The RPC server: listens, reads calls, runs the interceptors and the rows' handlers.
 *
 *     new -> add tables -> start -> (serves) -> drain -> free
 *
 * Threads: pollers move bytes and never block; workers run handlers; one timer thread. */
#ifndef ISOCOST_SERVER_RPC_SERVER_H
#define ISOCOST_SERVER_RPC_SERVER_H

#include "method.h"

#define ISO_RPC_MAX_LISTENERS 8
#define ISO_RPC_MAX_RESPONSE_BYTES ((size_t)3 << 20)

struct iso_rpc_server;

struct iso_rpc_config {
    const char *const *listen; /* "unix:/path" or "127.0.0.1:port"; borrowed until start returns */
    int n_listen;              /* [1, ISO_RPC_MAX_LISTENERS] */
    int n_pollers, n_workers;  /* threads, >= 1 */
    int queue_bound;           /* calls that may wait for a worker */
    int max_calls;             /* calls at once, streams that wait included */
    void (*log)(void *context,
                const char *line); /* one line an event; must not block; may be NULL */
    void *log_context;
};

/* Does not listen yet. Errors: ISO_E_NOMEM. */
ISO_EXPORT enum iso_status iso_rpc_server_new(const struct iso_rpc_config *config,
                                              struct iso_rpc_server **ret_server,
                                              struct iso_error *reterr);

/* Adds rows up to one without path; `service` goes to their handlers. Both must outlive the server.
 * Before start only. Errors: ISO_E_LIMIT. */
ISO_EXPORT enum iso_status iso_rpc_server_add(struct iso_rpc_server *server,
                                              const struct iso_rpc_method *methods, void *service,
                                              struct iso_error *reterr);

/* Checks the tables against the contract (ISO_E_INVALID names the method), binds every address
 * (ISO_E_INVALID: not allowed; ISO_E_IO: in use or not permitted) and serves. Health and reflection
 * are added by the server itself. */
ISO_EXPORT enum iso_status iso_rpc_server_start(struct iso_rpc_server *server,
                                                struct iso_error *reterr);

/* As bound, e.g. "127.0.0.1:41234" or "unix:/run/x.sock"; NULL beyond the last. */
ISO_EXPORT const char *iso_rpc_server_address(const struct iso_rpc_server *server, int index);

struct iso_rpc_stats {
    int calls;        /* open now */
    int queue_depth;  /* calls that wait for a worker */
    int64_t accepted; /* since start */
    int64_t refused;  /* by admission or drain */
};

/* Version of the RPC library. */
ISO_EXPORT const char *iso_rpc_library_version(void);

ISO_EXPORT void iso_rpc_server_stats(struct iso_rpc_server *server,
                                     struct iso_rpc_stats *ret_stats);

/* Health says NOT_SERVING, new calls are refused, endless streams are ended, connections are told
 * to go; waits at most `grace_s` for the calls that run and cancels the rest. No handler
 * runs after that; late answers of jobs are dropped. Once. */
ISO_EXPORT void iso_rpc_server_drain(struct iso_rpc_server *server, double grace_s);

/* Drains if that was not done, waits for calls that are still held by others, joins all threads.
 * Accepts NULL. */
ISO_EXPORT void iso_rpc_server_free(struct iso_rpc_server *server);
ISO_DEFINE_FREEP(iso_rpc_server)

#endif

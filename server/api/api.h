/* What the public services do: isocost.v1.PlanService, SessionService and ServerService.
 *
 *     start -> tables are served -> (the RPC server is drained) -> stop
 *
 * Solves that are not kept go straight to the supervisor and write nothing. Kept ones are plans in
 * the store, which a plan runner runs, here or in another process. */
#ifndef ISOCOST_SERVER_API_H
#define ISOCOST_SERVER_API_H

#include "catalog.h"
#include "method.h"
#include "store.h"
#include "supervisor.h"

struct iso_api;

struct iso_api_config {
    struct iso_store *store; /* borrowed until stop, like all here */
    struct iso_supervisor *supervisor;
    struct iso_catalog *catalog; /* may be NULL: no catalog is served */
    int n_plans;                 /* stored plans that run here at once; 0: workers run them */
    double lease_s;              /* of their jobs, as the store has it */
    bool shared;                 /* other processes use the store too */
    const char *plugin_folder;   /* may be NULL */
    void (*log)(int level, const char *text); /* any thread; 0 debug .. 3 error; may be NULL */
};

/* Puts plans left by the process before back in the queue and starts. Errors: ISO_E_NOMEM, those of
 * the store. */
ISO_EXPORT enum iso_status iso_api_start(const struct iso_api_config *config,
                                         struct iso_api **ret_api, struct iso_error *reterr);

/* No further stored plan is begun; those that run go on. Call it when the server begins to drain,
 * and before the supervisor is stopped. */
ISO_EXPORT void iso_api_hold(struct iso_api *api);

/* Ends all threads and frees. Call it when the supervisor was stopped: every run has ended then.
 * Plans that were cut short stay in the store for the next start. Accepts NULL. */
ISO_EXPORT void iso_api_stop(struct iso_api *api);

/* Handlers; the service is the struct iso_api. */
ISO_EXPORT extern const struct iso_rpc_method iso_plan_methods[];
ISO_EXPORT extern const struct iso_rpc_method iso_session_methods[];
ISO_EXPORT extern const struct iso_rpc_method iso_server_methods[];

#endif

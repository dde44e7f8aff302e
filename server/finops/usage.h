/* Usage, costs and what runs: refreshes and queries.
 *
 * One thread does all refreshes, one after the other; queries are answered beside it. A refresh
 * that fails changes nothing. */
#ifndef ISOCOST_SERVER_USAGE_H
#define ISOCOST_SERVER_USAGE_H

#include "catalog.h"
#include "method.h"
#include "record_store.h"

#include "isocost/v1/usage_service.pb-c.h"

struct iso_usage;

/* Starts. `store` and `catalog` are borrowed until iso_usage_stop(); `log` (any thread; 0 debug ..
 * 3 error) may be NULL. Errors: ISO_E_NOMEM, ISO_E_UNAVAILABLE. */
ISO_EXPORT enum iso_status iso_usage_start(struct iso_store *store, struct iso_catalog *catalog,
                                           void (*log)(int level, const char *text),
                                           struct iso_usage **ret_usage, struct iso_error *reterr);

/* Cancels what runs and waits, ends the thread, frees. Call it after the RPC server was drained and
 * before the catalog is stopped. Accepts NULL. */
ISO_EXPORT void iso_usage_stop(struct iso_usage *usage);

/* Handlers of isocost.v1.UsageService; the service is the struct iso_usage. */
ISO_EXPORT extern const struct iso_rpc_method iso_usage_methods[];

#endif

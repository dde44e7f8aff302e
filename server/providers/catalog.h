/* The catalogs: provider instances, refreshes, imports, and the snapshots they end in.
 *
 * One thread does all that changes a catalog, one task after the other, so every snapshot builds on
 * the one before; instances of one task are asked side by side. A task that fails changes nothing.
 */
#ifndef ISOCOST_SERVER_CATALOG_H
#define ISOCOST_SERVER_CATALOG_H

#include "method.h"
#include "snapshot_file.h"
#include "store.h"

#include "isocost/internal/v1/config.pb-c.h"
#include "isocost/internal/v1/plugin.pb-c.h"
#include "isocost/v1/catalog_service.pb-c.h"

struct iso_catalog;

struct iso_catalog_config {
    struct iso_store *store;    /* borrowed until stop */
    const char *host_path;      /* absolute path of isocost-plugin-host */
    const char *plugin_folder;  /* absolute; plugin `static` is `<plugin_folder>/static.so` */
    const char *providers_path; /* providers.yaml; NULL: no provider is configured */
    const char *cache_folder; /* absolute, exists; each instance gets a folder in it; NULL: none */
    const char *temporary_folder; /* absolute, exists; NULL: /tmp */
    double quarantine_s; /* first time that an instance is left alone; 0: ISO_INSTANCE_PROBE_S */
    void (*log)(int level, const char *text); /* any thread; 0 debug .. 3 error; may be NULL */
};

/* Reads the configuration and starts. The strings are copied. Errors: ISO_E_INVALID, ISO_E_IO
 * (providers.yaml), ISO_E_NOMEM, ISO_E_UNAVAILABLE. */
ISO_EXPORT enum iso_status iso_catalog_start(const struct iso_catalog_config *config,
                                             struct iso_catalog **ret_catalog,
                                             struct iso_error *reterr);

/* Cancels what runs and waits, ends the thread, frees. Call it after the RPC server was drained.
 * Accepts NULL. */
ISO_EXPORT void iso_catalog_stop(struct iso_catalog *catalog);

/* Handlers of isocost.v1.CatalogService; the service is the struct iso_catalog. */
ISO_EXPORT extern const struct iso_rpc_method iso_catalog_methods[];

/* How far a fetch is. */
struct iso_refresh_progress {
    const char *provider; /* instance */
    int64_t pages, rows, quarantined;
    double seconds_left; /* if it has as many rows as the last time; 0: unknown */
};

/* Something to do. Copied by iso_catalog_submit(). */
struct iso_catalog_task {
    struct iso_principal principal;
    const char *request_id;     /* of the call, for the audit row */
    const char *provider;       /* refresh: name of an instance, "" = all */
    const char *import_folder;  /* import: folder with the files; NULL = refresh */
    const char *import_kinds;   /* import: what they hold, as plugin static takes it in `kinds` */
    bool replace_all;           /* import: the new snapshot has only these rows */
    const char *const *sources; /* import: names of the files */
    size_t n_sources;
    /* `cancelled` and `progress` may come from several threads at once, one for each instance that
     * is asked. `done` comes once, on the catalog's thread, with a snapshot (borrowed) or an error.
     */
    void *context;
    bool (*cancelled)(void *context);
    void (*progress)(void *context, const struct iso_refresh_progress *now);
    void (*done)(void *context, const Isocost__V1__Snapshot *snapshot,
                 const struct iso_error *error);
};
/* Errors: ISO_E_LIMIT (too many wait), ISO_E_NOT_FOUND (no such instance), ISO_E_PRECONDITION (none
 * configured), ISO_E_UNAVAILABLE (stopping), ISO_E_NOMEM; then `done` does not come. */
ISO_EXPORT enum iso_status iso_catalog_submit(struct iso_catalog *catalog,
                                              const struct iso_catalog_task *task,
                                              struct iso_error *reterr);

/* What to ask a provider instance for beside its catalog. */
struct iso_record_fetch {
    const char *provider; /* name of the instance */
    bool usage, costs, inventory;
    int64_t from_ns, to_ns; /* of usage and costs */
    void *context;
    bool (*cancelled)(void *context);
    /* May change the page and keep nothing of it; a failure that it returns ends the fetch. */
    enum iso_status (*page)(void *context, Isocost__Internal__V1__Page *page,
                            struct iso_arena *page_arena, struct iso_error *reterr);
};
/* Asks, on the caller's thread, beside what the catalog's thread does. What comes is not complete
 * unless it returns ISO_OK. Errors: ISO_E_NOT_FOUND (no such instance), or those of
 * iso_host_run(). */
ISO_EXPORT enum iso_status iso_catalog_fetch_records(struct iso_catalog *catalog,
                                                     const struct iso_record_fetch *fetch,
                                                     struct iso_error *reterr);

/* What an instance can give: bits ISO_INSTANCE_... (instance.h); its plugin is loaded to know that
 * unless it is known. Errors: ISO_E_NOT_FOUND, ISO_E_PRECONDITION (no provider is configured),
 * ISO_E_UNAVAILABLE (it cannot be loaded). */
ISO_EXPORT enum iso_status iso_catalog_capabilities(struct iso_catalog *catalog,
                                                    const char *provider, uint32_t *ret_bits,
                                                    struct iso_error *reterr);

/* The configuration of the i-th instance, which lives as long as the catalog; NULL beyond the last.
 */
ISO_EXPORT const Isocost__Internal__V1__ProviderInstance *
iso_catalog_instance_config(const struct iso_catalog *catalog, size_t i);

/* Seconds for which an instance is not to be asked without anybody wanting it: it failed, and waits
 * as long as its cloud or the back-off says, or is quarantined. 0: it may be; INFINITY: its plugin
 * is refused. */
ISO_EXPORT double iso_catalog_wait_s(struct iso_catalog *catalog, const char *provider);

/* How all instances are, in the arena. */
ISO_EXPORT enum iso_status iso_catalog_list_providers(struct iso_catalog *catalog,
                                                      struct iso_arena *arena,
                                                      Isocost__V1__Provider ***ret_providers,
                                                      size_t *ret_n_providers,
                                                      struct iso_error *reterr);

/* A snapshot's file, mapped; the newest one used stays mapped for the next caller. digest "" = the
 * current one of the principal. Give it back with iso_catalog_unmap(). */
ISO_EXPORT enum iso_status iso_catalog_map(struct iso_catalog *catalog,
                                           const struct iso_principal *principal,
                                           const char *digest,
                                           const struct iso_snapshot **ret_snapshot,
                                           struct iso_error *reterr);
ISO_EXPORT void iso_catalog_unmap(struct iso_catalog *catalog, const struct iso_snapshot *snapshot);

#endif

/* isocost.v1.CatalogService: the table, and the handlers that make something happen. */
#include <stdio.h>

#include "catalog_handlers.h"
#include "catalog_internal.h"

#define METHOD(name, how, who, run, message, longest_s)                             \
    {                                                                               \
        .path = "/isocost.v1.CatalogService/" name, .kind = how, .role = who,       \
        .request = &isocost__v1__##message##_request__descriptor,                   \
        .response = &isocost__v1__##message##_response__descriptor, .handler = run, \
        .default_timeout_s = longest_s, .max_timeout_s = longest_s,                 \
    }

const struct iso_rpc_method iso_catalog_methods[] = {
    METHOD("ListProviders", ISO_RPC_UNARY, ISO_ROLE_VIEWER, iso_catalog_handle_list_providers,
           list_providers, 30),
    METHOD("ListPlugins", ISO_RPC_UNARY, ISO_ROLE_ADMIN, iso_catalog_handle_list_plugins,
           list_plugins, 120),
    METHOD("RefreshCatalog", ISO_RPC_SERVER_STREAM, ISO_ROLE_ADMIN, iso_catalog_handle_refresh,
           refresh_catalog, 7200),
    METHOD("ImportCatalog", ISO_RPC_CLIENT_STREAM, ISO_ROLE_ADMIN, iso_catalog_handle_import,
           import_catalog, 7200),
    METHOD("ListSnapshots", ISO_RPC_UNARY, ISO_ROLE_VIEWER, iso_catalog_handle_list_snapshots,
           list_snapshots, 30),
    METHOD("GetSnapshot", ISO_RPC_UNARY, ISO_ROLE_VIEWER, iso_catalog_handle_get_snapshot,
           get_snapshot, 30),
    METHOD("ListOfferings", ISO_RPC_UNARY, ISO_ROLE_VIEWER, iso_catalog_handle_list_offerings,
           list_offerings, 60),
    METHOD("ListOverlays", ISO_RPC_UNARY, ISO_ROLE_VIEWER, iso_catalog_handle_list_overlays,
           list_overlays, 30),
    METHOD("ListEgressRates", ISO_RPC_UNARY, ISO_ROLE_VIEWER, iso_catalog_handle_list_egress_rates,
           list_egress_rates, 30),
    METHOD("DiffSnapshots", ISO_RPC_UNARY, ISO_ROLE_VIEWER, iso_catalog_handle_diff_snapshots,
           diff_snapshots, 60),
    METHOD("ListDiagnostics", ISO_RPC_UNARY, ISO_ROLE_VIEWER, iso_catalog_handle_list_diagnostics,
           list_diagnostics, 30),
    {.path = NULL},
};

enum iso_status iso_catalog_handle_list_providers(struct iso_call *call, void *service,
                                                  struct iso_error *reterr)
{
    Isocost__V1__ListProvidersResponse response = ISOCOST__V1__LIST_PROVIDERS_RESPONSE__INIT;

    ISO_TRY(iso_catalog_list_providers(service, iso_call_arena(call), &response.providers,
                                       &response.n_providers, reterr));
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

/* --- refresh: the call is held by its task --- */

static bool call_cancelled(void *context)
{
    return iso_call_cancelled(context);
}

static void refresh_progress(void *context, const struct iso_refresh_progress *now)
{
    Isocost__V1__RefreshProgress progress = ISOCOST__V1__REFRESH_PROGRESS__INIT;
    Isocost__V1__RefreshCatalogResponse response = ISOCOST__V1__REFRESH_CATALOG_RESPONSE__INIT;

    progress.provider = (char *)now->provider;
    progress.pages = now->pages;
    progress.rows = now->rows;
    progress.quarantined = now->quarantined;
    progress.seconds_left = now->seconds_left;
    response.event_case = ISOCOST__V1__REFRESH_CATALOG_RESPONSE__EVENT_PROGRESS;
    response.progress = &progress;
    iso_call_send_newest(context, &response.base);
}

static void refresh_done(void *context, const Isocost__V1__Snapshot *snapshot,
                         const struct iso_error *error)
{
    Isocost__V1__RefreshCatalogResponse response = ISOCOST__V1__REFRESH_CATALOG_RESPONSE__INIT;
    struct iso_call *call = context;

    if (snapshot) {
        response.event_case = ISOCOST__V1__REFRESH_CATALOG_RESPONSE__EVENT_SNAPSHOT;
        response.snapshot = (Isocost__V1__Snapshot *)snapshot;
        iso_call_send(call, &response.base);
        iso_call_finish(call);
    } else {
        iso_call_fail(call, error);
    }
    iso_call_unref(call);
}

enum iso_status iso_catalog_handle_refresh(struct iso_call *call, void *service,
                                           struct iso_error *reterr)
{
    const Isocost__V1__RefreshCatalogRequest *request =
        (const Isocost__V1__RefreshCatalogRequest *)iso_call_request(call);
    const struct iso_catalog_task task = {
        .principal = *iso_call_principal(call),
        .request_id = iso_call_id(call),
        .provider = request->provider,
        .context = iso_call_ref(call),
        .cancelled = call_cancelled,
        .progress = refresh_progress,
        .done = refresh_done,
    };
    enum iso_status status = iso_catalog_submit(service, &task, reterr);

    if (status != ISO_OK)
        iso_call_unref(call);
    return status;
}

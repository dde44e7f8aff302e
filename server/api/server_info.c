/* ServerService: what this server is and can. */
#include <dirent.h>
#include <stdio.h>

#include "api_internal.h"
#include "message_new.h"
#include "server.h"

#define MAX_PLUGINS 64

/* As iso_model_check() accepts and refuses them. */
static const char *const served[] = {
    "limits",
    "budgets",
    "shares",
    "survive",
    "spread",
    "together",
    "apart",
    "headroom",
    "priorities",
    "penalties",
    "policies",
    "quotas",
    "commitments",
    "overlays",
    "currencies",
    "load_levels",
    "current",
    "replica_demand",
    "throughput_demand",
    "policy.steps",
    "carbon",
    "prorate",
    "ramp",
    "or_nothing",
    "volume_prices",
    "alternatives",
    "load_levels.levels",
    "traffic",
    "dependencies",
    "egress_prices",
    "fair",
    "demand_box",
    "uncertainty",
};
static const char *const refused[] = {
    "current.several_load_levels",
};

static bool set_texts(const char *const *texts, size_t n, struct iso_arena *arena,
                      char ***ret_texts, size_t *ret_n)
{
    char **copies = iso_arena_calloc(arena, n, sizeof(*copies));

    for (size_t i = 0; copies && i < n; i++)
        copies[i] = iso_arena_strdup(arena, texts[i]);
    *ret_texts = copies;
    *ret_n = n;
    return !iso_arena_full(arena);
}

static bool set_versions(Isocost__V1__GetServerInfoResponse *response, struct iso_arena *arena)
{
    const char *const parts[][2] = {{"isocost", ISO_VERSION},
                                    {"grpc-core", iso_rpc_library_version()},
                                    {"protobuf-c", protobuf_c_version()}};
    size_t n = ISO_ARRAY_LENGTH(parts);

    response->versions = (Isocost__V1__ComponentVersion **)iso_messages_new(
        arena, n, &isocost__v1__component_version__descriptor);
    for (size_t i = 0; response->versions && i < n; i++) {
        response->versions[i]->name = iso_arena_strdup(arena, parts[i][0]);
        response->versions[i]->version = iso_arena_strdup(arena, parts[i][1]);
    }
    response->n_versions = n;
    return !iso_arena_full(arena);
}

static bool set_limits(Isocost__V1__GetServerInfoResponse *response, struct iso_arena *arena)
{
    const struct {
        const char *name;
        int64_t value;
        const char *unit;
    } limits[] = {
        {"max_model_bytes", 16 << 20, "bytes"},
        {"max_request_bytes", 4 << 20, "bytes"},
        {"max_response_bytes", (int64_t)ISO_RPC_MAX_RESPONSE_BYTES, "bytes"},
        {"max_upload_bytes", (int64_t)ISO_MAX_UPLOAD_BYTES, "bytes"},
        {"max_chunk_bytes", (int64_t)ISO_MAX_CHUNK_BYTES, "bytes"},
        {"max_solve_call", 900, "seconds"},
    };
    size_t n = ISO_ARRAY_LENGTH(limits);

    response->limits = (Isocost__V1__ServerLimit **)iso_messages_new(
        arena, n, &isocost__v1__server_limit__descriptor);
    for (size_t i = 0; response->limits && i < n; i++) {
        response->limits[i]->name = iso_arena_strdup(arena, limits[i].name);
        response->limits[i]->value = limits[i].value;
        response->limits[i]->unit = iso_arena_strdup(arena, limits[i].unit);
    }
    response->n_limits = n;
    return !iso_arena_full(arena);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool set_plugins(const struct iso_api *api, Isocost__V1__GetServerInfoResponse *response,
                        struct iso_arena *arena)
{
    DIR *folder = api->config.plugin_folder ? opendir(api->config.plugin_folder) : NULL;
    const struct dirent *entry;

    response->plugins = iso_arena_calloc(arena, MAX_PLUGINS, sizeof(response->plugins[0]));
    while (folder && response->plugins && response->n_plugins < MAX_PLUGINS &&
           (entry = readdir(folder))) {
        size_t n = strlen(entry->d_name);

        if (n > 3 && strcmp(entry->d_name + n - 3, ".so") == 0)
            response->plugins[response->n_plugins++] =
                iso_arena_printf(arena, "%.*s", (int)n - 3, entry->d_name);
    }
    if (folder)
        closedir(folder);
    if (iso_arena_full(arena))
        return false;
    qsort(response->plugins, response->n_plugins, sizeof(response->plugins[0]), by_text);
    return true;
}

static void set_snapshot(const struct iso_api *api, const struct iso_principal *principal,
                         Isocost__V1__GetServerInfoResponse *response, struct iso_arena *arena)
{
    struct iso_snapshot_record record;

    if (iso_store_get_snapshot(api->config.store, principal, "", arena, &record, NULL) != ISO_OK)
        return;
    response->snapshot_digest = iso_arena_strdup(arena, record.digest);
    response->snapshot_create_time = iso_timestamp(record.create_ns, arena);
}

static enum iso_status get_server_info(struct iso_call *call, void *service,
                                       struct iso_error *reterr)
{
    struct iso_api *api = service;
    struct iso_arena *arena = iso_call_arena(call);
    const struct iso_principal *principal = iso_call_principal(call);
    Isocost__V1__GetServerInfoResponse response = ISOCOST__V1__GET_SERVER_INFO_RESPONSE__INIT;
    struct iso_supervisor_stats stats;

    iso_supervisor_stats(api->config.supervisor, &stats);
    response.solvers_alive = stats.solvers_alive;
    response.queue_depth = stats.queue_depth;
    response.start_time = iso_timestamp(api->start_ns, arena);
    response.principal = iso_arena_printf(arena, "%s/%s %s", principal->tenant, principal->project,
                                          principal->subject);
    set_snapshot(api, principal, &response, arena);
    if (!set_versions(&response, arena) || !set_limits(&response, arena) ||
        !set_plugins(api, &response, arena) || !response.principal ||
        !set_texts(served, ISO_ARRAY_LENGTH(served), arena, &response.rules_served,
                   &response.n_rules_served) ||
        !set_texts(refused, ISO_ARRAY_LENGTH(refused), arena, &response.rules_refused,
                   &response.n_rules_refused) ||
        iso_arena_full(arena))
        return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for the answer");
    iso_call_reply(call, &response.base);
    return ISO_OK;
}

const struct iso_rpc_method iso_server_methods[] = {
    {.path = "/isocost.v1.ServerService/GetServerInfo",
     .kind = ISO_RPC_UNARY,
     .role = ISO_ROLE_VIEWER,
     .request = &isocost__v1__get_server_info_request__descriptor,
     .response = &isocost__v1__get_server_info_response__descriptor,
     .default_timeout_s = 10,
     .handler = get_server_info},
    {.path = NULL},
};

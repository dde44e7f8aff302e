/* grpc.health.v1: one state for the whole server, asked for by any of its services' names. */
#include "grpc/health/v1/health.pb-c.h"
#include "server_internal.h"

struct watcher {
    struct watcher *previous, *next;
    struct iso_call *call;
};

struct iso_health {
    struct iso_rpc_server *server;
    pthread_mutex_t mutex;
    bool serving;
    struct watcher *watchers;
};

typedef Grpc__Health__V1__HealthCheckResponse health_response;

enum iso_status iso_health_new(struct iso_rpc_server *server, struct iso_health **ret_health,
                               struct iso_error *reterr)
{
    struct iso_health *health = iso_calloc(1, sizeof(*health));

    if (!health)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for health");
    health->server = server;
    pthread_mutex_init(&health->mutex, NULL);
    *ret_health = health;
    return ISO_OK;
}

void iso_health_free(struct iso_health *health)
{
    if (!health)
        return;
    pthread_mutex_destroy(&health->mutex);
    free(health);
}

static bool knows(const struct iso_health *health, const char *service)
{
    size_t n = strlen(service);

    if (n == 0)
        return true;
    for (int i = 0; i < health->server->n_slots; i++) {
        const char *path = health->server->slots[i].method->path;

        if (strncmp(path + 1, service, n) == 0 && path[n + 1] == '/')
            return true;
    }
    return false;
}

static health_response response(bool known, bool serving)
{
    health_response message = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

    message.status =
        !known    ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN
        : serving ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
                  : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
    return message;
}

void iso_health_set(struct iso_health *health, bool serving)
{
    health_response message = response(/* known= */ true, serving);

    pthread_mutex_lock(&health->mutex);
    if (health->serving != serving)
        for (struct watcher *w = health->watchers; w; w = w->next)
            iso_call_send_newest(w->call, &message.base);
    health->serving = serving;
    pthread_mutex_unlock(&health->mutex);
}

static enum iso_status check(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct iso_health *health = service;
    const Grpc__Health__V1__HealthCheckRequest *request =
        (const Grpc__Health__V1__HealthCheckRequest *)iso_call_request(call);
    health_response message;

    if (!knows(health, request->service))
        return iso_fail(reterr, ISO_E_NOT_FOUND, "service", "this server has no service \"%.200s\"",
                        request->service);
    pthread_mutex_lock(&health->mutex);
    message = response(/* known= */ true, health->serving);
    pthread_mutex_unlock(&health->mutex);
    iso_call_reply(call, &message.base);
    return ISO_OK;
}

static void stop_watching(struct iso_call *call, void *context)
{
    struct iso_health *health = context;
    struct watcher *watcher = NULL;

    pthread_mutex_lock(&health->mutex);
    for (struct watcher *w = health->watchers; w; w = w->next)
        if (w->call == call)
            watcher = w;
    if (watcher) {
        if (watcher->previous)
            watcher->previous->next = watcher->next;
        else
            health->watchers = watcher->next;
        if (watcher->next)
            watcher->next->previous = watcher->previous;
    }
    pthread_mutex_unlock(&health->mutex);
    if (watcher) {
        iso_call_unref(watcher->call);
        free(watcher);
    }
}

static enum iso_status watch(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct iso_health *health = service;
    const Grpc__Health__V1__HealthCheckRequest *request =
        (const Grpc__Health__V1__HealthCheckRequest *)iso_call_request(call);
    struct watcher *watcher = iso_calloc(1, sizeof(*watcher));
    health_response message;

    if (!watcher)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to watch");
    watcher->call = iso_call_ref(call);
    pthread_mutex_lock(&health->mutex);
    message = response(knows(health, request->service), health->serving);
    watcher->next = health->watchers;
    if (watcher->next)
        watcher->next->previous = watcher;
    health->watchers = watcher;
    iso_call_send(call, &message.base);
    pthread_mutex_unlock(&health->mutex);
    iso_call_on_cancel(call, stop_watching, health);
    return ISO_OK;
}

#define HEALTH_ROW                                                  \
    .request = &grpc__health__v1__health_check_request__descriptor, \
    .response = &grpc__health__v1__health_check_response__descriptor

const struct iso_rpc_method iso_health_methods[] = {
    {.path = "/grpc.health.v1.Health/Check",
     .kind = ISO_RPC_UNARY,
     .flags = ISO_RPC_NO_AUTH | ISO_RPC_ON_POLLER | ISO_RPC_WHILE_DRAIN,
     HEALTH_ROW,
     .handler = check},
    {.path = "/grpc.health.v1.Health/Watch",
     .kind = ISO_RPC_SERVER_STREAM,
     .flags = ISO_RPC_NO_AUTH | ISO_RPC_END_ON_DRAIN,
     HEALTH_ROW,
     .handler = watch},
    {.path = NULL},
};

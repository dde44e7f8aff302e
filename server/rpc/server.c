#include "server.h"

#include <errno.h>
#include <grpc/support/time.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "isocost/proto/descriptor_set.h"
#include "server_internal.h"

#define ARMED_PER_METHOD 16
#define MAX_STREAMS_PER_CONNECTION 256
#define HANDSHAKE_TIMEOUT_MS 10000
#define LATE_CALLS_WAIT_S 30.0

void iso_rpc_server_log(struct iso_rpc_server *server, const char *line)
{
    if (server->config.log)
        server->config.log(server->config.log_context, line);
}

bool iso_rpc_server_is_draining(struct iso_rpc_server *server)
{
    bool draining;

    pthread_mutex_lock(&server->mutex);
    draining = server->draining;
    pthread_mutex_unlock(&server->mutex);
    return draining;
}

void iso_rpc_server_count_refused(struct iso_rpc_server *server)
{
    pthread_mutex_lock(&server->mutex);
    server->n_refused++;
    pthread_mutex_unlock(&server->mutex);
}

enum iso_status iso_rpc_server_new(const struct iso_rpc_config *config,
                                   struct iso_rpc_server **ret_server, struct iso_error *reterr)
{
    ISO_AUTO(iso_rpc_server) server = iso_calloc(1, sizeof(*server));
    pthread_condattr_t attributes;

    if (!server)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a server");
    server->config = *config;
    pthread_mutex_init(&server->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&server->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    ISO_TRY(iso_descriptor_index_new(iso_descriptor_set, iso_descriptor_set_bytes, &server->index,
                                     reterr));
    ISO_TRY(iso_health_new(server, &server->health, reterr));
    ISO_TRY(iso_rpc_server_add(server, iso_health_methods, server->health, reterr));
    ISO_TRY(iso_rpc_server_add(server, iso_reflection_methods, server, reterr));
    *ret_server = ISO_STEAL(server);
    return ISO_OK;
}

enum iso_status iso_rpc_server_add(struct iso_rpc_server *server,
                                   const struct iso_rpc_method *methods, void *service,
                                   struct iso_error *reterr)
{
    for (; methods->path; methods++) {
        if (server->n_slots == ISO_RPC_MAX_METHODS)
            return iso_fail(reterr, ISO_E_LIMIT, methods->path, "more than %d methods",
                            ISO_RPC_MAX_METHODS);
        server->slots[server->n_slots++] =
            (struct iso_rpc_slot){.method = methods, .service = service};
    }
    return ISO_OK;
}

/* --- start --- */

static grpc_arg integer_argument(const char *key, int value)
{
    return (grpc_arg){
        .type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

static enum iso_status make_core(struct iso_rpc_server *server, struct iso_error *reterr)
{
    grpc_arg arguments[] = {
        integer_argument(GRPC_ARG_ALLOW_REUSEPORT, 0),
        integer_argument(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, ISO_RPC_CORE_MAX_BYTES),
        integer_argument(GRPC_ARG_MAX_METADATA_SIZE, ISO_RPC_MAX_METADATA_BYTES),
        integer_argument(GRPC_ARG_MAX_CONCURRENT_STREAMS, MAX_STREAMS_PER_CONNECTION),
        integer_argument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS),
    };
    grpc_channel_args all = {.num_args = ISO_ARRAY_LENGTH(arguments), .args = arguments};

    /* The core's own words on stderr would bury ours; GRPC_VERBOSITY brings them back. */
    setenv("GRPC_VERBOSITY", "NONE", /* overwrite= */ 0);
    grpc_init();
    server->grpc_running = true;
    server->core = grpc_server_create(&all, NULL);
    server->queue = grpc_completion_queue_create_for_next(NULL);
    if (!server->core || !server->queue)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the RPC library");
    grpc_server_register_completion_queue(server->core, server->queue, NULL);
    for (int i = 0; i < server->n_slots; i++) {
        const struct iso_rpc_method *method = server->slots[i].method;
        bool with_message = method->kind == ISO_RPC_UNARY || method->kind == ISO_RPC_SERVER_STREAM;

        server->slots[i].registered = grpc_server_register_method(
            server->core, method->path, NULL,
            with_message ? GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER : GRPC_SRM_PAYLOAD_NONE, 0);
        if (!server->slots[i].registered)
            return iso_fail(reterr, ISO_E_INTERNAL, method->path, "%s cannot be registered",
                            method->path);
    }
    return ISO_OK;
}

static void *poll_queue(void *argument)
{
    struct iso_rpc_server *server = argument;

    for (;;) {
        grpc_event event =
            grpc_completion_queue_next(server->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);

        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return NULL;
        if (event.type == GRPC_OP_COMPLETE) {
            struct iso_rpc_tag *tag = event.tag;

            iso_rpc_tag_take(tag);
            tag->run(tag, event.success != 0);
        }
    }
}

static enum iso_status start_threads(struct iso_rpc_server *server, struct iso_error *reterr)
{
    ISO_TRY(iso_timer_queue_new(&server->timers, reterr));
    ISO_TRY(iso_worker_pool_new(server->config.n_workers, server->config.queue_bound,
                                &server->workers, reterr));
    server->pollers = iso_calloc((size_t)server->config.n_pollers, sizeof(*server->pollers));
    if (!server->pollers)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for pollers");
    while (server->n_pollers < server->config.n_pollers) {
        if (pthread_create(&server->pollers[server->n_pollers], NULL, poll_queue, server) != 0)
            return iso_fail(reterr, ISO_E_LIMIT, "pollers", "a poller could not be started");
        server->n_pollers++;
    }
    return ISO_OK;
}

enum iso_status iso_rpc_server_start(struct iso_rpc_server *server, struct iso_error *reterr)
{
    ISO_TRY(iso_rpc_check_methods(server, reterr));
    ISO_TRY(make_core(server, reterr));
    for (int i = 0; i < server->config.n_listen; i++)
        ISO_TRY(iso_rpc_listen(server, server->config.listen[i], reterr));
    ISO_TRY(start_threads(server, reterr));
    iso_health_set(server->health, true);
    grpc_server_start(server->core);
    server->core_started = true;
    for (int n = 0; n < ARMED_PER_METHOD; n++)
        for (int slot = -1; slot < server->n_slots; slot++)
            iso_call_arm(server, slot);
    return ISO_OK;
}

/* --- questions --- */

const char *iso_rpc_server_address(const struct iso_rpc_server *server, int index)
{
    return index >= 0 && index < server->n_addresses ? server->addresses[index] : NULL;
}

const char *iso_rpc_library_version(void)
{
    return grpc_version_string();
}

void iso_rpc_server_stats(struct iso_rpc_server *server, struct iso_rpc_stats *ret_stats)
{
    pthread_mutex_lock(&server->mutex);
    *ret_stats = (struct iso_rpc_stats){
        .calls = server->n_open, .accepted = server->n_accepted, .refused = server->n_refused};
    pthread_mutex_unlock(&server->mutex);
    ret_stats->queue_depth = iso_worker_pool_depth(server->workers);
}

/* --- stop --- */

static void on_shutdown(struct iso_rpc_tag *tag, bool ok)
{
    struct iso_rpc_server *server =
        (struct iso_rpc_server *)(void *)((char *)tag -
                                          offsetof(struct iso_rpc_server, shutdown_tag));

    (void)ok; /* the tag says only that it is over */
    pthread_mutex_lock(&server->mutex);
    server->stopped = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->mutex);
}

/* mutex held; false when the time is up */
static bool wait_changed(struct iso_rpc_server *server, int64_t until_ns)
{
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};

    return pthread_cond_timedwait(&server->changed, &server->mutex, &until) != ETIMEDOUT;
}

static void end_endless_streams(struct iso_rpc_server *server)
{
    struct iso_call **calls = NULL;
    struct iso_error error = {0};
    int n = 0;

    iso_fail(&error, ISO_E_UNAVAILABLE, "", "the server is shutting down");
    pthread_mutex_lock(&server->mutex);
    calls = iso_calloc((size_t)server->n_open, sizeof(struct iso_call *));
    for (struct iso_call *call = server->live; calls && call; call = call->live_next)
        if (call->method && (call->method->flags & ISO_RPC_END_ON_DRAIN))
            calls[n++] = iso_call_ref(call);
    pthread_mutex_unlock(&server->mutex);
    for (int i = 0; i < n; i++) {
        iso_call_expire(calls[i], &error);
        iso_call_unref(calls[i]);
    }
    free(calls);
}

void iso_rpc_server_drain(struct iso_rpc_server *server, double grace_s)
{
    int64_t until_ns = iso_monotonic_ns() + (int64_t)(fmax(grace_s, 0) * 1e9);

    if (!server->core_started || server->drained)
        return;
    server->drained = true;
    iso_health_set(server->health, false);
    pthread_mutex_lock(&server->mutex);
    server->draining = true;
    pthread_mutex_unlock(&server->mutex);
    end_endless_streams(server);
    server->shutdown_tag.run = on_shutdown;
    grpc_server_shutdown_and_notify(server->core, server->queue,
                                    iso_rpc_tag_give(&server->shutdown_tag));

    pthread_mutex_lock(&server->mutex);
    while (server->n_open > 0 && !server->stopped && wait_changed(server, until_ns))
        ;
    pthread_mutex_unlock(&server->mutex);
    /* Also with no call open: an idle caller that ignores the GOAWAY would hold the tag back. */
    grpc_server_cancel_all_calls(server->core);
    pthread_mutex_lock(&server->mutex);
    while (!server->stopped)
        pthread_cond_wait(&server->changed, &server->mutex);
    pthread_mutex_unlock(&server->mutex);
    iso_worker_pool_wait_idle(server->workers);
}

/* Calls are held by jobs that answer late; everything they need still runs. */
static void wait_for_calls(struct iso_rpc_server *server)
{
    int64_t until_ns = iso_monotonic_ns() + (int64_t)(LATE_CALLS_WAIT_S * 1e9);
    int left;

    pthread_mutex_lock(&server->mutex);
    while (server->n_objects > 0 && wait_changed(server, until_ns))
        ;
    left = server->n_objects;
    pthread_mutex_unlock(&server->mutex);
    if (left > 0) {
        char line[96];

        snprintf(line, sizeof(line), "error rpc %d calls are still held at the end", left);
        iso_rpc_server_log(server, line);
    }
}

void iso_rpc_server_free(struct iso_rpc_server *server)
{
    if (!server)
        return;
    iso_rpc_server_drain(server, 0);
    if (server->core_started)
        wait_for_calls(server);
    iso_worker_pool_free(server->workers);
    iso_timer_queue_free(server->timers);
    server->shutdown_tag.run = on_shutdown;
    if (server->core && !server->core_started)
        grpc_server_shutdown_and_notify(server->core, server->queue,
                                        iso_rpc_tag_give(&server->shutdown_tag));
    if (server->queue)
        grpc_completion_queue_shutdown(server->queue);
    for (int i = 0; i < server->n_pollers; i++)
        pthread_join(server->pollers[i], NULL);
    if (server->queue && server->n_pollers == 0)
        while (grpc_completion_queue_next(server->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL)
                   .type != GRPC_QUEUE_SHUTDOWN)
            ;
    if (server->core)
        grpc_server_destroy(server->core);
    if (server->queue)
        grpc_completion_queue_destroy(server->queue);
    if (server->grpc_running)
        grpc_shutdown();
    for (int i = 0; i < server->n_addresses; i++)
        free(server->addresses[i]);
    free(server->pollers);
    iso_health_free(server->health);
    iso_descriptor_index_free(server->index);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}

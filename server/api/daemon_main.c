/* isocostd: starts the parts in the order in which they depend on each other, waits for a signal,
 * and stops them in the reverse order. */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "api.h"
#include "daemon_parameters.h"
#include "daemon_paths.h"
#include "daemon_retention.h"
#include "log.h"
#include "server.h"
#include "usage.h"

#define RECYCLE_AFTER_SOLVES 500
#define QUEUED_CALLS 256
#define OPEN_CALLS 2000
#define STOP_SOLVERS_S 1.0

struct daemon {
    struct iso_daemon_parameters parameters;
    struct iso_daemon_paths paths;
    struct iso_store *store;
    struct iso_supervisor *supervisor;
    struct iso_catalog *catalog;
    struct iso_usage *usage;
    struct iso_api *api;
    struct iso_rpc_server *rpc;
};

static enum iso_status start_retention(const struct daemon *d, struct iso_error *reterr)
{
    struct iso_retention retention = ISO_RETENTION_INIT;

    retention.plans_s = d->parameters.keep_plans_days * 86400.0;
    retention.unused_s = d->parameters.keep_unused_days * 86400.0;
    retention.records_s = d->parameters.keep_records_days * 86400.0;
    return iso_retention_start(d->store, &retention)
               ? ISO_OK
               : iso_fail(reterr, ISO_E_LIMIT, "", "the retention thread could not be started");
}

static enum iso_status start_parts(struct daemon *d, struct iso_error *reterr)
{
    const struct iso_supervisor_config supervisor = {
        .solver_path = d->paths.solver,
        .n_solvers = d->parameters.solvers,
        .n_processes = d->parameters.solver_processes,
        .queue_bound = d->parameters.queue,
        .memory_bytes = (int64_t)d->parameters.solver_memory_mib << 20,
        .past_bytes = (int64_t)d->parameters.solver_past_mib << 20,
        .recycle_after = RECYCLE_AFTER_SOLVES,
        .log = iso_log_supervisor};
    const struct iso_catalog_config catalog = {.host_path = d->paths.plugin_host,
                                               .plugin_folder = d->paths.plugins,
                                               .providers_path =
                                                   d->paths.config[0] ? d->paths.config : NULL,
                                               .cache_folder = d->paths.cache,
                                               .temporary_folder = d->paths.temporary,
                                               .quarantine_s = d->parameters.quarantine_seconds,
                                               .log = iso_log_catalog};
    struct iso_catalog_config with_store = catalog;
    const struct iso_job_limits limits = {.queued = d->parameters.plan_queue,
                                          .queued_of_tenant = d->parameters.tenant_queue,
                                          .running_of_tenant = d->parameters.tenant_plans,
                                          .lease_s = d->parameters.lease_seconds};
    struct iso_api_config api = {.n_plans = d->parameters.workers_only ? 0 : d->parameters.solvers,
                                 .lease_s = d->parameters.lease_seconds,
                                 .shared = d->parameters.store != NULL,
                                 .plugin_folder = d->paths.plugins,
                                 .log = iso_log_api};

    ISO_TRY(iso_store_open(d->paths.data, d->parameters.store, &d->store, reterr));
    iso_store_set_job_limits(d->store, &limits);
    ISO_TRY(iso_supervisor_start(&supervisor, &d->supervisor, reterr));
    with_store.store = d->store;
    ISO_TRY(iso_catalog_start(&with_store, &d->catalog, reterr));
    ISO_TRY(iso_usage_start(d->store, d->catalog, iso_log_catalog, &d->usage, reterr));
    api.store = d->store;
    api.supervisor = d->supervisor;
    api.catalog = d->catalog;
    ISO_TRY(iso_api_start(&api, &d->api, reterr));
    return start_retention(d, reterr);
}

static enum iso_status serve(struct daemon *d, struct iso_error *reterr)
{
    struct iso_rpc_config config = {.listen = d->parameters.listen.items,
                                    .n_pollers = d->parameters.pollers,
                                    .n_workers = d->parameters.workers,
                                    .queue_bound = QUEUED_CALLS,
                                    .max_calls = OPEN_CALLS,
                                    .log = iso_log_line};

    if (d->parameters.listen.n == 0) {
        if (d->paths.socket[0])
            d->parameters.listen.items[d->parameters.listen.n++] = d->paths.socket;
        d->parameters.listen.items[d->parameters.listen.n++] = "127.0.0.1:7443";
    }
    config.n_listen = d->parameters.listen.n;
    ISO_TRY(iso_rpc_server_new(&config, &d->rpc, reterr));
    ISO_TRY(iso_rpc_server_add(d->rpc, iso_plan_methods, d->api, reterr));
    ISO_TRY(iso_rpc_server_add(d->rpc, iso_session_methods, d->api, reterr));
    ISO_TRY(iso_rpc_server_add(d->rpc, iso_server_methods, d->api, reterr));
    ISO_TRY(iso_rpc_server_add(d->rpc, iso_catalog_methods, d->catalog, reterr));
    ISO_TRY(iso_rpc_server_add(d->rpc, iso_usage_methods, d->usage, reterr));
    return iso_rpc_server_start(d->rpc, reterr);
}

static void say_ready(const struct daemon *d)
{
    const char *address;

    fputs("isocostd ready", stdout);
    for (int i = 0; (address = iso_rpc_server_address(d->rpc, i)); i++) {
        if (strncmp(address, "unix:", 5) == 0)
            printf(" unix=%s", address + 5);
        else
            printf(" listen=%s", address);
    }
    fputc('\n', stdout);
    fflush(stdout);
}

static void *leave_at_once(void *argument)
{
    const sigset_t *signals = argument;
    int signal_number;

    sigwait(signals, &signal_number);
    _exit(1);
}

static void stop(struct daemon *d, sigset_t *signals)
{
    pthread_t thread;

    iso_log_server(ISO_LOG_INFO, "stopping; a second signal ends at once");
    if (pthread_create(&thread, NULL, leave_at_once, signals) == 0)
        pthread_detach(thread);
    iso_api_hold(d->api);
    iso_rpc_server_drain(d->rpc, d->parameters.drain_seconds);
}

/* Accepts parts that were never started. */
static void free_parts(struct daemon *d)
{
    iso_retention_stop();
    if (d->api)
        iso_api_hold(d->api);
    if (d->rpc)
        iso_rpc_server_drain(d->rpc, 0);
    iso_usage_stop(d->usage);
    iso_catalog_stop(d->catalog);
    if (d->supervisor)
        iso_supervisor_stop(d->supervisor, STOP_SOLVERS_S);
    iso_api_stop(d->api);
    iso_rpc_server_free(d->rpc);
    iso_store_close(d->store);
}

static int run(struct daemon *d, sigset_t *signals)
{
    struct iso_error error = {0};
    int signal_number, code = 1;

    if (!iso_log_start((enum iso_log_level)d->parameters.log_level)) {
        fputs("isocostd: the log thread could not be started\n", stderr);
        return code;
    }
    if (start_parts(d, &error) == ISO_OK && serve(d, &error) == ISO_OK) {
        say_ready(d);
        iso_log_server(ISO_LOG_INFO, "ready");
        sigwait(signals, &signal_number);
        stop(d, signals);
        code = 0;
    }
    free_parts(d);
    iso_log_stop();
    if (code != 0)
        fprintf(stderr, "isocostd: %s\n", error.text);
    return code;
}

/* What one plan frees is kept for the next rather than given back and faulted in again page by
 * page; one heap, as a plan goes from thread to thread and asks for few and large blocks. Blocks
 * from 8 MiB on, and what is free beyond 32 MiB at the end of a heap, are given back. */
static void keep_freed_memory(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 8 << 20);
    mallopt(M_TRIM_THRESHOLD, 32 << 20);
}

int main(int argc, char **argv)
{
    static struct daemon daemon;
    struct iso_error error = {0};
    sigset_t signals;

    if (iso_daemon_parameters_parse(argc, argv, &daemon.parameters, &error) != ISO_OK) {
        fprintf(stderr, "isocostd: %s\n", error.text);
        return 2;
    }
    if (daemon.parameters.help) {
        iso_daemon_parameters_help(stdout);
        return 0;
    }
    if (daemon.parameters.version) {
        puts("isocostd " ISO_VERSION);
        return 0;
    }
    keep_freed_memory();
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (iso_daemon_paths_find(&daemon.parameters, &daemon.paths, &error) != ISO_OK) {
        fprintf(stderr, "isocostd: %s\n", error.text);
        return 1;
    }
    return run(&daemon, &signals);
}

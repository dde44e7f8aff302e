/* isocost-worker: runs what waits in a PostgreSQL store, on any machine. It opens no port and
 * keeps nothing that matters: what it holds is in the store, and another takes its jobs when it is
 * gone. */
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "isocost/base/memory.h"
#include "log.h"
#include "parameters.h"
#include "paths.h"
#include "queue_runner.h"

#define RECYCLE_AFTER_SOLVES 500

struct parameters {
    const char *queue, *cache_dir, *solver;
    int solvers, solver_processes, solver_memory_mib, solver_past_mib, tenant_plans, lease_seconds,
        drain_seconds, log_level;
    bool help, version;
};

#define AT(member) offsetof(struct parameters, member)

static const struct iso_parameter table[] = {
    {ISO_PARAMETER_TEXT, "queue", "none; it must be given", 0, 0, "ADDRESS",
     "The PostgreSQL database (postgres://...) that isocostd has as --store.", AT(queue)},
    {ISO_PARAMETER_TEXT, "cache-dir", "$CACHE_DIRECTORY, or ~/.cache/isocost", 0, 0, "FOLDER",
     "Where price snapshots are kept that were fetched; workers may share it.", AT(cache_dir)},
    {ISO_PARAMETER_TEXT, "solver", "isocost-solver beside isocost-worker", 0, 0, "FILE",
     "The solver program.", AT(solver)},
    {ISO_PARAMETER_WHOLE, "solvers", "0", 0, 256, "PROCESSES",
     "Solver processes that work at the same time; 0: one a processor.", AT(solvers)},
    {ISO_PARAMETER_WHOLE, "solver-processes", "1", 1, 256, "PROCESSES",
     "Processes of one solver, for parts of a model that share nothing; each may take its memory.",
     AT(solver_processes)},
    {ISO_PARAMETER_WHOLE, "solver-memory-mib", "2048", 64, 1048576, "MIB",
     "Address space of one solver process.", AT(solver_memory_mib)},
    {ISO_PARAMETER_WHOLE, "solver-past-mib", "64", 0, 65536, "MIB",
     "What a solver process keeps of earlier solves, of its memory, so that models like theirs are "
     "solved faster; 0: nothing.",
     AT(solver_past_mib)},
    {ISO_PARAMETER_WHOLE, "tenant-plans", "0", 0, 100000, "PLANS",
     "Stored plans of one tenant that run at the same time, on all machines; 0: any number. Give "
     "all "
     "processes the same.",
     AT(tenant_plans)},
    {ISO_PARAMETER_WHOLE, "lease-seconds", "30", 1, 3600, "SECONDS",
     "A plan whose process was not heard of for so long is given to another.", AT(lease_seconds)},
    {ISO_PARAMETER_WHOLE, "drain-seconds", "10", 0, 3600, "SECONDS",
     "How long plans may go on after SIGTERM or SIGINT, before others take them over.",
     AT(drain_seconds)},
    {ISO_PARAMETER_LEVEL, "log-level", "info", 0, 3, "LEVEL",
     "Least of debug, info, warning, error to log.", AT(log_level)},
    {ISO_PARAMETER_FLAG, "version", NULL, 0, 0, NULL, "Prints the version and ends.", AT(version)},
    {ISO_PARAMETER_FLAG, "help", NULL, 0, 0, NULL, "Prints this and ends.", AT(help)},
};

struct worker {
    struct parameters parameters;
    char solver[PATH_MAX], cache[PATH_MAX];
    struct iso_store *store;
    struct iso_supervisor *supervisor;
    struct iso_queue_runner *runner;
};

static enum iso_status find_paths(struct worker *w, struct iso_error *reterr)
{
    const char *given = w->parameters.cache_dir, *service = getenv("CACHE_DIRECTORY");
    const char *home = getenv("HOME");
    char folder[PATH_MAX];

    ISO_TRY(iso_folder_own(folder, reterr));
    ISO_TRY(iso_program_find(w->parameters.solver, folder, "isocost-solver", "solver", w->solver,
                             reterr));
    if (!given)
        given = service && service[0] == '/' ? service : NULL;
    if (given)
        snprintf(w->cache, sizeof(w->cache), "%s", given);
    else if (home && home[0] == '/')
        ISO_TRY(iso_path_join(w->cache, home, ".cache/isocost", reterr));
    else
        return iso_fail(reterr, ISO_E_INVALID, "cache-dir", "give --cache-dir: HOME is not set");
    return iso_folder_make(w->cache, reterr);
}

static enum iso_status start_parts(struct worker *w, struct iso_error *reterr)
{
    const struct iso_job_limits limits = {.running_of_tenant = w->parameters.tenant_plans,
                                          .lease_s = w->parameters.lease_seconds};
    const struct iso_supervisor_config supervisor = {
        .solver_path = w->solver,
        .n_solvers = w->parameters.solvers,
        .batch_only = true,
        .n_processes = w->parameters.solver_processes,
        .queue_bound = w->parameters.solvers,
        .memory_bytes = (int64_t)w->parameters.solver_memory_mib << 20,
        .past_bytes = (int64_t)w->parameters.solver_past_mib << 20,
        .recycle_after = RECYCLE_AFTER_SOLVES,
        .log = iso_log_supervisor};
    struct iso_queue_runner_config runner = {.n_runs = w->parameters.solvers,
                                             .lease_s = w->parameters.lease_seconds,
                                             .log = iso_log_server};

    ISO_TRY(find_paths(w, reterr));
    ISO_TRY(iso_store_open(w->cache, w->parameters.queue, &w->store, reterr));
    iso_store_set_job_limits(w->store, &limits);
    ISO_TRY(iso_supervisor_start(&supervisor, &w->supervisor, reterr));
    runner.store = w->store;
    runner.supervisor = w->supervisor;
    return iso_queue_runner_start(&runner, &w->runner, reterr);
}

static void *leave_at_once(void *argument)
{
    const sigset_t *signals = argument;
    int signal_number;

    sigwait(signals, &signal_number);
    _exit(1);
}

/* Accepts parts that were never started. */
static void stop_parts(struct worker *w, double grace_s)
{
    if (w->runner)
        iso_queue_runner_hold(w->runner);
    if (w->supervisor)
        iso_supervisor_stop(w->supervisor, grace_s);
    iso_queue_runner_stop(w->runner);
    iso_store_close(w->store);
}

static int run(struct worker *w, sigset_t *signals)
{
    struct iso_error error = {0};
    pthread_t thread;
    int signal_number;

    if (!iso_log_start((enum iso_log_level)w->parameters.log_level)) {
        fputs("isocost-worker: the log thread could not be started\n", stderr);
        return 1;
    }
    if (start_parts(w, &error) != ISO_OK) {
        stop_parts(w, 0);
        iso_log_stop();
        fprintf(stderr, "isocost-worker: %s\n", error.text);
        return 1;
    }
    puts("isocost-worker ready");
    fflush(stdout);
    iso_log_server(ISO_LOG_INFO, "ready");
    sigwait(signals, &signal_number);
    iso_log_server(ISO_LOG_INFO, "stopping; a second signal ends at once");
    if (pthread_create(&thread, NULL, leave_at_once, signals) == 0)
        pthread_detach(thread);
    stop_parts(w, w->parameters.drain_seconds);
    iso_log_stop();
    return 0;
}

static void print_help(void)
{
    puts("isocost-worker: runs plans and scenarios that wait in a PostgreSQL store.\n\n"
         "Usage: isocost-worker --queue postgres://... [--NAME VALUE | --NAME=VALUE]...\n");
    iso_parameters_help(table, ISO_ARRAY_LENGTH(table), stdout);
}

int main(int argc, char **argv)
{
    static struct worker worker;
    struct iso_error error = {0};
    sigset_t signals;

    if (iso_parameters_parse(table, ISO_ARRAY_LENGTH(table), argc, argv, &worker.parameters,
                             &error) != ISO_OK) {
        fprintf(stderr, "isocost-worker: %s\n", error.text);
        return 2;
    }
    if (worker.parameters.help) {
        print_help();
        return 0;
    }
    if (worker.parameters.version) {
        puts("isocost-worker " ISO_VERSION);
        return 0;
    }
    if (!worker.parameters.queue || !iso_store_is_shared(worker.parameters.queue)) {
        fputs("isocost-worker: give --queue postgres://...: the address that isocostd has as "
              "--store\n",
              stderr);
        return 2;
    }
    worker.parameters.solvers = iso_parameters_solvers(worker.parameters.solvers);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    return run(&worker, &signals);
}

#include "daemon_parameters.h"

#include <stddef.h>

#define AT(member) offsetof(struct iso_daemon_parameters, member)

static const struct iso_parameter table[] = {
    {ISO_PARAMETER_LIST, "listen", "the user's socket and 127.0.0.1:7443", 0, 0, "ADDRESS",
     "Where to listen: unix:/path or 127.0.0.1:port (port 0: any); may be repeated.", AT(listen)},
    {ISO_PARAMETER_TEXT, "data-dir", "~/.isocost/data", 0, 0, "FOLDER",
     "Where the database and the price snapshots are.", AT(data_dir)},
    {ISO_PARAMETER_TEXT, "store", "SQLite in the data folder", 0, 0, "ADDRESS",
     "A PostgreSQL database (postgres://...) to use instead, shared with others.", AT(store)},
    {ISO_PARAMETER_TEXT, "solver", "isocost-solver beside isocostd", 0, 0, "FILE",
     "The solver program.", AT(solver)},
    {ISO_PARAMETER_TEXT, "plugin-host", "isocost-plugin-host beside isocostd", 0, 0, "FILE",
     "The program that runs one provider plugin.", AT(plugin_host)},
    {ISO_PARAMETER_TEXT, "plugin-dir", "../plugins or ../lib/isocost/plugins from isocostd", 0, 0,
     "FOLDER", "Where the provider plugins are.", AT(plugin_dir)},
    {ISO_PARAMETER_TEXT, "config", "none", 0, 0, "FILE", "Provider instances, as YAML or JSON.",
     AT(config)},
    {ISO_PARAMETER_WHOLE, "solvers", "0", 0, 256, "PROCESSES",
     "Solver processes that work at the same time; 0: one a processor.", AT(solvers)},
    {ISO_PARAMETER_WHOLE, "solver-processes", "1", 1, 256, "PROCESSES",
     "Processes of one solver, for parts of a model that share nothing; each may take its memory.",
     AT(solver_processes)},
    {ISO_PARAMETER_WHOLE, "queue", "64", 1, 100000, "SOLVES", "Solves that may wait for a solver.",
     AT(queue)},
    {ISO_PARAMETER_WHOLE, "plan-queue", "10000", 1, 1000000, "PLANS",
     "Stored plans that may wait, of all tenants together.", AT(plan_queue)},
    {ISO_PARAMETER_WHOLE, "tenant-queue", "2000", 1, 1000000, "PLANS",
     "Stored plans of one tenant that may wait.", AT(tenant_queue)},
    {ISO_PARAMETER_WHOLE, "tenant-plans", "0", 0, 100000, "PLANS",
     "Stored plans of one tenant that run at the same time, on all machines; 0: any number.",
     AT(tenant_plans)},
    {ISO_PARAMETER_WHOLE, "lease-seconds", "30", 1, 3600, "SECONDS",
     "A plan whose process was not heard of for so long is given to another.", AT(lease_seconds)},
    {ISO_PARAMETER_FLAG, "workers-only", NULL, 0, 0, NULL,
     "Leaves all stored plans to isocost-worker (with --store).", AT(workers_only)},
    {ISO_PARAMETER_WHOLE, "keep-plans-days", "0", 0, 36500, "DAYS",
     "Plans are removed so long after their end; 0: never.", AT(keep_plans_days)},
    {ISO_PARAMETER_WHOLE, "keep-unused-days", "30", 0, 36500, "DAYS",
     "Models and snapshots that no plan needs are removed at this age; 0: never.",
     AT(keep_unused_days)},
    {ISO_PARAMETER_WHOLE, "keep-records-days", "0", 0, 36500, "DAYS",
     "Usage and costs are removed so long after they began; 0: never.", AT(keep_records_days)},
    {ISO_PARAMETER_WHOLE, "quarantine-seconds", "600", 1, 86400, "SECONDS",
     "A plugin that crashed five times in ten minutes is left alone so long, and twice as long "
     "after each attempt that crashes again.",
     AT(quarantine_seconds)},
    {ISO_PARAMETER_WHOLE, "solver-memory-mib", "2048", 64, 1048576, "MIB",
     "Address space of one solver process.", AT(solver_memory_mib)},
    {ISO_PARAMETER_WHOLE, "solver-past-mib", "64", 0, 65536, "MIB",
     "What a solver process keeps of earlier solves, of its memory, so that models like theirs are "
     "solved faster; 0: nothing.",
     AT(solver_past_mib)},
    {ISO_PARAMETER_WHOLE, "pollers", "2", 1, 64, "THREADS", "Threads that move bytes.",
     AT(pollers)},
    {ISO_PARAMETER_WHOLE, "workers", "4", 1, 256, "THREADS", "Threads that run handlers.",
     AT(workers)},
    {ISO_PARAMETER_WHOLE, "drain-seconds", "10", 0, 3600, "SECONDS",
     "How long calls may go on after SIGTERM or SIGINT.", AT(drain_seconds)},
    {ISO_PARAMETER_LEVEL, "log-level", "info", 0, 3, "LEVEL",
     "Least of debug, info, warning, error to log.", AT(log_level)},
    {ISO_PARAMETER_FLAG, "version", NULL, 0, 0, NULL, "Prints the version and ends.", AT(version)},
    {ISO_PARAMETER_FLAG, "help", NULL, 0, 0, NULL, "Prints this and ends.", AT(help)},
};

enum iso_status iso_daemon_parameters_parse(int argc, char *const *argv,
                                            struct iso_daemon_parameters *ret_parameters,
                                            struct iso_error *reterr)
{
    struct iso_daemon_parameters parameters = {0};

    ISO_TRY(iso_parameters_parse(table, ISO_ARRAY_LENGTH(table), argc, argv, &parameters, reterr));
    parameters.solvers = iso_parameters_solvers(parameters.solvers);
    *ret_parameters = parameters;
    return ISO_OK;
}

void iso_daemon_parameters_help(FILE *file)
{
    fputs("isocostd: finds cheapest mixes of cloud resources, over gRPC.\n\n"
          "Usage: isocostd [--NAME VALUE | --NAME=VALUE]...\n\n",
          file);
    iso_parameters_help(table, ISO_ARRAY_LENGTH(table), file);
}

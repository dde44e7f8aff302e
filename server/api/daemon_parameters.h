/* The command line of isocostd: one table drives parsing, ranges and --help. */
#ifndef ISOCOST_SERVER_DAEMON_PARAMETERS_H
#define ISOCOST_SERVER_DAEMON_PARAMETERS_H

#include <stdio.h>

#include "isocost/base/status.h"
#include "parameters.h"

struct iso_daemon_parameters {
    struct iso_parameter_list listen;
    const char *store; /* NULL: SQLite in the data folder */
    const char *data_dir, *solver, *plugin_host, *plugin_dir, *config; /* NULL: not given */
    int solvers, solver_processes, queue, solver_memory_mib, solver_past_mib, plan_queue,
        tenant_queue, tenant_plans, lease_seconds, keep_plans_days, keep_unused_days,
        keep_records_days, quarantine_seconds, pollers, workers, drain_seconds, log_level;
    bool workers_only, help, version;
};

/* Fills in defaults and reads the arguments; strings are borrowed from argv. Errors: ISO_E_INVALID
 * with the flag as field. */
enum iso_status iso_daemon_parameters_parse(int argc, char *const *argv,
                                            struct iso_daemon_parameters *ret_parameters,
                                            struct iso_error *reterr);
void iso_daemon_parameters_help(FILE *file);

#endif

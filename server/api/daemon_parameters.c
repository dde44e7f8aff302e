#include "daemon_parameters.h"

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

enum type { FLAG, TEXT, LISTEN, WHOLE, LEVEL };

struct parameter {
    enum type type;
    const char *name, *def;
    long min, max;
    const char *unit, *sentence;
    size_t offset;
};

#define AT(member) offsetof(struct iso_daemon_parameters, member)

static const struct parameter table[] = {
    {LISTEN, "listen", "the user's socket and 127.0.0.1:7443", 0, 0, "ADDRESS",
     "Where to listen: unix:/path or 127.0.0.1:port (port 0: any); may be repeated.", 0},
    {TEXT, "data-dir", "~/.isocost/data", 0, 0, "FOLDER",
     "Where the database and the price snapshots are.", AT(data_dir)},
    {TEXT, "store", "SQLite in the data folder", 0, 0, "ADDRESS",
     "A PostgreSQL database (postgres://...) to use instead, shared with others.", AT(store)},
    {TEXT, "solver", "isocost-solver beside isocostd", 0, 0, "FILE", "The solver program.",
     AT(solver)},
    {TEXT, "plugin-host", "isocost-plugin-host beside isocostd", 0, 0, "FILE",
     "The program that runs one provider plugin.", AT(plugin_host)},
    {TEXT, "plugin-dir", "../plugins or ../lib/isocost/plugins from isocostd", 0, 0, "FOLDER",
     "Where the provider plugins are.", AT(plugin_dir)},
    {TEXT, "config", "none", 0, 0, "FILE", "Provider instances, as YAML or JSON.", AT(config)},
    {WHOLE, "solvers", "0", 0, 256, "PROCESSES",
     "Solver processes that work at the same time; 0: one a processor.", AT(solvers)},
    {WHOLE, "solver-processes", "1", 1, 256, "PROCESSES",
     "Processes of one solver, for parts of a model that share nothing; each may take its memory.",
     AT(solver_processes)},
    {WHOLE, "queue", "64", 1, 100000, "SOLVES", "Solves that may wait for a solver.", AT(queue)},
    {WHOLE, "plan-queue", "10000", 1, 1000000, "PLANS",
     "Stored plans that may wait, of all tenants together.", AT(plan_queue)},
    {WHOLE, "tenant-queue", "2000", 1, 1000000, "PLANS",
     "Stored plans of one tenant that may wait.", AT(tenant_queue)},
    {WHOLE, "tenant-plans", "0", 0, 100000, "PLANS",
     "Stored plans of one tenant that run at the same time, on all machines; 0: any number.",
     AT(tenant_plans)},
    {WHOLE, "lease-seconds", "30", 1, 3600, "SECONDS",
     "A plan whose process was not heard of for so long is given to another.", AT(lease_seconds)},
    {WHOLE, "solver-memory-mib", "2048", 64, 1048576, "MIB", "Address space of one solver process.",
     AT(solver_memory_mib)},
    {WHOLE, "pollers", "2", 1, 64, "THREADS", "Threads that move bytes.", AT(pollers)},
    {WHOLE, "workers", "4", 1, 256, "THREADS", "Threads that run handlers.", AT(workers)},
    {WHOLE, "drain-seconds", "10", 0, 3600, "SECONDS",
     "How long calls may go on after SIGTERM or SIGINT.", AT(drain_seconds)},
    {LEVEL, "log-level", "info", 0, 3, "LEVEL", "Least of debug, info, warning, error to log.",
     AT(log_level)},
    {FLAG, "version", NULL, 0, 0, NULL, "Prints the version and ends.", AT(version)},
    {FLAG, "help", NULL, 0, 0, NULL, "Prints this and ends.", AT(help)},
};

static int distance(const char *a, const char *b)
{
    int row[64] = {0};
    int n = (int)strlen(b);

    if (n >= 63)
        return n;
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];

        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            best = best < row[j] + 1 ? best : row[j] + 1;
            best = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[n];
}

static const char *nearest(const char *name)
{
    const char *best = table[0].name;

    for (size_t i = 1; i < ISO_ARRAY_LENGTH(table); i++)
        if (distance(name, table[i].name) < distance(name, best))
            best = table[i].name;
    return best;
}

static enum iso_status parse_level(const char *value, int *ret_level, struct iso_error *reterr)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};

    for (int i = 0; i < (int)ISO_ARRAY_LENGTH(names); i++) {
        if (strcmp(value, names[i]) == 0) {
            *ret_level = i;
            return ISO_OK;
        }
    }
    return iso_fail(reterr, ISO_E_INVALID, "log-level",
                    "--log-level is \"%.40s\"; it must be debug, info, warning or error", value);
}

static enum iso_status parse_whole(const struct parameter *parameter, const char *value,
                                   int *ret_number, struct iso_error *reterr)
{
    char *end = NULL;
    long number;

    errno = 0;
    number = strtol(value, &end, 10);
    if (end == value || *end || errno || number < parameter->min || number > parameter->max)
        return iso_fail(reterr, ISO_E_INVALID, parameter->name,
                        "--%s is \"%.40s\"; it must be a whole number in [%ld, %ld]",
                        parameter->name, value, parameter->min, parameter->max);
    *ret_number = (int)number;
    return ISO_OK;
}

static enum iso_status set(const struct parameter *parameter, const char *value,
                           struct iso_daemon_parameters *parameters, struct iso_error *reterr)
{
    void *member = (char *)parameters + parameter->offset;

    switch (parameter->type) {
    case FLAG:
        *(bool *)member = true;
        return ISO_OK;
    case TEXT:
        if (!*value)
            return iso_fail(reterr, ISO_E_INVALID, parameter->name, "--%s is empty",
                            parameter->name);
        *(const char **)member = value;
        return ISO_OK;
    case LISTEN:
        if (parameters->n_listen == ISO_RPC_MAX_LISTENERS)
            return iso_fail(reterr, ISO_E_INVALID, "listen", "more than %d times --listen",
                            ISO_RPC_MAX_LISTENERS);
        parameters->listen[parameters->n_listen++] = value;
        return ISO_OK;
    case WHOLE:
        return parse_whole(parameter, value, member, reterr);
    case LEVEL:
        return parse_level(value, member, reterr);
    }
    return ISO_E_INTERNAL;
}

static enum iso_status parse_one(int argc, char *const *argv, int *at,
                                 struct iso_daemon_parameters *parameters, struct iso_error *reterr)
{
    const char *argument = argv[*at], *equals = strchr(argument, '=');
    size_t n = equals ? (size_t)(equals - argument) : strlen(argument);
    char name[64];

    if (strncmp(argument, "--", 2) != 0 || n < 3 || n - 2 >= sizeof(name))
        return iso_fail(reterr, ISO_E_INVALID, "",
                        "\"%.60s\" is not a flag; flags are --NAME VALUE (see --help)", argument);
    snprintf(name, sizeof(name), "%.*s", (int)n - 2, argument + 2);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(table); i++) {
        if (strcmp(name, table[i].name) != 0)
            continue;
        if (table[i].type == FLAG && equals)
            return iso_fail(reterr, ISO_E_INVALID, name, "--%s takes no value", name);
        if (table[i].type != FLAG && !equals && ++*at == argc)
            return iso_fail(reterr, ISO_E_INVALID, name, "--%s needs a value", name);
        return set(&table[i], equals ? equals + 1 : argv[*at], parameters, reterr);
    }
    return iso_fail(reterr, ISO_E_INVALID, name, "--%s is not known; did you mean --%s?", name,
                    nearest(name));
}

enum iso_status iso_daemon_parameters_parse(int argc, char *const *argv,
                                            struct iso_daemon_parameters *ret_parameters,
                                            struct iso_error *reterr)
{
    struct iso_daemon_parameters parameters = {0};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(table); i++)
        if (table[i].type == WHOLE || table[i].type == LEVEL)
            ISO_TRY(set(&table[i], table[i].def, &parameters, reterr));
    for (int i = 1; i < argc; i++)
        ISO_TRY(parse_one(argc, argv, &i, &parameters, reterr));
    if (parameters.solvers == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);

        parameters.solvers = cores < 1 ? 1 : cores > 256 ? 256 : (int)cores;
    }
    *ret_parameters = parameters;
    return ISO_OK;
}

void iso_daemon_parameters_help(FILE *file)
{
    fputs("isocostd: finds cheapest mixes of cloud resources, over gRPC.\n\n"
          "Usage: isocostd [--NAME VALUE | --NAME=VALUE]...\n\n",
          file);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(table); i++) {
        const struct parameter *parameter = &table[i];

        fprintf(file, "  --%s%s%s\n      %s", parameter->name, parameter->unit ? " " : "",
                parameter->unit ? parameter->unit : "", parameter->sentence);
        if (parameter->type == WHOLE)
            fprintf(file, " In [%ld, %ld].", parameter->min, parameter->max);
        if (parameter->def)
            fprintf(file, " Default: %s.", parameter->def);
        fputc('\n', file);
    }
}

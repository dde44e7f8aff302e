#include "own_commands.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "help.h"
#include "isocost/v1/server_service.pb-c.h"
#include "local_server.h"
#include "remote.h"
#include "table.h"

enum iso_exit_code iso_version_run(struct iso_cli *cli, const void *values, int n, char **operands)
{
    (void)values, (void)n, (void)operands;
    fputs("isocost " ISO_VERSION "\n", cli->out);
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_completion_run(struct iso_cli *cli, const void *values, int n,
                                      char **operands)
{
    (void)values, (void)n;
    if (strcmp(operands[0], "bash") != 0) {
        fprintf(cli->err, "isocost: completion: \"%s\" is not a shell it knows; bash is\n",
                operands[0]);
        return ISO_EXIT_USAGE;
    }
    iso_help_bash_completion(cli->out);
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_help_run(struct iso_cli *cli, const void *values, int n, char **operands)
{
    int words;

    (void)values;
    if (n == 0) {
        iso_help_overview(cli->out);
        return ISO_EXIT_OK;
    }
    const struct iso_command *command = iso_command_find(n + 1, operands - 1, &words);
    if (command) {
        iso_help_command(command, cli->out);
        return ISO_EXIT_OK;
    }
    if (iso_help_group(operands[0], cli->out))
        return ISO_EXIT_OK;
    fprintf(cli->err, "isocost: help: \"%s\" is not a command; `isocost help` lists them\n",
            operands[0]);
    return ISO_EXIT_USAGE;
}

enum iso_exit_code iso_serve_run(struct iso_cli *cli, const void *values, int n, char **operands)
{
    char program[PATH_MAX];
    sigset_t none;

    (void)values, (void)n, (void)operands;
    if (!iso_local_program("isocostd", program, sizeof(program)))
        snprintf(program, sizeof(program), "isocostd");
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    cli->passed_on[-1] = program;
    execvp(program, cli->passed_on - 1);
    fprintf(cli->err, "isocost: %s: %s; build or install the server\n", program, strerror(errno));
    return ISO_EXIT_OTHER;
}

static void add_check(struct iso_table *table, const char *name, bool good, const char *detail)
{
    iso_table_add(table, (const char *[]){name, good ? "ok" : "not ok", detail});
}

static void add_server_checks(struct iso_cli *cli, struct iso_table *table,
                              const Isocost__V1__GetServerInfoResponse *info)
{
    struct iso_view view = iso_cli_view(cli);
    const char *plugins = "";

    for (size_t i = 0; i < info->n_versions; i++)
        add_check(table, iso_arena_printf(cli->arena, "version of %s", info->versions[i]->name),
                  true, info->versions[i]->version);
    for (size_t i = 0; i < info->n_plugins; i++) {
        const char *longer =
            iso_arena_printf(cli->arena, "%s%s%s", plugins, i ? " " : "", info->plugins[i]);
        plugins = longer ? longer : plugins;
    }
    add_check(table, "plugins", info->n_plugins > 0,
              info->n_plugins > 0 ? plugins : "none was accepted; look at the server's log");
    add_check(table, "solver processes", info->solvers_alive > 0,
              iso_arena_printf(cli->arena, "%d alive, %d solves wait", info->solvers_alive,
                               info->queue_depth));
    add_check(table, "catalog", *info->snapshot_digest,
              *info->snapshot_digest
                  ? iso_arena_printf(cli->arena, "made %s",
                                     iso_view_time(&view, info->snapshot_create_time))
                  : "there is none; `isocost catalog import --sample` makes one");
}

enum iso_exit_code iso_doctor_run(struct iso_cli *cli, const void *values, int n, char **operands)
{
    static const struct iso_column columns[] = {
        {"CHECK", false}, {"STATE", false}, {"DETAIL", false}};
    Isocost__V1__GetServerInfoRequest request = ISOCOST__V1__GET_SERVER_INFO_REQUEST__INIT;
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    struct iso_client_options options = {.timeout_s = 5, .project = cli->project};
    char path[PATH_MAX];
    struct iso_client_failure failure = {0};
    struct iso_error error = {0};
    ProtobufCMessage *info;

    (void)values, (void)n, (void)operands;
    enum iso_exit_code code = iso_remote_open(cli);
    if (code != ISO_EXIT_OK || !table)
        return code != ISO_EXIT_OK ? code : ISO_EXIT_OTHER;
    bool found = iso_local_program("isocostd", path, sizeof(path));
    add_check(table, "server program", found,
              found ? iso_arena_strdup(cli->arena, path)
                    : "isocostd is not beside this program; `demo` and `--local` need it");
    found = iso_local_examples(path, sizeof(path));
    add_check(table, "examples", found,
              found ? iso_arena_strdup(cli->arena, path) : "not installed; set ISO_SOURCE");
    enum iso_status status =
        iso_client_call(cli->client, &ISO_CLIENT_SERVER("GetServerInfo", get_server_info), &options,
                        &request.base, cli->arena, &info, &failure, &error);
    add_check(table, "server", status == ISO_OK,
              status == ISO_OK ? iso_client_target(cli->client) : error.text);
    if (status == ISO_OK)
        add_server_checks(cli, table, (const Isocost__V1__GetServerInfoResponse *)info);
    iso_table_print(table, cli->out);
    return status == ISO_OK ? ISO_EXIT_OK : iso_remote_complain(cli, &failure, &error, NULL);
}

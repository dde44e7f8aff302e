#include <limits.h>
#include <stddef.h>

#include "catalog_import.h"
#include "interrupt.h"
#include "local_server.h"
#include "solve.h"

const struct iso_option iso_demo_option_rows[] = {ISO_COMMON_OPTIONS,
                                                  {"exit", 0, ISO_OPTION_FLAG,
                                                   offsetof(struct iso_demo_options, exit), NULL,
                                                   "end after printing the plan"},
                                                  {0}};

/* `target` is the server that goes on, or NULL when it ends with the program. */
static void say_where_to_go(struct iso_cli *cli, const char *folder, const char *target)
{
    const char *local = target ? "" : " --local";

    fflush(cli->out);
    fputs("\nNext:\n", cli->err);
    if (target)
        fprintf(cli->err, "  export ISOCOST_ADDRESS=%s\n", target);
    fprintf(cli->err,
            "  isocost solve%s -f %s/gpu-batch.yaml --why\n"
            "  isocost solve%s -f %s/infeasible-budget.yaml\n",
            local, folder, local, folder);
    if (target)
        fputs("  isocost catalog list --provider alibaba\n"
              "The server runs until you press Ctrl-C.\n",
              cli->err);
    else
        fputs("  isocost serve\n", cli->err);
}

static enum iso_exit_code demonstrate(struct iso_cli *cli, const char *folder)
{
    const struct iso_solve_options options = {.why = true};
    Isocost__V1__Snapshot *snapshot;
    char path[PATH_MAX];

    enum iso_exit_code code = iso_catalog_import_sample(cli, &snapshot);
    if (code != ISO_EXIT_OK)
        return code;
    fprintf(cli->err,
            "Sample catalog: %lld offerings and %lld commitments of five clouds, dated and "
            "illustrative.\n\n",
            (long long)snapshot->offering_count, (long long)snapshot->product_count);
    snprintf(path, sizeof(path), "%s/web-shop.yaml", folder);
    return iso_solve_file(cli, &options, path);
}

enum iso_exit_code iso_demo_run(struct iso_cli *cli, const void *values, int n, char **operands)
{
    const struct iso_demo_options *options = values;
    ISO_AUTO(iso_local_server) server = NULL;
    struct iso_error error = {0};
    char folder[PATH_MAX - 64];

    (void)n, (void)operands;
    if (!iso_local_examples(folder, sizeof(folder))) {
        fputs("isocost: the examples are not installed; set ISO_SOURCE to the source tree\n",
              cli->err);
        return ISO_EXIT_OTHER;
    }
    fputs("Starting a server of its own in a temporary folder.\n", cli->err);
    if (iso_local_server_start(&server, &error) != ISO_OK) {
        iso_cli_complain(cli, &error);
        return iso_exit_code_of_status(error.status);
    }
    cli->address = iso_local_server_target(server);
    enum iso_exit_code code = demonstrate(cli, folder);
    if (code == ISO_EXIT_OK)
        say_where_to_go(cli, folder, options->exit ? NULL : cli->address);
    if (code == ISO_EXIT_OK && !options->exit)
        iso_interrupt_wait(iso_local_server_pid(server));
    iso_client_free(cli->client);
    cli->client = NULL;
    return code;
}

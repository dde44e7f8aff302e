/* The command line of `isocost whatif`. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "catalog_import.h"
#include "local_server.h"
#include "model_file.h"
#include "remote.h"
#include "what_if.h"

#define MEMBER(name) offsetof(struct iso_what_if_options, name)

const struct iso_option iso_what_if_option_rows[] = {
    ISO_COMMON_OPTIONS,
    {"file", 'f', ISO_OPTION_TEXT, MEMBER(file), "MODEL",
     "the model, YAML or JSON; - reads standard input"},
    {"set", 's', ISO_OPTION_LIST, MEMBER(sets), "CHANGE",
     "a change such as demand.web=+30%; may be given often"},
    {"scenario", 0, ISO_OPTION_LIST, MEMBER(scenarios), "NAME:CHANGE,...",
     "a variant with a name, after what --set changes; may be given often"},
    {"scenarios", 0, ISO_OPTION_TEXT, MEMBER(scenario_file), "FILE",
     "a file with a scenario a line"},
    {"sweep", 0, ISO_OPTION_LIST, MEMBER(sweeps), "RANGE",
     "varies a number: budget.total=8000..16000:9; twice: two numbers"},
    {"frontier", 0, ISO_OPTION_TEXT, MEMBER(frontier), "RANGE",
     "what service costs (service=0.5..1.2:8) or a budget serves (budget=8000..16000:9)"},
    {"local", 0, ISO_OPTION_FLAG, MEMBER(local), NULL,
     "start a server for this call only, with the sample catalog"},
    {0}};

/* Lines of a file of scenarios; empty ones and those that begin with # are left out. */
static enum iso_exit_code read_scenarios(struct iso_cli *cli, const char *path,
                                         const struct iso_texts *given, char ***ret_texts,
                                         size_t *ret_n)
{
    FILE *file = path ? fopen(path, "re") : NULL;
    ISO_AUTO_MEM char *line = NULL;
    size_t n = given->n, room = given->n + 1, line_room = 0;
    char **texts = iso_arena_calloc(cli->arena, room, sizeof(*texts));
    ssize_t length;

    if (path && !file) {
        fprintf(cli->err, "isocost: %s: %s\n", path, strerror(errno));
        return ISO_EXIT_INVALID;
    }
    for (size_t i = 0; texts && i < given->n; i++)
        texts[i] = (char *)given->items[i];
    while (file && texts && (length = getline(&line, &line_room, file)) > 0) {
        while (length > 0 && strchr("\r\n \t", line[length - 1]))
            line[--length] = '\0';
        const char *text = line + strspn(line, " \t");
        if (!*text || *text == '#')
            continue;
        if (n == room) {
            char **more = iso_arena_calloc(cli->arena, 2 * room, sizeof(*more));
            if (more)
                memcpy(more, texts, n * sizeof(*more));
            texts = more;
            room *= 2;
        }
        if (texts)
            texts[n++] = iso_arena_strdup(cli->arena, text);
    }
    if (file)
        fclose(file);
    *ret_texts = texts;
    *ret_n = n;
    return iso_arena_full(cli->arena) ? ISO_EXIT_OTHER : ISO_EXIT_OK;
}

static enum iso_exit_code ask(struct iso_cli *cli, const struct iso_what_if_options *options,
                              const Isocost__V1__ModelRef *model)
{
    struct iso_what_if asked = {.model = model,
                                .sets = (char *const *)options->sets.items,
                                .n_sets = options->sets.n,
                                .sweeps = (char *const *)options->sweeps.items,
                                .n_sweeps = options->sweeps.n,
                                .frontier = options->frontier};
    char **scenarios;
    enum iso_exit_code code = read_scenarios(cli, options->scenario_file, &options->scenarios,
                                             &scenarios, &asked.n_scenarios);

    asked.scenarios = scenarios;
    return code == ISO_EXIT_OK ? iso_what_if_ask(cli, &asked) : code;
}

static enum iso_exit_code ask_file(struct iso_cli *cli, const struct iso_what_if_options *options,
                                   const struct iso_model_file *file)
{
    Isocost__V1__ModelRef model;
    enum iso_exit_code code = iso_remote_model(cli, file->model, &model);

    return code == ISO_EXIT_OK ? ask(cli, options, &model) : code;
}

static enum iso_exit_code ask_locally(struct iso_cli *cli,
                                      const struct iso_what_if_options *options,
                                      const struct iso_model_file *file)
{
    ISO_AUTO(iso_local_server) server = NULL;
    Isocost__V1__Snapshot *snapshot = NULL;
    struct iso_error error = {0};
    enum iso_exit_code code = ISO_EXIT_OK;

    if (iso_local_server_start(&server, &error) != ISO_OK) {
        iso_cli_complain(cli, &error);
        return iso_exit_code_of_status(error.status);
    }
    cli->address = iso_local_server_target(server);
    if (file->model->catalog && file->model->catalog->n_selectors > 0)
        code = iso_catalog_import_sample(cli, &snapshot);
    if (code == ISO_EXIT_OK)
        code = ask_file(cli, options, file);
    iso_client_free(cli->client);
    cli->client = NULL;
    return code;
}

enum iso_exit_code iso_what_if_run(struct iso_cli *cli, const void *values, int n, char **operands)
{
    const struct iso_what_if_options *options = values;
    Isocost__V1__ModelRef model = ISOCOST__V1__MODEL_REF__INIT;
    struct iso_model_file file;
    struct iso_error error = {0};

    if ((n == 1) == (options->file != NULL)) {
        fputs("isocost: name either a PLAN or a model with -f\n", cli->err);
        return ISO_EXIT_USAGE;
    }
    if (n == 1) {
        model.ref_case = ISOCOST__V1__MODEL_REF__REF_PLAN_ID;
        model.plan_id = operands[0];
        return ask(cli, options, &model);
    }
    if (iso_model_file_read(options->file, cli->arena, cli->err, &file, &error) != ISO_OK) {
        iso_cli_complain(cli, &error);
        return iso_exit_code_of_status(error.status);
    }
    return options->local ? ask_locally(cli, options, &file) : ask_file(cli, options, &file);
}

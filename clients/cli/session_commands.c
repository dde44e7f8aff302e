#include "session_commands.h"

#include <stddef.h>
#include <stdlib.h>

#include "model_file.h"
#include "remote.h"
#include "session_actions.h"
#include "table.h"

#define MEMBER(name) offsetof(struct iso_session_options, name)
#define SESSION_ROW                                                 \
    {                                                               \
        "session", 's', ISO_OPTION_TEXT, MEMBER(session), "ID",     \
            "the session; default ISOCOST_SESSION, else the newest" \
    }
#define NO_SOLVE_ROW                                            \
    {                                                           \
        "no-solve", 0, ISO_OPTION_FLAG, MEMBER(no_solve), NULL, \
            "do not solve the model to say what it costs"       \
    }

const struct iso_option iso_session_option_rows[] = {ISO_COMMON_OPTIONS, SESSION_ROW, {0}};
const struct iso_option iso_session_change_option_rows[] = {
    ISO_COMMON_OPTIONS, SESSION_ROW, NO_SOLVE_ROW, {0}};
const struct iso_option iso_session_start_option_rows[] = {
    ISO_COMMON_OPTIONS,
    {"file", 'f', ISO_OPTION_TEXT, MEMBER(file), "MODEL",
     "the model, YAML or JSON; - reads standard input"},
    {"name", 0, ISO_OPTION_TEXT, MEMBER(name), "TEXT", "a name for it"},
    {0}};
const struct iso_option iso_session_show_option_rows[] = {
    ISO_COMMON_OPTIONS,
    SESSION_ROW,
    {"plan", 0, ISO_OPTION_FLAG, MEMBER(plan), NULL, "solve its model and print the plan instead"},
    {"why", 0, ISO_OPTION_FLAG, MEMBER(why), NULL, "with --plan: add reasons"},
    {0}};
const struct iso_option iso_session_fork_option_rows[] = {
    ISO_COMMON_OPTIONS,
    SESSION_ROW,
    {"name", 0, ISO_OPTION_TEXT, MEMBER(name), "TEXT", "a name for the new one"},
    {0}};
const struct iso_option iso_session_save_option_rows[] = {
    ISO_COMMON_OPTIONS,
    SESSION_ROW,
    {"note", 0, ISO_OPTION_TEXT, MEMBER(note), "TEXT", "a note that is kept with the plan"},
    {0}};

enum iso_exit_code iso_session_start_run(struct iso_cli *cli, const void *values, int n,
                                         char **operands)
{
    const struct iso_session_options *options = values;
    Isocost__V1__ModelRef model = ISOCOST__V1__MODEL_REF__INIT;
    enum iso_exit_code code = ISO_EXIT_OK;
    Isocost__V1__Session *session;
    struct iso_model_file file;
    struct iso_error error = {0};

    if ((n == 1) == (options->file != NULL)) {
        fputs("isocost: name either a PLAN or a model with -f\n", cli->err);
        return ISO_EXIT_USAGE;
    }
    if (n == 1) {
        model.ref_case = ISOCOST__V1__MODEL_REF__REF_PLAN_ID;
        model.plan_id = operands[0];
    } else {
        if (iso_model_file_read(options->file, cli->arena, cli->err, &file, &error) != ISO_OK) {
            iso_cli_complain(cli, &error);
            return iso_exit_code_of_status(error.status);
        }
        code = iso_remote_model(cli, file.model, &model);
    }
    if (code == ISO_EXIT_OK)
        code = iso_session_start(cli, &model, options->name, &session);
    if (code != ISO_EXIT_OK)
        return code;
    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, &session->base);
    fprintf(cli->out, "%s\n", session->id);
    fputs("`isocost session set CHANGE` changes it, `isocost session shell` opens a shell.\n",
          cli->err);
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_session_list_run(struct iso_cli *cli, const void *values, int n,
                                        char **operands)
{
    static const struct iso_column columns[] = {
        {"SESSION", false}, {"REVISION", true}, {"CHANGED", false}, {"NAME", false}};
    Isocost__V1__ListSessionsRequest request = ISOCOST__V1__LIST_SESSIONS_REQUEST__INIT;
    struct iso_view view = iso_cli_view(cli);
    ProtobufCMessage *message;

    (void)values, (void)n, (void)operands;
    enum iso_exit_code code = iso_remote_call(
        cli, &ISO_CLIENT_SESSION("ListSessions", list_sessions), &request.base, &message);
    if (code != ISO_EXIT_OK)
        return code;
    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, message);
    const Isocost__V1__ListSessionsResponse *response =
        (const Isocost__V1__ListSessionsResponse *)message;
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    if (response->n_sessions == 0)
        fputs("There are no sessions. `isocost session start -f MODEL` begins one.\n", cli->err);
    for (size_t i = 0; table && i < response->n_sessions; i++) {
        const Isocost__V1__Session *s = response->sessions[i];
        iso_table_add(table,
                      (const char *[]){s->id, iso_view_number(&view, s->revision),
                                       iso_view_time(&view, s->update_time), s->display_name});
    }
    if (response->n_sessions > 0 && (!table || !iso_table_print(table, cli->out)))
        return ISO_EXIT_OTHER;
    if (*response->next_page_token)
        fputs("There are more; `-o json` and the page token give them.\n", cli->err);
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_session_set_run(struct iso_cli *cli, const void *values, int n,
                                       char **operands)
{
    const struct iso_session_options *options = values;
    char *id;
    enum iso_exit_code code = iso_session_find(cli, options->session, &id);

    return code == ISO_EXIT_OK ? iso_session_set(cli, id, operands, (size_t)n, !options->no_solve)
                               : code;
}

/* The number that is the only operand, or 1. */
static bool read_count(struct iso_cli *cli, int n, char **operands, long least, int *ret_count)
{
    char *end = NULL;
    long count = n > 0 ? strtol(operands[0], &end, 10) : 1;

    *ret_count = (int)count;
    if (n == 0 || (end != operands[0] && !*end && count >= least && count <= 10000))
        return true;
    fprintf(cli->err, "isocost: \"%.40s\" is not a whole number in [%ld, 10000]\n", operands[0],
            least);
    return false;
}

static enum iso_exit_code go(struct iso_cli *cli, const struct iso_session_options *options,
                             const struct iso_session_move *move)
{
    char *id;
    enum iso_exit_code code = iso_session_find(cli, options->session, &id);

    return code == ISO_EXIT_OK ? iso_session_go(cli, id, move, !options->no_solve) : code;
}

enum iso_exit_code iso_session_undo_run(struct iso_cli *cli, const void *values, int n,
                                        char **operands)
{
    struct iso_session_move move = {0};

    return read_count(cli, n, operands, 1, &move.undo) ? go(cli, values, &move) : ISO_EXIT_USAGE;
}

enum iso_exit_code iso_session_redo_run(struct iso_cli *cli, const void *values, int n,
                                        char **operands)
{
    struct iso_session_move move = {0};

    return read_count(cli, n, operands, 1, &move.redo) ? go(cli, values, &move) : ISO_EXIT_USAGE;
}

enum iso_exit_code iso_session_goto_run(struct iso_cli *cli, const void *values, int n,
                                        char **operands)
{
    struct iso_session_move move = {.goes = true};

    return read_count(cli, n, operands, 0, &move.revision) ? go(cli, values, &move)
                                                           : ISO_EXIT_USAGE;
}

enum iso_exit_code iso_session_show_run(struct iso_cli *cli, const void *values, int n,
                                        char **operands)
{
    const struct iso_session_options *options = values;
    char *id;
    enum iso_exit_code code = iso_session_find(cli, options->session, &id);

    (void)n, (void)operands;
    if (code != ISO_EXIT_OK)
        return code;
    return options->plan || options->why ? iso_session_plan(cli, id, options->why)
                                         : iso_session_show(cli, id);
}

enum iso_exit_code iso_session_compare_run(struct iso_cli *cli, const void *values, int n,
                                           char **operands)
{
    const struct iso_session_options *options = values;
    char *id;
    enum iso_exit_code code = iso_session_find(cli, options->session, &id);

    return code == ISO_EXIT_OK ? iso_session_compare(cli, id, operands, (size_t)n) : code;
}

enum iso_exit_code iso_session_fork_run(struct iso_cli *cli, const void *values, int n,
                                        char **operands)
{
    const struct iso_session_options *options = values;
    char *id, *fork_id;
    enum iso_exit_code code = iso_session_find(cli, options->session, &id);

    (void)n, (void)operands;
    return code == ISO_EXIT_OK ? iso_session_fork(cli, id, options->name, &fork_id) : code;
}

enum iso_exit_code iso_session_save_run(struct iso_cli *cli, const void *values, int n,
                                        char **operands)
{
    const struct iso_session_options *options = values;
    char *id;
    enum iso_exit_code code = iso_session_find(cli, options->session, &id);

    (void)n, (void)operands;
    return code == ISO_EXIT_OK ? iso_session_save(cli, id, options->note) : code;
}

enum iso_exit_code iso_session_end_run(struct iso_cli *cli, const void *values, int n,
                                       char **operands)
{
    (void)values;
    for (int i = 0; i < n; i++) {
        enum iso_exit_code code = iso_session_end(cli, operands[i]);
        if (code != ISO_EXIT_OK)
            return code;
    }
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_session_shell_run(struct iso_cli *cli, const void *values, int n,
                                         char **operands)
{
    const struct iso_session_options *options = values;
    char *id;
    enum iso_exit_code code = iso_session_find(cli, options->session, &id);

    (void)n, (void)operands;
    return code == ISO_EXIT_OK ? iso_session_shell(cli, id) : code;
}

#include "plan_commands.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "plan_view.h"
#include "remote.h"
#include "solve.h"
#include "table.h"

#define MEMBER(name) offsetof(struct iso_plan_options, name)
#define FILE_ROW                                              \
    {                                                         \
        "file", 'f', ISO_OPTION_TEXT, MEMBER(file), "MODEL",  \
            "the model, YAML or JSON; - reads standard input" \
    }
#define WHY_ROW                                           \
    {                                                     \
        "why", 0, ISO_OPTION_FLAG, MEMBER(why), NULL,     \
            "add reasons, runners-up and what limits you" \
    }

const struct iso_option iso_validate_option_rows[] = {ISO_COMMON_OPTIONS, FILE_ROW, {0}};
const struct iso_option iso_plan_get_option_rows[] = {ISO_COMMON_OPTIONS, WHY_ROW, {0}};
const struct iso_option iso_plan_list_option_rows[] = {
    ISO_COMMON_OPTIONS,
    {"filter", 0, ISO_OPTION_TEXT, MEMBER(filter), "FILTER", "e.g. state=DONE or label.team=web"},
    {"limit", 0, ISO_OPTION_COUNT, MEMBER(limit), "N", "at most so many; default 50"},
    {0}};
const struct iso_option iso_plan_lines_option_rows[] = {ISO_COMMON_OPTIONS,
                                                        {"filter", 0, ISO_OPTION_TEXT,
                                                         MEMBER(filter), "FILTER",
                                                         "e.g. \"workload=web AND provider=aws\""},
                                                        {0}};
const struct iso_option iso_plan_export_option_rows[] = {
    ISO_COMMON_OPTIONS,
    FILE_ROW,
    {"format", 0, ISO_OPTION_TEXT, MEMBER(format), "FORMAT",
     "mps or lp: the model for another solver; json or csv: the plan"},
    {"tier", 0, ISO_OPTION_TEXT, MEMBER(tier), "TIER", "mps and lp: the stage; default money"},
    {0}};
const struct iso_option iso_plan_create_option_rows[] = {
    ISO_COMMON_OPTIONS,
    FILE_ROW,
    {"request-id", 0, ISO_OPTION_TEXT, MEMBER(request_id), "ID",
     "makes a repeated call give the same plan"},
    {"note", 0, ISO_OPTION_TEXT, MEMBER(note), "TEXT", "a note that is kept with the plan"},
    {0}};

static enum iso_exit_code read_model(struct iso_cli *cli, const char *path,
                                     struct iso_model_file *ret_file)
{
    struct iso_error error = {0};

    if (!path) {
        fputs("isocost: --file: name the model with -f\n", cli->err);
        return ISO_EXIT_USAGE;
    }
    enum iso_status status = iso_model_file_read(path, cli->arena, cli->err, ret_file, &error);
    if (status != ISO_OK)
        iso_cli_complain(cli, &error);
    return iso_exit_code_of_status(status);
}

/* Reads the model's file and names the model as the server is to be told of it. */
static enum iso_exit_code refer_to_file(struct iso_cli *cli, const char *path,
                                        struct iso_model_file *ret_file,
                                        Isocost__V1__ModelRef *ret_reference)
{
    enum iso_exit_code code = read_model(cli, path, ret_file);

    return code == ISO_EXIT_OK ? iso_remote_model(cli, ret_file->model, ret_reference) : code;
}

/* As iso_remote_call(), with the model's file for the places of wrong fields. */
static enum iso_exit_code call_with_file(struct iso_cli *cli,
                                         const struct iso_client_method *method,
                                         const ProtobufCMessage *request,
                                         const struct iso_model_file *file,
                                         ProtobufCMessage **ret_response)
{
    struct iso_client_options options = iso_remote_options(cli);
    struct iso_client_failure failure = {0};
    struct iso_error error = {0};

    if (iso_client_call(cli->client, method, &options, request, cli->arena, ret_response, &failure,
                        &error) == ISO_OK)
        return ISO_EXIT_OK;
    return iso_remote_complain(cli, &failure, &error, file);
}

static enum iso_exit_code print_validation(struct iso_cli *cli,
                                           const struct iso_plan_options *options,
                                           const Isocost__V1__ValidateModelResponse *response)
{
    static const struct iso_column columns[] = {
        {"WORKLOAD", false}, {"FILTER", false}, {"OFFERINGS", true}};
    struct iso_view view = iso_cli_view(cli);

    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, &response->base);
    fprintf(cli->out, "%s is a model that can be solved.\n", options->file);
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    for (size_t i = 0; table && response->stats && i < response->stats->n_filters; i++) {
        const Isocost__V1__FilterCount *row = response->stats->filters[i];
        iso_table_add(table, (const char *[]){row->workload, row->filter,
                                              iso_view_number(&view, (double)row->count)});
    }
    if (table && response->stats && response->stats->n_filters > 0) {
        fputc('\n', cli->out);
        iso_table_print(table, cli->out);
    }
    for (size_t i = 0; i < response->n_warnings; i++)
        fprintf(cli->out, "Warning: %s\n", response->warnings[i]);
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_validate_run(struct iso_cli *cli, const void *values, int n, char **operands)
{
    Isocost__V1__ValidateModelRequest request = ISOCOST__V1__VALIDATE_MODEL_REQUEST__INIT;
    const struct iso_plan_options *options = values;
    Isocost__V1__ModelRef reference;
    struct iso_model_file file;
    ProtobufCMessage *response;

    (void)n, (void)operands;
    enum iso_exit_code code = refer_to_file(cli, options->file, &file, &reference);
    if (code != ISO_EXIT_OK)
        return code;
    request.model = &reference;
    code = call_with_file(cli, &ISO_CLIENT_PLAN("ValidateModel", validate_model), &request.base,
                          &file, &response);
    if (code != ISO_EXIT_OK)
        return code;
    return print_validation(cli, options, (const Isocost__V1__ValidateModelResponse *)response);
}

static void add_plan_row(const struct iso_view *view, struct iso_table *table,
                         const Isocost__V1__Plan *plan)
{
    const char *ended = plan->termination
                            ? iso_view_enum(view, &isocost__v1__termination_reason__descriptor,
                                            (int)plan->termination->reason)
                            : "";

    iso_table_add(table,
                  (const char *[]){
                      plan->id,
                      iso_view_enum(view, &isocost__v1__plan_state__descriptor, (int)plan->state),
                      ended, iso_view_money(view, plan->cost),
                      iso_view_time(view, plan->create_time), plan->display_name});
}

enum iso_exit_code iso_plan_list_run(struct iso_cli *cli, const void *values, int n,
                                     char **operands)
{
    static const struct iso_column columns[] = {{"PLAN", false}, {"STATE", false}, {"ENDED", false},
                                                {"COST", true},  {"MADE", false},  {"NAME", false}};
    Isocost__V1__ListPlansRequest request = ISOCOST__V1__LIST_PLANS_REQUEST__INIT;
    const struct iso_plan_options *options = values;
    struct iso_view view = iso_cli_view(cli);
    ProtobufCMessage *message;

    (void)n, (void)operands;
    request.page_size = (int32_t)options->limit;
    if (options->filter)
        request.filter = (char *)options->filter;
    enum iso_exit_code code =
        iso_remote_call(cli, &ISO_CLIENT_PLAN("ListPlans", list_plans), &request.base, &message);
    if (code != ISO_EXIT_OK)
        return code;
    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, message);

    const Isocost__V1__ListPlansResponse *response =
        (const Isocost__V1__ListPlansResponse *)message;
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    if (!table)
        return ISO_EXIT_OTHER;
    for (size_t i = 0; i < response->n_plans; i++)
        add_plan_row(&view, table, response->plans[i]);
    if (response->n_plans == 0)
        fputs("There are no plans. `isocost solve --keep -f MODEL` or `isocost plan create` makes "
              "one.\n",
              cli->err);
    else if (!iso_table_print(table, cli->out))
        return ISO_EXIT_OTHER;
    if (*response->next_page_token)
        fputs("There are more; --limit shows them.\n", cli->err);
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_plan_get_run(struct iso_cli *cli, const void *values, int n, char **operands)
{
    Isocost__V1__GetPlanRequest request = ISOCOST__V1__GET_PLAN_REQUEST__INIT;
    const struct iso_plan_options *options = values;
    ProtobufCMessage *response;

    (void)n;
    request.id = operands[0];
    enum iso_exit_code code =
        iso_remote_call(cli, &ISO_CLIENT_PLAN("GetPlan", get_plan), &request.base, &response);
    if (code != ISO_EXIT_OK)
        return code;
    return iso_solve_print(cli, ((Isocost__V1__GetPlanResponse *)response)->plan, options->why);
}

enum iso_exit_code iso_plan_create_run(struct iso_cli *cli, const void *values, int n,
                                       char **operands)
{
    Isocost__V1__CreatePlanRequest request = ISOCOST__V1__CREATE_PLAN_REQUEST__INIT;
    const struct iso_plan_options *options = values;
    Isocost__V1__ModelRef reference;
    struct iso_model_file file;
    ProtobufCMessage *response;

    (void)n, (void)operands;
    enum iso_exit_code code = refer_to_file(cli, options->file, &file, &reference);
    if (code != ISO_EXIT_OK)
        return code;
    request.model = &reference;
    if (options->request_id)
        request.request_id = (char *)options->request_id;
    if (options->note)
        request.note = (char *)options->note;
    code = call_with_file(cli, &ISO_CLIENT_PLAN("CreatePlan", create_plan), &request.base, &file,
                          &response);
    if (code != ISO_EXIT_OK)
        return code;
    const Isocost__V1__Plan *plan = ((Isocost__V1__CreatePlanResponse *)response)->plan;
    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, &plan->base);
    fprintf(cli->out, "%s\n", plan->id);
    fprintf(cli->err, "`isocost plan watch %s` follows it.\n", plan->id);
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_plan_cancel_run(struct iso_cli *cli, const void *values, int n,
                                       char **operands)
{
    Isocost__V1__CancelPlanRequest request = ISOCOST__V1__CANCEL_PLAN_REQUEST__INIT;
    struct iso_view view = iso_cli_view(cli);
    ProtobufCMessage *response;

    (void)values, (void)n;
    request.id = operands[0];
    enum iso_exit_code code =
        iso_remote_call(cli, &ISO_CLIENT_PLAN("CancelPlan", cancel_plan), &request.base, &response);
    if (code != ISO_EXIT_OK)
        return code;
    const Isocost__V1__Plan *plan = ((Isocost__V1__CancelPlanResponse *)response)->plan;
    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, &plan->base);
    fprintf(cli->out, "%s %s\n", plan->id,
            iso_view_enum(&view, &isocost__v1__plan_state__descriptor, (int)plan->state));
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_plan_rm_run(struct iso_cli *cli, const void *values, int n, char **operands)
{
    Isocost__V1__DeletePlanRequest request = ISOCOST__V1__DELETE_PLAN_REQUEST__INIT;
    ProtobufCMessage *response;

    (void)values;
    for (int i = 0; i < n; i++) {
        request.id = operands[i];
        enum iso_exit_code code = iso_remote_call(cli, &ISO_CLIENT_PLAN("DeletePlan", delete_plan),
                                                  &request.base, &response);
        if (code != ISO_EXIT_OK)
            return code;
    }
    return ISO_EXIT_OK;
}

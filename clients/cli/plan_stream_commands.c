#include <string.h>

#include "model_file.h"
#include "plan_commands.h"
#include "remote.h"
#include "solve.h"
#include "table.h"

#define LINES_PAGE 10000

/* The last plan that a watch sent, as bytes: messages live only until the callback returns. */
struct watch {
    struct iso_cli *cli;
    Isocost__V1__Plan *plan;
};

static bool on_watch_event(void *context, const ProtobufCMessage *message)
{
    const Isocost__V1__WatchPlanResponse *event = (const Isocost__V1__WatchPlanResponse *)message;
    struct watch *watch = context;
    struct iso_view view = iso_cli_view(watch->cli);
    FILE *err = watch->cli->err;

    switch (event->event_case) {
    case ISOCOST__V1__WATCH_PLAN_RESPONSE__EVENT_STATE_CHANGED:
        fprintf(err, "%s\n",
                iso_view_enum(&view, &isocost__v1__plan_state__descriptor,
                              (int)event->state_changed->state));
        break;
    case ISOCOST__V1__WATCH_PLAN_RESPONSE__EVENT_PROGRESS:
        fprintf(err, "%6.1f s  %s", event->progress->seconds, event->progress->tier);
        if (event->progress->opt_value_case == ISOCOST__V1__SOLVE_PROGRESS__OPT_VALUE_VALUE)
            fprintf(err, "  best %.2f", event->progress->value);
        if (event->progress->opt_gap_case == ISOCOST__V1__SOLVE_PROGRESS__OPT_GAP_GAP)
            fprintf(err, "  gap %.3f %%", 100 * event->progress->gap);
        fputc('\n', err);
        break;
    case ISOCOST__V1__WATCH_PLAN_RESPONSE__EVENT_ENDED:
        watch->plan = iso_arena_copy(watch->cli->arena, &event->ended->base);
        break;
    default:
        break;
    }
    return true;
}

enum iso_exit_code iso_plan_watch_run(struct iso_cli *cli, const void *values, int n,
                                      char **operands)
{
    Isocost__V1__WatchPlanRequest request = ISOCOST__V1__WATCH_PLAN_REQUEST__INIT;
    const struct iso_plan_options *options = values;
    struct watch watch = {.cli = cli};

    request.id = operands[0];
    enum iso_exit_code code = iso_remote_stream(cli, &ISO_CLIENT_PLAN("WatchPlan", watch_plan),
                                                &request.base, on_watch_event, &watch);
    if (code != ISO_EXIT_OK)
        return code;
    if (!watch.plan)
        return iso_plan_get_run(cli, values, n, operands);
    return iso_solve_print(cli, watch.plan, options->why);
}

static bool put_chunk(void *context, const ProtobufCMessage *message)
{
    const Isocost__V1__ExportPlanResponse *part = (const Isocost__V1__ExportPlanResponse *)message;
    struct iso_cli *cli = context;

    return fwrite(part->chunk.data, 1, part->chunk.len, cli->out) == part->chunk.len;
}

static enum iso_status find_format(const char *name, Isocost__V1__ExportFormat *ret_format,
                                   struct iso_error *reterr)
{
    static const struct {
        const char *name;
        Isocost__V1__ExportFormat format;
    } formats[] = {{"mps", ISOCOST__V1__EXPORT_FORMAT__EXPORT_FORMAT_MPS},
                   {"lp", ISOCOST__V1__EXPORT_FORMAT__EXPORT_FORMAT_LP},
                   {"json", ISOCOST__V1__EXPORT_FORMAT__EXPORT_FORMAT_JSON},
                   {"csv", ISOCOST__V1__EXPORT_FORMAT__EXPORT_FORMAT_CSV}};

    for (size_t i = 0; name && i < ISO_ARRAY_LENGTH(formats); i++) {
        if (strcmp(formats[i].name, name) == 0) {
            *ret_format = formats[i].format;
            return ISO_OK;
        }
    }
    if (!name)
        return iso_fail(reterr, ISO_E_INVALID, "--format",
                        "one of mps, lp, json, csv must be given");
    return iso_fail(reterr, ISO_E_INVALID, "--format", "\"%s\" is not one of mps, lp, json, csv",
                    name);
}

static enum iso_exit_code name_model(struct iso_cli *cli, const struct iso_plan_options *options,
                                     int n, char **operands, struct iso_model_file *file,
                                     Isocost__V1__ModelRef *reference)
{
    struct iso_error error = {0};

    if ((n == 1) == (options->file != NULL)) {
        fputs("isocost: name either a PLAN or, for mps and lp, a model with -f\n", cli->err);
        return ISO_EXIT_USAGE;
    }
    if (n == 1) {
        isocost__v1__model_ref__init(reference);
        reference->ref_case = ISOCOST__V1__MODEL_REF__REF_PLAN_ID;
        reference->plan_id = operands[0];
        return iso_remote_open(cli);
    }
    if (iso_model_file_read(options->file, cli->arena, cli->err, file, &error) != ISO_OK) {
        iso_cli_complain(cli, &error);
        return iso_exit_code_of_status(error.status);
    }
    return iso_remote_model(cli, file->model, reference);
}

enum iso_exit_code iso_plan_export_run(struct iso_cli *cli, const void *values, int n,
                                       char **operands)
{
    Isocost__V1__ExportPlanRequest request = ISOCOST__V1__EXPORT_PLAN_REQUEST__INIT;
    struct iso_client_options call = iso_remote_options(cli);
    const struct iso_plan_options *options = values;
    struct iso_client_failure failure = {0};
    struct iso_model_file file = {0};
    Isocost__V1__ModelRef reference;
    struct iso_error error = {0};

    if (find_format(options->format, &request.format, &error) != ISO_OK) {
        iso_cli_complain(cli, &error);
        return ISO_EXIT_USAGE;
    }
    enum iso_exit_code code = name_model(cli, options, n, operands, &file, &reference);
    if (code != ISO_EXIT_OK)
        return code;
    request.model = &reference;
    if (options->tier)
        request.tier = (char *)options->tier;
    if (iso_client_stream(cli->client, &ISO_CLIENT_PLAN("ExportPlan", export_plan), &call,
                          &request.base, put_chunk, cli, cli->arena, &failure, &error) == ISO_OK)
        return ISO_EXIT_OK;
    return iso_remote_complain(cli, &failure, &error, file.model ? &file : NULL);
}

#define STRING(name) iso_view_line_string(lines, lines->name##_index, lines->n_##name##_index, row)
#define NUMBER(name) (row < lines->n_##name ? iso_view_number(&view, lines->name[row]) : "")

static void add_lines(struct iso_cli *cli, struct iso_table *table,
                      const Isocost__V1__LineTable *lines)
{
    struct iso_view view = iso_cli_view(cli);

    for (size_t row = 0; row < lines->n_kind; row++) {
        const char *product = STRING(product), *offering = STRING(offering);
        const char *workload = STRING(workload), *team = STRING(team), *from = STRING(from);
        const char *what = *from       ? iso_arena_printf(cli->arena, "%s > %s", from, STRING(to))
                           : *offering ? offering
                                       : product;
        const char *periods = STRING(period);
        int32_t n = row < lines->n_periods && lines->periods[row] > 1 ? lines->periods[row] : 1;
        if (n > 1)
            periods = iso_arena_printf(cli->arena, "%s..%s", STRING(period), STRING(last_period));
        iso_table_add(
            table,
            (const char *[]){
                iso_view_enum(&view, &isocost__v1__line_kind__descriptor, (int)lines->kind[row]),
                *workload ? workload : team, periods, what ? what : "", NUMBER(quantity),
                NUMBER(served),
                row < lines->n_unit_price
                    ? iso_arena_printf(cli->arena, "%.10g %s", lines->unit_price[row],
                                       STRING(currency))
                    : "",
                row < lines->n_hours ? iso_view_number(&view, lines->hours[row] * n) : "",
                row < lines->n_cost ? iso_arena_printf(cli->arena, "%.2f", lines->cost[row]) : ""});
    }
}

enum iso_exit_code iso_plan_lines_run(struct iso_cli *cli, const void *values, int n,
                                      char **operands)
{
    static const struct iso_column columns[] = {
        {"KIND", false},     {"WORKLOAD", false}, {"PERIOD", false},
        {"OFFERING", false}, {"COUNT", true},     {"SERVES", true},
        {"PRICE/H", true},   {"HOURS", true},     {"COST", true}};
    Isocost__V1__ListPlanLinesRequest request = ISOCOST__V1__LIST_PLAN_LINES_REQUEST__INIT;
    const struct iso_plan_options *options = values;
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    ProtobufCMessage *message;

    (void)n;
    if (!table)
        return ISO_EXIT_OTHER;
    request.id = operands[0];
    request.page_size = LINES_PAGE;
    if (options->filter)
        request.filter = (char *)options->filter;
    do {
        enum iso_exit_code code = iso_remote_call(
            cli, &ISO_CLIENT_PLAN("ListPlanLines", list_plan_lines), &request.base, &message);
        if (code != ISO_EXIT_OK)
            return code;
        const Isocost__V1__ListPlanLinesResponse *page =
            (const Isocost__V1__ListPlanLinesResponse *)message;
        if (cli->output != ISO_OUTPUT_TABLE)
            iso_cli_print_message(cli, message);
        else if (page->lines)
            add_lines(cli, table, page->lines);
        request.page_token = page->next_page_token;
    } while (*request.page_token);
    if (cli->output == ISO_OUTPUT_TABLE && !iso_table_print(table, cli->out))
        return ISO_EXIT_OTHER;
    return ISO_EXIT_OK;
}

#include "solve.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "catalog_import.h"
#include "interrupt.h"
#include "local_server.h"
#include "plan_view.h"
#include "remote.h"
#include "start_plan.h"

#define DEFAULT_TIME_LIMIT_S 60
#define ANSWER_MARGIN_S 60 /* beyond the time limit: waiting for a solver, checking, sending */

const struct iso_option iso_solve_option_rows[] = {
    ISO_COMMON_OPTIONS,
    {"file", 'f', ISO_OPTION_TEXT, offsetof(struct iso_solve_options, file), "MODEL",
     "the model, YAML or JSON; - reads standard input"},
    {"start", 0, ISO_OPTION_TEXT, offsetof(struct iso_solve_options, start), "PLAN",
     "begin the search with a stored plan"},
    {"gap", 0, ISO_OPTION_SHARE, offsetof(struct iso_solve_options, gap), "SHARE",
     "stop when no plan can be cheaper by more than this, e.g. 0.1%"},
    {"time-limit", 0, ISO_OPTION_SECONDS, offsetof(struct iso_solve_options, time_limit_s), "TIME",
     "stop after this time, e.g. 60s"},
    {"watch", 0, ISO_OPTION_FLAG, offsetof(struct iso_solve_options, watch), NULL,
     "tell how far the search is, on standard error"},
    {"why", 0, ISO_OPTION_FLAG, offsetof(struct iso_solve_options, why), NULL,
     "add reasons, runners-up and what limits you"},
    {"local", 0, ISO_OPTION_FLAG, offsetof(struct iso_solve_options, local), NULL,
     "start a server for this solve alone, with the sample catalog"},
    {"keep", 0, ISO_OPTION_FLAG, offsetof(struct iso_solve_options, keep), NULL,
     "store the plan at the server"},
    {0}};

enum iso_exit_code iso_solve_print(struct iso_cli *cli, const Isocost__V1__Plan *plan, bool why)
{
    struct iso_view view = iso_cli_view(cli);

    if (cli->output == ISO_OUTPUT_CSV) {
        iso_plan_view_csv(plan, cli->out);
    } else if (cli->output != ISO_OUTPUT_TABLE) {
        enum iso_exit_code code = iso_cli_print_message(cli, &plan->base);
        if (code != ISO_EXIT_OK)
            return code;
    } else if (!iso_plan_view_print(&view, plan, why ? ISO_PLAN_VIEW_WHY : 0)) {
        fputs("isocost: out of memory\n", cli->err);
        return ISO_EXIT_OTHER;
    }
    return iso_exit_code_of_plan(plan);
}

/* What has come of one solve. */
struct solve_watch {
    struct iso_cli *cli;
    bool watch, on_terminal;
    Isocost__V1__Plan *plan; /* the last incumbent, then the answer */
    bool answered;
};

static void tell_progress(const struct solve_watch *watch, const Isocost__V1__SolveProgress *event)
{
    FILE *err = watch->cli->err;

    fprintf(err, "%s%6.1f s  %s", watch->on_terminal ? "\r\033[K" : "", event->seconds,
            *event->tier ? event->tier : "begins");
    if (event->opt_value_case == ISOCOST__V1__SOLVE_PROGRESS__OPT_VALUE_VALUE)
        fprintf(err, "  best %.2f", event->value);
    if (event->opt_bound_case == ISOCOST__V1__SOLVE_PROGRESS__OPT_BOUND_BOUND)
        fprintf(err, "  bound %.2f", event->bound);
    if (event->opt_gap_case == ISOCOST__V1__SOLVE_PROGRESS__OPT_GAP_GAP)
        fprintf(err, "  gap %.3f %%", 100 * event->gap);
    if (!watch->on_terminal)
        fputc('\n', err);
    fflush(err);
}

static bool on_solve_event(void *context, const ProtobufCMessage *message)
{
    const Isocost__V1__SolvePlanStreamResponse *event =
        (const Isocost__V1__SolvePlanStreamResponse *)message;
    struct solve_watch *watch = context;

    switch (event->event_case) {
    case ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__EVENT_ACCEPTED:
        if (watch->watch && event->accepted->queue_position > 0)
            fprintf(watch->cli->err, "%d solves are before this one\n",
                    event->accepted->queue_position);
        break;
    case ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__EVENT_PROGRESS:
        if (watch->watch)
            tell_progress(watch, event->progress);
        if (event->progress->incumbent)
            watch->plan = iso_arena_copy(watch->cli->arena, &event->progress->incumbent->base);
        break;
    case ISOCOST__V1__SOLVE_PLAN_STREAM_RESPONSE__EVENT_PLAN:
        watch->plan = iso_arena_copy(watch->cli->arena, &event->plan->base);
        watch->answered = true;
        if (watch->watch && watch->on_terminal)
            fputs("\r\033[K", watch->cli->err);
        break;
    default:
        break;
    }
    return true;
}

/* The incumbent as the answer of a search that the user stopped. */
static void mark_stopped(struct iso_cli *cli, Isocost__V1__Plan *plan)
{
    Isocost__V1__Termination *end = iso_arena_calloc(cli->arena, 1, sizeof(*end));

    if (!end)
        return;
    isocost__v1__termination__init(end);
    end->reason = ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_FEASIBLE;
    end->stopped_by = ISOCOST__V1__STOPPED_BY__STOPPED_BY_CANCEL;
    end->detail = (char *)"the best plan when you stopped the search";
    plan->termination = end;
    plan->state = ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE;
}

static enum iso_exit_code stopped(struct iso_cli *cli, struct solve_watch *watch, bool why)
{
    if (watch->watch && watch->on_terminal)
        fputc('\n', cli->err);
    if (!watch->plan) {
        fputs("Stopped; no plan was found until then.\n", cli->err);
        return ISO_EXIT_STOPPED_WITHOUT_PLAN;
    }
    fputs("Stopped; this is the best plan until then.\n", cli->err);
    if (!watch->answered)
        mark_stopped(cli, watch->plan);
    enum iso_exit_code code = iso_solve_print(cli, watch->plan, why);
    return code == ISO_EXIT_OK ? ISO_EXIT_STOPPED_WITH_PLAN : code;
}

static enum iso_exit_code solve(struct iso_cli *cli, const struct iso_solve_options *options,
                                const struct iso_model_file *file)
{
    Isocost__V1__SolvePlanStreamRequest request = ISOCOST__V1__SOLVE_PLAN_STREAM_REQUEST__INIT;
    Isocost__V1__ModelRef reference;
    struct solve_watch watch = {
        .cli = cli, .watch = options->watch, .on_terminal = isatty(fileno(cli->err))};
    struct iso_client_options call = iso_remote_options(cli);
    struct iso_client_failure failure = {0};
    struct iso_error error = {0};
    double limit_s = file->model->options->time_limit_seconds;

    enum iso_exit_code code = iso_remote_model(cli, file->model, &reference);
    if (code != ISO_EXIT_OK)
        return code;
    request.model = &reference;
    request.incumbents = true;
    request.keep = options->keep;
    call.timeout_s = (limit_s > 0 ? limit_s : DEFAULT_TIME_LIMIT_S) + ANSWER_MARGIN_S;
    call.cancel = iso_client_cancel_new();
    iso_interrupt_cancel(call.cancel);
    enum iso_status status = iso_client_stream(
        cli->client, &ISO_CLIENT_PLAN("SolvePlanStream", solve_plan_stream), &call, &request.base,
        on_solve_event, &watch, cli->arena, &failure, &error);
    iso_interrupt_cancel(NULL);
    iso_client_cancel_free(call.cancel);

    if (iso_interrupt_came())
        return stopped(cli, &watch, options->why);
    if (status != ISO_OK)
        return iso_remote_complain(cli, &failure, &error, file);
    if (!watch.plan) {
        fputs("isocost: the server ended the call without a plan\n", cli->err);
        return ISO_EXIT_OTHER;
    }
    return iso_solve_print(cli, watch.plan, options->why);
}

static bool wants(const Isocost__V1__Options *options, Isocost__V1__Want want)
{
    for (size_t i = 0; i < options->n_want; i++)
        if (options->want[i] == want)
            return true;
    return false;
}

/* Puts what the command line asks into the model's options. */
static bool apply(struct iso_cli *cli, const struct iso_solve_options *asked,
                  Isocost__V1__Model *model)
{
    static const Isocost__V1__Want wanted[] = {ISOCOST__V1__WANT__WANT_BASELINES,
                                               ISOCOST__V1__WANT__WANT_RUNNERS_UP,
                                               ISOCOST__V1__WANT__WANT_DUALS};
    const size_t n_wanted = asked->why ? 3 : 2;

    if (!model->options) {
        model->options = iso_arena_calloc(cli->arena, 1, sizeof(*model->options));
        if (!model->options)
            return false;
        isocost__v1__options__init(model->options);
    }
    Isocost__V1__Options *options = model->options;
    Isocost__V1__Want *want =
        iso_arena_calloc(cli->arena, options->n_want + n_wanted, sizeof(*want));
    if (!want)
        return false;
    if (options->n_want > 0)
        memcpy(want, options->want, options->n_want * sizeof(*want));
    options->want = want;
    for (size_t i = 0; i < n_wanted; i++)
        if (!wants(options, wanted[i]))
            options->want[options->n_want++] = wanted[i];
    if (asked->gap.given) {
        options->opt_gap_case = ISOCOST__V1__OPTIONS__OPT_GAP_GAP;
        options->gap = asked->gap.value;
    }
    if (asked->time_limit_s > 0)
        options->time_limit_seconds = asked->time_limit_s;
    return true;
}

static enum iso_exit_code solve_read(struct iso_cli *cli, const struct iso_solve_options *options,
                                     const struct iso_model_file *file)
{
    if (!apply(cli, options, file->model)) {
        fputs("isocost: out of memory\n", cli->err);
        return ISO_EXIT_OTHER;
    }
    if (options->start) {
        enum iso_exit_code code = iso_start_from_plan(cli, options->start, file->model);
        if (code != ISO_EXIT_OK)
            return code;
    }
    return solve(cli, options, file);
}

static enum iso_exit_code read_model(struct iso_cli *cli, const char *path,
                                     struct iso_model_file *ret_file)
{
    struct iso_error error = {0};
    enum iso_status status = iso_model_file_read(path, cli->arena, cli->err, ret_file, &error);

    if (status != ISO_OK)
        iso_cli_complain(cli, &error);
    return iso_exit_code_of_status(status);
}

enum iso_exit_code iso_solve_file(struct iso_cli *cli, const struct iso_solve_options *options,
                                  const char *path)
{
    struct iso_model_file file;
    enum iso_exit_code code = read_model(cli, path, &file);

    return code == ISO_EXIT_OK ? solve_read(cli, options, &file) : code;
}

static enum iso_exit_code solve_locally(struct iso_cli *cli,
                                        const struct iso_solve_options *options,
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
    if (file->model->catalog && file->model->catalog->n_selectors > 0) {
        code = iso_catalog_import_sample(cli, &snapshot);
        if (code == ISO_EXIT_OK)
            fprintf(cli->err,
                    "Solving with the dated sample catalog of %lld offerings; its prices "
                    "are illustrative.\n",
                    (long long)snapshot->offering_count);
    }
    if (code == ISO_EXIT_OK)
        code = solve_read(cli, options, file);
    iso_client_free(cli->client);
    cli->client = NULL;
    return code;
}

enum iso_exit_code iso_solve_run(struct iso_cli *cli, const void *values, int n, char **operands)
{
    const struct iso_solve_options *options = values;
    struct iso_model_file file;

    (void)n, (void)operands;
    if (!options->file) {
        fputs("isocost: --file: name the model with -f, e.g. `isocost solve -f model.yaml`\n",
              cli->err);
        return ISO_EXIT_USAGE;
    }
    enum iso_exit_code code = read_model(cli, options->file, &file);
    if (code != ISO_EXIT_OK)
        return code;
    if (options->local && options->start) {
        fputs("isocost: --start: a server of its own has no stored plans; leave out --local\n",
              cli->err);
        return ISO_EXIT_USAGE;
    }
    return options->local ? solve_locally(cli, options, &file) : solve_read(cli, options, &file);
}

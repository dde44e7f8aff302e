#include "what_if.h"

#include <stddef.h>
#include <string.h>

#include "change_complain.h"
#include "evaluation_view.h"
#include "isocost/proto/change.h"
#include "remote.h"

static char base_name[] = "as it is", set_name[] = "changed";

static enum iso_exit_code out_of_memory(struct iso_cli *cli)
{
    fputs("isocost: out of memory\n", cli->err);
    return ISO_EXIT_OTHER;
}

/* --- showing --- */

static enum iso_exit_code show(struct iso_cli *cli, const struct iso_what_if *asked,
                               const struct iso_evaluation_results *results,
                               Isocost__V1__SweepParameter *const *parameters)
{
    struct iso_view view = iso_cli_view(cli);
    struct iso_error error = {0};
    bool enough = true;

    if (cli->output == ISO_OUTPUT_CSV)
        iso_evaluation_view_csv(results, cli->out);
    else if (cli->output == ISO_OUTPUT_JSON)
        enough = iso_evaluation_view_json(results, cli->out, &error) == ISO_OK;
    else if (asked->frontier)
        enough = iso_evaluation_view_curve(&view, results, parameters[0]->target,
                                           strncmp(asked->frontier, "budget", 6) == 0);
    else if (asked->n_sweeps == 1)
        enough = iso_evaluation_view_curve(&view, results, parameters[0]->target,
                                           /* served= */ false);
    else if (asked->n_sweeps == 2)
        enough =
            iso_evaluation_view_grid(&view, results, parameters[0]->target, parameters[1]->target);
    else
        enough = iso_evaluation_view_table(&view, results, base_name);
    return enough ? ISO_EXIT_OK : out_of_memory(cli);
}

static enum iso_exit_code code_of(const struct iso_evaluation_results *results, bool only_sets)
{
    const Isocost__V1__ScenarioResult *last = results->n ? results->items[results->n - 1] : NULL;

    for (size_t i = 0; i < results->n; i++)
        if (results->items[i]->error)
            return results->items[i]->error->code == 3 ? ISO_EXIT_INVALID : ISO_EXIT_OTHER;
    if (only_sets && last && last->plan)
        return iso_exit_code_of_plan(last->plan);
    return ISO_EXIT_OK;
}

/* --- asking --- */

struct question {
    const struct iso_client_method method;
    const ProtobufCMessage *request;
    Isocost__V1__ModelRef model;
    Isocost__V1__Scenario **scenarios;
    size_t n_scenarios;
    Isocost__V1__SweepParameter *parameters[2];
};

static enum iso_exit_code complain(struct iso_cli *cli, const struct question *question,
                                   const struct iso_client_failure *failure,
                                   const struct iso_error *error)
{
    bool told = false;

    for (int i = 0; i < failure->n_fields; i++)
        told |= iso_change_complain_field(cli, failure->fields[i].field, failure->fields[i].text,
                                          &question->model, NULL, 0, question->scenarios,
                                          question->n_scenarios);
    return told ? iso_exit_code_of_status(error->status)
                : iso_remote_complain(cli, failure, error, NULL);
}

static enum iso_exit_code put(struct iso_cli *cli, const struct iso_what_if *asked,
                              const struct question *question)
{
    struct iso_evaluation_results results;
    struct iso_client_failure failure = {0};
    struct iso_error error = {0};
    enum iso_exit_code code = iso_remote_open(cli);

    if (code != ISO_EXIT_OK)
        return code;
    enum iso_status status =
        iso_evaluation_run(cli, &question->method, question->request, &results, &failure, &error);
    if (status != ISO_OK && status != ISO_E_CANCELLED)
        return complain(cli, question, &failure, &error);
    if (status == ISO_E_CANCELLED)
        fprintf(cli->err, "Stopped; %zu answers came until then.\n", results.n);
    code = show(cli, asked, &results, question->parameters);
    if (code != ISO_EXIT_OK)
        return code;
    for (size_t i = 0; i < results.n; i++)
        if (results.items[i]->error)
            iso_change_complain_result(cli, results.items[i], question->scenarios,
                                       question->n_scenarios);
    if (status == ISO_E_CANCELLED)
        return results.n > 0 ? ISO_EXIT_STOPPED_WITH_PLAN : ISO_EXIT_STOPPED_WITHOUT_PLAN;
    return code_of(&results, asked->n_scenarios + asked->n_sweeps == 0 && !asked->frontier);
}

static Isocost__V1__Scenario *new_scenario(struct iso_cli *cli, char *name,
                                           Isocost__V1__Change **changes, size_t n)
{
    Isocost__V1__Scenario *scenario = iso_arena_calloc(cli->arena, 1, sizeof(*scenario));

    if (!scenario)
        return NULL;
    isocost__v1__scenario__init(scenario);
    scenario->name = name;
    scenario->changes = changes;
    scenario->n_changes = n;
    return scenario;
}

/* NAME:CHANGE,CHANGE. NULL: it was told what is wrong, or memory is short. */
static Isocost__V1__Scenario *read_scenario(struct iso_cli *cli, const char *text)
{
    const char *colon = strchr(text, ':'), *list;
    size_t n = 0, most = 1;
    char *name, **texts;

    if (!colon || colon == text) {
        fprintf(cli->err,
                "isocost: --scenario: \"%.60s\" is not NAME:CHANGE,CHANGE, such as "
                "\"sale:demand.web=+30%%,budget.total=12000\"\n",
                text);
        return NULL;
    }
    name = iso_arena_printf(cli->arena, "%.*s", (int)(colon - text), text);
    for (const char *c = colon; *c; c++)
        most += *c == ',';
    texts = iso_arena_calloc(cli->arena, most, sizeof(*texts));
    list = colon + 1;
    while (texts && n < most && (texts[n] = iso_change_next(&list, cli->arena)))
        n++;
    Isocost__V1__Change **changes =
        name && texts ? iso_changes_from_texts(cli, name, texts, n) : NULL;
    return changes ? new_scenario(cli, name, changes, n) : NULL;
}

static enum iso_exit_code ask_scenarios(struct iso_cli *cli, const struct iso_what_if *asked,
                                        struct question *question, Isocost__V1__Change **sets)
{
    Isocost__V1__EvaluateScenariosRequest request = ISOCOST__V1__EVALUATE_SCENARIOS_REQUEST__INIT;
    size_t n = 0;

    question->scenarios =
        iso_arena_calloc(cli->arena, asked->n_scenarios + 2, sizeof(*question->scenarios));
    if (!question->scenarios)
        return out_of_memory(cli);
    question->scenarios[n++] = new_scenario(cli, base_name, NULL, 0);
    if (asked->n_scenarios == 0)
        question->scenarios[n++] = new_scenario(cli, set_name, sets, asked->n_sets);
    if (!question->scenarios[n - 1] || !question->scenarios[0])
        return out_of_memory(cli);
    bool wrong = false;
    for (size_t i = 0; i < asked->n_scenarios; i++) {
        Isocost__V1__Scenario *scenario = read_scenario(cli, asked->scenarios[i]);
        wrong = wrong || !scenario;
        if (scenario)
            question->scenarios[n++] = scenario;
    }
    if (wrong)
        return ISO_EXIT_INVALID;
    request.model = &question->model;
    request.scenarios = question->scenarios;
    request.n_scenarios = question->n_scenarios = n;
    const struct question all = {
        .method = ISO_CLIENT_SESSION("EvaluateScenarios", evaluate_scenarios),
        .request = &request.base,
        .model = question->model,
        .scenarios = question->scenarios,
        .n_scenarios = n,
    };
    return put(cli, asked, &all);
}

/* Reads TARGET=FROM..TO:POINTS; NULL: it was told what is wrong. */
static Isocost__V1__SweepParameter *read_range(struct iso_cli *cli, const char *option,
                                               const char *text)
{
    Isocost__V1__SweepParameter *parameter = NULL;
    struct iso_error error = {0};

    if (iso_sweep_read(text, cli->arena, &parameter, NULL, &error) != ISO_OK)
        iso_change_complain(cli, option, text, error.text);
    return parameter;
}

static enum iso_exit_code ask_sweep(struct iso_cli *cli, const struct iso_what_if *asked,
                                    struct question *question)
{
    Isocost__V1__SweepRequest request = ISOCOST__V1__SWEEP_REQUEST__INIT;
    struct question all = {.method = ISO_CLIENT_SESSION("Sweep", sweep),
                           .request = &request.base,
                           .model = question->model};

    if (asked->n_sweeps > 2) {
        fputs("isocost: --sweep: at most two numbers can be varied at a time\n", cli->err);
        return ISO_EXIT_USAGE;
    }
    for (size_t i = 0; i < asked->n_sweeps; i++) {
        all.parameters[i] = read_range(cli, "--sweep", asked->sweeps[i]);
        if (!all.parameters[i])
            return ISO_EXIT_INVALID;
    }
    request.model = &all.model;
    request.parameters = all.parameters;
    request.n_parameters = asked->n_sweeps;
    return put(cli, asked, &all);
}

/* `service=0.5..1.2:8`, `service.WORKLOAD=...`, `budget=8000..16000:9` or `budget.ID=...`. */
static enum iso_exit_code ask_frontier(struct iso_cli *cli, const struct iso_what_if *asked,
                                       struct question *question)
{
    Isocost__V1__FrontierRequest request = ISOCOST__V1__FRONTIER_REQUEST__INIT;
    Isocost__V1__ServiceFrontier service = ISOCOST__V1__SERVICE_FRONTIER__INIT;
    Isocost__V1__BudgetFrontier budget = ISOCOST__V1__BUDGET_FRONTIER__INIT;
    struct question all = {.method = ISO_CLIENT_SESSION("Frontier", frontier),
                           .request = &request.base,
                           .model = question->model};
    Isocost__V1__SweepParameter *range = read_range(cli, "--frontier", asked->frontier);

    if (!range)
        return ISO_EXIT_INVALID;
    char *id = strchr(range->target, '.');
    size_t n_axis = id ? (size_t)(id - range->target) : strlen(range->target);
    all.parameters[0] = range;
    request.model = &all.model;
    if (n_axis == 7 && strncmp(range->target, "service", n_axis) == 0) {
        request.axis_case = ISOCOST__V1__FRONTIER_REQUEST__AXIS_SERVICE;
        request.service = &service;
        service.levels = range->values;
        service.n_levels = range->n_values;
        id = id ? id + 1 : NULL;
        service.workloads = &id;
        service.n_workloads = id ? 1 : 0;
    } else if (n_axis == 6 && strncmp(range->target, "budget", n_axis) == 0) {
        request.axis_case = ISOCOST__V1__FRONTIER_REQUEST__AXIS_BUDGET;
        request.budget = &budget;
        budget.amounts = range->values;
        budget.n_amounts = range->n_values;
        if (id)
            budget.budget = id + 1;
    } else {
        fprintf(cli->err,
                "isocost: --frontier: \"%s\" is neither service, service.WORKLOAD, budget nor "
                "budget.ID\n",
                range->target);
        return ISO_EXIT_INVALID;
    }
    return put(cli, asked, &all);
}

enum iso_exit_code iso_what_if_ask(struct iso_cli *cli, const struct iso_what_if *asked)
{
    struct question question = {.model = *asked->model};
    Isocost__V1__Change **sets = iso_changes_from_texts(cli, "--set", asked->sets, asked->n_sets);
    bool others = asked->n_scenarios + asked->n_sweeps > 0 || asked->frontier;

    if (!sets)
        return iso_arena_full(cli->arena) ? out_of_memory(cli) : ISO_EXIT_INVALID;
    if ((asked->n_scenarios > 0) + (asked->n_sweeps > 0) + (asked->frontier != NULL) > 1) {
        fputs("isocost: give one of --scenario, --sweep and --frontier\n", cli->err);
        return ISO_EXIT_USAGE;
    }
    if (!others && asked->n_sets == 0) {
        fputs("isocost: what is to be different? Give --set CHANGE, --scenario, --sweep or "
              "--frontier; `isocost help whatif` explains.\n",
              cli->err);
        return ISO_EXIT_USAGE;
    }
    if (others) {
        question.model.changes = sets;
        question.model.n_changes = asked->n_sets;
    }
    if (asked->n_sweeps > 0)
        return ask_sweep(cli, asked, &question);
    if (asked->frontier)
        return ask_frontier(cli, asked, &question);
    return ask_scenarios(cli, asked, &question, sets);
}

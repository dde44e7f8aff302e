/* Sweep and Frontier: scenarios made of ranges of numbers. */
#include <stdio.h>

#include "evaluation.h"
#include "isocost/proto/change.h"
#include "isocost/proto/money.h"
#include "message_new.h"

#define POINTS_MAX 1000 /* of one parameter */

typedef Isocost__V1__SweepParameter Parameter;

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for the points");
}

/* Adds the scenario of a point: the changes of the texts. */
static enum iso_status add_point(struct iso_evaluation *evaluation, const char *const *texts,
                                 const double *values, int n, const char *path,
                                 struct iso_violations *violations, struct iso_error *reterr)
{
    Isocost__V1__Change given[2], *pointers[2] = {&given[0], &given[1]}, **changes;
    struct iso_arena *arena = violations->arena;
    char *name = iso_arena_strdup(arena, "");

    for (int i = 0; i < n; i++) {
        isocost__v1__change__init(&given[i]);
        if (!texts[i] || !name)
            return no_memory(reterr);
        given[i].text = (char *)texts[i];
        name = iso_arena_printf(arena, "%s%s%s", name, i ? ", " : "", texts[i]);
    }
    if (!name)
        return no_memory(reterr);
    ISO_TRY(iso_changes_read(pointers, (size_t)n, path, violations, &changes, reterr));
    return iso_evaluation_add(evaluation, name, changes, (size_t)n, values, n, reterr);
}

/* --- sweeps --- */

static enum iso_status read_parameters(const Isocost__V1__SweepRequest *request,
                                       struct iso_violations *violations, Parameter *ret_read[2],
                                       struct iso_error *reterr)
{
    char field[64];

    if (request->n_parameters < 1 || request->n_parameters > 2)
        return iso_fail(reterr, ISO_E_INVALID, "parameters", "%zu; one or two are allowed",
                        request->n_parameters);
    for (size_t i = 0; i < request->n_parameters; i++) {
        struct iso_error error = {0};
        ret_read[i] = request->parameters[i];
        if (ret_read[i]->text[0]) {
            enum iso_status status =
                iso_sweep_read(ret_read[i]->text, violations->arena, &ret_read[i], NULL, &error);
            snprintf(field, sizeof(field), "parameters[%zu].text", i);
            if (status == ISO_E_INVALID)
                iso_violations_add(violations, field, "%s", error.text);
            else if (status != ISO_OK)
                return iso_fail(reterr, status, "", "%s", error.text);
        } else if (ret_read[i]->n_values < 1 || ret_read[i]->n_values > POINTS_MAX) {
            snprintf(field, sizeof(field), "parameters[%zu].values", i);
            iso_violations_add(violations, field, "%zu values; 1 to %d are allowed",
                               ret_read[i]->n_values, POINTS_MAX);
        }
    }
    return iso_violations_status(violations, reterr);
}

static enum iso_status add_sweep(struct iso_evaluation *evaluation, Parameter *const *parameters,
                                 size_t n_parameters, struct iso_violations *violations,
                                 struct iso_error *reterr)
{
    const Parameter *outer = parameters[0], *inner = n_parameters > 1 ? parameters[1] : NULL;
    size_t n_inner = inner ? inner->n_values : 1;

    if (outer->n_values * n_inner > ISO_SCENARIOS_MAX)
        return iso_fail(reterr, ISO_E_INVALID, "parameters", "%zu points; at most %d are allowed",
                        outer->n_values * n_inner, ISO_SCENARIOS_MAX);
    ISO_TRY(iso_evaluation_reserve(evaluation, outer->n_values * n_inner, reterr));
    for (size_t i = 0; i < outer->n_values; i++)
        for (size_t k = 0; k < n_inner; k++) {
            const double values[2] = {outer->values[i], inner ? inner->values[k] : 0};
            const char *texts[2] = {iso_sweep_change(outer, values[0], violations->arena)};
            if (inner)
                texts[1] = iso_sweep_change(inner, values[1], violations->arena);
            ISO_TRY(add_point(evaluation, texts, values, (int)n_parameters, "parameters",
                              violations, reterr));
        }
    if (!inner)
        iso_evaluation_set_height(evaluation, ISO_CURVE_COST);
    return ISO_OK;
}

enum iso_status iso_evaluation_build_sweep(struct iso_evaluation *evaluation,
                                           const ProtobufCMessage *message,
                                           struct iso_violations *violations,
                                           struct iso_error *reterr)
{
    const Isocost__V1__SweepRequest *request = (const Isocost__V1__SweepRequest *)message;
    Parameter *parameters[2];

    ISO_TRY(read_parameters(request, violations, parameters, reterr));
    return add_sweep(evaluation, parameters, request->n_parameters, violations, reterr);
}

/* --- frontiers --- */

static enum iso_status check_count(size_t n, const char *field, struct iso_error *reterr)
{
    if (n < 1 || n > POINTS_MAX)
        return iso_fail(reterr, ISO_E_INVALID, field, "%zu; 1 to %d are allowed", n, POINTS_MAX);
    return ISO_OK;
}

/* The demand of the workloads times the level: a change of each, or one of all. */
static enum iso_status add_levels(struct iso_evaluation *evaluation,
                                  const Isocost__V1__ServiceFrontier *axis,
                                  struct iso_violations *violations, struct iso_error *reterr)
{
    struct iso_arena *arena = violations->arena;
    size_t n = axis->n_workloads > 0 ? axis->n_workloads : 1;
    static char all[] = "*";

    ISO_TRY(check_count(axis->n_levels, "service.levels", reterr));
    ISO_TRY(iso_evaluation_reserve(evaluation, axis->n_levels, reterr));
    for (size_t i = 0; i < axis->n_levels; i++) {
        double level = axis->levels[i];
        Isocost__V1__Change **changes =
            (Isocost__V1__Change **)iso_messages_new(arena, n, &isocost__v1__change__descriptor);
        Isocost__V1__DemandChange **demands = (Isocost__V1__DemandChange **)iso_messages_new(
            arena, n, &isocost__v1__demand_change__descriptor);
        char *name = iso_arena_printf(arena, "service %.9g", level);

        if (!(level >= 0 && level <= 10)) {
            char field[64];
            snprintf(field, sizeof(field), "service.levels[%zu]", i);
            return iso_fail(reterr, ISO_E_INVALID, field, "%g; it must be in [0, 10]", level);
        }
        if (!changes || !demands || !name)
            return no_memory(reterr);
        for (size_t k = 0; k < n; k++) {
            demands[k]->workload = axis->n_workloads > 0 ? axis->workloads[k] : all;
            demands[k]->change_case = ISOCOST__V1__DEMAND_CHANGE__CHANGE_FACTOR;
            demands[k]->factor = level;
            changes[k]->change_case = ISOCOST__V1__CHANGE__CHANGE_DEMAND;
            changes[k]->demand = demands[k];
        }
        ISO_TRY(iso_evaluation_add(evaluation, name, changes, n, &level, 1, reterr));
    }
    iso_evaluation_set_height(evaluation, ISO_CURVE_COST);
    return ISO_OK;
}

static Isocost__V1__Budget *find_budget(const Isocost__V1__Model *model, const char *id)
{
    for (size_t i = 0; i < model->n_budgets; i++)
        if (strcmp(model->budgets[i]->id, id) == 0)
            return model->budgets[i];
    return NULL;
}

/* A budget over everything, in the base currency. */
static Isocost__V1__Budget *add_budget(Isocost__V1__Model *model, struct iso_arena *arena)
{
    Isocost__V1__Budget *budget = iso_message_new(arena, &isocost__v1__budget__descriptor);
    Isocost__V1__BudgetWindow *window =
        iso_message_new(arena, &isocost__v1__budget_window__descriptor);
    Isocost__V1__Budget **all = iso_arena_calloc(arena, model->n_budgets + 1, sizeof(*all));
    const char *currency = model->currency && model->currency->base_currency[0]
                               ? model->currency->base_currency
                               : "USD";
    static char id[] = "frontier";

    if (!budget || !window || !all)
        return NULL;
    for (size_t i = 0; i < model->n_budgets; i++)
        all[i] = model->budgets[i];
    budget->windows = iso_arena_calloc(arena, 1, sizeof(*budget->windows));
    window->amount = iso_money_from_decimal(0, currency, arena);
    if (!budget->windows || !window->amount)
        return NULL;
    budget->id = id;
    budget->basis = ISOCOST__V1__BUDGET_BASIS__BUDGET_BASIS_AMORTISED;
    budget->windows[budget->n_windows++] = window;
    all[model->n_budgets++] = budget;
    model->budgets = all;
    return budget;
}

/* What a budget can serve is a question only where demand may stay unserved. */
static void relax_service(Isocost__V1__Model *model)
{
    for (size_t i = 0; i < model->n_workloads; i++) {
        Isocost__V1__Workload *workload = model->workloads[i];
        if (workload->service_case == ISOCOST__V1__WORKLOAD__SERVICE_MUST_SERVE) {
            workload->service_case = ISOCOST__V1__WORKLOAD__SERVICE_PRIORITY;
            workload->priority = 1;
        }
    }
}

static enum iso_status add_amounts(struct iso_evaluation *evaluation,
                                   const Isocost__V1__BudgetFrontier *axis,
                                   struct iso_violations *violations, struct iso_error *reterr)
{
    Isocost__V1__Model *model = iso_evaluation_model(evaluation);
    Isocost__V1__Budget *budget;
    Parameter parameter = ISOCOST__V1__SWEEP_PARAMETER__INIT;

    ISO_TRY(check_count(axis->n_amounts, "budget.amounts", reterr));
    relax_service(model);
    budget = axis->budget[0] ? find_budget(model, axis->budget)
                             : add_budget(model, iso_evaluation_arena(evaluation));
    if (!budget && axis->budget[0])
        return iso_fail(reterr, ISO_E_INVALID, "budget.budget", "no budget has the id \"%.64s\"",
                        axis->budget);
    if (!budget)
        return no_memory(reterr);
    budget->policy = NULL; /* HARD */
    budget->disabled = false;
    parameter.target = iso_arena_printf(violations->arena, "budget.%s", budget->id);
    if (!parameter.target)
        return no_memory(reterr);
    ISO_TRY(iso_evaluation_reserve(evaluation, axis->n_amounts, reterr));
    for (size_t i = 0; i < axis->n_amounts; i++) {
        const char *text = iso_sweep_change(&parameter, axis->amounts[i], violations->arena);
        ISO_TRY(add_point(evaluation, &text, &axis->amounts[i], 1, "budget.amounts", violations,
                          reterr));
    }
    iso_evaluation_set_height(evaluation, ISO_CURVE_SERVED);
    return ISO_OK;
}

enum iso_status iso_evaluation_build_frontier(struct iso_evaluation *evaluation,
                                              const ProtobufCMessage *message,
                                              struct iso_violations *violations,
                                              struct iso_error *reterr)
{
    const Isocost__V1__FrontierRequest *request = (const Isocost__V1__FrontierRequest *)message;

    switch (request->axis_case) {
    case ISOCOST__V1__FRONTIER_REQUEST__AXIS_SERVICE:
        return add_levels(evaluation, request->service, violations, reterr);
    case ISOCOST__V1__FRONTIER_REQUEST__AXIS_BUDGET:
        ISO_TRY(iso_evaluation_settle(evaluation, violations, reterr));
        return add_amounts(evaluation, request->budget, violations, reterr);
    default:
        return iso_fail(reterr, ISO_E_INVALID, "axis", "is missing; give service or budget");
    }
}

/* Ways out of conflicts, in the words and numbers of the model. */
#include <math.h>
#include <string.h>

#include "isocost/proto/money.h"
#include "plan_parts.h"

/* What of a rule is changed: a prefix of its id, or NULL when it is no number. */
static const char *changed_thing(const struct iso_plan_writer *writer,
                                 const struct iso_change *change)
{
    switch (change->rule.kind) {
    case ISO_RULE_DEMAND:
        return "the demand of ";
    case ISO_RULE_LIMIT:
        return writer->problem->limits[change->rule.a].quota ? "" : "limit ";
    case ISO_RULE_BUDGET:
        if (writer->problem->budgets[change->rule.a].n_windows > 1 && change->window >= 0)
            return iso_arena_printf(writer->arena, "window %s of budget ",
                                    iso_window_name(writer, change->rule.a, change->window));
        return "budget ";
    case ISO_RULE_SHARE:
    case ISO_RULE_SURVIVE:
        return "the share of rule ";
    case ISO_RULE_SPREAD:
        return "the domains of rule ";
    case ISO_RULE_MOVES:
        return "";
    case ISO_RULE_LATENCY:
        return "the latency of rule ";
    case ISO_RULE_ALLOWED:
    case ISO_RULE_AFFINITY:
    case ISO_RULE_RAMP:
    case ISO_RULE_BOX:
        break;
    }
    return NULL;
}

/* --- amounts as the model says them --- */

static const Isocost__V1__Budget *budget_of(const struct iso_plan_writer *writer,
                                            const struct iso_change *change)
{
    const char *id = writer->problem->budgets[change->rule.a].id;

    for (size_t i = 0; i < writer->model->n_budgets; i++)
        if (strcmp(writer->model->budgets[i]->id, id) == 0)
            return writer->model->budgets[i];
    return NULL;
}

/* The window of the problem that a change is told of: where all are raised alike, the first. */
static int32_t told_window(const struct iso_change *change)
{
    return change->window < 0 ? 0 : change->window;
}

static const Isocost__V1__BudgetWindow *window_of(const struct iso_plan_writer *writer,
                                                  const struct iso_change *change, bool *ret_first)
{
    const struct iso_problem *problem = writer->problem;
    const Isocost__V1__Budget *budget = budget_of(writer, change);
    size_t place =
        (size_t)told_window(change) / (size_t)(problem->n_scenarios > 0 ? problem->n_scenarios : 1);

    *ret_first = place == 0;
    return budget && place < budget->n_windows ? budget->windows[place] : NULL;
}

/* Hours that the amount of a window is for, as a multiple of those inside the horizon, >= 1. */
static double hours_ratio(const struct iso_plan_writer *writer, const struct iso_change *change,
                          const Isocost__V1__BudgetWindow *message)
{
    const struct iso_problem *problem = writer->problem;
    int32_t w = told_window(change);
    const struct iso_window *window = &problem->budgets[change->rule.a].windows[w];
    double inside = 0, all = message->hours;

    for (int32_t t = 0; t < problem->n_periods; t++)
        inside += window->periods[t] ? iso_decimal_to_double(problem->periods[t].hours) : 0;
    inside /= iso_window_part(problem, change->rule.a, w);
    if (message->to_hour > 0)
        all = message->to_hour - message->from_hour;
    return inside > 0 && all > inside ? all / inside : 1;
}

/* The smallest part that a window of the budget stands for: in the least probable scenario. */
static double smallest_part(const struct iso_problem *problem, int32_t budget)
{
    double part = 1;

    for (int32_t w = 0; w < problem->budgets[budget].n_windows; w++)
        part = fmin(part, iso_window_part(problem, budget, w));
    return part;
}

/* Up to an amount that a person can type. */
static double rounded_up(double amount)
{
    double digits = fabs(amount) >= 1 ? 100 : 1e6;

    return ceil(amount * digits - 1e-6) / digits;
}

/* To the places that numbers of a model may have. */
static double typed(double value)
{
    return round(value * 1e9) / 1e9;
}

/* The amount of the window as the model has it, before what is spent already and hours outside the
 * horizon were taken off it, and the amount that it needs to have. */
static void say_amounts(const struct iso_plan_writer *writer, const struct iso_change *change,
                        double *ret_current, double *ret_needed)
{
    const struct iso_problem *problem = writer->problem;
    const Isocost__V1__BudgetWindow *message = NULL;
    const Isocost__V1__Budget *budget;
    iso_decimal spent = 0, amount = 0;
    double part, more;
    bool first;

    *ret_current = typed(change->current);
    *ret_needed = typed(change->needed);
    if (change->rule.kind != ISO_RULE_BUDGET)
        return;
    message = window_of(writer, change, &first);
    budget = budget_of(writer, change);
    if (!message || iso_money_to_decimal(message->amount, &amount, NULL) != ISO_OK)
        return;
    if (first && budget->spent_already)
        iso_money_to_decimal(budget->spent_already, &spent, NULL);
    part = change->window < 0 ? smallest_part(problem, change->rule.a)
                              : iso_window_part(problem, change->rule.a, change->window);
    more = (change->needed - change->current) / part * hours_ratio(writer, change, message);
    *ret_current = iso_decimal_to_double(amount);
    *ret_needed = rounded_up(fmax(*ret_current, iso_decimal_to_double(spent)) + more);
}

/* --- sentences --- */

static const char *change_unit(const struct iso_plan_writer *writer,
                               const struct iso_change *change)
{
    const struct iso_problem *problem = writer->problem;
    const struct iso_budget *budget =
        change->rule.kind == ISO_RULE_BUDGET ? &problem->budgets[change->rule.a] : NULL;

    if (change->rule.kind == ISO_RULE_LATENCY)
        return " ms";
    if (!budget || told_window(change) >= budget->n_windows)
        return "";
    const char *text =
        iso_arena_printf(writer->arena, " %s",
                         problem->currencies[budget->windows[told_window(change)].currency].code);
    return text ? text : "";
}

static const char *change_text(const struct iso_plan_writer *writer,
                               const struct iso_change *change)
{
    const char *id = iso_rule_name(writer, change->rule).id;
    const char *thing = changed_thing(writer, change);
    double current, needed;

    if (change->rule.kind == ISO_RULE_BOX)
        return iso_arena_printf(writer->arena, "drop the box of workload %s", id);
    if (change->rule.kind == ISO_RULE_AFFINITY || change->rule.kind == ISO_RULE_RAMP)
        return iso_arena_printf(writer->arena, "drop rule %s", id);
    if (!thing)
        return iso_arena_printf(writer->arena, "allow more offerings for %s", id);
    say_amounts(writer, change, &current, &needed);
    return iso_arena_printf(writer->arena, "%s %s%s from %.12g to %.12g%s",
                            needed > current ? "raise" : "lower", thing, id, current, needed,
                            change_unit(writer, change));
}

static bool change_is_known(const struct iso_plan_writer *writer, const struct iso_change *change)
{
    return iso_rule_is_known(writer->problem, change->rule) && isfinite(change->current) &&
           isfinite(change->needed);
}

/* The sentence of a way out: all its changes, one after the other. */
static const char *relaxation_text(const struct iso_plan_writer *writer,
                                   const struct iso_relaxation *relaxation)
{
    const char *text = change_text(writer, &relaxation->change);

    for (int32_t k = 0; text && k < relaxation->n_more; k++) {
        const char *more = change_text(writer, &relaxation->more[k]);
        text = more ? iso_arena_printf(writer->arena, "%s and %s", text, more) : NULL;
    }
    return text;
}

static void write_more_changes(struct iso_plan_writer *writer, const struct iso_relaxation *from,
                               Isocost__V1__Relaxation *to)
{
    to->also = (Isocost__V1__RelaxationChange **)iso_messages_new(
        writer->arena, (size_t)from->n_more, &isocost__v1__relaxation_change__descriptor);
    for (int32_t k = 0; to->also && k < from->n_more; k++) {
        const struct iso_change *change = &from->more[k];
        Isocost__V1__RelaxationChange *also = to->also[to->n_also++];
        also->rule = iso_borrow(iso_rule_name(writer, change->rule).id);
        also->text = iso_borrow(change_text(writer, change));
        say_amounts(writer, change, &also->current, &also->needed);
    }
}

/* One of which a change makes no sense says nothing that could be relied on. */
static bool relaxation_is_known(const struct iso_plan_writer *writer,
                                const struct iso_relaxation *relaxation)
{
    bool known = change_is_known(writer, &relaxation->change);

    for (int32_t k = 0; k < relaxation->n_more; k++)
        known = known && change_is_known(writer, &relaxation->more[k]);
    return known;
}

void iso_plan_write_ways_out(struct iso_plan_writer *writer)
{
    const struct iso_plan *plan = writer->plan;
    Isocost__V1__Plan *message = writer->message;

    message->relaxations = (Isocost__V1__Relaxation **)iso_messages_new(
        writer->arena, (size_t)plan->n_relaxations, &isocost__v1__relaxation__descriptor);
    for (int32_t i = 0; message->relaxations && i < plan->n_relaxations; i++) {
        const struct iso_relaxation *from = &plan->relaxations[i];
        if (!relaxation_is_known(writer, from))
            continue;
        Isocost__V1__Relaxation *to = message->relaxations[message->n_relaxations++];
        to->rule = iso_borrow(iso_rule_name(writer, from->change.rule).id);
        to->text = iso_borrow(relaxation_text(writer, from));
        say_amounts(writer, &from->change, &to->current, &to->needed);
        to->cost = iso_plan_money_estimate(writer, from->cost);
        to->verified = from->verified;
        write_more_changes(writer, from, to);
    }
}

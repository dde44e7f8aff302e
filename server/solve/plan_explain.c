/* Why the plan is as it is, and what else could be done. All numbers here are the solver's
 * estimates or the results of other solves; indices are checked before they are used. */
#include <math.h>

#include "plan_parts.h"

static int compare_places(const struct iso_runner_up *a, int32_t period, int32_t cell,
                          int32_t chosen)
{
    if (a->period != period)
        return a->period < period ? -1 : 1;
    if (a->cell != cell)
        return a->cell < cell ? -1 : 1;
    return (a->chosen > chosen) - (a->chosen < chosen);
}

static int compare_runners_up(const void *left, const void *right)
{
    const struct iso_runner_up *a = *(const struct iso_runner_up *const *)left;
    const struct iso_runner_up *b = *(const struct iso_runner_up *const *)right;
    int order = compare_places(a, b->period, b->cell, b->chosen);
    return order ? order : (a > b) - (a < b);
}

bool iso_plan_open_reasons(struct iso_plan_writer *writer)
{
    size_t n = (size_t)writer->plan->n_runners_up;

    writer->cheapest = iso_arena_calloc(writer->arena, (size_t)writer->problem->n_workloads + 1,
                                        sizeof(*writer->cheapest));
    writer->runners_up = iso_arena_calloc(writer->arena, n + 1, sizeof(*writer->runners_up));
    if (!writer->cheapest || !writer->runners_up)
        return false;
    for (size_t i = 0; i < n; i++)
        writer->runners_up[i] = &writer->plan->runners_up[i];
    qsort(writer->runners_up, n, sizeof(*writer->runners_up), compare_runners_up);
    return true;
}

/* The first runner-up of a line, or NULL. */
static const struct iso_runner_up *find_runner_up(const struct iso_plan_writer *writer,
                                                  const struct iso_line *line)
{
    int32_t n = writer->plan->n_runners_up, low = 0, high = n;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (compare_places(writer->runners_up[middle], line->period, line->cell, line->offering) <
            0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < n &&
        compare_places(writer->runners_up[low], line->period, line->cell, line->offering) == 0)
        return writer->runners_up[low];
    return NULL;
}

static bool runner_up_is_known(const struct iso_problem *problem, const struct iso_runner_up *other)
{
    return other->cell >= 0 && other->cell < iso_problem_n_cells(problem) &&
           other->workload >= -1 && other->workload < problem->n_workloads && other->period >= 0 &&
           other->period < problem->n_periods && other->chosen >= 0 &&
           other->chosen < problem->n_offerings && other->offering >= 0 &&
           other->offering < problem->n_offerings &&
           (!other->blocked || iso_rule_is_known(problem, other->blocker));
}

/* The option of a workload that serves a unit for least in a period, by its price alone. */
static int32_t cheapest_option(const struct iso_problem *problem, int32_t workload, int32_t period)
{
    const struct iso_workload *of = &problem->workloads[workload];
    double least = INFINITY;
    int32_t cheapest = -1;

    for (int32_t i = 0; i < of->n_options; i++) {
        int32_t o = of->options[i].offering;
        const struct iso_currency *currency = &problem->currencies[problem->offerings[o].currency];
        double cost = iso_decimal_to_double(iso_problem_price(problem, o, period)) *
                      iso_decimal_to_double(currency->rate_to_base[period]) /
                      iso_decimal_to_double(of->options[i].served);
        if (cost < least) {
            least = cost;
            cheapest = o;
        }
    }
    return cheapest;
}

/* Whether all prices are the same in two periods, in the base currency. */
static bool has_same_prices(const struct iso_problem *problem, int32_t t, int32_t other)
{
    if (t != other && problem->n_price_exceptions > 0)
        return false;
    for (int32_t k = 0; k < problem->n_currencies; k++)
        if (problem->currencies[k].rate_to_base[t] != problem->currencies[k].rate_to_base[other])
            return false;
    return true;
}

/* Without an estimate from the solver: by price. */
static const char *reason_by_price(struct iso_plan_writer *writer, const struct iso_line *line)
{
    const struct iso_problem *problem = writer->problem;

    if (line->cell >= problem->n_workloads)
        return "part of the cheapest packing found";
    struct iso_cheapest *cheapest = &writer->cheapest[line->cell];
    if (!cheapest->known || !has_same_prices(problem, cheapest->period, line->period))
        *cheapest = (struct iso_cheapest){true, line->period,
                                          cheapest_option(problem, line->cell, line->period)};
    if (cheapest->offering < 0 || cheapest->offering == line->offering)
        return "cheapest per unit served";
    return iso_arena_printf(writer->arena,
                            "next after %s, of which rules or whole instances leave no more",
                            problem->offerings[cheapest->offering].id);
}

const char *iso_plan_reason(struct iso_plan_writer *writer, const struct iso_line *line)
{
    const struct iso_problem *problem = writer->problem;
    const struct iso_runner_up *other = find_runner_up(writer, line);

    if (line->covered == line->quantity)
        return "commitments cover its price";
    if (!other || !runner_up_is_known(problem, other))
        return reason_by_price(writer, line);
    if (other->blocked)
        return iso_arena_printf(writer->arena, "cheapest that the rules allow; %s holds %s back",
                                iso_rule_name(writer, other->blocker).id,
                                problem->offerings[other->offering].id);
    return iso_arena_printf(writer->arena,
                            "serves a unit for %.6g %s an hour; the next best, %s, for %.6g",
                            other->chosen_unit_cost, iso_base_currency(problem),
                            problem->offerings[other->offering].id, other->unit_cost);
}

static void write_bindings(struct iso_plan_writer *writer)
{
    const struct iso_problem *problem = writer->problem;
    const struct iso_plan *plan = writer->plan;
    Isocost__V1__Plan *message = writer->message;

    message->binding_rules = (Isocost__V1__BindingRule **)iso_messages_new(
        writer->arena, (size_t)plan->n_bindings, &isocost__v1__binding_rule__descriptor);
    for (int32_t i = 0; message->binding_rules && i < plan->n_bindings; i++) {
        const struct iso_binding *from = &plan->bindings[i];
        if (!iso_rule_is_known(problem, from->rule) || !isfinite(from->value) ||
            !isfinite(from->limit))
            continue;
        Isocost__V1__BindingRule *to = message->binding_rules[message->n_binding_rules++];
        to->rule = iso_borrow(iso_rule_name(writer, from->rule).id);
        double part = 1;
        if (from->rule.kind == ISO_RULE_BUDGET && from->period >= 0) {
            to->period = iso_borrow(iso_window_name(writer, from->rule.a, from->period));
            part = iso_window_part(problem, from->rule.a, from->period);
        } else if (from->period >= 0 && from->period < problem->n_periods) {
            to->period = iso_borrow(problem->periods[from->period].id);
        }
        to->value = from->value / part;
        to->limit = from->limit / part;
        to->worth = iso_plan_money_estimate(writer, from->worth * part);
        to->worth_kind = ISOCOST__V1__WORTH_KIND__WORTH_KIND_LP_ESTIMATE;
    }
}

static const char *runner_up_reason(const struct iso_plan_writer *writer,
                                    const struct iso_runner_up *other)
{
    const char *currency = iso_base_currency(writer->problem);
    double difference = other->unit_cost - other->chosen_unit_cost;

    if (other->blocked) {
        struct iso_rule_name rule = iso_rule_name(writer, other->blocker);
        return iso_arena_printf(writer->arena,
                                "its list price is lower, but with the %s %s it serves a unit for "
                                "%.6g %s an hour, the chosen for %.6g",
                                rule.kind, rule.id, other->unit_cost, currency,
                                other->chosen_unit_cost);
    }
    if (fabs(difference) <= 1e-9 * fabs(other->chosen_unit_cost))
        return iso_arena_printf(writer->arena,
                                "it would do as well: both serve a unit for %.6g %s "
                                "an hour",
                                other->unit_cost, currency);
    return iso_arena_printf(writer->arena,
                            "it serves a unit for %.6g %s an hour, the chosen for %.6g",
                            other->unit_cost, currency, other->chosen_unit_cost);
}

static void write_runners_up(struct iso_plan_writer *writer)
{
    const struct iso_problem *problem = writer->problem;
    const struct iso_plan *plan = writer->plan;
    Isocost__V1__Plan *message = writer->message;

    message->runners_up = (Isocost__V1__RunnerUp **)iso_messages_new(
        writer->arena, (size_t)plan->n_runners_up, &isocost__v1__runner_up__descriptor);
    for (int32_t i = 0; message->runners_up && i < plan->n_runners_up; i++) {
        const struct iso_runner_up *from = &plan->runners_up[i];
        if (!runner_up_is_known(problem, from))
            continue;
        Isocost__V1__RunnerUp *to = message->runners_up[message->n_runners_up++];
        to->user = iso_borrow(iso_cell_id(problem, from->cell));
        to->period = iso_borrow(problem->periods[from->period].id);
        to->chosen = iso_borrow(problem->offerings[from->chosen].id);
        to->offering = iso_borrow(problem->offerings[from->offering].id);
        to->chosen_unit_cost = iso_plan_money_estimate(writer, from->chosen_unit_cost);
        to->unit_cost = iso_plan_money_estimate(writer, from->unit_cost);
        to->reason = iso_borrow(runner_up_reason(writer, from));
        to->reduced_cost = iso_plan_money_estimate(writer, from->reduced_cost);
        to->reduced_cost_kind = from->resolved ? ISOCOST__V1__WORTH_KIND__WORTH_KIND_RESOLVED
                                               : ISOCOST__V1__WORTH_KIND__WORTH_KIND_LP_ESTIMATE;
    }
}

static const char *baseline_note(const struct iso_plan_writer *writer,
                                 const struct iso_baseline *baseline)
{
    double cost = iso_decimal_to_double(writer->plan->cost);

    if (!baseline->known)
        return "not found out in the time there was";
    if (!baseline->feasible)
        return "cannot be done under the rules";
    if (baseline->cost <= 0)
        return "costs nothing";
    return iso_arena_printf(writer->arena, "the plan costs %.6g %s %s, %.3g %%",
                            fabs(baseline->cost - cost), iso_base_currency(writer->problem),
                            cost <= baseline->cost ? "less" : "more",
                            100.0 * fabs(baseline->cost - cost) / baseline->cost);
}

static void write_baselines(struct iso_plan_writer *writer)
{
    const struct iso_problem *problem = writer->problem;
    const struct iso_plan *plan = writer->plan;
    Isocost__V1__Plan *message = writer->message;

    message->baselines = (Isocost__V1__Baseline **)iso_messages_new(
        writer->arena, (size_t)plan->n_baselines, &isocost__v1__baseline__descriptor);
    for (int32_t i = 0; message->baselines && i < plan->n_baselines; i++) {
        const struct iso_baseline *from = &plan->baselines[i];
        bool provider = from->kind == ISO_BASELINE_PROVIDER;
        if (provider && (from->provider < 0 || from->provider >= problem->n_providers))
            continue;
        Isocost__V1__Baseline *to = message->baselines[message->n_baselines++];
        to->name = provider
                       ? iso_arena_printf(writer->arena, "only %s",
                                          problem->provider_names[from->provider])
                       : iso_borrow(from->kind == ISO_BASELINE_TODAY ? "today" : "all on demand");
        to->feasible = from->known && from->feasible;
        if (to->feasible) {
            to->cost = iso_plan_money_estimate(writer, from->cost);
            to->bound = iso_plan_money_estimate(writer, from->bound);
        }
        to->note = iso_borrow(baseline_note(writer, from));
    }
}

static void write_conflicts(struct iso_plan_writer *writer)
{
    const struct iso_plan *plan = writer->plan;
    Isocost__V1__Plan *message = writer->message;

    message->conflicts = (Isocost__V1__Conflict **)iso_messages_new(
        writer->arena, (size_t)plan->n_conflicts, &isocost__v1__conflict__descriptor);
    for (int32_t i = 0; message->conflicts && i < plan->n_conflicts; i++) {
        const struct iso_conflict *from = &plan->conflicts[i];
        Isocost__V1__Conflict *to = message->conflicts[message->n_conflicts++];
        to->minimal = from->minimal;
        to->rules = (Isocost__V1__ConflictRule **)iso_messages_new(
            writer->arena, (size_t)from->n_rules, &isocost__v1__conflict_rule__descriptor);
        for (int32_t k = 0; to->rules && k < from->n_rules; k++) {
            if (!iso_rule_is_known(writer->problem, from->rules[k]))
                continue;
            struct iso_rule_name name = iso_rule_name(writer, from->rules[k]);
            Isocost__V1__ConflictRule *rule = to->rules[to->n_rules++];
            rule->rule = iso_borrow(name.id);
            rule->kind = iso_borrow(name.kind);
            rule->text = iso_borrow(name.text);
        }
    }
}

void iso_plan_write_explanations(struct iso_plan_writer *writer)
{
    write_bindings(writer);
    write_runners_up(writer);
    write_baselines(writer);
    write_conflicts(writer);
    iso_plan_write_ways_out(writer);
}

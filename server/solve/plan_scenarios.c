/* What each scenario costs, and budgets' windows, which are one in each scenario. */
#include <math.h>

#include "plan_parts.h"

/* A part of the expected cost as what is paid when the scenario comes. */
static Google__Type__Money *when_it_comes(const struct iso_plan_writer *writer, iso_decimal part,
                                          iso_decimal probability)
{
    iso_decimal amount;

    return iso_decimal_divide(part, probability, ISO_ROUND_HALF_EVEN, &amount)
               ? iso_plan_money(writer, amount)
               : NULL;
}

static double cost_of(const struct iso_plan *plan, int32_t s)
{
    return iso_decimal_to_double(plan->bills[s].cost) +
           iso_decimal_to_double(plan->bills[s].penalties);
}

/* What the dearest scenarios cost whose probabilities add up to 1 - tail_level, on average. */
static double tail_cost(const struct iso_problem *problem, const struct iso_plan *plan)
{
    double beyond = 1 - iso_decimal_to_double(problem->tail_level), sum = 0;

    for (int32_t s = 0; s < problem->n_scenarios; s++) {
        double own = iso_decimal_to_double(problem->scenarios[s].probability), left = beyond;
        double price = cost_of(plan, s) / own;
        for (int32_t other = 0; other < problem->n_scenarios; other++) {
            double mass = iso_decimal_to_double(problem->scenarios[other].probability);
            double its = cost_of(plan, other) / mass;
            if (its > price || (its == price && other < s))
                left -= mass;
        }
        sum += price * fmax(0, fmin(own, left));
    }
    return sum / beyond;
}

void iso_plan_write_scenarios(struct iso_plan_writer *writer)
{
    const struct iso_problem *problem = writer->problem;
    const struct iso_plan *plan = writer->plan;
    Isocost__V1__Plan *message = writer->message;

    if (plan->n_bills == 0 || plan->n_bills != problem->n_scenarios)
        return;
    message->scenarios = (Isocost__V1__ScenarioCost **)iso_messages_new(
        writer->arena, (size_t)plan->n_bills, &isocost__v1__scenario_cost__descriptor);
    for (int32_t s = 0; message->scenarios && s < plan->n_bills; s++) {
        Isocost__V1__ScenarioCost *to = message->scenarios[message->n_scenarios++];
        iso_decimal probability = problem->scenarios[s].probability;
        to->scenario = iso_borrow(problem->scenarios[s].id);
        to->probability = iso_decimal_to_double(probability);
        to->cost = when_it_comes(writer, plan->bills[s].cost, probability);
        to->penalties = when_it_comes(writer, plan->bills[s].penalties, probability);
    }
    if (problem->tail_level > 0)
        message->tail_cost = iso_plan_money_estimate(writer, tail_cost(problem, plan));
    if (plan->risk > 0)
        message->risk = iso_plan_money(writer, plan->risk);
}

double iso_window_part(const struct iso_problem *problem, int32_t budget, int32_t window)
{
    const struct iso_budget *b = &problem->budgets[budget];

    if (problem->n_scenarios == 0 || window < 0 || window >= b->n_windows)
        return 1;
    return iso_decimal_to_double(
        problem->scenarios[iso_window_scenario(problem, &b->windows[window])].probability);
}

const char *iso_window_name(const struct iso_plan_writer *writer, int32_t budget, int32_t window)
{
    const struct iso_problem *problem = writer->problem;
    const struct iso_budget *b = &problem->budgets[budget];
    const char *name;

    if (problem->n_scenarios == 0 || window < 0 || window >= b->n_windows)
        name = iso_arena_printf(writer->arena, "%d", window);
    else
        name = iso_arena_printf(
            writer->arena, "%s/%d",
            problem->scenarios[iso_window_scenario(problem, &b->windows[window])].id,
            window / problem->n_scenarios);
    return name ? name : "";
}

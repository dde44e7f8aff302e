#include "formulation.h"

#include <stdlib.h>
#include <string.h>

double iso_budget_price(const struct iso_problem *problem, const struct iso_window *window,
                        int32_t offering, int32_t period)
{
    int32_t currency = problem->offerings[offering].currency;

    return iso_value(problem->periods[period].hours) *
           iso_value(iso_problem_rate(problem, currency, window->currency, period)) *
           iso_value(iso_problem_price(problem, offering, period));
}

/* How many hours the term covers, period by period: whole periods, cut so that they add up to the
 * hours inside the horizon. */
double iso_term_hours_in(const struct iso_problem *problem, const struct iso_start *start,
                         const uint8_t *periods)
{
    double left = iso_value(start->hours_inside), inside = 0;

    for (int32_t t = 0; t < problem->n_periods && left > 0; t++) {
        if (!start->window[t])
            continue;
        double hours = iso_value(problem->periods[t].hours);
        double counted = hours < left ? hours : left;
        left -= counted;
        if (periods[t])
            inside += counted;
    }
    return inside;
}

double iso_budget_upfront(const struct iso_problem *problem, const struct iso_budget *budget,
                          const struct iso_window *window, int32_t product, int32_t start)
{
    const struct iso_product *c = &problem->products[product];
    const struct iso_start *s = &c->starts[start];

    if (budget->basis == ISO_BASIS_LIST || !budget->products[product])
        return 0;
    double upfront = iso_value(c->upfront) *
                     iso_value(iso_problem_rate(problem, c->currency, window->currency, s->period));
    if (budget->basis == ISO_BASIS_CASH)
        return window->periods[s->period] ? upfront : 0;
    return upfront * iso_term_hours_in(problem, s, window->periods) / iso_value(c->term_hours);
}

double iso_budget_purchase(const struct iso_problem *problem, const struct iso_budget *budget,
                           const struct iso_window *window, int32_t product, int32_t start)
{
    const struct iso_product *c = &problem->products[product];
    double spend = iso_budget_upfront(problem, budget, window, product, start);

    if (budget->basis == ISO_BASIS_LIST || !budget->products[product])
        return 0;
    for (int32_t t = 0; t < problem->n_periods; t++)
        if (window->periods[t] && c->starts[start].window[t])
            spend += iso_value(problem->periods[t].hours) * iso_value(c->fee) *
                     iso_value(iso_problem_rate(problem, c->currency, window->currency, t));
    return spend;
}

double iso_instance_money(const struct iso_problem *problem, int32_t offering, int32_t period)
{
    double money =
        iso_value(problem->periods[period].hours) *
        iso_value(iso_problem_price(problem, offering, period)) *
        iso_value(problem->currencies[problem->offerings[offering].currency].rate_to_base[period]);

    if (problem->cost_factors)
        money *= iso_value(problem->cost_factors[(int64_t)offering * problem->n_periods + period]);
    return money;
}

void iso_instance_money_row(const struct iso_problem *problem, int32_t offering, double *ret_row)
{
    const iso_decimal *rates =
        problem->currencies[problem->offerings[offering].currency].rate_to_base;
    bool varies = problem->n_price_exceptions > 0 || problem->cost_factors;

    for (int32_t t = 0; t < problem->n_periods; t++)
        if (t > 0 && !varies && rates[t] == rates[t - 1] &&
            problem->periods[t].hours == problem->periods[t - 1].hours)
            ret_row[t] = ret_row[t - 1];
        else
            ret_row[t] = iso_instance_money(problem, offering, t);
}

double iso_formulation_money(const struct iso_formulation *formulation,
                             const struct iso_mip_column *column)
{
    const struct iso_problem *problem = formulation->problem;
    int32_t offering;

    switch (column->kind) {
    case ISO_COLUMN_USE:
        offering = problem->workloads[column->a].options[column->b].offering;
        break;
    case ISO_COLUMN_PATTERN:
        offering = formulation->pools[column->a].lists[column->b].offering;
        break;
    case ISO_COLUMN_COVER:
        offering = column->c;
        break;
    case ISO_COLUMN_FLOW:
        return iso_flow_money(problem, NULL, problem->base_currency, column->a, column->b,
                              column->d, column->c);
    case ISO_COLUMN_BUY: {
        const struct iso_product *product = &problem->products[column->a];
        const struct iso_start *start = &product->starts[column->b];
        const iso_decimal *rate = problem->currencies[product->currency].rate_to_base;
        double cost = iso_value(product->upfront) * iso_value(rate[start->period]) *
                      iso_value(start->hours_inside) / iso_value(product->term_hours);
        for (int32_t t = 0; t < problem->n_periods; t++)
            if (start->window[t])
                cost += iso_value(problem->periods[t].hours) * iso_value(product->fee) *
                        iso_value(rate[t]);
        return cost;
    }
    case ISO_COLUMN_UNSERVED:
        return problem->workloads[column->a].service == ISO_SERVICE_PENALTY
                   ? iso_value(problem->workloads[column->a].penalty) *
                         iso_value(problem->periods[column->b].hours) *
                         iso_formulation_box_average(formulation, column->a)
                   : 0;
    case ISO_COLUMN_OVER_LIMIT:
        return problem->limits[column->a].policy == ISO_POLICY_SOFT
                   ? iso_value(problem->limits[column->a].price) *
                         iso_value(problem->periods[column->b].hours)
                   : 0;
    case ISO_COLUMN_OVER_BUDGET:
        return problem->budgets[column->a].policy == ISO_POLICY_SOFT
                   ? iso_value(problem->budgets[column->a].price)
                   : 0;
    case ISO_COLUMN_START:
        return iso_value(problem->moves.start_cost);
    case ISO_COLUMN_STOP:
        return iso_value(problem->moves.stop_cost);
    case ISO_COLUMN_MOVES:
        return iso_value(problem->moves.move_cost);
    default:
        return 0;
    }
    double price = iso_instance_money(problem, offering,
                                      column->kind == ISO_COLUMN_COVER ? column->d : column->c);
    return column->kind == ISO_COLUMN_COVER ? -price : price;
}

static bool preferred(enum iso_policy policy)
{
    return policy == ISO_POLICY_PREFER || policy == ISO_POLICY_DEFAULT;
}

static double preference(const struct iso_problem *problem, const struct iso_mip_column *column)
{
    if (column->kind == ISO_COLUMN_OVER_LIMIT && preferred(problem->limits[column->a].policy)) {
        iso_decimal bound = problem->limits[column->a].bound;
        double horizon = 0;
        for (int32_t t = 0; t < problem->n_periods; t++)
            horizon += iso_value(problem->periods[t].hours);
        return iso_value(problem->periods[column->b].hours) / horizon /
               (bound > 0 ? iso_value(bound) : 1);
    }
    if (column->kind == ISO_COLUMN_OVER_BUDGET && preferred(problem->budgets[column->a].policy)) {
        iso_decimal amount = problem->budgets[column->a].windows[column->b].amount;
        return 1 / (amount > 0 ? iso_value(amount) : 1);
    }
    return 0;
}

static double unserved(const struct iso_formulation *formulation,
                       const struct iso_mip_column *column, int32_t priority)
{
    const struct iso_problem *problem = formulation->problem;

    if (column->kind != ISO_COLUMN_UNSERVED)
        return 0;
    const struct iso_workload *workload = &problem->workloads[column->a];
    if (workload->service != ISO_SERVICE_PRIORITY || workload->priority != priority ||
        workload->demand[column->b] == 0)
        return 0;
    return iso_value(workload->weight) * iso_value(problem->periods[column->b].hours) /
           iso_value(workload->demand[column->b]) *
           iso_formulation_box_average(formulation, column->a);
}

double iso_formulation_average(const struct iso_formulation *formulation,
                               const struct iso_mip_column *column, const struct iso_tier *tier)
{
    switch (tier->kind) {
    case ISO_TIER_MONEY:
        return iso_formulation_money(formulation, column);
    case ISO_TIER_PREFER:
        return preference(formulation->problem, column);
    case ISO_TIER_UNSERVED:
        return unserved(formulation, column, tier->priority);
    case ISO_TIER_FAIR:
        return iso_formulation_fair_average(formulation->problem, column, tier);
    case ISO_TIER_MOVES:
        break;
    }
    return column->kind == ISO_COLUMN_MOVES;
}

/* Columns that say what a workload with a box loses, and what they stand in for. */
static bool is_of_box(const struct iso_formulation *formulation,
                      const struct iso_mip_column *column)
{
    return column->kind == ISO_COLUMN_BEYOND || column->kind == ISO_COLUMN_RISE ||
           column->kind == ISO_COLUMN_ABOVE_RISE ||
           (column->kind == ISO_COLUMN_UNSERVED && formulation->box_row[column->a] >= 0);
}

static double box_loss(const struct iso_formulation *formulation,
                       const struct iso_mip_column *column, const struct iso_tier *tier)
{
    const struct iso_workload *workload = &formulation->problem->workloads[column->a];
    double loss = iso_formulation_box_loss(formulation, column);

    if (tier->kind == ISO_TIER_MONEY && workload->service == ISO_SERVICE_PENALTY)
        return iso_value(workload->penalty) * loss;
    if (tier->kind == ISO_TIER_UNSERVED && workload->service == ISO_SERVICE_PRIORITY &&
        workload->priority == tier->priority)
        return iso_value(workload->weight) * loss;
    return 0;
}

double iso_formulation_coefficient(const struct iso_formulation *formulation,
                                   const struct iso_mip_column *column, const struct iso_tier *tier)
{
    if (tier->kind == ISO_TIER_FAIR)
        return iso_formulation_fair(formulation->problem, column, tier);
    if (formulation->tail_row >= 0 && tier->kind == ISO_TIER_MONEY)
        return iso_formulation_tail(formulation, column);
    if (is_of_box(formulation, column))
        return box_loss(formulation, column, tier);
    return iso_formulation_average(formulation, column, tier);
}

void iso_formulation_objective(struct iso_formulation *formulation, const struct iso_tier *tier)
{
    struct iso_mip *mip = &formulation->mip;

    for (int32_t j = 0; j < mip->n_columns; j++)
        mip->objective[j] = iso_formulation_coefficient(formulation, &mip->columns[j], tier);
}

double iso_formulation_average_constant(const struct iso_formulation *formulation,
                                        enum iso_tier_kind tier)
{
    return tier == ISO_TIER_MONEY ? formulation->fixed_cost : 0;
}

/* What the tail counts of it is in its rows. */
double iso_formulation_constant(const struct iso_formulation *formulation, enum iso_tier_kind tier)
{
    double part = formulation->tail_row >= 0 ? 1 - iso_value(formulation->problem->tail_weight) : 1;

    return part * iso_formulation_average_constant(formulation, tier);
}

double iso_existing_fee(const struct iso_problem *problem, int32_t product, int32_t period)
{
    const struct iso_product *c = &problem->products[product];

    return iso_value(problem->periods[period].hours) * iso_value(c->fee) *
           iso_value(c->existing[period]) *
           iso_value(problem->currencies[c->currency].rate_to_base[period]);
}

static void add_fixed_cost(struct iso_formulation *formulation)
{
    const struct iso_problem *problem = formulation->problem;

    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t t = 0; t < problem->n_periods; t++)
            formulation->fixed_cost += iso_existing_fee(problem, c, t);
}

enum iso_status iso_formulation_init(struct iso_formulation *formulation,
                                     const struct iso_problem *problem,
                                     const struct iso_reduction *reduction, bool complete,
                                     int32_t room, struct iso_error *reterr)
{
    memset(formulation, 0, sizeof(*formulation));
    formulation->problem = problem;
    formulation->reduction = reduction;
    formulation->complete = complete;
    formulation->pools = iso_calloc((size_t)problem->n_teams, sizeof(*formulation->pools));
    if (!formulation->pools)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the formulation");
    for (int32_t g = 0; g < problem->n_teams; g++)
        if (reduction->pools[g])
            ISO_TRY(iso_pattern_set_init(&formulation->pools[g], problem, g, reduction->pools[g],
                                         room, reterr));
    add_fixed_cost(formulation);
    ISO_TRY(iso_formulation_rows(formulation, reterr));
    ISO_TRY(iso_formulation_columns(formulation, reterr));
    if (!complete)
        ISO_TRY(iso_formulation_open_listing(formulation, reterr));
    ISO_TRY(iso_formulation_pool_columns(formulation, reterr));
    return iso_formulation_tail_columns(formulation)
               ? ISO_OK
               : iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the formulation");
}

void iso_formulation_fini(struct iso_formulation *formulation)
{
    if (formulation->problem && formulation->pools)
        for (int32_t g = 0; g < formulation->problem->n_teams; g++)
            iso_pattern_set_fini(&formulation->pools[g]);
    for (int32_t a = 0; formulation->ramp_row && a < formulation->problem->n_workloads; a++)
        free(formulation->ramp_row[a]);
    for (int32_t a = 0; formulation->use_column && a < formulation->problem->n_workloads; a++)
        free(formulation->use_column[a]);
    for (int32_t g = 0; formulation->problem && g < formulation->problem->n_teams; g++) {
        if (formulation->pool_link)
            free(formulation->pool_link[g]);
        if (formulation->place_row)
            free(formulation->place_row[g]);
    }
    void *const arrays[] = {
        formulation->pools,       formulation->demand_row,   formulation->move_row,
        formulation->pool_link,   formulation->place_row,    formulation->limit_row,
        formulation->budget_row,  formulation->commit_row,   formulation->share_row,
        formulation->survive_row, formulation->spread_row,   formulation->capped,
        formulation->ramp_row,    formulation->presence_row, formulation->presence_end,
        formulation->fair_row,    formulation->traffic_row,  formulation->box_row,
        formulation->use_column};
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
    iso_mip_fini(&formulation->mip);
    memset(formulation, 0, sizeof(*formulation));
}

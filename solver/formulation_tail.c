/* The tail of the costs of scenarios. With W_s = pi_s times what scenario s costs, penalties
 * included, the money stage minimises
 *
 *   (1 - l) sum_s W_s + l (zeta + sum_s w_s / (1 - beta)),   TAIL(s)  W_s - pi_s zeta - w_s <= 0,
 *
 * w_s >= 0: the conditional value at risk at level beta (R. T. Rockafellar and S. Uryasev,
 * "Optimization of conditional value-at-risk", Journal of Risk 2, 2000). zeta >= 0 is no
 * restriction, as costs are. Rows carry what columns cost; fees of existing commitments are on the
 * right side.
 *
 * The tail costs at least what the average does, so the objective is at least sum_s W_s: that is
 * what a proof prices. In the relaxation what scenario s costs counts (1 - l) + |lambda_TAIL(s)|
 * times, so the multipliers of its rows divided by that are prices of the average. */
#include <math.h>

#include "formulation.h"

/* What one unit bought costs in the periods of a scenario, and of its upfront the scenario's part.
 */
static double purchase_part(const struct iso_problem *problem, const struct iso_mip_column *column,
                            int32_t s)
{
    const struct iso_product *product = &problem->products[column->a];
    const struct iso_start *start = &product->starts[column->b];
    const iso_decimal *rate = problem->currencies[product->currency].rate_to_base;
    double cost = iso_value(product->upfront) * iso_value(rate[start->period]) *
                  iso_value(start->hours_inside) / iso_value(product->term_hours) *
                  iso_value(problem->scenarios[s].probability);

    for (int32_t t = 0; t < problem->n_periods; t++)
        if (start->window[t] && iso_problem_scenario(problem, t) == s)
            cost +=
                iso_value(problem->periods[t].hours) * iso_value(product->fee) * iso_value(rate[t]);
    return cost;
}

/* What a unit of a column other than an instance costs in a scenario. */
static double part(const struct iso_formulation *f, const struct iso_mip_column *column, int32_t s)
{
    const struct iso_problem *problem = f->problem;
    int32_t scenario;

    switch (column->kind) {
    case ISO_COLUMN_BUY:
        return purchase_part(problem, column, s);
    case ISO_COLUMN_COVER:
        scenario = iso_problem_scenario(problem, column->d);
        break;
    case ISO_COLUMN_UNSERVED:
    case ISO_COLUMN_OVER_LIMIT:
        scenario = iso_problem_scenario(problem, column->b);
        break;
    case ISO_COLUMN_FLOW:
        scenario = iso_problem_scenario(problem, column->c);
        break;
    case ISO_COLUMN_OVER_BUDGET:
        scenario = iso_window_scenario(problem, &problem->budgets[column->a].windows[column->b]);
        break;
    default:
        return 0;
    }
    return scenario == s ? iso_formulation_money(f, column) : 0;
}

bool iso_formulation_tail_rows(struct iso_formulation *f)
{
    const struct iso_problem *problem = f->problem;
    bool ok = true;

    f->tail_row = iso_tail_counts(problem) ? f->mip.n_rows : -1;
    for (int32_t s = 0; s < problem->n_scenarios && f->tail_row >= 0; s++) {
        double fees = 0;
        for (int32_t c = 0; c < problem->n_products; c++)
            for (int32_t t = 0; t < problem->n_periods; t++)
                if (iso_problem_scenario(problem, t) == s)
                    fees += iso_existing_fee(problem, c, t);
        ok &= iso_mip_add_row(&f->mip, &(struct iso_mip_row){ISO_ROW_TAIL, s, -1, -1, -1, -INFINITY,
                                                             -fees}) >= 0;
    }
    return ok;
}

bool iso_formulation_tail_entries(struct iso_formulation *f, int32_t offering, int32_t period)
{
    return f->tail_row < 0 ||
           iso_mip_add_entry(&f->mip, f->tail_row + iso_problem_scenario(f->problem, period),
                             iso_instance_money(f->problem, offering, period));
}

static bool add_column(struct iso_formulation *f, enum iso_column_kind kind, int32_t s)
{
    return iso_mip_add_column(
               &f->mip,
               &(struct iso_mip_column){
                   .kind = kind, .a = s, .b = -1, .c = -1, .d = -1, .upper = INFINITY}) >= 0;
}

bool iso_formulation_tail_columns(struct iso_formulation *f)
{
    const struct iso_problem *problem = f->problem;
    bool ok = true;

    if (f->tail_row < 0)
        return true;
    for (int32_t s = 0; s < problem->n_scenarios; s++) {
        ISO_AUTO_MEM double *parts = iso_calloc((size_t)f->mip.n_columns, sizeof(*parts));
        if (!parts)
            return false;
        for (int32_t j = 0; j < f->mip.n_columns; j++)
            parts[j] = part(f, &f->mip.columns[j], s);
        ok &= iso_mip_fill_row(&f->mip, f->tail_row + s, parts) &&
              add_column(f, ISO_COLUMN_TAIL, s) && iso_mip_add_entry(&f->mip, f->tail_row + s, -1);
    }
    ok &= add_column(f, ISO_COLUMN_AT_RISK, -1);
    for (int32_t s = 0; s < problem->n_scenarios; s++)
        ok &= iso_mip_add_entry(&f->mip, f->tail_row + s,
                                -iso_value(problem->scenarios[s].probability));
    return ok;
}

/* The scenario of a row that is about one period or window; -1 for others. */
static int32_t scenario_of(const struct iso_problem *problem, const struct iso_mip_row *row)
{
    switch (row->kind) {
    case ISO_ROW_DEMAND:
    case ISO_ROW_LIMIT:
    case ISO_ROW_COMMIT:
        return iso_problem_scenario(problem, row->b);
    case ISO_ROW_SHARE_MAX:
    case ISO_ROW_SHARE_MIN:
    case ISO_ROW_SURVIVE:
    case ISO_ROW_SPREAD:
    case ISO_ROW_PRESENCE:
    case ISO_ROW_FLOW:
        return iso_problem_scenario(problem, row->c);
    case ISO_ROW_BUDGET:
        return iso_window_scenario(problem, &problem->budgets[row->a].windows[row->b]);
    default:
        return -1;
    }
}

double iso_formulation_weight(const struct iso_formulation *f, const double *duals,
                              const struct iso_mip_row *row)
{
    int32_t s = f->tail_row < 0 ? -1 : scenario_of(f->problem, row);

    return s < 0 ? 1 : 1 - iso_value(f->problem->tail_weight) + fabs(duals[f->tail_row + s]);
}

void iso_formulation_average_prices(const struct iso_formulation *f, double *duals)
{
    for (int32_t i = 0; i < f->mip.n_rows && f->tail_row >= 0; i++) {
        double weight = iso_formulation_weight(f, duals, &f->mip.rows[i]);
        duals[i] = weight >= ISO_LEAST_WEIGHT ? duals[i] / weight : 0;
    }
}

double iso_formulation_tail(const struct iso_formulation *f, const struct iso_mip_column *column)
{
    double weight = iso_value(f->problem->tail_weight);

    if (column->kind == ISO_COLUMN_AT_RISK)
        return weight;
    if (column->kind == ISO_COLUMN_TAIL)
        return weight / (1 - iso_value(f->problem->tail_level));
    return (1 - weight) * iso_formulation_money(f, column);
}

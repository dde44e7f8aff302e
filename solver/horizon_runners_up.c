/* Runners-up of plans of a long horizon, by the multipliers that prove its bound.
 *
 * With lambda_r the multiplier of row r in period t (its lead's where it has one) and a_rj what an
 * instance of option j is worth in it,
 *
 *     worth_j = sum_r lambda_r a_rj,   rc_j = min(p_jt, min_c psi_ct use_jc) - worth_j >= 0,
 *
 * where psi_ct is what coverage by commitment c costs at the margin: its own multiplier, or what
 * the verifier takes for one that is not sent, max over all that it covers of worth / use. The part
 * of worth_j that is demand's aside, this is what serving a unit costs with every rule priced in.
 * All of it is an estimate: the plan is whole, the multipliers are not the plan's. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "horizon.h"

struct prices {
    const struct iso_problem *problem;
    const struct iso_plan *plan;
    struct iso_horizon_case all; /* its slice has a column for every option */
    int32_t period;              /* of what follows; -1: none yet */
    double *row;                 /* [slice row]: multiplier */
    double *psi;                 /* [product] >= 0 */
    uint8_t *sent;               /* [product]: psi is in the plan */
    uint8_t *runs;               /* [offering]: scratch */
};

static void prices_fini(struct prices *prices)
{
    iso_slice_fini(&prices->all);
    free(prices->row);
    free(prices->psi);
    free(prices->sent);
    free(prices->runs);
}

static enum iso_status prices_init(struct prices *prices, struct iso_error *reterr)
{
    prices->all.problem = prices->problem;
    ISO_TRY(iso_slice_init(&prices->all, false, reterr));
    prices->row = iso_calloc((size_t)prices->all.slice.n_rows, sizeof(*prices->row));
    prices->psi = iso_calloc((size_t)prices->problem->n_products, sizeof(*prices->psi));
    prices->sent = iso_calloc((size_t)prices->problem->n_products, 1);
    prices->runs = iso_calloc((size_t)prices->problem->n_offerings, 1);
    if (prices->row && prices->psi && prices->sent && prices->runs)
        return ISO_OK;
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a runner-up");
}

/* Period of a multiplier of a slice's row, or of COMMIT. */
static int32_t period_of(const struct iso_dual *dual)
{
    bool second = dual->kind == ISO_ROW_SHARE_MAX || dual->kind == ISO_ROW_SHARE_MIN ||
                  dual->kind == ISO_ROW_SURVIVE;
    return second ? dual->c : dual->b;
}

static void set_row(struct prices *prices, const struct iso_dual *dual, int32_t t)
{
    const struct iso_slice *slice = &prices->all.slice;

    if (dual->kind == ISO_ROW_LIMIT && !prices->problem->limits[dual->a].periods[t])
        return; /* the lead's alone */
    for (int32_t r = 0; r < slice->n_rows; r++) {
        const struct iso_slice_row *row = &slice->rows[r];
        bool own = row->kind == ISO_ROW_DEMAND || row->kind == ISO_ROW_LIMIT ||
                   (row->b == dual->b && (row->kind != ISO_ROW_SURVIVE || row->d == dual->d));
        if (row->kind == dual->kind && row->a == dual->a && own)
            prices->row[r] = dual->value;
    }
}

static double worth_of(const struct prices *prices, const struct iso_slice_column *column)
{
    double worth = 0;

    for (int32_t e = column->first_entry; e < column->first_entry + column->n_entries; e++)
        worth += prices->row[prices->all.slice.entries[e].row] *
                 prices->all.slice.entries[e].coefficient;
    return worth;
}

static void open_period(struct prices *prices, const struct iso_tier *tier, int32_t t)
{
    const struct iso_plan *plan = prices->plan;
    const struct iso_slice *slice = &prices->all.slice;
    int32_t lead = plan->n_leads > 0 ? plan->leads[t].period : t;

    if (prices->period == t)
        return;
    prices->period = t;
    memset(prices->row, 0, (size_t)slice->n_rows * sizeof(*prices->row));
    memset(prices->psi, 0, (size_t)prices->problem->n_products * sizeof(*prices->psi));
    memset(prices->sent, 0, (size_t)prices->problem->n_products);
    for (int32_t i = tier->first_dual; i < tier->first_dual + tier->n_duals; i++) {
        const struct iso_dual *dual = &plan->duals[i];
        if (period_of(dual) != lead)
            continue;
        if (dual->kind != ISO_ROW_COMMIT) {
            set_row(prices, dual, t);
        } else {
            prices->psi[dual->a] = -dual->value;
            prices->sent[dual->a] = 1;
        }
    }
    for (int32_t j = 0; j < slice->n_columns && plan->n_leads > 0; j++) {
        const struct iso_slice_column *column = &slice->columns[j];
        double worth = worth_of(prices, column);
        for (int32_t i = column->first_cover; i < column->first_cover + column->n_covers; i++) {
            const struct iso_slice_cover *cover = &slice->covers[i];
            if (!prices->sent[cover->product])
                prices->psi[cover->product] = fmax(prices->psi[cover->product], worth / cover->use);
        }
    }
}

static bool is_supplied(const struct iso_product *product, int32_t t)
{
    bool supplied = product->existing[t] > 0;

    for (int32_t s = 0; s < product->n_starts && product->most != 0; s++)
        supplied |= product->starts[s].window[t];
    return supplied;
}

/* What one instance costs in the open period: paid, or covered. */
static double cost_of(const struct prices *prices, const struct iso_slice_column *column)
{
    double cost = iso_instance_money(prices->problem, column->offering, prices->period);

    for (int32_t i = column->first_cover; i < column->first_cover + column->n_covers; i++) {
        const struct iso_slice_cover *cover = &prices->all.slice.covers[i];
        if (is_supplied(&prices->problem->products[cover->product], prices->period))
            cost = fmin(cost, prices->psi[cover->product] * cover->use);
    }
    return cost;
}

/* What rules other than demand add to the cost of serving one unit for one hour by an option, on
 * top of what it costs itself. */
static double unit_cost(const struct prices *prices, const struct iso_slice_column *column)
{
    double demand = prices->row[column->workload] * column->served;
    double cost = cost_of(prices, column) - (worth_of(prices, column) - demand);

    return cost / iso_value(prices->problem->periods[prices->period].hours) / column->served;
}

/* The limit or share that adds most to the cost of an option. */
static bool find_blocker(const struct prices *prices, const struct iso_slice_column *column,
                         struct iso_rule *ret_rule)
{
    double most = 0;

    for (int32_t e = column->first_entry; e < column->first_entry + column->n_entries; e++) {
        const struct iso_mip_entry *entry = &prices->all.slice.entries[e];
        const struct iso_slice_row *row = &prices->all.slice.rows[entry->row];
        double part = -prices->row[entry->row] * entry->coefficient;
        if (part <= most || row->kind == ISO_ROW_DEMAND || row->kind == ISO_ROW_SURVIVE)
            continue;
        most = part;
        *ret_rule = row->kind == ISO_ROW_LIMIT ? (struct iso_rule){ISO_RULE_LIMIT, row->a, -1}
                                               : (struct iso_rule){ISO_RULE_SHARE, row->a, row->b};
    }
    return most > 0;
}

static double list_price(const struct prices *prices, const struct iso_slice_column *column)
{
    return iso_instance_money(prices->problem, column->offering, prices->period) / column->served;
}

/* The runner-up of a line in the open period; false when there is none. */
static bool find_runner_up(struct prices *prices, const struct iso_line *line,
                           struct iso_runner_up *ret_runner_up)
{
    const struct iso_slice *slice = &prices->all.slice;
    const struct iso_slice_column *mine = NULL, *best = NULL;
    double least = INFINITY;

    iso_mark_running(prices->problem, prices->plan, line->cell, prices->period, prices->runs);
    for (int32_t j = slice->first_column[line->cell]; j < slice->first_column[line->cell + 1];
         j++) {
        const struct iso_slice_column *column = &slice->columns[j];
        double cost = unit_cost(prices, column);
        if (column->offering == line->offering)
            mine = column;
        if (prices->runs[column->offering] || cost >= least)
            continue;
        best = column;
        least = cost;
    }
    if (!mine || !best)
        return false;
    *ret_runner_up = (struct iso_runner_up){
        .cell = line->cell,
        .workload = line->cell,
        .period = prices->period,
        .chosen = line->offering,
        .offering = best->offering,
        .chosen_unit_cost = unit_cost(prices, mine),
        .unit_cost = least,
        .reduced_cost = fmax(0, cost_of(prices, best) - worth_of(prices, best))};
    ret_runner_up->blocked = list_price(prices, best) < list_price(prices, mine) &&
                             find_blocker(prices, best, &ret_runner_up->blocker);
    return true;
}

enum iso_status iso_explain_horizon(struct iso_search *search, struct iso_error *reterr)
{
    struct prices prices __attribute__((cleanup(prices_fini))) = {
        .problem = search->problem, .plan = search->plan, .period = -1};
    struct iso_plan *plan = search->plan;

    if (!(search->problem->options.want & ISO_WANT_RUNNERS_UP) || !plan->has_solution)
        return ISO_OK;
    if (plan->n_value_functions > 0)
        return iso_explain_tables(search, reterr);
    ISO_TRY(prices_init(&prices, reterr));
    for (int32_t i = 0; i < plan->n_lines && plan->n_runners_up < ISO_MOST_RUNNERS_UP; i++) {
        const struct iso_line *line = &plan->lines[i];
        struct iso_runner_up runner_up;
        if (line->kind != ISO_LINE_INSTANCE || iso_search_stops(search))
            continue;
        open_period(&prices, &plan->tiers[0], line->period);
        if (find_runner_up(&prices, line, &runner_up) &&
            !iso_append(&plan->runners_up, &plan->n_runners_up, sizeof(runner_up), &runner_up))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a runner-up");
    }
    return ISO_OK;
}

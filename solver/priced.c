#include "priced.h"

#include <math.h>

int iso_row_direction(const struct iso_mip_row *row)
{
    if (row->lower == row->upper)
        return 0;
    return isinf(row->upper) ? 1 : -1;
}

double iso_priced_cost(const struct iso_priced *priced, const struct iso_mip_column *column)
{
    double value =
        priced->objective ? iso_formulation_average(priced->f, column, &priced->search->stage) : 0;

    for (int32_t k = 0; k < priced->search->plan->n_tiers; k++) {
        const struct iso_tier *tier = &priced->search->plan->tiers[k];
        int32_t row = priced->search->freeze_row[k];
        if (row >= 0 && priced->dual[row] != 0)
            value -= priced->dual[row] * iso_formulation_average(priced->f, column, tier);
    }
    return value;
}

double iso_priced_part(const struct iso_priced *priced, const struct iso_mip_entry *entry)
{
    return priced->mip->rows[entry->row].kind == ISO_ROW_FREEZE
               ? 0
               : priced->dual[entry->row] * entry->coefficient;
}

double iso_priced_money(const struct iso_priced *priced)
{
    double weight = priced->objective && priced->search->tier == ISO_TIER_MONEY;

    for (int32_t k = 0; k < priced->search->plan->n_tiers; k++)
        if (priced->search->plan->tiers[k].kind == ISO_TIER_MONEY &&
            priced->search->freeze_row[k] >= 0)
            weight -= priced->dual[priced->search->freeze_row[k]];
    return weight;
}

bool iso_row_is_scaled(const struct iso_mip_row *row)
{
    return (iso_row_direction(row) > 0 && row->kind != ISO_ROW_MOVES) ||
           row->kind == ISO_ROW_SHARE_MAX;
}

static struct iso_weights iso_priced_weigh(const struct iso_priced *priced, int32_t first_entry)
{
    struct iso_weights weights = {0, 0};

    for (int32_t k = first_entry; k < priced->mip->n_entries; k++) {
        const struct iso_mip_entry *entry = &priced->mip->entries[k];
        double part = priced->dual[entry->row] * entry->coefficient;
        if (iso_row_is_scaled(&priced->mip->rows[entry->row]))
            weights.gain += part;
        else
            weights.rest += part;
    }
    return weights;
}

double iso_priced_service(struct iso_priced *priced, int32_t a, int32_t option, int32_t period,
                          double amount)
{
    int32_t first_entry = priced->mip->n_entries;
    double gain = INFINITY;

    if (iso_mip_add_column(priced->mip, &(struct iso_mip_column){.kind = ISO_COLUMN_PLACE}) < 0)
        return gain;
    if (iso_formulation_service_entries(priced->f, a, option, period, amount))
        gain = iso_priced_weigh(priced, first_entry).gain;
    priced->mip->n_columns--;
    priced->mip->n_entries = first_entry;
    return gain;
}

double iso_priced_arrival(struct iso_priced *priced, int32_t a, int32_t option, int32_t period)
{
    struct iso_mip *mip = priced->mip;
    int32_t first_entry = mip->n_entries;
    double worth = 0;

    if (iso_mip_add_column(mip, &(struct iso_mip_column){.kind = ISO_COLUMN_PLACE}) < 0)
        return 0;
    if (iso_formulation_service_entries(priced->f, a, option, period, 1))
        for (int32_t k = first_entry; k < mip->n_entries; k++)
            if (mip->rows[mip->entries[k].row].kind == ISO_ROW_ARRIVAL)
                worth += priced->dual[mip->entries[k].row] * mip->entries[k].coefficient;
    mip->n_columns--;
    mip->n_entries = first_entry;
    return worth;
}

/* Whether anything of a product may be held in a period. */
static bool supplies(const struct iso_product *product, int32_t period)
{
    bool any = product->existing[period] > 0;

    for (int32_t s = 0; s < product->n_starts && product->most != 0; s++)
        any |= product->starts[s].window[period];
    return any;
}

/* The most that coverage of one instance can be worth: max over products, at least 0. */
static double iso_priced_cover(const struct iso_priced *priced, int32_t cell, int32_t offering,
                               int32_t period)
{
    const struct iso_formulation *f = priced->f;
    const struct iso_problem *problem = f->problem;
    const struct iso_mentions *products = &f->reduction->products;
    double best = 0;

    for (int32_t at = products->first[offering]; at < products->first[offering + 1]; at++) {
        int32_t c = products->items[at].set;
        const struct iso_product *product = &problem->products[c];
        int32_t row = iso_formulation_commit_row(f, c, period);
        if (row < 0 || !product->cells[cell] || !supplies(product, period))
            continue; /* what is not listed has the multipliers that price it out */
        double worth =
            priced->money * iso_instance_money(problem, offering, period) +
            priced->dual[row] * iso_value(product->eligible[products->items[at].place].use);
        for (int32_t b = 0; b < problem->n_budgets; b++) {
            const struct iso_budget *budget = &problem->budgets[b];
            if (budget->basis == ISO_BASIS_LIST || !budget->products[c] ||
                !budget->offerings[offering] || !budget->cells[cell])
                continue;
            for (int32_t w = 0; w < budget->n_windows; w++)
                if (budget->windows[w].periods[period])
                    worth -= priced->dual[f->budget_row[b] + w] *
                             iso_budget_price(problem, &budget->windows[w], offering, period);
        }
        best = fmax(best, worth);
    }
    return best;
}

/* Multiplier of the MOVE row of an offering in the first period. Where the formulation has none and
 * nothing runs today the best one is minus the cost of a start. */
static double iso_priced_move(const struct iso_priced *priced, int32_t cell, int32_t offering)
{
    int32_t row = priced->f->move_row[(int64_t)cell * priced->f->problem->n_offerings + offering];
    struct iso_mip_column start = {.kind = ISO_COLUMN_START, .a = cell, .b = offering};

    return row >= 0 ? priced->dual[row] : -iso_priced_cost(priced, &start);
}

double iso_priced_instance(struct iso_priced *priced, int32_t cell, int32_t offering,
                           int32_t period, double *ret_gain)
{
    int32_t first_entry = priced->mip->n_entries;
    const struct iso_problem *problem = priced->f->problem;

    *ret_gain = INFINITY;
    if (iso_mip_add_column(priced->mip, &(struct iso_mip_column){.kind = ISO_COLUMN_PLACE}) < 0)
        return -INFINITY;
    bool ok = iso_formulation_instance_entries(priced->f, cell, offering, period, -1);
    struct iso_weights weights = iso_priced_weigh(priced, first_entry);
    priced->mip->n_columns--;
    priced->mip->n_entries = first_entry;
    if (!ok)
        return -INFINITY;
    *ret_gain = weights.gain;
    double total = priced->money * iso_instance_money(problem, offering, period) - weights.rest -
                   iso_priced_cover(priced, cell, offering, period);
    if (period == 0 && problem->moves.present)
        total -= iso_priced_move(priced, cell, offering);
    return total;
}

/* The rule of a row; false for rows that are no rule of their own. */
static bool rule_of(const struct iso_mip_row *row, struct iso_rule *ret_rule)
{
    switch (row->kind) {
    case ISO_ROW_LIMIT:
        *ret_rule = (struct iso_rule){ISO_RULE_LIMIT, row->a, -1};
        return true;
    case ISO_ROW_BUDGET:
        *ret_rule = (struct iso_rule){ISO_RULE_BUDGET, row->a, -1};
        return true;
    case ISO_ROW_SHARE_MAX:
    case ISO_ROW_SHARE_MIN:
        *ret_rule = (struct iso_rule){ISO_RULE_SHARE, row->a, row->b};
        return true;
    default:
        return false;
    }
}

bool iso_priced_dearest(struct iso_priced *priced, int32_t cell, int32_t workload, int32_t option,
                        int32_t period, struct iso_rule *ret_rule)
{
    struct iso_mip *mip = priced->mip;
    const struct iso_workload *w = &priced->f->problem->workloads[workload];
    double amount = w->replicas ? w->options[option].most : iso_value(w->options[option].served);
    int32_t first_entry = mip->n_entries;
    double dearest = 0;

    if (iso_mip_add_column(mip, &(struct iso_mip_column){.kind = ISO_COLUMN_PLACE}) < 0)
        return false;
    if (iso_formulation_instance_entries(priced->f, cell, w->options[option].offering, period,
                                         -1) &&
        iso_formulation_service_entries(priced->f, workload, option, period, amount))
        for (int32_t k = first_entry; k < mip->n_entries; k++) {
            const struct iso_mip_entry *entry = &mip->entries[k];
            double part = -priced->dual[entry->row] * entry->coefficient;
            if (part > dearest && rule_of(&mip->rows[entry->row], ret_rule))
                dearest = part;
        }
    mip->n_columns--;
    mip->n_entries = first_entry;
    return dearest > 0;
}

/* Dual proofs: multipliers from a relaxation, made exact enough for the verifier.
 *
 * For any multipliers lambda with the right signs (>= rows: >= 0, <= rows: <= 0) every plan costs
 * at least  sum_r lambda_r b_r + sum_j min(0, rc_j) upper_j  with  rc_j = c_j - sum_r lambda_r a_rj
 * (weak duality). A column without upper bound needs rc_j >= 0, which simplex gives only up to its
 * tolerance. So the multipliers are repaired:
 *   1. what a violation, a start, a stop or a move costs caps the multiplier of its row;
 *   2. psi_c of each product is scaled until buying it prices out;
 *   3. all multipliers of >= rows and of caps on shares are scaled by one factor f <= 1 until every
 * instance of every offering, listed or dropped, prices out (Farley's bound: A. A. Farley, "A note
 * on bounding a class of linear programming problems", Operations Research 38, 1990). */
#include <math.h>
#include <string.h>

#include "search.h"

#define MARGIN 1e-11 /* relative; well above the rounding of sums in double */
#define HAIR 1e-10   /* relative; well above MARGIN */

struct repair {
    const struct iso_search *search;
    struct iso_formulation *f;
    struct iso_mip *mip;
    double *dual; /* n_rows; link rows are 0 */
    bool objective;
    double money; /* weight of money in the objective, frozen tiers included */
    double factor;
};

/* +1 for rows that ask for more, -1 for caps, 0 for equations. */
static int direction(const struct iso_mip_row *row)
{
    if (row->lower == row->upper)
        return 0;
    return isinf(row->upper) ? 1 : -1;
}

/* c_j of the tier at hand plus what frozen tiers add through their multipliers. */
static double cost(const struct repair *repair, const struct iso_mip_column *column)
{
    double value = repair->objective
                       ? iso_formulation_coefficient(repair->f, column, repair->search->tier,
                                                     repair->search->priority)
                       : 0;

    for (int32_t k = 0; k < repair->search->plan->n_tiers; k++) {
        const struct iso_tier *tier = &repair->search->plan->tiers[k];
        int32_t row = repair->search->freeze_row[k];
        if (row >= 0 && repair->dual[row] != 0)
            value -= repair->dual[row] *
                     iso_formulation_coefficient(repair->f, column, tier->kind, tier->priority);
    }
    return value;
}

/* What one entry of a column takes off its cost. Frozen tiers are in cost() already. */
static double part_of(const struct repair *repair, const struct iso_mip_entry *entry)
{
    return repair->mip->rows[entry->row].kind == ISO_ROW_FREEZE
               ? 0
               : repair->dual[entry->row] * entry->coefficient;
}

static double money_weight(const struct repair *repair)
{
    double weight = repair->objective && repair->search->tier == ISO_TIER_MONEY;

    for (int32_t k = 0; k < repair->search->plan->n_tiers; k++)
        if (repair->search->plan->tiers[k].kind == ISO_TIER_MONEY &&
            repair->search->freeze_row[k] >= 0)
            weight -= repair->dual[repair->search->freeze_row[k]];
    return weight;
}

/* Rows whose multipliers are scaled by the factor: those that ask for more, and caps on shares,
 * whose right side is 0. */
static bool scaled(const struct iso_mip_row *row)
{
    return (direction(row) > 0 && row->kind != ISO_ROW_MOVES) || row->kind == ISO_ROW_SHARE_MAX;
}

/* Entries of one column under the multipliers: what scaled rows give for it, and the rest. */
struct weights {
    double gain, rest;
};

static struct weights weigh(const struct repair *repair, int32_t first_entry)
{
    struct weights weights = {0, 0};

    for (int32_t k = first_entry; k < repair->mip->n_entries; k++) {
        const struct iso_mip_entry *entry = &repair->mip->entries[k];
        double part = repair->dual[entry->row] * entry->coefficient;
        if (scaled(&repair->mip->rows[entry->row]))
            weights.gain += part;
        else
            weights.rest += part;
    }
    return weights;
}

/* What the rules give for `amount` units served by an option. Uses a scratch column at the end. */
static double service_gain(struct repair *repair, int32_t a, int32_t option, int32_t period,
                           double amount)
{
    int32_t first_entry = repair->mip->n_entries;
    double gain = INFINITY;

    if (iso_mip_add_column(repair->mip, &(struct iso_mip_column){.kind = ISO_COLUMN_PLACE}) < 0)
        return gain;
    if (iso_formulation_service_entries(repair->f, a, option, period, amount))
        gain = weigh(repair, first_entry).gain;
    repair->mip->n_columns--;
    repair->mip->n_entries = first_entry;
    return gain;
}

/* The most that coverage of one instance can be worth: max over products, at least 0. */
static double cover_worth(const struct repair *repair, int32_t cell, int32_t offering,
                          int32_t period)
{
    const struct iso_formulation *f = repair->f;
    const struct iso_problem *problem = f->problem;
    double best = 0;

    for (int32_t at = f->first_product[offering]; at < f->first_product[offering + 1]; at++) {
        int32_t c = f->product_pairs[2 * at];
        const struct iso_product *product = &problem->products[c];
        if (!product->cells[cell])
            continue;
        double worth = repair->money * iso_instance_money(problem, offering, period) +
                       repair->dual[f->commit_row[c * problem->n_periods + period]] *
                           iso_value(product->eligible[f->product_pairs[2 * at + 1]].use);
        for (int32_t b = 0; b < problem->n_budgets; b++) {
            const struct iso_budget *budget = &problem->budgets[b];
            if (budget->basis == ISO_BASIS_LIST || !budget->products[c] ||
                !budget->offerings[offering] || !budget->cells[cell])
                continue;
            for (int32_t w = 0; w < budget->n_windows; w++)
                if (budget->windows[w].periods[period])
                    worth -= repair->dual[f->budget_row[b] + w] *
                             iso_budget_price(problem, &budget->windows[w], offering, period);
        }
        best = fmax(best, worth);
    }
    return best;
}

/* Multiplier of the MOVE row of an offering in the first period. Where the formulation has none and
 * nothing runs today the best one is minus the cost of a start. */
static double move_dual(const struct repair *repair, int32_t cell, int32_t offering)
{
    int32_t row = repair->f->move_row[(int64_t)cell * repair->f->problem->n_offerings + offering];
    struct iso_mip_column start = {.kind = ISO_COLUMN_START, .a = cell, .b = offering};

    return row >= 0 ? repair->dual[row] : -cost(repair, &start);
}

/* What one instance costs under the multipliers, and what floors on instances give for it. */
static double instance_cost(struct repair *repair, int32_t cell, int32_t offering, int32_t period,
                            double *ret_gain)
{
    int32_t first_entry = repair->mip->n_entries;
    const struct iso_problem *problem = repair->f->problem;

    *ret_gain = INFINITY;
    if (iso_mip_add_column(repair->mip, &(struct iso_mip_column){.kind = ISO_COLUMN_PLACE}) < 0)
        return -INFINITY;
    bool ok = iso_formulation_instance_entries(repair->f, cell, offering, period, -1);
    struct weights weights = weigh(repair, first_entry);
    repair->mip->n_columns--;
    repair->mip->n_entries = first_entry;
    if (!ok)
        return -INFINITY;
    *ret_gain = weights.gain;
    double total = repair->money * iso_instance_money(problem, offering, period) - weights.rest -
                   cover_worth(repair, cell, offering, period);
    if (period == 0 && problem->moves.present)
        total -= move_dual(repair, cell, offering);
    return total;
}

/* What runs today may not be worth more than an instance costs: rounding must not make keeping it
 * pay by itself. */
static void fit_moves(struct repair *repair)
{
    for (int32_t i = 0; i < repair->mip->n_rows; i++) {
        const struct iso_mip_row *row = &repair->mip->rows[i];
        double gain;
        if (row->kind != ISO_ROW_MOVE || repair->dual[i] == 0)
            continue;
        double left = instance_cost(repair, row->a, row->b, 0, &gain);
        double least = HAIR * (fabs(repair->dual[i]) + fabs(left));
        if (left < least)
            repair->dual[i] -= least - left;
    }
}

static void shrink(struct repair *repair, double available, double gain)
{
    if (gain <= 0)
        return;
    double factor = available <= 0 ? 0 : available * (1 - MARGIN) / gain;
    if (factor < repair->factor)
        repair->factor = factor;
}

static void fit_uses(struct repair *repair)
{
    const struct iso_problem *problem = repair->f->problem;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        for (int32_t i = 0; i < workload->n_options && !workload->replicas; i++)
            for (int32_t t = 0; t < problem->n_periods; t++) {
                double floor_gain,
                    available =
                        instance_cost(repair, a, workload->options[i].offering, t, &floor_gain);
                double gain = service_gain(repair, a, i, t, iso_value(workload->options[i].served));
                shrink(repair, available, gain + floor_gain);
            }
    }
}

/* The best filling of one instance: what its >= rows give, less capped shares. For f <= 1 the
 * filling is worth at most f times that. */
static double filling(struct repair *repair, int32_t team, int32_t offering, int32_t period,
                      double *values, int32_t *counts)
{
    const struct iso_problem *problem = repair->f->problem;
    const struct iso_pattern_set *set = &repair->f->pools[team];
    bool any = false;

    for (int32_t i = 0; i < set->n_workloads; i++) {
        int32_t option = iso_workload_find_option(&problem->workloads[set->workloads[i]], offering);
        values[i] = 0;
        if (option < 0)
            continue;
        any = true;
        values[i] = fmax(0, service_gain(repair, set->workloads[i], option, period, 1));
    }
    return any ? iso_pattern_best(problem, set, team, offering, values, counts) : -1;
}

static enum iso_status fit_pools(struct repair *repair, struct iso_error *reterr)
{
    const struct iso_problem *problem = repair->f->problem;
    ISO_AUTO_MEM double *values = iso_calloc((size_t)problem->n_workloads, sizeof(*values));
    ISO_AUTO_MEM int32_t *counts = iso_calloc((size_t)problem->n_workloads, sizeof(*counts));

    if (!values || !counts)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a proof");
    for (int32_t g = 0; g < problem->n_teams; g++)
        for (int32_t o = 0; o < problem->n_offerings; o++)
            for (int32_t t = 0; t < problem->n_periods && repair->f->pools[g].n_workloads > 0;
                 t++) {
                double floor_gain, best = filling(repair, g, o, t, values, counts);
                if (best < 0)
                    continue;
                double available =
                    instance_cost(repair, problem->n_workloads + g, o, t, &floor_gain);
                shrink(repair, available, best * (1 + MARGIN) + floor_gain);
            }
    return ISO_OK;
}

static double clamp(double value, double lower, double upper)
{
    return value < lower ? lower : value > upper ? upper : value;
}

/* Step 1, and signs. Columns of violations, starts, stops and moves stand in one row that only they
 * and instances share, so their costs cap its multiplier. */
static void clip(struct repair *repair)
{
    struct iso_mip *mip = repair->mip;
    int32_t moves = repair->f->moves_row;

    for (int32_t i = 0; i < mip->n_rows; i++) {
        const struct iso_mip_row *row = &mip->rows[i];
        if (row->kind >= ISO_N_ROW_KINDS || (isinf(row->lower) && isinf(row->upper)))
            repair->dual[i] = 0;
        else if (direction(row) != 0 && repair->dual[i] * direction(row) < 0)
            repair->dual[i] = 0;
    }
    repair->money = money_weight(repair);
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        int32_t row = column->n_entries ? mip->entries[column->first_entry].row : -1;
        if (!isinf(column->upper) || row < 0)
            continue;
        double own = cost(repair, column) * (1 - MARGIN);
        if (column->kind == ISO_COLUMN_OVER_LIMIT || column->kind == ISO_COLUMN_OVER_BUDGET)
            repair->dual[row] = clamp(repair->dual[row], -own, own);
        else if (column->kind == ISO_COLUMN_MOVES)
            repair->dual[moves] = clamp(repair->dual[moves], 0, own);
    }
    for (int32_t j = 0; j < mip->n_columns; j++) { /* budgets' multipliers are settled now */
        const struct iso_mip_column *column = &mip->columns[j];
        if (column->kind != ISO_COLUMN_START)
            continue;
        int32_t row =
            repair->f->move_row[(int64_t)column->a * repair->f->problem->n_offerings + column->b];
        double own = cost(repair, column) * (1 - MARGIN);
        for (int32_t k = 1; k < column->n_entries; k++)
            own -= part_of(repair, &mip->entries[column->first_entry + k]);
        repair->dual[row] = fmax(repair->dual[row], -own);
    }
}

/* What full coverage of one instance is worth, commitments aside: its price in the objective and in
 * every budget that may count the product. */
static double gross_worth(const struct repair *repair, int32_t c, int32_t offering, int32_t period)
{
    const struct iso_problem *problem = repair->f->problem;
    double worth = repair->money * iso_instance_money(problem, offering, period);

    for (int32_t b = 0; b < problem->n_budgets; b++) {
        const struct iso_budget *budget = &problem->budgets[b];
        for (int32_t w = 0; w < budget->n_windows; w++)
            if (budget->basis != ISO_BASIS_LIST && budget->products[c] &&
                budget->offerings[offering] && budget->windows[w].periods[period])
                worth -= repair->dual[repair->f->budget_row[b] + w] *
                         iso_budget_price(problem, &budget->windows[w], offering, period);
    }
    return worth;
}

/* A commitment that costs nothing under the multipliers makes covered instances free, and free is
 * too little by rounding. So every psi_ct is at least a hair of what it buys. */
static void keep_above_zero(struct repair *repair)
{
    const struct iso_problem *problem = repair->f->problem;

    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t i = 0; i < problem->products[c].n_eligible; i++)
            for (int32_t t = 0; t < problem->n_periods; t++) {
                const struct iso_eligible *eligible = &problem->products[c].eligible[i];
                double *psi = &repair->dual[repair->f->commit_row[c * problem->n_periods + t]];
                double least =
                    HAIR * gross_worth(repair, c, eligible->offering, t) / iso_value(eligible->use);
                *psi = fmin(*psi, -least);
            }
}

/* Step 2: sum over the term of lot |psi_ct| may not exceed what buying costs. */
static void fit_purchases(struct repair *repair)
{
    struct iso_mip *mip = repair->mip;
    const struct iso_problem *problem = repair->f->problem;

    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        if (column->kind != ISO_COLUMN_BUY || !isinf(column->upper))
            continue;
        double own = cost(repair, column), gain = 0;
        for (int32_t k = 0; k < column->n_entries; k++) {
            const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
            double part = part_of(repair, entry);
            if (mip->rows[entry->row].kind == ISO_ROW_COMMIT)
                gain += part;
            else
                own -= part;
        }
        if (gain <= own * (1 - 10 * HAIR))
            continue;
        for (int32_t t = 0; t < problem->n_periods; t++)
            repair->dual[repair->f->commit_row[column->a * problem->n_periods + t]] *=
                own > 0 ? own * (1 - 10 * HAIR) / gain : 0;
    }
}

/* Step 3. Where a share is capped, what is served inside it may be worth exactly nothing, and
 * nothing is too much by rounding: a hair less for rows that ask for more settles it. */
static void scale(struct repair *repair)
{
    bool capped = false;

    for (int32_t i = 0; i < repair->mip->n_rows; i++)
        capped |= repair->mip->rows[i].kind == ISO_ROW_SHARE_MAX && repair->dual[i] != 0;
    for (int32_t i = 0; i < repair->mip->n_rows; i++)
        if (scaled(&repair->mip->rows[i]))
            repair->dual[i] *= direction(&repair->mip->rows[i]) > 0 && capped
                                   ? repair->factor * (1 - HAIR)
                                   : repair->factor;
}

/* The bound that the repaired multipliers prove, less what rounding could have added. */
static double proved_bound(const struct repair *repair)
{
    const struct iso_mip *mip = repair->mip;
    long double sum =
        repair->objective ? iso_formulation_constant(repair->f, repair->search->tier) : 0;
    long double size = fabsl(sum);

    for (int32_t i = 0; i < mip->n_rows; i++) {
        double dual = repair->dual[i];
        if (dual == 0)
            continue;
        long double part = (long double)dual * (dual > 0 ? mip->rows[i].lower : mip->rows[i].upper);
        sum += part;
        size += fabsl(part);
    }
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        if (isinf(column->upper))
            continue;
        long double reduced = cost(repair, column);
        for (int32_t e = 0; e < column->n_entries; e++)
            reduced -= part_of(repair, &mip->entries[column->first_entry + e]);
        if (reduced < 0) {
            sum += reduced * column->upper;
            size += fabsl(reduced * column->upper);
        }
    }
    return (double)(sum - 1e-12L * size);
}

static enum iso_status emit(const struct repair *repair, struct iso_tier *tier,
                            struct iso_error *reterr)
{
    struct iso_plan *plan = repair->search->plan;

    tier->first_dual = plan->n_duals;
    for (int32_t i = 0; i < repair->mip->n_rows; i++) {
        const struct iso_mip_row *row = &repair->mip->rows[i];
        struct iso_dual dual = {
            (enum iso_row_kind)row->kind, row->a, row->b, row->c, row->d, repair->dual[i]};
        if (dual.value != 0 && !iso_append(&plan->duals, &plan->n_duals, sizeof(dual), &dual))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a proof");
    }
    tier->n_duals = plan->n_duals - tier->first_dual;
    return ISO_OK;
}

enum iso_status iso_prove(const struct iso_search *search, const double *duals, bool objective,
                          struct iso_tier *tier, struct iso_error *reterr)
{
    struct repair repair = {.search = search,
                            .f = search->formulation,
                            .mip = &search->formulation->mip,
                            .objective = objective,
                            .factor = 1};
    size_t n_rows = (size_t)repair.mip->n_rows;
    ISO_AUTO_MEM double *dual = iso_calloc(n_rows, sizeof(*dual));

    if (!dual)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a proof");
    memcpy(dual, duals, n_rows * sizeof(*dual));
    repair.dual = dual;
    clip(&repair);
    fit_purchases(&repair);
    keep_above_zero(&repair);
    fit_moves(&repair);
    fit_uses(&repair);
    ISO_TRY(fit_pools(&repair, reterr));
    scale(&repair);
    tier->checked_bound = proved_bound(&repair);
    if (objective && tier->kind != ISO_TIER_MONEY && tier->checked_bound < 0) {
        memset(dual, 0, n_rows * sizeof(*dual)); /* no multipliers at all prove 0 */
        tier->checked_bound = 0;
    }
    return emit(&repair, tier, reterr);
}

/* Dual proofs: multipliers from a relaxation, made exact enough for the verifier.
 *
 * For any multipliers lambda with the right signs (>= rows: >= 0, <= rows: <= 0) every plan costs
 * at least  sum_r lambda_r b_r + sum_j min(0, rc_j) upper_j  with  rc_j = c_j - sum_r lambda_r a_rj
 * (weak duality). A column without upper bound needs rc_j >= 0, which simplex gives only up to its
 * tolerance. So the multipliers are repaired:
 *   1. what a violation, a start, a stop or a move costs caps the multiplier of its row;
 *      likewise the caps of a ramp cap the multipliers of its RAMP rows, and these are scaled until
 *      no instance earns by its starts and stops more than it costs;
 *   2. psi_c of each product is scaled until buying it prices out;
 *   3. all multipliers of >= rows and of caps on shares are scaled by one factor f <= 1 until every
 * instance of every offering, listed or dropped, prices out (Farley's bound: A. A. Farley, "A note
 * on bounding a class of linear programming problems", Operations Research 38, 1990). */
#include <math.h>
#include <string.h>

#include "priced.h"

#define HAIR 1e-10 /* relative; well above ISO_PROOF_MARGIN */

/* What runs today may not be worth more than an instance costs: rounding must not make keeping it
 * pay by itself. */
static void fit_moves(struct iso_priced *priced)
{
    for (int32_t i = 0; i < priced->mip->n_rows; i++) {
        const struct iso_mip_row *row = &priced->mip->rows[i];
        double gain;
        if (row->kind != ISO_ROW_MOVE || priced->dual[i] == 0)
            continue;
        double left = iso_priced_instance(priced, row->a, row->b, 0, &gain);
        double least = HAIR * (fabs(priced->dual[i]) + fabs(left));
        if (left < least)
            priced->dual[i] -= least - left;
    }
}

/* What the RAMP rows take off the cost of an instance. */
static double ramp_part(const struct iso_priced *priced, int32_t cell, int32_t offering, int32_t t)
{
    const struct iso_problem *problem = priced->f->problem;
    double sum = 0;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const int32_t *rows = priced->f->ramp_row[a];
        int32_t at = offering * problem->n_periods + t;
        if (!rows || iso_problem_cell(problem, a) != cell)
            continue;
        sum += rows[at] >= 0 ? priced->dual[rows[at]] : 0;
        sum -= t + 1 < problem->n_periods && rows[at + 1] >= 0 ? priced->dual[rows[at + 1]] : 0;
    }
    return sum;
}

/* The starts and stops of an instance may not earn more than it costs. All multipliers of ramps are
 * scaled by one factor, as those of one offering hang together over the periods. */
static void fit_ramps(struct iso_priced *priced)
{
    const struct iso_problem *problem = priced->f->problem;
    double factor = 1;

    for (int32_t i = 0; i < priced->mip->n_rows; i++) {
        const struct iso_mip_row *row = &priced->mip->rows[i];
        double gain;
        if (row->kind != ISO_ROW_RAMP)
            continue;
        int32_t cell = iso_problem_cell(problem, row->a);
        for (int32_t t = row->c - 1; t <= row->c; t++) {
            double part = ramp_part(priced, cell, row->b, t);
            double cost = iso_priced_instance(priced, cell, row->b, t, &gain) + part;
            if (part > 0 && part * factor > cost * (1 - 10 * HAIR))
                factor = fmax(0, cost * (1 - 10 * HAIR) / part);
        }
    }
    for (int32_t i = 0; i < priced->mip->n_rows && factor < 1; i++)
        if (priced->mip->rows[i].kind == ISO_ROW_RAMP ||
            priced->mip->rows[i].kind == ISO_ROW_RAMP_CAP)
            priced->dual[i] *= factor;
}

static void fit_uses(struct iso_priced *priced)
{
    const struct iso_problem *problem = priced->f->problem;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        for (int32_t i = 0; i < workload->n_options && !workload->replicas; i++)
            for (int32_t t = 0; t < problem->n_periods; t++) {
                double floor_gain, available = iso_priced_instance(
                                       priced, a, workload->options[i].offering, t, &floor_gain);
                double gain =
                    iso_priced_service(priced, a, i, t, iso_value(workload->options[i].served));
                iso_priced_shrink(priced, available, gain + floor_gain);
            }
    }
}

static double clamp(double value, double lower, double upper)
{
    return value < lower ? lower : value > upper ? upper : value;
}

/* start: rc = m - lambda_CAP(starts) >= 0; stop: rc = -m - lambda_CAP(stops) >= 0. */
static void clip_ramps(struct iso_priced *priced)
{
    const struct iso_mip *mip = priced->mip;

    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        const struct iso_mip_entry *entries = &mip->entries[column->first_entry];
        if (column->kind != ISO_COLUMN_RAMP)
            continue;
        double *m = &priced->dual[entries[0].row], cap = priced->dual[entries[1].row];
        *m = column->d == 0 ? fmax(*m, cap) : fmin(*m, -cap);
    }
}

/* Step 1, and signs. Columns of violations, starts, stops and moves stand in one row that only they
 * and instances share, so their costs cap its multiplier. */
static void clip(struct iso_priced *priced)
{
    struct iso_mip *mip = priced->mip;
    int32_t moves = priced->f->moves_row;

    for (int32_t i = 0; i < mip->n_rows; i++) {
        const struct iso_mip_row *row = &mip->rows[i];
        if (row->kind >= ISO_N_ROW_KINDS || (isinf(row->lower) && isinf(row->upper)))
            priced->dual[i] = 0;
        else if (iso_row_direction(row) != 0 && priced->dual[i] * iso_row_direction(row) < 0)
            priced->dual[i] = 0;
    }
    priced->money = iso_priced_money(priced);
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        int32_t row = column->n_entries ? mip->entries[column->first_entry].row : -1;
        if (!isinf(column->upper) || row < 0)
            continue;
        double own = iso_priced_cost(priced, column) * (1 - ISO_PROOF_MARGIN);
        if (column->kind == ISO_COLUMN_OVER_LIMIT || column->kind == ISO_COLUMN_OVER_BUDGET)
            priced->dual[row] = clamp(priced->dual[row], -own, own);
        else if (column->kind == ISO_COLUMN_MOVES)
            priced->dual[moves] = clamp(priced->dual[moves], 0, own);
    }
    clip_ramps(priced);
    for (int32_t j = 0; j < mip->n_columns; j++) { /* budgets' multipliers are settled now */
        const struct iso_mip_column *column = &mip->columns[j];
        if (column->kind != ISO_COLUMN_START)
            continue;
        int32_t row =
            priced->f->move_row[(int64_t)column->a * priced->f->problem->n_offerings + column->b];
        double own = iso_priced_cost(priced, column) * (1 - ISO_PROOF_MARGIN);
        for (int32_t k = 1; k < column->n_entries; k++)
            own -= iso_priced_part(priced, &mip->entries[column->first_entry + k]);
        priced->dual[row] = fmax(priced->dual[row], -own);
    }
}

/* What full coverage of one instance is worth, commitments aside: its price in the objective and in
 * every budget that may count the product. */
static double gross_worth(const struct iso_priced *priced, int32_t c, int32_t offering,
                          int32_t period)
{
    const struct iso_problem *problem = priced->f->problem;
    double worth = priced->money * iso_instance_money(problem, offering, period);

    for (int32_t b = 0; b < problem->n_budgets; b++) {
        const struct iso_budget *budget = &problem->budgets[b];
        for (int32_t w = 0; w < budget->n_windows; w++)
            if (budget->basis != ISO_BASIS_LIST && budget->products[c] &&
                budget->offerings[offering] && budget->windows[w].periods[period])
                worth -= priced->dual[priced->f->budget_row[b] + w] *
                         iso_budget_price(problem, &budget->windows[w], offering, period);
    }
    return worth;
}

/* A commitment that costs nothing under the multipliers makes covered instances free, and free is
 * too little by rounding. So every psi_ct is at least a hair of what it buys. */
static void keep_above_zero(struct iso_priced *priced)
{
    const struct iso_problem *problem = priced->f->problem;

    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t i = 0;
             i < problem->products[c].n_eligible && !iso_priced_is_implied(priced, c); i++)
            for (int32_t t = 0; t < problem->n_periods; t++) {
                const struct iso_eligible *eligible = &problem->products[c].eligible[i];
                double *psi = &priced->dual[iso_formulation_commit_row(priced->f, c, t)];
                double least =
                    HAIR * gross_worth(priced, c, eligible->offering, t) / iso_value(eligible->use);
                *psi = fmin(*psi, -least);
            }
}

/* Step 2: sum over the term of lot |psi_ct| may not exceed what buying costs. */
static void fit_purchases(struct iso_priced *priced)
{
    struct iso_mip *mip = priced->mip;
    const struct iso_problem *problem = priced->f->problem;

    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        if (column->kind != ISO_COLUMN_BUY || !isinf(column->upper))
            continue;
        double own = iso_priced_cost(priced, column), gain = 0;
        for (int32_t k = 0; k < column->n_entries; k++) {
            const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
            double part = iso_priced_part(priced, entry);
            if (mip->rows[entry->row].kind == ISO_ROW_COMMIT)
                gain += part;
            else
                own -= part;
        }
        if (gain <= own * (1 - 10 * HAIR))
            continue;
        for (int32_t t = 0; t < problem->n_periods; t++)
            priced->dual[iso_formulation_commit_row(priced->f, column->a, t)] *=
                own > 0 ? own * (1 - 10 * HAIR) / gain : 0;
    }
}

/* Rows that take from what is served. */
static bool takes(const struct iso_mip_row *row)
{
    return row->kind == ISO_ROW_SHARE_MAX || row->kind == ISO_ROW_PRESENCE;
}

/* Step 3. Where a share is capped or a domain is asked for, what is served inside it may be worth
 * exactly nothing, and nothing is too much by rounding: a hair less for rows that ask for more
 * settles it. */
static void scale(struct iso_priced *priced)
{
    bool capped = false;

    for (int32_t i = 0; i < priced->mip->n_rows; i++)
        capped |= takes(&priced->mip->rows[i]) && priced->dual[i] != 0;
    for (int32_t i = 0; i < priced->mip->n_rows; i++) {
        const struct iso_mip_row *row = &priced->mip->rows[i];
        if (!iso_row_is_scaled(row))
            continue;
        double factor = priced->factors && row->kind != ISO_ROW_LIMIT ? priced->factors[row->a]
                                                                      : priced->factor;
        priced->dual[i] *=
            iso_row_direction(row) > 0 && !takes(row) && capped ? factor * (1 - HAIR) : factor;
    }
}

/* The bound that the repaired multipliers prove, less what rounding could have added. */
static double proved_bound(const struct iso_priced *priced, long double purchases)
{
    const struct iso_mip *mip = priced->mip;
    long double sum =
        purchases +
        (priced->objective ? iso_formulation_average_constant(priced->f, priced->search->tier) : 0);
    long double size = fabsl(sum);

    for (int32_t i = 0; i < mip->n_rows; i++) {
        double dual = priced->dual[i];
        if (dual == 0)
            continue;
        double lower = mip->rows[i].lower;
        if (mip->rows[i].kind == ISO_ROW_FLOW || mip->rows[i].kind == ISO_ROW_ARRIVAL)
            lower = iso_flow_row_side(priced->f->problem, &mip->rows[i]);
        long double part = (long double)dual * (dual > 0 ? lower : mip->rows[i].upper);
        sum += part;
        size += fabsl(part);
    }
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        if (isinf(column->upper))
            continue;
        long double reduced = iso_priced_cost(priced, column);
        for (int32_t e = 0; e < column->n_entries; e++)
            reduced -= iso_priced_part(priced, &mip->entries[column->first_entry + e]);
        if (reduced < 0) {
            sum += reduced * column->upper;
            size += fabsl(reduced * column->upper);
        }
    }
    return (double)(sum - 1e-12L * size);
}

/* Beside leads multipliers of products may be left out; here each period leads itself. */
static enum iso_status lead_themselves(const struct iso_priced *priced, struct iso_error *reterr)
{
    struct iso_plan *plan = priced->search->plan;

    for (int32_t t = plan->n_leads; t < priced->f->problem->n_periods; t++) {
        struct iso_lead itself = {t};
        if (!iso_append(&plan->leads, &plan->n_leads, sizeof(itself), &itself))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a proof");
    }
    return ISO_OK;
}

static enum iso_status emit(const struct iso_priced *priced, struct iso_tier *tier,
                            struct iso_error *reterr)
{
    struct iso_plan *plan = priced->search->plan;

    tier->first_dual = plan->n_duals;
    for (int32_t i = 0; i < priced->mip->n_rows; i++) {
        const struct iso_mip_row *row = &priced->mip->rows[i];
        struct iso_dual dual = {
            (enum iso_row_kind)row->kind, row->a, row->b, row->c, row->d, priced->dual[i]};
        if (dual.value != 0 && !iso_append(&plan->duals, &plan->n_duals, sizeof(dual), &dual))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a proof");
    }
    tier->n_duals = plan->n_duals - tier->first_dual;
    return priced->search->unlisted ? lead_themselves(priced, reterr) : ISO_OK;
}

enum iso_status iso_prove(const struct iso_search *search, const double *duals, bool objective,
                          struct iso_tier *tier, struct iso_error *reterr)
{
    struct iso_priced priced = {.search = search,
                                .f = search->formulation,
                                .mip = &search->formulation->mip,
                                .objective = objective,
                                .factor = 1};
    size_t n_rows = (size_t)priced.mip->n_rows;
    long double purchases = 0;
    ISO_AUTO_MEM double *dual = iso_calloc(n_rows, sizeof(*dual));
    ISO_AUTO_MEM double *factors =
        iso_calloc((size_t)search->problem->n_workloads, sizeof(*factors));

    if (!dual || !factors)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a proof");
    memcpy(dual, duals, n_rows * sizeof(*dual));
    priced.dual = dual;
    if (objective && tier->kind == ISO_TIER_MONEY)
        iso_formulation_average_prices(priced.f, dual);
    priced.factors = search->unlisted ? factors : NULL;
    clip(&priced);
    iso_priced_drop_implied(&priced);
    keep_above_zero(&priced);
    fit_purchases(&priced);
    fit_purchases(&priced); /* a hair of a dear instance can be more than a cheap fee has left */
    fit_ramps(&priced);
    fit_moves(&priced);
    if (search->unlisted)
        ISO_TRY(iso_priced_fit_unlisted(&priced, reterr));
    else
        fit_uses(&priced);
    ISO_TRY(iso_priced_fit_pools(&priced, reterr));
    scale(&priced);
    if (search->unlisted)
        ISO_TRY(iso_priced_capped_purchases(&priced, &purchases, reterr));
    tier->checked_bound = proved_bound(&priced, purchases);
    if (objective && tier->kind != ISO_TIER_MONEY && tier->checked_bound < 0) {
        memset(dual, 0, n_rows * sizeof(*dual)); /* no multipliers at all prove 0 */
        tier->checked_bound = 0;
    }
    return emit(&priced, tier, reterr);
}

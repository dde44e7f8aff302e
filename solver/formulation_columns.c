/* Columns of the plain MIP, with their entries in the rows of formulation_rows.c. */
#include <math.h>
#include <string.h>

#include "formulation.h"

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the columns of the formulation");
}

static bool open_column(struct iso_formulation *f, enum iso_column_kind kind, int32_t a, int32_t b,
                        int32_t c, int32_t d, double upper, bool integer)
{
    return iso_mip_add_column(&f->mip, &(struct iso_mip_column){.kind = kind,
                                                                .a = a,
                                                                .b = b,
                                                                .c = c,
                                                                .d = d,
                                                                .lower = 0,
                                                                .upper = upper,
                                                                .integer = integer}) >= 0;
}

/* --- instances --- */

static bool budget_entries(struct iso_formulation *f, int32_t cell, int32_t offering,
                           int32_t period)
{
    const struct iso_problem *problem = f->problem;
    bool ok = true;

    for (int32_t b = 0; b < problem->n_budgets; b++) {
        const struct iso_budget *budget = &problem->budgets[b];
        if (!budget->offerings[offering] || !budget->cells[cell])
            continue;
        for (int32_t w = 0; w < budget->n_windows; w++)
            if (budget->windows[w].periods[period])
                ok &= iso_mip_add_entry(
                    &f->mip, f->budget_row[b] + w,
                    iso_budget_price(problem, &budget->windows[w], offering, period));
    }
    return ok;
}

/* What one start, stop or move of the last column adds to the budgets that count moves. */
static bool move_spend_entries(struct iso_formulation *f, iso_decimal cost)
{
    const struct iso_problem *problem = f->problem;
    bool ok = true;

    for (int32_t b = 0; b < problem->n_budgets; b++)
        for (int32_t w = 0; w < problem->budgets[b].n_windows && problem->budgets[b].moves; w++) {
            const struct iso_window *window = &problem->budgets[b].windows[w];
            if (window->periods[0])
                ok &= iso_mip_add_entry(
                    &f->mip, f->budget_row[b] + w,
                    iso_value(cost) * iso_value(iso_problem_rate(problem, problem->base_currency,
                                                                 window->currency, 0)));
        }
    return ok;
}

int32_t iso_formulation_move(struct iso_formulation *f, int32_t cell, int32_t offering)
{
    struct iso_mip *mip = &f->mip;
    int32_t *known = &f->move_row[(int64_t)cell * f->problem->n_offerings + offering];

    if (*known >= 0)
        return *known;
    const struct iso_current *current = iso_problem_find_current(f->problem, cell, offering);
    double today = current ? (double)current->count : 0;
    int32_t row = iso_mip_add_row(
        mip, &(struct iso_mip_row){ISO_ROW_MOVE, cell, offering, -1, -1, today, today});
    bool ok =
        row >= 0 && open_column(f, ISO_COLUMN_START, cell, offering, -1, -1, INFINITY, false) &&
        iso_mip_add_entry(mip, row, -1) && move_spend_entries(f, f->problem->moves.start_cost);
    if (today > 0)
        ok = ok && open_column(f, ISO_COLUMN_STOP, cell, offering, -1, -1, today, false) &&
             iso_mip_add_entry(mip, row, 1) && iso_mip_add_entry(mip, f->moves_row, -1) &&
             move_spend_entries(f, f->problem->moves.stop_cost);
    *known = ok ? row : -1;
    return *known;
}

bool iso_formulation_instance_entries(struct iso_formulation *f, int32_t cell, int32_t offering,
                                      int32_t period, int32_t cover_link)
{
    const struct iso_problem *problem = f->problem;
    const struct iso_mentions *limits = &f->reduction->limits;
    bool ok = true;

    for (int32_t at = limits->first[offering]; at < limits->first[offering + 1]; at++) {
        int32_t limit = limits->items[at].set, term = limits->items[at].place;
        int32_t row = f->limit_row[limit * problem->n_periods + period];
        if (row >= 0)
            ok &= iso_mip_add_entry(&f->mip, row,
                                    iso_value(problem->limits[limit].terms[term].weight));
    }
    ok &= budget_entries(f, cell, offering, period);
    if (cover_link >= 0)
        ok &= iso_mip_add_entry(&f->mip, cover_link, 1);
    return ok && iso_formulation_tail_entries(f, offering, period) &&
           iso_formulation_ramp_entries(f, cell, offering, period);
}

bool iso_formulation_service_entries(struct iso_formulation *f, int32_t a, int32_t option,
                                     int32_t period, double amount)
{
    const struct iso_problem *problem = f->problem;
    const struct iso_workload *workload = &problem->workloads[a];
    int32_t offering = workload->options[option].offering, n_periods = problem->n_periods;
    struct iso_mip *mip = &f->mip;
    bool ok = iso_mip_add_entry(mip, f->demand_row[a * n_periods + period], amount);

    for (int32_t s = 0; s < workload->n_shares; s++) {
        int32_t row = f->share_row[a] + (s * n_periods + period) * 2;
        const struct iso_share *share = &workload->shares[s];
        if (share->has_maximum)
            ok &= iso_mip_add_entry(mip, row,
                                    amount * (share->member[option] - iso_value(share->maximum)));
        if (share->has_minimum && share->member[option])
            ok &= iso_mip_add_entry(mip, row + 1, amount);
    }
    for (int32_t row = f->survive_row[a]; row < f->spread_row[a]; row += n_periods) {
        const struct iso_mip_row *rule = &mip->rows[row];
        if (!problem->offerings[offering].spot &&
            !iso_problem_falls_with(problem, offering, workload->survive[rule->b].level, rule->d))
            ok &= iso_mip_add_entry(mip, row + period, amount);
    }
    for (int32_t row = f->spread_row[a], r = 0; r < workload->n_spread;) {
        const struct iso_mip_row *rule = &mip->rows[row];
        enum iso_level level = workload->spread[r].level;
        if (rule->kind == ISO_ROW_SPREAD_N) {
            row++;
            r++;
            continue;
        }
        if (rule->d == iso_problem_domain(problem, offering, level) &&
            iso_problem_spread_counts(problem, workload, offering, level))
            ok &= iso_mip_add_entry(mip, row + period, amount);
        row += n_periods;
    }
    return ok && iso_formulation_presence_entries(f, a, offering, period, amount) &&
           iso_formulation_traffic_entries(f, a, offering, period, amount);
}

bool iso_formulation_add_cover(struct iso_formulation *f, int32_t c, int32_t link, iso_decimal use)
{
    const struct iso_problem *problem = f->problem;
    int32_t cell = f->mip.rows[link].a, offering = f->mip.rows[link].b;
    int32_t period = f->mip.rows[link].c;
    bool ok = open_column(f, ISO_COLUMN_COVER, c, cell, offering, period, INFINITY, false) &&
              iso_mip_add_entry(&f->mip, link, -1) &&
              iso_mip_add_entry(&f->mip, iso_formulation_commit_row(f, c, period), iso_value(use));

    for (int32_t b = 0; ok && b < problem->n_budgets; b++) {
        const struct iso_budget *budget = &problem->budgets[b];
        if (budget->basis == ISO_BASIS_LIST || !budget->products[c] ||
            !budget->offerings[offering] || !budget->cells[cell])
            continue;
        for (int32_t w = 0; ok && w < budget->n_windows; w++)
            if (budget->windows[w].periods[period])
                ok = iso_mip_add_entry(
                    &f->mip, f->budget_row[b] + w,
                    -iso_budget_price(problem, &budget->windows[w], offering, period));
    }
    return ok;
}

int32_t iso_formulation_cover(struct iso_formulation *f, int32_t cell, int32_t offering,
                              int32_t period)
{
    const struct iso_problem *problem = f->problem;
    const struct iso_mentions *products = &f->reduction->products;
    int32_t link = -1;

    for (int32_t at = products->first[offering]; at < products->first[offering + 1]; at++) {
        int32_t c = products->items[at].set;
        const struct iso_product *product = &problem->products[c];
        if (!product->cells[cell] || (product->most == 0 && product->existing[period] == 0))
            continue;
        if (link < 0)
            link =
                iso_mip_add_row(&f->mip, &(struct iso_mip_row){ISO_ROW_LINK_COVER, cell, offering,
                                                               period, -1, 0, INFINITY});
        if (link < 0)
            return -2;
        if (f->commit_row[c] >= 0 &&
            !iso_formulation_add_cover(f, c, link,
                                       product->eligible[products->items[at].place].use))
            return -2;
    }
    return link;
}

bool iso_formulation_useful(const struct iso_formulation *f, const struct iso_workload *workload,
                            int32_t period)
{
    int32_t a = (int32_t)(workload - f->problem->workloads);

    for (int level = 0; level < ISO_N_LEVELS; level++) /* it may have to follow another */
        if (f->presence_row[a * ISO_N_LEVELS + level] >= 0)
            return true;
    return workload->required[period] > 0 || f->problem->n_limits > 0 || workload->ramp ||
           (f->problem->moves.present && period == 0);
}

bool iso_formulation_add_use(struct iso_formulation *f, int32_t a, int32_t option, int32_t period)
{
    const struct iso_problem *problem = f->problem;
    const struct iso_option *choice = &problem->workloads[a].options[option];
    int32_t link = iso_formulation_cover(f, a, choice->offering, period);
    int32_t move =
        problem->moves.present && period == 0 ? iso_formulation_move(f, a, choice->offering) : -2;

    return link != -2 && move != -1 &&
           open_column(f, ISO_COLUMN_USE, a, option, period, -1, INFINITY, true) &&
           iso_formulation_instance_entries(f, a, choice->offering, period, link) &&
           (move < 0 || iso_mip_add_entry(&f->mip, move, 1)) &&
           iso_formulation_service_entries(f, a, option, period, iso_value(choice->served));
}

/* --- the rest --- */

static bool add_unserved(struct iso_formulation *f, int32_t a, int32_t period)
{
    const struct iso_problem *problem = f->problem;
    const struct iso_workload *workload = &problem->workloads[a];
    int32_t n_periods = problem->n_periods;
    struct iso_mip *mip = &f->mip;
    double required = iso_value(workload->required[period]);

    if (workload->service == ISO_SERVICE_MUST || required == 0)
        return true;
    bool ok = open_column(f, ISO_COLUMN_UNSERVED, a, period, -1, -1, required, false) &&
              iso_mip_add_entry(mip, f->demand_row[a * n_periods + period], 1) &&
              iso_formulation_fair_entries(f, a, period) &&
              iso_formulation_box_entries(f, a, period);
    for (int32_t s = 0; s < workload->n_shares; s++)
        if (workload->shares[s].has_minimum)
            ok = ok && iso_mip_add_entry(mip, f->share_row[a] + (s * n_periods + period) * 2 + 1,
                                         iso_value(workload->shares[s].minimum));
    for (int32_t row = f->survive_row[a]; row < f->spread_row[a]; row += n_periods)
        ok = ok && iso_mip_add_entry(mip, row + period,
                                     iso_value(workload->survive[mip->rows[row].b].share));
    for (int32_t row = f->spread_row[a], r = 0; r < workload->n_spread;) {
        if (mip->rows[row].kind == ISO_ROW_SPREAD_N) {
            row++;
            r++;
            continue;
        }
        ok = ok &&
             iso_mip_add_entry(mip, row + period, iso_value(workload->spread[r].minimum_share));
        row += n_periods;
    }
    return ok && iso_formulation_traffic_unserved(f, a, period);
}

static bool add_domains(struct iso_formulation *f, int32_t a)
{
    const struct iso_workload *workload = &f->problem->workloads[a];
    int32_t n_periods = f->problem->n_periods, first = f->spread_row[a];
    struct iso_mip *mip = &f->mip;

    for (int32_t r = 0; r < workload->n_spread; r++) {
        int32_t end = first;
        while (mip->rows[end].kind != ISO_ROW_SPREAD_N)
            end += n_periods;
        for (int32_t row = first; row < end; row += n_periods) {
            if (!open_column(f, ISO_COLUMN_DOMAIN, a, r, mip->rows[row].d, -1, 1, true) ||
                !iso_mip_add_entry(mip, end, 1))
                return false;
            for (int32_t t = 0; t < n_periods; t++)
                if (!iso_mip_add_entry(mip, row + t,
                                       -iso_value(workload->spread[r].minimum_share) *
                                           iso_value(workload->demand[t])))
                    return false;
        }
        first = end + 1;
    }
    return true;
}

bool iso_formulation_add_purchases(struct iso_formulation *f, int32_t c)
{
    const struct iso_problem *problem = f->problem;
    const struct iso_product *product = &problem->products[c];

    for (int32_t s = 0; s < product->n_starts && product->most != 0; s++) {
        if (!open_column(f, ISO_COLUMN_BUY, c, s, -1, -1,
                         product->most < 0 ? INFINITY : (double)product->most, true))
            return false;
        for (int32_t t = 0; t < problem->n_periods; t++)
            if (product->starts[s].window[t] &&
                !iso_mip_add_entry(&f->mip, iso_formulation_commit_row(f, c, t),
                                   -iso_value(product->lot)))
                return false;
        for (int32_t b = 0; b < problem->n_budgets; b++)
            for (int32_t w = 0; w < problem->budgets[b].n_windows; w++)
                if (!iso_mip_add_entry(&f->mip, f->budget_row[b] + w,
                                       iso_budget_purchase(problem, &problem->budgets[b],
                                                           &problem->budgets[b].windows[w], c, s)))
                    return false;
    }
    return true;
}

static double violation_cap(enum iso_policy policy, iso_decimal today)
{
    return policy == ISO_POLICY_DEFAULT ? iso_value(today) : INFINITY;
}

static bool add_violations(struct iso_formulation *f)
{
    const struct iso_problem *problem = f->problem;

    for (int32_t l = 0; l < problem->n_limits; l++) {
        const struct iso_limit *limit = &problem->limits[l];
        for (int32_t t = 0; t < problem->n_periods && limit->policy != ISO_POLICY_HARD; t++)
            if (limit->periods[t] &&
                (!open_column(f, ISO_COLUMN_OVER_LIMIT, l, t, -1, -1,
                              violation_cap(limit->policy, limit->today), false) ||
                 !iso_mip_add_entry(&f->mip, f->limit_row[l * problem->n_periods + t],
                                    limit->minimum ? 1 : -1)))
                return false;
    }
    for (int32_t b = 0; b < problem->n_budgets; b++) {
        const struct iso_budget *budget = &problem->budgets[b];
        for (int32_t w = 0; w < budget->n_windows && budget->policy != ISO_POLICY_HARD; w++)
            if (!open_column(f, ISO_COLUMN_OVER_BUDGET, b, w, -1, -1,
                             violation_cap(budget->policy, budget->windows[w].today), false) ||
                !iso_mip_add_entry(&f->mip, f->budget_row[b] + w, -1))
                return false;
    }
    return true;
}

/* What runs today but is no column of its own still has to be stopped. */
static bool add_moves(struct iso_formulation *f)
{
    const struct iso_problem *problem = f->problem;
    double most = problem->moves.maximum < 0 ? INFINITY : (double)problem->moves.maximum;

    if (!problem->moves.present)
        return true;
    for (int32_t i = 0; i < problem->moves.n_current; i++)
        if (iso_formulation_move(f, problem->moves.current[i].cell,
                                 problem->moves.current[i].offering) < 0)
            return false;
    return open_column(f, ISO_COLUMN_MOVES, -1, -1, -1, -1, most, false) &&
           iso_mip_add_entry(&f->mip, f->moves_row, 1) &&
           move_spend_entries(f, problem->moves.move_cost);
}

enum iso_status iso_formulation_columns(struct iso_formulation *f, struct iso_error *reterr)
{
    const struct iso_problem *problem = f->problem;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        for (int32_t i = 0; i < workload->n_options && !workload->replicas && f->complete; i++)
            for (int32_t t = 0; t < problem->n_periods && f->reduction->options[a][i]; t++)
                if (iso_formulation_useful(f, workload, t))
                    if (!iso_formulation_add_use(f, a, i, t))
                        return no_memory(reterr);
        for (int32_t t = 0; t < problem->n_periods; t++)
            if (!add_unserved(f, a, t))
                return no_memory(reterr);
        if (!add_domains(f, a))
            return no_memory(reterr);
    }
    if (!iso_formulation_affinity_columns(f) || !iso_formulation_ramp_columns(f) ||
        !iso_formulation_fair_columns(f) || !iso_formulation_box_columns(f) ||
        !iso_formulation_traffic_columns(f))
        return no_memory(reterr);
    for (int32_t c = 0; c < problem->n_products && f->complete; c++)
        if (!iso_formulation_add_purchases(f, c))
            return no_memory(reterr);
    return add_violations(f) && add_moves(f) ? ISO_OK : no_memory(reterr);
}

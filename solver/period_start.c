/* Where a large relaxation starts: period by period.
 *
 * Limits, shares and survival join workloads within a period; nothing but budgets and commitments
 * joins periods. Without these each period is a linear program of its own, as many times smaller as
 * there are periods, and starts from the basis of the period before. The bases together are one of
 * the whole: its point keeps all rows of periods, and it is optimal but for budgets and
 * commitments, so what is left for the whole program is to let these in. (A crash basis by blocks;
 * the decomposition of G. B. Dantzig and P. Wolfe, Operations Research 8, 1960, has the same
 * blocks.)
 *
 * The points together, rounded like any other, are a first plan. */
#include <stdlib.h>
#include <string.h>

#include "unlisted.h"

#define ROUNDS 60 /* of pricing in a period; more are left to the whole */

struct period_start {
    struct iso_search *search;
    double *duals;
    struct iso_simplex_basis last; /* of the period before */
    int32_t *active, n_active;     /* columns that the period before had */
    struct iso_lp_part *point;     /* of all periods so far */
    int32_t n_point;
};

static void start_fini(struct period_start *start)
{
    free(start->duals);
    free(start->active);
    free(start->point);
    iso_simplex_basis_fini(&start->last);
}

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to start period by period");
}

/* The row of the next period that says the same, -1 when there is none. */
static int32_t next_row(const struct iso_formulation *f, int32_t i)
{
    const struct iso_mip_row *row = &f->mip.rows[i];

    if (row->kind == ISO_ROW_DEMAND)
        return f->demand_row[row->a * f->problem->n_periods + row->b + 1];
    if (row->kind == ISO_ROW_LIMIT)
        return f->limit_row[row->a * f->problem->n_periods + row->b + 1];
    return row->kind == ISO_ROW_SURVIVE ? i + 1 : i + 2; /* shares: a cap and a floor a period */
}

/* The same instances in the next period, -1 when they are of no use there, -2 when memory is short.
 */
static int32_t next_column(struct iso_formulation *f, int32_t j)
{
    const struct iso_mip_column column = f->mip.columns[j];

    if (column.kind != ISO_COLUMN_USE ||
        !iso_formulation_useful(f, &f->problem->workloads[column.a], column.c + 1))
        return -1;
    int32_t next = iso_formulation_list_use(f, column.a, column.b, column.c + 1);
    return next < 0 ? -2 : next;
}

/* Moves the columns and the basis of the period before on to this one. */
static enum iso_status move_on(struct period_start *start, struct iso_error *reterr)
{
    struct iso_search *search = start->search;
    struct iso_formulation *f = search->formulation;
    int32_t *const columns[] = {start->active, start->last.columns};
    int32_t *const counts[] = {&start->n_active, &start->last.n_columns};
    int32_t n_columns = f->mip.n_columns, n_rows = f->mip.n_rows, n = 0;

    for (size_t list = 0; list < ISO_ARRAY_LENGTH(columns); list++) {
        n = 0;
        for (int32_t k = 0; k < *counts[list]; k++) {
            int32_t next = next_column(f, columns[list][k]);
            if (next == -2)
                return no_memory(reterr);
            if (next >= 0)
                columns[list][n++] = next;
        }
        *counts[list] = n;
    }
    n = 0;
    for (int32_t k = 0; k < start->last.n_rows; k++) {
        int32_t next = next_row(f, start->last.rows[k]);
        if (next >= 0)
            start->last.rows[n++] = next;
    }
    start->last.n_rows = n;
    ISO_TRY(iso_search_grow_duals(search, n_rows, &start->duals, reterr));
    ISO_TRY(iso_search_grow(search, n_columns, reterr));
    return iso_unlisted_see(search->unlisted, reterr);
}

/* Hands the program what it begins with: in the first period what is listed. */
static enum iso_status begin(struct period_start *start, struct iso_lp *lp, int32_t t,
                             struct iso_error *reterr)
{
    const struct iso_mip *mip = &start->search->formulation->mip;

    for (int32_t j = 0; j < mip->n_columns; j++)
        if (iso_column_is_slack(&mip->columns[j], t) ||
            (t == 0 && mip->columns[j].kind == ISO_COLUMN_USE && mip->columns[j].c == 0))
            ISO_TRY(iso_lp_add_column(lp, j, reterr));
    for (int32_t k = 0; k < start->n_active; k++)
        ISO_TRY(iso_lp_add_column(lp, start->active[k], reterr));
    return t == 0 ? ISO_OK : iso_lp_start_from(lp, &start->last, reterr);
}

/* Column generation in the period. *ret_solved: no column is left that would lower its cost. */
static enum iso_status solve_period(struct period_start *start, struct iso_lp *lp, int32_t t,
                                    bool *ret_solved, struct iso_error *reterr)
{
    struct iso_search *search = start->search;
    struct iso_control control = iso_search_control(search);
    struct iso_artificials artificials __attribute__((cleanup(iso_artificials_fini))) = {0};

    *ret_solved = false;
    for (int round = 0; round < ROUNDS && !iso_search_stops(search); round++) {
        enum iso_lp_outcome outcome;
        int32_t n_new = 0;
        ISO_TRY(iso_lp_solve(lp, &control, &search->iterations, &outcome, reterr));
        if (outcome == ISO_LP_INFEASIBLE && artificials.factor == 0) {
            ISO_TRY(iso_artificials_open(&artificials, search, lp, t, reterr));
            continue;
        }
        if (outcome != ISO_LP_OPTIMAL)
            return ISO_OK;
        iso_lp_duals(lp, start->duals);
        ISO_TRY(iso_price_period(search, lp, t, &start->duals, &n_new, reterr));
        if (n_new == 0 && artificials.factor > 0)
            ISO_TRY(iso_artificials_raise(&artificials, search, lp, &n_new, reterr));
        if (n_new > 0)
            continue;
        *ret_solved = iso_lp_artificial_sum(lp) <= 1e-9;
        return ISO_OK;
    }
    return ISO_OK;
}

/* Keeps what the next period starts from, and the point. */
static enum iso_status keep(struct period_start *start, const struct iso_lp *lp,
                            struct iso_simplex_basis *basis, struct iso_error *reterr)
{
    const struct iso_mip *mip = &start->search->formulation->mip;

    start->n_active = 0;
    iso_simplex_basis_fini(&start->last);
    free(start->active);
    start->active = NULL;
    for (int32_t j = 0; j < mip->n_columns; j++) {
        struct iso_lp_part part = {j, iso_lp_has_column(lp, j) ? iso_lp_value(lp, j) : 0};
        if (iso_lp_has_column(lp, j) && mip->columns[j].kind == ISO_COLUMN_USE &&
            !iso_append(&start->active, &start->n_active, sizeof(j), &j))
            return no_memory(reterr);
        if (part.multiple != 0 && !iso_append(&start->point, &start->n_point, sizeof(part), &part))
            return no_memory(reterr);
    }
    ISO_TRY(iso_lp_add_basis(lp, &start->last, reterr));
    return iso_lp_add_basis(lp, basis, reterr);
}

static enum iso_status run_periods(struct period_start *start, struct iso_simplex_basis *basis,
                                   bool *ret_all, struct iso_error *reterr)
{
    const struct iso_problem *problem = start->search->problem;

    *ret_all = true;
    for (int32_t t = 0; t < problem->n_periods && *ret_all; t++) {
        ISO_AUTO(iso_lp) lp = NULL;
        if (t > 0)
            ISO_TRY(move_on(start, reterr));
        ISO_TRY(iso_lp_new_period(&start->search->formulation->mip, t, &lp, reterr));
        ISO_TRY(begin(start, lp, t, reterr));
        ISO_TRY(solve_period(start, lp, t, ret_all, reterr));
        if (*ret_all)
            ISO_TRY(keep(start, lp, basis, reterr));
    }
    return ISO_OK;
}

bool iso_period_start_applies(const struct iso_search *search)
{
    const struct iso_problem *problem = search->problem;
    int32_t n_rules = problem->n_limits;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        n_rules += problem->workloads[a].n_shares + problem->workloads[a].n_survive;
    return search->unlisted && search->tier == ISO_TIER_MONEY && problem->n_periods > 1 &&
           n_rules > 0;
}

enum iso_status iso_start_periods(struct iso_search *search, struct iso_simplex_basis *basis,
                                  struct iso_error *reterr)
{
    struct period_start start __attribute__((cleanup(start_fini))) = {.search = search};
    struct iso_mip *mip = &search->formulation->mip;
    bool all;

    start.duals = iso_calloc((size_t)mip->n_rows, sizeof(*start.duals));
    if (!start.duals)
        return no_memory(reterr);
    ISO_TRY(run_periods(&start, basis, &all, reterr));
    if (!all) {
        iso_simplex_basis_fini(basis);
        return ISO_OK;
    }
    if (search->has_best)
        return ISO_OK;
    ISO_AUTO_MEM double *x = iso_calloc((size_t)mip->n_columns, sizeof(*x));
    if (!x)
        return no_memory(reterr);
    for (int32_t k = 0; k < start.n_point; k++)
        x[start.point[k].column] = start.point[k].multiple;
    return iso_first_plans(search, x, NULL, 1, reterr);
}

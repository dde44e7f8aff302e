/* Column generation on the relaxation of the tier at hand.
 *
 * Columns come in as they price out, so large problems load few of them. Fill patterns that are not
 * listed are priced too: the pattern with the largest value under the multipliers, for each
 * offering and period. Its value is a bound on every plan. */
#include <math.h>
#include <string.h>

#include "search.h"

#define START_COLUMNS 4000 /* formulations up to this size are loaded whole */
#define PER_ROUND 2000     /* columns that may come in a round */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for column generation");
}

/* Columns of instances start inactive, except those of the best plan so far. */
static void choose_start(const struct iso_search *search, uint8_t *active)
{
    const struct iso_mip *mip = &search->formulation->mip;
    bool all = mip->n_columns <= START_COLUMNS;

    for (int32_t j = 0; j < mip->n_columns; j++)
        active[j] =
            all || (search->has_best && search->best[j] != 0) || !iso_column_runs(&mip->columns[j]);
}

struct priced {
    int32_t column;
    double reduced_cost;
};

static int cheapest_first(const void *left, const void *right)
{
    const struct priced *a = left, *b = right;

    if (a->reduced_cost != b->reduced_cost)
        return a->reduced_cost < b->reduced_cost ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

/* Brings in the inactive columns with the most negative reduced costs. */
static enum iso_status price_columns(struct iso_search *search, struct iso_lp *lp,
                                     const double *duals, int32_t *ret_n_new,
                                     struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    ISO_AUTO_MEM struct priced *list = iso_calloc((size_t)mip->n_columns, sizeof(*list));
    int32_t n = 0;

    *ret_n_new = 0;
    if (!list)
        return no_memory(reterr);
    for (int32_t j = 0; j < mip->n_columns; j++) {
        if (iso_lp_has_column(lp, j))
            continue;
        double reduced_cost = iso_reduced_cost(mip, duals, j);
        if (reduced_cost < -1e-9 * (1 + fabs(mip->objective[j])))
            list[n++] = (struct priced){j, reduced_cost};
    }
    qsort(list, (size_t)n, sizeof(*list), cheapest_first);
    for (int32_t i = 0; i < n && i < PER_ROUND; i++)
        ISO_TRY(iso_lp_add_column(lp, list[i].column, reterr));
    *ret_n_new = n;
    return ISO_OK;
}

/* A plan from nothing, so that there is one at once and the first relaxation has a point. */
static enum iso_status plan_from_nothing(struct iso_search *search, struct iso_lp *lp,
                                         struct iso_error *reterr)
{
    ISO_AUTO_MEM double *x = iso_calloc((size_t)search->formulation->mip.n_columns, sizeof(*x));

    return x ? iso_first_plans(search, lp, x, 1, reterr) : no_memory(reterr);
}

/* Solves the relaxation over all listed columns. When the columns at hand cannot meet the rows, all
 * of them are brought in before infeasibility is believed. */
static enum iso_status relax_listed(struct iso_search *search, struct iso_lp *lp, double *duals,
                                    enum iso_lp_outcome *ret_outcome, struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    struct iso_control control = iso_search_control(search);

    for (;;) {
        int32_t n_new = 0;
        ISO_TRY(iso_lp_solve(lp, &control, &search->iterations, ret_outcome, reterr));
        if (*ret_outcome == ISO_LP_INFEASIBLE) {
            for (int32_t j = 0; j < mip->n_columns; j++)
                if (!iso_lp_has_column(lp, j)) {
                    ISO_TRY(iso_lp_add_column(lp, j, reterr));
                    n_new++;
                }
            if (n_new == 0)
                return ISO_OK;
            continue;
        }
        if (*ret_outcome != ISO_LP_OPTIMAL)
            return ISO_OK;
        iso_lp_duals(lp, duals);
        ISO_TRY(price_columns(search, lp, duals, &n_new, reterr));
        if (n_new == 0)
            return ISO_OK;
        if (iso_search_stops(search)) {
            *ret_outcome = ISO_LP_STOPPED;
            return ISO_OK;
        }
    }
}

/* The value of one copy of each pool workload under the multipliers: its rows' share in the price.
 */
static enum iso_status copy_values(struct iso_search *search, const struct iso_pattern_set *set,
                                   int32_t offering, int32_t period, const double *duals,
                                   const int32_t *place_rows, double *ret_values,
                                   struct iso_error *reterr)
{
    struct iso_mip *mip = &search->formulation->mip;

    for (int32_t i = 0; i < set->n_workloads; i++) {
        int32_t w = set->workloads[i];
        int32_t option = iso_workload_find_option(&search->problem->workloads[w], offering);
        ret_values[i] = 0;
        if (option < 0)
            continue;
        if (place_rows[i] >= 0) {
            ret_values[i] = duals[place_rows[i]];
            continue;
        }
        int32_t first = mip->n_entries, at = mip->n_columns;
        if (iso_mip_add_column(mip, &(struct iso_mip_column){.kind = ISO_COLUMN_PLACE}) < 0 ||
            !iso_formulation_service_entries(search->formulation, w, option, period, 1))
            return no_memory(reterr);
        ret_values[i] = -iso_reduced_cost(mip, duals, at);
        mip->n_columns = at;
        mip->n_entries = first;
    }
    return ISO_OK;
}

/* Adds to the formulation every pattern with a negative reduced cost; true when there was one. */
static enum iso_status price_patterns(struct iso_search *search, const double *duals, bool *ret_any,
                                      struct iso_error *reterr)
{
    struct iso_formulation *f = search->formulation;
    const struct iso_problem *problem = search->problem;
    ISO_AUTO_MEM double *values = iso_calloc((size_t)problem->n_workloads, sizeof(*values));
    ISO_AUTO_MEM int32_t *counts = iso_calloc((size_t)problem->n_workloads, sizeof(*counts));

    *ret_any = false;
    if (!values || !counts)
        return no_memory(reterr);
    for (int32_t g = 0; g < problem->n_teams; g++)
        for (int32_t l = 0; l < f->pools[g].n_lists; l++) {
            struct iso_pattern_list *list = &f->pools[g].lists[l];
            for (int32_t t = 0; t < problem->n_periods && !list->complete; t++) {
                int32_t at = l * problem->n_periods + t;
                bool is_new;
                double bound;
                ISO_TRY(copy_values(search, &f->pools[g], list->offering, t, duals,
                                    &f->place_row[g][at * f->pools[g].n_workloads], values,
                                    reterr));
                if (iso_pattern_best(problem, &f->pools[g], g, list->offering, values, counts,
                                     &bound) <= 0)
                    continue;
                int32_t pattern = iso_pattern_add(&f->pools[g], list, counts, &is_new);
                if (pattern < 0)
                    return no_memory(reterr);
                if (!is_new)
                    continue;
                for (int32_t s = 0; s < problem->n_periods; s++)
                    ISO_TRY(iso_formulation_add_pattern(f, g, l, pattern, s, reterr));
                *ret_any = true;
            }
        }
    return ISO_OK;
}

/* Grows the arrays that have one place a column after patterns were added. */
static enum iso_status regrow(struct iso_search *search, int32_t before, struct iso_error *reterr)
{
    struct iso_mip *mip = &search->formulation->mip;
    double **arrays[] = {&search->best, &search->money};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++) {
        double *moved = iso_realloc(*arrays[i], (size_t)mip->n_columns, sizeof(double));
        if (!moved)
            return no_memory(reterr);
        *arrays[i] = moved;
    }
    for (int32_t j = before; j < mip->n_columns; j++) {
        search->best[j] = 0;
        search->money[j] =
            iso_formulation_coefficient(search->formulation, &mip->columns[j], ISO_TIER_MONEY, 0);
        mip->objective[j] = iso_formulation_coefficient(search->formulation, &mip->columns[j],
                                                        search->tier, search->priority);
    }
    return ISO_OK;
}

bool iso_all_patterns_listed(const struct iso_search *search)
{
    const struct iso_formulation *f = search->formulation;

    for (int32_t g = 0; g < search->problem->n_teams; g++)
        for (int32_t l = 0; l < f->pools[g].n_lists; l++)
            if (!f->pools[g].lists[l].complete)
                return false;
    return true;
}

enum iso_status iso_relax(struct iso_search *search, double *duals, struct iso_lp **ret_lp,
                          enum iso_lp_outcome *ret_outcome, struct iso_error *reterr)
{
    struct iso_mip *mip = &search->formulation->mip;
    bool listed = iso_all_patterns_listed(search);

    for (;;) {
        ISO_AUTO(iso_lp) lp = NULL;
        ISO_AUTO_MEM uint8_t *active = iso_calloc((size_t)mip->n_columns, 1);
        int32_t before = mip->n_columns;
        bool any = false;
        if (!active)
            return no_memory(reterr);
        choose_start(search, active);
        ISO_TRY(iso_lp_new(mip, active, &lp, reterr));
        if (mip->n_columns > START_COLUMNS && !search->has_best)
            ISO_TRY(plan_from_nothing(search, lp, reterr));
        ISO_TRY(relax_listed(search, lp, duals, ret_outcome, reterr));
        if (!listed && *ret_outcome == ISO_LP_OPTIMAL) {
            iso_lp_free(ISO_STEAL(lp)); /* it borrows the formulation, which grows now */
            ISO_TRY(price_patterns(search, duals, &any, reterr));
            ISO_TRY(regrow(search, before, reterr));
            if (any && !iso_search_stops(search))
                continue;
            listed = true;
            continue;
        }
        *ret_lp = ISO_STEAL(lp);
        return ISO_OK;
    }
}

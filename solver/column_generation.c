/* Column generation on the relaxation of the tier at hand.
 *
 * Columns come in as they price out, so large problems load few of them. Fill patterns that are not
 * listed are priced too: the pattern with the largest value under the multipliers, for each
 * offering and period. Its value is a bound on every plan. */
#include <math.h>
#include <string.h>

#include "block.h"
#include "product_pricing.h"
#include "search.h"

#define START_COLUMNS 4000 /* formulations up to this size are loaded whole */
#define PER_BLOCK 3        /* columns of a block that may come in a round */
#define DEARER 30.0        /* what artificial columns cost more when they stay */
#define DEAREST 1e6        /* beyond that the columns at hand are taken for too few */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for column generation");
}

/* Columns of instances and of commitments start inactive, except those of the best plan so far. */
static enum iso_status choose_start(const struct iso_search *search, uint8_t *active,
                                    struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    struct iso_product_pricing pricing __attribute__((cleanup(iso_product_pricing_fini))) = {0};
    bool all = mip->n_columns <= START_COLUMNS;

    for (int32_t j = 0; j < mip->n_columns; j++)
        active[j] =
            all || (search->has_best && search->best[j] != 0) || !iso_column_runs(&mip->columns[j]);
    if (all)
        return ISO_OK;
    ISO_TRY(iso_product_pricing_init(&pricing, search->formulation, reterr));
    iso_products_asleep(&pricing, search->formulation, search->has_best ? search->best : NULL,
                        active);
    return ISO_OK;
}

/* The cheapest few columns of a block. */
struct choice {
    int32_t n;
    int32_t column[PER_BLOCK];
    double cost[PER_BLOCK];
};

static void choose(struct choice *choice, int32_t column, double cost)
{
    int32_t at = choice->n;

    if (choice->n < PER_BLOCK)
        choice->n++;
    else if (choice->cost[--at] <= cost)
        return;
    for (; at > 0 && choice->cost[at - 1] > cost; at--) {
        choice->column[at] = choice->column[at - 1];
        choice->cost[at] = choice->cost[at - 1];
    }
    choice->column[at] = column;
    choice->cost[at] = cost;
}

/* Brings in the inactive columns of each block with the most negative reduced costs. */
static enum iso_status price_columns(struct iso_search *search, struct iso_lp *lp,
                                     const double *duals, int32_t *io_n_new,
                                     struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    size_t n_blocks =
        (size_t)iso_problem_n_cells(search->problem) * (size_t)search->problem->n_periods;
    ISO_AUTO_MEM struct choice *choices = iso_calloc(n_blocks, sizeof(*choices));

    if (!choices)
        return no_memory(reterr);
    for (int32_t j = 0; j < mip->n_columns; j++) {
        if (iso_lp_has_column(lp, j) || !iso_column_runs(&mip->columns[j]))
            continue;
        double reduced_cost = iso_reduced_cost(mip, duals, j);
        if (reduced_cost < -1e-9 * (1 + fabs(mip->objective[j])))
            choose(&choices[iso_block_of(search->formulation, &mip->columns[j])], j, reduced_cost);
    }
    for (size_t b = 0; b < n_blocks; b++)
        for (int32_t i = 0; i < choices[b].n; i++) {
            ISO_TRY(iso_lp_add_column(lp, choices[b].column[i], reterr));
            ++*io_n_new;
        }
    return ISO_OK;
}

/* What artificial columns cost: more than any instance asks for a unit of the row. */
static void artificial_costs(const struct iso_mip *mip, double *costs)
{
    for (int32_t i = 0; i < mip->n_rows; i++)
        costs[i] = 1e-3;
    for (int32_t j = 0; j < mip->n_columns; j++)
        for (int32_t k = 0; k < mip->columns[j].n_entries; k++) {
            const struct iso_mip_entry *entry = &mip->entries[mip->columns[j].first_entry + k];
            double unit = 2 * mip->objective[j] / fabs(entry->coefficient);
            if (unit > costs[entry->row] && iso_column_runs(&mip->columns[j]))
                costs[entry->row] = unit;
        }
}

/* A plan from nothing, so that there is one at once and the first relaxation has a point. */
static enum iso_status plan_from_nothing(struct iso_search *search, struct iso_error *reterr)
{
    ISO_AUTO_MEM double *x = iso_calloc((size_t)search->formulation->mip.n_columns, sizeof(*x));

    return x ? iso_first_plans(search, x, 1, reterr) : no_memory(reterr);
}

/* All columns, so that infeasibility is believed. */
static enum iso_status bring_all(struct iso_search *search, struct iso_lp *lp, int32_t *ret_n_new,
                                 struct iso_error *reterr)
{
    for (int32_t j = 0; j < search->formulation->mip.n_columns; j++)
        if (!iso_lp_has_column(lp, j)) {
            ISO_TRY(iso_lp_add_column(lp, j, reterr));
            ++*ret_n_new;
        }
    return ISO_OK;
}

/* Artificial columns that stand for something get dearer; out when they stand for nothing, or when
 * price does not move them: then every column is brought in. */
static enum iso_status dearer(struct iso_search *search, struct iso_lp *lp, double *costs,
                              double *io_factor, int32_t *ret_n_new, struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    bool needed = iso_lp_artificial_sum(lp) > 1e-9;

    if (needed && *io_factor < DEAREST) {
        *io_factor *= DEARER;
        for (int32_t i = 0; i < mip->n_rows; i++)
            costs[i] *= DEARER;
        *ret_n_new = 1;
        return iso_lp_price_artificials(lp, costs, reterr);
    }
    *io_factor = 0;
    ISO_TRY(iso_lp_price_artificials(lp, NULL, reterr));
    *ret_n_new = 1;
    return needed ? bring_all(search, lp, ret_n_new, reterr) : ISO_OK;
}

enum iso_status iso_relax_listed(struct iso_search *search, struct iso_lp *lp, double *duals,
                                 enum iso_lp_outcome *ret_outcome, struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    struct iso_control control = iso_search_control(search);
    struct iso_product_pricing pricing __attribute__((cleanup(iso_product_pricing_fini))) = {0};
    ISO_AUTO_MEM double *costs = iso_calloc((size_t)mip->n_rows, sizeof(*costs));
    double factor = 0; /* of artificial columns; 0 = none */

    if (!costs)
        return no_memory(reterr);
    ISO_TRY(iso_product_pricing_init(&pricing, search->formulation, reterr));
    for (;;) {
        int32_t n_new = 0;
        ISO_TRY(iso_lp_solve(lp, &control, &search->iterations, ret_outcome, reterr));
        if (*ret_outcome == ISO_LP_INFEASIBLE && factor == 0 && !iso_lp_is_whole(lp)) {
            factor = 1;
            artificial_costs(mip, costs);
            ISO_TRY(iso_lp_price_artificials(lp, costs, reterr));
            continue;
        }
        if (*ret_outcome == ISO_LP_INFEASIBLE) {
            ISO_TRY(bring_all(search, lp, &n_new, reterr));
            if (n_new == 0)
                return ISO_OK;
            continue;
        }
        if (*ret_outcome != ISO_LP_OPTIMAL)
            return ISO_OK;
        iso_lp_duals(lp, duals);
        ISO_TRY(price_columns(search, lp, duals, &n_new, reterr));
        ISO_TRY(iso_price_products(&pricing, search, lp, duals, &n_new, reterr));
        if (n_new == 0 && factor > 0)
            ISO_TRY(dearer(search, lp, costs, &factor, &n_new, reterr));
        if (n_new == 0) {
            iso_price_links(mip, duals);
            return ISO_OK;
        }
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
        ISO_TRY(choose_start(search, active, reterr));
        ISO_TRY(iso_lp_new(mip, active, &lp, reterr));
        if (mip->n_columns > START_COLUMNS && !search->has_best)
            ISO_TRY(plan_from_nothing(search, reterr));
        ISO_TRY(iso_relax_listed(search, lp, duals, ret_outcome, reterr));
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

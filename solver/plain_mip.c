/* Strategy 4, plain MIP: the whole formulation in one relaxation and one tree.
 *
 *   1. Relaxation. Columns come in as they price out, so large problems load few of them. Fill
 *      patterns that are not listed are priced too: the pattern with the largest value under the
 *      multipliers, for each offering and period. Its value is a bound on every plan.
 *   2. First plans from its point.
 *   3. Columns with relaxation + reduced cost > best plan are in no better plan and stay out; the
 *      rest goes to branch and cut. */
#include <math.h>
#include <string.h>

#include "glpk_mip.h"
#include "search.h"

#define START_COLUMNS 4000     /* formulations up to this size are loaded whole */
#define PER_ROUND 2000         /* columns that may come in a round */
#define TREE_COLUMNS 3000      /* whole columns beyond which a tree is only a heuristic */
#define DOMINANCE_PATTERNS 500 /* of one place; they are compared in pairs */
#define HEURISTIC_COLUMNS 400
#define HEURISTIC_SECONDS 5.0

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the plain MIP");
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
static enum iso_status relax(struct iso_search *search, struct iso_lp *lp, double *duals,
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

static bool all_patterns_listed(const struct iso_search *search)
{
    const struct iso_formulation *f = search->formulation;

    for (int32_t g = 0; g < search->problem->n_teams; g++)
        for (int32_t l = 0; l < f->pools[g].n_lists; l++)
            if (!f->pools[g].lists[l].complete)
                return false;
    return true;
}

/* The relaxation with all patterns priced. Gives a linear program that is loaded and solved. */
static enum iso_status relax_with_patterns(struct iso_search *search, double *duals,
                                           struct iso_lp **ret_lp, enum iso_lp_outcome *ret_outcome,
                                           struct iso_error *reterr)
{
    struct iso_mip *mip = &search->formulation->mip;
    bool listed = all_patterns_listed(search);

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
        ISO_TRY(relax(search, lp, duals, ret_outcome, reterr));
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

static bool gap_reached(const struct iso_search *search)
{
    double gap = search->tier == ISO_TIER_MONEY ? search->problem->options.gap : 0;

    return search->has_best &&
           search->best_value - search->tier_bound <= gap * fabs(search->best_value) + 1e-9;
}

/* Flags the columns that may be in a better plan, and counts the whole ones. */
static int32_t fix_by_reduced_cost(const struct iso_search *search, const double *duals,
                                   double bound, double most, uint8_t *active)
{
    const struct iso_mip *mip = &search->formulation->mip;
    double gap = most - bound;
    int32_t n_whole = 0;

    for (int32_t j = 0; j < mip->n_columns; j++) {
        bool instance = iso_column_runs(&mip->columns[j]);
        active[j] = !instance || iso_reduced_cost(mip, duals, j) <= gap + 1e-6 * (1 + fabs(most));
        n_whole += active[j] && mip->columns[j].integer;
    }
    return n_whole;
}

/* The largest number of whole columns whose reduced costs are smallest. */
static void keep_cheapest(const struct iso_search *search, const double *duals, int32_t n_kept,
                          uint8_t *active)
{
    const struct iso_mip *mip = &search->formulation->mip;
    ISO_AUTO_MEM struct priced *list = iso_calloc((size_t)mip->n_columns, sizeof(*list));
    int32_t n = 0;

    for (int32_t j = 0; j < mip->n_columns && list; j++)
        if (active[j] && iso_column_runs(&mip->columns[j])) {
            active[j] = search->has_best && search->best[j] > 0;
            list[n++] = (struct priced){j, iso_reduced_cost(mip, duals, j)};
        }
    if (list)
        qsort(list, (size_t)n, sizeof(*list), cheapest_first);
    for (int32_t i = 0; i < n && i < n_kept; i++)
        active[list[i].column] = 1;
}

/* Coefficient tightening for the tree: in a row  sum a_j x_j + c u >= b  a whole column with a_j >
 * b fills the row alone, so b will do for a_j. It cuts off fractions only, so every plan stays; but
 * its multipliers prove nothing about the original columns, so the relaxation that proves goes
 * without. */
static void tighten(struct iso_mip *mip)
{
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        if (!iso_column_runs(column))
            continue;
        for (int32_t k = 0; k < column->n_entries; k++) {
            struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
            const struct iso_mip_row *row = &mip->rows[entry->row];
            bool asks = row->kind == ISO_ROW_DEMAND || row->kind == ISO_ROW_SURVIVE ||
                        row->kind == ISO_ROW_SHARE_MIN ||
                        (row->kind == ISO_ROW_LIMIT && isinf(row->upper));
            if (asks && !isinf(row->lower) && entry->coefficient > row->lower && row->lower > 0)
                entry->coefficient = row->lower;
        }
    }
}

static bool fills_no_more(const struct iso_mip *mip, const struct iso_mip_column *column,
                          const struct iso_mip_column *other)
{
    int32_t at = 0;

    if (column->n_entries > other->n_entries)
        return false;
    for (int32_t k = 0; k < column->n_entries; k++) { /* rows come in one order in both */
        const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
        while (at < other->n_entries && mip->entries[other->first_entry + at].row != entry->row)
            at++;
        if (at == other->n_entries ||
            entry->coefficient > mip->entries[other->first_entry + at].coefficient)
            return false;
    }
    return true;
}

/* Tightened patterns of one (offering, period) may do no more than another; one of them is enough.
 * Only for rows that ask for more: patterns of one place agree in all others. */
static void drop_dominated_patterns(const struct iso_mip *mip, uint8_t *active)
{
    for (int32_t first = 0, end; first < mip->n_columns; first = end) {
        const struct iso_mip_column *lead = &mip->columns[first];
        end = first + 1;
        if (lead->kind != ISO_COLUMN_PATTERN)
            continue;
        while (end < mip->n_columns && mip->columns[end].kind == ISO_COLUMN_PATTERN &&
               mip->columns[end].a == lead->a && mip->columns[end].b == lead->b &&
               mip->columns[end].c == lead->c)
            end++;
        if (end - first > DOMINANCE_PATTERNS)
            continue;
        for (int32_t i = first; i < end; i++)
            for (int32_t j = first; j < end && active[i]; j++)
                if (i != j && active[j] && fills_no_more(mip, &mip->columns[i], &mip->columns[j]))
                    active[i] = 0;
    }
}

static enum iso_status branch(struct iso_search *search, struct iso_lp *lp, const double *duals,
                              bool *ret_infeasible, struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    double constant = iso_formulation_constant(search->formulation, search->tier);
    struct iso_control control = iso_search_control(search);
    struct iso_mip_limits limits = {.seconds = iso_search_left(search)};
    struct iso_mip_result result;
    double cutoff = search->has_best ? search->best_value - constant : INFINITY;
    ISO_AUTO_MEM uint8_t *active = iso_calloc((size_t)mip->n_columns, 1);
    ISO_AUTO_MEM double *x = iso_calloc((size_t)mip->n_columns, sizeof(*x));
    struct iso_mip tight __attribute__((cleanup(iso_mip_fini))) = {0};
    bool taken;

    if (!active || !x || !iso_mip_copy(&tight, mip))
        return no_memory(reterr);
    tighten(&tight);
    int32_t n_whole =
        fix_by_reduced_cost(search, duals, search->tier_bound - constant, cutoff, active);
    drop_dominated_patterns(&tight, active);
    bool exact = n_whole <= TREE_COLUMNS && all_patterns_listed(search);
    if (!exact) {
        keep_cheapest(search, duals, HEURISTIC_COLUMNS, active);
        limits.seconds = fmin(limits.seconds, HEURISTIC_SECONDS);
    }
    limits.relative_gap = search->tier == ISO_TIER_MONEY ? search->problem->options.gap : 0;
    if (search->problem->options.work_limit > 0)
        limits.nodes = search->problem->options.work_limit;
    /* the cutoff is what the whole columns may cost; a hair more, so that equal is not cut */
    ISO_TRY(iso_mip_solve(&tight, active, cutoff + 1e-9 * fabs(cutoff), &limits, &control, &result,
                          x, reterr));
    search->nodes += result.nodes;
    if (exact && result.outcome == ISO_MIP_STOPPED && !iso_search_stops(search))
        search->stopped =
            limits.nodes > 0 && result.nodes >= limits.nodes ? ISO_STOP_WORK : ISO_STOP_TIME;
    if (result.has_x)
        ISO_TRY(iso_search_offer(search, lp, x, &taken, reterr));
    if (exact && result.outcome == ISO_MIP_SOLVED && !result.has_x && !search->has_best)
        *ret_infeasible = true;
    if (!exact)
        return ISO_OK;
    double bound = result.bound + constant;
    if (result.outcome == ISO_MIP_SOLVED && search->has_best)
        bound = search->best_value;
    if (search->has_best && bound > search->best_value)
        bound = search->best_value;
    if (bound > search->tier_bound)
        search->tier_bound = bound;
    return ISO_OK;
}

enum iso_status iso_plain_mip(struct iso_search *search, double *ret_duals, bool *ret_infeasible,
                              bool *ret_by_relaxation, struct iso_error *reterr)
{
    struct iso_mip *mip = &search->formulation->mip;
    ISO_AUTO(iso_lp) lp = NULL;
    enum iso_lp_outcome outcome;

    *ret_infeasible = *ret_by_relaxation = false;
    memset(ret_duals, 0, (size_t)mip->n_rows * sizeof(*ret_duals));
    ISO_TRY(relax_with_patterns(search, ret_duals, &lp, &outcome, reterr));
    if (outcome == ISO_LP_INFEASIBLE) {
        *ret_infeasible = *ret_by_relaxation = true;
        return ISO_OK;
    }
    ISO_AUTO_MEM double *x = iso_calloc((size_t)mip->n_columns, sizeof(*x));
    if (!x)
        return no_memory(reterr);
    iso_lp_values(lp, x);
    if (outcome != ISO_LP_OPTIMAL)
        memset(ret_duals, 0, (size_t)mip->n_rows * sizeof(*ret_duals));
    else if (all_patterns_listed(search)) /* otherwise only the proof knows a bound */
        search->tier_bound =
            iso_lp_objective(lp) + iso_formulation_constant(search->formulation, search->tier);
    if (gap_reached(search))
        return ISO_OK;
    ISO_TRY(iso_first_plans(search, lp, x, INT32_MAX, reterr));
    if (gap_reached(search) || iso_search_stops(search) || outcome != ISO_LP_OPTIMAL)
        return ISO_OK;
    return branch(search, lp, ret_duals, ret_infeasible, reterr);
}

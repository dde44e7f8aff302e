/* Branch and cut over what is left of the formulation: columns with relaxation + reduced cost >
 * best plan are in no better plan and stay out; the rest goes to GLPK's tree. */
#include <math.h>
#include <string.h>

#include "glpk_mip.h"
#include "ranked.h"
#include "search.h"

#define TREE_COLUMNS 3000      /* whole columns beyond which a tree is only a heuristic */
#define DOMINANCE_PATTERNS 500 /* of one place; they are compared in pairs */
#define HEURISTIC_COLUMNS 400
#define HEURISTIC_SECONDS 5.0
#define FAR 0.02         /* relative gap of a packing */
#define TREE_DIGITS 1e-6 /* of its values: a tree's points keep the rows to 1e-7 or so */

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
    ISO_AUTO_MEM struct iso_ranked *list = iso_calloc((size_t)mip->n_columns, sizeof(*list));
    int32_t n = 0;

    for (int32_t j = 0; j < mip->n_columns && list; j++)
        if (active[j] && iso_column_runs(&mip->columns[j])) {
            active[j] = search->has_best && search->best[j] > 0;
            list[n++] = (struct iso_ranked){iso_reduced_cost(mip, duals, j), j};
        }
    if (list)
        iso_rank_rising(list, (size_t)n);
    for (int32_t i = 0; i < n && i < n_kept; i++)
        active[list[i].place] = 1;
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

/* Whether a short look at the cheapest columns may still help. */
static bool is_far(const struct iso_search *search)
{
    if (search->choice.strategy == ISO_STRATEGY_PATTERNS)
        return search->best_value - search->tier_bound > FAR * fabs(search->best_value);
    return search->choice.strategy == ISO_STRATEGY_PLAIN_MIP;
}

enum iso_status iso_branch(struct iso_search *search, const double *duals, bool *ret_infeasible,
                           struct iso_error *reterr)
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
    bool taken = false;

    if (!active || !x || !iso_mip_copy(&tight, mip))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the tree");
    if (!(search->problem->options.without & ISO_REDUCE_TIGHTENING))
        tighten(&tight);
    int32_t n_whole =
        fix_by_reduced_cost(search, duals, search->tier_bound - constant, cutoff, active);
    drop_dominated_patterns(&tight, active);
    bool exact = n_whole <= TREE_COLUMNS && search->listed;
    if (!exact && search->has_best && !is_far(search))
        return ISO_OK; /* neighbourhoods did better than a tree would */
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
        ISO_TRY(iso_search_offer(search, x, &taken, reterr));
    if (exact && result.outcome == ISO_MIP_SOLVED && !result.has_x && !search->has_best)
        *ret_infeasible = true;
    if (!exact)
        return ISO_OK;
    double bound = result.bound + constant;
    bool refused = result.has_x && !taken &&
                   bound < search->best_value - TREE_DIGITS * (1 + fabs(search->best_value));
    if (result.outcome == ISO_MIP_SOLVED && search->has_best && !refused)
        bound = search->best_value;
    if (search->has_best && bound > search->best_value)
        bound = search->best_value;
    if (bound > search->tier_bound)
        search->tier_bound = bound;
    return ISO_OK;
}

/* The periods one by one, with what is bought fixed.
 *
 * All periods of a season share one linear program whose right sides change; they come by rising
 * demand within each cluster, so the dual simplex is done in a few steps. Its point is made whole
 * by a deal and covering tables (horizon_deal.c) where nothing but demands, hard caps and
 * commitments is in the way, otherwise by a small tree over what is around the point. Counts are
 * then checked in decimals, and whatever commitments hold is spent on the instances where it saves
 * most. */
#include "horizon_hours.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BASE 1         /* instances of each item that a tree may give back, first */
#define MOST_BASE 2    /* and at last */
#define TREE_NODES 400 /* of one period at most */
#define LEAST_NODES 20
#define MOST_TREES 400 /* of periods one after the other; more take too long */
#define ALL_NODES 100000
#define UNUSED 1e-7 /* relative; a commitment with more left is not used up */
#define TREE_GAP 2e-4
#define CLOSE 1e-9

#define SEARCH_GAP 0.005   /* of a period that trees leave without a plan */
#define SEARCH_SECONDS 5.0 /* likewise */
#define LEAST_SECONDS 0.03 /* for a period; with less, trees find more than searches */
#define SHARED_OUT 0.95    /* of the time that is left */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the periods of a long horizon");
}

/* --- one period --- */

enum iso_status iso_hours_open(struct iso_hours *hours, int32_t t, struct iso_error *reterr)
{
    const struct iso_horizon_case *h = hours->h;

    hours->period = t;
    for (int32_t r = 0; r < h->slice.n_rows; r++) {
        double right = iso_slice_right(h, r, t);
        struct iso_mip_row *row = &hours->mip.rows[r];
        double *bound = h->slice.rows[r].asks ? &row->lower : &row->upper;
        if (*bound == right)
            continue;
        *bound = right;
        ISO_TRY(iso_program_bound_row(hours->lp, r, row->lower, row->upper, reterr));
    }
    for (int32_t j = hours->n_items; j < hours->mip.n_columns; j++) {
        struct iso_mip_column *column = &hours->mip.columns[j];
        if (column->kind != ISO_COLUMN_UNSERVED || column->b)
            continue;
        column->upper = iso_value(h->problem->workloads[column->a].required[t]);
        ISO_TRY(iso_program_bound_column(hours->lp, j, 0, column->upper, reterr));
    }
    return ISO_OK;
}

void iso_hours_reset(struct iso_hours *hours)
{
    memset(hours->count, 0, (size_t)hours->n_items * sizeof(*hours->count));
    memset(hours->paid, 0, (size_t)hours->h->slice.n_columns * sizeof(*hours->paid));
    for (int32_t r = 0; r < hours->mip.n_rows; r++)
        hours->slack[r] =
            isinf(hours->mip.rows[r].lower) ? hours->mip.rows[r].upper : hours->mip.rows[r].lower;
}

/* Fewer where there are many periods: their number and the trees' size make the time. */
static int64_t tree_nodes(const struct iso_horizon_case *h)
{
    int64_t nodes = ALL_NODES / h->problem->n_periods;

    return nodes < LEAST_NODES ? LEAST_NODES : nodes > TREE_NODES ? TREE_NODES : nodes;
}

/* A tree over what is around the program's point: `base` instances of each item may go. Sets
 * the counts when it finds any. */
static enum iso_status branch(struct iso_hours *hours, int64_t base, bool *ret_found,
                              struct iso_error *reterr)
{
    struct iso_horizon_case *h = hours->master->h;
    struct iso_control control = iso_search_control(&h->search);
    struct iso_mip_limits limits = {
        .seconds = 1e6, .relative_gap = TREE_GAP, .nodes = tree_nodes(h)};
    struct iso_mip_result result;
    size_t n_rows = (size_t)hours->mip.n_rows;
    ISO_AUTO_MEM struct iso_mip_row *rows = iso_calloc(n_rows, sizeof(*rows));
    ISO_AUTO_MEM double *x = iso_calloc((size_t)hours->mip.n_columns, sizeof(*x));

    if (!rows || !x)
        return no_memory(reterr);
    memcpy(rows, hours->mip.rows, n_rows * sizeof(*rows));
    iso_hours_reset(hours);
    for (int32_t i = 0; i < hours->n_items; i++) {
        int64_t whole = (int64_t)floor(fmax(0, hours->x[i]) + 1e-6) - base;
        if (whole > 0)
            iso_hours_take(hours, i, whole);
    }
    for (int32_t r = 0; r < hours->mip.n_rows; r++) {
        struct iso_mip_row *row = &hours->mip.rows[r];
        if (isinf(row->lower))
            row->upper = hours->slack[r];
        else
            row->lower = hours->slack[r];
    }
    enum iso_status status =
        iso_mip_solve(&hours->mip, NULL, INFINITY, &limits, &control, &result, x, reterr);
    memcpy(hours->mip.rows, rows, n_rows * sizeof(*rows));
    ISO_TRY(status);
    h->search.nodes += result.nodes;
    *ret_found = result.has_x;
    for (int32_t j = hours->n_items; j < hours->mip.n_columns && *ret_found; j++)
        if (hours->mip.columns[j].kind == ISO_COLUMN_UNSERVED && hours->mip.columns[j].b &&
            x[j] > CLOSE * (1 + hours->mip.rows[hours->mip.columns[j].a].lower))
            *ret_found = false;
    for (int32_t i = 0; i < hours->n_items && *ret_found; i++)
        hours->count[i] += llround(x[i]);
    return ISO_OK;
}

/* --- all periods --- */

enum iso_status iso_hours_relax(struct iso_hours *hours, enum iso_lp_outcome *ret_outcome,
                                struct iso_error *reterr)
{
    struct iso_horizon_case *h = hours->master->h;
    struct iso_control control = iso_search_control(&h->search);

    control.stop = NULL; /* short; the caller asks between periods */
    ISO_TRY(iso_program_solve(hours->lp, &control, &h->search.iterations, ret_outcome, reterr));
    iso_program_values(hours->lp, hours->x);
    iso_program_duals(hours->lp, hours->duals);
    return ISO_OK;
}

/* Counts for the period at hand. *ret_found: they hold. */
static enum iso_status solve_period(struct iso_hours *hours, bool *ret_found,
                                    struct iso_error *reterr)
{
    enum iso_lp_outcome outcome;

    *ret_found = false;
    ISO_TRY(iso_hours_relax(hours, &outcome, reterr));
    if (outcome != ISO_LP_OPTIMAL)
        return ISO_OK;
    if (hours->plain && iso_hours_deal(hours)) {
        *ret_found = true;
        return ISO_OK;
    }
    if (!hours->plain && hours->quick && iso_hours_fill(hours, hours->frontiers)) {
        *ret_found = true;
        return ISO_OK;
    }
    return branch(hours, BASE, ret_found, reterr);
}

static int by_turn(const void *left, const void *right)
{
    const struct iso_turn *a = left, *b = right;

    if (a->season != b->season)
        return a->season < b->season ? -1 : 1;
    if (a->cluster != b->cluster)
        return a->cluster < b->cluster ? -1 : 1;
    if (a->total != b->total)
        return a->total < b->total ? -1 : 1;
    return (a->period > b->period) - (a->period < b->period);
}

static struct iso_turn *list_turns(const struct iso_horizon_case *h)
{
    const struct iso_problem *problem = h->problem;
    struct iso_turn *turns = iso_calloc((size_t)problem->n_periods, sizeof(*turns));

    for (int32_t t = 0; t < problem->n_periods && turns; t++) {
        turns[t] = (struct iso_turn){h->season_of[t], h->cluster_of[t], t, 0};
        for (int32_t a = 0; a < problem->n_workloads; a++)
            turns[t].total += iso_value(problem->workloads[a].required[t]);
    }
    if (turns)
        qsort(turns, (size_t)problem->n_periods, sizeof(*turns), by_turn);
    return turns;
}

/* By a tree or a deal, or a search where these find nothing. */
static enum iso_status solve_turn(struct iso_hours *hours, int32_t t, bool *ret_holds,
                                  struct iso_error *reterr)
{
    const struct iso_effort effort = {SEARCH_SECONDS, SEARCH_GAP};
    struct iso_plan *plan = hours->master->h->search.plan;
    bool found;

    *ret_holds = false;
    ISO_TRY(iso_hours_open(hours, t, reterr));
    ISO_TRY(solve_period(hours, &found, reterr));
    if (found && !iso_hours_settle(hours, plan, ret_holds))
        return no_memory(reterr);
    for (int64_t base = BASE + 1; !*ret_holds && base <= MOST_BASE; base *= 2) {
        ISO_TRY(branch(hours, base, &found, reterr));
        if (found && !iso_hours_settle(hours, plan, ret_holds))
            return no_memory(reterr);
    }
    return *ret_holds ? ISO_OK : iso_single_solve(hours->master->h, t, effort, ret_holds, reterr);
}

/* What each of the periods that are left may be searched for; 0: too little for a search. */
static double seconds_of_each(const struct iso_hours *hours, int32_t n_left)
{
    const struct iso_search *search = &hours->h->search;
    double seconds = iso_search_left(search) * SHARED_OUT / n_left;

    return hours->plain || search->problem->options.deterministic || seconds < LEAST_SECONDS
               ? 0
               : seconds;
}

/* Searches the period for its share of the time that is left; with too little, as above. */
static enum iso_status search_turn(struct iso_hours *hours, int32_t t, int32_t n_left,
                                   bool *ret_holds, struct iso_error *reterr)
{
    struct iso_horizon_case *h = hours->master->h;
    const struct iso_effort effort = {seconds_of_each(hours, n_left), h->problem->options.gap};

    *ret_holds = false;
    if (effort.seconds > 0)
        ISO_TRY(iso_single_solve(h, t, effort, ret_holds, reterr));
    return *ret_holds ? ISO_OK : solve_turn(hours, t, ret_holds, reterr);
}

/* What is served by instances that are paid, in units of a product. */
static double paid_units(const struct iso_hours *hours, int32_t c)
{
    const struct iso_slice *slice = &hours->h->slice;
    double units = 0;

    for (int32_t i = 0; i < hours->n_items; i++) {
        const struct iso_slice_column *column = &slice->columns[hours->items[i].column];
        int32_t covered = hours->covered[c * hours->h->problem->n_workloads + column->workload];
        if (hours->items[i].price > 0 && covered >= 0)
            units += hours->x[i] * column->served / slice->columns[covered].served;
    }
    return units;
}

/* The multipliers of the period at hand, and how much of each product it would like to have more.
 */
static void note_prices(const struct iso_hours *hours, struct iso_prices *prices)
{
    int32_t n_rows = hours->h->slice.n_rows, n_periods = hours->h->problem->n_periods;

    if (!prices->noted[hours->period])
        prices->relaxed +=
            iso_program_objective(hours->lp) * hours->h->seasons[hours->season].hours;
    prices->n_noted += !prices->noted[hours->period];
    prices->noted[hours->period] = 1;
    memcpy(&prices->duals[(size_t)hours->period * (size_t)n_rows], hours->duals,
           (size_t)n_rows * sizeof(*prices->duals));
    for (int32_t r = n_rows; r < hours->mip.n_rows; r++) {
        int32_t c = hours->mip.rows[r].a;
        size_t at = (size_t)prices->held[c] * (size_t)n_periods + (size_t)hours->period;
        double used = 0;
        for (int32_t i = 0; i < hours->n_items; i++)
            for (int32_t e = hours->items[i].first_entry;
                 e < hours->items[i].first_entry + hours->items[i].n_entries; e++)
                if (hours->mip.entries[e].row == r)
                    used += hours->x[i] * hours->mip.entries[e].coefficient;
        prices->psi[at] = fmax(0, -hours->duals[r]);
        prices->wish[at] = used - hours->mip.rows[r].upper;
        if (prices->wish[at] > -UNUSED * (1 + hours->mip.rows[r].upper))
            prices->wish[at] = paid_units(hours, c);
    }
}

/* The linear program of a period, for its multipliers alone. */
static enum iso_status price_turn(struct iso_hours *hours, int32_t t, struct iso_error *reterr)
{
    enum iso_lp_outcome outcome;

    ISO_TRY(iso_hours_open(hours, t, reterr));
    return iso_hours_relax(hours, &outcome, reterr);
}

enum iso_status iso_hours_price(struct iso_master *master, struct iso_prices *prices,
                                int32_t stride, struct iso_error *reterr)
{
    struct iso_horizon_case *h = master->h;
    ISO_AUTO_MEM struct iso_turn *turns = list_turns(h);

    if (!turns)
        return no_memory(reterr);
    for (int32_t i = 0, s = 0; s < h->n_seasons; s++) {
        struct iso_hours hours __attribute__((cleanup(iso_hours_fini))) = {0};
        ISO_TRY(iso_hours_init(&hours, master, s, false, reterr));
        for (; i < h->problem->n_periods && turns[i].season == s; i++) {
            if (i % stride != 0 || iso_search_stops(&h->search))
                continue;
            ISO_TRY(price_turn(&hours, turns[i].period, reterr));
            note_prices(&hours, prices);
        }
    }
    return ISO_OK;
}

/* The periods of one season. Those in which lineups do not fit together are filled: searching them
 * took all the time that there was, and saved 0.003 %. */
static enum iso_status solve_season(struct iso_hours *hours, bool thorough, struct iso_turn *turns,
                                    int32_t n_after, int32_t *ret_missed, struct iso_error *reterr)
{
    struct iso_search *search = &hours->master->h->search;
    int32_t n_turns = hours->h->seasons[hours->season].n_periods;
    bool lineups = iso_lineups_apply(hours);

    if (lineups)
        ISO_TRY(iso_lineups_serve(hours, turns, &n_turns, reterr));
    for (int32_t i = 0; i < n_turns && *ret_missed < 0; i++) {
        int32_t t = turns[i].period;
        bool holds = false;
        if (!iso_search_stops(search))
            ISO_TRY(thorough && !lineups
                        ? search_turn(hours, t, n_after + n_turns - i, &holds, reterr)
                        : solve_turn(hours, t, &holds, reterr));
        if (!holds)
            *ret_missed = t;
    }
    return ISO_OK;
}

enum iso_status iso_hours_solve(struct iso_master *master, bool thorough, int32_t *ret_missed,
                                struct iso_error *reterr)
{
    struct iso_horizon_case *h = master->h;
    int32_t n_periods = h->problem->n_periods, first = 0;
    ISO_AUTO_MEM struct iso_turn *turns = list_turns(h);

    *ret_missed = -1;
    if (!turns)
        return no_memory(reterr);
    for (int32_t s = 0; s < h->n_seasons && *ret_missed < 0; s++) {
        struct iso_hours hours __attribute__((cleanup(iso_hours_fini))) = {0};
        int32_t after = n_periods - first - h->seasons[s].n_periods;
        ISO_TRY(iso_hours_init(&hours, master, s, false, reterr));
        hours.quick = !thorough || n_periods > MOST_TREES;
        ISO_TRY(solve_season(&hours, thorough, &turns[first], after, ret_missed, reterr));
        first += h->seasons[s].n_periods;
    }
    return ISO_OK;
}

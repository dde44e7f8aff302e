/* Trees of cells (cells.h), most needed first.
 *
 * What the best plan is above the bound is made up of what the part of each cell is above what is
 * proved of the cell, and of what limits and budgets with a multiplier have left. So the cell with
 * the most between the two is looked at next: its tree raises the bound, and its point, where
 * limits have room for it, is a better part. (Lagrangian relaxation without the integrality
 * property: A. M. Geoffrion, Mathematical Programming Study 2, 1974.)
 *
 * Answers of trees that are known from earlier solves come first and cost nothing. Where a point
 * asks for more than a limit has, the cell is solved again within what the others leave. A tree
 * that is stopped proves its own bound; since that is a tree's word, such a proof is a SEARCH. */
#include "cell_trees.h"

#include <math.h>
#include <stdlib.h>

#include "cells.h"
#include "tree_once.h"

#define NODES 200       /* of a tree in a first solve */
#define TREE_GAP 0.0005 /* of z_at, at which it ends */
#define SHORT_NODES 20  /* where only the gap counts; most of the bound is in the first few */
#define SHORT_GAP 0.001
#define DIGITS 1e-7     /* of r_at that sums may be wrong by */
#define PATIENCE 0.3    /* of the time that is left, for all trees */
#define PROBES 64       /* trees after which too little gained ends it */
#define WORTHWHILE 0.05 /* of what these cells' share of the gap is */

static const struct iso_mip_limits long_look = {
    .seconds = 1e6, .relative_gap = TREE_GAP, .nodes = NODES};
static const struct iso_mip_limits short_look = {
    .seconds = 1e6, .relative_gap = SHORT_GAP, .nodes = SHORT_NODES};

struct order {
    int32_t cell;
    double gap;
};

struct trees {
    struct iso_search *search;
    struct iso_past *past;
    struct iso_cells cells;
    struct iso_mip_limits limits;
    double lifts; /* of the bound, all cells */
    struct order *order;
    int32_t n;
};

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for trees of cells");
}

static void trees_fini(struct trees *trees)
{
    iso_cells_fini(&trees->cells);
    free(trees->order);
}

/* Takes the bound of a cell's tree. */
static void raise(struct trees *trees, struct iso_cell *cell, double bound)
{
    double proved = fmin(bound, cell->relaxed + cell->delta) - DIGITS * fabs(cell->relaxed);

    if (proved <= cell->bound)
        return;
    trees->lifts += proved - cell->bound;
    cell->bound = proved;
}

/* By the best plan with the parts at hand. */
static bool gap_reached(const struct trees *trees)
{
    const struct iso_search *search = trees->search;
    double value = search->best_value - trees->cells.saved;
    double bound = search->proven.checked_bound + trees->lifts;

    return value - fmax(bound, search->tier_bound) <= search->problem->options.gap * fabs(value);
}

/* --- one cell --- */

/* The point of a tree in the place of the part at hand. *ret_taken: it fits and costs less. */
static enum iso_status exchange(struct trees *trees, int32_t k, const double *x, bool *ret_taken,
                                struct iso_error *reterr)
{
    struct iso_cell_part part;

    if (!iso_cell_part_of_point(&trees->cells, k, x, &part)) {
        free(part.runs);
        return no_memory(reterr);
    }
    return iso_cell_exchange(&trees->cells, k, &part, ret_taken) ? ISO_OK : no_memory(reterr);
}

/* The cheapest part within what others leave of the limits. */
static enum iso_status mend(struct trees *trees, int32_t k, struct iso_error *reterr)
{
    struct iso_mip program __attribute__((cleanup(iso_mip_fini))) = {0};
    struct iso_control control = iso_search_control(trees->search);
    struct iso_mip_result result;
    bool taken;

    if (!iso_cell_build(&trees->cells, k, true, &program))
        return no_memory(reterr);
    ISO_AUTO_MEM double *x = iso_calloc((size_t)program.n_columns, sizeof(*x));
    if (!x)
        return no_memory(reterr);
    ISO_TRY(iso_mip_solve_once(trees->past, &program, &trees->limits, &control, &result, x, &taken,
                               reterr));
    trees->search->nodes += result.nodes;
    return result.has_x ? exchange(trees, k, x, &taken, reterr) : ISO_OK;
}

/* Solves a cell, or asks the past alone (*ret_known: it has an answer). */
static enum iso_status solve(struct trees *trees, int32_t k, bool ask, bool *ret_known,
                             struct iso_error *reterr)
{
    struct iso_mip program __attribute__((cleanup(iso_mip_fini))) = {0};
    struct iso_control control = iso_search_control(trees->search);
    struct iso_cell *cell = &trees->cells.cells[k];
    struct iso_mip_result result;
    bool taken = true;

    if (!iso_cell_build(&trees->cells, k, false, &program))
        return no_memory(reterr);
    ISO_AUTO_MEM double *x = iso_calloc((size_t)program.n_columns, sizeof(*x));
    if (!x)
        return no_memory(reterr);
    if (ask)
        *ret_known = iso_mip_find_once(trees->past, &program, &long_look, &result, x) ||
                     iso_mip_find_once(trees->past, &program, &short_look, &result, x);
    else
        ISO_TRY(iso_mip_solve_once(trees->past, &program, &trees->limits, &control, &result, x,
                                   ret_known, reterr));
    if (ask && !*ret_known)
        return ISO_OK;
    trees->search->nodes += result.nodes;
    raise(trees, cell, result.bound);
    if (result.has_x && result.value < cell->priced)
        ISO_TRY(exchange(trees, k, x, &taken, reterr));
    return taken || ask ? ISO_OK : mend(trees, k, reterr);
}

/* --- all of them --- */

static double gap_of(const struct iso_cell *cell)
{
    return fmax(0, cell->priced - cell->bound);
}

static int largest_first(const void *left, const void *right)
{
    const struct order *a = left, *b = right;

    if (a->gap != b->gap)
        return a->gap > b->gap ? -1 : 1;
    return (a->cell > b->cell) - (a->cell < b->cell);
}

static void sort(struct trees *trees)
{
    trees->n = 0;
    for (int32_t k = 0; k < trees->cells.n; k++)
        if (trees->cells.cells[k].n_items > 0)
            trees->order[trees->n++] = (struct order){k, gap_of(&trees->cells.cells[k])};
    if (trees->n > 0)
        qsort(trees->order, (size_t)trees->n, sizeof(*trees->order), largest_first);
}

/* Parts of another point, cell by cell where they are better. */
static enum iso_status recombine(struct trees *trees, const double *other, struct iso_error *reterr)
{
    struct iso_cell_part *parts = iso_cell_parts_of(&trees->cells, other);
    bool ok = parts != NULL, taken;

    for (int32_t k = 0; k < trees->cells.n && ok; k++)
        ok = iso_cell_exchange(&trees->cells, k, &parts[k], &taken);
    iso_cell_parts_free(&trees->cells, parts);
    return ok ? ISO_OK : no_memory(reterr);
}

/* What is known already. */
static enum iso_status ask_past(struct trees *trees, struct iso_error *reterr)
{
    for (int32_t i = 0; i < trees->n && !iso_search_stops(trees->search); i++) {
        bool known;
        ISO_TRY(solve(trees, trees->order[i].cell, true, &known, reterr));
        if (known)
            trees->cells.cells[trees->order[i].cell].n_items = 0; /* done with */
    }
    sort(trees);
    return ISO_OK;
}

/* First plans from a relaxation beside the best plan: *ret_other is the one of both that is not the
 * best, NULL when there is one alone. The caller frees it. */
static enum iso_status plan_beside(struct iso_search *search, const double *x, const double *duals,
                                   double **ret_other, struct iso_error *reterr)
{
    const struct iso_control *control = search->control;
    struct iso_control quiet = *control; /* it may be worse than what was told */
    double value = search->best_value;
    size_t n_bytes = (size_t)search->formulation->mip.n_columns * sizeof(double);
    ISO_AUTO_MEM double *before = iso_calloc(n_bytes, 1);

    if (!before)
        return no_memory(reterr);
    memcpy(before, search->best, n_bytes);
    quiet.incumbent = NULL;
    quiet.progress = NULL;
    search->control = &quiet;
    search->has_best = false;
    enum iso_status status = iso_first_plans(search, x, duals, 1, reterr);
    search->control = control;
    if (status == ISO_OK && search->has_best && search->best_value < value) {
        *ret_other = ISO_STEAL(before);
        return iso_search_report(search, reterr);
    }
    if (search->has_best) {
        double *other = search->best;
        search->best = ISO_STEAL(before);
        *ret_other = other;
    } else {
        memcpy(search->best, before, n_bytes);
    }
    search->has_best = true;
    search->best_value = value;
    return status;
}

/* Parts of a plan that the relaxation's point x is rounded to. */
static enum iso_status look_beside(struct trees *trees, const double *x, struct iso_error *reterr)
{
    struct iso_search *search = trees->search;
    double value = search->best_value;
    ISO_AUTO_MEM double *other = NULL;

    ISO_TRY(plan_beside(search, x, trees->cells.duals, &other, reterr));
    if (search->best_value < value)
        ISO_TRY(iso_cells_take_plan(&trees->cells, search->best, reterr));
    if (other)
        ISO_TRY(recombine(trees, other, reterr));
    sort(trees);
    return ISO_OK;
}

/* Whether the first trees raise the bound by so little that the others are not worth their time:
 * where what is lost is lost between cells. */
static bool gains_little(const struct trees *trees, int32_t n_solved, double before)
{
    double gap = trees->search->best_value - trees->search->proven.checked_bound;

    return n_solved >= PROBES &&
           trees->lifts + trees->cells.saved - before < WORTHWHILE * gap * n_solved / trees->n;
}

static enum iso_status solve_all(struct trees *trees, bool all, struct iso_error *reterr)
{
    struct iso_search *search = trees->search;
    double seconds = PATIENCE * iso_search_left(search);
    double begin = search->control->now(search->control->context);
    double before = trees->lifts + trees->cells.saved;
    bool known;

    for (int32_t i = 0; i < trees->n; i++) {
        double spent = search->control->now(search->control->context) - begin;
        if ((spent > seconds && !search->problem->options.deterministic) ||
            (!all && gap_reached(trees)) || gains_little(trees, i, before) ||
            iso_search_stops(search))
            break;
        trees->limits.seconds = fmax(1e-3, iso_search_left(search));
        ISO_TRY(solve(trees, trees->order[i].cell, false, &known, reterr));
    }
    return ISO_OK;
}

enum iso_status iso_try_cell_trees(struct iso_search *search, const double *duals,
                                   const double *relaxed, bool all, struct iso_error *reterr)
{
    struct trees trees __attribute__((cleanup(trees_fini))) = {
        .search = search, .past = search->past, .limits = all ? long_look : short_look};

    ISO_TRY(iso_cells_init(&trees.cells, search, duals, reterr));
    ISO_TRY(iso_cells_take_plan(&trees.cells, search->best, reterr));
    trees.order = iso_calloc((size_t)trees.cells.n, sizeof(*trees.order));
    if (!trees.order)
        return no_memory(reterr);
    sort(&trees);
    if (trees.past)
        ISO_TRY(ask_past(&trees, reterr));
    if (relaxed && !gap_reached(&trees))
        ISO_TRY(look_beside(&trees, relaxed, reterr));
    ISO_TRY(solve_all(&trees, all, reterr));
    if (search->proven.checked_bound + trees.lifts > search->tier_bound)
        search->tier_bound = search->proven.checked_bound + trees.lifts;
    return trees.cells.saved > 0 ? iso_cells_offer(&trees.cells, reterr) : ISO_OK;
}

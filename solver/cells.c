#include "cells_internal.h"

#include <math.h>
#include <stdlib.h>

#define DELTA 0.1     /* of r_at: reduced costs that are looked at */
#define MOST_ITEMS 40 /* instances of a cell that are looked at */
#define ROOM (4 * MOST_ITEMS)

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for cells of periods");
}

void iso_cells_fini(struct iso_cells *cells)
{
    for (int32_t k = 0; cells->cells && k < cells->n; k++) {
        free(cells->cells[k].items);
        free(cells->cells[k].part.runs);
    }
    iso_reduced_uses_fini(&cells->uses);
    void *const arrays[] = {cells->cells, cells->rows, cells->place, cells->activity};
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
}

/* --- rows --- */

int32_t iso_cell_of_row(const struct iso_cells *cells, const struct iso_mip_row *row)
{
    int32_t t = iso_mip_row_period(row);

    return t < 0 || row->kind == ISO_ROW_LIMIT ? -1
                                               : row->a * cells->search->problem->n_periods + t;
}

/* Rows by cell, and what they are worth. */
static void sort_rows(struct iso_cells *cells)
{
    const struct iso_mip *mip = &cells->search->formulation->mip;
    int32_t n = 0;

    for (int32_t i = 0; i < mip->n_rows; i++) {
        int32_t k = iso_cell_of_row(cells, &mip->rows[i]);
        double side = cells->duals[i] > 0 ? mip->rows[i].lower : mip->rows[i].upper;
        cells->place[i] = -1;
        if (k < 0)
            continue;
        cells->cells[k + 1].first_row++;
        n++;
        if (cells->duals[i] != 0)
            cells->cells[k].relaxed += cells->duals[i] * side;
    }
    for (int32_t k = 0; k < cells->n; k++)
        cells->cells[k + 1].first_row += cells->cells[k].first_row;
    for (int32_t i = mip->n_rows - 1; i >= 0; i--) {
        int32_t k = iso_cell_of_row(cells, &mip->rows[i]);
        if (k >= 0)
            cells->rows[--cells->cells[k + 1].first_row] = i;
    }
    for (int32_t k = 0; k < cells->n; k++) /* they have moved by one */
        cells->cells[k].first_row = cells->cells[k + 1].first_row;
    cells->cells[cells->n].first_row = n;
}

/* --- items --- */

static int by_reduced_cost(const void *left, const void *right)
{
    const struct iso_cell_item *a = left, *b = right;

    if (a->reduced_cost != b->reduced_cost)
        return a->reduced_cost < b->reduced_cost ? -1 : 1;
    return (a->option > b->option) - (a->option < b->option);
}

/* Keeps the cheapest; what is left out then costs `delta` at least. */
static void cut(struct iso_cell *cell)
{
    if (cell->n_items == 0)
        return;
    qsort(cell->items, (size_t)cell->n_items, sizeof(*cell->items), by_reduced_cost);
    if (cell->n_items <= MOST_ITEMS)
        return;
    cell->delta = fmax(0, cell->items[MOST_ITEMS].reduced_cost);
    cell->n_items = MOST_ITEMS;
}

static bool show(struct iso_cell *cell, struct iso_cell_item item)
{
    if (item.reduced_cost > cell->delta)
        return true;
    if (cell->n_items == ROOM)
        cut(cell);
    return iso_append(&cell->items, &cell->n_items, sizeof(item), &item);
}

static bool find_items(struct iso_cells *cells)
{
    const struct iso_problem *problem = cells->search->problem;
    int32_t n_periods = problem->n_periods;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        struct iso_cell *row = &cells->cells[a * n_periods];
        for (int32_t i = 0; i < problem->workloads[a].n_options; i++) {
            if (!iso_reduced_use_exists(&cells->uses, a, i))
                continue;
            const double *reduced_costs = iso_reduced_use(&cells->uses, a, i);
            for (int32_t t = 0; t < n_periods; t++)
                if (row[t].first_row < row[t + 1].first_row &&
                    !show(&row[t], (struct iso_cell_item){i, reduced_costs[t]}))
                    return false;
        }
        for (int32_t t = 0; t < n_periods; t++)
            cut(&row[t]);
    }
    return true;
}

enum iso_status iso_cells_init(struct iso_cells *cells, struct iso_search *search,
                               const double *duals, struct iso_error *reterr)
{
    const struct iso_problem *problem = search->problem;
    const struct iso_mip *mip = &search->formulation->mip;

    cells->search = search;
    cells->duals = duals;
    cells->n = problem->n_workloads * problem->n_periods;
    cells->cells = iso_calloc((size_t)cells->n + 1, sizeof(*cells->cells));
    cells->rows = iso_calloc((size_t)mip->n_rows, sizeof(*cells->rows));
    cells->place = iso_calloc((size_t)mip->n_rows, sizeof(*cells->place));
    cells->activity = iso_calloc((size_t)mip->n_rows, sizeof(*cells->activity));
    if (!cells->cells || !cells->rows || !cells->place || !cells->activity)
        return no_memory(reterr);
    sort_rows(cells);
    for (int32_t k = 0; k < cells->n; k++) {
        struct iso_cell *cell = &cells->cells[k];
        cell->delta = DELTA * fabs(cell->relaxed);
        cell->bound = cell->relaxed;
        cell->unserved = -1;
    }
    for (int32_t j = 0; j < mip->n_columns; j++)
        if (mip->columns[j].kind == ISO_COLUMN_UNSERVED)
            cells->cells[mip->columns[j].a * problem->n_periods + mip->columns[j].b].unserved = j;
    ISO_TRY(iso_reduced_uses_init(&cells->uses, search, duals, reterr));
    return find_items(cells) ? ISO_OK : no_memory(reterr);
}

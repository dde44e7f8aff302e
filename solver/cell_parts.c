/* Parts of plans, cell by cell: taken from points, exchanged, and put together again. */
#include <math.h>
#include <stdlib.h>

#include "cells_internal.h"

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for parts of a plan");
}

struct iso_cell_part *iso_cell_parts_of(const struct iso_cells *cells, const double *x)
{
    const struct iso_mip *mip = &cells->search->formulation->mip;
    struct iso_cell_part *parts = iso_calloc((size_t)cells->n, sizeof(*parts));
    bool ok = parts != NULL;

    for (int32_t j = 0; j < mip->n_columns && ok; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        struct iso_cell_run run = {column->b, round(x[j])};
        int32_t k = column->a * cells->search->problem->n_periods + column->c;
        if (column->kind == ISO_COLUMN_USE && run.count > 0)
            ok = iso_append(&parts[k].runs, &parts[k].n_runs, sizeof(run), &run);
    }
    if (ok)
        return parts;
    iso_cell_parts_free(cells, parts);
    return NULL;
}

void iso_cell_parts_free(const struct iso_cells *cells, struct iso_cell_part *parts)
{
    for (int32_t k = 0; parts && k < cells->n; k++)
        free(parts[k].runs);
    free(parts);
}

bool iso_cell_price(struct iso_cells *cells, int32_t cell, const struct iso_cell_part *part,
                    double *ret_cost)
{
    const struct iso_mip *mip = &cells->search->formulation->mip;

    *ret_cost = 0;
    for (int32_t i = 0; i < part->n_runs; i++) {
        int32_t j = iso_cell_make_column(cells, cell, part->runs[i].option);
        if (j < 0)
            return false;
        *ret_cost += part->runs[i].count *
                     (mip->objective[j] + iso_cell_joint_cost(cells, &mip->columns[j]));
        iso_cell_drop_column(cells);
    }
    return true;
}

enum iso_status iso_cells_take_plan(struct iso_cells *cells, const double *x,
                                    struct iso_error *reterr)
{
    struct iso_cell_part *parts = iso_cell_parts_of(cells, x);
    bool ok = parts != NULL;

    for (int32_t k = 0; k < cells->n && ok; k++) {
        free(cells->cells[k].part.runs);
        cells->cells[k].part = parts[k];
        parts[k] = (struct iso_cell_part){0};
        ok = iso_cell_price(cells, k, &cells->cells[k].part, &cells->cells[k].priced);
    }
    iso_cell_parts_free(cells, parts);
    iso_mip_activity(&cells->search->formulation->mip, x, cells->activity);
    cells->saved = 0;
    return ok ? ISO_OK : no_memory(reterr);
}

bool iso_cell_part_of_point(const struct iso_cells *cells, int32_t k, const double *x,
                            struct iso_cell_part *ret_part)
{
    const struct iso_cell *cell = &cells->cells[k];
    bool ok = true;

    *ret_part = (struct iso_cell_part){0};
    for (int32_t i = 0; i < cell->n_items && ok; i++) {
        struct iso_cell_run run = {cell->items[i].option, round(x[i])};
        if (run.count > 0)
            ok = iso_append(&ret_part->runs, &ret_part->n_runs, sizeof(run), &run);
    }
    return ok;
}

/* Whether a row that joins cells is asked for no more than it has. */
static bool fits(const struct iso_cells *cells, const struct iso_mip_column *column)
{
    const struct iso_mip *mip = &cells->search->formulation->mip;

    for (int32_t k = 0; k < column->n_entries; k++) {
        int32_t i = mip->entries[column->first_entry + k].row;
        const struct iso_mip_row *row = &mip->rows[i];
        if ((row->kind == ISO_ROW_LIMIT || row->kind == ISO_ROW_BUDGET) &&
            (cells->activity[i] > row->upper + 1e-9 * (1 + fabs(row->upper)) ||
             cells->activity[i] < row->lower - 1e-9 * (1 + fabs(row->lower))))
            return false;
    }
    return true;
}

static bool part_fits(const struct iso_cells *cells, int32_t cell, const struct iso_cell_part *part,
                      bool *ret_fits)
{
    *ret_fits = true;
    for (int32_t i = 0; i < part->n_runs && *ret_fits; i++) {
        int32_t j = iso_cell_make_column(cells, cell, part->runs[i].option);
        if (j < 0)
            return false;
        *ret_fits = fits(cells, &cells->search->formulation->mip.columns[j]);
        iso_cell_drop_column(cells);
    }
    return true;
}

bool iso_cell_exchange(struct iso_cells *cells, int32_t k, struct iso_cell_part *part,
                       bool *ret_taken)
{
    struct iso_cell *cell = &cells->cells[k];
    double money = 0;
    bool ok = iso_cell_add_activity(cells, k, &cell->part, -1, &money) &&
              iso_cell_add_activity(cells, k, part, 1, &money) &&
              part_fits(cells, k, part, ret_taken);

    *ret_taken = ok && *ret_taken && money < -1e-12;
    if (*ret_taken) {
        struct iso_cell_part old = cell->part;
        cell->part = *part;
        *part = old;
        cells->saved -= money;
        ok = iso_cell_price(cells, k, &cell->part, &cell->priced);
    } else if (ok) {
        ok = iso_cell_add_activity(cells, k, part, -1, &money) &&
             iso_cell_add_activity(cells, k, &cell->part, 1, &money);
    }
    free(part->runs);
    *part = (struct iso_cell_part){0};
    return ok;
}

/* --- the plan --- */

/* The columns of the plan at hand, listed where they are not. */
static bool list_parts(const struct iso_cells *cells)
{
    struct iso_formulation *f = cells->search->formulation;
    int32_t n_periods = f->problem->n_periods;

    for (int32_t k = 0; k < cells->n && !f->complete; k++)
        for (int32_t i = 0; i < cells->cells[k].part.n_runs; i++)
            if (iso_formulation_list_use(f, k / n_periods, cells->cells[k].part.runs[i].option,
                                         k % n_periods) < 0)
                return false;
    return true;
}

enum iso_status iso_cells_offer(struct iso_cells *cells, struct iso_error *reterr)
{
    struct iso_search *search = cells->search;
    const struct iso_mip *mip = &search->formulation->mip;
    int32_t n_columns = mip->n_columns;

    if (!list_parts(cells))
        return no_memory(reterr);
    ISO_AUTO_MEM double *x = NULL;
    ISO_TRY(iso_search_new_point(search, n_columns, &x, reterr));
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        if (column->kind != ISO_COLUMN_USE) {
            x[j] = search->best[j];
            continue;
        }
        const struct iso_cell_part *part =
            &cells->cells[column->a * search->problem->n_periods + column->c].part;
        for (int32_t i = 0; i < part->n_runs; i++)
            if (part->runs[i].option == column->b)
                x[j] += part->runs[i].count;
    }
    return iso_first_plans(search, x, NULL, 1, reterr);
}

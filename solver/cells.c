#include "cells.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* The cell that has a row to itself; -1: it joins several. */
static int32_t cell_of_row(const struct iso_cells *cells, const struct iso_mip_row *row)
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
        int32_t k = cell_of_row(cells, &mip->rows[i]);
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
        int32_t k = cell_of_row(cells, &mip->rows[i]);
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

/* --- columns --- */

/* An instance as a column at the end of the formulation, which is to be dropped again. -1 when
 * memory is short. */
static int32_t make_column(const struct iso_cells *cells, int32_t cell, int32_t option)
{
    struct iso_formulation *f = cells->search->formulation;
    int32_t a = cell / f->problem->n_periods, t = cell % f->problem->n_periods;
    const struct iso_option *use = &f->problem->workloads[a].options[option];
    struct iso_mip_column column = {.kind = ISO_COLUMN_USE,
                                    .a = a,
                                    .b = option,
                                    .c = t,
                                    .d = -1,
                                    .upper = INFINITY,
                                    .integer = true};
    int32_t j = iso_mip_add_column(&f->mip, &column);

    if (j < 0)
        return -1;
    f->mip.objective[j] = iso_formulation_coefficient(f, &f->mip.columns[j], &cells->search->stage);
    bool ok = iso_formulation_instance_entries(f, a, use->offering, t, -1) &&
              iso_formulation_service_entries(f, a, option, t, iso_value(use->served));
    return ok ? j : -1;
}

static void drop_column(const struct iso_cells *cells)
{
    struct iso_mip *mip = &cells->search->formulation->mip;

    mip->n_entries = mip->columns[--mip->n_columns].first_entry;
}

/* What rows that join cells add to the cost of a column. */
static double joint_cost(const struct iso_cells *cells, const struct iso_mip_column *column)
{
    const struct iso_mip *mip = &cells->search->formulation->mip;
    double cost = 0;

    for (int32_t k = 0; k < column->n_entries; k++) {
        const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
        if (cell_of_row(cells, &mip->rows[entry->row]) < 0)
            cost -= cells->duals[entry->row] * entry->coefficient;
    }
    return cost;
}

/* What the rows of its own cell give for a column. */
static double own_gain(const struct iso_cells *cells, const struct iso_mip_column *column)
{
    const struct iso_mip *mip = &cells->search->formulation->mip;
    double gain = 0;

    for (int32_t k = 0; k < column->n_entries; k++) {
        const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
        if (cell_of_row(cells, &mip->rows[entry->row]) >= 0)
            gain += cells->duals[entry->row] * entry->coefficient;
    }
    return gain;
}

/* Copies a column into the program at hand, at a cost and up to a number. */
static bool copy_column(const struct iso_cells *cells, int32_t j, double cost, double upper,
                        struct iso_mip *program)
{
    const struct iso_mip *mip = &cells->search->formulation->mip;
    struct iso_mip_column column = mip->columns[j];

    column.upper = upper;
    int32_t made = iso_mip_add_column(program, &column);
    bool ok = made >= 0;
    for (int32_t k = 0; k < column.n_entries && ok; k++) {
        const struct iso_mip_entry *entry = &mip->entries[column.first_entry + k];
        if (cells->place[entry->row] >= 0)
            ok = iso_mip_add_entry(program, cells->place[entry->row], entry->coefficient);
    }
    if (ok)
        program->objective[made] = cost;
    return ok;
}

static bool add_item(const struct iso_cells *cells, int32_t cell, const struct iso_cell_item *item,
                     bool scarce, struct iso_mip *program)
{
    struct iso_mip *mip = &cells->search->formulation->mip;
    double delta = cells->cells[cell].delta;
    double most =
        item->reduced_cost > 0 && !scarce ? fmax(1, floor(delta / item->reduced_cost)) : INFINITY;
    int32_t j = make_column(cells, cell, item->option);

    if (j < 0)
        return false;
    double cost =
        scarce ? mip->objective[j] : item->reduced_cost + own_gain(cells, &mip->columns[j]);
    bool ok = copy_column(cells, j, cost, most, program);
    drop_column(cells);
    return ok;
}

/* --- programs --- */

/* What a part has in each row, times `sign`, is added to the activity; what it costs to *io_money.
 */
static bool add_activity(struct iso_cells *cells, int32_t cell, const struct iso_cell_part *part,
                         double sign, double *io_money)
{
    const struct iso_mip *mip = &cells->search->formulation->mip;

    for (int32_t i = 0; i < part->n_runs; i++) {
        int32_t j = make_column(cells, cell, part->runs[i].option);
        if (j < 0)
            return false;
        const struct iso_mip_column *column = &mip->columns[j];
        for (int32_t k = 0; k < column->n_entries; k++) {
            const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
            cells->activity[entry->row] += sign * part->runs[i].count * entry->coefficient;
        }
        *io_money += sign * part->runs[i].count * mip->objective[j];
        drop_column(cells);
    }
    return true;
}

/* Limits of the period as rows of the program at hand: what others leave of them. */
static bool add_limits(struct iso_cells *cells, int32_t t, struct iso_mip *program)
{
    const struct iso_formulation *f = cells->search->formulation;

    for (int32_t l = 0; l < f->problem->n_limits; l++) {
        int32_t i = f->limit_row[l * f->problem->n_periods + t];
        if (i < 0)
            continue;
        struct iso_mip_row row = f->mip.rows[i];
        row.lower = fmin(row.lower, cells->activity[i]) - cells->activity[i];
        row.upper = fmax(row.upper, cells->activity[i]) - cells->activity[i];
        cells->place[i] = iso_mip_add_row(program, &row);
        if (cells->place[i] < 0)
            return false;
    }
    return true;
}

static void forget_places(struct iso_cells *cells, int32_t cell)
{
    const struct iso_formulation *f = cells->search->formulation;
    int32_t n_periods = f->problem->n_periods;

    for (int32_t k = cells->cells[cell].first_row; k < cells->cells[cell + 1].first_row; k++)
        cells->place[cells->rows[k]] = -1;
    for (int32_t l = 0; l < f->problem->n_limits; l++)
        if (f->limit_row[l * n_periods + cell % n_periods] >= 0)
            cells->place[f->limit_row[l * n_periods + cell % n_periods]] = -1;
}

bool iso_cell_build(struct iso_cells *cells, int32_t k, bool scarce, struct iso_mip *program)
{
    const struct iso_mip *mip = &cells->search->formulation->mip;
    const struct iso_cell *cell = &cells->cells[k];
    double money = 0;
    bool ok = true;

    for (int32_t at = cell->first_row; at < cells->cells[k + 1].first_row && ok; at++) {
        cells->place[cells->rows[at]] = iso_mip_add_row(program, &mip->rows[cells->rows[at]]);
        ok = cells->place[cells->rows[at]] >= 0;
    }
    if (scarce && ok)
        ok = add_activity(cells, k, &cell->part, -1, &money) &&
             add_limits(cells, k % cells->search->problem->n_periods, program) &&
             add_activity(cells, k, &cell->part, 1, &money);
    for (int32_t i = 0; i < cell->n_items && ok; i++)
        ok = add_item(cells, k, &cell->items[i], scarce, program);
    if (cell->unserved >= 0 && ok) {
        const struct iso_mip_column *column = &mip->columns[cell->unserved];
        double cost = mip->objective[cell->unserved] + (scarce ? 0 : joint_cost(cells, column));
        ok = copy_column(cells, cell->unserved, cost, column->upper, program);
    }
    forget_places(cells, k);
    return ok;
}

/* --- parts --- */

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
        int32_t j = make_column(cells, cell, part->runs[i].option);
        if (j < 0)
            return false;
        *ret_cost +=
            part->runs[i].count * (mip->objective[j] + joint_cost(cells, &mip->columns[j]));
        drop_column(cells);
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
        int32_t j = make_column(cells, cell, part->runs[i].option);
        if (j < 0)
            return false;
        *ret_fits = fits(cells, &cells->search->formulation->mip.columns[j]);
        drop_column(cells);
    }
    return true;
}

bool iso_cell_exchange(struct iso_cells *cells, int32_t k, struct iso_cell_part *part,
                       bool *ret_taken)
{
    struct iso_cell *cell = &cells->cells[k];
    double money = 0;
    bool ok = add_activity(cells, k, &cell->part, -1, &money) &&
              add_activity(cells, k, part, 1, &money) && part_fits(cells, k, part, ret_taken);

    *ret_taken = ok && *ret_taken && money < -1e-12;
    if (*ret_taken) {
        struct iso_cell_part old = cell->part;
        cell->part = *part;
        *part = old;
        cells->saved -= money;
        ok = iso_cell_price(cells, k, &cell->part, &cell->priced);
    } else if (ok) {
        ok = add_activity(cells, k, part, -1, &money) &&
             add_activity(cells, k, &cell->part, 1, &money);
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
    ISO_TRY(iso_search_grow(search, n_columns, reterr));
    if (search->unlisted)
        ISO_TRY(iso_unlisted_see(search->unlisted, reterr));
    ISO_AUTO_MEM double *x = iso_calloc((size_t)mip->n_columns, sizeof(*x));
    if (!x)
        return no_memory(reterr);
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

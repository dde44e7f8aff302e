/* The problems of cells: columns of instances, rows of their own, and what others leave of limits.
 */
#include <math.h>

#include "cells_internal.h"

/* --- columns --- */

int32_t iso_cell_make_column(const struct iso_cells *cells, int32_t cell, int32_t option)
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

void iso_cell_drop_column(const struct iso_cells *cells)
{
    struct iso_mip *mip = &cells->search->formulation->mip;

    mip->n_entries = mip->columns[--mip->n_columns].first_entry;
}

double iso_cell_joint_cost(const struct iso_cells *cells, const struct iso_mip_column *column)
{
    const struct iso_mip *mip = &cells->search->formulation->mip;
    double cost = 0;

    for (int32_t k = 0; k < column->n_entries; k++) {
        const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
        if (iso_cell_of_row(cells, &mip->rows[entry->row]) < 0)
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
        if (iso_cell_of_row(cells, &mip->rows[entry->row]) >= 0)
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
    int32_t j = iso_cell_make_column(cells, cell, item->option);

    if (j < 0)
        return false;
    double cost =
        scarce ? mip->objective[j] : item->reduced_cost + own_gain(cells, &mip->columns[j]);
    bool ok = copy_column(cells, j, cost, most, program);
    iso_cell_drop_column(cells);
    return ok;
}

/* --- programs --- */

/* What a part has in each row, times `sign`, is added to the activity; what it costs to *io_money.
 */
bool iso_cell_add_activity(struct iso_cells *cells, int32_t cell, const struct iso_cell_part *part,
                           double sign, double *io_money)
{
    const struct iso_mip *mip = &cells->search->formulation->mip;

    for (int32_t i = 0; i < part->n_runs; i++) {
        int32_t j = iso_cell_make_column(cells, cell, part->runs[i].option);
        if (j < 0)
            return false;
        const struct iso_mip_column *column = &mip->columns[j];
        for (int32_t k = 0; k < column->n_entries; k++) {
            const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
            cells->activity[entry->row] += sign * part->runs[i].count * entry->coefficient;
        }
        *io_money += sign * part->runs[i].count * mip->objective[j];
        iso_cell_drop_column(cells);
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
        ok = iso_cell_add_activity(cells, k, &cell->part, -1, &money) &&
             add_limits(cells, k % cells->search->problem->n_periods, program) &&
             iso_cell_add_activity(cells, k, &cell->part, 1, &money);
    for (int32_t i = 0; i < cell->n_items && ok; i++)
        ok = add_item(cells, k, &cell->items[i], scarce, program);
    if (cell->unserved >= 0 && ok) {
        const struct iso_mip_column *column = &mip->columns[cell->unserved];
        double cost =
            mip->objective[cell->unserved] + (scarce ? 0 : iso_cell_joint_cost(cells, column));
        ok = copy_column(cells, cell->unserved, cost, column->upper, program);
    }
    forget_places(cells, k);
    return ok;
}

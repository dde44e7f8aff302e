#include "block.h"

#include <math.h>
#include <stdlib.h>

#include "glpk_lp.h"
#include "ranked.h"

int32_t iso_block_of(const struct iso_formulation *formulation, const struct iso_mip_column *column)
{
    const struct iso_problem *problem = formulation->problem;

    if (column->kind == ISO_COLUMN_USE)
        return column->a * problem->n_periods + column->c;
    if (column->kind == ISO_COLUMN_PATTERN)
        return (problem->n_workloads + column->a) * problem->n_periods + column->c;
    return -1;
}

/* Coverage belongs to the block of its instances. */
static int32_t home_of(const struct iso_formulation *formulation,
                       const struct iso_mip_column *column)
{
    if (column->kind == ISO_COLUMN_COVER)
        return column->b * formulation->problem->n_periods + column->d;
    return iso_block_of(formulation, column);
}

/* Counting sort of the columns by block. */
static void fill(struct iso_blocks *blocks, const struct iso_formulation *formulation)
{
    const struct iso_mip *mip = &formulation->mip;

    for (int pass = 0; pass < 2; pass++) {
        for (int32_t j = 0; j < mip->n_columns; j++) {
            int32_t b = iso_block_of(formulation, &mip->columns[j]);
            if (b < 0)
                continue;
            if (pass == 0)
                blocks->first[b + 2]++;
            else
                blocks->columns[blocks->first[b + 1]++] = j;
        }
        for (int32_t b = 0; b < blocks->n_blocks && pass == 0; b++)
            blocks->first[b + 2] += blocks->first[b + 1];
    }
}

static void find_row_blocks(struct iso_blocks *blocks, const struct iso_formulation *formulation)
{
    const struct iso_mip *mip = &formulation->mip;
    const int32_t none = -2, n_blocks = blocks->n_blocks, n_periods = blocks->n_periods;

    for (int32_t i = 0; i < mip->n_rows; i++)
        blocks->row_block[i] = none;
    for (int32_t j = 0; j < mip->n_columns; j++) {
        int32_t home = home_of(formulation, &mip->columns[j]);
        int32_t level = n_blocks + home % n_periods;
        for (int32_t k = 0; k < mip->columns[j].n_entries && home >= 0; k++) {
            int32_t *row = &blocks->row_block[mip->entries[mip->columns[j].first_entry + k].row];
            if (*row == none)
                *row = home;
            else if (*row != home && *row != level)
                *row = *row >= 0 && *row < n_blocks && *row % n_periods == home % n_periods ? level
                                                                                            : -1;
        }
    }
}

enum iso_status iso_blocks_init(struct iso_blocks *blocks,
                                const struct iso_formulation *formulation, const double *duals,
                                struct iso_error *reterr)
{
    const struct iso_mip *mip = &formulation->mip;
    size_t n_columns = (size_t)mip->n_columns;
    ISO_AUTO_MEM struct iso_ranked *order = iso_calloc(n_columns, sizeof(*order));

    blocks->n_cells = iso_problem_n_cells(formulation->problem);
    blocks->n_periods = formulation->problem->n_periods;
    blocks->n_blocks = blocks->n_cells * blocks->n_periods;
    blocks->first = iso_calloc((size_t)blocks->n_blocks + 2, sizeof(*blocks->first));
    blocks->columns = iso_calloc(n_columns, sizeof(*blocks->columns));
    blocks->reduced_cost = iso_calloc(n_columns, sizeof(*blocks->reduced_cost));
    blocks->row_block = iso_calloc((size_t)mip->n_rows, sizeof(*blocks->row_block));
    if (!order || !blocks->row_block || !blocks->first || !blocks->columns || !blocks->reduced_cost)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for blocks");
    for (int32_t j = 0; j < mip->n_columns; j++)
        blocks->reduced_cost[j] = iso_reduced_cost(mip, duals, j);
    fill(blocks, formulation);
    find_row_blocks(blocks, formulation);
    for (int32_t b = 0; b < blocks->n_blocks; b++) {
        int32_t n = blocks->first[b + 1] - blocks->first[b];
        int32_t *columns = &blocks->columns[blocks->first[b]];
        for (int32_t i = 0; i < n; i++)
            order[i] = (struct iso_ranked){blocks->reduced_cost[columns[i]], columns[i]};
        iso_rank_rising(order, (size_t)n);
        for (int32_t i = 0; i < n; i++)
            columns[i] = order[i].place;
    }
    return ISO_OK;
}

void iso_blocks_fini(struct iso_blocks *blocks)
{
    free(blocks->first);
    free(blocks->columns);
    free(blocks->reduced_cost);
    free(blocks->row_block);
    *blocks = (struct iso_blocks){0};
}

void iso_blocks_lost(const struct iso_blocks *blocks, const struct iso_formulation *formulation,
                     const double *duals, const double *x, const double *activity, double *ret_lost,
                     double *ret_rest)
{
    const struct iso_mip *mip = &formulation->mip;

    for (int32_t b = 0; b < blocks->n_blocks + blocks->n_periods; b++)
        ret_lost[b] = 0;
    *ret_rest = 0;
    for (int32_t j = 0; j < mip->n_columns; j++) {
        int32_t home = x[j] != 0 ? home_of(formulation, &mip->columns[j]) : -1;
        if (home >= 0)
            ret_lost[home] += blocks->reduced_cost[j] * x[j];
    }
    for (int32_t i = 0; i < mip->n_rows; i++) {
        double side = duals[i] > 0 ? mip->rows[i].lower : mip->rows[i].upper;
        if (duals[i] == 0 || isinf(side) || blocks->row_block[i] < -1)
            continue;
        double lost = duals[i] * (activity[i] - side);
        if (blocks->row_block[i] < 0)
            *ret_rest += lost;
        else
            ret_lost[blocks->row_block[i]] += lost;
    }
}

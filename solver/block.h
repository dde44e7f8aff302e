/* Blocks: the instance columns of a formulation by cell and period. Levels hang together through
 * rules that span cells (limits) or periods (commitments, budgets), and through nothing else, so a
 * block is the smallest part that can be optimised while the rest stands still. */
#ifndef ISOCOST_BLOCK_H
#define ISOCOST_BLOCK_H

#include "formulation.h"

/* Columns of block (cell, period) are columns[first[b]] to columns[first[b + 1] - 1] with
 * b = cell * n_periods + period, by rising reduced cost. */
struct iso_blocks {
    int32_t n_cells, n_periods, n_blocks;
    int32_t *first;
    int32_t *columns;
    double *reduced_cost; /* n_columns: of every column of the formulation */
    int32_t *row_block; /* n_rows: the block that has all instances and coverage of a row; for a row
                         * of several blocks of one period n_blocks + period; else -1 */
};

/* Errors: ISO_E_NOMEM. To be freed by iso_blocks_fini() also then. */
enum iso_status iso_blocks_init(struct iso_blocks *blocks,
                                const struct iso_formulation *formulation, const double *duals,
                                struct iso_error *reterr);
void iso_blocks_fini(struct iso_blocks *blocks);

/* What is lost by a point x at the multipliers, sum_j rc_j x_j + sum_i lambda_i (a_i x - b_i), in
 * each block, then in the rows of each period that join blocks; *ret_rest: in the rows that join
 * periods. `activity`: of x. */
void iso_blocks_lost(const struct iso_blocks *blocks, const struct iso_formulation *formulation,
                     const double *duals, const double *x, const double *activity, double *ret_lost,
                     double *ret_rest);

/* The block of a column of instances; -1 for other columns. */
int32_t iso_block_of(const struct iso_formulation *formulation,
                     const struct iso_mip_column *column);

#endif

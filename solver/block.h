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
};

/* Errors: ISO_E_NOMEM. To be freed by iso_blocks_fini() also then. */
enum iso_status iso_blocks_init(struct iso_blocks *blocks,
                                const struct iso_formulation *formulation, const double *duals,
                                struct iso_error *reterr);
void iso_blocks_fini(struct iso_blocks *blocks);

/* The block of a column of instances; -1 for other columns. */
int32_t iso_block_of(const struct iso_formulation *formulation,
                     const struct iso_mip_column *column);

#endif

/* Columns and rows of cells, for cells.c, cell_program.c and cell_parts.c. */
#ifndef ISOCOST_CELLS_INTERNAL_H
#define ISOCOST_CELLS_INTERNAL_H

#include "cells.h"

/* The cell that has a row to itself; -1: it joins several. */
int32_t iso_cell_of_row(const struct iso_cells *cells, const struct iso_mip_row *row);

/* An instance as a column at the end of the formulation, which is to be dropped again before any
 * other is made. -1 when memory is short. */
int32_t iso_cell_make_column(const struct iso_cells *cells, int32_t cell, int32_t option);
void iso_cell_drop_column(const struct iso_cells *cells);

/* What rows that join cells add to the cost of a column. */
double iso_cell_joint_cost(const struct iso_cells *cells, const struct iso_mip_column *column);

/* What a part has in each row, times `sign`, is added to the activity; what it costs to *io_money.
 * False when memory is short. */
bool iso_cell_add_activity(struct iso_cells *cells, int32_t cell, const struct iso_cell_part *part,
                           double sign, double *io_money);

#endif

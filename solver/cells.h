/* A workload in one period, with everything that joins it to others priced by multipliers.
 *
 * Of the rows of a period, demand, shares and survival are a workload's own; limits join workloads,
 * budgets and commitments periods too. With multipliers lambda for all of these and K_at the rows
 * that workload a has to itself in period t, what is left is one small problem for each of them:
 *
 *     z_at = min  sum_j (rc_j + sum_{i in K_at} lambda_i a_ij) x_j     over whole x that keep K_at,
 *
 * where rc_j is the reduced cost of an instance, paid or covered, whichever is less. The relaxation
 * of z_at is worth r_at = sum_{i in K_at} lambda_i b_i, so every plan costs at least
 *
 *     bound + sum_at (z_at - r_at).
 *
 * Instances with rc_j > delta_at are left out; a point with one of them costs r_at + delta_at at
 * least, so min(z_at, r_at + delta_at) is what is proved. */
#ifndef ISOCOST_CELLS_H
#define ISOCOST_CELLS_H

#include "glpk_mip.h"
#include "reduced_uses.h"

struct iso_cell_item {
    int32_t option;
    double reduced_cost;
};

/* Instances that run. */
struct iso_cell_run {
    int32_t option;
    double count;
};

struct iso_cell_part {
    int32_t n_runs;
    struct iso_cell_run *runs;
};

struct iso_cell {
    double relaxed, delta; /* r_at, delta_at */
    double bound;          /* of z_at, as far as it is known; r_at at first */
    double priced;         /* what the part of the plan at hand costs in the objective of z_at */
    int32_t first_row;     /* in the list of rows, up to that of the next cell */
    int32_t unserved;      /* column of what is not served; -1: none */
    int32_t n_items;
    struct iso_cell_item *items;
    struct iso_cell_part part; /* of the plan at hand */
};

struct iso_cells {
    struct iso_search *search;
    const double *duals;
    struct iso_reduced_uses uses;
    int32_t n;              /* cell a * n_periods + t is workload a in period t */
    struct iso_cell *cells; /* one more than there are */
    int32_t *rows;          /* of all cells, by cell */
    int32_t *place;         /* [row]: in the program at hand; -1: not in it */
    double *activity;       /* [row]: of the plan at hand */
    double saved;           /* money, list prices: by how much the parts at hand are below the plan
                             * they come from */
};

/* Under multipliers that price out (n_rows, borrowed): the items of each cell. Errors: ISO_E_NOMEM.
 */
enum iso_status iso_cells_init(struct iso_cells *cells, struct iso_search *search,
                               const double *duals, struct iso_error *reterr);
void iso_cells_fini(struct iso_cells *cells);

/* Takes a point's instances as the plan at hand. Errors: ISO_E_NOMEM. */
enum iso_status iso_cells_take_plan(struct iso_cells *cells, const double *x,
                                    struct iso_error *reterr);

/* The instances of a point, cell by cell (n parts). They are to be freed by iso_cell_parts_free().
 * NULL when memory is short. */
struct iso_cell_part *iso_cell_parts_of(const struct iso_cells *cells, const double *x);
void iso_cell_parts_free(const struct iso_cells *cells, struct iso_cell_part *parts);

/* The problem of a cell. `scarce`: what joins it to others costs nothing, but limits leave it no
 * more than the parts of others do. The first columns of the program are those of its items, in
 * their order. False when memory is short. */
bool iso_cell_build(struct iso_cells *cells, int32_t cell, bool scarce, struct iso_mip *ret_mip);

/* What a part costs in the objective of z_at. False when memory is short. */
bool iso_cell_price(struct iso_cells *cells, int32_t cell, const struct iso_cell_part *part,
                    double *ret_cost);

/* Puts a part (moved) in the place of the one at hand where it costs less money and no limit or
 * budget is asked for more than it has; otherwise frees it. False when memory is short. */
bool iso_cell_exchange(struct iso_cells *cells, int32_t cell, struct iso_cell_part *part,
                       bool *ret_taken);

/* The part that a point of iso_cell_build() is. False when memory is short. */
bool iso_cell_part_of_point(const struct iso_cells *cells, int32_t cell, const double *x,
                            struct iso_cell_part *ret_part);

/* Offers the plan at hand. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_cells_offer(struct iso_cells *cells, struct iso_error *reterr);

#endif

/* The state of fix-and-optimise; see improve.c. */
#ifndef ISOCOST_IMPROVE_H
#define ISOCOST_IMPROVE_H

#include "block.h"
#include "follower.h"

#define ISO_MOVES_A_ROUND 60 /* of commitments; a quarter of it after a round without a gain */
#define ISO_LARGEST_GROUP 4  /* cells of a level that are optimised together */

/* Cells of a period. */
struct iso_group {
    int32_t period, n_cells;
    int32_t cells[ISO_LARGEST_GROUP];
    double lost; /* in their blocks */
};

struct iso_improver {
    struct iso_search *search;
    const double *relaxed, *duals; /* n_columns and n_rows: the relaxation, commitments whole */
    struct iso_blocks blocks;
    struct iso_followers followers;
    struct iso_neighbourhood n; /* the point at hand: the best plan or better */
    double gain;                /* of the point at hand over the best plan */
    double *lost;               /* see iso_blocks_lost() */
    double lost_rest;
    int32_t effort;                       /* factor of columns and nodes of small trees */
    int32_t n_moves;                      /* of commitments to try in the next round */
    int64_t clock;                        /* of changes */
    int64_t *changed;                     /* n_blocks: clock of the last change */
    int64_t since[ISO_LARGEST_GROUP + 1]; /* by size of group: clock of the last round's begin */
    int32_t *cells;                       /* scratch */
};

/* Frees the `n_columns` cheapest instance columns of a block and those in use; at most `kept_below`
 * below their whole part in the relaxation or the point at hand (INFINITY: anywhere). */
void iso_improver_free_block(struct iso_improver *improver, int32_t block, int32_t n_columns,
                             double kept_below);

/* Cells with columns in a period, most lost first; gives their number. */
int32_t iso_improver_cells(struct iso_improver *improver, int32_t period, int32_t *ret_cells);

/* Limits of a small tree over `n_cells` cells of a level: it ends at `gap` of their part of the
 * bound, as what is paid outside the tree for commitments counts too. */
struct iso_mip_limits iso_improver_limits(const struct iso_improver *improver, double gap,
                                          int32_t n_cells, int64_t nodes);

/* Optimises the point at hand in groups of `size` cells of a level, those with a change since the
 * last time. The point is not offered. */
enum iso_status iso_improve_groups(struct iso_improver *improver, int32_t size,
                                   struct iso_error *reterr);

/* Builds a plan from the relaxation and offers it. */
enum iso_status iso_construct(struct iso_improver *improver, struct iso_error *reterr);

/* Moves commitments by one unit, or one for another, and optimises what they touch again. */
enum iso_status iso_move_commitments(struct iso_improver *improver, struct iso_error *reterr);

#endif

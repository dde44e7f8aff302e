/* Neighbourhoods: some columns of a formulation are free, all others stand still.
 *
 * With x fixed outside the free set F, the rest is the small program
 *
 *     minimise  sum_{j in F} objective_j x_j
 *     subject to  row.lower - a_fixed <= sum_{j in F} a_ij x_j <= row.upper - a_fixed
 *
 * over the rows that F touches, with a_fixed = activity less what F gives now. Any solution of it
 * is a solution of the whole when the point at hand is one. Coverage is gathered in it, see
 * gathered_coverage.h. */
#ifndef ISOCOST_NEIGHBOURHOOD_H
#define ISOCOST_NEIGHBOURHOOD_H

#include "gathered_coverage.h"
#include "glpk_mip.h"
#include "search.h"

struct iso_priced_row {
    int32_t row;
    double price; /* of a unit above the upper side */
};

struct iso_neighbourhood {
    struct iso_search *search;
    double *x;               /* n_columns: the point at hand */
    double *activity;        /* n_rows, of x */
    int32_t n_free, n_whole; /* of the free columns those from n_whole on may be fractional */
    int32_t *free_columns;
    double *lower, *upper;               /* of the free columns */
    uint8_t *is_free;                    /* n_columns flags */
    int32_t *row_place;                  /* n_rows: place in the small program, or -1 */
    int32_t n_touched, *touched_rows;    /* of the small program */
    const struct iso_priced_row *priced; /* rows whose upper side may be exceeded at a price */
    int32_t n_priced;
    struct iso_gathering gathering;
    struct iso_mip small;
    double *small_x;
    int32_t small_room;
};

/* Starts at a point of n_columns values (it is copied). Errors: ISO_E_NOMEM. */
enum iso_status iso_neighbourhood_init(struct iso_neighbourhood *n, struct iso_search *search,
                                       const double *x, struct iso_error *reterr);
void iso_neighbourhood_fini(struct iso_neighbourhood *n);

/* Takes another point. */
void iso_neighbourhood_move(struct iso_neighbourhood *n, const double *x);

/* Changes one column of the point. */
void iso_neighbourhood_set(struct iso_neighbourhood *n, int32_t column, double value);

/* Empties the free set. */
void iso_neighbourhood_clear(struct iso_neighbourhood *n);

/* Frees a column between bounds; nothing when it is free already. */
void iso_neighbourhood_free(struct iso_neighbourhood *n, int32_t column, double lower,
                            double upper);

/* Lets columns that are freed from now on be fractional, until the free set is emptied. */
void iso_neighbourhood_relax(struct iso_neighbourhood *n);

/* What the free columns cost in the point at hand, and what is above the upper sides of rows. */
double iso_neighbourhood_value(const struct iso_neighbourhood *n);

/* Solves the small program for a value, as above, of at most `cutoff`. When it finds one,
 * the point takes it and *ret_found is true; *ret_solved tells whether the small tree was emptied
 * or reached its gap. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_neighbourhood_solve(struct iso_neighbourhood *n, double cutoff,
                                        const struct iso_mip_limits *limits, bool *ret_found,
                                        bool *ret_solved, struct iso_error *reterr);

#endif

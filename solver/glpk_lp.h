/* Linear relaxations behind GLPK's simplex. Columns may start inactive and be switched on as they
 * price out. A row that holds when all columns are 0 is loaded with the first active column that
 * can break it; until then its multiplier is 0. Links of coverage to
 * instances that one column counts are never loaded; their multipliers are 0 too. In large programs
 * limits, shares and survival wait until a point breaks them (glpk_rows.c). One thread; every
 * object is made, used and freed on it. */
#ifndef ISOCOST_GLPK_LP_H
#define ISOCOST_GLPK_LP_H

#include "isocost/solve.h"
#include "mip.h"

enum iso_lp_outcome {
    ISO_LP_OPTIMAL,
    ISO_LP_INFEASIBLE,
    ISO_LP_UNBOUNDED,
    ISO_LP_STOPPED /* the control said so; see also iso_lp_be_precise() */
};

struct iso_lp;

/* Loads the columns with active[j] (NULL: all). `mip` is borrowed for the life of the
 * object; its columns and rows may grow only through iso_lp_add_column().
 * Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_lp_new(const struct iso_mip *mip, const uint8_t *active, struct iso_lp **ret_lp,
                           struct iso_error *reterr);
void iso_lp_free(struct iso_lp *lp);

/* The program of one period by itself: without columns, and with no row but those of the period.
 * Only columns of the period may be switched on, and no coverage. Errors: as iso_lp_new(). */
enum iso_status iso_lp_new_period(const struct iso_mip *mip, int32_t period, struct iso_lp **ret_lp,
                                  struct iso_error *reterr);
ISO_DEFINE_FREEP(iso_lp)

/* Artificial columns let a program without enough columns have a point: one for each row that does
 * not hold at 0, at costs[row] a unit (> 0; of rows with lower > 0 or upper < 0). Calling it again
 * changes the costs; NULL takes them out. Errors: ISO_E_BACKEND. */
enum iso_status iso_lp_price_artificials(struct iso_lp *lp, const double *costs,
                                         struct iso_error *reterr);

/* What the artificial column of a row stands for, relative to the row's side; 0 without one. */
double iso_lp_artificial(const struct iso_lp *lp, int32_t row);

/* The same of all rows, added up. */
double iso_lp_artificial_sum(const struct iso_lp *lp);

/* Takes notice of columns and rows that were added to the mip; the columns are inactive, and the
 * rows hold when all columns are 0. Errors: ISO_E_NOMEM. */
enum iso_status iso_lp_grow(struct iso_lp *lp, struct iso_error *reterr);

/* Switches a column on. */
enum iso_status iso_lp_add_column(struct iso_lp *lp, int32_t column, struct iso_error *reterr);

/* Switches on every column, so that infeasibility is believed. Adds their number to *io_n_new. */
enum iso_status iso_lp_add_all(struct iso_lp *lp, int32_t *io_n_new, struct iso_error *reterr);

/* So many of one column. */
struct iso_lp_part {
    int32_t column;
    double multiple;
};

/* A bundle is one column that stands for a unit of a purchase being used: `parts` are columns of
 * coverage, at most lot / use of them in a period. A row of the program's own holds the bundles of
 * a purchase down to what is bought and stands for the rows of its commitment. So coverage of a
 * product comes in bundles or column by column, never both. Switches the purchase on. */
enum iso_status iso_lp_add_bundle(struct iso_lp *lp, int32_t purchase,
                                  const struct iso_lp_part *parts, int32_t n,
                                  struct iso_error *reterr);

/* What one more bundle of a purchase has to be worth: the multiplier of that row, INFINITY when
 * there is none yet. */
double iso_lp_purchase_price(const struct iso_lp *lp, int32_t purchase);

/* Whether every column is switched on. */
bool iso_lp_is_whole(const struct iso_lp *lp);
bool iso_lp_has_column(const struct iso_lp *lp, int32_t column);

/* Bounds of an active column. */
enum iso_status iso_lp_set_bounds(struct iso_lp *lp, int32_t column, double lower, double upper,
                                  struct iso_error *reterr);

/* Takes over mip->objective again. */
enum iso_status iso_lp_reload_objective(struct iso_lp *lp, struct iso_error *reterr);

/* From now on points keep their rows to 1e-9 in place of 1e-7. Simplex may find that too much and
 * end without a status: then the outcome is STOPPED, and no error. */
void iso_lp_be_precise(struct iso_lp *lp);

/* Simplex from the basis at hand, in slices of iterations between which the control is asked. Adds
 * the iterations to *io_iterations. Errors: ISO_E_BACKEND. */
enum iso_status iso_lp_solve(struct iso_lp *lp, const struct iso_control *control,
                             int64_t *io_iterations, enum iso_lp_outcome *ret_outcome,
                             struct iso_error *reterr);

/* A basis: the columns that are in it, and the rows that are not, of a mip. What is not named is
 * the other way round. */
struct iso_simplex_basis {
    int32_t n_columns, n_rows;
    int32_t *columns, *rows;
};
void iso_simplex_basis_fini(struct iso_simplex_basis *basis);

/* Appends the basis of a solved program. Errors: ISO_E_NOMEM. */
enum iso_status iso_lp_add_basis(const struct iso_lp *lp, struct iso_simplex_basis *basis,
                                 struct iso_error *reterr);

/* Starts from a basis, whose columns are switched on; one that does not fit is not used. Errors:
 * ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_lp_start_from(struct iso_lp *lp, const struct iso_simplex_basis *basis,
                                  struct iso_error *reterr);

/* After OPTIMAL: x_j (0 for inactive columns), multipliers of the rows, and the objective. */
void iso_lp_values(const struct iso_lp *lp, double *ret_x);
double iso_lp_value(const struct iso_lp *lp, int32_t column);
void iso_lp_duals(const struct iso_lp *lp, double *ret_duals);
double iso_lp_objective(const struct iso_lp *lp);

/* objective[j] - sum_i duals[i] coefficient_ij. */
double iso_reduced_cost(const struct iso_mip *mip, const double *duals, int32_t column);

#endif

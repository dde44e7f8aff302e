/* A linear program that grows: rows and columns are appended to its mip and taken in, bounds
 * change, and simplex goes on from the basis at hand. All columns are in; for programs whose
 * columns come and go there is glpk_lp.h. One thread. */
#ifndef ISOCOST_GLPK_PROGRAM_H
#define ISOCOST_GLPK_PROGRAM_H

#include "glpk_lp.h"

struct iso_program;

/* Loads all rows and columns. `mip` is borrowed for the life of the object.
 * Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_program_new(const struct iso_mip *mip, struct iso_program **ret_program,
                                struct iso_error *reterr);
void iso_program_free(struct iso_program *program);
ISO_DEFINE_FREEP(iso_program)

/* Takes in the rows and columns that were appended to the mip since. Errors: ISO_E_NOMEM. */
enum iso_status iso_program_grow(struct iso_program *program, struct iso_error *reterr);

enum iso_status iso_program_bound_row(struct iso_program *program, int32_t row, double lower,
                                      double upper, struct iso_error *reterr);
enum iso_status iso_program_bound_column(struct iso_program *program, int32_t column, double lower,
                                         double upper, struct iso_error *reterr);

/* Takes over mip->objective again. */
enum iso_status iso_program_reload_objective(struct iso_program *program, struct iso_error *reterr);

/* Simplex from the basis at hand: primal when columns came in or costs changed, otherwise dual.
 * The control is asked between slices of iterations; their number is added to *io_iterations.
 * Errors: ISO_E_BACKEND. */
enum iso_status iso_program_solve(struct iso_program *program, const struct iso_control *control,
                                  int64_t *io_iterations, enum iso_lp_outcome *ret_outcome,
                                  struct iso_error *reterr);

/* After OPTIMAL: a value for each column, a multiplier for each row, and the objective. */
void iso_program_values(const struct iso_program *program, double *ret_x);
void iso_program_duals(const struct iso_program *program, double *ret_duals);
double iso_program_objective(const struct iso_program *program);

#endif

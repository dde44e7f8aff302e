#include "glpk_program.h"

#include <glpk.h>
#include <math.h>

#include "glpk_guard.h"

#define SLICE_ITERATIONS 500 /* between two looks at the control; shorter slices cost time */

struct iso_program {
    const struct iso_mip *mip;
    glp_prob *prob;
    unsigned generation;
    int *rows; /* scratch for one column */
    double *coefficients;
    bool fresh;  /* not solved since it was made */
    bool primal; /* the basis is primal feasible, but perhaps not dual */
};

static void load_columns(struct iso_program *program)
{
    const struct iso_mip *mip = program->mip;
    int known = glp_get_num_cols(program->prob);

    if (mip->n_columns > known)
        glp_add_cols(program->prob, mip->n_columns - known);
    for (int32_t j = known; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        for (int32_t k = 0; k < column->n_entries; k++) {
            program->rows[k + 1] = mip->entries[column->first_entry + k].row + 1;
            program->coefficients[k + 1] = mip->entries[column->first_entry + k].coefficient;
        }
        glp_set_mat_col(program->prob, j + 1, column->n_entries, program->rows,
                        program->coefficients);
        glp_set_col_bnds(program->prob, j + 1, iso_glpk_bound_type(column->lower, column->upper),
                         column->lower, column->upper);
        glp_set_obj_coef(program->prob, j + 1, mip->objective[j]);
        program->primal = true;
    }
}

static enum iso_status load(struct iso_program *program, struct iso_error *reterr)
{
    const struct iso_mip *mip = program->mip;

    ISO_GLPK_GUARD(reterr);
    if (!program->prob) {
        program->generation = iso_glpk_generation();
        program->prob = glp_create_prob();
        glp_set_obj_dir(program->prob, GLP_MIN);
    }
    int known = glp_get_num_rows(program->prob);
    if (mip->n_rows > known)
        glp_add_rows(program->prob, mip->n_rows - known);
    for (int32_t i = known; i < mip->n_rows; i++)
        glp_set_row_bnds(program->prob, i + 1,
                         iso_glpk_bound_type(mip->rows[i].lower, mip->rows[i].upper),
                         mip->rows[i].lower, mip->rows[i].upper);
    load_columns(program);
    return ISO_OK;
}

enum iso_status iso_program_grow(struct iso_program *program, struct iso_error *reterr)
{
    size_t room = (size_t)program->mip->n_rows + 1;
    int *rows = iso_realloc(program->rows, room, sizeof(*rows));
    program->rows = rows ? rows : program->rows;
    double *coefficients = iso_realloc(program->coefficients, room, sizeof(*coefficients));
    program->coefficients = coefficients ? coefficients : program->coefficients;

    if (!rows || !coefficients)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a linear program");
    return load(program, reterr);
}

enum iso_status iso_program_new(const struct iso_mip *mip, struct iso_program **ret_program,
                                struct iso_error *reterr)
{
    ISO_AUTO(iso_program) program = iso_calloc(1, sizeof(*program));

    if (!program)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a linear program");
    program->mip = mip;
    program->fresh = true;
    ISO_TRY(iso_program_grow(program, reterr));
    *ret_program = ISO_STEAL(program);
    return ISO_OK;
}

void iso_program_free(struct iso_program *program)
{
    if (!program)
        return;
    if (program->prob && program->generation == iso_glpk_generation())
        glp_delete_prob(program->prob);
    free(program->rows);
    free(program->coefficients);
    free(program);
}

enum iso_status iso_program_bound_row(struct iso_program *program, int32_t row, double lower,
                                      double upper, struct iso_error *reterr)
{
    ISO_GLPK_GUARD(reterr);
    glp_set_row_bnds(program->prob, row + 1, iso_glpk_bound_type(lower, upper), lower, upper);
    return ISO_OK;
}

enum iso_status iso_program_bound_column(struct iso_program *program, int32_t column, double lower,
                                         double upper, struct iso_error *reterr)
{
    ISO_GLPK_GUARD(reterr);
    glp_set_col_bnds(program->prob, column + 1, iso_glpk_bound_type(lower, upper), lower, upper);
    return ISO_OK;
}

enum iso_status iso_program_reload_objective(struct iso_program *program, struct iso_error *reterr)
{
    ISO_GLPK_GUARD(reterr);
    for (int32_t j = 0; j < program->mip->n_columns; j++)
        glp_set_obj_coef(program->prob, j + 1, program->mip->objective[j]);
    program->primal = true;
    return ISO_OK;
}

/* One run with the given method until done or stopped; false when it is stuck. */
static bool run(struct iso_program *program, int method, const struct iso_control *control,
                int64_t *io_iterations, enum iso_lp_outcome *ret_outcome)
{
    glp_smcp parameters;

    glp_init_smcp(&parameters);
    parameters.msg_lev = GLP_MSG_OFF;
    parameters.meth = method;
    parameters.it_lim = SLICE_ITERATIONS;
    for (;;) {
        int before = glp_get_it_cnt(program->prob);
        int status = glp_simplex(program->prob, &parameters);
        *io_iterations += glp_get_it_cnt(program->prob) - before;
        if (status == GLP_EITLIM) {
            if (control->stop && control->stop(control->context)) {
                *ret_outcome = ISO_LP_STOPPED;
                return true;
            }
            continue;
        }
        int solution = status == 0 ? glp_get_status(program->prob) : GLP_UNDEF;
        *ret_outcome = solution == GLP_OPT     ? ISO_LP_OPTIMAL
                       : solution == GLP_UNBND ? ISO_LP_UNBOUNDED
                                               : ISO_LP_INFEASIBLE;
        return solution == GLP_OPT || solution == GLP_NOFEAS || solution == GLP_UNBND;
    }
}

enum iso_status iso_program_solve(struct iso_program *program, const struct iso_control *control,
                                  int64_t *io_iterations, enum iso_lp_outcome *ret_outcome,
                                  struct iso_error *reterr)
{
    ISO_GLPK_GUARD(reterr);
    if (program->fresh) {
        glp_scale_prob(program->prob, GLP_SF_AUTO);
        glp_adv_basis(program->prob, 0);
    }
    int method = program->primal && !program->fresh ? GLP_PRIMAL : GLP_DUALP;
    program->fresh = program->primal = false;
    if (run(program, method, control, io_iterations, ret_outcome))
        return ISO_OK;
    glp_std_basis(program->prob);
    if (run(program, GLP_PRIMAL, control, io_iterations, ret_outcome))
        return ISO_OK;
    return iso_fail(reterr, ISO_E_BACKEND, "", "GLPK's simplex ended without a status");
}

void iso_program_values(const struct iso_program *program, double *ret_x)
{
    for (int32_t j = 0; j < program->mip->n_columns; j++)
        ret_x[j] = glp_get_col_prim(program->prob, j + 1);
}

void iso_program_duals(const struct iso_program *program, double *ret_duals)
{
    for (int32_t i = 0; i < program->mip->n_rows; i++)
        ret_duals[i] = glp_get_row_dual(program->prob, i + 1);
}

double iso_program_objective(const struct iso_program *program)
{
    return glp_get_obj_val(program->prob);
}

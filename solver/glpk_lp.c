#include "glpk_lp.h"

#include <glpk.h>
#include <math.h>

#include "glpk_guard.h"

#define SLICE_ITERATIONS 500 /* between two looks at the control; shorter slices cost time */

struct iso_lp {
    const struct iso_mip *mip;
    glp_prob *prob;
    unsigned generation;
    int32_t n_places, room;
    int32_t *place;     /* [mip column]: GLPK's column, 0 = inactive */
    int32_t *column_of; /* [GLPK column] */
    int *rows;          /* scratch for one column */
    double *coefficients;
    bool fresh; /* not solved since it was made */
    bool grown; /* has new columns since the last solve: its basis is primal feasible */
};

static void load_column(struct iso_lp *lp, int32_t j)
{
    const struct iso_mip_column *column = &lp->mip->columns[j];
    int at = glp_add_cols(lp->prob, 1);

    for (int32_t k = 0; k < column->n_entries; k++) {
        const struct iso_mip_entry *entry = &lp->mip->entries[column->first_entry + k];
        lp->rows[k + 1] = entry->row + 1;
        lp->coefficients[k + 1] = entry->coefficient;
    }
    glp_set_mat_col(lp->prob, at, column->n_entries, lp->rows, lp->coefficients);
    glp_set_col_bnds(lp->prob, at, iso_glpk_bound_type(column->lower, column->upper), column->lower,
                     column->upper);
    glp_set_obj_coef(lp->prob, at, lp->mip->objective[j]);
    lp->place[j] = at;
    lp->column_of[at] = j;
    lp->n_places = at;
}

static enum iso_status load(struct iso_lp *lp, const uint8_t *active, struct iso_error *reterr)
{
    ISO_GLPK_GUARD(reterr);
    lp->generation = iso_glpk_generation();
    lp->prob = glp_create_prob();
    glp_set_obj_dir(lp->prob, GLP_MIN);
    if (lp->mip->n_rows > 0)
        glp_add_rows(lp->prob, lp->mip->n_rows);
    for (int32_t i = 0; i < lp->mip->n_rows; i++) {
        const struct iso_mip_row *row = &lp->mip->rows[i];
        glp_set_row_bnds(lp->prob, i + 1, iso_glpk_bound_type(row->lower, row->upper), row->lower,
                         row->upper);
    }
    for (int32_t j = 0; j < lp->mip->n_columns; j++)
        if (!active || active[j])
            load_column(lp, j);
    lp->fresh = true;
    return ISO_OK;
}

enum iso_status iso_lp_new(const struct iso_mip *mip, const uint8_t *active, struct iso_lp **ret_lp,
                           struct iso_error *reterr)
{
    ISO_AUTO(iso_lp) lp = iso_calloc(1, sizeof(*lp));
    size_t n_columns = (size_t)mip->n_columns, n_rows = (size_t)mip->n_rows;

    if (!lp)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a linear program");
    lp->mip = mip;
    lp->place = iso_calloc(n_columns, sizeof(*lp->place));
    lp->column_of = iso_calloc(n_columns + 1, sizeof(*lp->column_of));
    lp->rows = iso_calloc(n_rows + 1, sizeof(*lp->rows));
    lp->coefficients = iso_calloc(n_rows + 1, sizeof(*lp->coefficients));
    lp->generation = iso_glpk_generation();
    if (!lp->place || !lp->column_of || !lp->rows || !lp->coefficients)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a linear program");
    ISO_TRY(load(lp, active, reterr));
    *ret_lp = ISO_STEAL(lp);
    return ISO_OK;
}

void iso_lp_free(struct iso_lp *lp)
{
    if (!lp)
        return;
    if (lp->prob && lp->generation == iso_glpk_generation())
        glp_delete_prob(lp->prob);
    free(lp->place);
    free(lp->column_of);
    free(lp->rows);
    free(lp->coefficients);
    free(lp);
}

bool iso_lp_has_column(const struct iso_lp *lp, int32_t column)
{
    return lp->place[column] != 0;
}

enum iso_status iso_lp_add_column(struct iso_lp *lp, int32_t column, struct iso_error *reterr)
{
    ISO_GLPK_GUARD(reterr);
    if (lp->place[column] == 0) {
        load_column(lp, column);
        lp->grown = true;
    }
    return ISO_OK;
}

enum iso_status iso_lp_set_bounds(struct iso_lp *lp, int32_t column, double lower, double upper,
                                  struct iso_error *reterr)
{
    ISO_GLPK_GUARD(reterr);
    if (lp->place[column] != 0)
        glp_set_col_bnds(lp->prob, lp->place[column], iso_glpk_bound_type(lower, upper), lower,
                         upper);
    return ISO_OK;
}

enum iso_status iso_lp_reload_objective(struct iso_lp *lp, struct iso_error *reterr)
{
    ISO_GLPK_GUARD(reterr);
    for (int32_t at = 1; at <= lp->n_places; at++)
        glp_set_obj_coef(lp->prob, at, lp->mip->objective[lp->column_of[at]]);
    return ISO_OK;
}

static enum iso_lp_outcome outcome_of(glp_prob *prob)
{
    switch (glp_get_status(prob)) {
    case GLP_OPT:
        return ISO_LP_OPTIMAL;
    case GLP_UNBND:
        return ISO_LP_UNBOUNDED;
    default:
        return ISO_LP_INFEASIBLE;
    }
}

/* One run with the given method until done, stopped or stuck (false). */
static bool run(struct iso_lp *lp, int method, const struct iso_control *control,
                int64_t *io_iterations, enum iso_lp_outcome *ret_outcome)
{
    glp_smcp parameters;

    glp_init_smcp(&parameters);
    parameters.msg_lev = GLP_MSG_OFF;
    parameters.meth = method;
    parameters.presolve = GLP_OFF;
    parameters.it_lim = SLICE_ITERATIONS;
    for (;;) {
        int before = glp_get_it_cnt(lp->prob);
        int status = glp_simplex(lp->prob, &parameters);
        *io_iterations += glp_get_it_cnt(lp->prob) - before;
        if (status == GLP_EITLIM) {
            if (control->stop && control->stop(control->context)) {
                *ret_outcome = ISO_LP_STOPPED;
                return true;
            }
            continue;
        }
        if (status != 0)
            return false;
        *ret_outcome = outcome_of(lp->prob);
        return glp_get_status(lp->prob) == GLP_OPT || glp_get_status(lp->prob) == GLP_NOFEAS ||
               glp_get_status(lp->prob) == GLP_UNBND;
    }
}

enum iso_status iso_lp_solve(struct iso_lp *lp, const struct iso_control *control,
                             int64_t *io_iterations, enum iso_lp_outcome *ret_outcome,
                             struct iso_error *reterr)
{
    ISO_GLPK_GUARD(reterr);
    if (lp->mip->n_rows == 0 || lp->n_places == 0) { /* GLPK refuses empty programs */
        bool feasible = true;
        for (int32_t i = 0; i < lp->mip->n_rows; i++)
            feasible &= lp->mip->rows[i].lower <= 0 && lp->mip->rows[i].upper >= 0;
        *ret_outcome = feasible ? ISO_LP_OPTIMAL : ISO_LP_INFEASIBLE;
        return ISO_OK;
    }
    if (lp->fresh) {
        glp_scale_prob(lp->prob, GLP_SF_AUTO);
        glp_adv_basis(lp->prob, 0);
    }
    int method = lp->grown && !lp->fresh ? GLP_PRIMAL : GLP_DUALP;
    lp->fresh = lp->grown = false;
    if (run(lp, method, control, io_iterations, ret_outcome))
        return ISO_OK;
    glp_std_basis(lp->prob);
    if (run(lp, GLP_PRIMAL, control, io_iterations, ret_outcome))
        return ISO_OK;
    return iso_fail(reterr, ISO_E_BACKEND, "", "GLPK's simplex ended without a status");
}

void iso_lp_values(const struct iso_lp *lp, double *ret_x)
{
    for (int32_t j = 0; j < lp->mip->n_columns; j++)
        ret_x[j] = lp->place[j] ? glp_get_col_prim(lp->prob, lp->place[j]) : 0;
}

void iso_lp_duals(const struct iso_lp *lp, double *ret_duals)
{
    for (int32_t i = 0; i < lp->mip->n_rows; i++)
        ret_duals[i] = lp->n_places ? glp_get_row_dual(lp->prob, i + 1) : 0;
}

double iso_lp_objective(const struct iso_lp *lp)
{
    return lp->n_places ? glp_get_obj_val(lp->prob) : 0;
}

double iso_reduced_cost(const struct iso_mip *mip, const double *duals, int32_t column)
{
    const struct iso_mip_column *c = &mip->columns[column];
    double cost = mip->objective[column];

    for (int32_t k = 0; k < c->n_entries; k++)
        cost -= duals[mip->entries[c->first_entry + k].row] *
                mip->entries[c->first_entry + k].coefficient;
    return cost;
}

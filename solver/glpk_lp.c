#include <glpk.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "glpk_guard.h"
#include "glpk_lp_state.h"

#define EAGER_ROWS 500          /* programs up to this size are loaded with every row */
#define FOREIGN_ITERATIONS 2000 /* from a basis of another program, and two for each row */
#define PRECISE 1e-9            /* in place of GLPK's 1e-7 */
#define SLICE_ITERATIONS 500    /* between two looks at the control; shorter slices cost time */

static enum iso_status load(struct iso_lp *lp, const uint8_t *active, struct iso_error *reterr)
{
    ISO_GLPK_GUARD(reterr);
    bool ok = true;

    lp->generation = iso_glpk_generation();
    lp->prob = glp_create_prob();
    glp_set_obj_dir(lp->prob, GLP_MIN);
    for (int32_t i = 0; i < lp->mip->n_rows; i++)
        if ((lp->mip->rows[i].lower > 0 || lp->mip->rows[i].upper < 0) &&
            !iso_lp_row_waits(lp, i) && iso_lp_row_counts(lp, i))
            iso_lp_load_row(lp, i);
    for (int32_t j = 0; j < lp->mip->n_columns; j++)
        if (!active || active[j])
            ok = ok && iso_lp_load_column(lp, j);
    if (!ok)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a linear program");
    if (glp_get_num_rows(lp->prob) == 0 && lp->mip->n_rows > 0) {
        iso_lp_load_row(lp, 0); /* GLPK refuses programs without rows */
        lp->young[0] = 1;
        lp->any_young = true;
    }
    lp->fresh = true;
    return ISO_OK;
}

static enum iso_status make(const struct iso_mip *mip, const uint8_t *active, int32_t period,
                            struct iso_lp **ret_lp, struct iso_error *reterr)
{
    ISO_AUTO(iso_lp) lp = iso_calloc(1, sizeof(*lp));

    if (!lp)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a linear program");
    lp->mip = mip;
    lp->period = period;
    lp->patient = mip->n_rows > EAGER_ROWS;
    lp->generation = iso_glpk_generation();
    ISO_TRY(iso_lp_make_room(lp, reterr));
    iso_lp_find_partners(lp, 0);
    ISO_TRY(load(lp, active, reterr));
    *ret_lp = ISO_STEAL(lp);
    return ISO_OK;
}

enum iso_status iso_lp_new(const struct iso_mip *mip, const uint8_t *active, struct iso_lp **ret_lp,
                           struct iso_error *reterr)
{
    return make(mip, active, -1, ret_lp, reterr);
}

enum iso_status iso_lp_new_period(const struct iso_mip *mip, int32_t period, struct iso_lp **ret_lp,
                                  struct iso_error *reterr)
{
    ISO_AUTO_MEM uint8_t *active = iso_calloc((size_t)mip->n_columns, 1);

    return active ? make(mip, active, period, ret_lp, reterr)
                  : iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a linear program");
}

void iso_lp_free(struct iso_lp *lp)
{
    if (!lp)
        return;
    if (lp->prob && lp->generation == iso_glpk_generation())
        glp_delete_prob(lp->prob);
    void *const arrays[] = {lp->place,        lp->places,     lp->row_place,       lp->young,
                            lp->partner,      lp->dissolved,  lp->instances,       lp->sum,
                            lp->rows,         lp->bundles,    lp->parts,           lp->coefficients,
                            lp->purchase_row, lp->artificial, lp->artificial_costs};
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
    free(lp);
}

bool iso_lp_has_column(const struct iso_lp *lp, int32_t column)
{
    return lp->place[column] != 0;
}

bool iso_lp_is_whole(const struct iso_lp *lp)
{
    return lp->n_places - lp->n_artificials - lp->n_bundles == lp->mip->n_columns;
}

enum iso_status iso_lp_add_column(struct iso_lp *lp, int32_t column, struct iso_error *reterr)
{
    ISO_GLPK_GUARD(reterr);
    if (lp->place[column] != 0)
        return ISO_OK;
    lp->grown = true;
    return iso_lp_load_column(lp, column)
               ? ISO_OK
               : iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a linear program");
}

bool iso_lp_add_artificial(struct iso_lp *lp, int32_t i)
{
    const struct iso_mip_row *row = &lp->mip->rows[i];
    double side = row->lower > 0 ? row->lower : row->upper;
    int rows[] = {0, lp->row_place[i]};
    double coefficients[] = {0, side};

    if (rows[1] == 0 || (row->lower <= 0 && row->upper >= 0) || lp->artificial[i] != 0)
        return true;
    int at = glp_add_cols(lp->prob, 1);
    glp_set_mat_col(lp->prob, at, 1, rows, coefficients);
    glp_set_col_bnds(lp->prob, at, GLP_LO, 0, 0);
    glp_set_obj_coef(lp->prob, at, lp->artificial_costs[i] * fabs(side));
    lp->artificial[i] = at;
    lp->n_artificials++;
    return iso_lp_take_place(lp, ISO_PLACE_ARTIFICIAL, i);
}

enum iso_status iso_lp_price_artificials(struct iso_lp *lp, const double *costs,
                                         struct iso_error *reterr)
{
    ISO_GLPK_GUARD(reterr);
    size_t n_rows = (size_t)lp->mip->n_rows;

    free(lp->artificial_costs);
    lp->artificial_costs = costs ? iso_calloc(n_rows, sizeof(*costs)) : NULL;
    if (costs && !lp->artificial_costs)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a linear program");
    for (int32_t i = 0; i < lp->mip->n_rows; i++) {
        const struct iso_mip_row *row = &lp->mip->rows[i];
        double side = row->lower > 0 ? row->lower : -row->upper;
        int at = lp->artificial[i];
        if (costs && side > 0)
            lp->artificial_costs[i] = costs[i];
        if (at != 0) {
            glp_set_col_bnds(lp->prob, at, costs ? GLP_LO : GLP_FX, 0, 0);
            glp_set_obj_coef(lp->prob, at, costs ? costs[i] * side : 0);
        } else if (costs && !iso_lp_add_artificial(lp, i)) {
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a linear program");
        }
    }
    lp->grown = true;
    return ISO_OK;
}

double iso_lp_artificial(const struct iso_lp *lp, int32_t row)
{
    return lp->artificial[row] == 0 ? 0 : glp_get_col_prim(lp->prob, lp->artificial[row]);
}

double iso_lp_artificial_sum(const struct iso_lp *lp)
{
    double sum = 0;

    for (int32_t i = 0; i < lp->n_rows; i++)
        sum += iso_lp_artificial(lp, i);
    return sum;
}

enum iso_status iso_lp_add_all(struct iso_lp *lp, int32_t *io_n_new, struct iso_error *reterr)
{
    for (int32_t j = 0; j < lp->mip->n_columns; j++)
        if (!iso_lp_has_column(lp, j)) {
            ISO_TRY(iso_lp_add_column(lp, j, reterr));
            ++*io_n_new;
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
        if (lp->places[at].kind != ISO_PLACE_ARTIFICIAL)
            glp_set_obj_coef(lp->prob, at, iso_lp_place_objective(lp, lp->places[at]));
    return ISO_OK;
}

void iso_lp_be_precise(struct iso_lp *lp)
{
    lp->precise = true;
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

/* One run with the given method until done, stopped or stuck (false). GLPK may go round in circles
 * from a basis of another program. */
static bool run(struct iso_lp *lp, int method, const struct iso_control *control,
                int64_t *io_iterations, enum iso_lp_outcome *ret_outcome)
{
    int first = glp_get_it_cnt(lp->prob);
    int most = lp->foreign ? FOREIGN_ITERATIONS + 2 * glp_get_num_rows(lp->prob) : INT_MAX;

    glp_smcp parameters;

    glp_init_smcp(&parameters);
    parameters.msg_lev = GLP_MSG_OFF;
    parameters.meth = method;
    parameters.presolve = GLP_OFF;
    parameters.it_lim = SLICE_ITERATIONS;
    if (lp->precise)
        parameters.tol_bnd = PRECISE;
    for (;;) {
        int before = glp_get_it_cnt(lp->prob);
        int status = glp_simplex(lp->prob, &parameters);
        *io_iterations += glp_get_it_cnt(lp->prob) - before;
        if (status == GLP_EITLIM) {
            if (control->stop && control->stop(control->context)) {
                *ret_outcome = ISO_LP_STOPPED;
                return true;
            }
            if (glp_get_it_cnt(lp->prob) - first < most)
                continue;
            return false;
        }
        if (status != 0)
            return false;
        *ret_outcome = outcome_of(lp->prob);
        return glp_get_status(lp->prob) == GLP_OPT || glp_get_status(lp->prob) == GLP_NOFEAS ||
               glp_get_status(lp->prob) == GLP_UNBND;
    }
}

/* Simplex over the rows that are loaded. */
static enum iso_status solve_loaded(struct iso_lp *lp, const struct iso_control *control,
                                    int64_t *io_iterations, enum iso_lp_outcome *ret_outcome,
                                    struct iso_error *reterr)
{
    iso_lp_complete_rows(lp);
    if (lp->fresh) {
        glp_scale_prob(lp->prob, GLP_SF_AUTO);
        glp_adv_basis(lp->prob, 0);
    }
    int method = lp->grown && !lp->fresh ? GLP_PRIMAL : GLP_DUALP;
    lp->fresh = lp->grown = false;
    bool done = run(lp, method, control, io_iterations, ret_outcome);
    lp->foreign = false;
    if (done)
        return ISO_OK;
    glp_std_basis(lp->prob);
    if (run(lp, GLP_PRIMAL, control, io_iterations, ret_outcome))
        return ISO_OK;
    if (lp->precise) {
        *ret_outcome = ISO_LP_STOPPED;
        return ISO_OK;
    }
    return iso_fail(reterr, ISO_E_BACKEND, "", "GLPK's simplex ended without a status");
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
    for (;;) {
        ISO_TRY(solve_loaded(lp, control, io_iterations, ret_outcome, reterr));
        if (!lp->patient || *ret_outcome == ISO_LP_INFEASIBLE || *ret_outcome == ISO_LP_STOPPED)
            return ISO_OK;
        int32_t n = iso_lp_load_broken(lp, *ret_outcome == ISO_LP_UNBOUNDED);
        if (n < 0)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a linear program");
        if (n == 0)
            return ISO_OK;
    }
}

void iso_lp_values(const struct iso_lp *lp, double *ret_x)
{
    for (int32_t j = 0; j < lp->mip->n_columns; j++)
        ret_x[j] = lp->place[j] ? glp_get_col_prim(lp->prob, lp->place[j]) : 0;
    for (int32_t b = 0; b < lp->n_bundles; b++) {
        const struct iso_lp_bundle *bundle = &lp->bundles[b];
        double value = glp_get_col_prim(lp->prob, bundle->place);
        for (int32_t k = 0; k < bundle->n_parts && value != 0; k++)
            ret_x[lp->parts[bundle->first_part + k].column] +=
                value * lp->parts[bundle->first_part + k].multiple;
    }
    for (int32_t j = 0; j < lp->mip->n_columns; j++)
        if (lp->partner[j] >= 0)
            ret_x[lp->partner[j]] += ret_x[j];
}

double iso_lp_value(const struct iso_lp *lp, int32_t column)
{
    return lp->place[column] ? glp_get_col_prim(lp->prob, lp->place[column]) : 0;
}

void iso_lp_duals(const struct iso_lp *lp, double *ret_duals)
{
    for (int32_t i = 0; i < lp->mip->n_rows; i++)
        ret_duals[i] = lp->n_places && lp->row_place[i] != 0
                           ? glp_get_row_dual(lp->prob, lp->row_place[i])
                           : 0;
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

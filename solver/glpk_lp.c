#include "glpk_lp.h"

#include <glpk.h>
#include <math.h>
#include <string.h>

#include "glpk_guard.h"

#define SLICE_ITERATIONS 500 /* between two looks at the control; shorter slices cost time */

struct iso_lp {
    const struct iso_mip *mip;
    glp_prob *prob;
    unsigned generation;
    int32_t n_places;
    int32_t n_columns;  /* of the mip, as last seen */
    int32_t *place;     /* [mip column]: GLPK's column, 0 = inactive */
    int32_t *column_of; /* [GLPK column]: mip column; -1 - row for an artificial one */
    int32_t n_artificials, first_artificial; /* GLPK's columns, one after the other */
    int32_t *row_place;                      /* [mip row]: GLPK's row, 0 = not loaded */
    uint8_t *young;     /* [mip row]: loaded after columns that have an entry in it */
    int32_t *partner;   /* [mip column]: the instances that a coverage column covers, or -1 */
    uint8_t *dissolved; /* [mip row]: a cover link that partners make superfluous */
    double *sum;        /* [mip row]: scratch, 0 in between */
    bool any_young;
    int *rows; /* scratch for one column */
    double *coefficients;
    bool fresh; /* not solved since it was made */
    bool grown; /* has new columns since the last solve: its basis is primal feasible */
};

static void load_row(struct iso_lp *lp, int32_t i)
{
    const struct iso_mip_row *row = &lp->mip->rows[i];
    int at = glp_add_rows(lp->prob, 1);

    glp_set_row_bnds(lp->prob, at, iso_glpk_bound_type(row->lower, row->upper), row->lower,
                     row->upper);
    lp->row_place[i] = at;
}

/* Coverage of instances that one column counts stands for "covered instances": the entries of both
 * columns together. What the instances' own column then counts are those that are paid, so the link
 * between both falls away. */
static void find_partners(struct iso_lp *lp, int32_t *instances)
{
    const struct iso_mip *mip = lp->mip;

    for (int32_t i = 0; i < mip->n_rows; i++)
        instances[i] = -1;
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        lp->partner[j] = -1;
        for (int32_t k = 0; k < column->n_entries && iso_column_runs(column); k++) {
            int32_t row = mip->entries[column->first_entry + k].row;
            if (mip->rows[row].kind == ISO_ROW_LINK_COVER)
                instances[row] = column->kind == ISO_COLUMN_USE ? j : -2;
        }
    }
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        for (int32_t k = 0; k < column->n_entries && column->kind == ISO_COLUMN_COVER; k++) {
            int32_t row = mip->entries[column->first_entry + k].row;
            if (mip->rows[row].kind != ISO_ROW_LINK_COVER || instances[row] < 0)
                continue;
            lp->partner[j] = instances[row];
            lp->dissolved[row] = 1;
        }
    }
}

/* Whether a column that is at least 0 can break a row that holds at 0. */
static bool can_break(const struct iso_mip_column *column, const struct iso_mip_entry *entry,
                      const struct iso_mip_row *row)
{
    return column->lower < 0 || (entry->coefficient > 0 ? !isinf(row->upper) : !isinf(row->lower));
}

/* Adds the entries of a column to the scratch list; gives the new length. */
static int gather(struct iso_lp *lp, int32_t j, int n)
{
    const struct iso_mip_column *column = &lp->mip->columns[j];

    for (int32_t k = 0; k < column->n_entries; k++) {
        const struct iso_mip_entry *entry = &lp->mip->entries[column->first_entry + k];
        if (lp->row_place[entry->row] == 0)
            continue;
        if (lp->sum[entry->row] == 0)
            lp->rows[++n] = entry->row;
        lp->sum[entry->row] += entry->coefficient;
    }
    return n;
}

/* Hands GLPK the entries of an active column in loaded rows. */
static void set_entries(struct iso_lp *lp, int32_t j)
{
    int n = gather(lp, j, 0), n_set = 0;

    if (lp->partner[j] >= 0)
        n = gather(lp, lp->partner[j], n);
    for (int k = 1; k <= n; k++) {
        int32_t row = lp->rows[k];
        double coefficient = lp->sum[row];
        lp->sum[row] = 0;
        if (coefficient == 0) /* twice in the list, or nothing left */
            continue;
        lp->rows[++n_set] = lp->row_place[row];
        lp->coefficients[n_set] = coefficient;
    }
    glp_set_mat_col(lp->prob, lp->place[j], n_set, lp->rows, lp->coefficients);
}

static void load_rows_of(struct iso_lp *lp, int32_t j)
{
    const struct iso_mip_column *column = &lp->mip->columns[j];

    for (int32_t k = 0; k < column->n_entries; k++) {
        const struct iso_mip_entry *entry = &lp->mip->entries[column->first_entry + k];
        if (lp->row_place[entry->row] != 0 || lp->dissolved[entry->row] ||
            !can_break(column, entry, &lp->mip->rows[entry->row]))
            continue;
        load_row(lp, entry->row);
        lp->young[entry->row] = 1;
        lp->any_young = true;
    }
}

static double objective_of(const struct iso_lp *lp, int32_t j)
{
    return lp->mip->objective[j] + (lp->partner[j] >= 0 ? lp->mip->objective[lp->partner[j]] : 0);
}

static void load_column(struct iso_lp *lp, int32_t j)
{
    const struct iso_mip_column *column = &lp->mip->columns[j];
    int at = glp_add_cols(lp->prob, 1);

    load_rows_of(lp, j);
    if (lp->partner[j] >= 0)
        load_rows_of(lp, lp->partner[j]);
    lp->place[j] = at;
    lp->column_of[at] = j;
    lp->n_places = at;
    set_entries(lp, j);
    glp_set_col_bnds(lp->prob, at, iso_glpk_bound_type(column->lower, column->upper), column->lower,
                     column->upper);
    glp_set_obj_coef(lp->prob, at, objective_of(lp, j));
}

static bool has_young_entry(const struct iso_lp *lp, int32_t j)
{
    const struct iso_mip_column *column = &lp->mip->columns[j];

    for (int32_t k = 0; k < column->n_entries; k++)
        if (lp->young[lp->mip->entries[column->first_entry + k].row])
            return true;
    return false;
}

/* Completes rows that came after columns of theirs. */
static void complete_rows(struct iso_lp *lp)
{
    const struct iso_mip *mip = lp->mip;

    for (int32_t at = 1; at <= lp->n_places && lp->any_young; at++) {
        if (lp->column_of[at] < 0)
            continue;
        int32_t j = lp->column_of[at];
        if (has_young_entry(lp, j) || (lp->partner[j] >= 0 && has_young_entry(lp, lp->partner[j])))
            set_entries(lp, j);
    }
    if (lp->any_young)
        memset(lp->young, 0, (size_t)mip->n_rows);
    lp->any_young = false;
}

static enum iso_status load(struct iso_lp *lp, const uint8_t *active, struct iso_error *reterr)
{
    ISO_GLPK_GUARD(reterr);
    lp->generation = iso_glpk_generation();
    lp->prob = glp_create_prob();
    glp_set_obj_dir(lp->prob, GLP_MIN);
    for (int32_t i = 0; i < lp->mip->n_rows; i++)
        if (lp->mip->rows[i].lower > 0 || lp->mip->rows[i].upper < 0)
            load_row(lp, i);
    for (int32_t j = 0; j < lp->mip->n_columns; j++)
        if (!active || active[j])
            load_column(lp, j);
    if (glp_get_num_rows(lp->prob) == 0 && lp->mip->n_rows > 0) {
        load_row(lp, 0); /* GLPK refuses programs without rows */
        lp->young[0] = 1;
        lp->any_young = true;
    }
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
    lp->n_columns = mip->n_columns;
    lp->place = iso_calloc(n_columns, sizeof(*lp->place));
    lp->column_of = iso_calloc(n_columns + n_rows + 1, sizeof(*lp->column_of));
    lp->row_place = iso_calloc(n_rows, sizeof(*lp->row_place));
    lp->young = iso_calloc(n_rows, 1);
    lp->partner = iso_calloc(n_columns, sizeof(*lp->partner));
    lp->dissolved = iso_calloc(n_rows, 1);
    lp->sum = iso_calloc(n_rows, sizeof(*lp->sum));
    ISO_AUTO_MEM int32_t *instances = iso_calloc(n_rows, sizeof(*instances));
    lp->rows = iso_calloc(2 * n_rows + 2, sizeof(*lp->rows));
    lp->coefficients = iso_calloc(n_rows + 1, sizeof(*lp->coefficients));
    lp->generation = iso_glpk_generation();
    if (!lp->place || !lp->column_of || !lp->row_place || !lp->young || !lp->rows ||
        !lp->coefficients || !lp->partner || !lp->dissolved || !lp->sum || !instances)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a linear program");
    find_partners(lp, instances);
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
    free(lp->row_place);
    free(lp->young);
    free(lp->partner);
    free(lp->dissolved);
    free(lp->sum);
    free(lp->rows);
    free(lp->coefficients);
    free(lp);
}

bool iso_lp_has_column(const struct iso_lp *lp, int32_t column)
{
    return lp->place[column] != 0;
}

enum iso_status iso_lp_grow(struct iso_lp *lp, struct iso_error *reterr)
{
    int32_t n = lp->mip->n_columns;
    int32_t *place = iso_realloc(lp->place, (size_t)n, sizeof(*place));
    if (place)
        lp->place = place;
    int32_t *column_of =
        iso_realloc(lp->column_of, (size_t)n + (size_t)lp->mip->n_rows + 1, sizeof(*column_of));
    if (column_of)
        lp->column_of = column_of;
    int32_t *partner = iso_realloc(lp->partner, (size_t)n, sizeof(*partner));
    if (partner)
        lp->partner = partner;
    if (!place || !column_of || !partner)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a linear program");
    for (int32_t j = lp->n_columns; j < n; j++) {
        lp->place[j] = 0;
        lp->partner[j] = -1;
    }
    lp->n_columns = n;
    return ISO_OK;
}

bool iso_lp_is_whole(const struct iso_lp *lp)
{
    return lp->n_places - lp->n_artificials == lp->mip->n_columns;
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

static void add_artificial(struct iso_lp *lp, int32_t i, double side)
{
    int at = glp_add_cols(lp->prob, 1);

    lp->rows[1] = lp->row_place[i];
    lp->coefficients[1] = side;
    glp_set_mat_col(lp->prob, at, 1, lp->rows, lp->coefficients);
    lp->column_of[at] = -1 - i;
    lp->n_places = at;
    lp->n_artificials++;
}

enum iso_status iso_lp_price_artificials(struct iso_lp *lp, const double *costs,
                                         struct iso_error *reterr)
{
    ISO_GLPK_GUARD(reterr);
    if (lp->n_artificials == 0 && costs) {
        lp->first_artificial = lp->n_places + 1;
        for (int32_t i = 0; i < lp->mip->n_rows; i++)
            if (lp->mip->rows[i].lower > 0 || lp->mip->rows[i].upper < 0)
                add_artificial(lp, i,
                               lp->mip->rows[i].lower > 0 ? lp->mip->rows[i].lower
                                                          : lp->mip->rows[i].upper);
    }
    for (int32_t at = lp->first_artificial; at < lp->first_artificial + lp->n_artificials; at++) {
        int32_t i = -1 - lp->column_of[at];
        double side = lp->mip->rows[i].lower > 0 ? lp->mip->rows[i].lower : -lp->mip->rows[i].upper;
        glp_set_col_bnds(lp->prob, at, costs ? GLP_LO : GLP_FX, 0, 0);
        glp_set_obj_coef(lp->prob, at, costs ? costs[i] * side : 0);
    }
    lp->grown = true;
    return ISO_OK;
}

double iso_lp_artificial_sum(const struct iso_lp *lp)
{
    double sum = 0;

    for (int32_t at = lp->first_artificial; at < lp->first_artificial + lp->n_artificials; at++)
        sum += glp_get_col_prim(lp->prob, at);
    return sum;
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
        if (lp->column_of[at] >= 0)
            glp_set_obj_coef(lp->prob, at, objective_of(lp, lp->column_of[at]));
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
    complete_rows(lp);
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
    for (int32_t j = 0; j < lp->mip->n_columns; j++)
        if (lp->partner[j] >= 0)
            ret_x[lp->partner[j]] += ret_x[j];
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

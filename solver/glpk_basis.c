/* Bases of one program, given to another. */
#include <glpk.h>
#include <math.h>
#include <stdlib.h>

#include "glpk_guard.h"
#include "glpk_lp_state.h"
#include "search.h"

void iso_simplex_basis_fini(struct iso_simplex_basis *basis)
{
    free(basis->columns);
    free(basis->rows);
    *basis = (struct iso_simplex_basis){0};
}

/* An artificial column in the basis stands in for its row, of which it is a multiple. */
static bool row_is_in(const struct iso_lp *lp, int32_t i)
{
    return glp_get_row_stat(lp->prob, lp->row_place[i]) == GLP_BS ||
           (lp->artificial[i] != 0 && glp_get_col_stat(lp->prob, lp->artificial[i]) == GLP_BS);
}

enum iso_status iso_lp_add_basis(const struct iso_lp *lp, struct iso_simplex_basis *basis,
                                 struct iso_error *reterr)
{
    bool ok = true;

    for (int32_t j = 0; j < lp->n_columns && ok; j++)
        if (lp->place[j] != 0 && glp_get_col_stat(lp->prob, lp->place[j]) == GLP_BS)
            ok = iso_append(&basis->columns, &basis->n_columns, sizeof(j), &j);
    for (int32_t i = 0; i < lp->n_rows && ok; i++)
        if (lp->row_place[i] != 0 && !row_is_in(lp, i))
            ok = iso_append(&basis->rows, &basis->n_rows, sizeof(i), &i);
    return ok ? ISO_OK : iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a basis");
}

enum iso_status iso_lp_start_from(struct iso_lp *lp, const struct iso_simplex_basis *basis,
                                  struct iso_error *reterr)
{
    ISO_GLPK_GUARD(reterr);
    for (int32_t k = 0; k < basis->n_columns; k++)
        if (lp->place[basis->columns[k]] == 0 && !iso_lp_load_column(lp, basis->columns[k]))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a linear program");
    for (int32_t k = 0; k < basis->n_rows; k++)
        if (lp->row_place[basis->rows[k]] == 0) {
            iso_lp_load_row(lp, basis->rows[k]);
            lp->young[basis->rows[k]] = 1;
            lp->any_young = true;
        }
    if (basis->n_rows != basis->n_columns)
        return ISO_OK;
    iso_lp_complete_rows(lp);
    glp_scale_prob(lp->prob, GLP_SF_AUTO);
    glp_std_basis(lp->prob);
    for (int32_t k = 0; k < basis->n_columns; k++)
        glp_set_col_stat(lp->prob, lp->place[basis->columns[k]], GLP_BS);
    for (int32_t k = 0; k < basis->n_rows; k++)
        glp_set_row_stat(lp->prob, lp->row_place[basis->rows[k]],
                         isinf(lp->mip->rows[basis->rows[k]].lower) ? GLP_NU : GLP_NL);
    if (glp_warm_up(lp->prob) != 0) {
        glp_std_basis(lp->prob);
        return ISO_OK;
    }
    lp->fresh = false;
    lp->foreign = true;
    lp->grown = glp_get_dual_stat(lp->prob) != GLP_FEAS; /* then the primal simplex goes on */
    return ISO_OK;
}

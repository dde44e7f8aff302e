/* The least point of many cuts over a box of purchases,
 *
 *     min over l <= y <= u   max over cuts i   c_i + g_i y,
 *
 * solved in its dual, where a cut is a column and the box is the cost of a few columns, so that
 * simplex goes on from the last basis:
 *
 *     max  sum_i w_i c_i + sum_s (l_s q_s - u_s p_s)
 *     with sum_i w_i = 1,  sum_i w_i g_is = q_s - p_s  for each s,  all >= 0;
 *
 * y are the multipliers of the last rows. A program of few columns is solved in no time, so a cut
 * is loaded where it is above the point, and cuts without weight leave when there are many. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "glpk_program.h"
#include "lattice.h"

#define CLOSE 1e-8     /* relative; a cut that is above the point by less is met */
#define MOST_LOADED 96 /* cuts */

struct iso_lattice_cuts {
    struct iso_lattice *lattice;
    int32_t n_starts, n_cuts, n_values;
    double *values;  /* constant and gradient of each cut, one after the other */
    uint8_t *loaded; /* [cut] */
    struct iso_mip mip;
    struct iso_program *lp;
    int32_t n_columns;                /* cuts that are loaded, */
    int32_t columns[MOST_LOADED + 1]; /* in the order of columns */
};

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for cuts");
}

void iso_lattice_cuts_free(struct iso_lattice_cuts *cuts)
{
    if (!cuts)
        return;
    iso_program_free(cuts->lp);
    iso_mip_fini(&cuts->mip);
    free(cuts->values);
    free(cuts->loaded);
    free(cuts);
}

/* Rows: the sum of weights, then one a start. Columns: q and p of each start, then cuts. */
static bool open_program(struct iso_lattice_cuts *cuts)
{
    struct iso_mip_row row = {.lower = 1, .upper = 1};
    struct iso_mip_column column = {.kind = ISO_COLUMN_BUY, .upper = INFINITY};

    iso_program_free(cuts->lp);
    iso_mip_fini(&cuts->mip);
    cuts->lp = NULL;
    cuts->mip = (struct iso_mip){0};
    cuts->n_columns = 0;
    for (int32_t s = -1; s < cuts->n_starts; s++) {
        if (iso_mip_add_row(&cuts->mip, &row) < 0)
            return false;
        row.lower = row.upper = 0;
    }
    for (int32_t s = 0; s < cuts->n_starts; s++)
        for (int side = -1; side <= 1; side += 2)
            if (iso_mip_add_column(&cuts->mip, &column) < 0 ||
                !iso_mip_add_entry(&cuts->mip, s + 1, side))
                return false;
    return true;
}

enum iso_status iso_lattice_cuts_new(struct iso_lattice *lattice,
                                     struct iso_lattice_cuts **ret_cuts, struct iso_error *reterr)
{
    ISO_AUTO(iso_lattice_cuts) cuts = iso_calloc(1, sizeof(*cuts));

    if (!cuts)
        return no_memory(reterr);
    cuts->lattice = lattice;
    cuts->n_starts = lattice->n_starts;
    if (!open_program(cuts))
        return no_memory(reterr);
    *ret_cuts = ISO_STEAL(cuts);
    return ISO_OK;
}

static const double *cut_at(const struct iso_lattice_cuts *cuts, int32_t i)
{
    return &cuts->values[(size_t)i * (size_t)(cuts->n_starts + 1)];
}

static bool load_cut(struct iso_lattice_cuts *cuts, int32_t i)
{
    struct iso_mip_column column = {.kind = ISO_COLUMN_BUY, .upper = INFINITY};
    int32_t j = iso_mip_add_column(&cuts->mip, &column);

    if (j < 0 || !iso_mip_add_entry(&cuts->mip, 0, 1))
        return false;
    cuts->mip.objective[j] = -cut_at(cuts, i)[0];
    for (int32_t s = 1; s <= cuts->n_starts; s++)
        if (!iso_mip_add_entry(&cuts->mip, s, cut_at(cuts, i)[s]))
            return false;
    cuts->loaded[i] = 1;
    cuts->columns[cuts->n_columns++] = i;
    return true;
}

enum iso_status iso_lattice_cuts_add(struct iso_lattice_cuts *cuts,
                                     const struct iso_lattice_cut *cut, struct iso_error *reterr)
{
    int32_t n = cuts->n_cuts * (cuts->n_starts + 1);
    bool added = iso_append(&cuts->values, &n, sizeof(double), &cut->constant);

    for (int32_t s = 0; s < cuts->n_starts && added; s++)
        added = iso_append(&cuts->values, &n, sizeof(double), &cut->gradient[s]);
    if (!added || !iso_append(&cuts->loaded, &cuts->n_cuts, 1, &(uint8_t){0}))
        return no_memory(reterr);
    return ISO_OK;
}

/* The highest cut at y; -1 where none is above `value`. */
static int32_t highest(const struct iso_lattice_cuts *cuts, const double *y, double value)
{
    double most = value + CLOSE * (1 + fabs(value));
    int32_t found = -1;

    for (int32_t i = 0; i < cuts->n_cuts; i++) {
        const double *cut = cut_at(cuts, i);
        double at = cut[0];
        for (int32_t s = 0; s < cuts->n_starts; s++)
            at += cut[s + 1] * y[s];
        if (at > most && !cuts->loaded[i]) {
            most = at;
            found = i;
        }
    }
    return found;
}

/* Keeps only cuts that had weight in the last solution. */
static enum iso_status unload(struct iso_lattice_cuts *cuts, struct iso_error *reterr)
{
    ISO_AUTO_MEM double *x = iso_calloc((size_t)cuts->mip.n_columns, sizeof(*x));
    int32_t kept[MOST_LOADED + 1], n = 0;

    if (!x)
        return no_memory(reterr);
    iso_program_values(cuts->lp, x);
    for (int32_t i = 0; i < cuts->n_columns; i++) {
        cuts->loaded[cuts->columns[i]] = 0;
        if (x[2 * cuts->n_starts + i] > 0)
            kept[n++] = cuts->columns[i];
    }
    if (!open_program(cuts))
        return no_memory(reterr);
    for (int32_t i = 0; i < n; i++)
        if (!load_cut(cuts, kept[i]))
            return no_memory(reterr);
    return ISO_OK;
}

static enum iso_status solve(struct iso_lattice_cuts *cuts, const int32_t *lower,
                             const int32_t *upper, enum iso_lp_outcome *ret_outcome,
                             struct iso_error *reterr)
{
    struct iso_search *search = &cuts->lattice->search;
    struct iso_control control = iso_search_control(search);

    for (int32_t s = 0; s < cuts->n_starts; s++) {
        cuts->mip.objective[2 * s] = -lower[s];
        cuts->mip.objective[2 * s + 1] = upper[s];
    }
    if (cuts->lp) {
        ISO_TRY(iso_program_grow(cuts->lp, reterr));
        ISO_TRY(iso_program_reload_objective(cuts->lp, reterr));
    } else {
        ISO_TRY(iso_program_new(&cuts->mip, &cuts->lp, reterr));
    }
    return iso_program_solve(cuts->lp, &control, &search->iterations, ret_outcome, reterr);
}

enum iso_status iso_lattice_cuts_least(struct iso_lattice_cuts *cuts, const int32_t *lower,
                                       const int32_t *upper, double *ret_y, double *ret_value,
                                       struct iso_error *reterr)
{
    double duals[ISO_LATTICE_MOST_STARTS + 1];
    enum iso_lp_outcome outcome;
    int32_t next = cuts->n_columns == 0 ? 0 : -1;

    *ret_value = -INFINITY;
    do {
        if (cuts->n_columns == MOST_LOADED)
            ISO_TRY(unload(cuts, reterr));
        if (next >= 0 && !load_cut(cuts, next))
            return no_memory(reterr);
        ISO_TRY(solve(cuts, lower, upper, &outcome, reterr));
        if (outcome != ISO_LP_OPTIMAL)
            return ISO_OK;
        *ret_value = -iso_program_objective(cuts->lp);
        iso_program_duals(cuts->lp, duals);
        for (int32_t s = 0; s < cuts->n_starts; s++)
            ret_y[s] = fmin(fmax(duals[s + 1], lower[s]), upper[s]);
        next = highest(cuts, ret_y, *ret_value);
    } while (next >= 0);
    return ISO_OK;
}

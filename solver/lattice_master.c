/* Multipliers for cells of levels, by column generation.
 *
 * When the levels of a cell c share multipliers, the best ones over all purchases y in a box solve
 *
 *     max over mu   min over y   fees y + sum_c n_c ( sum_a mean G^mu_a - mu (held + m y) ),
 *
 * whose dual is a linear program over mixtures of covers: for each cell and workload a convex
 * combination of plans (one cover for each level, its cost paid and its covered instances counted),
 * such that covered instances stay within what is held, or are paid at worth_k. Its columns come
 * from the covering tables at its own multipliers (P. C. Gilmore and R. E. Gomory, 1961); at any
 * round they prove the program's value less what the tables undercut it by. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "glpk_program.h"
#include "lattice.h"

#define CLOSE 1e-9 /* relative; a plan that undercuts by less is no news */

struct master {
    struct iso_lattice *lattice;
    struct iso_lattice_cell *cells;
    int32_t n_cells, n_rows_a_cell;
    double weight;   /* periods of all cells; the program counts in means over them */
    double *periods; /* [cell] */
    struct iso_mip mip;
    struct iso_program *lp;
    double *duals;
    double *cost; /* [option], scratch */
    int32_t *by;
    double *used; /* [product], scratch */
};

static void master_fini(struct master *master)
{
    iso_program_free(master->lp);
    iso_mip_fini(&master->mip);
    void *const arrays[] = {master->periods, master->duals, master->cost, master->by, master->used};
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
}

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for multipliers");
}

static bool add_column(struct iso_mip *mip, double lower, double upper, double cost)
{
    struct iso_mip_column column = {.kind = ISO_COLUMN_USE, .lower = lower, .upper = upper};
    int32_t j = iso_mip_add_column(mip, &column);

    if (j >= 0)
        mip->objective[j] = cost;
    return j >= 0;
}

/* Purchases, and covered instances beyond what is held. */
static bool add_fixed_columns(struct master *master, const double *lower, const double *upper)
{
    struct iso_lattice *lattice = master->lattice;
    bool added = true;

    for (int32_t s = 0; s < lattice->n_starts && added; s++) {
        const struct iso_lattice_start *start = &lattice->starts[s];
        added = add_column(&master->mip, lower[s], upper[s], start->cost / master->weight);
        for (int32_t c = 0; c < master->n_cells && added; c++)
            if (lattice->seasons[master->cells[c].season].open[s])
                added = iso_mip_add_entry(
                    &master->mip, c * master->n_rows_a_cell + lattice->n_workloads + start->product,
                    (double)lattice->instances[start->product]);
    }
    for (int32_t c = 0; c < master->n_cells; c++)
        for (int32_t k = 0; k < lattice->n_products && added; k++)
            added = add_column(&master->mip, 0, INFINITY,
                               lattice->seasons[master->cells[c].season].worth[k] *
                                   master->periods[c] / master->weight) &&
                    iso_mip_add_entry(&master->mip,
                                      c * master->n_rows_a_cell + lattice->n_workloads + k, 1);
    return added;
}

/* Rows of each cell: a mixture of covers for each workload, then what is held of each product. */
static enum iso_status master_init(struct master *master, const double *lower, const double *upper,
                                   struct iso_error *reterr)
{
    struct iso_lattice *lattice = master->lattice;
    size_t n_products = (size_t)lattice->n_products, n_options = (size_t)lattice->n_options;

    master->n_rows_a_cell = lattice->n_workloads + lattice->n_products;
    master->periods = iso_calloc((size_t)master->n_cells, sizeof(*master->periods));
    master->duals =
        iso_calloc((size_t)(master->n_cells * master->n_rows_a_cell), sizeof(*master->duals));
    master->cost = iso_calloc(n_options, sizeof(*master->cost));
    master->by = iso_calloc(n_options, sizeof(*master->by));
    master->used = iso_calloc(n_products, sizeof(*master->used));
    if (!master->periods || !master->duals || !master->cost || !master->by || !master->used)
        return no_memory(reterr);
    for (int32_t c = 0; c < master->n_cells; c++) {
        const struct iso_lattice_cell *cell = &master->cells[c];
        for (int32_t i = 0; i < cell->n_levels; i++)
            master->periods[c] += lattice->levels[cell->levels[i]].n_periods;
        master->weight += master->periods[c];
        for (int32_t r = 0; r < master->n_rows_a_cell; r++) {
            struct iso_mip_row row = {.upper = INFINITY, .lower = 1};
            if (r >= lattice->n_workloads)
                row.lower = -lattice->seasons[cell->season].held[r - lattice->n_workloads];
            if (iso_mip_add_row(&master->mip, &row) < 0)
                return no_memory(reterr);
        }
    }
    return add_fixed_columns(master, lower, upper) ? ISO_OK : no_memory(reterr);
}

/* The least mean cost of a workload in a cell; its paid part, and instances covered in `used`. */
static double price_cell(struct master *master, int32_t c, int32_t a, double *ret_paid)
{
    struct iso_lattice *lattice = master->lattice;
    const struct iso_lattice_cell *cell = &master->cells[c];
    const int32_t *demands = &lattice->level_demand[a];
    double cost = 0, paid = 0;
    int32_t most = 0;

    for (int32_t i = 0; i < cell->n_levels; i++) {
        int32_t q = lattice->demand[demands[cell->levels[i] * lattice->n_workloads]];
        most = q > most ? q : most;
    }
    const double *least = iso_lattice_cover(lattice, a, master->cost, most);
    memset(master->used, 0, (size_t)lattice->n_products * sizeof(*master->used));
    for (int32_t i = 0; i < cell->n_levels; i++) {
        int32_t q = lattice->demand[demands[cell->levels[i] * lattice->n_workloads]], option;
        double n = lattice->levels[cell->levels[i]].n_periods / master->periods[c];
        cost += n * least[q];
        for (; q > 0; q -= lattice->size[option]) {
            option = iso_lattice_last(lattice, a, master->cost, least, q);
            if (master->by[option] >= 0)
                master->used[master->by[option]] += n;
            else
                paid += n * master->cost[option];
        }
    }
    *ret_paid = paid;
    return cost;
}

static bool add_cover(struct master *master, int32_t c, int32_t a, double paid)
{
    int32_t row = c * master->n_rows_a_cell;
    bool added =
        add_column(&master->mip, 0, INFINITY, paid * master->periods[c] / master->weight) &&
        iso_mip_add_entry(&master->mip, row + a, 1);

    for (int32_t k = 0; k < master->lattice->n_products && added; k++)
        added = iso_mip_add_entry(&master->mip, row + master->lattice->n_workloads + k,
                                  -master->used[k]);
    return added;
}

/* Prices all cells at the multipliers at hand (`mu`: [cell * n_products + product]), adds what
 * undercuts, and gives by how much in all, in means. */
static bool price_all(struct master *master, bool first, const double *mu, double *ret_undercut,
                      int32_t *ret_added)
{
    struct iso_lattice *lattice = master->lattice;

    *ret_undercut = 0;
    *ret_added = 0;
    for (int32_t c = 0; c < master->n_cells; c++) {
        iso_lattice_option_costs(lattice, master->cells[c].season, &mu[c * lattice->n_products],
                                 master->cost, master->by);
        for (int32_t a = 0; a < lattice->n_workloads; a++) {
            double paid, share = master->periods[c] / master->weight;
            double cost = price_cell(master, c, a, &paid) * share;
            double had = first ? INFINITY : master->duals[c * master->n_rows_a_cell + a];
            *ret_undercut += first ? 0 : had - cost;
            if (cost >= had - CLOSE * (share + fabs(had)))
                continue;
            ++*ret_added;
            if (!add_cover(master, c, a, paid))
                return false;
        }
    }
    return true;
}

/* Multipliers of the products in each cell, from those of the rows. */
static void read_mu(const struct master *master, double *mu)
{
    const struct iso_lattice *lattice = master->lattice;

    for (int32_t c = 0; c < master->n_cells; c++)
        for (int32_t k = 0; k < lattice->n_products; k++) {
            double dual = master->duals[c * master->n_rows_a_cell + lattice->n_workloads + k];
            mu[c * lattice->n_products + k] =
                fmin(fmax(0, dual * master->weight / master->periods[c]),
                     lattice->seasons[master->cells[c].season].worth[k]);
        }
}

static enum iso_status read_purchases(const struct master *master, double *ret_y,
                                      struct iso_error *reterr)
{
    ISO_AUTO_MEM double *x = iso_calloc((size_t)master->mip.n_columns, sizeof(*x));

    if (!x)
        return no_memory(reterr);
    iso_program_values(master->lp, x);
    memcpy(ret_y, x, (size_t)master->lattice->n_starts * sizeof(*x));
    return ISO_OK;
}

static void keep(struct master *master, const double *mu)
{
    size_t n_products = (size_t)master->lattice->n_products;

    for (int32_t c = 0; c < master->n_cells; c++)
        memcpy(master->cells[c].mu, &mu[(size_t)c * n_products], n_products * sizeof(*mu));
}

/* Rounds of the program and the tables. */
static enum iso_status run(struct master *master, double close, int most_rounds, double *mu,
                           double *ret_y, double *ret_bound, struct iso_error *reterr)
{
    struct iso_search *search = &master->lattice->search;
    struct iso_control control = iso_search_control(search);
    enum iso_lp_outcome outcome = ISO_LP_OPTIMAL;
    double undercut, best = -INFINITY;
    int32_t added;

    for (int32_t c = 0; c < master->n_cells; c++)
        for (int32_t k = 0; k < master->lattice->n_products; k++)
            mu[c * master->lattice->n_products + k] =
                master->lattice->seasons[master->cells[c].season].worth[k] / 2;
    if (!price_all(master, true, mu, &undercut, &added))
        return no_memory(reterr);
    ISO_TRY(iso_program_new(&master->mip, &master->lp, reterr));
    for (int round = 0; round < most_rounds && !iso_search_stops(search); round++) {
        ISO_TRY(iso_program_solve(master->lp, &control, &search->iterations, &outcome, reterr));
        if (outcome != ISO_LP_OPTIMAL)
            break;
        double value = iso_program_objective(master->lp);
        iso_program_duals(master->lp, master->duals);
        read_mu(master, mu);
        ISO_TRY(read_purchases(master, ret_y, reterr));
        if (!price_all(master, false, mu, &undercut, &added))
            return no_memory(reterr);
        if (value - undercut > best) {
            best = value - undercut;
            keep(master, mu);
        }
        if (added == 0 || value - best <= close * fabs(value))
            break;
        ISO_TRY(iso_program_grow(master->lp, reterr));
    }
    *ret_bound = best * master->weight;
    return ISO_OK;
}

enum iso_status iso_lattice_optimise(struct iso_lattice *lattice, struct iso_lattice_cell *cells,
                                     int32_t n_cells, const double *lower, const double *upper,
                                     double close, int most_rounds, double *ret_y,
                                     double *ret_bound, struct iso_error *reterr)
{
    struct master master __attribute__((cleanup(master_fini))) = {
        .lattice = lattice, .cells = cells, .n_cells = n_cells};
    ISO_AUTO_MEM double *mu = iso_calloc((size_t)(n_cells * lattice->n_products), sizeof(*mu));

    if (!mu)
        return no_memory(reterr);
    ISO_TRY(master_init(&master, lower, upper, reterr));
    return run(&master, close, most_rounds, mu, ret_y, ret_bound, reterr);
}

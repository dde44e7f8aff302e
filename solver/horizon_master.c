/* The master: the relaxation over the clusters, by column and row generation.
 *
 *   minimise  sum_k H_k [ sum_j price_j paid_jk + sum_a penalty_a u_ak + sum_l price_l over_lk ]
 *             + sum_{c,s} cost_cs y_cs
 *   rows of the slice in each cluster k, over paid + covered instances,
 *   COMMIT(c,k)  sum_j nu_cj covered_cjk - lot sum_s y_cs win_csk <= lot existing_ck
 *
 * An instance is either paid or covered by one product: two columns, which is the same as covering
 * a part of one, and needs no row for each (offering, workload, cluster). Commitments come in one
 * product at a time, with their rows, when a unit is worth more than it costs under the multipliers
 * at hand:
 *
 *   cost_cs < lot sum_{k in term} max(0, max_j worth_jk / nu_cj),  worth_jk = sum of multiplier *
 *   entry.
 *
 * Until then its COMMIT multipliers are taken as what prices its covered instances out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "horizon.h"

#define DEAR 20.0   /* times the dearest unit: price of a unit that is missed */
#define DEARER 50.0 /* factor from one try to the next */
#define TRIES 4     /* prices of missed units that are tried */
#define FIRST 3     /* columns of each workload and cluster to begin with */
#define MISSED 1e-7 /* relative; what is missed above this counts */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the master of a long horizon");
}

static int32_t row_of(const struct iso_master *master, int32_t cluster, int32_t row)
{
    return cluster * master->h->slice.n_rows + row;
}

/* --- columns --- */

static bool open_column(struct iso_master *master, struct iso_mip_column column, double cost)
{
    int32_t j = iso_mip_add_column(&master->mip, &column);

    if (j >= 0)
        master->mip.objective[j] = cost;
    return j >= 0;
}

static bool add_slice_entries(struct iso_master *master, int32_t cluster,
                              const struct iso_mip_entry *entries, int32_t n)
{
    bool ok = true;

    for (int32_t e = 0; e < n; e++)
        ok &= iso_mip_add_entry(&master->mip, row_of(master, cluster, entries[e].row),
                                entries[e].coefficient);
    return ok;
}

/* An instance: paid (cover -1), or covered by the product of a place in slice.covers. */
bool iso_master_add_instance(struct iso_master *master, int32_t cluster, int32_t j, int32_t cover)
{
    const struct iso_horizon_case *h = master->h;
    const struct iso_slice *slice = &h->slice;
    const struct iso_slice_column *column = &slice->columns[j];
    const struct iso_cluster *k = &h->clusters[cluster];
    uint8_t *has =
        cover < 0 ? &master->has_paid[(size_t)cluster * (size_t)slice->n_columns + (size_t)j]
                  : &master->has_covered[(size_t)cluster * (size_t)slice->n_covers + (size_t)cover];
    struct iso_mip_column made = {.kind = cover < 0 ? ISO_COLUMN_USE : ISO_COLUMN_COVER,
                                  .a = j,
                                  .b = cover,
                                  .c = cluster,
                                  .upper = INFINITY,
                                  .integer = true};

    if (*has)
        return true;
    *has = 1;
    if (!open_column(master, made, cover < 0 ? k->hours * h->seasons[k->season].price[j] : 0) ||
        !add_slice_entries(master, cluster, &slice->entries[column->first_entry],
                           column->n_entries))
        return false;
    if (cover < 0)
        return true;
    const struct iso_slice_cover *by = &slice->covers[cover];
    return iso_mip_add_entry(&master->mip,
                             master->commit_row[by->product * h->n_clusters + cluster], by->use);
}

/* Unserved demand, and rules that may be broken; where they may not, at a dear price. */
static bool add_slacks(struct iso_master *master, int32_t cluster)
{
    const struct iso_horizon_case *h = master->h;
    const struct iso_problem *problem = h->problem;
    const struct iso_slice *slice = &h->slice;
    double hours = h->clusters[cluster].hours, dearest = 0;
    bool ok = true;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const double *price = h->seasons[h->clusters[cluster].season].price;
        double unit = 0;
        for (int32_t j = slice->first_column[a]; j < slice->first_column[a + 1]; j++)
            unit = fmax(unit, price[j] / slice->columns[j].served);
        dearest = fmax(dearest, unit);
        bool must = problem->workloads[a].service == ISO_SERVICE_MUST;
        double cost =
            must ? master->dear * (unit > 0 ? unit : 1) : iso_value(problem->workloads[a].penalty);
        ok &= open_column(
                  master,
                  (struct iso_mip_column){.kind = ISO_COLUMN_UNSERVED,
                                          .a = a,
                                          .b = must,
                                          .c = cluster,
                                          .upper = must ? INFINITY : h->clusters[cluster].right[a]},
                  hours * cost) &&
              add_slice_entries(master, cluster, &slice->relief[slice->first_relief[a]],
                                slice->first_relief[a + 1] - slice->first_relief[a]);
    }
    for (int32_t l = 0; l < problem->n_limits; l++) {
        const struct iso_limit *limit = &problem->limits[l];
        bool soft = limit->policy == ISO_POLICY_SOFT;
        int32_t row = problem->n_workloads + l;
        if (!soft && !limit->minimum)
            continue;
        double cost = soft ? iso_value(limit->price) : master->dear * (dearest > 0 ? dearest : 1);
        ok &=
            open_column(master,
                        (struct iso_mip_column){.kind = ISO_COLUMN_OVER_LIMIT,
                                                .a = l,
                                                .b = !soft,
                                                .c = cluster,
                                                .upper = INFINITY},
                        hours * cost) &&
            iso_mip_add_entry(&master->mip, row_of(master, cluster, row), limit->minimum ? 1 : -1);
    }
    return ok;
}

bool iso_master_in_term(const struct iso_horizon_case *h, int32_t product, int32_t start,
                        int32_t cluster)
{
    int32_t t = h->seasons[h->clusters[cluster].season].first_period;

    return h->problem->products[product].starts[start].window[t];
}

bool iso_master_may_hold(const struct iso_horizon_case *h, int32_t product, int32_t cluster)
{
    int32_t t = h->seasons[h->clusters[cluster].season].first_period;
    bool held = h->problem->products[product].existing[t] > 0;

    for (int32_t s = 0; s < h->problem->products[product].n_starts && !held; s++)
        held =
            h->problem->products[product].most != 0 && iso_master_in_term(h, product, s, cluster);
    return held;
}

/* The rows of a product, and the columns that buy it. */
bool iso_master_bring_in(struct iso_master *master, int32_t c)
{
    const struct iso_horizon_case *h = master->h;
    const struct iso_product *product = &h->problem->products[c];
    double lot = iso_value(product->lot);

    master->priced_in[c] = 1;
    for (int32_t k = 0; k < h->n_clusters; k++) {
        int32_t t = h->seasons[h->clusters[k].season].first_period;
        struct iso_mip_row row = {
            ISO_ROW_COMMIT, c, k, -1, -1, -INFINITY, lot * iso_value(product->existing[t])};
        if (!iso_master_may_hold(h, c, k))
            continue;
        if ((master->commit_row[c * h->n_clusters + k] = iso_mip_add_row(&master->mip, &row)) < 0)
            return false;
    }
    for (int32_t s = 0; s < product->n_starts && product->most != 0; s++) {
        if (!open_column(master,
                         (struct iso_mip_column){.kind = ISO_COLUMN_BUY,
                                                 .a = c,
                                                 .b = s,
                                                 .upper = product->most < 0 ? INFINITY
                                                                            : (double)product->most,
                                                 .integer = true},
                         iso_start_cost(h, c, s)))
            return false;
        master->buy_column[h->first_start[c] + s] = master->mip.n_columns - 1;
        for (int32_t k = 0; k < h->n_clusters; k++)
            if (iso_master_in_term(h, c, s, k) &&
                !iso_mip_add_entry(&master->mip, master->commit_row[c * h->n_clusters + k], -lot))
                return false;
    }
    return true;
}

/* --- the program --- */

static bool open_rows(struct iso_master *master)
{
    const struct iso_horizon_case *h = master->h;

    for (int32_t k = 0; k < h->n_clusters; k++)
        for (int32_t r = 0; r < h->slice.n_rows; r++) {
            const struct iso_slice_row *row = &h->slice.rows[r];
            double right = h->clusters[k].right[r];
            struct iso_mip_row made = {(int)row->kind,
                                       row->a,
                                       row->b,
                                       k,
                                       row->d,
                                       row->asks ? right : -INFINITY,
                                       row->asks ? INFINITY : right};
            if (iso_mip_add_row(&master->mip, &made) < 0)
                return false;
        }
    return true;
}

enum iso_status iso_master_init(struct iso_master *master, struct iso_horizon_case *h,
                                struct iso_error *reterr)
{
    size_t n_clusters = (size_t)h->n_clusters;
    size_t n_commits = (size_t)h->problem->n_products * n_clusters;
    size_t n_starts = (size_t)h->first_start[h->problem->n_products];

    *master = (struct iso_master){.h = h, .dear = DEAR};
    master->commit_row = iso_calloc(n_commits, sizeof(*master->commit_row));
    master->buy_column = iso_calloc(n_starts, sizeof(*master->buy_column));
    master->priced_in = iso_calloc((size_t)h->problem->n_products, 1);
    master->has_paid = iso_calloc(n_clusters * (size_t)h->slice.n_columns, 1);
    master->has_covered = iso_calloc(n_clusters * (size_t)h->slice.n_covers, 1);
    if (!master->commit_row || !master->buy_column || !master->priced_in || !master->has_paid ||
        !master->has_covered)
        return no_memory(reterr);
    memset(master->commit_row, -1, n_commits * sizeof(*master->commit_row));
    memset(master->buy_column, -1, n_starts * sizeof(*master->buy_column));
    if (!open_rows(master))
        return no_memory(reterr);
    for (int32_t k = 0; k < h->n_clusters; k++)
        if (!add_slacks(master, k))
            return no_memory(reterr);
    return iso_program_new(&master->mip, &master->lp, reterr);
}

void iso_master_fini(struct iso_master *master)
{
    void *const arrays[] = {master->commit_row, master->buy_column,  master->priced_in,
                            master->has_paid,   master->has_covered, master->duals};

    iso_program_free(master->lp);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
    iso_mip_fini(&master->mip);
}

/* The first columns: the cheapest units by list price, then the program itself says which. */
static bool choose_first(struct iso_master *master)
{
    const struct iso_horizon_case *h = master->h;
    const struct iso_slice *slice = &h->slice;

    for (int32_t k = 0; k < h->n_clusters; k++)
        for (int32_t a = 0; a < h->problem->n_workloads; a++) {
            const double *price = h->seasons[h->clusters[k].season].price;
            struct iso_offer best[FIRST];
            int32_t n = 0;
            for (int32_t j = slice->first_column[a]; j < slice->first_column[a + 1]; j++)
                iso_offer_keep(best, &n, FIRST,
                               (struct iso_offer){j, -1, price[j] / slice->columns[j].served});
            for (int32_t i = 0; i < n; i++)
                if (!iso_master_add_instance(master, k, best[i].column, -1))
                    return false;
        }
    return true;
}

enum iso_status iso_master_solve_once(struct iso_master *master, enum iso_lp_outcome *ret_outcome,
                                      struct iso_error *reterr)
{
    struct iso_control control = iso_search_control(&master->h->search);

    ISO_TRY(iso_program_grow(master->lp, reterr));
    ISO_TRY(iso_program_solve(master->lp, &control, &master->h->search.iterations, ret_outcome,
                              reterr));
    if (*ret_outcome != ISO_LP_OPTIMAL)
        return ISO_OK;
    if (master->duals_room < master->mip.n_rows) {
        double *duals = iso_realloc(master->duals, (size_t)master->mip.n_rows, sizeof(*duals));
        if (!duals)
            return no_memory(reterr);
        master->duals = duals;
        master->duals_room = master->mip.n_rows;
    }
    iso_program_duals(master->lp, master->duals);
    master->value = iso_program_objective(master->lp);
    return ISO_OK;
}

static enum iso_status generate(struct iso_master *master, enum iso_lp_outcome *ret_outcome,
                                struct iso_error *reterr)
{
    for (;;) {
        int32_t n_new;
        ISO_TRY(iso_master_solve_once(master, ret_outcome, reterr));
        if (*ret_outcome != ISO_LP_OPTIMAL)
            return ISO_OK;
        if (iso_search_stops(&master->h->search)) {
            *ret_outcome = ISO_LP_STOPPED;
            return ISO_OK;
        }
        if (!iso_master_price_instances(master, &n_new))
            return no_memory(reterr);
        if (n_new == 0 && !iso_master_price_products(master, &n_new))
            return no_memory(reterr);
        if (n_new == 0)
            return ISO_OK;
    }
}

/* Whether something is missed that may not be: demand, or the minimum of a limit. */
static enum iso_status find_missed(const struct iso_master *master, bool *ret_missed,
                                   struct iso_error *reterr)
{
    const struct iso_mip *mip = &master->mip;
    ISO_AUTO_MEM double *x = iso_calloc((size_t)mip->n_columns, sizeof(*x));

    if (!x)
        return no_memory(reterr);
    iso_program_values(master->lp, x);
    *ret_missed = false;
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        bool slack = column->kind == ISO_COLUMN_UNSERVED || column->kind == ISO_COLUMN_OVER_LIMIT;
        *ret_missed |= slack && column->b &&
                       x[j] > MISSED * (1 + mip->rows[mip->entries[column->first_entry].row].lower);
    }
    return ISO_OK;
}

/* A missed unit costs that much more from here on. */
static enum iso_status make_dearer(struct iso_master *master, struct iso_error *reterr)
{
    struct iso_mip *mip = &master->mip;

    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        if ((column->kind == ISO_COLUMN_UNSERVED || column->kind == ISO_COLUMN_OVER_LIMIT) &&
            column->b)
            mip->objective[j] *= DEARER;
    }
    master->dear *= DEARER;
    return iso_program_reload_objective(master->lp, reterr);
}

enum iso_status iso_master_solve(struct iso_master *master, enum iso_lp_outcome *ret_outcome,
                                 struct iso_error *reterr)
{
    bool missed = true;

    if (!choose_first(master))
        return no_memory(reterr);
    for (int try = 0; try < TRIES && missed; try++) {
        if (try > 0)
            ISO_TRY(make_dearer(master, reterr));
        ISO_TRY(generate(master, ret_outcome, reterr));
        if (*ret_outcome != ISO_LP_OPTIMAL)
            return ISO_OK;
        ISO_TRY(find_missed(master, &missed, reterr));
    }
    if (missed)
        *ret_outcome = ISO_LP_INFEASIBLE;
    return ISO_OK;
}

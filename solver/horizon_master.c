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
#define CLOSE 1e-9  /* relative; reduced costs above -CLOSE * price are taken as >= 0 */
#define PER_CELL 3  /* paid columns that may come in a round, for each workload and cluster */
#define PRODUCTS_A_ROUND 25
#define WHOLE 1e-6  /* from here on a purchase counts as whole */
#define MISSED 1e-7 /* relative; what is missed above this counts */
#define UP_FROM 0.4 /* fractions of purchases from here on are rounded up */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the master of a long horizon");
}

static int32_t row_of(const struct iso_master *master, int32_t cluster, int32_t row)
{
    return cluster * master->h->slice.n_rows + row;
}

double iso_start_cost(const struct iso_problem *problem, int32_t product, int32_t start)
{
    const struct iso_product *c = &problem->products[product];
    const struct iso_start *s = &c->starts[start];
    const iso_decimal *rate = problem->currencies[c->currency].rate_to_base;
    double cost = iso_value(c->upfront) * iso_value(rate[s->period]) * iso_value(s->hours_inside) /
                  iso_value(c->term_hours);

    for (int32_t t = 0; t < problem->n_periods; t++)
        if (s->window[t])
            cost += iso_value(problem->periods[t].hours) * iso_value(c->fee) * iso_value(rate[t]);
    return cost;
}

double iso_existing_fees(const struct iso_problem *problem)
{
    double fees = 0;

    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t t = 0; t < problem->n_periods; t++)
            fees += iso_value(problem->periods[t].hours) * iso_value(problem->products[c].fee) *
                    iso_value(problem->products[c].existing[t]) *
                    iso_value(problem->currencies[problem->products[c].currency].rate_to_base[t]);
    return fees;
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
static bool add_instance(struct iso_master *master, int32_t cluster, int32_t j, int32_t cover)
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

static bool in_term(const struct iso_horizon_case *h, int32_t product, int32_t start,
                    int32_t cluster)
{
    int32_t t = h->seasons[h->clusters[cluster].season].first_period;

    return h->problem->products[product].starts[start].window[t];
}

static bool is_held(const struct iso_horizon_case *h, int32_t product, int32_t cluster)
{
    int32_t t = h->seasons[h->clusters[cluster].season].first_period;
    bool held = h->problem->products[product].existing[t] > 0;

    for (int32_t s = 0; s < h->problem->products[product].n_starts && !held; s++)
        held = h->problem->products[product].most != 0 && in_term(h, product, s, cluster);
    return held;
}

/* The rows of a product, and the columns that buy it. */
static bool bring_in(struct iso_master *master, int32_t c)
{
    const struct iso_horizon_case *h = master->h;
    const struct iso_product *product = &h->problem->products[c];
    double lot = iso_value(product->lot);

    master->priced_in[c] = 1;
    for (int32_t k = 0; k < h->n_clusters; k++) {
        int32_t t = h->seasons[h->clusters[k].season].first_period;
        struct iso_mip_row row = {
            ISO_ROW_COMMIT, c, k, -1, -1, -INFINITY, lot * iso_value(product->existing[t])};
        if (!is_held(h, c, k))
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
                         iso_start_cost(h->problem, c, s)))
            return false;
        master->buy_column[h->first_start[c] + s] = master->mip.n_columns - 1;
        for (int32_t k = 0; k < h->n_clusters; k++)
            if (in_term(h, c, s, k) &&
                !iso_mip_add_entry(&master->mip, master->commit_row[c * h->n_clusters + k], -lot))
                return false;
    }
    return true;
}

/* --- pricing --- */

double iso_master_worth(const struct iso_master *master, int32_t cluster, int32_t column)
{
    const struct iso_slice_column *j = &master->h->slice.columns[column];
    const struct iso_mip_entry *entries = &master->h->slice.entries[j->first_entry];
    const double *duals = &master->duals[row_of(master, cluster, 0)];
    double worth = 0;

    for (int32_t e = 0; e < j->n_entries; e++)
        worth += duals[entries[e].row] * entries[e].coefficient;
    return worth;
}

struct offer {
    int32_t column, cover;
    double reduced_cost;
};

/* Keeps the best few by reduced cost. */
static void keep(struct offer *offers, int32_t *n, int32_t most, struct offer offer)
{
    if (*n == most && offers[most - 1].reduced_cost <= offer.reduced_cost)
        return;
    int32_t at = *n < most ? (*n)++ : most - 1;
    while (at > 0 && offers[at - 1].reduced_cost > offer.reduced_cost) {
        offers[at] = offers[at - 1];
        at--;
    }
    offers[at] = offer;
}

/* The columns of one workload and cluster that price in. */
static bool price_cell(struct iso_master *master, int32_t k, int32_t a, int32_t *ret_n_new)
{
    const struct iso_horizon_case *h = master->h;
    const struct iso_slice *slice = &h->slice;
    const double *price = h->seasons[h->clusters[k].season].price;
    struct offer paid[PER_CELL], covered[PER_CELL];
    int32_t n_paid = 0, n_covered = 0;

    for (int32_t j = slice->first_column[a]; j < slice->first_column[a + 1]; j++) {
        const struct iso_slice_column *column = &slice->columns[j];
        double list = h->clusters[k].hours * price[j], worth = iso_master_worth(master, k, j);
        if (worth <= CLOSE * list)
            continue;
        for (int32_t i = column->first_cover; i < column->first_cover + column->n_covers; i++) {
            int32_t row = master->commit_row[slice->covers[i].product * h->n_clusters + k];
            double reduced = row < 0 ? 0 : -worth - master->duals[row] * slice->covers[i].use;
            if (reduced < -CLOSE * list &&
                !master->has_covered[(size_t)k * (size_t)slice->n_covers + (size_t)i])
                keep(covered, &n_covered, PER_CELL, (struct offer){j, i, reduced});
        }
        if (list - worth < -CLOSE * list &&
            !master->has_paid[(size_t)k * (size_t)slice->n_columns + (size_t)j])
            keep(paid, &n_paid, PER_CELL, (struct offer){j, -1, list - worth});
    }
    *ret_n_new += n_paid + n_covered;
    for (int32_t i = 0; i < n_paid; i++)
        if (!add_instance(master, k, paid[i].column, -1))
            return false;
    for (int32_t i = 0; i < n_covered; i++)
        if (!add_instance(master, k, covered[i].column, covered[i].cover))
            return false;
    return true;
}

static bool price_instances(struct iso_master *master, int32_t *ret_n_new)
{
    *ret_n_new = 0;
    for (int32_t k = 0; k < master->h->n_clusters; k++)
        for (int32_t a = 0; a < master->h->problem->n_workloads; a++)
            if (!price_cell(master, k, a, ret_n_new))
                return false;
    return true;
}

/* For products that are not in: what a unit is worth in each cluster, and by which cover. */
static void value_products(const struct iso_master *master, double *ret_worth, int32_t *ret_cover)
{
    const struct iso_slice *slice = &master->h->slice;
    int32_t n_clusters = master->h->n_clusters;

    for (int32_t k = 0; k < n_clusters; k++)
        for (int32_t j = 0; j < slice->n_columns; j++) {
            const struct iso_slice_column *column = &slice->columns[j];
            double worth = iso_master_worth(master, k, j);
            for (int32_t i = column->first_cover;
                 i < column->first_cover + column->n_covers && worth > 0; i++) {
                const struct iso_slice_cover *cover = &slice->covers[i];
                int32_t at = cover->product * n_clusters + k;
                if (!master->priced_in[cover->product] && worth / cover->use > ret_worth[at]) {
                    ret_worth[at] = worth / cover->use;
                    ret_cover[at] = i;
                }
            }
        }
}

static int32_t column_of_cover(const struct iso_slice *slice, int32_t cover)
{
    int32_t low = 0, high = slice->n_columns - 1;

    while (low < high) { /* the last column that begins at or before it */
        int32_t middle = low + (high - low + 1) / 2;
        if (slice->columns[middle].first_cover <= cover)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* The most that a start of a product is worth for each unit of money it costs; above 1 it pays. */
static double best_ratio(const struct iso_master *master, int32_t c, const double *worth)
{
    const struct iso_horizon_case *h = master->h;
    const struct iso_product *product = &h->problem->products[c];
    double best = 0;

    for (int32_t k = 0; k < h->n_clusters; k++) {
        int32_t t = h->seasons[h->clusters[k].season].first_period;
        if (product->existing[t] > 0 && worth[c * h->n_clusters + k] > 0)
            return INFINITY; /* free of charge */
    }
    for (int32_t s = 0; s < product->n_starts && product->most != 0; s++) {
        double gain = 0, cost = iso_start_cost(h->problem, c, s);
        for (int32_t k = 0; k < h->n_clusters; k++)
            if (in_term(h, c, s, k))
                gain += worth[c * h->n_clusters + k] * iso_value(product->lot);
        best = fmax(best, cost > 0 ? gain / cost : gain > 0 ? INFINITY : 0);
    }
    return best;
}

static bool price_products(struct iso_master *master, int32_t *ret_n_new, struct iso_error *reterr)
{
    const struct iso_horizon_case *h = master->h;
    size_t n = (size_t)h->problem->n_products * (size_t)h->n_clusters;
    ISO_AUTO_MEM double *worth = iso_calloc(n, sizeof(*worth));
    ISO_AUTO_MEM int32_t *cover = iso_calloc(n, sizeof(*cover));
    struct offer chosen[PRODUCTS_A_ROUND];

    (void)reterr;
    *ret_n_new = 0;
    if (!worth || !cover)
        return false;
    value_products(master, worth, cover);
    for (int32_t c = 0; c < h->problem->n_products; c++) {
        double ratio = master->priced_in[c] ? 0 : best_ratio(master, c, worth);
        if (ratio > 1 + CLOSE)
            keep(chosen, ret_n_new, PRODUCTS_A_ROUND, (struct offer){c, -1, -ratio});
    }
    for (int32_t i = 0; i < *ret_n_new; i++) {
        int32_t c = chosen[i].column;
        if (!bring_in(master, c))
            return false;
        for (int32_t k = 0; k < h->n_clusters; k++) {
            int32_t at = c * h->n_clusters + k;
            if (worth[at] > 0 && master->commit_row[at] >= 0 &&
                !add_instance(master, k, column_of_cover(&h->slice, cover[at]), cover[at]))
                return false;
        }
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
            struct offer best[PER_CELL];
            int32_t n = 0;
            for (int32_t j = slice->first_column[a]; j < slice->first_column[a + 1]; j++)
                keep(best, &n, PER_CELL,
                     (struct offer){j, -1, price[j] / slice->columns[j].served});
            for (int32_t i = 0; i < n; i++)
                if (!add_instance(master, k, best[i].column, -1))
                    return false;
        }
    return true;
}

static enum iso_status solve_once(struct iso_master *master, enum iso_lp_outcome *ret_outcome,
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
        ISO_TRY(solve_once(master, ret_outcome, reterr));
        if (*ret_outcome != ISO_LP_OPTIMAL)
            return ISO_OK;
        if (iso_search_stops(&master->h->search)) {
            *ret_outcome = ISO_LP_STOPPED;
            return ISO_OK;
        }
        if (!price_instances(master, &n_new))
            return no_memory(reterr);
        if (n_new == 0 && !price_products(master, &n_new, reterr))
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

/* --- purchases --- */

/* The purchase that is farthest from whole, or -1. */
static int32_t most_fractional(const struct iso_master *master, const double *x, double *ret_value)
{
    int32_t n_starts = master->h->first_start[master->h->problem->n_products], best = -1;
    double farthest = WHOLE;

    for (int32_t i = 0; i < n_starts; i++) {
        int32_t j = master->buy_column[i];
        if (j < 0)
            continue;
        double from = fabs(x[j] - round(x[j]));
        if (from > farthest) {
            farthest = from;
            best = j;
            *ret_value = x[j];
        }
    }
    return best;
}

enum iso_status iso_master_dive(struct iso_master *master, struct iso_error *reterr)
{
    struct iso_horizon_case *h = master->h;
    ISO_AUTO_MEM double *x = iso_calloc((size_t)master->mip.n_columns, sizeof(*x));
    enum iso_lp_outcome outcome = ISO_LP_OPTIMAL;
    double value = 0;

    if (!x)
        return no_memory(reterr);
    for (;;) {
        iso_program_values(master->lp, x);
        int32_t j = most_fractional(master, x, &value);
        if (j < 0 || outcome != ISO_LP_OPTIMAL)
            break;
        double down = floor(value);
        double fixed = value - down >= UP_FROM ? down + 1 : down;
        ISO_TRY(iso_program_bound_column(master->lp, j, fixed, fixed, reterr));
        ISO_TRY(solve_once(master, &outcome, reterr));
    }
    for (int32_t i = 0; i < h->first_start[h->problem->n_products]; i++)
        if (master->buy_column[i] >= 0)
            h->bought[i] = llround(fmax(0, x[master->buy_column[i]]));
    return ISO_OK;
}

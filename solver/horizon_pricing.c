/* What prices in at the multipliers of the master: instances, and products as a whole. */
#include <math.h>
#include <stdlib.h>

#include "horizon.h"

#define CLOSE 1e-9 /* relative; reduced costs above -CLOSE * price are taken as >= 0 */
#define PER_CELL 3 /* paid columns that may come in a round, for each workload and cluster */
#define PRODUCTS_A_ROUND 25

double iso_master_worth(const struct iso_master *master, int32_t cluster, int32_t column)
{
    const struct iso_slice_column *j = &master->h->slice.columns[column];
    const struct iso_mip_entry *entries = &master->h->slice.entries[j->first_entry];
    const double *duals = &master->duals[cluster * master->h->slice.n_rows];
    double worth = 0;

    for (int32_t e = 0; e < j->n_entries; e++)
        worth += duals[entries[e].row] * entries[e].coefficient;
    return worth;
}

void iso_offer_keep(struct iso_offer *offers, int32_t *n, int32_t most, struct iso_offer offer)
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
    struct iso_offer paid[PER_CELL], covered[PER_CELL];
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
                iso_offer_keep(covered, &n_covered, PER_CELL, (struct iso_offer){j, i, reduced});
        }
        if (list - worth < -CLOSE * list &&
            !master->has_paid[(size_t)k * (size_t)slice->n_columns + (size_t)j])
            iso_offer_keep(paid, &n_paid, PER_CELL, (struct iso_offer){j, -1, list - worth});
    }
    *ret_n_new += n_paid + n_covered;
    for (int32_t i = 0; i < n_paid; i++)
        if (!iso_master_add_instance(master, k, paid[i].column, -1))
            return false;
    for (int32_t i = 0; i < n_covered; i++)
        if (!iso_master_add_instance(master, k, covered[i].column, covered[i].cover))
            return false;
    return true;
}

bool iso_master_price_instances(struct iso_master *master, int32_t *ret_n_new)
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
        double gain = 0, cost = iso_start_cost(h, c, s);
        for (int32_t k = 0; k < h->n_clusters; k++)
            if (iso_master_in_term(h, c, s, k))
                gain += worth[c * h->n_clusters + k] * iso_value(product->lot);
        best = fmax(best, cost > 0 ? gain / cost : gain > 0 ? INFINITY : 0);
    }
    return best;
}

bool iso_master_price_products(struct iso_master *master, int32_t *ret_n_new)
{
    const struct iso_horizon_case *h = master->h;
    size_t n = (size_t)h->problem->n_products * (size_t)h->n_clusters;
    ISO_AUTO_MEM double *worth = iso_calloc(n, sizeof(*worth));
    ISO_AUTO_MEM int32_t *cover = iso_calloc(n, sizeof(*cover));
    struct iso_offer chosen[PRODUCTS_A_ROUND];

    *ret_n_new = 0;
    if (!worth || !cover)
        return false;
    value_products(master, worth, cover);
    for (int32_t c = 0; c < h->problem->n_products; c++) {
        double ratio = master->priced_in[c] ? 0 : best_ratio(master, c, worth);
        if (ratio > 1 + CLOSE)
            iso_offer_keep(chosen, ret_n_new, PRODUCTS_A_ROUND, (struct iso_offer){c, -1, -ratio});
    }
    for (int32_t i = 0; i < *ret_n_new; i++) {
        int32_t c = chosen[i].column;
        if (!iso_master_bring_in(master, c))
            return false;
        for (int32_t k = 0; k < h->n_clusters; k++) {
            int32_t at = c * h->n_clusters + k;
            if (worth[at] > 0 && master->commit_row[at] >= 0 &&
                !iso_master_add_instance(master, k, column_of_cover(&h->slice, cover[at]),
                                         cover[at]))
                return false;
        }
    }
    return true;
}

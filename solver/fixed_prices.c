/* Multipliers of a relaxation in which purchases stand still.
 *
 * An instance behind link i costs rc_i >= 0 more than it is worth. Coverage v of it by a product
 * that is held prices out by the link's multiplier: what coverage saves is what the instance is
 * worth less. A product that is not held covers nothing, so its coverage must not make instances
 * look cheap: it prices out by its own commitment row,
 *
 *     psi_ct = max(0, max_v -(rc_v + rc_link(v)) / nu_v),
 *
 * which is what one unit of it would be worth in period t. */
#include <math.h>

#include "search.h"

/* Products of which something is held or bought in x. */
static void find_held(const struct iso_formulation *f, const double *x, uint8_t *held)
{
    for (int32_t c = 0; c < f->problem->n_products; c++)
        for (int32_t t = 0; t < f->problem->n_periods; t++)
            held[c] |= f->problem->products[c].existing[t] > 0;
    for (int32_t j = 0; j < f->mip.n_columns; j++)
        if (f->mip.columns[j].kind == ISO_COLUMN_BUY && x[j] > 0.5)
            held[f->mip.columns[j].a] = 1;
}

static void find_entries(const struct iso_mip *mip, const struct iso_mip_column *column,
                         int32_t *ret_link, int32_t *ret_commit, double *ret_use)
{
    *ret_link = *ret_commit = -1;
    *ret_use = 0;
    for (int32_t k = 0; k < column->n_entries; k++) {
        const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
        if (mip->rows[entry->row].kind == ISO_ROW_LINK_COVER) {
            *ret_link = entry->row;
        } else if (mip->rows[entry->row].kind == ISO_ROW_COMMIT) {
            *ret_commit = entry->row;
            *ret_use = entry->coefficient;
        }
    }
}

static void price_held(const struct iso_mip *mip, const uint8_t *held, double *duals)
{
    int32_t link, commit;
    double use;

    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        if (column->kind != ISO_COLUMN_COVER || !held[column->a])
            continue;
        find_entries(mip, column, &link, &commit, &use);
        duals[link] = fmax(duals[link], duals[link] - iso_reduced_cost(mip, duals, j));
    }
}

/* The least that an instance behind each link costs more than it is worth. */
static void price_instances(const struct iso_mip *mip, const double *duals, double *ret_instance)
{
    for (int32_t i = 0; i < mip->n_rows; i++)
        ret_instance[i] = INFINITY;
    for (int32_t j = 0; j < mip->n_columns; j++) {
        int32_t link, commit;
        double use;
        if (!iso_column_runs(&mip->columns[j]))
            continue;
        find_entries(mip, &mip->columns[j], &link, &commit, &use);
        if (link >= 0)
            ret_instance[link] = fmin(ret_instance[link], fmax(0, iso_reduced_cost(mip, duals, j)));
    }
}

enum iso_status iso_price_fixed_purchases(const struct iso_search *search, const double *x,
                                          double *duals, struct iso_error *reterr)
{
    const struct iso_formulation *f = search->formulation;
    const struct iso_mip *mip = &f->mip;
    ISO_AUTO_MEM uint8_t *held = iso_calloc((size_t)f->problem->n_products, 1);
    ISO_AUTO_MEM double *instance = iso_calloc((size_t)mip->n_rows, sizeof(*instance));
    int32_t link, commit;
    double use;

    if (!held || !instance)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for prices");
    find_held(f, x, held);
    price_held(mip, held, duals);
    price_instances(mip, duals, instance);
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        if (column->kind != ISO_COLUMN_COVER || held[column->a])
            continue;
        find_entries(mip, column, &link, &commit, &use);
        double pair = instance[link] + iso_reduced_cost(mip, duals, j);
        if (pair < 0 && use > 0)
            duals[commit] += pair / use;
    }
    return ISO_OK;
}

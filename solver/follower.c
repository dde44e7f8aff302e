#include "follower.h"

#include <stdlib.h>
#include <string.h>

/* A row with more of them stands for a rule over the whole horizon; they stay where they are. */
#define MOST_FOLLOWERS 400

static bool follows(int row_kind, const struct iso_mip_column *column)
{
    if (iso_column_runs(column) || column->kind == ISO_COLUMN_BUY ||
        column->kind == ISO_COLUMN_DOMAIN || column->kind == ISO_COLUMN_PRESENCE ||
        row_kind == ISO_ROW_FREEZE || row_kind == ISO_ROW_RAMP_CAP)
        return false; /* starts of what stands still are as they are */
    if (row_kind == ISO_ROW_BUDGET)
        return column->kind == ISO_COLUMN_OVER_BUDGET;
    return true;
}

enum iso_status iso_followers_init(struct iso_followers *followers,
                                   const struct iso_formulation *formulation,
                                   struct iso_error *reterr)
{
    const struct iso_mip *mip = &formulation->mip;
    const struct iso_problem *problem = formulation->problem;

    followers->standing = iso_calloc((size_t)problem->n_products, 1);
    followers->held = iso_calloc((size_t)problem->n_products, 1);
    followers->purchases = iso_calloc((size_t)mip->n_columns, sizeof(*followers->purchases));
    followers->first = iso_calloc((size_t)mip->n_rows + 2, sizeof(*followers->first));
    followers->columns = iso_calloc((size_t)mip->n_entries, sizeof(*followers->columns));
    if (!followers->first || !followers->columns || !followers->standing || !followers->held ||
        !followers->purchases)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a neighbourhood");
    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t t = 0; t < problem->n_periods; t++)
            followers->standing[c] |= problem->products[c].existing[t] > 0;
    memcpy(followers->held, followers->standing, (size_t)problem->n_products);
    for (int32_t j = 0; j < mip->n_columns; j++)
        if (mip->columns[j].kind == ISO_COLUMN_BUY)
            followers->purchases[followers->n_purchases++] = j;
    for (int pass = 0; pass < 2; pass++) {
        for (int32_t j = 0; j < mip->n_columns; j++)
            for (int32_t k = 0; k < mip->columns[j].n_entries; k++) {
                int32_t row = mip->entries[mip->columns[j].first_entry + k].row;
                if (!follows(mip->rows[row].kind, &mip->columns[j]))
                    continue;
                if (pass == 0)
                    followers->first[row + 2]++;
                else
                    followers->columns[followers->first[row + 1]++] = j;
            }
        for (int32_t i = 0; i < mip->n_rows && pass == 0; i++)
            followers->first[i + 2] += followers->first[i + 1];
    }
    return ISO_OK;
}

void iso_followers_fini(struct iso_followers *followers)
{
    free(followers->first);
    free(followers->columns);
    free(followers->purchases);
    free(followers->standing);
    free(followers->held);
    *followers = (struct iso_followers){0};
}

void iso_followers_look(struct iso_followers *followers, const struct iso_neighbourhood *n)
{
    const struct iso_mip *mip = &n->search->formulation->mip;

    for (int pass = 0; pass < 2; pass++)
        for (int32_t i = 0; i < followers->n_purchases; i++) {
            int32_t j = followers->purchases[i], c = mip->columns[j].a;
            if (pass == 0)
                followers->held[c] = followers->standing[c];
            else if (n->x[j] != 0)
                followers->held[c] = 1;
        }
}

void iso_followers_free(const struct iso_followers *followers, struct iso_neighbourhood *n)
{
    const struct iso_mip *mip = &n->search->formulation->mip;

    for (int32_t i = 0; i < n->n_free; i++) { /* the set grows while it is read */
        const struct iso_mip_column *column = &mip->columns[n->free_columns[i]];
        for (int32_t k = 0; k < column->n_entries; k++) {
            int32_t row = mip->entries[column->first_entry + k].row;
            int32_t first = followers->first[row], end = followers->first[row + 1];
            for (int32_t at = first; at < end && end - first <= MOST_FOLLOWERS; at++) {
                const struct iso_mip_column *follower = &mip->columns[followers->columns[at]];
                if (follower->kind == ISO_COLUMN_COVER && !followers->held[follower->a] &&
                    n->x[followers->columns[at]] == 0)
                    continue;
                iso_neighbourhood_free(n, followers->columns[at], follower->lower, follower->upper);
            }
        }
    }
}

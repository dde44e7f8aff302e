/* A product covers instances of a period up to K; each uses nu of it and saves s. Which cell they
 * belong to does not matter within the product's scope, so for one pool the product is a purse:
 * what is held and bought less what all other cells use. Where other cells have more to cover than
 * there is, the room is below 0 and nothing is saved here. What is offered as a plan is valued
 * exactly, by the best coverage of its instances; the purse is for choosing between fillings. */
#include "purses.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_CHARGE 0.02 /* of what a unit saves: where units are left over, few are better */

static void read_coverage(const struct iso_mip *mip, const struct iso_mip_column *column,
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

enum iso_status iso_purses_init(struct iso_purses *purses, const struct iso_search *search,
                                const double *duals, struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    size_t n_rows = (size_t)mip->n_rows;
    int32_t link, commit;
    double use;

    *purses = (struct iso_purses){.n_rows = mip->n_rows};
    purses->cover = iso_calloc(n_rows, sizeof(*purses->cover));
    purses->price = iso_calloc(n_rows, sizeof(*purses->price));
    purses->room = iso_calloc(n_rows, sizeof(*purses->room));
    purses->behind = iso_calloc(n_rows, sizeof(*purses->behind));
    if (!purses->cover || !purses->price || !purses->room || !purses->behind)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for what is committed");
    for (int32_t i = 0; i < mip->n_rows; i++) {
        purses->cover[i].commit = -1;
        if (mip->rows[i].kind == ISO_ROW_COMMIT)
            purses->price[i] = fmax(0, -duals[i]);
    }
    for (int32_t j = 0; j < mip->n_columns; j++) {
        if (mip->columns[j].kind != ISO_COLUMN_COVER)
            continue;
        read_coverage(mip, &mip->columns[j], &link, &commit, &use);
        if (link < 0 || commit < 0 || use <= 0)
            continue;
        struct iso_coverage *cover = &purses->cover[link];
        double saved = -mip->objective[j] - use * purses->price[commit];
        if (cover->commit < 0 || saved > cover->saving - cover->use * purses->price[cover->commit])
            *cover = (struct iso_coverage){commit, use, -mip->objective[j]};
    }
    return ISO_OK;
}

void iso_purses_fini(struct iso_purses *purses)
{
    free(purses->cover);
    free(purses->price);
    free(purses->room);
    free(purses->behind);
    *purses = (struct iso_purses){0};
}

void iso_purses_open(struct iso_purses *purses, const struct iso_search *search,
                     const double *point, int32_t team)
{
    const struct iso_mip *mip = &search->formulation->mip;
    int32_t cell = team < 0 ? -1 : search->problem->n_workloads + team;

    memset(purses->behind, 0, (size_t)purses->n_rows * sizeof(*purses->behind));
    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        double value = column->kind == ISO_COLUMN_BUY ? ceil(point[j] - 1e-6) : point[j];
        if (value == 0 || (column->kind != ISO_COLUMN_BUY && !iso_column_runs(column)))
            continue;
        for (int32_t k = 0; k < column->n_entries; k++) {
            const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
            if (entry->row < purses->n_rows)
                purses->behind[entry->row] += value * entry->coefficient;
        }
    }
    for (int32_t i = 0; i < purses->n_rows; i++)
        if (mip->rows[i].kind == ISO_ROW_COMMIT)
            purses->room[i] = mip->rows[i].upper - purses->behind[i];
    for (int32_t i = 0; i < purses->n_rows; i++)
        if (purses->cover[i].commit >= 0 && mip->rows[i].a != cell)
            purses->room[purses->cover[i].commit] -= purses->cover[i].use * purses->behind[i];
}

double iso_purses_charge(const struct iso_purses *purses, int32_t link, double price)
{
    const struct iso_coverage *cover = link >= 0 ? &purses->cover[link] : NULL;

    if (!cover || cover->commit < 0)
        return price;
    double covered = fmin(1, fmax(0, purses->room[cover->commit]) / cover->use);
    double charge = fmax(purses->price[cover->commit] * cover->use, LEAST_CHARGE * cover->saving);
    return fmax(0, price - covered * fmax(0, cover->saving - charge));
}

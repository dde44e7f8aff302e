#include "neighbourhood.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of sums of fixed columns, relative: without it a row that just holds may ask for one more. */
#define NOISE 1e-11

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a neighbourhood");
}

enum iso_status iso_neighbourhood_init(struct iso_neighbourhood *n, struct iso_search *search,
                                       const double *x, struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;
    size_t n_columns = (size_t)mip->n_columns, n_rows = (size_t)mip->n_rows;

    n->search = search;
    n->x = iso_calloc(n_columns, sizeof(*n->x));
    n->activity = iso_calloc(n_rows, sizeof(*n->activity));
    n->free_columns = iso_calloc(n_columns, sizeof(*n->free_columns));
    n->lower = iso_calloc(n_columns, sizeof(*n->lower));
    n->upper = iso_calloc(n_columns, sizeof(*n->upper));
    n->is_free = iso_calloc(n_columns, 1);
    n->row_place = iso_calloc(n_rows, sizeof(*n->row_place));
    n->touched_rows = iso_calloc(n_rows, sizeof(*n->touched_rows));
    if (!n->x || !n->activity || !n->free_columns || !n->lower || !n->upper || !n->is_free ||
        !n->row_place || !n->touched_rows)
        return no_memory(reterr);
    for (size_t i = 0; i < n_rows; i++)
        n->row_place[i] = -1;
    iso_neighbourhood_move(n, x);
    return ISO_OK;
}

void iso_neighbourhood_fini(struct iso_neighbourhood *n)
{
    void *const arrays[] = {n->x,       n->activity,  n->free_columns, n->lower,  n->upper,
                            n->is_free, n->row_place, n->touched_rows, n->small_x};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
    iso_mip_fini(&n->small);
    memset(n, 0, sizeof(*n));
}

void iso_neighbourhood_move(struct iso_neighbourhood *n, const double *x)
{
    const struct iso_mip *mip = &n->search->formulation->mip;

    memcpy(n->x, x, (size_t)mip->n_columns * sizeof(*x));
    memset(n->activity, 0, (size_t)mip->n_rows * sizeof(*n->activity));
    for (int32_t j = 0; j < mip->n_columns; j++)
        for (int32_t k = 0; k < mip->columns[j].n_entries && x[j] != 0; k++) {
            const struct iso_mip_entry *entry = &mip->entries[mip->columns[j].first_entry + k];
            n->activity[entry->row] += x[j] * entry->coefficient;
        }
}

void iso_neighbourhood_set(struct iso_neighbourhood *n, int32_t column, double value)
{
    const struct iso_mip *mip = &n->search->formulation->mip;
    const struct iso_mip_column *c = &mip->columns[column];
    double by = value - n->x[column];

    if (by == 0)
        return;
    n->x[column] = value;
    for (int32_t k = 0; k < c->n_entries; k++)
        n->activity[mip->entries[c->first_entry + k].row] +=
            by * mip->entries[c->first_entry + k].coefficient;
}

void iso_neighbourhood_clear(struct iso_neighbourhood *n)
{
    for (int32_t i = 0; i < n->n_free; i++)
        n->is_free[n->free_columns[i]] = 0;
    n->n_free = 0;
}

void iso_neighbourhood_free(struct iso_neighbourhood *n, int32_t column, double lower, double upper)
{
    if (n->is_free[column])
        return;
    n->is_free[column] = 1;
    n->free_columns[n->n_free] = column;
    n->lower[n->n_free] = lower;
    n->upper[n->n_free++] = upper;
}

double iso_neighbourhood_value(const struct iso_neighbourhood *n)
{
    const struct iso_mip *mip = &n->search->formulation->mip;
    double value = 0;

    for (int32_t i = 0; i < n->n_free; i++)
        value += mip->objective[n->free_columns[i]] * n->x[n->free_columns[i]];
    return value;
}

/* Rows that the free columns touch, with what the fixed ones leave of their sides. */
static bool add_rows(struct iso_neighbourhood *n, int32_t *ret_n_rows)
{
    const struct iso_mip *mip = &n->search->formulation->mip;
    int32_t n_rows = 0;

    for (int32_t i = 0; i < n->n_free; i++) {
        const struct iso_mip_column *column = &mip->columns[n->free_columns[i]];
        for (int32_t k = 0; k < column->n_entries; k++) {
            int32_t row = mip->entries[column->first_entry + k].row;
            if (n->row_place[row] < 0) {
                n->row_place[row] = n_rows;
                n->touched_rows[n_rows++] = row;
                struct iso_mip_row small = mip->rows[row];
                double noise = NOISE * (1 + fabs(n->activity[row]));
                small.lower -= n->activity[row] + noise;
                small.upper -= n->activity[row] - noise;
                if (iso_mip_add_row(&n->small, &small) < 0)
                    return false;
            }
            double given =
                n->x[n->free_columns[i]] * mip->entries[column->first_entry + k].coefficient;
            n->small.rows[n->row_place[row]].lower += given;
            n->small.rows[n->row_place[row]].upper += given;
        }
    }
    *ret_n_rows = n_rows;
    return true;
}

static bool add_columns(struct iso_neighbourhood *n)
{
    const struct iso_mip *mip = &n->search->formulation->mip;

    for (int32_t i = 0; i < n->n_free; i++) {
        struct iso_mip_column column = mip->columns[n->free_columns[i]];
        const struct iso_mip_entry *entries = &mip->entries[column.first_entry];
        int32_t n_entries = column.n_entries;
        column.lower = n->lower[i];
        column.upper = n->upper[i];
        int32_t at = iso_mip_add_column(&n->small, &column);
        if (at < 0)
            return false;
        n->small.objective[at] = mip->objective[n->free_columns[i]];
        for (int32_t k = 0; k < n_entries; k++)
            if (!iso_mip_add_entry(&n->small, n->row_place[entries[k].row], entries[k].coefficient))
                return false;
    }
    return true;
}

/* For each row with a price a column for what is above its upper side. */
static bool add_excess(struct iso_neighbourhood *n, int32_t n_rows)
{
    for (int32_t i = 0; i < n_rows && n->price; i++) {
        struct iso_mip_column excess = {.kind = ISO_COLUMN_OVER_BUDGET, .upper = INFINITY};
        if (n->price[n->touched_rows[i]] <= 0)
            continue;
        int32_t at = iso_mip_add_column(&n->small, &excess);
        if (at < 0 || !iso_mip_add_entry(&n->small, i, -1))
            return false;
        n->small.objective[at] = n->price[n->touched_rows[i]];
    }
    return true;
}

static enum iso_status build(struct iso_neighbourhood *n, struct iso_error *reterr)
{
    int32_t n_rows = 0;

    n->small.n_columns = n->small.n_rows = n->small.n_entries = 0;
    bool built = add_rows(n, &n_rows) && add_columns(n) && add_excess(n, n_rows);
    for (int32_t i = 0; i < n_rows; i++)
        n->row_place[n->touched_rows[i]] = -1;
    if (built && n->small_room < n->small.n_columns) {
        double *moved = iso_realloc(n->small_x, (size_t)n->small.n_columns, sizeof(*moved));
        built = moved != NULL;
        n->small_x = moved ? moved : n->small_x;
        n->small_room = moved ? n->small.n_columns : n->small_room;
    }
    return built ? ISO_OK : no_memory(reterr);
}

enum iso_status iso_neighbourhood_solve(struct iso_neighbourhood *n, double cutoff,
                                        const struct iso_mip_limits *limits, bool *ret_found,
                                        bool *ret_solved, struct iso_error *reterr)
{
    const struct iso_mip *mip = &n->search->formulation->mip;
    struct iso_control control = iso_search_control(n->search);
    struct iso_mip_result result;

    *ret_found = *ret_solved = false;
    if (n->n_free == 0)
        return ISO_OK;
    ISO_TRY(build(n, reterr));
    ISO_TRY(iso_mip_solve(&n->small, NULL, cutoff, limits, &control, &result, n->small_x, reterr));
    n->search->nodes += result.nodes;
    *ret_solved = result.outcome != ISO_MIP_STOPPED;
    if (!result.has_x)
        return ISO_OK;
    for (int32_t i = 0; i < n->n_free; i++) {
        int32_t j = n->free_columns[i];
        double value = mip->columns[j].integer ? round(n->small_x[i]) : n->small_x[i];
        iso_neighbourhood_set(n, j, value);
    }
    *ret_found = true;
    return ISO_OK;
}

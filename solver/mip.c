#include "mip.h"

#include <stdlib.h>
#include <string.h>

void iso_mip_fini(struct iso_mip *mip)
{
    free(mip->columns);
    free(mip->rows);
    free(mip->entries);
    free(mip->objective);
    memset(mip, 0, sizeof(*mip));
}

/* Makes room for one more element; the array is moved. */
static bool grow(void **array, int32_t n, int32_t *room, size_t size)
{
    if (n < *room)
        return true;
    if (*room > INT32_MAX / 2)
        return false;
    int32_t wanted = *room ? *room * 2 : 64;
    void *moved = iso_realloc(*array, (size_t)wanted, size);
    if (!moved)
        return false;
    *array = moved;
    *room = wanted;
    return true;
}

int32_t iso_mip_add_row(struct iso_mip *mip, const struct iso_mip_row *row)
{
    void *rows = mip->rows;
    bool ok = grow(&rows, mip->n_rows, &mip->rows_room, sizeof(*mip->rows));

    mip->rows = rows;
    if (!ok)
        return -1;
    mip->rows[mip->n_rows] = *row;
    return mip->n_rows++;
}

int32_t iso_mip_add_column(struct iso_mip *mip, const struct iso_mip_column *column)
{
    int32_t room = mip->columns_room;
    void *columns = mip->columns;
    bool ok = grow(&columns, mip->n_columns, &room, sizeof(*mip->columns));

    mip->columns = columns;
    if (!ok)
        return -1;
    if (room != mip->columns_room) {
        double *objective = iso_realloc(mip->objective, (size_t)room, sizeof(*objective));
        if (!objective)
            return -1;
        mip->objective = objective;
        mip->columns_room = room;
    }
    mip->columns[mip->n_columns] = *column;
    mip->columns[mip->n_columns].first_entry = mip->n_entries;
    mip->columns[mip->n_columns].n_entries = 0;
    mip->objective[mip->n_columns] = 0;
    return mip->n_columns++;
}

bool iso_mip_add_entry(struct iso_mip *mip, int32_t row, double coefficient)
{
    if (coefficient == 0)
        return true;
    void *entries = mip->entries;
    bool ok = grow(&entries, mip->n_entries, &mip->entries_room, sizeof(*mip->entries));

    mip->entries = entries;
    if (!ok)
        return false;
    mip->entries[mip->n_entries++] = (struct iso_mip_entry){row, coefficient};
    mip->columns[mip->n_columns - 1].n_entries++;
    return true;
}

bool iso_mip_fill_row(struct iso_mip *mip, int32_t row, const double *coefficients)
{
    int32_t n_new = 0, next = 0;

    for (int32_t j = 0; j < mip->n_columns; j++)
        n_new += coefficients[j] != 0;
    if (n_new == 0)
        return true;
    ISO_AUTO_MEM struct iso_mip_entry *entries =
        iso_calloc((size_t)(mip->n_entries + n_new), sizeof(*entries));
    if (!entries)
        return false;
    for (int32_t j = 0; j < mip->n_columns; j++) {
        struct iso_mip_column *column = &mip->columns[j];
        memcpy(&entries[next], &mip->entries[column->first_entry],
               (size_t)column->n_entries * sizeof(*entries));
        column->first_entry = next;
        next += column->n_entries;
        if (coefficients[j] != 0) {
            entries[next++] = (struct iso_mip_entry){row, coefficients[j]};
            column->n_entries++;
        }
    }
    free(mip->entries);
    mip->entries = ISO_STEAL(entries);
    mip->n_entries = next;
    mip->entries_room = next;
    return true;
}

int32_t iso_mip_add_dense_row(struct iso_mip *mip, const struct iso_mip_row *row,
                              const double *coefficients)
{
    int32_t index = iso_mip_add_row(mip, row);

    return index >= 0 && iso_mip_fill_row(mip, index, coefficients) ? index : -1;
}

bool iso_mip_copy(struct iso_mip *copy, const struct iso_mip *mip)
{
    *copy = (struct iso_mip){.n_columns = mip->n_columns,
                             .n_rows = mip->n_rows,
                             .n_entries = mip->n_entries,
                             .columns_room = mip->n_columns,
                             .rows_room = mip->n_rows,
                             .entries_room = mip->n_entries};
    copy->columns = iso_calloc((size_t)mip->n_columns, sizeof(*copy->columns));
    copy->rows = iso_calloc((size_t)mip->n_rows, sizeof(*copy->rows));
    copy->entries = iso_calloc((size_t)mip->n_entries, sizeof(*copy->entries));
    copy->objective = iso_calloc((size_t)mip->n_columns, sizeof(*copy->objective));
    if (!copy->columns || !copy->rows || !copy->entries || !copy->objective)
        return false;
    if (mip->n_columns)
        memcpy(copy->objective, mip->objective, (size_t)mip->n_columns * sizeof(*copy->objective));
    if (mip->n_columns)
        memcpy(copy->columns, mip->columns, (size_t)mip->n_columns * sizeof(*copy->columns));
    if (mip->n_rows)
        memcpy(copy->rows, mip->rows, (size_t)mip->n_rows * sizeof(*copy->rows));
    if (mip->n_entries)
        memcpy(copy->entries, mip->entries, (size_t)mip->n_entries * sizeof(*copy->entries));
    return true;
}

double iso_mip_value(const struct iso_mip *mip, const double *x)
{
    double value = 0;

    for (int32_t j = 0; j < mip->n_columns; j++)
        value += mip->objective[j] * x[j];
    return value;
}

bool iso_mip_has(const struct iso_mip *mip, enum iso_column_kind kind)
{
    for (int32_t j = 0; j < mip->n_columns; j++)
        if (mip->columns[j].kind == kind)
            return true;
    return false;
}

void iso_mip_shift(const struct iso_mip *mip, int32_t j, double by, double *activity)
{
    const struct iso_mip_column *column = &mip->columns[j];

    for (int32_t k = 0; k < column->n_entries; k++) {
        const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
        activity[entry->row] += by * entry->coefficient;
    }
}

void iso_mip_activity(const struct iso_mip *mip, const double *x, double *ret_activity)
{
    memset(ret_activity, 0, (size_t)mip->n_rows * sizeof(*ret_activity));
    for (int32_t j = 0; j < mip->n_columns; j++)
        if (x[j] != 0)
            iso_mip_shift(mip, j, x[j], ret_activity);
}

/* How full the rows are while a first plan is made, and what stands in the way of a column. */
#include "incumbent_state.h"

#include <math.h>
#include <stdlib.h>

#define FIRST_TOLL 0.25 /* of what the columns under a limit cost for a unit of it */
#define RAISE 1.6

void iso_greedy_fini(struct iso_greedy *greedy)
{
    free(greedy->toll);
    free(greedy->blocked);
    free(greedy->price);
    free(greedy->first);
    free(greedy->columns);
    free(greedy->coefficients);
    free(greedy->activity);
    free(greedy->x);
}

bool iso_greedy_decides(const struct iso_mip_column *column)
{
    return iso_column_runs(column) || column->kind == ISO_COLUMN_PLACE;
}

enum iso_status iso_greedy_init(struct iso_greedy *greedy, struct iso_search *search,
                                struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;

    greedy->search = search;
    greedy->mip = mip;
    greedy->toll = iso_calloc((size_t)mip->n_rows, sizeof(*greedy->toll));
    greedy->blocked = iso_calloc((size_t)mip->n_rows, 1);
    greedy->price = iso_calloc((size_t)mip->n_columns, sizeof(*greedy->price));
    greedy->first = iso_calloc((size_t)mip->n_rows + 2, sizeof(*greedy->first));
    greedy->columns = iso_calloc((size_t)mip->n_entries, sizeof(*greedy->columns));
    greedy->coefficients = iso_calloc((size_t)mip->n_entries, sizeof(*greedy->coefficients));
    greedy->activity = iso_calloc((size_t)mip->n_rows, sizeof(*greedy->activity));
    greedy->x = iso_calloc((size_t)mip->n_columns, sizeof(*greedy->x));
    if (!greedy->toll || !greedy->blocked || !greedy->price || !greedy->first || !greedy->columns ||
        !greedy->coefficients || !greedy->activity || !greedy->x)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a first plan");
    greedy->has_presence = iso_mip_has(mip, ISO_COLUMN_PRESENCE);
    for (int pass = 0; pass < 2; pass++) {
        for (int32_t j = 0; j < mip->n_columns; j++) {
            const struct iso_mip_column *column = &mip->columns[j];
            for (int32_t k = 0; k < column->n_entries && iso_greedy_decides(column); k++) {
                const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
                if (entry->coefficient <= 0)
                    continue;
                if (pass == 0) {
                    greedy->first[entry->row + 2]++;
                } else {
                    int32_t at = greedy->first[entry->row + 1]++;
                    greedy->columns[at] = j;
                    greedy->coefficients[at] = entry->coefficient;
                }
            }
        }
        for (int32_t i = 0; i < mip->n_rows && pass == 0; i++)
            greedy->first[i + 2] += greedy->first[i + 1];
    }
    return ISO_OK;
}

void iso_greedy_change(struct iso_greedy *greedy, int32_t j, double by)
{
    greedy->x[j] += by;
    iso_mip_shift(greedy->mip, j, by, greedy->activity);
}

bool iso_greedy_adapts(const struct iso_mip_row *row)
{
    return row->kind == ISO_ROW_COMMIT || row->kind == ISO_ROW_LINK_COVER ||
           row->kind == ISO_ROW_MOVE || row->kind == ISO_ROW_MOVES || row->kind == ISO_ROW_RAMP;
}

double iso_greedy_tolerance(double side)
{
    return ISO_GREEDY_SLACK * (1 + fabs(side));
}

/* What the cap on a share leaves: max * demand, also of the part of the demand that is not served
 * yet. Without it nothing could come first. */
static double share_room(const struct iso_greedy *greedy, const struct iso_mip_row *row,
                         double activity, double coefficient)
{
    const struct iso_formulation *f = greedy->search->formulation;
    int32_t demand_row = f->demand_row[row->a * f->problem->n_periods + row->c];
    double most = iso_value(f->problem->workloads[row->a].shares[row->b].maximum);
    double missing = fmax(0, greedy->mip->rows[demand_row].lower - greedy->activity[demand_row]);
    double amount = coefficient / (1 - most);

    return fmax(floor((row->upper - activity) / coefficient + ISO_GREEDY_SLACK),
                floor(fmin(missing, most * missing - activity) / amount + ISO_GREEDY_SLACK));
}

double iso_greedy_room(const struct iso_greedy *greedy, int32_t j, double most, int32_t *ret_row)
{
    const struct iso_mip_column *column = &greedy->mip->columns[j];
    double room = fmin(most, column->upper - greedy->x[j]);

    *ret_row = -1;
    for (int32_t k = 0; k < column->n_entries && room >= 1; k++) {
        const struct iso_mip_entry *entry = &greedy->mip->entries[column->first_entry + k];
        const struct iso_mip_row *row = &greedy->mip->rows[entry->row];
        double activity = greedy->activity[entry->row];
        if (iso_greedy_adapts(row) || (greedy->overspends && row->kind == ISO_ROW_BUDGET))
            continue;
        if (entry->coefficient > 0 && row->kind == ISO_ROW_SHARE_MAX && !isinf(row->upper))
            room = fmin(room, share_room(greedy, row, activity, entry->coefficient));
        else if (entry->coefficient > 0 && !isinf(row->upper))
            room = fmin(room, floor((row->upper - activity + iso_greedy_tolerance(row->upper)) /
                                    entry->coefficient));
        else if (entry->coefficient < 0 &&
                 (row->kind == ISO_ROW_LINK_PLACE || row->kind == ISO_ROW_PRESENCE))
            room = fmin(room, floor((activity + ISO_GREEDY_SLACK) / -entry->coefficient));
        if (room < 1)
            *ret_row = entry->row;
    }
    return room;
}

static bool takes_toll(const struct iso_mip_row *row)
{
    return (row->kind == ISO_ROW_LIMIT || row->kind == ISO_ROW_BUDGET) && !isinf(row->upper);
}

void iso_greedy_note_blocked(struct iso_greedy *greedy, int32_t i)
{
    for (int32_t at = greedy->first[i]; at < greedy->first[i + 1]; at++) {
        int32_t row;
        iso_greedy_room(greedy, greedy->columns[at], 1, &row);
        if (row >= 0 && takes_toll(&greedy->mip->rows[row]))
            greedy->blocked[row] = 1;
    }
}

/* What a row's columns in the plan cost for a unit of it. */
static double unit_money(const struct iso_greedy *greedy, int32_t i)
{
    double money = 0, units = 0;

    for (int32_t at = greedy->first[i]; at < greedy->first[i + 1]; at++) {
        int32_t j = greedy->columns[at];
        money += greedy->x[j] * greedy->search->money[j];
        units += greedy->x[j] * greedy->coefficients[at];
    }
    return units > 0 ? money / units : 0;
}

static void add_tolls(struct iso_greedy *greedy)
{
    for (int32_t j = 0; j < greedy->mip->n_columns; j++) {
        const struct iso_mip_column *column = &greedy->mip->columns[j];
        greedy->price[j] = greedy->search->money[j];
        for (int32_t k = 0; k < column->n_entries; k++) {
            const struct iso_mip_entry *entry = &greedy->mip->entries[column->first_entry + k];
            greedy->price[j] += greedy->toll[entry->row] * fmax(0, entry->coefficient);
        }
    }
}

void iso_greedy_start_tolls(struct iso_greedy *greedy, const double *duals)
{
    for (int32_t i = 0; i < greedy->mip->n_rows; i++) {
        greedy->toll[i] = duals && takes_toll(&greedy->mip->rows[i]) ? fmax(0, -duals[i]) : 0;
        greedy->blocked[i] = 0;
    }
    add_tolls(greedy);
}

int32_t iso_greedy_raise_tolls(struct iso_greedy *greedy)
{
    int32_t n = 0;

    for (int32_t i = 0; i < greedy->mip->n_rows; i++) {
        if (greedy->blocked[i])
            greedy->toll[i] = fmax(RAISE * greedy->toll[i], FIRST_TOLL * unit_money(greedy, i));
        n += greedy->blocked[i];
        greedy->blocked[i] = 0;
    }
    add_tolls(greedy);
    return n;
}

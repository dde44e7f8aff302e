/* First plans: an answer in milliseconds, whatever the tree does later.
 *
 * For several thresholds theta: x = floor(x_LP + 1 - theta) for the whole columns, then for each
 * row that asks for more the column with the least cost for what it adds is taken, as long as no
 * cap breaks; where rounding broke the cap on a share others serve more; then whatever can go again
 * goes. The rest of the columns follow by a linear program.
 *
 * As long as there is no plan, limits and budgets that stood in the way take a toll of every column
 * under them, and the rows are filled again: what can do without a scarce thing leaves it to what
 * cannot (multipliers raised by what is asked too much, as in Lagrangian heuristics). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search.h"

#define SLACK 1e-9
#define TOLL_ROUNDS 12  /* times that tolls are raised */
#define FIRST_TOLL 0.25 /* of what the columns under a limit cost for a unit of it */
#define RAISE 1.6

/* The rows' columns, and how full each row is. */
struct cover {
    struct iso_search *search;
    const struct iso_mip *mip;
    double *toll;             /* n_rows: money for a unit of a limit or budget */
    uint8_t *blocked;         /* n_rows: a column could not come in for it */
    double *price;            /* n_columns: money and tolls */
    int32_t *first, *columns; /* columns with a positive entry in each row */
    double *coefficients;
    double *activity; /* n_rows */
    double *x;        /* n_columns */
};

static void cover_fini(struct cover *cover)
{
    free(cover->toll);
    free(cover->blocked);
    free(cover->price);
    free(cover->first);
    free(cover->columns);
    free(cover->coefficients);
    free(cover->activity);
    free(cover->x);
}

static bool decided_by_greedy(const struct iso_mip_column *column)
{
    return iso_column_runs(column) || column->kind == ISO_COLUMN_PLACE;
}

static enum iso_status cover_init(struct cover *cover, struct iso_search *search,
                                  struct iso_error *reterr)
{
    const struct iso_mip *mip = &search->formulation->mip;

    cover->search = search;
    cover->mip = mip;
    cover->toll = iso_calloc((size_t)mip->n_rows, sizeof(*cover->toll));
    cover->blocked = iso_calloc((size_t)mip->n_rows, 1);
    cover->price = iso_calloc((size_t)mip->n_columns, sizeof(*cover->price));
    cover->first = iso_calloc((size_t)mip->n_rows + 2, sizeof(*cover->first));
    cover->columns = iso_calloc((size_t)mip->n_entries, sizeof(*cover->columns));
    cover->coefficients = iso_calloc((size_t)mip->n_entries, sizeof(*cover->coefficients));
    cover->activity = iso_calloc((size_t)mip->n_rows, sizeof(*cover->activity));
    cover->x = iso_calloc((size_t)mip->n_columns, sizeof(*cover->x));
    if (!cover->toll || !cover->blocked || !cover->price || !cover->first || !cover->columns ||
        !cover->coefficients || !cover->activity || !cover->x)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a first plan");
    for (int pass = 0; pass < 2; pass++) {
        for (int32_t j = 0; j < mip->n_columns; j++) {
            const struct iso_mip_column *column = &mip->columns[j];
            for (int32_t k = 0; k < column->n_entries && decided_by_greedy(column); k++) {
                const struct iso_mip_entry *entry = &mip->entries[column->first_entry + k];
                if (entry->coefficient <= 0)
                    continue;
                if (pass == 0) {
                    cover->first[entry->row + 2]++;
                } else {
                    int32_t at = cover->first[entry->row + 1]++;
                    cover->columns[at] = j;
                    cover->coefficients[at] = entry->coefficient;
                }
            }
        }
        for (int32_t i = 0; i < mip->n_rows && pass == 0; i++)
            cover->first[i + 2] += cover->first[i + 1];
    }
    return ISO_OK;
}

static void change(struct cover *cover, int32_t j, double by)
{
    const struct iso_mip_column *column = &cover->mip->columns[j];

    cover->x[j] += by;
    for (int32_t k = 0; k < column->n_entries; k++)
        cover->activity[cover->mip->entries[column->first_entry + k].row] +=
            by * cover->mip->entries[column->first_entry + k].coefficient;
}

/* Rows whose other columns adapt to whole columns by themselves. */
static bool adapts(const struct iso_mip_row *row)
{
    return row->kind == ISO_ROW_COMMIT || row->kind == ISO_ROW_LINK_COVER ||
           row->kind == ISO_ROW_MOVE || row->kind == ISO_ROW_MOVES || row->kind == ISO_ROW_RAMP;
}

static double tolerance(double side)
{
    return SLACK * (1 + fabs(side));
}

/* What the cap on a share leaves: max * demand, also of the part of the demand that is not served
 * yet. Without it nothing could come first. */
static double share_room(const struct cover *cover, const struct iso_mip_row *row, double activity,
                         double coefficient)
{
    const struct iso_formulation *f = cover->search->formulation;
    int32_t demand_row = f->demand_row[row->a * f->problem->n_periods + row->c];
    double most = iso_value(f->problem->workloads[row->a].shares[row->b].maximum);
    double missing = fmax(0, cover->mip->rows[demand_row].lower - cover->activity[demand_row]);
    double amount = coefficient / (1 - most);

    return fmax(floor((row->upper - activity) / coefficient + SLACK),
                floor(fmin(missing, most * missing - activity) / amount + SLACK));
}

/* How many more of column j the caps allow, at most `most`; the row that allows none. */
static double room_for(const struct cover *cover, int32_t j, double most, int32_t *ret_row)
{
    const struct iso_mip_column *column = &cover->mip->columns[j];
    double room = fmin(most, column->upper - cover->x[j]);

    *ret_row = -1;
    for (int32_t k = 0; k < column->n_entries && room >= 1; k++) {
        const struct iso_mip_entry *entry = &cover->mip->entries[column->first_entry + k];
        const struct iso_mip_row *row = &cover->mip->rows[entry->row];
        double activity = cover->activity[entry->row];
        if (adapts(row))
            continue;
        if (entry->coefficient > 0 && row->kind == ISO_ROW_SHARE_MAX && !isinf(row->upper))
            room = fmin(room, share_room(cover, row, activity, entry->coefficient));
        else if (entry->coefficient > 0 && !isinf(row->upper))
            room = fmin(
                room, floor((row->upper - activity + tolerance(row->upper)) / entry->coefficient));
        else if (entry->coefficient < 0 &&
                 (row->kind == ISO_ROW_LINK_PLACE || row->kind == ISO_ROW_PRESENCE))
            room = fmin(room, floor((activity + SLACK) / -entry->coefficient));
        if (room < 1)
            *ret_row = entry->row;
    }
    return room;
}

static bool takes_toll(const struct iso_mip_row *row)
{
    return (row->kind == ISO_ROW_LIMIT || row->kind == ISO_ROW_BUDGET) && !isinf(row->upper);
}

/* Notes which limits and budgets keep the columns of a row away that is not full. */
static void note_blocked(struct cover *cover, int32_t i)
{
    for (int32_t at = cover->first[i]; at < cover->first[i + 1]; at++) {
        int32_t row;
        room_for(cover, cover->columns[at], 1, &row);
        if (row >= 0 && takes_toll(&cover->mip->rows[row]))
            cover->blocked[row] = 1;
    }
}

/* What a row's columns in the plan cost for a unit of it. */
static double unit_money(const struct cover *cover, int32_t i)
{
    double money = 0, units = 0;

    for (int32_t at = cover->first[i]; at < cover->first[i + 1]; at++) {
        int32_t j = cover->columns[at];
        money += cover->x[j] * cover->search->money[j];
        units += cover->x[j] * cover->coefficients[at];
    }
    return units > 0 ? money / units : 0;
}

static void add_tolls(struct cover *cover)
{
    for (int32_t j = 0; j < cover->mip->n_columns; j++) {
        const struct iso_mip_column *column = &cover->mip->columns[j];
        cover->price[j] = cover->search->money[j];
        for (int32_t k = 0; k < column->n_entries; k++) {
            const struct iso_mip_entry *entry = &cover->mip->entries[column->first_entry + k];
            cover->price[j] += cover->toll[entry->row] * fmax(0, entry->coefficient);
        }
    }
}

/* The tolls that the relaxation takes. */
static void start_tolls(struct cover *cover, const double *duals)
{
    for (int32_t i = 0; i < cover->mip->n_rows; i++) {
        cover->toll[i] = duals && takes_toll(&cover->mip->rows[i]) ? fmax(0, -duals[i]) : 0;
        cover->blocked[i] = 0;
    }
    add_tolls(cover);
}

/* Gives the number of tolls that were raised. */
static int32_t raise_tolls(struct cover *cover)
{
    int32_t n = 0;

    for (int32_t i = 0; i < cover->mip->n_rows; i++) {
        if (cover->blocked[i])
            cover->toll[i] = fmax(RAISE * cover->toll[i], FIRST_TOLL * unit_money(cover, i));
        n += cover->blocked[i];
        cover->blocked[i] = 0;
    }
    add_tolls(cover);
    return n;
}

/* Fills one row up to its lower side. A share's cap may stand in the way of some columns until
 * others have come in, so the choice is made anew after each step. */
static void fill_row(struct cover *cover, int32_t i)
{
    const struct iso_mip_row *row = &cover->mip->rows[i];

    for (int32_t steps = 0; steps < 100000; steps++) {
        double missing = row->lower - cover->activity[i], best_score = INFINITY, best_step = 0;
        int32_t best = -1, in_the_way;
        if (missing <= tolerance(row->lower) ||
            (steps % 64 == 63 && iso_search_stops(cover->search)))
            return;
        for (int32_t at = cover->first[i]; at < cover->first[i + 1]; at++) {
            int32_t j = cover->columns[at];
            double served = fmin(cover->coefficients[at], missing);
            double score = (cover->price[j] + 1e-12) / served;
            if (score >= best_score)
                continue;
            double room =
                room_for(cover, j, fmax(1, floor(missing / cover->coefficients[at])), &in_the_way);
            if (room < 1)
                continue;
            best = j;
            best_score = score;
            best_step = room;
        }
        if (best < 0) {
            note_blocked(cover, i);
            return;
        }
        change(cover, best, best_step);
    }
}

static double coefficient_in(const struct iso_mip *mip, int32_t row, int32_t column)
{
    for (int32_t k = 0; k < mip->columns[column].n_entries; k++)
        if (mip->entries[mip->columns[column].first_entry + k].row == row)
            return mip->entries[mip->columns[column].first_entry + k].coefficient;
    return 0;
}

/* Where rounding broke the cap i on a share, the cheapest others serve more until it holds. */
static void mend_share(struct cover *cover, int32_t i)
{
    const struct iso_mip_row *row = &cover->mip->rows[i];
    const struct iso_formulation *f = cover->search->formulation;
    int32_t demand_row = f->demand_row[row->a * f->problem->n_periods + row->c], in_the_way;

    for (;;) {
        double over = cover->activity[i] - row->upper, best_score = INFINITY, best_step = 0;
        int32_t best = -1;
        if (over <= tolerance(row->upper))
            return;
        for (int32_t at = cover->first[demand_row]; at < cover->first[demand_row + 1]; at++) {
            int32_t j = cover->columns[at];
            double relief = -coefficient_in(cover->mip, i, j);
            double score = (cover->price[j] + 1e-12) / fmin(relief, over);
            if (relief <= 0 || score >= best_score)
                continue;
            double room = room_for(cover, j, ceil(over / relief), &in_the_way);
            if (room < 1)
                continue;
            best = j;
            best_score = score;
            best_step = room;
        }
        if (best < 0)
            return;
        change(cover, best, best_step);
    }
}

static void mend_shares(struct cover *cover)
{
    for (int32_t i = 0; i < cover->mip->n_rows; i++)
        if (cover->mip->rows[i].kind == ISO_ROW_SHARE_MAX && !isinf(cover->mip->rows[i].upper))
            mend_share(cover, i);
}

/* Whether one less of column j leaves every row satisfied. */
static bool can_go(const struct cover *cover, int32_t j)
{
    const struct iso_mip_column *column = &cover->mip->columns[j];

    for (int32_t k = 0; k < column->n_entries; k++) {
        const struct iso_mip_entry *entry = &cover->mip->entries[column->first_entry + k];
        const struct iso_mip_row *row = &cover->mip->rows[entry->row];
        double after = cover->activity[entry->row] - entry->coefficient;
        if (adapts(row))
            continue;
        if (entry->coefficient > 0 ? after < row->lower - tolerance(row->lower)
                                   : after > row->upper + tolerance(row->upper))
            return false;
    }
    return true;
}

static int dearest_first(const void *left, const void *right, void *context)
{
    const double *price = context;
    double a = price[*(const int32_t *)left], b = price[*(const int32_t *)right];

    if (a != b)
        return a > b ? -1 : 1;
    return (*(const int32_t *)left > *(const int32_t *)right) -
           (*(const int32_t *)left < *(const int32_t *)right);
}

static void remove_superfluous(struct cover *cover, int32_t *order)
{
    int32_t n = 0;

    for (int32_t j = 0; j < cover->mip->n_columns; j++)
        if (decided_by_greedy(&cover->mip->columns[j]) && cover->x[j] >= 1)
            order[n++] = j;
    qsort_r(order, (size_t)n, sizeof(*order), dearest_first, cover->price);
    for (int32_t at = 0; at < n; at++)
        while (cover->x[order[at]] >= 1 && can_go(cover, order[at]))
            change(cover, order[at], -1);
}

/* Placing rows first: capped replica workloads need room before they can be placed. */
static void fill_all(struct cover *cover)
{
    static const int order[] = {ISO_ROW_ARRIVAL,   ISO_ROW_LEAVE,     ISO_ROW_ENTER,
                                ISO_ROW_SPREAD,    ISO_ROW_SHARE_MIN, ISO_ROW_DEMAND,
                                ISO_ROW_SHARE_MIN, ISO_ROW_SURVIVE,   ISO_ROW_DEMAND,
                                ISO_ROW_LIMIT,     ISO_ROW_PRESENT};

    for (size_t pass = 0; pass < ISO_ARRAY_LENGTH(order); pass++)
        for (int32_t i = 0; i < cover->mip->n_rows; i++)
            if (cover->mip->rows[i].kind == order[pass] && !isinf(cover->mip->rows[i].lower))
                fill_row(cover, i);
}

static double rounded(const struct iso_mip_column *column, double value, double threshold)
{
    if (!column->integer)
        return value;
    if (column->kind == ISO_COLUMN_DOMAIN)
        return value > 1e-6 ? 1 : 0;
    if (column->kind == ISO_COLUMN_PRESENCE)
        return value >= 0.5 ? 1 : 0;
    return fmin(floor(value + 1 - threshold + 1e-7), column->upper);
}

static void start_from(struct cover *cover, const double *x, double threshold)
{
    memset(cover->activity, 0, (size_t)cover->mip->n_rows * sizeof(*cover->activity));
    for (int32_t j = 0; j < cover->mip->n_columns; j++) {
        double value = rounded(&cover->mip->columns[j], x[j], threshold);
        cover->x[j] = 0;
        if (value != 0)
            change(cover, j, value);
    }
}

enum iso_status iso_first_plans(struct iso_search *search, const double *x, const double *duals,
                                int32_t n_thresholds, struct iso_error *reterr)
{
    static const double thresholds[] = {0.7, 1.0, 0.5, 0.9, 0.3};
    struct cover cover __attribute__((cleanup(cover_fini))) = {0};
    ISO_AUTO_MEM int32_t *order =
        iso_calloc((size_t)search->formulation->mip.n_columns, sizeof(*order));

    if (!order)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a first plan");
    ISO_TRY(cover_init(&cover, search, reterr));
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(thresholds) && (int32_t)i < n_thresholds; i++) {
        start_tolls(&cover, duals);
        for (int round = 0; round < TOLL_ROUNDS; round++) {
            bool taken;
            if (search->has_best && iso_search_stops(search))
                return ISO_OK;
            start_from(&cover, x, thresholds[i]);
            fill_all(&cover);
            mend_shares(&cover);
            remove_superfluous(&cover, order);
            ISO_TRY(iso_search_offer(search, cover.x, &taken, reterr));
            if (taken || raise_tolls(&cover) == 0 || iso_search_stops(search))
                break;
        }
    }
    return ISO_OK;
}

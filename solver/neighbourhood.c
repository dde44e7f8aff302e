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
    n->n_whole = INT32_MAX;
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
    ISO_TRY(iso_gathering_init(&n->gathering, mip, reterr));
    iso_neighbourhood_move(n, x);
    return ISO_OK;
}

void iso_neighbourhood_fini(struct iso_neighbourhood *n)
{
    void *const arrays[] = {n->x,       n->activity,  n->free_columns, n->lower,  n->upper,
                            n->is_free, n->row_place, n->touched_rows, n->small_x};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
    iso_gathering_fini(&n->gathering);
    iso_mip_fini(&n->small);
    memset(n, 0, sizeof(*n));
}

void iso_neighbourhood_move(struct iso_neighbourhood *n, const double *x)
{
    const struct iso_mip *mip = &n->search->formulation->mip;

    memcpy(n->x, x, (size_t)mip->n_columns * sizeof(*x));
    iso_mip_activity(mip, x, n->activity);
}

void iso_neighbourhood_set(struct iso_neighbourhood *n, int32_t column, double value)
{
    double by = value - n->x[column];

    if (by == 0)
        return;
    n->x[column] = value;
    iso_mip_shift(&n->search->formulation->mip, column, by, n->activity);
}

void iso_neighbourhood_clear(struct iso_neighbourhood *n)
{
    for (int32_t i = 0; i < n->n_free; i++)
        n->is_free[n->free_columns[i]] = 0;
    n->n_free = 0;
    n->n_whole = INT32_MAX;
}

void iso_neighbourhood_relax(struct iso_neighbourhood *n)
{
    n->n_whole = n->n_free;
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

static double excess_of(const struct iso_neighbourhood *n, const struct iso_priced_row *priced)
{
    double upper = n->search->formulation->mip.rows[priced->row].upper;

    return priced->price * fmax(0, n->activity[priced->row] - upper);
}

double iso_neighbourhood_value(const struct iso_neighbourhood *n)
{
    const struct iso_mip *mip = &n->search->formulation->mip;
    double value = 0;

    for (int32_t i = 0; i < n->n_free; i++)
        value += mip->objective[n->free_columns[i]] * n->x[n->free_columns[i]];
    for (int32_t i = 0; i < n->n_priced; i++)
        value += excess_of(n, &n->priced[i]);
    return value;
}

/* Rows that the free columns touch, with what the fixed ones leave of their sides; not those that
 * ask for nothing. */
static bool add_rows(struct iso_neighbourhood *n, int32_t *ret_n_rows)
{
    const struct iso_mip *mip = &n->search->formulation->mip;
    int32_t n_rows = 0;

    for (int32_t i = 0; i < n->n_free; i++) {
        const struct iso_mip_column *column = &mip->columns[n->free_columns[i]];
        for (int32_t k = 0; k < column->n_entries; k++) {
            int32_t row = mip->entries[column->first_entry + k].row;
            if (isinf(mip->rows[row].lower) && isinf(mip->rows[row].upper))
                continue;
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

/* For each group  sum_k nu_k s_k - w >= 0,  less what stands still in s_k. Then links that hold by
 * themselves may go. Gives the number of rows of the whole that are left, or -1. */
static int32_t gather_rows(struct iso_neighbourhood *n, int32_t n_rows)
{
    const struct iso_mip *mip = &n->search->formulation->mip;
    const struct iso_gathering *gathering = &n->gathering;
    struct iso_mip_row empty = {.kind = ISO_ROW_LINK_COVER, .upper = INFINITY};
    int32_t n_left = 0;

    for (int32_t g = 0; g < gathering->n_groups; g++)
        if (iso_mip_add_row(&n->small, &empty) < 0)
            return -1;
    struct iso_mip_row *groups = &n->small.rows[n_rows];
    for (int32_t i = 0; i < gathering->n_claimed; i++) {
        int32_t link = gathering->claimed[i];
        groups[gathering->claim[link]].lower +=
            gathering->use[link] * n->small.rows[n->row_place[link]].lower;
    }
    for (int32_t i = 0; i < n_rows + gathering->n_groups; i++) {
        int32_t row = i < n_rows ? n->touched_rows[i] : -1;
        bool idle = row >= 0 && mip->rows[row].kind == ISO_ROW_LINK_COVER &&
                    !gathering->is_open[row] && n->small.rows[i].lower <= 0;
        if (row >= 0)
            n->row_place[row] = idle ? -1 : n_left;
        if (idle)
            continue;
        if (row >= 0)
            n->touched_rows[n_left] = row;
        n->small.rows[n_left++] = n->small.rows[i];
    }
    n->small.n_rows = n_left;
    return n_left - gathering->n_groups;
}

/* A column as it is, and in the row of the group that deals its link out. */
static bool add_column(struct iso_neighbourhood *n, int32_t i, int32_t n_rows)
{
    const struct iso_mip *mip = &n->search->formulation->mip;
    const struct iso_gathering *gathering = &n->gathering;
    struct iso_mip_column column = mip->columns[n->free_columns[i]];
    const struct iso_mip_entry *entries = &mip->entries[column.first_entry];
    int32_t n_entries = column.n_entries;

    column.lower = n->lower[i];
    column.upper = n->upper[i];
    column.integer &= i < n->n_whole;
    int32_t at = iso_mip_add_column(&n->small, &column);
    if (at < 0)
        return false;
    n->small.objective[at] = mip->objective[n->free_columns[i]];
    for (int32_t k = 0; k < n_entries; k++) {
        int32_t row = entries[k].row, group = gathering->claim[row];
        if (n->row_place[row] >= 0 &&
            !iso_mip_add_entry(&n->small, n->row_place[row], entries[k].coefficient))
            return false;
        if (group >= 0 && !iso_mip_add_entry(&n->small, n_rows + group,
                                             gathering->use[row] * entries[k].coefficient))
            return false;
    }
    return true;
}

static bool add_columns(struct iso_neighbourhood *n, int32_t n_rows)
{
    for (int32_t i = 0; i < n->n_free; i++)
        if (!iso_gathering_has(&n->gathering, n->free_columns[i]) && !add_column(n, i, n_rows))
            return false;
    return true;
}

/* w of each group: like its model, for each unit that is used. */
static bool add_gathered_columns(struct iso_neighbourhood *n, int32_t n_rows)
{
    const struct iso_mip *mip = &n->search->formulation->mip;

    for (int32_t g = 0; g < n->gathering.n_groups; g++) {
        const struct iso_gathered *group = &n->gathering.groups[g];
        const struct iso_mip_column *model = &mip->columns[group->model];
        struct iso_mip_column column = {.kind = ISO_COLUMN_COVER, .upper = INFINITY};
        int32_t at = iso_mip_add_column(&n->small, &column);
        if (at < 0 || !iso_mip_add_entry(&n->small, n_rows + g, -1))
            return false;
        n->small.objective[at] = mip->objective[group->model] / group->use;
        for (int32_t k = 0; k < model->n_entries; k++) {
            const struct iso_mip_entry *entry = &mip->entries[model->first_entry + k];
            if (mip->rows[entry->row].kind != ISO_ROW_LINK_COVER && n->row_place[entry->row] >= 0 &&
                !iso_mip_add_entry(&n->small, n->row_place[entry->row],
                                   entry->coefficient / group->use))
                return false;
        }
    }
    return true;
}

/* For each touched row with a price a column for what is above its upper side. */
static bool add_excess(struct iso_neighbourhood *n)
{
    for (int32_t i = 0; i < n->n_priced; i++) {
        struct iso_mip_column excess = {.kind = ISO_COLUMN_OVER_BUDGET, .upper = INFINITY};
        int32_t place = n->row_place[n->priced[i].row];
        if (place < 0)
            continue;
        int32_t at = iso_mip_add_column(&n->small, &excess);
        if (at < 0 || !iso_mip_add_entry(&n->small, place, -1))
            return false;
        n->small.objective[at] = n->priced[i].price;
    }
    return true;
}

/* What is above the upper sides of rows that are not touched, so that it stays. */
static double standing_excess(const struct iso_neighbourhood *n)
{
    double excess = 0;

    for (int32_t i = 0; i < n->n_priced; i++) {
        bool touched = false;
        for (int32_t k = 0; k < n->n_touched && !touched; k++)
            touched = n->touched_rows[k] == n->priced[i].row;
        excess += touched ? 0 : excess_of(n, &n->priced[i]);
    }
    return excess;
}

static enum iso_status build(struct iso_neighbourhood *n, struct iso_error *reterr)
{
    int32_t n_rows = 0;

    n->small.n_columns = n->small.n_rows = n->small.n_entries = 0;
    iso_gathering_look(&n->gathering, n->free_columns, n->n_free);
    bool built = add_rows(n, &n_rows);
    if (built)
        n_rows = gather_rows(n, n_rows);
    built = built && n_rows >= 0 && add_columns(n, n_rows) && add_gathered_columns(n, n_rows) &&
            add_excess(n);
    n->n_touched = n_rows > 0 ? n_rows : 0;
    for (int32_t i = 0; i < n->n_touched; i++)
        n->row_place[n->touched_rows[i]] = -1;
    if (built && n->small_room < n->small.n_columns) {
        double *moved = iso_realloc(n->small_x, (size_t)n->small.n_columns, sizeof(*moved));
        built = moved != NULL;
        n->small_x = moved ? moved : n->small_x;
        n->small_room = moved ? n->small.n_columns : n->small_room;
    }
    return built ? ISO_OK : no_memory(reterr);
}

/* Deals out what each product covers in all, link by link. */
static void deal_out(struct iso_neighbourhood *n, const double *covered)
{
    const struct iso_mip *mip = &n->search->formulation->mip;
    const struct iso_gathering *gathering = &n->gathering;

    for (int32_t i = 0; i < gathering->n_claimed; i++)
        iso_neighbourhood_set(n, gathering->member[i], 0);
    for (int32_t g = 0; g < gathering->n_groups; g++) {
        double left = covered[g];
        for (int32_t i = 0; i < gathering->n_claimed && left > 0; i++) {
            int32_t link = gathering->claimed[i];
            if (gathering->claim[link] != g)
                continue;
            double open = fmax(0, n->activity[link] - mip->rows[link].lower);
            double v = fmin(open, left / gathering->use[link]);
            iso_neighbourhood_set(n, gathering->member[i], v);
            left -= v * gathering->use[link];
        }
    }
}

/* The point takes the small program's solution. */
static void take(struct iso_neighbourhood *n)
{
    const struct iso_mip *mip = &n->search->formulation->mip;
    int32_t at = 0;

    for (int32_t i = 0; i < n->n_free; i++) {
        int32_t j = n->free_columns[i];
        if (iso_gathering_has(&n->gathering, j))
            continue;
        bool whole = mip->columns[j].integer && i < n->n_whole;
        double value = whole ? round(n->small_x[at]) : n->small_x[at];
        iso_neighbourhood_set(n, j, value);
        at++;
    }
    deal_out(n, &n->small_x[at]);
}

enum iso_status iso_neighbourhood_solve(struct iso_neighbourhood *n, double cutoff,
                                        const struct iso_mip_limits *limits, bool *ret_found,
                                        bool *ret_solved, struct iso_error *reterr)
{
    struct iso_control control = iso_search_control(n->search);
    struct iso_mip_result result;

    *ret_found = *ret_solved = false;
    if (n->n_free == 0)
        return ISO_OK;
    ISO_TRY(build(n, reterr));
    cutoff -= standing_excess(n);
    ISO_TRY(iso_mip_solve(&n->small, NULL, cutoff, limits, &control, &result, n->small_x, reterr));
    n->search->nodes += result.nodes;
    *ret_solved = result.outcome != ISO_MIP_STOPPED;
    if (!result.has_x)
        return ISO_OK;
    take(n);
    *ret_found = true;
    return ISO_OK;
}

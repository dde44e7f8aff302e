/* The program that the periods of one season share: its items, rows and slacks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "horizon_frontier.h"

#define NEAR 0.12     /* relative reduced cost up to which a column becomes an item */
#define LEAST_ITEMS 6 /* of each workload, paid */
#define MOST_ITEMS 40 /* of each workload */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the periods of a long horizon");
}

struct nearness {
    int32_t column, cover;
    double far; /* least relative reduced cost in a cluster of the season */
};

static int by_nearness(const void *left, const void *right)
{
    const struct nearness *a = left, *b = right;

    if (a->far != b->far)
        return a->far < b->far ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return (a->cover > b->cover) - (a->cover < b->cover);
}

static void measure(const struct iso_hours *hours, struct nearness *nearness)
{
    const struct iso_horizon_case *h = hours->h;
    const struct iso_slice *slice = &h->slice;

    nearness->far = INFINITY;
    for (int32_t k = 0; k < h->n_clusters; k++) {
        if (h->clusters[k].season != hours->season)
            continue;
        double list = h->clusters[k].hours * h->seasons[hours->season].price[nearness->column];
        double left = -iso_master_worth(hours->master, k, nearness->column);
        if (nearness->cover < 0) {
            left += list;
        } else {
            const struct iso_slice_cover *cover = &slice->covers[nearness->cover];
            int32_t row = hours->master->commit_row[cover->product * h->n_clusters + k];
            left -= row >= 0 ? hours->master->duals[row] * cover->use : 0;
        }
        nearness->far = fmin(nearness->far, left / list);
    }
}

static bool add_item(struct iso_hours *hours, const struct nearness *near, double step,
                     const int32_t *commit)
{
    const struct iso_slice *slice = &hours->h->slice;
    const struct iso_slice_column *column = &slice->columns[near->column];
    struct iso_item item = {.workload = column->workload,
                            .column = near->column,
                            .served = column->served,
                            .size = (int32_t)(column->served / step * (1 + CLOSE_TO_NOTHING)),
                            .first_entry = hours->mip.n_entries};
    struct iso_mip_column made = {
        .kind = ISO_COLUMN_USE, .a = near->column, .upper = INFINITY, .integer = true};

    if (near->cover < 0)
        item.price = hours->h->seasons[hours->season].price[near->column];
    int32_t j = iso_mip_add_column(&hours->mip, &made);
    if (j < 0)
        return false;
    hours->mip.objective[j] = item.price;
    for (int32_t e = column->first_entry; e < column->first_entry + column->n_entries; e++)
        if (!iso_mip_add_entry(&hours->mip, slice->entries[e].row, slice->entries[e].coefficient))
            return false;
    if (near->cover >= 0) {
        const struct iso_slice_cover *cover = &slice->covers[near->cover];
        if (!iso_mip_add_entry(&hours->mip, commit[cover->product], cover->use))
            return false;
    }
    item.n_entries = hours->mip.n_entries - item.first_entry;
    return iso_append(&hours->items, &hours->n_items, sizeof(item), &item);
}

/* The columns of one workload that are near enough, nearest first; `all`: every one. */
static bool add_items(struct iso_hours *hours, int32_t a, bool all, struct nearness *list,
                      const int32_t *commit)
{
    const struct iso_slice *slice = &hours->h->slice;
    double step = iso_value(iso_table_step(hours->h, hours->season, a));
    int32_t n = 0, n_paid = 0, n_taken = 0;

    for (int32_t j = slice->first_column[a]; j < slice->first_column[a + 1]; j++) {
        const struct iso_slice_column *column = &slice->columns[j];
        list[n++] = (struct nearness){j, -1, 0};
        for (int32_t i = column->first_cover; i < column->first_cover + column->n_covers; i++)
            if (hours->held[slice->covers[i].product])
                list[n++] = (struct nearness){j, i, 0};
    }
    for (int32_t i = 0; i < n; i++)
        measure(hours, &list[i]);
    qsort(list, (size_t)n, sizeof(*list), by_nearness);
    for (int32_t i = 0; i < n; i++) {
        bool paid = list[i].cover < 0;
        bool near = list[i].far <= NEAR && n_taken < MOST_ITEMS;
        if (!all && !near && !(paid && n_paid < LEAST_ITEMS))
            continue;
        if (!add_item(hours, &list[i], step, commit))
            return false;
        n_taken++;
        n_paid += paid;
    }
    return true;
}

/* Rows of the slice and of the products that are held; commit[c] is the row of product c. */
static bool open_rows(struct iso_hours *hours, int32_t *commit)
{
    const struct iso_horizon_case *h = hours->h;
    int32_t t = h->seasons[hours->season].first_period;
    bool ok = true;

    for (int32_t r = 0; r < h->slice.n_rows; r++) {
        const struct iso_slice_row *row = &h->slice.rows[r];
        struct iso_mip_row made = {(int)row->kind, row->a, row->b, -1, row->d, 0, 0};
        double right = iso_slice_right(h, r, t);
        made.lower = row->asks ? right : -INFINITY;
        made.upper = row->asks ? INFINITY : right;
        ok &= iso_mip_add_row(&hours->mip, &made) >= 0;
    }
    for (int32_t c = 0; c < h->problem->n_products; c++) {
        double supply = iso_slice_supply(h, c, t);
        struct iso_mip_row made = {ISO_ROW_COMMIT, c, -1, -1, -1, -INFINITY, supply};
        commit[c] = -1;
        hours->held[c] = supply > 0;
        if (hours->held[c])
            ok &= (commit[c] = iso_mip_add_row(&hours->mip, &made)) >= 0;
    }
    return ok;
}

/* Unserved demand of each workload, and violations of soft limits; demand that must be served may
 * be missed at a dear price, so that the program always has a point. */
static bool add_slacks(struct iso_hours *hours)
{
    const struct iso_problem *problem = hours->h->problem;
    const struct iso_slice *slice = &hours->h->slice;
    bool ok = true;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        bool must = problem->workloads[a].service == ISO_SERVICE_MUST;
        struct iso_mip_column made = {
            .kind = ISO_COLUMN_UNSERVED, .a = a, .b = must, .upper = INFINITY};
        double unit = 1;
        for (int32_t i = hours->first_item[a]; i < hours->first_item[a + 1]; i++)
            unit = fmax(unit, hours->items[i].price / hours->items[i].served);
        int32_t j = iso_mip_add_column(&hours->mip, &made);
        if (j < 0)
            return false;
        hours->mip.objective[j] =
            must ? hours->master->dear * unit : iso_value(problem->workloads[a].penalty);
        for (int32_t e = slice->first_relief[a]; e < slice->first_relief[a + 1]; e++)
            ok &=
                iso_mip_add_entry(&hours->mip, slice->relief[e].row, slice->relief[e].coefficient);
    }
    for (int32_t l = 0; l < problem->n_limits; l++) {
        const struct iso_limit *limit = &problem->limits[l];
        struct iso_mip_column made = {.kind = ISO_COLUMN_OVER_LIMIT, .a = l, .upper = INFINITY};
        if (limit->policy != ISO_POLICY_SOFT)
            continue;
        int32_t j = iso_mip_add_column(&hours->mip, &made);
        if (j < 0)
            return false;
        hours->mip.objective[j] = iso_value(limit->price);
        ok &= iso_mip_add_entry(&hours->mip, problem->n_workloads + l, limit->minimum ? 1 : -1);
    }
    return ok;
}

bool iso_slice_is_plain(const struct iso_horizon_case *h)
{
    for (int32_t r = 0; r < h->slice.n_rows; r++)
        if (h->slice.rows[r].kind != ISO_ROW_DEMAND &&
            (h->slice.rows[r].kind != ISO_ROW_LIMIT || h->slice.rows[r].asks ||
             h->problem->limits[h->slice.rows[r].a].policy != ISO_POLICY_HARD))
            return false;
    for (int32_t a = 0; a < h->problem->n_workloads; a++)
        if (h->problem->workloads[a].service != ISO_SERVICE_MUST)
            return false;
    return true;
}

static int by_value(const void *left, const void *right)
{
    const struct iso_saving *a = left, *b = right;

    if (a->value != b->value)
        return a->value > b->value ? -1 : 1;
    return (a->cover > b->cover) - (a->cover < b->cover);
}

static bool sort_savings(struct iso_hours *hours)
{
    const struct iso_slice *slice = &hours->h->slice;
    struct iso_saving *savings = iso_calloc((size_t)slice->n_covers, sizeof(*savings));

    hours->savings = savings;
    if (!savings)
        return false;
    size_t n_workloads = (size_t)hours->h->problem->n_workloads;
    size_t n_covered = (size_t)hours->h->problem->n_products * n_workloads;
    hours->covered = iso_calloc(n_covered, sizeof(*hours->covered));
    if (!hours->covered)
        return false;
    memset(hours->covered, -1, n_covered * sizeof(*hours->covered));
    for (int32_t j = 0; j < slice->n_columns; j++)
        for (int32_t i = 0; i < slice->columns[j].n_covers; i++) {
            int32_t at = slice->columns[j].first_cover + i;
            hours->covered[(size_t)slice->covers[at].product * n_workloads +
                           (size_t)slice->columns[j].workload] = j;
            if (hours->held[slice->covers[at].product])
                savings[hours->n_savings++] = (struct iso_saving){
                    at, j, hours->h->seasons[hours->season].price[j] / slice->covers[at].use};
        }
    qsort(savings, (size_t)hours->n_savings, sizeof(*savings), by_value);
    return true;
}

void iso_hours_fini(struct iso_hours *hours)
{
    void *const arrays[] = {hours->items,   hours->first_item, hours->savings, hours->held,
                            hours->covered, hours->x,          hours->paid,    hours->duals,
                            hours->slack,   hours->count};

    if (hours->h) {
        iso_frontiers_free(hours->frontiers, hours);
        iso_stocks_fini(hours);
    }
    iso_program_free(hours->lp);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
    iso_mip_fini(&hours->mip);
}

enum iso_status iso_hours_init(struct iso_hours *hours, struct iso_master *master, int32_t season,
                               bool all, struct iso_error *reterr)
{
    const struct iso_horizon_case *h = master->h;
    size_t n_workloads = (size_t)h->problem->n_workloads;
    ISO_AUTO_MEM int32_t *commit = iso_calloc((size_t)h->problem->n_products, sizeof(*commit));
    ISO_AUTO_MEM struct nearness *list =
        iso_calloc((size_t)h->slice.n_columns + (size_t)h->slice.n_covers, sizeof(*list));

    *hours = (struct iso_hours){
        .master = master, .h = h, .season = season, .plain = iso_slice_is_plain(h)};
    hours->first_item = iso_calloc(n_workloads + 1, sizeof(*hours->first_item));
    hours->held = iso_calloc((size_t)h->problem->n_products, 1);
    hours->paid = iso_calloc((size_t)h->slice.n_columns, sizeof(*hours->paid));
    if (!commit || !list || !hours->first_item || !hours->held || !hours->paid ||
        !open_rows(hours, commit))
        return no_memory(reterr);
    for (int32_t a = 0; a < h->problem->n_workloads; a++) {
        hours->first_item[a] = hours->n_items;
        if (!add_items(hours, a, all, list, commit))
            return no_memory(reterr);
    }
    hours->first_item[n_workloads] = hours->n_items;
    if (!add_slacks(hours) || !sort_savings(hours))
        return no_memory(reterr);
    hours->x = iso_calloc((size_t)hours->mip.n_columns, sizeof(*hours->x));
    hours->duals = iso_calloc((size_t)hours->mip.n_rows, sizeof(*hours->duals));
    hours->slack = iso_calloc((size_t)hours->mip.n_rows, sizeof(*hours->slack));
    hours->count = iso_calloc((size_t)hours->n_items, sizeof(*hours->count));
    if (!hours->x || !hours->duals || !hours->slack || !hours->count)
        return no_memory(reterr);
    return iso_program_new(&hours->mip, &hours->lp, reterr);
}

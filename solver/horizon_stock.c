/* What is scarce in the periods of a season, by the caps that are barred: the tables without them,
 * and the items on each scarce row. A few are kept; most periods share them. */
#include <stdlib.h>
#include <string.h>

#include "horizon_hours.h"

static void stock_fini(const struct iso_hours *hours, struct iso_stock *stock)
{
    for (int32_t a = 0; stock->tables && a < hours->h->problem->n_workloads; a++)
        iso_table_fini(&stock->tables[a]);
    free(stock->tables);
    free(stock->place);
    free(stock->first);
    free(stock->items);
    free(stock->scarce);
    *stock = (struct iso_stock){0};
}

void iso_stocks_fini(struct iso_hours *hours)
{
    for (int32_t i = 0; i < ISO_N_STOCKS; i++)
        stock_fini(hours, &hours->stocks[i]);
}

/* Commitments, and the caps that are barred. */
static int32_t list_places(const struct iso_hours *hours, struct iso_stock *stock)
{
    int32_t n_workloads = hours->h->problem->n_workloads, n = 0;

    for (int32_t r = 0; r < hours->mip.n_rows; r++) {
        bool commit = hours->mip.rows[r].kind == ISO_ROW_COMMIT;
        bool barred = r >= n_workloads && r < n_workloads + hours->h->problem->n_limits &&
                      stock->barred >> (r - n_workloads) & 1;
        stock->place[r] = commit || barred ? n++ : -1;
    }
    return n;
}

/* Counts the items of each group (first == NULL), or files them, nearest first. */
static int32_t file_items(const struct iso_hours *hours, struct iso_stock *stock, int32_t n_groups)
{
    int32_t n_workloads = hours->h->problem->n_workloads, n = 0;

    for (int32_t i = 0; i < hours->n_items; i++) {
        const struct iso_item *item = &hours->items[i];
        for (int32_t e = item->first_entry; e < item->first_entry + item->n_entries; e++) {
            int32_t place = stock->place[hours->mip.entries[e].row];
            if (place < 0)
                continue;
            stock->scarce[i] = 1;
            stock->first[place * n_workloads + item->workload + 1]++;
            n++;
        }
    }
    for (int32_t g = 0; g < n_groups; g++)
        stock->first[g + 1] += stock->first[g];
    return n;
}

static bool fill_groups(const struct iso_hours *hours, struct iso_stock *stock, int32_t n_groups)
{
    int32_t n_workloads = hours->h->problem->n_workloads;
    int32_t n = file_items(hours, stock, n_groups);
    ISO_AUTO_MEM int32_t *next = iso_calloc((size_t)n_groups + 1, sizeof(*next));

    stock->items = iso_calloc((size_t)n, sizeof(*stock->items));
    if (!next || !stock->items)
        return false;
    memcpy(next, stock->first, (size_t)n_groups * sizeof(*next));
    for (int32_t i = 0; i < hours->n_items; i++) {
        const struct iso_item *item = &hours->items[i];
        for (int32_t e = item->first_entry; e < item->first_entry + item->n_entries; e++) {
            int32_t place = stock->place[hours->mip.entries[e].row];
            if (place >= 0)
                stock->items[next[place * n_workloads + item->workload]++] = i;
        }
    }
    return true;
}

static bool stock_init(struct iso_hours *hours, struct iso_stock *stock, uint64_t barred)
{
    size_t n_workloads = (size_t)hours->h->problem->n_workloads;

    stock->barred = barred;
    stock->tables = iso_calloc(n_workloads, sizeof(*stock->tables));
    stock->place = iso_calloc((size_t)hours->mip.n_rows, sizeof(*stock->place));
    stock->scarce = iso_calloc((size_t)hours->n_items, 1);
    if (!stock->tables || !stock->place || !stock->scarce)
        return false;
    size_t n_groups = (size_t)list_places(hours, stock) * n_workloads;
    stock->first = iso_calloc(n_groups + 1, sizeof(*stock->first));
    if (!stock->first || !fill_groups(hours, stock, (int32_t)n_groups))
        return false;
    for (size_t a = 0; a < n_workloads; a++)
        if (!iso_table_init(&stock->tables[a], hours->h, hours->season, (int32_t)a, barred))
            return false;
    return true;
}

const struct iso_stock *iso_stock_of(struct iso_hours *hours, uint64_t barred)
{
    for (int32_t i = 0; i < ISO_N_STOCKS; i++)
        if (hours->stocks[i].tables && hours->stocks[i].barred == barred)
            return &hours->stocks[i];
    struct iso_stock *stock = &hours->stocks[hours->next_stock++ % ISO_N_STOCKS];
    stock_fini(hours, stock);
    if (stock_init(hours, stock, barred))
        return stock;
    stock_fini(hours, stock);
    return NULL;
}

/* What a plan from nothing buys.
 *
 * With the instances chosen, y units of a purchase save
 *
 *     sum_t V_t(spare_t + lot y) - V_t(spare_t) - cost y
 *
 * where V_t(q) is what q units of the commitment cover in period t, dearest first: a concave
 * function of y, so the best y is found by halving. Purchases are made one after the other, those
 * that save most by themselves first; each sees what those before it cover. The linear program
 * deals the coverage out again afterwards. */
#include <math.h>
#include <stdlib.h>

#include "incumbent_state.h"
#include "ranked.h"

#define MOST_UNITS 1e6 /* of a purchase */

/* Coverage of what runs by commitment and period, what saves most for what it uses first. */
struct shop {
    struct iso_greedy *greedy;
    int32_t *first; /* [row + 1] */
    int32_t *cover;
    double *use;
};

static void shop_fini(struct shop *shop)
{
    free(shop->first);
    free(shop->cover);
    free(shop->use);
}

/* What a unit of coverage saves. */
static double saving(const struct shop *shop, int32_t j)
{
    return -shop->greedy->search->money[j];
}

/* How many instances are there for a unit of coverage. */
static double uncovered(const struct shop *shop, int32_t j)
{
    const struct iso_greedy *greedy = shop->greedy;
    const struct iso_mip_column *column = &greedy->mip->columns[j];
    double most = column->upper;

    for (int32_t k = 0; k < column->n_entries; k++) {
        const struct iso_mip_entry *entry = &greedy->mip->entries[column->first_entry + k];
        const struct iso_mip_row *row = &greedy->mip->rows[entry->row];
        double side = entry->coefficient > 0 ? row->upper : row->lower;
        if (row->kind == ISO_ROW_LINK_COVER)
            most = fmin(most, (side - greedy->activity[entry->row]) / entry->coefficient);
    }
    return fmax(0, most);
}

static bool sort_covers(struct shop *shop, int32_t row)
{
    int32_t first = shop->first[row], n = shop->first[row + 1] - first;
    ISO_AUTO_MEM struct iso_ranked *ranked = iso_calloc((size_t)n, sizeof(*ranked));
    ISO_AUTO_MEM int32_t *cover = iso_calloc((size_t)n, sizeof(*cover));
    ISO_AUTO_MEM double *use = iso_calloc((size_t)n, sizeof(*use));

    if (!ranked || !cover || !use)
        return false;
    for (int32_t i = 0; i < n; i++) {
        cover[i] = shop->cover[first + i];
        use[i] = shop->use[first + i];
        ranked[i] = (struct iso_ranked){saving(shop, cover[i]) / use[i], i};
    }
    iso_rank_falling(ranked, (size_t)n);
    for (int32_t i = 0; i < n; i++) {
        shop->cover[first + i] = cover[ranked[i].place];
        shop->use[first + i] = use[ranked[i].place];
    }
    return true;
}

static bool shop_init(struct shop *shop)
{
    const struct iso_mip *mip = shop->greedy->mip;
    bool ok = true;

    shop->first = iso_calloc((size_t)mip->n_rows + 2, sizeof(*shop->first));
    shop->cover = iso_calloc((size_t)mip->n_entries, sizeof(*shop->cover));
    shop->use = iso_calloc((size_t)mip->n_entries, sizeof(*shop->use));
    if (!shop->first || !shop->cover || !shop->use)
        return false;
    for (int pass = 0; pass < 2; pass++) {
        for (int32_t j = 0; j < mip->n_columns; j++)
            for (int32_t k = 0; k < mip->columns[j].n_entries; k++) {
                const struct iso_mip_entry *entry = &mip->entries[mip->columns[j].first_entry + k];
                if (mip->columns[j].kind != ISO_COLUMN_COVER || uncovered(shop, j) <= 0)
                    break;
                if (mip->rows[entry->row].kind != ISO_ROW_COMMIT || entry->coefficient <= 0)
                    continue;
                if (pass == 0) {
                    shop->first[entry->row + 2]++;
                    continue;
                }
                int32_t at = shop->first[entry->row + 1]++;
                shop->cover[at] = j;
                shop->use[at] = entry->coefficient;
            }
        for (int32_t i = 0; i < mip->n_rows && pass == 0; i++)
            shop->first[i + 2] += shop->first[i + 1];
    }
    for (int32_t i = 0; i < mip->n_rows && ok; i++)
        ok = shop->first[i + 1] - shop->first[i] < 2 || sort_covers(shop, i);
    return ok;
}

/* What `units` more of a commitment in a period save; `take`: and covers with them. */
static double cover(const struct shop *shop, int32_t row, double units, bool take)
{
    double saved = 0;

    for (int32_t at = shop->first[row]; at < shop->first[row + 1] && units > 1e-9; at++) {
        int32_t j = shop->cover[at];
        double more = fmin(uncovered(shop, j), units / shop->use[at]);
        if (more <= 0 || saving(shop, j) <= 0)
            continue;
        saved += more * saving(shop, j);
        units -= more * shop->use[at];
        if (take)
            iso_greedy_change(shop->greedy, j, more);
    }
    return saved;
}

/* What y of a purchase save, less what they cost. */
static double gain(const struct shop *shop, int32_t j, double y, bool take)
{
    const struct iso_greedy *greedy = shop->greedy;
    const struct iso_mip_column *column = &greedy->mip->columns[j];
    double sum = -y * greedy->search->money[j];

    for (int32_t k = 0; k < column->n_entries; k++) {
        const struct iso_mip_entry *entry = &greedy->mip->entries[column->first_entry + k];
        if (greedy->mip->rows[entry->row].kind == ISO_ROW_COMMIT)
            sum += cover(shop, entry->row, -entry->coefficient * y, take);
    }
    return sum;
}

/* The number that gains most: the first of which one more gains nothing. */
static double best_number(const struct shop *shop, int32_t j)
{
    double low = 0, high = 1, most = fmin(MOST_UNITS, shop->greedy->mip->columns[j].upper);

    while (high < most && gain(shop, j, high + 1, false) > gain(shop, j, high, false))
        high *= 2;
    high = fmin(high, most);
    while (low < high) {
        double middle = floor((low + high) / 2);
        if (gain(shop, j, middle + 1, false) > gain(shop, j, middle, false))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

enum iso_status iso_greedy_purchases(struct iso_greedy *greedy, bool *ret_bought,
                                     struct iso_error *reterr)
{
    const struct iso_mip *mip = greedy->mip;
    struct shop shop __attribute__((cleanup(shop_fini))) = {.greedy = greedy};
    ISO_AUTO_MEM struct iso_ranked *ranked = NULL;
    int32_t n = 0, in_the_way;

    *ret_bought = false;
    for (int32_t j = 0; j < mip->n_columns; j++) {
        n += mip->columns[j].kind == ISO_COLUMN_BUY;
        if (mip->columns[j].kind == ISO_COLUMN_BUY && greedy->x[j] > 0)
            return ISO_OK; /* the point knows what to buy */
    }
    if (n == 0)
        return ISO_OK;
    ranked = iso_calloc((size_t)n, sizeof(*ranked));
    if (!ranked || !shop_init(&shop))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the purchases of a first plan");
    n = 0;
    for (int32_t j = 0; j < mip->n_columns; j++) {
        double number = mip->columns[j].kind == ISO_COLUMN_BUY ? best_number(&shop, j) : 0;
        if (number > 0)
            ranked[n++] = (struct iso_ranked){gain(&shop, j, number, false), j};
    }
    iso_rank_falling(ranked, (size_t)n);
    for (int32_t i = 0; i < n; i++) {
        int32_t j = ranked[i].place;
        double number = floor(iso_greedy_room(greedy, j, best_number(&shop, j), &in_the_way));
        if (number < 1)
            continue;
        iso_greedy_change(greedy, j, number);
        gain(&shop, j, number, true);
        *ret_bought = true;
    }
    return ISO_OK;
}

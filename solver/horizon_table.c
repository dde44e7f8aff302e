/* Cheapest covers of one workload at list prices, for every demand of a season:
 *
 *   F(q) = min over columns j of price_j + F(max(0, q - served_j)),   F(0) = 0
 *
 * with q in steps that divide all served_j when that gives few enough steps (then F is exact), and
 * served_j rounded down otherwise. */
#include <math.h>
#include <stdlib.h>

#include "horizon_hours.h"

#define MOST_STEPS 16384

static iso_decimal common_divisor(iso_decimal a, iso_decimal b)
{
    while (b != 0) {
        iso_decimal rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static iso_decimal served_of(const struct iso_horizon_case *h, int32_t j)
{
    const struct iso_slice_column *column = &h->slice.columns[j];

    return h->problem->workloads[column->workload].options[column->option].served;
}

static iso_decimal largest_demand(const struct iso_horizon_case *h, int32_t season, int32_t a)
{
    iso_decimal most = 0;

    for (int32_t t = 0; t < h->problem->n_periods; t++)
        if (h->season_of[t] == season && h->problem->workloads[a].required[t] > most)
            most = h->problem->workloads[a].required[t];
    return most;
}

static void fill(struct iso_table *table, const struct iso_horizon_case *h, int32_t a,
                 const double *price, int32_t *size)
{
    int32_t first = h->slice.first_column[a], n = h->slice.first_column[a + 1] - first;

    for (int32_t i = 0; i < n; i++) {
        iso_decimal whole = served_of(h, first + i) / table->step;
        size[i] = whole < table->n_steps ? (int32_t)whole : table->n_steps;
    }
    for (int32_t q = 1; q <= table->n_steps; q++) {
        double least = INFINITY;
        for (int32_t i = 0; i < n; i++) {
            int32_t rest = q > size[i] ? q - size[i] : 0;
            double cost = price[first + i] + table->least[rest];
            if (size[i] > 0 && cost < least) {
                least = cost;
                table->choice[q] = first + i;
            }
        }
        table->least[q] = least;
    }
}

bool iso_table_init(struct iso_table *table, const struct iso_horizon_case *h, int32_t season,
                    int32_t a, uint8_t *used)
{
    int32_t n = h->slice.first_column[a + 1] - h->slice.first_column[a];
    iso_decimal most = largest_demand(h, season, a), divisor = 0;
    ISO_AUTO_MEM int32_t *size = iso_calloc((size_t)n, sizeof(*size));

    for (int32_t j = h->slice.first_column[a]; j < h->slice.first_column[a + 1]; j++)
        divisor = common_divisor(served_of(h, j), divisor);
    table->step = divisor > 0 ? divisor : 1;
    if (most / table->step >= MOST_STEPS)
        table->step = most / (MOST_STEPS - 1) + 1;
    table->n_steps = (int32_t)(most / table->step) + 1;
    table->least = iso_calloc((size_t)table->n_steps + 1, sizeof(*table->least));
    table->choice = iso_calloc((size_t)table->n_steps + 1, sizeof(*table->choice));
    if (!size || !table->least || !table->choice)
        return false;
    fill(table, h, a, h->seasons[season].price, size);
    for (int32_t q = 1; q <= table->n_steps; q++)
        if (isfinite(table->least[q]))
            used[table->choice[q]] = 1;
    return true;
}

void iso_table_fini(struct iso_table *table)
{
    free(table->least);
    free(table->choice);
}

bool iso_table_cover(struct iso_hours *hours, int32_t a)
{
    const struct iso_table *table = &hours->tables[a];
    double missing = hours->slack[a];

    while (missing > CLOSE_TO_NOTHING * (1 + hours->mip.rows[a].lower)) {
        double steps = ceil(missing * 1e9 / (double)table->step * (1 - 1e-12));
        int32_t q = steps < table->n_steps ? (int32_t)steps : table->n_steps;
        if (!isfinite(table->least[q]))
            return false;
        int32_t item = hours->item_of[table->choice[q]];
        if (item < 0)
            return false;
        iso_hours_take(hours, item, 1);
        missing = hours->slack[a];
    }
    return true;
}

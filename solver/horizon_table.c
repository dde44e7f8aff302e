/* Cheapest covers of one workload at list prices, for every demand of a season:
 *
 *   F(q) = min over columns j of price_j + F(max(0, q - size_j)),   F(0) = 0
 *
 * with q in steps that divide all that is served when that gives few enough steps (then F is
 * exact); otherwise size_j is rounded down. Columns that take from a barred cap are left out, and
 * columns that another one serves at least as much as for no more. */
#include <math.h>
#include <stdlib.h>

#include "horizon_hours.h"

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

struct choice {
    double price;
    int32_t column, size;
};

static int by_size(const void *left, const void *right)
{
    const struct choice *a = left, *b = right;

    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    if (a->price != b->price)
        return a->price < b->price ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

static bool is_barred(const struct iso_horizon_case *h, int32_t j, uint64_t barred)
{
    const struct iso_slice_column *column = &h->slice.columns[j];

    for (int32_t e = column->first_entry; e < column->first_entry + column->n_entries; e++) {
        const struct iso_slice_row *row = &h->slice.rows[h->slice.entries[e].row];
        if (row->kind == ISO_ROW_LIMIT && row->a < 64 && (barred >> row->a & 1))
            return true;
    }
    return false;
}

/* The columns that may be chosen, largest first and each cheaper than those before it. */
static int32_t list_choices(const struct iso_table *table, const struct iso_horizon_case *h,
                            int32_t a, const double *price, uint64_t barred, struct choice *choices)
{
    int32_t n = 0, n_kept = 0;
    double cheapest = INFINITY;

    for (int32_t j = h->slice.first_column[a]; j < h->slice.first_column[a + 1]; j++) {
        iso_decimal whole = served_of(h, j) / table->step;
        if (whole > 0 && !is_barred(h, j, barred))
            choices[n++] = (struct choice){
                price[j], j, whole < table->n_steps ? (int32_t)whole : table->n_steps};
    }
    if (n > 0)
        qsort(choices, (size_t)n, sizeof(*choices), by_size);
    for (int32_t i = 0; i < n; i++)
        if (choices[i].price < cheapest) {
            cheapest = choices[i].price;
            choices[n_kept++] = choices[i];
        }
    return n_kept;
}

static void fill(struct iso_table *table, const struct choice *choices, int32_t n)
{
    for (int32_t q = 1; q <= table->n_steps; q++) {
        double least = INFINITY;
        for (int32_t i = 0; i < n; i++) {
            int32_t rest = q > choices[i].size ? q - choices[i].size : 0;
            double cost = choices[i].price + table->least[rest];
            if (cost < least) {
                least = cost;
                table->choice[q] = choices[i].column;
            }
        }
        table->least[q] = least;
    }
}

iso_decimal iso_table_step(const struct iso_horizon_case *h, int32_t season, int32_t a)
{
    iso_decimal most = largest_demand(h, season, a), divisor = 0;

    for (int32_t j = h->slice.first_column[a]; j < h->slice.first_column[a + 1]; j++)
        divisor = common_divisor(served_of(h, j), divisor);
    if (divisor == 0)
        divisor = 1;
    return most / divisor < ISO_MOST_STEPS ? divisor : most / (ISO_MOST_STEPS - 1) + 1;
}

bool iso_table_init(struct iso_table *table, const struct iso_horizon_case *h, int32_t season,
                    int32_t a, uint64_t barred)
{
    int32_t n = h->slice.first_column[a + 1] - h->slice.first_column[a];
    iso_decimal most = largest_demand(h, season, a);
    ISO_AUTO_MEM struct choice *choices = iso_calloc((size_t)n, sizeof(*choices));

    table->step = iso_table_step(h, season, a);
    table->n_steps = (int32_t)(most / table->step) + 1;
    table->least = iso_calloc((size_t)table->n_steps + 1, sizeof(*table->least));
    table->choice = iso_calloc((size_t)table->n_steps + 1, sizeof(*table->choice));
    if (!choices || !table->least || !table->choice)
        return false;
    n = list_choices(table, h, a, h->seasons[season].price, barred, choices);
    fill(table, choices, n);
    return true;
}

void iso_table_fini(struct iso_table *table)
{
    free(table->least);
    free(table->choice);
}

int32_t iso_table_steps(const struct iso_table *table, double rate)
{
    double steps = ceil(rate * (double)ISO_DECIMAL_ONE / (double)table->step * (1 - 1e-12));

    return steps < table->n_steps ? (int32_t)steps : table->n_steps;
}

bool iso_table_cover(struct iso_hours *hours, const struct iso_table *table, int32_t missing)
{
    while (missing > 0) {
        if (!isfinite(table->least[missing]))
            return false;
        int32_t j = table->choice[missing];
        iso_hours_take_column(hours, j, 1);
        missing -= (int32_t)(served_of(hours->h, j) / table->step);
    }
    return true;
}

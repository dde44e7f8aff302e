/* What whole instances cost at least, at prices lambda for caps and psi for units of commitments.
 *
 * With these prices each workload of each period is alone, and one instance of column j costs it
 *
 *   p_j = min(price_j, min over products c that cover it of psi_c use_cj) + sum_l lambda_l w_lj.
 *
 * Instances are whole, so a demand d costs at least G(ceil(d / step)), with
 *
 *   G(0) = 0,   G(q) = min over j of p_j + G(max(0, q - ceil(served_j / step))),
 *
 * which is never less than what a multiplier of the demand makes of it, and by about a half of what
 * the best instance costs more. The verifier fills the same tables (verify/value_functions.c). */
#include "horizon_whole.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "horizon_hours.h"

#define MOST_STEPS 1e8   /* of the tables of all workloads and clusters */
#define MOST_COMMITS 2e7 /* products times periods, which the verifier looks at */

static int by_size(const void *left, const void *right)
{
    const struct iso_whole_choice *a = left, *b = right;

    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

static int32_t steps_of(iso_decimal rate, iso_decimal step)
{
    return (int32_t)iso_wide_divide(rate, step, ISO_ROUND_UP);
}

iso_decimal iso_whole_step(const struct iso_horizon_case *h, int32_t workload)
{
    iso_decimal most = 1;

    for (int32_t s = 0; s < h->n_seasons; s++) {
        iso_decimal step = iso_table_step(h, s, workload);
        most = step > most ? step : most;
    }
    return most;
}

static bool open_workload(struct iso_whole *whole, int32_t a)
{
    const struct iso_horizon_case *h = whole->h;
    const struct iso_workload *workload = &h->problem->workloads[a];
    struct iso_whole_workload *own = &whole->workloads[a];
    int32_t n_periods = h->problem->n_periods;

    own->step = iso_whole_step(h, a);
    own->n_choices = h->slice.first_column[a + 1] - h->slice.first_column[a];
    own->choices = iso_calloc((size_t)own->n_choices, sizeof(*own->choices));
    own->most_steps = 1;
    if (!own->choices)
        return false;
    for (int32_t t = 0; t < n_periods; t++) {
        int32_t *steps = &whole->steps[(size_t)a * (size_t)n_periods + (size_t)t];
        *steps = steps_of(workload->required[t], own->step);
        own->most_steps = *steps > own->most_steps ? *steps : own->most_steps;
    }
    for (int32_t i = 0; i < own->n_choices; i++) {
        int32_t j = h->slice.first_column[a] + i;
        int32_t size = steps_of(workload->options[h->slice.columns[j].option].served, own->step);
        own->choices[i].column = j;
        size = size > 1 ? size : 1;
        own->choices[i].size = size < own->most_steps ? size : own->most_steps;
    }
    if (own->n_choices > 0)
        qsort(own->choices, (size_t)own->n_choices, sizeof(*own->choices), by_size);
    return true;
}

enum iso_status iso_whole_init(struct iso_whole *whole, const struct iso_horizon_case *h,
                               struct iso_error *reterr)
{
    size_t n_workloads = (size_t)h->problem->n_workloads, most_steps = 1, most_choices = 1;

    *whole = (struct iso_whole){.h = h};
    whole->workloads = iso_calloc(n_workloads, sizeof(*whole->workloads));
    whole->steps = iso_calloc(n_workloads * (size_t)h->problem->n_periods, sizeof(*whole->steps));
    bool ok = whole->workloads && whole->steps;
    for (size_t a = 0; a < n_workloads && ok; a++) {
        ok = open_workload(whole, (int32_t)a);
        size_t steps = (size_t)whole->workloads[a].most_steps;
        size_t choices = (size_t)whole->workloads[a].n_choices;
        most_steps = steps > most_steps ? steps : most_steps;
        most_choices = choices > most_choices ? choices : most_choices;
    }
    whole->kept = iso_calloc(most_choices, sizeof(*whole->kept));
    whole->room = iso_calloc(2 * most_steps + 1, sizeof(*whole->room));
    return ok && whole->kept && whole->room
               ? ISO_OK
               : iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the tables of a bound");
}

void iso_whole_fini(struct iso_whole *whole)
{
    for (int32_t a = 0; whole->workloads && a < whole->h->problem->n_workloads; a++)
        free(whole->workloads[a].choices);
    free(whole->workloads);
    free(whole->steps);
    free(whole->kept);
    free(whole->room);
}

/* What one instance of a column costs for a period. */
static double price_of(const struct iso_horizon_case *h, const struct iso_multipliers *prices,
                       int32_t j, int32_t *ret_cover)
{
    const struct iso_slice_column *column = &h->slice.columns[j];
    const struct iso_season *season = &h->seasons[prices->season];
    double price = season->hours * season->price[j], caps = 0;

    *ret_cover = -1;
    for (int32_t i = column->first_cover; i < column->first_cover + column->n_covers; i++) {
        const struct iso_slice_cover *cover = &h->slice.covers[i];
        double covered = prices->unit[cover->product] * cover->use;
        if (covered < price) {
            price = covered;
            *ret_cover = i;
        }
    }
    for (int32_t e = column->first_entry; e < column->first_entry + column->n_entries; e++) {
        const struct iso_slice_row *row = &h->slice.rows[h->slice.entries[e].row];
        if (row->kind == ISO_ROW_LIMIT)
            caps += prices->cap[row->a] * h->slice.entries[e].coefficient;
    }
    return price + caps;
}

double iso_whole_unit(const struct iso_whole *whole, int32_t workload,
                      const struct iso_multipliers *prices)
{
    const struct iso_whole_workload *own = &whole->workloads[workload];
    double unit = INFINITY;
    int32_t cover;

    for (int32_t i = 0; i < own->n_choices; i++)
        unit = fmin(unit, price_of(whole->h, prices, own->choices[i].column, &cover) /
                              own->choices[i].size);
    return unit;
}

/* Keeps the columns that are cheaper than all that serve as much. Gives the least size. */
static int32_t list_kept(struct iso_whole *whole, int32_t a, const struct iso_multipliers *prices,
                         int32_t most)
{
    const struct iso_whole_workload *own = &whole->workloads[a];
    double cheapest = INFINITY;
    int32_t least_size = most;

    whole->n_kept = 0;
    for (int32_t i = 0; i < own->n_choices; i++) {
        struct iso_whole_kept kept = {.size = own->choices[i].size,
                                      .column = own->choices[i].column};
        kept.price = price_of(whole->h, prices, kept.column, &kept.cover);
        if (kept.price >= cheapest)
            continue;
        kept.size = kept.size < most ? kept.size : most;
        least_size = kept.size < least_size ? kept.size : least_size;
        cheapest = kept.price;
        whole->kept[whole->n_kept++] = kept;
    }
    return least_size;
}

/* least[q] = min(least[q], price + rest[q]); a loop that compilers make vectors of. */
__attribute__((optimize("O3"))) static void
lower(double *restrict least, const double *restrict rest, double price, int32_t n)
{
    for (int32_t q = 0; q < n; q++)
        least[q] = price + rest[q] < least[q] ? price + rest[q] : least[q];
}

/* By blocks of the least size, within which no place depends on another one. */
void iso_whole_fill(struct iso_whole *whole, int32_t workload, const struct iso_multipliers *prices,
                    int32_t most)
{
    int32_t block = list_kept(whole, workload, prices, most);

    whole->least = whole->room + most;
    memset(whole->room, 0, ((size_t)most + 1) * sizeof(*whole->room));
    for (int32_t begin = 1; begin <= most; begin += block) {
        int32_t end = most - begin < block ? most + 1 : begin + block;
        for (int32_t q = begin; q < end; q++)
            whole->least[q] = INFINITY;
        for (int32_t i = 0; i < whole->n_kept; i++)
            lower(&whole->least[begin], &whole->least[begin - whole->kept[i].size],
                  whole->kept[i].price, end - begin);
    }
}

void iso_whole_count(struct iso_whole *whole, int32_t q)
{
    while (q > 0) {
        int32_t i = 0;
        while (i + 1 < whole->n_kept &&
               whole->kept[i].price + whole->least[q - whole->kept[i].size] != whole->least[q])
            i++;
        whole->kept[i].count++;
        q -= whole->kept[i].size;
    }
}

bool iso_whole_applies(const struct iso_horizon_case *h)
{
    double steps = (double)h->problem->n_workloads * ISO_MOST_STEPS * h->n_clusters;

    return iso_slice_is_plain(h) && steps <= MOST_STEPS &&
           (double)h->problem->n_products * h->problem->n_periods <= MOST_COMMITS;
}

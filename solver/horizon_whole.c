/* What whole instances cost at least, at the multipliers of the clusters.
 *
 * With caps at their multipliers lambda_k and a unit of product c at psi_ck, each workload of each
 * period is alone, and one instance of column j costs it
 *
 *   p_jk = min(price_j, min over products c that cover it of |psi_ck| use_cj) - sum_r lambda_kr
 * w_rj.
 *
 * Instances are whole, so the demand d_at costs at least G_ak(ceil(d_at / step)), with
 *
 *   G(0) = 0,   G(q) = min over j of p_jk + G(max(0, q - ceil(served_j / step))),
 *
 * which is never less than what the multiplier of the demand makes of it, and by about a half of
 * what the best instance costs more. One table serves all periods of a cluster; the verifier fills
 * the same (verify/value_functions.c). */
#include <math.h>
#include <stdlib.h>

#include "horizon_hours.h"

#define MOST_WORK 4e9    /* steps times columns, over all tables */
#define MOST_COMMITS 2e7 /* products times periods, which the verifier looks at */
#define KEPT 40          /* columns of a table that others do not make needless, about */

struct whole {
    const struct iso_master *master;
    const double *psi;
    int32_t workload, n_choices, most_steps;
    iso_decimal step;
    struct choice {
        double price;
        int32_t column, size;
    } * choices;   /* largest first */
    double *price; /* of the choices that are kept */
    int32_t *size;
    double *least; /* G */
};

static int by_size(const void *left, const void *right)
{
    const struct choice *a = left, *b = right;

    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

static int32_t steps_of(iso_decimal rate, iso_decimal step)
{
    return (int32_t)iso_wide_divide(rate, step, ISO_ROUND_UP);
}

/* What one instance costs for one period of a cluster. */
static double price_of(const struct whole *whole, int32_t k, int32_t j)
{
    const struct iso_horizon_case *h = whole->master->h;
    const struct iso_slice_column *column = &h->slice.columns[j];
    const struct iso_season *season = &h->seasons[h->clusters[k].season];
    const double *duals = &whole->master->duals[k * h->slice.n_rows];
    double share = season->hours / h->clusters[k].hours, caps = 0;
    double price = season->hours * season->price[j];

    for (int32_t i = column->first_cover; i < column->first_cover + column->n_covers; i++) {
        const struct iso_slice_cover *cover = &h->slice.covers[i];
        if (iso_master_may_hold(h, cover->product, k))
            price =
                fmin(price, -whole->psi[cover->product * h->n_clusters + k] * cover->use * share);
    }
    for (int32_t e = column->first_entry; e < column->first_entry + column->n_entries; e++)
        if (h->slice.rows[h->slice.entries[e].row].kind == ISO_ROW_LIMIT)
            caps -= duals[h->slice.entries[e].row] * h->slice.entries[e].coefficient;
    return price + caps * share;
}

/* G of a cluster; false when an instance would be worth having for itself. */
static bool fill(struct whole *whole, int32_t k)
{
    double cheapest = INFINITY;
    int32_t n = 0;

    for (int32_t i = 0; i < whole->n_choices; i++) {
        double price = price_of(whole, k, whole->choices[i].column);
        if (price < 0)
            return false;
        if (price >= cheapest)
            continue; /* another one serves as much for no more */
        cheapest = whole->price[n] = price;
        whole->size[n++] = whole->choices[i].size;
    }
    whole->least[0] = 0;
    for (int32_t q = 1; q <= whole->most_steps; q++) {
        double least = INFINITY;
        for (int32_t i = 0; i < n; i++)
            least = fmin(least, whole->price[i] +
                                    whole->least[q > whole->size[i] ? q - whole->size[i] : 0]);
        whole->least[q] = least;
    }
    return true;
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

static bool open_workload(struct whole *whole, int32_t a)
{
    const struct iso_horizon_case *h = whole->master->h;
    const struct iso_workload *workload = &h->problem->workloads[a];
    iso_decimal most = 1;

    whole->workload = a;
    whole->n_choices = h->slice.first_column[a + 1] - h->slice.first_column[a];
    whole->step = iso_whole_step(h, a);
    for (int32_t t = 0; t < h->problem->n_periods; t++)
        most = workload->required[t] > most ? workload->required[t] : most;
    whole->most_steps = steps_of(most, whole->step);
    whole->least = iso_calloc((size_t)whole->most_steps + 1, sizeof(*whole->least));
    whole->choices = iso_calloc((size_t)whole->n_choices, sizeof(*whole->choices));
    whole->price = iso_calloc((size_t)whole->n_choices, sizeof(*whole->price));
    whole->size = iso_calloc((size_t)whole->n_choices, sizeof(*whole->size));
    if (!whole->least || !whole->choices || !whole->price || !whole->size)
        return false;
    for (int32_t i = 0; i < whole->n_choices; i++) {
        int32_t j = h->slice.first_column[a] + i;
        int32_t size = steps_of(workload->options[h->slice.columns[j].option].served, whole->step);
        whole->choices[i].column = j;
        whole->choices[i].size = size < whole->most_steps ? size : whole->most_steps;
    }
    if (whole->n_choices > 0)
        qsort(whole->choices, (size_t)whole->n_choices, sizeof(*whole->choices), by_size);
    return true;
}

static void close_workload(struct whole *whole)
{
    free(whole->least);
    free(whole->choices);
    free(whole->price);
    free(whole->size);
    whole->least = whole->price = NULL;
    whole->choices = NULL;
    whole->size = NULL;
}

/* Adds what the demands of the open workload cost; false when that proves nothing. */
static bool add_workload(struct whole *whole, long double *io_cost)
{
    const struct iso_horizon_case *h = whole->master->h;
    const iso_decimal *required = h->problem->workloads[whole->workload].required;

    for (int32_t k = 0; k < h->n_clusters; k++) {
        if (iso_search_stops((struct iso_search *)&h->search) || !fill(whole, k))
            return false;
        for (int32_t t = 0; t < h->problem->n_periods; t++)
            if (h->cluster_of[t] == k)
                *io_cost += whole->least[steps_of(required[t], whole->step)];
    }
    return true;
}

bool iso_whole_applies(const struct iso_horizon_case *h)
{
    double steps = (double)h->problem->n_workloads * ISO_MOST_STEPS * h->n_clusters;

    return iso_slice_is_plain(h) && steps * KEPT <= MOST_WORK &&
           (double)h->problem->n_products * h->problem->n_periods <= MOST_COMMITS;
}

enum iso_status iso_whole_cost(const struct iso_master *master, const double *psi, double *ret_cost,
                               struct iso_error *reterr)
{
    struct whole whole = {.master = master, .psi = psi};
    long double cost = 0;
    bool proves = true;

    for (int32_t a = 0; a < master->h->problem->n_workloads && proves; a++) {
        bool ok = open_workload(&whole, a);
        proves = ok && add_workload(&whole, &cost);
        close_workload(&whole);
        if (!ok)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the tables of a bound");
    }
    *ret_cost = proves ? (double)cost : -INFINITY;
    return ISO_OK;
}

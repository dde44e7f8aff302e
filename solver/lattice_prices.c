/* Bounds by multipliers.
 *
 * With Y_kt instances covered by what is held of product k in period t, whole instances n_oa of
 * option o serve workload a, and those of product k's options beyond Y_kt are paid. For any
 * multipliers mu_k in [0, worth_k], worth_k the most that a covered instance saves,
 *
 *     V_t(Y)  >=  sum_a G^mu_a(d_at) - sum_k mu_k Y_kt,
 *
 * G^mu the covering table at the prices min(p_o, mu_k over the products that cover o): give every
 * covered instance the price mu_k, and take back mu_k for each one that Y_kt allows. Tables know
 * that instances are whole; that is what this bound has and a linear program has not. The
 * multipliers of one period bound every other period of the season, so a pool of them is kept and
 * each level takes the best. The sum over the levels is linear in what is bought: a cut
 *
 *     fees y + sum_t V_t(y)  >=  constant + gradient y    for all y.
 *
 * The bound is the Lagrangian dual of A. M. Geoffrion, Mathematical Programming Study 2 (1974), by
 * periods as in C. C. Caroe and R. Schultz, Operations Research Letters 24 (1999). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lattice.h"

void iso_lattice_option_costs(const struct iso_lattice *lattice, int32_t season, const double *mu,
                              double *ret_cost, int32_t *ret_by)
{
    memcpy(ret_cost, lattice->seasons[season].price,
           (size_t)lattice->n_options * sizeof(*ret_cost));
    for (int32_t i = 0; i < lattice->n_options; i++)
        ret_by[i] = -1;
    for (int32_t k = 0; k < lattice->n_products; k++)
        for (int32_t a = 0; a < lattice->n_workloads; a++) {
            int32_t option = lattice->covers[k * lattice->n_workloads + a];
            if (option >= 0 && lattice->seasons[season].supplied[k] && mu[k] <= ret_cost[option]) {
                ret_cost[option] = mu[k];
                ret_by[option] = k;
            }
        }
}

/* Takes the options that no larger one undercuts; gives their number. */
static int32_t undominated(const struct iso_lattice *lattice, int32_t workload, const double *cost,
                           int32_t *ret_options)
{
    int32_t first = lattice->first_option[workload], n = 0;

    for (int32_t i = first; i < lattice->first_option[workload + 1]; i++) {
        bool dominated = false;
        for (int32_t j = first; j < lattice->first_option[workload + 1] && !dominated; j++)
            dominated = j != i && cost[j] <= cost[i] && lattice->size[j] >= lattice->size[i] &&
                        (j < i || cost[j] < cost[i] || lattice->size[j] > lattice->size[i]);
        if (!dominated)
            ret_options[n++] = i;
    }
    return n;
}

/* A block no longer than the smallest option reads only what is there already. */
const double *iso_lattice_cover(const struct iso_lattice *lattice, int32_t workload,
                                const double *cost, int32_t n_steps)
{
    int32_t *options = lattice->options;
    int32_t n = undominated(lattice, workload, cost, options), block = n_steps;
    double *least = &lattice->table[lattice->n_steps[workload]];

    for (int32_t i = 0; i < n; i++)
        block = lattice->size[options[i]] < block ? lattice->size[options[i]] : block;
    for (int32_t q = -lattice->n_steps[workload]; q <= 0; q++)
        least[q] = 0;
    for (int32_t begin = 1; begin <= n_steps; begin += block) {
        int32_t end = begin + block <= n_steps ? begin + block : n_steps + 1;
        for (int32_t i = 0; i < n; i++) {
            double price = cost[options[i]];
            const double *rest = least - lattice->size[options[i]];
            for (int32_t q = begin; q < end && i == 0; q++)
                least[q] = price + rest[q];
            for (int32_t q = begin; q < end && i > 0; q++)
                least[q] = price + rest[q] < least[q] ? price + rest[q] : least[q];
        }
    }
    return least;
}

int32_t iso_lattice_last(const struct iso_lattice *lattice, int32_t workload, const double *cost,
                         const double *least, int32_t q)
{
    int32_t i = lattice->first_option[workload];

    while (i + 1 < lattice->first_option[workload + 1] &&
           cost[i] + least[q - lattice->size[i]] != least[q])
        i++;
    return i;
}

enum iso_status iso_lattice_add_prices(struct iso_lattice *lattice, int32_t season,
                                       const double *mu, struct iso_error *reterr)
{
    size_t n_products = (size_t)lattice->n_products;
    struct iso_lattice_prices prices = {.season = season,
                                        .mu = iso_calloc(n_products, sizeof(double)),
                                        .least =
                                            iso_calloc((size_t)lattice->n_demands, sizeof(double))};
    ISO_AUTO_MEM double *cost = iso_calloc((size_t)lattice->n_options, sizeof(*cost));
    ISO_AUTO_MEM int32_t *by = iso_calloc((size_t)lattice->n_options, sizeof(*by));

    if (!prices.mu || !prices.least || !cost || !by ||
        !iso_append(&lattice->prices, &lattice->n_prices, sizeof(prices), &prices)) {
        free(prices.mu);
        free(prices.least);
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for multipliers");
    }
    memcpy(prices.mu, mu, n_products * sizeof(*mu));
    iso_lattice_option_costs(lattice, season, mu, cost, by);
    for (int32_t a = 0; a < lattice->n_workloads; a++) {
        const double *least = iso_lattice_cover(lattice, a, cost, lattice->n_steps[a]);
        for (int32_t i = lattice->first_demand[a]; i < lattice->first_demand[a + 1]; i++)
            prices.least[i] = least[lattice->demand[i]];
    }
    return ISO_OK;
}

void iso_lattice_capacity(const struct iso_lattice *lattice, int32_t season, const double *y,
                          double *ret_capacity)
{
    memcpy(ret_capacity, lattice->seasons[season].held,
           (size_t)lattice->n_products * sizeof(*ret_capacity));
    for (int32_t s = 0; s < lattice->n_starts; s++)
        if (lattice->seasons[season].open[s])
            ret_capacity[lattice->starts[s].product] +=
                y[s] * (double)lattice->instances[lattice->starts[s].product];
}

/* What one set of multipliers proves of a level, what is held aside. */
static double worth_of(const struct iso_lattice *lattice, const struct iso_lattice_prices *prices,
                       int32_t level)
{
    const int32_t *demand = &lattice->level_demand[(size_t)level * (size_t)lattice->n_workloads];
    double sum = 0;

    for (int32_t a = 0; a < lattice->n_workloads; a++)
        sum += prices->least[demand[a]];
    return sum;
}

/* What the multipliers take back at y: mu times what is held. */
static double credit_at(const struct iso_lattice *lattice, const struct iso_lattice_prices *prices,
                        const double *y)
{
    double capacity[ISO_LATTICE_MOST_PRODUCTS], credit = 0;

    iso_lattice_capacity(lattice, prices->season, y, capacity);
    for (int32_t k = 0; k < lattice->n_products; k++)
        credit += prices->mu[k] * capacity[k];
    return credit;
}

/* Offers one set of multipliers to the levels of its season. */
static void offer(const struct iso_lattice *lattice, int32_t place, double credit,
                  int32_t *ret_taken, double *ret_level)
{
    const struct iso_lattice_prices *prices = &lattice->prices[place];
    const struct iso_lattice_season *season = &lattice->seasons[prices->season];

    for (int32_t i = season->first_level; i < season->first_level + season->n_levels; i++) {
        double value = worth_of(lattice, prices, i) - credit;
        if (value > ret_level[i]) {
            ret_level[i] = value;
            ret_taken[i] = place;
        }
    }
}

/* Each level takes the best of those near it. */
static void choose_near(const struct iso_lattice *lattice, const double *credit, int32_t *ret_taken,
                        double *ret_level)
{
    for (int32_t i = 0; i < lattice->n_levels; i++) {
        const struct iso_lattice_near *near = &lattice->near[i];
        double best = -INFINITY;
        int32_t taken = 0;
        for (int32_t j = 0; j < near->n; j++) {
            double value = near->worth[j] - credit[near->place[j]];
            taken = value > best ? j : taken;
            best = value > best ? value : best;
        }
        ret_taken[i] = near->place[taken];
        ret_level[i] = best;
    }
}

/* What a level takes is near it from now on, in place of what came near first. */
static void remember_near(struct iso_lattice *lattice, const int32_t *taken)
{
    for (int32_t i = 0; i < lattice->n_levels; i++) {
        struct iso_lattice_near *near = &lattice->near[i];
        int32_t j = 0;
        while (j < near->n && near->place[j] != taken[i])
            j++;
        if (j < near->n)
            continue;
        if (near->n < ISO_LATTICE_NEAR)
            near->n++;
        else
            j = near->oldest++ % ISO_LATTICE_NEAR;
        near->place[j] = taken[i];
        near->worth[j] = worth_of(lattice, &lattice->prices[taken[i]], i);
    }
}

double iso_lattice_bound(struct iso_lattice *lattice, const double *y, bool near,
                         int32_t *ret_taken, double *ret_level, struct iso_lattice_cut *cut)
{
    ISO_AUTO_MEM double *credit = iso_calloc(2 * (size_t)lattice->n_prices, sizeof(*credit));
    double *periods = credit ? &credit[lattice->n_prices] : NULL, bound = 0;

    for (int32_t j = 0; j < lattice->n_prices && credit; j++)
        credit[j] = credit_at(lattice, &lattice->prices[j], y);
    for (int32_t i = 0; i < lattice->n_levels; i++)
        ret_level[i] = -INFINITY;
    if (near)
        choose_near(lattice, credit, ret_taken, ret_level);
    else
        for (int32_t j = 0; j < lattice->n_prices; j++)
            offer(lattice, j, credit[j], ret_taken, ret_level);
    if (!near)
        remember_near(lattice, ret_taken);
    for (int32_t i = 0; i < lattice->n_levels; i++) {
        bound += lattice->levels[i].n_periods * ret_level[i];
        periods[ret_taken[i]] += lattice->levels[i].n_periods;
    }
    for (int32_t s = 0; s < lattice->n_starts; s++) {
        const struct iso_lattice_start *start = &lattice->starts[s];
        cut->gradient[s] = start->cost;
        for (int32_t j = 0; j < lattice->n_prices; j++)
            if (lattice->seasons[lattice->prices[j].season].open[s])
                cut->gradient[s] -= periods[j] * lattice->prices[j].mu[start->product] *
                                    (double)lattice->instances[start->product];
        bound += start->cost * y[s];
    }
    cut->constant = bound;
    for (int32_t s = 0; s < lattice->n_starts; s++)
        cut->constant -= cut->gradient[s] * y[s];
    return bound;
}

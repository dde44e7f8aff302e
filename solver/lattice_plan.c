/* From purchases to a plan, and from multipliers to its proof. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cover_table.h"
#include "horizon.h"
#include "lattice.h"

#define ROUNDING 1e-9 /* relative; sums of binary64 terms, which the verifier rounds down */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
}

/* What runs in a level. */
struct runs {
    int64_t *covered; /* [level][workload * n_products + product] */
    int64_t *count;   /* [level][option] */
};

static void runs_fini(struct runs *runs)
{
    free(runs->covered);
    free(runs->count);
}

/* Paid instances cover what the covered ones leave. */
static void fill_counts(const struct iso_lattice *lattice, int32_t level, const int64_t *covered,
                        int64_t *count)
{
    const struct iso_lattice_season *season = &lattice->seasons[lattice->levels[level].season];
    const int32_t *demand = &lattice->level_demand[(size_t)level * (size_t)lattice->n_workloads];

    for (int32_t a = 0; a < lattice->n_workloads; a++) {
        int64_t q = lattice->demand[demand[a]];
        for (int32_t k = 0; k < lattice->n_products; k++) {
            int32_t option = lattice->covers[k * lattice->n_workloads + a];
            int64_t n = covered[a * lattice->n_products + k];
            if (option < 0 || n == 0)
                continue;
            count[option] += n;
            q -= n * lattice->size[option];
        }
        const double *least =
            q > 0 ? iso_lattice_cover(lattice, a, season->price, (int32_t)q) : NULL;
        for (int32_t option; q > 0; q -= lattice->size[option]) {
            option = iso_lattice_last(lattice, a, season->price, least, (int32_t)q);
            count[option]++;
        }
    }
}

static enum iso_status solve_levels(struct iso_lattice *lattice, const int64_t *y,
                                    struct runs *runs, bool *ret_allowed, struct iso_error *reterr)
{
    ISO_AUTO(iso_lattice_point) point = NULL;
    size_t n_levels = (size_t)lattice->n_levels, n_options = (size_t)lattice->n_options;
    size_t n_covers = (size_t)(lattice->n_workloads * lattice->n_products);
    ISO_AUTO_MEM int32_t *taken = iso_calloc(n_levels, sizeof(*taken));
    ISO_AUTO_MEM double *level = iso_calloc(n_levels, sizeof(*level));
    double bought[ISO_LATTICE_MOST_STARTS], gradient[ISO_LATTICE_MOST_STARTS], cost, bound;
    struct iso_lattice_cut cut = {.gradient = gradient};

    runs->covered = iso_calloc(n_levels * n_covers, sizeof(*runs->covered));
    runs->count = iso_calloc(n_levels * n_options, sizeof(*runs->count));
    if (!taken || !level || !runs->covered || !runs->count)
        return no_memory(reterr);
    for (int32_t s = 0; s < lattice->n_starts; s++)
        bought[s] = (double)y[s];
    iso_lattice_bound(lattice, bought, false, taken, level, &cut);
    ISO_TRY(iso_lattice_point_new(lattice, y, &point, reterr));
    *ret_allowed = point;
    for (size_t i = 0; i < n_levels && point; i++) {
        int64_t *covered = &runs->covered[i * n_covers];
        if (!iso_lattice_point_solve(point, (int32_t)i, taken[i], &cost, &bound, covered))
            return no_memory(reterr);
        fill_counts(lattice, (int32_t)i, covered, &runs->count[i * n_options]);
    }
    return ISO_OK;
}

/* Covers of a workload's instances by products alike: the first that has any left. */
static bool add_covers(const struct iso_lattice *lattice, int32_t a, int32_t product, int32_t t,
                       int64_t covered, int64_t *left)
{
    struct iso_plan *plan = lattice->search.plan;
    int32_t option = lattice->covers[product * lattice->n_workloads + a];

    for (int32_t k = 0; k < lattice->n_products && covered > 0 && option >= 0; k++) {
        int64_t n = left[k] < covered ? left[k] : covered;
        if (n == 0 || !iso_lattice_same_covers(lattice, k, product))
            continue;
        int32_t offering =
            lattice->problem->workloads[a].options[option - lattice->first_option[a]].offering;
        struct iso_cover cover = {k, a, offering, t, n * ISO_DECIMAL_ONE};
        left[k] -= n;
        covered -= n;
        if (!iso_append(&plan->covers, &plan->n_covers, sizeof(cover), &cover))
            return false;
    }
    return true;
}

static bool add_period(const struct iso_lattice *lattice, const struct runs *runs, int32_t t,
                       const double *bought)
{
    const struct iso_problem *problem = lattice->problem;
    struct iso_plan *plan = lattice->search.plan;
    int32_t level = lattice->level_of[t];
    const int64_t *count = &runs->count[(size_t)level * (size_t)lattice->n_options];
    const int64_t *covered =
        &runs->covered[(size_t)level * (size_t)(lattice->n_workloads * lattice->n_products)];
    double capacity[ISO_LATTICE_MOST_PRODUCTS];
    int64_t left[ISO_LATTICE_MOST_PRODUCTS];

    iso_lattice_capacity(lattice, lattice->levels[level].season, bought, capacity);
    for (int32_t k = 0; k < lattice->n_products; k++)
        left[k] = (int64_t)capacity[k];
    for (int32_t a = 0; a < lattice->n_workloads; a++) {
        for (int32_t i = lattice->first_option[a]; i < lattice->first_option[a + 1]; i++) {
            int32_t offering = problem->workloads[a].options[i - lattice->first_option[a]].offering;
            struct iso_use use = {a, offering, t, count[i]};
            if (count[i] > 0 && !iso_append(&plan->uses, &plan->n_uses, sizeof(use), &use))
                return false;
        }
        for (int32_t k = 0; k < lattice->n_products; k++)
            if (!add_covers(lattice, a, k, t, covered[a * lattice->n_products + k], left))
                return false;
    }
    return true;
}

static bool all_limits_hold(const struct iso_lattice *lattice, const struct runs *runs)
{
    for (int32_t t = 0; t < lattice->problem->n_periods; t++) {
        int64_t *count[ISO_LATTICE_MOST_WORKLOADS];
        for (int32_t a = 0; a < lattice->n_workloads; a++)
            count[a] = &runs->count[(size_t)lattice->level_of[t] * (size_t)lattice->n_options +
                                    (size_t)lattice->first_option[a]];
        if (!iso_cover_limits_hold(lattice->problem, count, t))
            return false;
    }
    return true;
}

enum iso_status iso_lattice_allows(struct iso_lattice *lattice, const int64_t *y, bool *ret_allowed,
                                   struct iso_error *reterr)
{
    struct runs runs __attribute__((cleanup(runs_fini))) = {0};
    ISO_AUTO(iso_lattice_point) point = NULL;

    ISO_TRY(iso_lattice_point_new(lattice, y, &point, reterr));
    *ret_allowed = point;
    if (!point || lattice->problem->n_limits == 0)
        return ISO_OK;
    ISO_TRY(solve_levels(lattice, y, &runs, ret_allowed, reterr));
    *ret_allowed = *ret_allowed && all_limits_hold(lattice, &runs);
    return ISO_OK;
}

enum iso_status iso_lattice_plan(struct iso_lattice *lattice, const int64_t *y, bool *ret_allowed,
                                 struct iso_error *reterr)
{
    struct runs runs __attribute__((cleanup(runs_fini))) = {0};
    struct iso_plan *plan = lattice->search.plan;
    double bought[ISO_LATTICE_MOST_STARTS];

    ISO_TRY(solve_levels(lattice, y, &runs, ret_allowed, reterr));
    *ret_allowed = *ret_allowed && all_limits_hold(lattice, &runs);
    for (int32_t s = 0; s < lattice->n_starts; s++) {
        struct iso_purchase made = {lattice->starts[s].product, lattice->starts[s].start, y[s]};
        bought[s] = (double)y[s];
        if (y[s] > 0 && !iso_append(&plan->purchases, &plan->n_purchases, sizeof(made), &made))
            return no_memory(reterr);
    }
    for (int32_t t = 0; t < lattice->problem->n_periods && *ret_allowed; t++)
        if (!add_period(lattice, &runs, t, bought))
            return no_memory(reterr);
    return ISO_OK;
}

/* --- the proof --- */

static double periods_of(const struct iso_lattice *lattice, const struct iso_lattice_cell *cell)
{
    double n = 0;

    for (int32_t i = 0; i < cell->n_levels; i++)
        n += lattice->levels[cell->levels[i]].n_periods;
    return n;
}

/* Multipliers of a product may not add up to more than buying it costs, at any start. */
static void shrink(const struct iso_lattice *lattice, struct iso_lattice_cell *cells,
                   int32_t n_cells)
{
    for (int32_t s = 0; s < lattice->n_starts; s++) {
        const struct iso_lattice_start *start = &lattice->starts[s];
        double worth = 0;
        if (start->most == 0)
            continue;
        for (int32_t c = 0; c < n_cells; c++)
            if (lattice->seasons[cells[c].season].open[s])
                worth += periods_of(lattice, &cells[c]) * cells[c].mu[start->product] *
                         (double)lattice->instances[start->product];
        for (int32_t c = 0; c < n_cells && worth * (1 + ROUNDING) > start->cost; c++)
            cells[c].mu[start->product] *= start->cost / (worth * (1 + ROUNDING));
    }
}

/* What the multipliers of a cell prove of its periods. */
static double worth_of_cell(const struct iso_lattice *lattice, const struct iso_lattice_cell *cell,
                            double *cost, int32_t *by)
{
    double sum = 0;

    iso_lattice_option_costs(lattice, cell->season, cell->mu, cost, by);
    for (int32_t a = 0; a < lattice->n_workloads; a++) {
        const double *least = iso_lattice_cover(lattice, a, cost, lattice->n_steps[a]);
        for (int32_t i = 0; i < cell->n_levels; i++) {
            int32_t demand = lattice->level_demand[cell->levels[i] * lattice->n_workloads + a];
            sum += lattice->levels[cell->levels[i]].n_periods * least[lattice->demand[demand]];
        }
    }
    for (int32_t k = 0; k < lattice->n_products; k++)
        sum -= periods_of(lattice, cell) * cell->mu[k] * lattice->seasons[cell->season].held[k];
    return sum;
}

/* COMMIT multipliers of a cell stand with its first period: - mu per unit that an instance uses. */
static bool add_duals(struct iso_lattice *lattice, const struct iso_lattice_cell *cell,
                      int32_t lead)
{
    struct iso_plan *plan = lattice->search.plan;

    for (int32_t k = 0; k < lattice->n_products; k++) {
        double use = iso_decimal_to_double(lattice->problem->products[k].lot) /
                     (double)lattice->instances[k];
        struct iso_dual dual = {ISO_ROW_COMMIT, k, lead, -1, -1, -cell->mu[k] / use};
        if (!iso_append(&plan->duals, &plan->n_duals, sizeof(dual), &dual))
            return false;
    }
    return true;
}

/* Every period of a cell is led by the first. */
static enum iso_status add_leads(struct iso_lattice *lattice, const struct iso_lattice_cell *cells,
                                 int32_t n_cells, struct iso_error *reterr)
{
    struct iso_plan *plan = lattice->search.plan;
    int32_t n_periods = lattice->problem->n_periods;
    ISO_AUTO_MEM int32_t *lead = iso_calloc((size_t)n_cells, sizeof(*lead));
    ISO_AUTO_MEM int32_t *cell = iso_calloc((size_t)lattice->n_levels, sizeof(*cell));

    if (!lead || !cell)
        return no_memory(reterr);
    for (int32_t c = 0; c < n_cells; c++) {
        lead[c] = n_periods;
        for (int32_t i = 0; i < cells[c].n_levels; i++)
            cell[cells[c].levels[i]] = c;
    }
    for (int32_t t = 0; t < n_periods; t++) {
        int32_t c = cell[lattice->level_of[t]];
        lead[c] = t < lead[c] ? t : lead[c];
        if (!iso_append(&plan->leads, &plan->n_leads, sizeof(struct iso_lead),
                        &(struct iso_lead){lead[c]}))
            return no_memory(reterr);
    }
    for (int32_t c = 0; c < n_cells; c++)
        if (!add_duals(lattice, &cells[c], lead[c]))
            return no_memory(reterr);
    return ISO_OK;
}

enum iso_status iso_lattice_prove(struct iso_lattice *lattice, struct iso_lattice_cell *cells,
                                  int32_t n_cells, struct iso_tier *tier, struct iso_error *reterr)
{
    struct iso_plan *plan = lattice->search.plan;
    ISO_AUTO_MEM double *cost = iso_calloc((size_t)lattice->n_options, sizeof(*cost));
    ISO_AUTO_MEM int32_t *by = iso_calloc((size_t)lattice->n_options, sizeof(*by));
    double sum = iso_existing_fees(lattice->problem);

    if (!cost || !by)
        return no_memory(reterr);
    shrink(lattice, cells, n_cells);
    for (int32_t c = 0; c < n_cells; c++)
        sum += worth_of_cell(lattice, &cells[c], cost, by);
    tier->first_dual = plan->n_duals;
    ISO_TRY(add_leads(lattice, cells, n_cells, reterr));
    tier->n_duals = plan->n_duals - tier->first_dual;
    for (int32_t a = 0; a < lattice->n_workloads; a++) {
        struct iso_value_function function = {a, lattice->step[a]};
        if (!iso_append(&plan->value_functions, &plan->n_value_functions, sizeof(function),
                        &function))
            return no_memory(reterr);
    }
    tier->checked_bound = sum - ROUNDING * (1 + fabs(sum));
    return ISO_OK;
}

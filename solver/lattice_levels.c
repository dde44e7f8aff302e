/* Reads a problem as a lattice: options, starts, seasons and levels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cover_table.h"
#include "horizon.h"
#include "lattice.h"

#define MOST_SEASONS 32
#define MOST_CELLS 2e6 /* steps times options of all workloads: one round of pricing a cell */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a lattice");
}

/* A product covers whole instances, by one unit as many for each workload that may use it. */
static bool product_applies(const struct iso_problem *problem, const struct iso_product *product,
                            int32_t c)
{
    int64_t common = 0;

    for (int32_t g = 0; g < problem->n_teams; g++)
        if (product->cells[problem->n_workloads + g])
            return false;
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        int64_t instances = 0;
        if (!product->cells[a])
            continue;
        if (iso_cover_option(problem, c, a, &instances) < 0 || (common && instances != common))
            return false;
        common = instances;
    }
    for (int32_t t = 0; t < problem->n_periods && common; t++)
        if ((iso_wide)product->existing[t] * common % ISO_DECIMAL_ONE != 0)
            return false;
    return common > 0 && !product->spend;
}

bool iso_lattice_has_structure(const struct iso_problem *problem)
{
    int32_t n_starts = 0;

    if (problem->moves.present || problem->n_budgets > 0 || problem->n_volumes > 0 ||
        problem->cost_factors || problem->n_products > ISO_LATTICE_MOST_PRODUCTS ||
        problem->n_workloads > ISO_LATTICE_MOST_WORKLOADS)
        return false;
    for (int32_t l = 0; l < problem->n_limits; l++)
        if (problem->limits[l].minimum || problem->limits[l].policy != ISO_POLICY_HARD)
            return false;
    for (int32_t c = 0; c < problem->n_products; c++) {
        n_starts += problem->products[c].n_starts;
        if (!product_applies(problem, &problem->products[c], c))
            return false;
    }
    for (int32_t a = 0; a < problem->n_workloads; a++)
        if (!iso_cover_alone(&problem->workloads[a]))
            return false;
    return n_starts > 0 && n_starts <= ISO_LATTICE_MOST_STARTS;
}

static int by_value(const void *left, const void *right)
{
    const int32_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

static int32_t steps_needed(const struct iso_lattice *lattice, int32_t a, int32_t t)
{
    return (int32_t)iso_wide_divide(lattice->problem->workloads[a].required[t], lattice->step[a],
                                    ISO_ROUND_UP);
}

/* Sizes of the options and the distinct demands of a workload. */
static void open_workload(struct iso_lattice *lattice, int32_t a)
{
    const struct iso_workload *workload = &lattice->problem->workloads[a];
    int32_t *demand = &lattice->demand[lattice->first_demand[a]], n = 0;

    for (int32_t i = 0; i < workload->n_options; i++) {
        iso_decimal size = workload->options[i].served / lattice->step[a];
        lattice->size[lattice->first_option[a] + i] =
            size < lattice->n_steps[a] ? (int32_t)size : lattice->n_steps[a];
    }
    for (int32_t t = 0; t < lattice->problem->n_periods; t++)
        demand[t] = steps_needed(lattice, a, t);
    qsort(demand, (size_t)lattice->problem->n_periods, sizeof(*demand), by_value);
    for (int32_t t = 0; t < lattice->problem->n_periods; t++)
        if (n == 0 || demand[n - 1] != demand[t])
            demand[n++] = demand[t];
    lattice->first_demand[a + 1] = lattice->first_demand[a] + n;
}

/* Steps of all workloads; false when there are too many. */
static bool count_steps(struct iso_lattice *lattice)
{
    const struct iso_problem *problem = lattice->problem;
    double cells = 0;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        iso_decimal most = 1;
        for (int32_t t = 0; t < problem->n_periods; t++)
            most = workload->required[t] > most ? workload->required[t] : most;
        lattice->step[a] = iso_cover_step(workload);
        iso_wide n_steps = iso_wide_divide(most, lattice->step[a], ISO_ROUND_UP);
        cells += (double)n_steps * workload->n_options;
        if (cells > MOST_CELLS)
            return false;
        lattice->n_steps[a] = (int32_t)n_steps;
        lattice->first_option[a + 1] = lattice->first_option[a] + workload->n_options;
    }
    lattice->n_options = lattice->first_option[problem->n_workloads];
    return true;
}

static void find_covers(struct iso_lattice *lattice)
{
    const struct iso_problem *problem = lattice->problem;

    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t a = 0; a < problem->n_workloads; a++) {
            int32_t option = problem->products[c].cells[a]
                                 ? iso_cover_option(problem, c, a, &lattice->instances[c])
                                 : -1;
            lattice->covers[c * problem->n_workloads + a] =
                option < 0 ? -1 : lattice->first_option[a] + option;
        }
}

/* More units than would cover every workload's largest demand are of no use. */
static void open_starts(struct iso_lattice *lattice)
{
    const struct iso_problem *problem = lattice->problem;

    for (int32_t c = 0; c < problem->n_products; c++) {
        int64_t most = 0;
        for (int32_t a = 0; a < problem->n_workloads; a++) {
            int32_t option = lattice->covers[c * problem->n_workloads + a];
            if (option >= 0)
                most += (lattice->n_steps[a] + lattice->size[option] - 1) / lattice->size[option];
        }
        most = (most + lattice->instances[c] - 1) / lattice->instances[c];
        if (problem->products[c].most >= 0 && problem->products[c].most < most)
            most = problem->products[c].most;
        for (int32_t s = 0; s < problem->products[c].n_starts; s++)
            lattice->starts[lattice->n_starts++] =
                (struct iso_lattice_start){c, s, iso_unit_cost(problem, c, s), most};
    }
}

/* --- seasons and levels --- */

static bool same_season(const struct iso_lattice *lattice, int32_t t, int32_t other)
{
    const struct iso_problem *problem = lattice->problem;

    if (problem->periods[t].hours != problem->periods[other].hours)
        return false;
    for (int32_t k = 0; k < problem->n_currencies; k++)
        if (problem->currencies[k].rate_to_base[t] != problem->currencies[k].rate_to_base[other])
            return false;
    for (int32_t c = 0; c < problem->n_products; c++)
        if (problem->products[c].existing[t] != problem->products[c].existing[other])
            return false;
    for (int32_t i = 0; i < lattice->n_starts; i++) {
        const struct iso_lattice_start *start = &lattice->starts[i];
        const uint8_t *window = problem->products[start->product].starts[start->start].window;
        if (window[t] != window[other])
            return false;
    }
    for (int32_t a = 0; a < problem->n_workloads && problem->n_price_exceptions > 0; a++)
        for (int32_t i = 0; i < problem->workloads[a].n_options; i++) {
            int32_t offering = problem->workloads[a].options[i].offering;
            if (iso_problem_price(problem, offering, t) !=
                iso_problem_price(problem, offering, other))
                return false;
        }
    return true;
}

static bool add_season(struct iso_lattice *lattice, int32_t t)
{
    const struct iso_problem *problem = lattice->problem;
    size_t n_products = (size_t)problem->n_products;
    struct iso_lattice_season season = {
        .period = t,
        .price = iso_calloc((size_t)lattice->n_options, sizeof(double)),
        .worth = iso_calloc(n_products, sizeof(double)),
        .held = iso_calloc(n_products, sizeof(double)),
        .supplied = iso_calloc(n_products, 1),
        .open = iso_calloc((size_t)lattice->n_starts, 1),
        .least = iso_calloc((size_t)problem->n_workloads, sizeof(double *))};

    lattice->seasons[lattice->n_seasons++] = season;
    if (!season.price || !season.worth || !season.held || !season.supplied || !season.open ||
        !season.least)
        return false;
    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t i = 0; i < problem->workloads[a].n_options; i++)
            season.price[lattice->first_option[a] + i] =
                iso_cover_price(problem, problem->workloads[a].options[i].offering, t);
    if (!iso_lattice_find_sums(&lattice->seasons[lattice->n_seasons - 1], lattice->n_options))
        return false;
    for (int32_t c = 0; c < problem->n_products; c++) {
        season.held[c] = (double)((iso_wide)problem->products[c].existing[t] *
                                  lattice->instances[c] / ISO_DECIMAL_ONE);
        season.supplied[c] = season.held[c] > 0;
        for (int32_t a = 0; a < problem->n_workloads; a++)
            if (lattice->covers[c * problem->n_workloads + a] >= 0)
                season.worth[c] = fmax(season.worth[c],
                                       season.price[lattice->covers[c * problem->n_workloads + a]]);
    }
    for (int32_t i = 0; i < lattice->n_starts; i++) {
        const struct iso_product *product = &problem->products[lattice->starts[i].product];
        season.open[i] = product->starts[lattice->starts[i].start].window[t];
        season.supplied[lattice->starts[i].product] |= season.open[i] && product->most != 0;
    }
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        season.least[a] = iso_calloc((size_t)lattice->n_steps[a] + 1, sizeof(double));
        if (!season.least[a])
            return false;
        memcpy(season.least[a], iso_lattice_cover(lattice, a, season.price, lattice->n_steps[a]),
               ((size_t)lattice->n_steps[a] + 1) * sizeof(double));
    }
    return true;
}

/* What is sorted: periods with their seasons and demands. */
struct order {
    const int32_t *season, *demand; /* [period], [period * n_workloads + workload] */
    int32_t n_workloads;
};

static int by_season_and_demand(const void *left, const void *right, void *context)
{
    const struct order *order = context;
    int32_t t = *(const int32_t *)left, other = *(const int32_t *)right;

    if (order->season[t] != order->season[other])
        return order->season[t] < order->season[other] ? -1 : 1;
    for (int32_t a = 0; a < order->n_workloads; a++) {
        int32_t n = order->demand[t * order->n_workloads + a];
        int32_t m = order->demand[other * order->n_workloads + a];
        if (n != m)
            return n < m ? -1 : 1;
    }
    return 0;
}

static enum iso_status merge_levels(struct iso_lattice *lattice, struct order *order,
                                    struct iso_error *reterr)
{
    size_t n_periods = (size_t)lattice->problem->n_periods, n = (size_t)order->n_workloads;
    ISO_AUTO_MEM int32_t *periods = iso_calloc(n_periods, sizeof(*periods));

    if (!periods)
        return no_memory(reterr);
    for (int32_t t = 0; t < lattice->problem->n_periods; t++)
        periods[t] = t;
    qsort_r(periods, n_periods, sizeof(*periods), by_season_and_demand, order);
    for (size_t i = 0; i < n_periods; i++) {
        int32_t t = periods[i], season = order->season[t];
        bool is_new = i == 0 || by_season_and_demand(&periods[i - 1], &periods[i], order) != 0;
        if (is_new) {
            int32_t level = lattice->n_levels++;
            lattice->levels[level] = (struct iso_lattice_level){season, t, 0};
            memcpy(&lattice->level_demand[(size_t)level * n], &order->demand[(size_t)t * n],
                   n * sizeof(int32_t));
            if (lattice->seasons[season].n_levels++ == 0)
                lattice->seasons[season].first_level = level;
        }
        lattice->levels[lattice->n_levels - 1].n_periods++;
        lattice->level_of[t] = lattice->n_levels - 1;
    }
    return ISO_OK;
}

/* Seasons and levels; *ret_small is false when there are too many seasons. */
static enum iso_status open_levels(struct iso_lattice *lattice, bool *ret_small,
                                   struct iso_error *reterr)
{
    const struct iso_problem *problem = lattice->problem;
    size_t n_periods = (size_t)problem->n_periods, n = (size_t)problem->n_workloads;
    ISO_AUTO_MEM int32_t *season = iso_calloc(n_periods, sizeof(*season));
    ISO_AUTO_MEM int32_t *demand = iso_calloc(n_periods * n, sizeof(*demand));
    int32_t last = -1;

    if (!season || !demand)
        return no_memory(reterr);
    for (int32_t t = 0; t < problem->n_periods; t++) {
        if (last < 0 || !same_season(lattice, t, lattice->seasons[last].period))
            for (last = 0; last < lattice->n_seasons; last++)
                if (same_season(lattice, t, lattice->seasons[last].period))
                    break;
        *ret_small = last < MOST_SEASONS;
        if (!*ret_small)
            return ISO_OK;
        if (last == lattice->n_seasons && !add_season(lattice, t))
            return no_memory(reterr);
        season[t] = last;
        for (size_t a = 0; a < n; a++) {
            int32_t steps = steps_needed(lattice, (int32_t)a, t), first = lattice->first_demand[a];
            const int32_t *at =
                bsearch(&steps, &lattice->demand[first],
                        (size_t)(lattice->first_demand[a + 1] - first), sizeof(steps), by_value);
            demand[(size_t)t * n + a] = (int32_t)(at - lattice->demand);
        }
    }
    return merge_levels(lattice, &(struct order){season, demand, problem->n_workloads}, reterr);
}

static bool allocate(struct iso_lattice *lattice)
{
    const struct iso_problem *problem = lattice->problem;
    size_t n = (size_t)problem->n_workloads, n_products = (size_t)problem->n_products;
    size_t n_periods = (size_t)problem->n_periods;

    lattice->first_option = iso_calloc(n + 1, sizeof(*lattice->first_option));
    lattice->first_demand = iso_calloc(n + 1, sizeof(*lattice->first_demand));
    lattice->n_steps = iso_calloc(n, sizeof(*lattice->n_steps));
    lattice->step = iso_calloc(n, sizeof(*lattice->step));
    lattice->covers = iso_calloc(n_products * n, sizeof(*lattice->covers));
    lattice->instances = iso_calloc(n_products, sizeof(*lattice->instances));
    lattice->starts = iso_calloc(ISO_LATTICE_MOST_STARTS, sizeof(*lattice->starts));
    lattice->seasons = iso_calloc(MOST_SEASONS, sizeof(*lattice->seasons));
    lattice->demand = iso_calloc(n * n_periods, sizeof(*lattice->demand));
    lattice->levels = iso_calloc(n_periods, sizeof(*lattice->levels));
    lattice->level_demand = iso_calloc(n * n_periods, sizeof(*lattice->level_demand));
    lattice->level_of = iso_calloc(n_periods, sizeof(*lattice->level_of));
    lattice->near = iso_calloc(n_periods, sizeof(*lattice->near));
    return lattice->first_option && lattice->first_demand && lattice->n_steps && lattice->step &&
           lattice->covers && lattice->instances && lattice->starts && lattice->seasons &&
           lattice->demand && lattice->levels && lattice->level_demand && lattice->level_of &&
           lattice->near;
}

enum iso_status iso_lattice_init(struct iso_lattice *lattice, const struct iso_problem *problem,
                                 bool *ret_small, struct iso_error *reterr)
{
    int32_t most = 0;

    *lattice = (struct iso_lattice){
        .problem = problem, .n_workloads = problem->n_workloads, .n_products = problem->n_products};
    if (!allocate(lattice))
        return no_memory(reterr);
    *ret_small = count_steps(lattice);
    if (!*ret_small)
        return ISO_OK;
    for (int32_t a = 0; a < lattice->n_workloads; a++)
        most = lattice->n_steps[a] > most ? lattice->n_steps[a] : most;
    lattice->size = iso_calloc((size_t)lattice->n_options, sizeof(*lattice->size));
    lattice->table = iso_calloc(2 * (size_t)most + 1, sizeof(*lattice->table));
    lattice->options = iso_calloc((size_t)lattice->n_options, sizeof(*lattice->options));
    if (!lattice->size || !lattice->table || !lattice->options)
        return no_memory(reterr);
    for (int32_t a = 0; a < lattice->n_workloads; a++)
        open_workload(lattice, a);
    lattice->n_demands = lattice->first_demand[lattice->n_workloads];
    find_covers(lattice);
    open_starts(lattice);
    return open_levels(lattice, ret_small, reterr);
}

void iso_lattice_fini(struct iso_lattice *lattice)
{
    for (int32_t i = 0; i < lattice->n_seasons; i++) {
        struct iso_lattice_season *season = &lattice->seasons[i];
        for (int32_t a = 0; a < lattice->n_workloads && season->least; a++)
            free(season->least[a]);
        free(season->price);
        free(season->sums);
        free(season->worth);
        free(season->held);
        free(season->supplied);
        free(season->open);
        free(season->least);
    }
    for (int32_t i = 0; i < lattice->n_prices; i++) {
        free(lattice->prices[i].mu);
        free(lattice->prices[i].least);
    }
    void *const arrays[] = {lattice->first_option, lattice->size,         lattice->n_steps,
                            lattice->step,         lattice->first_demand, lattice->demand,
                            lattice->covers,       lattice->instances,    lattice->starts,
                            lattice->seasons,      lattice->levels,       lattice->level_demand,
                            lattice->level_of,     lattice->table,        lattice->prices,
                            lattice->options,      lattice->near};
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
}

/* Separable cover.
 *
 * With a step d that divides what every option serves, a demand D is q = ceil(D / d) steps and an
 * option a_o = s_o / d whole steps. Whole instances cover q steps in a period of price p at least
 * at
 *
 *     G(0) = 0,   G(q) = min over o of p_o + G(max(0, q - a_o)),
 *
 * and units of commitments, each m instances of its option in every period, hold S steps at least
 * at R(S), by the same recurrence over their whole costs. What is held costs nothing more, so
 *
 *     cost = min over S of  R(S) + sum_t G_t(max(0, q_t - S)),
 *
 * exactly: any plan holds some S, and pays for covering what is left. Periods with equal prices and
 * equal steps count together. Where a bound of the sum by straight lines, G(q) >= q min p_o / a_o,
 * is above the best so far, S is passed over. */
#include "cover_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search.h"

#define MOST_STEPS 131072
#define MOST_CELLS 4e7 /* of all G together */
#define ROUNDING 1e-12 /* relative; of sums of a few thousand binary64 terms */

int32_t iso_cover_option(const struct iso_problem *problem, int32_t product, int32_t workload,
                         int64_t *ret_instances)
{
    const struct iso_product *p = &problem->products[product];
    int32_t found = -1;

    for (int32_t i = 0; i < p->n_eligible; i++) {
        int32_t offering = p->eligible[i].offering;
        int32_t option = iso_workload_find_option(&problem->workloads[workload], offering);
        if (option < 0 || problem->offerings[offering].spot)
            continue;
        if (found >= 0 || p->lot % p->eligible[i].use != 0)
            return -1;
        found = option;
        *ret_instances = p->lot / p->eligible[i].use;
    }
    return found;
}

/* Existing units must cover whole instances, bought ones the whole horizon. */
static bool product_applies(const struct iso_problem *problem, int32_t product, int32_t workload)
{
    const struct iso_product *p = &problem->products[product];
    int64_t instances;

    if (!p->cells[workload])
        return true;
    for (int32_t k = 0; k < iso_problem_n_cells(problem); k++)
        if (k != workload && p->cells[k])
            return false;
    if (iso_cover_option(problem, product, workload, &instances) < 0)
        return false;
    for (int32_t t = 0; t < problem->n_periods; t++)
        if (p->existing[t] > 0 && (iso_wide)p->existing[t] * instances % ISO_DECIMAL_ONE != 0)
            return false;
    for (int32_t s = 0; s < p->n_starts && p->most != 0; s++)
        for (int32_t t = 0; t < problem->n_periods; t++)
            if (!p->starts[s].window[t])
                return false;
    return true;
}

bool iso_cover_alone(const struct iso_workload *w)
{
    return w->service == ISO_SERVICE_MUST && !w->replicas && w->n_shares == 0 &&
           w->n_survive == 0 && w->n_spread == 0 && w->n_affinities == 0 && !w->ramp &&
           w->n_traffic == 0 && w->n_options > 0;
}

bool iso_cover_applies(const struct iso_problem *problem, int32_t workload)
{
    if (!iso_cover_alone(&problem->workloads[workload]))
        return false;
    for (int32_t c = 0; c < problem->n_products; c++)
        if (!product_applies(problem, c, workload))
            return false;
    return true;
}

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a covering table");
}

iso_decimal iso_cover_step(const struct iso_workload *workload)
{
    iso_decimal step = 0;

    for (int32_t i = 0; i < workload->n_options; i++) {
        iso_decimal a = workload->options[i].served;
        while (step != 0) {
            iso_decimal rest = a % step;
            a = step;
            step = rest;
        }
        step = a;
    }
    return step;
}

/* Steps and options; false when there are too many steps. */
static bool open_steps(struct iso_cover_table *table)
{
    const struct iso_workload *workload = &table->problem->workloads[table->workload];
    iso_decimal most = 1;

    table->step = iso_cover_step(workload);
    for (int32_t t = 0; t < table->problem->n_periods; t++)
        if (workload->required[t] > most)
            most = workload->required[t];
    iso_wide n_steps = iso_wide_divide(most, table->step, ISO_ROUND_UP);
    if (n_steps > MOST_STEPS)
        return false;
    table->n_steps = (int32_t)n_steps;
    for (int32_t i = 0; i < workload->n_options; i++) {
        iso_decimal size = workload->options[i].served / table->step;
        table->size[i] = size < n_steps ? (int32_t)size : table->n_steps;
    }
    return true;
}

double iso_cover_price(const struct iso_problem *problem, int32_t offering, int32_t t)
{
    const int32_t currency = problem->offerings[offering].currency;

    return iso_decimal_to_double(iso_problem_price(problem, offering, t)) *
           iso_decimal_to_double(iso_problem_rate(problem, currency, problem->base_currency, t)) *
           iso_decimal_to_double(problem->periods[t].hours);
}

static bool same_prices(const struct iso_cover_table *table, const double *price, int32_t class)
{
    int32_t n_options = table->problem->workloads[table->workload].n_options;

    return memcmp(price, table->classes[class].price, (size_t)n_options * sizeof(*price)) == 0;
}

/* The class of a period; -1 when memory is short. The last class that matched is tried first. */
static int32_t class_of(struct iso_cover_table *table, int32_t t, int32_t last, double *price)
{
    const struct iso_problem *problem = table->problem;
    const struct iso_workload *workload = &problem->workloads[table->workload];
    struct iso_cover_class class = {.period = t, .slope = INFINITY};
    size_t n = (size_t)workload->n_options;

    if (last >= 0 && problem->n_price_exceptions == 0 && problem->n_currencies == 1 &&
        problem->periods[t].hours == problem->periods[table->classes[last].period].hours)
        return last;
    for (size_t i = 0; i < n; i++)
        price[i] = iso_cover_price(problem, workload->options[i].offering, t);
    for (int32_t k = 0; k < table->n_classes; k++)
        if (same_prices(table, price, k))
            return k;
    class.price = iso_calloc(n, sizeof(*class.price));
    if (!class.price)
        return -1;
    memcpy(class.price, price, n * sizeof(*price));
    for (size_t i = 0; i < n; i++)
        class.slope = fmin(class.slope, price[i] / table->size[i]);
    if (iso_append(&table->classes, &table->n_classes, sizeof(class), &class))
        return table->n_classes - 1;
    free(class.price);
    return -1;
}

/* What existing units cover in a period; the steps of it. */
static int64_t held_steps(struct iso_cover_table *table, int32_t t)
{
    const struct iso_problem *problem = table->problem;
    int32_t n_options = problem->workloads[table->workload].n_options;
    int64_t steps = 0;

    for (int32_t i = 0; i < table->n_products; i++) {
        const struct iso_cover_product *own = &table->products[i];
        iso_decimal existing = problem->products[own->product].existing[t];
        if (existing == 0)
            continue;
        int64_t n = (int64_t)((iso_wide)existing * own->instances / ISO_DECIMAL_ONE);
        table->held[(size_t)t * (size_t)n_options + (size_t)own->option] += n;
        steps += n * table->size[own->option];
    }
    return steps;
}

static bool list_products(struct iso_cover_table *table)
{
    const struct iso_problem *problem = table->problem;

    for (int32_t c = 0; c < problem->n_products; c++) {
        struct iso_cover_product own = {.product = c};
        if (!problem->products[c].cells[table->workload])
            continue;
        own.option = iso_cover_option(problem, c, table->workload, &own.instances);
        if (!iso_append(&table->products, &table->n_products, sizeof(own), &own))
            return false;
    }
    return true;
}

/* Classes and levels. A period with other holdings is a level of its own kind, so the place of
 * (class, steps) is looked up only among periods that hold nothing. */
static enum iso_status open_levels(struct iso_cover_table *table, struct iso_error *reterr)
{
    const struct iso_problem *problem = table->problem;
    const struct iso_workload *workload = &problem->workloads[table->workload];
    ISO_AUTO_MEM int32_t *class = iso_calloc((size_t)problem->n_periods, sizeof(*class));
    ISO_AUTO_MEM int32_t *steps = iso_calloc((size_t)problem->n_periods, sizeof(*steps));
    ISO_AUTO_MEM int32_t *place = iso_calloc((size_t)table->n_steps + 1, sizeof(*place));
    ISO_AUTO_MEM double *price = iso_calloc((size_t)workload->n_options, sizeof(*price));
    int32_t last = -1;

    if (!class || !steps || !place || !price)
        return no_memory(reterr);
    for (int32_t t = 0; t < problem->n_periods; t++) {
        iso_wide needed = iso_wide_divide(workload->required[t], table->step, ISO_ROUND_UP);
        int64_t held = held_steps(table, t);
        steps[t] = needed > held ? (int32_t)(needed - held) : 0;
        class[t] = last = class_of(table, t, last, price);
        if (last < 0)
            return no_memory(reterr);
    }
    for (int32_t k = 0; k < table->n_classes; k++) {
        int32_t first = table->n_levels;
        for (int32_t t = 0; t < problem->n_periods; t++) {
            struct iso_cover_level level = {k, steps[t], 0};
            if (class[t] != k)
                continue;
            int32_t at = place[steps[t]] - 1;
            if (at < first) {
                at = table->n_levels;
                place[steps[t]] = at + 1;
                if (!iso_append(&table->levels, &table->n_levels, sizeof(level), &level))
                    return no_memory(reterr);
            }
            table->levels[at].n_periods++;
            table->level_of[t] = at;
        }
    }
    return ISO_OK;
}

/* Sum of h_t * rate_t. */
static double hours_in_base(const struct iso_problem *problem, int32_t currency)
{
    const iso_decimal *rate = problem->currencies[currency].rate_to_base;
    double sum = 0;

    for (int32_t t = 0; t < problem->n_periods; t++)
        sum += iso_decimal_to_double(problem->periods[t].hours) * iso_decimal_to_double(rate[t]);
    return sum;
}

static bool add_units(struct iso_cover_table *table)
{
    const struct iso_problem *problem = table->problem;
    int32_t currency = -1;
    double hours = 0;

    for (int32_t i = 0; i < table->n_products; i++) {
        int32_t c = table->products[i].product;
        const struct iso_product *product = &problem->products[c];
        struct iso_cover_unit unit = {.product = c,
                                      .option = table->products[i].option,
                                      .instances = table->products[i].instances,
                                      .cost = INFINITY};
        if (product->most == 0 || product->n_starts == 0)
            continue;
        const iso_decimal *rate = problem->currencies[product->currency].rate_to_base;
        if (product->currency != currency)
            hours = hours_in_base(problem, product->currency);
        currency = product->currency;
        double fees = iso_decimal_to_double(product->fee) * hours;
        for (int32_t s = 0; s < product->n_starts; s++) {
            const struct iso_start *start = &product->starts[s];
            double cost = fees + iso_decimal_to_double(product->upfront) *
                                     iso_decimal_to_double(rate[start->period]) *
                                     iso_decimal_to_double(start->hours_inside) /
                                     iso_decimal_to_double(product->term_hours);
            if (cost < unit.cost) {
                unit.cost = cost;
                unit.start = s;
            }
        }
        iso_wide steps = (iso_wide)unit.instances * table->size[unit.option];
        unit.steps = steps < table->n_steps ? (int32_t)steps : table->n_steps;
        if (!iso_append(&table->units, &table->n_units, sizeof(unit), &unit))
            return false;
    }
    return true;
}

static bool fill_class(struct iso_cover_table *table, struct iso_cover_class *class)
{
    int32_t n_options = table->problem->workloads[table->workload].n_options;

    class->least = iso_calloc((size_t)table->n_steps + 1, sizeof(*class->least));
    class->choice = iso_calloc((size_t)table->n_steps + 1, sizeof(*class->choice));
    if (!class->least || !class->choice)
        return false;
    for (int32_t q = 1; q <= table->n_steps; q++) {
        double least = INFINITY;
        for (int32_t i = 0; i < n_options; i++) {
            double cost =
                class->price[i] + class->least[q > table->size[i] ? q - table->size[i] : 0];
            if (cost < least) {
                least = cost;
                class->choice[q] = i;
            }
        }
        class->least[q] = least;
    }
    return true;
}

static void fill_reserve(struct iso_cover_table *table)
{
    for (int32_t q = 1; q <= table->n_steps; q++) {
        double least = INFINITY;
        for (int32_t i = 0; i < table->n_units; i++) {
            int32_t steps = table->units[i].steps;
            double cost = table->units[i].cost + table->reserve[q > steps ? q - steps : 0];
            if (cost < least) {
                least = cost;
                table->last_unit[q] = i;
            }
        }
        table->reserve[q] = least;
    }
}

static double cost_at(const struct iso_cover_table *table, int32_t reserved)
{
    double sum = table->reserve[reserved];

    for (int32_t i = 0; i < table->n_levels; i++) {
        const struct iso_cover_level *level = &table->levels[i];
        if (level->steps > reserved)
            sum += level->n_periods * table->classes[level->class].least[level->steps - reserved];
    }
    return sum;
}

/* line[S] = sum over periods of slope * max(0, q_t - S). */
static void fill_line(const struct iso_cover_table *table, double *above, double *line)
{
    for (int32_t i = 0; i < table->n_levels; i++)
        above[table->levels[i].steps] +=
            table->levels[i].n_periods * table->classes[table->levels[i].class].slope;
    for (int32_t s = table->n_steps - 1; s >= 0; s--) {
        line[s] = line[s + 1] + above[s + 1];
        above[s] += above[s + 1];
    }
}

static enum iso_status find_least(struct iso_cover_table *table, struct iso_error *reterr)
{
    int32_t n = table->n_units > 0 ? table->n_steps : 0, best = 0;
    ISO_AUTO_MEM double *above = iso_calloc((size_t)table->n_steps + 2, sizeof(*above));
    ISO_AUTO_MEM double *line = iso_calloc((size_t)table->n_steps + 2, sizeof(*line));

    if (!above || !line)
        return no_memory(reterr);
    fill_line(table, above, line);
    for (int32_t s = 0; s <= n; s++)
        if (table->reserve[s] + line[s] < table->reserve[best] + line[best])
            best = s;
    table->reserved = best;
    table->cost = cost_at(table, best);
    for (int32_t s = 0; s <= n; s++) {
        bool rises = s == n || table->reserve[s] < table->reserve[s + 1];
        if (!rises || table->reserve[s] + line[s] * (1 - ROUNDING) >= table->cost)
            continue;
        double cost = cost_at(table, s);
        if (cost < table->cost) {
            table->cost = cost;
            table->reserved = s;
        }
    }
    for (int32_t s = table->reserved; s > 0;) {
        int32_t unit = table->last_unit[s];
        table->bought[unit]++;
        s = s > table->units[unit].steps ? s - table->units[unit].steps : 0;
    }
    return ISO_OK;
}

enum iso_status iso_cover_init(struct iso_cover_table *table, const struct iso_problem *problem,
                               int32_t workload, bool *ret_small, struct iso_error *reterr)
{
    size_t n_options = (size_t)problem->workloads[workload].n_options;
    size_t n_periods = (size_t)problem->n_periods;

    *table = (struct iso_cover_table){.problem = problem, .workload = workload};
    *ret_small = false;
    table->size = iso_calloc(n_options, sizeof(*table->size));
    table->level_of = iso_calloc(n_periods, sizeof(*table->level_of));
    table->held = iso_calloc(n_periods * n_options, sizeof(*table->held));
    if (!table->size || !table->level_of || !table->held)
        return no_memory(reterr);
    if (!open_steps(table))
        return ISO_OK;
    if (!list_products(table))
        return no_memory(reterr);
    ISO_TRY(open_levels(table, reterr));
    if ((double)table->n_classes * (double)n_options * table->n_steps > MOST_CELLS)
        return ISO_OK;
    if (!add_units(table))
        return no_memory(reterr);
    size_t n_steps = (size_t)table->n_steps + 1;
    table->reserve = iso_calloc(n_steps, sizeof(*table->reserve));
    table->last_unit = iso_calloc(n_steps, sizeof(*table->last_unit));
    table->bought = iso_calloc((size_t)table->n_units, sizeof(*table->bought));
    if (!table->reserve || !table->last_unit || !table->bought)
        return no_memory(reterr);
    for (int32_t k = 0; k < table->n_classes; k++)
        if (!fill_class(table, &table->classes[k]))
            return no_memory(reterr);
    if (table->n_units > 0)
        fill_reserve(table);
    *ret_small = true;
    return find_least(table, reterr);
}

void iso_cover_fini(struct iso_cover_table *table)
{
    for (int32_t k = 0; k < table->n_classes; k++) {
        free(table->classes[k].price);
        free(table->classes[k].least);
        free(table->classes[k].choice);
    }
    void *const arrays[] = {table->classes, table->levels,  table->level_of, table->size,
                            table->units,   table->held,    table->reserve,  table->last_unit,
                            table->bought,  table->products};
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
}

/* Instances that commitments pay for run only as far as they are needed: the largest that the
 * surplus allows stop first come, first served. */
static void drop_surplus(const struct iso_cover_table *table, iso_wide surplus, int64_t *count,
                         int64_t *covered)
{
    const struct iso_workload *workload = &table->problem->workloads[table->workload];

    for (int32_t i = 0; i < workload->n_options; i++) {
        if (covered[i] == 0 || surplus < workload->options[i].served)
            continue;
        iso_wide most = surplus / workload->options[i].served;
        int64_t n = most < covered[i] ? (int64_t)most : covered[i];
        covered[i] -= n;
        count[i] -= n;
        surplus -= (iso_wide)n * workload->options[i].served;
    }
}

void iso_cover_counts(const struct iso_cover_table *table, int32_t level, int32_t period,
                      int64_t *count, int64_t *covered)
{
    const struct iso_workload *workload = &table->problem->workloads[table->workload];
    const struct iso_cover_level *l = &table->levels[level];
    const struct iso_cover_class *class = &table->classes[l->class];
    size_t n_options = (size_t)workload->n_options;
    iso_wide served = 0;

    memcpy(covered, &table->held[(size_t)period * n_options], n_options * sizeof(*covered));
    for (int32_t i = 0; i < table->n_units; i++)
        covered[table->units[i].option] += table->bought[i] * table->units[i].instances;
    memcpy(count, covered, n_options * sizeof(*count));
    for (int32_t q = l->steps - table->reserved; q > 0; q -= table->size[class->choice[q]])
        count[class->choice[q]]++;
    for (size_t i = 0; i < n_options; i++)
        served += (iso_wide)count[i] * workload->options[i].served;
    drop_surplus(table, served - workload->required[period], count, covered);
}

bool iso_cover_limits_hold(const struct iso_problem *problem, int64_t *const *count, int32_t period)
{
    for (int32_t l = 0; l < problem->n_limits; l++) {
        const struct iso_limit *limit = &problem->limits[l];
        iso_wide used = 0;
        for (int32_t a = 0; a < problem->n_workloads && limit->periods[period]; a++)
            for (int32_t i = 0; i < limit->n_terms; i++) {
                int32_t option =
                    iso_workload_find_option(&problem->workloads[a], limit->terms[i].offering);
                if (option >= 0)
                    used += (iso_wide)limit->terms[i].weight * count[a][option];
            }
        if (used > limit->bound)
            return false;
    }
    return true;
}

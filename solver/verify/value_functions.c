/* Value functions: throughput workloads whose demand takes no multipliers, but a covering table.
 *
 * Once the other rows are relaxed, such a workload is alone. Let p_ot >= 0 be what one instance of
 * its option o costs in period t under the multipliers (paid, or covered by a product that takes
 * multipliers, whichever is less), s_o what it serves and d any step. With
 *
 *     G_t(0) = 0,   G_t(q) = min over o of p_ot + G_t(max(0, q - ceil(s_o / d)))
 *
 * whole instances that serve at least D cost at least G_t(ceil(D / d)): take them away one by one;
 * each lowers the steps that are left, rounded up, by at most ceil(s_o / d), and G by at most p_ot.
 *
 * Products that only this workload may use, each for one of its options and whole instances at a
 * time, are *reserved* in the same way: one unit covers m = lot / use instances in each period, in
 * which they cost nothing, so it stands for m ceil(s_o / d) steps. With R(S) the least that units
 * of S steps in all cost, and existing ones as steps E_t that cost nothing, the workload costs at
 * least
 *
 *     min over S of  R(S) + sum_t G_t(max(0, ceil(D_t / d) - E_t - S)).
 *
 * Caps on purchases and the rules of the workload only forbid plans, so all of this holds with
 * them. Only S where R rises at the next step can be best, and only where a lower bound of the sum
 * (G_t(q) >= q min_o p_ot / ceil(s_o / d)) leaves room for it.
 *
 * Every number is binary64 and >= 0. A sum of n such terms is good to a relative n DBL_EPSILON, so
 * at the end the bound is lowered by twice as much as there are operations in the longest sum. */
#include <float.h>

#include "pricing.h"

#define MOST_STEPS (1 << 20)

/* Periods in which every option costs the same. */
struct class
{
    int32_t period; /* one of them */
    double *least;  /* G, [n_steps + 1] */
    double slope;   /* G(q) >= slope * q */
};

struct level {
    int32_t class, steps, count;
};

struct table {
    struct iso_pricing *p;
    struct iso_costs costs;
    int32_t workload, n_steps; /* most steps in any period */
    iso_decimal step;
    int32_t *sizes;   /* steps of each option */
    int32_t *largest; /* options by falling size */
    double *prices;   /* of the options that a class needs, scratch, and their sizes */
    int32_t *kept;
    struct class *classes;
    int32_t n_classes, n_levels;
    int32_t *class_of;             /* n_periods */
    int32_t *products, n_products; /* that the workload may use */
    int32_t *priced, n_priced;     /* of those, the ones that a period may price by itself */
    struct level *levels;
    double *reserve; /* R, [n_steps + 1]; NULL: nothing is reserved */
};

static enum iso_status no_memory(const struct iso_pricing *p)
{
    return iso_fail(p->v->reterr, ISO_E_NOMEM, "", "no memory for a value function");
}

/* Whether all demand of the workload is served by every plan that the bound is about. */
static bool is_served(const struct iso_verifier *v, int32_t a)
{
    const struct iso_workload *workload = &v->problem->workloads[a];
    bool served = workload->service == ISO_SERVICE_MUST;

    for (int32_t i = 0; i < v->plan->n_tiers; i++)
        if (workload->service == ISO_SERVICE_PRIORITY &&
            v->plan->tiers[i].kind == ISO_TIER_UNSERVED &&
            v->plan->tiers[i].priority == workload->priority)
            served = v->plan->tiers[i].frozen == 0;
    return served && !workload->replicas && !v->problem->moves.present && !workload->ramp &&
           workload->n_traffic == 0;
}

/* Whether a product may cover instances of some workload other than a. */
static bool covers_others(const struct iso_problem *problem, const struct iso_product *product,
                          int32_t a)
{
    for (int32_t other = 0; other < problem->n_workloads; other++) {
        if (other == a || !product->cells[iso_problem_cell(problem, other)])
            continue;
        for (int32_t i = 0; i < product->n_eligible; i++) {
            int32_t offering = product->eligible[i].offering;
            if (!problem->offerings[offering].spot &&
                iso_workload_find_option(&problem->workloads[other], offering) >= 0)
                return true;
        }
    }
    return false;
}

/* The option that a product is reserved for, or -1; *ret_instances: covered by one unit. */
static int32_t reserved_option(const struct iso_problem *problem, const struct iso_product *product,
                               int32_t a, iso_decimal *ret_instances)
{
    const struct iso_workload *workload = &problem->workloads[a];
    int32_t found = -1;

    if (!product->cells[iso_problem_cell(problem, a)] || covers_others(problem, product, a))
        return -1;
    for (int32_t i = 0; i < product->n_eligible; i++) {
        const struct iso_eligible *eligible = &product->eligible[i];
        int32_t option = iso_workload_find_option(workload, eligible->offering);
        if (option < 0 || problem->offerings[eligible->offering].spot)
            continue;
        if (found >= 0 || product->lot % eligible->use != 0)
            return -1;
        found = option;
        *ret_instances = product->lot / eligible->use;
    }
    return found;
}

/* Products of the tabled workloads that take no multiplier; budgets that do would count what they
 * cover. */
void iso_value_functions_reserve(struct iso_pricing *p)
{
    const struct iso_problem *problem = p->v->problem;

    for (int32_t b = 0; b < p->v->first_window[problem->n_budgets]; b++)
        if (p->budget[b] != 0)
            return;
    for (int32_t c = 0; c < problem->n_products; c++) {
        bool priced = p->commit_row[c] >= 0;
        iso_decimal instances;
        for (int32_t a = 0; a < problem->n_workloads && !priced; a++)
            if (p->tabled[a] &&
                reserved_option(problem, &problem->products[c], a, &instances) >= 0) {
                p->reserved[c] = 1;
                memset(&p->supply[iso_verify_at(p->v, c, 0)], 0, (size_t)problem->n_periods);
            }
    }
}

/* Rows of workloads whose multipliers the table would not see. */
static bool is_of_workload(enum iso_row_kind kind)
{
    return kind == ISO_ROW_DEMAND || kind == ISO_ROW_SHARE_MAX || kind == ISO_ROW_SHARE_MIN ||
           kind == ISO_ROW_SURVIVE || kind == ISO_ROW_SPREAD || kind == ISO_ROW_SPREAD_N ||
           kind == ISO_ROW_PRESENCE || kind == ISO_ROW_APART;
}

enum iso_status iso_value_functions_init(struct iso_pricing *p)
{
    const struct iso_verifier *v = p->v;
    const struct iso_tier *tier = &v->plan->tiers[p->tier];

    p->tabled = iso_calloc((size_t)v->problem->n_workloads, 1);
    p->reserved = iso_calloc((size_t)v->problem->n_products, 1);
    if (!p->tabled || !p->reserved)
        return no_memory(p);
    if (p->ray || tier->kind != ISO_TIER_MONEY)
        return ISO_OK;
    for (int32_t i = 0; i < v->plan->n_value_functions; i++) {
        const struct iso_value_function *function = &v->plan->value_functions[i];
        if (function->workload < 0 || function->workload >= v->problem->n_workloads)
            return iso_verify_fail(v, "value_functions", i, "workload", "%d is out of range",
                                   function->workload);
        if (p->tabled[function->workload]++)
            return iso_verify_fail(v, "value_functions", i, "", "is there twice");
        if (!is_served(v, function->workload))
            return iso_verify_fail(v, "value_functions", i, "workload",
                                   "%s need not be served, or more than its demand decides",
                                   v->problem->workloads[function->workload].id);
        if (function->step <= 0)
            return iso_verify_fail(v, "value_functions", i, "step", "must be above 0");
    }
    for (int32_t i = 0; i < tier->n_duals; i++)
        if (is_of_workload(p->duals[i].kind) && p->tabled[p->duals[i].a])
            return iso_verify_fail(v, "duals", -1, "",
                                   "workload %d has a value function; it takes no multipliers",
                                   p->duals[i].a);
    return ISO_OK;
}

/* Whether an instance of any option costs the same in both periods. */
static bool alike(const struct table *table, int32_t t, int32_t other)
{
    const struct iso_pricing *p = table->p;
    const struct iso_problem *problem = p->v->problem;
    const struct iso_workload *workload = &problem->workloads[table->workload];

    if (problem->periods[t].hours != problem->periods[other].hours)
        return false;
    for (int32_t k = 0; k < problem->n_currencies; k++)
        if (problem->currencies[k].rate_to_base[t] != problem->currencies[k].rate_to_base[other])
            return false;
    for (int32_t i = 0; i < workload->n_options && problem->n_price_exceptions > 0; i++)
        if (iso_problem_price(problem, workload->options[i].offering, t) !=
            iso_problem_price(problem, workload->options[i].offering, other))
            return false;
    for (int32_t l = 0; l < problem->n_limits; l++)
        if (p->limit[iso_verify_at(p->v, l, t)] != p->limit[iso_verify_at(p->v, l, other)])
            return false;
    for (int32_t i = 0; i < table->n_priced; i++) {
        int32_t c = table->priced[i];
        if (iso_pricing_commit(p, c, t) != iso_pricing_commit(p, c, other) ||
            p->supply[iso_verify_at(p->v, c, t)] != p->supply[iso_verify_at(p->v, c, other)])
            return false;
    }
    for (int32_t b = 0; b < problem->n_budgets; b++)
        for (int32_t w = 0; w < problem->budgets[b].n_windows; w++)
            if (p->budget[p->v->first_window[b] + w] != 0 &&
                problem->budgets[b].windows[w].periods[t] !=
                    problem->budgets[b].windows[w].periods[other])
                return false;
    return true;
}

/* Steps of a rate, rounded up. */
static iso_wide steps_of(iso_decimal rate, iso_decimal step)
{
    return iso_wide_divide(rate, step, ISO_ROUND_UP);
}

/* Fills G of a class; minima of limits may make an instance worth having for itself: then it
 * proves nothing. An option is passed over when another one takes as many steps for no more. */
static void fill_class(struct table *table, struct class *class)
{
    const struct iso_workload *workload = &table->p->v->problem->workloads[table->workload];
    double cheapest = INFINITY;
    int32_t n = 0;

    iso_costs_open(&table->costs, class->period);
    class->slope = INFINITY;
    for (int32_t k = 0; k < workload->n_options; k++) {
        int32_t i = table->largest[k], offering = workload->options[i].offering;
        struct iso_bounded cost =
            iso_bounded_subtract(iso_costs_of(&table->costs, table->workload, offering),
                                 iso_costs_floor(&table->costs, offering));
        table->p->nothing |= cost.value < 0 ||
                             (table->reserve && iso_costs_floor(&table->costs, offering).value > 0);
        double price = iso_pricing_at_most(cost);
        class->slope = fmin(class->slope, price / table->sizes[i]);
        if (price >= cheapest)
            continue;
        cheapest = table->prices[n] = price;
        table->kept[n++] = table->sizes[i];
    }
    class->least[0] = 0;
    for (int32_t q = 1; q <= table->n_steps; q++) {
        double least = INFINITY;
        for (int32_t i = 0; i < n; i++) {
            int32_t rest = q - table->kept[i];
            double cost = table->prices[i] + class->least[rest > 0 ? rest : 0];
            least = cost < least ? cost : least;
        }
        class->least[q] = least;
    }
}

/* Steps that existing units of reserved products cover in a period. */
static iso_wide existing_steps(const struct table *table, int32_t t)
{
    const struct iso_problem *problem = table->p->v->problem;
    iso_wide sum = 0;
    iso_decimal instances;

    for (int32_t i = 0; i < table->n_products; i++) {
        int32_t c = table->products[i];
        const struct iso_product *product = &problem->products[c];
        if (!table->p->reserved[c] || product->existing[t] == 0)
            continue;
        int32_t option = reserved_option(problem, product, table->workload, &instances);
        if (option >= 0)
            sum += iso_wide_divide((iso_wide)product->existing[t] * instances, ISO_DECIMAL_ONE,
                                   ISO_ROUND_UP) *
                   table->sizes[option];
    }
    return sum;
}

/* R from the cheapest start of each reserved product. */
static enum iso_status fill_reserve(struct table *table)
{
    struct iso_pricing *p = table->p;
    const struct iso_problem *problem = p->v->problem;
    size_t n = (size_t)problem->n_products;
    ISO_AUTO_MEM double *cost = iso_calloc(n, sizeof(*cost));
    ISO_AUTO_MEM int32_t *size = iso_calloc(n, sizeof(*size));
    int32_t n_units = 0;

    if (!cost || !size)
        return no_memory(p);
    for (int32_t c = 0; c < problem->n_products; c++) {
        const struct iso_product *product = &problem->products[c];
        iso_decimal instances;
        int32_t option =
            p->reserved[c] ? reserved_option(problem, product, table->workload, &instances) : -1;
        if (option < 0 || product->most == 0 || product->n_starts == 0)
            continue;
        cost[n_units] = INFINITY;
        for (int32_t s = 0; s < product->n_starts; s++)
            cost[n_units] =
                fmin(cost[n_units],
                     iso_pricing_at_most(iso_pricing_purchase(p, product, c, &product->starts[s])));
        p->v->verdict.columns_priced += product->n_starts;
        iso_wide steps = (iso_wide)instances * table->sizes[option];
        size[n_units++] = steps < table->n_steps ? (int32_t)steps : table->n_steps;
    }
    if (n_units == 0)
        return ISO_OK;
    table->reserve = iso_calloc((size_t)table->n_steps + 1, sizeof(*table->reserve));
    if (!table->reserve)
        return no_memory(p);
    for (int32_t q = 1; q <= table->n_steps; q++) {
        double least = INFINITY;
        for (int32_t i = 0; i < n_units; i++) {
            double own = cost[i] + table->reserve[q > size[i] ? q - size[i] : 0];
            least = own < least ? own : least;
        }
        table->reserve[q] = least;
    }
    return ISO_OK;
}

static bool add_class(struct table *table, int32_t t)
{
    const struct iso_plan *plan = table->p->v->plan;
    struct class class = {.period = t};
    int32_t lead = plan->n_leads ? plan->leads[t].period : t, last = table->n_classes - 1;

    if (lead < t && alike(table, t, lead)) {
        table->class_of[t] = table->class_of[lead];
        return true;
    }
    for (int32_t k = 0; k<table->n_classes; k += last> 0 ? last : 1)
        if (alike(table, t, table->classes[k].period)) {
            table->class_of[t] = k;
            return true;
        }
    table->class_of[t] = table->n_classes;
    class.least = iso_calloc((size_t)table->n_steps + 1, sizeof(*class.least));
    if (!class.least)
        return false;
    table->classes[table->n_classes++] = class;
    return true;
}

/* Periods of one class with equal demand count together. */
static enum iso_status count_levels(struct table *table, const int32_t *steps)
{
    int32_t n_periods = table->p->v->problem->n_periods;
    ISO_AUTO_MEM int32_t *counts = iso_calloc((size_t)table->n_steps + 1, sizeof(*counts));

    if (!counts)
        return no_memory(table->p);
    for (int32_t k = 0; k < table->n_classes; k++) {
        for (int32_t t = 0; t < n_periods; t++)
            counts[steps[t]] += table->class_of[t] == k;
        for (int32_t t = 0; t < n_periods; t++) {
            struct level level = {k, steps[t], counts[steps[t]]};
            if (table->class_of[t] != k || level.count == 0)
                continue;
            counts[steps[t]] = 0;
            table->levels[table->n_levels++] = level;
        }
    }
    return ISO_OK;
}

static double cost_at(const struct table *table, int32_t reserved)
{
    double sum = table->reserve ? table->reserve[reserved] : 0;

    for (int32_t i = 0; i < table->n_levels; i++) {
        const struct level *level = &table->levels[i];
        if (level->steps > reserved)
            sum += level->count * table->classes[level->class].least[level->steps - reserved];
    }
    return sum;
}

/* The least over all S. slopes[S] = sum over levels of count * slope * max(0, steps - S). */
static enum iso_status least_cost(const struct table *table, double *ret_least)
{
    int32_t n = table->n_steps, best = 0;
    ISO_AUTO_MEM double *above = iso_calloc((size_t)n + 2, sizeof(*above));
    ISO_AUTO_MEM double *slopes = iso_calloc((size_t)n + 2, sizeof(*slopes));

    if (!above || !slopes)
        return no_memory(table->p);
    *ret_least = cost_at(table, 0);
    if (!table->reserve)
        return ISO_OK;
    for (int32_t i = 0; i < table->n_levels; i++)
        above[table->levels[i].steps] +=
            table->levels[i].count * table->classes[table->levels[i].class].slope;
    for (int32_t s = n - 1; s >= 0; s--) {
        above[s] += above[s + 1];
        slopes[s] = slopes[s + 1] + above[s + 1];
    }
    for (int32_t s = 0; s <= n; s++)
        if (table->reserve[s] + slopes[s] < table->reserve[best] + slopes[best])
            best = s;
    *ret_least = fmin(*ret_least, cost_at(table, best));
    for (int32_t s = 0; s <= n; s++) {
        double room = table->reserve[s] + slopes[s] * (1 - 4 * n * DBL_EPSILON);
        if ((s == n || table->reserve[s] < table->reserve[s + 1]) && room < *ret_least)
            *ret_least = fmin(*ret_least, cost_at(table, s));
    }
    return ISO_OK;
}

/* By counting how many options have each size. */
static bool list_largest(struct table *table, int32_t n)
{
    ISO_AUTO_MEM int32_t *first = iso_calloc((size_t)table->n_steps + 2, sizeof(*first));

    for (int32_t i = 0; i < n && first; i++)
        first[table->n_steps - table->sizes[i] + 1]++;
    for (int32_t s = 0; s <= table->n_steps && first; s++)
        first[s + 1] += first[s];
    for (int32_t i = 0; i < n && first; i++)
        table->largest[first[table->n_steps - table->sizes[i]]++] = i;
    return first != NULL;
}

static enum iso_status open_table(struct table *table, const struct iso_value_function *function,
                                  int32_t *steps)
{
    const struct iso_problem *problem = table->p->v->problem;
    const struct iso_workload *workload = &problem->workloads[function->workload];
    iso_wide most = 1;

    table->workload = function->workload;
    table->step = function->step;
    table->sizes = iso_calloc((size_t)workload->n_options, sizeof(*table->sizes));
    table->largest = iso_calloc((size_t)workload->n_options, sizeof(*table->largest));
    table->prices = iso_calloc((size_t)workload->n_options, sizeof(*table->prices));
    table->kept = iso_calloc((size_t)workload->n_options, sizeof(*table->kept));
    table->class_of = iso_calloc((size_t)problem->n_periods, sizeof(*table->class_of));
    table->classes = iso_calloc((size_t)problem->n_periods, sizeof(*table->classes));
    table->levels = iso_calloc((size_t)problem->n_periods, sizeof(*table->levels));
    table->products = iso_calloc((size_t)problem->n_products, sizeof(*table->products));
    table->priced = iso_calloc((size_t)problem->n_products, sizeof(*table->priced));
    if (!table->sizes || !table->largest || !table->prices || !table->kept || !table->class_of ||
        !table->classes || !table->levels || !table->products || !table->priced)
        return no_memory(table->p);
    for (int32_t c = 0; c < problem->n_products; c++) {
        if (!problem->products[c].cells[table->workload])
            continue;
        table->products[table->n_products++] = c;
        if (!table->p->reserved[c]) /* those have no multipliers and supply nothing */
            table->priced[table->n_priced++] = c;
    }
    for (int32_t t = 0; t < problem->n_periods; t++) {
        iso_wide n = steps_of(workload->required[t], function->step);
        most = n > most ? n : most;
    }
    if (most > MOST_STEPS)
        return iso_verify_fail(table->p->v, "value_functions",
                               function - table->p->v->plan->value_functions, "step",
                               "makes more than %d steps", MOST_STEPS);
    table->n_steps = (int32_t)most;
    for (int32_t i = 0; i < workload->n_options; i++) {
        iso_wide size = steps_of(workload->options[i].served, function->step);
        table->sizes[i] = size < most ? (int32_t)size : table->n_steps;
    }
    if (!list_largest(table, workload->n_options))
        return no_memory(table->p);
    for (int32_t t = 0; t < problem->n_periods; t++) {
        iso_wide left = steps_of(workload->required[t], function->step) - existing_steps(table, t);
        steps[t] = left > 0 ? (int32_t)left : 0;
    }
    return ISO_OK;
}

static enum iso_status price_table(struct table *table, const struct iso_value_function *function)
{
    int32_t n_periods = table->p->v->problem->n_periods;
    ISO_AUTO_MEM int32_t *steps = iso_calloc((size_t)n_periods, sizeof(*steps));
    double least = 0;

    if (!steps)
        return no_memory(table->p);
    ISO_TRY(iso_costs_init(&table->costs, table->p));
    ISO_TRY(open_table(table, function, steps));
    ISO_TRY(fill_reserve(table));
    for (int32_t t = 0; t < n_periods; t++)
        if (!add_class(table, t))
            return no_memory(table->p);
    for (int32_t k = 0; k < table->n_classes; k++)
        fill_class(table, &table->classes[k]);
    ISO_TRY(count_levels(table, steps));
    ISO_TRY(least_cost(table, &least));
    double operations = 2.0 * (table->n_steps + table->n_levels + 8);
    iso_pricing_add(table->p, (struct iso_bounded){least * (1 - operations * DBL_EPSILON), 0});
    return ISO_OK;
}

static void table_fini(struct table *table)
{
    for (int32_t k = 0; k < table->n_classes; k++)
        free(table->classes[k].least);
    void *const arrays[] = {table->classes,  table->levels,  table->sizes,    table->prices,
                            table->class_of, table->reserve, table->products, table->largest,
                            table->kept,     table->priced};
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
    iso_costs_fini(&table->costs);
}

enum iso_status iso_pricing_value_functions(struct iso_pricing *p)
{
    for (int32_t i = 0; i < p->v->plan->n_value_functions; i++) {
        const struct iso_value_function *function = &p->v->plan->value_functions[i];
        struct table table __attribute__((cleanup(table_fini))) = {.p = p};
        if (p->tabled[function->workload])
            ISO_TRY(price_table(&table, function));
    }
    return ISO_OK;
}

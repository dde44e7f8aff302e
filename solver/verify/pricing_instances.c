/* Columns of instances, priced period by period:
 *
 *   x  rc = cost - floor - served_o * worth_o(workload)
 *
 * with cost and floor of pricing_costs.c and worth of worth.c; pools are in pricing_pools.c.
 *
 * Most columns of a workload need no look. Where rc_p >= 0 for an option p, rc_o >= 0 for all that
 * p stands for in its class (column_classes.h); so when that holds for what stands for each class,
 * all columns price out. Since all numbers are rounded, it must hold with room to spare:
 *
 *   rc_p >= M (cost_p + floor_p + served_p W),   cost_p - floor_p >= M (cost_p + floor_p)
 *
 * where W is the sum of the sizes of the terms of worth. A sum of k terms, computed as in
 * bounded.h, is off by at most 4 k LDBL_EPSILON times the sum of their sizes, its `error` counted
 * in. With M = 64 k LDBL_EPSILON, therefore, the columns of all options of the class are found to
 * price out by themselves as well: let r = served_o / served_p, then
 *
 *   rc_o >= r rc_p + (cost_o - r cost_p) + (r floor_p - floor_o)
 *        >= M r (cost_p + floor_p + served_p W) + (cost_o - r cost_p) + (r floor_p - floor_o)
 *        >= 16 k LDBL_EPSILON (cost_o + floor_o + served_o W)
 *
 * as the differences are >= 0 and M < 1. So whether a workload's columns are priced by class or one
 * by one decides nothing, to the last bit. Columns of a class that does not have the room are
 * priced one by one, and what does not price out is repaired. */
#include "pricing_columns.h"

static enum iso_status no_memory(const struct iso_columns *columns)
{
    return iso_fail(columns->p->v->reterr, ISO_E_NOMEM, "", "no memory to check a bound");
}

/* M of a workload: k counts the rows that a column may be in, and the steps of one term. */
static long double margin_of(const struct iso_columns *columns, int32_t a)
{
    const struct iso_verifier *v = columns->p->v;
    const struct iso_problem *problem = v->problem;
    int64_t k = 32 + (int64_t)problem->n_limits + v->first_window[problem->n_budgets] +
                iso_worth_n_terms(&columns->units[a]);

    return 64 * (long double)k * LDBL_EPSILON;
}

/* Whether the options that stand for a class price out with room to spare; see above. */
static bool prices_out(struct iso_columns *columns, int32_t a, int32_t class, long double margin)
{
    const struct iso_workload *workload = &columns->p->v->problem->workloads[a];
    const struct iso_column_classes *classes = columns->p->v->classes;
    const struct iso_worth *unit = &columns->units[a];
    const int32_t *first = &classes->options[classes->first_option[class]];
    int32_t n = classes->first_option[class + 1] - classes->first_option[class];
    struct iso_bounded worth = iso_worth_of(unit, first[0]);

    for (int32_t i = 0; i < n; i++) {
        const struct iso_option *option = &workload->options[first[i]];
        struct iso_bounded cost = iso_costs_of_option(&columns->costs, a, first[i]);
        struct iso_bounded floor = iso_costs_floor(&columns->costs, option->offering);
        struct iso_bounded service = iso_bounded_scale(option->served, worth);
        long double left = iso_bounded_low(cost) - iso_bounded_high(floor);
        long double sizes = cost.value + floor.value;
        long double scale = (long double)option->served / 1e9L * unit->scale;
        if (!(left >= margin * sizes &&
              left - iso_bounded_high(service) >= margin * (sizes + scale)))
            return false;
    }
    return true;
}

/* Whether columns can be priced by class in the open period: they are no better than each by itself
 * where hardly any option stands for others, and ramps and moves see options one by one. */
static bool may_use_classes(const struct iso_columns *columns, int32_t n_listed, int32_t n_options)
{
    const struct iso_pricing *p = columns->p;

    return (2 * n_listed <= n_options || p->v->way == ISO_PRICE_CLASSES) &&
           p->kinds[ISO_ROW_RAMP].n == 0 && !(p->v->problem->moves.present && columns->period == 0);
}

/* Finds the classes of a workload that do not price out; false when all do. */
static bool find_open_classes(struct iso_columns *columns, int32_t a)
{
    const struct iso_column_classes *classes = columns->p->v->classes;
    bool any = false;

    if (!classes)
        return true;
    int32_t at = a * classes->n_groups + classes->group_of[columns->period];
    int32_t first = classes->first_class[at], end = classes->first_class[at + 1];
    int32_t n_listed = classes->first_option[end] - classes->first_option[first];
    bool by_class =
        may_use_classes(columns, n_listed, columns->p->v->problem->workloads[a].n_options);
    long double margin = margin_of(columns, a);
    for (int32_t k = first; k < end; k++) {
        columns->open[k] = !by_class || !prices_out(columns, a, k, margin);
        any |= columns->open[k];
    }
    return any;
}

static void price_option(struct iso_columns *columns, int32_t a, int32_t i)
{
    const struct iso_option *option = &columns->p->v->problem->workloads[a].options[i];
    const struct iso_worth *unit = &columns->units[a];
    long double cost = iso_bounded_low(iso_costs_of(&columns->costs, a, option->offering));
    long double floor = iso_bounded_high(iso_costs_floor(&columns->costs, option->offering));
    long double service =
        iso_bounded_high(iso_bounded_scale(option->served, iso_worth_of(unit, i)));

    if (floor * UP <= cost && service + floor * UP <= cost)
        return;
    long double gains =
        iso_bounded_low(iso_bounded_scale(option->served, iso_worth_of_gains(unit, i)));
    iso_repair_note(columns, option->offering, cost, service,
                    gains > 0 ? service / gains * UP : INFINITY);
}

static void price_workload(struct iso_columns *columns, int32_t a)
{
    struct iso_verifier *v = columns->p->v;
    int32_t n_options = v->problem->workloads[a].n_options;
    struct iso_precedents *precedents = &columns->precedents[a];
    int64_t before = v->verdict.columns_priced;

    if (iso_precedents_settle(precedents)) {
        v->verdict.columns_priced += precedents->precedents[precedents->at].columns_priced;
        return;
    }
    iso_worth_open(&columns->units[a], columns->period);
    if (!find_open_classes(columns, a)) {
        v->verdict.columns_priced += n_options;
        iso_precedents_note(precedents, n_options);
        return;
    }
    const int32_t *class_of =
        v->classes ? iso_column_classes_of(v->classes, v->problem, a, columns->period) : NULL;
    for (int32_t i = 0; i < n_options; i++)
        if (!class_of || columns->open[class_of[i]])
            price_option(columns, a, i);
        else
            v->verdict.columns_priced++;
    if (!columns->cell.any)
        iso_precedents_note(precedents, v->verdict.columns_priced - before);
}

static void price_period(struct iso_columns *columns, int32_t period)
{
    const struct iso_problem *problem = columns->p->v->problem;

    columns->period = period;
    iso_repair_begin(columns);
    iso_costs_open(&columns->costs, period);
    iso_implied_open(columns->p, &columns->costs, columns->units, columns->precedents, period);
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        struct iso_repair before = columns->all;
        if (problem->workloads[a].replicas || columns->p->tabled[a])
            continue;
        price_workload(columns, a);
        iso_repair_end_cell(columns, &before, &a, 1);
    }
    iso_pools_price(columns);
    iso_repair_end_period(columns);
}

/* Prices every period; one whose numbers are those of its lead, when nothing had to be repaired
 * there, needs no second look: the same sums come out. */
static enum iso_status price_periods(struct iso_columns *columns)
{
    struct iso_pricing *p = columns->p;
    int32_t n_periods = p->v->problem->n_periods;
    ISO_AUTO_MEM int64_t *priced = iso_calloc((size_t)n_periods, sizeof(*priced));
    int64_t *columns_priced = &p->v->verdict.columns_priced;

    if (!priced)
        return no_memory(columns);
    for (int pass = 0; pass < 2; pass++) /* leads first; 0: not priced, or something repaired */
        for (int32_t t = 0; t < n_periods; t++) {
            int32_t lead = p->v->plan->n_leads ? p->v->plan->leads[t].period : t;
            int64_t before = *columns_priced;
            long double sum = p->sum.value;
            if ((pass == 0) != (lead == t))
                continue;
            if (lead != t && priced[lead] > 0 && iso_leads_alike(p, t)) {
                *columns_priced += priced[lead];
                iso_implied_repeat(p, lead, t);
                continue;
            }
            price_period(columns, t);
            if (sum == p->sum.value && !p->nothing)
                priced[t] = *columns_priced - before;
        }
    iso_implied_settle(p);
    return ISO_OK;
}

/* Classes cost about as much as pricing all columns in so many periods. */
#define FEWEST_PERIODS 4

static enum iso_status price_all(struct iso_columns *columns)
{
    struct iso_verifier *v = columns->p->v;
    const struct iso_problem *problem = v->problem;

    ISO_TRY(iso_costs_init(&columns->costs, columns->p));
    columns->units = iso_calloc((size_t)problem->n_workloads, sizeof(*columns->units));
    columns->precedents = iso_calloc((size_t)problem->n_workloads, sizeof(*columns->precedents));
    if (!columns->units || !columns->precedents)
        return no_memory(columns);
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        ISO_TRY(iso_worth_init(&columns->units[a], columns->p, a));
        ISO_TRY(iso_precedents_init(&columns->precedents[a], &columns->units[a]));
        iso_worth_price_domains(&columns->units[a]);
    }
    ISO_TRY(iso_pools_init(columns));
    ISO_TRY(iso_pricing_presence(columns->p));
    iso_pricing_ramps(columns->p);
    iso_costs_add_placement(columns->p);
    if (!v->classes && (v->way == ISO_PRICE_CLASSES ||
                        (v->way == ISO_PRICE_FASTEST && problem->n_periods >= FEWEST_PERIODS)))
        ISO_TRY(iso_column_classes_new(v, columns->units, &v->classes));
    columns->open = iso_calloc(v->classes ? (size_t)v->classes->n_classes : 0, sizeof(bool));
    return columns->open ? price_periods(columns) : no_memory(columns);
}

enum iso_status iso_pricing_instances(struct iso_pricing *p)
{
    struct iso_columns columns = {.p = p};
    enum iso_status status = price_all(&columns);

    for (int32_t a = 0; a < p->v->problem->n_workloads && columns.units; a++)
        iso_worth_fini(&columns.units[a]);
    for (int32_t a = 0; a < p->v->problem->n_workloads && columns.precedents; a++)
        iso_precedents_fini(&columns.precedents[a]);
    iso_pools_fini(&columns);
    iso_costs_fini(&columns.costs);
    free(columns.units);
    free(columns.precedents);
    free(columns.open);
    return status;
}

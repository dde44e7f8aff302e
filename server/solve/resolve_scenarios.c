/* From one future to several: every period once for each scenario, scenario by scenario.
 *
 * A period of scenario s stands for h_t times the probability of s, so that the problem's cost,
 * penalties and unserved demand are expected values. Prices, rates, limits and what is held are the
 * same in each. A term covers its periods in all scenarios, and each budget's window is one window
 * in each scenario, its amount times the probability. Demand is laid out by scenario already. */
#include <stdio.h>
#include <string.h>

#include "model_check.h"
#include "number.h"
#include "resolve_internal.h"

struct spread {
    struct iso_resolve *r;
    struct iso_problem *problem;
    size_t n_scenarios, n_periods; /* of the model */
};

/* An array of one value a period, once for each scenario; NULL when the arena is full. */
static void *repeat(const struct spread *to, const void *array, size_t size)
{
    char *copy = iso_arena_calloc(to->r->arena, to->n_scenarios * to->n_periods, size);

    for (size_t s = 0; s < to->n_scenarios && copy; s++)
        memcpy(copy + s * to->n_periods * size, array, to->n_periods * size);
    return copy;
}

/* `part` times the probability of a scenario. The last one has what the others leave. */
static iso_decimal weighed(const struct spread *to, iso_decimal whole, size_t s)
{
    iso_wide left = whole;

    for (size_t i = 0; i <= s; i++) {
        iso_wide part = iso_wide_divide((iso_wide)whole * to->problem->scenarios[i].probability,
                                        ISO_DECIMAL_ONE, ISO_ROUND_DOWN);
        if (i == s)
            return (iso_decimal)(i + 1 == to->n_scenarios ? left : part);
        left -= part;
    }
    return 0;
}

static bool spread_periods(const struct spread *to)
{
    struct iso_period *periods = repeat(to, to->problem->periods, sizeof(*periods));

    if (!periods)
        return false;
    for (size_t s = 0; s < to->n_scenarios; s++)
        for (size_t t = 0; t < to->n_periods; t++) {
            struct iso_period *period = &periods[s * to->n_periods + t];
            period->hours = weighed(to, period->hours, s);
            period->has_start = false;
            period->id = iso_arena_printf(to->r->arena, "%s/%s", to->problem->scenarios[s].id,
                                          to->problem->periods[t].id);
            if (!period->id)
                return false;
            if (period->hours == 0)
                iso_violations_add(to->r->violations, "model.uncertainty.scenarios",
                                   "%s times the hours of period %s are less than 0.000000001",
                                   to->problem->scenarios[s].id, to->problem->periods[t].id);
        }
    to->problem->periods = periods;
    return true;
}

static bool spread_prices(const struct spread *to)
{
    const struct iso_price_exception *from = to->problem->price_exceptions;
    size_t n = (size_t)to->problem->n_price_exceptions, at = 0;
    struct iso_price_exception *all =
        iso_arena_calloc(to->r->arena, to->n_scenarios * n, sizeof(*all));

    if (!all)
        return false;
    for (size_t i = 0, end; i < n; i = end) { /* those of one offering */
        for (end = i; end < n && from[end].offering == from[i].offering; end++)
            continue;
        for (size_t s = 0; s < to->n_scenarios; s++)
            for (size_t k = i; k < end; k++) {
                all[at] = from[k];
                all[at++].period += (int32_t)(s * to->n_periods);
            }
    }
    to->problem->price_exceptions = all;
    to->problem->n_price_exceptions = (int32_t)at;
    return true;
}

static bool spread_currencies(const struct spread *to)
{
    size_t n = (size_t)to->problem->n_currencies;
    struct iso_currency *currencies = iso_arena_calloc(to->r->arena, n, sizeof(*currencies));

    for (size_t i = 0; i < n && currencies; i++) {
        currencies[i] = to->problem->currencies[i];
        currencies[i].rate_to_base = repeat(to, currencies[i].rate_to_base, sizeof(iso_decimal));
        if (!currencies[i].rate_to_base)
            return false;
    }
    to->problem->currencies = currencies;
    return currencies;
}

static bool spread_limits(const struct spread *to)
{
    size_t n = (size_t)to->problem->n_limits;
    struct iso_limit *limits = iso_arena_calloc(to->r->arena, n, sizeof(*limits));

    for (size_t l = 0; l < n && limits; l++) {
        limits[l] = to->problem->limits[l];
        limits[l].periods = repeat(to, limits[l].periods, 1);
        if (!limits[l].periods)
            return false;
    }
    to->problem->limits = limits;
    return limits;
}

/* Window w of the model is windows w * n_scenarios and on. */
static bool spread_windows(const struct spread *to, struct iso_budget *budget)
{
    size_t n = (size_t)budget->n_windows, n_all = to->n_scenarios * to->n_periods;
    struct iso_window *windows =
        iso_arena_calloc(to->r->arena, n * to->n_scenarios, sizeof(*windows));

    for (size_t i = 0; i < n * to->n_scenarios && windows; i++) {
        const struct iso_window *from = &budget->windows[i / to->n_scenarios];
        size_t s = i % to->n_scenarios;
        uint8_t *periods = iso_arena_calloc(to->r->arena, n_all, 1);
        if (!periods)
            return false;
        memcpy(periods + s * to->n_periods, from->periods, to->n_periods);
        windows[i] = *from;
        windows[i].periods = periods;
        windows[i].amount = weighed(to, from->amount, s);
        windows[i].today = weighed(to, from->today, s);
    }
    budget->windows = windows;
    budget->n_windows = (int32_t)(n * to->n_scenarios);
    return windows;
}

static bool spread_budgets(const struct spread *to)
{
    size_t n = (size_t)to->problem->n_budgets;
    struct iso_budget *budgets = iso_arena_calloc(to->r->arena, n, sizeof(*budgets));

    for (size_t b = 0; b < n && budgets; b++) {
        budgets[b] = to->problem->budgets[b];
        if (!spread_windows(to, &budgets[b]))
            return false;
    }
    to->problem->budgets = budgets;
    return budgets;
}

/* A term that ends inside a period has no hours that could be told apart by scenario. */
static bool ends_inside(const struct iso_problem *problem, const struct iso_start *start)
{
    iso_wide hours = 0;

    for (int32_t t = 0; t < problem->n_periods; t++)
        hours += start->window[t] ? problem->periods[t].hours : 0;
    return hours > start->hours_inside;
}

static void check_terms(const struct spread *to, int32_t c)
{
    const struct iso_problem *problem = to->problem;
    const struct iso_product *product = &problem->products[c];

    for (int32_t s = 0; s < product->n_starts && product->upfront > 0; s++)
        for (int32_t b = 0; b < problem->n_budgets && ends_inside(problem, &product->starts[s]);
             b++)
            if (problem->budgets[b].basis == ISO_BASIS_AMORTISED &&
                problem->budgets[b].products[c]) {
                iso_violations_add(to->r->violations, "model.uncertainty",
                                   "is not served where budget %s counts the upfront of %s, whose "
                                   "term ends inside a period",
                                   problem->budgets[b].id, product->id);
                return;
            }
}

static bool spread_products(const struct spread *to)
{
    size_t n = (size_t)to->problem->n_products;
    struct iso_product *products = iso_arena_calloc(to->r->arena, n, sizeof(*products));

    for (size_t c = 0; c < n && products; c++) {
        struct iso_product *product = &products[c];
        check_terms(to, (int32_t)c);
        *product = to->problem->products[c];
        struct iso_start *starts =
            iso_arena_calloc(to->r->arena, (size_t)product->n_starts, sizeof(*starts));
        product->existing = repeat(to, product->existing, sizeof(iso_decimal));
        for (int32_t s = 0; s < product->n_starts && starts; s++) {
            starts[s] = product->starts[s];
            starts[s].window = repeat(to, starts[s].window, 1);
            if (!starts[s].window)
                return false;
        }
        product->starts = starts;
        if (!starts || !product->existing)
            return false;
    }
    to->problem->products = products;
    return products;
}

static bool has_dependency(const struct iso_workload *workload)
{
    for (int32_t m = 0; m < workload->n_traffic; m++)
        if (workload->traffic[m].other >= 0)
            return true;
    return false;
}

/* Rules that only a tree settles, in a problem that has grown. */
static void check_size(const struct spread *to)
{
    const struct iso_problem *problem = to->problem;
    int64_t n = iso_problem_n_columns(problem);
    bool by_tree = iso_tail_counts(problem);
    const char *field = by_tree ? "model.uncertainty.tail_weight" : "model.uncertainty";

    for (int32_t a = 0; a < problem->n_workloads; a++)
        by_tree |= problem->workloads[a].fair || has_dependency(&problem->workloads[a]);
    for (int32_t l = 0; l < problem->n_limits; l++)
        by_tree |= problem->limits[l].or_nothing;
    if (by_tree && n > ISO_PLAIN_MIP_COLUMNS)
        iso_violations_add(
            to->r->violations, field,
            "a tail weight, fair, or_nothing and dependencies are served up to %d columns "
            "(offerings that a workload may use, times periods, times scenarios); "
            "this model has %lld",
            ISO_PLAIN_MIP_COLUMNS, (long long)n);
}

enum iso_status iso_resolve_scenarios(struct iso_resolve *r, struct iso_error *reterr)
{
    const Isocost__V1__Uncertainty *message = r->model->uncertainty;
    struct spread to = {.r = r, .problem = r->problem, .n_periods = (size_t)r->problem->n_periods};

    if (!message)
        return ISO_OK;
    to.n_scenarios = message->n_scenarios;
    struct iso_scenario *scenarios = iso_arena_calloc(r->arena, to.n_scenarios, sizeof(*scenarios));
    if (!scenarios)
        return iso_resolve_full(reterr);
    for (size_t s = 0; s < to.n_scenarios; s++)
        scenarios[s] = (struct iso_scenario){message->scenarios[s]->id,
                                             iso_number(message->scenarios[s]->probability)};
    r->problem->scenarios = scenarios;
    r->problem->n_scenarios = (int32_t)to.n_scenarios;
    r->problem->tail_weight = iso_number(message->tail_weight);
    r->problem->tail_level = iso_number(message->tail_level);
    if (!spread_products(&to) || !spread_periods(&to) || !spread_prices(&to) ||
        !spread_currencies(&to) || !spread_limits(&to) || !spread_budgets(&to))
        return iso_resolve_full(reterr);
    r->problem->n_periods = (int32_t)(to.n_scenarios * to.n_periods);
    check_size(&to);
    return ISO_OK;
}

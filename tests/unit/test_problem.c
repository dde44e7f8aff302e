/* The door of problems, and what readers of a problem ask it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "isocost/problem.h"

#define ONE ISO_DECIMAL_ONE

/* A small problem with everything in it; tests break one thing at a time. Two providers, regions
 * p/r and q/s; zones p/r/1, p/r/2, q/s/1. Offerings: 0 p/r/1, 1 p/r any zone, 2 p/r/2 spot, 3 q/s
 * any zone. */
struct world {
    struct iso_problem problem;
    struct iso_offering offerings[4];
    struct iso_period periods[2];
    iso_decimal usd[2], cny[2];
    struct iso_currency currencies[2];
    struct iso_team teams[1];
    iso_decimal demand[2], required[2];
    struct iso_option options[4], pool_options[1];
    uint8_t member[4];
    struct iso_share shares[1];
    struct iso_survive survive[1];
    struct iso_spread spread[1];
    struct iso_workload workloads[2];
    struct iso_limit_term terms[2];
    uint8_t all_periods[2], all_offerings[4], all_cells[3], all_products[1];
    struct iso_limit limits[1];
    struct iso_window windows[1];
    struct iso_budget budgets[1];
    iso_decimal existing[2];
    struct iso_start starts[1];
    struct iso_eligible eligible[2];
    struct iso_product products[1];
    struct iso_price_exception exceptions[2];
    struct iso_current current[2];
    int32_t zone_region[3];
};

static const char *const providers[] = {"p", "q"};
static const char *const regions[] = {"p/r", "q/s"};
static const char *const zones[] = {"p/r/1", "p/r/2", "q/s/1"};

static struct iso_offering offering(const char *id, int32_t provider, int32_t zone)
{
    struct iso_offering o = {
        .id = id, .provider = provider, .region = provider, .zone = zone, .price = ONE};

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        o.capacity[k] = ISO_UNKNOWN;
    o.capacity[ISO_RESOURCE_VCPU] = 8 * ONE;
    return o;
}

static void make_places(struct world *w)
{
    w->offerings[0] = offering("o0", 0, 0);
    w->offerings[1] = offering("o1", 0, ISO_ANY_ZONE);
    w->offerings[2] = offering("o2", 0, 1);
    w->offerings[2].spot = true;
    w->offerings[3] = offering("o3", 1, ISO_ANY_ZONE);
    w->offerings[3].currency = 1;
    w->zone_region[2] = 1;
    for (int t = 0; t < 2; t++) {
        w->periods[t] = (struct iso_period){.id = "t", .hours = 10 * ONE, .has_start = true};
        w->periods[t].start_ns = t;
        w->usd[t] = ONE;
        w->cny[t] = ONE / 4;
        w->demand[t] = 3 * ONE;
        w->required[t] = 4 * ONE;
        w->all_periods[t] = 1;
    }
    w->currencies[0] = (struct iso_currency){"USD", w->usd};
    w->currencies[1] = (struct iso_currency){"CNY", w->cny};
    w->teams[0] = (struct iso_team){.id = "g"};
    w->teams[0].overhead[ISO_RESOURCE_VCPU] = ONE;
}

static void make_workloads(struct world *w)
{
    for (int o = 0; o < 4; o++)
        w->options[o] = (struct iso_option){.offering = o, .served = 5 * ONE};
    w->shares[0] = (struct iso_share){
        .id = "share", .member = w->member, .has_maximum = true, .maximum = ONE / 2};
    w->survive[0] = (struct iso_survive){"survive", ISO_LEVEL_ZONE, ONE};
    w->spread[0] = (struct iso_spread){"spread", ISO_LEVEL_REGION, 2, ONE / 2};
    w->workloads[0] = (struct iso_workload){
        .id = "a",
        .service = ISO_SERVICE_PENALTY,
        .penalty = ONE,
        .demand = w->demand,
        .required = w->required,
        .n_options = 4,
        .options = w->options,
        .n_shares = 1,
        .n_survive = 1,
        .n_spread = 1,
        .shares = w->shares,
        .survive = w->survive,
        .spread = w->spread,
    };
    /* 3 copies of 2 vCPU fit beside 1 vCPU of overhead in 8. */
    w->pool_options[0] = (struct iso_option){.offering = 0, .served = ONE, .most = 3};
    w->workloads[1] = (struct iso_workload){
        .id = "b",
        .replicas = true,
        .demand = w->demand,
        .required = w->required,
        .n_options = 1,
        .options = w->pool_options,
    };
    w->workloads[1].need[ISO_RESOURCE_VCPU] = 2 * ONE;
}

static void make_rules(struct world *w)
{
    memset(w->all_offerings, 1, sizeof(w->all_offerings));
    memset(w->all_cells, 1, sizeof(w->all_cells));
    memset(w->all_products, 1, sizeof(w->all_products));
    w->terms[0] = (struct iso_limit_term){0, ONE};
    w->terms[1] = (struct iso_limit_term){2, ONE};
    w->limits[0] = (struct iso_limit){
        .id = "limit", .bound = ONE, .periods = w->all_periods, .n_terms = 2, .terms = w->terms};
    w->windows[0] = (struct iso_window){.periods = w->all_periods, .amount = ONE};
    w->budgets[0] = (struct iso_budget){
        .id = "budget",
        .offerings = w->all_offerings,
        .cells = w->all_cells,
        .products = w->all_products,
        .n_windows = 1,
        .windows = w->windows,
    };
    w->starts[0] = (struct iso_start){.window = w->all_periods, .hours_inside = 20 * ONE};
    w->eligible[0] = (struct iso_eligible){0, ONE};
    w->eligible[1] = (struct iso_eligible){1, ONE};
    w->products[0] = (struct iso_product){
        .id = "product",
        .lot = ONE,
        .term_hours = 8760 * ONE,
        .most = -1,
        .existing = w->existing,
        .n_starts = 1,
        .n_eligible = 2,
        .starts = w->starts,
        .eligible = w->eligible,
        .cells = w->all_cells,
    };
    w->exceptions[0] = (struct iso_price_exception){0, 1, 7};
    w->exceptions[1] = (struct iso_price_exception){2, 0, 9};
    w->current[0] = (struct iso_current){0, 1, 2};
    w->current[1] = (struct iso_current){2, 0, 2};
}

static void make(struct world *w)
{
    memset(w, 0, sizeof(*w));
    make_places(w);
    make_workloads(w);
    make_rules(w);
    w->problem = (struct iso_problem){
        .n_providers = 2,
        .n_regions = 2,
        .n_zones = 3,
        .n_currencies = 2,
        .provider_names = providers,
        .region_names = regions,
        .zone_names = zones,
        .zone_region = w->zone_region,
        .currencies = w->currencies,
        .n_offerings = 4,
        .n_periods = 2,
        .n_teams = 1,
        .n_workloads = 2,
        .n_limits = 1,
        .n_budgets = 1,
        .n_products = 1,
        .offerings = w->offerings,
        .periods = w->periods,
        .teams = w->teams,
        .workloads = w->workloads,
        .limits = w->limits,
        .budgets = w->budgets,
        .products = w->products,
        .n_price_exceptions = 2,
        .price_exceptions = w->exceptions,
        .moves = {.present = true, .n_current = 2, .current = w->current, .maximum = -1},
        .options = {.time_limit_s = 1},
    };
    /* o1 twice serves 10, 4 are required: floor(2 * (1 - 4 / 10)) = 1. */
    w->problem.moves.forced_stops = 1;
}

static void a_right_problem_passes(void **state)
{
    struct world w;
    struct iso_error error = {0};
    (void)state;

    make(&w);
    if (iso_problem_check(&w.problem, &error) != ISO_OK)
        fail_msg("%s: %s", error.field, error.text);
}

/* One broken thing: a 32-bit or 64-bit number at `offset`, or a byte. */
#define BREAK(member, broken_value, broken_field)                                               \
    {                                                                                           \
        offsetof(struct world, member), sizeof(((struct world *)NULL)->member), (broken_value), \
            (broken_field)                                                                      \
    }
static const struct {
    size_t offset, size;
    int64_t value;
    const char *field;
} breaks[] = {
    BREAK(problem.n_periods, 0, "n_periods"),
    BREAK(problem.n_workloads, 0, "n_workloads"),
    BREAK(problem.n_teams, 0, "n_teams"),
    BREAK(problem.n_limits, -1, "n_limits"),
    BREAK(problem.base_currency, 2, "base_currency"),
    BREAK(problem.base_currency, 1, "currencies[1].rate_to_base[0]"),
    BREAK(cny[1], 0, "currencies[1].rate_to_base[1]"),
    BREAK(periods[1].hours, 0, "periods[1].hours"),
    BREAK(periods[1].hours, INT64_MAX, "periods"),
    BREAK(periods[1].has_start, 0, "periods[1].has_start"),
    BREAK(periods[1].start_ns, 0, "periods[1].start_ns"),
    BREAK(zone_region[2], 2, "zone_region[2]"),
    BREAK(offerings[1].provider, 2, "offerings[1].provider"),
    BREAK(offerings[1].provider, 1, "offerings[1].region"),
    BREAK(offerings[1].region, -1, "offerings[1].region"),
    BREAK(offerings[0].zone, 2, "offerings[0].zone"),
    BREAK(offerings[0].zone, -2, "offerings[0].zone"),
    BREAK(offerings[0].currency, 2, "offerings[0].currency"),
    BREAK(offerings[0].price, 0, "offerings[0].price"),
    BREAK(offerings[0].price, INT64_MAX / 2, "offerings[0].price"),
    BREAK(offerings[0].capacity[1], -2, "offerings[0].capacity[1]"),
    BREAK(exceptions[1].offering, 0, "price_exceptions[1]"),
    BREAK(exceptions[1].period, 2, "price_exceptions[1].period"),
    BREAK(exceptions[0].price, -1, "price_exceptions[0].price"),
    BREAK(teams[0].overhead[3], -1, "teams[0].overhead[3]"),
    BREAK(workloads[0].team, 1, "workloads[0].team"),
    BREAK(workloads[0].service, 3, "workloads[0].service"),
    BREAK(workloads[0].penalty, 0, "workloads[0].penalty"),
    BREAK(workloads[0].service, ISO_SERVICE_PRIORITY, "workloads[0].priority"),
    BREAK(workloads[1].need[ISO_RESOURCE_VCPU], 0, "workloads[1].need"),
    BREAK(workloads[1].need[ISO_RESOURCE_GPU], ONE, "workloads[1].options[0].most"),
    BREAK(workloads[1].maximum_per_instance, 2, "workloads[1].options[0].most"),
    BREAK(demand[1], -1, "workloads[0].demand[1]"),
    BREAK(demand[1], 0, "workloads[0].required[1]"),
    BREAK(required[1], 2 * ONE, "workloads[0].required[1]"),
    BREAK(demand[1], 5 * ONE / 2, "workloads[1].demand[1]"),
    BREAK(options[2].offering, 1, "workloads[0].options[2].offering"),
    BREAK(options[3].offering, 4, "workloads[0].options[3].offering"),
    BREAK(options[3].served, 0, "workloads[0].options[3].served"),
    BREAK(options[3].most, 1, "workloads[0].options[3].most"),
    BREAK(pool_options[0].most, 4, "workloads[1].options[0].most"),
    BREAK(pool_options[0].most, 0, "workloads[1].options[0].most"),
    BREAK(pool_options[0].served, 2, "workloads[1].options[0].served"),
    BREAK(member[3], 2, "workloads[0].shares[0].member"),
    BREAK(shares[0].maximum, ONE + 1, "workloads[0].shares[0].maximum"),
    BREAK(survive[0].share, 0, "workloads[0].survive[0].share"),
    BREAK(survive[0].level, 3, "workloads[0].survive[0].level"),
    BREAK(spread[0].minimum_domains, 1, "workloads[0].spread[0].minimum_domains"),
    BREAK(spread[0].minimum_share, ONE / 2 + 1, "workloads[0].spread[0].minimum_share"),
    BREAK(limits[0].bound, -1, "limits[0].bound"),
    BREAK(limits[0].policy, 4, "limits[0].policy"),
    BREAK(limits[0].policy, ISO_POLICY_SOFT, "limits[0].price"),
    BREAK(limits[0].today, -1, "limits[0].today"),
    BREAK(terms[1].offering, 0, "limits[0].terms[1].offering"),
    BREAK(terms[0].weight, 0, "limits[0].terms[0].weight"),
    BREAK(all_periods[0], 2, "limits[0].periods"),
    BREAK(budgets[0].basis, 3, "budgets[0].basis"),
    BREAK(budgets[0].n_windows, 0, "budgets[0].n_windows"),
    BREAK(windows[0].amount, -1, "budgets[0].windows[0].amount"),
    BREAK(windows[0].currency, 2, "budgets[0].windows[0].currency"),
    BREAK(all_offerings[1], 3, "budgets[0].offerings"),
    BREAK(products[0].provider, 2, "products[0].provider"),
    BREAK(products[0].lot, 0, "products[0].lot"),
    BREAK(products[0].term_hours, 0, "products[0].term_hours"),
    BREAK(products[0].fee, -1, "products[0].fee"),
    BREAK(products[0].fee, INT64_MAX / 2, "products[0].fee"),
    BREAK(products[0].most, -2, "products[0].most"),
    BREAK(existing[0], -1, "products[0].existing[0]"),
    BREAK(eligible[1].offering, 2, "products[0].eligible[1].offering"), /* spot */
    BREAK(eligible[1].offering, 0, "products[0].eligible[1].offering"),
    BREAK(eligible[0].use, 0, "products[0].eligible[0].use"),
    BREAK(starts[0].period, 2, "products[0].starts[0].period"),
    BREAK(starts[0].hours_inside, 0, "products[0].starts[0].hours_inside"),
    BREAK(current[0].cell, 1, "moves.current[0].cell"), /* replicas have no cell of their own */
    BREAK(current[1].cell, 3, "moves.current[1].cell"),
    BREAK(current[1].cell, 0, "moves.current[1]"),
    BREAK(current[1].count, -1, "moves.current[1].count"),
    BREAK(problem.moves.maximum, -2, "moves.maximum"),
    BREAK(problem.moves.forced_stops, 0, "moves.forced_stops"),
    BREAK(problem.moves.present, 0, "moves.n_current"),
    BREAK(problem.options.time_limit_s, 0, "options.time_limit_s"),
    BREAK(problem.options.work_limit, -1, "options.work_limit"),
};

static void each_broken_thing_is_refused_with_its_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(breaks); i++) {
        struct world w;
        struct iso_error error = {0};
        make(&w);
        memcpy((char *)&w + breaks[i].offset, &breaks[i].value, breaks[i].size);
        enum iso_status status = iso_problem_check(&w.problem, &error);
        if (status != ISO_E_INVALID || strcmp(error.field, breaks[i].field) != 0)
            fail_msg("%s: status %d, field %s", breaks[i].field, (int)status, error.field);
    }
}

static void a_price_that_overflows_the_bill_is_refused_at_the_edge(void **state)
{
    struct world w;
    struct iso_error error = {0};
    (void)state;

    /* One instance for 10 hours: 922337203.685477580 * 10 = 9223372036.85477580 fits,
     * 922337203.685477581 * 10 does not. */
    make(&w);
    w.offerings[0].price = INT64_C(922337203685477580);
    assert_int_equal(iso_problem_check(&w.problem, &error), ISO_OK);
    w.offerings[0].price++;
    assert_int_equal(iso_problem_check(&w.problem, &error), ISO_E_INVALID);
}

static void prices_and_rates_are_looked_up(void **state)
{
    struct world w;
    (void)state;

    make(&w);
    assert_int_equal(iso_problem_price(&w.problem, 0, 0), ONE);
    assert_int_equal(iso_problem_price(&w.problem, 0, 1), 7);
    assert_int_equal(iso_problem_price(&w.problem, 2, 0), 9);
    assert_int_equal(iso_problem_price(&w.problem, 3, 1), ONE);
    assert_int_equal(iso_problem_rate(&w.problem, 1, 0, 0), ONE / 4);
    assert_int_equal(iso_problem_rate(&w.problem, 0, 1, 0), 4 * ONE);
    assert_int_equal(iso_problem_rate(&w.problem, 1, 1, 0), ONE);
    assert_int_equal(iso_workload_find_option(&w.workloads[0], 3), 3);
    assert_int_equal(iso_workload_find_option(&w.workloads[1], 3), -1);
}

/* Rows: offerings; columns: domains that fail. Zones first, then the zones of p/r and q/s that the
 * catalog does not name: an offering with a named zone does not lie in those. */
static void an_offering_of_any_zone_falls_with_every_zone_of_its_region(void **state)
{
    static const uint8_t falls[4][5] = {
        {1, 0, 0, 0, 0}, /* p/r/1 */
        {1, 1, 0, 1, 0}, /* p/r any */
        {0, 1, 0, 0, 0}, /* p/r/2 */
        {0, 0, 1, 0, 1}, /* q/s any */
    };
    struct world w;
    (void)state;

    make(&w);
    assert_int_equal(iso_problem_n_domains(&w.problem, ISO_LEVEL_ZONE), 5);
    assert_int_equal(iso_problem_n_domains(&w.problem, ISO_LEVEL_REGION), 2);
    assert_int_equal(iso_problem_n_domains(&w.problem, ISO_LEVEL_PROVIDER), 2);
    for (int32_t o = 0; o < 4; o++)
        for (int32_t d = 0; d < 5; d++)
            assert_int_equal(iso_problem_falls_with(&w.problem, o, ISO_LEVEL_ZONE, d), falls[o][d]);
    assert_int_equal(iso_problem_domain(&w.problem, 0, ISO_LEVEL_ZONE), 0);
    assert_int_equal(iso_problem_domain(&w.problem, 3, ISO_LEVEL_ZONE), 4);
    assert_int_equal(iso_problem_domain(&w.problem, 3, ISO_LEVEL_REGION), 1);
    assert_true(iso_problem_falls_with(&w.problem, 2, ISO_LEVEL_PROVIDER, 0));
    assert_false(iso_problem_falls_with(&w.problem, 2, ISO_LEVEL_REGION, 1));
}

static void any_zone_counts_for_spread_only_where_no_zone_is_named(void **state)
{
    struct world w;
    (void)state;

    make(&w);
    assert_true(iso_problem_spread_counts(&w.problem, &w.workloads[0], 0, ISO_LEVEL_ZONE));
    assert_false(iso_problem_spread_counts(&w.problem, &w.workloads[0], 1, ISO_LEVEL_ZONE));
    assert_true(iso_problem_spread_counts(&w.problem, &w.workloads[0], 3, ISO_LEVEL_ZONE));
    assert_true(iso_problem_spread_counts(&w.problem, &w.workloads[0], 1, ISO_LEVEL_REGION));
}

static void forced_stops_follow_the_fall_of_demand(void **state)
{
    static const struct {
        int64_t count;
        iso_decimal required;
        int64_t stops;
    } cases[] = {
        {2, 4 * ONE, 1},       /* 2 (1 - 4/10) = 1.2 */
        {10, 50 * ONE, 0},     /* just enough */
        {10, 51 * ONE, 0},     /* too little */
        {10, 50 * ONE - 1, 0}, /* 10 (1e-9 / 50) */
        {10, 45 * ONE, 1},     /* exactly 1 */
        {10, 0, 10},           /* all */
    };
    struct world w;
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        make(&w);
        w.current[0].count = cases[i].count;
        w.required[0] = cases[i].required;
        assert_int_equal(iso_forced_stops(&w.problem), cases[i].stops);
    }
    w.problem.moves.n_current = 0;
    assert_int_equal(iso_forced_stops(&w.problem), 0);
}

static void failed_allocations_are_reported(void **state)
{
    struct world w;
    (void)state;

    make(&w);
    for (long nth = 0; nth < 2; nth++) {
        struct iso_error error = {0};
        iso_alloc_fail_at(nth);
        assert_int_equal(iso_problem_check(&w.problem, &error), ISO_E_NOMEM);
    }
    iso_alloc_fail_at(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_problem_passes),
        cmocka_unit_test(each_broken_thing_is_refused_with_its_field),
        cmocka_unit_test(a_price_that_overflows_the_bill_is_refused_at_the_edge),
        cmocka_unit_test(prices_and_rates_are_looked_up),
        cmocka_unit_test(an_offering_of_any_zone_falls_with_every_zone_of_its_region),
        cmocka_unit_test(any_zone_counts_for_spread_only_where_no_zone_is_named),
        cmocka_unit_test(forced_stops_follow_the_fall_of_demand),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Long horizons whose workloads have shares, and nothing but roomy caps in common: each is bounded
 * and buys by itself, and what one hour runs serves the others. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../../solver/horizon_apart.h"
#include "../../solver/horizon_hours.h"
#include "../../solver/verify/verifier.h"
#include "../support/forced_solve.h"
#include "isocost/ledger.h"

enum { HOURS = 600, WORKLOADS = 6, LEAST = 10, SPAN = 100, KINDS = 3 };

/* What an instance of an offering serves, and its price in tenths. */
struct kind {
    int provider, served, tenths;
};

static const struct kind alike[KINDS] = {{0, 1, 10}, {1, 1, 10}, {1, 1, 10}};
static const struct kind sizes[KINDS] = {{0, 10, 10}, {0, 3, 4}, {1, 8, 9}};

/* An instance of p or q serves 1 for 1 an hour; at most 0.6 of a workload may come from either.
 * From ten on every whole demand can be split so, at one instance a unit: any way between 4 and 6
 * tenths. A commitment of one workload covers an instance of either for the whole horizon at 0.5 an
 * hour. */
struct shop {
    iso_decimal rates[HOURS], none[HOURS], demand[WORKLOADS][HOURS];
    uint8_t all[HOURS], scope[WORKLOADS][WORKLOADS + 1];
    struct iso_period periods[HOURS];
    struct iso_offering offerings[KINDS];
    struct iso_option options[KINDS];
    struct iso_share shares[2];
    uint8_t members[2][KINDS];
    struct iso_currency currency;
    struct iso_workload workloads[WORKLOADS];
    struct iso_product products[WORKLOADS];
    struct iso_start start;
    struct iso_limit limit;
    struct iso_problem problem;
};

static const char *const names[] = {"p", "q"}, *const regions[] = {"p/r", "q/r"};
static const struct iso_eligible eligible[KINDS] = {
    {0, ISO_DECIMAL_ONE}, {1, ISO_DECIMAL_ONE}, {2, ISO_DECIMAL_ONE}};
static const struct iso_limit_term of_limit = {0, ISO_DECIMAL_ONE};
static const struct iso_team team = {.id = "team"};

static void fill_hours(struct shop *shop)
{
    uint32_t random = 1;

    for (int t = 0; t < HOURS; t++) {
        shop->rates[t] = ISO_DECIMAL_ONE;
        shop->all[t] = 1;
        shop->periods[t] = (struct iso_period){.id = "hour", .hours = ISO_DECIMAL_ONE};
        for (int a = 0; a < WORKLOADS; a++) {
            random = random * 1664525 + 1013904223; /* Numerical Recipes, 2nd edition, 7.1 */
            shop->demand[a][t] = (LEAST + (random >> 16) % SPAN) * ISO_DECIMAL_ONE;
        }
    }
}

static void fill_workload(struct shop *shop, int a)
{
    static const char *const ids[WORKLOADS] = {"a", "b", "c", "d", "e", "f"};

    shop->scope[a][a] = 1;
    shop->workloads[a] = (struct iso_workload){.id = ids[a],
                                               .service = ISO_SERVICE_MUST,
                                               .demand = shop->demand[a],
                                               .required = shop->demand[a],
                                               .n_options = KINDS,
                                               .options = shop->options,
                                               .n_shares = 2,
                                               .shares = shop->shares};
    shop->products[a] = (struct iso_product){.id = ids[a],
                                             .lot = ISO_DECIMAL_ONE,
                                             .term_hours = HOURS * ISO_DECIMAL_ONE,
                                             .fee = ISO_DECIMAL_ONE / 2,
                                             .most = -1,
                                             .existing = shop->none,
                                             .n_starts = 1,
                                             .starts = &shop->start,
                                             .n_eligible = KINDS,
                                             .eligible = eligible,
                                             .cells = shop->scope[a]};
}

static void fill_kind(struct shop *shop, const struct kind *kind, int o)
{
    static const char *const ids[KINDS] = {"one", "two", "three"};

    shop->offerings[o] = (struct iso_offering){.id = ids[o],
                                               .provider = kind->provider,
                                               .region = kind->provider,
                                               .zone = ISO_ANY_ZONE,
                                               .price = kind->tenths * ISO_DECIMAL_ONE / 10};
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        shop->offerings[o].capacity[k] = ISO_UNKNOWN;
    shop->options[o] = (struct iso_option){.offering = o, .served = kind->served * ISO_DECIMAL_ONE};
    shop->members[kind->provider][o] = 1;
}

/* `most`: instances of the first offering in an hour, for all workloads together. */
static void open_shop(struct shop *shop, const struct kind kinds[KINDS], int64_t most)
{
    memset(shop, 0, sizeof(*shop));
    fill_hours(shop);
    for (int o = 0; o < KINDS; o++)
        fill_kind(shop, &kinds[o], o);
    for (int i = 0; i < 2; i++)
        shop->shares[i] = (struct iso_share){.id = names[i],
                                             .has_maximum = true,
                                             .maximum = 6 * ISO_DECIMAL_ONE / 10,
                                             .member = shop->members[i]};
    shop->currency = (struct iso_currency){"USD", shop->rates};
    shop->start = (struct iso_start){.window = shop->all, .hours_inside = HOURS * ISO_DECIMAL_ONE};
    shop->limit = (struct iso_limit){.id = "most",
                                     .bound = most * ISO_DECIMAL_ONE,
                                     .policy = ISO_POLICY_HARD,
                                     .periods = shop->all,
                                     .n_terms = 1,
                                     .terms = &of_limit};
    for (int a = 0; a < WORKLOADS; a++)
        fill_workload(shop, a);
    shop->problem = (struct iso_problem){.n_providers = 2,
                                         .provider_names = names,
                                         .n_regions = 2,
                                         .region_names = regions,
                                         .n_currencies = 1,
                                         .currencies = &shop->currency,
                                         .n_offerings = KINDS,
                                         .offerings = shop->offerings,
                                         .n_periods = HOURS,
                                         .periods = shop->periods,
                                         .n_teams = 1,
                                         .teams = &team,
                                         .n_workloads = WORKLOADS,
                                         .workloads = shop->workloads,
                                         .n_limits = 1,
                                         .limits = &shop->limit,
                                         .n_products = WORKLOADS,
                                         .products = shop->products,
                                         .moves = {.maximum = -1},
                                         .options = {.time_limit_s = 60, .gap = 1e-6}};
}

/* Each workload by itself is a newsvendor's: y units held cost 0.5 y an hour, what is asked beyond
 * them 1 each. Every y is tried. */
static double least_cost(const struct shop *shop)
{
    double sum = 0;

    for (int a = 0; a < WORKLOADS; a++) {
        double least = INFINITY;
        for (int y = 0; y <= LEAST + SPAN; y++) {
            double cost = 0;
            for (int t = 0; t < HOURS; t++)
                cost += 0.5 * y + fmax(0, iso_decimal_to_double(shop->demand[a][t]) - y);
            least = fmin(least, cost);
        }
        sum += least;
    }
    return sum;
}

/* The cost of h's purchases, with what each hour asks beyond them. */
static double cost_of(const struct shop *shop, const int64_t *bought)
{
    double sum = 0;

    for (int a = 0; a < WORKLOADS; a++)
        for (int t = 0; t < HOURS; t++)
            sum += 0.5 * (double)bought[a] +
                   fmax(0, iso_decimal_to_double(shop->demand[a][t]) - (double)bought[a]);
    return sum;
}

/* A case with its master solved over 24 clusters, and what that proves. */
struct opened {
    struct iso_horizon_case h;
    struct iso_master master;
    struct iso_tier tier;
};

static void open_case(struct opened *opened, const struct iso_problem *problem)
{
    static const struct iso_control control = {.now = steady_seconds};
    struct iso_error error = {0};
    enum iso_lp_outcome outcome;

    *opened = (struct opened){.h.problem = problem};
    opened->h.search = (struct iso_search){
        .problem = problem, .control = &control, .end_s = INFINITY, .plan = iso_plan_new()};
    opened->tier = (struct iso_tier){
        .kind = ISO_TIER_MONEY, .proof = ISO_PROOF_DUAL, .checked_bound = -INFINITY};
    assert_int_equal(iso_slice_init(&opened->h, true, &error), ISO_OK);
    assert_int_equal(iso_seasons_init(&opened->h, &error), ISO_OK);
    assert_int_equal(iso_clusters_init(&opened->h, 24, &error), ISO_OK);
    assert_int_equal(iso_master_init(&opened->master, &opened->h, &error), ISO_OK);
    assert_int_equal(iso_master_solve(&opened->master, &outcome, &error), ISO_OK);
    assert_int_equal(iso_lift(&opened->master, &opened->tier, &error), ISO_OK);
}

static void close_case(struct opened *opened)
{
    iso_master_fini(&opened->master);
    iso_clusters_fini(&opened->h);
    iso_slice_fini(&opened->h);
    iso_plan_free(opened->h.search.plan);
}

/* The verifier finds in the multipliers and tables what is claimed. */
static void check_proof(struct opened *opened)
{
    struct iso_plan *plan = opened->h.search.plan;
    struct iso_error error = {0};
    double bound = -INFINITY;

    assert_true(iso_append(&plan->tiers, &plan->n_tiers, sizeof(opened->tier), &opened->tier));
    struct iso_verifier v = {.problem = opened->h.problem, .plan = plan, .reterr = &error};
    assert_int_equal(iso_verify_read(&v), ISO_OK);
    assert_int_equal(iso_verify_leads(&v), ISO_OK);
    assert_int_equal(iso_verify_tabulate(&v), ISO_OK);
    assert_int_equal(iso_verify_dual_bound(&v, 0, false, &bound), ISO_OK);
    iso_verify_fini(&v);
    assert_true(fabs(bound - opened->tier.checked_bound) <= 1e-6 * bound);
}

/* 420 of p are more than 0.6 of what any hour asks for. Six demands that move by themselves: 24
 * clusters of all six at once lose more than one part in a hundred of the bound, clusters of each
 * one less than in a thousand. The first few have no shares: tables of whole instances prove
 * what those cost. */
static void check_apart(struct shop *shop, int n_without)
{
    struct opened opened;
    struct iso_error error = {0};

    open_shop(shop, alike, 420);
    for (int a = 0; a < n_without; a++)
        shop->workloads[a].n_shares = 0;
    open_case(&opened, &shop->problem);
    double least = least_cost(shop);
    assert_true(opened.tier.checked_bound < 0.99 * least);
    assert_true(iso_apart_applies(&opened.master, &opened.tier));
    assert_int_equal(iso_apart_solve(&opened.master, &opened.tier, &error), ISO_OK);
    assert_true(opened.tier.checked_bound > 0.999 * least);
    assert_true(opened.tier.checked_bound <= least * (1 + 1e-9));
    assert_true(cost_of(shop, opened.h.bought) <= 1.0005 * least);
    check_proof(&opened);
    close_case(&opened);
}

static void workloads_under_roomy_caps_are_bounded_and_buy_by_themselves(void **state)
{
    static struct shop shop;

    (void)state;
    for (int n_without = 0; n_without < WORKLOADS; n_without += 2)
        check_apart(&shop, n_without);
}

/* Six tenths of each workload from p, the rest from q: what the cap lets through depends on what
 * all of them take together. */
static void a_cap_counts_what_all_workloads_run(void **state)
{
    static struct shop shop;
    struct iso_error error = {0};

    (void)state;
    for (int most = 120; most <= 420; most += 300) {
        struct opened opened;
        struct iso_hours hours __attribute__((cleanup(iso_hours_fini))) = {0};
        int64_t of_p = 0;
        bool holds;
        open_shop(&shop, alike, most);
        open_case(&opened, &shop.problem);
        assert_int_equal(iso_hours_init(&hours, &opened.master, 0, true, &error), ISO_OK);
        assert_int_equal(iso_hours_open(&hours, 0, &error), ISO_OK);
        for (int32_t i = hours.n_items - 1; i >= 0; i--) {
            const struct iso_item *item = &hours.items[i];
            int64_t demand = shop.demand[item->workload][0] / ISO_DECIMAL_ONE;
            int32_t o = opened.h.slice.columns[item->column].offering;
            hours.count[i] = o == 0 ? demand * 6 / 10 : o == 1 ? demand - demand * 6 / 10 : 0;
            of_p += o == 0 ? hours.count[i] : 0;
        }
        assert_true(of_p > 120 && of_p < 420);
        assert_true(iso_hours_settle(&hours, opened.h.search.plan, &holds));
        assert_int_equal(holds, most == 420);
        close_case(&opened);
    }
}

/* --- lineups --- */

/* The least that instances of the three sizes cost which serve a demand within both shares; every
 * count up to what serves it alone is tried. */
static double least_hour(int demand)
{
    double least = INFINITY;

    for (int one = 0; one * 10 <= demand + 10; one++)
        for (int two = 0; two * 3 <= demand + 3; two++)
            for (int three = 0; three * 8 <= demand + 8; three++) {
                int p = 10 * one + 3 * two, q = 8 * three;
                if (p + q >= demand && 10 * p <= 6 * (p + q) && 10 * q <= 6 * (p + q))
                    least = fmin(least, one + 0.4 * two + 0.9 * three);
            }
    return least;
}

/* Nothing is bought, so that each hour costs what it runs. What was found for one hour serves all
 * that ask for less: over the 600 hours nearly nothing is lost against trying everything. */
static void hours_run_the_cheapest_lineups_that_any_hour_found(void **state)
{
    static struct shop shop;
    struct iso_turn turns[HOURS];
    struct opened opened;
    struct iso_hours hours __attribute__((cleanup(iso_hours_fini))) = {0};
    struct iso_error error = {0};
    int32_t n_turns = HOURS;
    double least = 0;

    (void)state;
    open_shop(&shop, sizes, 1000);
    shop.problem.n_products = 0;
    open_case(&opened, &shop.problem);
    assert_int_equal(iso_hours_init(&hours, &opened.master, 0, true, &error), ISO_OK);
    hours.quick = true;
    assert_true(iso_lineups_apply(&hours));
    for (int t = 0; t < HOURS; t++)
        turns[t] = (struct iso_turn){.period = t};
    assert_int_equal(iso_lineups_serve(&hours, turns, &n_turns, &error), ISO_OK);
    assert_int_equal(n_turns, 0);
    for (int a = 0; a < WORKLOADS; a++)
        for (int t = 0; t < HOURS; t++)
            least += least_hour((int)(shop.demand[a][t] / ISO_DECIMAL_ONE));
    assert_int_equal(iso_plan_account(&shop.problem, opened.h.search.plan, &error), ISO_OK);
    double cost = iso_decimal_to_double(opened.h.search.plan->cost);
    print_message("%.2f, at least %.2f\n", cost, least);
    assert_true(cost >= least - 1e-6);
    assert_true(cost <= least * 1.0005);
    close_case(&opened);
}

/* A plan for a shop whose first few workloads have no shares. */
static void check_plan(struct shop *shop, int n_without)
{
    open_shop(shop, alike, 420);
    for (int a = 0; a < n_without; a++)
        shop->workloads[a].n_shares = 0;
    double least = least_cost(shop);
    struct iso_plan *plan = forced_plan(&shop->problem, ISO_STRATEGY_HORIZON, 0);
    assert_true(strategy_was_used(plan, "horizon"));
    assert_true(plan->tiers[0].bound <= least * (1 + 1e-9));
    assert_true(plan->tiers[0].bound >= least * 0.999);
    assert_true(iso_decimal_to_double(plan->cost) >= least * (1 - 1e-9));
    assert_true(iso_decimal_to_double(plan->cost) <= least * 1.0005);
    iso_plan_free(plan);
}

/* The same through all stages, and verified; also where some workloads have no shares, so that
 * tables of whole instances prove what those cost, beside multipliers for the others. */
static void plans_for_such_workloads_are_next_to_what_each_can_do_alone(void **state)
{
    static struct shop shop;

    for (int without = 0; without < WORKLOADS; without += 2)
        check_plan(&shop, without);
    (void)state;
}

/* 240 of p are less than 0.6 of most hours' demands, but more than the 0.4 that q leaves of any:
 * lineups that lean on p do not fit together, and their hours are filled one by one. What q serves
 * costs the same. */
static void hours_in_which_lineups_do_not_fit_together_are_filled_by_themselves(void **state)
{
    static struct shop shop;

    (void)state;
    open_shop(&shop, alike, 240);
    shop.problem.options.time_limit_s = 8;
    double least = least_cost(&shop);
    struct iso_plan *plan = forced_plan(&shop.problem, ISO_STRATEGY_HORIZON, 0);
    assert_true(strategy_was_used(plan, "horizon"));
    assert_true(plan->has_solution);
    assert_true(plan->tiers[0].bound <= least * (1 + 1e-9));
    assert_true(iso_decimal_to_double(plan->cost) >= least * (1 - 1e-9));
    assert_true(iso_decimal_to_double(plan->cost) <= least * 1.02);
    iso_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workloads_under_roomy_caps_are_bounded_and_buy_by_themselves),
        cmocka_unit_test(a_cap_counts_what_all_workloads_run),
        cmocka_unit_test(hours_run_the_cheapest_lineups_that_any_hour_found),
        cmocka_unit_test(plans_for_such_workloads_are_next_to_what_each_can_do_alone),
        cmocka_unit_test(hours_in_which_lineups_do_not_fit_together_are_filled_by_themselves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

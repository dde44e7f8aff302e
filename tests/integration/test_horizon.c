/* The strategy for long horizons on small problems, against the plain tree: whatever it plans holds
 * and costs no less than the optimum, and its bound is no more. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../../solver/strategy.h"
#include "../../solver/verify/verifier.h"
#include "../support/forced_solve.h"
#include "../support/random_problem.h"

#define N_PROBLEMS 400

/* Leaves only rules that the strategy serves. The arrays behind a random problem's const pointers
 * are not const. */
static void simplify(struct random_problem *random)
{
    struct iso_problem *problem = &random->problem;
    struct iso_workload *workloads = (struct iso_workload *)problem->workloads;
    struct iso_limit *limits = (struct iso_limit *)problem->limits;

    problem->options.want = 0;
    problem->n_budgets = 0;
    memset(&problem->moves, 0, sizeof(problem->moves));
    problem->moves.maximum = -1;
    problem->n_scenarios = 0;
    problem->tail_weight = 0;
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        struct iso_option *options = (struct iso_option *)workloads[a].options;
        workloads[a].n_spread = 0;
        workloads[a].fair = false;
        if (workloads[a].service == ISO_SERVICE_PRIORITY)
            workloads[a].service = ISO_SERVICE_MUST;
        for (int32_t i = 0; i < workloads[a].n_options && workloads[a].replicas; i++)
            options[i].most = 0;
        workloads[a].replicas = false;
    }
    for (int32_t l = 0; l < problem->n_limits; l++)
        if (limits[l].policy == ISO_POLICY_PREFER || limits[l].policy == ISO_POLICY_DEFAULT)
            limits[l].policy = ISO_POLICY_HARD;
}

/* Makes the periods equal in all but demand and terms of commitments. */
static void share_periods(struct random_problem *random)
{
    struct iso_problem *problem = &random->problem;

    problem->n_price_exceptions = 0;
    for (int32_t t = 1; t < problem->n_periods; t++) {
        ((struct iso_period *)problem->periods)[t].hours = problem->periods[0].hours;
        for (int32_t k = 0; k < problem->n_currencies; k++)
            ((iso_decimal *)problem->currencies[k].rate_to_base)[t] =
                problem->currencies[k].rate_to_base[0];
        for (int32_t l = 0; l < problem->n_limits; l++)
            ((uint8_t *)problem->limits[l].periods)[t] = problem->limits[l].periods[0];
        for (int32_t c = 0; c < problem->n_products; c++)
            ((iso_decimal *)problem->products[c].existing)[t] = problem->products[c].existing[0];
    }
}

static double value_of(const struct iso_plan *plan)
{
    return iso_decimal_to_double(plan->cost + plan->penalties);
}

/* One hour and two workloads that ask for `demand`. "big" serves 10 for 1, and one of it is covered
 * by a unit that is held already; "small" serves 7 for 0.4, and at most `most_small` may run. */
static struct iso_plan *solve_hour(const int64_t demand[2], int64_t most_small)
{
    static const char *const names[] = {"p"}, *const regions[] = {"p/r"};
    static const iso_decimal one[] = {ISO_DECIMAL_ONE};
    static const uint8_t yes[3] = {1, 1, 1};
    const iso_decimal asked[2] = {demand[0] * ISO_DECIMAL_ONE, demand[1] * ISO_DECIMAL_ONE};
    const struct iso_currency currency = {"USD", one};
    struct iso_offering offerings[2] = {
        {.id = "big", .zone = ISO_ANY_ZONE, .price = ISO_DECIMAL_ONE},
        {.id = "small", .zone = ISO_ANY_ZONE, .price = 4 * ISO_DECIMAL_ONE / 10}};
    const struct iso_period period = {.id = "hour", .hours = ISO_DECIMAL_ONE};
    const struct iso_team team = {.id = "team"};
    const struct iso_option options[2] = {{.offering = 0, .served = 10 * ISO_DECIMAL_ONE},
                                          {.offering = 1, .served = 7 * ISO_DECIMAL_ONE}};
    struct iso_workload workloads[2];
    const struct iso_limit_term term = {1, ISO_DECIMAL_ONE};
    const struct iso_limit limit = {.id = "few",
                                    .bound = most_small * ISO_DECIMAL_ONE,
                                    .policy = ISO_POLICY_HARD,
                                    .periods = yes,
                                    .n_terms = 1,
                                    .terms = &term};
    const struct iso_eligible eligible = {.offering = 0, .use = ISO_DECIMAL_ONE};
    const struct iso_product product = {.id = "held",
                                        .lot = ISO_DECIMAL_ONE,
                                        .term_hours = ISO_DECIMAL_ONE,
                                        .existing = one,
                                        .n_eligible = 1,
                                        .eligible = &eligible,
                                        .cells = yes};
    const struct iso_problem problem = {.n_providers = 1,
                                        .provider_names = names,
                                        .n_regions = 1,
                                        .region_names = regions,
                                        .n_currencies = 1,
                                        .currencies = &currency,
                                        .n_offerings = 2,
                                        .offerings = offerings,
                                        .n_periods = 1,
                                        .periods = &period,
                                        .n_teams = 1,
                                        .teams = &team,
                                        .n_workloads = 2,
                                        .workloads = workloads,
                                        .n_limits = 1,
                                        .limits = &limit,
                                        .n_products = 1,
                                        .products = &product,
                                        .moves = {.maximum = -1},
                                        .options = {.time_limit_s = 10}};

    for (int a = 0; a < 2; a++)
        workloads[a] = (struct iso_workload){.id = a ? "b" : "a",
                                             .service = ISO_SERVICE_MUST,
                                             .demand = &asked[a],
                                             .required = &asked[a],
                                             .n_options = 2,
                                             .options = options};
    for (int o = 0; o < 2; o++)
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            offerings[o].capacity[k] = ISO_UNKNOWN;
    return forced_plan(&problem, ISO_STRATEGY_HORIZON, 0);
}

/* 10 and 14 are asked for. With the unit a is served, and b takes two small ones, 0.8. With the
 * unit b would still miss 4, a small one, and a takes two small ones: 1.2. */
static void what_is_held_goes_to_the_workload_that_it_fits(void **state)
{
    static const int64_t demand[2] = {10, 14};
    struct iso_plan *plan = solve_hour(demand, 100);

    (void)state;
    assert_true(strategy_was_used(plan, "horizon"));
    assert_int_equal(plan->cost, 8 * ISO_DECIMAL_ONE / 10);
    iso_plan_free(plan);
}

/* The same with one small one at most: a has the unit, and b a small one and a big one, 1.4; or b
 * has the unit and the small one, and a pays a big one, 1.4. */
static void a_cap_that_is_in_the_way_is_dealt_out_too(void **state)
{
    static const int64_t demand[2] = {10, 14};
    struct iso_plan *plan = solve_hour(demand, 1);

    (void)state;
    assert_true(strategy_was_used(plan, "horizon"));
    assert_int_equal(plan->cost, 14 * ISO_DECIMAL_ONE / 10);
    iso_plan_free(plan);
}

/* 10 and 15: a has the unit; b takes three small ones, 1.2. A unit of demand costs at least 0.4 /
 * 7, so a linear program says 15 * 0.4 / 7 = 0.857. Tables know that instances are whole: with the
 * unit at 10 * 0.4 / 7 = 4/7, at which it is as good as small ones, a costs 4/7 at least and b, by
 * a unit and a small one, 4/7 + 0.4; the unit that is held takes 4/7 off: 0.971. */
static void whole_instances_prove_more_than_a_linear_program(void **state)
{
    static const int64_t demand[2] = {10, 15};
    struct iso_plan *plan = solve_hour(demand, 100);

    (void)state;
    assert_true(strategy_was_used(plan, "horizon"));
    assert_int_equal(plan->cost, 12 * ISO_DECIMAL_ONE / 10);
    assert_int_equal(plan->tiers[0].proof, ISO_PROOF_VALUE_FUNCTION);
    assert_true(plan->tiers[0].bound >= 4.0 / 7 + 0.4 - 1e-6);
    assert_true(plan->tiers[0].bound <= 1.2 + 1e-9);
    iso_plan_free(plan);
}

/* Four hours that ask for 10, 20, 30 and 40; an instance serves 10 for 1 an hour, and a unit of the
 * commitment covers one for 0.6 an hour over all four. The first unit would be used in 4 hours, the
 * second in 3, the third in 2: it pays from 2.4 hours on, so two are bought for 2 * 2.4 = 4.8. The
 * third hour pays one instance more, the fourth two: 4.8 + 3 = 7.8. On demand alone 1 + 2 + 3 + 4
 * instances run for an hour: 10. */
static void what_is_bought_follows_the_hours_and_not_their_mean(void **state)
{
    static const char *const names[] = {"p"}, *const regions[] = {"p/r"};
    static const iso_decimal rates[] = {ISO_DECIMAL_ONE, ISO_DECIMAL_ONE, ISO_DECIMAL_ONE,
                                        ISO_DECIMAL_ONE};
    static const iso_decimal demand[] = {10 * ISO_DECIMAL_ONE, 20 * ISO_DECIMAL_ONE,
                                         30 * ISO_DECIMAL_ONE, 40 * ISO_DECIMAL_ONE};
    static const iso_decimal none[4] = {0};
    static const uint8_t yes[4] = {1, 1, 1, 1};
    const struct iso_currency currency = {"USD", rates};
    struct iso_offering offering = {.id = "o", .zone = ISO_ANY_ZONE, .price = ISO_DECIMAL_ONE};
    const struct iso_period periods[] = {{.id = "a", .hours = ISO_DECIMAL_ONE},
                                         {.id = "b", .hours = ISO_DECIMAL_ONE},
                                         {.id = "c", .hours = ISO_DECIMAL_ONE},
                                         {.id = "d", .hours = ISO_DECIMAL_ONE}};
    const struct iso_team team = {.id = "team"};
    const struct iso_option option = {.offering = 0, .served = 10 * ISO_DECIMAL_ONE};
    const struct iso_workload workload = {.id = "w",
                                          .service = ISO_SERVICE_MUST,
                                          .demand = demand,
                                          .required = demand,
                                          .n_options = 1,
                                          .options = &option};
    const struct iso_start start = {.window = yes, .hours_inside = 4 * ISO_DECIMAL_ONE};
    const struct iso_eligible eligible = {.use = ISO_DECIMAL_ONE};
    const struct iso_product product = {.id = "year",
                                        .lot = ISO_DECIMAL_ONE,
                                        .term_hours = 4 * ISO_DECIMAL_ONE,
                                        .fee = 6 * ISO_DECIMAL_ONE / 10,
                                        .most = -1,
                                        .existing = none,
                                        .n_starts = 1,
                                        .starts = &start,
                                        .n_eligible = 1,
                                        .eligible = &eligible,
                                        .cells = yes};
    const struct iso_problem problem = {
        .n_providers = 1,
        .provider_names = names,
        .n_regions = 1,
        .region_names = regions,
        .n_currencies = 1,
        .currencies = &currency,
        .n_offerings = 1,
        .offerings = &offering,
        .n_periods = 4,
        .periods = periods,
        .n_teams = 1,
        .teams = &team,
        .n_workloads = 1,
        .workloads = &workload,
        .n_products = 1,
        .products = &product,
        .moves = {.maximum = -1},
        .options = {.time_limit_s = 10, .want = ISO_WANT_BASELINES}};

    (void)state;
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        offering.capacity[k] = ISO_UNKNOWN;
    struct iso_plan *plan = forced_plan(&problem, ISO_STRATEGY_HORIZON, 0);
    assert_true(strategy_was_used(plan, "horizon"));
    assert_int_equal(plan->cost, 78 * ISO_DECIMAL_ONE / 10);
    assert_int_equal(plan->n_purchases, 1);
    assert_int_equal(plan->purchases[0].quantity, 2);
    assert_true(plan->tiers[0].bound <= 7.8 + 1e-9);
    assert_int_equal(plan->n_baselines, 1);
    assert_int_equal(plan->baselines[0].kind, ISO_BASELINE_ON_DEMAND);
    assert_true(fabs(plan->baselines[0].cost - 10) < 1e-9);
    iso_plan_free(plan);
}

/* 100 hours: 9, 19, ... 499 are asked for twice each. "ten" serves 10 for 1 an hour, and a unit of
 * the commitment covers one for 0.6 an hour over all 100; "seven" serves 7 for 0.9 and never pays,
 * but for it demands need not be rounded up. The n-th unit is used in 2 (51 - n) hours and pays
 * from 60 on, so 20 or 21 are bought: 20 * 60, and the hours that need n > 20 pay n - 20, in all 2
 * (1 + ... + 30) = 930: 2130. Prices of a unit of 1 in the 60 hours that need 21 or more and of 0
 * in the others prove that, whatever clusters they are in; a linear program sees n - 0.1 instances.
 */
static void hours_choose_prices_whatever_their_cluster(void **state)
{
    enum { HOURS = 100 };
    static const char *const names[] = {"p"}, *const regions[] = {"p/r"};
    static iso_decimal rates[HOURS], demand[HOURS], none[HOURS];
    static uint8_t yes[HOURS];
    static struct iso_period periods[HOURS];
    const struct iso_currency currency = {"USD", rates};
    struct iso_offering offerings[2] = {
        {.id = "ten", .zone = ISO_ANY_ZONE, .price = ISO_DECIMAL_ONE},
        {.id = "seven", .zone = ISO_ANY_ZONE, .price = 9 * ISO_DECIMAL_ONE / 10}};
    const struct iso_team team = {.id = "team"};
    const struct iso_option options[2] = {{.offering = 0, .served = 10 * ISO_DECIMAL_ONE},
                                          {.offering = 1, .served = 7 * ISO_DECIMAL_ONE}};
    const struct iso_workload workload = {.id = "w",
                                          .service = ISO_SERVICE_MUST,
                                          .demand = demand,
                                          .required = demand,
                                          .n_options = 2,
                                          .options = options};
    const struct iso_start start = {.window = yes, .hours_inside = HOURS * ISO_DECIMAL_ONE};
    const struct iso_eligible eligible = {.use = ISO_DECIMAL_ONE};
    const struct iso_product product = {.id = "year",
                                        .lot = ISO_DECIMAL_ONE,
                                        .term_hours = HOURS * ISO_DECIMAL_ONE,
                                        .fee = 6 * ISO_DECIMAL_ONE / 10,
                                        .most = -1,
                                        .existing = none,
                                        .n_starts = 1,
                                        .starts = &start,
                                        .n_eligible = 1,
                                        .eligible = &eligible,
                                        .cells = yes};
    const struct iso_problem problem = {.n_providers = 1,
                                        .provider_names = names,
                                        .n_regions = 1,
                                        .region_names = regions,
                                        .n_currencies = 1,
                                        .currencies = &currency,
                                        .n_offerings = 2,
                                        .offerings = offerings,
                                        .n_periods = HOURS,
                                        .periods = periods,
                                        .n_teams = 1,
                                        .teams = &team,
                                        .n_workloads = 1,
                                        .workloads = &workload,
                                        .n_products = 1,
                                        .products = &product,
                                        .moves = {.maximum = -1},
                                        .options = {.time_limit_s = 10, .gap = 1}};

    (void)state;
    for (int o = 0; o < 2; o++)
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            offerings[o].capacity[k] = ISO_UNKNOWN;
    for (int t = 0; t < HOURS; t++) {
        rates[t] = ISO_DECIMAL_ONE;
        demand[t] = ((t / 2 + 1) * 10 - 1) * ISO_DECIMAL_ONE;
        yes[t] = 1;
        periods[t] = (struct iso_period){.id = "hour", .hours = ISO_DECIMAL_ONE};
    }
    struct iso_plan *plan = forced_plan(&problem, ISO_STRATEGY_HORIZON, 0);
    assert_true(strategy_was_used(plan, "horizon"));
    assert_int_equal(plan->cost, 2130 * ISO_DECIMAL_ONE);
    assert_int_equal(plan->tiers[0].proof, ISO_PROOF_VALUE_FUNCTION);
    assert_true(plan->tiers[0].bound <= 2130 + 1e-6);
    assert_true(plan->tiers[0].bound >= 2130 - 1e-4);
    iso_plan_free(plan);
}

/* 12 hours that ask for 30. p's instance serves 10 for 1, q's 8 for 1; at most half may come from p
 * and 0.6 from q: m of p and n of q need 10 m <= 8 n and 8 n <= 0.6 (10 m + 8 n), so 1.25 m <= n
 * <= 1.875 m. With one of p there is no such n, with two it is three: 44 are served for 5. The
 * linear program runs 1.5 and 1.875; filling rounds both up to 2, which leaves p at 20 of 36, and
 * takes one of q more. */
static void hours_with_shares_are_filled_first_and_searched_while_there_is_time(void **state)
{
    static const char *const names[] = {"p", "q"}, *const regions[] = {"p/r", "q/r"};
    enum { HOURS = 12 };
    static iso_decimal rates[HOURS], demand[HOURS];
    static struct iso_period periods[HOURS];
    const struct iso_currency currency = {"USD", rates};
    struct iso_offering offerings[2] = {
        {.id = "p", .zone = ISO_ANY_ZONE, .price = ISO_DECIMAL_ONE},
        {.id = "q", .provider = 1, .region = 1, .zone = ISO_ANY_ZONE, .price = ISO_DECIMAL_ONE}};
    const struct iso_team team = {.id = "team"};
    const struct iso_option options[2] = {{.offering = 0, .served = 10 * ISO_DECIMAL_ONE},
                                          {.offering = 1, .served = 8 * ISO_DECIMAL_ONE}};
    static const uint8_t of_p[] = {1, 0}, of_q[] = {0, 1};
    const struct iso_share shares[2] = {
        {.id = "p", .has_maximum = true, .maximum = ISO_DECIMAL_ONE / 2, .member = of_p},
        {.id = "q", .has_maximum = true, .maximum = 6 * ISO_DECIMAL_ONE / 10, .member = of_q}};
    const struct iso_workload workload = {.id = "w",
                                          .service = ISO_SERVICE_MUST,
                                          .demand = demand,
                                          .required = demand,
                                          .n_options = 2,
                                          .options = options,
                                          .n_shares = 2,
                                          .shares = shares};
    struct iso_problem problem = {.n_providers = 2,
                                  .provider_names = names,
                                  .n_regions = 2,
                                  .region_names = regions,
                                  .n_currencies = 1,
                                  .currencies = &currency,
                                  .n_offerings = 2,
                                  .offerings = offerings,
                                  .n_periods = HOURS,
                                  .periods = periods,
                                  .n_teams = 1,
                                  .teams = &team,
                                  .n_workloads = 1,
                                  .workloads = &workload,
                                  .moves = {.maximum = -1},
                                  .options = {.time_limit_s = 10}};

    (void)state;
    for (int o = 0; o < 2; o++)
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            offerings[o].capacity[k] = ISO_UNKNOWN;
    for (int t = 0; t < HOURS; t++) {
        rates[t] = ISO_DECIMAL_ONE;
        demand[t] = 30 * ISO_DECIMAL_ONE;
        periods[t] = (struct iso_period){.id = "hour", .hours = ISO_DECIMAL_ONE};
    }
    for (int first = 0; first < 2; first++) {
        problem.options.gap = first; /* 1: the first plan is enough */
        struct iso_plan *plan = forced_plan(&problem, ISO_STRATEGY_HORIZON, 0);
        assert_true(strategy_was_used(plan, "horizon"));
        assert_int_equal(plan->cost, HOURS * 5 * ISO_DECIMAL_ONE);
        iso_plan_free(plan);
    }
}

static void plans_and_bounds_enclose_the_optimum(void **state)
{
    int n_used = 0, n_optimal = 0;
    double worst = 0, sum = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= N_PROBLEMS; seed++) {
        struct random_problem *random = random_problem_new(seed);
        simplify(random);
        if (seed % 2)
            share_periods(random);
        struct iso_plan *exact = forced_plan(&random->problem, ISO_STRATEGY_PLAIN_MIP, seed);
        struct iso_plan *plan = forced_plan(&random->problem, ISO_STRATEGY_HORIZON, seed);
        assert_int_equal(plan->has_solution, exact->has_solution);
        if (plan->has_solution && strategy_was_used(plan, "horizon")) {
            double best = value_of(exact), slack = 1e-6 * (1 + fabs(best));
            n_used++;
            n_optimal += value_of(plan) <= best + slack;
            worst = fmax(worst, best > 0 ? value_of(plan) / best - 1 : 0);
            sum += best > 0 ? value_of(plan) / best - 1 : 0;
            if (exact->reason == ISO_REASON_OPTIMAL &&
                (value_of(plan) < best - slack || plan->tiers[0].bound > best + slack))
                fail_msg("seed %llu: %.9g, at least %.9g; the optimum is %.9g",
                         (unsigned long long)seed, value_of(plan), plan->tiers[0].bound, best);
        }
        iso_plan_free(plan);
        iso_plan_free(exact);
        random_problem_free(random);
    }
    print_message("%d plans, %d of them optimal; %.3f %% above the optimum, at worst %.3f %%\n",
                  n_used, n_optimal, 100 * sum / n_used, 100 * worst);
    assert_true(n_used > N_PROBLEMS / 4);
}

/* Whatever leads and multipliers say, what they prove is no more than the plan costs, or they are
 * refused. Gives how many bounds were proved. */
static int spoil(const struct iso_problem *problem, struct random_problem *random,
                 struct iso_plan *plan)
{
    int n_bounds = 0;

    for (int round = 0; round < 20; round++) {
        struct iso_error error = {0};
        struct iso_verifier v = {.problem = problem, .plan = plan, .reterr = &error};
        struct iso_lead *lead = &plan->leads[random_below(random, plan->n_leads)];
        struct iso_dual *dual = &plan->duals[random_below(random, plan->n_duals)];
        int32_t saved = lead->period;
        double value = dual->value, bound;
        lead->period += (int32_t)random_below(random, 4) - 1;
        dual->value *= 0.5 + 0.25 * (double)random_below(random, 8);
        assert_int_equal(iso_verify_read(&v), ISO_OK);
        assert_int_equal(iso_verify_tabulate(&v), ISO_OK);
        if (iso_verify_leads(&v) == ISO_OK &&
            iso_verify_dual_bound(&v, 0, false, &bound) == ISO_OK) {
            n_bounds++;
            assert_true(bound <= plan->tiers[0].value + 1e-7 * (1 + plan->tiers[0].value));
        }
        iso_verify_fini(&v);
        lead->period = saved;
        dual->value = value;
    }
    return n_bounds;
}

static void spoilt_leads_prove_no_more_than_a_plan_costs(void **state)
{
    int n_bounds = 0, n_shared = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= N_PROBLEMS; seed++) {
        struct random_problem *random = random_problem_new(seed);
        simplify(random);
        share_periods(random);
        random->problem.options.gap = 1; /* the first plan, whose clusters are few, is enough */
        struct iso_plan *plan = forced_plan(&random->problem, ISO_STRATEGY_HORIZON, seed);
        if (plan->has_solution && plan->n_leads > 1 && plan->n_duals > 0) {
            for (int32_t t = 0; t < plan->n_leads; t++)
                n_shared += plan->leads[t].period != t;
            n_bounds += spoil(&random->problem, random, plan);
        }
        iso_plan_free(plan);
        random_problem_free(random);
    }
    print_message("%d bounds, %d periods that another one leads\n", n_bounds, n_shared);
    assert_true(n_bounds > 200);
    assert_true(n_shared > 10);
}

/* 24 * 50,000 and 401 * 50,001 columns are many; a share keeps tables out. */
static void few_periods_with_very_many_columns_go_to_column_generation(void **state)
{
    static const struct {
        int32_t n_periods, n_options;
        enum iso_strategy strategy;
    } cases[] = {
        {24, 50000, ISO_STRATEGY_HORIZON},
        {24, 50001, ISO_STRATEGY_COLUMNS},
        {401, 50001, ISO_STRATEGY_HORIZON},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct iso_workload workload = {
            .service = ISO_SERVICE_MUST, .n_options = cases[i].n_options, .n_shares = 1};
        struct iso_problem problem = {
            .n_periods = cases[i].n_periods, .n_workloads = 1, .workloads = &workload};
        assert_int_equal(iso_choose_strategy(&problem).strategy, cases[i].strategy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_periods_with_very_many_columns_go_to_column_generation),
        cmocka_unit_test(what_is_held_goes_to_the_workload_that_it_fits),
        cmocka_unit_test(a_cap_that_is_in_the_way_is_dealt_out_too),
        cmocka_unit_test(whole_instances_prove_more_than_a_linear_program),
        cmocka_unit_test(what_is_bought_follows_the_hours_and_not_their_mean),
        cmocka_unit_test(hours_choose_prices_whatever_their_cluster),
        cmocka_unit_test(hours_with_shares_are_filled_first_and_searched_while_there_is_time),
        cmocka_unit_test(plans_and_bounds_enclose_the_optimum),
        cmocka_unit_test(spoilt_leads_prove_no_more_than_a_plan_costs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

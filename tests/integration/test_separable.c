/* Covering tables: by hand, and on small problems against the plain tree. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../support/forced_solve.h"
#include "../support/random_problem.h"

#define N_PROBLEMS 400
#define D(number) ((iso_decimal)((number)*1e9))

/* --- by hand ---
 *
 * Three hours with demands 2, 7 and 4. Options: "two" serves 2 at 1.00, "five" serves 5 at 2.20, so
 * the step is 1 and  G: 0 | 1 1 2 2 2.2 | 3.2 3.2 4.2 ...  (1..2: a two; 3..4: two of them; 5: a
 * five; 6..7: five and two). Without commitments: 1 + 3.2 + 2 = 6.2.
 *
 * A unit that covers one "two" costs 1.8 for the three hours: a hold of S = 2 steps leaves 0, 5 and
 * 2: 1.8 + 0 + 2.2 + 1 = 5; two units leave 0, 3 and 0: 3.6 + 0 + 2 + 0 = 5.6; none: 6.2. Units for
 * "five" at 4.5: S = 5 leaves 0, 2, 0: 4.5 + 1 = 5.5; with one of each 6.3. The least is 5. */

static uint8_t all_hours[] = {1, 1, 1}, own_cell[] = {1, 0};
static iso_decimal ones[] = {D(1), D(1), D(1)}, demands[] = {D(2), D(7), D(4)}, none[3];
static struct iso_start start = {0, all_hours, D(3)};
static struct iso_eligible two_is_eligible = {0, D(1)}, five_is_eligible = {1, D(1)};
static struct iso_product products[] = {{.id = "hold two",
                                         .lot = D(1),
                                         .term_hours = D(3),
                                         .fee = D(0.6),
                                         .most = -1,
                                         .existing = none,
                                         .n_starts = 1,
                                         .n_eligible = 1,
                                         .starts = &start,
                                         .eligible = &two_is_eligible,
                                         .cells = own_cell},
                                        {.id = "hold five",
                                         .lot = D(1),
                                         .term_hours = D(3),
                                         .upfront = D(4.5),
                                         .most = -1,
                                         .existing = none,
                                         .n_starts = 1,
                                         .n_eligible = 1,
                                         .starts = &start,
                                         .eligible = &five_is_eligible,
                                         .cells = own_cell}};
static struct iso_option options[] = {{0, D(2), 0}, {1, D(5), 0}};
static struct iso_workload workload = {
    .id = "w", .demand = demands, .required = demands, .n_options = 2, .options = options};
static const char *const provider = "p", *const region = "p/r", *const zone = "p/r/z";
static const int32_t zone_region;
static struct iso_currency dollar = {"USD", ones};
static struct iso_team team = {.id = "t"};
static struct iso_period hours[] = {
    {"a", D(1), false, 0}, {"b", D(1), false, 0}, {"c", D(1), false, 0}};
#define UNKNOWNS                                                                                   \
    {                                                                                              \
        ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, \
            ISO_UNKNOWN                                                                            \
    }
static struct iso_offering offerings[] = {{"two", 0, 0, 0, 0, false, D(1), UNKNOWNS},
                                          {"five", 0, 0, 0, 0, false, D(2.2), UNKNOWNS}};

static struct iso_problem by_hand(void)
{
    return (struct iso_problem){.n_providers = 1,
                                .provider_names = &provider,
                                .n_regions = 1,
                                .region_names = &region,
                                .n_zones = 1,
                                .zone_names = &zone,
                                .zone_region = &zone_region,
                                .n_currencies = 1,
                                .currencies = &dollar,
                                .n_offerings = 2,
                                .offerings = offerings,
                                .n_periods = 3,
                                .periods = hours,
                                .n_teams = 1,
                                .teams = &team,
                                .n_workloads = 1,
                                .workloads = &workload,
                                .n_products = 2,
                                .products = products,
                                .moves = {.maximum = -1},
                                .options = {.time_limit_s = 10}};
}

static void reservations_and_instances_cover_demand_at_least_cost(void **state)
{
    struct iso_problem problem = by_hand();
    struct iso_plan *plan = forced_exact_plan(&problem, ISO_STRATEGY_SEPARABLE, 0);

    (void)state;
    assert_true(strategy_was_used(plan, "separable"));
    assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
    assert_int_equal(plan->cost, D(5));
    assert_int_equal(plan->tiers[0].proof, ISO_PROOF_VALUE_FUNCTION);
    assert_int_equal(plan->n_purchases, 1);
    assert_int_equal(plan->purchases[0].product, 0);
    assert_int_equal(plan->purchases[0].quantity, 1);
    iso_plan_free(plan);

    problem.n_products = 0;
    plan = forced_exact_plan(&problem, ISO_STRATEGY_SEPARABLE, 0);
    assert_true(strategy_was_used(plan, "separable"));
    assert_int_equal(plan->cost, D(6.2));
    iso_plan_free(plan);
}

/* One unit for "two" is there already, without a fee: what is left is 0, 5 and 2: 2.2 + 1. */
static void what_is_held_covers_before_anything_is_bought(void **state)
{
    struct iso_product held[] = {products[0], products[1]};
    struct iso_problem problem = by_hand();

    (void)state;
    held[0].existing = ones;
    held[0].fee = 0;
    held[0].most = 0;
    held[1].most = 0;
    problem.products = held;
    struct iso_plan *plan = forced_exact_plan(&problem, ISO_STRATEGY_SEPARABLE, 0);
    assert_true(strategy_was_used(plan, "separable"));
    assert_int_equal(plan->cost, D(3.2));
    iso_plan_free(plan);
}

/* A cap of one instance of "five" holds by itself: the plan needs one. A cap of none does not, so
 * the tables step aside and the search finds the twos: hold one, then 0, 5 -> 3 twos, 2 -> 1 two:
 * 1.8 + 3 + 1 = 5.8; hold two: 3.6 + 2 = 5.6; hold three: 5.4 + 1 = 6.4. */
static void a_limit_in_the_way_is_left_to_the_search(void **state)
{
    const struct iso_limit_term term = {1, D(1)};
    struct iso_limit limit = {
        .id = "fives", .bound = D(1), .periods = all_hours, .n_terms = 1, .terms = &term};
    struct iso_problem problem = by_hand();

    (void)state;
    problem.n_limits = 1;
    problem.limits = &limit;
    struct iso_plan *plan = forced_exact_plan(&problem, ISO_STRATEGY_SEPARABLE, 0);
    assert_true(strategy_was_used(plan, "separable"));
    assert_int_equal(plan->cost, D(5));
    iso_plan_free(plan);

    limit.bound = 0;
    plan = forced_exact_plan(&problem, ISO_STRATEGY_SEPARABLE, 0);
    assert_false(strategy_was_used(plan, "separable"));
    assert_int_equal(plan->cost, D(5.6));
    iso_plan_free(plan);
}

/* --- against the plain tree --- */

/* Leaves what the tables serve: each product for one option of one workload. The arrays behind a
 * random problem's const pointers are not const. */
static void simplify(struct random_problem *random)
{
    struct iso_problem *problem = &random->problem;
    struct iso_workload *workloads = (struct iso_workload *)problem->workloads;
    struct iso_limit *limits = (struct iso_limit *)problem->limits;
    struct iso_product *some = (struct iso_product *)problem->products;

    problem->n_budgets = 0;
    memset(&problem->moves, 0, sizeof(problem->moves));
    problem->moves.maximum = -1;
    problem->n_scenarios = 0;
    problem->tail_weight = 0;
    for (int32_t l = 0; l < problem->n_limits; l++) {
        limits[l].policy = ISO_POLICY_HARD;
        limits[l].minimum = false;
    }
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        struct iso_option *mine = (struct iso_option *)workloads[a].options;
        workloads[a].n_shares = workloads[a].n_survive = workloads[a].n_spread = 0;
        workloads[a].n_affinities = 0;
        workloads[a].ramp = NULL;
        workloads[a].service = ISO_SERVICE_MUST;
        workloads[a].fair = false;
        for (int32_t i = 0; i < workloads[a].n_options; i++) {
            mine[i].most = 0;
            mine[i].served = (1 + random_below(random, 9)) * ISO_DECIMAL_ONE / 2;
        }
        workloads[a].replicas = false;
    }
    for (int32_t c = 0; c < problem->n_products; c++) {
        uint8_t *cells = (uint8_t *)some[c].cells;
        memset(cells, 0, (size_t)iso_problem_n_cells(problem));
        cells[random_below(random, problem->n_workloads)] = 1;
        if (some[c].n_eligible > 0) {
            some[c].n_eligible = 1;
            some[c].lot =
                ((struct iso_eligible *)some[c].eligible)[0].use * (1 + random_below(random, 2));
        }
        for (int32_t t = 0; t < problem->n_periods; t++)
            ((iso_decimal *)some[c].existing)[t] = random_below(random, 2) * ISO_DECIMAL_ONE;
        for (int32_t s = 0; s < some[c].n_starts; s++)
            memset((uint8_t *)some[c].starts[s].window, 1, (size_t)problem->n_periods);
    }
}

static void tables_find_what_the_tree_finds(void **state)
{
    int n_used = 0, n_bought = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= N_PROBLEMS; seed++) {
        struct random_problem *random = random_problem_new(seed);
        simplify(random);
        struct iso_error error = {0};
        if (iso_problem_check(&random->problem, &error) != ISO_OK) {
            random_problem_free(random); /* hours of a term that no longer add up */
            continue;
        }
        struct iso_plan *exact = forced_exact_plan(&random->problem, ISO_STRATEGY_PLAIN_MIP, seed);
        struct iso_plan *plan = forced_exact_plan(&random->problem, ISO_STRATEGY_SEPARABLE, seed);
        assert_int_equal(plan->has_solution, exact->has_solution);
        if (plan->has_solution && strategy_was_used(plan, "separable")) {
            double best = iso_decimal_to_double(exact->cost);
            n_used++;
            n_bought += plan->n_purchases > 0;
            assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
            if (fabs(iso_decimal_to_double(plan->cost) - best) > 1e-6 * (1 + best))
                fail_msg("seed %llu: %.9g; the tree finds %.9g", (unsigned long long)seed,
                         iso_decimal_to_double(plan->cost), best);
        }
        iso_plan_free(plan);
        iso_plan_free(exact);
        random_problem_free(random);
    }
    print_message("%d plans by tables, %d of them buy\n", n_used, n_bought);
    assert_true(n_used > N_PROBLEMS / 8);
    assert_true(n_bought > 10);
}

/* What the plain tree pays more when at least one instance of the runner-up must run. */
static double forcing_costs(const struct iso_problem *problem, const struct iso_plan *plan,
                            const struct iso_runner_up *row, uint64_t seed)
{
    const struct iso_limit_term term = {row->offering, ISO_DECIMAL_ONE};
    ISO_AUTO_MEM uint8_t *periods = iso_calloc((size_t)problem->n_periods, 1);
    struct iso_problem forced = *problem;

    assert_non_null(periods);
    periods[row->period] = 1;
    const struct iso_limit one = {.id = "one",
                                  .minimum = true,
                                  .bound = ISO_DECIMAL_ONE,
                                  .periods = periods,
                                  .n_terms = 1,
                                  .terms = &term};
    forced.n_limits = 1;
    forced.limits = &one;
    ISO_AUTO(iso_plan) dearer = forced_exact_plan(&forced, ISO_STRATEGY_PLAIN_MIP, seed);
    assert_true(dearer->has_solution);
    return iso_decimal_to_double(dearer->cost) - iso_decimal_to_double(plan->cost);
}

static void reduced_costs_are_what_forcing_a_runner_up_costs(void **state)
{
    int n_forced = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= N_PROBLEMS; seed++) {
        struct random_problem *random = random_problem_new(seed);
        struct iso_problem *problem = &random->problem;
        struct iso_error error = {0};
        simplify(random);
        problem->n_limits = problem->n_products = 0;
        problem->n_workloads = 1; /* a limit is of all workloads */
        problem->options.want = ISO_WANT_RUNNERS_UP;
        problem->options.gap = 0;
        if (iso_problem_check(problem, &error) == ISO_OK) {
            ISO_AUTO(iso_plan) plan = forced_plan(problem, ISO_STRATEGY_SEPARABLE, seed);
            for (int32_t i = 0; i < plan->n_runners_up && plan->runners_up[i].resolved; i++) {
                double dearer = forcing_costs(problem, plan, &plan->runners_up[i], seed);
                if (fabs(dearer - plan->runners_up[i].reduced_cost) > 1e-6)
                    fail_msg("seed %llu, line %d: %.9g, not %.9g", (unsigned long long)seed, i,
                             dearer, plan->runners_up[i].reduced_cost);
                n_forced++;
            }
        }
        random_problem_free(random);
    }
    print_message("%d runners-up were forced\n", n_forced);
    assert_true(n_forced > N_PROBLEMS / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reservations_and_instances_cover_demand_at_least_cost),
        cmocka_unit_test(what_is_held_covers_before_anything_is_bought),
        cmocka_unit_test(a_limit_in_the_way_is_left_to_the_search),
        cmocka_unit_test(tables_find_what_the_tree_finds),
        cmocka_unit_test(reduced_costs_are_what_forcing_a_runner_up_costs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Shared commitments of few workloads: by hand, against all purchases one by one, and on small
 * problems against the plain tree. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../support/forced_solve.h"
#include "../support/random_problem.h"

#define N_PROBLEMS 600
#define D(number) ((iso_decimal)((number)*1e9))

/* --- by hand ---
 *
 * Three hours; workload "one" needs 2, 7 and 4, workload "other" 5, 0 and 3. Both may run "two",
 * which serves 2 at 1.00, and "five", which serves 5 at 2.20. Covering by whole instances costs
 *
 *     q      1 2 | 3 4 | 5   | 6 7 | 8 9
 *     G(q)     1 |  2  | 2.2 | 3.2 | 4.2
 *
 * A unit of "hold five" covers one "five" of either workload for 3.3 in all. With y units:
 *   y = 0: one 1 + 3.2 + 2 = 6.2, other 2.2 + 0 + 2 = 4.2: 10.4.
 *   y = 1: hour a: the unit for "other" leaves 1 (for "one" it leaves 2.2); hour b: G(2) = 1; hour
 *          c: it serves either whole, the other workload pays 2. 3.3 + 1 + 1 + 2 = 7.3.
 *   y = 2: hour a: 0; hour b: 7 - 10 < 0: 0; hour c: 0. 6.6 + 0 = 6.6.
 *   y = 3: 9.9.
 * The least is 6.6; with at most one unit 7.3. */

static uint8_t all_hours[] = {1, 1, 1}, both_cells[] = {1, 1, 0};
static uint8_t last_hours[] = {0, 1, 1};
static iso_decimal ones[] = {D(1), D(1), D(1)}, none[3];
static iso_decimal one_needs[] = {D(2), D(7), D(4)}, other_needs[] = {D(5), D(0), D(3)};
static struct iso_start starts[] = {{0, all_hours, D(3)}, {1, last_hours, D(2)}};
static struct iso_eligible five_is_eligible = {1, D(1)};
static struct iso_product hold_five = {.id = "hold five",
                                       .lot = D(1),
                                       .term_hours = D(3),
                                       .fee = D(1.1),
                                       .most = -1,
                                       .existing = none,
                                       .n_starts = 1,
                                       .n_eligible = 1,
                                       .starts = starts,
                                       .eligible = &five_is_eligible,
                                       .cells = both_cells};
static struct iso_option options[] = {{0, D(2), 0}, {1, D(5), 0}};
static struct iso_workload workloads[] = {
    {.id = "one", .demand = one_needs, .required = one_needs, .n_options = 2, .options = options},
    {.id = "other",
     .demand = other_needs,
     .required = other_needs,
     .n_options = 2,
     .options = options}};
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

static struct iso_problem by_hand(const struct iso_product *product)
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
                                .n_workloads = 2,
                                .workloads = workloads,
                                .n_products = 1,
                                .products = product,
                                .moves = {.maximum = -1},
                                .options = {.time_limit_s = 10}};
}

static void workloads_share_what_is_bought_hour_by_hour(void **state)
{
    struct iso_product product = hold_five;
    struct iso_problem problem = by_hand(&product);
    struct iso_plan *plan = forced_exact_plan(&problem, ISO_STRATEGY_LATTICE, 0);

    (void)state;
    assert_true(strategy_was_used(plan, "lattice"));
    assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
    assert_int_equal(plan->cost, D(6.6));
    assert_int_equal(plan->n_purchases, 1);
    assert_int_equal(plan->purchases[0].quantity, 2);
    iso_plan_free(plan);

    product.most = 1;
    plan = forced_exact_plan(&problem, ISO_STRATEGY_LATTICE, 0);
    assert_true(strategy_was_used(plan, "lattice"));
    assert_int_equal(plan->cost, D(7.3));
    iso_plan_free(plan);
}

/* One unit is held in hours a and b, without more to buy: hour a 1, hour b 1, hour c 2 + 2. The
 * fee of what is held, 1.1 an hour, is paid too: 6 + 2.2. */
static void what_is_held_may_vary_over_time(void **state)
{
    iso_decimal held[] = {D(1), D(1), D(0)};
    struct iso_product product = hold_five;
    struct iso_problem problem = by_hand(&product);

    (void)state;
    product.existing = held;
    product.most = 0;
    struct iso_plan *plan = forced_exact_plan(&problem, ISO_STRATEGY_LATTICE, 0);
    assert_true(strategy_was_used(plan, "lattice"));
    assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
    assert_int_equal(plan->cost, D(82) / 10);
    iso_plan_free(plan);
}

/* A start in hour b costs 2.2 and covers b and c. Units from a / from b:
 *   0/0 10.4;  1/0 7.3;  2/0 6.6;  0/1: 1 + 2.2 + 1 + 2 + 2.2 = 8.4;  0/2: 3.2 + 4.4 = 7.6;
 *   1/1: hour a 1, b and c 0: 1 + 3.3 + 2.2 = 6.5;  1/2, 2/1: more.
 * The least is 6.5. */
static void a_term_may_start_later(void **state)
{
    struct iso_product product = hold_five;
    struct iso_problem problem = by_hand(&product);

    (void)state;
    product.n_starts = 2;
    struct iso_plan *plan = forced_exact_plan(&problem, ISO_STRATEGY_LATTICE, 0);
    assert_true(strategy_was_used(plan, "lattice"));
    assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
    assert_int_equal(plan->cost, D(6.5));
    assert_int_equal(plan->n_purchases, 2);
    iso_plan_free(plan);
}

/* In hour c "two" costs 0.4: G(3) = G(4) = 0.8 there. y = 0: 6.2 + 4.2 - 2 * 1.2 = 8; y = 1: 1 + 1
 * + 0.8 + 3.3 = 6.1; y = 2: 6.6. The least is 6.1. */
static void prices_may_change_from_hour_to_hour(void **state)
{
    const struct iso_price_exception cheap = {0, 2, D(0.4)};
    struct iso_problem problem = by_hand(&hold_five);

    (void)state;
    problem.n_price_exceptions = 1;
    problem.price_exceptions = &cheap;
    struct iso_plan *plan = forced_exact_plan(&problem, ISO_STRATEGY_LATTICE, 0);
    assert_true(strategy_was_used(plan, "lattice"));
    assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
    assert_int_equal(plan->cost, D(6.1));
    iso_plan_free(plan);
}

/* A cap of two instances of "five" holds in the best plan; a cap of one does not, and the search
 * takes over. At most one "five" runs at a time; "one" in hour b then needs a five and a two or
 * four twos. y = 0: hour a 1 + 2.2, b 3.2, c 4: 10.4; y = 1 runs one five: 7.3 as above; y = 2: no
 * better than y = 1 without the second: 7.3 + 3.3. The least is 7.3. */
static void a_limit_in_the_way_is_left_to_others(void **state)
{
    const struct iso_limit_term term = {1, D(1)};
    struct iso_limit limit = {
        .id = "fives", .bound = D(2), .periods = all_hours, .n_terms = 1, .terms = &term};
    struct iso_problem problem = by_hand(&hold_five);

    (void)state;
    problem.n_limits = 1;
    problem.limits = &limit;
    struct iso_plan *plan = forced_exact_plan(&problem, ISO_STRATEGY_LATTICE, 0);
    assert_true(strategy_was_used(plan, "lattice"));
    assert_int_equal(plan->cost, D(6.6));
    iso_plan_free(plan);

    limit.bound = D(1);
    plan = forced_exact_plan(&problem, ISO_STRATEGY_LATTICE, 0);
    assert_false(strategy_was_used(plan, "lattice"));
    assert_int_equal(plan->cost, D(7.3));
    iso_plan_free(plan);
}

/* --- against all purchases --- */

#define N_HOURS 40
#define N_APPS 3
#define N_TYPES 3
#define MOST_UNITS 12

struct year {
    iso_decimal demand[N_APPS][N_HOURS], ones[N_HOURS], none[N_HOURS];
    uint8_t always[N_HOURS], cells[N_APPS + 1];
    struct iso_period periods[N_HOURS];
    struct iso_option options[N_APPS][N_TYPES];
    struct iso_workload workloads[N_APPS];
    struct iso_offering offerings[N_TYPES];
    struct iso_eligible eligible[N_TYPES];
    struct iso_start start;
    struct iso_currency currency;
    struct iso_product products[N_TYPES];
    struct iso_problem problem;
    int size[N_APPS][N_TYPES], need[N_APPS][N_HOURS];
};

/* Sizes are small whole numbers, demand up to about twenty of them; fees are 0.6 of the price. */
static void make_year(struct year *year, struct random_problem *random)
{
    static const char *const names[] = {"a", "b", "c"};

    *year = (struct year){.problem = by_hand(NULL)};
    year->start = (struct iso_start){0, year->always, N_HOURS * D(1)};
    year->currency = (struct iso_currency){"USD", year->ones};
    for (int t = 0; t < N_HOURS; t++) {
        year->ones[t] = D(1);
        year->always[t] = 1;
        year->periods[t] = (struct iso_period){"hour", D(1), false, 0};
    }
    for (int i = 0; i < N_TYPES; i++) {
        year->offerings[i] = offerings[0];
        year->offerings[i].id = names[i];
        year->offerings[i].price = (50 + random_below(random, 50)) * (i + 1) * D(0.01);
        year->eligible[i] = (struct iso_eligible){i, D(1)};
        year->products[i] = hold_five;
        year->products[i].id = names[i];
        year->products[i].term_hours = N_HOURS * D(1);
        year->products[i].fee = year->offerings[i].price * 6 / 10;
        year->products[i].existing = year->none;
        year->products[i].starts = &year->start;
        year->products[i].eligible = &year->eligible[i];
        year->products[i].cells = year->cells;
        year->products[i].most = MOST_UNITS;
    }
    for (int a = 0; a < N_APPS; a++) {
        year->cells[a] = 1;
        for (int i = 0; i < N_TYPES; i++) {
            year->size[a][i] = (i + 1) * 3 + (int)random_below(random, 3);
            year->options[a][i] = (struct iso_option){i, year->size[a][i] * D(1), 0};
        }
        for (int t = 0; t < N_HOURS; t++) {
            year->need[a][t] = 3 + (int)random_below(random, 18);
            year->demand[a][t] = year->need[a][t] * D(1);
        }
        year->workloads[a] = workloads[0];
        year->workloads[a].id = names[a];
        year->workloads[a].demand = year->workloads[a].required = year->demand[a];
        year->workloads[a].n_options = N_TYPES;
        year->workloads[a].options = year->options[a];
    }
    year->problem.currencies = &year->currency;
    year->problem.n_offerings = year->problem.n_products = N_TYPES;
    year->problem.offerings = year->offerings;
    year->problem.products = year->products;
    year->problem.n_workloads = N_APPS;
    year->problem.workloads = year->workloads;
    year->problem.n_periods = N_HOURS;
    year->problem.periods = year->periods;
}

/* What an hour costs: each held instance goes to some workload, or to none; then the rest is
 * covered by paid instances, the cheapest cover found by trying every first instance. */
static double paid[N_APPS][64]; /* of each demand left */

static double hour_cost(const struct year *year, const int *left, int type, const int *held)
{
    double best = INFINITY;

    if (type == N_TYPES) {
        double sum = 0;
        for (int a = 0; a < N_APPS; a++)
            sum += paid[a][left[a] > 0 ? left[a] : 0];
        return sum;
    }
    for (int first = 0; first <= held[type]; first++)
        for (int second = 0; first + second <= held[type]; second++) {
            int given[] = {first, second, held[type] - first - second}, rest[N_APPS];
            for (int a = 0; a < N_APPS; a++)
                rest[a] = left[a] - given[a] * year->size[a][type];
            best = fmin(best, hour_cost(year, rest, type + 1, held));
        }
    return best;
}

static double year_cost(const struct year *year, const int *held)
{
    double sum = 0;

    for (int i = 0; i < N_TYPES; i++)
        sum += N_HOURS * held[i] * iso_decimal_to_double(year->products[i].fee);
    for (int t = 0; t < N_HOURS; t++) {
        int left[N_APPS];
        for (int a = 0; a < N_APPS; a++)
            left[a] = year->need[a][t];
        sum += hour_cost(year, left, 0, held);
    }
    return sum;
}

static double least_of_all_purchases(const struct year *year)
{
    double best = INFINITY;
    int held[N_TYPES];

    for (int a = 0; a < N_APPS; a++)
        for (int q = 1; q < 64; q++) {
            paid[a][q] = INFINITY;
            for (int i = 0; i < N_TYPES; i++) {
                int rest = q - year->size[a][i];
                paid[a][q] = fmin(paid[a][q], iso_decimal_to_double(year->offerings[i].price) +
                                                  paid[a][rest > 0 ? rest : 0]);
            }
        }
    for (held[0] = 0; held[0] <= MOST_UNITS; held[0]++)
        for (held[1] = 0; held[1] <= MOST_UNITS; held[1]++)
            for (held[2] = 0; held[2] <= MOST_UNITS; held[2]++)
                if (held[0] + held[1] + held[2] <= MOST_UNITS) /* few enough */
                    best = fmin(best, year_cost(year, held));
    return best;
}

/* All purchases of at most MOST_UNITS units are tried; that the plan needs fewer is asserted, and
 * each unit more only costs. */
static void the_least_of_all_purchases_is_found(void **state)
{
    static struct year year;
    int n_bought = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct random_problem *random = random_problem_new(seed);
        make_year(&year, random);
        struct iso_plan *plan = forced_exact_plan(&year.problem, ISO_STRATEGY_LATTICE, seed);
        double best = least_of_all_purchases(&year), cost = iso_decimal_to_double(plan->cost);
        int64_t units = 0;
        for (int32_t i = 0; i < plan->n_purchases; i++)
            units += plan->purchases[i].quantity;
        n_bought += units > 0;
        assert_true(strategy_was_used(plan, "lattice"));
        assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
        assert_true(units < MOST_UNITS);
        if (fabs(cost - best) > 1e-6 * best)
            fail_msg("seed %llu: %.9g; of all purchases the least is %.9g",
                     (unsigned long long)seed, cost, best);
        assert_true(plan->tiers[0].checked_bound <= best * (1 + 1e-9));
        assert_true(plan->tiers[0].checked_bound >= best * 0.9);
        iso_plan_free(plan);
        random_problem_free(random);
    }
    assert_true(n_bought > 3);
}

/* --- against the plain tree --- */

/* Leaves what is served here: each product covers one option of the workloads that it is for, whole
 * instances at a time. The arrays behind a random problem's const pointers are not const. */
static void simplify(struct random_problem *random)
{
    struct iso_problem *problem = &random->problem;
    struct iso_workload *all = (struct iso_workload *)problem->workloads;
    struct iso_limit *limits = (struct iso_limit *)problem->limits;
    struct iso_product *some = (struct iso_product *)problem->products;

    problem->n_budgets = 0;
    problem->n_volumes = 0;
    memset(&problem->moves, 0, sizeof(problem->moves));
    problem->moves.maximum = -1;
    for (int32_t l = 0; l < problem->n_limits; l++) {
        limits[l].policy = ISO_POLICY_HARD;
        limits[l].minimum = limits[l].or_nothing = false;
    }
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        struct iso_option *mine = (struct iso_option *)all[a].options;
        all[a].n_shares = all[a].n_survive = all[a].n_spread = 0;
        all[a].n_affinities = all[a].n_traffic = 0;
        all[a].ramp = NULL;
        all[a].service = ISO_SERVICE_MUST;
        for (int32_t i = 0; i < all[a].n_options; i++) {
            mine[i].most = 0;
            mine[i].served = (1 + random_below(random, 9)) * ISO_DECIMAL_ONE / 2;
        }
        all[a].replicas = false;
    }
    for (int32_t c = 0; c < problem->n_products; c++) {
        uint8_t *cells = (uint8_t *)some[c].cells;
        memset(cells, 0, (size_t)iso_problem_n_cells(problem));
        for (int32_t a = 0; a < problem->n_workloads; a++)
            cells[a] = random_below(random, 4) > 0;
        some[c].spend = false;
        if (some[c].n_eligible > 0) {
            some[c].n_eligible = 1;
            some[c].lot =
                ((struct iso_eligible *)some[c].eligible)[0].use * (1 + random_below(random, 2));
        }
        for (int32_t t = 0; t < problem->n_periods; t++)
            ((iso_decimal *)some[c].existing)[t] = random_below(random, 2) * ISO_DECIMAL_ONE;
    }
}

static void the_tree_finds_nothing_cheaper(void **state)
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
        struct iso_plan *plan = forced_exact_plan(&random->problem, ISO_STRATEGY_LATTICE, seed);
        assert_int_equal(plan->has_solution, exact->has_solution);
        if (plan->has_solution && strategy_was_used(plan, "lattice")) {
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
    print_message("%d plans, %d of them buy\n", n_used, n_bought);
    assert_true(n_used > 50);
    assert_true(n_bought > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workloads_share_what_is_bought_hour_by_hour),
        cmocka_unit_test(what_is_held_may_vary_over_time),
        cmocka_unit_test(a_term_may_start_later),
        cmocka_unit_test(prices_may_change_from_hour_to_hour),
        cmocka_unit_test(a_limit_in_the_way_is_left_to_others),
        cmocka_unit_test(the_least_of_all_purchases_is_found),
        cmocka_unit_test(the_tree_finds_nothing_cheaper),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

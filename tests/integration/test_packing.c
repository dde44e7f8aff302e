/* Packing of replica workloads: small models by hand, and the strategy forced on random problems
 * against the plain tree. */
#include "../support/solved_fixture.h"

#include "../support/forced_solve.h"
#include "../support/random_problem.h"

#define N_PROBLEMS 300

#define OFFER(type, vcpu, memory, price)                                       \
    "    - {provider: aws, type: " type ", purchase: on-demand, price: " price \
    " USD, resources: {vcpu: " vcpu ", memory_gib: " memory "}}\n"
#define ZONED(zone, price)                                                                         \
    "    - {provider: aws, region: r, zone: " zone ", type: t, purchase: on-demand, price: " price \
    " USD, resources: {vcpu: 4, memory_gib: 8}}\n"
#define HOUR "periods: [{id: hour, hours: 1}]\noptions: {gap: 0}\n"
#define COPIES(id, count, vcpu, memory)                                                       \
    "  - {id: " id ", must_serve: true, replicas: {count: " count ", resources: {vcpu: " vcpu \
    ", memory_gib: " memory "}}}\n"

/* The same cost by both strategies, proved by each. */
static void both_cost(const char *yaml, double cost)
{
    static const enum iso_strategy strategies[] = {ISO_STRATEGY_PATTERNS, ISO_STRATEGY_PLAIN_MIP};
    struct fixture f;

    fixture_good(&f, yaml, NULL);
    for (size_t s = 0; s < ISO_ARRAY_LENGTH(strategies); s++) {
        ISO_AUTO(iso_plan) plan = forced_exact_plan(f.problem, strategies[s], s);
        assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
        if (fabs(iso_decimal_to_double(plan->cost) - cost) > 1e-9)
            fail_msg("costs %.9g, not %.9g", iso_decimal_to_double(plan->cost), cost);
    }
    fixture_fini(&f);
}

/* A "wide" holds 4 vCPU and 8 GiB at 1.00. Three copies of a (3 vCPU, 2 GiB) and three of b (1
 * vCPU, 6 GiB) go in pairs, each of which fills a "wide": 3.00. Two copies of one kind do not fit
 * (6 vCPU; 12 GiB), so less than three is not possible either. */
static void copies_share_instances_where_they_complete_each_other(void **state)
{
    (void)state;
    both_cost("catalog:\n  offerings:\n" OFFER("wide", "4", "8", "1") HOUR
              "workloads:\n" COPIES("a", "3", "3", "2") COPIES("b", "3", "1", "6"),
              3);
}

/* A copy takes 2 vCPU and 2 GiB. A "small" (2, 2) holds one at 1.00, a "large" (6, 6) three at
 * 2.50. Seven copies: two "large" and a "small", 6.00; three "large" 7.50; one and four 6.50. */
static void the_rest_goes_into_the_cheaper_size(void **state)
{
    (void)state;
    both_cost("catalog:\n  offerings:\n" OFFER("small", "2", "2", "1")
                  OFFER("large", "6", "6", "2.5") HOUR "workloads:\n" COPIES("a", "7", "2", "2"),
              6);
}

/* As above with at most one "large": 2.50 + 4 * 1.00 = 6.50. */
static void a_quota_stays_in_the_master(void **state)
{
    (void)state;
    both_cost(
        "catalog:\n  offerings:\n" OFFER("small", "2", "2", "1") OFFER("large", "6", "6", "2.5")
            HOUR
        "limits:\n  - {id: few, maximum: 1, metric: instances, scope: {include: [{type: large}]}}\n"
        "workloads:\n" COPIES("a", "7", "2", "2"),
        6.5);
}

/* Five copies of 2 vCPU and 2 GiB. A "pair" holds two at 1.00, a "single" one at 0.60: two pairs
 * and a single, 2.60; three pairs 3.00. Half an instance more than two would cost 2.50: it is the
 * numbers of instances that prove 2.60. */
static void numbers_of_instances_prove_what_fractions_do_not(void **state)
{
    (void)state;
    both_cost("catalog:\n  offerings:\n" OFFER("pair", "4", "4", "1")
                  OFFER("single", "2", "2", "0.6") HOUR "workloads:\n" COPIES("a", "5", "2", "2"),
              2.6);
}

#define ZONES ZONED("r-a", "1") ZONED("r-b", "1.01") ZONED("r-c", "1.03")
#define HALF_SURVIVES(id, count)                                      \
    "  - {id: " id ", must_serve: true, replicas: {count: " count     \
    ", resources: {vcpu: 4, memory_gib: 2}}, survive: [{id: half-" id \
    ", level: zone, share: 0.5}]}\n"

/* A copy fills an instance. Whichever zone fails, half of the one copy asked for must be left,
 * which is a whole one: two copies in two zones, 1 + 1.01. The relaxation would do with half a copy
 * in each of three zones, 1.52, or in two with the demand, 1.005. */
static void a_single_copy_of_which_half_must_survive_is_placed_twice(void **state)
{
    (void)state;
    both_cost("catalog:\n  offerings:\n" ZONES HOUR "workloads:\n" HALF_SURVIVES("a", "1"), 2.01);
}

/* Of three copies 1.5, so two, must be left: one in each zone, 1 + 1.01 + 1.03 = 3.04; two in one
 * zone would leave one, so that four were needed in two zones, 4.02. */
static void three_copies_of_which_half_must_survive_take_three_zones(void **state)
{
    (void)state;
    both_cost("catalog:\n  offerings:\n" ZONES HOUR "workloads:\n" HALF_SURVIVES("a", "3"), 3.04);
}

#define SPEND_PLAN                                                                         \
    "  products: [{id: plan, provider: aws, kind: spend, eligible: {include: [{provider: " \
    "[aws]}]}, term_hours: 24, hourly_fee: 0.7 USD, rates: [{offerings: {}, price_ratio: 1}]}]\n"
#define OTHER                                                             \
    "    - {provider: gcp, type: other, purchase: on-demand, price: 0.8 " \
    "USD, resources: {vcpu: 2, memory_gib: 2}}\n"
#define TWO_PERIODS "periods: [{id: day, hours: 12}, {id: night, hours: 12}]\noptions: {gap: 0}\n"

/* Three copies by day, one by night, each of which fills an instance: 1.00 an hour at aws, 0.80 at
 * gcp. A lot of the plan pays for one of aws and costs 0.70 an hour, so the copy that is always
 * there goes to aws: 24 * 0.70 + 12 * 2 * 0.80 = 36.00. Without a lot 12 * 4 * 0.80 = 38.40; two
 * lots are half idle by night, 24 * 1.40 + 12 * 0.80 = 43.20. */
static void a_spend_plan_pays_for_the_copies_that_are_always_there(void **state)
{
    (void)state;
    both_cost("catalog:\n  offerings:\n" OFFER("own", "2", "2", "1") OTHER SPEND_PLAN TWO_PERIODS
              "workloads:\n" COPIES("a", "[3, 1]", "2", "2"),
              36);
}

/* As above beside an application that keeps an instance of aws busy all the time: two lots, one for
 * it and one for the copy, 24 * 1.40 + 12 * 2 * 0.80 = 52.80. With one 24 * 0.70 + 12 * 4 * 0.80 =
 * 55.20; with three 24 * 2.10 + 12 * 0.80 = 60.00. */
static void pools_and_applications_share_a_spend_plan(void **state)
{
    (void)state;
    both_cost("catalog:\n  offerings:\n" OFFER("own", "2", "2", "1") OTHER SPEND_PLAN TWO_PERIODS
              "workloads:\n" COPIES(
                  "a", "[3, 1]", "2",
                  "2") "  - {id: web, must_serve: true, forbidden: {include: [{provider: [gcp]}]}, "
                       "throughput: {rate: 2, performance: [{per_instance: 2}]}}\n",
              52.8);
}

/* Only replica workloads with a rule or two: spread, limits and budgets stay in the master. */
static bool packs(const struct iso_problem *problem)
{
    for (int32_t a = 0; a < problem->n_workloads; a++)
        if (problem->workloads[a].replicas)
            return true;
    return false;
}

static void patterns_cost_what_the_plain_tree_proves(void **state)
{
    int32_t n_packed = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= N_PROBLEMS; seed++) {
        struct random_problem *random = random_problem_new(seed);
        if (packs(&random->problem)) {
            ISO_AUTO(iso_plan)
            plan = forced_exact_plan(&random->problem, ISO_STRATEGY_PATTERNS, seed);
            ISO_AUTO(iso_plan)
            exact = forced_exact_plan(&random->problem, ISO_STRATEGY_PLAIN_MIP, seed);
            n_packed++;
            if (plan->reason != exact->reason)
                fail_msg("seed %d: reason %d, not %d", (int)seed, (int)plan->reason,
                         (int)exact->reason);
            for (int32_t k = 0; k < plan->n_tiers && k < exact->n_tiers; k++) {
                double value = plan->tiers[k].value, best = exact->tiers[k].value;
                if (fabs(value - best) > 1e-6 * (1 + fabs(best)))
                    fail_msg("seed %d, tier %d: %.9g, not %.9g", (int)seed, k, value, best);
            }
        }
        random_problem_free(random);
    }
    assert_true(n_packed > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_share_instances_where_they_complete_each_other),
        cmocka_unit_test(the_rest_goes_into_the_cheaper_size),
        cmocka_unit_test(numbers_of_instances_prove_what_fractions_do_not),
        cmocka_unit_test(a_quota_stays_in_the_master),
        cmocka_unit_test(a_single_copy_of_which_half_must_survive_is_placed_twice),
        cmocka_unit_test(three_copies_of_which_half_must_survive_take_three_zones),
        cmocka_unit_test(a_spend_plan_pays_for_the_copies_that_are_always_there),
        cmocka_unit_test(pools_and_applications_share_a_spend_plan),
        cmocka_unit_test(patterns_cost_what_the_plain_tree_proves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

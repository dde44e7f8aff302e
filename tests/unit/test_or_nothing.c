/* Minimum quantities: of some offerings either nothing runs in a period or at least so many.
 * Expected costs are derived above each test; every option of web serves 1 and periods have one
 * hour. */
#include "../support/solved_fixture.h"

#define OFFER(provider, price)                                                   \
    "    - {provider: " provider ", type: m, purchase: on-demand, price: " price \
    " USD, resources: {vcpu: 4, memory_gib: 8}}\n"
#define CATALOG "catalog:\n  offerings:\n" OFFER("aws", "1") OFFER("azure", "2")
#define HOUR "periods: [{id: hour, hours: 1}]\noptions: {gap: 0}\n"
#define WEB(rate)                                                           \
    "workloads: [{id: web, must_serve: true, throughput: {rate: " rate ", " \
    "performance: [{per_instance: 1}]}}]\n"
#define AT_LEAST(n)                                                           \
    "limits: [{id: lot, minimum: " n ", or_nothing: true, scope: {include: [" \
    "{provider: aws}]}}]\n"

/* 3 in aws cost 3, but aws sells 8 or none: 8 * 1 = 8 against 3 * 2 = 6 in azure. */
static void a_lot_that_is_too_large_is_left(void **state)
{
    (void)state;
    solved_costs(CATALOG HOUR WEB("3") AT_LEAST("8"), 6);
}

/* 8 * 1 = 8 against 5 * 2 = 10; three of the eight are spare. */
static void a_lot_is_bought_where_it_beats_the_dearer_offering(void **state)
{
    (void)state;
    solved_costs(CATALOG HOUR WEB("5") AT_LEAST("8"), 8);
}

/* 8 are enough by themselves, so the rule costs nothing. */
static void a_lot_that_is_needed_anyway_changes_nothing(void **state)
{
    (void)state;
    solved_costs(CATALOG HOUR WEB("10") AT_LEAST("8"), 10);
}

/* Each period by itself: 3 ask for azure, 3 * 2 = 6; 5 for the lot, 8; 0 for nothing. */
static void each_period_takes_the_lot_or_nothing_by_itself(void **state)
{
    (void)state;
    solved_costs(CATALOG "periods: [{id: a, hours: 1}, {id: b, hours: 1}, {id: c, hours: 1}]\n"
                         "options: {gap: 0}\n" WEB("[3, 5, 0]") AT_LEAST("8"),
                 14);
}

/* The same 24 times: 24 hours ask for 3 and 24 for 5, 24 * 6 + 24 * 8 = 336. Settled together, the
 * ways of 48 periods would be 2^48 combinations. */
static void many_periods_are_settled_one_after_the_other(void **state)
{
    char yaml[4096], *end = yaml;
    (void)state;

    end += sprintf(end, CATALOG "options: {gap: 0}\nperiods: [");
    for (int t = 0; t < 48; t++)
        end += sprintf(end, "{id: p%d, hours: 1}, ", t);
    end += sprintf(end, "]\nworkloads: [{id: web, must_serve: true, throughput: {performance: ["
                        "{per_instance: 1}], rate: [");
    for (int t = 0; t < 48; t++)
        end += sprintf(end, "%d, ", t % 2 ? 3 : 5);
    sprintf(end, "]}}]\n" AT_LEAST("8"));
    solved_costs(yaml, 336);
}

/* 10 vCPU are 2.5 instances of aws, so 3 or none: 2 in aws would be 8 vCPU. Of 2 that are asked
 * for, 3 * 1 = 3 beats 2 * 2 = 4. */
static void a_lot_may_be_counted_in_vcpu(void **state)
{
    (void)state;
    solved_costs(CATALOG HOUR WEB("2") "limits: [{id: lot, metric: vcpu, minimum: 10, or_nothing: "
                                       "true, scope: {include: [{provider: aws}]}}]\n",
                 3);
}

/* Two workloads share the lot: 2 + 3 in aws are 5 of at least 5. */
static void all_workloads_count_in_one_lot(void **state)
{
    (void)state;
    solved_costs(
        CATALOG HOUR
        "workloads:\n"
        "  - {id: web, must_serve: true, throughput: {rate: 2, performance: "
        "[{per_instance: 1}]}}\n"
        "  - {id: db, must_serve: true, replicas: {count: 3, resources: {vcpu: 3}}}\n" AT_LEAST(
            "5"),
        5);
}

/* A lot of 8 costs 8 and the budget is 7, azure is forbidden: no way is left. Without the rule 3
 * would do. */
static void no_way_that_is_left_is_infeasible(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(&f, CATALOG HOUR
                       "workloads: [{id: web, must_serve: true, forbidden: {include: [{provider: "
                       "azure}]}, throughput: {rate: 3, performance: [{per_instance: 1}]}}]\n"
                       "budgets: [{id: b, windows: [{amount: 7 USD}]}]\n" AT_LEAST("8"));
    (void)state;

    assert_int_equal(plan->reason, ISO_REASON_INFEASIBLE);
    fixture_fini(&f);
}

/* The bound of 3 that the multipliers prove is that of the model without the rule; the tree adds
 * the rest. */
static void the_tree_adds_to_what_the_multipliers_prove(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan) plan = solved_plan(&f, CATALOG HOUR WEB("3") AT_LEAST("8"));
    (void)state;

    assert_int_equal(plan->tiers[0].proof, ISO_PROOF_SEARCH);
    assert_true(fabs(plan->tiers[0].checked_bound - 3) < 1e-6);
    assert_true(fabs(plan->tiers[0].bound - 6) < 1e-6);
    fixture_fini(&f);
}

/* 2 of 8 is neither nothing nor a lot. */
static void the_verifier_sees_a_part_of_a_lot(void **state)
{
    struct fixture f;
    struct iso_verdict verdict;
    ISO_AUTO(iso_plan) plan = solved_plan(&f, CATALOG HOUR WEB("5") AT_LEAST("8"));
    (void)state;

    assert_int_equal(plan->n_uses, 1);
    plan->uses[0].count = 5;
    assert_int_not_equal(iso_verify(f.problem, plan, &verdict, &f.error), ISO_OK);
    assert_non_null(strstr(f.error.text, "limit lot"));
    fixture_fini(&f);
}

static const struct fixture_refusal refused[] = {
    {HOUR WEB("1") "limits: [{id: l, maximum: 3, or_nothing: true}]\n",
     "model.limits[0].or_nothing", "needs a minimum above 0"},
    {HOUR WEB("1") "limits: [{id: l, minimum: 0, or_nothing: true}]\n",
     "model.limits[0].or_nothing", "needs a minimum above 0"},
    {HOUR WEB("1") "limits: [{id: l, minimum: 3, or_nothing: true, policy: {kind: prefer}}]\n",
     "model.limits[0].or_nothing", "policy HARD"},
    {"periods: [{id: hour, hours: 1}]\noptions: {tier_tolerance: 0.1}\n" WEB(
         "1") "limits: [{id: l, minimum: 3, or_nothing: true}]\n",
     "model.limits[0].or_nothing", "tier_tolerance"},
    /* 2 offerings * 76 levels are 152 columns */
    {"load_levels: {hours: 76}\n" WEB(
         "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,"
         "33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,"
         "62,63,64,65,66,67,68,69,70,71,72,73,74,75,76]") "limits: [{id: l, minimum: 3, "
                                                          "or_nothing: true}]\n",
     "model.limits[0].or_nothing",
     "up to 150 columns (offerings that a workload may use, times "
     "periods); this model has 152"},
};

static void what_is_not_served_is_refused_by_its_path(void **state)
{
    (void)state;
    fixture_refuses(CATALOG, refused, ISO_ARRAY_LENGTH(refused));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lot_that_is_too_large_is_left),
        cmocka_unit_test(a_lot_is_bought_where_it_beats_the_dearer_offering),
        cmocka_unit_test(a_lot_that_is_needed_anyway_changes_nothing),
        cmocka_unit_test(each_period_takes_the_lot_or_nothing_by_itself),
        cmocka_unit_test(many_periods_are_settled_one_after_the_other),
        cmocka_unit_test(a_lot_may_be_counted_in_vcpu),
        cmocka_unit_test(all_workloads_count_in_one_lot),
        cmocka_unit_test(no_way_that_is_left_is_infeasible),
        cmocka_unit_test(the_tree_adds_to_what_the_multipliers_prove),
        cmocka_unit_test(the_verifier_sees_a_part_of_a_lot),
        cmocka_unit_test(what_is_not_served_is_refused_by_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

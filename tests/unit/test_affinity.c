/* Workloads that must run together or apart. Expected costs are derived above each test; one period
 * of one hour unless said otherwise, and every option of web and db serves 1. */
#include "../support/solved_fixture.h"

#define OFFER(place, type, price)                                                              \
    "    - {" place ", type: " type ", purchase: on-demand, price: " price " USD, resources: " \
    "{vcpu: 4, memory_gib: 8}}\n"
#define HOUR "periods: [{id: hour, hours: 1}]\noptions: {gap: 0}\n"
#define SERVE(rate) \
    "must_serve: true, throughput: {rate: " rate ", performance: [{per_instance: 1}]}"

/* aws costs 1 a unit, azure 2. */
#define TWO_CLOUDS                                                                                 \
    "catalog:\n  offerings:\n" OFFER("provider: aws", "m", "1") OFFER("provider: azure", "d", "2") \
        HOUR

/* Both in aws would cost 10 + 10. Apart, one of them takes azure: 10 * 1 + 10 * 2 = 30; no mixture
 * is allowed, as a domain holds all of a workload's instances there or none. */
static void workloads_that_are_apart_do_not_share_the_cheaper_provider(void **state)
{
    (void)state;
    solved_costs(TWO_CLOUDS "workloads:\n"
                            "  - {id: web, " SERVE("10") "}\n"
                                                         "  - {id: db, " SERVE("10") "}\n",
                 20);
    solved_costs(TWO_CLOUDS
                 "workloads:\n"
                 "  - {id: web, " SERVE("10") ", apart: [{id: r, workload: db, level: provider}]}\n"
                                              "  - {id: db, " SERVE("10") "}\n",
                 30);
}

/* The relaxation knows most of it: a workload is served at most M = 10 + 1 in a domain, so the
 * shares of M that both have in aws add up to at most 1. At most 11 units are in aws:
 * 11 * 1 + 9 * 2 = 29 is proved by multipliers, and the tree adds the last unit. */
static void multipliers_prove_what_being_apart_costs(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(
        &f, TWO_CLOUDS
        "workloads:\n"
        "  - {id: web, " SERVE("10") ", apart: [{id: r, workload: db, level: provider}]}\n"
                                     "  - {id: db, " SERVE("10") "}\n");
    (void)state;

    assert_true(plan->tiers[0].checked_bound > 29 - 1e-6);
    assert_true(plan->tiers[0].checked_bound <= 30);
    fixture_fini(&f);
}

/* db may use azure only, so web runs there too and nowhere else: 10 * 2 + 10 * 2 = 40. Without the
 * rule web takes aws: 10 + 20 = 30. */
static void workloads_that_are_together_follow_the_one_with_less_choice(void **state)
{
    (void)state;
    solved_costs(TWO_CLOUDS "workloads:\n"
                            "  - {id: web, " SERVE(
                                "10") ", together: [{id: r, workload: db, level: provider}]}\n"
                                      "  - {id: db, " SERVE(
                                          "10") ", allowed: {include: [{provider: azure}]}}\n",
                 40);
}

/* db must be in both providers with half of its 2 units in each: 1 + 2 = 3. web, which needs 1
 * unit, must run in both too: 1 + 2 = 3 instead of 1. The sum is 6. */
static void together_means_in_each_domain_of_the_other(void **state)
{
    (void)state;
    solved_costs(TWO_CLOUDS
                 "workloads:\n"
                 "  - {id: web, " SERVE(
                     "1") ", together: [{id: r, workload: db, level: provider}]}\n"
                          "  - {id: db, " SERVE(
                              "2") ", spread: [{id: s, level: provider, minimum_domains: 2, "
                                   "minimum_share: 0.5}]}\n",
                 6);
}

/* Where a workload runs is taken over all periods: web has no demand by night (10 hours), but a
 * unit there costs 10 and by day (1 hour) only 1. db runs in aws and azure as above, by day only:
 * 3. web needs 1 by day in aws, and one instance in azure at any time: by day, 2. The sum is 6. */
static void presence_in_one_period_is_enough(void **state)
{
    (void)state;
    solved_costs(
        "catalog:\n  offerings:\n" OFFER("provider: aws", "m", "1") OFFER(
            "provider: azure", "d",
            "2") "periods: [{id: day, hours: 1}, {id: night, hours: 10}]\noptions: {gap: 0}\n"
                 "workloads:\n"
                 "  - {id: web, must_serve: true, throughput: {rate: [1, 0], performance: "
                 "[{per_instance: 1}]}, together: [{id: r, workload: db, level: provider}]}\n"
                 "  - {id: db, must_serve: true, throughput: {rate: [2, 0], performance: "
                 "[{per_instance: 1}]}, spread: [{id: s, level: provider, minimum_domains: 2, "
                 "minimum_share: 0.5}]}\n",
        6);
}

/* "any" (1) lies in some zone of aws/us, "a" (1.5) in zone a of it, "b" (3) in aws/eu. */
#define ZONES                                                                 \
    "catalog:\n  offerings:\n" OFFER("provider: aws, region: us", "any", "1") \
        OFFER("provider: aws, region: us, zone: a", "a", "1.5")               \
            OFFER("provider: aws, region: eu, zone: b", "b", "3") HOUR

/* Apart by zone: zone * may be zone a, so nobody knows that "any" and "a" are apart; nor "any" and
 * "any". One takes "any", the other "b": 10 + 30 = 40. "any" and "a" would be 25. */
static void zone_star_may_be_the_zone_that_must_be_apart(void **state)
{
    (void)state;
    solved_costs(ZONES "workloads:\n"
                       "  - {id: web, " SERVE(
                           "10") "}\n"
                                 "  - {id: db, " SERVE(
                                     "10") ", apart: [{id: r, workload: web, level: zone}]}\n",
                 40);
}

/* Together by zone: zone * is a domain of its own, so web, with db in zone a, takes zone a as well:
 * 15 + 15 = 30; both in zone * is together: 10 + 10 = 20. */
static void zone_star_is_a_zone_of_its_own_for_being_together(void **state)
{
    (void)state;
    solved_costs(ZONES "workloads:\n"
                       "  - {id: web, " SERVE(
                           "10") ", together: [{id: r, workload: db, level: zone}]}\n"
                                 "  - {id: db, " SERVE("10") ", allowed: {include: [{type: a}]}}\n",
                 30);
    solved_costs(ZONES
                 "workloads:\n"
                 "  - {id: web, " SERVE("10") ", together: [{id: r, workload: db, level: zone}]}\n"
                                              "  - {id: db, " SERVE("10") "}\n",
                 20);
}

/* Two copies each of 1 vCPU fit one aws machine of 4 vCPU: 1. Apart, db goes to azure: 1 + 2 = 3.
 */
static void replicas_that_are_apart_do_not_share_an_instance(void **state)
{
    (void)state;
    solved_costs(TWO_CLOUDS
                 "workloads:\n"
                 "  - {id: web, must_serve: true, replicas: {count: 2, resources: {vcpu: 1}}, "
                 "apart: [{id: r, workload: db, level: provider}]}\n"
                 "  - {id: db, must_serve: true, replicas: {count: 2, resources: {vcpu: 1}}}\n",
                 3);
}

/* db may be anywhere but pays 1.5 for a unit not served: apart from web, which takes aws, azure for
 * 2 is dearer than not serving. 10 + 15 penalty. */
static void being_apart_may_cost_service(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(
        &f, TWO_CLOUDS
        "workloads:\n"
        "  - {id: web, " SERVE(
            "10") ", allowed: {include: [{provider: aws}]}}\n"
                  "  - {id: db, penalty: 1.5 USD, throughput: {rate: 10, performance: "
                  "[{per_instance: 1}]}, apart: [{id: r, workload: web, level: region}]}\n");
    (void)state;

    assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
    assert_int_equal(plan->cost, D(10));
    assert_int_equal(plan->penalties, D(15));
    fixture_fini(&f);
}

/* web only in aws, db only in azure, and both together: no plan. Each of the three rules is needed
 * for that; dropping "together" costs 10 + 20 = 30. */
static void rules_that_cannot_hold_together_are_named(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(
        &f, TWO_CLOUDS
        "workloads:\n"
        "  - {id: web, " SERVE("10") ", allowed: {include: [{provider: aws}]}, "
                                     "together: [{id: r, workload: db, level: provider}]}\n"
                                     "  - {id: db, " SERVE(
                                         "10") ", allowed: {include: [{provider: azure}]}}\n");
    bool named = false, priced = false;
    (void)state;

    assert_int_equal(plan->reason, ISO_REASON_INFEASIBLE);
    assert_int_equal(plan->n_conflicts, 1);
    assert_true(plan->conflicts[0].minimal);
    for (int32_t i = 0; i < plan->conflicts[0].n_rules; i++)
        named |= plan->conflicts[0].rules[i].kind == ISO_RULE_AFFINITY;
    assert_true(named);
    for (int32_t i = 0; i < plan->n_relaxations; i++)
        if (plan->relaxations[i].change.rule.kind == ISO_RULE_AFFINITY)
            priced = plan->relaxations[i].verified && fabs(plan->relaxations[i].cost - 30) < 1e-6;
    assert_true(priced);
    fixture_fini(&f);
}

static const struct {
    const char *rule, *path, *part;
} wrong[] = {
    {"together: [{id: r, workload: web, level: zone}]", "model.workloads[0].together[0].workload",
     "is the workload itself"},
    {"apart: [{id: r, workload: cache, level: zone}]", "model.workloads[0].apart[0].workload",
     "\"cache\" is not the id of a workload"},
    {"apart: [{id: r, level: zone}]", "model.workloads[0].apart[0].workload", "is empty"},
    {"apart: [{id: r, workload: db}]", "model.workloads[0].apart[0].level",
     "ZONE, REGION or PROVIDER is required"},
    {"apart: [{workload: db, level: zone}]", "model.workloads[0].apart[0].id", "is empty"},
};

static void a_wrong_rule_is_told_with_its_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(wrong); i++) {
        struct fixture f;
        char yaml[2048];
        snprintf(yaml, sizeof(yaml),
                 TWO_CLOUDS
                 "workloads:\n  - {id: web, " SERVE("1") ", %s}\n  - {id: db, " SERVE("1") "}\n",
                 wrong[i].rule);
        fixture_resolve(&f, yaml, NULL);
        fixture_expect(&f, wrong[i].path, wrong[i].part);
        fixture_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workloads_that_are_apart_do_not_share_the_cheaper_provider),
        cmocka_unit_test(multipliers_prove_what_being_apart_costs),
        cmocka_unit_test(workloads_that_are_together_follow_the_one_with_less_choice),
        cmocka_unit_test(together_means_in_each_domain_of_the_other),
        cmocka_unit_test(presence_in_one_period_is_enough),
        cmocka_unit_test(zone_star_may_be_the_zone_that_must_be_apart),
        cmocka_unit_test(zone_star_is_a_zone_of_its_own_for_being_together),
        cmocka_unit_test(replicas_that_are_apart_do_not_share_an_instance),
        cmocka_unit_test(being_apart_may_cost_service),
        cmocka_unit_test(rules_that_cannot_hold_together_are_named),
        cmocka_unit_test(a_wrong_rule_is_told_with_its_field)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

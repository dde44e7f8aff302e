/* Conflicts and ways out of them. Expected numbers are derived above each test; one period of one
 * hour, one instance serves 1. */
#include "../support/solved_fixture.h"

#define OFFER(type, price) \
    "    - {provider: aws, type: " type ", purchase: on-demand, price: " price " USD}\n"
#define HOUR "periods: [{id: hour, hours: 1}]\n"
#define CAP(type, most) \
    "  - {id: few-" type ", maximum: " most ", scope: {include: [{type: " type "}]}}\n"
#define SERVED(id, type, rate)                                                                    \
    "  - {id: " id ", must_serve: true, throughput: {rate: " rate ", performance: [{offerings: {" \
    "include: [{type: " type "}]}, per_instance: 1}]}}\n"

/* 3 units by a at 1 of which one may run, 2 by b at 2 of which one may run. Each pair of a cap and
 * its workload is a conflict, and neither has to do with the other: no single change helps. */
#define TWO_APART                                                                             \
    "catalog:\n  offerings:\n" OFFER("a", "1") OFFER("b", "2") HOUR "limits:\n" CAP("a", "1") \
        CAP("b", "1") "workloads:\n" SERVED("web", "a", "3") SERVED("jobs", "b", "2")

static const struct iso_change *change_of(const struct iso_relaxation *way, enum iso_rule_kind kind,
                                          int32_t a)
{
    if (way->change.rule.kind == kind && way->change.rule.a == a)
        return &way->change;
    for (int32_t k = 0; k < way->n_more; k++)
        if (way->more[k].rule.kind == kind && way->more[k].rule.a == a)
            return &way->more[k];
    return NULL;
}

static void expect_change(const struct iso_relaxation *way, enum iso_rule_kind kind, int32_t a,
                          double current, double needed)
{
    const struct iso_change *change = change_of(way, kind, a);

    assert_non_null(change);
    if (fabs(change->current - current) > 1e-9 || fabs(change->needed - needed) > 1e-9)
        fail_msg("from %.9g to %.9g", change->current, change->needed);
}

/* Raise the cap on a to 3 or lower the demand of web to 1, and with it raise the cap on b to 2,
 * since demands are asked to hold first: 3 + 4 = 7, or 1 + 4 = 5. */
static void conflicts_that_share_nothing_are_told_each_and_repaired_together(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan) plan = solved_plan(&f, TWO_APART);
    (void)state;

    assert_int_equal(plan->reason, ISO_REASON_INFEASIBLE);
    assert_int_equal(plan->n_conflicts, 2);
    for (int32_t k = 0; k < 2; k++) {
        assert_true(plan->conflicts[k].minimal);
        assert_int_equal(plan->conflicts[k].n_rules, 2);
        assert_int_equal(plan->conflicts[k].rules[0].kind, ISO_RULE_LIMIT);
        assert_int_equal(plan->conflicts[k].rules[1].kind, ISO_RULE_DEMAND);
    }
    int32_t first = plan->conflicts[0].rules[0].a, second = plan->conflicts[1].rules[0].a;
    assert_int_equal(first + second, 1);
    double needed[] = {3, 2}, price[] = {1, 2};
    assert_int_equal(plan->n_relaxations, 2);
    for (int32_t i = 0; i < 2; i++) {
        const struct iso_relaxation *way = &plan->relaxations[i];
        bool raised = way->change.rule.kind == ISO_RULE_LIMIT;
        assert_int_equal(way->n_more, 1);
        assert_true(way->verified);
        if (raised)
            expect_change(way, ISO_RULE_LIMIT, first, 1, needed[first]);
        else
            expect_change(way, ISO_RULE_DEMAND, first, needed[first], 1);
        expect_change(way, ISO_RULE_LIMIT, second, 1, needed[second]);
        double cost = (raised ? needed[first] : 1) * price[first] + needed[second] * price[second];
        assert_true(fabs(way->cost - cost) < 1e-6);
    }
    fixture_fini(&f);
}

/* Told to look for one, it has no way out to offer: none helps against the other. */
static void one_of_two_conflicts_has_no_way_out(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan) plan = solved_plan(&f, TWO_APART "options: {maximum_conflicts: 1}\n");
    (void)state;

    assert_int_equal(plan->n_conflicts, 1);
    assert_int_equal(plan->n_relaxations, 0);
    fixture_fini(&f);
}

/* Four apart: web against a cap, jobs against another, and two more of each kind; what is asked in
 * each is one more than the cap, so every way out changes four rules. */
static void up_to_five_conflicts_are_told(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(
        &f, "catalog:\n  offerings:\n" OFFER("a", "1") OFFER("b", "1") OFFER("c", "1")
                OFFER("d", "1") HOUR "limits:\n" CAP("a", "1") CAP("b", "1") CAP("c", "1")
                    CAP("d", "1") "workloads:\n" SERVED("wa", "a", "2") SERVED("wb", "b", "2")
                        SERVED("wc", "c", "2") SERVED("wd", "d", "2"));
    (void)state;

    assert_int_equal(plan->n_conflicts, 4);
    assert_int_equal(plan->n_relaxations, 2);
    assert_int_equal(plan->relaxations[0].n_more, 3);
    assert_true(plan->relaxations[0].verified);
    assert_true(fabs(plan->relaxations[0].cost - 8) < 1e-6); /* caps at 2 */
    assert_true(fabs(plan->relaxations[1].cost - 7) < 1e-6); /* one demand down to 1 */
    fixture_fini(&f);
}

/* A conflict of which another shares a rule needs no second change where that rule gives: web asks
 * for 3 of a, of which one may run, and may spend 2. Cap and demand are one conflict, budget and
 * demand another. Without the demand both are gone: 1 of a costs 1. */
static void a_rule_of_both_conflicts_is_a_way_out_alone(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(&f, "catalog:\n  offerings:\n" OFFER("a", "1") HOUR "limits:\n" CAP(
                               "a", "1") "budgets: [{id: purse, windows: [{amount: 2 USD}]}]\n"
                                         "workloads:\n" SERVED(
                                             "web", "a", "3") "options: {maximum_conflicts: 2}\n");
    (void)state;

    assert_int_equal(plan->n_conflicts, 2);
    assert_int_equal(plan->n_relaxations, 1);
    expect_change(&plan->relaxations[0], ISO_RULE_DEMAND, 0, 3, 1);
    assert_int_equal(plan->relaxations[0].n_more, 0);
    fixture_fini(&f);
}

/* 2 units by a at 1: none or at least 5, and at most 3. Each of the three rules is a way out: at
 * least 2 when any (2), at most 5 (5), or nothing asked for (0). */
static void a_tree_of_problems_tells_its_conflicts(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(
        &f, "catalog:\n  offerings:\n" OFFER("a", "1") HOUR
        "limits:\n" CAP("a", "3") "  - {id: many, minimum: 5, or_nothing: true, scope: {include: "
                                  "[{type: a}]}}\nworkloads:\n" SERVED("web", "a", "2"));
    (void)state;

    assert_int_equal(plan->reason, ISO_REASON_INFEASIBLE);
    assert_int_equal(plan->n_conflicts, 1);
    assert_int_equal(plan->conflicts[0].n_rules, 3);
    assert_int_equal(plan->n_relaxations, 3);
    expect_change(&plan->relaxations[0], ISO_RULE_LIMIT, 0, 3, 5);
    assert_true(fabs(plan->relaxations[0].cost - 5) < 1e-6);
    expect_change(&plan->relaxations[1], ISO_RULE_LIMIT, 1, 5, 2);
    assert_true(fabs(plan->relaxations[1].cost - 2) < 1e-6);
    expect_change(&plan->relaxations[2], ISO_RULE_DEMAND, 0, 2, 0);
    assert_true(fabs(plan->relaxations[2].cost) < 1e-6);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conflicts_that_share_nothing_are_told_each_and_repaired_together),
        cmocka_unit_test(one_of_two_conflicts_has_no_way_out),
        cmocka_unit_test(up_to_five_conflicts_are_told),
        cmocka_unit_test(a_rule_of_both_conflicts_is_a_way_out_alone),
        cmocka_unit_test(a_tree_of_problems_tells_its_conflicts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

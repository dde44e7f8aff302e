/* Workloads of one priority that are served evenly. Expected values are derived above each test;
 * one instance serves 1 and costs 1 an hour, and a limit says how many there are. */
#include "../support/solved_fixture.h"

#define OFFERING(type) "    - {provider: aws, type: " type ", purchase: on-demand, price: 1 USD}\n"
#define CATALOG "catalog:\n  offerings:\n" OFFERING("m")
#define EXACT "options: {gap: 0}\n"
#define HOUR "periods: [{id: h, hours: 1}]\n"
#define ASKS(id, rate, more)                                 \
    "  - {id: " id ", priority: 1, throughput: {rate: " rate \
    ", performance: [{per_instance: 1}]}" more "}\n"
#define FAIR ", fair: true"

/* The stages of a plan that is proved optimal, in order. */
static void stages_are(const char *yaml, const double *values, int32_t n)
{
    struct fixture f;
    ISO_AUTO(iso_plan) plan = solved_plan(&f, yaml);

    assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
    assert_int_equal(plan->n_tiers, n);
    for (int32_t k = 0; k < n; k++)
        if (fabs(plan->tiers[k].value - values[k]) > 1e-9)
            fail_msg("stage %d is %.12g, not %.12g", k, plan->tiers[k].value, values[k]);
    fixture_fini(&f);
}

/* 6 and 2 are asked, 4 run. The least sum of u/D serves all of b, where a unit counts 1/2 and not
 * 1/6: 2 and 2 leave 4/6 + 0. Evenly: 3 and 1 leave 1/2 of each; 2 and 2 leave 4/6 of a, 4 and 0
 * leave all of b. So the largest loss is 1/2, the two largest 1, the sum of u/D 1/2 + 1/2. */
static void the_largest_loss_is_made_least(void **state)
{
    (void)state;
    stages_are(CATALOG HOUR EXACT "limits: [{id: few, maximum: 4}]\nworkloads:\n" ASKS("a", "6", "")
                   ASKS("b", "2", ""),
               (const double[]){4. / 6, 4}, 2);
    stages_are(CATALOG HOUR EXACT
               "limits: [{id: few, maximum: 4}]\nworkloads:\n" ASKS("a", "6", FAIR)
                   ASKS("b", "2", FAIR),
               (const double[]){0.5, 1, 1, 4}, 4);
}

/* Each asks 4. a may use n only, of which 1 runs: it loses 3/4 whatever happens. That is no reason
 * to let b or c lose as much: of m 5 run, 3 and 2 leave 1/4 and 2/4. The largest is 3/4, the two
 * largest 5/4, all three 6/4, which is also the sum of u/D; 1 + 5 instances run. 4 and 1 would also
 * have 3/4 as the largest, but 6/4 as the two largest. */
static void who_cannot_get_more_does_not_hold_the_others_back(void **state)
{
    (void)state;
    stages_are("catalog:\n  offerings:\n" OFFERING("m") OFFERING("n") HOUR EXACT
               "limits:\n"
               "  - {id: few-m, maximum: 5, scope: {include: [{type: [m]}]}}\n"
               "  - {id: few-n, maximum: 1, scope: {include: [{type: [n]}]}}\n"
               "workloads:\n" ASKS("a", "4", FAIR ", allowed: {include: [{type: [n]}]}")
                   ASKS("b", "4", FAIR ", allowed: {include: [{type: [m]}]}")
                       ASKS("c", "4", FAIR ", allowed: {include: [{type: [m]}]}"),
               (const double[]){0.75, 1.25, 1.5, 1.5, 6}, 5);
}

/* Two run in each hour. a asks 2 and 2, b asks 2 in the first hour only. Over the horizon a has the
 * second hour to itself, so b may have the first: a loses 2 of 4, b nothing. One each in the first
 * hour also has 1/2 as the largest loss (b's), but 1/4 on top of it. The sum of u/D is 2/2. */
static void evenness_is_over_the_horizon(void **state)
{
    (void)state;
    stages_are(CATALOG "periods: [{id: h, hours: 1}, {id: i, hours: 1}]\n" EXACT
                       "limits: [{id: few, maximum: 2}]\nworkloads:\n" ASKS("a", "[2, 2]", FAIR)
                           ASKS("b", "[2, 0]", FAIR),
               (const double[]){0.5, 0.5, 1, 4}, 4);
}

/* One of three runs where 2 and 1 are asked with headroom 1/2, so 3 and 1.5: 1 + 1 leave 2/3 and
 * 1/3 (0.5 of 1.5), 2 + 0 leave 1/3 and all, 0 + 2 leave all. The largest is 2/3, both are 1. The
 * sum of u/D: 2/2 + 0.5/1. */
static void a_loss_is_a_share_of_what_is_asked_with_headroom(void **state)
{
    (void)state;
    stages_are(CATALOG HOUR EXACT "limits: [{id: few, maximum: 2}]\nworkloads:\n" ASKS(
                   "a", "2", FAIR ", headroom: 0.5") ASKS("b", "1", FAIR ", headroom: 0.5"),
               (const double[]){2. / 3, 1, 1.5, 2}, 4);
}

/* The first model. The larger of two losses is at least half of both, and that is what multipliers
 * prove: both together are least where b is served whole, 4/6, so they prove 1/3 at most. The 1/2
 * is the tree's. */
static void multipliers_prove_what_the_average_makes_it(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(&f, CATALOG HOUR EXACT "limits: [{id: few, maximum: 4}]\nworkloads:\n" ASKS(
                               "a", "6", FAIR) ASKS("b", "2", FAIR));
    (void)state;

    assert_int_equal(plan->tiers[0].kind, ISO_TIER_FAIR);
    assert_int_equal(plan->tiers[0].worst, 1);
    assert_int_equal(plan->tiers[0].proof, ISO_PROOF_SEARCH);
    assert_true(plan->tiers[0].checked_bound <= 1. / 3 + 1e-9);
    assert_true(plan->tiers[0].bound > 0.5 - 1e-7);
    fixture_fini(&f);
}

/* Another plan with the stages of the fair one, or the fair one with other stages, is refused. */
static void the_verifier_counts_the_losses_itself(void **state)
{
    struct fixture f;
    struct iso_verdict verdict;
    ISO_AUTO(iso_plan)
    plan = solved_plan(&f, CATALOG HOUR EXACT "limits: [{id: few, maximum: 4}]\nworkloads:\n" ASKS(
                               "a", "6", FAIR) ASKS("b", "2", FAIR));
    (void)state;

    for (int32_t k = 0; k < 2; k++) {
        struct iso_tier saved = plan->tiers[k];
        plan->tiers[k].value += 1e-6;
        assert_int_not_equal(iso_verify(f.problem, plan, &verdict, NULL), ISO_OK);
        plan->tiers[k] = saved;
        plan->tiers[k].worst++;
        assert_int_not_equal(iso_verify(f.problem, plan, &verdict, NULL), ISO_OK);
        plan->tiers[k] = saved;
    }
    assert_int_equal(plan->n_unserved, 2);
    plan->unserved[0].amount += ISO_DECIMAL_ONE;
    assert_int_not_equal(iso_verify(f.problem, plan, &verdict, NULL), ISO_OK);
    plan->unserved[0].amount -= ISO_DECIMAL_ONE;
    assert_int_equal(iso_verify(f.problem, plan, &verdict, NULL), ISO_OK);
    fixture_fini(&f);
}

static void wrong_fairness_is_told_with_its_field(void **state)
{
    struct fixture f;
    (void)state;

    fixture_resolve(&f,
                    CATALOG HOUR
                    "workloads:\n"
                    "  - {id: a, must_serve: true, fair: true, throughput: {rate: 1, performance: "
                    "[{per_instance: 1}]}}\n" ASKS("b", "1", FAIR) ASKS("c", "1", ""),
                    NULL);
    fixture_expect(&f, "model.workloads[0].fair", "for workloads with a priority only");
    fixture_expect(&f, "model.workloads[2].fair",
                   "false; workload \"b\" of priority 1 says true, and all workloads of a priority "
                   "must say the same");
    fixture_fini(&f);
}

/* 2 workloads of 1 offering in 76 hours are 152 columns. */
static void fairness_is_refused_where_a_tree_is_too_small(void **state)
{
    struct fixture f;
    char yaml[8192];
    size_t n = (size_t)snprintf(yaml, sizeof(yaml), CATALOG "periods:\n");
    (void)state;

    for (int t = 0; t < 76; t++)
        n += (size_t)snprintf(yaml + n, sizeof(yaml) - n, "  - {id: h%d, hours: 1}\n", t);
    snprintf(yaml + n, sizeof(yaml) - n, "workloads:\n" ASKS("a", "1", FAIR) ASKS("b", "1", FAIR));
    fixture_resolve(&f, yaml, NULL);
    fixture_expect(&f, "model.workloads[0].fair", "is served up to 150 columns");
    fixture_expect(&f, "model.workloads[1].fair", "this model has 152");
    fixture_fini(&f);
}

static void too_many_are_refused(void **state)
{
    struct fixture f;
    char yaml[20000];
    size_t n = (size_t)snprintf(yaml, sizeof(yaml), CATALOG HOUR "workloads:\n");
    (void)state;

    for (int a = 0; a < 101; a++)
        n += (size_t)snprintf(yaml + n, sizeof(yaml) - n, ASKS("w%d", "1", FAIR), a);
    fixture_resolve(&f, yaml, NULL);
    fixture_expect(&f, "model.workloads[100].fair", "more than 100 workloads");
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_loss_is_made_least),
        cmocka_unit_test(who_cannot_get_more_does_not_hold_the_others_back),
        cmocka_unit_test(evenness_is_over_the_horizon),
        cmocka_unit_test(a_loss_is_a_share_of_what_is_asked_with_headroom),
        cmocka_unit_test(multipliers_prove_what_the_average_makes_it),
        cmocka_unit_test(the_verifier_counts_the_losses_itself),
        cmocka_unit_test(wrong_fairness_is_told_with_its_field),
        cmocka_unit_test(too_many_are_refused),
        cmocka_unit_test(fairness_is_refused_where_a_tree_is_too_small)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A search that prices what it has not listed may be stopped at any question; what it says then is
 * true. */
#include "../support/solved_fixture.h"

#include "isocost/plan.h"

#define MOST_QUESTIONS 40

/* Prices a vCPU: a 0.5, b 0.45, c 0.4; at most four of c, which serve 16 of the 30 units of each
 * hour. A commitment of the first workload takes a third off its a. */
#define MODEL                                                                                     \
    "catalog:\n  offerings:\n"                                                                    \
    "  - {provider: aws, type: a, purchase: on-demand, price: 1 USD, resources: {vcpu: 2}}\n"     \
    "  - {provider: aws, type: b, purchase: on-demand, price: 1.35 USD, resources: {vcpu: 3}}\n"  \
    "  - {provider: gcp, type: c, purchase: on-demand, price: 1.6 USD, resources: {vcpu: 4}}\n"   \
    "  products:\n"                                                                               \
    "  - {id: saver, provider: aws, kind: unit, eligible: {include: [{type: [a]}]}, term_hours: " \
    "48, hourly_fee: 0.6 USD, scope: {workloads: [one]}}\n"                                       \
    "periods: [{id: p, hours: 24}, {id: q, hours: 24}]\noptions: {gap: 0}\n"                      \
    "limits: [{id: few, metric: instances, maximum: 4, scope: {include: [{type: [c]}]}}]\n"       \
    "workloads:\n"                                                                                \
    "  - {id: one, must_serve: true, throughput: {rate: [9, 11], performance: [{per_vcpu: "       \
    "1}]}}\n"                                                                                     \
    "  - {id: two, must_serve: true, throughput: {rate: [21, 19], performance: [{per_vcpu: "      \
    "1}]}}\n"

struct asked {
    int questions, most;
};

static enum iso_stop stop_after(void *context)
{
    struct asked *asked = context;

    return ++asked->questions > asked->most ? ISO_STOP_CANCEL : (enum iso_stop)0;
}

static struct iso_plan *solved_in(const struct iso_problem *problem, int most)
{
    struct asked asked = {.most = most};
    const struct iso_control control = {
        .context = &asked, .now = steady_seconds, .stop = stop_after};
    struct iso_plan *plan = NULL;
    struct iso_verdict verdict;
    struct iso_error error = {0};

    if (iso_solve(problem, &control, &plan, &error) != ISO_OK ||
        iso_verify(problem, plan, &verdict, &error) != ISO_OK)
        fail_msg("after %d questions: %s: %s", most, error.field, error.text);
    return plan;
}

static void what_a_stopped_search_says_is_true(void **state)
{
    int n_stopped = 0;
    struct fixture f;
    (void)state;

    fixture_good(&f, MODEL, NULL);
    struct iso_problem problem = *f.problem;
    ISO_AUTO(iso_plan) best = solved_in(&problem, INT32_MAX - 1);
    assert_int_equal(best->reason, ISO_REASON_OPTIMAL);
    problem.options.strategy = ISO_STRATEGY_COLUMNS;
    problem.options.most_listed = 1;
    for (int most = 0; most < MOST_QUESTIONS; most++) {
        ISO_AUTO(iso_plan) plan = solved_in(&problem, most);
        n_stopped += plan->stop == ISO_STOP_CANCEL;
        assert_true(!plan->has_solution || plan->cost >= best->cost);
        assert_true(plan->n_tiers == 0 || !isfinite(plan->tiers[0].bound) ||
                    plan->tiers[0].bound <= iso_decimal_to_double(best->cost) * (1 + 1e-9));
        assert_int_not_equal(plan->reason, ISO_REASON_INFEASIBLE);
    }
    print_message("%d of %d searches were stopped\n", n_stopped, MOST_QUESTIONS);
    assert_true(n_stopped > 5);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_stopped_search_says_is_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

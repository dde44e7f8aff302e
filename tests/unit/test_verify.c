/* The verifier rule by rule: a valid plan is accepted, and refused by name when the one number that
 * matters is a little too tight. The derivations of the plans are in tests/support/plan_cases.c. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "isocost/ledger.h"
#include "isocost/verify.h"

#include "../support/plan_cases.h"

static enum iso_status verify(const struct plan_case *c, struct iso_error *reterr)
{
    struct iso_verdict verdict = {0};
    enum iso_status status = iso_verify(&c->problem, c->plan, &verdict, reterr);

    if (status == ISO_OK && c->plan->has_solution)
        assert_true(verdict.rules_checked > 0);
    return status;
}

static void must_accept(const struct plan_case *c)
{
    struct iso_error error = {0};

    if (verify(c, &error) != ISO_OK)
        fail_msg("%s: %s: %s", c->name, error.field, error.text);
}

/* Refused, in the field `field`, with a text that has `part`. */
static void must_refuse(const struct plan_case *c, const char *field, const char *part)
{
    struct iso_error error = {0};

    if (verify(c, &error) == ISO_OK)
        fail_msg("%s was accepted; expected: %s %s", c->name, field, part);
    if (strcmp(error.field, field) != 0 || !strstr(error.text, part))
        fail_msg("%s: %s: %s; expected: %s: %s", c->name, error.field, error.text, field, part);
    assert_int_equal(error.status, ISO_E_INVALID);
}

static void account(struct plan_case *c)
{
    struct iso_error error = {0};

    if (iso_plan_account(&c->problem, c->plan, &error) != ISO_OK)
        fail_msg("%s: %s: %s", c->name, error.field, error.text);
}

/* Sets a number of a problem or plan (through its const), looks, and puts it back. */
#define REFUSED_WITH(c, type, number, changed, field, part) \
    do {                                                    \
        type *at_ = (type *)&(number), saved_ = *at_;       \
        *at_ = (changed);                                   \
        must_refuse(c, field, part);                        \
        *at_ = saved_;                                      \
    } while (0)
#define ACCEPTED_WITH(c, type, number, changed)       \
    do {                                              \
        type *at_ = (type *)&(number), saved_ = *at_; \
        *at_ = (changed);                             \
        must_accept(c);                               \
        *at_ = saved_;                                \
    } while (0)

static void valid_plans_are_accepted(void **state)
{
    (void)state;
    for (int kind = 0; kind < PLAN_CASES; kind++) {
        struct plan_case c;
        plan_case_init(&c, (enum plan_case_kind)kind);
        must_accept(&c);
        plan_case_fini(&c);
    }
}

static void demand_must_be_served(void **state)
{
    struct plan_case c;
    struct iso_unserved one = {0, 0, D(1)};

    (void)state;
    plan_case_init(&c, PLAN_CASE_SEED);
    REFUSED_WITH(&c, iso_decimal, c.problem.workloads[0].required[0], D(2000.000000001), "uses",
                 "2000 in period hour");
    c.plan->unserved = &one;
    c.plan->n_unserved = 1;
    must_refuse(&c, "unserved", "must be served");
    c.plan->unserved = NULL;
    c.plan->n_unserved = 0;
    plan_case_fini(&c);

    plan_case_init(&c, PLAN_CASE_POLICIES);
    REFUSED_WITH(&c, iso_decimal, c.plan->unserved[1].amount, D(3.000000001), "unserved",
                 "only 3 is required");
    plan_case_fini(&c);
}

static void limits_hold_by_policy(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_SEED);
    REFUSED_WITH(&c, iso_decimal, c.problem.limits[1].bound, D(1499.999999999), "uses",
                 "limit limit q is broken");
    plan_case_fini(&c);

    plan_case_init(&c, PLAN_CASE_POLICIES);
    REFUSED_WITH(&c, iso_decimal, c.problem.limits[2].today, D(0.999999999), "uses",
                 "limit default is broken by 1");
    REFUSED_WITH(&c, enum iso_policy, c.problem.limits[1].policy, ISO_POLICY_HARD, "uses",
                 "limit wish is broken by 2");
    plan_case_fini(&c);
}

/* 72.666666667 dollars amortised (two of the three terms are exact), 160 by list. */
static void budgets_hold_by_basis(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_COMMITMENTS);
    ACCEPTED_WITH(&c, iso_decimal, c.problem.budgets[0].windows[0].amount, D(72.666666667));
    REFUSED_WITH(&c, iso_decimal, c.problem.budgets[0].windows[0].amount, D(72.6666666), "lines",
                 "budget amortised, window 0");
    ACCEPTED_WITH(&c, iso_decimal, c.problem.budgets[1].windows[0].amount, D(160));
    REFUSED_WITH(&c, iso_decimal, c.problem.budgets[1].windows[0].amount, D(159.99999), "lines",
                 "budget list, window 0");
    REFUSED_WITH(&c, enum iso_policy, c.problem.budgets[2].policy, ISO_POLICY_HARD, "lines",
                 "budget cash, window 0: 22 is spent of 21");
    REFUSED_WITH(&c, enum iso_policy, c.problem.budgets[2].policy, ISO_POLICY_DEFAULT, "lines",
                 "budget cash");
    plan_case_fini(&c);

    plan_case_init(&c, PLAN_CASE_MOVES); /* 9 of instances, 3.5 of moves */
    ACCEPTED_WITH(&c, iso_decimal, c.problem.budgets[0].windows[0].amount, D(12.5));
    REFUSED_WITH(&c, iso_decimal, c.problem.budgets[0].windows[0].amount, D(12.4999), "lines",
                 "budget all");
    plan_case_fini(&c);
}

static void coverage_stays_inside_its_commitment(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_COMMITMENTS);
    REFUSED_WITH(&c, iso_decimal, c.problem.products[0].eligible[0].use, D(1.1), "covers",
                 "gives 4 in period low; 4.4 is covered");
    REFUSED_WITH(&c, int32_t, c.problem.products[0].eligible[0].offering, 1, "covers[0].offering",
                 "does not cover");
    REFUSED_WITH(&c, uint8_t, c.problem.products[0].cells[0], 0, "covers[0].cell", "scope");
    REFUSED_WITH(&c, iso_decimal, c.plan->covers[0].instances, D(4.5), "covers[0].instances",
                 "4 run");
    REFUSED_WITH(&c, int64_t, c.problem.products[0].most, 2, "purchases[0].quantity",
                 "at most 2 of c");
    REFUSED_WITH(&c, int32_t, c.plan->purchases[1].start, 0, "purchases[1]", "same start twice");
    plan_case_fini(&c);
}

/* Spot is 3 of 12, q 3 of 12; 6 are left when any zone fails. */
static void shares_and_survival_are_exact(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_RULES);
    REFUSED_WITH(&c, iso_decimal, c.problem.workloads[0].shares[0].maximum, D(0.249999999), "uses",
                 "share spot of workload w is above");
    REFUSED_WITH(&c, iso_decimal, c.problem.workloads[0].shares[1].minimum, D(0.250000001), "uses",
                 "share q of workload w is below");
    REFUSED_WITH(&c, iso_decimal, c.problem.workloads[0].survive[0].share, D(0.500000001), "uses",
                 "6 is left in hour when the domain of a fails");
    REFUSED_WITH(&c, enum iso_level, c.problem.workloads[0].survive[0].level, ISO_LEVEL_PROVIDER,
                 "uses", "3 is left in hour when the domain of a fails");
    plan_case_fini(&c);
}

/* An offering of any zone falls with each zone of its region: with b such, failing a leaves only c.
 */
static void any_zone_falls_with_each_zone(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_RULES);
    REFUSED_WITH(&c, int32_t, c.problem.offerings[1].zone, ISO_ANY_ZONE, "uses",
                 "3 is left in hour when the domain of a fails");
    plan_case_fini(&c);
}

/* 6 in zone a, 2 in zone b; a quarter of 8 is 2. */
static void spread_counts_domains_with_their_share(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_POLICIES);
    REFUSED_WITH(&c, iso_decimal, c.problem.workloads[2].spread[0].minimum_share, D(0.250000001),
                 "uses", "1 domains hold their share; 2 are needed");
    REFUSED_WITH(&c, int32_t, c.problem.offerings[3].zone, ISO_ANY_ZONE, "uses",
                 "1 domains hold their share");
    plan_case_fini(&c);
}

static void fills_must_fit(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_POOL);
    REFUSED_WITH(&c, iso_decimal, c.problem.workloads[0].need[0], D(2.000000001), "fills[0]",
                 "of vCPU");
    REFUSED_WITH(&c, iso_decimal, c.problem.teams[0].overhead[1], D(1.000000001), "fills[1]",
                 "of memory");
    REFUSED_WITH(&c, iso_decimal, c.problem.offerings[0].capacity[0], ISO_UNKNOWN, "fills[0]",
                 "vCPU, which is not known of large");
    REFUSED_WITH(&c, int32_t, c.problem.workloads[1].maximum_per_instance, 1, "entries[2].count",
                 "at most 1 of workload w1");
    REFUSED_WITH(&c, bool, c.problem.workloads[1].replicas, false, "entries[2].workload",
                 "not one of the replicas");
    plan_case_fini(&c);
}

static void moves_are_counted(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_MOVES);
    REFUSED_WITH(&c, int64_t, c.problem.moves.maximum, 1, "uses", "moves 2 instances; at most 1");
    plan_case_fini(&c);
}

static void optimal_needs_every_stage_within_its_gap(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_SEED);
    c.plan->tiers[0].proof = ISO_PROOF_SEARCH;
    c.plan->tiers[0].bound = c.plan->tiers[0].checked_bound = 849;
    c.plan->duals[0].value = 0.5;
    must_refuse(&c, "tiers[0].bound", "an optimal plan of 850 needs it within 0");
    c.plan->tiers[0].bound = 850;
    c.plan->tiers[0].checked_bound = 850;
    must_accept(&c);
    c.plan->tiers[0].proof = ISO_PROOF_NONE;
    must_refuse(&c, "tiers[0].bound", "without a proof");
    c.plan->tiers[0].bound = c.plan->tiers[0].checked_bound = -INFINITY;
    must_refuse(&c, "tiers[0].bound", "an optimal plan");
    c.plan->reason = ISO_REASON_FEASIBLE; /* a plan on the way may have no bound */
    must_accept(&c);
    plan_case_fini(&c);

    plan_case_init(&c, PLAN_CASE_POLICIES);
    c.plan->n_tiers = 2;
    c.plan->n_duals = 6;
    must_refuse(&c, "tiers", "has more");
    c.plan->reason = ISO_REASON_FEASIBLE;
    must_accept(&c);
    c.plan->tiers[0].frozen = 0.7;
    must_refuse(&c, "tiers[0].frozen", "the plan's value is 0.8");
    plan_case_fini(&c);
}

/* A claim below what its multipliers prove was tampered with; one above is not proved. */
static void claims_are_what_the_multipliers_prove(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_SEED);
    c.plan->tiers[0].bound = c.plan->tiers[0].checked_bound = 849.9;
    c.problem.options.gap = 0.1;
    must_refuse(&c, "tiers[0].checked_bound", "is 849.89999999999998; its proof gives 850");
    c.plan->tiers[0].bound = c.plan->tiers[0].checked_bound = 850;
    must_accept(&c);
    /* a third offering that the multipliers overlook, at 0.3: demand would pay 0.5 for it */
    struct iso_offering offerings[] = {c.problem.offerings[0], c.problem.offerings[1],
                                       c.problem.offerings[0]};
    struct iso_option options[] = {{0, D(1), 0}, {1, D(1), 0}, {2, D(1), 0}};
    struct iso_workload workload = c.problem.workloads[0];
    offerings[2].price = D(0.3);
    workload.options = options;
    workload.n_options = 3;
    c.problem.offerings = offerings;
    c.problem.n_offerings = 3;
    c.problem.workloads = &workload;
    /* demand falls to 0.3: 2000 * 0.3 - 1500 * 0.1 = 450 */
    must_refuse(&c, "tiers[0].checked_bound", "its proof gives 4");
    plan_case_fini(&c);
}

/* Two offerings for nothing whose limits, 500 and 1500, are just what is asked for: demand may be
 * worth 0.1 a unit as both limits take that back, 200 - 50 - 150 = 0. Rounding in sums of such
 * terms, 400 in all, may leave a claim a part in 10^11 of them below, 4e-9; not twice that. */
static void terms_that_cancel_may_leave_their_rounding(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_SEED);
    struct iso_offering offerings[] = {c.problem.offerings[0], c.problem.offerings[1]};
    struct iso_limit limits[] = {c.problem.limits[0], c.problem.limits[1]};
    const struct iso_dual duals[] = {{ISO_ROW_DEMAND, 0, 0, -1, -1, 0.1},
                                     {ISO_ROW_LIMIT, 0, 0, -1, -1, -0.1},
                                     {ISO_ROW_LIMIT, 1, 0, -1, -1, -0.1}};
    struct iso_error error = {0};
    offerings[0].price = offerings[1].price = 0;
    limits[0].bound = D(500);
    c.problem.offerings = offerings;
    c.problem.limits = limits;
    free(c.plan->duals);
    c.plan->duals = iso_calloc(3, sizeof(*duals));
    assert_non_null(c.plan->duals);
    memcpy(c.plan->duals, duals, sizeof(duals));
    c.plan->n_duals = c.plan->tiers[0].n_duals = 3;
    c.plan->tiers[0].value = c.plan->tiers[0].frozen = 0;
    assert_int_equal(iso_plan_account(&c.problem, c.plan, &error), ISO_OK);
    c.plan->tiers[0].bound = c.plan->tiers[0].checked_bound = -4e-9;
    c.problem.options.gap = 0.1;
    must_accept(&c);
    c.plan->tiers[0].bound = c.plan->tiers[0].checked_bound = -8e-9;
    must_refuse(&c, "tiers[0].checked_bound", "its proof gives");
    plan_case_fini(&c);
}

/* Multipliers as binary64 are a little off: 0.5 * (1 + 1e-12) makes p cost too little. The verifier
 * lowers it again, and loses 1e-12 of the bound. */
static void multipliers_may_be_off_by_rounding(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_SEED);
    c.plan->duals[0].value = 0.5 * (1 + 1e-12);
    must_accept(&c);
    plan_case_fini(&c);

    plan_case_init(&c, PLAN_CASE_COMMITMENTS);
    for (int32_t i = 0; i < 5; i++)
        c.plan->duals[i].value *= 1 + 1e-12;
    must_accept(&c);
    plan_case_fini(&c);

    plan_case_init(&c, PLAN_CASE_POOL);
    c.plan->duals[0].value *= 1 + 1e-12;
    must_accept(&c);
    plan_case_fini(&c);
}

static void multipliers_have_the_signs_of_their_rows(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_SEED);
    REFUSED_WITH(&c, double, c.plan->duals[1].value, 0.1, "duals[1].value", "<= 0");
    REFUSED_WITH(&c, double, c.plan->duals[0].value, -0.5, "duals[0].value", ">= 0");
    REFUSED_WITH(&c, double, c.plan->duals[0].value, NAN, "duals[0].value", "nan");
    REFUSED_WITH(&c, double, c.plan->duals[0].value, INFINITY, "duals[0].value", "inf");
    REFUSED_WITH(&c, int32_t, c.plan->duals[1].b, 1, "duals[1]", "does not exist");
    REFUSED_WITH(&c, enum iso_row_kind, c.plan->duals[1].kind, ISO_N_ROW_KINDS, "duals[1]",
                 "does not exist");
    REFUSED_WITH(&c, struct iso_dual, c.plan->duals[1], c.plan->duals[0], "duals",
                 "two multipliers of one row");
    plan_case_fini(&c);
}

static void a_ray_must_be_above_nought(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_RAY);
    REFUSED_WITH(&c, iso_decimal, c.problem.limits[1].bound, D(1000), "tiers[0].proof",
                 "the ray gives");
    REFUSED_WITH(&c, enum iso_policy, c.problem.limits[1].policy, ISO_POLICY_SOFT, "tiers[0].proof",
                 "the ray gives");
    REFUSED_WITH(&c, enum iso_service, c.problem.workloads[0].service, ISO_SERVICE_PENALTY,
                 "tiers[0].proof", "the ray gives");
    REFUSED_WITH(&c, enum iso_proof, c.plan->tiers[0].proof, ISO_PROOF_DUAL, "tiers[0].proof",
                 "does not prove that there is no plan");
    REFUSED_WITH(&c, bool, c.plan->has_solution, true, "reason", "with a solution");
    ACCEPTED_WITH(&c, enum iso_proof, c.plan->tiers[0].proof, ISO_PROOF_SEARCH);
    plan_case_fini(&c);
}

/* Options that serve 3 at 1 and 5 at 1.5 counted in steps of 2: 2 and 3 steps. 11 units are 6
 * steps, which cost 3 an hour; rounding served down to 1 and 2 steps would claim G(6) = 4.5 where
 * the truth is 3.5. */
static void steps_are_counted_to_the_safe_side(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_FUNCTION);
    c.plan->value_functions[0].step = D(2);
    must_refuse(&c, "tiers[0].checked_bound", "is 7; its proof gives 5.99999");
    c.plan->tiers[0].bound = c.plan->tiers[0].checked_bound = 6; /* 2 h at 3: true, not tight */
    c.problem.options.gap = 0.2;
    must_accept(&c);
    plan_case_fini(&c);
}

static void a_value_function_needs_a_workload_that_must_be_served(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_FUNCTION);
    REFUSED_WITH(&c, enum iso_service, c.problem.workloads[0].service, ISO_SERVICE_PENALTY,
                 "value_functions[0].workload", "need not be served");
    plan_case_fini(&c);
}

static void explanations_name_what_exists(void **state)
{
    struct iso_binding binding = {.rule = {ISO_RULE_LIMIT, 2, -1}};
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_SEED);
    c.plan->bindings = &binding;
    c.plan->n_bindings = 1;
    must_refuse(&c, "bindings[0].rule", "does not exist");
    binding.rule.a = 1;
    must_accept(&c);
    c.plan->bindings = NULL;
    c.plan->n_bindings = 0;
    plan_case_fini(&c);
}

/* Without multipliers, instances are covered for nothing; what is left is the fees of what is held
 * already: 0.4 * 30 * 0.9 = 10.8. */
static void no_multipliers_prove_what_is_paid_anyway(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_COMMITMENTS);
    c.problem.options.gap = 1;
    c.plan->n_duals = c.plan->tiers[0].n_duals = 0;
    c.plan->tiers[0].bound = c.plan->tiers[0].checked_bound = 10.8;
    must_accept(&c);
    c.plan->tiers[0].bound = c.plan->tiers[0].checked_bound = 10.8001;
    must_refuse(&c, "tiers[0].checked_bound", "its proof gives 10.8");
    plan_case_fini(&c);
}

/* Replaces the first use of SEED by another valid plan, one instance more than needed: 850.5. */
static void the_bill_follows_the_plan(void **state)
{
    struct plan_case c;

    (void)state;
    plan_case_init(&c, PLAN_CASE_SEED);
    c.plan->uses[0].count = 501;
    must_refuse(&c, "lines[0].quantity", "is 500; the plan makes it 501");
    account(&c);
    must_refuse(&c, "tiers[0].value", "the plan makes it 850.5");
    c.plan->tiers[0].value = c.plan->tiers[0].frozen = 850.5;
    must_refuse(&c, "tiers[0].bound", "within 0");
    c.plan->reason = ISO_REASON_FEASIBLE;
    must_accept(&c);
    plan_case_fini(&c);
}

static void a_failed_allocation_is_reported(void **state)
{
    (void)state;
    for (int kind = 0; kind < PLAN_CASES; kind++) {
        struct plan_case c;
        enum iso_status status = ISO_E_NOMEM;
        plan_case_init(&c, (enum plan_case_kind)kind);
        for (long nth = 0; status != ISO_OK; nth++) {
            struct iso_error error = {0};
            assert_true(nth < 1000);
            iso_alloc_fail_at(nth);
            status = verify(&c, &error);
            iso_alloc_fail_at(-1);
            assert_true(status == ISO_OK || status == ISO_E_NOMEM);
        }
        plan_case_fini(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_plans_are_accepted),
        cmocka_unit_test(demand_must_be_served),
        cmocka_unit_test(limits_hold_by_policy),
        cmocka_unit_test(budgets_hold_by_basis),
        cmocka_unit_test(coverage_stays_inside_its_commitment),
        cmocka_unit_test(shares_and_survival_are_exact),
        cmocka_unit_test(any_zone_falls_with_each_zone),
        cmocka_unit_test(spread_counts_domains_with_their_share),
        cmocka_unit_test(fills_must_fit),
        cmocka_unit_test(moves_are_counted),
        cmocka_unit_test(optimal_needs_every_stage_within_its_gap),
        cmocka_unit_test(claims_are_what_the_multipliers_prove),
        cmocka_unit_test(terms_that_cancel_may_leave_their_rounding),
        cmocka_unit_test(multipliers_may_be_off_by_rounding),
        cmocka_unit_test(multipliers_have_the_signs_of_their_rows),
        cmocka_unit_test(a_ray_must_be_above_nought),
        cmocka_unit_test(steps_are_counted_to_the_safe_side),
        cmocka_unit_test(a_value_function_needs_a_workload_that_must_be_served),
        cmocka_unit_test(explanations_name_what_exists),
        cmocka_unit_test(no_multipliers_prove_what_is_paid_anyway),
        cmocka_unit_test(the_bill_follows_the_plan),
        cmocka_unit_test(a_failed_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

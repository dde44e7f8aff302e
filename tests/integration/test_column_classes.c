/* Columns priced by class against columns priced one by one, on random problems over all rules.
 *
 * Whatever the multipliers, both must give the same bound to the last bit, count the same columns
 * and judge a plan alike: proofs as the solver makes them, spoilt ones, and claims a little above
 * what is proved. And an option that stands for others must have the ratios that it needs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "isocost/solve.h"
#include "isocost/verify.h"

#include "../../solver/verify/column_classes.h"
#include "../support/random_families.h"
#include "../support/steady_clock.h"

#define N_PROBLEMS 200
#define N_ROUNDS 15

static struct iso_plan *solve(const struct iso_problem *problem, uint64_t seed)
{
    const struct iso_control control = {.now = steady_seconds};
    struct iso_plan *plan = NULL;
    struct iso_error error = {0};

    if (iso_problem_check(problem, &error) != ISO_OK ||
        iso_solve(problem, &control, &plan, &error) != ISO_OK)
        fail_msg("seed %llu: %s: %s", (unsigned long long)seed, error.field, error.text);
    return plan;
}

struct finding {
    enum iso_status status;
    double bounds[16];
    int64_t columns_priced;
    int64_t n_listed, n_options; /* of the classes */
};

/* What the multipliers of each tier prove. */
static struct finding find(const struct iso_problem *problem, const struct iso_plan *plan,
                           enum iso_pricing_way way)
{
    struct iso_error error = {0};
    struct iso_verifier v = {.problem = problem, .plan = plan, .reterr = &error, .way = way};
    struct finding finding = {.status = iso_verify_read(&v)};

    if (finding.status == ISO_OK)
        finding.status = iso_verify_leads(&v);
    if (finding.status == ISO_OK)
        finding.status = iso_verify_tabulate(&v);
    for (int32_t k = 0; k < plan->n_tiers && finding.status == ISO_OK; k++)
        finding.status =
            iso_verify_dual_bound(&v, k, plan->reason == ISO_REASON_INFEASIBLE, &finding.bounds[k]);
    finding.columns_priced = v.verdict.columns_priced;
    if (v.classes)
        finding.n_listed = v.classes->first_option[v.classes->n_classes];
    for (int32_t a = 0; a < problem->n_workloads && v.classes; a++)
        if (!problem->workloads[a].replicas)
            finding.n_options += (int64_t)problem->workloads[a].n_options * v.classes->n_groups;
    iso_verify_fini(&v);
    return finding;
}

static void must_be_equal(const struct finding *a, const struct finding *b, uint64_t seed,
                          int round)
{
    if (a->status != b->status || memcmp(a->bounds, b->bounds, sizeof(a->bounds)) != 0 ||
        a->columns_priced != b->columns_priced)
        fail_msg("seed %llu, round %d: status %d, bound %a, %lld columns one by one; status %d, "
                 "bound %a, %lld columns by class",
                 (unsigned long long)seed, round, (int)a->status, a->bounds[0],
                 (long long)a->columns_priced, (int)b->status, b->bounds[0],
                 (long long)b->columns_priced);
}

static enum iso_status judge(const struct iso_problem *problem, const struct iso_plan *plan,
                             enum iso_pricing_way way)
{
    struct iso_error error = {0};
    struct iso_verifier v = {.problem = problem, .plan = plan, .reterr = &error, .way = way};
    enum iso_status status = iso_verify_run(&v);

    iso_verify_fini(&v);
    return status;
}

/* Claims of a little more than is proved, which both must refuse, and of as much. */
static int judge_claims(const struct iso_problem *problem, struct iso_plan *plan,
                        const struct finding *proved, uint64_t seed)
{
    static const double more[] = {0, 1e-12, 1.5e-9, 1e-8, 1e-4};
    int n_refused = 0;

    for (int32_t k = 0; k < plan->n_tiers; k++) {
        struct iso_tier *tier = &plan->tiers[k], saved = *tier;
        if (tier->proof != ISO_PROOF_DUAL || !isfinite(proved->bounds[k]))
            continue;
        for (size_t i = 0; i < ISO_ARRAY_LENGTH(more); i++) {
            tier->checked_bound = proved->bounds[k] + more[i] * (1 + fabs(proved->bounds[k]));
            tier->bound = fmin(tier->checked_bound, saved.value);
            enum iso_status each = judge(problem, plan, ISO_PRICE_EACH);
            enum iso_status by_class = judge(problem, plan, ISO_PRICE_CLASSES);
            if (each != by_class || (more[i] > 1e-9 && by_class == ISO_OK))
                fail_msg("seed %llu: %g more than is proved of tier %d: %d one by one, %d by class",
                         (unsigned long long)seed, more[i], k, (int)each, (int)by_class);
            n_refused += by_class != ISO_OK;
        }
        *tier = saved;
    }
    return n_refused;
}

/* A wrong multiplier of the right sign. Small changes make columns that nearly price out. */
static double spoilt(struct random_problem *random, double value)
{
    static const double factors[] = {0,         0.5, 1 - 1e-9,  1 + 1e-9,  1 - 1e-15, 1 + 4e-16,
                                     1 - 1e-12, 1.1, 1 + 1e-15, 1 + 1e-12, 2,         10};

    return value * factors[random_below(random, ISO_ARRAY_LENGTH(factors))];
}

/* Spoils multipliers: one in three, or only one. */
static void spoil(struct random_problem *random, struct iso_plan *plan, const double *saved,
                  int round)
{
    int32_t one = (int32_t)random_below(random, plan->n_duals);

    for (int32_t i = 0; i < plan->n_duals; i++) {
        bool changes = round % 2 ? i == one : random_below(random, 3) == 0;
        plan->duals[i].value = changes ? spoilt(random, saved[i]) : saved[i];
    }
}

static void classes_prove_what_columns_prove(void **state)
{
    int64_t n_finite = 0, n_listed = 0, n_options = 0;
    int n_refused = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= N_PROBLEMS; seed++) {
        struct random_problem *random = random_families_new(seed);
        struct iso_plan *plan = solve(&random->problem, seed);
        double *saved = calloc((size_t)plan->n_duals + 1, sizeof(*saved));
        assert_non_null(saved);
        for (int32_t i = 0; i < plan->n_duals; i++)
            saved[i] = plan->duals[i].value;
        for (int round = 0; round < (plan->n_duals > 0 ? N_ROUNDS : 1); round++) {
            if (round > 0)
                spoil(random, plan, saved, round);
            struct finding each = find(&random->problem, plan, ISO_PRICE_EACH);
            struct finding by_class = find(&random->problem, plan, ISO_PRICE_CLASSES);
            must_be_equal(&each, &by_class, seed, round);
            if (round < 3 && plan->has_solution && each.status == ISO_OK)
                n_refused += judge_claims(&random->problem, plan, &each, seed);
            for (int32_t k = 0; k < plan->n_tiers; k++)
                n_finite += isfinite(by_class.bounds[k]);
            n_listed += by_class.n_listed;
            n_options += by_class.n_options;
        }
        free(saved);
        iso_plan_free(plan);
        random_problem_free(random);
    }
    print_message("%lld finite bounds; %lld of %lld options stand for their classes; %d claims "
                  "refused\n",
                  (long long)n_finite, (long long)n_listed, (long long)n_options, n_refused);
    assert_true(n_finite > 1000 && n_listed < n_options && n_refused > 100);
}

/* --- what stands for what, by the words of column_classes.h --- */

static iso_decimal weight_in(const struct iso_limit *limit, int32_t offering)
{
    for (int32_t i = 0; i < limit->n_terms; i++)
        if (limit->terms[i].offering == offering)
            return limit->terms[i].weight;
    return -1;
}

/* What an instance of the offering uses of a product when the workload runs it; -1: not covered. */
static iso_decimal use_of(const struct iso_problem *problem, const struct iso_product *product,
                          int32_t workload, int32_t offering)
{
    for (int32_t i = 0; i < product->n_eligible; i++)
        if (product->eligible[i].offering == offering && product->cells[workload] &&
            !problem->offerings[offering].spot)
            return product->eligible[i].use;
    return -1;
}

/* Whether a / s_a <= b / s_b. */
static bool is_no_more(iso_decimal a, iso_decimal s_a, iso_decimal b, iso_decimal s_b)
{
    return (iso_wide)a * s_b <= (iso_wide)b * s_a;
}

/* Whether an option is in the same rules as another one. */
static bool is_in_same_rules(const struct iso_problem *problem, const struct iso_workload *workload,
                             int32_t option, int32_t other)
{
    int32_t p = workload->options[option].offering, o = workload->options[other].offering;
    bool same = problem->offerings[p].spot == problem->offerings[o].spot &&
                problem->offerings[p].currency == problem->offerings[o].currency;

    for (int32_t b = 0; b < problem->n_budgets; b++)
        same &= problem->budgets[b].offerings[p] == problem->budgets[b].offerings[o];
    for (int32_t k = 0; k < problem->n_volumes; k++)
        same &= problem->volumes[k].offerings[p] == problem->volumes[k].offerings[o];
    for (int32_t i = 0; i < workload->n_shares; i++)
        same &= workload->shares[i].member[option] == workload->shares[i].member[other];
    for (int level = 0; level < ISO_N_LEVELS; level++) {
        bool asked = iso_problem_is_placed(problem, (int32_t)(workload - problem->workloads),
                                           (enum iso_level)level, false);
        for (int32_t i = 0; i < workload->n_survive; i++)
            asked |= (int)workload->survive[i].level == level;
        for (int32_t i = 0; i < workload->n_spread; i++)
            asked |= (int)workload->spread[i].level == level;
        for (int32_t i = 0; i < workload->n_traffic; i++)
            asked |= workload->traffic[i].other < 0 && level == (int)ISO_LEVEL_REGION;
        if (asked)
            same &= iso_problem_domain(problem, p, (enum iso_level)level) ==
                    iso_problem_domain(problem, o, (enum iso_level)level);
    }
    return same;
}

/* Whether an option costs and counts no more than another one for what it serves, in every period
 * of a price group. */
static bool is_no_worse(const struct iso_problem *problem, const struct iso_column_classes *classes,
                        int32_t a, int32_t group, int32_t option, int32_t other)
{
    const struct iso_option *p = &problem->workloads[a].options[option];
    const struct iso_option *o = &problem->workloads[a].options[other];
    bool fine = true;

    for (int32_t t = 0; t < problem->n_periods; t++)
        if (classes->group_of[t] == group)
            fine &= is_no_more(iso_problem_price(problem, p->offering, t), p->served,
                               iso_problem_price(problem, o->offering, t), o->served);
    for (int32_t l = 0; l < problem->n_limits; l++) {
        iso_decimal own = weight_in(&problem->limits[l], p->offering);
        iso_decimal others = weight_in(&problem->limits[l], o->offering);
        fine &= (own < 0) == (others < 0);
        if (own >= 0 && others >= 0)
            fine &= problem->limits[l].minimum ? is_no_more(others, o->served, own, p->served)
                                               : is_no_more(own, p->served, others, o->served);
    }
    for (int32_t c = 0; c < problem->n_products; c++) {
        iso_decimal own = use_of(problem, &problem->products[c], a, p->offering);
        iso_decimal others = use_of(problem, &problem->products[c], a, o->offering);
        fine &= (own < 0) == (others < 0);
        if (own >= 0 && others >= 0)
            fine &= is_no_more(own, p->served, others, o->served);
    }
    return fine;
}

/* Whether some listed option of its class stands for an option. */
static bool is_stood_for(const struct iso_problem *problem,
                         const struct iso_column_classes *classes, int32_t a, int32_t group,
                         int32_t option, int32_t class)
{
    for (int32_t i = classes->first_option[class]; i < classes->first_option[class + 1]; i++) {
        int32_t other = classes->options[i];
        if (other == option || (is_in_same_rules(problem, &problem->workloads[a], other, option) &&
                                is_no_worse(problem, classes, a, group, other, option)))
            return true;
    }
    return false;
}

static int64_t check_classes(const struct iso_problem *problem,
                             const struct iso_column_classes *classes, uint64_t seed)
{
    int64_t n_stood_for = 0;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t t = 0; t < problem->n_periods && !problem->workloads[a].replicas; t++) {
            int32_t group = classes->group_of[t], at = a * classes->n_groups + group;
            const int32_t *class_of = iso_column_classes_of(classes, problem, a, t);
            for (int32_t i = 0; i < problem->workloads[a].n_options; i++) {
                assert_in_range(class_of[i], classes->first_class[at],
                                classes->first_class[at + 1] - 1);
                if (!is_stood_for(problem, classes, a, group, i, class_of[i]))
                    fail_msg("seed %llu: nothing stands for option %d of workload %d in period %d",
                             (unsigned long long)seed, i, a, t);
                n_stood_for++;
            }
        }
    return n_stood_for;
}

static void each_option_is_stood_for_by_one_that_is_no_worse(void **state)
{
    int64_t n_stood_for = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct random_problem *random = random_families_new(seed);
        struct iso_error error = {0};
        struct iso_plan plan = {0};
        struct iso_tier tier = {.kind = ISO_TIER_MONEY, .proof = ISO_PROOF_DUAL};
        struct iso_verifier v = {
            .problem = &random->problem, .plan = &plan, .reterr = &error, .way = ISO_PRICE_CLASSES};
        double bound;
        plan.tiers = &tier;
        plan.n_tiers = 1;
        assert_int_equal(iso_verify_read(&v), ISO_OK);
        assert_int_equal(iso_verify_tabulate(&v), ISO_OK);
        assert_int_equal(iso_verify_dual_bound(&v, 0, false, &bound), ISO_OK);
        n_stood_for += check_classes(&random->problem, v.classes, seed);
        iso_verify_fini(&v);
        random_problem_free(random);
    }
    print_message("%lld options are stood for\n", (long long)n_stood_for);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_option_is_stood_for_by_one_that_is_no_worse),
        cmocka_unit_test(classes_prove_what_columns_prove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

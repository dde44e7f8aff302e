/* Workloads priced as they were before against workloads priced anew, on random problems: whatever
 * the multipliers, both must give the same bound to the last bit and count the same columns. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../solver/verify/precedents.h"
#include "../support/random_families.h"

#define N_PROBLEMS 3000

struct finding {
    double bound;
    int64_t columns_priced;
};

static struct finding find(const struct iso_problem *problem, const struct iso_plan *plan,
                           enum iso_pricing_way way)
{
    struct iso_error error = {0};
    struct iso_verifier v = {.problem = problem, .plan = plan, .reterr = &error, .way = way};
    struct finding finding;

    if (iso_verify_read(&v) != ISO_OK || iso_verify_leads(&v) != ISO_OK ||
        iso_verify_tabulate(&v) != ISO_OK ||
        iso_verify_dual_bound(&v, 0, false, &finding.bound) != ISO_OK)
        fail_msg("%s: %s", error.field, error.text);
    finding.columns_priced = v.verdict.columns_priced;
    iso_verify_fini(&v);
    return finding;
}

/* Leaves mostly what precedents are for: products of one workload, prices that do not change. The
 * arrays behind a random problem's const pointers are not const. */
static void simplify(struct random_problem *random)
{
    struct iso_problem *problem = &random->problem;

    problem->n_price_exceptions = 0;
    problem->n_volumes = 0;
    problem->moves.present = false;
    for (int32_t c = 0; c < problem->n_products; c++) {
        if (random_below(random, 8) == 0)
            continue; /* some may cover several workloads */
        uint8_t *cells = (uint8_t *)problem->products[c].cells;
        memset(cells, 0, (size_t)(problem->n_workloads + problem->n_teams));
        cells[c % problem->n_workloads] = 1;
    }
    for (int32_t t = 1; t < problem->n_periods; t++) {
        ((struct iso_period *)problem->periods)[t].hours =
            problem->periods[0].hours * (random_below(random, 4) > 0 ? 1 : 2);
        for (int32_t k = 0; k < problem->n_currencies && random_below(random, 4) > 0;
             k++) /* or as it is */
            ((iso_decimal *)problem->currencies[k].rate_to_base)[t] =
                problem->currencies[k].rate_to_base[0];
    }
}

/* What a unit costs, about, times one of few factors: some price out, some have to be repaired. */
static double some_worth(struct random_problem *random, int32_t a)
{
    static const double factors[] = {0, 0.1, 0.5, 0.9, 1.5};
    const struct iso_problem *problem = &random->problem;
    const struct iso_option *option = &problem->workloads[a].options[0];

    return factors[random_below(random, ISO_ARRAY_LENGTH(factors))] *
           iso_decimal_to_double(problem->offerings[option->offering].price) *
           iso_decimal_to_double(problem->periods[0].hours) / iso_decimal_to_double(option->served);
}

/* Multipliers of demands and caps on shares, and once in a while of a limit. */
static int32_t make_duals(struct random_problem *random, struct iso_dual *duals)
{
    const struct iso_problem *problem = &random->problem;
    int32_t n = 0;

    for (int32_t t = 0; t < problem->n_periods; t++) {
        for (int32_t a = 0; a < problem->n_workloads; a++) {
            const struct iso_workload *workload = &problem->workloads[a];
            if (workload->n_options == 0)
                continue;
            double worth = some_worth(random, a);
            if (worth > 0)
                duals[n++] = (struct iso_dual){ISO_ROW_DEMAND, a, t, -1, -1, worth};
            for (int32_t i = 0; i < workload->n_shares; i++)
                if (workload->shares[i].has_maximum && random_below(random, 2))
                    duals[n++] = (struct iso_dual){ISO_ROW_SHARE_MAX, a, i, t, -1, -0.1 * worth};
        }
        if (problem->n_limits > 0 && problem->limits[0].periods[t] && !problem->limits[0].minimum &&
            random_below(random, 6) == 0)
            duals[n++] = (struct iso_dual){ISO_ROW_LIMIT, 0, t, -1, -1, -0.01};
    }
    return n;
}

static int32_t most_duals(const struct iso_problem *problem)
{
    int32_t n = 1;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        n += 1 + problem->workloads[a].n_shares;
    return n * problem->n_periods;
}

static void what_was_priced_before_proves_what_is_priced_anew(void **state)
{
    int64_t n_finite = 0, n_above = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= N_PROBLEMS; seed++) {
        struct random_problem *random = random_families_new(seed);
        const struct iso_problem *problem = &random->problem;
        simplify(random);
        struct iso_dual *duals = calloc((size_t)most_duals(problem), sizeof(*duals));
        struct iso_lead *leads = calloc((size_t)problem->n_periods, sizeof(*leads));
        assert_true(duals && leads);
        struct iso_tier tier = {.kind = ISO_TIER_MONEY, .proof = ISO_PROOF_DUAL};
        struct iso_plan plan = {.tiers = &tier, .n_tiers = 1, .duals = duals, .leads = leads};
        plan.n_duals = tier.n_duals = make_duals(random, duals);
        plan.n_leads = problem->n_periods;
        for (int32_t t = 0; t < problem->n_periods; t++)
            leads[t].period = t;
        struct finding anew = find(problem, &plan, ISO_PRICE_EACH);
        struct finding before = find(problem, &plan, ISO_PRICE_FASTEST);
        if (memcmp(&anew.bound, &before.bound, sizeof(anew.bound)) != 0 ||
            anew.columns_priced != before.columns_priced)
            fail_msg("seed %llu: bound %a, %lld columns anew; bound %a, %lld columns as before",
                     (unsigned long long)seed, anew.bound, (long long)anew.columns_priced,
                     before.bound, (long long)before.columns_priced);
        n_finite += isfinite(before.bound);
        n_above += before.bound > 0;
        free(duals);
        free(leads);
        random_problem_free(random);
    }
    print_message("%lld finite bounds, %lld above nought\n", (long long)n_finite,
                  (long long)n_above);
    assert_true(n_finite > N_PROBLEMS / 4 && n_above > N_PROBLEMS / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_priced_before_proves_what_is_priced_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

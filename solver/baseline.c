/* Baselines: what today's placement, each single provider and on demand alone would cost. */
#include <math.h>

#include "explain.h"
#include "horizon.h"
#include "variant.h"

#define BASELINE_SECONDS 2.0
#define BASELINE_GAP 0.005

static bool of_provider(const struct iso_problem *problem, int32_t offering, int32_t provider)
{
    return problem->offerings[offering].provider == provider;
}

static bool on_demand(const struct iso_problem *problem, int32_t offering, int32_t unused)
{
    (void)unused;
    return !problem->offerings[offering].spot;
}

static bool add(struct iso_plan *plan, const struct iso_baseline *baseline)
{
    return iso_append(&plan->baselines, &plan->n_baselines, sizeof(*baseline), baseline);
}

/* Today's placement kept for the whole horizon, at list prices and with the fees of what is held.
 */
static bool add_today(struct iso_search *search)
{
    const struct iso_problem *problem = search->problem;
    struct iso_baseline baseline = {.kind = ISO_BASELINE_TODAY,
                                    .provider = -1,
                                    .known = true,
                                    .feasible = true,
                                    .cost = iso_existing_fees(problem)};

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        double served = 0;
        for (int32_t i = 0; i < problem->moves.n_current && !workload->replicas; i++) {
            int32_t option = iso_workload_find_option(workload, problem->moves.current[i].offering);
            if (problem->moves.current[i].cell == a && option >= 0)
                served += (double)problem->moves.current[i].count *
                          iso_value(workload->options[option].served);
        }
        for (int32_t t = 0; t < problem->n_periods; t++)
            if (served < iso_value(workload->required[t]))
                baseline.feasible = false; /* pools: what they hold today is not known */
    }
    for (int32_t i = 0; i < problem->moves.n_current; i++)
        for (int32_t t = 0; t < problem->n_periods; t++)
            baseline.cost += (double)problem->moves.current[i].count *
                             iso_instance_money(problem, problem->moves.current[i].offering, t);
    baseline.bound = baseline.cost;
    return add(search->plan, &baseline);
}

static enum iso_status solve_baseline(struct iso_search *search, struct iso_baseline baseline,
                                      struct iso_error *reterr)
{
    struct iso_variant variant __attribute__((cleanup(iso_variant_fini))) = {0};
    struct iso_control control = iso_search_control(search);
    ISO_AUTO(iso_plan) plan = NULL;

    if (iso_search_stops(search))
        return ISO_OK;
    ISO_TRY(iso_variant_init(&variant, search->problem, reterr));
    if (baseline.kind == ISO_BASELINE_PROVIDER) {
        ISO_TRY(iso_variant_keep(&variant, of_provider, baseline.provider, reterr));
    } else {
        ISO_TRY(iso_variant_keep(&variant, on_demand, 0, reterr));
        for (int32_t c = 0; c < search->problem->n_products; c++)
            variant.products[c].most = 0;
    }
    variant.problem.options.gap = BASELINE_GAP;
    variant.problem.options.time_limit_s = fmin(BASELINE_SECONDS, iso_search_left(search));
    ISO_TRY(iso_find_plan(&variant.problem, &control, false, &plan, reterr));
    baseline.known = plan->has_solution || plan->reason == ISO_REASON_INFEASIBLE;
    baseline.feasible = plan->has_solution;
    baseline.cost = baseline.bound = NAN;
    for (int32_t k = 0; k < plan->n_tiers && plan->has_solution; k++)
        if (plan->tiers[k].kind == ISO_TIER_MONEY) {
            baseline.cost = iso_decimal_to_double(plan->cost);
            baseline.bound = plan->tiers[k].bound - iso_decimal_to_double(plan->penalties);
        }
    if (!add(search->plan, &baseline))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a baseline");
    return ISO_OK;
}

static bool any_spot_or_purchase(const struct iso_problem *problem)
{
    for (int32_t o = 0; o < problem->n_offerings; o++)
        if (problem->offerings[o].spot)
            return true;
    return problem->n_products > 0;
}

enum iso_status iso_find_baselines(struct iso_search *search, struct iso_error *reterr)
{
    const struct iso_problem *problem = search->problem;

    if (problem->moves.present && !add_today(search))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a baseline");
    for (int32_t p = 0; p < problem->n_providers && problem->n_providers > 1; p++)
        ISO_TRY(solve_baseline(
            search, (struct iso_baseline){.kind = ISO_BASELINE_PROVIDER, .provider = p}, reterr));
    if (any_spot_or_purchase(problem))
        ISO_TRY(solve_baseline(
            search, (struct iso_baseline){.kind = ISO_BASELINE_ON_DEMAND, .provider = -1}, reterr));
    return ISO_OK;
}

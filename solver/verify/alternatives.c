/* Alternatives: each is a plan by itself and is checked like one. Beside that:
 *
 *   - the plan, and each alternative before it, uses something that it does not use (an offering
 *     that runs, a product that is bought);
 *   - in each stage before money it is at most what the plan froze;
 *   - money is at most the plan's times 1 + tolerance. */
#include "verifier.h"

#include <math.h>

#define CLOSE 2e-9 /* relative and absolute slack of values in binary64 */

static void find_used(const struct iso_problem *problem, const struct iso_plan *plan, uint8_t *used)
{
    for (int32_t i = 0; i < plan->n_uses; i++)
        used[plan->uses[i].offering] = 1;
    for (int32_t i = 0; i < plan->n_fills; i++)
        used[plan->fills[i].offering] = 1;
    for (int32_t i = 0; i < plan->n_purchases; i++)
        used[problem->n_offerings + plan->purchases[i].product] = 1;
}

static enum iso_status check_by_itself(struct iso_verifier *v, int32_t i)
{
    const struct iso_plan *alternative = v->plan->alternatives[i];
    struct iso_verdict verdict;
    struct iso_error error = {0};

    if (!alternative || !alternative->has_solution || alternative->n_alternatives > 0)
        return iso_verify_fail(v, "alternatives", i, "", "is not a plan, or has its own");
    if (iso_verify(v->problem, alternative, &verdict, &error) != ISO_OK)
        return iso_verify_fail(v, "alternatives", i, error.field, "%s", error.text);
    v->verdict.rules_checked += verdict.rules_checked;
    return ISO_OK;
}

static enum iso_status check_stages(struct iso_verifier *v, int32_t i)
{
    const struct iso_plan *plan = v->plan, *alternative = plan->alternatives[i];

    for (int32_t k = 0; k < plan->n_tiers; k++) {
        double most = plan->tiers[k].frozen;
        if (k >= alternative->n_tiers)
            return iso_verify_fail(v, "alternatives", i, "tiers", "has %d of %d stages",
                                   alternative->n_tiers, plan->n_tiers);
        if (plan->tiers[k].kind == ISO_TIER_MONEY)
            most = plan->tiers[k].value +
                   fabs(plan->tiers[k].value) * v->problem->options.alternative_tolerance;
        if (alternative->tiers[k].value > most + CLOSE * (1 + fabs(most)))
            return iso_verify_fail(v, "alternatives", i, "tiers",
                                   "stage %d is %.17g; %.17g is the most", k,
                                   alternative->tiers[k].value, most);
        if (plan->tiers[k].kind == ISO_TIER_MONEY)
            break;
    }
    return ISO_OK;
}

/* `used` holds a row of flags for the plan, then one for each alternative. */
static enum iso_status check_difference(const struct iso_verifier *v, const uint8_t *used, size_t n,
                                        int32_t i)
{
    const uint8_t *mine = used + (size_t)(i + 1) * n;

    for (int32_t k = 0; k <= i; k++) {
        bool differs = false;
        for (size_t j = 0; j < n; j++)
            differs |= used[(size_t)k * n + j] && !mine[j];
        if (!differs)
            return iso_verify_fail(v, "alternatives", i, "", "uses all that %s uses",
                                   k == 0 ? "the plan" : "an alternative before it");
    }
    return ISO_OK;
}

enum iso_status iso_verify_alternatives(struct iso_verifier *v)
{
    size_t n = (size_t)v->problem->n_offerings + (size_t)v->problem->n_products;
    int32_t n_alternatives = v->plan->n_alternatives;

    if (n_alternatives == 0)
        return ISO_OK;
    if (n_alternatives > v->problem->options.maximum_alternatives)
        return iso_verify_fail(v, "alternatives", -1, "", "%d; %d were asked for", n_alternatives,
                               v->problem->options.maximum_alternatives);
    ISO_AUTO_MEM uint8_t *used = iso_calloc((size_t)(n_alternatives + 1) * n, 1);
    if (!used)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory to verify alternatives");
    find_used(v->problem, v->plan, used);
    for (int32_t i = 0; i < n_alternatives; i++) {
        ISO_TRY(check_by_itself(v, i));
        ISO_TRY(check_stages(v, i));
        find_used(v->problem, v->plan->alternatives[i], used + (size_t)(i + 1) * n);
        ISO_TRY(check_difference(v, used, n, i));
    }
    return ISO_OK;
}

/* Alternatives: the cheapest plans that do without something.
 *
 * A plan P uses the offerings that it runs and the products that it buys. An alternative must do
 * without one of the things that P uses, and without one of those of every alternative before it,
 * so no two of them differ only by something added. Earlier stages stay at their frozen values, and
 * money may be dearer by the tolerance.
 *
 * The plans without some thing j of P are, over all j, all that may be the first alternative; the
 * cheapest of their optima is it. Then every candidate that uses all that it uses, itself included,
 * makes room for its own children: the same without one thing more. So at any time the candidates'
 * problems contain every plan that may come next, and the cheapest candidate is next. (The
 * partition of E. L. Lawler, "A procedure for computing the k best solutions to discrete
 * optimization problems", Management Science 18, 1972, on sets.) */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "isocost/ledger.h"
#include "variant.h"

#define MOST_SOLVES 300
#define SOLVE_SECONDS 5.0
#define SLACK 1e-9 /* relative and absolute: of values in binary64 */

/* A thing is an offering o, or n_offerings + a product. */
struct candidate {
    uint8_t *without;      /* by thing */
    uint8_t *uses;         /* by thing; of `plan` */
    struct iso_plan *plan; /* NULL: none, too dear, or taken */
    double value;          /* of money */
};

struct hunt {
    const struct iso_problem *problem;
    struct iso_control control; /* without reports */
    struct iso_plan *plan;      /* gets the alternatives */
    double end_s, most;         /* money may cost */
    int32_t n_things, n_solves, n_candidates;
    struct candidate *candidates;
    bool ended; /* out of time or solves */
};

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for alternatives");
}

static void hunt_fini(struct hunt *hunt)
{
    for (int32_t i = 0; i < hunt->n_candidates; i++) {
        free(hunt->candidates[i].without);
        free(hunt->candidates[i].uses);
        iso_plan_free(hunt->candidates[i].plan);
    }
    free(hunt->candidates);
}

static void find_used(const struct iso_problem *problem, const struct iso_plan *plan, uint8_t *uses)
{
    for (int32_t i = 0; i < plan->n_uses; i++)
        uses[plan->uses[i].offering] = 1;
    for (int32_t i = 0; i < plan->n_fills; i++)
        uses[plan->fills[i].offering] = 1;
    for (int32_t i = 0; i < plan->n_purchases; i++)
        uses[problem->n_offerings + plan->purchases[i].product] = 1;
}

static double money_of(const struct iso_plan *plan)
{
    for (int32_t k = 0; k < plan->n_tiers; k++)
        if (plan->tiers[k].kind == ISO_TIER_MONEY)
            return plan->tiers[k].value;
    return INFINITY;
}

static bool is_not(const struct iso_problem *problem, int32_t offering, int32_t other)
{
    (void)problem;
    return offering != other;
}

/* The plan of the problem without some things, as a plan of the problem itself: its stages without
 * proofs, in its own numbers. */
static enum iso_status as_plan_of_all(const struct iso_problem *problem, struct iso_plan *plan,
                                      struct iso_error *reterr)
{
    struct iso_tier tiers[ISO_MAX_TIERS];
    int32_t n = iso_tiers_of(problem, tiers);
    ISO_AUTO(iso_plan) old = iso_plan_new();

    if (!old)
        return no_memory(reterr);
    *old = *plan;
    *plan = (struct iso_plan){.reason = ISO_REASON_FEASIBLE,
                              .stop = ISO_STOP_NONE,
                              .has_solution = true,
                              .n_uses = old->n_uses,
                              .n_fills = old->n_fills,
                              .n_entries = old->n_entries,
                              .n_covers = old->n_covers,
                              .n_purchases = old->n_purchases,
                              .n_unserved = old->n_unserved};
    plan->uses = ISO_STEAL(old->uses);
    plan->fills = ISO_STEAL(old->fills);
    plan->entries = ISO_STEAL(old->entries);
    plan->covers = ISO_STEAL(old->covers);
    plan->purchases = ISO_STEAL(old->purchases);
    plan->unserved = ISO_STEAL(old->unserved);
    for (int32_t k = 0; k < n; k++) {
        tiers[k].bound = tiers[k].checked_bound = tiers[k].frozen = -INFINITY;
        tiers[k].tolerance = problem->options.tier_tolerance;
        if (!iso_append(&plan->tiers, &plan->n_tiers, sizeof(tiers[k]), &tiers[k]))
            return no_memory(reterr);
    }
    ISO_TRY(iso_plan_account(problem, plan, reterr));
    iso_settle_tiers(problem, plan);
    return ISO_OK;
}

/* Whether every stage before money is as good as the plan's. */
static bool keeps_earlier_stages(const struct iso_plan *plan, const struct iso_plan *other)
{
    for (int32_t k = 0; k < plan->n_tiers && plan->tiers[k].kind != ISO_TIER_MONEY; k++)
        if (other->tiers[k].value >
            plan->tiers[k].frozen + SLACK * (1 + fabs(plan->tiers[k].frozen)))
            return false;
    return true;
}

/* Solves the problem of a candidate. Its plan stays NULL when there is none that is good enough. */
static enum iso_status solve(struct hunt *hunt, struct candidate *candidate,
                             struct iso_error *reterr)
{
    struct iso_variant variant __attribute__((cleanup(iso_variant_fini))) = {0};
    ISO_AUTO(iso_plan) plan = NULL;
    int32_t n_offerings = hunt->problem->n_offerings;

    ISO_TRY(iso_variant_init(&variant, hunt->problem, reterr));
    for (int32_t j = 0; j < hunt->n_things; j++) {
        if (!candidate->without[j])
            continue;
        if (j < n_offerings)
            ISO_TRY(iso_variant_keep(&variant, is_not, j, reterr));
        else
            variant.products[j - n_offerings].most = 0;
    }
    variant.problem.options.time_limit_s =
        fmin(SOLVE_SECONDS, fmax(1e-3, hunt->end_s - hunt->control.now(hunt->control.context)));
    hunt->n_solves++;
    ISO_TRY(iso_find_plan(&variant.problem, &hunt->control, false, &plan, reterr));
    if (!plan->has_solution)
        return ISO_OK;
    ISO_TRY(as_plan_of_all(hunt->problem, plan, reterr));
    candidate->value = money_of(plan);
    if (candidate->value > hunt->most || !keeps_earlier_stages(hunt->plan, plan))
        return ISO_OK;
    find_used(hunt->problem, plan, candidate->uses);
    candidate->plan = ISO_STEAL(plan);
    return ISO_OK;
}

static bool is_known(const struct hunt *hunt, const uint8_t *without)
{
    for (int32_t i = 0; i < hunt->n_candidates; i++)
        if (memcmp(hunt->candidates[i].without, without, (size_t)hunt->n_things) == 0)
            return true;
    return false;
}

static bool out_of_time(struct hunt *hunt)
{
    hunt->ended = hunt->ended || hunt->n_solves >= MOST_SOLVES ||
                  hunt->control.now(hunt->control.context) >= hunt->end_s ||
                  (hunt->control.stop && hunt->control.stop(hunt->control.context));
    return hunt->ended;
}

/* Adds the problem that does without `without` and thing j. */
static enum iso_status add_candidate(struct hunt *hunt, const uint8_t *without, int32_t j,
                                     struct iso_error *reterr)
{
    size_t n = (size_t)hunt->n_things;
    struct candidate candidate = {.without = iso_calloc(n, 1), .uses = iso_calloc(n, 1)};

    if (candidate.without && candidate.uses) {
        memcpy(candidate.without, without, n);
        candidate.without[j] = 1;
        if (is_known(hunt, candidate.without)) {
            free(candidate.without);
            free(candidate.uses);
            return ISO_OK;
        }
        if (iso_append(&hunt->candidates, &hunt->n_candidates, sizeof(candidate), &candidate))
            return solve(hunt, &hunt->candidates[hunt->n_candidates - 1], reterr);
    }
    free(candidate.without);
    free(candidate.uses);
    return no_memory(reterr);
}

/* Adds the children of a problem: without one more of the things used. */
static enum iso_status add_children(struct hunt *hunt, const uint8_t *without, const uint8_t *uses,
                                    struct iso_error *reterr)
{
    for (int32_t j = 0; j < hunt->n_things; j++)
        if (uses[j] && !out_of_time(hunt))
            ISO_TRY(add_candidate(hunt, without, j, reterr));
    return ISO_OK;
}

static int32_t cheapest(const struct hunt *hunt)
{
    int32_t best = -1;

    for (int32_t i = 0; i < hunt->n_candidates; i++)
        if (hunt->candidates[i].plan &&
            (best < 0 || hunt->candidates[i].value < hunt->candidates[best].value))
            best = i;
    return best;
}

static bool contains(const uint8_t *set, const uint8_t *part, int32_t n)
{
    for (int32_t j = 0; j < n; j++)
        if (part[j] && !set[j])
            return false;
    return true;
}

/* Takes a candidate's plan as the next alternative; those that use all that it uses give way to
 * their children. */
static enum iso_status take(struct hunt *hunt, int32_t taken, struct iso_error *reterr)
{
    struct iso_plan *plan = hunt->plan;
    int32_t n_before = hunt->n_candidates;
    ISO_AUTO_MEM uint8_t *uses = iso_calloc((size_t)hunt->n_things, 1);

    if (!uses || !iso_append(&plan->alternatives, &plan->n_alternatives, sizeof(struct iso_plan *),
                             &hunt->candidates[taken].plan))
        return no_memory(reterr);
    memcpy(uses, hunt->candidates[taken].uses, (size_t)hunt->n_things);
    for (int32_t i = 0; i < n_before; i++) {
        if (!hunt->candidates[i].plan || !contains(hunt->candidates[i].uses, uses, hunt->n_things))
            continue;
        if (i != taken)
            iso_plan_free(hunt->candidates[i].plan);
        hunt->candidates[i].plan = NULL;
        /* the list may move while it grows */
        ISO_AUTO_MEM uint8_t *without = iso_calloc((size_t)hunt->n_things, 1);
        if (!without)
            return no_memory(reterr);
        memcpy(without, hunt->candidates[i].without, (size_t)hunt->n_things);
        ISO_TRY(add_children(hunt, without, uses, reterr));
    }
    return ISO_OK;
}

enum iso_status iso_find_alternatives(const struct iso_problem *problem,
                                      const struct iso_control *control, double end_s,
                                      struct iso_plan *plan, struct iso_error *reterr)
{
    struct hunt hunt __attribute__((cleanup(hunt_fini))) = {.problem = problem,
                                                            .control = *control,
                                                            .plan = plan,
                                                            .end_s = end_s,
                                                            .n_things = problem->n_offerings +
                                                                        problem->n_products};
    ISO_AUTO_MEM uint8_t *none = iso_calloc((size_t)hunt.n_things, 1);
    ISO_AUTO_MEM uint8_t *uses = iso_calloc((size_t)hunt.n_things, 1);
    double money = money_of(plan);

    if (!none || !uses)
        return no_memory(reterr);
    hunt.control.incumbent = NULL;
    hunt.control.progress = NULL;
    hunt.most = money + fabs(money) * problem->options.alternative_tolerance + SLACK;
    find_used(problem, plan, uses);
    ISO_TRY(add_children(&hunt, none, uses, reterr));
    while (plan->n_alternatives < problem->options.maximum_alternatives && !out_of_time(&hunt)) {
        int32_t next = cheapest(&hunt);
        if (next < 0)
            return ISO_OK;
        ISO_TRY(take(&hunt, next, reterr));
    }
    return ISO_OK;
}

/* The way out of a conflict: for each of its rules, how far it has to give so that a plan exists,
 * and what the cheapest plan then costs.
 *
 * A limit or budget becomes a PREFER, so the least violation is found before money is looked at; it
 * is then set to what is needed and solved again. A must-serve demand becomes a priority. Shares,
 * survive rules, caps on latency and the cap on moves are left out and what the plan then does is
 * what is needed. */
#include <math.h>
#include <string.h>

#include "explain.h"
#include "variant.h"

#define SOLVE_SECONDS 5.0
#define SOLVE_GAP 0.01

static enum iso_status solve_variant(struct iso_search *search, struct iso_variant *variant,
                                     struct iso_plan **ret_plan, struct iso_error *reterr)
{
    struct iso_control control = iso_search_control(search);

    variant->problem.options.gap = SOLVE_GAP;
    variant->problem.options.time_limit_s = fmin(SOLVE_SECONDS, iso_search_left(search));
    return iso_optimise(&variant->problem, &control, false, ret_plan, reterr);
}

/* Rounds an amount up to a decimal that a person can type. */
static double rounded_up(double amount)
{
    double digits = fabs(amount) >= 1000 ? 1 : fabs(amount) >= 1 ? 100 : 1e6;

    return ceil(amount * digits - 1e-6) / digits;
}

static double needed_limit(const struct iso_problem *problem, const struct iso_plan *plan,
                           int32_t limit)
{
    const struct iso_limit *l = &problem->limits[limit];
    double needed = iso_value(l->bound);

    for (int32_t t = 0; t < problem->n_periods; t++) {
        double level = l->periods[t] ? iso_limit_level(plan, l, t) : needed;
        needed = l->minimum ? fmin(needed, level) : fmax(needed, level);
    }
    return needed;
}

/* The window with the largest overrun, or -1 when several are over (then all are raised alike). */
static double needed_budget(const struct iso_problem *problem, const struct iso_plan *plan,
                            int32_t budget, int32_t *ret_window)
{
    double most = 0;
    int32_t n_over = 0;

    for (int32_t w = 0; w < problem->budgets[budget].n_windows; w++) {
        double over = iso_budget_spend(problem, plan, budget, w) -
                      iso_value(problem->budgets[budget].windows[w].amount);
        if (over <= 1e-9)
            continue;
        n_over++;
        if (over > most) {
            most = over;
            *ret_window = w;
        }
    }
    if (n_over != 1)
        *ret_window = -1;
    return most;
}

/* Raises the amounts of one window, or of all. Gives the memory of the new windows to the caller.
 */
static struct iso_window *raise_budget(struct iso_variant *variant, int32_t budget, int32_t window,
                                       double needed)
{
    struct iso_budget *b = &variant->budgets[budget];
    struct iso_window *windows = iso_calloc((size_t)b->n_windows, sizeof(*windows));

    if (!windows)
        return NULL;
    memcpy(windows, b->windows, (size_t)b->n_windows * sizeof(*windows));
    for (int32_t w = 0; w < b->n_windows; w++) {
        double more = window < 0 ? iso_value(windows[w].amount) + needed : needed;
        if (window < 0 || window == w)
            windows[w].amount = (iso_decimal)llround(more * 1e9);
    }
    b->windows = windows;
    b->policy = ISO_POLICY_HARD;
    return windows;
}

static enum iso_status confirm(struct iso_search *search, struct iso_relaxation *relaxation,
                               double over, struct iso_error *reterr)
{
    struct iso_variant variant __attribute__((cleanup(iso_variant_fini))) = {0};
    ISO_AUTO_MEM struct iso_window *windows = NULL;
    ISO_AUTO(iso_plan) plan = NULL;

    ISO_TRY(iso_variant_init(&variant, search->problem, reterr));
    if (relaxation->rule.kind == ISO_RULE_LIMIT) {
        variant.limits[relaxation->rule.a].bound = (iso_decimal)llround(relaxation->needed * 1e9);
    } else {
        windows = raise_budget(&variant, relaxation->rule.a, relaxation->window,
                               relaxation->window < 0 ? over : relaxation->needed);
        if (!windows)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a way out");
    }
    ISO_TRY(solve_variant(search, &variant, &plan, reterr));
    relaxation->verified = plan->has_solution;
    relaxation->cost = plan->has_solution ? iso_decimal_to_double(plan->cost) : NAN;
    return ISO_OK;
}

static double most_unserved(const struct iso_problem *problem, const struct iso_plan *plan,
                            int32_t workload, double *ret_required)
{
    double most = 0;

    for (int32_t i = 0; i < plan->n_unserved; i++)
        if (plan->unserved[i].workload == workload && iso_value(plan->unserved[i].amount) > most) {
            most = iso_value(plan->unserved[i].amount);
            *ret_required =
                iso_value(problem->workloads[workload].required[plan->unserved[i].period]);
        }
    return most;
}

/* The longest latency of a traffic in a plan. */
static double longest_latency(const struct iso_traffic *traffic, const struct iso_plan *plan,
                              struct iso_rule rule)
{
    double longest = iso_value(traffic->maximum_latency);

    for (int32_t i = 0; i < plan->n_flows; i++)
        if (plan->flows[i].workload == rule.a && plan->flows[i].traffic == rule.b)
            longest = fmax(longest, iso_value(traffic->routes[plan->flows[i].route].latency));
    return longest;
}

/* What the plan of the variant says is needed. False when the rule has no measure of its own. */
static bool measure(const struct iso_search *search, const struct iso_plan *plan,
                    struct iso_relaxation *relaxation, double *ret_over)
{
    const struct iso_problem *problem = search->problem;
    const struct iso_tier moves = {.kind = ISO_TIER_MOVES};
    int32_t a = relaxation->rule.a;

    *ret_over = 0;
    switch (relaxation->rule.kind) {
    case ISO_RULE_LIMIT:
        relaxation->current = iso_value(problem->limits[a].bound);
        relaxation->needed = needed_limit(problem, plan, a);
        return true;
    case ISO_RULE_BUDGET:
        *ret_over = rounded_up(needed_budget(problem, plan, a, &relaxation->window));
        relaxation->current = iso_value(
            problem->budgets[a].windows[relaxation->window < 0 ? 0 : relaxation->window].amount);
        relaxation->needed = relaxation->current + *ret_over;
        return problem->budgets[a].n_windows > 0;
    case ISO_RULE_DEMAND:
        relaxation->current = 0;
        *ret_over = most_unserved(problem, plan, a, &relaxation->current);
        relaxation->needed = relaxation->current - *ret_over;
        return true;
    case ISO_RULE_MOVES:
        relaxation->current = (double)problem->moves.maximum;
        relaxation->needed = iso_tier_value(problem, plan, &moves);
        return true;
    case ISO_RULE_SHARE: {
        const struct iso_share *share = &problem->workloads[a].shares[relaxation->rule.b];
        relaxation->current = iso_value(share->has_maximum ? share->maximum : share->minimum);
        relaxation->needed = share->has_maximum ? 1 : 0;
        return true;
    }
    case ISO_RULE_SURVIVE:
        relaxation->current = iso_value(problem->workloads[a].survive[relaxation->rule.b].share);
        relaxation->needed = 0;
        return true;
    case ISO_RULE_SPREAD:
        relaxation->current = problem->workloads[a].spread[relaxation->rule.b].minimum_domains;
        relaxation->needed = 1;
        return true;
    case ISO_RULE_LATENCY: {
        const struct iso_traffic *traffic = &problem->workloads[a].traffic[relaxation->rule.b];
        relaxation->current = iso_value(traffic->maximum_latency);
        relaxation->needed = longest_latency(traffic, plan, relaxation->rule);
        return true;
    }
    case ISO_RULE_AFFINITY:
    case ISO_RULE_RAMP:
    case ISO_RULE_BOX:
        relaxation->current = 1;
        relaxation->needed = 0;
        return true;
    default:
        return false;
    }
}

static void loosen(struct iso_variant *variant, struct iso_rule rule)
{
    if (rule.kind == ISO_RULE_LIMIT) {
        variant->limits[rule.a].policy = ISO_POLICY_PREFER;
    } else if (rule.kind == ISO_RULE_BUDGET) {
        variant->budgets[rule.a].policy = ISO_POLICY_PREFER;
    } else if (rule.kind == ISO_RULE_DEMAND) {
        variant->workloads[rule.a].box = NULL; /* as if it had risen everywhere */
        variant->workloads[rule.a].service = ISO_SERVICE_PRIORITY;
        variant->workloads[rule.a].priority = 1;
        variant->workloads[rule.a].weight = ISO_DECIMAL_ONE;
    } else {
        iso_variant_drop(variant, rule);
    }
}

static enum iso_status find_one(struct iso_search *search, struct iso_rule rule,
                                struct iso_error *reterr)
{
    struct iso_variant variant __attribute__((cleanup(iso_variant_fini))) = {0};
    ISO_AUTO(iso_plan) plan = NULL;
    struct iso_relaxation relaxation = {.rule = rule, .window = -1, .cost = NAN};
    double over;

    ISO_TRY(iso_variant_init(&variant, search->problem, reterr));
    loosen(&variant, rule);
    ISO_TRY(solve_variant(search, &variant, &plan, reterr));
    if (!plan->has_solution || !measure(search, plan, &relaxation, &over))
        return ISO_OK;
    if (rule.kind == ISO_RULE_LIMIT || rule.kind == ISO_RULE_BUDGET) {
        ISO_TRY(confirm(search, &relaxation, over, reterr));
    } else {
        relaxation.verified = true;
        relaxation.cost = iso_decimal_to_double(plan->cost);
    }
    if (!iso_append(&search->plan->relaxations, &search->plan->n_relaxations, sizeof(relaxation),
                    &relaxation))
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a way out");
    return ISO_OK;
}

enum iso_status iso_find_relaxations(struct iso_search *search, struct iso_error *reterr)
{
    const struct iso_conflict *conflict =
        search->plan->n_conflicts ? &search->plan->conflicts[0] : NULL;

    for (int32_t i = 0; conflict && i < conflict->n_rules; i++)
        if (!iso_search_stops(search) && conflict->rules[i].kind != ISO_RULE_ALLOWED)
            ISO_TRY(find_one(search, conflict->rules[i], reterr));
    return ISO_OK;
}

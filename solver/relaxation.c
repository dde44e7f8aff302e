/* The ways out of conflicts: for each rule of the first one, how far it has to give so that a plan
 * exists, and what the cheapest plan then costs.
 *
 * A limit or budget becomes a PREFER, so the least violation is found before money is looked at; it
 * is then set to what is needed and solved again. A must-serve demand becomes a priority. Shares,
 * survive rules, caps on latency, or-nothing limits and the cap on moves are left out and what the
 * plan then does is what is needed.
 *
 * Where there are conflicts that share no rule, no single change can help: a plan breaks at least
 * one rule of each. Then the rule gives together with the rules of all the other conflicts, and of
 * these each in turn is asked to hold again, demands first. What cannot is part of the way out; so
 * none of its changes can be left out. */
#include <math.h>
#include <stdlib.h>
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
    return iso_find_plan(&variant->problem, &control, false, ret_plan, reterr);
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
        if (l->or_nothing && level == 0)
            continue;
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

/* Raises the amount of one window, or of all by as much. False when memory is short. */
static bool raise_budget(struct iso_variant *variant, const struct iso_change *change)
{
    struct iso_budget *b = &variant->budgets[change->rule.a];
    struct iso_window *windows = iso_variant_own(variant, b->n_windows, sizeof(*windows));

    if (!windows)
        return false;
    memcpy(windows, b->windows, (size_t)b->n_windows * sizeof(*windows));
    for (int32_t w = 0; w < b->n_windows; w++) {
        double more = change->window < 0
                          ? iso_value(windows[w].amount) + change->needed - change->current
                          : change->needed;
        if (change->window < 0 || change->window == w)
            windows[w].amount = (iso_decimal)llround(more * 1e9);
    }
    b->windows = windows;
    return true;
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
static bool measure(const struct iso_problem *problem, const struct iso_plan *plan,
                    struct iso_change *change)
{
    const struct iso_tier moves = {.kind = ISO_TIER_MOVES};
    int32_t a = change->rule.a;
    double over;

    switch (change->rule.kind) {
    case ISO_RULE_LIMIT:
        change->current = iso_value(problem->limits[a].bound);
        change->needed = needed_limit(problem, plan, a);
        return true;
    case ISO_RULE_BUDGET:
        over = rounded_up(needed_budget(problem, plan, a, &change->window));
        change->current =
            iso_value(problem->budgets[a].windows[change->window < 0 ? 0 : change->window].amount);
        change->needed = change->current + over;
        return problem->budgets[a].n_windows > 0;
    case ISO_RULE_DEMAND:
        change->current = 0;
        over = most_unserved(problem, plan, a, &change->current);
        change->needed = change->current - over;
        return true;
    case ISO_RULE_MOVES:
        change->current = (double)problem->moves.maximum;
        change->needed = iso_tier_value(problem, plan, &moves);
        return true;
    case ISO_RULE_SHARE: {
        const struct iso_share *share = &problem->workloads[a].shares[change->rule.b];
        change->current = iso_value(share->has_maximum ? share->maximum : share->minimum);
        change->needed = share->has_maximum ? 1 : 0;
        return true;
    }
    case ISO_RULE_SURVIVE:
        change->current = iso_value(problem->workloads[a].survive[change->rule.b].share);
        change->needed = 0;
        return true;
    case ISO_RULE_SPREAD:
        change->current = problem->workloads[a].spread[change->rule.b].minimum_domains;
        change->needed = 1;
        return true;
    case ISO_RULE_LATENCY: {
        const struct iso_traffic *traffic = &problem->workloads[a].traffic[change->rule.b];
        change->current = iso_value(traffic->maximum_latency);
        change->needed = longest_latency(traffic, plan, change->rule);
        return true;
    }
    case ISO_RULE_AFFINITY:
    case ISO_RULE_RAMP:
    case ISO_RULE_BOX:
        change->current = 1;
        change->needed = 0;
        return true;
    default:
        return false;
    }
}

static void loosen(struct iso_variant *variant, struct iso_rule rule)
{
    if (rule.kind == ISO_RULE_LIMIT && !variant->limits[rule.a].or_nothing) {
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

/* Rounds value * needed / required down: to 9 places, or to a whole number. */
static iso_decimal lowered(iso_decimal value, iso_decimal needed, iso_decimal required, bool whole)
{
    iso_decimal unit = whole ? ISO_DECIMAL_ONE : 1;

    if (required <= needed)
        return value;
    return (iso_decimal)iso_wide_divide((iso_wide)value * needed, (iso_wide)required * unit,
                                        ISO_ROUND_DOWN) *
           unit;
}

/* Lowers what a workload asks so far that no period requires more than `needed`, by the same share
 * with and without headroom, as it is said and where it has risen. */
static bool lower_demand(struct iso_variant *variant, const struct iso_change *change)
{
    struct iso_workload *w = &variant->workloads[change->rule.a];
    iso_decimal needed = (iso_decimal)floor(change->needed * 1e9 + 0.5);
    int32_t n = variant->problem.n_periods;
    struct iso_box *box = iso_variant_own(variant, 1, sizeof(*box));
    iso_decimal *lists = iso_variant_own(variant, 4 * n, sizeof(*lists));

    if (!box || !lists)
        return false;
    if (needed <= 0) {
        iso_variant_drop(variant, change->rule);
        return true;
    }
    for (int32_t t = 0; t < n; t++) {
        iso_decimal most = w->required[t];
        lists[t] = lowered(w->demand[t], needed, most, w->replicas);
        lists[n + t] = lowered(most, needed, most, /* whole= */ false);
        if (w->box) {
            lists[2 * n + t] = lowered(w->box->demand[t], needed, most, w->replicas);
            lists[3 * n + t] = lowered(w->box->required[t], needed, most, /* whole= */ false);
        }
    }
    if (w->box) {
        *box = (struct iso_box){.periods = w->box->periods,
                                .demand = lists + 2 * (size_t)n,
                                .required = lists + 3 * (size_t)n};
        w->box = box;
    }
    w->demand = lists;
    w->required = lists + n;
    return true;
}

/* Rules, and which of them give. */
struct trial {
    int32_t n;
    struct iso_rule *rules;
    uint8_t *gives;
};

static void trial_fini(struct trial *trial)
{
    free(trial->rules);
    free(trial->gives);
}

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a way out");
}

/* *ret_plan stays NULL where there is none. */
static enum iso_status solve_trial(struct iso_search *search, const struct trial *trial,
                                   struct iso_plan **ret_plan, struct iso_error *reterr)
{
    struct iso_variant variant __attribute__((cleanup(iso_variant_fini))) = {0};
    ISO_AUTO(iso_plan) plan = NULL;

    ISO_TRY(iso_variant_init(&variant, search->problem, reterr));
    for (int32_t i = 0; i < trial->n; i++)
        if (trial->gives[i])
            loosen(&variant, trial->rules[i]);
    ISO_TRY(solve_variant(search, &variant, &plan, reterr));
    if (plan->has_solution)
        *ret_plan = ISO_STEAL(plan);
    return ISO_OK;
}

/* Does in the variant what a change says. */
static bool apply(struct iso_variant *variant, const struct iso_change *change)
{
    switch (change->rule.kind) {
    case ISO_RULE_LIMIT:
        variant->limits[change->rule.a].bound = (iso_decimal)llround(change->needed * 1e9);
        return true;
    case ISO_RULE_BUDGET:
        return raise_budget(variant, change);
    case ISO_RULE_DEMAND:
        return lower_demand(variant, change);
    default:
        loosen(variant, change->rule);
        return true;
    }
}

/* Solves with limits, budgets and demand at what they need, and the other rules of the way out
 * loosened. *ret_hopeless: that has no plan, for certain. */
static enum iso_status confirm(struct iso_search *search, struct iso_relaxation *relaxation,
                               bool *ret_hopeless, struct iso_error *reterr)
{
    struct iso_variant variant __attribute__((cleanup(iso_variant_fini))) = {0};
    ISO_AUTO(iso_plan) plan = NULL;

    ISO_TRY(iso_variant_init(&variant, search->problem, reterr));
    for (int32_t k = -1; k < relaxation->n_more; k++)
        if (!apply(&variant, k < 0 ? &relaxation->change : &relaxation->more[k]))
            return no_memory(reterr);
    ISO_TRY(solve_variant(search, &variant, &plan, reterr));
    relaxation->verified = plan->has_solution;
    relaxation->cost = plan->has_solution ? iso_decimal_to_double(plan->cost) : NAN;
    *ret_hopeless = plan->reason == ISO_REASON_INFEASIBLE;
    return ISO_OK;
}

/* A plan that leaves some of a demand unserved may do less than one that serves a demand so much
 * lower: it moves no data for headroom, for example. Where the lower demand has no plan, none is
 * asked. False when there was none to lower. */
static bool drop_demands(struct iso_relaxation *relaxation)
{
    bool dropped = false;

    for (int32_t k = -1; k < relaxation->n_more; k++) {
        struct iso_change *change = k < 0 ? &relaxation->change : &relaxation->more[k];
        if (change->rule.kind != ISO_RULE_DEMAND || change->needed <= 0)
            continue;
        change->needed = 0;
        dropped = true;
    }
    return dropped;
}

static bool has_amount(const struct iso_rule *rule)
{
    return rule->kind == ISO_RULE_LIMIT || rule->kind == ISO_RULE_BUDGET ||
           rule->kind == ISO_RULE_DEMAND;
}

/* Reads the changes off the plan of a trial; *ret_known is false where one has no measure. */
static enum iso_status measure_all(const struct iso_search *search, const struct trial *trial,
                                   const struct iso_plan *plan, struct iso_relaxation *relaxation,
                                   bool *ret_known, struct iso_error *reterr)
{
    *ret_known = true;
    for (int32_t i = 0; i < trial->n && *ret_known; i++) {
        struct iso_change change = {.rule = trial->rules[i], .window = -1};
        if (!trial->gives[i])
            continue;
        *ret_known = measure(search->problem, plan, &change);
        if (i == 0)
            relaxation->change = change;
        else if (!iso_append(&relaxation->more, &relaxation->n_more, sizeof(change), &change))
            return no_memory(reterr);
    }
    return ISO_OK;
}

/* Adds what a trial with a plan says as a way out. */
static enum iso_status add_way(struct iso_search *search, const struct trial *trial,
                               const struct iso_plan *plan, struct iso_error *reterr)
{
    struct iso_relaxation relaxation = {.cost = iso_decimal_to_double(plan->cost),
                                        .verified = true};
    bool known, hopeless = false;
    enum iso_status status = measure_all(search, trial, plan, &relaxation, &known, reterr);

    if (status == ISO_OK && known && (relaxation.n_more > 0 || has_amount(&trial->rules[0])))
        status = confirm(search, &relaxation, &hopeless, reterr);
    if (status == ISO_OK && hopeless && drop_demands(&relaxation))
        status = confirm(search, &relaxation, &hopeless, reterr);
    if (status == ISO_OK && known && !hopeless) {
        if (iso_append(&search->plan->relaxations, &search->plan->n_relaxations, sizeof(relaxation),
                       &relaxation))
            return ISO_OK;
        status = no_memory(reterr);
    }
    free(relaxation.more);
    return status;
}

/* Asks the rules of a trial but the first to hold again, in turn, as far as a plan is left. */
static enum iso_status filter(struct iso_search *search, struct trial *trial,
                              struct iso_plan **io_plan, struct iso_error *reterr)
{
    for (int pass = 0; pass < 2; pass++)
        for (int32_t i = 1; i < trial->n && !iso_search_stops(search); i++) {
            ISO_AUTO(iso_plan) plan = NULL;
            if ((trial->rules[i].kind == ISO_RULE_DEMAND) != (pass == 0))
                continue;
            trial->gives[i] = 0;
            ISO_TRY(solve_trial(search, trial, &plan, reterr));
            if (!plan) {
                trial->gives[i] = 1;
                continue;
            }
            iso_plan_free(*io_plan);
            *io_plan = ISO_STEAL(plan);
        }
    return ISO_OK;
}

/* The way out that begins with `rule`; rules of conflicts 1 to n_apart - 1 may give with it. */
static enum iso_status find_way(struct iso_search *search, struct iso_rule rule, int32_t n_apart,
                                struct iso_error *reterr)
{
    struct trial trial __attribute__((cleanup(trial_fini))) = {0};
    ISO_AUTO(iso_plan) plan = NULL;
    int32_t n = 1;

    for (int32_t k = 1; k < n_apart; k++)
        n += search->plan->conflicts[k].n_rules;
    trial.gives = iso_calloc((size_t)n, 1);
    if (!trial.gives || !iso_append(&trial.rules, &trial.n, sizeof(rule), &rule))
        return no_memory(reterr);
    for (int32_t k = 1; k < n_apart; k++)
        for (int32_t i = 0; i < search->plan->conflicts[k].n_rules; i++)
            if (search->plan->conflicts[k].rules[i].kind != ISO_RULE_ALLOWED &&
                !iso_append(&trial.rules, &trial.n, sizeof(rule),
                            &search->plan->conflicts[k].rules[i]))
                return no_memory(reterr);
    memset(trial.gives, 1, (size_t)trial.n);
    ISO_TRY(solve_trial(search, &trial, &plan, reterr));
    if (!plan)
        return ISO_OK;
    ISO_TRY(filter(search, &trial, &plan, reterr));
    return add_way(search, &trial, plan, reterr);
}

enum iso_status iso_find_relaxations(struct iso_search *search, int32_t n_apart,
                                     struct iso_error *reterr)
{
    for (int32_t i = 0; n_apart > 0 && i < search->plan->conflicts[0].n_rules; i++) {
        struct iso_rule rule = search->plan->conflicts[0].rules[i];
        if (!iso_search_stops(search) && rule.kind != ISO_RULE_ALLOWED)
            ISO_TRY(find_way(search, rule, n_apart, reterr));
    }
    return ISO_OK;
}

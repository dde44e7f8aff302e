/* Why nothing fits: minimal conflicting sets of rules, by a deletion filter.
 *
 * Start with the rules that the ray names (all of them when there is no ray), provided that these
 * alone are infeasible. Take each out in turn: if the rest is still infeasible it stays out,
 * otherwise it is part of the conflict. What is left is minimal: without any one of its rules the
 * rest can hold. (J. W. Chinneck, "Feasibility and Infeasibility in Optimization", 2008,
 * section 6.3.)
 *
 * Then the same without all rules of the conflicts found, until the rest can hold: so there are
 * conflicts that share no rule, of each of which any plan breaks at least one. Where more are
 * wanted, conflicts are looked for that do without the first rule of each one before. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "variant.h"

#define PROBE_SECONDS 2.0

enum answer { CAN_HOLD, CANNOT_HOLD, UNKNOWN };

/* Whether the problem without the rules flagged `out` has a plan. */
static enum iso_status probe(struct iso_search *search, const struct iso_rule *rules,
                             const uint8_t *out, int32_t n, enum answer *ret_answer,
                             struct iso_error *reterr)
{
    struct iso_variant variant __attribute__((cleanup(iso_variant_fini))) = {0};
    struct iso_control control = iso_search_control(search);
    ISO_AUTO(iso_plan) plan = NULL;

    ISO_TRY(iso_variant_init(&variant, search->problem, reterr));
    for (int32_t i = 0; i < n; i++)
        if (out[i])
            iso_variant_drop(&variant, rules[i]);
    variant.problem.options.gap = 1; /* any plan will do */
    variant.problem.options.time_limit_s = fmin(PROBE_SECONDS, iso_search_left(search));
    ISO_TRY(iso_find_plan(&variant.problem, &control, false, &plan, reterr));
    *ret_answer = plan->has_solution                      ? CAN_HOLD
                  : plan->reason == ISO_REASON_INFEASIBLE ? CANNOT_HOLD
                                                          : UNKNOWN;
    return ISO_OK;
}

/* Whether a rule says how much a workload asks. */
static bool asks_of(const struct iso_rule *rule, int32_t workload)
{
    return (rule->kind == ISO_RULE_DEMAND || rule->kind == ISO_RULE_BOX) && rule->a == workload;
}

static bool same_rule(const struct iso_dual *dual, const struct iso_rule *rule)
{
    switch (dual->kind) {
    case ISO_ROW_DEMAND:
        return asks_of(rule, dual->a) || (rule->kind == ISO_RULE_ALLOWED && dual->a == rule->a);
    case ISO_ROW_LIMIT:
        return rule->kind == ISO_RULE_LIMIT && dual->a == rule->a;
    case ISO_ROW_BUDGET:
        return rule->kind == ISO_RULE_BUDGET && dual->a == rule->a;
    case ISO_ROW_SHARE_MAX:
    case ISO_ROW_SHARE_MIN:
        return rule->kind == ISO_RULE_SHARE && dual->a == rule->a && dual->b == rule->b;
    case ISO_ROW_SURVIVE:
        return (rule->kind == ISO_RULE_SURVIVE && dual->a == rule->a && dual->b == rule->b) ||
               asks_of(rule, dual->a);
    case ISO_ROW_SPREAD:
    case ISO_ROW_SPREAD_N:
        return (rule->kind == ISO_RULE_SPREAD && dual->a == rule->a && dual->b == rule->b) ||
               asks_of(rule, dual->a);
    case ISO_ROW_PRESENCE:
        return rule->kind == ISO_RULE_AFFINITY || asks_of(rule, dual->a);
    case ISO_ROW_APART:
        return rule->kind == ISO_RULE_AFFINITY && dual->a == rule->a && dual->b == rule->b;
    case ISO_ROW_RAMP:
    case ISO_ROW_RAMP_CAP:
        return rule->kind == ISO_RULE_RAMP && dual->a == rule->a;
    case ISO_ROW_FLOW:
    case ISO_ROW_ARRIVAL:
        return (rule->kind == ISO_RULE_LATENCY && dual->a == rule->a && dual->b == rule->b) ||
               (rule->kind == ISO_RULE_DEMAND && dual->a == rule->a);
    case ISO_ROW_MOVE:
    case ISO_ROW_MOVES:
        return rule->kind == ISO_RULE_MOVES;
    default:
        return false;
    }
}

/* Flags `out` the rules that the ray does not name. */
static void start_from_ray(const struct iso_plan *plan, const struct iso_rule *rules, int32_t n,
                           uint8_t *out)
{
    const struct iso_tier *tier = &plan->tiers[plan->n_tiers - 1];

    memset(out, 0, (size_t)n);
    if (tier->proof != ISO_PROOF_RAY)
        return;
    for (int32_t i = 0; i < n; i++) {
        out[i] = 1;
        for (int32_t k = 0; k < tier->n_duals; k++)
            if (same_rule(&plan->duals[tier->first_dual + k], &rules[i]))
                out[i] = 0;
    }
}

static enum iso_status filter(struct iso_search *search, const struct iso_rule *rules, uint8_t *out,
                              int32_t n, bool *ret_minimal, struct iso_error *reterr)
{
    *ret_minimal = true;
    for (int32_t i = 0; i < n; i++) {
        enum answer answer;
        if (out[i])
            continue;
        if (iso_search_stops(search)) {
            *ret_minimal = false;
            return ISO_OK;
        }
        out[i] = 1;
        ISO_TRY(probe(search, rules, out, n, &answer, reterr));
        if (answer != CANNOT_HOLD)
            out[i] = 0;
        if (answer == UNKNOWN)
            *ret_minimal = false;
    }
    return ISO_OK;
}

static enum iso_status add_conflict(struct iso_plan *plan, const struct iso_rule *rules,
                                    const uint8_t *out, int32_t n, bool minimal,
                                    struct iso_error *reterr)
{
    struct iso_conflict conflict = {.minimal = minimal};

    for (int32_t i = 0; i < n; i++)
        if (!out[i] && !iso_append(&conflict.rules, &conflict.n_rules, sizeof(rules[i]), &rules[i]))
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a conflict");
    if (iso_append(&plan->conflicts, &plan->n_conflicts, sizeof(conflict), &conflict))
        return ISO_OK;
    free(conflict.rules);
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a conflict");
}

/* Rules, which of them are out, and those broken by conflicts found before. */
struct hunt {
    int32_t n;
    struct iso_rule *rules;
    uint8_t *out, *gone;
};

static void hunt_fini(struct hunt *hunt)
{
    free(hunt->rules);
    free(hunt->out);
    free(hunt->gone);
}

static enum iso_status hunt_init(struct hunt *hunt, const struct iso_problem *problem,
                                 struct iso_error *reterr)
{
    ISO_TRY(iso_rules_of(problem, &hunt->rules, &hunt->n, reterr));
    hunt->out = iso_calloc((size_t)hunt->n, 1);
    hunt->gone = iso_calloc((size_t)hunt->n, 1);
    if (hunt->out && hunt->gone)
        return ISO_OK;
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a conflict");
}

/* Adds a conflict of the rules that are not out, if they cannot hold together. */
static enum iso_status find_one(struct iso_search *search, struct hunt *hunt,
                                enum answer *ret_answer, struct iso_error *reterr)
{
    bool minimal;

    ISO_TRY(probe(search, hunt->rules, hunt->out, hunt->n, ret_answer, reterr));
    if (*ret_answer != CANNOT_HOLD)
        return ISO_OK;
    ISO_TRY(filter(search, hunt->rules, hunt->out, hunt->n, &minimal, reterr));
    return add_conflict(search->plan, hunt->rules, hunt->out, hunt->n, minimal, reterr);
}

static void take_away(struct hunt *hunt)
{
    for (int32_t i = 0; i < hunt->n; i++)
        if (!hunt->out[i])
            hunt->gone[i] = 1;
}

static void take_first(struct hunt *hunt, const struct iso_conflict *conflict)
{
    for (int32_t i = 0; i < hunt->n; i++)
        if (conflict->n_rules > 0 &&
            memcmp(&hunt->rules[i], conflict->rules, sizeof(struct iso_rule)) == 0)
            hunt->gone[i] = 1;
}

/* Conflicts that share no rule, at most so many, until the rest can hold. */
static enum iso_status find_apart(struct iso_search *search, struct hunt *hunt, int32_t most,
                                  struct iso_error *reterr)
{
    enum answer answer;

    start_from_ray(search->plan, hunt->rules, hunt->n, hunt->out);
    ISO_TRY(find_one(search, hunt, &answer, reterr));
    if (answer == CANNOT_HOLD)
        take_away(hunt);
    do {
        if (iso_search_stops(search) || search->plan->n_conflicts == most)
            return ISO_OK;
        memcpy(hunt->out, hunt->gone, (size_t)hunt->n);
        ISO_TRY(find_one(search, hunt, &answer, reterr));
        if (answer == CANNOT_HOLD)
            take_away(hunt);
    } while (answer == CANNOT_HOLD);
    return ISO_OK;
}

enum iso_status iso_find_conflicts(struct iso_search *search, int32_t *ret_n_apart,
                                   struct iso_error *reterr)
{
    struct hunt hunt __attribute__((cleanup(hunt_fini))) = {0};
    int32_t wanted = search->problem->options.maximum_conflicts;
    struct iso_plan *plan = search->plan;
    enum answer answer;

    ISO_TRY(hunt_init(&hunt, search->problem, reterr));
    ISO_TRY(find_apart(search, &hunt, wanted > 0 ? wanted : ISO_MOST_CONFLICTS, reterr));
    *ret_n_apart = plan->n_conflicts;
    memset(hunt.gone, 0, (size_t)hunt.n);
    for (int32_t k = 0; k < plan->n_conflicts && plan->n_conflicts < wanted; k++) {
        take_first(&hunt, &plan->conflicts[k]);
        if (k < plan->n_conflicts - 1)
            continue;
        memcpy(hunt.out, hunt.gone, (size_t)hunt.n);
        ISO_TRY(find_one(search, &hunt, &answer, reterr));
    }
    return ISO_OK;
}

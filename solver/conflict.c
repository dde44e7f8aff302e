/* Why nothing fits: a minimal conflicting set of rules, by a deletion filter.
 *
 * Start with the rules that the ray names (all of them when there is no ray), provided that these
 * alone are infeasible. Take each out in turn: if the rest is still infeasible it stays out,
 * otherwise it is part of the conflict. What is left is minimal: without any one of its rules the
 * rest can hold. (J. W. Chinneck, "Feasibility and Infeasibility in Optimization", 2008,
 * section 6.3.) */
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
    ISO_TRY(iso_optimise(&variant.problem, &control, false, &plan, reterr));
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

enum iso_status iso_find_conflicts(struct iso_search *search, struct iso_error *reterr)
{
    ISO_AUTO_MEM struct iso_rule *rules = NULL;
    int32_t n, wanted = search->problem->options.maximum_conflicts;

    ISO_TRY(iso_rules_of(search->problem, &rules, &n, reterr));
    ISO_AUTO_MEM uint8_t *out = iso_calloc((size_t)n, 1);
    ISO_AUTO_MEM uint8_t *gone = iso_calloc((size_t)n, 1); /* broken by a conflict found before */
    if (!out || !gone)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a conflict");
    for (int32_t k = 0; k < (wanted > 0 ? wanted : 1); k++) {
        enum answer answer = UNKNOWN;
        bool minimal;
        if (k == 0) {
            start_from_ray(search->plan, rules, n, out);
            ISO_TRY(probe(search, rules, out, n, &answer, reterr));
        }
        if (answer != CANNOT_HOLD) {
            memcpy(out, gone, (size_t)n);
            ISO_TRY(probe(search, rules, out, n, &answer, reterr));
        }
        if (answer != CANNOT_HOLD)
            return ISO_OK;
        ISO_TRY(filter(search, rules, out, n, &minimal, reterr));
        ISO_TRY(add_conflict(search->plan, rules, out, n, minimal, reterr));
        for (int32_t i = 0; i < n; i++)
            if (!out[i]) {
                gone[i] = 1; /* the next conflict does without its first rule */
                break;
            }
    }
    return ISO_OK;
}

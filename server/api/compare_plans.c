/* ComparePlans: the cost bridge.
 *
 * C_0 is the cost of the first plan as it is stored. C_k is the cost of a solve of the first plan's
 * inputs with the groups 1..k of the second's; where group k is the same in both, C_k = C_(k-1) and
 * nothing is solved. C_7 is the cost of the second plan as it is stored. The effects are
 * C_k - C_(k-1); they add up to C_7 - C_0 whatever the solves found, exactly, as all are decimals.
 * A C_k that is not there (no plan with that mix) is left out of the sum: the next that is there is
 * compared with the one before it. */
#include <stdio.h>

#include "input_groups.h"
#include "isocost/proto/money.h"
#include "line_changes.h"
#include "message_new.h"
#include "study.h"

#define LINES_MAX 1000
#define N_STEPS ISOCOST__V1__INPUT_GROUP__INPUT_GROUP_CHOICE

typedef Isocost__V1__BridgeStep Step;

struct bridge {
    struct iso_study *study;
    struct iso_inputs before, after;
    struct iso_differences differences[ISO_N_INPUT_GROUPS];
    int last_changed; /* group; 0: none is */
    const char *currency;
    Isocost__V1__PlanComparison *comparison;
    Step *steps[N_STEPS];
    const Isocost__V1__Plan *at; /* of the last step that has one */
};

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_LIMIT, "", "no memory to compare the plans");
}

/* --- inputs --- */

static const char *base_currency(const Isocost__V1__Model *model)
{
    return model->currency && model->currency->base_currency[0] ? model->currency->base_currency
                                                                : "USD";
}

static bool same_catalogs(const struct iso_study_plan *a, const struct iso_study_plan *b,
                          struct iso_arena *arena)
{
    const Isocost__V1__Catalog none = ISOCOST__V1__CATALOG__INIT;
    Isocost__V1__Catalog left = a->model->catalog ? *a->model->catalog : none;
    Isocost__V1__Catalog right = b->model->catalog ? *b->model->catalog : none;
    struct iso_differences differences = {.arena = arena};

    left.snapshot_digest = right.snapshot_digest = NULL; /* what was used is compared */
    iso_differences_add(&differences, "", &left.base, &right.base);
    return differences.n == 0 && strcmp(a->snapshot_digest, b->snapshot_digest) == 0;
}

static enum iso_status prepare(struct bridge *bridge, struct iso_error *reterr)
{
    struct iso_study *study = bridge->study;
    const struct iso_study_plan *a = &study->plans[0], *b = &study->plans[1];
    struct iso_flat_catalog *before = NULL, *after = NULL;

    if (!same_catalogs(a, b, study->arena)) {
        ISO_TRY(iso_catalog_flatten(a->model, a->snapshot, study->arena, &before, reterr));
        ISO_TRY(iso_catalog_flatten(b->model, b->snapshot, study->arena, &after, reterr));
    }
    bridge->before = (struct iso_inputs){.model = a->model, .catalog = before};
    bridge->after = (struct iso_inputs){.model = b->model, .catalog = after};
    ISO_TRY(iso_input_groups_compare(&bridge->before, &bridge->after, study->arena,
                                     bridge->differences, reterr));
    for (int group = ISO_FIRST_INPUT_GROUP; group <= ISO_LAST_INPUT_GROUP; group++)
        if (bridge->differences[group].n > 0)
            bridge->last_changed = group;
    return ISO_OK;
}

/* --- steps --- */

static Google__Type__Money *money(const struct bridge *bridge, iso_decimal amount)
{
    return iso_money_from_decimal(amount, bridge->currency, bridge->study->arena);
}

/* The step ends at this plan. */
static enum iso_status arrive(struct bridge *bridge, Step *step, const Isocost__V1__Plan *plan,
                              struct iso_error *reterr)
{
    iso_decimal effect = 0;

    if (!iso_wide_to_decimal((iso_wide)iso_study_cost(plan) - iso_study_cost(bridge->at), &effect))
        return iso_fail(reterr, ISO_E_LIMIT, "", "the costs of the plans are too far apart");
    step->cost = plan->cost;
    step->objective = plan->objective;
    step->effect = money(bridge, effect);
    step->gap_before = iso_study_money(bridge->at)->gap;
    step->gap_after = iso_study_money(plan)->gap;
    bridge->at = plan;
    return step->effect ? ISO_OK : no_memory(reterr);
}

/* The step has no cost of its own. */
static enum iso_status pass(struct bridge *bridge, Step *step, const char *why,
                            struct iso_error *reterr)
{
    step->joined = true;
    step->effect = money(bridge, 0);
    step->gap_before = step->gap_after = iso_study_money(bridge->at)->gap;
    step->note =
        iso_arena_printf(bridge->study->arena,
                         "%s; so this effect is part of that of the next step with a cost", why);
    return step->note && step->effect ? ISO_OK : no_memory(reterr);
}

/* The inputs of a step; NULL with *ret_why when they do not go together. */
static enum iso_status mix(struct bridge *bridge, int group, const Isocost__V1__Model **ret_model,
                           const char **ret_why, struct iso_error *reterr)
{
    struct iso_study *study = bridge->study;
    struct iso_violations violations = {.arena = study->arena};
    const Isocost__V1__Model *model;

    *ret_model = NULL;
    if (group == bridge->last_changed) { /* nothing of the first is left */
        *ret_model = iso_study_model(study, study->plans[1].model);
        return *ret_model ? ISO_OK : no_memory(reterr);
    }
    model = iso_input_groups_mix(&bridge->before, &bridge->after, group, study->arena);
    if (!model)
        return no_memory(reterr);
    iso_model_check(model, "model", &violations);
    if (violations.n == 0)
        *ret_model = model;
    else
        *ret_why = iso_arena_printf(study->arena,
                                    "what is the same until here and what is not do not go "
                                    "together (%s: %s)",
                                    violations.items[0].field, violations.items[0].text);
    return *ret_model || *ret_why ? ISO_OK : no_memory(reterr);
}

static const char *why_no_cost(const struct iso_study_case *solved, struct iso_arena *arena)
{
    const Isocost__V1__Plan *plan = solved->plan;

    if (!plan)
        return solved->why_not;
    if (plan->termination &&
        plan->termination->reason == ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_INFEASIBLE)
        return "no plan can meet these inputs together";
    return iso_arena_strdup(arena, "no plan was found for these inputs in time");
}

static enum iso_status solve_step(struct bridge *bridge, Step *step, struct iso_error *reterr)
{
    struct iso_study_case solved = {0};
    const char *why = NULL;

    ISO_TRY(mix(bridge, (int)step->group, &solved.model, &why, reterr));
    if (!solved.model)
        return pass(bridge, step, why, reterr);
    ISO_TRY(
        iso_study_solve(bridge->study, &solved, 1, ISO_STUDY_TOTALS, bridge->study->arena, reterr));
    if (!iso_study_has_cost(solved.plan)) {
        why = why_no_cost(&solved, bridge->study->arena);
        return why ? pass(bridge, step, why, reterr) : no_memory(reterr);
    }
    return arrive(bridge, step, solved.plan, reterr);
}

static const char *name_of(int group)
{
    static const char *const names[] = {"",       "rates",       "list prices", "catalog",
                                        "demand", "commitments", "rules",       "choice"};

    return names[group];
}

static enum iso_status take_step(struct bridge *bridge, int group, struct iso_error *reterr)
{
    Step *step = iso_message_new(bridge->study->arena, &isocost__v1__bridge_step__descriptor);

    if (!step)
        return no_memory(reterr);
    bridge->comparison->steps[bridge->comparison->n_steps++] = step;
    bridge->study->doing = name_of(group);
    step->group = (Isocost__V1__InputGroup)group;
    if (group > ISO_LAST_INPUT_GROUP) {
        step->changed = true;
        return arrive(bridge, step, bridge->study->plans[1].plan, reterr);
    }
    step->change_count = bridge->differences[group].n;
    step->changes = bridge->differences[group].texts;
    step->n_changes = bridge->differences[group].n_texts;
    step->changed = step->change_count > 0;
    return step->changed ? solve_step(bridge, step, reterr)
                         : arrive(bridge, step, bridge->at, reterr);
}

/* --- the whole --- */

static enum iso_status compare_lines(struct bridge *bridge, struct iso_error *reterr)
{
    struct iso_study *study = bridge->study;
    struct iso_line_sums sums = {.arena = study->arena};
    size_t n = 0;

    for (int side = 0; side < 2; side++)
        ISO_TRY(iso_line_sums_add_packed(&sums, study->plans[side].lines,
                                         study->plans[side].plan->id, side, reterr));
    bridge->comparison->lines = iso_line_sums_changes(&sums, bridge->currency, LINES_MAX, &n);
    if (!bridge->comparison->lines)
        return no_memory(reterr);
    bridge->comparison->n_lines = n < LINES_MAX ? n : LINES_MAX;
    bridge->comparison->line_change_count = (int32_t)n;
    return ISO_OK;
}

static enum iso_status summarise(struct bridge *bridge, struct iso_error *reterr)
{
    const Isocost__V1__Plan *a = bridge->study->plans[0].plan, *b = bridge->study->plans[1].plan;
    Isocost__V1__PlanComparison *comparison = bridge->comparison;
    iso_decimal difference = 0;

    if (!iso_wide_to_decimal((iso_wide)iso_study_cost(b) - iso_study_cost(a), &difference))
        return iso_fail(reterr, ISO_E_LIMIT, "", "the costs of the plans are too far apart");
    comparison->plan_id = a->id;
    comparison->other_plan_id = b->id;
    comparison->cost = a->cost;
    comparison->other_cost = b->cost;
    comparison->difference = money(bridge, difference);
    comparison->solves = bridge->study->n_solves;
    return comparison->difference ? ISO_OK : no_memory(reterr);
}

static enum iso_status compare(struct iso_study *study, struct iso_error *reterr)
{
    Isocost__V1__PlanComparison comparison = ISOCOST__V1__PLAN_COMPARISON__INIT;
    Isocost__V1__ComparePlansResponse response = ISOCOST__V1__COMPARE_PLANS_RESPONSE__INIT;
    struct bridge bridge = {.study = study,
                            .comparison = &comparison,
                            .currency = base_currency(study->plans[0].model),
                            .at = study->plans[0].plan};

    comparison.steps = bridge.steps;
    ISO_TRY(prepare(&bridge, reterr));
    for (int group = ISO_FIRST_INPUT_GROUP; group <= N_STEPS; group++)
        ISO_TRY(take_step(&bridge, group, reterr));
    ISO_TRY(compare_lines(&bridge, reterr));
    ISO_TRY(summarise(&bridge, reterr));
    response.event_case = ISOCOST__V1__COMPARE_PLANS_RESPONSE__EVENT_COMPARISON;
    response.comparison = &comparison;
    iso_call_send(study->call, &response.base);
    return ISO_OK;
}

static enum iso_status check_plans(const struct iso_study *study, struct iso_error *reterr)
{
    static const char *const fields[] = {"plan_id", "other_plan_id"};
    const char *currencies[2];

    for (int i = 0; i < 2; i++) {
        const struct iso_study_plan *loaded = &study->plans[i];
        if (!iso_study_has_cost(loaded->plan))
            return iso_fail(reterr, ISO_E_PRECONDITION, fields[i],
                            "plan %s has no cost: %s; ExplainPlan tells what would repair it",
                            loaded->plan->id,
                            loaded->plan->termination && loaded->plan->termination->detail[0]
                                ? loaded->plan->termination->detail
                                : "nothing is possible or was found");
        currencies[i] = base_currency(loaded->model);
    }
    if (strcmp(currencies[0], currencies[1]) != 0)
        return iso_fail(reterr, ISO_E_PRECONDITION, fields[1],
                        "its costs are in %s and those of the first plan in %s; compare plans of "
                        "one base currency",
                        currencies[1], currencies[0]);
    return ISO_OK;
}

enum iso_status iso_compare_plans(struct iso_call *call, void *service, struct iso_error *reterr)
{
    const Isocost__V1__ComparePlansRequest *request =
        (const Isocost__V1__ComparePlansRequest *)iso_call_request(call);
    ISO_AUTO(iso_study) study = NULL;

    ISO_TRY(iso_study_new(service, call, request->time_limit_seconds,
                          &isocost__v1__compare_plans_response__descriptor, &study, reterr));
    ISO_TRY(iso_study_load(study, request->plan_id, "plan_id", reterr));
    ISO_TRY(iso_study_load(study, request->other_plan_id, "other_plan_id", reterr));
    ISO_TRY(check_plans(study, reterr));
    study->run = compare;
    ISO_TRY(iso_study_start(study, reterr));
    study = NULL; /* the thread's now */
    return ISO_OK;
}

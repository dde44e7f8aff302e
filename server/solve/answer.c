#include "answer.h"

#include "answer_columns.h"
#include "answer_runs.h"
#include "message_new.h"

/* Shorter names of the generated messages. */
typedef Isocost__Internal__V1__Answer Answer;
typedef Isocost__Internal__V1__Rule Rule;

static Rule *pack_rule(struct iso_rule rule, struct iso_arena *arena)
{
    Rule *message = iso_message_new(arena, &isocost__internal__v1__rule__descriptor);
    if (message) {
        message->kind = (int32_t)rule.kind;
        message->a = rule.a;
        message->b = rule.b;
    }
    return message;
}

/* A copy of plain values; NULL for none or when the arena is full. */
static void *copy_values(struct iso_arena *arena, const void *values, size_t n, size_t width)
{
    void *copy = n ? iso_arena_calloc(arena, n, width) : NULL;
    return copy ? memcpy(copy, values, n * width) : NULL;
}

static void pack_uses(const struct iso_plan *plan, Answer *answer, struct iso_arena *arena)
{
    struct iso_run *runs;
    size_t n;

    if (!iso_runs_of_uses(plan, arena, &runs, &n))
        return;
    int32_t **const columns[] = {&answer->use_period, &answer->use_n_periods, &answer->use_workload,
                                 &answer->use_offering};
    answer->use_count = iso_arena_calloc(arena, n, sizeof(*answer->use_count));
    for (size_t k = 0; k < ISO_ARRAY_LENGTH(columns); k++)
        *columns[k] = iso_arena_calloc(arena, n, sizeof(**columns[k]));
    if (iso_arena_full(arena))
        return;
    answer->n_use_period = answer->n_use_n_periods = answer->n_use_workload =
        answer->n_use_offering = answer->n_use_count = n;
    for (size_t i = 0; i < n; i++) {
        answer->use_period[i] = runs[i].period;
        answer->use_n_periods[i] = runs[i].n_periods;
        answer->use_workload[i] = runs[i].keys[0];
        answer->use_offering[i] = runs[i].keys[1];
        answer->use_count[i] = runs[i].amount;
    }
}

static void pack_covers(const struct iso_plan *plan, Answer *answer, struct iso_arena *arena)
{
    struct iso_run *runs;
    size_t n;

    if (!iso_runs_of_covers(plan, arena, &runs, &n))
        return;
    int32_t **const columns[] = {&answer->cover_period, &answer->cover_n_periods,
                                 &answer->cover_cell, &answer->cover_offering,
                                 &answer->cover_product};
    answer->cover_instances = iso_arena_calloc(arena, n, sizeof(*answer->cover_instances));
    for (size_t k = 0; k < ISO_ARRAY_LENGTH(columns); k++)
        *columns[k] = iso_arena_calloc(arena, n, sizeof(**columns[k]));
    if (iso_arena_full(arena))
        return;
    answer->n_cover_period = answer->n_cover_n_periods = answer->n_cover_cell =
        answer->n_cover_offering = answer->n_cover_product = answer->n_cover_instances = n;
    for (size_t i = 0; i < n; i++) {
        answer->cover_period[i] = runs[i].period;
        answer->cover_n_periods[i] = runs[i].n_periods;
        answer->cover_cell[i] = runs[i].keys[0];
        answer->cover_offering[i] = runs[i].keys[1];
        answer->cover_product[i] = runs[i].keys[2];
        answer->cover_instances[i] = runs[i].amount;
    }
}

static void pack_tiers(const struct iso_plan *plan, Answer *answer, struct iso_arena *arena)
{
    answer->n_tiers = (size_t)plan->n_tiers;
    answer->tiers = (Isocost__Internal__V1__Tier **)iso_messages_new(
        arena, answer->n_tiers, &isocost__internal__v1__tier__descriptor);
    for (int32_t i = 0; answer->tiers && i < plan->n_tiers; i++) {
        const struct iso_tier *from = &plan->tiers[i];
        Isocost__Internal__V1__Tier *to = answer->tiers[i];
        to->kind = (int32_t)from->kind;
        to->priority = from->priority;
        to->worst = from->worst;
        to->value = from->value;
        to->bound = from->bound;
        to->tolerance = from->tolerance;
        to->frozen = from->frozen;
        to->proof = (int32_t)from->proof;
        to->checked_bound = from->checked_bound;
        to->first_dual = from->first_dual;
        to->n_duals = from->n_duals;
    }
}

static void pack_proofs(const struct iso_plan *plan, Answer *answer, struct iso_arena *arena)
{
    answer->n_value_functions = (size_t)plan->n_value_functions;
    answer->value_functions = (Isocost__Internal__V1__ValueFunction **)iso_messages_new(
        arena, answer->n_value_functions, &isocost__internal__v1__value_function__descriptor);
    for (int32_t i = 0; answer->value_functions && i < plan->n_value_functions; i++) {
        const struct iso_value_function *from = &plan->value_functions[i];
        Isocost__Internal__V1__ValueFunction *to = answer->value_functions[i];
        to->workload = from->workload;
        to->step = from->step;
    }

    answer->n_components = (size_t)plan->n_components;
    answer->components = (Isocost__Internal__V1__Component **)iso_messages_new(
        arena, answer->n_components, &isocost__internal__v1__component__descriptor);
    for (int32_t i = 0; answer->components && i < plan->n_components; i++) {
        const struct iso_component *from = &plan->components[i];
        Isocost__Internal__V1__Component *to = answer->components[i];
        to->n_workloads = (size_t)from->n_workloads;
        to->workloads =
            copy_values(arena, from->workloads, to->n_workloads, sizeof(*to->workloads));
        to->strategy = iso_arena_strdup(arena, from->strategy ? from->strategy : "");
        to->why = iso_arena_strdup(arena, from->why ? from->why : "");
        to->proof = (int32_t)from->proof;
    }
}

static void pack_explanations(const struct iso_plan *plan, Answer *answer, struct iso_arena *arena)
{
    answer->n_bindings = (size_t)plan->n_bindings;
    answer->bindings = (Isocost__Internal__V1__Binding **)iso_messages_new(
        arena, answer->n_bindings, &isocost__internal__v1__binding__descriptor);
    for (int32_t i = 0; answer->bindings && i < plan->n_bindings; i++) {
        const struct iso_binding *from = &plan->bindings[i];
        Isocost__Internal__V1__Binding *to = answer->bindings[i];
        to->rule = pack_rule(from->rule, arena);
        to->period = from->period;
        to->value = from->value;
        to->limit = from->limit;
        to->worth = from->worth;
    }

    answer->n_runners_up = (size_t)plan->n_runners_up;
    answer->runners_up = (Isocost__Internal__V1__RunnerUp **)iso_messages_new(
        arena, answer->n_runners_up, &isocost__internal__v1__runner_up__descriptor);
    for (int32_t i = 0; answer->runners_up && i < plan->n_runners_up; i++) {
        const struct iso_runner_up *from = &plan->runners_up[i];
        Isocost__Internal__V1__RunnerUp *to = answer->runners_up[i];
        to->cell = from->cell;
        to->workload = from->workload;
        to->period = from->period;
        to->chosen = from->chosen;
        to->offering = from->offering;
        to->chosen_unit_cost = from->chosen_unit_cost;
        to->unit_cost = from->unit_cost;
        to->blocked = from->blocked;
        if (from->blocked)
            to->blocker = pack_rule(from->blocker, arena);
        to->reduced_cost = from->reduced_cost;
        to->resolved = from->resolved;
    }

    answer->n_baselines = (size_t)plan->n_baselines;
    answer->baselines = (Isocost__Internal__V1__Baseline **)iso_messages_new(
        arena, answer->n_baselines, &isocost__internal__v1__baseline__descriptor);
    for (int32_t i = 0; answer->baselines && i < plan->n_baselines; i++) {
        const struct iso_baseline *from = &plan->baselines[i];
        Isocost__Internal__V1__Baseline *to = answer->baselines[i];
        to->kind = (int32_t)from->kind;
        to->provider = from->provider;
        to->feasible = from->feasible;
        to->known = from->known;
        to->cost = from->cost;
        to->bound = from->bound;
    }
}

static void pack_change(const struct iso_change *from, Isocost__Internal__V1__Change *to,
                        struct iso_arena *arena)
{
    if (!to)
        return;
    to->rule = pack_rule(from->rule, arena);
    to->window = from->window;
    to->current = from->current;
    to->needed = from->needed;
}

static void pack_conflicts(const struct iso_plan *plan, Answer *answer, struct iso_arena *arena)
{
    answer->n_conflicts = (size_t)plan->n_conflicts;
    answer->conflicts = (Isocost__Internal__V1__Conflict **)iso_messages_new(
        arena, answer->n_conflicts, &isocost__internal__v1__conflict__descriptor);
    for (int32_t i = 0; answer->conflicts && i < plan->n_conflicts; i++) {
        const struct iso_conflict *from = &plan->conflicts[i];
        Isocost__Internal__V1__Conflict *to = answer->conflicts[i];
        to->minimal = from->minimal;
        to->rules = (Rule **)iso_messages_new(arena, (size_t)from->n_rules,
                                              &isocost__internal__v1__rule__descriptor);
        for (int32_t k = 0; to->rules && k < from->n_rules; k++)
            to->rules[k] = pack_rule(from->rules[k], arena);
        to->n_rules = (size_t)from->n_rules;
    }

    answer->n_relaxations = (size_t)plan->n_relaxations;
    answer->relaxations = (Isocost__Internal__V1__Relaxation **)iso_messages_new(
        arena, answer->n_relaxations, &isocost__internal__v1__relaxation__descriptor);
    for (int32_t i = 0; answer->relaxations && i < plan->n_relaxations; i++) {
        const struct iso_relaxation *from = &plan->relaxations[i];
        Isocost__Internal__V1__Relaxation *to = answer->relaxations[i];
        to->change = iso_message_new(arena, &isocost__internal__v1__change__descriptor);
        pack_change(&from->change, to->change, arena);
        to->cost = from->cost;
        to->verified = from->verified;
        to->more = (Isocost__Internal__V1__Change **)iso_messages_new(
            arena, (size_t)from->n_more, &isocost__internal__v1__change__descriptor);
        for (int32_t k = 0; to->more && k < from->n_more; k++)
            pack_change(&from->more[k], to->more[k], arena);
        to->n_more = to->more ? (size_t)from->n_more : 0;
    }
}

static void pack_stats(const struct iso_plan_stats *from, Answer *answer, struct iso_arena *arena)
{
    Isocost__Internal__V1__Stats *to =
        iso_message_new(arena, &isocost__internal__v1__stats__descriptor);
    answer->stats = to;
    if (!to)
        return;
    to->columns = from->columns;
    to->columns_solved = from->columns_solved;
    to->rows_solved = from->rows_solved;
    to->integer_columns = from->integer_columns;
    to->dominated = from->dominated;
    to->iterations = from->iterations;
    to->nodes = from->nodes;
    to->seconds = from->seconds;
}

/* Each in its own bytes. */
static void pack_alternatives(const struct iso_plan *plan, Answer *answer, struct iso_arena *arena)
{
    answer->alternatives =
        iso_arena_calloc(arena, (size_t)plan->n_alternatives, sizeof(*answer->alternatives));
    for (int32_t i = 0; answer->alternatives && i < plan->n_alternatives; i++) {
        const Answer *one = iso_answer_from_plan(plan->alternatives[i], arena);
        size_t n_bytes = one ? isocost__internal__v1__answer__get_packed_size(one) : 0;
        uint8_t *bytes = one ? iso_arena_calloc(arena, n_bytes, 1) : NULL;
        if (!bytes)
            return;
        isocost__internal__v1__answer__pack(one, bytes);
        answer->alternatives[i] = (ProtobufCBinaryData){n_bytes, bytes};
        answer->n_alternatives++;
    }
}

Answer *iso_answer_from_plan(const struct iso_plan *plan, struct iso_arena *arena)
{
    Answer *answer = iso_message_new(arena, &isocost__internal__v1__answer__descriptor);
    if (!answer)
        return NULL;

    answer->reason = (int32_t)plan->reason;
    answer->stop = (int32_t)plan->stop;
    answer->has_solution = plan->has_solution;
    answer->cost = plan->cost;
    answer->penalties = plan->penalties;
    answer->reproducible = plan->reproducible;
    pack_uses(plan, answer, arena);
    pack_covers(plan, answer, arena);
    for (const struct iso_column_group *group = iso_answer_groups; group->name; group++)
        iso_columns_gather(group, plan, answer, arena);
    pack_tiers(plan, answer, arena);
    pack_proofs(plan, answer, arena);
    pack_explanations(plan, answer, arena);
    pack_conflicts(plan, answer, arena);
    pack_alternatives(plan, answer, arena);
    pack_stats(&plan->stats, answer, arena);
    return iso_arena_full(arena) ? NULL : answer;
}

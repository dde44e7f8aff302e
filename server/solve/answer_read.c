/* From an Answer back to a plan. The sender is a process that may have gone wrong. */
#include "answer.h"
#include "answer_columns.h"
#include "answer_runs.h"
#include "isocost/ledger.h"
#include "isocost/proto/wire.h"

typedef Isocost__Internal__V1__Answer Answer;

/* Largest values of the enums of a plan. */
enum {
    LAST_REASON = ISO_REASON_UNBOUNDED,
    LAST_STOP = ISO_STOP_DEADLINE,
    LAST_TIER = ISO_TIER_FAIR,
    LAST_PROOF = ISO_PROOF_COUNTING,
    LAST_RULE = ISO_RULE_BOX,
    LAST_BASELINE = ISO_BASELINE_ON_DEMAND,
};

static enum iso_status check_enum(const char *field, int64_t value, int last,
                                  struct iso_error *reterr)
{
    if (value < 0 || value > last)
        return iso_fail(reterr, ISO_E_INVALID, field, "value is %lld; it must be in [0, %d]",
                        (long long)value, last);
    return ISO_OK;
}

/* n zeroed rows, the count of which goes to *ret_n. */
static enum iso_status new_rows(const char *field, size_t n, size_t row_bytes, int32_t *ret_n,
                                void *ret_rows, struct iso_error *reterr)
{
    if (n > INT32_MAX)
        return iso_fail(reterr, ISO_E_INVALID, field, "%zu rows are too many", n);
    void *rows = iso_calloc(n, row_bytes);
    if (!rows)
        return iso_fail(reterr, ISO_E_NOMEM, field, "no memory for %zu rows", n);
    *ret_n = (int32_t)n;
    memcpy(ret_rows, &rows, sizeof(rows));
    return ISO_OK;
}

static enum iso_status read_rule(const Isocost__Internal__V1__Rule *rule, const char *field,
                                 struct iso_rule *ret_rule, struct iso_error *reterr)
{
    if (!rule)
        return iso_fail(reterr, ISO_E_INVALID, field, "the rule is missing");
    ISO_TRY(check_enum(field, rule->kind, LAST_RULE, reterr));
    *ret_rule =
        (struct iso_rule){.kind = (enum iso_rule_kind)rule->kind, .a = rule->a, .b = rule->b};
    return ISO_OK;
}

/* The entries of all fills follow each other and there are no others. */
static enum iso_status place_entries(struct iso_plan *plan, struct iso_error *reterr)
{
    int64_t next = 0;
    for (int32_t i = 0; i < plan->n_fills; i++) {
        struct iso_fill *fill = &plan->fills[i];
        if (fill->n_entries < 0 || fill->n_entries > plan->n_entries - next)
            return iso_fail(reterr, ISO_E_INVALID, "fills", "fill %d has %d entries; %lld are left",
                            i, fill->n_entries, (long long)(plan->n_entries - next));
        fill->first_entry = (int32_t)next;
        next += fill->n_entries;
    }
    if (next != plan->n_entries)
        return iso_fail(reterr, ISO_E_INVALID, "entries", "%d entries, of which %lld are used",
                        plan->n_entries, (long long)next);
    return ISO_OK;
}

static enum iso_status unequal_columns(const char *field, struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_INVALID, field, "columns differ in length");
}

static enum iso_status read_uses(const Answer *answer, int32_t n_periods, struct iso_plan *plan,
                                 struct iso_error *reterr)
{
    size_t n = answer->n_use_period;
    ISO_AUTO_MEM struct iso_run *runs = iso_calloc(n, sizeof(*runs));

    if (!runs)
        return iso_fail(reterr, ISO_E_NOMEM, "uses", "no memory for %zu runs", n);
    if (answer->n_use_n_periods != n || answer->n_use_workload != n ||
        answer->n_use_offering != n || answer->n_use_count != n)
        return unequal_columns("uses", reterr);
    for (size_t i = 0; i < n; i++)
        runs[i] = (struct iso_run){answer->use_period[i],
                                   answer->use_n_periods[i],
                                   {answer->use_workload[i], answer->use_offering[i], 0},
                                   answer->use_count[i]};
    return iso_runs_to_uses(runs, n, n_periods, plan, reterr);
}

static enum iso_status read_covers(const Answer *answer, int32_t n_periods, struct iso_plan *plan,
                                   struct iso_error *reterr)
{
    size_t n = answer->n_cover_period;
    ISO_AUTO_MEM struct iso_run *runs = iso_calloc(n, sizeof(*runs));

    if (!runs)
        return iso_fail(reterr, ISO_E_NOMEM, "covers", "no memory for %zu runs", n);
    if (answer->n_cover_n_periods != n || answer->n_cover_cell != n ||
        answer->n_cover_offering != n || answer->n_cover_product != n ||
        answer->n_cover_instances != n)
        return unequal_columns("covers", reterr);
    for (size_t i = 0; i < n; i++)
        runs[i] = (struct iso_run){
            answer->cover_period[i],
            answer->cover_n_periods[i],
            {answer->cover_cell[i], answer->cover_offering[i], answer->cover_product[i]},
            answer->cover_instances[i]};
    return iso_runs_to_covers(runs, n, n_periods, plan, reterr);
}

/* The bill follows from the rest; what the sender makes of it must be the same. */
static enum iso_status read_bill(const Answer *answer, const struct iso_problem *problem,
                                 struct iso_plan *plan, struct iso_error *reterr)
{
    if (plan->has_solution)
        ISO_TRY(iso_plan_account(problem, plan, reterr));
    if (plan->cost != answer->cost || plan->penalties != answer->penalties)
        return iso_fail(reterr, ISO_E_INVALID, "cost",
                        "is %.9f and penalties %.9f; the plan makes it %.9f and %.9f",
                        iso_decimal_to_double(answer->cost),
                        iso_decimal_to_double(answer->penalties), iso_decimal_to_double(plan->cost),
                        iso_decimal_to_double(plan->penalties));
    return ISO_OK;
}

static enum iso_status read_tiers(const Answer *answer, struct iso_plan *plan,
                                  struct iso_error *reterr)
{
    ISO_TRY(new_rows("tiers", answer->n_tiers, sizeof(*plan->tiers), &plan->n_tiers, &plan->tiers,
                     reterr));
    for (int32_t i = 0; i < plan->n_tiers; i++) {
        const Isocost__Internal__V1__Tier *from = answer->tiers[i];
        ISO_TRY(check_enum("tiers.kind", from->kind, LAST_TIER, reterr));
        ISO_TRY(check_enum("tiers.proof", from->proof, LAST_PROOF, reterr));
        if (from->first_dual < 0 || from->n_duals < 0 || from->first_dual > plan->n_duals ||
            from->n_duals > plan->n_duals - from->first_dual)
            return iso_fail(reterr, ISO_E_INVALID, "tiers.n_duals",
                            "tier %d has %d duals from %d on; there are %d", i, from->n_duals,
                            from->first_dual, plan->n_duals);
        plan->tiers[i] = (struct iso_tier){
            .kind = (enum iso_tier_kind)from->kind,
            .priority = from->priority,
            .worst = from->worst,
            .value = from->value,
            .bound = from->bound,
            .tolerance = from->tolerance,
            .frozen = from->frozen,
            .proof = (enum iso_proof)from->proof,
            .checked_bound = from->checked_bound,
            .first_dual = from->first_dual,
            .n_duals = from->n_duals,
        };
    }
    return ISO_OK;
}

static enum iso_status read_value_functions(const Answer *answer, struct iso_plan *plan,
                                            struct iso_error *reterr)
{
    ISO_TRY(new_rows("value_functions", answer->n_value_functions, sizeof(*plan->value_functions),
                     &plan->n_value_functions, &plan->value_functions, reterr));
    for (int32_t i = 0; i < plan->n_value_functions; i++) {
        const Isocost__Internal__V1__ValueFunction *from = answer->value_functions[i];
        struct iso_value_function *to = &plan->value_functions[i];
        to->workload = from->workload;
        to->step = from->step;
    }
    return ISO_OK;
}

/* Texts of a component are ours, so they are plain ASCII. */
static bool is_plain_text(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

/* The two texts live behind the workloads, in the one piece of memory that the plan frees. */
static enum iso_status read_components(const Answer *answer, struct iso_plan *plan,
                                       struct iso_error *reterr)
{
    ISO_TRY(new_rows("components", answer->n_components, sizeof(*plan->components),
                     &plan->n_components, &plan->components, reterr));
    for (int32_t i = 0; i < plan->n_components; i++) {
        const Isocost__Internal__V1__Component *from = answer->components[i];
        struct iso_component *to = &plan->components[i];
        size_t list_bytes = from->n_workloads * sizeof(*to->workloads);
        size_t strategy_bytes = strlen(from->strategy) + 1, why_bytes = strlen(from->why) + 1;

        ISO_TRY(check_enum("components.proof", from->proof, LAST_PROOF, reterr));
        if (from->n_workloads > INT32_MAX)
            return iso_fail(reterr, ISO_E_INVALID, "components.workloads", "too many workloads");
        if (!is_plain_text(from->strategy) || !is_plain_text(from->why))
            return iso_fail(reterr, ISO_E_INVALID, "components.why", "the text is not plain ASCII");
        char *memory = iso_calloc(list_bytes + strategy_bytes + why_bytes, 1);
        if (!memory)
            return iso_fail(reterr, ISO_E_NOMEM, "components", "no memory for a component");
        if (list_bytes > 0)
            memcpy(memory, from->workloads, list_bytes);
        to->workloads = (int32_t *)(void *)memory;
        to->n_workloads = (int32_t)from->n_workloads;
        to->strategy = memcpy(memory + list_bytes, from->strategy, strategy_bytes);
        to->why = memcpy(memory + list_bytes + strategy_bytes, from->why, why_bytes);
        to->proof = (enum iso_proof)from->proof;
    }
    return ISO_OK;
}

static enum iso_status read_bindings(const Answer *answer, struct iso_plan *plan,
                                     struct iso_error *reterr)
{
    ISO_TRY(new_rows("bindings", answer->n_bindings, sizeof(*plan->bindings), &plan->n_bindings,
                     &plan->bindings, reterr));
    for (int32_t i = 0; i < plan->n_bindings; i++) {
        const Isocost__Internal__V1__Binding *from = answer->bindings[i];
        struct iso_binding *to = &plan->bindings[i];
        ISO_TRY(read_rule(from->rule, "bindings.rule", &to->rule, reterr));
        to->period = from->period;
        to->value = from->value;
        to->limit = from->limit;
        to->worth = from->worth;
    }
    return ISO_OK;
}

static enum iso_status read_runners_up(const Answer *answer, struct iso_plan *plan,
                                       struct iso_error *reterr)
{
    ISO_TRY(new_rows("runners_up", answer->n_runners_up, sizeof(*plan->runners_up),
                     &plan->n_runners_up, &plan->runners_up, reterr));
    for (int32_t i = 0; i < plan->n_runners_up; i++) {
        const Isocost__Internal__V1__RunnerUp *from = answer->runners_up[i];
        struct iso_runner_up *to = &plan->runners_up[i];
        to->cell = from->cell;
        to->workload = from->workload;
        to->period = from->period;
        to->chosen = from->chosen;
        to->offering = from->offering;
        to->chosen_unit_cost = from->chosen_unit_cost;
        to->unit_cost = from->unit_cost;
        to->blocked = from->blocked;
        if (from->blocked)
            ISO_TRY(read_rule(from->blocker, "runners_up.blocker", &to->blocker, reterr));
        to->reduced_cost = from->reduced_cost;
        to->resolved = from->resolved;
    }
    return ISO_OK;
}

static enum iso_status read_baselines(const Answer *answer, struct iso_plan *plan,
                                      struct iso_error *reterr)
{
    ISO_TRY(new_rows("baselines", answer->n_baselines, sizeof(*plan->baselines), &plan->n_baselines,
                     &plan->baselines, reterr));
    for (int32_t i = 0; i < plan->n_baselines; i++) {
        const Isocost__Internal__V1__Baseline *from = answer->baselines[i];
        ISO_TRY(check_enum("baselines.kind", from->kind, LAST_BASELINE, reterr));
        plan->baselines[i] = (struct iso_baseline){
            .kind = (enum iso_baseline_kind)from->kind,
            .provider = from->provider,
            .feasible = from->feasible,
            .known = from->known,
            .cost = from->cost,
            .bound = from->bound,
        };
    }
    return ISO_OK;
}

static enum iso_status read_change(const Isocost__Internal__V1__Change *from, const char *field,
                                   struct iso_change *to, struct iso_error *reterr)
{
    if (!from)
        return iso_fail(reterr, ISO_E_INVALID, field, "is missing");
    ISO_TRY(read_rule(from->rule, field, &to->rule, reterr));
    to->window = from->window;
    to->current = from->current;
    to->needed = from->needed;
    return ISO_OK;
}

static enum iso_status read_relaxations(const Answer *answer, struct iso_plan *plan,
                                        struct iso_error *reterr)
{
    ISO_TRY(new_rows("relaxations", answer->n_relaxations, sizeof(*plan->relaxations),
                     &plan->n_relaxations, &plan->relaxations, reterr));
    for (int32_t i = 0; i < plan->n_relaxations; i++) {
        const Isocost__Internal__V1__Relaxation *from = answer->relaxations[i];
        struct iso_relaxation *to = &plan->relaxations[i];
        ISO_TRY(read_change(from->change, "relaxations.change", &to->change, reterr));
        to->cost = from->cost;
        to->verified = from->verified;
        ISO_TRY(new_rows("relaxations.more", from->n_more, sizeof(*to->more), &to->n_more,
                         &to->more, reterr));
        for (int32_t k = 0; k < to->n_more; k++)
            ISO_TRY(read_change(from->more[k], "relaxations.more", &to->more[k], reterr));
    }
    return ISO_OK;
}

static enum iso_status read_conflicts(const Answer *answer, struct iso_plan *plan,
                                      struct iso_error *reterr)
{
    ISO_TRY(new_rows("conflicts", answer->n_conflicts, sizeof(*plan->conflicts), &plan->n_conflicts,
                     &plan->conflicts, reterr));
    for (int32_t i = 0; i < plan->n_conflicts; i++) {
        const Isocost__Internal__V1__Conflict *from = answer->conflicts[i];
        struct iso_conflict *to = &plan->conflicts[i];
        to->minimal = from->minimal;
        ISO_TRY(new_rows("conflicts.rules", from->n_rules, sizeof(*to->rules), &to->n_rules,
                         &to->rules, reterr));
        for (int32_t k = 0; k < to->n_rules; k++)
            ISO_TRY(read_rule(from->rules[k], "conflicts.rules", &to->rules[k], reterr));
    }
    return ISO_OK;
}

static void read_stats(const Isocost__Internal__V1__Stats *from, struct iso_plan_stats *to)
{
    if (!from)
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

static enum iso_status check_kinds(const struct iso_plan *plan, struct iso_error *reterr)
{
    for (int32_t i = 0; i < plan->n_duals; i++)
        ISO_TRY(
            check_enum("duals.kind", (int64_t)plan->duals[i].kind, ISO_N_ROW_KINDS - 1, reterr));
    return ISO_OK;
}

static enum iso_status read_alternatives(const Answer *answer, const struct iso_problem *problem,
                                         struct iso_plan *plan, struct iso_error *reterr)
{
    static const struct iso_wire_limits limits = {.max_bytes = 64u << 20,
                                                  .max_messages = 4000000,
                                                  .max_strings = 8000000,
                                                  .max_string_bytes = 65536,
                                                  .max_depth = 16};

    ISO_TRY(new_rows("alternatives", answer->n_alternatives, sizeof(struct iso_plan *),
                     &plan->n_alternatives, &plan->alternatives, reterr));
    for (size_t i = 0; i < answer->n_alternatives; i++) {
        const ProtobufCBinaryData *bytes = &answer->alternatives[i];
        struct iso_plan *one = NULL;
        ISO_TRY(iso_wire_scan(&isocost__internal__v1__answer__descriptor, bytes->data, bytes->len,
                              &limits, reterr));
        Answer *message = isocost__internal__v1__answer__unpack(NULL, bytes->len, bytes->data);
        if (!message)
            return iso_fail(reterr, ISO_E_INVALID, "alternatives", "%zu cannot be read", i);
        enum iso_status status =
            message->n_alternatives > 0
                ? iso_fail(reterr, ISO_E_INVALID, "alternatives", "%zu has its own", i)
                : iso_answer_to_plan(message, problem, &one, reterr);
        isocost__internal__v1__answer__free_unpacked(message, NULL);
        ISO_TRY(status);
        plan->alternatives[i] = one;
    }
    return ISO_OK;
}

enum iso_status iso_answer_to_plan(const Answer *answer, const struct iso_problem *problem,
                                   struct iso_plan **ret_plan, struct iso_error *reterr)
{
    ISO_AUTO(iso_plan) plan = iso_plan_new();
    if (!plan)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");

    ISO_TRY(check_enum("reason", answer->reason, LAST_REASON, reterr));
    ISO_TRY(check_enum("stop", answer->stop, LAST_STOP, reterr));
    plan->reason = (enum iso_reason)answer->reason;
    plan->stop = (enum iso_stop)answer->stop;
    plan->has_solution = answer->has_solution;
    plan->reproducible = answer->reproducible;
    ISO_TRY(read_uses(answer, problem->n_periods, plan, reterr));
    ISO_TRY(read_covers(answer, problem->n_periods, plan, reterr));
    for (const struct iso_column_group *group = iso_answer_groups; group->name; group++)
        ISO_TRY(iso_columns_scatter(group, answer, plan, reterr));
    ISO_TRY(check_kinds(plan, reterr));
    ISO_TRY(place_entries(plan, reterr));
    ISO_TRY(read_tiers(answer, plan, reterr));
    ISO_TRY(read_value_functions(answer, plan, reterr));
    ISO_TRY(read_components(answer, plan, reterr));
    ISO_TRY(read_bindings(answer, plan, reterr));
    ISO_TRY(read_runners_up(answer, plan, reterr));
    ISO_TRY(read_baselines(answer, plan, reterr));
    ISO_TRY(read_conflicts(answer, plan, reterr));
    ISO_TRY(read_relaxations(answer, plan, reterr));
    ISO_TRY(read_alternatives(answer, problem, plan, reterr));
    ISO_TRY(read_bill(answer, problem, plan, reterr));
    read_stats(answer->stats, &plan->stats);

    *ret_plan = ISO_STEAL(plan);
    return ISO_OK;
}

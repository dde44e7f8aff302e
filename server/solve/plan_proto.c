/* The public message of a plan: what stands above the lines. */
#include <math.h>
#include <stdio.h>

#include "plan_parts.h"

_Static_assert((int)ISO_REASON_UNBOUNDED ==
                   (int)ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_UNBOUNDED,
               "reasons have the numbers of the contract");
_Static_assert((int)ISO_STOP_DEADLINE == (int)ISOCOST__V1__STOPPED_BY__STOPPED_BY_DEADLINE,
               "stops have the numbers of the contract");
_Static_assert((int)ISO_PROOF_COUNTING == (int)ISOCOST__V1__PROOF_KIND__PROOF_KIND_COUNTING,
               "proofs have the numbers of the contract");

Google__Type__Money *iso_plan_money_in(const struct iso_plan_writer *writer, iso_decimal amount,
                                       int32_t currency)
{
    Google__Type__Money *money = iso_arena_calloc(writer->arena, 1, sizeof(*money));

    if (!money)
        return NULL;
    *money = (Google__Type__Money)GOOGLE__TYPE__MONEY__INIT;
    money->currency_code = iso_borrow(writer->problem->currencies[currency].code);
    money->units = amount / ISO_DECIMAL_ONE;
    money->nanos = (int32_t)(amount % ISO_DECIMAL_ONE);
    return money;
}

Google__Type__Money *iso_plan_money(const struct iso_plan_writer *writer, iso_decimal amount)
{
    return iso_plan_money_in(writer, amount, writer->problem->base_currency);
}

Google__Type__Money *iso_plan_money_estimate(const struct iso_plan_writer *writer, double amount)
{
    const double most = 9.2e9; /* decimals end a little above */
    if (!isfinite(amount) || fabs(amount) > most)
        return NULL;
    return iso_plan_money(writer, (iso_decimal)llround(amount * (double)ISO_DECIMAL_ONE));
}

char *iso_tier_name(const struct iso_tier *tier, char name[ISO_TIER_NAME_SIZE])
{
    switch (tier->kind) {
    case ISO_TIER_UNSERVED:
        snprintf(name, ISO_TIER_NAME_SIZE, "unserved priority %d", tier->priority);
        break;
    case ISO_TIER_FAIR:
        snprintf(name, ISO_TIER_NAME_SIZE, "fair priority %d worst %d", tier->priority,
                 tier->worst);
        break;
    case ISO_TIER_PREFER:
        snprintf(name, ISO_TIER_NAME_SIZE, "preferences");
        break;
    case ISO_TIER_MONEY:
        snprintf(name, ISO_TIER_NAME_SIZE, "money");
        break;
    case ISO_TIER_MOVES:
        snprintf(name, ISO_TIER_NAME_SIZE, "moves");
        break;
    }
    return name;
}

/* Reads `prefix` and a whole number in [1, 100]; gives what follows, or NULL. */
static const char *parse_number(const char *text, const char *prefix, int32_t *ret_number)
{
    char *end;

    if (strncmp(text, prefix, strlen(prefix)) != 0)
        return NULL;
    long number = strtol(text + strlen(prefix), &end, 10);
    *ret_number = number >= 1 && number <= 100 ? (int32_t)number : 0;
    return *ret_number > 0 ? end : NULL;
}

enum iso_status iso_tier_parse(const char *name, struct iso_tier *ret_tier,
                               struct iso_error *reterr)
{
    static const struct {
        const char *name;
        enum iso_tier_kind kind;
    } plain[] = {{"", ISO_TIER_MONEY},
                 {"money", ISO_TIER_MONEY},
                 {"preferences", ISO_TIER_PREFER},
                 {"moves", ISO_TIER_MOVES}};
    struct iso_tier tier = {.kind = ISO_TIER_UNSERVED};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(plain); i++) {
        if (strcmp(name, plain[i].name) != 0)
            continue;
        *ret_tier = (struct iso_tier){.kind = plain[i].kind};
        return ISO_OK;
    }
    const char *rest = parse_number(name, "unserved priority ", &tier.priority);
    if (!rest) {
        tier.kind = ISO_TIER_FAIR;
        rest = parse_number(name, "fair priority ", &tier.priority);
        rest = rest ? parse_number(rest, " worst ", &tier.worst) : NULL;
    }
    if (rest && *rest == '\0') {
        *ret_tier = tier;
        return ISO_OK;
    }
    return iso_fail(reterr, ISO_E_INVALID, "tier",
                    "`%.60s` is no stage; use `money`, `preferences`, `moves`, `unserved priority "
                    "N` or `fair priority N worst K` with N and K in [1, 100]",
                    name);
}

static const char *termination_detail(const struct iso_plan *plan)
{
    static const char *const stops[] = {
        "",
        "",
        "",
        "the time limit was reached",
        "the work limit was reached",
        "the memory limit was reached",
        "the caller stopped it",
        "the deadline of the call came near",
    };
    const char *stop = (size_t)plan->stop < ISO_ARRAY_LENGTH(stops) ? stops[plan->stop] : "";

    switch (plan->reason) {
    case ISO_REASON_OPTIMAL:
        return "no plan is cheaper by more than the gap asked";
    case ISO_REASON_INFEASIBLE:
        return "no plan can meet all rules; see conflicts and relaxations";
    case ISO_REASON_UNBOUNDED:
        return "the cost has no lower bound; the model is wrong";
    case ISO_REASON_NO_PLAN_FOUND:
        return stop[0] ? stop : "no plan was found and none was ruled out";
    case ISO_REASON_FEASIBLE:
        return stop[0] ? stop : "a plan whose gap is above the one asked";
    case ISO_REASON_NONE:
        break;
    }
    return "";
}

static void write_termination(struct iso_plan_writer *writer)
{
    Isocost__V1__Termination *termination =
        iso_message_new(writer->arena, &isocost__v1__termination__descriptor);
    if (!termination)
        return;
    termination->reason = (Isocost__V1__TerminationReason)writer->plan->reason;
    termination->stopped_by = (Isocost__V1__StoppedBy)writer->plan->stop;
    termination->detail = iso_borrow(termination_detail(writer->plan));
    writer->message->termination = termination;
}

/* Values of all stages are sums of what is not negative, so 0 is a bound where none was proved. */
static void write_tiers(struct iso_plan_writer *writer)
{
    const struct iso_plan *plan = writer->plan;
    Isocost__V1__Plan *message = writer->message;

    message->tiers = (Isocost__V1__Tier **)iso_messages_new(writer->arena, (size_t)plan->n_tiers,
                                                            &isocost__v1__tier__descriptor);
    for (int32_t i = 0; message->tiers && i < plan->n_tiers; i++) {
        const struct iso_tier *from = &plan->tiers[i];
        char name[ISO_TIER_NAME_SIZE];
        if (!isfinite(from->value))
            continue;
        Isocost__V1__Tier *to = message->tiers[message->n_tiers++];
        to->name = iso_arena_strdup(writer->arena, iso_tier_name(from, name));
        to->value = from->value;
        to->bound = isfinite(from->bound) ? fmax(from->bound, 0) : 0;
        to->gap = from->value > to->bound ? (from->value - to->bound) / fabs(from->value) : 0;
        to->tolerance = isfinite(from->tolerance) ? from->tolerance : 0;
        to->proof = (Isocost__V1__ProofKind)from->proof;
        if (from->n_duals > 0 && isfinite(from->checked_bound)) {
            to->opt_checked_bound_case = ISOCOST__V1__TIER__OPT_CHECKED_BOUND_CHECKED_BOUND;
            to->checked_bound = from->checked_bound;
        }
    }
}

void iso_plan_certify(Isocost__V1__Plan *message, const struct iso_verdict *verdict)
{
    Isocost__V1__Certificate *certificate = message->certificate;

    if (!certificate)
        return; /* a plan that claims nothing has none */
    certificate->rules_checked = verdict->rules_checked;
    certificate->columns_priced = verdict->columns_priced;
    certificate->worst_violation = verdict->worst_violation;
    certificate->passed = true;
}

static void write_certificate(struct iso_plan_writer *writer)
{
    const struct iso_problem *problem = writer->problem;
    const struct iso_plan *plan = writer->plan;
    Isocost__V1__Certificate *to =
        iso_message_new(writer->arena, &isocost__v1__certificate__descriptor);
    if (!to)
        return;
    writer->message->certificate = to;
    to->components = (Isocost__V1__ComponentProof **)iso_messages_new(
        writer->arena, (size_t)plan->n_components, &isocost__v1__component_proof__descriptor);
    for (int32_t i = 0; to->components && i < plan->n_components; i++) {
        const struct iso_component *from = &plan->components[i];
        Isocost__V1__ComponentProof *proof = to->components[to->n_components++];
        proof->strategy = iso_arena_strdup(writer->arena, from->strategy ? from->strategy : "");
        proof->reason = iso_arena_strdup(writer->arena, from->why ? from->why : "");
        proof->proof = (Isocost__V1__ProofKind)from->proof;
        proof->workloads = iso_arena_calloc(writer->arena, (size_t)from->n_workloads + 1,
                                            sizeof(*proof->workloads));
        for (int32_t k = 0; proof->workloads && k < from->n_workloads; k++) {
            int32_t a = from->workloads[k];
            if (a >= 0 && a < problem->n_workloads)
                proof->workloads[proof->n_workloads++] = iso_borrow(problem->workloads[a].id);
        }
    }
}

/* The model's options with defaults filled in. */
static void write_options(struct iso_plan_writer *writer)
{
    const struct iso_options *from = &writer->problem->options;
    const Isocost__V1__Options *asked = writer->model->options;
    Isocost__V1__Options *to = iso_message_new(writer->arena, &isocost__v1__options__descriptor);
    if (!to)
        return;
    writer->message->options = to;
    to->time_limit_seconds = from->time_limit_s;
    to->opt_gap_case = ISOCOST__V1__OPTIONS__OPT_GAP_GAP;
    to->gap = from->gap;
    to->work_limit = from->work_limit;
    to->seed = from->seed;
    to->deterministic = from->deterministic;
    to->opt_tier_tolerance_case = ISOCOST__V1__OPTIONS__OPT_TIER_TOLERANCE_TIER_TOLERANCE;
    to->tier_tolerance = from->tier_tolerance;
    to->maximum_conflicts = from->maximum_conflicts;
    to->maximum_alternatives = from->maximum_alternatives;
    to->opt_alternative_tolerance_case =
        ISOCOST__V1__OPTIONS__OPT_ALTERNATIVE_TOLERANCE_ALTERNATIVE_TOLERANCE;
    to->alternative_tolerance = from->alternative_tolerance;
    to->unknown_quota = ISOCOST__V1__UNKNOWN_QUOTA__UNKNOWN_QUOTA_WARN;
    if (!asked)
        return;
    if (asked->unknown_quota != ISOCOST__V1__UNKNOWN_QUOTA__UNKNOWN_QUOTA_UNSPECIFIED)
        to->unknown_quota = asked->unknown_quota;
    to->horizon_repeats = asked->horizon_repeats;
    to->want = iso_arena_calloc(writer->arena, asked->n_want + 1, sizeof(*to->want));
    for (size_t i = 0; to->want && i < asked->n_want; i++)
        to->want[to->n_want++] = asked->want[i];
}

/* What the model brought along. */
static void write_head(struct iso_plan_writer *writer)
{
    const Isocost__V1__Model *model = writer->model;
    Isocost__V1__Plan *message = writer->message;
    iso_decimal hours = 0;

    message->state = ISOCOST__V1__PLAN_STATE__PLAN_STATE_DONE;
    message->display_name = iso_arena_strdup(writer->arena, model->display_name);
    message->labels = (Isocost__V1__Plan__LabelsEntry **)iso_messages_new(
        writer->arena, model->n_labels, &isocost__v1__plan__labels_entry__descriptor);
    for (size_t i = 0; message->labels && i < model->n_labels; i++) {
        message->labels[i]->key = iso_arena_strdup(writer->arena, model->labels[i]->key);
        message->labels[i]->value = iso_arena_strdup(writer->arena, model->labels[i]->value);
        message->n_labels++;
    }
    for (int32_t t = 0; t < writer->problem->n_periods; t++)
        hours += writer->problem->periods[t].hours;
    message->horizon_hours = iso_decimal_to_double(hours);
    message->reproducible = writer->plan->reproducible;
    message->price_date = iso_borrow(writer->resolved->price_date);
}

/* Room for the resolver's warnings and one a purchase. */
static void write_warnings(struct iso_plan_writer *writer)
{
    const struct iso_resolved *resolved = writer->resolved;
    Isocost__V1__Plan *message = writer->message;
    size_t room = (size_t)resolved->n_warnings + (size_t)writer->plan->n_purchases + 1;

    message->warnings = iso_arena_calloc(writer->arena, room, sizeof(*message->warnings));
    for (int32_t i = 0; message->warnings && i < resolved->n_warnings; i++)
        message->warnings[message->n_warnings++] = iso_borrow(resolved->warnings[i]);
}

static void write_stats(struct iso_plan_writer *writer)
{
    const struct iso_plan_stats *from = &writer->plan->stats;
    Isocost__V1__PlanStats *to = iso_plan_stats_new(writer->resolved, writer->arena);
    if (!to)
        return;
    writer->message->stats = to;
    to->columns = from->columns;
    to->columns_solved = from->columns_solved;
    to->rows_solved = from->rows_solved;
    to->integer_columns = from->integer_columns;
    to->iterations = from->iterations;
    to->nodes = from->nodes;
    to->seconds = isfinite(from->seconds) ? from->seconds : 0;
}

Isocost__V1__PlanDigests *iso_plan_digests_new(const struct iso_resolved *resolved,
                                               struct iso_arena *arena)
{
    Isocost__V1__PlanDigests *to = iso_message_new(arena, &isocost__v1__plan_digests__descriptor);
    if (!to)
        return NULL;
    to->model = iso_arena_strdup(arena, resolved->model_digest);
    to->problem = iso_arena_strdup(arena, resolved->problem_digest);
    to->snapshot = iso_arena_strdup(arena, resolved->snapshot_digest);
    return to;
}

static bool write_roundings(const struct iso_resolved *resolved, Isocost__V1__PlanStats *stats,
                            struct iso_arena *arena)
{
    size_t n = (size_t)resolved->n_roundings;
    Isocost__V1__LevelRounding **list = (Isocost__V1__LevelRounding **)iso_messages_new(
        arena, n, &isocost__v1__level_rounding__descriptor);

    if (n > 0 && !list)
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct iso_rounding *rounding = &resolved->roundings[i];
        list[i]->workload = iso_arena_strdup(arena, rounding->workload);
        list[i]->demand = rounding->demand;
        list[i]->added = rounding->added;
        list[i]->largest = rounding->largest;
    }
    stats->roundings = list;
    stats->n_roundings = n;
    return true;
}

Isocost__V1__PlanStats *iso_plan_stats_new(const struct iso_resolved *resolved,
                                           struct iso_arena *arena)
{
    Isocost__V1__PlanStats *to = iso_message_new(arena, &isocost__v1__plan_stats__descriptor);
    if (!to)
        return NULL;
    to->offerings = resolved->problem.n_offerings;
    to->n_filters = (size_t)resolved->n_filters;
    to->filters = resolved->filters;
    to->load_levels = resolved->level_of_hour
                          ? resolved->problem.n_periods /
                                (resolved->problem.n_scenarios ? resolved->problem.n_scenarios : 1)
                          : 0;
    return write_roundings(resolved, to, arena) ? to : NULL;
}

static void write_solution(struct iso_plan_writer *writer, size_t most_line_bytes)
{
    const struct iso_plan *plan = writer->plan;
    iso_decimal objective;

    write_tiers(writer);
    writer->message->cost = iso_plan_money(writer, plan->cost);
    if (iso_wide_to_decimal((iso_wide)plan->cost + plan->penalties + plan->risk, &objective))
        writer->message->objective = iso_plan_money(writer, objective);
    iso_plan_write_lines(writer, INT32_MAX, most_line_bytes);
    iso_plan_write_commitments(writer);
    iso_plan_write_unserved(writer);
    iso_plan_write_broken_rules(writer);
    iso_plan_write_sums(writer);
    iso_plan_write_actions(writer);
    iso_plan_write_reliances(writer);
    iso_plan_write_age(writer);
    iso_plan_write_scenarios(writer);
}

Isocost__V1__Plan *iso_plan_to_proto(const struct iso_resolved *resolved,
                                     const Isocost__V1__Model *model, const struct iso_plan *plan,
                                     const struct iso_verdict *verdict, int64_t now_ns,
                                     size_t most_line_bytes, struct iso_arena *arena)
{
    struct iso_plan_writer writer = {.resolved = resolved,
                                     .problem = &resolved->problem,
                                     .model = model,
                                     .plan = plan,
                                     .now_ns = now_ns,
                                     .arena = arena,
                                     .message =
                                         iso_message_new(arena, &isocost__v1__plan__descriptor)};
    if (!writer.message || !iso_plan_open_reasons(&writer))
        return NULL;
    write_head(&writer);
    write_termination(&writer);
    write_options(&writer);
    write_warnings(&writer);
    write_stats(&writer);
    if (plan->reason != ISO_REASON_NO_PLAN_FOUND)
        write_certificate(&writer);
    if (verdict)
        iso_plan_certify(writer.message, verdict);
    if (iso_arena_full(arena))
        return NULL;
    if (plan->has_solution)
        write_solution(&writer, most_line_bytes);
    if (iso_arena_full(arena))
        return NULL;
    iso_plan_write_explanations(&writer);
    iso_plan_write_alternatives(&writer);
    writer.message->digests = iso_plan_digests_new(resolved, arena);
    if (writer.message->digests)
        writer.message->digests->plan = iso_plan_digest(&writer);
    if (iso_arena_full(arena) || !writer.message->digests || !writer.message->digests->plan)
        return NULL;
    return writer.message;
}

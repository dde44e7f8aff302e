#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "answer.h"
#include "failure.h"

/* What the plan below is for: five periods of two hours, everything at 0.5 an hour, no fees. */
static struct iso_problem *problem_of_plan(void)
{
    enum { N_PERIODS = 5, N_OFFERINGS = 6, N_WORKLOADS = 10, N_PRODUCTS = 3 };
    static iso_decimal ones[N_PERIODS], zeros[N_PERIODS];
    static uint8_t flags[N_WORKLOADS + 1];
    static struct iso_currency currencies[] = {{"EUR", ones}};
    static struct iso_period periods[N_PERIODS];
    static struct iso_offering offerings[N_OFFERINGS];
    static struct iso_workload workloads[N_WORKLOADS];
    static struct iso_team teams[] = {{.id = "team"}};
    static struct iso_start starts[] = {{.window = flags}};
    static struct iso_product products[N_PRODUCTS];
    static struct iso_problem problem = {.n_currencies = 1,
                                         .currencies = currencies,
                                         .n_periods = N_PERIODS,
                                         .periods = periods,
                                         .n_offerings = N_OFFERINGS,
                                         .offerings = offerings,
                                         .n_workloads = N_WORKLOADS,
                                         .workloads = workloads,
                                         .n_teams = 1,
                                         .teams = teams,
                                         .n_products = N_PRODUCTS,
                                         .products = products};

    for (int t = 0; t < N_PERIODS; t++) {
        ones[t] = ISO_DECIMAL_ONE;
        periods[t] = (struct iso_period){.id = "p", .hours = 2 * ISO_DECIMAL_ONE};
    }
    for (int o = 0; o < N_OFFERINGS; o++)
        offerings[o].price = ISO_DECIMAL_ONE / 2;
    for (int c = 0; c < N_PRODUCTS; c++)
        products[c] = (struct iso_product){.id = "c",
                                           .existing = zeros,
                                           .cells = flags,
                                           .n_starts = 1,
                                           .starts = starts,
                                           .term_hours = ISO_DECIMAL_ONE};
    return &problem;
}

/* A plan with something in every array, and the bill of it: 40 + 40 + 7 + 7 instances at 0.5 for
 * two hours. Not a sensible one: only the way there and back is tested.
 */
static void fill_plan(struct iso_plan *plan)
{
    static struct iso_use uses[] = {{1, 2, 2, 40}, {1, 2, 3, 40}, {1, 5, 3, 7}};
    static struct iso_fill fills[] = {{0, 4, 1, 6, 0, 2}, {0, 4, 1, 1, 2, 1}};
    static struct iso_fill_entry entries[] = {{8, 1}, {9, 2}, {8, 3}};
    static struct iso_cover covers[] = {
        {1, 2, 3, 3, 500000000}, {2, 2, 3, 3, 1}, {1, 2, 3, 4, 500000000}};
    static struct iso_purchase purchases[] = {{2, 0, 11}};
    static struct iso_unserved unserved[] = {{3, 0, 250000000}};
    static struct iso_tier tiers[] = {
        {ISO_TIER_UNSERVED, 2, 0, 1.5, -INFINITY, 0, 1.5, ISO_PROOF_NONE, -INFINITY, 0, 0},
        {ISO_TIER_MONEY, 0, 0, 12.25, 12, 0.01, 12.5, ISO_PROOF_DUAL, 12, 0, 1}};
    static struct iso_dual duals[] = {{ISO_ROW_SURVIVE, 1, 2, 3, 4, -0.75}};
    static struct iso_value_function functions[] = {{1, 1000}};
    static int32_t workloads[] = {0, 3};
    static struct iso_component components[] = {
        {2, workloads, "plain-mip", "it is small", ISO_PROOF_SEARCH}};
    static struct iso_binding bindings[] = {{{ISO_RULE_LIMIT, 1, -1}, 2, 3.5, 4.5, 5.5}};
    static struct iso_runner_up runners_up[] = {
        {0, 1, 2, 3, 4, 0.5, 0.6, false, {0}, 0.25, false},
        {0, 1, 2, 3, 5, 0.5, 0.4, true, {ISO_RULE_SHARE, 6, 7}, 0.75, true}};
    static struct iso_baseline baselines[] = {{ISO_BASELINE_PROVIDER, 1, true, true, 99.5, 98.5}};
    static struct iso_rule rules[] = {{ISO_RULE_DEMAND, 0, -1}, {ISO_RULE_BUDGET, 1, 0}};
    static struct iso_conflict conflicts[] = {{2, rules, true}};
    static struct iso_change more[] = {{{ISO_RULE_LIMIT, 2, -1}, -1, 5, 7.5}};
    static struct iso_relaxation relaxations[] = {
        {{{ISO_RULE_BUDGET, 1, 0}, 2, 3000, 3600}, NAN, true, 1, more}};

    *plan = (struct iso_plan){
        .reason = ISO_REASON_FEASIBLE,
        .stop = ISO_STOP_TIME,
        .has_solution = true,
        .n_uses = 3,
        .uses = uses,
        .n_fills = 2,
        .fills = fills,
        .n_entries = 3,
        .entries = entries,
        .n_covers = 3,
        .covers = covers,
        .n_purchases = 1,
        .purchases = purchases,
        .n_unserved = 1,
        .unserved = unserved,
        .cost = 94 * ISO_DECIMAL_ONE,
        .n_tiers = 2,
        .tiers = tiers,
        .n_duals = 1,
        .duals = duals,
        .n_value_functions = 1,
        .value_functions = functions,
        .n_components = 1,
        .components = components,
        .n_bindings = 1,
        .bindings = bindings,
        .n_runners_up = 2,
        .runners_up = runners_up,
        .n_baselines = 1,
        .baselines = baselines,
        .n_conflicts = 1,
        .conflicts = conflicts,
        .n_relaxations = 1,
        .relaxations = relaxations,
        .stats = {1, 2, 3, 4, 5, 6, 7, 8.5},
        .reproducible = true,
    };
}

/* The answer as it comes out at the other end of a socket. */
static Isocost__Internal__V1__Answer *send_and_receive(const struct iso_plan *plan,
                                                       struct iso_arena *arena)
{
    Isocost__Internal__V1__Answer *answer = iso_answer_from_plan(plan, arena);
    assert_non_null(answer);
    size_t n_bytes = isocost__internal__v1__answer__get_packed_size(answer);
    uint8_t *bytes = iso_arena_calloc(arena, n_bytes, 1);
    assert_non_null(bytes);
    isocost__internal__v1__answer__pack(answer, bytes);
    answer = isocost__internal__v1__answer__unpack(iso_arena_allocator(arena), n_bytes, bytes);
    assert_non_null(answer);
    return answer;
}

#define SAME(n, rows) assert_memory_equal(got->rows, plan.rows, (size_t)(n) * sizeof(*plan.rows))

static void a_plan_comes_back_as_it_went(void **state)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
    ISO_AUTO(iso_plan) got = NULL;
    struct iso_plan plan;

    (void)state;
    fill_plan(&plan);
    assert_int_equal(
        iso_answer_to_plan(send_and_receive(&plan, arena), problem_of_plan(), &got, NULL), ISO_OK);
    assert_int_equal(got->reason, ISO_REASON_FEASIBLE);
    assert_int_equal(got->stop, ISO_STOP_TIME);
    assert_true(got->has_solution && got->reproducible);
    assert_int_equal(got->cost, 94 * ISO_DECIMAL_ONE);
    assert_int_equal(got->n_lines, 3); /* 40 twice, 7, and the pool's 7 */
    assert_int_equal(got->n_uses, 3);
    assert_int_equal(got->n_covers, 3);
    assert_int_equal(got->n_fills, 2);
    SAME(3, uses);
    SAME(2, fills);
    SAME(3, entries);
    SAME(3, covers);
    SAME(1, purchases);
    SAME(1, unserved);
    SAME(2, tiers);
    SAME(1, duals);
    SAME(1, bindings);
    SAME(1, baselines);
    assert_int_equal(got->n_runners_up, 2);
    assert_int_equal(got->runners_up[1].blocker.kind, ISO_RULE_SHARE);
    assert_int_equal(got->runners_up[1].blocker.b, 7);
    assert_true(got->runners_up[1].reduced_cost == 0.75 && got->runners_up[1].resolved);
    assert_int_equal(got->value_functions[0].workload, 1);
    assert_int_equal(got->value_functions[0].step, 1000);
    assert_int_equal(got->components[0].workloads[1], 3);
    assert_string_equal(got->components[0].strategy, "plain-mip");
    assert_string_equal(got->components[0].why, "it is small");
    assert_int_equal(got->conflicts[0].n_rules, 2);
    assert_int_equal(got->conflicts[0].rules[1].kind, ISO_RULE_BUDGET);
    assert_true(got->conflicts[0].minimal);
    assert_int_equal(got->relaxations[0].n_more, 1);
    assert_memory_equal(got->relaxations[0].more, plan.relaxations[0].more,
                        sizeof(struct iso_change));
    assert_true(isnan(got->relaxations[0].cost) && got->relaxations[0].change.needed == 3600);
    assert_true(got->stats.seconds == 8.5 && got->stats.nodes == 7);
}

static void an_empty_plan_comes_back_empty(void **state)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
    ISO_AUTO(iso_plan) plan = iso_plan_new();
    ISO_AUTO(iso_plan) got = NULL;

    (void)state;
    plan->reason = ISO_REASON_NO_PLAN_FOUND;
    plan->stop = ISO_STOP_TIME;
    assert_int_equal(
        iso_answer_to_plan(send_and_receive(plan, arena), problem_of_plan(), &got, NULL), ISO_OK);
    assert_int_equal(got->reason, ISO_REASON_NO_PLAN_FOUND);
    assert_int_equal(got->n_lines + got->n_tiers + got->n_uses, 0);
}

/* Ways in which a process that went wrong may break an answer. */
static void break_answer(int way, Isocost__Internal__V1__Answer *answer)
{
    static char not_ascii[] = "\xff";
    switch (way) {
    case 0:
        answer->reason = 99;
        break;
    case 1:
        answer->stop = -1;
        break;
    case 2:
        answer->n_use_count--;
        break;
    case 3:
        answer->n_cover_cell = 0;
        break;
    case 4:
        answer->use_n_periods[0] = 4; /* from the third of five on */
        break;
    case 5:
        answer->fill_n_entries[0] = -1;
        break;
    case 6:
        answer->fill_n_entries[0] = 1;
        break;
    case 7:
        answer->fill_n_entries[1] = INT32_MAX;
        break;
    case 8:
        answer->tiers[1]->n_duals = 2;
        break;
    case 9:
        answer->tiers[1]->first_dual = -1;
        break;
    case 10:
        answer->tiers[0]->kind = ISO_TIER_FAIR + 1;
        break;
    case 11:
        answer->tiers[0]->proof = 6;
        break;
    case 12:
        answer->dual_kind[0] = ISO_N_ROW_KINDS;
        break;
    case 13:
        answer->components[0]->why = not_ascii;
        break;
    case 14:
        answer->bindings[0]->rule = NULL;
        break;
    case 15:
        answer->conflicts[0]->rules[0]->kind = 100;
        break;
    case 16:
        answer->baselines[0]->kind = 3;
        break;
    case 17:
        answer->cost++;
        break;
    case 18:
        answer->penalties = 1;
        break;
    case 19:
        answer->use_n_periods[1] = 0;
        break;
    case 20:
        answer->use_offering[1] = 6;
        break;
    case 21:
        answer->cover_period[0] = 4; /* the next begins in the fourth */
        break;
    }
}

static void a_broken_answer_is_refused_with_its_field(void **state)
{
    static const char *const fields[] = {
        "reason",         "stop",           "uses",          "covers",
        "uses",           "fills",          "entries",       "fills",
        "tiers.n_duals",  "tiers.n_duals",  "tiers.kind",    "tiers.proof",
        "duals.kind",     "components.why", "bindings.rule", "conflicts.rules",
        "baselines.kind", "cost",           "cost",          "uses",
        "uses",           "covers"};

    (void)state;
    for (size_t way = 0; way < ISO_ARRAY_LENGTH(fields); way++) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
        ISO_AUTO(iso_plan) got = NULL;
        struct iso_error error = {0};
        struct iso_plan plan;
        fill_plan(&plan);
        Isocost__Internal__V1__Answer *answer = send_and_receive(&plan, arena);
        break_answer((int)way, answer);
        assert_int_equal(iso_answer_to_plan(answer, problem_of_plan(), &got, &error),
                         ISO_E_INVALID);
        assert_string_equal(error.field, fields[way]);
        assert_null(got);
    }
}

static void every_failed_allocation_is_reported_and_leaks_nothing(void **state)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
    enum iso_status status = ISO_E_NOMEM;
    struct iso_plan plan;
    long nth;

    (void)state;
    fill_plan(&plan);
    const Isocost__Internal__V1__Answer *answer = send_and_receive(&plan, arena);
    for (nth = 0; status != ISO_OK && nth < 1000; nth++) {
        ISO_AUTO(iso_plan) got = NULL;
        struct iso_error error = {0};
        iso_alloc_fail_at(nth);
        status = iso_answer_to_plan(answer, problem_of_plan(), &got, &error);
        assert_true(status == ISO_OK || status == ISO_E_NOMEM);
        assert_int_equal(status, error.status);
    }
    iso_alloc_fail_at(-1);
    assert_true(status == ISO_OK && nth > 15);
}

static void a_full_arena_makes_no_answer(void **state)
{
    struct iso_plan plan;

    (void)state;
    fill_plan(&plan);
    for (size_t n_bytes = 64; n_bytes < 4096; n_bytes += 64) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(n_bytes);
        const Isocost__Internal__V1__Answer *answer = iso_answer_from_plan(&plan, arena);
        assert_true((answer == NULL) == iso_arena_full(arena));
    }
}

static void stages_have_names_both_ways(void **state)
{
    static const struct {
        struct iso_tier tier;
        const char *name;
    } cases[] = {
        {{.kind = ISO_TIER_UNSERVED, .priority = 7}, "unserved priority 7"},
        {{.kind = ISO_TIER_FAIR, .priority = 7, .worst = 12}, "fair priority 7 worst 12"},
        {{.kind = ISO_TIER_PREFER}, "preferences"},
        {{.kind = ISO_TIER_MONEY}, "money"},
        {{.kind = ISO_TIER_MOVES}, "moves"},
    };
    static const char *const wrong[] = {"beauty",
                                        "unserved",
                                        "unserved priority ",
                                        "unserved priority 0",
                                        "unserved priority 101",
                                        "unserved priority 1x",
                                        "fair priority 1",
                                        "fair priority 1 worst 0",
                                        "fair priority 1 worst 2 of 3",
                                        "Money"};
    struct iso_tier tier;

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        char name[ISO_TIER_NAME_SIZE];
        assert_string_equal(iso_tier_name(&cases[i].tier, name), cases[i].name);
        assert_int_equal(iso_tier_parse(name, &tier, NULL), ISO_OK);
        assert_int_equal(tier.kind, cases[i].tier.kind);
        assert_int_equal(tier.priority, cases[i].tier.priority);
        assert_int_equal(tier.worst, cases[i].tier.worst);
    }
    assert_int_equal(iso_tier_parse("", &tier, NULL), ISO_OK);
    assert_int_equal(tier.kind, ISO_TIER_MONEY);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(wrong); i++)
        assert_int_equal(iso_tier_parse(wrong[i], &tier, NULL), ISO_E_INVALID);
}

static void failures_keep_their_status_and_fields(void **state)
{
    (void)state;
    for (int i = 1; i < ISO_STATUS_COUNT_; i++) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
        struct iso_violations sent = {.arena = arena}, got = {.arena = arena};
        struct iso_error error = {0}, back = {0};
        iso_violations_add(&sent, "model.workloads[0].id", "it is empty");
        iso_violations_add(&sent, "model.workloads[1].id", "it is %d letters long", 99);
        iso_fail(&error, (enum iso_status)i, "model.workloads[0].id", "two fields are wrong");
        const Google__Rpc__Status *status = iso_failure_to_status(&error, &sent, arena);
        assert_non_null(status);
        assert_int_equal(iso_failure_from_status(status, &got, &back), i);
        assert_string_equal(back.field, "model.workloads[0].id");
        assert_string_equal(back.text, "two fields are wrong");
        assert_int_equal(got.n, 2);
        assert_string_equal(got.items[1].text, "it is 99 letters long");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_comes_back_as_it_went),
        cmocka_unit_test(an_empty_plan_comes_back_empty),
        cmocka_unit_test(a_broken_answer_is_refused_with_its_field),
        cmocka_unit_test(every_failed_allocation_is_reported_and_leaks_nothing),
        cmocka_unit_test(a_full_arena_makes_no_answer),
        cmocka_unit_test(stages_have_names_both_ways),
        cmocka_unit_test(failures_keep_their_status_and_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

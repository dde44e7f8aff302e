/* Plans in the user's words, on a problem made by hand: two offerings of two providers, a
 * throughput workload `web` in two periods, a team with a pool, one product. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "answer.h"

#define D(x) ((iso_decimal)((x)*ISO_DECIMAL_ONE))

static const uint8_t both[] = {1, 1, 1, 1}, first[] = {1, 0, 0, 0}, second[] = {0, 1, 0, 0};
static const iso_decimal demand[] = {D(100), D(50)}, ones[] = {D(1), D(1)}, euro[] = {D(2), D(2)},
                         none[] = {0, 0};
static const struct iso_limit_term terms[] = {{0, D(4)}};

static const struct iso_share shares[] = {
    {.id = "cap", .member = both, .has_maximum = true, .maximum = D(0.6)},
    {.id = "band",
     .member = both,
     .has_minimum = true,
     .has_maximum = true,
     .minimum = D(0.1),
     .maximum = D(0.9)}};
static const struct iso_survive survives[] = {{"stay", ISO_LEVEL_REGION, D(0.7)}};
static const struct iso_spread spreads[] = {{"wide", ISO_LEVEL_PROVIDER, 2, D(0.25)}};
static const struct iso_option options[] = {{0, D(10), 0}, {1, D(10), 0}};
static const struct iso_workload workload = {.id = "web",
                                             .demand = demand,
                                             .required = demand,
                                             .n_options = 2,
                                             .options = options,
                                             .n_shares = 2,
                                             .shares = shares,
                                             .n_survive = 1,
                                             .survive = survives,
                                             .n_spread = 1,
                                             .spread = spreads};
static const struct iso_limit limits[] = {
    {.id = "few",
     .bound = D(20),
     .policy = ISO_POLICY_SOFT,
     .price = D(0.5),
     .periods = both,
     .n_terms = 1,
     .terms = terms},
    {.id = "quota aws/r1 vcpu", .quota = true, .bound = D(99), .periods = both},
    {.id = "some",
     .minimum = true,
     .bound = D(3),
     .policy = ISO_POLICY_PREFER,
     .periods = second,
     .n_terms = 1,
     .terms = terms}};
static const struct iso_window windows[] = {{first, D(1), 1, 0}, {second, D(1000), 0, 0}};
static const struct iso_budget budgets[] = {{.id = "cash",
                                             .basis = ISO_BASIS_CASH,
                                             .offerings = both,
                                             .cells = both,
                                             .products = both,
                                             .policy = ISO_POLICY_SOFT,
                                             .price = D(0.25),
                                             .n_windows = 2,
                                             .windows = windows},
                                            {.id = "spread",
                                             .basis = ISO_BASIS_AMORTISED,
                                             .offerings = both,
                                             .cells = both,
                                             .products = both,
                                             .policy = ISO_POLICY_SOFT,
                                             .price = D(0.25),
                                             .n_windows = 1,
                                             .windows = windows},
                                            {.id = "list",
                                             .basis = ISO_BASIS_LIST,
                                             .offerings = both,
                                             .cells = both,
                                             .products = both,
                                             .policy = ISO_POLICY_SOFT,
                                             .price = D(0.25),
                                             .n_windows = 1,
                                             .windows = windows}};
static const struct iso_start starts[] = {{0, both, D(30)}};
static const struct iso_product product = {.id = "ri",
                                           .term_hours = D(100),
                                           .fee = D(0.1),
                                           .upfront = D(5),
                                           .most = -1,
                                           .existing = none,
                                           .n_starts = 1,
                                           .starts = starts,
                                           .cells = both};

static struct iso_resolved make_resolved(void)
{
    static const char *const providers[] = {"aws", "azure"}, *const regions[] = {"aws/r1",
                                                                                 "azure/r2"};
    static const struct iso_currency currencies[] = {{"USD", ones}, {"EUR", euro}};
    static const struct iso_offering offerings[] = {
        {.id = "aws/r1/*/a/linux/on-demand", .zone = ISO_ANY_ZONE, .price = D(1)},
        {.id = "azure/r2/*/b/linux/on-demand",
         .provider = 1,
         .region = 1,
         .zone = ISO_ANY_ZONE,
         .price = D(1.5)}};
    static const struct iso_period periods[] = {{.id = "day", .hours = D(10)},
                                                {.id = "night", .hours = D(20)}};
    static const struct iso_team teams[] = {{.id = "shop"}};
    static const iso_decimal hours_after[] = {D(70)};
    static Isocost__V1__FilterCount filter = ISOCOST__V1__FILTER_COUNT__INIT,
                                    *filters[] = {&filter};
    static char web[] = "web", small[] = "too small";

    filter.workload = web;
    filter.filter = small;
    filter.count = 12;
    return (struct iso_resolved){.problem = {.n_providers = 2,
                                             .n_regions = 2,
                                             .n_currencies = 2,
                                             .provider_names = providers,
                                             .region_names = regions,
                                             .currencies = currencies,
                                             .n_offerings = 2,
                                             .n_periods = 2,
                                             .n_teams = 1,
                                             .n_workloads = 1,
                                             .n_limits = 3,
                                             .n_budgets = 3,
                                             .n_products = 1,
                                             .offerings = offerings,
                                             .periods = periods,
                                             .teams = teams,
                                             .workloads = &workload,
                                             .limits = limits,
                                             .budgets = budgets,
                                             .products = &product,
                                             .moves = {.present = true, .maximum = 7},
                                             .options = {.time_limit_s = 60, .gap = 0.001}},
                                 .n_filters = 1,
                                 .filters = filters,
                                 .hours_after = hours_after,
                                 .model_digest = "sha256:m",
                                 .problem_digest = "sha256:p"};
}

static const Isocost__V1__Plan *to_proto_of(const struct iso_resolved *resolved,
                                            const struct iso_plan *plan, struct iso_arena *arena)
{
    static Isocost__V1__Model model = ISOCOST__V1__MODEL__INIT;
    static Isocost__V1__Workload web = ISOCOST__V1__WORKLOAD__INIT, *workloads[] = {&web};
    static Isocost__V1__ThroughputDemand throughput = ISOCOST__V1__THROUGHPUT_DEMAND__INIT;
    static Isocost__V1__Limit few = ISOCOST__V1__LIMIT__INIT, *model_limits[] = {&few};
    static char web_id[] = "web", unit[] = "req/s", few_id[] = "few";
    const struct iso_verdict verdict = {.rules_checked = 5};

    web.id = web_id;
    web.demand_case = ISOCOST__V1__WORKLOAD__DEMAND_THROUGHPUT;
    web.throughput = &throughput;
    throughput.unit = unit;
    few.id = few_id;
    few.metric = ISOCOST__V1__LIMIT_METRIC__LIMIT_METRIC_VCPU;
    model.n_workloads = 1;
    model.workloads = workloads;
    model.n_limits = 1;
    model.limits = model_limits;
    const Isocost__V1__Plan *message =
        iso_plan_to_proto(resolved, &model, plan, &verdict, 0, SIZE_MAX, arena);
    assert_non_null(message);
    return message;
}

static const Isocost__V1__Plan *to_proto(const struct iso_plan *plan, struct iso_arena *arena)
{
    static struct iso_resolved resolved;

    resolved = make_resolved();
    return to_proto_of(&resolved, plan, arena);
}

static void each_kind_of_rule_has_a_name_and_a_sentence(void **state)
{
    static struct {
        struct iso_rule rule;
        const char *id, *kind, *text;
    } cases[] = {
        {{ISO_RULE_DEMAND, 0, -1}, "web", "must-serve", "web must be served: up to 100 req/s"},
        {{ISO_RULE_DEMAND, 0, 1},
         "web",
         "must-serve",
         "web must be served: 50 req/s in period night"},
        {{ISO_RULE_ALLOWED, 0, -1},
         "web",
         "allowed",
         "no offering is usable for web: 12 too small"},
        {{ISO_RULE_LIMIT, 0, -1}, "few", "limit", "limit few asks for at most 20 vCPU"},
        {{ISO_RULE_LIMIT, 1, -1},
         "quota aws/r1 vcpu",
         "quota",
         "quota aws/r1 vcpu asks for at most 99"},
        {{ISO_RULE_LIMIT, 2, -1}, "some", "limit", "limit some asks for at least 3"},
        {{ISO_RULE_BUDGET, 0, 0},
         "cash",
         "budget",
         "budget cash allows at most 1 EUR in the first of its 2 windows"},
        {{ISO_RULE_SHARE, 0, 0}, "cap", "share", "the offerings of cap serve at most 60 % of web"},
        {{ISO_RULE_SHARE, 0, 1},
         "band",
         "share",
         "the offerings of band serve between 10 % and 90 % of web"},
        {{ISO_RULE_SURVIVE, 0, 0},
         "stay",
         "survive",
         "70 % of web is served when any one region fails"},
        {{ISO_RULE_SPREAD, 0, 0},
         "wide",
         "spread",
         "web runs in at least 2 providers with at least 25 % in each"},
        {{ISO_RULE_MOVES, -1, -1}, "maximum_moves", "moves", "at most 7 moves are made"},
    };
    struct iso_rule rules[ISO_ARRAY_LENGTH(cases)];
    struct iso_conflict conflict = {(int32_t)ISO_ARRAY_LENGTH(cases), rules, true};
    struct iso_plan plan = {.reason = ISO_REASON_INFEASIBLE,
                            .stop = ISO_STOP_NONE,
                            .n_conflicts = 1,
                            .conflicts = &conflict};
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++)
        rules[i] = cases[i].rule;
    const Isocost__V1__Plan *message = to_proto(&plan, arena);
    assert_int_equal(message->conflicts[0]->n_rules, ISO_ARRAY_LENGTH(cases));
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        const Isocost__V1__ConflictRule *rule = message->conflicts[0]->rules[i];
        assert_string_equal(rule->rule, cases[i].id);
        assert_string_equal(rule->kind, cases[i].kind);
        assert_string_equal(rule->text, cases[i].text);
    }
}

static void ways_out_say_what_to_change(void **state)
{
    static struct iso_change more[] = {{{ISO_RULE_DEMAND, 0, -1}, -1, 100, 90},
                                       {{ISO_RULE_MOVES, -1, -1}, -1, 7, 8}};
    static struct {
        struct iso_relaxation way;
        const char *text;
    } cases[] = {
        {{{{ISO_RULE_LIMIT, 0, -1}, -1, 1500, 1600}, 10, true, 0, NULL},
         "raise limit few from 1500 to 1600"},
        {{{{ISO_RULE_LIMIT, 1, -1}, -1, 99, 100.5}, 10, true, 0, NULL},
         "raise quota aws/r1 vcpu from 99 to 100.5"},
        {{{{ISO_RULE_BUDGET, 0, 0}, 1, 1000, 1200}, NAN, false, 0, NULL},
         "raise window 1 of budget cash from 1000 to 1200 USD"},
        {{{{ISO_RULE_BUDGET, 1, 0}, 0, 1, 2}, NAN, false, 0, NULL},
         "raise budget spread from 1 to 2 EUR"},
        {{{{ISO_RULE_DEMAND, 0, -1}, -1, 100, 80}, 10, true, 0, NULL},
         "lower the demand of web from 100 to 80"},
        {{{{ISO_RULE_SURVIVE, 0, 0}, -1, 0.7, 0.5}, 10, true, 0, NULL},
         "lower the share of rule stay from 0.7 to 0.5"},
        {{{{ISO_RULE_SPREAD, 0, 0}, -1, 2, 1}, 10, true, 0, NULL},
         "lower the domains of rule wide from 2 to 1"},
        {{{{ISO_RULE_MOVES, -1, -1}, -1, 7, 9}, 10, true, 0, NULL},
         "raise maximum_moves from 7 to 9"},
        {{{{ISO_RULE_ALLOWED, 0, -1}, -1, 0, 1}, 10, true, 0, NULL},
         "allow more offerings for web"},
        {{{{ISO_RULE_LIMIT, 0, -1}, -1, 5, 6}, 10, true, 2, more},
         "raise limit few from 5 to 6 and lower the demand of web from 100 to 90 and raise "
         "maximum_moves from 7 to 8"},
    };
    struct iso_relaxation ways[ISO_ARRAY_LENGTH(cases)];
    struct iso_plan plan = {.reason = ISO_REASON_INFEASIBLE,
                            .stop = ISO_STOP_NONE,
                            .n_relaxations = (int32_t)ISO_ARRAY_LENGTH(cases),
                            .relaxations = ways};
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++)
        ways[i] = cases[i].way;
    const Isocost__V1__Plan *message = to_proto(&plan, arena);
    assert_int_equal(message->n_relaxations, ISO_ARRAY_LENGTH(cases));
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        assert_string_equal(message->relaxations[i]->text, cases[i].text);
        assert_true((message->relaxations[i]->cost == NULL) == isnan(cases[i].way.cost));
        assert_int_equal(message->relaxations[i]->n_also, cases[i].way.n_more);
    }
    const Isocost__V1__Relaxation *last = message->relaxations[message->n_relaxations - 1];
    assert_string_equal(last->also[0]->rule, "web");
    assert_string_equal(last->also[0]->text, "lower the demand of web from 100 to 90");
    assert_true(last->also[1]->current == 7 && last->also[1]->needed == 8);
}

/* 10 of offering 0 at 1 USD by day, 10 h: 100; 5 by night, 20 h: 100; one commitment bought: fee
 * 0.1 an hour and upfront 5 USD, of which 30 of 100 hours fall inside; 2 instances covered by day.
 * EUR is 2 USD.
 *   few   4 * 10 - 20 = 20 by day (night: 4 * 5 = 20 is allowed): 20 * 0.5 * 10 h = 100
 *   some  asks for 3 at night and has 20
 *   cash  by day (10 - 2) * 10 + 1 + 5 = 86 USD = 43 EUR, over by 42: 42 * 0.25 = 10.5
 *   spread the same with 5 * 10 / 100 = 0.5 of the upfront: 81.5 USD = 40.75 EUR, over by 39.75:
 *          9.9375
 *   list  10 * 10 = 100 USD = 50 EUR, over by 49: 12.25 */
static void broken_rules_are_worked_out_from_the_lines(void **state)
{
    static struct iso_line lines[] = {
        {ISO_LINE_INSTANCE, 0, 0, 0, -1, -1, D(10), D(2), D(1), 0, D(10), D(1), D(80), D(100), 1},
        {ISO_LINE_FEE, 0, -1, -1, 0, -1, D(1), 0, D(0.1), 0, D(10), D(1), D(1), 0, 1},
        {ISO_LINE_UPFRONT, 0, -1, -1, 0, 0, D(1), 0, D(5), 0, 0, D(1), D(1.5), 0, 1},
        {ISO_LINE_INSTANCE, 1, 0, 0, -1, -1, D(5), 0, D(1), 0, D(20), D(1), D(100), D(50), 1},
        {ISO_LINE_FEE, 1, -1, -1, 0, -1, D(1), 0, D(0.1), 0, D(20), D(1), D(2), 0, 1}};
    static struct iso_cover covers[] = {{0, 0, 0, 0, D(2)}};
    static struct iso_purchase purchases[] = {{0, 0, 1}};
    static const struct {
        const char *rule, *period;
        double amount, penalty;
    } expected[] = {{"few", "day", 20, 100},
                    {"cash", "0", 42, 10.5},
                    {"spread", "0", 39.75, 9.9375},
                    {"list", "0", 49, 12.25}};
    struct iso_plan plan = {.reason = ISO_REASON_FEASIBLE,
                            .stop = ISO_STOP_NONE,
                            .has_solution = true,
                            .n_lines = 5,
                            .lines = lines,
                            .n_covers = 1,
                            .covers = covers,
                            .n_purchases = 1,
                            .purchases = purchases,
                            .cost = D(184.5)};
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
    const Isocost__V1__Plan *message = to_proto(&plan, arena);

    (void)state;
    assert_int_equal(message->n_violations, ISO_ARRAY_LENGTH(expected));
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(expected); i++) {
        const Isocost__V1__Violation *violation = message->violations[i];
        assert_string_equal(violation->rule, expected[i].rule);
        assert_string_equal(violation->period, expected[i].period);
        assert_true(violation->amount == expected[i].amount);
        assert_true((double)violation->penalty->units + 1e-9 * violation->penalty->nanos ==
                    expected[i].penalty);
    }
    assert_int_equal(message->n_cost_by_period, 2);
    assert_int_equal(message->cost_by_period[0]->cost->units, 82);
    assert_int_equal(message->cost_by_period[0]->cost->nanos, 500000000);
    assert_true(message->commitments[0]->hours_after_horizon == 70);
    assert_int_equal(message->line_count, 5);
}

/* One line for day and night: 6 instances of weight 4 are 4 above `few`'s 20, in each; its 100 are
 * 50 in each; it is of both. */
static void each_period_of_a_run_has_its_share(void **state)
{
    static struct iso_line lines[] = {
        {ISO_LINE_INSTANCE, 0, 0, 0, -1, -1, D(6), 0, D(1), 0, D(2), D(1), D(100), D(60), 2}};
    struct iso_plan plan = {.reason = ISO_REASON_FEASIBLE,
                            .stop = ISO_STOP_NONE,
                            .has_solution = true,
                            .n_lines = 1,
                            .lines = lines,
                            .cost = D(100)};
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
    const Isocost__V1__Plan *message = to_proto(&plan, arena);

    (void)state;
    assert_int_equal(message->n_lines, 1);
    assert_string_equal(message->lines[0]->period, "day");
    assert_string_equal(message->lines[0]->last_period, "night");
    assert_int_equal(message->lines[0]->place, 0);
    assert_int_equal(message->lines[0]->periods, 2);
    assert_int_equal(message->cost_by_period[0]->cost->units, 50);
    assert_int_equal(message->cost_by_period[1]->cost->units, 50);
    assert_true(message->n_violations >= 2);
    assert_string_equal(message->violations[0]->rule, "few");
    assert_string_equal(message->violations[0]->period, "day");
    assert_true(message->violations[0]->amount == 4);
    assert_string_equal(message->violations[1]->period, "night");
    assert_true(message->violations[1]->amount == 4);
}

/* Explanations are not the verifier's work, so indices out of range are left out. */
static void explanations_that_make_no_sense_are_left_out(void **state)
{
    static struct iso_rule rules[] = {{ISO_RULE_DEMAND, 1, -1}, {ISO_RULE_DEMAND, 0, 2},
                                      {ISO_RULE_LIMIT, -1, 0},  {ISO_RULE_BUDGET, 3, 0},
                                      {ISO_RULE_SHARE, 0, 2},   {ISO_RULE_SURVIVE, 0, -1},
                                      {ISO_RULE_SPREAD, 9, 0},  {ISO_RULE_ALLOWED, INT32_MIN, 0}};
    static struct iso_conflict conflicts[] = {{(int32_t)ISO_ARRAY_LENGTH(rules), rules, false}};
    static struct iso_binding bindings[] = {{{ISO_RULE_LIMIT, 3, -1}, 0, 1, 1, 1},
                                            {{ISO_RULE_LIMIT, 0, -1}, 0, NAN, 1, 1},
                                            {{ISO_RULE_LIMIT, 0, -1}, 99, 1, 1, INFINITY}};
    static struct iso_runner_up runners_up[] = {
        {2, 0, 0, 0, 1, 1, 2, false, {0}, 0.25, false},
        {0, 0, 2, 0, 1, 1, 2, false, {0}, 0.25, false},
        {0, 0, 0, 2, 1, 1, 2, false, {0}, 0.25, false},
        {0, 0, 0, 0, -1, 1, 2, false, {0}, 0.25, false},
        {0, 0, 0, 0, 1, 1, 2, true, {ISO_RULE_SHARE, 0, 9}, 0.25, false}};
    static struct iso_baseline baselines[] = {{ISO_BASELINE_PROVIDER, 2, true, true, 1, 1}};
    static struct iso_relaxation ways[] = {
        {{{ISO_RULE_BUDGET, 4, 0}, 0, 1, 2}, 3, true, 0, NULL},
        {{{ISO_RULE_BUDGET, 0, 0}, 0, NAN, 2}, 3, true, 0, NULL}};
    static int32_t workloads[] = {0, 1, -1};
    static struct iso_component components[] = {{3, workloads, "x", "y", ISO_PROOF_NONE}};
    struct iso_plan plan = {.reason = ISO_REASON_INFEASIBLE,
                            .stop = ISO_STOP_NONE,
                            .n_conflicts = 1,
                            .conflicts = conflicts,
                            .n_bindings = 3,
                            .bindings = bindings,
                            .n_runners_up = 5,
                            .runners_up = runners_up,
                            .n_baselines = 1,
                            .baselines = baselines,
                            .n_relaxations = 2,
                            .relaxations = ways,
                            .n_components = 1,
                            .components = components};
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
    const Isocost__V1__Plan *message = to_proto(&plan, arena);

    (void)state;
    assert_int_equal(message->conflicts[0]->n_rules, 0);
    assert_int_equal(message->n_binding_rules, 1);
    assert_string_equal(message->binding_rules[0]->period, "");
    assert_null(message->binding_rules[0]->worth);
    assert_int_equal(message->n_runners_up, 0);
    assert_int_equal(message->n_baselines, 0);
    assert_int_equal(message->n_relaxations, 0);
    assert_int_equal(message->certificate->components[0]->n_workloads, 1);
}

/* A costs 1 USD. In the first case B costs 0.6 EUR, which is 0.6 USD by day and 1.2 by night; in
 * the second it costs 1.5 USD, by night 0.9. Both serve 10. */
static void a_line_names_the_cheapest_option_of_its_period(void **state)
{
    static const iso_decimal rising[] = {D(1), D(2)};
    static const struct iso_currency currencies[] = {{"USD", ones}, {"EUR", rising}};
    static const struct iso_price_exception at_night = {1, 1, D(0.9)};
    static const char first_of_all[] = "cheapest per unit served";
    static const char second_to_b[] = "next after azure/r2/*/b/linux/on-demand, of which rules or "
                                      "whole instances leave no more";
    const struct {
        int32_t currency_of_b, n_exceptions;
        iso_decimal price_of_b;
        const char *by_day, *by_night;
    } cases[] = {{1, 0, D(0.6), second_to_b, first_of_all},
                 {0, 1, D(1.5), first_of_all, second_to_b}};

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct iso_line lines[] = {
            {ISO_LINE_INSTANCE, 0, 0, 0, -1, -1, D(1), 0, D(1), 0, D(10), D(1), D(10), D(10), 1},
            {ISO_LINE_INSTANCE, 1, 0, 0, -1, -1, D(1), 0, D(1), 0, D(20), D(1), D(20), D(10), 1}};
        struct iso_plan plan = {.reason = ISO_REASON_FEASIBLE,
                                .has_solution = true,
                                .n_lines = 2,
                                .lines = lines,
                                .cost = D(30)};
        struct iso_resolved resolved = make_resolved();
        ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
        struct iso_offering offerings[] = {resolved.problem.offerings[0],
                                           resolved.problem.offerings[1]};
        offerings[1].currency = cases[i].currency_of_b;
        offerings[1].price = cases[i].price_of_b;
        resolved.problem.offerings = offerings;
        resolved.problem.currencies = currencies;
        resolved.problem.n_price_exceptions = cases[i].n_exceptions;
        resolved.problem.price_exceptions = &at_night;
        const Isocost__V1__Plan *message = to_proto_of(&resolved, &plan, arena);
        assert_string_equal(message->lines[0]->reason, cases[i].by_day);
        assert_string_equal(message->lines[1]->reason, cases[i].by_night);
    }
}

static void a_full_arena_makes_no_plan(void **state)
{
    struct iso_plan plan = {.reason = ISO_REASON_NO_PLAN_FOUND, .stop = ISO_STOP_TIME};
    static struct iso_resolved resolved;
    static const Isocost__V1__Model model = ISOCOST__V1__MODEL__INIT;
    const struct iso_verdict verdict = {0};
    size_t n_bytes = 64;
    bool made = false;

    (void)state;
    resolved = make_resolved();
    for (; !made && n_bytes < (1u << 16); n_bytes += 64) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(n_bytes);
        made = iso_plan_to_proto(&resolved, &model, &plan, &verdict, 0, SIZE_MAX, arena) != NULL;
        assert_int_equal(made, !iso_arena_full(arena));
    }
    assert_true(made && n_bytes > 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_rule_has_a_name_and_a_sentence),
        cmocka_unit_test(ways_out_say_what_to_change),
        cmocka_unit_test(broken_rules_are_worked_out_from_the_lines),
        cmocka_unit_test(each_period_of_a_run_has_its_share),
        cmocka_unit_test(explanations_that_make_no_sense_are_left_out),
        cmocka_unit_test(a_line_names_the_cheapest_option_of_its_period),
        cmocka_unit_test(a_full_arena_makes_no_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Data that moves between sources, regions and workloads. Expected costs are derived above each
 * test; one period of one hour, one instance serves 10 units, prices in USD. */
#include "../support/solved_fixture.h"

#define PERIOD "periods: [{id: p, hours: 1}]\n"
#define EXACT "options: {gap: 0, maximum_conflicts: 1}\n"
#define OFFERING(provider, region, price)            \
    "    - {provider: " provider ", region: " region \
    ", type: m, purchase: on-demand, price: " price " USD, resources: {vcpu: 10}}\n"
/* eu costs 1.2 and sends for 0.02 a GB, us costs 1 and sends for 0.05. */
#define TWO_REGIONS \
    "catalog:\n  offerings:\n" OFFERING("aws", "eu", "1.2") OFFERING("aws", "us", "1")
#define PRICES                                                                      \
    "egress_prices:\n"                                                              \
    "  - {from: aws/eu, to: internet/*, price_per_gb: 0.02 USD, latency_ms: 20}\n"  \
    "  - {from: aws/us, to: internet/*, price_per_gb: 0.05 USD, latency_ms: 120}\n" \
    "  - {from: internet/*, to: '*', price_per_gb: 0 USD}\n"                        \
    "  - {from: 'aws/*', to: 'aws/*', price_per_gb: 0.1 USD, latency_ms: 90}\n"     \
    "  - {from: 'gcp/*', to: '*', price_per_gb: 0 USD, latency_ms: 30}\n"
#define WEB(service, more)                                                        \
    "workloads:\n  - {id: web, " service ", throughput: {rate: 10, performance: " \
    "[{per_instance: 10}]}" more "}\n"
#define USERS(more) ", traffic: {id: users, " more ", sources: [{region: internet/eu, share: 1}]}"

/* Of offering o: instances that run. */
static int64_t runs(const struct fixture *f, const struct iso_plan *plan, const char *id)
{
    int64_t n = 0;

    for (int32_t i = 0; i < plan->n_uses; i++)
        n += plan->uses[i].offering == fixture_offering(f, id) ? plan->uses[i].count : 0;
    return n;
}

/* Without traffic us is cheaper: 1. 10 units send back 1 GB each: us 1 + 10 * 0.05 = 1.5, eu 1.2 +
 * 10 * 0.02 = 1.4. */
static void egress_dearer_than_the_difference_in_price_flips_the_choice(void **state)
{
    (void)state;
    solved_costs(TWO_REGIONS PERIOD EXACT PRICES WEB("must_serve: true", ""), 1);
    solved_costs(
        TWO_REGIONS PERIOD EXACT PRICES WEB("must_serve: true", USERS("gb_back_per_unit_hour: 1")),
        1.4);
}

/* As above with 0.1 GB: us 1 + 0.05 = 1.05, eu 1.2 + 0.02 = 1.22. The line: 10 units * 0.1 GB = 1
 * GB at 0.05. */
static void the_bill_has_a_line_for_what_moves(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(&f, TWO_REGIONS PERIOD EXACT PRICES WEB(
                               "must_serve: true", USERS("gb_back_per_unit_hour: 0.1")));
    int32_t from, to;
    (void)state;

    assert_int_equal(plan->cost, D(1.05));
    assert_int_equal(plan->n_lines, 2);
    const struct iso_line *line = &plan->lines[1];
    assert_int_equal(line->kind, ISO_LINE_EGRESS);
    assert_int_equal(line->quantity, D(1));
    assert_int_equal(line->unit_price, D(0.05));
    assert_int_equal(line->cost, D(0.05));
    iso_plan_egress_places(f.problem, plan, line, &from, &to);
    assert_string_equal(iso_problem_place_name(f.problem, from), "aws/us");
    assert_string_equal(iso_problem_place_name(f.problem, to), "internet/eu");
    fixture_fini(&f);
}

/* The multipliers of the relaxation prove 1.4: one instance of eu serves all, so it is whole. A
 * unit is worth 0.12 in eu by what it costs and 0.02 to send: 10 * 0.14. */
static void multipliers_prove_what_moving_costs(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(&f, TWO_REGIONS PERIOD EXACT PRICES WEB("must_serve: true",
                                                               USERS("gb_back_per_unit_hour: 1")));
    (void)state;

    assert_int_equal(plan->tiers[0].proof, ISO_PROOF_DUAL);
    assert_true(plan->tiers[0].checked_bound > 1.4 - 1e-7);
    fixture_fini(&f);
}

/* us is 120 ms away, eu 20 ms. With at most 50 ms eu serves: 1.2 though us costs 1. */
static void a_cap_on_latency_excludes_what_is_far(void **state)
{
    (void)state;
    solved_costs(
        TWO_REGIONS PERIOD EXACT PRICES WEB("must_serve: true", USERS("maximum_latency_ms: 120")),
        1);
    solved_costs(
        TWO_REGIONS PERIOD EXACT PRICES WEB("must_serve: true", USERS("maximum_latency_ms: 50")),
        1.2);
}

/* Half of the demand comes from each region, and the two are 90 ms apart: with at most 50 ms each
 * needs an instance of its own, 1.2 + 1 = 2.2; without, one in us and 5 units that send 1 GB for
 * 0.1: 1 + 0.5 = 1.5. In a region nothing is to pay. */
static void each_source_needs_capacity_that_it_can_reach(void **state)
{
    static const char *const halves = TWO_REGIONS PERIOD EXACT PRICES WEB(
        "must_serve: true", ", traffic: {id: users, gb_per_unit_hour: 1, "
                            "maximum_latency_ms: %d, sources: [{region: aws/eu, "
                            "share: 0.5}, {region: aws/us, share: 0.5}]}");
    char yaml[4096];
    (void)state;

    snprintf(yaml, sizeof(yaml), halves, 50);
    solved_costs(yaml, 2.2);
    snprintf(yaml, sizeof(yaml), halves, 100);
    solved_costs(yaml, 1.5);
}

/* Thirds of 10 are 3.333333333, 3.333333333 and 3.333333334 less what rounding keeps: parts are
 * floor(3.33333333), floor(6.66666666) - 3.33333333 and 10 - 6.66666666, together 10. */
static void rounded_shares_still_send_everything(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(
        &f, TWO_REGIONS PERIOD EXACT PRICES
        "workloads:\n  - {id: web, must_serve: true, throughput: {rate: 9.999999999, "
        "performance: [{per_instance: 10}]}, traffic: {id: users, gb_back_per_unit_hour: 1, "
        "sources: [{region: internet/a, share: 0.333333333}, {region: internet/b, share: "
        "0.333333333}, {region: internet/c, share: 0.333333334}]}}\n");
    iso_decimal sum = 0;
    (void)state;

    assert_int_equal(plan->n_flows, 3);
    for (int32_t i = 0; i < plan->n_flows; i++)
        sum += plan->flows[i].amount;
    assert_int_equal(sum, D(9.999999999));
    assert_int_equal(plan->flows[0].amount, D(3.333333329)); /* floor of 3.33333332966...67 */
    fixture_fini(&f);
}

/* Cheapest is eu of aws, 1.2 + 0.2 = 1.4, of which aws is paid all; gcp costs 2 and sends for
 * nothing. With at most 1.3 for aws gcp serves. What users send, at 0.1 a GB from their network, is
 * no money of aws: 1.2 + 10 * 0.1 = 2.2 is cheapest then and within the budget of 1.3. */
static void budgets_count_what_their_provider_sends(void **state)
{
#define THREE "catalog:\n  offerings:\n" OFFERING("aws", "eu", "1.2") OFFERING("gcp", "eu", "2")
#define BUDGET "budgets: [{id: b, provider: aws, basis: LIST, windows: [{amount: 1.3 USD}]}]\n"
    (void)state;
    solved_costs(
        THREE PERIOD EXACT PRICES WEB("must_serve: true", USERS("gb_back_per_unit_hour: 1")), 1.4);
    solved_costs(
        THREE PERIOD EXACT PRICES BUDGET WEB("must_serve: true", USERS("gb_back_per_unit_hour: 1")),
        2);
    solved_costs(THREE PERIOD EXACT BUDGET
                 "egress_prices: [{from: internet/eu, to: '*', price_per_gb: 0.1 USD}]\n" WEB(
                     "must_serve: true", USERS("gb_per_unit_hour: 1")),
                 2.2);
}

/* A budget of everything in EUR at 0.5 EUR for 1 USD: 1.4 USD are 0.7 EUR. At 0.6 EUR nothing fits,
 * SOFT at 10 USD for a EUR pays 1 on top; the cost stays 1.4. */
static void spend_of_egress_is_in_the_currency_of_the_window(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan =
        solved_plan(&f, TWO_REGIONS PERIOD EXACT PRICES
                    "currency: {base_currency: USD, rates: [{pair: USD/EUR, rate: 0.5}]}\n"
                    "budgets: [{id: b, windows: [{amount: 0.6 EUR}], policy: {kind: SOFT, price: "
                    "10 USD}}]\n" WEB("must_serve: true", USERS("gb_back_per_unit_hour: 1")));
    (void)state;

    assert_int_equal(plan->cost, D(1.4));
    assert_int_equal(plan->penalties, D(1));
    fixture_fini(&f);
}

/* Nothing is within 10 ms. What can give: web need not be served, or the latency, of which the
 * cheapest plan needs 120 ms. */
static void demand_that_nothing_can_reach_names_its_latency(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(&f, TWO_REGIONS PERIOD EXACT PRICES WEB("must_serve: true",
                                                               USERS("maximum_latency_ms: 10")));
    bool latency = false, demand = false, way_out = false;
    (void)state;

    assert_int_equal(plan->reason, ISO_REASON_INFEASIBLE);
    assert_int_equal(plan->tiers[0].proof, ISO_PROOF_RAY);
    assert_int_equal(plan->n_conflicts, 1);
    assert_int_equal(plan->conflicts[0].n_rules, 2);
    for (int32_t i = 0; i < 2; i++) {
        latency |= plan->conflicts[0].rules[i].kind == ISO_RULE_LATENCY;
        demand |= plan->conflicts[0].rules[i].kind == ISO_RULE_DEMAND;
    }
    for (int32_t i = 0; i < plan->n_relaxations; i++)
        if (plan->relaxations[i].change.rule.kind == ISO_RULE_LATENCY)
            way_out = plan->relaxations[i].change.current == 10 &&
                      plan->relaxations[i].change.needed == 120;
    assert_true(latency && demand && way_out);
    fixture_fini(&f);
}

/* A tenth of the demand comes from where nothing is within reach, so none of it counts as served:
 * u = 10 at a penalty of 0.05 = 0.5 and nothing runs. */
static void demand_with_a_source_out_of_reach_stays_unserved(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(
        &f, TWO_REGIONS PERIOD EXACT
        "egress_prices: [{from: internet/eu, to: '*', latency_ms: 5}, {from: internet/moon, to: "
        "'*', latency_ms: 1300}]\n" WEB("penalty: 0.05 USD",
                                        ", traffic: {id: users, maximum_latency_ms: 50, sources: "
                                        "[{region: internet/eu, share: 0.9}, {region: "
                                        "internet/moon, share: 0.1}]}"));
    (void)state;

    assert_int_equal(plan->reason, ISO_REASON_OPTIMAL);
    assert_int_equal(plan->n_uses, 0);
    assert_int_equal(plan->unserved[0].amount, D(10));
    assert_int_equal(plan->penalties, D(0.5));
    fixture_fini(&f);
}

/* One copy fills an instance. web has 2 copies and half of its users at each end, 90 ms apart, at
 * most 50 ms: one in each region. db may run anywhere: 2 copies in us. 1.2 + 1 + 2 = 4.2. */
static void replicas_have_traffic_too(void **state)
{
    (void)state;
    solved_costs(TWO_REGIONS PERIOD EXACT PRICES
                 "workloads:\n"
                 "  - {id: web, must_serve: true, replicas: {count: 2, resources: {vcpu: 10}}, "
                 "traffic: {id: users, maximum_latency_ms: 50, sources: [{region: aws/eu, share: "
                 "0.5}, {region: aws/us, share: 0.5}]}}\n"
                 "  - {id: db, must_serve: true, replicas: {count: 2, resources: {vcpu: 10}}}\n",
                 4.2);
}

/* db runs in eu only: 1.2. web in us would cost 1 and send 10 GB for 0.1 each: 1 + 1 = 2; in eu 1.2
 * and nothing. Together 2.4. With 0.01 GB a unit us is cheaper: 1 + 0.01 + 1.2 = 2.21. */
static void a_dependency_draws_workloads_together(void **state)
{
    static const char *const both = TWO_REGIONS PERIOD EXACT PRICES
        "workloads:\n"
        "  - {id: web, must_serve: true, throughput: {rate: 10, performance: [{per_instance: "
        "10}]}, dependencies: [{id: queries, workload: db, gb_per_unit_hour: %s}]}\n"
        "  - {id: db, must_serve: true, throughput: {rate: 5, performance: [{per_instance: 5}]}, "
        "allowed: {include: [{region: [eu]}]}}\n";
    char yaml[4096];
    (void)state;

    snprintf(yaml, sizeof(yaml), both, "1");
    solved_costs(yaml, 2.4);
    snprintf(yaml, sizeof(yaml), both, "0.01");
    solved_costs(yaml, 2.21);
}

/* web has 10 in each region (by its users, 90 ms apart, at most 50 ms); db, 8 in all, 4 in each by
 * its limits. Each half of web finds its half of db in its own region, so nothing crosses: 1.2 + 1
 * for web, 1.2 + 1 for db = 4.4. Where all of db is in us (2), half of web's 20 units send 1 GB to
 * the other region: 2.2 + 2 + 10 * 0.1 = 5.2. */
static void a_dependency_is_split_as_capacity_is(void **state)
{
    static const char *const both = TWO_REGIONS PERIOD EXACT PRICES
        "workloads:\n"
        "  - {id: web, must_serve: true, throughput: {rate: 20, performance: [{per_instance: "
        "10}]}, traffic: {id: users, maximum_latency_ms: 50, sources: [{region: aws/eu, share: "
        "0.5}, {region: aws/us, share: 0.5}]}, dependencies: [{id: queries, workload: db, "
        "gb_per_unit_hour: 1}]}\n"
        "  - {id: db, must_serve: true, throughput: {rate: 8, performance: [{per_instance: "
        "4}]}%s}\n";
    char yaml[4096];
    (void)state;

    snprintf(yaml, sizeof(yaml), both, "");
    solved_costs(yaml, 4.4);
    snprintf(yaml, sizeof(yaml), both, ", allowed: {include: [{region: [us]}]}");
    solved_costs(yaml, 5.2);
}

/* The regions are 90 ms apart: with at most 50 ms web follows db to eu, 1.2 + 1.2, though us would
 * be cheaper. Where web may not, nothing fits, and the dependency is named. */
static void a_dependency_may_have_a_latency(void **state)
{
    static const char *const both = TWO_REGIONS PERIOD EXACT PRICES
        "workloads:\n"
        "  - {id: web, must_serve: true, throughput: {rate: 10, performance: [{per_instance: "
        "10}]}, dependencies: [{id: queries, workload: db, maximum_latency_ms: 50}]%s}\n"
        "  - {id: db, must_serve: true, throughput: {rate: 5, performance: [{per_instance: 5}]}, "
        "allowed: {include: [{region: [eu]}]}}\n";
    char yaml[4096];
    struct fixture f;
    bool named = false;
    (void)state;

    snprintf(yaml, sizeof(yaml), both, "");
    solved_costs(yaml, 2.4);
    snprintf(yaml, sizeof(yaml), both, ", forbidden: {include: [{region: [eu]}]}");
    ISO_AUTO(iso_plan) plan = solved_plan(&f, yaml);
    assert_int_equal(plan->reason, ISO_REASON_INFEASIBLE);
    for (int32_t i = 0; plan->n_conflicts > 0 && i < plan->conflicts[0].n_rules; i++)
        named |= plan->conflicts[0].rules[i].kind == ISO_RULE_LATENCY;
    assert_true(named);
    fixture_fini(&f);
}

/* Two us offerings, one dearer and smaller: the reduction drops it. In eu the only offering is
 * dearer than both and must stay: users are there. */
static void a_dearer_offering_in_another_region_is_not_dropped(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan)
    plan = solved_plan(
        &f, TWO_REGIONS
        "    - {provider: aws, region: us, type: s, purchase: on-demand, price: 1.5 USD}\n" PERIOD
            EXACT PRICES WEB("must_serve: true", USERS("maximum_latency_ms: 50")));
    (void)state;

    assert_int_equal(plan->stats.dominated, 1);
    assert_int_equal(runs(&f, plan, "aws/eu/*/m/linux/on-demand"), 1);
    fixture_fini(&f);
}

static void refuses(const char *yaml, const char *path, const char *part)
{
    struct fixture f;

    fixture_resolve(&f, yaml, NULL);
    assert_null(f.problem);
    fixture_expect(&f, path, part);
    fixture_fini(&f);
}

static void what_is_wrong_is_told_with_its_path(void **state)
{
#define SOURCES ", sources: [{region: internet/eu, share: 1}]}"
    (void)state;
    refuses(TWO_REGIONS PERIOD PRICES WEB("must_serve: true", ", traffic: {id: t" SOURCES),
            "model.workloads[0].traffic.gb_per_unit_hour", "at least one of");
    refuses(TWO_REGIONS PERIOD PRICES WEB("must_serve: true",
                                          ", traffic: {id: t, gb_per_unit_hour: -1" SOURCES),
            "model.workloads[0].traffic.gb_per_unit_hour", "at least 0");
    refuses(TWO_REGIONS PERIOD PRICES WEB("must_serve: true",
                                          ", traffic: {id: t, gb_per_unit_hour: 1}"),
            "model.workloads[0].traffic.sources", "is empty");
    refuses(TWO_REGIONS PERIOD PRICES WEB(
                "must_serve: true", ", traffic: {id: t, gb_per_unit_hour: 1, sources: [{region: "
                                    "internet/eu, share: 0.5}, {region: eu, share: 0.4}]}"),
            "model.workloads[0].traffic.sources", "add up to 0.9");
    refuses(TWO_REGIONS PERIOD PRICES WEB(
                "must_serve: true", ", traffic: {id: t, gb_per_unit_hour: 1, sources: [{region: "
                                    "internet/eu, share: 0.5}, {region: eu, share: 0.5}]}"),
            "model.workloads[0].traffic.sources[1].region", "is not a place");
    refuses(TWO_REGIONS PERIOD PRICES WEB(
                "must_serve: true",
                ", traffic: {id: t, gb_per_unit_hour: 1, sources: [{region: amazon/eu, share: "
                "0.5}, {region: aws/EU, share: 0.5}]}"),
            "model.workloads[0].traffic.sources[1].region", "is there twice");
    refuses(
        TWO_REGIONS PERIOD PRICES WEB(
            "must_serve: true", ", dependencies: [{id: d, workload: web, gb_per_unit_hour: 1}]"),
        "model.workloads[0].dependencies[0].workload", "is the workload itself");
    refuses(TWO_REGIONS PERIOD
            "egress_prices: [{from: 'a*b', to: aws/eu}]\n" WEB("must_serve: true", ""),
            "model.egress_prices[0].from", "is not a place");
    refuses(TWO_REGIONS PERIOD
            "egress_prices: [{from: '*', to: aws/eu}]\n" WEB("must_serve: true", ""),
            "model.egress_prices[0].price_per_gb", "at least one of");
}

/* A price or latency that nobody gave is not 0. */
static void what_is_not_known_is_refused(void **state)
{
    (void)state;
    refuses(TWO_REGIONS PERIOD
            "egress_prices: [{from: aws/eu, to: internet/eu, price_per_gb: 0 USD}]\n" WEB(
                "must_serve: true", USERS("gb_back_per_unit_hour: 1")),
            "model.workloads[0].traffic", "from aws/us to internet/eu");
    refuses(TWO_REGIONS PERIOD "egress_prices: [{from: aws/eu, to: '*', latency_ms: 3}]\n" WEB(
                "must_serve: true", USERS("maximum_latency_ms: 5")),
            "model.workloads[0].traffic", "between internet/eu and aws/us");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(egress_dearer_than_the_difference_in_price_flips_the_choice),
        cmocka_unit_test(the_bill_has_a_line_for_what_moves),
        cmocka_unit_test(multipliers_prove_what_moving_costs),
        cmocka_unit_test(a_cap_on_latency_excludes_what_is_far),
        cmocka_unit_test(each_source_needs_capacity_that_it_can_reach),
        cmocka_unit_test(rounded_shares_still_send_everything),
        cmocka_unit_test(budgets_count_what_their_provider_sends),
        cmocka_unit_test(spend_of_egress_is_in_the_currency_of_the_window),
        cmocka_unit_test(demand_that_nothing_can_reach_names_its_latency),
        cmocka_unit_test(demand_with_a_source_out_of_reach_stays_unserved),
        cmocka_unit_test(replicas_have_traffic_too),
        cmocka_unit_test(a_dependency_draws_workloads_together),
        cmocka_unit_test(a_dependency_is_split_as_capacity_is),
        cmocka_unit_test(a_dependency_may_have_a_latency),
        cmocka_unit_test(a_dearer_offering_in_another_region_is_not_dropped),
        cmocka_unit_test(what_is_wrong_is_told_with_its_path),
        cmocka_unit_test(what_is_not_known_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

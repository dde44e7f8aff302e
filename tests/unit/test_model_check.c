/* The shape of models: every wrong field is told with its path, and what is not served is refused
 * by name. */
#include "../support/resolve_fixture.h"

#define OFFERING "{provider: aws, type: m, purchase: on-demand, price: 1 USD, resources: {vcpu: 2}}"
#define CATALOG "catalog: {offerings: [" OFFERING "]}\n"
#define PERIODS "periods: [{id: day, hours: 10}, {id: night, hours: 14}]\n"
#define THROUGHPUT "throughput: {rate: [1, 2], performance: [{per_instance: 1}]}"
#define WORKLOADS "workloads: [{id: web, must_serve: true, " THROUGHPUT "}]\n"
/* A workload with more fields. */
#define WORKLOAD(more) "workloads: [{id: web, must_serve: true, " THROUGHPUT ", " more "}]\n"
#define MODEL(more) CATALOG PERIODS WORKLOADS more

static void check(struct fixture *f, const char *yaml)
{
    fixture_init(f);
    fixture_read(f, yaml);
    iso_model_check(f->model, "model", &f->violations);
}

static void a_right_model_has_no_violation(void **state)
{
    struct fixture f;
    (void)state;

    check(&f, MODEL(""));
    assert_int_equal(f.violations.n, 0);
    fixture_fini(&f);
}

static const struct {
    const char *yaml, *path, *part;
} not_served[] = {
    {MODEL("current: {instances: []}\n"), "model.current", "current"},
};

static void each_rule_that_is_not_served_is_refused_by_name(void **state)
{
    static const char end[] = "is not served by this server yet";
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(not_served); i++) {
        struct fixture f;
        check(&f, not_served[i].yaml);
        assert_int_equal(f.violations.n, 1);
        fixture_expect(&f, not_served[i].path, not_served[i].part);
        const char *text = f.violations.items[0].text;
        assert_true(strlen(text) > strlen(end));
        assert_string_equal(text + strlen(text) - strlen(end), end);
        fixture_fini(&f);
    }
}

static const struct {
    const char *yaml, *path, *part;
} wrong[] = {
    {PERIODS WORKLOADS, "model.catalog", "nothing may be bought"},
    {CATALOG WORKLOADS, "model.periods", "exactly one"},
    {CATALOG PERIODS, "model.workloads", "at least one"},
    {MODEL("load_levels: {hours: 2}\n"), "model.load_levels", "exactly one"},
    {CATALOG "load_levels: {hours: 0}\n" WORKLOADS, "model.load_levels.hours", "[1, 87840]"},
    {CATALOG "load_levels: {hours: 2, levels: 4}\n" WORKLOADS, "model.load_levels.levels",
     "[1, hours]"},
    {CATALOG "load_levels: {hours: 2, levels: 0}\n" WORKLOADS, "model.load_levels.levels",
     "[1, hours]"},
    {CATALOG "periods: [{id: a, hours: 1}, {id: a, hours: 1}]\n" WORKLOADS, "model.periods[1].id",
     "twice"},
    {CATALOG "periods: [{id: A, hours: 1}, {id: b, hours: 0}]\n" WORKLOADS, "model.periods[0].id",
     "not an id"},
    {CATALOG "periods: [{id: a, hours: 1}, {id: b, hours: 0}]\n" WORKLOADS,
     "model.periods[1].hours", "above 0"},
    {CATALOG "periods: [{id: a, hours: 1, start: '2026-01-01T00:00:00Z'}, {id: b, hours: "
             "1}]\n" WORKLOADS,
     "model.periods", "either every period has a start"},
    {CATALOG "periods: [{id: a, hours: 2, start: '2026-01-01T00:00:00Z'}, {id: b, hours: 1, start: "
             "'2026-01-01T01:00:00Z'}]\n" WORKLOADS,
     "model.periods[1].start", "must not overlap"},
    {CATALOG PERIODS WORKLOAD("team: red"), "model.workloads[0].team", "\"red\""},
    {CATALOG PERIODS WORKLOAD("headroom: -0.1"), "model.workloads[0].headroom", "-0.1"},
    {CATALOG PERIODS WORKLOAD("headroom: 0.0000000001"), "model.workloads[0].headroom", "9 places"},
    {CATALOG PERIODS WORKLOAD("weight: 2"), "model.workloads[0].weight", "priority"},
    {CATALOG PERIODS WORKLOAD("shares: [{id: s}]"), "model.workloads[0].shares[0].maximum",
     "at least one"},
    {CATALOG PERIODS WORKLOAD("shares: [{id: s, maximum: 1.5}]"),
     "model.workloads[0].shares[0].maximum", "[0, 1]"},
    {CATALOG PERIODS WORKLOAD("shares: [{id: s, maximum: 0.2, minimum: 0.3}]"),
     "model.workloads[0].shares[0].minimum", "above the maximum"},
    {CATALOG PERIODS WORKLOAD("survive: [{id: s, level: zone, share: 0}]"),
     "model.workloads[0].survive[0].share", "(0, 1]"},
    {CATALOG PERIODS WORKLOAD("survive: [{id: s, share: 1}]"),
     "model.workloads[0].survive[0].level", "required"},
    {CATALOG PERIODS WORKLOAD(
         "spread: [{id: s, level: zone, minimum_domains: 3, minimum_share: 0.34}]"),
     "model.workloads[0].spread[0].minimum_share", "1/3"},
    {CATALOG PERIODS WORKLOAD(
         "spread: [{id: s, level: zone, minimum_domains: 1, minimum_share: 0.1}]"),
     "model.workloads[0].spread[0].minimum_domains", "at least 2"},
    {CATALOG PERIODS WORKLOAD("allowed: {include: [{region: ['a*b']}]}"),
     "model.workloads[0].allowed.include[0].region[0]", "at the end only"},
    {CATALOG PERIODS WORKLOAD("forbidden: {exclude: [{type: ['']}]}"),
     "model.workloads[0].forbidden.exclude[0].type[0]", "is empty"},
    {CATALOG PERIODS "workloads: [{id: web, " THROUGHPUT "}]\n", "model.workloads[0].must_serve",
     "exactly one"},
    {CATALOG PERIODS "workloads: [{id: web, priority: 101, " THROUGHPUT "}]\n",
     "model.workloads[0].priority", "[1, 100]"},
    {CATALOG PERIODS "workloads: [{id: web, penalty: 0 USD, " THROUGHPUT "}]\n",
     "model.workloads[0].penalty", "above 0"},
    {CATALOG PERIODS "workloads: [{id: web, must_serve: true}]\n", "model.workloads[0].throughput",
     "exactly one"},
    {CATALOG PERIODS "workloads: [{id: web, must_serve: true, throughput: {rate: [1, 2, 3, 4], "
                     "performance: [{per_instance: 1}]}}]\n",
     "model.workloads[0].throughput.rate", "1 or 2"},
    {CATALOG PERIODS "workloads: [{id: web, must_serve: true, throughput: {rate: [1, -2], "
                     "performance: [{per_instance: 1}]}}]\n",
     "model.workloads[0].throughput.rate[1]", "at least 0"},
    {CATALOG PERIODS "workloads: [{id: web, must_serve: true, throughput: {rate: 1}}]\n",
     "model.workloads[0].throughput.performance", "is empty"},
    {CATALOG PERIODS
     "workloads: [{id: web, must_serve: true, throughput: {rate: 1, performance: [{}]}}]\n",
     "model.workloads[0].throughput.performance[0].per_instance", "exactly one"},
    {CATALOG PERIODS
     "workloads: [{id: web, must_serve: true, replicas: {count: 1.5, resources: {vcpu: 1}}}]\n",
     "model.workloads[0].replicas.count[0]", "whole"},
    {CATALOG PERIODS "workloads: [{id: web, must_serve: true, replicas: {count: 1}}]\n",
     "model.workloads[0].replicas.resources", "must need something"},
    {CATALOG PERIODS "workloads: [{id: web, must_serve: true, replicas: {count: 1, resources: "
                     "{vcpu: -1}}}]\n",
     "model.workloads[0].replicas.resources.vcpu", "at least 0"},
    {MODEL("limits: [{id: l}]\n"), "model.limits[0].maximum", "exactly one"},
    {MODEL("limits: [{id: l, maximum: 1}, {id: l, maximum: 1}]\n"), "model.limits[1].id", "twice"},
    {MODEL("limits: [{id: l, maximum: 1, periods: [noon]}]\n"), "model.limits[0].periods[0]",
     "noon"},
    {MODEL("limits: [{id: l, maximum: 1, policy: {kind: soft}}]\n"), "model.limits[0].policy.price",
     "required"},
    {MODEL("limits: [{id: l, maximum: 1, policy: {kind: prefer, price: 1 USD}}]\n"),
     "model.limits[0].policy.price", "SOFT only"},
    {MODEL("budgets: [{id: b}]\n"), "model.budgets[0].windows", "at least one"},
    {MODEL("budgets: [{id: b, windows: [{}]}]\n"), "model.budgets[0].windows[0].amount",
     "required"},
    {MODEL("budgets: [{id: b, windows: [{amount: 1 USD, from_hour: 1}]}]\n"),
     "model.budgets[0].windows[0].from_hour", "load_levels only"},
    {MODEL("budgets: [{id: b, windows: [{amount: 1 USD}], spent_already: 1 EUR}]\n"),
     "model.budgets[0].spent_already.currency_code", "USD"},
    {MODEL("budgets: [{id: b, team: red, windows: [{amount: 1 USD}]}]\n"), "model.budgets[0].team",
     "red"},
    {CATALOG "load_levels: {hours: 2}\n" WORKLOADS
             "budgets: [{id: b, windows: [{amount: 1 USD, to_hour: 3}]}]\n",
     "model.budgets[0].windows[0].to_hour", "prorate"},
    {MODEL("currency: {base_currency: usd}\n"), "model.currency.base_currency", "3 letters"},
    {MODEL("currency: {rates: [{pair: CNYUSD, rate: 1}]}\n"), "model.currency.rates[0].pair",
     "CNY/USD"},
    {MODEL("currency: {rates: [{pair: CNY/EUR, rate: 1}]}\n"), "model.currency.rates[0].pair",
     "base currency USD"},
    {MODEL("currency: {rates: [{pair: CNY/USD, rate: 1}, {pair: USD/CNY, rate: 1}]}\n"),
     "model.currency.rates[1].pair", "already"},
    {MODEL("options: {time_limit_seconds: 100000}\n"), "model.options.time_limit_seconds", "86400"},
    {MODEL("options: {gap: 2}\n"), "model.options.gap", "[0, 1]"},
    {MODEL("options: {maximum_conflicts: 6}\n"), "model.options.maximum_conflicts", "[0, 5]"},
    {"catalog: {offerings: [{provider: '', type: m, purchase: on-demand, price: 1 USD}]}\n" PERIODS
         WORKLOADS,
     "model.catalog.offerings[0].provider", "is empty"},
    {"catalog: {offerings: [{provider: aws, purchase: on-demand, price: 1 USD}]}\n" PERIODS
         WORKLOADS,
     "model.catalog.offerings[0].type", "required"},
    {"catalog: {offerings: [{provider: aws, type: m, price: 1 USD}]}\n" PERIODS WORKLOADS,
     "model.catalog.offerings[0].purchase", "required"},
    {"catalog: {offerings: [{provider: aws, type: m, purchase: spot}]}\n" PERIODS WORKLOADS,
     "model.catalog.offerings[0].price", "required"},
    {"catalog: {offerings: [{provider: aws, type: a/b, purchase: spot, price: 1 "
     "USD}]}\n" PERIODS WORKLOADS,
     "model.catalog.offerings[0].type", "not allowed"},
    {"catalog: {offerings: [" OFFERING "], products: [{id: p, provider: aws}]}\n" PERIODS WORKLOADS,
     "model.catalog.products[0].kind", "required"},
    {"catalog: {offerings: [" OFFERING
     "], products: [{id: p, provider: aws, kind: unit, eligible: {}, term_hours: 24, lot: "
     "2}]}\n" PERIODS WORKLOADS,
     "model.catalog.products[0].lot", "SPEND"},
    {"catalog: {offerings: [" OFFERING
     "], products: [{id: p, provider: aws, kind: spend, eligible: {}, term_hours: 24, rates: "
     "[{units: 2}]}]}\n" PERIODS WORKLOADS,
     "model.catalog.products[0].rates[0]", "price_ratio"},
    {"catalog: {offerings: [" OFFERING
     "], products: [{id: p, provider: aws, kind: unit, eligible: {}, term_hours: 24, existing: "
     "[{quantity: 1, expires_at: '2026-01-01T00:00:00Z'}]}]}\n" PERIODS WORKLOADS,
     "model.catalog.products[0].existing[0].expires_at", "start"},
    {"catalog: {offerings: [" OFFERING
     "], products: [{id: p, provider: aws, kind: unit, eligible: {}, term_hours: 24, hourly_fee: "
     "1 USD, upfront: 1 EUR}]}\n" PERIODS WORKLOADS,
     "model.catalog.products[0].upfront.currency_code", "USD"},
    {CATALOG "periods: [{id: now, hours: 1}]\n"
             "workloads: [{id: web, must_serve: true, throughput: {rate: 1, performance: "
             "[{per_instance: 1}]}}]\n"
             "current: {instances: [{offering: aws/m, workload: web, count: 1}]}\n",
     "model.current.instances[0].offering", "provider/region/zone"},
    {CATALOG "periods: [{id: now, hours: 1}]\n"
             "workloads: [{id: db, must_serve: true, replicas: {count: 1, resources: {vcpu: 1}}}]\n"
             "current: {instances: [{offering: 'aws/*/*/m/linux/on-demand', workload: db, count: "
             "1}]}\n",
     "model.current.instances[0].workload", "give team"},
};

static void each_wrong_field_is_told_with_its_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(wrong); i++) {
        struct fixture f;
        check(&f, wrong[i].yaml);
        fixture_expect(&f, wrong[i].path, wrong[i].part);
        fixture_fini(&f);
    }
}

static void all_problems_are_told_at_once(void **state)
{
    struct fixture f;
    (void)state;

    check(&f, CATALOG "periods: [{id: a, hours: -1}]\n"
                      "workloads: [{id: W, must_serve: true, throughput: {rate: [1, 2], "
                      "performance: [{}]}}]\n"
                      "limits: [{id: l}]\n");
    fixture_expect(&f, "model.periods[0].hours", "above 0");
    fixture_expect(&f, "model.workloads[0].id", "not an id");
    fixture_expect(&f, "model.workloads[0].throughput.rate", "2 values");
    fixture_expect(&f, "model.workloads[0].throughput.performance[0].per_instance", "exactly one");
    fixture_expect(&f, "model.limits[0].maximum", "exactly one");
    assert_int_equal(f.violations.n, 5);
    fixture_fini(&f);
}

static void an_empty_model_is_refused_and_does_not_crash(void **state)
{
    struct fixture f;
    (void)state;

    check(&f, "{}");
    fixture_expect(&f, "model.catalog", "nothing may be bought");
    fixture_expect(&f, "model.periods", "exactly one");
    fixture_expect(&f, "model.workloads", "at least one");
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_model_has_no_violation),
        cmocka_unit_test(each_rule_that_is_not_served_is_refused_by_name),
        cmocka_unit_test(each_wrong_field_is_told_with_its_path),
        cmocka_unit_test(all_problems_are_told_at_once),
        cmocka_unit_test(an_empty_model_is_refused_and_does_not_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

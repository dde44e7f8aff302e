/* What egress costs by the snapshot's rates. One period of one hour; an instance costs 1 USD, and
 * 10 units of demand each send GB back to where they come from. */
#include "../support/snapshot_fixture.h"
#include "../support/solved_fixture.h"

#include "catalog_flat.h"
#include "isocost/proto/day.h"

static struct iso_snapshot *rated(const char *const *rates, size_t n)
{
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();

    snapshot_add(builder, "aws", "us-east-1", "a", 1, D(1));
    snapshot_add(builder, "gcp", "us-east1", "a", 1, D(1));
    for (size_t i = 0; i < n; i++)
        snapshot_add_rate(builder, rates[i]);
    return snapshot_finish(builder);
}

/* A workload in a provider's region, whose demand comes from a place and takes 2 GB a unit: 20 GB.
 */
static void model_of(char yaml[2048], const char *provider, const char *from, const char *more)
{
    snprintf(yaml, 2048,
             "catalog: {selectors: [{include: [{provider: %s}]}]}\n"
             "periods: [{id: p, hours: 1}]\n"
             "workloads: [{id: web, must_serve: true, throughput: {rate: 10, performance: "
             "[{per_instance: 10}]}, traffic: {id: users, gb_back_per_unit_hour: 2, sources: "
             "[{region: %s, share: 1}]}}]\n%s",
             provider, from, more);
}

static const char *const rates[] = {
    /* Steps: nothing for the first 100 GB, 0.09 up to 10,240, 0.07 beyond. */
    "{provider: aws, region: '*', to: internet, price_per_gb: 0 USD, source: list}",
    "{provider: aws, region: '*', to: internet, from_gb: 100, price_per_gb: 0.09 USD, source: "
    "list, observed_at: '2026-06-01T00:00:00Z'}",
    "{provider: aws, region: '*', to: internet, from_gb: 10240, price_per_gb: 0.07 USD, source: "
    "list, observed_at: '2026-05-01T00:00:00Z'}",
    "{provider: aws, region: '*', to: aws, price_per_gb: 0.02 USD, source: between regions}",
    "{provider: aws, region: us-east-1, to: aws/us-east-2, price_per_gb: 0.01 USD, source: pair}",
    "{provider: aws, region: us-*, to: aws/eu-*, price_per_gb: 0.03 USD, source: continents}",
    "{provider: aws, region: '*', to: azure, price_per_gb: 0.07 USD, source: elsewhere}",
    "{provider: aws, region: us-*, to: azure, price_per_gb: 0.06 USD, source: of the continent}",
    "{provider: aws, region: us-east-1, to: azure, price_per_gb: 0.05 USD, source: to azure}",
    "{provider: aws, region: us-east-1, to: '*', price_per_gb: 0.5 USD, source: anywhere}",
    "{provider: gcp, region: '*', to: internet, price_per_gb: 0.5 CNY, source: yuan}",
};

/* 1 for the instance and 20 GB: of the rates that cover the pair the one whose destination says
 * most holds, at its dearest step. */
static void the_rate_that_says_more_holds_at_its_dearest_step(void **state)
{
    static const struct {
        const char *from; /* where the demand is, so where the data goes to */
        double cost;
        const char *note; /* NULL: the price is nobody's */
    } cases[] = {
        {"internet/europe", 1 + 20 * 0.09, "list; the dearest of 3 steps"},
        {"gcp/us-east1", 1 + 20 * 0.09, "list; the dearest of 3 steps"}, /* out of aws */
        {"onprem/hq", 1 + 20 * 0.09, "list; the dearest of 3 steps"},
        {"azure/eastus", 1 + 20 * 0.05, "to azure"},
        {"aws/ap-south-1", 1 + 20 * 0.02, "between regions"},
        {"aws/eu-west-1", 1 + 20 * 0.03, "continents"},
        {"aws/us-east-2", 1 + 20 * 0.01, "pair"},
        {"aws/us-east-1", 1, NULL}, /* inside of the region */
    };
    ISO_AUTO(iso_snapshot) snapshot = rated(rates, ISO_ARRAY_LENGTH(rates));
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct fixture f;
        char yaml[2048];
        model_of(yaml, "aws", cases[i].from, "");
        fixture_good(&f, yaml, snapshot);
        ISO_AUTO(iso_plan) plan = solved_problem(&f);
        if (plan->cost != D(cases[i].cost))
            fail_msg("%s: %.9g", cases[i].from, iso_decimal_to_double(plan->cost));
        assert_int_equal(f.resolved->n_egress_notes, cases[i].note != NULL);
        if (cases[i].note)
            assert_string_equal(f.resolved->egress_notes[0].text, cases[i].note);
        bool steps = cases[i].note && strstr(cases[i].note, "steps");
        assert_int_equal(fixture_warned(&f, "steps by volume"), steps);
        fixture_fini(&f);
    }
}

/* 1 + 20 * 0.04, whatever the snapshot says; data inside of the region that the model names too. */
static void the_models_own_prices_win(void **state)
{
    ISO_AUTO(iso_snapshot) snapshot = rated(rates, ISO_ARRAY_LENGTH(rates));
    struct fixture f;
    char yaml[2048];
    (void)state;

    model_of(yaml, "aws", "aws/us-east-2",
             "egress_prices: [{from: 'aws/*', to: '*', price_per_gb: 0.04 USD}]\n");
    fixture_good(&f, yaml, snapshot);
    ISO_AUTO(iso_plan) plan = solved_problem(&f);
    assert_int_equal(plan->cost, D(1.8));
    assert_int_equal(f.resolved->n_egress_notes, 0);
    fixture_fini(&f);
}

/* 20 GB at 0.5 CNY, 0.14 USD each: 1 + 20 * 0.07 = 2.4. */
static void a_rate_in_another_currency_needs_a_rate_of_exchange(void **state)
{
    ISO_AUTO(iso_snapshot) snapshot = rated(rates, ISO_ARRAY_LENGTH(rates));
    struct fixture f;
    char yaml[2048];
    (void)state;

    model_of(yaml, "gcp", "internet/asia", "currency: {rates: [{pair: CNY/USD, rate: 0.14}]}\n");
    fixture_good(&f, yaml, snapshot);
    ISO_AUTO(iso_plan) plan = solved_problem(&f);
    assert_int_equal(plan->cost, D(2.4));
    fixture_fini(&f);
    model_of(yaml, "gcp", "internet/asia", "");
    fixture_resolve(&f, yaml, snapshot);
    assert_null(f.resolved);
    fixture_expect(&f, "model.workloads[0].traffic", "is priced in CNY by the snapshot");
    fixture_fini(&f);
}

static void a_pair_that_nobody_prices_is_refused(void **state)
{
    ISO_AUTO(iso_snapshot) snapshot = rated(rates, ISO_ARRAY_LENGTH(rates));
    struct fixture f;
    char yaml[2048];
    (void)state;

    model_of(yaml, "gcp", "gcp/asia-east1", ""); /* its only rate is to what is not its own */
    fixture_resolve(&f, yaml, snapshot);
    assert_null(f.resolved);
    fixture_expect(&f, "model.workloads[0].traffic",
                   "from gcp/us-east1 to gcp/asia-east1, and neither egress_prices nor the "
                   "snapshot's rates of egress have a price for that");
    fixture_fini(&f);
}

/* 0.09 until June, 0.12 from July on, 0.15 in 2027: a plan of one day has that of its day, one of
 * more days the dearest that holds on any of them. */
static void rates_hold_on_their_days_and_the_dearest_day_counts(void **state)
{
    static const char *const dated[] = {
        "{provider: aws, to: internet, region: '*', price_per_gb: 0.09 USD, valid_until: "
        "2026-06-30}",
        "{provider: aws, to: internet, region: '*', price_per_gb: 0.12 USD, valid_from: "
        "2026-07-01, valid_until: 2026-12-31}",
        "{provider: aws, to: internet, region: '*', price_per_gb: 0.15 USD, valid_from: "
        "2027-01-01}",
    };
    static const struct {
        const char *today, *periods; /* NULL: one without a time */
        double cost;
    } cases[] = {
        {"2026-06-30", NULL, 1 + 20 * 0.09},
        {"2026-07-01", NULL, 1 + 20 * 0.12},
        {"2027-01-01", NULL, 1 + 20 * 0.15},
        {"2027-01-01",
         "periods: [{id: a, hours: 1, start: '2026-06-30T00:00:00Z'}, {id: b, hours: 1, start: "
         "'2026-07-01T00:00:00Z'}]\n",
         2 * (1 + 20 * 0.12)},
    };
    ISO_AUTO(iso_snapshot) snapshot = rated(dated, ISO_ARRAY_LENGTH(dated));
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct fixture f;
        char yaml[2048], *periods;
        int32_t today;
        model_of(yaml, "aws", "internet/europe", cases[i].periods ? cases[i].periods : "");
        periods = strstr(yaml, "periods: [{id: p");
        if (cases[i].periods)
            memset(periods, ' ', strcspn(periods, "\n"));
        assert_true(iso_day_read(cases[i].today, &today));
        fixture_resolve_on(&f, yaml, snapshot, today);
        if (!f.resolved)
            fail_msg("%s: %s", f.error.field, f.error.text);
        ISO_AUTO(iso_plan) plan = solved_problem(&f);
        if (plan->cost != D(cases[i].cost))
            fail_msg("%s: %.9g", cases[i].today, iso_decimal_to_double(plan->cost));
        fixture_fini(&f);
    }
}

/* Written out, the tariffs are entries behind the model's own, and the plan costs the same. */
static void a_flat_catalog_has_the_snapshots_prices_of_egress(void **state)
{
    ISO_AUTO(iso_snapshot) snapshot = rated(rates, ISO_ARRAY_LENGTH(rates));
    struct iso_flat_catalog *flat = NULL;
    struct fixture f;
    char yaml[2048];
    (void)state;

    model_of(yaml, "aws", "aws/eu-west-1", "");
    fixture_good(&f, yaml, snapshot);
    assert_int_equal(iso_catalog_flatten(f.model, snapshot, f.arena, &flat, NULL), ISO_OK);
    f.model->catalog = flat->catalog;
    f.model->n_egress_prices = flat->n_egress_prices;
    f.model->egress_prices = flat->egress_prices;
    assert_int_equal(flat->n_egress_prices, 9); /* eleven rates, of which three are steps */
    f.model->n_egress_prices = 0;
    for (size_t i = 0; i < flat->n_egress_prices; i++) /* there is no rate of exchange */
        if (strcmp(flat->egress_prices[i]->price_per_gb->currency_code, "CNY") != 0)
            f.model->egress_prices[f.model->n_egress_prices++] = flat->egress_prices[i];
    iso_model_check(f.model, "model", &f.violations);
    assert_int_equal(f.violations.n, 0);
    assert_int_equal(iso_resolve(f.model, NULL, 0, NULL, f.arena, &f.violations, &f.resolved, NULL),
                     ISO_OK);
    f.problem = &f.resolved->problem;
    ISO_AUTO(iso_plan) plan = solved_problem(&f);
    assert_int_equal(plan->cost, D(1 + 20 * 0.03));
    fixture_fini(&f);
}

static void failed_allocations_are_reported(void **state)
{
    ISO_AUTO(iso_snapshot) snapshot = rated(rates, ISO_ARRAY_LENGTH(rates));
    char yaml[2048];
    (void)state;

    model_of(yaml, "aws", "internet/europe", "");
    fixture_survives_failed_allocations(yaml, snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rate_that_says_more_holds_at_its_dearest_step),
        cmocka_unit_test(the_models_own_prices_win),
        cmocka_unit_test(a_rate_in_another_currency_needs_a_rate_of_exchange),
        cmocka_unit_test(a_pair_that_nobody_prices_is_refused),
        cmocka_unit_test(rates_hold_on_their_days_and_the_dearest_day_counts),
        cmocka_unit_test(a_flat_catalog_has_the_snapshots_prices_of_egress),
        cmocka_unit_test(failed_allocations_are_reported),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

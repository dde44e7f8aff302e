/* From a model to a problem: limits, quotas, budgets, commitments and what runs today. */
#include "../support/resolve_fixture.h"

/* Offerings by rising id: 0 aws a on demand (1 USD, 2 vCPU), 1 aws a spot (0.5 USD, 2 vCPU), 2 aws
 * b on demand (4 USD, vCPU unknown), 3 gcp c on demand (2 USD, 8 vCPU, no GPU). */
#define OFFERINGS                                                                              \
    "  offerings:\n"                                                                           \
    "    - {provider: aws, region: east, type: a, purchase: on-demand, price: 1 USD, "         \
    "resources: {vcpu: 2}}\n"                                                                  \
    "    - {provider: aws, region: east, type: a, purchase: spot, price: 0.5 USD, resources: " \
    "{vcpu: 2}}\n"                                                                             \
    "    - {provider: aws, region: east, type: b, purchase: on-demand, price: 4 USD}\n"        \
    "    - {provider: gcp, region: west, type: c, purchase: on-demand, price: 2 USD, "         \
    "resources: {vcpu: 8, gpu: 0}}\n"
#define CATALOG "catalog:\n" OFFERINGS
#define PERIODS "periods: [{id: day, hours: 10}, {id: night, hours: 14}]\n"
#define STARTS                                                        \
    "periods: [{id: day, hours: 10, start: '2026-01-01T00:00:00Z'}, " \
    "{id: night, hours: 14, start: '2026-01-01T10:00:00Z'}, "         \
    "{id: next, hours: 24, start: '2026-01-02T00:00:00Z'}]\n"
#define WEB                                                                                        \
    "{id: web, team: shop, account: acc-1, must_serve: true, throughput: {rate: 10, performance: " \
    "[{per_instance: 5}]}}"
#define DB "{id: db, team: data, must_serve: true, replicas: {count: 3, resources: {vcpu: 1}}}"
#define WORKLOADS "teams: [{id: shop}, {id: data}]\nworkloads: [" WEB ", " DB "]\n"

static void limits_weigh_what_they_count(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(&f,
                 CATALOG PERIODS WORKLOADS
                 "limits:\n"
                 "  - {id: count, maximum: 7, scope: {include: [{provider: aws}]}}\n"
                 "  - {id: cores, metric: vcpu, minimum: 4, periods: [night]}\n"
                 "  - {id: off, maximum: 0, disabled: true}\n"
                 "  - {id: gpus, metric: gpu, maximum: 1, scope: {include: [{provider: gcp}]}}\n"
                 "  - {id: nothing, maximum: 1, scope: {include: [{provider: azure}]}}\n",
                 NULL);
    const struct iso_limit *l = f.problem->limits;
    assert_int_equal(f.problem->n_limits, 4);
    assert_int_equal(l[0].n_terms, 3);
    assert_int_equal(l[0].bound, D(7));
    assert_int_equal(l[0].terms[2].weight, ISO_DECIMAL_ONE);
    assert_memory_equal(l[0].periods, ((const uint8_t[]){1, 1}), 2);
    /* b does not say its vCPUs: left out of a minimum, with a warning. */
    assert_true(l[1].minimum);
    assert_int_equal(l[1].n_terms, 3);
    assert_int_equal(l[1].terms[0].weight, D(2));
    assert_int_equal(l[1].terms[2].offering, 3);
    assert_int_equal(l[1].terms[2].weight, D(8));
    assert_memory_equal(l[1].periods, ((const uint8_t[]){0, 1}), 2);
    assert_true(fixture_warned(&f, "limit cores: 1 offerings"));
    assert_int_equal(l[2].n_terms, 0); /* c has no GPU */
    assert_true(fixture_warned(&f, "limit nothing: its scope matches no"));
    fixture_fini(&f);
}

static void an_unknown_weight_under_a_hard_cap_bars_the_offering(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(
        &f, CATALOG PERIODS WORKLOADS "limits: [{id: cores, metric: vcpu, maximum: 100}]\n", NULL);
    assert_int_equal(f.problem->n_offerings, 3);
    assert_int_equal(fixture_filtered(&f, "web", "resources unknown"), 1);
    assert_int_equal(fixture_filtered(&f, "web", "kept"), 3);
    fixture_fini(&f);
    /* A soft one does not. */
    fixture_good(&f,
                 CATALOG PERIODS WORKLOADS
                 "limits: [{id: cores, metric: vcpu, maximum: 100, policy: {kind: soft, price: 2 "
                 "EUR}}]\n"
                 "currency: {rates: [{pair: EUR/USD, rate: 1.1}]}\n",
                 NULL);
    assert_int_equal(f.problem->n_offerings, 4);
    assert_int_equal(f.problem->limits[0].policy, ISO_POLICY_SOFT);
    assert_int_equal(f.problem->limits[0].price, D(2.2));
    fixture_fini(&f);
}

static void quotas_are_hard_limits_less_what_is_used(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(
        &f,
        CATALOG
        "  quotas:\n"
        "    - {provider: AWS, region: east, code: L-1, limit: 10, used: 3, scope: "
        "{include: [{purchase: on-demand, type: a}]}}\n"
        "    - {provider: aws, code: L-2, resource: vcpu, limit: 5, used: 9, scope: "
        "{include: [{purchase: spot}]}}\n"
        "    - {provider: aws, region: east, code: L-3, unlimited: true, scope: {include: "
        "[{type: b}]}}\n"
        "    - {provider: gcp, region: west, code: CPUS, resource: vcpu}\n" PERIODS WORKLOADS,
        NULL);
    const struct iso_limit *l = f.problem->limits;
    assert_int_equal(f.problem->n_limits, 2);
    assert_string_equal(l[0].id, "quota aws/east L-1");
    assert_true(l[0].quota);
    assert_int_equal(l[0].policy, ISO_POLICY_HARD);
    assert_int_equal(l[0].bound, D(7));
    assert_int_equal(l[0].n_terms, 1);
    assert_string_equal(l[1].id, "quota aws/* L-2");
    assert_int_equal(l[1].bound, 0); /* 5 - 9, floor 0 */
    assert_int_equal(l[1].terms[0].offering, 1);
    assert_int_equal(l[1].terms[0].weight, D(2));
    /* The cap of gcp/west is not known: a reliance in vCPUs. */
    assert_int_equal(f.resolved->n_reliances, 1);
    assert_string_equal(f.resolved->reliances[0].place, "gcp/west");
    assert_string_equal(f.resolved->reliances[0].metric, "vcpu");
    assert_string_equal(f.resolved->reliances[0].state, "unknown");
    assert_int_equal(f.resolved->reliances[0].n_offerings, 1);
    assert_int_equal(f.resolved->reliances[0].weights[0], D(8));
    fixture_fini(&f);
}

static void unknown_quotas_are_relied_on_or_refused(void **state)
{
    static const char quota[] = "  quotas: [{provider: aws, region: east, code: L-1, limit: 10}]\n";
    char yaml[4096];
    struct fixture f;
    (void)state;

    snprintf(yaml, sizeof(yaml), "%s%s%s", CATALOG, quota, PERIODS WORKLOADS);
    fixture_good(&f, yaml, NULL);
    assert_int_equal(f.resolved->n_reliances, 1);
    assert_string_equal(f.resolved->reliances[0].place, "gcp/west");
    assert_string_equal(f.resolved->reliances[0].metric, "instances");
    fixture_fini(&f);

    snprintf(yaml, sizeof(yaml), "%s%s%s", CATALOG, quota,
             PERIODS WORKLOADS "options: {unknown_quota: refuse}\n");
    fixture_good(&f, yaml, NULL);
    assert_int_equal(fixture_filtered(&f, "web", "quota unknown"), 1);
    assert_int_equal(f.problem->n_offerings, 3);
    assert_int_equal(f.resolved->n_reliances, 0);
    fixture_fini(&f);
}

static void old_quotas_are_reported_and_change_nothing(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(&f,
                 CATALOG "  quotas: [{provider: aws, code: L-1, limit: 10, observed_at: "
                         "'2020-01-01T00:00:00Z'}]\n" PERIODS WORKLOADS,
                 NULL);
    assert_int_equal(f.problem->n_limits, 1);
    assert_int_equal(f.resolved->n_reliances, 2);
    assert_string_equal(f.resolved->reliances[0].state, "stale");
    assert_string_equal(f.resolved->reliances[0].place, "aws/*");
    fixture_fini(&f);
}

static void shares_flag_the_options_in_their_set(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(
        &f,
        CATALOG PERIODS
        "workloads: [{id: web, priority: 2, weight: 3, throughput: {rate: 10, performance: "
        "[{per_instance: 5}]}, shares: [{id: s, offerings: {include: [{purchase: spot}]}, maximum: "
        "0.4}], survive: [{id: v, level: region, share: 0.5}], spread: [{id: d, level: provider, "
        "minimum_domains: 2, minimum_share: 0.25}]}]\n",
        NULL);
    const struct iso_workload *w = f.problem->workloads;
    assert_int_equal(w->service, ISO_SERVICE_PRIORITY);
    assert_int_equal(w->priority, 2);
    assert_int_equal(w->weight, D(3));
    assert_memory_equal(w->shares[0].member, ((const uint8_t[]){0, 1, 0, 0}), 4);
    assert_true(w->shares[0].has_maximum && !w->shares[0].has_minimum);
    assert_int_equal(w->shares[0].maximum, D(0.4));
    assert_int_equal(w->survive[0].level, ISO_LEVEL_REGION);
    assert_int_equal(w->spread[0].level, ISO_LEVEL_PROVIDER);
    assert_int_equal(w->spread[0].minimum_share, D(0.25));
    fixture_fini(&f);
}

#define PRODUCTS                                                                           \
    "  products:\n"                                                                        \
    "    - {id: ri, provider: aws, kind: unit, eligible: {include: [{type: a}]}, "         \
    "term_hours: 8760, hourly_fee: 0.6 USD, upfront: 100 USD, scope: {teams: [shop]}}\n"   \
    "    - {id: plan, provider: gcp, kind: spend, eligible: {}, term_hours: 100, lot: 2, " \
    "hourly_fee: 14 CNY, purchasable_maximum: 3, rates: [{price_ratio: 0.5}], existing: "  \
    "[{quantity: 4}]}\n"
#define CNY "currency: {rates: [{pair: CNY/USD, rate: 0.25}]}\n"

static void products_cover_on_demand_offerings_of_their_provider(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(&f, CATALOG PRODUCTS PERIODS WORKLOADS CNY, NULL);
    const struct iso_product *c = f.problem->products;
    assert_int_equal(f.problem->n_products, 2);
    assert_false(c[0].spend);
    assert_int_equal(c[0].n_eligible, 1);
    assert_int_equal(c[0].eligible[0].offering, 0);
    assert_int_equal(c[0].eligible[0].use, ISO_DECIMAL_ONE);
    assert_int_equal(c[0].fee, D(0.6));
    assert_int_equal(c[0].upfront, D(100));
    assert_int_equal(c[0].most, -1);
    assert_int_equal(c[0].starts[0].hours_inside, D(24));
    assert_int_equal(f.resolved->hours_after[0], D(8736));
    /* Cells: web, db (never), pool of shop (no replicas), pool of data. */
    assert_memory_equal(c[0].cells, ((const uint8_t[]){1, 0, 0, 0}), 4);
    assert_memory_equal(c[1].cells, ((const uint8_t[]){1, 0, 0, 1}), 4);
    /* 2 USD * 0.5 in CNY at 1 / 0.25 = 4. */
    assert_true(c[1].spend);
    assert_int_equal(c[1].lot, D(2));
    assert_int_equal(c[1].most, 3);
    assert_int_equal(c[1].n_eligible, 1);
    assert_int_equal(c[1].eligible[0].use, D(4));
    assert_int_equal(c[1].existing[1], D(4));
    assert_string_equal(f.problem->currencies[c[1].currency].code, "CNY");
    fixture_fini(&f);
}

static void the_first_rate_that_wants_an_offering_counts(void **state)
{
    struct fixture f;
    (void)state;

    /* Type b meets its own rate before the one for all; type a only that. */
    fixture_good(&f,
                 "catalog:\n"
                 "  offerings:\n"
                 "    - {provider: aws, type: a, purchase: on-demand, price: 1 USD}\n"
                 "    - {provider: aws, type: b, purchase: on-demand, price: 2 USD}\n"
                 "  products: [{id: p, provider: aws, kind: unit, eligible: {}, term_hours: 24, "
                 "rates: [{offerings: {include: [{type: b}]}, units: 3}, {units: 5}]}]\n"
                 "periods: [{id: day, hours: 24}]\n"
                 "workloads: [{id: web, must_serve: true, throughput: {rate: 1, performance: "
                 "[{offerings: {include: [{type: a}]}, per_instance: 7}, {per_instance: 9}]}}]\n",
                 NULL);
    const struct iso_product *c = f.problem->products;
    assert_int_equal(c->n_eligible, 2);
    assert_int_equal(c->eligible[0].use, D(5));
    assert_int_equal(c->eligible[1].use, D(3));
    assert_int_equal(f.problem->workloads[0].options[0].served, D(7));
    assert_int_equal(f.problem->workloads[0].options[1].served, D(9));
    fixture_fini(&f);
}

static void a_term_covers_the_periods_that_start_in_it(void **state)
{
    struct fixture f;
    (void)state;

    /* A term of 10 h from day covers day; from night [10 h, 20 h) covers night (14 h, of which 10
     * count). Existing until 10:00 is there in day only; until 10:00:01 also in night. */
    fixture_good(&f,
                 CATALOG
                 "  products: [{id: p, provider: aws, kind: unit, eligible: {}, term_hours: 10, "
                 "start_periods: [day, night], existing: [{quantity: 1, expires_at: "
                 "'2026-01-01T10:00:00Z'}, {quantity: 2, expires_at: '2026-01-01T10:00:01Z'}, "
                 "{quantity: 4}]}]\n" STARTS WORKLOADS,
                 NULL);
    const struct iso_product *c = f.problem->products;
    assert_int_equal(c->n_starts, 2);
    assert_memory_equal(c->starts[0].window, ((const uint8_t[]){1, 0, 0}), 3);
    assert_int_equal(c->starts[0].hours_inside, D(10));
    assert_int_equal(f.resolved->hours_after[0], 0);
    assert_int_equal(c->starts[1].period, 1);
    assert_memory_equal(c->starts[1].window, ((const uint8_t[]){0, 1, 0}), 3);
    assert_int_equal(c->starts[1].hours_inside, D(10));
    assert_int_equal(c->existing[0], D(7));
    assert_int_equal(c->existing[1], D(6));
    assert_int_equal(c->existing[2], D(4));
    fixture_fini(&f);
}

static void a_short_term_needs_periods_with_a_start(void **state)
{
    struct fixture f;
    (void)state;

    fixture_resolve(&f,
                    CATALOG "  products: [{id: p, provider: aws, kind: unit, eligible: {}, "
                            "term_hours: 23}]\n" PERIODS WORKLOADS,
                    NULL);
    assert_null(f.resolved);
    fixture_expect(&f, "model.catalog.products[0]", "product p");
    fixture_fini(&f);
}

static void nothing_is_bought_for_less_than_a_day(void **state)
{
    static const char yaml[] =
        CATALOG "  products: [{id: p, provider: aws, kind: unit, eligible: {}, term_hours: 8760}]\n"
                "periods: [{id: now, hours: 23}]\n" WORKLOADS;
    char repeats[4096];
    struct fixture f;
    (void)state;

    fixture_good(&f, yaml, NULL);
    assert_int_equal(f.problem->products[0].most, 0);
    assert_true(fixture_warned(&f, "shorter than 24 hours"));
    fixture_fini(&f);
    snprintf(repeats, sizeof(repeats), "%soptions: {horizon_repeats: true}\n", yaml);
    fixture_good(&f, repeats, NULL);
    assert_int_equal(f.problem->products[0].most, -1);
    fixture_fini(&f);
}

static void budgets_count_what_their_scope_says(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(
        &f,
        CATALOG PRODUCTS PERIODS WORKLOADS CNY
        "budgets:\n"
        "  - {id: all, windows: [{amount: 10 USD}]}\n"
        "  - {id: of-aws, provider: Amazon, windows: [{amount: 10 USD}]}\n"
        "  - {id: of-shop, team: shop, windows: [{amount: 10 CNY, periods: [night]}]}\n"
        "  - {id: of-data, team: data, basis: cash, windows: [{amount: 10 USD}]}\n"
        "  - {id: of-a, offerings: {include: [{type: a}]}, windows: [{amount: 10 USD}, {amount: 20 "
        "USD}], spent_already: 4 USD}\n"
        "  - {id: spent, spent_already: 11 USD, windows: [{amount: 10 USD}]}\n"
        "  - {id: off, disabled: true, windows: [{amount: 10 XYZ}]}\n",
        NULL);
    const struct iso_budget *b = f.problem->budgets;
    assert_int_equal(f.problem->n_budgets, 6);
    assert_int_equal(b[0].basis, ISO_BASIS_AMORTISED);
    assert_true(b[0].moves);
    assert_memory_equal(b[0].products, ((const uint8_t[]){1, 1}), 2);
    assert_memory_equal(b[0].cells, ((const uint8_t[]){1, 1, 1, 1}), 4);
    assert_false(b[1].moves);
    assert_memory_equal(b[1].offerings, ((const uint8_t[]){1, 1, 1, 0}), 4);
    assert_memory_equal(b[1].products, ((const uint8_t[]){1, 0}), 2);
    assert_int_equal(b[2].basis, ISO_BASIS_LIST);
    assert_memory_equal(b[2].cells, ((const uint8_t[]){1, 0, 1, 0}), 4);
    assert_memory_equal(b[2].products, ((const uint8_t[]){1, 0}), 2);
    assert_memory_equal(b[2].windows[0].periods, ((const uint8_t[]){0, 1}), 2);
    assert_string_equal(f.problem->currencies[b[2].windows[0].currency].code, "CNY");
    assert_int_equal(b[3].basis, ISO_BASIS_CASH);
    assert_memory_equal(b[3].cells, ((const uint8_t[]){0, 0, 0, 1}), 4);
    assert_memory_equal(b[3].products, ((const uint8_t[]){0, 0}), 2);
    assert_memory_equal(b[4].offerings, ((const uint8_t[]){1, 1, 0, 0}), 4);
    assert_memory_equal(b[4].products, ((const uint8_t[]){1, 0}), 2);
    assert_int_equal(b[4].windows[0].amount, D(6));
    assert_int_equal(b[4].windows[1].amount, D(20));
    assert_int_equal(b[5].windows[0].amount, 0);
    assert_true(fixture_warned(&f, "budget spent"));
    fixture_fini(&f);
}

#define CURRENT                                                                      \
    "current:\n"                                                                     \
    "  instances:\n"                                                                 \
    "    - {offering: 'gcp/west/*/c/linux/on-demand', team: data, count: 2}\n"       \
    "    - {offering: 'Amazon/EAST/*/a/linux/on-demand', workload: web, count: 6}\n" \
    "    - {offering: 'aws/east/*/b/linux/on-demand', workload: web, count: 1}\n"    \
    "  start_cost: 1 USD\n"                                                          \
    "  move_cost: 4 CNY\n"                                                           \
    "  maximum_moves: 5\n"

static void what_runs_today_is_sorted_and_forces_stops_where_demand_falls(void **state)
{
    struct fixture f;
    (void)state;

    /* web: 7 instances serve 35; 10 are required: floor(7 * (1 - 10 / 35)) = floor(7 * 25 / 35) =
     * 5. */
    fixture_good(&f, CATALOG STARTS WORKLOADS CURRENT CNY, NULL);
    const struct iso_moves *m = &f.problem->moves;
    assert_true(m->present);
    assert_int_equal(m->n_current, 3);
    assert_int_equal(m->current[0].cell, 0);
    assert_int_equal(m->current[0].offering, 0);
    assert_int_equal(m->current[0].count, 6);
    assert_int_equal(m->current[1].offering, 2);
    assert_int_equal(m->current[2].cell, 2 + 1);
    assert_int_equal(m->start_cost, D(1));
    assert_int_equal(m->stop_cost, 0);
    assert_int_equal(m->move_cost, D(1));
    assert_int_equal(m->maximum, 5);
    assert_int_equal(m->forced_stops, 5);
    fixture_fini(&f);
}

static void an_unknown_offering_that_runs_today_is_refused(void **state)
{
    struct fixture f;
    (void)state;

    fixture_resolve(&f,
                    CATALOG STARTS WORKLOADS
                    "current: {instances: [{offering: 'aws/east/*/z/linux/on-demand', workload: "
                    "web, count: 1}]}\n",
                    NULL);
    assert_null(f.resolved);
    fixture_expect(&f, "model.current.instances[0].offering", "neither in the catalog");
    fixture_fini(&f);
}

static void what_runs_today_stays_in_the_problem_though_it_may_not_be_used(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(&f,
                 CATALOG STARTS
                 "workloads: [{id: web, must_serve: true, throughput: {rate: 10, performance: "
                 "[{per_instance: 5}]}, allowed: {include: [{provider: gcp}]}}]\n"
                 "current: {instances: [{offering: 'aws/east/*/a/linux/on-demand', workload: "
                 "web, count: 1}]}\n",
                 NULL);
    assert_int_equal(f.problem->n_offerings, 2);
    assert_int_equal(f.problem->workloads[0].n_options, 1);
    assert_int_equal(f.problem->moves.forced_stops, 0);
    fixture_fini(&f);
}

static void rules_that_are_not_hard_know_how_broken_they_are_today(void **state)
{
    struct fixture f;
    (void)state;

    /* Today: 6 a, 1 b (web), 2 c (pool). Instances 9, vCPU of a and c: 12 + 16 = 28.
     * Budget of a day of 10 h at list price: a 6 * 1 * 10 = 60, b 4 * 10 = 40, c 2 * 2 * 10 = 40:
     * 140 USD; at 0.25 USD a CNY 560 CNY. */
    fixture_good(&f,
                 CATALOG STARTS WORKLOADS CURRENT CNY
                 "limits:\n"
                 "  - {id: few, maximum: 5, policy: {kind: default}}\n"
                 "  - {id: many, metric: vcpu, minimum: 30, policy: {kind: prefer}}\n"
                 "  - {id: fine, maximum: 100, policy: {kind: default}}\n"
                 "budgets:\n"
                 "  - {id: day, policy: {kind: default}, windows: [{periods: [day], amount: 100 "
                 "CNY}]}\n"
                 "  - {id: shop, team: shop, policy: {kind: prefer}, windows: [{periods: [day], "
                 "amount: 30 USD}]}\n",
                 NULL);
    assert_int_equal(f.problem->limits[0].today, D(4));
    assert_int_equal(f.problem->limits[1].today, D(2));
    assert_int_equal(f.problem->limits[2].today, 0);
    assert_int_equal(f.problem->budgets[0].windows[0].today, D(460));
    assert_int_equal(f.problem->budgets[1].windows[0].today, D(70)); /* 60 + 40 - 30 */
    fixture_fini(&f);
}

static void a_placement_needs_one_load_level(void **state)
{
    static const char format[] =
        CATALOG "load_levels: {hours: 2}\n"
                "workloads: [{id: web, must_serve: true, throughput: {rate: [%d, 2], performance: "
                "[{per_instance: 5}]}}]\n"
                "current: {instances: []}\n";
    char yaml[4096];
    struct fixture f;
    (void)state;

    snprintf(yaml, sizeof(yaml), format, 1);
    fixture_resolve(&f, yaml, NULL);
    assert_null(f.resolved);
    fixture_expect(&f, "model.current", "is not served by this server yet");
    fixture_fini(&f);
    snprintf(yaml, sizeof(yaml), format, 2);
    fixture_good(&f, yaml, NULL);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_weigh_what_they_count),
        cmocka_unit_test(an_unknown_weight_under_a_hard_cap_bars_the_offering),
        cmocka_unit_test(quotas_are_hard_limits_less_what_is_used),
        cmocka_unit_test(unknown_quotas_are_relied_on_or_refused),
        cmocka_unit_test(old_quotas_are_reported_and_change_nothing),
        cmocka_unit_test(shares_flag_the_options_in_their_set),
        cmocka_unit_test(products_cover_on_demand_offerings_of_their_provider),
        cmocka_unit_test(the_first_rate_that_wants_an_offering_counts),
        cmocka_unit_test(a_term_covers_the_periods_that_start_in_it),
        cmocka_unit_test(a_short_term_needs_periods_with_a_start),
        cmocka_unit_test(nothing_is_bought_for_less_than_a_day),
        cmocka_unit_test(budgets_count_what_their_scope_says),
        cmocka_unit_test(what_runs_today_is_sorted_and_forces_stops_where_demand_falls),
        cmocka_unit_test(an_unknown_offering_that_runs_today_is_refused),
        cmocka_unit_test(what_runs_today_stays_in_the_problem_though_it_may_not_be_used),
        cmocka_unit_test(rules_that_are_not_hard_know_how_broken_they_are_today),
        cmocka_unit_test(a_placement_needs_one_load_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

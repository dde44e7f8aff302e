/* From a model to a problem: offerings, workloads, time and money. */
#include "../support/resolve_fixture.h"

#define PERIOD "periods: [{id: now, hours: 100}]\n"
#define WEB(more)                                                                  \
    "workloads: [{id: web, must_serve: true, throughput: {rate: 10, performance: " \
    "[{per_vcpu: 5}]}" more "}]\n"

static void defaults_are_filled_in_and_prices_become_hourly(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(&f,
                 "catalog: {offerings: [\n"
                 "  {provider: 阿里云, region: CN-Hangzhou, zone: CN-Hangzhou-B, type: ECS.g7, "
                 "purchase: spot, price: 73 USD, price_unit: month, lot: 3, availability: 0.9, "
                 "resources: {vcpu: 4}},\n"
                 "  {provider: aws, type: m5, purchase: on-demand, price: 0.1 USD, "
                 "resources: {vcpu: 2}}]}\n" PERIOD WEB(""),
                 NULL);
    const struct iso_problem *p = f.problem;
    assert_int_equal(p->n_offerings, 2);
    assert_string_equal(p->offerings[0].id, "alibaba/cn-hangzhou/cn-hangzhou-b/ecs.g7/linux/spot");
    assert_string_equal(p->offerings[1].id, "aws/*/*/m5/linux/on-demand");
    assert_int_equal(p->offerings[0].price, D(0.3)); /* 73 * 3 / 730 */
    assert_true(p->offerings[0].spot);
    assert_int_equal(p->offerings[1].zone, ISO_ANY_ZONE);
    assert_string_equal(p->region_names[p->offerings[0].region], "alibaba/cn-hangzhou");
    assert_string_equal(p->zone_names[p->offerings[0].zone], "alibaba/cn-hangzhou/cn-hangzhou-b");
    assert_int_equal(p->offerings[1].capacity[ISO_RESOURCE_GPU], ISO_UNKNOWN);
    assert_int_equal(p->workloads[0].options[0].served, D(18)); /* 0.9 * 5 * 4 */
    assert_int_equal(p->workloads[0].options[1].served, D(10));
    assert_string_equal(p->teams[p->workloads[0].team].id, "default");
    assert_int_equal(p->options.maximum_conflicts, 0);
    assert_true(p->options.time_limit_s == 60 && p->options.gap == 0.001);
    assert_int_equal(fixture_filtered(&f, "web", "kept"), 2);
    fixture_fini(&f);
}

static void a_price_is_rounded_half_to_even_and_stays_above_zero(void **state)
{
    struct fixture f;
    (void)state;

    /* 1e-9 * 0.5 = 0.5e-9, a tie, goes to the even 0: refused. 1e-9 * 1.5 = 1.5e-9 goes to 2e-9. */
    fixture_resolve(&f,
                    "catalog: {offerings: [{provider: aws, type: m, purchase: on-demand, price: "
                    "0.000000001 USD, lot: 0.5, resources: {vcpu: 1}}]}\n" PERIOD WEB(""),
                    NULL);
    assert_null(f.resolved);
    fixture_expect(&f, "model.catalog.offerings[0]", "at least 0.000000001");
    fixture_fini(&f);
    fixture_good(&f,
                 "catalog: {offerings: [{provider: aws, type: m, purchase: on-demand, price: "
                 "0.000000001 USD, lot: 1.5, resources: {vcpu: 1}}]}\n" PERIOD WEB(""),
                 NULL);
    assert_int_equal(f.problem->offerings[0].price, 2);
    fixture_fini(&f);
}

static void what_is_served_is_rounded_down(void **state)
{
    struct fixture f;
    (void)state;

    /* 0.333333333 * 0.7 = 0.2333333331, rounded down to 0.233333333. */
    fixture_good(&f,
                 "catalog: {offerings: [{provider: aws, type: m, purchase: spot, price: 1 USD, "
                 "availability: 0.7}]}\n" PERIOD
                 "workloads: [{id: web, must_serve: true, throughput: {rate: 1, performance: "
                 "[{per_instance: 0.333333333}]}}]\n",
                 NULL);
    assert_int_equal(f.problem->workloads[0].options[0].served, 233333333);
    fixture_fini(&f);
}

static void demand_with_headroom_is_rounded_up(void **state)
{
    struct fixture f;
    (void)state;

    /* 0.000000001 * 1.5 = 1.5e-9, up to 2e-9. 3 replicas * 1.2 = 3.6, which
     * only whole copies can serve, but which a penalty measures as it is. */
    fixture_good(&f,
                 "catalog: {offerings: [{provider: aws, type: m, purchase: spot, price: 1 USD, "
                 "resources: {vcpu: 1}}]}\n"
                 "periods: [{id: a, hours: 1}, {id: b, hours: 1}]\n"
                 "workloads:\n"
                 "  - {id: web, must_serve: true, headroom: 0.5, throughput: {rate: [0.000000001, "
                 "0], performance: [{per_instance: 1}]}}\n"
                 "  - {id: db, must_serve: true, headroom: 0.2, replicas: {count: 3, resources: "
                 "{vcpu: 1}}}\n",
                 NULL);
    const struct iso_workload *w = f.problem->workloads;
    assert_int_equal(w[0].demand[0], 1);
    assert_int_equal(w[0].required[0], 2);
    assert_int_equal(w[0].required[1], 0);
    assert_int_equal(w[1].demand[1], D(3));
    assert_int_equal(w[1].required[1], D(3.6));
    fixture_fini(&f);
}

static void the_first_performance_row_that_selects_holds(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(
        &f,
        "catalog: {offerings: [\n"
        "  {provider: aws, type: a, purchase: on-demand, price: 1 USD, resources: {vcpu: 2}},\n"
        "  {provider: aws, type: b, purchase: on-demand, price: 1 USD, resources: {vcpu: 2, "
        "memory_gib: 8}},\n"
        "  {provider: aws, type: c, purchase: on-demand, price: 1 USD},\n"
        "  {provider: gcp, type: d, purchase: on-demand, price: 1 USD, resources: {vcpu: 2}},\n"
        "  {provider: aws, type: e, purchase: on-demand, price: 1 USD, resources: {gpu: "
        "0}}]}\n" PERIOD
        "workloads: [{id: web, must_serve: true, throughput: {rate: 1, performance: [\n"
        "  {offerings: {include: [{type: a}]}, per_instance: 7},\n"
        "  {offerings: {include: [{type: b}]}, per_memory_gib: 2},\n"
        "  {offerings: {include: [{type: e}]}, per_gpu: 2},\n"
        "  {offerings: {include: [{provider: aws}]}, per_vcpu: 3}]}}]\n",
        NULL);
    const struct iso_workload *w = f.problem->workloads;
    assert_int_equal(w->n_options, 2);
    assert_int_equal(w->options[0].served, D(7));
    assert_int_equal(w->options[1].served, D(16));
    assert_int_equal(fixture_filtered(&f, "web", "resources unknown"), 1); /* c */
    assert_int_equal(fixture_filtered(&f, "web", "no performance"), 2);    /* d; e has 0 GPUs */
    assert_int_equal(fixture_filtered(&f, "web", "kept"), 2);
    assert_int_equal(f.problem->n_offerings, 2); /* the others are no part of the problem */
    fixture_fini(&f);
}

static void replicas_fit_as_often_as_the_scarcest_resource_allows(void **state)
{
    struct fixture f;
    (void)state;

    /* Overhead 0.5 vCPU and 2 GiB. big: floor(7.5 / 2) = 3, floor(30 / 7) = 4, so 3; capped 2 for
     * "capped". small: floor(1.5 / 2) = 0: too small. dim does not say its memory. */
    fixture_good(
        &f,
        "catalog: {offerings: [\n"
        "  {provider: aws, type: big, purchase: on-demand, price: 1 USD, resources: {vcpu: 8, "
        "memory_gib: 32}},\n"
        "  {provider: aws, type: dim, purchase: on-demand, price: 1 USD, resources: {vcpu: 8}},\n"
        "  {provider: aws, type: small, purchase: on-demand, price: 1 USD, resources: {vcpu: 2, "
        "memory_gib: 32}}]}\n" PERIOD "teams: [{id: data, overhead: {vcpu: 0.5, memory_gib: 2}}]\n"
        "workloads:\n"
        "  - {id: db, team: data, must_serve: true, replicas: {count: 3, resources: {vcpu: 2, "
        "memory_gib: 7}}}\n"
        "  - {id: capped, team: data, must_serve: true, replicas: {count: 3, resources: {vcpu: 2, "
        "memory_gib: 7}, maximum_per_instance: 2}}\n",
        NULL);
    const struct iso_workload *w = f.problem->workloads;
    assert_int_equal(w[0].n_options, 1);
    assert_int_equal(w[0].options[0].most, 3);
    assert_int_equal(w[1].options[0].most, 2);
    assert_int_equal(w[0].options[0].served, ISO_DECIMAL_ONE);
    assert_int_equal(fixture_filtered(&f, "db", "resources unknown"), 1);
    assert_int_equal(fixture_filtered(&f, "db", "too small"), 1);
    fixture_fini(&f);
}

static void overlays_come_in_order_before_the_filters(void **state)
{
    struct fixture f;
    (void)state;

    /* a: (1 * 0.9) then 2 absolute then * 0.5 = 1. b: sold out, made available, price 1 * 0.9. c:
     * restricted stays out. */
    fixture_good(
        &f,
        "catalog:\n"
        "  offerings:\n"
        "    - {provider: aws, type: a, purchase: on-demand, price: 1 USD, resources: {vcpu: 1}}\n"
        "    - {provider: aws, type: b, purchase: on-demand, price: 1 USD, resources: {vcpu: 1}, "
        "status: sold-out}\n"
        "    - {provider: aws, type: c, purchase: on-demand, price: 1 USD, resources: {vcpu: 1}, "
        "status: restricted}\n"
        "  overlays:\n"
        "    - {price_factor: 0.9}\n"
        "    - {offerings: {include: [{type: a}]}, price: 2 USD}\n"
        "    - {offerings: {include: [{type: a}]}, price_factor: 0.5}\n"
        "    - {offerings: {include: [{type: b}]}, status: available, availability: 0.5}\n"
        "    - {offerings: {include: [{type: nothing}]}, price_factor: 3}\n" PERIOD WEB(""),
        NULL);
    assert_int_equal(f.problem->n_offerings, 2);
    assert_int_equal(f.problem->offerings[0].price, D(1));
    assert_int_equal(f.problem->offerings[1].price, D(0.9));
    assert_int_equal(f.problem->workloads[0].options[1].served, D(2.5));
    assert_int_equal(fixture_filtered(&f, "web", "status"), 1);
    assert_true(fixture_warned(&f, "overlay 4"));
    fixture_fini(&f);
}

static void an_overlay_may_not_bring_a_price_to_zero_or_change_currency(void **state)
{
    struct fixture f;
    (void)state;

    fixture_resolve(&f,
                    "catalog:\n"
                    "  offerings: [{provider: aws, type: a, purchase: on-demand, price: "
                    "0.000000001 USD, resources: {vcpu: 1}}]\n"
                    "  overlays: [{price_factor: 0.5}, {price: 1 EUR}]\n" PERIOD WEB(""),
                    NULL);
    assert_null(f.resolved);
    fixture_expect(&f, "model.catalog.overlays[0].price_factor", "above 0");
    fixture_expect(&f, "model.catalog.overlays[1].price.currency_code", "currency");
    fixture_fini(&f);
}

static void prices_of_periods_become_exceptions(void **state)
{
    struct fixture f;
    (void)state;

    /* Base 1 * 0.5; night 3 * 0.5 = 1.5; noon has the base price and needs no exception. */
    fixture_good(
        &f,
        "catalog:\n"
        "  offerings: [{provider: aws, type: a, purchase: on-demand, price: 1 USD, "
        "resources: {vcpu: 1}, period_prices: [{periods: [night, dusk], price: 3 USD}, "
        "{periods: [noon], price: 1 USD}]}]\n"
        "  overlays: [{price_factor: 0.5}]\n"
        "periods: [{id: dusk, hours: 1}, {id: noon, hours: 1}, {id: night, hours: 1}]\n" WEB(""),
        NULL);
    assert_int_equal(f.problem->n_price_exceptions, 2);
    assert_int_equal(iso_problem_price(f.problem, 0, 0), D(1.5));
    assert_int_equal(iso_problem_price(f.problem, 0, 1), D(0.5));
    assert_int_equal(iso_problem_price(f.problem, 0, 2), D(1.5));
    fixture_fini(&f);
}

static void filters_count_what_they_remove(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(
        &f,
        "catalog: {offerings: [\n"
        "  {provider: aws, type: a, purchase: on-demand, price: 1 USD, resources: {vcpu: 1}},\n"
        "  {provider: aws, type: b, purchase: spot, price: 1 USD, resources: {vcpu: 1}},\n"
        "  {provider: gcp, type: c, purchase: on-demand, price: 1 USD, resources: {vcpu: "
        "1}}]}\n" PERIOD WEB(
            ", allowed: {include: [{provider: aws}]}, forbidden: {include: [{purchase: "
            "spot}]}"),
        NULL);
    assert_int_equal(fixture_filtered(&f, "web", "forbidden"), 1);
    assert_int_equal(fixture_filtered(&f, "web", "not allowed"), 1);
    assert_int_equal(fixture_filtered(&f, "web", "kept"), 1);
    fixture_fini(&f);
}

static void a_workload_without_options_stays(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(
        &f,
        "catalog: {offerings: [{provider: aws, type: a, purchase: on-demand, price: 1 "
        "USD, resources: {vcpu: 1}}]}\n" PERIOD WEB(", allowed: {include: [{provider: gcp}]}"),
        NULL);
    assert_int_equal(f.problem->workloads[0].n_options, 0);
    assert_int_equal(fixture_filtered(&f, "web", "kept"), 0);
    assert_true(fixture_warned(&f, "no usable offering"));
    fixture_fini(&f);
}

static void equal_inline_ids_are_refused(void **state)
{
    struct fixture f;
    (void)state;

    fixture_resolve(
        &f,
        "catalog: {offerings: [{provider: aliyun, type: a, purchase: spot, price: 1 "
        "USD}, {provider: 阿里云, type: A, purchase: spot, price: 1 USD}]}\n" PERIOD WEB(""),
        NULL);
    assert_null(f.resolved);
    fixture_expect(&f, "model.catalog.offerings[1]", "alibaba/*/*/a/linux/spot is given twice");
    fixture_fini(&f);
}

#define CNY_CATALOG                                                                    \
    "catalog: {offerings: [{provider: aliyun, type: a, purchase: spot, price: 7 CNY, " \
    "resources: {vcpu: 1}}]}\n"
#define TWO_PERIODS "periods: [{id: a, hours: 1}, {id: b, hours: 1}]\n"

static void rates_work_both_ways_and_by_period(void **state)
{
    struct fixture f;
    (void)state;

    /* 1 / 7 = 0.142857142857..., rounded to 0.142857143. */
    fixture_good(&f,
                 CNY_CATALOG TWO_PERIODS WEB(
                     "") "currency: {rates: [{pair: USD/CNY, rate: 7}, {pair: CNY/USD, rate: 0.15, "
                         "periods: [b]}]}\n",
                 NULL);
    const struct iso_problem *p = f.problem;
    int32_t cny = p->offerings[0].currency;
    assert_string_equal(p->currencies[p->base_currency].code, "USD");
    assert_string_equal(p->currencies[cny].code, "CNY");
    assert_int_equal(p->currencies[cny].rate_to_base[0], 142857143);
    assert_int_equal(p->currencies[cny].rate_to_base[1], D(0.15));
    assert_int_equal(iso_problem_rate(p, cny, p->base_currency, 1), D(0.15));
    assert_int_equal(iso_problem_rate(p, cny, cny, 1), ISO_DECIMAL_ONE);
    /* 1 / 0.15 = 6.666..., rounded to 6.666666667. */
    assert_int_equal(iso_problem_rate(p, p->base_currency, cny, 1), INT64_C(6666666667));
    fixture_fini(&f);
}

static void a_missing_rate_is_named(void **state)
{
    struct fixture f;
    (void)state;

    fixture_resolve(&f, CNY_CATALOG TWO_PERIODS WEB(""), NULL);
    assert_null(f.resolved);
    fixture_expect(&f, "model.currency.rates", "CNY/USD");
    fixture_fini(&f);
    fixture_resolve(&f,
                    CNY_CATALOG TWO_PERIODS WEB(
                        "") "currency: {rates: [{pair: CNY/USD, rate: 0.15, periods: [a]}]}\n",
                    NULL);
    fixture_expect(&f, "model.currency.rates", "period b");
    fixture_fini(&f);
}

static void a_base_currency_needs_no_rate(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(&f, CNY_CATALOG TWO_PERIODS WEB("") "currency: {base_currency: CNY}\n", NULL);
    assert_int_equal(f.problem->n_currencies, 1);
    fixture_fini(&f);
}

static void penalties_are_in_the_base_currency(void **state)
{
    struct fixture f;
    (void)state;

    fixture_good(&f,
                 CNY_CATALOG PERIOD
                 "workloads: [{id: web, penalty: 10 CNY, throughput: {rate: 1, performance: "
                 "[{per_instance: 1}]}}]\n"
                 "currency: {rates: [{pair: CNY/USD, rate: 0.14}]}\n",
                 NULL);
    assert_int_equal(f.problem->workloads[0].service, ISO_SERVICE_PENALTY);
    assert_int_equal(f.problem->workloads[0].penalty, D(1.4));
    fixture_fini(&f);
}

#define LEVELS_CATALOG \
    "catalog: {offerings: [{provider: aws, type: a, purchase: on-demand, price: 1 USD}]"

static void equal_hours_become_one_level_in_order_of_their_first_hour(void **state)
{
    struct fixture f;
    (void)state;

    /* Hours: (5,1) (3,1) (5,1) (3,2) (5,1) (3,1) -> levels {0,2,4}, {1,5}, {3}. */
    fixture_good(&f,
                 LEVELS_CATALOG
                 "}\n"
                 "load_levels: {hours: 6}\n"
                 "workloads:\n"
                 "  - {id: a, must_serve: true, throughput: {rate: [5, 3, 5, 3, 5, 3], "
                 "performance: [{per_instance: 1}]}}\n"
                 "  - {id: b, must_serve: true, throughput: {rate: [1, 1, 1, 2, 1, 1], "
                 "performance: [{per_instance: 1}]}}\n"
                 "  - {id: c, must_serve: true, throughput: {rate: 9, performance: "
                 "[{per_instance: 1}]}}\n",
                 NULL);
    static const int32_t level_of_hour[] = {0, 1, 0, 2, 0, 1};
    const struct iso_problem *p = f.problem;
    assert_int_equal(p->n_periods, 3);
    assert_int_equal(f.resolved->n_hours, 6);
    assert_memory_equal(f.resolved->level_of_hour, level_of_hour, sizeof(level_of_hour));
    assert_string_equal(p->periods[0].id, "level-1");
    assert_int_equal(p->periods[0].hours, D(3));
    assert_int_equal(p->periods[1].hours, D(2));
    assert_int_equal(p->periods[2].hours, D(1));
    assert_int_equal(p->workloads[0].demand[0], D(5));
    assert_int_equal(p->workloads[0].demand[2], D(3));
    assert_int_equal(p->workloads[1].demand[2], D(2));
    assert_int_equal(p->workloads[2].demand[2], D(9));
    fixture_fini(&f);
}

static void hours_in_different_windows_or_terms_are_told_apart(void **state)
{
    struct fixture f;
    (void)state;

    /* Equal demand in 30 hours. Budget window [10, 20); a term of 25 hours; a commitment that
     * expires after 5.5 hours, so 6 begun ones. Hours 0-5, 6-9 and 20-24, 10-19, 25-29. */
    fixture_good(&f,
                 LEVELS_CATALOG
                 ", products: [{id: p, provider: aws, kind: unit, eligible: {}, term_hours: 25, "
                 "existing: [{quantity: 1, expires_at: '2026-01-01T05:30:00Z'}, {quantity: 2}]}]}\n"
                 "load_levels: {hours: 30, start: '2026-01-01T00:00:00Z'}\n"
                 "workloads: [{id: a, must_serve: true, throughput: {rate: 1, performance: "
                 "[{per_instance: 1}]}}]\n"
                 "budgets: [{id: b, windows: [{from_hour: 10, to_hour: 20, amount: 1 USD}, "
                 "{amount: 5 USD}]}]\n",
                 NULL);
    const struct iso_problem *p = f.problem;
    assert_int_equal(p->n_periods, 4);
    assert_int_equal(p->periods[0].hours, D(6));
    assert_int_equal(p->periods[1].hours, D(9));
    assert_int_equal(p->periods[2].hours, D(10));
    assert_int_equal(p->periods[3].hours, D(5));
    assert_memory_equal(p->budgets[0].windows[0].periods, ((const uint8_t[]){0, 0, 1, 0}), 4);
    assert_memory_equal(p->budgets[0].windows[1].periods, ((const uint8_t[]){1, 1, 1, 1}), 4);
    assert_memory_equal(p->products[0].starts[0].window, ((const uint8_t[]){1, 1, 1, 0}), 4);
    assert_int_equal(p->products[0].starts[0].hours_inside, D(25));
    assert_int_equal(p->products[0].existing[0], D(3));
    assert_int_equal(p->products[0].existing[1], D(2));
    fixture_fini(&f);
}

static void ten_years_of_hours_are_merged_quickly(void **state)
{
    enum { HOURS = 87840 };
    struct fixture f;
    Isocost__V1__ThroughputDemand *demand;
    (void)state;

    fixture_init(&f);
    fixture_read(&f, LEVELS_CATALOG
                 "}\n"
                 "load_levels: {hours: 87840}\n"
                 "workloads: [{id: a, must_serve: true, throughput: {rate: 1, performance: "
                 "[{per_instance: 1}]}}]\n");
    demand = f.model->workloads[0]->throughput;
    demand->n_rate = HOURS;
    demand->rate = iso_arena_calloc(f.arena, HOURS, sizeof(double));
    for (int h = 0; h < HOURS; h++)
        demand->rate[h] = 100 + h % 24 + 0.1 * (h / 24 % 7);
    iso_model_check(f.model, "model", &f.violations);
    assert_int_equal(f.violations.n, 0);
    assert_int_equal(
        iso_resolve(f.model, NULL, 0, NULL, f.arena, &f.violations, &f.resolved, &f.error), ISO_OK);
    assert_int_equal(f.resolved->problem.n_periods, 24 * 7);
    fixture_fini(&f);
}

static void the_digests_name_what_the_problem_is_made_of(void **state)
{
    struct fixture f, g;
    (void)state;

    fixture_good(&f, CNY_CATALOG PERIOD WEB("") "currency: {base_currency: CNY}\n", NULL);
    fixture_good(&g, CNY_CATALOG PERIOD WEB(", headroom: 0.1") "currency: {base_currency: CNY}\n",
                 NULL);
    assert_int_equal(strlen(f.resolved->problem_digest), 71);
    assert_string_not_equal(f.resolved->problem_digest, f.resolved->model_digest);
    assert_string_not_equal(f.resolved->problem_digest, g.resolved->problem_digest);
    fixture_fini(&f);
    fixture_fini(&g);
}

static void a_full_arena_is_a_limit_and_not_a_crash(void **state)
{
    static const char yaml[] = CNY_CATALOG PERIOD WEB("") "currency: {base_currency: CNY}\n";
    (void)state;

    for (size_t ceiling = 64; ceiling < 16384; ceiling += 64) {
        struct fixture f;
        fixture_init(&f);
        fixture_read(&f, yaml);
        ISO_AUTO(iso_arena) small = iso_arena_new(ceiling);
        struct iso_violations violations = {.arena = f.arena};
        enum iso_status status =
            iso_resolve(f.model, NULL, 0, NULL, small, &violations, &f.resolved, &f.error);
        if (status != ISO_OK)
            assert_int_equal(status, ISO_E_LIMIT);
        fixture_fini(&f);
    }
}

static void failed_allocations_are_reported(void **state)
{
    static const char yaml[] = CNY_CATALOG PERIOD WEB("") "currency: {base_currency: CNY}\n";
    (void)state;

    fixture_survives_failed_allocations(yaml, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_filled_in_and_prices_become_hourly),
        cmocka_unit_test(a_price_is_rounded_half_to_even_and_stays_above_zero),
        cmocka_unit_test(what_is_served_is_rounded_down),
        cmocka_unit_test(demand_with_headroom_is_rounded_up),
        cmocka_unit_test(the_first_performance_row_that_selects_holds),
        cmocka_unit_test(replicas_fit_as_often_as_the_scarcest_resource_allows),
        cmocka_unit_test(overlays_come_in_order_before_the_filters),
        cmocka_unit_test(an_overlay_may_not_bring_a_price_to_zero_or_change_currency),
        cmocka_unit_test(prices_of_periods_become_exceptions),
        cmocka_unit_test(filters_count_what_they_remove),
        cmocka_unit_test(a_workload_without_options_stays),
        cmocka_unit_test(equal_inline_ids_are_refused),
        cmocka_unit_test(rates_work_both_ways_and_by_period),
        cmocka_unit_test(a_missing_rate_is_named),
        cmocka_unit_test(a_base_currency_needs_no_rate),
        cmocka_unit_test(penalties_are_in_the_base_currency),
        cmocka_unit_test(equal_hours_become_one_level_in_order_of_their_first_hour),
        cmocka_unit_test(hours_in_different_windows_or_terms_are_told_apart),
        cmocka_unit_test(ten_years_of_hours_are_merged_quickly),
        cmocka_unit_test(the_digests_name_what_the_problem_is_made_of),
        cmocka_unit_test(a_full_arena_is_a_limit_and_not_a_crash),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

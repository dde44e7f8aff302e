/* From a model and a snapshot to a problem. */
#include "../support/resolve_fixture.h"
#include "../support/snapshot_fixture.h"
#include "../support/steady_clock.h"

#include <stdlib.h>

static void add_records(struct iso_snapshot_builder *builder)
{
    struct iso_error error = {0};
    Isocost__V1__Selector everything = ISOCOST__V1__SELECTOR__INIT;
    Isocost__V1__CommitmentProduct product = ISOCOST__V1__COMMITMENT_PRODUCT__INIT;
    Isocost__V1__Quota quota = ISOCOST__V1__QUOTA__INIT;

    product.id = (char *)(uintptr_t) "aws/ri/1y";
    product.provider = (char *)(uintptr_t) "aws";
    product.kind = ISOCOST__V1__COMMITMENT_KIND__COMMITMENT_KIND_UNIT;
    product.eligible = &everything;
    product.term_hours = 8760;
    assert_int_equal(iso_snapshot_add_product(builder, &product, &error), ISO_OK);
    product.id = (char *)(uintptr_t) "aws/ri/broken";
    product.term_hours = -1;
    assert_int_equal(iso_snapshot_add_product(builder, &product, &error), ISO_OK);
    product.id = (char *)(uintptr_t) "gcp/cud";
    assert_int_equal(iso_snapshot_add_product(builder, &product, &error), ISO_OK);
    quota.provider = (char *)(uintptr_t) "aws";
    quota.region = (char *)(uintptr_t) "east";
    quota.code = (char *)(uintptr_t) "L-1";
    quota.opt_limit_case = ISOCOST__V1__QUOTA__OPT_LIMIT_LIMIT;
    quota.limit = 10;
    assert_int_equal(iso_snapshot_add_quota(builder, &quota, &error), ISO_OK);
}

static struct iso_snapshot *small(void)
{
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();

    snapshot_add(builder, "aws", "east", "a", 1, D(1));
    snapshot_add(builder, "aws", "east", "b", 1, D(2));
    snapshot_add(builder, "aws", "east", "b", 2, D(0.5));
    snapshot_add(builder, "gcp", "west", "c", 1, D(3));
    add_records(builder);
    return snapshot_finish(builder);
}

#define REST                                                                                   \
    "periods: [{id: now, hours: 100}]\n"                                                       \
    "workloads: [{id: web, must_serve: true, throughput: {rate: 10, performance: [{per_vcpu: " \
    "5}]}}]\n"

static void selectors_choose_and_inline_offerings_replace(void **state)
{
    ISO_AUTO(iso_snapshot) snapshot = small();
    struct fixture f;
    (void)state;

    fixture_good(&f,
                 "catalog:\n"
                 "  selectors: [{include: [{provider: aws, purchase: on-demand}]}]\n"
                 "  offerings: [{provider: aws, region: east, type: b, purchase: on-demand, price: "
                 "9 USD, resources: {vcpu: 1}}, {provider: zzz, type: z, purchase: spot, price: 1 "
                 "USD, resources: {vcpu: 1}}]\n" REST,
                 snapshot);
    assert_int_equal(f.problem->n_offerings, 3);
    assert_string_equal(f.problem->offerings[0].id, "aws/east/*/a/linux/on-demand");
    assert_int_equal(f.resolved->observed_ns[0], 77);
    assert_int_equal(f.problem->offerings[1].price, D(9));
    assert_string_equal(f.problem->offerings[2].id, "zzz/*/*/z/linux/spot");
    assert_int_equal(fixture_filtered(&f, "web", "selected"), 2); /* left out: b spot and c */
    /* The snapshot's quota holds for a and b. */
    assert_int_equal(f.problem->n_limits, 1);
    assert_int_equal(f.problem->limits[0].n_terms, 2);
    assert_int_equal(f.problem->limits[0].bound, D(10));
    fixture_fini(&f);
}

static void a_selector_that_matches_nothing_is_refused(void **state)
{
    ISO_AUTO(iso_snapshot) snapshot = small();
    struct fixture f;
    (void)state;

    fixture_resolve(&f,
                    "catalog: {selectors: [{include: [{provider: aws}]}, {include: [{region: "
                    "moon}]}]}\n" REST,
                    snapshot);
    assert_null(f.resolved);
    fixture_expect(&f, "model.catalog.selectors[1]", "none of the 4 offerings");
    assert_int_equal(f.violations.n, 1);
    fixture_fini(&f);
}

static void without_a_snapshot_selectors_are_refused(void **state)
{
    struct fixture f;
    (void)state;

    fixture_resolve(&f, "catalog: {selectors: [{}]}\n" REST, NULL);
    assert_null(f.resolved);
    fixture_expect(&f, "model.catalog.selectors", "no price snapshot");
    fixture_fini(&f);
}

static void a_model_without_selectors_does_not_use_the_snapshot(void **state)
{
    ISO_AUTO(iso_snapshot) snapshot = small();
    static const char yaml[] =
        "catalog: {offerings: [{provider: aws, region: east, type: x, purchase: on-demand, price: "
        "1 USD, resources: {vcpu: 1}}]}\n" REST;
    struct fixture with, without;
    (void)state;

    fixture_good(&with, yaml, snapshot);
    fixture_good(&without, yaml, NULL);
    assert_int_equal(with.problem->n_limits, 0);
    assert_string_equal(with.resolved->problem_digest, without.resolved->problem_digest);
    fixture_fini(&with);
    fixture_fini(&without);
}

static void products_of_the_snapshot_are_named_and_broken_ones_left_out(void **state)
{
    ISO_AUTO(iso_snapshot) snapshot = small();
    struct fixture f;
    (void)state;

    fixture_good(&f, "catalog: {selectors: [{}], snapshot_products: ['aws/*']}\n" REST, snapshot);
    assert_int_equal(f.problem->n_products, 1);
    assert_string_equal(f.problem->products[0].id, "aws/ri/1y");
    assert_int_equal(f.problem->products[0].n_eligible, 2);
    assert_true(fixture_warned(&f, "aws/ri/broken is left out"));
    fixture_fini(&f);
    fixture_resolve(&f, "catalog: {selectors: [{}], snapshot_products: [azure/ri]}\n" REST,
                    snapshot);
    assert_null(f.resolved);
    fixture_expect(&f, "model.catalog.snapshot_products[0]", "azure/ri");
    fixture_fini(&f);
}

static void a_quota_of_the_model_replaces_the_snapshots(void **state)
{
    ISO_AUTO(iso_snapshot) snapshot = small();
    struct fixture f;
    (void)state;

    fixture_good(&f,
                 "catalog: {selectors: [{}], quotas: [{provider: aws, region: east, code: L-1, "
                 "limit: 3}, {provider: aws, region: east, code: L-2, limit: 4}]}\n" REST,
                 snapshot);
    assert_int_equal(f.problem->n_limits, 2);
    assert_int_equal(f.problem->limits[0].bound, D(3));
    assert_int_equal(f.problem->limits[1].bound, D(4));
    fixture_fini(&f);
}

static void what_runs_today_is_found_in_the_snapshot(void **state)
{
    ISO_AUTO(iso_snapshot) snapshot = small();
    struct fixture f;
    (void)state;

    fixture_good(&f,
                 "catalog: {selectors: [{include: [{provider: aws}]}], overlays: [{price_factor: "
                 "0.5}]}\n" REST
                 "current: {instances: [{offering: 'gcp/west/*/c/linux/on-demand', workload: web, "
                 "count: 2}]}\n",
                 snapshot);
    assert_int_equal(f.problem->n_offerings, 4);
    int32_t c = fixture_offering(&f, "gcp/west/*/c/linux/on-demand");
    assert_int_equal(c, 3);
    assert_int_equal(f.problem->offerings[c].price, D(1.5));
    assert_int_equal(f.problem->moves.current[0].offering, c);
    assert_int_equal(f.problem->workloads[0].n_options, 3);
    fixture_fini(&f);
}

static void another_digest_is_refused(void **state)
{
    ISO_AUTO(iso_snapshot) snapshot = small();
    struct fixture f;
    (void)state;

    fixture_resolve(&f, "catalog: {selectors: [{}], snapshot_digest: 'sha256:00'}\n" REST,
                    snapshot);
    assert_null(f.resolved);
    fixture_expect(&f, "model.catalog.snapshot_digest", "sha256:00");
    fixture_fini(&f);
}

/* The problem digest pins the snapshot. */
static void another_snapshot_is_another_problem(void **state)
{
    ISO_AUTO(iso_snapshot) one = small();
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();
    struct fixture f, g;
    (void)state;

    snapshot_add(builder, "aws", "east", "a", 1, D(1.5));
    ISO_AUTO(iso_snapshot) other = snapshot_finish(builder);
    fixture_good(&f, "catalog: {selectors: [{}]}\n" REST, one);
    fixture_good(&g, "catalog: {selectors: [{}]}\n" REST, other);
    assert_string_equal(f.resolved->model_digest, g.resolved->model_digest);
    assert_string_not_equal(f.resolved->problem_digest, g.resolved->problem_digest);
    fixture_fini(&f);
    fixture_fini(&g);
}

/* 5 providers x 40 regions x 250 types x 2 purchases = 100,000 offerings. */
static struct iso_snapshot *large(void)
{
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();
    char provider[32], region[48], type[32];

    for (int p = 0; p < 5; p++)
        for (int r = 0; r < 40; r++)
            for (int t = 0; t < 250; t++)
                for (int purchase = 1; purchase <= 2; purchase++) {
                    snprintf(provider, sizeof(provider), "cloud%d", p);
                    snprintf(region, sizeof(region), "region-%d-%d", p, r);
                    snprintf(type, sizeof(type), "m%d.large", t);
                    snapshot_add(builder, provider, region, type, purchase, D(0.1) + t);
                }
    return snapshot_finish(builder);
}

static void a_hundred_thousand_offerings_and_five_workloads_are_resolved_in_time(void **state)
{
    ISO_AUTO(iso_snapshot) snapshot = large();
    char yaml[8192];
    struct fixture f;
    (void)state;

    int n = snprintf(yaml, sizeof(yaml),
                     "catalog: {selectors: [{}], overlays: [{offerings: {include: [{provider: "
                     "cloud1, type: m1*}]}, price_factor: 0.9}]}\n"
                     "periods: [{id: now, hours: 100}]\nworkloads:\n");
    for (int a = 0; a < 5; a++)
        n += snprintf(yaml + n, sizeof(yaml) - (size_t)n,
                      "  - {id: w%d, must_serve: true, throughput: {rate: 10, performance: "
                      "[{offerings: {include: [{type: m2*}]}, per_instance: 3}, {per_vcpu: 5}]}, "
                      "allowed: {include: [{region: ['region-%d-1', 'region-%d-2*']}]}, forbidden: "
                      "{include: [{type: m9*}]}}\n",
                      a, a, a);
    double before = steady_seconds(NULL);
    fixture_good(&f, yaml, snapshot);
    double took = steady_seconds(NULL) - before;
    print_message("resolved in %.3f s\n", took);
    /* Types m0 to m249 without the 11 that begin with m9 (m9, m90-m99); regions 1, 2, 20-29 of one
     * cloud; two purchases: 239 * 12 * 2 for each workload. */
    assert_int_equal(fixture_filtered(&f, "w0", "kept"), 239 * 12 * 2);
    assert_int_equal(fixture_filtered(&f, "w4", "kept"), 239 * 12 * 2);
    assert_int_equal(f.problem->n_offerings, 5 * 239 * 12 * 2);
    assert_true(took < 5);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors_choose_and_inline_offerings_replace),
        cmocka_unit_test(a_selector_that_matches_nothing_is_refused),
        cmocka_unit_test(without_a_snapshot_selectors_are_refused),
        cmocka_unit_test(a_model_without_selectors_does_not_use_the_snapshot),
        cmocka_unit_test(products_of_the_snapshot_are_named_and_broken_ones_left_out),
        cmocka_unit_test(a_quota_of_the_model_replaces_the_snapshots),
        cmocka_unit_test(what_runs_today_is_found_in_the_snapshot),
        cmocka_unit_test(another_digest_is_refused),
        cmocka_unit_test(another_snapshot_is_another_problem),
        cmocka_unit_test(a_hundred_thousand_offerings_and_five_workloads_are_resolved_in_time),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

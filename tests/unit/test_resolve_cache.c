/* What resolving keeps from one model to the next, and that it changes no answer. */
#include "../support/snapshot_fixture.h"

#include <pthread.h>
#include <stdlib.h>

#include "resolve_cache.h"
#include "selector.h"

/* --- the cache by itself --- */

static void digest_of(int number, unsigned char digest[ISO_SHA256_BYTES])
{
    memset(digest, 0, ISO_SHA256_BYTES);
    digest[5] = (unsigned char)number;
}

/* Keeps a result of `n` bytes that hold the number, and lets go of it. */
static void keep(struct iso_resolve_cache *cache, int number, size_t n)
{
    unsigned char digest[ISO_SHA256_BYTES], *bytes = iso_calloc(n, 1);

    digest_of(number, digest);
    bytes[0] = (unsigned char)number;
    const struct iso_cached *cached = iso_resolve_cache_take(cache, digest, bytes, n);
    assert_int_equal(((const unsigned char *)cached->bytes)[0], number);
    assert_int_equal(cached->n_bytes, n);
    iso_resolve_cache_release(cache, cached);
}

static bool is_kept(struct iso_resolve_cache *cache, int number)
{
    unsigned char digest[ISO_SHA256_BYTES];

    digest_of(number, digest);
    const struct iso_cached *cached = iso_resolve_cache_find(cache, digest);
    if (cached)
        assert_int_equal(((const unsigned char *)cached->bytes)[0], number);
    iso_resolve_cache_release(cache, cached);
    return cached != NULL;
}

static void what_was_not_asked_for_the_longest_goes_first(void **state)
{
    ISO_AUTO(iso_resolve_cache) cache = iso_resolve_cache_new(100);
    (void)state;

    keep(cache, 1, 40);
    keep(cache, 2, 40);
    assert_true(is_kept(cache, 1)); /* now 2 is the oldest */
    keep(cache, 3, 40);
    assert_true(is_kept(cache, 1));
    assert_false(is_kept(cache, 2));
    assert_true(is_kept(cache, 3));
    keep(cache, 4, 101); /* more than there is room for: everything goes, this too */
    for (int number = 1; number <= 4; number++)
        assert_false(is_kept(cache, number));
}

static void what_is_held_stays_whatever_comes(void **state)
{
    ISO_AUTO(iso_resolve_cache) cache = iso_resolve_cache_new(10);
    unsigned char digest[ISO_SHA256_BYTES], *bytes = iso_calloc(60, 1);
    (void)state;

    digest_of(7, digest);
    bytes[59] = 77;
    const struct iso_cached *cached = iso_resolve_cache_take(cache, digest, bytes, 60);
    keep(cache, 8, 60);
    assert_int_equal(((const unsigned char *)cached->bytes)[59], 77);
    const struct iso_cached *again = iso_resolve_cache_find(cache, digest);
    assert_ptr_equal(again, cached);
    iso_resolve_cache_release(cache, again);
    iso_resolve_cache_release(cache, cached);
    digest_of(7, digest);
    assert_null(iso_resolve_cache_find(cache, digest));
}

static void of_two_equal_results_the_first_is_kept(void **state)
{
    ISO_AUTO(iso_resolve_cache) cache = iso_resolve_cache_new(100);
    unsigned char digest[ISO_SHA256_BYTES];
    (void)state;

    digest_of(1, digest);
    const struct iso_cached *one = iso_resolve_cache_take(cache, digest, iso_calloc(8, 1), 8);
    const struct iso_cached *two = iso_resolve_cache_take(cache, digest, iso_calloc(8, 1), 8);
    assert_ptr_equal(one, two);
    iso_resolve_cache_release(cache, one);
    iso_resolve_cache_release(cache, two);
}

static void *ask_often(void *context)
{
    struct iso_resolve_cache *cache = context;

    for (int i = 0; i < 3000; i++)
        if (!is_kept(cache, i % 7))
            keep(cache, i % 7, 30);
    return NULL;
}

static void threads_may_share_it(void **state)
{
    ISO_AUTO(iso_resolve_cache) cache = iso_resolve_cache_new(100); /* room for 3 of 7 */
    pthread_t threads[4];
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, cache), 0);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(threads); i++)
        pthread_join(threads[i], NULL);
}

/* --- models over a snapshot --- */

static const char *const providers[] = {"aws", "azure", "gcp"};
static const char *const regions[] = {"east", "west", "moon"};
#define N_TYPES 9

/* 162 offerings. Some are restricted, sold out, or so cheap that an hour costs nothing. */
static struct iso_snapshot *some_snapshot(void)
{
    ISO_AUTO(iso_snapshot_builder) builder = iso_snapshot_builder_new();
    struct iso_error error = {0};
    char id[128], type[16];

    for (int i = 0; i < 3 * 3 * N_TYPES * 2; i++) {
        int kind = i / 2 % N_TYPES, purchase = 1 + i % 2;
        const char *region = regions[i / 2 / N_TYPES % 3], *provider = providers[i / 54];
        snprintf(type, sizeof(type), "m%d.%s", kind, kind % 2 ? "large" : "small");
        snprintf(id, sizeof(id), "%s/%s/*/%s/linux/%s", provider, region, type,
                 purchase == 1 ? "on-demand" : "spot");
        struct iso_snapshot_offering o = {
            .id = id,
            .provider = provider,
            .region = region,
            .zone = "*",
            .type = type,
            .os = "linux",
            .native_id = type,
            .family = kind < 4 ? "M" : "n",
            .labels = kind % 3 == 0 ? "tier=gold\n" : "",
            .purchase = purchase,
            .status = i % 17 == 5   ? 3
                      : i % 19 == 3 ? 2
                                    : 1,
            .price_unit = i % 23 == 0 ? ISOCOST__V1__PRICE_UNIT__PRICE_UNIT_MONTH : 0,
            .currency = "USD",
            .price = i % 23 == 0 ? 100 : D(0.1) * (1 + i % 7),
            .lot = ISO_DECIMAL_ONE,
            .availability = ISO_DECIMAL_ONE,
        };
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            o.capacity[k] = ISO_UNKNOWN;
        o.capacity[ISO_RESOURCE_VCPU] = i % 29 == 1 ? ISO_UNKNOWN : (1 + kind) * ISO_DECIMAL_ONE;
        assert_int_equal(iso_snapshot_add_offering(builder, &o, &error), ISO_OK);
    }
    return snapshot_finish(builder);
}

struct text {
    char bytes[16384];
    int n;
};

static __attribute__((format(printf, 2, 3))) void say(struct text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text->n +=
        vsnprintf(text->bytes + text->n, sizeof(text->bytes) - (size_t)text->n, format, arguments);
    va_end(arguments);
    assert_true(text->n < (int)sizeof(text->bytes));
}

static int pick(uint64_t *seed, int n)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)(*seed >> 33) % n;
}

static void say_term(struct text *text, uint64_t *seed)
{
    say(text, "{");
    if (pick(seed, 2))
        say(text, "provider: [%s, %s], ", providers[pick(seed, 3)], providers[pick(seed, 3)]);
    if (pick(seed, 3) == 0)
        say(text, "region: %s, ", regions[pick(seed, 3)]);
    if (pick(seed, 3) == 0)
        say(text, "type: 'm%d*', ", pick(seed, N_TYPES));
    if (pick(seed, 4) == 0)
        say(text, "purchase: %s, ", pick(seed, 2) ? "spot" : "on-demand");
    if (pick(seed, 4) == 0)
        say(text, "family: %s, ", pick(seed, 2) ? "m" : "N");
    if (pick(seed, 5) == 0)
        say(text, "labels: {tier: gold}, ");
    say(text, "}");
}

static void say_selector(struct text *text, uint64_t *seed)
{
    say(text, "{include: [");
    for (int i = pick(seed, 3); i >= 0; i--) {
        say_term(text, seed);
        say(text, ", ");
    }
    say(text, "]");
    if (pick(seed, 3) == 0) {
        say(text, ", exclude: [");
        say_term(text, seed);
        say(text, "]");
    }
    say(text, "}");
}

static void say_overlay(struct text *text, uint64_t *seed)
{
    static const char *const changes[] = {
        "price_factor: 1.1", "price_factor: 0.0000001",
        "status: sold-out",  "status: available",
        "availability: 0.5", "carbon_kg_per_vcpu_hour: 0.1",
        "price: 3 EUR",      "price: 3 USD",
    };

    say(text, "    - {offerings: ");
    say_selector(text, seed);
    say(text, ", %s}\n", changes[pick(seed, pick(seed, 6) ? 6 : 8)]);
}

static void say_model(struct text *text, uint64_t seed)
{
    int n_given = pick(&seed, 3), n_overlays = pick(&seed, 3), n_workloads = 1 + pick(&seed, 4);

    text->n = 0;
    say(text, "catalog:\n  selectors:\n");
    for (int i = pick(&seed, 2); i >= 0; i--) {
        say(text, "    - ");
        say_selector(text, &seed);
        say(text, "\n");
    }
    say(text, n_overlays ? "  overlays:\n" : "");
    for (int i = 0; i < n_overlays; i++)
        say_overlay(text, &seed);
    say(text, n_given ? "  offerings:\n" : "");
    for (int i = 0; i < n_given; i++)
        say(text,
            "    - {provider: %s, region: %s, type: m%d.large, purchase: on-demand, price: 0.2 "
            "USD, resources: {vcpu: 8}}\n",
            providers[i], regions[pick(&seed, 3)], 1 + 2 * pick(&seed, 5));
    say(text, "periods: [{id: now, hours: 100}]\nworkloads:\n");
    for (int a = 0; a < n_workloads; a++) {
        say(text, "  - {id: w%d, throughput: {rate: 10, performance: [{offerings: ", a);
        say_selector(text, &seed);
        say(text, ", per_vcpu: 7}%s]}", pick(&seed, 2) ? ", {per_instance: 5}" : "");
        if (pick(&seed, 3)) {
            say(text, ", allowed: ");
            say_selector(text, &seed);
        }
        if (pick(&seed, 3) == 0) {
            say(text, ", forbidden: ");
            say_selector(text, &seed);
        }
        if (pick(&seed, 3) == 0) {
            say(text, ", shares: [{id: s%d, maximum: 0.5, offerings: ", a);
            say_selector(text, &seed);
            say(text, "}]");
        }
        say(text, ", must_serve: true}\n");
    }
    if (pick(&seed, 3) == 0) {
        say(text, "limits: [{id: l, metric: vcpu, maximum: 100, scope: ");
        say_selector(text, &seed);
        say(text, "}]\n");
    }
    if (pick(&seed, 4) == 0)
        say(text,
            "current: {instances: [{offering: '%s/west/*/m%d.large/linux/on-demand', workload: "
            "w0, count: 2}]}\n",
            providers[pick(&seed, 3)], 1 + 2 * pick(&seed, 4));
}

static void resolve_with(struct fixture *f, const char *yaml, const struct iso_snapshot *snapshot,
                         struct iso_resolve_cache *cache)
{
    fixture_init(f);
    fixture_read(f, yaml);
    iso_model_check(f->model, "model", &f->violations);
    assert_int_equal(f->violations.n, 0);
    if (iso_resolve(f->model, snapshot, 0, cache, f->arena, &f->violations, &f->resolved,
                    &f->error) == ISO_OK)
        f->problem = &f->resolved->problem;
}

static void must_be_equal_workloads(const struct iso_workload *a, const struct iso_workload *b)
{
    assert_int_equal(a->n_options, b->n_options);
    for (int32_t i = 0; i < a->n_options; i++) {
        assert_int_equal(a->options[i].offering, b->options[i].offering);
        assert_int_equal(a->options[i].served, b->options[i].served);
        assert_int_equal(a->options[i].most, b->options[i].most);
    }
    assert_int_equal(a->n_shares, b->n_shares);
    for (int32_t i = 0; i < a->n_shares; i++)
        assert_memory_equal(a->shares[i].member, b->shares[i].member, (size_t)a->n_options);
}

static void must_be_equal_problems(const struct iso_problem *a, const struct iso_problem *b)
{
    assert_int_equal(a->n_offerings, b->n_offerings);
    for (int32_t o = 0; o < a->n_offerings; o++) {
        struct iso_offering left = a->offerings[o], right = b->offerings[o];
        assert_string_equal(left.id, right.id);
        left.id = right.id = NULL;
        assert_memory_equal(&left, &right, sizeof(left));
    }
    assert_int_equal(a->n_workloads, b->n_workloads);
    for (int32_t k = 0; k < a->n_workloads; k++)
        must_be_equal_workloads(&a->workloads[k], &b->workloads[k]);
    assert_int_equal(a->n_limits, b->n_limits);
    for (int32_t l = 0; l < a->n_limits; l++) {
        assert_int_equal(a->limits[l].n_terms, b->limits[l].n_terms);
        for (int32_t i = 0; i < a->limits[l].n_terms; i++) {
            assert_int_equal(a->limits[l].terms[i].offering, b->limits[l].terms[i].offering);
            assert_int_equal(a->limits[l].terms[i].weight, b->limits[l].terms[i].weight);
        }
    }
    assert_int_equal(a->moves.n_current, b->moves.n_current);
}

static void must_be_equal(const struct fixture *a, const struct fixture *b)
{
    assert_int_equal(a->violations.n, b->violations.n);
    for (int i = 0; i < a->violations.n; i++) {
        assert_string_equal(a->violations.items[i].field, b->violations.items[i].field);
        assert_string_equal(a->violations.items[i].text, b->violations.items[i].text);
    }
    assert_int_equal(a->resolved == NULL, b->resolved == NULL);
    if (!a->resolved)
        return;
    must_be_equal_problems(a->problem, b->problem);
    assert_int_equal(a->resolved->n_warnings, b->resolved->n_warnings);
    for (int32_t i = 0; i < a->resolved->n_warnings; i++)
        assert_string_equal(a->resolved->warnings[i], b->resolved->warnings[i]);
    assert_int_equal(a->resolved->n_filters, b->resolved->n_filters);
    for (int32_t i = 0; i < a->resolved->n_filters; i++) {
        assert_string_equal(a->resolved->filters[i]->filter, b->resolved->filters[i]->filter);
        assert_int_equal(a->resolved->filters[i]->count, b->resolved->filters[i]->count);
    }
}

/* The model's own offerings, without those that have the id of a stored one. */
static int64_t n_added(const struct fixture *f, const struct iso_snapshot *snapshot)
{
    int64_t n = (int64_t)f->model->catalog->n_offerings;

    for (size_t i = 0; i < f->model->catalog->n_offerings; i++)
        for (int32_t row = 0; row < iso_snapshot_n_offerings(snapshot); row++) {
            const Isocost__V1__Offering *own = f->model->catalog->offerings[i];
            struct iso_snapshot_offering view;
            iso_snapshot_offering(snapshot, row, &view);
            n -= view.purchase == 1 && strcmp(own->provider, view.provider) == 0 &&
                 strcmp(own->region, view.region) == 0 && strcmp(own->type, view.type) == 0;
        }
    return n;
}

/* What each filter takes out, counted row by row, for models without overlays and offerings of
 * their own: those that are forbidden, and those that are neither that nor allowed. */
static void must_count_as_rows_do(const struct fixture *f, const struct iso_snapshot *snapshot)
{
    const Isocost__V1__Catalog *catalog = f->model->catalog;

    for (size_t a = 0; a < f->model->n_workloads; a++) {
        const Isocost__V1__Workload *workload = f->model->workloads[a];
        int64_t n_selected = 0, n_forbidden = 0, n_not_allowed = 0, n_status = 0;
        for (int32_t row = 0; row < iso_snapshot_n_offerings(snapshot); row++) {
            struct iso_snapshot_offering view;
            bool selected = false;
            iso_snapshot_offering(snapshot, row, &view);
            for (size_t i = 0; i < catalog->n_selectors; i++)
                selected |= iso_selector_matches(
                    iso_selector_compile(catalog->selectors[i], f->arena), &view);
            bool off = view.status > 1 || view.price == 100; /* 1e-7 a month is 0 an hour */
            bool forbidden =
                workload->forbidden &&
                iso_selector_matches(iso_selector_compile(workload->forbidden, f->arena), &view);
            bool allowed =
                iso_selector_matches(iso_selector_compile(workload->allowed, f->arena), &view);
            n_selected += !selected;
            n_status += selected && off;
            n_forbidden += selected && !off && forbidden;
            n_not_allowed += selected && !off && !forbidden && !allowed;
        }
        assert_int_equal(fixture_filtered(f, workload->id, "selected"), n_selected);
        assert_int_equal(fixture_filtered(f, workload->id, "status"), n_status);
        assert_int_equal(fixture_filtered(f, workload->id, "forbidden"), n_forbidden);
        assert_int_equal(fixture_filtered(f, workload->id, "not allowed"), n_not_allowed);
    }
}

/* Every offering is either filtered or kept, once for each workload. */
static void must_count_each_once(const struct fixture *f, const struct iso_snapshot *snapshot)
{
    int64_t sum = 0, n = iso_snapshot_n_offerings(snapshot) + n_added(f, snapshot);

    for (int32_t i = 0; i < f->resolved->n_filters; i++)
        sum += f->resolved->filters[i]->count;
    assert_int_equal(sum, n * f->problem->n_workloads);
}

static void a_kept_result_changes_no_answer(void **state)
{
    ISO_AUTO(iso_snapshot) snapshot = some_snapshot();
    ISO_AUTO(iso_resolve_cache) warm = iso_resolve_cache_new(ISO_RESOLVE_CACHE_BYTES);
    ISO_AUTO(iso_resolve_cache) tight = iso_resolve_cache_new(100); /* three sets */
    int n_resolved = 0, n_plain = 0;
    static struct text text;
    (void)state;

    for (int round = 0; round < 2; round++) /* all that is asked in the second is kept */
        for (uint64_t seed = 1; seed <= 300; seed++) {
            struct iso_resolve_cache *const caches[] = {warm, tight};
            struct fixture without, with;
            say_model(&text, seed);
            resolve_with(&without, text.bytes, snapshot, NULL);
            for (size_t i = 0; i < ISO_ARRAY_LENGTH(caches); i++) {
                resolve_with(&with, text.bytes, snapshot, caches[i]);
                must_be_equal(&without, &with);
                fixture_fini(&with);
            }
            if (without.resolved) {
                n_resolved++;
                must_count_each_once(&without, snapshot);
                if (!without.model->catalog->n_overlays && !without.model->catalog->n_offerings) {
                    must_count_as_rows_do(&without, snapshot);
                    n_plain++;
                }
            }
            fixture_fini(&without);
        }
    print_message("%d resolved, %d of them without overlays and offerings of their own\n",
                  n_resolved, n_plain);
    assert_true(n_resolved > 200 && n_plain > 20);
}

static void no_memory_is_an_error_and_leaks_nothing(void **state)
{
    ISO_AUTO(iso_snapshot) snapshot = some_snapshot();
    static struct text text;
    bool done = false;
    (void)state;

    say_model(&text, 8);
    for (long n = 0; !done; n++) {
        ISO_AUTO(iso_resolve_cache) cache = iso_resolve_cache_new(ISO_RESOLVE_CACHE_BYTES);
        struct fixture f;
        fixture_init(&f);
        fixture_read(&f, text.bytes);
        iso_alloc_fail_at(n);
        enum iso_status status =
            iso_resolve(f.model, snapshot, 0, cache, f.arena, &f.violations, &f.resolved, &f.error);
        iso_alloc_fail_at(-1);
        done = status == ISO_OK;
        if (!done)
            assert_true(status == ISO_E_NOMEM || status == ISO_E_LIMIT);
        fixture_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_asked_for_the_longest_goes_first),
        cmocka_unit_test(what_is_held_stays_whatever_comes),
        cmocka_unit_test(of_two_equal_results_the_first_is_kept),
        cmocka_unit_test(threads_may_share_it),
        cmocka_unit_test(a_kept_result_changes_no_answer),
        cmocka_unit_test(no_memory_is_an_error_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

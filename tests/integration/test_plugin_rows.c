/* Rows of the static plugin as they reach the server: every field in its place, large catalogs in
 * pages and in bounded memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "plugin_harness.h"

static char folder[64], file_name[128];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/isocost-rows-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static FILE *make_file(const char *name)
{
    snprintf(file_name, sizeof(file_name), "%s/%s", folder, name);
    FILE *file = fopen(file_name, "w");
    assert_non_null(file);
    return file;
}

static void fetch_folder(int64_t memory_bytes, const char *path, struct harness_result *ret_result)
{
    Isocost__Internal__V1__LoadRequest load = ISOCOST__INTERNAL__V1__LOAD_REQUEST__INIT;
    Isocost__Internal__V1__ConfigValue value = ISOCOST__INTERNAL__V1__CONFIG_VALUE__INIT;
    Isocost__Internal__V1__ConfigValue *values[] = {&value};
    char name[] = "path", *paths[] = {(char *)(uintptr_t)path};
    struct harness harness;
    struct harness_result result;

    value.name = name;
    value.value = paths[0];
    load.path = (char *)(uintptr_t)harness_build_path("plugins/static.so");
    load.config = values;
    load.n_config = 1;
    load.readable_paths = paths;
    load.n_readable_paths = 1;
    load.memory_bytes = memory_bytes;
    harness_start(&harness);
    harness_load_request(&harness, &load, &result);
    if (!result.hello)
        fail_msg("%s", result.text);
    harness_result_fini(&result);
    harness_fetch(&harness, 50, ret_result);
    harness_stop(&harness);
}

static const Isocost__Internal__V1__Page *only_page(const struct harness_result *result)
{
    if (!result->end)
        fail_msg("%s", result->text);
    assert_int_equal(result->pages, 1);
    return result->events[0]->page;
}

static void every_field_of_a_row_arrives(void **state)
{
    struct harness_result result;
    FILE *file = make_file("offerings.csv");

    (void)state;
    fputs(
        "provider,region,zone,type,os,purchase,native_id,kind,family,arch,tenancy,vcpu,memory_gib,"
        "gpu,gpu_memory_gib,local_disk_gib,disk_gib,network_gbps,iops,gpu_model,lot,price_unit,"
        "price,currency,status,availability,labels,observed_at,source\n"
        "p,r,z,t,o,spot,N,gpu,f,a,dedicated,1,2,3,4,5,6,7,8,m,9,month,10.000000001,CNY,"
        "deprecated,0.5,k=v,1970-01-01T00:00:01.5Z,s\n",
        file);
    fclose(file);
    fetch_folder(0, folder, &result);
    const Isocost__V1__Offering *row = only_page(&result)->offerings[0];
    const Isocost__V1__Resources *has = row->resources;

    const char *const texts[][2] = {
        {row->provider, "p"},
        {row->region, "r"},
        {row->zone, "z"},
        {row->type, "t"},
        {row->os, "o"},
        {row->native_id, "N"},
        {row->family, "f"},
        {row->arch, "a"},
        {row->tenancy, "dedicated"},
        {has->gpu_model, "m"},
        {row->source, "s"},
        {row->price->currency_code, "CNY"},
        {row->labels[0]->key, "k"},
        {row->labels[0]->value, "v"},
    };
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(texts); i++)
        assert_string_equal(texts[i][0], texts[i][1]);
    const double numbers[][2] = {
        {has->vcpu, 1},           {has->memory_gib, 2},     {has->gpu, 3},
        {has->gpu_memory_gib, 4}, {has->local_disk_gib, 5}, {has->disk_gib, 6},
        {has->network_gbps, 7},   {has->iops, 8},           {row->lot, 9},
        {row->availability, 0.5},
    };
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(numbers); i++)
        assert_true(numbers[i][0] == numbers[i][1]);
    assert_int_equal(has->opt_iops_case, ISOCOST__V1__RESOURCES__OPT_IOPS_IOPS);
    assert_int_equal(row->price->units, 10);
    assert_int_equal(row->price->nanos, 1);
    assert_int_equal(row->purchase, ISOCOST__V1__PURCHASE__PURCHASE_SPOT);
    assert_int_equal(row->kind, ISOCOST__V1__OFFERING_KIND__OFFERING_KIND_GPU);
    assert_int_equal(row->status, ISOCOST__V1__OFFERING_STATUS__OFFERING_STATUS_DEPRECATED);
    assert_int_equal(row->price_unit, ISOCOST__V1__PRICE_UNIT__PRICE_UNIT_MONTH);
    assert_int_equal(row->observed_at->seconds, 1);
    assert_int_equal(row->observed_at->nanos, 500000000);
    harness_result_fini(&result);
    unlink(file_name);
}

static void what_a_row_does_not_say_is_absent(void **state)
{
    struct harness_result result;
    FILE *file = make_file("offerings.csv");

    (void)state;
    fputs("provider,type,purchase,price,currency,vcpu\np,t,spot,0,USD,\n", file);
    fclose(file);
    fetch_folder(0, folder, &result);
    const Isocost__V1__Offering *row = only_page(&result)->offerings[0];
    assert_int_equal(row->resources->opt_vcpu_case, ISOCOST__V1__RESOURCES__OPT_VCPU__NOT_SET);
    assert_int_equal(row->opt_lot_case, ISOCOST__V1__OFFERING__OPT_LOT__NOT_SET);
    assert_int_equal(row->opt_availability_case, ISOCOST__V1__OFFERING__OPT_AVAILABILITY__NOT_SET);
    assert_null(row->observed_at);
    assert_int_equal(row->price->units, 0); /* a zero is told from an absence */
    assert_string_equal(row->source, "offerings.csv");
    harness_result_fini(&result);
    unlink(file_name);
}

static void commitments_quotas_and_overlays_arrive_with_their_selectors(void **state)
{
    struct harness_result result;
    FILE *file = make_file("catalog.json");

    (void)state;
    fputs("{\"products\":[{\"id\":\"c\",\"provider\":\"p\",\"kind\":\"spend\",\"term_hours\":8760,"
          "\"eligible\":{\"include\":[{\"family\":[\"f\",\"g\"],\"labels\":{\"k\":\"v\"},"
          "\"purchase\":[\"PURCHASE_ON_DEMAND\"],\"kind\":[\"vm\"]}],"
          "\"exclude\":[{\"type\":[\"t*\"]}]},\"rates\":[{\"price_ratio\":0.7}],"
          "\"upfront\":{\"currency_code\":\"EUR\",\"units\":5},\"lot\":2,"
          "\"purchasable_maximum\":3}],"
          "\"quotas\":[{\"provider\":\"p\",\"region\":\"r\",\"code\":\"q\",\"resource\":\"gpu\","
          "\"limit\":4,\"used\":1},{\"provider\":\"p\",\"code\":\"u\",\"unlimited\":true}],"
          "\"overlays\":[{\"offerings\":\"zone:z\",\"price\":1.5,\"currency\":\"EUR\","
          "\"status\":\"available\",\"availability\":0.9}]}",
          file);
    fclose(file);
    fetch_folder(0, folder, &result);
    const Isocost__Internal__V1__Page *page = only_page(&result);

    const Isocost__V1__CommitmentProduct *product = page->products[0];
    const Isocost__V1__SelectorTerm *term = product->eligible->include[0];
    assert_int_equal(product->kind, ISOCOST__V1__COMMITMENT_KIND__COMMITMENT_KIND_SPEND);
    assert_int_equal(term->n_family, 2);
    assert_string_equal(term->family[1], "g");
    assert_string_equal(term->labels[0]->value, "v");
    assert_int_equal(term->purchase[0], ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND);
    assert_int_equal(term->kind[0], ISOCOST__V1__OFFERING_KIND__OFFERING_KIND_VM);
    assert_string_equal(product->eligible->exclude[0]->type[0], "t*");
    assert_int_equal(product->rates[0]->rate_case, ISOCOST__V1__COMMITMENT_RATE__RATE_PRICE_RATIO);
    assert_true(product->rates[0]->price_ratio == 0.7 && product->lot == 2 &&
                product->term_hours == 8760 && product->purchasable_maximum == 3);
    assert_null(product->hourly_fee);
    assert_int_equal(product->upfront->units, 5);

    assert_int_equal(page->n_quotas, 2);
    assert_int_equal(page->quotas[0]->resource, ISOCOST__V1__RESOURCE__RESOURCE_GPU);
    assert_true(page->quotas[0]->limit == 4 && page->quotas[0]->used == 1);
    assert_int_equal(page->quotas[1]->opt_limit_case, ISOCOST__V1__QUOTA__OPT_LIMIT__NOT_SET);
    assert_true(page->quotas[1]->unlimited);

    const Isocost__V1__Overlay *overlay = page->overlays[0];
    assert_string_equal(overlay->offerings->include[0]->zone[0], "z");
    assert_int_equal(overlay->change_case, ISOCOST__V1__OVERLAY__CHANGE_PRICE);
    assert_int_equal(overlay->price->nanos, 500000000);
    assert_true(overlay->availability == 0.9);
    harness_result_fini(&result);
    unlink(file_name);
}

static void overlays_and_rates_of_egress_arrive_with_their_days(void **state)
{
    struct harness_result result;
    FILE *file = make_file("catalog.json");

    (void)state;
    fputs("{\"overlays\":[{\"offerings\":\"provider:aws\",\"price_factor\":0.82,"
          "\"valid_from\":\"2026-07-01\",\"valid_until\":\"2027-06-30\",\"note\":\"c 4711\"}],"
          "\"egress_rates\":[{\"provider\":\"aws\",\"region\":\"us-*\",\"to\":\"internet\","
          "\"from_gb\":10240,\"price_per_gb\":{\"currency_code\":\"USD\",\"nanos\":85000000},"
          "\"valid_from\":\"2026-01-01\",\"valid_until\":\"2026-12-31\",\"source\":\"list\","
          "\"observed_at\":\"1970-01-01T00:00:02Z\"},"
          "{\"provider\":\"gcp\",\"to\":\"*\",\"price_per_gb\":0,\"currency\":\"USD\"}]}",
          file);
    fclose(file);
    fetch_folder(0, folder, &result);
    const Isocost__Internal__V1__Page *page = only_page(&result);

    assert_int_equal(page->n_overlays, 1);
    assert_string_equal(page->overlays[0]->valid_from, "2026-07-01");
    assert_string_equal(page->overlays[0]->valid_until, "2027-06-30");
    assert_string_equal(page->overlays[0]->note, "c 4711");
    assert_int_equal(page->n_egress_rates, 2);
    const Isocost__V1__EgressRate *rate = page->egress_rates[0];
    const char *const texts[][2] = {{rate->provider, "aws"},
                                    {rate->region, "us-*"},
                                    {rate->to, "internet"},
                                    {rate->valid_from, "2026-01-01"},
                                    {rate->valid_until, "2026-12-31"},
                                    {rate->source, "list"},
                                    {rate->price_per_gb->currency_code, "USD"}};
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(texts); i++)
        assert_string_equal(texts[i][0], texts[i][1]);
    assert_true(rate->from_gb == 10240);
    assert_int_equal(rate->price_per_gb->nanos, 85000000);
    assert_int_equal(rate->observed_at->seconds, 2);
    rate = page->egress_rates[1];
    assert_string_equal(rate->region, "");
    assert_string_equal(rate->source, "catalog.json");
    assert_non_null(rate->price_per_gb); /* 0 is a price */
    assert_true(rate->from_gb == 0);
    assert_int_equal(result.end_rows, 3);
    harness_result_fini(&result);
    unlink(file_name);
}

/* Built when overlays had no days: what it does not have was not said. */
static void a_plugin_of_version_1_2_sends_its_overlays(void **state)
{
    static const char *const config[] = {NULL};
    struct harness harness;
    struct harness_result result;

    (void)state;
    harness_start(&harness);
    harness_load(&harness, harness_build_path("tests/plugins/as_of_1_2.so"), config, NULL, &result);
    if (!result.hello)
        fail_msg("%s", result.text);
    assert_int_equal(result.said->abi_minor, 2);
    harness_result_fini(&result);
    harness_fetch(&harness, 10, &result);
    const Isocost__Internal__V1__Page *page = only_page(&result);
    assert_int_equal(page->n_overlays, 2);
    assert_true(page->overlays[0]->price_factor == 0.9);
    assert_true(page->overlays[1]->price_factor == 0.8);
    assert_int_equal(page->overlays[1]->status,
                     ISOCOST__V1__OFFERING_STATUS__OFFERING_STATUS_AVAILABLE);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(page->overlays[i]->valid_from, "");
        assert_string_equal(page->overlays[i]->valid_until, "");
        assert_string_equal(page->overlays[i]->note, "");
    }
    harness_result_fini(&result);
    harness_stop(&harness);
}

/* 100,000 rows of about 120 bytes, in 96 MiB of address space in all. */
static void a_hundred_thousand_rows_stream_in_pages_and_bounded_memory(void **state)
{
    const int n_rows = 100000;
    struct harness_result result;
    FILE *file = make_file("offerings.csv");

    (void)state;
    fputs("provider,region,type,purchase,family,vcpu,memory_gib,price,currency,labels\n", file);
    for (int i = 0; i < n_rows; i++)
        fprintf(file, "aws,region-%d,m%d.size-%d,%s,m%d,%d,%d,%d.%06d,USD,team=search;row=%d\n",
                i % 40, i % 300, i, i % 3 ? "spot" : "on-demand", i % 300, i % 64 + 1, i % 256 + 1,
                i % 100 + 1, i, i);
    fclose(file);
    fetch_folder((int64_t)96 << 20, folder, &result);
    if (!result.end)
        fail_msg("%s", result.text);
    assert_int_equal(result.n_offerings, n_rows);
    assert_int_equal(result.end_rows, n_rows);
    assert_int_equal(result.pages, n_rows / 5000);
    assert_false(result.page_too_large);
    assert_true(result.hash_matches);
    const Isocost__Internal__V1__Page *last = result.events[result.pages - 1]->page;
    assert_string_equal(last->offerings[4999]->type, "m99.size-99999"); /* 99999 % 300 = 99 */
    harness_result_fini(&result);
    unlink(file_name);
}

/* Rows of 100 KiB: 4 MiB are reached long before 5,000 rows. */
static void large_rows_make_pages_of_at_most_four_megabytes(void **state)
{
    struct harness_result result;
    FILE *file = make_file("offerings.csv");

    (void)state;
    fputs("provider,type,purchase,price,currency,native_id\n", file);
    for (int i = 0; i < 100; i++)
        fprintf(file, "aws,t%d,spot,1,USD,%0102400d\n", i, i);
    fclose(file);
    fetch_folder(0, folder, &result);
    assert_true(result.end && result.hash_matches);
    assert_int_equal(result.n_offerings, 100);
    assert_int_equal(result.pages, 3); /* 40 rows of 102.4 kB and a little are just under 4 MiB */
    assert_false(result.page_too_large);
    harness_result_fini(&result);
    unlink(file_name);
}

static void a_file_that_was_not_named_cannot_be_read(void **state)
{
    static const char *const config[] = {"path", "/etc/passwd", "kinds", "passwd=csv", NULL};
    struct harness harness;
    struct harness_result result;

    (void)state;
    harness_start(&harness);
    harness_load(&harness, harness_build_path("plugins/static.so"), config, folder, &result);
    assert_true(result.hello);
    bool landlock = true;
    for (size_t i = 0; i < result.said->n_missing_protections; i++)
        landlock &= strcmp(result.said->missing_protections[i], "landlock") != 0;
    harness_result_fini(&result);
    harness_fetch(&harness, 10, &result);
    assert_true(result.failure); /* without Landlock because it is no catalog */
    if (landlock)
        assert_non_null(strstr(result.text, "/etc/passwd: Permission denied"));
    harness_result_fini(&result);
    harness_stop(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_a_row_arrives),
        cmocka_unit_test(what_a_row_does_not_say_is_absent),
        cmocka_unit_test(commitments_quotas_and_overlays_arrive_with_their_selectors),
        cmocka_unit_test(overlays_and_rates_of_egress_arrive_with_their_days),
        cmocka_unit_test(a_plugin_of_version_1_2_sends_its_overlays),
        cmocka_unit_test(a_hundred_thousand_rows_stream_in_pages_and_bounded_memory),
        cmocka_unit_test(large_rows_make_pages_of_at_most_four_megabytes),
        cmocka_unit_test(a_file_that_was_not_named_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

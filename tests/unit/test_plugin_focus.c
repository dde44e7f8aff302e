/* The plugin focus when memory is short: a bill is read whole or not at all. What it reads is
 * tested through the real host, in tests/integration/test_plugin_focus.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "reader.h"
#include "text_host.h"

#define JANUARY_2026_S INT64_C(1767225600)
#define NS_PER_S INT64_C(1000000000)
#define GOOD_ENDS 20 /* in a row, after which nothing is asked for any more */

static const struct iso_focus_config plain = {
    .path = "/bills", .provider = "", .currency = "", .azure_costs = "by-name", .max_file_mib = 1};

/* Tags as JSON, one of them a number. */
static const char focus_bill[] =
    "BilledCost,BillingCurrency,ChargeCategory,ChargePeriodEnd,ChargePeriodStart,ConsumedQuantity,"
    "ConsumedUnit,EffectiveCost,PricingCategory,ProviderName,ResourceId,Tags\n"
    "1.5,USD,Usage,2026-01-01T01:00:00Z,2026-01-01T00:00:00Z,1,Hours,1.5,Standard,AWS,i-1,"
    "\"{\"\"team\"\": \"\"web\"\", \"\"tier\"\": 2}\"\n"
    "2.5,USD,Usage,2026-01-01T02:00:00Z,2026-01-01T01:00:00Z,1,Hours,2.5,Standard,AWS,i-1,\n";

/* Columns that are tags. */
static const char aws_bill[] =
    "lineItem/UsageAccountId,lineItem/LineItemType,lineItem/UsageStartDate,lineItem/UsageEndDate,"
    "lineItem/ProductCode,lineItem/UsageType,lineItem/ResourceId,lineItem/UsageAmount,"
    "lineItem/CurrencyCode,lineItem/UnblendedCost,product/region,resourceTags/user:team\n"
    "42,Usage,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,AmazonEC2,BoxUsage,i-1,1,USD,0.1,us-east-1,"
    "web\n";

/* A row that leaves out its last fields, and tags without braces. */
static const char azure_bill[] =
    "SubscriptionId,Date,MeterCategory,Quantity,UnitOfMeasure,CostInBillingCurrency,"
    "BillingCurrencyCode,ChargeType,PricingModel,Tags,benefitId,benefitName\n"
    "s,1/2/2026,Virtual Machines,1,1 Hour,0.5,EUR,Usage,OnDemand,\"\"\"team\"\": \"\"web\"\"\"\n";

static const struct {
    const char *name, *text;
    size_t n_costs, n_tags;
} bills[] = {
    {"focus.csv", focus_bill, 2, 2},
    {"aws.csv", aws_bill, 1, 1},
    {"azure.csv", azure_bill, 1, 1},
};

struct counts {
    struct iso_sink sink; /* first */
    size_t n_costs, n_tags, n_left_out, n_malformed, n_cut;
};

static enum iso_status count(struct iso_sink *sink, int32_t kind, const void *rows, size_t n_rows,
                             size_t row_bytes, struct iso_error *reterr)
{
    struct counts *counts = (struct counts *)sink;

    (void)row_bytes;
    (void)reterr;
    assert_int_equal(n_rows, 1);
    if (kind == ISO_ROW_COST) {
        counts->n_costs++;
        counts->n_tags += ((const struct iso_plugin_cost *)rows)->n_tags;
    }
    if (kind == ISO_ROW_DIAGNOSTIC) {
        const struct iso_plugin_diagnostic *told = rows;
        counts->n_left_out += told->quarantined;
        counts->n_malformed += strcmp(told->code, "malformed_tags") == 0;
        counts->n_cut += strcmp(told->code, "too_many_tags") == 0;
    }
    return ISO_OK;
}

static enum iso_status fetch(const char *name, const char *text, struct counts *counts,
                             struct iso_error *reterr)
{
    const struct text_file file = {name, text};
    struct text_host host = text_host_of(&file, 1, /* is_folder= */ true);
    const struct iso_fetch what = {.want = ISO_WANT_COSTS | ISO_WANT_USAGE,
                                   .deadline_seconds = 10,
                                   .from_ns = JANUARY_2026_S * NS_PER_S,
                                   .to_ns = (JANUARY_2026_S + 31 * 86400) * NS_PER_S};
    struct iso_failure failure = {0};
    void *instance = NULL;

    *counts = (struct counts){.sink = {.put = count}};
    ISO_TRY(iso_plugin_v1.create(&plain, &host.host, &instance, reterr));
    enum iso_status status = iso_plugin_v1.fetch(instance, &what, &counts->sink, &failure, reterr);
    iso_plugin_v1.destroy(instance);
    return status;
}

static void fail_each_allocation(const char *name, const char *text, size_t n_costs, size_t n_tags)
{
    long nth = 0;

    /* The libraries do without some of what they ask for, so one good end is not the last. */
    for (int n_good = 0; n_good < GOOD_ENDS && nth < 1000; nth++) {
        struct counts counts;
        struct iso_error error = {0};
        iso_alloc_fail_at(nth);
        enum iso_status status = fetch(name, text, &counts, &error);
        iso_alloc_fail_at(-1);
        assert_int_equal(status, error.status);
        assert_true(status == ISO_OK || status == ISO_E_NOMEM);
        assert_int_equal(counts.n_malformed + counts.n_left_out, 0);
        n_good = status == ISO_OK ? n_good + 1 : 0;
        if (status != ISO_OK)
            continue;
        assert_int_equal(counts.n_costs, n_costs);
        assert_int_equal(counts.n_tags, n_tags);
    }
    assert_true(nth > GOOD_ENDS + 5 && nth < 1000);
}

static void every_failed_allocation_fails_the_bill_and_costs_no_row_or_tag(void **state)
{
    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(bills); i++)
        fail_each_allocation(bills[i].name, bills[i].text, bills[i].n_costs, bills[i].n_tags);
}

/* The header of focus_bill and one row with these tags, inside quotes. */
static void write_bill(char *text, size_t n_bytes, const char *tags)
{
    snprintf(text, n_bytes,
             "%.*s1.5,USD,Usage,2026-01-01T01:00:00Z,2026-01-01T00:00:00Z,1,Hours,1.5,Standard,AWS,"
             "i-1,\"{%s}\"\n",
             (int)(strchr(focus_bill, '\n') - focus_bill + 1), focus_bill, tags);
}

/* Tags of 100,000 bytes fill a block of the row's memory, so that the number needs another. */
static void tags_that_need_more_memory_than_most_are_kept_or_fail_the_bill(void **state)
{
    static char tags[100100], text[101000];

    (void)state;
    snprintf(tags, sizeof(tags), "\"\"team\"\": \"\"%0100000d\"\", \"\"tier\"\": 2", 1);
    write_bill(text, sizeof(text), tags);
    fail_each_allocation("focus.csv", text, 1, 2);
}

static void a_packed_bill_without_memory_is_told(void **state)
{
    struct counts counts;
    struct iso_error error = {0};
    long nth = 0;

    (void)state;
    while (error.status == ISO_OK || error.status == ISO_E_NOMEM) {
        error = (struct iso_error){0};
        iso_alloc_fail_at(nth++);
        assert_int_not_equal(fetch("bill.csv.gz", "not packed", &counts, &error), ISO_OK);
        iso_alloc_fail_at(-1);
    }
    assert_int_equal(error.status, ISO_E_INVALID); /* with memory, what is wrong is the file */
    assert_true(nth > 3);
}

static void a_row_with_too_many_tags_says_so_and_keeps_as_many_as_there_is_room_for(void **state)
{
    static char tags[8192], text[9000];
    struct counts counts;
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 201; i++)
        n += (size_t)snprintf(tags + n, sizeof(tags) - n, "%s\"\"k%d\"\": \"\"v\"\"", i ? ", " : "",
                              i);
    write_bill(text, sizeof(text), tags);
    assert_int_equal(fetch("bill.csv", text, &counts, NULL), ISO_OK);
    assert_int_equal(counts.n_costs, 1);
    assert_int_equal(counts.n_tags, 200);
    assert_int_equal(counts.n_cut, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failed_allocation_fails_the_bill_and_costs_no_row_or_tag),
        cmocka_unit_test(tags_that_need_more_memory_than_most_are_kept_or_fail_the_bill),
        cmocka_unit_test(a_packed_bill_without_memory_is_told),
        cmocka_unit_test(a_row_with_too_many_tags_says_so_and_keeps_as_many_as_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

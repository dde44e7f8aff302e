/* What the store promises of usage, costs and what runs, on SQLite and on PostgreSQL. */
#include "isocost/base/decimal.h"
#include "record_store.h"
#include "store_fixture.h"

#define DAY INT64_C(86400000000000)
#define JANUARY (INT64_C(20454) * DAY) /* 2026-01-01 */
#define FOREVER (INT64_MAX)

static const struct iso_record_filter anything = {.from_ns = 0,
                                                  .to_ns = FOREVER,
                                                  .source = "",
                                                  .provider = "",
                                                  .account = "",
                                                  .region = "",
                                                  .resource = "",
                                                  .metric = "",
                                                  .service = ""};
static const struct iso_cost_grouping together = {0};

/* A cost of `billed` billionths on a day. */
static struct iso_record_row cost_on(int day, int64_t billed)
{
    return (struct iso_record_row){.start_ns = JANUARY + day * DAY,
                                   .provider = "aws",
                                   .account = "42",
                                   .region = "us-east-1",
                                   .service = "EC2",
                                   .category = 1,
                                   .currency = "USD",
                                   .billed = {true, billed},
                                   .effective = {true, billed},
                                   .message = bytes_of("cost")};
}

static struct iso_record_set begin_costs(struct fixture *f, const char *source, int from, int to)
{
    struct iso_record_set set;

    assert_int_equal(iso_store_begin_records(f->store, &alice, source, ISO_RECORD_COST,
                                             JANUARY + from * DAY, JANUARY + to * DAY, &set,
                                             &f->error),
                     ISO_OK);
    return set;
}

static void publish(struct fixture *f, const struct iso_record_set *sets, int n)
{
    assert_int_equal(iso_store_publish_records(f->store, &alice, sets, n, bytes_of("refresh"),
                                               &audit, &f->error),
                     ISO_OK);
}

/* A refresh of days [from, to) that has one cost a day. */
static void refresh(struct fixture *f, const char *source, int from, int to, int64_t billed)
{
    struct iso_record_set set = begin_costs(f, source, from, to);

    for (int day = from; day < to; day++) {
        struct iso_record_row row = cost_on(day, billed);
        assert_int_equal(iso_store_add_records(f->store, &set, &row, 1, &f->error), ISO_OK);
    }
    publish(f, &set, 1);
}

/* Units and billionths of what is billed in all; one currency. */
static iso_wide total_of(struct fixture *f, const struct iso_principal *who)
{
    struct iso_cost_sum *sums;
    int n = 0;

    assert_int_equal(iso_store_sum_costs(f->store, who, &anything, &together, 0, 10, f->arena,
                                         &sums, &n, &f->error),
                     ISO_OK);
    assert_true(n <= 1);
    return n == 0 ? 0 : (iso_wide)sums[0].billed.units * 1000000000 + sums[0].billed.nanos;
}

static void a_refresh_replaces_its_range_and_no_more(void **state)
{
    static const struct {
        int from, to;
        int64_t billed, total; /* of 31 days of 100 at the begin, then one refresh after another */
    } steps[] = {
        {0, 31, 100, 3100}, /* the whole month */
        {0, 31, 100, 3100}, /* once more: nothing is counted twice */
        {10, 20, 1, 2110},  /* a part in the middle */
        {15, 25, 2, 1625},  /* over its end: 10 + 5 * 1 + 10 * 2 + 6 */
        {20, 21, 50, 1673}, /* one day of that */
        {-5, 5, 3, 1203},   /* over the begin of all */
        {30, 40, 7, 1173},  /* over the end of all */
        {-5, 40, 1, 45},    /* all of it */
    };

    struct fixture *f = *state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(steps); i++) {
        refresh(f, "bills", steps[i].from, steps[i].to, steps[i].billed);
        assert_int_equal((int64_t)total_of(f, &alice), steps[i].total);
    }
    refresh(f, "other bills", 0, 1, 1000); /* another source has its own */
    assert_int_equal((int64_t)total_of(f, &alice), 1045);
    assert_int_equal((int64_t)total_of(f, &other_project), 0);
}

static void rows_are_seen_when_their_refresh_is_published_and_not_before(void **state)
{
    struct fixture *f = *state;
    struct iso_record_set set;
    struct iso_record_row row = cost_on(3, 70);

    refresh(f, "bills", 0, 10, 1);
    set = begin_costs(f, "bills", 0, 10);
    assert_int_equal(iso_store_add_records(f->store, &set, &row, 1, &f->error), ISO_OK);
    assert_int_equal((int64_t)total_of(f, &alice), 10);
    assert_int_equal(iso_store_drop_records(f->store, &set, 1, &f->error), ISO_OK);
    assert_int_equal((int64_t)total_of(f, &alice), 10);
    assert_int_equal(iso_store_add_records(f->store, &set, &row, 1, &f->error), ISO_E_CONFLICT);
    memset(&f->error, 0, sizeof(f->error));
    assert_int_equal(
        iso_store_publish_records(f->store, &alice, &set, 1, bytes_of(""), &audit, &f->error),
        ISO_E_CONFLICT);
    assert_int_equal((int64_t)total_of(f, &alice), 10);
}

static void sets_of_one_refresh_are_seen_together_or_not_at_all(void **state)
{
    struct fixture *f = *state;
    struct iso_record_set sets[2] = {begin_costs(f, "bills", 0, 10), {0}};
    struct iso_record_row row = cost_on(1, 5);

    assert_int_equal(iso_store_add_records(f->store, &sets[0], &row, 1, &f->error), ISO_OK);
    sets[1] = (struct iso_record_set){.kind = ISO_RECORD_COST, .id = 999999}; /* there is none */
    assert_int_equal(
        iso_store_publish_records(f->store, &alice, sets, 2, bytes_of(""), &audit, &f->error),
        ISO_E_CONFLICT);
    memset(&f->error, 0, sizeof(f->error));
    assert_int_equal((int64_t)total_of(f, &alice), 0);
    publish(f, sets, 1);
    assert_int_equal((int64_t)total_of(f, &alice), 5);
}

static void another_project_cannot_publish_a_set(void **state)
{
    struct fixture *f = *state;
    struct iso_record_set set = begin_costs(f, "bills", 0, 10);

    assert_int_equal(iso_store_publish_records(f->store, &other_project, &set, 1, bytes_of(""),
                                               &audit, &f->error),
                     ISO_E_CONFLICT);
}

static void sums_are_exact_beyond_what_one_amount_holds(void **state)
{
    struct fixture *f = *state;
    struct iso_record_set set = begin_costs(f, "bills", 0, 10);
    struct iso_record_row row = cost_on(1, INT64_MAX - 1);
    struct iso_cost_sum *sums;
    int n = 0;

    for (int i = 0; i < 100; i++)
        assert_int_equal(iso_store_add_records(f->store, &set, &row, 1, &f->error), ISO_OK);
    row = cost_on(2, -1);
    row.effective.present = false;
    row.effective_from_billed = true;
    assert_int_equal(iso_store_add_records(f->store, &set, &row, 1, &f->error), ISO_OK);
    publish(f, &set, 1);
    assert_true(total_of(f, &alice) == (iso_wide)100 * (INT64_MAX - 1) - 1);
    assert_int_equal(iso_store_sum_costs(f->store, &alice, &anything, &together, 0, 10, f->arena,
                                         &sums, &n, &f->error),
                     ISO_OK);
    assert_int_equal(sums[0].n_rows, 101);
    assert_int_equal(sums[0].effective.n_rows, 100); /* absent is not 0 */
    assert_int_equal(sums[0].list.n_rows, 0);
    assert_int_equal(sums[0].n_effective_from_billed, 1);
}

static void sums_are_grouped_by_what_is_asked_and_by_currency(void **state)
{
    struct fixture *f = *state;
    struct iso_record_set set = begin_costs(f, "bills", 0, 90);
    struct iso_record_row rows[] = {cost_on(0, 1), cost_on(30, 2), cost_on(31, 4), cost_on(32, 8)};
    const struct iso_cost_grouping by = {.service = true, .month = true};
    struct iso_record_filter filter = anything;
    struct iso_cost_sum *sums;
    int n = 0;

    rows[1].service = "S3";
    rows[3].currency = "EUR";
    assert_int_equal(iso_store_add_records(f->store, &set, rows, 4, &f->error), ISO_OK);
    publish(f, &set, 1);
    assert_int_equal(
        iso_store_sum_costs(f->store, &alice, &filter, &by, 0, 10, f->arena, &sums, &n, &f->error),
        ISO_OK);
    assert_int_equal(n, 4);
    assert_int_equal(sums[0].month, 202601);
    assert_string_equal(sums[0].service, "EC2");
    assert_string_equal(sums[1].service, "S3");
    assert_int_equal(sums[1].billed.nanos, 2);
    assert_int_equal(sums[2].month, 202602);
    assert_string_equal(sums[2].currency, "EUR");
    assert_string_equal(sums[2].provider, ""); /* not asked for */
    assert_int_equal(
        iso_store_sum_costs(f->store, &alice, &filter, &by, 3, 10, f->arena, &sums, &n, &f->error),
        ISO_OK);
    assert_int_equal(n, 1); /* the fourth */
    filter.service = "S3";
    filter.to_ns = JANUARY + 31 * DAY;
    assert_int_equal(
        iso_store_sum_costs(f->store, &alice, &filter, &by, 0, 10, f->arena, &sums, &n, &f->error),
        ISO_OK);
    assert_int_equal(n, 1);
}

static void samples_are_listed_in_pages_by_begin(void **state)
{
    struct fixture *f = *state;
    struct iso_record_filter filter = anything;
    struct iso_record_place place = {0};
    struct iso_record_message *messages;
    struct iso_record_set set;
    int n = 0, n_listed = 0;

    assert_int_equal(iso_store_begin_records(f->store, &alice, "watch", ISO_RECORD_USAGE, JANUARY,
                                             JANUARY + 10 * DAY, &set, &f->error),
                     ISO_OK);
    for (int i = 0; i < 10; i++) {
        struct iso_record_row row = {.start_ns = JANUARY + (9 - i) * DAY,
                                     .provider = "aws",
                                     .account = "",
                                     .region = "",
                                     .resource = i % 2 ? "i-odd" : "i-even",
                                     .metric = "cpu_ratio",
                                     .message = bytes_of(i % 2 ? "odd" : "even")};
        assert_int_equal(iso_store_add_records(f->store, &set, &row, 1, &f->error), ISO_OK);
    }
    publish(f, &set, 1);
    do {
        assert_int_equal(iso_store_list_records(f->store, &alice, ISO_RECORD_USAGE, &filter, place,
                                                3, f->arena, &messages, &n, &f->error),
                         ISO_OK);
        for (int i = 0; i < n; i++) {
            assert_true(messages[i].place.start_ns > place.start_ns);
            place = messages[i].place;
        }
        n_listed += n;
    } while (n == 3);
    assert_int_equal(n_listed, 10);
    filter.resource = "i-odd";
    assert_int_equal(iso_store_list_records(f->store, &alice, ISO_RECORD_USAGE, &filter,
                                            (struct iso_record_place){0}, 100, f->arena, &messages,
                                            &n, &f->error),
                     ISO_OK);
    assert_int_equal(n, 5);
    assert_bytes(messages[0].message, "odd");
}

static void what_runs_is_replaced_as_a_whole(void **state)
{
    struct fixture *f = *state;
    struct iso_record_message *messages;
    int64_t since_ns = 0, n_counted = 0;
    int n = 0;

    for (int time = 3; time >= 1; time--) {
        struct iso_record_set set;
        assert_int_equal(iso_store_begin_records(f->store, &alice, "cloud", ISO_RECORD_RUNNING, 0,
                                                 0, &set, &f->error),
                         ISO_OK);
        for (int i = 0; i < time; i++) {
            struct iso_record_row row = {.provider = "aws",
                                         .account = "",
                                         .region = "",
                                         .resource = "i",
                                         .message = bytes_of("m6i.large")};
            assert_int_equal(iso_store_add_records(f->store, &set, &row, 1, &f->error), ISO_OK);
        }
        publish(f, &set, 1);
        assert_int_equal(iso_store_list_records(f->store, &alice, ISO_RECORD_RUNNING, &anything,
                                                (struct iso_record_place){0}, 100, f->arena,
                                                &messages, &n, &f->error),
                         ISO_OK);
        assert_int_equal(n, time);
    }
    assert_int_equal(iso_store_running_since(f->store, &alice, &anything, &since_ns, &f->error),
                     ISO_OK);
    assert_true(since_ns > JANUARY);
    assert_int_equal(iso_store_count_records(f->store, &alice, "cloud", ISO_RECORD_RUNNING, 0, 1,
                                             &n_counted, &f->error),
                     ISO_OK);
    assert_int_equal(n_counted, 1);
}

static void retention_removes_what_cannot_be_seen_and_what_is_old(void **state)
{
    struct fixture *f = *state;
    struct iso_retention retention = ISO_RETENTION_INIT;
    struct iso_pruned pruned;
    struct iso_record_set set;
    struct iso_check check;

    refresh(f, "bills", 0, 31, 100);
    refresh(f, "bills", 10, 20, 1);
    set = begin_costs(f, "bills", 0, 31); /* is being written: stays */
    assert_int_equal(iso_store_prune(f->store, &retention, &pruned, &f->error), ISO_OK);
    assert_int_equal(pruned.records, 10);
    assert_int_equal((int64_t)total_of(f, &alice), 2110);
    assert_int_equal(count(f, "SELECT count(*) FROM cost_record"), 31);
    assert_int_equal(count(f, "SELECT count(*) FROM record_set"), 3);

    assert_int_equal(iso_store_drop_records(f->store, &set, 1, &f->error), ISO_OK);
    retention.records_s =
        (double)(iso_store_now_ns() - (JANUARY + 15 * DAY - DAY / 2)) / 1e9; /* from the 16th on */
    assert_int_equal(iso_store_prune(f->store, &retention, &pruned, &f->error), ISO_OK);
    assert_int_equal((int64_t)total_of(f, &alice), 5 + 1100);
    assert_int_equal(count(f, "SELECT count(*) FROM cost_record"), 16);
    assert_int_equal(count(f, "SELECT count(*) FROM record_set"), 2);
    assert_int_equal(iso_store_check(f->store, &check, &f->error), ISO_OK);
    assert_int_equal(check.n_problems, 0);
}

static void refreshes_are_kept_with_what_they_said(void **state)
{
    struct fixture *f = *state;
    struct iso_refresh_record *records;
    int n = 0;

    refresh(f, "bills", 0, 5, 1);
    refresh(f, "others", 0, 5, 1);
    assert_int_equal(
        iso_store_list_refreshes(f->store, &alice, "", 0, 10, f->arena, &records, &n, &f->error),
        ISO_OK);
    assert_int_equal(n, 2);
    assert_bytes(records[0].refresh, "refresh");
    assert_int_equal(iso_store_list_refreshes(f->store, &alice, "", records[0].id, 10, f->arena,
                                              &records, &n, &f->error),
                     ISO_OK);
    assert_int_equal(n, 1);
    assert_int_equal(iso_store_list_refreshes(f->store, &alice, "others", 0, 10, f->arena, &records,
                                              &n, &f->error),
                     ISO_OK);
    assert_int_equal(n, 1);
}

static void what_is_held_without_a_gap_is_known(void **state)
{
    static const struct {
        int from, to;          /* of one refresh after another */
        int begin, held_until; /* what is asked for then */
    } steps[] = {
        {10, 20, 10, 20}, {10, 20, 15, 20}, /* also from its middle */
        {10, 20, 9, 9},                     /* a gap at the begin */
        {10, 20, 20, 20},                   /* the end is excluded */
        {25, 30, 10, 20},                   /* a gap behind */
        {20, 25, 10, 30},                   /* it is filled */
        {12, 14, 10, 30},                   /* a part once more */
        {0, 40, 10, 40},
    };

    struct fixture *f = *state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(steps); i++) {
        int64_t until_ns = 0;
        refresh(f, "bills", steps[i].from, steps[i].to, 1);
        assert_int_equal(iso_store_records_until(f->store, &alice, "bills", ISO_RECORD_COST,
                                                 JANUARY + steps[i].begin * DAY, &until_ns,
                                                 &f->error),
                         ISO_OK);
        assert_int_equal((until_ns - JANUARY) / DAY, steps[i].held_until);
        assert_int_equal(iso_store_records_until(f->store, &alice, "bills", ISO_RECORD_USAGE,
                                                 JANUARY, &until_ns, &f->error),
                         ISO_OK);
        assert_int_equal(until_ns, JANUARY); /* costs are no usage */
    }
}

#define TEST(name, set_up) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TESTS(set_up)                                                                   \
    {                                                                                   \
        TEST(a_refresh_replaces_its_range_and_no_more, set_up),                         \
            TEST(rows_are_seen_when_their_refresh_is_published_and_not_before, set_up), \
            TEST(sets_of_one_refresh_are_seen_together_or_not_at_all, set_up),          \
            TEST(another_project_cannot_publish_a_set, set_up),                         \
            TEST(sums_are_exact_beyond_what_one_amount_holds, set_up),                  \
            TEST(sums_are_grouped_by_what_is_asked_and_by_currency, set_up),            \
            TEST(samples_are_listed_in_pages_by_begin, set_up),                         \
            TEST(what_runs_is_replaced_as_a_whole, set_up),                             \
            TEST(retention_removes_what_cannot_be_seen_and_what_is_old, set_up),        \
            TEST(refreshes_are_kept_with_what_they_said, set_up),                       \
            TEST(what_is_held_without_a_gap_is_known, set_up)                           \
    }

RUN_ON_BOTH(TESTS)

/* Which range of time is asked for when usage and costs are refreshed by themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schedule_range.h"

#define HOUR INT64_C(3600000000000)
#define DAY (24 * HOUR)
#define TODAY (20454 * DAY)                /* 2026-01-01 */
#define NOW (TODAY + 10 * HOUR + HOUR / 2) /* half past ten */

static Isocost__Internal__V1__RecordSchedule config_of(double window_hours)
{
    Isocost__Internal__V1__RecordSchedule config = ISOCOST__INTERNAL__V1__RECORD_SCHEDULE__INIT;

    config.window_hours = window_hours;
    config.usage_overlap_hours = 3;
    config.cost_overlap_hours = 72;
    return config;
}

static void windows_begin_with_full_hours_and_costs_with_full_days(void **state)
{
    const Isocost__Internal__V1__RecordSchedule config = config_of(48);

    (void)state;
    assert_int_equal(iso_usage_window_begin(&config, ISO_RECORD_USAGE, NOW),
                     TODAY - 2 * DAY + 10 * HOUR);
    assert_int_equal(iso_usage_window_begin(&config, ISO_RECORD_COST, NOW), TODAY - 2 * DAY);
}

static void what_the_store_lacks_is_asked_for_and_its_end_once_more(void **state)
{
    /* Windows are of five days, so they begin at TODAY - 5 days, of usage at ten o'clock. */
    static const struct {
        enum iso_record_kind kind;
        int64_t held_until, from, to;
    } cases[] = {
        /* nothing is held */
        {ISO_RECORD_USAGE, TODAY - 5 * DAY + 10 * HOUR, TODAY - 5 * DAY + 10 * HOUR,
         TODAY + 10 * HOUR},
        {ISO_RECORD_COST, TODAY - 5 * DAY, TODAY - 5 * DAY, TODAY + 10 * HOUR},
        /* an hour ago */
        {ISO_RECORD_USAGE, TODAY + 9 * HOUR, TODAY + 6 * HOUR, TODAY + 10 * HOUR},
        {ISO_RECORD_COST, TODAY + 9 * HOUR, TODAY - 3 * DAY, TODAY + 10 * HOUR},
        /* in the middle of an hour: that one is asked for too */
        {ISO_RECORD_USAGE, TODAY + 9 * HOUR + 1, TODAY + 6 * HOUR, TODAY + 10 * HOUR},
        /* all of it, by somebody who asked for the future */
        {ISO_RECORD_USAGE, TODAY + 9 * DAY, TODAY + 7 * HOUR, TODAY + 10 * HOUR},
        /* the overlap ends where the window begins */
        {ISO_RECORD_COST, TODAY - 4 * DAY, TODAY - 5 * DAY, TODAY + 10 * HOUR},
    };
    const Isocost__Internal__V1__RecordSchedule config = config_of(120);

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct iso_usage_range range;
        int64_t resume = 0;
        assert_true(iso_usage_next_range(&config, cases[i].kind, NOW, cases[i].held_until, &resume,
                                         &range));
        assert_int_equal(range.from_ns, cases[i].from);
        assert_int_equal(range.to_ns, cases[i].to);
        assert_int_equal(resume, 0);
    }
}

static void a_long_window_is_filled_by_the_week_and_no_week_twice(void **state)
{
    const Isocost__Internal__V1__RecordSchedule config = config_of(24 * 31);
    int64_t held = TODAY - 31 * DAY, resume = 0;
    struct iso_usage_range range;

    (void)state;
    for (int week = 0; week < 5; week++) {
        assert_true(iso_usage_next_range(&config, ISO_RECORD_COST, NOW, held, &resume, &range));
        assert_int_equal(range.from_ns, TODAY - (31 - 7 * week) * DAY);
        assert_int_equal(range.to_ns, week < 4 ? range.from_ns + 7 * DAY : TODAY + 10 * HOUR);
        assert_int_equal(resume, week < 4 ? range.to_ns : 0);
        held = range.to_ns;
    }
}

static void an_overlap_that_is_longer_than_a_week_gets_on(void **state)
{
    Isocost__Internal__V1__RecordSchedule config = config_of(24 * 90);
    struct iso_usage_range range;
    int64_t resume = 0;

    (void)state;
    config.cost_overlap_hours = 24 * 30;
    assert_true(
        iso_usage_next_range(&config, ISO_RECORD_COST, NOW, TODAY - 20 * DAY, &resume, &range));
    assert_int_equal(range.from_ns, TODAY - 50 * DAY);
    assert_int_equal(range.to_ns, TODAY - 13 * DAY);
}

static void there_is_nothing_to_ask_for_before_the_first_hour_is_full(void **state)
{
    const Isocost__Internal__V1__RecordSchedule config = config_of(1);
    struct iso_usage_range range;
    int64_t resume = TODAY + 10 * HOUR;

    (void)state;
    assert_false(
        iso_usage_next_range(&config, ISO_RECORD_USAGE, NOW, TODAY + 10 * HOUR, &resume, &range));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_begin_with_full_hours_and_costs_with_full_days),
        cmocka_unit_test(what_the_store_lacks_is_asked_for_and_its_end_once_more),
        cmocka_unit_test(a_long_window_is_filled_by_the_week_and_no_week_twice),
        cmocka_unit_test(an_overlap_that_is_longer_than_a_week_gets_on),
        cmocka_unit_test(there_is_nothing_to_ask_for_before_the_first_hour_is_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

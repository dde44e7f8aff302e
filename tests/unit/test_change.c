/* The text form of changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "isocost/proto/change.h"
#include "isocost/proto/json.h"

static int set_up(void **state)
{
    *state = iso_arena_new((size_t)16 << 20);
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    iso_arena_free(*state);
    return 0;
}

static Isocost__V1__Change *read_ok(const char *text, struct iso_arena *arena)
{
    struct iso_error error = {0};
    Isocost__V1__Change *change = NULL;

    if (iso_change_read(text, arena, &change, NULL, &error) != ISO_OK)
        fail_msg("%s: %s", text, error.text);
    return change;
}

/* JSON of a change without its text. */
static char *json_of(Isocost__V1__Change change, struct iso_arena *arena)
{
    ISO_AUTO_MEM char *text = NULL;
    char none[] = "";

    change.text = none;
    assert_int_equal(iso_json_write(&change.base, 0, &text, NULL), ISO_OK);
    return iso_arena_strdup(arena, text);
}

/* Each row: a text of the contract's page and the message that it stands for. */
static const struct {
    const char *text, *json;
} forms[] = {
    {"demand.web=+30%", "{\"demand\":{\"workload\":\"web\",\"factor\":1.3}}"},
    {"demand.web=-12.5%", "{\"demand\":{\"workload\":\"web\",\"factor\":0.875}}"},
    {"demand.web=*2", "{\"demand\":{\"workload\":\"web\",\"factor\":2}}"},
    {"demand.*=1200", "{\"demand\":{\"workload\":\"*\",\"value\":1200}}"},
    {"demand.web@sale|day=0",
     "{\"demand\":{\"workload\":\"web\",\"periods\":[\"sale\",\"day\"],\"value\":0}}"},
    {"price.aws/us-east-1/*/m6i.large/linux/on-demand=0.08USD",
     "{\"price\":{\"offerings\":{\"offering\":[\"aws/us-east-1/*/m6i.large/linux/on-demand\"]},"
     "\"price\":{\"currencyCode\":\"USD\",\"nanos\":80000000}}}"},
    {"price.aws=-5%", "{\"price\":{\"offerings\":{\"provider\":[\"aws\"]},\"factor\":0.95}}"},
    {"price.aws/eu-*=0.5",
     "{\"price\":{\"offerings\":{\"provider\":[\"aws\"],\"region\":[\"eu-*\"]},"
     "\"price\":{\"nanos\":500000000}}}"},
    {"price.*=+0%", "{\"price\":{\"offerings\":{},\"factor\":1}}"},
    {"price.family:m6i|m7i & purchase:spot & label.class:\"big = fast\" = *0.5",
     "{\"price\":{\"offerings\":{\"family\":[\"m6i\",\"m7i\"],\"purchase\":[\"PURCHASE_SPOT\"],"
     "\"labels\":{\"class\":\"big = fast\"}},\"factor\":0.5}}"},
    {"limit.gpu-eu=40", "{\"limit\":{\"limit\":\"gpu-eu\",\"value\":40}}"},
    {"budget.total=11000", "{\"budget\":{\"budget\":\"total\",\"amount\":{\"units\":\"11000\"}}}"},
    {"budget.china@1=+10%", "{\"budget\":{\"budget\":\"china\",\"window\":1,\"factor\":1.1}}"},
    {"cash.china=40000 CNY",
     "{\"budget\":{\"budget\":\"china\",\"amount\":{\"currencyCode\":\"CNY\",\"units\":\"40000\"},"
     "\"cash\":true}}"},
    {"rate.CNY/USD=0.14", "{\"rate\":{\"pair\":\"CNY/USD\",\"value\":0.14}}"},
    {"rate.CNY/USD@day=-3%",
     "{\"rate\":{\"pair\":\"CNY/USD\",\"periods\":[\"day\"],\"factor\":0.97}}"},
    {"outage.azure/westeurope=on",
     "{\"outage\":{\"provider\":\"azure\",\"region\":\"westeurope\"}}"},
    {"outage.azure=off", "{\"outage\":{\"provider\":\"azure\",\"over\":true}}"},
    {"offering.family:t3=off", "{\"offering\":{\"remove\":{\"family\":[\"t3\"]}}}"},
    {"offering.kind:gpu=on", "{\"offering\":{\"restore\":{\"kind\":[\"OFFERING_KIND_GPU\"]}}}"},
    {"offering.aws/us-east-1/*/m9.large/linux/spot={\"price\":\"0.03 USD\"}",
     "{\"offering\":{\"add\":{\"provider\":\"aws\",\"region\":\"us-east-1\",\"zone\":\"*\","
     "\"type\":\"m9.large\",\"os\":\"linux\",\"purchase\":\"PURCHASE_SPOT\","
     "\"price\":{\"currencyCode\":\"USD\",\"nanos\":30000000}}}}"},
    {"forbid.family:t3=on", "{\"forbid\":{\"offerings\":{\"family\":[\"t3\"]}}}"},
    {"forbid.aws@web|api=off",
     "{\"forbid\":{\"offerings\":{\"provider\":[\"aws\"]},\"workloads\":[\"web\",\"api\"],"
     "\"lifted\":true}}"},
    {"require.gcp=12", "{\"require\":{\"offerings\":{\"provider\":[\"gcp\"]},\"minimum\":12}}"},
    {"require.gcp@day=on",
     "{\"require\":{\"offerings\":{\"provider\":[\"gcp\"]},\"minimum\":1,\"periods\":[\"day\"]}}"},
    {"workload.web=off", "{\"workload\":{\"remove\":\"web\"}}"},
    {"workload.new={\"mustServe\":true,\"throughput\":{\"rate\":[5]}}",
     "{\"workload\":{\"add\":{\"id\":\"new\",\"mustServe\":true,\"throughput\":{\"rate\":[5]}}}}"},
    {"commitment.aws-m7g-1y=40",
     "{\"commitment\":{\"hold\":{\"product\":\"aws-m7g-1y\",\"quantity\":40}}}"},
    {"commitment.aws.m7g/1y=off", "{\"commitment\":{\"remove\":\"aws.m7g/1y\"}}"},
    {"rule.n1=off", "{\"rule\":{\"rule\":\"n1\"}}"},
    {"rule.n1=on", "{\"rule\":{\"rule\":\"n1\",\"on\":true}}"},
};

static void every_form_stands_for_its_message(void **state)
{
    struct iso_arena *arena = *state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(forms); i++) {
        Isocost__V1__Change *change = read_ok(forms[i].text, arena);
        assert_string_equal(change->text, forms[i].text);
        assert_string_equal(json_of(*change, arena), forms[i].json);
    }
}

static void what_is_written_of_a_message_is_read_as_the_same_message(void **state)
{
    struct iso_arena *arena = *state;
    char none[] = "";

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(forms); i++) {
        Isocost__V1__Change *change = read_ok(forms[i].text, arena);
        char *before = json_of(*change, arena);
        change->text = none;
        char *text = iso_change_write(change, arena);
        assert_non_null(text);
        assert_string_equal(json_of(*read_ok(text, arena), arena), before);
    }
}

/* Where each wrong text is wrong, in characters from 1, and a part of what is said. */
static const struct {
    const char *text;
    int column, length;
    const char *said;
} mistakes[] = {
    {"", 1, 1, "there is no dot"},
    {"demand", 1, 6, "there is no dot"},
    {"demnd.web=+30%", 1, 5, "no kind of change; there are budget, cash"},
    {"demand.web", 11, 1, "there is no `=`"},
    {"demand.=5", 8, 1, "a target is missing"},
    {"demand.Web=5", 8, 3, "is not an id"},
    {"demand.web=", 12, 1, "a value is missing; demand takes a number, +10%"},
    {"demand.web=lots", 12, 4, "is no value of demand"},
    {"demand.web=+30", 12, 3, "write +30%"},
    {"demand.web=+%", 12, 2, "a number must follow +"},
    {"demand.web=-120%", 12, 5, "takes away more than there is"},
    {"demand.web=+0.00000001%", 12, 12, "more than 7 places"},
    {"demand.web=5 USD", 14, 3, "nothing may follow the number"},
    {"demand.web=1.2.3", 12, 5, "1.2.3"},
    {"demand.web@a|B=5", 14, 1, "is not an id"},
    {"  limit.cap = 4o", 16, 1, "nothing may follow the number"},
    {"price.aws=0", 11, 1, "must be above 0"},
    {"price.aws=-100%", 11, 5, "must be above 0"},
    {"price.aws=5 dollars", 13, 7, "is no currency"},
    {"price.aws/us-east-1/x=5", 7, 15, "3 parts"},
    {"price.aws//x=5", 7, 6, "an empty part"},
    {"price.colour:red=5", 7, 6, "is none of provider, region"},
    {"price.family:=5", 7, 7, "a value must follow"},
    {"price.purchase:lease=5", 16, 5, "is none of on-demand, spot"},
    {"price.family:a&family:b=5", 16, 6, "is there twice"},
    {"price.\"aws=5", 13, 1, "there is no `=`"},
    {"budget.total@x=5", 14, 1, "is not the place of a window"},
    {"price.family:a\"b\"=5", 14, 4, "quotes must be around all"},
    {"price.family:\xa1=5", 1, 1, "is not UTF-8"},
    {"rate.CNYUSD=0.14", 6, 6, "is not a pair"},
    {"outage.azure/westeurope/1=on", 8, 18, "neither a provider nor"},
    {"outage.azure/=on", 8, 6, "neither a provider nor"},
    {"outage.azure=maybe", 14, 5, "takes on or off"},
    {"offering.aws={\"type\":\"x\"}", 10, 3, "is not the id of an offering"},
    {"offering.a/b/c/d/e/lease={}", 20, 5, "none of on-demand, spot"},
    {"workload.web=on", 14, 2, "give an object"},
    {"workload.web={\"id\":\"api\"}", 10, 3, "not what the object says"},
    {"workload.web={\"sise\":1}", 14, 10, "sise"},
    {"workload.网店=off", 10, 2, "is not an id"},
    {"commitment.c=on", 14, 2, "give the number of units"},
};

static void a_mistake_is_shown_where_it_is(void **state)
{
    struct iso_arena *arena = *state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(mistakes); i++) {
        struct iso_text_place place = {0};
        struct iso_error error = {0};
        Isocost__V1__Change *change = NULL;
        char prefix[32];

        assert_int_equal(iso_change_read(mistakes[i].text, arena, &change, &place, &error),
                         ISO_E_INVALID);
        snprintf(prefix, sizeof(prefix), "column %d: ", mistakes[i].column);
        if (place.column != mistakes[i].column || place.length != mistakes[i].length ||
            strncmp(error.text, prefix, strlen(prefix)) != 0 ||
            !strstr(error.text, mistakes[i].said))
            fail_msg("%s: column %d, length %d: %s", mistakes[i].text, place.column, place.length,
                     error.text);
    }
}

static void commas_in_quotes_and_objects_do_not_separate(void **state)
{
    struct iso_arena *arena = *state;
    const char *list =
        "demand.web=+5%,price.type:\"a,b\"=5,workload.n={\"a\":[1,2],\"b\":2},limit.x=4";
    const char *expected[] = {"demand.web=+5%", "price.type:\"a,b\"=5",
                              "workload.n={\"a\":[1,2],\"b\":2}", "limit.x=4"};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(expected); i++)
        assert_string_equal(iso_change_next(&list, arena), expected[i]);
    assert_null(iso_change_next(&list, arena));
}

static void places_of_target_and_value_are_found_in_a_text(void **state)
{
    struct iso_text_place place = iso_change_place("budget.total = 11000 USD", ISO_CHANGE_TARGET);

    (void)state;
    assert_int_equal(place.column, 8);
    assert_int_equal(place.length, 5);
    place = iso_change_place("budget.total = 11000 USD", ISO_CHANGE_VALUE);
    assert_int_equal(place.column, 16);
    assert_int_equal(place.length, 9);
    assert_int_equal(iso_change_place("", ISO_CHANGE_VALUE).column, 0);
}

static void sweeps_are_evenly_spaced_values_of_a_target(void **state)
{
    static const struct {
        const char *text, *target, *unit, *second;
        size_t n;
        double first_value, second_value, last_value;
    } rows[] = {
        {"budget.total=8000..16000:9", "budget.total", "", "budget.total=9000", 9, 8000, 9000,
         16000},
        {"budget.total=8000..16000USD:3", "budget.total", "USD", "budget.total=12000USD", 3, 8000,
         12000, 16000},
        {"demand.web=-20%..+50%:8", "demand.web", "%", "demand.web=-10%", 8, -20, -10, 50},
        {"demand.web=-20..50%:8", "demand.web", "%", "demand.web=-10%", 8, -20, -10, 50},
        {"price.aws=*0.5..*1.5:3", "price.aws", "*", "price.aws=*1", 3, 0.5, 1, 1.5},
        {"limit.cap=0..1:4", "limit.cap", "", "limit.cap=0.333333333", 4, 0, 0.333333333, 1},
    };
    struct iso_arena *arena = *state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(rows); i++) {
        struct iso_error error = {0};
        Isocost__V1__SweepParameter *p = NULL;
        if (iso_sweep_read(rows[i].text, arena, &p, NULL, &error) != ISO_OK)
            fail_msg("%s: %s", rows[i].text, error.text);
        assert_string_equal(p->target, rows[i].target);
        assert_string_equal(p->unit, rows[i].unit);
        assert_int_equal(p->n_values, rows[i].n);
        assert_true(p->values[0] == rows[i].first_value);
        assert_true(p->values[1] == rows[i].second_value);
        assert_true(p->values[p->n_values - 1] == rows[i].last_value);
        assert_string_equal(iso_sweep_change(p, p->values[1], arena), rows[i].second);
    }
}

static void a_wrong_sweep_is_shown_where_it_is(void **state)
{
    static const struct {
        const char *text;
        int column;
    } rows[] = {{"budget.total", 1},
                {"budget.total=8000", 14},
                {"budget.total=8000..x:4", 20},
                {"budget.total=8000..9000:0", 25},
                {"budget.total=8000..9000:1001", 25},
                {"budget.total=*1..9:3", 14}};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(rows); i++) {
        struct iso_text_place place = {0};
        Isocost__V1__SweepParameter *p = NULL;
        assert_int_equal(iso_sweep_read(rows[i].text, *state, &p, &place, NULL), ISO_E_INVALID);
        assert_int_equal(place.column, rows[i].column);
    }
}

static void a_small_arena_is_told_from_a_wrong_text(void **state)
{
    (void)state;
    for (size_t bytes = 0; bytes < 4096; bytes += 40) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(bytes);
        Isocost__V1__Change *change = NULL;
        enum iso_status status =
            iso_change_read("price.family:m6i|m7i=0.5USD", arena, &change, NULL, NULL);
        assert_true(status == ISO_OK || status == ISO_E_LIMIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_form_stands_for_its_message, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_written_of_a_message_is_read_as_the_same_message,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mistake_is_shown_where_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(commas_in_quotes_and_objects_do_not_separate, set_up,
                                        tear_down),
        cmocka_unit_test(places_of_target_and_value_are_found_in_a_text),
        cmocka_unit_test_setup_teardown(sweeps_are_evenly_spaced_values_of_a_target, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_sweep_is_shown_where_it_is, set_up, tear_down),
        cmocka_unit_test(a_small_arena_is_told_from_a_wrong_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

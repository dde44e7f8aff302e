/* Differences of messages, in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "isocost/proto/differences.h"
#include "isocost/proto/json.h"
#include "isocost/v1/model.pb-c.h"

static const ProtobufCMessage *read(const char *yaml, struct iso_arena *arena)
{
    struct iso_violations violations = {.arena = arena};
    struct iso_error error = {0};
    ProtobufCMessage *message = NULL;

    if (iso_yaml_read(&isocost__v1__model__descriptor, yaml, strlen(yaml), arena, &violations,
                      &message, &error) != ISO_OK)
        fail_msg("%s: %s", yaml, error.text);
    return message;
}

static const struct {
    const char *before, *after;
    int n;
    const char *first; /* NULL: there is none */
} cases[] = {
    {"{}", "{}", 0, NULL},
    {"{display_name: a}", "{display_name: b}", 1, "display_name: \"a\", then \"b\""},
    {"{display_name: a}", "{}", 1, "display_name: \"a\", then none"},
    {"{limits: [{id: a, maximum: 10}]}", "{limits: [{id: a, maximum: 12.5}]}", 1,
     "limits[a].maximum: 10, then 12.5"},
    {"{limits: [{id: a, maximum: 10}]}", "{limits: [{id: a, minimum: 10}]}", 2,
     "limits[a].maximum: 10, then none"},
    {"{limits: [{id: a}, {id: b}]}", "{limits: [{id: b}, {id: a}]}", 0, NULL},
    {"{limits: [{id: a}]}", "{limits: [{id: a}, {id: b}]}", 1, "limits[b] is new"},
    {"{limits: [{id: a}, {id: b}]}", "{limits: [{id: b}]}", 1, "limits[a] is gone"},
    {"{workloads: [{id: w, throughput: {rate: [1, 2]}}]}",
     "{workloads: [{id: w, throughput: {rate: [1, 3, 4]}}]}", 2,
     "workloads[w].throughput.rate[1]: 2, then 3"},
    {"{budgets: [{id: b, windows: [{amount: 10 USD}]}]}",
     "{budgets: [{id: b, windows: [{amount: 12.5 CNY}]}]}", 1,
     "budgets[b].windows[0].amount: 10 USD, then 12.5 CNY"},
    {"{labels: {a: x, b: y}}", "{labels: {b: z, a: x}}", 1, "labels[b].value: \"y\", then \"z\""},
    {"{options: {gap: 0}}", "{options: {}}", 1, "options.gap: 0, then none"},
    {"{limits: [{id: a, disabled: true, metric: vcpu}]}", "{limits: [{id: a, metric: gpu}]}", 2,
     "limits[a].metric: LIMIT_METRIC_VCPU, then LIMIT_METRIC_GPU"},
};

static void each_difference_is_told_where_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 20);
        struct iso_differences found = {.arena = arena};
        iso_differences_add(&found, "", read(cases[i].before, arena), read(cases[i].after, arena));
        if (found.n != cases[i].n)
            fail_msg("%s and %s: %d, not %d; %s", cases[i].before, cases[i].after, found.n,
                     cases[i].n, found.n_texts ? found.texts[0] : "");
        assert_int_equal(found.n_texts, found.n);
        if (cases[i].first)
            assert_string_equal(found.texts[0], cases[i].first);
    }
}

static void no_more_than_twenty_are_told_and_all_are_counted(void **state)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 20);
    struct iso_differences found = {.arena = arena};

    (void)state;
    for (int i = 0; i < 30; i++)
        iso_differences_say(&found, "thing %d", i);
    assert_int_equal(found.n, 30);
    assert_int_equal(found.n_texts, ISO_DIFFERENCES_SHOWN);
    assert_string_equal(found.texts[19], "thing 19");
}

static void a_message_that_is_not_there_is_new_or_gone(void **state)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 20);
    struct iso_differences found = {.arena = arena};
    const ProtobufCMessage *model = read("{}", arena);

    (void)state;
    iso_differences_add(&found, "model", NULL, model);
    iso_differences_add(&found, "model", model, NULL);
    iso_differences_add(&found, "model", NULL, NULL);
    assert_int_equal(found.n, 2);
    assert_string_equal(found.texts[0], "model is new");
    assert_string_equal(found.texts[1], "model is gone");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_difference_is_told_where_it_is),
        cmocka_unit_test(no_more_than_twenty_are_told_and_all_are_counted),
        cmocka_unit_test(a_message_that_is_not_there_is_new_or_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

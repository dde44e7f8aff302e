/* The index over selectors finds what trying each of them finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "isocost/proto/json.h"
#include "selector_index.h"

/* Terms by each field, by several values and fields, by prefixes, by nothing, and exclusions. */
static const char *const yamls[] = {
    "{include: [{type: m5.large}]}",
    "{include: [{provider: aws}]}",
    "{include: [{provider: Amazon Web Services, region: US-east-1}]}",
    "{include: [{type: [c5.large, M5.LARGE]}]}",
    "{include: [{type: m5.*}]}",
    "{include: [{type: m5.*, family: m5}]}",
    "{include: [{type: [m5.*, c5.large]}]}",
    "{include: [{offering: aws/us-east-1/*/m5.large/linux/on-demand}]}",
    "{include: [{type: m5.large}, {family: m5}, {zone: us-east-1a}]}",
    "{include: [{os: linux}, {arch: arm64}]}",
    "{include: [{arch: X86_64}]}",
    "{include: [{}]}",
    "{}",
    "{exclude: [{type: m5.large}]}",
    "{include: [{family: m5}], exclude: [{purchase: spot}]}",
    "{include: [{labels: {class: web}}]}",
    "{include: [{type: m5}]}",
    "{include: [{type: m5.large.more}]}",
    "{include: [{provider: gcp}, {type: e2-small}]}",
};

static const struct iso_snapshot_offering offerings[] = {
    {.id = "aws/us-east-1/us-east-1a/m5.large/linux/on-demand",
     .provider = "aws",
     .region = "us-east-1",
     .zone = "us-east-1a",
     .type = "m5.large",
     .os = "linux",
     .family = "M5",
     .arch = "x86_64",
     .labels = "class=web\n",
     .purchase = ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND},
    {.id = "aws/us-east-1/*/m5.large/linux/on-demand",
     .provider = "aws",
     .region = "us-east-1",
     .zone = "*",
     .type = "m5.large",
     .os = "linux",
     .family = "m5",
     .arch = "x86_64",
     .labels = "",
     .purchase = ISOCOST__V1__PURCHASE__PURCHASE_SPOT},
    {.id = "gcp/*/*/e2-small/linux/on-demand",
     .provider = "gcp",
     .region = "*",
     .zone = "*",
     .type = "e2-small",
     .os = "linux",
     .family = "",
     .arch = "",
     .labels = "",
     .purchase = ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND},
    {.id = "aws/eu-west-1/*/c5.large/windows/on-demand",
     .provider = "aws",
     .region = "eu-west-1",
     .zone = "*",
     .type = "c5.large",
     .os = "windows",
     .family = "c5",
     .arch = "arm64",
     .labels = "",
     .purchase = ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND},
};

#define N ISO_ARRAY_LENGTH(yamls)

static const struct iso_selector *compile(const char *yaml, struct iso_arena *arena)
{
    struct iso_violations violations = {.arena = arena};
    struct iso_error error = {0};
    ProtobufCMessage *message = NULL;

    if (iso_yaml_read(&isocost__v1__selector__descriptor, yaml, strlen(yaml), arena, &violations,
                      &message, &error) != ISO_OK)
        fail_msg("%s: %s", yaml, error.text);
    const struct iso_selector *selector =
        iso_selector_compile((const Isocost__V1__Selector *)message, arena);
    assert_non_null(selector);
    return selector;
}

static void a_walk_finds_what_matches_in_order_and_once(void **state)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 20);
    const struct iso_selector *selectors[N];
    (void)state;

    for (size_t i = 0; i < N; i++)
        selectors[i] = compile(yamls[i], arena);
    const struct iso_selector_index *index = iso_selector_index_new(selectors, N, arena);
    assert_non_null(index);
    for (size_t o = 0; o < ISO_ARRAY_LENGTH(offerings); o++) {
        struct iso_selector_walk walk = iso_selector_walk(index, &offerings[o]);
        for (size_t i = 0; i < N; i++) {
            if (!iso_selector_matches(selectors[i], &offerings[o]))
                continue;
            int32_t found = iso_selector_walk_next(&walk);
            if (found != (int32_t)i)
                fail_msg("%s: found %d before %s", offerings[o].id, found, yamls[i]);
        }
        assert_int_equal(iso_selector_walk_next(&walk), -1);
        assert_int_equal(iso_selector_walk_next(&walk), -1);
    }
}

static void the_first_match_wins_and_none_is_told(void **state)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 20);
    const struct iso_selector *selectors[] = {
        compile("{include: [{type: e2-*}]}", arena),
        compile("{include: [{type: c5.large}, {region: us-east-1}]}", arena),
        compile("{include: [{type: m5.large}]}", arena),
    };
    (void)state;

    const struct iso_selector_index *index = iso_selector_index_new(selectors, 3, arena);
    assert_int_equal(iso_selector_index_first(index, &offerings[0]), 1);
    assert_int_equal(iso_selector_index_first(index, &offerings[2]), 0);
    const struct iso_selector_index *last = iso_selector_index_new(selectors + 2, 1, arena);
    assert_int_equal(iso_selector_index_first(last, &offerings[3]), -1);
    assert_int_equal(iso_selector_index_first(iso_selector_index_new(NULL, 0, arena), offerings),
                     -1);
}

static void a_full_arena_gives_no_index(void **state)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 16);
    ISO_AUTO(iso_arena) small = iso_arena_new(16);
    const struct iso_selector *selector = compile("{}", arena);
    (void)state;

    assert_null(iso_selector_index_new(&selector, 1, small));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_walk_finds_what_matches_in_order_and_once),
        cmocka_unit_test(the_first_match_wins_and_none_is_told),
        cmocka_unit_test(a_full_arena_gives_no_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

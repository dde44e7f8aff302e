/* Selectors: what they match. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "isocost/proto/json.h"
#include "selector.h"

static const struct iso_snapshot_offering offering = {
    .id = "alibaba/cn-hangzhou/cn-hangzhou-b/ecs.g7.large/linux/on-demand",
    .provider = "alibaba",
    .region = "cn-hangzhou",
    .zone = "cn-hangzhou-b",
    .type = "ecs.g7.large",
    .os = "linux",
    .family = "ecs.g7",
    .arch = "x86_64",
    .labels = "class=web\ntier=gold\n",
    .purchase = ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND,
};

static bool matches(const char *yaml)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 20);
    struct iso_violations violations = {.arena = arena};
    struct iso_error error = {0};
    ProtobufCMessage *message = NULL;

    if (iso_yaml_read(&isocost__v1__selector__descriptor, yaml, strlen(yaml), arena, &violations,
                      &message, &error) != ISO_OK)
        fail_msg("%s: %s", yaml, error.text);
    const struct iso_selector *selector =
        iso_selector_compile((const Isocost__V1__Selector *)message, arena);
    assert_non_null(selector);
    return iso_selector_matches(selector, &offering);
}

static const struct {
    const char *yaml;
    bool matches;
} cases[] = {
    {"{}", true},
    {"{include: [{}]}", true},
    {"{exclude: [{}]}", false},
    {"{include: [{provider: alibaba}]}", true},
    {"{include: [{provider: 阿里云}]}", true},
    {"{include: [{provider: Alibaba Cloud}]}", true},
    {"{include: [{provider: [aws, ALIYUN]}]}", true},
    {"{include: [{provider: aws}]}", false},
    {"{include: [{provider: ali*}]}", true},
    {"{include: [{provider: aws}, {region: cn-*}]}", true},
    {"{include: [{provider: aws, region: cn-*}]}", false},
    {"{include: [{region: CN-Hangzhou}]}", true},
    {"{include: [{region: cn-hang}]}", false},
    {"{include: [{region: cn-hangzhou-long}]}", false},
    {"{include: [{zone: '*'}]}", true},
    {"{include: [{zone: cn-hangzhou-a}]}", false},
    {"{include: [{family: ecs.g7, type: ecs.g7.*}]}", true},
    {"{include: [{arch: arm64}]}", false},
    {"{include: [{os: linux}]}", true},
    {"{include: [{purchase: spot}]}", false},
    {"{include: [{purchase: [spot, on-demand]}]}", true},
    {"{include: [{kind: vm}]}", true},
    {"{include: [{kind: disk}]}", false},
    {"{include: [{labels: {class: web}}]}", true},
    {"{include: [{labels: {class: web, tier: gold}}]}", true},
    {"{include: [{labels: {class: web, tier: silver}}]}", false},
    {"{include: [{labels: {class: we}}]}", false},
    {"{include: [{labels: {class: w*}}]}", true},
    {"{include: [{labels: {ass: web}}]}", false},
    {"{include: [{offering: alibaba/cn-hangzhou/cn-hangzhou-b/ecs.g7.large/linux/on-demand}]}",
     true},
    {"{include: [{offering: aliyun/cn-hangzhou/cn-hangzhou-b/ecs.g7.large/linux/on-demand}]}",
     true},
    {"{include: [{offering: alibaba/cn-hangzhou/*}]}", true},
    {"{include: [{offering: alibaba/cn-beijing/*}]}", false},
    {"{include: [{provider: alibaba}], exclude: [{type: ecs.g7.*}]}", false},
    {"{exclude: [{provider: aws}, {purchase: spot}]}", true},
};

static void terms_are_conditions_values_are_alternatives(void **state)
{
    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++)
        if (matches(cases[i].yaml) != cases[i].matches)
            fail_msg("%s must %smatch", cases[i].yaml, cases[i].matches ? "" : "not ");
}

static void no_selector_is_everything(void **state)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 16);
    (void)state;

    assert_true(iso_selector_matches(iso_selector_compile(NULL, arena), &offering));
}

static void ids_are_folded_to_one_spelling(void **state)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(1 << 16);
    (void)state;

    assert_string_equal(iso_offering_id_fold("阿里云/CN-Hangzhou/*/ecs.G7/linux/spot", arena),
                        "alibaba/cn-hangzhou/*/ecs.g7/linux/spot");
    assert_string_equal(iso_offering_id_fold("Google Cloud/us-central1/*/n2/linux/spot", arena),
                        "gcp/us-central1/*/n2/linux/spot");
    assert_null(iso_offering_id_fold("aws/us-east-1/m6i.large", arena));
    assert_null(iso_offering_id_fold("aws/us-east-1//m6i.large/linux/spot", arena));
    assert_null(iso_offering_id_fold("aws/us-east-1/*/m6i.large/linux/", arena));
    assert_null(iso_offering_id_fold("", arena));
}

static void a_full_arena_gives_no_selector(void **state)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(8);
    (void)state;

    assert_null(iso_selector_compile(NULL, arena));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_are_conditions_values_are_alternatives),
        cmocka_unit_test(no_selector_is_everything),
        cmocka_unit_test(ids_are_folded_to_one_spelling),
        cmocka_unit_test(a_full_arena_gives_no_selector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

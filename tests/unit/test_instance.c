/* When a provider instance is tried again, and when it is left alone. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "instance.h"
#include "page_token.h"

#define READY ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_READY
#define DEGRADED ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_DEGRADED
#define QUARANTINED ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_QUARANTINED
#define REFUSED ISOCOST__V1__PROVIDER_STATE__PROVIDER_STATE_REFUSED

static void note(struct iso_instance *instance, enum iso_status status, bool crashed, double now_s)
{
    struct iso_host_report report = {.crashed = crashed};

    iso_instance_note(instance, status, /* refused= */ false, /* fetched= */ true, &report,
                      "it broke", now_s, 5, /* random= */ 0);
}

static void waits_double_up_to_five_minutes(void **state)
{
    (void)state;
    assert_true(iso_instance_backoff_s(1, 0) == 1);
    assert_true(iso_instance_backoff_s(2, 0) == 2);
    assert_true(iso_instance_backoff_s(9, 0) == 256);
    assert_true(iso_instance_backoff_s(10, 0) == 300);
    assert_true(iso_instance_backoff_s(1000000, 0) == 300);
    assert_true(iso_instance_backoff_s(1, 1) == 1.25);
    assert_true(iso_instance_interval_s(60, 0) == 60);
    assert_true(iso_instance_interval_s(60, 1) == 66);
}

static void five_crashes_in_ten_minutes_are_too_many(void **state)
{
    Isocost__Internal__V1__ProviderInstance config = ISOCOST__INTERNAL__V1__PROVIDER_INSTANCE__INIT;
    struct iso_instance instance = {.config = &config};

    (void)state;
    config.refresh_seconds = 60;
    for (int i = 0; i < 4; i++) {
        note(&instance, ISO_E_UNAVAILABLE, true, 100 * i);
        assert_int_equal(instance.state, DEGRADED);
        assert_true(isfinite(instance.due_s) != 0);
    }
    assert_string_equal(instance.last_error, "it broke");
    /* The fifth comes 601 s after the first: only four are in the window. */
    note(&instance, ISO_E_UNAVAILABLE, true, 601);
    assert_int_equal(instance.state, DEGRADED);
    note(&instance, ISO_E_UNAVAILABLE, true, 602); /* 100, 200, 300, 601, 602 */
    assert_int_equal(instance.state, QUARANTINED);
    assert_true(instance.due_s == 602 + 600);
    note(&instance, ISO_OK, false, 603);
    assert_int_equal(instance.state, READY);
    assert_true(instance.due_s == 663);
    assert_int_equal(instance.last_success_ns, 5);
    assert_string_equal(instance.last_error, "");
}

static void
a_quarantined_instance_is_probed_and_waits_twice_as_long_after_each_failure(void **state)
{
    Isocost__Internal__V1__ProviderInstance config = ISOCOST__INTERNAL__V1__PROVIDER_INSTANCE__INIT;
    struct iso_instance instance = {.config = &config};

    (void)state;
    for (int i = 0; i < 5; i++)
        note(&instance, ISO_E_UNAVAILABLE, true, i);
    assert_int_equal(instance.state, QUARANTINED);
    assert_true(iso_instance_left_alone(&instance, 603)); /* 4 + 600 is when the probe is due */
    assert_false(iso_instance_left_alone(&instance, 604));
    note(&instance, ISO_E_UNAVAILABLE, true, 604); /* one crash is enough now */
    assert_int_equal(instance.state, QUARANTINED);
    assert_true(iso_instance_left_alone(&instance, 604 + 1199));
    note(&instance, ISO_E_UNAVAILABLE, true, 604 + 1200);
    assert_true(instance.probe_s == 604 + 1200 + 2400);
    note(&instance, ISO_E_UNAVAILABLE, false,
         instance.probe_s); /* it lives, its provider does not */
    assert_int_equal(instance.state, DEGRADED);
    note(&instance, ISO_OK, false, 10000);
    assert_int_equal(instance.state, READY);
    for (int i = 0; i < 5; i++)
        note(&instance, ISO_E_UNAVAILABLE, true, 20000 + i);
    assert_true(instance.probe_s == 20004 + 600); /* what was before is forgotten */
}

static void an_operator_says_how_long_an_instance_is_left_alone(void **state)
{
    Isocost__Internal__V1__ProviderInstance config = ISOCOST__INTERNAL__V1__PROVIDER_INSTANCE__INIT;
    struct iso_instance instance = {.config = &config, .quarantine_s = 2};

    (void)state;
    for (int i = 0; i < 5; i++)
        note(&instance, ISO_E_UNAVAILABLE, true, 10);
    assert_true(instance.probe_s == 10 + 2);
    note(&instance, ISO_E_UNAVAILABLE, true, 12);
    assert_true(instance.probe_s == 12 + 4);
}

static void failures_that_are_no_crashes_never_quarantine(void **state)
{
    Isocost__Internal__V1__ProviderInstance config = ISOCOST__INTERNAL__V1__PROVIDER_INSTANCE__INIT;
    struct iso_instance instance = {.config = &config};

    (void)state;
    for (int i = 0; i < 20; i++)
        note(&instance, ISO_E_UNAUTHENTICATED, false, i);
    assert_int_equal(instance.state, DEGRADED);
    assert_true(isinf(instance.due_s) != 0);   /* no refresh by itself was asked for */
    assert_true(instance.retry_s == 19 + 300); /* of what asks by itself all the same */
    note(&instance, ISO_OK, false, 20);
    assert_true(instance.retry_s == 0);
}

static void a_cancelled_refresh_says_nothing_about_the_provider(void **state)
{
    Isocost__Internal__V1__ProviderInstance config = ISOCOST__INTERNAL__V1__PROVIDER_INSTANCE__INIT;
    struct iso_instance instance = {.config = &config, .state = READY};

    (void)state;
    note(&instance, ISO_E_CANCELLED, false, 1);
    assert_int_equal(instance.state, READY);
}

static void a_plugin_that_is_not_loaded_is_refused(void **state)
{
    Isocost__Internal__V1__ProviderInstance config = ISOCOST__INTERNAL__V1__PROVIDER_INSTANCE__INIT;
    struct iso_instance instance = {.config = &config};
    struct iso_host_report report = {0};

    (void)state;
    iso_instance_note(&instance, ISO_E_DENIED, /* refused= */ true, /* fetched= */ false, &report,
                      "mode 0777", 1, 1, 0);
    assert_int_equal(instance.state, REFUSED);
}

/* --- page tokens --- */

static void a_token_is_good_for_its_own_list_only(void **state)
{
    const struct iso_principal alice = {"acme", "web", "alice", 0};
    const struct iso_principal eve = {"evil", "web", "eve", 0};
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 16);
    struct iso_error error = {0};
    const char *position = NULL;
    char *token = iso_page_token_make(&alice, "ListThings a", "sha256:12@34", arena);

    (void)state;
    assert_int_equal(iso_page_token_read(&alice, "ListThings a", token, arena, &position, &error),
                     ISO_OK);
    assert_string_equal(position, "sha256:12@34");
    assert_int_equal(iso_page_token_read(&alice, "ListThings a", "", arena, &position, &error),
                     ISO_OK);
    assert_string_equal(position, "");
    assert_int_equal(iso_page_token_read(&alice, "ListThings b", token, arena, &position, &error),
                     ISO_E_INVALID);
    assert_string_equal(error.field, "page_token");
    assert_int_equal(iso_page_token_read(&eve, "ListThings a", token, arena, &position, NULL),
                     ISO_E_INVALID);
}

static void a_token_that_was_changed_is_refused(void **state)
{
    const struct iso_principal alice = {"acme", "web", "alice", 0};
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
    const char *position = NULL;
    char *token = iso_page_token_make(&alice, "s", "12", arena);
    static const char *const others[] = {"x", "0123456789abcdef", "0123456789abcdef3", "\xff\xfe",
                                         "0123456789abcdefzz"};

    (void)state;
    for (size_t i = 0; token[i]; i++) {
        char kept = token[i];
        token[i] = kept == '0' ? '1' : '0';
        assert_int_equal(iso_page_token_read(&alice, "s", token, arena, &position, NULL),
                         ISO_E_INVALID);
        token[i] = kept;
    }
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(others); i++)
        assert_int_equal(iso_page_token_read(&alice, "s", others[i], arena, &position, NULL),
                         ISO_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_five_minutes),
        cmocka_unit_test(five_crashes_in_ten_minutes_are_too_many),
        cmocka_unit_test(
            a_quarantined_instance_is_probed_and_waits_twice_as_long_after_each_failure),
        cmocka_unit_test(an_operator_says_how_long_an_instance_is_left_alone),
        cmocka_unit_test(failures_that_are_no_crashes_never_quarantine),
        cmocka_unit_test(a_cancelled_refresh_says_nothing_about_the_provider),
        cmocka_unit_test(a_plugin_that_is_not_loaded_is_refused),
        cmocka_unit_test(a_token_is_good_for_its_own_list_only),
        cmocka_unit_test(a_token_that_was_changed_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

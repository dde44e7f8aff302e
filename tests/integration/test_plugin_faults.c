/* What the server sees of a plugin that crashes, hangs, lies or tries to break out. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "plugin_harness.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true /* the sanitizer catches the signal, and memory has no limit */
#else
#define SANITIZED false
#endif

static void start_with(struct harness *harness, const char *plugin, int64_t memory_bytes)
{
    Isocost__Internal__V1__LoadRequest load = ISOCOST__INTERNAL__V1__LOAD_REQUEST__INIT;
    struct harness_result result;
    char relative[64];

    snprintf(relative, sizeof(relative), "tests/plugins/%s.so", plugin);
    load.path = (char *)(uintptr_t)harness_build_path(relative);
    load.memory_bytes = memory_bytes;
    harness_start(harness);
    harness_load_request(harness, &load, &result);
    if (!result.hello)
        fail_msg("%s does not load: %s", plugin, result.text);
    harness_result_fini(&result);
}

static void a_plugin_that_dies_closes_the_connection_without_an_end(void **state)
{
    static const struct {
        const char *plugin;
        int signal; /* 0: it leaves by itself */
    } cases[] = {{"segv", SIGSEGV}, {"abort", SIGABRT}, {"stack", SIGSEGV}, {"exit", 0}};

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct harness harness;
        struct harness_result result;

        start_with(&harness, cases[i].plugin, 0);
        harness_fetch(&harness, 30, &result);
        assert_true(result.closed);
        assert_false(result.end);
        int status = harness_wait(&harness, 20);
        assert_true(status >= 0);
        if (cases[i].signal == 0)
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        else if (!SANITIZED)
            assert_true(WIFSIGNALED(status) && WTERMSIG(status) == cases[i].signal);
        harness_result_fini(&result);
        harness_stop(&harness);
    }
}

static void a_plugin_that_hangs_is_ended_after_its_deadline(void **state)
{
    struct harness harness;
    struct harness_result result;

    (void)state;
    start_with(&harness, "hang", 0);
    harness_fetch(&harness, 0.2, &result); /* the harness gives up after a minute */
    assert_true(result.closed);
    int status = harness_wait(&harness, 20);
    assert_true(status >= 0 && WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGALRM);
    harness_result_fini(&result);
    harness_stop(&harness);
}

static void a_plugin_that_eats_memory_meets_its_limit(void **state)
{
    struct harness harness;
    struct harness_result result;

    (void)state;
    if (SANITIZED)
        skip();
    start_with(&harness, "memory", (int64_t)128 << 20);
    harness_fetch(&harness, 30, &result);
    assert_true(result.failure);
    assert_non_null(strstr(result.text, "no memory after"));
    assert_int_equal(result.failure_class,
                     ISOCOST__INTERNAL__V1__FAILURE_CLASS__FAILURE_CLASS_RETRYABLE);
    harness_result_fini(&result);
    harness_stop(&harness);
}

static void a_frame_of_two_gigabytes_breaks_the_connection(void **state)
{
    struct harness harness;
    struct harness_result result;

    (void)state;
    start_with(&harness, "garbage", 0);
    harness_fetch(&harness, 30, &result);
    assert_true(result.closed);
    assert_non_null(strstr(result.text, "2147483648 bytes"));
    harness_result_fini(&result);
    harness_stop(&harness);
}

static void a_plugin_cannot_break_out(void **state)
{
    static const struct {
        const char *attempt, *outcome;
    } cases[] = {
        {"fork", "EPERM"},         {"clone3", "ENOSYS"},      {"exec", "EPERM"},
        {"ptrace", "EPERM"},       {"kill", "EPERM"},         {"limit_parent", "EPERM"},
        {"leave_group", "EPERM"},  {"unshare", "EPERM"},      {"unix_socket", "EACCES"},
        {"read_shadow", "EACCES"}, {"read_passwd", "EACCES"}, {"write_tmp", "EACCES"},
        {"read_resolver", "ok"},   {"internet_socket", "ok"},
    };
    struct harness harness;
    struct harness_result result;

    (void)state;
    harness_start(&harness);
    harness_load(&harness, harness_build_path("tests/plugins/escape.so"), NULL, NULL, &result);
    assert_true(result.hello);
    bool landlock = true;
    for (size_t i = 0; i < result.said->n_missing_protections; i++)
        landlock &= strcmp(result.said->missing_protections[i], "landlock") != 0;
    harness_result_fini(&result);
    harness_fetch(&harness, 30, &result);
    assert_true(result.end);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        const Isocost__V1__Diagnostic *told = harness_diagnostic(&result, cases[i].attempt);
        assert_non_null(told);
        bool file = strncmp(cases[i].attempt, "read_", 5) == 0 ||
                    strncmp(cases[i].attempt, "write_", 6) == 0;
        if (landlock || !file)
            if (strcmp(told->text, cases[i].outcome) != 0)
                fail_msg("%s: %s where %s was expected", cases[i].attempt, told->text,
                         cases[i].outcome);
    }
    harness_result_fini(&result);
    harness_stop(&harness);
}

static void a_failure_says_why_and_whether_to_try_again(void **state)
{
    static const struct {
        const char *plugin, *text;
        Isocost__Internal__V1__FailureClass failure_class;
    } cases[] = {
        {"silent", "plugin 'faulty' failed: the caller did not say who it is",
         ISOCOST__INTERNAL__V1__FAILURE_CLASS__FAILURE_CLASS_AUTH},
        {"hide", "rows: a row of ", ISOCOST__INTERNAL__V1__FAILURE_CLASS__FAILURE_CLASS_PERMANENT},
        {"many", "rows: more than 2000000 rows",
         ISOCOST__INTERNAL__V1__FAILURE_CLASS__FAILURE_CLASS_PERMANENT},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct harness harness;
        struct harness_result result;

        start_with(&harness, cases[i].plugin, 0);
        harness_fetch(&harness, 50, &result);
        assert_true(result.failure);
        assert_false(result.page_too_large);
        if (!strstr(result.text, cases[i].text))
            fail_msg("\"%s\" where \"%s\" was expected", result.text, cases[i].text);
        assert_int_equal(result.failure_class, cases[i].failure_class);
        harness_result_fini(&result);
        assert_int_equal(harness_stop(&harness), 0); /* it would have served another fetch */
    }
}

static void after_a_failure_the_host_serves_on(void **state)
{
    struct harness harness;
    struct harness_result result;

    (void)state;
    start_with(&harness, "none", 0);
    harness_fetch(&harness, -1, &result);
    assert_true(result.failure);
    assert_non_null(strstr(result.text, "deadline_seconds"));
    harness_result_fini(&result);
    harness_fetch(&harness, 5, &result);
    assert_true(result.end && result.hash_matches);
    assert_int_equal(result.end_pages, 0);
    harness_result_fini(&result);
    assert_int_equal(harness_stop(&harness), 0);
}

static void the_host_ends_when_the_server_goes(void **state)
{
    struct harness harness;

    (void)state;
    start_with(&harness, "none", 0);
    shutdown(harness.fd, SHUT_RDWR);
    int status = harness_wait(&harness, 20);
    assert_true(status >= 0 && WIFEXITED(status));
    harness_stop(&harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plugin_that_dies_closes_the_connection_without_an_end),
        cmocka_unit_test(a_plugin_that_hangs_is_ended_after_its_deadline),
        cmocka_unit_test(a_plugin_that_eats_memory_meets_its_limit),
        cmocka_unit_test(a_frame_of_two_gigabytes_breaks_the_connection),
        cmocka_unit_test(a_plugin_cannot_break_out),
        cmocka_unit_test(a_failure_says_why_and_whether_to_try_again),
        cmocka_unit_test(after_a_failure_the_host_serves_on),
        cmocka_unit_test(the_host_ends_when_the_server_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

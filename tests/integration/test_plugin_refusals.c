/* What the host does not load, and how it says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "isocost/base/sha256.h"
#include "plugin_harness.h"

#define NOBODY 65534

static char folder[64], copy[128]; /* a private folder with a copy of a good plugin */

static int copy_plugin(void **state)
{
    char buffer[65536];
    size_t n;

    (void)state;
    strcpy(folder, "/tmp/isocost-refusals-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(copy, sizeof(copy), "%s/none.so", folder);
    FILE *from = fopen(harness_build_path("tests/plugins/none.so"), "rb");
    FILE *to = fopen(copy, "wb");
    if (!from || !to)
        return -1;
    while ((n = fread(buffer, 1, sizeof(buffer), from)) > 0)
        fwrite(buffer, 1, n, to);
    fclose(from);
    fclose(to);
    return chmod(copy, 0644) || chmod(folder, 0755);
}

static int remove_copy(void **state)
{
    (void)state;
    unlink(copy);
    return rmdir(folder);
}

static void digest_of(const char *path, char text[ISO_DIGEST_TEXT_SIZE])
{
    unsigned char sum[ISO_SHA256_BYTES], buffer[4096];
    struct iso_sha256 sha;
    FILE *file = fopen(path, "rb");
    size_t n;

    assert_non_null(file);
    iso_sha256_init(&sha);
    while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0)
        iso_sha256_update(&sha, buffer, n);
    fclose(file);
    iso_sha256_final(&sha, sum);
    iso_digest_text(sum, text);
}

/* Loads with a pin ("" for none). `text` must be in the failure; "" when the load must succeed. */
static void check_load(const char *path, const char *digest, const char *text)
{
    Isocost__Internal__V1__LoadRequest load = ISOCOST__INTERNAL__V1__LOAD_REQUEST__INIT;
    struct harness harness;
    struct harness_result result;

    load.path = (char *)(uintptr_t)path;
    load.digest = (char *)(uintptr_t)digest;
    harness_start(&harness);
    harness_load_request(&harness, &load, &result);
    if (!text[0] && !result.hello)
        fail_msg("%s is refused: %s", path, result.text);
    if (text[0] && (!result.failure || !strstr(result.text, text)))
        fail_msg("%s: \"%s\" where \"%s\" was expected", path, result.text, text);
    harness_result_fini(&result);
    harness_stop(&harness);
}

static void a_descriptor_that_breaks_the_rules_is_refused_with_its_member(void **state)
{
    static const struct {
        const char *plugin, *text;
    } cases[] = {
        {"none", ""},
        {"other_major", "abi_major: the plugin was built for ABI 2.3; this host speaks 1.0 to 1.3"},
        {"newer_minor", "abi_minor: the plugin was built for ABI 1.4; this host speaks 1.0 to 1.3"},
        {"small_struct", "struct_size: the descriptor has 64 bytes"},
        {"large_struct", "struct_size: the descriptor has 1048576 bytes"},
        {"large_param", "param_bytes: "},
        {"unknown_cap", "caps: the plugin sets capability bits 0x40000000 that this host does not"},
        {"reserved_cap", "caps: the plugin sets capability bits 0x80, which ABI 1.3 reserves"},
        {"no_cap", "caps: the plugin claims no capability"},
        {"no_fetch", "fetch: plugin 'faulty' claims capabilities 0x1 and has no fetch()"},
        {"bad_name", "name: the plugin's name is \"Not a name\""},
        {"no_config", "params: row 0 of the parameter table"},
        {"no_symbol", "path: the file has no symbol iso_plugin_v1"},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        char relative[64];
        snprintf(relative, sizeof(relative), "tests/plugins/%s.so", cases[i].plugin);
        check_load(harness_build_path(relative), "", cases[i].text);
    }
}

static void a_file_that_others_could_have_written_is_refused(void **state)
{
    (void)state;
    check_load(copy, "", "");
    assert_int_equal(chmod(copy, 0664), 0);
    check_load(copy, "", "neither group nor others may write it");
    assert_int_equal(chmod(copy, 0646), 0);
    check_load(copy, "", "neither group nor others may write it");
    assert_int_equal(chmod(copy, 0644), 0);
    assert_int_equal(chmod(folder, 0775), 0);
    check_load(copy, "", "neither group nor others may write it");
    assert_int_equal(chmod(folder, 0755), 0);
}

static void a_file_that_somebody_else_owns_is_refused(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("skipped: only root can give files away\n");
        skip();
    }
    assert_int_equal(chown(copy, NOBODY, NOBODY), 0);
    check_load(copy, "", "is owned by user 65534");
    assert_int_equal(chown(copy, 0, 0), 0);
    assert_int_equal(chown(folder, NOBODY, NOBODY), 0);
    check_load(copy, "", "is owned by user 65534");
    assert_int_equal(chown(folder, 0, 0), 0);
}

static void a_pinned_plugin_must_have_the_digest_and_needs_no_trusted_folder(void **state)
{
    char digest[ISO_DIGEST_TEXT_SIZE];

    (void)state;
    digest_of(copy, digest);
    check_load(copy, digest, "");
    assert_int_equal(chmod(folder, 0775), 0);
    check_load(copy, digest, "");
    assert_int_equal(chmod(copy, 0664), 0); /* it could change between the check and the use */
    check_load(copy, digest, "neither group nor others may write it");
    assert_int_equal(chmod(copy, 0644), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    digest[20] = digest[20] == 'a' ? 'b' : 'a';
    check_load(copy, digest, "is pinned");
    check_load(copy, "md5:1", "is not a digest");
}

static void a_path_that_is_no_plugin_is_refused(void **state)
{
    (void)state;
    check_load("static.so", "", "is not an absolute path");
    check_load("/no/such/plugin.so", "", "No such file");
    check_load("/etc", "", "is not a regular file");
    check_load("/etc/hosts", "", "the plugin cannot be loaded");
}

static void the_first_request_must_load(void **state)
{
    struct harness harness;
    struct harness_result result;

    (void)state;
    harness_start(&harness);
    harness_fetch(&harness, 1, &result);
    assert_true(result.failure);
    assert_non_null(strstr(result.text, "the first request must load a plugin"));
    harness_result_fini(&result);
    harness_stop(&harness);
}

static void a_path_that_cannot_be_read_is_refused(void **state)
{
    static const char *const config[] = {NULL};
    struct harness harness;
    struct harness_result result;

    (void)state;
    for (int relative = 0; relative < 2; relative++) {
        harness_start(&harness);
        harness_load(&harness, copy, config, relative ? "here" : "/no/such/folder", &result);
        assert_true(result.failure);
        assert_non_null(strstr(result.text, "readable_paths"));
        harness_result_fini(&result);
        harness_stop(&harness);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_descriptor_that_breaks_the_rules_is_refused_with_its_member),
        cmocka_unit_test(a_file_that_others_could_have_written_is_refused),
        cmocka_unit_test(a_file_that_somebody_else_owns_is_refused),
        cmocka_unit_test(a_pinned_plugin_must_have_the_digest_and_needs_no_trusted_folder),
        cmocka_unit_test(a_path_that_is_no_plugin_is_refused),
        cmocka_unit_test(the_first_request_must_load),
        cmocka_unit_test(a_path_that_cannot_be_read_is_refused),
    };
    return cmocka_run_group_tests(tests, copy_plugin, remove_copy);
}

/* One contract for every plugin that was built, through the real host.
 *
 * integration/plugin_contract/<name>/{small,empty}.conf say how to make a plugin give a few rows
 * and none, of a catalog (`# rows 3`) or of usage and costs (`# records 3`); a plugin without them
 * fails here. Of a plugin that asks a cloud, `# cloud <file>` names the test in this folder that
 * lets it deliver from a replayed one. */
#include <dirent.h>
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "isocost/plugin.h"
#include "plugin_harness.h"

#define MAX_PLUGINS 64
#define MAX_CONFIG 16

static char names[MAX_PLUGINS][128];
static size_t n_names;

static int find_plugins(void **state)
{
    DIR *folder = opendir(harness_build_path("plugins"));

    (void)state;
    if (!folder)
        return -1;
    for (struct dirent *entry; (entry = readdir(folder));) {
        char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".so") != 0 || n_names == MAX_PLUGINS)
            continue;
        snprintf(names[n_names++], sizeof(names[0]), "%.*s", (int)(dot - entry->d_name),
                 entry->d_name);
    }
    closedir(folder);
    return n_names >= 2 ? 0 : -1; /* static and template at least */
}

static const char *path_of(const char *name)
{
    char relative[160];

    snprintf(relative, sizeof(relative), "plugins/%.127s.so", name);
    return harness_build_path(relative);
}

/* A plugin's configuration from its fixture. */
struct fixture {
    char folder[1024], text[4096];
    const char *config[2 * MAX_CONFIG + 1];
    int64_t rows;
    char cloud[128]; /* file of the test that has the cloud; "": none is needed */
    bool records;    /* the rows are of usage, costs and inventory */
};

static void read_fixture(const char *name, const char *which, struct fixture *fixture)
{
    char path[1200], line[1024];
    size_t n = 0, used = 0;

    memset(fixture, 0, sizeof(*fixture));
    snprintf(fixture->folder, sizeof(fixture->folder), "%s/tests/integration/plugin_contract/%s",
             getenv("ISO_SOURCE"), name);
    snprintf(path, sizeof(path), "%s/%s.conf", fixture->folder, which);
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("plugin '%s' has no fixture %s", name, path);
    while (fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        fixture->records |= strncmp(line, "# records", 9) == 0;
        if (sscanf(line, "# rows %ld", &fixture->rows) == 1 ||
            sscanf(line, "# records %ld", &fixture->rows) == 1 ||
            sscanf(line, "# cloud %127s", fixture->cloud) == 1 || line[0] == '#' || !line[0])
            continue;
        char *value = strchr(line, '=');
        assert_non_null(value);
        *value++ = '\0';
        const char *rest = value;
        if (strncmp(value, "${FIXTURES}", 11) == 0)
            rest += 11;
        assert_true(n < MAX_CONFIG);
        fixture->config[2 * n] = fixture->text + used;
        used +=
            (size_t)snprintf(fixture->text + used, sizeof(fixture->text) - used, "%s", line) + 1;
        fixture->config[2 * n + 1] = fixture->text + used;
        used += (size_t)snprintf(fixture->text + used, sizeof(fixture->text) - used, "%s%s",
                                 rest == value ? "" : fixture->folder, rest) +
                1;
        assert_true(used < sizeof(fixture->text));
        n++;
    }
    fclose(file);
}

static void check_has_cloud_test(const char *name, const char *file)
{
    char path[1200];

    snprintf(path, sizeof(path), "%s/tests/integration/%s", getenv("ISO_SOURCE"), file);
    if (access(path, R_OK) != 0)
        fail_msg("plugin '%s' has no test %s", name, path);
}

static void check_delivery(const char *name, const char *which)
{
    struct fixture fixture;
    struct harness harness;
    struct harness_result result;

    read_fixture(name, which, &fixture);
    harness_start(&harness);
    harness_load(&harness, path_of(name), fixture.config, fixture.folder, &result);
    if (!result.hello)
        fail_msg("plugin '%s' does not load: %s", name, result.text);
    assert_string_equal(result.said->name, name);
    assert_int_equal(result.said->abi_major, ISO_ABI_MAJOR);
    assert_true(result.said->version[0]);
    harness_result_fini(&result);

    if (fixture.cloud[0])
        check_has_cloud_test(name, fixture.cloud);
    for (int time = 0; time < 2 && !fixture.cloud[0];
         time++) { /* an instance is fetched from again and again */
        if (fixture.records)
            harness_fetch_records(&harness, 30, &result);
        else
            harness_fetch(&harness, 30, &result);
        if (!result.end)
            fail_msg("plugin '%s' does not deliver its %s catalog: %s", name, which, result.text);
        assert_int_equal(result.end_rows, fixture.rows);
        assert_int_equal(result.rows, fixture.rows);
        assert_int_equal(result.end_pages, result.pages);
        assert_true(result.hash_matches);
        assert_int_equal(result.n_diagnostics, 0);
        harness_result_fini(&result);
    }
    assert_int_equal(harness_stop(&harness), 0);
}

static void every_plugin_delivers_a_small_catalog(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_names; i++)
        check_delivery(names[i], "small");
}

static void every_plugin_delivers_an_empty_catalog(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_names; i++)
        check_delivery(names[i], "empty");
}

/* Loads with the small fixture and one more value; the load must fail and name the parameter. */
static void check_refused(const char *name, const char *param, const char *value)
{
    struct fixture fixture;
    struct harness harness;
    struct harness_result result;
    size_t n = 0;

    read_fixture(name, "small", &fixture);
    while (fixture.config[2 * n] && strcmp(fixture.config[2 * n], param) != 0)
        n++;
    fixture.config[2 * n] = param;
    fixture.config[2 * n + 1] = value;
    harness_start(&harness);
    harness_load(&harness, path_of(name), fixture.config, fixture.folder, &result);
    if (!result.failure || strncmp(result.text, param, strlen(param)) != 0)
        fail_msg("plugin '%s' takes %s=%.40s: %s", name, param, value, result.text);
    assert_int_equal(result.failure_class,
                     ISOCOST__INTERNAL__V1__FAILURE_CLASS__FAILURE_CLASS_PERMANENT);
    harness_result_fini(&result);
    harness_stop(&harness);
}

static void check_ranges(const char *name, const struct iso_param *param)
{
    char value[64];

    assert_non_null(param->name);
    assert_non_null(param->summary);
    assert_non_null(param->unit);
    switch (param->type) {
    case ISO_PARAM_INT:
        snprintf(value, sizeof(value), "%.0f", param->min - 1);
        check_refused(name, param->name, value);
        snprintf(value, sizeof(value), "%.0f", param->max + 1);
        check_refused(name, param->name, value);
        check_refused(name, param->name, "1.5");
        check_refused(name, param->name, "");
        break;
    case ISO_PARAM_REAL:
        snprintf(value, sizeof(value), "%.17g", param->min - 1);
        check_refused(name, param->name, value);
        snprintf(value, sizeof(value), "%.17g", param->max + 1);
        check_refused(name, param->name, value);
        check_refused(name, param->name, "nan");
        check_refused(name, param->name, "1x");
        break;
    case ISO_PARAM_BOOL:
        check_refused(name, param->name, "maybe");
        break;
    default:
        if (param->choices) {
            check_refused(name, param->name, "none of the choices");
        } else {
            ISO_AUTO_MEM char *long_text = iso_calloc((size_t)param->max + 2, 1);
            assert_non_null(long_text);
            memset(long_text, 'x', (size_t)param->max + 1);
            check_refused(name, param->name, long_text);
            if (param->min > 0)
                check_refused(name, param->name, "");
        }
        break;
    }
}

static void every_plugin_refuses_each_value_out_of_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_names; i++) {
        void *library = dlopen(path_of(names[i]), RTLD_NOW | RTLD_LOCAL);
        if (!library)
            fail_msg("%s", dlerror());
        const struct iso_plugin *plugin = dlsym(library, "iso_plugin_v1");
        assert_non_null(plugin);
        for (const struct iso_param *param = plugin->params; param && param->type != ISO_PARAM_END;
             param++)
            check_ranges(names[i], param);
    }
}

static void every_plugin_says_which_parameter_must_be_given(void **state)
{
    static const char *const nothing[] = {NULL};

    (void)state;
    for (size_t i = 0; i < n_names; i++) {
        const struct iso_plugin *plugin =
            dlsym(dlopen(path_of(names[i]), RTLD_NOW | RTLD_LOCAL), "iso_plugin_v1");
        struct harness harness;
        struct harness_result result;
        const char *required = NULL;

        assert_non_null(plugin);
        for (const struct iso_param *param = plugin->params;
             param && param->type != ISO_PARAM_END && !required; param++)
            required = param->def ? NULL : param->name;
        harness_start(&harness);
        harness_load(&harness, path_of(names[i]), nothing, NULL, &result);
        if (required)
            assert_memory_equal(result.text, required, strlen(required));
        else
            assert_true(result.hello); /* the defaults alone are a configuration */
        harness_result_fini(&result);
        harness_stop(&harness);
    }
}

static void every_plugin_is_told_of_a_misspelt_parameter(void **state)
{
    static const char *const config[] = {"no-such-parameter", "1", NULL};

    (void)state;
    for (size_t i = 0; i < n_names; i++) {
        struct harness harness;
        struct harness_result result;

        harness_start(&harness);
        harness_load(&harness, path_of(names[i]), config, NULL, &result);
        assert_true(result.failure);
        assert_non_null(strstr(result.text, "no-such-parameter"));
        assert_non_null(strstr(result.text, "the nearest is"));
        harness_result_fini(&result);
        harness_stop(&harness);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_plugin_delivers_a_small_catalog),
        cmocka_unit_test(every_plugin_delivers_an_empty_catalog),
        cmocka_unit_test(every_plugin_refuses_each_value_out_of_range),
        cmocka_unit_test(every_plugin_says_which_parameter_must_be_given),
        cmocka_unit_test(every_plugin_is_told_of_a_misspelt_parameter),
    };
    return cmocka_run_group_tests(tests, find_plugins, NULL);
}

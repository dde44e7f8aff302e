#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "isocost/proto/yaml_place.h"
#include "model_file.h"

#define ARENA_BYTES ((size_t)16 << 20)

static const char *const wrong_yaml = "display_name: Shop\n"          /* 1 */
                                      "workloads:\n"                  /* 2 */
                                      "  - id: web\n"                 /* 3 */
                                      "    must_serve: true\n"        /* 4 */
                                      "    throughput: {rate: 3}\n"   /* 5 */
                                      "  - id: jobs\n"                /* 6 */
                                      "    must_serve: true\n"        /* 7 */
                                      "    replicas:\n"               /* 8 */
                                      "      count: 3\n"              /* 9 */
                                      "      resources:\n"            /* 10 */
                                      "        memory_gib: \"5I2\"\n" /* 11 */
                                      "colour: red\n";                /* 12 */

struct fixture {
    char path[64];
    struct iso_arena *arena;
    char *messages;
    size_t n_messages;
};

static void write_file(struct fixture *fixture, const char *text)
{
    strcpy(fixture->path, "/tmp/isocost-model-XXXXXX");
    int fd = mkstemp(fixture->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
    close(fd);
    fixture->arena = iso_arena_new(ARENA_BYTES);
}

static enum iso_status read_file(struct fixture *fixture, struct iso_model_file *file,
                                 struct iso_error *error)
{
    FILE *stream = open_memstream(&fixture->messages, &fixture->n_messages);
    enum iso_status status =
        iso_model_file_read(fixture->path, fixture->arena, stream, file, error);

    fclose(stream);
    return status;
}

static void drop(struct fixture *fixture)
{
    unlink(fixture->path);
    iso_arena_free(fixture->arena);
    free(fixture->messages);
}

static void every_mistake_is_told_by_its_line_and_path(void **state)
{
    struct fixture fixture = {0};
    struct iso_model_file file;
    struct iso_error error = {0};
    char expected[200];

    (void)state;
    write_file(&fixture, wrong_yaml);
    assert_int_equal(read_file(&fixture, &file, &error), ISO_E_INVALID);
    snprintf(expected, sizeof(expected),
             "%s:11: workloads[1].replicas.resources.memory_gib: \"5I2\" is not a number",
             fixture.path);
    assert_non_null(strstr(fixture.messages, expected));
    snprintf(expected, sizeof(expected), "%s:12: colour: ", fixture.path);
    assert_non_null(strstr(fixture.messages, expected));
    assert_string_equal(error.text, "the model is wrong in 2 places");
    drop(&fixture);
}

static void yaml_and_json_give_the_same_model(void **state)
{
    static const char *const texts[] = {
        "display_name: Shop\nperiods:\n  - {id: month, hours: 730}\n",
        "{\"displayName\": \"Shop\", \"periods\": [{\"id\": \"month\", \"hours\": 730}]}",
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(texts); i++) {
        struct fixture fixture = {0};
        struct iso_model_file file;
        struct iso_error error = {0};
        write_file(&fixture, texts[i]);
        assert_int_equal(read_file(&fixture, &file, &error), ISO_OK);
        assert_string_equal(file.model->display_name, "Shop");
        assert_int_equal(file.model->n_periods, 1);
        assert_float_equal(file.model->periods[0]->hours, 730, 0);
        drop(&fixture);
    }
}

static void a_field_that_the_server_refuses_is_found_in_the_file(void **state)
{
    struct iso_model_file file = {
        .path = "m.yaml", .text = (char *)wrong_yaml, .n_bytes = strlen(wrong_yaml)};
    char *messages = NULL;
    size_t n;
    FILE *stream = open_memstream(&messages, &n);

    (void)state;
    iso_model_file_complain(&file, "model.workloads[1].id", "is twice", stream);
    iso_model_file_complain(&file, "model.model.workloads[0].throughput.rate[0]", "is low", stream);
    iso_model_file_complain(&file, "model.workloads[1].replicas.resources.gpu", "is gone", stream);
    fclose(stream);
    assert_string_equal(messages, "m.yaml:6: workloads[1].id: is twice\n"
                                  "m.yaml:5: workloads[0].throughput.rate[0]: is low\n"
                                  "m.yaml:10: workloads[1].replicas.resources.gpu: is gone\n");
    free(messages);
}

static void lines_are_found_by_either_spelling_of_a_name(void **state)
{
    static const char *const text = "a_b:\n  - x: 1\n    yZ: [2,\n      3]\n";
    static const struct {
        const char *path;
        int line;
    } cases[] = {
        {"", 1},
        {"a_b", 1},
        {"aB", 1},
        {"a_b[0].x", 2},
        {"a_b[0].y_z", 3},
        {"a_b[0].y_z[1]", 4},
        {"a_b[0].nothing", 2},
        {"a_b[7]", 1},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++)
        assert_int_equal(iso_yaml_line_of(text, strlen(text), cases[i].path), cases[i].line);
    assert_int_equal(iso_yaml_line_of("a: [", 4, "a"), 0);
}

static void a_file_that_is_not_there_is_said_so(void **state)
{
    struct fixture fixture = {.path = "/nowhere/model.yaml"};
    struct iso_model_file file;
    struct iso_error error = {0};

    (void)state;
    fixture.arena = iso_arena_new(ARENA_BYTES);
    assert_int_equal(read_file(&fixture, &file, &error), ISO_E_INVALID);
    assert_string_equal(error.field, "/nowhere/model.yaml");
    assert_string_equal(error.text, "No such file or directory");
    assert_int_equal(fixture.n_messages, 0);
    drop(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_is_told_by_its_line_and_path),
        cmocka_unit_test(yaml_and_json_give_the_same_model),
        cmocka_unit_test(a_field_that_the_server_refuses_is_found_in_the_file),
        cmocka_unit_test(lines_are_found_by_either_spelling_of_a_name),
        cmocka_unit_test(a_file_that_is_not_there_is_said_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

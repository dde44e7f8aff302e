#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define ARENA_BYTES ((size_t)16 << 20)

struct run {
    char *out, *err;
    int code;
};

/* Runs a command line without a server: no test here gets as far as a call. */
static struct run run(const char *line)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    struct run result = {0};
    struct iso_cli cli = {.arena = arena};
    char buffer[300], *argv[20] = {0}, *rest = NULL;
    size_t n_out, n_err;
    int argc = 0;

    cli.out = open_memstream(&result.out, &n_out);
    cli.err = open_memstream(&result.err, &n_err);
    snprintf(buffer, sizeof(buffer), "isocost %s", line);
    for (char *word = strtok_r(buffer, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    result.code = (int)iso_command_run(&cli, argc, argv);
    fclose(cli.out);
    fclose(cli.err);
    return result;
}

static void drop(struct run result)
{
    free(result.out);
    free(result.err);
}

static void wrong_command_lines_end_with_2_and_say_what_is_wrong(void **state)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"", "Usage: isocost COMMAND"},
        {"fly", "isocost: fly: no such command\n"},
        {"plan", "isocost: plan: one more word must follow\n"},
        {"plan fly", "isocost: plan: no such command in this group\n"},
        {"plan get", "isocost: plan get: PLAN is missing\n"},
        {"plan get a b", "isocost: plan get: \"b\" is one word too many\n"},
        {"plan get a -o xml", "--output: \"xml\" is not one of table, json, yaml, csv\n"},
        {"version -o json", "--output: version has only one form of output\n"},
        {"solve", "--file: name the model with -f"},
        {"solve --gab 1", "--gab: no such option; did you mean --gap?\n`isocost help solve`"},
        {"plan export x --format xml", "--format: \"xml\" is not one of mps, lp, json, csv\n"},
        {"plan export --format mps", "name either a PLAN or, for mps and lp, a model with -f\n"},
        {"catalog import", "name files, or --sample for the sample catalog\n"},
        {"catalog list --purchase gift", "\"gift\" is neither on-demand nor spot\n"},
        {"completion fish", "\"fish\" is not a shell it knows; bash is\n"},
        {"help fly", "\"fly\" is not a command; `isocost help` lists them\n"},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct run result = run(cases[i].line);
        if (result.code != 2 || !strstr(result.err, cases[i].message))
            fail_msg("isocost %s: %d: %s", cases[i].line, result.code, result.err);
        assert_string_equal(result.out, "");
        drop(result);
    }
}

static void a_file_whose_name_does_not_tell_what_it_is_ends_with_3(void **state)
{
    struct run result = run("catalog import prices.txt");

    (void)state;
    assert_int_equal(result.code, 3);
    assert_non_null(strstr(result.err, "prices.txt: the name does not say what it is"));
    drop(result);
}

static void help_tells_of_every_command_and_option(void **state)
{
    struct run overview = run("help");

    (void)state;
    assert_int_equal(overview.code, 0);
    for (const struct iso_command *command = iso_commands; command->name; command++) {
        char line[64];
        snprintf(line, sizeof(line), "help %s", command->name);
        struct run result = run(line);
        assert_int_equal(result.code, 0);
        assert_non_null(strstr(overview.out, command->summary));
        assert_non_null(strstr(result.out, command->summary));
        for (const struct iso_option *option = command->options; option && option->name; option++)
            assert_non_null(strstr(result.out, option->name));
        drop(result);
        if (!command->options)
            continue;
        snprintf(line, sizeof(line), "%s --help", command->name);
        result = run(line);
        assert_int_equal(result.code, 0);
        assert_string_equal(result.err, "");
        drop(result);
    }
    drop(overview);
}

static void completion_is_a_script_that_bash_accepts(void **state)
{
    struct run result = run("completion bash");
    char path[] = "/tmp/isocost-completion-XXXXXX", command[1024];
    int fd = mkstemp(path);
    FILE *stream = fdopen(fd, "w");

    (void)state;
    fputs(result.out, stream);
    fclose(stream);
    snprintf(command, sizeof(command),
             "bash -c '. %s; COMP_WORDS=(isocost plan expo); COMP_CWORD=2; _isocost; "
             "[ \"${COMPREPLY[*]}\" = export ] || exit 1; "
             "COMP_WORDS=(isocost solve --ga); COMP_CWORD=2; _isocost; "
             "[ \"${COMPREPLY[*]}\" = --gap ] || exit 1; "
             "COMP_WORDS=(isocost va); COMP_CWORD=1; _isocost; "
             "[ \"${COMPREPLY[*]}\" = validate ]'",
             path);
    assert_int_equal(system(command), 0);
    remove(path);
    drop(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_command_lines_end_with_2_and_say_what_is_wrong),
        cmocka_unit_test(a_file_whose_name_does_not_tell_what_it_is_ends_with_3),
        cmocka_unit_test(help_tells_of_every_command_and_option),
        cmocka_unit_test(completion_is_a_script_that_bash_accepts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <string.h>

#include "option.h"

struct values {
    bool quick;
    const char *file;
    long limit;
    struct iso_share gap;
    double time_s;
    struct iso_texts sets;
};

static const struct iso_option options[] = {
    {"quick", 'q', ISO_OPTION_FLAG, offsetof(struct values, quick), NULL, "be quick"},
    {"file", 'f', ISO_OPTION_TEXT, offsetof(struct values, file), "FILE", "read this"},
    {"limit", 0, ISO_OPTION_COUNT, offsetof(struct values, limit), "N", "at most"},
    {"gap", 0, ISO_OPTION_SHARE, offsetof(struct values, gap), "SHARE", "stop here"},
    {"time-limit", 0, ISO_OPTION_SECONDS, offsetof(struct values, time_s), "TIME", "stop then"},
    {"set", 's', ISO_OPTION_LIST, offsetof(struct values, sets), "TEXT", "one more"},
    {0}};

/* Splits at blanks; at most seven words. */
static enum iso_status parse(const char *line, struct values *values, int *ret_operands,
                             char *first_operand, struct iso_error *reterr)
{
    static char buffer[200];
    char *argv[10] = {0}, *rest = NULL;
    int argc = 0;

    snprintf(buffer, sizeof(buffer), "program %s", line);
    for (char *word = strtok_r(buffer, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    enum iso_status status = iso_options_parse(options, argc, argv, values, ret_operands, reterr);
    if (status == ISO_OK) {
        strcpy(first_operand, *ret_operands < argc ? argv[*ret_operands] : "");
        *ret_operands = argc - *ret_operands;
    }
    return status;
}

static void options_and_operands_come_in_any_order(void **state)
{
    struct values values = {0};
    struct iso_error error = {0};
    char first[50];
    int n;

    (void)state;
    assert_int_equal(parse("one -qf m.yaml --limit=7 two --gap 0.1% --time-limit 2m", &values, &n,
                           first, &error),
                     ISO_OK);
    assert_true(values.quick);
    assert_string_equal(values.file, "m.yaml");
    assert_int_equal(values.limit, 7);
    assert_true(values.gap.given);
    assert_float_equal(values.gap.value, 0.001, 1e-12);
    assert_float_equal(values.time_s, 120, 1e-9);
    assert_int_equal(n, 2);
    assert_string_equal(first, "one");
}

static void what_is_not_given_stays_as_it_was(void **state)
{
    struct values values = {.limit = 3};
    struct iso_error error = {0};
    char first[50];
    int n;

    (void)state;
    assert_int_equal(parse("-- -q", &values, &n, first, &error), ISO_OK);
    assert_false(values.quick);
    assert_false(values.gap.given);
    assert_int_equal(values.limit, 3);
    assert_string_equal(first, "-q");
}

static void times_and_shares_have_units(void **state)
{
    static const struct {
        const char *line;
        double time_s, share;
    } cases[] = {
        {"--time-limit 60", 60, 0},
        {"--time-limit 500ms", 0.5, 0},
        {"--time-limit 1h", 3600, 0},
        {"--time-limit 1.5s", 1.5, 0},
        {"--gap 0", 0, 0},
        {"--gap 5%", 0, 0.05},
        {"--gap 1", 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct values values = {0};
        struct iso_error error = {0};
        char first[50];
        int n;
        assert_int_equal(parse(cases[i].line, &values, &n, first, &error), ISO_OK);
        assert_float_equal(values.time_s, cases[i].time_s, 1e-12);
        assert_float_equal(values.gap.value, cases[i].share, 1e-12);
    }
}

static void a_wrong_option_is_named_with_what_is_allowed(void **state)
{
    static const struct {
        const char *line, *field, *text;
    } cases[] = {
        {"--fiel x", "--fiel", "no such option; did you mean --file?"},
        {"--zoo", "--zoo", "no such option"},
        {"-z", "-z", "no such option"},
        {"-f", "-f", "a value must follow"},
        {"--gap", "--gap", "a value must follow"},
        {"--gap much", "--gap", "\"much\" is not a number"},
        {"--gap 0.1x", "--gap", "\"0.1x\" is not a share; write 0.001 or 0.1%"},
        {"--gap 101%", "--gap", "\"101%\" is not in 0% to 100%"},
        {"--gap nan", "--gap", "\"nan\" is not a number"},
        {"--limit -1", "--limit", "\"-1\" is not a whole number of at least 0"},
        {"--limit 7x", "--limit", "\"7x\" is not a whole number of at least 0"},
        {"--time-limit 0", "--time-limit",
         "\"0\" is not a time above 0; write 500ms, 60s, 2m or 1h"},
        {"--time-limit 3w", "--time-limit",
         "\"3w\" is not a time above 0; write 500ms, 60s, 2m or 1h"},
    };

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct values values = {0};
        struct iso_error error = {0};
        char first[50];
        int n;
        assert_int_equal(parse(cases[i].line, &values, &n, first, &error), ISO_E_INVALID);
        assert_string_equal(error.field, cases[i].field);
        assert_string_equal(error.text, cases[i].text);
    }
}

static void a_list_grows_each_time_that_it_is_given(void **state)
{
    struct values values = {0};
    struct iso_error error = {0};
    char program[] = "program", set[] = "-s", text[] = "x", first[50];
    char *argv[2 * ISO_TEXTS_MAX + 4] = {program};
    int n, argc = 1;

    (void)state;
    assert_int_equal(parse("-s a=1 --set b=2 one --set=c", &values, &n, first, &error), ISO_OK);
    assert_int_equal(values.sets.n, 3);
    assert_string_equal(values.sets.items[0], "a=1");
    assert_string_equal(values.sets.items[2], "c");
    assert_int_equal(n, 1);
    for (int i = 0; i <= ISO_TEXTS_MAX; i++) {
        argv[argc++] = set;
        argv[argc++] = text;
    }
    values = (struct values){0};
    assert_int_equal(iso_options_parse(options, argc, argv, &values, &n, &error), ISO_E_INVALID);
    assert_string_equal(error.field, "--set");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_operands_come_in_any_order),
        cmocka_unit_test(what_is_not_given_stays_as_it_was),
        cmocka_unit_test(times_and_shares_have_units),
        cmocka_unit_test(a_list_grows_each_time_that_it_is_given),
        cmocka_unit_test(a_wrong_option_is_named_with_what_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

static const struct iso_column columns[] = {{"CLOUD", false}, {"COST", true}, {"NOTE", false}};

static char *printed(void (*fill)(struct iso_table *table))
{
    struct iso_table *table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    char *text = NULL;
    size_t n;
    FILE *stream = open_memstream(&text, &n);

    assert_non_null(table);
    fill(table);
    assert_true(iso_table_print(table, stream));
    fclose(stream);
    iso_table_free(table);
    return text;
}

static void fill_two_clouds(struct iso_table *table)
{
    iso_table_add(table, (const char *[]){"阿里云", "600.00", "a"});
    iso_table_add(table, (const char *[]){"amazon", "250.00", "b"});
}

static void a_name_in_chinese_takes_two_places_a_character(void **state)
{
    char *text = printed(fill_two_clouds);

    (void)state;
    assert_string_equal(text, "CLOUD     COST  NOTE\n"
                              "阿里云  600.00  a\n"
                              "amazon  250.00  b\n");
    free(text);
}

static void fill_long(struct iso_table *table)
{
    char word[400];

    memset(word, 'x', sizeof(word) - 1);
    word[sizeof(word) - 1] = 0;
    iso_table_add(table, (const char *[]){word, NULL, word});
}

static void long_cells_are_not_cut(void **state)
{
    char *text = printed(fill_long);
    size_t n = 0;

    (void)state;
    for (const char *p = text; *p; p++)
        n += *p == 'x';
    assert_int_equal(n, 798);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_in_chinese_takes_two_places_a_character),
        cmocka_unit_test(long_cells_are_not_cut),
    };

    setenv("LC_ALL", "C", 1); /* the worst that an environment can ask */
    iso_table_use_utf8();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

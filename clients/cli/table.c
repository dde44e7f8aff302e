#include "table.h"

#include <langinfo.h>
#include <libsmartcols/libsmartcols.h>
#include <locale.h>
#include <string.h>

struct iso_table {
    struct libscols_table *rows;
    size_t n_columns;
    bool failed;
};

void iso_table_use_utf8(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

struct iso_table *iso_table_new(const struct iso_column *columns, size_t n_columns)
{
    ISO_AUTO(iso_table) table = iso_calloc(1, sizeof(*table));

    if (!table || !(table->rows = scols_new_table()))
        return NULL;
    table->n_columns = n_columns;
    scols_table_set_termforce(table->rows, SCOLS_TERMFORCE_NEVER);
    scols_table_set_column_separator(table->rows, "  ");
    for (size_t i = 0; i < n_columns; i++)
        if (!scols_table_new_column(table->rows, columns[i].title, 0,
                                    columns[i].right ? SCOLS_FL_RIGHT : 0))
            return NULL;
    return ISO_STEAL(table);
}

void iso_table_free(struct iso_table *table)
{
    if (!table)
        return;
    scols_unref_table(table->rows);
    free(table);
}

void iso_table_add(struct iso_table *table, const char *const *cells)
{
    struct libscols_line *line = scols_table_new_line(table->rows, NULL);

    if (!line) {
        table->failed = true;
        return;
    }
    for (size_t i = 0; i < table->n_columns; i++)
        if (scols_line_set_data(line, i, cells[i] ? cells[i] : "") != 0)
            table->failed = true;
}

bool iso_table_print(struct iso_table *table, FILE *stream)
{
    scols_table_set_stream(table->rows, stream);
    if (scols_print_table(table->rows) != 0)
        table->failed = true;
    return !table->failed;
}

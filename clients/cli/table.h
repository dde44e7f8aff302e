/* Tables of text, aligned by display width: 阿里云 takes six places. */
#ifndef ISOCOST_CLI_TABLE_H
#define ISOCOST_CLI_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "isocost/base/memory.h"

struct iso_column {
    const char *title;
    bool right; /* aligned to the right, for numbers */
};

struct iso_table;

/* Makes a table; `columns` is borrowed for the life of the table. NULL when memory is short. */
struct iso_table *iso_table_new(const struct iso_column *columns, size_t n_columns);
void iso_table_free(struct iso_table *table);
ISO_DEFINE_FREEP(iso_table)

/* Adds a row of n_columns cells; they are copied and NULL is an empty cell. What no memory could be
 * had for is reported by print(). */
void iso_table_add(struct iso_table *table, const char *const *cells);

/* Writes the titles and rows. False when memory was short on the way. */
bool iso_table_print(struct iso_table *table, FILE *stream);

/* Makes the program's character set UTF-8, whatever the environment says. Call it once, first. */
void iso_table_use_utf8(void);

#endif

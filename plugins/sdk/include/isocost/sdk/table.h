/* Finds the columns of a table by the names in its header. */
#ifndef ISOCOST_SDK_TABLE_H
#define ISOCOST_SDK_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "isocost/base/status.h"

#define ISO_TABLE_UNKNOWN_BYTES 256

struct iso_column {
    const char *name;
    bool required;
};

/* Writes the place of each column in the header, or -1, and the header's other names as one text
 * with commas, "" if there are none. Names are compared as words are (isocost/sdk/words.h).
 * Errors: ISO_E_INVALID (field "header"): a name twice, or a required column that is not there. */
enum iso_status iso_table_bind(const struct iso_column *columns, size_t n_columns,
                               const char *const *header, size_t n_header, int32_t *ret_places,
                               char ret_unknown[ISO_TABLE_UNKNOWN_BYTES], struct iso_error *reterr);

/* Adds a name to a text of names with commas; says so with "..." when there is no place left. */
void iso_table_add_name(char names[ISO_TABLE_UNKNOWN_BYTES], const char *name);

#endif

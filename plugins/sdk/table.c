#include "isocost/sdk/table.h"

#include <stdio.h>

#include "isocost/sdk/words.h"

void iso_table_add_name(char names[ISO_TABLE_UNKNOWN_BYTES], const char *name)
{
    static const char more[] = ", ...";
    size_t length = strlen(names);

    if (length + strlen(name) + 2 + sizeof(more) > ISO_TABLE_UNKNOWN_BYTES) {
        if (length < sizeof(more) || strcmp(names + length - sizeof(more) + 1, more) != 0)
            snprintf(names + length, ISO_TABLE_UNKNOWN_BYTES - length, "%s", more);
        return;
    }
    snprintf(names + length, ISO_TABLE_UNKNOWN_BYTES - length, "%s%s", length ? ", " : "", name);
}

static enum iso_status refuse_duplicates(const char *const *header, size_t n_header,
                                         struct iso_error *reterr)
{
    for (size_t i = 0; i < n_header; i++)
        for (size_t j = 0; j < i; j++)
            if (header[i][0] && iso_name_equal(header[i], header[j]))
                return iso_fail(reterr, ISO_E_INVALID, "header",
                                "columns %zu and %zu are both named \"%.64s\"", j + 1, i + 1,
                                header[i]);
    return ISO_OK;
}

enum iso_status iso_table_bind(const struct iso_column *columns, size_t n_columns,
                               const char *const *header, size_t n_header, int32_t *ret_places,
                               char ret_unknown[ISO_TABLE_UNKNOWN_BYTES], struct iso_error *reterr)
{
    ISO_TRY(refuse_duplicates(header, n_header, reterr));
    ret_unknown[0] = '\0';
    for (size_t c = 0; c < n_columns; c++)
        ret_places[c] = -1;
    for (size_t h = 0; h < n_header; h++) {
        bool known = false;
        for (size_t c = 0; c < n_columns && !known; c++) {
            known = iso_name_equal(header[h], columns[c].name);
            if (known)
                ret_places[c] = (int32_t)h;
        }
        if (!known)
            iso_table_add_name(ret_unknown, header[h][0] ? header[h] : "(no name)");
    }
    for (size_t c = 0; c < n_columns; c++)
        if (columns[c].required && ret_places[c] < 0)
            return iso_fail(reterr, ISO_E_INVALID, "header",
                            "there is no column \"%s\"; columns are separated by commas",
                            columns[c].name);
    return ISO_OK;
}

/* The columns of the tables, and what stands in a cell. */
#include "row.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "isocost/sdk/date.h"
#include "isocost/sdk/number.h"
#include "isocost/sdk/report.h"
#include "isocost/sdk/words.h"

#define COLUMN(constant, column, is_required) {.name = column, .required = is_required},
static const struct iso_column offering_columns[] = {ISO_OFFERING_COLUMNS(COLUMN)};
static const struct iso_column product_columns[] = {ISO_PRODUCT_COLUMNS(COLUMN)};
static const struct iso_column quota_columns[] = {ISO_QUOTA_COLUMNS(COLUMN)};
static const struct iso_column overlay_columns[] = {ISO_OVERLAY_COLUMNS(COLUMN)};
static const struct iso_column egress_rate_columns[] = {ISO_EGRESS_RATE_COLUMNS(COLUMN)};
#undef COLUMN

const struct iso_table iso_tables[ISO_FILE_N_TABLES] = {
    [ISO_FILE_OFFERINGS] = {offering_columns, ISO_OFFERING_N_COLUMNS, "offerings"},
    [ISO_FILE_PRODUCTS] = {product_columns, ISO_PRODUCT_N_COLUMNS, "products"},
    [ISO_FILE_QUOTAS] = {quota_columns, ISO_QUOTA_N_COLUMNS, "quotas"},
    [ISO_FILE_OVERLAYS] = {overlay_columns, ISO_OVERLAY_N_COLUMNS, "overlays"},
    [ISO_FILE_EGRESS_RATES] = {egress_rate_columns, ISO_EGRESS_RATE_N_COLUMNS, "egress_rates"},
};

_Static_assert((int)ISO_ROW_MAX_COLUMNS >= (int)ISO_PRODUCT_N_COLUMNS,
               "offerings are the widest table");

void iso_row_refuse(struct iso_row *row, const char *code, const char *format, ...)
{
    char text[512];
    va_list arguments;

    if (row->refused)
        return;
    row->refused = true;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    row->status = iso_report(row->reader->sink, code, /* quarantined= */ true, row->place, "%s",
                             row->error, text);
}

const char *iso_row_column(const struct iso_row *row, int column)
{
    return iso_tables[row->kind].columns[column].name;
}

const char *iso_row_text(const struct iso_row *row, int column)
{
    return row->text[column] && row->text[column][0] ? row->text[column] : NULL;
}

void iso_row_require(struct iso_row *row, int column)
{
    if (!iso_row_text(row, column))
        iso_row_refuse(row, "missing_value", "%s is empty; it is required",
                       iso_row_column(row, column));
}

struct iso_amount iso_row_amount(struct iso_row *row, int column)
{
    struct iso_amount amount = {0};
    struct iso_error error = {0};

    switch (iso_number_read(row->text[column], &amount, &error)) {
    case ISO_NUMBER_NON_FINITE:
    case ISO_NUMBER_INVALID:
        iso_row_refuse(row, "invalid_value", "%s: %s", iso_row_column(row, column), error.text);
        break;
    default:
        break;
    }
    return amount;
}

struct iso_amount iso_row_price(struct iso_row *row, int column, bool required)
{
    struct iso_amount amount = {0};
    struct iso_error error = {0};
    const char *name = iso_row_column(row, column);

    switch (iso_number_read(row->text[column], &amount, &error)) {
    case ISO_NUMBER_MISSING:
        if (required)
            iso_row_refuse(row, "missing_price", "%s is empty; a missing price is not zero", name);
        break;
    case ISO_NUMBER_NON_FINITE:
        iso_row_refuse(row, "non_finite_price", "%s: %s", name, error.text);
        break;
    case ISO_NUMBER_INVALID:
        iso_row_refuse(row, "invalid_price", "%s: %s", name, error.text);
        break;
    case ISO_NUMBER_READ:
        if (amount.value < 0)
            iso_row_refuse(row, "negative_price", "%s is %s; it must not be below 0", name,
                           row->text[column]);
        break;
    }
    return amount;
}

int32_t iso_row_word(struct iso_row *row, int column, const void *words)
{
    struct iso_error error = {0};
    int32_t value = 0;

    if (iso_word_read(words, row->text[column], &value, &error) != ISO_OK)
        iso_row_refuse(row, "invalid_value", "%s: %s", iso_row_column(row, column), error.text);
    return value;
}

int64_t iso_row_time(struct iso_row *row, int column)
{
    struct iso_error error = {0};
    int64_t ns = 0;

    if (iso_time_read(row->text[column], &ns, &error) != ISO_OK)
        iso_row_refuse(row, "invalid_value", "%s: %s", iso_row_column(row, column), error.text);
    return ns;
}

const char *iso_row_day(struct iso_row *row, int column)
{
    const char *text = iso_row_text(row, column);
    enum iso_date_form form = ISO_DATE_DAY;
    int64_t ns;

    if (text && (iso_date_read(text, &ns, &form, NULL) != ISO_OK || form != ISO_DATE_DAY ||
                 strlen(text) != strlen("2026-01-31")))
        iso_row_refuse(row, "invalid_value", "%s: \"%.64s\" is no day like 2026-01-31",
                       iso_row_column(row, column), text);
    return text;
}

const char *iso_row_provider(const struct iso_row *row, int column)
{
    const char *said = iso_row_text(row, column);

    return said ? said : row->reader->config->provider;
}

const char *iso_row_currency(struct iso_row *row, int column)
{
    const char *said = iso_row_text(row, column);
    char *copy;

    if (!said)
        said = row->reader->config->currency;
    copy = iso_scratch_text(row->reader->scratch, said, strlen(said));
    for (char *c = copy; c && *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return copy;
}

#include "row.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "isocost/sdk/number.h"

#define MAX_TEXT_BYTES 384

static void report(struct iso_bill_row *row, const char *code, bool refused, const char *text)
{
    if (row->status == ISO_OK)
        row->status = iso_findings_add(&row->reader->findings, row->reader->sink, code, refused,
                                       row->place, "%s", row->error, text);
}

void iso_bill_note(struct iso_bill_row *row, const char *code, const char *format, ...)
{
    char text[MAX_TEXT_BYTES];
    va_list arguments;

    if (row->refused)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    report(row, code, /* refused= */ false, text);
}

void iso_bill_refuse(struct iso_bill_row *row, const char *code, const char *format, ...)
{
    char text[MAX_TEXT_BYTES];
    va_list arguments;

    if (row->refused)
        return;
    row->refused = true;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    report(row, code, /* refused= */ true, text);
}

bool iso_bill_is_null(const char *cell)
{
    return cell[0] == '\0' || strcasecmp(cell, "null") == 0 || strcmp(cell, "NA") == 0;
}

const char *iso_bill_text(const struct iso_bill_row *row, enum iso_bill_field field)
{
    int32_t place = row->columns->places[field];

    return place < 0 || iso_bill_is_null(row->fields[place]) ? NULL : row->fields[place];
}

struct iso_amount iso_bill_amount(struct iso_bill_row *row, enum iso_bill_field field)
{
    struct iso_amount amount = {0}, exact;
    struct iso_error error = {0};
    const char *text = iso_bill_text(row, field);

    switch (iso_number_read_rounded(text, &amount, &error)) {
    case ISO_NUMBER_NON_FINITE:
        iso_bill_refuse(row, "non_finite_cost", "%.200s", error.text);
        break;
    case ISO_NUMBER_INVALID:
        iso_bill_refuse(row, "invalid_value", "%.200s", error.text);
        break;
    default:
        row->rounded |= iso_number_read(text, &exact, NULL) == ISO_NUMBER_INVALID;
        break;
    }
    return amount;
}

int64_t iso_bill_time(struct iso_bill_row *row, enum iso_bill_field field,
                      enum iso_date_form *ret_form)
{
    struct iso_error error = {0};
    int64_t ns = 0;

    *ret_form = ISO_DATE_MISSING;
    if (iso_date_read(iso_bill_text(row, field), &ns, ret_form, &error) != ISO_OK)
        iso_bill_refuse(row, "invalid_time", "%.300s", error.text);
    return ns;
}

int32_t iso_bill_word(struct iso_bill_row *row, enum iso_bill_field field,
                      const struct iso_words *words)
{
    struct iso_error error = {0};
    int32_t value = 0;

    if (iso_word_read(words, iso_bill_text(row, field), &value, &error) != ISO_OK)
        iso_bill_refuse(row, "invalid_value", "%.300s", error.text);
    return value;
}

void iso_bill_period(struct iso_bill_row *row)
{
    const struct iso_fetch *what = row->reader->what;
    enum iso_date_form begin, end;
    struct iso_plugin_cost *cost = &row->cost;

    cost->start_ns = iso_bill_time(row, ISO_BILL_START, &begin);
    if (!row->refused && begin == ISO_DATE_MISSING)
        iso_bill_refuse(row, "missing_period", "the row does not say when its charge begins");
    if (row->refused)
        return;
    row->is_placed = true;
    row->outside = cost->start_ns < what->from_ns || cost->start_ns >= what->to_ns;
    if (row->outside)
        return;
    cost->end_ns = iso_bill_time(row, ISO_BILL_END, &end);
    if (end == ISO_DATE_MISSING)
        cost->end_ns = cost->start_ns + ISO_BILL_DAY_NS;
    if (cost->end_ns <= cost->start_ns)
        iso_bill_refuse(row, "invalid_period", "the charge ends before it begins, or with it");
    if (begin == ISO_DATE_UNZONED)
        iso_bill_note(row, "time_without_zone", "the time has no zone and is read as UTC");
    if (begin == ISO_DATE_MONTH_FIRST)
        iso_bill_note(row, "month_first_date", "the date is read as month/day/year");
}

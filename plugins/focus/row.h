/* A row of a bill between its file and the ABI. */
#ifndef ISOCOST_FOCUS_ROW_H
#define ISOCOST_FOCUS_ROW_H

#include "columns.h"
#include "isocost/sdk/date.h"
#include "isocost/sdk/words.h"

#define ISO_BILL_DAY_NS (INT64_C(86400) * 1000000000)

struct iso_bill_row {
    struct iso_focus_reader *reader;
    const struct iso_bill_columns *columns;
    const char *const *fields;
    const char *place; /* "file:line" */
    struct iso_plugin_cost cost;
    struct iso_amount list_unit_price, pricing_quantity; /* what the list cost should come from */
    bool rounded;                                        /* an amount had more than 9 places */
    bool billed_is_tiny;                                 /* not 0, but rounded to it */
    bool is_placed;                                      /* in time: cost.start_ns is known */
    bool refused, outside;  /* not sent: a diagnostic stands for it; of another time than asked */
    enum iso_status status; /* of the sink; ISO_OK while it takes rows */
    struct iso_error *error;
};

/* Reports something that the row has; it stays. */
__attribute__((format(printf, 3, 4))) void iso_bill_note(struct iso_bill_row *row, const char *code,
                                                         const char *format, ...);

/* Reports why the row is left out, the first time. */
__attribute__((format(printf, 3, 4))) void
iso_bill_refuse(struct iso_bill_row *row, const char *code, const char *format, ...);

/* The text of a field; NULL when there is no such column, or it is empty, "NULL", "null" or "NA".
 */
const char *iso_bill_text(const struct iso_bill_row *row, enum iso_bill_field field);

/* Whether a cell stands for nothing. */
bool iso_bill_is_null(const char *cell);

/* An amount; what is no number refuses the row. */
struct iso_amount iso_bill_amount(struct iso_bill_row *row, enum iso_bill_field field);

/* A time; what is none refuses the row. Missing is 0 with the form ISO_DATE_MISSING. */
int64_t iso_bill_time(struct iso_bill_row *row, enum iso_bill_field field,
                      enum iso_date_form *ret_form);

/* A word by its list, or 0 when missing; another one refuses the row. */
int32_t iso_bill_word(struct iso_bill_row *row, enum iso_bill_field field,
                      const struct iso_words *words);

/* Sets the period from its begin and its end, which is a day later when there is none; sets
 * row->outside when it is not asked for. */
void iso_bill_period(struct iso_bill_row *row);

/* Sets the tags, from a column of JSON and from columns that are tags. `document` is freed by the
 * caller once the row is sent. */
struct iso_json;
void iso_bill_tags(struct iso_bill_row *row, struct iso_json **ret_document);

/* Judges what all dialects have alike and sends the cost and the sample that are wanted. */
void iso_bill_send(struct iso_bill_row *row);

/* Writes a unit in one way of many: "GB-Months", "GB/Month" and "GB-Mo" are "gb-month". */
#define ISO_BILL_UNIT_BYTES 64
void iso_bill_unit(const char *unit, char ret_unit[ISO_BILL_UNIT_BYTES]);

#endif

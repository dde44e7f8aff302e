/* Cells of tables: numbers, money and names as people read them, made in an arena. */
#ifndef ISOCOST_CLI_VIEW_TEXT_H
#define ISOCOST_CLI_VIEW_TEXT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdio.h>

#include "google/protobuf/timestamp.pb-c.h"
#include "google/type/money.pb-c.h"
#include "isocost/proto/arena.h"
#include "isocost/v1/plan.pb-c.h"
#include "isocost/v1/plan_service.pb-c.h"

/* How and where a view is written. */
struct iso_view {
    FILE *stream;
    struct iso_arena *arena; /* scratch */
    bool color;              /* titles stand out */
};

/* A title above a table, after an empty line. */
__attribute__((format(printf, 2, 3))) void iso_view_title(const struct iso_view *view,
                                                          const char *format, ...);

/* The entry of a column of places in the table's strings; "" where there is none. Borrowed. */
char *iso_view_line_string(const Isocost__V1__LineTable *lines, const uint32_t *column, size_t n,
                           size_t row);

/* "12.5": at most three places, no trailing zeros. */
const char *iso_view_number(const struct iso_view *view, double value);

/* "12,345.60 USD", rounded to cents; "" for NULL. */
const char *iso_view_money(const struct iso_view *view, const Google__Type__Money *money);

/* "0.0816 USD": every place there is; "" for NULL. */
const char *iso_view_exact(const struct iso_view *view, const Google__Type__Money *money);

/* "0.31 %". */
const char *iso_view_percent(const struct iso_view *view, double share);

/* "2026-08-01 12:00Z"; "" for NULL. */
const char *iso_view_time(const struct iso_view *view, const Google__Protobuf__Timestamp *time);

/* "a b c". */
const char *iso_view_words(const struct iso_view *view, size_t n, char *const *words);

/* The enum value's name without the enum's prefix, in lower case with `-` for `_`. */
const char *iso_view_enum(const struct iso_view *view, const ProtobufCEnumDescriptor *type,
                          int value);

#endif

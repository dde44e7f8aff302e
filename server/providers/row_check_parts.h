/* What judging offerings and judging other rows share. */
#ifndef ISOCOST_SERVER_ROW_CHECK_PARTS_H
#define ISOCOST_SERVER_ROW_CHECK_PARTS_H

#include "row_check.h"

#define ISO_ROW_MAX_AMOUNT 9.2e9 /* what a decimal holds */
#define ISO_ROW_MAX_NOTE_BYTES 256

/* The provider's word in the arena; *ret_word stays as it is when that is full. */
bool iso_row_fold_provider(const char *provider, struct iso_arena *arena, const char **ret_word,
                           struct iso_row_fault *ret_fault);

/* The region's id in lower case, or `*`. */
const char *iso_row_fold_region(const char *provider, const char *region, struct iso_arena *arena);

/* A part of an id: no '/', no control characters, no blanks at its ends. */
bool iso_row_check_name(const char *name, const char *field, struct iso_row_fault *ret_fault);

/* A price above 0 in a known currency. */
bool iso_row_check_price(const Google__Type__Money *money, iso_decimal *ret_price,
                         char ret_currency[4], struct iso_row_fault *ret_fault);

/* value in (minimum, maximum], or [minimum, maximum] when `closed`; decimals. */
bool iso_row_check_number(double value, double minimum, bool closed, double maximum,
                          const char *code, const char *field, iso_decimal *ret_value,
                          struct iso_row_fault *ret_fault);

#endif

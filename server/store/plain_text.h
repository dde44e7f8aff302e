/* Text as names are compared by: letters low, full-width forms plain. */
#ifndef ISOCOST_SERVER_PLAIN_TEXT_H
#define ISOCOST_SERVER_PLAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Copies `name` with full-width ASCII (U+FF01..U+FF5E) and the ideographic blank made plain and
 * letters lowered; false when it does not fit. */
bool iso_plain_copy(const char *name, char *buffer, size_t size);

/* Copies `text` without the characters of `without`; `ret_key` is as large as `text`, or `text`
 * itself. */
void iso_plain_key(const char *text, const char *without, char *ret_key);

#endif

/* Days as text, `YYYY-MM-DD`, and as a number: days since 1970-01-01, UTC. */
#ifndef ISOCOST_PROTO_DAY_H
#define ISOCOST_PROTO_DAY_H

#include <stdbool.h>
#include <stdint.h>

#include "isocost/base/status.h"

#define ISO_DAY_TEXT_SIZE 12
#define ISO_DAY_FIRST INT32_MIN /* before every day: validity without a begin */
#define ISO_DAY_LAST INT32_MAX  /* after every day: validity without an end */

/* Reads a day from 1970-01-01 to 9999-12-31. False: it is none; nothing is guessed. */
ISO_EXPORT bool iso_day_read(const char *text, int32_t *ret_day);

/* Writes a day that iso_day_read() would read, and gives `text`. */
ISO_EXPORT const char *iso_day_format(int32_t day, char text[ISO_DAY_TEXT_SIZE]);

/* The day of a time in nanoseconds since 1970; of one before it the first. */
ISO_EXPORT int32_t iso_day_of_ns(int64_t ns);

#endif

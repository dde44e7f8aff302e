/* Times as exporters of bills write them. */
#ifndef ISOCOST_SDK_DATE_H
#define ISOCOST_SDK_DATE_H

#include <stdint.h>

#include "isocost/base/status.h"

/* How a time was written; those without a zone are read as UTC. */
enum iso_date_form {
    ISO_DATE_MISSING,     /* nothing; the time is 0 */
    ISO_DATE_ZONED,       /* 2024-09-01T00:00:00Z */
    ISO_DATE_UNZONED,     /* 2024-09-01 00:00:00 */
    ISO_DATE_DAY,         /* 2024-09-01 or 20240901 */
    ISO_DATE_MONTH_FIRST, /* 9/1/2024: month, day, year */
};

/* Reads a time in nanoseconds since 1970, in [1970, 2262). Errors: ISO_E_INVALID; nothing is
 * guessed: 13/1/2024 is refused, as no month is the 13th. */
enum iso_status iso_date_read(const char *text, int64_t *ret_ns, enum iso_date_form *ret_form,
                              struct iso_error *reterr);

#endif

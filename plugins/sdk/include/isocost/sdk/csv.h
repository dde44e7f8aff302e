/* Reads CSV (RFC 4180) as it comes: a byte-order mark, any line end, quoted fields with commas,
 * quotes and line ends in them. Rows are given out one at a time; memory is that of one row. */
#ifndef ISOCOST_SDK_CSV_H
#define ISOCOST_SDK_CSV_H

#include <stdint.h>

#include "isocost/base/status.h"

#define ISO_CSV_ROW_BYTES ((size_t)1 << 20) /* most bytes of a row */

/* Takes a row. `line` is the one it starts in, from 1. The fields are borrowed; blank space around
 * unquoted ones is gone. An error ends the reading and is passed on. */
typedef enum iso_status (*iso_csv_row)(void *context, int64_t line, const char *const *fields,
                                       size_t n_fields, struct iso_error *reterr);

struct iso_csv_reader;

/* NULL when memory is short. */
struct iso_csv_reader *iso_csv_reader_new(iso_csv_row on_row, void *context);
void iso_csv_reader_free(struct iso_csv_reader *reader); /* accepts NULL */
ISO_DEFINE_FREEP(iso_csv_reader)

/* Takes the next bytes of the file. Empty lines are skipped. Errors: ISO_E_INVALID (not text, NUL
 * bytes), ISO_E_LIMIT (a row is too long, usually because a quote is missing), ISO_E_NOMEM, or
 * those of on_row(). */
enum iso_status iso_csv_feed(struct iso_csv_reader *reader, const unsigned char *bytes,
                             size_t n_bytes, struct iso_error *reterr);

/* The file ended. Errors: ISO_E_INVALID if that is inside quotes; otherwise as iso_csv_feed(). */
enum iso_status iso_csv_finish(struct iso_csv_reader *reader, struct iso_error *reterr);

#endif

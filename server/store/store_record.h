/* What the files about records share. */
#ifndef ISOCOST_SERVER_STORE_RECORD_H
#define ISOCOST_SERVER_STORE_RECORD_H

#include <stdio.h>

#include "store_internal.h"

/* Rows of a table `c` that can be seen: a segment `s` of the project covers them. */
#define VISIBLE(table)                                               \
    " FROM record_segment s JOIN " table " c ON c.set_id = s.set_id" \
    " AND c.start_ns >= s.from_ns AND c.start_ns < s.to_ns"          \
    " WHERE s.tenant = $1 AND s.project = $2"

/* Removes rows that no segment covers, and sets that have none: of sets that were published over,
 * given up, or begun by a process that ended. `before_ns`: segments of usage and costs end here; 0:
 * never. Adds the rows to *n_rows. Beside other writes. */
enum iso_status iso_store_prune_records(struct iso_store *store, int64_t before_ns, int64_t *n_rows,
                                        struct iso_error *reterr);

#endif

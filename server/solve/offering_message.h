/* From a row of a catalog to the message that callers see. */
#ifndef ISOCOST_SERVER_OFFERING_MESSAGE_H
#define ISOCOST_SERVER_OFFERING_MESSAGE_H

#include "isocost/proto/arena.h"
#include "snapshot_file.h"

/* In the arena; strings are borrowed from the row, so pack it before the snapshot goes. NULL when
 * the arena is full. */
Isocost__V1__Offering *iso_offering_message(const struct iso_snapshot_offering *row,
                                            struct iso_arena *arena);

#endif

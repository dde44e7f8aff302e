/* google.protobuf.Timestamp and nanoseconds. */
#ifndef ISOCOST_PROTO_TIMESTAMP_H
#define ISOCOST_PROTO_TIMESTAMP_H

#include <stdint.h>

#include "google/protobuf/timestamp.pb-c.h"
#include "isocost/proto/arena.h"

/* Nanoseconds since 1970, UTC, as a message in the arena. NULL for 0 or less, which is no time, and
 * when the arena is full. */
ISO_EXPORT Google__Protobuf__Timestamp *iso_timestamp(int64_t ns, struct iso_arena *arena);

/* The other way round; 0 when the message is absent or out of range. */
ISO_EXPORT int64_t iso_timestamp_ns(const Google__Protobuf__Timestamp *time);

#endif

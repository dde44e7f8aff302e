#include "isocost/proto/timestamp.h"

#define NS_PER_SECOND INT64_C(1000000000)

Google__Protobuf__Timestamp *iso_timestamp(int64_t ns, struct iso_arena *arena)
{
    Google__Protobuf__Timestamp *time = ns > 0 ? iso_arena_calloc(arena, 1, sizeof(*time)) : NULL;

    if (!time)
        return NULL;
    google__protobuf__timestamp__init(time);
    time->seconds = ns / NS_PER_SECOND;
    time->nanos = (int32_t)(ns % NS_PER_SECOND);
    return time;
}

int64_t iso_timestamp_ns(const Google__Protobuf__Timestamp *time)
{
    if (!time || time->seconds <= 0 || time->seconds > 9000000000 || time->nanos < 0 ||
        time->nanos > 999999999)
        return 0;
    return time->seconds * NS_PER_SECOND + time->nanos;
}

/* Which range of time is asked for when usage and costs are refreshed by themselves. */
#ifndef ISOCOST_SERVER_USAGE_SCHEDULE_RANGE_H
#define ISOCOST_SERVER_USAGE_SCHEDULE_RANGE_H

#include "isocost/internal/v1/config.pb-c.h"
#include "record_store.h"

/* A range of time, [from_ns, to_ns). */
struct iso_usage_range {
    int64_t from_ns, to_ns;
};

/* Where the window begins at a time: a full hour, of costs a full day of UTC. */
int64_t iso_usage_window_begin(const Isocost__Internal__V1__RecordSchedule *config,
                               enum iso_record_kind kind, int64_t now_ns);

/* What to ask for, given that the store has all from the begin of the window to `held_until_ns`.
 * `*resume_ns` is 0, or where the range before ended that was not all: then nothing is asked for
 * again. It is set for the next range, and 0 when this one reaches the last full hour. False:
 * nothing. A range has at most a week that the store does not have. */
bool iso_usage_next_range(const Isocost__Internal__V1__RecordSchedule *config,
                          enum iso_record_kind kind, int64_t now_ns, int64_t held_until_ns,
                          int64_t *resume_ns, struct iso_usage_range *ret_range);

#endif

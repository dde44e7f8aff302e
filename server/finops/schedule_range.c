#include "schedule_range.h"

#define NS_PER_HOUR (INT64_C(3600) * 1000000000)
#define NS_PER_DAY (24 * NS_PER_HOUR)
#define MOST_NEW_NS (7 * NS_PER_DAY) /* more than a fetch may take would never be had */

static int64_t ns_of(double hours)
{
    return (int64_t)(hours * (double)NS_PER_HOUR);
}

/* Costs are of days, samples of hours: a range that begins in the middle of one leaves it out. */
static int64_t align(int64_t ns, enum iso_record_kind kind)
{
    int64_t unit = kind == ISO_RECORD_COST ? NS_PER_DAY : NS_PER_HOUR;

    return ns - ns % unit;
}

int64_t iso_usage_window_begin(const Isocost__Internal__V1__RecordSchedule *config,
                               enum iso_record_kind kind, int64_t now_ns)
{
    return align(now_ns - ns_of(config->window_hours), kind);
}

bool iso_usage_next_range(const Isocost__Internal__V1__RecordSchedule *config,
                          enum iso_record_kind kind, int64_t now_ns, int64_t held_until_ns,
                          int64_t *resume_ns, struct iso_usage_range *ret_range)
{
    int64_t begin_ns = iso_usage_window_begin(config, kind, now_ns);
    int64_t end_ns = now_ns - now_ns % NS_PER_HOUR;
    int64_t overlap_ns =
        ns_of(kind == ISO_RECORD_COST ? config->cost_overlap_hours : config->usage_overlap_hours);
    int64_t held_ns = held_until_ns < end_ns ? held_until_ns : end_ns;
    int64_t from_ns = *resume_ns ? *resume_ns : align(held_ns - overlap_ns, kind);

    if (from_ns < begin_ns)
        from_ns = begin_ns;
    ret_range->from_ns = from_ns;
    ret_range->to_ns = (from_ns > held_ns ? from_ns : held_ns) + MOST_NEW_NS;
    if (ret_range->to_ns > end_ns)
        ret_range->to_ns = end_ns;
    *resume_ns = ret_range->to_ns < end_ns ? ret_range->to_ns : 0;
    return ret_range->from_ns < ret_range->to_ns;
}

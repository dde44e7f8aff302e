/* What the parts of the door share. */
#ifndef ISOCOST_PROBLEM_CHECK_H
#define ISOCOST_PROBLEM_CHECK_H

#include "isocost/problem.h"

/* Fails with a path made by `format`. */
__attribute__((format(printf, 3, 4))) enum iso_status
iso_problem_refuse(struct iso_error *reterr, const char *text, const char *format, ...);

/* Returns from the caller unless `condition` holds. */
#define REQUIRE(condition, text, ...)                               \
    do {                                                            \
        if (!(condition))                                           \
            return iso_problem_refuse(reterr, (text), __VA_ARGS__); \
    } while (0)

static inline bool iso_in_range(int32_t index, int32_t n)
{
    return index >= 0 && index < n;
}

/* Traffic m of a workload whose demand is checked. */
enum iso_status iso_traffic_check(const struct iso_problem *problem, int32_t workload,
                                  int32_t traffic, struct iso_error *reterr);

/* The plan to start from; workloads and products are checked. */
enum iso_status iso_problem_check_start(const struct iso_problem *problem,
                                        struct iso_error *reterr);

#endif

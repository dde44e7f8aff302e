/* The clock that tests give to solves. */
#ifndef ISOCOST_TESTS_STEADY_CLOCK_H
#define ISOCOST_TESTS_STEADY_CLOCK_H

#include <time.h>

/* Seconds that only go forward; the context is not used. */
static inline double steady_seconds(void *context)
{
    struct timespec time;

    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

#endif

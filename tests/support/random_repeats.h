/* Random problems in which much is there more than once: zones with equal types and a cap each,
 * replica workloads with equal needs, caps that others imply, demands that whole instances exceed,
 * applications that share nothing. */
#ifndef RANDOM_REPEATS_H
#define RANDOM_REPEATS_H

#include "random_problem.h"

/* The same for the same seed; freed by random_problem_free(). */
struct random_problem *random_repeats_new(uint64_t seed);

#endif

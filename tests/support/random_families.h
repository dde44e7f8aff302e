/* Random problems whose offerings come in sizes, as those of clouds do: most sizes cost and do in
 * proportion, some are a little dearer or cheaper. All else is as in random_problem.h. */
#ifndef RANDOM_FAMILIES_H
#define RANDOM_FAMILIES_H

#include "random_problem.h"

/* The same for the same seed; freed by random_problem_free(). */
struct random_problem *random_families_new(uint64_t seed);

#endif

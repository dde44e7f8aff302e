/* Small random problems that use every kind of rule, the same for the same seed. */
#ifndef RANDOM_PROBLEM_H
#define RANDOM_PROBLEM_H

#include "isocost/problem.h"

/* Owns its arrays; free with random_problem_free(). Aborts when memory is short. */
struct random_problem {
    struct iso_problem problem;
    struct iso_workload *workloads; /* the problem's */
    uint64_t state;
    void *blocks[256];
    int n_blocks;
};

struct random_problem *random_problem_new(uint64_t seed);
void random_problem_free(struct random_problem *random);

/* Zeroed memory that lives as long as the problem. */
void *random_block(struct random_problem *random, int64_t n, size_t size);

/* The next number of the sequence, in [0, n). */
int64_t random_below(struct random_problem *random, int64_t n);

#endif

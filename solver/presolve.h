/* Presolve: a smaller problem whose cheapest plan costs the same, and the way back.
 *
 *   rounding    the requirement of a must-serve workload goes up to the next multiple of what all
 *               its options serve in common (presolve_rounding.c)
 *   redundant   caps and floors that another one implies go (presolve_redundant.c)
 *   identical   replica workloads of a team that nothing tells apart become one
 *               (presolve_identical.c)
 *   orbits      caps that count equal offerings become one cap over one of each
 *               (presolve_orbits.c)
 *
 * Each is exact: every plan of the problem gives one of the smaller problem at no more cost, and
 * expanding takes a plan of the smaller problem back at the same cost, with multipliers that prove
 * the same bound. Dominance (reduction.h) drops columns of whatever problem it is given; equal
 * components are solved once (components.c). */
#ifndef ISOCOST_PRESOLVE_H
#define ISOCOST_PRESOLVE_H

#include "isocost/solve.h"
#include "split.h"

/* Workloads that one stands for. Members are by index, the one that stands for them first. */
struct iso_identical {
    int32_t n_members;
    int32_t *members;
};

/* Caps that one stands for, the first, and their offerings: offerings[i * n_terms + k] is counted
 * by cap i and equal to offerings[k]. capacity[i]: instances that cap i allows in a period. */
struct iso_orbit {
    int32_t n_limits, n_terms;
    int32_t *limits;
    int64_t *capacity;
    int32_t *offerings;
};

/* Places in the original's lists of the rules that a workload has left; NULL: all are left. */
struct iso_rule_places {
    int32_t *share, *survive;
};

struct iso_presolve {
    const struct iso_problem *original;
    struct iso_problem work; /* the original's indices, changed by each step */
    struct iso_workload *workloads;
    struct iso_limit *limits;
    struct iso_selection selection; /* what is left of `work` */
    struct iso_part part;           /* that as a problem of its own */
    struct iso_rule_places *places; /* n_workloads */
    int32_t n_blocks;
    void **blocks; /* arrays that the steps made */
    int32_t n_identical, n_orbits;
    struct iso_identical *identical;
    struct iso_orbit *orbits;
    bool changed; /* `work` differs from the original */
    bool renames; /* and so does what a plan says: it has to be expanded */
};

/* Runs the steps that options.without does not name. What to solve is presolve->part.problem when
 * it renames, otherwise presolve->work, whose plans are plans of the original. Errors: ISO_E_NOMEM.
 * To be freed by iso_presolve_fini() also then. */
enum iso_status iso_presolve(struct iso_presolve *presolve, const struct iso_problem *problem,
                             struct iso_error *reterr);
void iso_presolve_fini(struct iso_presolve *presolve);

/* A plan of the smaller problem as a plan of the original, billed. The caller owns *ret_plan.
 * Errors: ISO_E_NOMEM. */
enum iso_status iso_presolve_expand(const struct iso_presolve *presolve,
                                    const struct iso_plan *from, struct iso_plan **ret_plan,
                                    struct iso_error *reterr);

/* --- the steps; each changes `work` and `selection`. Errors: ISO_E_NOMEM. --- */

enum iso_status iso_presolve_rounding(struct iso_presolve *presolve, struct iso_error *reterr);
enum iso_status iso_presolve_redundant(struct iso_presolve *presolve, struct iso_error *reterr);
enum iso_status iso_presolve_identical(struct iso_presolve *presolve, struct iso_error *reterr);
enum iso_status iso_presolve_orbits(struct iso_presolve *presolve, struct iso_error *reterr);

/* Whether a together or apart rule names a workload; what it allows depends on the workload's
 * requirement and other rules, so those stay as they are. */
bool iso_presolve_is_placed(const struct iso_problem *problem, int32_t workload);

/* An array that lives as long as the presolve; NULL when memory is short. */
void *iso_presolve_array(struct iso_presolve *presolve, size_t n, size_t size);

/* --- the ways back, on a plan in the original's indices; false when memory is short --- */

void iso_expand_redundant(const struct iso_presolve *presolve, struct iso_plan *plan);
bool iso_expand_identical(const struct iso_presolve *presolve,
                          const struct iso_identical *identical, struct iso_plan *plan);
bool iso_expand_orbit(const struct iso_presolve *presolve, const struct iso_orbit *orbit,
                      struct iso_plan *plan);

/* Gives the multipliers of rows (kind, members[0]) to the same rows of all n members. */
bool iso_expand_duals(struct iso_plan *plan, enum iso_row_kind kind, const int32_t *members,
                      int32_t n);

#endif

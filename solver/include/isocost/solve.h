/* The solver's one entry: problem in, plan out. */
#ifndef ISOCOST_SOLVE_H
#define ISOCOST_SOLVE_H

#include "isocost/plan.h"
#include "isocost/problem.h"

/* What the caller is told while a solve runs, and how it stops one. Called on the solving thread.
 */
struct iso_progress {
    enum iso_tier_kind tier;
    int32_t priority, worst;
    bool has_value;
    double value, bound; /* bound: -INFINITY when none */
    int64_t iterations, nodes;
};

struct iso_past;

struct iso_control {
    void *context;
    /* What earlier solves have found; this one adds to it. NULL: nothing, and nothing is kept. A
     * deterministic solve neither asks nor adds. */
    struct iso_past *past;
    /* Seconds on a clock that never goes back. Required; the solver reads no other clock. */
    double (*now)(void *context);
    /* Why to stop, or 0 to go on; asked at least every 10 ms of own work. May be NULL. */
    enum iso_stop (*stop)(void *context);
    /* A better plan, complete with bill and tiers so far; borrowed for the call. May be NULL. */
    void (*incumbent)(void *context, const struct iso_plan *plan);
    /* May be NULL. */
    void (*progress)(void *context, const struct iso_progress *progress);
    /* Solves n parts that share nothing, each as iso_solve_part() does within its own time limit,
     * wherever and in whatever order it likes: ret_plans[k], NULL before the call, is the plan of
     * parts[k], or stays NULL where there is none. May be NULL: then parts are solved one after the
     * other. */
    enum iso_status (*solve_parts)(void *context, const struct iso_problem *const *parts, int32_t n,
                                   bool explain, struct iso_plan **ret_plans,
                                   struct iso_error *reterr);
};

/* Solves a problem that went through iso_problem_check(). How it ended is in the plan (infeasible
 * and stopped are answers). The caller owns *ret_plan.
 * Errors: ISO_E_LIMIT (too large for every strategy), ISO_E_NOMEM, ISO_E_BACKEND (GLPK failed). */
ISO_EXPORT enum iso_status iso_solve(const struct iso_problem *problem,
                                     const struct iso_control *control, struct iso_plan **ret_plan,
                                     struct iso_error *reterr);

/* Solves a part that `solve_parts` was given. Errors: as iso_solve(). */
ISO_EXPORT enum iso_status iso_solve_part(const struct iso_problem *part,
                                          const struct iso_control *control, bool explain,
                                          struct iso_plan **ret_plan, struct iso_error *reterr);

enum iso_mip_format { ISO_MIP_MPS, ISO_MIP_LP };

/* Writes the plain MIP of one tier (the earlier ones are left out) to `path` in free MPS or CPLEX
 * LP with readable names, so that another solver can check us. Packing is written by patterns.
 * Errors: ISO_E_LIMIT (too many patterns), ISO_E_IO. */
ISO_EXPORT enum iso_status iso_export_mip(const struct iso_problem *problem,
                                          const struct iso_tier *tier, enum iso_mip_format format,
                                          const char *path, struct iso_error *reterr);

/* Version of GLPK, e.g. "5.0". */
ISO_EXPORT const char *iso_glpk_version(void);

#endif

/* Small mixed-integer programs behind GLPK's branch and cut.
 *
 * GLPK 5.0 ends on internal errors now and then: its presolve asserts (npp3.c) what does not hold
 * in some programs without a point. So a tree grows apart from all other objects (glpk_guard.h),
 * and after such an error it grows again without presolve and cuts. */
#ifndef ISOCOST_GLPK_MIP_H
#define ISOCOST_GLPK_MIP_H

#include "isocost/solve.h"
#include "mip.h"

enum iso_mip_outcome {
    ISO_MIP_SOLVED, /* the tree is empty: x is best, or infeasible without has_x */
    ISO_MIP_GAP,    /* the gap asked was reached */
    ISO_MIP_STOPPED /* by the control, the time or the work limit, or by errors of GLPK's */
};

struct iso_mip_limits {
    double seconds;      /* > 0; from now */
    double relative_gap; /* >= 0; the tree ends at either gap */
    double absolute_gap; /* >= 0 */
    int64_t nodes;       /* 0 = none */
    bool plans;          /* look for plans rather than for the bound */
    bool no_cuts;        /* GLPK's Gomory cuts may cut off what is whole by rounding */
};

struct iso_mip_result {
    enum iso_mip_outcome outcome;
    bool has_x;
    double value, bound; /* without the objective's constant; bound -INFINITY when none */
    int64_t nodes, iterations;
};

/* Solves the columns with active[j] (NULL: all); the others are 0. With presolve and cuts.
 * `cutoff`: only values <= cutoff are looked for (INFINITY: any). ret_x has n_columns places.
 * Errors: ISO_E_NOMEM. */
enum iso_status iso_mip_solve(const struct iso_mip *mip, const uint8_t *active, double cutoff,
                              const struct iso_mip_limits *limits,
                              const struct iso_control *control, struct iso_mip_result *ret_result,
                              double *ret_x, struct iso_error *reterr);

/* Writes all columns and rows with readable names. `names` gives the name of a column or row (at
 * most 255 bytes) into `buffer`. Errors: ISO_E_IO, ISO_E_BACKEND, ISO_E_NOMEM. */
enum iso_status iso_mip_write(const struct iso_mip *mip, double constant,
                              enum iso_mip_format format, const char *path,
                              void (*name)(void *context, bool row, int32_t index, char *buffer),
                              void *context, struct iso_error *reterr);

#endif

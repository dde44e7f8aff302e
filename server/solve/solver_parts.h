/* Parts of a problem that share nothing, solved side by side in processes of their own. */
#ifndef ISOCOST_SERVER_SOLVER_PARTS_H
#define ISOCOST_SERVER_SOLVER_PARTS_H

#include "isocost/solve.h"

/* `solve_parts` of struct iso_control: gives the parts to at most n_processes processes, this one
 * among them, the largest first to whoever has least to do, so that equal parts go equal ways. Each
 * process has the memory limit of this one. A process that dies, or that has not answered a tenth
 * of a second after `control` said stop, leaves its parts without a plan. Errors: ISO_E_NOMEM,
 * ISO_E_IO. */
enum iso_status iso_solver_solve_parts(const struct iso_control *control, int n_processes,
                                       const struct iso_problem *const *parts, int32_t n,
                                       bool explain, struct iso_plan **ret_plans,
                                       struct iso_error *reterr);

#endif

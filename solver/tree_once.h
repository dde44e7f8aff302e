/* Small trees that are not searched twice. */
#ifndef ISOCOST_TREE_ONCE_H
#define ISOCOST_TREE_ONCE_H

#include "glpk_mip.h"
#include "isocost/past.h"

/* As iso_mip_solve() over all columns without a cutoff; the answer is that of the past where it has
 * one (*ret_known: it had). What time or a stop cut short is not kept. `past` may be NULL. Errors:
 * as there. */
enum iso_status iso_mip_solve_once(struct iso_past *past, const struct iso_mip *mip,
                                   const struct iso_mip_limits *limits,
                                   const struct iso_control *control,
                                   struct iso_mip_result *ret_result, double *ret_x,
                                   bool *ret_known, struct iso_error *reterr);

/* Looks into the past alone. False: it has no answer. */
bool iso_mip_find_once(struct iso_past *past, const struct iso_mip *mip,
                       const struct iso_mip_limits *limits, struct iso_mip_result *ret_result,
                       double *ret_x);

#endif

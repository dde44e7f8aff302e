/* Small trees of workloads in single periods: they raise the bound of a relaxation and mend plans,
 * see cell_trees.c. */
#ifndef ISOCOST_CELL_TREES_H
#define ISOCOST_CELL_TREES_H

#include "search.h"

/* Under multipliers of a relaxation that are proved. `relaxed`: its point (n_columns values), of
 * which a second plan is made when what is known does not reach the gap; NULL: the best plan is
 * made of it. `all`: goes on when the gap is reached. Raises tier_bound and offers a plan. Errors:
 * ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_try_cell_trees(struct iso_search *search, const double *duals,
                                   const double *relaxed, bool all, struct iso_error *reterr);

#endif

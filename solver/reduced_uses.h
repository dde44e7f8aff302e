/* Reduced costs of instances, paid or covered, whichever is less, for a whole row of periods. */
#ifndef ISOCOST_REDUCED_USES_H
#define ISOCOST_REDUCED_USES_H

#include "unlisted.h"

struct iso_reduced_uses {
    struct iso_search *search;
    struct iso_unlisted *u;
    double *need; /* [product * n_periods + period]: what products ask of coverage, so that all of
                   * it is priced out */
};

/* Under multipliers of the search's rows, which are borrowed. Errors: ISO_E_NOMEM. */
enum iso_status iso_reduced_uses_init(struct iso_reduced_uses *uses, struct iso_search *search,
                                      const double *duals, struct iso_error *reterr);
void iso_reduced_uses_fini(struct iso_reduced_uses *uses);

/* Whether the reduction has left an option. */
bool iso_reduced_use_exists(const struct iso_reduced_uses *uses, int32_t workload, int32_t option);

/* n_periods values, in scratch of the uses: valid until the next call. */
const double *iso_reduced_use(const struct iso_reduced_uses *uses, int32_t workload,
                              int32_t option);

#endif

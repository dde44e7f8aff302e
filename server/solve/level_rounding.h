/* Load levels of which there are more than the model asks for. */
#ifndef ISOCOST_SERVER_LEVEL_ROUNDING_H
#define ISOCOST_SERVER_LEVEL_ROUNDING_H

#include "resolve_internal.h"

/* What the workloads ask in an hour, compared and hashed. */
struct iso_demands {
    const double **series; /* those with a value an hour */
    size_t n;
    const int32_t *segment_of_hour; /* hours of different segments never merge */
};

/* Hours merged without loss: level l stands for count[l] hours that are all like hour[l]. */
struct iso_levels {
    int32_t n;
    const int32_t *hour, *count; /* n */
};

/* Groups levels of equal segments into at most `most` groups, so that little demand is added when
 * each group is asked the most of its levels. ret_group: n numbers in [0, *ret_n), in order of each
 * group's first level. *ret_n is above `most` only when there are more segments than that.
 * Errors: ISO_E_LIMIT (arena full). */
enum iso_status iso_group_levels(struct iso_resolve *r, const struct iso_demands *demands,
                                 const struct iso_levels *levels, int32_t most, int32_t *ret_group,
                                 int32_t *ret_n, struct iso_error *reterr);

/* Notes by how much the demand of each workload was raised, and warns of the most. Needs the levels
 * of the hours. Errors: ISO_E_LIMIT (arena full). */
enum iso_status iso_note_rounding(struct iso_resolve *r, struct iso_error *reterr);

#endif

/* Ruin and recreate on the instances of one pool and period: see repack.c. */
#ifndef ISOCOST_REPACK_H
#define ISOCOST_REPACK_H

#include "search.h"

struct iso_repack;

/* For the pool of `team` in a period, from the best plan; *ret_repack stays NULL where rules on the
 * pool say more than demand and caps on instances. `duals`: multipliers of the relaxation.
 * Errors: ISO_E_NOMEM. */
enum iso_status iso_repack_new(struct iso_search *search, int32_t team, int32_t period,
                               const double *duals, uint64_t seed, struct iso_repack **ret_repack,
                               struct iso_error *reterr);
void iso_repack_free(struct iso_repack *repack);
ISO_DEFINE_FREEP(iso_repack)

/* Instances that may be emptied. */
int32_t iso_repack_n_instances(const struct iso_repack *repack);

/* Tries `n_rounds` times to fill what a few instances hold into cheaper ones, or, with the chance
 * of annealing at `heat` (a share of the mean price of an instance, >= 0), into dearer ones. What
 * is wasted counts less where it is together. 0 begins from the best instances. Gives what those
 * cost less than before the call. */
double iso_repack_rounds(struct iso_repack *repack, int32_t n_rounds, double heat);

/* Lists the best instances in the formulation, which may grow, and offers the plan. Errors:
 * ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_repack_offer(struct iso_repack *repack, struct iso_error *reterr);

#endif

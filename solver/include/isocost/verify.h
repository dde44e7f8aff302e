/* The certificate checker. It reads the problem and a plan and trusts nothing in the plan; it
 * shares no code with the strategies or the ledger (only the problem's own accessors and decimals).
 */
#ifndef ISOCOST_VERIFY_H
#define ISOCOST_VERIFY_H

#include "isocost/plan.h"
#include "isocost/problem.h"

struct iso_verdict {
    int64_t rules_checked;  /* rule instances evaluated */
    int64_t columns_priced; /* columns re-priced for dual bounds, all tiers together */
    double worst_violation; /* of hard rules, in the rule's unit */
};

/* Checks, for a plan with a solution: every index; every original rule in exact arithmetic
 * (policies respected); every pattern literally against capacity and need; coverage against
 * commitments; every line, the cost and the penalties to the last 1e-9; every tier's value; every
 * frozen tier; that bound <= value; that the duals prove checked_bound (weak duality with outward
 * rounding over every column of the problem, used or not) and that bound <= checked_bound where
 * proof is DUAL. For INFEASIBLE with proof RAY: that the duals of tier 0 prove it. Termination
 * OPTIMAL only when every tier's gap is within the options' gap. Returns ISO_OK, or ISO_E_INVALID
 * with the field (e.g. "lines[3].cost") and what was found. */
ISO_EXPORT enum iso_status iso_verify(const struct iso_problem *problem,
                                      const struct iso_plan *plan, struct iso_verdict *ret_verdict,
                                      struct iso_error *reterr);

/* The same; calls `readable` as soon as every index in the plan, but for those in its alternatives,
 * is known to be in range: from then on others may read it, though nothing else of it is proved.
 * Not called for a plan that fails before. */
ISO_EXPORT enum iso_status iso_verify_telling(const struct iso_problem *problem,
                                              const struct iso_plan *plan,
                                              void (*readable)(void *context), void *context,
                                              struct iso_verdict *ret_verdict,
                                              struct iso_error *reterr);

#endif

/* The ledger: turns what a plan runs and buys into the bill, in exact decimals. */
#ifndef ISOCOST_LEDGER_H
#define ISOCOST_LEDGER_H

#include "isocost/plan.h"
#include "isocost/problem.h"

/* Makes the lines of `plan` from its uses, fills, covers, purchases and (with a current placement)
 * starts and stops; sets lines, cost and penalties. Lines are sorted by (first period, kind, cell,
 * offering, product, start). Replaces lines that were there. The plan may come from anywhere: it is
 * not assumed to be one that the verifier would let through.
 * Errors: ISO_E_INVALID for an index that is out of range and when an amount leaves the range of a
 * decimal, ISO_E_NOMEM. */
ISO_EXPORT enum iso_status iso_plan_account(const struct iso_problem *problem,
                                            struct iso_plan *plan, struct iso_error *reterr);

/* What of plan->unserved[i] counts in penalties and in the stage of its priority. All of it, except
 * where a box says that demand rises in few periods at once (see struct iso_box): then all of it in
 * the periods whose rise counts most, as many as rise at once, and in the others what is more than
 * the rise. Of equal ones the earlier counts. */
ISO_EXPORT iso_decimal iso_plan_counted_unserved(const struct iso_problem *problem,
                                                 const struct iso_plan *plan, int32_t i);

#endif

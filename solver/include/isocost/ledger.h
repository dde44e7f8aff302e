/* The ledger: turns what a plan runs and buys into the bill, in exact decimals. */
#ifndef ISOCOST_LEDGER_H
#define ISOCOST_LEDGER_H

#include "isocost/plan.h"
#include "isocost/problem.h"

/* Makes the lines of `plan` from its uses, fills, covers, purchases and (with a current placement)
 * starts and stops; sets lines, cost and penalties. Lines are sorted by (period, kind, cell,
 * offering, product). Replaces lines that were there.
 * Errors: ISO_E_INVALID when an amount leaves the range of a decimal, ISO_E_NOMEM. */
ISO_EXPORT enum iso_status iso_plan_account(const struct iso_problem *problem,
                                            struct iso_plan *plan, struct iso_error *reterr);

#endif

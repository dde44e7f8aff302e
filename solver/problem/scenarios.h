/* The part of the door that scenarios go through. */
#ifndef ISOCOST_PROBLEM_SCENARIOS_H
#define ISOCOST_PROBLEM_SCENARIOS_H

#include "isocost/problem.h"

/* Rules that join periods by their order, or by hours of several scenarios, are not for scenarios.
 * Errors: ISO_E_INVALID. The rest of the problem is checked before. */
enum iso_status iso_scenarios_check(const struct iso_problem *problem, struct iso_error *reterr);

#endif

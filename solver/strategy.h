/* Which strategy solves a problem: a pure function of its structure, with its reason. */
#ifndef ISOCOST_STRATEGY_H
#define ISOCOST_STRATEGY_H

#include "isocost/solve.h"

struct iso_choice {
    enum iso_strategy strategy;
    const char *why; /* static text */
};

/* Strategies of their own, beside the search on a formulation. Each is asked first whether the
 * problem has the structure that it needs (a pure function), and then gives a whole plan: uses,
 * bill, tiers, proofs, components, stats and what options.want asks for when `explain`.
 * Errors: as iso_solve(). */
/* *ret_plan is NULL where a table would be too large, or a cap or limit is in the way. */
bool iso_separable_applies(const struct iso_problem *problem);
enum iso_status iso_separable(const struct iso_problem *problem, const struct iso_control *control,
                              bool explain, struct iso_plan **ret_plan, struct iso_error *reterr);

/* *ret_plan is NULL where tables or ways to split what is held would be too many, or a limit is in
 * the way. */
bool iso_lattice_applies(const struct iso_problem *problem);
enum iso_status iso_lattice(const struct iso_problem *problem, const struct iso_control *control,
                            bool explain, struct iso_plan **ret_plan, struct iso_error *reterr);

/* *ret_plan is NULL where some period has no plan by itself: then it is for the search. */
bool iso_horizon_applies(const struct iso_problem *problem);
enum iso_status iso_horizon(const struct iso_problem *problem, const struct iso_control *control,
                            bool explain, struct iso_plan **ret_plan, struct iso_error *reterr);

/* Problems with rules that hold one way or another, on top of all strategies. */
bool iso_has_branches(const struct iso_problem *problem);
enum iso_status iso_solve_branches(const struct iso_problem *problem,
                                   const struct iso_control *control, struct iso_plan **ret_plan,
                                   struct iso_error *reterr);

/* What a plan's component says of the strategy, e.g. "plain-mip". */
const char *iso_strategy_name(enum iso_strategy strategy);

/* Chooses for the problem as it stands (one component). */
struct iso_choice iso_choose_strategy(const struct iso_problem *problem);

#endif

/* Explanations: binding rules, runners-up, baselines; for infeasible models minimal conflicts and
 * priced ways out. Each part has a file of its own. */
#ifndef ISOCOST_EXPLAIN_H
#define ISOCOST_EXPLAIN_H

#include "search.h"

/* Solves without explanations; the same as iso_solve() otherwise. */
enum iso_status iso_optimise(const struct iso_problem *problem, const struct iso_control *control,
                             bool explain, struct iso_plan **ret_plan, struct iso_error *reterr);

/* The same for a problem that is one component. */
enum iso_status iso_optimise_component(const struct iso_problem *problem,
                                       const struct iso_control *control, bool explain,
                                       struct iso_plan **ret_plan, struct iso_error *reterr);

/* Adds to the search's plan what options.want asks for, as far as time is left. */
enum iso_status iso_explain(struct iso_search *search, struct iso_error *reterr);

/* Parts of it; the first needs nothing of the search but its problem and plan. */
enum iso_status iso_find_bindings(struct iso_search *search, const struct iso_tier *tier,
                                  struct iso_error *reterr);
enum iso_status iso_find_baselines(struct iso_search *search, struct iso_error *reterr);
enum iso_status iso_find_conflicts(struct iso_search *search, struct iso_error *reterr);
enum iso_status iso_find_relaxations(struct iso_search *search, struct iso_error *reterr);

/* A ray: multipliers with no cost that prove a bound above 0, so no plan exists. Sets proof RAY, or
 * SEARCH when the repaired multipliers prove nothing. */
enum iso_status iso_prove_infeasible(struct iso_search *search, struct iso_tier *tier,
                                     struct iso_error *reterr);

/* Solves a whole problem, by its branches where it has some. Errors: as iso_solve(). */
enum iso_status iso_find_plan(const struct iso_problem *problem, const struct iso_control *control,
                              bool explain, struct iso_plan **ret_plan, struct iso_error *reterr);

/* Adds alternatives to a plan of the whole problem, until options.maximum_alternatives or the end
 * on the control's clock. Errors: as iso_solve(). */
enum iso_status iso_find_alternatives(const struct iso_problem *problem,
                                      const struct iso_control *control, double end_s,
                                      struct iso_plan *plan, struct iso_error *reterr);

#endif

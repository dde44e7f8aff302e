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

/* Adds to the search's plan what options.want asks of its multipliers: binding rules and
 * runners-up.
 */
enum iso_status iso_explain(struct iso_search *search, struct iso_error *reterr);

/* Adds to a plan of the whole problem what other solves tell, as far as time is left: conflicts and
 * ways out where it is infeasible, otherwise baselines and alternatives where options.want asks for
 * them. Needs nothing of the search but its problem, control, plan and end. */
enum iso_status iso_explain_whole(struct iso_search *search, struct iso_error *reterr);

/* Parts of both. *ret_n_apart: so many of the conflicts, the first ones, share no rule. */
enum iso_status iso_find_bindings(struct iso_search *search, const struct iso_tier *tier,
                                  struct iso_error *reterr);
enum iso_status iso_find_baselines(struct iso_search *search, struct iso_error *reterr);
enum iso_status iso_find_conflicts(struct iso_search *search, int32_t *ret_n_apart,
                                   struct iso_error *reterr);
enum iso_status iso_find_relaxations(struct iso_search *search, int32_t n_apart,
                                     struct iso_error *reterr);

/* The same as iso_explain() for plans whose periods were solved by covering tables, and for those
 * of a long horizon, of which no formulation is there. Errors: ISO_E_NOMEM. */
enum iso_status iso_explain_tables(struct iso_search *search, struct iso_error *reterr);
enum iso_status iso_explain_horizon(struct iso_search *search, struct iso_error *reterr);

#define ISO_MOST_RUNNERS_UP 200

/* Flags the offerings that run for a cell in a period: [n_offerings]. */
void iso_mark_running(const struct iso_problem *problem, const struct iso_plan *plan, int32_t cell,
                      int32_t period, uint8_t *ret_runs);

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

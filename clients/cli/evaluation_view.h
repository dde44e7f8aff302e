/* Answers to scenarios as people and programs read them. */
#ifndef ISOCOST_CLI_EVALUATION_VIEW_H
#define ISOCOST_CLI_EVALUATION_VIEW_H

#include "evaluation_stream.h"

/* One row a scenario; what each costs more or less than the one named `base` (NULL: than none).
 * What is wrong with a scenario is a row of its own kind. False when memory was short. */
bool iso_evaluation_view_table(const struct iso_view *view,
                               const struct iso_evaluation_results *results, const char *base);

/* Points of one parameter as a table with a bar each, the knee marked. `title`: of the first
 * column. `served`: the bars are the served share, not the cost. */
bool iso_evaluation_view_curve(const struct iso_view *view,
                               const struct iso_evaluation_results *results, const char *title,
                               bool served);

/* Points of two parameters as a table of costs, the second across. */
bool iso_evaluation_view_grid(const struct iso_view *view,
                              const struct iso_evaluation_results *results, const char *down,
                              const char *across);

/* One line a scenario, exact. */
void iso_evaluation_view_csv(const struct iso_evaluation_results *results, FILE *stream);

/* A list of ScenarioResult messages as JSON. */
enum iso_status iso_evaluation_view_json(const struct iso_evaluation_results *results, FILE *stream,
                                         struct iso_error *reterr);

/* "optimal", "infeasible", ..., "wrong". */
const char *iso_evaluation_ended(const struct iso_view *view,
                                 const Isocost__V1__ScenarioResult *result);
/* Whether there is a plan, and so a cost. */
bool iso_evaluation_has_cost(const Isocost__V1__ScenarioResult *result);
/* "+12.50" or "-3.00". */
const char *iso_evaluation_difference(const struct iso_view *view, const Isocost__V1__Plan *plan,
                                      const Isocost__V1__Plan *base);

#endif

/* A plan as people read it. What is data goes to the view's stream and nothing goes elsewhere. */
#ifndef ISOCOST_CLI_PLAN_VIEW_H
#define ISOCOST_CLI_PLAN_VIEW_H

#include "view_text.h"

enum iso_plan_view_flags {
    ISO_PLAN_VIEW_WHY = 1u << 0, /* reasons, runners-up, binding rules and what was checked */
};

/* Writes the whole answer: how it ended, what to run where and at what cost, commitments to buy,
 * what else it would cost; or why there is none and the ways out. False when memory was short. */
bool iso_plan_view_print(const struct iso_view *view, const Isocost__V1__Plan *plan,
                         unsigned flags);

/* Only the table of lines; the costs shown add up to the total shown. What a commitment costs is
 * one row over all periods. */
bool iso_plan_view_lines(const struct iso_view *view, const Isocost__V1__Plan *plan);

/* The lines as CSV with exact amounts. */
void iso_plan_view_csv(const Isocost__V1__Plan *plan, FILE *stream);

/* The periods of a line: the one, "all", or "first..last". */
const char *iso_plan_view_periods(const struct iso_view *view, const Isocost__V1__Plan *plan,
                                  const Isocost__V1__PlanLine *line);

/* Parts of print(). */
const char *iso_plan_view_currency(const Isocost__V1__Plan *plan); /* of the costs */
/* Who uses a line: its workload, or those that its patterns hold. */
const char *iso_plan_view_user(const struct iso_view *view, const Isocost__V1__PlanLine *line);
bool iso_plan_view_reasons(const struct iso_view *view, const Isocost__V1__Plan *plan);
bool iso_plan_view_binding(const struct iso_view *view, const Isocost__V1__Plan *plan);
bool iso_plan_view_baselines(const struct iso_view *view, const Isocost__V1__Plan *plan);
bool iso_plan_view_infeasible(const struct iso_view *view, const Isocost__V1__Plan *plan);

#endif

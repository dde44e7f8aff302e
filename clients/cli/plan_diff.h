/* `isocost plan diff`: what makes the costs of two plans differ. */
#ifndef ISOCOST_CLI_PLAN_DIFF_H
#define ISOCOST_CLI_PLAN_DIFF_H

#include "command.h"
#include "isocost/v1/explanation.pb-c.h"
#include "view_text.h"

struct iso_plan_diff_options {
    struct iso_common_options common;
    double time_limit_s; /* 0: the server's default */
};

extern const struct iso_option iso_plan_diff_option_rows[];

/* Ends with 10 when the plans differ in anything that bears on cost. */
enum iso_exit_code iso_plan_diff_run(struct iso_cli *cli, const void *values, int n,
                                     char **operands);

/* --- comparison_view.c --- */

/* The bridge, whose parts add up as shown too, and what changed in the bill. False when memory was
 * short. */
bool iso_comparison_view_print(const struct iso_view *view,
                               const Isocost__V1__PlanComparison *comparison);
/* Both in one table with exact amounts: a row for each step and for each change. */
void iso_comparison_view_csv(const struct iso_view *view,
                             const Isocost__V1__PlanComparison *comparison);

#endif

/* `isocost plan explain`: why a plan is as it is. */
#ifndef ISOCOST_CLI_PLAN_EXPLAIN_H
#define ISOCOST_CLI_PLAN_EXPLAIN_H

#include "command.h"
#include "isocost/v1/explanation.pb-c.h"
#include "view_text.h"

struct iso_plan_explain_options {
    struct iso_common_options common;
    struct iso_texts why_not, require, forbid, rules, prices, only;
    const char *quotas, *why;
    double time_limit_s; /* 0: the server's default */
    bool worth, repairs;
};

extern const struct iso_option iso_plan_explain_option_rows[];

/* Without questions: why this and what more room is worth, or for an infeasible plan what would
 * repair it. */
enum iso_exit_code iso_plan_explain_run(struct iso_cli *cli, const void *values, int n,
                                        char **operands);

/* --- explanation_view.c, explanation_view_csv.c --- */

/* One question and what came of it. False when memory was short. */
bool iso_explanation_view_print(const struct iso_view *view, const Isocost__V1__Question *question,
                                const Isocost__V1__Answer *answer);
/* A row for each figure: question, asked, name, value, currency. */
void iso_explanation_view_csv(const struct iso_view *view, Isocost__V1__Question *const *questions,
                              Isocost__V1__Answer *const *answers, size_t n);
/* What a question is about, as it was asked. */
const char *iso_explanation_subject(const struct iso_view *view,
                                    const Isocost__V1__Question *question);

#endif

/* Parts of ExplainPlan: one function to check and one to answer for each kind of question. */
#ifndef ISOCOST_SERVER_EXPLAIN_H
#define ISOCOST_SERVER_EXPLAIN_H

#include "catalog_flat.h"
#include "study.h"

struct iso_explanation {
    struct iso_study *study;
    const struct iso_study_plan *given;
    const Isocost__V1__Model *model;    /* of the plan, without wants: what questions change */
    struct iso_flat_catalog *catalog;   /* what it may buy */
    Isocost__V1__ChangeTargets *names;  /* what it has, for errors */
    struct iso_violations *violations;  /* wrong fields of the request */
    const char *field;                  /* of the question in hand, e.g. "questions[2].why_not" */
    const Isocost__V1__Question *asked; /* likewise */
};

/* Checks: add violations of the question in hand. */
typedef enum iso_status iso_question_check(struct iso_explanation *e, struct iso_error *reterr);
/* Answers: fill the member of the answer for the question in hand. What there was no time for is
 * left out, and `complete` is false. */
typedef enum iso_status iso_question_answer(struct iso_explanation *e, Isocost__V1__Answer *answer,
                                            struct iso_error *reterr);

iso_question_check iso_check_why_this, iso_check_why_not, iso_check_rule_cost,
    iso_check_price_range, iso_check_limit_worth, iso_check_quota_raises, iso_check_repairs;
iso_question_answer iso_answer_why_this, iso_answer_why_not, iso_answer_rule_cost,
    iso_answer_price_range, iso_answer_limit_worth, iso_answer_quota_raises, iso_answer_repairs;

/* --- what they share --- */

enum iso_status iso_explain_no_memory(struct iso_error *reterr);

/* Adds a violation of `member` of the question in hand. */
__attribute__((format(printf, 3, 4))) void
iso_explain_wrong(struct iso_explanation *e, const char *member, const char *format, ...);

/* Gives an answer a note; a constant, or a text that lives as long as the study. */
void iso_explain_note(Isocost__V1__Answer *answer, const char *text);

/* Solves the model of the plan as changed. Errors as iso_study_solve(). */
enum iso_status iso_explain_solve(struct iso_explanation *e, struct iso_study_case *cases, size_t n,
                                  enum iso_study_detail detail, struct iso_arena *arena,
                                  struct iso_error *reterr);

/* The model of the plan with one change; NULL with *ret_why set when the model does not allow it.
 */
enum iso_status iso_explain_change(struct iso_explanation *e, Isocost__V1__Change *change,
                                   const Isocost__V1__Model **ret_model, const char **ret_why,
                                   struct iso_error *reterr);

/* What a solve with a change says beside the plan as it is; NULL when the arena is full. */
Isocost__V1__Effect *iso_explain_effect(const Isocost__V1__Plan *before,
                                        const struct iso_study_case *solved,
                                        struct iso_arena *arena);

/* Whether two plans have equal values in all stages before money. */
bool iso_explain_same_service(const Isocost__V1__Plan *a, const Isocost__V1__Plan *b);

/* How near two values of a stage must be to count as equal. */
double iso_explain_tolerance(double value);

/* The gap that the plan's model asks for. */
double iso_explain_gap(const struct iso_explanation *e);

#endif

/* ExplainPlan: questions about a stored plan, checked all at once and then answered in turn. */
#include <stdarg.h>
#include <stdio.h>

#include "explain.h"
#include "message_new.h"
#include "nearest.h"

#define QUESTIONS_MAX 100

enum iso_status iso_explain_no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_LIMIT, "", "no memory to explain the plan");
}

void iso_explain_wrong(struct iso_explanation *e, const char *member, const char *format, ...)
{
    char field[120], text[600];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    snprintf(field, sizeof(field), "%s%s%s", e->field, member[0] ? "." : "", member);
    iso_violations_add(e->violations, field, "%s", text);
}

void iso_explain_note(Isocost__V1__Answer *answer, const char *text)
{
    answer->note = (char *)text;
}

enum iso_status iso_explain_solve(struct iso_explanation *e, struct iso_study_case *cases, size_t n,
                                  enum iso_study_detail detail, struct iso_arena *arena,
                                  struct iso_error *reterr)
{
    return iso_study_solve(e->study, cases, n, detail, arena, reterr);
}

enum iso_status iso_explain_change(struct iso_explanation *e, Isocost__V1__Change *change,
                                   const Isocost__V1__Model **ret_model, const char **ret_why,
                                   struct iso_error *reterr)
{
    Isocost__V1__Change *const changes[] = {change};
    const struct iso_changes one = {.n = 1, .items = changes, .path = "changes"};
    struct iso_violations violations = {.arena = e->study->arena};
    struct iso_error error = {0};

    *ret_model = NULL;
    *ret_why = "";
    enum iso_status status = iso_model_change(e->study->api, iso_call_principal(e->study->call),
                                              e->model, &one, &violations, ret_model, &error);
    if (status != ISO_E_INVALID)
        return status == ISO_OK ? ISO_OK : iso_fail(reterr, status, error.field, "%s", error.text);
    *ret_why = iso_arena_strdup(e->study->arena, error.text);
    return *ret_why ? ISO_OK : iso_explain_no_memory(reterr);
}

double iso_explain_gap(const struct iso_explanation *e)
{
    const Isocost__V1__Options *options = e->given->model->options;

    return options && options->opt_gap_case ? options->gap : 0.001;
}

/* --- kinds --- */

static const struct kind {
    const char *name;
    iso_question_check *check;
    iso_question_answer *answer;
} kinds[] = {
    [ISOCOST__V1__QUESTION__QUESTION_WHY_THIS] = {"why_this", iso_check_why_this,
                                                  iso_answer_why_this},
    [ISOCOST__V1__QUESTION__QUESTION_WHY_NOT] = {"why_not", iso_check_why_not, iso_answer_why_not},
    [ISOCOST__V1__QUESTION__QUESTION_RULE_COST] = {"rule_cost", iso_check_rule_cost,
                                                   iso_answer_rule_cost},
    [ISOCOST__V1__QUESTION__QUESTION_PRICE_RANGE] = {"price_range", iso_check_price_range,
                                                     iso_answer_price_range},
    [ISOCOST__V1__QUESTION__QUESTION_LIMIT_WORTH] = {"limit_worth", iso_check_limit_worth,
                                                     iso_answer_limit_worth},
    [ISOCOST__V1__QUESTION__QUESTION_QUOTA_RAISES] = {"quota_raises", iso_check_quota_raises,
                                                      iso_answer_quota_raises},
    [ISOCOST__V1__QUESTION__QUESTION_REPAIRS] = {"repairs", iso_check_repairs, iso_answer_repairs},
};

static const struct kind *kind_of(const Isocost__V1__Question *question)
{
    size_t kind = (size_t)question->question_case;

    return kind < ISO_ARRAY_LENGTH(kinds) && kinds[kind].name ? &kinds[kind] : NULL;
}

/* --- the study --- */

/* The next question, with the path of its fields. */
static enum iso_status turn_to(struct iso_explanation *e,
                               const Isocost__V1__ExplainPlanRequest *request, size_t i,
                               struct iso_error *reterr)
{
    const struct kind *kind;

    e->asked = request->questions[i];
    kind = kind_of(e->asked);
    e->field = iso_arena_printf(e->study->arena, "questions[%zu]%s%s", i, kind ? "." : "",
                                kind ? kind->name : "");
    return e->field ? ISO_OK : iso_explain_no_memory(reterr);
}

static enum iso_status check(struct iso_explanation *e,
                             const Isocost__V1__ExplainPlanRequest *request,
                             struct iso_error *reterr)
{
    for (size_t i = 0; i < request->n_questions; i++) {
        ISO_TRY(turn_to(e, request, i, reterr));
        const struct kind *kind = kind_of(e->asked);
        if (kind)
            ISO_TRY(kind->check(e, reterr));
        else
            iso_explain_wrong(e, "", "is empty; ask something");
    }
    return iso_violations_status(e->violations, reterr);
}

static enum iso_status answer(struct iso_explanation *e, size_t i, struct iso_error *reterr)
{
    Isocost__V1__ExplainPlanResponse response = ISOCOST__V1__EXPLAIN_PLAN_RESPONSE__INIT;
    Isocost__V1__Answer given = ISOCOST__V1__ANSWER__INIT;
    const struct kind *kind = kind_of(e->asked);
    int n_before = e->study->n_solves;

    e->study->doing = kind->name;
    given.question = (int32_t)i;
    given.complete = true;
    ISO_TRY(kind->answer(e, &given, reterr));
    given.solves = e->study->n_solves - n_before;
    if (!given.complete && !given.note[0])
        iso_explain_note(&given, "the time limit left no time for all solves; time_limit_seconds "
                                 "gives more");
    response.event_case = ISOCOST__V1__EXPLAIN_PLAN_RESPONSE__EVENT_ANSWER;
    response.answer = &given;
    iso_call_send(e->study->call, &response.base);
    return ISO_OK;
}

static enum iso_status explain(struct iso_study *study, struct iso_error *reterr)
{
    const Isocost__V1__ExplainPlanRequest *request = study->asked;
    struct iso_explanation e = {
        .study = study, .given = &study->plans[0], .violations = iso_call_violations(study->call)};

    e.model = iso_study_model(study, e.given->model);
    e.names = e.model ? iso_change_targets(e.model, study->arena) : NULL;
    if (!e.names)
        return iso_explain_no_memory(reterr);
    ISO_TRY(iso_catalog_flatten(e.model, e.given->snapshot, study->arena, &e.catalog, reterr));
    ISO_TRY(check(&e, request, reterr));
    int64_t end_ns = study->end_ns;
    for (size_t i = 0; i < request->n_questions; i++) {
        /* its share of the time that is left, so that none takes that of those after it */
        int64_t now_ns = iso_wall_ns();
        study->end_ns = now_ns + (end_ns - now_ns) / (int64_t)(request->n_questions - i);
        ISO_TRY(turn_to(&e, request, i, reterr));
        ISO_TRY(answer(&e, i, reterr));
    }
    return ISO_OK;
}

enum iso_status iso_explain_plan(struct iso_call *call, void *service, struct iso_error *reterr)
{
    const Isocost__V1__ExplainPlanRequest *request =
        (const Isocost__V1__ExplainPlanRequest *)iso_call_request(call);
    ISO_AUTO(iso_study) study = NULL;

    if (request->n_questions < 1 || request->n_questions > QUESTIONS_MAX)
        return iso_fail(reterr, ISO_E_INVALID, "questions", "%zu; 1 to %d are allowed",
                        request->n_questions, QUESTIONS_MAX);
    ISO_TRY(iso_study_new(service, call, request->time_limit_seconds,
                          &isocost__v1__explain_plan_response__descriptor, &study, reterr));
    ISO_TRY(iso_study_load(study, request->plan_id, "plan_id", reterr));
    study->asked = (void *)request;
    study->run = explain;
    ISO_TRY(iso_study_start(study, reterr));
    study = NULL; /* the thread's now */
    return ISO_OK;
}

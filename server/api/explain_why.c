/* Why this, why not that, what a rule costs, and what to do when nothing is possible. */
#include <stdio.h>

#include "explain.h"
#include "isocost/proto/change.h"
#include "line_changes.h"
#include "line_reader.h"
#include "message_new.h"
#include "nearest.h"
#include "selector.h"

#define MOST_CONFLICTS 5

static bool has(char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static bool wants(const Isocost__V1__Plan *plan, Isocost__V1__Want want)
{
    for (size_t i = 0; plan->options && i < plan->options->n_want; i++)
        if (plan->options->want[i] == want)
            return true;
    return false;
}

/* --- why this --- */

enum iso_status iso_check_why_this(struct iso_explanation *e, struct iso_error *reterr)
{
    const Isocost__V1__Model *model = e->model;
    const char *user = e->asked->why_this->user;

    (void)reterr;
    if (!user[0] || has(e->names->workloads, e->names->n_workloads, user))
        return ISO_OK;
    for (size_t i = 0; i < model->n_workloads; i++)
        if (strcmp(model->workloads[i]->team[0] ? model->workloads[i]->team : "default", user) == 0)
            return ISO_OK;
    iso_explain_wrong(e, "user", "no workload or team has the id \"%.64s\"%s", user,
                      iso_nearest_names(user, e->names->workloads, e->names->n_workloads,
                                        sizeof(char *), e->study->arena));
    return ISO_OK;
}

static enum iso_status give_reasons(struct iso_explanation *e, const Isocost__V1__Plan *plan,
                                    Isocost__V1__WhyThisAnswer *answer, struct iso_error *reterr)
{
    const char *user = e->asked->why_this->user;

    answer->binding_rules = plan->binding_rules;
    answer->n_binding_rules = plan->n_binding_rules;
    answer->runners_up =
        iso_arena_calloc(e->study->arena, plan->n_runners_up + 1, sizeof(*answer->runners_up));
    if (!answer->runners_up)
        return iso_explain_no_memory(reterr);
    for (size_t i = 0; i < plan->n_runners_up; i++)
        if (!user[0] || strcmp(plan->runners_up[i]->user, user) == 0)
            answer->runners_up[answer->n_runners_up++] = plan->runners_up[i];
    return ISO_OK;
}

/* The same model with reasons. */
static enum iso_status solve_for_reasons(struct iso_explanation *e, Isocost__V1__Answer *given,
                                         Isocost__V1__WhyThisAnswer *answer,
                                         struct iso_error *reterr)
{
    static Isocost__V1__Want wanted[] = {ISOCOST__V1__WANT__WANT_RUNNERS_UP,
                                         ISOCOST__V1__WANT__WANT_DUALS};
    Isocost__V1__Model *model = iso_study_model(e->study, e->model);
    struct iso_study_case solved = {.model = model};

    if (!model)
        return iso_explain_no_memory(reterr);
    model->options->want = wanted;
    model->options->n_want = ISO_ARRAY_LENGTH(wanted);
    ISO_TRY(iso_explain_solve(e, &solved, 1, ISO_STUDY_WHOLE, e->study->arena, reterr));
    given->complete = solved.plan != NULL;
    if (!solved.plan)
        return ISO_OK;
    struct iso_line_sums sums = {.arena = e->study->arena};
    ISO_TRY(iso_line_sums_add_packed(&sums, e->given->lines, e->given->plan->id, /* side= */ 0,
                                     reterr));
    ISO_TRY(
        iso_line_sums_add(&sums, solved.plan->lines, solved.plan->n_lines, /* side= */ 1, reterr));
    answer->same_plan = (size_t)solved.plan->line_count == solved.plan->n_lines &&
                        iso_line_sums_same_amounts(&sums);
    return give_reasons(e, solved.plan, answer, reterr);
}

enum iso_status iso_answer_why_this(struct iso_explanation *e, Isocost__V1__Answer *given,
                                    struct iso_error *reterr)
{
    const Isocost__V1__Plan *plan = e->given->plan;
    Isocost__V1__WhyThisAnswer *answer =
        iso_message_new(e->study->arena, &isocost__v1__why_this_answer__descriptor);

    if (!answer)
        return iso_explain_no_memory(reterr);
    if (!iso_study_has_cost(plan)) {
        iso_explain_note(given, "the plan runs nothing; ask for repairs");
        return ISO_OK;
    }
    given->answer_case = ISOCOST__V1__ANSWER__ANSWER_WHY_THIS;
    given->why_this = answer;
    answer->from_plan = wants(plan, ISOCOST__V1__WANT__WANT_RUNNERS_UP);
    answer->same_plan = answer->from_plan;
    return answer->from_plan ? give_reasons(e, plan, answer, reterr)
                             : solve_for_reasons(e, given, answer, reterr);
}

/* --- why not --- */

/* The term that is meant. NULL: the text is wrong, and a violation says so. */
static enum iso_status read_term(struct iso_explanation *e, Isocost__V1__SelectorTerm **ret_term,
                                 struct iso_error *reterr)
{
    const Isocost__V1__WhyNot *asked = e->asked->why_not;
    Isocost__V1__Change *change = NULL;
    struct iso_error error = {0};
    char *text;

    *ret_term = asked->offerings;
    if (!asked->text[0])
        return ISO_OK;
    *ret_term = NULL;
    text = iso_arena_printf(e->study->arena, "forbid.%s=on", asked->text);
    if (!text)
        return iso_explain_no_memory(reterr);
    enum iso_status status = iso_change_read(text, e->study->arena, &change, NULL, &error);
    if (status == ISO_OK && change->forbid && change->forbid->n_workloads == 0)
        *ret_term = change->forbid->offerings;
    else if (status != ISO_OK && status != ISO_E_INVALID)
        return iso_fail(reterr, status, error.field, "%s", error.text);
    if (!*ret_term)
        iso_explain_wrong(e, "text",
                          "\"%.100s\" is no selector of offerings; give an id, provider, "
                          "provider/region, or field:value as docs/reference/changes.md says",
                          asked->text);
    return ISO_OK;
}

/* Number of offerings of the catalog that are meant; *ret_selector is in the arena. */
static enum iso_status match(struct iso_explanation *e, Isocost__V1__SelectorTerm *term,
                             const struct iso_selector **ret_selector, int32_t *ret_n,
                             struct iso_error *reterr)
{
    Isocost__V1__SelectorTerm *terms[] = {term};
    Isocost__V1__Selector selector = ISOCOST__V1__SELECTOR__INIT;

    selector.include = terms;
    selector.n_include = 1;
    *ret_selector = iso_selector_compile(&selector, e->study->arena);
    if (!*ret_selector)
        return iso_explain_no_memory(reterr);
    *ret_n = 0;
    for (size_t i = 0; i < e->catalog->n; i++)
        *ret_n += iso_selector_matches(*ret_selector, &e->catalog->rows[i]);
    return ISO_OK;
}

enum iso_status iso_check_why_not(struct iso_explanation *e, struct iso_error *reterr)
{
    const Isocost__V1__WhyNot *asked = e->asked->why_not;
    const struct iso_selector *selector;
    Isocost__V1__SelectorTerm *term;
    int32_t n = 0;

    if (!(asked->minimum >= 0 && asked->minimum <= 1e9))
        iso_explain_wrong(e, "minimum", "%g; it must be in (0, 1e9], or 0 for 1", asked->minimum);
    if ((asked->text[0] != '\0') == (asked->offerings != NULL)) {
        iso_explain_wrong(e, "text",
                          asked->offerings ? "give either text or offerings"
                                           : "is missing; name some offerings");
        return ISO_OK;
    }
    ISO_TRY(read_term(e, &term, reterr));
    if (!term)
        return ISO_OK;
    ISO_TRY(match(e, term, &selector, &n, reterr));
    if (n > 0)
        return ISO_OK;
    const char *name = asked->text[0]          ? asked->text
                       : term->n_offering == 1 ? term->offering[0]
                                               : "";
    iso_explain_wrong(e, asked->text[0] ? "text" : "offerings",
                      "%s%s%s none of the %zu offerings of the plan's catalog%s",
                      name[0] ? "\"" : "", name, name[0] ? "\" matches" : "matches", e->catalog->n,
                      name[0] ? iso_nearest_names(name, &e->catalog->rows[0].id, e->catalog->n,
                                                  sizeof(e->catalog->rows[0]), e->study->arena)
                              : "");
    return ISO_OK;
}

/* Whether the plan runs any of the offerings. */
static enum iso_status is_used(struct iso_explanation *e, const struct iso_selector *selector,
                               bool *ret_used, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) scratch = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    struct iso_line_reader reader = iso_line_reader(e->given->lines);
    struct iso_bytes packed;

    *ret_used = false;
    if (!scratch)
        return iso_explain_no_memory(reterr);
    while (!*ret_used && iso_line_reader_next(&reader, &packed)) {
        Isocost__V1__PlanLine *line = iso_line_unpack(packed, scratch);
        if (!line)
            return iso_line_reader_fail(e->given->plan->id, scratch, reterr);
        int64_t row = line->kind == ISOCOST__V1__LINE_KIND__LINE_KIND_INSTANCE
                          ? iso_flat_catalog_find(e->catalog, line->offering)
                          : -1;
        *ret_used = row >= 0 && iso_selector_matches(selector, &e->catalog->rows[row]);
    }
    return reader.damaged ? iso_line_reader_fail(e->given->plan->id, scratch, reterr) : ISO_OK;
}

/* Solves with one change, and gives its effect. */
static enum iso_status solve_change(struct iso_explanation *e, Isocost__V1__Change *change,
                                    Isocost__V1__Answer *given, Isocost__V1__Effect **ret_effect,
                                    struct iso_error *reterr)
{
    struct iso_study_case solved = {0};
    const char *why_not;

    ISO_TRY(iso_explain_change(e, change, &solved.model, &why_not, reterr));
    if (solved.model) {
        ISO_TRY(iso_explain_solve(e, &solved, 1, ISO_STUDY_TOTALS, e->study->arena, reterr));
        why_not = solved.why_not;
    }
    given->complete = solved.plan != NULL;
    if (!solved.plan)
        iso_explain_note(given, why_not);
    *ret_effect = iso_explain_effect(e->given->plan, &solved, e->study->arena);
    return *ret_effect ? ISO_OK : iso_explain_no_memory(reterr);
}

static void forbid_or_require(const Isocost__V1__WhyNot *asked, Isocost__V1__WhyNotKind kind,
                              Isocost__V1__SelectorTerm *term, Isocost__V1__ForbidChange *forbid,
                              Isocost__V1__RequireChange *require, Isocost__V1__Change *change)
{
    isocost__v1__forbid_change__init(forbid);
    isocost__v1__require_change__init(require);
    forbid->offerings = require->offerings = term;
    require->minimum = asked->minimum > 0 ? asked->minimum : 1;
    if (kind == ISOCOST__V1__WHY_NOT_KIND__WHY_NOT_KIND_FORBID) {
        change->change_case = ISOCOST__V1__CHANGE__CHANGE_FORBID;
        change->forbid = forbid;
    } else {
        change->change_case = ISOCOST__V1__CHANGE__CHANGE_REQUIRE;
        change->require = require;
    }
}

enum iso_status iso_answer_why_not(struct iso_explanation *e, Isocost__V1__Answer *given,
                                   struct iso_error *reterr)
{
    const Isocost__V1__WhyNot *asked = e->asked->why_not;
    Isocost__V1__Change change = ISOCOST__V1__CHANGE__INIT;
    Isocost__V1__ForbidChange forbid;
    Isocost__V1__RequireChange require;
    Isocost__V1__WhyNotAnswer *answer =
        iso_message_new(e->study->arena, &isocost__v1__why_not_answer__descriptor);
    const struct iso_selector *selector;
    Isocost__V1__SelectorTerm *term;
    bool used;

    if (!answer)
        return iso_explain_no_memory(reterr);
    ISO_TRY(read_term(e, &term, reterr));
    ISO_TRY(match(e, term, &selector, &answer->offering_count, reterr));
    ISO_TRY(is_used(e, selector, &used, reterr));
    answer->used = used;
    answer->kind = asked->kind;
    if (asked->kind == ISOCOST__V1__WHY_NOT_KIND__WHY_NOT_KIND_UNSPECIFIED)
        answer->kind = used ? ISOCOST__V1__WHY_NOT_KIND__WHY_NOT_KIND_FORBID
                            : ISOCOST__V1__WHY_NOT_KIND__WHY_NOT_KIND_REQUIRE;
    forbid_or_require(asked, answer->kind, term, &forbid, &require, &change);
    given->answer_case = ISOCOST__V1__ANSWER__ANSWER_WHY_NOT;
    given->why_not = answer;
    return solve_change(e, &change, given, &answer->effect, reterr);
}

/* --- what a rule costs --- */

enum iso_status iso_check_rule_cost(struct iso_explanation *e, struct iso_error *reterr)
{
    const char *rule = e->asked->rule_cost->rule;

    (void)reterr;
    if (!has(e->names->rules, e->names->n_rules, rule))
        iso_explain_wrong(e, "rule", "no rule has the id \"%.64s\"%s", rule,
                          iso_nearest_names(rule, e->names->rules, e->names->n_rules,
                                            sizeof(char *), e->study->arena));
    return ISO_OK;
}

enum iso_status iso_answer_rule_cost(struct iso_explanation *e, Isocost__V1__Answer *given,
                                     struct iso_error *reterr)
{
    Isocost__V1__Change change = ISOCOST__V1__CHANGE__INIT;
    Isocost__V1__RuleChange off = ISOCOST__V1__RULE_CHANGE__INIT;
    Isocost__V1__RuleCostAnswer *answer =
        iso_message_new(e->study->arena, &isocost__v1__rule_cost_answer__descriptor);

    if (!answer)
        return iso_explain_no_memory(reterr);
    off.rule = e->asked->rule_cost->rule;
    change.change_case = ISOCOST__V1__CHANGE__CHANGE_RULE;
    change.rule = &off;
    given->answer_case = ISOCOST__V1__ANSWER__ANSWER_RULE_COST;
    given->rule_cost = answer;
    return solve_change(e, &change, given, &answer->without, reterr);
}

/* --- repairs --- */

enum iso_status iso_check_repairs(struct iso_explanation *e, struct iso_error *reterr)
{
    int most = e->asked->repairs->maximum_conflicts;

    (void)reterr;
    if (most < 0 || most > MOST_CONFLICTS)
        iso_explain_wrong(e, "maximum_conflicts", "%d; it must be in [0, %d]", most,
                          MOST_CONFLICTS);
    return ISO_OK;
}

enum iso_status iso_answer_repairs(struct iso_explanation *e, Isocost__V1__Answer *given,
                                   struct iso_error *reterr)
{
    Isocost__V1__RepairsAnswer *answer =
        iso_message_new(e->study->arena, &isocost__v1__repairs_answer__descriptor);
    int most = e->asked->repairs->maximum_conflicts;
    Isocost__V1__Model *model = iso_study_model(e->study, e->model);
    struct iso_study_case solved = {.model = model};

    if (!answer || !model)
        return iso_explain_no_memory(reterr);
    given->answer_case = ISOCOST__V1__ANSWER__ANSWER_REPAIRS;
    given->repairs = answer;
    if (iso_study_has_cost(e->given->plan)) {
        iso_explain_note(given, "the plan's model is feasible; there is nothing to repair");
        return ISO_OK;
    }
    model->options->maximum_conflicts = most > 0 ? most : MOST_CONFLICTS;
    ISO_TRY(iso_explain_solve(e, &solved, 1, ISO_STUDY_WHOLE, e->study->arena, reterr));
    given->complete = solved.plan != NULL;
    if (!solved.plan || !solved.plan->termination)
        return ISO_OK;
    answer->infeasible = solved.plan->termination->reason ==
                         ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_INFEASIBLE;
    answer->conflicts = solved.plan->conflicts;
    answer->n_conflicts = solved.plan->n_conflicts;
    answer->relaxations = solved.plan->relaxations;
    answer->n_relaxations = solved.plan->n_relaxations;
    return ISO_OK;
}

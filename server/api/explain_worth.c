/* What more room in a limit or budget is worth: the best plan with one unit more. */
#include <math.h>
#include <stdio.h>

#include "explain.h"
#include "isocost/proto/money.h"
#include "message_new.h"
#include "nearest.h"

#define RULES_MAX 100

static bool is_hard(const Isocost__V1__Policy *policy)
{
    return !policy || policy->kind <= ISOCOST__V1__POLICY_KIND__POLICY_KIND_HARD;
}

static const Isocost__V1__Limit *find_limit(const Isocost__V1__Model *model, const char *id,
                                            size_t *ret_place)
{
    for (*ret_place = 0; *ret_place < model->n_limits; ++*ret_place)
        if (strcmp(model->limits[*ret_place]->id, id) == 0)
            return model->limits[*ret_place];
    return NULL;
}

static const Isocost__V1__Budget *find_budget(const Isocost__V1__Model *model, const char *id,
                                              size_t *ret_place)
{
    for (*ret_place = 0; *ret_place < model->n_budgets; ++*ret_place)
        if (strcmp(model->budgets[*ret_place]->id, id) == 0)
            return model->budgets[*ret_place];
    return NULL;
}

enum iso_status iso_check_limit_worth(struct iso_explanation *e, struct iso_error *reterr)
{
    const Isocost__V1__LimitWorth *asked = e->asked->limit_worth;
    char member[32];
    size_t place;

    (void)reterr;
    if (!(asked->by >= 0 && asked->by <= 1e9))
        iso_explain_wrong(e, "by", "%g; it must be in (0, 1e9], or 0 for 1", asked->by);
    if (asked->n_rules > RULES_MAX)
        iso_explain_wrong(e, "rules", "%zu; at most %d are allowed", asked->n_rules, RULES_MAX);
    for (size_t i = 0; i < asked->n_rules; i++) {
        const Isocost__V1__Limit *limit = find_limit(e->model, asked->rules[i], &place);
        snprintf(member, sizeof(member), "rules[%zu]", i);
        if (limit ? limit->bound_case == ISOCOST__V1__LIMIT__BOUND_MAXIMUM
                  : find_budget(e->model, asked->rules[i], &place) != NULL)
            continue;
        if (limit)
            iso_explain_wrong(e, member, "limit %.64s is a minimum; only caps have room",
                              asked->rules[i]);
        else
            iso_explain_wrong(e, member, "no limit or budget has the id \"%.64s\"%s",
                              asked->rules[i],
                              iso_nearest_names(asked->rules[i], e->names->rules, e->names->n_rules,
                                                sizeof(char *), e->study->arena));
    }
    return ISO_OK;
}

/* --- the models --- */

static void *own(struct iso_explanation *e, const void *message, size_t size)
{
    void *copy = iso_arena_calloc(e->study->arena, 1, size);

    if (copy)
        memcpy(copy, message, size);
    return copy;
}

static bool raise_limit(struct iso_explanation *e, Isocost__V1__Model *model, size_t place,
                        double by)
{
    model->limits = own(e, model->limits, (model->n_limits + 1) * sizeof(*model->limits));
    Isocost__V1__Limit *limit = model->limits ? own(e, model->limits[place], sizeof(*limit)) : NULL;
    if (!limit)
        return false;
    limit->maximum = round((limit->maximum + by) * 1e9) / 1e9;
    model->limits[place] = limit;
    return true;
}

static bool raise_budget(struct iso_explanation *e, Isocost__V1__Model *model, size_t place,
                         iso_decimal by)
{
    struct iso_arena *arena = e->study->arena;

    model->budgets = own(e, model->budgets, model->n_budgets * sizeof(*model->budgets));
    Isocost__V1__Budget *budget =
        model->budgets ? own(e, model->budgets[place], sizeof(*budget)) : NULL;
    if (!budget)
        return false;
    model->budgets[place] = budget;
    budget->windows = own(e, budget->windows, budget->n_windows * sizeof(*budget->windows));
    for (size_t w = 0; budget->windows && w < budget->n_windows; w++) {
        Isocost__V1__BudgetWindow *window = own(e, budget->windows[w], sizeof(*window));
        iso_decimal amount = 0;
        if (!window)
            return false;
        iso_money_to_decimal(window->amount, &amount, NULL);
        if (!iso_wide_to_decimal((iso_wide)amount + by, &amount))
            amount = ISO_DECIMAL_MAX;
        window->amount = iso_money_from_decimal(amount, window->amount->currency_code, arena);
        if (!window->amount)
            return false;
        budget->windows[w] = window;
    }
    return budget->windows != NULL;
}

static const Isocost__V1__Model *raised(struct iso_explanation *e, const char *rule, double by)
{
    Isocost__V1__Model *model = iso_study_model(e->study, e->model);
    iso_decimal exact = ISO_DECIMAL_ONE;
    size_t place;

    if (!model)
        return NULL;
    if (find_limit(model, rule, &place))
        return raise_limit(e, model, place, by) ? model : NULL;
    iso_decimal_from_double(round(by * 1e9) / 1e9, &exact, NULL);
    return find_budget(model, rule, &place) && raise_budget(e, model, place, exact) ? model : NULL;
}

/* --- the answer --- */

/* The rules asked about; without any all hard caps. */
static char **choose(struct iso_explanation *e, size_t *ret_n)
{
    const Isocost__V1__LimitWorth *asked = e->asked->limit_worth;
    const Isocost__V1__Model *model = e->model;
    char **rules = iso_arena_calloc(e->study->arena, RULES_MAX, sizeof(*rules));
    size_t n = 0;

    *ret_n = asked->n_rules;
    if (asked->n_rules > 0 || !rules)
        return asked->n_rules > 0 ? asked->rules : NULL;
    for (size_t i = 0; i < model->n_limits && n < RULES_MAX; i++)
        if (!model->limits[i]->disabled && is_hard(model->limits[i]->policy) &&
            model->limits[i]->bound_case == ISOCOST__V1__LIMIT__BOUND_MAXIMUM)
            rules[n++] = model->limits[i]->id;
    for (size_t i = 0; i < model->n_budgets && n < RULES_MAX; i++)
        if (!model->budgets[i]->disabled && is_hard(model->budgets[i]->policy))
            rules[n++] = model->budgets[i]->id;
    *ret_n = n;
    return rules;
}

/* Sum of the estimates of a rule over periods and windows; NULL when the plan has none. */
static Google__Type__Money *estimate_of(struct iso_explanation *e, const char *rule)
{
    const Isocost__V1__Plan *plan = e->given->plan;
    const char *currency = NULL;
    iso_wide sum = 0;
    iso_decimal worth, narrow = 0;

    for (size_t i = 0; i < plan->n_binding_rules; i++) {
        const Isocost__V1__BindingRule *row = plan->binding_rules[i];
        if (strcmp(row->rule, rule) != 0 || !row->worth ||
            iso_money_to_decimal(row->worth, &worth, NULL) != ISO_OK)
            continue;
        currency = row->worth->currency_code;
        sum += worth;
    }
    return currency && iso_wide_to_decimal(sum, &narrow)
               ? iso_money_from_decimal(narrow, currency, e->study->arena)
               : NULL;
}

static enum iso_status add_row(struct iso_explanation *e, Isocost__V1__LimitWorthAnswer *answer,
                               char *rule, double by, const struct iso_study_case *solved,
                               struct iso_error *reterr)
{
    Isocost__V1__LimitWorthRow *row =
        iso_message_new(e->study->arena, &isocost__v1__limit_worth_row__descriptor);

    if (!row)
        return iso_explain_no_memory(reterr);
    row->rule = rule;
    row->by = by;
    row->estimate = estimate_of(e, rule);
    row->effect = iso_explain_effect(e->given->plan, solved, e->study->arena);
    answer->rows[answer->n_rows++] = row;
    return row->effect ? ISO_OK : iso_explain_no_memory(reterr);
}

enum iso_status iso_answer_limit_worth(struct iso_explanation *e, Isocost__V1__Answer *given,
                                       struct iso_error *reterr)
{
    Isocost__V1__LimitWorthAnswer *answer =
        iso_message_new(e->study->arena, &isocost__v1__limit_worth_answer__descriptor);
    double by = e->asked->limit_worth->by > 0 ? e->asked->limit_worth->by : 1;
    size_t n = 0;
    char **rules = choose(e, &n);
    struct iso_study_case *cases = iso_arena_calloc(e->study->arena, n + 1, sizeof(*cases));

    if (!answer || !rules || !cases)
        return iso_explain_no_memory(reterr);
    answer->rows = iso_arena_calloc(e->study->arena, n + 1, sizeof(*answer->rows));
    given->answer_case = ISOCOST__V1__ANSWER__ANSWER_LIMIT_WORTH;
    given->limit_worth = answer;
    for (size_t i = 0; i < n; i++) {
        cases[i].model = raised(e, rules[i], by);
        if (!cases[i].model || !answer->rows)
            return iso_explain_no_memory(reterr);
    }
    ISO_TRY(iso_explain_solve(e, cases, n, ISO_STUDY_TOTALS, e->study->arena, reterr));
    for (size_t i = 0; i < n; i++) {
        given->complete = given->complete && cases[i].plan;
        ISO_TRY(add_row(e, answer, rules[i], by, &cases[i], reterr));
    }
    if (n == 0)
        iso_explain_note(given, "the model has no hard cap");
    return ISO_OK;
}

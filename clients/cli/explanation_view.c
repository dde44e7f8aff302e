#include <math.h>
#include <string.h>

#include "cents.h"
#include "plan_explain.h"
#include "plan_view.h"
#include "table.h"

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* --- effects --- */

static bool has_plan(const Isocost__V1__Effect *effect)
{
    return effect && effect->cost;
}

/* "+90.00 USD" */
static const char *signed_money(const struct iso_view *view, const Google__Type__Money *money)
{
    if (!money)
        return "";
    return or_empty(iso_arena_printf(view->arena, "%s%s", iso_money_nanos(money) > 0 ? "+" : "",
                                     iso_view_money(view, money)));
}

/* The ends between which the difference of the best lies, where they are apart as shown. */
static const char *range_of(const struct iso_view *view, const Isocost__V1__Effect *effect)
{
    if (!effect || !effect->range)
        return "";
    if (fabs(effect->range->highest - effect->range->lowest) < 0.005)
        return "exact";
    return or_empty(iso_arena_printf(view->arena, "%.2f to %.2f", effect->range->lowest,
                                     effect->range->highest));
}

static const char *cost_of(const struct iso_view *view, const Isocost__V1__Effect *effect)
{
    if (has_plan(effect))
        return iso_view_money(view, effect->cost);
    return effect &&
                   effect->reason == ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_INFEASIBLE
               ? "not possible"
               : "not known";
}

/* What of the service changes, or which rules stand against it. */
static const char *note_of(const struct iso_view *view, const Isocost__V1__Effect *effect)
{
    const char *text = "";

    for (size_t i = 0; effect && i < effect->n_tiers && text; i++)
        text = iso_arena_printf(view->arena, "%s%s%s from %s to %s", text, i ? ", " : "",
                                effect->tiers[i]->name,
                                iso_view_number(view, effect->tiers[i]->before),
                                iso_view_number(view, effect->tiers[i]->after));
    if (effect && effect->n_conflicts > 0) {
        const Isocost__V1__Conflict *conflict = effect->conflicts[0];
        text = "cannot hold together:";
        for (size_t i = 0; text && i < conflict->n_rules && i < 6; i++)
            text = iso_arena_printf(view->arena, "%s %s", text, conflict->rules[i]->rule);
    }
    return or_empty(text);
}

static bool print_effect(const struct iso_view *view, const char *title, const char *subject,
                         const Isocost__V1__Effect *effect)
{
    static const struct iso_column columns[] = {{"", false},    {"COST THEN", true},
                                                {"COST", true}, {"OBJECTIVE", true},
                                                {"SURE", true}, {"NOTE", false}};
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));

    if (!table)
        return false;
    iso_table_add(table,
                  (const char *[]){subject, cost_of(view, effect),
                                   signed_money(view, effect ? effect->cost_difference : NULL),
                                   signed_money(view, effect ? effect->objective_difference : NULL),
                                   range_of(view, effect), note_of(view, effect)});
    iso_view_title(view, "%s", title);
    return iso_table_print(table, view->stream);
}

/* --- kinds of answers --- */

static bool print_why_this(const struct iso_view *view, const Isocost__V1__WhyThisAnswer *answer)
{
    static const struct iso_column columns[] = {{"WORKLOAD", false}, {"PERIOD", false},
                                                {"CHOSEN", false},   {"RUNNER-UP", false},
                                                {"DEARER BY", true}, {"WHY", false}};
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    Isocost__V1__Plan limits = ISOCOST__V1__PLAN__INIT;

    for (size_t i = 0; table && i < answer->n_runners_up; i++) {
        const Isocost__V1__RunnerUp *row = answer->runners_up[i];
        iso_table_add(table,
                      (const char *[]){row->user, row->period, row->chosen, row->offering,
                                       iso_view_exact(view, row->reduced_cost), row->reason});
    }
    iso_view_title(view, "Why these, and why the runner-up lost%s",
                   answer->from_plan   ? ""
                   : answer->same_plan ? " (from another solve, which gave the same plan)"
                                       : " (from another solve, whose plan is as good)");
    if (answer->n_runners_up == 0)
        fputs("Nothing else could serve any of it.\n", view->stream);
    else if (!table || !iso_table_print(table, view->stream))
        return false;
    limits.binding_rules = answer->binding_rules;
    limits.n_binding_rules = answer->n_binding_rules;
    return iso_plan_view_binding(view, &limits);
}

static bool print_why_not(const struct iso_view *view, const char *subject,
                          const Isocost__V1__WhyNotAnswer *answer)
{
    bool forbids = answer->kind == ISOCOST__V1__WHY_NOT_KIND__WHY_NOT_KIND_FORBID;
    const char *title =
        forbids ? "What it costs to do without it" : "What it costs to have it in each period";

    return print_effect(view, title, subject, answer->effect);
}

static const char *times(const struct iso_view *view, double factor,
                         const Google__Type__Money *price)
{
    double amount = (double)iso_money_nanos(price) * 1e-9 * factor;

    return or_empty(iso_arena_printf(view->arena, "%.6g %s (x %.4g)", amount,
                                     price ? price->currency_code : "", factor));
}

static void print_side(const struct iso_view *view, const Isocost__V1__PriceRangeAnswer *answer,
                       double stays, double changes, const char *beyond)
{
    if (stays != 1)
        fprintf(view->stream, "The plan stays best %s to %s.\n", stays < 1 ? "down" : "up",
                times(view, stays, answer->price));
    if (changes != 0)
        fprintf(view->stream, "%s %s another plan is cheaper.\n", beyond,
                times(view, changes, answer->price));
}

static bool print_points(const struct iso_view *view, const Isocost__V1__PriceRangeAnswer *answer)
{
    static const struct iso_column columns[] = {
        {"PRICE", true}, {"THE PLAN", true}, {"BEST FOUND", true}, {"NO LESS THAN", true}};
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));

    for (size_t i = 0; table && i < answer->n_points; i++) {
        const Isocost__V1__PricePoint *point = answer->points[i];
        iso_table_add(table, (const char *[]){times(view, point->factor, answer->price),
                                              iso_view_number(view, point->plan_objective),
                                              iso_view_number(view, point->best_objective),
                                              iso_view_number(view, point->bound)});
    }
    return answer->n_points == 0 || (table && iso_table_print(table, view->stream));
}

static bool print_price(const struct iso_view *view, const char *subject,
                        const Isocost__V1__PriceRangeAnswer *answer)
{
    iso_view_title(view, "How far the price of %s may move from %s", subject,
                   iso_view_exact(view, answer->price));
    if (answer->interval) {
        print_side(view, answer, answer->stays_from, answer->changes_below, "Below");
        print_side(view, answer, answer->stays_to, answer->changes_above, "Above");
    }
    return print_points(view, answer);
}

static bool print_worth(const struct iso_view *view, const Isocost__V1__LimitWorthAnswer *answer)
{
    static const struct iso_column columns[] = {
        {"RULE", false}, {"MORE BY", true},      {"COST", true}, {"OBJECTIVE", true},
        {"SURE", true},  {"ESTIMATE WAS", true}, {"NOTE", false}};
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));

    iso_view_title(view, "What more room in each cap is worth");
    for (size_t i = 0; table && i < answer->n_rows; i++) {
        const Isocost__V1__LimitWorthRow *row = answer->rows[i];
        iso_table_add(table, (const char *[]){row->rule, iso_view_number(view, row->by),
                                              signed_money(view, row->effect->cost_difference),
                                              signed_money(view, row->effect->objective_difference),
                                              range_of(view, row->effect),
                                              iso_view_exact(view, row->estimate),
                                              note_of(view, row->effect)});
    }
    return answer->n_rows == 0 || (table && iso_table_print(table, view->stream));
}

static bool print_quotas(const struct iso_view *view, const char *subject,
                         const Isocost__V1__QuotaRaisesAnswer *answer)
{
    static const struct iso_column columns[] = {
        {"RAISE", false}, {"KIND", false}, {"NOW", true}, {"NEEDED", true}};
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));

    for (size_t i = 0; table && i < answer->n_raises; i++) {
        const Isocost__V1__QuotaRaise *raise = answer->raises[i];
        iso_table_add(
            table,
            (const char *[]){raise->id, raise->quota ? "quota" : "limit",
                             iso_view_number(view, raise->current),
                             raise->opt_needed_case ? iso_view_number(view, raise->needed) : ""});
    }
    iso_view_title(view, "The fewest raises that come within %s of %s, the cost without any cap",
                   subject, iso_view_money(view, answer->unlimited_cost));
    if (answer->found && answer->n_raises == 0)
        fputs("Nothing need be raised.\n", view->stream);
    else if (!table || !iso_table_print(table, view->stream))
        return false;
    if (!answer->found)
        fputs("None were found.\n", view->stream);
    fprintf(view->stream, "%s",
            answer->smallest ? "No fewer do; that is proved." : "Fewer may do:");
    fprintf(view->stream, " At least %d of %d caps must be raised.\n", answer->at_least,
            answer->candidate_count);
    return answer->n_raises == 0 ||
           print_effect(view, "What the raises do", "raised", answer->effect);
}

static bool print_repairs(const struct iso_view *view, const Isocost__V1__RepairsAnswer *answer)
{
    Isocost__V1__Plan plan = ISOCOST__V1__PLAN__INIT;
    Isocost__V1__Termination termination = ISOCOST__V1__TERMINATION__INIT;

    if (!answer->infeasible)
        return true;
    termination.reason = ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_INFEASIBLE;
    plan.termination = &termination;
    plan.conflicts = answer->conflicts;
    plan.n_conflicts = answer->n_conflicts;
    plan.relaxations = answer->relaxations;
    plan.n_relaxations = answer->n_relaxations;
    return iso_plan_view_infeasible(view, &plan);
}

/* --- any --- */

const char *iso_explanation_subject(const struct iso_view *view,
                                    const Isocost__V1__Question *question)
{
    switch (question->question_case) {
    case ISOCOST__V1__QUESTION__QUESTION_WHY_THIS:
        return question->why_this->user;
    case ISOCOST__V1__QUESTION__QUESTION_WHY_NOT:
        return question->why_not->text;
    case ISOCOST__V1__QUESTION__QUESTION_RULE_COST:
        return question->rule_cost->rule;
    case ISOCOST__V1__QUESTION__QUESTION_PRICE_RANGE:
        return question->price_range->offering;
    case ISOCOST__V1__QUESTION__QUESTION_QUOTA_RAISES:
        return iso_view_percent(view, question->quota_raises->within);
    default:
        return "";
    }
}

static bool print_answer(const struct iso_view *view, const char *subject,
                         const Isocost__V1__Answer *answer)
{
    switch (answer->answer_case) {
    case ISOCOST__V1__ANSWER__ANSWER_WHY_THIS:
        return print_why_this(view, answer->why_this);
    case ISOCOST__V1__ANSWER__ANSWER_WHY_NOT:
        return print_why_not(view, subject, answer->why_not);
    case ISOCOST__V1__ANSWER__ANSWER_RULE_COST:
        return print_effect(view, "What leaving the rule out does", subject,
                            answer->rule_cost->without);
    case ISOCOST__V1__ANSWER__ANSWER_PRICE_RANGE:
        return print_price(view, subject, answer->price_range);
    case ISOCOST__V1__ANSWER__ANSWER_LIMIT_WORTH:
        return print_worth(view, answer->limit_worth);
    case ISOCOST__V1__ANSWER__ANSWER_QUOTA_RAISES:
        return answer->quota_raises->unlimited_cost
                   ? print_quotas(view, subject, answer->quota_raises)
                   : true;
    case ISOCOST__V1__ANSWER__ANSWER_REPAIRS:
        return print_repairs(view, answer->repairs);
    default:
        return true;
    }
}

bool iso_explanation_view_print(const struct iso_view *view, const Isocost__V1__Question *question,
                                const Isocost__V1__Answer *answer)
{
    bool enough = print_answer(view, iso_explanation_subject(view, question), answer);

    if (answer->note[0])
        fprintf(view->stream, "Note: %s.\n", answer->note);
    return enough;
}

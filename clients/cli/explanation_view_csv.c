/* Answers as figures, one a row. */
#include "csv_cell.h"
#include "plan_explain.h"

/* The cells that come before a figure. */
struct place {
    FILE *stream;
    const char *question, *asked;
};

static void begin(const struct place *place, const char *name)
{
    iso_csv_text(place->question, ',', place->stream);
    iso_csv_text(place->asked, ',', place->stream);
    iso_csv_text(name, ',', place->stream);
}

static void put_number(const struct place *place, const char *name, double value)
{
    begin(place, name);
    iso_csv_number(value, ',', place->stream);
    fputc('\n', place->stream);
}

static void put_text(const struct place *place, const char *name, const char *value)
{
    begin(place, name);
    iso_csv_text(value, ',', place->stream);
    fputc('\n', place->stream);
}

static void put_money(const struct place *place, const char *name, const Google__Type__Money *value)
{
    if (!value)
        return;
    begin(place, name);
    iso_csv_money(value, ',', place->stream);
    iso_csv_text(value->currency_code, '\n', place->stream);
}

static void put_effect(const struct iso_view *view, const struct place *place,
                       const Isocost__V1__Effect *effect)
{
    if (!effect)
        return;
    put_text(
        place, "ended",
        iso_view_enum(view, &isocost__v1__termination_reason__descriptor, (int)effect->reason));
    put_money(place, "cost", effect->cost);
    put_money(place, "cost_difference", effect->cost_difference);
    put_money(place, "objective_difference", effect->objective_difference);
    if (effect->range) {
        put_number(place, "lowest", effect->range->lowest);
        put_number(place, "highest", effect->range->highest);
    }
    for (size_t i = 0; i < effect->n_tiers; i++) {
        put_number(place, "before", effect->tiers[i]->before);
        put_number(place, effect->tiers[i]->name, effect->tiers[i]->after);
    }
}

static void put_why_this(const struct place *place, const Isocost__V1__WhyThisAnswer *answer)
{
    for (size_t i = 0; i < answer->n_runners_up; i++) {
        const Isocost__V1__RunnerUp *row = answer->runners_up[i];
        const struct place own = {place->stream, "runner-up", row->chosen};
        put_text(&own, "period", row->period);
        put_text(&own, "offering", row->offering);
        put_money(&own, "reduced_cost", row->reduced_cost);
    }
    for (size_t i = 0; i < answer->n_binding_rules; i++) {
        const Isocost__V1__BindingRule *row = answer->binding_rules[i];
        const struct place own = {place->stream, "binding-rule", row->rule};
        put_text(&own, "period", row->period);
        put_number(&own, "value", row->value);
        put_number(&own, "limit", row->limit);
        put_money(&own, "worth", row->worth);
    }
}

static void put_price(const struct place *place, const Isocost__V1__PriceRangeAnswer *answer)
{
    put_money(place, "price", answer->price);
    put_text(place, "interval", answer->interval ? "true" : "false");
    put_number(place, "stays_from", answer->stays_from);
    put_number(place, "stays_to", answer->stays_to);
    put_number(place, "changes_below", answer->changes_below);
    put_number(place, "changes_above", answer->changes_above);
    for (size_t i = 0; i < answer->n_points; i++) {
        put_number(place, "factor", answer->points[i]->factor);
        put_number(place, "plan_objective", answer->points[i]->plan_objective);
        put_number(place, "best_objective", answer->points[i]->best_objective);
        put_number(place, "bound", answer->points[i]->bound);
    }
}

static void put_worth(const struct iso_view *view, const struct place *place,
                      const Isocost__V1__LimitWorthAnswer *answer)
{
    for (size_t i = 0; i < answer->n_rows; i++) {
        const struct place own = {place->stream, place->question, answer->rows[i]->rule};
        put_number(&own, "by", answer->rows[i]->by);
        put_money(&own, "estimate", answer->rows[i]->estimate);
        put_effect(view, &own, answer->rows[i]->effect);
    }
}

static void put_quotas(const struct iso_view *view, const struct place *place,
                       const Isocost__V1__QuotaRaisesAnswer *answer)
{
    put_money(place, "unlimited_cost", answer->unlimited_cost);
    put_number(place, "target", answer->target);
    put_number(place, "at_least", answer->at_least);
    put_text(place, "smallest", answer->smallest ? "true" : "false");
    for (size_t i = 0; i < answer->n_raises; i++) {
        const struct place own = {place->stream, "raise", answer->raises[i]->id};
        put_number(&own, "current", answer->raises[i]->current);
        if (answer->raises[i]->opt_needed_case)
            put_number(&own, "needed", answer->raises[i]->needed);
    }
    put_effect(view, place, answer->effect);
}

static void put_repairs(const struct place *place, const Isocost__V1__RepairsAnswer *answer)
{
    for (size_t i = 0; i < answer->n_conflicts; i++)
        for (size_t k = 0; k < answer->conflicts[i]->n_rules; k++)
            put_text(
                &(struct place){place->stream, "conflict", answer->conflicts[i]->rules[k]->rule},
                "text", answer->conflicts[i]->rules[k]->text);
    for (size_t i = 0; i < answer->n_relaxations; i++) {
        const Isocost__V1__Relaxation *row = answer->relaxations[i];
        const struct place own = {place->stream, "repair", row->rule};
        put_text(&own, "text", row->text);
        put_number(&own, "current", row->current);
        put_number(&own, "needed", row->needed);
        put_money(&own, "cost", row->cost);
    }
}

static void put_answer(const struct iso_view *view, const char *asked,
                       const Isocost__V1__Answer *answer)
{
    FILE *out = view->stream;

    switch (answer->answer_case) {
    case ISOCOST__V1__ANSWER__ANSWER_WHY_THIS:
        put_why_this(&(struct place){out, "why-this", asked}, answer->why_this);
        break;
    case ISOCOST__V1__ANSWER__ANSWER_WHY_NOT:
        put_effect(view,
                   &(struct place){out,
                                   iso_view_enum(view, &isocost__v1__why_not_kind__descriptor,
                                                 (int)answer->why_not->kind),
                                   asked},
                   answer->why_not->effect);
        break;
    case ISOCOST__V1__ANSWER__ANSWER_RULE_COST:
        put_effect(view, &(struct place){out, "rule", asked}, answer->rule_cost->without);
        break;
    case ISOCOST__V1__ANSWER__ANSWER_PRICE_RANGE:
        put_price(&(struct place){out, "price", asked}, answer->price_range);
        break;
    case ISOCOST__V1__ANSWER__ANSWER_LIMIT_WORTH:
        put_worth(view, &(struct place){out, "worth", asked}, answer->limit_worth);
        break;
    case ISOCOST__V1__ANSWER__ANSWER_QUOTA_RAISES:
        put_quotas(view, &(struct place){out, "quotas", asked}, answer->quota_raises);
        break;
    case ISOCOST__V1__ANSWER__ANSWER_REPAIRS:
        put_repairs(&(struct place){out, "repairs", asked}, answer->repairs);
        break;
    default:
        break;
    }
}

void iso_explanation_view_csv(const struct iso_view *view, Isocost__V1__Question *const *questions,
                              Isocost__V1__Answer *const *answers, size_t n)
{
    fputs("question,asked,name,value,currency\n", view->stream);
    for (size_t i = 0; i < n; i++)
        put_answer(view, iso_explanation_subject(view, questions[i]), answers[i]);
}

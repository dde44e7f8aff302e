/* Rules in the user's own words. */
#include "plan_parts.h"

bool iso_rule_is_known(const struct iso_problem *problem, struct iso_rule rule)
{
    bool workload = rule.a >= 0 && rule.a < problem->n_workloads;
    const struct iso_workload *of = workload ? &problem->workloads[rule.a] : NULL;

    switch (rule.kind) {
    case ISO_RULE_DEMAND:
        return workload && rule.b >= -1 && rule.b < problem->n_periods;
    case ISO_RULE_ALLOWED:
        return workload;
    case ISO_RULE_LIMIT:
        return rule.a >= 0 && rule.a < problem->n_limits;
    case ISO_RULE_BUDGET:
        return rule.a >= 0 && rule.a < problem->n_budgets;
    case ISO_RULE_SHARE:
        return workload && rule.b >= 0 && rule.b < of->n_shares;
    case ISO_RULE_SURVIVE:
        return workload && rule.b >= 0 && rule.b < of->n_survive;
    case ISO_RULE_SPREAD:
        return workload && rule.b >= 0 && rule.b < of->n_spread;
    case ISO_RULE_MOVES:
        return problem->moves.present;
    case ISO_RULE_RAMP:
        return workload && of->ramp;
    case ISO_RULE_BOX:
        return workload && of->box;
    case ISO_RULE_AFFINITY:
        return workload && rule.b >= 0 && rule.b < of->n_affinities;
    case ISO_RULE_LATENCY:
        return workload && rule.b >= 0 && rule.b < of->n_traffic;
    }
    return false;
}

static const Isocost__V1__Workload *find_workload(const Isocost__V1__Model *model, const char *id)
{
    for (size_t i = 0; i < model->n_workloads; i++)
        if (strcmp(model->workloads[i]->id, id) == 0)
            return model->workloads[i];
    return NULL;
}

/* Unit of a workload's demand with a space before it, or "". */
static const char *demand_unit(const struct iso_plan_writer *writer,
                               const struct iso_workload *workload)
{
    const Isocost__V1__Workload *model = find_workload(writer->model, workload->id);
    if (workload->replicas)
        return " replicas";
    if (!model || model->demand_case != ISOCOST__V1__WORKLOAD__DEMAND_THROUGHPUT ||
        model->throughput->unit[0] == '\0')
        return "";
    const char *text = iso_arena_printf(writer->arena, " %s", model->throughput->unit);
    return text ? text : "";
}

static const char *metric_unit(const struct iso_plan_writer *writer, const char *limit)
{
    static const char *const units[] = {" instances",     " instances", " vCPU",
                                        " GiB memory",    " GPU",       " GiB local disk",
                                        " kg CO2 an hour"};
    for (size_t i = 0; i < writer->model->n_limits; i++) {
        const Isocost__V1__Limit *model = writer->model->limits[i];
        if (strcmp(model->id, limit) == 0 && (size_t)model->metric < ISO_ARRAY_LENGTH(units))
            return units[model->metric];
    }
    return "";
}

static const char *level_name(enum iso_level level)
{
    static const char *const names[] = {"zone", "region", "provider"};
    return names[level];
}

static const char *demand_text(const struct iso_plan_writer *writer, struct iso_rule rule)
{
    const struct iso_problem *problem = writer->problem;
    const struct iso_workload *workload = &problem->workloads[rule.a];
    char amount[ISO_DECIMAL_TEXT_SIZE];
    iso_decimal most = 0;

    if (rule.b >= 0)
        return iso_arena_printf(writer->arena, "%s must be served: %s%s in period %s", workload->id,
                                iso_decimal_format(workload->required[rule.b], amount),
                                demand_unit(writer, workload), problem->periods[rule.b].id);
    for (int32_t t = 0; t < problem->n_periods; t++)
        if (workload->required[t] > most)
            most = workload->required[t];
    return iso_arena_printf(writer->arena, "%s must be served: up to %s%s", workload->id,
                            iso_decimal_format(most, amount), demand_unit(writer, workload));
}

/* Says what became of the candidates, as far as the filters counted. */
static const char *allowed_text(const struct iso_plan_writer *writer,
                                const struct iso_workload *workload)
{
    const struct iso_resolved *resolved = writer->resolved;
    char *text = iso_arena_printf(writer->arena, "no offering is usable for %s", workload->id);
    const char *separator = ": ";

    for (int32_t i = 0; text && i < resolved->n_filters; i++) {
        const Isocost__V1__FilterCount *filter = resolved->filters[i];
        if (filter->count == 0 || strcmp(filter->workload, workload->id) != 0)
            continue;
        text = iso_arena_printf(writer->arena, "%s%s%lld %s", text, separator,
                                (long long)filter->count, filter->filter);
        separator = ", ";
    }
    return text;
}

static const char *limit_text(const struct iso_plan_writer *writer, const struct iso_limit *limit)
{
    char bound[ISO_DECIMAL_TEXT_SIZE];
    if (limit->later_step)
        return iso_arena_printf(writer->arena, "a step of the price of limit %s begins at %s%s",
                                limit->id, iso_decimal_format(limit->bound, bound),
                                metric_unit(writer, limit->id));
    return iso_arena_printf(
        writer->arena, "%s%s asks for %sat %s %s%s", limit->quota ? "" : "limit ", limit->id,
        limit->or_nothing ? "nothing or " : "", limit->minimum ? "least" : "most",
        iso_decimal_format(limit->bound, bound), metric_unit(writer, limit->id));
}

static const char *budget_text(const struct iso_plan_writer *writer,
                               const struct iso_budget *budget)
{
    int32_t number = (int32_t)(budget - writer->problem->budgets);
    int32_t n_futures = writer->problem->n_scenarios > 0 ? writer->problem->n_scenarios : 1;
    const struct iso_window *first = budget->n_windows > 0 ? &budget->windows[0] : NULL;

    if (!first)
        return iso_arena_printf(writer->arena, "budget %s", budget->id);
    const char *text = iso_arena_printf(
        writer->arena,
        budget->later_step ? "a step of the price of budget %s begins at %.12g %s"
                           : "budget %s allows at most %.12g %s",
        budget->id,
        iso_decimal_to_double(first->amount) / iso_window_part(writer->problem, number, 0),
        writer->problem->currencies[first->currency].code);
    if (budget->n_windows > n_futures && text)
        return iso_arena_printf(writer->arena, "%s in the first of its %d windows", text,
                                budget->n_windows / n_futures);
    return text;
}

static const char *share_text(const struct iso_plan_writer *writer,
                              const struct iso_workload *workload, const struct iso_share *share)
{
    double least = 100.0 * iso_decimal_to_double(share->minimum);
    double most = 100.0 * iso_decimal_to_double(share->maximum);

    if (share->has_minimum && share->has_maximum)
        return iso_arena_printf(writer->arena,
                                "the offerings of %s serve between %.6g %% and %.6g %% of %s",
                                share->id, least, most, workload->id);
    return iso_arena_printf(writer->arena, "the offerings of %s serve at %s %.6g %% of %s",
                            share->id, share->has_minimum ? "least" : "most",
                            share->has_minimum ? least : most, workload->id);
}

static const char *ramp_text(const struct iso_plan_writer *writer,
                             const struct iso_workload *workload)
{
    const struct iso_ramp *ramp = workload->ramp;
    const char *of = workload->replicas ? "the pool of " : "";

    if (ramp->starts >= 0 && ramp->stops >= 0)
        return iso_arena_printf(writer->arena,
                                "at most %lld instances of %s%s start and %lld stop from one "
                                "period to the next",
                                (long long)ramp->starts, of, workload->id, (long long)ramp->stops);
    return iso_arena_printf(writer->arena,
                            "at most %lld instances of %s%s %s from one period to the next",
                            (long long)(ramp->starts >= 0 ? ramp->starts : ramp->stops), of,
                            workload->id, ramp->starts >= 0 ? "start" : "stop");
}

static const char *latency_text(const struct iso_plan_writer *writer,
                                const struct iso_workload *workload,
                                const struct iso_traffic *traffic)
{
    char most[ISO_DECIMAL_TEXT_SIZE];

    return iso_arena_printf(writer->arena, "%s is at most %s ms from %s", workload->id,
                            iso_decimal_format(traffic->maximum_latency, most),
                            traffic->other < 0 ? "where it is served"
                                               : writer->problem->workloads[traffic->other].id);
}

static const char *box_text(const struct iso_plan_writer *writer,
                            const struct iso_workload *workload)
{
    const Isocost__V1__Workload *model = find_workload(writer->model, workload->id);
    double rise = model && model->demand_case == ISOCOST__V1__WORKLOAD__DEMAND_THROUGHPUT &&
                          model->throughput->box
                      ? model->throughput->box->rise
                      : 0;

    return iso_arena_printf(writer->arena, "the demand of %s may rise by %.6g %%", workload->id,
                            100.0 * rise);
}

/* One case a kind of rule, all in one place: hence long. */
struct iso_rule_name iso_rule_name(const struct iso_plan_writer *writer, struct iso_rule rule)
{
    const struct iso_problem *problem = writer->problem;
    const struct iso_workload *workload =
        rule.a >= 0 && rule.a < problem->n_workloads ? &problem->workloads[rule.a] : NULL;
    switch (rule.kind) {
    case ISO_RULE_DEMAND:
        return (struct iso_rule_name){workload->id, "must-serve", demand_text(writer, rule)};
    case ISO_RULE_ALLOWED:
        return (struct iso_rule_name){workload->id, "allowed", allowed_text(writer, workload)};
    case ISO_RULE_LIMIT: {
        const struct iso_limit *limit = &problem->limits[rule.a];
        return (struct iso_rule_name){limit->id, limit->quota ? "quota" : "limit",
                                      limit_text(writer, limit)};
    }
    case ISO_RULE_BUDGET: {
        const struct iso_budget *budget = &problem->budgets[rule.a];
        return (struct iso_rule_name){budget->id, "budget", budget_text(writer, budget)};
    }
    case ISO_RULE_SHARE: {
        const struct iso_share *share = &workload->shares[rule.b];
        return (struct iso_rule_name){share->id, "share", share_text(writer, workload, share)};
    }
    case ISO_RULE_SURVIVE: {
        const struct iso_survive *survive = &workload->survive[rule.b];
        return (struct iso_rule_name){
            survive->id, "survive",
            iso_arena_printf(writer->arena, "%.6g %% of %s is served when any one %s fails",
                             100.0 * iso_decimal_to_double(survive->share), workload->id,
                             level_name(survive->level))};
    }
    case ISO_RULE_SPREAD: {
        const struct iso_spread *spread = &workload->spread[rule.b];
        return (struct iso_rule_name){
            spread->id, "spread",
            iso_arena_printf(writer->arena,
                             "%s runs in at least %d %ss with at least %.6g %% in each",
                             workload->id, spread->minimum_domains, level_name(spread->level),
                             100.0 * iso_decimal_to_double(spread->minimum_share))};
    }
    case ISO_RULE_RAMP:
        return (struct iso_rule_name){workload->ramp->id, "ramp", ramp_text(writer, workload)};
    case ISO_RULE_BOX:
        return (struct iso_rule_name){workload->id, "box", box_text(writer, workload)};
    case ISO_RULE_AFFINITY: {
        const struct iso_affinity *affinity = &workload->affinities[rule.b];
        const char *other = problem->workloads[affinity->other].id;
        return (struct iso_rule_name){
            affinity->id, affinity->apart ? "apart" : "together",
            iso_arena_printf(writer->arena,
                             affinity->apart ? "%s and %s never run in the same %s"
                                             : "%s and %s run in the same %ss",
                             workload->id, other, level_name(affinity->level))};
    }
    case ISO_RULE_LATENCY: {
        const struct iso_traffic *traffic = &workload->traffic[rule.b];
        return (struct iso_rule_name){traffic->id, "latency",
                                      latency_text(writer, workload, traffic)};
    }
    case ISO_RULE_MOVES:
        break;
    }
    return (struct iso_rule_name){"maximum_moves", "moves",
                                  iso_arena_printf(writer->arena, "at most %lld moves are made",
                                                   (long long)problem->moves.maximum)};
}

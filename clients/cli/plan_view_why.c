#include "cents.h"
#include "plan_view.h"
#include "table.h"

static const char *difference(const struct iso_view *view, const Google__Type__Money *cost,
                              const Google__Type__Money *own)
{
    iso_wide base = iso_money_nanos(own);

    if (!cost || base <= 0)
        return "";
    return iso_arena_printf(view->arena, "%+.1f %%",
                            100 * (double)(iso_money_nanos(cost) - base) / (double)base);
}

bool iso_plan_view_baselines(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    static const struct iso_column columns[] = {
        {"INSTEAD", false}, {"COST", true}, {"DIFFERENCE", true}, {"NOTE", false}};

    if (plan->n_baselines == 0)
        return true;
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    if (!table)
        return false;
    for (size_t i = 0; i < plan->n_baselines; i++) {
        const Isocost__V1__Baseline *row = plan->baselines[i];
        iso_table_add(
            table, (const char *[]){
                       row->name, row->feasible ? iso_view_money(view, row->cost) : "not possible",
                       row->feasible ? difference(view, row->cost, plan->cost) : "", row->note});
    }
    iso_view_title(view, "What other ways would cost");
    return iso_table_print(table, view->stream);
}

static bool print_runners_up(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    static const struct iso_column columns[] = {
        {"WORKLOAD", false},  {"PERIOD", false},     {"CHOSEN", false},     {"UNIT COST/H", true},
        {"RUNNER-UP", false}, {"UNIT COST/H", true}, {"WHY IT LOST", false}};

    if (plan->n_runners_up == 0)
        return true;
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    if (!table)
        return false;
    for (size_t i = 0; i < plan->n_runners_up; i++) {
        const Isocost__V1__RunnerUp *row = plan->runners_up[i];
        iso_table_add(table,
                      (const char *[]){row->user, row->period, row->chosen,
                                       iso_view_exact(view, row->chosen_unit_cost), row->offering,
                                       iso_view_exact(view, row->unit_cost), row->reason});
    }
    iso_view_title(view, "Why the runner-up lost");
    return iso_table_print(table, view->stream);
}

static bool print_binding(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    static const struct iso_column columns[] = {{"RULE", false},          {"PERIOD", false},
                                                {"USED", true},           {"ALLOWED", true},
                                                {"ONE MORE SAVES", true}, {"KNOWN BY", false}};

    if (plan->n_binding_rules == 0)
        return true;
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    if (!table)
        return false;
    for (size_t i = 0; i < plan->n_binding_rules; i++) {
        const Isocost__V1__BindingRule *row = plan->binding_rules[i];
        iso_table_add(table,
                      (const char *[]){row->rule, row->period, iso_view_number(view, row->value),
                                       iso_view_number(view, row->limit),
                                       iso_view_exact(view, row->worth),
                                       iso_view_enum(view, &isocost__v1__worth_kind__descriptor,
                                                     (int)row->worth_kind)});
    }
    iso_view_title(view, "What limits you");
    return iso_table_print(table, view->stream);
}

static bool print_actions(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    static const struct iso_column columns[] = {
        {"STEP", true}, {"DO", false}, {"COUNT", true}, {"WHAT", false}, {"FOR", false}};

    if (plan->n_actions == 0)
        return true;
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    if (!table)
        return false;
    for (size_t i = 0; i < plan->n_actions; i++) {
        const Isocost__V1__Action *row = plan->actions[i];
        iso_table_add(
            table, (const char *[]){
                       iso_arena_printf(view->arena, "%zu", i + 1),
                       iso_view_enum(view, &isocost__v1__action_kind__descriptor, (int)row->kind),
                       iso_view_number(view, row->quantity), row->target, row->user});
    }
    iso_view_title(view, "Steps from today");
    return iso_table_print(table, view->stream);
}

static void print_certificate(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    const Isocost__V1__Certificate *certificate = plan->certificate;

    if (!certificate)
        return;
    iso_view_title(view, "What was checked");
    fprintf(view->stream,
            "%lld rules and %lld columns by an independent verifier: %s; worst violation %s\n",
            (long long)certificate->rules_checked, (long long)certificate->columns_priced,
            certificate->passed ? "all hold" : "not all hold",
            iso_view_number(view, certificate->worst_violation));
    for (size_t i = 0; i < certificate->n_components; i++) {
        const Isocost__V1__ComponentProof *proof = certificate->components[i];
        fprintf(view->stream, "Solved by %s; proof: %s%s%s; for", proof->strategy,
                iso_view_enum(view, &isocost__v1__proof_kind__descriptor, (int)proof->proof),
                *proof->reason ? "; because " : "", proof->reason);
        for (size_t k = 0; k < proof->n_workloads; k++)
            fprintf(view->stream, "%s %s", k ? "," : "", proof->workloads[k]);
        fputc('\n', view->stream);
    }
}

bool iso_plan_view_reasons(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    bool good =
        print_runners_up(view, plan) && print_binding(view, plan) && print_actions(view, plan);

    print_certificate(view, plan);
    return good;
}

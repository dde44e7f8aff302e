#include <string.h>

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

/* Why an offering was chosen, for all periods with the same runner-up and reason. */
struct choice {
    const char *user, *periods, *chosen, *runner_up, *dearer, *reason;
};

static bool equal_choice(const struct choice *a, const struct choice *b)
{
    return strcmp(a->user, b->user) == 0 && strcmp(a->chosen, b->chosen) == 0 &&
           strcmp(a->runner_up, b->runner_up) == 0 && strcmp(a->dearer, b->dearer) == 0 &&
           strcmp(a->reason, b->reason) == 0;
}

/* The runner-up of a line; its user is the workload, or the team of a pool. */
static const Isocost__V1__RunnerUp *runner_up_of(const Isocost__V1__Plan *plan,
                                                 const Isocost__V1__PlanLine *line)
{
    for (size_t i = 0; i < plan->n_runners_up; i++) {
        const Isocost__V1__RunnerUp *row = plan->runners_up[i];
        if (strcmp(row->user, *line->workload ? line->workload : line->team) == 0 &&
            strcmp(row->period, line->period) == 0 && strcmp(row->chosen, line->offering) == 0)
            return row;
    }
    return NULL;
}

/* Adds a choice, or its period to the one that is there. */
static void add_choice(const struct iso_view *view, struct choice *choices, size_t *n,
                       const struct choice *choice)
{
    for (size_t i = 0; i < *n; i++) {
        if (!equal_choice(&choices[i], choice))
            continue;
        const char *longer =
            iso_arena_printf(view->arena, "%s,%s", choices[i].periods, choice->periods);
        choices[i].periods = longer ? longer : choices[i].periods;
        return;
    }
    choices[(*n)++] = *choice;
}

static bool print_choices(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    static const struct iso_column columns[] = {{"WORKLOAD", false}, {"CHOSEN", false},
                                                {"PERIODS", false},  {"RUNNER-UP", false},
                                                {"DEARER BY", true}, {"WHY", false}};
    struct choice *choices = iso_arena_calloc(view->arena, plan->n_lines + 1, sizeof(*choices));
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    size_t n = 0;

    if (!choices || !table)
        return false;
    for (size_t i = 0; i < plan->n_lines; i++) {
        const Isocost__V1__PlanLine *line = plan->lines[i];
        if (line->kind != ISOCOST__V1__LINE_KIND__LINE_KIND_INSTANCE)
            continue;
        const Isocost__V1__RunnerUp *other = runner_up_of(plan, line);
        add_choice(
            view, choices, &n,
            &(struct choice){.user = iso_plan_view_user(view, line),
                             .periods = iso_plan_view_periods(view, plan, line),
                             .chosen = line->offering,
                             .runner_up = other ? other->offering : "",
                             .dearer = iso_view_exact(view, other ? other->reduced_cost : NULL),
                             .reason = other ? other->reason : line->reason});
    }
    for (size_t i = 0; i < n; i++)
        iso_table_add(table,
                      (const char *[]){choices[i].user, choices[i].chosen, choices[i].periods,
                                       choices[i].runner_up, choices[i].dearer, choices[i].reason});
    if (n == 0)
        return true;
    iso_view_title(view, "Why these, and why the runner-up lost");
    return iso_table_print(table, view->stream);
}

bool iso_plan_view_binding(const struct iso_view *view, const Isocost__V1__Plan *plan)
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
        print_choices(view, plan) && iso_plan_view_binding(view, plan) && print_actions(view, plan);

    print_certificate(view, plan);
    return good;
}

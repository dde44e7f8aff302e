#include "plan_view.h"
#include "table.h"

static bool print_conflict(const struct iso_view *view, const Isocost__V1__Conflict *conflict)
{
    static const struct iso_column columns[] = {{"RULE", false}, {"KIND", false}, {"ASKS", false}};
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));

    if (!table)
        return false;
    for (size_t i = 0; i < conflict->n_rules; i++)
        iso_table_add(table, (const char *[]){conflict->rules[i]->rule, conflict->rules[i]->kind,
                                              conflict->rules[i]->text});
    iso_view_title(view, "These rules cannot hold together%s",
                   conflict->minimal ? "; without any one of them the others can" : "");
    return iso_table_print(table, view->stream);
}

static bool print_relaxations(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    static const struct iso_column columns[] = {{"RULE", false},     {"NOW", true},
                                                {"NEEDED", true},    {"CHEAPEST PLAN THEN", true},
                                                {"KNOWN BY", false}, {"WHAT TO DO", false}};

    if (plan->n_relaxations == 0)
        return true;
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    if (!table)
        return false;
    for (size_t i = 0; i < plan->n_relaxations; i++) {
        const Isocost__V1__Relaxation *row = plan->relaxations[i];
        iso_table_add(table,
                      (const char *[]){row->rule, iso_view_number(view, row->current),
                                       iso_view_number(view, row->needed),
                                       iso_view_money(view, row->cost),
                                       row->verified ? "a solve" : "an estimate", row->text});
        for (size_t k = 0; k < row->n_also; k++) {
            const Isocost__V1__RelaxationChange *also = row->also[k];
            iso_table_add(table, (const char *[]){also->rule, iso_view_number(view, also->current),
                                                  iso_view_number(view, also->needed), "", "",
                                                  "together with the row above"});
        }
    }
    iso_view_title(view, "Ways out, each of which is enough by itself");
    return iso_table_print(table, view->stream);
}

static bool print_filters(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    static const struct iso_column columns[] = {
        {"WORKLOAD", false}, {"FILTER", false}, {"OFFERINGS", true}};

    if (!plan->stats || plan->stats->n_filters == 0 || plan->n_conflicts > 0)
        return true;
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    if (!table)
        return false;
    for (size_t i = 0; i < plan->stats->n_filters; i++) {
        const Isocost__V1__FilterCount *row = plan->stats->filters[i];
        iso_table_add(
            table, (const char *[]){row->workload, row->filter,
                                    iso_arena_printf(view->arena, "%lld", (long long)row->count)});
    }
    iso_view_title(view, "What became of the offerings");
    return iso_table_print(table, view->stream);
}

bool iso_plan_view_infeasible(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    const char *name = *plan->display_name ? plan->display_name : "Plan";
    const char *state = iso_view_enum(view, &isocost__v1__plan_state__descriptor, (int)plan->state);
    bool good = true;

    if (!plan->termination) {
        fprintf(view->stream, "%s: %s\n", name, state);
        return true;
    }
    fprintf(view->stream, "%s: %s%s%s\n", name,
            iso_view_enum(view, &isocost__v1__termination_reason__descriptor,
                          (int)plan->termination->reason),
            *plan->termination->detail ? ": " : "", plan->termination->detail);
    for (size_t i = 0; good && i < plan->n_conflicts; i++)
        good = print_conflict(view, plan->conflicts[i]);
    good = good && print_relaxations(view, plan) && print_filters(view, plan);
    for (size_t i = 0; i < plan->n_warnings; i++)
        fprintf(view->stream, "Warning: %s\n", plan->warnings[i]);
    return good;
}

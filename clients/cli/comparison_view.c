#include <string.h>

#include "cents.h"
#include "csv_cell.h"
#include "plan_diff.h"
#include "table.h"

/* "list prices" */
static const char *group_of(const struct iso_view *view, const Isocost__V1__BridgeStep *step)
{
    char *name =
        (char *)iso_view_enum(view, &isocost__v1__input_group__descriptor, (int)step->group);

    for (char *c = name; *c; c++)
        *c = *c == '-' ? ' ' : *c;
    return step->group == ISOCOST__V1__INPUT_GROUP__INPUT_GROUP_CHOICE ? "remaining choice" : name;
}

static const char *effect_of(const struct iso_view *view, int64_t cents)
{
    char digits[ISO_CENTS_TEXT_SIZE];
    const char *text = iso_arena_printf(view->arena, "%s%s", cents > 0 ? "+" : "",
                                        iso_cents_format(cents, digits));

    return text ? text : "";
}

static const char *gaps_of(const struct iso_view *view, const Isocost__V1__BridgeStep *step)
{
    const char *text;

    if (!step->changed || step->joined)
        return "";
    text = iso_arena_printf(view->arena, "%s, %s", iso_view_percent(view, step->gap_before),
                            iso_view_percent(view, step->gap_after));
    return text ? text : "";
}

/* What changed, in a few words. */
static const char *note_of(const struct iso_view *view, const Isocost__V1__BridgeStep *step)
{
    const char *text = step->note;

    if (!text[0] && step->n_changes == 1)
        text = step->changes[0];
    else if (!text[0] && step->n_changes > 1)
        text = iso_arena_printf(view->arena, "%s and %d more", step->changes[0],
                                step->change_count - 1);
    return text ? text : "";
}

static bool print_bridge(const struct iso_view *view, const Isocost__V1__PlanComparison *comparison)
{
    static const struct iso_column columns[] = {{"BECAUSE OF", false},
                                                {"EFFECT", true},
                                                {"COST THEN", true},
                                                {"GAPS", true},
                                                {"WHAT CHANGED", false}};
    size_t n = comparison->n_steps;
    iso_wide *amounts = iso_arena_calloc(view->arena, n + 1, sizeof(*amounts));
    int64_t *cents = iso_arena_calloc(view->arena, n + 1, sizeof(*cents));
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    int64_t sum = 0;

    if (!amounts || !cents || !table)
        return false;
    for (size_t i = 0; i < n; i++)
        amounts[i] = iso_money_nanos(comparison->steps[i]->effect);
    if (!iso_cents_apportion(amounts, n, cents))
        return false;
    iso_table_add(
        table, (const char *[]){"first plan", "", iso_view_money(view, comparison->cost), "", ""});
    for (size_t i = 0; i < n; i++) {
        const Isocost__V1__BridgeStep *step = comparison->steps[i];
        const char *effect = !step->changed ? "0"
                             : step->joined ? "in the next"
                                            : effect_of(view, cents[i]);
        iso_table_add(table, (const char *[]){group_of(view, step), effect,
                                              step->changed ? iso_view_money(view, step->cost) : "",
                                              gaps_of(view, step), note_of(view, step)});
        sum += cents[i];
    }
    iso_table_add(table, (const char *[]){"second plan", effect_of(view, sum),
                                          iso_view_money(view, comparison->other_cost), "", ""});
    return iso_table_print(table, view->stream);
}

static const char *difference(const struct iso_view *view, const Isocost__V1__LineChange *line)
{
    return effect_of(view, iso_cents_round(iso_money_nanos(line->cost_after) -
                                           iso_money_nanos(line->cost_before)));
}

static bool print_lines(const struct iso_view *view, const Isocost__V1__PlanComparison *comparison)
{
    static const struct iso_column columns[] = {
        {"CHANGE", false}, {"WHAT", false}, {"FOR", false},      {"BEFORE", true},
        {"AFTER", true},   {"COST", true},  {"COST THEN", true}, {"DIFFERENCE", true}};
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));

    if (comparison->n_lines == 0)
        return true;
    for (size_t i = 0; table && i < comparison->n_lines; i++) {
        const Isocost__V1__LineChange *line = comparison->lines[i];
        const char *what = line->item[0] ? line->item
                                         : iso_view_enum(view, &isocost__v1__line_kind__descriptor,
                                                         (int)line->kind);
        iso_table_add(
            table,
            (const char *[]){
                iso_view_enum(view, &isocost__v1__line_change_kind__descriptor, (int)line->change),
                what, line->user, iso_view_number(view, line->amount_before),
                iso_view_number(view, line->amount_after), iso_view_money(view, line->cost_before),
                iso_view_money(view, line->cost_after), difference(view, line)});
    }
    iso_view_title(view,
                   "What changed in the bill; amounts are instance hours, or what is paid once");
    if (!table || !iso_table_print(table, view->stream))
        return false;
    if (comparison->line_change_count > (int32_t)comparison->n_lines)
        fprintf(view->stream, "The first %zu of %d changes.\n", comparison->n_lines,
                comparison->line_change_count);
    return true;
}

bool iso_comparison_view_print(const struct iso_view *view,
                               const Isocost__V1__PlanComparison *comparison)
{
    return print_bridge(view, comparison) && print_lines(view, comparison);
}

void iso_comparison_view_csv(const struct iso_view *view,
                             const Isocost__V1__PlanComparison *comparison)
{
    FILE *stream = view->stream;

    fputs("part,name,kind,item,user,amount_before,amount_after,cost_before,cost_after,effect,"
          "gap_before,gap_after,note\n",
          stream);
    for (size_t i = 0; i < comparison->n_steps; i++) {
        const Isocost__V1__BridgeStep *step = comparison->steps[i];
        fputs("bridge,", stream);
        iso_csv_text(group_of(view, step), ',', stream);
        iso_csv_text(!step->changed ? "unchanged"
                     : step->joined ? "joined"
                                    : "changed",
                     ',', stream);
        fputs(",,,,,", stream);
        iso_csv_money(step->cost, ',', stream);
        iso_csv_money(step->effect, ',', stream);
        iso_csv_number(step->gap_before, ',', stream);
        iso_csv_number(step->gap_after, ',', stream);
        iso_csv_text(note_of(view, step), '\n', stream);
    }
    for (size_t i = 0; i < comparison->n_lines; i++) {
        const Isocost__V1__LineChange *line = comparison->lines[i];
        fputs("line,", stream);
        iso_csv_text(
            iso_view_enum(view, &isocost__v1__line_change_kind__descriptor, (int)line->change), ',',
            stream);
        iso_csv_text(iso_view_enum(view, &isocost__v1__line_kind__descriptor, (int)line->kind), ',',
                     stream);
        iso_csv_text(line->item, ',', stream);
        iso_csv_text(line->user, ',', stream);
        iso_csv_number(line->amount_before, ',', stream);
        iso_csv_number(line->amount_after, ',', stream);
        iso_csv_money(line->cost_before, ',', stream);
        iso_csv_money(line->cost_after, ',', stream);
        fputs(",,,\n", stream);
    }
}

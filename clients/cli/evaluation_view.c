#include "evaluation_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cents.h"
#include "isocost/proto/json.h"
#include "table.h"

#define BAR_WIDTH 32

const char *iso_evaluation_ended(const struct iso_view *view,
                                 const Isocost__V1__ScenarioResult *result)
{
    if (!result->plan || !result->plan->termination)
        return "wrong";
    return iso_view_enum(view, &isocost__v1__termination_reason__descriptor,
                         (int)result->plan->termination->reason);
}

bool iso_evaluation_has_cost(const Isocost__V1__ScenarioResult *result)
{
    if (!result->plan || !result->plan->termination || !result->plan->cost)
        return false;
    switch (result->plan->termination->reason) {
    case ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_OPTIMAL:
    case ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_FEASIBLE:
        return true;
    default:
        return false;
    }
}

const char *iso_evaluation_difference(const struct iso_view *view, const Isocost__V1__Plan *plan,
                                      const Isocost__V1__Plan *base)
{
    int64_t cents =
        iso_cents_round(iso_money_nanos(plan->cost)) - iso_cents_round(iso_money_nanos(base->cost));
    char digits[ISO_CENTS_TEXT_SIZE];
    const char *text = iso_arena_printf(view->arena, "%s%s", cents > 0 ? "+" : "",
                                        iso_cents_format(cents, digits));

    return text ? text : "";
}

static double cost_of(const Isocost__V1__ScenarioResult *result)
{
    return (double)iso_money_nanos(result->plan->cost) * 1e-9;
}

static const char *percent(const struct iso_view *view, double value, double base)
{
    const char *text =
        base != 0 ? iso_arena_printf(view->arena, "%+.1f %%", 100 * (value - base) / base) : "";

    return text ? text : "";
}

static const Isocost__V1__ScenarioResult *find(const struct iso_evaluation_results *results,
                                               const char *name)
{
    for (size_t i = 0; name && i < results->n; i++)
        if (strcmp(results->items[i]->name, name) == 0 &&
            iso_evaluation_has_cost(results->items[i]))
            return results->items[i];
    return NULL;
}

/* What there is to say of an answer beside its cost. */
static const char *note(const struct iso_view *view, const Isocost__V1__ScenarioResult *result)
{
    const char *text = "";

    if (!result->error && *result->same_as)
        text = iso_arena_printf(view->arena, "the same as %s", result->same_as);
    else if (result->plan && result->plan->n_conflicts > 0 &&
             result->plan->conflicts[0]->n_rules > 0) {
        const Isocost__V1__Conflict *conflict = result->plan->conflicts[0];
        text = "cannot hold together:";
        for (size_t i = 0; text && i < conflict->n_rules && i < 6; i++)
            text = iso_arena_printf(view->arena, "%s %s", text, conflict->rules[i]->rule);
    }
    return text ? text : "";
}

bool iso_evaluation_view_table(const struct iso_view *view,
                               const struct iso_evaluation_results *results, const char *base_name)
{
    static const struct iso_column columns[] = {{"SCENARIO", false}, {"ENDED", false},
                                                {"COST", true},      {"DIFFERENCE", true},
                                                {"CHANGE", true},    {"NOTE", false}};
    const Isocost__V1__ScenarioResult *base = find(results, base_name);
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));

    for (size_t i = 0; table && i < results->n; i++) {
        const Isocost__V1__ScenarioResult *r = results->items[i];
        bool has_cost = iso_evaluation_has_cost(r), compared = has_cost && base && r != base;
        iso_table_add(table,
                      (const char *[]){
                          r->name, iso_evaluation_ended(view, r),
                          has_cost ? iso_view_money(view, r->plan->cost) : "",
                          compared ? iso_evaluation_difference(view, r->plan, base->plan) : "",
                          compared ? percent(view, cost_of(r), cost_of(base)) : "", note(view, r)});
    }
    return table && iso_table_print(table, view->stream);
}

/* --- curves --- */

struct range {
    double low, high;
};

static double height_of(const Isocost__V1__ScenarioResult *result, bool served)
{
    return served ? result->served_share : cost_of(result);
}

static struct range range_of(const struct iso_evaluation_results *results, bool served)
{
    struct range range = {INFINITY, -INFINITY};

    for (size_t i = 0; i < results->n; i++) {
        if (!iso_evaluation_has_cost(results->items[i]))
            continue;
        double height = height_of(results->items[i], served);
        range.low = fmin(range.low, height);
        range.high = fmax(range.high, height);
    }
    /* from 0 unless that would leave little to see */
    if (range.low > 0 && range.low < 0.6 * range.high)
        range.low = 0;
    return range;
}

/* Eighths of a place. */
static const char *bar(const struct iso_view *view, double height, struct range range)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    double share = range.high > range.low ? (height - range.low) / (range.high - range.low) : 1;
    int n = (int)lround(share * BAR_WIDTH * 8);
    char text[BAR_WIDTH * 3 + 8] = "";

    for (int i = 0; i < n / 8; i++)
        strcat(text, "█");
    strcat(text, n > 0 ? eighths[n % 8] : "▏");
    char *copy = iso_arena_strdup(view->arena, text);
    return copy ? copy : "";
}

static const char *marked(const struct iso_view *view, const char *text, bool knee)
{
    const char *all = knee ? iso_arena_printf(view->arena, "%s ◄ knee", text) : text;

    return all ? all : text;
}

/* Cells: value, end, cost, served share if `served`, bar. */
static void add_point(const struct iso_view *view, struct iso_table *table,
                      const Isocost__V1__ScenarioResult *r, bool served, struct range range,
                      bool knee)
{
    bool has_cost = iso_evaluation_has_cost(r);
    const char *cells[5] = {r->n_values > 0 ? iso_view_number(view, r->values[0]) : r->name,
                            iso_evaluation_ended(view, r),
                            has_cost ? iso_view_money(view, r->plan->cost) : ""};
    int n = 3;

    if (served)
        cells[n++] = has_cost ? iso_view_percent(view, r->served_share) : "";
    cells[n] =
        has_cost ? marked(view, bar(view, height_of(r, served), range), knee) : note(view, r);
    iso_table_add(table, cells);
}

bool iso_evaluation_view_curve(const struct iso_view *view,
                               const struct iso_evaluation_results *results, const char *title,
                               bool served)
{
    const struct iso_column with_share[] = {
        {title, true}, {"ENDED", false}, {"COST", true}, {"SERVED", true}, {"", false}};
    const struct iso_column without[] = {
        {title, true}, {"ENDED", false}, {"COST", true}, {"", false}};
    struct range range = range_of(results, served);
    ISO_AUTO(iso_table)
    table = served ? iso_table_new(with_share, ISO_ARRAY_LENGTH(with_share))
                   : iso_table_new(without, ISO_ARRAY_LENGTH(without));

    for (size_t i = 0; table && i < results->n; i++)
        add_point(view, table, results->items[i], served, range,
                  results->ended && results->ended->opt_knee_case &&
                      results->ended->knee == results->items[i]->place);
    if (!table || !iso_table_print(table, view->stream))
        return false;
    if (isfinite(range.low) && range.low > 0)
        fprintf(view->stream, "The bars begin at %s, not at 0.\n",
                iso_view_number(view, range.low));
    return true;
}

bool iso_evaluation_view_grid(const struct iso_view *view,
                              const struct iso_evaluation_results *results, const char *down,
                              const char *across)
{
    size_t n_across = 0;

    while (n_across < results->n && results->items[n_across]->n_values == 2 &&
           results->items[n_across]->values[0] == results->items[0]->values[0])
        n_across++;
    struct iso_column *columns = iso_arena_calloc(view->arena, n_across + 1, sizeof(*columns));
    const char **cells = iso_arena_calloc(view->arena, n_across + 1, sizeof(*cells));
    if (!columns || !cells || n_across == 0)
        return false;
    columns[0] = (struct iso_column){down, true};
    for (size_t k = 0; k < n_across; k++)
        columns[k + 1] =
            (struct iso_column){iso_view_number(view, results->items[k]->values[1]), true};
    ISO_AUTO(iso_table) table = iso_table_new(columns, n_across + 1);
    fprintf(view->stream, "Cost; down: %s, across: %s\n", down, across);
    for (size_t i = 0; table && i + n_across <= results->n; i += n_across) {
        cells[0] = iso_view_number(view, results->items[i]->values[0]);
        for (size_t k = 0; k < n_across; k++) {
            const Isocost__V1__ScenarioResult *r = results->items[i + k];
            cells[k + 1] = iso_evaluation_has_cost(r) ? iso_view_money(view, r->plan->cost)
                                                      : iso_evaluation_ended(view, r);
        }
        iso_table_add(table, cells);
    }
    return table && iso_table_print(table, view->stream);
}

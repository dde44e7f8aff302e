#include <string.h>

#include "cents.h"
#include "plan_view.h"
#include "table.h"

#define COLUMNS_MAX 9

const char *iso_plan_view_user(const struct iso_view *view, const Isocost__V1__PlanLine *line)
{
    const char *user = "";

    if (*line->workload)
        return line->workload;
    for (size_t i = 0; i < line->n_patterns; i++) {
        for (size_t k = 0; k < line->patterns[i]->n_entries; k++) {
            const char *name = line->patterns[i]->entries[k]->workload;
            if (strstr(user, name))
                continue;
            const char *longer =
                iso_arena_printf(view->arena, "%s%s%s", user, *user ? "+" : "", name);
            user = longer ? longer : user;
        }
    }
    if (*user)
        return user;
    return *line->team ? line->team : "-";
}

const char *iso_plan_view_periods(const struct iso_view *view, const Isocost__V1__Plan *plan,
                                  const Isocost__V1__PlanLine *line)
{
    if (line->periods <= 1)
        return line->period;
    if ((size_t)line->periods == plan->n_cost_by_period)
        return "all";
    const char *text = iso_arena_printf(view->arena, "%s..%s", line->period, line->last_period);
    return text ? text : line->period;
}

/* A row of the table: one line, or the lines of all periods that pay for the same commitment. */
struct row {
    const Isocost__V1__PlanLine *line; /* the first */
    const char *user, *period;
    double hours;
    iso_wide cost;
    size_t user_rank, period_rank, index; /* ranks go by first appearance */
};

static int compare_rows(const void *left, const void *right)
{
    const struct row *a = left, *b = right;

    if (a->user_rank != b->user_rank)
        return a->user_rank < b->user_rank ? -1 : 1;
    if (a->period_rank != b->period_rank)
        return a->period_rank < b->period_rank ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static bool is_instance(const Isocost__V1__PlanLine *line)
{
    return line->kind == ISOCOST__V1__LINE_KIND__LINE_KIND_INSTANCE;
}

static bool pays_for_the_same(const struct row *row, const Isocost__V1__PlanLine *line)
{
    return row->line->kind == line->kind && !is_instance(line) && *line->product &&
           strcmp(row->line->product, line->product) == 0 && row->line->quantity == line->quantity;
}

/* Instances first, everything else after them. */
static void rank(struct row *rows, size_t n_rows, size_t n_lines, struct row *own)
{
    own->index = n_rows;
    own->user_rank = n_rows + (is_instance(own->line) ? 0 : n_lines);
    own->period_rank = n_rows;
    for (size_t k = n_rows; k-- > 0;) {
        if (is_instance(rows[k].line) == is_instance(own->line) &&
            strcmp(rows[k].user, own->user) == 0)
            own->user_rank = rows[k].user_rank;
        if (strcmp(rows[k].line->period, own->line->period) == 0)
            own->period_rank = rows[k].period_rank;
    }
}

static struct row *make_rows(const struct iso_view *view, const Isocost__V1__Plan *plan,
                             size_t *ret_n)
{
    struct row *rows = iso_arena_calloc(view->arena, plan->n_lines + 1, sizeof(*rows));
    size_t n = 0;

    for (size_t i = 0; rows && i < plan->n_lines; i++) {
        const Isocost__V1__PlanLine *line = plan->lines[i];
        size_t k = n;
        if (!is_instance(line))
            for (k = 0; k < n && !pays_for_the_same(&rows[k], line);)
                k++;
        if (k == n) {
            rows[n] = (struct row){.line = line,
                                   .user = iso_plan_view_user(view, line),
                                   .period = iso_plan_view_periods(view, plan, line)};
            rank(rows, n, plan->n_lines, &rows[n]);
            n++;
        } else {
            rows[k].period = "all";
        }
        rows[k].hours += line->hours * (line->periods > 1 ? line->periods : 1);
        rows[k].cost += iso_money_nanos(line->cost);
    }
    if (rows)
        qsort(rows, n, sizeof(*rows), compare_rows);
    *ret_n = n;
    return rows;
}

static const char *target(const struct iso_view *view, const Isocost__V1__PlanLine *line)
{
    if (is_instance(line))
        return line->offering;
    const char *kind = iso_view_enum(view, &isocost__v1__line_kind__descriptor, (int)line->kind);
    const char *text = *line->from
                           ? iso_arena_printf(view->arena, "%s %s > %s", kind, line->from, line->to)
                           : iso_arena_printf(view->arena, "%s %s", kind,
                                              *line->product ? line->product : line->offering);
    return text ? text : "";
}

static const char *covered(const struct iso_view *view, const Isocost__V1__PlanLine *line)
{
    double instances = 0;

    for (size_t i = 0; i < line->n_coverage; i++)
        instances += line->coverage[i]->instances;
    return instances > 0 ? iso_view_number(view, instances) : "";
}

static void add_row(const struct iso_view *view, struct iso_table *table, const struct row *row,
                    int64_t cents, bool has_coverage)
{
    const Isocost__V1__PlanLine *line = row->line;
    char cost[ISO_CENTS_TEXT_SIZE];
    const char *cells[COLUMNS_MAX];
    size_t n = 0;

    cells[n++] = row->user;
    cells[n++] = row->period;
    cells[n++] = target(view, line);
    cells[n++] = iso_view_number(view, line->quantity);
    cells[n++] = line->served > 0 ? iso_view_number(view, line->served) : "";
    if (has_coverage)
        cells[n++] = covered(view, line);
    cells[n++] = iso_view_exact(view, line->unit_price);
    cells[n++] = row->hours > 0 ? iso_view_number(view, row->hours) : "once";
    cells[n++] = iso_cents_format(cents, cost);
    iso_table_add(table, cells);
}

static size_t choose_columns(const struct iso_view *view, const Isocost__V1__Plan *plan,
                             bool has_coverage, struct iso_column columns[COLUMNS_MAX])
{
    size_t n = 0;

    columns[n++] = (struct iso_column){"WORKLOAD", false};
    columns[n++] = (struct iso_column){"PERIOD", false};
    columns[n++] = (struct iso_column){"OFFERING", false};
    columns[n++] = (struct iso_column){"COUNT", true};
    columns[n++] = (struct iso_column){"SERVES", true};
    if (has_coverage)
        columns[n++] = (struct iso_column){"COMMITTED", true};
    columns[n++] = (struct iso_column){"PRICE", true};
    columns[n++] = (struct iso_column){"HOURS", true};
    columns[n++] = (struct iso_column){
        iso_arena_printf(view->arena, "COST %s", iso_plan_view_currency(plan)), true};
    return n;
}

bool iso_plan_view_lines(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    size_t n_rows = 0;
    struct row *rows = make_rows(view, plan, &n_rows);
    iso_wide *amounts = iso_arena_calloc(view->arena, n_rows + 1, sizeof(*amounts));
    int64_t *cents = iso_arena_calloc(view->arena, n_rows + 1, sizeof(*cents));
    struct iso_column columns[COLUMNS_MAX];
    char total[ISO_CENTS_TEXT_SIZE];
    bool has_coverage = false;
    int64_t sum = 0;

    if (!rows || !amounts || !cents)
        return false;
    for (size_t i = 0; i < n_rows; i++) {
        amounts[i] = rows[i].cost;
        has_coverage |= rows[i].line->n_coverage > 0;
    }
    size_t n_columns = choose_columns(view, plan, has_coverage, columns);
    ISO_AUTO(iso_table) table = iso_table_new(columns, n_columns);
    if (!table || !iso_cents_apportion(amounts, n_rows, cents))
        return false;
    for (size_t i = 0; i < n_rows; i++) {
        add_row(view, table, &rows[i], cents[i], has_coverage);
        sum += cents[i];
    }
    const char *last[COLUMNS_MAX] = {0};
    last[0] = "total";
    last[n_columns - 1] = iso_cents_format(sum, total);
    iso_table_add(table, last);
    if (!iso_table_print(table, view->stream))
        return false;
    if ((int64_t)plan->n_lines < plan->line_count)
        fprintf(view->stream, "The first %zu of %lld lines; `isocost plan lines %s` gives all.\n",
                plan->n_lines, (long long)plan->line_count, *plan->id ? plan->id : "ID");
    return true;
}

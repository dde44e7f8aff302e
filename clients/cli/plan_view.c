#include "plan_view.h"

#include <string.h>

#include "cents.h"
#include "table.h"

#define SHOWN_WARNINGS_MAX 20

static const char *base_currency(const Isocost__V1__Plan *plan)
{
    return plan->cost && *plan->cost->currency_code ? plan->cost->currency_code : "USD";
}

static const Isocost__V1__Tier *money_tier(const Isocost__V1__Plan *plan)
{
    for (size_t i = 0; i < plan->n_tiers; i++)
        if (strcmp(plan->tiers[i]->name, "money") == 0)
            return plan->tiers[i];
    return NULL;
}

static const char *proof_text(Isocost__V1__ProofKind proof)
{
    switch (proof) {
    case ISOCOST__V1__PROOF_KIND__PROOF_KIND_DUAL:
        return "a dual vector, re-priced over every column by the verifier";
    case ISOCOST__V1__PROOF_KIND__PROOF_KIND_VALUE_FUNCTION:
        return "a value function, checked at every point by the verifier";
    case ISOCOST__V1__PROOF_KIND__PROOF_KIND_SEARCH:
        return "a search tree, of which the verifier checks the root";
    case ISOCOST__V1__PROOF_KIND__PROOF_KIND_RAY:
        return "a ray, checked by the verifier";
    case ISOCOST__V1__PROOF_KIND__PROOF_KIND_COUNTING:
        return "a named inequality, checked by the verifier";
    default:
        return "none";
    }
}

static void print_headline(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    const Isocost__V1__Tier *tier = money_tier(plan);
    const char *name = *plan->display_name ? plan->display_name : "Plan";

    fprintf(view->stream, "%s%s: %s for %s h%s\n", view->color ? "\033[1m" : "", name,
            iso_view_money(view, plan->cost), iso_view_number(view, plan->horizon_hours),
            view->color ? "\033[0m" : "");
    if (plan->objective && plan->cost &&
        iso_money_nanos(plan->objective) != iso_money_nanos(plan->cost))
        fprintf(view->stream, "With penalties: %s\n", iso_view_money(view, plan->objective));
    if (plan->termination)
        fprintf(view->stream, "Ended: %s, stopped by %s%s%s\n",
                iso_view_enum(view, &isocost__v1__termination_reason__descriptor,
                              (int)plan->termination->reason),
                iso_view_enum(view, &isocost__v1__stopped_by__descriptor,
                              (int)plan->termination->stopped_by),
                *plan->termination->detail ? ": " : "", plan->termination->detail);
    if (tier)
        fprintf(view->stream, "Gap %s: no plan can cost less than %.2f %s; proof: %s\n",
                iso_view_percent(view, tier->gap), tier->bound, base_currency(plan),
                proof_text(tier->proof));
    if (*plan->id)
        fprintf(view->stream, "Plan %s\n", plan->id);
}

/* Who uses a line: its workload, or the workloads that its patterns hold. */
static const char *line_user(const struct iso_view *view, const Isocost__V1__PlanLine *line)
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

/* Lines in the order of first appearance of their user, then of their period. */
struct ranked_line {
    const Isocost__V1__PlanLine *line;
    const char *user;
    size_t user_rank, period_rank, index;
};

static int compare_ranked(const void *left, const void *right)
{
    const struct ranked_line *a = left, *b = right;

    if (a->user_rank != b->user_rank)
        return a->user_rank < b->user_rank ? -1 : 1;
    if (a->period_rank != b->period_rank)
        return a->period_rank < b->period_rank ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static struct ranked_line *rank_lines(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    struct ranked_line *ranked = iso_arena_calloc(view->arena, plan->n_lines + 1, sizeof(*ranked));

    for (size_t i = 0; ranked && i < plan->n_lines; i++) {
        const Isocost__V1__PlanLine *line = plan->lines[i];
        struct ranked_line *own = &ranked[i];
        bool is_fee = line->kind != ISOCOST__V1__LINE_KIND__LINE_KIND_INSTANCE;
        *own = (struct ranked_line){.line = line, .index = i, .user = line_user(view, line)};
        own->user_rank = i + (is_fee ? plan->n_lines : 0);
        own->period_rank = i;
        for (size_t k = 0; k < i; k++) {
            bool other_fee = ranked[k].user_rank >= plan->n_lines;
            if (other_fee == is_fee && strcmp(ranked[k].user, own->user) == 0) {
                own->user_rank = ranked[k].user_rank;
                break;
            }
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(ranked[k].line->period, line->period) == 0) {
                own->period_rank = ranked[k].period_rank;
                break;
            }
        }
    }
    if (ranked)
        qsort(ranked, plan->n_lines, sizeof(*ranked), compare_ranked);
    return ranked;
}

static const char *line_target(const struct iso_view *view, const Isocost__V1__PlanLine *line)
{
    if (line->kind == ISOCOST__V1__LINE_KIND__LINE_KIND_INSTANCE)
        return line->offering;
    const char *kind = iso_view_enum(view, &isocost__v1__line_kind__descriptor, (int)line->kind);
    const char *text = iso_arena_printf(view->arena, "%s %s", kind,
                                        *line->product ? line->product : line->offering);
    return text ? text : "";
}

static const char *line_covered(const struct iso_view *view, const Isocost__V1__PlanLine *line)
{
    double covered = 0;

    for (size_t i = 0; i < line->n_coverage; i++)
        covered += line->coverage[i]->instances;
    return covered > 0 ? iso_view_number(view, covered) : "";
}

static void add_line(const struct iso_view *view, struct iso_table *table,
                     const struct ranked_line *ranked, int64_t cents, bool has_coverage, bool why)
{
    const Isocost__V1__PlanLine *line = ranked->line;
    char cost[ISO_CENTS_TEXT_SIZE];
    const char *cells[10];
    size_t n = 0;

    cells[n++] = ranked->user;
    cells[n++] = line->period;
    cells[n++] = line_target(view, line);
    cells[n++] = iso_view_number(view, line->quantity);
    cells[n++] = line->served > 0 ? iso_view_number(view, line->served) : "";
    if (has_coverage)
        cells[n++] = line_covered(view, line);
    cells[n++] = iso_view_exact(view, line->unit_price);
    cells[n++] = line->hours > 0 ? iso_view_number(view, line->hours) : "once";
    cells[n++] = iso_cents_format(cents, cost);
    if (why)
        cells[n++] = line->reason;
    iso_table_add(table, cells);
}

bool iso_plan_view_lines(const struct iso_view *view, const Isocost__V1__Plan *plan, unsigned flags)
{
    const bool why = flags & ISO_PLAN_VIEW_WHY;
    struct ranked_line *ranked = rank_lines(view, plan);
    iso_wide *amounts = iso_arena_calloc(view->arena, plan->n_lines + 1, sizeof(*amounts));
    int64_t *cents = iso_arena_calloc(view->arena, plan->n_lines + 1, sizeof(*cents));
    char total[ISO_CENTS_TEXT_SIZE];
    bool has_coverage = false;
    int64_t sum = 0;

    if (!ranked || !amounts || !cents)
        return false;
    for (size_t i = 0; i < plan->n_lines; i++) {
        amounts[i] = iso_money_nanos(ranked[i].line->cost);
        has_coverage |= ranked[i].line->n_coverage > 0;
    }
    if (!iso_cents_apportion(amounts, plan->n_lines, cents))
        return false;

    struct iso_column columns[10] = {{"WORKLOAD", false},
                                     {"PERIOD", false},
                                     {"OFFERING", false},
                                     {"COUNT", true},
                                     {"SERVES", true}};
    size_t n = 5;
    if (has_coverage)
        columns[n++] = (struct iso_column){"COMMITTED", true};
    columns[n++] = (struct iso_column){"PRICE/H", true};
    columns[n++] = (struct iso_column){"HOURS", true};
    size_t cost_column = n;
    columns[n++] =
        (struct iso_column){iso_arena_printf(view->arena, "COST %s", base_currency(plan)), true};
    if (why)
        columns[n++] = (struct iso_column){"WHY", false};

    ISO_AUTO(iso_table) table = iso_table_new(columns, n);
    if (!table)
        return false;
    for (size_t i = 0; i < plan->n_lines; i++) {
        add_line(view, table, &ranked[i], cents[i], has_coverage, why);
        sum += cents[i];
    }
    const char *last[10] = {0};
    last[0] = "total";
    last[cost_column] = iso_cents_format(sum, total);
    iso_table_add(table, last);
    if (!iso_table_print(table, view->stream))
        return false;
    if ((int64_t)plan->n_lines < plan->line_count)
        fprintf(view->stream, "The first %zu of %lld lines; `isocost plan lines %s` gives all.\n",
                plan->n_lines, (long long)plan->line_count, *plan->id ? plan->id : "ID");
    return true;
}

static bool print_costs(const struct iso_view *view, const char *title, size_t n,
                        Isocost__V1__NamedCost **costs, const char *currency)
{
    iso_wide *amounts = iso_arena_calloc(view->arena, n + 1, sizeof(*amounts));
    int64_t *cents = iso_arena_calloc(view->arena, n + 1, sizeof(*cents));
    iso_wide sum = 0;

    if (n == 0)
        return true;
    if (!amounts || !cents)
        return false;
    for (size_t i = 0; i < n; i++)
        sum += amounts[i] = iso_money_nanos(costs[i]->cost);
    struct iso_column columns[] = {{title, false},
                                   {iso_arena_printf(view->arena, "COST %s", currency), true},
                                   {"SHARE", true}};
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    if (!table || !iso_cents_apportion(amounts, n, cents))
        return false;
    for (size_t i = 0; i < n; i++) {
        char cost[ISO_CENTS_TEXT_SIZE];
        double share = sum != 0 ? (double)amounts[i] / (double)sum : 0;
        iso_table_add(table,
                      (const char *[]){costs[i]->name, iso_cents_format(cents[i], cost),
                                       iso_arena_printf(view->arena, "%.1f %%", 100 * share)});
    }
    fputc('\n', view->stream);
    return iso_table_print(table, view->stream);
}

static bool print_commitments(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    static const struct iso_column columns[] = {
        {"COMMITMENT", false}, {"STARTS", false},    {"QUANTITY", true},
        {"UPFRONT", true},     {"FEE EACH/H", true}, {"HOURS AFTER THE HORIZON", true}};

    if (plan->n_commitments == 0)
        return true;
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    if (!table)
        return false;
    for (size_t i = 0; i < plan->n_commitments; i++) {
        const Isocost__V1__CommitmentPurchase *buy = plan->commitments[i];
        iso_table_add(table, (const char *[]){buy->product, buy->start_period,
                                              iso_view_number(view, buy->quantity),
                                              iso_view_money(view, buy->upfront),
                                              iso_view_exact(view, buy->hourly_fee),
                                              iso_view_number(view, buy->hours_after_horizon)});
    }
    iso_view_title(view, "Commitments to buy (they pay off if the load stays as in this model)");
    return iso_table_print(table, view->stream);
}

static bool print_unserved(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    static const struct iso_column columns[] = {
        {"WORKLOAD", false}, {"PERIOD", false}, {"NOT SERVED", true}, {"DEMAND", true}};

    if (plan->n_unserved == 0)
        return true;
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    if (!table)
        return false;
    for (size_t i = 0; i < plan->n_unserved; i++) {
        const Isocost__V1__Unserved *row = plan->unserved[i];
        iso_table_add(table, (const char *[]){row->workload, row->period,
                                              iso_view_number(view, row->amount),
                                              iso_view_number(view, row->demand)});
    }
    iso_view_title(view, "Demand that is not served");
    return iso_table_print(table, view->stream);
}

static bool print_violations(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    static const struct iso_column columns[] = {
        {"RULE", false}, {"PERIOD", false}, {"BROKEN BY", true}, {"PENALTY", true}};

    if (plan->n_violations == 0)
        return true;
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    if (!table)
        return false;
    for (size_t i = 0; i < plan->n_violations; i++) {
        const Isocost__V1__Violation *row = plan->violations[i];
        iso_table_add(table,
                      (const char *[]){row->rule, row->period, iso_view_number(view, row->amount),
                                       iso_view_money(view, row->penalty)});
    }
    iso_view_title(view, "Rules that are broken as their policy allows");
    return iso_table_print(table, view->stream);
}

static void print_warnings(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    if (plan->opt_oldest_price_hours_case ==
        ISOCOST__V1__PLAN__OPT_OLDEST_PRICE_HOURS_OLDEST_PRICE_HOURS)
        fprintf(view->stream, "\nThe oldest price used is %s hours old.\n",
                iso_view_number(view, plan->oldest_price_hours));
    for (size_t i = 0; i < plan->n_quotas_relied_on && i < SHOWN_WARNINGS_MAX; i++)
        fprintf(view->stream, "Relies on a quota that is %s: %s, up to %s %s.\n",
                plan->quotas_relied_on[i]->state, plan->quotas_relied_on[i]->place,
                iso_view_number(view, plan->quotas_relied_on[i]->quantity),
                plan->quotas_relied_on[i]->metric);
    for (size_t i = 0; i < plan->n_warnings && i < SHOWN_WARNINGS_MAX; i++)
        fprintf(view->stream, "Warning: %s\n", plan->warnings[i]);
}

bool iso_plan_view_print(const struct iso_view *view, const Isocost__V1__Plan *plan, unsigned flags)
{
    if (plan->state == ISOCOST__V1__PLAN_STATE__PLAN_STATE_FAILED) {
        fprintf(view->stream, "The solve failed: %s\n",
                plan->error ? plan->error->message : "the server does not say why");
        return true;
    }
    if (!plan->cost ||
        (plan->n_lines == 0 && plan->termination &&
         plan->termination->reason != ISOCOST__V1__TERMINATION_REASON__TERMINATION_REASON_OPTIMAL))
        return iso_plan_view_infeasible(view, plan);

    print_headline(view, plan);
    fputc('\n', view->stream);
    bool good = iso_plan_view_lines(view, plan, flags) &&
                print_costs(view, "PROVIDER", plan->n_cost_by_provider, plan->cost_by_provider,
                            base_currency(plan)) &&
                print_costs(view, "PERIOD", plan->n_cost_by_period, plan->cost_by_period,
                            base_currency(plan)) &&
                print_commitments(view, plan) && print_unserved(view, plan) &&
                print_violations(view, plan) && iso_plan_view_baselines(view, plan);
    if (good && (flags & ISO_PLAN_VIEW_WHY))
        good = iso_plan_view_reasons(view, plan);
    print_warnings(view, plan);
    return good && !iso_arena_full(view->arena);
}

#include "plan_view.h"

#include <math.h>
#include <string.h>

#include "cents.h"
#include "table.h"

#define SHOWN_WARNINGS_MAX 20
#define SHOWN_NOTES_MAX 8
#define BOUND_SLACK_CENTS 1e-3 /* bounds come from outward rounding: 849.999999 is 850 */
#define HOURS_SHOWN_MAX 72     /* longer ages are told in days */

const char *iso_plan_view_currency(const Isocost__V1__Plan *plan)
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

static void print_bound(const struct iso_view *view, const Isocost__V1__Plan *plan,
                        const Isocost__V1__Tier *tier)
{
    char bound[ISO_CENTS_TEXT_SIZE];

    iso_cents_format((int64_t)floor(100 * tier->bound + BOUND_SLACK_CENTS), bound);
    fprintf(view->stream, "Gap %s: no plan can cost less than %s %s; proof: %s\n",
            iso_view_percent(view, tier->gap), bound, iso_plan_view_currency(plan),
            proof_text(tier->proof));
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
        fprintf(view->stream, "With penalties%s: %s\n", plan->risk ? " and risk" : "",
                iso_view_money(view, plan->objective));
    if (plan->n_scenarios > 0)
        fprintf(view->stream, "Expected over %zu scenarios%s%s\n", plan->n_scenarios,
                plan->tail_cost ? "; the dearest cost " : "",
                plan->tail_cost ? iso_view_money(view, plan->tail_cost) : "");
    if (plan->termination)
        fprintf(view->stream, "Ended: %s, stopped by %s%s%s\n",
                iso_view_enum(view, &isocost__v1__termination_reason__descriptor,
                              (int)plan->termination->reason),
                iso_view_enum(view, &isocost__v1__stopped_by__descriptor,
                              (int)plan->termination->stopped_by),
                *plan->termination->detail ? ": " : "", plan->termination->detail);
    if (tier)
        print_bound(view, plan, tier);
    if (*plan->id)
        fprintf(view->stream, "Plan %s\n", plan->id);
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
        {"COMMITMENT", false}, {"STARTS", false}, {"QUANTITY", true},
        {"UPFRONT", true},     {"FEE/H", true},   {"HOURS AFTER THE HORIZON", true}};

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

static bool print_scenarios(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    static const struct iso_column columns[] = {
        {"SCENARIO", false}, {"PROBABILITY", true}, {"COST", true}, {"PENALTIES", true}};

    if (plan->n_scenarios == 0)
        return true;
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    if (!table)
        return false;
    for (size_t i = 0; i < plan->n_scenarios; i++) {
        const Isocost__V1__ScenarioCost *row = plan->scenarios[i];
        iso_table_add(table,
                      (const char *[]){row->scenario, iso_view_number(view, row->probability),
                                       iso_view_money(view, row->cost),
                                       iso_view_money(view, row->penalties)});
    }
    iso_view_title(view, "What each scenario costs when it comes");
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

/* One line for all quotas of a state. */
static void print_quotas(const struct iso_view *view, const Isocost__V1__Plan *plan,
                         const char *state)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->n_quotas_relied_on; i++) {
        const Isocost__V1__QuotaReliance *row = plan->quotas_relied_on[i];
        if (strcmp(row->state, state) != 0)
            continue;
        if (n == 0)
            fprintf(view->stream, "Relies on quotas that are %s:", state);
        fprintf(view->stream, "%s %s %s %s", n ? "," : "", row->place,
                iso_view_number(view, row->quantity), row->metric);
        n++;
    }
    if (n > 0)
        fputs(".\n", view->stream);
}

/* Which prices are not the list's, and where those of egress are from: the first few. */
static void print_price_notes(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    const char *notes[SHOWN_NOTES_MAX];
    long long counts[SHOWN_NOTES_MAX] = {0};
    size_t n = 0;

    for (size_t i = 0; i < plan->n_lines; i++) {
        const char *note = plan->lines[i]->price_note;
        size_t k = 0;
        while (k < n && strcmp(notes[k], note) != 0)
            k++;
        if (!*note || k == SHOWN_NOTES_MAX)
            continue;
        if (k == n)
            notes[n++] = note;
        counts[k]++;
    }
    for (size_t k = 0; k < n; k++)
        fprintf(view->stream, "%lld %s priced by: %s\n", counts[k],
                counts[k] == 1 ? "line is" : "lines are", notes[k]);
    if (*plan->price_date)
        fprintf(view->stream, "Prices with dates are those of %s.\n", plan->price_date);
}

static void print_warnings(const struct iso_view *view, const Isocost__V1__Plan *plan)
{
    if (plan->opt_oldest_price_hours_case ==
        ISOCOST__V1__PLAN__OPT_OLDEST_PRICE_HOURS_OLDEST_PRICE_HOURS) {
        bool days = plan->oldest_price_hours >= HOURS_SHOWN_MAX;
        fprintf(view->stream, "\nThe oldest price used is %.0f %s old.\n",
                days ? plan->oldest_price_hours / 24 : plan->oldest_price_hours,
                days ? "days" : "hours");
    }
    print_price_notes(view, plan);
    print_quotas(view, plan, "unknown");
    print_quotas(view, plan, "stale");
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
    bool good = iso_plan_view_lines(view, plan) &&
                print_costs(view, "PROVIDER", plan->n_cost_by_provider, plan->cost_by_provider,
                            iso_plan_view_currency(plan)) &&
                print_costs(view, "PERIOD", plan->n_cost_by_period, plan->cost_by_period,
                            iso_plan_view_currency(plan)) &&
                print_scenarios(view, plan) && print_commitments(view, plan) &&
                print_unserved(view, plan) && print_violations(view, plan) &&
                iso_plan_view_baselines(view, plan);
    if (good && (flags & ISO_PLAN_VIEW_WHY))
        good = iso_plan_view_reasons(view, plan);
    print_warnings(view, plan);
    return good && !iso_arena_full(view->arena);
}

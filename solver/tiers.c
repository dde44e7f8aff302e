/* The stages of the objective: which there are, and their value in a plan's own numbers. */
#include <math.h>

#include "isocost/ledger.h"
#include "search.h"

static bool prefers(enum iso_policy policy)
{
    return policy == ISO_POLICY_PREFER || policy == ISO_POLICY_DEFAULT;
}

/* Workloads of a rank that are served evenly. */
static int32_t count_fair(const struct iso_problem *problem, int32_t priority)
{
    int32_t n = 0;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        n += problem->workloads[a].fair && problem->workloads[a].priority == priority;
    return n;
}

int32_t iso_tiers_of(const struct iso_problem *problem, struct iso_tier *ret_tiers)
{
    int32_t n = 0, last = 0;
    bool preferences = false;

    for (;;) { /* the next rank above the last */
        int32_t next = INT32_MAX;
        for (int32_t a = 0; a < problem->n_workloads; a++)
            if (problem->workloads[a].service == ISO_SERVICE_PRIORITY &&
                problem->workloads[a].priority > last && problem->workloads[a].priority < next)
                next = problem->workloads[a].priority;
        if (next == INT32_MAX || n + count_fair(problem, next) >= ISO_MAX_TIERS - 3)
            break;
        for (int32_t k = 1, n_fair = count_fair(problem, next); k <= n_fair; k++)
            ret_tiers[n++] = (struct iso_tier){.kind = ISO_TIER_FAIR, .priority = next, .worst = k};
        ret_tiers[n++] = (struct iso_tier){.kind = ISO_TIER_UNSERVED, .priority = next};
        last = next;
    }
    for (int32_t l = 0; l < problem->n_limits; l++)
        preferences |= prefers(problem->limits[l].policy);
    for (int32_t b = 0; b < problem->n_budgets; b++)
        preferences |= prefers(problem->budgets[b].policy);
    if (preferences)
        ret_tiers[n++] = (struct iso_tier){.kind = ISO_TIER_PREFER};
    ret_tiers[n++] = (struct iso_tier){.kind = ISO_TIER_MONEY};
    if (problem->moves.present)
        ret_tiers[n++] = (struct iso_tier){.kind = ISO_TIER_MOVES};
    return n;
}

static double unserved_value(const struct iso_problem *problem, const struct iso_plan *plan,
                             int32_t priority)
{
    double value = 0;

    for (int32_t i = 0; i < plan->n_unserved; i++) {
        const struct iso_unserved *u = &plan->unserved[i];
        const struct iso_workload *workload = &problem->workloads[u->workload];
        if (workload->service == ISO_SERVICE_PRIORITY && workload->priority == priority &&
            workload->demand[u->period] > 0)
            value += iso_value(workload->weight) * iso_value(problem->periods[u->period].hours) *
                     iso_value(iso_plan_counted_unserved(problem, plan, i)) /
                     iso_value(workload->demand[u->period]);
    }
    return value;
}

double iso_limit_level(const struct iso_plan *plan, const struct iso_limit *limit, int32_t period)
{
    double level = 0;

    for (int32_t k = 0; k < limit->n_terms; k++) {
        int64_t n = 0;
        for (int32_t i = 0; i < plan->n_uses; i++)
            if (plan->uses[i].period == period &&
                plan->uses[i].offering == limit->terms[k].offering)
                n += plan->uses[i].count;
        for (int32_t i = 0; i < plan->n_fills; i++)
            if (plan->fills[i].period == period &&
                plan->fills[i].offering == limit->terms[k].offering)
                n += plan->fills[i].instances;
        level += (double)n * iso_value(limit->terms[k].weight);
    }
    return level;
}

/* What a line costs of a budget in one of its periods, covers not taken off. */
static double line_spend(const struct iso_problem *problem, const struct iso_plan *plan,
                         const struct iso_budget *budget, const struct iso_window *window,
                         const struct iso_line *line, int32_t t)
{
    if (line->kind == ISO_LINE_INSTANCE && budget->offerings[line->offering] &&
        budget->cells[line->cell])
        return iso_budget_price(problem, window, line->offering, t) * iso_value(line->quantity);
    if (line->kind == ISO_LINE_FEE && budget->basis != ISO_BASIS_LIST &&
        budget->products[line->product])
        return iso_value(line->quantity) * iso_value(line->unit_price) * iso_value(line->hours) *
               iso_value(iso_problem_rate(problem, line->currency, window->currency, t));
    if (line->kind == ISO_LINE_EGRESS && iso_plan_budget_counts_line(problem, plan, budget, line))
        return iso_value(line->quantity) * iso_value(line->unit_price) *
               iso_value(iso_problem_rate(problem, line->currency, window->currency, t));
    if (line->kind == ISO_LINE_MOVE && budget->moves)
        return iso_value(line->cost) *
               iso_value(iso_problem_rate(problem, problem->base_currency, window->currency, 0));
    return 0;
}

double iso_budget_spend(const struct iso_problem *problem, const struct iso_plan *plan,
                        int32_t budget, int32_t window)
{
    const struct iso_budget *b = &problem->budgets[budget];
    const struct iso_window *w = &b->windows[window];
    double spend = 0;

    for (int32_t i = 0; i < plan->n_lines; i++) {
        const struct iso_line *line = &plan->lines[i];
        for (int32_t t = line->period; t < line->period + line->n_periods; t++)
            if (w->periods[t])
                spend += line_spend(problem, plan, b, w, line, t);
    }
    for (int32_t i = 0; i < plan->n_covers && b->basis != ISO_BASIS_LIST; i++) {
        const struct iso_cover *cover = &plan->covers[i];
        if (w->periods[cover->period] && b->offerings[cover->offering] && b->cells[cover->cell] &&
            b->products[cover->product])
            spend -= iso_budget_price(problem, w, cover->offering, cover->period) *
                     iso_value(cover->instances);
    }
    for (int32_t i = 0; i < plan->n_purchases; i++) {
        const struct iso_purchase *purchase = &plan->purchases[i];
        spend += (double)purchase->quantity *
                 iso_budget_upfront(problem, b, w, purchase->product, purchase->start);
    }
    return spend;
}

/* What of a workload's demand over the horizon is not served, as a share. */
static double loss_of(const struct iso_problem *problem, const struct iso_plan *plan, int32_t a)
{
    double asked = 0, lost = 0;

    for (int32_t t = 0; t < problem->n_periods; t++)
        asked +=
            iso_value(problem->periods[t].hours) * iso_value(problem->workloads[a].required[t]);
    for (int32_t i = 0; i < plan->n_unserved; i++)
        if (plan->unserved[i].workload == a)
            lost += iso_value(problem->periods[plan->unserved[i].period].hours) *
                    iso_value(plan->unserved[i].amount);
    return asked > 0 ? lost / asked : 0;
}

/* The sum of the largest losses of a rank. Each is a sum with the largest left, as often as the
 * tier says: workloads are few. */
static double fair_value(const struct iso_problem *problem, const struct iso_plan *plan,
                         const struct iso_tier *tier)
{
    double sum = 0, last = INFINITY;
    int32_t last_workload = -1;

    for (int32_t k = 0; k < tier->worst; k++) {
        double most = -1;
        int32_t worst = -1;
        for (int32_t a = 0; a < problem->n_workloads; a++) {
            const struct iso_workload *workload = &problem->workloads[a];
            if (!workload->fair || workload->priority != tier->priority)
                continue;
            double loss = loss_of(problem, plan, a);
            bool counted = loss > last || (loss == last && a <= last_workload);
            if (counted || loss <= most)
                continue;
            most = loss;
            worst = a;
        }
        sum += most;
        last = most;
        last_workload = worst;
    }
    return sum;
}

static double preference_value(const struct iso_problem *problem, const struct iso_plan *plan)
{
    double value = 0, horizon = 0;

    for (int32_t t = 0; t < problem->n_periods; t++)
        horizon += iso_value(problem->periods[t].hours);
    for (int32_t l = 0; l < problem->n_limits; l++) {
        const struct iso_limit *limit = &problem->limits[l];
        double bound = iso_value(limit->bound);
        for (int32_t t = 0; t < problem->n_periods && prefers(limit->policy); t++) {
            double level = limit->periods[t] ? iso_limit_level(plan, limit, t) : bound;
            double over = limit->minimum ? bound - level : level - bound;
            if (over > 0)
                value +=
                    iso_value(problem->periods[t].hours) / horizon * over / (bound > 0 ? bound : 1);
        }
    }
    for (int32_t b = 0; b < problem->n_budgets; b++)
        for (int32_t w = 0;
             w < problem->budgets[b].n_windows && prefers(problem->budgets[b].policy); w++) {
            double amount = iso_value(problem->budgets[b].windows[w].amount);
            double over = iso_budget_spend(problem, plan, b, w) - amount;
            if (over > 0)
                value += over / (amount > 0 ? amount : 1);
        }
    return value;
}

double iso_tier_value(const struct iso_problem *problem, const struct iso_plan *plan,
                      const struct iso_tier *tier)
{
    double moves = 0;

    switch (tier->kind) {
    case ISO_TIER_UNSERVED:
        return unserved_value(problem, plan, tier->priority);
    case ISO_TIER_FAIR:
        return fair_value(problem, plan, tier);
    case ISO_TIER_PREFER:
        return preference_value(problem, plan);
    case ISO_TIER_MONEY:
        return iso_decimal_to_double(plan->cost + plan->penalties + plan->risk);
    case ISO_TIER_MOVES:
        break;
    }
    for (int32_t i = 0; i < problem->moves.n_current; i++) {
        const struct iso_current *current = &problem->moves.current[i];
        int64_t now = 0;
        for (int32_t k = 0; k < plan->n_uses; k++)
            if (plan->uses[k].period == 0 && plan->uses[k].workload == current->cell &&
                plan->uses[k].offering == current->offering)
                now += plan->uses[k].count;
        for (int32_t k = 0; k < plan->n_fills; k++)
            if (plan->fills[k].period == 0 &&
                problem->n_workloads + plan->fills[k].team == current->cell &&
                plan->fills[k].offering == current->offering)
                now += plan->fills[k].instances;
        moves += now < current->count ? (double)(current->count - now) : 0;
    }
    return fmax(0, moves - (double)problem->moves.forced_stops);
}

/* A frozen value that rises by rounding lowers what later tiers proved with it. */
static void raise_frozen(struct iso_plan *plan, int32_t tier, double value)
{
    double rise = value - plan->tiers[tier].frozen;

    plan->tiers[tier].frozen = value;
    for (int32_t k = tier + 1; k < plan->n_tiers; k++)
        for (int32_t i = 0; i < plan->tiers[k].n_duals; i++) {
            const struct iso_dual *dual = &plan->duals[plan->tiers[k].first_dual + i];
            double fall = fabs(dual->value) * rise * (1 + 1e-9);
            if (dual->kind != ISO_ROW_FREEZE || dual->a != tier)
                continue;
            plan->tiers[k].checked_bound -= fall;
            plan->tiers[k].bound -= fall;
        }
}

/* Values of the tiers in the plan's own numbers; a bound never exceeds its value. */
void iso_settle_tiers(const struct iso_problem *problem, struct iso_plan *plan)
{
    for (int32_t k = 0; k < plan->n_tiers; k++) {
        struct iso_tier *tier = &plan->tiers[k];
        tier->value = iso_tier_value(problem, plan, tier);
        if (tier->bound > tier->value)
            tier->bound = tier->value;
        if (tier->checked_bound > tier->bound)
            tier->checked_bound = tier->bound;
        if (tier->frozen < tier->value)
            raise_frozen(plan, k, tier->value);
    }
}

bool iso_proved_optimal(const struct iso_problem *problem, const struct iso_plan *plan)
{
    for (int32_t k = 0; k < plan->n_tiers; k++) {
        const struct iso_tier *tier = &plan->tiers[k];
        double slack = tier->kind == ISO_TIER_MONEY ? 1e-8 : 1e-7; /* binary64 */
        double gap = tier->kind == ISO_TIER_MONEY ? problem->options.gap : 0;
        if (tier->value - tier->bound > gap * fabs(tier->value) + slack * (1 + fabs(tier->value)))
            return false;
    }
    return true;
}

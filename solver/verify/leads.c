/* Periods that share multipliers. Any multipliers will do, so these are checked for form only: what
 * they prove is found by pricing. */
#include "pricing.h"

enum iso_status iso_verify_leads(const struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;
    const struct iso_plan *plan = v->plan;

    if (plan->n_leads != 0 && plan->n_leads != problem->n_periods)
        return iso_verify_fail(v, "leads", -1, "", "are %d; there are %d periods", plan->n_leads,
                               problem->n_periods);
    for (int32_t t = 0; t < plan->n_leads; t++) {
        int32_t lead = plan->leads[t].period;
        if (lead < 0 || lead >= problem->n_periods || plan->leads[lead].period != lead)
            return iso_verify_fail(v, "leads", t, "period", "is %d, which does not lead itself",
                                   lead);
        if (problem->periods[t].hours != problem->periods[lead].hours)
            return iso_verify_fail(v, "leads", t, "period", "is %d, a period of other hours", lead);
    }
    return ISO_OK;
}

bool iso_leads_may_have(const struct iso_verifier *v, const struct iso_dual *dual)
{
    const struct iso_plan *plan = v->plan;

    if (plan->n_leads == 0)
        return true;
    switch (dual->kind) {
    case ISO_ROW_DEMAND:
    case ISO_ROW_LIMIT:
    case ISO_ROW_COMMIT:
        return plan->leads[dual->b].period == dual->b;
    case ISO_ROW_SHARE_MAX:
    case ISO_ROW_SHARE_MIN:
    case ISO_ROW_SURVIVE:
        return plan->leads[dual->c].period == dual->c;
    default:
        return true;
    }
}

/* Copies each lead's column of a table with n_periods columns. */
static void spread(const struct iso_verifier *v, double *table, int32_t n_rows)
{
    for (int32_t r = 0; r < n_rows; r++)
        for (int32_t t = 0; t < v->plan->n_leads; t++)
            table[iso_verify_at(v, r, t)] = table[iso_verify_at(v, r, v->plan->leads[t].period)];
}

void iso_leads_spread(struct iso_pricing *p)
{
    const struct iso_verifier *v = p->v;
    const struct iso_problem *problem = v->problem;

    spread(v, p->demand, problem->n_workloads);
    spread(v, p->limit, problem->n_limits);
    for (int32_t c = 0; c < problem->n_products; c++)
        if (p->commit_row[c] >= 0)
            spread(v, &p->commit[iso_verify_at(v, p->commit_row[c], 0)], 1);
    spread(v, p->share_max, p->first_share[problem->n_workloads]);
    spread(v, p->share_min, p->first_share[problem->n_workloads]);
    for (int32_t l = 0; l < problem->n_limits; l++)
        for (int32_t t = 0; t < v->plan->n_leads; t++)
            if (!problem->limits[l].periods[t])
                p->limit[iso_verify_at(v, l, t)] = 0;
}

struct iso_row_range iso_leads_rows(const struct iso_pricing *p, enum iso_row_kind kind, int32_t a,
                                    int32_t b, int32_t period)
{
    const struct iso_verifier *v = p->v;

    if (kind != ISO_ROW_SURVIVE || v->plan->n_leads == 0)
        return iso_pricing_rows(p, kind, a, b, period);
    if (v->problem->workloads[a].demand[period] == 0)
        return (struct iso_row_range){NULL, 0};
    return iso_pricing_rows(p, kind, a, b, v->plan->leads[period].period);
}

bool iso_leads_same_prices(const struct iso_problem *problem, int32_t t, int32_t lead)
{
    for (int32_t k = 0; k < problem->n_currencies; k++)
        if (problem->currencies[k].rate_to_base[t] != problem->currencies[k].rate_to_base[lead])
            return false;
    for (int32_t i = 0; i < problem->n_price_exceptions; i++) {
        const struct iso_price_exception *exception = &problem->price_exceptions[i];
        if ((exception->period == t || exception->period == lead) &&
            iso_problem_price(problem, exception->offering, t) !=
                iso_problem_price(problem, exception->offering, lead))
            return false;
    }
    return true;
}

/* Limits by their multipliers (0 where they do not hold), budgets and products. */
static bool same_rules(const struct iso_pricing *p, int32_t t, int32_t lead)
{
    const struct iso_verifier *v = p->v;
    const struct iso_problem *problem = v->problem;

    for (int32_t l = 0; l < problem->n_limits; l++)
        if (p->limit[iso_verify_at(v, l, t)] != p->limit[iso_verify_at(v, l, lead)] ||
            problem->limits[l].periods[t] != problem->limits[l].periods[lead])
            return false;
    for (int32_t b = 0; b < problem->n_budgets; b++)
        for (int32_t w = 0; w < problem->budgets[b].n_windows; w++)
            if (problem->budgets[b].windows[w].periods[t] !=
                problem->budgets[b].windows[w].periods[lead])
                return false;
    for (int32_t c = 0; c < problem->n_products; c++)
        if (p->supply[iso_verify_at(v, c, t)] != p->supply[iso_verify_at(v, c, lead)])
            return false;
    return true;
}

bool iso_leads_alike(const struct iso_pricing *p, int32_t t)
{
    const struct iso_problem *problem = p->v->problem;
    int32_t lead = p->v->plan->leads[t].period;

    if (problem->moves.present && (t == 0 || lead == 0))
        return false;
    if (p->kinds[ISO_ROW_SPREAD].n > 0 || p->kinds[ISO_ROW_PRESENCE].n > 0 ||
        p->kinds[ISO_ROW_ARRIVAL].n > 0)
        return false;                                  /* these rows have no lead */
    for (int32_t a = 0; a < problem->n_workloads; a++) /* rules without demand have no rows */
        if (problem->workloads[a].n_survive > 0 &&
            (problem->workloads[a].demand[t] > 0) != (problem->workloads[a].demand[lead] > 0))
            return false;
    return iso_leads_same_prices(problem, t, lead) && same_rules(p, t, lead);
}

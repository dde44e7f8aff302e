/* The stages of the objective, in order:
 *
 *   for each rank r that a workload has, rising:
 *   FAIR      k = 1 .. n of its n workloads that are served evenly: the sum of the k largest
 *             losses, sum_t h_t u_t / sum_t h_t required_t
 *   UNSERVED  sum over its workloads with required > 0 and D > 0 of weight * h_t * u / D, with u as
 *             far as it counts (box.c)
 *
 *   PREFER    when there is a PREFER or DEFAULT rule: sum over limits and periods of
 *             (h_t / H) * violation / bound + sum over windows of violation / amount
 *             (a bound or amount of 0 counts as 1)
 *   MONEY     cost + penalties + risk, to the last 1e-9
 *   MOVES     when there is a placement today: m
 *
 * A plan on the way has the first few of them; an OPTIMAL one has all, each within its gap. Values
 * other than MONEY are binary64: compared to a relative 1e-12. */
#include "verifier.h"

#include <float.h>
#include <math.h>

#define CLOSE 1e-9   /* relative and absolute slack of bounds and frozen values */
#define SAME 1e-12   /* relative slack of values summed in another order */
#define PROVED 1e-7  /* relative and absolute slack of gaps: what binary64 multipliers can prove */
#define NOTICE 1e-6  /* most by which a claimed bound may be below the checked one */
#define SUMMED 1e-11 /* the same for rounding, relative to the terms that are added up */
#define ROUNDING 5e-10 /* money that rounding one line may hide in each of its periods */

static bool has_preferences(const struct iso_problem *problem)
{
    for (int32_t l = 0; l < problem->n_limits; l++)
        if (problem->limits[l].policy == ISO_POLICY_PREFER ||
            problem->limits[l].policy == ISO_POLICY_DEFAULT)
            return true;
    for (int32_t b = 0; b < problem->n_budgets; b++)
        if (problem->budgets[b].policy == ISO_POLICY_PREFER ||
            problem->budgets[b].policy == ISO_POLICY_DEFAULT)
            return true;
    return false;
}

static int32_t count_fair(const struct iso_problem *problem, int32_t priority)
{
    int32_t n = 0;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        n += problem->workloads[a].fair && problem->workloads[a].priority == priority;
    return n;
}

/* The tier that follows one of `kind`, `priority` and `worst`; false after the last. */
static bool next_tier(const struct iso_problem *problem, bool first, enum iso_tier_kind *kind,
                      int32_t *priority, int32_t *worst)
{
    int32_t best = INT32_MAX;

    if (!first && *kind == ISO_TIER_FAIR) {
        bool more = *worst < count_fair(problem, *priority);
        *kind = more ? ISO_TIER_FAIR : ISO_TIER_UNSERVED;
        *worst = more ? *worst + 1 : 0;
        return true;
    }

    for (int32_t a = 0; a < problem->n_workloads && (first || *kind == ISO_TIER_UNSERVED); a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        if (workload->service == ISO_SERVICE_PRIORITY && workload->priority < best &&
            (first || workload->priority > *priority))
            best = workload->priority;
    }
    enum iso_tier_kind before = *kind;
    *priority = best < INT32_MAX ? best : 0;
    *worst = best < INT32_MAX && count_fair(problem, best) > 0;
    if (best < INT32_MAX)
        *kind = *worst ? ISO_TIER_FAIR : ISO_TIER_UNSERVED;
    else if ((first || before == ISO_TIER_UNSERVED) && has_preferences(problem))
        *kind = ISO_TIER_PREFER;
    else if (first || before == ISO_TIER_UNSERVED || before == ISO_TIER_PREFER)
        *kind = ISO_TIER_MONEY;
    else if (before == ISO_TIER_MONEY && problem->moves.present)
        *kind = ISO_TIER_MOVES;
    else
        return false;
    return true;
}

static long double unserved_value(const struct iso_verifier *v, int32_t priority)
{
    const struct iso_problem *problem = v->problem;
    long double sum = 0;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        const struct iso_workload *workload = &problem->workloads[a];
        for (int32_t t = 0; t < problem->n_periods; t++)
            if (workload->service == ISO_SERVICE_PRIORITY && workload->priority == priority &&
                workload->demand[t] > 0)
                sum += (long double)workload->weight / 1e9L *
                       ((long double)problem->periods[t].hours / 1e9L) *
                       ((long double)v->counted[iso_verify_at(v, a, t)] /
                        (long double)workload->demand[t]);
    }
    return sum;
}

/* The share of what a workload asks over the horizon that is not served. */
static long double loss_of(const struct iso_verifier *v, int32_t a)
{
    const struct iso_workload *workload = &v->problem->workloads[a];
    long double asked = 0, lost = 0;

    for (int32_t t = 0; t < v->problem->n_periods; t++) {
        long double hours = (long double)v->problem->periods[t].hours;
        asked += hours * (long double)workload->required[t];
        lost += hours * (long double)v->unserved[iso_verify_at(v, a, t)];
    }
    return asked > 0 ? lost / asked : 0;
}

/* A loss counts when fewer than k others are larger, or equal and of a workload before it. */
static long double fair_value(const struct iso_verifier *v, const struct iso_tier *tier)
{
    const struct iso_problem *problem = v->problem;
    long double sum = 0;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        int32_t larger = 0;
        if (!problem->workloads[a].fair || problem->workloads[a].priority != tier->priority)
            continue;
        long double loss = loss_of(v, a);
        for (int32_t other = 0; other < problem->n_workloads; other++) {
            const struct iso_workload *workload = &problem->workloads[other];
            if (!workload->fair || workload->priority != tier->priority)
                continue;
            long double its = loss_of(v, other);
            larger += its > loss || (its == loss && other < a);
        }
        sum += larger < tier->worst ? loss : 0;
    }
    return sum;
}

static long double relative(iso_wide violation, iso_decimal to)
{
    return (long double)violation / (long double)(to > 0 ? to : ISO_DECIMAL_ONE);
}

static long double prefer_value(const struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;
    long double sum = 0, horizon = 0;

    for (int32_t t = 0; t < problem->n_periods; t++)
        horizon += (long double)problem->periods[t].hours;
    for (int32_t l = 0; l < problem->n_limits; l++) {
        const struct iso_limit *limit = &problem->limits[l];
        if (limit->policy != ISO_POLICY_PREFER && limit->policy != ISO_POLICY_DEFAULT)
            continue;
        for (int32_t t = 0; t < problem->n_periods; t++)
            sum += (long double)problem->periods[t].hours / horizon *
                   relative(v->limit_violations[iso_verify_at(v, l, t)], limit->bound);
    }
    for (int32_t b = 0; b < problem->n_budgets; b++) {
        const struct iso_budget *budget = &problem->budgets[b];
        if (budget->policy != ISO_POLICY_PREFER && budget->policy != ISO_POLICY_DEFAULT)
            continue;
        for (int32_t w = 0; w < budget->n_windows; w++)
            sum +=
                relative(v->budget_violations[v->first_window[b] + w], budget->windows[w].amount);
    }
    return sum;
}

static double slack(double value)
{
    return CLOSE * (1 + fabs(value));
}

static enum iso_status check_value(const struct iso_verifier *v, int32_t i, double *ret_value)
{
    const struct iso_tier *tier = &v->plan->tiers[i];
    double value = 0, allowed;

    if (tier->kind == ISO_TIER_MONEY) {
        iso_decimal money;
        if (!iso_wide_to_decimal((iso_wide)v->plan->cost + v->plan->penalties + v->plan->risk,
                                 &money))
            return iso_verify_fail(v, "tiers", i, "value", "is out of range");
        value = iso_decimal_to_double(money);
        allowed = 2 * DBL_EPSILON * fabs(value);
    } else {
        value = tier->kind == ISO_TIER_UNSERVED ? (double)unserved_value(v, tier->priority)
                : tier->kind == ISO_TIER_FAIR   ? (double)fair_value(v, tier)
                : tier->kind == ISO_TIER_PREFER ? (double)prefer_value(v)
                                                : (double)v->moves;
        allowed = SAME * fabs(value);
        if (tier->kind == ISO_TIER_PREFER) /* small differences of large sums */
            allowed = slack(value);
    }
    if (!(fabs(tier->value - value) <= allowed))
        return iso_verify_fail(v, "tiers", i, "value", "is %.17g; the plan makes it %.17g",
                               tier->value, value);
    *ret_value = value;
    return ISO_OK;
}

/* frozen = (value when it was frozen) * (1 + tolerance), and later tiers stayed at or below it.
 * What a tier was frozen at was within the gap of its bound, so of the value now, when it was
 * proved. */
static enum iso_status check_frozen(const struct iso_verifier *v, int32_t i, double value)
{
    const struct iso_tier *tier = &v->plan->tiers[i];
    double gap = fmax(v->problem->options.gap, CLOSE);

    if (tier->proof == ISO_PROOF_NONE && v->plan->reason != ISO_REASON_OPTIMAL)
        return ISO_OK; /* still open */
    if (tier->tolerance != v->problem->options.tier_tolerance)
        return iso_verify_fail(v, "tiers", i, "tolerance", "is %g; the options say %g",
                               tier->tolerance, v->problem->options.tier_tolerance);
    if (!isfinite(tier->frozen) || value > tier->frozen * (1 + CLOSE) + CLOSE)
        return iso_verify_fail(v, "tiers", i, "frozen", "is %.17g; the plan's value is %.17g",
                               tier->frozen, value);
    if (v->plan->reason == ISO_REASON_OPTIMAL &&
        tier->frozen * (1 - gap) > value * (1 + tier->tolerance) + PROVED * (1 + fabs(value)))
        return iso_verify_fail(v, "tiers", i, "frozen",
                               "is %.17g; %.17g with a tolerance of %g makes it less", tier->frozen,
                               value, tier->tolerance);
    return ISO_OK;
}

/* A bound may be claimed without what whole instances add to it, and less what rounding could have
 * added to its terms, which may cancel to nothing. */
static enum iso_status check_claim(const struct iso_verifier *v, int32_t i, const char *member,
                                   double claimed, double checked)
{
    double below = v->whole_worth + NOTICE * fabs(checked) + SUMMED * v->bound_size + CLOSE;

    if (claimed <= checked + slack(checked) && claimed >= checked - below)
        return ISO_OK;
    return iso_verify_fail(v, "tiers", i, member, "is %.17g; its proof gives %.17g", claimed,
                           checked);
}

/* Each multiplier belongs to one tier; tiers take theirs in order. */
static enum iso_status check_ranges(const struct iso_verifier *v)
{
    int32_t next = 0;

    for (int32_t i = 0; i < v->plan->n_tiers; i++) {
        const struct iso_tier *tier = &v->plan->tiers[i];
        if (tier->n_duals < 0 || tier->n_duals > v->plan->n_duals - next ||
            (tier->n_duals > 0 ? tier->first_dual != next
                               : tier->first_dual < 0 || tier->first_dual > v->plan->n_duals))
            return iso_verify_fail(v, "tiers", i, "n_duals", "is %d from %d; %d of %d are left",
                                   tier->n_duals, tier->first_dual, v->plan->n_duals - next,
                                   v->plan->n_duals);
        next += tier->n_duals;
    }
    if (next != v->plan->n_duals)
        return iso_verify_fail(v, "duals", next, "", "belongs to no tier");
    return ISO_OK;
}

/* The claimed bounds of a tier against what the verifier finds by itself. */
static enum iso_status check_bound(struct iso_verifier *v, int32_t i)
{
    const struct iso_tier *tier = &v->plan->tiers[i];
    double checked = -INFINITY;

    if (isnan(tier->bound) || isnan(tier->checked_bound) ||
        (tier->checked_bound > tier->bound && tier->bound != tier->value))
        return iso_verify_fail(v, "tiers", i, "checked_bound", "is %g; the bound is %g",
                               tier->checked_bound, tier->bound);
    switch (tier->proof) {
    case ISO_PROOF_NONE:
        if (tier->bound > -INFINITY)
            return iso_verify_fail(v, "tiers", i, "bound", "is %g without a proof", tier->bound);
        return ISO_OK;
    case ISO_PROOF_VALUE_FUNCTION:
        if (tier->kind != ISO_TIER_MONEY)
            return iso_verify_fail(v, "tiers", i, "proof", "is for money only");
        /* fall through */
    case ISO_PROOF_DUAL:
        /* a bound that rounding lifts above the value is cut to it */
        if (tier->checked_bound != tier->bound &&
            (tier->checked_bound < tier->bound || tier->bound != tier->value))
            return iso_verify_fail(v, "tiers", i, "bound", "is %.17g; its proof is that of %.17g",
                                   tier->bound, tier->checked_bound);
        break;
    case ISO_PROOF_SEARCH:
        break;
    default:
        return iso_verify_fail(v, "tiers", i, "proof", "%d does not prove a bound",
                               (int)tier->proof);
    }
    if (tier->n_duals == 0 && tier->checked_bound == -INFINITY)
        return ISO_OK;
    ISO_TRY(iso_verify_dual_bound(v, i, /* ray= */ false, &checked));
    return check_claim(v, i, "checked_bound", tier->checked_bound, checked);
}

static int64_t count_roundings(const struct iso_verifier *v)
{
    int64_t n = 0;

    for (int32_t i = 0; i < v->plan->n_lines; i++)
        n += v->plan->lines[i].n_periods;
    return n;
}

static enum iso_status check_gap(const struct iso_verifier *v, int32_t i, double value)
{
    const struct iso_tier *tier = &v->plan->tiers[i];
    double rounding = tier->kind == ISO_TIER_MONEY ? ROUNDING * (double)count_roundings(v) : 0;
    double proved = tier->kind == ISO_TIER_MONEY ? PROVED / 10 : PROVED;
    double gap = tier->kind == ISO_TIER_MONEY ? v->problem->options.gap
                                              : fmax(v->problem->options.gap, CLOSE);

    if (tier->bound > value + slack(value) + rounding)
        return iso_verify_fail(v, "tiers", i, "bound", "is %.17g, above the plan's own %.17g",
                               tier->bound, value);
    if (v->plan->reason == ISO_REASON_OPTIMAL &&
        value - tier->bound > (gap + proved) * fabs(value) + proved + rounding)
        return iso_verify_fail(v, "tiers", i, "bound",
                               "is %.17g; an optimal plan of %.17g needs it within %g", tier->bound,
                               value, gap);
    return ISO_OK;
}

enum iso_status iso_verify_tiers(struct iso_verifier *v)
{
    const struct iso_plan *plan = v->plan;
    enum iso_tier_kind kind = ISO_TIER_UNSERVED;
    int32_t priority = 0, worst = 0, i = 0;

    ISO_TRY(check_ranges(v));
    for (; i < plan->n_tiers; i++) {
        const struct iso_tier *tier = &plan->tiers[i];
        double value = 0;
        if (!next_tier(v->problem, i == 0, &kind, &priority, &worst) || tier->kind != kind ||
            tier->priority != priority || tier->worst != worst)
            return iso_verify_fail(v, "tiers", i, "kind", "is %d (rank %d); not in the order of %s",
                                   (int)tier->kind, tier->priority, "the objective");
        ISO_TRY(check_value(v, i, &value));
        ISO_TRY(check_frozen(v, i, value));
        ISO_TRY(check_gap(v, i, value));
    }
    if (plan->reason == ISO_REASON_OPTIMAL &&
        next_tier(v->problem, i == 0, &kind, &priority, &worst))
        return iso_verify_fail(v, "tiers", -1, "", "has %d stages; the objective has more",
                               plan->n_tiers);
    for (i = 0; i < plan->n_tiers; i++)
        ISO_TRY(check_bound(v, i));
    return ISO_OK;
}

enum iso_status iso_verify_infeasible(struct iso_verifier *v)
{
    double bound;

    if (v->plan->n_tiers < 1)
        return iso_verify_fail(v, "tiers", -1, "", "is empty; infeasibility needs a proof");
    ISO_TRY(check_ranges(v));
    switch (v->plan->tiers[0].proof) {
    case ISO_PROOF_SEARCH:
    case ISO_PROOF_COUNTING:
        return ISO_OK;
    case ISO_PROOF_RAY:
        ISO_TRY(iso_verify_dual_bound(v, 0, /* ray= */ true, &bound));
        if (bound > 0)
            return ISO_OK;
        return iso_verify_fail(v, "tiers", 0, "proof", "the ray gives %g; above 0 proves it",
                               bound);
    default:
        return iso_verify_fail(v, "tiers", 0, "proof", "%d does not prove that there is no plan",
                               (int)v->plan->tiers[0].proof);
    }
}

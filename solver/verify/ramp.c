/* RAMP: for the cell of a workload with a ramp, in every period t > 0, with n the instances that
 * run,
 *
 *   starts  sum_o max(0, n_ot - n_o,t-1) <= starts        stops  sum_o max(0, n_o,t-1 - n_ot) <=
 * stops
 *
 * For bounds:
 *
 *   RAMP      n_ot - n_o,t-1 - start_ot + stop_ot = 0     RAMP_CAP  sum start <= starts, likewise
 * stop start     rc = m - lambda_CAP >= 0                    stop      rc = -m - lambda_CAP >= 0
 *
 * so m is cut to [lambda_CAP(starts), -lambda_CAP(stops)]; a cap that is not there counts as 0. An
 * instance costs m_t - m_t+1 less. */
#include "pricing.h"

/* Instances of the cell in each period, one offering after the other: usages are sorted by period,
 * cell and offering, so a period's are one stretch. */
struct stretch {
    const struct iso_verify_usage *usages;
    int32_t n;
};

static struct stretch stretch_of(const struct iso_verifier *v, int32_t period, int32_t cell)
{
    int32_t low = 0, high = v->n_usages, end;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        const struct iso_verify_usage *usage = &v->usages[middle];
        if (usage->period < period || (usage->period == period && usage->cell < cell))
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < v->n_usages; end++)
        if (v->usages[end].period != period || v->usages[end].cell != cell)
            break;
    return (struct stretch){&v->usages[low], end - low};
}

static void compare(struct stretch before, struct stretch now, iso_wide *ret_starts,
                    iso_wide *ret_stops)
{
    *ret_starts = *ret_stops = 0;
    for (int32_t i = 0, k = 0; i < before.n || k < now.n;) {
        int32_t old = i < before.n ? before.usages[i].offering : INT32_MAX;
        int32_t new = k < now.n ? now.usages[k].offering : INT32_MAX;
        iso_wide change = 0;
        if (old <= new)
            change -= before.usages[i++].count;
        if (new <= old)
            change += now.usages[k++].count;
        if (change > 0)
            *ret_starts += change;
        else
            *ret_stops -= change;
    }
}

static enum iso_status check_cap(struct iso_verifier *v, int32_t a, int32_t t, const char *what,
                                 iso_wide changes, int64_t cap)
{
    v->verdict.rules_checked += cap >= 0;
    if (cap < 0 || changes <= cap)
        return ISO_OK;
    return iso_verify_fail(v, "uses", -1, "", "ramp %s: %.0f instances %s in period %s; %lld may",
                           v->problem->workloads[a].ramp->id, (double)changes, what,
                           v->problem->periods[t].id, (long long)cap);
}

enum iso_status iso_verify_ramps(struct iso_verifier *v)
{
    for (int32_t a = 0; a < v->problem->n_workloads; a++) {
        const struct iso_ramp *ramp = v->problem->workloads[a].ramp;
        int32_t cell = iso_problem_cell(v->problem, a);
        for (int32_t t = 1; ramp && t < v->problem->n_periods; t++) {
            iso_wide starts, stops;
            compare(stretch_of(v, t - 1, cell), stretch_of(v, t, cell), &starts, &stops);
            ISO_TRY(check_cap(v, a, t, "start", starts, ramp->starts));
            ISO_TRY(check_cap(v, a, t, "stop", stops, ramp->stops));
        }
    }
    return ISO_OK;
}

/* --- bounds --- */

static double cap_multiplier(const struct iso_pricing *p, int32_t a, int32_t t, int32_t stops)
{
    struct iso_row_range rows = iso_pricing_rows(p, ISO_ROW_RAMP_CAP, a, t, stops);
    return rows.n > 0 ? rows.rows[0].value : 0;
}

/* m of an offering in a period, cut to the range that prices start and stop out. */
static double multiplier(const struct iso_pricing *p, int32_t a, int32_t offering, int32_t t)
{
    struct iso_row_range rows = iso_pricing_rows(p, ISO_ROW_RAMP, a, offering, t);
    double m = rows.n > 0 ? rows.rows[0].value : 0;

    return fmax(cap_multiplier(p, a, t, 0), fmin(m, -cap_multiplier(p, a, t, 1)));
}

struct iso_bounded iso_pricing_ramp(const struct iso_pricing *p, int32_t cell, int32_t offering,
                                    int32_t period)
{
    const struct iso_problem *problem = p->v->problem;
    struct iso_bounded sum = {0, 0};

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        if (!problem->workloads[a].ramp || iso_problem_cell(problem, a) != cell)
            continue;
        if (period > 0)
            sum = iso_bounded_add(sum, iso_bounded_exact(multiplier(p, a, offering, period)));
        if (period + 1 < problem->n_periods)
            sum = iso_bounded_subtract(sum,
                                       iso_bounded_exact(multiplier(p, a, offering, period + 1)));
    }
    return sum;
}

void iso_pricing_ramps(struct iso_pricing *p)
{
    for (int32_t i = 0; i < p->kinds[ISO_ROW_RAMP_CAP].n; i++) {
        const struct iso_dual *dual = &p->kinds[ISO_ROW_RAMP_CAP].rows[i];
        const struct iso_ramp *ramp = p->v->problem->workloads[dual->a].ramp;
        struct iso_bounded cap = {(long double)(dual->c == 0 ? ramp->starts : ramp->stops), 0};
        iso_pricing_add(p, iso_bounded_multiply(cap, iso_bounded_exact(dual->value)));
    }
    p->v->verdict.columns_priced += 2 * p->kinds[ISO_ROW_RAMP].n;
}

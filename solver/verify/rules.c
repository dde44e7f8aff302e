/* Rules of one workload or one limit. With s_o = what option o serves (decimals, exact), s their
 * sum and u what is left unserved, in every period t:
 *
 *   DEMAND     s + u >= required,  0 <= u <= required,  u = 0 for must-serve
 *   LIMIT      sum weight * instances <= bound (or >= for a minimum); broken by at most 0 (HARD),
 *              `today` (DEFAULT), anything (SOFT, PREFER); of an or-nothing minimum 0 is enough
 *   SHARE      sum_S s <= maximum * s,  sum_S s >= minimum * (D - u)
 *   SURVIVE    D > 0: for each domain d that holds an option, on-demand s that does not fall with d
 *              >= theta * (D - u)
 *   MOVES      e+ = sum max(0, x_0 - current), e- = sum max(0, current - x_0),
 *              m = max(0, e- - forced_stops) <= maximum
 *
 * Products with a share are compared times 1e9 in 128 bits: no rounding anywhere. */
#include "verifier.h"

static enum iso_status check_demand(struct iso_verifier *v, int32_t a, int32_t t)
{
    const struct iso_workload *workload = &v->problem->workloads[a];
    size_t at = iso_verify_at(v, a, t);
    iso_decimal unserved = v->unserved[at], required = workload->required[t];

    v->verdict.rules_checked++;
    if (unserved > 0 && workload->service == ISO_SERVICE_MUST)
        return iso_verify_fail(v, "unserved", -1, "", "workload %s must be served in period %s",
                               workload->id, v->problem->periods[t].id);
    if (unserved > required)
        return iso_verify_fail(v, "unserved", -1, "",
                               "%g of workload %s in period %s; only %g is required",
                               iso_decimal_to_double(unserved), workload->id,
                               v->problem->periods[t].id, iso_decimal_to_double(required));
    if (v->served[at] + unserved < required)
        return iso_verify_fail(v, "uses", -1, "",
                               "workload %s is served %g in period %s; %g is required",
                               workload->id, (double)v->served[at] / 1e9, v->problem->periods[t].id,
                               iso_decimal_to_double(required - unserved));
    return ISO_OK;
}

static enum iso_status check_shares(struct iso_verifier *v, int32_t a, int32_t t)
{
    const struct iso_workload *workload = &v->problem->workloads[a];
    size_t at = iso_verify_at(v, a, t);
    iso_wide wanted = (iso_wide)workload->demand[t] - v->unserved[at];

    for (int32_t i = 0; i < workload->n_shares; i++) {
        const struct iso_share *share = &workload->shares[i];
        iso_wide inside = 0;
        for (int32_t p = v->first_part[at]; p < v->first_part[at + 1]; p++)
            if (share->member[v->parts[p].option])
                inside += v->parts[p].served;
        v->verdict.rules_checked++;
        if (share->has_maximum && inside * ISO_DECIMAL_ONE > share->maximum * v->served[at])
            return iso_verify_fail(v, "uses", -1, "", "share %s of workload %s is above %g in %s",
                                   share->id, workload->id, iso_decimal_to_double(share->maximum),
                                   v->problem->periods[t].id);
        if (share->has_minimum && inside * ISO_DECIMAL_ONE < share->minimum * wanted)
            return iso_verify_fail(v, "uses", -1, "", "share %s of workload %s is below %g in %s",
                                   share->id, workload->id, iso_decimal_to_double(share->minimum),
                                   v->problem->periods[t].id);
    }
    return ISO_OK;
}

/* A domain, and one option that lies in it: whether an offering falls with another domain depends
 * on its own domain only. */
struct domain {
    int32_t index, offering;
};

/* The domains that hold an option of a workload; `seen` has one flag a domain, all clear. */
static int32_t list_domains(const struct iso_problem *problem, const struct iso_workload *workload,
                            enum iso_level level, uint8_t *seen, struct domain *domains)
{
    int32_t n = 0;

    for (int32_t i = 0; i < workload->n_options; i++) {
        int32_t offering = workload->options[i].offering;
        int32_t domain = iso_problem_domain(problem, offering, level);
        if (!seen[domain]) {
            seen[domain] = 1;
            domains[n++] = (struct domain){domain, offering};
        }
    }
    return n;
}

static enum iso_status check_survive_period(struct iso_verifier *v, int32_t a,
                                            const struct iso_survive *rule, int32_t t,
                                            const struct domain *domains, int32_t n_domains,
                                            iso_wide *by_domain)
{
    const struct iso_workload *workload = &v->problem->workloads[a];
    size_t at = iso_verify_at(v, a, t);
    iso_wide needed = rule->share * ((iso_wide)workload->demand[t] - v->unserved[at]), sum = 0;

    for (int32_t i = 0; i < n_domains; i++)
        by_domain[domains[i].index] = 0;
    for (int32_t p = v->first_part[at]; p < v->first_part[at + 1]; p++) {
        int32_t offering = workload->options[v->parts[p].option].offering;
        if (v->problem->offerings[offering].spot)
            continue;
        sum += v->parts[p].served;
        by_domain[iso_problem_domain(v->problem, offering, rule->level)] += v->parts[p].served;
    }
    for (int32_t d = 0; d < n_domains; d++) {
        iso_wide left = sum;
        for (int32_t i = 0; i < n_domains; i++)
            if (by_domain[domains[i].index] > 0 &&
                iso_problem_falls_with(v->problem, domains[i].offering, rule->level,
                                       domains[d].index))
                left -= by_domain[domains[i].index];
        v->verdict.rules_checked++;
        if (left * ISO_DECIMAL_ONE < needed)
            return iso_verify_fail(
                v, "uses", -1, "",
                "rule %s of workload %s: %g is left in %s when the domain of %s "
                "fails; %g is needed",
                rule->id, workload->id, (double)left / 1e9, v->problem->periods[t].id,
                v->problem->offerings[domains[d].offering].id, (double)needed / 1e18);
    }
    return ISO_OK;
}

static enum iso_status check_survive(struct iso_verifier *v, int32_t a,
                                     const struct iso_survive *rule)
{
    const struct iso_workload *workload = &v->problem->workloads[a];
    size_t n = (size_t)iso_problem_n_domains(v->problem, rule->level);
    ISO_AUTO_MEM uint8_t *seen = iso_calloc(n, 1);
    ISO_AUTO_MEM struct domain *domains = iso_calloc(n, sizeof(*domains));
    ISO_AUTO_MEM iso_wide *by_domain = iso_calloc(n, sizeof(*by_domain));

    if (!seen || !domains || !by_domain)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory for %zu domains", n);
    int32_t n_domains = list_domains(v->problem, workload, rule->level, seen, domains);
    for (int32_t t = 0; t < v->problem->n_periods; t++)
        if (workload->demand[t] > 0)
            ISO_TRY(check_survive_period(v, a, rule, t, domains, n_domains, by_domain));
    return ISO_OK;
}

/* Usages are sorted by period; each limit's sum is taken period by period. */
static void measure_limits(struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;

    for (int32_t i = 0; i < v->n_usages; i++) {
        const struct iso_verify_usage *usage = &v->usages[i];
        for (int32_t j = v->first_limit[usage->offering]; j < v->first_limit[usage->offering + 1];
             j++)
            v->limit_violations[iso_verify_at(v, v->limits[j].index, usage->period)] +=
                (iso_wide)v->limits[j].weight * usage->count;
    }
    for (int32_t l = 0; l < problem->n_limits; l++)
        for (int32_t t = 0; t < problem->n_periods; t++) {
            const struct iso_limit *limit = &problem->limits[l];
            iso_wide *cell = &v->limit_violations[iso_verify_at(v, l, t)];
            iso_wide over = limit->minimum ? limit->bound - *cell : *cell - limit->bound;
            bool nothing = limit->or_nothing && *cell == 0;
            *cell = limit->periods[t] && over > 0 && !nothing ? over : 0;
        }
}

static enum iso_status check_limits(struct iso_verifier *v)
{
    measure_limits(v);
    for (int32_t l = 0; l < v->problem->n_limits; l++)
        for (int32_t t = 0; t < v->problem->n_periods; t++) {
            const struct iso_limit *limit = &v->problem->limits[l];
            iso_wide violation = v->limit_violations[iso_verify_at(v, l, t)];
            v->verdict.rules_checked += limit->periods[t];
            if ((limit->policy == ISO_POLICY_HARD && violation > 0) ||
                (limit->policy == ISO_POLICY_DEFAULT && violation > limit->today))
                return iso_verify_fail(v, "uses", -1, "", "limit %s is broken by %g in period %s",
                                       limit->id, (double)violation / 1e9,
                                       v->problem->periods[t].id);
        }
    return ISO_OK;
}

enum iso_status iso_verify_rules(struct iso_verifier *v)
{
    for (int32_t a = 0; a < v->problem->n_workloads; a++) {
        for (int32_t t = 0; t < v->problem->n_periods; t++) {
            ISO_TRY(check_demand(v, a, t));
            ISO_TRY(check_shares(v, a, t));
        }
        for (int32_t i = 0; i < v->problem->workloads[a].n_survive; i++)
            ISO_TRY(check_survive(v, a, &v->problem->workloads[a].survive[i]));
    }
    return check_limits(v);
}

enum iso_status iso_verify_moves(struct iso_verifier *v)
{
    const struct iso_moves *moves = &v->problem->moves;
    iso_wide kept = 0, today = 0, now = 0;

    if (!moves->present)
        return ISO_OK;
    for (int32_t i = 0; i < moves->n_current; i++) {
        const struct iso_current *current = &moves->current[i];
        const struct iso_verify_usage *usage =
            iso_verify_find_usage(v, 0, current->cell, current->offering);
        today += current->count;
        if (usage)
            kept += usage->count < current->count ? usage->count : current->count;
    }
    for (int32_t i = 0; i < v->n_usages && v->usages[i].period == 0; i++)
        now += v->usages[i].count;
    v->starts = now - kept;
    v->stops = today - kept;
    v->moves = v->stops > moves->forced_stops ? v->stops - moves->forced_stops : 0;
    v->verdict.rules_checked++;
    if (moves->maximum >= 0 && v->moves > moves->maximum)
        return iso_verify_fail(v, "uses", -1, "", "moves %lld instances; at most %lld are allowed",
                               (long long)v->moves, (long long)moves->maximum);
    return ISO_OK;
}

/* SPREAD: a set of at least N domains d, the same in every period, each of which holds an option
 * that counts, with
 *
 *   sum of s over the options of d that count >= eps * (D_t - u_t)      for every t with D_t > 0.
 *
 * Each domain either satisfies all of these or cannot be in the set, so it is enough to count. */
#include "verifier.h"

/* Whether a domain counts at all: -1 not looked at, 0 no, 1 yes. */
static void find_counting(const struct iso_verifier *v, const struct iso_workload *workload,
                          enum iso_level level, int8_t *counts)
{
    for (int32_t i = 0; i < workload->n_options; i++) {
        int32_t offering = workload->options[i].offering;
        int8_t *slot = &counts[iso_problem_domain(v->problem, offering, level)];
        if (*slot < 0)
            *slot = iso_problem_spread_counts(v->problem, workload, offering, level);
    }
}

static enum iso_status check_spread(struct iso_verifier *v, int32_t a,
                                    const struct iso_spread *rule)
{
    const struct iso_workload *workload = &v->problem->workloads[a];
    int32_t n = iso_problem_n_domains(v->problem, rule->level), good = 0;
    ISO_AUTO_MEM int8_t *counts = iso_calloc((size_t)n, 1);
    ISO_AUTO_MEM iso_wide *sums = iso_calloc((size_t)n, sizeof(*sums));

    if (!counts || !sums)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory for %d domains", n);
    for (int32_t d = 0; d < n; d++)
        counts[d] = -1;
    find_counting(v, workload, rule->level, counts);
    for (int32_t t = 0; t < v->problem->n_periods; t++) {
        size_t at = iso_verify_at(v, a, t);
        iso_wide needed = rule->minimum_share * ((iso_wide)workload->demand[t] - v->unserved[at]);
        if (workload->demand[t] == 0)
            continue;
        memset(sums, 0, (size_t)n * sizeof(*sums));
        for (int32_t p = v->first_part[at]; p < v->first_part[at + 1]; p++)
            sums[iso_problem_domain(v->problem, workload->options[v->parts[p].option].offering,
                                    rule->level)] += v->parts[p].served;
        for (int32_t d = 0; d < n; d++)
            if (sums[d] * ISO_DECIMAL_ONE < needed)
                counts[d] = 0;
    }
    for (int32_t d = 0; d < n; d++)
        good += counts[d] > 0;
    v->verdict.rules_checked++;
    if (good < rule->minimum_domains)
        return iso_verify_fail(v, "uses", -1, "",
                               "rule %s of workload %s: %d domains hold their share; %d are needed",
                               rule->id, workload->id, good, rule->minimum_domains);
    return ISO_OK;
}

enum iso_status iso_verify_spread(struct iso_verifier *v)
{
    for (int32_t a = 0; a < v->problem->n_workloads; a++)
        for (int32_t i = 0; i < v->problem->workloads[a].n_spread; i++)
            ISO_TRY(check_spread(v, a, &v->problem->workloads[a].spread[i]));
    return ISO_OK;
}

/* Copies are whole, and those of a must-serve workload are never unserved. So what their rows ask
 * for may be rounded up:
 *
 *   DEMAND     sum s >= ceil(required), see least_served.c
 *   SHARE_MIN  sum_S s >= ceil(minimum D)
 *   SURVIVE    sum_{not falling with d} s >= h = ceil(theta D), for each of the m domains d
 *
 * A copy counts in at most m - 1 of the m SURVIVE rows of a rule, not in that of its own domain.
 * Their sum says (m - 1) sum s >= m h, so that  sum s >= ceil(m h / (m - 1))  holds as well and is
 * taken for the right side of DEMAND where it is more. */
#include "pricing.h"

bool iso_pricing_counts_whole(const struct iso_workload *workload)
{
    return workload->replicas && workload->service == ISO_SERVICE_MUST;
}

iso_decimal iso_pricing_whole(iso_decimal share, iso_decimal amount)
{
    iso_wide one = (iso_wide)ISO_DECIMAL_ONE * ISO_DECIMAL_ONE;

    return (iso_decimal)iso_wide_divide((iso_wide)share * amount, one, ISO_ROUND_UP) *
           ISO_DECIMAL_ONE;
}

/* Domains at a level that hold an option; 0 when memory is short. */
static int32_t count_domains(const struct iso_problem *problem, const struct iso_workload *workload,
                             enum iso_level level)
{
    ISO_AUTO_MEM uint8_t *seen = iso_calloc((size_t)iso_problem_n_domains(problem, level), 1);
    int32_t n = 0;

    for (int32_t i = 0; i < workload->n_options && seen; i++) {
        int32_t d = iso_problem_domain(problem, workload->options[i].offering, level);
        n += !seen[d];
        seen[d] = 1;
    }
    return n;
}

iso_decimal iso_pricing_asked(const struct iso_verifier *v, int32_t a, int32_t t)
{
    const struct iso_problem *problem = v->problem;
    const struct iso_workload *workload = &problem->workloads[a];
    iso_decimal most = iso_verify_least_served(v, a, t);

    if (!iso_pricing_counts_whole(workload))
        return most;
    for (int32_t r = 0; r < workload->n_survive && workload->demand[t] > 0; r++) {
        int32_t m = count_domains(problem, workload, workload->survive[r].level);
        iso_wide h = iso_pricing_whole(workload->survive[r].share, workload->demand[t]);
        iso_decimal copies;
        if (m < 2)
            continue;
        h = iso_wide_divide(m * (h / ISO_DECIMAL_ONE), m - 1, ISO_ROUND_UP) * ISO_DECIMAL_ONE;
        if (iso_wide_to_decimal(h, &copies) && copies > most)
            most = copies;
    }
    return most;
}

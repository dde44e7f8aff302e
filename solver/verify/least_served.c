/* What whole instances must serve, by arithmetic of our own. */
#include "verifier.h"

static iso_decimal divisor_of(iso_decimal a, iso_decimal b)
{
    return b == 0 ? a : divisor_of(b, a % b);
}

void iso_verify_find_whole(struct iso_verifier *v)
{
    for (int32_t a = 0; a < v->problem->n_workloads; a++) {
        const struct iso_workload *workload = &v->problem->workloads[a];
        v->whole[a] = 0;
        if (workload->service != ISO_SERVICE_MUST)
            continue;
        for (int32_t i = 0; i < workload->n_options; i++)
            v->whole[a] = divisor_of(v->whole[a], workload->replicas ? ISO_DECIMAL_ONE
                                                                     : workload->options[i].served);
    }
}

iso_decimal iso_verify_least_served(const struct iso_verifier *v, int32_t workload, int32_t period)
{
    iso_decimal required = v->problem->workloads[workload].required[period];
    iso_decimal rest = v->whole[workload] > 0 ? required % v->whole[workload] : 0;

    if (rest == 0 || required > ISO_DECIMAL_MAX - v->whole[workload])
        return required;
    return required + (v->whole[workload] - rest);
}

/* Rounding by a common divisor (V. Chvatal, Discrete Mathematics 4, 1973, for the rounding).
 *
 * Instances are whole, so what they serve of workload a is a multiple of g = gcd over its options
 * of s_ao. When it must be served, sum s_ao x_oat >= required_at says the same as sum s_ao x_oat >=
 * g ceil(required_at / g), and the relaxation of the latter is nearer to the truth. Copies of
 * replicas are whole: g = 1. Premises: what the options serve, the requirement. A workload with a
 * together or apart rule stays as it is, because the rule reads its requirement. */
#include "presolve.h"

static iso_decimal common_divisor(const struct iso_workload *workload)
{
    iso_decimal divisor = workload->replicas ? ISO_DECIMAL_ONE : 0;

    for (int32_t i = 0; i < workload->n_options && !workload->replicas; i++)
        for (iso_decimal other = workload->options[i].served; other != 0;) {
            iso_decimal rest = divisor % other;
            divisor = other;
            other = rest;
        }
    return divisor;
}

/* required_at up to a multiple of the divisor; itself where that leaves the range. */
static iso_decimal rounded_up(iso_decimal required, iso_decimal divisor)
{
    iso_wide up = ((iso_wide)required + divisor - 1) / divisor * divisor;

    return up > ISO_DECIMAL_MAX ? required : (iso_decimal)up;
}

enum iso_status iso_presolve_rounding(struct iso_presolve *presolve, struct iso_error *reterr)
{
    const struct iso_problem *problem = presolve->original;

    for (int32_t a = 0; a < problem->n_workloads; a++) {
        struct iso_workload *workload = &presolve->workloads[a];
        iso_decimal divisor = common_divisor(workload);
        bool rises = false;
        if (workload->service != ISO_SERVICE_MUST || divisor == 0 ||
            iso_presolve_is_placed(problem, a))
            continue;
        for (int32_t t = 0; t < problem->n_periods; t++)
            rises |= workload->required[t] % divisor != 0;
        if (!rises)
            continue;
        iso_decimal *required =
            iso_presolve_array(presolve, (size_t)problem->n_periods, sizeof(*required));
        if (!required)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to round demands");
        for (int32_t t = 0; t < problem->n_periods; t++)
            required[t] = rounded_up(workload->required[t], divisor);
        workload->required = required;
        presolve->changed = true;
    }
    return ISO_OK;
}

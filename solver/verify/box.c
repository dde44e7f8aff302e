/* What counts as unserved. Without a box: what is unserved. With one, whose demand rises in at most
 * Gamma periods: in the Gamma periods where the rise loses most all of it, in the others what is
 * more than the rise, r = required - what is required as it is said. A rise loses w min(u, r) with
 * w = h for a penalty, exactly, and h / D for a priority; of equal ones the earlier counts. */
#include "verifier.h"

/* Whether the rise loses more in period t than in another. */
static bool loses_more(const struct iso_verifier *v, const struct iso_workload *workload,
                       const iso_decimal *rise, int32_t t, int32_t other)
{
    iso_wide left = (iso_wide)rise[t] * v->problem->periods[t].hours;
    iso_wide right = (iso_wide)rise[other] * v->problem->periods[other].hours;

    if (workload->service == ISO_SERVICE_PRIORITY) {
        long double this = (long double)left * (long double)workload->demand[other];
        long double that = (long double)right * (long double)workload->demand[t];
        return this > that || (this == that && t < other);
    }
    return left > right || (left == right && t < other);
}

static void count_box(struct iso_verifier *v, int32_t a, iso_decimal *rise)
{
    const struct iso_workload *workload = &v->problem->workloads[a];
    int32_t n_periods = v->problem->n_periods;
    iso_decimal *counted = &v->counted[iso_verify_at(v, a, 0)];

    for (int32_t t = 0; t < n_periods; t++) {
        rise[t] = workload->required[t] - workload->box->required[t];
        if (rise[t] > counted[t])
            rise[t] = counted[t];
    }
    for (int32_t t = 0; t < n_periods; t++) {
        int32_t before = 0;
        for (int32_t other = 0; other < n_periods; other++)
            before += other != t && rise[other] > 0 && loses_more(v, workload, rise, other, t);
        if (before >= workload->box->periods)
            counted[t] -= rise[t];
    }
}

enum iso_status iso_verify_count_unserved(struct iso_verifier *v)
{
    size_t n_periods = (size_t)v->problem->n_periods;
    ISO_AUTO_MEM iso_decimal *rise = iso_calloc(n_periods, sizeof(*rise));

    if (!rise)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory to verify a plan");
    for (int32_t a = 0; a < v->problem->n_workloads; a++) {
        memcpy(&v->counted[iso_verify_at(v, a, 0)], &v->unserved[iso_verify_at(v, a, 0)],
               n_periods * sizeof(*v->counted));
        if (v->problem->workloads[a].box)
            count_box(v, a, rise);
    }
    return ISO_OK;
}

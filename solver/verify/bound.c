#include "pricing.h"

enum iso_status iso_verify_dual_bound(struct iso_verifier *v, int32_t tier, bool ray,
                                      double *ret_bound)
{
    struct iso_pricing p;
    enum iso_status status = iso_pricing_init(&p, v, tier, ray);

    v->whole_worth = v->bound_size = 0;
    if (status == ISO_OK)
        status = iso_pricing_rules(&p);
    if (status == ISO_OK)
        status = iso_pricing_instances(&p);
    if (status == ISO_OK)
        status = iso_pricing_value_functions(&p);
    if (status == ISO_OK) {
        double low = (double)iso_bounded_low(p.sum);
        *ret_bound = p.nothing || isnan(low) ? -INFINITY : low;
    }
    iso_pricing_fini(&p);
    return status;
}

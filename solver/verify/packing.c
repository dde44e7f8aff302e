/* Packing: for every fill, every resource k that a content needs, and every workload w in it,
 *
 *   sum_w count_w * need_wk <= capacity_ok - overhead_gk     (an unknown capacity fits nothing)
 *   count_w <= maximum_per_instance_w                        (0 = no cap)
 *
 * All in whole units of 1e-9: capacities and needs are decimals, counts are whole. */
#include "verifier.h"

static const char *const resource_names[ISO_N_RESOURCES] = {
    "vCPU", "memory", "GPU", "GPU memory", "local disk", "disk", "network", "IOPS"};

static enum iso_status check_fill(struct iso_verifier *v, int32_t i)
{
    const struct iso_fill *fill = &v->plan->fills[i];
    const struct iso_offering *offering = &v->problem->offerings[fill->offering];
    const struct iso_team *team = &v->problem->teams[fill->team];
    iso_wide taken[ISO_N_RESOURCES] = {0};

    for (int32_t e = fill->first_entry; e < fill->first_entry + fill->n_entries; e++) {
        const struct iso_fill_entry *entry = &v->plan->entries[e];
        const struct iso_workload *workload = &v->problem->workloads[entry->workload];
        if (workload->maximum_per_instance > 0 && entry->count > workload->maximum_per_instance)
            return iso_verify_fail(v, "entries", e, "count",
                                   "is %d; at most %d of workload %s may share an instance",
                                   entry->count, workload->maximum_per_instance, workload->id);
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            taken[k] += (iso_wide)entry->count * workload->need[k];
    }
    for (int k = 0; k < ISO_N_RESOURCES; k++) {
        v->verdict.rules_checked++;
        if (taken[k] == 0)
            continue;
        if (offering->capacity[k] == ISO_UNKNOWN)
            return iso_verify_fail(v, "fills", i, "", "needs %s, which is not known of %s",
                                   resource_names[k], offering->id);
        if (taken[k] > (iso_wide)offering->capacity[k] - team->overhead[k])
            return iso_verify_fail(
                v, "fills", i, "", "needs %g of %s; an instance of %s has %g left",
                (double)taken[k] / 1e9, resource_names[k], offering->id,
                iso_decimal_to_double(offering->capacity[k] - team->overhead[k]));
    }
    return ISO_OK;
}

enum iso_status iso_verify_packing(struct iso_verifier *v)
{
    for (int32_t i = 0; i < v->plan->n_fills; i++)
        ISO_TRY(check_fill(v, i));
    return ISO_OK;
}

#include "density.h"

#include <math.h>

#define ROUNDING 1e-12 /* relative */

/* Shares of an instance that a copy takes; false when it does not fit. */
static bool find_shares(const struct iso_workload *workload, const iso_decimal *room, double *share)
{
    for (int k = 0; k < ISO_N_RESOURCES; k++) {
        if (workload->need[k] > room[k])
            return false;
        share[k] = workload->need[k] == 0 ? 0 : (double)workload->need[k] / (double)room[k];
    }
    return true;
}

double iso_density_bound(const struct iso_problem *problem, const struct iso_pattern_set *set,
                         int32_t team, const double *values, int32_t offering)
{
    double densest[ISO_N_RESOURCES][ISO_N_RESOURCES] = {{0}}, best = INFINITY;
    iso_decimal room[ISO_N_RESOURCES];

    for (int k = 0; k < ISO_N_RESOURCES; k++)
        room[k] = iso_pattern_room(problem, team, offering, k);
    for (int32_t i = 0; i < set->n_workloads; i++) {
        double share[ISO_N_RESOURCES];
        if (values[i] <= 0 || !find_shares(&problem->workloads[set->workloads[i]], room, share))
            continue;
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            for (int l = 0; l <= k; l++) {
                double density = values[i] / ((share[k] + share[l]) / 2);
                densest[k][l] = fmax(densest[k][l], density); /* INFINITY: takes nothing of both */
            }
    }
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        for (int l = 0; l <= k; l++)
            best = fmin(best, densest[k][l]);
    return best * (1 + ROUNDING);
}

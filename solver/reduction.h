/* Reductions that are exact: they drop offerings that some cheapest plan does without.
 *
 * Dominance. For a throughput workload, o is dropped for o' when both have the same signature (the
 * limits, budgets and products that name them, what they count in minima, and what the rules of the
 * workload see), o' takes no more of each cap and uses no more of each product, and, in every
 * period, price' <= price and served' >= served; or, when the signature has no row that
 * counts instances, when k = ceil(served / served') instances of o' cost no more than one of o.
 * What covers o covers o', as it uses no more; so the use of a commitment by money, which is as
 * many as there are prices, tells nothing apart.
 * Where a share, spread or survive rule contains them, served must be equal. For a pool, capacity'
 * >= capacity in each resource that the team's replicas need takes the place of served. Premises:
 * prices, limits, budgets, products, shares and the current placement as read. */
#ifndef ISOCOST_REDUCTION_H
#define ISOCOST_REDUCTION_H

#include "isocost/problem.h"
#include "mention.h"

struct iso_reduction {
    int32_t n_workloads, n_teams;
    uint8_t **options; /* per workload: flag per option, kept; NULL for replica workloads */
    uint8_t **pools;   /* per team: flag per offering, kept; NULL without replica workloads */
    int64_t n_dominated;
    struct iso_mentions limits, products; /* by offering */
    struct iso_reach reach;
};

/* Keeps everything when `dominance` is false. Errors: ISO_E_NOMEM. */
enum iso_status iso_reduction_init(struct iso_reduction *reduction,
                                   const struct iso_problem *problem, bool dominance,
                                   struct iso_error *reterr);
void iso_reduction_fini(struct iso_reduction *reduction);

#endif

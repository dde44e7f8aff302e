/* The plan to start from: indices and counts. It need not be a plan. */
#include "isocost/plan.h"
#include "problem_check.h"

enum iso_status iso_problem_check_start(const struct iso_problem *problem, struct iso_error *reterr)
{
    const struct iso_start_point *start = &problem->start;

    REQUIRE(start->n_uses >= 0, "must be >= 0", "start.n_uses");
    REQUIRE(start->n_purchases >= 0, "must be >= 0", "start.n_purchases");
    for (int32_t i = 0; i < start->n_uses; i++) {
        const struct iso_use *use = &start->uses[i];
        REQUIRE(iso_in_range(use->workload, problem->n_workloads), "is not a workload",
                "start.uses[%d].workload", i);
        REQUIRE(iso_in_range(use->offering, problem->n_offerings), "is not an offering",
                "start.uses[%d].offering", i);
        REQUIRE(iso_in_range(use->period, problem->n_periods), "is not a period",
                "start.uses[%d].period", i);
        REQUIRE(use->count > 0, "must be above 0", "start.uses[%d].count", i);
    }
    for (int32_t i = 0; i < start->n_purchases; i++) {
        const struct iso_purchase *purchase = &start->purchases[i];
        REQUIRE(iso_in_range(purchase->product, problem->n_products), "is not a product",
                "start.purchases[%d].product", i);
        REQUIRE(iso_in_range(purchase->start, problem->products[purchase->product].n_starts),
                "is not a start of the product", "start.purchases[%d].start", i);
        REQUIRE(purchase->quantity > 0, "must be above 0", "start.purchases[%d].quantity", i);
    }
    return ISO_OK;
}

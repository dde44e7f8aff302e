/* A problem with some rules or options taken out, for baselines, conflicts and ways out. It borrows
 * everything that is not changed, so the original must outlive it. */
#ifndef ISOCOST_VARIANT_H
#define ISOCOST_VARIANT_H

#include "isocost/plan.h"
#include "isocost/problem.h"

struct iso_variant {
    struct iso_problem problem;
    struct iso_workload *workloads;
    struct iso_limit *limits;
    struct iso_budget *budgets;
    struct iso_product *products;
    iso_decimal *zeros;
    int32_t n_owned;
    void **owned; /* lists made for this variant */
};

/* A copy that may be changed through the arrays above. Options: no explanations.
 * Errors: ISO_E_NOMEM. */
enum iso_status iso_variant_init(struct iso_variant *variant, const struct iso_problem *problem,
                                 struct iso_error *reterr);
void iso_variant_fini(struct iso_variant *variant);

/* Keeps only the options for which keeps(problem, offering, argument) holds. */
enum iso_status iso_variant_keep(struct iso_variant *variant,
                                 bool (*keeps)(const struct iso_problem *, int32_t, int32_t),
                                 int32_t argument, struct iso_error *reterr);

/* Memory that goes with the variant, all 0; NULL when short. */
void *iso_variant_own(struct iso_variant *variant, int32_t n, size_t size);

/* Takes a rule out. DEMAND: the workload asks for nothing. */
void iso_variant_drop(struct iso_variant *variant, struct iso_rule rule);

/* The rules that can make a problem infeasible, in a fixed order; the caller frees *ret_rules. */
enum iso_status iso_rules_of(const struct iso_problem *problem, struct iso_rule **ret_rules,
                             int32_t *ret_n_rules, struct iso_error *reterr);

#endif

/* Components: parts of a problem that no rule joins.
 *
 * Cells (throughput workloads, pools of teams) are joined by what may see two of them at once: a
 * limit with terms that both may run, a budget that counts both, a product that both may use, a
 * rule that keeps them together or apart. What
 * has no cell of its own (a held product that nobody may use, a budget over nothing) goes with the
 * first component, as it is a constant. Rules that see the whole model at once keep it in one. */
#ifndef ISOCOST_SPLIT_H
#define ISOCOST_SPLIT_H

#include "isocost/solve.h"

struct iso_split {
    int32_t n_components;
    int32_t *cell;    /* n_cells: component of each cell; -1 for pools without replicas */
    int32_t *limit;   /* n_limits */
    int32_t *budget;  /* n_budgets */
    int32_t *product; /* n_products */
};

/* Errors: ISO_E_NOMEM. To be freed by iso_split_fini() also then. */
enum iso_status iso_split_init(struct iso_split *split, const struct iso_problem *problem,
                               struct iso_error *reterr);
void iso_split_fini(struct iso_split *split);

/* One component as a problem of its own: offerings, periods and currencies are the original's, and
 * so are the lists inside what it keeps. */
struct iso_part {
    struct iso_problem problem;
    struct iso_workload *workloads;
    struct iso_team *teams;
    struct iso_limit *limits;
    struct iso_budget *budgets;
    struct iso_product *products;
    struct iso_affinity *affinities;
    struct iso_traffic *traffic;                         /* of all workloads, one after the other */
    int32_t *workload, *team, *limit, *budget, *product; /* index in the original of each */
    int32_t *cell;                                       /* likewise, n_cells */
    uint8_t *flags;                                      /* of budgets and products */
    struct iso_use *start_uses;                          /* of the plan to start from */
    struct iso_purchase *start_purchases;
};

/* What of a problem stays: a flag for each workload, team, cell, limit, budget and product. With a
 * current placement all workloads and teams stay, because it names their cells. */
struct iso_selection {
    uint8_t *workload, *team, *cell, *limit, *budget, *product;
};

/* Everything stays. False when memory is short; to be freed by iso_selection_fini() also then. */
bool iso_selection_init(struct iso_selection *selection, const struct iso_problem *problem);
void iso_selection_fini(struct iso_selection *selection);

/* What stays as a problem of its own. The selection is closed: a rule that stays names only what
 * stays. Errors: ISO_E_NOMEM. To be freed by iso_part_fini() also then. */
enum iso_status iso_part_select(struct iso_part *part, const struct iso_problem *problem,
                                const struct iso_selection *selection, struct iso_error *reterr);

/* The whole as a part of itself: every index stays. Errors: ISO_E_NOMEM. */
enum iso_status iso_part_whole(struct iso_part *part, const struct iso_problem *problem,
                               struct iso_error *reterr);

/* One component. Errors: ISO_E_NOMEM. To be freed by iso_part_fini() also then. */
enum iso_status iso_part_init(struct iso_part *part, const struct iso_problem *problem,
                              const struct iso_split *split, int32_t component,
                              struct iso_error *reterr);
void iso_part_fini(struct iso_part *part);

/* Solves the components one after the other and puts their plans together. *ret_plan stays NULL
 * when one of them has no plan: then the whole is for one search, whose explanations name rules
 * across components. Errors: as iso_solve(). */
enum iso_status iso_solve_components(const struct iso_problem *problem,
                                     const struct iso_split *split,
                                     const struct iso_control *control, bool explain,
                                     struct iso_plan **ret_plan, struct iso_error *reterr);

/* Solves the components at once where the control can and it is worthwhile: ret_plans[k], NULL
 * before the call, becomes the plan of component k in its part's own indices, owned by the caller;
 * it stays NULL for what is left to be solved, and for twins of the component before in `order`.
 * Errors: as iso_solve(). */
enum iso_status iso_solve_side_by_side(const struct iso_problem *problem,
                                       const struct iso_split *split, const int32_t *order,
                                       const struct iso_control *control, bool explain,
                                       struct iso_plan **ret_plans, struct iso_error *reterr);

/* Adds the plan of a part to the plan of the whole, in the whole's indices; the bill and the tiers'
 * values are not touched. Errors: ISO_E_NOMEM. */
enum iso_status iso_part_merge(const struct iso_part *part, const struct iso_plan *from,
                               struct iso_plan *plan, struct iso_error *reterr);

/* The same where the part is all there is: multipliers keep their places and leads. `plan` is
 * empty. Errors: ISO_E_NOMEM. */
enum iso_status iso_part_rename(const struct iso_part *part, const struct iso_plan *from,
                                struct iso_plan *plan, struct iso_error *reterr);

#endif

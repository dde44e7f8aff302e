/* What the parts of the verifier share: the plan, read once into tables that the checks look up.
 *
 *   iso_verify_read     indices, signs, orders
 *   iso_verify_tabulate fills the tables
 *   iso_verify_packing  every fill against the capacity of its offering
 *   iso_verify_rules    demand, limits, shares, survive, spread, moves, together and apart,
 *                       ramps
 *   iso_verify_flows    what moves between sources, regions and workloads
 *   iso_verify_commit   covers and purchases
 *   iso_verify_budgets  spend of every window
 *   iso_verify_bill     lines and cost
 *   iso_verify_penalties
 *   iso_verify_alternatives  each as a plan; what it does without; what it costs
 *   iso_verify_tiers    values, frozen values, gaps, and each claimed bound by its proof
 */
#ifndef ISOCOST_VERIFY_VERIFIER_H
#define ISOCOST_VERIFY_VERIFIER_H

#include "isocost/verify.h"

/* All that a cell runs of one offering in one period. */
struct iso_verify_usage {
    int32_t period, cell, offering;
    int64_t count;
    iso_wide served;
    int32_t first_cover, n_covers; /* in iso_verifier.cover_order */
};

struct iso_column_classes;

/* How columns of throughput workloads are priced: the bounds are the same to the last bit. */
enum iso_pricing_way {
    ISO_PRICE_FASTEST, /* by class where options stand for many others */
    ISO_PRICE_EACH,    /* each by itself; for tests */
    ISO_PRICE_CLASSES, /* by class wherever that can be; for tests */
};

/* What one option serves of a workload in a period. */
struct iso_verify_part {
    int32_t option;
    iso_wide served;
};

/* A limit that counts an offering, or a product that may cover it. */
struct iso_verify_link {
    int32_t index;
    iso_decimal weight; /* limit: of one instance; product: what one instance uses */
};

struct iso_verifier {
    const struct iso_problem *problem;
    const struct iso_plan *plan;
    void (*readable)(void *context); /* to call when indices are checked, or NULL */
    void *context;
    struct iso_error *reterr;
    struct iso_verdict verdict;

    struct iso_verify_usage *usages; /* by (period, cell, offering), distinct */
    int32_t n_usages;
    int32_t *cover_order;             /* places in plan->covers, by (period, cell, offering) */
    struct iso_verify_part *parts;    /* by (workload, period) */
    int32_t *first_part;              /* n_workloads * n_periods + 1 */
    iso_wide *served;                 /* n_workloads * n_periods */
    iso_decimal *unserved;            /* n_workloads * n_periods */
    iso_wide *penalties;              /* n_scenarios, or of all in penalties[0] */
    iso_decimal *counted;             /* the same, as far as it counts; see box.c */
    struct iso_verify_link *limits;   /* by offering */
    struct iso_verify_link *products; /* by offering */
    int32_t *first_limit;             /* n_offerings + 1 */
    int32_t *first_product;           /* n_offerings + 1 */
    struct iso_verify_link *reach;    /* products by option of the throughput workload in scope: */
    int32_t *first_option;            /* n_workloads + 1 */
    int32_t *first_reach;             /* first_option[workload] + option, and one after the last */
    iso_wide *limit_violations;       /* n_limits * n_periods, >= 0 */
    iso_wide *budget_violations;      /* one a window, >= 0 */
    int32_t *first_window;            /* n_budgets + 1 */
    int32_t *first_start;             /* n_products + 1 */
    iso_decimal *whole;               /* n_workloads: see iso_verify_least_served() */
    double whole_worth;               /* part of the last dual bound that comes from it */
    double bound_size;                /* absolute values of the terms of the last dual bound */
    struct iso_column_classes *classes; /* made when the first bound is checked; NULL: not yet */
    enum iso_pricing_way way;
    int64_t *bought;               /* one a start */
    uint8_t *holds;                /* n_products: something is held or bought */
    int32_t *held_row;             /* n_products: of `held`; -1: nothing is held or bought */
    iso_decimal *held;             /* row * n_periods + period: units or lots in force */
    iso_wide starts, stops, moves; /* of period 0 against the placement today */
};

/* Place of (workload or other row, period) in a table with n_periods columns. */
static inline size_t iso_verify_at(const struct iso_verifier *v, int32_t row, int32_t period)
{
    return (size_t)row * (size_t)v->problem->n_periods + (size_t)period;
}

/* The least that whole instances serve of a workload when they serve what is required: a multiple
 * of what divides all that its options serve (one copy, for replicas). What is required itself
 * where some of it may stay unserved. A bound may count on it. */
iso_decimal iso_verify_least_served(const struct iso_verifier *v, int32_t workload, int32_t period);

/* Fills `whole`: the divisor of each workload, 0 where nothing is known. */
void iso_verify_find_whole(struct iso_verifier *v);

/* Fails with a field such as "lines[3].cost". */
__attribute__((format(printf, 5, 6))) enum iso_status
iso_verify_fail(const struct iso_verifier *v, const char *array, int64_t index, const char *member,
                const char *format, ...);

/* Units or lots of a product in force in a period: existing + bought. Once iso_verify_commit() has
 * found them to be in range. */
static inline iso_decimal iso_verify_held(const struct iso_verifier *v, int32_t product,
                                          int32_t period)
{
    int32_t row = v->held_row[product];
    return row < 0 ? 0 : v->held[(size_t)row * (size_t)v->problem->n_periods + (size_t)period];
}

/* The products that may cover an offering of a cell: those in whose scope a throughput workload
 * is; of a pool all that may cover the offering. */
const struct iso_verify_link *iso_verify_reach(const struct iso_verifier *v, int32_t cell,
                                               int32_t offering, int32_t *ret_n);

/* The usage of (period, cell, offering), or NULL. */
const struct iso_verify_usage *iso_verify_find_usage(const struct iso_verifier *v, int32_t period,
                                                     int32_t cell, int32_t offering);

/* All checks of a plan, by a verifier that knows its problem and plan; to be ended whatever the
 * result. */
enum iso_status iso_verify_run(struct iso_verifier *v);

enum iso_status iso_verify_read(struct iso_verifier *v);
enum iso_status iso_verify_tabulate(struct iso_verifier *v);
enum iso_status iso_verify_read_reach(struct iso_verifier *v);
void iso_verify_fini(struct iso_verifier *v);
enum iso_status iso_verify_leads(const struct iso_verifier *v);
enum iso_status iso_verify_explanations(const struct iso_verifier *v);
enum iso_status iso_verify_packing(struct iso_verifier *v);
enum iso_status iso_verify_rules(struct iso_verifier *v);
enum iso_status iso_verify_spread(struct iso_verifier *v);
enum iso_status iso_verify_affinities(struct iso_verifier *v);
enum iso_status iso_verify_ramps(struct iso_verifier *v);
enum iso_status iso_verify_read_flows(const struct iso_verifier *v);
enum iso_status iso_verify_flows(struct iso_verifier *v);

/* The bills of scenarios and the charge for the tail; after the bill. */
enum iso_status iso_verify_scenarios(const struct iso_verifier *v);

/* Fills `counted`. */
enum iso_status iso_verify_count_unserved(struct iso_verifier *v);
enum iso_status iso_verify_moves(struct iso_verifier *v);
enum iso_status iso_verify_commit(struct iso_verifier *v);
enum iso_status iso_verify_budgets(struct iso_verifier *v);
enum iso_status iso_verify_bill(struct iso_verifier *v);
enum iso_status iso_verify_penalties(struct iso_verifier *v);
enum iso_status iso_verify_tiers(struct iso_verifier *v);
enum iso_status iso_verify_alternatives(struct iso_verifier *v);
enum iso_status iso_verify_infeasible(struct iso_verifier *v);

/* Hours of a term in the flagged periods. */
iso_decimal iso_verify_term_hours(const struct iso_problem *problem, const struct iso_start *start,
                                  const uint8_t *periods);

/* round(quantity * upfront * rate * inside / term), half to even, `quantity` in 1e-9 too. False
 * when out of range. All >= 0, term > 0. */
bool iso_verify_share_of_upfront(iso_decimal quantity, iso_decimal upfront, iso_decimal rate,
                                 iso_decimal inside, iso_decimal term, iso_decimal *ret_value);

/* A lower bound of tier `tier`'s objective from its multipliers, rounded outward; -INFINITY when
 * they prove nothing. With `ray`, the objective is nought and a positive bound proves that there is
 * no plan. */
enum iso_status iso_verify_dual_bound(struct iso_verifier *v, int32_t tier, bool ray,
                                      double *ret_bound);

/* What an EGRESS line must be; how many there must be; what they add to the spend of a window, and
 * to its slack of rounding in half units of 1e-9 (false when out of range). */
enum iso_status iso_verify_egress_line(const struct iso_verifier *v, int32_t i,
                                       struct iso_line *ret_wanted);
int64_t iso_verify_count_egress_lines(const struct iso_verifier *v);
bool iso_verify_egress_spend(const struct iso_verifier *v, const struct iso_budget *budget,
                             const struct iso_window *window, iso_wide *io_sum, iso_wide *io_slack);

/* What a VOLUME line must be; and how many there must be. */
enum iso_status iso_verify_volume_line(const struct iso_verifier *v, int32_t i,
                                       struct iso_line *ret_wanted);
int64_t iso_verify_count_volume_lines(const struct iso_verifier *v);

#endif

/* The pricing of one dual proof: multipliers in tables, and the bound as it is summed up.
 *
 * For multipliers lambda with the signs of their rows, every plan has an objective of at least
 *
 *     L(lambda) = constants + sum_r lambda_r b_r + sum_j min(0, rc_j) * upper_j,
 *     rc_j      = c_j - sum_r lambda_r a_rj                       (weak duality)
 *
 * over ALL columns j of the problem, used or not. Any multipliers will do, so where a column
 * without an upper bound has rc_j < 0 the verifier may lower the multipliers itself and go on
 * ("repair"): the result is the bound of the repaired multipliers. FREEZE rows bring in the
 * objectives of the tiers before: with weights omega_i = -lambda_FREEZE,i >= 0 (and 1 for the tier
 * itself) all costs are sum_i omega_i c_ij, and L gains -sum_i omega_i frozen_i. */
#ifndef ISOCOST_VERIFY_PRICING_H
#define ISOCOST_VERIFY_PRICING_H

#include "bounded.h"
#include "verifier.h"

/* Rows of one kind, sorted by (a, b, c, d). */
struct iso_row_range {
    const struct iso_dual *rows;
    int32_t n;
};

struct iso_pricing {
    struct iso_verifier *v;
    int32_t tier;
    bool ray;

    struct iso_dual *duals; /* the tier's, sorted by (kind, a, b, c, d) */
    struct iso_row_range kinds[ISO_N_ROW_KINDS];
    double *demand;                /* n_workloads * n_periods, >= 0 */
    double *limit;                 /* n_limits * n_periods; <= 0, minima >= 0 */
    double *budget;                /* one a window, <= 0 */
    double *commit;                /* commit_row[c] * n_periods + period, <= 0 */
    int32_t *commit_row;           /* n_products; -1: no multiplier is given */
    struct iso_implied *implied;   /* multipliers of such products */
    double *share_max, *share_min; /* (first_share[a] + share) * n_periods + period */
    int32_t *first_share;          /* n_workloads + 1 */
    uint8_t *supply;               /* n_products * n_periods: something may be held */
    uint8_t *tabled;               /* n_workloads: has a value function, no multipliers */
    uint8_t *reserved;             /* n_products: in the table of its workload */
    double moves;                  /* of the MOVES row, >= 0 */
    struct iso_bounded start_cost; /* of one start, stop: in the objective and budgets */
    struct iso_bounded stop_cost;

    /* Hours of a term at a rate, as they were asked for last: products have many terms in common.
     */
    struct iso_pricing_hours {
        const uint8_t *term, *periods;
        int32_t from, to;
        struct iso_bounded sum;
    } last_hours;

    double money, prefer, move_count; /* weights of the objectives */
    double *unserved;                 /* n_workloads: weight of its priority's tier */
    double *loss;                     /* n_workloads: weight of its loss, in FAIR tiers */

    struct iso_bounded sum; /* L so far */
    bool nothing;           /* some column makes L -infinity */
};

static inline void iso_pricing_add(struct iso_pricing *p, struct iso_bounded term)
{
    p->v->bound_size += fabs((double)term.value);
    p->sum = iso_bounded_add(p->sum, term);
}

/* Adds min(0, rc) * upper. */
void iso_pricing_add_column(struct iso_pricing *p, struct iso_bounded rc, iso_decimal upper);

/* Largest double that is surely not above a number >= 0; 0 for what may be below 0. */
double iso_pricing_at_most(struct iso_bounded number);

/* The rows of one kind with the given a and b (and c, unless c is -1). */
struct iso_row_range iso_pricing_rows(const struct iso_pricing *p, enum iso_row_kind kind,
                                      int32_t a, int32_t b, int32_t c);

/* The rows of a rule of a workload in a period: SURVIVE by its lead, others by itself. */
struct iso_row_range iso_leads_rows(const struct iso_pricing *p, enum iso_row_kind kind, int32_t a,
                                    int32_t b, int32_t period);

/* Gives the tables of all periods the multipliers of their leads. */
void iso_leads_spread(struct iso_pricing *p);

/* Whether a multiplier stands with its lead, as it must. */
bool iso_leads_may_have(const struct iso_verifier *v, const struct iso_dual *dual);

/* Whether every number that the columns of instances of period t are priced by is that of its
 * lead: then they price alike. */
bool iso_leads_alike(const struct iso_pricing *p, int32_t t);

/* Whether rates of currencies and all prices are the same in two periods. */
bool iso_leads_same_prices(const struct iso_problem *problem, int32_t t, int32_t lead);

/* What stands for a COMMIT row: given, or implied and opened for the period. */
double iso_pricing_commit(const struct iso_pricing *p, int32_t product, int32_t period);

struct iso_costs;
struct iso_worth;
struct iso_precedents;

/* Implied multipliers: found for a period once costs are open, worth counted by `units` (one a
 * workload) and its `precedents`; or taken over from another period; then settled against what
 * buying costs. */
enum iso_status iso_implied_init(struct iso_pricing *p);
void iso_implied_fini(struct iso_pricing *p);
void iso_implied_open(struct iso_pricing *p, struct iso_costs *costs, struct iso_worth *units,
                      struct iso_precedents *precedents, int32_t period);
void iso_implied_repeat(struct iso_pricing *p, int32_t lead, int32_t period);
void iso_implied_settle(struct iso_pricing *p);

/* What one unit of a start costs in the objective and in budgets. */
struct iso_bounded iso_pricing_purchase(struct iso_pricing *p, const struct iso_product *product,
                                        int32_t c, const struct iso_start *start);

/* Reads and checks the multipliers (indices, signs, no row twice). */
enum iso_status iso_pricing_init(struct iso_pricing *p, struct iso_verifier *v, int32_t tier,
                                 bool ray);
void iso_pricing_fini(struct iso_pricing *p);

/* Rows and columns other than instances; lowers multipliers where that repairs a column. */
enum iso_status iso_pricing_rules(struct iso_pricing *p);

/* Columns b_d of together and apart rules, and the right sides of the latter. Errors:
 * ISO_E_INVALID for a multiplier of a domain that holds no option. */
enum iso_status iso_pricing_presence(struct iso_pricing *p);

/* Reads and checks the value functions, which are about money. */
enum iso_status iso_value_functions_init(struct iso_pricing *p);

/* Finds the products that their tables count. */
void iso_value_functions_reserve(struct iso_pricing *p);

/* Adds the least that the workloads with value functions cost. */
enum iso_status iso_pricing_value_functions(struct iso_pricing *p);

/* Columns of flows; the right sides of a workload's FLOW rows in a period, giving what one unit
 * unserved is worth in them; by how much L falls at most when these multipliers vanish. */
void iso_pricing_flows(struct iso_pricing *p);
struct iso_bounded iso_pricing_flow_rows(struct iso_pricing *p, int32_t a, int32_t t);
long double iso_pricing_flow_value(const struct iso_pricing *p, int32_t a, int32_t t);

/* Right sides of the caps of ramps. */
void iso_pricing_ramps(struct iso_pricing *p);

/* What the RAMP rows take off the cost of an instance of a cell. */
struct iso_bounded iso_pricing_ramp(const struct iso_pricing *p, int32_t cell, int32_t offering,
                                    int32_t period);

/* Whether an APART row of a rule in range stands for two domains that may be one place. */
bool iso_verify_apart_row_exists(const struct iso_problem *problem, const struct iso_dual *dual);

/* Columns of instances of throughput workloads and of pools, and their coverage. */
enum iso_status iso_pricing_instances(struct iso_pricing *p);

/* What one instance costs under the multipliers, before what it serves is counted. */
struct iso_costs {
    struct iso_pricing *p;
    int32_t period;
    struct iso_bounded hours, *rates, *window_rates;
    struct iso_limit_sums *limits; /* n_offerings */
    struct iso_window_rate *windows;
    int32_t n_windows;
    bool has_limits;
};

enum iso_status iso_costs_init(struct iso_costs *costs, struct iso_pricing *p);
void iso_costs_fini(struct iso_costs *costs);
void iso_costs_open(struct iso_costs *costs, int32_t period);

/* What it costs; may lower a multiplier of MOVE, and the bound with it, so that it is >= 0. */
struct iso_bounded iso_costs_of(struct iso_costs *costs, int32_t cell, int32_t offering);

/* The same for an option of a throughput workload, but for what ramps and moves add; is not counted
 * as a column. */
struct iso_bounded iso_costs_of_option(const struct iso_costs *costs, int32_t workload,
                                       int32_t option);

/* What it costs when a product covers it, before that product's multiplier. */
struct iso_bounded iso_costs_covered(const struct iso_costs *costs, int32_t cell, int32_t offering,
                                     int32_t product);

/* What minima of limits give for it. */
struct iso_bounded iso_costs_floor(const struct iso_costs *costs, int32_t offering);

/* Adds the right sides of the MOVE rows: what runs today, whether or not it may run again. */
void iso_costs_add_placement(struct iso_pricing *p);

/* What one unit served by an option is worth, by the rows of its workload in the open period:
 *   mu + sum over shares (lambda_max * ([in S] - maximum) + lambda_min * [in S])
 *      + sum over survive rules and domains d that it does not fall with (on demand) lambda
 *      + sum over spread rules lambda of its domain, if it counts
 *      + lambda_ARRIVAL of its region for each traffic
 *      - sum over levels of together and apart rules lambda_PRESENCE of its domain. */
struct iso_worth {
    struct iso_pricing *p;
    int32_t workload, n_rules;
    struct iso_worth_rule *rules; /* survive, spread, presence by level; owned */
    struct iso_bounded demand;
    struct iso_bounded *inside, *outside; /* shares: one unit in S, outside; owned */
    struct iso_bounded *minimum;          /* the part of `inside` that minima give; owned */
    long double scale; /* at least the sum of the sizes of the terms of any option's worth */
};

/* Errors: ISO_E_INVALID for a multiplier of a domain that holds no option that counts. */
enum iso_status iso_worth_init(struct iso_worth *unit, struct iso_pricing *p, int32_t workload);
void iso_worth_fini(struct iso_worth *unit);
void iso_worth_open(struct iso_worth *unit, int32_t period);
struct iso_bounded iso_worth_of(const struct iso_worth *unit, int32_t option);

/* The numbers of the open period that the worth of any option is summed up from: how many they are,
 * whatever the period, and unless NULL the numbers. */
size_t iso_worth_numbers(const struct iso_worth *unit, long double *numbers);

/* Most terms of such a sum. */
int64_t iso_worth_n_terms(const struct iso_worth *unit);

/* Whether the rows of the workload give two options the same worth, whatever the multipliers and
 * the period; and a hash that is the same for those. Does not look at what the period is. */
bool iso_worth_is_same(const struct iso_worth *unit, int32_t option, int32_t other);
uint64_t iso_worth_hash(const struct iso_worth *unit, int32_t option);

/* The part of it that rows which ask for service give: all but caps on shares and presence; >= 0.
 */
struct iso_bounded iso_worth_of_gains(const struct iso_worth *unit, int32_t option);

/* Adds the columns b_d of the workload's spread rules. */
void iso_worth_price_domains(struct iso_worth *unit);

/* An upper bound of  max sum_i worth_i n_i  over the contents n of one instance, or `floor` if that
 * is larger; exact when it exceeds `floor` and the search ends in time. `workloads` are n replica
 * workloads of the team, worth[i] >= 0; worth 0 where `offering` is not an option.
 * `order` is scratch of n places. */
long double iso_verify_best_content(const struct iso_problem *problem, int32_t team,
                                    int32_t offering, const int32_t *workloads, int32_t n,
                                    const long double *worth, int32_t *order, long double floor);

/* A bound of the same maximum without a search: copies of worth take shares of the room for
 * resource k, and for l, that add up to 1 at most each, so the largest worth / mean share is one.
 * INFINITY when there is none. */
long double iso_verify_content_density(const struct iso_problem *problem, int32_t team,
                                       int32_t offering, const int32_t *workloads, int32_t n,
                                       const long double *worth);

/* The same bound from a table for many offerings; see content_grid.c. NULL when memory is short or
 * the table would be too large. Borrows `workloads`. */
struct iso_content_grid;
struct iso_content_grid *iso_content_grid_new(const struct iso_problem *problem, int32_t team,
                                              const int32_t *workloads, int32_t n,
                                              const long double *worth, const int32_t *offerings,
                                              int32_t n_offerings);
void iso_content_grid_free(struct iso_content_grid *grid);

/* Whether the table was made for these worths. */
bool iso_content_grid_is_for(const struct iso_content_grid *grid, const long double *worth);

long double iso_content_grid_best(struct iso_content_grid *grid, int32_t offering,
                                  long double floor);

/* --- whole_copies.c --- */

/* Whether the workload's rows count whole copies and nothing else. */
bool iso_pricing_counts_whole(const struct iso_workload *workload);

/* share * amount, rounded up to whole copies. */
iso_decimal iso_pricing_whole(iso_decimal share, iso_decimal amount);

/* The right side of the DEMAND row of a workload in a period. */
iso_decimal iso_pricing_asked(const struct iso_verifier *v, int32_t a, int32_t t);

#endif

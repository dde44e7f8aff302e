/* The plain MIP of a problem: one column for each decision, one row for each rule instance, as
 * docs/reference/model.md states them. Rows are those of enum iso_row_kind, with the same right
 * sides, plus the links between columns of one (offering, cell, period).
 *
 * A replica workload is counted in the pattern columns themselves, unless placing more than it asks
 * for could break one of its rules (a cap on a share, together, apart): then it has columns f
 * (PLACE) linked to the patterns. */
#ifndef ISOCOST_FORMULATION_H
#define ISOCOST_FORMULATION_H

#include "mip.h"
#include "pattern.h"
#include "reduction.h"

struct iso_formulation {
    const struct iso_problem *problem;
    const struct iso_reduction *reduction;
    struct iso_mip mip;
    struct iso_pattern_set *pools; /* n_teams; empty without replica workloads */

    /* First rows of each family; -1 where there is none. See formulation_rows.c for the layout. */
    int32_t *demand_row;  /* [workload * n_periods + period] */
    int32_t *limit_row;   /* [limit * n_periods + period] */
    int32_t *budget_row;  /* [budget], then + window */
    int32_t *commit_row;  /* [product]: one a period from here on; -1: not listed */
    int32_t *share_row;   /* [workload], then + (share * n_periods + period) * 2 + (0 max, 1 min) */
    int32_t *survive_row; /* [workload], then + place in survive_domains * n_periods + period */
    int32_t *spread_row;  /* [workload], likewise, then one SPREAD_N row a rule */
    /* [workload * 3 + level]: first PRESENCE row (one a domain and period), and the row after the
     * last; -1 where no rule says where the workload runs. PRESENT rows follow, one a domain. */
    int32_t *presence_row, *presence_end;
    int32_t *fair_row;    /* [workload]: first FAIR row, then + how many are the worst - 1; or -1 */
    int32_t *traffic_row; /* [workload], then as formulation_traffic.c lays them out */
    bool has_dependencies;
    int32_t *box_row;   /* [workload]: first of BEYOND, BOX of each period in turn, or -1 */
    int32_t **ramp_row; /* [workload][offering * n_periods + period]: RAMP or -1; NULL = none */
    int32_t tail_row;   /* first TAIL row, then + scenario; or -1 */
    int32_t moves_row;
    int32_t *move_row;   /* [cell * n_offerings + offering], -1 where not made; with moves only */
    int32_t **pool_link; /* [team][list * n_periods + period]: cover link or -1 */
    int32_t **place_row; /* [team][(list * n_periods + period) * n_workloads + place] or -1 */
    uint8_t *capped;     /* [workload]: replica workload with a rule that more may break */

    /* A large formulation lists few columns at first: the others are priced straight from the
     * problem (unlisted.h) and listed as they are worth it. Rows of products come with them. */
    bool complete;        /* every column but fill patterns is listed */
    int32_t **use_column; /* [workload][option * n_periods + period]: -1: not listed; NULL in
                           * complete formulations */

    double fixed_cost; /* fees of existing commitments: no column */
};

/* Builds rows and columns: all of them when `complete`, otherwise neither instances of throughput
 * workloads nor products that have to be bought first. `room` caps the number of patterns of each
 * team. Errors: ISO_E_NOMEM, ISO_E_LIMIT (too many rows or columns). */
enum iso_status iso_formulation_init(struct iso_formulation *formulation,
                                     const struct iso_problem *problem,
                                     const struct iso_reduction *reduction, bool complete,
                                     int32_t room, struct iso_error *reterr);
void iso_formulation_fini(struct iso_formulation *formulation);

/* Fills mip.objective with the coefficients of one tier, of which kind, priority and worst count.
 */
void iso_formulation_objective(struct iso_formulation *formulation, const struct iso_tier *tier);

/* The coefficient of one column in one tier. */
double iso_formulation_coefficient(const struct iso_formulation *formulation,
                                   const struct iso_mip_column *column,
                                   const struct iso_tier *tier);

/* The same in the objective that a proof is about: a tier that counts the worst of several things
 * is at least what their average makes it, which is linear in columns of the problem's own. */
double iso_formulation_average(const struct iso_formulation *formulation,
                               const struct iso_mip_column *column, const struct iso_tier *tier);

/* What a tier's objective adds that no column carries (fees of existing commitments). */
double iso_formulation_constant(const struct iso_formulation *formulation, enum iso_tier_kind tier);
double iso_formulation_average_constant(const struct iso_formulation *formulation,
                                        enum iso_tier_kind tier);

/* Adds the column of one more pattern; used by column generation. */
enum iso_status iso_formulation_add_pattern(struct iso_formulation *formulation, int32_t team,
                                            int32_t list, int32_t pattern, int32_t period,
                                            struct iso_error *reterr);

/* --- listing, see formulation_listing.c --- */

/* Whether multipliers price every column straight from the problem: no rule gives instances rows of
 * their own, and there is no objective but money, as proofs of others need every multiplier of a
 * commitment. */
bool iso_formulation_prices_suffice(const struct iso_problem *problem);

/* Whether a formulation may leave columns out: there are so many, and everything that multipliers
 * are asked for is known of them without a row of their own. */
bool iso_formulation_may_leave_out(const struct iso_problem *problem,
                                   const struct iso_reduction *reduction);

/* Whether a product is listed from the start: something of it is held, or it is for nothing and so
 * never too dear. */
bool iso_formulation_lists_at_once(const struct iso_problem *problem, int32_t product);

/* The column of a USE that may not be listed yet: it is, with its coverage by listed products. -1
 * when memory is short. */
int32_t iso_formulation_list_use(struct iso_formulation *formulation, int32_t workload,
                                 int32_t option, int32_t period);

/* Lists a product: its rows, purchases and coverage of what is listed. False when memory is short.
 */
bool iso_formulation_list_product(struct iso_formulation *formulation, int32_t product);

/* Lists whatever is not listed. Errors: ISO_E_NOMEM. */
enum iso_status iso_formulation_list_all(struct iso_formulation *formulation,
                                         struct iso_error *reterr);

/* The COMMIT row of a product in a period; -1 when it is not listed. */
static inline int32_t iso_formulation_commit_row(const struct iso_formulation *formulation,
                                                 int32_t product, int32_t period)
{
    int32_t first = formulation->commit_row[product];

    return first < 0 ? -1 : first + period;
}

/* --- shared by the builders --- */

/* Rows of the problem: allocates the maps and appends every row. */
enum iso_status iso_formulation_rows(struct iso_formulation *formulation, struct iso_error *reterr);

bool iso_formulation_commit_rows(struct iso_formulation *formulation, int32_t product);

/* Columns other than pool columns, and pool columns. */
enum iso_status iso_formulation_columns(struct iso_formulation *formulation,
                                        struct iso_error *reterr);
enum iso_status iso_formulation_pool_columns(struct iso_formulation *formulation,
                                             struct iso_error *reterr);

/* Entries of an instance of a cell in limits, budgets, moves and its cover link (-1: none). */
bool iso_formulation_instance_entries(struct iso_formulation *formulation, int32_t cell,
                                      int32_t offering, int32_t period, int32_t cover_link);

/* Entries of `amount` units served (or replicas placed) by an option in the rules of a workload. */
bool iso_formulation_service_entries(struct iso_formulation *formulation, int32_t workload,
                                     int32_t option, int32_t period, double amount);

/* Rows and columns of rules that keep workloads together or apart; see formulation_affinity.c. */
bool iso_formulation_affinity_rows(struct iso_formulation *formulation, int32_t *domains);
bool iso_formulation_affinity_columns(struct iso_formulation *formulation);
bool iso_formulation_presence_entries(struct iso_formulation *formulation, int32_t workload,
                                      int32_t offering, int32_t period, double amount);

/* Rows and columns of traffic and dependencies, see formulation_traffic.c; the entries of `amount`
 * units that an offering serves of a workload, and of one unit unserved. */
bool iso_formulation_traffic_rows(struct iso_formulation *formulation);
bool iso_formulation_traffic_columns(struct iso_formulation *formulation);
bool iso_formulation_traffic_entries(struct iso_formulation *formulation, int32_t workload,
                                     int32_t offering, int32_t period, double amount);
bool iso_formulation_traffic_unserved(struct iso_formulation *formulation, int32_t workload,
                                      int32_t period);

/* The lower side of a FLOW or ARRIVAL row that every plan keeps, whatever is rounded. */
double iso_flow_row_side(const struct iso_problem *problem, const struct iso_mip_row *row);

/* Rows and columns of ramps, see formulation_ramp.c; the entries of one instance of a cell. */
bool iso_formulation_ramp_rows(struct iso_formulation *formulation);
bool iso_formulation_ramp_columns(struct iso_formulation *formulation);
bool iso_formulation_ramp_entries(struct iso_formulation *formulation, int32_t cell,
                                  int32_t offering, int32_t period);

/* Rows and columns of workloads that are served evenly, see formulation_fair.c; the entries of one
 * unit unserved; the coefficient of a column in a FAIR tier and in its average. */
bool iso_formulation_fair_rows(struct iso_formulation *formulation);
bool iso_formulation_fair_columns(struct iso_formulation *formulation);
bool iso_formulation_fair_entries(struct iso_formulation *formulation, int32_t workload,
                                  int32_t period);
double iso_formulation_fair(const struct iso_problem *problem, const struct iso_mip_column *column,
                            const struct iso_tier *tier);
double iso_formulation_fair_average(const struct iso_problem *problem,
                                    const struct iso_mip_column *column,
                                    const struct iso_tier *tier);

/* Rows and columns of demand that may rise, see formulation_box.c; the entries of one unit
 * unserved; what a unit of a column adds to the loss of its workload; what one unit unserved counts
 * in the average. */
bool iso_formulation_box_rows(struct iso_formulation *formulation);
bool iso_formulation_box_columns(struct iso_formulation *formulation);
bool iso_formulation_box_entries(struct iso_formulation *formulation, int32_t workload,
                                 int32_t period);
double iso_formulation_box_loss(const struct iso_formulation *formulation,
                                const struct iso_mip_column *column);
double iso_formulation_box_average(const struct iso_formulation *formulation, int32_t workload);

/* Rows and columns of the tail of scenarios, see formulation_tail.c; the entry of one instance; the
 * coefficient of a column in the money tier. */
bool iso_formulation_tail_rows(struct iso_formulation *formulation);
bool iso_formulation_tail_columns(struct iso_formulation *formulation);
bool iso_formulation_tail_entries(struct iso_formulation *formulation, int32_t offering,
                                  int32_t period);
#define ISO_LEAST_WEIGHT 1e-6 /* below it a scenario has no prices of its own */

/* How many times the objective counts money of a row's scenario, by multipliers of the relaxation
 * with a tail; 1 without one and for rows of no scenario. */
double iso_formulation_weight(const struct iso_formulation *formulation, const double *duals,
                              const struct iso_mip_row *row);

/* From such multipliers to prices of the average; see formulation_tail.c. */
void iso_formulation_average_prices(const struct iso_formulation *formulation, double *duals);
double iso_formulation_tail(const struct iso_formulation *formulation,
                            const struct iso_mip_column *column);

/* Money in the base currency that one unit of a column costs; with scenarios, expected. */
double iso_formulation_money(const struct iso_formulation *formulation,
                             const struct iso_mip_column *column);

/* What existing units of a product cost in a period. */
double iso_existing_fee(const struct iso_problem *problem, int32_t product, int32_t period);

/* The cover link row of (cell, offering, period), made with the cover columns of listed products;
 * -1 when no product can cover it, -2 when memory is short. */
int32_t iso_formulation_cover(struct iso_formulation *formulation, int32_t cell, int32_t offering,
                              int32_t period);

/* One cover column: of product `c` for what the link row counts; `use` as in iso_eligible. */
bool iso_formulation_add_cover(struct iso_formulation *formulation, int32_t c, int32_t link,
                               iso_decimal use);

/* Opens the maps of what is listed, with the products that are listed from the start. */
enum iso_status iso_formulation_open_listing(struct iso_formulation *formulation,
                                             struct iso_error *reterr);

/* The column of a USE, with its links; the purchases of a product. False when memory is short. */
bool iso_formulation_add_use(struct iso_formulation *formulation, int32_t workload, int32_t option,
                             int32_t period);
bool iso_formulation_add_purchases(struct iso_formulation *formulation, int32_t product);

/* The MOVE row of (cell, offering), made with its start and stop columns; -1 when memory is short.
 */
int32_t iso_formulation_move(struct iso_formulation *formulation, int32_t cell, int32_t offering);

/* Whether instances for `workload` can be of use in the period: there is demand, or a floor on what
 * runs, or something runs today. */
bool iso_formulation_useful(const struct iso_formulation *formulation,
                            const struct iso_workload *workload, int32_t period);

/* What one instance costs in a period in the objective: its list price in the base currency, times
 * its cost factor. */
double iso_instance_money(const struct iso_problem *problem, int32_t offering, int32_t period);

/* The same in all periods: n_periods values. */
void iso_instance_money_row(const struct iso_problem *problem, int32_t offering, double *ret_row);

/* Coefficient of one instance-hour's price in a budget window: h * rate * price. */
double iso_budget_price(const struct iso_problem *problem, const struct iso_window *window,
                        int32_t offering, int32_t period);

/* What one bought unit of a start adds to the spend of a budget window: fees and upfront by basis;
 * and the upfront alone. */
double iso_budget_purchase(const struct iso_problem *problem, const struct iso_budget *budget,
                           const struct iso_window *window, int32_t product, int32_t start);
double iso_budget_upfront(const struct iso_problem *problem, const struct iso_budget *budget,
                          const struct iso_window *window, int32_t product, int32_t start);

/* What one unit along a route costs in a period, in `currency`; with a budget only what counts. */
double iso_flow_money(const struct iso_problem *problem, const struct iso_budget *budget,
                      int32_t currency, int32_t workload, int32_t traffic, int32_t route,
                      int32_t period);

/* Hours of a term of `start` that fall in periods flagged by `periods`. */
double iso_term_hours_in(const struct iso_problem *problem, const struct iso_start *start,
                         const uint8_t *periods);

/* Number of domains at a level with an option of the workload that counts, and their list in
 * `ret_domains` (room for n_domains), rising. `spread`: by iso_problem_spread_counts(). */
int32_t iso_workload_domains(const struct iso_problem *problem, const struct iso_workload *workload,
                             enum iso_level level, bool spread, int32_t *ret_domains);

static inline double iso_value(iso_decimal decimal)
{
    return iso_decimal_to_double(decimal);
}

#endif

/* One solve under way: the formulation, the tiers done so far and the best point. */
#ifndef ISOCOST_SEARCH_H
#define ISOCOST_SEARCH_H

#include "formulation.h"
#include "glpk_lp.h"
#include "isocost/solve.h"
#include "strategy.h"

/* Each of 100 priorities, as many workloads that are served evenly, preferences, money, moves, and
 * one to spare. */
#define ISO_MAX_TIERS 204

struct iso_unlisted;

struct iso_search {
    const struct iso_problem *problem;
    const struct iso_control *control;
    struct iso_past *past; /* what earlier solves have found; NULL: nothing, and nothing is kept */
    struct iso_formulation *formulation;
    struct iso_unlisted *unlisted; /* prices what is not listed; NULL: everything is */
    struct iso_choice choice;
    double begin_s, end_s; /* on the control's clock */
    enum iso_stop stopped; /* 0 = not */
    int64_t iterations, nodes;

    enum iso_tier_kind tier; /* at hand */
    struct iso_tier stage;   /* the same with what else says which it is */
    bool has_best;
    double *best;      /* n_columns values, whole where integer */
    double best_value; /* of the tier at hand, constant included */
    double *money;     /* n_columns: cost in the base currency, for scores */

    int32_t freeze_row[ISO_MAX_TIERS]; /* of each tier done, -1 = none */
    struct iso_plan *plan;             /* tiers and duals gathered so far */
    double *money_duals; /* multipliers of the money tier's relaxation, as simplex gave them */
    int32_t n_money_duals;
    bool priced_out; /* no pattern is left that could lower the relaxation */
    bool built;      /* a plan was built from the relaxation of the tier at hand */
    bool listed;     /* every pattern that a better plan may use is in the formulation */
    bool proved;     /* `proven` holds what the relaxation proves of the tier at hand */
    struct iso_tier proven;
    bool purchases_fixed;           /* no product wakes up in the relaxation */
    double tier_bound;              /* best bound of the tier at hand */
    struct iso_simplex_basis basis; /* that the relaxation starts from; empty: none */
};

/* Whether the search must end; remembers why. */
bool iso_search_stops(struct iso_search *search);

/* Seconds that are left, at least 0. */
double iso_search_left(const struct iso_search *search);

/* Whether some workload asks for throughput: pools then share periods with other cells. */
bool iso_has_throughput(const struct iso_problem *problem);

/* The control that GLPK is given: asks iso_search_stops(). */
struct iso_control iso_search_control(struct iso_search *search);

/* Tells the caller how far the tier at hand is: its bound, and the value of the best plan if any.
 */
void iso_search_tell(const struct iso_search *search);

/* Takes a point whose whole columns are whole up to 1e-5: fixes them, finds the best rest by a
 * linear program, checks every row, and keeps it when it is better than the best for the tier at
 * hand. *ret_taken tells. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_search_offer(struct iso_search *search, const double *x, bool *ret_taken,
                                 struct iso_error *reterr);

/* Tells the caller of the best plan, bill and bound included. Errors: ISO_E_NOMEM. */
enum iso_status iso_search_report(struct iso_search *search, struct iso_error *reterr);

/* --- one tier on the formulation --- */

/* Optimises the tier at hand: relaxation, first plans, and what the strategy adds. Sets best,
 * tier_bound and *io_duals (n_rows multipliers that prove a bound; zeros when there is none), which
 * move when rows are listed. *ret_infeasible: the relaxation or the tree has no point. */
enum iso_status iso_optimise_tier(struct iso_search *search, double **io_duals,
                                  bool *ret_infeasible, bool *ret_by_relaxation,
                                  struct iso_error *reterr);

/* Whether best and tier_bound are as near as the options ask. */
bool iso_search_gap_reached(const struct iso_search *search);

/* The relaxation with all columns and patterns priced. Gives its multipliers (which move when rows
 * are listed) and a linear program that is loaded and solved. */
enum iso_status iso_relax(struct iso_search *search, double **io_duals, struct iso_lp **ret_lp,
                          enum iso_lp_outcome *ret_outcome, struct iso_error *reterr);

/* From where the linear program is on to multipliers that price everything out, listing what it
 * takes. */
enum iso_status iso_relax_further(struct iso_search *search, struct iso_lp *lp, double **io_duals,
                                  enum iso_lp_outcome *ret_outcome, struct iso_error *reterr);

/* Artificial columns of a program that has too few others, and what they cost. */
struct iso_artificials {
    double *costs; /* n_costs: of a unit of each row that was there */
    int32_t n_costs;
    double factor; /* times what columns cost; 0: there are none */
};
void iso_artificials_fini(struct iso_artificials *artificials);

/* Lets a program have a point: each row at more than any instance asks for a unit of it. `period`:
 * that the program is about, -1 = all. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
enum iso_status iso_artificials_open(struct iso_artificials *artificials,
                                     const struct iso_search *search, struct iso_lp *lp,
                                     int32_t period, struct iso_error *reterr);

/* Artificial columns that stand for something get dearer; out when they stand for nothing, or when
 * price does not move them: then every column is brought in, or nothing is new where most are not
 * listed. */
enum iso_status iso_artificials_raise(struct iso_artificials *artificials,
                                      const struct iso_search *search, struct iso_lp *lp,
                                      int32_t *ret_n_new, struct iso_error *reterr);

/* Where a large relaxation starts; see period_start.c. Offers a first plan when there is none.
 * Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
bool iso_period_start_applies(const struct iso_search *search);
enum iso_status iso_start_periods(struct iso_search *search, struct iso_simplex_basis *ret_basis,
                                  struct iso_error *reterr);

/* Trees over whole periods with what joins them priced by multipliers of the relaxation: they raise
 * tier_bound and offer a plan; see period_trees.c. Errors: ISO_E_NOMEM, ISO_E_BACKEND. */
bool iso_period_trees_apply(const struct iso_search *search);
enum iso_status iso_try_period_trees(struct iso_search *search, const double *duals,
                                     struct iso_error *reterr);

/* The same over the listed columns and the bounds that the linear program has now. When the columns
 * at hand cannot meet the rows, all of them are brought in before infeasibility is believed. */
enum iso_status iso_relax_listed(struct iso_search *search, struct iso_lp *lp, double *duals,
                                 enum iso_lp_outcome *ret_outcome, struct iso_error *reterr);

/* Multipliers `duals` of a relaxation at x in which purchases stand still, as simplex gave them:
 * prices coverage by what is held by its links and all other coverage by its commitment rows.
 * Errors: ISO_E_NOMEM. */
enum iso_status iso_price_fixed_purchases(const struct iso_search *search, const double *x,
                                          double *duals, struct iso_error *reterr);

/* Makes the whole columns of no level whole, one by one, from the relaxation's point x. When
 * *ret_whole, x is a point where they all are and `duals` are its multipliers. Bounds of the linear
 * program are as before afterwards. */
enum iso_status iso_dive(struct iso_search *search, struct iso_lp *lp, double *x, double *duals,
                         bool *ret_whole, struct iso_error *reterr);

/* Fix-and-optimise from a point of the relaxation and from the best plan, until the gap is reached,
 * the search stops or no neighbourhood is left that improves. `largest_group`: cells of a level
 * that are optimised together, 1 .. ISO_LARGEST_GROUP; with less than all, the first round is the
 * last.
 */
enum iso_status iso_improve(struct iso_search *search, const double *x, const double *duals,
                            int32_t largest_group, struct iso_error *reterr);

/* Adds to the formulation patterns with negative reduced costs. *ret_complete: there is no other.
 * Then the columns may have moved; iso_search_grow() and iso_lp_grow() are due. */
enum iso_status iso_price_patterns(struct iso_search *search, const double *duals,
                                   bool *ret_complete, struct iso_error *reterr);

/* Makes room in the search for the columns from `before` on. */
enum iso_status iso_search_grow(struct iso_search *search, int32_t before,
                                struct iso_error *reterr);

/* The same for columns of instances that were listed for a point, also in what prices unlisted
 * ones; *ret_x is a point of all columns, each 0, to be freed by the caller. Errors: ISO_E_NOMEM.
 */
enum iso_status iso_search_new_point(struct iso_search *search, int32_t before, double **ret_x,
                                     struct iso_error *reterr);

/* Makes room for the multipliers of rows from `before` on, which are 0; the array moves. Errors:
 * ISO_E_NOMEM. */
enum iso_status iso_search_grow_duals(const struct iso_search *search, int32_t before,
                                      double **io_duals, struct iso_error *reterr);

/* Adds to the formulation all patterns that a plan better than the best one may use, unless they
 * are too many; sets search->listed. For priced_out multipliers. Errors: ISO_E_NOMEM. */
enum iso_status iso_list_patterns(struct iso_search *search, const double *duals,
                                  struct iso_error *reterr);

/* Whether the formulation lists every maximal pattern of every pool. */
bool iso_all_patterns_listed(const struct iso_search *search);

/* Branch and cut; exact up to a size, beyond it a short look at the cheapest columns. */
enum iso_status iso_branch(struct iso_search *search, const double *duals, bool *ret_infeasible,
                           struct iso_error *reterr);

/* Offers what the problem says to start from, and what runs today. Errors: ISO_E_NOMEM,
 * ISO_E_BACKEND. */
enum iso_status iso_start_plans(struct iso_search *search, struct iso_error *reterr);

/* Sets the flags of domains from which a plan from nothing may begin, in a point that is 0; see
 * first_domains.c. Errors: ISO_E_NOMEM. */
enum iso_status iso_first_domains(const struct iso_search *search, double *x,
                                  struct iso_error *reterr);

/* Which flags of presence are set (by column), where a point serves most; `generous`: where it
 * serves nothing, too. See first_presence.c. Errors: ISO_E_NOMEM. */
enum iso_status iso_first_presence(const struct iso_search *search, const double *x, bool generous,
                                   uint8_t *ret_set, struct iso_error *reterr);

/* First plans: thresholded rounding of a relaxation's point and a greedy cover of what is missing,
 * for at most `n_thresholds` thresholds. `duals`: multipliers of the relaxation, NULL = none. */
enum iso_status iso_first_plans(struct iso_search *search, const double *x, const double *duals,
                                int32_t n_thresholds, struct iso_error *reterr);

/* --- tiers --- */

/* Value of a tier in a plan's own numbers. */
double iso_tier_value(const struct iso_problem *problem, const struct iso_plan *plan,
                      const struct iso_tier *tier);

/* Values of the tiers in the plan's own numbers; a bound never exceeds its value. */
void iso_settle_tiers(const struct iso_problem *problem, struct iso_plan *plan);

/* Whether every tier's gap is within what the options ask. */
bool iso_proved_optimal(const struct iso_problem *problem, const struct iso_plan *plan);

/* Spend of a plan in one window of a budget, in the window's currency. */
double iso_budget_spend(const struct iso_problem *problem, const struct iso_plan *plan,
                        int32_t budget, int32_t window);

/* Instances times weight in one limit and period. */
double iso_limit_level(const struct iso_plan *plan, const struct iso_limit *limit, int32_t period);

/* The tiers of a problem, in order; at most ISO_MAX_TIERS. Gives their number. */
int32_t iso_tiers_of(const struct iso_problem *problem, struct iso_tier *ret_tiers);

/* --- the way out --- */

/* Fills uses, fills, covers, purchases, unserved and flows of `plan` from a point, in exact
 * numbers, and makes the bill. Errors: ISO_E_NOMEM, ISO_E_INVALID (an amount leaves the range of a
 * decimal). */
enum iso_status iso_extract(const struct iso_formulation *formulation, const double *x,
                            struct iso_plan *plan, struct iso_error *reterr);

/* The flows of a plan that has the rest, near those of the point; may raise what is unserved. */
enum iso_status iso_extract_flows(const struct iso_formulation *formulation, const double *x,
                                  struct iso_plan *plan, struct iso_error *reterr);

/* Puts the flows of a plan in order. */
void iso_sort_flows(struct iso_plan *plan);

/* Repairs multipliers so that every column of the problem prices out, appends them to plan->duals
 * for `tier` and sets its checked_bound. `frozen` tiers are plan->tiers[0 .. n_tiers-1].
 * `objective`: false for a ray (all costs 0). */
enum iso_status iso_prove(const struct iso_search *search, const double *duals, bool objective,
                          struct iso_tier *tier, struct iso_error *reterr);

/* Fills the tiers of an incumbent: those done so far as they are, the one at hand with the best
 * bound, and the rest from its own numbers without bounds. */
enum iso_status iso_incumbent_tiers(struct iso_search *search, struct iso_plan *plan,
                                    struct iso_error *reterr);

/* Appends the one component that holds all workloads. Errors: ISO_E_NOMEM. */
enum iso_status iso_add_component(const struct iso_problem *problem, struct iso_choice choice,
                                  struct iso_plan *plan, struct iso_error *reterr);

/* Puts uses and fills in the order that a plan has them. */
void iso_plan_sort(struct iso_plan *plan);
/* Puts the entries of fills one after the other in the order of the fills, as plans travel; those
 * that none names go. False when memory was short. */
bool iso_plan_pack_entries(struct iso_plan *plan);

/* Appends an element of `size` bytes to an array of n; false when memory is short. */
bool iso_append(void *array_pointer, int32_t *n, size_t size, const void *element);

#endif

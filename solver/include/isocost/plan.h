/* The plan in the problem's indices: what is run and bought, the bill, the proofs and the
 * explanations. A plan owns its arrays; it refers to its problem by index only. */
#ifndef ISOCOST_PLAN_H
#define ISOCOST_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "isocost/base/decimal.h"
#include "isocost/base/memory.h"

struct iso_problem;
struct iso_budget;

/* x_oat > 0: instances that serve a throughput workload. Sorted by (period, workload, offering). */
struct iso_use {
    int32_t workload, offering, period;
    int64_t count; /* > 0 */
};

/* lambda > 0: instances of a pool with the same content. Sorted by (period, team, offering). */
struct iso_fill {
    int32_t team, offering, period;
    int64_t instances;              /* > 0 */
    int32_t first_entry, n_entries; /* in iso_plan.entries; 0 = idle */
};

struct iso_fill_entry {
    int32_t workload;
    int32_t count; /* > 0 replicas on one instance */
};

/* v > 0: instances of a cell whose price a product covers. */
struct iso_cover {
    int32_t product, cell, offering, period;
    iso_decimal instances; /* > 0 */
};

/* y > 0. */
struct iso_purchase {
    int32_t product, start; /* start: place in the product's starts */
    int64_t quantity;       /* > 0 units or lots */
};

/* u > 0. */
struct iso_unserved {
    int32_t workload, period;
    iso_decimal amount; /* > 0 */
};

/* fl > 0: demand that goes along a route. Sorted by (period, workload, traffic, route). */
struct iso_flow {
    int32_t workload, traffic, route, period; /* traffic, route: places in the workload's */
    iso_decimal amount;                       /* > 0 units of demand */
};

enum iso_line_kind {
    ISO_LINE_INSTANCE,
    ISO_LINE_FEE,
    ISO_LINE_UPFRONT,
    ISO_LINE_MOVE,
    ISO_LINE_VOLUME,
    ISO_LINE_EGRESS
};
enum iso_move_kind { ISO_MOVE_START, ISO_MOVE_STOP, ISO_MOVE_MOVE };

/* One line of the bill, made by iso_plan_account() and checked by iso_verify().
 * INSTANCE: one a (cell, offering, run of periods); FEE: one a (product, run of periods) with a
 * fee, quantity = all held and bought; UPFRONT: one a purchase with an upfront; MOVE: one a kind of
 * move; VOLUME: one a step that a volume reaches, quantity = money in the step, unit_price = factor
 * - 1; EGRESS: one a flow and direction in which data with a price moves, quantity = GB in the
 * period.
 *
 * A run is `period` and all periods right after it in which nothing of the line differs: quantity,
 * covers (product by product), price, hours and rate. Runs are as long as can be; lines of pools,
 * of data and what is paid once have one period. */
struct iso_line {
    enum iso_line_kind kind;
    int32_t period, cell, offering, product; /* -1 where it does not apply */
    /* UPFRONT: start; MOVE: enum iso_move_kind; VOLUME: number of the step, counted over all
     * volumes one after the other; EGRESS: 2 * place of the flow in the plan + direction; otherwise
     * -1 */
    int32_t start;
    iso_decimal quantity;   /* INSTANCE: instances */
    iso_decimal covered;    /* INSTANCE: instances covered by products; at most quantity */
    iso_decimal unit_price; /* in `currency` */
    int32_t currency;
    iso_decimal hours; /* 0: paid once */
    iso_decimal rate;  /* currency -> base */
    /* n_periods times what one period costs: (quantity - covered) * unit_price * hours * rate,
     * rounded once */
    iso_decimal cost;
    iso_decimal served; /* INSTANCE: rate or replicas */
    int32_t n_periods;  /* of the run, >= 1 */
};

/* Whether the line pays for a period. */
static inline bool iso_line_pays_for(const struct iso_line *line, int32_t period)
{
    return period >= line->period && period - line->period < line->n_periods;
}

/* What the line costs in each of its periods. */
static inline iso_decimal iso_line_share(const struct iso_line *line)
{
    return line->cost / line->n_periods;
}

/* In how many of its periods a flag is set. */
static inline int32_t iso_line_count(const struct iso_line *line, const uint8_t *periods)
{
    int32_t n = 0;

    for (int32_t t = line->period; t < line->period + line->n_periods; t++)
        n += periods[t] != 0;
    return n;
}

enum iso_tier_kind {
    ISO_TIER_UNSERVED,
    ISO_TIER_PREFER,
    ISO_TIER_MONEY,
    ISO_TIER_MOVES,
    ISO_TIER_FAIR
};
enum iso_proof {
    ISO_PROOF_NONE,
    ISO_PROOF_DUAL,
    ISO_PROOF_VALUE_FUNCTION,
    ISO_PROOF_SEARCH,
    ISO_PROOF_RAY,
    ISO_PROOF_COUNTING
};

/* Rows whose multipliers make up a dual proof. Multipliers of the rows that only link columns of
 * one (offering, cell, period) - packing, coverage - are not sent: the verifier finds the best ones
 * itself. Sign: every row is read as written here; multipliers of >= rows are >= 0, of <= rows
 * <= 0, of = rows free; the objective is minimised.
 *   DEMAND      a=workload b=period           sum s + u >= required
 *   LIMIT       a=limit    b=period           sum weight x - violation <= bound (or + >= bound)
 *   BUDGET      a=budget   b=window           spend - violation <= amount
 *   COMMIT      a=product  b=period           sum nu v - lot sum_y y win <= lot existing
 *   SHARE_MAX   a=workload b=share c=period   sum_S s - maximum sum s <= 0
 *   SHARE_MIN   a=workload b=share c=period   sum_S s + minimum u >= minimum D
 *   SURVIVE     a=workload b=rule c=period d=domain   sum_{not falling, on demand} s + theta u >=
 *               theta D
 *   SPREAD      a=workload b=rule c=period d=domain   sum_{in d} s + eps u - eps D b_d >= 0
 *   SPREAD_N    a=workload b=rule             sum_d b_d >= N
 *   MOVE        a=cell     b=offering         x_0 - start + stop = count today (0 if none)
 *   MOVES       -                             moves - sum stop >= -forced_stops
 *   PRESENCE    a=workload b=level c=period d=domain   most_in_domain b_d - sum_{in d} s >= 0
 *   APART       a=workload b=rule c=its domain d=the other's   b_c + b_d <= 1
 *   RAMP        a=workload b=offering c=period   x_c - x_(c-1) - start + stop = 0
 *   RAMP_CAP    a=workload b=period c=0 or 1     sum start (1: stop) <= the ramp's cap
 *   FLOW        a=workload b=traffic c=period d=source   sum fl + share u >= share D - 1e-9
 *   ARRIVAL     a=workload b=traffic c=period d=region   sum_{in region} s - sum fl >= -slack
 *   FREEZE      a=tier                        objective of an earlier tier <= its frozen value */
enum iso_row_kind {
    ISO_ROW_DEMAND,
    ISO_ROW_LIMIT,
    ISO_ROW_BUDGET,
    ISO_ROW_COMMIT,
    ISO_ROW_SHARE_MAX,
    ISO_ROW_SHARE_MIN,
    ISO_ROW_SURVIVE,
    ISO_ROW_SPREAD,
    ISO_ROW_SPREAD_N,
    ISO_ROW_MOVE,
    ISO_ROW_MOVES,
    ISO_ROW_FREEZE,
    ISO_ROW_PRESENCE,
    ISO_ROW_APART,
    ISO_ROW_RAMP,
    ISO_ROW_RAMP_CAP,
    ISO_ROW_FLOW,
    ISO_ROW_ARRIVAL,
    ISO_N_ROW_KINDS
};

struct iso_dual {
    enum iso_row_kind kind;
    int32_t a, b, c, d; /* -1 where it does not apply */
    double value;       /* finite */
};

/* Periods that share multipliers: DEMAND, LIMIT, COMMIT, SHARE and SURVIVE rows of a period take
 * the multipliers of the same rows of its lead, which is a period of equal hours and leads itself.
 * Only leads have such multipliers of their own. Rows that the lead has and the period has not (a
 * limit that does not hold there, survival without demand) are passed over. In a plan with leads, a
 * product without a multiplier, in a problem without a current placement and covering throughput
 * workloads only, takes for its COMMIT rows the least multipliers that price out every instance
 * that it covers. */
struct iso_lead {
    int32_t period;
};

/* A throughput workload whose rows take no multipliers: the verifier itself tabulates the least
 * cost of covering its demand by whole instances and by commitments of its own, counted in steps:
 * G(0) = 0, G(q) = min over the options of price + G(max(0, q - ceil(served / step))). A lower
 * bound for any step, and the cost itself with one that divides all that the options serve. */
struct iso_value_function {
    int32_t workload;
    iso_decimal step; /* > 0 */
};

/* One stage of the objective. Money values are exact decimals held in `amount`. */
struct iso_tier {
    enum iso_tier_kind kind;
    int32_t priority; /* UNSERVED, FAIR: the rank */
    int32_t worst;    /* FAIR: the sum of so many largest shares that are not served */
    double value;     /* MONEY: objective (cost + penalties + risk), MOVES: moves */
    double bound;     /* no plan is below it, given the tiers before; -INFINITY: none known */
    double tolerance;
    double frozen; /* largest value that the next tiers may take: value + |value| * tolerance */
    enum iso_proof proof;
    double checked_bound;        /* bound by `duals` alone; <= bound */
    int32_t first_dual, n_duals; /* in iso_plan.duals */
};

enum iso_reason {
    ISO_REASON_NONE,
    ISO_REASON_OPTIMAL,
    ISO_REASON_FEASIBLE,
    ISO_REASON_INFEASIBLE,
    ISO_REASON_NO_PLAN_FOUND,
    ISO_REASON_UNBOUNDED
};
enum iso_stop {
    ISO_STOP_NONE = 1,
    ISO_STOP_GAP,
    ISO_STOP_TIME,
    ISO_STOP_WORK,
    ISO_STOP_MEMORY,
    ISO_STOP_CANCEL,
    ISO_STOP_DEADLINE
};

enum iso_rule_kind {
    ISO_RULE_DEMAND,   /* a = workload (must-serve), b = period or -1 */
    ISO_RULE_ALLOWED,  /* a = workload: no usable offering */
    ISO_RULE_LIMIT,    /* a = limit */
    ISO_RULE_BUDGET,   /* a = budget */
    ISO_RULE_SHARE,    /* a = workload, b = share */
    ISO_RULE_SURVIVE,  /* a = workload, b = rule */
    ISO_RULE_SPREAD,   /* a = workload, b = rule */
    ISO_RULE_MOVES,    /* maximum_moves */
    ISO_RULE_AFFINITY, /* a = workload, b = rule */
    ISO_RULE_RAMP,     /* a = workload */
    ISO_RULE_LATENCY,  /* a = workload, b = traffic: the cap on its latency */
    ISO_RULE_BOX,      /* a = workload (must-serve) */
};

struct iso_rule {
    enum iso_rule_kind kind;
    int32_t a, b;
};

struct iso_binding {
    struct iso_rule rule;
    int32_t period;      /* or window; -1 */
    double value, limit; /* in the rule's unit */
    double worth;        /* base currency saved by one unit more; an LP estimate */
};

struct iso_runner_up {
    int32_t cell, workload, period, chosen, offering;
    double chosen_unit_cost, unit_cost; /* base currency for one unit served for one hour */
    bool blocked;                       /* cheaper by list price, but held back by a rule */
    struct iso_rule blocker;            /* when blocked */
    double reduced_cost; /* >= 0: what the period costs more, base currency, when one instance of
                          * `offering` must be among what serves the workload */
    bool resolved;       /* reduced_cost is exact with commitments as bought; false: an estimate
                          * from multipliers */
};

enum iso_baseline_kind { ISO_BASELINE_TODAY, ISO_BASELINE_PROVIDER, ISO_BASELINE_ON_DEMAND };
struct iso_baseline {
    enum iso_baseline_kind kind;
    int32_t provider;
    bool feasible, known; /* known: a plan or a proof of none was found in time */
    double cost, bound;
};

/* A minimal set of rules that cannot hold together. */
struct iso_conflict {
    int32_t n_rules;
    struct iso_rule *rules; /* owned */
    bool minimal;           /* each proper subset was solved and can hold */
};

/* How far a rule has to give. */
struct iso_change {
    struct iso_rule rule;
    int32_t window; /* budgets: window, -1 = all of them alike; otherwise -1 */
    double current, needed;
};

/* A change that makes the model feasible, alone or together with more. */
struct iso_relaxation {
    struct iso_change change;
    double cost; /* cheapest plan found after it, base currency; NAN when not known */
    bool verified;
    int32_t n_more;
    struct iso_change *more; /* owned; what else must give, in other conflicts */
};

/* What a scenario costs, times its probability. Upfronts count in each by its probability. */
struct iso_bill {
    iso_decimal cost;      /* of all scenarios together: the plan's */
    iso_decimal penalties; /* likewise */
};

struct iso_component {
    int32_t n_workloads;
    int32_t *workloads;   /* owned */
    const char *strategy; /* static text */
    const char *why;      /* static text */
    enum iso_proof proof;
};

struct iso_plan_stats {
    int64_t columns, columns_solved, rows_solved, integer_columns, dominated;
    int64_t iterations, nodes;
    double seconds;
};

struct iso_plan {
    enum iso_reason reason;
    enum iso_stop stop;
    bool has_solution;
    int32_t n_uses, n_fills, n_entries, n_covers, n_purchases, n_unserved, n_flows;
    struct iso_use *uses;
    struct iso_fill *fills;
    struct iso_fill_entry *entries;
    struct iso_cover *covers;
    struct iso_purchase *purchases;
    struct iso_unserved *unserved;
    struct iso_flow *flows;

    int32_t n_lines;
    struct iso_line *lines;
    iso_decimal cost;      /* sum of the lines */
    iso_decimal penalties; /* SOFT rules and unserved demand with a penalty */
    int32_t n_bills;       /* the problem's scenarios */
    struct iso_bill *bills;
    iso_decimal risk; /* what the tail costs more than the average, times its weight; >= 0 */

    int32_t n_tiers, n_duals;
    struct iso_tier *tiers;
    struct iso_dual *duals;
    int32_t n_leads; /* 0: each period leads itself; otherwise n_periods */
    struct iso_lead *leads;
    int32_t n_value_functions;
    struct iso_value_function *value_functions;
    int32_t n_components;
    struct iso_component *components;

    int32_t n_bindings, n_runners_up, n_baselines, n_conflicts, n_relaxations;
    struct iso_binding *bindings;
    struct iso_runner_up *runners_up;
    struct iso_baseline *baselines;
    struct iso_conflict *conflicts;
    struct iso_relaxation *relaxations;
    /* Plans that do without something that this plan and each alternative before uses (instances of
     * an offering, or a purchase of a product), cheapest first. Each is complete, without proofs,
     * explanations and alternatives of its own. Owned. */
    int32_t n_alternatives;
    struct iso_plan **alternatives;
    struct iso_plan_stats stats;
    bool reproducible;
};

/* Whether a budget counts an EGRESS line; and the place that sends, and the one that receives. */
ISO_EXPORT bool iso_plan_budget_counts_line(const struct iso_problem *problem,
                                            const struct iso_plan *plan,
                                            const struct iso_budget *budget,
                                            const struct iso_line *line);
ISO_EXPORT void iso_plan_egress_places(const struct iso_problem *problem,
                                       const struct iso_plan *plan, const struct iso_line *line,
                                       int32_t *ret_from, int32_t *ret_to);

/* An empty plan; the caller owns it. NULL when memory is short. */
ISO_EXPORT struct iso_plan *iso_plan_new(void);

/* Accepts NULL. */
ISO_EXPORT void iso_plan_free(struct iso_plan *plan);
ISO_DEFINE_FREEP(iso_plan)

#endif

/* The problem: a model with every selector resolved, every default filled in and every number a
 * decimal. Strategies, the verifier and the ledger all read this and nothing else.
 *
 * Life: the caller (server/solve) lays the arrays out in memory that it owns, then
 * iso_problem_check() lets the problem through the one door. After that it is constant; any number
 * of threads may read it. Everything named by an index is checked by the door to be in range.
 *
 * Notation, as in docs/reference/model.md:
 *   o offering, t period, a workload, g team, c commitment product, k resource.
 * A *cell* is who uses instances: cell a (0 <= a < n_workloads) is the throughput workload a; cell
 * n_workloads + g is the pool of team g, which holds the team's replica workloads. */
#ifndef ISOCOST_PROBLEM_H
#define ISOCOST_PROBLEM_H

#include <stdbool.h>
#include <stdint.h>

#include "isocost/base/decimal.h"
#include "isocost/base/status.h"

/* Kinds of resources, in the order of isocost.v1.Resource less one. */
enum iso_resource {
    ISO_RESOURCE_VCPU,
    ISO_RESOURCE_MEMORY_GIB,
    ISO_RESOURCE_GPU,
    ISO_RESOURCE_GPU_MEMORY_GIB,
    ISO_RESOURCE_LOCAL_DISK_GIB,
    ISO_RESOURCE_DISK_GIB,
    ISO_RESOURCE_NETWORK_GBPS,
    ISO_RESOURCE_IOPS,
    ISO_N_RESOURCES
};

#define ISO_UNKNOWN ((iso_decimal)-1) /* an amount that the catalog does not say */
#define ISO_ANY_ZONE (-1)             /* zone "*": any zone of the region */

struct iso_offering {
    const char *id;
    int32_t provider; /* in provider_names */
    int32_t region;   /* in region_names; a region belongs to one provider */
    int32_t zone;     /* in zone_names, or ISO_ANY_ZONE; a zone belongs to one region */
    int32_t currency; /* in currencies */
    bool spot;
    iso_decimal price;                     /* of one instance for one hour, in `currency`, > 0 */
    iso_decimal capacity[ISO_N_RESOURCES]; /* of one instance, >= 0 or ISO_UNKNOWN */
};

/* A price that differs from the offering's in one period. Sorted by (offering, period). */
struct iso_price_exception {
    int32_t offering, period;
    iso_decimal price; /* > 0, same currency */
};

struct iso_period {
    const char *id;
    iso_decimal hours; /* h_t > 0; all hours that it stands for */
    bool has_start;    /* all periods or none */
    int64_t start_ns;  /* UTC, when has_start */
};

struct iso_currency {
    const char *code;
    const iso_decimal *rate_to_base; /* n_periods values > 0; 1 for the base currency */
};

struct iso_team {
    const char *id;
    iso_decimal overhead[ISO_N_RESOURCES]; /* taken of each instance of the pool, >= 0 */
};

enum iso_policy { ISO_POLICY_HARD, ISO_POLICY_SOFT, ISO_POLICY_PREFER, ISO_POLICY_DEFAULT };
enum iso_service { ISO_SERVICE_MUST, ISO_SERVICE_PRIORITY, ISO_SERVICE_PENALTY };
enum iso_level { ISO_LEVEL_ZONE, ISO_LEVEL_REGION, ISO_LEVEL_PROVIDER };
#define ISO_N_LEVELS 3

/* An offering that a workload may use. */
struct iso_option {
    int32_t offering;
    iso_decimal served; /* throughput: alpha * eta rounded down, > 0; replicas: ISO_DECIMAL_ONE */
    int32_t most;       /* replicas of this workload alone on one instance, >= 1; throughput: 0 */
};

struct iso_share {
    const char *id;
    const uint8_t *member; /* n_options flags: the option is in the set S */
    bool has_minimum, has_maximum;
    iso_decimal minimum, maximum; /* in [0, 1] */
};

struct iso_survive {
    const char *id;
    enum iso_level level;
    iso_decimal share; /* theta in (0, 1] */
};

struct iso_spread {
    const char *id;
    enum iso_level level;
    int32_t minimum_domains;   /* N >= 2 */
    iso_decimal minimum_share; /* eps in (0, 1/N] */
};

/* Together: both workloads run in the same domains. Apart: no domain holds both. Where a workload
 * runs is taken over all periods. */
struct iso_affinity {
    const char *id;
    int32_t other; /* the other workload; together with itself asks for nothing */
    enum iso_level level;
    bool apart;
};

/* Caps on change: in each period after the first, instances of the cell that start against the
 * period before (sum over offerings of what is more) and that stop (of what is less). */
struct iso_ramp {
    const char *id;
    int64_t starts, stops; /* >= 0; -1 = no cap */
};

/* Where data comes from: a place is a region, or, from n_regions on, a site outside of all. */
struct iso_source {
    int32_t place;
    iso_decimal share; /* of the demand, > 0, all add up to 1; 0 where a workload is the source */
};

/* Directions in which data moves along a route. */
enum iso_direction { ISO_FORTH, ISO_BACK, ISO_N_DIRECTIONS };

/* From a source to a region that serves what comes from it. */
struct iso_route {
    int32_t source;                      /* in the sources */
    int32_t region;                      /* that receives what goes forth */
    iso_decimal latency;                 /* ms, >= 0; 0 where no cap asks */
    iso_decimal price[ISO_N_DIRECTIONS]; /* of one GB, >= 0; the sender's provider bills it */
    int32_t currency[ISO_N_DIRECTIONS];
};

/* Data that moves for each unit of a workload's demand. `other` < 0: between its sources and the
 * regions in which it is served, source k having share_k of the demand. Otherwise: between the
 * regions in which it is served (the sources) and those in which the other workload is served. See
 * docs/reference/model.md, Traffic and Dependency. */
struct iso_traffic {
    const char *id;
    int32_t other;                    /* -1, or another workload; itself asks for nothing */
    iso_decimal gb[ISO_N_DIRECTIONS]; /* for one unit of demand in one hour, >= 0 */
    iso_decimal maximum_latency;      /* ms, > 0; ISO_UNKNOWN = no cap */
    int32_t n_sources, n_routes;
    const struct iso_source *sources; /* distinct places */
    /* From every source to every region that may receive, by (source, region), rising: route k *
     * n_regions + i leads from source k to the region of route i. */
    const struct iso_route *routes;
};

/* Demand that may rise, in at most so many periods at once; the plan is made before it is known in
 * which. The workload's own `demand` and `required` are what is asked where it has risen. */
struct iso_box {
    int32_t periods;             /* Gamma >= 1 */
    const iso_decimal *demand;   /* n_periods: as it is said, at most the workload's */
    const iso_decimal *required; /* n_periods, likewise */
};

struct iso_workload {
    const char *id;
    int32_t team;
    enum iso_service service;
    int32_t priority;          /* PRIORITY: rank >= 1, 1 first */
    iso_decimal weight;        /* PRIORITY: > 0 */
    bool fair;                 /* PRIORITY: its rank is served evenly; all of a rank or none */
    iso_decimal penalty;       /* PENALTY: base currency for one unit unserved for one hour, > 0 */
    bool replicas;             /* false: throughput */
    const iso_decimal *demand; /* D_t >= 0, n_periods; whole numbers for replicas */
    const iso_decimal *required;       /* (1 + headroom) D_t rounded up, n_periods */
    iso_decimal need[ISO_N_RESOURCES]; /* replicas: of one copy, >= 0; 0 = not needed */
    int32_t maximum_per_instance;      /* replicas: 0 = no cap */
    int32_t n_options;
    const struct iso_option *options; /* by offering, rising */
    int32_t n_shares, n_survive, n_spread;
    const struct iso_share *shares;
    const struct iso_survive *survive;
    const struct iso_spread *spread;
    int32_t n_affinities;
    const struct iso_affinity *affinities;
    const struct iso_box *box;   /* NULL = none */
    const struct iso_ramp *ramp; /* of the workload's cell; periods are in order; NULL = none */
    int32_t n_traffic;
    const struct iso_traffic *traffic;
};

/* sum over cells and terms of weight * instances  <= or >=  bound, in each period that it holds. */
struct iso_limit_term {
    int32_t offering;
    iso_decimal weight; /* > 0 */
};

struct iso_limit {
    const char *id;    /* rule id; quotas: "quota PROVIDER/REGION CODE" */
    bool quota;        /* a provider's cap, always HARD */
    bool minimum;      /* >= instead of <= */
    bool or_nothing;   /* a HARD minimum above 0: in each period 0 or >= */
    iso_decimal bound; /* >= 0 */
    enum iso_policy policy;
    iso_decimal price; /* SOFT: base currency for one unit for one hour, > 0 */
    /* SOFT: a step of the price of the limit before it, which has the same terms. `price` is what
     * the step adds, `bound` where it begins. */
    bool later_step;
    iso_decimal today;      /* DEFAULT: most by which it may be broken, >= 0 */
    const uint8_t *periods; /* n_periods flags */
    int32_t n_terms;
    const struct iso_limit_term *terms; /* by offering, rising */
};

enum iso_basis { ISO_BASIS_LIST, ISO_BASIS_AMORTISED, ISO_BASIS_CASH };

struct iso_window {
    const uint8_t *periods; /* n_periods flags */
    iso_decimal amount;     /* >= 0, in `currency`, spent_already taken off (never below 0) */
    int32_t currency;
    iso_decimal today; /* DEFAULT: most by which it may be broken, >= 0, in `currency` */
};

/* spend_w <= amount_w for each window w; see docs/reference/model.md, Budget. */
struct iso_budget {
    const char *id;
    enum iso_basis basis;
    const uint8_t *offerings; /* n_offerings flags: instances of these count */
    const uint8_t *cells;     /* n_cells flags: instances used by these count */
    const uint8_t *products;  /* n_products flags: coverage, fees and upfronts of these count */
    /* iso_problem_n_places() flags: what these send for the cells above counts; NULL = none */
    const uint8_t *places;
    bool moves; /* costs of starts, stops and moves count (scope: everything) */
    enum iso_policy policy;
    iso_decimal price; /* SOFT: base currency for one unit of the window's currency, > 0 */
    bool later_step;   /* SOFT: a step of the price of the budget before it, as in iso_limit */
    int32_t n_windows;
    const struct iso_window *windows;
};

struct iso_eligible {
    int32_t offering; /* ON_DEMAND only */
    iso_decimal use;  /* nu > 0: units, or committed money an hour, that one instance uses */
};

/* One possible start of a new commitment. */
struct iso_start {
    int32_t period;
    const uint8_t *window;    /* n_periods flags: the term covers the period */
    iso_decimal hours_inside; /* hours of the term that fall in the horizon, > 0 */
};

struct iso_product {
    const char *id;
    int32_t provider;
    int32_t currency;
    bool spend;                  /* SPEND; otherwise UNIT */
    iso_decimal lot;             /* what one bought unit gives: units (1) or money an hour */
    iso_decimal term_hours;      /* > 0 */
    iso_decimal fee;             /* of one unit or lot for one hour, >= 0, in `currency` */
    iso_decimal upfront;         /* of one unit or lot, >= 0, in `currency` */
    int64_t most;                /* most that may be bought for one start; -1 = no cap; 0 = none */
    const iso_decimal *existing; /* n_periods: units or lots held, >= 0 */
    int32_t n_starts, n_eligible;
    const struct iso_start *starts;
    const struct iso_eligible *eligible; /* by offering, rising */
    const uint8_t *cells;                /* n_cells flags: scope */
};

struct iso_current {
    int32_t cell, offering; /* distinct pairs, rising */
    int64_t count;          /* >= 0 */
};

struct iso_moves {
    bool present; /* the model has a current placement; period 0 is "now" */
    int32_t n_current;
    const struct iso_current *current;
    iso_decimal start_cost, stop_cost, move_cost; /* base currency, >= 0 */
    int64_t maximum;                              /* most moves; -1 = no cap */
    int64_t forced_stops; /* stops that falling demand forces; not moves. See iso_forced_stops() */
};

/* A price by volume. S is what the instances of these offerings that no commitment covers cost in
 * these periods, in the base currency; the part of S beyond `from`, up to the next step, costs
 * `factor` times as much. Below the first step the price holds as it is. Budgets see prices before
 * this. */
struct iso_volume_step {
    iso_decimal from;   /* base currency, > 0, rising */
    iso_decimal factor; /* > 0; from 1 on they all rise or all fall */
};

struct iso_volume {
    const char *id;
    const uint8_t *offerings; /* n_offerings flags */
    const uint8_t *periods;   /* n_periods flags, one at least */
    int32_t n_steps;          /* >= 1 */
    const struct iso_volume_step *steps;
};

/* A plan to start from: instances of throughput workloads and purchases, as in struct iso_plan. It
 * need not be complete nor keep any rule. */
struct iso_start_point {
    int32_t n_uses, n_purchases;
    const struct iso_use *uses;
    const struct iso_purchase *purchases;
};

/* One of several futures: demand and what runs are the scenario's own, what is bought is the same
 * in all. */
struct iso_scenario {
    const char *id;
    iso_decimal probability; /* in (0, 1], all add up to 1 */
};

enum iso_want {
    ISO_WANT_BASELINES = 1u << 0,
    ISO_WANT_RUNNERS_UP = 1u << 1,
    ISO_WANT_DUALS = 1u << 2,
    ISO_WANT_CONFLICTS = 1u << 3,
    ISO_WANT_ALTERNATIVES = 1u << 4,
};

/* How a component is solved; AUTO chooses by structure alone. A strategy that does not apply is
 * passed over for the next in this order. */
enum iso_strategy {
    ISO_STRATEGY_AUTO,
    ISO_STRATEGY_SEPARABLE, /* covering tables for workloads that nothing couples */
    ISO_STRATEGY_LATTICE,   /* purchases by branch and bound, periods by tables */
    ISO_STRATEGY_HORIZON,   /* clusters of periods for the bound, then each period by itself */
    ISO_STRATEGY_COLUMNS,   /* column generation, dive and neighbourhoods */
    ISO_STRATEGY_PATTERNS,  /* the same for packing, with patterns priced */
    ISO_STRATEGY_PLAIN_MIP, /* one relaxation and one tree */
    ISO_N_STRATEGIES
};

/* What makes a problem smaller without changing its answer; see solver/presolve.h. */
enum iso_reduction_kind {
    ISO_REDUCE_DOMINANCE = 1u << 0,  /* offerings that a better one makes superfluous */
    ISO_REDUCE_ROUNDING = 1u << 1,   /* demands, up to what whole instances serve in common */
    ISO_REDUCE_REDUNDANT = 1u << 2,  /* rules that others imply */
    ISO_REDUCE_IDENTICAL = 1u << 3,  /* workloads that nothing tells apart */
    ISO_REDUCE_ORBITS = 1u << 4,     /* caps over equal offerings */
    ISO_REDUCE_TWINS = 1u << 5,      /* equal components */
    ISO_REDUCE_TIGHTENING = 1u << 6, /* coefficients above their right side, in trees */
    ISO_REDUCE_ALL = (1u << 7) - 1
};

#define ISO_MOST_ALTERNATIVES 5
#define ISO_MOST_CONFLICTS 5

/* Alternatives are looked for in models of at most so many options times periods. */
#define ISO_ALTERNATIVES_COLUMNS 2000

struct iso_options {
    double time_limit_s; /* > 0 */
    double gap;          /* relative, in [0, 1] */
    int64_t work_limit;  /* 0 = none */
    int64_t seed;
    bool deterministic;
    double tier_tolerance;      /* in [0, 1] */
    unsigned want;              /* bits of enum iso_want */
    enum iso_strategy strategy; /* AUTO, or the one to be tried first; for tests */
    unsigned without;           /* bits of enum iso_reduction_kind that are not made; for tests */
    int64_t most_listed;        /* columns of instances of a formulation that lists them all; 0: as
                                 * many as is usual. For tests */
    int32_t maximum_conflicts;  /* 0: those that share no rule, at most ISO_MOST_CONFLICTS */
    int32_t maximum_alternatives; /* in [0, ISO_MOST_ALTERNATIVES] */
    double alternative_tolerance; /* in [0, 1]: how much dearer they may be, as a share */
};

struct iso_problem {
    int32_t n_providers, n_regions, n_zones, n_currencies;
    const char *const *provider_names;
    const char *const *region_names; /* "provider/region" */
    const char *const *zone_names;   /* "provider/region/zone" */
    const int32_t *zone_region;      /* region of each zone */
    int32_t n_sites;
    const char *const *site_names; /* places that are no region, "name/name" */
    const struct iso_currency *currencies;
    int32_t base_currency;
    int32_t n_offerings, n_periods, n_teams, n_workloads, n_limits, n_budgets, n_products;
    const struct iso_offering *offerings;
    const struct iso_period *periods;
    const struct iso_team *teams;
    const struct iso_workload *workloads;
    const struct iso_limit *limits;
    const struct iso_budget *budgets;
    const struct iso_product *products;
    int32_t n_price_exceptions;
    const struct iso_price_exception *price_exceptions;
    struct iso_moves moves;
    /* With scenarios, periods come scenario by scenario, as many in each, and stand for their hours
     * times the probability: so cost, penalties and what is unserved are expected values, and
     * bounds of windows are times the probability too. */
    int32_t n_scenarios; /* 0 = one future */
    const struct iso_scenario *scenarios;
    iso_decimal tail_weight; /* in [0, 1] */
    iso_decimal tail_level;  /* in [0, 1) */
    int32_t n_volumes;       /* no two hold for one offering in one period */
    const struct iso_volume *volumes;
    /* Of the solver's own variants, otherwise NULL: the part of its price that an instance costs in
     * the objective, [offering * n_periods + period]. */
    const iso_decimal *cost_factors;
    struct iso_start_point start; /* may be empty */
    struct iso_options options;
};

/* A tree of GLPK closes problems of about this many columns; rules that only a tree can settle are
 * served up to it. */
#define ISO_PLAIN_MIP_COLUMNS 150

/* Columns of a problem: options of workloads times periods. */
static inline int64_t iso_problem_n_columns(const struct iso_problem *problem)
{
    int64_t n = 0;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        n += (int64_t)problem->workloads[a].n_options * problem->n_periods;
    return n;
}

/* The scenario of a period; 0 in a problem without. */
static inline int32_t iso_problem_scenario(const struct iso_problem *problem, int32_t period)
{
    return problem->n_scenarios > 1 ? period / (problem->n_periods / problem->n_scenarios) : 0;
}

/* Whether what the dearest scenarios cost counts by itself. */
static inline bool iso_tail_counts(const struct iso_problem *problem)
{
    return problem->tail_weight > 0 && problem->n_scenarios > 1;
}

/* Number of cells: n_workloads + n_teams. */
static inline int32_t iso_problem_n_cells(const struct iso_problem *problem)
{
    return problem->n_workloads + problem->n_teams;
}

/* The cell whose instances serve a workload. */
static inline int32_t iso_problem_cell(const struct iso_problem *problem, int32_t workload)
{
    return problem->workloads[workload].replicas
               ? problem->n_workloads + problem->workloads[workload].team
               : workload;
}

/* Checks everything said above: indices, orders, signs, ranges, and that no product of numbers that
 * belong together leaves the range of a decimal. Errors: ISO_E_INVALID with the field in the
 * problem's own words (e.g. "workloads[2].required"). */
ISO_EXPORT enum iso_status iso_problem_check(const struct iso_problem *problem,
                                             struct iso_error *reterr);

/* The price of an offering in a period, looked up among the exceptions. */
ISO_EXPORT iso_decimal iso_problem_own_price(const struct iso_problem *problem, int32_t offering,
                                             int32_t period);

/* The rate between two currencies through the base currency, rounded half-even. */
ISO_EXPORT iso_decimal iso_problem_cross_rate(const struct iso_problem *problem, int32_t from,
                                              int32_t to, int32_t period);

/* price_ot: of one instance for one hour in period t, in the offering's currency. */
static inline iso_decimal iso_problem_price(const struct iso_problem *problem, int32_t offering,
                                            int32_t period)
{
    return problem->n_price_exceptions == 0 ? problem->offerings[offering].price
                                            : iso_problem_own_price(problem, offering, period);
}

/* rate(from -> to, t): 1 when equal, else through the base currency, rounded half-even. */
static inline iso_decimal iso_problem_rate(const struct iso_problem *problem, int32_t from,
                                           int32_t to, int32_t period)
{
    return from == to ? ISO_DECIMAL_ONE : iso_problem_cross_rate(problem, from, to, period);
}

/* The price by volume that holds for an offering in a period, or NULL. */
ISO_EXPORT const struct iso_volume *iso_problem_volume(const struct iso_problem *problem,
                                                       int32_t offering, int32_t period);

/* The least factor on any part of the volume, 1 for the first part included. */
ISO_EXPORT iso_decimal iso_volume_least_factor(const struct iso_volume *volume);

/* The scenario of a budget's window, whose periods are all in one; 0 in a problem without. */
ISO_EXPORT int32_t iso_window_scenario(const struct iso_problem *problem,
                                       const struct iso_window *window);

/* Whether it matters how many periods rise at once: demand may stay unserved, and more periods may
 * rise than do at once. The number of periods in which demand may rise. */
ISO_EXPORT bool iso_box_counts(const struct iso_problem *problem,
                               const struct iso_workload *workload);
ISO_EXPORT int32_t iso_box_n_rising(const struct iso_problem *problem,
                                    const struct iso_workload *workload);

/* The place of `offering` among the options of a workload, or -1. */
ISO_EXPORT int32_t iso_workload_find_option(const struct iso_workload *workload, int32_t offering);

/* The domain of an offering at a level, as an index below iso_problem_n_domains(). Level ZONE:
 * zones come first, then one domain "any zone" for each region. */
ISO_EXPORT int32_t iso_problem_domain(const struct iso_problem *problem, int32_t offering,
                                      enum iso_level level);
ISO_EXPORT int32_t iso_problem_n_domains(const struct iso_problem *problem, enum iso_level level);

/* Whether `offering` falls when `domain` fails: it lies in it, or it has zone "*" and the domain is
 * any zone of its region, named or not. */
ISO_EXPORT bool iso_problem_falls_with(const struct iso_problem *problem, int32_t offering,
                                       enum iso_level level, int32_t domain);

/* Whether an option of `workload` counts for spread in its domain. An offering with zone "*" counts
 * (as its region's "any zone") only where no option of the workload names a zone of that region:
 * otherwise it might be the same zone twice. */
ISO_EXPORT bool iso_problem_spread_counts(const struct iso_problem *problem,
                                          const struct iso_workload *workload, int32_t offering,
                                          enum iso_level level);

/* Whether a rule of any workload says where `workload` runs at this level: `together` looks at
 * rules that ask for the same domains only. */
ISO_EXPORT bool iso_problem_is_placed(const struct iso_problem *problem, int32_t workload,
                                      enum iso_level level, bool together);

/* Whether two domains of a level may be the same place: they are equal, or one is "any zone" of the
 * region in which the other lies. */
ISO_EXPORT bool iso_problem_domains_meet(const struct iso_problem *problem, enum iso_level level,
                                         int32_t domain, int32_t other);

/* The most that a workload with a together or apart rule is served in one domain in a period, in
 * units of its demand; part of the rule, see docs/reference/model.md. */
ISO_EXPORT iso_decimal iso_problem_most_in_domain(const struct iso_problem *problem,
                                                  int32_t workload, int32_t period);

/* Places: regions, then sites; and the name of one. */
ISO_EXPORT int32_t iso_problem_n_places(const struct iso_problem *problem);
ISO_EXPORT const char *iso_problem_place_name(const struct iso_problem *problem, int32_t place);

/* Whether a route is within the latency cap. */
ISO_EXPORT bool iso_route_is_open(const struct iso_traffic *traffic, const struct iso_route *route);

/* The place that sends in a direction. */
ISO_EXPORT int32_t iso_route_sender(const struct iso_traffic *traffic,
                                    const struct iso_route *route, enum iso_direction direction);

/* Whether a budget counts what goes along a route of a workload in a direction. */
ISO_EXPORT bool iso_budget_counts_flow(const struct iso_problem *problem,
                                       const struct iso_budget *budget, int32_t workload,
                                       const struct iso_traffic *traffic,
                                       const struct iso_route *route, enum iso_direction direction);

/* What source k sends of an `amount` of demand: shares rounded down, one after the other, so that
 * all sources together send the amount: floor((share_0 + .. + share_k) amount) - floor((share_0 +
 * .. + share_(k-1)) amount). */
ISO_EXPORT iso_decimal iso_traffic_part(const struct iso_traffic *traffic, int32_t source,
                                        iso_decimal amount);

/* By how much what comes into a region may be above what is served there, because shares and parts
 * are rounded: for each source 2e-9 and 1e-9 of the demand. */
ISO_EXPORT iso_decimal iso_traffic_slack(const struct iso_traffic *traffic, iso_decimal demand);

/* The demand in a period for which data moves: that of the workload; for a dependency 0 where the
 * other workload has none. */
ISO_EXPORT iso_decimal iso_traffic_demand(const struct iso_problem *problem, int32_t workload,
                                          const struct iso_traffic *traffic, int32_t period);

/* GB that `amount` of flow moves in a direction in a whole period, rounded once, half to even.
 * False when out of range. */
ISO_EXPORT bool iso_traffic_gb(const struct iso_problem *problem, const struct iso_traffic *traffic,
                               enum iso_direction direction, int32_t period, iso_decimal amount,
                               iso_decimal *ret_gb);

/* What the current placement says of `offering` for `cell`, or NULL when it does not name the pair.
 */
ISO_EXPORT const struct iso_current *iso_problem_find_current(const struct iso_problem *problem,
                                                              int32_t cell, int32_t offering);

/* Stops that falling demand forces: for each throughput workload a with a placement today that
 * serves S0 > required_a0, floor(count_a * (1 - required_a0 / S0)) with count_a all its instances
 * and S0 what those serve; nothing for pools. */
ISO_EXPORT int64_t iso_forced_stops(const struct iso_problem *problem);

#endif

#include "plan_cases.h"

#include <math.h>
#include <stdio.h>

#include "isocost/ledger.h"

#define COUNT(array) ((int32_t)ISO_ARRAY_LENGTH(array))
#define UNKNOWNS                                                                                   \
    {                                                                                              \
        ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, ISO_UNKNOWN, \
            ISO_UNKNOWN                                                                            \
    }

static const char *const providers[] = {"p", "q"};
static const char *const regions[] = {"p/r", "q/s"};
static const char *const zones[] = {"p/r/a", "p/r/b", "q/s/a"};
static int32_t zone_region[] = {0, 0, 1};
static iso_decimal ones[] = {D(1), D(1)};
static struct iso_currency euros[] = {{"EUR", ones}};
static struct iso_period hour[] = {{"hour", D(1), false, 0}};
static struct iso_team team[] = {{"team", {0}}};
static uint8_t yes[] = {1, 1, 1, 1};

/* What the cases have in common: two providers of one region, three zones, euros, one hour. */
static struct iso_problem base(void)
{
    return (struct iso_problem){.n_providers = COUNT(providers),
                                .n_regions = COUNT(regions),
                                .n_zones = COUNT(zones),
                                .n_currencies = 1,
                                .provider_names = providers,
                                .region_names = regions,
                                .zone_names = zones,
                                .zone_region = zone_region,
                                .currencies = euros,
                                .n_periods = 1,
                                .n_teams = 1,
                                .n_workloads = 1,
                                .periods = hour,
                                .teams = team,
                                .moves = {.maximum = -1},
                                .options = {.time_limit_s = 1}};
}

static void *copy(const void *from, size_t n, size_t size)
{
    void *to = iso_calloc(n, size);

    ISO_ASSERT(to);
    return memcpy(to, from, n * size);
}

/* Gives the plan a copy of an array. */
#define SET(plan, field, array)                                        \
    do {                                                               \
        (plan)->n_##field = COUNT(array);                              \
        (plan)->field = copy(array, COUNT(array), sizeof((array)[0])); \
    } while (0)

/* A tier proved by its multipliers, nothing left open. */
static struct iso_tier proved(enum iso_tier_kind kind, double value, int32_t first_dual,
                              int32_t n_duals)
{
    return (struct iso_tier){.kind = kind,
                             .value = value,
                             .bound = value,
                             .frozen = value,
                             .proof = ISO_PROOF_DUAL,
                             .checked_bound = value,
                             .first_dual = first_dual,
                             .n_duals = n_duals};
}

/* --- SEED: 2000 units of 1; p at 0.5 up to 1000, q at 0.4 up to 1500.
 * q runs full: 1500 * 0.4 + 500 * 0.5 = 850. Multipliers: demand 0.5 (p is the marginal one), q's
 * limit -0.1: L = 2000 * 0.5 - 1500 * 0.1 = 850; p prices out at 0.5 - 0.5, q at 0.4 + 0.1 - 0.5.
 */

static struct iso_offering seed_offerings[] = {{"p", 0, 0, 0, 0, false, D(0.5), UNKNOWNS},
                                               {"q", 1, 1, 2, 0, false, D(0.4), UNKNOWNS}};
static iso_decimal seed_demand[] = {D(2000)};
static struct iso_option seed_options[] = {{0, D(1), 0}, {1, D(1), 0}};
static struct iso_workload seed_workloads[] = {{.id = "w",
                                                .demand = seed_demand,
                                                .required = seed_demand,
                                                .n_options = 2,
                                                .options = seed_options}};
static struct iso_limit_term seed_p[] = {{0, D(1)}}, seed_q[] = {{1, D(1)}};
static struct iso_limit seed_limits[] = {
    {.id = "limit p", .bound = D(1000), .periods = yes, .n_terms = 1, .terms = seed_p},
    {.id = "limit q", .bound = D(1500), .periods = yes, .n_terms = 1, .terms = seed_q}};

static void seed(struct iso_problem *problem, struct iso_plan *plan)
{
    const struct iso_use uses[] = {{0, 0, 0, 500}, {0, 1, 0, 1500}};
    const struct iso_dual duals[] = {{ISO_ROW_DEMAND, 0, 0, -1, -1, 0.5},
                                     {ISO_ROW_LIMIT, 1, 0, -1, -1, -0.1}};
    const struct iso_tier tiers[] = {proved(ISO_TIER_MONEY, 850, 0, 2)};

    problem->n_offerings = COUNT(seed_offerings);
    problem->offerings = seed_offerings;
    problem->workloads = seed_workloads;
    problem->n_limits = COUNT(seed_limits);
    problem->limits = seed_limits;
    SET(plan, uses, uses);
    SET(plan, duals, duals);
    SET(plan, tiers, tiers);
}

/* --- COMMITMENTS: euros and dollars (0.9); 10 h with demand 4, then 20 h with demand 6. One
 * offering at 1 dollar. A unit of the product covers one instance at 0.4 dollars an hour and 2
 * dollars upfront for 30 h; one is held. It may start with either period: first   0.9 * (0.4 * 30 +
 * 2) = 12.6 euros, saves 0.9 * 30 = 27 second  0.9 * (0.4 * 20 + 2 * 20 / 30) = 8.4 euros, saves
 * 0.9 * 20 = 18 so 3 start with the first period and 2 more with the second; everything is covered.
 *   fees 0.9 * 0.4 * (4 * 10 + 6 * 20) = 57.6, upfront 3 * 1.8 + 2 * 1.2 = 7.8, cost 65.4
 * Budgets, in dollars:
 *   AMORTISED, hard, everything: 0.4 * 160 + 3 * 2 + 2 * 2 * 20 / 30 = 72.67 of 100
 *   LIST, hard, everything: 4 * 10 + 6 * 20 = 160 of 200
 *   CASH, soft at 0.01 euros, first period: 0.4 * 40 + 6 = 22 of 21, so 0.01 of penalty: 65.41
 * Multipliers: cash -0.01, so a unit of the first start costs 12.6 + 0.01 * (0.4 * 10 + 2) = 12.66,
 * of the second 8.4. Commitments -4.26 and -8.4 in the two periods earn that; covering leaves an
 * instance costing just as much, the multipliers of demand.
 *   L = 4 * 4.26 + 6 * 8.4 - 1 * 12.66 - 0.01 * (21 - 4 of existing fees) + 10.8 = 65.41 */

static iso_decimal dollar_rate[] = {D(0.9), D(0.9)};
static struct iso_currency two_currencies[] = {{"EUR", ones}, {"USD", dollar_rate}};
static struct iso_period two_periods[] = {{"low", D(10), false, 0}, {"high", D(20), false, 0}};
static struct iso_offering commit_offerings[] = {{"o", 0, 0, 0, 1, false, D(1), UNKNOWNS},
                                                 {"spot", 0, 0, 0, 1, true, D(3), UNKNOWNS}};
static iso_decimal commit_demand[] = {D(4), D(6)};
static struct iso_option commit_options[] = {{0, D(1), 0}, {1, D(1), 0}};
static struct iso_workload commit_workloads[] = {{.id = "w",
                                                  .demand = commit_demand,
                                                  .required = commit_demand,
                                                  .n_options = 2,
                                                  .options = commit_options}};
static uint8_t both[] = {1, 1}, first_only[] = {1, 0}, second_only[] = {0, 1};
static struct iso_start commit_starts[] = {{0, both, D(30)}, {1, second_only, D(20)}};
static struct iso_eligible commit_eligible[] = {{0, D(1)}};
static struct iso_product commit_products[] = {{.id = "c",
                                                .currency = 1,
                                                .lot = D(1),
                                                .term_hours = D(30),
                                                .fee = D(0.4),
                                                .upfront = D(2),
                                                .most = -1,
                                                .existing = ones,
                                                .n_starts = 2,
                                                .n_eligible = 1,
                                                .starts = commit_starts,
                                                .eligible = commit_eligible,
                                                .cells = yes}};
static struct iso_window amortised_windows[] = {{both, D(100), 1, 0}};
static struct iso_window list_windows[] = {{both, D(200), 1, 0}};
static struct iso_window cash_windows[] = {{first_only, D(21), 1, 0}};
static struct iso_budget commit_budgets[] = {{.id = "amortised",
                                              .basis = ISO_BASIS_AMORTISED,
                                              .offerings = yes,
                                              .cells = yes,
                                              .products = yes,
                                              .n_windows = 1,
                                              .windows = amortised_windows},
                                             {.id = "list",
                                              .basis = ISO_BASIS_LIST,
                                              .offerings = yes,
                                              .cells = yes,
                                              .products = yes,
                                              .n_windows = 1,
                                              .windows = list_windows},
                                             {.id = "cash",
                                              .basis = ISO_BASIS_CASH,
                                              .offerings = yes,
                                              .cells = yes,
                                              .products = yes,
                                              .policy = ISO_POLICY_SOFT,
                                              .price = D(0.01),
                                              .n_windows = 1,
                                              .windows = cash_windows}};

static void commitments(struct iso_problem *problem, struct iso_plan *plan)
{
    const struct iso_use uses[] = {{0, 0, 0, 4}, {0, 0, 1, 6}};
    const struct iso_cover covers[] = {{0, 0, 0, 0, D(4)}, {0, 0, 0, 1, D(6)}};
    const struct iso_purchase purchases[] = {{0, 0, 3}, {0, 1, 2}};
    const struct iso_dual duals[] = {{ISO_ROW_DEMAND, 0, 0, -1, -1, 4.26},
                                     {ISO_ROW_DEMAND, 0, 1, -1, -1, 8.4},
                                     {ISO_ROW_COMMIT, 0, 0, -1, -1, -4.26},
                                     {ISO_ROW_COMMIT, 0, 1, -1, -1, -8.4},
                                     {ISO_ROW_BUDGET, 2, 0, -1, -1, -0.01}};
    const struct iso_tier tiers[] = {proved(ISO_TIER_MONEY, 65.41, 0, 5)};

    problem->n_currencies = COUNT(two_currencies);
    problem->currencies = two_currencies;
    problem->n_periods = COUNT(two_periods);
    problem->periods = two_periods;
    problem->n_offerings = COUNT(commit_offerings);
    problem->offerings = commit_offerings;
    problem->workloads = commit_workloads;
    problem->n_products = COUNT(commit_products);
    problem->products = commit_products;
    problem->n_budgets = COUNT(commit_budgets);
    problem->budgets = commit_budgets;
    SET(plan, uses, uses);
    SET(plan, covers, covers);
    SET(plan, purchases, purchases);
    SET(plan, duals, duals);
    SET(plan, tiers, tiers);
}

/* --- RULES: 12 units of 1 from zones a (price 1), b (2), c (3, provider q) and spot in a (0.5).
 * Spot at most a quarter, q at least a quarter, and half must survive any zone:
 *   x_b + x_c >= 6 (a fails), x_a + x_c >= 6 (b), x_a + x_b >= 6 (c), x_c >= 3, spot <= 3.
 * 3 of each: 3 + 6 + 9 + 1.5 = 19.5. Multipliers (demand .6875, spot -.25, q .75, a .1.25, b .25):
 *   a    1   - .6875 - .25 * .25 - .25 (b)                = 0
 *   b    2   - .6875 - .25 * .25 - 1.25 (a)               = 0
 *   c    3   - .6875 - .25 * .25 - .75 - 1.25 - .25       = 0
 *   spot 0.5 - .6875 + .25 * .75                          = 0
 *   L = 12 * .6875 + 3 * .75 + 6 * 1.25 + 6 * .25 = 19.5 */

static struct iso_offering rule_offerings[] = {{"a", 0, 0, 0, 0, false, D(1), UNKNOWNS},
                                               {"b", 0, 0, 1, 0, false, D(2), UNKNOWNS},
                                               {"c", 1, 1, 2, 0, false, D(3), UNKNOWNS},
                                               {"spot a", 0, 0, 0, 0, true, D(0.5), UNKNOWNS}};
static iso_decimal rule_demand[] = {D(12)};
static struct iso_option rule_options[] = {{0, D(1), 0}, {1, D(1), 0}, {2, D(1), 0}, {3, D(1), 0}};
static uint8_t is_spot[] = {0, 0, 0, 1}, is_q[] = {0, 0, 1, 0};
static struct iso_share rule_shares[] = {
    {.id = "spot", .member = is_spot, .has_maximum = true, .maximum = D(0.25)},
    {.id = "q", .member = is_q, .has_minimum = true, .minimum = D(0.25)}};
static struct iso_survive rule_survive[] = {{"survive", ISO_LEVEL_ZONE, D(0.5)}};
static struct iso_workload rule_workloads[] = {{.id = "w",
                                                .demand = rule_demand,
                                                .required = rule_demand,
                                                .n_options = 4,
                                                .options = rule_options,
                                                .n_shares = 2,
                                                .shares = rule_shares,
                                                .n_survive = 1,
                                                .survive = rule_survive}};

static void rules(struct iso_problem *problem, struct iso_plan *plan)
{
    const struct iso_use uses[] = {{0, 0, 0, 3}, {0, 1, 0, 3}, {0, 2, 0, 3}, {0, 3, 0, 3}};
    const struct iso_dual duals[] = {{ISO_ROW_DEMAND, 0, 0, -1, -1, 0.6875},
                                     {ISO_ROW_SHARE_MAX, 0, 0, 0, -1, -0.25},
                                     {ISO_ROW_SHARE_MIN, 0, 1, 0, -1, 0.75},
                                     {ISO_ROW_SURVIVE, 0, 0, 0, 0, 1.25},
                                     {ISO_ROW_SURVIVE, 0, 0, 0, 1, 0.25}};
    const struct iso_tier tiers[] = {proved(ISO_TIER_MONEY, 19.5, 0, 5)};

    problem->n_offerings = COUNT(rule_offerings);
    problem->offerings = rule_offerings;
    problem->workloads = rule_workloads;
    SET(plan, uses, uses);
    SET(plan, duals, duals);
    SET(plan, tiers, tiers);
}

/* --- POLICIES: one hour; three workloads, each with offerings of its own.
 *  w0, rank 1, weight 2, 10 units from o0 (price 1), hard limit o0 <= 6: 4 unserved.
 *     UNSERVED = 2 * 4 / 10 = 0.8: demand .2, limit -.2: 2 - 1.2.
 *     PREFER: o0 >= 8 (2 short: .25) and DEFAULT o0 <= 5, 1 over today (.2): 0.45. Demand .075,
 *     wish .125, default -.2, frozen UNSERVED -.375: o0 0 - .075 - .125 + .2 = 0, u .2 * .375 -
 * .075 = 0; L = .75 + 1 - 1 - .375 * .8 = .45. money 6: demand 1, frozen UNSERVED -5: o0 1 - 1, u
 * .2 * 5 - 1, L = 10 - 5 * .8 = 6. w1, penalty 5, 4 units from o1 at 8: cheaper to leave: 20 = 4 *
 * demand 5. w2, 8 units from o2 (zone a, price 1; soft limit 5 at 0.5) and o3 (zone b, price 3),
 * two zones with a quarter each: 6 + 2 * 3 + 0.5 = 12.5. Demand 1.5, limit -.5, spread of b 1.5,
 * both 3: o2 1 + .5 - 1.5, o3 3 - 1.5 - 1.5, domain a 0 - 3 = -3, b 2 * 1.5 - 3 = 0; L = 8 * 1.5 -
 * 5 * .5 + 2 * 3 - 3 = 12.5. cost 6 + 12 = 18, penalties 15 + .5; money 33.5. */

static struct iso_offering policy_offerings[] = {{"o0", 0, 0, 0, 0, false, D(1), UNKNOWNS},
                                                 {"o1", 0, 0, 0, 0, false, D(8), UNKNOWNS},
                                                 {"o2", 0, 0, 0, 0, false, D(1), UNKNOWNS},
                                                 {"o3", 0, 0, 1, 0, false, D(3), UNKNOWNS}};
static iso_decimal ten[] = {D(10)}, three[] = {D(3)}, eight[] = {D(8)};
static struct iso_option policy_options[] = {
    {0, D(1), 0}, {1, D(1), 0}, {2, D(1), 0}, {3, D(1), 0}};
static struct iso_spread policy_spread[] = {{"spread", ISO_LEVEL_ZONE, 2, D(0.25)}};
static struct iso_workload policy_workloads[] = {{.id = "w0",
                                                  .service = ISO_SERVICE_PRIORITY,
                                                  .priority = 1,
                                                  .weight = D(2),
                                                  .demand = ten,
                                                  .required = ten,
                                                  .n_options = 1,
                                                  .options = &policy_options[0]},
                                                 {.id = "w1",
                                                  .service = ISO_SERVICE_PENALTY,
                                                  .penalty = D(5),
                                                  .demand = three,
                                                  .required = three,
                                                  .n_options = 1,
                                                  .options = &policy_options[1]},
                                                 {.id = "w2",
                                                  .demand = eight,
                                                  .required = eight,
                                                  .n_options = 2,
                                                  .options = &policy_options[2],
                                                  .n_spread = 1,
                                                  .spread = policy_spread}};
static struct iso_limit_term on_o0[] = {{0, D(1)}}, on_o2[] = {{2, D(1)}};
static struct iso_limit policy_limits[] = {
    {.id = "hard", .bound = D(6), .periods = yes, .n_terms = 1, .terms = on_o0},
    {.id = "wish",
     .minimum = true,
     .bound = D(8),
     .policy = ISO_POLICY_PREFER,
     .periods = yes,
     .n_terms = 1,
     .terms = on_o0},
    {.id = "default",
     .bound = D(5),
     .policy = ISO_POLICY_DEFAULT,
     .today = D(1),
     .periods = yes,
     .n_terms = 1,
     .terms = on_o0},
    {.id = "soft",
     .bound = D(5),
     .policy = ISO_POLICY_SOFT,
     .price = D(0.5),
     .periods = yes,
     .n_terms = 1,
     .terms = on_o2}};

static void policies(struct iso_problem *problem, struct iso_plan *plan)
{
    const struct iso_use uses[] = {{0, 0, 0, 6}, {2, 2, 0, 6}, {2, 3, 0, 2}};
    const struct iso_unserved unserved[] = {{0, 0, D(4)}, {1, 0, D(3)}};
    const struct iso_dual duals[] = {
        {ISO_ROW_DEMAND, 0, 0, -1, -1, 0.2},   {ISO_ROW_LIMIT, 0, 0, -1, -1, -0.2},
        {ISO_ROW_DEMAND, 0, 0, -1, -1, 0.075}, {ISO_ROW_LIMIT, 1, 0, -1, -1, 0.125},
        {ISO_ROW_LIMIT, 2, 0, -1, -1, -0.2},   {ISO_ROW_FREEZE, 0, -1, -1, -1, -0.375},
        {ISO_ROW_DEMAND, 0, 0, -1, -1, 1},     {ISO_ROW_FREEZE, 0, -1, -1, -1, -5},
        {ISO_ROW_DEMAND, 1, 0, -1, -1, 5},     {ISO_ROW_DEMAND, 2, 0, -1, -1, 1.5},
        {ISO_ROW_LIMIT, 3, 0, -1, -1, -0.5},   {ISO_ROW_SPREAD, 2, 0, 0, 1, 1.5},
        {ISO_ROW_SPREAD_N, 2, 0, -1, -1, 3}};
    struct iso_tier tiers[] = {proved(ISO_TIER_UNSERVED, 0.8, 0, 2),
                               proved(ISO_TIER_PREFER, 0.45, 2, 4),
                               proved(ISO_TIER_MONEY, 33.5, 6, 7)};

    tiers[0].priority = 1;
    problem->n_offerings = COUNT(policy_offerings);
    problem->offerings = policy_offerings;
    problem->n_workloads = COUNT(policy_workloads);
    problem->workloads = policy_workloads;
    problem->n_limits = COUNT(policy_limits);
    problem->limits = policy_limits;
    SET(plan, uses, uses);
    SET(plan, unserved, unserved);
    SET(plan, duals, duals);
    SET(plan, tiers, tiers);
}

/* --- POOL: the team takes 0.5 vCPU and 1 GiB of each instance. Net: large 4 vCPU, 8 GiB at 0.8;
 * small 2 vCPU, 8 GiB at 0.9. w0 needs 2 vCPU, 1 GiB; w1 needs 1 vCPU, 3.5 GiB, at most two on one
 * instance. Fullest contents (w0, w1): large (2,0), (1,2); small (1,0) with no room for more,
 * (0,2). 5 of w0 and 2 of w1: two of (2,0), one of (1,2) = 3 * 0.8 = 2.4. Multipliers .4 and .2:
 * both contents of large are worth 0.8, small at most .4; L = 5 * .4 + 2 * .2 = 2.4. */

static struct iso_team pool_team[] = {{"team", {D(0.5), D(1), 0, 0, 0, 0, 0, 0}}};
static struct iso_offering pool_offerings[] = {
    {"large", 0, 0, 0, 0, false, D(0.8), {D(4.5), D(9), -1, -1, -1, -1, -1, -1}},
    {"small", 0, 0, 0, 0, false, D(0.9), {D(2.5), D(9), -1, -1, -1, -1, -1, -1}}};
static iso_decimal five[] = {D(5)}, two[] = {D(2)};
static struct iso_option pool_w0[] = {{0, D(1), 2}, {1, D(1), 1}};
static struct iso_option pool_w1[] = {{0, D(1), 2}, {1, D(1), 2}};
static struct iso_workload pool_workloads[] = {{.id = "w0",
                                                .replicas = true,
                                                .demand = five,
                                                .required = five,
                                                .need = {D(2), D(1)},
                                                .n_options = 2,
                                                .options = pool_w0},
                                               {.id = "w1",
                                                .replicas = true,
                                                .demand = two,
                                                .required = two,
                                                .need = {D(1), D(3.5)},
                                                .maximum_per_instance = 2,
                                                .n_options = 2,
                                                .options = pool_w1}};

static void pool(struct iso_problem *problem, struct iso_plan *plan)
{
    const struct iso_fill fills[] = {{0, 0, 0, 2, 0, 1}, {0, 0, 0, 1, 1, 2}};
    const struct iso_fill_entry entries[] = {{0, 2}, {0, 1}, {1, 2}};
    const struct iso_dual duals[] = {{ISO_ROW_DEMAND, 0, 0, -1, -1, 0.4},
                                     {ISO_ROW_DEMAND, 1, 0, -1, -1, 0.2}};
    const struct iso_tier tiers[] = {proved(ISO_TIER_MONEY, 2.4, 0, 2)};

    problem->teams = pool_team;
    problem->n_offerings = COUNT(pool_offerings);
    problem->offerings = pool_offerings;
    problem->n_workloads = COUNT(pool_workloads);
    problem->workloads = pool_workloads;
    SET(plan, fills, fills);
    SET(plan, entries, entries);
    SET(plan, duals, duals);
    SET(plan, tiers, tiers);
}

/* --- MOVES: 5 units; today 4 on "old" (price 3) and 1 on "new" (price 1). A start costs 0.5, a
 * stop 0.25, a move 1 more; at most 2 moves. One move saves 2 - 1.75 = 0.25, so both are made: 2 *
 * 3 + 3 * 1 + 2 * 1.75 = 12.5 (a budget of 20 includes the moves). Multipliers: demand 1.5,
 * old 1.5, new -.5 (a start), moves 1.25: old 3 - 1.5 - 1.5, new 1 + .5 - 1.5, stop .25 - 1.5
 * + 1.25, start .5 - .5, m 1 - 1.25 = -.25 L = 5 * 1.5 + 4 * 1.5 - 1 * .5 - 2 * .25 = 12.5 Then the
 * fewest moves at that cost: 2. With money frozen at 12.5 and weighed 4 (a saved move costs 0.25):
 * demand 6, old 6, new -2, moves 5: L = 5 * 6 + 4 * 6 - 2 - 4 * 12.5 = 2 */

static struct iso_offering move_offerings[] = {{"old", 0, 0, 0, 0, false, D(3), UNKNOWNS},
                                               {"new", 0, 0, 1, 0, false, D(1), UNKNOWNS}};
static struct iso_option move_options[] = {{0, D(1), 0}, {1, D(1), 0}};
static struct iso_workload move_workloads[] = {
    {.id = "w", .demand = five, .required = five, .n_options = 2, .options = move_options}};
static struct iso_current move_current[] = {{0, 0, 4}, {0, 1, 1}};
static struct iso_window move_windows[] = {{yes, D(20), 0, 0}};
static struct iso_budget move_budgets[] = {{.id = "all",
                                            .basis = ISO_BASIS_AMORTISED,
                                            .offerings = yes,
                                            .cells = yes,
                                            .products = yes,
                                            .moves = true,
                                            .n_windows = 1,
                                            .windows = move_windows}};

static void moves(struct iso_problem *problem, struct iso_plan *plan)
{
    const struct iso_use uses[] = {{0, 0, 0, 2}, {0, 1, 0, 3}};
    const struct iso_dual duals[] = {
        {ISO_ROW_DEMAND, 0, 0, -1, -1, 1.5}, {ISO_ROW_MOVE, 0, 0, -1, -1, 1.5},
        {ISO_ROW_MOVE, 0, 1, -1, -1, -0.5},  {ISO_ROW_MOVES, -1, -1, -1, -1, 1.25},
        {ISO_ROW_DEMAND, 0, 0, -1, -1, 6},   {ISO_ROW_MOVE, 0, 0, -1, -1, 6},
        {ISO_ROW_MOVE, 0, 1, -1, -1, -2},    {ISO_ROW_MOVES, -1, -1, -1, -1, 5},
        {ISO_ROW_FREEZE, 0, -1, -1, -1, -4}};
    const struct iso_tier tiers[] = {proved(ISO_TIER_MONEY, 12.5, 0, 4),
                                     proved(ISO_TIER_MOVES, 2, 4, 5)};

    problem->n_offerings = COUNT(move_offerings);
    problem->offerings = move_offerings;
    problem->workloads = move_workloads;
    problem->n_budgets = COUNT(move_budgets);
    problem->budgets = move_budgets;
    problem->moves = (struct iso_moves){.present = true,
                                        .n_current = COUNT(move_current),
                                        .current = move_current,
                                        .start_cost = D(0.5),
                                        .stop_cost = D(0.25),
                                        .move_cost = D(1),
                                        .maximum = 2};
    SET(plan, uses, uses);
    SET(plan, duals, duals);
    SET(plan, tiers, tiers);
}

/* --- FUNCTION: 11 units for 2 h from offerings that serve 3 at 1 or 5 at 1.5. Cheapest cover of q:
 *   q  0  1  2  3  4    5    6  7    8    9  10  11
 *      0  1  1  1  1.5  1.5  2  2.5  2.5  3  3   3.5
 * e.g. 11 = 3 + 3 + 5: 3.5 an hour, 7 in all. */

static struct iso_period two_hours[] = {{"both", D(2), false, 0}};
static struct iso_offering function_offerings[] = {{"three", 0, 0, 0, 0, false, D(1), UNKNOWNS},
                                                   {"five", 0, 0, 0, 0, false, D(1.5), UNKNOWNS}};
static iso_decimal eleven[] = {D(11)};
static struct iso_option function_options[] = {{0, D(3), 0}, {1, D(5), 0}};
static struct iso_workload function_workloads[] = {
    {.id = "w", .demand = eleven, .required = eleven, .n_options = 2, .options = function_options}};

static void function(struct iso_problem *problem, struct iso_plan *plan)
{
    const struct iso_use uses[] = {{0, 0, 0, 2}, {0, 1, 0, 1}};
    const struct iso_value_function functions[] = {{0, D(1)}};
    struct iso_tier tiers[] = {proved(ISO_TIER_MONEY, 7, 0, 0)};

    tiers[0].proof = ISO_PROOF_VALUE_FUNCTION;
    problem->periods = two_hours;
    problem->n_offerings = COUNT(function_offerings);
    problem->offerings = function_offerings;
    problem->workloads = function_workloads;
    SET(plan, uses, uses);
    SET(plan, value_functions, functions);
    SET(plan, tiers, tiers);
}

/* --- RAY: SEED with limits 1000 and 900: demand 1, limits -1 each: 2000 - 1900 = 100 > 0. */

static struct iso_limit ray_limits[] = {
    {.id = "limit p", .bound = D(1000), .periods = yes, .n_terms = 1, .terms = seed_p},
    {.id = "limit q", .bound = D(900), .periods = yes, .n_terms = 1, .terms = seed_q}};

static void ray(struct iso_problem *problem, struct iso_plan *plan)
{
    const struct iso_dual duals[] = {{ISO_ROW_DEMAND, 0, 0, -1, -1, 1},
                                     {ISO_ROW_LIMIT, 0, 0, -1, -1, -1},
                                     {ISO_ROW_LIMIT, 1, 0, -1, -1, -1}};
    const struct iso_tier tiers[] = {
        {.kind = ISO_TIER_MONEY, .proof = ISO_PROOF_RAY, .bound = INFINITY, .n_duals = 3}};

    seed(problem, plan);
    free(plan->uses);
    free(plan->duals);
    free(plan->tiers);
    plan->n_uses = 0;
    plan->uses = NULL;
    problem->limits = ray_limits;
    SET(plan, duals, duals);
    SET(plan, tiers, tiers);
    plan->reason = ISO_REASON_INFEASIBLE;
    plan->has_solution = false;
}

/* --- VOLUME: 10 units of 1 at a price of 1, half of it beyond the first 1e-9: the instances cost
 * 10, and 9.999999999 * -0.5 = -4.9999999995 is rounded to the even -5. Cost 5; the least factor
 * proves 10 * 0.5. */

static struct iso_offering volume_offerings[] = {{"o", 0, 0, 0, 0, false, D(1), UNKNOWNS}};
static struct iso_option volume_options[] = {{0, D(1), 0}};
static struct iso_workload volume_workloads[] = {
    {.id = "w", .demand = ten, .required = ten, .n_options = 1, .options = volume_options}};
static struct iso_volume_step volume_steps[] = {{1, D(0.5)}};
static struct iso_volume volumes[] = {
    {.id = "volume", .offerings = yes, .periods = yes, .n_steps = 1, .steps = volume_steps}};

static void volume(struct iso_problem *problem, struct iso_plan *plan)
{
    const struct iso_use uses[] = {{0, 0, 0, 10}};
    const struct iso_dual duals[] = {{ISO_ROW_DEMAND, 0, 0, -1, -1, 0.5}};
    const struct iso_tier tiers[] = {proved(ISO_TIER_MONEY, 5, 0, 1)};

    problem->n_offerings = COUNT(volume_offerings);
    problem->offerings = volume_offerings;
    problem->workloads = volume_workloads;
    problem->n_volumes = COUNT(volumes);
    problem->volumes = volumes;
    SET(plan, uses, uses);
    SET(plan, duals, duals);
    SET(plan, tiers, tiers);
}

/* --- RUNS: four hours with demand 2; an offering at 1 euro, in the third hour at 2. One unit is
 * held that covers one instance at 0.4 dollars an hour; a dollar is 0.9 euros, in the fourth hour
 * 0.8. One instance is paid: 1 + 1 + 2 + 1 = 5; fees 3 * 0.36 + 0.32 = 1.4; cost 6.4. Hours one and
 * two make a run of instances, one to three one of fees. Multipliers: demand 1, 1, 2, 1;
 * commitments -1, -1, -2, -1: L = 2 * 5 - 5 + 1.4 = 6.4. */

static iso_decimal four_ones[] = {D(1), D(1), D(1), D(1)};
static iso_decimal four_twos[] = {D(2), D(2), D(2), D(2)};
static iso_decimal falling_rate[] = {D(0.9), D(0.9), D(0.9), D(0.8)};
static struct iso_currency runs_currencies[] = {{"EUR", four_ones}, {"USD", falling_rate}};
static struct iso_period four_hours[] = {
    {"h0", D(1), false, 0}, {"h1", D(1), false, 0}, {"h2", D(1), false, 0}, {"h3", D(1), false, 0}};
static struct iso_offering runs_offerings[] = {{"o", 0, 0, 0, 0, false, D(1), UNKNOWNS}};
static struct iso_price_exception runs_exceptions[] = {{0, 2, D(2)}};
static struct iso_option runs_options[] = {{0, D(1), 0}};
static struct iso_workload runs_workloads[] = {{.id = "w",
                                                .demand = four_twos,
                                                .required = four_twos,
                                                .n_options = 1,
                                                .options = runs_options}};
static struct iso_product runs_products[] = {{.id = "c",
                                              .currency = 1,
                                              .lot = D(1),
                                              .term_hours = D(4),
                                              .fee = D(0.4),
                                              .existing = four_ones,
                                              .n_eligible = 1,
                                              .eligible = commit_eligible,
                                              .cells = yes}};

static void runs(struct iso_problem *problem, struct iso_plan *plan)
{
    const struct iso_use uses[] = {{0, 0, 0, 2}, {0, 0, 1, 2}, {0, 0, 2, 2}, {0, 0, 3, 2}};
    const struct iso_cover covers[] = {
        {0, 0, 0, 0, D(1)}, {0, 0, 0, 1, D(1)}, {0, 0, 0, 2, D(1)}, {0, 0, 0, 3, D(1)}};
    const struct iso_dual duals[] = {
        {ISO_ROW_DEMAND, 0, 0, -1, -1, 1},  {ISO_ROW_DEMAND, 0, 1, -1, -1, 1},
        {ISO_ROW_DEMAND, 0, 2, -1, -1, 2},  {ISO_ROW_DEMAND, 0, 3, -1, -1, 1},
        {ISO_ROW_COMMIT, 0, 0, -1, -1, -1}, {ISO_ROW_COMMIT, 0, 1, -1, -1, -1},
        {ISO_ROW_COMMIT, 0, 2, -1, -1, -2}, {ISO_ROW_COMMIT, 0, 3, -1, -1, -1}};
    const struct iso_tier tiers[] = {proved(ISO_TIER_MONEY, 6.4, 0, 8)};

    problem->n_currencies = COUNT(runs_currencies);
    problem->currencies = runs_currencies;
    problem->n_periods = COUNT(four_hours);
    problem->periods = four_hours;
    problem->n_offerings = COUNT(runs_offerings);
    problem->offerings = runs_offerings;
    problem->n_price_exceptions = COUNT(runs_exceptions);
    problem->price_exceptions = runs_exceptions;
    problem->workloads = runs_workloads;
    problem->n_products = COUNT(runs_products);
    problem->products = runs_products;
    SET(plan, uses, uses);
    SET(plan, covers, covers);
    SET(plan, duals, duals);
    SET(plan, tiers, tiers);
}

/* --- EGRESS: 10 units, 6 of users on the internet and 4 of users in p/r; each sends 0.5 GB and
 * gets 1 GB back. One instance in p/r costs 2, in q/s 1.2, and serves all. A GB from the internet
 * costs 0.01, from p/r 0.05 to the internet and 0.1 to q/s, from q/s 0.02. In q/s: 1.2 + 6 * (0.5 *
 * 0.01 + 0.02) + 4 * (0.5 * 0.1 + 0.02) = 1.2 + 0.15 + 0.28 = 1.63 and in p/r 2 + 6 * (0.005 +
 * 0.05) = 2.33. "db" has 4 units, by an instance in q/s at 0.5. "w" moves 0.1 GB a unit to it, at
 * no cost in q/s; p/r is too far. Cost 2.13. Multipliers: a unit in q/s costs 0.12, so flow 0.12 +
 * 0.025 of the internet and 0.12 + 0.07 of p/r, arrival in q/s 0.12, in p/r 0.195 (from 0.19, what
 * p/r gets, to 0.2, what it costs); db 0.5 / 4: L = 6 * 0.145 + 4 * 0.19 + 4 * 0.125 = 2.13, less
 * what rounding may hide: 1e-9 of each source, 2 * (10 + 2) * 1e-9 of each region: (0.145 + 0.19) *
 * 1e-9 + (0.12 + 0.195) * 24e-9 = 7.895e-9. The budget counts what p/r sends: 4 * 0.5 * 0.1 = 0.2.
 */

static const char *const sites[] = {"internet/a"};
static struct iso_offering egress_offerings[] = {{"p", 0, 0, 0, 0, false, D(2), UNKNOWNS},
                                                 {"q", 1, 1, 2, 0, false, D(1.2), UNKNOWNS},
                                                 {"d", 1, 1, 2, 0, false, D(0.5), UNKNOWNS}};
static struct iso_option egress_options[] = {{0, D(10), 0}, {1, D(10), 0}};
static struct iso_option egress_db_options[] = {{2, D(4), 0}};
static iso_decimal egress_db_demand[] = {D(4)};
static struct iso_source egress_users[] = {{2, D(0.6)}, {0, D(0.4)}};
static struct iso_route egress_routes[] = {{0, 0, 0, {D(0.01), D(0.05)}, {0, 0}},
                                           {0, 1, 0, {D(0.01), D(0.02)}, {0, 0}},
                                           {1, 0, 0, {0, 0}, {0, 0}},
                                           {1, 1, 0, {D(0.1), D(0.02)}, {0, 0}}};
static struct iso_source egress_regions[] = {{0, 0}, {1, 0}};
static struct iso_route egress_queries[] = {{0, 1, D(90), {D(0.1), 0}, {0, 0}},
                                            {1, 1, 0, {0, 0}, {0, 0}}};
static struct iso_traffic egress_traffic[] = {{.id = "users",
                                               .other = -1,
                                               .gb = {D(0.5), D(1)},
                                               .maximum_latency = ISO_UNKNOWN,
                                               .n_sources = 2,
                                               .n_routes = 4,
                                               .sources = egress_users,
                                               .routes = egress_routes},
                                              {.id = "queries",
                                               .other = 1,
                                               .gb = {D(0.1), 0},
                                               .maximum_latency = D(50),
                                               .n_sources = 2,
                                               .n_routes = 2,
                                               .sources = egress_regions,
                                               .routes = egress_queries}};
static struct iso_workload egress_workloads[] = {{.id = "w",
                                                  .demand = ten,
                                                  .required = ten,
                                                  .n_options = 2,
                                                  .options = egress_options,
                                                  .n_traffic = 2,
                                                  .traffic = egress_traffic},
                                                 {.id = "db",
                                                  .demand = egress_db_demand,
                                                  .required = egress_db_demand,
                                                  .n_options = 1,
                                                  .options = egress_db_options}};
static uint8_t no[] = {0, 0, 0, 0}, only_first[] = {1, 0, 0};
static struct iso_window egress_windows[] = {{yes, D(0.2), 0, 0}};
static struct iso_budget egress_budgets[] = {{.id = "sent by p/r",
                                              .basis = ISO_BASIS_LIST,
                                              .offerings = no,
                                              .cells = yes,
                                              .products = no,
                                              .places = only_first,
                                              .n_windows = 1,
                                              .windows = egress_windows}};

static void egress(struct iso_problem *problem, struct iso_plan *plan)
{
    const struct iso_use uses[] = {{0, 1, 0, 1}, {1, 2, 0, 1}};
    const struct iso_flow flows[] = {{0, 0, 1, 0, D(6)}, {0, 0, 3, 0, D(4)}, {0, 1, 1, 0, D(10)}};
    const struct iso_dual duals[] = {{ISO_ROW_DEMAND, 1, 0, -1, -1, 0.125},
                                     {ISO_ROW_FLOW, 0, 0, 0, 0, 0.145},
                                     {ISO_ROW_FLOW, 0, 0, 0, 1, 0.19},
                                     {ISO_ROW_ARRIVAL, 0, 0, 0, 0, 0.195},
                                     {ISO_ROW_ARRIVAL, 0, 0, 0, 1, 0.12}};
    struct iso_tier tiers[] = {proved(ISO_TIER_MONEY, 2.13, 0, 5)};

    tiers[0].bound = tiers[0].checked_bound = 2.13 - 7.895e-9;
    problem->n_sites = COUNT(sites);
    problem->site_names = sites;
    problem->n_offerings = COUNT(egress_offerings);
    problem->offerings = egress_offerings;
    problem->n_workloads = COUNT(egress_workloads);
    problem->workloads = egress_workloads;
    problem->n_budgets = COUNT(egress_budgets);
    problem->budgets = egress_budgets;
    SET(plan, uses, uses);
    SET(plan, flows, flows);
    SET(plan, duals, duals);
    SET(plan, tiers, tiers);
}

static const struct {
    const char *name;
    void (*build)(struct iso_problem *problem, struct iso_plan *plan);
} builders[PLAN_CASES] = {{"seed", seed},         {"commitments", commitments},
                          {"rules", rules},       {"policies", policies},
                          {"pool", pool},         {"moves", moves},
                          {"function", function}, {"ray", ray},
                          {"volume", volume},     {"runs", runs},
                          {"egress", egress}};

void plan_case_init(struct plan_case *c, enum plan_case_kind kind)
{
    struct iso_error error = {0};
    bool ok;

    *c = (struct plan_case){.name = builders[kind].name, .problem = base(), .plan = iso_plan_new()};
    ISO_ASSERT(c->plan);
    c->plan->reason = ISO_REASON_OPTIMAL;
    c->plan->has_solution = true;
    builders[kind].build(&c->problem, c->plan);
    ok = iso_problem_check(&c->problem, &error) == ISO_OK;
    if (ok && c->plan->has_solution)
        ok = iso_plan_account(&c->problem, c->plan, &error) == ISO_OK;
    if (!ok)
        fprintf(stderr, "%s: %s: %s\n", c->name, error.field, error.text);
    ISO_ASSERT(ok);
}

void plan_case_fini(struct plan_case *c)
{
    iso_plan_free(c->plan);
}

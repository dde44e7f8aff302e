/* Each rule and field of a model that has no test file of its own, on a model whose answer a pencil
 * finds. Unless said otherwise an hour is planned, `web` asks 10, an instance serves 1; `m` costs 1
 * an hour in aws/us and `d` 2 in azure/eu, so that 10 cost 10 where nothing is in the way. Each of
 * them has 4 vCPU and 16 GiB. */
#include "../support/solved_fixture.h"

#define OFFER(place, type, price, more)                                    \
    "    - {" place ", type: " type ", purchase: on-demand, price: " price \
    ", resources: {vcpu: 4, "                                              \
    "memory_gib: 16}" more "}\n"
#define CHEAP(more) OFFER("provider: aws, region: us, zone: us-a", "m", "1 USD", more)
#define DEAR OFFER("provider: azure, region: eu, zone: eu-a", "d", "2 USD", "")
#define BOTH "catalog:\n  offerings:\n" CHEAP("") DEAR
#define HOUR "periods: [{id: hour, hours: 1, start: '2026-01-01T00:00:00Z'}]\noptions: {gap: 0}\n"
#define DAY "periods: [{id: day, hours: 24, start: '2026-01-01T00:00:00Z'}]\noptions: {gap: 0}\n"
#define TWO_DAYS                                                                               \
    "periods:\n  - {id: a, hours: 24, start: '2026-01-01T00:00:00Z'}\n  - {id: b, hours: 24, " \
    "start: '2026-01-02T00:00:00Z'}\noptions: {gap: 0}\n"
#define RATE(rate, per) "throughput: {rate: " rate ", performance: [{" per "}]}"
#define WEB(more) \
    "workloads: [{id: web, must_serve: true, " RATE("10", "per_instance: 1") more "}]\n"
#define MAY(service, more) \
    "workloads: [{id: web, " service ", " RATE("10", "per_instance: 1") more "}]\n"
#define COPIES(count, need, more) "replicas: {count: " count ", resources: {" need "}" more "}"
#define SAVER(more)                                                                                \
    "  products: [{id: saver, provider: aws, kind: unit, eligible: {}, term_hours: 48, " more "}]" \
    "\n"
#define SAVES SAVER("hourly_fee: 0.6 USD")
#define AWS "scope: {include: [{provider: aws}]}"

static const struct {
    const char *rule, *yaml;
    double cost, penalties;
} cases[] = {
    /* --- what may be bought and what it serves --- */
    {"nothing in the way", BOTH HOUR WEB(""), 10, 0},
    /* 4 vCPU at 2.5 serve 10: 25 need 3. */
    {"performance per vCPU",
     BOTH HOUR "workloads: [{id: web, must_serve: true, " RATE("25", "per_vcpu: 2.5") "}]\n", 3, 0},
    /* Available half of the time: 5 of 10. 25 need 5 of m, or 3 of d for 6. */
    {"availability",
     "catalog:\n  offerings:\n" CHEAP(", availability: 0.5") DEAR HOUR
     "workloads: [{id: web, must_serve: true, " RATE("25", "per_vcpu: 2.5") "}]\n",
     5, 0},
    /* 10 * 1.2. */
    {"headroom", BOTH HOUR WEB(", headroom: 0.2"), 12, 0},
    {"allowed", BOTH HOUR WEB(", allowed: {include: [{provider: azure}]}"), 20, 0},
    {"forbidden", BOTH HOUR WEB(", forbidden: {include: [{type: [m]}]}"), 20, 0},
    /* 730 a month are 1 an hour. */
    {"price of a month",
     "catalog:\n  offerings:\n" OFFER("provider: aws", "m", "1095 USD", ", price_unit: month")
         HOUR WEB(""),
     15, 0},
    /* m costs 3 in the second period, which stands for 2 hours: 10 + 10 * 2 * 2. */
    {"price of a period",
     "catalog:\n  offerings:\n" CHEAP(", period_prices: [{periods: [b], price: 3 USD}]") DEAR
     "periods: [{id: a, hours: 1}, {id: b, hours: 2}]\noptions: {gap: 0}\n" WEB(""),
     50, 0},
    {"overlay",
     BOTH "  overlays: [{offerings: {include: [{provider: aws}]}, price_factor: 3}]\n" HOUR WEB(""),
     20, 0},
    {"status", "catalog:\n  offerings:\n" CHEAP(", status: sold-out") DEAR HOUR WEB(""), 20, 0},
    /* 12 CNY at 0.1 are 1.2. */
    {"currency",
     "catalog:\n  offerings:\n" OFFER("provider: huawei", "h", "12 CNY", "") DEAR HOUR
     "currency: {rates: [{pair: CNY/USD, rate: 0.1}]}\n" WEB(""),
     12, 0},

    /* --- packing --- */
    /* 1.5 of 4 vCPU: 2 copies on an instance, 5 need 3. */
    {"replicas",
     BOTH HOUR "workloads: [{id: web, must_serve: true, " COPIES("5", "vcpu: 1.5", "") "}]\n", 3,
     0},
    {"most copies on one instance",
     BOTH HOUR "workloads: [{id: web, must_serve: true, " COPIES(
         "5", "vcpu: 1.5", ", maximum_per_instance: 1") "}]\n",
     5, 0},
    /* 4 - 1.5 vCPU leave room for one. */
    {"overhead of a team",
     BOTH HOUR "teams: [{id: core, overhead: {vcpu: 1.5}}]\nworkloads: [{id: web, team: core, "
               "must_serve: true, " COPIES("5", "vcpu: 1.5", "") "}]\n",
     5, 0},
    /* 1.5 + 2.5 vCPU and 6 + 10 GiB: both fit on one. In teams of their own they need two. */
    {"workloads of a team share instances",
     BOTH HOUR "workloads:\n  - {id: a, must_serve: true, " COPIES(
         "1", "vcpu: 1.5, memory_gib: 6",
         "") "}\n"
             "  - {id: b, must_serve: true, " COPIES("1", "vcpu: 2.5, memory_gib: 10", "") "}\n",
     1, 0},
    {"teams do not",
     BOTH HOUR "teams: [{id: other}]\nworkloads:\n  - {id: a, must_serve: true, " COPIES(
         "1", "vcpu: 1.5, memory_gib: 6", "") "}\n"
                                              "  - {id: b, team: other, must_serve: true, " COPIES(
                                                  "1", "vcpu: 2.5, memory_gib: 10", "") "}\n",
     2, 0},

    /* --- limits, quotas, policies: of 10, four in aws and six in azure are 4 + 12 --- */
    {"limit", BOTH HOUR "limits: [{id: l, maximum: 4, " AWS "}]\n" WEB(""), 16, 0},
    {"limit of vCPU", BOTH HOUR "limits: [{id: l, metric: vcpu, maximum: 19, " AWS "}]\n" WEB(""),
     16, 0},
    {"limit of memory",
     BOTH HOUR "limits: [{id: l, metric: memory-gib, maximum: 64, " AWS "}]\n" WEB(""), 16, 0},
    /* Three in azure: 7 + 6. */
    {"floor",
     BOTH HOUR "limits: [{id: l, minimum: 3, scope: {include: [{provider: azure}]}}]\n" WEB(""), 13,
     0},
    {"limit of a period",
     BOTH "periods: [{id: a, hours: 1}, {id: b, hours: 1}]\noptions: {gap: 0}\n"
          "limits: [{id: l, maximum: 4, periods: [b], " AWS "}]\n" WEB(""),
     26, 0},
    {"limit that is off",
     BOTH HOUR "limits: [{id: l, maximum: 4, disabled: true, " AWS "}]\n" WEB(""), 10, 0},
    /* 6 of the 10 are used by others. */
    {"quota",
     BOTH "  quotas: [{provider: aws, region: us, code: q, limit: 10, used: 6}]\n" HOUR WEB(""), 16,
     0},
    /* m has no quota. */
    {"unknown quota",
     BOTH
     "  quotas: [{provider: azure, region: eu, code: q, limit: 10}]\nperiods: [{id: hour, hours: "
     "1}]\noptions: {gap: 0, unknown_quota: refuse}\n" WEB(""),
     20, 0},
    /* Beyond 4 a unit saves 1 and costs 0.25. */
    {"soft",
     BOTH HOUR "limits: [{id: l, maximum: 4, " AWS
               ", policy: {kind: soft, price: 0.25 USD}}]\n" WEB(""),
     10, 1.5},
    {"prefer", BOTH HOUR "limits: [{id: l, maximum: 4, " AWS ", policy: {kind: prefer}}]\n" WEB(""),
     16, 0},
    /* Azure takes 4, so 6 run in aws: 2 above the limit, and 7 run there today. */
    {"default",
     BOTH HOUR "limits:\n  - {id: l, maximum: 4, " AWS ", policy: {kind: default}}\n"
               "  - {id: k, maximum: 4, scope: {include: [{provider: azure}]}}\n"
               "current: {instances: [{offering: aws/us/us-a/m/linux/on-demand, workload: web, "
               "count: 7}]}\n" WEB(""),
     14, 0},

    /* --- what serving is worth --- */
    /* An instance costs 1, a unit unserved 0.5. */
    {"penalty", BOTH HOUR MAY("penalty: 0.5 USD", ""), 0, 5},

    /* --- budgets; a unit unserved costs 3 an hour --- */
    {"budget",
     BOTH HOUR "budgets: [{id: b, windows: [{amount: 5 USD}]}]\n" MAY("penalty: 3 USD", ""), 5, 15},
    {"spent already",
     BOTH HOUR "budgets: [{id: b, spent_already: 2 USD, windows: [{amount: 5 USD}]}]\n" MAY(
         "penalty: 3 USD", ""),
     3, 21},
    {"budget of a provider",
     BOTH HOUR "budgets: [{id: b, provider: aws, windows: [{amount: 4 USD}]}]\n" WEB(""), 16, 0},
    {"budget of offerings",
     BOTH HOUR
     "budgets: [{id: b, offerings: {include: [{type: [m]}]}, windows: [{amount: 4 USD}]}]\n" WEB(
         ""),
     16, 0},
    /* 50 CNY are 5 USD. */
    {"budget in another currency",
     BOTH HOUR "currency: {rates: [{pair: CNY/USD, rate: 0.1}]}\n"
               "budgets: [{id: b, windows: [{amount: 50 CNY}]}]\n" MAY("penalty: 3 USD", ""),
     5, 15},
    /* Ten savers cost 10 * 0.6 * 24 = 144, the budget. By list price it pays for 6 instances of 24
     * each, of which the savers make 6 * 14.4; 4 * 3 * 24 are lost. */
    {"amortised budget",
     "catalog:\n  offerings:\n" CHEAP("") SAVES DAY
     "budgets: [{id: b, windows: [{amount: 144 USD}]}]\n" MAY("penalty: 3 USD", ""),
     144, 0},
    {"budget by list prices",
     "catalog:\n  offerings:\n" CHEAP("") SAVES DAY
     "budgets: [{id: b, basis: list, windows: [{amount: 144 USD}]}]\n" MAY("penalty: 3 USD", ""),
     86.4, 288},
    /* 12 for two days, of which one is planned: 6 each. In cash 8 of 12 are within 100; 2 * 3 * 24
     * are lost. */
    {"budget in cash",
     "catalog:\n  offerings:\n" CHEAP("") SAVER("upfront: 12 USD") DAY
     "budgets: [{id: b, basis: cash, windows: [{amount: 100 USD}]}]\n" MAY("penalty: 3 USD", ""),
     48, 144},

    /* --- commitments, over a day --- */
    {"commitment", "catalog:\n  offerings:\n" CHEAP("") SAVES DAY WEB(""), 144, 0},
    /* Four are held, whose fee of 57.6 runs, and none can be bought: 6 * 24. */
    {"existing commitment",
     "catalog:\n  offerings:\n" CHEAP("") SAVER(
         "hourly_fee: 0.6 USD, existing: [{quantity: 4}], purchasable_maximum: 0") DAY WEB(""),
     201.6, 0},
    /* A fee runs whether it is used or not: 10 are held for 6. */
    {"existing commitment that is not used",
     "catalog:\n  offerings:\n" CHEAP("")
         SAVER("hourly_fee: 0.6 USD, existing: [{quantity: 10}], purchasable_maximum: 0") DAY
     "workloads: [{id: web, must_serve: true, " RATE("6", "per_instance: 1") "}]\n",
     144, 0},
    {"scope of a commitment",
     "catalog:\n  offerings:\n" CHEAP("") SAVER("hourly_fee: 0.6 USD, scope: {teams: [other]}") DAY
     "teams: [{id: other}]\n" WEB(""),
     240, 0},
    /* A lot of 1 an hour covers two instances at half their price: 5 lots. */
    {"savings plan",
     "catalog:\n  offerings:\n" CHEAP(
         "") "  products: [{id: plan, provider: aws, kind: spend, "
             "eligible: {}, term_hours: 48, hourly_fee: 1 "
             "USD, rates: [{offerings: {}, price_ratio: 0.5}]}]\n" DAY WEB(""),
     120, 0},
    /* 12 hours: nothing is bought, unless they repeat. */
    {"half a day",
     "catalog:\n  offerings:\n" CHEAP("") SAVES
     "periods: [{id: h, hours: 12}]\noptions: {gap: 0}\n" WEB(""),
     120, 0},
    {"half a day that repeats",
     "catalog:\n  offerings:\n" CHEAP("") SAVES
     "periods: [{id: h, hours: 12}]\noptions: {gap: 0, horizon_repeats: true}\n" WEB(""),
     72, 0},

    /* Held on the first of two days: 144, then 240. Bought on the second: 240, then 144. */
    {"commitment that expires",
     "catalog:\n  offerings:\n" CHEAP("") SAVER(
         "hourly_fee: 0.6 USD, existing: [{quantity: 10, expires_at: '2026-01-02T00:00:00Z'}], "
         "purchasable_maximum: 0") TWO_DAYS WEB(""),
     384, 0},
    {"start of a commitment",
     "catalog:\n  offerings:\n" CHEAP("") SAVER("hourly_fee: 0.6 USD, start_periods: [b]")
         TWO_DAYS WEB(""),
     384, 0},
    {"account of a commitment",
     "catalog:\n  offerings:\n" CHEAP("") SAVER("hourly_fee: 0.6 USD, scope: {accounts: [one]}") DAY
     "workloads:\n  - {id: a, account: one, must_serve: true, " RATE(
         "4",
         "per_instance: 1") "}\n  - {id: b, account: two, must_serve: true, " RATE("6",
                                                                                   "per_instance: "
                                                                                   "1") "}\n",
     201.6, 0}, /* 4 * 14.4 + 6 * 24 */

    /* --- where it runs --- */
    {"most of a share",
     BOTH HOUR WEB(", shares: [{id: s, maximum: 0.4, offerings: {include: [{provider: aws}]}}]"),
     16, 0},
    {"least of a share",
     BOTH HOUR WEB(", shares: [{id: s, minimum: 0.3, offerings: {include: [{provider: azure}]}}]"),
     13, 0},
    /* Spot at 0.4 for half of it. */
    {"share of spot",
     "catalog:\n  offerings:\n" CHEAP(
         "") "    - {provider: aws, type: s, purchase: spot, price: 0.4 USD}\n" HOUR
         WEB(", shares: [{id: s, maximum: 0.5, offerings: {include: [{purchase: [spot]}]}}]"),
     7, 0},
    /* 5 outside of us, and 5 outside of eu. */
    {"survive", BOTH HOUR WEB(", survive: [{id: s, level: region, share: 0.5}]"), 15, 0},
    /* Spot does not count when a region fails: 5 of m, 5 of d; nothing else is needed. */
    {"survive without spot",
     BOTH "    - {provider: aws, region: us, type: s, purchase: spot, price: 0.4 USD}\n" HOUR WEB(
         ", survive: [{id: s, level: region, share: 0.5}]"),
     15, 0},
    {"spread",
     BOTH HOUR WEB(", spread: [{id: s, level: provider, minimum_domains: 2, minimum_share: 0.3}]"),
     13, 0},

    /* --- change; 10 of d run today --- */
    /* A move saves 1 and costs 0.3 + 0.3 + 0.5, then 0.3 + 0.3 + 0.3. */
    {"a move that does not pay",
     BOTH HOUR "current: {instances: [{offering: azure/eu/eu-a/d/linux/on-demand, workload: web, "
               "count: 10}], "
               "start_cost: 0.3 USD, stop_cost: 0.3 USD, move_cost: 0.5 USD}\n" WEB(""),
     20, 0},
    {"a move that pays",
     BOTH HOUR "current: {instances: [{offering: azure/eu/eu-a/d/linux/on-demand, workload: web, "
               "count: 10}], "
               "start_cost: 0.3 USD, stop_cost: 0.3 USD, move_cost: 0.3 USD}\n" WEB(""),
     19, 0},
    /* Four may move: 4 + 12. */
    {"most moves",
     BOTH HOUR "current: {instances: [{offering: azure/eu/eu-a/d/linux/on-demand, workload: web, "
               "count: 10}], "
               "maximum_moves: 4}\n" WEB(""),
     16, 0},

    /* --- time --- */
    {"load levels",
     BOTH "load_levels: {hours: 4}\noptions: {gap: 0}\nworkloads: [{id: web, must_serve: "
          "true, " RATE("[1, 2, 1, 2]", "per_instance: 1") "}]\n",
     6, 0},
};

static void each_rule_costs_what_a_pencil_says(void **state)
{
    int n_wrong = 0;
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        struct fixture f;
        ISO_AUTO(iso_plan) plan = solved_plan(&f, cases[i].yaml);
        double cost = iso_decimal_to_double(plan->cost);
        double penalties = iso_decimal_to_double(plan->penalties);
        if (plan->reason != ISO_REASON_OPTIMAL || fabs(cost - cases[i].cost) > 1e-9 ||
            fabs(penalties - cases[i].penalties) > 1e-9) {
            print_error("%s: %.9g and %.9g of penalties, not %.9g and %.9g\n", cases[i].rule, cost,
                        penalties, cases[i].cost, cases[i].penalties);
            n_wrong++;
        }
        fixture_fini(&f);
    }
    assert_int_equal(n_wrong, 0);
}

/* Five run. a asks 4 and comes first; b has one of 4: 3/4 of it are not served. In one rank a unit
 * of either counts 1/4, of the one with weight 3 thrice as much: b has 4, a one. With a tolerance
 * of a half 0.75 may become 1.125: 3.5 served of 8 in all, so 4 are the fewest. */
static void priorities_and_weights_say_who_is_served(void **state)
{
    static const struct {
        const char *a, *b, *options;
        double stages[3];
        int32_t n;
    } served[] = {
        {"priority: 1", "priority: 2", "gap: 0", {0, 0.75, 5}, 3},
        {"priority: 1", "priority: 1, weight: 3", "gap: 0", {0.75, 5}, 2},
        {"priority: 1", "priority: 1", "gap: 0, tier_tolerance: 0.5", {1, 4}, 2},
    };
    (void)state;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(served); i++) {
        struct fixture f;
        char yaml[2048];
        snprintf(yaml, sizeof(yaml),
                 BOTH
                 "periods: [{id: hour, hours: 1}]\noptions: {%s}\n"
                 "limits: [{id: l, maximum: 5}]\nworkloads:\n"
                 "  - {id: a, %s, " RATE("4", "per_instance: 1") "}\n"
                                                                 "  - {id: b, %s, " RATE(
                                                                     "4", "per_instance: 1") "}\n",
                 served[i].options, served[i].a, served[i].b);
        ISO_AUTO(iso_plan) plan = solved_plan(&f, yaml);
        assert_int_equal(plan->n_tiers, served[i].n);
        for (int32_t k = 0; k < served[i].n; k++)
            if (fabs(plan->tiers[k].value - served[i].stages[k]) > 1e-9)
                fail_msg("case %zu, stage %d is %.9g, not %.9g", i, k, plan->tiers[k].value,
                         served[i].stages[k]);
        fixture_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_rule_costs_what_a_pencil_says),
                                       cmocka_unit_test(priorities_and_weights_say_who_is_served)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

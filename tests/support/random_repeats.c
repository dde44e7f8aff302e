#include "random_repeats.h"

#define ZONES 3
#define MOST_TYPES 2
#define MOST_WORKLOADS 4
#define MOST_PERIODS 2

static const char *const providers[] = {"p"};
static const char *const regions[] = {"p/r"};
static const char *const zones[] = {"p/r/a", "p/r/b", "p/r/c"};
static const int32_t zone_region[] = {0, 0, 0};

static bool chance(struct random_problem *r, int percent)
{
    return random_below(r, 100) < percent;
}

static iso_decimal milli(struct random_problem *r, int64_t low, int64_t high)
{
    return (low + random_below(r, high - low)) * (ISO_DECIMAL_ONE / 1000);
}

static iso_decimal whole(struct random_problem *r, int64_t low, int64_t high)
{
    return (low + random_below(r, high - low)) * ISO_DECIMAL_ONE;
}

static uint8_t *all_flags(struct random_problem *r, int64_t n)
{
    uint8_t *flags = random_block(r, n, 1);

    for (int64_t i = 0; i < n; i++)
        flags[i] = 1;
    return flags;
}

static void add_frame(struct random_problem *r)
{
    struct iso_problem *p = &r->problem;
    struct iso_period *periods = random_block(r, MOST_PERIODS, sizeof(*periods));
    struct iso_currency *currency = random_block(r, 1, sizeof(*currency));
    struct iso_team *teams = random_block(r, 2, sizeof(*teams));
    iso_decimal *rates = random_block(r, MOST_PERIODS, sizeof(*rates));

    p->n_providers = p->n_regions = p->n_currencies = 1;
    p->n_zones = ZONES;
    p->provider_names = providers;
    p->region_names = regions;
    p->zone_names = zones;
    p->zone_region = zone_region;
    p->n_periods = 1 + (int32_t)random_below(r, MOST_PERIODS);
    p->n_teams = 2;
    for (int32_t t = 0; t < p->n_periods; t++) {
        periods[t] = (struct iso_period){.id = "t", .hours = whole(r, 1, 20)};
        rates[t] = ISO_DECIMAL_ONE;
    }
    *currency = (struct iso_currency){"USD", rates};
    teams[0] = teams[1] = (struct iso_team){.id = "g"};
    p->periods = periods;
    p->currencies = currency;
    p->teams = teams;
    p->moves.maximum = -1;
}

/* Each type in each zone; one zone may be a little dearer. */
static void add_offerings(struct random_problem *r, int32_t n_types)
{
    struct iso_problem *p = &r->problem;
    struct iso_offering *offerings = random_block(r, n_types * ZONES, sizeof(*offerings));
    int32_t dearer = chance(r, 25) ? (int32_t)random_below(r, ZONES) : -1;

    p->n_offerings = n_types * ZONES;
    for (int32_t k = 0; k < n_types; k++) {
        struct iso_offering type = {.id = "o", .price = milli(r, 100, 900)};
        for (int i = 0; i < ISO_N_RESOURCES; i++)
            type.capacity[i] = ISO_UNKNOWN;
        type.capacity[0] = whole(r, 2, 9);
        type.capacity[1] = whole(r, 4, 17);
        for (int32_t zone = 0; zone < ZONES; zone++) {
            struct iso_offering *offering = &offerings[zone * n_types + k];
            *offering = type;
            offering->zone = zone;
            offering->price += zone == dearer ? ISO_DECIMAL_ONE / 100 : 0;
        }
    }
    p->offerings = offerings;
}

static void add_options(struct random_problem *r, struct iso_workload *workload, int32_t n_types,
                        const iso_decimal *served)
{
    const struct iso_problem *p = &r->problem;
    struct iso_option *options = random_block(r, p->n_offerings, sizeof(*options));

    for (int32_t o = 0; o < p->n_offerings; o++) {
        struct iso_option option = {o, workload->replicas ? ISO_DECIMAL_ONE : served[o % n_types],
                                    0};
        for (int k = 0; k < 2 && workload->replicas; k++) {
            int32_t fits = (int32_t)(p->offerings[o].capacity[k] / workload->need[k]);
            option.most = k == 0 || fits < option.most ? fits : option.most;
        }
        if (!workload->replicas || option.most > 0)
            options[workload->n_options++] = option;
    }
    workload->options = options;
}

/* Rules that say nothing, and sometimes one that tells zones apart. */
static void add_rules(struct random_problem *r, struct iso_workload *workload)
{
    struct iso_share *shares = random_block(r, 2, sizeof(*shares));
    struct iso_survive *survive = random_block(r, 2, sizeof(*survive));

    if (workload->replicas && chance(r, 70))
        return;
    for (int i = 0; i < 2; i++) {
        shares[i] = (struct iso_share){.id = "share",
                                       .member = all_flags(r, workload->n_options),
                                       .has_maximum = true,
                                       .maximum = ISO_DECIMAL_ONE};
        survive[i] = (struct iso_survive){"survive", ISO_LEVEL_ZONE, milli(r, 100, 600)};
    }
    shares[1].maximum = chance(r, 50) ? milli(r, 500, 900) : ISO_DECIMAL_ONE;
    ((uint8_t *)shares[1].member)[0] = 0;
    workload->n_shares = (int32_t)random_below(r, 3);
    workload->n_survive = chance(r, 30) ? 2 : 0;
    workload->shares = shares;
    workload->survive = survive;
}

static void add_workload(struct random_problem *r, struct iso_workload *workload, int32_t n_types,
                         const iso_decimal (*need)[2])
{
    const struct iso_problem *p = &r->problem;
    iso_decimal *demand = random_block(r, MOST_PERIODS, sizeof(*demand)), served[MOST_TYPES];
    iso_decimal unit = whole(r, 1, 4);

    *workload = (struct iso_workload){.id = "w",
                                      .team = (int32_t)random_below(r, 2),
                                      .service = ISO_SERVICE_MUST,
                                      .replicas = chance(r, 60),
                                      .demand = demand,
                                      .required = demand};
    for (int32_t t = 0; t < p->n_periods; t++)
        demand[t] = workload->replicas ? whole(r, 0, 5) : milli(r, 0, 12000);
    if (chance(r, 15)) {
        workload->service = ISO_SERVICE_PENALTY;
        workload->penalty = milli(r, 50, 900);
    }
    const iso_decimal *needed = need[random_below(r, 2)];
    for (int k = 0; k < 2 && workload->replicas; k++)
        workload->need[k] = needed[k];
    for (int32_t k = 0; k < n_types; k++)
        served[k] = unit * (1 + random_below(r, 5));
    add_options(r, workload, n_types, served);
    add_rules(r, workload);
}

static void add_workloads(struct random_problem *r, int32_t n_types)
{
    struct iso_problem *p = &r->problem;
    const iso_decimal need[2][2] = {{whole(r, 1, 3), whole(r, 1, 4)},
                                    {whole(r, 1, 3), whole(r, 1, 4)}};

    p->n_workloads = 1 + (int32_t)random_below(r, MOST_WORKLOADS - 1);
    r->workloads = random_block(r, MOST_WORKLOADS, sizeof(*r->workloads));
    for (int32_t a = 0; a < p->n_workloads; a++)
        add_workload(r, &r->workloads[a], n_types, need);
    for (int i = 0; i < 2 && p->n_workloads < MOST_WORKLOADS && chance(r, 60); i++) {
        r->workloads[p->n_workloads] = r->workloads[random_below(r, p->n_workloads)];
        p->n_workloads++;
    }
    p->workloads = r->workloads;
}

static void add_limit(struct random_problem *r, struct iso_limit *limit, int32_t first, int32_t end,
                      iso_decimal weight, iso_decimal bound)
{
    struct iso_limit_term *terms = random_block(r, end - first, sizeof(*terms));

    *limit = (struct iso_limit){.id = "limit",
                                .policy = ISO_POLICY_HARD,
                                .bound = bound,
                                .periods = all_flags(r, r->problem.n_periods),
                                .n_terms = end - first,
                                .terms = terms};
    for (int32_t o = first; o < end; o++)
        terms[o - first] = (struct iso_limit_term){o, weight};
}

/* A cap for each zone, then one over all of them that sometimes says more and sometimes less. */
static void add_limits(struct random_problem *r, int32_t n_types)
{
    struct iso_problem *p = &r->problem;
    struct iso_limit *limits = random_block(r, ZONES + 2, sizeof(*limits));
    iso_decimal weight = whole(r, 1, 3);

    if (chance(r, 30))
        return;
    for (int32_t zone = 0; zone < ZONES; zone++)
        add_limit(r, &limits[p->n_limits++], zone * n_types, (zone + 1) * n_types, weight,
                  weight * (2 + random_below(r, 6)));
    for (int i = 0; i < 2 && chance(r, 60); i++)
        add_limit(r, &limits[p->n_limits++], 0, p->n_offerings, whole(r, 1, 3), whole(r, 5, 40));
    p->limits = limits;
}

static void add_product(struct random_problem *r, int32_t n_types)
{
    struct iso_problem *p = &r->problem;
    struct iso_product *product = random_block(r, 1, sizeof(*product));
    struct iso_start *start = random_block(r, 1, sizeof(*start));
    struct iso_eligible *eligible = random_block(r, ZONES, sizeof(*eligible));

    if (chance(r, 60))
        return;
    *start = (struct iso_start){0, all_flags(r, p->n_periods), p->periods[0].hours};
    *product = (struct iso_product){.id = "c",
                                    .lot = ISO_DECIMAL_ONE,
                                    .term_hours = whole(r, 100, 200),
                                    .fee = milli(r, 50, 400),
                                    .most = 3,
                                    .existing = random_block(r, MOST_PERIODS, sizeof(iso_decimal)),
                                    .n_starts = 1,
                                    .starts = start,
                                    .n_eligible = ZONES,
                                    .eligible = eligible,
                                    .cells = all_flags(r, iso_problem_n_cells(p))};
    for (int32_t zone = 0; zone < ZONES; zone++)
        eligible[zone] = (struct iso_eligible){zone * n_types, ISO_DECIMAL_ONE};
    p->products = product;
    p->n_products = 1;
}

struct random_problem *random_repeats_new(uint64_t seed)
{
    struct random_problem *r = iso_calloc(1, sizeof(*r));

    ISO_ASSERT(r);
    r->state = seed * 0x9e3779b97f4a7c15u + 1;
    int32_t n_types = 1 + (int32_t)random_below(r, MOST_TYPES);
    add_frame(r);
    add_offerings(r, n_types);
    add_workloads(r, n_types);
    add_limits(r, n_types);
    add_product(r, n_types);
    r->problem.options = (struct iso_options){.time_limit_s = 1};
    return r;
}

#include "random_problem.h"

#define MILLI ((iso_decimal)1000000)

static const char *const providers[] = {"p", "q"};
static const char *const regions[] = {"p/r", "p/s", "q/t"};
static const char *const zones[] = {"p/r/a", "p/r/b", "p/s/a", "q/t/a", "q/t/b"};
static const char *const sites[] = {"internet/a", "internet/b"};
static const int32_t zone_region[] = {0, 0, 1, 2, 2};

int64_t random_below(struct random_problem *r, int64_t n)
{
    r->state ^= r->state << 13; /* xorshift64: G. Marsaglia, J. Stat. Softw. 8(14), 2003 */
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return (int64_t)(r->state >> 11) % n;
}

static bool chance(struct random_problem *r, int percent)
{
    return random_below(r, 100) < percent;
}

void *random_block(struct random_problem *r, int64_t n, size_t size)
{
    void *memory = iso_calloc((size_t)n, size);

    ISO_ASSERT(memory && r->n_blocks < (int)ISO_ARRAY_LENGTH(r->blocks));
    r->blocks[r->n_blocks++] = memory;
    return memory;
}

#define NEW(r, n, type) ((type *)random_block(r, n, sizeof(type)))

/* A multiple of 0.001 in [low, high) thousandths. */
static iso_decimal milli(struct random_problem *r, int64_t low, int64_t high)
{
    return (low + random_below(r, high - low)) * MILLI;
}

static uint8_t *flags(struct random_problem *r, int64_t n, int percent)
{
    uint8_t *some = NEW(r, n, uint8_t);

    for (int64_t i = 0; i < n; i++)
        some[i] = chance(r, percent);
    return some;
}

static void add_frame(struct random_problem *r)
{
    struct iso_problem *p = &r->problem;
    struct iso_period *periods = NEW(r, 3, struct iso_period);
    struct iso_currency *currencies = NEW(r, 2, struct iso_currency);
    struct iso_team *teams = NEW(r, 2, struct iso_team);

    p->n_providers = ISO_ARRAY_LENGTH(providers);
    p->n_regions = ISO_ARRAY_LENGTH(regions);
    p->n_zones = ISO_ARRAY_LENGTH(zones);
    p->n_sites = ISO_ARRAY_LENGTH(sites);
    p->site_names = sites;
    p->provider_names = providers;
    p->region_names = regions;
    p->zone_names = zones;
    p->zone_region = zone_region;
    p->n_periods = 1 + (int32_t)random_below(r, 3);
    p->n_currencies = 2;
    p->n_teams = 2;
    for (int32_t t = 0; t < p->n_periods; t++)
        periods[t] = (struct iso_period){.id = "t", .hours = milli(r, 500, 20000)};
    for (int32_t k = 0; k < 2; k++) {
        iso_decimal *rates = NEW(r, 3, iso_decimal);
        for (int32_t t = 0; t < p->n_periods; t++)
            rates[t] = k == 0 ? ISO_DECIMAL_ONE : milli(r, 700, 1300) + random_below(r, 1000);
        currencies[k] = (struct iso_currency){k ? "USD" : "EUR", rates};
    }
    for (int32_t g = 0; g < 2; g++)
        teams[g] = (struct iso_team){"g", {milli(r, 0, 500), milli(r, 0, 1000)}};
    p->periods = periods;
    p->currencies = currencies;
    p->teams = teams;
}

static void add_offerings(struct random_problem *r)
{
    struct iso_problem *p = &r->problem;
    struct iso_offering *offerings;

    p->n_offerings = 3 + (int32_t)random_below(r, 6);
    offerings = NEW(r, p->n_offerings, struct iso_offering);
    for (int32_t o = 0; o < p->n_offerings; o++) {
        int32_t zone = (int32_t)random_below(r, p->n_zones);
        offerings[o] = (struct iso_offering){.id = "o",
                                             .provider = zone_region[zone] == 2,
                                             .region = zone_region[zone],
                                             .zone = chance(r, 25) ? ISO_ANY_ZONE : zone,
                                             .currency = (int32_t)random_below(r, 2),
                                             .spot = chance(r, 20),
                                             .price = milli(r, 50, 3000)};
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            offerings[o].capacity[k] = ISO_UNKNOWN;
        offerings[o].capacity[0] = milli(r, 1500, 9000);
        offerings[o].capacity[1] = milli(r, 4000, 33000);
    }
    p->offerings = offerings;
    struct iso_price_exception *exception = NEW(r, 1, struct iso_price_exception);
    *exception =
        (struct iso_price_exception){(int32_t)random_below(r, p->n_offerings),
                                     (int32_t)random_below(r, p->n_periods), milli(r, 50, 3000)};
    p->price_exceptions = exception;
    p->n_price_exceptions = 1;
}

/* How many replicas fit by themselves. */
static int32_t most_of(const struct iso_problem *p, const struct iso_workload *workload, int32_t o)
{
    int64_t most = workload->maximum_per_instance ? workload->maximum_per_instance : 1000;

    for (int k = 0; k < 2; k++) {
        iso_decimal room = p->offerings[o].capacity[k] - p->teams[workload->team].overhead[k];
        int64_t fits = room < 0 ? 0 : room / workload->need[k];
        most = fits < most ? fits : most;
    }
    return (int32_t)most;
}

static void add_options(struct random_problem *r, struct iso_workload *workload)
{
    struct iso_problem *p = &r->problem;
    struct iso_option *options = NEW(r, p->n_offerings, struct iso_option);

    for (int32_t o = 0; o < p->n_offerings; o++) {
        struct iso_option option = {o, milli(r, 500, 4000), 0};
        if (workload->replicas) {
            option.served = ISO_DECIMAL_ONE;
            option.most = most_of(p, workload, o);
        }
        if (chance(r, 80) && (!workload->replicas || option.most > 0))
            options[workload->n_options++] = option;
    }
    workload->options = options;
}

static void add_places(struct random_problem *r, struct iso_workload *workload)
{
    struct iso_share *shares = NEW(r, 1, struct iso_share);
    struct iso_survive *survive = NEW(r, 1, struct iso_survive);
    struct iso_spread *spread = NEW(r, 1, struct iso_spread);

    *shares = (struct iso_share){.id = "share",
                                 .member = flags(r, workload->n_options, 50),
                                 .has_minimum = chance(r, 50),
                                 .has_maximum = chance(r, 50),
                                 .minimum = milli(r, 100, 400),
                                 .maximum = milli(r, 500, 900)};
    *survive =
        (struct iso_survive){"survive", (enum iso_level)random_below(r, 3), milli(r, 100, 700)};
    *spread =
        (struct iso_spread){"spread", (enum iso_level)random_below(r, 3), 2, milli(r, 50, 500)};
    workload->n_shares = chance(r, 25);
    workload->n_survive = chance(r, 20);
    workload->n_spread = chance(r, 20);
    workload->shares = shares;
    workload->survive = survive;
    workload->spread = spread;
}

static void add_workloads(struct random_problem *r)
{
    struct iso_problem *p = &r->problem;
    struct iso_workload *workloads;

    p->n_workloads = 1 + (int32_t)random_below(r, 3);
    workloads = NEW(r, p->n_workloads, struct iso_workload);
    for (int32_t a = 0; a < p->n_workloads; a++) {
        struct iso_workload *workload = &workloads[a];
        iso_decimal *demand = NEW(r, 3, iso_decimal), *required = NEW(r, 3, iso_decimal);
        *workload = (struct iso_workload){.id = "w",
                                          .team = (int32_t)random_below(r, 2),
                                          .service = (enum iso_service)random_below(r, 3),
                                          .priority = 1 + (int32_t)random_below(r, 2),
                                          .weight = milli(r, 500, 2000),
                                          .penalty = milli(r, 500, 8000),
                                          .replicas = chance(r, 40),
                                          .demand = demand,
                                          .required = required,
                                          .need = {milli(r, 300, 2500), milli(r, 500, 9000)},
                                          .maximum_per_instance = (int32_t)random_below(r, 3)};
        for (int32_t t = 0; t < p->n_periods; t++) {
            demand[t] =
                workload->replicas ? random_below(r, 8) * ISO_DECIMAL_ONE : milli(r, 0, 12000);
            required[t] = demand[t];
            if (demand[t] > 0 && chance(r, 40))
                required[t] += workload->replicas ? ISO_DECIMAL_ONE : milli(r, 1, 2000);
        }
        add_options(r, workload);
        add_places(r, workload);
    }
    p->workloads = r->workloads = workloads;
}

static void add_affinities(struct random_problem *r)
{
    struct iso_problem *p = &r->problem;
    struct iso_affinity *affinity = NEW(r, 1, struct iso_affinity);

    if (p->n_workloads < 2 || !chance(r, 30))
        return;
    *affinity =
        (struct iso_affinity){"affinity", 1, (enum iso_level)random_below(r, 3), chance(r, 50)};
    r->workloads->affinities = affinity;
    r->workloads->n_affinities = 1;
}

static void add_ramp(struct random_problem *r)
{
    struct iso_problem *p = &r->problem;
    struct iso_ramp *ramp = NEW(r, 1, struct iso_ramp);

    if (!chance(r, 30))
        return;
    *ramp = (struct iso_ramp){"ramp", random_below(r, 4) - 1, random_below(r, 4) - 1};
    r->workloads[random_below(r, p->n_workloads)].ramp = ramp;
}

static void add_fairness(struct random_problem *r)
{
    for (int32_t rank = 1; rank <= 2; rank++) {
        bool fair = chance(r, 40);
        for (int32_t a = 0; a < r->problem.n_workloads; a++)
            if (r->workloads[a].service == ISO_SERVICE_PRIORITY && r->workloads[a].priority == rank)
                r->workloads[a].fair = fair;
    }
}

static void add_boxes(struct random_problem *r)
{
    struct iso_problem *p = &r->problem;

    for (int32_t a = 0; a < p->n_workloads; a++) {
        struct iso_workload *workload = &r->workloads[a];
        struct iso_box *box = NEW(r, 1, struct iso_box);
        iso_decimal *said = NEW(r, 3, iso_decimal);
        if (workload->replicas || !chance(r, 30))
            continue;
        for (int32_t t = 0; t < p->n_periods; t++)
            said[t] = workload->demand[t] / (1 + random_below(r, 3));
        *box = (struct iso_box){1 + (int32_t)random_below(r, 2), said, said};
        workload->box = box;
    }
}

/* Routes from all sources to all regions, some without an option. */
static void add_routes(struct random_problem *r, struct iso_traffic *traffic)
{
    struct iso_route *routes =
        NEW(r, traffic->n_sources * (int64_t)ISO_ARRAY_LENGTH(regions), struct iso_route);

    for (int32_t k = 0; k < traffic->n_sources; k++)
        for (int32_t region = 0; region < (int32_t)ISO_ARRAY_LENGTH(regions); region++) {
            struct iso_route *route = &routes[traffic->n_routes++];
            *route = (struct iso_route){
                .source = k,
                .region = region,
                .latency = milli(r, 0, 100000),
                .price = {milli(r, 0, 200), milli(r, 0, 200)},
                .currency = {(int32_t)random_below(r, 2), (int32_t)random_below(r, 2)}};
        }
    traffic->routes = routes;
}

static void add_traffic(struct random_problem *r)
{
    struct iso_problem *p = &r->problem;
    struct iso_workload *workload = &r->workloads[random_below(r, p->n_workloads)];
    struct iso_traffic *traffic = NEW(r, 2, struct iso_traffic);
    struct iso_source *sources = NEW(r, 2, struct iso_source);
    struct iso_source *homes = NEW(r, ISO_ARRAY_LENGTH(regions), struct iso_source);

    if (!chance(r, 40))
        return;
    sources[0] = (struct iso_source){(int32_t)random_below(r, 5), milli(r, 100, 900)};
    sources[1] =
        (struct iso_source){(sources[0].place + 1) % 5, ISO_DECIMAL_ONE - sources[0].share};
    for (int32_t m = 0; m < 2; m++)
        traffic[m] = (struct iso_traffic){.id = "traffic",
                                          .other = -1,
                                          .gb = {milli(r, 0, 2000), milli(r, 0, 2000)},
                                          .maximum_latency =
                                              chance(r, 50) ? milli(r, 20000, 90000) : ISO_UNKNOWN,
                                          .n_sources = 2,
                                          .sources = sources};
    traffic[1].other = workload == r->workloads ? 1 : 0;
    traffic[1].n_sources = ISO_ARRAY_LENGTH(regions);
    traffic[1].sources = homes;
    for (int32_t k = 0; k < traffic[1].n_sources; k++)
        homes[k] = (struct iso_source){k, 0};
    add_routes(r, &traffic[0]);
    add_routes(r, &traffic[1]);
    workload->traffic = traffic;
    workload->n_traffic = p->n_workloads > 1 && chance(r, 50) ? 2 : 1;
}

static void add_limits(struct random_problem *r)
{
    struct iso_problem *p = &r->problem;
    struct iso_limit *limits = NEW(r, 3, struct iso_limit);

    p->n_limits = (int32_t)random_below(r, 4);
    for (int32_t l = 0; l < p->n_limits; l++) {
        struct iso_limit_term *terms = NEW(r, p->n_offerings, struct iso_limit_term);
        limits[l] = (struct iso_limit){.id = "limit",
                                       .minimum = chance(r, 20),
                                       .policy = (enum iso_policy)random_below(r, 4),
                                       .bound = milli(r, 0, 9000),
                                       .price = milli(r, 10, 2000),
                                       .today = milli(r, 0, 6000),
                                       .periods = flags(r, p->n_periods, 80),
                                       .terms = terms};
        for (int32_t o = 0; o < p->n_offerings; o++)
            if (chance(r, 50))
                terms[limits[l].n_terms++] = (struct iso_limit_term){o, milli(r, 500, 3000)};
    }
    p->limits = limits;
}

static void add_products(struct random_problem *r)
{
    struct iso_problem *p = &r->problem;
    struct iso_product *products = NEW(r, 2, struct iso_product);

    p->n_products = chance(r, 50) ? 1 + (int32_t)random_below(r, 2) : 0;
    for (int32_t c = 0; c < p->n_products; c++) {
        iso_decimal *existing = NEW(r, 3, iso_decimal);
        struct iso_start *starts = NEW(r, 2, struct iso_start);
        struct iso_eligible *eligible = NEW(r, p->n_offerings, struct iso_eligible);
        products[c] = (struct iso_product){.id = "c",
                                           .currency = (int32_t)random_below(r, 2),
                                           .spend = chance(r, 50),
                                           .lot = milli(r, 500, 2000),
                                           .term_hours = milli(r, 60000, 90000),
                                           .fee = chance(r, 70) ? milli(r, 10, 900) : 0,
                                           .upfront = chance(r, 50) ? milli(r, 10, 9000) : 0,
                                           .most = random_below(r, 6) - 1,
                                           .existing = existing,
                                           .n_starts = (int32_t)random_below(r, 3),
                                           .starts = starts,
                                           .eligible = eligible,
                                           .cells = flags(r, p->n_workloads + 2, 80)};
        for (int32_t t = 0; t < p->n_periods; t++)
            existing[t] = chance(r, 50) ? milli(r, 0, 3000) : 0;
        for (int32_t s = 0; s < products[c].n_starts; s++)
            starts[s] = (struct iso_start){(int32_t)random_below(r, p->n_periods),
                                           flags(r, p->n_periods, 70), milli(r, 1000, 60000)};
        for (int32_t o = 0; o < p->n_offerings; o++)
            if (!p->offerings[o].spot && chance(r, 60))
                eligible[products[c].n_eligible++] = (struct iso_eligible){o, milli(r, 300, 2000)};
    }
    p->products = products;
}

static void add_budgets(struct random_problem *r)
{
    struct iso_problem *p = &r->problem;
    struct iso_budget *budgets = NEW(r, 2, struct iso_budget);

    p->n_budgets = chance(r, 50) ? 1 + (int32_t)random_below(r, 2) : 0;
    for (int32_t b = 0; b < p->n_budgets; b++) {
        struct iso_window *windows = NEW(r, 2, struct iso_window);
        budgets[b] = (struct iso_budget){.id = "budget",
                                         .basis = (enum iso_basis)random_below(r, 3),
                                         .offerings = flags(r, p->n_offerings, 70),
                                         .cells = flags(r, p->n_workloads + 2, 80),
                                         .products = flags(r, p->n_products, 70),
                                         .places = flags(r, 5, 50),
                                         .moves = chance(r, 50),
                                         .policy = (enum iso_policy)random_below(r, 4),
                                         .price = milli(r, 10, 900),
                                         .n_windows = 1 + (int32_t)random_below(r, 2),
                                         .windows = windows};
        for (int32_t w = 0; w < budgets[b].n_windows; w++)
            windows[w] = (struct iso_window){flags(r, p->n_periods, 60), milli(r, 0, 200000),
                                             (int32_t)random_below(r, 2), milli(r, 0, 40000)};
    }
    p->budgets = budgets;
}

static void add_moves(struct random_problem *r)
{
    struct iso_problem *p = &r->problem;
    int32_t n_cells = p->n_workloads + 2;
    struct iso_current *current = NEW(r, n_cells * p->n_offerings, struct iso_current);

    p->moves.maximum = -1;
    if (!chance(r, 35))
        return;
    p->moves = (struct iso_moves){.present = true,
                                  .current = current,
                                  .start_cost = milli(r, 0, 500),
                                  .stop_cost = milli(r, 0, 500),
                                  .move_cost = milli(r, 0, 900),
                                  .maximum = random_below(r, 10) - 1};
    for (int32_t cell = 0; cell < n_cells; cell++)
        for (int32_t o = 0; o < p->n_offerings; o++)
            if (chance(r, 25) && (cell >= p->n_workloads || !p->workloads[cell].replicas))
                current[p->moves.n_current++] = (struct iso_current){cell, o, random_below(r, 4)};
    p->moves.forced_stops = iso_forced_stops(p);
}

struct random_problem *random_problem_new(uint64_t seed)
{
    struct random_problem *r = iso_calloc(1, sizeof(*r));

    ISO_ASSERT(r);
    r->state = seed * 0x9e3779b97f4a7c15u + 1;
    for (int i = 0; i < 8; i++)
        random_below(r, 2);
    add_frame(r);
    add_offerings(r);
    add_workloads(r);
    add_limits(r);
    add_products(r);
    add_budgets(r);
    add_moves(r);
    add_ramp(r);
    add_affinities(r);
    add_fairness(r);
    add_boxes(r);
    add_traffic(r); /* last, so that the rest is as without */
    r->problem.options =
        (struct iso_options){.time_limit_s = 5, .tier_tolerance = chance(r, 20) ? 0.01 : 0};
    return r;
}

void random_problem_free(struct random_problem *r)
{
    if (!r)
        return;
    for (int i = 0; i < r->n_blocks; i++)
        free(r->blocks[i]);
    free(r);
}

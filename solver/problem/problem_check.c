/* The one door: after iso_problem_check() nobody checks a problem again. */
#include <stdarg.h>
#include <stdio.h>

#include "problem_check.h"
#include "scenarios.h"

#define MAXIMUM_COUNT INT64_C(9223372036) /* largest whole number that is a decimal */

enum iso_status iso_problem_refuse(struct iso_error *reterr, const char *text, const char *format,
                                   ...)
{
    struct iso_error error = {0};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error.field, sizeof(error.field), format, arguments);
    va_end(arguments);
    return iso_fail(reterr, ISO_E_INVALID, error.field, "%s", text);
}

static bool are_flags(const uint8_t *flags, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        if (flags[i] > 1)
            return false;
    return true;
}

static bool is_share(iso_decimal share)
{
    return share >= 0 && share <= ISO_DECIMAL_ONE;
}

static bool product_fits(iso_decimal a, iso_decimal b, iso_decimal c)
{
    iso_decimal ignored;
    return iso_decimal_product((const iso_decimal[]){a, b, c}, 3, &ignored);
}

static enum iso_status check_sizes(const struct iso_problem *p, struct iso_error *reterr)
{
    const struct {
        const char *name;
        int32_t n, least;
    } sizes[] = {
        {"n_providers", p->n_providers, 0},
        {"n_regions", p->n_regions, 0},
        {"n_zones", p->n_zones, 0},
        {"n_sites", p->n_sites, 0},
        {"n_currencies", p->n_currencies, 1},
        {"n_offerings", p->n_offerings, 0},
        {"n_periods", p->n_periods, 1},
        {"n_teams", p->n_teams, 1},
        {"n_workloads", p->n_workloads, 1},
        {"n_limits", p->n_limits, 0},
        {"n_budgets", p->n_budgets, 0},
        {"n_products", p->n_products, 0},
        {"n_price_exceptions", p->n_price_exceptions, 0},
    };

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(sizes); i++)
        REQUIRE(sizes[i].n >= sizes[i].least, "is too small", "%s", sizes[i].name);
    REQUIRE(p->n_workloads <= INT32_MAX - p->n_teams, "is too large", "n_workloads");
    return ISO_OK;
}

static enum iso_status check_periods(const struct iso_problem *p, struct iso_error *reterr)
{
    iso_wide sum = 0;

    for (int32_t t = 0; t < p->n_periods; t++) {
        const struct iso_period *period = &p->periods[t];
        REQUIRE(period->hours > 0, "must be above 0", "periods[%d].hours", t);
        REQUIRE(period->has_start == p->periods[0].has_start,
                "either all periods have a start or none", "periods[%d].has_start", t);
        REQUIRE(t == 0 || !period->has_start || period->start_ns > p->periods[t - 1].start_ns,
                "starts must rise", "periods[%d].start_ns", t);
        sum += period->hours;
    }
    REQUIRE(sum <= ISO_DECIMAL_MAX, "the hours of all periods leave the range of a decimal",
            "periods");
    return ISO_OK;
}

static enum iso_status check_currencies(const struct iso_problem *p, struct iso_error *reterr)
{
    REQUIRE(iso_in_range(p->base_currency, p->n_currencies), "is not a currency", "base_currency");
    for (int32_t i = 0; i < p->n_currencies; i++)
        for (int32_t t = 0; t < p->n_periods; t++) {
            iso_decimal rate = p->currencies[i].rate_to_base[t];
            REQUIRE(rate > 0, "must be above 0", "currencies[%d].rate_to_base[%d]", i, t);
            REQUIRE(i != p->base_currency || rate == ISO_DECIMAL_ONE,
                    "must be 1 for the base currency", "currencies[%d].rate_to_base[%d]", i, t);
        }
    for (int32_t i = 0; i < p->n_currencies; i++)
        for (int32_t j = 0; j < p->n_currencies; j++)
            for (int32_t t = 0; t < p->n_periods; t++) {
                iso_decimal rate;
                REQUIRE(iso_decimal_divide(p->currencies[i].rate_to_base[t],
                                           p->currencies[j].rate_to_base[t], ISO_ROUND_HALF_EVEN,
                                           &rate) &&
                            rate > 0,
                        "the rate to another currency leaves the range of a decimal",
                        "currencies[%d].rate_to_base[%d]", i, t);
            }
    return ISO_OK;
}

/* The period in which hours times rate of a currency is largest: if a price fits there, it fits
 * everywhere. */
static int32_t heaviest_period(const struct iso_problem *p, int32_t currency)
{
    const iso_decimal *rate = p->currencies[currency].rate_to_base;
    int32_t heaviest = 0;

    for (int32_t t = 1; t < p->n_periods; t++)
        if ((p->periods[t].hours != p->periods[heaviest].hours || rate[t] != rate[heaviest]) &&
            (iso_wide)p->periods[t].hours * rate[t] >
                (iso_wide)p->periods[heaviest].hours * rate[heaviest])
            heaviest = t;
    return heaviest;
}

/* Whether a price of one hour fits in the bill of every period. */
static bool price_fits(const struct iso_problem *p, iso_decimal price, int32_t currency,
                       int32_t period)
{
    return product_fits(price, p->periods[period].hours,
                        p->currencies[currency].rate_to_base[period]);
}

static enum iso_status check_offerings(const struct iso_problem *p, const int32_t *heaviest,
                                       struct iso_error *reterr)
{
    ISO_AUTO_MEM int32_t *region_provider =
        iso_calloc((size_t)p->n_regions, sizeof(*region_provider)); /* + 1; 0 = not seen */

    if (!region_provider)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to check a problem");
    for (int32_t z = 0; z < p->n_zones; z++)
        REQUIRE(iso_in_range(p->zone_region[z], p->n_regions), "is not a region", "zone_region[%d]",
                z);
    for (int32_t o = 0; o < p->n_offerings; o++) {
        const struct iso_offering *offering = &p->offerings[o];
        REQUIRE(iso_in_range(offering->provider, p->n_providers), "is not a provider",
                "offerings[%d].provider", o);
        REQUIRE(iso_in_range(offering->region, p->n_regions), "is not a region",
                "offerings[%d].region", o);
        int32_t *owner = &region_provider[offering->region];
        REQUIRE(*owner == 0 || *owner == offering->provider + 1,
                "the region belongs to another provider", "offerings[%d].region", o);
        *owner = offering->provider + 1;
        REQUIRE(offering->zone == ISO_ANY_ZONE ||
                    (iso_in_range(offering->zone, p->n_zones) &&
                     p->zone_region[offering->zone] == offering->region),
                "is not a zone of the region", "offerings[%d].zone", o);
        REQUIRE(iso_in_range(offering->currency, p->n_currencies), "is not a currency",
                "offerings[%d].currency", o);
        REQUIRE(offering->price > 0, "must be above 0", "offerings[%d].price", o);
        for (int32_t k = 0; k < ISO_N_RESOURCES; k++)
            REQUIRE(offering->capacity[k] >= 0 || offering->capacity[k] == ISO_UNKNOWN,
                    "must be >= 0 or unknown", "offerings[%d].capacity[%d]", o, k);
        REQUIRE(price_fits(p, offering->price, offering->currency, heaviest[offering->currency]),
                "price times hours and rate leaves the range of a decimal", "offerings[%d].price",
                o);
    }
    return ISO_OK;
}

static enum iso_status check_price_exceptions(const struct iso_problem *p, struct iso_error *reterr)
{
    for (int32_t i = 0; i < p->n_price_exceptions; i++) {
        const struct iso_price_exception *now = &p->price_exceptions[i], *before = now - 1;
        REQUIRE(iso_in_range(now->offering, p->n_offerings), "is not an offering",
                "price_exceptions[%d].offering", i);
        REQUIRE(iso_in_range(now->period, p->n_periods), "is not a period",
                "price_exceptions[%d].period", i);
        REQUIRE(i == 0 || before->offering < now->offering ||
                    (before->offering == now->offering && before->period < now->period),
                "must be sorted by offering and period", "price_exceptions[%d]", i);
        int32_t currency = p->offerings[now->offering].currency;
        REQUIRE(now->price > 0, "must be above 0", "price_exceptions[%d].price", i);
        REQUIRE(price_fits(p, now->price, currency, now->period),
                "price times hours and rate leaves the range of a decimal",
                "price_exceptions[%d].price", i);
    }
    return ISO_OK;
}

/* How often `need` fits beside the team's overhead must be what the option says, or more. */
static enum iso_status check_replica_option(const struct iso_problem *p, int32_t a, int32_t i,
                                            struct iso_error *reterr)
{
    const struct iso_workload *workload = &p->workloads[a];
    const struct iso_option *option = &workload->options[i];
    const struct iso_offering *offering = &p->offerings[option->offering];
    const struct iso_team *team = &p->teams[workload->team];

    REQUIRE(option->served == ISO_DECIMAL_ONE, "must be 1 for replicas",
            "workloads[%d].options[%d].served", a, i);
    REQUIRE(option->most >= 1 && (workload->maximum_per_instance == 0 ||
                                  option->most <= workload->maximum_per_instance),
            "must be in [1, maximum_per_instance]", "workloads[%d].options[%d].most", a, i);
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        REQUIRE(workload->need[k] == 0 ||
                    (offering->capacity[k] != ISO_UNKNOWN &&
                     (iso_wide)option->most * workload->need[k] + team->overhead[k] <=
                         offering->capacity[k]),
                "that many replicas do not fit", "workloads[%d].options[%d].most", a, i);
    return ISO_OK;
}

static enum iso_status check_options(const struct iso_problem *p, int32_t a,
                                     struct iso_error *reterr)
{
    const struct iso_workload *workload = &p->workloads[a];

    REQUIRE(workload->n_options >= 0, "must be >= 0", "workloads[%d].n_options", a);
    for (int32_t i = 0; i < workload->n_options; i++) {
        const struct iso_option *option = &workload->options[i];
        REQUIRE(iso_in_range(option->offering, p->n_offerings), "is not an offering",
                "workloads[%d].options[%d].offering", a, i);
        REQUIRE(i == 0 || option[-1].offering < option->offering, "offerings must rise",
                "workloads[%d].options[%d].offering", a, i);
        if (workload->replicas) {
            ISO_TRY(check_replica_option(p, a, i, reterr));
            continue;
        }
        REQUIRE(option->served > 0, "must be above 0", "workloads[%d].options[%d].served", a, i);
        REQUIRE(option->most == 0, "must be 0 for throughput", "workloads[%d].options[%d].most", a,
                i);
    }
    return ISO_OK;
}

static bool in_order(iso_decimal low, iso_decimal value, iso_decimal high)
{
    return low <= value && value <= high;
}

static enum iso_status check_demand(const struct iso_problem *p, int32_t a,
                                    struct iso_error *reterr)
{
    const struct iso_workload *workload = &p->workloads[a];
    iso_decimal worth = workload->service == ISO_SERVICE_PENALTY    ? workload->penalty
                        : workload->service == ISO_SERVICE_PRIORITY ? workload->weight
                                                                    : 0;

    for (int32_t t = 0; t < p->n_periods; t++) {
        REQUIRE(workload->demand[t] >= 0, "must be >= 0", "workloads[%d].demand[%d]", a, t);
        REQUIRE(!workload->replicas || workload->demand[t] % ISO_DECIMAL_ONE == 0,
                "must be whole for replicas", "workloads[%d].demand[%d]", a, t);
        REQUIRE(workload->required[t] >= workload->demand[t] &&
                    (workload->demand[t] > 0 || workload->required[t] == 0),
                "must be the demand or more, and 0 when the demand is",
                "workloads[%d].required[%d]", a, t);
        REQUIRE(product_fits(worth, workload->required[t], p->periods[t].hours),
                "times hours and penalty or weight leaves the range of a decimal",
                "workloads[%d].required[%d]", a, t);
    }
    if (!workload->box)
        return ISO_OK;
    REQUIRE(!workload->replicas, "is for throughput", "workloads[%d].box", a);
    REQUIRE(workload->box->periods >= 1, "must be at least 1", "workloads[%d].box.periods", a);
    for (int32_t t = 0; t < p->n_periods; t++)
        REQUIRE(in_order(0, workload->box->demand[t], workload->demand[t]) &&
                    in_order(workload->box->demand[t], workload->box->required[t],
                             workload->required[t]),
                "must be at least 0 and at most what is asked where demand has risen",
                "workloads[%d].box.demand[%d]", a, t);
    return ISO_OK;
}

static enum iso_status check_places(const struct iso_problem *p, int32_t a,
                                    struct iso_error *reterr)
{
    const struct iso_workload *workload = &p->workloads[a];

    for (int32_t i = 0; i < workload->n_shares; i++) {
        const struct iso_share *share = &workload->shares[i];
        REQUIRE(are_flags(share->member, workload->n_options), "flags must be 0 or 1",
                "workloads[%d].shares[%d].member", a, i);
        REQUIRE(!share->has_minimum || is_share(share->minimum), "must be in [0, 1]",
                "workloads[%d].shares[%d].minimum", a, i);
        REQUIRE(!share->has_maximum || is_share(share->maximum), "must be in [0, 1]",
                "workloads[%d].shares[%d].maximum", a, i);
    }
    for (int32_t i = 0; i < workload->n_survive; i++) {
        const struct iso_survive *survive = &workload->survive[i];
        REQUIRE(survive->level <= ISO_LEVEL_PROVIDER, "is not a level",
                "workloads[%d].survive[%d].level", a, i);
        REQUIRE(survive->share > 0 && survive->share <= ISO_DECIMAL_ONE, "must be in (0, 1]",
                "workloads[%d].survive[%d].share", a, i);
    }
    for (int32_t i = 0; i < workload->n_spread; i++) {
        const struct iso_spread *spread = &workload->spread[i];
        REQUIRE(spread->level <= ISO_LEVEL_PROVIDER, "is not a level",
                "workloads[%d].spread[%d].level", a, i);
        REQUIRE(spread->minimum_domains >= 2, "must be at least 2",
                "workloads[%d].spread[%d].minimum_domains", a, i);
        REQUIRE(spread->minimum_share > 0 &&
                    (iso_wide)spread->minimum_share * spread->minimum_domains <= ISO_DECIMAL_ONE,
                "must be in (0, 1/minimum_domains]", "workloads[%d].spread[%d].minimum_share", a,
                i);
    }
    if (workload->ramp) {
        REQUIRE(workload->ramp->starts >= -1 && workload->ramp->starts <= INT32_MAX,
                "must be in [-1, 2147483647]", "workloads[%d].ramp.starts", a);
        REQUIRE(workload->ramp->stops >= -1 && workload->ramp->stops <= INT32_MAX,
                "must be in [-1, 2147483647]", "workloads[%d].ramp.stops", a);
    }
    for (int32_t i = 0; i < workload->n_affinities; i++) {
        const struct iso_affinity *affinity = &workload->affinities[i];
        REQUIRE(iso_in_range(affinity->other, p->n_workloads), "is not a workload",
                "workloads[%d].affinities[%d].other", a, i);
        REQUIRE(affinity->other != a, "is the workload itself",
                "workloads[%d].affinities[%d].other", a, i);
        REQUIRE(affinity->level <= ISO_LEVEL_PROVIDER, "is not a level",
                "workloads[%d].affinities[%d].level", a, i);
    }
    return ISO_OK;
}

static enum iso_status check_workload(const struct iso_problem *p, int32_t a,
                                      struct iso_error *reterr)
{
    const struct iso_workload *workload = &p->workloads[a];
    iso_decimal most_needed = 0;

    REQUIRE(iso_in_range(workload->team, p->n_teams), "is not a team", "workloads[%d].team", a);
    REQUIRE(workload->service <= ISO_SERVICE_PENALTY, "is not a service", "workloads[%d].service",
            a);
    REQUIRE(workload->service != ISO_SERVICE_PRIORITY || workload->priority >= 1,
            "must be at least 1", "workloads[%d].priority", a);
    REQUIRE(workload->service != ISO_SERVICE_PRIORITY || workload->weight > 0, "must be above 0",
            "workloads[%d].weight", a);
    REQUIRE(!workload->fair || workload->service == ISO_SERVICE_PRIORITY, "is for a priority",
            "workloads[%d].fair", a);
    REQUIRE(workload->service != ISO_SERVICE_PENALTY || workload->penalty > 0, "must be above 0",
            "workloads[%d].penalty", a);
    REQUIRE(workload->maximum_per_instance >= 0, "must be >= 0",
            "workloads[%d].maximum_per_instance", a);
    for (int k = 0; k < ISO_N_RESOURCES; k++) {
        REQUIRE(workload->need[k] >= 0, "must be >= 0", "workloads[%d].need[%d]", a, k);
        if (workload->need[k] > most_needed)
            most_needed = workload->need[k];
    }
    REQUIRE(!workload->replicas || most_needed > 0, "a replica needs something",
            "workloads[%d].need", a);
    ISO_TRY(check_demand(p, a, reterr));
    ISO_TRY(check_options(p, a, reterr));
    REQUIRE(workload->n_traffic >= 0, "must be >= 0", "workloads[%d].n_traffic", a);
    for (int32_t m = 0; m < workload->n_traffic; m++)
        ISO_TRY(iso_traffic_check(p, a, m, reterr));
    return check_places(p, a, reterr);
}

static enum iso_status check_policy(enum iso_policy policy, iso_decimal price, const char *kind,
                                    int32_t index, struct iso_error *reterr)
{
    REQUIRE(policy <= ISO_POLICY_DEFAULT, "is not a policy", "%s[%d].policy", kind, index);
    REQUIRE(policy != ISO_POLICY_SOFT || price > 0, "must be above 0", "%s[%d].price", kind, index);
    return ISO_OK;
}

static enum iso_status check_limit(const struct iso_problem *p, int32_t l, struct iso_error *reterr)
{
    const struct iso_limit *limit = &p->limits[l];

    ISO_TRY(check_policy(limit->policy, limit->price, "limits", l, reterr));
    REQUIRE(!limit->quota || (limit->policy == ISO_POLICY_HARD && !limit->minimum),
            "a quota must be a hard maximum", "limits[%d].quota", l);
    REQUIRE(!limit->or_nothing ||
                (limit->minimum && limit->policy == ISO_POLICY_HARD && limit->bound > 0),
            "must be a hard minimum above 0", "limits[%d].or_nothing", l);
    REQUIRE(limit->bound >= 0, "must be >= 0", "limits[%d].bound", l);
    REQUIRE(limit->today >= 0, "must be >= 0", "limits[%d].today", l);
    REQUIRE(are_flags(limit->periods, p->n_periods), "flags must be 0 or 1", "limits[%d].periods",
            l);
    for (int32_t i = 0; i < limit->n_terms; i++) {
        REQUIRE(iso_in_range(limit->terms[i].offering, p->n_offerings), "is not an offering",
                "limits[%d].terms[%d].offering", l, i);
        REQUIRE(i == 0 || limit->terms[i - 1].offering < limit->terms[i].offering,
                "offerings must rise", "limits[%d].terms[%d].offering", l, i);
        REQUIRE(limit->terms[i].weight > 0, "must be above 0", "limits[%d].terms[%d].weight", l, i);
    }
    return ISO_OK;
}

static enum iso_status check_budget(const struct iso_problem *p, int32_t b,
                                    struct iso_error *reterr)
{
    const struct iso_budget *budget = &p->budgets[b];

    ISO_TRY(check_policy(budget->policy, budget->price, "budgets", b, reterr));
    REQUIRE(budget->basis <= ISO_BASIS_CASH, "is not a basis", "budgets[%d].basis", b);
    REQUIRE(are_flags(budget->offerings, p->n_offerings), "flags must be 0 or 1",
            "budgets[%d].offerings", b);
    REQUIRE(are_flags(budget->cells, iso_problem_n_cells(p)), "flags must be 0 or 1",
            "budgets[%d].cells", b);
    REQUIRE(are_flags(budget->products, p->n_products), "flags must be 0 or 1",
            "budgets[%d].products", b);
    REQUIRE(!budget->places || are_flags(budget->places, iso_problem_n_places(p)),
            "flags must be 0 or 1", "budgets[%d].places", b);
    REQUIRE(budget->n_windows >= 1, "must be at least 1", "budgets[%d].n_windows", b);
    for (int32_t i = 0; i < budget->n_windows; i++) {
        const struct iso_window *window = &budget->windows[i];
        REQUIRE(are_flags(window->periods, p->n_periods), "flags must be 0 or 1",
                "budgets[%d].windows[%d].periods", b, i);
        REQUIRE(window->amount >= 0, "must be >= 0", "budgets[%d].windows[%d].amount", b, i);
        REQUIRE(window->today >= 0, "must be >= 0", "budgets[%d].windows[%d].today", b, i);
        REQUIRE(iso_in_range(window->currency, p->n_currencies), "is not a currency",
                "budgets[%d].windows[%d].currency", b, i);
    }
    return ISO_OK;
}

static enum iso_status check_volume(const struct iso_problem *p, int32_t i,
                                    struct iso_error *reterr)
{
    const struct iso_volume *volume = &p->volumes[i];
    bool any = false;

    REQUIRE(are_flags(volume->offerings, p->n_offerings), "flags must be 0 or 1",
            "volumes[%d].offerings", i);
    REQUIRE(are_flags(volume->periods, p->n_periods), "flags must be 0 or 1", "volumes[%d].periods",
            i);
    for (int32_t t = 0; t < p->n_periods; t++) {
        any |= volume->periods[t];
        for (int32_t o = 0; o < p->n_offerings; o++)
            REQUIRE(!volume->periods[t] || !volume->offerings[o] ||
                        iso_problem_volume(p, o, t) == volume,
                    "holds where another does", "volumes[%d].offerings[%d]", i, o);
    }
    REQUIRE(any, "needs a period", "volumes[%d].periods", i);
    REQUIRE(volume->n_steps >= 1, "must be at least 1", "volumes[%d].n_steps", i);
    for (int32_t k = 0; k < volume->n_steps; k++) {
        const struct iso_volume_step *step = &volume->steps[k];
        iso_decimal before = k > 0 ? step[-1].factor : ISO_DECIMAL_ONE;
        bool rising = volume->steps[0].factor > ISO_DECIMAL_ONE;
        REQUIRE(step->from > (k > 0 ? step[-1].from : 0), "must rise from above 0",
                "volumes[%d].steps[%d].from", i, k);
        REQUIRE(step->factor > 0 && step->factor != before && (step->factor > before) == rising,
                "must be above 0, and all rise or all fall from 1", "volumes[%d].steps[%d].factor",
                i, k);
    }
    return ISO_OK;
}

static enum iso_status check_starts(const struct iso_problem *p, int32_t c,
                                    struct iso_error *reterr)
{
    const struct iso_product *product = &p->products[c];

    for (int32_t i = 0; i < product->n_starts; i++) {
        const struct iso_start *start = &product->starts[i];
        REQUIRE(iso_in_range(start->period, p->n_periods), "is not a period",
                "products[%d].starts[%d].period", c, i);
        REQUIRE(are_flags(start->window, p->n_periods), "flags must be 0 or 1",
                "products[%d].starts[%d].window", c, i);
        REQUIRE(start->hours_inside > 0 && start->hours_inside <= product->term_hours,
                "must be in (0, term_hours]", "products[%d].starts[%d].hours_inside", c, i);
        REQUIRE(product_fits(product->upfront,
                             p->currencies[product->currency].rate_to_base[start->period],
                             ISO_DECIMAL_ONE),
                "upfront times rate leaves the range of a decimal", "products[%d].upfront", c);
    }
    return ISO_OK;
}

static enum iso_status check_product(const struct iso_problem *p, int32_t c,
                                     const int32_t *heaviest, struct iso_error *reterr)
{
    const struct iso_product *product = &p->products[c];

    REQUIRE(iso_in_range(product->provider, p->n_providers), "is not a provider",
            "products[%d].provider", c);
    REQUIRE(iso_in_range(product->currency, p->n_currencies), "is not a currency",
            "products[%d].currency", c);
    REQUIRE(product->lot > 0, "must be above 0", "products[%d].lot", c);
    REQUIRE(product->term_hours > 0, "must be above 0", "products[%d].term_hours", c);
    REQUIRE(product->fee >= 0, "must be >= 0", "products[%d].fee", c);
    REQUIRE(product->upfront >= 0, "must be >= 0", "products[%d].upfront", c);
    REQUIRE(product->most >= -1 && product->most <= MAXIMUM_COUNT, "must be in [-1, 9223372036]",
            "products[%d].most", c);
    for (int32_t t = 0; t < p->n_periods; t++) {
        REQUIRE(product->existing[t] >= 0, "must be >= 0", "products[%d].existing[%d]", c, t);
    }
    REQUIRE(price_fits(p, product->fee, product->currency, heaviest[product->currency]),
            "fee times hours and rate leaves the range of a decimal", "products[%d].fee", c);
    for (int32_t i = 0; i < product->n_eligible; i++) {
        const struct iso_eligible *eligible = &product->eligible[i];
        REQUIRE(iso_in_range(eligible->offering, p->n_offerings), "is not an offering",
                "products[%d].eligible[%d].offering", c, i);
        REQUIRE(!p->offerings[eligible->offering].spot, "spot cannot be covered",
                "products[%d].eligible[%d].offering", c, i);
        REQUIRE(i == 0 || eligible[-1].offering < eligible->offering, "offerings must rise",
                "products[%d].eligible[%d].offering", c, i);
        REQUIRE(eligible->use > 0, "must be above 0", "products[%d].eligible[%d].use", c, i);
    }
    REQUIRE(are_flags(product->cells, iso_problem_n_cells(p)), "flags must be 0 or 1",
            "products[%d].cells", c);
    return check_starts(p, c, reterr);
}

static enum iso_status check_moves(const struct iso_problem *p, struct iso_error *reterr)
{
    const struct iso_moves *moves = &p->moves;
    iso_wide serves = 0;

    REQUIRE(moves->n_current >= 0 && (moves->present || moves->n_current == 0),
            "needs a current placement", "moves.n_current");
    if (!moves->present)
        return ISO_OK;
    for (int32_t i = 0; i < moves->n_current; i++) {
        const struct iso_current *now = &moves->current[i];
        REQUIRE(iso_in_range(now->cell, iso_problem_n_cells(p)), "is not a cell",
                "moves.current[%d].cell", i);
        REQUIRE(now->cell >= p->n_workloads || !p->workloads[now->cell].replicas,
                "replica workloads run in their team's pool", "moves.current[%d].cell", i);
        REQUIRE(iso_in_range(now->offering, p->n_offerings), "is not an offering",
                "moves.current[%d].offering", i);
        bool same_cell = i > 0 && now[-1].cell == now->cell;
        REQUIRE(i == 0 || now[-1].cell < now->cell ||
                    (same_cell && now[-1].offering < now->offering),
                "must be sorted by cell and offering, without repeats", "moves.current[%d]", i);
        REQUIRE(now->count >= 0 && now->count <= MAXIMUM_COUNT, "must be in [0, 9223372036]",
                "moves.current[%d].count", i);
        int32_t option = now->cell < p->n_workloads
                             ? iso_workload_find_option(&p->workloads[now->cell], now->offering)
                             : -1;
        serves = same_cell ? serves : 0;
        if (option >= 0)
            serves += (iso_wide)now->count * p->workloads[now->cell].options[option].served;
        REQUIRE(serves <= ISO_DECIMAL_MAX, "what runs today serves more than a decimal can hold",
                "moves.current[%d].count", i);
    }
    REQUIRE(moves->start_cost >= 0, "must be >= 0", "moves.start_cost");
    REQUIRE(moves->stop_cost >= 0, "must be >= 0", "moves.stop_cost");
    REQUIRE(moves->move_cost >= 0, "must be >= 0", "moves.move_cost");
    REQUIRE(moves->maximum >= -1, "must be -1 or more", "moves.maximum");
    REQUIRE(moves->forced_stops == iso_forced_stops(p), "is not what iso_forced_stops() gives",
            "moves.forced_stops");
    return ISO_OK;
}

/* Negated comparisons refuse NaN. */
static enum iso_status check_solve_options(const struct iso_options *options,
                                           struct iso_error *reterr)
{
    REQUIRE(options->time_limit_s > 0, "must be above 0", "options.time_limit_s");
    REQUIRE(options->gap >= 0 && options->gap <= 1, "must be in [0, 1]", "options.gap");
    REQUIRE(options->work_limit >= 0, "must be >= 0", "options.work_limit");
    REQUIRE(options->tier_tolerance >= 0 && options->tier_tolerance <= 1, "must be in [0, 1]",
            "options.tier_tolerance");
    REQUIRE(options->maximum_conflicts >= 0, "must be >= 0", "options.maximum_conflicts");
    REQUIRE(options->maximum_alternatives >= 0 &&
                options->maximum_alternatives <= ISO_MOST_ALTERNATIVES,
            "must be in [0, 5]", "options.maximum_alternatives");
    REQUIRE(options->alternative_tolerance >= 0 && options->alternative_tolerance <= 1,
            "must be in [0, 1]", "options.alternative_tolerance");
    return ISO_OK;
}

enum iso_status iso_problem_check(const struct iso_problem *problem, struct iso_error *reterr)
{
    ISO_TRY(check_sizes(problem, reterr));
    ISO_TRY(check_periods(problem, reterr));
    ISO_TRY(check_currencies(problem, reterr));
    ISO_AUTO_MEM int32_t *heaviest = iso_calloc((size_t)problem->n_currencies, sizeof(*heaviest));
    if (!heaviest)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to check a problem");
    for (int32_t i = 0; i < problem->n_currencies; i++)
        heaviest[i] = heaviest_period(problem, i);
    ISO_TRY(check_offerings(problem, heaviest, reterr));
    ISO_TRY(check_price_exceptions(problem, reterr));
    for (int32_t g = 0; g < problem->n_teams; g++)
        for (int32_t k = 0; k < ISO_N_RESOURCES; k++)
            REQUIRE(problem->teams[g].overhead[k] >= 0, "must be >= 0", "teams[%d].overhead[%d]", g,
                    k);
    for (int32_t a = 0; a < problem->n_workloads; a++)
        ISO_TRY(check_workload(problem, a, reterr));
    for (int32_t l = 0; l < problem->n_limits; l++)
        ISO_TRY(check_limit(problem, l, reterr));
    for (int32_t b = 0; b < problem->n_budgets; b++)
        ISO_TRY(check_budget(problem, b, reterr));
    for (int32_t c = 0; c < problem->n_products; c++)
        ISO_TRY(check_product(problem, c, heaviest, reterr));
    REQUIRE(problem->n_volumes >= 0, "must be >= 0", "n_volumes");
    for (int32_t i = 0; i < problem->n_volumes; i++)
        ISO_TRY(check_volume(problem, i, reterr));
    ISO_TRY(check_moves(problem, reterr));
    ISO_TRY(iso_problem_check_start(problem, reterr));
    ISO_TRY(iso_scenarios_check(problem, reterr));
    return check_solve_options(&problem->options, reterr);
}

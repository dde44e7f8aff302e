/* Traffic and dependencies at the door. */
#include "problem_check.h"

static enum iso_status check_route(const struct iso_problem *p, int32_t a, int32_t m, int32_t i,
                                   struct iso_error *reterr)
{
    const struct iso_workload *workload = &p->workloads[a];
    const struct iso_traffic *traffic = &workload->traffic[m];
    const struct iso_route *route = &traffic->routes[i];
    int32_t n = traffic->n_routes / traffic->n_sources;

    REQUIRE(iso_in_range(route->source, traffic->n_sources), "is not a source",
            "workloads[%d].traffic[%d].routes[%d].source", a, m, i);
    REQUIRE(iso_in_range(route->region, p->n_regions), "is not a region",
            "workloads[%d].traffic[%d].routes[%d].region", a, m, i);
    REQUIRE(route->source == i / n && route->region == traffic->routes[i % n].region &&
                (i == 0 || i >= n || route[-1].region < route->region),
            "every source needs routes to the same regions, in rising order",
            "workloads[%d].traffic[%d].routes[%d]", a, m, i);
    REQUIRE(route->latency >= 0, "must be >= 0", "workloads[%d].traffic[%d].routes[%d].latency", a,
            m, i);
    for (int d = 0; d < ISO_N_DIRECTIONS; d++) {
        REQUIRE(route->price[d] >= 0, "must be >= 0",
                "workloads[%d].traffic[%d].routes[%d].price[%d]", a, m, i, d);
        REQUIRE(iso_in_range(route->currency[d], p->n_currencies), "is not a currency",
                "workloads[%d].traffic[%d].routes[%d].currency[%d]", a, m, i, d);
        for (int32_t t = 0; t < p->n_periods; t++) {
            iso_decimal gb, ignored;
            REQUIRE(
                iso_traffic_gb(p, traffic, (enum iso_direction)d, t, workload->demand[t], &gb) &&
                    iso_decimal_product(
                        (const iso_decimal[]){gb, route->price[d],
                                              p->currencies[route->currency[d]].rate_to_base[t]},
                        3, &ignored),
                "times demand, hours, GB and rate leaves the range of a decimal",
                "workloads[%d].traffic[%d].routes[%d].price[%d]", a, m, i, d);
        }
    }
    return ISO_OK;
}

enum iso_status iso_traffic_check(const struct iso_problem *p, int32_t a, int32_t m,
                                  struct iso_error *reterr)
{
    const struct iso_traffic *traffic = &p->workloads[a].traffic[m];
    iso_wide shares = 0;

    REQUIRE(traffic->other >= -1 && traffic->other < p->n_workloads && traffic->other != a,
            "is not another workload", "workloads[%d].traffic[%d].other", a, m);
    REQUIRE(traffic->gb[ISO_FORTH] >= 0 && traffic->gb[ISO_BACK] >= 0, "must be >= 0",
            "workloads[%d].traffic[%d].gb", a, m);
    REQUIRE(traffic->maximum_latency > 0 || traffic->maximum_latency == ISO_UNKNOWN,
            "must be above 0 or unknown", "workloads[%d].traffic[%d].maximum_latency", a, m);
    REQUIRE(traffic->n_sources >= (traffic->other < 0) && traffic->n_routes >= 0 &&
                (traffic->n_sources > 0 || traffic->n_routes == 0),
            "needs a source", "workloads[%d].traffic[%d].n_sources", a, m);
    REQUIRE(traffic->n_sources == 0 || traffic->n_routes % traffic->n_sources == 0,
            "every source needs as many routes", "workloads[%d].traffic[%d].n_routes", a, m);
    for (int32_t k = 0; k < traffic->n_sources; k++) {
        const struct iso_source *source = &traffic->sources[k];
        REQUIRE(iso_in_range(source->place, iso_problem_n_places(p)), "is not a place",
                "workloads[%d].traffic[%d].sources[%d].place", a, m, k);
        for (int32_t i = 0; i < k; i++)
            REQUIRE(source->place != traffic->sources[i].place, "is there twice",
                    "workloads[%d].traffic[%d].sources[%d].place", a, m, k);
        REQUIRE(traffic->other < 0 ? source->share > 0 && source->share <= ISO_DECIMAL_ONE
                                   : source->share == 0 && source->place < p->n_regions,
                "must be in (0, 1], and that of a region with 0 for a dependency",
                "workloads[%d].traffic[%d].sources[%d].share", a, m, k);
        shares += source->share;
    }
    REQUIRE(traffic->other >= 0 || shares == ISO_DECIMAL_ONE, "shares must add up to 1",
            "workloads[%d].traffic[%d].sources", a, m);
    for (int32_t i = 0; i < traffic->n_routes; i++)
        ISO_TRY(check_route(p, a, m, i, reterr));
    return ISO_OK;
}

/* Traffic, dependencies and the prices of egress. */
#include <stdio.h>
#include <string.h>

#include "model_check.h"
#include "number.h"
#include "provider_alias.h"
#include "resolve_traffic.h"

/* A place, or with `pattern` one that may end in `*`. */
static bool check_place(struct iso_model_check *check, const char *path, const char *field,
                        const char *place, bool pattern)
{
    const char *star = strchr(place, '*');
    bool ends_early = star && (star[1] != '\0' || !pattern);

    if (!ends_early && (star || iso_place_fold(place, check->violations->arena)))
        return true;
    iso_check_fail(check, path, field,
                   place[0] ? "\"%.64s\" is not a place; provider/region or internet/name is "
                              "allowed%s"
                            : "is empty%.0s; provider/region or internet/name is required%s",
                   place, pattern ? ", and `*` at the end" : "");
    return false;
}

/* What all kinds of traffic have. */
static void check_amounts(struct iso_model_check *check, const char *path, double forth,
                          double back, double latency)
{
    bool right = iso_check_number(check, path, "gb_per_unit_hour", forth, ISO_AT_LEAST_ZERO);

    right &= iso_check_number(check, path, "gb_back_per_unit_hour", back, ISO_AT_LEAST_ZERO);
    right &= iso_check_number(check, path, "maximum_latency_ms", latency, ISO_AT_LEAST_ZERO);
    if (right && forth == 0 && back == 0 && latency == 0)
        iso_check_fail(check, path, "gb_per_unit_hour",
                       "is 0; at least one of gb_per_unit_hour, gb_back_per_unit_hour and "
                       "maximum_latency_ms must be above 0");
}

static void check_traffic(struct iso_model_check *check, const char *path,
                          const Isocost__V1__Traffic *traffic)
{
    struct iso_names places = {.arena = check->violations->arena};
    char place[ISO_PATH_SIZE];
    iso_wide sum = 0;
    bool right = true;

    iso_check_new_id(check, path, traffic->id, &check->rules);
    check_amounts(check, path, traffic->gb_per_unit_hour, traffic->gb_back_per_unit_hour,
                  traffic->maximum_latency_ms);
    if (traffic->n_sources == 0)
        iso_check_fail(check, path, "sources", "is empty; at least one source is required");
    for (size_t i = 0; i < traffic->n_sources; i++) {
        const Isocost__V1__TrafficSource *source = traffic->sources[i];
        iso_check_path(place, path, "sources", i);
        if (check_place(check, place, "region", source->region, false) &&
            !iso_names_add_new(&places, iso_place_fold(source->region, places.arena)))
            iso_check_fail(check, place, "region", "\"%.64s\" is there twice; add the shares",
                           source->region);
        if (iso_check_number(check, place, "share", source->share, ISO_POSITIVE_SHARE))
            sum += iso_number(source->share);
        else
            right = false;
    }
    if (right && traffic->n_sources > 0 && sum != ISO_DECIMAL_ONE)
        iso_check_fail(check, path, "sources", "the shares add up to %.9g; they must add up to 1",
                       (double)sum / ISO_DECIMAL_ONE);
}

static void check_dependency(struct iso_model_check *check, const char *path,
                             const Isocost__V1__Workload *workload,
                             const Isocost__V1__Dependency *dependency)
{
    iso_check_new_id(check, path, dependency->id, &check->rules);
    iso_check_other_workload(check, path, workload->id, dependency->workload);
    check_amounts(check, path, dependency->gb_per_unit_hour, dependency->gb_back_per_unit_hour,
                  dependency->maximum_latency_ms);
}

void iso_check_traffic(struct iso_model_check *check, const char *path,
                       const Isocost__V1__Workload *workload)
{
    char place[ISO_PATH_SIZE];

    if (workload->traffic) {
        snprintf(place, sizeof(place), "%.128s.traffic", path);
        check_traffic(check, place, workload->traffic);
    }
    for (size_t i = 0; i < workload->n_dependencies; i++) {
        iso_check_path(place, path, "dependencies", i);
        check_dependency(check, place, workload, workload->dependencies[i]);
    }
}

void iso_check_egress_price(struct iso_model_check *check, const char *path,
                            const Isocost__V1__EgressPrice *price)
{
    check_place(check, path, "from", price->from, true);
    check_place(check, path, "to", price->to, true);
    iso_check_money(check, path, "price_per_gb", price->price_per_gb, ISO_AT_LEAST_ZERO, false);
    if (price->opt_latency_case)
        iso_check_number(check, path, "latency_ms", price->latency_ms, ISO_AT_LEAST_ZERO);
    if (!price->price_per_gb && !price->opt_latency_case)
        iso_check_fail(check, path, "price_per_gb",
                       "at least one of price_per_gb and latency_ms is required");
}

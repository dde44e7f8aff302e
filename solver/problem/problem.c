#include "isocost/problem.h"

iso_decimal iso_problem_own_price(const struct iso_problem *problem, int32_t offering,
                                  int32_t period)
{
    int32_t low = 0, high = problem->n_price_exceptions;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        const struct iso_price_exception *exception = &problem->price_exceptions[middle];
        if (exception->offering == offering && exception->period == period)
            return exception->price;
        if (exception->offering < offering ||
            (exception->offering == offering && exception->period < period))
            low = middle + 1;
        else
            high = middle;
    }
    return problem->offerings[offering].price;
}

iso_decimal iso_problem_cross_rate(const struct iso_problem *problem, int32_t from, int32_t to,
                                   int32_t period)
{
    iso_decimal rate = 0;

    bool in_range = iso_decimal_divide(problem->currencies[from].rate_to_base[period],
                                       problem->currencies[to].rate_to_base[period],
                                       ISO_ROUND_HALF_EVEN, &rate);
    ISO_ASSERT(in_range); /* the door lets no other problem through */
    return rate;
}

int32_t iso_workload_find_option(const struct iso_workload *workload, int32_t offering)
{
    int32_t low = 0, high = workload->n_options;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (workload->options[middle].offering == offering)
            return middle;
        if (workload->options[middle].offering < offering)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

int32_t iso_problem_domain(const struct iso_problem *problem, int32_t offering,
                           enum iso_level level)
{
    const struct iso_offering *o = &problem->offerings[offering];

    switch (level) {
    case ISO_LEVEL_ZONE:
        return o->zone == ISO_ANY_ZONE ? problem->n_zones + o->region : o->zone;
    case ISO_LEVEL_REGION:
        return o->region;
    case ISO_LEVEL_PROVIDER:
        break;
    }
    return o->provider;
}

int32_t iso_problem_n_domains(const struct iso_problem *problem, enum iso_level level)
{
    switch (level) {
    case ISO_LEVEL_ZONE:
        return problem->n_zones + problem->n_regions;
    case ISO_LEVEL_REGION:
        return problem->n_regions;
    case ISO_LEVEL_PROVIDER:
        break;
    }
    return problem->n_providers;
}

bool iso_problem_falls_with(const struct iso_problem *problem, int32_t offering,
                            enum iso_level level, int32_t domain)
{
    const struct iso_offering *o = &problem->offerings[offering];

    if (level != ISO_LEVEL_ZONE)
        return iso_problem_domain(problem, offering, level) == domain;
    if (domain >= problem->n_zones) /* a zone that the catalog does not name */
        return o->zone == ISO_ANY_ZONE && o->region == domain - problem->n_zones;
    return o->zone == ISO_ANY_ZONE ? o->region == problem->zone_region[domain] : o->zone == domain;
}

bool iso_problem_spread_counts(const struct iso_problem *problem,
                               const struct iso_workload *workload, int32_t offering,
                               enum iso_level level)
{
    const struct iso_offering *o = &problem->offerings[offering];

    if (level != ISO_LEVEL_ZONE || o->zone != ISO_ANY_ZONE)
        return true;
    for (int32_t i = 0; i < workload->n_options; i++) {
        const struct iso_offering *other = &problem->offerings[workload->options[i].offering];
        if (other->region == o->region && other->zone != ISO_ANY_ZONE)
            return false;
    }
    return true;
}

const struct iso_current *iso_problem_find_current(const struct iso_problem *problem, int32_t cell,
                                                   int32_t offering)
{
    const struct iso_current *current = problem->moves.current;
    int32_t low = 0, high = problem->moves.n_current;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (current[middle].cell < cell ||
            (current[middle].cell == cell && current[middle].offering < offering))
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < problem->moves.n_current && current[low].cell == cell &&
                 current[low].offering == offering;
    return found ? &current[low] : NULL;
}

int64_t iso_forced_stops(const struct iso_problem *problem)
{
    const struct iso_moves *moves = &problem->moves;
    iso_wide sum = 0;

    for (int32_t i = 0; i < moves->n_current;) {
        int32_t cell = moves->current[i].cell;
        iso_wide count = 0, serves = 0; /* serves: in 1e-9 of the rate's unit */
        for (; i < moves->n_current && moves->current[i].cell == cell; i++) {
            if (cell >= problem->n_workloads)
                continue;
            int32_t option =
                iso_workload_find_option(&problem->workloads[cell], moves->current[i].offering);
            count += moves->current[i].count;
            if (option >= 0)
                serves += (iso_wide)moves->current[i].count *
                          problem->workloads[cell].options[option].served;
        }
        if (cell < problem->n_workloads && serves > problem->workloads[cell].required[0])
            sum += count * (serves - problem->workloads[cell].required[0]) / serves;
    }
    return (int64_t)sum;
}

/* Workloads, limits, budgets and the current placement of a model. */
#include <stdio.h>
#include <string.h>

#include "isocost/problem.h"
#include "model_check.h"
#include "number.h"
#include "selector.h"

static void check_team(struct iso_model_check *check, const char *path, const char *field,
                       const char *team)
{
    if (strcmp(team, "default") != 0 && iso_names_find(&check->teams, team) < 0)
        iso_check_fail(check, path, field, "\"%.64s\" is not the id of a team", team);
}

static void check_service(struct iso_model_check *check, const char *path,
                          const Isocost__V1__Workload *workload)
{
    switch (workload->service_case) {
    case ISOCOST__V1__WORKLOAD__SERVICE_MUST_SERVE:
        if (!workload->must_serve)
            iso_check_fail(check, path, "must_serve",
                           "is false; give priority or penalty instead, or true");
        break;
    case ISOCOST__V1__WORKLOAD__SERVICE_PRIORITY:
        if (workload->priority < 1 || workload->priority > 100)
            iso_check_fail(check, path, "priority", "%d; it must be in [1, 100]",
                           workload->priority);
        break;
    case ISOCOST__V1__WORKLOAD__SERVICE_PENALTY:
        iso_check_money(check, path, "penalty", workload->penalty, ISO_ABOVE_ZERO, true);
        break;
    default:
        iso_check_fail(check, path, "must_serve",
                       "exactly one of must_serve, priority and penalty is required");
    }
    if (!workload->opt_weight_case)
        return;
    iso_check_number(check, path, "weight", workload->weight, ISO_ABOVE_ZERO);
    if (workload->service_case != ISOCOST__V1__WORKLOAD__SERVICE_PRIORITY)
        iso_check_fail(check, path, "weight", "is for workloads with a priority only");
}

/* One value for all periods or hours, or one for each. */
static void check_series(struct iso_model_check *check, const char *path, const char *field,
                         const double *values, size_t n, bool whole)
{
    char place[32];

    if (n != 1 && n != (size_t)check->n_values)
        iso_check_fail(check, path, field, "%zu values; 1 or %d (one for each %s) are required", n,
                       check->n_values, check->model->load_levels ? "hour" : "period");
    for (size_t i = 0; i < n; i++) {
        iso_decimal number;
        if (iso_number_read(values[i], &number, NULL) == ISO_OK && number >= 0 &&
            (!whole || number % ISO_DECIMAL_ONE == 0))
            continue; /* no path needs to be written for the many that are right */
        snprintf(place, sizeof(place), "%s[%zu]", field, i);
        if (whole)
            iso_check_whole(check, path, place, values[i]);
        else
            iso_check_number(check, path, place, values[i], ISO_AT_LEAST_ZERO);
    }
}

static void check_performance(struct iso_model_check *check, const char *path,
                              const Isocost__V1__Performance *row)
{
    iso_check_selector(check, path, "offerings", row->offerings);
    switch (row->rate_case) {
    case ISOCOST__V1__PERFORMANCE__RATE_PER_INSTANCE:
        iso_check_number(check, path, "per_instance", row->per_instance, ISO_ABOVE_ZERO);
        break;
    case ISOCOST__V1__PERFORMANCE__RATE_PER_VCPU:
        iso_check_number(check, path, "per_vcpu", row->per_vcpu, ISO_ABOVE_ZERO);
        break;
    case ISOCOST__V1__PERFORMANCE__RATE_PER_MEMORY_GIB:
        iso_check_number(check, path, "per_memory_gib", row->per_memory_gib, ISO_ABOVE_ZERO);
        break;
    case ISOCOST__V1__PERFORMANCE__RATE_PER_GPU:
        iso_check_number(check, path, "per_gpu", row->per_gpu, ISO_ABOVE_ZERO);
        break;
    default:
        iso_check_fail(check, path, "per_instance",
                       "exactly one of per_instance, per_vcpu, per_memory_gib and per_gpu is "
                       "required");
    }
}

static void check_throughput(struct iso_model_check *check, const char *workload_path,
                             const Isocost__V1__ThroughputDemand *demand)
{
    char path[ISO_PATH_SIZE], place[ISO_PATH_SIZE];

    snprintf(path, sizeof(path), "%s.throughput", workload_path);
    check_series(check, path, "rate", demand->rate, demand->n_rate, false);
    if (demand->n_performance == 0)
        iso_check_fail(check, path, "performance", "is empty; what an instance serves is required");
    for (size_t i = 0; i < demand->n_performance; i++) {
        iso_check_path(place, path, "performance", i);
        check_performance(check, place, demand->performance[i]);
    }
    if (!demand->box)
        return;
    snprintf(place, sizeof(place), "%.128s.box", path);
    iso_check_number(check, place, "rise", demand->box->rise, ISO_AT_LEAST_ZERO);
    if (iso_check_whole(check, place, "periods", demand->box->periods) &&
        (demand->box->periods < 1 || demand->box->periods > INT32_MAX))
        iso_check_fail(check, place, "periods", "%.10g; it must be in [1, 2147483647]",
                       demand->box->periods);
}

static void check_replicas(struct iso_model_check *check, const char *workload_path,
                           const Isocost__V1__ReplicaDemand *demand)
{
    char path[ISO_PATH_SIZE];
    double amount;
    bool needs = false;

    snprintf(path, sizeof(path), "%s.replicas", workload_path);
    check_series(check, path, "count", demand->count, demand->n_count, true);
    iso_check_resources(check, path, "resources", demand->resources);
    for (int k = 0; k < ISO_N_RESOURCES; k++)
        needs |= iso_resource_amount(demand->resources, k, &amount) && amount != 0;
    if (!needs)
        iso_check_fail(check, path, "resources", "a replica must need something");
    if (demand->maximum_per_instance < 0)
        iso_check_fail(check, path, "maximum_per_instance",
                       "%d; it must be above 0, or 0 for no cap", demand->maximum_per_instance);
}

static void check_level(struct iso_model_check *check, const char *path,
                        Isocost__V1__DomainLevel level)
{
    if (level == ISOCOST__V1__DOMAIN_LEVEL__DOMAIN_LEVEL_UNSPECIFIED)
        iso_check_fail(check, path, "level", "is missing; ZONE, REGION or PROVIDER is required");
}

static void check_share(struct iso_model_check *check, const char *path,
                        const Isocost__V1__ShareRule *rule)
{
    bool in_range = true;

    iso_check_new_id(check, path, rule->id, &check->rules);
    iso_check_selector(check, path, "offerings", rule->offerings);
    if (rule->opt_maximum_case)
        in_range &= iso_check_number(check, path, "maximum", rule->maximum, ISO_SHARE);
    if (rule->opt_minimum_case)
        in_range &= iso_check_number(check, path, "minimum", rule->minimum, ISO_SHARE);
    if (!rule->opt_maximum_case && !rule->opt_minimum_case)
        iso_check_fail(check, path, "maximum", "at least one of maximum and minimum is required");
    else if (in_range && rule->opt_maximum_case && rule->opt_minimum_case &&
             rule->minimum > rule->maximum)
        iso_check_fail(check, path, "minimum", "%.9g is above the maximum %.9g", rule->minimum,
                       rule->maximum);
}

static void check_spread(struct iso_model_check *check, const char *path,
                         const Isocost__V1__SpreadRule *rule)
{
    iso_check_new_id(check, path, rule->id, &check->rules);
    check_level(check, path, rule->level);
    if (rule->minimum_domains < 2) {
        iso_check_fail(check, path, "minimum_domains", "%d; it must be at least 2",
                       rule->minimum_domains);
        return;
    }
    if (iso_check_number(check, path, "minimum_share", rule->minimum_share, ISO_POSITIVE_SHARE) &&
        (iso_wide)iso_number(rule->minimum_share) * rule->minimum_domains > ISO_DECIMAL_ONE)
        iso_check_fail(check, path, "minimum_share", "%.9g; it must be in (0, 1/%d]",
                       rule->minimum_share, rule->minimum_domains);
}

void iso_check_other_workload(struct iso_model_check *check, const char *path, const char *own,
                              const char *other)
{
    if (other[0] == '\0')
        iso_check_fail(check, path, "workload", "is empty; the id of another workload is required");
    else if (strcmp(other, own) == 0)
        iso_check_fail(check, path, "workload",
                       "\"%.64s\" is the workload itself; another one is required", other);
    else if (iso_names_find(&check->workloads, other) < 0)
        iso_check_fail(check, path, "workload", "\"%.64s\" is not the id of a workload", other);
}

static void check_affinity(struct iso_model_check *check, const char *path,
                           const Isocost__V1__Workload *workload,
                           const Isocost__V1__AffinityRule *rule)
{
    iso_check_new_id(check, path, rule->id, &check->rules);
    check_level(check, path, rule->level);
    iso_check_other_workload(check, path, workload->id, rule->workload);
}

static void check_ramp(struct iso_model_check *check, const char *path,
                       const Isocost__V1__Ramp *ramp)
{
    iso_check_new_id(check, path, ramp->id, &check->rules);
    if (!ramp->opt_maximum_starts_case && !ramp->opt_maximum_stops_case)
        iso_check_fail(check, path, "maximum_starts",
                       "at least one of maximum_starts and maximum_stops is required");
    if (ramp->opt_maximum_starts_case && ramp->maximum_starts < 0)
        iso_check_fail(check, path, "maximum_starts", "%d; it must be at least 0",
                       ramp->maximum_starts);
    if (ramp->opt_maximum_stops_case && ramp->maximum_stops < 0)
        iso_check_fail(check, path, "maximum_stops", "%d; it must be at least 0",
                       ramp->maximum_stops);
    if (!check->model->load_levels && check->n_values > 1 && !check->chronological)
        iso_check_fail(check, path, "",
                       "periods without a start have no order; give every period a start, or use "
                       "load_levels");
}

#define MOST_FAIR 100 /* each is a stage */

/* A rank is served evenly as a whole: the first workload of it says whether it is. */
static void check_fair(struct iso_model_check *check, const char *path,
                       const Isocost__V1__Workload *workload)
{
    int n_fair = 0;

    for (size_t i = 0; check->model->workloads[i] != workload; i++)
        n_fair += check->model->workloads[i]->fair;
    if (workload->fair && n_fair == MOST_FAIR)
        iso_check_fail(check, path, "fair", "more than %d workloads of a model cannot be fair",
                       MOST_FAIR);
    for (size_t i = 0; i < check->model->n_workloads; i++) {
        const Isocost__V1__Workload *first = check->model->workloads[i];
        if (first->service_case != ISOCOST__V1__WORKLOAD__SERVICE_PRIORITY ||
            first->priority != workload->priority)
            continue;
        if (first->fair != workload->fair)
            iso_check_fail(check, path, "fair",
                           "%s; workload \"%.64s\" of priority %d says %s, and all workloads of a "
                           "priority must say the same",
                           workload->fair ? "true" : "false", first->id, first->priority,
                           first->fair ? "true" : "false");
        return;
    }
}

static void check_workload_rules(struct iso_model_check *check, const char *path,
                                 const Isocost__V1__Workload *workload)
{
    char place[ISO_PATH_SIZE];

    for (size_t i = 0; i < workload->n_shares; i++) {
        iso_check_path(place, path, "shares", i);
        check_share(check, place, workload->shares[i]);
    }
    for (size_t i = 0; i < workload->n_survive; i++) {
        iso_check_path(place, path, "survive", i);
        iso_check_new_id(check, place, workload->survive[i]->id, &check->rules);
        check_level(check, place, workload->survive[i]->level);
        iso_check_number(check, place, "share", workload->survive[i]->share, ISO_POSITIVE_SHARE);
    }
    for (size_t i = 0; i < workload->n_spread; i++) {
        iso_check_path(place, path, "spread", i);
        check_spread(check, place, workload->spread[i]);
    }
    for (size_t i = 0; i < workload->n_together; i++) {
        iso_check_path(place, path, "together", i);
        check_affinity(check, place, workload, workload->together[i]);
    }
    for (size_t i = 0; i < workload->n_apart; i++) {
        iso_check_path(place, path, "apart", i);
        check_affinity(check, place, workload, workload->apart[i]);
    }
    iso_check_traffic(check, path, workload);
    if (workload->ramp) {
        snprintf(place, sizeof(place), "%.128s.ramp", path);
        check_ramp(check, place, workload->ramp);
    }
    if (workload->service_case == ISOCOST__V1__WORKLOAD__SERVICE_PRIORITY)
        check_fair(check, path, workload);
    else if (workload->fair)
        iso_check_fail(check, path, "fair", "is for workloads with a priority only");
}

void iso_check_workload(struct iso_model_check *check, const char *path,
                        const Isocost__V1__Workload *workload)
{
    if (workload->team[0])
        check_team(check, path, "team", workload->team);
    check_service(check, path, workload);
    if (workload->demand_case == ISOCOST__V1__WORKLOAD__DEMAND_THROUGHPUT)
        check_throughput(check, path, workload->throughput);
    else if (workload->demand_case == ISOCOST__V1__WORKLOAD__DEMAND_REPLICAS)
        check_replicas(check, path, workload->replicas);
    else
        iso_check_fail(check, path, "throughput",
                       "exactly one of throughput and replicas is required");
    iso_check_selector(check, path, "allowed", workload->allowed);
    iso_check_selector(check, path, "forbidden", workload->forbidden);
    iso_check_number(check, path, "headroom", workload->headroom, ISO_AT_LEAST_ZERO);
    check_workload_rules(check, path, workload);
}

void iso_check_limit(struct iso_model_check *check, const char *path,
                     const Isocost__V1__Limit *limit)
{
    iso_check_selector(check, path, "scope", limit->scope);
    if (limit->bound_case == ISOCOST__V1__LIMIT__BOUND_MAXIMUM)
        iso_check_number(check, path, "maximum", limit->maximum, ISO_AT_LEAST_ZERO);
    else if (limit->bound_case == ISOCOST__V1__LIMIT__BOUND_MINIMUM)
        iso_check_number(check, path, "minimum", limit->minimum, ISO_AT_LEAST_ZERO);
    else
        iso_check_fail(check, path, "maximum", "exactly one of maximum and minimum is required");
    iso_check_policy(check, path, limit->policy);
    if (limit->or_nothing &&
        (limit->bound_case != ISOCOST__V1__LIMIT__BOUND_MINIMUM || limit->minimum <= 0 ||
         (limit->policy && limit->policy->kind > ISOCOST__V1__POLICY_KIND__POLICY_KIND_HARD)))
        iso_check_fail(check, path, "or_nothing", "needs a minimum above 0 and policy HARD");
    if (limit->or_nothing && check->model->options && check->model->options->tier_tolerance > 0)
        iso_check_fail(check, path, "or_nothing", "is not served with a tier_tolerance above 0");
    iso_check_period_ids(check, path, "periods", limit->periods, limit->n_periods);
}

/* Hours that the window's periods stand for; what is wrong with periods is told elsewhere. */
static double hours_of(const Isocost__V1__Model *model, const Isocost__V1__BudgetWindow *window)
{
    double hours = 0;

    for (size_t t = 0; t < model->n_periods; t++) {
        bool counts = window->n_periods == 0;
        for (size_t i = 0; i < window->n_periods; i++)
            counts |= strcmp(window->periods[i], model->periods[t]->id) == 0;
        hours += counts ? model->periods[t]->hours : 0;
    }
    return hours;
}

static void check_window_hours(struct iso_model_check *check, const char *path,
                               const Isocost__V1__BudgetWindow *window, bool prorate)
{
    if (!iso_check_number(check, path, "hours", window->hours, ISO_AT_LEAST_ZERO) ||
        window->hours <= 0)
        return;
    double inside = hours_of(check->model, window);
    if (check->model->load_levels)
        iso_check_fail(check, path, "hours", "is for periods only; use to_hour instead");
    else if (window->hours < inside * (1 - 1e-12))
        iso_check_fail(check, path, "hours", "%.9g; the window's periods have %.9g already",
                       window->hours, inside);
    else if (!prorate && window->hours > inside * (1 + 1e-12))
        iso_check_fail(check, path, "hours",
                       "%.9g reach past the %.9g of the window's periods; set prorate to cut the "
                       "amount in proportion",
                       window->hours, inside);
}

static void check_window(struct iso_model_check *check, const char *path,
                         const Isocost__V1__BudgetWindow *window, bool prorate)
{
    const Isocost__V1__LoadLevels *levels = check->model->load_levels;

    iso_check_period_ids(check, path, "periods", window->periods, window->n_periods);
    iso_check_money(check, path, "amount", window->amount, ISO_AT_LEAST_ZERO, true);
    check_window_hours(check, path, window, prorate);
    if (!levels) {
        if (window->from_hour != 0 || window->to_hour != 0)
            iso_check_fail(check, path, "from_hour",
                           "hours are for load_levels only; use periods instead");
        return;
    }
    int32_t end = window->to_hour == 0 ? levels->hours : window->to_hour;
    if (window->from_hour < 0 || window->from_hour >= levels->hours)
        iso_check_fail(check, path, "from_hour", "%d; it must be in [0, %d)", window->from_hour,
                       levels->hours);
    else if (end > levels->hours && !prorate)
        iso_check_fail(check, path, "to_hour",
                       "%d is past the horizon of %d hours; set prorate to cut the amount in "
                       "proportion",
                       window->to_hour, levels->hours);
    else if (end <= window->from_hour)
        iso_check_fail(check, path, "to_hour", "%d; it must be above from_hour %d", window->to_hour,
                       window->from_hour);
}

void iso_check_budget(struct iso_model_check *check, const char *path,
                      const Isocost__V1__Budget *budget)
{
    char place[ISO_PATH_SIZE];

    if (budget->scope_case == ISOCOST__V1__BUDGET__SCOPE_PROVIDER)
        iso_check_provider(check, path, "provider", budget->provider);
    if (budget->scope_case == ISOCOST__V1__BUDGET__SCOPE_TEAM)
        check_team(check, path, "team", budget->team);
    if (budget->scope_case == ISOCOST__V1__BUDGET__SCOPE_OFFERINGS)
        iso_check_selector(check, path, "offerings", budget->offerings);
    if (budget->n_windows == 0)
        iso_check_fail(check, path, "windows", "is empty; at least one window is required");
    for (size_t i = 0; i < budget->n_windows; i++) {
        iso_check_path(place, path, "windows", i);
        check_window(check, place, budget->windows[i], budget->prorate);
    }
    if (iso_check_money(check, path, "spent_already", budget->spent_already, ISO_AT_LEAST_ZERO,
                        false) &&
        budget->spent_already && budget->n_windows > 0 && budget->windows[0]->amount &&
        strcmp(budget->spent_already->currency_code, budget->windows[0]->amount->currency_code) !=
            0)
        iso_check_fail(check, path, "spent_already.currency_code",
                       "%s; it must be the currency of the first window, %s",
                       budget->spent_already->currency_code,
                       budget->windows[0]->amount->currency_code);
    iso_check_policy(check, path, budget->policy);
}

static void check_user(struct iso_model_check *check, const char *path,
                       const Isocost__V1__CurrentInstances *instances)
{
    if (instances->user_case == ISOCOST__V1__CURRENT_INSTANCES__USER_TEAM) {
        check_team(check, path, "team", instances->team);
        return;
    }
    if (instances->user_case != ISOCOST__V1__CURRENT_INSTANCES__USER_WORKLOAD) {
        iso_check_fail(check, path, "workload", "exactly one of workload and team is required");
        return;
    }
    int32_t number = iso_names_find(&check->workloads, instances->workload);
    if (number < 0) {
        iso_check_fail(check, path, "workload", "\"%.64s\" is not the id of a workload",
                       instances->workload);
        return;
    }
    for (size_t i = 0; i < check->model->n_workloads; i++)
        if (strcmp(check->model->workloads[i]->id, instances->workload) == 0 &&
            check->model->workloads[i]->demand_case == ISOCOST__V1__WORKLOAD__DEMAND_REPLICAS)
            iso_check_fail(check, path, "workload",
                           "\"%.64s\" has replicas; its instances belong to its team: give team",
                           instances->workload);
}

static bool has_user(const Isocost__V1__CurrentInstances *instances)
{
    return instances->user_case != ISOCOST__V1__CURRENT_INSTANCES__USER__NOT_SET;
}

void iso_check_current(struct iso_model_check *check, const char *path,
                       const Isocost__V1__CurrentPlacement *current)
{
    struct iso_names seen = {.arena = check->violations->arena};
    char place[ISO_PATH_SIZE];

    if (!check->model->load_levels && check->n_values > 1 && !check->chronological)
        iso_check_not_served(check, path, "", "current with periods that have no start");
    for (size_t i = 0; i < current->n_instances; i++) {
        const Isocost__V1__CurrentInstances *instances = current->instances[i];
        iso_check_path(place, path, "instances", i);
        const char *id = iso_offering_id_fold(instances->offering, check->violations->arena);
        if (!id)
            iso_check_fail(check, place, "offering",
                           "\"%.128s\" is not an id provider/region/zone/type/os/purchase",
                           instances->offering);
        check_user(check, place, instances);
        iso_check_whole(check, place, "count", instances->count);
        if (!id || !has_user(instances))
            continue;
        bool team = instances->user_case == ISOCOST__V1__CURRENT_INSTANCES__USER_TEAM;
        char *key = iso_arena_printf(check->violations->arena, "%s %s %s", team ? "team" : "",
                                     team ? instances->team : instances->workload, id);
        if (key && !iso_names_add_new(&seen, key))
            iso_check_fail(check, place, "offering", "this user has it already; add the counts");
    }
    iso_check_money(check, path, "start_cost", current->start_cost, ISO_AT_LEAST_ZERO, false);
    iso_check_money(check, path, "stop_cost", current->stop_cost, ISO_AT_LEAST_ZERO, false);
    iso_check_money(check, path, "move_cost", current->move_cost, ISO_AT_LEAST_ZERO, false);
    if (current->opt_maximum_moves_case)
        iso_check_whole(check, path, "maximum_moves", current->maximum_moves);
}

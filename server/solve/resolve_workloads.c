/* Workloads: which offerings may serve them, how well, and how much they ask. */
#include <string.h>

#include "model_check.h"
#include "number.h"
#include "resolve_internal.h"
#include "selector_index.h"

static const char *const filter_names[ISO_N_FILTERS] = {
    [ISO_FILTER_SELECTED] = "selected",
    [ISO_FILTER_STATUS] = "status",
    [ISO_FILTER_FORBIDDEN] = "forbidden",
    [ISO_FILTER_NOT_ALLOWED] = "not allowed",
    [ISO_FILTER_NO_PERFORMANCE] = "no performance",
    [ISO_FILTER_RESOURCES_UNKNOWN] = "resources unknown",
    [ISO_FILTER_TOO_SMALL] = "too small",
    [ISO_FILTER_QUOTA_UNKNOWN] = "quota unknown",
    [ISO_FILTER_KEPT] = "kept",
};

static bool is_throughput(const Isocost__V1__Workload *workload)
{
    return workload->demand_case == ISOCOST__V1__WORKLOAD__DEMAND_THROUGHPUT;
}

static enum iso_status compile_performance(struct iso_resolve *r, struct iso_chooser *chooser,
                                           struct iso_error *reterr)
{
    const Isocost__V1__ThroughputDemand *demand = chooser->message->throughput;
    size_t n = demand->n_performance;
    const struct iso_selector **selectors = iso_arena_calloc(r->scratch, n, sizeof(*selectors));

    chooser->rows = iso_arena_calloc(r->scratch, n, sizeof(*chooser->rows));
    if (!selectors || !chooser->rows)
        return iso_resolve_full(reterr);
    for (size_t i = 0; i < n; i++) {
        const Isocost__V1__Performance *message = demand->performance[i];
        struct iso_performance_row *row = &chooser->rows[i];
        selectors[i] = iso_selector_compile(message->offerings, r->scratch);
        if (!selectors[i])
            return iso_resolve_full(reterr);
        switch (message->rate_case) {
        case ISOCOST__V1__PERFORMANCE__RATE_PER_VCPU:
            row->resource = ISO_RESOURCE_VCPU;
            row->rate = iso_number(message->per_vcpu);
            break;
        case ISOCOST__V1__PERFORMANCE__RATE_PER_MEMORY_GIB:
            row->resource = ISO_RESOURCE_MEMORY_GIB;
            row->rate = iso_number(message->per_memory_gib);
            break;
        case ISOCOST__V1__PERFORMANCE__RATE_PER_GPU:
            row->resource = ISO_RESOURCE_GPU;
            row->rate = iso_number(message->per_gpu);
            break;
        default:
            row->resource = -1;
            row->rate = iso_number(message->per_instance);
        }
    }
    chooser->performance = iso_selector_index_new(selectors, n, r->scratch);
    return chooser->performance ? ISO_OK : iso_resolve_full(reterr);
}

static const char *team_of(const Isocost__V1__Workload *workload)
{
    return workload->team[0] ? workload->team : "default";
}

enum iso_status iso_resolve_choosers(struct iso_resolve *r, struct iso_error *reterr)
{
    const Isocost__V1__Model *model = r->model;

    r->choosers = iso_arena_calloc(r->scratch, model->n_workloads, sizeof(*r->choosers));
    if (!r->choosers)
        return iso_resolve_full(reterr);
    for (size_t a = 0; a < model->n_workloads; a++) {
        const Isocost__V1__Workload *workload = model->workloads[a];
        struct iso_chooser *chooser = &r->choosers[a];
        chooser->message = workload;
        chooser->has_forbidden = workload->forbidden != NULL;
        chooser->allowed.selector = iso_selector_compile(workload->allowed, r->scratch);
        if (workload->forbidden)
            chooser->forbidden.selector = iso_selector_compile(workload->forbidden, r->scratch);
        if (!chooser->allowed.selector || (workload->forbidden && !chooser->forbidden.selector))
            return iso_resolve_full(reterr);
        if (is_throughput(workload)) {
            ISO_TRY(compile_performance(r, chooser, reterr));
            continue;
        }
        double amount;
        for (int k = 0; k < ISO_N_RESOURCES; k++)
            if (iso_resource_amount(workload->replicas->resources, k, &amount))
                chooser->need[k] = iso_number(amount);
        int32_t team = iso_names_find(&r->teams, team_of(workload));
        memcpy(chooser->overhead, r->problem->teams[team].overhead, sizeof(chooser->overhead));
    }
    return ISO_OK;
}

static enum iso_filter choose_throughput(const struct iso_chooser *chooser,
                                         const struct iso_snapshot_offering *view,
                                         struct iso_option *option)
{
    int32_t first = iso_selector_index_first(chooser->performance, view);
    iso_decimal performance = 0;

    if (first < 0)
        return ISO_FILTER_NO_PERFORMANCE;
    const struct iso_performance_row *row = &chooser->rows[first];
    iso_decimal amount = iso_weight_of_instance(view, row->resource);
    if (amount == ISO_UNKNOWN)
        return ISO_FILTER_RESOURCES_UNKNOWN;
    /* Rounded down at each step, so that a plan never promises more than there is. */
    if (!iso_decimal_multiply(row->rate, amount, ISO_ROUND_DOWN, &performance) ||
        !iso_decimal_multiply(performance, view->availability, ISO_ROUND_DOWN, &performance) ||
        performance == 0)
        return ISO_FILTER_NO_PERFORMANCE;
    option->served = performance;
    return ISO_FILTER_KEPT;
}

static enum iso_filter choose_replicas(const struct iso_chooser *chooser,
                                       const struct iso_snapshot_offering *view,
                                       struct iso_option *option)
{
    int32_t cap = chooser->message->replicas->maximum_per_instance;
    iso_decimal most = cap > 0 ? cap : INT32_MAX;

    for (int k = 0; k < ISO_N_RESOURCES; k++) {
        if (chooser->need[k] == 0)
            continue;
        if (view->capacity[k] == ISO_UNKNOWN)
            return ISO_FILTER_RESOURCES_UNKNOWN;
        iso_decimal room = view->capacity[k] - chooser->overhead[k];
        iso_decimal fits = room > 0 ? room / chooser->need[k] : 0;
        most = fits < most ? fits : most;
    }
    option->served = ISO_DECIMAL_ONE;
    option->most = (int32_t)most;
    return most >= 1 ? ISO_FILTER_KEPT : ISO_FILTER_TOO_SMALL;
}

enum iso_filter iso_resolve_choose(const struct iso_chooser *chooser,
                                   const struct iso_snapshot_offering *view, int32_t place,
                                   struct iso_option *ret_option)
{
    if (chooser->has_forbidden && iso_scope_has(&chooser->forbidden, view, place))
        return ISO_FILTER_FORBIDDEN;
    if (!iso_scope_has(&chooser->allowed, view, place))
        return ISO_FILTER_NOT_ALLOWED;
    return is_throughput(chooser->message) ? choose_throughput(chooser, view, ret_option)
                                           : choose_replicas(chooser, view, ret_option);
}

/* Demand and what must be served of it: (1 + headroom) D, rounded up to 1e-9. For replicas that may
 * be a fraction: whole copies are placed, and a penalty is paid for what is missing, not for more.
 */
/* `said` in scenario s: times its factor, rounded up, to whole copies for replicas. */
static iso_wide in_scenario(const struct iso_resolve *r, bool throughput, iso_decimal said,
                            size_t s)
{
    const Isocost__V1__Uncertainty *uncertainty = r->model->uncertainty;
    iso_wide unit = throughput ? 1 : ISO_DECIMAL_ONE;

    if (!uncertainty)
        return said;
    iso_wide factor = iso_number(uncertainty->scenarios[s]->demand_factor);
    return iso_wide_divide(said * factor, ISO_DECIMAL_ONE * unit, ISO_ROUND_UP) * unit;
}

/* What is asked in each period of each scenario when every demand is raised by `rise`: demand, and
 * with headroom `required`; both rounded up. */
static enum iso_status fill_asked(struct iso_resolve *r, int32_t a, iso_decimal rise,
                                  const iso_decimal **ret_demand, const iso_decimal **ret_required,
                                  struct iso_error *reterr)
{
    const Isocost__V1__Workload *message = r->model->workloads[a];
    bool throughput = is_throughput(message);
    const double *series = throughput ? message->throughput->rate : message->replicas->count;
    size_t n = throughput ? message->throughput->n_rate : message->replicas->n_count;
    size_t n_periods = (size_t)r->problem->n_periods;
    size_t n_scenarios = r->model->uncertainty ? r->model->uncertainty->n_scenarios : 1;
    iso_decimal *demand = iso_arena_calloc(r->arena, n_scenarios * n_periods, sizeof(*demand));
    iso_decimal *required = iso_arena_calloc(r->arena, n_scenarios * n_periods, sizeof(*required));
    iso_wide risen = (iso_wide)ISO_DECIMAL_ONE + rise;
    iso_wide factor = (iso_wide)ISO_DECIMAL_ONE + iso_number(message->headroom);
    bool as_said = !r->model->uncertainty && risen == ISO_DECIMAL_ONE && factor == ISO_DECIMAL_ONE;

    if (!demand || !required)
        return iso_resolve_full(reterr);
    *ret_demand = demand;
    *ret_required = required;
    for (size_t i = 0; i < n_scenarios * n_periods; i++) {
        int32_t t = (int32_t)(i % n_periods);
        iso_decimal said;
        if (as_said) {
            demand[i] = required[i] = iso_number(iso_resolve_series(r, series, n, t));
            continue;
        }
        iso_wide raised = in_scenario(
            r, throughput, iso_number(iso_resolve_series(r, series, n, t)), i / n_periods);
        if (iso_wide_to_decimal(raised, &said) &&
            iso_wide_to_decimal(iso_wide_divide(said * risen, ISO_DECIMAL_ONE, ISO_ROUND_UP),
                                &demand[i]) &&
            iso_wide_to_decimal(iso_wide_divide(demand[i] * factor, ISO_DECIMAL_ONE, ISO_ROUND_UP),
                                &required[i]))
            continue;
        char path[ISO_PATH_SIZE];
        iso_check_path(path, "model", "workloads", (size_t)a);
        iso_violations_add(r->violations, path,
                           "demand with headroom is above 9223372036 in period %s",
                           r->problem->periods[t].id);
        break;
    }
    return ISO_OK;
}

static enum iso_status fill_demand(struct iso_resolve *r, int32_t a, struct iso_workload *workload,
                                   struct iso_error *reterr)
{
    const Isocost__V1__Workload *message = r->model->workloads[a];
    const Isocost__V1__DemandBox *rule = is_throughput(message) ? message->throughput->box : NULL;

    if (!rule)
        return fill_asked(r, a, 0, &workload->demand, &workload->required, reterr);
    struct iso_box *box = iso_arena_calloc(r->arena, 1, sizeof(*box));
    if (!box)
        return iso_resolve_full(reterr);
    box->periods = (int32_t)rule->periods;
    workload->box = box;
    ISO_TRY(fill_asked(r, a, 0, &box->demand, &box->required, reterr));
    return fill_asked(r, a, iso_number(rule->rise), &workload->demand, &workload->required, reterr);
}

static enum iso_level level_of(Isocost__V1__DomainLevel level)
{
    return (enum iso_level)((int)level - (int)ISOCOST__V1__DOMAIN_LEVEL__DOMAIN_LEVEL_ZONE);
}

static enum iso_status fill_shares(struct iso_resolve *r, const Isocost__V1__Workload *message,
                                   struct iso_workload *workload, struct iso_error *reterr)
{
    struct iso_share *shares = iso_arena_calloc(r->arena, message->n_shares, sizeof(*shares));

    if (!shares)
        return iso_resolve_full(reterr);
    for (size_t i = 0; i < message->n_shares; i++) {
        const Isocost__V1__ShareRule *rule = message->shares[i];
        const struct iso_selector *set = iso_selector_compile(rule->offerings, r->scratch);
        uint8_t *member = iso_arena_calloc(r->arena, (size_t)workload->n_options, 1);
        int32_t n_members = 0;
        if (!set || !member)
            return iso_resolve_full(reterr);
        for (int32_t j = 0; j < workload->n_options; j++) {
            member[j] = iso_selector_matches(set, &r->kept[workload->options[j].offering].view);
            n_members += member[j];
        }
        if (n_members == 0)
            iso_resolve_warn(r, "share rule %s matches no usable offering of workload %s", rule->id,
                             message->id);
        shares[i] = (struct iso_share){
            .id = rule->id,
            .member = member,
            .has_minimum = rule->opt_minimum_case != 0,
            .has_maximum = rule->opt_maximum_case != 0,
            .minimum = rule->opt_minimum_case ? iso_number(rule->minimum) : 0,
            .maximum = rule->opt_maximum_case ? iso_number(rule->maximum) : 0,
        };
    }
    workload->n_shares = (int32_t)message->n_shares;
    workload->shares = shares;
    return ISO_OK;
}

static enum iso_status fill_places(struct iso_resolve *r, const Isocost__V1__Workload *message,
                                   struct iso_workload *workload, struct iso_error *reterr)
{
    struct iso_survive *survive = iso_arena_calloc(r->arena, message->n_survive, sizeof(*survive));
    struct iso_spread *spread = iso_arena_calloc(r->arena, message->n_spread, sizeof(*spread));

    if (!survive || !spread)
        return iso_resolve_full(reterr);
    for (size_t i = 0; i < message->n_survive; i++)
        survive[i] = (struct iso_survive){
            .id = message->survive[i]->id,
            .level = level_of(message->survive[i]->level),
            .share = iso_number(message->survive[i]->share),
        };
    for (size_t i = 0; i < message->n_spread; i++)
        spread[i] = (struct iso_spread){
            .id = message->spread[i]->id,
            .level = level_of(message->spread[i]->level),
            .minimum_domains = message->spread[i]->minimum_domains,
            .minimum_share = iso_number(message->spread[i]->minimum_share),
        };
    workload->n_survive = (int32_t)message->n_survive;
    workload->survive = survive;
    workload->n_spread = (int32_t)message->n_spread;
    workload->spread = spread;
    return ISO_OK;
}

static enum iso_status fill_affinities(struct iso_resolve *r, const Isocost__V1__Workload *message,
                                       struct iso_workload *workload, struct iso_error *reterr)
{
    size_t n = message->n_together + message->n_apart;
    struct iso_affinity *affinities = iso_arena_calloc(r->arena, n, sizeof(*affinities));

    if (!affinities)
        return iso_resolve_full(reterr);
    for (size_t i = 0; i < n; i++) {
        bool apart = i >= message->n_together;
        const Isocost__V1__AffinityRule *rule =
            apart ? message->apart[i - message->n_together] : message->together[i];
        affinities[i] = (struct iso_affinity){
            .id = rule->id,
            .other = iso_names_find(&r->workloads, rule->workload),
            .level = level_of(rule->level),
            .apart = apart,
        };
    }
    workload->n_affinities = (int32_t)n;
    workload->affinities = affinities;
    return ISO_OK;
}

static enum iso_status fill_ramp(struct iso_resolve *r, const Isocost__V1__Ramp *message,
                                 struct iso_workload *workload, struct iso_error *reterr)
{
    struct iso_ramp *ramp = iso_arena_calloc(r->arena, 1, sizeof(*ramp));

    if (!ramp)
        return iso_resolve_full(reterr);
    *ramp = (struct iso_ramp){
        .id = message->id,
        .starts = message->opt_maximum_starts_case ? message->maximum_starts : -1,
        .stops = message->opt_maximum_stops_case ? message->maximum_stops : -1,
    };
    workload->ramp = ramp;
    return ISO_OK;
}

static void fill_service(struct iso_resolve *r, int32_t a, struct iso_workload *workload)
{
    const Isocost__V1__Workload *message = r->model->workloads[a];
    char path[ISO_PATH_SIZE];

    if (message->service_case == ISOCOST__V1__WORKLOAD__SERVICE_PRIORITY) {
        workload->service = ISO_SERVICE_PRIORITY;
        workload->priority = message->priority;
        workload->weight = message->opt_weight_case ? iso_number(message->weight) : ISO_DECIMAL_ONE;
        workload->fair = message->fair;
    } else if (message->service_case == ISOCOST__V1__WORKLOAD__SERVICE_PENALTY) {
        iso_check_path(path, "model", "workloads", (size_t)a);
        strncat(path, ".penalty", sizeof(path) - strlen(path) - 1);
        workload->service = ISO_SERVICE_PENALTY;
        iso_resolve_to_base(r, message->penalty, true, path, &workload->penalty);
    }
}

static enum iso_status fill_workload(struct iso_resolve *r, int32_t a,
                                     struct iso_workload *workload, struct iso_error *reterr)
{
    const Isocost__V1__Workload *message = r->model->workloads[a];
    const struct iso_chooser *chooser = &r->choosers[a];
    struct iso_option *options = iso_arena_calloc(r->arena, chooser->n_options, sizeof(*options));

    if (!options)
        return iso_resolve_full(reterr);
    if (chooser->n_options > 0)
        memcpy(options, chooser->options, chooser->n_options * sizeof(*options));
    workload->id = message->id;
    workload->team = iso_names_find(&r->teams, team_of(message));
    workload->replicas = !is_throughput(message);
    workload->n_options = (int32_t)chooser->n_options;
    workload->options = options;
    if (workload->replicas)
        workload->maximum_per_instance = message->replicas->maximum_per_instance;
    memcpy(workload->need, chooser->need, sizeof(workload->need));
    if (workload->n_options == 0)
        iso_resolve_warn(r, "workload %s has no usable offering", message->id);
    fill_service(r, a, workload);
    ISO_TRY(fill_demand(r, a, workload, reterr));
    ISO_TRY(fill_shares(r, message, workload, reterr));
    if (message->ramp)
        ISO_TRY(fill_ramp(r, message->ramp, workload, reterr));
    ISO_TRY(fill_places(r, message, workload, reterr));
    return fill_affinities(r, message, workload, reterr);
}

/* What each filter removed; "kept" is always there and comes last. */
static enum iso_status report_filters(struct iso_resolve *r, struct iso_error *reterr)
{
    size_t n_workloads = (size_t)r->problem->n_workloads;
    Isocost__V1__FilterCount **filters =
        iso_arena_calloc(r->arena, n_workloads * ISO_N_FILTERS, sizeof(Isocost__V1__FilterCount *));
    int32_t n = 0;

    if (!filters)
        return iso_resolve_full(reterr);
    for (size_t a = 0; a < n_workloads; a++)
        for (int f = 0; f < ISO_N_FILTERS; f++) {
            if (r->choosers[a].counts[f] == 0 && f != ISO_FILTER_KEPT)
                continue;
            Isocost__V1__FilterCount *filter = iso_arena_calloc(r->arena, 1, sizeof(*filter));
            if (!filter)
                return iso_resolve_full(reterr);
            isocost__v1__filter_count__init(filter);
            filter->workload = r->model->workloads[a]->id;
            filter->filter = iso_arena_strdup(r->arena, filter_names[f]);
            filter->count = r->choosers[a].counts[f];
            filters[n++] = filter;
        }
    r->out->n_filters = n;
    r->out->filters = filters;
    return ISO_OK;
}

enum iso_status iso_resolve_workloads(struct iso_resolve *r, struct iso_error *reterr)
{
    struct iso_workload *workloads =
        iso_arena_calloc(r->arena, (size_t)r->problem->n_workloads, sizeof(*workloads));

    if (!workloads)
        return iso_resolve_full(reterr);
    for (int32_t a = 0; a < r->problem->n_workloads; a++)
        ISO_TRY(fill_workload(r, a, &workloads[a], reterr));
    r->problem->workloads = workloads;
    for (int32_t a = 0; a < r->problem->n_workloads; a++) {
        if (workloads[a].fair)
            iso_resolve_check_size(r, "workloads", a, "fair");
        if (iso_box_counts(r->problem, &workloads[a]))
            iso_resolve_check_size(r, "workloads", a, "throughput.box");
    }
    ISO_TRY(iso_resolve_traffic(r, workloads, reterr));
    return report_filters(r, reterr);
}

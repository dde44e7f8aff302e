/* Flows of a plan, exactly: what each source sends of the demand that is served, within what is
 * served in each region. Where that cannot be, and demand may stay unserved, the least more that
 * must stay unserved. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search.h"
#include "transport.h"

#define NOISE 1e-6 /* relative: unserved demand of a point above what its instances ask for */

/* What is known of the plan: served by region, and unserved. */
struct flows {
    const struct iso_formulation *f;
    const double *x;
    struct iso_plan *plan;
    iso_decimal **served;  /* [workload][period * n_regions + region]; NULL: nothing asks */
    iso_decimal *unserved; /* [workload * n_periods + period] */
};

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the flows of a plan");
}

static void flows_fini(struct flows *flows)
{
    for (int32_t a = 0; flows->served && a < flows->f->problem->n_workloads; a++)
        free(flows->served[a]);
    free(flows->served);
    free(flows->unserved);
}

static void add_served(struct flows *flows, int32_t a, int32_t offering, int32_t t, iso_wide amount)
{
    const struct iso_problem *problem = flows->f->problem;

    if (!flows->served[a])
        return;
    iso_decimal *sum = &flows->served[a][(size_t)t * (size_t)problem->n_regions +
                                         (size_t)problem->offerings[offering].region];
    *sum = amount > ISO_DECIMAL_MAX - *sum ? ISO_DECIMAL_MAX : *sum + (iso_decimal)amount;
}

static void gather(struct flows *flows)
{
    const struct iso_problem *problem = flows->f->problem;
    const struct iso_plan *plan = flows->plan;

    for (int32_t i = 0; i < plan->n_uses; i++) {
        const struct iso_use *use = &plan->uses[i];
        const struct iso_workload *workload = &problem->workloads[use->workload];
        int32_t option = iso_workload_find_option(workload, use->offering);
        add_served(flows, use->workload, use->offering, use->period,
                   (iso_wide)use->count * workload->options[option].served);
    }
    for (int32_t i = 0; i < plan->n_fills; i++)
        for (int32_t e = 0; e < plan->fills[i].n_entries; e++) {
            const struct iso_fill *fill = &plan->fills[i];
            const struct iso_fill_entry *entry = &plan->entries[fill->first_entry + e];
            add_served(flows, entry->workload, fill->offering, fill->period,
                       (iso_wide)fill->instances * entry->count * ISO_DECIMAL_ONE);
        }
    for (int32_t i = 0; i < plan->n_unserved; i++)
        flows->unserved[(size_t)plan->unserved[i].workload * (size_t)problem->n_periods +
                        (size_t)plan->unserved[i].period] = plan->unserved[i].amount;
}

static bool flows_init(struct flows *flows)
{
    const struct iso_problem *problem = flows->f->problem;
    size_t n = (size_t)problem->n_periods * (size_t)problem->n_regions;

    flows->served = iso_calloc((size_t)problem->n_workloads, sizeof(*flows->served));
    flows->unserved = iso_calloc((size_t)problem->n_workloads * (size_t)problem->n_periods,
                                 sizeof(*flows->unserved));
    if (!flows->served || !flows->unserved)
        return false;
    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t m = -1; m < problem->workloads[a].n_traffic; m++) {
            int32_t of = m < 0 ? a : problem->workloads[a].traffic[m].other;
            if (problem->workloads[a].n_traffic == 0 || of < 0 || flows->served[of])
                continue;
            flows->served[of] = iso_calloc(n, sizeof(**flows->served));
            if (!flows->served[of])
                return false;
        }
    gather(flows);
    return true;
}

static iso_decimal *unserved_at(const struct flows *flows, int32_t a, int32_t t)
{
    return &flows->unserved[(size_t)a * (size_t)flows->f->problem->n_periods + (size_t)t];
}

static iso_decimal served_in(const struct flows *flows, int32_t a, int32_t t, int32_t region)
{
    return flows->served[a][(size_t)t * (size_t)flows->f->problem->n_regions + (size_t)region];
}

/* D_i / D_j times what j serves in a region, at most D_i, rounded up. */
static iso_decimal room_at_other(const struct flows *flows, const struct iso_traffic *traffic,
                                 iso_decimal demand, int32_t t, int32_t region)
{
    iso_decimal its = flows->f->problem->workloads[traffic->other].demand[t];
    iso_decimal served = served_in(flows, traffic->other, t, region);

    return (iso_decimal)iso_wide_divide((iso_wide)demand * (served < its ? served : its), its,
                                        ISO_ROUND_UP);
}

/* What has to move when `unserved` of workload a is. */
static iso_decimal total_of(const struct flows *flows, const struct iso_traffic *traffic,
                            iso_decimal demand, iso_decimal unserved, int32_t t)
{
    iso_wide total = (iso_wide)demand - unserved;

    if (traffic->other >= 0 && demand > 0)
        total -=
            iso_wide_divide((iso_wide)demand * *unserved_at(flows, traffic->other, t),
                            flows->f->problem->workloads[traffic->other].demand[t], ISO_ROUND_UP);
    return total > 0 ? (iso_decimal)total : 0;
}

/* Supplies and rooms when `unserved` of workload a is; gives the total. */
static iso_decimal set_sides(const struct flows *flows, int32_t a, int32_t m, int32_t t,
                             iso_decimal unserved, struct iso_transport *transport)
{
    const struct iso_traffic *traffic = &flows->f->problem->workloads[a].traffic[m];
    iso_decimal demand = iso_traffic_demand(flows->f->problem, a, traffic, t);
    iso_decimal total = total_of(flows, traffic, demand, unserved, t);

    for (int32_t k = 0; k < transport->n_sources; k++)
        transport->supply[k] = traffic->other < 0
                                   ? iso_traffic_part(traffic, k, total)
                                   : served_in(flows, a, t, traffic->sources[k].place);
    for (int32_t r = 0; r < transport->n_places && demand > 0; r++) {
        int32_t region = traffic->routes[r].region;
        iso_decimal served = served_in(flows, traffic->other < 0 ? a : traffic->other, t, region);
        if (traffic->other >= 0)
            transport->room[r] = room_at_other(flows, traffic, demand, t, region);
        else if (served > 0 && served < ISO_DECIMAL_MAX / 2)
            transport->room[r] = served + iso_traffic_slack(traffic, demand);
        else
            transport->room[r] = served;
    }
    return total;
}

static bool open_transport(const struct flows *flows, int32_t a, int32_t m, int32_t t,
                           struct iso_transport *transport)
{
    const struct iso_problem *problem = flows->f->problem;
    const struct iso_traffic *traffic = &problem->workloads[a].traffic[m];
    int32_t n = traffic->n_sources > 0 ? traffic->n_routes / traffic->n_sources : 0;

    if (!iso_transport_init(transport, traffic->n_sources, n))
        return false;
    for (int32_t i = 0; i < traffic->n_routes; i++)
        transport->cost[i] = iso_route_is_open(traffic, &traffic->routes[i])
                                 ? iso_flow_money(problem, NULL, problem->base_currency, a, m, i, t)
                                 : INFINITY;
    return true;
}

/* What cannot move when `unserved` of workload a is. */
static iso_decimal shortage(const struct flows *flows, int32_t a, int32_t m, int32_t t,
                            iso_decimal unserved, struct iso_transport *transport)
{
    memset(transport->flow, 0,
           (size_t)transport->n_sources * (size_t)transport->n_places * sizeof(*transport->flow));
    return iso_transport_send(transport, set_sides(flows, a, m, t, unserved, transport));
}

/* Raises what is unserved of a workload until traffic m can move. */
static bool raise_unserved(struct flows *flows, int32_t a, int32_t m, int32_t t)
{
    struct iso_transport transport __attribute__((cleanup(iso_transport_fini))) = {0};
    const struct iso_workload *workload = &flows->f->problem->workloads[a];
    iso_decimal *unserved = unserved_at(flows, a, t);
    iso_decimal low = *unserved, high = workload->required[t]; /* enough */

    if (!open_transport(flows, a, m, t, &transport))
        return false;
    if (shortage(flows, a, m, t, low, &transport) == 0)
        return true;
    while (high - low > 1) { /* at low it is not enough */
        iso_decimal middle = low + (high - low) / 2;
        if (shortage(flows, a, m, t, middle, &transport) == 0)
            high = middle;
        else
            low = middle;
    }
    *unserved = high;
    return true;
}

/* Unserved demand of the point counts where it is more than the instances ask for: of two workloads
 * that cannot reach each other, either may stay unserved. */
static void take_from_point(struct flows *flows)
{
    const struct iso_mip *mip = &flows->f->mip;

    for (int32_t j = 0; j < mip->n_columns; j++) {
        const struct iso_mip_column *column = &mip->columns[j];
        if (column->kind != ISO_COLUMN_UNSERVED || !flows->served[column->a])
            continue;
        iso_decimal required = flows->f->problem->workloads[column->a].required[column->b];
        iso_decimal *unserved = unserved_at(flows, column->a, column->b);
        double value = ceil(flows->x[j] * 1e9 - 0.5);
        if (flows->x[j] <= iso_value(*unserved) + NOISE * (1 + iso_value(required)))
            continue;
        *unserved = value < (double)required ? (iso_decimal)value : required;
    }
}

static enum iso_status settle_unserved(struct flows *flows, struct iso_error *reterr)
{
    const struct iso_problem *problem = flows->f->problem;
    struct iso_plan *plan = flows->plan;

    take_from_point(flows);
    for (int pass = 0; pass < 2; pass++) /* dependencies look at what others leave unserved */
        for (int32_t a = 0; a < problem->n_workloads; a++)
            for (int32_t m = 0; m < problem->workloads[a].n_traffic; m++)
                for (int32_t t = 0; t < problem->n_periods; t++)
                    if ((problem->workloads[a].traffic[m].other >= 0) == (pass == 1) &&
                        problem->workloads[a].service != ISO_SERVICE_MUST &&
                        !raise_unserved(flows, a, m, t))
                        return no_memory(reterr);
    plan->n_unserved = 0;
    free(plan->unserved);
    plan->unserved = NULL;
    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t t = 0; t < problem->n_periods; t++) {
            struct iso_unserved unserved = {a, t, *unserved_at(flows, a, t)};
            if (unserved.amount > 0 &&
                !iso_append(&plan->unserved, &plan->n_unserved, sizeof(unserved), &unserved))
                return no_memory(reterr);
        }
    return ISO_OK;
}

/* The point's flows of one traffic and period, from column *io_next on: columns come in the order
 * of workload, traffic, period and route. */
static void take_flows(const struct flows *flows, int32_t a, int32_t m, int32_t t, int32_t *io_next,
                       struct iso_transport *transport)
{
    const struct iso_mip *mip = &flows->f->mip;

    for (; *io_next < mip->n_columns; ++*io_next) {
        const struct iso_mip_column *column = &mip->columns[*io_next];
        if (column->kind != ISO_COLUMN_FLOW)
            continue;
        if (column->a != a || column->b != m || column->c != t)
            return;
        double value = flows->x[*io_next], whole = round(value);
        if (fabs(value - whole) < 1e-9 * (1 + fabs(value)))
            value = whole;
        transport->flow[column->d] = (iso_decimal)floor(fmax(0, value) * 1e9 + 0.5);
    }
}

static enum iso_status add_flows(struct flows *flows, int32_t a, int32_t m, int32_t t,
                                 int32_t *io_next, struct iso_error *reterr)
{
    struct iso_transport transport __attribute__((cleanup(iso_transport_fini))) = {0};
    struct iso_plan *plan = flows->plan;

    if (!open_transport(flows, a, m, t, &transport))
        return no_memory(reterr);
    take_flows(flows, a, m, t, io_next, &transport);
    iso_transport_send(&transport,
                       set_sides(flows, a, m, t, *unserved_at(flows, a, t), &transport));
    for (int32_t i = 0; i < transport.n_sources * transport.n_places; i++) {
        struct iso_flow flow = {a, m, i, t, transport.flow[i]};
        if (flow.amount > 0 && !iso_append(&plan->flows, &plan->n_flows, sizeof(flow), &flow))
            return no_memory(reterr);
    }
    return ISO_OK;
}

static int by_flow(const void *left, const void *right)
{
    const struct iso_flow *a = left, *b = right;
    const int32_t keys[][2] = {{a->period, b->period},
                               {a->workload, b->workload},
                               {a->traffic, b->traffic},
                               {a->route, b->route}};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(keys); i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return 0;
}

void iso_sort_flows(struct iso_plan *plan)
{
    if (plan->n_flows > 0)
        qsort(plan->flows, (size_t)plan->n_flows, sizeof(*plan->flows), by_flow);
}

enum iso_status iso_extract_flows(const struct iso_formulation *f, const double *x,
                                  struct iso_plan *plan, struct iso_error *reterr)
{
    struct flows flows __attribute__((cleanup(flows_fini))) = {.f = f, .x = x, .plan = plan};
    int32_t next = 0;
    bool any = false;

    for (int32_t a = 0; a < f->problem->n_workloads; a++)
        any |= f->problem->workloads[a].n_traffic > 0;
    if (!any)
        return ISO_OK;
    if (!flows_init(&flows))
        return no_memory(reterr);
    ISO_TRY(settle_unserved(&flows, reterr));
    for (int32_t a = 0; a < f->problem->n_workloads; a++)
        for (int32_t m = 0; m < f->problem->workloads[a].n_traffic; m++)
            for (int32_t t = 0; t < f->problem->n_periods; t++)
                ISO_TRY(add_flows(&flows, a, m, t, &next, reterr));
    iso_sort_flows(plan);
    return ISO_OK;
}

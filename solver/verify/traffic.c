/* What goes along the routes of traffic m of a workload in a period. With s_r what is served in
 * region r, S = max(0, D - u), and parts P_k = floor((share_0 + .. + share_k) S) - (those before):
 *
 *   traffic      sum_r fl_kr = P_k
 *                sum_k fl_kr <= s_r, 0 where s_r is, otherwise + sources * (floor(D * 1e-9) + 2)
 *   dependency   sum_kr fl_kr = max(0, floor(D_i - u_i - D_i u_j / D_j)), 0 where D_j = 0
 *                sum_r fl_kr <= s_i in the region of source k
 *                sum_k fl_kr <= ceil(D_i min(s_j, D_j) / D_j), s_j in region r
 *
 * in units of 1e-9; and only routes within the latency cap carry anything. An EGRESS line bills a
 * flow in a direction: GB = round(flow * GB a unit * h_t), cost = round(GB * price * rate). */
#include "verifier.h"

static const struct iso_traffic *traffic_of(const struct iso_verifier *v,
                                            const struct iso_flow *flow)
{
    return &v->problem->workloads[flow->workload].traffic[flow->traffic];
}

static bool is_after(const struct iso_flow *before, const struct iso_flow *flow)
{
    const int32_t keys[][2] = {{before->period, flow->period},
                               {before->workload, flow->workload},
                               {before->traffic, flow->traffic},
                               {before->route, flow->route}};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(keys); i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1];
    return false;
}

enum iso_status iso_verify_read_flows(const struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;

    for (int32_t i = 0; i < v->plan->n_flows; i++) {
        const struct iso_flow *flow = &v->plan->flows[i];
        if (flow->workload < 0 || flow->workload >= problem->n_workloads || flow->period < 0 ||
            flow->period >= problem->n_periods || flow->traffic < 0 ||
            flow->traffic >= problem->workloads[flow->workload].n_traffic || flow->route < 0 ||
            flow->route >= traffic_of(v, flow)->n_routes)
            return iso_verify_fail(v, "flows", i, "", "has an index that is out of range");
        if (flow->amount <= 0)
            return iso_verify_fail(v, "flows", i, "amount", "must be above 0");
        if (i > 0 && !is_after(flow - 1, flow))
            return iso_verify_fail(v, "flows", i, "", "is out of order or there twice");
        if (traffic_of(v, flow)->maximum_latency != ISO_UNKNOWN &&
            traffic_of(v, flow)->routes[flow->route].latency > traffic_of(v, flow)->maximum_latency)
            return iso_verify_fail(v, "flows", i, "route", "is longer than %s allows",
                                   traffic_of(v, flow)->id);
    }
    return ISO_OK;
}

/* One traffic in one period. */
struct sides {
    const struct iso_verifier *v;
    int32_t a, m, t;
    iso_wide *sent;     /* by source */
    iso_wide *received; /* by region */
    iso_wide total;
};

static iso_wide served_in(const struct iso_verifier *v, int32_t a, int32_t t, int32_t region)
{
    size_t at = iso_verify_at(v, a, t);
    iso_wide sum = 0;

    for (int32_t i = v->first_part[at]; i < v->first_part[at + 1]; i++) {
        const struct iso_option *option = &v->problem->workloads[a].options[v->parts[i].option];
        if (v->problem->offerings[option->offering].region == region)
            sum += v->parts[i].served;
    }
    return sum;
}

static enum iso_status fail(const struct sides *sides, const char *what, iso_wide found,
                            iso_wide wanted)
{
    const struct iso_problem *problem = sides->v->problem;

    return iso_verify_fail(
        sides->v, "flows", -1, "", "%s in period %s: %.12g %s; the plan makes it %.12g",
        problem->workloads[sides->a].traffic[sides->m].id, problem->periods[sides->t].id,
        (double)found / 1e9, what, (double)wanted / 1e9);
}

/* Demand from sources: each sends its part. */
static enum iso_status check_traffic(const struct sides *sides)
{
    const struct iso_verifier *v = sides->v;
    const struct iso_workload *workload = &v->problem->workloads[sides->a];
    const struct iso_traffic *traffic = &workload->traffic[sides->m];
    iso_wide served =
        (iso_wide)workload->demand[sides->t] - v->unserved[iso_verify_at(v, sides->a, sides->t)];
    iso_wide shares = 0, before = 0;

    if (served < 0)
        served = 0;
    for (int32_t k = 0; k < traffic->n_sources; k++) {
        shares += traffic->sources[k].share;
        iso_wide upto = served * shares / ISO_DECIMAL_ONE;
        if (sides->sent[k] != upto - before)
            return fail(sides, "goes out from a source", sides->sent[k], upto - before);
        before = upto;
    }
    iso_wide slack = (workload->demand[sides->t] / ISO_DECIMAL_ONE + 2) * traffic->n_sources;
    for (int32_t r = 0; r < v->problem->n_regions; r++) {
        iso_wide most = sides->received[r] > 0 ? served_in(v, sides->a, sides->t, r) : 0;
        if (sides->received[r] > (most > 0 ? most + slack : 0))
            return fail(sides, "comes into a region", sides->received[r], most);
    }
    return ISO_OK;
}

static enum iso_status check_dependency(const struct sides *sides)
{
    const struct iso_verifier *v = sides->v;
    const struct iso_traffic *traffic = &v->problem->workloads[sides->a].traffic[sides->m];
    iso_wide mine = v->problem->workloads[sides->a].demand[sides->t];
    iso_wide its = v->problem->workloads[traffic->other].demand[sides->t], total = 0;

    if (its > 0 && mine > 0)
        total = mine - v->unserved[iso_verify_at(v, sides->a, sides->t)] -
                iso_wide_divide(mine * v->unserved[iso_verify_at(v, traffic->other, sides->t)], its,
                                ISO_ROUND_UP);
    if (total < 0)
        total = 0;
    if (sides->total != total)
        return fail(sides, "moves in all", sides->total, total);
    for (int32_t k = 0; k < traffic->n_sources; k++) {
        iso_wide most = served_in(v, sides->a, sides->t, traffic->sources[k].place);
        if (sides->sent[k] > most)
            return fail(sides, "goes out of a region", sides->sent[k], most);
    }
    for (int32_t r = 0; r < v->problem->n_regions; r++) {
        if (sides->received[r] == 0)
            continue;
        iso_wide served = served_in(v, traffic->other, sides->t, r);
        iso_wide most = iso_wide_divide(mine * (served < its ? served : its), its, ISO_ROUND_UP);
        if (sides->received[r] > most)
            return fail(sides, "comes into a region", sides->received[r], most);
    }
    return ISO_OK;
}

/* Adds up the flows from *io_next on that are of this traffic and period. */
static void gather(struct sides *sides, int32_t *io_next)
{
    const struct iso_verifier *v = sides->v;

    for (; *io_next < v->plan->n_flows; ++*io_next) {
        const struct iso_flow *flow = &v->plan->flows[*io_next];
        const struct iso_route *route = &traffic_of(v, flow)->routes[flow->route];
        if (flow->workload != sides->a || flow->traffic != sides->m || flow->period != sides->t)
            return;
        sides->sent[route->source] += flow->amount;
        sides->received[route->region] += flow->amount;
        sides->total += flow->amount;
    }
}

static enum iso_status check_one(struct iso_verifier *v, int32_t a, int32_t m, int32_t t,
                                 int32_t *io_next)
{
    const struct iso_traffic *traffic = &v->problem->workloads[a].traffic[m];
    ISO_AUTO_MEM iso_wide *sent = iso_calloc((size_t)traffic->n_sources, sizeof(*sent));
    ISO_AUTO_MEM iso_wide *received = iso_calloc((size_t)v->problem->n_regions, sizeof(*received));
    struct sides sides = {v, a, m, t, sent, received, 0};

    if (!sent || !received)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory to verify a plan");
    gather(&sides, io_next);
    v->verdict.rules_checked++;
    return traffic->other < 0 ? check_traffic(&sides) : check_dependency(&sides);
}

enum iso_status iso_verify_flows(struct iso_verifier *v)
{
    int32_t next = 0;

    for (int32_t t = 0; t < v->problem->n_periods; t++)
        for (int32_t a = 0; a < v->problem->n_workloads; a++)
            for (int32_t m = 0; m < v->problem->workloads[a].n_traffic; m++)
                ISO_TRY(check_one(v, a, m, t, &next));
    return ISO_OK; /* flows are sorted and in range, so none is left */
}

/* --- money --- */

/* GB of a flow in a direction, and their price, what they cost in `currency`. False when out of
 * range. */
static bool bill(const struct iso_verifier *v, const struct iso_flow *flow, int direction,
                 int32_t currency, iso_decimal *ret_gb, iso_decimal *ret_cost)
{
    const struct iso_traffic *traffic = traffic_of(v, flow);
    const struct iso_route *route = &traffic->routes[flow->route];
    iso_decimal rate =
        iso_problem_rate(v->problem, route->currency[direction], currency, flow->period);

    return iso_decimal_product((const iso_decimal[]){flow->amount, traffic->gb[direction],
                                                     v->problem->periods[flow->period].hours},
                               3, ret_gb) &&
           iso_decimal_product((const iso_decimal[]){*ret_gb, route->price[direction], rate}, 3,
                               ret_cost);
}

enum iso_status iso_verify_egress_line(const struct iso_verifier *v, int32_t i,
                                       struct iso_line *ret_wanted)
{
    const struct iso_problem *problem = v->problem;
    const struct iso_line *line = &v->plan->lines[i];

    if (line->start < 0 || line->start / 2 >= v->plan->n_flows)
        return iso_verify_fail(v, "lines", i, "start", "is %d; there are %d flows", line->start,
                               v->plan->n_flows);
    const struct iso_flow *flow = &v->plan->flows[line->start / 2];
    const struct iso_route *route = &traffic_of(v, flow)->routes[flow->route];
    int direction = line->start % 2;
    *ret_wanted = (struct iso_line){.kind = ISO_LINE_EGRESS,
                                    .period = flow->period,
                                    .cell = iso_problem_cell(problem, flow->workload),
                                    .offering = -1,
                                    .product = -1,
                                    .start = line->start,
                                    .unit_price = route->price[direction],
                                    .currency = route->currency[direction],
                                    .rate = iso_problem_rate(problem, route->currency[direction],
                                                             problem->base_currency, flow->period),
                                    .n_periods = 1};
    if (!bill(v, flow, direction, problem->base_currency, &ret_wanted->quantity, &ret_wanted->cost))
        return iso_verify_fail(v, "lines", i, "cost", "is out of range");
    return ISO_OK;
}

int64_t iso_verify_count_egress_lines(const struct iso_verifier *v)
{
    int64_t n = 0;

    for (int32_t i = 0; i < 2 * v->plan->n_flows; i++) {
        const struct iso_flow *flow = &v->plan->flows[i / 2];
        iso_decimal gb = 0, cost;
        bool in_range = bill(v, flow, i % 2, v->problem->base_currency, &gb, &cost);
        n += in_range && gb > 0 && traffic_of(v, flow)->routes[flow->route].price[i % 2] > 0;
    }
    return n;
}

/* A point's flows are exact up to a few 1e-9 of what they carry: `slack`, in half units of 1e-9. */
bool iso_verify_egress_spend(const struct iso_verifier *v, const struct iso_budget *budget,
                             const struct iso_window *window, iso_wide *io_sum, iso_wide *io_slack)
{
    const struct iso_problem *problem = v->problem;

    for (int32_t i = 0; i < 2 * v->plan->n_flows; i++) {
        const struct iso_flow *flow = &v->plan->flows[i / 2];
        const struct iso_traffic *traffic = traffic_of(v, flow);
        const struct iso_route *route = &traffic->routes[flow->route];
        struct iso_flow unit = *flow;
        int32_t sender = i % 2 == 0 ? traffic->sources[route->source].place : route->region;
        iso_decimal gb, cost, whole;
        if (!window->periods[flow->period] || !budget->places || !budget->places[sender] ||
            !budget->cells[iso_problem_cell(problem, flow->workload)])
            continue;
        unit.amount = ISO_DECIMAL_ONE;
        if (!bill(v, flow, i % 2, window->currency, &gb, &cost) ||
            !bill(v, &unit, i % 2, window->currency, &gb, &whole))
            return false;
        *io_sum += cost;
        *io_slack += 2 * (whole / ISO_DECIMAL_ONE + 2) + route->price[i % 2] / ISO_DECIMAL_ONE;
    }
    return true;
}

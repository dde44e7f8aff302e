/* The bill, line by line and to the last 1e-9.
 *
 *   INSTANCE  (quantity - covered) * price_ot * h_t * rate        one a (cell, offering, period)
 *   FEE       held_ct * fee_c * h_t * rate                        one a (product, period)
 *   UPFRONT   quantity * upfront_c * rate * inside / term_hours   one a purchase
 *   MOVE      count * cost of one, base currency                  one a kind
 *   VOLUME    see volumes.c                                       one a step that is reached
 *   EGRESS    see traffic.c                                       one a flow and direction
 *
 * each rounded once, half to even; rate = rate(currency -> base) in the line's period. FEE,
 * UPFRONT, MOVE and EGRESS lines are there exactly when both the quantity and the unit price are
 * above 0. */
#include "verifier.h"

#include <stdio.h>

static enum iso_status check_line(const struct iso_verifier *v, int32_t i,
                                  const struct iso_line *wanted)
{
    const struct iso_line *line = &v->plan->lines[i];
    const struct {
        const char *name;
        int64_t found, wanted;
        bool decimal;
    } fields[] = {
        {"kind", (int64_t)line->kind, (int64_t)wanted->kind, false},
        {"period", line->period, wanted->period, false},
        {"cell", line->cell, wanted->cell, false},
        {"offering", line->offering, wanted->offering, false},
        {"product", line->product, wanted->product, false},
        {"start", line->start, wanted->start, false},
        {"currency", line->currency, wanted->currency, false},
        {"quantity", line->quantity, wanted->quantity, true},
        {"covered", line->covered, wanted->covered, true},
        {"unit_price", line->unit_price, wanted->unit_price, true},
        {"hours", line->hours, wanted->hours, true},
        {"rate", line->rate, wanted->rate, true},
        {"served", line->served, wanted->served, true},
        {"cost", line->cost, wanted->cost, true},
    };

    for (size_t k = 0; k < ISO_ARRAY_LENGTH(fields); k++) {
        char found[ISO_DECIMAL_TEXT_SIZE], right[ISO_DECIMAL_TEXT_SIZE];
        if (fields[k].found == fields[k].wanted)
            continue;
        if (fields[k].decimal) {
            iso_decimal_format(fields[k].found, found);
            iso_decimal_format(fields[k].wanted, right);
        } else {
            snprintf(found, sizeof(found), "%lld", (long long)fields[k].found);
            snprintf(right, sizeof(right), "%lld", (long long)fields[k].wanted);
        }
        return iso_verify_fail(v, "lines", i, fields[k].name, "is %s; the plan makes it %s", found,
                               right);
    }
    return ISO_OK;
}

static enum iso_status out_of_range(const struct iso_verifier *v, int32_t i)
{
    return iso_verify_fail(v, "lines", i, "cost", "is out of range");
}

static enum iso_status check_instance(const struct iso_verifier *v, int32_t i,
                                      const struct iso_verify_usage *usage)
{
    const struct iso_problem *problem = v->problem;
    const struct iso_offering *offering = &problem->offerings[usage->offering];
    struct iso_line wanted = {
        .kind = ISO_LINE_INSTANCE,
        .period = usage->period,
        .cell = usage->cell,
        .offering = usage->offering,
        .product = -1,
        .start = -1,
        .quantity = usage->count * ISO_DECIMAL_ONE,
        .unit_price = iso_problem_price(problem, usage->offering, usage->period),
        .currency = offering->currency,
        .hours = problem->periods[usage->period].hours,
        .rate =
            iso_problem_rate(problem, offering->currency, problem->base_currency, usage->period),
        .served = (iso_decimal)usage->served};

    for (int32_t k = 0; k < usage->n_covers; k++)
        wanted.covered += v->plan->covers[v->cover_order[usage->first_cover + k]].instances;
    if (!iso_decimal_product((iso_decimal[]){wanted.quantity - wanted.covered, wanted.unit_price,
                                             wanted.hours, wanted.rate},
                             4, &wanted.cost))
        return out_of_range(v, i);
    return check_line(v, i, &wanted);
}

static enum iso_status check_fee(const struct iso_verifier *v, int32_t i)
{
    const struct iso_problem *problem = v->problem;
    const struct iso_line *line = &v->plan->lines[i];
    const struct iso_product *product = &problem->products[line->product];
    struct iso_line wanted = {
        .kind = ISO_LINE_FEE,
        .period = line->period,
        .cell = -1,
        .offering = -1,
        .product = line->product,
        .start = -1,
        .quantity = (iso_decimal)iso_verify_held(v, line->product, line->period),
        .unit_price = product->fee,
        .currency = product->currency,
        .hours = problem->periods[line->period].hours,
        .rate = iso_problem_rate(problem, product->currency, problem->base_currency, line->period)};

    if (!iso_decimal_product(
            (iso_decimal[]){wanted.quantity, wanted.unit_price, wanted.hours, wanted.rate}, 4,
            &wanted.cost))
        return out_of_range(v, i);
    return check_line(v, i, &wanted);
}

static enum iso_status check_upfront(const struct iso_verifier *v, int32_t i)
{
    const struct iso_problem *problem = v->problem;
    const struct iso_line *line = &v->plan->lines[i];
    const struct iso_product *product = &problem->products[line->product];

    if (line->start < 0 || line->start >= product->n_starts)
        return iso_verify_fail(v, "lines", i, "start", "is %d; %s has %d starts", line->start,
                               product->id, product->n_starts);
    const struct iso_start *start = &product->starts[line->start];
    struct iso_line wanted = {
        .kind = ISO_LINE_UPFRONT,
        .period = start->period,
        .cell = -1,
        .offering = -1,
        .product = line->product,
        .start = line->start,
        .quantity = v->bought[v->first_start[line->product] + line->start] * ISO_DECIMAL_ONE,
        .unit_price = product->upfront,
        .currency = product->currency,
        .rate =
            iso_problem_rate(problem, product->currency, problem->base_currency, start->period)};

    if (!iso_verify_share_of_upfront(wanted.quantity, wanted.unit_price, wanted.rate,
                                     start->hours_inside, product->term_hours, &wanted.cost))
        return out_of_range(v, i);
    return check_line(v, i, &wanted);
}

static enum iso_status check_move(const struct iso_verifier *v, int32_t i)
{
    const struct iso_moves *moves = &v->problem->moves;
    const struct iso_line *line = &v->plan->lines[i];
    const iso_wide counts[] = {v->starts, v->stops, v->moves};
    const iso_decimal costs[] = {moves->start_cost, moves->stop_cost, moves->move_cost};

    if (line->start < ISO_MOVE_START || line->start > ISO_MOVE_MOVE)
        return iso_verify_fail(v, "lines", i, "start", "is %d; it must be in [0, 2]", line->start);
    struct iso_line wanted = {.kind = ISO_LINE_MOVE,
                              .period = 0,
                              .cell = -1,
                              .offering = -1,
                              .product = -1,
                              .start = line->start,
                              .unit_price = costs[line->start],
                              .currency = v->problem->base_currency,
                              .rate = ISO_DECIMAL_ONE};
    if (!iso_wide_to_decimal(counts[line->start] * ISO_DECIMAL_ONE, &wanted.quantity) ||
        !iso_wide_to_decimal(counts[line->start] * costs[line->start], &wanted.cost))
        return out_of_range(v, i);
    return check_line(v, i, &wanted);
}

static enum iso_status check_volume(const struct iso_verifier *v, int32_t i)
{
    struct iso_line wanted;

    ISO_TRY(iso_verify_volume_line(v, i, &wanted));
    return check_line(v, i, &wanted);
}

static enum iso_status check_egress(const struct iso_verifier *v, int32_t i)
{
    struct iso_line wanted;

    ISO_TRY(iso_verify_egress_line(v, i, &wanted));
    return check_line(v, i, &wanted);
}

/* Strictly rising by (period, kind, cell, offering, product, start). */
static bool in_order(const struct iso_line *a, const struct iso_line *b)
{
    const int64_t keys[][2] = {{a->period, b->period},   {(int64_t)a->kind, (int64_t)b->kind},
                               {a->cell, b->cell},       {a->offering, b->offering},
                               {a->product, b->product}, {a->start, b->start}};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(keys); i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1];
    return false;
}

/* How many lines there must be besides instances. */
static int64_t count_other_lines(const struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;
    const struct iso_moves *moves = &problem->moves;
    int64_t n = iso_verify_count_volume_lines(v) + iso_verify_count_egress_lines(v);

    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t t = 0; t < problem->n_periods; t++)
            n += problem->products[c].fee > 0 && iso_verify_held(v, c, t) > 0;
    for (int32_t i = 0; i < v->plan->n_purchases; i++)
        n += problem->products[v->plan->purchases[i].product].upfront > 0;
    n += v->starts > 0 && moves->start_cost > 0;
    n += v->stops > 0 && moves->stop_cost > 0;
    n += v->moves > 0 && moves->move_cost > 0;
    return n;
}

static enum iso_status check_lines(struct iso_verifier *v)
{
    const struct iso_plan *plan = v->plan;
    int32_t next_usage = 0;
    bool volumes = false;
    iso_wide sum = 0;

    for (int32_t i = 0; i < plan->n_lines; i++) {
        const struct iso_line *line = &plan->lines[i];
        bool of_product = line->kind == ISO_LINE_FEE || line->kind == ISO_LINE_UPFRONT;
        if (i > 0 && !in_order(line - 1, line))
            return iso_verify_fail(v, "lines", i, "", "is out of order or there twice");
        if (line->period < 0 || line->period >= v->problem->n_periods ||
            (of_product && (line->product < 0 || line->product >= v->problem->n_products)))
            return iso_verify_fail(v, "lines", i, "", "has an index that is out of range");
        if (line->kind == ISO_LINE_INSTANCE) {
            if (next_usage == v->n_usages)
                return iso_verify_fail(v, "lines", i, "", "bills instances that do not run");
            ISO_TRY(check_instance(v, i, &v->usages[next_usage++]));
        } else if (line->kind == ISO_LINE_FEE) {
            ISO_TRY(check_fee(v, i));
        } else if (line->kind == ISO_LINE_UPFRONT) {
            ISO_TRY(check_upfront(v, i));
        } else if (line->kind == ISO_LINE_MOVE) {
            ISO_TRY(check_move(v, i));
        } else if (line->kind == ISO_LINE_EGRESS) {
            ISO_TRY(check_egress(v, i));
        } else if (line->kind == ISO_LINE_VOLUME) {
            volumes = true;
        } else {
            return iso_verify_fail(v, "lines", i, "kind", "is %d", (int)line->kind);
        }
        if (line->kind != ISO_LINE_INSTANCE && line->kind != ISO_LINE_VOLUME &&
            (line->quantity <= 0 || line->unit_price <= 0))
            return iso_verify_fail(v, "lines", i, "", "bills nothing");
        sum += line->cost;
    }
    for (int32_t i = 0; i < plan->n_lines && volumes; i++) /* instances are checked by now */
        if (plan->lines[i].kind == ISO_LINE_VOLUME)
            ISO_TRY(check_volume(v, i));
    if (next_usage != v->n_usages || plan->n_lines - next_usage != count_other_lines(v))
        return iso_verify_fail(v, "lines", -1, "", "%d lines bill less than the plan runs and buys",
                               plan->n_lines);
    if (sum != plan->cost)
        return iso_verify_fail(v, "cost", -1, "", "is %.9f; the lines add up to %.9f",
                               (double)plan->cost / 1e9, (double)sum / 1e9);
    return ISO_OK;
}

static bool add_penalty(iso_wide *sum, iso_wide amount, iso_decimal price, iso_decimal hours)
{
    iso_decimal narrow, term;

    if (!iso_wide_to_decimal(amount, &narrow) ||
        !iso_decimal_product((iso_decimal[]){narrow, price, hours}, 3, &term))
        return false;
    *sum += term;
    return true;
}

/* penalties = sum price * violation * h_t (SOFT limits) + sum price * violation (SOFT budgets)
 *           + sum penalty * h_t * u, as far as it counts (workloads with a penalty), each term
 *             rounded once. */
static enum iso_status check_penalties(struct iso_verifier *v)
{
    const struct iso_problem *problem = v->problem;
    iso_wide sum = 0;
    bool in_range = true;

    for (int32_t t = 0; t < problem->n_periods; t++) {
        iso_decimal hours = problem->periods[t].hours;
        for (int32_t l = 0; l < problem->n_limits; l++)
            if (problem->limits[l].policy == ISO_POLICY_SOFT)
                in_range &= add_penalty(&sum, v->limit_violations[iso_verify_at(v, l, t)],
                                        problem->limits[l].price, hours);
        for (int32_t a = 0; a < problem->n_workloads; a++)
            if (problem->workloads[a].service == ISO_SERVICE_PENALTY)
                in_range &= add_penalty(&sum, v->counted[iso_verify_at(v, a, t)],
                                        problem->workloads[a].penalty, hours);
    }
    for (int32_t b = 0; b < problem->n_budgets; b++)
        for (int32_t w = v->first_window[b]; w < v->first_window[b + 1]; w++)
            if (problem->budgets[b].policy == ISO_POLICY_SOFT)
                in_range &= add_penalty(&sum, v->budget_violations[w], problem->budgets[b].price,
                                        ISO_DECIMAL_ONE);
    if (!in_range || sum != v->plan->penalties)
        return iso_verify_fail(v, "penalties", -1, "", "is %.9f; the plan makes it %.9f",
                               (double)v->plan->penalties / 1e9, (double)sum / 1e9);
    return ISO_OK;
}

enum iso_status iso_verify_bill(struct iso_verifier *v)
{
    ISO_TRY(check_lines(v));
    return check_penalties(v);
}

/* The bill, line by line and to the last 1e-9.
 *
 *   INSTANCE  (quantity - covered) * price_ot * h_t * rate        one a (cell, offering, run)
 *   FEE       held_ct * fee_c * h_t * rate                        one a (product, run)
 *   UPFRONT   quantity * upfront_c * rate * inside / term_hours   one a purchase
 *   MOVE      count * cost of one, base currency                  one a kind
 *   VOLUME    see volumes.c                                       one a step that is reached
 *   EGRESS    see traffic.c                                       one a flow and direction
 *
 * each rounded once, half to even; rate = rate(currency -> base) in the line's period. FEE,
 * UPFRONT, MOVE and EGRESS lines are there exactly when both the quantity and the unit price are
 * above 0.
 *
 * A run is a longest row of periods, one right after the other, that are alike: for instances in
 * their number, in what each product covers of them, in price, hours and rate; for fees in what is
 * held, hours and rate; and in one scenario. It costs as often what one of its periods does. The
 * instances of a pool are alike in no two periods. */
#include "verifier.h"

#include <stdio.h>

struct bill {
    struct iso_verifier *v;
    int32_t *next;   /* of each usage: that of the next period in its place if alike, else -1 */
    uint8_t *billed; /* of each usage */
    int32_t first;   /* no usage before it is still to be billed */
};

/* Says what is wrong with a line. */
static enum iso_status fail_line(const struct iso_verifier *v, int32_t i,
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
        {"n_periods", line->n_periods, wanted->n_periods, false},
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

static enum iso_status check_line(const struct iso_verifier *v, int32_t i,
                                  const struct iso_line *wanted)
{
    const struct iso_line *line = &v->plan->lines[i];
    bool same = line->kind == wanted->kind && line->period == wanted->period &&
                line->cell == wanted->cell && line->offering == wanted->offering &&
                line->product == wanted->product && line->start == wanted->start &&
                line->currency == wanted->currency && line->quantity == wanted->quantity &&
                line->covered == wanted->covered && line->unit_price == wanted->unit_price &&
                line->hours == wanted->hours && line->rate == wanted->rate &&
                line->served == wanted->served && line->n_periods == wanted->n_periods &&
                line->cost == wanted->cost;

    return same ? ISO_OK : fail_line(v, i, wanted);
}

static enum iso_status out_of_range(const struct iso_verifier *v, int32_t i)
{
    return iso_verify_fail(v, "lines", i, "cost", "is out of range");
}

static bool same_time(const struct iso_problem *problem, int32_t currency, int32_t a, int32_t b)
{
    return iso_problem_scenario(problem, a) == iso_problem_scenario(problem, b) &&
           problem->periods[a].hours == problem->periods[b].hours &&
           iso_problem_rate(problem, currency, problem->base_currency, a) ==
               iso_problem_rate(problem, currency, problem->base_currency, b);
}

static bool same_covers(const struct iso_verifier *v, const struct iso_verify_usage *a,
                        const struct iso_verify_usage *b)
{
    if (a->n_covers != b->n_covers)
        return false;
    for (int32_t k = 0; k < a->n_covers; k++) { /* both by product */
        const struct iso_cover *one = &v->plan->covers[v->cover_order[a->first_cover + k]];
        const struct iso_cover *other = &v->plan->covers[v->cover_order[b->first_cover + k]];
        if (one->product != other->product || one->instances != other->instances)
            return false;
    }
    return true;
}

static bool alike(const struct iso_verifier *v, const struct iso_verify_usage *a,
                  const struct iso_verify_usage *b)
{
    const struct iso_problem *problem = v->problem;

    return a->cell < problem->n_workloads && a->count == b->count && a->served == b->served &&
           iso_problem_price(problem, a->offering, a->period) ==
               iso_problem_price(problem, b->offering, b->period) &&
           same_time(problem, problem->offerings[a->offering].currency, a->period, b->period) &&
           same_covers(v, a, b);
}

/* Usages are sorted by (period, cell, offering): those of two periods are two lists in one order.
 */
static void link_usages(const struct bill *bill)
{
    const struct iso_verify_usage *usages = bill->v->usages;
    int32_t later = 0;

    for (int32_t i = 0; i < bill->v->n_usages; i++) {
        const struct iso_verify_usage *own = &usages[i], *other;
        bill->next[i] = -1;
        for (; later < bill->v->n_usages; later++) {
            other = &usages[later];
            if (other->period > own->period + 1 ||
                (other->period == own->period + 1 &&
                 (other->cell > own->cell ||
                  (other->cell == own->cell && other->offering >= own->offering))))
                break;
        }
        if (later == bill->v->n_usages)
            continue;
        other = &usages[later];
        if (other->period == own->period + 1 && other->cell == own->cell &&
            other->offering == own->offering && alike(bill->v, own, other))
            bill->next[i] = later;
    }
}

/* Lines and usages have one order, so a line is of the first usage that no line before it has. */
static enum iso_status check_instance(struct bill *bill, int32_t i)
{
    const struct iso_verifier *v = bill->v;
    const struct iso_problem *problem = v->problem;

    while (bill->first < v->n_usages && bill->billed[bill->first])
        bill->first++;
    if (bill->first == v->n_usages)
        return iso_verify_fail(v, "lines", i, "", "bills instances that do not run");
    const struct iso_verify_usage *usage = &v->usages[bill->first];
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
    for (int32_t k = bill->first; k >= 0; k = bill->next[k]) {
        bill->billed[k] = 1;
        wanted.n_periods++;
    }
    if (!iso_decimal_product((iso_decimal[]){wanted.quantity - wanted.covered, wanted.unit_price,
                                             wanted.hours, wanted.rate},
                             4, &wanted.cost) ||
        !iso_wide_to_decimal((iso_wide)wanted.cost * wanted.n_periods, &wanted.cost))
        return out_of_range(v, i);
    return check_line(v, i, &wanted);
}

/* Whether the fee of period t + 1 is on the same line as that of t. */
static bool fee_goes_on(const struct iso_verifier *v, int32_t product, int32_t t)
{
    return t + 1 < v->problem->n_periods &&
           iso_verify_held(v, product, t) == iso_verify_held(v, product, t + 1) &&
           same_time(v->problem, v->problem->products[product].currency, t, t + 1);
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
        .quantity = iso_verify_held(v, line->product, line->period),
        .unit_price = product->fee,
        .currency = product->currency,
        .hours = problem->periods[line->period].hours,
        .rate = iso_problem_rate(problem, product->currency, problem->base_currency, line->period),
        .n_periods = 1};

    if (line->period > 0 && fee_goes_on(v, line->product, line->period - 1))
        return iso_verify_fail(v, "lines", i, "period", "is not where the fee changes");
    for (int32_t t = line->period; fee_goes_on(v, line->product, t); t++)
        wanted.n_periods++;
    if (!iso_decimal_product(
            (iso_decimal[]){wanted.quantity, wanted.unit_price, wanted.hours, wanted.rate}, 4,
            &wanted.cost) ||
        !iso_wide_to_decimal((iso_wide)wanted.cost * wanted.n_periods, &wanted.cost))
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
        .rate = iso_problem_rate(problem, product->currency, problem->base_currency, start->period),
        .n_periods = 1};

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
                              .rate = ISO_DECIMAL_ONE,
                              .n_periods = 1};
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
        for (int32_t t = 0; t < problem->n_periods && problem->products[c].fee > 0 && v->holds[c];
             t++)
            n += iso_verify_held(v, c, t) > 0 && (t == 0 || !fee_goes_on(v, c, t - 1));
    for (int32_t i = 0; i < v->plan->n_purchases; i++)
        n += problem->products[v->plan->purchases[i].product].upfront > 0;
    n += v->starts > 0 && moves->start_cost > 0;
    n += v->stops > 0 && moves->stop_cost > 0;
    n += v->moves > 0 && moves->move_cost > 0;
    return n;
}

static enum iso_status check_kind(struct bill *bill, int32_t i)
{
    const struct iso_verifier *v = bill->v;
    const struct iso_line *line = &v->plan->lines[i];
    bool of_product = line->kind == ISO_LINE_FEE || line->kind == ISO_LINE_UPFRONT;

    if (line->period < 0 || line->period >= v->problem->n_periods ||
        (of_product && (line->product < 0 || line->product >= v->problem->n_products)))
        return iso_verify_fail(v, "lines", i, "", "has an index that is out of range");
    switch ((int)line->kind) {
    case ISO_LINE_INSTANCE:
        return check_instance(bill, i);
    case ISO_LINE_FEE:
        return check_fee(v, i);
    case ISO_LINE_UPFRONT:
        return check_upfront(v, i);
    case ISO_LINE_MOVE:
        return check_move(v, i);
    case ISO_LINE_EGRESS:
        return check_egress(v, i);
    case ISO_LINE_VOLUME: /* when the instances are checked */
        return ISO_OK;
    default:
        return iso_verify_fail(v, "lines", i, "kind", "is %d", (int)line->kind);
    }
}

static enum iso_status check_lines(struct bill *bill)
{
    const struct iso_verifier *v = bill->v;
    const struct iso_plan *plan = v->plan;
    int64_t n_instances = 0;
    iso_wide sum = 0;

    for (int32_t i = 0; i < plan->n_lines; i++) {
        const struct iso_line *line = &plan->lines[i];
        if (i > 0 && !in_order(line - 1, line))
            return iso_verify_fail(v, "lines", i, "", "is out of order or there twice");
        ISO_TRY(check_kind(bill, i));
        if (line->kind != ISO_LINE_INSTANCE && line->kind != ISO_LINE_VOLUME &&
            (line->quantity <= 0 || line->unit_price <= 0))
            return iso_verify_fail(v, "lines", i, "", "bills nothing");
        n_instances += line->kind == ISO_LINE_INSTANCE;
        sum += line->cost;
    }
    for (int32_t i = 0; i < plan->n_lines; i++)
        if (plan->lines[i].kind == ISO_LINE_VOLUME)
            ISO_TRY(check_volume(v, i));
    while (bill->first < v->n_usages && bill->billed[bill->first])
        bill->first++;
    if (bill->first != v->n_usages || plan->n_lines - n_instances != count_other_lines(v))
        return iso_verify_fail(v, "lines", -1, "", "%d lines bill less than the plan runs and buys",
                               plan->n_lines);
    if (sum != plan->cost)
        return iso_verify_fail(v, "cost", -1, "", "is %.9f; the lines add up to %.9f",
                               (double)plan->cost / 1e9, (double)sum / 1e9);
    return ISO_OK;
}

enum iso_status iso_verify_bill(struct iso_verifier *v)
{
    ISO_AUTO_MEM int32_t *next = iso_calloc((size_t)v->n_usages, sizeof(*next));
    ISO_AUTO_MEM uint8_t *billed = iso_calloc((size_t)v->n_usages, sizeof(*billed));
    struct bill bill = {.v = v, .next = next, .billed = billed};

    if (!next || !billed)
        return iso_fail(v->reterr, ISO_E_NOMEM, "", "no memory to check a bill");
    link_usages(&bill);
    return check_lines(&bill);
}

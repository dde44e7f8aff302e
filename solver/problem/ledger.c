/* The bill of a plan.
 *
 *   INSTANCE  (quantity - covered) * price_ot * h_t * rate(cur(o) -> base, t)
 *   FEE       quantity * fee_c * h_t * rate(cur(c) -> base, t),  quantity = existing + bought, in
 * term UPFRONT   quantity * upfront_c * rate(cur(c) -> base, start) * hours_inside / term_hours
 *   MOVE      quantity * cost of one (base currency)
 *   EGRESS    quantity * price of a GB * rate,  quantity = round(flow * GB * h_t)
 *   VOLUME    quantity * (factor - 1) (base currency)
 *
 *   cost      = sum of the lines
 *   penalties = sum price * violation * h_t   (SOFT limits)
 *             + sum price * violation         (SOFT budgets)
 *             + sum penalty * u * h_t         (unserved demand with a penalty)
 *
 * Each product above, and each term of a budget's spend, is formed exactly and rounded once, half
 * to even, to 1e-9; sums of them are exact. */
#include "ledger_sums.h"

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_amounts(const void *left, const void *right)
{
    const struct iso_ledger_amount *a = left, *b = right;
    int order = compare(a->period, b->period);

    order = order ? order : compare(a->cell, b->cell);
    return order ? order : compare(a->offering, b->offering);
}

static int compare_covers(const void *left, const void *right)
{
    const struct iso_cover *a = left, *b = right;
    int order = compare(a->period, b->period);

    order = order ? order : compare(a->cell, b->cell);
    order = order ? order : compare(a->offering, b->offering);
    return order ? order : compare(a->product, b->product);
}

static int compare_lines(const void *left, const void *right)
{
    const struct iso_line *a = left, *b = right;
    int order = compare(a->period, b->period);

    order = order ? order : compare(a->kind, b->kind);
    order = order ? order : compare(a->cell, b->cell);
    order = order ? order : compare(a->offering, b->offering);
    order = order ? order : compare(a->product, b->product);
    return order ? order : compare(a->start, b->start);
}

static enum iso_status out_of_range(struct iso_error *reterr, const char *field)
{
    return iso_fail(reterr, ISO_E_INVALID, field,
                    "an amount is out of range; at most 9223372036.854775807 is allowed");
}

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the bill");
}

/* Whole things as a decimal. */
static bool whole(iso_wide count, iso_decimal *ret_value)
{
    return iso_wide_to_decimal(count * ISO_DECIMAL_ONE, ret_value);
}

static void gather_amounts(struct iso_ledger *ledger)
{
    const struct iso_problem *problem = ledger->problem;
    const struct iso_plan *plan = ledger->plan;
    struct iso_ledger_amount *all = ledger->amounts;
    int32_t n = 0, kept = 0;

    for (int32_t i = 0; i < plan->n_uses; i++) {
        const struct iso_use *use = &plan->uses[i];
        const struct iso_workload *workload = &problem->workloads[use->workload];
        int32_t option = iso_workload_find_option(workload, use->offering);
        iso_wide served = option < 0 ? 0 : (iso_wide)workload->options[option].served * use->count;
        all[n++] = (struct iso_ledger_amount){.period = use->period,
                                              .cell = use->workload,
                                              .offering = use->offering,
                                              .count = use->count,
                                              .served = served};
    }
    for (int32_t i = 0; i < plan->n_fills; i++) {
        const struct iso_fill *fill = &plan->fills[i];
        iso_wide replicas = 0;
        for (int32_t e = 0; e < fill->n_entries; e++)
            replicas += plan->entries[fill->first_entry + e].count;
        all[n++] =
            (struct iso_ledger_amount){.period = fill->period,
                                       .cell = problem->n_workloads + fill->team,
                                       .offering = fill->offering,
                                       .count = fill->instances,
                                       .served = replicas * ISO_DECIMAL_ONE * fill->instances};
    }
    qsort(all, (size_t)n, sizeof(*all), compare_amounts);
    for (int32_t i = 0; i < n; i++) {
        if (kept > 0 && compare_amounts(&all[kept - 1], &all[i]) == 0) {
            all[kept - 1].count += all[i].count;
            all[kept - 1].served += all[i].served;
        } else {
            all[kept++] = all[i];
        }
    }
    ledger->n_amounts = kept;
}

/* Sorts the covers and gives each amount its own. */
static void gather_covers(struct iso_ledger *ledger)
{
    int32_t n = ledger->plan->n_covers, next = 0;

    if (n > 0)
        memcpy(ledger->covers, ledger->plan->covers, (size_t)n * sizeof(*ledger->covers));
    qsort(ledger->covers, (size_t)n, sizeof(*ledger->covers), compare_covers);
    for (int32_t i = 0; i < ledger->n_amounts; i++) {
        struct iso_ledger_amount *amount = &ledger->amounts[i];
        for (; next < n; next++) {
            const struct iso_cover *cover = &ledger->covers[next];
            struct iso_ledger_amount place = {
                .period = cover->period, .cell = cover->cell, .offering = cover->offering};
            int order = compare_amounts(&place, amount);
            if (order > 0)
                break;
            if (order == 0 && amount->n_covers++ == 0)
                amount->first_cover = next;
        }
    }
}

/* Compares period 0 with the placement today; both are sorted by (cell, offering). */
static void count_moves(struct iso_ledger *ledger)
{
    const struct iso_moves *moves = &ledger->problem->moves;
    int32_t i = 0, j = 0;

    if (!moves->present)
        return;
    while ((i < ledger->n_amounts && ledger->amounts[i].period == 0) || j < moves->n_current) {
        const struct iso_ledger_amount *now =
            i < ledger->n_amounts && ledger->amounts[i].period == 0 ? &ledger->amounts[i] : NULL;
        const struct iso_current *then = j < moves->n_current ? &moves->current[j] : NULL;
        int order = !now ? 1 : !then ? -1 : compare(now->cell, then->cell);
        if (order == 0)
            order = compare(now->offering, then->offering);
        int64_t change = (order <= 0 ? now->count : 0) - (order >= 0 ? then->count : 0);
        *(change > 0 ? &ledger->starts : &ledger->stops) += change > 0 ? change : -change;
        i += order <= 0;
        j += order >= 0;
    }
    if (ledger->stops > moves->forced_stops)
        ledger->moves = ledger->stops - moves->forced_stops;
}

static enum iso_status add_instance_lines(struct iso_ledger *ledger, struct iso_error *reterr)
{
    const struct iso_problem *problem = ledger->problem;

    for (int32_t i = 0; i < ledger->n_amounts; i++) {
        const struct iso_ledger_amount *amount = &ledger->amounts[i];
        int32_t currency = problem->offerings[amount->offering].currency;
        struct iso_line line = {
            .kind = ISO_LINE_INSTANCE,
            .period = amount->period,
            .cell = amount->cell,
            .offering = amount->offering,
            .product = -1,
            .start = -1,
            .unit_price = iso_problem_price(problem, amount->offering, amount->period),
            .currency = currency,
            .hours = problem->periods[amount->period].hours,
            .rate = iso_problem_rate(problem, currency, problem->base_currency, amount->period)};
        if (!whole(amount->count, &line.quantity) ||
            !iso_wide_to_decimal(iso_ledger_covered(ledger, amount, NULL), &line.covered) ||
            !iso_wide_to_decimal(amount->served, &line.served) ||
            !iso_decimal_product((const iso_decimal[]){line.quantity - line.covered,
                                                       line.unit_price, line.hours, line.rate},
                                 4, &line.cost))
            return out_of_range(reterr, "lines");
        ledger->lines[ledger->n_lines++] = line;
    }
    return ISO_OK;
}

static enum iso_status add_product_lines(struct iso_ledger *ledger, struct iso_error *reterr)
{
    const struct iso_problem *problem = ledger->problem;

    for (int32_t c = 0; c < problem->n_products; c++) {
        const struct iso_product *product = &problem->products[c];
        for (int32_t t = 0; t < problem->n_periods && product->fee > 0; t++) {
            struct iso_line line = {
                .kind = ISO_LINE_FEE,
                .period = t,
                .cell = -1,
                .offering = -1,
                .product = c,
                .start = -1,
                .unit_price = product->fee,
                .currency = product->currency,
                .hours = problem->periods[t].hours,
                .rate = iso_problem_rate(problem, product->currency, problem->base_currency, t)};
            iso_wide quantity = iso_ledger_held(ledger, c, t);
            if (quantity == 0)
                continue;
            if (!iso_wide_to_decimal(quantity, &line.quantity) ||
                !iso_decimal_product(
                    (const iso_decimal[]){line.quantity, line.unit_price, line.hours, line.rate}, 4,
                    &line.cost))
                return out_of_range(reterr, "lines");
            ledger->lines[ledger->n_lines++] = line;
        }
    }
    for (int32_t i = 0; i < ledger->plan->n_purchases; i++) {
        const struct iso_purchase *purchase = &ledger->plan->purchases[i];
        const struct iso_product *product = &problem->products[purchase->product];
        const struct iso_start *start = &product->starts[purchase->start];
        if (product->upfront == 0)
            continue;
        struct iso_line line = {.kind = ISO_LINE_UPFRONT,
                                .period = start->period,
                                .cell = -1,
                                .offering = -1,
                                .product = purchase->product,
                                .start = purchase->start,
                                .unit_price = product->upfront,
                                .currency = product->currency,
                                .rate = iso_problem_rate(problem, product->currency,
                                                         problem->base_currency, start->period)};
        if (!whole(purchase->quantity, &line.quantity) ||
            !iso_ledger_amortised(purchase->quantity, product->upfront, line.rate,
                                  start->hours_inside, product->term_hours, &line.cost))
            return out_of_range(reterr, "lines");
        ledger->lines[ledger->n_lines++] = line;
    }
    return ISO_OK;
}

static enum iso_status add_move_lines(struct iso_ledger *ledger, struct iso_error *reterr)
{
    const struct iso_moves *moves = &ledger->problem->moves;
    const iso_wide counts[] = {ledger->starts, ledger->stops, ledger->moves};
    const iso_decimal costs[] = {moves->start_cost, moves->stop_cost, moves->move_cost};

    for (int kind = ISO_MOVE_START; kind <= ISO_MOVE_MOVE; kind++) {
        struct iso_line line = {.kind = ISO_LINE_MOVE,
                                .period = 0,
                                .cell = -1,
                                .offering = -1,
                                .product = -1,
                                .start = kind,
                                .unit_price = costs[kind],
                                .currency = ledger->problem->base_currency,
                                .rate = ISO_DECIMAL_ONE};
        if (counts[kind] == 0 || costs[kind] == 0)
            continue;
        if (!whole(counts[kind], &line.quantity) ||
            !iso_wide_to_decimal(counts[kind] * costs[kind], &line.cost))
            return out_of_range(reterr, "lines");
        ledger->lines[ledger->n_lines++] = line;
    }
    return ISO_OK;
}

static enum iso_status add_egress_lines(struct iso_ledger *ledger, struct iso_error *reterr)
{
    const struct iso_problem *problem = ledger->problem;

    for (int32_t i = 0; i < ledger->plan->n_flows * ISO_N_DIRECTIONS; i++) {
        const struct iso_flow *flow = &ledger->plan->flows[i / ISO_N_DIRECTIONS];
        struct iso_line *line = &ledger->lines[ledger->n_lines];
        if (!iso_ledger_egress(problem, flow, (enum iso_direction)(i % ISO_N_DIRECTIONS), line))
            return out_of_range(reterr, "lines");
        line->start = i;
        ledger->n_lines += line->quantity > 0 && line->unit_price > 0;
    }
    return ISO_OK;
}

enum iso_status iso_plan_account(const struct iso_problem *problem, struct iso_plan *plan,
                                 struct iso_error *reterr)
{
    size_t n_amounts = (size_t)plan->n_uses + (size_t)plan->n_fills;
    size_t n_lines = n_amounts + (size_t)problem->n_products * (size_t)problem->n_periods +
                     (size_t)plan->n_purchases + 3 + (size_t)plan->n_flows * ISO_N_DIRECTIONS + 1;
    for (int32_t i = 0; i < problem->n_volumes; i++)
        n_lines += (size_t)problem->volumes[i].n_steps;
    ISO_AUTO_MEM struct iso_ledger_amount *amounts = iso_calloc(n_amounts, sizeof(*amounts));
    ISO_AUTO_MEM struct iso_cover *covers = iso_calloc((size_t)plan->n_covers, sizeof(*covers));
    ISO_AUTO_MEM struct iso_line *lines = iso_calloc(n_lines, sizeof(*lines));
    struct iso_ledger ledger = {
        .problem = problem, .plan = plan, .amounts = amounts, .covers = covers, .lines = lines};
    iso_wide sum = 0;
    iso_decimal cost, penalties;

    if (!amounts || !covers || !lines)
        return no_memory(reterr);
    gather_amounts(&ledger);
    gather_covers(&ledger);
    count_moves(&ledger);
    ISO_TRY(add_instance_lines(&ledger, reterr));
    ISO_TRY(add_product_lines(&ledger, reterr));
    ISO_TRY(add_move_lines(&ledger, reterr));
    ISO_TRY(add_egress_lines(&ledger, reterr));
    if (!iso_ledger_volumes(&ledger))
        return out_of_range(reterr, "lines");
    qsort(lines, (size_t)ledger.n_lines, sizeof(*lines), compare_lines);
    for (int32_t i = 0; i < ledger.n_lines; i++)
        sum += lines[i].cost;
    if (!iso_wide_to_decimal(sum, &cost))
        return out_of_range(reterr, "cost");
    if (!iso_ledger_penalties(&ledger, &penalties))
        return out_of_range(reterr, "penalties");

    free(plan->lines);
    plan->lines = ISO_STEAL(lines);
    plan->n_lines = ledger.n_lines;
    plan->cost = cost;
    plan->penalties = penalties;
    return ISO_OK;
}

/* The bill of a plan.
 *
 *   INSTANCE  (quantity - covered) * price_ot * h_t * rate(cur(o) -> base, t)
 *   FEE       quantity * fee_c * h_t * rate(cur(c) -> base, t),  quantity = existing + bought, in
 * term UPFRONT   quantity * upfront_c * rate(cur(c) -> base, start) * hours_inside / term_hours
 *   MOVE      quantity * cost of one (base currency)
 *   EGRESS    quantity * price of a GB * rate,  quantity = round(flow * GB * h_t)
 *   VOLUME    quantity * (factor - 1) (base currency)
 *
 * INSTANCE and FEE lines are for runs of periods (ledger_runs.c) and cost that in each of them.
 *
 *   cost      = sum of the lines
 *   penalties = sum price * violation * h_t   (SOFT limits)
 *             + sum price * violation         (SOFT budgets)
 *             + sum penalty * u * h_t         (unserved demand with a penalty)
 *
 * With scenarios, hours are expected hours, so both are expected values; see ledger_scenarios.c.
 *
 * Each product above, and each term of a budget's spend, is formed exactly and rounded once, half
 * to even, to 1e-9; sums of them are exact. */
#include "ledger_sums.h"

static inline int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static inline int compare_places(int32_t period, int32_t cell, int32_t offering,
                                 const struct iso_ledger_amount *other)
{
    if (period != other->period)
        return period < other->period ? -1 : 1;
    if (cell != other->cell)
        return cell < other->cell ? -1 : 1;
    return compare(offering, other->offering);
}

static int compare_amounts(const void *left, const void *right)
{
    const struct iso_ledger_amount *a = left;

    return compare_places(a->period, a->cell, a->offering, right);
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

enum iso_status iso_ledger_out_of_range(struct iso_error *reterr, const char *field)
{
    return iso_fail(reterr, ISO_E_INVALID, field,
                    "an amount is out of range; at most 9223372036.854775807 is allowed");
}

enum iso_status iso_ledger_no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the bill");
}

/* What is in order already, as strategies make it, is left as it is. */
static inline void sort(void *rows, int32_t n, size_t size,
                        int (*order)(const void *, const void *))
{
    const char *row = rows;

    for (int32_t i = 1; i < n; i++, row += size)
        if (order(row, row + size) > 0) {
            qsort(rows, (size_t)n, size, order);
            return;
        }
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
    sort(all, n, sizeof(*all), compare_amounts);
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
    sort(ledger->covers, n, sizeof(*ledger->covers), compare_covers);
    for (int32_t i = 0; i < ledger->n_amounts; i++) {
        struct iso_ledger_amount *amount = &ledger->amounts[i];
        for (; next < n; next++) {
            const struct iso_cover *cover = &ledger->covers[next];
            int order = compare_places(cover->period, cover->cell, cover->offering, amount);
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

static enum iso_status add_upfront_lines(struct iso_ledger *ledger, struct iso_error *reterr)
{
    const struct iso_problem *problem = ledger->problem;

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
        if (!iso_ledger_whole(purchase->quantity, &line.quantity) ||
            !iso_ledger_amortised(purchase->quantity, product->upfront, line.rate,
                                  start->hours_inside, product->term_hours, &line.cost))
            return iso_ledger_out_of_range(reterr, "lines");
        if (iso_ledger_add(ledger, &line) != ISO_OK)
            return iso_ledger_no_memory(reterr);
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
        if (!iso_ledger_whole(counts[kind], &line.quantity) ||
            !iso_wide_to_decimal(counts[kind] * costs[kind], &line.cost))
            return iso_ledger_out_of_range(reterr, "lines");
        if (iso_ledger_add(ledger, &line) != ISO_OK)
            return iso_ledger_no_memory(reterr);
    }
    return ISO_OK;
}

static enum iso_status add_egress_lines(struct iso_ledger *ledger, struct iso_error *reterr)
{
    const struct iso_problem *problem = ledger->problem;

    for (int32_t i = 0; i < ledger->plan->n_flows * ISO_N_DIRECTIONS; i++) {
        const struct iso_flow *flow = &ledger->plan->flows[i / ISO_N_DIRECTIONS];
        struct iso_line line;
        if (!iso_ledger_egress(problem, flow, (enum iso_direction)(i % ISO_N_DIRECTIONS), &line))
            return iso_ledger_out_of_range(reterr, "lines");
        line.start = i;
        if (line.quantity > 0 && line.unit_price > 0 && iso_ledger_add(ledger, &line) != ISO_OK)
            return iso_ledger_no_memory(reterr);
    }
    return ISO_OK;
}

/* Puts the lines in order: the first `n_instances` are, the few others are woven in from the back.
 */
static enum iso_status sort_lines(struct iso_ledger *ledger, int32_t n_instances,
                                  struct iso_error *reterr)
{
    int32_t i = n_instances, k = ledger->n_lines - n_instances;
    ISO_AUTO_MEM struct iso_line *others = iso_calloc((size_t)k, sizeof(*others));

    if (!others)
        return iso_ledger_no_memory(reterr);
    if (k > 0) {
        memcpy(others, &ledger->lines[n_instances], (size_t)k * sizeof(*others));
        qsort(others, (size_t)k, sizeof(*others), compare_lines);
    }
    while (k > 0) {
        bool instance_last = i > 0 && compare_lines(&ledger->lines[i - 1], &others[k - 1]) > 0;
        int32_t place = i + k - 1;
        ledger->lines[place] = instance_last ? ledger->lines[--i] : others[--k];
    }
    return ISO_OK;
}

static enum iso_status make_lines(struct iso_ledger *ledger, struct iso_error *reterr)
{
    gather_amounts(ledger);
    gather_covers(ledger);
    count_moves(ledger);
    ISO_TRY(iso_ledger_instances(ledger, reterr));
    int32_t n_instances = ledger->n_lines;
    ISO_TRY(iso_ledger_fees(ledger, reterr));
    ISO_TRY(add_upfront_lines(ledger, reterr));
    ISO_TRY(add_move_lines(ledger, reterr));
    ISO_TRY(add_egress_lines(ledger, reterr));
    ISO_TRY(iso_ledger_volumes(ledger, reterr));
    return sort_lines(ledger, n_instances, reterr);
}

/* What the bill adds up to. */
struct totals {
    iso_decimal cost, penalties, risk;
    iso_wide *sums;         /* penalties of each scenario, and a place to spare */
    struct iso_bill *bills; /* of each scenario */
};

static enum iso_status account(struct iso_ledger *ledger, struct totals *totals,
                               struct iso_error *reterr)
{
    iso_wide sum = 0, penalties = 0;

    ISO_TRY(make_lines(ledger, reterr));
    for (int32_t i = 0; i < ledger->n_lines; i++)
        sum += ledger->lines[i].cost;
    if (!iso_wide_to_decimal(sum, &totals->cost))
        return iso_ledger_out_of_range(reterr, "cost");
    ISO_TRY(iso_ledger_penalties(ledger, totals->sums, reterr));
    for (int32_t s = 0; s <= ledger->problem->n_scenarios; s++)
        penalties += totals->sums[s];
    if (!iso_wide_to_decimal(penalties, &totals->penalties))
        return iso_ledger_out_of_range(reterr, "penalties");
    if (!iso_ledger_scenarios(ledger, totals->sums, totals->bills) ||
        !iso_ledger_risk(ledger->problem, totals->bills, &totals->risk))
        return iso_ledger_out_of_range(reterr, "bills");
    return ISO_OK;
}

enum iso_status iso_plan_account(const struct iso_problem *problem, struct iso_plan *plan,
                                 struct iso_error *reterr)
{
    size_t n_bills = (size_t)problem->n_scenarios;

    ISO_TRY(iso_ledger_check(problem, plan, reterr));
    size_t n_amounts = (size_t)plan->n_uses + (size_t)plan->n_fills;
    ISO_AUTO_MEM struct iso_ledger_amount *amounts = iso_calloc(n_amounts, sizeof(*amounts));
    ISO_AUTO_MEM struct iso_cover *covers = iso_calloc((size_t)plan->n_covers, sizeof(*covers));
    ISO_AUTO_MEM struct iso_bill *bills = iso_calloc(n_bills, sizeof(*bills));
    ISO_AUTO_MEM iso_wide *sums = iso_calloc(n_bills + 1, sizeof(*sums));
    struct iso_ledger ledger = {
        .problem = problem, .plan = plan, .amounts = amounts, .covers = covers};
    struct totals totals = {.sums = sums, .bills = bills};

    if (!amounts || !covers || !bills || !sums)
        return iso_ledger_no_memory(reterr);
    enum iso_status status = account(&ledger, &totals, reterr);
    if (status != ISO_OK) {
        free(ledger.lines);
        return status;
    }
    free(plan->lines);
    plan->lines = ledger.lines;
    plan->n_lines = ledger.n_lines;
    plan->cost = totals.cost;
    plan->penalties = totals.penalties;
    free(plan->bills);
    plan->bills = ISO_STEAL(bills);
    plan->n_bills = (int32_t)n_bills;
    plan->risk = totals.risk;
    return ISO_OK;
}

/* INSTANCE and FEE lines, in runs of periods.
 *
 * A run begins where the period before differs in anything that the line says, and goes on while
 * nothing does:
 *
 *   INSTANCE  of a workload's own instances: quantity, covers (product by product), price, hours,
 *             rate. Lines of pools have one period, as their contents are told with them.
 *   FEE       quantity, hours, rate.
 *
 * A run has periods of one scenario. Its cost is the cost of one period, rounded once, times the
 * number of periods: each period's share is exact, and the sum of the bill does not depend on where
 * runs begin and end. */
#include "ledger_sums.h"

#define FIRST_LINES 65536 /* room for as many at first, when there are as many amounts */

enum iso_status iso_ledger_add(struct iso_ledger *ledger, const struct iso_line *line)
{
    if (ledger->n_lines == ledger->lines_capacity) {
        int32_t first = ledger->n_amounts < FIRST_LINES ? ledger->n_amounts : FIRST_LINES;
        int32_t capacity = ledger->lines_capacity == 0 ? first + 64 : 2 * ledger->lines_capacity;
        struct iso_line *lines = iso_realloc(ledger->lines, (size_t)capacity, sizeof(*lines));
        if (!lines)
            return ISO_E_NOMEM;
        ledger->lines = lines;
        ledger->lines_capacity = capacity;
    }
    ledger->lines[ledger->n_lines] = *line;
    ledger->lines[ledger->n_lines++].n_periods = 1;
    return ISO_OK;
}

/* One more period of the same; false when the sum is out of range. */
static bool prolong(struct iso_line *line)
{
    iso_decimal share = iso_line_share(line);

    line->n_periods++;
    return iso_wide_to_decimal((iso_wide)line->cost + share, &line->cost);
}

static bool same_covers(const struct iso_ledger *ledger, const struct iso_ledger_amount *a,
                        const struct iso_ledger_amount *b)
{
    if (a->n_covers != b->n_covers)
        return false;
    for (int32_t i = 0; i < a->n_covers; i++) {
        const struct iso_cover *of_a = &ledger->covers[a->first_cover + i];
        const struct iso_cover *of_b = &ledger->covers[b->first_cover + i];
        if (of_a->product != of_b->product || of_a->instances != of_b->instances)
            return false;
    }
    return true;
}

static bool same_time(const struct iso_problem *problem, int32_t currency, int32_t a, int32_t b)
{
    return iso_problem_scenario(problem, a) == iso_problem_scenario(problem, b) &&
           problem->periods[a].hours == problem->periods[b].hours &&
           iso_problem_rate(problem, currency, problem->base_currency, a) ==
               iso_problem_rate(problem, currency, problem->base_currency, b);
}

/* Whether `now`, one period after `before`, has the same line. */
static bool goes_on(const struct iso_ledger *ledger, const struct iso_ledger_amount *before,
                    const struct iso_ledger_amount *now)
{
    const struct iso_problem *problem = ledger->problem;

    return now->cell < problem->n_workloads && before->count == now->count &&
           same_time(problem, problem->offerings[now->offering].currency, before->period,
                     now->period) &&
           iso_problem_price(problem, now->offering, before->period) ==
               iso_problem_price(problem, now->offering, now->period) &&
           same_covers(ledger, before, now);
}

static enum iso_status add_instance(struct iso_ledger *ledger, struct iso_ledger_amount *amount,
                                    struct iso_error *reterr)
{
    const struct iso_problem *problem = ledger->problem;
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

    if (!iso_ledger_whole(amount->count, &line.quantity) ||
        !iso_wide_to_decimal(iso_ledger_covered(ledger, amount, NULL), &line.covered) ||
        !iso_wide_to_decimal(amount->served, &line.served) ||
        !iso_decimal_product((const iso_decimal[]){line.quantity - line.covered, line.unit_price,
                                                   line.hours, line.rate},
                             4, &line.cost))
        return iso_ledger_out_of_range(reterr, "lines");
    amount->line = ledger->n_lines;
    return iso_ledger_add(ledger, &line) == ISO_OK ? ISO_OK : iso_ledger_no_memory(reterr);
}

static int compare_places(const struct iso_ledger_amount *a, const struct iso_ledger_amount *b)
{
    if (a->cell != b->cell)
        return a->cell < b->cell ? -1 : 1;
    return (a->offering > b->offering) - (a->offering < b->offering);
}

/* Amounts are sorted by (period, cell, offering), so those of a period and of the one before it are
 * two lists in one order. */
enum iso_status iso_ledger_instances(struct iso_ledger *ledger, struct iso_error *reterr)
{
    struct iso_ledger_amount *amounts = ledger->amounts;
    int32_t before = 0;

    for (int32_t i = 0; i < ledger->n_amounts; i++) {
        struct iso_ledger_amount *now = &amounts[i];
        while (before < i && (amounts[before].period < now->period - 1 ||
                              (amounts[before].period == now->period - 1 &&
                               compare_places(&amounts[before], now) < 0)))
            before++;
        bool follows = before < i && amounts[before].period == now->period - 1 &&
                       compare_places(&amounts[before], now) == 0 &&
                       goes_on(ledger, &amounts[before], now);
        if (!follows) {
            ISO_TRY(add_instance(ledger, now, reterr));
            continue;
        }
        now->line = amounts[before].line;
        if (!prolong(&ledger->lines[now->line]))
            return iso_ledger_out_of_range(reterr, "lines");
    }
    return ISO_OK;
}

static enum iso_status add_fee(struct iso_ledger *ledger, int32_t c, int32_t t, iso_wide held,
                               struct iso_error *reterr)
{
    const struct iso_problem *problem = ledger->problem;
    const struct iso_product *product = &problem->products[c];
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

    if (!iso_wide_to_decimal(held, &line.quantity) ||
        !iso_decimal_product(
            (const iso_decimal[]){line.quantity, line.unit_price, line.hours, line.rate}, 4,
            &line.cost))
        return iso_ledger_out_of_range(reterr, "lines");
    return iso_ledger_add(ledger, &line) == ISO_OK ? ISO_OK : iso_ledger_no_memory(reterr);
}

enum iso_status iso_ledger_fees(struct iso_ledger *ledger, struct iso_error *reterr)
{
    const struct iso_problem *problem = ledger->problem;
    ISO_AUTO_MEM iso_wide *held = iso_calloc((size_t)problem->n_periods, sizeof(*held));

    if (!held)
        return iso_ledger_no_memory(reterr);
    for (int32_t c = 0; c < problem->n_products; c++) {
        const struct iso_product *product = &problem->products[c];
        if (product->fee == 0 || !iso_ledger_held(ledger, c, held))
            continue;
        for (int32_t t = 0; t < problem->n_periods; t++) {
            if (held[t] == 0)
                continue;
            if (t == 0 || held[t - 1] != held[t] ||
                !same_time(problem, product->currency, t - 1, t))
                ISO_TRY(add_fee(ledger, c, t, held[t], reterr));
            else if (!prolong(&ledger->lines[ledger->n_lines - 1]))
                return iso_ledger_out_of_range(reterr, "lines");
        }
    }
    return ISO_OK;
}

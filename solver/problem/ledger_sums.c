/* penalties = sum price * violation * h_t (SOFT limits) + sum price * violation (SOFT budgets)
 *           + sum penalty * u * h_t (unserved demand with a penalty)
 *
 * each term rounded once. A budget's spend is what docs/reference/model.md, Budget, says, each of
 * its terms rounded once too. */
#include "ledger_sums.h"

__extension__ typedef unsigned __int128 uwide;

/* quantity * upfront * rate * inside / term, rounded once: with everything but `quantity` in units
 * of 1e-9 that is quantity * upfront * rate * inside / (term * 1e9), a quotient of 256 by less than
 * 94 bits, found one bit at a time. All arguments are >= 0, term > 0. */
bool iso_ledger_amortised(int64_t quantity, iso_decimal upfront, iso_decimal rate,
                          iso_decimal inside, iso_decimal term, iso_decimal *ret_value)
{
    const uwide low_half = UINT64_MAX;
    uwide a = (uwide)quantity * (uwide)upfront, b = (uwide)rate * (uwide)inside;
    uwide a0 = a & low_half, a1 = a >> 64, b0 = b & low_half, b1 = b >> 64;
    uwide low = a0 * b0, cross = a0 * b1, cross_too = a1 * b0;
    uwide middle = (low >> 64) + (cross & low_half) + (cross_too & low_half);
    uwide halves[2] = {a1 * b1 + (cross >> 64) + (cross_too >> 64) + (middle >> 64),
                       middle << 64 | (low & low_half)};
    uwide divisor = (uwide)term * (uwide)ISO_DECIMAL_ONE, rest = 0, quotient = 0;

    for (int bit = 255; bit >= 0; bit--) {
        rest = rest << 1 | (halves[bit < 128] >> (bit % 128) & 1);
        if (quotient >> 126)
            return false;
        quotient <<= 1;
        if (rest >= divisor) {
            rest -= divisor;
            quotient |= 1;
        }
    }
    uwide other = divisor - rest;
    quotient += rest > other || (rest == other && quotient % 2 != 0);
    return iso_wide_to_decimal((iso_wide)quotient, ret_value);
}

iso_wide iso_ledger_covered(const struct iso_ledger *ledger, const struct iso_ledger_amount *amount,
                            const uint8_t *products)
{
    iso_wide covered = 0;

    for (int32_t i = 0; i < amount->n_covers; i++) {
        const struct iso_cover *cover = &ledger->covers[amount->first_cover + i];
        if (!products || products[cover->product])
            covered += cover->instances;
    }
    return covered;
}

bool iso_ledger_held(const struct iso_ledger *ledger, int32_t product, iso_wide *ret_held)
{
    const struct iso_product *data = &ledger->problem->products[product];
    int32_t n_periods = ledger->problem->n_periods;
    bool any = false;

    for (int32_t i = 0; i < ledger->plan->n_purchases && !any; i++)
        any = ledger->plan->purchases[i].product == product;
    for (int32_t t = 0; t < n_periods && !any; t++)
        any = data->existing[t] != 0;
    for (int32_t t = 0; t < n_periods && any; t++)
        ret_held[t] = data->existing[t];
    for (int32_t i = 0; i < ledger->plan->n_purchases; i++) {
        const struct iso_purchase *purchase = &ledger->plan->purchases[i];
        if (purchase->product != product)
            continue;
        for (int32_t t = 0; t < n_periods; t++)
            if (data->starts[purchase->start].window[t])
                ret_held[t] += (iso_wide)purchase->quantity * ISO_DECIMAL_ONE;
    }
    return any;
}

/* Adds one term of a window's spend, or fails. */
static bool add_product(iso_wide *sum, iso_decimal a, iso_decimal b, iso_decimal c, iso_decimal d)
{
    iso_decimal term;

    if (!iso_decimal_product((const iso_decimal[]){a, b, c, d}, 4, &term))
        return false;
    *sum += term;
    return true;
}

/* Hours of a term in the flagged periods: it fills its periods in order until hours_inside are
 * spent.
 */
static iso_decimal hours_in(const struct iso_problem *problem, const struct iso_start *start,
                            const uint8_t *periods)
{
    iso_decimal left = start->hours_inside, sum = 0;

    for (int32_t t = 0; t < problem->n_periods; t++) {
        iso_decimal hours = problem->periods[t].hours < left ? problem->periods[t].hours : left;
        if (!start->window[t])
            continue;
        left -= hours;
        sum += periods[t] ? hours : 0;
    }
    return sum;
}

/* Fees and upfronts of the products that count, by the basis. `held` has a place a period. */
static bool add_product_spend(const struct iso_ledger *ledger, const struct iso_budget *budget,
                              const struct iso_window *window, iso_wide *held, iso_wide *spend)
{
    const struct iso_problem *problem = ledger->problem;

    for (int32_t c = 0; c < problem->n_products; c++) {
        const struct iso_product *product = &problem->products[c];
        if (!budget->products[c] || product->fee == 0 || !iso_ledger_held(ledger, c, held))
            continue;
        for (int32_t t = 0; t < problem->n_periods; t++) {
            iso_decimal quantity;
            if (!window->periods[t] || held[t] == 0)
                continue;
            if (!iso_wide_to_decimal(held[t], &quantity) ||
                !add_product(spend, quantity, product->fee, problem->periods[t].hours,
                             iso_problem_rate(problem, product->currency, window->currency, t)))
                return false;
        }
    }
    for (int32_t i = 0; i < ledger->plan->n_purchases; i++) {
        const struct iso_purchase *purchase = &ledger->plan->purchases[i];
        const struct iso_product *product = &problem->products[purchase->product];
        const struct iso_start *start = &product->starts[purchase->start];
        iso_decimal rate =
            iso_problem_rate(problem, product->currency, window->currency, start->period);
        iso_decimal inside = hours_in(problem, start, window->periods), quantity, term;
        if (!budget->products[purchase->product])
            continue;
        if (budget->basis == ISO_BASIS_CASH) {
            if (window->periods[start->period] &&
                (!iso_ledger_whole(purchase->quantity, &quantity) ||
                 !add_product(spend, quantity, product->upfront, rate, ISO_DECIMAL_ONE)))
                return false;
            continue;
        }
        if (!iso_ledger_amortised(purchase->quantity, product->upfront, rate, inside,
                                  product->term_hours, &term))
            return false;
        *spend += term;
    }
    return true;
}

static bool window_spend(const struct iso_ledger *ledger, const struct iso_budget *budget,
                         const struct iso_window *window, iso_wide *held, iso_wide *ret_spend)
{
    const struct iso_problem *problem = ledger->problem;
    const struct iso_moves *moves = &problem->moves;
    const iso_wide counts[] = {ledger->starts, ledger->stops, ledger->moves};
    const iso_decimal costs[] = {moves->start_cost, moves->stop_cost, moves->move_cost};
    iso_wide spend = 0;

    for (int32_t i = 0; i < ledger->n_amounts; i++) {
        const struct iso_ledger_amount *amount = &ledger->amounts[i];
        int32_t t = amount->period, o = amount->offering;
        iso_decimal quantity;
        if (!window->periods[t] || !budget->offerings[o] || !budget->cells[amount->cell])
            continue;
        if (!iso_ledger_whole(amount->count, &quantity))
            return false;
        if (budget->basis != ISO_BASIS_LIST)
            quantity -= (iso_decimal)iso_ledger_covered(ledger, amount, budget->products);
        if (!add_product(
                &spend, quantity, iso_problem_price(problem, o, t), problem->periods[t].hours,
                iso_problem_rate(problem, problem->offerings[o].currency, window->currency, t)))
            return false;
    }
    if (budget->basis != ISO_BASIS_LIST && !add_product_spend(ledger, budget, window, held, &spend))
        return false;
    for (int kind = ISO_MOVE_START; kind <= ISO_MOVE_MOVE; kind++) {
        iso_decimal quantity;
        if (!budget->moves || !window->periods[0])
            continue;
        if (!iso_ledger_whole(counts[kind], &quantity) ||
            !add_product(&spend, quantity, costs[kind],
                         iso_problem_rate(problem, problem->base_currency, window->currency, 0),
                         ISO_DECIMAL_ONE))
            return false;
    }
    *ret_spend = spend;
    return iso_ledger_egress_spend(ledger, budget, window, ret_spend);
}

/* What of a limit is used in each period, to `ret_used` with a place for each. Its terms are sorted
 * by offering. */
static void limit_use(const struct iso_ledger *ledger, const struct iso_limit *limit,
                      iso_wide *ret_used)
{
    memset(ret_used, 0, (size_t)ledger->problem->n_periods * sizeof(*ret_used));
    for (int32_t i = 0; i < ledger->n_amounts; i++) {
        const struct iso_ledger_amount *amount = &ledger->amounts[i];
        int32_t low = 0, high = limit->n_terms;
        while (low < high) {
            int32_t middle = low + (high - low) / 2;
            if (limit->terms[middle].offering < amount->offering)
                low = middle + 1;
            else
                high = middle;
        }
        if (low < limit->n_terms && limit->terms[low].offering == amount->offering)
            ret_used[amount->period] += (iso_wide)limit->terms[low].weight * amount->count;
    }
}

/* By how much a limit is broken; >= 0. */
static iso_wide violation_of(const struct iso_limit *limit, iso_wide used)
{
    iso_wide excess = limit->minimum ? limit->bound - used : used - limit->bound;

    return excess > 0 ? excess : 0;
}

/* Penalties of a SOFT limit. `used` has a place a period. */
static bool add_limit(const struct iso_ledger *ledger, const struct iso_limit *limit,
                      iso_wide *used, iso_wide *ret_sums)
{
    const struct iso_problem *problem = ledger->problem;
    iso_decimal violation;

    limit_use(ledger, limit, used);
    for (int32_t t = 0; t < problem->n_periods; t++)
        if (limit->periods[t] &&
            (!iso_wide_to_decimal(violation_of(limit, used[t]), &violation) ||
             !add_product(&ret_sums[iso_problem_scenario(problem, t)], violation, limit->price,
                          problem->periods[t].hours, ISO_DECIMAL_ONE)))
            return false;
    return true;
}

/* `by_period` has a place a period. */
static bool add_penalties(const struct iso_ledger *ledger, iso_wide *by_period, iso_wide *ret_sums)
{
    const struct iso_problem *problem = ledger->problem;
    iso_decimal violation;

    for (int32_t l = 0; l < problem->n_limits; l++)
        if (problem->limits[l].policy == ISO_POLICY_SOFT &&
            !add_limit(ledger, &problem->limits[l], by_period, ret_sums))
            return false;
    for (int32_t b = 0; b < problem->n_budgets; b++) {
        const struct iso_budget *budget = &problem->budgets[b];
        for (int32_t w = 0; w < budget->n_windows && budget->policy == ISO_POLICY_SOFT; w++) {
            iso_wide spend;
            if (!window_spend(ledger, budget, &budget->windows[w], by_period, &spend))
                return false;
            spend -= budget->windows[w].amount;
            if (!iso_wide_to_decimal(spend > 0 ? spend : 0, &violation) ||
                !add_product(&ret_sums[iso_window_scenario(problem, &budget->windows[w])],
                             violation, budget->price, ISO_DECIMAL_ONE, ISO_DECIMAL_ONE))
                return false;
        }
    }
    for (int32_t i = 0; i < ledger->plan->n_unserved; i++) {
        const struct iso_unserved *unserved = &ledger->plan->unserved[i];
        const struct iso_workload *workload = &problem->workloads[unserved->workload];
        if (workload->service == ISO_SERVICE_PENALTY &&
            !add_product(&ret_sums[iso_problem_scenario(problem, unserved->period)],
                         workload->penalty, iso_plan_counted_unserved(problem, ledger->plan, i),
                         problem->periods[unserved->period].hours, ISO_DECIMAL_ONE))
            return false;
    }
    return true;
}

enum iso_status iso_ledger_penalties(const struct iso_ledger *ledger, iso_wide *ret_sums,
                                     struct iso_error *reterr)
{
    size_t n_periods = (size_t)ledger->problem->n_periods;
    ISO_AUTO_MEM iso_wide *by_period = iso_calloc(n_periods, sizeof(*by_period));

    if (!by_period)
        return iso_ledger_no_memory(reterr);
    return add_penalties(ledger, by_period, ret_sums)
               ? ISO_OK
               : iso_ledger_out_of_range(reterr, "penalties");
}

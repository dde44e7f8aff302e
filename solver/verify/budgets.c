/* BUDGET: the spend of a window w of budget b, in w's currency, is
 *
 *     sum h_t * price_ot * rate(cur(o) -> w, t) * (instances - covered by counted products)
 *   + sum h_t * fee_c * rate(cur(c) -> w, t) * held_ct
 *   + AMORTISED: sum quantity * upfront_c * rate(cur(c) -> w, start) * inside / term_hours
 *     CASH:      sum quantity * upfront_c * rate(cur(c) -> w, start)      for starts inside w
 *   + moves: sum count * cost * rate(base -> w, 0)                        when w has period 0
 *
 * over the periods, offerings, cells and products that count; `inside` = hours of the term in
 * periods of w: a term fills its periods in order until its hours_inside are spent. Basis LIST: the
 * first line alone, nothing covered (and moves).
 *
 * Each term is exact and rounded once, half to even, to 1e-9; the sum is exact. Two roundings
 * cannot be helped: that of each term, at most 0.5e-9, and that of each cover to 1e-9 of an
 * instance, worth at most 1e-9 of its price for the period. A hard budget is broken when spend
 * exceeds the amount by more than these add up to (and in any case by more than 1e-6 + 1e-6 of the
 * amount). */
#include "verifier.h"

typedef uint32_t limb;
#define N_LIMBS 8

/* 256 bits, least significant limb first. */
struct number {
    limb limbs[N_LIMBS];
};

static void multiply(struct number *n, uint64_t factor)
{
    struct number low = {{0}}, high = {{0}};
    uint64_t carry = 0, carry_high = 0;

    for (int i = 0; i < N_LIMBS; i++) {
        carry += (uint64_t)n->limbs[i] * (limb)factor;
        low.limbs[i] = (limb)carry;
        carry >>= 32;
        carry_high += (uint64_t)n->limbs[i] * (limb)(factor >> 32);
        if (i + 1 < N_LIMBS)
            high.limbs[i + 1] = (limb)carry_high;
        carry_high >>= 32;
    }
    carry = 0;
    for (int i = 0; i < N_LIMBS; i++) {
        carry += (uint64_t)low.limbs[i] + high.limbs[i];
        n->limbs[i] = (limb)carry;
        carry >>= 32;
    }
}

/* Twice n plus `bit` less d if that is not negative; returns whether d was taken. n < d < 2^255. */
static bool shift_subtract(struct number *n, const struct number *d, limb bit)
{
    struct number less;
    uint64_t borrow = 0;

    for (int i = N_LIMBS - 1; i > 0; i--)
        n->limbs[i] = n->limbs[i] << 1 | n->limbs[i - 1] >> 31;
    n->limbs[0] = n->limbs[0] << 1 | bit;
    for (int i = 0; i < N_LIMBS; i++) {
        uint64_t difference = (uint64_t)n->limbs[i] - d->limbs[i] - borrow;
        less.limbs[i] = (limb)difference;
        borrow = difference >> 63;
    }
    if (borrow)
        return false;
    *n = less;
    return true;
}

bool iso_verify_share_of_upfront(iso_decimal quantity, iso_decimal upfront, iso_decimal rate,
                                 iso_decimal inside, iso_decimal term, iso_decimal *ret_value)
{
    const iso_decimal factors[] = {quantity, upfront, rate, inside};
    const iso_decimal divisors[] = {term, ISO_DECIMAL_ONE, ISO_DECIMAL_ONE};
    struct number numerator = {{1}}, divisor = {{1}}, rest = {{0}};
    iso_wide quotient = 0;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(factors); i++)
        multiply(&numerator, (uint64_t)factors[i]);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(divisors); i++)
        multiply(&divisor, (uint64_t)divisors[i]);
    for (int bit = 32 * N_LIMBS - 1; bit >= 0; bit--) {
        limb next = numerator.limbs[bit / 32] >> (bit % 32) & 1;
        quotient = quotient * 2 + shift_subtract(&rest, &divisor, next);
        if (quotient > ISO_DECIMAL_MAX)
            return false;
    }
    struct number half = rest;
    bool reached = shift_subtract(&half, &divisor, 0); /* 2 rest >= divisor */
    bool tie = reached;
    for (int i = 0; i < N_LIMBS; i++)
        tie = tie && half.limbs[i] == 0;
    quotient += reached && (!tie || quotient % 2 != 0);
    return iso_wide_to_decimal(quotient, ret_value);
}

iso_decimal iso_verify_term_hours(const struct iso_problem *problem, const struct iso_start *start,
                                  const uint8_t *periods)
{
    iso_wide before = 0, inside = 0; /* hours of the term's periods so far */

    for (int32_t t = 0; t < problem->n_periods; t++) {
        iso_wide after = before + (start->window[t] ? problem->periods[t].hours : 0);
        iso_wide end = after < start->hours_inside ? after : start->hours_inside;
        if (periods[t] && end > before)
            inside += end - before;
        before = after;
    }
    return (iso_decimal)inside;
}

/* The spend of one window as it is summed up. */
struct spend {
    iso_wide sum, slack; /* slack: of rounding, in half units of 1e-9 */
    bool in_range;
};

static void add(struct spend *spend, iso_decimal a, iso_decimal b, iso_decimal c, iso_decimal d)
{
    iso_decimal term = 0;

    spend->in_range = spend->in_range && iso_decimal_product((iso_decimal[]){a, b, c, d}, 4, &term);
    spend->sum += term;
    spend->slack++;
}

static void add_instances(const struct iso_verifier *v, const struct iso_budget *budget,
                          const struct iso_window *window, struct spend *spend)
{
    const struct iso_problem *problem = v->problem;

    for (int32_t i = 0; i < v->n_usages; i++) {
        const struct iso_verify_usage *usage = &v->usages[i];
        int32_t o = usage->offering, t = usage->period;
        iso_decimal paid = usage->count * ISO_DECIMAL_ONE, one = ISO_DECIMAL_ONE, whole = 0;
        iso_decimal price = iso_problem_price(problem, o, t), hours = problem->periods[t].hours;
        if (!window->periods[t] || !budget->offerings[o] || !budget->cells[usage->cell])
            continue;
        iso_decimal rate =
            iso_problem_rate(problem, problem->offerings[o].currency, window->currency, t);
        spend->in_range = spend->in_range &&
                          iso_decimal_product((iso_decimal[]){one, price, hours, rate}, 4, &whole);
        for (int32_t k = 0; k < usage->n_covers && budget->basis != ISO_BASIS_LIST; k++) {
            const struct iso_cover *cover =
                &v->plan->covers[v->cover_order[usage->first_cover + k]];
            if (!budget->products[cover->product])
                continue;
            paid -= cover->instances;
            spend->slack += 2 * (whole / ISO_DECIMAL_ONE + 1);
        }
        add(spend, paid, price, hours, rate);
    }
}

static void add_commitments(const struct iso_verifier *v, const struct iso_budget *budget,
                            const struct iso_window *window, struct spend *spend)
{
    const struct iso_problem *problem = v->problem;

    for (int32_t c = 0; c < problem->n_products; c++) {
        const struct iso_product *product = &problem->products[c];
        if (!budget->products[c])
            continue;
        for (int32_t t = 0; t < problem->n_periods; t++)
            if (window->periods[t] && product->fee > 0 && iso_verify_held(v, c, t) > 0)
                add(spend, iso_verify_held(v, c, t), product->fee, problem->periods[t].hours,
                    iso_problem_rate(problem, product->currency, window->currency, t));
        for (int32_t s = 0; s < product->n_starts; s++) {
            const struct iso_start *start = &product->starts[s];
            iso_decimal quantity = v->bought[v->first_start[c] + s] * ISO_DECIMAL_ONE;
            iso_decimal rate =
                iso_problem_rate(problem, product->currency, window->currency, start->period);
            iso_decimal inside = iso_verify_term_hours(problem, start, window->periods), term = 0;
            if (quantity == 0 || product->upfront == 0)
                continue;
            if (budget->basis == ISO_BASIS_CASH) {
                if (window->periods[start->period])
                    add(spend, quantity, product->upfront, rate, ISO_DECIMAL_ONE);
                continue;
            }
            spend->in_range =
                spend->in_range && iso_verify_share_of_upfront(quantity, product->upfront, rate,
                                                               inside, product->term_hours, &term);
            spend->sum += term;
            spend->slack++;
        }
    }
}

static void add_moves(const struct iso_verifier *v, const struct iso_window *window,
                      struct spend *spend)
{
    const struct iso_moves *moves = &v->problem->moves;
    const iso_wide counts[] = {v->starts, v->stops, v->moves};
    const iso_decimal costs[] = {moves->start_cost, moves->stop_cost, moves->move_cost};
    iso_decimal rate = iso_problem_rate(v->problem, v->problem->base_currency, window->currency, 0);

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(counts); i++) {
        iso_decimal quantity = 0;
        if (counts[i] == 0 || costs[i] == 0)
            continue;
        spend->in_range =
            spend->in_range && iso_wide_to_decimal(counts[i] * ISO_DECIMAL_ONE, &quantity);
        add(spend, quantity, costs[i], rate, ISO_DECIMAL_ONE);
    }
}

static enum iso_status check_window(struct iso_verifier *v, const struct iso_budget *budget,
                                    int32_t w, iso_wide *violation)
{
    const struct iso_window *window = &budget->windows[w];
    struct spend spend = {.in_range = true};

    add_instances(v, budget, window, &spend);
    if (budget->basis != ISO_BASIS_LIST)
        add_commitments(v, budget, window, &spend);
    if (budget->moves && window->periods[0] && v->problem->moves.present)
        add_moves(v, window, &spend);
    spend.in_range =
        spend.in_range && iso_verify_egress_spend(v, budget, window, &spend.sum, &spend.slack);
    if (!spend.in_range)
        return iso_verify_fail(v, "lines", -1, "", "spend of budget %s is out of range",
                               budget->id);
    iso_wide over = spend.sum - window->amount, most = window->amount / 1000000 + 1000;
    iso_wide slack = (spend.slack + 1) / 2 < most ? (spend.slack + 1) / 2 : most;
    iso_wide allowed = slack + (budget->policy == ISO_POLICY_DEFAULT ? window->today : 0);
    *violation = over > 0 ? over : 0;
    v->verdict.rules_checked++;
    if ((budget->policy == ISO_POLICY_HARD || budget->policy == ISO_POLICY_DEFAULT) &&
        over > allowed)
        return iso_verify_fail(v, "lines", -1, "", "budget %s, window %d: %.12g is spent of %.12g",
                               budget->id, w, (double)spend.sum / 1e9,
                               iso_decimal_to_double(window->amount));
    if (budget->policy == ISO_POLICY_HARD && (double)over / 1e9 > v->verdict.worst_violation)
        v->verdict.worst_violation = (double)over / 1e9;
    return ISO_OK;
}

enum iso_status iso_verify_budgets(struct iso_verifier *v)
{
    for (int32_t b = 0; b < v->problem->n_budgets; b++)
        for (int32_t w = 0; w < v->problem->budgets[b].n_windows; w++)
            ISO_TRY(check_window(v, &v->problem->budgets[b], w,
                                 &v->budget_violations[v->first_window[b] + w]));
    return ISO_OK;
}

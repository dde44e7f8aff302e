/* Rules that a plan breaks as their policy allows. */
#include "plan_parts.h"

/* Violations found so far; grows inside the arena by doubling. */
struct found {
    size_t n, room;
    Isocost__V1__Violation **items;
};

static Isocost__V1__Violation *add(const struct iso_plan_writer *writer, struct found *found)
{
    if (found->n == found->room) {
        size_t room = found->room ? 2 * found->room : 16;
        Isocost__V1__Violation **items = (Isocost__V1__Violation **)iso_messages_new(
            writer->arena, room, &isocost__v1__violation__descriptor);
        if (!items)
            return NULL;
        if (found->n > 0)
            memcpy(items, found->items, found->n * sizeof(*items));
        found->items = items;
        found->room = room;
    }
    return found->items[found->n++];
}

static int compare_terms(const void *key, const void *element)
{
    int32_t offering = *(const int32_t *)key;
    const struct iso_limit_term *term = element;
    return (offering > term->offering) - (offering < term->offering);
}

/* What each period uses of a limit, in `ret_used` (n_periods values). */
static void count_limit(const struct iso_plan_writer *writer, const struct iso_limit *limit,
                        iso_decimal *ret_used)
{
    memset(ret_used, 0, (size_t)writer->problem->n_periods * sizeof(*ret_used));
    for (int32_t i = 0; i < writer->plan->n_lines; i++) {
        const struct iso_line *line = &writer->plan->lines[i];
        if (line->kind != ISO_LINE_INSTANCE || limit->n_terms == 0)
            continue;
        const struct iso_limit_term *term = bsearch(
            &line->offering, limit->terms, (size_t)limit->n_terms, sizeof(*term), compare_terms);
        iso_decimal used = 0;
        if (!term ||
            !iso_decimal_multiply(term->weight, line->quantity, ISO_ROUND_HALF_EVEN, &used))
            continue;
        for (int32_t t = line->period; t < line->period + line->n_periods; t++)
            ret_used[t] += used;
    }
}

/* amount * price [* hours], in the base currency; only SOFT rules have a penalty. 0 when out of
 * range: the verifier has refused such a plan. */
static iso_decimal penalty(iso_decimal amount, iso_decimal price, iso_decimal hours)
{
    const iso_decimal factors[] = {amount, price, hours};
    iso_decimal money;
    return amount > 0 && iso_decimal_product(factors, 3, &money) ? money : 0;
}

/* Penalty of a limit that is used so much, with the steps that follow it. */
static Google__Type__Money *limit_penalty(const struct iso_plan_writer *writer, int32_t first,
                                          iso_decimal used, iso_decimal hours)
{
    const struct iso_problem *problem = writer->problem;
    iso_decimal sum = 0;

    if (problem->limits[first].policy != ISO_POLICY_SOFT)
        return NULL;
    for (int32_t l = first; l == first || (l < problem->n_limits && problem->limits[l].later_step);
         l++) {
        const struct iso_limit *limit = &problem->limits[l];
        sum += penalty(limit->minimum ? limit->bound - used : used - limit->bound, limit->price,
                       hours);
    }
    return iso_plan_money(writer, sum);
}

/* The same for a window of a budget. */
static Google__Type__Money *budget_penalty(const struct iso_plan_writer *writer, int32_t first,
                                           int32_t window, iso_decimal spend)
{
    const struct iso_problem *problem = writer->problem;
    iso_decimal sum = 0;

    if (problem->budgets[first].policy != ISO_POLICY_SOFT)
        return NULL;
    for (int32_t b = first;
         b == first || (b < problem->n_budgets && problem->budgets[b].later_step); b++)
        sum += penalty(spend - problem->budgets[b].windows[window].amount,
                       problem->budgets[b].price, ISO_DECIMAL_ONE);
    return iso_plan_money(writer, sum);
}

static void write_limits(const struct iso_plan_writer *writer, struct found *found)
{
    const struct iso_problem *problem = writer->problem;
    iso_decimal *used = iso_arena_calloc(writer->arena, (size_t)problem->n_periods, sizeof(*used));

    for (int32_t l = 0; used && l < problem->n_limits; l++) {
        const struct iso_limit *limit = &problem->limits[l];
        if (limit->policy == ISO_POLICY_HARD || limit->later_step)
            continue;
        count_limit(writer, limit, used);
        for (int32_t t = 0; t < problem->n_periods; t++) {
            iso_decimal amount = limit->minimum ? limit->bound - used[t] : used[t] - limit->bound;
            Isocost__V1__Violation *violation =
                limit->periods[t] && amount > 0 ? add(writer, found) : NULL;
            if (!violation)
                continue;
            violation->rule = iso_borrow(limit->id);
            violation->period = iso_borrow(problem->periods[t].id);
            violation->amount = iso_decimal_to_double(amount);
            violation->penalty = limit_penalty(writer, l, used[t], problem->periods[t].hours);
        }
    }
}

/* quantity * price * hours in the window's currency, or 0 when out of range: the verifier has
 * refused such a plan. */
static iso_decimal in_window(const struct iso_plan_writer *writer, const struct iso_window *window,
                             int32_t period, int32_t currency, iso_decimal quantity,
                             iso_decimal price, iso_decimal hours)
{
    const iso_decimal factors[] = {
        quantity, price, hours,
        iso_problem_rate(writer->problem, currency, window->currency, period)};
    iso_decimal cost;
    return iso_decimal_product(factors, 4, &cost) ? cost : 0;
}

static iso_decimal line_spend(const struct iso_plan_writer *writer, const struct iso_budget *budget,
                              const struct iso_window *window, const struct iso_line *line)
{
    iso_decimal paid = line->quantity, spend = 0;

    switch (line->kind) {
    case ISO_LINE_INSTANCE:
        if (!budget->offerings[line->offering] || !budget->cells[line->cell])
            return 0;
        if (budget->basis != ISO_BASIS_LIST)
            paid -= line->covered;
        break;
    case ISO_LINE_FEE:
        if (!budget->products[line->product] || budget->basis == ISO_BASIS_LIST)
            return 0;
        break;
    case ISO_LINE_MOVE:
        if (!budget->moves)
            return 0;
        break;
    case ISO_LINE_EGRESS:
        if (!iso_plan_budget_counts_line(writer->problem, writer->plan, budget, line))
            return 0;
        break;
    case ISO_LINE_VOLUME: /* budgets see prices before it */
    case ISO_LINE_UPFRONT:
        return 0; /* counted by its purchase */
    }
    for (int32_t t = line->period; t < line->period + line->n_periods; t++)
        if (window->periods[t]) /* rates to the window's currency may differ */
            spend += in_window(writer, window, t, line->currency, paid, line->unit_price,
                               line->hours > 0 ? line->hours : ISO_DECIMAL_ONE);
    return spend;
}

/* CASH: whole where the term starts. AMORTISED: by the hours of the term in the window. */
static iso_decimal upfront_spend(const struct iso_plan_writer *writer,
                                 const struct iso_budget *budget, const struct iso_window *window,
                                 const struct iso_purchase *purchase)
{
    const struct iso_problem *problem = writer->problem;
    const struct iso_product *product = &problem->products[purchase->product];
    const struct iso_start *start = &product->starts[purchase->start];
    iso_decimal hours = 0, share, quantity = purchase->quantity * ISO_DECIMAL_ONE;

    if (!budget->products[purchase->product] || budget->basis == ISO_BASIS_LIST ||
        product->upfront == 0)
        return 0;
    if (budget->basis == ISO_BASIS_CASH)
        return window->periods[start->period]
                   ? in_window(writer, window, start->period, product->currency, quantity,
                               product->upfront, ISO_DECIMAL_ONE)
                   : 0;
    for (int32_t t = 0; t < problem->n_periods; t++)
        if (window->periods[t] && start->window[t])
            hours += problem->periods[t].hours;
    if (hours > start->hours_inside)
        hours = start->hours_inside;
    if (!iso_decimal_divide(hours, product->term_hours, ISO_ROUND_HALF_EVEN, &share))
        return 0;
    return in_window(writer, window, start->period, product->currency, quantity, product->upfront,
                     share);
}

static void write_budgets(const struct iso_plan_writer *writer, struct found *found)
{
    const struct iso_problem *problem = writer->problem;

    for (int32_t b = 0; b < problem->n_budgets; b++) {
        const struct iso_budget *budget = &problem->budgets[b];
        if (budget->policy == ISO_POLICY_HARD || budget->later_step)
            continue;
        for (int32_t w = 0; w < budget->n_windows; w++) {
            const struct iso_window *window = &budget->windows[w];
            iso_decimal over = -window->amount;
            for (int32_t i = 0; i < writer->plan->n_lines; i++)
                over += line_spend(writer, budget, window, &writer->plan->lines[i]);
            for (int32_t i = 0; i < writer->plan->n_purchases; i++)
                over += upfront_spend(writer, budget, window, &writer->plan->purchases[i]);
            Isocost__V1__Violation *violation = over > 0 ? add(writer, found) : NULL;
            if (!violation)
                continue;
            violation->rule = iso_borrow(budget->id);
            violation->period = iso_borrow(iso_window_name(writer, b, w));
            violation->amount = iso_decimal_to_double(over) / iso_window_part(problem, b, w);
            violation->penalty = budget_penalty(writer, b, w, over + window->amount);
        }
    }
}

void iso_plan_write_broken_rules(struct iso_plan_writer *writer)
{
    struct found found = {0};
    write_limits(writer, &found);
    write_budgets(writer, &found);
    writer->message->n_violations = found.n;
    writer->message->violations = found.items;
}

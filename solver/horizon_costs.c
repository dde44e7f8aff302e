/* What commitments cost, apart from what they save. Thousands of products share a term, and over a
 * long horizon a term has thousands of periods: they are added up once for each. */
#include "horizon.h"

struct term {
    const uint8_t *window;
    int32_t currency;
    double hours; /* sum over its periods of hours times rate */
};

static void sum_term(const struct iso_problem *problem, struct term *term)
{
    const iso_decimal *rate = problem->currencies[term->currency].rate_to_base;

    term->hours = 0;
    for (int32_t t = 0; t < problem->n_periods; t++)
        if (term->window[t])
            term->hours += iso_value(problem->periods[t].hours) * iso_value(rate[t]);
}

/* What one unit costs when its term has that many hours times rate. */
static double cost_of(const struct iso_problem *problem, int32_t c, const struct iso_start *start,
                      double hours)
{
    const struct iso_product *product = &problem->products[c];
    iso_decimal rate = problem->currencies[product->currency].rate_to_base[start->period];

    return iso_value(product->upfront) * iso_value(rate) * iso_value(start->hours_inside) /
               iso_value(product->term_hours) +
           iso_value(product->fee) * hours;
}

double iso_unit_cost(const struct iso_problem *problem, int32_t product, int32_t start)
{
    const struct iso_product *of = &problem->products[product];
    struct term term = {of->starts[start].window, of->currency, 0};

    sum_term(problem, &term);
    return cost_of(problem, product, &of->starts[start], term.hours);
}

bool iso_start_costs_init(struct iso_horizon_case *h)
{
    const struct iso_problem *problem = h->problem;
    struct term term = {0};

    h->start_cost = iso_calloc((size_t)h->first_start[problem->n_products], sizeof(*h->start_cost));
    for (int32_t c = 0; c < problem->n_products && h->start_cost; c++)
        for (int32_t s = 0; s < problem->products[c].n_starts; s++) {
            const struct iso_product *product = &problem->products[c];
            const struct iso_start *start = &product->starts[s];
            if (term.window != start->window || term.currency != product->currency) {
                term = (struct term){start->window, product->currency, 0};
                sum_term(problem, &term);
            }
            h->start_cost[h->first_start[c] + s] = cost_of(problem, c, start, term.hours);
        }
    return h->start_cost != NULL;
}

double iso_start_cost(const struct iso_horizon_case *h, int32_t product, int32_t start)
{
    return h->start_cost[h->first_start[product] + start];
}

double iso_existing_fees(const struct iso_problem *problem)
{
    double fees = 0;

    for (int32_t c = 0; c < problem->n_products; c++)
        for (int32_t t = 0; t < problem->n_periods; t++)
            if (problem->products[c].existing[t] > 0)
                fees +=
                    iso_value(problem->periods[t].hours) * iso_value(problem->products[c].fee) *
                    iso_value(problem->products[c].existing[t]) *
                    iso_value(problem->currencies[problem->products[c].currency].rate_to_base[t]);
    return fees;
}

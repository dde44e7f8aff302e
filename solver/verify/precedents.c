#include "precedents.h"

#define MOST_PRECEDENTS 256 /* of a workload */

static enum iso_status no_memory(const struct iso_worth *unit)
{
    return iso_fail(unit->p->v->reterr, ISO_E_NOMEM, "", "no memory to check a bound");
}

/* Whether a product covers no other workload and its multipliers are implied. */
static bool is_own(const struct iso_pricing *p, int32_t c, int32_t workload)
{
    const struct iso_problem *problem = p->v->problem;

    for (int32_t a = 0; a < problem->n_workloads + problem->n_teams; a++)
        if (a != workload && problem->products[c].cells[a])
            return false;
    return p->commit_row[c] < 0;
}

static void find_products(struct iso_precedents *precedents, const struct iso_worth *unit)
{
    const struct iso_problem *problem = unit->p->v->problem;

    for (int32_t c = 0; c < problem->n_products; c++) {
        if (!problem->products[c].cells[unit->workload])
            continue;
        precedents->applies &= is_own(unit->p, c, unit->workload);
        precedents->products[precedents->n_products++] = c;
    }
}

enum iso_status iso_precedents_init(struct iso_precedents *precedents, const struct iso_worth *unit)
{
    const struct iso_pricing *p = unit->p;
    const struct iso_problem *problem = p->v->problem;

    *precedents = (struct iso_precedents){.at = -1};
    precedents->applies = p->v->way != ISO_PRICE_EACH && p->v->plan->n_leads > 0 &&
                          problem->n_volumes == 0 && problem->n_price_exceptions == 0 &&
                          p->kinds[ISO_ROW_RAMP].n == 0 && !problem->moves.present &&
                          !problem->workloads[unit->workload].replicas &&
                          !p->tabled[unit->workload];
    if (!precedents->applies)
        return ISO_OK;
    precedents->n_numbers = iso_worth_numbers(unit, NULL);
    precedents->numbers = iso_calloc(precedents->n_numbers, sizeof(*precedents->numbers));
    precedents->products = iso_calloc((size_t)problem->n_products, sizeof(*precedents->products));
    precedents->precedents = iso_calloc(MOST_PRECEDENTS, sizeof(*precedents->precedents));
    if (!precedents->numbers || !precedents->products || !precedents->precedents)
        return no_memory(unit);
    find_products(precedents, unit);
    return ISO_OK;
}

void iso_precedents_fini(struct iso_precedents *precedents)
{
    for (int32_t i = 0; i < precedents->n_precedents; i++)
        free(precedents->precedents[i].numbers);
    free(precedents->precedents);
    free(precedents->products);
    free(precedents->numbers);
}

static bool is_same_period(const struct iso_precedents *precedents, const struct iso_pricing *p,
                           int32_t t, int32_t other)
{
    const struct iso_problem *problem = p->v->problem;

    if (problem->periods[t].hours != problem->periods[other].hours ||
        !iso_leads_same_prices(problem, t, other))
        return false;
    for (int32_t i = 0; i < precedents->n_products; i++) {
        int32_t c = precedents->products[i];
        if (p->supply[iso_verify_at(p->v, c, t)] != p->supply[iso_verify_at(p->v, c, other)])
            return false;
    }
    return true;
}

static bool are_same_numbers(const struct iso_precedents *precedents, const long double *numbers)
{
    for (size_t i = 0; i < precedents->n_numbers; i++)
        if (precedents->numbers[i] != numbers[i])
            return false;
    return true;
}

/* The open period as a precedent; without memory for it there is none, which costs time only. */
static void keep(struct iso_precedents *precedents, int32_t period)
{
    size_t numbers = precedents->n_numbers * sizeof(long double);
    long double *block = iso_calloc(1, numbers + (size_t)precedents->n_products * sizeof(double));
    struct iso_precedent made = {.period = period, .numbers = block};

    if (!block)
        return;
    memcpy(block, precedents->numbers, numbers);
    void *psi = block + precedents->n_numbers;
    made.psi = psi;
    precedents->at = precedents->n_precedents;
    precedents->precedents[precedents->n_precedents++] = made;
}

void iso_precedents_open(struct iso_precedents *precedents, const struct iso_worth *unit,
                         const struct iso_costs *costs)
{
    precedents->at = -1;
    precedents->found = false;
    if (!precedents->applies || costs->has_limits || costs->n_windows > 0)
        return;
    iso_worth_numbers(unit, precedents->numbers);
    for (int32_t i = 0; i < precedents->n_precedents && !precedents->found; i++) {
        const struct iso_precedent *before = &precedents->precedents[i];
        if (are_same_numbers(precedents, before->numbers) &&
            is_same_period(precedents, unit->p, costs->period, before->period)) {
            precedents->at = i;
            precedents->found = true;
        }
    }
    if (!precedents->found && precedents->n_precedents < MOST_PRECEDENTS)
        keep(precedents, costs->period);
}

void iso_precedents_note(struct iso_precedents *precedents, int64_t columns_priced)
{
    if (precedents->at < 0)
        return;
    precedents->precedents[precedents->at].priced = true;
    precedents->precedents[precedents->at].columns_priced = columns_priced;
}
